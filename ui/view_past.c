/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view_past.c - the commits of this machine; one of them: who, why, how far it came, how the machine stands to it, and the ways out. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "ui/view_parts.h"

#define HISTORY_FRAME 2     /* rule, heading */
#define LABEL_COLUMNS 11

/* "GPU 2, 3", by their numbers now; one that is gone by its address. */
static const char *name_gpus(const struct gs_model *m, const struct gs_bdf *bdfs, size_t n, char *buf, size_t size)
{
	char pci[GS_BDF_TEXT];
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < n && at < size; i++) {
		const struct gs_gpu *gpu = m->snapshot ? gs_snapshot_gpu_by_bdf(m->snapshot, bdfs[i]) : NULL;

		if (gpu)
			at += (size_t)snprintf(buf + at, size - at, "%s%" PRIu32, i ? ", " : "GPU ", gpu->index);
		else
			at += (size_t)snprintf(buf + at, size - at, "%s%s", i ? ", " : "GPU ", gs_part_pci(bdfs[i], pci, sizeof(pci)));
	}
	return buf;
}

/* Who asked, as shortly as can be: the name, else the number, else nobody knows. */
static const char *name_author(const struct gs_author *a, char *buf, size_t size)
{
	if (a->user)
		snprintf(buf, size, "%s", a->user);
	else if (a->uid.known)
		snprintf(buf, size, "uid %" PRIu32, a->uid.value);
	else
		snprintf(buf, size, "-");
	return buf;
}

/* ---------------------------------------------------------------- the list */

size_t gs_view_history_top(const struct gs_model *m, const struct gs_geometry *geo)
{
	return gs_part_scrolled(m->list_top, m->list_row, m->journal ? m->journal->n : 0, geo->layer.rows - HISTORY_FRAME);
}

bool gs_view_history_at(const struct gs_model *m, const struct gs_geometry *geo, int row, size_t *ret_item)
{
	size_t at;

	if (!m->journal || row < HISTORY_FRAME || row >= geo->layer.rows)
		return false;
	at = gs_view_history_top(m, geo) + (size_t)(row - HISTORY_FRAME);
	if (at >= m->journal->n)
		return false;
	*ret_item = at;
	return true;
}

static enum gs_element outcome_element(const struct gs_journal_list *l, const struct gs_journal_entry *c)
{
	if (gs_journal_needs_recovery(l, c))
		return GS_ELEMENT_BLOCK;
	if (c->is_under_way)
		return GS_ELEMENT_WAITING;
	return gs_u32_is(c->status, GS_STATUS_FAILED) ? GS_ELEMENT_CONFIRM : GS_ELEMENT_TEXT;
}

static void draw_commit(const struct gs_view *v, int row, const struct gs_journal_entry *c, bool is_chosen)
{
	struct gs_rect r = v->geo.layer;
	enum gs_element el = is_chosen ? GS_ELEMENT_SELECTED : GS_ELEMENT_TEXT;
	int who = r.columns >= 120 ? 12 : 8, way = r.columns >= 120 ? 14 : 11, gpus = r.columns >= 120 ? 16 : 9, at = 26;
	char text[320], undone[40] = "", when[GS_WALL_TEXT];
	uint64_t by = gs_journal_undone_by(v->m->journal, c);

	if (is_chosen) {
		gs_draw_fill(v->f, r, row, 0, 1, r.columns, el, ' ');
		gs_draw_text(v->f, r, row, 0, el, ">");
		gs_draw_flag(v->f, r, row, 0, 1, r.columns, GS_CELL_CURSOR);
	}
	gs_draw_printf(v->f, r, row, 2, el, "%5" PRIu64, c->id);
	/* to the minute: the whole is in the one that is opened */
	gs_wall_format(c->begun, when, sizeof(when));
	when[c->begun.ms ? 16 : 0] = '\0';
	gs_draw_text(v->f, r, row, 8, el, when);
	gs_draw_fit(v->f, r, row, at, who, el, name_author(&c->author, text, sizeof(text)));
	gs_draw_fit(v->f, r, row, at += who + 1, way, el, gs_journal_way_text(c->way, c->of, text, sizeof(text)));
	gs_draw_fit(v->f, r, row, at += way + 1, gpus, el, name_gpus(v->m, c->gpus, c->n_gpus, text, sizeof(text)));
	at += gpus + 1;
	/* what became of it since comes first: there may be room for little */
	if (by)
		snprintf(undone, sizeof(undone), "undone by %" PRIu64 ": ", by);
	snprintf(text, sizeof(text), "%s%s%.200s%s%s%s", undone, c->is_under_way ? "UNDER WAY: " : "", c->summary, c->author.message ? "   \"" : "",
		 c->author.message ? c->author.message : "", c->author.message ? "\"" : "");
	gs_draw_fit(v->f, r, row, at, r.columns - at, is_chosen ? el : outcome_element(v->m->journal, c), text);
}

