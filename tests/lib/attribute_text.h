/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attribute_text.h - the bytes of an attribute on one line: \n, \t, \\, \xHH for what cannot be printed. */
#ifndef GS_TESTS_LIB_ATTRIBUTE_TEXT_H
#define GS_TESTS_LIB_ATTRIBUTE_TEXT_H

#include <stddef.h>
#include <stdio.h>

void gs_attribute_print(FILE *f, const char *bytes, size_t n);

/* The bytes that @text stands for, at most @max: their number. What follows another backslash is itself. */
size_t gs_attribute_bytes(const char *text, char *to, size_t max);

#endif
