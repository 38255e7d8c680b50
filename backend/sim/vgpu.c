/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/vgpu.h"

#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

#define NO_PLACEMENT 0xffffu
#define USED_MAX (GS_SIM_VFS_MAX + GS_SIM_MDEVS_MAX)

struct used {
	size_t n;
	struct {
		const struct gs_sim_type *type;
		uint32_t placement_id, gi, vf;
	} v[USED_MAX];
};

uint32_t gs_sim_type_id(const struct gs_sim_gpu *gpu, const struct gs_sim_type *t)
{
	if (t->id.known)
		return t->id.value;
	return gpu->private_ids ? gpu->private_ids + (uint32_t)(t - gpu->board->types) : 0;
}

const struct gs_sim_type *gs_sim_type_by_id(const struct gs_sim_gpu *gpu, uint32_t id)
{
	for (size_t i = 0; id && gpu->board && i < gpu->board->n_types; i++) {
		if (gs_sim_type_id(gpu, &gpu->board->types[i]) == id)
			return &gpu->board->types[i];
	}
	return NULL;
}

static int compare_ids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

size_t gs_sim_type_ids(const struct gs_sim_gpu *gpu, uint32_t *ret_ids)
{
	size_t n = 0;

	for (size_t i = 0; gpu->board && i < gpu->board->n_types; i++) {
		uint32_t id = gs_sim_type_id(gpu, &gpu->board->types[i]);

		if (id)
			ret_ids[n++] = id;
	}
	qsort(ret_ids, n, sizeof(*ret_ids), compare_ids);
	return n;
}

static void gather(const struct gs_sim_gpu *gpu, struct used *u)
{
	u->n = 0;
	for (uint32_t n = 0; n < gpu->total_vfs; n++) {
		const struct gs_sim_vf *vf = &gpu->vfs[n];
		const struct gs_sim_type *t = vf->state == GS_SIM_VF_ABSENT ? NULL : gs_sim_type_by_id(gpu, vf->vgpu_type);

		if (!t)
			continue;
		u->v[u->n].type = t;
		u->v[u->n].placement_id = vf->placement_id;
		u->v[u->n].gi = vf->gpu_instance_id;
		u->v[u->n++].vf = n;
	}
	for (size_t i = 0; i < gpu->n_mdevs; i++) {
		const struct gs_sim_type *t = gs_sim_type_by_id(gpu, gpu->mdevs[i].type);

		if (!t)
			continue;
		u->v[u->n].type = t;
		u->v[u->n].placement_id = NO_PLACEMENT;
		u->v[u->n].gi = GS_SIM_NONE;
		u->v[u->n++].vf = GS_SIM_NONE;
	}
}

/* From Ada on also with one size per GPU (interfaces 2.5). */
static bool has_placements(const struct gs_sim_gpu *gpu)
{
	const char *a = gpu->board->architecture;

	return gpu->heterogeneous || gs_str_equal_nocase(a, "ada") || gs_str_equal_nocase(a, "hopper") ||
	       gs_str_equal_nocase(a, "blackwell");
}

/* Start slots are counted in GiB of framebuffer; the published pair is 0 and 3 for two of 3 GiB (interfaces 2.5). */
uint32_t gs_sim_type_slots(const struct gs_sim_type *t)
{
	uint64_t gib = t->framebuffer_bytes >> 30;

	return gib ? (uint32_t)gib : 1;
}

bool gs_sim_mixes_sizes(const struct gs_sim_gpu *gpu)
{
	for (size_t i = 0; gpu->board && gpu->total_vfs && i < gpu->board->n_types; i++) {
		if (gpu->board->types[i].max_mixed.known)
			return true;
	}
	return false;
}

uint32_t gs_sim_type_most(const struct gs_sim_type *t, bool mixed)
{
	return mixed && t->max_mixed.known ? t->max_mixed.value : t->max_instances;
}

static uint32_t most_of(const struct gs_sim_gpu *gpu, const struct gs_sim_type *t)
{
	return gs_sim_type_most(t, gpu->heterogeneous);
}

static bool slot_is_free(const struct used *u, const struct gs_sim_type *t, uint32_t start, uint32_t but_vf)
{
	for (size_t i = 0; i < u->n; i++) {
		uint32_t other = u->v[i].placement_id;

		if (u->v[i].vf != but_vf && other != NO_PLACEMENT && start < other + gs_sim_type_slots(u->v[i].type) &&
		    other < start + gs_sim_type_slots(t))
			return false;
	}
	return true;
}

static bool find_slot(const struct gs_sim_gpu *gpu, const struct used *u, const struct gs_sim_type *t, uint32_t *ret_start)
{
	for (uint32_t i = 0; i < most_of(gpu, t); i++) {
		if (slot_is_free(u, t, i * gs_sim_type_slots(t), GS_SIM_NONE - 1)) {
			*ret_start = i * gs_sim_type_slots(t);
			return true;
		}
	}
	return false;
}

/* What fits beside each other at most; the board's own figure is before the driver's reserve. */
static uint64_t capacity(const struct gs_sim_gpu *gpu)
{
	uint64_t most = 0;

	for (size_t i = 0; i < gpu->board->n_types; i++) {
		const struct gs_sim_type *t = &gpu->board->types[i];

		if (!t->mig_backed && t->framebuffer_bytes * t->max_instances > most)
			most = t->framebuffer_bytes * t->max_instances;
	}
	return most;
}

static bool shared_is_creatable(const struct gs_sim_gpu *gpu, const struct used *u, const struct gs_sim_type *t,
				struct gs_sim_vgpu_place *place)
{
	uint64_t bytes = t->framebuffer_bytes;
	uint32_t same = 0;

