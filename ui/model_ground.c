/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model_ground.c - by which grid a GPU is drawn and cut: its mode decides, now and with what is staged. */
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "ui/model_internal.h"

static enum gs_instance_kind grid_kind(enum gs_mode mode)
{
	switch (mode) {
	case GS_MODE_MIG:
	case GS_MODE_MIG_VGPU:
		return GS_KIND_MIG;
	case GS_MODE_VGPU:
		return GS_KIND_VGPU;
	case GS_MODE_SRIOV:
		return GS_KIND_SRIOV;
	case GS_MODE_WHOLE:
		return GS_KIND_PARTITION;
	default:
		return GS_KIND_INVALID;
	}
}

static struct gs_ground ground_of(const struct gs_gpu *gpu, enum gs_mode mode)
{
	struct gs_ground g = { .mode = mode, .grid = grid_kind(mode), .creates = gs_mode_kind(mode), .set = gs_gpu_grid(gpu, mode) };

	/* passed through it is one block, which needs no grid */
	if (g.grid == GS_KIND_INVALID || !g.set->memory_units || g.set->memory_units > GS_GRID_UNITS_MAX) {
		g.grid = GS_KIND_INVALID;
		g.set = gs_gpu_grid(gpu, GS_MODE_INVALID);
	}
	return g;
}

struct gs_ground gs_model_ground(const struct gs_model *m, const struct gs_gpu *gpu, bool after)
{
	const struct gs_layout_gpu *target = after ? gs_model_target(m, gpu->index) : NULL;

	struct gs_ground g = ground_of(gpu, target && target->mode != GS_MODE_INVALID ? target->mode : gpu->mode);

	/* a setting that is staged may let sizes mix, or not any more */
	if (target && g.grid == GS_KIND_VGPU)
		g.set = gs_layout_grid(target, gpu, GS_KIND_VGPU);
	return g;
}

bool gs_model_shows_after(const struct gs_model *m, const struct gs_gpu *gpu)
{
	struct gs_ground now = gs_model_ground(m, gpu, false), after = gs_model_ground(m, gpu, true);

	if (!gs_model_has_plan(m) || after.grid == GS_KIND_INVALID)
		return false;
	/* two grids cannot be laid over each other: t chooses */
	return now.grid == GS_KIND_INVALID || m->lane != GS_LANE_NOW;
}

struct gs_ground gs_model_shown(const struct gs_model *m, const struct gs_gpu *gpu)
{
	return gs_model_ground(m, gpu, gs_model_shows_after(m, gpu));
}

bool gs_model_grid_changes(const struct gs_model *m, const struct gs_gpu *gpu)
{
	struct gs_ground now = gs_model_ground(m, gpu, false), after = gs_model_ground(m, gpu, true);

	return gs_model_has_plan(m) && (now.grid != after.grid || now.mode != after.mode);
}

struct gs_ground gs_model_creation(const struct gs_model *m, const struct gs_gpu *gpu)
{
	static const enum gs_mode first[] = { GS_MODE_MIG, GS_MODE_VGPU };
	struct gs_ground g = gs_model_ground(m, gpu, true);

	if (g.creates != GS_KIND_INVALID)
		return g;
	/* what follows from the mode or a setting is not created; what is whole is cut first */
	for (size_t i = 0; i < GS_ARRAY_SIZE(first) && g.mode == GS_MODE_WHOLE; i++) {
		struct gs_ground other = ground_of(gpu, first[i]);

		if (gpu->modes >> first[i] & 1 && other.set->memory_units)
			return other;
	}
	return g;
}

const char *gs_model_short_type(const char *name)
{
	const char *dash = name ? strrchr(name, '-') : NULL;

	return dash && dash[1] >= '0' && dash[1] <= '9' ? dash + 1 : name ? name : "?";
}

/* ---- who is where ---- */

static size_t append(struct gs_holder *const *from, size_t n, const struct gs_holder **ret, size_t have, size_t max)
{
	for (size_t i = 0; i < n; i++) {
		bool known = false;

		for (size_t k = 0; k < have; k++)
			known = known || ret[k] == from[i] || (ret[k]->kind == from[i]->kind && ret[k]->pid.known && gs_u32_equal(ret[k]->pid, from[i]->pid)) ||
				(ret[k]->kind == from[i]->kind && !ret[k]->pid.known && !from[i]->pid.known && gs_str_equal(ret[k]->name, from[i]->name));
		if (!known && have < max)
			ret[have++] = from[i];
	}
	return have;
}

size_t gs_model_holders_at(const struct gs_gpu *gpu, const struct gs_instance *inst, const struct gs_vf *vf, const struct gs_holder **ret, size_t max)
{
	size_t n = 0;

	if (inst)
		n = append(inst->holders, inst->n_holders, ret, n, max);
	/* a VM has the VF, whatever lies on it */
	if (!vf && inst && inst->vf.known)
		vf = gs_gpu_vf(gpu, inst->vf.value);
	if (vf)
		n = append(vf->holders, vf->n_holders, ret, n, max);
	/* a GI is as busy as the vGPUs in it */
	for (size_t i = 0; inst && inst->kind == GS_KIND_MIG && i < gpu->n_instances; i++)
		if (gpu->instances[i]->kind == GS_KIND_VGPU && gs_u32_is(gpu->instances[i]->gi, inst->id))
			n += gs_model_holders_at(gpu, gpu->instances[i], NULL, ret + n, max - n);
	return n;
}

static bool is_here(const struct gs_model *m, const struct gs_who_entry *entry)
{
	if (!m->who_here)
		return false;
	if (entry->place.vf)
		return m->who_vf.known && entry->place.vf->n == m->who_vf.value;
	return entry->place.instance && entry->place.instance->kind == m->who_kind && entry->place.instance->id == m->who_id;
}

int gs_model_who(const struct gs_model *m, struct gs_arena *arena, struct gs_who_entry **ret_entries, size_t *ret_n, size_t *ret_n_here)
{
	const struct gs_gpu *gpu = gs_model_gpu(m);
	struct gs_who_entry *all, *sorted;
	size_t n, out = 0, here = 0;
	int rc;

	*ret_n = *ret_n_here = 0;
	if (!gpu)
		return 0;
	rc = gs_who_list(gpu, m->who_op, arena, &all, &n);
	sorted = rc < 0 ? NULL : gs_arena_calloc(arena, n + 1, sizeof(*sorted));
	if (!sorted)
		return rc < 0 ? rc : -ENOMEM;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < n; i++) {
			if (is_here(m, &all[i]) == (pass > 0))
				continue;
			sorted[out++] = all[i];
			here += !pass;
		}
	*ret_entries = sorted;
	*ret_n = n;
	*ret_n_here = here;
	return 0;
}

bool gs_model_is_mode(const struct gs_model *m, enum gs_mode mode)
{
	const struct gs_gpu *gpu = gs_model_gpu(m);
	const struct gs_layout_gpu *target = gs_model_target(m, m->gpu);

	if (!gpu || !target || target->mode != mode)
		return false;
	/* to be what it is now would take back what the driver has pending */
	return mode != gpu->mode || gpu->mode_pending == GS_MODE_INVALID || gpu->mode_pending == mode;
}
