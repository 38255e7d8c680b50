/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * writer_child.c - the process that a write may keep for ever. It has two
 * halves: one that does nothing but the write, and one that watches it and
 * keeps the record, since whoever hangs in the kernel can do neither.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "backend/writer.h"
#include "backend/writes.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "codec/json.h"

/* A driver that answers with a number of the kernel's own; a process has eight bits to tell one. */
static int status_of(int r)
{
	static const int kernel_only[][2] = { { 512, EINTR }, { 517, EAGAIN }, { 524, EOPNOTSUPP } };

	for (size_t i = 0; i < GS_ARRAY_SIZE(kernel_only); i++) {
		if (-r == kernel_only[i][0])
			return kernel_only[i][1];
	}
	return -r < GS_WRITER_BROKEN ? -r : EIO;
}

/* Killing it would change nothing: what is queued in the kernel is carried out (testbench 4). */
static void ignore_signals(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGALRM, SIGUSR1, SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU };

	for (size_t i = 0; i < GS_ARRAY_SIZE(signals); i++)
		signal(signals[i], SIG_IGN);
}

static int say(int errnum, int exit_status, const char *output, const char *text)
{
	GS_JSON struct json_object *o = json_object_new_object();
	GS_FREE char *line = NULL;

	if (!o)
		return GS_WRITER_BROKEN;
	json_object_object_add(o, "errno", json_object_new_int(-errnum));
	json_object_object_add(o, "exit", json_object_new_int(exit_status));
	gs_json_add_string(o, "output", output);
	gs_json_add_string(o, "text", text);
	line = gs_json_to_line(o);
	return line && gs_fd_write_all(STDOUT_FILENO, line, strlen(line)) == 0 ? 0 : GS_WRITER_BROKEN;
}

static int work(struct gs_root *root, const struct gs_writer_job *job)
{
	GS_FREE char *output = NULL;
	struct gs_error e = { 0 };
	int exit_status = 0, r;

	if (!job->argv)
		return status_of(gs_root_write(root, job->value, strlen(job->value), "%s", job->path));
	r = job->run(job->userdata, job->argv, &exit_status, &output, &e);
	return say(r, exit_status, output ? output : "", e.text);
}

/* For the record, what a program does stands where a value would. */
static char *join(const char *const *words)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;

	gs_strbuf_puts(&b, "");
	for (size_t i = 0; words[i]; i++)
		gs_strbuf_printf(&b, "%s%s", i ? " " : "", words[i]);
	return gs_strbuf_take(&b);
}

/* @owner NULL: it counts for everybody from now on. */
static bool make_record(struct gs_root *root, const struct gs_writer_job *job, uint32_t pid, const struct gs_proc_identity *owner, int64_t since_ms)
{
	GS_FREE char *words = job->argv ? join(job->argv + 1) : NULL;
	struct gs_write_record r = {
		.pid = pid,
		.function = job->function,
		.path = (char *)(job->argv ? job->argv[0] : job->path),
		.value = (char *)(job->argv ? words ? words : "" : job->value),
		/* everybody may read the other kind */
		.waits_for = owner ? NULL : (char *)job->waits_for,
		.since_ms = since_ms,
	};

	if (owner)
		r.owner = *owner;
	return gs_write_record_make(root, &r) == 0;
}

static bool make_owned_record(struct gs_root *root, const struct gs_writer_job *job, uint32_t pid, int64_t since_ms)
{
	struct gs_proc_identity owner;

	return job->owner && gs_proc_identify(job->owner, &owner) == 0 && make_record(root, job, pid, &owner, since_ms);
}

/* Without it there is no lock any more, and somebody else may be at the device already. */
static bool has_owner(const struct gs_writer_job *job)
{
	return !job->owner || (uint32_t)getppid() == job->owner;
}

/* The half that works waits for a byte through *@ret_go: what is done is on record first. */
static pid_t start(struct gs_root *root, const struct gs_writer_job *job, int *ret_go)
{
	int go[2];
	pid_t pid;
	char byte;

	if (pipe2(go, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(go[1]);
		_exit(read(go[0], &byte, 1) == 1 ? work(root, job) : GS_WRITER_BROKEN);
	}
	close(go[0]);
	if (pid < 0)
		close(go[1]);
	else
		*ret_go = go[1];
	return pid;
}

int gs_writer_do(struct gs_root *root, const struct gs_writer_job *job)
{
	int64_t since_ms = gs_wall_now().ms;
	struct pollfd p = { .events = POLLIN };
	GS_CLOSE int pidfd = -1;
	bool has_record;
	int status, go;
	pid_t pid;

	setsid();
	ignore_signals();
	pid = start(root, job, &go);
	if (pid < 0)
		return GS_WRITER_BROKEN;
	has_record = make_owned_record(root, job, (uint32_t)pid, since_ms);
	/* asked behind the record: an owner that goes later leaves one that counts */
	if (has_owner(job))
		(void)!write(go, "", 1);
	close(go);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	p.fd = pidfd;
	if (pidfd >= 0 && poll(&p, 1, GS_WRITER_RECORD_MS) == 0)
		has_record |= make_record(root, job, (uint32_t)pid, NULL, since_ms);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return GS_WRITER_BROKEN;
	}
	if (has_record)
		gs_write_record_remove(root, (uint32_t)pid, job->function);
	return WIFEXITED(status) ? WEXITSTATUS(status) : GS_WRITER_BROKEN;
}

static int run_on_machine(void *userdata, const char *const *argv, int *ret_exit, char **ret_output, struct gs_error *e)
{
	return gs_machine_run(userdata, argv, ret_exit, ret_output, e);
}

int gs_writer_child(const struct gs_machine_options *options, const struct gs_writer_words *w)
{
	GS_CLEANUP(gs_machine_closep) struct gs_machine *machine = NULL;
	struct gs_writer_job job = { .waits_for = w->waits_for, .run = run_on_machine };

	if (gs_bdf_parse(w->function, &job.function) < 0 || !w->words[0] || (!w->is_program && (!w->words[1] || w->words[2])))
		return EINVAL;
	if (w->owner && gs_parse_u32(w->owner, 10, &job.owner) < 0)
		return EINVAL;
	if (gs_machine_open(options, &machine, NULL) < 0)
		return GS_WRITER_BROKEN;
	if (gs_machine_is_read_only(machine))
		return EROFS;
	job.userdata = machine;
	job.argv = w->is_program ? w->words : NULL;
	job.path = w->words[0];
	job.value = w->is_program ? NULL : w->words[1];
	return gs_writer_do(gs_machine_root(machine), &job);
}
