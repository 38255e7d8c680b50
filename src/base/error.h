/* SPDX-License-Identifier: GPL-2.0-or-later */
/* error.h - an error that an operator can act on, without allocating. */
#ifndef GS_BASE_ERROR_H
#define GS_BASE_ERROR_H

#include <stdarg.h>

#include "base/status.h"

#define GS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* A place in an input; line 0 means «no place», column 0 «the whole line». */
struct gs_position {
	const char *file;   /* as the operator named it; "-" is standard input; borrowed */
	unsigned line;      /* from 1 */
	unsigned column;    /* from 1, in bytes */
};

/*
 * Filled by the function that finds the failure, prefixed by callers who know
 * more, printed once by the program. Fixed size: reporting never allocates.
 */
struct gs_error {
	int errnum;                 /* negative errno, what the function returned */
	enum gs_status status;      /* what the program should exit with */
	char file[160];             /* copied from the position; empty when none */
	unsigned line, column;
	char text[1024];            /* one or more sentences, no trailing newline */
};

/*
 * Fill @e (which may be NULL) and return @errnum, so that
 * «return gs_error_set(e, -EINVAL, …);» is one line. An earlier content is
 * replaced. @errnum must be negative.
 */
int gs_error_set(struct gs_error *e, int errnum, enum gs_status status, const char *fmt, ...) GS_PRINTF(4, 5);
int gs_error_setv(struct gs_error *e, int errnum, enum gs_status status, const char *fmt, va_list ap) GS_PRINTF(4, 0);

/* The same for a mistake in an input; the status is GS_STATUS_INVALID. */
int gs_error_at(struct gs_error *e, int errnum, const struct gs_position *pos, const char *fmt, ...) GS_PRINTF(4, 5);

/* Put words in front of the text: "GPU 3: " + text. Returns e->errnum, or -EIO when @e is NULL. */
int gs_error_prefix(struct gs_error *e, const char *fmt, ...) GS_PRINTF(2, 3);

/* «cannot allocate memory» */
int gs_error_oom(struct gs_error *e);

/*
 * "FILE:LINE:COLUMN: text" when there is a place, else the text. Writes at
 * most @size bytes with the NUL and returns @buf.
 */
const char *gs_error_format(const struct gs_error *e, char *buf, unsigned long size);

#endif
