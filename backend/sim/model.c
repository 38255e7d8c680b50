/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/model.h"

#include <errno.h>
#include <string.h>

#include "backend/sim/jsonio.h"
#include "base/file.h"
#include "base/parse.h"

#define UNITS_MAX 64

struct gs_sim_model_file {
	struct gs_arena *arena;
	struct gs_sim_model model;
};

static struct gs_u32 optional_u32(struct gs_sim_json *j, struct json_object *o, const char *key)
{
	return gs_sim_json_has(o, key) ? GS_U32(gs_sim_json_u32(j, o, key, 1u << 20)) : GS_U32_UNKNOWN;
}

static void read_engines(struct gs_sim_json *j, struct json_object *o, struct gs_u32 *engines)
{
	static const char *const names[GS_SIM_ENGINES] = { "copy", "decoder", "encoder", "jpeg", "ofa" };
	struct json_object *from = gs_sim_json_object(j, o, "engines");

	for (unsigned i = 0; i < GS_SIM_ENGINES; i++)
		engines[i] = optional_u32(j, from, names[i]);
}

static size_t read_spans(struct gs_sim_json *j, struct json_object *o, struct gs_sim_span *spans)
{
	struct json_object *array = gs_sim_json_array(j, o, "placements", GS_SIM_PLACEMENTS_MAX);
	size_t n = gs_sim_json_length(array);

	for (size_t i = 0; i < n; i++) {
		struct json_object *span = gs_sim_json_element(j, array, i, "placements");

		spans[i].start = gs_sim_json_u32(j, span, "start", UNITS_MAX);
		spans[i].size = gs_sim_json_u32(j, span, "size", UNITS_MAX);
		if (spans[i].size == 0)
			gs_sim_json_fail(j, "placements", "has an empty span");
	}
	return n;
}

static void read_compute(struct gs_sim_json *j, struct json_object *o, struct gs_sim_compute_profile *c)
{
	c->name = gs_sim_json_string(j, o, "name", 48);
	c->id = gs_sim_json_u32(j, o, "id", 255);
	c->slices = gs_sim_json_u32(j, o, "compute_slices", UNITS_MAX);
	c->sm_count = optional_u32(j, o, "sm_count");
	c->max_instances = gs_sim_json_u32(j, o, "max_instances", UNITS_MAX);
	c->is_default = gs_sim_json_bool(j, o, "default");
	c->n_placements = read_spans(j, o, c->placements);
}

/*
 * NVML's number for the compute profile that fills a GI (interfaces 5.3). For
 * boards whose compute profiles nobody has captured (RTX PRO 6000) the full
 * one is assumed, because every board has it.
 */
static void assume_full_compute(struct gs_sim_profile *p)
{
	static const uint8_t number[] = { 0, 0, 1, 2, 3, 3, 6, 4, 5 };
	struct gs_sim_compute_profile *c = &p->compute[0];

	c->name = p->name;
	c->slices = p->slices;
	c->id = p->slices < sizeof(number) ? number[p->slices] : 0;
	c->sm_count = p->sm_count;
	c->max_instances = 1;
	c->is_default = true;
	c->n_placements = 1;
	c->placements[0] = (struct gs_sim_span){ 0, p->slices };
	p->n_compute = 1;
}

static void read_profile(struct gs_sim_json *j, struct json_object *o, struct gs_sim_profile *p)
{
	struct json_object *array;

	p->name = gs_sim_json_string(j, o, "name", 48);
	p->id = gs_sim_json_u32(j, o, "id", 255);
	p->nvml_profile = gs_sim_json_u32(j, o, "nvml_profile", 255);
	p->slices = gs_sim_json_u32(j, o, "compute_slices", UNITS_MAX);
	if (gs_sim_json_has(o, "memory_bytes"))
		p->memory_bytes = GS_U64(gs_sim_json_u64(j, o, "memory_bytes", 1ull << 48));
	p->sm_count = optional_u32(j, o, "sm_count");
	p->max_instances = gs_sim_json_u32(j, o, "max_instances", UNITS_MAX);
	p->p2p = gs_sim_json_flag(j, o, "p2p");
	p->gfx = strstr(p->name, "+gfx") != NULL;
	read_engines(j, o, p->engines);
	p->n_placements = read_spans(j, o, p->placements);

	array = gs_sim_json_array(j, o, "driver_order", GS_SIM_PLACEMENTS_MAX);
	p->n_order = gs_sim_json_length(array);
	for (size_t i = 0; i < p->n_order; i++) {
		struct json_object *start = json_object_array_get_idx(array, i);

		if (!json_object_is_type(start, json_type_int) || json_object_get_int64(start) < 0 ||
		    json_object_get_int64(start) > UNITS_MAX)
			gs_sim_json_fail(j, "driver_order", "has an element that is no start");
		else
			p->order[i] = (uint32_t)json_object_get_int64(start);
	}

	array = gs_sim_json_array(j, o, "compute", GS_SIM_COMPUTE_PROFILES_MAX);
	p->n_compute = gs_sim_json_length(array);
	for (size_t i = 0; i < p->n_compute; i++)
		read_compute(j, gs_sim_json_element(j, array, i, "compute"), &p->compute[i]);
	if (p->n_compute == 0)
		assume_full_compute(p);
}

