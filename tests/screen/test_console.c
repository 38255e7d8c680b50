/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_console.c - the loops (terminal, script, one frame) against an agent that says what the test wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "codec/snapshot_json.h"
#include "tests/lib/pty.h"
#include "tests/lib/ui_fixture.h"
#include "ui/console.h"

struct agent {
	const char *log;        /* commits are written down here */
	bool dies;              /* … instead of answering */
};

static void agent_snapshot(struct gs_rpc *rpc, int64_t id, bool changed)
{
	static const struct ui_instance made[] = { { 0, 7, "7g.80gb", 0, 0, GS_HOLDER_PROCESS } };
	struct ui_machine machine = ui_lab;
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;

	if (changed) {
		machine.instances = made;
		machine.n = 1;
	}
	s = ui_snapshot(&machine);
	if (id)
		gs_rpc_reply(rpc, id, gs_snapshot_to_json(s, GS_SNAPSHOT_PROFILES));
	else
		gs_rpc_notify(rpc, "snapshot", gs_snapshot_to_json(s, GS_SNAPSHOT_PROFILES));
}

static void agent_commit(struct gs_rpc *rpc, const struct gs_rpc_message *m, const struct agent *a)
{
	GS_FREE char *line = gs_json_to_line(m->params);
	struct json_object *o = json_object_new_object();

	gs_file_replace(a->log, line, strlen(line), 0600, NULL);
	if (a->dies)
		_exit(0);
	gs_json_add_string(o, "event", "done");
	gs_json_add_u32(o, "n", GS_U32(1));
	gs_json_add_u32(o, "of", GS_U32(2));
	gs_json_add_string(o, "text", "created GI 7g.80gb");
	gs_rpc_notify(rpc, "progress", o);
	o = json_object_new_object();
	gs_json_add_string(o, "schema", "gpuslice.result/1");
	gs_json_add_u32(o, "status", GS_U32(0));
	gs_json_add_u32(o, "done", GS_U32(2));
	gs_json_add_string(o, "text", "Two steps done.");
	gs_rpc_reply(rpc, m->id, o);
	agent_snapshot(rpc, 0, true);
}

static void agent_hello(struct gs_rpc *rpc, int64_t id)
{
	struct json_object *o = json_object_new_object();

	gs_json_add_u32(o, "version", GS_U32(GS_PROTOCOL_VERSION));
	gs_json_add_string(o, "source", "sim");
	gs_json_add_string(o, "host", "dgx01");
	json_object_object_add(o, "read_only", json_object_new_boolean(false));
	json_object_object_add(o, "privileged", json_object_new_boolean(true));
	gs_rpc_reply(rpc, id, o);
}

static void agent_main(int fd, const struct agent *a)
{
	struct gs_rpc *rpc = NULL;

	if (gs_rpc_new(fd, fd, &rpc, NULL) < 0)
		_exit(1);
	for (;;) {
		GS_RPC_MESSAGE struct gs_rpc_message m = { .kind = GS_RPC_NOTIFY };

		if (gs_rpc_wait(rpc, -1, &m, NULL) < 0)
			_exit(0);
		if (!strcmp(m.method, "hello")) {
			agent_hello(rpc, m.id);
		} else if (!strcmp(m.method, "snapshot")) {
			agent_snapshot(rpc, m.id, false);
		} else if (!strcmp(m.method, "commit")) {
			agent_commit(rpc, &m, a);
		} else {
			gs_rpc_reply(rpc, m.id, json_object_new_boolean(true));
			if (!strcmp(m.method, "watch"))
				agent_snapshot(rpc, 0, false);
		}
	}
}

static struct gs_session *session_with(const struct agent *a)
{
	struct gs_session *s = NULL;
	struct gs_rpc *rpc = NULL;
	struct gs_error e = { 0 };
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return NULL;
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		agent_main(fds[1], a);
	}
	close(fds[1]);
	if (gs_rpc_new(fds[0], fds[0], &rpc, &e) < 0 || gs_session_new(rpc, pid, &s, &e) < 0) {
		fprintf(stderr, "test_console: %s\n", e.text);
		return NULL;
	}
	return s;
}

struct scratch {
	char dir[32], log[64], script[64], out[64];
};

