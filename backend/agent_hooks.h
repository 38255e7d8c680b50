/* SPDX-License-Identifier: GPL-2.0-or-later */
/* agent_hooks.h - the site's hooks (hooks.h) around a commit of an agent. agent_commit.c alone includes it. */
#ifndef GS_BACKEND_AGENT_HOOKS_H
#define GS_BACKEND_AGENT_HOOKS_H

#include "backend/agent_state.h"
#include "backend/hooks.h"
#include "core/commit.h"

struct gs_agent_hooks {
	struct gs_agent *agent;
	const char *message;        /* of the commit; NULL: none; borrowed */
	struct gs_hooks *hooks;     /* once before was called */
};

void gs_agent_hooks_done(struct gs_agent_hooks *h);

/*
 * The operations «before» and «after» of struct gs_commit_ops. On a live
 * machine the hooks have to be root's; a simulated one runs those of its own
 * tree. The client is served meanwhile, and gets what they print as progress
 * of the event "hook": text is "NAME before", note the line.
 */
int gs_agent_hooks_before(struct gs_agent_hooks *h, const struct gs_plan *plan, struct gs_error *e);
void gs_agent_hooks_after(struct gs_agent_hooks *h, const struct gs_plan *plan, const struct gs_commit_result *result, char *ret_note, size_t size);

#endif
