/* SPDX-License-Identifier: GPL-2.0-or-later */
/* steps_vgpu.c - vGPUs, on VFs or as mdevs, and the parameters of VFs. */
#include "core/steps.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

/* Where it is, or will be: a VF by its number (its address is not known before it is there), else an mdev by its UUID. */
static void set_place(struct gs_plan *p, struct gs_step *step, const struct gs_gpu *gpu, const struct gs_instance *old, const struct gs_want *w)
{
	const struct gs_vf *vf;

	/* with another driver on it nobody tells which one it will have: one of NVIDIA's, whose files say which */
	step->framework = gpu->framework == GS_FRAMEWORK_VFIO && gpu->grids[GS_KIND_VGPU].n ? GS_FRAMEWORK_NVML : gpu->framework;
	step->uuid = gs_arena_strdup(p->arena, old ? old->uuid : w->uuid);
	if (!gpu->vfs.total.known)
		return;
	step->vf = old ? old->vf : w->start;
	vf = step->vf.known ? gs_gpu_vf(gpu, step->vf.value) : NULL;
	step->function = vf ? vf->bdf : gpu->bdf;
}

static const char *target_text(struct gs_plan *p, const struct gs_step *step)
{
	return step->vf.known ? gs_arena_printf(p->arena, "vf:%" PRIu32, step->vf.value) : gs_arena_printf(p->arena, "mdev:%s", step->uuid ? step->uuid : "?");
}

int gs_steps_remove_vgpus(struct gs_plan *p, const struct gs_diff_gpu *d, struct gs_error *e)
{
	int r = 0;

	for (size_t i = 0; i < d->n_changes && r >= 0; i++) {
		const struct gs_change *c = &d->changes[i];
		const struct gs_instance *gi;
		struct gs_step *step;

		if (!c->old || c->old->kind != GS_KIND_VGPU || (c->kind != GS_CHANGE_DELETE && c->kind != GS_CHANGE_RECREATE))
			continue;
		step = gs_plan_add_step(p, GS_STEP_REMOVE_VGPU, d->gpu);
		if (!step)
			return gs_error_oom(e);
		set_place(p, step, d->gpu, c->old, NULL);
		step->profile = gs_arena_strdup(p->arena, c->old->profile);
		step->profile_id = c->old->profile_id.value;
		gi = gs_gpu_gi_of(d->gpu, c->old);
		step->gi_profile = gi ? gs_arena_strdup(p->arena, gi->profile) : NULL;
		step->on_start = gi ? gi->start : GS_U32_UNKNOWN;
		step->risk = gs_instance_is_held(c->old) ? GS_RISK_DISRUPTIVE : GS_RISK_DESTRUCTIVE;
		step->undo = GS_UNDO_FULL;
		step->target = target_text(p, step);
		r = gs_step_finish(p, step, e);
	}
	return r;
}

/* Is that UUID an mdev's already, on any GPU, asked for, or of an earlier step? It is one instance's on the whole host (interfaces 1.2). */
static bool is_uuid_taken(const struct gs_plan *p, const char *uuid)
{
	for (size_t i = 0; i < gs_snapshot_n_gpus(p->snapshot); i++)
		if (gs_gpu_instance_by_uuid(gs_snapshot_gpu(p->snapshot, i), uuid))
			return true;
	for (size_t g = 0; g < p->layout->n_gpus; g++)
		for (size_t i = 0; i < p->layout->gpus[g].n_wants; i++)
			if (gs_str_equal(p->layout->gpus[g].wants[i].uuid, uuid))
				return true;
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].op == GS_STEP_CREATE_VGPU && gs_str_equal(p->steps[i].uuid, uuid))
			return true;
	return false;
}

/*
 * The UUID of an mdev for which none was asked: made of host, parent, type and
 * the first ordinal from its slot on that is free, so that planning twice
 * gives one plan.
 */
static const char *default_uuid(struct gs_plan *p, const struct gs_gpu *gpu, const struct gs_change *c)
{
	char bdf[GS_BDF_TEXT];

	gs_bdf_format(gpu->bdf, bdf);
	for (uint32_t ordinal = c->want->start.value;; ordinal++) {
		const char *seed = gs_arena_printf(p->arena, "mdev %s %s %s %" PRIu32, gs_snapshot_host(p->snapshot), bdf, c->want->profile, ordinal);
		struct gs_digest d;
		const char *uuid;

		if (!seed)
			return NULL;
		d = gs_digest_of(seed, strlen(seed));
		/* a digest is a name-based UUID without its dashes */
		uuid = gs_arena_printf(p->arena, "%.8s-%.4s-%.4s-%.4s-%.12s", d.hex, d.hex + 8, d.hex + 12, d.hex + 16, d.hex + 20);
		if (!uuid || !is_uuid_taken(p, uuid))
			return uuid;
	}
}

/* The UUID that this plan gives to a new mdev. */
static const char *uuid_of_new(const struct gs_plan *p, const struct gs_gpu *gpu, const struct gs_change *c)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].op == GS_STEP_CREATE_VGPU && p->steps[i].gpu == gpu->index && p->steps[i].span.start == c->want->start.value)
			return p->steps[i].uuid;
	return NULL;
}

