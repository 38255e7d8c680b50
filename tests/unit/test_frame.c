/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <string.h>

#include <cmocka.h>

#include "ui/frame.h"

static struct gs_frame *frame_of(int rows, int columns)
{
	struct gs_frame *f = NULL;

	assert_int_equal(gs_frame_new(rows, columns, &f), 0);
	return f;
}

static void expect_text(const struct gs_frame *f, const char *expected)
{
	char *text = gs_frame_text(f);

	assert_string_equal(text, expected);
	free(text);
}

static const struct gs_rect all = { 0, 0, 3, 10 };

static void sizes(void **state)
{
	struct gs_frame *f = NULL;

	(void)state;
	assert_int_equal(gs_frame_new(0, 1, &f), -EINVAL);
	assert_int_equal(gs_frame_new(1, 0, &f), -EINVAL);
	assert_int_equal(gs_frame_new(1001, 1, &f), -EINVAL);
	assert_int_equal(gs_frame_new(-1, -1, &f), -EINVAL);
	assert_null(f);
	assert_int_equal(gs_frame_new(1000, 1000, &f), 0);
	assert_null(gs_frame_free(f));
	assert_null(gs_frame_free(NULL));
}

static void text_is_clipped_on_every_side(void **state)
{
	struct gs_frame *f = frame_of(3, 10);
	struct gs_rect middle = { 1, 3, 1, 4 };

	(void)state;
	assert_int_equal(gs_draw_text(f, middle, 0, -2, GS_ELEMENT_TEXT, "abcdefghij"), 10);
	gs_draw_text(f, middle, -1, 0, GS_ELEMENT_TEXT, "no");
	gs_draw_text(f, middle, 1, 0, GS_ELEMENT_TEXT, "no");
	gs_draw_text(f, middle, 0, 4, GS_ELEMENT_TEXT, "no");
	expect_text(f, "\n   cdef\n\n");
	gs_frame_clear(f);
	gs_draw_text(f, (struct gs_rect){ 0, 0, 99, 99 }, 2, 8, GS_ELEMENT_TEXT, "xyz");
	expect_text(f, "\n\n        xy\n");
	gs_frame_free(f);
}

static void extreme_places_are_nothing(void **state)
{
	struct gs_frame *f = frame_of(3, 10);
	struct gs_rect far = { INT_MAX, INT_MAX, INT_MAX, INT_MAX };

	(void)state;
	gs_draw_text(f, far, INT_MAX, INT_MAX, GS_ELEMENT_TEXT, "x");
	gs_draw_text(f, all, INT_MIN, INT_MIN, GS_ELEMENT_TEXT, "x");
	gs_draw_code(f, all, 0, INT_MAX, GS_ELEMENT_TEXT, 'x');
	gs_draw_fill(f, (struct gs_rect){ 0, 0, -5, -5 }, 0, 0, 3, 3, GS_ELEMENT_TEXT, 'x');
	gs_draw_fill(f, all, 0, 0, -1, 5, GS_ELEMENT_TEXT, 'x');
	expect_text(f, "\n\n\n");
	gs_draw_fill(f, (struct gs_rect){ INT_MIN, INT_MIN, INT_MAX, INT_MAX }, 0, 0, INT_MAX, INT_MAX, GS_ELEMENT_TEXT, 'x');
	expect_text(f, "\n\n\n");
	gs_draw_fill(f, all, 1, 8, INT_MAX, INT_MAX, GS_ELEMENT_TEXT, 'x');
	gs_draw_flag(f, all, -3, -3, INT_MAX, INT_MAX, GS_CELL_CURSOR);
	expect_text(f, "\n        xx\n        xx\n");
	gs_frame_free(f);
}

/* What a process is called is up to its owner. */
static void hostile_text_is_harmless(void **state)
{
	struct gs_frame *f = frame_of(1, 40);
	struct gs_rect row = { 0, 0, 1, 40 };

	(void)state;
	assert_int_equal(gs_draw_text(f, row, 0, 0, GS_ELEMENT_TEXT, "a\033[2Jb\nc\177d\302\233e\377f\342\224g\342\200\256h"), 19);
	expect_text(f, "a?[2Jb?c?d?e?f??g?h\n");
	gs_frame_clear(f);
	gs_draw_code(f, row, 0, 0, GS_ELEMENT_TEXT, 27);
	gs_draw_code(f, row, 0, 1, GS_ELEMENT_TEXT, 0x202e);
	gs_draw_code(f, row, 0, 2, GS_ELEMENT_TEXT, 0xffffffff);
	gs_draw_fill(f, row, 0, 3, 1, 2, GS_ELEMENT_TEXT, '\n');
	gs_draw_code(f, row, 0, 5, GS_ELEMENT_TEXT, 0x0301);
	expect_text(f, "?????\n");
	gs_frame_free(f);
}

static void widths(void **state)
{
	(void)state;
	assert_int_equal(gs_text_width(""), 0);
	assert_int_equal(gs_text_width("abc"), 3);
	assert_int_equal(gs_text_width("\342\224\200\342\226\210\342\226\221"), 3);     /* line, block, shade */
	assert_int_equal(gs_text_width("\346\227\245\346\234\254"), 4);                 /* two ideographs */
	assert_int_equal(gs_text_width("e\314\201"), 1);                                /* combining */
	assert_int_equal(gs_text_width("\377\377"), 2);
	assert_int_equal(gs_text_width("\360\237\230\200"), 2);
}

