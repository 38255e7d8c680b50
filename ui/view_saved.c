/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view_saved.c - what comes back at boot: where it is saved and who puts it back, how the machine differs from it, what a reboot takes. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "core/reboot.h"
#include "ui/view_parts.h"

static void add_where(const struct gs_model *m, struct gs_lines *l, int width)
{
	const struct gs_session_saved *s = &m->saved->saved;
	const char *obstacle = m->snapshot ? gs_saved_obstacle(gs_snapshot_saved(m->snapshot)) : "that is not known yet";
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	char when[GS_WALL_TEXT];

	if (!s->text) {
		gs_strbuf_printf(&b, "nothing: there is no %s", gs_model_saved_path(m));
	} else {
		gs_strbuf_puts(&b, gs_model_saved_path(m));
		if (s->saved_at_ms.known)
			gs_strbuf_printf(&b, ", %s", gs_wall_format((struct gs_wall){ s->saved_at_ms.value }, when, sizeof(when)));
		if (s->by)
			gs_strbuf_printf(&b, ", by %s", s->by);
	}
	gs_lines_wrap(l, -1, GS_ELEMENT_DIM, " saved     ", s->text ? GS_ELEMENT_TEXT : GS_ELEMENT_CONFIRM, b.text ? b.text : "", width, 3);
	if (*m->saved->why_not)
		gs_lines_wrap(l, -1, GS_ELEMENT_DIM, "           ", GS_ELEMENT_ERROR, m->saved->why_not, width, 4);
	gs_lines_wrap(l, -1, GS_ELEMENT_DIM, " at boot   ", obstacle ? GS_ELEMENT_CONFIRM : GS_ELEMENT_TEXT, obstacle ? obstacle : GS_RESTORE_UNIT " puts it back", width, 3);
}

/* Each difference with what is known to have caused it. */
static void add_drift(const struct gs_model *m, struct gs_lines *l, int width)
{
	const struct gs_drift *d = m->saved->drift;
	size_t n = 0;
	char lead[32];

	for (size_t i = 0; d && i < d->n_gpus; i++) {
		const struct gs_drift_gpu *g = &d->gpus[i];

		if (g->state != GS_DRIFT_DIFFERS && g->state != GS_DRIFT_MISSING && g->state != GS_DRIFT_UNKNOWN)
			continue;
		if (!n++) {
			gs_lines_add(l, -1, GS_ELEMENT_TEXT, "%s", "");
			gs_lines_add(l, -1, GS_ELEMENT_TITLE, " DRIFT   otherwise than saved");
		}
		if (g->gpu)
			snprintf(lead, sizeof(lead), " GPU %-4" PRIu32 "  ", g->gpu->index);
		else
			snprintf(lead, sizeof(lead), " no GPU    ");
		if (g->state == GS_DRIFT_UNKNOWN && !g->n_differences)
			gs_lines_wrap(l, -1, GS_ELEMENT_CONFIRM, lead, GS_ELEMENT_TEXT, "whether it is as saved cannot be seen", width, 2);
		for (size_t k = 0; k < g->n_differences; k++)
			gs_lines_wrap(l, -1, GS_ELEMENT_CONFIRM, k ? "           " : lead, GS_ELEMENT_TEXT, g->differences[k], width, 3);
		if (g->cause)
			gs_lines_wrap(l, -1, GS_ELEMENT_DIM, "           ", GS_ELEMENT_DIM, g->cause, width, 3);
	}
}

/* What is saved without anybody who puts it back is only as good as who thinks of it. */
static const char *fate_text(const struct gs_model *m, const struct gs_gpu *gpu, enum gs_reboot_fate fate)
{
	if (fate == GS_REBOOT_KEPT)
		return "stays";
	if (fate == GS_REBOOT_UNKNOWN)
		return "unknown";
	if (gpu->saved != GS_SAVED_SAME)
		return "is lost";
	return gs_snapshot_saved(m->snapshot)->unit_enabled ? "comes back" : "by restore";
}

