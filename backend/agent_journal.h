/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent_journal.h - the journal (journal.h) in an agent: that of the commit
 * under way, and what a client may ask about earlier ones.
 */
#ifndef GS_BACKEND_AGENT_JOURNAL_H
#define GS_BACKEND_AGENT_JOURNAL_H

#include "backend/agent_state.h"
#include "backend/journal.h"
#include "codec/rpc.h"
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

/*
 * Who asked, of more than root: the login uid of the audit system, which sudo
 * and su leave alone; else what sudo says of its caller; else who we are.
 */
uint32_t gs_agent_caller_uid(void);
/* Its name, or NULL; the caller frees. */
char *gs_agent_user_name(uint32_t uid);

/* The methods «journal» and «leave» (session.h). */
int gs_agent_tell_journal(struct gs_agent *a, const struct gs_rpc_message *m, struct gs_error *e);
int gs_agent_leave(struct gs_agent *a, const struct gs_rpc_message *m, struct gs_error *e);

#endif
