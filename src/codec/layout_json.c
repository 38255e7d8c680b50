/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Layout to JSON: the same bytes for machines that agree, whatever order they were built in. */
#include "codec/layout_text.h"

#include <errno.h>
#include <string.h>

static int compare_optional(struct gs_u32 a, struct gs_u32 b)
{
	if (a.known != b.known)
		return a.known ? -1 : 1;
	return !a.known || a.value == b.value ? 0 : a.value < b.value ? -1 : 1;
}

static int compare_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int compare_wants(const void *a, const void *b)
{
	const struct gs_want *x = *(const struct gs_want *const *)a, *y = *(const struct gs_want *const *)b;
	int r = (int)x->kind - (int)y->kind;

	if (!r)
		r = compare_optional(x->start, y->start);
	if (!r)
		r = compare_text(x->profile, y->profile);
	return r ? r : compare_text(x->uuid, y->uuid);
}

/* Without VFs the slots of vGPUs are numbered as they were found: their UUID says who is who. */
static int compare_wants_without_vfs(const void *a, const void *b)
{
	const struct gs_want *x = *(const struct gs_want *const *)a, *y = *(const struct gs_want *const *)b;
	int r = x->kind == GS_KIND_VGPU && y->kind == GS_KIND_VGPU ? compare_text(x->uuid, y->uuid) : 0;

	return r ? r : compare_wants(a, b);
}

static int compare_computes(const void *a, const void *b)
{
	const struct gs_want_compute *x = *(const struct gs_want_compute *const *)a, *y = *(const struct gs_want_compute *const *)b;
	int r = compare_optional(x->start, y->start);

	return r ? r : compare_text(x->profile, y->profile);
}

/* Without memory «untouched» is what a reader must see, not an empty list, which means «none». */
static struct json_object *null_of(struct json_object *list)
{
	json_object_put(list);
	return NULL;
}

static struct json_object *compute_to_json(const char *profile, struct gs_u32 start)
{
	struct json_object *o = json_object_new_object();

	gs_json_add_string(o, "profile", profile);
	gs_json_add_u32(o, "start", start);
	return o;
}

/* The default written out: what fills the GI, at its first place. */
static struct json_object *default_compute(const struct gs_want *w, const struct gs_gpu *gpu)
{
	const struct gs_profile *p = w->profile ? gs_profile_by_name(&gpu->grids[GS_KIND_MIG], w->profile) : NULL;
	const struct gs_compute_profile *c = p ? gs_compute_profile_default(p) : NULL;

	if (!c)
		return compute_to_json(w->profile, GS_U32(0));
	return compute_to_json(c->name, GS_U32(c->n_placements ? c->placements[0].start : 0));
}

static struct json_object *computes_to_json(const struct gs_want *w, const struct gs_gpu *gpu)
{
	struct json_object *list = json_object_new_array();
	const struct gs_want_compute **sorted;

	if (w->compute_default)
		json_object_array_add(list, default_compute(w, gpu));
	if (w->compute_default || !w->n_compute)
		return list;
	sorted = calloc(w->n_compute, sizeof(const struct gs_want_compute *));
	if (!sorted)
		return null_of(list);
	for (size_t i = 0; i < w->n_compute; i++)
		sorted[i] = &w->compute[i];
	qsort(sorted, w->n_compute, sizeof(const struct gs_want_compute *), compare_computes);
	for (size_t i = 0; i < w->n_compute; i++)
		json_object_array_add(list, compute_to_json(sorted[i]->profile, sorted[i]->start));
	free(sorted);
	return list;
}

static int compare_params(const void *a, const void *b)
{
	return strcmp(((const struct gs_key_value *)a)->key, ((const struct gs_key_value *)b)->key);
}

static struct json_object *params_to_json(const struct gs_want *w)
{
	struct json_object *o = json_object_new_object();
	struct gs_key_value *sorted;

	if (!w->n_params)
		return o;
	sorted = calloc(w->n_params, sizeof(*sorted));
	if (!sorted)
		return null_of(o);
	memcpy(sorted, w->params, w->n_params * sizeof(*sorted));
	qsort(sorted, w->n_params, sizeof(*sorted), compare_params);
	for (size_t i = 0; i < w->n_params; i++)
		gs_json_add_string(o, sorted[i].key, sorted[i].value);
	free(sorted);
	return o;
}

/* The GPU instance that a MIG-backed vGPU lies in, NULL where the driver chooses. */
static struct json_object *on_to_json(const struct gs_want *w)
{
	return w->on_profile ? compute_to_json(w->on_profile, w->on_start) : NULL;
}

/* Without SR-IOV the slot of a vGPU is only a number. */
static bool has_vfs(const struct gs_gpu *gpu)
{
	return gpu->vfs.total.known && gpu->vfs.total.value;
}

static struct json_object *want_to_json(const struct gs_want *w, const struct gs_gpu *gpu)
{
	struct json_object *o = json_object_new_object();
	bool is_mig = w->kind == GS_KIND_MIG;

