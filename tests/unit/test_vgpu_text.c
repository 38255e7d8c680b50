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

#include "base/cleanup.h"
#include "base/error.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "codec/vgpu_text.h"

#define GIB (1ull << 30)
#define MIB (1ull << 20)
#define HEADER "ID    : vGPU Name\n"

static void table_of(const char *text, struct gs_vgpu_table *t)
{
	gs_vgpu_table_parse(text, strlen(text), t);
}

/* ---- names ---- */

static void a_name_says_size_class_and_slices(void **state)
{
	static const struct {
		const char *name, *prefix, *suffix;
		unsigned slices, gibibytes;
		char series;
	} cases[] = {
		{ "L40S-24Q", "L40S", "", 0, 24, 'Q' },
		{ "NVIDIA L40S-1B", "L40S", "", 0, 1, 'B' },
		{ "GRID T4-2B4", "T4", "4", 0, 2, 'B' },
		{ "GRID A100-1-5C", "A100", "", 1, 5, 'C' },
		{ "GRID A100DX-1-10CME", "A100DX", "ME", 1, 10, 'C' },
		{ "NVIDIA RTX Pro 6000 Blackwell DC-1-3Q", "RTX Pro 6000 Blackwell DC", "", 1, 3, 'Q' },
		{ "NVIDIA RTX Pro 6000 Blackwell DC-4-96QGFX", "RTX Pro 6000 Blackwell DC", "GFX", 4, 96, 'Q' },
		{ "NVIDIA RTX6000-Ada-48Q", "RTX6000-Ada", "", 0, 48, 'Q' },
		{ "NVIDIA B300X-7-269C", "B300X", "", 7, 269, 'C' },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(cases); i++) {
		const char *text = gs_vgpu_name_short(cases[i].name);
		struct gs_vgpu_name n;
		uint64_t bytes;

		if (gs_vgpu_name_parse(cases[i].name, &n) < 0)
			fail_msg("refused: %s", cases[i].name);
		assert_int_equal(n.n_prefix, strlen(cases[i].prefix));
		assert_memory_equal(text, cases[i].prefix, n.n_prefix);
		assert_string_equal(n.suffix, cases[i].suffix);
		assert_int_equal(n.compute_slices, cases[i].slices);
		assert_int_equal(n.series, cases[i].series);
		assert_int_equal(gs_vgpu_name_framebuffer(cases[i].name, &bytes), 0);
		assert_true(bytes == cases[i].gibibytes * GIB && bytes == n.framebuffer_bytes);
	}
}

static void what_is_no_name_is_refused_and_nothing_is_written(void **state)
{
	static const char *const names[] = {
		"", "L40S", "L40S-", "L40S-Q", "L40S-24", "L40S-24X", "L40S-24q", "L40S-0Q", "L40S-24QQ", "L40S-24Q ", "L40S-24QME", "L40S-2Q4",
		"L40S--24Q1", "-24Q", "NVIDIA -24Q", "NVIDIA ", "L40S-99999Q", "L40S-99999999999999999999Q", "L40S-+4Q", "L40S- 4Q", "A100-1-5CXX", "L40S-4,Q",
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(names); i++) {
		uint64_t bytes = 4711;

		if (gs_vgpu_name_framebuffer(names[i], &bytes) != -EINVAL || bytes != 4711)
			fail_msg("taken: \"%s\"", names[i]);
	}
}

/* ---- creatable_vgpu_types ---- */

static void the_drivers_table_is_read_as_it_is(void **state)
{
	struct gs_vgpu_table t;

	(void)state;
	table_of(HEADER "1145  : NVIDIA L40S-1B\n1155  : NVIDIA L40S-24Q\n2164  : NVIDIA L40S-3B\n", &t);
	assert_true(t.has_header);
	assert_false(t.is_cut);
	assert_int_equal(t.n_ignored, 0);
	assert_int_equal(t.n, 3);
	assert_int_equal(t.rows[2].type_id, 2164);
	assert_string_equal(t.rows[2].name, "NVIDIA L40S-3B");
	assert_ptr_equal(gs_vgpu_table_by_id(&t, 1155), &t.rows[1]);
	assert_ptr_equal(gs_vgpu_table_by_name(&t, "L40S-24Q"), &t.rows[1]);
	assert_ptr_equal(gs_vgpu_table_by_name(&t, "NVIDIA L40S-24Q"), &t.rows[1]);
	assert_null(gs_vgpu_table_by_name(&t, "L40S-24q"));
	assert_null(gs_vgpu_table_by_name(&t, "L40S-2"));
	assert_null(gs_vgpu_table_by_id(&t, 0));
}

