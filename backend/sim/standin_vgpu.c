/* SPDX-License-Identifier: GPL-2.0-or-later */
/* standin_vgpu.c - the GPU as a vGPU host: which framework, and the mixed-size mode (interfaces 2.5, 5.7). */
#include "backend/sim/standin.h"

#define HOST_VGPU 3u                    /* NVML_GPU_VIRTUALIZATION_MODE_HOST_VGPU */
#define HETEROGENEOUS_V1 0x01000008u    /* nvmlVgpuHeterogeneousMode_v1, interfaces 5.5 */

enum gs_nvml_return nvmlDeviceGetVirtualizationMode(void *device, unsigned int *mode)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetVirtualizationMode", device, GS_HANDLE_GPU, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!mode)
		return GS_NVML_INVALID_ARGUMENT;
	*mode = t.gpu->framework ? HOST_VGPU : 0;
	return GS_NVML_SUCCESS;
}

/* With this and the mode above it is clear whether the vGPU host driver is there. */
enum gs_nvml_return nvmlDeviceGetHostVgpuMode(void *device, unsigned int *mode)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetHostVgpuMode", device, GS_HANDLE_GPU, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!mode)
		return GS_NVML_INVALID_ARGUMENT;
	if (!t.gpu->framework)
		return GS_NVML_NOT_SUPPORTED;
	*mode = t.gpu->total_vfs ? 1 : 0;
	return GS_NVML_SUCCESS;
}

/* Not on boards before Ampere, not in MIG mode. */
static bool has_mode(const struct gs_sim_gpu *gpu)
{
	return gpu->framework && gpu->total_vfs && !gpu->mig_current;
}

enum gs_nvml_return nvmlDeviceGetVgpuHeterogeneousMode(void *device, struct gs_abi_heterogeneous *mode)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetVgpuHeterogeneousMode", device, GS_HANDLE_GPU, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!mode)
		return GS_NVML_INVALID_ARGUMENT;
	if (mode->version != HETEROGENEOUS_V1)
		return GS_NVML_ARGUMENT_VERSION_MISMATCH;
	if (!has_mode(t.gpu))
		return GS_NVML_NOT_SUPPORTED;
	mode->mode = t.gpu->heterogeneous;
	return GS_NVML_SUCCESS;
}

/* Refused while there is any vGPU; needs VFs, because enabling them clears it. */
static enum gs_nvml_return change_mode(struct gs_target *t, void *arguments)
{
	const struct gs_abi_heterogeneous *mode = arguments;

	if (!has_mode(t->gpu))
		return GS_NVML_NOT_SUPPORTED;
	if (t->gpu->n_mdevs)
		return GS_NVML_IN_USE;
	for (uint32_t n = 0; n < t->gpu->total_vfs; n++) {
		if (t->gpu->vfs[n].state != GS_SIM_VF_ABSENT && t->gpu->vfs[n].vgpu_type)
			return GS_NVML_IN_USE;
	}
	t->gpu->heterogeneous = mode->mode;
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlDeviceSetVgpuHeterogeneousMode(void *device, const struct gs_abi_heterogeneous *mode)
{
	struct gs_abi_heterogeneous copy;

	if (!mode || mode->mode > 1)
		return GS_NVML_INVALID_ARGUMENT;
	if (mode->version != HETEROGENEOUS_V1)
		return GS_NVML_ARGUMENT_VERSION_MISMATCH;
	copy = *mode;
	return gs_standin_change("DeviceSetVgpuHeterogeneousMode", device, GS_HANDLE_GPU, change_mode, &copy);
}
