/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/rules.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

#include "base/parse.h"

static bool overlaps(struct gs_sim_span a, struct gs_sim_span b)
{
	return a.start < b.start + b.size && b.start < a.start + a.size;
}

static bool gi_space_is_free(const struct gs_sim_gpu *gpu, struct gs_sim_span want)
{
	for (size_t i = 0; i < gpu->n_gis; i++) {
		if (overlaps(want, (struct gs_sim_span){ gpu->gis[i].start, gpu->gis[i].size }))
			return false;
	}
	return true;
}

/*
 * Only the media engines ever bind beyond non-overlap (profiles 1): +me has the
 * one OFA. An engine count that nobody knows binds nothing.
 */
static bool media_engines_suffice(const struct gs_sim_gpu *gpu, const struct gs_sim_profile *profile, uint32_t more)
{
	for (unsigned engine = GS_SIM_DECODER; engine < GS_SIM_ENGINES; engine++) {
		uint64_t sum = (uint64_t)gs_sim_or_zero(profile->engines[engine]) * more;

		if (!gpu->model->engines[engine].known)
			continue;
		for (size_t i = 0; i < gpu->n_gis; i++) {
			const struct gs_sim_profile *p = gs_sim_profile_by_id(gpu->model, gpu->gis[i].profile_id);

			sum += p ? gs_sim_or_zero(p->engines[engine]) : 0;
		}
		if (sum > gpu->model->engines[engine].value)
			return false;
	}
	return true;
}

static uint32_t gi_count(const struct gs_sim_gpu *gpu, uint32_t profile_id)
{
	uint32_t n = 0;

	for (size_t i = 0; i < gpu->n_gis; i++)
		n += gpu->gis[i].profile_id == profile_id;
	return n;
}

uint32_t gs_sim_gi_capacity(const struct gs_sim_gpu *gpu, const struct gs_sim_profile *profile)
{
	uint32_t existing = gi_count(gpu, profile->id), n = 0, end = 0;

	/* spans of one size, lowest first: the greedy count is the largest */
	for (uint32_t start = 0; start < gpu->model->memory_units; start++) {
		for (size_t i = 0; i < profile->n_placements; i++) {
			if (profile->placements[i].start != start || start < end ||
			    !gi_space_is_free(gpu, profile->placements[i]))
				continue;
			n++;
			end = start + profile->placements[i].size;
			break;
		}
	}
	if (existing >= profile->max_instances)
		return 0;
	if (n > profile->max_instances - existing)
		n = profile->max_instances - existing;
	while (n && !media_engines_suffice(gpu, profile, n))
		n--;
	return n;
}

static const struct gs_sim_span *placement_at(const struct gs_sim_span *placements, size_t n, uint32_t start)
{
	for (size_t i = 0; i < n; i++) {
		if (placements[i].start == start)
			return &placements[i];
	}
	return NULL;
}

static enum gs_nvml_return choose_gi_place(const struct gs_sim_gpu *gpu, const struct gs_sim_profile *profile,
				      const struct gs_sim_span *asked, struct gs_sim_span *ret_place)
{
	const struct gs_sim_span *place;

	if (asked) {
		place = placement_at(profile->placements, profile->n_placements, asked->start);
		if (!place || place->size != asked->size)
			return GS_NVML_INVALID_ARGUMENT;
		if (!gi_space_is_free(gpu, *place))
			return GS_NVML_INSUFFICIENT_RESOURCES;
		*ret_place = *place;
		return GS_NVML_SUCCESS;
	}
	for (size_t i = 0; i < profile->n_order; i++) {
		place = placement_at(profile->placements, profile->n_placements, profile->order[i]);
		if (place && gi_space_is_free(gpu, *place)) {
			*ret_place = *place;
			return GS_NVML_SUCCESS;
		}
	}
	return GS_NVML_INSUFFICIENT_RESOURCES;
}

/*
 * The driver numbers GIs by size: 0 the whole, 1-2 halves, 3-6 quarters, 7-14
 * eighths. Within a class boards map ids to places differently, so here it is
 * the lowest free one, whatever the place: nobody may read a place from it.
 */
