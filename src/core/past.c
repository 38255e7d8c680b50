/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/past.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/parse.h"
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

/* Would going that way find nothing to do? What stands against it is something to do, too. */
static int is_there(const struct gs_past *p, enum gs_way way, const struct gs_snapshot *now, bool *ret_is_there, struct gs_error *e)
{
	const struct gs_plan_options options = { .recovers = p->id };
	GS_EVALUATION struct gs_evaluation ev = { 0 };
	GS_CLEANUP(gs_plan_freep) struct gs_plan *plan = NULL;
	struct gs_error why = { 0 };
	int r = gs_past_evaluate(p, way, now, &ev, &why);

	if (r >= 0)
		r = gs_plan_build(now, &ev, &options, &plan, &why);
	if (r == -ENOMEM)
		return gs_error_oom(e);
	*ret_is_there = r >= 0 && !plan->n_steps && !gs_plan_is_blocked(plan);
	return 0;
}

int gs_past_judge(const struct gs_past *p, const struct gs_snapshot *now, enum gs_past_state *ret_state, struct gs_strbuf *not_base, struct gs_strbuf *not_target,
		  struct gs_error *e)
{
	GS_STRBUF struct gs_strbuf from_base = GS_STRBUF_INIT, from_target = GS_STRBUF_INIT;
	/* how far it came nobody has seen to its end: what it was to take away may be there still */
	size_t missing = gs_compare_done(p->plan, now, GS_COMPARE_ALL, &from_target), left = gs_compare_left(p->plan, now, GS_COMPARE_ALL, &from_target);
	bool base = !gs_compare_undone(p->plan, now, GS_COMPARE_ALL, &from_base), target = !missing && !left;
	int r = 0;

	/* a comparison tells what is missing; what is left to be taken away, and each parameter, a plan knows */
	if (base)
		r = is_there(p, GS_WAY_TAKE_BACK, now, &base, e);
	if (r == 0 && target)
		r = is_there(p, GS_WAY_FINISH, now, &target, e);
	if (r < 0)
		return r;
	if (not_base && from_base.length)
		gs_strbuf_puts(not_base, from_base.text);
	if (not_target && from_target.length)
		gs_strbuf_puts(not_target, from_target.text);
	if (from_base.failed || from_target.failed || (not_base && not_base->failed) || (not_target && not_target->failed))
		return gs_error_oom(e);
	*ret_state = base ? GS_PAST_IS_BASE : target ? GS_PAST_IS_TARGET : GS_PAST_IS_BETWEEN;
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
 * What the mode that is asked for has no place for, and what nobody can tell of
 * a GPU that is off its driver now: it is asked for by the next one that goes
 * this way, when the driver is back.
 */
static void leave_out(struct gs_layout_gpu *to, const struct gs_gpu *gpu)
{
	bool is_told = gpu->mode != GS_MODE_INVALID && gpu->mode != GS_MODE_PASSTHROUGH;
	size_t n = 0;

	if (to->mode == GS_MODE_PASSTHROUGH || !is_told)
		to->n_settings = 0;
	for (size_t i = 0; i < to->n_settings; i++)
		if (!(gs_setting_is_for_vgpus(to->settings[i].key) && (!gs_mode_has_vfs(to->mode) || gs_mode_has_mig(to->mode))) && gs_gpu_setting(gpu, to->settings[i].key))
			to->settings[n++] = to->settings[i];
	to->n_settings = n;
	n = 0;
	for (size_t i = 0; i < to->n_wants; i++) {
		bool is_vf = to->wants[i].kind == GS_KIND_SRIOV;

		if (to->mode != GS_MODE_PASSTHROUGH && (is_vf ? gs_mode_has_vfs(to->mode) && !(to->vfs.known && to->wants[i].start.known && to->wants[i].start.value >= to->vfs.value) : gs_gpu_profile(gpu, to->wants[i].profile, NULL) != NULL))
			to->wants[n++] = to->wants[i];
	}
	to->n_wants = n;
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

		if (!gpu || gpu->lost || !is_concerned(p, gpu->bdf))
			continue;
		leave_out(&part->gpus[i], gpu);
		part->gpus[n++] = part->gpus[i];
	}
	part->n_gpus = n;
	if (!n)
		return gs_error_set(e, -ENODEV, GS_STATUS_REFUSED, "none of the GPUs of commit %" PRIu64 " can be talked to now; nothing was done", p->id);
	return gs_layout_bind(part, now, ret_layout, e);
}

