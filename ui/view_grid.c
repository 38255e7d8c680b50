/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view_grid.c - the GPU under the cursor: ruler, SM row, one or two lanes of
 * boxes, a row for what would be created, what fits.
 */
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "ui/view_parts.h"

/* Rows inside the grid's rectangle; -1: not there. */
struct rows {
	int body, top;                  /* first lane */
	int sm_after, body_after, top_after;
	int tail;                       /* ghost, then what fits */
};

/* The first lane lies the same with one lane and with two: staging something moves nothing. */
static void lay_out(int rows, bool two, struct rows *r)
{
	*r = (struct rows){ .top = 2, .sm_after = -1, .top_after = -1 };
	r->body = rows < 8 ? 2 : rows < 17 ? 3 : 4;
	r->tail = r->top + r->body + 2;
	if (!two)
		return;
	if (rows >= 15)
		r->sm_after = r->tail++;
	r->top_after = r->tail;
	r->body_after = rows < 13 ? 2 : rows < 17 ? 3 : 4;
	r->tail += r->body_after + 2;
}

static bool is_choosing(const struct gs_model *m)
{
	return m->layer == GS_LAYER_PALETTE || m->layer == GS_LAYER_CHOOSER;
}

/* ---------------------------------------------------------------- title */

static void draw_title(const struct gs_view *v, const struct gs_gpu *gpu, enum gs_lane_kind kind, bool changed, bool two)
{
	static const char *const lanes[] = {
		[GS_LANE_OF_NOW] = "NOW  t: after",
		[GS_LANE_OF_AFTER] = "AFTER  t: both",
		[GS_LANE_MERGED] = "NOW with what is staged  t: now",
	};
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	const struct gs_profile_set *set = &gpu->grids[GS_KIND_MIG];
	const char *mode = gs_mode_name(gpu->mode), *right = NULL;
	int columns = v->geo.grid_title.columns;
	char pci[GS_BDF_TEXT];

	gs_strbuf_printf(&b, "GPU %u", gpu->index);
	if (gpu->nvidia_index.known && gpu->nvidia_index.value != gpu->index)
		gs_strbuf_printf(&b, " (nvidia-smi %u)", gpu->nvidia_index.value);
	gs_strbuf_printf(&b, "  %s  %s", gs_part_pci(gpu->bdf, pci, sizeof(pci)),
			 gpu->lost ? "LOST" : gpu->mode == GS_MODE_MIG ? "MIG" : mode ? mode : "mode unknown");
	if (gpu->mode_pending != GS_MODE_INVALID && gpu->mode_pending != gpu->mode)
		gs_strbuf_printf(&b, ", %s waits%s", gs_mode_name(gpu->mode_pending), gpu->mode_needs_reset ? " for a reset" : "");
	if (changed)
		right = two ? "t: now" : lanes[kind];
	if (columns >= 100 && gpu->name)
		gs_strbuf_printf(&b, "  %s", gs_part_model(gpu->name));
	if (columns >= 90 && gpu->uuid)
		gs_strbuf_printf(&b, "  %.12s", gpu->uuid);
	if (set->memory_units && gpu->mode == GS_MODE_MIG && (columns >= 90 || !right))
		gs_strbuf_printf(&b, "  %u memory units, %u SM slices", set->memory_units, set->compute_slices);
	gs_part_rule(v, v->geo.grid_title, 0, GS_ELEMENT_TITLE, b.failed ? "GPU" : b.text, right);
}

/* ---------------------------------------------------------------- ruler and ghost */

static const struct gs_offer *current_offer(const struct gs_model *m)
{
	return is_choosing(m) && m->offer < m->n_offers ? &m->offers[m->offer] : NULL;
}

/* What is chosen: the place of the offer, else the selected units; false when there is neither. */
static bool chosen_span(const struct gs_model *m, struct gs_span *ret)
{
	const struct gs_offer *o = current_offer(m);

	if (o)
		return gs_profile_placement_at(o->profile, o->n_starts && o->chosen < o->n_starts ? o->starts[o->chosen] : o->wanted_start, ret);
	ret->start = m->anchor < m->extent ? m->anchor : m->extent;
	ret->size = (m->anchor < m->extent ? m->extent : m->anchor) - ret->start + 1;
	return m->selecting;
}

