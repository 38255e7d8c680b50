/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/commit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "core/compare.h"
#include "core/policy.h"
#include "core/undo.h"

/* Plans of an undo that are tried, each from a fresh look. */
#define UNDO_TRIES 3

struct commit {
	const struct gs_commit_ops *ops;
	void *userdata;
	const struct gs_commit_options *options;
	struct gs_commit_result *result;
	struct gs_error *e;
	bool is_undoing;            /* the steps are the undo's */
	bool is_ending;             /* … or start units again on the way out: the journal's failure ends nothing any more */
	struct gs_error stopped;    /* somebody asked to stop between two steps */
	bool has_gap;               /* a record could not be written */
	bool is_stuck;              /* the last step's write waits in the kernel, or nobody will know that it does: nothing more on that GPU */
};

void gs_commit_result_done(struct gs_commit_result *r)
{
	gs_plan_free(r->plan);
	memset(r, 0, sizeof(*r));
}

/* Say the same in the result and in the error. */
static int finish(struct commit *c, int errnum, enum gs_status status, const char *fmt, ...) GS_PRINTF(4, 5);
static int finish(struct commit *c, int errnum, enum gs_status status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->result->text, sizeof(c->result->text), fmt, ap);
	va_end(ap);
	c->result->status = status;
	return errnum < 0 ? gs_error_set(c->e, errnum, status, "%s", c->result->text) : 0;
}

void gs_commit_record_to_journal(const struct gs_commit_record *record, struct gs_journal_record *ret_record)
{
	struct gs_journal_record r = { .kind = record->kind, .is_undo = record->is_undo, .op = GS_STEP_INVALID, .way = GS_WAY_INVALID, .text = record->text,
				       .errnum = record->errnum };

	if (record->step) {
		r.n = record->step->n;
		r.op = record->step->op;
		r.bdf = record->step->bdf;
		r.unit = record->step->unit;
	}
	if (record->kind == GS_JOURNAL_UNDO)
		r.n_steps = (uint32_t)record->plan->n_steps;
	if (record->kind == GS_JOURNAL_END)
		r.status = GS_U32((uint32_t)record->result->status);
	*ret_record = r;
}

static int journal(struct commit *c, const struct gs_commit_record *record, struct gs_error *e)
{
	return c->ops->journal ? c->ops->journal(c->userdata, record, e) : 0;
}

static void progress(struct commit *c, enum gs_commit_event event, const struct gs_step *step, size_t n_steps, const char *note)
{
	if (c->ops->progress)
		c->ops->progress(c->userdata, event, step, n_steps, note ? note : "");
}

/* ---------------------------------------------------------------- before the first step */