	gs_json_add_string(o, "kind", gs_instance_kind_name(w->kind));
	gs_json_add_string(o, "profile", w->profile);
	gs_json_add_u32(o, "start", is_mig ? w->start : w->placement_id);
	json_object_object_add(o, "on", on_to_json(w));
	gs_json_add_u32(o, "vf", !is_mig && has_vfs(gpu) ? w->start : GS_U32_UNKNOWN);
	gs_json_add_string(o, "uuid", is_mig ? NULL : w->uuid);
	json_object_object_add(o, "params", params_to_json(w));
	json_object_object_add(o, "compute", is_mig ? computes_to_json(w, gpu) : json_object_new_array());
	return o;
}

/* Passthrough and partitions follow from the mode and the settings, VFs from their number; only parameters do not. */
static bool is_derived(const struct gs_want *w)
{
	return w->kind == GS_KIND_PASSTHROUGH || w->kind == GS_KIND_PARTITION || (w->kind == GS_KIND_SRIOV && !w->n_params);
}

static struct json_object *wants_to_json(const struct gs_layout_gpu *g, const struct gs_gpu *gpu)
{
	struct json_object *list = json_object_new_array();
	const struct gs_want **sorted;

	if (!g->n_wants)
		return list;
	sorted = calloc(g->n_wants, sizeof(const struct gs_want *));
	if (!sorted)
		return null_of(list);
	for (size_t i = 0; i < g->n_wants; i++)
		sorted[i] = &g->wants[i];
	qsort(sorted, g->n_wants, sizeof(const struct gs_want *), has_vfs(gpu) ? compare_wants : compare_wants_without_vfs);
	for (size_t i = 0; i < g->n_wants; i++)
		if (!is_derived(sorted[i]))
			json_object_array_add(list, want_to_json(sorted[i], gpu));
	free(sorted);
	return list;
}

/* ---- the GPU ---- */

static const char *asked_setting(const struct gs_layout_gpu *g, const char *key)
{
	for (size_t i = g->n_settings; i-- > 0;)
		if (strcmp(g->settings[i].key, key) == 0)
			return g->settings[i].value;
	return NULL;
}

/* "mixed" and the like can be read, but nobody could ask for it. */
static bool can_be_written(const struct gs_setting *setting, const char *value)
{
	char why[256];

	return value && !setting->fixed && !gs_setting_refuses(setting, value, why, sizeof(why));
}

/* What waits for a reload has been asked for: a layout that left it out would take it back. */
static struct json_object *settings_to_json(const struct gs_layout_gpu *g, const struct gs_gpu *gpu)
{
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < gpu->n_settings; i++) {
		const struct gs_setting *setting = gpu->settings[i];
		const char *asked = asked_setting(g, setting->key), *value = setting->pending ? setting->pending : setting->value;

		if (asked || can_be_written(setting, value))
			gs_json_add_string(o, setting->key, asked ? asked : value);
	}
	return o;
}

/* The number says more than the mode, which would mean all of them. */
static struct gs_u32 vfs_of(const struct gs_layout_gpu *g)
{
	bool counts = g->mode == GS_MODE_SRIOV || g->mode == GS_MODE_VGPU || g->mode == GS_MODE_MIG_VGPU;

	return counts && g->vfs.known && g->vfs.value ? g->vfs : GS_U32_UNKNOWN;
}

static struct json_object *match_to_json(const struct gs_gpu *gpu)
{
	struct json_object *o = json_object_new_object();
	char bdf[GS_BDF_TEXT];

	gs_json_add_string(o, "uuid", gpu->uuid);
	gs_json_add_string(o, "bdf", gs_bdf_format(gpu->bdf, bdf));
	gs_json_add_string(o, "pci_id", gpu->pci_id);
	gs_json_add_string(o, "subsystem_id", gpu->subsystem_id);
	return o;
}

static struct json_object *gpu_to_json(const struct gs_layout_gpu *asked, const struct gs_gpu *gpu)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "match", match_to_json(gpu));
	gs_json_add_string(o, "mode", gs_mode_name(asked->mode));
	json_object_object_add(o, "settings", settings_to_json(asked, gpu));
	gs_json_add_u32(o, "vfs", vfs_of(asked));
	/* what is on a GPU that nobody can talk to is not known: null is «untouched» */
	json_object_object_add(o, "instances", gpu->lost ? NULL : wants_to_json(asked, gpu));
	return o;
}

int gs_layout_digest(const struct gs_layout *bound, const struct gs_snapshot *s, size_t i, struct gs_digest *ret_digest)
{
	GS_JSON struct json_object *o = gpu_to_json(&bound->gpus[i], gs_snapshot_gpu(s, i));
	size_t n = 0;
	const char *text = o ? json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN, &n) : NULL;

	if (!text)
		return -ENOMEM;
	*ret_digest = gs_digest_of(text, n);
	return 0;
}

struct json_object *gs_layout_to_json(const struct gs_layout *bound, const struct gs_snapshot *s)
{
	struct json_object *o = json_object_new_object(), *gpus;

	if (!o)
		return NULL;
	gpus = json_object_new_array();
	gs_json_add_string(o, "schema", "gpuslice.layout/1");
	for (size_t i = 0; i < bound->n_gpus && i < gs_snapshot_n_gpus(s); i++)
		json_object_array_add(gpus, gpu_to_json(&bound->gpus[i], gs_snapshot_gpu(s, i)));
	json_object_object_add(o, "gpus", gpus);
	return o;
}
