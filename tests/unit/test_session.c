/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client's side of an agent, against agents whose every word is written here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "codec/session.h"
#include "codec/snapshot_json.h"

#define HELLO \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"version\":1,\"source\":\"sim\",\"host\":\"no\\u001bde\",\"read_only\":false," \
	"\"privileged\":true,\"as_user\":false,\"pid\":7}}\n"

/* Ids are counted from 1, so an agent's answers can be written before they are asked for. */
static int agent(const char *words, struct gs_rpc **ret_rpc)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(gs_rpc_new(fds[0], fds[0], ret_rpc, NULL), 0);
	assert_int_equal(gs_fd_write_all(fds[1], words, strlen(words)), 0);
	return fds[1];
}

static struct gs_session *greeted(int *ret_peer)
{
	struct gs_session *s = NULL;
	struct gs_error e;
	struct gs_rpc *rpc;

	*ret_peer = agent(HELLO, &rpc);
	if (gs_session_new(rpc, 0, &s, &e) < 0)
		fail_msg("%s", e.text);
	return s;
}

static void say(int peer, const char *text)
{
	assert_int_equal(gs_fd_write_all(peer, text, strlen(text)), 0);
}

static void expect_bad_hello(const char *words, int errnum, const char *part)
{
	struct gs_session *s = (void *)1;
	struct gs_error e = { 0 };
	struct gs_rpc *rpc;
	int peer = agent(words, &rpc);

	shutdown(peer, SHUT_WR);
	if (gs_session_new(rpc, 0, &s, &e) != errnum || !strstr(e.text, part))
		fail_msg("%s: %d %s", words, e.errnum, e.text);
	assert_int_equal(e.status, GS_STATUS_UNREACHABLE);
	assert_ptr_equal(s, (void *)1);
	close(peer);
}

static void a_greeting_is_read_and_made_safe_to_show(void **state)
{
	struct gs_session *s;
	int peer;

	(void)state;
	s = greeted(&peer);
	assert_int_equal(gs_session_hello(s)->source, GS_SOURCE_SIM);
	assert_string_equal(gs_session_hello(s)->host, "no?de");
	assert_true(gs_session_hello(s)->privileged);
	assert_false(gs_session_hello(s)->read_only);
	gs_session_free(s);
	close(peer);
}

static void another_protocol_version_is_refused_with_what_to_do(void **state)
{
	(void)state;
	expect_bad_hello("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"version\":2}}\n", -EPROTO, "same gpuslice");
}

static void a_greeting_that_is_none_is_refused(void **state)
{
	(void)state;
	expect_bad_hello("", -EPIPE, "gone");
	expect_bad_hello("sudo: a password is required\n", -EBADMSG, "a password is required");
	expect_bad_hello("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}\n", -EBADMSG, "greeted");
	expect_bad_hello("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"version\":1,\"source\":\"moon\",\"host\":\"x\"}}\n", -EBADMSG, "live");
	expect_bad_hello("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"version\":1,\"source\":\"sim\"}}\n", -EBADMSG, "host");
	expect_bad_hello("{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":true}\n", -EBADMSG, "nobody asked");
	expect_bad_hello("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\"}\n", -EBADMSG, "question");
}

static void what_a_greeting_does_not_grant_is_not_granted(void **state)
{
	struct gs_session *s = NULL;
	struct gs_rpc *rpc;
	int peer = agent("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"version\":1,\"source\":\"live\",\"host\":\"x\"}}\n", &rpc);

	(void)state;
	assert_int_equal(gs_session_new(rpc, 0, &s, NULL), 0);
	assert_true(gs_session_hello(s)->read_only);
	assert_false(gs_session_hello(s)->privileged);
	gs_session_free(s);
	close(peer);
}

/* {"jsonrpc":…} around an empty snapshot. */
static void say_snapshot(int peer, const char *front)
{
	struct gs_snapshot *s = gs_snapshot_new();
	struct json_object *o;
	char *text;

	assert_non_null(s);
	gs_snapshot_set_host(s, "node", GS_SOURCE_SIM);
	assert_int_equal(gs_snapshot_seal(s, NULL), 0);
	o = gs_snapshot_to_json(s, GS_SNAPSHOT_PROFILES);
	text = gs_json_to_line(o);
	say(peer, "{\"jsonrpc\":\"2.0\",");
	say(peer, front);
	say(peer, text);
	say(peer, "}\n");
	free(text);
	json_object_put(o);
	gs_snapshot_unref(s);
}

