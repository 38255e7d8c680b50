/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control_main.c - keys on the main screen: fleet, grid, plan. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/control_internal.h"

static uint32_t n_units(const struct gs_model *m)
{
	const struct gs_gpu *gpu = gs_model_gpu(m);

	return gpu ? gs_model_shown(m, gpu).set->memory_units : 0;
}

static void go_to_gpu(struct gs_model *m, size_t gpu)
{
	if (m->gpu == gpu)
		return;
	m->gpu = (uint32_t)gpu;
	m->selecting = m->dragging = false;
	/* A place carried over from another GPU would be a target that nobody chose. */
	m->unit = 0;
}

static bool walk_gpus(struct gs_model *m, enum gs_action_id id)
{
	size_t row = m->gpu;

	if (!m->snapshot || !gs_control_walk(id, gs_snapshot_n_gpus(m->snapshot), &row))
		return false;
	go_to_gpu(m, row);
	return true;
}

/* Left and Right: by unit while selecting, else from block to block. */
static void walk_units(struct gs_model *m, bool right)
{
	struct gs_block b;
	uint32_t last = n_units(m) ? n_units(m) - 1 : 0;
	uint32_t *at = m->selecting ? &m->extent : &m->unit;

	if (!m->selecting && gs_control_block(m, &b))
		*at = right ? b.span.start + b.span.size - 1 : b.span.start;
	if (right && *at < last)
		(*at)++;
	else if (!right && *at > 0)
		(*at)--;
	if (m->selecting) {
		m->unit = m->extent;
		return;
	}
	/* Land on the first unit of a block, so that the way back is the same. */
	if (gs_control_block(m, &b))
		m->unit = b.span.start;
}

/* Slots lie in rows: Up and Down go from row to row, and on from the last one. */
static bool walk_rows(struct gs_model *m, enum gs_action_id id, const struct gs_slots *slots)
{
	uint32_t *at = m->selecting ? &m->extent : &m->unit, by = (uint32_t)slots->per_row;

	if (id == GS_ACTION_MOVE_UP && *at >= by)
		*at -= by;
	else if (id == GS_ACTION_MOVE_DOWN && *at + by < n_units(m))
		*at += by;
	else
		return false;
	m->unit = *at;
	return true;
}

static unsigned move_in_grid(struct gs_model *m, enum gs_action_id id, int rows, int columns)
{
	uint32_t last = n_units(m) ? n_units(m) - 1 : 0;
	struct gs_geometry geo;
	struct gs_slots slots;

	switch (id) {
	case GS_ACTION_MOVE_LEFT:
	case GS_ACTION_MOVE_RIGHT:
		walk_units(m, id == GS_ACTION_MOVE_RIGHT);
		return GS_DO_REDRAW;
	case GS_ACTION_FIRST:
	case GS_ACTION_LAST:
		m->unit = id == GS_ACTION_FIRST ? 0 : last;
		if (m->selecting)
			m->extent = m->unit;
		return GS_DO_REDRAW;
	default:
		gs_geometry_compute(rows, columns, m, &geo);
		if (!geo.too_small && gs_model_gpu(m) && gs_model_shown(m, gs_model_gpu(m)).set->is_slots && gs_slots_compute(&geo, n_units(m), &slots) &&
		    walk_rows(m, id, &slots))
			return GS_DO_REDRAW;
		/* A selection belongs to one GPU: Up and Down would lose it by accident. */
		if (m->selecting)
			return gs_say(m, "Left and Right extend, Enter offers what fits, Esc gives up");
		return walk_gpus(m, id) ? GS_DO_REDRAW : GS_DO_NOTHING;
	}
}

static unsigned move(struct gs_model *m, enum gs_action_id id, int rows, int columns)
{
	if (m->focus == GS_FOCUS_GRID)
		return move_in_grid(m, id, rows, columns);
	if (m->focus == GS_FOCUS_PLAN) {
		gs_control_walk(id, gs_model_n_plan_items(m), &m->plan_row);
		return GS_DO_REDRAW;
	}
	if (walk_gpus(m, id))
		return GS_DO_REDRAW;
	/* Sideways from the fleet means the grid of the GPU that the cursor is on. */
	if (id == GS_ACTION_MOVE_LEFT || id == GS_ACTION_MOVE_RIGHT) {
		m->focus = GS_FOCUS_GRID;
		return move_in_grid(m, id, rows, columns);
	}
	return GS_DO_REDRAW;
}

