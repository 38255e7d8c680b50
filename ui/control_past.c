/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control_past.c - what was done before: the list of commits, one of them, the
 * way back from it, and the end of one that never ended. What the agent has to
 * be asked for is asked without waiting; it is opened where it was asked for,
 * and nowhere else.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ui/control_internal.h"
#include "ui/model_internal.h"

#define COMMITS_MAX 200

/* ---- asking ---- */

static unsigned wish_for(struct gs_model *m, enum gs_wish wish, enum gs_session_question question, uint64_t number)
{
	m->wish = wish;
	m->wish_layer = m->layer;
	m->wish_question = m->question = question;
	m->wish_number = m->question_number = number;
	return GS_DO_ASK | GS_DO_REDRAW;
}

static unsigned ask(struct gs_model *m, enum gs_wish wish, enum gs_session_question question, uint64_t number)
{
	if (m->agent_gone)
		return gs_say_error(m, "%s", gs_control_why_no_agent(m));
	if (!m->privileged)
		return gs_say_error(m, "the journal is root's, it names people and their work: ! asks sudo");
	return wish_for(m, wish, question, number);
}

unsigned gs_control_ask_history(struct gs_model *m)
{
	return ask(m, GS_WISH_HISTORY, GS_SESSION_ASKS_JOURNAL, COMMITS_MAX);
}

unsigned gs_control_ask_undo(struct gs_model *m, uint64_t id)
{
	return ask(m, GS_WISH_UNDO, id ? GS_SESSION_ASKS_COMMIT : GS_SESSION_ASKS_JOURNAL, id ? id : COMMITS_MAX);
}

unsigned gs_control_ask_recover(struct gs_model *m, uint64_t id)
{
	id = id ? id : gs_model_interrupted(m);
	return ask(m, GS_WISH_RECOVER, id ? GS_SESSION_ASKS_COMMIT : GS_SESSION_ASKS_JOURNAL, id ? id : COMMITS_MAX);
}

unsigned gs_control_ask_saved(struct gs_model *m)
{
	if (m->agent_gone)
		return gs_say_error(m, "%s", gs_control_why_no_agent(m));
	return wish_for(m, GS_WISH_SAVED, GS_SESSION_ASKS_SAVED, 0);
}

unsigned gs_control_ask_causes(struct gs_model *m)
{
	return m->privileged ? ask(m, GS_WISH_CAUSES, GS_SESSION_ASKS_JOURNAL, COMMITS_MAX) : GS_DO_REDRAW;
}

unsigned gs_control_ask_past(struct gs_model *m, uint64_t id)
{
	return ask(m, GS_WISH_SHOW, GS_SESSION_ASKS_COMMIT, id);
}

static bool is_marked(const struct gs_model *m, uint64_t id)
{
	for (size_t i = 0; i < gs_snapshot_n_gpus(m->snapshot); i++)
		if (gs_snapshot_gpu(m->snapshot, i)->open_commit.id == id)
			return true;
	return false;
}

/* Somebody else has decided about the commit whose page is open: it is read again, once. */
static unsigned read_again(struct gs_model *m)
{
	uint64_t shown = m->layer == GS_LAYER_PAST && m->back ? m->back->file->commit.id : 0;

	if (!shown || !gs_control_past_is_open(m) || m->wish != GS_WISH_NONE)
		return GS_DO_NOTHING;
	if (is_marked(m, shown)) {
		m->reread_commit = 0;
		return GS_DO_NOTHING;
	}
	if (m->reread_commit == shown)
		return GS_DO_NOTHING;
	m->reread_commit = shown;
	return gs_control_ask_past(m, shown);
}

/* Shown by itself while nobody has begun anything else; after that it is only said. */
unsigned gs_control_looked(struct gs_model *m)
{
	uint64_t id = gs_model_interrupted(m);

	if (m->looks_again)
		return gs_control_look_again(m);
	if (m->is_commit_lost && !m->agent_gone)
		return gs_control_look_for_lost(m);
	/* what was said of one is over with it */
	if (!id && m->offered_commit && strstr(m->message, "was interrupted: I shows"))
		*m->message = '\0';
	if (m->snapshot && m->privileged && !m->agent_gone) {
		unsigned done = read_again(m);

		if (done)
			return done;
	}
	if (!id || id == m->offered_commit || m->read_only || !m->privileged || m->agent_gone)
		return GS_DO_NOTHING;
	m->offered_commit = id;
	if (!m->has_typed && m->layer == GS_LAYER_NONE && m->wish == GS_WISH_NONE)
		return gs_control_ask_past(m, id);
	return gs_say_error(m, "commit %" PRIu64 " was interrupted: I shows how far it came, and finishes it or takes it back", id);
}

/* ---- what came ---- */

