/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * open_commits.h - commits that have not come to an end, marked on the GPUs
 * that they concern, so that the next start of any way in sees them: one is
 * under way while its agent lives, was interrupted when that is gone, or ended
 * where it could neither go on nor back.
 */
#ifndef GS_BACKEND_OPEN_COMMITS_H
#define GS_BACKEND_OPEN_COMMITS_H

#include "base/root.h"
#include "codec/journal_json.h"
#include "core/snapshot.h"

/* What one look learns for the next: commits up to that number have ended, and an ended one stays so. Begins as 0. */
struct gs_open_commits {
	uint64_t ended;
};

/* Is the agent that began that commit still there, and is it so of this boot? */
bool gs_open_commits_is_under_way(struct gs_root *root, const struct gs_journal_file *f);

/* Mark the GPUs of @s, which is being built. Whoever may not read the journal marks none. -ENOMEM. */
int gs_open_commits_collect(struct gs_open_commits *known, struct gs_root *root, struct gs_snapshot *s);

#endif
