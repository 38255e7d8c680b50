/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/undo.h"

#include <errno.h>

#include "base/parse.h"

bool gs_plan_has_reset(const struct gs_plan *p)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].op == GS_STEP_RESET_GPU)
			return true;
	return false;
}

/* Is that vGPU, or the parameters of that VF, what the step is about? On one VF one may follow another; a UUID is one instance's. */
static bool is_on(const struct gs_want *w, const struct gs_step *step)
{
	if (step->uuid && w->uuid)
		return gs_str_equal(w->uuid, step->uuid);
	if (step->on_start.known && w->on_start.known && !gs_u32_equal(step->on_start, w->on_start))
		return false;
	return step->vf.known && gs_u32_equal(w->start, step->vf);
}

/* The want that a step is about: a GI by its place, a vGPU by its type and its UUID or VF. */
static struct gs_want *want_at(struct gs_layout_gpu *g, const struct gs_step *step)
{
	for (size_t i = 0; i < g->n_wants; i++)
		if (g->wants[i].kind != GS_KIND_MIG && gs_str_equal(g->wants[i].profile, step->profile) && is_on(&g->wants[i], step))
			return &g->wants[i];
	if (step->op == GS_STEP_CREATE_VGPU || step->op == GS_STEP_REMOVE_VGPU || step->op == GS_STEP_SET_PARAM)
		return NULL;
	for (size_t i = 0; i < g->n_wants; i++)
		if (g->wants[i].kind == GS_KIND_MIG && gs_u32_is(g->wants[i].start, step->span.start) && gs_str_equal(g->wants[i].profile, step->profile))
			return &g->wants[i];
	return NULL;
}

static bool has_vgpu(const struct gs_layout_gpu *g, const struct gs_want *w)
{
	for (size_t i = 0; i < g->n_wants; i++)
		if (g->wants[i].kind == GS_KIND_VGPU && gs_u32_equal(g->wants[i].start, w->start) && gs_str_equal(g->wants[i].profile, w->profile) &&
		    gs_u32_equal(g->wants[i].on_start, w->on_start))
			return true;
	return false;
}

static struct gs_want *vgpu_in_other_gi(struct gs_layout_gpu *g, const struct gs_layout_gpu *base, const struct gs_step *step)
{
	for (size_t i = 0; step->vf.known && step->on_start.known && i < g->n_wants; i++) {
		struct gs_want *w = &g->wants[i];

		if (w->kind == GS_KIND_VGPU && gs_u32_equal(w->start, step->vf) && gs_str_equal(w->profile, step->profile) && w->on_start.known &&
		    !gs_u32_equal(w->on_start, step->on_start) && !has_vgpu(base, w))
			return w;
	}
	return NULL;
}

/* Where the driver chose a GPU instance it may have chosen another one than the vGPU of before was in. */
static bool is_as_before(const struct gs_want *there, const struct gs_want *before)
{
	return before && (!there->on_start.known || !before->on_start.known || gs_u32_equal(there->on_start, before->on_start));
}

/* VFs that went and came back may have lost what was set of them; those that are there now get it back, the others by the next look. */
static int restore_params(struct gs_layout *l, struct gs_layout_gpu *to, const struct gs_layout_gpu *base)
{
	for (size_t i = 0; i < base->n_wants; i++) {
		const struct gs_want *before = &base->wants[i];

		for (size_t k = 0; before->kind == GS_KIND_SRIOV && k < to->n_wants; k++) {
			if (to->wants[k].kind != GS_KIND_SRIOV || !gs_u32_equal(to->wants[k].start, before->start))
				continue;
			gs_want_copy(l->arena, &to->wants[k], before);
		}
	}
	return gs_arena_has_failed(l->arena) ? -ENOMEM : 0;
}

static int restore_words(struct gs_layout *l, struct gs_want *there, const struct gs_want *before)
{
	for (size_t i = 0; i < before->n_params; i++)
		if (before->params[i].value && before->params[i].value[0] && gs_want_set_param(l->arena, there, before->params[i].key, before->params[i].value) < 0)
			return -ENOMEM;
	return 0;
}

/*
 * Where nobody could tell the mode (no NVML, say) it was one of the GPU's own
 * driver. If that has gone it has to come back: any mode but passthrough asks for it.
 */
static void take_back_mode(struct gs_layout_gpu *to, const struct gs_layout_gpu *base, const struct gs_gpu *was, const struct gs_gpu *now)
{
	bool has_lost_driver = base->mode == GS_MODE_INVALID && was->driver && !gs_str_equal(was->driver, now->driver);

	to->mode = has_lost_driver ? GS_MODE_WHOLE : base->mode;
	to->mode_is_asked = to->mode != GS_MODE_INVALID;
	to->vfs = base->vfs;
}

/* Sizes are mixed only while VFs are on: without them that cannot be set, and must not keep all else from coming back. */
static bool is_of_vfs(const char *key)
{
	return gs_str_equal(key, GS_SETTING_HETEROGENEOUS);
}

/* Switching VFs or the MIG mode takes along what vGPUs are set to (interfaces 2.5). */
static int take_back_vgpu_settings(struct gs_layout *l, struct gs_layout_gpu *to, const struct gs_gpu *was)
{
	for (size_t i = 0; i < was->n_settings; i++) {
		const struct gs_setting *s = was->settings[i];

		if (is_of_vfs(s->key) && !gs_mode_has_vfs(was->mode))
			continue;
		if (gs_setting_is_for_vgpus(s->key) && s->value && !s->fixed && !gs_layout_set(l, to, s->key, s->value))
			return -ENOMEM;
	}
	return 0;
}

