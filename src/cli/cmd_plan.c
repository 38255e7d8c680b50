/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_plan.c - `gpuslice plan`, `apply` and `assert`: one request, three questions. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "backend/lock.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "cli/cli.h"
#include "codec/plan_json.h"
#include "codec/request.h"
#include "codec/script_text.h"

#define SNAPSHOT_TIMEOUT_MS 60000
#define STATEMENT_WIDTH 74

struct apply_options {
	bool yes, dry_run, exit_code, kill, allow_reset;
	struct gs_digest expect;
	const char *message;
	uint32_t wait_seconds;
	const char *disrupt[64];
	size_t n_disrupt;
};

static int take(void *userdata, const char *name, const char *value, struct gs_error *e)
{
	struct apply_options *o = userdata;

	if (strcmp(name, "yes") == 0) {
		o->yes = true;
	} else if (strcmp(name, "dry-run") == 0) {
		o->dry_run = true;
	} else if (strcmp(name, "exit-code") == 0) {
		o->exit_code = true;
	} else if (strcmp(name, "kill") == 0) {
		o->kill = true;
	} else if (strcmp(name, "allow-reset") == 0) {
		o->allow_reset = true;
	} else if (strcmp(name, "message") == 0) {
		o->message = value;
	} else if (strcmp(name, "wait") == 0) {
		return gs_cli_take_wait(value, &o->wait_seconds, e);
	} else if (strcmp(name, "expect") == 0) {
		if (strlen(value) != 32 || strspn(value, "0123456789abcdef") != 32)
			return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "--expect takes the 32 hex digits of a plan's digest");
		snprintf(o->expect.hex, sizeof(o->expect.hex), "%s", value);
	} else if (strcmp(name, "disrupt") == 0) {
		if (o->n_disrupt == GS_ARRAY_SIZE(o->disrupt))
			return gs_error_set(e, -E2BIG, GS_STATUS_INVALID, "more than %zu --disrupt", GS_ARRAY_SIZE(o->disrupt));
		o->disrupt[o->n_disrupt++] = value;
	}
	return 0;
}

/* The parts that the three share: the input, the agent, the plan. */
struct inquiry {
	struct apply_options o;
	struct gs_request *request;
	struct gs_session *session;
	struct gs_snapshot *snapshot;
	struct gs_plan *plan;
	char command[GS_LOCK_COMMAND_MAX];      /* to name it to who is refused meanwhile */
};

static void inquiry_done(struct inquiry *q)
{
	gs_plan_free(q->plan);
	gs_snapshot_unref(q->snapshot);
	gs_session_free(q->session);
	gs_request_free(q->request);
}

static int read_request(struct inquiry *q, const char *path, struct gs_error *e)
{
	GS_FREE char *bytes = NULL;
	size_t n;
	int r = gs_file_read(path, GS_INPUT_BYTES_MAX, &bytes, &n, e);

	/* what a generator that died left behind must not read as that all is as asked */
	if (r >= 0 && strspn(bytes, " \t\r\n") == n)
		return gs_error_set(e, -ENODATA, GS_STATUS_INVALID, "%s: is empty; to ask for nothing, say so in a comment", strcmp(path, "-") ? path : "standard input");

	if (r >= 0)
		r = gs_request_new(bytes, n, path, GS_CONTEXT_FILE, &q->request, e);
	for (size_t i = 0; r >= 0 && i < q->o.n_disrupt; i++)
		r = gs_request_add_disrupt(q->request, q->o.disrupt[i], e);
	if (r >= 0) {
		q->request->kill = q->o.kill;
		q->request->allow_reset = q->o.allow_reset;
	}
	return r;
}

/* 0, or the exit status with everything said. *@ret_done: help was printed. */
static int inquire(struct inquiry *q, struct gs_cli *cli, const struct gs_cli_command *command, int argc, char **argv, bool *ret_done)
{
	const struct gs_connect how = { 0 };
	struct gs_error e = { 0 };
	int first, status = 0;

	*ret_done = true;
	gs_cli_command_line(argc, argv, q->command, sizeof(q->command));
	if (gs_cli_parse(cli, command, argc, argv, take, &q->o, &first, &status))
		return status;
	if (argc - first != 1)
		return gs_cli_misuse(cli, command, "%s takes one FILE, or - for standard input", command->name);
	if (read_request(q, argv[first], &e) < 0 || gs_cli_connect(cli, &how, &q->session, &e) < 0 ||
	    gs_session_snapshot_waiting(q->session, q->o.wait_seconds, SNAPSHOT_TIMEOUT_MS, &q->snapshot, &e) < 0 || gs_request_plan(q->request, q->snapshot, &q->plan, &e) < 0)
		return gs_cli_fail(cli, &e);
	*ret_done = false;
	return 0;
}

