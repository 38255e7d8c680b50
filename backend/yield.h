/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * yield.h - how a commit gets our own collectors off a GPU. NVML holds the GPU
 * by being initialised (interfaces 5.1), so before a mode change the committer
 * puts run/gpuslice/yield/<bdf> there; every agent that sees it ends its
 * collector, and starts it again when the file has gone or its maker has died.
 *
 * Each collector holds a shared lock on run/gpuslice/collectors for its life,
 * which is how the committer knows that all have gone.
 */
#ifndef GS_BACKEND_YIELD_H
#define GS_BACKEND_YIELD_H

#include "base/root.h"
#include "core/bdf.h"

struct gs_yield;

/* Watch; @may_create makes the directory when it is missing. @root is borrowed. NULL when there is no memory. */
struct gs_yield *gs_yield_new(struct gs_root *root, bool may_create);
struct gs_yield *gs_yield_free(struct gs_yield *y);
GS_DEFINE_CLEANUP(struct gs_yield *, gs_yield_free);

/* For poll(2): readable when something changed; -1: look once a second. */
int gs_yield_fd(const struct gs_yield *y);

/* Is there a request by another, living process? Takes what fd() announced. */
bool gs_yield_is_asked(struct gs_yield *y, uint32_t *ret_pid);

/* The committer's side: ask for a GPU, and take it back. */
int gs_yield_ask(struct gs_root *root, struct gs_bdf bdf, struct gs_error *e);
void gs_yield_release(struct gs_root *root, struct gs_bdf bdf);

/* A collector's shared lock: an fd to keep, or -1 (no directory, no permission): then nobody can wait for us. */
int gs_yield_hold(struct gs_root *root, bool may_create);

/* Have all collectors gone? 1 yes, 0 not yet, -errno when it cannot be told. */
int gs_yield_all_gone(struct gs_root *root);

#endif
