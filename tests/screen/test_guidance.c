/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_guidance.c - what the console says before a key is pressed, where its cursor stands, and what an answer looks like, at two sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/lib/ui_fixture.h"
#include "tests/screen/virtual.h"
#include "ui/view_parts.h"

struct size {
	int rows, columns;
};
static struct size sizes[] = { { 24, 80 }, { 50, 160 } };

struct flow {
	struct gs_model *m;
	struct size at;
};

static unsigned keys(struct flow *f, const char *text)
{
	return ui_keys(f->m, f->at.rows, f->at.columns, text);
}

static char *picture(const struct flow *f)
{
	GS_CLEANUP(gs_frame_freep) struct gs_frame *frame = NULL;

	assert_int_equal(gs_frame_new(f->at.rows, f->at.columns, &frame), 0);
	gs_view_draw(f->m, gs_glyphs(true), frame);
	return gs_frame_text(frame);
}

static void sees(const struct flow *f, const char *text, bool is_there)
{
	GS_FREE char *shown = picture(f);

	if (!!strstr(shown, text) == is_there)
		return;
	/* more than a message of the framework holds */
	fprintf(stderr, "%s\n", shown);
	fail_msg("«%s» is %s", text, is_there ? "missing" : "there");
}

static void look(struct gs_model *m, struct gs_snapshot *s)
{
	struct gs_error e = { 0 };

	if (gs_model_set_snapshot(m, s, &e) < 0)
		fail_msg("%s", e.text);
	gs_snapshot_unref(s);
}

static void start(struct flow *f, void **state, struct gs_snapshot *s, uint32_t gpu)
{
	f->at = *(struct size *)*state;
	f->m = gs_model_new(false);
	f->m->privileged = true;
	f->m->wall.ms = 1700000045000;
	look(f->m, s);
	f->m->gpu = gpu;
}

static void end(struct flow *f)
{
	f->m = gs_model_free(f->m);
}
#define FLOW GS_CLEANUP(end)

static struct gs_holder *daemon_of(struct gs_snapshot *s, uint32_t gpu)
{
	return gs_snapshot_gpu(s, gpu)->holders[0];
}

/* Beside a long unit the reason ends with a mark, and takes the room that there is. */
static void test_who_keeps_its_columns_apart(void **state)
{
	FLOW struct flow f;
	struct gs_snapshot *s = machine_kvm();

	daemon_of(s, 3)->unit = "nvidia-persistenced-with-a-long-name.service";
	start(&f, state, s, 3);
	keys(&f, "bff");
	if (f.at.columns >= 160) {
		sees(&f, "unit", true);
		sees(&f, " nvidia-persistenced-with-a-long-name.se..", true);
	}
	sees(&f, "wantnvidia", false);
	sees(&f, "wanvidia", false);
}

static void test_who_answers_every_letter(void **state)
{
	FLOW struct flow f;

	start(&f, state, machine_kvm(), 0);
	keys(&f, "b");
	sees(&f, "f other operation", true);
	sees(&f, "r look again", true);
	for (const char *key = "Wey"; *key; key++) {
		keys(&f, (const char[]){ *key, 0 });
		assert_int_equal(f.m->layer, GS_LAYER_WHO);
		sees(&f, "only a list: Esc goes back", true);
	}
}

/* The number of lines that are not shown has a row of its own, or the last line ends before it with a mark. */
static void test_the_last_line_is_not_written_over(void **state)
{
	static const struct { int rows, whole; const char *more; } cases[] = {
		{ 3, 2, "..  +6 more" }, { 8, 7, "\n                                                    +2 more" },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(cases); i++) {
		GS_CLEANUP(gs_frame_freep) struct gs_frame *frame = NULL;
		GS_LINES struct gs_lines l = { 0 };
		GS_FREE char *shown = NULL;
		int whole = 0;

		assert_int_equal(gs_frame_new(8, 60, &frame), 0);
		for (int k = 0; k < 9; k++)
			gs_lines_add(&l, -1, GS_ELEMENT_TEXT, "%s", "a sentence that is told to its very end takes a whole line.");
		gs_lines_draw(&(struct gs_view){ .g = gs_glyphs(true), .f = frame }, (struct gs_rect){ 0, 0, cases[i].rows, 60 }, &l, 0, -1);
		shown = gs_frame_text(frame);
		if (!strstr(shown, cases[i].more))
			fail_msg("«%s» is missing:\n%s", cases[i].more, shown);
		for (char *c = shown; (c = strstr(c, "whole line.")); c++)
			whole++;
		assert_int_equal(whole, cases[i].whole);
	}
}

