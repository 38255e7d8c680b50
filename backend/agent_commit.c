/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's writing half. The core runs the commit as one call; wherever it
 * waits for the collector or a process, the client's messages are served, so
 * hello and cancel are answered and snapshots wait until it has ended. A client
 * that goes away does not stop it: a plan that was approved is finished, or taken
 * back where the client had asked for that.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "backend/agent_hooks.h"
#include "backend/agent_journal.h"
#include "backend/agent_lock.h"
#include "backend/agent_save.h"
#include "backend/agent_state.h"
#include "backend/agent_steps.h"
#include "backend/collect.h"
#include "backend/lock.h"
#include "backend/published.h"
#include "codec/plan_json.h"
#include "codec/request.h"
#include "codec/snapshot_json.h"
#include "codec/step_json.h"
#include "core/commit.h"

#define BASE_MAX 1024
#define ASKED_MAX 64
#define TERM_MS 30000
#define KILL_MS 5000
#define LOOK_MS 50
#define PAUSE_MS 100
#define GONE_MS 2000
#define PUBLISH_MS 60000
/* A mode change takes seconds, a reset up to a minute. */
#define UNUSUAL_MS 60000

/* One commit call. */
struct run {
	struct gs_agent *agent;
	struct gs_request *request;
	struct gs_digest expect;
	struct gs_plan_base *base;
	size_t n_base;
	bool yes;
	const char *command;                /* what the operator ran; borrowed; NULL: not said */
	struct gs_u32 wait_seconds;         /* for another commit to end */
	struct gs_agent_hooks hooks;
	struct gs_agent_journal journal;
	struct gs_bdf asked[ASKED_MAX];     /* GPUs that we asked others to let go of */
	size_t n_asked;
	bool others_hold;                   /* they did not in time */
	struct gs_snapshot *last;           /* the newest look, to name who is in the way */
	size_t n_steps;                     /* of the plan under way */
};

static void run_done(struct run *c)
{
	for (size_t i = 0; i < c->n_asked; i++)
		gs_yield_release(gs_machine_root(c->agent->machine), c->asked[i]);
	gs_agent_hooks_done(&c->hooks);
	gs_agent_journal_done(&c->journal);
	gs_request_free(c->request);
	free(c->base);
	gs_agent_unlock(c->agent);
	gs_snapshot_unref(c->last);
}

static int parse_base(struct json_object *o, struct run *c, struct gs_error *e)
{
	struct json_object *list = NULL;
	size_t n;
	int r = gs_json_get_array(o, "base", &list, e);

	if (r < 0 || !list)
		return r;
	n = json_object_array_length(list);
	if (n > BASE_MAX)
		return gs_error_set(e, -E2BIG, GS_STATUS_INVALID, "a commit over more than %d GPUs", BASE_MAX);
	c->base = calloc(n ? n : 1, sizeof(*c->base));
	if (!c->base)
		return gs_error_oom(e);
	for (size_t i = 0; i < n; i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		const char *bdf = NULL, *rev = NULL;

		if (!json_object_is_type(item, json_type_object))
			return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "base: an element is no object");
		r = gs_json_get_string(item, "bdf", &bdf, e);
		if (r == 0)
			r = gs_json_get_string(item, "rev", &rev, e);
		if (r < 0)
			return r;
		if (!bdf || !rev || gs_bdf_parse(bdf, &c->base[i].bdf) < 0 || strlen(rev) >= sizeof(c->base[i].rev.hex))
			return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "base: an element names no GPU");
		snprintf(c->base[i].rev.hex, sizeof(c->base[i].rev.hex), "%s", rev);
		c->base[i].gpu = (uint32_t)i;
	}
	c->n_base = n;
	return 0;
}

/* What is only written down. */
static int parse_record(struct json_object *o, struct run *c, struct gs_error *e)
{
	const char *way = NULL, *on_hangup = NULL;
	int r = gs_json_get_string(o, "message", &c->journal.message, e);

	if (r == 0)
		r = gs_json_get_string(o, "ssh_client", &c->journal.ssh_client, e);
	if (r == 0)
		r = gs_json_get_string(o, "way", &way, e);
	if (r == 0)
		r = gs_json_get_string(o, "on_hangup", &on_hangup, e);
	if (r < 0)
		return r;
	c->hooks.message = c->journal.message;
	c->journal.way = way ? gs_way_from_name(way) : GS_WAY_APPLY;
	if (c->journal.way == GS_WAY_INVALID)
		return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "way: no way in which a commit comes about");
	if (on_hangup && strcmp(on_hangup, "finish") != 0 && strcmp(on_hangup, "undo") != 0)
		return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "on_hangup: neither finish nor undo");
	c->journal.undo_on_hangup = on_hangup && on_hangup[0] == 'u';
	return 0;
}

