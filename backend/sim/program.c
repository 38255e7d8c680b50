/* SPDX-License-Identifier: GPL-2.0-or-later */
/* program.c - programs of the simulated machine: sriov-manage, systemctl, modprobe, and those whose output the host file gives. */
#include <errno.h>
#include <string.h>

#include "backend/sim/drivers.h"
#include "backend/sim/expect.h"
#include "backend/sim/kernel.h"
#include "backend/sim/kill.h"
#include "backend/sim/program.h"
#include "backend/sim/sim_private.h"
#include "base/parse.h"

static int usage(struct gs_sim_program *p, const char *text)
{
	gs_strbuf_puts(&p->output, text);
	p->exit_status = 1;
	return 0;
}

static int canned(struct gs_sim_program *p);

/* ------------------------------------------------------------ sriov-manage (interfaces 3.4, 10.3) */

static bool is_in_use(const struct gs_sim_program *p, const struct gs_sim_gpu *gpu)
{
	/* every open counts here, also that of nvidia-persistenced */
	return gs_sim_node_is_open(p->s, gpu) || gs_sim_node_is_locked(p->tree_fd, gpu->minor, -1) ||
	       gs_sim_any_vgpu_is_held(p->s, gpu);
}

static void leave_half_done(struct gs_sim_gpu *gpu)
{
	gs_sim_driver_state_wipe(gpu);
	gpu->pci.driver = gpu->pci.driver_override = "pci-pf-stub";
}

/* sriov-manage needs it on the way, and leaves it loaded. */
static void load_stub(struct gs_sim_state *s)
{
	for (size_t i = 0; i < s->n_modules; i++) {
		if (gs_str_equal(s->modules[i].driver, "pci-pf-stub"))
			s->modules[i].loaded = true;
	}
}

static void switch_vfs(struct gs_sim_program *p, struct gs_sim_gpu *gpu, bool enable)
{
	if (!gpu->total_vfs || !gs_sim_is_nvidia(gpu) || !gs_str_equal(gpu->pci.driver, "nvidia")) {
		gs_strbuf_printf(&p->output, "%s: not a GPU with SR-IOV that nvidia drives\n", gpu->pci.bdf);
		p->exit_status = 1;
		return;
	}
	if (enable == (gpu->numvfs != 0))
		return;
	if (is_in_use(p, gpu)) {
		gs_strbuf_printf(&p->output, "Cannot obtain unbindLock for %s\n", gpu->pci.bdf);
		p->exit_status = 1;
		return;
	}
	p->changed = true;
	load_stub(p->s);
	if (p->interrupted) {
		leave_half_done(gpu);
		p->exit_status = 130;
		return;
	}
	/* the PF leaves nvidia and comes back: all that the driver kept is gone */
	gs_sim_driver_state_wipe(gpu);
	if (enable)
		gs_sim_vfs_enable(p->s, gpu, gpu->total_vfs);
	gs_strbuf_printf(&p->output, "%s VFs on %s\n", enable ? "Enabling" : "Disabling", gpu->pci.bdf);
}

static int sriov_manage(struct gs_sim_program *p)
{
	bool enable = p->argc == 3 && gs_str_equal(p->argv[1], "-e");
	struct gs_sim_gpu *gpu;

	if (p->argc != 3 || (!enable && !gs_str_equal(p->argv[1], "-d")))
		return usage(p, "Usage: sriov-manage <-e|-d> <ssss:bb:dd.f|ALL>\n");
	if (!gs_str_equal(p->argv[2], "ALL")) {
		gpu = gs_sim_gpu_by_bdf(p->s, p->argv[2]);
		if (!gpu || gpu->pci.vanished)
			return usage(p, "No such GPU\n");
		switch_vfs(p, gpu, enable);
		return 0;
	}
	for (size_t i = 0; i < p->s->n_gpus; i++) {
		gpu = &p->s->gpus[i];
		if (gs_sim_is_nvidia(gpu) && gpu->total_vfs && gs_str_equal(gpu->pci.driver, "nvidia"))
			switch_vfs(p, gpu, enable);
	}
	return 0;
}

/* ------------------------------------------------------------ systemctl */

static struct gs_sim_unit *find_unit(struct gs_sim_state *s, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < s->n_units; i++) {
		const char *unit = s->units[i].name;

