/* SPDX-License-Identifier: GPL-2.0-or-later */
/* script_text.h - the command language as text (design: «#» comments, words may be "quoted", one statement a line or separated by «;»). */
#ifndef GS_CODEC_SCRIPT_TEXT_H
#define GS_CODEC_SCRIPT_TEXT_H

#include "core/script.h"

#define GS_SCRIPT_LINE_MAX 4096
#define GS_SCRIPT_STATEMENTS_MAX 10000

/*
 * Parse @n bytes. @name is how the operator named the input ("-" for stdin,
 * ":" for the prompt); it is copied. Errors are status INVALID with
 * file:line:column of the word: bad UTF-8, NUL, a line over the maximum, an
 * unclosed quote, an unknown verb (with the nearest known one), a missing or
 * extra word. The caller owns the script.
 */
int gs_script_parse(const char *bytes, size_t n, const char *name, struct gs_script **ret_script, struct gs_error *e);

/* One statement as a person would type it, without newline; the caller frees. Parsing it gives the statement back. */
char *gs_statement_format(const struct gs_statement *st);
/* All, a line each; the caller frees. */
char *gs_script_format(const struct gs_script *s);

/* The language's help: one line per verb, from one table. For i in 0..; NULL ends. */
const char *gs_script_syntax(unsigned i);

#endif
