/* SPDX-License-Identifier: GPL-2.0-or-later */
/* saved.h - the saved layout in the commands: against the machine, and until all of it is there. */
#ifndef GS_CLI_SAVED_H
#define GS_CLI_SAVED_H

#include "cli/cli.h"
#include "core/drift.h"

/* The layout as it is saved, and how the machine stands to it. */
struct gs_cli_saved {
	struct gs_session_saved saved;
	struct gs_layout *layout;       /* unbound */
	struct json_object *commits;    /* what the journal tells; NULL: nothing */
	struct gs_arena *arena;
	struct gs_drift *drift;         /* borrows from the snapshot */
};
void gs_cli_saved_done(struct gs_cli_saved *s);
#define GS_CLI_SAVED GS_CLEANUP(gs_cli_saved_done)

/* Read and parse it. -ENOENT when nothing is saved, status INVALID. */
int gs_cli_saved_load(struct gs_session *session, struct gs_cli_saved *ret_saved, struct gs_error *e);
/* Hold it against @s, with what the journal knows where it may be read. */
int gs_cli_saved_compare(struct gs_cli_saved *saved, struct gs_session *session, const struct gs_snapshot *s, struct gs_error *e);

/* `assert` without a file: print the drift; 0, DIFFERS or CANNOT_TELL. */
int gs_cli_assert_saved(struct gs_cli *cli, struct gs_session *session, const struct gs_snapshot *s);
/* The line of `list`: as saved, UNSAVED or DRIFT. */
void gs_cli_print_saved_line(struct gs_session *session, const struct gs_snapshot *s);

/*
 * Wait until each GPU that @layout names is there, with a driver, and where
 * that is NVIDIA's answering to NVML; at most @seconds. Woken by what the agent
 * sees, never by a sleep. The last look goes to *@ret_snapshot (one reference);
 * what did not come is said on stderr and is no error.
 */
int gs_cli_wait_ready(struct gs_session *session, const struct gs_layout *layout, uint32_t seconds, struct gs_snapshot **ret_snapshot, struct gs_error *e);

#endif