/*
 * Take back what one step of the failed plan did (or may have done): only that.
 * What somebody else made meanwhile is not ours to destroy; where it stands in
 * the way of what has to come back, the plan of the undo says so and blocks.
 */
static int take_back(struct gs_layout *l, struct gs_layout_gpu *to, struct gs_layout_gpu *base, const struct gs_gpu *was, const struct gs_gpu *now,
		     const struct gs_step *step, bool is_done)
{
	struct gs_want *there = step->profile ? want_at(to, step) : NULL, *before = step->profile ? want_at(base, step) : NULL;

	switch (step->op) {
	case GS_STEP_SET_MODE:
	case GS_STEP_ENABLE_VFS:
	case GS_STEP_DISABLE_VFS:
	case GS_STEP_UNBIND_DRIVER:
	case GS_STEP_BIND_DRIVER:
		take_back_mode(to, base, was, now);
		if (take_back_vgpu_settings(l, to, was) < 0)
			return -ENOMEM;
		return restore_params(l, to, base);
	case GS_STEP_SET_SETTING:
		if (!step->profile && is_of_vfs(step->key) && !gs_mode_has_vfs(was->mode))
			return 0;
		/* a GI's own; one that was not there goes with it */
		if (step->profile)
			return there && before && step->old_value ? gs_want_set_param(l->arena, there, step->key, step->old_value) : 0;
		return !step->old_value || gs_layout_set(l, to, step->key, step->old_value) ? 0 : -ENOMEM;
	case GS_STEP_SET_PARAM:
		if (!there || !before || step->undo == GS_UNDO_NONE)
			return 0;
		/* they are words of one file: the others may have gone with it */
		if (gs_want_set_param(l->arena, there, step->key, step->old_value ? step->old_value : "") < 0)
			return -ENOMEM;
		return before->kind == GS_KIND_VGPU ? restore_words(l, there, before) : 0;
	case GS_STEP_CREATE_VGPU:
		/* the driver may have put it into another GI than the one that was named */
		there = there ? there : vgpu_in_other_gi(to, base, step);
		/* fall through */
	case GS_STEP_CREATE_GI:
		/* a creation that was refused made nothing: what stands there is somebody else's */
		if (is_done && there && !is_as_before(there, before))
			gs_layout_remove_want(to, (size_t)(there - to->wants));
		return 0;
	case GS_STEP_REMOVE_VGPU:
	case GS_STEP_DESTROY_GI:
		/* the same UUID on another VF is not what was there */
		if (there && before && step->op == GS_STEP_REMOVE_VGPU && step->vf.known && !gs_u32_equal(there->start, before->start)) {
			gs_want_copy_afresh(l->arena, there, before);
			return 0;
		}
		/* one that still stands may have lost what was set of it */
		if (there && before && step->op == GS_STEP_REMOVE_VGPU && is_as_before(there, before))
			return restore_words(l, there, before);
		if (there || !before)
			return 0;
		/* one of ours came back into another GI */
		there = step->op == GS_STEP_REMOVE_VGPU ? vgpu_in_other_gi(to, base, step) : NULL;
		if (there) {
			gs_want_copy_afresh(l->arena, there, before);
			return 0;
		}
		there = gs_layout_add_want(l, to);
		if (!there)
			return -ENOMEM;
		gs_want_copy_afresh(l->arena, there, before);
		return 0;
	case GS_STEP_DESTROY_CI:
	case GS_STEP_CREATE_CI:
		/* inside a GI that stays: as it was, by identity where that is still there */
		if (there && before)
			gs_want_copy(l->arena, there, before);
		return 0;
	default:
		return 0;
	}
}

int gs_undo_evaluate(const struct gs_plan *past, size_t done, const struct gs_snapshot *now, struct gs_evaluation *ret_ev, struct gs_error *e)
{
	GS_EVALUATION struct gs_evaluation ev = { 0 };
	GS_CLEANUP(gs_layout_freep) struct gs_layout *before = NULL;
	int r;

	r = gs_layout_from_snapshot(past->snapshot, &before, e);
	if (r >= 0)
		r = gs_layout_from_snapshot(now, &ev.layout, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < past->n_steps && i <= done; i++) {
		const struct gs_step *step = &past->steps[i];
		const struct gs_gpu *gpu = gs_snapshot_gpu_by_bdf(now, step->bdf);

		/* one that is gone or lost costs the others nothing; that it was is said at the end */
		if (!gpu || gpu->lost)
			continue;
		if (take_back(ev.layout, &ev.layout->gpus[gpu->index], &before->gpus[step->gpu], gs_snapshot_gpu(past->snapshot, step->gpu), gpu, step, i < done) < 0)
			return gs_error_oom(e);
	}
	/* what comes back under its UUID has no slot before it is there */
	r = gs_layout_solve(ev.layout, now, NULL, e);
	if (r < 0)
		return r;
	*ret_ev = ev;
	ev = (struct gs_evaluation){ 0 };
	return 0;
}

int gs_undo_plan(const struct gs_plan *past, size_t done, const struct gs_snapshot *now, const struct gs_plan_options *options, struct gs_plan **ret_plan,
		 struct gs_error *e)
{
	GS_EVALUATION struct gs_evaluation ev = { 0 };
	int r = gs_undo_evaluate(past, done, now, &ev, e);

	return r < 0 ? r : gs_plan_build(now, &ev, options, ret_plan, e);
}
