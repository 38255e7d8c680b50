/* SPDX-License-Identifier: GPL-2.0-or-later */
/* testhost.h - machines written in one line, for tests. */
#ifndef GS_TESTS_TESTHOST_H
#define GS_TESTS_TESTHOST_H

#include "codec/catalogue.h"
#include "core/plan.h"
#include "core/snapshot.h"

/*
 * A sealed snapshot of GPUs of catalogue model @model ("h100-sxm5-80gb"), one
 * per "|": "mig 3g.40gb@4* 1g.10gb@0 | whole | mig | whole!".
 * "*": held by a process; its pid is 4000 + 100 * GPU + start.
 * "!": a process has the whole GPU open, pid 4000 + 100 * GPU + 99.
 * "^": created without compute instance. "?": its place cannot be seen.
 * "=N": NVLink leads to GPU N. "unlinked": the driver tells that there is no
 * link. "fabric": behind NVSwitches. "guest": passed through to this machine.
 * GI ids are 1, 2, … in the order written; every instance has its default CI.
 * Aborts the test on a mistake in @spec.
 */
struct gs_snapshot *gs_testhost(const char *model, const char *spec);

/* The same in text: what a snapshot would be written as, without ids and pids; the caller frees. */
char *gs_testhost_text(const struct gs_snapshot *s);

/* Parse @script and plan it on @s as a file would be; the error goes to @e. */
int gs_testhost_plan(const struct gs_snapshot *s, const char *script, const struct gs_plan_options *options, struct gs_plan **ret_plan, struct gs_error *e);

/*
 * What the driver would make of @step: a new snapshot. Knows nothing of the
 * planner's placement code; -EIO for what a driver would refuse (overlap, a GI
 * that still has compute instances, a held one).
 */
int gs_testhost_step(const struct gs_snapshot *s, const struct gs_step *step, struct gs_snapshot **ret_snapshot);

#endif
