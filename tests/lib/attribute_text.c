/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/lib/attribute_text.h"

#include <stdlib.h>
#include <string.h>

void gs_attribute_print(FILE *f, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char c = bytes[i];

		if (c == '\n')
			fputs("\\n", f);
		else if (c == '\t')
			fputs("\\t", f);
		else if (c == '\\')
			fputs("\\\\", f);
		else if (c < ' ' || c > '~')
			fprintf(f, "\\x%02x", (unsigned char)c);
		else
			putc(c, f);
	}
}

size_t gs_attribute_bytes(const char *text, char *to, size_t max)
{
	size_t n = 0;

	for (const char *s = text; *s && n < max; s++) {
		char hex[3] = { 0 };

		if (*s != '\\' || s[1] == '\0') {
			to[n++] = *s;
			continue;
		}
		switch (*++s) {
		case 'n':
			to[n++] = '\n';
			break;
		case 't':
			to[n++] = '\t';
			break;
		case 'x':
			memcpy(hex, s + 1, strnlen(s + 1, 2));
			to[n++] = (char)strtoul(hex, NULL, 16);
			s += strlen(hex);
			break;
		default:
			to[n++] = *s;
		}
	}
	return n;
}
