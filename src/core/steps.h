/* SPDX-License-Identifier: GPL-2.0-or-later */
/* steps.h - from a GPU's difference to its ordered steps. Used by plan.c and policy*.c only. */
#ifndef GS_CORE_STEPS_H
#define GS_CORE_STEPS_H

#include "core/diff.h"
#include "core/plan.h"

/* A new step for @gpu at the end of the plan, numbered; NULL when there is no memory. */
struct gs_step *gs_plan_add_step(struct gs_plan *p, enum gs_step_op op, const struct gs_gpu *gpu);
/* Its text, once all else is set. -ENOMEM also when its target could not be allocated. */
int gs_step_finish(struct gs_plan *p, struct gs_step *step, struct gs_error *e);

/*
 * Append the steps that make @d->gpu what @d asks, in order, after any
 * stop-holder and stop-unit steps: first what takes away, up to the mode and
 * the driver, then what makes. -ENOMEM.
 */
int gs_steps_take_away(struct gs_plan *p, const struct gs_diff_gpu *d, struct gs_error *e);
int gs_steps_make(struct gs_plan *p, const struct gs_diff_gpu *d, struct gs_error *e);

/* The parts, each in the file of its family; -ENOMEM all of them. */

/* steps_mig.c */
int gs_steps_destroy_mig(struct gs_plan *p, const struct gs_diff_gpu *d, struct gs_error *e);
int gs_steps_set_mig(struct gs_plan *p, const struct gs_diff_gpu *d, struct gs_error *e);
int gs_steps_create_mig(struct gs_plan *p, const struct gs_diff_gpu *d, struct gs_error *e);

/* steps_reset.c */
/* Is the GPU to be reset for its mode? */
bool gs_diff_wants_reset(const struct gs_diff_gpu *d, const struct gs_plan_options *options);
/* A reset of that GPU and those that go along, unless an earlier one does it. */
int gs_steps_reset(struct gs_plan *p, const struct gs_diff_gpu *d, struct gs_error *e);

/* steps_vgpu.c */
int gs_steps_remove_vgpus(struct gs_plan *p, const struct gs_diff_gpu *d, struct gs_error *e);
int gs_steps_create_vgpus(struct gs_plan *p, const struct gs_diff_gpu *d, struct gs_error *e);
/* @first: those that go before VFs are on; else all others. */
int gs_steps_set_params(struct gs_plan *p, const struct gs_diff_gpu *d, bool first, struct gs_error *e);

/* steps_function.c: VFs, drivers, settings */
int gs_steps_set_vfs(struct gs_plan *p, const struct gs_diff_gpu *d, uint32_t n, struct gs_error *e);
int gs_steps_rebind(struct gs_plan *p, const struct gs_diff_gpu *d, struct gs_error *e);
/* Settings that go through the GPU's own driver, @for_vgpus: those that come behind VFs and GIs and before vGPUs (interfaces 9.3), GIs' own included. */
int gs_steps_set_settings(struct gs_plan *p, const struct gs_diff_gpu *d, bool for_vgpus, struct gs_error *e);
/* Does @s get another driver by the change? */
bool gs_sibling_is_rebound(const struct gs_diff_gpu *d, const struct gs_sibling *s);

#endif
