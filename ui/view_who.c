/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view_who.c - who uses a GPU, an instance or a VF, and whether they would mind an operation. */
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "ui/view_parts.h"

#define WHO_FRAME 2
#define UNIT_MAX 40     /* columns; names of units can be long */

struct people {
	struct gs_arena *arena;
	struct gs_who_entry *entries;
	size_t n, n_here;
};

static void people_done(struct people *p)
{
	gs_arena_free(p->arena);
}

static void find(const struct gs_model *m, struct people *ret)
{
	*ret = (struct people){ .arena = gs_arena_new() };
	if (!ret->arena || gs_model_who(m, ret->arena, &ret->entries, &ret->n, &ret->n_here) < 0)
		ret->n = ret->n_here = 0;
}

/* What could not be looked at, and what stays hidden: at the bottom. */
static int foot_rows(const struct gs_model *m)
{
	int rows = 1;

	if (gs_model_gpu(m) && gs_model_gpu(m)->n_events)
		rows++;
	if (gs_model_gpu(m) && !gs_model_gpu(m)->holders_visible)
		rows++;
	for (size_t i = 0; m->snapshot && i < gs_snapshot_n_sources(m->snapshot); i++)
		if (!gs_snapshot_source_at(m->snapshot, i)->is_present)
			return rows + 2;
	return rows;
}

static size_t top_of(const struct gs_model *m, const struct gs_geometry *geo, size_t n)
{
	return gs_part_scrolled(m->list_top, m->list_row, n, geo->layer.rows - WHO_FRAME - foot_rows(m));
}

size_t gs_view_who_top(const struct gs_model *m, const struct gs_geometry *geo)
{
	GS_CLEANUP(people_done) struct people p;

	find(m, &p);
	return top_of(m, geo, p.n);
}

bool gs_view_who_at(const struct gs_model *m, const struct gs_geometry *geo, int row, size_t *ret_item)
{
	GS_CLEANUP(people_done) struct people p;
	size_t at;

	find(m, &p);
	if (row < WHO_FRAME || row >= geo->layer.rows - foot_rows(m))
		return false;
	at = top_of(m, geo, p.n) + (size_t)(row - WHO_FRAME);
	if (at >= p.n)
		return false;
	*ret_item = at;
	return true;
}

static void name_place(const struct gs_who_place *place, char *buf, size_t size)
{
	const struct gs_instance *inst = place->instance;

	if (place->vf)
		snprintf(buf, size, "VF %u", place->vf->n);
	else if (!inst)
		snprintf(buf, size, "whole GPU");
	else if (inst->kind == GS_KIND_MIG && inst->start.known)
		snprintf(buf, size, "GI %u at %u", inst->id, inst->start.value);
	else if (inst->kind == GS_KIND_MIG)
		snprintf(buf, size, "GI %u", inst->id);
	else if (inst->vf.known)
		snprintf(buf, size, "VF %u", inst->vf.value);
	else
		snprintf(buf, size, "%s %u", inst->kind == GS_KIND_VGPU ? "mdev" : gs_instance_kind_name(inst->kind), inst->id);
}

static enum gs_element verdict_element(enum gs_who_verdict v)
{
	switch (v) {
	case GS_WHO_VERDICT_YES:
		return GS_ELEMENT_STOPS;
	case GS_WHO_VERDICT_CLAIM:
	case GS_WHO_VERDICT_HIDDEN:
	case GS_WHO_VERDICT_MAYBE:
		return GS_ELEMENT_CONFIRM;
	default:
		return GS_ELEMENT_DIM;
	}
}

/* Where the units begin: they take what the longest needs, at the right edge, and the reasons all that is left. 0: no room for them. */
static int unit_column(const struct gs_rect *r, const struct people *p)
{
	int width = 0;

	for (size_t i = 0; i < p->n; i++) {
		int n = p->entries[i].holder && p->entries[i].holder->unit ? gs_text_width(p->entries[i].holder->unit) : 0;

		width = n > width ? n : width;
	}
	width = width > UNIT_MAX ? UNIT_MAX : width;
	return r->columns >= 140 && width ? r->columns - width - 1 : 0;
}

