/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view_lane.c - the boxes of one lane: borders say the state, width says the memory. */
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "ui/view_parts.h"

size_t gs_part_blocks(const struct gs_model *m, uint32_t gpu, enum gs_lane_kind kind, struct gs_block *ret)
{
	size_t n = kind == GS_LANE_MERGED ? gs_part_blocks_merged(m, gpu, ret) : gs_model_blocks(m, gpu, kind == GS_LANE_OF_AFTER, ret);
	size_t out = 0;

	/* what is lost is lost together; a free unit can be chosen alone */
	for (size_t i = 0; i < n; i++) {
		if (out && ret[i].state == GS_UNIT_LOST && ret[out - 1].state == GS_UNIT_LOST)
			ret[out - 1].span.size += ret[i].span.size;
		else
			ret[out++] = ret[i];
	}
	return out;
}

/* ---------------------------------------------------------------- what is in a block */

#define ITEMS_MAX 10

struct item {
	char text[160];
	enum gs_element element;
	bool begins_line;
	bool is_optional;       /* only where there is room on the line */
	const struct gs_telemetry *meter;
};

struct items {
	struct item items[ITEMS_MAX];
	size_t n;
	int width, lines;
	enum gs_element element;
};

static struct item *add(struct items *l, const char *text)
{
	struct item *it = &l->items[l->n < ITEMS_MAX - 1 ? l->n++ : ITEMS_MAX - 1];

	*it = (struct item){ .element = l->element };
	snprintf(it->text, sizeof(it->text), "%s", text);
	return it;
}

/* The profile with its signs, in @width columns; the signs are never cut, the name is. */
static void tag(const char *sign, const char *profile, char mark, int width, char *buf, size_t size)
{
	int keep = (int)strlen(profile);
	const char *dot = strchr(profile, '.');
	char end[3] = { 0 };

	if (mark)
		snprintf(end, sizeof(end), "%s%c", width >= 12 ? " " : "", mark);
	while (keep > 2 && (int)strlen(sign) + keep + (int)strlen(end) > width) {
		keep--;
		/* "3g." and "3g.4" would both mislead */
		if (dot && keep > dot - profile && keep < dot - profile + 3)
			keep = (int)(dot - profile);
	}
	snprintf(buf, size, "%s%.*s%s", sign, keep, profile, end);
}

static const char *profile_of(const struct gs_block *b)
{
	const char *name = b->profile ? b->profile->name : b->instance ? b->instance->profile : b->want ? b->want->profile : NULL;

	return name ? name : "?";
}

/* "vGPU 24Q x2 +1": what lies, or will lie, in a GI. */
static void describe_vgpus(const struct gs_view *v, const struct gs_gpu *gpu, const struct gs_block *b, struct items *l)
{
	const struct gs_layout_gpu *target = gs_model_target(v->m, gpu->index);
	const char *type = NULL;
	size_t here = 0, more = 0;
	char text[64], added[24] = "";

	for (size_t i = 0; b->instance && b->instance->kind == GS_KIND_MIG && i < gpu->n_instances; i++) {
		const struct gs_instance *inst = gpu->instances[i];

		if (inst->kind != GS_KIND_VGPU || !gs_u32_is(inst->gi, b->instance->id))
			continue;
		here++;
		type = inst->profile;
	}
	for (size_t i = 0; target && v->m->n_staged && i < target->n_wants; i++) {
		const struct gs_want *w = &target->wants[i];

		if (w->kind != GS_KIND_VGPU || !gs_u32_is(w->on_start, b->span.start) || w->instance_id.known)
			continue;
		more++;
		type = type ? type : w->profile;
	}
	if (!type)
		return;
	if (more)
		snprintf(added, sizeof(added), " +%zu", more);
	snprintf(text, sizeof(text), "vGPU %s x%zu%s", gs_model_short_type(type), here, added);
	add(l, text)->is_optional = l->lines < 3;
}