/* Nothing stands against it but that it was planned for what is no longer there. */
static int stale(struct commit *c, const char *fmt, ...) GS_PRINTF(2, 3);
static int stale(struct commit *c, const char *fmt, ...)
{
	char text[sizeof(c->result->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->result->is_stale = true;
	return finish(c, -ESTALE, GS_STATUS_REFUSED, "%s", text);
}

/* What was approved is what is there: same revs, same plan. */
static int compare_revs(struct commit *c, const struct gs_plan_base *base, size_t n_base, const struct gs_snapshot *s)
{
	char label[96];

	for (size_t i = 0; i < n_base; i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu_by_bdf(s, base[i].bdf);

		if (!gpu)
			return stale(c, "GPU %" PRIu32 " has gone since the plan was made; nothing was done", base[i].gpu);
		if (!gs_digest_equal(&gpu->rev, &base[i].rev))
			return stale(c, "%s was changed by somebody else since the plan was made; nothing was done: look again", gs_gpu_label(gpu, label, sizeof(label)));
	}
	return 0;
}

static const struct gs_finding *first_of(const struct gs_plan *p, enum gs_severity severity)
{
	for (size_t i = 0; i < p->n_findings; i++)
		if (p->findings[i].severity == severity)
			return &p->findings[i];
	return NULL;
}

static int approve(struct commit *c, const struct gs_plan *p)
{
	const struct gs_finding *f;

	if (gs_plan_is_blocked(p)) {
		f = first_of(p, GS_SEVERITY_BLOCK);
		return finish(c, -EPERM, gs_plan_status(p), "%s: %s; nothing was done", f->object, f->text);
	}
	if (c->options->expect && c->options->expect->hex[0] && !gs_digest_equal(c->options->expect, &p->digest))
		return stale(c, "the plan is no longer the one that was approved (%.12s now, %.12s then): something changed in between; nothing was done", p->digest.hex,
			     c->options->expect->hex);
	if (p->n_steps && gs_plan_needs_confirmation(p) && !c->options->yes) {
		f = first_of(p, GS_SEVERITY_CONFIRM);
		return finish(c, -EPERM, GS_STATUS_REFUSED, "%s: %s; this needs a confirmation (--yes); nothing was done", f->object, f->text);
	}
	return 0;
}

/* ---------------------------------------------------------------- steps */

/* The link of a driver, of an mdev and of a VF goes first; the device comes free when whoever holds it lets go (testbench 4). */
static bool shows_too_early(enum gs_step_op op)
{
	return op == GS_STEP_UNBIND_DRIVER || op == GS_STEP_REMOVE_VGPU || op == GS_STEP_DISABLE_VFS;
}

/*
 * Tell the journal of @step. A forward step ends where that fails; an undo goes
 * on without, and says at the end that the record has a gap.
 */
static int record(struct commit *c, enum gs_journal_kind kind, const struct gs_step *step, int errnum, const char *text, struct gs_error *e)
{
	const struct gs_commit_record r = { .kind = kind, .is_undo = c->is_undoing, .step = step, .errnum = errnum, .text = text };
	struct gs_error why = { 0 };
	int rc = journal(c, &r, &why);

	if (rc >= 0)
		return 0;
	c->has_gap = true;
	if (c->is_undoing || c->is_ending)
		return 0;
	return gs_error_set(e, rc, GS_STATUS_FAILED, "the journal cannot be written: %s", why.text);
}

/* The driver's word and what is seen, together: 0 done, -EINPROGRESS waits, else -errno. */
static int verdict(int r, const struct gs_step *step, const struct gs_step_outcome *outcome, bool is_stuck)
{
	/* the kernel still has the write: that it cannot be seen yet is what is to be expected, and that it can proves nothing */
	return outcome->is_pending && (r == -EIO || (r >= 0 && (is_stuck || shows_too_early(step->op)))) ? -EINPROGRESS : r;
}

/* A wish that a driver keeps is one thing, a write that the kernel has not let in another. */
static bool has_write(const struct gs_snapshot *now, const struct gs_step *step)
{
	const struct gs_gpu *gpu = now ? gs_snapshot_gpu_by_bdf(now, step->bdf) : NULL;

	return gpu && gpu->n_writes;
}

/*
 * Do one step and prove it. -EINPROGRESS: the driver has it pending.
 * *@ret_acted (may be NULL): the driver said that it did it, so there is
 * something to be undone even if the step failed.
 */
static int run_step(struct commit *c, const struct gs_plan *p, const struct gs_step *step, bool *ret_acted, struct gs_error *e)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *now = NULL;
	struct gs_step_outcome outcome = { 0 };
	int r, recorded;

	if (ret_acted)
		*ret_acted = false;
	r = record(c, GS_JOURNAL_INTENT, step, 0, step->text, e);
	if (r < 0)
		return r;
	progress(c, GS_COMMIT_STEP_BEGINS, step, p->n_steps, NULL);
	r = c->ops->run(c->userdata, step, &outcome, e);
	if (ret_acted)
		*ret_acted = r >= 0;
	recorded = record(c, GS_JOURNAL_RESULT, step, r < 0 ? r : 0, r < 0 && e ? e->text : outcome.note, r < 0 ? NULL : e);
	if (r >= 0)
		r = recorded;
	if (r >= 0)
		r = c->ops->collect(c->userdata, &now, e);
	if (r >= 0)
		r = gs_step_check(step, now, e);
	c->is_stuck = outcome.is_pending && has_write(now, step);
	r = verdict(r, step, &outcome, c->is_stuck);
	if (r < 0 && r != -EINPROGRESS) {
		record(c, GS_JOURNAL_FAILED, step, r, e->text, NULL);
		progress(c, GS_COMMIT_STEP_FAILED, step, p->n_steps, e->text);
		return r;
	}
	if (r == -EINPROGRESS)
		gs_error_set(e, r, GS_STATUS_PENDING, "%s", outcome.note[0] ? outcome.note : "the driver has accepted it and waits");
	recorded = record(c, r == -EINPROGRESS ? GS_JOURNAL_PENDING : c->is_undoing ? GS_JOURNAL_UNDONE : GS_JOURNAL_DONE, step, 0, outcome.note, r < 0 ? NULL : e);
	/* what cannot be written down is not gone on from: the next record would hang in the air */
	c->is_stuck |= r == -EINPROGRESS && recorded < 0;
	progress(c, r == -EINPROGRESS ? GS_COMMIT_STEP_PENDING : GS_COMMIT_STEP_DONE, step, p->n_steps, outcome.note);
	return r < 0 ? r : recorded;
}

/* What is pending after its mode is set is what a later step of the plan resets it for. */
static bool is_reset_later(const struct gs_plan *p, size_t at)
{
	for (size_t i = at + 1; p->steps[at].op == GS_STEP_SET_MODE && i < p->n_steps; i++)
		if (gs_step_resets(&p->steps[i], p->steps[at].bdf))
			return true;
	return false;
}

/* Instances of @base that are back at their place under another UUID. Nobody promises the old one. */
static size_t count_new_uuids(const struct gs_snapshot *base, const struct gs_snapshot *now)
{
	size_t n = 0;

	for (size_t g = 0; g < gs_snapshot_n_gpus(base); g++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(base, g), *later = gs_snapshot_gpu_by_bdf(now, gpu->bdf);

		for (size_t i = 0; later && i < gpu->n_instances; i++) {
			const struct gs_instance *inst = gpu->instances[i];
			const struct gs_instance *back = inst->start.known && inst->profile ? gs_gpu_instance_at(later, inst->profile, inst->start.value) : NULL;

			n += back && !gs_str_equal(back->uuid, inst->uuid);
		}
	}
	return n;
}

static void record_undo(struct commit *c, const struct gs_plan *back, const char *why)
{
	const struct gs_commit_record r = { .kind = GS_JOURNAL_UNDO, .plan = back, .is_undo = true, .text = why };

	if (journal(c, &r, NULL) < 0)
		c->has_gap = true;
}

/* Do the undo's steps. One that fails ends its own GPU's; the others still get theirs. The first error is kept. */
static int run_undo(struct commit *c, const struct gs_plan *back, const char *why, struct gs_error *e)
{
	GS_FREE bool *has_failed = calloc(gs_snapshot_n_gpus(back->snapshot) + 1, sizeof(*has_failed));
	struct gs_error later;
	int first = 0;

	if (!has_failed)
		return gs_error_oom(e);
	c->is_undoing = true;
	record_undo(c, back, why);
	progress(c, GS_COMMIT_UNDO_BEGINS, NULL, back->n_steps, NULL);
	for (size_t i = 0; i < back->n_steps; i++) {
		int r = has_failed[back->steps[i].gpu] ? 0 : run_step(c, back, &back->steps[i], NULL, first ? &later : e);

		if (r >= 0 || (r == -EINPROGRESS && !c->is_stuck && is_reset_later(back, i)))
			continue;
		has_failed[back->steps[i].gpu] = true;
		first = first ? first : r;
	}
	c->is_undoing = false;
	return first;
}

/* What the undo would want a confirmation for that the plan had not got. A claim on the same VF, and a reset of the same GPU, were confirmed with the plan. */
static const struct gs_finding *first_unconfirmed(const struct gs_plan *back, const struct gs_plan *failed)
{
	for (size_t i = 0; i < back->n_findings; i++) {
		const struct gs_finding *f = &back->findings[i];
		bool was_confirmed = false;

		if (f->severity != GS_SEVERITY_CONFIRM)
			continue;
		for (size_t k = 0; k < failed->n_findings && (gs_str_equal(f->rule, gs_rule_name(GS_RULE_CLAIM)) || gs_str_equal(f->rule, gs_rule_name(GS_RULE_RESET))); k++)
			was_confirmed |= failed->findings[k].severity == GS_SEVERITY_CONFIRM && gs_str_equal(failed->findings[k].rule, f->rule) &&
					 gs_str_equal(failed->findings[k].object, f->object);
		if (!was_confirmed)
			return f;
	}
	return NULL;
}

/* Put everything back. 0: as before, but for *@ret_new_uuids instances. Otherwise -errno and why in @e; a last look may have found @differences. */
static int undo(struct commit *c, const struct gs_plan *failed, size_t done, const char *why, size_t *ret_new_uuids, struct gs_strbuf *differences, struct gs_error *e)
{
	/* who let a GPU be reset on the way there lets it be reset on the way back */
	const struct gs_plan_options options = { .allow_reset = gs_plan_has_reset(failed), .recovers = failed->recovers };

	/* a second look and try: what failed once for a passing reason need not leave debris */
	for (int tries = 0;; tries++) {
		GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *now = NULL;
		GS_CLEANUP(gs_plan_freep) struct gs_plan *back = NULL;
		const struct gs_finding *f;
		int r;

		r = c->ops->collect(c->userdata, &now, e);
		if (r >= 0)
			r = gs_undo_plan(failed, done, now, &options, &back, e);
		if (r < 0)
			return r;
		/* it must never disturb somebody whom the plan did not name, nor anybody whom it cannot see */
		if (gs_plan_is_blocked(back))
			return gs_error_set(e, -EPERM, GS_STATUS_NOT_UNDONE, "%s", first_of(back, GS_SEVERITY_BLOCK)->text);
		f = first_unconfirmed(back, failed);
		if (f)
			return gs_error_set(e, -EPERM, GS_STATUS_NOT_UNDONE, "%s", f->text);
		if (!back->n_steps) {
			*ret_new_uuids = count_new_uuids(failed->snapshot, now);
			return gs_compare_undone(failed, now, GS_COMPARE_SENTENCE, differences) ? gs_error_set(e, -EIO, GS_STATUS_NOT_UNDONE, "the machine is not what it was") : 0;
		}
		if (tries == UNDO_TRIES)
			return gs_error_set(e, -EIO, GS_STATUS_NOT_UNDONE, "the driver accepts every step of it and the machine is still not as before");
		r = run_undo(c, back, why, e);
		if (r < 0 && tries + 1 >= UNDO_TRIES)
			return r;
	}
}

/* What no undo brings back, and the preview said so. */
static const char *left_over(const struct gs_plan *p, size_t done)
{
	bool stopped = false, bound = false;

	/* who was told to stop and did not do so in time may stop yet */
	for (size_t i = 0; i <= done && i < p->n_steps; i++)
		stopped |= p->steps[i].op == GS_STEP_STOP_HOLDER;
	for (size_t i = 0; i < done; i++) {
		bound |= p->steps[i].op == GS_STEP_BIND_DRIVER && p->steps[i].undo == GS_UNDO_NONE;
	}
	if (stopped && bound)
		return "; what was stopped stays stopped, and what had no driver keeps the one it got";
	return stopped ? "; what was stopped stays stopped" : bound ? "; what had no driver keeps the one it got" : "";
}

/* Units that this plan stopped are running again on every way out (design 4), whatever else became of it. */
static void start_units(struct commit *c, const struct gs_plan *p, size_t done, char *ret_text, size_t size)
{
	size_t n = 0;

	ret_text[0] = '\0';
	for (size_t i = 0; i < p->n_steps; i++) {
		const struct gs_step *step = &p->steps[i];
		bool was_stopped = false;
		struct gs_error e = { 0 };

		if (step->op != GS_STEP_START_UNIT || i < done)
			continue;
		/* the stop that failed may have gone half-way too */
		for (size_t k = 0; k <= done && k < p->n_steps; k++)
			was_stopped |= p->steps[k].op == GS_STEP_STOP_UNIT && gs_str_equal(p->steps[k].unit, step->unit);
		c->is_ending = true;
		if (was_stopped && run_step(c, p, step, NULL, &e) < 0 && n < size)
			n += (size_t)snprintf(ret_text + n, size - n, "; unit %s could not be started again: %s", step->unit, e.text);
	}
}

/* What is otherwise than before, by a look now unless @b has it already. */
static const char *tell_differences(struct commit *c, const struct gs_plan *failed, struct gs_strbuf *b)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *now = NULL;
	GS_FREE char *list = NULL;
	struct gs_error e = { 0 };

	if (!b->length && c->ops->collect(c->userdata, &now, &e) < 0)
		gs_strbuf_printf(b, "What is otherwise than before cannot be told: %s", e.text);
	else if (!b->length && !gs_compare_undone(failed, now, GS_COMPARE_SENTENCE, b))
		gs_strbuf_puts(b, "Of the GPUs of this plan nothing is seen to be otherwise than before");
	else if (b->length) {
		list = gs_strbuf_take(b);
		*b = (struct gs_strbuf)GS_STRBUF_INIT;
		gs_strbuf_printf(b, "Otherwise than before: %s", list ? list : "?");
	}
	return b->failed ? "What is otherwise than before cannot be told for want of memory" : b->text;
}