const struct gs_journal_entry *gs_control_entry(const struct gs_model *m, uint64_t id)
{
	for (size_t i = 0; m->journal && i < m->journal->n; i++)
		if (m->journal->items[i].id == id)
			return &m->journal->items[i];
	return NULL;
}

bool gs_control_past_is_open(const struct gs_model *m)
{
	const struct gs_journal_commit *c = m->back ? &m->back->file->commit : NULL;
	const struct gs_journal_entry *entry = c ? gs_control_entry(m, c->id) : NULL;

	if (!c || (entry && entry->is_under_way))
		return false;
	return gs_journal_wants_end(c->state, c->status);
}

static unsigned open_review(struct gs_model *m, enum gs_way way)
{
	uint64_t id = m->back->file->commit.id;
	struct gs_error e = { 0 };

	if (gs_model_plan_past(m, way, &e) < 0)
		return gs_say_error(m, "%s", e.text);
	if (!m->plan->n_steps && !gs_plan_is_blocked(m->plan)) {
		gs_model_past_over(m);
		return way == GS_WAY_UNDO ? gs_say(m, "nothing to undo: all that commit %" PRIu64 " did is gone already", id)
					  : gs_say(m, "nothing to do: the machine is so already; l closes the commit");
	}
	return gs_control_show_review(m, true);
}

static uint64_t oldest_open(const struct gs_journal_list *l)
{
	for (size_t i = l->n; i-- > 0;)
		if (gs_journal_needs_recovery(l, &l->items[i]))
			return l->items[i].id;
	return 0;
}

static unsigned take_list(struct gs_model *m, enum gs_wish wish, struct json_object *answer)
{
	GS_CLEANUP(gs_journal_list_freep) struct gs_journal_list *list = NULL;
	GS_JSON struct json_object *commits = NULL;
	const struct gs_journal_entry *last;
	struct gs_error e = { 0 };
	uint64_t id;

	if (gs_session_read_journal(answer, &commits, &e) < 0 || gs_journal_list_from_json(commits, &list, &e) < 0)
		return gs_say_error(m, "%s", e.text);
	gs_journal_list_free(m->journal);
	m->journal = GS_TAKE(list);
	switch (wish) {
	case GS_WISH_UNDO:
		last = gs_journal_last_undoable(m->journal);
		return last ? gs_control_ask_undo(m, last->id) : gs_say(m, "no commit is left to be undone; H lists what there was");
	case GS_WISH_RECOVER:
		id = oldest_open(m->journal);
		return id ? gs_control_ask_recover(m, id) : gs_say(m, "nothing to recover: every commit has ended");
	case GS_WISH_LOST:
		return gs_control_take_lost(m);
	default:
		gs_layer_open(m, GS_LAYER_HISTORY);
		return GS_DO_REDRAW;
	}
}

static unsigned take_commit(struct gs_model *m, enum gs_wish wish, struct json_object *answer)
{
	struct gs_journal_file *file = NULL;
	struct gs_error e = { 0 };
	char *boot_id = NULL;

	if (gs_session_read_file(answer, &file, &boot_id, &e) < 0 || gs_model_look_back(m, file, boot_id, &e) < 0)
		return gs_say_error(m, "%s", e.text);
	/* what finished another one is undone with it */
	if (wish == GS_WISH_UNDO && m->back->file->part_of)
		return gs_control_ask_undo(m, m->back->file->part_of);
	if (wish == GS_WISH_UNDO && m->back->file->commit.state != GS_JOURNAL_IS_OPEN)
		return open_review(m, GS_WAY_UNDO);
	gs_layer_open(m, GS_LAYER_PAST);
	if (wish == GS_WISH_UNDO)
		gs_say(m, "it never ended, so it is recovered and not undone");
	else if (wish == GS_WISH_RECOVER && !gs_control_past_is_open(m))
		gs_say(m, "it has ended: there is nothing to recover");
	return GS_DO_REDRAW;
}

static unsigned left(struct gs_model *m, uint64_t id, const struct gs_error *e)
{
	if (e)
		return gs_say_error(m, "%s", e->text);
	if (m->layer == GS_LAYER_PAST && m->back && m->back->file->commit.id == id)
		gs_layer_close(m);
	gs_say(m, "commit %" PRIu64 " is closed, and the machine stays as it is; :undo %" PRIu64 " still takes back what it did", id, id);
	/* the marks on the GPUs go with the next look; the list behind is of before */
	return GS_DO_RECOLLECT | GS_DO_REDRAW | (m->layer == GS_LAYER_HISTORY ? gs_control_ask_history(m) : GS_DO_NOTHING);
}