struct heard {
	int snapshots, progress, notices, committed, answers;
	enum gs_status status;
	char text[1024];
};

static void on_snapshot(void *userdata, struct gs_snapshot *s)
{
	struct heard *h = userdata;

	h->snapshots++;
	assert_string_equal(gs_snapshot_host(s), "node");
}

static void on_progress(void *userdata, const char *event, size_t n, size_t of, const char *text, const char *note)
{
	struct heard *h = userdata;

	h->progress++;
	assert_string_equal(event, "step-done");
	assert_int_equal(n, 1);
	assert_int_equal(of, 2);
	assert_string_equal(text, "destroyed GI 2");
	assert_null(note);
}

static void on_notice(void *userdata, const char *text)
{
	struct heard *h = userdata;

	h->notices++;
	snprintf(h->text, sizeof(h->text), "%s", text);
}

static void on_committed(void *userdata, const struct gs_session_result *r)
{
	struct heard *h = userdata;

	h->committed++;
	h->status = r->status;
	snprintf(h->text, sizeof(h->text), "%s", r->text);
}

static void on_answered(void *userdata, enum gs_session_question question, uint64_t number, struct json_object *answer, const struct gs_error *e)
{
	struct heard *h = userdata;

	h->answers++;
	snprintf(h->text, sizeof(h->text), "%d %" PRIu64 " %.900s", (int)question, number, e ? e->text : answer ? json_object_to_json_string(answer) : "nothing");
}

static const struct gs_session_handlers handlers = { on_snapshot, on_progress, on_notice, on_committed, on_answered };

#define PROGRESS \
	"{\"jsonrpc\":\"2.0\",\"method\":\"progress\",\"params\":{\"event\":\"step-done\",\"n\":1,\"of\":2,\"text\":\"destroyed GI 2\"}}\n"
#define RESULT(id) \
	"{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"result\":{\"schema\":\"gpuslice.result/1\",\"status\":8,\"done\":2,\"undone\":false,\"text\":\"waits\"}}\n"

