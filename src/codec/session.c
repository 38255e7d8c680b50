/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/session_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "base/parse.h"
#include "codec/doctor_json.h"
#include "codec/snapshot_json.h"

/* sudo and ssh may ask a person for a password before the agent exists. */
#define HELLO_TIMEOUT_MS (10 * 60 * 1000)
/* Messages that came while a blocking call waited for another one. */
#define KEPT_MAX 256
#define REAP_MS 2000
#define WAIT_SECONDS_MAX 86400

/* ---- life ---- */

/* 1 when the child is gone (its wait status in *@ret_status, -1 when unknown), 0 when it still runs at the end of @ms. */
static int wait_for_child(int pid, int ms, int *ret_status)
{
	const struct timespec nap = { 0, 10 * 1000 * 1000 };
	struct gs_monotonic start = gs_monotonic_now();

	for (;;) {
		pid_t r = waitpid(pid, ret_status, WNOHANG);

		if (r == pid)
			return 1;
		if (r < 0 && errno != EINTR) {
			*ret_status = -1;
			return 1;
		}
		if (gs_elapsed_ms(start) >= ms)
			return 0;
		nanosleep(&nap, NULL);
	}
}

/*
 * An agent ends by itself when its client has gone, and one that carries out a
 * plan finishes it first: it is never killed, not even waited for then. Init
 * reaps what outlives us.
 */
static void reap(int pid, bool in_commit)
{
	int status;

	wait_for_child(pid, in_commit ? 0 : REAP_MS, &status);
}

struct gs_session *gs_session_free(struct gs_session *s)
{
	if (!s)
		return NULL;
	gs_rpc_free(s->rpc);
	if (s->agent_pid > 0)
		reap(s->agent_pid, s->commit_id != 0);
	while (s->kept) {
		struct kept *first = s->kept;

		s->kept = first->next;
		gs_rpc_message_done(&first->message);
		free(first);
	}
	free(s);
	return NULL;
}

/* Make «closed the connection» say what became of the agent and what to do about it. */
static int explain(struct gs_session *s, int r, struct gs_error *e)
{
	bool in_commit = s->commit_id != 0;
	int status = -1;

	if (r != -EPIPE)
		return r;
	if (s->agent_pid > 0 && wait_for_child(s->agent_pid, 200, &status))
		s->agent_pid = 0;
	else
		status = -1;
	/* a plan that was begun and not ended is no matter of reaching somebody */
	gs_error_set(e, -EPIPE, in_commit ? GS_STATUS_NOT_UNDONE : GS_STATUS_UNREACHABLE, "the agent has gone%s", in_commit ?
		     "; it was carrying out a plan, and what was done is not known here: gpuslice recover shows it" : "");
	if (status != -1 && WIFSIGNALED(status))
		gs_error_prefix(e, "signal %d ended the agent process. ", WTERMSIG(status));
	else if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status))
		gs_error_prefix(e, "the agent process ended with status %d. ", WEXITSTATUS(status));
	return r;
}

/* ---- asking ---- */

int64_t gs_session_ask_agent(struct gs_session *s, const char *method, struct json_object *params, struct gs_error *e)
{
	int64_t id = s->last_id + 1;
	int r = gs_rpc_call(s->rpc, id, method, params);

	if (r == -EMSGSIZE)
		return gs_error_set(e, r, GS_STATUS_INVALID, "the request is too large to be sent (%u MiB at most); split it", GS_RPC_LINE_MAX >> 20);
	if (r == -ENOMEM)
		return gs_error_oom(e);
	if (r < 0)
		return explain(s, r, e);
	s->last_id = id;
	return id;
}

/* Takes @m when there is room; what a later snapshot replaces is not worth keeping. */
static void keep(struct gs_session *s, struct gs_rpc_message *m)
{
	struct kept *k;

	if (m->kind == GS_RPC_NOTIFY && (strcmp(m->method, "snapshot") == 0 || s->n_kept >= KEPT_MAX))
		return;
	k = calloc(1, sizeof(*k));
	if (!k)
		return;
	k->message = *m;
	memset(m, 0, sizeof(*m));
	*s->kept_end = k;
	s->kept_end = &k->next;
	s->n_kept++;
}

static bool take_kept(struct gs_session *s, struct gs_rpc_message *ret_message)
{
	struct kept *first = s->kept;

	if (!first)
		return false;
	*ret_message = first->message;
	s->kept = first->next;
	if (!s->kept)
		s->kept_end = &s->kept;
	s->n_kept--;
	free(first);
	return true;
}

static struct asked *find_asked(struct gs_session *s, int64_t id)
{
	for (size_t i = 0; i < GS_ARRAY_SIZE(s->asked); i++)
		if (s->asked[i].id == id)
			return &s->asked[i];
	return NULL;
}