unsigned gs_control_answered(struct gs_model *m, enum gs_session_question question, uint64_t number, struct json_object *answer, const struct gs_error *e)
{
	enum gs_wish wish = m->wish;

	if (question == GS_SESSION_ASKS_LEAVE)
		return left(m, number, e);
	if (question == GS_SESSION_ASKS_SAVE)
		return gs_control_was_saved(m, e);
	/* somebody who has gone elsewhere meanwhile is not fetched back */
	if (wish == GS_WISH_NONE || m->layer != m->wish_layer || question != m->wish_question || number != m->wish_number)
		return GS_DO_NOTHING;
	m->wish = GS_WISH_NONE;
	if (e)
		return gs_say_error(m, "%s", e->text);
	if (wish == GS_WISH_SAVED)
		return gs_control_take_saved(m, answer);
	if (wish == GS_WISH_RESTORE)
		return gs_control_take_restore(m, answer);
	if (wish == GS_WISH_CAUSES) {
		gs_control_take_causes(m, answer);
		return GS_DO_REDRAW;
	}
	return question == GS_SESSION_ASKS_JOURNAL ? take_list(m, wish, answer) : take_commit(m, wish, answer);
}

/* ---- the list ---- */

unsigned gs_control_history_key(struct gs_model *m, enum gs_action_id id)
{
	const struct gs_journal_entry *c = m->journal && m->list_row < m->journal->n ? &m->journal->items[m->list_row] : NULL;

	switch (id) {
	case GS_ACTION_OPEN:
		return c ? gs_control_ask_past(m, c->id) : GS_DO_NOTHING;
	case GS_ACTION_UNDO_COMMIT:
		if (c && c->is_under_way)
			return gs_say(m, "it is under way: it can be undone when it has ended");
		return c ? gs_control_ask_undo(m, c->id) : GS_DO_NOTHING;
	case GS_ACTION_HISTORY:
		gs_layer_close(m);
		return GS_DO_REDRAW;
	default:
		return gs_control_list_key(m, id);
	}
}

/* ---- one commit ---- */

/* It is at one of its ends: closed as what it came to, so that a later undo knows whether it did what it was to do. */
static unsigned settle(struct gs_model *m)
{
	struct gs_error e = { 0 };

	if (gs_model_plan_past(m, m->back->state == GS_PAST_IS_BASE ? GS_WAY_TAKE_BACK : GS_WAY_FINISH, &e) < 0)
		return gs_say_error(m, "%s", e.text);
	return gs_control_close_by_plan(m);
}

static unsigned leave(struct gs_model *m)
{
	uint64_t id = m->back->file->commit.id;

	if (gs_model_is_settled(m))
		return settle(m);

	/* l also walks to the right: once is not meant */
	if (m->armed_key != 'l') {
		m->armed_key = 'l';
		return gs_say(m, "press l again: commit %" PRIu64 " is closed as it is, and nothing is changed", id);
	}
	m->armed_key = 0;
	m->question = GS_SESSION_ASKS_LEAVE;
	m->question_number = id;
	return GS_DO_ASK | GS_DO_REDRAW;
}

static unsigned find_end(struct gs_model *m, enum gs_way way)
{
	if (!m->back->past)
		return gs_say_error(m, "nothing can be planned from its record: %s", m->back->why_not);
	return open_review(m, way);
}

unsigned gs_control_past_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id)
{
	bool is_open = gs_control_past_is_open(m);

	if (!m->back)
		return gs_control_list_key(m, GS_ACTION_BACK);
	if (is_open && gs_action_has_key(GS_ACTION_FINISH, ev->key))
		return find_end(m, GS_WAY_FINISH);
	if (is_open && gs_action_has_key(GS_ACTION_TAKE_BACK, ev->key))
		return find_end(m, GS_WAY_TAKE_BACK);
	if (is_open && gs_action_has_key(GS_ACTION_LEAVE_COMMIT, ev->key))
		return leave(m);
	if (id == GS_ACTION_UNDO_COMMIT) {
		if (m->back->file->commit.state == GS_JOURNAL_IS_OPEN)
			return gs_say(m, is_open ? "it never ended: f finishes it, u takes it back" : "it is under way: it can be undone when it has ended");
		if (m->back->file->part_of)
			return gs_control_ask_undo(m, m->back->file->part_of);
		return find_end(m, GS_WAY_UNDO);
	}
	if (id == GS_ACTION_RECOVER) {
		gs_layer_close(m);
		return GS_DO_REDRAW;
	}
	return gs_control_list_key(m, id);
}

/* Back from a review: what was to be decided is still to be. */
void gs_control_past_review_left(struct gs_model *m)
{
	enum gs_way way = m->past_way;

	gs_model_past_over(m);
	if (way == GS_WAY_FINISH || way == GS_WAY_TAKE_BACK)
		gs_layer_open(m, GS_LAYER_PAST);
	if (way == GS_WAY_RESTORE && m->back_to_saved)
		gs_layer_open(m, GS_LAYER_SAVED);
}
