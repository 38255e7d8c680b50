/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/past.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/compare.h"
#include "core/undo.h"

struct gs_past *gs_past_free(struct gs_past *p)
{
	if (!p)
		return NULL;
	gs_plan_free(p->plan);
	gs_layout_free(p->base);
	gs_layout_free(p->target);
	gs_arena_free(p->arena);
	free(p);
	return NULL;
}

int gs_past_judge(const struct gs_past *p, const struct gs_snapshot *now, enum gs_past_state *ret_state, struct gs_strbuf *not_base, struct gs_strbuf *not_target,
		  struct gs_error *e)
{
	GS_STRBUF struct gs_strbuf from_base = GS_STRBUF_INIT, from_target = GS_STRBUF_INIT;
	/* how far it came nobody has seen to its end: what it was to take away may be there still */
	size_t base = gs_compare_undone(p->plan, now, &from_base), target = gs_compare_done(p->plan, now, &from_target) + gs_compare_left(p->plan, now, &from_target);

	if (not_base && from_base.length)
		gs_strbuf_puts(not_base, from_base.text);
	if (not_target && from_target.length)
		gs_strbuf_puts(not_target, from_target.text);
	if (from_base.failed || from_target.failed || (not_base && not_base->failed) || (not_target && not_target->failed))
		return gs_error_oom(e);
	*ret_state = !base ? GS_PAST_IS_BASE : !target ? GS_PAST_IS_TARGET : GS_PAST_IS_BETWEEN;
	return 0;
}

static bool is_concerned(const struct gs_past *p, struct gs_bdf bdf)
{
	for (size_t i = 0; i < p->plan->n_base; i++)
		if (gs_bdf_compare(p->plan->base[i].bdf, bdf) == 0)
			return true;
	return false;
}

/*
 * All that @file says of the GPUs of the commit. One that is gone or lost costs
 * the others nothing; what is missing of it is told by whoever judges the outcome.
 */
static int ask_for_all(const struct gs_past *p, const struct gs_layout *file, const struct gs_snapshot *now, struct gs_layout **ret_layout, struct gs_error *e)
{
	GS_CLEANUP(gs_layout_freep) struct gs_layout *part = NULL;
	size_t n = 0;
	int r = gs_layout_copy(file, &part, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < part->n_gpus; i++) {
		const struct gs_gpu *gpu = part->gpus[i].match.has_bdf ? gs_snapshot_gpu_by_bdf(now, part->gpus[i].match.bdf) : NULL;

		if (gpu && !gpu->lost && is_concerned(p, gpu->bdf))
			part->gpus[n++] = part->gpus[i];
	}
	part->n_gpus = n;
	if (!n)
		return gs_error_set(e, -ENODEV, GS_STATUS_REFUSED, "none of the GPUs of commit %" PRIu64 " can be talked to now; nothing was done", p->id);
	return gs_layout_bind(part, now, ret_layout, e);
}

int gs_past_evaluate(const struct gs_past *p, enum gs_way way, const struct gs_snapshot *now, struct gs_evaluation *ret_ev, struct gs_error *e)
{
	GS_EVALUATION struct gs_evaluation ev = { 0 };
	int r;

	if (way == GS_WAY_UNDO || (way == GS_WAY_TAKE_BACK && p->is_same_boot))
		return gs_undo_evaluate(p->plan, p->done + (p->is_uncertain ? 1 : 0), now, ret_ev, e);
	r = ask_for_all(p, way == GS_WAY_FINISH ? p->target : p->base, now, &ev.layout, e);
	if (r >= 0)
		r = gs_layout_solve(ev.layout, now, NULL, e);
	if (r < 0)
		return r;
	*ret_ev = ev;
	ev = (struct gs_evaluation){ 0 };
	return 0;
}