/* A message that is longer than the screen is wide is told whole. */
static void test_long_messages_are_whole(void **state)
{
	FLOW struct flow f;

	start(&f, state, ui_snapshot(&ui_lab), 1);
	keys(&f, "d");
	sees(&f, "on the grid now: d again takes what it marks, Left and Right choose", true);
	snprintf(f.m->message, sizeof(f.m->message), "a sentence that is longer than a screen of eighty columns is wide, and says at its end what to do");
	sees(&f, "what to do", true);
	sees(&f, "q quit", true);
}

static void test_an_enter_too_many_changes_nothing(void **state)
{
	struct gs_setting_row row;
	enum gs_mode modes[GS_MODE_MAX];
	FLOW struct flow f;

	start(&f, state, machine_kvm(), 1);
	keys(&f, "M");
	gs_model_mode_rows(f.m, modes);
	assert_int_equal(modes[f.m->list_row], GS_MODE_VGPU);
	sees(&f, "It is in this mode", true);
	sees(&f, "Enter stage", false);
	keys(&f, "\r\033");
	assert_int_equal(f.m->n_staged, 0);
	end(&f);
	start(&f, state, machine_families(), 5);
	keys(&f, "s");
	assert_true(gs_model_setting(f.m, f.m->list_row, &row));
	assert_string_equal(row.value, "SPX");
	sees(&f, "It is so", true);
	keys(&f, "\r\033");
	assert_int_equal(f.m->n_staged, 0);
	/* what is staged is what it will be */
	keys(&f, "s3\rs");
	assert_true(gs_model_setting(f.m, f.m->list_row, &row));
	assert_string_equal(row.value, "QPX");
	sees(&f, "This is staged", true);
}

static void wheel(struct flow *f, int row)
{
	ui_mouse(f->m, f->at.rows, f->at.columns, GS_MOUSE_WHEEL_DOWN, row, 10);
}

static void test_the_wheel_turns_what_is_under_it(void **state)
{
	FLOW struct flow f;
	struct gs_geometry geo;

	start(&f, state, machine_kvm(), 0);
	gs_geometry_compute(f.at.rows, f.at.columns, f.m, &geo);
	for (int row = geo.grid_title.row; row < f.at.rows; row++)
		wheel(&f, row);
	assert_int_equal(f.m->gpu, 0);
	wheel(&f, geo.fleet.row + 1);
	assert_int_equal(f.m->gpu, 1);
	/* of the plan it shows what is below, beside its lines and under them too */
	for (int i = 0; i < 9; i++)
		keys(&f, ":create 3 L40S-4Q\r\033");
	assert_true(gs_model_n_plan_items(f.m) > 9);
	f.m->plan_row = 0;
	for (int row = geo.plan.row; row < geo.plan.row + geo.plan.rows; row++)
		wheel(&f, row);
	assert_int_equal(f.m->plan_row, geo.plan.rows < (int)gs_model_n_plan_items(f.m) ? geo.plan.rows : (int)gs_model_n_plan_items(f.m) - 1);
	assert_int_equal(f.m->gpu, 1);
	assert_int_equal(f.m->focus, GS_FOCUS_PLAN);
}

