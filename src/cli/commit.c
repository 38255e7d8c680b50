/* SPDX-License-Identifier: GPL-2.0-or-later */
/* commit.c - from a plan to what came of it: review, confirmation, the commit, Ctrl-C in it. */
#include "cli/commit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "cli/again.h"
#include "codec/plan_json.h"

int gs_cli_on_hangup(const char *value, bool *ret_undo, struct gs_error *e)
{
	if (strcmp(value, "finish") != 0 && strcmp(value, "undo") != 0)
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "--on-hangup takes finish or undo, not %s", value);
	*ret_undo = value[0] == 'u';
	return 0;
}

int gs_cli_commit_take(struct gs_cli_commit *o, const char *name, const char *value, struct gs_error *e)
{
	if (strcmp(name, "yes") == 0) {
		o->yes = true;
	} else if (strcmp(name, "dry-run") == 0) {
		o->dry_run = true;
	} else if (strcmp(name, "kill") == 0) {
		o->kill = true;
	} else if (strcmp(name, "allow-reset") == 0) {
		o->allow_reset = true;
	} else if (strcmp(name, "message") == 0) {
		o->message = value;
	} else if (strcmp(name, "wait") == 0) {
		return gs_cli_take_wait(value, &o->wait_seconds, e) < 0 ? -EINVAL : 1;
	} else if (strcmp(name, "on-hangup") == 0) {
		int r = gs_cli_on_hangup(value, &o->undo_on_hangup, e);

		return r < 0 ? r : 1;
	} else if (strcmp(name, "expect") == 0) {
		if (strlen(value) != 32 || strspn(value, "0123456789abcdef") != 32)
			return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "--expect takes the 32 hex digits of a plan's digest");
		snprintf(o->expect.hex, sizeof(o->expect.hex), "%s", value);
	} else if (strcmp(name, "disrupt") == 0) {
		if (o->n_disrupt == GS_ARRAY_SIZE(o->disrupt))
			return gs_error_set(e, -E2BIG, GS_STATUS_INVALID, "more than %zu --disrupt", GS_ARRAY_SIZE(o->disrupt));
		o->disrupt[o->n_disrupt++] = value;
	} else {
		return 0;
	}
	return 1;
}

int gs_cli_commit_ask(const struct gs_cli_commit *o, struct gs_request *request, struct gs_error *e)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < o->n_disrupt; i++)
		r = gs_request_add_disrupt(request, o->disrupt[i], e);
	request->kill = o->kill;
	request->allow_reset = o->allow_reset;
	return r;
}

bool gs_cli_say_open_commits(const struct gs_snapshot *s)
{
	bool is_under_way = false;
	char label[96], text[600];

	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(s, i);

		if (gpu->open_commit.state == GS_OPEN_NONE)
			continue;
		is_under_way |= gpu->open_commit.state == GS_OPEN_UNDER_WAY;
		gs_cli_say("note: %s: %s, so what is there now need not last", gs_gpu_label(gpu, label, sizeof(label)), gs_gpu_open_commit_text(gpu, text, sizeof(text)));
	}
	return is_under_way;
}

void gs_cli_print_plan(const struct gs_plan *p, FILE *to)
{
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT;

	gs_plan_print(p, &text);
	if (text.text)
		fputs(text.text, to);
}

/* "dgx01:0,3": the GPUs of all of them. */
static void confirm_word(const struct gs_plan *const *plans, size_t n, const char *host, char *buf, size_t size)
{
	size_t at = (size_t)snprintf(buf, size, "%s", host), skip = strlen(host);
	bool is_first = true;
	char word[192];

	for (size_t i = 0; i < n && at < size; i++) {
		gs_plan_confirm_word(plans[i], host, word, sizeof(word));
		if (strlen(word) <= skip)
			continue;
		at += (size_t)snprintf(buf + at, size - at, "%c%s", is_first ? ':' : ',', word + skip + 1);
		is_first = false;
	}
}

