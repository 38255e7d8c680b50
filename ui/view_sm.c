/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view_sm.c - the SM row of a grid. The driver tells a GPU instance's memory
 * units and how many SMs it has, not where those are; so slices are drawn under
 * the memory that owns them, and what memory cuts off from use shows as lost.
 */
#include <stdio.h>
#include <string.h>

#include "ui/view_parts.h"

/* Units under one compute slice; a unit behind the last slice has none. */
static uint32_t units_per_slice(const struct gs_profile_set *set)
{
	if (!set->compute_slices || set->memory_units < set->compute_slices)
		return 1;
	return set->memory_units / set->compute_slices;
}

static uint32_t units_with_slices(const struct gs_profile_set *set)
{
	uint32_t n = units_per_slice(set) * set->compute_slices;

	return n < set->memory_units ? n : set->memory_units;
}

struct run {
	uint32_t from, to;      /* units */
	enum gs_element element;
	uint32_t fill;          /* 0: nothing there */
	char label[32];
};

static void draw_run(const struct gs_view *v, uint32_t units, int row, const struct run *r)
{
	struct gs_rect g = v->geo.grid;
	int left = gs_unit_column(&v->geo, units, r->from) - g.column, right = gs_unit_column(&v->geo, units, r->to) - g.column;
	int room = right - left - 1, width = gs_text_width(r->label);

	if (r->from >= r->to)
		return;
	gs_draw_code(v->f, g, row, left, GS_ELEMENT_RULE, v->g->box_v);
	if (!r->fill) {
		gs_draw_fit(v->f, g, row, left + 1, room, r->element, r->label);
		return;
	}
	gs_draw_fill(v->f, g, row, left + 1, 1, room, r->element, r->fill);
	gs_draw_code(v->f, g, row, right, GS_ELEMENT_RULE, v->g->box_v);
	if (!width || width > room)
		return;
	if (width + 2 <= room)
		gs_draw_text(v->f, g, row, left + (room - width) / 2, r->element, " ");
	gs_draw_text(v->f, g, row, left + 1 + (room - width) / 2, r->element, r->label);
	if (width + 2 <= room)
		gs_draw_text(v->f, g, row, left + 1 + (room - width) / 2 + width, r->element, " ");
}

/* The slices of one instance, then what its memory covers beyond them. */
static void draw_instance(const struct gs_view *v, const struct gs_gpu *gpu, const struct gs_profile_set *set, const struct gs_block *b, int row)
{
	uint32_t per = units_per_slice(set), end = b->span.start + b->span.size, with = units_with_slices(set);
	uint32_t slices = b->profile ? b->profile->compute_slices : b->span.size;
	struct run used = { .from = b->span.start, .element = gs_part_block_element(gpu, b), .fill = v->g->sm };
	struct run lost = { .element = GS_ELEMENT_LOST, .fill = v->g->sm_lost, .label = "lost" };
	struct run none = { .element = GS_ELEMENT_DIM, .label = "no SM" };

	used.to = b->span.start + slices * per;
	used.to = used.to > end ? end : used.to > with ? with : used.to;
	if (b->in_the_way)
		used.fill = v->g->conflict;
	else if (b->state == GS_UNIT_GONE)
		used.fill = v->g->gone;
	if (b->profile && b->profile->sm_count.known) {
		int room = gs_unit_column(&v->geo, set->memory_units, used.to) - gs_unit_column(&v->geo, set->memory_units, used.from) - 1;

		snprintf(used.label, sizeof(used.label), "%u", b->profile->sm_count.value);
		if (gpu->sm_count.known && room >= 16)
			snprintf(used.label, sizeof(used.label), "%u of %u", b->profile->sm_count.value, gpu->sm_count.value);
	} else if (b->profile) {
		snprintf(used.label, sizeof(used.label), "%ug", b->profile->compute_slices);
	}
	lost.from = used.to;
	lost.to = end < with ? end : with;
	none.from = lost.to > used.to ? lost.to : used.to;
	none.to = end;
	draw_run(v, set->memory_units, row, &used);
	draw_run(v, set->memory_units, row, &lost);
	draw_run(v, set->memory_units, row, &none);
}

void gs_part_sm_row(const struct gs_view *v, const struct gs_gpu *gpu, enum gs_lane_kind kind, int row)
{
	const struct gs_profile_set *set = gs_part_set(v->m, gpu, kind);
	struct gs_block b[GS_GRID_UNITS_MAX];
	size_t n = gs_part_blocks(v->m, gpu->index, kind, b);
	uint32_t per = units_per_slice(set), with = units_with_slices(set);

	for (size_t i = 0; i < n; i++) {
		struct run r = { .from = b[i].span.start, .to = b[i].span.start + b[i].span.size };

		if (b[i].state != GS_UNIT_FREE && b[i].state != GS_UNIT_LOST) {
			draw_instance(v, gpu, set, &b[i], row);
			continue;
		}
		/* one run per slice, also where a slice is several units wide */
		while (b[i].state == GS_UNIT_FREE && i + 1 < n && b[i + 1].state == GS_UNIT_FREE && b[i + 1].span.start / per == r.from / per &&
		       r.to < with)
			r.to = b[++i].span.start + 1;
		r.element = b[i].state == GS_UNIT_FREE ? GS_ELEMENT_FREE : GS_ELEMENT_LOST;
		r.fill = b[i].state == GS_UNIT_FREE ? v->g->free : v->g->sm_lost;
		snprintf(r.label, sizeof(r.label), b[i].state == GS_UNIT_FREE ? "free" : "lost");
		if (r.to > with && r.from < with) {
			struct run rest = { .from = with, .to = r.to, .element = GS_ELEMENT_DIM, .label = "no SM" };

			r.to = with;
			draw_run(v, set->memory_units, row, &rest);
		} else if (r.from >= with) {
			r.fill = 0;
			r.element = GS_ELEMENT_DIM;
			snprintf(r.label, sizeof(r.label), "no SM");
		}
		draw_run(v, set->memory_units, row, &r);
	}
}
