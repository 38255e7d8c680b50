/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON-RPC over a socketpair, with peers that mean well and peers that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "codec/rpc.h"

/* Our end as rpc, the other as a bare fd. */
struct pair {
	struct gs_rpc *rpc;
	int peer;
};

static struct pair open_pair(void)
{
	struct pair p;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(gs_rpc_new(fds[0], fds[0], &p.rpc, NULL), 0);
	p.peer = fds[1];
	return p;
}

static void close_pair(struct pair *p)
{
	gs_rpc_free(p->rpc);
	if (p->peer >= 0)
		close(p->peer);
}

static void hang_up(struct pair *p)
{
	close(p->peer);
	p->peer = -1;
}

static void say_n(struct pair *p, const char *bytes, size_t n)
{
	assert_int_equal(gs_fd_write_all(p->peer, bytes, n), 0);
}

static void say(struct pair *p, const char *text)
{
	say_n(p, text, strlen(text));
}

static int next(struct pair *p, struct gs_rpc_message *m, struct gs_error *e)
{
	memset(m, 0, sizeof(*m));
	return gs_rpc_next(p->rpc, m, e);
}

/* The line ends the conversation, for good, and the error shows what was said. */
static void expect_refused_n(const char *line, size_t n, const char *part)
{
	struct pair p = open_pair();
	struct gs_rpc_message m;
	struct gs_error e = { 0 };

	say_n(&p, line, n);
	if (next(&p, &m, &e) != -EBADMSG)
		fail_msg("accepted: %s", line);
	assert_int_equal(e.status, GS_STATUS_UNREACHABLE);
	if (!strstr(e.text, part))
		fail_msg("%s: %s", line, e.text);
	memset(&e, 0, sizeof(e));
	say(&p, "{\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n");
	assert_int_equal(next(&p, &m, &e), -EBADMSG);
	assert_non_null(strstr(e.text, part));
	assert_int_equal(gs_rpc_notify(p.rpc, "x", NULL), -EPIPE);
	close_pair(&p);
}

static void expect_refused(const char *line, const char *part)
{
	expect_refused_n(line, strlen(line), part);
}

static struct json_object *number(int v)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "v", json_object_new_int(v));
	return o;
}

static void calls_notifications_and_answers_arrive_as_they_were_sent(void **state)
{
	struct gs_rpc_message m = { .kind = GS_RPC_CALL };
	struct gs_rpc *a, *b;
	struct gs_u32 v;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(gs_rpc_new(fds[0], fds[0], &a, NULL), 0);
	assert_int_equal(gs_rpc_new(fds[1], fds[1], &b, NULL), 0);
	assert_int_equal(gs_rpc_next(b, &m, NULL), -EAGAIN);
	assert_int_equal(gs_rpc_call(a, 9007199254740993, "snapshot", number(7)), 0);
	assert_int_equal(gs_rpc_notify(a, "notice", NULL), 0);
	assert_int_equal(gs_rpc_wait(b, 1000, &m, NULL), 0);
	assert_int_equal(m.kind, GS_RPC_CALL);
	assert_true(m.id == 9007199254740993);
	assert_string_equal(m.method, "snapshot");
	assert_int_equal(gs_json_get_u32(m.params, "v", &v, NULL), 0);
	assert_true(gs_u32_is(v, 7));
	gs_rpc_message_done(&m);
	assert_int_equal(gs_rpc_wait(b, 1000, &m, NULL), 0);
	assert_int_equal(m.kind, GS_RPC_NOTIFY);
	assert_null(m.params);
	gs_rpc_message_done(&m);
	assert_int_equal(gs_rpc_reply(b, 1, json_object_new_boolean(1)), 0);
	assert_int_equal(gs_rpc_reply(b, 2, NULL), 0);
	assert_int_equal(gs_rpc_wait(a, 1000, &m, NULL), 0);
	assert_int_equal(m.kind, GS_RPC_RESULT);
	assert_int_equal(m.id, 1);
	assert_true(json_object_get_boolean(m.params));
	gs_rpc_message_done(&m);
	assert_int_equal(gs_rpc_wait(a, 1000, &m, NULL), 0);
	assert_int_equal(m.kind, GS_RPC_RESULT);
	assert_null(m.params);
	gs_rpc_message_done(&m);
	gs_rpc_free(a);
	gs_rpc_free(b);
}