int gs_session_wrong(struct gs_error *e, const char *what)
{
	return gs_error_set(e, -EBADMSG, GS_STATUS_UNREACHABLE, "the agent %s; is it the same version of gpuslice?", what);
}

/* ---- what comes unasked ---- */

static int on_snapshot(const struct gs_rpc_message *m, const struct gs_session_handlers *h, void *userdata, struct gs_error *e)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *snapshot = NULL;
	int r;

	if (!h || !h->snapshot)
		return 0;
	r = gs_snapshot_from_json(m->params, &snapshot, e);
	if (r < 0) {
		gs_error_prefix(e, "the agent sent a snapshot that cannot be read: ");
		return r;
	}
	h->snapshot(userdata, snapshot);
	return 0;
}

/* A short text of the far end, safe to show; @buf is returned, or NULL when there is none. */
const char *gs_session_safe_text(struct json_object *o, const char *key, char *buf, size_t size)
{
	const char *text = NULL;

	if (gs_json_get_string(o, key, &text, NULL) < 0 || !text)
		return NULL;
	snprintf(buf, size, "%s", text);
	gs_text_sanitize(buf);
	return buf;
}

static int on_progress(const struct gs_rpc_message *m, const struct gs_session_handlers *h, void *userdata, struct gs_error *e)
{
	struct gs_u32 n = GS_U32_UNKNOWN, of = GS_U32_UNKNOWN;
	char event[64], text[512], note[512];
	const char *what = gs_session_safe_text(m->params, "event", event, sizeof(event));

	if (!what || gs_json_get_u32(m->params, "n", &n, NULL) < 0 || gs_json_get_u32(m->params, "of", &of, NULL) < 0)
		return gs_session_wrong(e, "reported progress that cannot be read");
	if (h && h->progress)
		h->progress(userdata, what, n.value, of.value, gs_session_safe_text(m->params, "text", text, sizeof(text)),
			    gs_session_safe_text(m->params, "note", note, sizeof(note)));
	return 0;
}

static void say(const struct gs_session_handlers *h, void *userdata, const char *text)
{
	if (h && h->notice)
		h->notice(userdata, text);
}

static int on_notification(const struct gs_rpc_message *m, const struct gs_session_handlers *h, void *userdata, struct gs_error *e)
{
	char text[1024];

	if (!m->params)
		return gs_session_wrong(e, "sent a notification without content");
	if (strcmp(m->method, "snapshot") == 0)
		return on_snapshot(m, h, userdata, e);
	if (strcmp(m->method, "progress") == 0)
		return on_progress(m, h, userdata, e);
	if (strcmp(m->method, "notice") == 0 && gs_session_safe_text(m->params, "text", text, sizeof(text)))
		say(h, userdata, text);
	/* what a newer agent may tell besides is not for us */
	return 0;
}

/* ---- blocking calls ---- */

/*
 * Wait for the answer to @id. With @h, notifications are handled as they come;
 * without, they wait for the next dispatch, as answers to other calls do.
 */
int gs_session_wait_answer(struct gs_session *s, int64_t id, int timeout_ms, const struct gs_session_handlers *h, void *userdata,
		       struct gs_rpc_message *ret_message, struct gs_error *e)
{
	struct gs_monotonic start = gs_monotonic_now();

	for (;;) {
		GS_RPC_MESSAGE struct gs_rpc_message m = { .kind = GS_RPC_NOTIFY };
		int64_t left = timeout_ms < 0 ? -1 : timeout_ms - gs_elapsed_ms(start);
		int r = gs_rpc_wait(s->rpc, timeout_ms >= 0 && left < 0 ? 0 : (int)left, &m, e);

		if (r == -ETIMEDOUT)
			return gs_error_set(e, r, GS_STATUS_UNREACHABLE, "the agent has not answered for %d.%d s; a driver may be stuck there",
					    timeout_ms / 1000, timeout_ms % 1000 / 100);
		if (r < 0)
			return explain(s, r, e);
		if (m.kind == GS_RPC_CALL)
			return gs_session_wrong(e, "asked a question instead of answering one");
		if (m.kind == GS_RPC_NOTIFY && h) {
			r = on_notification(&m, h, userdata, e);
			if (r < 0)
				return r;
		} else if (m.kind == GS_RPC_NOTIFY || (m.id != id && (m.id == s->commit_id || (m.id && find_asked(s, m.id))))) {
			keep(s, &m);
		} else if (m.id == id) {
			*ret_message = m;
			memset(&m, 0, sizeof(m));
			return 0;
		} else if (m.id < 1 || m.id > s->last_id) {
			return gs_session_wrong(e, "answered what nobody asked");
		}
	}
}