static void a_header_alone_is_an_empty_table_and_nothing_is_none(void **state)
{
	struct gs_vgpu_table t;

	(void)state;
	table_of(HEADER, &t);
	assert_true(t.has_header && !t.is_cut);
	assert_int_equal(t.n, 0);
	table_of("", &t);
	assert_false(t.has_header || t.is_cut);
	assert_int_equal(t.n, 0);
	gs_vgpu_table_parse(NULL, 0, &t);
	assert_int_equal(t.n, 0);
}

static void there_may_be_no_header(void **state)
{
	struct gs_vgpu_table t;

	(void)state;
	table_of("1428  : NVIDIA H200X-141C\n", &t);
	assert_false(t.has_header);
	assert_int_equal(t.n, 1);
	assert_string_equal(t.rows[0].name, "NVIDIA H200X-141C");
}

static void blanks_carriage_returns_and_colons_in_names_are_read(void **state)
{
	struct gs_vgpu_table t;

	(void)state;
	table_of("ID : Name\r\n\r\n  1145\t:\t NVIDIA L40S-1B \r\n7:x\n8 : a : b\n", &t);
	assert_int_equal(t.n, 3);
	assert_string_equal(t.rows[0].name, "NVIDIA L40S-1B");
	assert_int_equal(t.rows[1].type_id, 7);
	assert_string_equal(t.rows[1].name, "x");
	assert_string_equal(t.rows[2].name, "a : b");
	assert_int_equal(t.n_ignored, 0);
}

static void a_line_without_its_end_is_left_out_and_said(void **state)
{
	struct gs_vgpu_table t;

	(void)state;
	table_of(HEADER "1145  : NVIDIA L40S-1B\n1155  : NVIDIA L40S-2", &t);
	assert_true(t.is_cut);
	assert_int_equal(t.n, 1);
	table_of(HEADER "1145  : NVIDIA L40S-1B\n11", &t);
	assert_true(t.is_cut);
	assert_int_equal(t.n, 1);
	table_of(HEADER "1145  : NVIDIA L40S-1B\n  ", &t);
	assert_false(t.is_cut);
}

/* Every place where a reader may stop: no row is invented, all whole ones are there. */
static void a_table_cut_anywhere_gives_its_whole_rows(void **state)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	struct gs_vgpu_table whole, t;

	(void)state;
	gs_strbuf_puts(&b, HEADER);
	for (unsigned i = 1; i <= 100; i++)
		gs_strbuf_printf(&b, "%-5u : NVIDIA L40S-%uQ\n", 1000 + i, i);
	table_of(b.text, &whole);
	assert_int_equal(whole.n, 100);
	for (size_t n = 0; n < b.length; n++) {
		gs_vgpu_table_parse(b.text, n, &t);
		if (t.is_cut != (n > 0 && b.text[n - 1] != '\n') || t.n_ignored)
			fail_msg("cut at %zu", n);
		for (size_t i = 0; i < t.n; i++)
			if (t.rows[i].type_id != whole.rows[i].type_id || strcmp(t.rows[i].name, whole.rows[i].name) != 0)
				fail_msg("cut at %zu: row %zu is %u %s", n, i, t.rows[i].type_id, t.rows[i].name);
	}
}

static void rows_that_cannot_be_used_are_counted(void **state)
{
	struct gs_vgpu_table t;
	char text[512];

	(void)state;
	table_of("0 : none\n4294967295 : max\n4294967296 : over\n7 : seven\n007 : again\n8 NVIDIA L40S-1B\n9 :\n10\nNVIDIA L40S-1B 1145\n0x1 : hex\n-3 : minus\n", &t);
	assert_int_equal(t.n, 2);
	assert_int_equal(t.rows[0].type_id, UINT32_MAX);
	assert_string_equal(t.rows[1].name, "seven");
	assert_int_equal(t.n_ignored, 6);
	assert_false(t.has_header);
	snprintf(text, sizeof(text), "1 : %063d\n2 : %064d\n", 0, 0);
	table_of(text, &t);
	assert_int_equal(t.n, 1);
	assert_int_equal(strlen(t.rows[0].name), 63);
	assert_int_equal(t.n_ignored, 1);
}

static void no_more_rows_are_taken_than_a_gpu_has_types(void **state)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	struct gs_vgpu_table t;

	(void)state;
	for (unsigned i = 1; i <= GS_VGPU_TYPES_MAX + 3; i++)
		gs_strbuf_printf(&b, "%u : NVIDIA L40S-1Q\n", i);
	table_of(b.text, &t);
	assert_int_equal(t.n, GS_VGPU_TYPES_MAX);
	assert_int_equal(t.n_ignored, 3);
	assert_int_equal(t.rows[GS_VGPU_TYPES_MAX - 1].type_id, GS_VGPU_TYPES_MAX);
}