static void a_snapshot_is_fetched_past_what_comes_unasked(void **state)
{
	struct gs_snapshot *snapshot = NULL;
	struct heard heard = { 0 };
	struct gs_session *s;
	struct gs_error e;
	int peer;

	(void)state;
	s = greeted(&peer);
	say(peer, "{\"jsonrpc\":\"2.0\",\"method\":\"notice\",\"params\":{\"text\":\"let\\u0007 go\"}}\n");
	say_snapshot(peer, "\"method\":\"snapshot\",\"params\":");
	say_snapshot(peer, "\"id\":2,\"result\":");
	if (gs_session_snapshot(s, false, 1000, &snapshot, &e) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(gs_snapshot_host(snapshot), "node");
	gs_snapshot_unref(snapshot);
	/* the notice is still told; the older snapshot is not worth telling */
	assert_int_equal(gs_session_dispatch(s, &handlers, &heard, &e), 0);
	assert_int_equal(heard.notices, 1);
	assert_string_equal(heard.text, "let? go");
	assert_int_equal(heard.snapshots, 0);
	gs_session_free(s);
	close(peer);
}

static void a_late_answer_does_not_confuse_the_next_call(void **state)
{
	struct gs_snapshot *snapshot = NULL;
	struct gs_session *s;
	struct gs_error e;
	int peer;

	(void)state;
	s = greeted(&peer);
	assert_int_equal(gs_session_snapshot(s, false, 20, &snapshot, &e), -ETIMEDOUT);
	assert_int_equal(e.status, GS_STATUS_UNREACHABLE);
	say(peer, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":\"late\"}\n");
	say_snapshot(peer, "\"id\":3,\"result\":");
	assert_int_equal(gs_session_snapshot(s, false, 1000, &snapshot, &e), 0);
	gs_snapshot_unref(snapshot);
	gs_session_free(s);
	close(peer);
}

static void what_is_asked_without_waiting_is_answered_later(void **state)
{
	struct gs_snapshot *snapshot = NULL;
	struct heard heard = { 0 };
	char expected[64], sent[4096] = "";
	struct gs_session *s;
	struct gs_error e;
	ssize_t n;
	int peer;

	(void)state;
	s = greeted(&peer);
	assert_int_equal(gs_session_ask(s, GS_SESSION_ASKS_JOURNAL, 200), 0);
	assert_int_equal(gs_session_ask(s, GS_SESSION_ASKS_COMMIT, 12), 0);
	n = read(peer, sent, sizeof(sent) - 1);
	assert_true(n > 0);
	assert_non_null(strstr(sent, "\"max\":200"));
	assert_non_null(strstr(sent, "\"id\":12"));
	/* who waits for something else meanwhile does not lose it */
	say(peer, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"commits\":[]}}\n");
	say_snapshot(peer, "\"id\":4,\"result\":");
	if (gs_session_snapshot(s, false, 1000, &snapshot, &e) < 0)
		fail_msg("%s", e.text);
	gs_snapshot_unref(snapshot);
	assert_int_equal(gs_session_dispatch(s, &handlers, &heard, &e), 0);
	assert_int_equal(heard.answers, 1);
	snprintf(expected, sizeof(expected), "%d 200 { \"commits\": [ ] }", (int)GS_SESSION_ASKS_JOURNAL);
	assert_string_equal(heard.text, expected);
	say(peer, "{\"jsonrpc\":\"2.0\",\"id\":3,\"error\":{\"code\":-32000,\"message\":\"there is no commit 12\"}}\n");
	assert_int_equal(gs_session_dispatch(s, &handlers, &heard, &e), 0);
	assert_int_equal(heard.answers, 2);
	assert_non_null(strstr(heard.text, "there is no commit 12"));
	/* each is told once, and only so many are open at a time */
	for (int i = 0; i < GS_SESSION_ASKED_MAX; i++)
		assert_int_equal(gs_session_ask(s, GS_SESSION_ASKS_SAVED, 0), 0);
	assert_int_equal(gs_session_ask(s, GS_SESSION_ASKS_SAVED, 0), -EBUSY);
	gs_session_free(s);
	close(peer);
}

static void a_snapshot_that_is_none_is_an_error(void **state)
{
	static const char *const results[] = { "null", "1", "{}", "{\"schema\":\"gpuslice.snapshot/1\",\"host\":7}" };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(results); i++) {
		struct gs_snapshot *snapshot = (void *)1;
		struct gs_session *s;
		struct gs_error e = { 0 };
		int peer;

		s = greeted(&peer);
		say(peer, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":");
		say(peer, results[i]);
		say(peer, "}\n");
		assert_int_equal(gs_session_snapshot(s, false, 1000, &snapshot, &e), -EBADMSG);
		assert_ptr_equal(snapshot, (void *)1);
		assert_true(e.text[0]);
		gs_session_free(s);
		close(peer);
	}
}

static struct gs_request *request(void)
{
	struct gs_request *r = NULL;

	assert_int_equal(gs_request_new("mode 0 mig", 10, ":", GS_CONTEXT_PROMPT, &r, NULL), 0);
	return r;
}