/*
 * The step behind the first @done failed (@why): undo, and say in which state
 * the machine is. @acted: the driver said that it did it all the same.
 */
static int fail(struct commit *c, const struct gs_plan *p, size_t done, bool acted, const struct gs_error *why)
{
	GS_STRBUF struct gs_strbuf left = GS_STRBUF_INIT;
	struct gs_error undo_error = { 0 };
	char step[256], head[1400], uuids[96] = "", units[256];
	size_t new_uuids = 0, reached = done + (acted ? 1 : 0);
	int r = undo(c, p, reached, why->text, &new_uuids, &left, &undo_error);

	start_units(c, p, reached, units, sizeof(units));

	if (done < p->n_steps)
		gs_step_describe(&p->steps[done], GS_TENSE_PLAN, step, sizeof(step));
	else
		snprintf(step, sizeof(step), "the end");
	/* who stopped it between two steps knows why; nothing failed */
	if (why == &c->stopped)
		snprintf(head, sizeof(head), "%s, before step %zu of %zu (%s)", why->text, done + 1, p->n_steps, step);
	else
		snprintf(head, sizeof(head), "step %zu of %zu (%s) failed: %s", done + 1, p->n_steps, step, why->text);
	if (r < 0)
		return finish(c, why->errnum, GS_STATUS_NOT_UNDONE, "%s. Not everything could be undone: %s. %s%s; gpuslice recover shows the ways out", head, undo_error.text,
			      tell_differences(c, p, &left), units);
	c->result->undone = true;
	if (new_uuids)
		snprintf(uuids, sizeof(uuids), ", but %zu instance%s another UUID", new_uuids, new_uuids == 1 ? " has" : "s have");
	return finish(c, why->errnum, GS_STATUS_FAILED, "%s. Everything was undone: the machine is as before%s%s%s", head, uuids, left_over(p, reached), units);
}