		if (gs_str_equal(unit, name) || (strncmp(unit, name, n) == 0 && gs_str_equal(unit + n, ".service")))
			return &s->units[i];
	}
	return NULL;
}

/* Its cgroup ends in the unit's name, or goes on below it. */
bool gs_sim_unit_has(const struct gs_sim_unit *unit, const struct gs_sim_process *process)
{
	const char *at = strstr(process->cgroup, unit->name);
	size_t n = strlen(unit->name);

	return at && at > process->cgroup && at[-1] == '/' && (!at[n] || at[n] == '/');
}

void gs_sim_unit_stop(struct gs_sim_state *s, struct gs_sim_unit *unit)
{
	for (size_t i = 0; i < s->n_processes;) {
		struct gs_sim_process *process = &s->processes[i];

		if (!gs_sim_unit_has(unit, process)) {
			i++;
			continue;
		}
		if (s->n_parked < GS_SIM_PROCESSES_MAX)
			s->parked[s->n_parked++] = *process;
		gs_sim_process_remove(s, process);
		i = 0;      /* whoever followed it has gone too */
	}
	unit->active = false;
}

void gs_sim_unit_start(struct gs_sim_state *s, struct gs_sim_unit *unit)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n_parked; i++) {
		struct gs_sim_process process = s->parked[i];

		if (!gs_sim_unit_has(unit, &process) || s->n_processes == GS_SIM_PROCESSES_MAX) {
			s->parked[kept++] = process;
			continue;
		}
		/* a child for a VM that has ended meanwhile */
		if (process.follows && !gs_sim_process_by_pid(s, process.follows))
			continue;
		process.pid = s->next_pid++;
		/* later than whatever ran before, and no two alike */
		process.start_time = s->uptime_seconds * 100 + process.pid;
		s->processes[s->n_processes++] = process;
	}
	s->n_parked = kept;
	unit->active = true;
}

static int systemctl(struct gs_sim_program *p)
{
	const char *verb = p->argc > 1 ? p->argv[1] : "";
	/* "--" ends the options, of which this one knows none */
	int at = p->argc > 2 && gs_str_equal(p->argv[2], "--") ? 3 : 2;
	struct gs_sim_unit *unit = p->argc == at + 1 ? find_unit(p->s, p->argv[at]) : NULL;

	if (p->argc != at + 1)
		return usage(p, "Too few arguments.\n");
	if (gs_str_equal(verb, "is-active")) {
		gs_strbuf_puts(&p->output, unit && unit->active ? "active\n" : "inactive\n");
		p->exit_status = unit && unit->active ? 0 : 3;
		return 0;
	}
	if (!gs_str_equal(verb, "start") && !gs_str_equal(verb, "stop"))
		return usage(p, "Unknown operation.\n");
	if (!unit) {
		gs_strbuf_printf(&p->output, "Failed to %s %s: Unit %s not found.\n", verb, p->argv[at], p->argv[at]);
		p->exit_status = 5;
		return 0;
	}
	if (unit->active == gs_str_equal(verb, "start"))
		return 0;
	p->changed = true;
	if (unit->active)
		gs_sim_unit_stop(p->s, unit);
	else
		gs_sim_unit_start(p->s, unit);
	return 0;
}

/* ------------------------------------------------------------ nvidia-smi --gpu-reset -i BDF[,BDF] */

static struct gs_sim_gpu *gpu_to_reset(struct gs_sim_program *p, const char *bdf)
{
	struct gs_sim_gpu *gpu = gs_sim_gpu_by_bdf(p->s, bdf);

	if (!gpu || gpu->pci.vanished || !gs_sim_is_nvidia(gpu) || !gs_str_equal(gpu->pci.driver, "nvidia")) {
		gs_strbuf_printf(&p->output, "GPU %s was not found\n", bdf);
		p->exit_status = 6;
		return NULL;
	}
	if (gpu->numvfs || gs_sim_gpu_is_held(p->s, gpu, p->tree_fd, -1)) {
		gs_strbuf_printf(&p->output, "GPU %s is in use by another client\n", bdf);
		p->exit_status = 19;
		return NULL;
	}
	return gpu;
}

