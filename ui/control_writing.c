/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control_writing.c - a commit on its way: its progress, its outcome, the question whether it is to stop. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/control_internal.h"
#include "ui/model_internal.h"

void gs_control_progress(struct gs_model *m, const char *event, size_t n, size_t of, const char *text, const char *note)
{
	struct gs_progress *p = m->n_progress ? &m->progress[m->n_progress - 1] : NULL;

	/* the other commit has ended, and this one is at work */
	m->waits_for_lock = false;
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

unsigned gs_control_send(struct gs_model *m, bool waits)
{
	free(m->progress);
	m->progress = NULL;
	m->n_progress = 0;
	m->writing_ended = m->writing_asks = m->writing_stops = m->looks_again = m->write_is_unknown = false;
	m->waits_for_lock = waits;
	m->write_begun = m->wall;
	m->interrupted_before = gs_model_newest_interrupted(m);
	m->write_status = GS_STATUS_OK;
	m->write_text[0] = '\0';
	return GS_DO_COMMIT | GS_DO_REDRAW;
}

/* ---- another commit is under way ---- */

/* Nothing was sent to the machine, and what was agreed to still is: w goes on with it. */
static unsigned refused_by_lock(struct gs_model *m)
{
	char *option = strstr(m->write_text, ": --wait");

	/* what is an option of the commands is w here */
	if (option)
		snprintf(option, sizeof(m->write_text) - (size_t)(option - m->write_text), ".");
	if (!m->writing_stops)
		return gs_say_error(m, "another commit is under way");
	gs_control_review_over(m);
	gs_layer_close(m);
	gs_control_past_review_left(m);
	return gs_say(m, "no longer waiting; nothing was done%s", m->n_staged ? ", what is staged is still there" : "");
}

static unsigned wait_for_lock(struct gs_model *m)
{
	/* what is staged follows the machine, which is in between: whether what was agreed to still stands, and what blocks, is seen when the other has ended */
	const char *why = m->request && m->plan && m->privileged && !m->agent_gone ? NULL : gs_control_why_not_writable(m);

	return why ? gs_say_error(m, "%s", why) : gs_control_send(m, true);
}

unsigned gs_control_look_again(struct gs_model *m)
{
	struct gs_error e = { 0 };
	enum gs_way way = m->past_way;

	m->looks_again = false;
	if (m->layer != GS_LAYER_WRITING)
		return GS_DO_NOTHING;
	gs_layer_close(m);
	/* a plan under way stood still */
	if (gs_model_evaluate(m, &e) < 0)
		return gs_say_error(m, "%s", e.text);
	if (way != m->past_way)
		return GS_DO_REDRAW;    /* it cannot be made any more, which was said */
	if (!m->plan->n_steps && !gs_plan_is_blocked(m->plan)) {
		gs_control_review_over(m);
		gs_control_past_review_left(m);
		return gs_say(m, "the other commit has done it: nothing is left to be written");
	}
	gs_control_show_review(m, true);
	return gs_say_error(m, "the other commit changed what this plan is made from; nothing was written. Look again");
}

/* What a refusal for the lock left standing ends with its picture. */
static void give_up_waiting(struct gs_model *m)
{
	m->looks_again = false;
	if (m->write_status != GS_STATUS_LOCKED && m->write_status != GS_STATUS_REFUSED)
		return;
	gs_model_past_over(m);
	gs_control_review_over(m);
}

/* ---- its outcome ---- */

/* u stops at the commit: what is written is no longer on any list. */
void gs_control_staged_is_written(struct gs_model *m)
{
	gs_model_drop_all(m);
	for (size_t i = 0; i < m->n_redo; i++)
		free(m->redo[i]);
	m->n_redo = 0;
	m->marked_gpus = 0;
	m->n_lost_staged = 0;
}

static bool was_changed_meanwhile(struct gs_model *m, enum gs_status status)
{
	return m->waits_for_lock && status == GS_STATUS_REFUSED && !m->n_progress;
}

unsigned gs_control_committed(struct gs_model *m, enum gs_status status, const char *text)
{
	bool is_done = status == GS_STATUS_OK || status == GS_STATUS_PENDING, writes_staged = m->past_way == GS_WAY_INVALID || gs_control_finishes_staged(m);
	bool saves = m->save_after && status == GS_STATUS_OK;
	unsigned done = GS_DO_REDRAW;

	m->writing_ended = true;
	m->writing_asks = false;
	m->looks_again = was_changed_meanwhile(m, status);
	m->waits_for_lock = false;
	*m->agent_notice = '\0';
	m->write_status = status;
	m->write_is_unknown = m->is_commit_lost;
	m->has_written |= is_done;
	snprintf(m->write_text, sizeof(m->write_text), "%s", text ? text : "");
	if (m->looks_again)
		return gs_say_error(m, "%s", m->write_text);
	if (status == GS_STATUS_LOCKED)
		return refused_by_lock(m);
	if (is_done)
		*m->commit_message = '\0';
	gs_model_past_over(m);
	/* what is staged beside a commit that was gone back to is still to be written */
	if (is_done && writes_staged)
		gs_control_staged_is_written(m);
	gs_control_review_over(m);
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

/* Nothing is being written yet: to go back is to stop waiting. */
static unsigned lock_key(struct gs_model *m, enum gs_action_id id)
{
	if (id != GS_ACTION_STOP && id != GS_ACTION_QUIT && id != GS_ACTION_BACK)
		return gs_say(m, m->writing_stops ? "it stops waiting" : "waiting for another commit: Esc stops waiting");
	if (m->writing_stops)
		return GS_DO_NOTHING;
	m->writing_stops = true;
	return GS_DO_CANCEL | GS_DO_REDRAW;
}

unsigned gs_control_writing_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id)
{
	if (m->waits_for_lock)
		return ev->key ? lock_key(m, id) : GS_DO_NOTHING;
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
	if (m->write_status == GS_STATUS_LOCKED && gs_action_has_key(GS_ACTION_WAIT, ev->key))
		return wait_for_lock(m);
	if (id == GS_ACTION_SAVE || id == GS_ACTION_RECOVER)
		give_up_waiting(m);
	if (id == GS_ACTION_SAVE)
		return gs_control_ask_saved(m);
	if (id == GS_ACTION_RECOVER)
		return gs_control_ask_recover(m, 0);
	if (id == GS_ACTION_BACK || id == GS_ACTION_OPEN || id == GS_ACTION_QUIT || id == GS_ACTION_STOP) {
		give_up_waiting(m);
		gs_layer_close(m);
		gs_say(m, "%s", m->write_text);
		m->message_is_error = m->write_status != GS_STATUS_OK && m->write_status != GS_STATUS_PENDING;
	}
	return GS_DO_REDRAW;
}
