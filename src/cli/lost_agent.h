/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lost_agent.h - what a command that commits GPU by GPU does when its agent
 * has gone in the middle: another one for the GPUs that are left, and what the
 * first had written down about the one that it was at.
 */
#ifndef GS_CLI_LOST_AGENT_H
#define GS_CLI_LOST_AGENT_H

#include "cli/cli.h"

/* New ones in all: what kills that many kills the next one as well. */
#define GS_CLI_AGENTS_MAX 3

/* The agent that is talked to now. */
struct gs_cli_agent {
	struct gs_session *session; /* borrowed of the caller, or @own */
	struct gs_session *own;
	unsigned n_new;
	bool is_lost;
};
void gs_cli_agent_done(struct gs_cli_agent *a);
#define GS_CLI_AGENT GS_CLEANUP(gs_cli_agent_done)

/*
 * Where it is lost, start another one, at most GS_CLI_AGENTS_MAX in all. 0 when
 * there is one. -ECONNABORTED with status UNREACHABLE and a sentence when there
 * may be no more, or what gs_cli_connect() gives; then it is lost still.
 */
int gs_cli_agent_renew(struct gs_cli_agent *a, const struct gs_cli *cli, struct gs_error *e);

/*
 * "; commit 12 was interrupted after …: gpuslice recover 12" behind @text of
 * @size bytes: the open commit on one of @gpus, as a new agent reads it. Nothing where none can be told.
 */
void gs_cli_add_interrupted(const struct gs_cli *cli, const struct gs_bdf *gpus, size_t n_gpus, uint32_t max, char *text, size_t size);

#endif
