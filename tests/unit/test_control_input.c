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
#define TALL 40
#define WIDE 120

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

/* ---- the mouse ---- */

static void test_mouse_drag(void **state)
{
	static const int sizes[][2] = { { 24, 80 }, { 40, 120 } };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(sizes); i++) {
		GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(1);
		int rows = sizes[i][0], columns = sizes[i][1], row, from, to;

		assert_true(ui_find_unit(m, rows, columns, 2, &row, &from));
		assert_true(ui_find_unit(m, rows, columns, 3, &row, &to));
		ui_mouse(m, rows, columns, GS_MOUSE_PRESS, row, from);
		assert_true(m->selecting && m->dragging);
		/* off the grid's row: clipped to it */
		ui_mouse(m, rows, columns, GS_MOUSE_DRAG, 0, to);
		assert_int_equal(m->extent, 3);
		ui_mouse(m, rows, columns, GS_MOUSE_RELEASE, row, to);
		assert_int_equal(m->layer, GS_LAYER_CHOOSER);
		ui_keys(m, rows, columns, "\r");
		assert_string_equal(m->staged[0].text, "create 1 2g.20gb at 2");
	}
}

static void test_mouse_exact_fit_is_preselected(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(0);
	int row, column;

	(void)state;
	assert_true(ui_find_unit(m, ROWS, COLUMNS, 5, &row, &column));
	ui_mouse(m, ROWS, COLUMNS, GS_MOUSE_PRESS, row, column);
	ui_mouse(m, ROWS, COLUMNS, GS_MOUSE_RELEASE, row, column + 4);
	keys(m, "\r");
	assert_string_equal(m->staged[0].text, "create 0 1g.10gb at 5");
	/* right of the grid: to its end; 1g.20gb is the only one without suffix at 6 */
	assert_true(ui_find_unit(m, ROWS, COLUMNS, 6, &row, &column));
	ui_mouse(m, ROWS, COLUMNS, GS_MOUSE_PRESS, row, column);
	ui_mouse(m, ROWS, COLUMNS, GS_MOUSE_DRAG, row, COLUMNS - 1);
	assert_int_equal(m->extent, 7);
	ui_mouse(m, ROWS, COLUMNS, GS_MOUSE_RELEASE, row, COLUMNS - 1);
	keys(m, "\r");
	assert_string_equal(m->staged[1].text, "create 0 1g.20gb at 6");
}

static void test_press_on_a_live_block_only_selects_it(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(1);
	int row, column, to;

	(void)state;
	assert_true(ui_find_unit(m, ROWS, COLUMNS, 5, &row, &column));
	assert_true(ui_find_unit(m, ROWS, COLUMNS, 2, &row, &to));
	ui_mouse(m, ROWS, COLUMNS, GS_MOUSE_PRESS, row, column);
	assert_int_equal(m->unit, 4);
	ui_mouse(m, ROWS, COLUMNS, GS_MOUSE_DRAG, row, to);
	ui_mouse(m, ROWS, COLUMNS, GS_MOUSE_RELEASE, row, to);
	assert_false(m->selecting);
	assert_int_equal(m->layer, GS_LAYER_NONE);
	assert_int_equal(m->n_staged, 0);
}

static void test_mouse_anywhere_is_harmless(void **state)
{
	static const enum gs_mouse_action actions[] = { GS_MOUSE_PRESS, GS_MOUSE_DRAG, GS_MOUSE_RELEASE, GS_MOUSE_WHEEL_UP, GS_MOUSE_WHEEL_DOWN };

	(void)state;
	for (int layer = GS_LAYER_NONE; layer <= GS_LAYER_QUIT; layer++) {
		GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(1);

		for (int row = -1; row <= ROWS; row += 2)
			for (int column = -1; column <= COLUMNS; column += 7)
				for (size_t i = 0; i < GS_ARRAY_SIZE(actions); i++) {
					m->layer = (enum gs_layer)layer;
					assert_int_equal(ui_mouse(m, ROWS, COLUMNS, actions[i], row, column) & GS_DO_COMMIT, 0);
				}
	}
}

/* The rows of the open list, as the mouse finds them. */
static bool find_row(const struct gs_model *m, size_t item, int *ret_row)
{
	for (int row = 0; row < TALL; row++) {
		struct gs_hit hit = gs_view_hit(m, TALL, WIDE, row, 10);

		if (hit.kind == GS_HIT_LAYER_ROW && hit.row == item) {
			*ret_row = row;
			return true;
		}
	}
	return false;
}

static void press_row(struct gs_model *m, size_t item)
{
	int row = -1;

	assert_true(find_row(m, item, &row));
	assert_int_equal(ui_mouse(m, TALL, WIDE, GS_MOUSE_PRESS, row, 10) & GS_DO_COMMIT, 0);
	ui_mouse(m, TALL, WIDE, GS_MOUSE_RELEASE, row, 10);
}

