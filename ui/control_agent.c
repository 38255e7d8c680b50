/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control_agent.c - when the agent ends: a new one, as long as they do not end
 * one after the other; and what became of a commit that the old one was
 * carrying out, which its journal knows and nobody here.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ui/control_internal.h"

#define MINUTE_MS 60000
/* Of the journal: so many may have been begun by others since ours was. */
#define NEWEST 50

const char *gs_control_why_no_agent(const struct gs_model *m)
{
	return m->agent_gone ? "no agent runs, so the machine can neither be read nor changed: A starts a new one" : NULL;
}

bool gs_control_is_writing(const struct gs_model *m)
{
	return (m->layer == GS_LAYER_WRITING || m->layer_below == GS_LAYER_WRITING) && !m->writing_ended;
}

/* "signal 9 ended the agent process", of what the session says about it. */
static void take_reason(struct gs_model *m, const char *why)
{
	const char *end = why ? strstr(why, ". ") : NULL;

	if (end)
		snprintf(m->agent_why, sizeof(m->agent_why), "%.*s", (int)(end - why), why);
	else
		snprintf(m->agent_why, sizeof(m->agent_why), "%s", why && *why ? why : "the agent has gone");
}

/* The third within a minute is the last: what kills three kills the fourth. */
static bool ends_too_often(struct gs_model *m)
{
	for (size_t i = 1; i < GS_AGENT_ENDS_MAX; i++)
		m->agent_ends[i - 1] = m->agent_ends[i];
	m->agent_ends[GS_AGENT_ENDS_MAX - 1] = m->now;
	m->n_agent_ends++;
	return m->n_agent_ends >= GS_AGENT_ENDS_MAX && m->now.ms - m->agent_ends[0].ms < MINUTE_MS;
}

/* What was being carried out has an end or it has none; nobody can tell before a new agent has looked. */
static void lose_commit(struct gs_model *m)
{
	char text[512];

	/* what is staged is what the commit was to do, until somebody goes on staging */
	m->lost_way = m->past_way == GS_WAY_INVALID ? GS_WAY_CONSOLE : m->past_way;
	m->n_lost_staged = m->past_way == GS_WAY_INVALID ? m->n_staged : 0;
	m->lost_commit = 0;
	m->is_commit_lost = true;
	snprintf(text, sizeof(text), "the agent ended in the middle of this commit (%s). How far it came stands in its journal, which a new agent reads", m->agent_why);
	gs_control_committed(m, GS_STATUS_NOT_UNDONE, text);
}

unsigned gs_control_agent_ended(struct gs_model *m, const char *why)
{
	bool was_writing = gs_control_is_writing(m);

	m->agent_gone = true;
	m->wish = GS_WISH_NONE;
	*m->agent_notice = '\0';
	take_reason(m, why);
	if (was_writing)
		lose_commit(m);
	if (ends_too_often(m))
		return gs_say_error(m, "the third agent ended within a minute: A starts another, q leaves%s (%s)",
				    m->n_staged ? ", what is staged is still there" : "", m->agent_why);
	return GS_DO_CONNECT | GS_DO_REDRAW;
}

unsigned gs_control_agent_started(struct gs_model *m, bool was_privileged, const struct gs_error *e)
{
	const char *staged = m->n_staged ? "; what is staged is still there" : "";

	if (e)
		return gs_say_error(m, "%s, and a new one cannot be started: %s. A tries again", m->agent_why, e->text);
	if (m->is_commit_lost && !m->privileged)
		return gs_say_error(m, "a new agent runs, but how far the commit came is for root to read: ! asks sudo");
	if (was_privileged && !m->privileged)
		return gs_say_error(m, "%s. A new one was started, without root: ! asks sudo%s", m->agent_why, staged);
	if (m->is_commit_lost)
		return gs_say(m, "a new agent runs, and looks how far the commit came");
	return gs_say(m, "%s. A new one was started; no commit was under way%s", m->agent_why, staged);
}

/* ---- what became of the commit ---- */

/* The commit is not open, so it has ended after all, is still being carried out, or was never begun: its record tells. */
static unsigned ask_for_lost(struct gs_model *m)
{
	m->is_commit_lost = false;
	m->question = m->wish_question = GS_SESSION_ASKS_JOURNAL;
	m->question_number = m->wish_number = NEWEST;
	m->wish = GS_WISH_LOST;
	m->wish_layer = m->layer;
	return GS_DO_ASK | GS_DO_REDRAW;
}

/* A new number; or the old one, where that was to find its end and did not. 0: it is not open. */
static uint64_t find_interrupted(const struct gs_model *m)
{
	uint64_t id = gs_model_newest_interrupted(m);
	bool recovers = m->lost_way == GS_WAY_FINISH || m->lost_way == GS_WAY_TAKE_BACK;

	return id > m->interrupted_before || recovers ? id : 0;
}

unsigned gs_control_look_for_lost(struct gs_model *m)
{
	uint64_t interrupted = find_interrupted(m);

	if (!m->privileged)
		return GS_DO_NOTHING;
	if (!interrupted)
		return ask_for_lost(m);
	m->is_commit_lost = false;
	m->lost_commit = m->offered_commit = interrupted;
	/* its own picture tells more than the one that was left standing */
	if (m->layer == GS_LAYER_WRITING)
		gs_layer_close(m);
	if (m->layer == GS_LAYER_NONE)
		return gs_control_ask_past(m, interrupted);
	return gs_say_error(m, "commit %" PRIu64 " was interrupted: I shows how far it came, and finishes it or takes it back", interrupted);
}

/* Is what is staged what that commit was of? */
static bool is_staged_still(const struct gs_model *m)
{
	return m->n_lost_staged && m->n_lost_staged == m->n_staged;
}

bool gs_control_finishes_staged(const struct gs_model *m)
{
	return m->past_way == GS_WAY_FINISH && m->back && m->back->file->commit.id == m->lost_commit && is_staged_still(m);
}

static const struct gs_journal_entry *find_lost(const struct gs_model *m)
{
	for (size_t i = 0; m->journal && i < m->journal->n && m->journal->items[i].begun.ms >= m->write_begun.ms; i++)
		if (m->journal->items[i].way == m->lost_way)
			return &m->journal->items[i];
	return NULL;
}

unsigned gs_control_take_lost(struct gs_model *m)
{
	const struct gs_journal_entry *c = find_lost(m);
	bool is_done = false;
	char text[512];

	if (!c) {
		snprintf(text, sizeof(text), "the journal has no record of it: nothing was written");
	} else if (c->is_under_way) {
		snprintf(text, sizeof(text), "commit %" PRIu64 " is still being carried out: H shows how it ends", c->id);
	} else {
		is_done = gs_u32_is(c->status, GS_STATUS_OK) || gs_u32_is(c->status, GS_STATUS_PENDING);
		snprintf(text, sizeof(text), "commit %" PRIu64 " had ended: %s", c->id, c->summary);
	}
	if (is_done && is_staged_still(m))
		gs_control_staged_is_written(m);
	snprintf(m->write_text, sizeof(m->write_text), "%s", text);
	m->write_status = is_done ? GS_STATUS_OK : GS_STATUS_FAILED;
	m->write_is_unknown = false;
	return is_done ? gs_say(m, "%s", text) : gs_say_error(m, "%s", text);
}