static unsigned open_here(struct gs_model *m)
{
	struct gs_block b;

	if (m->selecting)
		return gs_control_open_chooser(m);
	if (m->focus == GS_FOCUS_FLEET) {
		m->focus = GS_FOCUS_GRID;
		return GS_DO_REDRAW;
	}
	if (m->focus == GS_FOCUS_PLAN)
		return gs_control_open_explain(m, m->plan_row);
	if (gs_control_block(m, &b) && (b.state == GS_UNIT_FREE || b.state == GS_UNIT_LOST) && !m->read_only)
		return gs_control_open_palette(m);
	return gs_control_open_who(m);
}

static unsigned back(struct gs_model *m)
{
	if (m->selecting) {
		m->selecting = m->dragging = false;
		return GS_DO_REDRAW;
	}
	if (m->marked_gpus) {
		m->marked_gpus = 0;
		return gs_say(m, "marks cleared");
	}
	if (m->n_staged)
		return gs_say(m, "what is staged stays: u takes the last back, X drops all, q leaves");
	return GS_DO_REDRAW;
}

static unsigned change_focus(struct gs_model *m, int by)
{
	m->focus = (enum gs_focus)(((int)m->focus + by + GS_FOCUS_MAX) % GS_FOCUS_MAX);
	m->selecting = m->dragging = false;
	return GS_DO_REDRAW;
}

static unsigned drop_here(struct gs_model *m)
{
	size_t i = m->n_staged;
	char text[256];

	if (m->focus == GS_FOCUS_PLAN) {
		struct gs_plan_item item = gs_model_plan_item(m, m->plan_row);

		if (item.kind != GS_PLAN_ITEM_STAGED)
			return gs_say(m, "x drops a staged command: go to one in the list of what is staged, or to its block");
		i = item.index;
	} else {
		i = gs_control_staged_here(m);
	}
	if (i >= m->n_staged)
		return gs_say(m, "nothing is staged here");
	snprintf(text, sizeof(text), "%s", m->staged[i].text);
	gs_model_drop(m, i);
	return gs_say(m, "dropped: %s   (r brings it back)", text);
}

static unsigned drop_all(struct gs_model *m)
{
	size_t n = m->n_staged;

	if (!n)
		return gs_say(m, "nothing is staged");
	if (m->armed_key != 'X') {
		m->armed_key = 'X';
		return n == 1 ? gs_say(m, "press X again to drop the staged command") : gs_say(m, "press X again to drop all %zu staged commands", n);
	}
	m->armed_key = 0;
	gs_model_drop_all(m);
	return gs_say(m, "dropped %zu staged command%s   (r brings them back one by one)", n, n == 1 ? "" : "s");
}

static unsigned undo(struct gs_model *m)
{
	char text[256];

	if (!m->n_staged)
		return gs_say(m, "nothing is staged; what has been written is undone by U, with a review");
	snprintf(text, sizeof(text), "%s", m->staged[m->n_staged - 1].text);
	gs_model_undo(m);
	return gs_say(m, "taken back: %s", text);
}

static unsigned redo(struct gs_model *m)
{
	const struct gs_staged *last;

	if (!gs_model_redo(m))
		return gs_say(m, "nothing to stage again");
	last = &m->staged[m->n_staged - 1];
	if (last->stale)
		return gs_say_error(m, "staged again, but it no longer holds: %s", last->stale);
	return gs_say(m, "staged again: %s", last->text);
}

static unsigned mark(struct gs_model *m)
{
	if (!gs_model_gpu(m) || m->gpu >= 64)
		return GS_DO_NOTHING;
	m->marked_gpus ^= 1ull << m->gpu;
	return gs_say(m, "%d GPU%s marked", __builtin_popcountll(m->marked_gpus), __builtin_popcountll(m->marked_gpus) == 1 ? "" : "s");
}

static unsigned root(struct gs_model *m)
{
	if (m->read_only)
		return gs_say_error(m, "READ-ONLY: a monitor stays as it was started");
	if (m->privileged && !m->agent_gone)
		return gs_say(m, "this agent may see and write everything already");
	return GS_DO_SUDO | GS_DO_REDRAW;
}

