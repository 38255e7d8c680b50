/* SPDX-License-Identifier: GPL-2.0-or-later */
/* steps.h - from a GPU's difference to its ordered steps. Used by plan.c only. */
#ifndef GS_CORE_STEPS_H
#define GS_CORE_STEPS_H

#include "core/diff.h"
#include "core/plan.h"

/* A new step for @gpu at the end of the plan, numbered; NULL when there is no memory. */
struct gs_step *gs_plan_add_step(struct gs_plan *p, enum gs_step_op op, const struct gs_gpu *gpu);

/* Append the steps that make @d->gpu what @d asks, in order, after any stop-holder steps. -ENOMEM. */
int gs_steps_append(struct gs_plan *p, const struct gs_diff_gpu *d, struct gs_error *e);

#endif
