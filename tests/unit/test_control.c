/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/ui_fixture.h"
#include "ui/view.h"

#define ROWS 24
#define COLUMNS 80

static unsigned keys(struct gs_model *m, const char *text)
{
	return ui_keys(m, ROWS, COLUMNS, text);
}

static struct gs_model *on_gpu(uint32_t gpu)
{
	struct gs_model *m = ui_model(&ui_lab, false);

	m->gpu = gpu;
	return m;
}

/* ---- the table ---- */

static void test_every_action_has_key_hint_and_help(void **state)
{
	size_t n;
	const struct gs_action *a = gs_actions(&n);

	(void)state;
	assert_true(n > 30);
	for (size_t i = 0; i < n; i++) {
		assert_non_null(a[i].name);
		assert_true(a[i].keys[0] != 0);
		assert_true(a[i].key_text && *a[i].key_text);
		assert_true(a[i].hint && *a[i].hint);
		assert_true(a[i].help && strlen(a[i].help) > 8);
		assert_int_equal(a[i].help[strlen(a[i].help) - 1], '.');
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(a[i].name, a[k].name);
	}
}

static void test_function_keys_have_letters(void **state)
{
	size_t n;
	const struct gs_action *a = gs_actions(&n);

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < GS_ARRAY_SIZE(a[i].keys); k++)
			if (a[i].keys[k] >= GS_KEY_F1 && a[i].keys[k] <= GS_KEY_F12)
				assert_true(a[i].keys[0] < 0x80);
}

static void test_monitor_refuses_every_edit(void **state)
{
	size_t n;
	const struct gs_action *a = gs_actions(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; a[i].flags & GS_ACTION_EDITS && k < GS_ARRAY_SIZE(a[i].keys) && a[i].keys[k]; k++) {
			GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, true);
			struct gs_event ev = { .type = GS_EVENT_KEY, .key = a[i].keys[k] };
			unsigned done;

			m->gpu = 1;
			m->focus = GS_FOCUS_GRID;
			done = gs_control_event(m, &ev, ROWS, COLUMNS);
			assert_int_equal(done & ~(unsigned)GS_DO_REDRAW, 0);
			assert_non_null(strstr(m->message, "READ-ONLY"));
			assert_true(m->message_is_error);
			assert_int_equal(m->layer, GS_LAYER_NONE);
			assert_int_equal(m->n_staged, 0);
			assert_false(m->selecting);
		}
	}
}

static void test_monitor_hints_no_edit(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, true);
	const struct gs_action *h[64];
	size_t n;

	(void)state;
	for (int gpu = 0; gpu < 3; gpu++) {
		m->gpu = (uint32_t)gpu;
		for (int focus = 0; focus < GS_FOCUS_MAX; focus++) {
			m->focus = (enum gs_focus)focus;
			n = gs_control_hints(m, h, 64);
			for (size_t i = 0; i < n; i++)
				assert_false(h[i]->flags & GS_ACTION_EDITS);
			assert_string_equal(h[n - 1]->name, "quit");
		}
	}
}

static void test_monitor_drag_and_prompt_do_nothing(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, true);
	int row, column;

	(void)state;
	assert_true(ui_find_unit(m, ROWS, COLUMNS, 2, &row, &column));
	ui_mouse(m, ROWS, COLUMNS, GS_MOUSE_PRESS, row, column);
	ui_mouse(m, ROWS, COLUMNS, GS_MOUSE_RELEASE, row, column);
	assert_false(m->selecting);
	assert_int_equal(m->layer, GS_LAYER_NONE);
	keys(m, ":create 0 1g.10gb\r");
	assert_int_equal(m->n_staged, 0);
}

static void test_hints_follow_the_cursor(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(1);
	const struct gs_action *h[64];
	size_t n;

	(void)state;
	m->focus = GS_FOCUS_GRID;
	n = gs_control_hints(m, h, 64);
	assert_string_equal(h[0]->name, "delete");
	assert_string_equal(h[n - 3]->name, "write");
	assert_string_equal(h[n - 2]->name, "help");
	assert_string_equal(h[n - 1]->name, "quit");
	m->unit = 2;
	gs_control_hints(m, h, 64);
	assert_string_equal(h[0]->name, "create");
	assert_string_equal(h[1]->name, "select");
	m->unit = 0;
	keys(m, "d");
	gs_control_hints(m, h, 64);
	assert_string_equal(h[0]->name, "drop");
	/* little room: the last three stay */
	n = gs_control_hints(m, h, 4);
	assert_int_equal(n, 4);
	assert_string_equal(h[3]->name, "quit");
}

