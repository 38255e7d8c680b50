/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/agent.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "backend/agent_save.h"
#include "backend/agent_state.h"
#include "backend/agent_tell.h"
#include "base/parse.h"
#include "codec/session.h"
#include "codec/snapshot_json.h"

#define INTERVAL_MIN_MS 100
#define LAST_WORDS_MS 1000
#define INTERVAL_MAX_MS (24u * 3600 * 1000)

void gs_agent_notice(struct gs_agent *a, const char *fmt, ...)
{
	struct json_object *o = json_object_new_object();
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!o)
		return;
	gs_text_sanitize(text);
	gs_json_add_string(o, "text", text);
	gs_rpc_notify(a->client, "notice", o);
}

static void handle_hello(struct gs_agent *a, int64_t id)
{
	struct json_object *o = json_object_new_object();

	if (!o)
		return;
	gs_json_add_u32(o, "version", GS_U32(GS_PROTOCOL_VERSION));
	gs_json_add_string(o, "source", gs_host_source_name(gs_machine_source(a->machine)));
	gs_json_add_string(o, "host", gs_machine_host(a->machine));
	json_object_object_add(o, "read_only", json_object_new_boolean(!a->writer));
	json_object_object_add(o, "privileged", json_object_new_boolean(gs_machine_is_privileged(a->machine)));
	json_object_object_add(o, "as_user", json_object_new_boolean(a->options.as_user));
	gs_json_add_u32(o, "pid", GS_U32((uint32_t)getpid()));
	gs_rpc_reply(a->client, id, o);
	/* a ^C at the terminal is for the client: a commit must not die of it (design 5) */
	setsid();
}

static int add_job(struct gs_agent *a, struct gs_agent_job job, struct gs_error *e)
{
	if (a->n_jobs == GS_AGENT_JOBS_MAX)
		return gs_error_set(e, -EBUSY, GS_STATUS_FAILED, "%d snapshots are waiting already", GS_AGENT_JOBS_MAX);
	a->jobs[a->n_jobs++] = job;
	return 0;
}

static int handle_snapshot(struct gs_agent *a, const struct gs_rpc_message *m, struct gs_error *e)
{
	struct gs_u32 wait_seconds = GS_U32_UNKNOWN;
	bool telemetry = false;
	int r = m->params ? gs_json_get_bool(m->params, "telemetry", false, &telemetry, e) : 0;

	if (r == 0 && m->params)
		r = gs_json_get_u32(m->params, "wait_seconds", &wait_seconds, e);
	if (r < 0)
		return r;
	return add_job(a, (struct gs_agent_job){ .id = m->id, .telemetry = telemetry, .since = gs_monotonic_now(), .wait_ms = (int64_t)wait_seconds.value * 1000 }, e);
}

static int handle_watch(struct gs_agent *a, const struct gs_rpc_message *m, struct gs_error *e)
{
	struct gs_u32 interval = GS_U32_UNKNOWN;
	bool telemetry = false;
	int r = gs_json_get_u32(m->params, "interval_ms", &interval, e);

	if (r == 0)
		r = gs_json_get_bool(m->params, "telemetry", false, &telemetry, e);
	if (r < 0)
		return r;
	a->watching = interval.known && interval.value;
	a->watch_telemetry = telemetry;
	a->watch_due = a->watching;
	if (interval.value < INTERVAL_MIN_MS)
		interval.value = INTERVAL_MIN_MS;
	a->interval_ms = interval.value < INTERVAL_MAX_MS ? interval.value : INTERVAL_MAX_MS;
	a->pushed.hex[0] = '\0';
	gs_rpc_reply(a->client, m->id, json_object_new_boolean(true));
	return 0;
}

static int handle_commit(struct gs_agent *a, const struct gs_rpc_message *m, struct gs_error *e)
{
	if (!a->writer)
		return gs_error_set(e, -EROFS, GS_STATUS_REFUSED, "this agent is read-only: it has no way to change the machine. Nothing was done");
	if (a->must_end)
		return gs_error_set(e, -ESHUTDOWN, GS_STATUS_REFUSED, "this agent was told to end (SIGTERM). Nothing was done");
	if (a->is_committing)
		return gs_error_set(e, -EBUSY, GS_STATUS_LOCKED, "a commit is running already in this session. Nothing was done");
	if (!m->params)
		return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "a commit without a request. Nothing was done");
	a->writer->commit(a, m->id, m->params);
	return 0;
}