/* All or none: nothing is reset while one of them is in use. */
static int nvidia_smi(struct gs_sim_program *p)
{
	char list[1024], *save = NULL;

	if (p->argc != 4 || !gs_str_equal(p->argv[1], "--gpu-reset") || !gs_str_equal(p->argv[2], "-i") || strlen(p->argv[3]) >= sizeof(list))
		return canned(p);
	for (int pass = 0; pass < 2 && !p->exit_status; pass++) {
		memcpy(list, p->argv[3], strlen(p->argv[3]) + 1);
		for (char *bdf = strtok_r(list, ",", &save); bdf; bdf = strtok_r(NULL, ",", &save)) {
			struct gs_sim_gpu *gpu = gpu_to_reset(p, bdf);

			if (!gpu)
				return 0;
			if (pass == 0)
				continue;
			gs_sim_gpu_reset(gpu);
			gs_strbuf_printf(&p->output, "GPU %s was reset\n", bdf);
			p->changed = true;
		}
	}
	return 0;
}

/* ------------------------------------------------------------ modprobe */

static bool same_module(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		if (*a != *b && !((*a == '-' || *a == '_') && (*b == '-' || *b == '_')))
			return false;
	}
	return !*a && !*b;
}

/* A driver that is registered is offered every function that has none, as the bus does while drivers_autoprobe is on. */
static void attach(struct gs_sim_state *s, struct gs_sim_module *m)
{
	struct gs_sim_function f;

	m->loaded = true;
	for (size_t at = 0; gs_sim_function_next(s, &at, &f);) {
		if (!f.pci->driver[0])
			gs_sim_bind(s, &f, m->driver);
	}
}

static int modprobe(struct gs_sim_program *p)
{
	struct gs_sim_module *m = NULL;

	if (p->argc != 2)
		return usage(p, "modprobe: ERROR: missing parameters. See -h.\n");
	for (size_t i = 0; i < p->s->n_modules; i++) {
		if (same_module(p->s->modules[i].name, p->argv[1]))
			m = &p->s->modules[i];
	}
	if (!m) {
		gs_strbuf_printf(&p->output, "modprobe: FATAL: Module %s not found in directory /lib/modules/%s\n", p->argv[1],
				 p->s->kernel_version);
		p->exit_status = 1;
		return 0;
	}
	p->changed = !m->loaded;
	if (!m->loaded && m->driver[0])
		attach(p->s, m);
	m->loaded = true;
	/* what it holds comes with it */
	for (size_t i = 0; m->uses[0] && i < p->s->n_modules; i++) {
		if (gs_str_equal(p->s->modules[i].name, m->uses))
			p->s->modules[i].loaded = true;
	}
	return 0;
}

/* ------------------------------------------------------------ all of them */

/* "scontrol show node": the longest entry of the host file that the words begin with. */
static int canned(struct gs_sim_program *p)
{
	const struct gs_sim_output *best = NULL;
	GS_STRBUF struct gs_strbuf words = GS_STRBUF_INIT;
	bool known = false;

	gs_strbuf_puts(&words, p->name);
	for (int i = 1; i < p->argc; i++)
		gs_strbuf_printf(&words, " %s", p->argv[i]);
	if (words.failed)
		return -ENOMEM;
	for (size_t i = 0; i < p->s->n_outputs; i++) {
		const char *command = p->s->outputs[i].command;
		size_t n = strlen(command), program = strcspn(command, " ");

		known |= strlen(p->name) == program && strncmp(command, p->name, program) == 0;
		if (strncmp(words.text, command, n) == 0 && (!words.text[n] || words.text[n] == ' ') &&
		    (!best || n > strlen(best->command)))
			best = &p->s->outputs[i];
	}
	if (!known)
		return -ENOENT;
	if (!best)
		return usage(p, "invalid entity\n");
	gs_strbuf_puts(&p->output, best->text);
	return 0;
}

static bool has_file(const struct gs_sim_state *s, const char *name)
{
	for (size_t i = 0; i < s->n_files; i++) {
		const char *slash = strrchr(s->files[i].path, '/');

		if (slash && gs_str_equal(slash + 1, name) && (s->files[i].mode & 0111))
			return true;
	}
	return false;
}

