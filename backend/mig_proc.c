/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/mig_proc.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/strbuf.h"

#define CAPABILITIES "proc/driver/nvidia/capabilities/gpu%" PRIu32 "/mig"
/* gi0-14 and 8 CIs each (interfaces 5.10), with room to spare */
#define IDS_MAX 64
#define ENTRIES_MAX 256

/* "gi7" with @prefix "gi" is 7. */
static bool parse_id(const char *name, const char *prefix, uint32_t *ret_id)
{
	size_t n = strlen(prefix);

	return strncmp(name, prefix, n) == 0 && gs_parse_u32(name + n, 10, ret_id) == 0;
}

/* The ids of a directory's entries, in no order; at most IDS_MAX. */
static size_t read_ids(DIR *dir, const char *prefix, uint32_t ids[IDS_MAX])
{
	const struct dirent *entry;
	size_t n = 0, seen = 0;

	while (n < IDS_MAX && seen++ < ENTRIES_MAX && (entry = readdir(dir)))
		n += parse_id(entry->d_name, prefix, &ids[n]);
	return n;
}

static struct gs_instance *instance_of(struct gs_snapshot *s, struct gs_gpu *gpu, uint32_t id)
{
	struct gs_instance *inst;

	for (size_t i = 0; i < gpu->n_instances; i++)
		if (gpu->instances[i]->kind == GS_KIND_MIG && gpu->instances[i]->id == id)
			return gpu->instances[i];
	inst = gpu->n_instances < GS_GRID_UNITS_MAX ? gs_gpu_add_instance(s, gpu) : NULL;
	if (!inst)
		return NULL;
	inst->id = id;
	inst->kind = GS_KIND_MIG;
	gpu->placements_visible = false;
	return inst;
}

static bool has_compute(const struct gs_instance *inst, uint32_t id)
{
	for (size_t i = 0; i < inst->n_compute; i++)
		if (inst->compute[i]->id == id)
			return true;
	return false;
}

static int read_instance(struct gs_root *root, struct gs_snapshot *s, struct gs_gpu *gpu, uint32_t minor, uint32_t id)
{
	struct gs_instance *inst = instance_of(s, gpu, id);
	GS_CLOSEDIR DIR *dir = NULL;
	uint32_t ids[IDS_MAX];
	size_t n;

	if (!inst)
		return gpu->n_instances < GS_GRID_UNITS_MAX ? -ENOMEM : 0;
	if (gs_root_opendir(root, &dir, CAPABILITIES "/gi%" PRIu32, minor, id) < 0)
		return 0;
	n = read_ids(dir, "ci", ids);
	for (size_t i = 0; i < n; i++) {
		struct gs_compute *c;

		if (has_compute(inst, ids[i]) || inst->n_compute == IDS_MAX)
			continue;
		c = gs_instance_add_compute(s, inst);
		if (!c)
			return -ENOMEM;
		c->id = ids[i];
	}
	return 0;
}

int gs_mig_proc_read(struct gs_root *root, struct gs_snapshot *s, struct gs_gpu *gpu, uint32_t minor)
{
	GS_CLOSEDIR DIR *dir = NULL;
	uint32_t ids[IDS_MAX];
	size_t n;

	if (gs_root_opendir(root, &dir, CAPABILITIES, minor) < 0)
		return 0;
	n = read_ids(dir, "gi", ids);
	/* they exist in MIG mode only, so that is what it is in when nobody else can tell */
	if (n && gpu->mode == GS_MODE_INVALID) {
		gpu->mode = GS_MODE_MIG;
		gpu->modes |= 1u << GS_MODE_WHOLE | 1u << GS_MODE_MIG;
	}
	for (size_t i = 0; i < n; i++) {
		int r = read_instance(root, s, gpu, minor, ids[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

/* What this viewer is not told of the instances of all GPUs. */
struct missing {
	size_t places, profiles;
	bool from_catalogue;
};

static void count_missing(const struct gs_gpu *gpu, struct missing *m)
{
	for (size_t i = 0; i < gpu->n_instances; i++) {
		if (gpu->instances[i]->kind != GS_KIND_MIG)
			continue;
		m->places += !gpu->instances[i]->start.known;
		m->profiles += !gpu->instances[i]->profile;
	}
	m->from_catalogue |= gpu->grids[GS_KIND_MIG].source == GS_PROFILES_CATALOGUE;
}

void gs_mig_note_missing(struct gs_snapshot *s, struct gs_gpu *const *gpus, size_t n)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	struct missing m = { .places = 0 };

	for (size_t i = 0; i < n; i++)
		if (gpus[i]->mode == GS_MODE_MIG && !gpus[i]->lost)
			count_missing(gpus[i], &m);
	if (m.places)
		gs_strbuf_printf(&b, "where %zu MIG instance%s", m.places, m.places == 1 ? " is" : "s are");
	if (m.profiles)
		gs_strbuf_printf(&b, "%swhat %zu of them %s", b.length ? ", " : "", m.profiles, m.profiles == 1 ? "is" : "are");
	if (m.from_catalogue)
		gs_strbuf_printf(&b, "%swhich places profiles have (those of the catalogue are shown)", b.length ? ", and " : "");
	if (b.length && !b.failed)
		gs_snapshot_add_notice(s, "not told here: %s. The driver tells root; a gpuslice that root runs publishes the places for viewers", b.text);
}