static int handle_save(struct gs_agent *a, const struct gs_rpc_message *m, struct gs_error *e)
{
	if (!a->writer)
		return gs_error_set(e, -EROFS, GS_STATUS_REFUSED, "this agent is read-only: it cannot save. Nothing was saved");
	if (a->is_committing)
		return gs_error_set(e, -EBUSY, GS_STATUS_LOCKED, "a commit is under way in this session: what would be saved is neither before nor after it. Nothing was saved");
	a->writer->save(a, m->id, m->params);
	return 0;
}

static void handle(struct gs_agent *a, const struct gs_rpc_message *m)
{
	struct gs_error e = { 0 };
	int r = 0;

	if (m->kind != GS_RPC_CALL)
		return;
	if (strcmp(m->method, "hello") == 0) {
		handle_hello(a, m->id);
	} else if (strcmp(m->method, "snapshot") == 0) {
		r = handle_snapshot(a, m, &e);
	} else if (strcmp(m->method, "doctor") == 0) {
		r = add_job(a, (struct gs_agent_job){ .id = m->id, .is_doctor = true }, &e);
	} else if (strcmp(m->method, "watch") == 0) {
		r = m->params ? handle_watch(a, m, &e) : gs_error_set(&e, -EBADMSG, GS_STATUS_INVALID, "watch what?");
	} else if (strcmp(m->method, "commit") == 0) {
		r = handle_commit(a, m, &e);
	} else if (strcmp(m->method, "cancel") == 0) {
		a->is_cancelled = a->is_committing;
		a->is_paused = false;
		gs_rpc_reply(a->client, m->id, json_object_new_boolean(true));
	} else if (strcmp(m->method, "pause") == 0 || strcmp(m->method, "resume") == 0) {
		a->is_paused = a->is_committing && m->method[0] == 'p';
		gs_rpc_reply(a->client, m->id, json_object_new_boolean(true));
	} else if (strcmp(m->method, "journal") == 0) {
		r = gs_agent_tell_journal(a, m, &e);
	} else if (strcmp(m->method, "saved") == 0) {
		r = gs_agent_tell_saved(a, m, &e);
	} else if (strcmp(m->method, "save") == 0) {
		r = handle_save(a, m, &e);
	} else if (strcmp(m->method, "leave") == 0) {
		r = a->is_committing ? gs_error_set(&e, -EBUSY, GS_STATUS_LOCKED, "a commit is running in this session") : gs_agent_leave(a, m, &e);
	} else {
		char method[41];

		snprintf(method, sizeof(method), "%s", m->method);
		gs_text_sanitize(method);
		r = gs_error_set(&e, -ENOSYS, GS_STATUS_FAILED, "this agent knows no method \"%s\"", method);
	}
	if (r < 0)
		gs_rpc_fail(a->client, m->id, &e);
}

void gs_agent_take_messages(struct gs_agent *a)
{
	while (!a->client_gone) {
		GS_RPC_MESSAGE struct gs_rpc_message m = { .kind = GS_RPC_CALL };
		int r = gs_rpc_next(a->client, &m, NULL);

		if (r == -EAGAIN)
			return;
		if (r < 0)
			a->client_gone = true;
		else
			handle(a, &m);
	}
}

/*
 * A commit is never left half done by a signal: a hangup and a ^C are for the
 * client, SIGTERM is taken in the poll loop. Without a writer they end us.
 */
static void catch_signals(struct gs_agent *a)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (a->writer) {
		signal(SIGHUP, SIG_IGN);
		signal(SIGINT, SIG_IGN);
		sigaddset(&set, SIGTERM);
	}
	a->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (a->signals >= 0)
		sigprocmask(SIG_BLOCK, &set, NULL);
}

void gs_agent_take_signals(struct gs_agent *a)
{
	struct signalfd_siginfo info;

	while (a->signals >= 0 && read(a->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGTERM)
			continue;
		a->must_end = true;
		a->is_cancelled = a->is_committing;
	}
	gs_agent_reap(a);
}

/* The outcome of a commit must not be lost when we are told to end. */
static void say_last_words(struct gs_agent *a)
{
	struct gs_monotonic since = gs_monotonic_now();
	int64_t left;

	while (!a->client_gone && gs_rpc_wants_write(a->client) && (left = LAST_WORDS_MS - gs_elapsed_ms(since)) > 0) {
		struct pollfd out = { .fd = gs_rpc_fd_out(a->client), .events = POLLOUT };

		if (poll(&out, 1, (int)left) > 0 && gs_rpc_flush(a->client) < 0)
			return;
	}
}

