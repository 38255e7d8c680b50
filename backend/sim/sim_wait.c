/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim_wait.c - waiting for somebody to let go. No lock is held meanwhile. */
#include <errno.h>
#include <time.h>

#include "backend/sim/drivers.h"
#include "backend/sim/sim_private.h"

#define POLL_NS 20000000

static bool fault_is_on(const struct gs_sim_state *s, uint64_t id)
{
	for (size_t i = 0; i < s->n_faults; i++) {
		if (s->faults[i].id == id)
			return true;
	}
	return false;
}

/* A real process that closed a node tells nobody: whoever waits looks. */
int gs_sim_pass_lock(struct gs_sim *sim)
{
	int r = gs_sim_store_begin(sim->store, NULL);

	if (r == 0 && gs_sim_settle(gs_sim_store_state(sim->store), gs_sim_store_tree_fd(sim->store)))
		r = gs_sim_store_commit(sim->store, NULL);
	gs_sim_store_end(sim->store);
	return r;
}

int gs_sim_wait(struct gs_sim *sim, uint64_t id)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };

	for (;;) {
		const struct gs_sim_state *s;
		int r = gs_sim_store_refresh(sim->store, NULL);

		if (r < 0)
			return r;
		s = gs_sim_store_state(sim->store);
		/* who waited in the kernel has gone with it: what he began is never carried out */
		if (id < s->boot_serial)
			return -ESHUTDOWN;
		if (!gs_sim_is_pending(s, id) && !fault_is_on(s, id)) {
			/* whoever ended it may still be at the tree, under the lock: behind it all is seen */
			gs_sim_pass_lock(sim);
			return 0;
		}
		if (gs_sim_can_settle(s, gs_sim_store_tree_fd(sim->store))) {
			r = gs_sim_pass_lock(sim);
			if (r < 0)
				return r;
			continue;
		}
		nanosleep(&pause, NULL);
	}
}
