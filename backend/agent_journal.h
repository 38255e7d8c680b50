/* SPDX-License-Identifier: GPL-2.0-or-later */
/* agent_journal.h - the journal (journal.h) of the commit that an agent is carrying out. */
#ifndef GS_BACKEND_AGENT_JOURNAL_H
#define GS_BACKEND_AGENT_JOURNAL_H

#include "backend/agent_state.h"
#include "backend/journal.h"
#include "core/commit.h"

/* Of one commit call. */
struct gs_agent_journal {
	struct gs_agent *agent;
	const struct gs_request *request;       /* borrowed, all of these */
	const char *message, *command, *ssh_client;
	enum gs_way way;                        /* as the client says; a request about an earlier commit has its own */
	bool undo_on_hangup;
	struct gs_journal *journal;             /* NULL until begin */
};
void gs_agent_journal_done(struct gs_agent_journal *j);

/* The operation «journal» of struct gs_commit_ops. */
int gs_agent_journal_record(struct gs_agent_journal *j, const struct gs_commit_record *record, struct gs_error *e);

/*
 * Before a commit that is about an earlier one, under the lock: read that one
 * into @request. Status REFUSED when nothing of the kind can be done about it.
 */
int gs_agent_journal_prepare(struct gs_agent *a, struct gs_request *request, struct gs_error *e);
/* … and after it: what was interrupted has found its end when @result says that all was done. */
void gs_agent_journal_settle(struct gs_agent_journal *j, const struct gs_commit_result *result);

#endif
