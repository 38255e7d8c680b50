/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/past.h"

#include <errno.h>
#include <stdlib.h>

#include "base/parse.h"

void gs_cli_past_done(struct gs_cli_past *p)
{
	gs_journal_file_free(p->file);
	gs_snapshot_unref(p->snapshot);
	free(p->boot_id);
	*p = (struct gs_cli_past){ 0 };
}

int gs_cli_past_load(struct gs_session *s, uint64_t id, uint32_t wait_seconds, struct gs_cli_past *ret_past, struct gs_error *e)
{
	GS_CLI_PAST struct gs_cli_past p = { 0 };
	int r = gs_session_journal_file(s, id, GS_CLI_PAST_TIMEOUT_MS, &p.file, &p.boot_id, e);

	if (r == 0)
		r = gs_session_snapshot_waiting(s, wait_seconds, GS_CLI_PAST_TIMEOUT_MS, &p.snapshot, e);
	if (r < 0)
		return r;
	*ret_past = p;
	p = (struct gs_cli_past){ 0 };
	return 0;
}

static int plan_way(const struct gs_cli_commit *o, const struct gs_cli_past *p, enum gs_way way, struct gs_request **ret_request, struct gs_plan **ret_plan, struct gs_error *e)
{
	GS_CLEANUP(gs_request_freep) struct gs_request *request = NULL;
	struct gs_past *past = NULL;
	int r = gs_journal_past(p->file, p->boot_id, &past, e);

	if (r == 0)
		r = gs_request_new_past(way, p->file->commit.id, past, &request, e);
	if (r == 0)
		r = gs_cli_commit_ask(o, request, e);
	if (r == 0)
		r = gs_request_plan(request, p->snapshot, ret_plan, e);
	if (r < 0)
		return r;
	*ret_request = GS_TAKE(request);
	return 0;
}

int gs_cli_past_commit(struct gs_cli *cli, const struct gs_cli_commit *o, struct gs_session *s, const struct gs_cli_past *p, enum gs_way way)
{
	GS_CLEANUP(gs_request_freep) struct gs_request *request = NULL;
	GS_CLEANUP(gs_plan_freep) struct gs_plan *plan = NULL;
	struct gs_error e = { 0 };

	if (plan_way(o, p, way, &request, &plan, &e) < 0)
		return gs_cli_fail(cli, &e);
	return gs_cli_commit(cli, o, s, request, plan);
}

int gs_cli_past_close(struct gs_cli *cli, const struct gs_cli_commit *o, struct gs_session *s, const struct gs_cli_past *p, enum gs_way way,
		      struct gs_session_result *ret_result, struct gs_error *e)
{
	GS_CLEANUP(gs_request_freep) struct gs_request *request = NULL;
	GS_CLEANUP(gs_plan_freep) struct gs_plan *plan = NULL;
	int r = plan_way(o, p, way, &request, &plan, e);

	if (r < 0)
		return r;
	if (plan->n_steps || gs_plan_is_blocked(plan))
		return gs_error_set(e, -ESTALE, GS_STATUS_REFUSED, "the machine has changed since it was looked at; nothing was done: run it again");
	return gs_cli_commit_follow(cli, o, s, request, plan, o->wait_seconds, ret_result, NULL, e);
}

int gs_cli_past_id(const char *word, uint64_t *ret_id, struct gs_error *e)
{
	char shown[32];

	if (!word) {
		*ret_id = 0;
		return 0;
	}
	if (gs_parse_u64(word, 10, ret_id) == 0 && *ret_id)
		return 0;
	snprintf(shown, sizeof(shown), "%s", word);
	gs_text_sanitize(shown);
	return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "%s is no number of a commit; gpuslice history lists them", shown);
}