static void an_error_is_raised_again_on_the_other_side(void **state)
{
	struct gs_rpc_message m = { .kind = GS_RPC_CALL };
	struct gs_position pos = { "job.gs", 3, 9 };
	struct gs_error e;
	struct pair p = open_pair();
	struct gs_rpc *far;

	(void)state;
	assert_int_equal(gs_rpc_new(p.peer, dup(p.peer), &far, NULL), 0);
	p.peer = -1;
	gs_error_at(&e, -ERANGE, &pos, "«x» is out of range");
	assert_int_equal(gs_rpc_fail(far, 5, &e), 0);
	assert_int_equal(gs_rpc_wait(p.rpc, 1000, &m, NULL), 0);
	assert_int_equal(m.kind, GS_RPC_ERROR);
	assert_int_equal(m.id, 5);
	assert_int_equal(m.error.errnum, -ERANGE);
	assert_int_equal(m.error.status, GS_STATUS_INVALID);
	assert_string_equal(m.error.file, "job.gs");
	assert_int_equal(m.error.line, 3);
	assert_int_equal(m.error.column, 9);
	assert_string_equal(m.error.text, "«x» is out of range");
	gs_rpc_message_done(&m);
	gs_rpc_free(far);
	close_pair(&p);
}

static void an_error_never_calls_itself_a_success(void **state)
{
	static const char *const lines[] = {
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"no\\u001b[2J\",\"data\":{\"status\":0,\"errnum\":5}}}\n",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"no\\u001b[2J\",\"data\":{\"status\":99,\"errnum\":-99999}}}\n",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"no\\u001b[2J\"}}\n",
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(lines); i++) {
		struct pair p = open_pair();
		struct gs_rpc_message m;

		say(&p, lines[i]);
		assert_int_equal(next(&p, &m, NULL), 0);
		assert_int_equal(m.error.status, GS_STATUS_FAILED);
		assert_int_equal(m.error.errnum, -EIO);
		assert_string_equal(m.error.text, "no?[2J");
		gs_rpc_message_done(&m);
		close_pair(&p);
	}
}

static void garbage_ends_the_conversation_and_is_shown(void **state)
{
	(void)state;
	expect_refused("[sudo] password for op:\n", "[sudo] password");
	expect_refused("\x1b[31mhello\n", "?[31mhello");
	expect_refused("\n", "not JSON");
	expect_refused("{\"jsonrpc\":\"2.0\",\"method\":\"x\"} {}\n", "not JSON");
	expect_refused("{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}\n", "not JSON");
	expect_refused_n("\0\0\0\n", 4, "not JSON");
	expect_refused("[1,2]\n", "object");
	expect_refused("null\n", "object");
	expect_refused("{\"method\":\"x\"}\n", "jsonrpc");
	expect_refused("{\"jsonrpc\":\"1.0\",\"method\":\"x\"}\n", "jsonrpc");
	expect_refused("{\"jsonrpc\":2.0,\"method\":\"x\"}\n", "jsonrpc");
}

static void messages_with_wrong_members_are_refused(void **state)
{
	(void)state;
	expect_refused("{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":1}\n", "whole number");
	expect_refused("{\"jsonrpc\":\"2.0\",\"id\":1.5,\"result\":1}\n", "whole number");
	expect_refused("{\"jsonrpc\":\"2.0\",\"id\":99999999999999999999,\"result\":1}\n", "whole number");
	expect_refused("{\"jsonrpc\":\"2.0\",\"id\":[],\"method\":\"x\"}\n", "whole number");
	expect_refused("{\"jsonrpc\":\"2.0\",\"result\":1}\n", "without \"id\"");
	expect_refused("{\"jsonrpc\":\"2.0\",\"id\":1}\n", "one answer");
	expect_refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1,\"error\":{\"message\":\"x\"}}\n", "one answer");
	expect_refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"result\":1}\n", "no result");
	expect_refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}\n", "not a text");
	expect_refused("{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":[1]}\n", "params");
	expect_refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":\"x\"}\n", "not an error");
	expect_refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":null}\n", "not an error");
	expect_refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"message\":\"x\",\"data\":{\"line\":-1}}}\n", "not an error");
}

