/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"

static int refuse(struct gs_error *e, const struct gs_journal_record *r, const char *why)
{
	return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "record %" PRIu64 " (%s) cannot follow: %s", r->seq, gs_journal_kind_name(r->kind), why);
}

/* ---------------------------------------------------------------- units */

static void add_unit(struct gs_journal_commit *c, const char *unit)
{
	for (size_t i = 0; i < c->n_units; i++)
		if (gs_str_equal(c->units[i], unit))
			return;
	c->units[c->n_units++] = unit;
}

static void remove_unit(struct gs_journal_commit *c, const char *unit)
{
	for (size_t i = 0; i < c->n_units; i++) {
		if (!gs_str_equal(c->units[i], unit))
			continue;
		memmove(&c->units[i], &c->units[i + 1], (c->n_units - i - 1) * sizeof(c->units[0]));
		c->n_units--;
		return;
	}
}

/* ---------------------------------------------------------------- steps */

/* Where records may be missing: the undo goes on without a journal, and so does what starts units again. */
static bool may_have_gaps(const struct gs_journal_record *r)
{
	return r->is_undo || r->op == GS_STEP_START_UNIT;
}

static bool is_open(const struct gs_journal_commit *c, const struct gs_journal_record *r)
{
	return c->is_open_step && c->open_n == r->n && c->open_is_undo == r->is_undo;
}

static void open_step(struct gs_journal_commit *c, const struct gs_journal_record *r)
{
	c->is_open_step = true;
	c->open_n = r->n;
	c->open_is_undo = r->is_undo;
	c->open_has_result = false;
	c->open_is_refused = false;
}

/* The step that the plan did not get beyond: may it have been done all the same? */
static void judge_open(struct gs_journal_commit *c)
{
	if (c->is_open_step && !c->open_is_undo && c->open_n == c->done + 1)
		c->is_uncertain = !c->open_is_refused;
}

static int take_intent(struct gs_journal_commit *c, const struct gs_journal_record *r, struct gs_error *e)
{
	if (!may_have_gaps(r) && c->is_open_step)
		return refuse(e, r, "the step before it has no verdict");
	if (!r->is_undo && r->op != GS_STEP_START_UNIT && (c->has_stopped || c->is_undoing))
		return refuse(e, r, "the plan had been given up");
	if (!r->is_undo && r->op != GS_STEP_START_UNIT && r->n != c->forward_n + 1)
		return refuse(e, r, "a step was left out");
	if (!r->is_undo && r->n <= c->forward_n)
		return refuse(e, r, "that step was tried before");
	if (r->op == GS_STEP_STOP_UNIT && r->unit && c->n_units == GS_JOURNAL_UNITS_MAX)
		return refuse(e, r, "more units are stopped than a commit may stop");
	judge_open(c);
	if (!r->is_undo)
		c->forward_n = r->n;
	if (!r->is_undo && r->op != GS_STEP_START_UNIT)
		c->tried = r->n;
	c->is_undoing |= r->is_undo;
	open_step(c, r);
	judge_open(c);
	if (r->op == GS_STEP_STOP_UNIT && r->unit)
		add_unit(c, r->unit);
	return 0;
}

/* Its step is the open one, or one whose intent could not be written. */
static int find_open(struct gs_journal_commit *c, const struct gs_journal_record *r, struct gs_error *e)
{
	if (is_open(c, r))
		return 0;
	if (!may_have_gaps(r))
		return refuse(e, r, "its step was not begun");
	if (!r->is_undo && r->n <= c->forward_n)
		return refuse(e, r, "that step is over");
	judge_open(c);
	if (!r->is_undo)
		c->forward_n = r->n;
	c->is_undoing |= r->is_undo;
	open_step(c, r);
	return 0;
}

