/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/catalogue_model.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "codec/profile_codec.h"

#define MODEL_SCHEMA "gpuslice.mig-model/1"

#define NUMBER_OR_NULL (GS_JSON_NUMBER | GS_JSON_NULL)
#define BOOL_OR_NULL (GS_JSON_BOOL | GS_JSON_NULL)
#define ARRAY_OR_NULL (GS_JSON_ARRAY | GS_JSON_NULL)

static const struct gs_json_key model_keys[] = {
	{ "schema", GS_JSON_STRING },
	{ "model", GS_JSON_STRING },
	{ "architecture", GS_JSON_STRING },
	{ "pci", GS_JSON_ARRAY },
	{ "grid", GS_JSON_OBJECT },
	{ "sm_count", NUMBER_OR_NULL },
	{ "sm_count_in_mig", NUMBER_OR_NULL },
	{ "engines", GS_JSON_OBJECT },
	{ "mode_switch", GS_JSON_OBJECT },
	{ "profiles", GS_JSON_ARRAY },
	{ "notes", GS_JSON_ARRAY },
	{ "unverified", GS_JSON_ARRAY },
	{ "sources", GS_JSON_ARRAY },
};

static const struct gs_json_key grid_keys[] = {
	{ "family", GS_JSON_STRING },
	{ "memory_units", NUMBER_OR_NULL },
	{ "compute_slices", GS_JSON_NUMBER },
	{ "max_instances", GS_JSON_NUMBER },
};

static const struct gs_json_key engine_keys[] = {
	{ "copy", NUMBER_OR_NULL },
	{ "decoder", NUMBER_OR_NULL },
	{ "encoder", NUMBER_OR_NULL },
	{ "jpeg", NUMBER_OR_NULL },
	{ "ofa", NUMBER_OR_NULL },
};

static const struct gs_json_key mode_switch_keys[] = {
	{ "needs_reset", BOOL_OR_NULL },
	{ "survives_reboot", BOOL_OR_NULL },
	{ "instances_survive_reboot", GS_JSON_BOOL },
	{ "sources", GS_JSON_ARRAY },
};

static const struct gs_json_key profile_keys[] = {
	{ "name", GS_JSON_STRING },
	{ "id", NUMBER_OR_NULL },
	{ "nvml_profile", GS_JSON_NUMBER },
	{ "compute_slices", GS_JSON_NUMBER },
	{ "memory_bytes", NUMBER_OR_NULL },
	{ "sm_count", NUMBER_OR_NULL },
	{ "max_instances", GS_JSON_NUMBER },
	{ "p2p", BOOL_OR_NULL },
	{ "engines", GS_JSON_OBJECT },
	{ "placements", ARRAY_OR_NULL },
	{ "driver_order", ARRAY_OR_NULL },
	{ "compute", GS_JSON_ARRAY },
	{ "evidence", GS_JSON_OBJECT },
	{ "sources", GS_JSON_ARRAY },
};

static const struct gs_json_key compute_keys[] = {
	{ "name", GS_JSON_STRING },
	{ "id", GS_JSON_NUMBER },
	{ "compute_slices", GS_JSON_NUMBER },
	{ "sm_count", NUMBER_OR_NULL },
	{ "max_instances", GS_JSON_NUMBER },
	{ "placements", GS_JSON_ARRAY },
	{ "default", GS_JSON_BOOL },
	{ "evidence", GS_JSON_STRING },
	{ "sources", GS_JSON_ARRAY },
};

static const struct gs_profile_keys keys_of_profiles = {
	profile_keys, compute_keys, GS_ARRAY_SIZE(profile_keys), GS_ARRAY_SIZE(compute_keys),
};

static void read_grid(struct gs_json_reader *r, struct gs_profile_set *set)
{
	struct gs_json_where where = { r->where, "grid", 0 };
	struct gs_json_reader in;

	if (r->failed)
		return;
	in = gs_json_reader_of(gs_json_read_object(r, "grid"), &where, r->e);
	gs_json_read_keys(&in, grid_keys, GS_ARRAY_SIZE(grid_keys));
	set->memory_units = gs_json_read_u32(&in, "memory_units", GS_GRID_UNITS_MAX).value;
	set->compute_slices = gs_json_read_number(&in, "compute_slices", GS_COMPUTE_SLICES_MAX);
	set->max_instances = gs_json_read_number(&in, "max_instances", GS_GRID_UNITS_MAX);
	r->failed = in.failed;
}

static void read_mode_switch(struct gs_json_reader *r, struct gs_gpu_model *m)
{
	struct gs_json_where where = { r->where, "mode_switch", 0 };
	struct gs_json_reader in;

	if (r->failed)
		return;
	in = gs_json_reader_of(gs_json_read_object(r, "mode_switch"), &where, r->e);
	gs_json_read_keys(&in, mode_switch_keys, GS_ARRAY_SIZE(mode_switch_keys));
	m->mode_needs_reset = gs_json_read_bool(&in, "needs_reset", false);
	m->mode_survives_reboot = gs_json_read_answer(&in, "survives_reboot", &m->mode_survival_is_known);
	r->failed = in.failed;
}

