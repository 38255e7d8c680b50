/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/agent_state.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>

#include "codec/snapshot_json.h"

#define YIELD_LOOK_MS 1000
#define FAILURE_PAUSE_MS 1000
#define PUBLISH_LOOK_MS 10000
#define PATIENCE_LOOK_MS 1000

#define YIELD_PATIENCE_MS 3000

static void fail_jobs(struct gs_agent *a, const struct gs_error *e)
{
	for (size_t i = 0; i < a->n_jobs; i++)
		gs_rpc_fail(a->client, a->jobs[i].id, e);
	a->n_jobs = 0;
}

static void let_go(struct gs_agent *a, bool may_kill, char *ret_how, size_t size)
{
	int pid = gs_collector_stop(a->collector, may_kill, ret_how, size);

	a->collector = NULL;
	gs_agent_reap(a);
	if (pid && a->n_strays < GS_AGENT_STRAYS_MAX)
		a->strays[a->n_strays++] = pid;
}

void gs_agent_reap(struct gs_agent *a)
{
	size_t kept = 0;

	for (size_t i = 0; i < a->n_strays; i++) {
		if (waitpid(a->strays[i], NULL, WNOHANG) == 0)
			a->strays[kept++] = a->strays[i];
	}
	a->n_strays = kept;
}

void gs_agent_stop_collector(struct gs_agent *a, bool may_kill)
{
	if (!a->collector)
		return;
	let_go(a, may_kill, NULL, 0);
	/* what was asked stays in jobs[]; a watch is due again */
	if (a->asked && a->asked_watch)
		a->watch_due = true;
	a->asked = 0;
	a->client_is_current = false;
}

/* The collector has gone by itself: who waits is told, the watch goes on with a new one after a pause. */
static void collector_died(struct gs_agent *a, struct gs_error *ret_error)
{
	char how[80];

	let_go(a, true, how, sizeof(how));
	a->asked = 0;
	a->client_is_current = false;
	a->failures++;
	a->last_failure = gs_monotonic_now();
	gs_error_set(ret_error, -EPIPE, GS_STATUS_UNREACHABLE,
		     "the collector, which talks to the driver, ended unexpectedly (%s). It is started again; look at dmesg when this repeats", how);
}

int gs_agent_start_collector(struct gs_agent *a, struct gs_error *e)
{
	int r;

	if (a->collector)
		return 0;
	r = gs_collector_start(a->machine, &a->collector, e);
	if (r < 0) {
		a->failures++;
		a->last_failure = gs_monotonic_now();
	}
	return r;
}

static bool is_watch_due(const struct gs_agent *a)
{
	return a->watching && (a->watch_due || gs_uevent_due_ms(a->uevents) == 0 || gs_elapsed_ms(a->last_watch) >= a->interval_ms);
}

static bool must_pause(const struct gs_agent *a)
{
	return a->failures && gs_elapsed_ms(a->last_failure) < FAILURE_PAUSE_MS;
}

/* A mode change takes a second or two; who still waits after that is told why, and does not sit there mute. */
static void say_who_is_writing(struct gs_agent *a)
{
	struct gs_error e;
	size_t kept = 0;

	if (!a->n_jobs || gs_elapsed_ms(a->yield_since) < YIELD_PATIENCE_MS)
		return;
	gs_error_set(&e, -EWOULDBLOCK, GS_STATUS_LOCKED, "a commit by pid %u is under way and has asked everybody to let go of the GPUs: wait for it to end",
		     a->yield_pid);
	for (size_t i = 0; i < a->n_jobs; i++) {
		if (gs_elapsed_ms(a->jobs[i].since) < a->jobs[i].wait_ms)
			a->jobs[kept++] = a->jobs[i];
		else
			gs_rpc_fail(a->client, a->jobs[i].id, &e);
	}
	a->n_jobs = kept;
}

/* The facts that doctor wants: no snapshot, so neither the watch nor other calls join. */
static void ask_doctor(struct gs_agent *a)
{
	struct gs_error e = { 0 };

	a->asked_watch = false;
	a->asked = gs_collector_call(a->collector, "doctor", NULL);
	if (a->asked < 0) {
		collector_died(a, &e);
		fail_jobs(a, &e);
	}
}