static void read_model(struct gs_sim_json *j, struct json_object *root, struct gs_sim_model *m)
{
	struct json_object *grid, *array;

	gs_sim_json_schema(j, root, "gpuslice.mig-model/1");
	m->architecture = gs_sim_json_string(j, root, "architecture", 32);
	grid = gs_sim_json_object(j, root, "grid");
	m->memory_units = gs_sim_json_u32(j, grid, "memory_units", UNITS_MAX);
	m->compute_slices = gs_sim_json_u32(j, grid, "compute_slices", UNITS_MAX);
	m->max_instances = gs_sim_json_u32(j, grid, "max_instances", UNITS_MAX);
	m->sm_count = optional_u32(j, root, "sm_count");
	read_engines(j, root, m->engines);
	m->needs_reset = gs_sim_json_flag(j, gs_sim_json_object(j, root, "mode_switch"), "needs_reset");

	array = gs_sim_json_array(j, root, "profiles", GS_SIM_PROFILES_MAX);
	m->n_profiles = gs_sim_json_length(array);
	for (size_t i = 0; i < m->n_profiles; i++)
		read_profile(j, gs_sim_json_element(j, array, i, "profiles"), &m->profiles[i]);
}

int gs_sim_model_read(const char *path, struct gs_sim_model_file **ret_file, struct gs_error *e)
{
	GS_CLEANUP(gs_sim_model_freep) struct gs_sim_model_file *file = NULL;
	GS_SIM_JSON_PUT struct json_object *root = NULL;
	GS_FREE char *bytes = NULL;
	struct gs_sim_json j = { .file = path, .e = e };
	size_t n;
	int r;

	r = gs_file_read(path, GS_INPUT_BYTES_MAX, &bytes, &n, e);
	if (r < 0)
		return r;
	r = gs_sim_json_parse(bytes, n, path, &root, e);
	if (r < 0)
		return r;
	file = calloc(1, sizeof(*file));
	if (!file)
		return gs_error_oom(e);
	file->arena = gs_arena_new();
	if (!file->arena)
		return gs_error_oom(e);
	j.arena = file->arena;
	read_model(&j, root, &file->model);
	if (j.error)
		return j.error;
	*ret_file = GS_TAKE(file);
	return 0;
}

struct gs_sim_model_file *gs_sim_model_free(struct gs_sim_model_file *file)
{
	if (file) {
		gs_arena_free(file->arena);
		free(file);
	}
	return NULL;
}

const struct gs_sim_model *gs_sim_model_of(const struct gs_sim_model_file *file)
{
	return &file->model;
}

const struct gs_sim_profile *gs_sim_profile_by_id(const struct gs_sim_model *m, uint32_t id)
{
	for (size_t i = 0; i < m->n_profiles; i++) {
		if (m->profiles[i].id == id)
			return &m->profiles[i];
	}
	return NULL;
}

const struct gs_sim_profile *gs_sim_profile_by_enum(const struct gs_sim_model *m, uint32_t nvml_profile)
{
	for (size_t i = 0; i < m->n_profiles; i++) {
		if (m->profiles[i].nvml_profile == nvml_profile)
			return &m->profiles[i];
	}
	return NULL;
}

const struct gs_sim_profile *gs_sim_profile_by_name(const struct gs_sim_model *m, const char *name)
{
	for (size_t i = 0; i < m->n_profiles; i++) {
		if (gs_str_equal(m->profiles[i].name, name))
			return &m->profiles[i];
	}
	return NULL;
}

const struct gs_sim_compute_profile *gs_sim_compute_by_id(const struct gs_sim_profile *p, uint32_t id)
{
	for (size_t i = 0; i < p->n_compute; i++) {
		if (p->compute[i].id == id)
			return &p->compute[i];
	}
	return NULL;
}

uint32_t gs_sim_compute_sm_count(const struct gs_sim_profile *p, const struct gs_sim_compute_profile *c)
{
	if (c->sm_count.known)
		return c->sm_count.value;
	if (!p->sm_count.known || p->slices == 0)
		return 0;
	return p->sm_count.value * c->slices / p->slices;
}
