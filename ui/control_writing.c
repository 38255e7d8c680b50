/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control_writing.c - a commit on its way: its progress, its outcome, the question whether it is to stop. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/control_internal.h"

void gs_control_progress(struct gs_model *m, const char *event, size_t n, size_t of, const char *text, const char *note)
{
	struct gs_progress *p = m->n_progress ? &m->progress[m->n_progress - 1] : NULL;

	/* whom the kernel waits for belongs to the step that waits */
	if (!strcmp(event, "waiting")) {
		if (!p || p->took_ms >= 0)
			return;
		snprintf(p->event, sizeof(p->event), "waiting");
		snprintf(p->waits_for, sizeof(p->waits_for), "%s", note && *note ? note : text ? text : "");
		return;
	}
	/* The end of the step that is shown as running; anything else is a line of its own. */
	if (!p || p->took_ms >= 0 || p->n != n || !strcmp(event, "begin") || !strcmp(event, "undo")) {
		struct gs_progress *grown = reallocarray(m->progress, m->n_progress + 1, sizeof(*grown));

		if (!grown)
			return;
		m->progress = grown;
		p = &grown[m->n_progress++];
		*p = (struct gs_progress){ .since = m->now, .took_ms = -1 };
	}
	p->n = n;
	p->of = of;
	snprintf(p->event, sizeof(p->event), "%s", event);
	if (text && *text)
		snprintf(p->text, sizeof(p->text), "%s", text);
	snprintf(p->note, sizeof(p->note), "%s", note ? note : "");
	*p->waits_for = '\0';
	if (strcmp(event, "begin"))
		p->took_ms = m->now.ms - p->since.ms;
	m->list_row = m->n_progress - 1;
}

unsigned gs_control_committed(struct gs_model *m, enum gs_status status, const char *text)
{
	bool is_done = status == GS_STATUS_OK || status == GS_STATUS_PENDING, is_past = m->past_way != GS_WAY_INVALID;
	bool saves = m->save_after && status == GS_STATUS_OK;
	unsigned done = GS_DO_REDRAW;

	m->writing_ended = true;
	m->writing_asks = false;
	m->write_status = status;
	snprintf(m->write_text, sizeof(m->write_text), "%s", text ? text : "");
	if (is_done)
		*m->commit_message = '\0';
	gs_model_past_over(m);
	/* what is staged beside a commit that was gone back to is still to be written */
	if (is_done && !is_past) {
		/* u stops at the commit: what is written is no longer on any list. */
		gs_model_drop_all(m);
		for (size_t i = 0; i < m->n_redo; i++)
			free(m->redo[i]);
		m->n_redo = 0;
		m->marked_gpus = 0;
	}
	gs_control_review_over(m);
	m->save_after = false;
	if (is_done)
		gs_say(m, "%s", *m->write_text ? m->write_text : "written");
	else
		gs_say_error(m, "%s", *m->write_text ? m->write_text : "not written");
	/* a machine that waits for a reset is not yet what was meant */
	return saves ? done | gs_control_save(m) : done;
}

bool gs_control_waits_in_kernel(const struct gs_model *m)
{
	/* a program that is at work cannot be left behind */
	return gs_control_is_waiting(m) && strstr(m->progress[m->n_progress - 1].waits_for, "kernel");
}

bool gs_control_is_waiting(const struct gs_model *m)
{
	const struct gs_progress *p = m->n_progress ? &m->progress[m->n_progress - 1] : NULL;

	return p && !m->writing_ended && p->took_ms < 0 && !strcmp(p->event, "waiting");
}

/* Nothing tears: the step under way is finished whatever is answered, and a write that waits in the kernel happens when its holder lets go. */
static unsigned ask_to_stop(struct gs_model *m)
{
	if (m->writing_stops)
		return gs_say(m, "it stops behind this step, and what was done is undone");
	m->writing_asks = true;
	return GS_DO_PAUSE | GS_DO_REDRAW;
}

/* Before anything else that these letters do. */
static unsigned answer_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id)
{
	if (gs_action_has_key(GS_ACTION_STOP_UNDO, ev->key)) {
		m->writing_asks = false;
		m->writing_stops = true;
		gs_say(m, gs_control_waits_in_kernel(m) ? "asked to leave it pending: it happens when its holder lets go" : "asked to stop after this step and undo");
		return GS_DO_CANCEL | GS_DO_REDRAW;
	}
	if (gs_action_has_key(GS_ACTION_GO_ON, ev->key)) {
		m->writing_asks = false;
		gs_say(m, "it goes on");
		return GS_DO_RESUME | GS_DO_REDRAW;
	}
	if (gs_control_walk(id, m->n_progress, &m->list_row))
		return GS_DO_REDRAW;
	return gs_say(m, "u stops and undoes, g goes on");
}

unsigned gs_control_writing_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id)
{
	if (!m->writing_ended && m->writing_asks)
		return answer_key(m, ev, id);
	if (gs_control_walk(id, m->n_progress, &m->list_row))
		return GS_DO_REDRAW;
	if (!m->writing_ended) {
		if (id == GS_ACTION_STOP || id == GS_ACTION_QUIT || id == GS_ACTION_BACK)
			return ask_to_stop(m);
		if (id == GS_ACTION_LEAVE) {
			if (!gs_control_waits_in_kernel(m))
				return gs_say(m, "nothing waits in the kernel: there is nothing to leave behind");
			gs_say(m, "asked to leave it pending: it happens when its holder lets go");
			return GS_DO_CANCEL | GS_DO_REDRAW;
		}
		return ev->key ? gs_say(m, "writing: Ctrl-C lets it wait behind this step, and asks") : GS_DO_NOTHING;
	}
	if (id == GS_ACTION_SAVE)
		return gs_control_ask_saved(m);
	if (id == GS_ACTION_RECOVER)
		return gs_control_ask_recover(m, 0);
	if (id == GS_ACTION_BACK || id == GS_ACTION_OPEN || id == GS_ACTION_QUIT || id == GS_ACTION_STOP) {
		gs_layer_close(m);
		gs_say(m, "%s", m->write_text);
		m->message_is_error = m->write_status != GS_STATUS_OK && m->write_status != GS_STATUS_PENDING;
	}
	return GS_DO_REDRAW;
}
