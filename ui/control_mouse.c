/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control_mouse.c - the mouse does what keys do: it moves the cursor, selects units, presses hints. */
#include <stdlib.h>

#include "ui/control_internal.h"

/* A pointer that goes so far with its button down drags, also within one unit. */
#define DRAG_COLUMNS 3

static bool is_list(enum gs_layer layer)
{
	return layer != GS_LAYER_NONE && layer != GS_LAYER_PROMPT;
}

static unsigned press_key(struct gs_model *m, uint32_t key, int rows, int columns)
{
	struct gs_event ev = { .type = GS_EVENT_KEY, .key = key };

	return gs_control_event(m, &ev, rows, columns);
}

/* The unit under the pointer; above, below and beside the grid the nearest one. */
static bool unit_under(const struct gs_model *m, const struct gs_event *ev, int rows, int columns, uint32_t *ret_unit)
{
	struct gs_geometry geo;
	const struct gs_gpu *gpu = gs_model_gpu(m);
	struct gs_ground ground = gpu ? gs_model_shown(m, gpu) : (struct gs_ground){ .grid = GS_KIND_INVALID };
	uint32_t n = ground.set ? ground.set->memory_units : 0, unit = 0;
	struct gs_hit hit = gs_view_hit(m, rows, columns, ev->row, ev->column);

	if (hit.kind == GS_HIT_UNIT && hit.gpu == m->gpu) {
		*ret_unit = hit.unit;
		return true;
	}
	if (!n)
		return false;
	gs_geometry_compute(rows, columns, m, &geo);
	if (geo.too_small)
		return false;
	if (ground.set->is_slots)
		return gs_slots_nearest(&geo, n, ev->row, ev->column, ret_unit);
	while (unit + 1 < n && gs_unit_column(&geo, n, unit + 1) <= ev->column)
		unit++;
	*ret_unit = unit;
	return true;
}

static unsigned press_unit(struct gs_model *m, const struct gs_hit *hit)
{
	bool was_here = m->focus == GS_FOCUS_GRID && m->gpu == hit->gpu && m->unit == hit->unit;
	struct gs_block b;

	if (hit->gpu != m->gpu)
		m->selecting = false;
	m->gpu = hit->gpu;
	m->unit = hit->unit;
	m->focus = GS_FOCUS_GRID;
	m->selecting = m->dragging = false;
	/* A press on a live block only selects it: a drag never moves work. */
	if (!gs_control_block(m, &b) || (b.state != GS_UNIT_FREE && b.state != GS_UNIT_LOST)) {
		if (gs_control_block(m, &b))
			m->unit = b.span.start;
		return GS_DO_REDRAW;
	}
	if (gs_model_may_edit(m, m->gpu, NULL) < 0)
		return GS_DO_REDRAW;
	/* partitions are chosen by a word, not by a place */
	if (gs_model_shown(m, gs_model_gpu(m)).grid == GS_KIND_PARTITION)
		return GS_DO_REDRAW;
	gs_control_select_start(m, hit->unit);
	m->dragging = true;
	m->click_opens = was_here;
	return GS_DO_REDRAW;
}

static unsigned press_fleet(struct gs_model *m, const struct gs_hit *hit)
{
	const struct gs_gpu *gpu;
	bool is_another = m->gpu != hit->gpu;

	m->focus = GS_FOCUS_FLEET;
	m->selecting = m->dragging = false;
	m->gpu = hit->gpu;
	gpu = gs_model_gpu(m);
	if (gpu && hit->has_unit && hit->unit < gs_model_shown(m, gpu).set->memory_units)
		m->unit = hit->unit;
	else if (is_another)
		m->unit = 0;
	return GS_DO_REDRAW;
}

/* A press chooses a row; a press on the chosen one takes it. */
static unsigned press_row(struct gs_model *m, size_t row, int rows, int columns)
{
	if (row >= gs_control_list_length(m))
		return GS_DO_NOTHING;
	if (m->layer == GS_LAYER_PALETTE || m->layer == GS_LAYER_CHOOSER) {
		if (m->offer == row)
			return press_key(m, GS_KEY_ENTER, rows, columns);
		m->offer = row;
	} else {
		/* only where Enter stages what can be taken back, or shows something: a review is never answered by a click */
		if ((m->layer == GS_LAYER_MODE || m->layer == GS_LAYER_SETTINGS || m->layer == GS_LAYER_HISTORY) && m->list_row == row)
			return press_key(m, GS_KEY_ENTER, rows, columns);
		m->list_row = row;
	}
	return GS_DO_REDRAW;
}

