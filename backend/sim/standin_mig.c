/* SPDX-License-Identifier: GPL-2.0-or-later */
/* standin_mig.c - the MIG mode, and MIG devices, which everybody may see. */
#include "backend/sim/kernel.h"
#include "backend/sim/standin.h"

struct mode_change {
	bool enable;
	enum gs_nvml_return activation;
};

static enum gs_nvml_return change_mode(struct gs_target *t, void *arguments)
{
	struct mode_change *m = arguments;

	if (!t->gpu->model)
		return GS_NVML_NOT_SUPPORTED;
	return gs_sim_mode_set(t->state, t->gpu, m->enable, gs_standin_tree_fd(), gs_standin_node_fd(t->gpu), &m->activation);
}

enum gs_nvml_return nvmlDeviceSetMigMode(void *device, unsigned int mode, enum gs_nvml_return *activation)
{
	struct mode_change m = { .enable = mode == 1, .activation = GS_NVML_SUCCESS };
	enum gs_nvml_return r;

	if (mode > 1 || !activation)
		return GS_NVML_INVALID_ARGUMENT;
	r = gs_standin_change("DeviceSetMigMode", device, GS_HANDLE_GPU, change_mode, &m);
	*activation = r == GS_NVML_SUCCESS ? m.activation : r;
	return r;
}

enum gs_nvml_return nvmlDeviceGetMigMode(void *device, unsigned int *current, unsigned int *pending)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetMigMode", device, GS_HANDLE_GPU, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!current || !pending)
		return GS_NVML_INVALID_ARGUMENT;
	if (!t.gpu->model)
		return GS_NVML_NOT_SUPPORTED;
	*current = t.gpu->mig_current;
	*pending = t.gpu->mig_pending;
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlDeviceIsMigDeviceHandle(void *device, unsigned int *is_mig)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceIsMigDeviceHandle", device, GS_HANDLE_GPU | GS_HANDLE_MIG, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!is_mig)
		return GS_NVML_INVALID_ARGUMENT;
	*is_mig = t.kind == GS_HANDLE_MIG;
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlDeviceGetGpuInstanceId(void *device, unsigned int *id)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetGpuInstanceId", device, GS_HANDLE_MIG, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!id)
		return GS_NVML_INVALID_ARGUMENT;
	*id = t.gi->id;
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlDeviceGetComputeInstanceId(void *device, unsigned int *id)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetComputeInstanceId", device, GS_HANDLE_MIG, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!id)
		return GS_NVML_INVALID_ARGUMENT;
	*id = t.ci->id;
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlDeviceGetMaxMigDeviceCount(void *device, unsigned int *count)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetMaxMigDeviceCount", device, GS_HANDLE_GPU, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!count)
		return GS_NVML_INVALID_ARGUMENT;
	*count = t.gpu->model && t.gpu->mig_current ? t.gpu->model->compute_slices : 0;
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlDeviceGetMigDeviceHandleByIndex(void *device, unsigned int index, void **mig)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetMigDeviceHandleByIndex", device, GS_HANDLE_GPU, &t);
	const struct gs_sim_ci *ci;

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!t.gpu->model)
		return GS_NVML_NOT_SUPPORTED;
	if (!mig || index >= t.gpu->model->compute_slices)
		return GS_NVML_INVALID_ARGUMENT;
	ci = gs_sim_ci_by_slot(t.gpu, index, &t.gi);
	if (!ci)
		return GS_NVML_NOT_FOUND;
	*mig = gs_standin_mig_handle(t.state, t.gpu, ci);
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlDeviceGetDeviceHandleFromMigDeviceHandle(void *mig, void **device)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetDeviceHandleFromMigDeviceHandle", mig, GS_HANDLE_MIG, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!device)
		return GS_NVML_INVALID_ARGUMENT;
	*device = gs_standin_gpu_handle(t.state, t.gpu);
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlDeviceGetAttributes_v2(void *device, struct gs_abi_attributes *attributes)
{
	const struct gs_sim_compute_profile *c;
	const struct gs_sim_profile *p;
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetAttributes_v2", device, GS_HANDLE_GPU | GS_HANDLE_MIG, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!attributes)
		return GS_NVML_INVALID_ARGUMENT;
	p = gs_target_profile(&t);
	c = gs_target_compute(&t);
	if (t.kind == GS_HANDLE_GPU || !p || !c)
		return GS_NVML_NOT_SUPPORTED;
	*attributes = (struct gs_abi_attributes){
		.multiprocessor_count = gs_sim_compute_sm_count(p, c),
		.copy_engines = gs_sim_or_zero(p->engines[GS_SIM_COPY]),
		.decoders = gs_sim_or_zero(p->engines[GS_SIM_DECODER]),
		.encoders = gs_sim_or_zero(p->engines[GS_SIM_ENCODER]),
		.jpegs = gs_sim_or_zero(p->engines[GS_SIM_JPEG]),
		.ofas = gs_sim_or_zero(p->engines[GS_SIM_OFA]),
		.gpu_instance_slices = p->slices,
		.compute_instance_slices = c->slices,
		.memory_size_mb = p->memory_bytes.known ? p->memory_bytes.value >> 20 : 0,
	};
	return GS_NVML_SUCCESS;
}