static void a_message_may_come_byte_by_byte_and_two_may_come_at_once(void **state)
{
	static const char line[] = "{\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n";
	struct pair p = open_pair();
	struct gs_rpc_message m;

	(void)state;
	for (size_t i = 0; line[i]; i++) {
		assert_int_equal(next(&p, &m, NULL), -EAGAIN);
		say_n(&p, line + i, 1);
	}
	say(&p, line);
	say_n(&p, line, 5);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(next(&p, &m, NULL), 0);
		assert_string_equal(m.method, "x");
		gs_rpc_message_done(&m);
	}
	assert_int_equal(next(&p, &m, NULL), -EAGAIN);
	close_pair(&p);
}

static void what_was_said_before_hanging_up_is_still_heard(void **state)
{
	struct pair p = open_pair();
	struct gs_rpc_message m;
	struct gs_error e;

	(void)state;
	say(&p, "{\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n{\"jsonrpc\":\"2.0\",\"me");
	hang_up(&p);
	assert_int_equal(gs_rpc_notify(p.rpc, "y", NULL), -EPIPE);
	assert_int_equal(gs_rpc_wait(p.rpc, 1000, &m, NULL), 0);
	gs_rpc_message_done(&m);
	assert_int_equal(gs_rpc_wait(p.rpc, 1000, &m, &e), -EPIPE);
	assert_non_null(strstr(e.text, "in the middle of a message"));
	assert_int_equal(e.status, GS_STATUS_UNREACHABLE);
	/* and it stays so */
	assert_int_equal(gs_rpc_wait(p.rpc, 1000, &m, &e), -EPIPE);
	close_pair(&p);
}

static void a_giant_line_ends_the_conversation_before_it_fills_the_memory(void **state)
{
	char chunk[1 << 16];
	struct pair p = open_pair();
	struct gs_rpc_message m;
	struct gs_error e;
	size_t sent = 0;
	int r = -EAGAIN;

	(void)state;
	memset(chunk, 'a', sizeof(chunk));
	while (r == -EAGAIN && sent < 2 * (size_t)GS_RPC_LINE_MAX) {
		ssize_t n = send(p.peer, chunk, sizeof(chunk), MSG_DONTWAIT);

		sent += n > 0 ? (size_t)n : 0;
		r = next(&p, &m, &e);
	}
	assert_int_equal(r, -EMSGSIZE);
	assert_true(sent < GS_RPC_LINE_MAX + (1u << 20));
	assert_true(strlen(e.text) < 200);
	close_pair(&p);
}

static void a_message_over_the_maximum_is_not_sent(void **state)
{
	struct pair p = open_pair();
	struct json_object *o = json_object_new_object();
	char *text = malloc(GS_RPC_LINE_MAX + 1);

	(void)state;
	assert_non_null(text);
	memset(text, 'a', GS_RPC_LINE_MAX);
	text[GS_RPC_LINE_MAX] = '\0';
	json_object_object_add(o, "text", json_object_new_string(text));
	free(text);
	assert_int_equal(gs_rpc_notify(p.rpc, "x", o), -EMSGSIZE);
	assert_false(gs_rpc_wants_write(p.rpc));
	assert_int_equal(gs_rpc_notify(p.rpc, "x", NULL), 0);
	close_pair(&p);
}

static struct json_object *megabytes(size_t n)
{
	struct json_object *o = json_object_new_object();
	char *text = malloc((n << 20) + 1);

	assert_non_null(text);
	memset(text, 'a', n << 20);
	text[n << 20] = '\0';
	json_object_object_add(o, "text", json_object_new_string(text));
	free(text);
	return o;
}

