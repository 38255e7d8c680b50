/* SPDX-License-Identifier: GPL-2.0-or-later */
/* past.h - what `undo` and `recover` share: an earlier commit, and the plan that is about it. */
#ifndef GS_CLI_PAST_H
#define GS_CLI_PAST_H

#include "cli/commit.h"

#define GS_CLI_PAST_TIMEOUT_MS 60000

/* A commit and the machine as it is now. */
struct gs_cli_past {
	struct gs_journal_file *file;
	char *boot_id;
	struct gs_snapshot *snapshot;
};
void gs_cli_past_done(struct gs_cli_past *p);
#define GS_CLI_PAST GS_CLEANUP(gs_cli_past_done)

/* A commit of another that keeps everybody off the GPUs is waited for, at most @wait_seconds. */
int gs_cli_past_load(struct gs_session *s, uint64_t id, uint32_t wait_seconds, struct gs_cli_past *ret_past, struct gs_error *e);
/* Plan @way of it, review, confirm, carry it out: the exit status. */
int gs_cli_past_commit(struct gs_cli *cli, const struct gs_cli_commit *o, struct gs_session *s, const struct gs_cli_past *p, enum gs_way way);
/*
 * Have it closed as what the machine was seen to be: base (TAKE_BACK) or target
 * (FINISH). Steps that are to be done after all are not: -ESTALE. The caller
 * calls gs_session_result_done().
 */
int gs_cli_past_close(struct gs_cli *cli, const struct gs_cli_commit *o, struct gs_session *s, const struct gs_cli_past *p, enum gs_way way,
		      struct gs_session_result *ret_result, struct gs_error *e);
/* The optional argument ID: 0 when there is none. -EINVAL. */
int gs_cli_past_id(const char *word, uint64_t *ret_id, struct gs_error *e);

#endif