static bool choose_gi_id(struct gs_sim_gpu *gpu, uint32_t size, uint32_t *ret_id)
{
	uint32_t units = gpu->model->memory_units, first, last;

	if (size >= units)
		first = last = 0;
	else if (size * 2 >= units)
		first = 1, last = 2;
	else if (size * 4 >= units)
		first = 3, last = 6;
	else
		first = 7, last = 14;
	for (uint32_t id = first; id <= last; id++) {
		if (!gs_sim_gi_by_id(gpu, id)) {
			*ret_id = id;
			return true;
		}
	}
	return false;
}

enum gs_nvml_return gs_sim_gi_create(struct gs_sim_state *s, struct gs_sim_gpu *gpu, uint32_t profile_id,
				const struct gs_sim_span *placement, struct gs_sim_gi **ret_gi)
{
	const struct gs_sim_profile *profile;
	struct gs_sim_span place;
	struct gs_sim_gi *gi;
	enum gs_nvml_return r;
	uint32_t id;

	if (!gpu->model || !gpu->mig_current)
		return GS_NVML_NOT_SUPPORTED;
	profile = gs_sim_profile_by_id(gpu->model, profile_id);
	if (!profile)
		return GS_NVML_INVALID_ARGUMENT;
	r = choose_gi_place(gpu, profile, placement, &place);
	if (r != GS_NVML_SUCCESS)
		return r;
	if (gi_count(gpu, profile_id) >= profile->max_instances || !media_engines_suffice(gpu, profile, 1) ||
	    gpu->n_gis >= GS_SIM_GIS_MAX || !choose_gi_id(gpu, place.size, &id))
		return GS_NVML_INSUFFICIENT_RESOURCES;
	gi = &gpu->gis[gpu->n_gis++];
	*gi = (struct gs_sim_gi){ .id = id, .profile_id = profile_id, .start = place.start, .size = place.size,
				  .serial = s->next_serial++ };
	*ret_gi = gi;
	return GS_NVML_SUCCESS;
}

bool gs_sim_is_used(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu, uint32_t gi, uint32_t ci)
{
	uint32_t index = gs_sim_gpu_index(s, gpu);

	for (size_t i = 0; i < s->n_processes; i++) {
		for (size_t k = 0; k < s->processes[i].n_uses; k++) {
			const struct gs_sim_use *use = &s->processes[i].uses[k];

			if (use->gpu == index && use->gi == gi && (ci == GS_SIM_NONE || use->ci == ci))
				return true;
		}
	}
	return false;
}

enum gs_nvml_return gs_sim_gi_destroy(struct gs_sim_state *s, struct gs_sim_gpu *gpu, struct gs_sim_gi *gi)
{
	size_t i = (size_t)(gi - gpu->gis);

	if (gi->n_cis || gs_sim_is_used(s, gpu, gi->id, GS_SIM_NONE))
		return GS_NVML_IN_USE;
	for (uint32_t n = 0; n < gpu->total_vfs; n++) {
		if (gpu->vfs[n].vgpu_type && gpu->vfs[n].gpu_instance_id == gi->id)
			return GS_NVML_IN_USE;
	}
	memmove(&gpu->gis[i], &gpu->gis[i + 1], (gpu->n_gis - i - 1) * sizeof(*gi));
	gpu->n_gis--;
	return GS_NVML_SUCCESS;
}

static bool ci_space_is_free(const struct gs_sim_gi *gi, struct gs_sim_span want)
{
	for (size_t i = 0; i < gi->n_cis; i++) {
		if (overlaps(want, (struct gs_sim_span){ gi->cis[i].start, gi->cis[i].size }))
			return false;
	}
	return true;
}

static uint32_t ci_count(const struct gs_sim_gi *gi, uint32_t profile_id)
{
	uint32_t n = 0;

	for (size_t i = 0; i < gi->n_cis; i++)
		n += gi->cis[i].profile_id == profile_id;
	return n;
}

uint32_t gs_sim_ci_capacity(const struct gs_sim_gi *gi, const struct gs_sim_compute_profile *profile)
{
	uint32_t existing = ci_count(gi, profile->id), n = 0, end = 0;

	for (size_t i = 0; i < profile->n_placements; i++) {
		if (profile->placements[i].start < end || !ci_space_is_free(gi, profile->placements[i]))
			continue;
		n++;
		end = profile->placements[i].start + profile->placements[i].size;
	}
	if (existing >= profile->max_instances)
		return 0;
	return n < profile->max_instances - existing ? n : profile->max_instances - existing;
}

