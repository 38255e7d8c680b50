/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view_whole.c - GPUs without a grid to draw: whole, passed through, lost, not read yet, or with places that cannot be seen. */
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "ui/view_parts.h"

static int left_edge(const struct gs_view *v)
{
	return gs_unit_column(&v->geo, 8, 0) - v->geo.grid.column;
}

static int right_edge(const struct gs_view *v)
{
	return gs_unit_column(&v->geo, 8, 8) - v->geo.grid.column;
}

/* Lines in the box: as many as a lane of blocks has, so that going from GPU to GPU moves nothing. */
static int box_lines(const struct gs_view *v)
{
	return v->geo.grid.rows < 8 ? 2 : 3;
}

/* The row under the box. */
static int below_box(const struct gs_view *v)
{
	return 4 + box_lines(v);
}

/* One box over the whole width, below the SM row. Returns its inside. */
static struct gs_rect draw_box(const struct gs_view *v, enum gs_element el, uint32_t all)
{
	struct gs_rect r = v->geo.grid;
	const struct gs_glyphs *g = v->g;
	int left = left_edge(v), right = right_edge(v), lines = box_lines(v), bottom = 3 + lines;

	gs_draw_text(v->f, r, 3, 0, GS_ELEMENT_DIM, "memory");
	gs_draw_fill(v->f, r, 2, left, 1, right - left + 1, el, all ? all : g->box_h);
	gs_draw_fill(v->f, r, bottom, left, 1, right - left + 1, el, all ? all : g->box_h);
	gs_draw_fill(v->f, r, 3, left, lines, 1, el, all ? all : g->box_v);
	gs_draw_fill(v->f, r, 3, right, lines, 1, el, all ? all : g->box_v);
	gs_draw_code(v->f, r, 2, left, el, all ? all : g->box_tl);
	gs_draw_code(v->f, r, 2, right, el, all ? all : g->box_tr);
	gs_draw_code(v->f, r, bottom, left, el, all ? all : g->box_bl);
	gs_draw_code(v->f, r, bottom, right, el, all ? all : g->box_br);
	return (struct gs_rect){ r.row + 3, r.column + left + 1, lines, right - left - 1 };
}

/* All SMs in one piece. */
static void draw_sms(const struct gs_view *v, const struct gs_gpu *gpu, enum gs_element el, uint32_t fill)
{
	int left = left_edge(v), room = right_edge(v) - left - 1;
	struct gs_rect r = v->geo.grid;
	char text[32] = " SM unknown ";

	/* a word of NVIDIA's: others have none to count */
	if (gpu->vendor != GS_VENDOR_NVIDIA && !gpu->sm_count.known)
		return;
	if (gpu->sm_count.known)
		snprintf(text, sizeof(text), " %u SM ", gpu->sm_count.value);
	gs_draw_text(v->f, r, 1, 0, GS_ELEMENT_DIM, "SM");
	gs_draw_code(v->f, r, 1, left, GS_ELEMENT_RULE, v->g->box_v);
	gs_draw_code(v->f, r, 1, left + 1 + room, GS_ELEMENT_RULE, v->g->box_v);
	gs_draw_fill(v->f, r, 1, left + 1, 1, room, el, fill);
	gs_draw_text(v->f, r, 1, left + 1 + (room - gs_text_width(text)) / 2, el, text);
}

/* Sentences under the box, from grid row @row. */
static void say(const struct gs_view *v, int row, enum gs_element el, const char *text)
{
	GS_LINES struct gs_lines l = { 0 };
	struct gs_rect r = v->geo.grid;

	r.row += row;
	r.rows -= row;
	gs_lines_wrap(&l, -1, el, " ", el, text, r.columns - 2, r.rows > 0 ? (size_t)r.rows : 1);
	gs_lines_draw(v, r, &l, 0, -1);
}

static void draw_reading(const struct gs_view *v, const struct gs_gpu *gpu, struct gs_rect r, int row)
{
	const struct gs_telemetry *t = &gpu->telemetry;
	char used[16], total[16], text[64];

	if (!t->memory_used_bytes.known || !t->memory_total_bytes.known)
		return;
	snprintf(text, sizeof(text), "mem %s/%s GiB", gs_part_gib(t->memory_used_bytes, used, sizeof(used)),
		 gs_part_gib(t->memory_total_bytes, total, sizeof(total)));
	gs_part_meter(v, r, row, 0, r.columns / 2, GS_ELEMENT_HELD, t->memory_used_bytes.value, t->memory_total_bytes.value);
	gs_draw_text(v->f, r, row, r.columns / 2 + 1, GS_ELEMENT_TEXT, text);
	if (t->utilization_percent.known)
		gs_draw_printf(v->f, r, row, r.columns / 2 + 3 + gs_text_width(text), GS_ELEMENT_TEXT, "SM %u%%", t->utilization_percent.value);
}

