/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * claims.h - work that was promised a GPU and has no process yet: batch jobs,
 * pods, machines that are shut off, containers, notes of the site (design 4).
 * Every source is optional; one that cannot be asked is said.
 */
#ifndef GS_BACKEND_CLAIMS_H
#define GS_BACKEND_CLAIMS_H

#include "backend/holders.h"
#include "base/root.h"
#include "core/snapshot.h"

/* What a source asks of the machine beyond its files. */
struct gs_claims_ops {
	/*
	 * Run a program of the machine to its end (argv, no shell) and hand over
	 * what it printed, at most @max bytes; the caller frees. 0 when it ended
	 * with 0; -ENOENT: not installed; another -errno with a sentence.
	 */
	int (*run)(void *userdata, const char *const *argv, size_t max, char **ret_text, size_t *ret_n, struct gs_error *e);
	void *userdata;
};

struct gs_claims;

/* @root, @host (its name, for sources that speak of many) and @ops (NULL: nothing can be run) are borrowed. NULL when there is no memory. */
struct gs_claims *gs_claims_new(struct gs_root *root, const char *host, const struct gs_claims_ops *ops);
struct gs_claims *gs_claims_free(struct gs_claims *c);
GS_DEFINE_CLEANUP(struct gs_claims *, gs_claims_free);

/*
 * Put the claims into the snapshot as holders of kind CLAIM, where they belong,
 * and what they name into the grids' avoid masks; each source is said. After
 * the holders: work that runs is no claim any more. @holders tells the GPUs.
 *
 * A source is read when its files have changed, which is looked at every five
 * seconds on a live machine; the programs, which cannot be looked at, once a
 * minute; everything now with @fresh. -ENOMEM.
 */
int gs_claims_apply(struct gs_claims *c, struct gs_snapshot *s, const struct gs_holders *holders, bool fresh);

#endif