static void draw_ruler(const struct gs_view *v, uint32_t units)
{
	const struct gs_model *m = v->m;
	struct gs_rect r = v->geo.grid;
	struct gs_span span = { 0 };
	bool has_span = chosen_span(m, &span);

	gs_draw_text(v->f, r, 0, 0, GS_ELEMENT_DIM, "unit");
	for (uint32_t u = 0; u < units; u++) {
		int left = gs_unit_column(&v->geo, units, u) - r.column, right = gs_unit_column(&v->geo, units, u + 1) - r.column;
		bool is_cursor = u == m->unit && m->focus == GS_FOCUS_GRID;
		char text[16];
		int n;

		n = snprintf(text, sizeof(text), is_cursor ? "[%u]" : "%u", u);
		gs_draw_text(v->f, r, 0, left + (right - left + 1 - n) / 2, is_cursor ? GS_ELEMENT_SELECTED : GS_ELEMENT_DIM, text);
		if (is_cursor)
			gs_draw_flag(v->f, r, 0, left + (right - left + 1 - n) / 2, 1, n, GS_CELL_CURSOR);
		if (has_span && u == span.start)
			gs_draw_text(v->f, r, 0, left, GS_ELEMENT_GHOST, "<");
		if (has_span && u == span.start + span.size - 1)
			gs_draw_text(v->f, r, 0, right, GS_ELEMENT_GHOST, ">");
	}
}

/* A row of marks where the instance would come. Returns whether there is anything to show. */
static bool draw_ghost(const struct gs_view *v, uint32_t units, int row)
{
	const struct gs_model *m = v->m;
	const struct gs_offer *o = current_offer(m);
	struct gs_rect r = v->geo.grid;
	struct gs_span span;
	char label[96];
	int left, right, n, margin;

	if (!chosen_span(m, &span))
		return false;
	if (o) {
		size_t at = (size_t)snprintf(label, sizeof(label), " %s ", o->profile->name);
		if (o->profile->sm_count.known)
			at += (size_t)snprintf(label + at, sizeof(label) - at, " %u SM ", o->profile->sm_count.value);
		if (!o->n_starts)
			snprintf(label + at, sizeof(label) - at, " does not fit ");
	} else {
		snprintf(label, sizeof(label), " %u unit%s ", span.size, span.size == 1 ? "" : "s");
	}
	if (span.start >= units)
		return false;
	left = gs_unit_column(&v->geo, units, span.start) - r.column;
	right = gs_unit_column(&v->geo, units, span.start + span.size) - r.column;
	margin = gs_unit_column(&v->geo, units, 0) - r.column;
	gs_draw_text(v->f, r, row, 0, GS_ELEMENT_DIM, o && gs_text_width(o->profile->name) < margin ? o->profile->name : "new");
	gs_draw_fill(v->f, r, row, left, 1, right - left + 1, GS_ELEMENT_GHOST, v->g->ghost);
	n = gs_text_width(label);
	if (n > right - left - 1) {
		/* the name beside the marks rather than cut inside them */
		bool is_left = left - n >= gs_unit_column(&v->geo, units, 0) - r.column && right + n >= r.columns;

		gs_draw_text(v->f, r, row, is_left ? left - n : right + 1, GS_ELEMENT_GHOST, label);
	} else {
		gs_draw_text(v->f, r, row, left + (right - left + 1 - n) / 2, GS_ELEMENT_GHOST, label);
	}
	return true;
}

/* ---------------------------------------------------------------- what fits */

static bool is_plain(const struct gs_profile *p)
{
	return !*gs_profile_suffix(p);
}

