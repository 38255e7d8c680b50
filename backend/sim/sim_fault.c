/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim_fault.c - «gpuslice sim fault …»: the specification that sim.h gives. */
#include <errno.h>
#include <string.h>

#include "backend/sim/calls.h"
#include "backend/sim/drivers.h"
#include "backend/sim/kernel.h"
#include "backend/sim/sim_private.h"
#include "base/parse.h"
#include "base/strbuf.h"

static int wrong(struct gs_error *e)
{
	return gs_error_set(e, -EINVAL, GS_STATUS_INVALID,
			    "a fault is one of: nvml CALL CODE [at N]; nvml CALL nothing [at N]; nvml CALL hang; "
			    "nvml lost BDF; mode-pending BDF; uuid old|new; release; clear");
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
	} else {
		if (gs_str_equal(argv[1], "nothing") && gs_sim_call_is_mutating(fault.call))
			fault.kind = GS_SIM_FAULT_NOTHING;
		else if (gs_parse_u32(argv[1], 10, &fault.code) < 0 || fault.code == 0 || fault.code > 999)
			return wrong(e);
		r = parse_when(argc - 2, argv + 2, &fault.countdown, e);
		if (r < 0)
			return r;
	}
	if (s->n_faults == GS_SIM_FAULTS_MAX)
		return gs_error_set(e, -ENOSPC, GS_STATUS_INVALID, "there are %d faults already", GS_SIM_FAULTS_MAX);
	/* never used again, so that a call that hangs knows its own fault */
	fault.id = s->next_serial++;
	s->faults[s->n_faults++] = fault;
	return 0;
}

static void release(struct gs_sim_state *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n_faults; i++) {
		if (s->faults[i].kind != GS_SIM_FAULT_HANG)
			s->faults[kept++] = s->faults[i];
	}
	s->n_faults = kept;
}

static void clear(struct gs_sim_state *s, int tree_fd)
{
	s->n_faults = 0;
	s->uuid_old = false;
	for (size_t i = 0; i < s->n_gpus; i++)
		s->gpus[i].lost = s->gpus[i].pending_armed = s->gpus[i].pending_stuck = false;
	gs_sim_settle(s, tree_fd);
}

static int apply(struct gs_sim_state *s, int tree_fd, int argc, char *const *argv, struct gs_error *e)
{
	struct gs_sim_gpu *gpu;
	int r;

	if (argc == 3 && gs_str_equal(argv[0], "nvml") && gs_str_equal(argv[1], "lost")) {
		r = find_gpu(s, argv[2], &gpu, e);
		if (r == 0)
			gpu->lost = true;
		return r;
	}
	if (argc >= 1 && gs_str_equal(argv[0], "nvml"))
		return add_nvml(s, argc - 1, argv + 1, e);
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
	if (argc == 1 && gs_str_equal(argv[0], "release"))
		release(s);
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
		const struct gs_sim_fault *f = &s->faults[i];

		if (f->kind == GS_SIM_FAULT_HANG)
			gs_strbuf_printf(&b, "nvml %s hang\n", f->call);
		else if (f->kind == GS_SIM_FAULT_NOTHING)
			gs_strbuf_printf(&b, "nvml %s nothing at %u\n", f->call, f->countdown);
		else
			gs_strbuf_printf(&b, "nvml %s %u at %u\n", f->call, f->code, f->countdown);
	}
	for (size_t i = 0; i < s->n_gpus; i++) {
		if (s->gpus[i].lost)
			gs_strbuf_printf(&b, "nvml lost %s\n", s->gpus[i].pci.bdf);
		if (s->gpus[i].pending_armed || s->gpus[i].pending_stuck)
			gs_strbuf_printf(&b, "mode-pending %s\n", s->gpus[i].pci.bdf);
	}
	if (s->uuid_old)
		gs_strbuf_puts(&b, "uuid old\n");
	text = gs_strbuf_take(&b);
	if (!text)
		return gs_error_oom(e);
	*ret_text = text;
	return 0;
}