void gs_view_history(const struct gs_view *v)
{
	const struct gs_journal_list *l = v->m->journal;
	struct gs_rect r = v->geo.layer;
	int who = r.columns >= 120 ? 12 : 8, way = r.columns >= 120 ? 14 : 11, gpus = r.columns >= 120 ? 16 : 9;
	size_t top = gs_view_history_top(v->m, &v->geo), n = l ? l->n : 0;
	char text[128];

	gs_draw_fill(v->f, r, 0, 0, r.rows, r.columns, GS_ELEMENT_TEXT, ' ');
	snprintf(text, sizeof(text), "HISTORY  %zu commit%s", n, n == 1 ? "" : "s");
	gs_part_rule(v, r, 0, GS_ELEMENT_TITLE, text, "the newest first");
	if (!n) {
		gs_draw_text(v->f, r, 2, 1, GS_ELEMENT_TEXT, "Nothing has been committed here yet.");
		return;
	}
	snprintf(text, sizeof(text), "     id begun (UTC)       %-*s%-*s%-*soutcome", who + 1, "who", way + 1, "by", gpus + 1, "on");
	gs_draw_fit(v->f, r, 1, 0, r.columns, GS_ELEMENT_DIM, text);
	for (int row = HISTORY_FRAME; row < r.rows && top + (size_t)(row - HISTORY_FRAME) < n; row++) {
		size_t i = top + (size_t)(row - HISTORY_FRAME);

		draw_commit(v, row, &l->items[i], i == v->m->list_row);
	}
}

/* ---------------------------------------------------------------- one commit */

static void labelled(struct gs_lines *l, const char *label, enum gs_element el, const char *text, int width, size_t max)
{
	char lead[LABEL_COLUMNS + 24];

	if (!text || !*text)
		return;
	snprintf(lead, sizeof(lead), " %-*s", LABEL_COLUMNS - 1, label);
	gs_lines_wrap(l, -1, GS_ELEMENT_DIM, lead, el, text, width, max);
}

static void add_author(const struct gs_model *m, struct gs_lines *l, int width)
{
	const struct gs_journal_commit *c = &m->back->file->commit;
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT, gpus = GS_STRBUF_INIT;
	char text[160], when[GS_WALL_TEXT];

	gs_strbuf_printf(&b, "%s%s%s, %s", name_author(&c->author, text, sizeof(text)), c->author.ssh_client ? " from " : "",
			 c->author.ssh_client ? c->author.ssh_client : "", gs_wall_format(c->begun, when, sizeof(when)));
	gs_strbuf_printf(&b, ", by %s", gs_journal_way_text(c->way, c->of, text, sizeof(text)));
	labelled(l, "who", GS_ELEMENT_TEXT, b.text, width, 2);
	labelled(l, "with", GS_ELEMENT_TEXT, c->author.command, width, 2);
	labelled(l, "why", GS_ELEMENT_TEXT, c->author.message, width, 3);
	for (size_t i = 0; i < c->n_gpus; i++)
		gs_strbuf_printf(&gpus, "%s%s", i ? ", " : "", name_gpus(m, &c->gpus[i].bdf, 1, text, sizeof(text)));
	labelled(l, "on", GS_ELEMENT_TEXT, gpus.text, width, 2);
}

