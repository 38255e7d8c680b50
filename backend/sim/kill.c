/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/kill.h"

#include <signal.h>
#include <unistd.h>

#include "base/parse.h"

static const char *const names[GS_SIM_KILL_MAX] = { "never", "before", "after", "agent" };

enum gs_sim_kill gs_sim_kill_from_name(const char *name)
{
	for (int i = GS_SIM_KILL_BEFORE; i < GS_SIM_KILL_MAX; i++)
		if (gs_str_equal(names[i], name))
			return (enum gs_sim_kill)i;
	return GS_SIM_KILL_NEVER;
}

const char *gs_sim_kill_name(enum gs_sim_kill when)
{
	return names[when];
}

enum gs_sim_kill gs_sim_kill_take(struct gs_sim_state *s, bool *ret_counted)
{
	enum gs_sim_kill when = s->kill;

	if (when == GS_SIM_KILL_NEVER)
		return when;
	*ret_counted = true;
	if (s->kill_countdown > 1) {
		s->kill_countdown--;
		return GS_SIM_KILL_NEVER;
	}
	s->kill = GS_SIM_KILL_NEVER;
	return when;
}

void gs_sim_kill_now(enum gs_sim_kill when)
{
	pid_t parent = getppid();

	if (when == GS_SIM_KILL_AGENT && parent > 1)
		kill(parent, SIGKILL);
	else if (when == GS_SIM_KILL_BEFORE || when == GS_SIM_KILL_AFTER)
		kill(0, SIGKILL);
}
