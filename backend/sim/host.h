/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host.h - a machine as shipped: data/hosts/NAME.json, written by and for people, to a state. */
#ifndef GS_SIM_HOST_H
#define GS_SIM_HOST_H

#include "backend/sim/store.h"

/*
 * The state that the host file describes; copies the models that it names into
 * @store. @before (may be NULL) is what was: counters go on from it, so that no
 * handle of before becomes valid again.
 */
int gs_sim_host_build(const char *name, struct gs_sim_store *store, const struct gs_sim_state *before,
		      struct gs_sim_state **ret_state, struct gs_error *e);

#endif
