/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view_dialogs.c - who holds it, a finding in full, leaving with staged work, the prompt. */
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "ui/view_parts.h"

#define WHO_FRAME 2

static void clear(const struct gs_view *v)
{
	struct gs_rect r = v->geo.layer;

	gs_draw_fill(v->f, r, 0, 0, r.rows, r.columns, GS_ELEMENT_TEXT, ' ');
}

/* ---------------------------------------------------------------- who */

/* Holders of a GPU, those of its instances first; @ret_inst NULL: of the GPU as a whole. */
static const struct gs_holder *nth_holder(const struct gs_gpu *gpu, size_t n, const struct gs_instance **ret_inst)
{
	*ret_inst = NULL;
	for (size_t i = 0; i < gpu->n_instances; i++) {
		if (n < gpu->instances[i]->n_holders) {
			*ret_inst = gpu->instances[i];
			return gpu->instances[i]->holders[n];
		}
		n -= gpu->instances[i]->n_holders;
	}
	return n < gpu->n_holders ? gpu->holders[n] : NULL;
}

static size_t count_holders(const struct gs_gpu *gpu)
{
	size_t n = gpu ? gpu->n_holders : 0;

	for (size_t i = 0; gpu && i < gpu->n_instances; i++)
		n += gpu->instances[i]->n_holders;
	return n;
}

size_t gs_view_who_top(const struct gs_model *m, const struct gs_geometry *geo)
{
	return gs_part_scrolled(m->list_top, m->list_row, count_holders(gs_model_gpu(m)), geo->layer.rows - WHO_FRAME - 2);
}

bool gs_view_who_at(const struct gs_model *m, const struct gs_geometry *geo, int row, size_t *ret_item)
{
	size_t n = count_holders(gs_model_gpu(m)), at;

	if (row < WHO_FRAME || row >= geo->layer.rows - 2)
		return false;
	at = gs_view_who_top(m, geo) + (size_t)(row - WHO_FRAME);
	if (at >= n)
		return false;
	*ret_item = at;
	return true;
}

static void draw_holder(const struct gs_view *v, int row, const struct gs_holder *h, const struct gs_instance *inst, bool is_chosen)
{
	struct gs_rect r = v->geo.layer;
	enum gs_element el = is_chosen ? GS_ELEMENT_SELECTED : h->yields ? GS_ELEMENT_DIM : GS_ELEMENT_TEXT;
	char where[48] = "whole GPU", pid[16] = "-", gib[16], text[256];

	if (inst && inst->start.known)
		snprintf(where, sizeof(where), "GI %u at %u", inst->id, inst->start.value);
	else if (inst)
		snprintf(where, sizeof(where), "GI %u", inst->id);
	if (h->pid.known)
		snprintf(pid, sizeof(pid), "%u", h->pid.value);
	if (is_chosen)
		gs_draw_fill(v->f, r, row, 0, 1, r.columns, el, ' ');
	snprintf(text, sizeof(text), "%c %-12s %-10s %8s  %-10.10s %-16.16s %5s", is_chosen ? '>' : ' ', where, gs_holder_kind_name(h->kind), pid,
		 h->user ? h->user : "-", h->name ? h->name : "-", gs_part_gib(h->used_memory_bytes, gib, sizeof(gib)));
	gs_draw_text(v->f, r, row, 1, el, text);
	snprintf(text, sizeof(text), "%s", h->yields ? "lets go during a commit" : h->unit ? h->unit : h->evidence ? h->evidence : "");
	gs_draw_fit(v->f, r, row, 73, r.columns - 73, is_chosen ? el : GS_ELEMENT_DIM, text);
	if (is_chosen)
		gs_draw_flag(v->f, r, row, 0, 1, r.columns, GS_CELL_CURSOR);
}