static unsigned press(struct gs_model *m, const struct gs_event *ev, int rows, int columns)
{
	struct gs_hit hit = gs_view_hit(m, rows, columns, ev->row, ev->column);
	unsigned done;

	if (ev->button != 0)
		return GS_DO_NOTHING;
	if (hit.kind == GS_HIT_HINT && (m->layer == GS_LAYER_REVIEW || m->layer == GS_LAYER_SAVED) && gs_action_has_key(GS_ACTION_CONFIRM, hit.key))
		return gs_say(m, "a click never writes: press y");
	if (hit.kind == GS_HIT_HINT)
		return press_key(m, hit.key, rows, columns);
	m->message[0] = '\0';
	m->armed_key = 0;
	if (hit.kind == GS_HIT_LAYER_ROW)
		return press_row(m, hit.row, rows, columns);
	/* The grid stays in sight beside the offers: another selection is another try. */
	if ((m->layer == GS_LAYER_CHOOSER || m->layer == GS_LAYER_PALETTE) && hit.kind == GS_HIT_UNIT) {
		gs_layer_close(m);
		done = press_unit(m, &hit);
		m->click_opens = true;
		m->press_column = ev->column;
		return done;
	}
	/* Another picture lies over the rest: what shows through is not pressed by accident. */
	if (m->layer != GS_LAYER_NONE)
		return GS_DO_REDRAW;
	switch (hit.kind) {
	case GS_HIT_FLEET:
		return press_fleet(m, &hit);
	case GS_HIT_UNIT:
		m->press_column = ev->column;
		return press_unit(m, &hit);
	case GS_HIT_PLAN:
		m->focus = GS_FOCUS_PLAN;
		m->selecting = false;
		if (hit.row < gs_model_n_plan_items(m))
			m->plan_row = hit.row;
		return GS_DO_REDRAW;
	default:
		return GS_DO_REDRAW;
	}
}

static unsigned drag(struct gs_model *m, const struct gs_event *ev, int rows, int columns)
{
	uint32_t unit;

	if (!m->dragging || m->layer != GS_LAYER_NONE)
		return GS_DO_NOTHING;
	/* over a unit is meant, and no hand that was not still */
	m->click_opens |= abs(ev->column - m->press_column) >= DRAG_COLUMNS;
	if (!unit_under(m, ev, rows, columns, &unit) || unit == m->extent)
		return GS_DO_NOTHING;
	m->extent = m->unit = unit;
	return GS_DO_REDRAW;
}

static bool lies_in(struct gs_rect band, int row)
{
	return row >= band.row && row < band.row + band.rows;
}

static unsigned wheel(struct gs_model *m, const struct gs_event *ev, int rows, int columns)
{
	struct gs_hit hit = gs_view_hit(m, rows, columns, ev->row, ev->column);
	enum gs_action_id id = ev->mouse == GS_MOUSE_WHEEL_UP ? GS_ACTION_MOVE_UP : GS_ACTION_MOVE_DOWN;
	struct gs_geometry geo;
	size_t row;

	if (m->dragging)
		return GS_DO_NOTHING;
	if (m->layer == GS_LAYER_PALETTE || m->layer == GS_LAYER_CHOOSER)
		return gs_control_walk(id, m->n_offers, &m->offer) ? GS_DO_REDRAW : GS_DO_NOTHING;
	if (is_list(m->layer))
		return gs_control_walk(id, gs_control_list_length(m), &m->list_row) ? GS_DO_REDRAW : GS_DO_NOTHING;
	if (m->layer != GS_LAYER_NONE || !m->snapshot)
		return GS_DO_NOTHING;
	/* What is under it turns: only over the GPUs does it go from GPU to GPU. */
	gs_geometry_compute(rows, columns, m, &geo);
	if (geo.too_small)
		return GS_DO_NOTHING;
	if (m->selecting)
		return GS_DO_NOTHING;
	if (lies_in(geo.plan, ev->row) && gs_model_n_plan_items(m)) {
		/* the mark shows how far one is, as over the GPUs */
		m->focus = GS_FOCUS_PLAN;
		gs_control_walk(id, gs_model_n_plan_items(m), &m->plan_row);
		return GS_DO_REDRAW;
	}
	if (!lies_in(geo.fleet, ev->row))
		return GS_DO_NOTHING;
	row = m->gpu;
	gs_control_walk(id, gs_snapshot_n_gpus(m->snapshot), &row);
	hit.gpu = (uint32_t)row;
	hit.has_unit = false;
	return press_fleet(m, &hit);
}

unsigned gs_control_mouse(struct gs_model *m, const struct gs_event *ev, int rows, int columns)
{
	switch (ev->mouse) {
	case GS_MOUSE_PRESS:
		return press(m, ev, rows, columns);
	case GS_MOUSE_DRAG:
		return drag(m, ev, rows, columns);
	case GS_MOUSE_RELEASE:
		if (!m->dragging)
			return GS_DO_NOTHING;
		drag(m, ev, rows, columns);
		m->dragging = false;
		/* as in a list: a press goes there, a press on what the cursor is on takes it */
		if (m->anchor == m->extent && !m->click_opens) {
			m->selecting = false;
			return gs_say(m, "Enter or another click offers what fits here; dragging selects more");
		}
		return gs_control_open_chooser(m);
	case GS_MOUSE_WHEEL_UP:
	case GS_MOUSE_WHEEL_DOWN:
		return wheel(m, ev, rows, columns);
	}
	return GS_DO_NOTHING;
}