static void draw_entry(const struct gs_view *v, int row, int unit, const struct gs_who_entry *entry, bool is_chosen, bool is_here)
{
	struct gs_rect r = v->geo.layer;
	enum gs_element el = is_chosen ? GS_ELEMENT_SELECTED : verdict_element(entry->verdict) == GS_ELEMENT_DIM ? GS_ELEMENT_DIM : GS_ELEMENT_TEXT;
	const struct gs_holder *h = entry->holder;
	char where[64], pid[16] = "", text[320], gib[16] = "";

	if (is_chosen)
		gs_draw_fill(v->f, r, row, 0, 1, r.columns, el, ' ');
	gs_draw_printf(v->f, r, row, 0, el, "%c%c", is_chosen ? '>' : ' ', is_here ? '.' : ' ');
	gs_draw_fit(v->f, r, row, 3, 6, is_chosen ? el : verdict_element(entry->verdict), gs_who_verdict_name(entry->verdict));
	name_place(&entry->place, where, sizeof(where));
	if (!h)
		snprintf(where, sizeof(where), "anywhere");
	gs_draw_fit(v->f, r, row, 10, 11, el, where);
	if (!h) {
		gs_draw_fit(v->f, r, row, 22, r.columns - 22, el, entry->reason);
		return;
	}
	if (h->pid.known)
		snprintf(pid, sizeof(pid), " %u", h->pid.value);
	snprintf(text, sizeof(text), "%s %s%s%s%s%s", gs_holder_kind_name(h->kind), h->name ? h->name : "?", pid, h->user ? " (" : "", h->user ? h->user : "",
		 h->user ? ")" : "");
	gs_draw_fit(v->f, r, row, 22, 33, el, text);
	if (h->used_memory_bytes.known)
		gs_draw_printf(v->f, r, row, 56, el, "%5s", gs_part_gib(h->used_memory_bytes, gib, sizeof(gib)));
	gs_draw_fit(v->f, r, row, 62, (unit ? unit - 2 : r.columns) - 62, is_chosen ? el : GS_ELEMENT_DIM, entry->reason ? entry->reason : "");
	if (unit && h->unit)
		gs_draw_fit(v->f, r, row, unit, r.columns - unit, is_chosen ? el : GS_ELEMENT_DIM, h->unit);
	if (is_chosen)
		gs_draw_flag(v->f, r, row, 0, 1, r.columns, GS_CELL_CURSOR);
}

static void draw_foot(const struct gs_view *v, const struct gs_gpu *gpu, const struct gs_who_entry *chosen)
{
	const struct gs_model *m = v->m;
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	GS_LINES struct gs_lines l = { 0 };
	struct gs_rect r = v->geo.layer, foot = { r.row + r.rows - foot_rows(m), r.column, foot_rows(m), r.columns };
	size_t n = 0;

	/* the chosen one in full: the row is cut at this width */
	if (chosen && chosen->holder) {
		const struct gs_holder *h = chosen->holder;
		char label[200];

		gs_strbuf_printf(&b, "%s %s", gs_holder_label(h, label, sizeof(label)), chosen->reason ? chosen->reason : "");
		if (h->unit && !strstr(b.text, h->unit))
			gs_strbuf_printf(&b, "; unit %s", h->unit);
		if (h->evidence)
			gs_strbuf_printf(&b, "; seen by %s", h->evidence);
		if (!b.failed)
			gs_lines_wrap(&l, -1, GS_ELEMENT_TITLE, " ", GS_ELEMENT_TEXT, b.text, r.columns - 1, 1);
	} else {
		gs_lines_add(&l, -1, GS_ELEMENT_TEXT, "%s", "");
	}
	if (gpu->n_events) {
		char text[320];

		gs_lines_wrap(&l, -1, GS_ELEMENT_CONFIRM, " kernel log:  ", GS_ELEMENT_TEXT, gs_gpu_event_label(gpu->events[gpu->n_events - 1], text, sizeof(text)), r.columns - 1, 1);
	}
	if (!gpu->holders_visible)
		gs_lines_wrap(&l, -1, GS_ELEMENT_CONFIRM, " ", GS_ELEMENT_CONFIRM,
			      m->read_only ? "Processes of other users cannot be seen: \"free\" is not proven."
					   : "Processes of other users cannot be seen: \"free\" is not proven.   !: ask for root (sudo)", r.columns - 1, 1);
	gs_strbuf_done(&b);
	b = (struct gs_strbuf)GS_STRBUF_INIT;
	for (size_t i = 0; i < gs_snapshot_n_sources(m->snapshot); i++) {
		const struct gs_source *s = gs_snapshot_source_at(m->snapshot, i);

		if (!s->is_present)
			gs_strbuf_printf(&b, "%s%s%s%s%s", n++ ? ", " : "", s->name, s->text ? " (" : "", s->text ? s->text : "", s->text ? ")" : "");
	}
	if (n && !b.failed)
		gs_lines_wrap(&l, -1, GS_ELEMENT_NOTE, " not asked:  ", GS_ELEMENT_DIM, b.text, r.columns - 1, 2);
	for (int i = 0; i < foot.rows && (size_t)i < l.n; i++) {
		gs_draw_fit(v->f, foot, i, 0, foot.columns, l.items[i].element, l.items[i].text);
		gs_draw_text(v->f, (struct gs_rect){ foot.row + i, foot.column, 1, l.items[i].lead }, 0, 0, l.items[i].lead_element, l.items[i].text);
	}
}