static int row_of(const struct flow *f, const char *text)
{
	GS_FREE char *shown = picture(f);
	char *at = strstr(shown, text);
	int row = 0;

	if (!at)
		fail_msg("«%s» is missing:\n%s", text, shown);
	for (char *c = shown; at && c < at; c++)
		row += *c == '\n';
	return row;
}

/* What a choice means stands under the list of choices, however many GPUs there are. */
static void test_panels_keep_their_places(void **state)
{
	struct gs_snapshot *(*const machines[])(void) = { machine_kvm, machine_families, machine_lab };

	for (size_t i = 0; i < GS_ARRAY_SIZE(machines); i++) {
		FLOW struct flow f;

		start(&f, state, machines[i](), 0);
		keys(&f, "M");
		assert_true(row_of(&f, "MODE of GPU 0") < row_of(&f, "It is in this mode"));
	}
}

/* In the same order on every screen, and the steps in sight where something is typed. */
static void test_a_review_has_one_order(void **state)
{
	FLOW struct flow f;

	start(&f, state, ui_snapshot(&ui_lab), 1);
	keys(&f, "\tldW");
	assert_true(row_of(&f, " STOPS 1") < row_of(&f, " FINDINGS"));
	assert_true(row_of(&f, " FINDINGS") < row_of(&f, " STEPS"));
	sees(&f, "  1  stop", true);
	sees(&f, "Type  dgx01:1", true);
	/* the word of the command line */
	sees(&f, " confirm  holder-stops", true);
	keys(&f, "\033[4~");
	if (f.at.rows > 24)
		assert_true(row_of(&f, " STEPS") < row_of(&f, " KEPT"));
}

static void test_words_for_what_is_staged(void **state)
{
	FLOW struct flow f;

	start(&f, state, ui_snapshot(&ui_lab), 0);
	keys(&f, "c1\r");
	sees(&f, "UNWRITTEN", true);
	sees(&f, "drv 570.124", true);
	keys(&f, "X");
	assert_string_equal(f.m->message, "press X again to drop the staged command");
	keys(&f, "\033");
	keys(&f, "c1\rX");
	assert_string_equal(f.m->message, "press X again to drop all 2 staged commands");
}

/* A daemon that keeps a GPU open is no user, but somebody. */
static void test_a_daemon_is_not_nobody(void **state)
{
	FLOW struct flow f;

	struct gs_snapshot *s = machine_kvm();

	start(&f, state, s, 3);
	sees(&f, "no work on it; kept open by nvidia-persistenced", true);
	sees(&f, "nobody uses it", false);
	/* our own collector goes by itself, and is no daemon that is in the way */
	daemon_of(s, 3)->yields = true;
	sees(&f, "nobody uses it", true);
}

static void test_a_partial_view_says_what_is_missing(void **state)
{
	FLOW struct flow f;

	start(&f, state, machine_dgx(true), 0);
	f.m->privileged = false;
	f.m->read_only = f.m->show_clock = true;
	sees(&f, "PARTIAL VIEW", true);
	sees(&f, "(places, holders hidden)", true);
	sees(&f, "processes of other users cannot be seen; sudo gpuslice list shows all", true);
}

/* Where places were published a moment ago, the brackets are too long for 80 columns; the reason stays. */
static void test_old_places_do_not_hide_the_reason(void **state)
{
	struct gs_snapshot *s = gs_snapshot_new();
	FLOW struct flow f;

	gs_snapshot_set_host(s, "dgx01", GS_SOURCE_SIM);
	put_gpu(s, 0x1b, GS_MODE_MIG, &h100)->holders_visible = false;
	gs_snapshot_set_published(s, (struct gs_wall){ 1700000000000 });
	assert_int_equal(gs_snapshot_seal(s, NULL), 0);
	start(&f, state, s, 0);
	f.m->privileged = false;
	f.m->read_only = f.m->show_clock = true;
	sees(&f, f.at.columns > 80 ? "PARTIAL VIEW  (places 45 s old, holders hidden)" : "PARTIAL VIEW  (holders hidden)", true);
}