/* What it is set to, where nothing is measured. */
static void draw_settings(const struct gs_view *v, const struct gs_gpu *gpu, struct gs_rect in)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;

	if (!gpu->n_settings || gpu->telemetry.memory_used_bytes.known)
		return;
	for (size_t i = 0; i < gpu->n_settings; i++) {
		const struct gs_setting *s = gpu->settings[i];

		gs_strbuf_printf(&b, "%s%s %s%s%s%s", i ? ", " : "", s->key, s->value ? s->value : "?", s->pending ? " (" : "", s->pending ? s->pending : "",
				 s->pending ? " pending: driver reload)" : "");
	}
	if (!b.failed)
		gs_draw_fit(v->f, in, 2, 0, in.columns, GS_ELEMENT_TEXT, b.text);
}

static void say_modes(const struct gs_view *v, const struct gs_gpu *gpu, int row)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	size_t n = 0;

	if (v->m->read_only)
		return;
	gs_strbuf_puts(&b, gpu->mode == GS_MODE_WHOLE && gpu->modes >> GS_MODE_MIG & 1 ? "MIG is off. " : "");
	for (int i = 0; i < GS_MODE_MAX; i++) {
		if (gpu->modes >> i & 1 && i != (int)gpu->mode)
			gs_strbuf_printf(&b, "%s%s", n++ ? ", " : "Press M to change the mode: ", gs_mode_name((enum gs_mode)i));
	}
	gs_strbuf_puts(&b, n ? "." : "This GPU has no other mode here.");

	if (!b.failed)
		say(v, row, GS_ELEMENT_DIM, b.text);
}

/* What of the board the VM has with it, and what the driver was. */
static void say_board(const struct gs_view *v, const struct gs_gpu *gpu, struct gs_rect in, int row)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	char pci[GS_BDF_TEXT];
	size_t n = 0;

	for (size_t i = 0; i < gpu->n_siblings; i++) {
		const struct gs_sibling *s = gpu->siblings[i];

		if (!s->is_bridge)
			gs_strbuf_printf(&b, "%s%s (%s)", n++ ? ", " : "with ", gs_part_pci(s->bdf, pci, sizeof(pci)), s->driver ? s->driver : "no driver");
	}
	if (gpu->iommu_group.known)
		gs_strbuf_printf(&b, "%sIOMMU group %u", n ? "   " : "", gpu->iommu_group.value);
	if (b.length && !b.failed)
		gs_draw_fit(v->f, in, 2, 0, in.columns, GS_ELEMENT_TEXT, b.text);
	gs_strbuf_done(&b);
	b = (struct gs_strbuf)GS_STRBUF_INIT;
	gs_strbuf_puts(&b, "");
	if (gpu->original_driver)
		gs_strbuf_printf(&b, "Its driver was %s. ", gpu->original_driver);
	if (!v->m->read_only)
		gs_strbuf_puts(&b, "M gives it back to the host.");
	if (b.length && !b.failed)
		say(v, row, GS_ELEMENT_DIM, b.text);
}

/* Whose work is on it. Daemons are no work, but a change of the mode has to do with them: they are named. */
static void say_who(const struct gs_gpu *gpu, int width, char *buf, size_t size)
{
	static const char lead[] = "no work on it; kept open by ";
	char daemons[200];

	gs_part_who(gpu, width, buf, size);
	if (*buf == '?')
		snprintf(buf, size, "who uses it cannot be seen without root");
	if (*buf != '-' && *buf != '[')
		return;
	gs_part_daemons(gpu, width - (int)strlen(lead), daemons, sizeof(daemons));
	snprintf(buf, size, "%s%s", *daemons ? lead : "nobody uses it", daemons);
}

