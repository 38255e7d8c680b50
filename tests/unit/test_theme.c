/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include <cmocka.h>

#include "base/file.h"
#include "ui/theme.h"

static bool has_colour(const struct gs_style *s)
{
	return s->foreground >= 0 || s->background >= 0;
}

static bool is_same(const struct gs_style *a, const struct gs_style *b)
{
	return a->foreground == b->foreground && a->background == b->background && a->bold == b->bold && a->dim == b->dim &&
	       a->underline == b->underline && a->reverse == b->reverse;
}

static void shipped_themes_load(void **state)
{
	static const char *const names[] = { "default", "mono" };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(names); i++) {
		struct gs_theme *t = NULL;
		struct gs_error e = { 0 };

		if (gs_theme_load(names[i], &t, &e) < 0)
			fail_msg("%s", e.text);
		assert_string_equal(t->name, names[i]);
		/* what must not be mistaken for something else differs without its colour, or by its shape and text only */
		assert_false(is_same(&t->styles[GS_ELEMENT_HELD], &t->styles[GS_ELEMENT_LIVE]));
		assert_false(is_same(&t->styles[GS_ELEMENT_STAGED_NEW], &t->styles[GS_ELEMENT_STAGED_GONE]));
		assert_false(is_same(&t->styles[GS_ELEMENT_BLOCK], &t->styles[GS_ELEMENT_NOTE]));
		assert_false(is_same(&t->styles[GS_ELEMENT_SELECTED], &t->styles[GS_ELEMENT_TEXT]));
		gs_theme_free(t);
	}
	assert_null(gs_theme_free(NULL));
}

static void mono_has_no_colour(void **state)
{
	struct gs_theme *t = NULL;

	(void)state;
	assert_int_equal(gs_theme_load("mono", &t, NULL), 0);
	for (int el = 0; el < GS_ELEMENT_MAX; el++)
		assert_false(has_colour(&t->styles[el]));
	gs_theme_free(t);
}

/* Dark and light backgrounds: no background of ours, and none of the colours that vanish on one of them. */
static void default_is_readable_on_any_background(void **state)
{
	struct gs_theme *t = NULL;

	(void)state;
	assert_int_equal(gs_theme_load("default", &t, NULL), 0);
	assert_false(has_colour(&t->styles[GS_ELEMENT_TEXT]));
	for (int el = 0; el < GS_ELEMENT_MAX; el++) {
		int fg = t->styles[el].foreground;

		assert_int_equal(t->styles[el].background, -1);
		/* red, green, magenta, cyan */
		assert_true(fg == -1 || fg == 1 || fg == 2 || fg == 5 || fg == 6);
	}
	gs_theme_free(t);
}

/* Load @json from a file; the theme or NULL, with the sentence in @e. */
static struct gs_theme *load_text(const char *json, struct gs_error *e)
{
	char path[] = "/tmp/gpuslice-theme-XXXXXX";
	int fd = mkstemp(path);
	struct gs_theme *t = NULL;

	assert_true(fd >= 0);
	assert_int_equal(gs_fd_write_all(fd, json, strlen(json)), 0);
	close(fd);
	*e = (struct gs_error){ 0 };
	if (gs_theme_load(path, &t, e) < 0)
		assert_null(t);
	unlink(path);
	return t;
}

#define THEME(elements) "{\"schema\":\"gpuslice.theme/1\",\"name\":\"x\",\"elements\":" elements "}"

static void colours_and_flags(void **state)
{
	struct gs_error e;
	struct gs_theme *t = load_text(THEME("{\"text\":{\"fg\":250,\"dim\":true},\"live\":{\"fg\":\"bright-cyan\",\"bg\":\"black\",\"bold\":true},"
					     "\"held\":{\"fg\":null,\"bg\":0,\"underline\":true,\"reverse\":true,\"bold\":false}}"), &e);

	(void)state;
	if (!t)
		fail_msg("%s", e.text);
	assert_int_equal(t->styles[GS_ELEMENT_LIVE].foreground, 14);
	assert_int_equal(t->styles[GS_ELEMENT_LIVE].background, 0);
	assert_true(t->styles[GS_ELEMENT_LIVE].bold);
	assert_int_equal(t->styles[GS_ELEMENT_HELD].foreground, -1);
	assert_int_equal(t->styles[GS_ELEMENT_HELD].background, 0);
	assert_true(t->styles[GS_ELEMENT_HELD].underline && t->styles[GS_ELEMENT_HELD].reverse);
	assert_false(t->styles[GS_ELEMENT_HELD].bold);
	/* not listed: like text, whatever the order in the file */
	assert_true(is_same(&t->styles[GS_ELEMENT_NOTE], &t->styles[GS_ELEMENT_TEXT]));
	assert_int_equal(t->styles[GS_ELEMENT_NOTE].foreground, 250);
	gs_theme_free(t);
}

