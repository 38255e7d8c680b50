/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/strbuf.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

void gs_strbuf_done(struct gs_strbuf *b)
{
	free(b->text);
	memset(b, 0, sizeof(*b));
}

static bool reserve(struct gs_strbuf *b, size_t more)
{
	size_t want, room = b->room ? b->room : 64;
	char *bigger;

	if (b->failed)
		return false;
	if (__builtin_add_overflow(b->length + 1, more, &want) || want > SIZE_MAX / 2) {
		b->failed = true;
		return false;
	}
	if (want <= b->room)
		return true;
	while (room < want)
		room *= 2;
	bigger = realloc(b->text, room);
	if (!bigger) {
		b->failed = true;
		return false;
	}
	b->text = bigger;
	b->room = room;
	return true;
}

void gs_strbuf_add(struct gs_strbuf *b, const void *bytes, size_t n)
{
	if (!reserve(b, n))
		return;
	if (n)
		memcpy(b->text + b->length, bytes, n);
	b->length += n;
	b->text[b->length] = '\0';
}

void gs_strbuf_puts(struct gs_strbuf *b, const char *s)
{
	gs_strbuf_add(b, s, strlen(s));
}

void gs_strbuf_printf(struct gs_strbuf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		b->failed = true;
	else if (reserve(b, (size_t)n)) {
		vsnprintf(b->text + b->length, (size_t)n + 1, fmt, again);
		b->length += (size_t)n;
	}
	va_end(again);
}

void gs_strbuf_drop(struct gs_strbuf *b, size_t n)
{
	if (n >= b->length) {
		gs_strbuf_clear(b);
		return;
	}
	memmove(b->text, b->text + n, b->length - n + 1);
	b->length -= n;
}

void gs_strbuf_clear(struct gs_strbuf *b)
{
	b->length = 0;
	if (b->text)
		b->text[0] = '\0';
}

char *gs_strbuf_take(struct gs_strbuf *b)
{
	char *text;

	gs_strbuf_add(b, "", 0);
	if (b->failed) {
		gs_strbuf_done(b);
		return NULL;
	}
	text = b->text;
	memset(b, 0, sizeof(*b));
	return text;
}