/* The same instance, as far as anybody can tell: by its UUID where it has one of its own, else by what it is and where. */
static bool has_want(const struct gs_layout_gpu *g, const struct gs_want *w)
{
	for (size_t i = 0; i < g->n_wants; i++) {
		const struct gs_want *other = &g->wants[i];

		if (other->kind != w->kind || !gs_str_equal(other->profile, w->profile))
			continue;
		if (w->kind != GS_KIND_MIG && w->uuid && other->uuid ? gs_str_equal(w->uuid, other->uuid) : gs_u32_equal(other->start, w->start))
			return true;
	}
	return false;
}

/* Is it what a step of the commit made, or was to make? A UUID that was chosen by the plan stands in its step only. */
static bool is_of_step(const struct gs_plan *p, uint32_t gpu, const struct gs_want *w)
{
	for (size_t i = 0; i < p->n_steps; i++) {
		const struct gs_step *step = &p->steps[i];

		if (step->gpu != gpu || !gs_str_equal(step->profile, w->profile))
			continue;
		if (w->kind == GS_KIND_MIG ? gs_u32_is(w->start, step->span.start) : step->uuid && w->uuid ? gs_str_equal(step->uuid, w->uuid) : gs_u32_equal(step->vf, w->start))
			return true;
	}
	return false;
}

/*
 * What is there now, and neither was there before the commit nor is of its
 * target, somebody else made since: it is not ours to destroy. Where it stands
 * in the way of what is to come, the plan says so and blocks.
 */
static int keep_newcomers(const struct gs_past *p, const struct gs_snapshot *now, struct gs_layout *to, struct gs_error *e)
{
	GS_CLEANUP(gs_layout_freep) struct gs_layout *before = NULL, *here = NULL;
	int r = gs_layout_from_snapshot(p->plan->snapshot, &before, e);

	if (r >= 0)
		r = gs_layout_from_snapshot(now, &here, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < p->plan->n_base; i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu_by_bdf(now, p->plan->base[i].bdf);
		struct gs_layout_gpu *g = gpu ? &to->gpus[gpu->index] : NULL;

		/* another mode has no place for it */
		if (!gpu || gpu->lost || g->mode != gpu->mode)
			continue;
		for (size_t k = 0; k < here->gpus[gpu->index].n_wants; k++) {
			const struct gs_want *w = &here->gpus[gpu->index].wants[k];
			struct gs_want *kept;

			if (w->kind == GS_KIND_SRIOV || has_want(g, w) || has_want(&before->gpus[p->plan->base[i].gpu], w) || is_of_step(p->plan, p->plan->base[i].gpu, w))
				continue;
			kept = gs_layout_add_want(to, g);
			if (!kept)
				return gs_error_oom(e);
			gs_want_copy(to->arena, kept, w);
		}
	}
	return gs_arena_has_failed(to->arena) ? gs_error_oom(e) : 0;
}

