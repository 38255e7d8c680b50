/* SPDX-License-Identifier: GPL-2.0-or-later */
/* standin_gi.c - GPU instances: profiles, places, creating and destroying. */
#include <stdio.h>
#include <string.h>

#include "backend/sim/rules.h"
#include "backend/sim/standin.h"

static uint64_t memory_mb(const struct gs_sim_profile *p)
{
	return p->memory_bytes.known ? p->memory_bytes.value >> 20 : 0;
}

/* One that a newer library has behind the end of the enum that this header knows. */
#define NEWER_ID 200u
static const struct gs_sim_profile newer = {
	.name = "1g.1gb+new", .id = NEWER_ID, .nvml_profile = GS_NVML_GI_PROFILES, .slices = 1, .memory_bytes = { true, 1ull << 30 }, .max_instances = 1,
	.n_placements = 1, .placements = { { 0, 1 } },
};

/* NOT_SUPPORTED is a hole, INVALID_ARGUMENT the end of the enum (interfaces 5.3). */
static const struct gs_sim_profile *profile_by_id(const struct gs_target *t, unsigned int id)
{
	return id == NEWER_ID && t->state->library == GS_SIM_LIBRARY_NEW ? &newer : gs_sim_profile_by_id(t->gpu->model, id);
}

static enum gs_nvml_return find_profile(const char *call, void *device, unsigned int profile,
					const struct gs_sim_profile **ret_profile)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read(call, device, GS_HANDLE_GPU, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!t.gpu->model)
		return GS_NVML_NOT_SUPPORTED;
	if (profile == GS_NVML_GI_PROFILES && t.state->library == GS_SIM_LIBRARY_NEW) {
		*ret_profile = &newer;
		return GS_NVML_SUCCESS;
	}
	if (profile >= GS_NVML_GI_PROFILES)
		return GS_NVML_INVALID_ARGUMENT;
	*ret_profile = gs_sim_profile_by_enum(t.gpu->model, profile);
	return *ret_profile ? GS_NVML_SUCCESS : GS_NVML_NOT_SUPPORTED;
}

enum gs_nvml_return nvmlDeviceGetGpuInstanceProfileInfo(void *device, unsigned int profile, struct gs_abi_gi_profile *info)
{
	const struct gs_sim_profile *p;
	enum gs_nvml_return r = find_profile("DeviceGetGpuInstanceProfileInfo", device, profile, &p);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!info)
		return GS_NVML_INVALID_ARGUMENT;
	*info = (struct gs_abi_gi_profile){
		.id = p->id, .is_p2p_supported = p->p2p, .slice_count = p->slices, .instance_count = p->max_instances,
		.multiprocessor_count = gs_sim_or_zero(p->sm_count),
		.copy_engines = gs_sim_or_zero(p->engines[GS_SIM_COPY]),
		.decoders = gs_sim_or_zero(p->engines[GS_SIM_DECODER]),
		.encoders = gs_sim_or_zero(p->engines[GS_SIM_ENCODER]),
		.jpegs = gs_sim_or_zero(p->engines[GS_SIM_JPEG]),
		.ofas = gs_sim_or_zero(p->engines[GS_SIM_OFA]),
		.memory_size_mb = memory_mb(p),
	};
	return GS_NVML_SUCCESS;
}

static void fill_v2(const struct gs_sim_profile *p, struct gs_abi_gi_profile_v2 *info)
{
	*info = (struct gs_abi_gi_profile_v2){
		.version = GS_ABI_GI_PROFILE_V2, .id = p->id, .is_p2p_supported = p->p2p, .slice_count = p->slices,
		.instance_count = p->max_instances, .multiprocessor_count = gs_sim_or_zero(p->sm_count),
		.copy_engines = gs_sim_or_zero(p->engines[GS_SIM_COPY]),
		.decoders = gs_sim_or_zero(p->engines[GS_SIM_DECODER]),
		.encoders = gs_sim_or_zero(p->engines[GS_SIM_ENCODER]),
		.jpegs = gs_sim_or_zero(p->engines[GS_SIM_JPEG]),
		.ofas = gs_sim_or_zero(p->engines[GS_SIM_OFA]),
		.memory_size_mb = memory_mb(p),
	};
	snprintf(info->name, sizeof(info->name), "MIG %s", p->name);
}