static void print_plan(const struct gs_plan *p, FILE *to)
{
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT;

	gs_plan_print(p, &text);
	if (text.text)
		fputs(text.text, to);
}

static int run_plan(struct gs_cli *cli, int argc, char **argv)
{
	GS_CLEANUP(inquiry_done) struct inquiry q = { 0 };
	enum gs_status status;
	bool done;
	int r = inquire(&q, cli, &gs_command_plan, argc, argv, &done);

	if (done)
		return r;
	if (cli->json)
		gs_cli_print_json(gs_plan_to_json(q.plan));
	else
		print_plan(q.plan, stdout);
	status = gs_plan_status(q.plan);
	if (status == GS_STATUS_OK && q.o.exit_code && q.plan->n_steps)
		return GS_STATUS_DIFFERS;
	return (int)status;
}

static int run_assert(struct gs_cli *cli, int argc, char **argv)
{
	GS_CLEANUP(inquiry_done) struct inquiry q = { 0 };
	bool done, matches;
	int r = inquire(&q, cli, &gs_command_assert, argc, argv, &done);

	if (done)
		return r;
	if (gs_plan_status(q.plan) == GS_STATUS_CANNOT_TELL) {
		if (!cli->json)
			print_plan(q.plan, stdout);
		else
			gs_cli_print_json(gs_plan_to_json(q.plan));
		return GS_STATUS_CANNOT_TELL;
	}
	matches = !q.plan->n_steps && !gs_plan_is_blocked(q.plan);
	if (cli->json)
		gs_cli_print_json(gs_plan_to_json(q.plan));
	else if (matches)
		printf("matches\n");
	else {
		printf("differs; to make it match:\n");
		print_plan(q.plan, stdout);
	}
	return matches ? GS_STATUS_OK : GS_STATUS_DIFFERS;
}

/* ---------------------------------------------------------------- apply */

