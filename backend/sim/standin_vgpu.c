/* SPDX-License-Identifier: GPL-2.0-or-later */
/* standin_vgpu.c - the GPU as a vGPU host: which framework, what it can do, and the mixed-size mode (interfaces 2.5, 5.7). */
#include "backend/sim/standin.h"

#include "backend/sim/vgpu.h"
#include "base/parse.h"

#define HOST_VGPU 3u                    /* NVML_GPU_VIRTUALIZATION_MODE_HOST_VGPU */
#define HETEROGENEOUS_V1 0x01000008u    /* nvmlVgpuHeterogeneousMode_v1, interfaces 5.5 */

/* nvmlDeviceVgpuCapability_t (interfaces 5.3) */
enum {
	CAP_FRACTIONAL = 0,
	CAP_MIXED_PROFILES = 1,
	CAP_MIXED_SIZES = 2,
	CAP_MINI_QUARTER = 6,
	CAP_HOMOGENEOUS_PLACEMENTS = 9,
	CAP_MIG_TIMESLICING = 10,
	CAP_MIG_TIMESLICING_ON = 11,
	CAPS,
};

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

/* ------------------------------------------------------------ capabilities */

static bool is_architecture(const struct gs_sim_gpu *gpu, const char *name)
{
	return gpu->board && gs_str_equal_nocase(gpu->board->architecture, name);
}

/* Several vGPUs of different types in one VM: 0. Warm update: 1. */
enum gs_nvml_return nvmlGetVgpuDriverCapabilities(unsigned int capability, unsigned int *result)
{
	struct gs_sim_state *s;
	enum gs_nvml_return r = gs_standin_enter("GetVgpuDriverCapabilities", &s);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!result || capability > 1)
		return GS_NVML_INVALID_ARGUMENT;
	*result = capability == 0;
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlDeviceGetVgpuCapabilities(void *device, unsigned int capability, unsigned int *result)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetVgpuCapabilities", device, GS_HANDLE_GPU, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!result || capability >= CAPS)
		return GS_NVML_INVALID_ARGUMENT;
	if (!t.gpu->framework)
		return GS_NVML_NOT_SUPPORTED;
	switch (capability) {
	case CAP_FRACTIONAL:
	case CAP_MIXED_PROFILES:
		*result = 1;
		break;
	case CAP_MIXED_SIZES:
		*result = gs_sim_mixes_sizes(t.gpu);
		break;
	case CAP_HOMOGENEOUS_PLACEMENTS:
		*result = is_architecture(t.gpu, "ada") || is_architecture(t.gpu, "hopper") || is_architecture(t.gpu, "blackwell");
		break;
	case CAP_MIG_TIMESLICING:
		*result = t.gpu->model && is_architecture(t.gpu, "blackwell");
		break;
	case CAP_MIG_TIMESLICING_ON:
		*result = t.gpu->mig_current && is_architecture(t.gpu, "blackwell");
		break;
	default:
		*result = 0;
	}
	return GS_NVML_SUCCESS;
}

static enum gs_nvml_return change_capability(struct gs_target *t, void *arguments)
{
	(void)t;
	(void)arguments;
	return GS_NVML_NOT_SUPPORTED;
}

/* Nothing that these boards let one switch. */
enum gs_nvml_return nvmlDeviceSetVgpuCapabilities(void *device, unsigned int capability, unsigned int state)
{
	if (capability >= CAPS || state > 1)
		return GS_NVML_INVALID_ARGUMENT;
	return gs_standin_change("DeviceSetVgpuCapabilities", device, GS_HANDLE_GPU, change_capability, NULL);
}

/* ------------------------------------------------------------ mixed sizes */

bool gs_standin_has_vgpus(const struct gs_target *t)
{
	if (!t->gi && t->gpu->n_mdevs)
		return true;
	for (uint32_t n = 0; n < t->gpu->total_vfs; n++) {
		const struct gs_sim_vf *vf = &t->gpu->vfs[n];

		if (vf->state != GS_SIM_VF_ABSENT && vf->vgpu_type && (!t->gi || vf->gpu_instance_id == t->gi->id))
			return true;
	}
	return false;
}

/* Not on boards before Ampere, not in MIG mode: there it is each GI's, on boards that time-slice those. */
static bool has_mode(const struct gs_target *t)
{
	if (!t->gpu->framework)
		return false;
	if (t->gi)
		return t->gpu->mig_current && is_architecture(t->gpu, "blackwell");
	return gs_sim_mixes_sizes(t->gpu) && !t->gpu->mig_current;
}

static enum gs_nvml_return get_mode(const char *call, void *handle, unsigned int kind, struct gs_abi_heterogeneous *mode)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read(call, handle, kind, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!mode)
		return GS_NVML_INVALID_ARGUMENT;
	if (mode->version != HETEROGENEOUS_V1)
		return GS_NVML_ARGUMENT_VERSION_MISMATCH;
	if (!has_mode(&t))
		return GS_NVML_NOT_SUPPORTED;
	mode->mode = t.gi ? t.gi->heterogeneous : t.gpu->heterogeneous;
	return GS_NVML_SUCCESS;
}

/* Refused while there is any vGPU. */
static enum gs_nvml_return change_mode(struct gs_target *t, void *arguments)
{
	const struct gs_abi_heterogeneous *mode = arguments;

	if (!has_mode(t))
		return GS_NVML_NOT_SUPPORTED;
	if (gs_standin_has_vgpus(t))
		return GS_NVML_IN_USE;
	if (t->gi)
		t->gi->heterogeneous = mode->mode;
	else
		t->gpu->heterogeneous = mode->mode;
	return GS_NVML_SUCCESS;
}

static enum gs_nvml_return set_mode(const char *call, void *handle, unsigned int kind, const struct gs_abi_heterogeneous *mode)
{
	struct gs_abi_heterogeneous copy;

	if (!mode || mode->mode > 1)
		return GS_NVML_INVALID_ARGUMENT;
	if (mode->version != HETEROGENEOUS_V1)
		return GS_NVML_ARGUMENT_VERSION_MISMATCH;
	copy = *mode;
	return gs_standin_change(call, handle, kind, change_mode, &copy);
}

enum gs_nvml_return nvmlDeviceGetVgpuHeterogeneousMode(void *device, struct gs_abi_heterogeneous *mode)
{
	return get_mode("DeviceGetVgpuHeterogeneousMode", device, GS_HANDLE_GPU, mode);
}

enum gs_nvml_return nvmlDeviceSetVgpuHeterogeneousMode(void *device, const struct gs_abi_heterogeneous *mode)
{
	return set_mode("DeviceSetVgpuHeterogeneousMode", device, GS_HANDLE_GPU, mode);
}

enum gs_nvml_return nvmlGpuInstanceGetVgpuHeterogeneousMode(void *gi, struct gs_abi_heterogeneous *mode)
{
	return get_mode("GpuInstanceGetVgpuHeterogeneousMode", gi, GS_HANDLE_GI, mode);
}

enum gs_nvml_return nvmlGpuInstanceSetVgpuHeterogeneousMode(void *gi, const struct gs_abi_heterogeneous *mode)
{
	return set_mode("GpuInstanceSetVgpuHeterogeneousMode", gi, GS_HANDLE_GI, mode);
}
