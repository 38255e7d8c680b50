/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Layout to JSON: the same bytes for machines that agree, whatever order they were built in. */
#include "codec/layout_text.h"

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
	return r ? r : compare_text(x->profile, y->profile);
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

static struct json_object *want_to_json(const struct gs_want *w, const struct gs_gpu *gpu)
{
	struct json_object *o = json_object_new_object();

	gs_json_add_string(o, "kind", gs_instance_kind_name(w->kind));
	gs_json_add_string(o, "profile", w->profile);
	gs_json_add_u32(o, "start", w->start);
	gs_json_add_string(o, "on", NULL);
	gs_json_add_string(o, "vf", NULL);
	gs_json_add_string(o, "uuid", NULL);
	json_object_object_add(o, "params", json_object_new_object());
	json_object_object_add(o, "compute", computes_to_json(w, gpu));
	return o;
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
	qsort(sorted, g->n_wants, sizeof(const struct gs_want *), compare_wants);
	for (size_t i = 0; i < g->n_wants; i++)
		json_object_array_add(list, want_to_json(sorted[i], gpu));
	free(sorted);
	return list;
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

struct json_object *gs_layout_to_json(const struct gs_layout *bound, const struct gs_snapshot *s)
{
	struct json_object *o = json_object_new_object(), *gpus;

	if (!o)
		return NULL;
	gpus = json_object_new_array();
	gs_json_add_string(o, "schema", "gpuslice.layout/1");
	for (size_t i = 0; i < bound->n_gpus && i < gs_snapshot_n_gpus(s); i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(s, i);
		struct json_object *g = json_object_new_object();

		json_object_object_add(g, "match", match_to_json(gpu));
		gs_json_add_string(g, "mode", gs_mode_name(bound->gpus[i].mode));
		json_object_object_add(g, "settings", json_object_new_object());
		gs_json_add_string(g, "vfs", NULL);
		/* what is on a GPU that nobody can talk to is not known: null is «untouched» */
		json_object_object_add(g, "instances", gpu->lost ? NULL : wants_to_json(&bound->gpus[i], gpu));
		json_object_array_add(gpus, g);
	}
	json_object_object_add(o, "gpus", gpus);
	return o;
}
