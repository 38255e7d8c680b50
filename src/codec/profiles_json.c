/* SPDX-License-Identifier: GPL-2.0-or-later */
/* schema gpuslice.profiles/1: what GPUs can be cut into, and what of it can be created now. */
#include "base/parse.h"
#include "codec/profile_codec.h"
#include "codec/snapshot_json.h"
#include "core/placement.h"

/* What is on the grid now. False when that cannot be told, or a profile of it is not in the list. */
static bool placed_now(const struct gs_gpu *gpu, enum gs_instance_kind kind, struct gs_placed *ret, size_t *ret_n)
{
	size_t n = 0;

	if (gpu->lost || gpu->mode == GS_MODE_INVALID)
		return false;
	for (size_t i = 0; i < gpu->n_instances; i++) {
		const struct gs_instance *inst = gpu->instances[i];
		const struct gs_profile *p;

		if (inst->kind != kind)
			continue;
		p = gs_profile_by_name(&gpu->grids[kind], inst->profile);
		if (!p || !inst->start.known || n == GS_PLACED_MAX)
			return false;
		ret[n++] = (struct gs_placed){ p, inst->start.value, inst->kind == GS_KIND_VGPU ? inst->placement_id : GS_U32_UNKNOWN };
	}
	*ret_n = n;
	return true;
}

/* How many more of a MIG-backed type the GPU instances of its profile have room for. Unknown when one of them cannot be judged. */
static struct gs_u32 room_in_gis(const struct gs_gpu *gpu, const struct gs_profile *p)
{
	uint32_t room = 0, used;

	if (!p->max_per_gi.known)
		return GS_U32_UNKNOWN;
	for (size_t i = 0; i < gpu->n_instances; i++) {
		const struct gs_instance *gi = gpu->instances[i];

		if (gi->kind != GS_KIND_MIG || !gs_str_equal(gi->profile, p->gi_profile))
			continue;
		used = 0;
		for (size_t k = 0; k < gpu->n_instances; k++) {
			if (gpu->instances[k]->kind != GS_KIND_VGPU)
				continue;
			if (!gpu->instances[k]->gi.known)
				return GS_U32_UNKNOWN;
			used += gpu->instances[k]->gi.value == gi->id;
		}
		room += used < p->max_per_gi.value ? p->max_per_gi.value - used : 0;
	}
	return GS_U32(room);
}

bool gs_profile_mode_is_right(const struct gs_gpu *gpu, enum gs_instance_kind kind, const struct gs_profile *p)
{
	switch (kind) {
	case GS_KIND_MIG:
		return gpu->mode == GS_MODE_MIG || gpu->mode == GS_MODE_MIG_VGPU;
	case GS_KIND_VGPU:
		return gpu->mode == (p->gi_profile ? GS_MODE_MIG_VGPU : GS_MODE_VGPU);
	case GS_KIND_SRIOV:
		return gpu->mode == GS_MODE_SRIOV;
	case GS_KIND_PASSTHROUGH:
		return gpu->mode == GS_MODE_PASSTHROUGH;
	default:
		return gpu->mode == GS_MODE_WHOLE;
	}
}

/* The driver's own number, where it tells one: it may hold back what its list of places does not show. */
static void believe_driver(const struct gs_gpu *gpu, const struct gs_profile *p, struct gs_creatable *c)
{
	for (size_t i = 0; i < gpu->n_remaining; i++) {
		if (!gs_str_equal(gpu->remaining[i].profile, p->name))
			continue;
		c->n = GS_U32(gpu->remaining[i].n);
		if (!c->n.value)
			c->n_starts = 0;
	}
}

/* Is something there that this profile's mode does not keep? A GPU in partitions is whole all the same. */
static bool other_kind_is_there(const struct gs_gpu *gpu, enum gs_instance_kind kind, const struct gs_profile *p)
{
	for (size_t i = 0; i < gpu->n_instances; i++) {
		enum gs_instance_kind there = gpu->instances[i]->kind;

		if (there != kind && there != GS_KIND_PARTITION && !(there == GS_KIND_MIG && p->gi_profile))
			return true;
	}
	return false;
}

