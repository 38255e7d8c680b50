/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An agent whose commit waits for a hook goes on answering. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/agent.h"
#include "backend/hooks.h"
#include "backend/sim/sim.h"
#include "base/paths.h"
#include "codec/request.h"
#include "codec/rpc.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/tree.h"

#define HOST "dgx-h100"
#define TIMEOUT_MS 20000

static struct gs_rpc *start(pid_t *ret_pid)
{
	static const struct gs_machine_options options = { .sim = HOST };
	struct gs_rpc *rpc = NULL;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	*ret_pid = fork();
	assert_true(*ret_pid >= 0);
	if (*ret_pid == 0) {
		close(pair[0]);
		_exit(gs_agent_serve(&options, pair[1], pair[1]));
	}
	close(pair[1]);
	assert_int_equal(gs_rpc_new(pair[0], pair[0], &rpc, NULL), 0);
	return rpc;
}

static struct json_object *commit_params(const char *script)
{
	GS_CLEANUP(gs_request_freep) struct gs_request *request = NULL;
	struct json_object *o = json_object_new_object();

	assert_int_equal(gs_request_new(script, strlen(script), "test", GS_CONTEXT_FILE, &request, NULL), 0);
	json_object_object_add(o, "request", gs_request_to_json(request));
	json_object_object_add(o, "yes", json_object_new_boolean(true));
	return o;
}

/* The next answer, past any progress; notes that a hook printed go to @ret_hooks. */
static int64_t next_answer(struct gs_rpc *rpc, char *ret_hooks, size_t size)
{
	for (;;) {
		GS_RPC_MESSAGE struct gs_rpc_message m = { .kind = GS_RPC_CALL };
		struct gs_error e = { 0 };
		const char *text = NULL;

		if (gs_rpc_wait(rpc, TIMEOUT_MS, &m, &e) < 0)
			fail_msg("%s", e.text);
		if (m.kind != GS_RPC_NOTIFY)
			return m.id;
		if (strcmp(m.method, "progress") == 0 && gs_json_get_string(m.params, "note", &text, NULL) == 0 && text && strstr(text, "the hook "))
			snprintf(ret_hooks, size, "%s", text);
	}
}

static void the_client_is_answered_while_a_hook_runs(void **state)
{
	GS_CLEANUP(gs_rpc_freep) struct gs_rpc *rpc = NULL;
	GS_CLEANUP(gs_sim_closep) struct gs_sim *sim = NULL;
	char path[512], said[256] = "", script[700];
	struct gs_error e = { 0 };
	pid_t pid;

	(void)state;
	if (gs_sim_reset(HOST, &e) < 0 || gs_sim_open(HOST, &sim, &e) < 0)
		fail_msg("%s", e.text);
	/* it waits until the test lets it go on */
	snprintf(script, sizeof(script), "#!/bin/sh\n[ $1 = after ] && exit 0\necho the hook waits\nwhile [ ! -e '%s/go-on' ]; do sleep 0.02; done\n",
		 gs_sim_tree(sim));
	gs_tree_put(gs_sim_tree(sim), GS_HOOKS_DIR "/10-waits", script);
	snprintf(path, sizeof(path), "%s/" GS_HOOKS_DIR "/10-waits", gs_sim_tree(sim));
	assert_int_equal(chmod(path, 0755), 0);

	rpc = start(&pid);
	assert_int_equal(gs_rpc_call(rpc, 1, "hello", NULL), 0);
	assert_int_equal(next_answer(rpc, said, sizeof(said)), 1);
	assert_int_equal(gs_rpc_call(rpc, 2, "commit", commit_params("create 3 1g.10gb\n")), 0);
	assert_int_equal(gs_rpc_call(rpc, 3, "hello", NULL), 0);
	/* hello, not the commit */
	assert_int_equal(next_answer(rpc, said, sizeof(said)), 3);
	assert_int_equal(gs_rpc_call(rpc, 4, "commit", commit_params("create 3 1g.10gb\n")), 0);
	assert_int_equal(next_answer(rpc, said, sizeof(said)), 4);
	gs_tree_put(gs_sim_tree(sim), "go-on", "");
	assert_int_equal(next_answer(rpc, said, sizeof(said)), 2);
	assert_string_equal(said, "the hook waits");
	rpc = gs_rpc_free(rpc);
	waitpid(pid, NULL, 0);
	assert_int_equal(unlink(path), 0);
}

static void fault(struct gs_sim *sim, const char *words)
{
	char text[128], *argv[8], *at = text;
	struct gs_error e = { 0 };
	int argc = 0;

	snprintf(text, sizeof(text), "%s", words);
	while (argc < 8 && (argv[argc] = strsep(&at, " ")))
		argc++;
	if (gs_sim_fault(sim, argc, argv, &e) < 0)
		fail_msg("%s", e.text);
}

/* All of it is read at once, so nothing is left in the socket for a poll to see. */
static void what_came_with_the_commit_is_taken_at_once(void **state)
{
	GS_CLEANUP(gs_rpc_freep) struct gs_rpc *rpc = NULL;
	GS_CLEANUP(gs_sim_closep) struct gs_sim *sim = NULL;
	GS_RPC_MESSAGE struct gs_rpc_message m = { .kind = GS_RPC_NOTIFY };
	struct gs_error e = { 0 };
	const char *text = NULL;
	char said[256] = "";
	int status;
	pid_t pid;

	(void)state;
	if (gs_sim_reset(HOST, &e) < 0 || gs_sim_open(HOST, &sim, &e) < 0)
		fail_msg("%s", e.text);
	rpc = start(&pid);
	assert_int_equal(gs_rpc_call(rpc, 1, "hello", NULL), 0);
	assert_int_equal(next_answer(rpc, said, sizeof(said)), 1);
	/* the look before the plan hangs in the driver */
	fault(sim, "nvml DeviceGetCount_v2 hang");
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_int_equal(gs_rpc_call(rpc, 2, "commit", commit_params("create 3 1g.10gb\n")), 0);
	assert_int_equal(gs_rpc_call(rpc, 3, "cancel", NULL), 0);
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_int_equal(next_answer(rpc, said, sizeof(said)), 3);
	fault(sim, "release");
	while (m.kind == GS_RPC_NOTIFY) {
		gs_rpc_message_done(&m);
		assert_int_equal(gs_rpc_wait(rpc, TIMEOUT_MS, &m, &e), 0);
	}
	assert_int_equal(m.id, 2);
	assert_int_equal(gs_json_get_string(m.params, "text", &text, NULL), 0);
	assert_non_null(strstr(text, "stopped as asked"));
	rpc = gs_rpc_free(rpc);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_client_is_answered_while_a_hook_runs),
		cmocka_unit_test(what_came_with_the_commit_is_taken_at_once),
	};
	char dir[GS_TREE_DIR];
	int failed;

	signal(SIGPIPE, SIG_IGN);
	gs_tree_new(dir);
	setenv("XDG_STATE_HOME", dir, 1);
	failed = cmocka_run_group_tests_name("agent and hooks", tests, NULL, NULL);
	gs_tree_remove(dir);
	return failed;
}
