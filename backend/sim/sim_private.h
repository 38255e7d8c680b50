/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GS_SIM_PRIVATE_H
#define GS_SIM_PRIVATE_H

#include "backend/sim/sim.h"
#include "backend/sim/store.h"

struct gs_sim {
	struct gs_sim_store *store;
	char *host;
	bool is_root;
};

/* Until the write that waits (or the fault that hangs) with this number is no more. -ESHUTDOWN: the machine was rebooted meanwhile; -errno when it cannot be read. */
int gs_sim_wait(struct gs_sim *sim, uint64_t id);
/* Take the lock and give it back: what a writer had begun is in the tree then, and what nobody holds any more is settled. -errno. */
int gs_sim_pass_lock(struct gs_sim *sim);

#endif
