/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/catalogue_vgpu.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "codec/profile_codec.h"
#include "codec/vgpu_text.h"

#define BOARD_SCHEMA "gpuslice.vgpu-board/1"
#define TYPES_MAX 256           /* of a board; the V100's six forms have 109 */
#define VARIANTS_MAX 16
#define INSTANCES_MAX 64        /* VFs per GPU (interfaces 2.7) */
#define HEADS_MAX 16
#define FRAME_LIMIT_MAX 1000

#define NUMBER_OR_NULL (GS_JSON_NUMBER | GS_JSON_NULL)
#define STRING_OR_NULL (GS_JSON_STRING | GS_JSON_NULL)
#define BOOL_OR_NULL (GS_JSON_BOOL | GS_JSON_NULL)

static const struct gs_json_key board_keys[] = {
	{ "schema", GS_JSON_STRING },
	{ "board", GS_JSON_STRING },
	{ "architecture", GS_JSON_STRING },
	{ "pci", GS_JSON_ARRAY },
	{ "gpus_per_board", GS_JSON_NUMBER },
	{ "memory_bytes", NUMBER_OR_NULL },
	{ "sriov", GS_JSON_BOOL },
	{ "total_vfs", NUMBER_OR_NULL },
	{ "mig_model", STRING_OR_NULL },
	{ "mixed_size", BOOL_OR_NULL },
	{ "variants", GS_JSON_ARRAY },
	{ "types", GS_JSON_ARRAY },
	{ "notes", GS_JSON_ARRAY },
	{ "unverified", GS_JSON_ARRAY },
	{ "sources", GS_JSON_ARRAY },
};

static const struct gs_json_key variant_keys[] = {
	{ "prefix", GS_JSON_STRING },
	{ "memory_bytes", NUMBER_OR_NULL },
	{ "mig_model", STRING_OR_NULL },
	{ "pci", GS_JSON_ARRAY },
};

static const struct gs_json_key type_keys[] = {
	{ "name", GS_JSON_STRING },
	{ "full_name", STRING_OR_NULL },
	{ "series", GS_JSON_STRING },
	{ "mig_backed", GS_JSON_BOOL },
	{ "type_id", NUMBER_OR_NULL },
	{ "type_id_inferred", NUMBER_OR_NULL },
	{ "framebuffer_bytes", GS_JSON_NUMBER },
	{ "max_instances", NUMBER_OR_NULL },
	{ "max_instances_mixed", NUMBER_OR_NULL },
	{ "max_per_gi", NUMBER_OR_NULL },
	{ "gi_profile", STRING_OR_NULL },
	{ "gi_profile_id", NUMBER_OR_NULL },
	{ "heads", NUMBER_OR_NULL },
	{ "max_resolution", STRING_OR_NULL },
	{ "frame_limit", NUMBER_OR_NULL },
	{ "evidence", GS_JSON_OBJECT },
	{ "sources", GS_JSON_ARRAY },
};

static const struct gs_json_key evidence_keys[] = {
	{ "framebuffer", GS_JSON_STRING },
	{ "max_instances", GS_JSON_STRING },
	{ "display", STRING_OR_NULL },
};

/* At least 1 when it is known: a 0 in these files would be an unknown that somebody wrote wrongly. */
static struct gs_u32 read_count(struct gs_json_reader *r, const char *key, uint32_t max)
{
	struct gs_u32 v = gs_json_read_u32(r, key, max);

	if (!r->failed && v.known && !v.value)
		gs_json_read_fail(r, key, "is 0; what is not known is null");
	return v;
}

static struct gs_u64 read_bytes(struct gs_json_reader *r, const char *key)
{
	struct gs_u64 v = gs_json_read_u64(r, key);

	if (!r->failed && v.known && !v.value)
		gs_json_read_fail(r, key, "is 0; what is not known is null");
	return v;
}

