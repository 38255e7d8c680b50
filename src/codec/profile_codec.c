/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/profile_codec.h"

#include <string.h>

#include "base/parse.h"

static const char *const engine_names[GS_ENGINE_MAX] = {
	[GS_ENGINE_COPY] = "copy",
	[GS_ENGINE_DECODER] = "decoder",
	[GS_ENGINE_ENCODER] = "encoder",
	[GS_ENGINE_JPEG] = "jpeg",
	[GS_ENGINE_OFA] = "ofa",
};

static const char *const source_names[] = {
	[GS_PROFILES_UNKNOWN] = "unknown",
	[GS_PROFILES_DRIVER] = "driver",
	[GS_PROFILES_CATALOGUE] = "catalogue",
};

const char *gs_profile_source_name(enum gs_profile_source source)
{
	return (size_t)source < GS_ARRAY_SIZE(source_names) ? source_names[source] : source_names[GS_PROFILES_UNKNOWN];
}

const char *gs_arena_text(struct gs_arena *a, const char *s)
{
	char *copy = gs_arena_strdup(a, s);

	if (copy)
		gs_text_sanitize(copy);
	return copy;
}

/* An array of @n from the arena; fails the reader when there is no memory. */
static void *array_of(struct gs_json_reader *r, struct gs_arena *a, size_t n, size_t size)
{
	void *array = gs_arena_calloc(a, n, size);

	if (!array)
		gs_json_read_fail(r, NULL, "cannot allocate memory");
	return array;
}

static struct gs_span read_span(struct json_object *o, const struct gs_json_where *where, uint32_t units,
				const struct gs_span *before, bool strict, struct gs_json_reader *up)
{
	static const struct gs_json_key keys[] = { { "start", GS_JSON_NUMBER }, { "size", GS_JSON_NUMBER } };
	struct gs_json_reader r = gs_json_reader_of(o, where, up->e);
	struct gs_span span;

	if (strict)
		gs_json_read_keys(&r, keys, GS_ARRAY_SIZE(keys));
	span.start = gs_json_read_number(&r, "start", GS_GRID_UNITS_MAX - 1);
	span.size = gs_json_read_number(&r, "size", GS_GRID_UNITS_MAX);
	if (!r.failed && (!span.size || span.start + span.size > units))
		gs_json_read_fail(&r, NULL, "%u units from %u do not lie in a grid of %u", span.size, span.start, units);
	if (!r.failed && before && before->size != span.size)
		gs_json_read_fail(&r, "size", "is %u, the placement before has %u", span.size, before->size);
	if (!r.failed && before && before->start >= span.start)
		gs_json_read_fail(&r, "start", "is %u, the placement before starts at %u", span.start, before->start);
	up->failed = r.failed;
	return span;
}

/* "every": in a grid of slots any one is as good as another. */
#define EVERY_SLOT "every"

static const struct gs_span *every_slot(struct gs_json_reader *r, uint32_t units, struct gs_arena *a, size_t *ret_n)
{
	struct gs_span *spans = units ? array_of(r, a, units, sizeof(*spans)) : NULL;

	for (uint32_t i = 0; spans && i < units; i++)
		spans[i] = (struct gs_span){ i, 1 };
	*ret_n = spans ? units : 0;
	return spans;
}

static bool says_every_slot(struct gs_json_reader *r)
{
	struct json_object *v = NULL;

	return !r->failed && json_object_object_get_ex(r->o, "placements", &v) && json_object_is_type(v, json_type_string) &&
	       gs_str_equal(json_object_get_string(v), EVERY_SLOT);
}

/* Absent and null mean that the placements are not known. */
static const struct gs_span *read_spans(struct gs_json_reader *r, uint32_t units, bool strict, struct gs_arena *a, size_t *ret_n)
{
	struct json_object *list;
	size_t n = gs_json_read_array(r, "placements", GS_PLACEMENTS_MAX, &list);
	struct gs_json_where placements = { r->where, "placements", 0 };
	struct gs_span *spans;

	*ret_n = 0;
	if (r->failed || !n)
		return NULL;
	spans = array_of(r, a, n, sizeof(*spans));
	for (size_t i = 0; i < n && !r->failed; i++) {
		struct gs_json_where where = { &placements, NULL, i };

		spans[i] = read_span(json_object_array_get_idx(list, i), &where, units, i ? &spans[i - 1] : NULL, strict, r);
	}
	*ret_n = n;
	return spans;
}

