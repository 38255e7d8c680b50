/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim_fault.c - «gpuslice sim fault …»: the specification that sim.h gives. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/sim/calls.h"
#include "backend/sim/drivers.h"
#include "backend/sim/hold.h"
#include "backend/sim/kernel.h"
#include "backend/sim/kill.h"
#include "backend/sim/log.h"
#include "backend/sim/sim_private.h"
#include "base/parse.h"
#include "base/strbuf.h"

static int wrong(struct gs_error *e)
{
	return gs_error_set(e, -EINVAL, GS_STATUS_INVALID,
			    "a fault is one of: nvml CALL CODE [at N]; nvml CALL nothing [at N]; nvml CALL hang; nvml CALL slow MS; nvml lost BDF; library old|new|current; "
			    "write GLOB ERRNO|nothing [at N]; write GLOB hang; read GLOB ERRNO|hang; "
			    "program NAME nothing|interrupted|hang|exit N; vanish BDF; reload DRIVER; mode-pending BDF; "
			    "hold BDF|UUID [unseen]; kill before|after|agent [at N]; read-only; uuid old|new; release; clear");
}

static int find_gpu(struct gs_sim_state *s, const char *bdf, struct gs_sim_gpu **ret_gpu, struct gs_error *e)
{
	*ret_gpu = gs_sim_gpu_by_bdf(s, bdf);
	if (*ret_gpu)
		return 0;
	return gs_error_set(e, -ENOENT, GS_STATUS_INVALID, "no GPU of this host is at \"%.32s\"", bdf);
}

static int parse_when(int argc, char *const *argv, uint32_t *ret_countdown, struct gs_error *e)
{
	uint32_t n = 1;

	if (argc == 0) {
		*ret_countdown = 1;
		return 0;
	}
	if (argc != 2 || !gs_str_equal(argv[0], "at") || gs_parse_u32(argv[1], 10, &n) < 0 || n == 0 || n > 1u << 20)
		return wrong(e);
	*ret_countdown = n;
	return 0;
}

static int add(struct gs_sim_state *s, struct gs_sim_fault *fault, struct gs_error *e)
{
	if (s->n_faults == GS_SIM_FAULTS_MAX)
		return gs_error_set(e, -ENOSPC, GS_STATUS_INVALID, "there are %d faults already", GS_SIM_FAULTS_MAX);
	/* never used again, so that a call that hangs knows its own fault */
	fault->id = s->next_serial++;
	s->faults[s->n_faults++] = *fault;
	return 0;
}

static int add_nvml(struct gs_sim_state *s, int argc, char *const *argv, struct gs_error *e)
{
	struct gs_sim_fault fault = { .countdown = 1 };
	int r;

	if (argc < 2)
		return wrong(e);
	fault.call = gs_str_equal(argv[0], "*") ? "*" : gs_sim_call_find(argv[0]);
	if (!fault.call)
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "the simulated NVML has no function \"nvml%.64s\"", argv[0]);
	if (gs_str_equal(argv[1], "hang")) {
		if (argc != 2)
			return wrong(e);
		fault.kind = GS_SIM_FAULT_HANG;
	} else if (gs_str_equal(argv[1], "slow")) {
		if (argc != 3 || gs_parse_u32(argv[2], 10, &fault.code) < 0 || !fault.code || fault.code > GS_SIM_SLOW_MS_MAX)
			return wrong(e);
		fault.kind = GS_SIM_FAULT_SLOW;
	} else {
		if (gs_str_equal(argv[1], "nothing") && gs_sim_call_is_mutating(fault.call))
			fault.kind = GS_SIM_FAULT_NOTHING;
		else if (gs_parse_u32(argv[1], 10, &fault.code) < 0 || fault.code == 0 || fault.code > 999)
			return wrong(e);
		r = parse_when(argc - 2, argv + 2, &fault.countdown, e);
		if (r < 0)
			return r;
	}
	return add(s, &fault, e);
}

/* "write GLOB EIO at 2", "read GLOB ENXIO" */
static int add_path(struct gs_sim_state *s, enum gs_sim_fault_target target, int argc, char *const *argv, struct gs_error *e)
{
	struct gs_sim_fault fault = { .target = target, .countdown = 1 };
	bool is_write = target == GS_SIM_ON_WRITE;
	int r;

	if (argc < 2 || !argv[0][0] || strlen(argv[0]) > 255)
		return wrong(e);
	if (gs_str_equal(argv[1], "hang"))
		fault.kind = GS_SIM_FAULT_HANG;
	else if (is_write && gs_str_equal(argv[1], "nothing"))
		fault.kind = GS_SIM_FAULT_NOTHING;
	else if (!gs_sim_errno_parse(argv[1], &fault.code))
		return wrong(e);
	if (argc > 2 && (!is_write || fault.kind == GS_SIM_FAULT_HANG))
		return wrong(e);
	r = parse_when(argc - 2, argv + 2, &fault.countdown, e);
	if (r < 0)
		return r;
	fault.call = gs_arena_strdup(s->arena, argv[0]);
	return fault.call ? add(s, &fault, e) : gs_error_oom(e);
}

