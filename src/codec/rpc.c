/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/rpc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/parse.h"
#include "base/strbuf.h"

#define GS_RPC_QUEUE_MAX (64u << 20)
#define READ_CHUNK (64u << 10)
/* JSON-RPC leaves -32000..-32099 to the server; ours says everything in "data". */
#define CODE_FAILED (-32000)

struct gs_rpc {
	int fd_in, fd_out;
	struct gs_strbuf in, out;
	size_t scanned;     /* of @in: there is no newline before this */
	size_t sent;        /* of @out */
	bool at_end;        /* the peer closed its side */
	int broken;         /* what ended the conversation, and its sentence */
	struct gs_error why;
	bool cannot_send;
};

static int make_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

int gs_rpc_new(int fd_in, int fd_out, struct gs_rpc **ret_rpc, struct gs_error *e)
{
	GS_CLEANUP(gs_rpc_freep) struct gs_rpc *rpc = calloc(1, sizeof(*rpc));
	int r;

	if (!rpc) {
		if (fd_out != fd_in && fd_out >= 0)
			close(fd_out);
		if (fd_in >= 0)
			close(fd_in);
		return gs_error_oom(e);
	}
	rpc->fd_in = fd_in;
	rpc->fd_out = fd_out;
	r = make_nonblocking(fd_in);
	if (r == 0)
		r = make_nonblocking(fd_out);
	if (r < 0)
		return gs_error_set(e, r, GS_STATUS_UNREACHABLE, "the connection cannot be used: %s", strerror(-r));
	*ret_rpc = GS_TAKE(rpc);
	return 0;
}

struct gs_rpc *gs_rpc_free(struct gs_rpc *rpc)
{
	if (!rpc)
		return NULL;
	if (rpc->fd_out != rpc->fd_in && rpc->fd_out >= 0)
		close(rpc->fd_out);
	if (rpc->fd_in >= 0)
		close(rpc->fd_in);
	gs_strbuf_done(&rpc->in);
	gs_strbuf_done(&rpc->out);
	free(rpc);
	return NULL;
}

int gs_rpc_fd_in(const struct gs_rpc *rpc)
{
	return rpc->fd_in;
}

int gs_rpc_fd_out(const struct gs_rpc *rpc)
{
	return rpc->fd_out;
}

bool gs_rpc_wants_write(const struct gs_rpc *rpc)
{
	return !rpc->cannot_send && rpc->sent < rpc->out.length;
}

/* ---- sending ---- */

/* A library may not let SIGPIPE end its program, nor change the program's idea of that signal. */
static ssize_t write_pipe(int fd, const void *bytes, size_t n)
{
	const struct timespec at_once = { 0, 0 };
	sigset_t pipe_only, before, pending;
	bool was_pending;
	ssize_t written;
	int error;

	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	sigpending(&pending);
	was_pending = sigismember(&pending, SIGPIPE);
	sigprocmask(SIG_BLOCK, &pipe_only, &before);
	written = write(fd, bytes, n);
	error = errno;
	if (written < 0 && error == EPIPE && !was_pending) {
		while (sigtimedwait(&pipe_only, NULL, &at_once) < 0 && errno == EINTR)
			;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return written;
}

static ssize_t write_some(int fd, const void *bytes, size_t n)
{
	ssize_t written = send(fd, bytes, n, MSG_NOSIGNAL);

	if (written < 0 && errno == ENOTSOCK)
		written = write_pipe(fd, bytes, n);
	return written;
}

static int stop_sending(struct gs_rpc *rpc)
{
	rpc->cannot_send = true;
	rpc->sent = 0;
	gs_strbuf_done(&rpc->out);
	return -EPIPE;
}

int gs_rpc_flush(struct gs_rpc *rpc)
{
	while (gs_rpc_wants_write(rpc)) {
		ssize_t n = write_some(rpc->fd_out, rpc->out.text + rpc->sent, rpc->out.length - rpc->sent);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0)
			return stop_sending(rpc);
		rpc->sent += (size_t)n;
	}
	if (rpc->cannot_send)
		return -EPIPE;
	gs_strbuf_clear(&rpc->out);
	rpc->sent = 0;
	return 0;
}

