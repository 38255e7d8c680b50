/* SPDX-License-Identifier: GPL-2.0-or-later */
/* strbuf.h - a string that grows; always NUL-terminated. */
#ifndef GS_BASE_STRBUF_H
#define GS_BASE_STRBUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

/* «struct gs_strbuf b = GS_STRBUF_INIT;» then gs_strbuf_done(). Allocation failure is latched in @failed. */
struct gs_strbuf {
	char *text;     /* "" when empty, never NULL after the first add */
	size_t length;
	size_t room;
	bool failed;
};
#define GS_STRBUF_INIT { NULL, 0, 0, false }

void gs_strbuf_done(struct gs_strbuf *b);
#define GS_STRBUF GS_CLEANUP(gs_strbuf_done)

void gs_strbuf_add(struct gs_strbuf *b, const void *bytes, size_t n);
void gs_strbuf_puts(struct gs_strbuf *b, const char *s);
void gs_strbuf_printf(struct gs_strbuf *b, const char *fmt, ...) GS_PRINTF(2, 3);

/* Forget the first @n bytes. */
void gs_strbuf_drop(struct gs_strbuf *b, size_t n);
void gs_strbuf_clear(struct gs_strbuf *b);

/* The text, owned by the caller (free), or NULL when an addition failed; the buffer is empty after. */
char *gs_strbuf_take(struct gs_strbuf *b);

#endif
