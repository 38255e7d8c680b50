/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/collector.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/paths.h"

#define ARGV_MAX 12
#define END_MS 1000
#define KILLED_MS 500

static int spawn(const char *program, char *const *argv, int fd, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	int r;

	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	r = posix_spawn(ret_pid, program, &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

int gs_collector_start(const struct gs_machine *machine, struct gs_collector **ret_collector, struct gs_error *e)
{
	const char *const *words = gs_machine_argv(machine);
	char *argv[ARGV_MAX] = { (char *)"gpuslice", (char *)"agent", (char *)"--role=collector" };
	GS_FREE char *program = gs_program_path();
	struct gs_collector *c = NULL;
	GS_CLOSE int ours = -1;
	GS_CLOSE int theirs = -1;
	int pair[2], r;

	if (!program)
		return gs_error_oom(e);
	for (size_t i = 0; words[i] && i + 4 < ARGV_MAX; i++)
		argv[i + 3] = (char *)words[i];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return gs_error_set(e, -errno, GS_STATUS_FAILED, "cannot make a socket for the collector: %s", strerror(errno));
	ours = pair[0];
	theirs = pair[1];
	c = calloc(1, sizeof(*c));
	if (!c)
		return gs_error_oom(e);
	r = spawn(program, argv, theirs, &c->pid);
	if (r < 0) {
		free(c);
		return gs_error_set(e, r, GS_STATUS_FAILED, "cannot start the collector (%s agent --role=collector): %s", program, strerror(-r));
	}
	c->started = gs_monotonic_now();
	r = gs_rpc_new(ours, ours, &c->rpc, e);
	ours = -1;
	if (r < 0) {
		gs_collector_stop(c, true, NULL, 0);
		return r;
	}
	*ret_collector = c;
	return 0;
}

/* True when @pid has ended within @ms; it is reaped then. */
static bool wait_for(int pid, int ms, int *ret_status)
{
	GS_CLOSE int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	if (pidfd >= 0)
		poll(&p, 1, ms);
	return waitpid(pid, ret_status, WNOHANG) == pid;
}

int gs_collector_stop(struct gs_collector *c, bool may_kill, char *ret_how, size_t size)
{
	int status = 0, left;
	bool ended;

	if (!c)
		return 0;
	gs_rpc_free(c->rpc);
	ended = wait_for(c->pid, END_MS, &status);
	if (!ended && may_kill) {
		kill(c->pid, SIGKILL);
		ended = wait_for(c->pid, KILLED_MS, &status);
	}
	if (ret_how && !ended)
		snprintf(ret_how, size, "still waiting in the driver (pid %d)", c->pid);
	else if (ret_how && WIFSIGNALED(status))
		snprintf(ret_how, size, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (ret_how)
		snprintf(ret_how, size, "exit status %d", WEXITSTATUS(status));
	left = ended ? 0 : c->pid;
	free(c);
	return left;
}

int64_t gs_collector_call(struct gs_collector *c, const char *method, struct json_object *params)
{
	int r = gs_rpc_call(c->rpc, ++c->last_id, method, params);

	return r < 0 ? r : c->last_id;
}

struct json_object *gs_collector_collect_params(bool telemetry, bool fresh, bool if_changed)
{
	struct json_object *o = json_object_new_object();

	if (!o)
		return NULL;
	json_object_object_add(o, "telemetry", json_object_new_boolean(telemetry));
	json_object_object_add(o, "fresh", json_object_new_boolean(fresh));
	json_object_object_add(o, "if_changed", json_object_new_boolean(if_changed));
	return o;
}

static int move_up(int *fd)
{
	int moved;

	if (*fd > STDERR_FILENO)
		return 0;
	moved = fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (moved < 0)
		return -errno;
	*fd = moved;
	return 0;
}

int gs_protocol_fds(int *fd_in, int *fd_out)
{
	bool was_standard = *fd_in <= STDERR_FILENO || *fd_out <= STDERR_FILENO;
	GS_CLOSE int null = -1;
	int r;

	if (!was_standard)
		return 0;
	r = move_up(fd_in);
	if (r == 0)
		r = move_up(fd_out);
	if (r < 0)
		return r;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return -errno;
	if (dup2(null, STDIN_FILENO) < 0)
		return -errno;
	/* what a library prints goes where errors go */
	if (fcntl(STDERR_FILENO, F_GETFD) < 0 && dup2(null, STDERR_FILENO) < 0)
		return -errno;
	return dup2(STDERR_FILENO, STDOUT_FILENO) < 0 ? -errno : 0;
}
