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
	struct gs_ground ground = kind == GS_LANE_OF_NOW ? gs_model_ground(v->m, gpu, false) : gs_model_shown(v->m, gpu);
	const struct gs_layout_gpu *target = gs_model_target(v->m, gpu->index);
	const struct gs_profile_set *set = ground.set;
	struct gs_block now[GS_GRID_UNITS_MAX];
	const char *right = NULL;
	int columns = v->geo.grid_title.columns;
	char pci[GS_BDF_TEXT];

	gs_strbuf_printf(&b, "GPU %u", gpu->index);
	if (gpu->nvidia_index.known && gpu->nvidia_index.value != gpu->index)
		gs_strbuf_printf(&b, " (nvidia-smi %u)", gpu->nvidia_index.value);
	gs_strbuf_printf(&b, "  %s  %s", gs_part_pci(gpu->bdf, pci, sizeof(pci)), gpu->lost ? "LOST" : gs_part_mode_words(gpu, gpu->mode));
	if (!gpu->lost && target && v->m->n_staged && target->mode != GS_MODE_INVALID && target->mode != gpu->mode)
		gs_strbuf_printf(&b, " -> %s", gs_part_mode_words(gpu, target->mode));
	if (gpu->mode_pending != GS_MODE_INVALID && gpu->mode_pending != gpu->mode)
		gs_strbuf_printf(&b, ", %s waits%s", gs_mode_name(gpu->mode_pending), gpu->mode_needs_reset ? " for a reset" : "");
	if (gs_model_grid_changes(v->m, gpu) && gs_model_ground(v->m, gpu, false).grid != GS_KIND_INVALID)
		right = gs_model_shows_after(v->m, gpu) ? v->m->lane == GS_LANE_BOTH ? "AFTER  t: now" : "AFTER" : "NOW  t: after";
	else if (changed && !gs_model_blocks(v->m, gpu->index, false, now))
		right = "AFTER";
	else if (changed)
		right = two ? "t: now" : set->is_slots && kind == GS_LANE_MERGED ? "what is staged is in it" : lanes[kind];
	if (columns >= 100 && gpu->name)
		gs_strbuf_printf(&b, "  %s", gs_part_model(gpu->name));
	if (columns >= 90 && gpu->uuid)
		gs_strbuf_printf(&b, "  %.12s", gpu->uuid);
	if (ground.grid == GS_KIND_MIG && (gs_mode_has_mig(gpu->mode) || columns >= 120) && (columns >= 90 || !right))
		gs_strbuf_printf(&b, "  %u memory units, %u SM slices", set->memory_units, set->compute_slices);
	else if (ground.grid == GS_KIND_VGPU || ground.grid == GS_KIND_SRIOV)
		gs_strbuf_printf(&b, "  %u %s%s", set->memory_units, gpu->vfs.total.known ? "VFs" : "places for mdevs",
				 ground.grid == GS_KIND_VGPU && set->has_one_size ? ", one size for all" : ground.grid == GS_KIND_VGPU ? ", mixed sizes" : "");
	else if (ground.grid == GS_KIND_PARTITION)
		gs_strbuf_printf(&b, "  %u XCCs", set->memory_units);
	gs_part_rule(v, v->geo.grid_title, 0, GS_ELEMENT_TITLE, b.failed ? "GPU" : b.text, right);
}

/* ---------------------------------------------------------------- ruler and ghost */