static int add_program(struct gs_sim_state *s, int argc, char *const *argv, struct gs_error *e)
{
	struct gs_sim_fault fault = { .target = GS_SIM_ON_PROGRAM, .countdown = 1 };

	if (argc < 2 || !gs_sim_word_is_valid(argv[0]))
		return wrong(e);
	if (argc == 2 && gs_str_equal(argv[1], "nothing"))
		fault.kind = GS_SIM_FAULT_NOTHING;
	else if (argc == 2 && gs_str_equal(argv[1], "interrupted"))
		fault.kind = GS_SIM_FAULT_INTERRUPTED;
	else if (argc == 2 && gs_str_equal(argv[1], "hang"))
		fault.kind = GS_SIM_FAULT_HANG;
	else if (argc != 3 || !gs_str_equal(argv[1], "exit") || gs_parse_u32(argv[2], 10, &fault.code) < 0 || fault.code > 255)
		return wrong(e);
	fault.call = gs_arena_strdup(s->arena, argv[0]);
	return fault.call ? add(s, &fault, e) : gs_error_oom(e);
}

static int add_kill(struct gs_sim_state *s, int argc, char *const *argv, struct gs_error *e)
{
	enum gs_sim_kill when = gs_sim_kill_from_name(argv[0]);
	int r = when == GS_SIM_KILL_NEVER ? wrong(e) : parse_when(argc - 1, argv + 1, &s->kill_countdown, e);

	if (r == 0)
		s->kill = when;
	return r;
}

/* A function falls off the bus, in the middle of whatever goes on. */
static int vanish(struct gs_sim_state *s, const char *bdf, struct gs_error *e)
{
	struct gs_sim_function f;

	if (!gs_sim_function_find(s, bdf, &f))
		return gs_error_set(e, -ENOENT, GS_STATUS_INVALID, "no device of this host is at \"%.32s\"", bdf);
	f.pci->vanished = true;
	return 0;
}

/* Processes are not asked: a fault is not polite. */
static int reload(struct gs_sim_state *s, const char *driver, struct gs_error *e)
{
	if (!gs_sim_driver_reload(s, driver))
		return gs_error_set(e, -ENOENT, GS_STATUS_INVALID, "no GPU of this host is driven by \"%.64s\"", driver);
	return 0;
}

static void drop_open(struct gs_sim_process *p, const char *path)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n_opens; i++) {
		if (!gs_str_equal(p->opens[i], path))
			p->opens[kept++] = p->opens[i];
	}
	p->n_opens = kept;
}

static void drop_group(struct gs_sim_state *s, uint32_t iommu_group)
{
	char group[48], device[48];

	snprintf(group, sizeof(group), "/dev/vfio/%u", iommu_group);
	snprintf(device, sizeof(device), "/dev/vfio/devices/vfio%u", gs_sim_vfio_number(iommu_group));
	for (size_t i = 0; i < s->n_processes; i++) {
		drop_open(&s->processes[i], group);
		drop_open(&s->processes[i], device);
	}
}

/* Whoever is waited for lets go, and lives on. */
static void let_go(struct gs_sim_state *s, const struct gs_sim_pending *p)
{
	struct gs_sim_function f;
	struct gs_sim_gpu *gpu;
	const struct gs_sim_mdev *m = gs_sim_mdev_by_uuid(s, p->what, &gpu);

	if (m)
		drop_group(s, m->iommu_group);
	if (m || !gs_sim_function_find(s, p->what, &f))
		return;
	drop_group(s, f.pci->iommu_group);
	for (uint32_t n = 0; f.gpu && !f.vf && n < f.gpu->total_vfs; n++)
		drop_group(s, f.gpu->vfs[n].pci.iommu_group);
	for (size_t i = 0; f.gpu && i < f.gpu->n_mdevs; i++)
		drop_group(s, f.gpu->mdevs[i].iommu_group);
	for (size_t i = 0; f.gpu && !f.vf && i < s->n_processes; i++) {
		struct gs_sim_process *process = &s->processes[i];
		size_t kept = 0;

		for (size_t k = 0; k < process->n_uses; k++) {
			if (process->uses[k].gpu != gs_sim_gpu_index(s, f.gpu))
				process->uses[kept++] = process->uses[k];
		}
		process->n_uses = kept;
	}
}