/* Each half of a wide character that is left alone becomes a blank. */
static void wide_characters(void **state)
{
	struct gs_frame *f = frame_of(1, 10);
	struct gs_rect row = { 0, 0, 1, 10 };

	(void)state;
	assert_int_equal(gs_draw_text(f, row, 0, 0, GS_ELEMENT_TEXT, "\346\227\245\346\234\254x"), 5);
	assert_int_equal(f->cells[0].code, 0x65e5);
	assert_int_equal(f->cells[1].code, 0);
	expect_text(f, "\346\227\245\346\234\254x\n");
	gs_draw_text(f, row, 0, 1, GS_ELEMENT_TEXT, "a");
	expect_text(f, " a\346\234\254x\n");
	gs_draw_text(f, row, 0, 2, GS_ELEMENT_TEXT, "b");
	expect_text(f, " ab x\n");
	gs_frame_clear(f);
	gs_draw_text(f, row, 0, 0, GS_ELEMENT_TEXT, "\346\227\245\346\234\254");
	gs_draw_text(f, row, 0, 1, GS_ELEMENT_TEXT, "\346\227\245");
	expect_text(f, " \346\227\245\n");
	assert_int_equal(f->cells[3].code, ' ');
	gs_frame_clear(f);
	gs_draw_text(f, row, 0, 9, GS_ELEMENT_TEXT, "\346\227\245");
	gs_draw_text(f, row, 0, -1, GS_ELEMENT_TEXT, "\346\227\245z");
	expect_text(f, " z\n");
	gs_draw_text(f, (struct gs_rect){ 0, 4, 1, 3 }, 0, 0, GS_ELEMENT_TEXT, "\346\227\245\346\234\254");
	expect_text(f, " z  \346\227\245\n");
	assert_int_equal(f->cells[6].code, ' ');
	gs_frame_free(f);
}

static void ascii_frames_show_ascii(void **state)
{
	struct gs_frame *f = frame_of(1, 10);
	struct gs_rect row = { 0, 0, 1, 10 };

	(void)state;
	f->ascii = true;
	gs_draw_text(f, row, 0, 0, GS_ELEMENT_TEXT, "a\303\251\346\227\245b\342\224\200c");
	gs_draw_code(f, row, 0, 8, GS_ELEMENT_TEXT, 0x2500);
	expect_text(f, "a???b?c ?\n");
	gs_frame_free(f);
}

static void fitting(void **state)
{
	struct gs_frame *f = frame_of(1, 10);
	struct gs_rect row = { 0, 0, 1, 10 };
	static const struct {
		int width, used;
		const char *text, *expected;
	} cases[] = {
		{ 5, 5, "abcde", "abcde\n" },
		{ 5, 5, "abcdef", "abc..\n" },
		{ 2, 2, "abc", "..\n" },
		{ 1, 1, "abc", ".\n" },
		{ 0, 0, "abc", "\n" },
		{ -3, 0, "abc", "\n" },
		{ 5, 4, "\346\227\245\346\234\254\346\234\254", "\346\227\245..\n" },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(cases); i++) {
		gs_frame_clear(f);
		assert_int_equal(gs_draw_fit(f, row, 0, 0, cases[i].width, GS_ELEMENT_TEXT, cases[i].text), cases[i].used);
		expect_text(f, cases[i].expected);
	}
	assert_int_equal(gs_draw_printf(f, row, 0, 0, GS_ELEMENT_TEXT, "%d/%s", 7, "x"), 3);
	gs_frame_free(f);
}

static void attributes_are_printed(void **state)
{
	struct gs_frame *f = frame_of(3, 10);
	char *text;

	(void)state;
	gs_draw_text(f, all, 0, 1, GS_ELEMENT_LIVE, "ab");
	gs_draw_fill(f, all, 1, 0, 1, 10, GS_ELEMENT_HEADER, ' ');
	gs_draw_flag(f, all, 0, 2, 2, 3, GS_CELL_CURSOR);
	gs_draw_flag(f, all, 2, 9, 1, 1, GS_CELL_MARKED);
	text = gs_frame_attributes(f);
	assert_string_equal(text, ".ll\nHHHHHHHHHH\n\ncursor 0:2-4\ncursor 1:2-4\nmarked 2:9-9\n. text\nH header\nl live\n");
	free(text);
	gs_frame_free(f);
}

/* Golden files rely on one letter meaning one element. */
static void every_element_has_a_letter_of_its_own(void **state)
{
	struct gs_frame *f = frame_of(1, GS_ELEMENT_MAX + 1);
	char *text;

	(void)state;
	for (int el = 0; el < GS_ELEMENT_MAX; el++)
		gs_draw_code(f, (struct gs_rect){ 0, 0, 1, 100 }, 0, el, (enum gs_element)el, 'x');
	text = gs_frame_attributes(f);
	for (int el = 0; el < GS_ELEMENT_MAX; el++) {
		assert_int_not_equal(text[el], '\\');
		assert_ptr_equal(strchr(text, text[el]), text + el);
	}
	free(text);
	gs_frame_free(f);
}

static int in_c_locale(void **state)
{
	(void)state;
	return setlocale(LC_ALL, "C") ? 0 : -1;
}

static int in_utf8_locale(void **state)
{
	(void)state;
	return setlocale(LC_ALL, "C.UTF-8") ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(text_is_clipped_on_every_side),
		cmocka_unit_test(extreme_places_are_nothing),
		cmocka_unit_test(hostile_text_is_harmless),
		cmocka_unit_test(widths),
		cmocka_unit_test(wide_characters),
		cmocka_unit_test(ascii_frames_show_ascii),
		cmocka_unit_test(fitting),
		cmocka_unit_test(attributes_are_printed),
		cmocka_unit_test(every_element_has_a_letter_of_its_own),
	};
	int failed;

	/* a frame is the same whatever the locale */
	failed = cmocka_run_group_tests_name("C", tests, in_c_locale, NULL);
	failed += cmocka_run_group_tests_name("C.UTF-8", tests, in_utf8_locale, NULL);
	return failed;
}
