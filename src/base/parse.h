/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parse.h - strict text to value: the whole string must be the value, no
 * blanks, no sign for unsigned, no overflow. 0 or -EINVAL / -ERANGE; the
 * output is untouched on failure.
 */
#ifndef GS_BASE_PARSE_H
#define GS_BASE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* @base 10 or 16; base 16 accepts an optional "0x". */
int gs_parse_u64(const char *s, unsigned base, uint64_t *ret_value);
int gs_parse_u32(const char *s, unsigned base, uint32_t *ret_value);
/* decimal with an optional "-" */
int gs_parse_i64(const char *s, int64_t *ret_value);

/* True when @n bytes at @s are well-formed UTF-8 (no overlong forms, no surrogates); *@ret_bad gets the offset of the first bad byte. */
bool gs_utf8_is_valid(const char *s, size_t n, size_t *ret_bad);

/* Has valid UTF-8 an invisible or direction-changing character (C1, zero-width, bidirectional)? *@ret_at: the offset of the first. */
bool gs_utf8_has_hidden(const char *s, size_t n, size_t *ret_at);

/*
 * Text from outside that will be shown on a terminal: control characters (C0,
 * DEL, C1), bidirectional overrides and malformed UTF-8 become '?'. In place.
 */
void gs_text_sanitize(char *s);

/* ASCII only, independent of the locale. */
bool gs_str_equal_nocase(const char *a, const char *b);
bool gs_str_starts(const char *s, const char *prefix);

/* NULL-safe equality: two NULLs are equal. */
bool gs_str_equal(const char *a, const char *b);

#endif
