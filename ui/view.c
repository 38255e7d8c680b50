/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view.c - the whole picture, and what of it lies under the mouse. */
#include <stdio.h>

#include "ui/view_parts.h"

/* Short lines: there may be room for little. */
static void draw_too_small(struct gs_frame *f)
{
	struct gs_rect all = { 0, 0, f->rows, f->columns };
	char lines[4][48];
	int top = f->rows > 4 ? (f->rows - 4) / 2 : 0;

	snprintf(lines[0], sizeof(lines[0]), "too small");
	snprintf(lines[1], sizeof(lines[1]), "need %d columns, %d rows", GS_COLUMNS_MIN, GS_ROWS_MIN);
	snprintf(lines[2], sizeof(lines[2]), "have %d columns, %d rows", f->columns, f->rows);
	snprintf(lines[3], sizeof(lines[3]), "until then no key acts");
	for (int i = 0; i < 4 && top + i < f->rows; i++) {
		int n = gs_text_width(lines[i]);

		gs_draw_text(f, all, top + i, n < f->columns ? (f->columns - n) / 2 : 0, GS_ELEMENT_TEXT, lines[i]);
	}
}

static void draw_layer(const struct gs_view *v)
{
	switch (v->m->layer) {
	case GS_LAYER_NONE:
		break;
	case GS_LAYER_PALETTE:
	case GS_LAYER_CHOOSER:
		gs_view_palette(v);
		break;
	case GS_LAYER_MODE:
		gs_view_modes(v);
		break;
	case GS_LAYER_SETTINGS:
		gs_view_settings(v);
		break;
	case GS_LAYER_PROMPT:
		gs_view_prompt(v);
		break;
	case GS_LAYER_REVIEW:
		gs_view_review(v);
		break;
	case GS_LAYER_WRITING:
		gs_view_writing(v);
		break;
	case GS_LAYER_HELP:
		gs_view_help(v);
		break;
	case GS_LAYER_WHO:
		gs_view_who(v);
		break;
	case GS_LAYER_EXPLAIN:
		gs_view_explain(v);
		break;
	case GS_LAYER_QUIT:
		gs_view_quit(v);
		break;
	case GS_LAYER_HISTORY:
		gs_view_history(v);
		break;
	case GS_LAYER_PAST:
		gs_view_past(v);
		break;
	case GS_LAYER_SAVED:
		gs_view_saved(v);
		break;
	}
}

/* What the top layer lies on, as it was left; what is typed goes to the top one. */
static void draw_below(const struct gs_view *v)
{
	struct gs_model below = *v->m;
	struct gs_view under = { .m = &below, .g = v->g, .f = v->f };

	below.layer = v->m->layer_below;
	below.layer_below = GS_LAYER_NONE;
	below.list_row = v->m->row_below;
	below.list_top = v->m->top_below;
	gs_geometry_compute(v->f->rows, v->f->columns, &below, &under.geo);
	draw_layer(&under);
	v->f->cursor_row = v->f->cursor_column = -1;
}

void gs_view_draw(const struct gs_model *m, const struct gs_glyphs *g, struct gs_frame *f)
{
	struct gs_view v = { .m = m, .g = g, .f = f };

	gs_frame_clear(f);
	gs_geometry_compute(f->rows, f->columns, m, &v.geo);
	if (v.geo.too_small) {
		draw_too_small(f);
		return;
	}
	gs_view_header(&v);
	gs_view_fleet(&v);
	gs_view_grid(&v);
	gs_view_plan(&v);
	if (m->layer_below != GS_LAYER_NONE)
		draw_below(&v);
	draw_layer(&v);
	/* last: a long message takes the line above */
	if (m->layer != GS_LAYER_PROMPT)
		gs_view_hints(&v);
}

bool gs_view_tops(const struct gs_model *m, int rows, int columns, struct gs_tops *ret)
{
	struct gs_geometry geo;

	gs_geometry_compute(rows, columns, m, &geo);
	if (geo.too_small)
		return false;
	*ret = (struct gs_tops){ gs_view_fleet_top(m, &geo), gs_view_plan_top(m, &geo), 0 };
	switch (m->layer) {
	case GS_LAYER_PALETTE:
	case GS_LAYER_CHOOSER:
		ret->list = gs_view_palette_top(m, &geo);
		break;
	case GS_LAYER_MODE:
		ret->list = gs_view_modes_top(m, &geo);
		break;
	case GS_LAYER_SETTINGS:
		ret->list = gs_view_settings_top(m, &geo);
		break;
	case GS_LAYER_REVIEW:
		ret->list = gs_view_review_top(m, &geo);
		break;
	case GS_LAYER_WHO:
		ret->list = gs_view_who_top(m, &geo);
		break;
	case GS_LAYER_HISTORY:
		ret->list = gs_view_history_top(m, &geo);
		break;
	case GS_LAYER_SAVED:
		ret->list = gs_view_saved_top(m, &geo);
		break;
	case GS_LAYER_PAST:
		ret->list = gs_view_past_top(m, &geo);
		break;
	default:
		break;
	}
	return true;
}

