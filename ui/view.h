/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view.h - a model on a frame. Pure: the same model, size and glyphs give the
 * same frame. Views are layers of one picture.
 */
#ifndef GS_UI_VIEW_H
#define GS_UI_VIEW_H

#include "ui/model.h"

#define GS_ROWS_MIN 20
#define GS_COLUMNS_MIN 70

/* No picture fits there, so none is drawn and no key decides anything. */
bool gs_view_is_too_small(int rows, int columns);

/* Where things are on a screen of a given size; a pure function, tested for overlap at every size. An absent region has 0 rows. */
struct gs_geometry {
	bool too_small;
	struct gs_rect header;      /* 1 row */
	struct gs_rect fleet;       /* heading and a row per GPU; scrolls */
	struct gs_rect grid_title;
	struct gs_rect grid;
	struct gs_rect plan_title;
	struct gs_rect plan;
	struct gs_rect hints;       /* last row */
	struct gs_rect layer;       /* room for an open layer; a list of offers leaves the grid in sight; all but header and hints for review, writing, help */
	struct gs_rect detail;      /* beside a list of offers: what the chosen one means; else absent */
	bool two_lanes;             /* room for NOW and AFTER */
};
void gs_geometry_compute(int rows, int columns, const struct gs_model *m, struct gs_geometry *ret);

/* Draw everything. */
void gs_view_draw(const struct gs_model *m, const struct gs_glyphs *g, struct gs_frame *f);

/* What lies at a cell, for the mouse: the same rectangles that are drawn. */
enum gs_hit_kind { GS_HIT_NONE, GS_HIT_FLEET, GS_HIT_UNIT, GS_HIT_PLAN, GS_HIT_LAYER_ROW, GS_HIT_HINT };
struct gs_hit {
	enum gs_hit_kind kind;
	uint32_t gpu;           /* FLEET, UNIT */
	uint32_t unit;          /* UNIT; also for a fleet bar (has_unit) */
	bool has_unit;
	size_t row;             /* PLAN, LAYER_ROW: index of the item */
	uint32_t key;           /* HINT: the key that the hint names */
};
struct gs_hit gs_view_hit(const struct gs_model *m, int rows, int columns, int row, int column);

/* What is at the top of each list when it is drawn on a screen of that size, with the cursor in sight: GPUs, else lines. False when nothing is drawn. */
struct gs_tops {
	size_t fleet, plan, list;
};
bool gs_view_tops(const struct gs_model *m, int rows, int columns, struct gs_tops *ret);

/* Columns of the screen: unit u of @n begins at gs_unit_column(…, u); a block of units is exactly as wide as its memory. */
int gs_unit_column(const struct gs_geometry *geo, uint32_t n_units, uint32_t unit);

/*
 * Where the slots of a grid lie: in rows, below a line for the memory that they
 * share and above at least one line of words. Cells are as large as there is room.
 */
struct gs_slots {
	int per_row, rows;          /* rows of slots */
	int width, height;          /* of one, with the line at its left */
	int top;                    /* of the first, inside the grid's rectangle */
	int left;                   /* column of the screen */
	int tail;                   /* first row of words below, inside the grid's rectangle */
};
/* False when there is no room for @n. */
bool gs_slots_compute(const struct gs_geometry *geo, uint32_t n, struct gs_slots *ret);
/* The cell of a slot, on the screen. */
struct gs_rect gs_slots_cell(const struct gs_geometry *geo, const struct gs_slots *s, uint32_t unit);
/* The slot at a cell of the screen; false beside them. */
bool gs_slots_at(const struct gs_geometry *geo, uint32_t n, int row, int column, uint32_t *ret_unit);
/* The same, and outside the nearest one. */
bool gs_slots_nearest(const struct gs_geometry *geo, uint32_t n, int row, int column, uint32_t *ret_unit);

#endif