/* It executes whenever it is let go: until then nobody can say what is to be taken back. */
static int refuse_waiting(const struct gs_past *p, const struct gs_snapshot *now, struct gs_error *e)
{
	for (size_t i = 0; i < p->plan->n_base; i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu_by_bdf(now, p->plan->base[i].bdf);
		const char *whom = gpu && gpu->n_writes ? gpu->writes[0]->waits_for : NULL;

		if (gpu && gpu->n_writes)
			return gs_error_set(e, -EBUSY, GS_STATUS_REFUSED,
					    "GPU %" PRIu32 ": a write of commit %" PRIu64 " still waits in the kernel%s%s and takes effect whenever it is let go; until then nothing is "
					    "decided about it. Nothing was done", gpu->index, p->id, whom ? " for " : "", whom ? whom : "");
	}
	return 0;
}

/* The steps that may have left something: whoever asks for it back has seen that it stands there, so the last one counts even if it was refused. */
static size_t done_steps(const struct gs_past *p, enum gs_way way)
{
	size_t done = p->done + (p->is_uncertain ? 1 : 0);

	return way == GS_WAY_TAKE_BACK && p->tried > done ? p->tried : done;
}

/* Another board where the commit's was is not to be changed by its record; and an undo that leaves a GPU out would look as if all had been taken back. */
static int refuse_others(const struct gs_past *p, enum gs_way way, const struct gs_snapshot *now, struct gs_error *e)
{
	char bdf[GS_BDF_TEXT];

	for (size_t i = 0; i < p->plan->n_base; i++) {
		const struct gs_gpu *was = gs_snapshot_gpu(p->plan->snapshot, p->plan->base[i].gpu), *gpu = gs_snapshot_gpu_by_bdf(now, p->plan->base[i].bdf);

		if (gpu && was && gpu->uuid && was->uuid && !gs_str_equal(gpu->uuid, was->uuid))
			return gs_error_set(e, -ENODEV, GS_STATUS_REFUSED, "the board at %s is another one than when commit %" PRIu64 " was made (%s now, %s then); nothing was done",
					    gs_bdf_format(gpu->bdf, bdf), p->id, gpu->uuid, was->uuid);
		if (way == GS_WAY_UNDO && (!gpu || gpu->lost))
			return gs_error_set(e, -ENODEV, GS_STATUS_REFUSED, "the GPU at %s, which commit %" PRIu64 " changed, %s; nothing was done",
					    gs_bdf_format(p->plan->base[i].bdf, bdf), p->id, gpu ? "cannot be talked to" : "has gone");
	}
	return 0;
}

/* Where nobody can be talked to nothing is done, whichever way: that is no end of it. */
static int refuse_none(const struct gs_past *p, const struct gs_snapshot *now, struct gs_error *e)
{
	for (size_t i = 0; i < p->plan->n_base; i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu_by_bdf(now, p->plan->base[i].bdf);

		if (gpu && !gpu->lost)
			return 0;
	}
	return gs_error_set(e, -ENODEV, GS_STATUS_REFUSED, "none of the GPUs of commit %" PRIu64 " can be talked to now; nothing was done", p->id);
}

int gs_past_evaluate(const struct gs_past *p, enum gs_way way, const struct gs_snapshot *now, struct gs_evaluation *ret_ev, struct gs_error *e)
{
	GS_EVALUATION struct gs_evaluation ev = { 0 };
	int r = refuse_waiting(p, now, e);

	if (r >= 0)
		r = refuse_others(p, way, now, e);
	if (r >= 0)
		r = refuse_none(p, now, e);
	if (r < 0)
		return r;
	if (way == GS_WAY_UNDO || (way == GS_WAY_TAKE_BACK && p->is_same_boot))
		return gs_undo_evaluate(p->plan, done_steps(p, way), now, ret_ev, e);
	r = ask_for_all(p, way == GS_WAY_FINISH ? p->target : p->base, now, &ev.layout, e);
	if (r >= 0 && p->is_same_boot)
		r = keep_newcomers(p, now, ev.layout, e);
	if (r >= 0)
		r = gs_layout_solve(ev.layout, now, NULL, e);
	if (r < 0)
		return r;
	*ret_ev = ev;
	ev = (struct gs_evaluation){ 0 };
	return 0;
}
