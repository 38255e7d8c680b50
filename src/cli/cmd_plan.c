/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_plan.c - `gpuslice plan`, `apply` and `assert`: one request, three questions. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/commit.h"
#include "cli/saved.h"
#include "cli/scope.h"
#include "codec/plan_json.h"
#include "codec/request.h"
#include "codec/script_text.h"

#define SNAPSHOT_TIMEOUT_MS 60000
#define STATEMENT_WIDTH 74

struct apply_options {
	struct gs_cli_commit commit;
	bool exit_code;
	bool by_gpu;            /* --scope gpu */
};

static int take(void *userdata, const char *name, const char *value, struct gs_error *e)
{
	struct apply_options *o = userdata;
	int r = gs_cli_commit_take(&o->commit, name, value, e);

	if (r == 0 && strcmp(name, "scope") == 0)
		r = gs_cli_scope_take(value, &o->by_gpu, e);
	else if (r == 0 && strcmp(name, "exit-code") == 0)
		o->exit_code = true;
	return r < 0 ? r : 0;
}

/* The parts that the three share: the input, the agent, the plan. */
struct inquiry {
	struct apply_options o;
	struct gs_request *request;
	struct gs_session *session;
	struct gs_snapshot *snapshot;
	struct gs_plan *plan;
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
	return r < 0 ? r : gs_cli_commit_ask(&q->o.commit, q->request, e);
}

/* 0, or the exit status with everything said. *@ret_done: help was printed. */
static int inquire(struct inquiry *q, struct gs_cli *cli, const struct gs_cli_command *command, int argc, char **argv, bool *ret_done)
{
	const struct gs_connect how = { 0 };
	struct gs_error e = { 0 };
	int first, status = 0;

	*ret_done = true;
	if (gs_cli_parse(cli, command, argc, argv, take, &q->o, &first, &status))
		return status;
	/* assert without a file is about what is saved */
	if (argc - first != 1 && (command != &gs_command_assert || first != argc))
		return gs_cli_misuse(cli, command, "%s takes one FILE, or - for standard input", command->name);
	if ((first < argc && read_request(q, argv[first], &e) < 0) || gs_cli_connect(cli, &how, &q->session, &e) < 0 ||
	    gs_session_snapshot_waiting(q->session, q->o.commit.wait_seconds, SNAPSHOT_TIMEOUT_MS, &q->snapshot, &e) < 0 ||
	    (q->request && !q->o.by_gpu && gs_request_plan(q->request, q->snapshot, &q->plan, &e) < 0))
		return gs_cli_fail(cli, &e);
	*ret_done = false;
	return 0;
}

static int run_plan(struct gs_cli *cli, int argc, char **argv)
{
	GS_CLEANUP(inquiry_done) struct inquiry q = { 0 };
	enum gs_status status;
	bool done;
	int r = inquire(&q, cli, &gs_command_plan, argc, argv, &done);

	if (done)
		return r;
	if (q.o.by_gpu)
		return gs_cli_plan_by_gpu(cli, q.session, q.snapshot, q.request, q.o.exit_code);
	if (cli->json)
		gs_cli_print_json(gs_plan_to_json(q.plan));
	else
		gs_cli_print_plan(q.plan, stdout);
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
	if (!q.request)
		return gs_cli_assert_saved(cli, q.session, q.snapshot);
	if (gs_plan_status(q.plan) == GS_STATUS_CANNOT_TELL) {
		if (!cli->json)
			gs_cli_print_plan(q.plan, stdout);
		else
			gs_cli_print_json(gs_plan_to_json(q.plan));
		return GS_STATUS_CANNOT_TELL;
	}
	matches = !q.plan->n_steps && !gs_plan_is_blocked(q.plan);
	gs_cli_say_open_commits(q.snapshot);
	if (cli->json)
		gs_cli_print_json(gs_plan_to_json(q.plan));
	else if (matches)
		printf("matches\n");
	else {
		printf("differs; to make it match:\n");
		gs_cli_print_plan(q.plan, stdout);
	}
	return matches ? GS_STATUS_OK : GS_STATUS_DIFFERS;
}

static int run_apply(struct gs_cli *cli, int argc, char **argv)
{
	GS_CLEANUP(inquiry_done) struct inquiry q = { .o.commit.way = GS_WAY_APPLY };
	bool done;
	int r = inquire(&q, cli, &gs_command_apply, argc, argv, &done);

	if (done)
		return r;
	if (q.o.by_gpu && q.o.commit.expect.hex[0])
		return gs_cli_misuse(cli, &gs_command_apply, "--expect is about one plan, and --scope gpu makes one per GPU");
	return q.o.by_gpu ? gs_cli_commit_by_gpu(cli, &q.o.commit, q.session, q.snapshot, q.request) : gs_cli_commit(cli, &q.o.commit, q.session, q.request, q.plan);
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
	GS_CLI_SCOPE_OPTION("host"),
	{ NULL, NULL, NULL },
};

static const struct gs_cli_option apply_option_table[] = {
	GS_CLI_COMMIT_OPTIONS,
	GS_CLI_SCOPE_OPTION("host"),
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
	.arguments = "[FILE|-]",
	.summary = "exit 0 when the machine is what FILE, or else the saved layout, says; 4 when it differs",
	.details = FILE_HELP "\nWithout FILE: what differs from the saved layout, GPU by GPU, with what is known to have caused it.",
	.tables = file_tables,
	.run = run_assert,
};