static void describe_live(const struct gs_view *v, const struct gs_gpu *gpu, const struct gs_block *b, enum gs_lane_kind kind, struct items *l)
{
	const struct gs_instance *inst = b->instance;
	bool goes = b->state == GS_UNIT_GONE, is_after = kind == GS_LANE_OF_AFTER && gs_part_is_changed(v->m, gpu->index);
	char text[160], mark = gs_part_mark(gpu, inst);
	struct item *it;

	tag(goes ? "-" : "", profile_of(b), mark, l->width, text, sizeof(text));
	add(l, text);
	if (inst->kind == GS_KIND_PARTITION)
		snprintf(text, sizeof(text), l->width < 13 ? "part %u" : "partition %u", inst->id);
	else
		snprintf(text, sizeof(text), "GI %u", inst->id);
	add(l, text)->is_optional = l->lines < 3;
	if (is_after) {
		add(l, l->width < 44 ? "kept" : "kept: same id, same UUID")->is_optional = l->lines < 3;
	} else if (inst->uuid) {
		snprintf(text, sizeof(text), "%.12s", inst->uuid);
		add(l, text)->is_optional = true;
	}
	if (inst->kind == GS_KIND_MIG && inst->n_compute != 1) {
		snprintf(text, sizeof(text), inst->n_compute ? "%zu CIs" : "no CI", inst->n_compute);
		add(l, text)->is_optional = l->lines < 4;
	}
	describe_vgpus(v, gpu, b, l);
	if (is_after && mark == '*' && l->width >= 30) {
		char who[96];

		snprintf(text, sizeof(text), "%s: keeps running", gs_part_holders(gpu, inst, 1, who, sizeof(who)));
	} else {
		gs_part_holders(gpu, inst, l->width, text, sizeof(text));
	}
	/* who has a GPU of partitions open is not told apart by partition */
	if (inst->kind == GS_KIND_PARTITION && !mark)
		return;
	it = add(l, text);
	it->begins_line = true;
	if (mark == '*' && !goes && !b->in_the_way)
		it->element = GS_ELEMENT_HOLDER;
	if (is_after)
		return;
	if (inst->telemetry.memory_used_bytes.known && inst->telemetry.memory_total_bytes.known) {
		it = add(l, "");
		it->begins_line = true;
		it->meter = &inst->telemetry;
	} else if (b->profile && b->profile->memory_bytes.known) {
		char gib[16];

		snprintf(text, sizeof(text), "%s GiB", gs_part_gib(b->profile->memory_bytes, gib, sizeof(gib)));
		add(l, text)->begins_line = true;
	}
}

/* "in place of GI 11, 12" */
static void describe_replaced(const struct gs_view *v, const struct gs_gpu *gpu, const struct gs_block *b, struct items *l)
{
	struct gs_block now[GS_GRID_UNITS_MAX];
	size_t n = gs_model_blocks(v->m, gpu->index, false, now), found = 0;
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT;

	for (size_t i = 0; i < n; i++) {
		if (now[i].state == GS_UNIT_GONE && now[i].instance->kind == GS_KIND_MIG && gs_span_overlaps(now[i].span, b->span))
			gs_strbuf_printf(&text, "%s%u", found++ ? ", " : l->width < 22 ? "for GI " : "in place of GI ", now[i].instance->id);
	}
	if (found && !text.failed)
		add(l, text.text)->begins_line = true;
}

static void describe_new(const struct gs_view *v, const struct gs_gpu *gpu, const struct gs_block *b, struct items *l)
{
	char text[160], gib[16];

	tag("+", profile_of(b), 0, l->width, text, sizeof(text));
	add(l, text);
	add(l, "NEW");
	if (b->profile && b->profile->sm_count.known) {
		snprintf(text, sizeof(text), "%u SM", b->profile->sm_count.value);
		add(l, text);
	}
	describe_vgpus(v, gpu, b, l);
	describe_replaced(v, gpu, b, l);
	if (b->profile && b->profile->memory_bytes.known) {
		snprintf(text, sizeof(text), "%s GiB", gs_part_gib(b->profile->memory_bytes, gib, sizeof(gib)));
		add(l, text)->begins_line = l->width < 22;
	}
}

