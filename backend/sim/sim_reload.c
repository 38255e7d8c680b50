/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim_reload.c - the module of a GPU driver is unloaded and loaded again, as its update does it: the services that have its GPUs
 * open are stopped meanwhile, and anybody else's work makes rmmod refuse.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/sim/amd.h"
#include "backend/sim/drivers.h"
#include "backend/sim/kernel.h"
#include "backend/sim/log.h"
#include "backend/sim/program.h"
#include "backend/sim/sim_private.h"
#include "base/parse.h"
#include "base/strbuf.h"

/* By its own driver, not one that it was given away to. */
static bool is_driven_by(const struct gs_sim_gpu *gpu, const char *driver)
{
	return gs_str_equal(gpu->pci.driver, driver) && gs_str_equal(gpu->pci.native, driver) && !gpu->pci.vanished;
}

/* ------------------------------------------------------------ what goes and what comes */

static void forget(struct gs_sim_state *s, struct gs_sim_gpu *gpu)
{
	gs_sim_driver_state_wipe(gpu);
	if (gpu->amd.xcc)
		gs_sim_amd_reload(s, gpu);
	if (gpu->intel.kind) {
		memset(gpu->intel.shares, 0, (gpu->total_vfs + 1) * sizeof(*gpu->intel.shares));
		gpu->intel.manual = false;
	}
	/* kept on the board by Ampere only (interfaces 5.8) */
	if (gpu->model && !gpu->model->needs_reset)
		gpu->mig_current = gpu->mig_pending = false;
}

bool gs_sim_driver_reload(struct gs_sim_state *s, const char *driver)
{
	struct gs_sim_function f;
	bool found = false;

	for (size_t i = 0; i < s->n_gpus; i++)
		found |= is_driven_by(&s->gpus[i], driver);
	if (!found)
		return false;
	gs_sim_log_load(s, driver, NULL);
	for (size_t i = 0; i < s->n_gpus; i++) {
		if (!is_driven_by(&s->gpus[i], driver))
			continue;
		forget(s, &s->gpus[i]);
		gs_sim_log_load(s, driver, &s->gpus[i].pci);
	}
	/* a driver that is registered is offered what has none */
	for (size_t at = 0; gs_sim_function_next(s, &at, &f);)
		if (!f.pci->driver[0])
			gs_sim_bind(s, &f, driver);
	return true;
}

/* ------------------------------------------------------------ who has it open */

static bool has_open(const struct gs_sim_process *p, const char *path)
{
	for (size_t i = 0; i < p->n_opens; i++)
		if (gs_str_equal(p->opens[i], path))
			return true;
	return false;
}

static bool has_drm_open(const struct gs_sim_process *p, const char *name, uint32_t number)
{
	char path[48];

	snprintf(path, sizeof(path), "/dev/dri/%s%u", name, number);
	return number != GS_SIM_NONE && has_open(p, path);
}

/* Each descriptor counts, also that of nvidia-persistenced: it holds the module. */
static bool uses(const struct gs_sim_state *s, const struct gs_sim_process *p, const struct gs_sim_gpu *gpu)
{
	char node[32];

	for (size_t i = 0; i < p->n_uses; i++)
		if (p->uses[i].gpu == gs_sim_gpu_index(s, gpu))
			return true;
	snprintf(node, sizeof(node), "/dev/nvidia%u", gpu->minor);
	return (gpu->minor != GS_SIM_NONE && has_open(p, node)) || has_drm_open(p, "card", gpu->pci.drm_card) || has_drm_open(p, "renderD", gpu->pci.drm_render) ||
	       (gs_str_equal(gpu->pci.driver, "amdgpu") && has_open(p, "/dev/kfd"));
}

static bool unit_uses(const struct gs_sim_state *s, const struct gs_sim_unit *unit, const char *driver)
{
	for (size_t i = 0; i < s->n_processes; i++)
		for (size_t k = 0; gs_sim_unit_has(unit, &s->processes[i]) && k < s->n_gpus; k++)
			if (is_driven_by(&s->gpus[k], driver) && uses(s, &s->processes[i], &s->gpus[k]))
				return true;
	return false;
}