static void draw_title(const struct gs_view *v, const struct gs_gpu *gpu)
{
	const struct gs_model *m = v->m;
	char text[160], label[64], right[64];
	int at;

	at = snprintf(text, sizeof(text), "WHO HOLDS %s", gs_gpu_label(gpu, label, sizeof(label)));
	if (m->who_here && m->who_vf.known)
		snprintf(text + at, sizeof(text) - (size_t)at, ", first VF %u", m->who_vf.value);
	else if (m->who_here)
		snprintf(text + at, sizeof(text) - (size_t)at, ", first %s %u", m->who_kind == GS_KIND_MIG ? "GI" : "instance", m->who_id);
	snprintf(right, sizeof(right), "asked for: %s", gs_who_op_name(m->who_op));
	gs_part_rule(v, v->geo.layer, 0, GS_ELEMENT_TITLE, text, right);
}

void gs_view_who(const struct gs_view *v)
{
	const struct gs_gpu *gpu = gs_model_gpu(v->m);
	GS_CLEANUP(people_done) struct people p;
	struct gs_rect r = v->geo.layer;
	size_t top;
	int unit;

	gs_draw_fill(v->f, r, 0, 0, r.rows, r.columns, GS_ELEMENT_TEXT, ' ');
	find(v->m, &p);
	if (!gpu) {
		gs_part_rule(v, r, 0, GS_ELEMENT_TITLE, "WHO", NULL);
		return;
	}
	top = top_of(v->m, &v->geo, p.n);
	draw_title(v, gpu);
	gs_draw_text(v->f, r, 1, 3, GS_ELEMENT_DIM, "minds? where       who                                 GiB");
	gs_draw_fit(v->f, r, 1, 62, r.columns - 62, GS_ELEMENT_DIM, "why");
	unit = unit_column(&r, &p);
	if (unit)
		gs_draw_text(v->f, r, 1, unit, GS_ELEMENT_DIM, "unit");
	for (int row = WHO_FRAME; row < r.rows - foot_rows(v->m) && top + (size_t)(row - WHO_FRAME) < p.n; row++) {
		size_t i = top + (size_t)(row - WHO_FRAME);

		draw_entry(v, row, unit, &p.entries[i], i == v->m->list_row, i < p.n_here);
	}
	if (!p.n)
		gs_draw_text(v->f, r, 3, 3, GS_ELEMENT_TEXT, "Nobody uses this GPU.");
	draw_foot(v, gpu, v->m->list_row < p.n ? &p.entries[v->m->list_row] : NULL);
}