static int create_vgpu(struct gs_plan *p, const struct gs_gpu *gpu, const struct gs_change *c, struct gs_error *e)
{
	struct gs_step *step = gs_plan_add_step(p, GS_STEP_CREATE_VGPU, gpu);
	/* one that comes again keeps its identity */
	const struct gs_instance *old = c->kind == GS_CHANGE_RECREATE ? c->old : NULL;

	if (!step)
		return gs_error_oom(e);
	set_place(p, step, gpu, old, c->want);
	step->span = (struct gs_span){ c->want->start.value, 1 };
	/* before the VFs are on nobody tells which framework they will have */
	if (!step->uuid && gpu->framework != GS_FRAMEWORK_VENDOR_VFIO)
		step->uuid = default_uuid(p, gpu, c);
	step->profile = gs_arena_strdup(p->arena, c->want->profile);
	step->profile_id = c->profile ? c->profile->id.value : 0;
	step->gi_profile = c->profile ? gs_arena_strdup(p->arena, c->profile->gi_profile) : NULL;
	if (c->want->on_profile) {
		step->gi_profile = gs_arena_strdup(p->arena, c->want->on_profile);
		step->on_start = c->want->on_start;
	}
	step->risk = GS_RISK_SAFE;
	step->undo = GS_UNDO_FULL;
	step->target = target_text(p, step);
	return gs_step_finish(p, step, e);
}

static uint64_t framebuffer(const struct gs_change *c)
{
	return c->profile && c->profile->memory_bytes.known ? c->profile->memory_bytes.value : 0;
}

/* Largest first: in mixed-size mode small ones would break up the room of large ones (interfaces 9.3). */
static int by_size(const void *a, const void *b)
{
	const struct gs_change *x = *(const struct gs_change *const *)a, *y = *(const struct gs_change *const *)b;

	if (framebuffer(x) != framebuffer(y))
		return framebuffer(x) > framebuffer(y) ? -1 : 1;
	return x->want->start.value < y->want->start.value ? -1 : x->want->start.value > y->want->start.value;
}

int gs_steps_create_vgpus(struct gs_plan *p, const struct gs_diff_gpu *d, struct gs_error *e)
{
	GS_FREE const struct gs_change **list = calloc(d->n_changes + 1, sizeof(*list));
	size_t n = 0;
	int r = 0;

	if (!list)
		return gs_error_oom(e);
	for (size_t i = 0; i < d->n_changes; i++) {
		const struct gs_change *c = &d->changes[i];

		/* a type that nobody tells while the driver is off (in an undo) is created by the next look's plan */
		if (c->want && c->want->kind == GS_KIND_VGPU && c->profile && (c->kind == GS_CHANGE_CREATE || c->kind == GS_CHANGE_RECREATE))
			list[n++] = c;
	}
	if (n > 1)
		qsort(list, n, sizeof(*list), by_size);
	for (size_t i = 0; i < n && r >= 0; i++)
		r = create_vgpu(p, d->gpu, list[i], e);
	return r;
}

/* Shares that are taken only while no VF is on: before VFs go on, all else after. */
static bool comes_first(const struct gs_diff_gpu *d, const struct gs_change *c, const char *key)
{
	return c->want->kind == GS_KIND_SRIOV && d->vfs_on && d->gpu->vfs.quotas_come_first && gs_gpu_is_quota(d->gpu, key);
}

/* What it reads now, also for those that the snapshot keeps as fields; NULL when it has none. In the arena, or the snapshot's. */
static const char *value_now(struct gs_plan *p, const struct gs_instance *old, const char *key)
{
	struct gs_u32 own = GS_U32_UNKNOWN;

	if (!old)
		return NULL;
	if (gs_str_equal(key, GS_PARAM_PLACEMENT_ID))
		own = old->placement_id;
	else if (gs_str_equal(key, GS_PARAM_GI))
		own = old->gi;
	return own.known ? gs_arena_printf(p->arena, "%" PRIu32, own.value) : gs_instance_param(old, key);
}

/* A placement id or a GI that was not there cannot be asked for again: no driver takes «none». */
static bool can_go_back(const struct gs_change *c, const char *key, const char *now)
{
	return !c->old || now || !(gs_str_equal(key, GS_PARAM_PLACEMENT_ID) || gs_str_equal(key, GS_PARAM_GI));
}

int gs_steps_set_params(struct gs_plan *p, const struct gs_diff_gpu *d, bool first, struct gs_error *e)
{
	int r = 0;

	for (size_t i = 0; i < d->n_changes; i++) {
		const struct gs_change *c = &d->changes[i];

		/* a GI's are settings, and go another way */
		for (size_t k = 0; c->want && c->want->kind != GS_KIND_MIG && k < c->n_params && r >= 0; k++) {
			const char *now = value_now(p, c->old, c->params[k].key);
			struct gs_step *step;

			if (comes_first(d, c, c->params[k].key) != first)
				continue;
			/* … and what it is set to comes with it, see gs_steps_create_vgpus() */
			if (c->want->kind == GS_KIND_VGPU && !c->profile && (c->kind == GS_CHANGE_CREATE || c->kind == GS_CHANGE_RECREATE))
				continue;
			step = gs_plan_add_step(p, GS_STEP_SET_PARAM, d->gpu);
			if (!step)
				return gs_error_oom(e);
			set_place(p, step, d->gpu, c->old, c->want);
			if (!step->uuid && (d->gpu->framework == GS_FRAMEWORK_MDEV || !d->gpu->vfs.total.known))
				step->uuid = uuid_of_new(p, d->gpu, c);
			step->profile = gs_arena_strdup(p->arena, c->want->profile);
			step->key = gs_arena_strdup(p->arena, c->params[k].key);
			step->value = gs_arena_strdup(p->arena, c->params[k].value);
			step->old_value = gs_arena_strdup(p->arena, now);
			step->risk = GS_RISK_SAFE;
			step->undo = can_go_back(c, step->key, now) ? GS_UNDO_FULL : GS_UNDO_NONE;
			step->target = gs_arena_printf(p->arena, "%s %s", target_text(p, step), step->key);
			r = gs_step_finish(p, step, e);
		}
	}
	return r;
}
