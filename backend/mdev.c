/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/mdev.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/family_util.h"
#include "backend/vgpu_grid.h"
#include "base/parse.h"
#include "codec/vgpu_text.h"

#define TYPES_MAX 128
#define MDEVS_MAX 4096
#define MDEV_DEVICES "sys/bus/mdev/devices"
#define UUID_LENGTH 36

/* "nvidia-742": 742; other vendors' have none. */
static struct gs_u32 type_number(const char *dir)
{
	uint32_t id;

	if (!gs_str_starts(dir, "nvidia-") || gs_parse_u32(dir + strlen("nvidia-"), 10, &id) < 0)
		return GS_U32_UNKNOWN;
	return GS_U32(id);
}

static int read_type(struct gs_family_look *look, struct gs_vgpu_grid *g, const char *parent, const char *dir)
{
	struct gs_u32 id = type_number(dir);
	const struct gs_known_type *known = id.known ? gs_vgpu_names_find(look->names, g->key, id.value) : NULL;
	struct gs_mdev_description d = { 0 };
	GS_FREE char *name = NULL, *description = NULL;
	size_t n = 0;

	/* what a type is does not change while its driver is loaded: asked once */
	if (known && known->framebuffer_bytes.known)
		return gs_vgpu_grid_list(g, id, known->name, known->framebuffer_bytes, known->max_instances);
	if (gs_root_read(look->root, &name, GS_PCI_DEVICES "/%s/mdev_supported_types/%s/name", parent, dir) < 0 || !name[0])
		return gs_vgpu_grid_list(g, id, dir, GS_U64_UNKNOWN, GS_U32_UNKNOWN);
	if (gs_root_read_bytes(look->root, 4096, &description, &n, GS_PCI_DEVICES "/%s/mdev_supported_types/%s/description", parent, dir) == 0)
		gs_mdev_description_parse(description, n, &d);
	return gs_vgpu_grid_list(g, id, name, d.framebuffer_bytes, d.max_instances);
}

static int read_types(struct gs_family_look *look, struct gs_vgpu_grid *g, struct gs_bdf parent)
{
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	char bdf[GS_BDF_TEXT];
	unsigned n = 0;

	gs_bdf_format(parent, bdf);
	if (gs_root_opendir(look->root, &dir, GS_PCI_DEVICES "/%s/mdev_supported_types", bdf) < 0)
		return 0;
	while ((entry = readdir(dir)) && n < TYPES_MAX) {
		if (entry->d_name[0] == '.')
			continue;
		n++;
		if (read_type(look, g, bdf, entry->d_name) < 0)
			return -ENOMEM;
	}
	/* the list does not shrink when the GPU is full: only its counts do (interfaces 1.4) */
	g->is_complete = g->is_listed && n < TYPES_MAX && look->gpu->mode != GS_MODE_MIG;
	return 0;
}

/* ---------------------------------------------------------------- the mdevs that are there */

struct mdev {
	char uuid[UUID_LENGTH + 1];
	struct gs_bdf parent;
};

struct mdevs {
	struct mdev *list;
	size_t n, cap;
};

/* "…/0000:08:01.7/<uuid>" */
static bool parent_of(struct gs_root *root, const char *uuid, struct gs_bdf *ret_parent)
{
	GS_FREE char *target = NULL;
	char *slash;

	if (gs_root_readlink(root, &target, MDEV_DEVICES "/%s", uuid) < 0)
		return false;
	slash = strrchr(target, '/');
	if (!slash)
		return false;
	*slash = '\0';
	slash = strrchr(target, '/');
	return gs_bdf_parse(slash ? slash + 1 : target, ret_parent) == 0;
}

