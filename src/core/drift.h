/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * drift.h - is a machine what was saved of it, GPU by GPU; if not, what differs
 * and what is known to have caused it. Pure.
 */
#ifndef GS_CORE_DRIFT_H
#define GS_CORE_DRIFT_H

#include "base/clock.h"
#include "core/layout.h"

enum gs_drift_state {
	GS_DRIFT_SAME,
	GS_DRIFT_DIFFERS,
	GS_DRIFT_MISSING,               /* saved, and no GPU of this machine */
	GS_DRIFT_UNKNOWN,               /* what is on it cannot be seen */
	GS_DRIFT_NOT_SAVED,             /* a GPU that the saved layout does not name: it says nothing about it */
	GS_DRIFT_MAX,
};
/* "same", "differs", "missing", "unknown", "not-saved"; NULL for a value outside. */
const char *gs_drift_state_name(enum gs_drift_state state);

/* A later commit, as far as it may explain a difference. */
struct gs_drift_commit {
	uint64_t id;
	const char *user;               /* NULL: not known */
	struct gs_wall at;
	const char *boot_id;
	const struct gs_bdf *gpus;      /* that it changed */
	size_t n_gpus;
	struct gs_i64 ended_ms;         /* unknown: it began at @at, and that is all */
};

/* What is known besides the layout; all of it may be unknown (NULL, 0). Borrowed. */
struct gs_drift_facts {
	const char *saved_boot_id, *boot_id;
	struct gs_i64 saved_at_ms;
	const struct gs_drift_commit *commits;  /* any order */
	size_t n_commits;
	bool journal_is_hidden;         /* it may not be read here: no commit is no proof of none */
};

struct gs_drift_gpu {
	const struct gs_gpu *gpu;       /* of the snapshot; NULL: MISSING */
	struct gs_match match;          /* as saved; empty: NOT_SAVED */
	enum gs_drift_state state;
	bool is_bound;                  /* what is saved of it could be laid over it: it is in the drift's layout */
	const char **differences;       /* the rest of a sentence behind "GPU 2: ": "1g.10gb at 3 is missing" */
	size_t n_differences;
	const char *cause;              /* a sentence without a full stop, of DIFFERS; else NULL */
};

struct gs_drift {
	struct gs_arena *arena;
	struct gs_drift_gpu *gpus;      /* those of the snapshot in order, then what is MISSING */
	size_t n_gpus;
	struct gs_layout *layout;       /* what was saved, bound and solved, for those GPUs that it could be laid over; all others as they are */
};

/*
 * Hold @saved (unbound) against @s, which has to outlive the drift, as has
 * @saved. An entry that cannot be laid over its GPU is a difference of that GPU.
 * @facts may be NULL. The caller owns. -ENOMEM.
 */
int gs_drift_build(const struct gs_layout *saved, const struct gs_snapshot *s, const struct gs_drift_facts *facts, struct gs_drift **ret_drift, struct gs_error *e);
struct gs_drift *gs_drift_free(struct gs_drift *d);
GS_DEFINE_CLEANUP(struct gs_drift *, gs_drift_free);

/*
 * What made @gpu another than was saved, as far as that is known: a sentence without a full stop. In this order: a restart;
 * its driver that was loaded since it was saved, and since the last commit of ours on it, which is gone with it then; that commit; a GPU
 * that was reset or lost, by the kernel's log; else something that nothing here knows of. @f may be NULL. In @arena or static; NULL without memory.
 */
const char *gs_drift_cause(const struct gs_gpu *gpu, const struct gs_drift_facts *f, struct gs_arena *arena);

/* DIFFERS when any GPU differs or is missing, else CANNOT_TELL when any is unknown, else OK. GPUs that are not saved count for nothing. */
enum gs_status gs_drift_status(const struct gs_drift *d);

#endif
