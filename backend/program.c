/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

/* Nobody's PATH decides what runs as root. */
static const struct {
	const char *name;
	const char *paths[3];
} programs[] = {
	{ "systemctl", { "/usr/bin/systemctl", "/bin/systemctl" } },
	{ "modprobe", { "/usr/sbin/modprobe", "/sbin/modprobe" } },
	{ "nvidia-smi", { "/usr/bin/nvidia-smi", "/usr/local/bin/nvidia-smi", "/run/nvidia/driver/usr/bin/nvidia-smi" } },
	{ "scontrol", { "/usr/bin/scontrol", "/usr/local/bin/scontrol", "/opt/slurm/bin/scontrol" } },
};

static int find(const char *name, const char **ret_path)
{
	if (name[0] == '/') {
		*ret_path = name;
		return access(name, X_OK) < 0 ? -errno : 0;
	}
	for (size_t i = 0; i < GS_ARRAY_SIZE(programs); i++) {
		if (strcmp(programs[i].name, name) != 0)
			continue;
		for (size_t k = 0; k < GS_ARRAY_SIZE(programs[i].paths) && programs[i].paths[k]; k++) {
			*ret_path = programs[i].paths[k];
			if (access(*ret_path, X_OK) == 0)
				return 0;
		}
		return -ENOENT;
	}
	return -EINVAL;
}

static int spawn(const char *path, const char *const *argv, int output, pid_t *ret_pid)
{
	static char *const environment[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *)"LC_ALL=C", (char *)"HOME=/", NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	int r;

	sigemptyset(&none);
	sigemptyset(&defaults);
	/* what we ignore so as not to be killed half-way it goes on ignoring; pipes in scripts want theirs back */
	sigaddset(&defaults, SIGPIPE);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	r = posix_spawn(ret_pid, path, &actions, &attributes, (char *const *)argv, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* False when there is nothing more to come. */
static bool take_output(int fd, struct gs_strbuf *b)
{
	char chunk[1024];
	ssize_t n = read(fd, chunk, sizeof(chunk));
	size_t room = GS_PROGRAM_OUTPUT_MAX - b->length;

	if (n < 0)
		return errno == EINTR;
	/* what is too much is read all the same: a full pipe would hold the program up */
	if (n > 0)
		gs_strbuf_add(b, chunk, (size_t)n < room ? (size_t)n : room);
	return n > 0;
}

/* Until it has ended; a daemon that it leaves behind may keep the pipe, and is not waited for. */
static int collect(pid_t pid, int fd, struct gs_strbuf *b)
{
	GS_CLOSE int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	bool has_ended = false, is_open = true;
	int status = 0;

	while (!has_ended || is_open) {
		struct pollfd p[2] = { { .fd = is_open ? fd : -1, .events = POLLIN }, { .fd = has_ended ? -1 : pidfd, .events = POLLIN } };

		if (poll(p, 2, has_ended ? 0 : -1) == 0)
			break;
		if (p[0].revents)
			is_open = take_output(fd, b);
		if (p[1].revents || (pidfd < 0 && !is_open))
			has_ended = waitpid(pid, &status, pidfd < 0 ? 0 : WNOHANG) == pid;
	}
	return status;
}

int gs_program_run(const char *const *argv, int *ret_exit, char **ret_output, struct gs_error *e)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	GS_CLOSE int ours = -1;
	GS_CLOSE int theirs = -1;
	const char *path = argv[0];
	int pair[2], status, r;
	pid_t pid;

	r = find(argv[0], &path);
	if (r < 0)
		return gs_error_set(e, r, GS_STATUS_FAILED, "%s cannot be run: %s", path, r == -ENOENT ? "it is not installed" : strerror(-r));
	if (pipe2(pair, O_CLOEXEC) < 0)
		return gs_error_set(e, -errno, GS_STATUS_FAILED, "%s cannot be run: %s", path, strerror(errno));
	ours = pair[0];
	theirs = pair[1];
	gs_strbuf_puts(&b, "");
	r = spawn(path, argv, theirs, &pid);
	if (r < 0)
		return gs_error_set(e, r, GS_STATUS_FAILED, "%s cannot be run: %s", path, strerror(-r));
	close(GS_TAKE_FD(theirs));
	status = collect(pid, ours, &b);
	*ret_output = gs_strbuf_take(&b);
	if (!*ret_output)
		return gs_error_oom(e);
	*ret_exit = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return 0;
}