static int run(struct gs_sim_program *p)
{
	/* part of the vGPU host driver; its file is in the tree where that is installed */
	if (gs_str_equal(p->name, "sriov-manage"))
		return has_file(p->s, p->name) ? sriov_manage(p) : -ENOENT;
	if (gs_str_equal(p->name, "systemctl"))
		return p->s->n_units ? systemctl(p) : -ENOENT;
	if (gs_str_equal(p->name, "nvidia-smi"))
		return nvidia_smi(p);
	if (gs_str_equal(p->name, "modprobe"))
		return modprobe(p);
	return canned(p);
}

/* Those that only tell something are no change. */
static bool is_change(const struct gs_sim_program *p)
{
	return gs_str_equal(p->name, "sriov-manage") ||
	       (gs_str_equal(p->name, "systemctl") && p->argc > 1 && (gs_str_equal(p->argv[1], "start") || gs_str_equal(p->argv[1], "stop")));
}

/* Under the lock. -EAGAIN with *@ret_wait: a fault makes it hang. */
static int run_locked(struct gs_sim *sim, struct gs_sim_program *p, uint64_t *ret_wait)
{
	struct gs_sim_fault_event event = { .target = GS_SIM_ON_PROGRAM, .name = p->name };
	struct gs_sim_fault fault;
	enum gs_sim_kill kill = GS_SIM_KILL_NEVER;
	bool counted = false;
	int r = 0;

	p->s = gs_sim_store_state(sim->store);
	p->tree_fd = gs_sim_store_tree_fd(sim->store);
	p->changed = gs_sim_settle(p->s, p->tree_fd);
	if (gs_sim_fault_take_event(p->s, &event, &fault, &counted)) {
		if (fault.kind == GS_SIM_FAULT_HANG) {
			*ret_wait = fault.id;
			return -EAGAIN;
		}
		p->interrupted = fault.kind == GS_SIM_FAULT_INTERRUPTED;
		if (fault.kind == GS_SIM_FAULT_CODE)
			p->exit_status = (int)fault.code;
		if (!p->interrupted) {
			gs_sim_expect_answered(p->s, (uint32_t)p->exit_status);
			return gs_sim_store_commit(sim->store, NULL);
		}
	}
	if (is_change(p))
		kill = gs_sim_kill_take(p->s, &counted);
	if (kill == GS_SIM_KILL_BEFORE)
		gs_sim_store_commit(sim->store, NULL);
	if (kill != GS_SIM_KILL_AFTER)
		gs_sim_kill_now(kill, p->tree_fd);
	r = run(p);
	gs_sim_expect_answered(p->s, r < 0 ? (uint32_t)-r : (uint32_t)p->exit_status);
	if (r == 0 && p->changed)
		gs_sim_settle(p->s, p->tree_fd);
	if (p->changed || counted) {
		int written = gs_sim_store_commit(sim->store, NULL);

		if (kill == GS_SIM_KILL_AFTER)
			gs_sim_kill_now(kill, p->tree_fd);
		return r < 0 ? r : written;
	}
	return r;
}

int gs_sim_run(struct gs_sim *sim, char *const argv[], int *ret_exit, char **ret_output, struct gs_error *e)
{
	const char *slash = argv[0] ? strrchr(argv[0], '/') : NULL;
	uint64_t wait;
	int r;

	if (!argv[0])
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "no program is named");
	do {
		GS_CLEANUP(gs_sim_program_done) struct gs_sim_program p = { .argv = argv, .name = slash ? slash + 1 : argv[0] };

		while (argv[p.argc])
			p.argc++;
		gs_strbuf_puts(&p.output, "");
		wait = 0;
		if (!sim->is_root)
			return gs_error_set(e, -EACCES, GS_STATUS_REFUSED, "%s: only root may run it on the simulated machine %s",
					    argv[0], sim->host);
		r = gs_sim_store_begin(sim->store, e);
		if (r == 0)
			r = run_locked(sim, &p, &wait);
		gs_sim_store_end(sim->store);
		if (r == 0) {
			*ret_output = gs_strbuf_take(&p.output);
			if (!*ret_output)
				return gs_error_oom(e);
			*ret_exit = p.exit_status;
			return 0;
		}
	} while (r == -EAGAIN && wait && (r = gs_sim_wait(sim, wait)) == 0);
	return gs_error_set(e, r, r == -ENOENT ? GS_STATUS_INVALID : GS_STATUS_FAILED, "%s: %s on the simulated machine %s", argv[0],
			    r == -ENOENT ? "there is no such program" : strerror(-r), sim->host);
}