static void read_engines(struct gs_json_reader *r, struct gs_u32 *engines)
{
	struct json_object *o = gs_json_read_object(r, "engines");
	struct gs_json_where where = { r->where, "engines", 0 };
	struct gs_json_reader in;

	if (r->failed || !o)
		return;
	in = gs_json_reader_of(o, &where, r->e);
	for (size_t i = 0; i < GS_ENGINE_MAX; i++)
		engines[i] = gs_json_read_u32(&in, engine_names[i], 1024);
	if (!in.failed && (size_t)json_object_object_length(o) > GS_ENGINE_MAX)
		gs_json_read_fail(&in, NULL, "names an unknown engine");
	r->failed = in.failed;
}

static void read_compute(struct gs_json_reader *r, const struct gs_profile_keys *keys, struct gs_arena *a,
			 const struct gs_profile *p, struct gs_compute_profile *c)
{
	if (keys)
		gs_json_read_keys(r, keys->compute, keys->n_compute);
	c->name = gs_arena_text(a, gs_json_read_name(r, "name"));
	c->id = gs_json_read_u32(r, "id", UINT32_MAX);
	c->compute_slices = gs_json_read_number(r, "compute_slices", p->compute_slices);
	c->sm_count = gs_json_read_u32(r, "sm_count", UINT32_MAX);
	c->max_instances = gs_json_read_number(r, "max_instances", GS_COMPUTE_SLICES_MAX);
	c->placements = read_spans(r, p->compute_slices, keys, a, &c->n_placements);
	c->is_default = gs_json_read_bool(r, "default", false);
}

static void read_computes(struct gs_json_reader *r, const struct gs_profile_keys *keys, struct gs_arena *a, struct gs_profile *p)
{
	struct json_object *list;
	size_t n = gs_json_read_array(r, "compute", GS_PROFILES_MAX, &list);
	struct gs_json_where computes = { r->where, "compute", 0 };
	struct gs_compute_profile *items;
	bool has_default = false;

	if (r->failed || !n)
		return;
	items = array_of(r, a, n, sizeof(*items));
	for (size_t i = 0; i < n && !r->failed; i++) {
		struct gs_json_where where = { &computes, NULL, i };
		struct gs_json_reader in = gs_json_reader_of(json_object_array_get_idx(list, i), &where, r->e);

		read_compute(&in, keys, a, p, &items[i]);
		for (size_t k = 0; k < i && !in.failed; k++)
			if (gs_str_equal(items[k].name, items[i].name))
				gs_json_read_fail(&in, "name", "%s is there twice", items[i].name);
		if (!in.failed && items[i].is_default && has_default)
			gs_json_read_fail(&in, "default", "another one is the default already");
		has_default |= items[i].is_default;
		r->failed = in.failed;
	}
	p->compute = items;
	p->n_compute = n;
}

/* Where it may start in mixed-size mode, and how much it takes. Placement ids have 16 bits (interfaces 2.5). */
static void read_mixed(struct gs_json_reader *up, struct gs_arena *a, struct gs_profile *p)
{
	struct json_object *o = gs_json_read_object(up, "mixed"), *list;
	struct gs_json_where where = { up->where, "mixed", 0 };
	struct gs_json_reader r;
	uint32_t *ids;

	if (up->failed || !o)
		return;
	r = gs_json_reader_of(o, &where, up->e);
	p->mixed_size = gs_json_read_number(&r, "size", 0xfffe);
	p->n_mixed_ids = gs_json_read_array(&r, "placement_ids", GS_MIXED_IDS_MAX, &list);
	ids = p->n_mixed_ids && !r.failed ? array_of(&r, a, p->n_mixed_ids, sizeof(*ids)) : NULL;
	for (size_t i = 0; ids && i < p->n_mixed_ids && !r.failed; i++) {
		struct json_object *v = json_object_array_get_idx(list, i);
		int64_t id = json_object_is_type(v, json_type_int) ? json_object_get_int64(v) : -1;

		if (id < 0 || id > 0xfffe || (i && (uint32_t)id <= ids[i - 1]))
			gs_json_read_fail(&r, "placement_ids", "element %zu is no placement id, or out of order", i);
		ids[i] = (uint32_t)id;
	}
	if (!r.failed && !p->mixed_size)
		gs_json_read_fail(&r, "size", "is 0");
	p->mixed_ids = ids;
	if (!ids)
		p->n_mixed_ids = 0;
	up->failed = r.failed;
}

