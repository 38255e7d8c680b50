/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * undo.h - the way back: what a plan did is taken back against the machine as
 * it is now. A failed commit, `undo` and `recover` go it; it is a plan like any
 * other, with its own findings.
 */
#ifndef GS_CORE_UNDO_H
#define GS_CORE_UNDO_H

#include "core/plan.h"

bool gs_plan_has_reset(const struct gs_plan *p);

/*
 * What @now should be without the first @done steps of @past, and without what
 * the one after them may have left: that step counts as refused, so what it was
 * to create is somebody else's if it stands there. Only what these steps did is
 * taken back; what others made meanwhile stays. GPUs that are gone or lost are
 * left out. The caller empties *@ret_ev.
 */
int gs_undo_evaluate(const struct gs_plan *past, size_t done, const struct gs_snapshot *now, struct gs_evaluation *ret_ev, struct gs_error *e);

/* The plan of it. The caller owns the plan. */
int gs_undo_plan(const struct gs_plan *past, size_t done, const struct gs_snapshot *now, const struct gs_plan_options *options, struct gs_plan **ret_plan,
		 struct gs_error *e);

#endif