/* The same size as v2, but the fields lie elsewhere. */
static void fill_v3(const struct gs_sim_profile *p, struct gs_abi_gi_profile_v3 *info)
{
	*info = (struct gs_abi_gi_profile_v3){
		.version = GS_ABI_GI_PROFILE_V3, .id = p->id, .slice_count = p->slices, .instance_count = p->max_instances,
		.multiprocessor_count = gs_sim_or_zero(p->sm_count),
		.copy_engines = gs_sim_or_zero(p->engines[GS_SIM_COPY]),
		.decoders = gs_sim_or_zero(p->engines[GS_SIM_DECODER]),
		.encoders = gs_sim_or_zero(p->engines[GS_SIM_ENCODER]),
		.jpegs = gs_sim_or_zero(p->engines[GS_SIM_JPEG]),
		.ofas = gs_sim_or_zero(p->engines[GS_SIM_OFA]),
		.memory_size_mb = memory_mb(p),
		.capabilities = (p->p2p ? 1u : 0u) | (p->gfx ? 2u : 0u),
	};
	snprintf(info->name, sizeof(info->name), "MIG %s", p->name);
}

static enum gs_nvml_return fill_versioned(const struct gs_sim_profile *p, struct gs_abi_gi_profile_v2 *info)
{
	switch (info->version) {
	case GS_ABI_GI_PROFILE_V2:
		fill_v2(p, info);
		return GS_NVML_SUCCESS;
	case GS_ABI_GI_PROFILE_V3:
		fill_v3(p, (struct gs_abi_gi_profile_v3 *)info);
		return GS_NVML_SUCCESS;
	default:
		return GS_NVML_INVALID_ARGUMENT;    /* not 25 here (interfaces 5.3) */
	}
}

enum gs_nvml_return nvmlDeviceGetGpuInstanceProfileInfoV(void *device, unsigned int profile, struct gs_abi_gi_profile_v2 *info)
{
	const struct gs_sim_profile *p;
	enum gs_nvml_return r = find_profile("DeviceGetGpuInstanceProfileInfoV", device, profile, &p);

	if (r != GS_NVML_SUCCESS)
		return r;
	return info ? fill_versioned(p, info) : GS_NVML_INVALID_ARGUMENT;
}

enum gs_nvml_return nvmlDeviceGetGpuInstanceProfileInfoByIdV(void *device, unsigned int profile_id,
							     struct gs_abi_gi_profile_v2 *info)
{
	const struct gs_sim_profile *p;
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetGpuInstanceProfileInfoByIdV", device, GS_HANDLE_GPU, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!t.gpu->model)
		return GS_NVML_NOT_SUPPORTED;
	p = profile_by_id(&t, profile_id);
	return p && info ? fill_versioned(p, info) : GS_NVML_INVALID_ARGUMENT;
}

/* A privileged question about one profile of a GPU. */
static enum gs_nvml_return ask_profile(const char *call, void *device, unsigned int profile_id, const void *to,
				       struct gs_target *t, const struct gs_sim_profile **ret_profile)
{
	enum gs_nvml_return r = gs_standin_read_privileged(call, device, GS_HANDLE_GPU, t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!t->gpu->model)
		return GS_NVML_NOT_SUPPORTED;
	*ret_profile = profile_by_id(t, profile_id);
	return *ret_profile && to ? GS_NVML_SUCCESS : GS_NVML_INVALID_ARGUMENT;
}

/* All legal places, free or not, and whatever the MIG mode. */
enum gs_nvml_return nvmlDeviceGetGpuInstancePossiblePlacements_v2(void *device, unsigned int profile_id,
								  struct gs_abi_placement *placements, unsigned int *count)
{
	const struct gs_sim_profile *p;
	struct gs_target t;
	enum gs_nvml_return r = ask_profile("DeviceGetGpuInstancePossiblePlacements_v2", device, profile_id, count, &t, &p);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (placements && *count < p->n_placements) {
		*count = (unsigned int)p->n_placements;
		return GS_NVML_INSUFFICIENT_SIZE;
	}
	*count = (unsigned int)p->n_placements;
	for (size_t i = 0; placements && i < p->n_placements; i++)
		placements[i] = (struct gs_abi_placement){ p->placements[i].start, p->placements[i].size };
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlDeviceGetGpuInstanceRemainingCapacity(void *device, unsigned int profile_id, unsigned int *count)
{
	const struct gs_sim_profile *p;
	struct gs_target t;
	enum gs_nvml_return r = ask_profile("DeviceGetGpuInstanceRemainingCapacity", device, profile_id, count, &t, &p);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!t.gpu->mig_current)
		return GS_NVML_NOT_SUPPORTED;
	*count = gs_sim_gi_capacity(t.gpu, p);
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
	struct gs_sim_gi *gi;
	enum gs_nvml_return r;