/* Takes @message. */
static int send_message(struct gs_rpc *rpc, struct json_object *message)
{
	GS_FREE char *line = NULL;
	size_t n;

	if (!message)
		return -ENOMEM;
	if (rpc->cannot_send || rpc->broken) {
		json_object_put(message);
		return -EPIPE;
	}
	line = gs_json_to_line(message);
	json_object_put(message);
	if (!line)
		return -ENOMEM;
	n = strlen(line);
	/* the far end would hang up on it */
	if (n > GS_RPC_LINE_MAX)
		return -EMSGSIZE;
	if (rpc->out.length - rpc->sent + n + 1 > GS_RPC_QUEUE_MAX)
		return stop_sending(rpc);
	/* moving what waits only when half is gone keeps a slow reader from costing the square */
	if (rpc->sent > rpc->out.length / 2) {
		gs_strbuf_drop(&rpc->out, rpc->sent);
		rpc->sent = 0;
	}
	line[n] = '\n';
	gs_strbuf_add(&rpc->out, line, n + 1);
	if (rpc->out.failed) {
		stop_sending(rpc);
		return -ENOMEM;
	}
	return gs_rpc_flush(rpc);
}

static struct json_object *new_message(void)
{
	struct json_object *message = json_object_new_object();

	if (message)
		gs_json_add_string(message, "jsonrpc", "2.0");
	return message;
}

static int send_request(struct gs_rpc *rpc, struct gs_i64 id, const char *method, struct json_object *params)
{
	struct json_object *message = new_message();

	if (!message) {
		json_object_put(params);
		return -ENOMEM;
	}
	if (id.known)
		gs_json_add_i64(message, "id", id);
	gs_json_add_string(message, "method", method);
	if (params)
		json_object_object_add(message, "params", params);
	return send_message(rpc, message);
}

int gs_rpc_call(struct gs_rpc *rpc, int64_t id, const char *method, struct json_object *params)
{
	return send_request(rpc, GS_I64(id), method, params);
}

int gs_rpc_notify(struct gs_rpc *rpc, const char *method, struct json_object *params)
{
	return send_request(rpc, GS_I64_UNKNOWN, method, params);
}

int gs_rpc_reply(struct gs_rpc *rpc, int64_t id, struct json_object *result)
{
	struct json_object *message = new_message();

	if (!message) {
		json_object_put(result);
		return -ENOMEM;
	}
	gs_json_add_i64(message, "id", GS_I64(id));
	json_object_object_add(message, "result", result);
	return send_message(rpc, message);
}

int gs_rpc_fail(struct gs_rpc *rpc, int64_t id, const struct gs_error *error)
{
	struct json_object *message = new_message(), *o = json_object_new_object(), *data = json_object_new_object();

	if (!message || !o || !data) {
		json_object_put(message);
		json_object_put(o);
		json_object_put(data);
		return -ENOMEM;
	}
	gs_json_add_i64(data, "status", GS_I64(error->status));
	gs_json_add_i64(data, "errnum", GS_I64(error->errnum));
	if (error->file[0]) {
		gs_json_add_string(data, "file", error->file);
		gs_json_add_u32(data, "line", GS_U32(error->line));
		gs_json_add_u32(data, "column", GS_U32(error->column));
	}
	gs_json_add_i64(o, "code", GS_I64(CODE_FAILED));
	gs_json_add_string(o, "message", error->text);
	json_object_object_add(o, "data", data);
	gs_json_add_i64(message, "id", GS_I64(id));
	json_object_object_add(message, "error", o);
	return send_message(rpc, message);
}

/* ---- receiving ---- */

void gs_rpc_message_done(struct gs_rpc_message *m)
{
	json_object_put(m->object);
	memset(m, 0, sizeof(*m));
}

/* The conversation is over for this reason, now and whenever it is asked again. */
static int break_off(struct gs_rpc *rpc, int errnum, struct gs_error *e)
{
	rpc->broken = errnum;
	gs_strbuf_done(&rpc->in);
	rpc->scanned = 0;
	if (e)
		*e = rpc->why;
	return errnum;
}