static void read_profile(struct gs_json_reader *r, const struct gs_profile_keys *keys, struct gs_arena *a,
			 const struct gs_profile_set *set, struct gs_profile *p)
{
	if (keys)
		gs_json_read_keys(r, keys->profile, keys->n_profile);
	p->name = gs_arena_text(a, gs_json_read_name(r, "name"));
	p->id = gs_json_read_u32(r, "id", UINT32_MAX);
	p->nvml_profile = gs_json_read_u32(r, "nvml_profile", UINT32_MAX);
	p->compute_slices = gs_json_read_number(r, "compute_slices", set->compute_slices ? set->compute_slices : GS_COMPUTE_SLICES_MAX);
	p->memory_bytes = gs_json_read_u64(r, "memory_bytes");
	p->sm_count = gs_json_read_u32(r, "sm_count", UINT32_MAX);
	p->max_instances = gs_json_read_number(r, "max_instances", GS_GRID_UNITS_MAX);
	read_engines(r, p->engines);
	if (set->is_slots && !keys && says_every_slot(r))
		p->placements = every_slot(r, set->memory_units, a, &p->n_placements);
	else
		p->placements = read_spans(r, set->memory_units, keys, a, &p->n_placements);
	read_computes(r, keys, a, p);
	if (keys)
		return;         /* a model's file speaks of MIG alone */
	p->gi_profile = gs_arena_text(a, gs_json_read_string(r, "gi_profile"));
	p->max_per_gi = gs_json_read_u32(r, "max_per_gi", GS_GRID_UNITS_MAX);
	p->max_mixed = gs_json_read_u32(r, "max_mixed", GS_GRID_UNITS_MAX);
	read_mixed(r, a, p);
}

/* Names and driver ids are how a profile is found: neither may be there twice. */
static void check_unique(struct gs_json_reader *r, const struct gs_profile *items, size_t i)
{
	for (size_t k = 0; k < i && !r->failed; k++) {
		if (gs_str_equal(items[k].name, items[i].name))
			gs_json_read_fail(r, "name", "%s is there twice", items[i].name);
		else if (items[k].id.known && gs_u32_equal(items[k].id, items[i].id))
			gs_json_read_fail(r, "id", "%u is there twice", items[i].id.value);
	}
}

void gs_profiles_read(struct gs_json_reader *r, const char *key, const struct gs_profile_keys *keys, struct gs_arena *a,
		      struct gs_profile_set *set)
{
	struct json_object *list;
	size_t n = gs_json_read_array(r, key, GS_PROFILES_MAX, &list);
	struct gs_json_where profiles = { r->where, key, 0 };
	struct gs_profile *items;

	if (r->failed || !n)
		return;
	items = array_of(r, a, n, sizeof(*items));
	for (size_t i = 0; i < n && !r->failed; i++) {
		struct gs_json_where where = { &profiles, NULL, i };
		struct gs_json_reader in = gs_json_reader_of(json_object_array_get_idx(list, i), &where, r->e);

		read_profile(&in, keys, a, set, &items[i]);
		check_unique(&in, items, i);
		r->failed = in.failed;
	}
	if (!r->failed && gs_arena_has_failed(a))
		gs_json_read_fail(r, key, "cannot allocate memory");
	set->items = items;
	set->n = n;
}

/* Numbers of units as a mask. */
static uint64_t read_avoid(struct gs_json_reader *r, uint32_t units)
{
	struct json_object *list;
	size_t n = gs_json_read_array(r, "avoid", GS_GRID_UNITS_MAX, &list);
	uint64_t mask = 0;

	for (size_t i = 0; i < n && !r->failed; i++) {
		struct json_object *v = json_object_array_get_idx(list, i);
		int64_t unit = json_object_is_type(v, json_type_int) ? json_object_get_int64(v) : -1;

		if (unit < 0 || unit >= units)
			gs_json_read_fail(r, "avoid", "element %zu is no unit of a grid of %u", i, units);
		else if (mask & 1ull << unit)
			gs_json_read_fail(r, "avoid", "%u is there twice", (unsigned)unit);
		else
			mask |= 1ull << unit;
	}
	return mask;
}

void gs_profile_set_read(struct gs_json_reader *r, struct gs_arena *a, struct gs_profile_set *ret_set)
{
	const char *source = gs_json_read_name(r, "source");
	size_t i = 0;

	while (!r->failed && i < GS_ARRAY_SIZE(source_names) && strcmp(source, source_names[i]) != 0)
		i++;
	if (i == GS_ARRAY_SIZE(source_names))
		gs_json_read_fail(r, "source", "\"%.32s\" is unknown", source);
	ret_set->source = (enum gs_profile_source)i;
	ret_set->memory_units = gs_json_read_number(r, "memory_units", GS_GRID_UNITS_MAX);
	ret_set->compute_slices = gs_json_read_number(r, "compute_slices", GS_COMPUTE_SLICES_MAX);
	ret_set->max_instances = gs_json_read_number(r, "max_instances", GS_GRID_UNITS_MAX);
	ret_set->is_slots = gs_json_read_bool(r, "is_slots", false);
	ret_set->has_one_size = gs_json_read_bool(r, "has_one_size", false);
	ret_set->avoid = read_avoid(r, ret_set->memory_units);
	gs_profiles_read(r, "items", NULL, a, ret_set);
}

struct json_object *gs_spans_to_json(const struct gs_span *spans, size_t n)
{
	struct json_object *list = json_object_new_array_ext((int)n);

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_new_object();

