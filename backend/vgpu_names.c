/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/vgpu_names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "codec/json_reader.h"

#define SCHEMA "gpuslice.vgpu-types/1"
#define BOARDS_MAX 64
#define TYPES_MAX 512               /* of one board: those of MIG mode and those without, over driver releases */
#define FILE_BYTES_MAX (4u << 20)

struct board {
	char board[40];
	struct gs_known_type *types;
	size_t n, cap;
};

struct gs_vgpu_names {
	struct board boards[BOARDS_MAX];
	size_t n;
	bool has_changed;
};

static struct board *board_of(const struct gs_vgpu_names *n, const char *board)
{
	for (size_t i = 0; i < n->n; i++) {
		if (strcmp(n->boards[i].board, board) == 0)
			return (struct board *)&n->boards[i];
	}
	return NULL;
}

const struct gs_known_type *gs_vgpu_names_of(const struct gs_vgpu_names *n, const char *board, size_t *ret_n)
{
	const struct board *b = n && board ? board_of(n, board) : NULL;

	*ret_n = b ? b->n : 0;
	return b ? b->types : NULL;
}

/* Where @type_id is, or belongs. */
static size_t place_of(const struct board *b, uint32_t type_id)
{
	size_t at = 0;

	while (at < b->n && b->types[at].id < type_id)
		at++;
	return at;
}

const struct gs_known_type *gs_vgpu_names_find(const struct gs_vgpu_names *n, const char *board, uint32_t type_id)
{
	const struct board *b = n && board ? board_of(n, board) : NULL;
	size_t at = b ? place_of(b, type_id) : 0;

	return b && at < b->n && b->types[at].id == type_id ? &b->types[at] : NULL;
}

static struct board *need_board(struct gs_vgpu_names *n, const char *board)
{
	struct board *b = board_of(n, board);

	if (b || n->n == BOARDS_MAX || strlen(board) >= sizeof(b->board))
		return b;
	b = &n->boards[n->n++];
	snprintf(b->board, sizeof(b->board), "%s", board);
	return b;
}