/* What its records say of a step, by the last of them. */
static const char *step_state(const struct gs_journal_file *f, uint32_t n, enum gs_element *ret)
{
	enum gs_journal_kind last = GS_JOURNAL_INVALID;
	bool was_undone = gs_u32_is(f->commit.status, GS_STATUS_FAILED);

	for (size_t i = 0; i < f->n_records; i++)
		if (!f->records[i].is_undo && f->records[i].n == n)
			last = f->records[i].kind;
	*ret = GS_ELEMENT_OK;
	if (last == GS_JOURNAL_DONE)
		return was_undone ? "undone" : "done";
	*ret = GS_ELEMENT_WAITING;
	if (last == GS_JOURNAL_PENDING)
		return was_undone ? "undone" : "pending";
	*ret = GS_ELEMENT_ERROR;
	if (last == GS_JOURNAL_FAILED)
		return "failed";
	*ret = GS_ELEMENT_CONFIRM;
	if (last == GS_JOURNAL_INTENT || last == GS_JOURNAL_RESULT)
		return was_undone ? "undone" : "half done?";
	*ret = GS_ELEMENT_DIM;
	return "not done";
}

static void add_steps(const struct gs_model *m, struct gs_lines *l, int width)
{
	const struct gs_plan *p = m->back->past ? m->back->past->plan : NULL;
	bool many = p && gs_part_many_gpus(p);

	gs_lines_add(l, -1, GS_ELEMENT_TEXT, "%s", "");
	if (!p) {
		gs_lines_wrap(l, -1, GS_ELEMENT_ERROR, " ", GS_ELEMENT_TEXT, m->back->why_not, width, 3);
		return;
	}
	gs_lines_add(l, -1, GS_ELEMENT_TITLE, " STEPS");
	for (size_t i = 0; i < p->n_steps; i++) {
		const struct gs_step *s = &p->steps[i];
		GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
		enum gs_element el;
		const char *state = step_state(m->back->file, s->n, &el);
		char lead[32], gpu[64];

		snprintf(lead, sizeof(lead), " %-10s %3u  ", state, s->n);
		if (many)
			gs_strbuf_printf(&b, "%s  ", name_gpus(m, &s->bdf, 1, gpu, sizeof(gpu)));
		gs_strbuf_puts(&b, s->text ? s->text : "");
		if (!b.failed)
			gs_lines_wrap(l, -1, el, lead, GS_ELEMENT_TEXT, b.text, width, 2);
	}
}

/* How the machine stands to it. Differences are said where something is to be decided by them. */
static void add_machine(const struct gs_model *m, struct gs_lines *l, int width)
{
	const struct gs_look_back *b = m->back;
	const struct gs_journal_commit *c = &b->file->commit;

	if (!b->past || !m->snapshot)
		return;
	gs_lines_add(l, -1, GS_ELEMENT_TEXT, "%s", "");
	gs_lines_add(l, -1, GS_ELEMENT_TITLE, " THE MACHINE NOW");
	if (!b->past->is_same_boot)
		gs_lines_wrap(l, -1, GS_ELEMENT_CONFIRM, " ", GS_ELEMENT_CONFIRM, "It was started again since: what was on its GPUs may be gone.", width, 2);
	if (b->state == GS_PAST_IS_TARGET)
		gs_lines_wrap(l, -1, GS_ELEMENT_OK, " ", GS_ELEMENT_TEXT, "It is as the commit was to make it.", width, 2);
	else if (b->state == GS_PAST_IS_BASE)
		gs_lines_wrap(l, -1, GS_ELEMENT_OK, " ", GS_ELEMENT_TEXT, "It is as before the commit.", width, 2);
	if (b->state != GS_PAST_IS_BASE)
		gs_lines_wrap(l, -1, GS_ELEMENT_DIM, " otherwise than before it:    ", GS_ELEMENT_TEXT, b->not_base.length ? b->not_base.text : "nothing that can be seen", width, 8);
	if (b->state != GS_PAST_IS_TARGET)
		gs_lines_wrap(l, -1, GS_ELEMENT_DIM, " otherwise than it was to be: ", GS_ELEMENT_TEXT, b->not_target.length ? b->not_target.text : "nothing that can be seen", width,
			      6);
	for (size_t i = 0; i < c->n_units; i++)
		gs_lines_add(l, -1, GS_ELEMENT_CONFIRM, " unit %s is stopped by it", c->units[i]);
	if (gs_model_past_waits(m))
		gs_lines_wrap(l, -1, GS_ELEMENT_WAITING, " ", GS_ELEMENT_WAITING, "A write of it still waits in the kernel: what is seen is not the last word.", width, 2);
}