/* A mode change that the driver holds back: what follows needs it, so it stops here and stays pending. */
static int stop_pending(struct commit *c, const struct gs_plan *p, size_t done, const struct gs_error *why)
{
	size_t left = p->n_steps - done;
	char units[256];

	start_units(c, p, done, units, sizeof(units));
	finish(c, 0, GS_STATUS_PENDING, "step %zu of %zu is accepted but pending: %s%s%s", done, p->n_steps, why->text,
	       left ? "; the steps after it were not done: run it again once the change is active" : "", units);
	return 0;
}

/* The rest of the plan does not wait for a setting that becomes active at the next reload; in a hive every GPU has to ask (interfaces 6.3). */
static bool may_go_on(const struct gs_step *step)
{
	return step->op == GS_STEP_SET_SETTING;
}

/*
 * All is done but that a unit does not come back: undoing the change would help
 * nobody, and would have to stop the others again.
 */
static int end_with_units(struct commit *c, const struct gs_plan *p, size_t at, const struct gs_error *why)
{
	char units[256];

	start_units(c, p, at + 1, units, sizeof(units));
	return finish(c, why->errnum, GS_STATUS_NOT_UNDONE, "the change itself is done, but unit %s could not be started again: %s%s; start it with systemctl start %s",
		      p->steps[at].unit, why->text, units, p->steps[at].unit);
}