void gs_agent_look(struct gs_agent *a)
{
	struct gs_error e = { 0 };
	bool telemetry, for_watch;

	if (a->is_yielding)
		say_who_is_writing(a);
	if (a->asked || a->is_yielding || a->is_committing)
		return;
	for_watch = is_watch_due(a);
	if (!a->n_jobs && (!for_watch || must_pause(a)))
		return;
	gs_agent_check_yield(a);
	if (a->is_yielding) {
		say_who_is_writing(a);
		return;
	}
	if (gs_agent_start_collector(a, &e) < 0) {
		fail_jobs(a, &e);
		if (for_watch)
			gs_agent_notice(a, "%s", e.text);
		a->last_watch = gs_monotonic_now();
		return;
	}
	a->asked_doctor = a->n_jobs && a->jobs[0].is_doctor;
	if (a->asked_doctor) {
		ask_doctor(a);
		return;
	}
	/* who waits for an answer comes first; the watch joins when it wants the same */
	telemetry = a->n_jobs ? a->jobs[0].telemetry : a->watch_telemetry;
	for_watch = for_watch && telemetry == a->watch_telemetry;
	a->asked_telemetry = telemetry;
	a->asked_watch = for_watch;
	a->asked = gs_collector_call(a->collector, "collect", gs_collector_collect_params(telemetry, a->n_jobs > 0, !a->n_jobs && !telemetry && a->client_is_current));
	if (for_watch) {
		gs_uevent_looked(a->uevents);
		a->watch_due = false;
		a->last_watch = gs_monotonic_now();
	}
	if (a->asked < 0) {
		collector_died(a, &e);
		fail_jobs(a, &e);
	}
}

/* The answer goes to every call that wanted this kind. */
static bool answer_jobs(struct gs_agent *a, struct json_object *snapshot)
{
	size_t kept = 0;
	bool any = false;

	for (size_t i = 0; i < a->n_jobs; i++) {
		if (a->jobs[i].is_doctor || a->jobs[i].telemetry != a->asked_telemetry) {
			a->jobs[kept++] = a->jobs[i];
			continue;
		}
		gs_rpc_reply(a->client, a->jobs[i].id, json_object_get(snapshot));
		any = true;
	}
	a->n_jobs = kept;
	return any;
}

/* A snapshot without telemetry goes out only when it differs from the last. */
static void push(struct gs_agent *a, struct json_object *snapshot)
{
	struct gs_digest digest;
	const char *text;
	size_t n = 0;

	if (!a->asked_telemetry) {
		text = json_object_to_json_string_length(snapshot, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &n);
		digest = gs_digest_of(text ? text : "", n);
		if (gs_digest_equal(&digest, &a->pushed))
			return;
		a->pushed = digest;
	}
	gs_rpc_notify(a->client, "snapshot", json_object_get(snapshot));
}

static void publish(struct gs_agent *a, struct json_object *snapshot)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;

	if (!a->writer || !gs_machine_is_privileged(a->machine))
		return;
	/* with telemetry every answer differs: then it is looked at now and again only */
	if (a->asked_telemetry && a->has_published && gs_elapsed_ms(a->last_published) < PUBLISH_LOOK_MS)
		return;
	if (gs_snapshot_from_json(snapshot, &s, NULL) == 0)
		a->writer->publish(a, s);
}

bool gs_agent_show_outcome(struct gs_agent *a)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	GS_JSON struct json_object *o = NULL;

	/* a collection under way would answer in between */
	gs_agent_stop_collector(a, false);
	if (gs_agent_ask(a, "collect", gs_collector_collect_params(a->watching && a->watch_telemetry, true, false), NULL, &o, NULL) < 0 || !o)
		return false;
	if (a->watching) {
		a->pushed = (struct gs_digest){ "" };
		gs_rpc_notify(a->client, "snapshot", json_object_get(o));
	}
	if (!a->writer || !gs_machine_is_privileged(a->machine) || gs_snapshot_from_json(o, &s, NULL) < 0)
		return false;
	a->writer->publish(a, s);
	return true;
}

static void answer_doctors(struct gs_agent *a, struct json_object *facts)
{
	size_t kept = 0;

	a->failures = 0;
	for (size_t i = 0; i < a->n_jobs; i++) {
		if (a->jobs[i].is_doctor)
			gs_rpc_reply(a->client, a->jobs[i].id, json_object_get(facts));
		else
			a->jobs[kept++] = a->jobs[i];
	}
	a->n_jobs = kept;
}

static void take_snapshot(struct gs_agent *a, struct json_object *snapshot)
{
	bool answered;

	a->failures = 0;
	if (!snapshot)
		return;         /* as before */
	answered = answer_jobs(a, snapshot);
	if (a->asked_watch)
		push(a, snapshot);
	a->client_is_current = !a->asked_telemetry && (a->asked_watch || (answered && a->client_is_current));
	publish(a, snapshot);
}

void gs_agent_take_answers(struct gs_agent *a)
{
	while (a->collector && a->asked) {
		GS_RPC_MESSAGE struct gs_rpc_message m = { .kind = GS_RPC_CALL };
		struct gs_error e = { 0 };
		int r = gs_rpc_next(a->collector->rpc, &m, &e);

		if (r == -EAGAIN)
			return;
		if (r < 0) {
			bool was_watch = a->asked_watch;

			collector_died(a, &e);
			fail_jobs(a, &e);
			if (was_watch)
				gs_agent_notice(a, "%s", e.text);
			return;
		}
		if (m.id != a->asked)
			continue;
		a->asked = 0;
		if (m.kind == GS_RPC_RESULT && a->asked_doctor) {
			answer_doctors(a, m.params);
		} else if (m.kind == GS_RPC_RESULT) {
			take_snapshot(a, m.params);
		} else if (m.kind == GS_RPC_ERROR) {
			fail_jobs(a, &m.error);
			if (a->asked_watch)
				gs_agent_notice(a, "%s", m.error.text);
		}
	}
}

