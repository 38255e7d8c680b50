/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole frames against golden files of text and elements. GENERATE=1 writes
 * them anew: then look at them, they are what an operator sees.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/lib/golden.h"
#include "tests/screen/machine.h"
#include "ui/control.h"
#include "ui/view.h"

static const struct gs_golden_size sizes[] = { { 24, 80, true }, { 24, 80, false }, { 40, 120, true }, { 40, 120, false }, };

static void check(const struct gs_model *m, const char *name)
{
	gs_golden_check(m, name, sizes, GS_ARRAY_SIZE(sizes));
}

/* ---------------------------------------------------------------- models */

static struct gs_model *model(struct gs_snapshot *s)
{
	struct gs_model *m = gs_model_new(false);
	struct gs_error e = { 0 };

	assert_non_null(m);
	m->privileged = true;
	m->source = GS_SOURCE_SIM;
	snprintf(m->host, sizeof(m->host), "dgx01");
	if (s) {
		if (gs_model_set_snapshot(m, s, &e) < 0)
			fail_msg("%s", e.text);
		gs_snapshot_unref(s);
	}
	return m;
}

static void stage(struct gs_model *m, const char *text)
{
	struct gs_error e = { 0 };

	if (gs_model_stage(m, text, &e) < 0)
		fail_msg("%s: %s", text, e.text);
}

static void press(struct gs_model *m, const char *keys)
{
	for (; *keys; keys++) {
		struct gs_event ev = { .type = GS_EVENT_KEY, .key = *keys == '>' ? GS_KEY_RIGHT : *keys == '\n' ? GS_KEY_ENTER : (uint32_t)*keys };

		gs_control_event(m, &ev, 24, 80);
	}
	m->message[0] = '\0';
}

#define MODEL GS_CLEANUP(gs_model_freep) struct gs_model

/* GPU 2 of the machine, with bob's and an idle instance replaced by a larger one. */
static struct gs_model *replacement(void)
{
	struct gs_model *m = model(machine_dgx(false));

	m->gpu = 2;
	stage(m, "delete 2 1g.10gb@0 1g.10gb@1");
	stage(m, "create 2 2g.20gb at 0");
	return m;
}

/* ---------------------------------------------------------------- frames */

static void test_idle(void **state)
{
	MODEL *m = model(machine_dgx(false));

	(void)state;
	check(m, "idle");
	m->gpu = 4;
	check(m, "whole");
}

static void test_staged(void **state)
{
	MODEL *m = replacement();

	(void)state;
	check(m, "replacement");
	m->lane = GS_LANE_NOW;
	m->focus = GS_FOCUS_PLAN;
	check(m, "replacement-now");
	press(m, "q");
	check(m, "quit");
}

static void test_created(void **state)
{
	MODEL *m = model(machine_dgx(false));

	(void)state;
	m->gpu = 2;
	m->focus = GS_FOCUS_GRID;
	m->unit = 2;
	stage(m, "create 2 2g.20gb at 2");
	check(m, "created");
}

static void test_palette(void **state)
{
	MODEL *m = model(machine_dgx(false));

	(void)state;
	m->gpu = 2;
	press(m, "c4");
	check(m, "palette");
	press(m, "6");
	check(m, "palette-conflict");
}

static void test_selection(void **state)
{
	MODEL *m = model(machine_dgx(false));

	(void)state;
	m->gpu = 2;
	m->focus = GS_FOCUS_GRID;
	m->unit = 2;
	press(m, "v");
	assert_true(m->selecting);
	m->anchor = 0;
	m->extent = 3;
	check(m, "selecting");
	press(m, "\n");
	assert_int_equal(m->layer, GS_LAYER_CHOOSER);
	check(m, "selection-conflict");
}

static void test_review(void **state)
{
	MODEL *m = replacement();

	(void)state;
	press(m, "W");
	assert_int_equal(m->layer, GS_LAYER_REVIEW);
	check(m, "review-typed");
}

static void test_review_blocked(void **state)
{
	MODEL *m = model(machine_dgx(false));

	(void)state;
	m->gpu = 2;
	stage(m, "create 2 4g.40gb at 0");
	check(m, "blocked");
	press(m, "W");
	check(m, "review-blocked");
}

static void test_writing(void **state)
{
	MODEL *m = replacement();

	(void)state;
	m->layer = GS_LAYER_WRITING;
	m->now.ms = 1000;
	gs_control_progress(m, "begin", 1, 7, "stop pid 51020 python3 (bob), SIGTERM", NULL);
	m->now.ms = 1400;
	gs_control_progress(m, "done", 1, 7, NULL, NULL);
	gs_control_progress(m, "begin", 2, 7, "destroy CI 0 of GI 12", "the kernel waits for pid 2214 nv-hostengine to let go");
	m->now.ms = 48400;
	check(m, "writing");
}