/* The result of a call; an error of the far end is ours. */
int gs_session_call(struct gs_session *s, const char *method, struct json_object *params, int timeout_ms, struct gs_rpc_message *ret_message,
		struct gs_error *e)
{
	int64_t id = gs_session_ask_agent(s, method, params, e);
	int r;

	if (id < 0)
		return (int)id;
	r = gs_session_wait_answer(s, id, timeout_ms, NULL, NULL, ret_message, e);
	if (r < 0 || ret_message->kind != GS_RPC_ERROR)
		return r;
	if (e)
		*e = ret_message->error;
	return ret_message->error.errnum;
}

static int read_hello(struct json_object *o, struct gs_hello *ret_hello, struct gs_error *e)
{
	struct gs_hello hello = { .source = GS_SOURCE_INVALID };
	struct gs_u32 version = GS_U32_UNKNOWN;
	const char *source = NULL;

	if (!json_object_is_type(o, json_type_object) || gs_json_get_u32(o, "version", &version, NULL) < 0 || !version.known)
		return gs_session_wrong(e, "greeted in a way that cannot be read");
	if (version.value != GS_PROTOCOL_VERSION)
		return gs_error_set(e, -EPROTO, GS_STATUS_UNREACHABLE,
				    "the agent speaks version %u of the protocol and this program version %d; install the same gpuslice on both sides",
				    version.value, GS_PROTOCOL_VERSION);
	/* what is not said is not granted */
	if (gs_json_get_string(o, "source", &source, NULL) < 0 || !source || gs_json_get_bool(o, "read_only", true, &hello.read_only, NULL) < 0 ||
	    gs_json_get_bool(o, "privileged", false, &hello.privileged, NULL) < 0 || gs_json_get_bool(o, "as_user", false, &hello.as_user, NULL) < 0)
		return gs_session_wrong(e, "greeted in a way that cannot be read");
	hello.source = gs_host_source_from_name(source);
	if (hello.source == GS_SOURCE_INVALID)
		return gs_session_wrong(e, "does not say whether its machine is live, recorded or simulated");
	if (!gs_session_safe_text(o, "host", hello.host, sizeof(hello.host)))
		return gs_session_wrong(e, "does not say which host it is on");
	*ret_hello = hello;
	return 0;
}

int gs_session_new(struct gs_rpc *rpc, int agent_pid, struct gs_session **ret_session, struct gs_error *e)
{
	GS_CLEANUP(gs_session_freep) struct gs_session *s = calloc(1, sizeof(*s));
	GS_RPC_MESSAGE struct gs_rpc_message m = { .kind = GS_RPC_NOTIFY };
	int r;

	if (!s) {
		gs_rpc_free(rpc);
		if (agent_pid > 0)
			reap(agent_pid, false);
		return gs_error_oom(e);
	}
	s->rpc = rpc;
	s->agent_pid = agent_pid;
	s->kept_end = &s->kept;
	r = gs_session_call(s, "hello", json_object_new_object(), HELLO_TIMEOUT_MS, &m, e);
	if (r < 0)
		return r;
	r = read_hello(m.params, &s->hello, e);
	if (r < 0)
		return r;
	*ret_session = GS_TAKE(s);
	return 0;
}

const struct gs_hello *gs_session_hello(const struct gs_session *s)
{
	return &s->hello;
}

static int ask_snapshot(struct gs_session *s, struct json_object *params, int timeout_ms, struct gs_snapshot **ret_snapshot, struct gs_error *e)
{
	GS_RPC_MESSAGE struct gs_rpc_message m = { .kind = GS_RPC_NOTIFY };
	int r = gs_session_call(s, "snapshot", params, timeout_ms, &m, e);

	if (r < 0)
		return r;
	if (!m.params)
		return gs_session_wrong(e, "sent no snapshot");
	r = gs_snapshot_from_json(m.params, ret_snapshot, e);
	if (r < 0)
		gs_error_prefix(e, "the agent sent a snapshot that cannot be read: ");
	return r;
}

int gs_session_snapshot(struct gs_session *s, bool telemetry, int timeout_ms, struct gs_snapshot **ret_snapshot, struct gs_error *e)
{
	struct json_object *params = json_object_new_object();

	if (!params)
		return gs_error_oom(e);
	json_object_object_add(params, "telemetry", json_object_new_boolean(telemetry));
	return ask_snapshot(s, params, timeout_ms, ret_snapshot, e);
}

int gs_session_snapshot_waiting(struct gs_session *s, uint32_t wait_seconds, int timeout_ms, struct gs_snapshot **ret_snapshot, struct gs_error *e)
{
	struct json_object *params = json_object_new_object();

	if (!params)
		return gs_error_oom(e);
	gs_json_add_u32(params, "wait_seconds", GS_U32(wait_seconds));
	return ask_snapshot(s, params, timeout_ms + (int)(wait_seconds < WAIT_SECONDS_MAX ? wait_seconds : WAIT_SECONDS_MAX) * 1000, ret_snapshot, e);
}

