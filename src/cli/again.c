/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/again.h"

#include <string.h>

#define TIMEOUT_MS 60000
/* Each lost to a commit of somebody else; who loses more often is told so. */
#define TRIES_MAX 16

struct gs_cli_patience gs_cli_patience_of(const struct gs_cli_commit *o)
{
	return (struct gs_cli_patience){ .since = gs_monotonic_now(), .seconds = o->wait_seconds };
}

static int64_t left_ms(const struct gs_cli_patience *p)
{
	return (int64_t)p->seconds * 1000 - gs_elapsed_ms(p->since);
}

uint32_t gs_cli_patience_left(const struct gs_cli_patience *p)
{
	int64_t left = left_ms(p);

	return !p->seconds ? 0 : left < 1000 ? 1 : (uint32_t)((left + 999) / 1000);
}

bool gs_cli_may_try_again(struct gs_cli_patience *p, const struct gs_cli_commit *o, const struct gs_session_result *result)
{
	if (!result->is_stale || o->expect.hex[0] || left_ms(p) <= 0 || ++p->tries >= TRIES_MAX)
		return false;
	gs_cli_say("%s; planned again, as --wait asks", result->text);
	return true;
}

/* What came of other commits since is part of what is planned from. */
static int read_past_again(struct gs_session *s, struct gs_request *request, struct gs_error *e)
{
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *file = NULL;
	GS_FREE char *boot_id = NULL;
	struct gs_past *past = NULL;
	int r = gs_session_journal_file(s, request->commit_id, TIMEOUT_MS, &file, &boot_id, e);

	if (r == 0)
		r = gs_journal_past(file, boot_id, &past, e);
	if (r < 0)
		return r;
	gs_past_free(request->past);
	request->past = past;
	return 0;
}

int gs_cli_plan_again(struct gs_session *s, struct gs_request *request, uint32_t wait_seconds, struct gs_plan **ret_plan, struct gs_error *e)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *now = NULL;
	int r = gs_session_snapshot_waiting(s, wait_seconds, TIMEOUT_MS, &now, e);

	if (r == 0 && request->kind == GS_REQUEST_PAST)
		r = read_past_again(s, request, e);
	return r == 0 ? gs_request_plan(request, now, ret_plan, e) : r;
}