/* What a reboot takes, and whether it is put back. */
static void add_reboot(const struct gs_model *m, struct gs_lines *l, int width)
{
	GS_CLEANUP(gs_arena_freep) struct gs_arena *arena = gs_arena_new();
	size_t had = l->n;

	gs_lines_add(l, -1, GS_ELEMENT_TEXT, "%s", "");
	gs_lines_add(l, -1, GS_ELEMENT_TITLE, " AFTER A REBOOT   of what is there now");
	for (size_t i = 0; arena && m->snapshot && i < gs_snapshot_n_gpus(m->snapshot); i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(m->snapshot, i);
		struct gs_reboot_item *items = NULL;
		size_t n = 0;

		if (gs_reboot_items(gpu, arena, &items, &n) < 0)
			continue;
		for (size_t k = 0; k < n; k++) {
			bool is_saved = items[k].fate == GS_REBOOT_LOST && gpu->saved == GS_SAVED_SAME;
			bool returns = is_saved && gs_snapshot_saved(m->snapshot)->unit_enabled;
			enum gs_element el = items[k].fate == GS_REBOOT_KEPT || returns ? GS_ELEMENT_OK : GS_ELEMENT_CONFIRM;
			GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
			char lead[48];

			snprintf(lead, sizeof(lead), " GPU %-4" PRIu32 "  %-11s", gpu->index, fate_text(m, gpu, items[k].fate));
			gs_strbuf_puts(&b, items[k].what);
			if (!is_saved && items[k].why)
				gs_strbuf_printf(&b, ": %s", items[k].why);
			if (!b.failed)
				gs_lines_wrap(l, -1, el, lead, GS_ELEMENT_TEXT, b.text, width, 3);
		}
	}
	if (l->n == had + 2)
		gs_lines_add(l, -1, GS_ELEMENT_TEXT, " nothing changes: the machine is as it comes up");
}

static void build(const struct gs_model *m, int width, struct gs_lines *l)
{
	add_where(m, l, width);
	add_drift(m, l, width);
	add_reboot(m, l, width);
}

size_t gs_view_saved_top(const struct gs_model *m, const struct gs_geometry *geo)
{
	GS_LINES struct gs_lines l = { 0 };

	if (!m->saved)
		return 0;
	build(m, gs_part_body(geo).columns - 1, &l);
	return gs_part_prose_top(m, geo, &l);
}

void gs_view_saved(const struct gs_view *v)
{
	const struct gs_model *m = v->m;
	struct gs_rect r = v->geo.layer, ask = gs_part_ask(&v->geo);
	const char *why = gs_control_why_not_savable(m);
	GS_LINES struct gs_lines l = { 0 };
	char text[320];

	gs_draw_fill(v->f, r, 0, 0, r.rows, r.columns, GS_ELEMENT_TEXT, ' ');
	gs_part_rule(v, r, 0, GS_ELEMENT_TITLE, "SAVE FOR BOOT", m->n_drifted ? "DRIFT" : m->n_unsaved ? "UNSAVED" : NULL);
	if (!m->saved)
		return;
	build(m, r.columns - 1, &l);
	gs_lines_draw(v, gs_part_body(&v->geo), &l, gs_part_prose_top(m, &v->geo, &l), -1);
	gs_part_rule(v, ask, 0, GS_ELEMENT_TITLE, NULL, NULL);
	if (why)
		snprintf(text, sizeof(text), "%s", why);
	else if (m->n_drifted)
		snprintf(text, sizeof(text), "y  save what is there now    r  restore what is saved    Esc  leave both");
	else
		snprintf(text, sizeof(text), "Save the machine as it is now to %s?   y  save", gs_model_saved_path(m));
	gs_draw_fit(v->f, ask, 1, 1, ask.columns - 2, GS_ELEMENT_CONFIRM, text);
	if (m->n_drifted && m->saved->layout && why)
		gs_draw_fit(v->f, ask, 2, 1, ask.columns - 2, GS_ELEMENT_DIM, "r restores what is saved, after a review.");
	else if (m->n_drifted)
		gs_draw_fit(v->f, ask, 2, 1, ask.columns - 2, GS_ELEMENT_DIM,
			    m->n_staged ? "r shows its plan first. What is staged and not written is no part of either." : "r shows its plan first; nothing is done before that is confirmed.");
	else if (!why && m->n_staged)
		gs_draw_fit(v->f, ask, 2, 1, ask.columns - 2, GS_ELEMENT_DIM, "What is staged and not written is no part of it.");
}