static bool hints_name(const struct gs_model *m, const char *name)
{
	const struct gs_action *h[64];
	size_t n = gs_control_hints(m, h, 64);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(h[i]->name, name))
			return true;
	return false;
}

static void test_no_hint_for_what_cannot_be(void **state)
{
	struct ui_machine machine = ui_lab;
	GS_CLEANUP(gs_model_freep) struct gs_model *m = NULL;

	(void)state;
	machine.lost = 1 << 0;
	machine.bare = 1 << 1 | 1 << 2;
	m = ui_model(&machine, false);
	for (m->gpu = 0; m->gpu < 3; m->gpu++) {
		for (int focus = GS_FOCUS_FLEET; focus <= GS_FOCUS_GRID; focus++) {
			m->focus = (enum gs_focus)focus;
			for (m->unit = 0; m->unit < 8; m->unit++) {
				assert_false(hints_name(m, "create"));
				assert_false(hints_name(m, "select"));
				assert_int_equal(hints_name(m, "mode"), m->gpu == 2);
			}
		}
	}
}

static void test_hints_for_arrows(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(0);

	(void)state;
	keys(m, "c");
	assert_true(hints_name(m, "start"));
	keys(m, "\033");
	keys(m, "v");
	assert_true(hints_name(m, "extend"));
	assert_false(hints_name(m, "right"));
}

/* ---- moving ---- */

/* The cursor walks inside the window; the list moves only at its edges. */
static void test_a_long_list_stays_where_it_is(void **state)
{
	struct ui_machine machine = ui_lab;
	GS_CLEANUP(gs_model_freep) struct gs_model *m = NULL;
	struct gs_tops tops;
	size_t top;

	(void)state;
	machine.n_gpus = 32;
	m = ui_model(&machine, false);
	keys(m, "\033[6~\033[6~");
	assert_int_equal(m->gpu, 20);
	assert_true(gs_view_tops(m, ROWS, COLUMNS, &tops));
	top = tops.fleet;
	assert_true(top > 10 && top < 20);
	while (m->gpu > top) {
		keys(m, "k");
		assert_true(gs_view_tops(m, ROWS, COLUMNS, &tops));
		assert_int_equal(tops.fleet, top);
	}
	keys(m, "k");
	assert_true(gs_view_tops(m, ROWS, COLUMNS, &tops));
	assert_int_equal(tops.fleet, top - 1);
	keys(m, "j");
	assert_true(gs_view_tops(m, ROWS, COLUMNS, &tops));
	assert_int_equal(tops.fleet, top - 1);
	/* the mouse hits what is drawn */
	ui_mouse(m, ROWS, COLUMNS, GS_MOUSE_PRESS, 2, 3);
	assert_int_equal(m->gpu, top - 1);
	keys(m, "G");
	keys(m, "g");
	assert_true(gs_view_tops(m, ROWS, COLUMNS, &tops));
	assert_int_equal(tops.fleet, 0);
}

static void test_a_long_plan_stays_where_it_is(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(0);
	struct gs_tops tops, before;

	(void)state;
	keys(m, "c1x7\r");
	m->focus = GS_FOCUS_PLAN;
	keys(m, "G");
	assert_true(gs_view_tops(m, ROWS, COLUMNS, &before));
	assert_true(before.plan > 10);
	keys(m, "k");
	assert_true(gs_view_tops(m, ROWS, COLUMNS, &tops));
	assert_int_equal(tops.plan, before.plan);
	for (int i = 0; i < 40; i++)
		keys(m, "k");
	assert_true(gs_view_tops(m, ROWS, COLUMNS, &tops));
	assert_int_equal(tops.plan, 0);
	/* the review likewise */
	keys(m, "WG");
	assert_true(gs_view_tops(m, ROWS, COLUMNS, &before));
	assert_true(before.list > 0);
	keys(m, "kk");
	assert_true(gs_view_tops(m, ROWS, COLUMNS, &tops));
	assert_int_equal(tops.list, before.list);
}


