/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/parse.h"

#include <errno.h>
#include <string.h>

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

int gs_parse_u64(const char *s, unsigned base, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (base == 16 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		s += 2;
	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		unsigned d = (unsigned)digit_value(*s);

		if (d >= base)
			return -EINVAL;
		if (__builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, d, &value))
			return -ERANGE;
	}
	*ret_value = value;
	return 0;
}

int gs_parse_u32(const char *s, unsigned base, uint32_t *ret_value)
{
	uint64_t value;
	int r = gs_parse_u64(s, base, &value);

	if (r < 0)
		return r;
	if (value > UINT32_MAX)
		return -ERANGE;
	*ret_value = (uint32_t)value;
	return 0;
}

int gs_parse_i64(const char *s, int64_t *ret_value)
{
	bool negative = *s == '-';
	uint64_t value;
	int r = gs_parse_u64(s + negative, 10, &value);

	if (r < 0)
		return r;
	if (value > (uint64_t)INT64_MAX)
		return -ERANGE;
	*ret_value = negative ? -(int64_t)value : (int64_t)value;
	return 0;
}

/* Length of the well-formed sequence at @s, 0 when it is malformed. */
static size_t utf8_length(const unsigned char *s, size_t n, uint32_t *ret_code)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t code;
	size_t len;

	if (s[0] < 0x80) {
		*ret_code = s[0];
		return 1;
	}
	if (s[0] >= 0xc2 && s[0] <= 0xdf) {
		len = 2;
		code = s[0] & 0x1fu;
	} else if (s[0] >= 0xe0 && s[0] <= 0xef) {
		len = 3;
		code = s[0] & 0x0fu;
	} else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		len = 4;
		code = s[0] & 0x07u;
	} else {
		return 0;
	}
	if (n < len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3fu);
	}
	if (code < smallest[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code = code;
	return len;
}

bool gs_utf8_is_valid(const char *s, size_t n, size_t *ret_bad)
{
	uint32_t code;

	for (size_t i = 0; i < n;) {
		size_t len = utf8_length((const unsigned char *)s + i, n - i, &code);

		if (!len) {
			if (ret_bad)
				*ret_bad = i;
			return false;
		}
		i += len;
	}
	return true;
}

static bool is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

bool gs_utf8_has_hidden(const char *s, size_t n, size_t *ret_at)
{
	for (size_t i = 0; i < n;) {
		uint32_t code;
		size_t len = utf8_length((const unsigned char *)s + i, n - i, &code);

		/* a byte order mark at the very beginning is what some editors do */
		if (len > 1 && is_unsafe(code) && !(code == 0xfeff && i == 0)) {
			*ret_at = i;
			return true;
		}
		i += len ? len : 1;
	}
	return false;
}

void gs_text_sanitize(char *s)
{
	size_t n = strlen(s);
	char *out = s;

	for (size_t i = 0; i < n;) {
		uint32_t code;
		size_t len = utf8_length((const unsigned char *)s + i, n - i, &code);

		if (!len || is_unsafe(code)) {
			*out++ = '?';
			i += len ? len : 1;
			continue;
		}
		memmove(out, s + i, len);
		out += len;
		i += len;
	}
	*out = '\0';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool gs_str_equal_nocase(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return lower(*a) == lower(*b);
}

bool gs_str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool gs_str_equal(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}
