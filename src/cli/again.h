/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * again.h - --wait: who waited for another commit may find the machine
 * otherwise than it was planned for. What was asked for is planned again then,
 * against the machine as it is now, as long as there is time left.
 */
#ifndef GS_CLI_AGAIN_H
#define GS_CLI_AGAIN_H

#include "cli/commit.h"

/* How long a commit is waited for: --wait is for all its tries together. */
struct gs_cli_patience {
	struct gs_monotonic since;
	uint32_t seconds;       /* of --wait */
	unsigned tries;
};

struct gs_cli_patience gs_cli_patience_of(const struct gs_cli_commit *o);
/* What is left, in whole seconds and never less than one of a --wait: that a first try has had all of it is no reason not to look. */
uint32_t gs_cli_patience_left(const struct gs_cli_patience *p);

/*
 * May it be planned again? Only what was refused because somebody else had
 * changed the machine, with --wait and time left, a few times at most, and never
 * where one certain plan was approved (--expect). Says so on stderr when it may.
 */
bool gs_cli_may_try_again(struct gs_cli_patience *p, const struct gs_cli_commit *o, const struct gs_session_result *result);

/*
 * Look again and plan @request again; one about an earlier commit reads that
 * anew, since others may mean something for it by now. The caller owns the plan.
 */
int gs_cli_plan_again(struct gs_session *s, struct gs_request *request, uint32_t wait_seconds, struct gs_plan **ret_plan, struct gs_error *e);

#endif