void gs_profile_creatable(const struct gs_gpu *gpu, enum gs_instance_kind kind, const struct gs_profile *p, struct gs_creatable *ret)
{
	const struct gs_profile_set *set = &gpu->grids[kind];
	struct gs_placed placed[GS_PLACED_MAX];
	size_t n = 0;

	*ret = (struct gs_creatable){ .n = GS_U32_UNKNOWN };
	if (!p->n_placements || !placed_now(gpu, kind, placed, &n))
		return;
	ret->has_starts = true;
	ret->n_starts = gs_placement_free_starts(set, placed, n, p, ret->starts);
	ret->n = GS_U32(gs_placement_capacity(set, placed, n, p));
	if (kind == GS_KIND_MIG)
		believe_driver(gpu, p, ret);
	if (!gs_profile_mode_is_right(gpu, kind, p) && other_kind_is_there(gpu, kind, p)) {
		ret->n = GS_U32(0);
		ret->n_starts = 0;
	} else if (p->gi_profile) {
		struct gs_u32 room = room_in_gis(gpu, p);

		ret->n = room.known && room.value > ret->n_starts ? GS_U32((uint32_t)ret->n_starts) : room;
		if (gs_u32_is(ret->n, 0))
			ret->n_starts = 0;
	}
}

/* "creatable" and "free_starts": null when nobody can tell, nothing when the GPU is in another mode. */
static void add_creatable(struct json_object *o, const struct gs_gpu *gpu, enum gs_instance_kind kind, const struct gs_profile *p)
{
	struct gs_creatable c;
	struct json_object *list = NULL;

	gs_profile_creatable(gpu, kind, p, &c);
	if (c.n.known && !gs_profile_mode_is_right(gpu, kind, p)) {
		c.n.value = 0;
		c.n_starts = 0;
	}
	if (c.has_starts)
		list = json_object_new_array();
	for (size_t i = 0; i < c.n_starts; i++)
		json_object_array_add(list, json_object_new_int64(c.starts[i]));
	gs_json_add_u32(o, "creatable", c.n);
	json_object_object_add(o, "free_starts", list);
}

static struct json_object *items_to_json(const struct gs_gpu *gpu, enum gs_instance_kind kind)
{
	const struct gs_profile_set *set = &gpu->grids[kind];
	struct json_object *list = json_object_new_array_ext((int)set->n);

	for (size_t i = 0; i < set->n; i++) {
		struct json_object *item = gs_profile_to_json(set, &set->items[i]);

		add_creatable(item, gpu, kind, &set->items[i]);
		json_object_array_add(list, item);
	}
	return list;
}

/* Grids of other kinds than MIG, which has the keys of the GPU itself. */
static struct json_object *grids_to_json(const struct gs_gpu *gpu)
{
	struct json_object *list = json_object_new_array();

	for (int k = 0; k < GS_KIND_MAX; k++) {
		const struct gs_profile_set *set = &gpu->grids[k];
		struct json_object *o;

		if (k == GS_KIND_MIG || !set->memory_units)
			continue;
		o = json_object_new_object();
		gs_json_add_string(o, "kind", gs_instance_kind_name((enum gs_instance_kind)k));
		gs_json_add_string(o, "source", gs_profile_source_name(set->source));
		gs_json_add_u32(o, "memory_units", GS_U32(set->memory_units));
		gs_json_add_u32(o, "max_instances", set->max_instances ? GS_U32(set->max_instances) : GS_U32_UNKNOWN);
		json_object_object_add(o, "is_slots", json_object_new_boolean(set->is_slots));
		json_object_object_add(o, "has_one_size", json_object_new_boolean(set->has_one_size));
		json_object_object_add(o, "avoid", gs_units_to_json(set->avoid));
		json_object_object_add(o, "profiles", items_to_json(gpu, (enum gs_instance_kind)k));
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *gpu_to_json(const struct gs_gpu *gpu)
{
	const struct gs_profile_set *set = &gpu->grids[GS_KIND_MIG];
	struct json_object *o = json_object_new_object();
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
	json_object_object_add(o, "profiles", items_to_json(gpu, GS_KIND_MIG));
	json_object_object_add(o, "grids", grids_to_json(gpu));
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