static void test_a_press_on_the_chosen_row_takes_it(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(0);

	(void)state;
	keys(m, "c");
	press_row(m, 3);
	assert_int_equal(m->layer, GS_LAYER_PALETTE);
	assert_int_equal(m->offer, 3);
	assert_int_equal(m->n_staged, 0);
	press_row(m, 3);
	assert_int_equal(m->layer, GS_LAYER_NONE);
	assert_int_equal(m->n_staged, 1);
	assert_non_null(strstr(m->staged[0].text, "create 0 2g.20gb at "));
	gs_model_drop_all(m);
	m->unit = 0;
	keys(m, "vlll\r");
	assert_int_equal(m->layer, GS_LAYER_CHOOSER);
	press_row(m, 1);
	assert_int_equal(m->n_staged, 0);
	press_row(m, 1);
	assert_string_equal(m->staged[0].text, "create 0 3g.40gb at 0");
	gs_model_drop_all(m);
	m->focus = GS_FOCUS_FLEET;
	keys(m, "M");
	press_row(m, 0);
	assert_int_equal(m->n_staged, 0);
	assert_int_equal(m->layer, GS_LAYER_MODE);
	press_row(m, 0);
	assert_int_equal(m->layer, GS_LAYER_NONE);
	assert_string_equal(m->staged[0].text, "mode 0 whole");
}

/* What does not fit is not made room for by clicking on it. */
static void test_a_press_never_replaces(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(1);

	(void)state;
	keys(m, "c");
	press_row(m, 5);
	press_row(m, 5);
	press_row(m, 5);
	assert_int_equal(m->layer, GS_LAYER_PALETTE);
	assert_int_equal(m->n_staged, 0);
}

static void test_a_press_never_answers(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(0);

	(void)state;
	keys(m, "c1\rW");
	for (size_t item = 0; item < gs_model_n_plan_items(m); item++) {
		int row;

		if (!find_row(m, item, &row))
			continue;
		press_row(m, item);
		press_row(m, item);
		assert_int_equal(m->layer, GS_LAYER_REVIEW);
		assert_int_equal(m->list_row, item);
	}
	/* the hint is a key's name, not a button */
	for (int column = 0; column < COLUMNS; column++) {
		struct gs_hit hit = gs_view_hit(m, ROWS, COLUMNS, ROWS - 1, column);

		if (hit.kind == GS_HIT_HINT && hit.key == 'y')
			assert_int_equal(ui_mouse(m, ROWS, COLUMNS, GS_MOUSE_PRESS, ROWS - 1, column) & GS_DO_COMMIT, 0);
	}
	assert_non_null(strstr(m->message, "click"));
	keys(m, "\033");
	keys(m, "q");
	press_row(m, 1);
	press_row(m, 1);
	assert_int_equal(m->layer, GS_LAYER_QUIT);
	assert_int_equal(m->n_staged, 1);
}

/* ---- the prompt ---- */

static void test_prompt(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(0);

	(void)state;
	keys(m, ":create 0 2g.20gb\r");
	assert_int_equal(m->n_staged, 1);
	assert_int_equal(m->layer, GS_LAYER_NONE);
	keys(m, ":create 0 9g.1gb at 0\r");
	assert_int_equal(m->layer, GS_LAYER_PROMPT);
	assert_true(strlen(m->input_error) > 0);
	assert_int_equal(m->input_error_column, 10);
	assert_int_equal(m->input_cursor, 9);
	keys(m, "\033:");
	keys(m, "\033[A\033[A");
	assert_string_equal(m->input, "create 0 2g.20gb");
	keys(m, "\033[B");
	assert_string_equal(m->input, "create 0 9g.1gb at 0");
	keys(m, "\033[B");
	assert_string_equal(m->input, "");
}

static void test_prompt_completion(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(1);

	(void)state;
	keys(m, ":cr\t");
	assert_string_equal(m->input, "create ");
	keys(m, "1 2\t");
	assert_string_equal(m->input, "create 1 2g.20gb ");
	keys(m, "\025delete 1 3\t");
	assert_string_equal(m->input, "delete 1 3g.40gb@4 ");
	keys(m, "\025mode 1 w\t");
	assert_string_equal(m->input, "mode 1 whole ");
	keys(m, "\025create 1 1g.\t");
	assert_string_equal(m->input, "create 1 1g.");
	assert_non_null(strstr(m->input_error, "1g.20gb"));
}

static void test_prompt_editing_is_utf8(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(0);

	(void)state;
	keys(m, ":aä€𝄞b");
	assert_string_equal(m->input, "aä€𝄞b");
	keys(m, "\033[D\x7f\x7f");
	assert_string_equal(m->input, "aäb");
	keys(m, "\033[H\033[3~\033[C\033[3~");
	assert_string_equal(m->input, "ä");
	for (int i = 0; i < 2000; i++)
		keys(m, "x");
	assert_true(strlen(m->input) < sizeof(m->input));
}

static void test_paste_is_text(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = on_gpu(0);

	(void)state;
	keys(m, "\033[200~c4\rX\rWy\033[201~");
	assert_int_equal(m->layer, GS_LAYER_NONE);
	assert_int_equal(m->n_staged, 0);
	keys(m, ":");
	keys(m, "\033[200~create 0 1g.10gb at 0\rcreate 0 1g.10gb at 1\033[201~");
	assert_int_equal(m->n_staged, 0);
	assert_int_equal(m->layer, GS_LAYER_PROMPT);
	keys(m, "\r");
	assert_int_equal(m->n_staged, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mouse_drag),
		cmocka_unit_test(test_mouse_exact_fit_is_preselected),
		cmocka_unit_test(test_press_on_a_live_block_only_selects_it),
		cmocka_unit_test(test_mouse_anywhere_is_harmless),
		cmocka_unit_test(test_a_press_on_the_chosen_row_takes_it),
		cmocka_unit_test(test_a_press_never_replaces),
		cmocka_unit_test(test_a_press_never_answers),
		cmocka_unit_test(test_prompt),
		cmocka_unit_test(test_prompt_completion),
		cmocka_unit_test(test_prompt_editing_is_utf8),
		cmocka_unit_test(test_paste_is_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