static const struct gs_offer *current_offer(const struct gs_model *m)
{
	/* what would lie in a GI takes a VF, not a place of this grid */
	return is_choosing(m) && !m->offers_inside && m->offer < m->n_offers ? &m->offers[m->offer] : NULL;
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
	const struct gs_profile_set *set = gs_model_creation(m, gpu).set;
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
			gs_part_why_not(gpu, set, placed, n, p, reason, sizeof(reason));
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
	size_t n = gs_model_grid_changes(m, gpu) ? 0 : gs_model_blocks(m, gpu->index, kind == GS_LANE_OF_NOW, blocks);

	for (size_t i = 0; i < n; i++) {
		const struct gs_block *k = &blocks[i];
		char who[64];

		if (kind != GS_LANE_OF_NOW && k->state == GS_UNIT_GONE && k->instance->kind == GS_KIND_MIG)
			gs_strbuf_printf(b, "%s%s GI %u at %u (%s)", b->length ? ", " : "", k->instance->profile ? k->instance->profile : "?", k->instance->id, k->span.start,
					 gs_part_holders(gpu, k->instance, 12, who, sizeof(who)));
		if (kind == GS_LANE_OF_NOW && k->state == GS_UNIT_NEW && k->want)
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

/* What the GPU is set to: "compute-partition CPX   memory-partition NPS1, NPS4 pending: driver reload". */
static void say_settings(const struct gs_model *m, const struct gs_gpu *gpu, struct gs_strbuf *b)
{
	for (size_t i = 0; i < gpu->n_settings; i++) {
		const struct gs_setting *s = gpu->settings[i];
		const char *wanted = gs_model_setting_wanted(m, gpu->index, s), *soon = s->pending ? s->pending : s->value;

		gs_strbuf_printf(b, "%s%s %s", i ? "   " : "", s->key, s->value ? s->value : "?");
		if (s->pending)
			gs_strbuf_printf(b, ", %s pending: driver reload", s->pending);
		if (wanted && soon && strcmp(wanted, soon) != 0)
			gs_strbuf_printf(b, ", +%s staged", wanted);
	}
}

/* The memory row of a GPU that is cut into partitions: how it is interleaved, and what waits. */
static void draw_stacks(const struct gs_view *v, const struct gs_gpu *gpu, uint32_t units)
{
	const struct gs_setting *s = gs_gpu_setting(gpu, GS_SETTING_MEMORY_PARTITION);
	struct gs_rect r = v->geo.grid;
	int left = gs_unit_column(&v->geo, units, 0) - r.column, room = gs_unit_column(&v->geo, units, units) - r.column - left - 1;
	char text[96], gib[16];

	gs_draw_text(v->f, r, 1, 0, GS_ELEMENT_DIM, "memory");
	gs_draw_code(v->f, r, 1, left, GS_ELEMENT_RULE, v->g->box_v);
	gs_draw_fill(v->f, r, 1, left + 1, 1, room, GS_ELEMENT_LIVE, v->g->sm);
	gs_draw_code(v->f, r, 1, left + 1 + room, GS_ELEMENT_RULE, v->g->box_v);
	snprintf(text, sizeof(text), " %s%s%s%s%s ", gpu->memory_bytes.known ? gs_part_gib(gpu->memory_bytes, gib, sizeof(gib)) : "",
		 gpu->memory_bytes.known ? " GiB  " : "", s && s->value ? s->value : "",
		 s && s->pending ? ", pending: " : "", s && s->pending ? s->pending : "");
	if (gs_text_width(text) < room)
		gs_draw_text(v->f, r, 1, left + 1 + (room - gs_text_width(text)) / 2, s && s->pending ? GS_ELEMENT_WAITING : GS_ELEMENT_LIVE, text);
}

static void draw_partition_tail(const struct gs_view *v, const struct gs_gpu *gpu, int row)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	GS_LINES struct gs_lines l = { 0 };
	struct gs_rect r = v->geo.grid;
	char who[160];

	r.row += row;
	r.rows -= row;
	if (r.rows <= 0)
		return;
	say_settings(v->m, gpu, &b);
	if (b.length && !b.failed)
		gs_lines_wrap(&l, -1, GS_ELEMENT_TITLE, " set to:      ", GS_ELEMENT_TEXT, b.text, r.columns - 1, r.rows > 2 ? 2 : 1);
	gs_part_who(gpu, r.columns - 16, who, sizeof(who));
	gs_lines_wrap(&l, -1, GS_ELEMENT_TITLE, " who:         ", GS_ELEMENT_HOLDER, who, r.columns - 1, 1);
	for (int i = 0; i < r.rows && (size_t)i < l.n; i++) {
		gs_draw_fit(v->f, r, i, 0, r.columns, l.items[i].element, l.items[i].text);
		gs_draw_text(v->f, (struct gs_rect){ r.row + i, r.column, 1, l.items[i].lead }, 0, 0, l.items[i].lead_element, l.items[i].text);
	}
}

static void draw_grid(const struct gs_view *v, const struct gs_gpu *gpu)
{
	const struct gs_model *m = v->m;
	bool changed = gs_part_is_changed(m, gpu->index), mode_changes = gs_model_grid_changes(m, gpu), is_mig;
	bool two = v->geo.two_lanes && changed && !mode_changes;
	enum gs_lane_kind kind = GS_LANE_OF_NOW;
	struct gs_block now[GS_GRID_UNITS_MAX];
	struct gs_rect r = v->geo.grid;
	const struct gs_profile_set *set;
	struct rows rows;

	if (changed && !two)
		kind = m->lane == GS_LANE_BOTH ? GS_LANE_MERGED : m->lane == GS_LANE_AFTER ? GS_LANE_OF_AFTER : GS_LANE_OF_NOW;
	/* of two grids only one can be shown; and what is not cut yet has only an after */
	if (mode_changes)
		kind = gs_model_shows_after(m, gpu) ? GS_LANE_OF_AFTER : GS_LANE_OF_NOW;
	if (!gs_model_blocks(m, gpu->index, false, now)) {
		kind = GS_LANE_OF_AFTER;
		two = false;
	}
	set = gs_part_set(m, gpu, kind);
	is_mig = (kind == GS_LANE_OF_NOW ? gs_model_ground(m, gpu, false) : gs_model_shown(m, gpu)).grid == GS_KIND_MIG;
	if (set->is_slots) {
		/* cells are too small for two lanes: what goes and what comes is marked in one */
		if (two)
			kind = GS_LANE_MERGED;
		draw_title(v, gpu, kind, changed, false);
		gs_part_slots(v, gpu, kind);
		return;
	}
	lay_out(r.rows, two, &rows);
	draw_title(v, gpu, kind, changed, two);
	draw_ruler(v, set->memory_units);
	if (is_mig) {
		gs_draw_text(v->f, r, 1, 0, GS_ELEMENT_DIM, "SM");
		gs_part_sm_row(v, gpu, kind, 1);
	} else {
		draw_stacks(v, gpu, set->memory_units);
	}
	gs_draw_text(v->f, r, rows.top + 1, 0, GS_ELEMENT_DIM, two || (changed && kind == GS_LANE_OF_NOW) ? "NOW" :
		     kind == GS_LANE_OF_AFTER ? "AFTER" : is_mig ? "memory" : "XCCs");
	gs_part_lane(v, gpu, kind, rows.top, rows.body);
	if (two) {
		if (rows.sm_after >= 0 && is_mig) {
			gs_draw_text(v->f, r, rows.sm_after, 0, GS_ELEMENT_DIM, "SM");
			gs_part_sm_row(v, gpu, GS_LANE_OF_AFTER, rows.sm_after);
		}
		gs_draw_text(v->f, r, rows.top_after + 1, 0, GS_ELEMENT_STAGED_NEW, "AFTER");
		gs_part_lane(v, gpu, GS_LANE_OF_AFTER, rows.top_after, rows.body_after);
	}
	if (!is_mig) {
		draw_partition_tail(v, gpu, rows.tail);
		return;
	}
	if (draw_ghost(v, set->memory_units, rows.tail))
		rows.tail++;
	draw_tail(v, gpu, kind, two, rows.tail);
}

/* Writes that wait and GPUs left without a driver: on the last line of the grid, whatever else is there. */
static void draw_trouble(const struct gs_view *v, const struct gs_gpu *gpu)
{
	struct gs_rect r = v->geo.grid, last = { r.row + r.rows - 1, r.column, 1, r.columns };
	enum gs_element el = gpu->n_writes ? GS_ELEMENT_WAITING : GS_ELEMENT_ERROR;
	char text[400];

	if (!gs_part_trouble(v->m, gpu, text, sizeof(text)))
		return;
	gs_draw_fill(v->f, last, 0, 0, 1, last.columns, el, ' ');
	gs_draw_text(v->f, last, 0, 1, el, gpu->n_writes ? "WAIT" : "!");
	gs_draw_fit(v->f, last, 0, gpu->n_writes ? 6 : 3, last.columns - 7, el, text);
}

void gs_view_grid(const struct gs_view *v)
{
	const struct gs_gpu *gpu = gs_model_gpu(v->m);
	struct gs_block b[GS_GRID_UNITS_MAX];

	if (gpu && !gpu->lost && (gs_model_blocks(v->m, gpu->index, false, b) || (v->m->n_staged && gs_model_blocks(v->m, gpu->index, true, b)))) {
		draw_grid(v, gpu);
		draw_trouble(v, gpu);
		return;
	}
	if (gpu)
		draw_title(v, gpu, GS_LANE_OF_NOW, false, false);
	else
		gs_part_rule(v, v->geo.grid_title, 0, GS_ELEMENT_TITLE, v->m->snapshot ? "no GPU" : "GPU", NULL);
	gs_part_no_grid(v, gpu);
	if (gpu && gpu->n_writes)
		draw_trouble(v, gpu);
}
