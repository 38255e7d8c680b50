/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/hold.h"

#include <errno.h>
#include <string.h>

#include "backend/sim/drivers.h"
#include "backend/sim/function.h"
#include "backend/sim/kernel.h"
#include "base/parse.h"

/* The group through which VFIO gives it out. */
static bool find_group(const struct gs_sim_state *s, const char *what, uint32_t *ret_group)
{
	struct gs_sim_function f;
	struct gs_sim_gpu *gpu;
	const struct gs_sim_mdev *m = gs_sim_mdev_by_uuid(s, what, &gpu);

	if (m && !m->removing) {
		*ret_group = m->iommu_group;
		return true;
	}
	if (!gs_sim_function_find(s, what, &f) || f.pci->unbinding || !gs_sim_function_has_vfio(&f))
		return false;
	*ret_group = f.pci->iommu_group;
	return true;
}

static bool fill(struct gs_sim_state *s, struct gs_sim_process *p, const char *what, uint32_t group)
{
	p->args = gs_arena_calloc(s->arena, 3, sizeof(*p->args));
	p->opens = gs_arena_calloc(s->arena, 3, sizeof(*p->opens));
	if (!p->args || !p->opens)
		return false;
	p->args[p->n_args++] = "vfio-hold";
	p->args[p->n_args++] = "device";
	p->args[p->n_args++] = gs_arena_strdup(s->arena, what);
	p->opens[p->n_opens++] = "/dev/vfio/vfio";
	p->opens[p->n_opens++] = gs_arena_printf(s->arena, "/dev/vfio/%u", group);
	p->opens[p->n_opens++] = "anon_inode:[vfio-device]";
	return p->args[2] && p->opens[1];
}

int gs_sim_hold(struct gs_sim_state *s, const char *what, bool unseen, struct gs_error *e)
{
	struct gs_sim_process p = { .ppid = 1, .comm = "vfio-hold", .cgroup = "/", .guest_driver = "", .of_fault = true, .unseen = unseen };
	uint32_t group = GS_SIM_NONE;

	if (!find_group(s, what, &group))
		return gs_error_set(e, -ENODEV, GS_STATUS_INVALID, "\"%.64s\" is nothing that VFIO gives out on this host now", what);
	if (gs_sim_group_is_held(s, group))
		return gs_error_set(e, -EBUSY, GS_STATUS_INVALID, "somebody has \"%.64s\" open already", what);
	if (s->n_processes == GS_SIM_PROCESSES_MAX)
		return gs_error_set(e, -ENOSPC, GS_STATUS_INVALID, "there are %d processes already", GS_SIM_PROCESSES_MAX);
	if (!fill(s, &p, what, group))
		return gs_error_oom(e);
	p.pid = s->next_pid++;
	/* later than whatever ran before, and no two alike */
	p.start_time = s->uptime_seconds * 100 + p.pid;
	s->processes[s->n_processes++] = p;
	return 0;
}

void gs_sim_hold_end(struct gs_sim_state *s)
{
	for (size_t i = s->n_processes; i-- > 0;) {
		if (s->processes[i].of_fault)
			gs_sim_process_remove(s, &s->processes[i]);
	}
}

void gs_sim_hold_list(const struct gs_sim_state *s, struct gs_strbuf *b)
{
	for (size_t i = 0; i < s->n_processes; i++) {
		const struct gs_sim_process *p = &s->processes[i];

		if (p->of_fault && p->n_args == 3)
			gs_strbuf_printf(b, "hold %s%s\n", p->args[2], p->unseen ? " unseen" : "");
	}
}
