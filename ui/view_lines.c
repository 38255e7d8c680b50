/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view_lines.c - lists of lines that wrap and scroll: the plan, the review, help, who. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "ui/view_parts.h"

/* From so many rows on a list can spare one. */
#define OWN_MORE_ROWS 8

void gs_lines_done(struct gs_lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->items[i].text);
	free(l->items);
	*l = (struct gs_lines){ 0 };
}

/* Takes @text, which may be NULL. */
static void push(struct gs_lines *l, char *text, struct gs_line line)
{
	if (!text)
		return;
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 32;
		struct gs_line *items = reallocarray(l->items, cap, sizeof(*items));

		if (!items) {
			free(text);
			return;
		}
		l->items = items;
		l->cap = cap;
	}
	line.text = text;
	l->items[l->n++] = line;
}

void gs_lines_add(struct gs_lines *l, int item, enum gs_element el, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n >= 0)
		push(l, text, (struct gs_line){ .element = el, .item = item });
}

/* Columns of the first @n bytes. */
static int width_of(const char *s, size_t n)
{
	GS_FREE char *copy = strndup(s, n);

	return copy ? gs_text_width(copy) : 0;
}

void gs_lines_wrap(struct gs_lines *l, int item, enum gs_element lead_el, const char *lead, enum gs_element el, const char *text,
		   int width, size_t max)
{
	int indent = gs_text_width(lead), used = indent;
	struct gs_line line = { .lead = indent, .lead_element = lead_el, .element = el, .item = item };
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	size_t lines = 1;
	bool is_first_word = true;

	gs_strbuf_puts(&b, lead);
	while (*text) {
		size_t gap = strspn(text, " "), word = strcspn(text + gap, " ");
		int columns;

		if (!word)
			break;
		columns = width_of(text, gap + word);
		if (!is_first_word && used + columns > width && lines < max) {
			push(l, gs_strbuf_take(&b), line);
			gs_strbuf_printf(&b, "%*s", indent, "");
			used = indent;
			lines++;
			is_first_word = true;
		}
		/* blanks inside the text are the writer's; at a line's beginning they go */
		gs_strbuf_add(&b, is_first_word ? text + gap : text, is_first_word ? word : gap + word);
		used += is_first_word ? columns - (int)gap : columns;
		is_first_word = false;
		text += gap + word;
	}
	push(l, gs_strbuf_take(&b), line);
}

size_t gs_lines_window(const struct gs_lines *l, int rows, int item, size_t top)
{
	size_t room = rows > 0 ? (size_t)rows : 0, first = l->n, last = 0, at = top;

	if (l->n <= room)
		return 0;
	for (size_t i = 0; i < l->n; i++) {
		if (item >= 0 && l->items[i].item == item) {
			first = i < first ? i : first;
			last = i;
		}
	}
	if (first < l->n) {
		if (last >= at + room)
			at = last + 1 - room;
		if (first < at)
			at = first;
		/* the heading above the first item comes into sight with it */
		if (item == 0 && last < room)
			at = 0;
	}
	return at + room > l->n ? l->n - room : at;
}

size_t gs_part_scrolled(size_t top, size_t at, size_t n, int rows)
{
	size_t room = rows > 1 ? (size_t)rows : 1;

	if (n <= room)
		return 0;
	if (at < top)
		top = at;
	if (at >= top + room)
		top = at + 1 - room;
	return top + room > n ? n - room : top;
}

struct gs_rect gs_part_body(const struct gs_geometry *geo)
{
	struct gs_rect r = geo->layer;

	r.row++;
	r.rows -= 1 + GS_ASK_ROWS;
	return r;
}

struct gs_rect gs_part_ask(const struct gs_geometry *geo)
{
	return (struct gs_rect){ geo->layer.row + geo->layer.rows - GS_ASK_ROWS, geo->layer.column, GS_ASK_ROWS, geo->layer.columns };
}

size_t gs_part_prose_top(const struct gs_model *m, const struct gs_geometry *geo, const struct gs_lines *l)
{
	int rows = gs_part_body(geo).rows;
	size_t most = rows > 0 && l->n > (size_t)rows ? l->n - (size_t)rows : 0;

	return m->list_row < most ? m->list_row : most;
}

/* Where there is room, that there is more has a row of its own, so that no sentence is written over; not that of the chosen line. */
static int rows_for_lines(struct gs_rect rect, const struct gs_lines *l, size_t top, int item)
{
	size_t last = top + (size_t)rect.rows - 1;

	if (rect.rows < OWN_MORE_ROWS || last + 1 >= l->n || (item >= 0 && l->items[last].item == item))
		return rect.rows;
	return rect.rows - 1;
}

void gs_lines_draw(const struct gs_view *v, struct gs_rect rect, const struct gs_lines *l, size_t top, int item)
{
	int rows = rows_for_lines(rect, l, top, item);
	size_t room = rows > 0 ? (size_t)rows : 0, left = l->n > top + room ? l->n - top - room : 0;
	char more[32];

	snprintf(more, sizeof(more), "  +%zu more ", left);
	for (int row = 0; row < rows && top + (size_t)row < l->n; row++) {
		const struct gs_line *line = &l->items[top + (size_t)row];
		bool is_chosen = item >= 0 && line->item == item;
		/* without a row of its own the number stands beside the last line, which ends before it */
		int width = left && row + 1 == rect.rows ? rect.columns - gs_text_width(more) : rect.columns;

		gs_draw_fit(v->f, rect, row, 0, width, is_chosen ? GS_ELEMENT_SELECTED : line->element, line->text);
		if (line->lead && !is_chosen) {
			struct gs_rect lead = { rect.row + row, rect.column, 1, line->lead < rect.columns ? line->lead : rect.columns };

			gs_draw_text(v->f, lead, 0, 0, line->lead_element, line->text);
		}
		if (is_chosen) {
			/* one mark for all its lines */
			if (!row || l->items[top + (size_t)row - 1].item != item)
				gs_draw_code(v->f, rect, row, 0, GS_ELEMENT_SELECTED, '>');
			gs_draw_flag(v->f, rect, row, 0, 1, rect.columns, GS_CELL_CURSOR);
		}
	}
	if (left && rect.rows > 0)
		gs_draw_text(v->f, rect, rect.rows - 1, rect.columns - gs_text_width(more), GS_ELEMENT_TITLE, more);
}
