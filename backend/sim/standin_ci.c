/* SPDX-License-Identifier: GPL-2.0-or-later */
/* standin_ci.c - compute instances inside a GPU instance. */
#include <stdio.h>
#include <string.h>

#include "backend/sim/rules.h"
#include "backend/sim/standin.h"

/* On every board seen the compute profile's id is its number in NVML's enum. */
static enum gs_nvml_return find_profile(const char *call, void *gi, unsigned int profile, unsigned int engine_profile,
					struct gs_target *t, const struct gs_sim_compute_profile **ret_profile)
{
	enum gs_nvml_return r = gs_standin_read(call, gi, GS_HANDLE_GI, t);
	const struct gs_sim_profile *p;

	if (r != GS_NVML_SUCCESS)
		return r;
	if (profile >= GS_NVML_CI_PROFILES || engine_profile != 0)
		return GS_NVML_INVALID_ARGUMENT;
	p = gs_target_profile(t);
	*ret_profile = p ? gs_sim_compute_by_id(p, profile) : NULL;
	return *ret_profile ? GS_NVML_SUCCESS : GS_NVML_NOT_SUPPORTED;
}

static void fill(const struct gs_target *t, const struct gs_sim_compute_profile *c, struct gs_abi_ci_profile *info)
{
	const struct gs_sim_profile *p = gs_target_profile(t);

	*info = (struct gs_abi_ci_profile){
		.id = c->id, .slice_count = c->slices, .instance_count = c->max_instances,
		.multiprocessor_count = gs_sim_compute_sm_count(p, c),
		.copy_engines = gs_sim_or_zero(p->engines[GS_SIM_COPY]),
		.decoders = gs_sim_or_zero(p->engines[GS_SIM_DECODER]),
		.encoders = gs_sim_or_zero(p->engines[GS_SIM_ENCODER]),
		.jpegs = gs_sim_or_zero(p->engines[GS_SIM_JPEG]),
		.ofas = gs_sim_or_zero(p->engines[GS_SIM_OFA]),
	};
}

enum gs_nvml_return nvmlGpuInstanceGetComputeInstanceProfileInfo(void *gi, unsigned int profile, unsigned int engine_profile,
								 struct gs_abi_ci_profile *info)
{
	const struct gs_sim_compute_profile *c;
	struct gs_target t;
	enum gs_nvml_return r = find_profile("GpuInstanceGetComputeInstanceProfileInfo", gi, profile, engine_profile, &t, &c);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!info)
		return GS_NVML_INVALID_ARGUMENT;
	fill(&t, c, info);
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlGpuInstanceGetComputeInstanceProfileInfoV(void *gi, unsigned int profile, unsigned int engine_profile,
								  struct gs_abi_ci_profile_v2 *info)
{
	const struct gs_sim_compute_profile *c;
	struct gs_target t;
	enum gs_nvml_return r = find_profile("GpuInstanceGetComputeInstanceProfileInfoV", gi, profile, engine_profile, &t, &c);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!info || (info->version != GS_ABI_CI_PROFILE_V2 && info->version != GS_ABI_CI_PROFILE_V3))
		return GS_NVML_INVALID_ARGUMENT;
	fill(&t, c, &info->v1);
	snprintf(info->name, sizeof(info->name), "MIG %s", c->name);
	if (info->version == GS_ABI_CI_PROFILE_V3)
		((struct gs_abi_ci_profile_v3 *)info)->capabilities = gs_target_profile(&t)->gfx ? 1 : 0;
	return GS_NVML_SUCCESS;
}

static enum gs_nvml_return ask_profile(const char *call, void *gi, unsigned int profile_id, const void *to,
				       struct gs_target *t, const struct gs_sim_compute_profile **ret_profile)
{
	enum gs_nvml_return r = gs_standin_read_privileged(call, gi, GS_HANDLE_GI, t);
	const struct gs_sim_profile *p;

	if (r != GS_NVML_SUCCESS)
		return r;
	p = gs_target_profile(t);
	*ret_profile = p ? gs_sim_compute_by_id(p, profile_id) : NULL;
	return *ret_profile && to ? GS_NVML_SUCCESS : GS_NVML_INVALID_ARGUMENT;
}

enum gs_nvml_return nvmlGpuInstanceGetComputeInstanceRemainingCapacity(void *gi, unsigned int profile_id, unsigned int *count)
{
	const struct gs_sim_compute_profile *c;
	struct gs_target t;
	enum gs_nvml_return r = ask_profile("GpuInstanceGetComputeInstanceRemainingCapacity", gi, profile_id, count, &t, &c);

	if (r == GS_NVML_SUCCESS)
		*count = gs_sim_ci_capacity(t.gi, c);
	return r;
}

