/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control_review.c - the last look before a write, the word that is typed, and the full text of a finding. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/control_internal.h"
#include "ui/model_internal.h"

/* ---- a finding in full ---- */

unsigned gs_control_open_explain(struct gs_model *m, size_t row)
{
	struct gs_plan_item item;
	size_t n = m->plan ? m->plan->n_findings : 0;

	if (row == SIZE_MAX) {
		/* Not on a finding: the first one about this GPU is what the operator looks at. */
		for (row = 0; row < n && m->plan->findings[row].gpu != m->gpu; row++)
			;
		if (row == n)
			row = 0;
		if (!n)
			return gs_say(m, "there is nothing to explain: the plan has no findings");
	}
	item = gs_model_plan_item(m, row);
	switch (item.kind) {
	case GS_PLAN_ITEM_FINDING:
		m->plan_row = row;
		gs_layer_open(m, GS_LAYER_EXPLAIN);
		return GS_DO_REDRAW;
	case GS_PLAN_ITEM_STEP:
		return gs_say(m, "%s", m->plan->steps[item.index].text);
	case GS_PLAN_ITEM_STAGED:
		if (m->staged[item.index].stale)
			return gs_say_error(m, "%s: no longer holds: %s", m->staged[item.index].text, m->staged[item.index].stale);
		return gs_say(m, "staged: %s   (x drops it)", m->staged[item.index].text);
	case GS_PLAN_ITEM_NONE:
		break;
	}
	return gs_say(m, "there is nothing to explain here");
}

/* ---- the review ---- */

const char *gs_control_why_not_writable(const struct gs_model *m)
{
	if (m->agent_gone)
		return gs_control_why_no_agent(m);
	if (!m->privileged)
		return "writing needs root: ! asks sudo, what is staged stays";
	if (!m->request || !m->plan)
		return "nothing that is staged holds any more: x drops it";
	if (gs_plan_is_blocked(m->plan))
		return "W is off until nothing blocks: x drops a change, e explains";
	if (!m->plan->n_steps)
		return "there is nothing to write: the machine is so already";
	return NULL;
}

unsigned gs_control_open_review(struct gs_model *m, bool writes)
{
	if (!m->n_staged)
		return gs_say(m, "nothing is staged: c creates, d deletes, v selects, : takes commands");
	return gs_control_show_review(m, writes);
}

unsigned gs_control_show_review(struct gs_model *m, bool writes)
{
	const char *why;

	gs_layer_open(m, GS_LAYER_REVIEW);
	gs_control_set_input(m, "");
	m->review_writes = writes;
	gs_model_review_sync(m);
	if (m->plan)
		m->review_digest = m->plan->digest;
	why = gs_control_why_not_writable(m);
	if (writes && why)
		return gs_say_error(m, "%s", why);
	return GS_DO_REDRAW;
}

/* What has no step needs no review: nothing is written but the journal. */
unsigned gs_control_close_by_plan(struct gs_model *m)
{
	if (!m->plan || m->plan->n_steps || gs_plan_is_blocked(m->plan))
		return gs_control_show_review(m, true);
	m->review_digest = m->plan->digest;
	gs_layer_open(m, GS_LAYER_WRITING);
	return gs_control_send(m, false);
}

/* The only way to a commit that has steps. @word: what was typed and ended with Enter; NULL: y. */
static unsigned begin_write(struct gs_model *m, const char *word)
{
	/* What is stored is what is shown; what decides is made from the plan, here and now. */
	gs_model_review_sync(m);
	if (m->layer != GS_LAYER_REVIEW || (gs_model_needs_word(m) && (!word || !*word || strcmp(word, m->confirm_word))))
		return GS_DO_REDRAW;
	gs_control_set_input(m, "");
	m->confirm_word[0] = '\0';
	gs_layer_open(m, GS_LAYER_WRITING);
	return gs_control_send(m, false);
}

/* What was looked at is what is written: a plan that another hand changed meanwhile is looked at first. */
static bool is_what_was_reviewed(struct gs_model *m)
{
	if (gs_digest_equal(&m->review_digest, &m->plan->digest))
		return true;
	m->review_digest = m->plan->digest;
	gs_control_set_input(m, "");
	gs_say_error(m, "the machine changed meanwhile and this plan with it: look again");
	return false;
}

/* Everything that must be true before either y or the typed word counts. */
static bool may_write(struct gs_model *m)
{
	const char *why = gs_control_why_not_writable(m);

	if (why)
		gs_say_error(m, "%s", why);
	else if (!m->review_writes)
		gs_say(m, "p only looks: W writes");
	else
		return is_what_was_reviewed(m);
	return false;
}

static unsigned confirm(struct gs_model *m)
{
	if (!may_write(m))
		return GS_DO_REDRAW;
	gs_model_review_sync(m);
	if (gs_model_needs_word(m))
		return gs_say(m, "somebody's work stops: type %s", m->confirm_word);
	return begin_write(m, NULL);
}

