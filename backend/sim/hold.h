/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hold.h - a program that has a VFIO device open, as a virtual machine has; made and ended by a fault. */
#ifndef GS_SIM_HOLD_H
#define GS_SIM_HOLD_H

#include "backend/sim/state.h"
#include "base/strbuf.h"

/*
 * A new process that has the group of @what open, a function's address or an
 * mdev's UUID. @unseen: it is there, its descriptors are not. Status INVALID
 * for what is not there, has no VFIO node, or is held by somebody already.
 */
int gs_sim_hold(struct gs_sim_state *s, const char *what, bool unseen, struct gs_error *e);
/* All of them end; the caller lets waiting writes go on. */
void gs_sim_hold_end(struct gs_sim_state *s);
/* As the faults that they were, a line each. */
void gs_sim_hold_list(const struct gs_sim_state *s, struct gs_strbuf *b);

#endif
