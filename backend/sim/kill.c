/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/kill.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"

/* What a committer writes there: one line of JSON with its pid. */
#define LOCK "run/gpuslice/lock"
#define LOCK_BYTES_MAX 4096

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

/* 0: nobody holds the lock. */
static pid_t committer(int tree_fd)
{
	GS_CLOSE int fd = openat(tree_fd, LOCK, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char text[LOCK_BYTES_MAX + 1];
	struct json_object *o, *pid;
	pid_t found = 0;
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, text, LOCK_BYTES_MAX);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	o = json_tokener_parse(text);
	if (json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, "pid", &pid) && json_object_get_int(pid) > 1)
		found = json_object_get_int(pid);
	json_object_put(o);
	return found;
}

void gs_sim_kill_now(enum gs_sim_kill when, int tree_fd)
{
	pid_t agent = when == GS_SIM_KILL_NEVER ? 0 : committer(tree_fd);

	if (agent)
		kill(agent, SIGKILL);
	/* its collector and writers: groups of their own, and we are one of them */
	if (when != GS_SIM_KILL_NEVER && when != GS_SIM_KILL_AGENT)
		kill(0, SIGKILL);
}
