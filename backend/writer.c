/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "backend/writes.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/paths.h"
#include "base/strbuf.h"
#include "codec/json.h"

#define ARGV_MAX 32
#define LEFT_MAX 64
#define ANSWER_BYTES_MAX 65536
#define OUTPUT_BYTES_MAX 8192
#define WAITING_MS 1000

struct gs_writer {
	struct gs_root *root;
	const char *program;            /* NULL: this one */
	const char *const *argv;        /* words that open the same machine in the child */
	const struct gs_writer_ops *ops;
	void *userdata;
	pid_t left[LEFT_MAX];           /* children that were left to themselves */
	size_t n_left;
};

/* One child at work. */
struct child {
	struct gs_writer *w;
	struct gs_bdf function;
	const char *path;               /* or the program */
	bool is_program;
	pid_t pid;
	int pidfd, output;              /* -1: none */
	char holders[160];
};

struct gs_writer *gs_writer_new_on(struct gs_root *root, const char *program, const char *const *argv, const struct gs_writer_ops *ops, void *userdata)
{
	struct gs_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->root = root;
	w->program = program;
	w->argv = argv;
	w->ops = ops;
	w->userdata = userdata;
	return w;
}

struct gs_writer *gs_writer_new(struct gs_machine *machine, const struct gs_writer_ops *ops, void *userdata)
{
	return gs_writer_new_on(gs_machine_root(machine), NULL, gs_machine_argv(machine), ops, userdata);
}

struct gs_writer *gs_writer_free(struct gs_writer *w)
{
	if (!w)
		return NULL;
	gs_writer_reap(w);
	free(w);
	return NULL;
}

void gs_writer_reap(struct gs_writer *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->n_left; i++) {
		if (waitpid(w->left[i], NULL, WNOHANG) == 0)
			w->left[kept++] = w->left[i];
	}
	w->n_left = kept;
}

int gs_writer_take_left(struct gs_writer *w)
{
	gs_writer_reap(w);
	return w->n_left ? w->left[--w->n_left] : 0;
}

struct gs_root *gs_writer_root(struct gs_writer *w)
{
	return w->root;
}

void gs_writer_pause(struct gs_writer *w, int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (w->ops && w->ops->wait)
		w->ops->wait(w->userdata, fd, ms);
	else
		poll(&p, 1, ms);
}

const char *gs_writer_holders(struct gs_writer *w, struct gs_bdf function, char *buf, size_t size)
{
	buf[0] = '\0';
	if (w->ops && w->ops->holders_of)
		w->ops->holders_of(w->userdata, function, buf, size);
	return buf;
}