/* A PCI id of a variant is one of the board's. */
static void check_variant(struct gs_json_reader *r, const struct gs_vgpu_board *b, const struct gs_vgpu_variant *v)
{
	for (size_t i = 0; i < v->n_pci_ids && !r->failed; i++) {
		bool is_there = false;

		for (size_t k = 0; k < b->n_pci; k++)
			is_there |= gs_str_equal(b->pci[k].id, v->pci_ids[i]);
		if (!is_there)
			gs_json_read_fail(r, "pci", "%s is not one of the board's", v->pci_ids[i] ? v->pci_ids[i] : "-");
	}
	for (const struct gs_vgpu_variant *other = b->variants; other < v && !r->failed; other++)
		if (gs_str_equal(other->prefix, v->prefix))
			gs_json_read_fail(r, "prefix", "\"%.32s\" is there twice", v->prefix ? v->prefix : "");
}

static void read_variants(struct gs_json_reader *r, struct gs_arena *a, struct gs_vgpu_board *b)
{
	struct json_object *list;
	size_t n = gs_json_read_array(r, "variants", VARIANTS_MAX, &list);
	struct gs_json_where variants = { r->where, "variants", 0 };
	struct gs_vgpu_variant *items = gs_arena_calloc(a, n, sizeof(*items));

	b->variants = items;
	for (size_t i = 0; items && i < n && !r->failed; i++) {
		struct gs_json_where where = { &variants, NULL, i };
		struct gs_json_reader in = gs_json_reader_of(json_object_array_get_idx(list, i), &where, r->e);
		struct gs_vgpu_variant *v = &items[i];

		gs_json_read_keys(&in, variant_keys, GS_ARRAY_SIZE(variant_keys));
		v->prefix = gs_arena_text(a, gs_json_read_name(&in, "prefix"));
		v->memory_bytes = read_bytes(&in, "memory_bytes");
		v->mig_model = gs_arena_text(a, gs_json_read_string(&in, "mig_model"));
		gs_model_pci_ids_read(&in, "pci", a, &v->pci_ids, &v->n_pci_ids);
		check_variant(&in, b, v);
		r->failed = in.failed;
	}
	b->n_variants = items ? n : 0;
}

static const struct gs_vgpu_variant *variant_of(const struct gs_vgpu_board *b, const char *name, size_t n_prefix)
{
	for (size_t i = 0; i < b->n_variants; i++)
		if (b->variants[i].prefix && strlen(b->variants[i].prefix) == n_prefix && memcmp(b->variants[i].prefix, name, n_prefix) == 0)
			return &b->variants[i];
	return NULL;
}

/* What a name says must be what its row says. */
static void check_name(struct gs_json_reader *r, const struct gs_vgpu_board *b, struct gs_vgpu_type *t)
{
	struct gs_vgpu_name name;

	if (r->failed || !t->name)
		return;
	if (gs_vgpu_name_short(t->name) != t->name || strlen(t->name) >= GS_VGPU_NAME_SIZE || gs_vgpu_name_parse(t->name, &name) < 0) {
		gs_json_read_fail(r, "name", "\"%.64s\" is no short name of a vGPU type", t->name);
		return;
	}
	t->variant = variant_of(b, t->name, name.n_prefix);
	if (!t->variant)
		gs_json_read_fail(r, "name", "\"%.64s\" belongs to no variant", t->name);
	else if (name.series != t->series)
		gs_json_read_fail(r, "series", "is not that of \"%.64s\"", t->name);
	else if ((name.compute_slices > 0) != t->is_mig_backed)
		gs_json_read_fail(r, "mig_backed", "is not what \"%.64s\" says", t->name);
	else if (t->full_name && strcmp(gs_vgpu_name_short(t->full_name), t->name) != 0)
		gs_json_read_fail(r, "full_name", "is not \"%.64s\" with a prefix", t->name);
}