static void test_moving(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(0);

	(void)state;
	keys(m, "j\033[B\033[B");
	assert_int_equal(m->gpu, 2);
	keys(m, "k");
	assert_int_equal(m->gpu, 1);
	keys(m, "\t");
	assert_int_equal(m->focus, GS_FOCUS_GRID);
	keys(m, "l");
	assert_int_equal(m->unit, 1);
	keys(m, "lll");
	assert_int_equal(m->unit, 4);
	/* a block is one stop */
	keys(m, "l");
	assert_int_equal(m->unit, 4);
	keys(m, "h");
	assert_int_equal(m->unit, 3);
	keys(m, "\t\t");
	assert_int_equal(m->focus, GS_FOCUS_FLEET);
	keys(m, "\033[Z");
	assert_int_equal(m->focus, GS_FOCUS_PLAN);
}

static void test_nothing_happens_without_gpus(void **state)
{
	static const char *const all = "cvdxXurMtpWbe? \033q:\t\r\033[A\033[B\033[C\033[DjkhlgG!yRKs1234";
	struct ui_machine none = ui_lab;
	GS_CLEANUP(gs_model_freep) struct gs_model *m = NULL;

	(void)state;
	none.n_gpus = 0;
	m = ui_model(&none, false);
	for (const char *c = all; *c; c++) {
		char one[2] = { *c, '\0' };

		keys(m, one);
	}
	assert_int_equal(m->n_staged, 0);
	/* nor before the first look */
	gs_model_free(m);
	m = gs_model_new(false);
	for (const char *c = all; *c; c++) {
		char one[2] = { *c, '\0' };

		keys(m, one);
	}
	assert_int_equal(m->n_staged, 0);
}

/* ---- palette ---- */

static void test_c_4_enter(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(1);

	(void)state;
	keys(m, "c");
	assert_int_equal(m->layer, GS_LAYER_PALETTE);
	keys(m, "4");
	assert_string_equal(m->offers[m->offer].profile->name, "2g.20gb");
	keys(m, "\r");
	assert_int_equal(m->layer, GS_LAYER_NONE);
	assert_int_equal(m->n_staged, 1);
	assert_string_equal(m->staged[0].text, "create 1 2g.20gb at 2");
	assert_int_equal(m->plan->n_steps, 2);
}

static void test_palette_other_start(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(0);
	uint32_t first;

	(void)state;
	keys(m, "c5");
	first = m->offers[4].starts[m->offers[4].chosen];
	keys(m, "l");
	assert_int_not_equal(m->offers[4].starts[m->offers[4].chosen], first);
	keys(m, "\033[C\r");
	assert_string_equal(m->staged[0].text, first ? "create 0 3g.40gb at 4" : "create 0 3g.40gb at 0");
}

static void test_palette_count(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(0);

	(void)state;
	keys(m, "c1x3\r");
	assert_int_equal(m->n_staged, 3);
	for (size_t i = 0; i < 3; i++)
		assert_non_null(strstr(m->staged[i].text, "create 0 1g.10gb at "));
	assert_false(gs_plan_is_blocked(m->plan));
	/* more than fit */
	keys(m, "c5x3\r");
	assert_int_equal(m->n_staged, 3);
	assert_true(m->message_is_error);
	assert_int_equal(m->layer, GS_LAYER_PALETTE);
}

static void test_palette_refuses_and_replaces(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(1);

	(void)state;
	keys(m, "c6\r");
	assert_int_equal(m->n_staged, 0);
	assert_int_equal(m->layer, GS_LAYER_PALETTE);
	assert_non_null(strstr(m->message, "GI 12*"));
	keys(m, "R");
	assert_int_equal(m->layer, GS_LAYER_NONE);
	assert_int_equal(m->n_staged, 3);
	assert_string_equal(m->staged[0].text, "delete 1 1g.10gb@0");
	assert_string_equal(m->staged[1].text, "delete 1 1g.10gb@1");
	assert_string_equal(m->staged[2].text, "create 1 4g.40gb at 0");
	assert_true(gs_plan_stops_somebody(m->plan));
}

static void test_palette_chooses_what_to_replace(void **state)
{
	static const struct ui_instance full[] = { { 0, 3, "3g.40gb", 0, 0, GS_HOLDER_PROCESS }, { 0, 4, "3g.40gb", 4, 0, GS_HOLDER_PROCESS } };
	struct ui_machine machine = ui_lab;
	GS_CLEANUP(gs_model_freep) struct gs_model *m = NULL;

	(void)state;
	machine.instances = full;
	machine.n = 2;
	m = ui_model(&machine, false);
	keys(m, "c4ll");
	assert_int_equal(m->offers[3].wanted_start, 4);
	assert_string_equal(m->offers[3].why, "at 4: GI 4");
	keys(m, "R");
	assert_string_equal(m->staged[0].text, "delete 0 3g.40gb@4");
	assert_string_equal(m->staged[1].text, "create 0 2g.20gb at 4");
}