static int wrong_line(struct gs_rpc *rpc, const char *line, size_t n, const char *why, struct gs_error *e)
{
	char shown[61];
	size_t m = n < sizeof(shown) - 1 ? n : sizeof(shown) - 1;

	/* a banner or a question of ssh or sudo is best shown as it is */
	memcpy(shown, line, m);
	shown[m] = '\0';
	gs_text_sanitize(shown);
	gs_error_set(&rpc->why, -EBADMSG, GS_STATUS_UNREACHABLE, "the other side does not speak our protocol (%s); it said: %s", why, shown);
	return break_off(rpc, -EBADMSG, e);
}

/* What the far end's error says, bounded: 0, or -EBADMSG. */
static int read_error(struct json_object *o, struct gs_error *ret_error)
{
	struct json_object *data = NULL;
	const char *text = NULL, *file = NULL;
	struct gs_i64 status = GS_I64_UNKNOWN, errnum = GS_I64_UNKNOWN;
	struct gs_u32 line = GS_U32_UNKNOWN, column = GS_U32_UNKNOWN;

	if (!json_object_is_type(o, json_type_object) || gs_json_get_string(o, "message", &text, NULL) < 0 || !text ||
	    gs_json_get_object(o, "data", &data, NULL) < 0)
		return -EBADMSG;
	if (data && (gs_json_get_i64(data, "status", &status, NULL) < 0 || gs_json_get_i64(data, "errnum", &errnum, NULL) < 0 ||
		     gs_json_get_string(data, "file", &file, NULL) < 0 || gs_json_get_u32(data, "line", &line, NULL) < 0 ||
		     gs_json_get_u32(data, "column", &column, NULL) < 0))
		return -EBADMSG;
	/* an error is never a success, whatever it says of itself */
	if (!status.known || status.value <= GS_STATUS_OK || status.value > GS_STATUS_PARTIAL)
		status.value = GS_STATUS_FAILED;
	if (!errnum.known || errnum.value >= 0 || errnum.value < -4095)
		errnum.value = -EIO;
	gs_error_set(ret_error, (int)errnum.value, (enum gs_status)status.value, "%s", text);
	gs_text_sanitize(ret_error->text);
	if (file) {
		snprintf(ret_error->file, sizeof(ret_error->file), "%s", file);
		gs_text_sanitize(ret_error->file);
		ret_error->line = line.value;
		ret_error->column = column.value;
	}
	return 0;
}

/* Fill @m from its object; the reason when it is no message of ours. */
static const char *read_message(struct gs_rpc_message *m)
{
	struct json_object *o = m->object, *result = NULL, *error = NULL;
	bool has_result, has_error;
	const char *version = NULL;
	struct gs_i64 id;

	if (!json_object_is_type(o, json_type_object))
		return "a message is an object";
	if (gs_json_get_string(o, "jsonrpc", &version, NULL) < 0 || !version || strcmp(version, "2.0") != 0)
		return "\"jsonrpc\" is not \"2.0\"";
	if (gs_json_get_i64(o, "id", &id, NULL) < 0)
		return "\"id\" is not a whole number";
	if (gs_json_get_string(o, "method", &m->method, NULL) < 0)
		return "\"method\" is not a text";
	has_result = json_object_object_get_ex(o, "result", &result);
	has_error = json_object_object_get_ex(o, "error", &error);
	m->id = id.value;
	if (m->method) {
		json_object_object_get_ex(o, "params", &m->params);
		m->kind = id.known ? GS_RPC_CALL : GS_RPC_NOTIFY;
		if (has_result || has_error)
			return "a call carries no result";
		if (m->params && !json_object_is_type(m->params, json_type_object))
			return "\"params\" is not an object";
		return NULL;
	}
	if (has_result == has_error)
		return "neither a call nor one answer";
	if (!id.known)
		return "an answer without \"id\"";
	m->kind = has_error ? GS_RPC_ERROR : GS_RPC_RESULT;
	m->params = result;
	if (has_error && read_error(error, &m->error) < 0)
		return "\"error\" is not an error";
	return NULL;
}