static int sooner(int a, int64_t b)
{
	if (b < 0)
		b = 0;
	return a < 0 || b < a ? (int)b : a;
}

int gs_agent_look_timeout(const struct gs_agent *a)
{
	int timeout = -1;

	if (a->is_yielding || gs_yield_fd(a->yield) < 0)
		timeout = sooner(timeout, YIELD_LOOK_MS - gs_elapsed_ms(a->last_yield_look));
	if (a->asked || a->is_yielding)
		return timeout;
	if (a->n_jobs || a->watch_due)
		return sooner(timeout, must_pause(a) && !a->n_jobs ? FAILURE_PAUSE_MS - gs_elapsed_ms(a->last_failure) : 0);
	if (!a->watching)
		return timeout;
	timeout = sooner(timeout, a->interval_ms - gs_elapsed_ms(a->last_watch));
	if (gs_uevent_due_ms(a->uevents) >= 0)
		timeout = sooner(timeout, must_pause(a) ? FAILURE_PAUSE_MS - gs_elapsed_ms(a->last_failure) : gs_uevent_due_ms(a->uevents));
	return timeout;
}

void gs_agent_check_yield(struct gs_agent *a)
{
	uint32_t pid = 0;
	bool asked = gs_yield_is_asked(a->yield, &pid);

	a->last_yield_look = gs_monotonic_now();
	if (asked == a->is_yielding)
		return;
	a->is_yielding = asked;
	a->yield_since = gs_monotonic_now();
	a->yield_pid = pid;
	if (asked) {
		/* nothing of ours writes here, so a collector that hangs may be killed */
		gs_agent_stop_collector(a, true);
		gs_agent_notice(a, "the collector let go of the GPUs for a commit by pid %u; what is shown is from before", pid);
	} else {
		a->watch_due = a->watching;
		gs_agent_notice(a, "the commit has ended: looking at the GPUs again");
	}
}

/* Poll the client and @fd (-1: none) for at most @ms (-1: until something comes). True: @fd is readable. */
static bool wait_for_either(struct gs_agent *a, int fd, int ms)
{
	struct pollfd fds[4] = {
		{ .fd = a->client_gone ? -1 : gs_rpc_fd_in(a->client), .events = POLLIN },
		{ .fd = !a->client_gone && gs_rpc_wants_write(a->client) ? gs_rpc_fd_out(a->client) : -1, .events = POLLOUT },
		{ .fd = fd, .events = POLLIN },
		{ .fd = a->signals, .events = POLLIN },
	};

	poll(fds, 4, ms);
	if (fds[3].revents)
		gs_agent_take_signals(a);
	if (fds[1].revents)
		gs_rpc_flush(a->client);
	if (fds[0].revents)
		gs_agent_take_messages(a);
	return fds[2].revents;
}

static bool is_told_to_stop(const struct gs_agent *a)
{
	return a->is_cancelled || a->must_end || a->client_gone;
}

void gs_agent_wait(struct gs_agent *a, int fd, int ms)
{
	struct gs_monotonic since = gs_monotonic_now();
	bool was_told = is_told_to_stop(a);
	int64_t left;

	while ((left = ms - gs_elapsed_ms(since)) > 0 && !wait_for_either(a, fd, (int)left) && is_told_to_stop(a) == was_told)
		;
}

void gs_agent_pause(struct gs_agent *a, int ms)
{
	gs_agent_wait(a, -1, ms);
}

int gs_agent_ask(struct gs_agent *a, const char *method, struct json_object *params, const struct gs_agent_patience *patience,
		 struct json_object **ret_result, struct gs_error *e)
{
	struct gs_monotonic since = gs_monotonic_now();
	int64_t id;
	int r = gs_agent_start_collector(a, e);

	if (r < 0) {
		json_object_put(params);
		return r;
	}
	a->client_is_current = false;
	id = gs_collector_call(a->collector, method, params);
	while (id > 0) {
		GS_RPC_MESSAGE struct gs_rpc_message m = { .kind = GS_RPC_CALL };

		gs_rpc_flush(a->collector->rpc);
		r = gs_rpc_next(a->collector->rpc, &m, e);
		if (r == -EAGAIN) {
			wait_for_either(a, gs_rpc_fd_in(a->collector->rpc), patience ? PATIENCE_LOOK_MS : -1);
			if (patience)
				patience->waiting(patience->userdata, (uint64_t)gs_elapsed_ms(since));
			continue;
		}
		if (r < 0)
			break;
		if (m.id != id)
			continue;
		if (m.kind == GS_RPC_ERROR) {
			if (e)
				*e = m.error;
			return m.error.errnum;
		}
		if (ret_result)
			*ret_result = json_object_get(m.params);
		return 0;
	}
	collector_died(a, e);
	return -EPIPE;
}