static void mistakes_are_named(void **state)
{
	static const struct {
		const char *json, *named;
	} cases[] = {
		{ "", "" },
		{ "[]", "object" },
		{ "{\"schema\":\"gpuslice.theme/1\",\"name\":\"x\"}", "elements" },
		{ "{\"schema\":\"gpuslice.theme/2\",\"name\":\"x\",\"elements\":{}}", "schema" },
		{ "{\"name\":\"x\",\"elements\":{}}", "schema" },
		{ "{\"schema\":\"gpuslice.theme/1\",\"elements\":{}}", "name" },
		{ "{\"schema\":\"gpuslice.theme/1\",\"name\":\"\",\"elements\":{}}", "name" },
		{ "{\"schema\":\"gpuslice.theme/1\",\"name\":\"x\",\"elements\":{},\"extra\":1}", "extra" },
		{ THEME("[]"), "elements" },
		{ THEME("{\"lvie\":{}}"), "lvie" },
		{ THEME("{\"live\":7}"), "live" },
		{ THEME("{\"live\":{\"fg\":\"cyna\"}}"), "fg" },
		{ THEME("{\"live\":{\"fg\":256}}"), "fg" },
		{ THEME("{\"live\":{\"fg\":-1}}"), "fg" },
		{ THEME("{\"live\":{\"bg\":1.5}}"), "bg" },
		{ THEME("{\"live\":{\"fg\":\"bright-\"}}"), "fg" },
		{ THEME("{\"live\":{\"bold\":1}}"), "bold" },
		{ THEME("{\"live\":{\"bold\":null}}"), "bold" },
		{ THEME("{\"live\":{\"blink\":true}}"), "blink" },
		{ THEME("{}") "x", "" },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(cases); i++) {
		struct gs_error e;
		struct gs_theme *t = load_text(cases[i].json, &e);

		if (t || e.status != GS_STATUS_INVALID || !strstr(e.text, cases[i].named))
			fail_msg("case %zu: status %d, \"%s\"", i, (int)e.status, e.text);
	}
}

static void names_are_no_way_out(void **state)
{
	static const char *const names[] = { "", "..", "no-such-theme", "Default", "a\nb", "/nonexistent/x.json", "/tmp" };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(names); i++) {
		struct gs_theme *t = NULL;
		struct gs_error e = { 0 };

		assert_true(gs_theme_load(names[i], &t, &e) < 0);
		assert_null(t);
		assert_int_equal(e.status, GS_STATUS_INVALID);
	}
}

static void element_names(void **state)
{
	(void)state;
	assert_string_equal(gs_element_name(GS_ELEMENT_STAGED_NEW), "staged-new");
	assert_string_equal(gs_element_summary(GS_ELEMENT_TEXT), "ordinary text");
	assert_string_equal(gs_element_name((enum gs_element)999), "?");
}

static void check_glyphs(const struct gs_glyphs *g, uint32_t most)
{
	const uint32_t codes[] = {
		g->box_h, g->box_v, g->box_tl, g->box_tr, g->box_bl, g->box_br, g->new_h, g->new_v, g->new_tl, g->new_tr, g->new_bl,
		g->new_br, g->gone, g->conflict, g->ghost, g->wait, g->lost, g->free, g->dot, g->unread, g->sm, g->sm_lost,
		g->meter_full, g->meter_empty, g->rule, g->mark, g->up, g->down,
	};
	/* the struct has nothing else: none is forgotten here or there */
	assert_int_equal(sizeof(codes) + sizeof(uint32_t), sizeof(*g));
	for (size_t i = 0; i < GS_ARRAY_SIZE(codes); i++) {
		assert_in_range(codes[i], 0x21, most);
		assert_int_equal(wcwidth((wchar_t)codes[i]), 1);
	}
	/* states are told apart by shape */
	assert_int_not_equal(g->box_h, g->new_h);
	assert_int_not_equal(g->box_v, g->new_v);
	assert_int_not_equal(g->gone, g->conflict);
	assert_int_not_equal(g->free, g->lost);
	assert_int_not_equal(g->sm, g->sm_lost);
	assert_int_not_equal(g->meter_full, g->meter_empty);
}

static void glyphs_are_one_column_each(void **state)
{
	(void)state;
	assert_non_null(setlocale(LC_ALL, "C.UTF-8"));
	assert_true(gs_glyphs(true)->is_ascii);
	assert_false(gs_glyphs(false)->is_ascii);
	check_glyphs(gs_glyphs(true), 0x7e);
	check_glyphs(gs_glyphs(false), 0xffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shipped_themes_load),
		cmocka_unit_test(mono_has_no_colour),
		cmocka_unit_test(default_is_readable_on_any_background),
		cmocka_unit_test(colours_and_flags),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(names_are_no_way_out),
		cmocka_unit_test(element_names),
		cmocka_unit_test(glyphs_are_one_column_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