static void a_commit_reports_progress_and_its_result(void **state)
{
	struct gs_request *r = request();
	struct gs_plan_base base = { .rev = { "abc" } };
	struct gs_session_commit c = { .request = r, .base = &base, .n_base = 1, .expect = { "def" }, .yes = true, .message = "why" };
	struct gs_session_result result;
	struct heard heard = { 0 };
	struct gs_session *s;
	struct gs_error e;
	char sent[4096] = "";
	int peer;

	(void)state;
	s = greeted(&peer);
	say(peer, PROGRESS RESULT(2));
	if (gs_session_commit(s, &c, &handlers, &heard, &result, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(heard.progress, 1);
	assert_int_equal(result.status, GS_STATUS_PENDING);
	assert_int_equal(result.done, 2);
	assert_string_equal(result.text, "waits");
	assert_non_null(result.json);
	gs_session_result_done(&result);
	assert_true(read(peer, sent, sizeof(sent) - 1) > 0);
	assert_non_null(strstr(sent, "\"expect\":\"def\""));
	assert_non_null(strstr(sent, "\"rev\":\"abc\""));
	assert_non_null(strstr(sent, "\"yes\":true"));
	assert_non_null(strstr(sent, "\"text\":\"mode 0 mig\""));
	gs_session_free(s);
	gs_request_free(r);
	close(peer);
}

static void a_commit_that_was_begun_is_told_when_it_ends(void **state)
{
	struct gs_request *r = request();
	struct gs_session_commit c = { .request = r };
	struct heard heard = { 0 };
	struct gs_session *s;
	struct gs_error e;
	int peer;

	(void)state;
	s = greeted(&peer);
	assert_int_equal(gs_session_commit_begin(s, &c), 0);
	assert_int_equal(gs_session_commit_begin(s, &c), -EBUSY);
	assert_int_equal(gs_session_cancel(s), 0);
	assert_int_equal(gs_session_dispatch(s, &handlers, &heard, &e), 0);
	assert_int_equal(heard.committed, 0);
	say(peer, "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":true}\n" PROGRESS RESULT(2));
	assert_int_equal(gs_session_dispatch(s, &handlers, &heard, &e), 0);
	assert_int_equal(heard.progress, 1);
	assert_int_equal(heard.committed, 1);
	assert_int_equal(heard.status, GS_STATUS_PENDING);
	/* refused by the agent, in the agent's words */
	assert_int_equal(gs_session_commit_begin(s, &c), 0);
	say(peer, "{\"jsonrpc\":\"2.0\",\"id\":4,\"error\":{\"code\":1,\"message\":\"held\",\"data\":{\"status\":3,\"errnum\":-16}}}\n");
	assert_int_equal(gs_session_dispatch(s, &handlers, &heard, &e), 0);
	assert_int_equal(heard.committed, 2);
	assert_int_equal(heard.status, GS_STATUS_REFUSED);
	assert_string_equal(heard.text, "held");
	gs_session_free(s);
	gs_request_free(r);
	close(peer);
}

static void the_end_of_a_commit_is_not_lost_while_a_snapshot_is_fetched(void **state)
{
	struct gs_request *r = request();
	struct gs_session_commit c = { .request = r };
	struct gs_snapshot *snapshot = NULL;
	struct heard heard = { 0 };
	struct gs_session *s;
	int peer;

	(void)state;
	s = greeted(&peer);
	assert_int_equal(gs_session_commit_begin(s, &c), 0);
	say(peer, RESULT(2));
	say_snapshot(peer, "\"id\":3,\"result\":");
	assert_int_equal(gs_session_snapshot(s, false, 1000, &snapshot, NULL), 0);
	gs_snapshot_unref(snapshot);
	assert_int_equal(gs_session_dispatch(s, &handlers, &heard, NULL), 0);
	assert_int_equal(heard.committed, 1);
	gs_session_free(s);
	gs_request_free(r);
	close(peer);
}

static void an_agent_that_goes_in_a_commit_leaves_the_outcome_open(void **state)
{
	struct gs_request *r = request();
	struct gs_session_commit c = { .request = r };
	struct gs_session_result result;
	struct gs_session *s;
	struct gs_error e;
	int peer;

	(void)state;
	s = greeted(&peer);
	say(peer, PROGRESS);
	shutdown(peer, SHUT_WR);
	assert_int_equal(gs_session_commit(s, &c, NULL, NULL, &result, &e), -EPIPE);
	assert_int_equal(e.status, GS_STATUS_NOT_UNDONE);
	assert_non_null(strstr(e.text, "gpuslice recover"));
	gs_session_free(s);
	gs_request_free(r);
	close(peer);
}

static void an_outcome_that_cannot_be_read_is_no_success(void **state)
{
	static const char *const results[] = { "{}", "{\"schema\":\"gpuslice.result/1\"}", "{\"schema\":\"gpuslice.result/1\",\"status\":11}",
					       "{\"schema\":\"gpuslice.result/2\",\"status\":0}", "null", "0" };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(results); i++) {
		struct gs_request *r = request();
		struct gs_session_commit c = { .request = r };
		struct gs_session_result result;
		struct gs_session *s;
		struct gs_error e;
		int peer;

		s = greeted(&peer);
		say(peer, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":");
		say(peer, results[i]);
		say(peer, "}\n");
		assert_int_equal(gs_session_commit(s, &c, NULL, NULL, &result, &e), -EBADMSG);
		gs_session_free(s);
		gs_request_free(r);
		close(peer);
	}
}

static void a_refused_watch_is_a_notice(void **state)
{
	struct heard heard = { 0 };
	struct gs_session *s;
	int peer;

	(void)state;
	s = greeted(&peer);
	assert_int_equal(gs_session_watch(s, 1000, true), 0);
	say(peer, "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":1,\"message\":\"no driver\"}}\n");
	say_snapshot(peer, "\"method\":\"snapshot\",\"params\":");
	assert_int_equal(gs_session_dispatch(s, &handlers, &heard, NULL), 0);
	assert_int_equal(heard.notices, 1);
	assert_string_equal(heard.text, "no driver");
	assert_int_equal(heard.snapshots, 1);
	gs_session_free(s);
	close(peer);
}

/* A child that greets, then does what @then does. */
static struct gs_session *with_child(void (*then)(int fd), pid_t *ret_pid)
{
	struct gs_session *s = NULL;
	struct gs_rpc *rpc;
	struct gs_error e;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	*ret_pid = fork();
	assert_true(*ret_pid >= 0);
	if (*ret_pid == 0) {
		close(fds[0]);
		gs_fd_write_all(fds[1], HELLO, strlen(HELLO));
		then(fds[1]);
		_exit(0);
	}
	close(fds[1]);
	assert_int_equal(gs_rpc_new(fds[0], fds[0], &rpc, NULL), 0);
	if (gs_session_new(rpc, *ret_pid, &s, &e) < 0)
		fail_msg("%s", e.text);
	return s;
}

static void until_closed(int fd)
{
	char c[256];

	while (read(fd, c, sizeof(c)) > 0)
		;
}

static void for_ever(int fd)
{
	(void)fd;
	for (;;)
		pause();
}

static void die(int fd)
{
	char c;

	if (read(fd, &c, 1) == 1 && read(fd, &c, 1) == 1)
		_exit(41);
}

static void the_agent_is_reaped_even_if_it_does_not_want_to_go(void **state)
{
	struct gs_monotonic start;
	struct gs_session *s;
	pid_t pid;

	(void)state;
	s = with_child(until_closed, &pid);
	start = gs_monotonic_now();
	gs_session_free(s);
	assert_in_range(gs_elapsed_ms(start), 0, 1500);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
	/* one that does not go is left alone: it may be in the middle of something */
	s = with_child(for_ever, &pid);
	start = gs_monotonic_now();
	gs_session_free(s);
	assert_in_range(gs_elapsed_ms(start), 1900, 3900);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void an_agent_in_a_commit_is_left_to_finish_it(void **state)
{
	GS_CLEANUP(gs_request_freep) struct gs_request *request = NULL;
	struct gs_session_commit c = { 0 };
	struct gs_monotonic start;
	struct gs_session *s;
	int status;
	pid_t pid;

	(void)state;
	s = with_child(for_ever, &pid);
	assert_int_equal(gs_request_new("create 0 1g.10gb\n", 17, "test", GS_CONTEXT_FILE, &request, NULL), 0);
	c.request = request;
	assert_int_equal(gs_session_commit_begin(s, &c), 0);
	start = gs_monotonic_now();
	gs_session_free(s);
	assert_in_range(gs_elapsed_ms(start), 0, 500);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void the_error_says_how_the_agent_ended(void **state)
{
	struct gs_snapshot *snapshot = NULL;
	struct gs_session *s;
	struct gs_error e;
	pid_t pid;

	(void)state;
	s = with_child(die, &pid);
	assert_int_equal(gs_session_snapshot(s, false, 5000, &snapshot, &e), -EPIPE);
	assert_int_equal(e.status, GS_STATUS_UNREACHABLE);
	if (!strstr(e.text, "status 41"))
		fail_msg("%s", e.text);
	gs_session_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_greeting_is_read_and_made_safe_to_show),
		cmocka_unit_test(another_protocol_version_is_refused_with_what_to_do),
		cmocka_unit_test(a_greeting_that_is_none_is_refused),
		cmocka_unit_test(what_a_greeting_does_not_grant_is_not_granted),
		cmocka_unit_test(a_snapshot_is_fetched_past_what_comes_unasked),
		cmocka_unit_test(a_late_answer_does_not_confuse_the_next_call),
		cmocka_unit_test(what_is_asked_without_waiting_is_answered_later),
		cmocka_unit_test(a_snapshot_that_is_none_is_an_error),
		cmocka_unit_test(a_commit_reports_progress_and_its_result),
		cmocka_unit_test(a_commit_that_was_begun_is_told_when_it_ends),
		cmocka_unit_test(the_end_of_a_commit_is_not_lost_while_a_snapshot_is_fetched),
		cmocka_unit_test(an_agent_that_goes_in_a_commit_leaves_the_outcome_open),
		cmocka_unit_test(an_outcome_that_cannot_be_read_is_no_success),
		cmocka_unit_test(a_refused_watch_is_a_notice),
		cmocka_unit_test(the_agent_is_reaped_even_if_it_does_not_want_to_go),
		cmocka_unit_test(an_agent_in_a_commit_is_left_to_finish_it),
		cmocka_unit_test(the_error_says_how_the_agent_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