int gs_cli_needs_root(const struct gs_hello *hello, struct gs_error *e)
{
	if (hello->source == GS_SOURCE_SYSROOT)
		return gs_error_set(e, -EROFS, GS_STATUS_REFUSED, "this is a recorded machine, which nothing can change. Nothing was done");
	return gs_error_set(e, -EPERM, GS_STATUS_CANNOT_TELL, "changing this machine needs root. Nothing was done: use sudo");
}

/* Asked on the terminal itself: standard input may be the script. */
int gs_cli_confirm(const struct gs_plan *const *plans, size_t n, const struct gs_hello *hello, struct gs_error *e)
{
	GS_FCLOSE FILE *tty = NULL;
	char want[192], answer[200];
	bool stops = false;
	size_t n_steps = 0;
	GS_CLOSE int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return gs_error_set(e, -ENOTTY, GS_STATUS_REFUSED, "this needs a confirmation, and there is no terminal to ask on: --yes confirms; nothing was done");
	tty = fdopen(fd, "r+");
	if (!tty)
		return gs_error_set(e, -errno, GS_STATUS_FAILED, "/dev/tty: %s", strerror(errno));
	GS_TAKE_FD(fd);
	for (size_t i = 0; i < n; i++) {
		gs_cli_print_plan(plans[i], tty);
		stops |= gs_plan_stops_somebody(plans[i]);
		n_steps += plans[i]->n_steps;
	}
	if (stops) {
		confirm_word(plans, n, hello->host, want, sizeof(want));
		fprintf(tty, "Somebody's work stops. Type %s to write: ", want);
	} else {
		snprintf(want, sizeof(want), "y");
		fprintf(tty, "Write %zu step%s to %s%s? y writes: ", n_steps, n_steps == 1 ? "" : "s", hello->host,
			hello->source == GS_SOURCE_LIVE ? ", a LIVE machine" : "");
	}
	fflush(tty);
	if (!fgets(answer, sizeof(answer), tty))
		return gs_error_set(e, -EPERM, GS_STATUS_REFUSED, "not confirmed; nothing was done");
	answer[strcspn(answer, "\n")] = '\0';
	if (strcmp(answer, want) != 0)
		return gs_error_set(e, -EPERM, GS_STATUS_REFUSED, "not confirmed; nothing was done");
	return 0;
}

static void show_progress(void *userdata, const char *event, size_t n, size_t of, const char *text, const char *note)
{
	FILE *to = userdata;

	if (strcmp(event, "begin") == 0)
		return;
	if (strcmp(event, "undo") == 0)
		fprintf(to, "undoing\n");
	else if (strcmp(event, "hook") == 0)
		fprintf(to, "hook %s: %s\n", text, note);
	else if (strcmp(event, "failed") == 0)
		/* why it did, and what became of the machine, is said at the end */
		fprintf(to, "failed %zu/%zu  %s\n", n, of, text);
	else
		fprintf(to, "%s %zu/%zu  %s%s%s\n", event, n, of, text, *note ? ": " : "", note);
	fflush(to);
}

static int print_refused(struct gs_cli *cli, const struct gs_plan *p)
{
	if (cli->json) {
		struct gs_commit_result result = { .status = gs_plan_status(p), .plan = (struct gs_plan *)p };

		snprintf(result.text, sizeof(result.text), "refused; nothing was done");
		gs_cli_print_json(gs_commit_result_to_json(&result));
	} else {
		gs_cli_print_plan(p, stdout);
	}
	return (int)gs_plan_status(p);
}

static int print_result(struct gs_cli *cli, const struct gs_session_result *result)
{
	if (cli->json && result->json)
		gs_cli_print_json(json_object_get(result->json));
	else if (result->status == GS_STATUS_OK)
		printf("%s\n", result->text);
	if (result->status == GS_STATUS_NOT_UNDONE)
		gs_cli_say_differences(result->text);
	else if (result->status != GS_STATUS_OK)
		gs_cli_say("%s", result->text);
	return (int)result->status;
}

