/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * past.h - an earlier commit, as far as undoing, finishing or judging it needs.
 * What leads back or forward is a plan like any other, made from the machine as
 * it is now.
 */
#ifndef GS_CORE_PAST_H
#define GS_CORE_PAST_H

#include "base/strbuf.h"
#include "core/journal.h"

struct gs_past {
	uint64_t id;
	struct gs_plan *plan;           /* owned: the base snapshot, the steps, the target */
	struct gs_layout *base, *target;    /* owned, unbound: for a machine that has lost everything since */
	size_t done;                    /* steps that are proven */
	bool is_uncertain;              /* one more may have been done */
	size_t tried;                   /* steps that were begun: the last of them may have been refused */
	uint64_t changed_since;         /* a later commit that changed one of its GPUs too; 0: none */
	bool is_ended;                  /* it knows its outcome */
	bool is_same_boot;              /* the machine has not been started again since */
	const char *units[GS_JOURNAL_UNITS_MAX];    /* stopped by it and not started again; owned by @arena */
	size_t n_units;
	struct gs_arena *arena;
};
struct gs_past *gs_past_free(struct gs_past *p);
GS_DEFINE_CLEANUP(struct gs_past *, gs_past_free);

enum gs_past_state {
	GS_PAST_IS_BASE,                /* its GPUs are as before it */
	GS_PAST_IS_TARGET,              /* … as it was to make them */
	GS_PAST_IS_BETWEEN,
};

/*
 * Where do the GPUs of that commit stand in @now? What is otherwise than before
 * it, and than it was to be, goes to @not_base and @not_target (may be NULL),
 * in half sentences. -ENOMEM.
 */
int gs_past_judge(const struct gs_past *p, const struct gs_snapshot *now, enum gs_past_state *ret_state, struct gs_strbuf *not_base, struct gs_strbuf *not_target,
		  struct gs_error *e);

/*
 * What @now should be: UNDO takes back all steps that were done; TAKE_BACK does
 * so for an interrupted commit; FINISH goes on to its target, and leaves alone
 * what somebody else made since. On a machine that
 * was started again since, what was on the GPUs of the commit is gone, so
 * TAKE_BACK and FINISH ask for all of their base or target. GPUs that the commit
 * did not touch stay as they are. The caller empties *@ret_ev. -EBUSY while a
 * write on one of its GPUs waits in the kernel, -ENODEV and what gs_layout_bind()
 * gives.
 */
int gs_past_evaluate(const struct gs_past *p, enum gs_way way, const struct gs_snapshot *now, struct gs_evaluation *ret_ev, struct gs_error *e);

#endif