/* @words behind the «--»; NULL ends. */
static int spawn(struct child *c, const char *const *words, int output)
{
	char writer[32 + GS_BDF_TEXT], owner[32], waits[192], bdf[GS_BDF_TEXT];
	const char *argv[ARGV_MAX] = { "gpuslice", "agent", writer, owner };
	GS_FREE char *program = c->w->program ? strdup(c->w->program) : gs_program_path();
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	size_t n = 4;
	int r;

	if (!program)
		return -ENOMEM;
	snprintf(writer, sizeof(writer), "--writer=%s", gs_bdf_format(c->function, bdf));
	snprintf(owner, sizeof(owner), "--owner=%d", (int)getpid());
	snprintf(waits, sizeof(waits), "--waits-for=%s", c->holders);
	if (c->holders[0])
		argv[n++] = waits;
	if (c->is_program)
		argv[n++] = "--run";
	for (size_t i = 0; c->w->argv && c->w->argv[i] && n + 2 < ARGV_MAX; i++)
		argv[n++] = c->w->argv[i];
	argv[n++] = "--";
	for (size_t i = 0; words[i]; i++) {
		if (n + 1 >= ARGV_MAX)
			return -E2BIG;
		argv[n++] = words[i];
	}
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (output >= 0)
		posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	else
		posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	/* a session of its own from the first moment: a ^C at somebody's terminal is not for it */
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
	r = posix_spawn(&c->pid, program, &actions, &attributes, (char *const *)argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

static const char *last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void say_waiting(const struct child *c, uint64_t waited_ms)
{
	char text[320], bdf[GS_BDF_TEXT];

	if (!c->w->ops || !c->w->ops->waiting)
		return;
	if (c->is_program)
		snprintf(text, sizeof(text), "%s is at work", last_name(c->path));
	else if (c->holders[0])
		snprintf(text, sizeof(text), "%s: the kernel waits with \"%s\" for %s to let go", gs_bdf_format(c->function, bdf), last_name(c->path), c->holders);
	else
		snprintf(text, sizeof(text), "%s: the kernel has not come back from \"%s\" yet", gs_bdf_format(c->function, bdf), last_name(c->path));
	c->w->ops->waiting(c->w->userdata, text, waited_ms);
}

static bool may_leave(const struct child *c, uint64_t waited_ms)
{
	if (c->is_program || waited_ms < WAITING_MS)
		return false;
	if (c->w->ops && c->w->ops->leave)
		return c->w->ops->leave(c->w->userdata, waited_ms);
	return waited_ms >= GS_WRITER_PATIENCE_MS;
}

/* Until it ends (its wait status), or nobody wants to wait: -EINPROGRESS, and it goes on by itself. */
static int await(struct child *c, int *ret_status)
{
	struct gs_monotonic since = gs_monotonic_now();
	int64_t said = 0;

	for (;;) {
		pid_t pid = waitpid(c->pid, ret_status, WNOHANG);
		int64_t waited;

		if (pid == c->pid)
			return 0;
		if (pid < 0 && errno != EINTR)
			return -ECHILD;
		waited = gs_elapsed_ms(since);
		if (may_leave(c, (uint64_t)waited)) {
			if (c->w->n_left < LEFT_MAX)
				c->w->left[c->w->n_left++] = c->pid;
			return -EINPROGRESS;
		}
		if (waited / WAITING_MS > said) {
			said = waited / WAITING_MS;
			say_waiting(c, (uint64_t)waited);
		}
		/* without a pidfd (an old kernel) a look now and then has to do */
		gs_writer_pause(c->w, c->pidfd, c->pidfd >= 0 ? WAITING_MS : 20);
	}
}

static int refuse_on_top(struct gs_writer *w, struct gs_bdf function, struct gs_error *e)
{
	struct gs_write_record record = { 0 };
	char bdf[GS_BDF_TEXT];
	int r = 0;

	if (gs_write_record_of(w->root, function, &record)) {
		gs_text_sanitize(record.path);
		if (record.waits_for)
			gs_text_sanitize(record.waits_for);
		r = gs_error_set(e, -EBUSY, GS_STATUS_REFUSED,
				 "%s: an earlier write to %s%s still waits in the kernel (writer pid %u)%s%s and is carried out when it is let go. "
				 "Nothing was written on top: end what holds the device, then try again",
				 gs_bdf_format(function, bdf), record.path[0] == '/' ? "" : "/", record.path, record.pid, record.waits_for ? " for " : "", record.waits_for ? record.waits_for : "");
	}
	gs_write_record_done(&record);
	return r;
}

static int start(struct gs_writer *w, struct gs_bdf function, const char *const *words, bool is_program, struct child *ret_child, struct gs_error *e)
{
	struct child c = { .w = w, .function = function, .path = words[0], .is_program = is_program, .pidfd = -1, .output = -1 };
	GS_CLOSE int theirs = -1;
	int pair[2], r;

	gs_writer_reap(w);
	r = refuse_on_top(w, function, e);
	if (r < 0)
		return r;
	gs_writer_holders(w, function, c.holders, sizeof(c.holders));
	if (is_program && pipe2(pair, O_CLOEXEC) < 0)
		return gs_error_set(e, -errno, GS_STATUS_FAILED, "cannot make a pipe for %s: %s. It was not started", words[0], strerror(errno));
	if (is_program) {
		c.output = pair[0];
		theirs = pair[1];
	}
	r = spawn(&c, words, theirs);
	if (r < 0) {
		if (c.output >= 0)
			close(c.output);
		return gs_error_set(e, r, GS_STATUS_FAILED, "cannot start a writer for /%s: %s. Nothing was written", words[0], strerror(-r));
	}
	c.pidfd = (int)syscall(SYS_pidfd_open, c.pid, 0);
	if (c.pidfd >= 0)
		fcntl(c.pidfd, F_SETFD, FD_CLOEXEC);
	*ret_child = c;
	return 0;
}

int gs_writer_write(struct gs_writer *w, struct gs_bdf function, const char *path, const char *value, struct gs_error *e)
{
	const char *const words[] = { path, value, NULL };
	struct child c;
	int status = 0;
	int r = start(w, function, words, false, &c, e);

	if (r < 0)
		return r;
	r = await(&c, &status);
	if (c.pidfd >= 0)
		close(c.pidfd);
	if (r < 0)
		return r;
	/* no result at all: what it did is for whoever reads back */
	if (!WIFEXITED(status) || WEXITSTATUS(status) == GS_WRITER_BROKEN)
		return -EIO;
	return -WEXITSTATUS(status);
}

static int take_answer(int fd, const char *program, int *ret_exit, char **ret_output, struct gs_error *e)
{
	GS_JSON struct json_object *o = NULL;
	GS_FREE char *bytes = NULL;
	const char *output = NULL, *text = NULL;
	struct gs_i64 errnum = GS_I64(EIO), exit_status = GS_I64(0);
	size_t n = 0;

	if (gs_fd_read_all(fd, program, ANSWER_BYTES_MAX, &bytes, &n, e) < 0 || gs_json_parse(bytes, n, program, &o, e) < 0 ||
	    !json_object_is_type(o, json_type_object) || gs_json_get_i64(o, "errno", &errnum, e) < 0 || gs_json_get_i64(o, "exit", &exit_status, e) < 0 ||
	    gs_json_get_string(o, "output", &output, e) < 0 || gs_json_get_string(o, "text", &text, e) < 0)
		return gs_error_set(e, -EIO, GS_STATUS_FAILED, "%s ended without telling how: look at what it has done", program);
	if (errnum.value > 0)
		return gs_error_set(e, -(int)errnum.value, GS_STATUS_FAILED, "%s", text && text[0] ? text : strerror((int)errnum.value));
	*ret_output = strndup(output ? output : "", OUTPUT_BYTES_MAX);
	if (!*ret_output)
		return gs_error_oom(e);
	gs_text_sanitize(*ret_output);
	*ret_exit = (int)exit_status.value;
	return 0;
}

int gs_writer_run(struct gs_writer *w, struct gs_bdf function, const char *const *argv, int *ret_exit, char **ret_output, struct gs_error *e)
{
	struct child c;
	int status = 0;
	int r = start(w, function, argv, true, &c, e);

	if (r < 0)
		return r;
	r = await(&c, &status);
	if (c.pidfd >= 0)
		close(c.pidfd);
	if (r == 0)
		r = take_answer(c.output, argv[0], ret_exit, ret_output, e);
	else
		gs_error_set(e, r, GS_STATUS_FAILED, "%s cannot be waited for: %s", argv[0], strerror(-r));
	close(c.output);
	return r;
}
