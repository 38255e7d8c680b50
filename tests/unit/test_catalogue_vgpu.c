/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/parse.h"
#include "base/paths.h"
#include "codec/catalogue.h"
#include "codec/catalogue_shelf.h"
#include "codec/vgpu_text.h"

#define N_BOARDS 35
#define N_TYPES 1051
#define N_TYPE_IDS 483
#define TIME_SLICED_MAX 32      /* per GPU (interfaces 2.7) */

static int load(void **state)
{
	struct gs_catalogue *c = NULL;
	struct gs_error e;

	if (gs_catalogue_load(&c, &e) < 0) {
		print_error("%s\n", e.text);
		return -1;
	}
	*state = c;
	return 0;
}

static int unload(void **state)
{
	gs_catalogue_free(*state);
	return 0;
}

/* Board @i, with the reason when its file is broken; NULL behind the last. */
static const struct gs_vgpu_board *board_at(const struct gs_catalogue *c, size_t i)
{
	const char *file = gs_catalogue_vgpu_file(c, i);
	const struct gs_vgpu_board *b = file ? gs_catalogue_vgpu_board_by_file(c, file) : NULL;
	struct gs_error e;

	if (file && !b) {
		GS_FREE char *dir = gs_data_path("vgpu");
		GS_CLEANUP(gs_vgpu_shelf_freep) struct gs_vgpu_shelf *s = gs_vgpu_shelf_new(dir);

		gs_vgpu_shelf_by_file(s, file, &b, &e);
		fail_msg("%s: %s", e.file, e.text);
	}
	return b;
}

/* Reading a board checks it against the index; so the index is right when all files are in it and all can be read. */
static void all_boards_are_there_and_the_index_is_that_of_the_files(void **state)
{
	GS_FREE char *dir = gs_data_path("vgpu");
	DIR *d = opendir(dir);
	size_t n_boards = 0, n_types = 0, n_ids = 0, n_files = 0;
	const struct gs_vgpu_board *b;

	assert_non_null(d);
	for (const struct dirent *entry; (entry = readdir(d));)
		n_files += strstr(entry->d_name, ".json") && strcmp(entry->d_name, "index.json") != 0;
	closedir(d);
	for (; (b = board_at(*state, n_boards)); n_boards++) {
		n_types += b->n_types;
		for (size_t i = 0; i < b->n_types; i++)
			n_ids += b->types[i].type_id.known;
	}
	assert_int_equal(n_boards, N_BOARDS);
	assert_int_equal(n_files, N_BOARDS);
	assert_int_equal(n_types, N_TYPES);
	assert_int_equal(n_ids, N_TYPE_IDS);
}

/* Numbers of types are NVIDIA's, over all boards. */
static void names_and_ids_of_all_boards_find_their_own_type(void **state)
{
	const struct gs_vgpu_board *b, *other;

	for (size_t n = 0; (b = board_at(*state, n)); n++)
		for (size_t i = 0; i < b->n_types; i++) {
			const struct gs_vgpu_type *t = &b->types[i];
			char long_name[128];

			assert_ptr_equal(gs_vgpu_type_by_name(b, t->name), t);
			snprintf(long_name, sizeof(long_name), "NVIDIA %s", t->name);
			assert_ptr_equal(gs_vgpu_type_by_name(b, long_name), t);
			if (t->full_name)
				assert_ptr_equal(gs_vgpu_type_by_name(b, t->full_name), t);
			if (!t->type_id.known)
				continue;
			assert_ptr_equal(gs_vgpu_type_by_id(b, t->type_id.value), t);
			for (size_t m = 0; m < n && (other = board_at(*state, m)); m++)
				if (gs_vgpu_type_by_id(other, t->type_id.value))
					fail_msg("%s and %s both have type %u", b->file, other->file, t->type_id.value);
		}
}