/* What the handlers of a commit work on. */
struct commit_view {
	FILE *to;
	FILE *held;             /* progress while a question stands, which it would tear; NULL: none stands */
	char *held_text;
	size_t held_bytes;
	struct gs_strbuf notices;       /* the same of notices, a line each */
	bool ended;
	bool was_stopped;       /* by Ctrl-C */
	struct gs_session_result result;
};

static void on_progress(void *userdata, const char *event, size_t n, size_t of, const char *text, const char *note)
{
	struct commit_view *v = userdata;

	show_progress(v->held ? v->held : v->to, event, n, of, text, note);
}

/* Whom it waits for. */
static void on_notice(void *userdata, const char *text)
{
	struct commit_view *v = userdata;

	if (v->held)
		gs_strbuf_printf(&v->notices, "%s\n", text);
	else
		gs_cli_say("%s", text);
}

/* Without memory it is printed as it comes. */
static void hold(struct commit_view *v)
{
	v->held = open_memstream(&v->held_text, &v->held_bytes);
	v->notices = (struct gs_strbuf)GS_STRBUF_INIT;
}

/* The question is answered, or needs no answer any more. */
static void let_go(struct commit_view *v)
{
	char *rest = v->notices.text, *line;

	if (!v->held)
		return;
	fclose(v->held);
	v->held = NULL;
	if (v->held_text)
		fputs(v->held_text, v->to);
	fflush(v->to);
	while (rest && (line = strsep(&rest, "\n")) && *line)
		gs_cli_say("%s", line);
	free(v->held_text);
	v->held_text = NULL;
	gs_strbuf_done(&v->notices);
}

static void on_committed(void *userdata, const struct gs_session_result *r)
{
	struct commit_view *v = userdata;

	v->ended = true;
	v->result = *r;
	v->result.json = r->json ? json_object_get(r->json) : NULL;
}

/* The question that Ctrl-C raises, on the terminal itself: standard input may be the script. */
struct question {
	int tty;                /* -1: not asked */
	bool is_answered;
};

/* The commit waits behind the step under way until it is answered. False: nobody can be asked. */
static bool ask_whether_to_stop(struct gs_session *s, struct question *q)
{
	q->tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (q->tty < 0)
		return false;
	gs_session_pause(s);
	dprintf(q->tty, "\nThe commit waits behind this step. u stops it and undoes what was done, g goes on, then Enter (Ctrl-C again: u): ");
	return true;
}

static void stop(struct gs_session *s, struct question *q)
{
	if (!q->is_answered)
		gs_cli_say("stopping after this step; what was done will be undone");
	q->is_answered = true;
	gs_session_cancel(s);
}

static void take_answer(struct gs_session *s, struct question *q)
{
	char line[64];
	ssize_t n = read(q->tty, line, sizeof(line));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && line[0] == 'g') {
		gs_session_resume(s);
	} else if (n > 0 && line[0] != 'u') {
		dprintf(q->tty, "u or g: ");
		return;
	} else {
		/* a terminal that is gone is a hangup: the agent hears of that by itself when we end */
		stop(s, q);
	}
	close(q->tty);
	q->tty = -1;
}

/* A second Ctrl-C is an answer; nothing tears, since a write that waits in the kernel cannot be taken back. */
static void take_signal(struct gs_session *s, struct question *q, int signals)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGINT && q->tty < 0 && !q->is_answered && ask_whether_to_stop(s, q))
		return;
	stop(s, q);
	if (q->tty >= 0)
		close(q->tty);
	q->tty = -1;
}

