/* SPDX-License-Identifier: GPL-2.0-or-later */
/* steps_mig.c - GPU instances and their compute instances. */
#include "core/steps.h"

#include <inttypes.h>

#include "base/parse.h"

static void set_gi(struct gs_plan *p, struct gs_step *step, const char *profile, struct gs_span span)
{
	step->profile = gs_arena_strdup(p->arena, profile);
	step->span = span;
}

static struct gs_span place_of(const struct gs_instance *inst)
{
	return (struct gs_span){ inst->start.value, inst->size.value };
}

static int destroy_ci(struct gs_plan *p, const struct gs_gpu *gpu, const struct gs_instance *inst, const struct gs_compute *ci, struct gs_error *e)
{
	struct gs_step *step = gs_plan_add_step(p, GS_STEP_DESTROY_CI, gpu);

	if (!step)
		return gs_error_oom(e);
	set_gi(p, step, inst->profile, place_of(inst));
	step->profile_id = inst->profile_id.value;
	step->instance_id = inst->id;
	step->compute_profile = gs_arena_strdup(p->arena, ci->profile);
	step->compute_profile_id = ci->profile_id.known ? ci->profile_id.value : GS_COMPUTE_PROFILE_FILLS;
	step->compute_span = (struct gs_span){ ci->start.value, ci->size.value };
	step->compute_id = ci->id;
	step->uuid = gs_arena_strdup(p->arena, ci->uuid);
	step->risk = gs_instance_is_held(inst) ? GS_RISK_DISRUPTIVE : GS_RISK_DESTRUCTIVE;
	step->undo = GS_UNDO_GEOMETRY;
	step->target = gs_arena_printf(p->arena, "GI %" PRIu32 " CI %" PRIu32, inst->id, ci->id);
	return gs_step_finish(p, step, e);
}

static int destroy_gi(struct gs_plan *p, const struct gs_gpu *gpu, const struct gs_instance *inst, struct gs_error *e)
{
	struct gs_step *step = gs_plan_add_step(p, GS_STEP_DESTROY_GI, gpu);

	if (!step)
		return gs_error_oom(e);
	set_gi(p, step, inst->profile, place_of(inst));
	step->profile_id = inst->profile_id.value;
	step->instance_id = inst->id;
	step->uuid = gs_arena_strdup(p->arena, inst->uuid);
	step->risk = gs_instance_is_held(inst) ? GS_RISK_DISRUPTIVE : GS_RISK_DESTRUCTIVE;
	step->undo = GS_UNDO_GEOMETRY;
	step->target = gs_arena_printf(p->arena, "GI %" PRIu32 " %s@%" PRIu32, inst->id, inst->profile, inst->start.value);
	return gs_step_finish(p, step, e);
}

static int create_ci(struct gs_plan *p, const struct gs_gpu *gpu, const struct gs_change *c, const struct gs_compute_change *ci, struct gs_span gi, struct gs_error *e)
{
	struct gs_step *step = gs_plan_add_step(p, GS_STEP_CREATE_CI, gpu);

	if (!step)
		return gs_error_oom(e);
	set_gi(p, step, c->want->profile, gi);
	step->profile_id = c->profile ? c->profile->id.value : 0;
	step->compute_profile = gs_arena_strdup(p->arena, ci->want->profile);
	step->compute_profile_id = ci->profile && ci->profile->id.known ? ci->profile->id.value : GS_COMPUTE_PROFILE_FILLS;
	step->compute_span = (struct gs_span){ ci->start, ci->profile ? ci->profile->compute_slices : (c->profile ? c->profile->compute_slices : 0) };
	step->gi_slices = c->profile ? c->profile->compute_slices : 0;
	step->risk = GS_RISK_SAFE;
	step->undo = GS_UNDO_FULL;
	step->target = gs_arena_printf(p->arena, "%s@%" PRIu32 " in %s@%" PRIu32, ci->want->profile, ci->start, c->want->profile, gi.start);
	return gs_step_finish(p, step, e);
}

static int create_gi(struct gs_plan *p, const struct gs_gpu *gpu, const struct gs_change *c, struct gs_span span, struct gs_error *e)
{
	struct gs_step *step = gs_plan_add_step(p, GS_STEP_CREATE_GI, gpu);

	if (!step)
		return gs_error_oom(e);
	set_gi(p, step, c->want->profile, span);
	step->profile_id = c->profile ? c->profile->id.value : 0;
	step->risk = GS_RISK_SAFE;
	step->undo = GS_UNDO_FULL;
	step->target = gs_arena_printf(p->arena, "%s@%" PRIu32, c->want->profile, span.start);
	return gs_step_finish(p, step, e);
}

int gs_steps_set_mig(struct gs_plan *p, const struct gs_diff_gpu *d, struct gs_error *e)
{
	struct gs_step *step = gs_plan_add_step(p, GS_STEP_SET_MODE, d->gpu);

	if (!step)
		return gs_error_oom(e);
	step->mode = gs_mode_has_mig(d->target->mode) ? GS_MODE_MIG : GS_MODE_WHOLE;
	step->risk = d->gpu->n_holders ? GS_RISK_DISRUPTIVE : GS_RISK_SAFE;
	step->undo = GS_UNDO_FULL;
	step->target = gs_arena_printf(p->arena, "mode %s", gs_mode_name(step->mode));
	return gs_step_finish(p, step, e);
}

static bool loses_gi(const struct gs_change *c)
{
	return c->kind == GS_CHANGE_DELETE || c->kind == GS_CHANGE_RECREATE;
}

int gs_steps_destroy_mig(struct gs_plan *p, const struct gs_diff_gpu *d, struct gs_error *e)
{
	int r = 0;

	for (size_t i = 0; i < d->n_changes && r >= 0; i++) {
		const struct gs_change *c = &d->changes[i];

		if (!c->old || c->old->kind != GS_KIND_MIG)
			continue;
		for (size_t k = 0; k < c->n_compute && r >= 0; k++)
			if (c->compute[k].old && (loses_gi(c) || !c->compute[k].want))
				r = destroy_ci(p, d->gpu, c->old, c->compute[k].old, e);
		if (r >= 0 && loses_gi(c))
			r = destroy_gi(p, d->gpu, c->old, e);
	}
	return r;
}

int gs_steps_create_mig(struct gs_plan *p, const struct gs_diff_gpu *d, struct gs_error *e)
{
	int r = 0;

	for (size_t i = 0; i < d->n_changes && r >= 0; i++) {
		const struct gs_change *c = &d->changes[i];
		bool new_gi = c->kind == GS_CHANGE_CREATE || c->kind == GS_CHANGE_RECREATE;
		struct gs_span span = { 0, 0 };

		if (!c->want || c->want->kind != GS_KIND_MIG || c->kind == GS_CHANGE_KEEP)
			continue;
		if (c->old)
			span = place_of(c->old);
		else if (!c->profile || !gs_profile_placement_at(c->profile, c->want->start.value, &span))
			continue;
		if (new_gi)
			r = create_gi(p, d->gpu, c, span, e);
		for (size_t k = 0; k < c->n_compute && r >= 0; k++)
			if (c->compute[k].want && (new_gi || !c->compute[k].old))
				r = create_ci(p, d->gpu, c, &c->compute[k], span, e);
	}
	return r;
}