/* Where the catalogue is not the rule: a vendor's list says less. */
static uint64_t maximum_of(const struct gs_vgpu_type *t)
{
	static const struct {
		const char *name;
		unsigned max_instances;
	} exceptions[] = {
		{ "RTX8000P-4C", 8 }, { "H200-8C", 16 }, { "H200X-8C", 16 }, { "H20X-8C", 16 },
	};
	uint64_t fit = t->variant->memory_bytes.value / t->framebuffer_bytes.value;

	for (size_t i = 0; i < GS_ARRAY_SIZE(exceptions); i++)
		if (strcmp(t->name, exceptions[i].name) == 0)
			return exceptions[i].max_instances;
	return fit < TIME_SLICED_MAX ? fit : TIME_SLICED_MAX;
}

static void as_many_time_sliced_fit_as_their_memory_allows(void **state)
{
	const struct gs_vgpu_board *b;

	for (size_t n = 0; (b = board_at(*state, n)); n++)
		for (size_t i = 0; i < b->n_types; i++) {
			const struct gs_vgpu_type *t = &b->types[i];

			assert_true(t->max_instances.known && t->framebuffer_bytes.known && t->variant->memory_bytes.known);
			if (t->max_instances_mixed.known && (!b->can_mixed_size || t->max_instances_mixed.value > t->max_instances.value))
				fail_msg("%s: %u in mixed-size mode", t->name, t->max_instances_mixed.value);
			if (!t->is_mig_backed && t->max_instances.value != maximum_of(t))
				fail_msg("%s: %u, not %u", t->name, t->max_instances.value, (unsigned)maximum_of(t));
		}
}

/* What the MIG catalogue says of the GI, times what fits into one. */
static void mig_backed_types_are_in_profiles_of_their_model(void **state)
{
	const struct gs_vgpu_board *b;
	size_t n_checked = 0;

	for (size_t n = 0; (b = board_at(*state, n)); n++)
		for (size_t i = 0; i < b->n_types; i++) {
			const struct gs_vgpu_type *t = &b->types[i];
			const struct gs_gpu_model *m;
			const struct gs_profile *p;
			struct gs_vgpu_name name;

			if (!t->is_mig_backed || !t->gi_profile)
				continue;
			m = gs_catalogue_by_file(*state, t->variant->mig_model);
			p = m ? gs_profile_by_name(&m->profiles, t->gi_profile) : NULL;
			if (!p || !gs_u32_equal(p->id, t->gi_profile_id))
				fail_msg("%s: %s has no %s with that id", t->name, t->variant->mig_model, t->gi_profile);
			assert_int_equal(gs_vgpu_name_parse(t->name, &name), 0);
			assert_int_equal(name.compute_slices, p->compute_slices);
			assert_true(t->max_per_gi.known);
			if (t->max_instances.value != p->max_instances * t->max_per_gi.value)
				fail_msg("%s: %u, not %u in each of %u", t->name, t->max_instances.value, t->max_per_gi.value, p->max_instances);
			n_checked++;
		}
	assert_int_equal(n_checked, 242);
}

/* The last resort is right for whole gibibytes; where it is not, the catalogue has the documented size, which is near. */
static void names_say_nearly_the_framebuffer(void **state)
{
	const struct gs_vgpu_board *b;
	size_t n_rounded = 0;

	for (size_t n = 0; (b = board_at(*state, n)); n++)
		for (size_t i = 0; i < b->n_types; i++) {
			uint64_t bytes, is = b->types[i].framebuffer_bytes.value;

			assert_int_equal(gs_vgpu_name_framebuffer(b->types[i].name, &bytes), 0);
			n_rounded += bytes != is;
			if ((bytes > is ? bytes - is : is - bytes) > is / 100)
				fail_msg("%s", b->types[i].name);
		}
	assert_int_equal(n_rounded, 12);
}

static void the_subsystem_decides_between_a2_and_a16(void **state)
{
	const struct gs_vgpu_board *a2 = gs_catalogue_vgpu_board(*state, "10de:25b6", "10de:157e"), *none = NULL;
	struct gs_error e;

	assert_non_null(a2);
	assert_string_equal(a2->file, "a2");
	assert_string_equal(gs_catalogue_vgpu_board(*state, "10DE:25B6", "10DE:14A9")->file, "a16");
	assert_null(gs_catalogue_vgpu_board(*state, "10de:25b6", NULL));
	assert_null(gs_catalogue_vgpu_board(*state, "10de:25b6", "1028:157e"));
	assert_int_equal(gs_catalogue_find_vgpu_board(*state, "10de:25b6", "1028:157e", &none, &e), -ENOTUNIQ);
	assert_null(none);
	assert_non_null(strstr(e.text, "10de:25b6"));
	assert_non_null(strstr(e.text, "1028:157e"));
}