static void release(struct gs_sim_state *s, int tree_fd)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n_faults; i++) {
		if (s->faults[i].kind != GS_SIM_FAULT_HANG)
			s->faults[kept++] = s->faults[i];
	}
	s->n_faults = kept;
	for (size_t i = 0; i < s->n_pending; i++)
		let_go(s, &s->pending[i]);
	gs_sim_hold_end(s);
	gs_sim_settle(s, tree_fd);
}

static void come_back(struct gs_sim_state *s)
{
	for (size_t i = 0; i < s->n_gpus; i++) {
		s->gpus[i].pci.vanished = false;
		for (uint32_t n = 0; n < s->gpus[i].total_vfs; n++)
			s->gpus[i].vfs[n].pci.vanished = false;
	}
	for (size_t i = 0; i < s->n_devices; i++)
		s->devices[i].vanished = false;
}

static void clear(struct gs_sim_state *s, int tree_fd)
{
	s->n_faults = 0;
	s->uuid_old = s->read_only = false;
	s->kill = GS_SIM_KILL_NEVER;
	s->library = GS_SIM_LIBRARY_CURRENT;
	gs_sim_hold_end(s);
	for (size_t i = 0; i < s->n_gpus; i++)
		s->gpus[i].lost = s->gpus[i].pending_armed = s->gpus[i].pending_stuck = false;
	come_back(s);
	gs_sim_settle(s, tree_fd);
}

/* What NVIDIA's driver says then; the first line of it is of the kernel's, and names no error. */
static void lose(struct gs_sim_state *s, struct gs_sim_gpu *gpu)
{
	/* the messages leave the function out */
	int n = (int)strcspn(gpu->pci.bdf, ".");

	if (gs_sim_is_nvidia(gpu) && !gpu->lost) {
		gs_sim_log(s, 6, "NVRM: GPU at PCI:%.*s: %s", n, gpu->pci.bdf, gpu->uuid);
		gs_sim_log(s, 3, "NVRM: Xid (PCI:%.*s): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.", n, gpu->pci.bdf);
		gs_sim_log(s, 3, "NVRM: GPU %s: GPU has fallen off the bus.", gpu->pci.bdf);
	}
	gpu->lost = true;
}

static int apply(struct gs_sim_state *s, int tree_fd, int argc, char *const *argv, struct gs_error *e)
{
	struct gs_sim_gpu *gpu;
	int r;

	if (argc == 3 && gs_str_equal(argv[0], "nvml") && gs_str_equal(argv[1], "lost")) {
		r = find_gpu(s, argv[2], &gpu, e);
		if (r == 0)
			lose(s, gpu);
		return r;
	}
	if (argc >= 1 && gs_str_equal(argv[0], "nvml"))
		return add_nvml(s, argc - 1, argv + 1, e);
	if (argc >= 1 && gs_str_equal(argv[0], "write"))
		return add_path(s, GS_SIM_ON_WRITE, argc - 1, argv + 1, e);
	if (argc >= 1 && gs_str_equal(argv[0], "read"))
		return add_path(s, GS_SIM_ON_READ, argc - 1, argv + 1, e);
	if (argc >= 1 && gs_str_equal(argv[0], "program"))
		return add_program(s, argc - 1, argv + 1, e);
	if (argc == 2 && gs_str_equal(argv[0], "vanish"))
		return vanish(s, argv[1], e);
	if (argc >= 2 && gs_str_equal(argv[0], "hold") && (argc == 2 || (argc == 3 && gs_str_equal(argv[2], "unseen"))))
		return gs_sim_hold(s, argv[1], argc == 3, e);
	if (argc >= 2 && gs_str_equal(argv[0], "kill"))
		return add_kill(s, argc - 1, argv + 1, e);
	if (argc == 1 && gs_str_equal(argv[0], "read-only")) {
		s->read_only = true;
		return 0;
	}
	if (argc == 2 && gs_str_equal(argv[0], "reload"))
		return reload(s, argv[1], e);
	if (argc == 2 && gs_str_equal(argv[0], "mode-pending")) {
		r = find_gpu(s, argv[1], &gpu, e);
		if (r == 0)
			gpu->pending_armed = true;
		return r;
	}
	if (argc == 2 && gs_str_equal(argv[0], "uuid") && (gs_str_equal(argv[1], "old") || gs_str_equal(argv[1], "new"))) {
		s->uuid_old = gs_str_equal(argv[1], "old");
		return 0;
	}
	for (uint32_t i = 0; argc == 2 && gs_str_equal(argv[0], "library") && i < GS_ARRAY_SIZE(gs_sim_library_names); i++) {
		if (!gs_str_equal(argv[1], gs_sim_library_names[i]))
			continue;
		s->library = i;
		return 0;
	}
	if (argc == 1 && gs_str_equal(argv[0], "release"))
		release(s, tree_fd);
	else if (argc == 1 && gs_str_equal(argv[0], "clear"))
		clear(s, tree_fd);
	else
		return wrong(e);
	return 0;
}

