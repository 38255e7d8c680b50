/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/catalogue_shelf.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "codec/profile_codec.h"

#define INDEX_SCHEMA "gpuslice.vgpu-index/1"
#define INDEX_FILE "index"
#define BOARDS_MAX 256

static const struct gs_json_key index_keys[] = {
	{ "schema", GS_JSON_STRING },
	{ "boards", GS_JSON_ARRAY },
};

static const struct gs_json_key entry_keys[] = {
	{ "file", GS_JSON_STRING },
	{ "pci", GS_JSON_ARRAY },
};

/* What is read once and then stays as it turned out. */
enum reading {
	NOT_READ,
	IS_READ,
	IS_BROKEN,
};

struct entry {
	const char *file;
	const struct gs_model_pci *pci; /* id and subsystems */
	size_t n_pci;
	enum reading reading;
	struct gs_vgpu_board board;     /* once it is read */
	const struct gs_error *error;   /* once it is broken */
};

struct gs_vgpu_shelf {
	struct gs_arena *arena;
	const char *dir;
	enum reading reading;           /* of the index */
	struct entry *entries;
	size_t n;
	const struct gs_error *error;
};

struct gs_vgpu_shelf *gs_vgpu_shelf_free(struct gs_vgpu_shelf *s)
{
	if (!s)
		return NULL;
	gs_arena_free(s->arena);
	free(s);
	return NULL;
}

struct gs_vgpu_shelf *gs_vgpu_shelf_new(const char *dir)
{
	struct gs_vgpu_shelf *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->arena = gs_arena_new();
	s->dir = s->arena ? gs_arena_strdup(s->arena, dir) : NULL;
	return s->dir ? s : gs_vgpu_shelf_free(s);
}

/* A name of ours, and no way out of the directory. */
static bool is_file_name(const char *s)
{
	return s[0] && s[0] != '-' && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(s) && strcmp(s, INDEX_FILE) != 0;
}

static void read_entry(struct gs_json_reader *r, struct gs_vgpu_shelf *s, struct entry *entry)
{
	gs_json_read_keys(r, entry_keys, GS_ARRAY_SIZE(entry_keys));
	entry->file = gs_arena_text(s->arena, gs_json_read_name(r, "file"));
	if (!r->failed && entry->file && !is_file_name(entry->file))
		gs_json_read_fail(r, "file", "\"%.64s\" is no name of a board's file", entry->file);
	gs_model_pci_keys_read(r, s->arena, &entry->pci, &entry->n_pci);
	for (const struct entry *other = s->entries; other < entry && !r->failed; other++)
		if (gs_str_equal(other->file, entry->file))
			gs_json_read_fail(r, "file", "\"%.64s\" is there twice", entry->file);
}

/* The same board in two files: a lookup could not decide. */
static void check_entry(struct gs_json_reader *r, const struct gs_vgpu_shelf *s, const struct entry *entry)
{
	for (const struct entry *other = s->entries; other < entry; other++)
		for (size_t i = 0; i < entry->n_pci; i++)
			for (size_t k = 0; k < other->n_pci; k++) {
				const struct gs_model_pci *pci = &entry->pci[i];

				if (r->failed || !gs_str_equal(pci->id, other->pci[k].id))
					continue;
				for (size_t n = 0; n < pci->n_subsystems && !r->failed; n++)
					if (gs_model_pci_has_subsystem(&other->pci[k], pci->subsystems[n]))
						gs_json_read_fail(r, "pci", "%s with subsystem %s is a board of %s too", pci->id,
								  pci->subsystems[n], other->file);
			}
}

static int read_index(struct gs_vgpu_shelf *s, struct json_object *o, const char *path, struct gs_error *e)
{
	struct gs_json_where where = { NULL, path, 0 }, boards = { &where, "boards", 0 };
	struct gs_json_reader r = gs_json_reader_of(o, &where, e);
	struct json_object *list = NULL;
	const char *schema;
	size_t n;

	gs_json_read_keys(&r, index_keys, GS_ARRAY_SIZE(index_keys));
	schema = gs_json_read_name(&r, "schema");
	if (!r.failed && strcmp(schema, INDEX_SCHEMA) != 0)
		gs_json_read_fail(&r, "schema", "must be \"%s\"", INDEX_SCHEMA);
	n = gs_json_read_array(&r, "boards", BOARDS_MAX, &list);
	s->entries = gs_arena_calloc(s->arena, n, sizeof(*s->entries));
	for (size_t i = 0; s->entries && i < n && !r.failed; i++) {
		struct gs_json_where at = { &boards, NULL, i };
		struct gs_json_reader in = gs_json_reader_of(json_object_array_get_idx(list, i), &at, e);

		read_entry(&in, s, &s->entries[i]);
		check_entry(&in, s, &s->entries[i]);
		r.failed = in.failed;
	}
	if (r.failed)
		return r.failed;
	if (gs_arena_has_failed(s->arena))
		return gs_error_oom(e);
	s->n = n;
	return 0;
}

/* The value of a file of the shelf; *@ret_path, for errors, is the arena's. */
static int read_file(struct gs_vgpu_shelf *s, const char *file, const char **ret_path, struct json_object **ret_o, struct gs_error *e)
{
	const char *path = gs_arena_printf(s->arena, "%s/%s.json", s->dir, file);

	if (!path)
		return gs_error_oom(e);
	*ret_path = path;
	return gs_json_read_file(path, GS_INPUT_BYTES_MAX, ret_o, e);
}