static void an_unknown_subsystem_of_a_board_of_its_own_is_fine(void **state)
{
	const struct gs_vgpu_board *b = gs_catalogue_vgpu_board(*state, "10de:26b9", "1028:ffff"), *none = NULL;
	struct gs_error e;

	assert_non_null(b);
	assert_string_equal(b->file, "l40s");
	assert_ptr_equal(gs_catalogue_vgpu_board(*state, "10de:26b9", NULL), b);
	assert_ptr_equal(gs_catalogue_vgpu_board(*state, "10de:26b9", "10de:18cf"), b);
	/* two entries of one file are no ambiguity */
	assert_string_equal(gs_catalogue_vgpu_board(*state, "10de:20b0", "10de:ffff")->file, "a100-40gb");
	assert_null(gs_catalogue_vgpu_board(*state, NULL, NULL));
	assert_null(gs_catalogue_vgpu_board_by_file(*state, "voodoo-2"));
	assert_null(gs_catalogue_vgpu_board_by_file(*state, "index"));
	assert_int_equal(gs_catalogue_find_vgpu_board(*state, "10de:ffff", NULL, &none, &e), -ENODEV);
	assert_non_null(strstr(e.text, "10de:ffff"));
}

static void a_type_belongs_to_the_form_of_its_board(void **state)
{
	const struct gs_vgpu_board *b = gs_catalogue_vgpu_board(*state, "10de:20f5", NULL);
	const struct gs_vgpu_type *small = gs_vgpu_type_by_name(b, "A800-20C"), *large = gs_vgpu_type_by_name(b, "GRID A800D-20C");

	assert_false(gs_vgpu_type_is_for(small, "10de:20f5"));
	assert_true(gs_vgpu_type_is_for(small, "10DE:20F6"));
	assert_true(gs_vgpu_type_is_for(large, "10de:20f5"));
	assert_true(large->variant->memory_bytes.value == 2 * small->variant->memory_bytes.value);
	assert_string_equal(gs_vgpu_type_by_name(b, "A800-3-20C")->gi_profile, "3g.20gb");
	assert_string_equal(gs_vgpu_type_by_name(b, "A800D-3-40C")->gi_profile, "3g.40gb");
	assert_false(b->memory_bytes.known);
	assert_null(b->mig_model);
	/* which of its ids is which form is not known: none is excluded */
	b = gs_catalogue_vgpu_board_by_file(*state, "quadro-rtx");
	assert_true(gs_vgpu_type_is_for(gs_vgpu_type_by_name(b, "RTX8000P-4C"), "10de:1e30"));
}

static void unknown_is_not_zero(void **state)
{
	const struct gs_vgpu_board *l40s = gs_catalogue_vgpu_board_by_file(*state, "l40s");
	const struct gs_vgpu_type *t = gs_vgpu_type_by_name(l40s, "L40S-48C");

	assert_false(l40s->total_vfs.known);
	assert_true(l40s->is_mixed_size_known && l40s->can_mixed_size && l40s->is_sriov);
	assert_false(t->type_id.known || t->type_id_inferred.known || t->max_per_gi.known);
	assert_null(gs_vgpu_type_by_id(l40s, 0));
	/* a deduction is not found by id */
	l40s = gs_catalogue_vgpu_board_by_file(*state, "rtx6000-ada");
	assert_true(gs_u32_is(gs_vgpu_type_by_name(l40s, "RTX6000-Ada-2B")->type_id_inferred, 940));
	assert_null(gs_vgpu_type_by_id(l40s, 940));
	assert_false(gs_catalogue_vgpu_board_by_file(*state, "t4")->is_sriov);
	assert_false(gs_catalogue_vgpu_board_by_file(*state, "t4")->can_mixed_size);
}

/* ---- what real hosts said: typed again here, and byte for byte where the captures are ---- */