/* Each step was proved when it was done; somebody else may have taken it away since: a driver that was loaded again, a reset. */
static int look_at_the_end(struct commit *c, const struct gs_plan *p)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *now = NULL;
	GS_STRBUF struct gs_strbuf lost = GS_STRBUF_INIT;
	struct gs_error e = { 0 };
	int r = c->ops->collect(c->userdata, &now, &e);

	if (r < 0)
		return finish(c, r, GS_STATUS_NOT_UNDONE, "all %zu steps were done and proved, but the machine cannot be looked at any more: %s", p->n_steps, e.text);
	if (!gs_compare_done(p, now, GS_COMPARE_SENTENCE, &lost))
		return 0;
	return finish(c, -ESTALE, GS_STATUS_NOT_UNDONE, "all %zu steps were done and proved, but at the end the machine is not as asked, so something else changed it meanwhile: %s; "
		      "look with gpuslice list, then run it again", p->n_steps, lost.failed ? "?" : lost.text);
}

/* Has the interrupted commit found the end that was asked for? A plan without steps is no proof: what it cannot see, or cannot mend, it leaves out. */
static int look_at_the_past(struct commit *c)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *now = NULL;
	GS_STRBUF struct gs_strbuf not_base = GS_STRBUF_INIT, not_target = GS_STRBUF_INIT;
	const struct gs_strbuf *left = c->options->way == GS_WAY_FINISH ? &not_target : &not_base;
	bool finishes = c->options->way == GS_WAY_FINISH;
	enum gs_past_state state;
	struct gs_error e = { 0 };
	int r = c->ops->collect(c->userdata, &now, &e);

	if (r >= 0)
		r = gs_past_judge(c->options->past, now, &state, &not_base, &not_target, &e);
	if (r < 0)
		return finish(c, r, GS_STATUS_NOT_UNDONE, "whether commit %" PRIu64 " has found its end cannot be told: %s", c->options->past->id, e.text);
	if (state == (finishes ? GS_PAST_IS_TARGET : GS_PAST_IS_BASE) || (finishes && state == GS_PAST_IS_BASE && !left->length))
		return 0;
	return finish(c, -ESTALE, GS_STATUS_NOT_UNDONE, "what could be done was done, but the GPUs of commit %" PRIu64 " are not yet %s: %.800s; gpuslice recover goes on from here",
		      c->options->past->id, finishes ? "as it was to make them" : "as before it", left->length ? left->text : "parameters or settings are otherwise");
}

