/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hooks_run.c - one hook, from its start to its end: nothing that it does may hold the agent up. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "backend/hooks_private.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/parse.h"

#define LINE_MAX_BYTES 256
#define LOOK_MS 50
/* After SIGKILL: what the kernel keeps is not waited for any longer. */
#define KILLED_MS 1000
#define ENVIRONMENT_BYTES_MAX 1024

/* A hook that runs. */
struct hook {
	const struct gs_hooks_one *one;
	const struct gs_hooks_ops *ops;
	void *userdata;
	pid_t pid;
	int pidfd;                      /* -1: the kernel has none to give */
	int output;                     /* -1: its end was seen */
	size_t n_shown;                 /* bytes of it that were shown */
	bool is_cut;                    /* and that it is not all was said */
	char line[LINE_MAX_BYTES];      /* the one that is being printed */
	size_t n_line;
	char last[LINE_MAX_BYTES];      /* the last whole one that was not empty */
	bool has_ended;                 /* not reaped yet: its pid, and so its group's number, is nobody else's */
	siginfo_t how;                  /* … as waitid(2) gives it */
};

static void hook_done(struct hook *h)
{
	if (h->pidfd >= 0)
		close(h->pidfd);
	if (h->output >= 0)
		close(h->output);
	if (h->has_ended)
		waitpid(h->pid, NULL, 0);
}

static void end_line(struct hook *h)
{
	size_t n = h->n_line;

	h->n_line = 0;
	h->line[n] = '\0';
	if (!n)
		return;
	gs_text_sanitize(h->line);
	snprintf(h->last, sizeof(h->last), "%s", h->line);
	if (!h->ops->say || h->is_cut)
		return;
	h->is_cut = h->n_shown + n > GS_HOOKS_OUTPUT_MAX;
	h->n_shown += n;
	h->ops->say(h->userdata, h->one->name, h->one->when, h->is_cut ? "(it prints more than is shown)" : h->line);
}

/* Take what there is. What is too much is read all the same: a full pipe would hold the hook up, and its last line counts. */
static void take_output(struct hook *h)
{
	char chunk[4096];
	ssize_t n = 0;

	for (int turns = 0; h->output >= 0 && turns < 16; turns++) {
		n = read(h->output, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++) {
			if (chunk[i] == '\n' || h->n_line == sizeof(h->line) - 1)
				end_line(h);
			if (chunk[i] != '\n')
				h->line[h->n_line++] = chunk[i] ? chunk[i] : '?';
		}
	}
	if (h->output >= 0 && (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))) {
		close(h->output);
		h->output = -1;
	}
}

/* Until it has ended, or @ms have passed. True when it has ended. */
static bool wait_for(struct hook *h, int ms)
{
	struct gs_monotonic since = gs_monotonic_now();
	int64_t left;

	while (!h->has_ended) {
		take_output(h);
		h->has_ended = waitid(P_PID, (id_t)h->pid, &h->how, WEXITED | WNOHANG | WNOWAIT) == 0 && h->how.si_pid == h->pid;
		if (h->has_ended)
			break;
		left = ms - gs_elapsed_ms(since);
		if (left <= 0)
			return false;
		h->ops->wait(h->userdata, h->output >= 0 ? h->output : h->pidfd, left < LOOK_MS ? (int)left : LOOK_MS);
	}
	/* what it printed last; a daemon that it left behind may keep the pipe, and is not waited for */
	take_output(h);
	end_line(h);
	return true;
}