static void check_listing(const struct gs_vgpu_board *b, const char *bytes, size_t n, size_t n_rows)
{
	struct gs_vgpu_table table;

	gs_vgpu_table_parse(bytes, n, &table);
	assert_int_equal(table.n, n_rows);
	assert_int_equal(table.n_ignored, 0);
	assert_true(table.has_header && !table.is_cut);
	for (size_t i = 0; i < table.n; i++) {
		const struct gs_vgpu_type *t = gs_vgpu_type_by_id(b, table.rows[i].type_id);

		if (!t || strcmp(t->full_name, table.rows[i].name) != 0)
			fail_msg("%u : %s", table.rows[i].type_id, table.rows[i].name);
	}
}

static void check_description(const struct gs_vgpu_type *t, const char *bytes, size_t n)
{
	struct gs_mdev_description d;

	gs_mdev_description_parse(bytes, n, &d);
	assert_int_equal(d.n_ignored, 0);
	assert_true(gs_u32_equal(d.heads, t->heads));
	assert_true(gs_u32_equal(d.frame_limit, t->frame_limit));
	assert_true(gs_u32_equal(d.max_instances, t->max_instances));
	assert_true(gs_u64_equal(d.framebuffer_bytes, t->framebuffer_bytes));
	assert_string_equal(d.max_resolution, t->max_resolution);
}

static void the_l40s_lists_what_the_catalogue_says(void **state)
{
	static const char listing[] = "ID    : vGPU Name\n"
				      "1145  : NVIDIA L40S-1B\n1146  : NVIDIA L40S-2B\n1147  : NVIDIA L40S-1Q\n1155  : NVIDIA L40S-24Q\n"
				      "1156  : NVIDIA L40S-48Q\n1157  : NVIDIA L40S-1A\n1166  : NVIDIA L40S-48A\n2164  : NVIDIA L40S-3B\n";

	check_listing(gs_catalogue_vgpu_board_by_file(*state, "l40s"), listing, sizeof(listing) - 1, 8);
}

static void the_a2_describes_what_the_catalogue_says(void **state)
{
	static const struct {
		unsigned type_id;
		const char *name, *description;
	} types[] = {
		{ 742, "A2-1B", "num_heads=4, frl_config=45, framebuffer=1024M, max_resolution=5120x2880, max_instance=16\n" },
		{ 746, "A2-4Q", "num_heads=4, frl_config=60, framebuffer=4096M, max_resolution=7680x4320, max_instance=4\n" },
		{ 749, "A2-1A", "num_heads=1, frl_config=60, framebuffer=1024M, max_resolution=1280x1024, max_instance=16\n" },
		{ 756, "A2-16C", "num_heads=1, frl_config=60, framebuffer=16384M, max_resolution=4096x2400, max_instance=1\n" },
	};
	const struct gs_vgpu_board *b = gs_catalogue_vgpu_board_by_file(*state, "a2");

	for (size_t i = 0; i < GS_ARRAY_SIZE(types); i++) {
		const struct gs_vgpu_type *t = gs_vgpu_type_by_id(b, types[i].type_id);

		assert_non_null(t);
		assert_string_equal(t->name, types[i].name);
		check_description(t, types[i].description, strlen(types[i].description));
	}
}

/* NULL when there are no captures; the caller frees. */
static char *captured(size_t *ret_n, const char *fmt, ...) GS_PRINTF(2, 3);
static char *captured(size_t *ret_n, const char *fmt, ...)
{
	const char *dir = getenv("FIXTURES");
	char relative[256], path[512], *bytes = NULL;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(relative, sizeof(relative), fmt, ap);
	va_end(ap);
	snprintf(path, sizeof(path), "%s/%s", dir ? dir : "../shared/fixtures", relative);
	return gs_file_read(path, GS_INPUT_BYTES_MAX, &bytes, ret_n, NULL) == 0 ? bytes : NULL;
}