static void check_engines(struct gs_json_reader *r)
{
	struct gs_json_where where = { r->where, "engines", 0 };
	struct gs_json_reader in;

	if (r->failed)
		return;
	in = gs_json_reader_of(gs_json_read_object(r, "engines"), &where, r->e);
	gs_json_read_keys(&in, engine_keys, GS_ARRAY_SIZE(engine_keys));
	r->failed = in.failed;
}

/* What the simulator uses and we do not: the order in which the driver fills a grid. It names the starts, each once. */
static void check_driver_order(struct gs_json_reader *r, const struct gs_profile *p)
{
	struct json_object *list;
	size_t n = gs_json_read_array(r, "driver_order", GS_PLACEMENTS_MAX, &list);
	uint64_t seen = 0;

	if (!r->failed && n != p->n_placements)
		gs_json_read_fail(r, "driver_order", "names %zu starts, there are %zu placements", n, p->n_placements);
	for (size_t i = 0; i < n && !r->failed; i++) {
		struct json_object *v = json_object_array_get_idx(list, i);
		int64_t start = json_object_is_type(v, json_type_int) ? json_object_get_int64(v) : -1;
		struct gs_span span;

		if (start < 0 || start >= GS_GRID_UNITS_MAX || !gs_profile_placement_at(p, (uint32_t)start, &span) ||
		    seen & 1ull << start)
			gs_json_read_fail(r, "driver_order", "element %zu is not the start of another placement", i);
		else
			seen |= 1ull << start;
	}
}

static void check_profiles(struct gs_json_reader *r, const struct gs_profile_set *set)
{
	struct gs_json_where profiles = { r->where, "profiles", 0 };
	struct json_object *list = NULL;

	gs_json_read_array(r, "profiles", GS_PROFILES_MAX, &list);
	for (size_t i = 0; i < set->n && !r->failed; i++) {
		struct gs_json_where where = { &profiles, NULL, i };
		struct gs_json_reader in = gs_json_reader_of(json_object_array_get_idx(list, i), &where, r->e);

		check_driver_order(&in, &set->items[i]);
		r->failed = in.failed;
	}
}

/* The number before "gb" in "1g.10gb+me": vendors name memory rounded, so bytes do not sort as people expect. */
static uint32_t named_size(const char *name)
{
	const char *s = strchr(name, '.');
	uint32_t size = 0;

	for (s = s ? s + 1 : ""; *s >= '0' && *s <= '9' && size < 100000; s++)
		size = size * 10 + (uint32_t)(*s - '0');
	return size;
}

static int compare_profiles(const struct gs_profile *a, const struct gs_profile *b)
{
	bool a_suffixed = gs_profile_suffix(a)[0], b_suffixed = gs_profile_suffix(b)[0];

	if (a->compute_slices != b->compute_slices)
		return a->compute_slices < b->compute_slices ? -1 : 1;
	if (named_size(a->name) != named_size(b->name))
		return named_size(a->name) < named_size(b->name) ? -1 : 1;
	return (int)a_suffixed - (int)b_suffixed;
}

/* Insertion keeps the file's order among the suffixed ones, which qsort() would not. */
static void sort_profiles(struct gs_profile *items, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct gs_profile p = items[i];
		size_t k = i;

		for (; k && compare_profiles(&items[k - 1], &p) > 0; k--)
			items[k] = items[k - 1];
		items[k] = p;
	}
}

int gs_model_read(struct json_object *o, const char *path, const char *file, struct gs_arena *a, struct gs_gpu_model *ret_model,
		  struct gs_error *e)
{
	struct gs_json_where where = { NULL, path, 0 };
	struct gs_json_reader r = gs_json_reader_of(o, &where, e);
	struct gs_gpu_model m = { .file = gs_arena_strdup(a, file) };
	const char *schema;

	gs_json_read_keys(&r, model_keys, GS_ARRAY_SIZE(model_keys));
	schema = gs_json_read_name(&r, "schema");
	if (!r.failed && strcmp(schema, MODEL_SCHEMA) != 0)
		gs_json_read_fail(&r, "schema", "must be \"%s\"", MODEL_SCHEMA);
	m.name = gs_arena_text(a, gs_json_read_name(&r, "model"));
	m.architecture = gs_arena_text(a, gs_json_read_name(&r, "architecture"));
	m.sm_count = gs_json_read_u32(&r, "sm_count", UINT32_MAX);
	gs_model_pcis_read(&r, a, &m.pci, &m.n_pci);
	read_grid(&r, &m.profiles);
	check_engines(&r);
	read_mode_switch(&r, &m);
	gs_profiles_read(&r, "profiles", &keys_of_profiles, a, &m.profiles);
	check_profiles(&r, &m.profiles);
	gs_model_strings_read(&r, "notes", a, NULL, NULL);
	gs_model_strings_read(&r, "unverified", a, NULL, NULL);
	gs_model_strings_read(&r, "sources", a, NULL, NULL);
	if (r.failed)
		return r.failed;
	if (gs_arena_has_failed(a))
		return gs_error_oom(e);
	m.profiles.source = GS_PROFILES_CATALOGUE;
	/* the items are ours, in the arena; the set only promises not to change them */
	sort_profiles((struct gs_profile *)m.profiles.items, m.profiles.n);
	*ret_model = m;
	return 0;
}
