/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/board.h"

#include "backend/sim/jsonio.h"
#include "base/arena.h"
#include "base/file.h"

struct gs_sim_board_file {
	struct gs_arena *arena;
	struct gs_sim_board board;
};

static struct gs_u32 optional_u32(struct gs_sim_json *j, struct json_object *o, const char *key)
{
	return gs_sim_json_has(o, key) ? GS_U32(gs_sim_json_u32(j, o, key, INT32_MAX)) : (struct gs_u32){ 0 };
}

static const char *optional_text(struct gs_sim_json *j, struct json_object *o, const char *key)
{
	return gs_sim_json_has(o, key) ? gs_sim_json_string(j, o, key, 63) : "";
}

static void read_type(struct gs_sim_json *j, struct json_object *o, struct gs_sim_type *t)
{
	t->name = gs_sim_json_string(j, o, "name", 63);
	t->full_name = gs_sim_json_string(j, o, "full_name", 63);
	t->id = optional_u32(j, o, "type_id");
	t->mig_backed = gs_sim_json_bool(j, o, "mig_backed");
	t->framebuffer_bytes = gs_sim_json_u64(j, o, "framebuffer_bytes", 1ull << 48);
	t->max_instances = gs_sim_json_u32(j, o, "max_instances", 256);
	t->max_mixed = optional_u32(j, o, "max_instances_mixed");
	t->max_per_gi = optional_u32(j, o, "max_per_gi");
	t->gi_profile_id = optional_u32(j, o, "gi_profile_id");
	t->gi_profile = optional_text(j, o, "gi_profile");
	t->heads = optional_u32(j, o, "heads");
	t->frame_limit = optional_u32(j, o, "frame_limit");
	t->max_resolution = optional_text(j, o, "max_resolution");
}

static void read_board(struct gs_sim_json *j, struct json_object *root, struct gs_sim_board *b)
{
	struct json_object *array;

	gs_sim_json_schema(j, root, "gpuslice.vgpu-board/1");
	b->architecture = gs_sim_json_string(j, root, "architecture", 32);
	b->memory_bytes = gs_sim_json_u64(j, root, "memory_bytes", 1ull << 48);
	array = gs_sim_json_array(j, root, "types", GS_SIM_TYPES_MAX);
	b->n_types = gs_sim_json_length(array);
	for (size_t i = 0; i < b->n_types; i++)
		read_type(j, gs_sim_json_element(j, array, i, "types"), &b->types[i]);
}

int gs_sim_board_read(const char *path, struct gs_sim_board_file **ret_file, struct gs_error *e)
{
	GS_CLEANUP(gs_sim_board_freep) struct gs_sim_board_file *file = NULL;
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
	read_board(&j, root, &file->board);
	if (j.error)
		return j.error;
	*ret_file = GS_TAKE(file);
	return 0;
}

struct gs_sim_board_file *gs_sim_board_free(struct gs_sim_board_file *file)
{
	if (file) {
		gs_arena_free(file->arena);
		free(file);
	}
	return NULL;
}

const struct gs_sim_board *gs_sim_board_of(const struct gs_sim_board_file *file)
{
	return &file->board;
}