static void build(const struct gs_model *m, int width, struct gs_lines *l)
{
	const struct gs_journal_commit *c = &m->back->file->commit;

	add_author(m, l, width);
	labelled(l, "outcome", c->status.known && !gs_u32_is(c->status, GS_STATUS_OK) ? GS_ELEMENT_CONFIRM : GS_ELEMENT_TEXT, c->text, width, 4);
	if (*m->back->file->damage)
		labelled(l, "damage", GS_ELEMENT_CONFIRM, m->back->file->damage, width, 3);
	add_steps(m, l, width);
	add_machine(m, l, width);
}

size_t gs_view_past_top(const struct gs_model *m, const struct gs_geometry *geo)
{
	GS_LINES struct gs_lines l = { 0 };

	if (!m->back)
		return 0;
	build(m, gs_part_body(geo).columns - 1, &l);
	return gs_part_prose_top(m, geo, &l);
}

/* The ways out, at the bottom whatever is scrolled. */
static void draw_ask(const struct gs_view *v)
{
	const struct gs_model *m = v->m;
	const struct gs_journal_commit *c = &m->back->file->commit;
	struct gs_rect r = gs_part_ask(&v->geo);

	gs_part_rule(v, r, 0, GS_ELEMENT_TITLE, NULL, NULL);
	if (!gs_control_past_is_open(m)) {
		gs_draw_text(v->f, r, 1, 1, GS_ELEMENT_TEXT,
			     c->state == GS_JOURNAL_IS_OPEN ? "It is under way." : "U undoes it, with a review of its own; nothing is done before.");
		return;
	}
	if (gs_model_is_settled(m)) {
		gs_draw_fit(v->f, r, 1, 1, r.columns - 2, GS_ELEMENT_OK, "Nothing is left to be recovered: l closes it, and nothing is changed.");
		return;
	}
	gs_draw_fit(v->f, r, 1, 1, r.columns - 2, GS_ELEMENT_CONFIRM, "f  finish it    u  undo what it did    l  leave it as it is    Esc  later");
	gs_draw_fit(v->f, r, 2, 1, r.columns - 2, GS_ELEMENT_DIM, "f and u show their plan first; nothing is done before y. I comes back here.");
}

void gs_view_past(const struct gs_view *v)
{
	const struct gs_model *m = v->m;
	struct gs_rect r = v->geo.layer;
	GS_LINES struct gs_lines l = { 0 };
	char text[320], summary[256];

	gs_draw_fill(v->f, r, 0, 0, r.rows, r.columns, GS_ELEMENT_TEXT, ' ');
	if (!m->back)
		return;
	snprintf(text, sizeof(text), "COMMIT %" PRIu64 "  %s", m->back->file->commit.id, gs_journal_summary(&m->back->file->commit, summary, sizeof(summary)));
	gs_part_rule(v, r, 0, gs_control_past_is_open(m) ? GS_ELEMENT_BLOCK : GS_ELEMENT_TITLE, text, NULL);
	build(m, r.columns - 1, &l);
	gs_lines_draw(v, gs_part_body(&v->geo), &l, gs_part_prose_top(m, &v->geo, &l), -1);
	draw_ask(v);
}
