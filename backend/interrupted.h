/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * interrupted.h - commits that never ended, marked on the GPUs that they
 * changed: the next start of any way in sees them. One whose agent still lives
 * is under way, not interrupted.
 */
#ifndef GS_BACKEND_INTERRUPTED_H
#define GS_BACKEND_INTERRUPTED_H

#include "base/root.h"
#include "codec/journal_json.h"
#include "core/snapshot.h"

/* What one look learns for the next: commits up to that number have ended, and an ended one stays so. Begins as 0. */
struct gs_interrupted {
	uint64_t ended;
};

/* Is the agent that began that commit still there, and is it so of this boot? */
bool gs_interrupted_is_under_way(struct gs_root *root, const struct gs_journal_file *f);

/* Mark the GPUs of @s, which is being built. Whoever may not read the journal marks none. -ENOMEM. */
int gs_interrupted_collect(struct gs_interrupted *known, struct gs_root *root, struct gs_snapshot *s);

#endif
