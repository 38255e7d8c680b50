/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/vgpu_grid.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/family_util.h"
#include "base/parse.h"
#include "codec/vgpu_text.h"

int gs_vgpu_grid_begin(struct gs_vgpu_grid *g, struct gs_family_look *look)
{
	const struct gs_gpu *gpu = look->gpu;

	*g = (struct gs_vgpu_grid){ .look = look };
	g->items = gs_arena_calloc(gs_snapshot_arena(look->snapshot), GS_PROFILES_MAX, sizeof(*g->items));
	if (look->catalogue && gpu->vendor == GS_VENDOR_NVIDIA)
		g->board = gs_catalogue_vgpu_board(look->catalogue, gpu->pci_id, gpu->subsystem_id);
	/* boards of different types share a device id (A2, A16) */
	snprintf(g->key, sizeof(g->key), "%s/%s", gpu->pci_id ? gpu->pci_id : "", gpu->subsystem_id ? gpu->subsystem_id : "");
	return g->items ? 0 : -ENOMEM;
}

static struct gs_profile *item_by_name(struct gs_vgpu_grid *g, const char *name)
{
	for (size_t i = 0; i < g->n; i++) {
		if (strcmp(g->items[i].name, name) == 0)
			return &g->items[i];
	}
	return NULL;
}

static void fill_from_catalogue(struct gs_vgpu_grid *g, struct gs_profile *p)
{
	const struct gs_vgpu_type *t = g->board ? gs_vgpu_type_by_name(g->board, p->name) : NULL;
	uint64_t bytes;

	if (t) {
		p->memory_bytes = t->framebuffer_bytes;
		p->gi_profile = gs_snapshot_text(g->look->snapshot, t->gi_profile);
		p->max_per_gi = t->max_per_gi;
		p->max_mixed = t->max_instances_mixed;
		if (t->max_instances.known)
			p->max_instances = t->max_instances.value;
		return;
	}
	if (gs_vgpu_name_framebuffer(p->name, &bytes) == 0)
		p->memory_bytes = GS_U64(bytes);
}

/* A type of that name, new or there; NULL: no memory, or no room (*@ret_full). */
static struct gs_profile *need_item(struct gs_vgpu_grid *g, const char *name, bool *ret_full)
{
	struct gs_profile *p = item_by_name(g, name);

	*ret_full = false;
	if (p)
		return p;
	if (g->n == GS_PROFILES_MAX) {
		*ret_full = true;
		return NULL;
	}
	p = &g->items[g->n];
	*p = (struct gs_profile){ .name = gs_snapshot_text(g->look->snapshot, name) };
	if (!p->name)
		return NULL;
	g->n++;
	fill_from_catalogue(g, p);
	return p;
}

static int add(struct gs_vgpu_grid *g, struct gs_u32 type_id, const char *name, struct gs_u64 framebuffer_bytes, struct gs_u32 max_instances)
{
	bool is_full;
	struct gs_profile *p = need_item(g, name, &is_full);

	if (!p)
		return is_full ? 0 : -ENOMEM;
	if (type_id.known)
		p->id = type_id;
	if (framebuffer_bytes.known)
		p->memory_bytes = framebuffer_bytes;
	if (max_instances.known)
		p->max_instances = max_instances.value;
	return 0;
}

int gs_vgpu_grid_list(struct gs_vgpu_grid *g, struct gs_u32 type_id, const char *name, struct gs_u64 framebuffer_bytes, struct gs_u32 max_instances)
{
	struct gs_known_type known = { .id = type_id.value, .framebuffer_bytes = framebuffer_bytes, .max_instances = max_instances };

	name = gs_vgpu_name_short(name);
	if (!name[0] || strlen(name) >= sizeof(known.name))
		return 0;
	snprintf(known.name, sizeof(known.name), "%s", name);
	gs_text_sanitize(known.name);
	g->is_listed = true;
	if (g->look->names && type_id.known && gs_vgpu_names_add(g->look->names, g->key, &known) < 0)
		return -ENOMEM;
	return add(g, type_id, known.name, framebuffer_bytes, max_instances);
}

/* ---------------------------------------------------------------- what the driver does not list now */

static bool is_mig_backed(struct gs_vgpu_grid *g, const char *name)
{
	const struct gs_vgpu_type *t = g->board ? gs_vgpu_type_by_name(g->board, name) : NULL;
	struct gs_vgpu_name parsed;

	if (t)
		return t->is_mig_backed;
	return gs_vgpu_name_parse(name, &parsed) == 0 && parsed.compute_slices;
}

static bool is_mig_on(const struct gs_gpu *gpu)
{
	return gpu->mode == GS_MODE_MIG || gpu->mode == GS_MODE_MIG_VGPU;
}

/* A complete list is the last word about the types of this MIG state. */
static bool is_wanted(struct gs_vgpu_grid *g, const char *name)
{
	return !g->is_complete || is_mig_backed(g, name) != is_mig_on(g->look->gpu);
}