static int follow_commit(struct gs_session *s, const struct gs_session_commit *c, struct commit_view *v, struct gs_error *e)
{
	const struct gs_session_handlers handlers = { .progress = on_progress, .notice = on_notice, .committed = on_committed };
	struct pollfd fds[3] = { { .events = POLLIN }, { .events = POLLIN }, { .events = POLLIN } };
	struct question q = { .tty = -1 };
	GS_CLOSE int signals = -1;
	sigset_t mask;
	int r;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		return gs_error_set(e, -errno, GS_STATUS_FAILED, "cannot watch for Ctrl-C: %s; nothing was done", strerror(errno));
	r = gs_session_commit_begin(s, c);
	if (r < 0)
		return gs_error_set(e, r, GS_STATUS_UNREACHABLE, "the agent cannot be asked: %s; nothing was done", strerror(-r));
	while (r >= 0 && !v->ended) {
		fds[0].fd = gs_session_fd(s);
		fds[0].events = (short)(POLLIN | (gs_session_wants_write(s) ? POLLOUT : 0));
		fds[1].fd = signals;
		fds[2].fd = q.tty;
		if (poll(fds, 3, -1) < 0 && errno != EINTR) {
			r = gs_error_set(e, -errno, GS_STATUS_FAILED, "waiting for the agent failed: %s; what was done: gpuslice list", strerror(errno));
			break;
		}
		if (q.tty >= 0 && fds[2].revents)
			take_answer(s, &q);
		take_signal(s, &q, signals);
		if (q.tty >= 0 && !v->held)
			hold(v);
		else if (q.tty < 0)
			let_go(v);
		r = gs_session_dispatch(s, &handlers, v, e);
		/* nobody reads any more: without a terminal that is how a connection ends */
		if (r >= 0 && !v->ended && c->undo_on_hangup && ferror(v->to) && !q.is_answered)
			stop(s, &q);
	}
	if (q.tty >= 0) {
		/* it ended by itself: what is said about that does not stand behind the question */
		dprintf(q.tty, "\n");
		close(q.tty);
	}
	let_go(v);
	v->was_stopped = q.is_answered;
	return r < 0 ? r : 0;
}

const char *gs_cli_ssh_client(char *buf, size_t size)
{
	const char *s = getenv("SSH_CONNECTION");
	size_t n = s ? strcspn(s, " ") : 0;

	if (!n || n >= size)
		return NULL;
	memcpy(buf, s, n);
	buf[n] = '\0';
	gs_text_sanitize(buf);
	return buf;
}

int gs_cli_commit_follow(struct gs_cli *cli, const struct gs_cli_commit *o, struct gs_session *s, const struct gs_request *request, const struct gs_plan *p,
			 uint32_t wait_seconds, struct gs_session_result *ret_result, bool *ret_stopped, struct gs_error *e)
{
	char from[64];
	struct gs_session_commit c = {
		.request = request,
		.expect = p->digest,
		.base = p->base,
		.n_base = p->n_base,
		.yes = true,    /* every confirmation has been given by now */
		.message = o->message,
		.command = cli->command,
		.wait_seconds = wait_seconds,
		.ssh_client = gs_cli_ssh_client(from, sizeof(from)),
		.undo_on_hangup = o->undo_on_hangup,
		.way = o->way,
	};
	struct commit_view v = { .to = cli->json ? stderr : stdout };
	int r = follow_commit(s, &c, &v, e);

	if (ret_stopped)
		*ret_stopped = v.was_stopped;
	if (r < 0)
		return r;
	cli->has_written = true;
	*ret_result = v.result;
	return 0;
}

