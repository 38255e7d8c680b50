/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_restore.c - `gpuslice restore`: put back what was saved. */
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "cli/cli.h"
#include "cli/commit.h"
#include "cli/saved.h"
#include "cli/scope.h"
#include "codec/request.h"

#define WAIT_READY_SECONDS_MAX 3600

struct options {
	struct gs_cli_commit commit;
	bool by_gpu;
	uint32_t wait_ready_seconds;
};

static int take(void *userdata, const char *name, const char *value, struct gs_error *e)
{
	struct options *o = userdata;
	int r = gs_cli_commit_take(&o->commit, name, value, e);

	if (r)
		return r < 0 ? r : 0;
	if (strcmp(name, "scope") == 0)
		return gs_cli_scope_take(value, &o->by_gpu, e);
	if (gs_parse_u32(value, 10, &o->wait_ready_seconds) < 0 || o->wait_ready_seconds > WAIT_READY_SECONDS_MAX)
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "--wait-ready takes a whole number of seconds, 0 to %d", WAIT_READY_SECONDS_MAX);
	return 0;
}

static int restore(struct gs_cli *cli, const struct options *o)
{
	GS_CLEANUP(gs_session_freep) struct gs_session *session = NULL;
	GS_CLEANUP(gs_request_freep) struct gs_request *request = NULL;
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	GS_CLEANUP(gs_plan_freep) struct gs_plan *plan = NULL;
	GS_CLI_SAVED struct gs_cli_saved saved = { 0 };
	const struct gs_connect how = { 0 };
	struct gs_error e = { 0 };
	int r;

	r = gs_cli_connect(cli, &how, &session, &e);
	if (r == 0)
		r = gs_cli_saved_load(session, &saved, &e);
	if (r == 0)
		r = gs_request_new(saved.saved.text, strlen(saved.saved.text), saved.saved.path, GS_CONTEXT_FILE, &request, &e);
	if (r == 0)
		r = gs_cli_commit_ask(&o->commit, request, &e);
	/* parsed as one, so it is one: but what both ends make of it is told by its text */
	if (r == 0 && request->kind != GS_REQUEST_LAYOUT)
		r = gs_error_set(&e, -EBADMSG, GS_STATUS_INVALID, "%s is no layout", saved.saved.path);
	if (r == 0)
		r = gs_cli_wait_ready(session, saved.layout, o->wait_ready_seconds, &s, &e);
	if (r == 0 && o->by_gpu)
		return gs_cli_commit_by_gpu(cli, &o->commit, session, s, request);
	if (r == 0)
		r = gs_request_plan(request, s, &plan, &e);
	return r < 0 ? gs_cli_fail(cli, &e) : gs_cli_commit(cli, &o->commit, session, request, plan);
}

static int run(struct gs_cli *cli, int argc, char **argv)
{
	struct options o = { .commit.way = GS_WAY_RESTORE, .by_gpu = true };
	int first, status;

	if (gs_cli_parse(cli, &gs_command_restore, argc, argv, take, &o, &first, &status))
		return status;
	if (first != argc)
		return gs_cli_misuse(cli, &gs_command_restore, "restore takes no arguments: it puts back what is saved; gpuslice apply FILE is for others");
	if (o.by_gpu && o.commit.expect.hex[0])
		return gs_cli_misuse(cli, &gs_command_restore, "--expect is about one plan, and restore makes one per GPU: --scope host makes one");
	return restore(cli, &o);
}

static const struct gs_cli_option option_table[] = {
	GS_CLI_COMMIT_OPTIONS,
	GS_CLI_SCOPE_OPTION("gpu"),
	{ "wait-ready", "SECONDS", "wait that long for GPUs of the saved layout that are not there yet, or do not answer" },
	{ NULL, NULL, NULL },
};

const struct gs_cli_command gs_command_restore = {
	.name = "restore",
	.arguments = "",
	.summary = "put back the layout that was saved; what is as saved is not touched",
	.details = "Each GPU is put back by itself unless --scope host says otherwise: one that is dead, exchanged or in use costs the others nothing.\n"
		   "Exit 10 when only some were done. gpuslice assert tells what differs, restore --dry-run what would be done.",
	.options = option_table,
	.run = run,
};
