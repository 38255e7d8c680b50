/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scope.h - --scope gpu: each GPU a plan, a review and a commit of its own. */
#ifndef GS_CLI_SCOPE_H
#define GS_CLI_SCOPE_H

#include "cli/commit.h"

/* A row of a command's table of options. */
#define GS_CLI_SCOPE_OPTION(otherwise) { "scope", "host|gpu", "all or nothing, or each GPU by itself, so that one costs the others nothing (" otherwise ")" }

/* "host" or "gpu"; -EINVAL with a sentence. */
int gs_cli_scope_take(const char *value, bool *ret_by_gpu, struct gs_error *e);

/* Print a plan per GPU that @request would change on @s; touches nothing. The exit status; @exit_code: DIFFERS when there is something to do. */
int gs_cli_plan_by_gpu(struct gs_cli *cli, struct gs_session *session, const struct gs_snapshot *s, const struct gs_request *request, bool exit_code);

/*
 * Show all parts, ask once for what is to be confirmed in any, then a commit
 * per part, in order. What fails or is refused on one GPU does not stop the
 * others; Ctrl-C does. A line per GPU, or gpuslice.results/1. The exit status:
 * PARTIAL when only some were done, else that of all, the worst when none was.
 */
int gs_cli_commit_by_gpu(struct gs_cli *cli, const struct gs_cli_commit *o, struct gs_session *session, const struct gs_snapshot *s, const struct gs_request *request);

#endif