/* What still has the GPU open, for a sentence; NULL: nothing. */
static const char *user_of(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu, int tree_fd, char *buf, size_t size)
{
	for (size_t i = 0; i < s->n_processes; i++) {
		if (!uses(s, &s->processes[i], gpu))
			continue;
		snprintf(buf, size, "pid %u %s", s->processes[i].pid, s->processes[i].comm);
		return buf;
	}
	if (gs_sim_any_vgpu_is_held(s, gpu))
		return "a virtual machine";
	if (gpu->minor != GS_SIM_NONE && gs_sim_node_is_locked(tree_fd, gpu->minor, -1))
		return "a program through NVML (a console of gpuslice?)";
	return gpu->pci.unbinding || gs_sim_pending_on(s, gpu->pci.bdf) ? "a write that waits" : NULL;
}

static int check_unused(const struct gs_sim_state *s, const char *driver, int tree_fd, struct gs_error *e)
{
	for (size_t i = 0; i < s->n_gpus; i++) {
		char text[128];
		const char *user = is_driven_by(&s->gpus[i], driver) ? user_of(s, &s->gpus[i], tree_fd, text, sizeof(text)) : NULL;

		if (user)
			return gs_error_set(e, -EBUSY, GS_STATUS_REFUSED, "rmmod: ERROR: Module %s is in use: %s has %s open. Nothing was done. "
					    "End what runs on it, or let a fault take the driver away all the same: sim fault reload %s", driver, user, s->gpus[i].pci.bdf, driver);
	}
	return 0;
}

/* ------------------------------------------------------------ the whole */

/* The only one of the host's GPUs. */
static int find_driver(const struct gs_sim_state *s, const char **ret_driver, struct gs_error *e)
{
	GS_STRBUF struct gs_strbuf names = GS_STRBUF_INIT;
	const char *driver = NULL;
	size_t n = 0;

	for (size_t i = 0; i < s->n_gpus; i++) {
		const char *name = s->gpus[i].pci.native;
		bool is_new = is_driven_by(&s->gpus[i], name);

		for (size_t k = 0; k < i && is_new; k++)
			is_new = !is_driven_by(&s->gpus[k], name);
		if (!is_new)
			continue;
		gs_strbuf_printf(&names, "%s%s", n++ ? ", " : "", name);
		driver = name;
	}
	if (n != 1)
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, n ? "which driver? The GPUs of this host have %s" : "no GPU of this host has a driver of its own%s", n ? names.text : "");
	*ret_driver = driver;
	return 0;
}

static int reload(struct gs_sim_state *s, const char *driver, int tree_fd, struct gs_error *e)
{
	bool was_stopped[GS_SIM_UNITS_MAX] = { false };
	int r;

	for (size_t i = 0; i < s->n_units; i++) {
		was_stopped[i] = s->units[i].active && unit_uses(s, &s->units[i], driver);
		if (was_stopped[i])
			gs_sim_unit_stop(s, &s->units[i]);
	}
	r = check_unused(s, driver, tree_fd, e);
	if (r < 0)
		return r;
	if (!gs_sim_driver_reload(s, driver))
		return gs_error_set(e, -ENOENT, GS_STATUS_INVALID, "no GPU of this host is driven by \"%.64s\"", driver);
	for (size_t i = 0; i < s->n_units; i++)
		if (was_stopped[i])
			gs_sim_unit_start(s, &s->units[i]);
	for (size_t i = 0; i < s->n_processes; i++)
		for (size_t k = 0; k < s->n_gpus; k++)
			if (is_driven_by(&s->gpus[k], driver) && uses(s, &s->processes[i], &s->gpus[k]))
				gs_sim_process_forget_instances(&s->processes[i]);
	return 0;
}

int gs_sim_reload(struct gs_sim *sim, const char *driver, struct gs_error *e)
{
	int r = gs_sim_store_begin(sim->store, e);

	if (r == 0 && !driver)
		r = find_driver(gs_sim_store_state(sim->store), &driver, e);
	if (r == 0)
		r = reload(gs_sim_store_state(sim->store), driver, gs_sim_store_tree_fd(sim->store), e);
	if (r == 0)
		r = gs_sim_store_commit(sim->store, e);
	/* what was begun and refused is forgotten with it */
	gs_sim_store_end(sim->store);
	return r;
}