static int insert(struct board *b, size_t at, const struct gs_known_type *type)
{
	if (b->n == b->cap) {
		size_t cap = b->cap ? b->cap * 2 : 32;
		struct gs_known_type *grown = reallocarray(b->types, cap, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		b->types = grown;
		b->cap = cap;
	}
	memmove(&b->types[at + 1], &b->types[at], (b->n - at) * sizeof(*b->types));
	b->types[at] = *type;
	b->n++;
	return 0;
}

int gs_vgpu_names_add(struct gs_vgpu_names *n, const char *board, const struct gs_known_type *type)
{
	struct board *b = board ? need_board(n, board) : NULL;
	size_t at;

	/* a machine with more kinds of boards than that is none */
	if (!b || !type->id || !type->name[0])
		return 0;
	at = place_of(b, type->id);
	if (at < b->n && b->types[at].id == type->id) {
		struct gs_known_type *known = &b->types[at];

		if (strcmp(known->name, type->name) == 0 && (!type->framebuffer_bytes.known || gs_u64_equal(known->framebuffer_bytes, type->framebuffer_bytes)) &&
		    (!type->max_instances.known || gs_u32_equal(known->max_instances, type->max_instances)))
			return 0;
		*known = *type;
		n->has_changed = true;
		return 0;
	}
	if (b->n == TYPES_MAX)
		return 0;
	n->has_changed = true;
	return insert(b, at, type);
}

/* ---------------------------------------------------------------- the file */

static int read_type(struct gs_json_reader *r, struct gs_vgpu_names *n, const char *board)
{
	struct gs_known_type type = { .id = gs_json_read_number(r, "id", UINT32_MAX) };
	const char *name = gs_json_read_name(r, "name");

	type.framebuffer_bytes = gs_json_read_u64(r, "framebuffer_bytes");
	type.max_instances = gs_json_read_u32(r, "max_instances", UINT32_MAX);
	if (r->failed || strlen(name) >= sizeof(type.name))
		return 0;
	snprintf(type.name, sizeof(type.name), "%s", name);
	gs_text_sanitize(type.name);
	return gs_vgpu_names_add(n, board, &type);
}

/* What does not fit is left out: the file is a convenience, and the driver wins anyway. */
static int read_boards(struct gs_vgpu_names *n, struct json_object *file)
{
	const struct gs_json_where where = { NULL, GS_VGPU_TYPES_PATH, 0 };
	struct gs_json_reader r = gs_json_reader_of(file, &where, NULL);
	const char *schema = gs_json_read_name(&r, "schema");
	struct json_object *boards = NULL, *types = NULL;
	size_t n_boards = gs_json_read_array(&r, "boards", BOARDS_MAX, &boards);

	if (r.failed || strcmp(schema, SCHEMA) != 0)
		return 0;
	for (size_t i = 0; i < n_boards; i++) {
		struct gs_json_reader b = gs_json_reader_of(json_object_array_get_idx(boards, i), &where, NULL);
		const char *board = gs_json_read_name(&b, "board");
		size_t n_types = gs_json_read_array(&b, "types", TYPES_MAX, &types);

		for (size_t k = 0; !b.failed && k < n_types; k++) {
			struct gs_json_reader t = gs_json_reader_of(json_object_array_get_idx(types, k), &where, NULL);

			if (read_type(&t, n, board) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

struct gs_vgpu_names *gs_vgpu_names_new(struct gs_root *root)
{
	struct gs_vgpu_names *n = calloc(1, sizeof(*n));
	GS_JSON struct json_object *file = NULL;
	GS_FREE char *bytes = NULL;
	size_t length;

	if (!n)
		return NULL;
	if (gs_root_read_bytes(root, FILE_BYTES_MAX, &bytes, &length, GS_VGPU_TYPES_PATH) == 0 && gs_json_parse(bytes, length, GS_VGPU_TYPES_PATH, &file, NULL) == 0 &&
	    read_boards(n, file) < 0)
		return gs_vgpu_names_free(n);
	n->has_changed = false;
	return n;
}

struct gs_vgpu_names *gs_vgpu_names_free(struct gs_vgpu_names *n)
{
	for (size_t i = 0; n && i < n->n; i++)
		free(n->boards[i].types);
	free(n);
	return NULL;
}

static struct json_object *board_to_json(const struct board *b)
{
	struct json_object *o = json_object_new_object(), *types = json_object_new_array();

	gs_json_add_string(o, "board", b->board);
	json_object_object_add(o, "types", types);
	for (size_t i = 0; i < b->n; i++) {
		struct json_object *t = json_object_new_object();

		gs_json_add_u32(t, "id", GS_U32(b->types[i].id));
		gs_json_add_string(t, "name", b->types[i].name);
		gs_json_add_u64(t, "framebuffer_bytes", b->types[i].framebuffer_bytes);
		gs_json_add_u32(t, "max_instances", b->types[i].max_instances);
		json_object_array_add(types, t);
	}
	return o;
}

int gs_vgpu_names_save(struct gs_vgpu_names *n, struct gs_root *root)
{
	GS_JSON struct json_object *file = NULL;
	GS_FREE char *text = NULL;
	struct json_object *boards;
	int r;

	if (!n->has_changed)
		return 0;
	file = json_object_new_object();
	boards = json_object_new_array();
	gs_json_add_string(file, "schema", SCHEMA);
	json_object_object_add(file, "boards", boards);
	for (size_t i = 0; i < n->n; i++)
		json_object_array_add(boards, board_to_json(&n->boards[i]));
	text = gs_json_to_line(file);
	if (!text)
		return -ENOMEM;
	gs_root_mkdir(root, 0755, "run/gpuslice");
	r = gs_root_replace_file(root, text, strlen(text), 0644, (gid_t)-1, GS_VGPU_TYPES_PATH);
	if (r == 0)
		n->has_changed = false;
	return r;
}