static void a_name_cannot_reach_the_terminal(void **state)
{
	static const char bytes[] = "1 : L40S\x1b[2J-1Q\n2 : a\0b-1Q\n3 : \xff-1Q\n4 : \xe2\x80\xae-1Q\n";
	struct gs_vgpu_table t;

	(void)state;
	gs_vgpu_table_parse(bytes, sizeof(bytes) - 1, &t);
	assert_int_equal(t.n, 4);
	assert_string_equal(t.rows[0].name, "L40S?[2J-1Q");
	assert_string_equal(t.rows[1].name, "a?b-1Q");
	for (size_t i = 0; i < t.n; i++) {
		size_t at;

		assert_true(gs_utf8_is_valid(t.rows[i].name, strlen(t.rows[i].name), &at));
		assert_false(gs_utf8_has_hidden(t.rows[i].name, strlen(t.rows[i].name), &at));
		assert_null(strpbrk(t.rows[i].name, "\x1b\xff"));
	}
}

/* ---- description ---- */

static void describe(const char *text, struct gs_mdev_description *d)
{
	gs_mdev_description_parse(text, strlen(text), d);
}

static void a_description_is_read(void **state)
{
	static const char *const texts[] = {
		"num_heads=4, frl_config=45, framebuffer=1024M, max_resolution=5120x2880, max_instance=16\n",
		"num_heads=4,frl_config=45,framebuffer=1024M,max_resolution=5120x2880,max_instance=16",
		"max_instance=16,   max_resolution = 5120x2880 ,new_key=7, framebuffer=1024M,\tfrl_config=45,, num_heads=4\r\n",
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(texts); i++) {
		struct gs_mdev_description d;

		describe(texts[i], &d);
		assert_true(gs_u32_is(d.heads, 4));
		assert_true(gs_u32_is(d.frame_limit, 45));
		assert_true(gs_u32_is(d.max_instances, 16));
		assert_true(d.framebuffer_bytes.known && d.framebuffer_bytes.value == 1024 * MIB);
		assert_string_equal(d.max_resolution, "5120x2880");
		assert_int_equal(d.n_ignored, 0);
	}
}

static void a_description_on_lines_is_read_too(void **state)
{
	struct gs_mdev_description d;

	(void)state;
	describe("low_gm_size: 128MB\nhigh_gm_size: 512MB\nfence: 4\nresolution: 1920x1200\nweight: 4\n", &d);
	assert_string_equal(d.max_resolution, "1920x1200");
	assert_false(d.heads.known || d.max_instances.known || d.framebuffer_bytes.known);
	assert_int_equal(d.n_ignored, 0);
	describe("", &d);
	assert_false(d.heads.known);
	assert_string_equal(d.max_resolution, "");
}

static void a_value_that_makes_no_sense_is_unknown(void **state)
{
	struct gs_mdev_description d;

	(void)state;
	describe("num_heads=-1, frl_config=, framebuffer=1024, max_resolution=5120, max_instance=4294967296", &d);
	assert_false(d.heads.known || d.frame_limit.known || d.framebuffer_bytes.known || d.max_instances.known);
	assert_string_equal(d.max_resolution, "");
	assert_int_equal(d.n_ignored, 5);
	describe("framebuffer=M, framebuffer=0M, framebuffer=4294967295M, framebuffer=1G", &d);
	assert_false(d.framebuffer_bytes.known);
	assert_int_equal(d.n_ignored, 4);
	describe("max_resolution=x, max_resolution=1x, max_resolution=x1, max_resolution=0x1, max_resolution=1x1x1, max_resolution=99999999999x1", &d);
	assert_string_equal(d.max_resolution, "");
	assert_int_equal(d.n_ignored, 6);
	describe("num_heads, =4, num_heads:, max_instance", &d);
	assert_false(d.heads.known || d.max_instances.known);
	/* the first one counts */
	describe("num_heads=1, num_heads=2", &d);
	assert_true(gs_u32_is(d.heads, 1));
	assert_int_equal(d.n_ignored, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_says_size_class_and_slices),
		cmocka_unit_test(what_is_no_name_is_refused_and_nothing_is_written),
		cmocka_unit_test(the_drivers_table_is_read_as_it_is),
		cmocka_unit_test(a_header_alone_is_an_empty_table_and_nothing_is_none),
		cmocka_unit_test(there_may_be_no_header),
		cmocka_unit_test(blanks_carriage_returns_and_colons_in_names_are_read),
		cmocka_unit_test(a_line_without_its_end_is_left_out_and_said),
		cmocka_unit_test(a_table_cut_anywhere_gives_its_whole_rows),
		cmocka_unit_test(rows_that_cannot_be_used_are_counted),
		cmocka_unit_test(no_more_rows_are_taken_than_a_gpu_has_types),
		cmocka_unit_test(a_name_cannot_reach_the_terminal),
		cmocka_unit_test(a_description_is_read),
		cmocka_unit_test(a_description_on_lines_is_read_too),
		cmocka_unit_test(a_value_that_makes_no_sense_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