static void the_captured_l40s_lists_what_the_catalogue_says(void **state)
{
	const struct gs_vgpu_board *b = gs_catalogue_vgpu_board_by_file(*state, "l40s");
	size_t n = 0, n_ids = 0;
	GS_FREE char *bytes = captured(&n, "l40s-vf-vendor-vfio/creatable_vgpu_types");

	if (!bytes)
		skip();
	check_listing(b, bytes, n, 23);
	for (size_t i = 0; i < b->n_types; i++)
		n_ids += b->types[i].type_id.known;
	assert_int_equal(n_ids, 23);
}

static void the_captured_a2_describes_what_the_catalogue_says(void **state)
{
	const struct gs_vgpu_board *b = gs_catalogue_vgpu_board_by_file(*state, "a2");

	for (unsigned id = 742; id <= 756; id++) {
		size_t n = 0, n_name = 0;
		GS_FREE char *bytes = captured(&n, "a2-vf-mdev/nvidia-%u/description", id);
		GS_FREE char *name = captured(&n_name, "a2-vf-mdev/nvidia-%u/name", id);
		const struct gs_vgpu_type *t = gs_vgpu_type_by_id(b, id);

		if (!bytes || !name)
			skip();
		assert_non_null(t);
		assert_int_equal(n_name, strlen(t->full_name) + 1);
		assert_memory_equal(name, t->full_name, n_name - 1);
		check_description(t, bytes, n);
	}
}

/* ---- hostile files: the L40S in a directory of its own, changed at one place ---- */

struct scratch {
	char dir[64];
	char *l40s;
};

#define INDEX "{\"schema\": \"gpuslice.vgpu-index/1\", \"boards\": [{\"file\": \"l40s\", \"pci\": [{\"id\": \"10de:26b9\", " \
	      "\"subsystems\": [\"10de:1851\", \"10de:18cf\"]}]}]}"

static int scratch_open(void **state)
{
	struct scratch *s = calloc(1, sizeof(*s));
	GS_FREE char *path = gs_data_path("vgpu/l40s.json");
	size_t n = 0;

	if (!s || !path)
		return -1;
	snprintf(s->dir, sizeof(s->dir), "/tmp/gs-vgpu-XXXXXX");
	if (!mkdtemp(s->dir) || gs_file_read(path, GS_INPUT_BYTES_MAX, &s->l40s, &n, NULL) < 0)
		return -1;
	*state = s;
	return 0;
}

static int scratch_close(void **state)
{
	static const char *const names[] = { "index.json", "l40s.json" };
	struct scratch *s = *state;
	char path[128];

	for (size_t i = 0; i < GS_ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", s->dir, names[i]);
		unlink(path);
	}
	rmdir(s->dir);
	free(s->l40s);
	free(s);
	return 0;
}

/* @text with the first @from turned into @to. */
static void write_changed(const struct scratch *s, const char *name, const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char path[128];
	FILE *f;

	if (!at)
		fail_msg("not in the file: %s", from);
	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	fclose(f);
}

/* A new shelf finds the L40S broken, and says where. */
static void check_refused(const struct scratch *s, const char *file, const char *what, const char *says)
{
	GS_CLEANUP(gs_vgpu_shelf_freep) struct gs_vgpu_shelf *shelf = gs_vgpu_shelf_new(s->dir);
	const struct gs_vgpu_board *b = NULL;
	struct gs_error e = { 0 };
	char all[2048];

	if (gs_vgpu_shelf_find(shelf, "10de:26b9", NULL, &b, &e) != -EBADMSG)
		fail_msg("taken: %s", what);
	assert_null(b);
	assert_int_equal(e.status, GS_STATUS_INVALID);
	gs_error_format(&e, all, sizeof(all));
	if (!strstr(all, file) || !strstr(all, says))
		fail_msg("%s: %s", what, all);
}

