/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/profile.h"

#include <string.h>

const struct gs_profile *gs_profile_by_name(const struct gs_profile_set *set, const char *name)
{
	for (size_t i = 0; i < set->n; i++)
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