static void draw_whole(const struct gs_view *v, const struct gs_gpu *gpu)
{
	bool used = gs_part_gpu_is_used(gpu);
	struct gs_rect in = draw_box(v, used ? GS_ELEMENT_HELD : GS_ELEMENT_LIVE, 0);
	const char *what = gpu->mode == GS_MODE_WHOLE ? "whole GPU" : gs_part_mode_words(gpu, gpu->mode);
	char text[256], gib[16];
	int at;

	draw_sms(v, gpu, used ? GS_ELEMENT_HELD : GS_ELEMENT_LIVE, v->g->sm);
	at = gs_draw_printf(v->f, in, 0, 0, used ? GS_ELEMENT_HELD : GS_ELEMENT_LIVE, "%s%s", what, used ? " *" : gpu->holders_visible ? "" : " ?");
	if (gpu->memory_bytes.known)
		at += gs_draw_printf(v->f, in, 0, at, GS_ELEMENT_TEXT, "   %s GiB", gs_part_gib(gpu->memory_bytes, gib, sizeof(gib)));
	gs_draw_printf(v->f, in, 0, at, GS_ELEMENT_TEXT, "   driver %s", gpu->driver ? gpu->driver : "none");
	say_who(gpu, in.columns, text, sizeof(text));
	gs_draw_fit(v->f, in, 1, 0, in.columns, GS_ELEMENT_HOLDER, text);
	draw_reading(v, gpu, in, 2);
	draw_settings(v, gpu, in);
	if (gpu->mode_pending != GS_MODE_INVALID && gpu->mode_pending != gpu->mode) {
		snprintf(text, sizeof(text), "%s is accepted by the driver and waits%s.", gs_mode_name(gpu->mode_pending),
			 gpu->mode_needs_reset ? " for a reset of the GPU" : " until its holders let go");
		say(v, below_box(v), GS_ELEMENT_WAITING, text);
		return;
	}
	if (gpu->mode == GS_MODE_PASSTHROUGH)
		say_board(v, gpu, in, below_box(v));
	else
		say_modes(v, gpu, below_box(v));
}

/* Left without its driver by an interrupted tool. */
static void draw_stranded(const struct gs_view *v, const struct gs_gpu *gpu)
{
	struct gs_rect in = draw_box(v, GS_ELEMENT_ERROR, v->g->lost), below = { in.row + 1, in.column, in.rows - 1, in.columns };
	GS_LINES struct gs_lines l = { 0 };

	draw_sms(v, gpu, GS_ELEMENT_ERROR, v->g->lost);
	gs_draw_printf(v->f, in, 0, 0, GS_ELEMENT_ERROR, "STRANDED   driver %s", gpu->driver ? gpu->driver : "none");
	gs_lines_wrap(&l, -1, GS_ELEMENT_TEXT, "", GS_ELEMENT_TEXT, gpu->stranded, below.columns, below.rows > 0 ? (size_t)below.rows : 1);
	gs_lines_draw(v, below, &l, 0, -1);
	say(v, below_box(v), GS_ELEMENT_NOTE, v->m->read_only ? "mode whole gives it its driver back." : "M, whole: stages that it gets its driver back.");
}

static void draw_lost(const struct gs_view *v, const struct gs_gpu *gpu)
{
	struct gs_rect in = draw_box(v, GS_ELEMENT_ERROR, v->g->lost);

	draw_sms(v, gpu, GS_ELEMENT_ERROR, v->g->lost);
	gs_draw_text(v->f, in, 0, 0, GS_ELEMENT_ERROR, "LOST: the driver cannot talk to this GPU");
	gs_draw_fit(v->f, in, 1, 0, in.columns, GS_ELEMENT_TEXT, gpu->lost);
	say(v, below_box(v), GS_ELEMENT_DIM, "Nothing changes here before a reset or a reboot. The other GPUs go on.");
}

/* ---------------------------------------------------------------- places unknown: a tray */

/* "3g.40gb GI 2 *   1g.10gb GI 11 ?" */
static void list_instances(const struct gs_gpu *gpu, struct gs_strbuf *b)
{
	for (size_t i = 0; i < gpu->n_instances; i++) {
		const struct gs_instance *inst = gpu->instances[i];
		char mark = gs_part_mark(gpu, inst);

		gs_strbuf_printf(b, "%s%s GI %u", i ? "   " : "", inst->profile ? inst->profile : "?", inst->id);
		if (mark)
			gs_strbuf_printf(b, " %c", mark);
	}
	if (!gpu->n_instances)
		gs_strbuf_puts(b, "no instance is known");
}