static int parse_call(struct json_object *o, struct run *c, struct gs_error *e)
{
	struct json_object *request = NULL;
	const char *expect = NULL;
	int r = gs_json_get_object(o, "request", &request, e);

	if (r == 0 && !request)
		return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "a commit without a request");
	if (r == 0)
		r = gs_request_from_json(request, &c->request, e);
	if (r == 0)
		r = gs_json_get_string(o, "expect", &expect, e);
	if (r == 0)
		r = gs_json_get_bool(o, "yes", false, &c->yes, e);
	if (r == 0)
		r = parse_record(o, c, e);
	if (r == 0)
		r = gs_json_get_string(o, "command", &c->command, e);
	if (r == 0)
		r = gs_json_get_u32(o, "wait_seconds", &c->wait_seconds, e);
	if (r == 0)
		r = parse_base(o, c, e);
	if (r < 0)
		return r;
	if (c->wait_seconds.value > GS_LOCK_WAIT_SECONDS_MAX)
		return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "wait_seconds: more than %d", GS_LOCK_WAIT_SECONDS_MAX);
	if (expect && strlen(expect) >= sizeof(c->expect.hex))
		return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "expect: no digest of a plan");
	if (expect)
		snprintf(c->expect.hex, sizeof(c->expect.hex), "%s", expect);
	return 0;
}

/* An answer of the collector's that a commit waits for; @step is NULL for a look at the machine. */
struct asking {
	struct run *run;
	const struct gs_step *step;
	uint64_t said_ms;
	bool said_stop;
};

/* No other end than the driver's: killing a process that is in it frees nothing, and what it does goes on (design 5). */
static void nvml_waits(void *userdata, uint64_t waited_ms)
{
	struct asking *asking = userdata;
	const struct gs_agent *a = asking->run->agent;
	const struct gs_agent_at at = { asking->step, asking->run->n_steps, NULL };
	bool stops = a->is_cancelled || a->must_end;
	char since[GS_WALL_TEXT], text[256];

	/* whoever asked to stop hears at once why it does not */
	if (stops && !asking->said_stop)
		asking->said_ms = 0;
	asking->said_stop = stops;
	gs_wall_format((struct gs_wall){ gs_wall_now().ms - (int64_t)waited_ms }, since, sizeof(since));
	if (stops)
		snprintf(text, sizeof(text), "the driver is still at it, since %s; then it stops, and what was done is undone. A call of the driver cannot be interrupted", since);
	else
		snprintf(text, sizeof(text), "the driver is still at it, since %s%s; Ctrl-C asks whether to stop behind this step", since,
			 waited_ms >= UNUSUAL_MS ? ", which is longer than usual: dmesg may say why" : "");
	gs_agent_say_waiting(asking->run->agent, &at, text, waited_ms, &asking->said_ms);
}

static int op_collect(void *userdata, struct gs_snapshot **ret_snapshot, struct gs_error *e)
{
	GS_JSON struct json_object *o = NULL;
	struct run *c = userdata;
	struct asking asking = { .run = c };
	const struct gs_agent_patience patience = { nvml_waits, &asking };
	int r = gs_agent_ask(c->agent, "collect", gs_collector_collect_params(false, true, false), &patience, &o, e);

	if (r == 0)
		r = gs_snapshot_from_json(o, ret_snapshot, e);
	if (r < 0)
		return r;
	gs_snapshot_unref(c->last);
	c->last = gs_snapshot_ref(*ret_snapshot);
	return 0;
}

static bool wait_for_end(struct run *c, const struct gs_step *step, int ms)
{
	struct gs_monotonic since = gs_monotonic_now();

	while (gs_machine_process_exists(c->agent->machine, step->pid, step->start_time)) {
		if (gs_elapsed_ms(since) >= ms || c->agent->is_cancelled)
			return false;
		gs_agent_pause(c->agent, LOOK_MS);
	}
	return true;
}

