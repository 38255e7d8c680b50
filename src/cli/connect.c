/* SPDX-License-Identifier: GPL-2.0-or-later */
/* connect.c - start an agent for the machine that the command line names, and talk to it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/paths.h"
#include "cli/cli.h"

#define ARGS_MAX 24
#define SNAPSHOT_TIMEOUT_MS 60000

struct arguments {
	const char *words[ARGS_MAX];
	size_t n;
};

static void push(struct arguments *a, const char *word)
{
	if (a->n + 1 < ARGS_MAX)
		a->words[a->n++] = word;
}

static void push_agent(struct arguments *a, const struct gs_cli *cli, const struct gs_connect *how)
{
	push(a, "agent");
	push(a, "--role=agent");
	if (how->read_only)
		push(a, "--read-only");
	if (cli->sim) {
		push(a, "--sim");
		push(a, cli->sim);
	}
	if (cli->sysroot) {
		push(a, "--sysroot");
		push(a, cli->sysroot);
	}
	if (cli->as_user)
		push(a, "--as-user");
}

static void exec_child(const struct arguments *a, int fd, bool quiet)
{
	sigset_t none;

	/* a screen blocks the signals that it reads itself, and we ignore SIGPIPE: neither is for the child */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
		_exit(127);
	if (quiet) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		if (null >= 0)
			dup2(null, STDERR_FILENO);
	}
	execvp(a->words[0], (char *const *)a->words);
	_exit(127);
}

static int spawn(const struct arguments *a, bool quiet, struct gs_session **ret_session, struct gs_error *e)
{
	GS_CLEANUP(gs_rpc_freep) struct gs_rpc *rpc = NULL;
	int pair[2], r;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return gs_error_set(e, -errno, GS_STATUS_UNREACHABLE, "cannot make a socket for the agent: %s", strerror(errno));
	pid = fork();
	if (pid < 0) {
		r = -errno;
		close(pair[0]);
		close(pair[1]);
		return gs_error_set(e, r, GS_STATUS_UNREACHABLE, "cannot start the agent: %s", strerror(-r));
	}
	if (pid == 0)
		exec_child(a, pair[1], quiet);
	close(pair[1]);
	r = gs_rpc_new(pair[0], pair[0], &rpc, e);
	if (r < 0) {
		waitpid(pid, NULL, 0);
		return r;
	}
	return gs_session_new(GS_TAKE(rpc), (int)pid, ret_session, e);
}

int gs_cli_connect(const struct gs_cli *cli, const struct gs_connect *how, struct gs_session **ret_session, struct gs_error *e)
{
	GS_FREE char *program = gs_program_path();
	struct arguments a = { { program }, 1 };

	if (!program)
		return gs_error_oom(e);
	push_agent(&a, cli, how);
	return spawn(&a, how->quiet, ret_session, e);
}

int gs_cli_connect_sudo(const struct gs_cli *cli, struct gs_session **ret_session, struct gs_error *e)
{
	GS_FREE char *program = gs_program_path();
	struct arguments a = { { "sudo", "--", program }, 3 };
	struct gs_connect how = { 0 };

	if (!program)
		return gs_error_oom(e);
	/* a simulated machine needs no real root: its own root is one option away */
	if (cli->sim) {
		struct gs_cli as_root = *cli;

		as_root.as_user = false;
		how.quiet = true;
		return gs_cli_connect(&as_root, &how, ret_session, e);
	}
	push_agent(&a, cli, &how);
	push(&a, "--privileged");
	return spawn(&a, false, ret_session, e);
}

int gs_cli_snapshot(const struct gs_cli *cli, bool telemetry, struct gs_snapshot **ret_snapshot, struct gs_error *e)
{
	GS_CLEANUP(gs_session_freep) struct gs_session *session = NULL;
	const struct gs_connect how = { .read_only = false };
	int r;

	r = gs_cli_connect(cli, &how, &session, e);
	return r < 0 ? r : gs_session_snapshot(session, telemetry, SNAPSHOT_TIMEOUT_MS, ret_snapshot, e);
}
