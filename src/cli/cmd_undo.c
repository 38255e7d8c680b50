/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_undo.c - `gpuslice undo`: what a commit did is taken back, against the machine as it is now. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/past.h"
#include "cli/under_way.h"

static int take(void *userdata, const char *name, const char *value, struct gs_error *e)
{
	int r = gs_cli_commit_take(userdata, name, value, e);

	return r < 0 ? r : 0;
}

/* What finished an interrupted commit is undone with it, whichever of the two is named; none is (@id 0): the last. */
static int load_whole(const struct gs_cli *cli, struct gs_session *s, uint64_t id, uint32_t wait_seconds, struct gs_cli_past *ret_past, struct gs_error *e)
{
	GS_CLI_PAST struct gs_cli_past past = { 0 };
	int r = gs_cli_past_load(s, id, wait_seconds, &past, e);

	if (r == 0 && past.file->part_of) {
		if (!cli->json)
			printf("commit %" PRIu64 " finished commit %" PRIu64 "; both are undone\n", past.file->commit.id, past.file->part_of);
		return gs_cli_past_load(s, past.file->part_of, wait_seconds, ret_past, e);
	}
	if (r < 0)
		return r;
	*ret_past = past;
	past = (struct gs_cli_past){ 0 };
	return 0;
}

static int run(struct gs_cli *cli, int argc, char **argv)
{
	GS_CLEANUP(gs_session_freep) struct gs_session *session = NULL;
	GS_CLI_PAST struct gs_cli_past past = { 0 };
	struct gs_cli_commit o = { .way = GS_WAY_UNDO };
	const struct gs_connect how = { 0 };
	struct gs_error e = { 0 };
	char label[256];
	int first, status = 0;
	uint64_t id;

	if (gs_cli_parse(cli, &gs_command_undo, argc, argv, take, &o, &first, &status))
		return status;
	if (argc - first > 1)
		return gs_cli_misuse(cli, &gs_command_undo, "undo takes one ID");
	if (gs_cli_past_id(first < argc ? argv[first] : NULL, &id, &e) < 0 || gs_cli_connect(cli, &how, &session, &e) < 0)
		return gs_cli_fail(cli, &e);
	/* which is the last is known when nobody is at another one */
	if (gs_cli_under_way_await(session, id, &o.wait_seconds, NULL, &e) < 0 || load_whole(cli, session, id, o.wait_seconds, &past, &e) < 0)
		return gs_cli_fail(cli, &e);
	id = past.file->commit.id;
	if (past.file->commit.state == GS_JOURNAL_IS_OPEN) {
		gs_error_set(&e, -EINVAL, GS_STATUS_REFUSED, "%s has not ended, so it is recovered and not undone: gpuslice recover %" PRIu64 ". Nothing was done",
			     gs_journal_label(&past.file->commit, label, sizeof(label)), id);
		return gs_cli_fail(cli, &e);
	}
	if (!cli->json)
		printf("undoing %s\n", gs_journal_label(&past.file->commit, label, sizeof(label)));
	return gs_cli_past_commit(cli, &o, session, &past, GS_WAY_UNDO);
}

static const struct gs_cli_option options[] = {
	GS_CLI_COMMIT_OPTIONS,
	{ NULL, NULL, NULL },
};

const struct gs_cli_command gs_command_undo = {
	.name = "undo",
	.arguments = "[ID]",
	.summary = "take back what a commit did: plan, confirm, write, read back",
	.details = "ID is a number of gpuslice history; without it the last commit that was not undone.\n"
		   "What finished an interrupted commit is undone with it. What others made since stays.\n"
		   "An undo is a commit itself, and can be undone by its ID.",
	.options = options,
	.run = run,
};