static void test_palette_where_nothing_fits(void **state)
{
	static const struct ui_instance full[] = { { 0, 3, "7g.80gb", 0, 0, GS_HOLDER_PROCESS } };
	struct ui_machine machine = ui_lab;
	GS_CLEANUP(gs_model_freep) struct gs_model *m = NULL;
	GS_CLEANUP(gs_frame_freep) struct gs_frame *f = NULL;
	GS_FREE char *text = NULL;

	(void)state;
	machine.instances = full;
	machine.n = 1;
	m = ui_model(&machine, false);
	keys(m, "c");
	assert_int_equal(m->layer, GS_LAYER_PALETTE);
	assert_int_equal(gs_frame_new(ROWS, COLUMNS, &f), 0);
	gs_view_draw(m, gs_glyphs(true), f);
	text = gs_frame_text(f);
	assert_non_null(strstr(text, "Nothing fits on this GPU"));
	assert_true(hints_name(m, "replace"));
	assert_false(hints_name(m, "open"));
}

static void test_palette_brings_the_mode_along(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(2);

	(void)state;
	keys(m, "c");
	assert_int_equal(m->layer, GS_LAYER_PALETTE);
	assert_non_null(strstr(m->message, "mode 2 mig"));
	keys(m, "5\r");
	assert_int_equal(m->n_staged, 2);
	assert_string_equal(m->staged[0].text, "mode 2 mig");
	assert_non_null(strstr(m->staged[1].text, "create 2 3g.40gb at "));
	assert_non_null(strstr(m->message, "MIG"));
	keys(m, "c5\r");
	assert_int_equal(m->n_staged, 3);
}

static void test_commands_go_to_marked_gpus(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(0);

	(void)state;
	keys(m, " jj c7\r");
	assert_int_equal(m->n_staged, 3);
	assert_string_equal(m->staged[0].text, "create 0 7g.80gb at 0");
	assert_string_equal(m->staged[1].text, "mode 2 mig");
	assert_string_equal(m->staged[2].text, "create 2 7g.80gb at 0");
	/* what is looked at is not what is marked */
	keys(m, "kd");
	assert_int_equal(m->n_staged, 3);
	assert_true(m->message_is_error);
	keys(m, "\033");
	keys(m, "d");
	assert_int_equal(m->n_staged, 4);
}

/* ---- selecting ---- */

static void test_select_extend_choose(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(0);

	(void)state;
	keys(m, "v");
	assert_true(m->selecting);
	keys(m, "lll");
	assert_int_equal(m->anchor, 0);
	assert_int_equal(m->extent, 3);
	keys(m, "\r");
	assert_int_equal(m->layer, GS_LAYER_CHOOSER);
	assert_string_equal(m->offers[0].profile->name, "4g.40gb");
	assert_int_equal(m->offer, 0);
	keys(m, "2\r");
	assert_string_equal(m->staged[0].text, "create 0 3g.40gb at 0");
	assert_false(m->selecting);
	/* Esc gives up, twice */
	keys(m, "vl\033");
	assert_false(m->selecting);
	keys(m, "vl\r\033");
	assert_false(m->selecting);
	assert_int_equal(m->layer, GS_LAYER_NONE);
	assert_int_equal(m->n_staged, 1);
}

static void test_a_selection_without_a_profile_of_its_size(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(0);

	(void)state;
	/* units 1 to 3: inside, not the place outside that is as near */
	keys(m, "lvll\r");
	assert_int_equal(m->layer, GS_LAYER_CHOOSER);
	assert_string_equal(m->offers[m->offer].profile->name, "2g.20gb");
	assert_int_equal(m->offers[m->offer].starts[m->offers[m->offer].chosen], 2);
	assert_non_null(strstr(m->message, "no profile has 3 units: 2g.20gb at 2"));
}

