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

#endif