		gs_json_add_u32(o, "start", GS_U32(spans[i].start));
		gs_json_add_u32(o, "size", GS_U32(spans[i].size));
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *compute_to_json(const struct gs_compute_profile *c)
{
	struct json_object *o = json_object_new_object();

	gs_json_add_string(o, "name", c->name);
	gs_json_add_u32(o, "id", c->id);
	gs_json_add_u32(o, "compute_slices", GS_U32(c->compute_slices));
	gs_json_add_u32(o, "sm_count", c->sm_count);
	gs_json_add_u32(o, "max_instances", GS_U32(c->max_instances));
	json_object_object_add(o, "placements", gs_spans_to_json(c->placements, c->n_placements));
	json_object_object_add(o, "default", json_object_new_boolean(c->is_default));
	return o;
}

/* Dozens of types with dozens of places each, and every place the same. */
static bool is_every_slot(const struct gs_profile_set *set, const struct gs_profile *p)
{
	if (!set->is_slots || !p->n_placements || p->n_placements != set->memory_units)
		return false;
	for (size_t i = 0; i < p->n_placements; i++)
		if (p->placements[i].start != i || p->placements[i].size != 1)
			return false;
	return true;
}

static struct json_object *mixed_to_json(const struct gs_profile *p)
{
	struct json_object *o = json_object_new_object(), *ids = json_object_new_array_ext((int)p->n_mixed_ids);

	gs_json_add_u32(o, "size", GS_U32(p->mixed_size));
	for (size_t i = 0; i < p->n_mixed_ids; i++)
		json_object_array_add(ids, json_object_new_int64(p->mixed_ids[i]));
	json_object_object_add(o, "placement_ids", ids);
	return o;
}

struct json_object *gs_profile_to_json(const struct gs_profile_set *set, const struct gs_profile *p)
{
	struct json_object *o = json_object_new_object();
	struct json_object *engines = json_object_new_object(), *compute = json_object_new_array_ext((int)p->n_compute);

	gs_json_add_string(o, "name", p->name);
	gs_json_add_u32(o, "id", p->id);
	gs_json_add_u32(o, "nvml_profile", p->nvml_profile);
	gs_json_add_u32(o, "compute_slices", GS_U32(p->compute_slices));
	gs_json_add_u64(o, "memory_bytes", p->memory_bytes);
	gs_json_add_u32(o, "sm_count", p->sm_count);
	gs_json_add_u32(o, "max_instances", GS_U32(p->max_instances));
	for (size_t i = 0; i < GS_ENGINE_MAX; i++)
		gs_json_add_u32(engines, engine_names[i], p->engines[i]);
	json_object_object_add(o, "engines", engines);
	if (is_every_slot(set, p))
		gs_json_add_string(o, "placements", EVERY_SLOT);
	else
		json_object_object_add(o, "placements", p->n_placements ? gs_spans_to_json(p->placements, p->n_placements) : NULL);
	for (size_t i = 0; i < p->n_compute; i++)
		json_object_array_add(compute, compute_to_json(&p->compute[i]));
	json_object_object_add(o, "compute", compute);
	gs_json_add_string(o, "gi_profile", p->gi_profile);
	gs_json_add_u32(o, "max_per_gi", p->max_per_gi);
	gs_json_add_u32(o, "max_mixed", p->max_mixed);
	json_object_object_add(o, "mixed", p->n_mixed_ids ? mixed_to_json(p) : NULL);
	return o;
}

struct json_object *gs_units_to_json(uint64_t units)
{
	struct json_object *list = json_object_new_array();

	for (int i = 0; i < GS_GRID_UNITS_MAX; i++)
		if (units & 1ull << i)
			json_object_array_add(list, json_object_new_int(i));
	return list;
}

struct json_object *gs_profile_set_to_json(const struct gs_profile_set *set)
{
	struct json_object *o = json_object_new_object(), *items = json_object_new_array_ext((int)set->n);

	gs_json_add_string(o, "source", gs_profile_source_name(set->source));
	gs_json_add_u32(o, "memory_units", GS_U32(set->memory_units));
	gs_json_add_u32(o, "compute_slices", GS_U32(set->compute_slices));
	gs_json_add_u32(o, "max_instances", GS_U32(set->max_instances));
	for (size_t i = 0; i < set->n; i++)
		json_object_array_add(items, gs_profile_to_json(set, &set->items[i]));
	json_object_object_add(o, "items", items);
	json_object_object_add(o, "is_slots", json_object_new_boolean(set->is_slots));
	json_object_object_add(o, "has_one_size", json_object_new_boolean(set->has_one_size));
	json_object_object_add(o, "avoid", gs_units_to_json(set->avoid));
	return o;
}