static void describe(const struct gs_view *v, const struct gs_gpu *gpu, const struct gs_block *b, enum gs_lane_kind kind, struct items *l)
{
	char text[32], gib[16];

	switch (b->state) {
	case GS_UNIT_FREE:
		gs_part_gib(gs_part_unit_bytes(gpu, gs_part_set(v->m, gpu, kind)), gib, sizeof(gib));
		snprintf(text, sizeof(text), " %s GiB", gib);
		if (gs_text_width(text) > l->width)
			snprintf(text, sizeof(text), "%s%sG", l->width < 8 ? "" : " ", gib);
		add(l, l->width < 8 ? "free" : " free");
		add(l, text)->begins_line = true;
		break;
	case GS_UNIT_LOST:
		add(l, "~lost~");
		add(l, l->width < 21 ? "no start" : "no profile reaches it")->begins_line = true;
		break;
	case GS_UNIT_NEW:
		describe_new(v, gpu, b, l);
		break;
	case GS_UNIT_GONE:
	case GS_UNIT_INSTANCE:
		describe_live(v, gpu, b, kind, l);
		break;
	}
}

static void draw_memory(const struct gs_view *v, struct gs_rect r, int row, const struct item *it)
{
	const struct gs_telemetry *t = it->meter;
	char used[16], total[16], text[64], sm[16] = "";
	int n, room;

	gs_part_gib(t->memory_used_bytes, used, sizeof(used));
	gs_part_gib(t->memory_total_bytes, total, sizeof(total));
	if (t->utilization_percent.known)
		snprintf(sm, sizeof(sm), "  SM %u%%", t->utilization_percent.value);
	if (r.columns < 10) {
		gs_draw_printf(v->f, r, row, 0, it->element, "%.0f/%.0fG", (double)t->memory_used_bytes.value / (1u << 30),
			       (double)t->memory_total_bytes.value / (1u << 30));
		return;
	}
	n = snprintf(text, sizeof(text), "%s/%s%s%s", used, total, r.columns < 30 ? "" : " GiB", r.columns < 34 ? "" : sm);
	room = r.columns - n - 1;
	if (room < 6) {
		gs_draw_text(v->f, r, row, 0, it->element, text);
		return;
	}
	if (room > 40)
		room = 40;
	gs_part_meter(v, r, row, 0, room, it->element, t->memory_used_bytes.value, t->memory_total_bytes.value);
	gs_draw_text(v->f, r, row, room + 1, it->element, text);
}

static void draw_items(const struct gs_view *v, struct gs_rect r, const struct items *l)
{
	int row = 0, at = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct item *it = &l->items[i];
		int width = it->meter ? r.columns : gs_text_width(it->text), gap = at ? 2 : 0;

		if (at && (it->begins_line || at + gap + width > r.columns)) {
			if (it->is_optional && !it->begins_line)
				continue;
			row++;
			at = gap = 0;
		}
		if (row >= r.rows)
			return;
		if (it->meter)
			draw_memory(v, r, row, it);
		else
			gs_draw_fit(v->f, r, row, at + gap, r.columns - at - gap, it->element, it->text);
		at += gap + width;
	}
}

/* ---------------------------------------------------------------- borders */

enum rank { RANK_NONE, RANK_FREE, RANK_LOST, RANK_LIVE, RANK_GONE, RANK_NEW, RANK_CONFLICT };

struct border {
	enum rank rank;
	uint32_t h, v, left[2], right[2], tee[2];       /* corners: top, bottom */
	enum gs_element element;
};

static struct border border_of(const struct gs_view *v, const struct gs_gpu *gpu, const struct gs_block *b)
{
	const struct gs_glyphs *g = v->g;
	struct border o = { .element = gs_part_block_element(gpu, b) };
	uint32_t all = 0;

