/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kill.h - the fault that ends the committer in the middle: whoever changes the
 * simulated machine is killed at its N-th change. The only faults that touch
 * real processes: the one that holds the commit's lock of this machine, and the
 * caller's own process group.
 */
#ifndef GS_BACKEND_SIM_KILL_H
#define GS_BACKEND_SIM_KILL_H

#include "backend/sim/state.h"

/* "before", "after", "agent"; NEVER for anything else. */
enum gs_sim_kill gs_sim_kill_from_name(const char *name);
const char *gs_sim_kill_name(enum gs_sim_kill when);

/*
 * A change is about to be made: does it strike now? Counts down; *@ret_counted
 * is set (never cleared) when the state has to be kept for that.
 */
enum gs_sim_kill gs_sim_kill_take(struct gs_sim_state *s, bool *ret_counted);

/* Strike. BEFORE and AFTER do not return; AGENT does, and the change goes on without the agent. */
void gs_sim_kill_now(enum gs_sim_kill when, int tree_fd);

#endif