static void test_d_takes_only_what_is_marked(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(0);

	(void)state;
	keys(m, "jd");
	assert_int_equal(m->n_staged, 0);
	assert_int_equal(m->focus, GS_FOCUS_GRID);
	assert_non_null(strstr(m->message, "d again"));
	keys(m, "d");
	assert_string_equal(m->staged[0].text, "delete 1 1g.10gb@0");
	/* and x */
	keys(m, "\t\tx");
	assert_int_equal(m->n_staged, 1);
	keys(m, "x");
	assert_int_equal(m->n_staged, 0);
	/* a place is not carried over to another GPU */
	keys(m, "lll");
	assert_int_equal(m->unit, 3);
	keys(m, "k");
	assert_int_equal(m->gpu, 0);
	assert_int_equal(m->unit, 0);
}

static void test_enter_never_replaces(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(1);

	(void)state;
	keys(m, "vlll\r\r\r\r");
	assert_int_equal(m->n_staged, 0);
	assert_int_equal(m->layer, GS_LAYER_CHOOSER);
	keys(m, "R");
	assert_int_equal(m->n_staged, 3);
}

/* ---- d, x, X, u, r, M ---- */

static void test_delete_and_drop(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(1);

	(void)state;
	keys(m, "\td");
	assert_string_equal(m->staged[0].text, "delete 1 1g.10gb@0");
	keys(m, "d");
	assert_int_equal(m->n_staged, 1);
	keys(m, "ld");
	assert_string_equal(m->staged[1].text, "delete 1 1g.10gb@1");
	assert_non_null(strstr(m->message, "somebody uses it"));
	keys(m, "hx");
	assert_int_equal(m->n_staged, 1);
	assert_string_equal(m->staged[0].text, "delete 1 1g.10gb@1");
	keys(m, "r");
	assert_int_equal(m->n_staged, 2);
	/* X asks; any other key is a no */
	keys(m, "XjX");
	assert_int_equal(m->n_staged, 2);
	keys(m, "X");
	assert_int_equal(m->n_staged, 0);
	keys(m, "rr");
	assert_int_equal(m->n_staged, 2);
	keys(m, "uuu");
	assert_int_equal(m->n_staged, 0);
}

static void test_drop_in_the_plan_pane(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(0);

	(void)state;
	keys(m, "c1\rc1\r\t\033[Z\t");
	m->focus = GS_FOCUS_PLAN;
	keys(m, "gx");
	assert_int_equal(m->n_staged, 2);
	keys(m, "Gx");
	assert_int_equal(m->n_staged, 1);
}

static void test_escape_never_drops(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(0);
	struct gs_event ev = { .type = GS_EVENT_RESIZE, .rows = 10, .columns = 20 };

	(void)state;
	keys(m, "c1\r");
	keys(m, "\033");
	keys(m, "\033");
	keys(m, "W");
	keys(m, "\033");
	keys(m, ":");
	keys(m, "\033");
	gs_control_event(m, &ev, 10, 20);
	assert_int_equal(m->n_staged, 1);
	assert_int_equal(m->layer, GS_LAYER_NONE);
}

/* Who cannot see the review does not answer it, whatever is open and whatever is typed. */
static void test_nothing_is_decided_unseen(void **state)
{
	static const struct {
		const char *keys;
		enum gs_layer layer;
	} cases[] = { { "c1\r", GS_LAYER_NONE }, { "c1\rW", GS_LAYER_REVIEW }, { ":delete 2 rest", GS_LAYER_PROMPT }, { "S", GS_LAYER_NONE } };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(cases); i++) {
		GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(0);
		size_t staged;

		keys(m, cases[i].keys);
		assert_int_equal(m->layer, cases[i].layer);
		staged = m->n_staged;
		for (unsigned key = 1; key < 256; key++) {
			struct gs_event ev = { .type = GS_EVENT_KEY, .key = key };
			bool narrow = key % 2;

			assert_int_equal(gs_control_event(m, &ev, narrow ? ROWS : 10, narrow ? 69 : COLUMNS) & ~(unsigned)(GS_DO_REDRAW | GS_DO_REPAINT | GS_DO_SUSPEND | GS_DO_QUIT), 0);
			assert_int_equal(m->layer, cases[i].layer);
			assert_int_equal(m->n_staged, staged);
		}
		/* it waits for room, as it was */
		if (cases[i].layer == GS_LAYER_REVIEW)
			assert_true(keys(m, "y") & GS_DO_COMMIT);
	}
}