	if (b->in_the_way) {
		o.rank = RANK_CONFLICT;
		all = g->conflict;
	} else if (b->state == GS_UNIT_FREE) {
		o.rank = RANK_FREE;
		all = g->dot;
	} else if (b->state == GS_UNIT_LOST) {
		o.rank = RANK_LOST;
		all = g->lost;
	} else if (b->state == GS_UNIT_GONE) {
		o.rank = RANK_GONE;
		all = g->gone;
	}
	if (all) {
		o.h = b->state == GS_UNIT_FREE ? ' ' : all;
		o.v = o.left[0] = o.left[1] = o.right[0] = o.right[1] = o.tee[0] = o.tee[1] = all;
	} else if (b->state == GS_UNIT_NEW) {
		o = (struct border){ RANK_NEW, g->new_h, g->new_v, { g->new_tl, g->new_bl }, { g->new_tr, g->new_br },
				     { g->is_ascii ? g->new_tl : 0x2566, g->is_ascii ? g->new_bl : 0x2569 }, o.element };
	} else {
		o = (struct border){ RANK_LIVE, g->box_h, g->box_v, { g->box_tl, g->box_bl }, { g->box_tr, g->box_br },
				     { g->is_ascii ? g->box_tl : 0x252c, g->is_ascii ? g->box_bl : 0x2534 }, o.element };
	}
	return o;
}

/* Neighbours share a border; the stronger state draws it. */
static void draw_edge(const struct gs_view *v, int column, int top, int body, const struct border *left, const struct border *right)
{
	const struct border *b = right->rank >= left->rank ? right : left;
	const uint32_t *corner = left->rank == right->rank ? b->tee : b == right ? b->left : b->right;
	struct gs_rect r = v->geo.grid;

	if (b->rank == RANK_NONE)
		return;
	gs_draw_code(v->f, r, top, column, b->element, corner[0]);
	gs_draw_fill(v->f, r, top + 1, column, body, 1, b->element, b->v);
	gs_draw_code(v->f, r, top + 1 + body, column, b->element, corner[1]);
}

void gs_part_lane(const struct gs_view *v, const struct gs_gpu *gpu, enum gs_lane_kind kind, int top, int body)
{
	struct gs_block b[GS_GRID_UNITS_MAX];
	size_t n = gs_part_blocks(v->m, gpu->index, kind, b);
	uint32_t units = gs_part_set(v->m, gpu, kind)->memory_units;
	struct gs_rect r = v->geo.grid;
	struct border before = { .rank = RANK_NONE };

	for (size_t i = 0; i < n; i++) {
		int left = gs_unit_column(&v->geo, units, b[i].span.start), right = gs_unit_column(&v->geo, units, b[i].span.start + b[i].span.size);
		struct gs_rect inside = { r.row + top + 1, left + 1, body, right - left - 1 };
		struct border border = border_of(v, gpu, &b[i]);
		struct items items = { .n = 0, .width = inside.columns, .lines = body, .element = border.element };

		gs_draw_fill(v->f, r, top, left - r.column, 1, right - left, border.element, border.h);
		gs_draw_fill(v->f, r, top + 1 + body, left - r.column, 1, right - left, border.element, border.h);
		draw_edge(v, left - r.column, top, body, &before, &border);
		/* its look has a background: the gaps between the words have it too */
		if (b[i].in_the_way)
			gs_draw_fill(v->f, inside, 0, 0, inside.rows, inside.columns, border.element, ' ');
		describe(v, gpu, &b[i], kind, &items);
		draw_items(v, inside, &items);
		if (v->m->focus == GS_FOCUS_GRID && v->m->layer == GS_LAYER_NONE && v->m->unit >= b[i].span.start &&
		    v->m->unit < b[i].span.start + b[i].span.size)
			gs_draw_flag(v->f, inside, 0, 0, 1, inside.columns, GS_CELL_CURSOR);
		before = border;
	}
	if (n)
		draw_edge(v, gs_unit_column(&v->geo, units, units) - r.column, top, body, &before, &(struct border){ .rank = RANK_NONE });
}
