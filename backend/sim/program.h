/* SPDX-License-Identifier: GPL-2.0-or-later */
/* program.h - one run of a program of the simulated machine. */
#ifndef GS_SIM_PROGRAM_H
#define GS_SIM_PROGRAM_H

#include "backend/sim/state.h"
#include "base/strbuf.h"

struct gs_sim_program {
	struct gs_sim_state *s;
	int tree_fd;
	const char *name;           /* without its directory */
	int argc;
	char *const *argv;
	int exit_status;
	struct gs_strbuf output;
	bool changed;               /* the state did */
	bool interrupted;           /* fault: it stops half way */
};

/* Is it a process of that unit? */
bool gs_sim_unit_has(const struct gs_sim_unit *unit, const struct gs_sim_process *process);
/* Its processes end, and whoever follows them; they come back, with new pids, when it is started. */
void gs_sim_unit_stop(struct gs_sim_state *s, struct gs_sim_unit *unit);
void gs_sim_unit_start(struct gs_sim_state *s, struct gs_sim_unit *unit);

static inline void gs_sim_program_done(struct gs_sim_program *p)
{
	gs_strbuf_done(&p->output);
}

#endif