void gs_view_who(const struct gs_view *v)
{
	const struct gs_gpu *gpu = gs_model_gpu(v->m);
	size_t n = count_holders(gpu), top = gs_view_who_top(v->m, &v->geo);
	struct gs_rect r = v->geo.layer;
	const struct gs_instance *inst;
	char text[96], label[64];

	clear(v);
	if (!gpu) {
		gs_part_rule(v, r, 0, GS_ELEMENT_TITLE, "WHO", NULL);
		return;
	}
	snprintf(text, sizeof(text), "WHO HOLDS %s", gs_gpu_label(gpu, label, sizeof(label)));
	gs_part_rule(v, r, 0, GS_ELEMENT_TITLE, text, NULL);
	snprintf(text, sizeof(text), "  %-12s %-10s %8s  %-10s %-16s %5s", "what", "kind", "pid", "user", "name", "GiB");
	gs_draw_text(v->f, r, 1, 1, GS_ELEMENT_DIM, text);
	gs_draw_fit(v->f, r, 1, 73, r.columns - 73, GS_ELEMENT_DIM, "unit");
	for (int row = WHO_FRAME; row < r.rows - 2 && top + (size_t)(row - WHO_FRAME) < n; row++) {
		const struct gs_holder *h = nth_holder(gpu, top + (size_t)(row - WHO_FRAME), &inst);

		if (h)
			draw_holder(v, row, h, inst, top + (size_t)(row - WHO_FRAME) == v->m->list_row);
	}
	if (!n)
		gs_draw_text(v->f, r, 3, 3, gpu->holders_visible ? GS_ELEMENT_TEXT : GS_ELEMENT_HIDDEN,
			     gpu->holders_visible ? "Nobody uses this GPU." : "Nobody that can be seen from here uses this GPU.");
	if (!gpu->holders_visible)
		gs_draw_fit(v->f, r, r.rows - 1, 1, r.columns - 2, GS_ELEMENT_CONFIRM,
			    v->m->read_only ? "Processes of other users cannot be seen: \"free\" is not proven."
					    : "Processes of other users cannot be seen: \"free\" is not proven.   !: ask for root (sudo)");
}

/* ---------------------------------------------------------------- explain */

void gs_view_explain(const struct gs_view *v)
{
	const struct gs_model *m = v->m;
	struct gs_plan_item item = gs_model_plan_item(m, m->plan_row);
	struct gs_rect r = v->geo.layer, body = { r.row + 2, r.column, r.rows - 2, r.columns };
	GS_LINES struct gs_lines l = { 0 };
	const struct gs_finding *f;
	enum gs_element el;
	char label[160];
	size_t top = m->list_row;

	clear(v);
	if (item.kind != GS_PLAN_ITEM_FINDING) {
		gs_part_rule(v, r, 0, GS_ELEMENT_TITLE, "EXPLAIN", NULL);
		gs_draw_text(v->f, body, 0, 1, GS_ELEMENT_TEXT, "There is nothing to explain any more.");
		return;
	}
	f = &m->plan->findings[item.index];
	gs_part_severity(f, &el);
	snprintf(label, sizeof(label), "%s: %s  %s", f->severity == GS_SEVERITY_BLOCK ? "BLOCK" : f->severity == GS_SEVERITY_CONFIRM ? "CONFIRM" : "NOTE",
		 f->rule ? f->rule : "", f->object ? f->object : "");
	gs_part_rule(v, r, 0, el, label, NULL);
	gs_lines_wrap(&l, -1, el, " ", GS_ELEMENT_TEXT, f->text ? f->text : "", r.columns - 2, 64);
	if (f->n_holders)
		gs_lines_add(&l, -1, GS_ELEMENT_TEXT, "%s", "");
	for (size_t i = 0; i < f->n_holders; i++)
		gs_lines_wrap(&l, -1, GS_ELEMENT_HOLDER, " held by  ", GS_ELEMENT_HOLDER, gs_holder_label(f->holders[i], label, sizeof(label)), r.columns - 2, 2);
	if (f->n_alternatives)
		gs_lines_add(&l, -1, GS_ELEMENT_TEXT, "%s", "");
	for (size_t i = 0; i < f->n_alternatives; i++)
		gs_lines_wrap(&l, -1, GS_ELEMENT_OK, " or:      ", GS_ELEMENT_TEXT, f->alternatives[i], r.columns - 2, 4);
	if (l.n <= (size_t)body.rows)
		top = 0;
	else if (top > l.n - (size_t)body.rows)
		top = l.n - (size_t)body.rows;
	gs_lines_draw(v, body, &l, top, -1);
}

