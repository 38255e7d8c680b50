/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view_writing.c - a commit on its way: what is done, what waits and for whom, what is still to come. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ui/view_parts.h"

#define SLOW_MS 2000    /* from here on a step is said to wait */

/* "0.4 s", "0:47", "1:02:10" */
static void duration(int64_t ms, char *buf, size_t size)
{
	long long s = ms > 0 ? (long long)(ms / 1000) : 0;

	if (ms < 10000)
		snprintf(buf, size, "%.1f s", ms > 0 ? (double)ms / 1000 : 0.0);
	else if (s < 3600)
		snprintf(buf, size, "%lld:%02lld", s / 60, s % 60);
	else
		snprintf(buf, size, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
}

static const char *state_of(const struct gs_model *m, const struct gs_progress *p, enum gs_element *ret)
{
	if (!strcmp(p->event, "done")) {
		*ret = GS_ELEMENT_OK;
		return "done";
	}
	if (!strcmp(p->event, "failed")) {
		*ret = GS_ELEMENT_ERROR;
		return "FAIL";
	}
	if (!strcmp(p->event, "pending")) {
		*ret = GS_ELEMENT_WAITING;
		return "PEND";
	}
	if (!strcmp(p->event, "undo")) {
		*ret = GS_ELEMENT_CONFIRM;
		return "UNDO";
	}
	*ret = GS_ELEMENT_WAITING;
	if (p->took_ms < 0 && m->write_is_unknown) {
		*ret = GS_ELEMENT_CONFIRM;
		return "?   ";
	}
	if (!strcmp(p->event, "waiting"))
		return "WAIT";
	return p->took_ms < 0 && m->now.ms - p->since.ms >= SLOW_MS ? "WAIT" : "now ";
}

static void add_progress(const struct gs_model *m, struct gs_lines *l, size_t i, int width)
{
	const struct gs_progress *p = &m->progress[i];
	char text[400], lead[24], took[24];
	enum gs_element el;
	const char *state = state_of(m, p, &el);
	int at = width - 12;

	if (!strcmp(p->event, "undo")) {
		gs_lines_wrap(l, (int)i, el, "  UNDO    ", GS_ELEMENT_TEXT, *p->text ? p->text : "going back to what was there before", width, 2);
		return;
	}
	if (!strcmp(p->event, "hook")) {
		snprintf(text, sizeof(text), "%.100s: %.290s", p->text, p->note);
		gs_lines_wrap(l, (int)i, GS_ELEMENT_DIM, "  HOOK    ", GS_ELEMENT_TEXT, text, width, 4);
		return;
	}
	duration(p->took_ms >= 0 ? p->took_ms : m->now.ms - p->since.ms, took, sizeof(took));
	if (p->took_ms < 0 && m->write_is_unknown)
		*took = '\0';
	snprintf(lead, sizeof(lead), "  %s %3zu  ", state, p->n);
	snprintf(text, sizeof(text), "%.*s", at - 12 > 0 ? at - 12 : 0, p->text);
	gs_lines_add(l, (int)i, GS_ELEMENT_TEXT, "%s%-*s %9s", lead, at - 10, text, took);
	if (l->n) {
		l->items[l->n - 1].lead = gs_text_width(lead);
		l->items[l->n - 1].lead_element = el;
	}
	if (!strcmp(p->event, "waiting")) {
		gs_lines_wrap(l, (int)i, el, "            ", el, *p->waits_for ? p->waits_for : "it waits, and for whom is not known", width, 3);
		/* a program at work is waited for; a write in the kernel goes on without us */
		if (strstr(p->waits_for, "kernel"))
			gs_lines_wrap(l, (int)i, el, "            ", GS_ELEMENT_TEXT,
			      	      "This write cannot be taken back: it happens when that lets go. D leaves it pending; the next run finds it again.", width, 2);
	}
	if (*p->note)
		gs_lines_wrap(l, (int)i, el, "            ", el, p->note, width, 4);
}

static void build(const struct gs_model *m, int width, struct gs_lines *l)
{
	size_t reached = 0;
	bool straight = true;

	for (size_t i = 0; i < m->n_progress; i++) {
		add_progress(m, l, i, width);
		straight = straight && strcmp(m->progress[i].event, "undo") && strcmp(m->progress[i].event, "failed");
		reached = m->progress[i].n > reached ? m->progress[i].n : reached;
	}
	/* what is to come, as long as the commit goes by its plan */
	for (size_t i = reached; straight && !m->writing_ended && m->plan && i < m->plan->n_steps; i++) {
		const struct gs_step *s = &m->plan->steps[i];

		/* as the agent names them once they are begun */
		gs_lines_add(l, -1, GS_ELEMENT_DIM, "       %3u  GPU %" PRIu32 ": %s", s->n, s->gpu, s->text ? s->text : "");
	}
}

/* The step under way is finished in any case; which one that is, and whether it has been, is said. */
static void add_question(const struct gs_model *m, struct gs_lines *l, int width)
{
	const struct gs_progress *p = m->n_progress ? &m->progress[m->n_progress - 1] : NULL;
	char text[160];

	if (!p)
		snprintf(text, sizeof(text), "The commit waits before its first step.");
	else if (p->took_ms < 0)
		snprintf(text, sizeof(text), "Step %zu of %zu still runs; the commit waits behind it.", p->n, p->of);
	else
		snprintf(text, sizeof(text), "The commit waits behind step %zu of %zu.", p->n, p->of);
	gs_lines_wrap(l, -1, GS_ELEMENT_CONFIRM, " ", GS_ELEMENT_CONFIRM, text, width, 1);
	gs_lines_add(l, -1, GS_ELEMENT_CONFIRM, " u  stop there and undo what was done (Ctrl-C again too)    g  go on");
}

/* For whom, as the agent names it once it waits; and how it ends. */
static void add_wait(const struct gs_model *m, struct gs_lines *l, int width)
{
	gs_lines_wrap(l, -1, GS_ELEMENT_WAITING, " WAITS     ", GS_ELEMENT_TEXT, *m->agent_notice ? m->agent_notice : "another commit is under way", width, 2);
	gs_lines_add(l, -1, GS_ELEMENT_CONFIRM, " %s", m->writing_stops ? "It stops waiting; nothing is written." : "Then this is written, or shown again where it changed. Esc stops waiting.");
}

/* What is being carried out, as the title begins. */
static void name_work(const struct gs_model *m, char *buf, size_t size)
{
	uint64_t id = m->back ? m->back->file->commit.id : 0;

	for (size_t i = 0; i < m->n_progress; i++) {
		if (strcmp(m->progress[i].event, "undo"))
			continue;
		snprintf(buf, size, "UNDOING");
		return;
	}
	if (m->past_way == GS_WAY_INVALID)
		snprintf(buf, size, "WRITING");
	else if (m->past_way == GS_WAY_RESTORE)
		snprintf(buf, size, "RESTORING what is saved");
	else
		snprintf(buf, size, "%s commit %" PRIu64, m->past_way == GS_WAY_FINISH ? "FINISHING" : "UNDOING", id);
}

static void draw_end(const struct gs_view *v, struct gs_rect r)
{
	const struct gs_model *m = v->m;
	GS_LINES struct gs_lines l = { 0 };
	bool ok = m->write_status == GS_STATUS_OK;

	gs_part_rule(v, r, 0, GS_ELEMENT_TITLE, NULL, NULL);
	r.row++;
	r.rows--;
	if (m->writing_ended)
		gs_lines_wrap(&l, -1, m->write_is_unknown ? GS_ELEMENT_CONFIRM : ok ? GS_ELEMENT_OK : m->write_status == GS_STATUS_PENDING ? GS_ELEMENT_WAITING : GS_ELEMENT_ERROR,
			      m->write_is_unknown ? " UNKNOWN   " : ok ? " written   " : m->write_status == GS_STATUS_PENDING ? " PENDING   " : " NOT DONE  ", GS_ELEMENT_TEXT,
			      m->write_text, r.columns - 1, 3);
	else if (m->waits_for_lock)
		add_wait(m, &l, r.columns - 1);
	else if (m->writing_asks)
		add_question(m, &l, r.columns - 1);
	else if (m->writing_stops)
		gs_lines_add(&l, -1, GS_ELEMENT_CONFIRM, " It stops behind this step, and what was done is undone.");
	else
		gs_lines_add(&l, -1, GS_ELEMENT_TEXT, " Ctrl-C: wait behind this step, and ask. A write waiting in the kernel goes on.");
	gs_lines_draw(v, r, &l, 0, -1);
}

void gs_view_writing(const struct gs_view *v)
{
	const struct gs_model *m = v->m;
	struct gs_rect r = v->geo.layer, list, end;
	GS_LINES struct gs_lines l = { 0 };
	const struct gs_progress *last = m->n_progress ? &m->progress[m->n_progress - 1] : NULL;
	char text[160], took[24], work[48];

	name_work(m, work, sizeof(work));
	gs_draw_fill(v->f, r, 0, 0, r.rows, r.columns, GS_ELEMENT_TEXT, ' ');
	if (m->writing_ended) {
		snprintf(text, sizeof(text), "WRITING  ended");
	} else if (m->waits_for_lock) {
		snprintf(text, sizeof(text), "WAITING  for another commit to end; nothing is being written");
	} else if (last) {
		duration(m->now.ms - m->progress[0].since.ms, took, sizeof(took));
		snprintf(text, sizeof(text), "%s  step %zu of %zu   %s%s", work, last->n, last->of, took, m->writing_asks && last->took_ms >= 0 ? "   WAITS FOR YOU" : "");
	} else {
		snprintf(text, sizeof(text), "%s  looking once more that nothing changed", work);
	}
	gs_part_rule(v, r, 0, GS_ELEMENT_TITLE, text, NULL);
	end = (struct gs_rect){ r.row + r.rows - 4, r.column, 4, r.columns };
	list = (struct gs_rect){ r.row + 2, r.column, r.rows - 6, r.columns };
	build(m, r.columns - 1, &l);
	gs_lines_draw(v, list, &l, gs_lines_window(&l, list.rows, m->n_progress ? (int)m->list_row : -1, 0), -1);
	draw_end(v, end);
}