static int add_mdev(struct mdevs *m, const char *uuid, struct gs_bdf parent)
{
	if (m->n == m->cap) {
		size_t cap = m->cap ? m->cap * 2 : 32;
		struct mdev *grown = reallocarray(m->list, cap, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		m->list = grown;
		m->cap = cap;
	}
	m->list[m->n].parent = parent;
	snprintf(m->list[m->n++].uuid, sizeof(m->list->uuid), "%s", uuid);
	return 0;
}

static bool is_on(const struct gs_gpu *gpu, struct gs_bdf parent)
{
	if (gs_bdf_compare(gpu->bdf, parent) == 0)
		return true;
	for (size_t i = 0; i < gpu->vfs.n_functions; i++) {
		if (gs_bdf_compare(gpu->vfs.functions[i]->bdf, parent) == 0)
			return true;
	}
	return false;
}

static int by_uuid(const void *a, const void *b)
{
	return strcmp(((const struct mdev *)a)->uuid, ((const struct mdev *)b)->uuid);
}

/* Those of this GPU, by UUID: readdir's order means nothing. One may go while we look. */
static int find_mdevs(struct gs_family_look *look, struct mdevs *m)
{
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	struct gs_bdf parent;
	unsigned n = 0;

	if (gs_root_opendir(look->root, &dir, MDEV_DEVICES) < 0)
		return 0;
	while ((entry = readdir(dir)) && n++ < MDEVS_MAX) {
		if (strlen(entry->d_name) != UUID_LENGTH || !parent_of(look->root, entry->d_name, &parent) || !is_on(look->gpu, parent))
			continue;
		if (add_mdev(m, entry->d_name, parent) < 0)
			return -ENOMEM;
	}
	if (m->n)
		qsort(m->list, m->n, sizeof(*m->list), by_uuid);
	return 0;
}

static struct gs_vf *vf_at(const struct gs_gpu *gpu, struct gs_bdf bdf)
{
	for (size_t i = 0; i < gpu->vfs.n_functions; i++) {
		if (gs_bdf_compare(gpu->vfs.functions[i]->bdf, bdf) == 0)
			return gpu->vfs.functions[i];
	}
	return NULL;
}

static struct gs_u32 read_number(struct gs_root *root, const char *uuid, const char *file, uint32_t none)
{
	uint64_t value;

	/* «Not Applicable» when the mode is off (interfaces 1.6) */
	if (gs_root_read_u64(root, 10, &value, MDEV_DEVICES "/%s/nvidia/%s", uuid, file) < 0 || value >= none)
		return GS_U32_UNKNOWN;
	return GS_U32((uint32_t)value);
}

static int fill_profile(struct gs_family_look *look, struct gs_vgpu_grid *g, const struct mdev *m, struct gs_instance *inst)
{
	GS_FREE char *dir = NULL, *name = NULL;

	if (gs_root_readlink_name(look->root, &dir, MDEV_DEVICES "/%s/mdev_type", m->uuid) < 0) {
		inst->profile = "mdev";
		return 0;
	}
	inst->profile_id = type_number(dir);
	if (inst->profile_id.known)
		inst->profile = gs_vgpu_grid_name(g, inst->profile_id.value);
	else if (gs_root_read(look->root, &name, MDEV_DEVICES "/%s/mdev_type/name", m->uuid) == 0 && name[0])
		inst->profile = gs_snapshot_text(look->snapshot, gs_vgpu_name_short(name));
	else
		inst->profile = gs_snapshot_text(look->snapshot, dir);
	return inst->profile ? 0 : -ENOMEM;
}

/* @rank: among the GPU's own mdevs, where there are no VFs to count by. */
static int add_instance(struct gs_family_look *look, struct gs_vgpu_grid *g, const struct mdev *m, uint32_t rank)
{
	struct gs_vf *vf = vf_at(look->gpu, m->parent);
	uint32_t slot = vf ? vf->n : rank;
	GS_FREE char *params = NULL;
	struct gs_instance *inst;
	int r;

	if (slot >= GS_GRID_UNITS_MAX)
		return 0;
	inst = gs_gpu_add_instance(look->snapshot, look->gpu);
	if (!inst)
		return -ENOMEM;
	inst->id = slot;
	inst->kind = GS_KIND_VGPU;
	inst->uuid = gs_snapshot_text(look->snapshot, m->uuid);
	inst->vf = vf ? GS_U32(vf->n) : GS_U32_UNKNOWN;
	inst->start = GS_U32(slot);
	inst->size = GS_U32(1);
	inst->placement_id = read_number(look->root, m->uuid, "placement_id", 0xffff);
	inst->gi = read_number(look->root, m->uuid, "gpu_instance_id", UINT32_MAX);
	r = inst->uuid ? fill_profile(look, g, m, inst) : -ENOMEM;
	if (r == 0 && vf)
		vf->type = inst->profile;
	if (r == 0 && gs_root_read(look->root, &params, MDEV_DEVICES "/%s/nvidia/vgpu_params", m->uuid) == 0)
		r = gs_params_read(look->snapshot, inst, params);
	return r;
}

static int add_instances(struct gs_family_look *look, struct gs_vgpu_grid *g)
{
	struct mdevs m = { 0 };
	uint32_t rank = 0;
	int r = find_mdevs(look, &m);

	for (size_t i = 0; r == 0 && i < m.n; i++)
		r = add_instance(look, g, &m.list[i], vf_at(look->gpu, m.list[i].parent) ? 0 : rank++);
	free(m.list);
	return r;
}

/* ---------------------------------------------------------------- the GPU */

/* The PF itself, or the first VF that is a parent: all have the same types. */
static bool find_parent(struct gs_family_look *look, struct gs_bdf *ret_parent)
{
	if (gs_function_has(look->root, look->gpu->bdf, "mdev_supported_types")) {
		*ret_parent = look->gpu->bdf;
		return true;
	}
	for (size_t i = 0; i < look->gpu->vfs.n_functions; i++) {
		*ret_parent = look->gpu->vfs.functions[i]->bdf;
		if (gs_function_has(look->root, *ret_parent, "mdev_supported_types"))
			return true;
	}
	return false;
}

/* On a PF there is a place for as many as the smallest type allows. */
static uint32_t n_slots(const struct gs_family_look *look, const struct gs_vgpu_grid *g, bool is_on_pf)
{
	uint32_t most = 0;

	if (!is_on_pf)
		return look->gpu->vfs.total.known ? look->gpu->vfs.total.value : (uint32_t)look->gpu->vfs.n_functions;
	for (size_t i = 0; i < g->n; i++)
		most = g->items[i].max_instances > most ? g->items[i].max_instances : most;
	return most ? most : 32;        /* interfaces 2.7: no GPU has more without MIG */
}

static int collect(struct gs_family_look *look)
{
	struct gs_vgpu_grid g;
	struct gs_bdf parent;
	bool is_on_pf;
	int r;

	if (look->gpu->framework == GS_FRAMEWORK_VENDOR_VFIO || !find_parent(look, &parent))
		return 0;
	is_on_pf = gs_bdf_compare(parent, look->gpu->bdf) == 0;
	look->gpu->framework = GS_FRAMEWORK_MDEV;
	r = gs_vgpu_grid_begin(&g, look);
	if (r == 0)
		r = read_types(look, &g, parent);
	if (r == 0)
		r = add_instances(look, &g);
	if (r == 0)
		r = gs_vgpu_grid_finish(&g, n_slots(look, &g, is_on_pf));
	/* GVT-g leaves the GPU to its host as well, NVIDIA's does not: there is nothing to switch on a PF, so it is in this mode */
	if (r == 0)
		gs_vgpu_set_mode(look, true);
	if (r == 0 && is_on_pf && look->gpu->vendor == GS_VENDOR_NVIDIA)
		look->gpu->modes &= ~(1u << GS_MODE_WHOLE);
	if (r == 0 && look->gpu->vendor != GS_VENDOR_NVIDIA)
		look->gpu->grids[GS_KIND_VGPU].has_one_size = false;
	return r;
}

const struct gs_family gs_family_mdev = { "mdev", collect, NULL, NULL };
