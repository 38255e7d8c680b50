/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent_lock.h - what keeps others away while an agent commits: the lock of
 * the machine (lock.h), and a record of each call of NVML (writes.h), which
 * keeps them off that GPU when the agent is gone and the call is not.
 */
#ifndef GS_BACKEND_AGENT_LOCK_H
#define GS_BACKEND_AGENT_LOCK_H

#include "backend/agent_state.h"
#include "core/plan.h"

/*
 * Take the lock into a->lock. When another commit holds it, wait for at most
 * @wait_seconds (0: not at all), serving the client, which is told whom for;
 * our own collector lets go of the GPUs meanwhile. @command is what the client
 * says that it is for, NULL: nothing. Status LOCKED and a sentence when it was
 * not to be had: -EWOULDBLOCK in time, -ECANCELED when the client, or a
 * signal, ended the waiting.
 */
int gs_agent_lock(struct gs_agent *a, const char *command, uint32_t wait_seconds, struct gs_error *e);

/* Release it, if we have it. A child that a driver still keeps has its record and needs no lock. */
void gs_agent_unlock(struct gs_agent *a);

/*
 * Before the collector, which is started for it, is asked to carry out @step:
 * a record for the GPU and its peers. The pid goes to gs_agent_call_ended().
 */
int gs_agent_call_begins(struct gs_agent *a, const struct gs_step *step, int *ret_pid, struct gs_error *e);
/* The answer has come, or never will: the records go, unless the driver still keeps that process. */
void gs_agent_call_ended(struct gs_agent *a, const struct gs_step *step, int pid);

#endif
