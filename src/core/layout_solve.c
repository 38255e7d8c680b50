/* SPDX-License-Identifier: GPL-2.0-or-later */
/* layout_solve.c - open starts of a layout get their places. */
#include "core/layout.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"

bool gs_layout_mixes_sizes(const struct gs_layout_gpu *g, const struct gs_gpu *gpu)
{
	const struct gs_setting *now = gs_gpu_setting(gpu, GS_SETTING_HETEROGENEOUS);
	const char *value = now ? now->value : NULL;

	for (size_t i = 0; i < g->n_settings; i++)
		if (gs_str_equal(g->settings[i].key, GS_SETTING_HETEROGENEOUS))
			value = g->settings[i].value;
	/* nobody told a mode, but what the driver shows of its vGPUs is that of mixed sizes */
	if (!value)
		return gpu->grids[GS_KIND_VGPU].is_slots && !gpu->grids[GS_KIND_VGPU].has_one_size;
	return gs_str_equal(value, "on");
}

const struct gs_profile_set *gs_layout_grid(const struct gs_layout_gpu *g, const struct gs_gpu *gpu, enum gs_instance_kind kind)
{
	if (kind != GS_KIND_VGPU || !gpu->grids[kind].is_slots)
		return &gpu->grids[kind];
	return gs_layout_mixes_sizes(g, gpu) ? &gpu->mixed_grid : &gpu->one_size_grid;
}

struct gs_u32 gs_want_mixed_id(const struct gs_want *w, const struct gs_gpu *gpu)
{
	if (w->kind != GS_KIND_VGPU || w->placement_id.known)
		return w->kind == GS_KIND_VGPU ? w->placement_id : GS_U32_UNKNOWN;
	/* one that is there keeps what it has */
	for (size_t i = 0; w->instance_id.known && i < gpu->n_instances; i++)
		if (gpu->instances[i]->kind == w->kind && gpu->instances[i]->id == w->instance_id.value && gs_str_equal(gpu->instances[i]->profile, w->profile))
			return gpu->instances[i]->placement_id;
	return GS_U32_UNKNOWN;
}

size_t gs_layout_placed(const struct gs_layout_gpu *g, const struct gs_gpu *gpu, enum gs_instance_kind kind, struct gs_placed *ret, size_t *ret_want_index)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n_wants && n < GS_PLACED_MAX; i++) {
		const struct gs_profile *p = g->wants[i].kind == kind ? gs_want_profile(&g->wants[i], gpu) : NULL;

		if (!p || !g->wants[i].start.known)
			continue;
		if (ret_want_index)
			ret_want_index[n] = i;
		ret[n++] = (struct gs_placed){ p, g->wants[i].start.value, gs_want_mixed_id(&g->wants[i], gpu) };
	}
	return n;
}

static size_t existing_of(const struct gs_gpu *gpu, enum gs_instance_kind kind, const struct gs_placed *fixed, size_t n_fixed, struct gs_existing *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < gpu->n_instances && n < GS_PLACED_MAX; i++) {
		const struct gs_instance *inst = gpu->instances[i];
		const struct gs_profile *p = inst->kind == kind ? gs_profile_by_name(&gpu->grids[kind], inst->profile) : NULL;
		bool is_fixed = false;

		for (size_t k = 0; k < n_fixed && !is_fixed; k++)
			is_fixed = fixed[k].profile == p && gs_u32_is(inst->start, fixed[k].start);
		if (p && inst->start.known && !is_fixed)
			ret[n++] = (struct gs_existing){ p, inst->start.value, gs_instance_is_held(inst) };
	}
	return n;
}

/*
 * An mdev that is named by its UUID and is there has its slot. Without VFs
 * slots are mere ranks, which change when another mdev goes: one that is asked
 * for under a UUID has none before it is there.
 */
static void settle_by_uuid(struct gs_layout_gpu *g, const struct gs_gpu *gpu)
{
	bool has_vfs = gpu->vfs.total.known && gpu->vfs.total.value;

	for (size_t i = 0; i < g->n_wants; i++) {
		struct gs_want *w = &g->wants[i];
		const struct gs_instance *inst;

		if (w->kind != GS_KIND_VGPU || !w->uuid || (has_vfs && w->start.known))
			continue;
		inst = gs_gpu_instance_by_uuid(gpu, w->uuid);
		if (inst && gs_str_equal(inst->profile, w->profile))
			w->start = inst->start;
		else if (!has_vfs)
			w->start = GS_U32_UNKNOWN;
	}
}

static void solve_grid(struct gs_layout_gpu *g, const struct gs_gpu *gpu, enum gs_instance_kind kind, size_t *unplaced)
{
	struct gs_placed fixed[GS_PLACED_MAX];
	struct gs_existing existing[GS_PLACED_MAX];
	const struct gs_profile *open[GS_PLACED_MAX];
	size_t want_of[GS_PLACED_MAX], n_open = 0, n_fixed, n_existing, left;
	uint32_t starts[GS_PLACED_MAX];

	for (size_t i = 0; i < g->n_wants && n_open < GS_PLACED_MAX; i++) {
		const struct gs_profile *p = g->wants[i].kind == kind ? gs_want_profile(&g->wants[i], gpu) : NULL;

		if (!p || g->wants[i].start.known)
			continue;
		want_of[n_open] = i;
		open[n_open++] = p;
	}
	if (!n_open)
		return;
	n_fixed = gs_layout_placed(g, gpu, kind, fixed, NULL);
	n_existing = existing_of(gpu, kind, fixed, n_fixed, existing);
	/* when not all fit, as many as do, in the order of the request: the rest become findings */
	for (left = n_open; left; left--)
		if (gs_placement_solve(gs_layout_grid(g, gpu, kind), fixed, n_fixed, open, left, existing, n_existing, starts, NULL) == 0)
			break;
	for (size_t i = 0; i < left; i++)
		g->wants[want_of[i]].start = GS_U32(starts[i]);
	*unplaced += n_open - left;
}

int gs_layout_solve(struct gs_layout *bound, const struct gs_snapshot *s, size_t *ret_unplaced, struct gs_error *e)
{
	size_t unplaced = 0;

	if (!bound->is_bound || bound->n_gpus != gs_snapshot_n_gpus(s))
		return gs_error_set(e, -EINVAL, GS_STATUS_FAILED, "the layout does not belong to this machine");
	for (size_t i = 0; i < bound->n_gpus; i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(s, i);

		settle_by_uuid(&bound->gpus[i], gpu);
		solve_grid(&bound->gpus[i], gpu, GS_KIND_MIG, &unplaced);
		solve_grid(&bound->gpus[i], gpu, GS_KIND_VGPU, &unplaced);
	}
	if (ret_unplaced)
		*ret_unplaced = unplaced;
	return 0;
}
