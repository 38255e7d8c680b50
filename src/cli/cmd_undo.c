/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_undo.c - `gpuslice undo`: what a commit did is taken back, against the machine as it is now. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/past.h"

#define COMMITS_MAX 200

static int take(void *userdata, const char *name, const char *value, struct gs_error *e)
{
	int r = gs_cli_commit_take(userdata, name, value, e);

	return r < 0 ? r : 0;
}

static bool is_way(struct json_object *commit, enum gs_way way)
{
	const char *word = NULL;

	return gs_json_get_string(commit, "way", &word, NULL) == 0 && word && gs_way_from_name(word) == way;
}

static bool has_succeeded(struct json_object *commit)
{
	struct gs_u32 status = GS_U32_UNKNOWN;

	return gs_json_get_u32(commit, "status", &status, NULL) == 0 && (gs_u32_is(status, GS_STATUS_OK) || gs_u32_is(status, GS_STATUS_PENDING));
}

/* Has a later one (they come first) taken it back? */
static bool is_undone(struct json_object *commits, size_t at, uint64_t id)
{
	for (size_t i = 0; i < at; i++) {
		struct json_object *c = json_object_array_get_idx(commits, i);
		struct gs_u64 of = GS_U64_UNKNOWN;

		if (is_way(c, GS_WAY_UNDO) && has_succeeded(c) && gs_json_get_u64(c, "of", &of, NULL) == 0 && of.known && of.value == id)
			return true;
	}
	return false;
}

/* The newest that did something and was not taken back; the one that took it back is none: undo goes back further each time. */
static int find_last(struct gs_session *s, uint64_t *ret_id, struct gs_error *e)
{
	GS_JSON struct json_object *commits = NULL;
	int r = gs_session_journal(s, COMMITS_MAX, GS_CLI_PAST_TIMEOUT_MS, &commits, e);

	for (size_t i = 0; r == 0 && i < json_object_array_length(commits); i++) {
		struct json_object *c = json_object_array_get_idx(commits, i);
		struct gs_u64 id = GS_U64_UNKNOWN;

		if (gs_json_get_u64(c, "id", &id, NULL) < 0 || !id.known || !has_succeeded(c) || is_way(c, GS_WAY_UNDO) || is_undone(commits, i, id.value))
			continue;
		*ret_id = id.value;
		return 0;
	}
	return r < 0 ? r : gs_error_set(e, -ENOENT, GS_STATUS_REFUSED, "no commit is left to be undone; gpuslice history lists what there was. Nothing was done");
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
	if (gs_cli_past_id(first < argc ? argv[first] : NULL, &id, &e) < 0 || gs_cli_connect(cli, &how, &session, &e) < 0 || (!id && find_last(session, &id, &e) < 0) ||
	    gs_cli_past_load(session, id, &past, &e) < 0)
		return gs_cli_fail(cli, &e);
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
		   "What others made since stays. An undo is a commit itself, and can be undone by its ID.",
	.options = options,
	.run = run,
};