static void a_peer_that_never_reads_is_given_up_at_64_mebibytes(void **state)
{
	struct pair p = open_pair();
	int sent = 0, r = 0;

	(void)state;
	while (r == 0 && sent < 40) {
		r = gs_rpc_notify(p.rpc, "x", megabytes(4));
		sent += r == 0;
	}
	assert_int_equal(r, -EPIPE);
	assert_in_range(sent, 14, 17);
	assert_false(gs_rpc_wants_write(p.rpc));
	assert_int_equal(gs_rpc_flush(p.rpc), -EPIPE);
	close_pair(&p);
}

static void a_slow_reader_gets_every_message_whole_and_in_order(void **state)
{
	struct pair p = open_pair();
	struct gs_rpc *far;
	int heard = 0;

	(void)state;
	assert_int_equal(gs_rpc_new(p.peer, p.peer, &far, NULL), 0);
	p.peer = -1;
	for (int i = 0; i < 5000; i++)
		assert_int_equal(gs_rpc_notify(p.rpc, "x", number(i)), 0);
	assert_true(gs_rpc_wants_write(p.rpc));
	while (heard < 5000) {
		struct gs_rpc_message m = { .kind = GS_RPC_CALL };
		struct gs_u32 v;
		int r = gs_rpc_next(far, &m, NULL);

		if (r == -EAGAIN) {
			assert_int_equal(gs_rpc_flush(p.rpc), 0);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(gs_json_get_u32(m.params, "v", &v, NULL), 0);
		assert_true(gs_u32_is(v, (uint32_t)heard));
		heard++;
		gs_rpc_message_done(&m);
	}
	assert_false(gs_rpc_wants_write(p.rpc));
	gs_rpc_free(far);
	close_pair(&p);
}

static void waiting_ends_in_time_and_leaves_the_message_alone(void **state)
{
	struct pair p = open_pair();
	struct gs_monotonic start = gs_monotonic_now();
	struct gs_rpc_message m = { .id = 77 };
	struct gs_error e;

	(void)state;
	say(&p, "{\"jsonrpc\"");
	assert_int_equal(gs_rpc_wait(p.rpc, 50, &m, &e), -ETIMEDOUT);
	assert_in_range(gs_elapsed_ms(start), 45, 2000);
	assert_int_equal(m.id, 77);
	assert_int_equal(e.status, GS_STATUS_UNREACHABLE);
	assert_int_equal(gs_rpc_wait(p.rpc, 0, &m, &e), -ETIMEDOUT);
	close_pair(&p);
}

static void a_broken_pipe_is_an_error_and_no_signal(void **state)
{
	struct gs_rpc *rpc;
	int in[2], out[2];
	sigset_t pending;

	(void)state;
	signal(SIGPIPE, SIG_DFL);
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	assert_int_equal(gs_rpc_new(in[0], out[1], &rpc, NULL), 0);
	close(out[0]);
	assert_int_equal(gs_rpc_notify(rpc, "x", NULL), -EPIPE);
	sigpending(&pending);
	assert_false(sigismember(&pending, SIGPIPE));
	gs_rpc_free(rpc);
	close(in[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_notifications_and_answers_arrive_as_they_were_sent),
		cmocka_unit_test(an_error_is_raised_again_on_the_other_side),
		cmocka_unit_test(an_error_never_calls_itself_a_success),
		cmocka_unit_test(garbage_ends_the_conversation_and_is_shown),
		cmocka_unit_test(messages_with_wrong_members_are_refused),
		cmocka_unit_test(a_message_may_come_byte_by_byte_and_two_may_come_at_once),
		cmocka_unit_test(what_was_said_before_hanging_up_is_still_heard),
		cmocka_unit_test(a_giant_line_ends_the_conversation_before_it_fills_the_memory),
		cmocka_unit_test(a_message_over_the_maximum_is_not_sent),
		cmocka_unit_test(a_peer_that_never_reads_is_given_up_at_64_mebibytes),
		cmocka_unit_test(a_slow_reader_gets_every_message_whole_and_in_order),
		cmocka_unit_test(waiting_ends_in_time_and_leaves_the_message_alone),
		cmocka_unit_test(a_broken_pipe_is_an_error_and_no_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
