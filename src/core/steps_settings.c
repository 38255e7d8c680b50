/* SPDX-License-Identifier: GPL-2.0-or-later */
/* steps_settings.c - what GPUs and GPU instances are set to. */
#include "core/steps.h"

#include <inttypes.h>

#include "base/parse.h"

static int set_setting(struct gs_plan *p, const struct gs_diff_gpu *d, const struct gs_setting_change *c, struct gs_error *e)
{
	struct gs_step *step = gs_plan_add_step(p, GS_STEP_SET_SETTING, d->gpu);
	bool for_vgpus = gs_setting_is_for_vgpus(c->setting->key);

	if (!step)
		return gs_error_oom(e);
	step->framework = for_vgpus ? GS_FRAMEWORK_NVML : d->gpu->framework;
	step->key = gs_arena_strdup(p->arena, c->setting->key);
	step->value = gs_arena_strdup(p->arena, c->value);
	/* what was to come is what is put back, and what would be active by then */
	step->old_value = gs_arena_strdup(p->arena, c->setting->pending ? c->setting->pending : c->setting->value);
	/* no vGPU is there then, so nobody's work is */
	step->risk = d->gpu->n_holders && !for_vgpus ? GS_RISK_DISRUPTIVE : GS_RISK_SAFE;
	/* what it was when it could not be read cannot be put back; of vGPUs' the way back makes the GPU that it was */
	step->undo = step->old_value || (for_vgpus && d->wipes_vgpus) ? GS_UNDO_FULL : GS_UNDO_NONE;
	step->target = gs_arena_printf(p->arena, "%s %s", step->key, step->value);
	return gs_step_finish(p, step, e);
}

/* The GI is found again by its place: its id is the driver's to give. */
static int set_in_gi(struct gs_plan *p, const struct gs_diff_gpu *d, const struct gs_change *c, const struct gs_key_value *param, struct gs_error *e)
{
	bool stays = c->old && (c->kind == GS_CHANGE_KEEP || c->kind == GS_CHANGE_KEEP_GI);
	struct gs_span span = { c->want->start.value, 0 };
	struct gs_step *step;

	if (c->old)
		span = (struct gs_span){ c->old->start.value, c->old->size.value };
	else if (!c->profile || !gs_profile_placement_at(c->profile, c->want->start.value, &span))
		return 0;
	step = gs_plan_add_step(p, GS_STEP_SET_SETTING, d->gpu);
	if (!step)
		return gs_error_oom(e);
	step->framework = GS_FRAMEWORK_NVML;
	step->profile = gs_arena_strdup(p->arena, c->want->profile);
	step->profile_id = c->profile ? c->profile->id.value : 0;
	step->span = span;
	step->key = gs_arena_strdup(p->arena, param->key);
	step->value = gs_arena_strdup(p->arena, param->value);
	step->old_value = stays ? gs_arena_strdup(p->arena, gs_instance_param(c->old, param->key)) : NULL;
	step->risk = GS_RISK_SAFE;
	/* it goes along with a GI that is new */
	step->undo = step->old_value || !stays ? GS_UNDO_FULL : GS_UNDO_NONE;
	step->target = gs_arena_printf(p->arena, "%s@%" PRIu32 " %s %s", step->profile, span.start, step->key, step->value);
	return gs_step_finish(p, step, e);
}

int gs_steps_set_settings(struct gs_plan *p, const struct gs_diff_gpu *d, bool for_vgpus, struct gs_error *e)
{
	int r = 0;

	for (size_t i = 0; i < d->n_settings && r >= 0; i++)
		if (gs_setting_is_for_vgpus(d->settings[i].setting->key) == for_vgpus)
			r = set_setting(p, d, &d->settings[i], e);
	for (size_t i = 0; for_vgpus && i < d->n_changes && r >= 0; i++) {
		const struct gs_change *c = &d->changes[i];

		for (size_t k = 0; c->want && c->want->kind == GS_KIND_MIG && k < c->n_params && r >= 0; k++)
			r = set_in_gi(p, d, c, &c->params[k], e);
	}
	return r;
}
