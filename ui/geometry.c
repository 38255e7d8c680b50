/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * geometry.c - where things are. Depends on the size of the screen, the number
 * of GPUs and the open layer, but not on what is staged: staging something must
 * not make the picture jump.
 */
#include "ui/view.h"

/* Before the first look: as many rows as most hosts need, so that the first frame does not jump either. */
#define FLEET_GUESS 8

/* Rows that a palette wants beside its offers: title, heading. */
#define LIST_FRAME 2
#define DETAIL_ROWS 4
/* Of a menu of modes: who is in the way, by name, and what happens to drivers and VFs. */
#define MENU_DETAIL_ROWS 8

static int at_most(int value, int limit)
{
	return value < limit ? value : limit;
}

static size_t at_most_size(size_t value, size_t limit)
{
	return value < limit ? value : limit;
}

static int at_least(int value, int limit)
{
	return value > limit ? value : limit;
}

static struct gs_rect band(int row, int rows, int columns)
{
	return (struct gs_rect){ .row = row, .column = 0, .rows = rows, .columns = columns };
}

/* One lane with 2 or 3 lines in a block below 28 rows; from there room for two. */
static int grid_rows(int rows)
{
	static const struct { int rows, grid; } steps[] = {
		{ 46, 17 }, { 40, 15 }, { 32, 13 }, { 28, 12 }, { 22, 8 },
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (rows >= steps[i].rows)
			return steps[i].grid;
	}
	return 7;
}

static int fleet_rows(const struct gs_model *m, int room)
{
	size_t n = m && m->snapshot ? gs_snapshot_n_gpus(m->snapshot) : FLEET_GUESS;

	if (n < 1)
		n = 1;
	return at_most(1 + (n > 1000 ? 1000 : (int)n), room);
}

/* Rows that the list of an open palette, chooser or menu would like to have. */
static int list_rows(const struct gs_model *m)
{
	enum gs_mode modes[GS_MODE_MAX];

	if (m->layer == GS_LAYER_MODE)
		return LIST_FRAME + at_least((int)gs_model_mode_rows(m, modes), 1);
	if (m->layer == GS_LAYER_SETTINGS)
		return LIST_FRAME + at_least((int)at_most_size(gs_model_n_settings(m), 32), 1);
	/* of all: while a name is typed the list gets shorter, and the picture must not jump */
	return LIST_FRAME + at_least(m->n_all_offers > 32 ? 32 : (int)m->n_all_offers, 1);
}

/*
 * A list of offers leaves the grid where it is, so that the ghost is seen where
 * it will be: it takes the plan's place when that is tall enough for the
 * details too, else list and details share the places of fleet and plan.
 */
static void place_list(const struct gs_model *m, int columns, struct gs_geometry *geo)
{
	struct gs_rect below = band(geo->plan_title.row, 1 + geo->plan.rows, columns);
	int want = list_rows(m);

	if (below.rows < want + DETAIL_ROWS && geo->fleet.rows >= below.rows) {
		geo->layer = geo->fleet;
		geo->detail = below;
		return;
	}
	/* one above the grid, the other below: the list where there is more room */
	if (below.rows < want + DETAIL_ROWS && geo->fleet.rows >= DETAIL_ROWS) {
		geo->layer = below;
		geo->detail = geo->fleet;
		return;
	}
	geo->layer = band(below.row, at_most(want, below.rows - DETAIL_ROWS), columns);
	geo->detail = band(below.row + geo->layer.rows, below.rows - geo->layer.rows, columns);
}

/*
 * A list of what a GPU can be is always above what that means. Nothing is
 * placed in the grid meanwhile: on a low screen the two cover it.
 */
static void place_menu(const struct gs_model *m, int columns, struct gs_geometry *geo)
{
	int want = list_rows(m), first = geo->plan_title.row, bottom = geo->hints.row;

	if (bottom - first < want + MENU_DETAIL_ROWS)
		first = geo->grid_title.row;
	geo->layer = band(first, at_most(want, bottom - first - DETAIL_ROWS), columns);
	geo->detail = band(first + geo->layer.rows, bottom - first - geo->layer.rows, columns);
}

static void place_layer(const struct gs_model *m, int rows, int columns, struct gs_geometry *geo)
{
	int bottom = geo->hints.row;

	switch (m->layer) {
	case GS_LAYER_NONE:
	case GS_LAYER_PROMPT:
		break;
	case GS_LAYER_PALETTE:
	case GS_LAYER_CHOOSER:
		place_list(m, columns, geo);
		break;
	case GS_LAYER_MODE:
	case GS_LAYER_SETTINGS:
		place_menu(m, columns, geo);
		break;
	case GS_LAYER_REVIEW:
	case GS_LAYER_WRITING:
	case GS_LAYER_HELP:
	case GS_LAYER_HISTORY:
	case GS_LAYER_PAST:
	case GS_LAYER_SAVED:
		geo->layer = band(1, rows - 2, columns);
		break;
	case GS_LAYER_QUIT:
	case GS_LAYER_WHO:
	case GS_LAYER_EXPLAIN:
		geo->layer = band(geo->grid_title.row, bottom - geo->grid_title.row, columns);
		break;
	}
}

