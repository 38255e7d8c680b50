/* SPDX-License-Identifier: GPL-2.0-or-later */
/* schema gpuslice.profiles/1: what GPUs can be cut into, and what of it can be created now. */
#include "codec/profile_codec.h"
#include "codec/snapshot_json.h"
#include "core/placement.h"

/* What is on the grid now. False when that cannot be told, or a profile of it is not in the list. */
static bool placed_now(const struct gs_gpu *gpu, struct gs_placed *ret, size_t *ret_n)
{
	size_t n = 0;

	if (gpu->lost || gpu->mode == GS_MODE_INVALID)
		return false;
	for (size_t i = 0; i < gpu->n_instances; i++) {
		const struct gs_instance *inst = gpu->instances[i];
		const struct gs_profile *p;

		if (inst->kind != GS_KIND_MIG)
			continue;
		p = gs_profile_by_name(&gpu->grids[GS_KIND_MIG], inst->profile);
		if (!p || !inst->start.known || n == GS_PLACED_MAX)
			return false;
		ret[n++] = (struct gs_placed){ p, inst->start.value };
	}
	*ret_n = n;
	return true;
}

/* "creatable" and "free_starts": null when nobody can tell, nothing when the GPU is in another mode. */
static void add_creatable(struct json_object *o, const struct gs_gpu *gpu, const struct gs_profile *p)
{
	struct gs_placed placed[GS_PLACED_MAX];
	uint32_t starts[GS_PLACEMENTS_MAX];
	struct gs_u32 creatable = GS_U32_UNKNOWN;
	struct json_object *list = NULL;
	size_t n = 0, n_starts = 0;

	if (placed_now(gpu, placed, &n) && p->n_placements) {
		list = json_object_new_array();
		creatable = GS_U32(0);
		if (gpu->mode == GS_MODE_MIG) {
			creatable.value = gs_placement_capacity(&gpu->grids[GS_KIND_MIG], placed, n, p);
			n_starts = gs_placement_free_starts(&gpu->grids[GS_KIND_MIG], placed, n, p, starts);
		}
		for (size_t i = 0; i < n_starts; i++)
			json_object_array_add(list, json_object_new_int64(starts[i]));
	}
	gs_json_add_u32(o, "creatable", creatable);
	json_object_object_add(o, "free_starts", list);
}

static struct json_object *gpu_to_json(const struct gs_gpu *gpu)
{
	const struct gs_profile_set *set = &gpu->grids[GS_KIND_MIG];
	struct json_object *o = json_object_new_object(), *profiles = json_object_new_array_ext((int)set->n);
	char bdf[GS_BDF_TEXT];

	gs_json_add_u32(o, "index", GS_U32(gpu->index));
	gs_json_add_string(o, "bdf", gs_bdf_format(gpu->bdf, bdf));
	gs_json_add_string(o, "uuid", gpu->uuid);
	gs_json_add_string(o, "name", gpu->name);
	gs_json_add_string(o, "mode", gs_mode_name(gpu->mode));
	gs_json_add_string(o, "source", gs_profile_source_name(set->source));
	gs_json_add_u32(o, "memory_units", set->memory_units ? GS_U32(set->memory_units) : GS_U32_UNKNOWN);
	gs_json_add_u32(o, "compute_slices", set->compute_slices ? GS_U32(set->compute_slices) : GS_U32_UNKNOWN);
	gs_json_add_u32(o, "max_instances", set->max_instances ? GS_U32(set->max_instances) : GS_U32_UNKNOWN);
	for (size_t i = 0; i < set->n; i++) {
		struct json_object *item = gs_profile_to_json(&set->items[i]);

		add_creatable(item, gpu, &set->items[i]);
		json_object_array_add(profiles, item);
	}
	json_object_object_add(o, "profiles", profiles);
	return o;
}

static bool is_asked(uint32_t index, const uint32_t *indices, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (indices[i] == index)
			return true;
	return !n;
}

struct json_object *gs_profiles_to_json(const struct gs_snapshot *s, const uint32_t *indices, size_t n)
{
	struct json_object *o = json_object_new_object(), *gpus;

	if (!o)
		return NULL;
	gpus = json_object_new_array();
	gs_json_add_string(o, "schema", "gpuslice.profiles/1");
	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++)
		if (is_asked((uint32_t)i, indices, n))
			json_object_array_add(gpus, gpu_to_json(gs_snapshot_gpu(s, i)));
	json_object_object_add(o, "gpus", gpus);
	return o;
}
