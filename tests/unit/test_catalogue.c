/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/paths.h"
#include "codec/catalogue.h"

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

static void all_models_are_there(void **state)
{
	assert_int_equal(gs_catalogue_n_models(*state), 24);
	for (size_t i = 0; i < 24; i++) {
		const struct gs_gpu_model *m = gs_catalogue_model(*state, i);

		assert_ptr_equal(gs_catalogue_by_file(*state, m->file), m);
		assert_int_equal(m->profiles.source, GS_PROFILES_CATALOGUE);
		assert_true(m->profiles.n > 0);
	}
	assert_null(gs_catalogue_model(*state, 24));
	assert_null(gs_catalogue_by_file(*state, "voodoo-2"));
}

static void a_board_has_its_grid_and_profiles(void **state)
{
	const struct gs_gpu_model *m = gs_catalogue_by_pci(*state, "10de:2330", NULL);
	const struct gs_profile *p;
	struct gs_span span;

	assert_non_null(m);
	assert_string_equal(m->file, "h100-sxm5-80gb");
	assert_int_equal(m->profiles.memory_units, 8);
	assert_int_equal(m->profiles.compute_slices, 7);
	assert_false(m->mode_needs_reset);
	p = gs_profile_by_name(&m->profiles, "3g.40gb");
	assert_non_null(p);
	assert_int_equal(p->n_placements, 2);
	assert_true(gs_profile_placement_at(p, 4, &span));
	assert_int_equal(span.size, 4);
	assert_int_equal(p->sm_count.value, 60);
	assert_non_null(gs_compute_profile_default(p));
	assert_string_equal(gs_compute_profile_default(p)->name, "3g.40gb");
	assert_non_null(gs_compute_profile_by_name(p, "1c.3g.40gb"));
	assert_true(p->engines[GS_ENGINE_COPY].known);
}

static void profiles_go_from_small_to_large_and_plain_comes_first(void **state)
{
	static const char *const thor[] = { "1g.0gb", "1g.0gb+me", "1g.0gb+gfx", "2g.0gb", "2g.0gb+gfx", "3g.0gb", "3g.0gb+gfx" };
	const struct gs_gpu_model *m = gs_catalogue_by_file(*state, "thor-igpu");

	assert_int_equal(m->profiles.n, GS_ARRAY_SIZE(thor));
	for (size_t i = 0; i < GS_ARRAY_SIZE(thor); i++)
		assert_string_equal(m->profiles.items[i].name, thor[i]);
	assert_int_equal(m->profiles.memory_units, 0);
	assert_int_equal(m->profiles.items[0].n_placements, 0);
}

static void the_subsystem_decides_between_models_of_one_chip(void **state)
{
	const struct gs_gpu_model *m = gs_catalogue_by_pci(*state, "10de:20b2", "10de:1463");

	assert_non_null(m);
	assert_string_equal(m->file, "a100-80gb");
	/* one model, several entries: the chip alone decides */
	assert_ptr_equal(gs_catalogue_by_pci(*state, "10de:20b2", NULL), m);
	assert_ptr_equal(gs_catalogue_by_pci(*state, "10DE:20B2", "1028:ffff"), m);
	assert_null(gs_catalogue_by_pci(*state, "10de:ffff", NULL));
	assert_null(gs_catalogue_by_pci(*state, NULL, NULL));
}

/* ---- hostile files: the A30, changed at one place ---- */

struct scratch {
	char dir[64];
	char *a30;
};

static int scratch_open(void **state)
{
	struct scratch *s = calloc(1, sizeof(*s));
	GS_FREE char *path = gs_data_path("mig/a30.json");
	size_t n = 0;

	if (!s || !path)
		return -1;
	strncpy(s->dir, "/tmp/gs-catalogue-XXXXXX", sizeof(s->dir) - 1);
	if (!mkdtemp(s->dir) || gs_file_read(path, GS_INPUT_BYTES_MAX, &s->a30, &n, NULL) < 0)
		return -1;
	*state = s;
	return 0;
}

static void scratch_path(const struct scratch *s, const char *name, char *buf, size_t size)
{
	snprintf(buf, size, "%s/%s", s->dir, name);
}

static int scratch_close(void **state)
{
	static const char *const names[] = { "a.json", "b.json" };
	struct scratch *s = *state;
	char path[128];

	for (size_t i = 0; i < GS_ARRAY_SIZE(names); i++) {
		scratch_path(s, names[i], path, sizeof(path));
		unlink(path);
	}
	rmdir(s->dir);
	free(s->a30);
	free(s);
	return 0;
}

/* The first @from of the A30's file becomes @to. */
static void write_changed(const struct scratch *s, const char *name, const char *from, const char *to)
{
	const char *at = strstr(s->a30, from);
	char path[128];
	FILE *f;

	if (!at)
		fail_msg("not in the file: %s", from);
	scratch_path(s, name, path, sizeof(path));
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "%.*s%s%s", (int)(at - s->a30), s->a30, to, at + strlen(from));
	fclose(f);
}