static void draw_tray(const struct gs_view *v, const struct gs_gpu *gpu)
{
	GS_LINES struct gs_lines l = { 0 };
	GS_STRBUF struct gs_strbuf list = GS_STRBUF_INIT;
	const struct gs_profile_set *set = gs_gpu_grid(gpu, gpu->mode);
	struct gs_rect r = v->geo.grid, below = { r.row + 4, r.column, r.rows - 4, r.columns };
	int left = left_edge(v), width = right_edge(v) - left + 1;
	uint64_t sm = 0, bytes = 0;
	char gib[16], all[16], amount[48] = "", text[160];

	for (size_t i = 0; i < gpu->n_instances; i++) {
		const struct gs_profile *p = gs_profile_by_name(set, gpu->instances[i]->profile ? gpu->instances[i]->profile : "");

		sm += p && p->sm_count.known ? p->sm_count.value : 0;
		bytes += p && p->memory_bytes.known ? p->memory_bytes.value : 0;
	}
	for (uint32_t u = 0; u < set->memory_units; u++) {
		int a = gs_unit_column(&v->geo, set->memory_units, u), b = gs_unit_column(&v->geo, set->memory_units, u + 1);

		gs_draw_printf(v->f, r, 0, a + (b - a) / 2 - r.column, GS_ELEMENT_DIM, "%u", u);
	}
	gs_draw_text(v->f, r, 0, 0, GS_ELEMENT_DIM, "unit");
	gs_draw_text(v->f, r, 1, 0, GS_ELEMENT_DIM, "SM");
	gs_draw_text(v->f, r, 2, 0, GS_ELEMENT_DIM, "memory");
	gs_draw_fill(v->f, r, 1, left, 2, width, GS_ELEMENT_HIDDEN, '?');
	if (sm && gpu->sm_count.known)
		snprintf(text, sizeof(text), " %llu of %u SM given out ", (unsigned long long)sm, gpu->sm_count.value);
	else
		snprintf(text, sizeof(text), " SM unknown ");
	gs_draw_text(v->f, r, 1, left + (width - gs_text_width(text)) / 2, GS_ELEMENT_HIDDEN, text);
	/* only what is known */
	if (bytes && gpu->memory_bytes.known)
		snprintf(amount, sizeof(amount), "%s of %s GiB in ", gs_part_gib(GS_U64(bytes), gib, sizeof(gib)),
			 gs_part_gib(gpu->memory_bytes, all, sizeof(all)));
	else if (bytes)
		snprintf(amount, sizeof(amount), "%s GiB in ", gs_part_gib(GS_U64(bytes), gib, sizeof(gib)));
	snprintf(text, sizeof(text), " %s%zu instance%s, places unknown%s ", amount, gpu->n_instances, gpu->n_instances == 1 ? "" : "s",
		 v->m->privileged ? "" : " without root");
	gs_draw_text(v->f, r, 2, left + (width - gs_text_width(text)) / 2, GS_ELEMENT_HIDDEN, text);

	list_instances(gpu, &list);
	if (!list.failed)
		gs_lines_wrap(&l, -1, GS_ELEMENT_TITLE, " somewhere above:  ", GS_ELEMENT_TEXT, list.text, r.columns - 1,
			      below.rows > 4 ? (size_t)below.rows - 2 : 1);
	gs_lines_add(&l, -1, GS_ELEMENT_DIM, " * held   ? cannot see who holds it");
	if (!v->m->read_only && !v->m->privileged)
		gs_lines_add(&l, -1, GS_ELEMENT_NOTE, " Editing is off until places are known:  !  asks sudo once, then W needs no more");
	gs_lines_draw(v, below, &l, 0, -1);
}

static void draw_unread(const struct gs_view *v)
{
	struct gs_rect r = v->geo.grid;
	int left = left_edge(v), width = right_edge(v) - left + 1;

	if (v->m->snapshot) {
		say(v, 1, GS_ELEMENT_DIM, "There is no GPU to show.");
		return;
	}
	gs_draw_text(v->f, r, 1, 0, GS_ELEMENT_DIM, "SM");
	gs_draw_text(v->f, r, 3, 0, GS_ELEMENT_DIM, "memory");
	gs_draw_fill(v->f, r, 1, left, 1, width, GS_ELEMENT_DIM, v->g->unread);
	gs_draw_fill(v->f, r, 3, left, 3, width, GS_ELEMENT_DIM, v->g->unread);
	gs_draw_text(v->f, r, 4, left + width / 2 - 5, GS_ELEMENT_TEXT, v->m->agent_gone ? " not read " : " reading ");
}

void gs_part_no_grid(const struct gs_view *v, const struct gs_gpu *gpu)
{
	if (!gpu)
		draw_unread(v);
	else if (gpu->lost)
		draw_lost(v, gpu);
	else if (gpu->stranded)
		draw_stranded(v, gpu);
	else if (gs_mode_has_mig(gpu->mode))
		draw_tray(v, gpu);
	else
		draw_whole(v, gpu);
}