int gs_session_doctor(struct gs_session *s, int timeout_ms, struct gs_arena *arena, struct gs_doctor_facts *ret_facts, struct gs_error *e)
{
	GS_RPC_MESSAGE struct gs_rpc_message m = { .kind = GS_RPC_NOTIFY };
	int r = gs_session_call(s, "doctor", json_object_new_object(), timeout_ms, &m, e);

	if (r < 0)
		return r;
	r = gs_doctor_facts_from_json(m.params, arena, ret_facts, e);
	if (r < 0)
		gs_error_prefix(e, "the agent sent facts that cannot be read: ");
	return r;
}

/* ---- non-blocking ---- */

int gs_session_watch(struct gs_session *s, unsigned interval_ms, bool telemetry)
{
	struct json_object *params = json_object_new_object();
	int64_t id;

	if (!params)
		return -ENOMEM;
	gs_json_add_u32(params, "interval_ms", GS_U32(interval_ms));
	json_object_object_add(params, "telemetry", json_object_new_boolean(telemetry));
	id = gs_session_ask_agent(s, "watch", params, NULL);
	return id < 0 ? (int)id : 0;
}

int gs_session_ask(struct gs_session *s, enum gs_session_question question, uint64_t number)
{
	static const char *const methods[GS_SESSION_MAX_QUESTION] = {
		[GS_SESSION_ASKS_JOURNAL] = "journal", [GS_SESSION_ASKS_COMMIT] = "journal", [GS_SESSION_ASKS_LEAVE] = "leave",
		[GS_SESSION_ASKS_SAVED] = "saved", [GS_SESSION_ASKS_SAVE] = "save",
	};
	struct asked *place = find_asked(s, 0);
	struct json_object *params;
	int64_t id;

	if (!place)
		return -EBUSY;
	params = json_object_new_object();
	if (!params)
		return -ENOMEM;
	if (question < GS_SESSION_ASKS_SAVED)
		gs_json_add_u64(params, question == GS_SESSION_ASKS_JOURNAL ? "max" : "id", GS_U64(number));
	id = gs_session_ask_agent(s, methods[question], params, NULL);
	if (id < 0)
		return (int)id;
	*place = (struct asked){ id, question, number };
	return 0;
}

int gs_session_fd(const struct gs_session *s)
{
	return gs_rpc_fd_in(s->rpc);
}

bool gs_session_wants_write(const struct gs_session *s)
{
	return gs_rpc_wants_write(s->rpc);
}

static int dispatch_answer(struct gs_session *s, const struct gs_rpc_message *m, const struct gs_session_handlers *h, void *userdata,
			   struct gs_error *e)
{
	struct gs_session_result result = { .status = GS_STATUS_FAILED };
	struct asked *place, asked;
	char text[1024];
	int r;

	if (m->id < 1 || m->id > s->last_id)
		return gs_session_wrong(e, "answered what nobody asked");
	place = find_asked(s, m->id);
	if (place) {
		asked = *place;
		*place = (struct asked){ 0 };
		if (h && h->answered)
			h->answered(userdata, asked.question, asked.number, m->kind == GS_RPC_ERROR ? NULL : m->params, m->kind == GS_RPC_ERROR ? &m->error : NULL);
		return 0;
	}
	if (m->id != s->commit_id) {
		/* of watch and cancel only a refusal is news */
		if (m->kind == GS_RPC_ERROR)
			say(h, userdata, gs_error_format(&m->error, text, sizeof(text)));
		return 0;
	}
	r = gs_session_result_of(m, &result, e);
	s->commit_id = 0;
	if (r == 0 && h && h->committed)
		h->committed(userdata, &result);
	gs_session_result_done(&result);
	return r;
}

int gs_session_dispatch(struct gs_session *s, const struct gs_session_handlers *handlers, void *userdata, struct gs_error *e)
{
	/* what was said before the end is still to be read */
	gs_rpc_flush(s->rpc);
	for (;;) {
		GS_RPC_MESSAGE struct gs_rpc_message m = { .kind = GS_RPC_NOTIFY };
		int r = 0;

		if (!take_kept(s, &m))
			r = gs_rpc_next(s->rpc, &m, e);
		if (r == -EAGAIN)
			return 0;
		if (r < 0)
			return explain(s, r, e);
		if (m.kind == GS_RPC_CALL)
			r = gs_session_wrong(e, "asked a question instead of answering one");
		else if (m.kind == GS_RPC_NOTIFY)
			r = on_notification(&m, handlers, userdata, e);
		else
			r = dispatch_answer(s, &m, handlers, userdata, e);
		if (r < 0)
			return r;
	}
}