/* Asked on the terminal itself: standard input may be the script. */
static int confirm(const struct gs_plan *p, const char *host, bool is_live, struct gs_error *e)
{
	GS_FCLOSE FILE *tty = NULL;
	char want[192], answer[200];
	GS_CLOSE int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return gs_error_set(e, -ENOTTY, GS_STATUS_REFUSED, "this needs a confirmation, and there is no terminal to ask on: --yes confirms; nothing was done");
	tty = fdopen(fd, "r+");
	if (!tty)
		return gs_error_set(e, -errno, GS_STATUS_FAILED, "/dev/tty: %s", strerror(errno));
	GS_TAKE_FD(fd);
	print_plan(p, tty);
	if (gs_plan_stops_somebody(p)) {
		gs_plan_confirm_word(p, host, want, sizeof(want));
		fprintf(tty, "Somebody's work stops. Type %s to write: ", want);
	} else {
		snprintf(want, sizeof(want), "y");
		fprintf(tty, "Write %zu step%s to %s%s? y writes: ", p->n_steps, p->n_steps == 1 ? "" : "s", host, is_live ? ", a LIVE machine" : "");
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

static int print_refused(struct gs_cli *cli, const struct inquiry *q)
{
	if (cli->json) {
		struct gs_commit_result result = { .status = gs_plan_status(q->plan), .plan = q->plan };

		snprintf(result.text, sizeof(result.text), "refused; nothing was done");
		gs_cli_print_json(gs_commit_result_to_json(&result));
	} else {
		print_plan(q->plan, stdout);
	}
	return (int)gs_plan_status(q->plan);
}

static int print_result(struct gs_cli *cli, const struct gs_session_result *result)
{
	if (cli->json && result->json)
		gs_cli_print_json(json_object_get(result->json));
	else if (result->status == GS_STATUS_OK)
		printf("%s\n", result->text);
	if (result->status != GS_STATUS_OK)
		gs_cli_say("%s", result->text);
	return (int)result->status;
}

/* What the handlers of a commit work on. */
struct commit_view {
	FILE *to;
	bool ended, has_begun;
	struct gs_session_result result;
};

static void on_progress(void *userdata, const char *event, size_t n, size_t of, const char *text, const char *note)
{
	struct commit_view *v = userdata;

	v->has_begun = true;
	show_progress(v->to, event, n, of, text, note);
}

/* Whom it waits for. */
static void on_notice(void *userdata, const char *text)
{
	(void)userdata;
	gs_cli_say("%s", text);
}

static void on_committed(void *userdata, const struct gs_session_result *r)
{
	struct commit_view *v = userdata;

	v->ended = true;
	v->result = *r;
	v->result.json = r->json ? json_object_get(r->json) : NULL;
}

/*
 * Ctrl-C asks the agent to stop after this step and to undo; the commit is
 * never left to itself unannounced. A second one changes nothing: a write that
 * waits in the kernel cannot be taken back.
 */
static int follow_commit(struct gs_session *s, const struct gs_session_commit *c, struct commit_view *v, struct gs_error *e)
{
	const struct gs_session_handlers handlers = { .progress = on_progress, .notice = on_notice, .committed = on_committed };
	struct pollfd fds[2] = { { .events = POLLIN }, { .events = POLLIN } };
	struct signalfd_siginfo info;
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
	while (!v->ended) {
		fds[0].fd = gs_session_fd(s);
		fds[0].events = (short)(POLLIN | (gs_session_wants_write(s) ? POLLOUT : 0));
		fds[1].fd = signals;
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return gs_error_set(e, -errno, GS_STATUS_FAILED, "waiting for the agent failed: %s; what was done: gpuslice list", strerror(errno));
		if (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
			gs_cli_say(v->has_begun ? "stopping after this step; what was done will be undone" : "stopping");
			gs_session_cancel(s);
		}
		r = gs_session_dispatch(s, &handlers, v, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int commit(struct gs_cli *cli, struct inquiry *q)
{
	struct gs_session_commit c = {
		.request = q->request,
		.expect = q->plan->digest,
		.base = q->plan->base,
		.n_base = q->plan->n_base,
		.yes = true,    /* every confirmation has been given by now */
		.message = q->o.message,
		.command = q->command,
		.wait_seconds = q->o.wait_seconds,
	};
	struct commit_view v = { .to = cli->json ? stderr : stdout };
	struct gs_error e = { 0 };
	int status;

	if (follow_commit(q->session, &c, &v, &e) < 0)
		return gs_cli_fail(cli, &e);
	cli->has_written = true;
	status = print_result(cli, &v.result);
	gs_session_result_done(&v.result);
	return status;
}

static int run_apply(struct gs_cli *cli, int argc, char **argv)
{
	GS_CLEANUP(inquiry_done) struct inquiry q = { 0 };
	const struct gs_hello *hello;
	struct gs_error e = { 0 };
	bool done;
	int r = inquire(&q, cli, &gs_command_apply, argc, argv, &done);

	if (done)
		return r;
	if (gs_plan_is_blocked(q.plan))
		return print_refused(cli, &q);
	if (q.o.expect.hex[0] && !gs_digest_equal(&q.o.expect, &q.plan->digest)) {
		gs_error_set(&e, -ESTALE, GS_STATUS_REFUSED, "the plan is %s, not the one that was approved; nothing was done", q.plan->digest.hex);
		return gs_cli_fail(cli, &e);
	}
	if (q.o.dry_run) {
		if (cli->json)
			return gs_cli_print_json(gs_plan_to_json(q.plan));
		print_plan(q.plan, stdout);
		return GS_STATUS_OK;
	}
	hello = gs_session_hello(q.session);
	/* before anything is asked: who confirms and is refused then has been asked for nothing */
	if (q.plan->n_steps && !hello->privileged) {
		if (!cli->json)
			print_plan(q.plan, stdout);
		gs_error_set(&e, -EPERM, GS_STATUS_REFUSED, "changing this machine needs root. Nothing was done: use sudo");
		return gs_cli_fail(cli, &e);
	}
	if (q.plan->n_steps && gs_plan_needs_confirmation(q.plan) && !q.o.yes && confirm(q.plan, hello->host, hello->source == GS_SOURCE_LIVE, &e) < 0) {
		/* what there is to confirm was not shown anywhere yet */
		if (e.errnum == -ENOTTY && !cli->json)
			print_plan(q.plan, stdout);
		return gs_cli_fail(cli, &e);
	}
	if (!cli->json) {
		/* the mistakes are the wrong window and the wrong machine */
		if (hello->source == GS_SOURCE_LIVE && q.plan->n_steps)
			printf("writing to %s\n", hello->host);
		print_plan(q.plan, stdout);
		fflush(stdout);
	}
	if (!q.plan->n_steps) {
		struct gs_commit_result result = { .status = GS_STATUS_OK, .plan = q.plan };

		snprintf(result.text, sizeof(result.text), "nothing to do: the machine is as asked");
		return cli->json ? gs_cli_print_json(gs_commit_result_to_json(&result)) : GS_STATUS_OK;
	}
	return commit(cli, &q);
}

#define FILE_HELP \
	"FILE is a script in the command language, or a layout as JSON or YAML; - is standard input.\n" \
	"create means \"there should be\": what is there already is claimed, so the same script twice does nothing.\n" \
	"gpuslice-script(5) says what GPU, INST and the statements mean."

/* A long one goes on in the next line, in front of a bracket. */
static bool statement_line(unsigned i, char *buf, size_t size)
{
	const char *s = NULL;
	size_t n = 0;

	for (unsigned verb = 0; (s = gs_script_syntax(verb)); verb++) {
		for (bool is_first = true;; is_first = false, s += n) {
			n = strlen(s);
			while (n > STATEMENT_WIDTH) {
				do
					n--;
				while (n && !(s[n] == ' ' && s[n + 1] == '['));
			}
			if (!n)
				n = strlen(s);
			if (i-- == 0) {
				snprintf(buf, size, "%s%.*s", is_first ? "" : "      ", (int)n, s);
				return true;
			}
			if (!s[n])
				break;
		}
	}
	return false;
}

/* What the last column of the steps says. */
static bool undo_line(unsigned i, char *buf, size_t size)
{
	if (i >= GS_UNDO_MAX)
		return false;
	snprintf(buf, size, "%-10s%s", gs_undo_name((enum gs_undo)i), gs_undo_summary((enum gs_undo)i));
	return true;
}

static const struct gs_cli_lines file_tables[] = {
	{ "statements:", statement_line, true },
	{ "the column undo of a plan, what is brought back when a later step fails:", undo_line, true },
	{ NULL, NULL, false },
};

static const struct gs_cli_option plan_options[] = {
	{ "exit-code", NULL, "exit 4 when there is something to do" },
	{ "disrupt", "HOLDER", "as for apply" },
	{ "kill", NULL, "as for apply" },
	{ "allow-reset", NULL, "as for apply" },
	{ NULL, NULL, NULL },
};

static const struct gs_cli_option apply_option_table[] = {
	{ "yes", NULL, "confirm what wants confirmation (never what is refused)" },
	{ "dry-run", NULL, "print the plan, do nothing" },
	{ "disrupt", "HOLDER", "pid:N, unit:NAME.service or all: this may be stopped; a unit is started again. May be given again" },
	{ "kill", NULL, "SIGKILL for what SIGTERM does not stop" },
	{ "allow-reset", NULL, "reset a GPU whose mode waits for that, and those that NVLink links with it" },
	{ "expect", "DIGEST", "only the plan with this digest, the one that was approved" },
	{ "message", "TEXT", "why, for the record" },
	GS_CLI_WAIT_OPTION,
	{ NULL, NULL, NULL },
};

const struct gs_cli_command gs_command_plan = {
	.name = "plan",
	.arguments = "FILE|-",
	.summary = "the steps that FILE would take, and what is to be said about them; touches nothing",
	.details = FILE_HELP,
	.tables = file_tables,
	.options = plan_options,
	.run = run_plan,
};

const struct gs_cli_command gs_command_apply = {
	.name = "apply",
	.arguments = "FILE|-",
	.summary = "make the machine what FILE says: plan, confirm, write, read back",
	.details = FILE_HELP,
	.tables = file_tables,
	.options = apply_option_table,
	.run = run_apply,
};

const struct gs_cli_command gs_command_assert = {
	.name = "assert",
	.arguments = "FILE|-",
	.summary = "exit 0 when the machine is what FILE says, 4 when it differs",
	.details = FILE_HELP,
	.tables = file_tables,
	.run = run_assert,
};