bool gs_view_is_too_small(int rows, int columns)
{
	return rows < GS_ROWS_MIN || columns < GS_COLUMNS_MIN;
}

void gs_geometry_compute(int rows, int columns, const struct gs_model *m, struct gs_geometry *ret)
{
	struct gs_geometry geo = { 0 };
	int room, grid, plan, fleet, row = 0;

	if (gs_view_is_too_small(rows, columns)) {
		geo.too_small = true;
		*ret = geo;
		return;
	}

	room = rows - 4;        /* header, two titles, hints */
	grid = grid_rows(rows);
	plan = rows < 22 ? 2 : rows < 40 ? 3 : 8;
	fleet = fleet_rows(m, room - grid - plan);
	plan = room - grid - fleet;

	geo.header = band(row, 1, columns);
	geo.fleet = band(row += 1, fleet, columns);
	geo.grid_title = band(row += fleet, 1, columns);
	geo.grid = band(row += 1, grid, columns);
	geo.plan_title = band(row += grid, 1, columns);
	geo.plan = band(row += 1, plan, columns);
	geo.hints = band(rows - 1, 1, columns);
	geo.two_lanes = m && m->n_staged && m->lane == GS_LANE_BOTH && rows >= 28;
	if (m)
		place_layer(m, rows, columns, &geo);
	*ret = geo;
}

/* Room for the labels left of the grid. */
static int label_columns(const struct gs_geometry *geo)
{
	return geo->grid.columns < 90 ? 7 : 9;
}

int gs_unit_column(const struct gs_geometry *geo, uint32_t n_units, uint32_t unit)
{
	int left = geo->grid.column + label_columns(geo);
	int room = at_least(geo->grid.columns - label_columns(geo) - 1, 0);
	int each;

	if (!n_units || n_units > GS_GRID_UNITS_MAX)
		return left;
	if (unit > n_units)
		unit = n_units;
	each = room / (int)n_units;
	if (each)
		return left + (int)unit * each;
	return left + (int)unit * room / (int)n_units;
}

/* ---------------------------------------------------------------- slots */

#define CELL_MAX 26
#define CELL_MIN 3
#define CELL_LINES 3

bool gs_slots_compute(const struct gs_geometry *geo, uint32_t n, struct gs_slots *ret)
{
	int room = geo->grid.columns - label_columns(geo) - 1, high = geo->grid.rows - 2;

	if (!n || n > GS_GRID_UNITS_MAX || high < 1)
		return false;
	for (int per_row = 4; per_row <= (int)GS_GRID_UNITS_MAX; per_row *= 2) {
		int rows = ((int)n + per_row - 1) / per_row, width = at_most(room / per_row, CELL_MAX);

		if (width < CELL_MIN)
			return false;
		if (rows > high || room / per_row > CELL_MAX)
			continue;
		*ret = (struct gs_slots){ .per_row = per_row, .rows = rows, .width = width, .height = at_most(high / rows, CELL_LINES), .top = 1,
					  .left = geo->grid.column + label_columns(geo) };
		ret->tail = ret->top + ret->rows * ret->height;
		return true;
	}
	return false;
}

struct gs_rect gs_slots_cell(const struct gs_geometry *geo, const struct gs_slots *s, uint32_t unit)
{
	return (struct gs_rect){ geo->grid.row + s->top + (int)unit / s->per_row * s->height, s->left + (int)unit % s->per_row * s->width,
				 s->height, s->width };
}

bool gs_slots_at(const struct gs_geometry *geo, uint32_t n, int row, int column, uint32_t *ret_unit)
{
	struct gs_slots s;
	int unit;

	if (!gs_slots_compute(geo, n, &s))
		return false;
	row -= geo->grid.row + s.top;
	column -= s.left;
	if (row < 0 || row >= s.rows * s.height || column < 0 || column >= s.per_row * s.width)
		return false;
	unit = row / s.height * s.per_row + column / s.width;
	if ((uint32_t)unit >= n)
		return false;
	*ret_unit = (uint32_t)unit;
	return true;
}

bool gs_slots_nearest(const struct gs_geometry *geo, uint32_t n, int row, int column, uint32_t *ret_unit)
{
	struct gs_slots s;
	uint32_t unit;

	if (!gs_slots_compute(geo, n, &s))
		return false;
	row = at_most(at_least((row - geo->grid.row - s.top) / s.height, 0), s.rows - 1);
	column = at_most(at_least((column - s.left) / s.width, 0), s.per_row - 1);
	unit = (uint32_t)(row * s.per_row + column);
	*ret_unit = unit < n ? unit : n - 1;
	return true;
}