static enum gs_nvml_return choose_ci_place(const struct gs_sim_gi *gi, const struct gs_sim_compute_profile *profile,
				      const struct gs_sim_span *asked, struct gs_sim_span *ret_place)
{
	if (asked) {
		const struct gs_sim_span *place = placement_at(profile->placements, profile->n_placements, asked->start);

		if (!place || place->size != asked->size)
			return GS_NVML_INVALID_ARGUMENT;
		if (!ci_space_is_free(gi, *place))
			return GS_NVML_INSUFFICIENT_RESOURCES;
		*ret_place = *place;
		return GS_NVML_SUCCESS;
	}
	for (size_t i = 0; i < profile->n_placements; i++) {
		if (ci_space_is_free(gi, profile->placements[i])) {
			*ret_place = profile->placements[i];
			return GS_NVML_SUCCESS;
		}
	}
	return GS_NVML_INSUFFICIENT_RESOURCES;
}

/* The lowest index that no MIG device of this GPU has: deleting one leaves a hole, as NVML does. */
static bool choose_slot(struct gs_sim_gpu *gpu, uint32_t *ret_slot)
{
	struct gs_sim_gi *gi;

	for (uint32_t slot = 0; slot < gpu->model->compute_slices; slot++) {
		if (!gs_sim_ci_by_slot(gpu, slot, &gi)) {
			*ret_slot = slot;
			return true;
		}
	}
	return false;
}

enum gs_nvml_return gs_sim_ci_create(struct gs_sim_state *s, struct gs_sim_gpu *gpu, struct gs_sim_gi *gi, uint32_t profile_id,
				const struct gs_sim_span *placement, struct gs_sim_ci **ret_ci)
{
	const struct gs_sim_profile *profile = gs_sim_profile_by_id(gpu->model, gi->profile_id);
	const struct gs_sim_compute_profile *compute = profile ? gs_sim_compute_by_id(profile, profile_id) : NULL;
	struct gs_sim_span place;
	struct gs_sim_ci ci;
	enum gs_nvml_return r;

	if (!compute)
		return GS_NVML_INVALID_ARGUMENT;
	r = choose_ci_place(gi, compute, placement, &place);
	if (r != GS_NVML_SUCCESS)
		return r;
	ci = (struct gs_sim_ci){ .profile_id = profile_id, .start = place.start, .size = place.size };
	if (ci_count(gi, profile_id) >= compute->max_instances || gi->n_cis >= GS_SIM_CIS_MAX ||
	    !choose_slot(gpu, &ci.slot))
		return GS_NVML_INSUFFICIENT_RESOURCES;
	while (gs_sim_ci_by_id(gi, ci.id))
		ci.id++;
	if (gs_sim_mig_uuid(gpu, gi, &ci, s->uuid_old ? 0 : s->uuid_counter, ci.uuid, sizeof(ci.uuid)) < 0)
		return GS_NVML_UNKNOWN;
	s->uuid_counter++;
	ci.serial = s->next_serial++;
	gi->cis[gi->n_cis] = ci;
	*ret_ci = &gi->cis[gi->n_cis++];
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return gs_sim_ci_destroy(struct gs_sim_state *s, struct gs_sim_gpu *gpu, struct gs_sim_gi *gi, struct gs_sim_ci *ci)
{
	size_t i = (size_t)(ci - gi->cis);

	if (gs_sim_is_used(s, gpu, gi->id, ci->id))
		return GS_NVML_IN_USE;
	memmove(&gi->cis[i], &gi->cis[i + 1], (gi->n_cis - i - 1) * sizeof(*ci));
	gi->n_cis--;
	return GS_NVML_SUCCESS;
}

int gs_sim_mig_uuid(const struct gs_sim_gpu *gpu, const struct gs_sim_gi *gi, const struct gs_sim_ci *ci,
		    uint64_t counter, char *ret_uuid, size_t size)
{
	char name[160], text[UUID_STR_LEN];
	uuid_t space, uuid;
	int n;

	if (!gs_str_starts(gpu->uuid, "GPU-") || uuid_parse(gpu->uuid + 4, space) < 0)
		return -EINVAL;
	n = snprintf(name, sizeof(name), "%u@%u+%u/%u@%u+%u/%llu", gi->profile_id, gi->start, gi->size, ci->profile_id,
		     ci->start, ci->size, (unsigned long long)counter);
	uuid_generate_sha1(uuid, space, name, (size_t)n);
	uuid_unparse_lower(uuid, text);
	snprintf(ret_uuid, size, "MIG-%s", text);
	return 0;
}