/* Keep what went wrong, so that it is said again and nothing is read again. No memory is no property of a file. */
static enum reading outcome(struct gs_vgpu_shelf *s, int r, const struct gs_error *e, const struct gs_error **ret_kept)
{
	if (r == 0)
		return IS_READ;
	if (r != -ENOMEM)
		*ret_kept = gs_arena_memdup(s->arena, e, sizeof(*e));
	return *ret_kept ? IS_BROKEN : NOT_READ;
}

static int fail_as(const struct gs_error *kept, struct gs_error *e)
{
	if (e)
		*e = *kept;
	return kept->errnum;
}

static int need_index(struct gs_vgpu_shelf *s, struct gs_error *e)
{
	GS_JSON struct json_object *o = NULL;
	struct gs_error failure = { 0 };
	const char *path = NULL;
	int r;

	if (s->reading == IS_READ)
		return 0;
	if (s->reading == IS_BROKEN)
		return fail_as(s->error, e);
	r = read_file(s, INDEX_FILE, &path, &o, &failure);
	if (r == 0)
		r = read_index(s, o, path, &failure);
	s->reading = outcome(s, r, &failure, &s->error);
	return r < 0 ? fail_as(&failure, e) : 0;
}

static bool same_pci(const struct gs_model_pci *a, const struct gs_model_pci *b)
{
	if (!gs_str_equal(a->id, b->id) || a->n_subsystems != b->n_subsystems)
		return false;
	for (size_t i = 0; i < a->n_subsystems; i++)
		if (!gs_str_equal(a->subsystems[i], b->subsystems[i]))
			return false;
	return true;
}

/* An index that says something else than its files finds the wrong boards. */
static int check_against_index(const struct entry *entry, const char *path, struct gs_error *e)
{
	bool is_same = entry->n_pci == entry->board.n_pci;

	for (size_t i = 0; is_same && i < entry->n_pci; i++)
		is_same = same_pci(&entry->pci[i], &entry->board.pci[i]);
	if (is_same)
		return 0;
	return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "%s: the PCI ids are not those that index.json has for it", path);
}

static int need_board(struct gs_vgpu_shelf *s, struct entry *entry, const struct gs_vgpu_board **ret_board, struct gs_error *e)
{
	GS_JSON struct json_object *o = NULL;
	struct gs_error failure = { 0 };
	const char *path = NULL;
	int r = 0;

	if (entry->reading == IS_BROKEN)
		return fail_as(entry->error, e);
	if (entry->reading == NOT_READ) {
		r = read_file(s, entry->file, &path, &o, &failure);
		if (r == 0)
			r = gs_vgpu_board_read(o, path, entry->file, s->arena, &entry->board, &failure);
		if (r == 0)
			r = check_against_index(entry, path, &failure);
		entry->reading = outcome(s, r, &failure, &entry->error);
	}
	if (r < 0)
		return fail_as(&failure, e);
	*ret_board = &entry->board;
	return 0;
}

/* NULL: none, or several of which none can be chosen, then *@ret_is_shared. */
static struct entry *entry_of(const struct gs_vgpu_shelf *s, const char *pci_id, const char *subsystem_id, bool *ret_is_shared)
{
	struct entry *only = NULL;

	*ret_is_shared = false;
	for (struct entry *entry = s->entries; entry < s->entries + s->n; entry++)
		for (size_t i = 0; i < entry->n_pci; i++) {
			if (!gs_str_equal_nocase(entry->pci[i].id, pci_id))
				continue;
			if (subsystem_id && gs_model_pci_has_subsystem(&entry->pci[i], subsystem_id)) {
				*ret_is_shared = false;
				return entry;
			}
			*ret_is_shared |= only && only != entry;
			only = entry;
		}
	/* boards of other makers carry subsystems that no list has: the chip decides when only one board has it */
	return *ret_is_shared ? NULL : only;
}

int gs_vgpu_shelf_find(struct gs_vgpu_shelf *s, const char *pci_id, const char *subsystem_id, const struct gs_vgpu_board **ret_board,
		       struct gs_error *e)
{
	struct entry *entry;
	bool is_shared;
	int r = need_index(s, e);

	if (r < 0)
		return r;
	entry = entry_of(s, pci_id, subsystem_id, &is_shared);
	if (entry)
		return need_board(s, entry, ret_board, e);
	if (is_shared)
		return gs_error_set(e, -ENOTUNIQ, GS_STATUS_FAILED, "several boards have the PCI id %s, and subsystem %s is none of theirs", pci_id,
				    subsystem_id ? subsystem_id : "-");
	return gs_error_set(e, -ENODEV, GS_STATUS_FAILED, "no board with the PCI id %s is in the catalogue of vGPU types", pci_id);
}

int gs_vgpu_shelf_by_file(struct gs_vgpu_shelf *s, const char *file, const struct gs_vgpu_board **ret_board, struct gs_error *e)
{
	int r = need_index(s, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->entries[i].file, file) == 0)
			return need_board(s, &s->entries[i], ret_board, e);
	return gs_error_set(e, -ENODEV, GS_STATUS_FAILED, "no board \"%.64s\" is in the catalogue of vGPU types", file);
}

const char *gs_vgpu_shelf_file(struct gs_vgpu_shelf *s, size_t i)
{
	return need_index(s, NULL) == 0 && i < s->n ? s->entries[i].file : NULL;
}
