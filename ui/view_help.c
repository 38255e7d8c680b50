/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view_help.c - the keys, from the one table, and what the drawing means. */
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "ui/view_parts.h"

#define KEY_COLUMNS 12

static void add_keys(const struct gs_model *m, struct gs_lines *l, int width)
{
	size_t n;
	const struct gs_action *a = gs_actions(&n);

	gs_lines_add(l, -1, GS_ELEMENT_TITLE, " KEYS");
	for (size_t i = 0; i < n; i++) {
		char lead[32];

		/* a monitor lists what works there */
		if (m->read_only && a[i].flags & (GS_ACTION_EDITS | GS_ACTION_FOR_EDITS))
			continue;
		snprintf(lead, sizeof(lead), " %-*s ", KEY_COLUMNS - 2, a[i].key_text);
		gs_lines_wrap(l, -1, GS_ELEMENT_KEY, lead, GS_ELEMENT_TEXT, m->read_only && a[i].watching ? a[i].watching : a[i].help, width, 4);
	}
}

/* Six cells, as the grid draws them. */
static void sample(char *buf, size_t size, uint32_t a, uint32_t b)
{
	GS_STRBUF struct gs_strbuf s = GS_STRBUF_INIT;
	uint32_t codes[6] = { a, b, b, b, b, a };

	for (size_t i = 0; i < GS_ARRAY_SIZE(codes); i++) {
		uint32_t c = codes[i];
		char utf8[4] = { (char)(0xe0 | c >> 12), (char)(0x80 | (c >> 6 & 0x3f)), (char)(0x80 | (c & 0x3f)), 0 };

		if (c < 0x80)
			gs_strbuf_add(&s, (const char[]){ (char)c }, 1);
		else if (c < 0x800)
			gs_strbuf_add(&s, (const char[]){ (char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f)) }, 2);
		else
			gs_strbuf_add(&s, utf8, 3);
	}
	snprintf(buf, size, " %s   ", s.failed ? "" : s.text);
}

static void add_legend(const struct gs_model *m, const struct gs_glyphs *g, struct gs_lines *l, int width)
{
	const struct { uint32_t a, b; enum gs_element element; const char *text; bool for_edits; } rows[] = {
		{ g->box_v, g->box_h, GS_ELEMENT_LIVE, "an instance. * after the profile: somebody holds it; c: promised, without a process; ?: cannot be seen", false },
		{ g->dot, ' ', GS_ELEMENT_FREE, "free units", false },
		{ 'c', ',', GS_ELEMENT_HELD, "a VF without a vGPU that a VM which is off counts on: only a create that names it takes it", false },
		{ g->lost, g->lost, GS_ELEMENT_LOST, "~lost~: free, but no profile reaches it", false },
		{ g->new_v, g->new_h, GS_ELEMENT_STAGED_NEW, "+profile NEW: staged creation", true },
		{ g->gone, g->gone, GS_ELEMENT_STAGED_GONE, "-profile: staged deletion", true },
		{ g->conflict, g->conflict, GS_ELEMENT_CONFLICT, "in the way of the selection, or of a finding that blocks", true },
		{ g->ghost, g->ghost, GS_ELEMENT_GHOST, "row under the grid: what would be created", true },
		{ g->wait, g->wait, GS_ELEMENT_WAITING, "waiting in a driver", false },
		{ '?', '?', GS_ELEMENT_HIDDEN, "places that cannot be seen at this privilege", false },
		{ g->unread, g->unread, GS_ELEMENT_DIM, "not read yet", false },
	};
	char lead[48];

	gs_lines_add(l, -1, GS_ELEMENT_TEXT, "%s", "");
	gs_lines_add(l, -1, GS_ELEMENT_TITLE, " WHAT THE DRAWING MEANS");
	for (size_t i = 0; i < GS_ARRAY_SIZE(rows); i++) {
		if (m->read_only && rows[i].for_edits)
			continue;
		sample(lead, sizeof(lead), rows[i].a, rows[i].b);
		gs_lines_wrap(l, -1, rows[i].element, lead, GS_ELEMENT_TEXT, rows[i].text, width, 3);
	}
	gs_lines_wrap(l, -1, GS_ELEMENT_TEXT, " ", GS_ELEMENT_TEXT,
		      "Width is memory, a digit in a bar is SM slices: 2g.20gb and 1g.20gb are as wide and read 2g and 1g.", width, 3);
	gs_lines_wrap(l, -1, GS_ELEMENT_TEXT, " ", GS_ELEMENT_TEXT,
		      "vGPUs lie on VFs, any of which will do; the line above them shows what they take of the memory. All of one GPU take turns on its SMs.", width, 3);
	gs_lines_wrap(l, -1, GS_ELEMENT_TEXT, " ", GS_ELEMENT_TEXT,
		      "SM slices are drawn under the memory that owns them; the driver does not tell their place. The number is the driver's count of SMs.",
		      width, 3);
}

/* The cursor of the list scrolls; where there are more lines than it has steps, a step is several lines. */
static size_t scrolled(const struct gs_model *m, size_t lines, size_t rows)
{
	size_t n, most = lines > rows ? lines - rows : 0, at;

	gs_actions(&n);
	if (n < 2 || !most)
		return 0;
	at = most > n - 1 ? m->list_row * most / (n - 1) : m->list_row;
	return at > most ? most : at;
}

void gs_view_help(const struct gs_view *v)
{
	GS_LINES struct gs_lines left = { 0 }, right = { 0 };
	struct gs_rect r = v->geo.layer, a, b;
	bool two = r.columns >= 130;
	int width = two ? r.columns / 2 : r.columns;
	size_t top, lines;

	gs_draw_fill(v->f, r, 0, 0, r.rows, r.columns, GS_ELEMENT_TEXT, ' ');
	gs_part_rule(v, r, 0, GS_ELEMENT_TITLE, "HELP", "Up and Down scroll, Esc goes back");
	add_keys(v->m, &left, width - 2);
	add_legend(v->m, v->g, two ? &right : &left, width - 2);
	a = (struct gs_rect){ r.row + 1, r.column, r.rows - 1, width };
	b = (struct gs_rect){ r.row + 1, r.column + width, r.rows - 1, r.columns - width };
	lines = left.n > right.n ? left.n : right.n;
	top = scrolled(v->m, lines, (size_t)a.rows);
	gs_lines_draw(v, a, &left, top, -1);
	if (two)
		gs_lines_draw(v, b, &right, top < right.n ? top : right.n, -1);
}
