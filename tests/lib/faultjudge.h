/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * faultjudge.h - what became of a machine of faulthost.h, by its own words and
 * not by what the program sees: is it base, is it target, is what is otherwise
 * named. The judge knows nothing of plans but whom they name.
 */
#ifndef GS_TESTS_FAULTJUDGE_H
#define GS_TESTS_FAULTJUDGE_H

#include "tests/lib/faulthost.h"

/* One machine, one request, and what it makes of the machine when nothing goes wrong. */
struct fault_case {
	const char *name, *model, *spec;
	struct fault_request request;
	/* filled by fault_case_learn() */
	size_t n_gpus, n_acts, n_records;
	struct fam_host base, target;
	char *base_text[FAM_GPUS_MAX], *target_text[FAM_GPUS_MAX];
	struct gs_commit_result result; /* of the run without faults, with its plan */
};
void fault_case_done(struct fault_case *c);

/* Run it without a fault. False: it has no steps, is refused, or its machine cannot be driven here, so there is nothing to go wrong. */
bool fault_case_learn(struct fault_case *c);

enum fault_end { FAULT_END_BASE = 1, FAULT_END_TARGET = 2 };

/*
 * Is every GPU (with @rebooted: every GPU of the plan, without its holders) as
 * @ends allows? Else the first that is not goes to @ret_why. Somebody else's
 * things, and what the preview said that nothing brings back, are left out of it;
 * *@ret_unit_down: but for nvidia-persistenced, which is down and should not be.
 */
bool fault_is_at(const struct fault_case *c, const struct fault_host *h, unsigned ends, bool rebooted, bool *ret_unit_down, struct gs_strbuf *ret_why);

/* Is the outcome what the machine is? Nothing in @ret_why: yes; else what is wrong, in words. */
void fault_judge(const struct fault_case *c, const struct fault_host *h, const struct gs_commit_result *result, struct gs_strbuf *ret_why);
/* Whatever became of it: is who had something still there, was nothing destroyed that nobody named? */
void fault_judge_holders(const struct fault_case *c, const struct fault_host *h, struct gs_strbuf *ret_why);

#endif