int gs_sim_fault(struct gs_sim *sim, int argc, char *const *argv, struct gs_error *e)
{
	int r = gs_sim_store_begin(sim->store, e);

	if (r == 0)
		r = apply(gs_sim_store_state(sim->store), gs_sim_store_tree_fd(sim->store), argc, argv, e);
	if (r == 0)
		r = gs_sim_store_commit(sim->store, e);
	gs_sim_store_end(sim->store);
	return r;
}

static void list_fault(struct gs_strbuf *b, const struct gs_sim_fault *f)
{
	static const char *const targets[] = { "nvml", "write", "read", "program" };
	const char *name = f->target == GS_SIM_ON_WRITE || f->target == GS_SIM_ON_READ ? strerrorname_np((int)f->code) : NULL;

	gs_strbuf_printf(b, "%s %s ", targets[f->target], f->call);
	if (f->kind == GS_SIM_FAULT_HANG)
		gs_strbuf_puts(b, "hang");
	else if (f->kind == GS_SIM_FAULT_INTERRUPTED)
		gs_strbuf_puts(b, "interrupted");
	else if (f->kind == GS_SIM_FAULT_SLOW)
		gs_strbuf_printf(b, "slow %u", f->code);
	else if (f->kind == GS_SIM_FAULT_NOTHING)
		gs_strbuf_puts(b, "nothing");
	else if (f->target == GS_SIM_ON_PROGRAM)
		gs_strbuf_printf(b, "exit %u", f->code);
	else if (name)
		gs_strbuf_puts(b, name);
	else
		gs_strbuf_printf(b, "%u", f->code);
	if (f->kind != GS_SIM_FAULT_HANG && f->kind != GS_SIM_FAULT_SLOW && (f->target == GS_SIM_ON_NVML || f->target == GS_SIM_ON_WRITE))
		gs_strbuf_printf(b, " at %u", f->countdown);
	gs_strbuf_puts(b, "\n");
}

int gs_sim_fault_list(struct gs_sim *sim, char **ret_text, struct gs_error *e)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	const struct gs_sim_state *s;
	char *text;
	int r = gs_sim_store_refresh(sim->store, e);

	if (r < 0)
		return r;
	s = gs_sim_store_state(sim->store);
	gs_strbuf_puts(&b, "");
	for (size_t i = 0; i < s->n_faults; i++) {
		list_fault(&b, &s->faults[i]);
	}
	for (size_t at = 0; at < s->n_gpus; at++) {
		if (s->gpus[at].pci.vanished)
			gs_strbuf_printf(&b, "vanish %s\n", s->gpus[at].pci.bdf);
		for (uint32_t n = 0; n < s->gpus[at].total_vfs; n++) {
			if (s->gpus[at].vfs[n].pci.vanished)
				gs_strbuf_printf(&b, "vanish %s\n", s->gpus[at].vfs[n].pci.bdf);
		}
	}
	for (size_t i = 0; i < s->n_devices; i++) {
		if (s->devices[i].vanished)
			gs_strbuf_printf(&b, "vanish %s\n", s->devices[i].bdf);
	}
	for (size_t i = 0; i < s->n_gpus; i++) {
		if (s->gpus[i].lost)
			gs_strbuf_printf(&b, "nvml lost %s\n", s->gpus[i].pci.bdf);
		if (s->gpus[i].pending_armed || s->gpus[i].pending_stuck)
			gs_strbuf_printf(&b, "mode-pending %s\n", s->gpus[i].pci.bdf);
	}
	gs_sim_hold_list(s, &b);
	if (s->kill != GS_SIM_KILL_NEVER)
		gs_strbuf_printf(&b, "kill %s at %u\n", gs_sim_kill_name(s->kill), s->kill_countdown);
	if (s->read_only)
		gs_strbuf_puts(&b, "read-only\n");
	if (s->uuid_old)
		gs_strbuf_puts(&b, "uuid old\n");
	if (s->library)
		gs_strbuf_printf(&b, "library %s\n", gs_sim_library_names[s->library]);
	text = gs_strbuf_take(&b);
	if (!text)
		return gs_error_oom(e);
	*ret_text = text;
	return 0;
}