/* SIGTERM and time to tidy up; SIGKILL only when the operator said so (design 4). */
static int stop_holder(struct run *c, const struct gs_step *step, struct gs_error *e)
{
	struct gs_machine *machine = c->agent->machine;
	int r = gs_machine_signal(machine, step->pid, step->start_time, SIGTERM);

	if (r == -ESRCH)
		return 0;
	if (r < 0)
		return gs_error_set(e, r, GS_STATUS_FAILED, "%s could not be asked to end: %s. It is still running", step->target, strerror(-r));
	if (wait_for_end(c, step, TERM_MS))
		return 0;
	if (c->agent->is_cancelled)
		return gs_error_set(e, -ECANCELED, GS_STATUS_FAILED, "stopped as asked; %s was sent SIGTERM and has not ended yet", step->target);
	if (!step->kill)
		return gs_error_set(e, -ETIMEDOUT, GS_STATUS_FAILED,
				    "%s did not end within %d s of SIGTERM and is still running. Stop it yourself, or allow SIGKILL with --kill", step->target,
				    TERM_MS / 1000);
	r = gs_machine_signal(machine, step->pid, step->start_time, SIGKILL);
	if (r == -ESRCH || (r == 0 && wait_for_end(c, step, KILL_MS)))
		return 0;
	return gs_error_set(e, r < 0 ? r : -ETIMEDOUT, GS_STATUS_FAILED, "%s did not end on SIGKILL either; it waits in the kernel and is still there",
			    step->target);
}

static bool is_asked(const struct run *c, struct gs_bdf bdf)
{
	for (size_t i = 0; i < c->n_asked; i++) {
		if (gs_bdf_compare(c->asked[i], bdf) == 0)
			return true;
	}
	return false;
}

/* Our own collector goes too; the next question starts a fresh one, which is then NVML's only client of ours. */
static int clear_the_way(struct run *c, struct gs_bdf bdf, struct gs_error *e)
{
	struct gs_root *root = gs_machine_root(c->agent->machine);
	struct gs_monotonic since = gs_monotonic_now();
	int r;

	if (!is_asked(c, bdf)) {
		r = gs_yield_ask(root, bdf, e);
		if (r < 0)
			return r;
		if (c->n_asked < ASKED_MAX)
			c->asked[c->n_asked++] = bdf;
	}
	gs_agent_stop_collector(c->agent, false);
	for (;;) {
		r = gs_yield_all_gone(root);
		c->others_hold = r == 0;
		if (r != 0 || gs_elapsed_ms(since) >= GONE_MS)
			return 0;       /* the driver decides; whoever holds it is named */
		gs_agent_pause(c->agent, LOOK_MS);
	}
}

static void name_holders(const struct run *c, const struct gs_step *step, struct gs_step_outcome *outcome)
{
	const struct gs_gpu *gpu = c->last ? gs_snapshot_gpu_by_bdf(c->last, step->bdf) : NULL;
	size_t n = strlen(outcome->note), named = 0;

	if (c->others_hold)
		n += (size_t)snprintf(outcome->note + n, sizeof(outcome->note) - n, "; another gpuslice still looks at the GPUs");
	for (size_t i = 0; gpu && i < gpu->n_holders && n < sizeof(outcome->note); i++) {
		char label[96];

		if (gpu->holders[i]->yields)
			continue;
		n += (size_t)snprintf(outcome->note + n, sizeof(outcome->note) - n, "%s%s", named++ ? ", " : "; it is held by ",
				      gs_holder_label(gpu->holders[i], label, sizeof(label)));
	}
}

static int run_by_collector(struct run *c, const struct gs_step *step, struct gs_step_outcome *ret_outcome, struct gs_error *e)
{
	GS_JSON struct json_object *answer = NULL;
	struct json_object *params = json_object_new_object(), *o = gs_step_to_json(step);
	struct asking asking = { .run = c, .step = step };
	const struct gs_agent_patience patience = { nvml_waits, &asking };
	int r, pid;

	if (!params || !o) {
		json_object_put(params);
		json_object_put(o);
		return gs_error_oom(e);
	}
	json_object_object_add(params, "step", o);
	r = gs_agent_call_begins(c->agent, step, &pid, e);
	if (r < 0) {
		json_object_put(params);
		return r;
	}
	r = gs_agent_ask(c->agent, "run", params, &patience, &answer, e);
	gs_agent_call_ended(c->agent, step, pid);
	return r == 0 ? gs_outcome_from_json(answer, ret_outcome, e) : r;
}