/* The end of the sentence is what to do; a monitor of 24 rows has three lines for it. */
static void test_a_monitor_says_who_sees_more(void **state)
{
	struct gs_snapshot *s = gs_snapshot_new();
	FLOW struct flow f;

	gs_snapshot_set_host(s, "dgx01", GS_SOURCE_SIM);
	for (unsigned i = 0; i < 8; i++)
		put_gpu(s, 0x1b + i, GS_MODE_MIG, &h100);
	gs_snapshot_add_notice(s, "not told here: where 11 MIG instances are, and which places profiles have (those of the catalogue are shown). "
				  "The driver tells root; a gpuslice that root runs publishes the places for viewers");
	assert_int_equal(gs_snapshot_seal(s, NULL), 0);
	start(&f, state, s, 0);
	f.m->privileged = false;
	f.m->read_only = true;
	sees(&f, "not told here: where 11 MIG instances", true);
	sees(&f, "publishes the places for viewers", true);
}

static size_t times_seen(const struct flow *f, const char *text)
{
	GS_FREE char *shown = picture(f);
	size_t n = 0;

	for (char *c = shown; (c = strstr(c, text)); c++)
		n++;
	return n;
}

/* A full GPU: the palette opens on the size that is there, and says once why all others are out. */
static void test_a_full_gpu_shows_its_own_size_first(void **state)
{
	FLOW struct flow f;

	start(&f, state, machine_kvm(), 0);
	keys(&f, "c");
	assert_string_equal(f.m->offers[f.m->offer].profile->name, "L40S-8Q");
	keys(&f, "1");
	sees(&f, "another size is there: 8 GiB on", true);
	/* in the details, and where those rows begin */
	assert_true(times_seen(&f, "another size is there") <= 3);
	sees(&f, "why not", true);
	sees(&f, "after it still fits", false);
}

/* Typing filters, in any case; what is left is walked through and staged as ever. */
static void test_a_name_is_found_by_a_part_of_it(void **state)
{
	FLOW struct flow f;
	struct gs_geometry before, after;
	size_t all;

	start(&f, state, machine_kvm(), 3);
	keys(&f, "cj");
	all = f.m->n_offers;
	assert_true(all > 9);
	sees(&f, "/ find", true);
	gs_geometry_compute(f.at.rows, f.at.columns, f.m, &before);
	keys(&f, "/24");
	assert_int_equal(f.m->n_offers, 3);
	sees(&f, "CREATE on GPU 3   /24_", true);
	sees(&f, "3 of 3 types fit", true);
	sees(&f, "L40S-12Q", false);
	gs_geometry_compute(f.at.rows, f.at.columns, f.m, &after);
	assert_memory_equal(&before, &after, sizeof(before));
	keys(&f, "c");
	assert_int_equal(f.m->n_offers, 1);
	assert_string_equal(f.m->offers[f.m->offer].profile->name, "L40S-24C");
	/* what no name has is not taken */
	keys(&f, "x");
	assert_true(f.m->message_is_error);
	assert_string_equal(f.m->find, "24c");
	keys(&f, "\177a");
	assert_string_equal(f.m->offers[f.m->offer].profile->name, "L40S-24A");
	/* a new look at the machine leaves it as it is */
	look(f.m, machine_kvm());
	assert_int_equal(f.m->n_offers, 1);
	/* Esc gives all of them back, and only the next one leaves */
	keys(&f, "\033");
	assert_int_equal(f.m->n_offers, all);
	assert_int_equal(f.m->layer, GS_LAYER_PALETTE);
	/* Down goes on to what is left, where a letter is a key again */
	keys(&f, "/12\033[B");
	assert_false(f.m->is_finding);
	assert_int_equal(f.m->offer, 1);
	keys(&f, "kx2\r");
	assert_int_equal(f.m->layer, GS_LAYER_NONE);
	assert_string_equal(f.m->staged[f.m->n_staged - 1].text, "create 3 L40S-12Q vf 1");
	/* the next palette begins with all */
	keys(&f, "c");
	assert_int_equal(f.m->n_offers, all);
}