static int take_result(struct gs_journal_commit *c, const struct gs_journal_record *r, struct gs_error *e)
{
	int rc;

	if (is_open(c, r) && c->open_has_result && !may_have_gaps(r))
		return refuse(e, r, "its step has been answered");
	rc = find_open(c, r, e);
	if (rc < 0)
		return rc;
	c->open_has_result = true;
	c->open_is_refused = r->errnum < 0;
	judge_open(c);
	return 0;
}

/* It is there, or will be. */
static int take_success(struct gs_journal_commit *c, const struct gs_journal_record *r, struct gs_error *e)
{
	int rc;

	if (r->kind == GS_JOURNAL_DONE && r->is_undo)
		return refuse(e, r, "a step of the undo is undone, not done");
	if (r->kind == GS_JOURNAL_UNDONE && !r->is_undo)
		return refuse(e, r, "only a step of the undo is undone");
	if (is_open(c, r) && !c->open_has_result && !may_have_gaps(r))
		return refuse(e, r, "its step has not been answered");
	rc = find_open(c, r, e);
	if (rc < 0)
		return rc;
	c->is_open_step = false;
	c->is_pending |= r->kind == GS_JOURNAL_PENDING;
	if (!r->is_undo && r->n == c->done + 1 && !c->has_stopped && !c->is_undoing) {
		c->done++;
		c->is_uncertain = false;
	}
	if (r->op == GS_STEP_START_UNIT && r->unit && r->kind != GS_JOURNAL_PENDING)
		remove_unit(c, r->unit);
	return 0;
}

static int take_failure(struct gs_journal_commit *c, const struct gs_journal_record *r, struct gs_error *e)
{
	int rc = find_open(c, r, e);

	if (rc < 0)
		return rc;
	/* that the driver said that it did it, or said nothing that we know of, is not taken back by a look that does not find it */
	judge_open(c);
	c->is_open_step = false;
	c->has_stopped |= !r->is_undo;
	return 0;
}

static int take_step(struct gs_journal_commit *c, const struct gs_journal_record *r, struct gs_error *e)
{
	if (!r->n || r->n > UINT32_MAX - 1)
		return refuse(e, r, "it names no step");
	if (!r->is_undo && c->n_steps && r->n > c->n_steps)
		return refuse(e, r, "the plan has no such step");
	switch (r->kind) {
	case GS_JOURNAL_INTENT:
		return take_intent(c, r, e);
	case GS_JOURNAL_RESULT:
		return take_result(c, r, e);
	case GS_JOURNAL_FAILED:
		return take_failure(c, r, e);
	default:
		return take_success(c, r, e);
	}
}

/* ---------------------------------------------------------------- the commit */

static void take_undo(struct gs_journal_commit *c)
{
	judge_open(c);
	c->is_open_step = false;
	c->has_stopped = true;
	c->is_undoing = true;
}

static void take_end(struct gs_journal_commit *c, const struct gs_journal_record *r)
{
	judge_open(c);
	c->is_open_step = false;
	c->state = GS_JOURNAL_IS_ENDED;
	c->ended = r->at;
	c->status = r->status;
	c->text = r->text;
	c->is_pending = gs_u32_is(r->status, GS_STATUS_PENDING);
}

static void take_closed(struct gs_journal_commit *c, const struct gs_journal_record *r)
{
	judge_open(c);
	c->state = GS_JOURNAL_IS_CLOSED;
	c->ended = r->at;
	c->text = r->text ? r->text : c->text;
	c->closed_way = r->way;
	c->closed_by = r->by;
}

