/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mig_write.h - the steps that NVML carries out. Nothing here is trusted
 * because it returned 0: a creation is asked for its profile and place, and
 * the commit collects again after every step.
 */
#ifndef GS_BACKEND_MIG_WRITE_H
#define GS_BACKEND_MIG_WRITE_H

#include "backend/mig.h"
#include "core/commit.h"

/*
 * Carry out one of SET_MODE, CREATE_GI, DESTROY_GI, CREATE_CI, DESTROY_CI.
 * What is destroyed is found by place and profile and must still have the id
 * that the plan saw. Negative errno with a sentence; the machine is then as
 * before unless the sentence says otherwise.
 */
int gs_mig_run(struct gs_mig *mig, const struct gs_step *step, struct gs_step_outcome *ret_outcome, struct gs_error *e);

#endif