/* What only a MIG-backed type has. */
static void check_gi(struct gs_json_reader *r, const struct gs_vgpu_type *t)
{
	if (r->failed)
		return;
	if (!t->is_mig_backed && (t->max_per_gi.known || t->gi_profile || t->gi_profile_id.known))
		gs_json_read_fail(r, "gi_profile", "a time-sliced type is in no GPU instance");
	else if (t->gi_profile && !t->variant->mig_model)
		gs_json_read_fail(r, "gi_profile", "the variant %s names no MIG model", t->variant->prefix);
	else if (!t->gi_profile != !t->gi_profile_id.known)
		gs_json_read_fail(r, "gi_profile", "name and id are known together or not at all");
}

static bool is_id_of(const struct gs_vgpu_type *t, struct gs_u32 id)
{
	return id.known && (gs_u32_is(t->type_id, id.value) || gs_u32_is(t->type_id_inferred, id.value));
}

static void check_unique(struct gs_json_reader *r, const struct gs_vgpu_type *types, const struct gs_vgpu_type *t)
{
	for (const struct gs_vgpu_type *other = types; other < t && !r->failed; other++) {
		if (gs_str_equal(other->name, t->name))
			gs_json_read_fail(r, "name", "\"%.64s\" is there twice", t->name ? t->name : "");
		else if (is_id_of(other, t->type_id))
			gs_json_read_fail(r, "type_id", "%u is there twice", t->type_id.value);
		else if (is_id_of(other, t->type_id_inferred))
			gs_json_read_fail(r, "type_id_inferred", "%u is there twice", t->type_id_inferred.value);
	}
}

static void check_evidence(struct gs_json_reader *r)
{
	struct gs_json_where where = { r->where, "evidence", 0 };
	struct gs_json_reader in;

	if (r->failed)
		return;
	in = gs_json_reader_of(gs_json_read_object(r, "evidence"), &where, r->e);
	gs_json_read_keys(&in, evidence_keys, GS_ARRAY_SIZE(evidence_keys));
	r->failed = in.failed;
}

static void read_type(struct gs_json_reader *r, struct gs_arena *a, const struct gs_vgpu_board *b, struct gs_vgpu_type *t)
{
	const char *series;

	gs_json_read_keys(r, type_keys, GS_ARRAY_SIZE(type_keys));
	t->name = gs_arena_text(a, gs_json_read_name(r, "name"));
	t->full_name = gs_arena_text(a, gs_json_read_string(r, "full_name"));
	series = gs_json_read_name(r, "series");
	t->series = series && strlen(series) == 1 ? series[0] : '\0';
	t->is_mig_backed = gs_json_read_bool(r, "mig_backed", false);
	t->type_id = read_count(r, "type_id", UINT32_MAX);
	t->type_id_inferred = read_count(r, "type_id_inferred", UINT32_MAX);
	t->framebuffer_bytes = read_bytes(r, "framebuffer_bytes");
	t->max_instances = read_count(r, "max_instances", INSTANCES_MAX);
	t->max_instances_mixed = read_count(r, "max_instances_mixed", INSTANCES_MAX);
	t->max_per_gi = read_count(r, "max_per_gi", INSTANCES_MAX);
	t->gi_profile = gs_arena_text(a, gs_json_read_string(r, "gi_profile"));
	t->gi_profile_id = gs_json_read_u32(r, "gi_profile_id", UINT32_MAX);
	t->heads = read_count(r, "heads", HEADS_MAX);
	t->max_resolution = gs_arena_text(a, gs_json_read_string(r, "max_resolution"));
	t->frame_limit = read_count(r, "frame_limit", FRAME_LIMIT_MAX);
	check_evidence(r);
	gs_model_strings_read(r, "sources", a, NULL, NULL);
	check_name(r, b, t);
	check_gi(r, t);
}