/* "1g.10gb x2, 1g.20gb at 2"; what does not fit with its reason into @why. */
static void say_fits(const struct gs_model *m, const struct gs_gpu *gpu, struct gs_strbuf *fits, struct gs_strbuf *why)
{
	const struct gs_profile_set *set = &gpu->grids[GS_KIND_MIG];
	struct gs_placed placed[GS_PLACED_MAX];
	uint32_t starts[GS_PLACEMENTS_MAX];
	size_t n;

	if (!gs_part_placed(m, gpu, placed, &n))
		return;
	for (size_t i = 0; i < set->n; i++) {
		const struct gs_profile *p = &set->items[i];
		size_t n_starts = is_plain(p) ? gs_placement_free_starts(set, placed, n, p, starts) : 0;
		uint32_t more = n_starts ? gs_placement_capacity(set, placed, n, p) : 0;
		char reason[160];

		if (!is_plain(p))
			continue;
		if (!n_starts) {
			gs_part_why_not(gpu, placed, n, p, reason, sizeof(reason));
			gs_strbuf_printf(why, "%s%s %s", why->length ? ";  " : "", p->name, reason);
		} else if (n_starts == 1) {
			gs_strbuf_printf(fits, "%s%s at %u", fits->length ? ", " : "", p->name, starts[0]);
		} else {
			gs_strbuf_printf(fits, "%s%s x%u", fits->length ? ", " : "", p->name, more);
		}
	}
}

/* "1g.10gb GI 11 idle, 1g.10gb* GI 12 bob": what the merged lane cannot show because something comes in its place. */
static void say_goes(const struct gs_model *m, const struct gs_gpu *gpu, enum gs_lane_kind kind, struct gs_strbuf *b)
{
	struct gs_block blocks[GS_GRID_UNITS_MAX];
	size_t n = gs_model_blocks(m, gpu->index, kind == GS_LANE_OF_NOW, blocks);

	for (size_t i = 0; i < n; i++) {
		const struct gs_block *k = &blocks[i];
		char who[64];

		if (kind != GS_LANE_OF_NOW && k->state == GS_UNIT_GONE)
			gs_strbuf_printf(b, "%s%s GI %u at %u (%s)", b->length ? ", " : "", k->instance->profile ? k->instance->profile : "?", k->instance->id, k->span.start,
					 gs_part_holders(gpu, k->instance, 12, who, sizeof(who)));
		if (kind == GS_LANE_OF_NOW && k->state == GS_UNIT_NEW)
			gs_strbuf_printf(b, "%s+%s NEW at %u", b->length ? ", " : "", k->want->profile, k->span.start);
	}
}

static void draw_tail(const struct gs_view *v, const struct gs_gpu *gpu, enum gs_lane_kind kind, bool two, int row)
{
	struct gs_rect r = v->geo.grid;
	GS_STRBUF struct gs_strbuf fits = GS_STRBUF_INIT, why = GS_STRBUF_INIT, goes = GS_STRBUF_INIT;
	GS_LINES struct gs_lines l = { 0 };
	bool changed = gs_part_is_changed(v->m, gpu->index);
	const char *lead = changed ? " fits after:  " : " fits now:    ";
	int room;

	r.row += row;
	r.rows -= row;
	if (r.rows <= 0)
		return;
	if (changed && !two)
		say_goes(v->m, gpu, kind, &goes);
	say_fits(v->m, gpu, &fits, &why);
	if (fits.failed || why.failed || goes.failed)
		return;
	if (goes.length)
		gs_lines_wrap(&l, -1, kind == GS_LANE_OF_NOW ? GS_ELEMENT_STAGED_NEW : GS_ELEMENT_STAGED_GONE,
			      kind == GS_LANE_OF_NOW ? " after:       " : " goes:        ", GS_ELEMENT_TEXT, goes.text, r.columns - 1, r.rows > 2 ? 2 : 1);
	if (fits.length || why.length)
		gs_lines_wrap(&l, -1, GS_ELEMENT_TITLE, lead, fits.length ? GS_ELEMENT_TEXT : GS_ELEMENT_DIM,
			      fits.length ? fits.text : "nothing more", r.columns - 1, r.rows > 2 ? 2 : 1);
	if (why.length)
		gs_lines_wrap(&l, -1, GS_ELEMENT_DIM, r.rows > 1 ? " does not fit: " : "   ", GS_ELEMENT_DIM, why.text, r.columns - 1,
			      r.rows > 2 ? (size_t)r.rows - 1 : 1);
	/* lines that do not find room are left away, without a mark: this is not a list to walk */
	for (int i = 0; i < r.rows && (size_t)i < l.n; i++) {
		gs_draw_fit(v->f, r, i, 0, r.columns, l.items[i].element, l.items[i].text);
		gs_draw_text(v->f, (struct gs_rect){ r.row + i, r.column, 1, l.items[i].lead }, 0, 0, l.items[i].lead_element, l.items[i].text);
	}
	/* one row only: the first that does not fit, if its reason has room in one piece */
	if (why.length)
		why.text[strcspn(why.text, ";")] = '\0';
	room = r.columns - 18 - gs_text_width(fits.length ? fits.text : "nothing more");
	if (r.rows == 1 && !goes.length && fits.length && why.length && room > gs_text_width(why.text))
		gs_draw_text(v->f, r, 0, r.columns - 1 - gs_text_width(why.text), GS_ELEMENT_DIM, why.text);
}