static const char *lane_name(enum gs_lane lane)
{
	return lane == GS_LANE_NOW ? "now" : lane == GS_LANE_AFTER ? "after" : "now and after";
}

/* What acts on the block under the cursor acts only where that is marked: the grid is gone to first. */
static bool goes_to_grid(struct gs_model *m, enum gs_action_id id)
{
	struct gs_block b;
	size_t n;

	if (m->focus == GS_FOCUS_GRID || (id != GS_ACTION_DELETE && id != GS_ACTION_REPLACE && id != GS_ACTION_MOVE && (id != GS_ACTION_DROP || m->focus == GS_FOCUS_PLAN)))
		return false;
	if (!gs_control_block(m, &b) || (id == GS_ACTION_DROP && gs_control_staged_here(m) == m->n_staged))
		return false;
	m->focus = GS_FOCUS_GRID;
	gs_say(m, "on the grid now: %s again takes what it marks, Left and Right choose", gs_actions(&n)[id].key_text);
	return true;
}

static unsigned edit(struct gs_model *m, enum gs_action_id id)
{
	if (goes_to_grid(m, id))
		return GS_DO_REDRAW;
	switch (id) {
	case GS_ACTION_CREATE:
		return m->selecting ? gs_control_open_chooser(m) : gs_control_open_palette(m);
	case GS_ACTION_MODE:
		return gs_control_open_mode(m);
	case GS_ACTION_DROP:
		return drop_here(m);
	case GS_ACTION_DROP_ALL:
		return drop_all(m);
	case GS_ACTION_UNDO:
		return undo(m);
	case GS_ACTION_REDO:
		return redo(m);
	case GS_ACTION_REVIEW:
	case GS_ACTION_WRITE:
		return gs_control_open_review(m, id == GS_ACTION_WRITE);
	case GS_ACTION_SAVE:
		return gs_control_ask_saved(m);
	case GS_ACTION_UNDO_COMMIT:
		return gs_control_ask_undo(m, 0);
	case GS_ACTION_RECOVER:
		return gs_control_ask_recover(m, 0);
	case GS_ACTION_HISTORY:
		return gs_control_ask_history(m);
	case GS_ACTION_COMMAND:
		return gs_control_open_prompt(m);
	case GS_ACTION_MARK:
		return mark(m);
	default:
		return gs_control_grid_edit(m, id);
	}
}

unsigned gs_control_main_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id, int rows, int columns)
{
	size_t n;

	if (id == GS_ACTION_MAX) {
		/* Digits and punctuation are free; a silent key is better than a wrong guess. */
		return GS_DO_NOTHING;
	}
	if (gs_actions(&n)[id].flags & GS_ACTION_EDITS) {
		struct gs_error e = { 0 };

		if (m->read_only) {
			gs_model_may_edit(m, m->gpu, &e);
			return gs_say_error(m, "%s", e.text);
		}
		return edit(m, id);
	}
	switch (id) {
	case GS_ACTION_LANE:
		m->selecting = m->dragging = false;
		m->lane = (enum gs_lane)((m->lane + 1) % GS_LANE_MAX);
		if (m->unit >= n_units(m))
			m->unit = 0;
		return gs_say(m, "the grid shows %s", lane_name(m->lane));
	case GS_ACTION_WHO:
		return gs_control_open_who(m);
	case GS_ACTION_SETTINGS:
		return gs_control_open_settings(m);
	case GS_ACTION_EXPLAIN:
		return gs_control_open_explain(m, m->focus == GS_FOCUS_PLAN ? m->plan_row : SIZE_MAX);
	case GS_ACTION_ROOT:
		return root(m);
	case GS_ACTION_AGENT:
		return gs_say(m, "an agent runs already");
	case GS_ACTION_OPEN:
		return open_here(m);
	case GS_ACTION_BACK:
		return back(m);
	case GS_ACTION_NEXT_PANE:
		return change_focus(m, 1);
	case GS_ACTION_PREVIOUS_PANE:
		return change_focus(m, -1);
	case GS_ACTION_QUIT:
	case GS_ACTION_STOP:
		return gs_control_quit(m);
	default:
		return ev->ctrl ? GS_DO_NOTHING : move(m, id, rows, columns);
	}
}