static void read_types(struct gs_json_reader *r, struct gs_arena *a, struct gs_vgpu_board *b)
{
	struct json_object *list;
	size_t n = gs_json_read_array(r, "types", TYPES_MAX, &list);
	struct gs_json_where types = { r->where, "types", 0 };
	struct gs_vgpu_type *items = gs_arena_calloc(a, n, sizeof(*items));

	for (size_t i = 0; items && i < n && !r->failed; i++) {
		struct gs_json_where where = { &types, NULL, i };
		struct gs_json_reader in = gs_json_reader_of(json_object_array_get_idx(list, i), &where, r->e);

		read_type(&in, a, b, &items[i]);
		check_unique(&in, items, &items[i]);
		r->failed = in.failed;
	}
	b->types = items;
	b->n_types = items ? n : 0;
}

int gs_vgpu_board_read(struct json_object *o, const char *path, const char *file, struct gs_arena *a, struct gs_vgpu_board *ret_board,
		       struct gs_error *e)
{
	struct gs_json_where where = { NULL, path, 0 };
	struct gs_json_reader r = gs_json_reader_of(o, &where, e);
	struct gs_vgpu_board b = { .file = gs_arena_strdup(a, file) };
	const char *schema;

	gs_json_read_keys(&r, board_keys, GS_ARRAY_SIZE(board_keys));
	schema = gs_json_read_name(&r, "schema");
	if (!r.failed && strcmp(schema, BOARD_SCHEMA) != 0)
		gs_json_read_fail(&r, "schema", "must be \"%s\"", BOARD_SCHEMA);
	b.name = gs_arena_text(a, gs_json_read_name(&r, "board"));
	b.architecture = gs_arena_text(a, gs_json_read_name(&r, "architecture"));
	gs_model_pcis_read(&r, a, &b.pci, &b.n_pci);
	b.gpus_per_board = read_count(&r, "gpus_per_board", GS_GRID_UNITS_MAX).value;
	b.memory_bytes = read_bytes(&r, "memory_bytes");
	b.is_sriov = gs_json_read_bool(&r, "sriov", false);
	b.total_vfs = read_count(&r, "total_vfs", INSTANCES_MAX);
	b.mig_model = gs_arena_text(a, gs_json_read_string(&r, "mig_model"));
	/* null is what both otherwises show through */
	b.is_mixed_size_known = gs_json_read_bool(&r, "mixed_size", true) == gs_json_read_bool(&r, "mixed_size", false);
	b.can_mixed_size = gs_json_read_bool(&r, "mixed_size", false);
	read_variants(&r, a, &b);
	read_types(&r, a, &b);
	gs_model_strings_read(&r, "notes", a, NULL, NULL);
	gs_model_strings_read(&r, "unverified", a, NULL, NULL);
	gs_model_strings_read(&r, "sources", a, NULL, NULL);
	if (r.failed)
		return r.failed;
	if (gs_arena_has_failed(a))
		return gs_error_oom(e);
	*ret_board = b;
	return 0;
}

const struct gs_vgpu_type *gs_vgpu_type_by_name(const struct gs_vgpu_board *b, const char *name)
{
	const char *wanted = gs_vgpu_name_short(name);

	for (size_t i = 0; i < b->n_types; i++)
		if (strcmp(b->types[i].name, wanted) == 0)
			return &b->types[i];
	return NULL;
}

const struct gs_vgpu_type *gs_vgpu_type_by_id(const struct gs_vgpu_board *b, uint32_t type_id)
{
	for (size_t i = 0; i < b->n_types; i++)
		if (gs_u32_is(b->types[i].type_id, type_id))
			return &b->types[i];
	return NULL;
}

bool gs_vgpu_type_is_for(const struct gs_vgpu_type *t, const char *pci_id)
{
	for (size_t i = 0; i < t->variant->n_pci_ids; i++)
		if (gs_str_equal_nocase(t->variant->pci_ids[i], pci_id))
			return true;
	return !t->variant->n_pci_ids;
}
