/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/profile.h"

#include <string.h>

const struct gs_profile *gs_profile_by_name(const struct gs_profile_set *set, const char *name)
{
	/* a name that could not be read is nobody's */
	for (size_t i = 0; name && i < set->n; i++)
		if (strcmp(set->items[i].name, name) == 0)
			return &set->items[i];
	return NULL;
}

const struct gs_profile *gs_profile_by_id(const struct gs_profile_set *set, uint32_t id)
{
	for (size_t i = 0; i < set->n; i++)
		if (gs_u32_is(set->items[i].id, id))
			return &set->items[i];
	return NULL;
}

const struct gs_compute_profile *gs_compute_profile_by_name(const struct gs_profile *p, const char *name)
{
	if (!name)
		return NULL;
	for (size_t i = 0; i < p->n_compute; i++)
		if (strcmp(p->compute[i].name, name) == 0)
			return &p->compute[i];
	/* "3g.40gb" is what people call the one that fills a 3g.40gb */
	return strcmp(p->name, name) == 0 ? gs_compute_profile_default(p) : NULL;
}

const struct gs_compute_profile *gs_compute_profile_by_id(const struct gs_profile *p, uint32_t id)
{
	for (size_t i = 0; i < p->n_compute; i++)
		if (gs_u32_is(p->compute[i].id, id))
			return &p->compute[i];
	return NULL;
}

const struct gs_compute_profile *gs_compute_profile_default(const struct gs_profile *p)
{
	for (size_t i = 0; i < p->n_compute; i++)
		if (p->compute[i].is_default)
			return &p->compute[i];
	return NULL;
}

static bool spans_equal(const struct gs_span *a, size_t na, const struct gs_span *b, size_t nb)
{
	return na == nb && (!na || memcmp(a, b, na * sizeof(*a)) == 0);
}

static bool compute_equal(const struct gs_compute_profile *a, const struct gs_compute_profile *b)
{
	return strcmp(a->name, b->name) == 0 && gs_u32_equal(a->id, b->id) && a->compute_slices == b->compute_slices && gs_u32_equal(a->sm_count, b->sm_count) &&
	       a->max_instances == b->max_instances && a->is_default == b->is_default &&
	       spans_equal(a->placements, a->n_placements, b->placements, b->n_placements);
}

static bool profile_equal(const struct gs_profile *a, const struct gs_profile *b)
{
	if (strcmp(a->name, b->name) != 0 || !gs_u32_equal(a->id, b->id) || !gs_u32_equal(a->nvml_profile, b->nvml_profile) ||
	    a->compute_slices != b->compute_slices || !gs_u64_equal(a->memory_bytes, b->memory_bytes) || !gs_u32_equal(a->sm_count, b->sm_count) ||
	    a->max_instances != b->max_instances || a->n_compute != b->n_compute || !spans_equal(a->placements, a->n_placements, b->placements, b->n_placements))
		return false;
	for (size_t i = 0; i < GS_ENGINE_MAX; i++)
		if (!gs_u32_equal(a->engines[i], b->engines[i]))
			return false;
	for (size_t i = 0; i < a->n_compute; i++)
		if (!compute_equal(&a->compute[i], &b->compute[i]))
			return false;
	return true;
}

bool gs_profile_set_equal(const struct gs_profile_set *a, const struct gs_profile_set *b)
{
	if (a->memory_units != b->memory_units || a->compute_slices != b->compute_slices || a->max_instances != b->max_instances || a->source != b->source ||
	    a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n && a->items != b->items; i++)
		if (!profile_equal(&a->items[i], &b->items[i]))
			return false;
	return true;
}

bool gs_profile_placement_at(const struct gs_profile *p, uint32_t start, struct gs_span *ret_span)
{
	for (size_t i = 0; i < p->n_placements; i++) {
		if (p->placements[i].start != start)
			continue;
		if (ret_span)
			*ret_span = p->placements[i];
		return true;
	}
	return false;
}

const char *gs_profile_suffix(const struct gs_profile *p)
{
	const char *suffix = strpbrk(p->name, "+-");

	return suffix ? suffix : "";
}
