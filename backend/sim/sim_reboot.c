/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim_reboot.c - the machine goes down and comes up (interfaces 0.4, 5.8, 6.2). What comes up is the machine of the
 * host file, since that is what its units and boot loader make; then what does not survive is taken from it,
 * and what the boards keep is put on it.
 */
#include <string.h>

#include "backend/sim/drivers.h"
#include "backend/sim/host.h"
#include "backend/sim/kernel.h"
#include "backend/sim/log.h"
#include "backend/sim/sim_private.h"
#include "backend/sim/tree.h"
#include "base/parse.h"

/* From power-off to the end of boot: no unit of a host file begins later. */
#define BOOT_SECONDS 60
#define UNIT_FOLDER "/system.slice/"

/* ------------------------------------------------------------ who runs */

static bool unit_is_active(const struct gs_sim_state *s, const char *cgroup)
{
	const char *name = cgroup + strlen(UNIT_FOLDER);

	if (!gs_str_starts(cgroup, UNIT_FOLDER))
		return false;
	for (size_t i = 0; i < s->n_units; i++) {
		if (s->units[i].active && gs_str_equal(s->units[i].name, name))
			return true;
	}
	return false;
}

/* init, and the daemons of units; not what a unit has for a VM (a vGPU's manager process goes with its VM). */
static bool starts_at_boot(const struct gs_sim_state *s, const struct gs_sim_process *p)
{
	return p->pid == 1 || (!p->follows && unit_is_active(s, p->cgroup));
}

static void start_processes(struct gs_sim_state *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n_processes; i++) {
		if (!starts_at_boot(s, &s->processes[i]))
			continue;
		s->processes[kept] = s->processes[i];
		gs_sim_process_forget_instances(&s->processes[kept++]);
	}
	s->n_processes = kept;
}

/* run/ is memory; what is there for a process comes and goes with it anyway. */
static void forget_run_files(struct gs_sim_state *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n_files; i++) {
		if (!gs_str_starts(s->files[i].path, "run/") || s->files[i].pid)
			s->files[kept++] = s->files[i];
	}
	s->n_files = kept;
}

/* ------------------------------------------------------------ what the boards are */

/* Given away by driver_override: that is gone, and the bus asks the drivers by their ids. */
static void bind_again(struct gs_sim_state *s)
{
	struct gs_sim_function f;

	for (size_t at = 0; gs_sim_function_next(s, &at, &f);) {
		if (!f.pci->driver_override[0])
			continue;
		f.pci->driver_override = f.pci->driver = "";
		gs_sim_probe(s, &f);
	}
}

static void partitions_come_up(struct gs_sim_amd *amd)
{
	if (!amd->xcc)
		return;
	amd->compute = amd->shown = GS_SIM_SPX;
	for (unsigned mode = GS_SIM_MEMORY_MODES; mode-- > 0;) {
		if (amd->memory_modes & 1u << mode)
			amd->memory = amd->requested = (enum gs_sim_memory_mode)mode;
	}
}

static void gpu_comes_up(struct gs_sim_gpu *gpu, const struct gs_sim_gpu *before)
{
	/* Ampere, which needs a reset for the switch, keeps on the board what was asked for; later ones begin without */
	bool is_kept = before && before->model && before->model->needs_reset;

	gs_sim_driver_state_wipe(gpu);
	gpu->mig_current = gpu->mig_pending = is_kept && before->mig_pending;
	partitions_come_up(&gpu->amd);
}

static void keep_settings_of_faults(struct gs_sim_state *s, const struct gs_sim_state *before)
{
	s->uuid_old = before->uuid_old;
	s->library = before->library;
}

static void come_up(struct gs_sim_state *s, struct gs_sim_state *before)
{
	for (size_t i = 0; i < s->n_gpus; i++)
		gpu_comes_up(&s->gpus[i], gs_sim_gpu_by_bdf(before, s->gpus[i].pci.bdf));
	start_processes(s);
	forget_run_files(s);
	bind_again(s);
	keep_settings_of_faults(s, before);
	/* the boot id is made of the time */
	s->boot_time = before->boot_time + before->uptime_seconds + BOOT_SECONDS;
	s->uptime_seconds = BOOT_SECONDS;
	s->boot_serial = s->next_serial;
	gs_sim_log_boot(s);
}

int gs_sim_reboot(struct gs_sim *sim, struct gs_error *e)
{
	GS_CLEANUP(gs_sim_state_freep) struct gs_sim_state *s = NULL;
	int r = gs_sim_store_begin(sim->store, e);

	if (r == 0)
		r = gs_sim_host_build(sim->host, sim->store, gs_sim_store_state(sim->store), &s, e);
	if (r == 0) {
		come_up(s, gs_sim_store_state(sim->store));
		/* before what the units put there anew */
		r = gs_sim_tree_forget_run(gs_sim_store_tree_fd(sim->store));
		if (r < 0)
			gs_error_set(e, r, GS_STATUS_FAILED, "%s: run/ cannot be emptied, so nothing was done: %s", gs_sim_store_tree(sim->store), strerror(-r));
	}
	if (r == 0)
		r = gs_sim_store_replace(sim->store, GS_TAKE(s), e);
	gs_sim_store_end(sim->store);
	return r;
}