static void a_fault_in_a_board_is_named_with_its_path(void **state)
{
	static const struct {
		const char *from, *to, *says;
	} cases[] = {
		{ "vgpu-board/1", "vgpu-board/2", "schema" },
		{ "\"architecture\":", "\"extra\": 1, \"architecture\":", "unknown key \"extra\"" },
		{ "\"architecture\":", "\"arch\":", "architecture: is missing" },
		{ "\"sriov\": true", "\"sriov\": 1", "sriov" },
		{ "\"mixed_size\": true", "\"mixed_size\": \"yes\"", "mixed_size" },
		{ "\"total_vfs\": null", "\"total_vfs\": 0", "total_vfs: is 0" },
		{ "\"total_vfs\": null", "\"total_vfs\": 65", "total_vfs" },
		{ "\"10de:1851\"", "\"1851\"", "pci[0].subsystems" },
		{ "\"10de:1851\"", "\"10de:1850\"", "index.json" },
		{ "\"pci\": [\"10de:26b9\"]", "\"pci\": [\"10de:26b8\"]", "variants[0].pci" },
		{ "\"prefix\": \"L40S\"", "\"prefix\": \"L40\"", "types[0].name" },
		{ "\"name\": \"L40S-48C\"", "\"name\": \"NVIDIA L40S-48C\"", "types[0].name" },
		{ "\"name\": \"L40S-48C\"", "\"name\": \"L40S\"", "types[0].name" },
		{ "\"name\": \"L40S-24C\"", "\"name\": \"L40S-48C\"", "types[1]" },
		{ "\"full_name\": \"NVIDIA L40S-48C\"", "\"full_name\": \"NVIDIA L40S-47C\"", "types[0].full_name" },
		{ "\"series\": \"C\"", "\"series\": \"Q\"", "types[0].series" },
		{ "\"series\": \"C\"", "\"series\": \"C \"", "types[0].series" },
		{ "\"mig_backed\": false", "\"mig_backed\": true", "types[0].mig_backed" },
		{ "\"framebuffer_bytes\": 51539607552", "\"framebuffer_bytes\": 0", "types[0].framebuffer_bytes: is 0" },
		{ "\"framebuffer_bytes\": 51539607552", "\"framebuffer_bytes\": null", "types[0].framebuffer_bytes" },
		{ "\"max_instances\": 1", "\"max_instances\": -1", "types[0]" },
		{ "\"max_instances\": 1", "\"max_instances\": 0", "types[0].max_instances" },
		{ "\"max_per_gi\": null", "\"max_per_gi\": 1", "types[0].gi_profile" },
		{ "\"type_id\": 1156", "\"type_id\": 1155", "1155 is there twice" },
		{ "\"type_id\": 1156, \"type_id_inferred\": null", "\"type_id\": 1156, \"type_id_inferred\": 1166", "1166 is there twice" },
		{ "\"type_id\": 1156", "\"type_id\": 0", "type_id: is 0" },
		{ "\"framebuffer\": \"name\"", "\"framebuffer\": 1", "types[0].evidence.framebuffer" },
	};
	const struct scratch *s = *state;

	write_changed(s, "index.json", INDEX, "gpuslice", "gpuslice");
	for (size_t i = 0; i < GS_ARRAY_SIZE(cases); i++) {
		write_changed(s, "l40s.json", s->l40s, cases[i].from, cases[i].to);
		check_refused(s, "l40s.json", cases[i].to, cases[i].says);
	}
}

static void a_fault_in_the_index_is_named_with_its_path(void **state)
{
	static const struct {
		const char *from, *to, *says;
	} cases[] = {
		{ "vgpu-index/1", "vgpu-index/2", "schema" },
		{ "\"file\": \"l40s\"", "\"file\": \"../l40s\"", "boards[0].file" },
		{ "\"file\": \"l40s\"", "\"file\": \"index\"", "boards[0].file" },
		{ "\"file\": \"l40s\"", "\"file\": \"\"", "boards[0].file" },
		{ "\"file\": \"l40s\"", "\"file\": null", "boards[0].file" },
		{ "10de:18cf", "10DE:18CF", "boards[0].pci[0].subsystems" },
		{ "\"boards\": [", "\"boards\": [{\"file\": \"l40s\", \"pci\": []}, ", "boards[1].file" },
		{ "\"boards\": [", "\"boards\": [{\"file\": \"x\", \"pci\": [{\"id\": \"10de:26b9\", \"subsystems\": [\"10de:18cf\"]}]}, ", "is a board of x too" },
	};
	const struct scratch *s = *state;

	write_changed(s, "l40s.json", s->l40s, "gpuslice", "gpuslice");
	for (size_t i = 0; i < GS_ARRAY_SIZE(cases); i++) {
		write_changed(s, "index.json", INDEX, cases[i].from, cases[i].to);
		check_refused(s, "index.json", cases[i].to, cases[i].says);
	}
}

