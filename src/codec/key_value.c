/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/key_value.h"

#include <string.h>

#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

bool gs_key_is_valid(const char *s)
{
	size_t n = strspn(s, LETTERS_AND_DIGITS "-_.");

	return n && n <= GS_KEY_MAX && !s[n] && strspn(s, LETTERS_AND_DIGITS);
}

bool gs_param_value_is_valid(const char *s)
{
	size_t n = 0;

	for (; s[n]; n++) {
		if (s[n] <= ' ' || s[n] > '~' || s[n] == ',')
			return false;
	}
	return n && n <= GS_VALUE_MAX;
}