static void scratch_make(struct scratch *w)
{
	snprintf(w->dir, sizeof(w->dir), "/tmp/gs-console-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->log, sizeof(w->log), "%s/log", w->dir);
	snprintf(w->script, sizeof(w->script), "%s/script", w->dir);
	snprintf(w->out, sizeof(w->out), "%s/out", w->dir);
}

static void scratch_clean(struct scratch *w)
{
	unlink(w->log);
	unlink(w->script);
	unlink(w->out);
	rmdir(w->dir);
}

static char *whole(const char *path)
{
	char *text = NULL;
	size_t n;

	return gs_file_read(path, 1 << 20, &text, &n, NULL) < 0 ? strdup("") : text;
}

/* Standard output goes to a file meanwhile; the exit status. */
static int headless(const struct scratch *w, const struct agent *a, const char *script, struct gs_error *e)
{
	struct gs_console_options o = { .ascii = true, .script = w->script, .rows = 24, .columns = 80 };
	struct gs_session *s = session_with(a);
	int saved = dup(STDOUT_FILENO), status;

	assert_non_null(s);
	assert_int_equal(gs_file_replace(w->script, script, strlen(script), 0600, NULL), 0);
	fflush(stdout);
	assert_non_null(freopen(w->out, "w", stdout));
	status = gs_console_run(s, &o, e);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	return status;
}

static void test_headless_commit(void **state)
{
	struct scratch w;
	struct gs_error e = { 0 };
	GS_FREE char *out = NULL, *log = NULL;
	int status;

	(void)state;
	scratch_make(&w);
	status = headless(&w, &(struct agent){ .log = w.log },
			  "# the everyday path\nwait SIMULATED\nkeys c7\\r\nshow\nkeys W\nwait REVIEW\nkeys y\nwait Two steps done\n"
			  "keys \\e\nwait 7g.80gb\nresize 40 120\nshow\nattributes\nquit\nthis is never read\n", &e);
	out = whole(w.out);
	log = whole(w.log);
	scratch_clean(&w);
	if (status != GS_STATUS_OK)
		fail_msg("%s", e.text);
	assert_non_null(strstr(out, "STAGED +1"));
	assert_non_null(strstr(log, "create 0 7g.80gb at 0"));
	assert_non_null(strstr(log, "\"yes\":true"));
	assert_null(strstr(log, "\"expect\":null"));
}

static void test_headless_mistakes_have_a_place(void **state)
{
	struct scratch w;
	struct gs_error e = { 0 };

	(void)state;
	scratch_make(&w);
	assert_int_equal(headless(&w, &(struct agent){ .log = w.log }, "show\nkeys \\q\n", &e), GS_STATUS_INVALID);
	assert_int_equal(e.line, 2);
	assert_int_equal(headless(&w, &(struct agent){ .log = w.log }, "\n\nmouse press 1\n", &e), GS_STATUS_INVALID);
	assert_int_equal(e.line, 3);
	scratch_clean(&w);
}

static void test_headless_agent_dies_in_the_commit(void **state)
{
	struct scratch w;
	struct gs_error e = { 0 };
	int status;

	(void)state;
	scratch_make(&w);
	status = headless(&w, &(struct agent){ .log = w.log, .dies = true }, "keys c7\\r\nkeys Wy\nwait agent has gone\nkeys \\e\nwait STAGED +1\n", &e);
	scratch_clean(&w);
	if (status != GS_STATUS_OK)
		fail_msg("%s", e.text);
}

struct on_terminal {
	struct agent agent;
};

static int terminal_child(void *userdata)
{
	struct on_terminal *t = userdata;
	struct gs_console_options o = { .mouse = true, .ascii = true, .colour = true };
	struct gs_error e = { 0 };
	struct gs_session *s;
	int status;

	setlocale(LC_ALL, "");
	s = session_with(&t->agent);
	status = s ? gs_console_run(s, &o, &e) : 99;
	if (status)
		fprintf(stderr, "%s\n", e.text);
	return status;
}

static void test_terminal_loop(void **state)
{
	struct scratch w;
	struct on_terminal t = { .agent = { .log = w.log } };
	struct gs_pty_options o = { .child = terminal_child, .userdata = &t, .rows = 24, .columns = 80 };
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = NULL;
	GS_FREE char *log = NULL;
	int status = -1;

	(void)state;
	scratch_make(&w);
	assert_int_equal(gs_pty_spawn(&o, &p), 0);
	/* The first frame is shown before the machine has been read: wait for the machine. */
	assert_int_equal(gs_pty_wait_text(p, "H100"), 0);
	gs_pty_keys(p, "c");
	assert_int_equal(gs_pty_wait_text(p, "CREATE"), 0);
	/* a lone ESC is taken as such, by the clock */
	gs_pty_keys(p, "\033");
	assert_int_equal(gs_pty_wait_gone(p, "CREATE"), 0);
	gs_pty_keys(p, "c7\r");
	assert_int_equal(gs_pty_wait_text(p, "STAGED +1"), 0);
	gs_pty_resize(p, 40, 120);
	assert_int_equal(gs_pty_wait_text(p, "W write"), 0);
	gs_pty_keys(p, "W");
	assert_int_equal(gs_pty_wait_text(p, "REVIEW"), 0);
	gs_pty_keys(p, "y");
	assert_int_equal(gs_pty_wait_text(p, "Two steps done"), 0);
	assert_int_equal(gs_pty_wait_gone(p, "STAGED"), 0);
	/* Enter, not Esc: Esc and q in one read would be Alt-q */
	gs_pty_keys(p, "\r");
	gs_pty_keys(p, "q");
	assert_int_equal(gs_pty_wait_exit(p, &status), 0);
	log = whole(w.log);
	scratch_clean(&w);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_non_null(strstr(log, "create 0 7g.80gb at 0"));
}

/* An end that nobody asked for keeps what was staged. */
static void rescue(bool hangs_up)
{
	struct scratch w;
	struct on_terminal t = { .agent = { .log = w.log } };
	struct gs_pty_options o = { .child = terminal_child, .userdata = &t, .rows = 24, .columns = 80 };
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = NULL;
	GS_FREE char *saved = NULL;
	char dir[64], path[96];
	int status = -1;

	scratch_make(&w);
	snprintf(dir, sizeof(dir), "%s/gpuslice", w.dir);
	snprintf(path, sizeof(path), "%s/staged-dgx01.gs", dir);
	setenv("XDG_STATE_HOME", w.dir, 1);
	assert_int_equal(gs_pty_spawn(&o, &p), 0);
	unsetenv("XDG_STATE_HOME");
	assert_int_equal(gs_pty_wait_text(p, "H100"), 0);
	gs_pty_keys(p, "c7\r");
	assert_int_equal(gs_pty_wait_text(p, "STAGED +1"), 0);
	if (hangs_up)
		gs_pty_hangup(p);
	else
		kill(gs_pty_pid(p), SIGTERM);
	assert_int_equal(gs_pty_wait_exit(p, &status), 0);
	if (!hangs_up)
		assert_string_equal(gs_pty_leftovers(p), "");
	saved = whole(path);
	unlink(path);
	rmdir(dir);
	scratch_clean(&w);
	assert_string_equal(saved, "create 0 7g.80gb at 0\n");
}

static void test_sigterm_keeps_what_is_staged(void **state)
{
	(void)state;
	rescue(false);
}

static void test_hangup_keeps_what_is_staged(void **state)
{
	(void)state;
	rescue(true);
}

/* A name that is taken is not written to, not even when it leads nowhere. */
static void test_saving_never_overwrites(void **state)
{
	struct scratch w;
	struct gs_error e = { 0 };
	char taken[96], script[512], fresh[96], target[96];
	GS_FREE char *saved = NULL;
	int status;

	(void)state;
	scratch_make(&w);
	snprintf(taken, sizeof(taken), "%s/taken", w.dir);
	snprintf(target, sizeof(target), "%s/target", w.dir);
	snprintf(fresh, sizeof(fresh), "%s/fresh", w.dir);
	assert_int_equal(symlink(target, taken), 0);
	snprintf(script, sizeof(script), "wait SIMULATED\nkeys c7\\r\nkeys Ws\nkeys \\x15%s\\r\nwait of that name already\nkeys \\x15%s\\r\nwait saved\n", taken, fresh);
	status = headless(&w, &(struct agent){ .log = w.log }, script, &e);
	saved = whole(fresh);
	assert_int_equal(access(target, F_OK), -1);
	assert_int_equal(unlink(taken), 0);
	unlink(target);
	unlink(fresh);
	scratch_clean(&w);
	if (status != GS_STATUS_OK)
		fail_msg("%s", e.text);
	assert_string_equal(saved, "create 0 7g.80gb at 0\n");
}

static void test_once(void **state)
{
	struct scratch w;
	struct gs_console_options o = { .read_only = true, .ascii = true };
	struct gs_session *s;
	struct gs_error e = { 0 };
	GS_CLEANUP(gs_cleanup_fclose) FILE *to = NULL;
	GS_FREE char *out = NULL;

	(void)state;
	scratch_make(&w);
	s = session_with(&(struct agent){ .log = w.log });
	assert_non_null(s);
	to = fopen(w.out, "w");
	assert_int_equal(gs_console_once(s, &o, fileno(to), &e), GS_STATUS_OK);
	out = whole(w.out);
	/* a cut picture is none */
	o.rows = 10;
	o.columns = 80;
	s = session_with(&(struct agent){ .log = w.log });
	assert_int_equal(gs_console_once(s, &o, fileno(to), &e), GS_STATUS_INVALID);
	assert_non_null(strstr(e.text, "20x70"));
	assert_non_null(strstr(e.text, "10x80"));
	scratch_clean(&w);
	assert_non_null(strstr(out, "READ-ONLY"));
	assert_null(strchr(out, '\033'));
	assert_int_equal(out[strlen(out) - 1], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headless_commit),
		cmocka_unit_test(test_headless_mistakes_have_a_place),
		cmocka_unit_test(test_headless_agent_dies_in_the_commit),
		cmocka_unit_test(test_terminal_loop),
		cmocka_unit_test(test_sigterm_keeps_what_is_staged),
		cmocka_unit_test(test_hangup_keeps_what_is_staged),
		cmocka_unit_test(test_saving_never_overwrites),
		cmocka_unit_test(test_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