static int op_run(void *userdata, const struct gs_step *step, struct gs_step_outcome *ret_outcome, struct gs_error *e)
{
	struct run *c = userdata;
	int r = 0;

	if (step->op == GS_STEP_STOP_HOLDER)
		return stop_holder(c, step, e);
	if (gs_agent_step_needs_nobody(step, c->last))
		r = clear_the_way(c, step->bdf, e);
	for (size_t i = 0; r == 0 && i < step->n_peers; i++)
		r = clear_the_way(c, step->peers[i], e);
	if (r < 0)
		return r;
	if (gs_agent_takes_step(step))
		return gs_agent_run_step(c->agent, &(struct gs_agent_at){ step, c->n_steps, c->last }, ret_outcome, e);
	r = run_by_collector(c, step, ret_outcome, e);
	if (r == 0 && ret_outcome->is_pending)
		name_holders(c, step, ret_outcome);
	return r;
}

static void op_progress(void *userdata, enum gs_commit_event event, const struct gs_step *step, size_t n_steps, const char *note)
{
	static const char *const words[] = {
		[GS_COMMIT_STEP_BEGINS] = "begin", [GS_COMMIT_STEP_DONE] = "done", [GS_COMMIT_STEP_PENDING] = "pending",
		[GS_COMMIT_STEP_FAILED] = "failed", [GS_COMMIT_UNDO_BEGINS] = "undo",
	};
	struct json_object *o = json_object_new_object();
	struct run *c = userdata;
	char text[256] = "";

	_Static_assert(GS_ARRAY_SIZE(words) == GS_COMMIT_MAX_EVENT, "a word for each event");
	c->n_steps = n_steps;
	if (!o)
		return;
	if (step)
		gs_agent_step_text(step, event == GS_COMMIT_STEP_BEGINS ? GS_TENSE_RUNNING : event == GS_COMMIT_STEP_DONE ? GS_TENSE_DONE : GS_TENSE_PLAN, text,
				 sizeof(text));
	gs_json_add_string(o, "event", words[event]);
	gs_json_add_u64(o, "n", GS_U64(step ? step->n : 0));
	gs_json_add_u64(o, "of", GS_U64(n_steps));
	gs_json_add_string(o, "text", text);
	gs_json_add_string(o, "note", note);
	gs_rpc_notify(c->agent->client, "progress", o);
}

/*
 * Between two steps: did somebody ask to stop? A client that went away said
 * beforehand what is to be done then; one that thinks about it is waited for.
 */
static bool op_cancelled(void *userdata)
{
	struct run *c = userdata;
	struct gs_agent *a = c->agent;

	/* a cancel may lie in the socket, or a signal wait, while no step does */
	gs_agent_take_messages(a);
	gs_agent_take_signals(a);
	while (a->is_paused && !a->is_cancelled && !a->client_gone)
		gs_agent_pause(a, PAUSE_MS);
	a->is_paused = false;
	if (a->client_gone && c->journal.undo_on_hangup)
		a->is_cancelled = true;
	return a->is_cancelled;
}

static int op_journal(void *userdata, const struct gs_commit_record *record, struct gs_error *e)
{
	struct run *c = userdata;

	return gs_agent_journal_record(&c->journal, record, e);
}

static int make_plan(void *userdata, const struct gs_snapshot *s, struct gs_plan **ret_plan, struct gs_error *e)
{
	struct run *c = userdata;

	return gs_request_plan(c->request, s, ret_plan, e);
}

static int op_before(void *userdata, const struct gs_plan *plan, struct gs_error *e)
{
	struct run *c = userdata;

	return gs_agent_hooks_before(&c->hooks, plan, e);
}

static void op_after(void *userdata, const struct gs_plan *plan, const struct gs_commit_result *result, char *ret_note, size_t size)
{
	struct run *c = userdata;

	gs_agent_hooks_after(&c->hooks, plan, result, ret_note, size);
}

static const struct gs_commit_ops commit_ops = {
	.collect = op_collect,
	.run = op_run,
	.journal = op_journal,
	.progress = op_progress,
	.cancelled = op_cancelled,
	.before = op_before,
	.after = op_after,
};

static int prepare(struct run *c, struct json_object *params, struct gs_error *e)
{
	int r = parse_call(params, c, e);

	if (r < 0)
		return r;
	r = gs_machine_check_root(c->agent->machine, "changing this machine", e);
	if (r < 0)
		return r;
	c->journal.request = c->request;
	c->journal.command = c->command;
	r = gs_agent_lock(c->agent, c->command, c->wait_seconds.value, e);
	return r < 0 ? r : gs_agent_journal_prepare(c->agent, c->request, e);
}