static void only_what_is_asked_for_is_read_and_only_once(void **state)
{
	const struct scratch *s = *state;
	GS_CLEANUP(gs_vgpu_shelf_freep) struct gs_vgpu_shelf *shelf = gs_vgpu_shelf_new(s->dir);
	const struct gs_vgpu_board *b = NULL, *again = NULL;
	struct gs_error first = { 0 }, second = { 0 };
	char path[128];

	/* the other board has no file: nobody notices until it is asked for */
	write_changed(s, "index.json", INDEX, "\"boards\": [", "\"boards\": [{\"file\": \"x\", \"pci\": [{\"id\": \"10de:0001\", \"subsystems\": []}]}, ");
	write_changed(s, "l40s.json", s->l40s, "gpuslice", "gpuslice");
	assert_int_equal(gs_vgpu_shelf_find(shelf, "10de:26b9", NULL, &b, NULL), 0);
	snprintf(path, sizeof(path), "%s/l40s.json", s->dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/index.json", s->dir);
	unlink(path);
	assert_int_equal(gs_vgpu_shelf_by_file(shelf, "l40s", &again, NULL), 0);
	assert_ptr_equal(again, b);
	assert_int_equal(gs_vgpu_shelf_find(shelf, "10de:0001", NULL, &b, &first), -ENOENT);
	assert_non_null(strstr(first.text, "x.json"));
	assert_int_equal(gs_vgpu_shelf_find(shelf, "10de:0001", NULL, &b, &second), -ENOENT);
	assert_string_equal(first.text, second.text);
	assert_ptr_equal(again, b);
}

static void without_an_index_there_is_no_board_and_a_reason(void **state)
{
	GS_CLEANUP(gs_vgpu_shelf_freep) struct gs_vgpu_shelf *shelf = gs_vgpu_shelf_new("/nonexistent");
	const struct gs_vgpu_board *b = NULL;
	struct gs_error e;

	(void)state;
	assert_int_equal(gs_vgpu_shelf_find(shelf, "10de:26b9", NULL, &b, &e), -ENOENT);
	assert_non_null(strstr(e.text, "/nonexistent/index.json"));
	assert_null(gs_vgpu_shelf_file(shelf, 0));
}

#define SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_open, scratch_close)

int main(void)
{
	const struct CMUnitTest shipped[] = {
		cmocka_unit_test(all_boards_are_there_and_the_index_is_that_of_the_files),
		cmocka_unit_test(names_and_ids_of_all_boards_find_their_own_type),
		cmocka_unit_test(as_many_time_sliced_fit_as_their_memory_allows),
		cmocka_unit_test(mig_backed_types_are_in_profiles_of_their_model),
		cmocka_unit_test(names_say_nearly_the_framebuffer),
		cmocka_unit_test(the_subsystem_decides_between_a2_and_a16),
		cmocka_unit_test(an_unknown_subsystem_of_a_board_of_its_own_is_fine),
		cmocka_unit_test(a_type_belongs_to_the_form_of_its_board),
		cmocka_unit_test(unknown_is_not_zero),
		cmocka_unit_test(the_l40s_lists_what_the_catalogue_says),
		cmocka_unit_test(the_a2_describes_what_the_catalogue_says),
		cmocka_unit_test(the_captured_l40s_lists_what_the_catalogue_says),
		cmocka_unit_test(the_captured_a2_describes_what_the_catalogue_says),
	};
	const struct CMUnitTest hostile[] = {
		SCRATCH(a_fault_in_a_board_is_named_with_its_path),
		SCRATCH(a_fault_in_the_index_is_named_with_its_path),
		SCRATCH(only_what_is_asked_for_is_read_and_only_once),
		cmocka_unit_test(without_an_index_there_is_no_board_and_a_reason),
	};
	int r = cmocka_run_group_tests(shipped, load, unload);

	return r + cmocka_run_group_tests(hostile, NULL, NULL);
}