/* ---------------------------------------------------------------- quit */

void gs_view_quit(const struct gs_view *v)
{
	static const char *const choices[][2] = {
		{ "s", "save them as a script for gpuslice apply, then leave" },
		{ "X", "drop them and leave" },
		{ "Esc", "stay" },
	};
	struct gs_rect r = v->geo.layer;
	char text[96];

	clear(v);
	gs_part_rule(v, r, 0, GS_ELEMENT_TITLE, "QUIT", NULL);
	snprintf(text, sizeof(text), "%zu staged command%s not written.", v->m->n_staged, v->m->n_staged == 1 ? " is" : "s are");
	gs_draw_text(v->f, r, 2, 2, GS_ELEMENT_CONFIRM, text);
	for (size_t i = 0; i < GS_ARRAY_SIZE(choices); i++) {
		bool is_chosen = i == v->m->list_row;
		int row = 4 + (int)i;

		if (is_chosen) {
			gs_draw_fill(v->f, r, row, 0, 1, r.columns, GS_ELEMENT_SELECTED, ' ');
			gs_draw_text(v->f, r, row, 1, GS_ELEMENT_SELECTED, ">");
		}
		gs_draw_text(v->f, r, row, 3, is_chosen ? GS_ELEMENT_SELECTED : GS_ELEMENT_KEY, choices[i][0]);
		gs_draw_text(v->f, r, row, 8, is_chosen ? GS_ELEMENT_SELECTED : GS_ELEMENT_TEXT, choices[i][1]);
		if (is_chosen)
			gs_draw_flag(v->f, r, row, 0, 1, r.columns, GS_CELL_CURSOR);
	}
}

/* ---------------------------------------------------------------- prompt */

void gs_view_prompt(const struct gs_view *v)
{
	const struct gs_model *m = v->m;
	struct gs_rect r = v->geo.hints;
	const char *lead = m->prompt_saves ? " save script as: " : ":", *shown = m->input;
	char before[sizeof(m->input)];
	int at = gs_text_width(lead), cursor;

	gs_draw_fill(v->f, r, 0, 0, 1, r.columns, GS_ELEMENT_INPUT, ' ');
	snprintf(before, sizeof(before), "%.*s", (int)m->input_cursor, m->input);
	cursor = at + gs_text_width(before);
	/* the end that is being typed stays in sight; a step at UTF-8 boundaries */
	while (cursor > r.columns - 2 && *shown) {
		int n = gs_text_width(shown);

		shown++;
		while ((*shown & 0xc0) == 0x80)
			shown++;
		cursor -= n - gs_text_width(shown);
	}
	gs_draw_text(v->f, r, 0, 0, GS_ELEMENT_KEY, lead);
	gs_draw_text(v->f, r, 0, at, GS_ELEMENT_INPUT, shown);
	v->f->cursor_row = r.row;
	v->f->cursor_column = r.column + cursor;
	if (*m->input_error) {
		GS_LINES struct gs_lines l = { 0 };
		struct gs_rect above;

		gs_lines_wrap(&l, -1, GS_ELEMENT_ERROR, " ", GS_ELEMENT_ERROR, m->input_error, r.columns - 1, 2);
		above = (struct gs_rect){ r.row - (int)l.n, r.column, (int)l.n, r.columns };
		gs_draw_fill(v->f, above, 0, 0, above.rows, above.columns, GS_ELEMENT_ERROR, ' ');
		gs_lines_draw(v, above, &l, 0, -1);
	}
}