static void test_mode_menu(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(1);

	(void)state;
	keys(m, "M");
	assert_int_equal(m->layer, GS_LAYER_MODE);
	/* on what it is: an Enter too many stages nothing */
	assert_int_equal(m->list_row, 1);
	keys(m, "\r\033");
	assert_int_equal(m->n_staged, 0);
	keys(m, "M1\r");
	assert_int_equal(m->n_staged, 2);
	assert_string_equal(m->staged[0].text, "delete 1 all");
	assert_string_equal(m->staged[1].text, "mode 1 whole");
	assert_non_null(strstr(m->message, "deletion of 3 instances"));
	keys(m, "jM");
	assert_int_equal(m->list_row, 0);
	keys(m, "2\r");
	assert_string_equal(m->staged[2].text, "mode 2 mig");
}

/* ---- leaving ---- */

static void test_quit(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(0);

	(void)state;
	assert_true(keys(m, "q") & GS_DO_QUIT);
	assert_true(keys(m, "\033[21~") & GS_DO_QUIT);
	keys(m, "c1\r");
	assert_false(keys(m, "q") & GS_DO_QUIT);
	assert_int_equal(m->layer, GS_LAYER_QUIT);
	assert_false(keys(m, "q") & GS_DO_QUIT);
	keys(m, "\033");
	assert_int_equal(m->layer, GS_LAYER_NONE);
	keys(m, "qs");
	assert_int_equal(m->layer, GS_LAYER_PROMPT);
	assert_int_equal(m->prompt, GS_PROMPT_SCRIPT);
	assert_string_equal(m->input, "gpuslice-dgx01.gs");
	assert_true(keys(m, "\r") & GS_DO_SAVE_SCRIPT);
	keys(m, "\033");
	assert_true(keys(m, "qX") & GS_DO_QUIT);
}

static void test_the_rest(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(1);

	(void)state;
	assert_true(keys(m, "\014") & GS_DO_REPAINT);
	assert_true(keys(m, "\032") & GS_DO_SUSPEND);
	assert_false(keys(m, "!") & GS_DO_SUDO);
	m->privileged = false;
	assert_true(keys(m, "!") & GS_DO_SUDO);
	keys(m, "?");
	assert_int_equal(m->layer, GS_LAYER_HELP);
	keys(m, "jjq");
	assert_int_equal(m->layer, GS_LAYER_NONE);
	keys(m, "b");
	assert_int_equal(m->layer, GS_LAYER_WHO);
	keys(m, "\033");
	keys(m, "ttt");
	assert_int_equal(m->lane, GS_LANE_BOTH);
	keys(m, "\td");
	keys(m, "e");
	assert_true(m->layer == GS_LAYER_EXPLAIN || !m->plan->n_findings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_action_has_key_hint_and_help),
		cmocka_unit_test(test_function_keys_have_letters),
		cmocka_unit_test(test_monitor_refuses_every_edit),
		cmocka_unit_test(test_monitor_hints_no_edit),
		cmocka_unit_test(test_monitor_drag_and_prompt_do_nothing),
		cmocka_unit_test(test_hints_follow_the_cursor),
		cmocka_unit_test(test_no_hint_for_what_cannot_be),
		cmocka_unit_test(test_hints_for_arrows),
		cmocka_unit_test(test_a_long_list_stays_where_it_is),
		cmocka_unit_test(test_a_long_plan_stays_where_it_is),
		cmocka_unit_test(test_palette_where_nothing_fits),
		cmocka_unit_test(test_moving),
		cmocka_unit_test(test_nothing_happens_without_gpus),
		cmocka_unit_test(test_c_4_enter),
		cmocka_unit_test(test_palette_other_start),
		cmocka_unit_test(test_palette_count),
		cmocka_unit_test(test_palette_refuses_and_replaces),
		cmocka_unit_test(test_palette_chooses_what_to_replace),
		cmocka_unit_test(test_palette_brings_the_mode_along),
		cmocka_unit_test(test_commands_go_to_marked_gpus),
		cmocka_unit_test(test_select_extend_choose),
		cmocka_unit_test(test_a_selection_without_a_profile_of_its_size),
		cmocka_unit_test(test_d_takes_only_what_is_marked),
		cmocka_unit_test(test_enter_never_replaces),
		cmocka_unit_test(test_delete_and_drop),
		cmocka_unit_test(test_drop_in_the_plan_pane),
		cmocka_unit_test(test_escape_never_drops),
		cmocka_unit_test(test_nothing_is_decided_unseen),
		cmocka_unit_test(test_mode_menu),
		cmocka_unit_test(test_quit),
		cmocka_unit_test(test_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
