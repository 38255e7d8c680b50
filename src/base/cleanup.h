/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cleanup.h - locals that release themselves when they go out of scope. */
#ifndef GS_BASE_CLEANUP_H
#define GS_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define GS_CLEANUP(fn) __attribute__((cleanup(fn)))

/*
 * GS_DEFINE_CLEANUP(struct gs_x *, gs_x_free) makes gs_x_freep() for use as
 * «GS_CLEANUP(gs_x_freep) struct gs_x *x = NULL;». The destructor must take NULL.
 */
#define GS_DEFINE_CLEANUP(type, fn) \
	static inline void fn##p(type *p) \
	{ \
		if (*p) \
			fn(*p); \
	} \
	struct gs_require_semicolon

static inline void gs_cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void gs_cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void gs_cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void gs_cleanup_closedir(DIR **d)
{
	if (*d)
		closedir(*d);
}

#define GS_FREE GS_CLEANUP(gs_cleanup_free)
#define GS_CLOSE GS_CLEANUP(gs_cleanup_close)
#define GS_FCLOSE GS_CLEANUP(gs_cleanup_fclose)
#define GS_CLOSEDIR GS_CLEANUP(gs_cleanup_closedir)

/* Hand a local over to its new owner: the local is emptied. */
#define GS_TAKE(p) \
	({ \
		__auto_type gs_taken_ = (p); \
		(p) = NULL; \
		gs_taken_; \
	})
#define GS_TAKE_FD(fd) \
	({ \
		int gs_taken_ = (fd); \
		(fd) = -1; \
		gs_taken_; \
	})

#define GS_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
