/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hooks_private.h - between hooks.c (which) and hooks_run.c (one of them). Nobody else includes it. */
#ifndef GS_BACKEND_HOOKS_PRIVATE_H
#define GS_BACKEND_HOOKS_PRIVATE_H

#include "backend/hooks.h"

struct gs_hooks_one {
	const char *path, *name;
	const char *when;       /* "before", "after" */
	const char *status;     /* "-", or the number */
};

/* Run it to its end, or to the end of its time. 0 when it ended with 0; -errno as in gs_hooks_before() otherwise. */
int gs_hooks_run_one(const struct gs_hooks_one *one, const struct gs_hooks_call *call, const struct gs_hooks_ops *ops, void *userdata, struct gs_error *e);

#endif
