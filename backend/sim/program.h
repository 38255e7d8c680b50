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

static inline void gs_sim_program_done(struct gs_sim_program *p)
{
	gs_strbuf_done(&p->output);
}

#endif
