/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view_dialogs.c - a finding in full, leaving with staged work, the prompt. */
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "ui/view_parts.h"

static void clear(const struct gs_view *v)
{
	struct gs_rect r = v->geo.layer;

	gs_draw_fill(v->f, r, 0, 0, r.rows, r.columns, GS_ELEMENT_TEXT, ' ');
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
	const char *lead = m->prompt == GS_PROMPT_SCRIPT ? " save script as: " : m->prompt == GS_PROMPT_MESSAGE ? " why: " : ":", *shown = m->input;
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

		gs_lines_wrap(&l, -1, GS_ELEMENT_ERROR, " ", GS_ELEMENT_ERROR, m->input_error, r.columns - 1, 3);
		above = (struct gs_rect){ r.row - (int)l.n, r.column, (int)l.n, r.columns };
		gs_draw_fill(v->f, above, 0, 0, above.rows, above.columns, GS_ELEMENT_ERROR, ' ');
		gs_lines_draw(v, above, &l, 0, -1);
	}
}