static int end_done(struct commit *c, const struct gs_plan *p, size_t pending, const struct gs_error *waits)
{
	int r = p->n_steps ? look_at_the_end(c, p) : 0;

	if (r < 0)
		return r;
	if (c->options->past)
		r = look_at_the_past(c);
	if (r < 0)
		return r;
	if (pending)
		return finish(c, 0, GS_STATUS_PENDING, "done: %zu step%s, of which %zu accepted but pending: %s", p->n_steps, p->n_steps == 1 ? "" : "s", pending, waits->text);
	return finish(c, 0, GS_STATUS_OK, p->n_steps ? "done: %zu step%s" : "nothing to do: the machine is as asked", p->n_steps, p->n_steps == 1 ? "" : "s");
}

static int run_plan(struct commit *c, const struct gs_plan *p)
{
	struct gs_error why = { 0 }, waits = { 0 };
	size_t pending = 0;
	bool acted;
	int r;

	for (size_t i = 0; i < p->n_steps; i++) {
		/* once the units come back there is nothing left to stop */
		if (p->steps[i].op != GS_STEP_START_UNIT && c->ops->cancelled && c->ops->cancelled(c->userdata)) {
			gs_error_set(&c->stopped, -ECANCELED, GS_STATUS_FAILED, "stopped as asked");
			return fail(c, p, i, false, &c->stopped);
		}
		r = run_step(c, p, &p->steps[i], &acted, &why);
		if (r == -EINPROGRESS && !c->is_stuck && is_reset_later(p, i))
			r = 0;
		if (r == -EINPROGRESS && !c->is_stuck && may_go_on(&p->steps[i])) {
			waits = why;
			pending++;
			r = 0;
		}
		c->result->done = i + (r < 0 && r != -EINPROGRESS ? 0 : 1);
		/* the rest of this GPU needs the mode; other GPUs would be done twice by a second run otherwise */
		if (r == -EINPROGRESS)
			return stop_pending(c, p, i + 1, &why);
		if (r < 0)
			return p->steps[i].op == GS_STEP_START_UNIT ? end_with_units(c, p, i, &why) : fail(c, p, i, acted, &why);
	}
	return end_done(c, p, pending, &waits);
}