static int take_any(struct gs_journal_commit *c, const struct gs_journal_record *r, struct gs_error *e)
{
	if (c->state == GS_JOURNAL_IS_CLOSED)
		return refuse(e, r, "the commit has been closed");
	if (c->state == GS_JOURNAL_IS_ENDED && r->kind != GS_JOURNAL_CLOSED)
		return refuse(e, r, "the commit has ended");
	switch (r->kind) {
	case GS_JOURNAL_INTENT:
	case GS_JOURNAL_RESULT:
	case GS_JOURNAL_DONE:
	case GS_JOURNAL_PENDING:
	case GS_JOURNAL_FAILED:
	case GS_JOURNAL_UNDONE:
		return take_step(c, r, e);
	case GS_JOURNAL_UNDO:
		take_undo(c);
		return 0;
	case GS_JOURNAL_END:
		take_end(c, r);
		return 0;
	case GS_JOURNAL_CLOSED:
		take_closed(c, r);
		return 0;
	case GS_JOURNAL_BEGIN:
	case GS_JOURNAL_MAX:
	case GS_JOURNAL_INVALID:
		break;
	}
	return refuse(e, r, "a commit begins once");
}

int gs_journal_take(struct gs_journal_commit *c, const struct gs_journal_record *r, struct gs_error *e)
{
	int rc;

	if (r->seq != c->last_seq + 1)
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "record %" PRIu64 " stands where %" PRIu64 " is due", r->seq, c->last_seq + 1);
	if (c->last_seq) {
		rc = take_any(c, r, e);
		if (rc < 0)
			return rc;
	} else if (r->kind == GS_JOURNAL_BEGIN) {
		*c = (struct gs_journal_commit){ .begun = r->at, .way = GS_WAY_INVALID, .closed_way = GS_WAY_INVALID };
	} else {
		return refuse(e, r, "a commit starts with its begin");
	}
	c->last_seq = r->seq;
	return 0;
}

/* ---------------------------------------------------------------- words */

bool gs_journal_wants_end(enum gs_journal_state state, struct gs_u32 status)
{
	return state == GS_JOURNAL_IS_OPEN || (state == GS_JOURNAL_IS_ENDED && gs_u32_is(status, GS_STATUS_NOT_UNDONE));
}

const char *gs_journal_label(const struct gs_journal_commit *c, char *buf, size_t size)
{
	const char *user = c->author.user, *command = c->author.command;
	char when[GS_WALL_TEXT], uid[24] = "somebody";

	if (c->author.uid.known)
		snprintf(uid, sizeof(uid), "uid %" PRIu32, c->author.uid.value);
	snprintf(buf, size, "commit %" PRIu64 " (%s, %s%s%s)", c->id, user ? user : uid, gs_wall_format(c->begun, when, sizeof(when)), command ? ", " : "",
		 command ? command : "");
	return buf;
}

const char *gs_journal_way_text(enum gs_way way, uint64_t of, char *buf, size_t size)
{
	const char *name = way == GS_WAY_FINISH ? "finish" : way == GS_WAY_TAKE_BACK ? "undo" : gs_way_name(way);

	if (of)
		snprintf(buf, size, "%s of %" PRIu64, name ? name : "?", of);
	else
		snprintf(buf, size, "%s", name ? name : "-");
	return buf;
}

/* "after step 2 of 5, step 3 may be done too" */
static void tell_progress(const struct gs_journal_commit *c, char *buf, size_t size)
{
	size_t n;

	if (c->done)
		n = (size_t)snprintf(buf, size, "after step %" PRIu32 " of %" PRIu32, c->done, c->n_steps);
	else
		n = (size_t)snprintf(buf, size, "before any of %" PRIu32 " step%s was proven", c->n_steps, c->n_steps == 1 ? "" : "s");
	if (c->is_uncertain && n < size)
		snprintf(buf + n, size - n, ", step %" PRIu32 " may be %s", c->done + 1, c->is_open_step ? "half done" : "done too");
}

static void tell_interrupted(const struct gs_journal_commit *c, char *buf, size_t size)
{
	char progress[96];

	tell_progress(c, progress, sizeof(progress));
	if (!c->is_undoing && c->n_steps && c->done == c->n_steps)
		snprintf(buf, size, "interrupted when all %" PRIu32 " step%s %s done", c->n_steps, c->n_steps == 1 ? "" : "s", c->n_steps == 1 ? "was" : "were");
	else
		snprintf(buf, size, "interrupted %s%s%s", c->is_undoing ? "in its undo, which began " : "", progress, c->is_pending ? ", what was asked for waits" : "");
}