static void run(struct gs_agent *a)
{
	while (!a->client_gone && !a->must_end) {
		struct pollfd fds[6] = {
			{ .fd = gs_rpc_fd_in(a->client), .events = POLLIN },
			{ .fd = gs_rpc_wants_write(a->client) ? gs_rpc_fd_out(a->client) : -1, .events = POLLOUT },
			{ .fd = a->collector ? gs_rpc_fd_in(a->collector->rpc) : -1, .events = POLLIN },
			{ .fd = gs_yield_fd(a->yield), .events = POLLIN },
			{ .fd = a->signals, .events = POLLIN },
			{ .fd = gs_uevent_fd(a->uevents), .events = POLLIN },
		};

		poll(fds, GS_ARRAY_SIZE(fds), gs_agent_look_timeout(a));
		if (fds[5].revents)
			gs_uevent_take(a->uevents);
		if (fds[4].revents)
			gs_agent_take_signals(a);
		if (fds[1].revents && gs_rpc_flush(a->client) < 0)
			break;
		gs_agent_take_messages(a);
		/* one that ended while nobody asked is noticed by its closed socket */
		if (fds[2].revents && !a->asked)
			gs_agent_stop_collector(a, true);
		gs_agent_take_answers(a);
		if (fds[3].revents || ((a->is_yielding || gs_yield_fd(a->yield) < 0) && gs_elapsed_ms(a->last_yield_look) >= 1000))
			gs_agent_check_yield(a);
		gs_agent_look(a);
	}
}

/* The agent of a live machine takes nothing of this kind from whoever started it (design 5). */
static void clean_environment(void)
{
	for (size_t i = 0; environ && environ[i];) {
		char name[128];
		size_t n = strcspn(environ[i], "=");

		if ((gs_str_starts(environ[i], "GPUSLICE_") || gs_str_starts(environ[i], "LD_")) && n < sizeof(name)) {
			memcpy(name, environ[i], n);
			name[n] = '\0';
			unsetenv(name);
			i = 0;
		} else {
			i++;
		}
	}
}

/* There is no machine: say why to the first who asks. */
static int fail_first_call(struct gs_rpc *client, const struct gs_error *why)
{
	GS_RPC_MESSAGE struct gs_rpc_message m = { .kind = GS_RPC_CALL };

	if (gs_rpc_wait(client, -1, &m, NULL) == 0 && m.kind == GS_RPC_CALL)
		gs_rpc_fail(client, m.id, why);
	gs_rpc_flush(client);
	return why->status;
}

int gs_agent_serve(const struct gs_machine_options *options, int fd_in, int fd_out)
{
	GS_CLEANUP(gs_machine_closep) struct gs_machine *machine = NULL;
	GS_CLEANUP(gs_rpc_freep) struct gs_rpc *client = NULL;
	GS_CLEANUP(gs_uevent_freep) struct gs_uevent *uevents = NULL;
	GS_CLEANUP(gs_yield_freep) struct gs_yield *yield = NULL;
	struct gs_agent a = { .options = *options, .signals = -1, .lock = -1 };
	struct gs_error e = { 0 };
	bool may_create;

	signal(SIGPIPE, SIG_IGN);
	/* a journal that may not grow is an error to be told, not a death */
	signal(SIGXFSZ, SIG_IGN);
	if (!options->sim)
		clean_environment();
	if (gs_protocol_fds(&fd_in, &fd_out) < 0 || gs_rpc_new(fd_in, fd_out, &client, &e) < 0)
		return GS_STATUS_UNREACHABLE;
	if (gs_machine_open(options, &machine, &e) < 0)
		return fail_first_call(client, &e);
	a.machine = machine;
	a.client = client;
	a.writer = gs_machine_is_read_only(machine) ? NULL : &gs_agent_writer;
	/* a first fence only: nothing that it starts can gain a privilege that it has not */
	if (!a.writer)
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	catch_signals(&a);
	may_create = a.writer && gs_machine_is_privileged(machine);
	yield = gs_yield_new(gs_machine_root(machine), may_create);
	if (!yield) {
		gs_error_oom(&e);
		return fail_first_call(client, &e);
	}
	a.yield = yield;
	a.last_yield_look = gs_monotonic_now();
	/* without it a watch polls, and that is all */
	if (gs_machine_source(machine) == GS_SOURCE_LIVE && gs_uevent_new(&uevents) == 0)
		a.uevents = uevents;
	run(&a);
	say_last_words(&a);
	gs_agent_stop_collector(&a, true);
	if (a.signals >= 0)
		close(a.signals);
	return GS_STATUS_OK;
}