static void test_layers(void **state)
{
	MODEL *m = replacement();

	(void)state;
	press(m, "?");
	check(m, "help");
	press(m, "\033b");
	check(m, "who");
	press(m, "\033e");
	check(m, "explain");
	press(m, "\033M1");
	check(m, "modes");
	press(m, "\033:create 9 x\n");
	check(m, "prompt");
}

static void test_blind(void **state)
{
	MODEL *m = model(machine_dgx(true));

	(void)state;
	m->privileged = false;
	m->gpu = 2;
	check(m, "position-unknown");
}

static void test_grids(void **state)
{
	MODEL *m = model(machine_lab());

	(void)state;
	m->source = GS_SOURCE_LIVE;
	check(m, "grid-a30");
	m->gpu = 1;
	check(m, "grid-rtx");
	m->gpu = 2;
	check(m, "grid-lost-unit");
	m->gpu = 3;
	check(m, "gpu-lost");
}

static void test_empty(void **state)
{
	MODEL *m = model(NULL);

	(void)state;
	check(m, "empty");
}

/* ---------------------------------------------------------------- what holds at every size */

/* What is drawn for one state is drawn for no other: not without colour, and not without UTF-8. */
static void test_signs_differ(void **state)
{
	const struct gs_glyphs *g = gs_glyphs(true);
	const uint32_t signs[] = { g->sm, g->new_v, g->gone, g->conflict, g->ghost, g->lost, g->dot, g->box_v, '?', '*', 'x' };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(signs); i++)
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(signs[i], signs[k]);
	assert_int_not_equal(gs_glyphs(false)->ghost, '?');
}

static bool looks_same(const struct gs_theme *t, enum gs_element a, enum gs_element b)
{
	const struct gs_style *x = &t->styles[a], *y = &t->styles[b];

	return x->foreground == y->foreground && x->bold == y->bold && x->reverse == y->reverse && x->underline == y->underline;
}

static void test_what_stops_work_stands_out(void **state)
{
	static const char *const names[] = { "default", "mono" };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(names); i++) {
		GS_CLEANUP(gs_theme_freep) struct gs_theme *t = NULL;

		assert_int_equal(gs_theme_load(names[i], &t, NULL), 0);
		assert_false(looks_same(t, GS_ELEMENT_STOPS, GS_ELEMENT_CONFIRM));
		assert_false(looks_same(t, GS_ELEMENT_STOPS, GS_ELEMENT_STAGED_GONE));
		assert_false(looks_same(t, GS_ELEMENT_STOPS, GS_ELEMENT_STAGED_NEW));
		assert_false(looks_same(t, GS_ELEMENT_STOPS, GS_ELEMENT_NOTE));
	}
}

static void test_too_small(void **state)
{
	MODEL *m = replacement();
	GS_CLEANUP(gs_frame_freep) struct gs_frame *f = gs_golden_draw(m, (struct gs_golden_size){ 10, 60, true });
	GS_FREE char *text = gs_frame_text(f);

	(void)state;
	assert_non_null(strstr(text, "have 60 columns, 10 rows"));
	assert_null(strstr(text, "dgx01"));
}

static void test_every_size(void **state)
{
	static const enum gs_layer layers[] = { GS_LAYER_NONE, GS_LAYER_REVIEW, GS_LAYER_HELP, GS_LAYER_WHO, GS_LAYER_EXPLAIN, GS_LAYER_QUIT,
						GS_LAYER_WRITING, GS_LAYER_MODE, GS_LAYER_PALETTE, GS_LAYER_PROMPT };
	MODEL *m = replacement();

	(void)state;
	assert_int_equal(gs_model_offer(m, false, NULL), 0);
	for (size_t i = 0; i < GS_ARRAY_SIZE(layers); i++) {
		m->layer = layers[i];
		for (int rows = 1; rows <= 60; rows += rows < 24 ? 1 : 6) {
			for (int columns = 1; columns <= 200; columns += columns < 66 ? 16 : columns < 84 ? 1 : 29) {
				GS_CLEANUP(gs_frame_freep) struct gs_frame *a = gs_golden_draw(m, (struct gs_golden_size){ rows, columns, true });
				GS_CLEANUP(gs_frame_freep) struct gs_frame *b = gs_golden_draw(m, (struct gs_golden_size){ rows, columns, false });

				/* the two glyph sets differ in characters, never in what a cell is */
				for (int c = 0; c < rows * columns; c++) {
					assert_int_equal(a->cells[c].element, b->cells[c].element);
					assert_int_equal(a->cells[c].flags, b->cells[c].flags);
					assert_true(a->cells[c].code < 0x80);
				}
				gs_view_hit(m, rows, columns, rows / 2, columns / 2);
			}
		}
	}
}

