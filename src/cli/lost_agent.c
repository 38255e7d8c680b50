/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/lost_agent.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/journal_list.h"

#define TIMEOUT_MS 60000

void gs_cli_agent_done(struct gs_cli_agent *a)
{
	gs_session_free(a->own);
	*a = (struct gs_cli_agent){ 0 };
}

int gs_cli_agent_renew(struct gs_cli_agent *a, const struct gs_cli *cli, struct gs_error *e)
{
	const struct gs_connect how = { 0 };
	struct gs_session *session;
	int r;

	if (!a->is_lost)
		return 0;
	if (a->n_new >= GS_CLI_AGENTS_MAX)
		return gs_error_set(e, -ECONNABORTED, GS_STATUS_UNREACHABLE, "the agent has gone, and so have %d after it", GS_CLI_AGENTS_MAX);
	a->n_new++;
	r = gs_cli_connect(cli, &how, &session, e);
	if (r < 0)
		return r;
	gs_session_free(a->own);
	a->session = a->own = session;
	a->is_lost = false;
	gs_cli_say("the agent has gone; another one goes on with the other GPUs");
	return 0;
}

static bool is_about(const struct gs_journal_entry *c, const struct gs_bdf *gpus, size_t n_gpus)
{
	for (size_t i = 0; i < c->n_gpus; i++)
		for (size_t k = 0; k < n_gpus; k++)
			if (gs_bdf_compare(c->gpus[i], gpus[k]) == 0)
				return true;
	return false;
}

void gs_cli_add_interrupted(const struct gs_cli *cli, const struct gs_bdf *gpus, size_t n_gpus, uint32_t max, char *text, size_t size)
{
	GS_CLEANUP(gs_journal_list_freep) struct gs_journal_list *list = NULL;
	GS_CLEANUP(gs_session_freep) struct gs_session *session = NULL;
	GS_JSON struct json_object *commits = NULL;
	const struct gs_connect how = { 0 };
	size_t n = strlen(text);

	if (gs_cli_connect(cli, &how, &session, NULL) < 0 || gs_session_journal(session, max, TIMEOUT_MS, &commits, NULL) < 0 ||
	    gs_journal_list_from_json(commits, &list, NULL) < 0)
		return;
	for (size_t i = 0; i < list->n; i++) {
		const struct gs_journal_entry *c = &list->items[i];

		if (!gs_journal_needs_recovery(list, c) || !is_about(c, gpus, n_gpus))
			continue;
		snprintf(text + n, size - n, "; commit %" PRIu64 " was %s: gpuslice recover %" PRIu64, c->id, c->summary, c->id);
		return;
	}
}