static int add_remembered(struct gs_vgpu_grid *g)
{
	size_t n;
	const struct gs_known_type *types = gs_vgpu_names_of(g->look->names, g->key, &n);

	for (size_t i = 0; i < n; i++) {
		if (is_wanted(g, types[i].name) && !item_by_name(g, types[i].name) &&
		    add(g, GS_U32(types[i].id), types[i].name, types[i].framebuffer_bytes, types[i].max_instances) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Has the driver, now or before, named any type of this MIG state? Then the catalogue has nothing to add to it. */
static bool has_named(struct gs_vgpu_grid *g, bool mig_backed, size_t n_named)
{
	for (size_t i = 0; i < n_named; i++) {
		if (is_mig_backed(g, g->items[i].name) == mig_backed)
			return true;
	}
	return false;
}

static int add_catalogue(struct gs_vgpu_grid *g)
{
	bool has_mig = g->look->gpu->modes & 1u << GS_MODE_MIG, named[2];
	size_t n_named = g->n;

	if (!g->board)
		return 0;
	named[false] = has_named(g, false, n_named);
	named[true] = has_named(g, true, n_named);
	for (size_t i = 0; i < g->board->n_types; i++) {
		const struct gs_vgpu_type *t = &g->board->types[i];

		if (!gs_vgpu_type_is_for(t, g->look->gpu->pci_id) || named[t->is_mig_backed] || (t->is_mig_backed && !has_mig) || !is_wanted(g, t->name))
			continue;
		if (add(g, t->type_id, t->name, GS_U64_UNKNOWN, GS_U32_UNKNOWN) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Small to large, then by name: as people look for them. */
static int by_size(const void *a, const void *b)
{
	const struct gs_profile *x = a, *y = b;

	if (x->memory_bytes.value != y->memory_bytes.value)
		return x->memory_bytes.value < y->memory_bytes.value ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* How many fit, where no source says: by size, and never more than slots. */
static void fill_maximum(struct gs_vgpu_grid *g, struct gs_profile *p, uint32_t units)
{
	struct gs_u64 memory = g->look->gpu->memory_bytes;
	uint64_t fit = units;

	if (!memory.known && g->board)
		memory = g->board->memory_bytes;
	if (!p->max_instances && memory.known && p->memory_bytes.known && p->memory_bytes.value)
		fit = memory.value / p->memory_bytes.value;
	if (!p->max_instances)
		p->max_instances = fit ? (uint32_t)(fit < units ? fit : units) : 1;
	if (p->max_instances > units)
		p->max_instances = units;
}

int gs_vgpu_grid_finish(struct gs_vgpu_grid *g, uint32_t units)
{
	struct gs_profile_set *set = &g->look->gpu->grids[GS_KIND_VGPU];
	int r = add_remembered(g);

	if (r == 0)
		r = add_catalogue(g);
	if (r < 0 || !g->n || !units)
		return r;
	if (units > GS_GRID_UNITS_MAX)
		units = GS_GRID_UNITS_MAX;
	qsort(g->items, g->n, sizeof(*g->items), by_size);
	for (size_t i = 0; i < g->n; i++)
		fill_maximum(g, &g->items[i], units);
	r = gs_slots_make(g->look->snapshot, units, g->items, g->n, g->is_listed ? GS_PROFILES_DRIVER : GS_PROFILES_CATALOGUE, set);
	set->has_one_size = true;
	return r;
}

/* Slots are VFs, or as many as the smallest type can have. */
static uint32_t units_of_board(const struct gs_vgpu_grid *g)
{
	uint32_t most = 0;

	if (g->look->gpu->vfs.total.known)
		return g->look->gpu->vfs.total.value;
	for (size_t i = 0; g->board && !g->board->is_sriov && i < g->board->n_types; i++)
		if (g->board->types[i].max_instances.known && g->board->types[i].max_instances.value > most)
			most = g->board->types[i].max_instances.value;
	return most;
}

int gs_vgpu_grid_without_driver(struct gs_family_look *look)
{
	struct gs_vgpu_grid g;
	int r;

	if (look->gpu->vendor != GS_VENDOR_NVIDIA)
		return 0;
	r = gs_vgpu_grid_begin(&g, look);
	return r < 0 ? r : gs_vgpu_grid_finish(&g, units_of_board(&g));
}

const char *gs_vgpu_grid_name(struct gs_vgpu_grid *g, uint32_t type_id)
{
	const struct gs_known_type *known = gs_vgpu_names_find(g->look->names, g->key, type_id);
	const struct gs_vgpu_type *t = g->board ? gs_vgpu_type_by_id(g->board, type_id) : NULL;
	char text[24];

	for (size_t i = 0; i < g->n; i++) {
		if (gs_u32_is(g->items[i].id, type_id))
			return g->items[i].name;
	}
	snprintf(text, sizeof(text), "nvidia-%" PRIu32, type_id);
	return gs_snapshot_text(g->look->snapshot, known ? known->name : t ? t->name : text);
}

void gs_vgpu_set_mode(struct gs_family_look *look, bool on)
{
	struct gs_gpu *gpu = look->gpu;
	bool has_mig = gpu->modes & 1u << GS_MODE_MIG;

	gpu->modes |= 1u << GS_MODE_VGPU;
	if (has_mig)
		gpu->modes |= 1u << GS_MODE_MIG_VGPU;
	/* NVML did not answer; where there can be no MIG, sysfs alone says everything */
	if (gpu->mode == GS_MODE_INVALID && look->catalogue && !gs_catalogue_by_pci(look->catalogue, gpu->pci_id, gpu->subsystem_id)) {
		gpu->mode = GS_MODE_WHOLE;
		gpu->modes |= 1u << GS_MODE_WHOLE;
		gpu->placements_visible = true;
	}
	if (!on)
		return;
	if (gpu->mode == GS_MODE_MIG)
		gpu->mode = GS_MODE_MIG_VGPU;
	else if (gpu->mode == GS_MODE_WHOLE)
		gpu->mode = GS_MODE_VGPU;
}
