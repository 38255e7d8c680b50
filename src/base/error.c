/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int gs_error_setv(struct gs_error *e, int errnum, enum gs_status status, const char *fmt, va_list ap)
{
	if (!e)
		return errnum;
	memset(e, 0, sizeof(*e));
	e->errnum = errnum;
	e->status = status;
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	return errnum;
}

int gs_error_set(struct gs_error *e, int errnum, enum gs_status status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	gs_error_setv(e, errnum, status, fmt, ap);
	va_end(ap);
	return errnum;
}

int gs_error_at(struct gs_error *e, int errnum, const struct gs_position *pos, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	gs_error_setv(e, errnum, GS_STATUS_INVALID, fmt, ap);
	va_end(ap);
	if (e && pos) {
		snprintf(e->file, sizeof(e->file), "%s", pos->file ? pos->file : "");
		e->line = pos->line;
		e->column = pos->column;
	}
	return errnum;
}

int gs_error_prefix(struct gs_error *e, const char *fmt, ...)
{
	char front[512];
	char rest[sizeof(e->text)];
	va_list ap;

	if (!e)
		return -EIO;
	va_start(ap, fmt);
	vsnprintf(front, sizeof(front), fmt, ap);
	va_end(ap);
	memcpy(rest, e->text, sizeof(rest));
	/* a text that no longer fits is cut at its end, never at its beginning */
	if (snprintf(e->text, sizeof(e->text), "%s%s", front, rest) >= (int)sizeof(e->text))
		memcpy(e->text + sizeof(e->text) - 4, "...", 4);
	return e->errnum;
}

int gs_error_oom(struct gs_error *e)
{
	return gs_error_set(e, -ENOMEM, GS_STATUS_FAILED, "cannot allocate memory");
}

const char *gs_error_format(const struct gs_error *e, char *buf, unsigned long size)
{
	if (e->file[0] && e->line && e->column)
		snprintf(buf, size, "%s:%u:%u: %s", e->file, e->line, e->column, e->text);
	else if (e->file[0] && e->line)
		snprintf(buf, size, "%s:%u: %s", e->file, e->line, e->text);
	else if (e->file[0])
		snprintf(buf, size, "%s: %s", e->file, e->text);
	else
		snprintf(buf, size, "%s", e->text);
	return buf;
}