static void publish(struct gs_agent *a, const struct gs_snapshot *s)
{
	GS_JSON struct json_object *o = gs_snapshot_to_json(s, 0);
	struct gs_error e = { 0 };
	struct gs_digest digest;
	const char *text;
	size_t n = 0;

	text = o ? json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN, &n) : NULL;
	if (!text)
		return;
	digest = gs_digest_of(text, n);
	/* once a minute even when equal: its age tells viewers that it is kept fresh */
	if (a->has_published && gs_digest_equal(&digest, &a->published) && gs_elapsed_ms(a->last_published) < PUBLISH_MS)
		return;
	a->has_published = true;
	a->published = digest;
	a->last_published = gs_monotonic_now();
	/* a disk that is full is nobody's business here, a policy that nobody can read is */
	if (gs_published_write(gs_machine_root(a->machine), s, gs_wall_now(), &e) == -EBADMSG || e.errnum == -EPERM)
		gs_agent_notice(a, "%s", e.text);
}

static void commit(struct gs_agent *a, int64_t id, struct json_object *params)
{
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
	struct run c = { .agent = a, .hooks.agent = a, .journal.agent = a };
	struct gs_commit_source source = { make_plan, &c };
	struct gs_commit_options options;
	struct json_object *answer;
	struct gs_error e = { 0 };

	a->is_committing = true;
	a->is_cancelled = false;
	if (prepare(&c, params, &e) < 0) {
		a->is_committing = a->is_cancelled = false;
		a->watch_due = a->watching;
		run_done(&c);
		gs_rpc_fail(a->client, id, &e);
		return;
	}
	options = (struct gs_commit_options){ .expect = c.expect.hex[0] ? &c.expect : NULL, .base = c.base, .n_base = c.n_base, .yes = c.yes };
	if (c.request->kind == GS_REQUEST_PAST && c.request->way != GS_WAY_UNDO) {
		options.past = c.request->past;
		options.way = c.request->way;
	}
	/* what came together with the call, a cancel too, lies in our buffer, where no poll sees it; whatever comes later is taken by who waits */
	gs_agent_take_messages(a);
	/* a collection under way would answer in between */
	gs_agent_stop_collector(a, false);
	gs_commit_run(&commit_ops, &c, &source, &options, &result, &e);
	gs_agent_journal_settle(&c.journal, &result);
	/* whoever watches sees what became of the machine before hearing that it is done: nothing may be staged on the old picture */
	if (!gs_agent_show_outcome(a) && c.last)
		publish(a, c.last);
	/* whoever hears that it has ended may begin the next one */
	run_done(&c);
	answer = gs_commit_result_to_json(&result);
	if (answer)
		gs_rpc_reply(a->client, id, answer);
	a->is_committing = false;
	a->is_cancelled = false;
	a->watch_due = a->watching;
}

const struct gs_agent_writer gs_agent_writer = { commit, publish, gs_agent_save };

/* A process of its own that nobody talks to: standard error is where its timer unit looks. */
static int say(const struct gs_error *e)
{
	char text[1300];

	dprintf(STDERR_FILENO, "gpuslice: %s\n", gs_error_format(e, text, sizeof(text)));
	return e->status;
}

static int publish_once(struct gs_machine *machine, struct gs_error *e)
{
	const struct gs_collect_options options = { .fresh = true };
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	GS_CLEANUP(gs_collect_freep) struct gs_collect *collect = NULL;
	GS_CLEANUP(gs_yield_freep) struct gs_yield *yield = NULL;
	GS_CLOSE int held = -1;
	uint32_t pid;
	int r;

	r = gs_machine_check_root(machine, "publishing what this machine looks like", e);
	if (r == 0 && gs_machine_is_read_only(machine))
		r = gs_error_set(e, -EROFS, GS_STATUS_REFUSED, "this machine is only looked at. Nothing was written");
	if (r < 0)
		return r;
	yield = gs_yield_new(gs_machine_root(machine), true);
	if (!yield)
		return gs_error_oom(e);
	/* a commit is under way and publishes itself */
	if (gs_yield_is_asked(yield, &pid))
		return 0;
	held = gs_yield_hold(gs_machine_root(machine), true);
	r = gs_collect_new(machine, &collect, e);
	if (r == 0)
		r = gs_collect_snapshot(collect, &options, &s, e);
	return r == 0 ? gs_published_write(gs_machine_root(machine), s, gs_wall_now(), e) : r;
}

int gs_agent_publish_once(const struct gs_machine_options *options)
{
	GS_CLEANUP(gs_machine_closep) struct gs_machine *machine = NULL;
	struct gs_error e = { 0 };

	if (gs_machine_open(options, &machine, &e) < 0 || publish_once(machine, &e) < 0)
		return say(&e);
	return GS_STATUS_OK;
}
