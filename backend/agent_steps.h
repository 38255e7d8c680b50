/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent_steps.h - steps that the agent carries out itself, without a driver
 * library: those of the sysfs families, and systemd units. Whatever can block
 * is a writer's; the client's messages are served meanwhile.
 */
#ifndef GS_BACKEND_AGENT_STEPS_H
#define GS_BACKEND_AGENT_STEPS_H

#include "backend/agent_state.h"
#include "core/commit.h"

/* What the agent is at, for progress and to name holders. */
struct gs_agent_at {
	const struct gs_step *step;         /* NULL: a look at the machine */
	size_t n_steps;
	const struct gs_snapshot *last;     /* the newest look; NULL */
};

/*
 * Tell the client that a step waits: after two seconds, then every ten.
 * @said_ms is when that was last done, 0 at first.
 */
void gs_agent_say_waiting(struct gs_agent *a, const struct gs_agent_at *at, const char *text, uint64_t waited_ms, uint64_t *said_ms);

/* "GPU 3: created …": a line of progress stands alone. Returns @buf. */
const char *gs_agent_step_text(const struct gs_step *step, enum gs_tense tense, char *buf, size_t size);

/* Is it one of these? Otherwise NVML carries it out, in the collector. */
bool gs_agent_takes_step(const struct gs_step *step);

/* Must everybody let go of the GPU before it, our collectors included? */
bool gs_agent_step_needs_nobody(const struct gs_step *step, const struct gs_snapshot *last);

/* See struct gs_commit_ops. @at is borrowed for the call. */
int gs_agent_run_step(struct gs_agent *a, const struct gs_agent_at *at, struct gs_step_outcome *ret_outcome, struct gs_error *e);

#endif