/* The header's words stand at 70 columns with everything to be said. */
static void test_header_words(void **state)
{
	static const char *const words[] = { "gpuslice", "SIMULATED", "READ-ONLY", "PARTIAL VIEW" };
	MODEL *m = model(machine_dgx(true));
	GS_CLEANUP(gs_frame_freep) struct gs_frame *f = NULL;
	GS_FREE char *text = NULL;
	const char *at;

	(void)state;
	m->read_only = true;
	f = gs_golden_draw(m, (struct gs_golden_size){ 24, 70, true });
	at = text = gs_frame_text(f);
	*strchr(text, '\n') = '\0';
	for (size_t i = 0; i < GS_ARRAY_SIZE(words); i++) {
		at = strstr(at, words[i]);
		assert_non_null(at);
	}
}

/* ---------------------------------------------------------------- the mouse */

/* What is drawn at a cell is what is hit there. */
static void test_hits(void **state)
{
	MODEL *m = model(machine_dgx(false));
	struct gs_geometry geo;
	struct gs_hit hit;

	(void)state;
	m->gpu = 2;
	gs_geometry_compute(24, 80, m, &geo);
	for (uint32_t u = 0; u < 8; u++) {
		hit = gs_view_hit(m, 24, 80, geo.grid.row + 3, gs_unit_column(&geo, 8, u) + 2);
		assert_int_equal(hit.kind, GS_HIT_UNIT);
		assert_int_equal(hit.unit, u);
		assert_int_equal(hit.gpu, 2);
	}
	assert_int_equal(gs_view_hit(m, 24, 80, geo.grid.row + 3, 2).kind, GS_HIT_NONE);
	hit = gs_view_hit(m, 24, 80, geo.fleet.row + 4, 5);
	assert_int_equal(hit.kind, GS_HIT_FLEET);
	assert_int_equal(hit.gpu, 3);
	assert_false(hit.has_unit);
	assert_int_equal(gs_view_hit(m, 24, 80, geo.fleet.row, 5).kind, GS_HIT_NONE);
	assert_int_equal(gs_view_hit(m, 24, 80, 500, 500).kind, GS_HIT_NONE);
	assert_int_equal(gs_view_hit(m, 24, 80, -1, -1).kind, GS_HIT_NONE);
	assert_int_equal(gs_view_hit(m, 10, 30, 5, 5).kind, GS_HIT_NONE);

	stage(m, "create 2 2g.20gb at 2");
	gs_geometry_compute(24, 80, m, &geo);
	hit = gs_view_hit(m, 24, 80, geo.plan.row, 20);
	assert_int_equal(hit.kind, GS_HIT_PLAN);
	assert_int_equal(hit.row, 0);

	press(m, "c");
	gs_geometry_compute(24, 80, m, &geo);
	hit = gs_view_hit(m, 24, 80, geo.layer.row + 2 + 3, 20);
	assert_int_equal(hit.kind, GS_HIT_LAYER_ROW);
	assert_int_equal(hit.row, 3);
}

/* Every hint that is drawn is pressed where it stands. */
static void test_hint_hits(void **state)
{
	MODEL *m = model(machine_dgx(false));
	GS_CLEANUP(gs_frame_freep) struct gs_frame *f = gs_golden_draw(m, (struct gs_golden_size){ 24, 80, true });
	bool seen = false;

	(void)state;
	for (int c = 0; c < 80; c++) {
		struct gs_hit hit = gs_view_hit(m, 24, 80, 23, c);
		const struct gs_cell *cell = &f->cells[23 * 80 + c];

		if (cell->element == GS_ELEMENT_KEY)
			assert_int_equal(hit.kind, GS_HIT_HINT);
		if (cell->element == GS_ELEMENT_KEY && cell->code == 'q') {
			assert_int_equal(hit.key, 'q');
			seen = true;
		}
	}
	assert_true(seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle), cmocka_unit_test(test_staged), cmocka_unit_test(test_created), cmocka_unit_test(test_palette),
		cmocka_unit_test(test_selection), cmocka_unit_test(test_review), cmocka_unit_test(test_review_blocked), cmocka_unit_test(test_writing),
		cmocka_unit_test(test_layers), cmocka_unit_test(test_blind), cmocka_unit_test(test_grids), cmocka_unit_test(test_empty),
		cmocka_unit_test(test_signs_differ),
		cmocka_unit_test(test_what_stops_work_stands_out),
		cmocka_unit_test(test_too_small), cmocka_unit_test(test_every_size), cmocka_unit_test(test_header_words), cmocka_unit_test(test_hits),
		cmocka_unit_test(test_hint_hits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
