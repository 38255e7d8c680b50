/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view_hints.c - the last line: keys that work here, or what was just said. */
#include <string.h>

#include "ui/view_parts.h"

#define HINTS_MAX 48
#define MESSAGE_LINES 3

struct placed_hint {
	const struct gs_action *action;
	int at, key_width, end;
};

static int width_of(const struct gs_action *a)
{
	return gs_text_width(a->key_text) + 1 + gs_text_width(a->hint);
}

/* Those at the end (write, help, quit) always find room; the least used others give way. */
static size_t lay_out_hints(const struct gs_action *const *a, size_t n, int columns, struct placed_hint *ret)
{
	size_t always = 0, out = 0;
	int at = 1, gap = 2, reserved = 0, all = 1;

	while (always < n && a[n - 1 - always]->flags & GS_ACTION_ALWAYS)
		always++;
	for (size_t i = 0; i < n; i++)
		all += width_of(a[i]) + gap;
	if (all > columns + gap)
		gap = columns < 90 ? 1 : 2;
	for (size_t i = n - always; i < n; i++)
		reserved += width_of(a[i]) + gap;
	for (size_t i = 0; i < n; i++) {
		int room = i < n - always ? columns - reserved : columns;

		if (at + width_of(a[i]) > room)
			continue;
		ret[out++] = (struct placed_hint){ a[i], at, gs_text_width(a[i]->key_text), at + width_of(a[i]) };
		at += width_of(a[i]) + gap;
	}
	return out;
}

/* Where a message is said: alone, left of the keys, or on the line above them. */
enum message_place { MESSAGE_NONE, MESSAGE_BESIDE, MESSAGE_ABOVE, MESSAGE_ALONE };

/* Keys that a message must leave: to take back, and the way out. */
static bool stays(const struct gs_model *m, const struct gs_action *a)
{
	if (a->flags & GS_ACTION_ALWAYS || !strcmp(a->name, "undo"))
		return true;
	return m->layer != GS_LAYER_NONE && !strcmp(a->name, "back");
}

/* Layers that end with their input or with an answer keep their last line. */
static bool has_line_above(const struct gs_model *m)
{
	if (m->layer == GS_LAYER_REVIEW)
		return !gs_control_expects_word(m) && m->plan && !gs_plan_is_blocked(m->plan);
	return m->layer == GS_LAYER_NONE || m->layer == GS_LAYER_PALETTE || m->layer == GS_LAYER_CHOOSER || m->layer == GS_LAYER_MODE ||
	       m->layer == GS_LAYER_SETTINGS || m->layer == GS_LAYER_WHO || m->layer == GS_LAYER_HISTORY || m->layer == GS_LAYER_PAST || m->layer == GS_LAYER_SAVED;
}

static enum message_place lay_out(const struct gs_model *m, int columns, struct placed_hint *ret, size_t *ret_n)
{
	const struct gs_action *a[HINTS_MAX], *kept[HINTS_MAX];
	size_t n = gs_control_hints(m, a, HINTS_MAX), n_kept = 0;
	int said = gs_text_width(m->message), used = 0, at;
	bool keep[HINTS_MAX] = { false };

	if (!*m->message) {
		*ret_n = lay_out_hints(a, n, columns, ret);
		return MESSAGE_NONE;
	}
	for (size_t i = 0; i < n; i++) {
		keep[i] = stays(m, a[i]);
		used += keep[i] ? width_of(a[i]) + 2 : 0;
	}
	/* the end of a commit is told in full above: here it may be cut */
	if (m->layer == GS_LAYER_WRITING && said + 3 + used > columns)
		said = columns - used - 3;
	if (said + 3 + used > columns) {
		*ret_n = has_line_above(m) ? lay_out_hints(a, n, columns, ret) : 0;
		return has_line_above(m) ? MESSAGE_ABOVE : MESSAGE_ALONE;
	}
	for (size_t i = 0; i < n; i++) {
		if (keep[i] || said + 3 + used + width_of(a[i]) + 2 > columns)
			continue;
		keep[i] = true;
		used += width_of(a[i]) + 2;
	}
	for (size_t i = 0; i < n; i++)
		if (keep[i])
			kept[n_kept++] = a[i];
	at = columns - used + 1;
	for (size_t i = 0; i < n_kept; i++) {
		ret[i] = (struct placed_hint){ kept[i], at, gs_text_width(kept[i]->key_text), at + width_of(kept[i]) };
		at += width_of(kept[i]) + 2;
	}
	*ret_n = n_kept;
	return MESSAGE_BESIDE;
}

uint32_t gs_view_hint_at(const struct gs_model *m, int columns, int column)
{
	struct placed_hint h[HINTS_MAX];
	size_t n;

	lay_out(m, columns, h, &n);
	for (size_t i = 0; i < n; i++) {
		if (column >= h[i].at && column < h[i].end)
			return h[i].action->keys[0];
	}
	return 0;
}

void gs_view_hints(const struct gs_view *v)
{
	const struct gs_model *m = v->m;
	struct gs_rect r = v->geo.hints;
	enum gs_element el = m->message_is_error ? GS_ELEMENT_ERROR : GS_ELEMENT_TEXT;
	struct placed_hint h[HINTS_MAX];
	enum message_place place;
	size_t n;

	place = lay_out(m, r.columns, h, &n);
	if (place == MESSAGE_ABOVE) {
		GS_LINES struct gs_lines l = { 0 };
		struct gs_rect above;

		/* whole: what a message says last is mostly what to do */
		gs_lines_wrap(&l, -1, el, " ", el, m->message, r.columns - 1, MESSAGE_LINES);
		above = (struct gs_rect){ r.row - (int)l.n, r.column, (int)l.n, r.columns };
		gs_draw_fill(v->f, above, 0, 0, above.rows, r.columns, GS_ELEMENT_TEXT, ' ');
		gs_lines_draw(v, above, &l, 0, -1);
	} else if (place != MESSAGE_NONE) {
		gs_draw_fit(v->f, r, 0, 1, place == MESSAGE_BESIDE && n ? h[0].at - 3 : r.columns - 2, el, m->message);
	}
	for (size_t i = 0; i < n; i++) {
		gs_draw_text(v->f, r, 0, h[i].at, GS_ELEMENT_KEY, h[i].action->key_text);
		gs_draw_text(v->f, r, 0, h[i].at + h[i].key_width + 1, GS_ELEMENT_DIM, h[i].action->hint);
	}
}