	for (size_t i = 0; i < u->n; i++) {
		/* the series does not matter, the size does (vgpu_live_sample_a2) */
		if (!gpu->heterogeneous && u->v[i].type->framebuffer_bytes != t->framebuffer_bytes)
			return false;
		bytes += u->v[i].type->framebuffer_bytes;
		same += gpu->heterogeneous ? u->v[i].type == t : 1;
	}
	if (same >= most_of(gpu, t) || bytes > capacity(gpu))
		return false;
	return !has_placements(gpu) || find_slot(gpu, u, t, &place->placement_id);
}

static bool gi_fits(const struct gs_sim_gpu *gpu, const struct gs_sim_gi *gi, const struct gs_sim_type *t)
{
	const struct gs_sim_profile *p = gpu->model ? gs_sim_profile_by_id(gpu->model, gi->profile_id) : NULL;

	if (t->gi_profile_id.known)
		return t->gi_profile_id.value == gi->profile_id;
	return p && gs_str_equal(p->name, t->gi_profile);
}

/* The first place of a type in a GI that mixes sizes. */
static bool gi_slot(const struct used *u, const struct gs_sim_gi *gi, const struct gs_sim_type *t, uint32_t but_vf, uint32_t *ret_index)
{
	struct used inside = { .n = 0 };
	uint32_t most = t->max_per_gi.known ? t->max_per_gi.value : 1;

	for (size_t i = 0; i < u->n; i++)
		if (u->v[i].gi == gi->id)
			inside.v[inside.n++] = u->v[i];
	for (uint32_t i = 0; i < most; i++) {
		if (!slot_is_free(&inside, t, i * gs_sim_type_slots(t), but_vf))
			continue;
		*ret_index = i;
		return true;
	}
	return false;
}

/* Is there room in that GI: below the count, and all of one size. @but_vf does not count. */
static bool gi_has_room(const struct used *u, const struct gs_sim_gi *gi, const struct gs_sim_type *t, uint32_t but_vf,
			uint32_t *ret_index)
{
	uint32_t n = 0;

	if (gi->heterogeneous)
		return gi_slot(u, gi, t, but_vf, ret_index);
	for (size_t i = 0; i < u->n; i++) {
		if (u->v[i].gi != gi->id || u->v[i].vf == but_vf)
			continue;
		if (u->v[i].type->framebuffer_bytes != t->framebuffer_bytes)
			return false;
		n++;
	}
	*ret_index = n;
	return n < (t->max_per_gi.known ? t->max_per_gi.value : 1);
}

static bool gi_is_creatable(const struct gs_sim_gpu *gpu, const struct used *u, const struct gs_sim_type *t,
			    struct gs_sim_vgpu_place *place)
{
	uint32_t index;

	/* ascending id, the first that takes it (interfaces 2.6) */
	for (uint32_t id = 0; id < GS_SIM_GIS_MAX; id++) {
		const struct gs_sim_gi *gi = gs_sim_gi_by_id((struct gs_sim_gpu *)gpu, id);

		if (!gi || !gi_fits(gpu, gi, t) || !gi_has_room(u, gi, t, GS_SIM_NONE - 1, &index))
			continue;
		place->gpu_instance_id = id;
		place->placement_id = index * gs_sim_type_slots(t);
		return true;
	}
	return false;
}

bool gs_sim_type_is_creatable(const struct gs_sim_gpu *gpu, const struct gs_sim_type *t, struct gs_sim_vgpu_place *ret_place)
{
	struct gs_sim_vgpu_place place = { NO_PLACEMENT, UINT32_MAX };
	struct used u;
	bool ok;

	if (t->mig_backed != gpu->mig_current)
		return false;
	gather(gpu, &u);
	ok = t->mig_backed ? gi_is_creatable(gpu, &u, t, &place) : shared_is_creatable(gpu, &u, t, &place);
	if (ok && ret_place)
		*ret_place = place;
	return ok;
}

uint32_t gs_sim_type_available(const struct gs_sim_gpu *gpu, const struct gs_sim_type *t)
{
	if (!gs_sim_type_is_creatable(gpu, t, NULL))
		return 0;
	return t->max_instances > gpu->n_mdevs ? t->max_instances - (uint32_t)gpu->n_mdevs : 0;
}

bool gs_sim_placement_fits(const struct gs_sim_gpu *gpu, const struct gs_sim_type *t, uint32_t placement_id)
{
	struct used u;

	if (!gs_sim_type_is_creatable(gpu, t, NULL))
		return false;
	gather(gpu, &u);
	return slot_is_free(&u, t, placement_id, GS_SIM_NONE - 1);
}

bool gs_sim_placement_is_free(const struct gs_sim_gpu *gpu, uint32_t n, uint32_t placement_id)
{
	const struct gs_sim_type *t = gs_sim_type_by_id(gpu, gpu->vfs[n].vgpu_type);
	struct used u;

	if (!t || t->mig_backed || !has_placements(gpu) || placement_id % gs_sim_type_slots(t) ||
	    placement_id / gs_sim_type_slots(t) >= most_of(gpu, t))
		return false;
	gather(gpu, &u);
	return slot_is_free(&u, t, placement_id, n);
}

bool gs_sim_gi_takes(const struct gs_sim_gpu *gpu, uint32_t n, uint32_t gpu_instance_id)
{
	const struct gs_sim_type *t = gs_sim_type_by_id(gpu, gpu->vfs[n].vgpu_type);
	const struct gs_sim_gi *gi = gs_sim_gi_by_id((struct gs_sim_gpu *)gpu, gpu_instance_id);
	struct used u;
	uint32_t index;

	if (!t || !t->mig_backed || !gi || !gi_fits(gpu, gi, t))
		return false;
	gather(gpu, &u);
	return gi_has_room(&u, gi, t, n, &index);
}