/* One types the name that one sees; where the digits are enough a stray letter does nothing. */
static void test_a_letter_begins_a_name(void **state)
{
	FLOW struct flow f;

	start(&f, state, machine_kvm(), 3);
	keys(&f, "cL40S-24Q\r");
	assert_string_equal(f.m->staged[f.m->n_staged - 1].text, "create 3 L40S-24Q vf 0");
	/* but keys stay keys */
	keys(&f, "cjG");
	assert_string_equal(f.m->find, "");
	assert_int_equal(f.m->offer, f.m->n_offers - 1);
	keys(&f, "q");
	assert_int_equal(f.m->layer, GS_LAYER_NONE);
	end(&f);
	start(&f, state, ui_snapshot(&ui_lab), 0);
	keys(&f, "cm");
	assert_string_equal(f.m->find, "");
	assert_false(f.m->message_is_error);
	keys(&f, "/+me");
	assert_int_equal(f.m->n_offers, 1);
}

/* Down on @unit, then up @columns beside there. */
static void press(struct flow *f, uint32_t unit, int columns)
{
	int row, column;

	assert_true(ui_find_unit(f->m, f->at.rows, f->at.columns, unit, &row, &column));
	ui_mouse(f->m, f->at.rows, f->at.columns, GS_MOUSE_PRESS, row, column);
	ui_mouse(f->m, f->at.rows, f->at.columns, GS_MOUSE_DRAG, row, column + columns);
	ui_mouse(f->m, f->at.rows, f->at.columns, GS_MOUSE_RELEASE, row, column + columns);
}

static void click(struct flow *f, uint32_t unit)
{
	press(f, unit, 0);
}

/* As in a list: a click goes there, a click on what the cursor is on takes it. */
static void test_a_click_goes_there_first(void **state)
{
	FLOW struct flow f;

	start(&f, state, machine_kvm(), 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(f.m->layer, GS_LAYER_NONE);
		click(&f, 5);
		assert_int_equal(f.m->unit, 5);
		assert_false(f.m->selecting && f.m->layer == GS_LAYER_NONE);
	}
	assert_int_equal(f.m->layer, GS_LAYER_CHOOSER);
	/* beside the offers a click on another is another try */
	click(&f, 7);
	assert_int_equal(f.m->unit, 7);
	assert_int_equal(f.m->layer, GS_LAYER_CHOOSER);
	keys(&f, "\033");
	/* a hand is not always still; but over a unit is dragging, also over one */
	press(&f, 3, 1);
	assert_int_equal(f.m->layer, GS_LAYER_NONE);
	press(&f, 4, 4);
	assert_int_equal(f.m->layer, GS_LAYER_CHOOSER);
	assert_int_equal(f.m->anchor, 4);
	assert_int_equal(f.m->extent, 4);
}

#define AT(test, i) { #test, test, NULL, NULL, &sizes[i] }
#define BOTH(test) AT(test, 0), AT(test, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_a_full_gpu_shows_its_own_size_first),
		BOTH(test_a_name_is_found_by_a_part_of_it),
		BOTH(test_a_letter_begins_a_name),
		BOTH(test_a_click_goes_there_first),
		BOTH(test_who_keeps_its_columns_apart),
		BOTH(test_who_answers_every_letter),
		cmocka_unit_test(test_the_last_line_is_not_written_over),
		BOTH(test_long_messages_are_whole),
		BOTH(test_an_enter_too_many_changes_nothing),
		BOTH(test_the_wheel_turns_what_is_under_it),
		BOTH(test_panels_keep_their_places),
		BOTH(test_a_review_has_one_order),
		BOTH(test_words_for_what_is_staged),
		BOTH(test_a_daemon_is_not_nobody),
		BOTH(test_a_partial_view_says_what_is_missing),
		BOTH(test_a_monitor_says_who_sees_more),
		BOTH(test_old_places_do_not_hide_the_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