/* Everything that may be said before a machine is asked to change. 0, or the exit status with it said. */
static int review(struct gs_cli *cli, const struct gs_cli_commit *o, const struct gs_hello *hello, const struct gs_plan *p, bool *ret_done)
{
	struct gs_error e = { 0 };

	*ret_done = true;
	if (gs_plan_is_blocked(p))
		return print_refused(cli, p);
	if (o->expect.hex[0] && !gs_digest_equal(&o->expect, &p->digest)) {
		gs_error_set(&e, -ESTALE, GS_STATUS_REFUSED, "the plan is %s, not the one that was approved; nothing was done", p->digest.hex);
		return gs_cli_fail(cli, &e);
	}
	if (o->dry_run) {
		if (cli->json)
			return gs_cli_print_json(gs_plan_to_json(p));
		gs_cli_print_plan(p, stdout);
		return GS_STATUS_OK;
	}
	/* before anything is asked: who confirms and is refused then has been asked for nothing */
	if (p->n_steps && !hello->privileged) {
		if (!cli->json)
			gs_cli_print_plan(p, stdout);
		gs_cli_needs_root(hello, &e);
		return gs_cli_fail(cli, &e);
	}
	if (p->n_steps && (o->must_ask || gs_plan_needs_confirmation(p)) && !o->yes && gs_cli_confirm(&p, 1, hello, &e) < 0) {
		/* what there is to confirm was not shown anywhere yet */
		if (e.errnum == -ENOTTY && !cli->json)
			gs_cli_print_plan(p, stdout);
		return gs_cli_fail(cli, &e);
	}
	*ret_done = false;
	return 0;
}

/* One plan from its review to its result. 0: @ret_result is there; else everything is said, and that is the exit status in *@ret_status. */
static int try_plan(struct gs_cli *cli, const struct gs_cli_commit *o, struct gs_session *s, const struct gs_request *request, const struct gs_plan *p, uint32_t wait_seconds,
		    struct gs_session_result *ret_result, int *ret_status)
{
	const struct gs_hello *hello = gs_session_hello(s);
	struct gs_error e = { 0 };
	bool done;

	*ret_status = review(cli, o, hello, p, &done);
	if (done)
		return 1;
	if (!cli->json) {
		/* the mistakes are the wrong window and the wrong machine */
		if (hello->source == GS_SOURCE_LIVE && p->n_steps)
			printf("writing to %s\n", hello->host);
		gs_cli_print_plan(p, stdout);
		fflush(stdout);
	}
	/* an interrupted commit is not over by that: its end has to be seen, and written down. Nor is it so in the middle of another one, where one can wait for its end */
	if (!p->n_steps && (request->kind != GS_REQUEST_PAST || request->way == GS_WAY_UNDO) && !(gs_cli_say_open_commits(p->snapshot) && wait_seconds)) {
		struct gs_commit_result result = { .status = GS_STATUS_OK, .plan = (struct gs_plan *)p };

		snprintf(result.text, sizeof(result.text), "nothing to do: the machine is as asked");
		*ret_status = cli->json ? gs_cli_print_json(gs_commit_result_to_json(&result)) : GS_STATUS_OK;
		return 1;
	}
	if (gs_cli_commit_follow(cli, o, s, request, p, wait_seconds, ret_result, NULL, &e) == 0)
		return 0;
	*ret_status = gs_cli_fail(cli, &e);
	return 1;
}

int gs_cli_commit(struct gs_cli *cli, const struct gs_cli_commit *o, struct gs_session *s, struct gs_request *request, const struct gs_plan *p)
{
	struct gs_cli_patience patience = gs_cli_patience_of(o);
	GS_CLEANUP(gs_plan_freep) struct gs_plan *again = NULL;
	uint32_t wait_seconds = o->wait_seconds;
	struct gs_error e = { 0 };
	int status;

	for (;;) {
		struct gs_session_result result = { 0 };

		if (try_plan(cli, o, s, request, again ? again : p, wait_seconds, &result, &status))
			return status;
		if (!gs_cli_may_try_again(&patience, o, &result)) {
			status = print_result(cli, &result);
			gs_session_result_done(&result);
			return status;
		}
		gs_session_result_done(&result);
		again = gs_plan_free(again);
		wait_seconds = gs_cli_patience_left(&patience);
		if (gs_cli_plan_again(s, request, wait_seconds, &again, &e) < 0)
			return gs_cli_fail(cli, &e);
	}
}