enum gs_nvml_return nvmlGpuInstanceGetComputeInstancePossiblePlacements(void *gi, unsigned int profile_id,
									struct gs_abi_placement *placements,
									unsigned int *count)
{
	const struct gs_sim_compute_profile *c;
	struct gs_target t;
	enum gs_nvml_return r = ask_profile("GpuInstanceGetComputeInstancePossiblePlacements", gi, profile_id, count, &t, &c);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (placements && *count < c->n_placements) {
		*count = (unsigned int)c->n_placements;
		return GS_NVML_INSUFFICIENT_SIZE;
	}
	*count = (unsigned int)c->n_placements;
	for (size_t i = 0; placements && i < c->n_placements; i++)
		placements[i] = (struct gs_abi_placement){ c->placements[i].start, c->placements[i].size };
	return GS_NVML_SUCCESS;
}

struct creation {
	unsigned int profile_id;
	const struct gs_abi_placement *placement;
	void *handle;
};

static enum gs_nvml_return create(struct gs_target *t, void *arguments)
{
	struct creation *c = arguments;
	struct gs_sim_span place = { 0 };
	struct gs_sim_ci *ci;
	enum gs_nvml_return r;

	if (c->placement)
		place = (struct gs_sim_span){ c->placement->start, c->placement->size };
	r = gs_sim_ci_create(t->state, t->gpu, t->gi, c->profile_id, c->placement ? &place : NULL, &ci);
	if (r == GS_NVML_SUCCESS)
		c->handle = gs_standin_ci_handle(t->state, t->gpu, ci);
	return r;
}

enum gs_nvml_return nvmlGpuInstanceCreateComputeInstance(void *gi, unsigned int profile_id, void **ci)
{
	struct creation c = { .profile_id = profile_id, .handle = gs_standin_stale_handle() };
	enum gs_nvml_return r;

	if (!ci)
		return GS_NVML_INVALID_ARGUMENT;
	r = gs_standin_change("GpuInstanceCreateComputeInstance", gi, GS_HANDLE_GI, create, &c);
	if (r == GS_NVML_SUCCESS)
		*ci = c.handle;
	return r;
}

enum gs_nvml_return nvmlGpuInstanceCreateComputeInstanceWithPlacement(void *gi, unsigned int profile_id,
								      const struct gs_abi_placement *placement, void **ci)
{
	struct creation c = { .profile_id = profile_id, .placement = placement, .handle = gs_standin_stale_handle() };
	enum gs_nvml_return r;

	if (!ci || !placement)
		return GS_NVML_INVALID_ARGUMENT;
	r = gs_standin_change("GpuInstanceCreateComputeInstanceWithPlacement", gi, GS_HANDLE_GI, create, &c);
	if (r == GS_NVML_SUCCESS)
		*ci = c.handle;
	return r;
}

static enum gs_nvml_return destroy(struct gs_target *t, void *arguments)
{
	(void)arguments;
	return gs_sim_ci_destroy(t->state, t->gpu, t->gi, t->ci);
}

enum gs_nvml_return nvmlComputeInstanceDestroy(void *ci)
{
	return gs_standin_change("ComputeInstanceDestroy", ci, GS_HANDLE_CI, destroy, NULL);
}

enum gs_nvml_return nvmlGpuInstanceGetComputeInstances(void *gi, unsigned int profile_id, void **cis, unsigned int *count)
{
	const struct gs_sim_compute_profile *c;
	struct gs_target t;
	enum gs_nvml_return r = ask_profile("GpuInstanceGetComputeInstances", gi, profile_id, count, &t, &c);
	unsigned int n = 0;

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!cis)
		return GS_NVML_INVALID_ARGUMENT;
	for (size_t i = 0; i < t.gi->n_cis && n < c->max_instances; i++) {
		if (t.gi->cis[i].profile_id == profile_id)
			cis[n++] = gs_standin_ci_handle(t.state, t.gpu, &t.gi->cis[i]);
	}
	*count = n;
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlGpuInstanceGetComputeInstanceById(void *gi, unsigned int id, void **ci)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read_privileged("GpuInstanceGetComputeInstanceById", gi, GS_HANDLE_GI, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!ci)
		return GS_NVML_INVALID_ARGUMENT;
	t.ci = gs_sim_ci_by_id(t.gi, id);
	if (!t.ci)
		return GS_NVML_NOT_FOUND;
	*ci = gs_standin_ci_handle(t.state, t.gpu, t.ci);
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlComputeInstanceGetInfo_v2(void *ci, struct gs_abi_ci_info *info)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("ComputeInstanceGetInfo_v2", ci, GS_HANDLE_CI, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!info)
		return GS_NVML_INVALID_ARGUMENT;
	*info = (struct gs_abi_ci_info){
		.device = gs_standin_gpu_handle(t.state, t.gpu), .gpu_instance = gs_standin_gi_handle(t.state, t.gpu, t.gi),
		.id = t.ci->id, .profile_id = t.ci->profile_id, .placement = { t.ci->start, t.ci->size },
	};
	return GS_NVML_SUCCESS;
}