static unsigned confirm_typed(struct gs_model *m)
{
	if (!may_write(m))
		return GS_DO_REDRAW;
	gs_model_review_sync(m);
	if (!gs_model_needs_word(m))
		return gs_say(m, "Enter writes nothing: y does, Esc goes back");
	if (strcmp(m->input, m->confirm_word)) {
		snprintf(m->input_error, sizeof(m->input_error), "type %s, exactly", m->confirm_word);
		return gs_say_error(m, "not written: type %s, exactly", m->confirm_word);
	}
	return begin_write(m, m->input);
}

static unsigned toggle_kill(struct gs_model *m)
{
	struct gs_error e = { 0 };
	bool was = m->allow_kill;

	m->allow_kill = !was;
	if (gs_model_evaluate(m, &e) < 0) {
		m->allow_kill = was;
		return gs_say_error(m, "%s", e.text);
	}
	/* His own change: he is looking at it. */
	m->review_digest = m->plan->digest;
	return m->allow_kill ? gs_say(m, "SIGKILL is allowed after 30 s   (^K takes that back)")
			     : gs_say(m, "SIGTERM only: who stays after 30 s stops the commit   (^K allows SIGKILL)");
}

static unsigned drop_reviewed(struct gs_model *m)
{
	struct gs_plan_item item = gs_model_plan_item(m, m->list_row);

	if (m->past_way != GS_WAY_INVALID)
		return gs_say(m, "this is one %s, all of it: Esc goes back, what is staged stays", m->past_way == GS_WAY_RESTORE ? "layout" : "commit");
	if (item.kind != GS_PLAN_ITEM_STAGED)
		return gs_say(m, "x drops a staged command: go to one at the end of the list");
	gs_model_drop(m, item.index);
	if (!m->n_staged) {
		gs_control_review_over(m);
		gs_layer_close(m);
		return gs_say(m, "nothing is staged any more");
	}
	m->review_digest = m->plan->digest;
	if (m->list_row >= gs_model_n_plan_items(m))
		m->list_row = gs_model_n_plan_items(m) - 1;
	return gs_say(m, "dropped   (r brings it back)");
}

bool gs_control_expects_word(const struct gs_model *m)
{
	return m->layer == GS_LAYER_REVIEW && m->review_writes && *m->confirm_word && !gs_control_why_not_writable(m);
}

/* While a word is typed, letters are letters, whatever else they do elsewhere. */
static bool is_typing(const struct gs_model *m, const struct gs_event *ev)
{
	if (!gs_control_expects_word(m) || ev->key >= GS_KEY_SPECIAL)
		return false;
	if (ev->key == GS_KEY_BACKSPACE)
		return true;
	if (ev->key < GS_KEY_SPACE)
		return ev->key == GS_KEY_CTRL('u') || ev->key == GS_KEY_CTRL('w');
	return true;
}

void gs_control_review_over(struct gs_model *m)
{
	m->save_after = false;
	if (!m->allow_kill)
		return;
	m->allow_kill = false;
	if (m->snapshot)
		gs_model_evaluate(m, NULL);
}

static unsigned leave_review(struct gs_model *m)
{
	gs_control_review_over(m);
	gs_layer_close(m);
	gs_control_past_review_left(m);
	return GS_DO_REDRAW;
}

unsigned gs_control_review_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id)
{
	m->input_error[0] = '\0';
	if (is_typing(m, ev)) {
		gs_control_edit_line(m, ev);
		return GS_DO_REDRAW;
	}
	if (ev->key == GS_KEY_ENTER)
		return confirm_typed(m);
	if (ev->key == 'y')
		return confirm(m);
	if (gs_action_has_key(GS_ACTION_MESSAGE, ev->key))
		return gs_control_open_message(m);
	if (gs_control_walk(id, gs_control_list_length(m), &m->list_row))
		return GS_DO_REDRAW;
	switch (id) {
	case GS_ACTION_BACK:
	case GS_ACTION_QUIT:
	case GS_ACTION_STOP:
		return leave_review(m);
	case GS_ACTION_WRITE:
		if (!m->review_writes)
			return gs_control_open_review(m, true);
		return *m->confirm_word ? gs_say(m, "type %s, then Enter", m->confirm_word) : gs_say(m, "y writes");
	case GS_ACTION_KILL:
		return toggle_kill(m);
	case GS_ACTION_SAVE:
		if (m->past_way == GS_WAY_RESTORE)
			return gs_say(m, "this is what is saved");
		m->save_after = !m->save_after && m->review_writes;
		return m->save_after ? gs_say(m, "saved for boot as well, once it is written   (S takes that back)") : gs_say(m, "not saved for boot   (S does, once it is written)");
	case GS_ACTION_EXPLAIN:
	case GS_ACTION_NEXT_PANE:
		return gs_control_open_explain(m, m->list_row);
	case GS_ACTION_DROP:
		return drop_reviewed(m);
	case GS_ACTION_SETTINGS:       /* the same letter */
	case GS_ACTION_SAVE_SCRIPT:
		if (m->past_way != GS_WAY_INVALID)
			return gs_say(m, "a script is of what is staged; the same as this is the command at the end");
		gs_control_review_over(m);
		return gs_control_open_save(m, false);
	case GS_ACTION_ROOT:
		return m->privileged ? GS_DO_NOTHING : GS_DO_SUDO;
	default:
		return GS_DO_NOTHING;
	}
}