/* An unnamed file: a pipe would have to be fed, and a hook that does not read would hold us up. */
static int plan_fd(const struct gs_hooks_call *call, int *ret_fd)
{
	GS_CLOSE int fd = memfd_create("gpuslice-plan", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = gs_fd_write_all(fd, call->plan, strlen(call->plan));
	if (r < 0)
		return r;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	*ret_fd = GS_TAKE_FD(fd);
	return 0;
}

static int spawn_in(const char *path, char *const *argv, char *const *environment, int in, int out, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int r;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
	posix_spawn_file_actions_addchdir_np(&actions, "/");
	posix_spawnattr_setsigmask(&attributes, &none);
	/* what the agent ignores so as not to end half-way, a hook does not */
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	r = posix_spawn(ret_pid, path, &actions, &attributes, argv, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* "NAME=value" of somebody's words: bounded and printable. */
static void set_variable(char buf[ENVIRONMENT_BYTES_MAX], const char *name, const char *value)
{
	snprintf(buf, ENVIRONMENT_BYTES_MAX, "%s=%s", name, value);
	gs_text_sanitize(buf);
}

static int start(struct hook *h, const struct gs_hooks_call *call)
{
	char host[ENVIRONMENT_BYTES_MAX], message[ENVIRONMENT_BYTES_MAX];
	char *environment[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *)"LANG=C", host, call->message ? message : NULL, NULL };
	GS_FREE char(*addresses)[GS_BDF_TEXT] = calloc(call->n_gpus + 1, sizeof(*addresses));
	GS_FREE char **argv = calloc(call->n_gpus + 4, sizeof(*argv));
	GS_CLOSE int in = -1;
	GS_CLOSE int out = -1;
	int pair[2], r;

	if (!argv || !addresses)
		return -ENOMEM;
	set_variable(host, "GPUSLICE_HOST", call->host);
	if (call->message)
		set_variable(message, "GPUSLICE_MESSAGE", call->message);
	argv[0] = (char *)h->one->path;
	argv[1] = (char *)h->one->when;
	argv[2] = (char *)h->one->status;
	for (size_t i = 0; i < call->n_gpus; i++)
		argv[3 + i] = (char *)gs_bdf_format(call->gpus[i], addresses[i]);
	r = plan_fd(call, &in);
	if (r < 0)
		return r;
	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	h->output = pair[0];
	out = pair[1];
	/* only our end: the hook's own writes wait as everywhere */
	if (fcntl(h->output, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	r = spawn_in(h->one->path, argv, environment, in, out, &h->pid);
	if (r == 0)
		h->pidfd = (int)syscall(SYS_pidfd_open, h->pid, 0);
	return r;
}

/* Its time is up: it may tidy up, and then has to go, with all that it started. */
static void stop(struct hook *h, const struct gs_hooks_call *call)
{
	kill(-h->pid, SIGTERM);
	wait_for(h, call->grace_ms ? call->grace_ms : GS_HOOKS_GRACE_MS);
	/* those of its group that outlived it, too */
	kill(-h->pid, SIGKILL);
	wait_for(h, KILLED_MS);
}

/* «: its last line», or nothing. */
static const char *last_line(const struct hook *h, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s", h->last[0] ? ": " : "", h->last);
	return buf;
}

int gs_hooks_run_one(const struct gs_hooks_one *one, const struct gs_hooks_call *call, const struct gs_hooks_ops *ops, void *userdata, struct gs_error *e)
{
	GS_CLEANUP(hook_done) struct hook h = { .one = one, .ops = ops, .userdata = userdata, .pidfd = -1, .output = -1 };
	int timeout_ms = call->timeout_ms ? call->timeout_ms : GS_HOOKS_TIMEOUT_MS;
	char line[LINE_MAX_BYTES + 2];
	int r;

	if (strlen(call->plan) > GS_HOOKS_PLAN_MAX)
		return gs_error_set(e, -EFBIG, GS_STATUS_REFUSED, "the hook %s cannot be given the plan: it is larger than %u KiB", one->name,
				    GS_HOOKS_PLAN_MAX >> 10);
	r = start(&h, call);
	if (r < 0)
		return gs_error_set(e, r, GS_STATUS_REFUSED, "the hook %s cannot be run (%s): %s", one->name, one->when,
				    r == -ENOEXEC ? "it is no program, and its first line names no interpreter (#!/bin/sh)" :
				    r == -ENOENT  ? "the interpreter that its first line names is not there" :
						    strerror(-r));
	if (!wait_for(&h, timeout_ms)) {
		stop(&h, call);
		return gs_error_set(e, -ETIMEDOUT, GS_STATUS_REFUSED, "the hook %s (%s) had not ended after %d.%d s and was stopped%s%s", one->name, one->when,
				    timeout_ms / 1000, timeout_ms % 1000 / 100, h.has_ended ? "" : ", but the kernel keeps it", last_line(&h, line, sizeof(line)));
	}
	if (h.how.si_code != CLD_EXITED)
		return gs_error_set(e, -ECANCELED, GS_STATUS_REFUSED, "the hook %s (%s) ended by signal %d (%s)%s", one->name, one->when, h.how.si_status,
				    strsignal(h.how.si_status), last_line(&h, line, sizeof(line)));
	if (h.how.si_status)
		return gs_error_set(e, -ECANCELED, GS_STATUS_REFUSED, "the hook %s (%s) says no with exit status %d%s", one->name, one->when, h.how.si_status,
				    last_line(&h, line, sizeof(line)));
	return 0;
}