static void a_fault_in_a_file_is_named_with_its_path(void **state)
{
	static const struct {
		const char *from, *to, *says;
	} cases[] = {
		{ "\"model\":", "\"modell\":", "model: is missing" },
		{ "\"architecture\":", "\"extra\": 1, \"architecture\":", "unknown key \"extra\"" },
		{ "\"memory_units\": 4", "\"memory_units\": 65", "grid.memory_units: is 65" },
		{ "\"memory_units\": 4", "\"memory_units\": \"4\"", "grid.memory_units: must be a whole number or null" },
		{ "\"needs_reset\": true", "\"needs_reset\": 1", "mode_switch.needs_reset" },
		{ "10de:20b7", "10DE:20b7", "pci[0].id" },
		{ "\"10de:1532\"", "\"1532\"", "pci[0].subsystems" },
		{ "\"id\": 21", "\"id\": 14", "profiles[1].id: 14 is there twice" },
		{ "\"name\": \"1g.6gb+me\"", "\"name\": \"1g.6gb\"", "profiles[1].name" },
		{ "{\"start\": 3, \"size\": 1}", "{\"start\": 4, \"size\": 1}", "profiles[0].placements[3]" },
		{ "{\"start\": 3, \"size\": 1}", "{\"start\": 2, \"size\": 1}", "profiles[0].placements[3].start" },
		{ "{\"start\": 3, \"size\": 1}", "{\"start\": 3, \"size\": 0}", "profiles[0].placements[3]" },
		{ "{\"start\": 3, \"size\": 1}", "{\"start\": 3}", "profiles[0].placements[3].size: is missing" },
		{ "[0, 1, 2, 3]", "[0, 1, 2, 2]", "profiles[0].driver_order" },
		{ "[0, 1, 2, 3]", "[0, 1, 2]", "profiles[0].driver_order" },
		{ "\"ofa\": 0}", "\"ofa\": 0.5}", "profiles[0]" },
		{ "\"default\": true", "\"default\": \"yes\"", "profiles[0].compute[0].default" },
		{ "mig-model/1", "mig-model/2", "schema" },
	};
	const struct scratch *s = *state;

	for (size_t i = 0; i < GS_ARRAY_SIZE(cases); i++) {
		struct gs_catalogue *c = NULL;
		struct gs_error e;

		write_changed(s, "a.json", cases[i].from, cases[i].to);
		if (gs_catalogue_load_dir(s->dir, &c, &e) != -EBADMSG)
			fail_msg("taken: %s", cases[i].to);
		assert_null(c);
		assert_non_null(strstr(e.file, "a.json"));
		if (!strstr(e.text, cases[i].says))
			fail_msg("%s: %s", cases[i].to, e.text);
	}
}

static void a_fault_in_the_text_is_named_with_line_and_column(void **state)
{
	struct gs_catalogue *c = NULL;
	struct gs_error e;

	write_changed(*state, "a.json", "\"architecture\": \"Ampere\",", "\"architecture\": \"Ampere\"");
	assert_int_equal(gs_catalogue_load_dir(((struct scratch *)*state)->dir, &c, &e), -EBADMSG);
	assert_int_equal(e.line, 5);
	assert_int_equal(e.column, 2);
}

static void one_board_in_two_models_is_refused(void **state)
{
	struct gs_catalogue *c = NULL;
	struct gs_error e;

	write_changed(*state, "a.json", "A30 24GB", "A30 24GB");
	write_changed(*state, "b.json", "A30 24GB", "A31 24GB");
	assert_int_equal(gs_catalogue_load_dir(((struct scratch *)*state)->dir, &c, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "10de:20b7"));
}

static void a_chip_in_two_models_is_undecided_without_subsystem(void **state)
{
	GS_CLEANUP(gs_catalogue_freep) struct gs_catalogue *c = NULL;
	struct gs_error e;

	write_changed(*state, "a.json", "A30 24GB", "A30 24GB");
	write_changed(*state, "b.json", "[\"10de:1532\", \"10de:1804\", \"10de:1852\"]", "[\"10de:9999\"]");
	assert_int_equal(gs_catalogue_load_dir(((struct scratch *)*state)->dir, &c, &e), 0);
	assert_null(gs_catalogue_by_pci(c, "10de:20b7", NULL));
	assert_null(gs_catalogue_by_pci(c, "10de:20b7", "10de:0000"));
	assert_string_equal(gs_catalogue_by_pci(c, "10de:20b7", "10de:9999")->file, "b");
	assert_string_equal(gs_catalogue_by_pci(c, "10de:20b7", "10de:1804")->file, "a");
}

static void a_directory_that_is_not_there_is_an_error(void **state)
{
	struct gs_catalogue *c = NULL;
	struct gs_error e;

	(void)state;
	assert_int_equal(gs_catalogue_load_dir("/nonexistent", &c, &e), -ENOENT);
	assert_non_null(strstr(e.text, "/nonexistent"));
}

#define SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_open, scratch_close)

int main(void)
{
	const struct CMUnitTest shipped[] = {
		cmocka_unit_test(all_models_are_there),
		cmocka_unit_test(a_board_has_its_grid_and_profiles),
		cmocka_unit_test(profiles_go_from_small_to_large_and_plain_comes_first),
		cmocka_unit_test(the_subsystem_decides_between_models_of_one_chip),
	};
	const struct CMUnitTest hostile[] = {
		SCRATCH(a_fault_in_a_file_is_named_with_its_path),
		SCRATCH(a_fault_in_the_text_is_named_with_line_and_column),
		SCRATCH(one_board_in_two_models_is_refused),
		SCRATCH(a_chip_in_two_models_is_undecided_without_subsystem),
		cmocka_unit_test(a_directory_that_is_not_there_is_an_error),
	};
	int r = cmocka_run_group_tests(shipped, load, unload);

	return r + cmocka_run_group_tests(hostile, NULL, NULL);
}
