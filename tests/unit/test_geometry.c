/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where things are, at every size: inside the screen, in order, without overlap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ui/view.h"

static bool overlap(struct gs_rect a, struct gs_rect b)
{
	return a.rows > 0 && b.rows > 0 && a.row < b.row + b.rows && b.row < a.row + a.rows && a.column < b.column + b.columns &&
	       b.column < a.column + a.columns;
}

static void check_inside(struct gs_rect r, int rows, int columns)
{
	assert_true(r.row >= 0 && r.column >= 0 && r.rows >= 0 && r.columns >= 0);
	assert_true(r.row + r.rows <= rows);
	assert_true(r.column + r.columns <= columns);
}

static void check_size(const struct gs_model *m, int rows, int columns)
{
	struct gs_geometry g;
	int sum = 0;

	gs_geometry_compute(rows, columns, m, &g);
	assert_int_equal(g.too_small, rows < GS_ROWS_MIN || columns < GS_COLUMNS_MIN);

	struct gs_rect all[] = { g.header, g.fleet, g.grid_title, g.grid, g.plan_title, g.plan, g.hints };
	size_t n = sizeof(all) / sizeof(all[0]);

	for (size_t i = 0; i < n; i++) {
		check_inside(all[i], rows, columns);
		sum += all[i].rows;
		if (g.too_small)
			assert_int_equal(all[i].rows, 0);
		else
			assert_true(all[i].rows >= 1 && all[i].columns == columns);
		for (size_t k = 0; k < i; k++)
			assert_false(overlap(all[i], all[k]));
	}
	if (g.too_small)
		return;
	assert_int_equal(sum, rows);
	assert_true(g.fleet.rows >= 2 && g.grid.rows >= 7 && g.plan.rows >= 2);
	check_inside(g.layer, rows, columns);
	check_inside(g.detail, rows, columns);
	assert_false(overlap(g.layer, g.detail));
	assert_false(overlap(g.layer, g.hints));
	assert_false(overlap(g.layer, g.header));
	assert_int_equal(g.layer.rows > 0, m->layer != GS_LAYER_NONE && m->layer != GS_LAYER_PROMPT);
	/* a menu above what its rows mean, at every size, with room for a title, a heading and an entry */
	if (m->layer == GS_LAYER_MODE || m->layer == GS_LAYER_SETTINGS) {
		assert_true(g.layer.rows >= 3 && g.detail.rows >= 4);
		assert_int_equal(g.detail.row, g.layer.row + g.layer.rows);
	}
	if (m->layer == GS_LAYER_PALETTE || m->layer == GS_LAYER_CHOOSER) {
		/* room for a title, a heading and two offers, and the grid stays in sight */
		assert_true(g.layer.rows >= 4 || g.detail.rows >= 4);
		assert_true(g.layer.rows >= 3);
		assert_false(overlap(g.layer, g.grid));
		assert_false(overlap(g.detail, g.grid));
	}
}

static void test_regions(void **state)
{
	struct gs_offer offers[12] = { 0 };
	struct gs_model m = { .offers = offers, .n_offers = 12, .n_all_offers = 12 };

	(void)state;
	for (int layer = GS_LAYER_NONE; layer <= GS_LAYER_QUIT; layer++) {
		m.layer = (enum gs_layer)layer;
		for (int rows = 1; rows <= 60; rows++) {
			for (int columns = 1; columns <= 200; columns++)
				check_size(&m, rows, columns);
		}
	}
}

/* Staging something must not make the picture jump. */
static void test_staging_moves_nothing(void **state)
{
	struct gs_model idle = { .lane = GS_LANE_BOTH }, staged = { .lane = GS_LANE_BOTH, .n_staged = 3 };

	(void)state;
	for (int rows = GS_ROWS_MIN; rows <= 60; rows++) {
		struct gs_geometry a, b;

		gs_geometry_compute(rows, 100, &idle, &a);
		gs_geometry_compute(rows, 100, &staged, &b);
		assert_memory_equal(&a.grid, &b.grid, sizeof(a.grid));
		assert_memory_equal(&a.plan, &b.plan, sizeof(a.plan));
		assert_false(a.two_lanes);
		assert_int_equal(b.two_lanes, rows >= 28);
	}
}

static void test_unit_columns(void **state)
{
	static const uint32_t sizes[] = { 1, 4, 7, 8, 12, 16, 48, 64 };
	struct gs_model m = { 0 };

	(void)state;
	for (int columns = GS_COLUMNS_MIN; columns <= 200; columns++) {
		struct gs_geometry g;

		gs_geometry_compute(24, columns, &m, &g);
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			uint32_t n = sizes[i];
			int width = gs_unit_column(&g, n, 1) - gs_unit_column(&g, n, 0);

			for (uint32_t u = 0; u < n; u++) {
				int each = gs_unit_column(&g, n, u + 1) - gs_unit_column(&g, n, u);

				/* equal memory, equal width */
				if (n <= 12)
					assert_int_equal(each, width);
				assert_true(each >= 0);
			}
			assert_true(gs_unit_column(&g, n, 0) >= 7);
			assert_true(gs_unit_column(&g, n, n) <= columns - 1);
			assert_int_equal(gs_unit_column(&g, n, n + 5), gs_unit_column(&g, n, n));
		}
		assert_true(gs_unit_column(&g, 8, 1) - gs_unit_column(&g, 8, 0) >= 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_regions),
		cmocka_unit_test(test_staging_moves_nothing),
		cmocka_unit_test(test_unit_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
