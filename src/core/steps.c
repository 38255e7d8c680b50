/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/steps.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"

struct gs_step *gs_plan_add_step(struct gs_plan *p, enum gs_step_op op, const struct gs_gpu *gpu)
{
	void *grown = gs_arena_grow(p->arena, p->steps, p->n_steps, &p->cap_steps, sizeof(*p->steps));
	struct gs_step *step;

	if (!grown)
		return NULL;
	p->steps = grown;
	step = &p->steps[p->n_steps++];
	memset(step, 0, sizeof(*step));
	step->n = (uint32_t)p->n_steps;
	step->op = op;
	step->gpu = gpu->index;
	step->bdf = gpu->bdf;
	step->gpu_uuid = gs_arena_strdup(p->arena, gpu->uuid);
	step->mode = GS_MODE_INVALID;
	step->framework = GS_FRAMEWORK_INVALID;
	step->function = gpu->bdf;
	return step;
}

int gs_step_finish(struct gs_plan *p, struct gs_step *step, struct gs_error *e)
{
	char text[256];

	step->text = gs_arena_strdup(p->arena, gs_step_describe(step, GS_TENSE_PLAN, text, sizeof(text)));
	return step->text && step->target ? 0 : gs_error_oom(e);
}

/* What is set through the GPU's own driver: MIG mode, settings. */
static int set_driver_state(struct gs_plan *p, const struct gs_diff_gpu *d, struct gs_error *e)
{
	int r = d->mig_changes ? gs_steps_set_mig(p, d, e) : 0;

	return r < 0 ? r : gs_steps_set_settings(p, d, false, e);
}

/*
 * The order of interfaces 0.3 and 9.3: what destroys most comes after all that
 * it would destroy has been taken away by name, and before all that comes anew.
 */
int gs_steps_take_away(struct gs_plan *p, const struct gs_diff_gpu *d, struct gs_error *e)
{
	int r = gs_steps_remove_vgpus(p, d, e);

	if (r >= 0)
		r = gs_steps_destroy_mig(p, d, e);
	if (r >= 0 && d->vfs_off)
		r = gs_steps_set_vfs(p, d, 0, e);
	/* only the GPU's own driver can be told: before it goes, after it came */
	if (r >= 0 && d->goes_to_vfio)
		r = set_driver_state(p, d, e);
	if (r >= 0 && (d->goes_to_vfio || d->leaves_vfio || d->gives_back))
		r = gs_steps_rebind(p, d, e);
	return r >= 0 && !d->goes_to_vfio ? set_driver_state(p, d, e) : r;
}

int gs_steps_make(struct gs_plan *p, const struct gs_diff_gpu *d, struct gs_error *e)
{
	int r = gs_steps_set_params(p, d, true, e);

	if (r >= 0 && d->vfs_on)
		r = gs_steps_set_vfs(p, d, d->vfs_target, e);
	if (r >= 0)
		r = gs_steps_create_mig(p, d, e);
	if (r >= 0)
		r = gs_steps_set_settings(p, d, true, e);
	if (r >= 0)
		r = gs_steps_create_vgpus(p, d, e);
	return r < 0 ? r : gs_steps_set_params(p, d, false, e);
}