/* Time has passed and others were at work: the GPUs of the plan have to be as they were, and nothing may stand against it now. */
static int look_again(struct commit *c, const struct gs_commit_source *source, const struct gs_plan *p)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *now = NULL;
	GS_CLEANUP(gs_plan_freep) struct gs_plan *again = NULL;
	const struct gs_finding *f;
	struct gs_error why = { 0 };
	int r = c->ops->collect(c->userdata, &now, &why);

	if (r < 0)
		return finish(c, r, why.status, "%s; nothing was done", why.text);
	r = compare_revs(c, p->base, p->n_base, now);
	/* whoever plans again has the same programs run before it, and meets the same */
	c->result->is_stale = false;
	if (r < 0)
		return r;
	r = source->plan(source->userdata, now, &again, &why);
	if (r < 0)
		return finish(c, r, why.status, "%s; nothing was done", why.text);
	if (gs_plan_is_blocked(again))
		return finish(c, -EPERM, gs_plan_status(again), "%s: %s; nothing was done", first_of(again, GS_SEVERITY_BLOCK)->object,
			      first_of(again, GS_SEVERITY_BLOCK)->text);
	/* what was confirmed was what the review said; a later thing of that kind nobody was asked about */
	f = gs_plan_unapproved(p, again);
	if (f)
		return finish(c, -EPERM, GS_STATUS_REFUSED, "%s: %s; that came after the review, and needs a confirmation of its own: look again; nothing was done", f->object,
			      f->text);
	return 0;
}

static void add_note(struct commit *c, const char *note)
{
	size_t n = strlen(c->result->text);

	if (!note[0])
		return;
	snprintf(c->result->text + n, sizeof(c->result->text) - n, "; %s", note);
	if (c->e && c->e->errnum < 0)
		snprintf(c->e->text, sizeof(c->e->text), "%s", c->result->text);
}

/* The last word. Without it the commit looks interrupted: the next one, or recover, finds that it was not. */
static void record_end(struct commit *c, const struct gs_plan *p)
{
	const struct gs_commit_record r = { .kind = GS_JOURNAL_END, .plan = p, .text = c->result->text, .result = c->result };
	struct gs_error why = { 0 };

	if (journal(c, &r, &why) < 0) {
		add_note(c, "the end could not be written to the journal, so the next command asks about this commit");
		add_note(c, why.text);
	} else if (c->has_gap) {
		add_note(c, "the journal has a gap: not every record could be written");
	}
}

/* The plan, between what goes before and after it. */
static int carry_out(struct commit *c, const struct gs_commit_source *source, const struct gs_plan *p)
{
	const struct gs_commit_record begin = { .kind = GS_JOURNAL_BEGIN, .plan = p };
	struct gs_error why = { 0 };
	char note[512] = "";
	int r;

	if (!p->n_steps)
		return run_plan(c, p);
	r = journal(c, &begin, &why);
	if (r < 0)
		return finish(c, r, GS_STATUS_FAILED, "the journal cannot be begun: %s; nothing was done", why.text);
	if (c->ops->before)
		r = c->ops->before(c->userdata, p, &why);
	if (r < 0)
		r = finish(c, r, GS_STATUS_REFUSED, "%s; nothing was done", why.text);
	else if (c->ops->before && r > 0)
		r = look_again(c, source, p);
	if (r >= 0)
		r = run_plan(c, p);
	if (c->ops->before && c->ops->after)
		c->ops->after(c->userdata, p, c->result, note, sizeof(note));
	add_note(c, note);
	record_end(c, p);
	return r;
}

int gs_commit_run(const struct gs_commit_ops *ops, void *userdata, const struct gs_commit_source *source,
		  const struct gs_commit_options *options, struct gs_commit_result *ret_result, struct gs_error *e)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *now = NULL;
	struct gs_error why = { 0 };
	struct commit c = { .ops = ops, .userdata = userdata, .options = options, .result = ret_result, .e = e };
	int r;

	memset(ret_result, 0, sizeof(*ret_result));
	r = ops->collect(userdata, &now, &why);
	if (r < 0)
		return finish(&c, r, why.status, "%s; nothing was done", why.text);
	r = compare_revs(&c, options->base, options->n_base, now);
	if (r < 0)
		return r;
	r = source->plan(source->userdata, now, &ret_result->plan, &why);
	if (r < 0) {
		if (e)
			*e = why;
		ret_result->status = why.status;
		gs_error_format(&why, ret_result->text, sizeof(ret_result->text));
		return r;
	}
	r = approve(&c, ret_result->plan);
	return r < 0 ? r : carry_out(&c, source, ret_result->plan);
}
