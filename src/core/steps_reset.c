/* SPDX-License-Identifier: GPL-2.0-or-later */
/* steps_reset.c - the reset that makes a pending mode active. */
#include "core/steps.h"

#include <inttypes.h>

#include "core/reset.h"

bool gs_diff_wants_reset(const struct gs_diff_gpu *d, const struct gs_plan_options *options)
{
	/* on its way to VFIO the GPU leaves the driver that could reset it */
	return options && options->allow_reset && d->mig_changes && !d->mig_only_unpends && d->gpu->mode_needs_reset && !d->goes_to_vfio;
}

bool gs_step_resets(const struct gs_step *step, struct gs_bdf bdf)
{
	if (step->op != GS_STEP_RESET_GPU)
		return false;
	for (size_t i = 0; i < step->n_peers; i++)
		if (gs_bdf_compare(step->peers[i], bdf) == 0)
			return true;
	return gs_bdf_compare(step->bdf, bdf) == 0;
}

int gs_steps_reset(struct gs_plan *p, const struct gs_diff_gpu *d, struct gs_error *e)
{
	const struct gs_gpu **peers;
	struct gs_bdf *addresses;
	struct gs_step *step;
	size_t n;

	for (size_t i = 0; i < p->n_steps; i++)
		if (gs_step_resets(&p->steps[i], d->gpu->bdf))
			return 0;
	if (gs_reset_peers(p->snapshot, d->gpu, p->arena, &peers, &n) < 0)
		return gs_error_oom(e);
	addresses = gs_arena_calloc(p->arena, n + 1, sizeof(*addresses));
	step = gs_plan_add_step(p, GS_STEP_RESET_GPU, d->gpu);
	if (!step || !addresses)
		return gs_error_oom(e);
	for (size_t i = 0; i < n; i++)
		addresses[i] = peers[i]->bdf;
	step->peers = addresses;
	step->n_peers = n;
	step->risk = GS_RISK_DISRUPTIVE;
	step->undo = GS_UNDO_NONE;
	step->target = n ? gs_arena_printf(p->arena, "GPU %" PRIu32 " and %zu linked", d->gpu->index, n) : gs_arena_printf(p->arena, "GPU %" PRIu32, d->gpu->index);
	return gs_step_finish(p, step, e);
}