static void tell_ended(const struct gs_journal_commit *c, char *buf, size_t size)
{
	char progress[96];

	tell_progress(c, progress, sizeof(progress));
	switch (c->status.known ? c->status.value : UINT32_MAX) {
	case GS_STATUS_OK:
		snprintf(buf, size, "done, %" PRIu32 " step%s", c->done, c->done == 1 ? "" : "s");
		return;
	case GS_STATUS_PENDING:
		snprintf(buf, size, "accepted but pending, %" PRIu32 " of %" PRIu32 " step%s", c->done, c->n_steps, c->n_steps == 1 ? "" : "s");
		return;
	case GS_STATUS_FAILED:
		snprintf(buf, size, "failed %s, undone", progress);
		return;
	case GS_STATUS_NOT_UNDONE:
		snprintf(buf, size, "failed %s, not undone", progress);
		return;
	case GS_STATUS_REFUSED:
		snprintf(buf, size, "refused, nothing done");
		return;
	case UINT32_MAX:
		snprintf(buf, size, "ended %s", progress);
		return;
	default:
		snprintf(buf, size, "ended with status %" PRIu32 " %s", c->status.value, progress);
	}
}

static void tell_closed(const struct gs_journal_commit *c, char *buf, size_t size)
{
	const char *how = c->closed_way == GS_WAY_FINISH ? "finished" : c->closed_way == GS_WAY_INVALID ? "left as it was" : "taken back";
	size_t n;

	if (c->status.known)
		tell_ended(c, buf, size);
	else
		tell_interrupted(c, buf, size);
	n = strlen(buf);
	if (c->closed_by)
		snprintf(buf + n, size - n, "; %s by commit %" PRIu64, how, c->closed_by);
	else
		snprintf(buf + n, size - n, "; %s", how);
}

const char *gs_journal_summary(const struct gs_journal_commit *c, char *buf, size_t size)
{
	switch (c->state) {
	case GS_JOURNAL_IS_OPEN:
		tell_interrupted(c, buf, size);
		break;
	case GS_JOURNAL_IS_ENDED:
		tell_ended(c, buf, size);
		break;
	case GS_JOURNAL_IS_CLOSED:
		tell_closed(c, buf, size);
		break;
	}
	return buf;
}

/* Names of GPUs in one line; more are counted. */
#define LOG_GPUS_MAX 8

const char *gs_journal_log_line(const struct gs_journal_commit *c, char *buf, size_t size)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	const struct gs_author *a = &c->author;
	char summary[200], way[48], bdf[GS_BDF_TEXT];

	gs_strbuf_printf(&b, "commit %" PRIu64 " by %s (uid ", c->id, a->user ? a->user : "somebody");
	if (a->uid.known)
		gs_strbuf_printf(&b, "%" PRIu32, a->uid.value);
	else
		gs_strbuf_puts(&b, "unknown");
	if (a->ssh_client)
		gs_strbuf_printf(&b, ", from %s", a->ssh_client);
	gs_strbuf_printf(&b, "): %s: %s", c->way == GS_WAY_INVALID ? "?" : gs_journal_way_text(c->way, c->of, way, sizeof(way)), gs_journal_summary(c, summary, sizeof(summary)));
	for (size_t i = 0; i < c->n_gpus && i < LOG_GPUS_MAX; i++)
		gs_strbuf_printf(&b, "%s %s", i ? "," : " on", gs_bdf_format(c->gpus[i].bdf, bdf));
	if (c->n_gpus > LOG_GPUS_MAX)
		gs_strbuf_printf(&b, " and %zu more", c->n_gpus - LOG_GPUS_MAX);
	if (a->message)
		gs_strbuf_printf(&b, " - %s", a->message);
	snprintf(buf, size, "%s", b.failed ? "a commit has ended" : b.text);
	gs_text_sanitize(buf);
	return buf;
}