/* 0 with a message from the buffer, -EAGAIN when no line is complete. */
static int take_line(struct gs_rpc *rpc, struct gs_rpc_message *ret_message, struct gs_error *e)
{
	GS_RPC_MESSAGE struct gs_rpc_message m = { .kind = GS_RPC_CALL };
	const char *end = NULL, *why = "not JSON";
	size_t n;

	if (rpc->in.length > rpc->scanned)
		end = memchr(rpc->in.text + rpc->scanned, '\n', rpc->in.length - rpc->scanned);
	n = end ? (size_t)(end - rpc->in.text) : rpc->in.length;
	if (n > GS_RPC_LINE_MAX) {
		gs_error_set(&rpc->why, -EMSGSIZE, GS_STATUS_UNREACHABLE, "the other side sent a message of more than %u MiB; the connection is closed",
			     GS_RPC_LINE_MAX >> 20);
		return break_off(rpc, -EMSGSIZE, e);
	}
	if (!end) {
		rpc->scanned = rpc->in.length;
		return -EAGAIN;
	}
	if (gs_json_parse(rpc->in.text, n, "message", &m.object, NULL) == 0)
		why = read_message(&m);
	if (why)
		return wrong_line(rpc, rpc->in.text, n, why, e);
	gs_strbuf_drop(&rpc->in, n + 1);
	rpc->scanned = 0;
	/* one large snapshot must not be carried for life */
	if (!rpc->in.length && rpc->in.room > 16 * READ_CHUNK)
		gs_strbuf_done(&rpc->in);
	*ret_message = m;
	memset(&m, 0, sizeof(m));
	return 0;
}

static int closed(struct gs_rpc *rpc, struct gs_error *e)
{
	gs_error_set(&rpc->why, -EPIPE, GS_STATUS_UNREACHABLE, "%s", rpc->in.length ? "the other side closed the connection in the middle of a message" :
		     "the other side closed the connection");
	return break_off(rpc, -EPIPE, e);
}

/* 0 when something was read, -EAGAIN when there is nothing, or the end. */
static int read_some(struct gs_rpc *rpc, struct gs_error *e)
{
	char chunk[READ_CHUNK];
	ssize_t n;

	if (rpc->at_end)
		return closed(rpc, e);
	do {
		n = read(rpc->fd_in, chunk, sizeof(chunk));
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return -EAGAIN;
	if (n <= 0) {
		rpc->at_end = true;
		return closed(rpc, e);
	}
	gs_strbuf_add(&rpc->in, chunk, (size_t)n);
	if (rpc->in.failed) {
		gs_error_oom(&rpc->why);
		return break_off(rpc, -ENOMEM, e);
	}
	return 0;
}

int gs_rpc_next(struct gs_rpc *rpc, struct gs_rpc_message *ret_message, struct gs_error *e)
{
	int r;

	if (rpc->broken) {
		if (e)
			*e = rpc->why;
		return rpc->broken;
	}
	for (;;) {
		r = take_line(rpc, ret_message, e);
		if (r != -EAGAIN)
			return r;
		r = read_some(rpc, e);
		if (r < 0)
			return r;
	}
}

static int timed_out(int timeout_ms, struct gs_error *e)
{
	return gs_error_set(e, -ETIMEDOUT, GS_STATUS_UNREACHABLE, "the other side has not answered for %d.%d s", timeout_ms / 1000,
			    timeout_ms % 1000 / 100);
}

int gs_rpc_wait(struct gs_rpc *rpc, int timeout_ms, struct gs_rpc_message *ret_message, struct gs_error *e)
{
	struct gs_monotonic start = gs_monotonic_now();

	for (;;) {
		struct pollfd fds[2] = { { .fd = rpc->fd_in, .events = POLLIN }, { .fd = -1, .events = POLLOUT } };
		int64_t left = -1;
		int r;

		/* a peer that reads no more may still have said something: that comes first */
		gs_rpc_flush(rpc);
		r = gs_rpc_next(rpc, ret_message, e);
		if (r != -EAGAIN)
			return r;
		if (timeout_ms >= 0) {
			left = timeout_ms - gs_elapsed_ms(start);
			if (left <= 0)
				return timed_out(timeout_ms, e);
		}
		if (gs_rpc_wants_write(rpc))
			fds[1].fd = rpc->fd_out;
		if (poll(fds, 2, (int)left) < 0 && errno != EINTR)
			return gs_error_set(e, -errno, GS_STATUS_FAILED, "waiting for the other side failed: %s", strerror(errno));
	}
}