	if (c->placement)
		place = (struct gs_sim_span){ c->placement->start, c->placement->size };
	r = gs_sim_gi_create(t->state, t->gpu, c->profile_id, c->placement ? &place : NULL, &gi);
	if (r == GS_NVML_SUCCESS)
		c->handle = gs_standin_gi_handle(t->state, t->gpu, gi);
	return r;
}

enum gs_nvml_return nvmlDeviceCreateGpuInstance(void *device, unsigned int profile_id, void **gi)
{
	struct creation c = { .profile_id = profile_id, .handle = gs_standin_stale_handle() };
	enum gs_nvml_return r;

	if (!gi)
		return GS_NVML_INVALID_ARGUMENT;
	r = gs_standin_change("DeviceCreateGpuInstance", device, GS_HANDLE_GPU, create, &c);
	if (r == GS_NVML_SUCCESS)
		*gi = c.handle;
	return r;
}

enum gs_nvml_return nvmlDeviceCreateGpuInstanceWithPlacement(void *device, unsigned int profile_id,
							     const struct gs_abi_placement *placement, void **gi)
{
	struct creation c = { .profile_id = profile_id, .placement = placement, .handle = gs_standin_stale_handle() };
	enum gs_nvml_return r;

	if (!gi || !placement)
		return GS_NVML_INVALID_ARGUMENT;
	r = gs_standin_change("DeviceCreateGpuInstanceWithPlacement", device, GS_HANDLE_GPU, create, &c);
	if (r == GS_NVML_SUCCESS)
		*gi = c.handle;
	return r;
}

static enum gs_nvml_return destroy(struct gs_target *t, void *arguments)
{
	(void)arguments;
	return gs_sim_gi_destroy(t->state, t->gpu, t->gi);
}

enum gs_nvml_return nvmlGpuInstanceDestroy(void *gi)
{
	return gs_standin_change("GpuInstanceDestroy", gi, GS_HANDLE_GI, destroy, NULL);
}

/* @count is output only: the array has room for the profile's maximum (interfaces 5.7). */
enum gs_nvml_return nvmlDeviceGetGpuInstances(void *device, unsigned int profile_id, void **gis, unsigned int *count)
{
	const struct gs_sim_profile *p;
	struct gs_target t;
	enum gs_nvml_return r = ask_profile("DeviceGetGpuInstances", device, profile_id, count, &t, &p);
	unsigned int n = 0;

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!t.gpu->mig_current)
		return GS_NVML_NOT_SUPPORTED;
	if (!gis)
		return GS_NVML_INVALID_ARGUMENT;
	for (size_t i = 0; i < t.gpu->n_gis && n < p->max_instances; i++) {
		if (t.gpu->gis[i].profile_id == profile_id)
			gis[n++] = gs_standin_gi_handle(t.state, t.gpu, &t.gpu->gis[i]);
	}
	*count = n;
	return GS_NVML_SUCCESS;
}

/* Root too: with this for everybody, nothing would be hidden from an unprivileged viewer. */
enum gs_nvml_return nvmlDeviceGetGpuInstanceById(void *device, unsigned int id, void **gi)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read_privileged("DeviceGetGpuInstanceById", device, GS_HANDLE_GPU, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!gi)
		return GS_NVML_INVALID_ARGUMENT;
	if (!t.gpu->model || !t.gpu->mig_current)
		return GS_NVML_NOT_SUPPORTED;
	t.gi = gs_sim_gi_by_id(t.gpu, id);
	if (!t.gi)
		return GS_NVML_NOT_FOUND;
	*gi = gs_standin_gi_handle(t.state, t.gpu, t.gi);
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlGpuInstanceGetInfo(void *gi, struct gs_abi_gi_info *info)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("GpuInstanceGetInfo", gi, GS_HANDLE_GI, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!info)
		return GS_NVML_INVALID_ARGUMENT;
	*info = (struct gs_abi_gi_info){
		.device = gs_standin_gpu_handle(t.state, t.gpu), .id = t.gi->id, .profile_id = t.gi->profile_id,
		.placement = { t.gi->start, t.gi->size },
	};
	return GS_NVML_SUCCESS;
}