/* ---------------------------------------------------------------- all together */

static void draw_grid(const struct gs_view *v, const struct gs_gpu *gpu)
{
	const struct gs_model *m = v->m;
	bool changed = gs_part_is_changed(m, gpu->index), two = v->geo.two_lanes && changed;
	enum gs_lane_kind kind = GS_LANE_OF_NOW;
	struct gs_block now[GS_GRID_UNITS_MAX];
	struct gs_rect r = v->geo.grid;
	struct rows rows;

	if (changed && !two)
		kind = m->lane == GS_LANE_BOTH ? GS_LANE_MERGED : m->lane == GS_LANE_AFTER ? GS_LANE_OF_AFTER : GS_LANE_OF_NOW;
	/* not cut yet: there is only an after */
	if (!gs_model_blocks(m, gpu->index, false, now)) {
		kind = GS_LANE_OF_AFTER;
		two = false;
	}
	lay_out(r.rows, two, &rows);
	draw_title(v, gpu, kind, changed, two);
	draw_ruler(v, gpu->grids[GS_KIND_MIG].memory_units);
	gs_draw_text(v->f, r, 1, 0, GS_ELEMENT_DIM, "SM");
	gs_part_sm_row(v, gpu, kind, 1);
	gs_draw_text(v->f, r, rows.top + 1, 0, GS_ELEMENT_DIM, two || (changed && kind == GS_LANE_OF_NOW) ? "NOW" :
		     kind == GS_LANE_OF_AFTER ? "AFTER" : "memory");
	gs_part_lane(v, gpu, kind, rows.top, rows.body);
	if (two) {
		if (rows.sm_after >= 0) {
			gs_draw_text(v->f, r, rows.sm_after, 0, GS_ELEMENT_DIM, "SM");
			gs_part_sm_row(v, gpu, GS_LANE_OF_AFTER, rows.sm_after);
		}
		gs_draw_text(v->f, r, rows.top_after + 1, 0, GS_ELEMENT_STAGED_NEW, "AFTER");
		gs_part_lane(v, gpu, GS_LANE_OF_AFTER, rows.top_after, rows.body_after);
	}
	if (draw_ghost(v, gpu->grids[GS_KIND_MIG].memory_units, rows.tail))
		rows.tail++;
	draw_tail(v, gpu, kind, two, rows.tail);
}

void gs_view_grid(const struct gs_view *v)
{
	const struct gs_gpu *gpu = gs_model_gpu(v->m);
	struct gs_block b[GS_GRID_UNITS_MAX];

	if (gpu && !gpu->lost && (gs_model_blocks(v->m, gpu->index, false, b) || (v->m->n_staged && gs_model_blocks(v->m, gpu->index, true, b)))) {
		draw_grid(v, gpu);
		return;
	}
	if (gpu)
		draw_title(v, gpu, GS_LANE_OF_NOW, false, false);
	else
		gs_part_rule(v, v->geo.grid_title, 0, GS_ELEMENT_TITLE, v->m->snapshot ? "no GPU" : "GPU", NULL);
	gs_part_no_grid(v, gpu);
}
