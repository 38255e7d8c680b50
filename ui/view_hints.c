/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view_hints.c - the last line: keys that work here, or what was just said. */
#include <string.h>

#include "ui/view_parts.h"

#define HINTS_MAX 48

struct placed_hint {
	const struct gs_action *action;
	int at, key_width, end;
};

static int width_of(const struct gs_action *a)
{
	return gs_text_width(a->key_text) + 1 + gs_text_width(a->hint);
}

/* Those at the end (write, help, quit) always find room; the least used others give way. */
static size_t lay_out(const struct gs_model *m, int columns, struct placed_hint *ret)
{
	const struct gs_action *a[HINTS_MAX];
	size_t n = gs_control_hints(m, a, HINTS_MAX), always = 0, out = 0;
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

uint32_t gs_view_hint_at(const struct gs_model *m, int columns, int column)
{
	struct placed_hint h[HINTS_MAX];
	size_t n = *m->message ? 0 : lay_out(m, columns, h);

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
	struct placed_hint h[HINTS_MAX];
	size_t n;

	if (*m->message) {
		gs_draw_fit(v->f, r, 0, 1, r.columns - 2, m->message_is_error ? GS_ELEMENT_ERROR : GS_ELEMENT_TEXT, m->message);
		return;
	}
	n = lay_out(m, r.columns, h);
	for (size_t i = 0; i < n; i++) {
		gs_draw_text(v->f, r, 0, h[i].at, GS_ELEMENT_KEY, h[i].action->key_text);
		gs_draw_text(v->f, r, 0, h[i].at + h[i].key_width + 1, GS_ELEMENT_DIM, h[i].action->hint);
	}
}