/* ---------------------------------------------------------------- the mouse */

static bool lies_in(struct gs_rect r, int row, int column)
{
	return row >= r.row && row < r.row + r.rows && column >= r.column && column < r.column + r.columns;
}

static struct gs_hit hit_layer(const struct gs_model *m, const struct gs_geometry *geo, int row)
{
	struct gs_hit hit = { .kind = GS_HIT_NONE };
	bool found = false;

	row -= geo->layer.row;
	switch (m->layer) {
	case GS_LAYER_PALETTE:
	case GS_LAYER_CHOOSER:
		found = gs_view_palette_at(m, geo, row, &hit.row);
		break;
	case GS_LAYER_MODE:
		found = gs_view_modes_at(m, geo, row, &hit.row);
		break;
	case GS_LAYER_SETTINGS:
		found = gs_view_settings_at(m, geo, row, &hit.row);
		break;
	case GS_LAYER_REVIEW:
		found = gs_view_review_at(m, geo, row, &hit.row);
		break;
	case GS_LAYER_WHO:
		found = gs_view_who_at(m, geo, row, &hit.row);
		break;
	case GS_LAYER_HISTORY:
		found = gs_view_history_at(m, geo, row, &hit.row);
		break;
	case GS_LAYER_QUIT:
		found = row >= 4 && row < 7;
		hit.row = found ? (size_t)row - 4 : 0;
		break;
	default:
		break;
	}
	hit.kind = found ? GS_HIT_LAYER_ROW : GS_HIT_NONE;
	return hit;
}

static struct gs_hit hit_grid(const struct gs_model *m, const struct gs_geometry *geo, int row, int column)
{
	struct gs_hit hit = { .kind = GS_HIT_NONE };
	const struct gs_gpu *gpu = gs_model_gpu(m);
	struct gs_block b[GS_GRID_UNITS_MAX];
	const struct gs_profile_set *set = gpu ? gs_model_shown(m, gpu).set : NULL;
	uint32_t n = set ? set->memory_units : 0, unit;

	if (!gpu || gpu->lost || !n || n > GS_GRID_UNITS_MAX)
		return hit;
	if (!gs_model_blocks(m, gpu->index, false, b) && !(m->n_staged && gs_model_blocks(m, gpu->index, true, b)))
		return hit;
	if (set->is_slots) {
		if (gs_slots_at(geo, n, row, column, &unit))
			hit = (struct gs_hit){ .kind = GS_HIT_UNIT, .gpu = gpu->index, .unit = unit, .has_unit = true };
		return hit;
	}
	for (uint32_t u = 0; u < n; u++) {
		if (column >= gs_unit_column(geo, n, u) && column < gs_unit_column(geo, n, u + 1))
			return (struct gs_hit){ .kind = GS_HIT_UNIT, .gpu = gpu->index, .unit = u, .has_unit = true };
	}
	return hit;
}

struct gs_hit gs_view_hit(const struct gs_model *m, int rows, int columns, int row, int column)
{
	struct gs_hit hit = { .kind = GS_HIT_NONE };
	struct gs_geometry geo;
	size_t item;

	gs_geometry_compute(rows, columns, m, &geo);
	if (geo.too_small || row < 0 || column < 0)
		return hit;
	if (lies_in(geo.hints, row, column)) {
		hit.key = m->layer == GS_LAYER_PROMPT ? 0 : gs_view_hint_at(m, columns, column);
		hit.kind = hit.key ? GS_HIT_HINT : GS_HIT_NONE;
		return hit;
	}
	if (lies_in(geo.layer, row, column))
		return hit_layer(m, &geo, row);
	if (lies_in(geo.detail, row, column))
		return hit;
	if (lies_in(geo.grid, row, column))
		return hit_grid(m, &geo, row, column);
	if (lies_in(geo.fleet, row, column) && gs_view_fleet_at(m, &geo, row - geo.fleet.row, &item)) {
		hit.kind = GS_HIT_FLEET;
		hit.gpu = (uint32_t)item;
		hit.has_unit = gs_view_fleet_unit_at(m, &geo, item, column, &hit.unit);
	} else if (lies_in(geo.plan, row, column) && gs_view_plan_at(m, &geo, row - geo.plan.row, &item)) {
		hit.kind = GS_HIT_PLAN;
		hit.row = item;
	}
	return hit;
}
