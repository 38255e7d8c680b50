/* SPDX-License-Identifier: GPL-2.0-or-later */
/* standin_telemetry.c - memory, meters and processes. Plausible, and the same for everybody who looks in the same second. */
#include <string.h>

#include "backend/sim/drivers.h"
#include "backend/sim/function.h"
#include "backend/sim/standin.h"
#include "backend/sim/vgpu.h"
#include "base/clock.h"

#define ANY_DEVICE (GS_HANDLE_GPU | GS_HANDLE_MIG)
#define VALUE_TYPE_UINT 1u

/* Does this use belong to what the handle stands for? */
static bool use_is_in(const struct gs_target *t, const struct gs_sim_use *use)
{
	if (use->gpu != gs_sim_gpu_index(t->state, t->gpu))
		return false;
	return t->kind == GS_HANDLE_GPU || (use->gi == t->gi->id && use->ci == t->ci->id);
}

static uint64_t process_bytes(const struct gs_target *t)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < t->state->n_processes; i++) {
		const struct gs_sim_process *p = &t->state->processes[i];

		for (size_t k = 0; k < p->n_uses; k++) {
			if (use_is_in(t, &p->uses[k]))
				sum += p->uses[k].memory_bytes;
		}
	}
	return sum;
}

/* The aggregate of a GPU in MIG mode is for root (interfaces 5.7). */
static bool is_hidden_aggregate(const struct gs_target *t)
{
	return t->kind == GS_HANDLE_GPU && t->gpu->mig_current && !gs_standin_is_root();
}

/* The framebuffer of each vGPU that a VM has; one that nobody has takes none yet. */
static uint64_t vgpu_bytes(const struct gs_target *t)
{
	const struct gs_sim_type *type;
	uint64_t sum = 0;

	if (t->kind != GS_HANDLE_GPU)
		return 0;
	for (uint32_t n = 0; n < t->gpu->total_vfs; n++) {
		type = t->gpu->vfs[n].state != GS_SIM_VF_ABSENT && t->gpu->vfs[n].vgpu_type ? gs_sim_type_by_id(t->gpu, t->gpu->vfs[n].vgpu_type) : NULL;
		sum += type && gs_sim_vf_is_held(t->state, t->gpu, n) ? type->framebuffer_bytes : 0;
	}
	for (size_t i = 0; i < t->gpu->n_mdevs; i++) {
		type = gs_sim_group_is_held(t->state, t->gpu->mdevs[i].iommu_group) ? gs_sim_type_by_id(t->gpu, t->gpu->mdevs[i].type) : NULL;
		sum += type ? type->framebuffer_bytes : 0;
	}
	return sum;
}

static void measure(const struct gs_target *t, struct gs_abi_memory_v2 *ret)
{
	const struct gs_sim_profile *p = gs_target_profile(t);
	uint64_t used = process_bytes(t) + vgpu_bytes(t);

	ret->total = t->gpu->memory_bytes;
	ret->reserved = t->gpu->reserved_bytes;
	if (t->kind == GS_HANDLE_MIG) {
		ret->reserved = 0;
		ret->total = p && p->memory_bytes.known ? p->memory_bytes.value : 0;
	}
	ret->used = used < ret->total - ret->reserved ? used : ret->total - ret->reserved;
	ret->free = ret->total - ret->reserved - ret->used;
}

enum gs_nvml_return nvmlDeviceGetMemoryInfo(void *device, struct gs_abi_memory *memory)
{
	struct gs_abi_memory_v2 all;
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetMemoryInfo", device, ANY_DEVICE, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!memory)
		return GS_NVML_INVALID_ARGUMENT;
	if (is_hidden_aggregate(&t))
		return GS_NVML_NO_PERMISSION;
	measure(&t, &all);
	/* v1 has no word for reserved and counts it as used */
	*memory = (struct gs_abi_memory){ .total = all.total, .free = all.free, .used = all.used + all.reserved };
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlDeviceGetMemoryInfo_v2(void *device, struct gs_abi_memory_v2 *memory)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetMemoryInfo_v2", device, ANY_DEVICE, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!memory)
		return GS_NVML_INVALID_ARGUMENT;
	if (memory->version != GS_ABI_MEMORY_V2)
		return GS_NVML_ARGUMENT_VERSION_MISMATCH;
	if (is_hidden_aggregate(&t))
		return GS_NVML_NO_PERMISSION;
	measure(&t, memory);
	return GS_NVML_SUCCESS;
}

/* A number from 0 to @range - 1 that drifts from second to second. */
unsigned int gs_standin_wobble(const struct gs_target *t, unsigned int range)
{
	uint64_t seconds = (uint64_t)(gs_monotonic_now().ms / 1000);

	return (unsigned int)((t->state->generation * 5 + seconds * 7 + t->gpu->minor * 13) % range);
}

/* Does anybody compute there: on the whole GPU, or in @gi of it? */
bool gs_standin_is_busy(const struct gs_target *t, uint32_t gi)
{
	uint32_t gpu = gs_sim_gpu_index(t->state, t->gpu);

	for (size_t i = 0; i < t->state->n_processes; i++) {
		for (size_t k = 0; k < t->state->processes[i].n_uses; k++) {
			const struct gs_sim_use *use = &t->state->processes[i].uses[k];

			if (use->cuda && use->gpu == gpu && (gi == GS_SIM_NONE || use->gi == gi))
				return true;
		}
	}
	return false;
}

/* How much of the GPU computes, in percent: its slices with a process, or all of it. */
static unsigned int load(const struct gs_target *t)
{
	uint32_t slices = 0, all = t->gpu->model ? t->gpu->model->compute_slices : 0;
	struct gs_target whole = *t;
	bool busy = false;

	whole.kind = GS_HANDLE_GPU;
	for (size_t i = 0; i < t->state->n_processes; i++) {
		for (size_t k = 0; k < t->state->processes[i].n_uses; k++)
			busy |= t->state->processes[i].uses[k].cuda && use_is_in(&whole, &t->state->processes[i].uses[k]);
	}
	if (!busy)
		return 0;
	if (!t->gpu->mig_current || !all)
		return 88 + gs_standin_wobble(t, 11);
	for (size_t i = 0; i < t->gpu->n_gis; i++) {
		const struct gs_sim_profile *p = gs_sim_profile_by_id(t->gpu->model, t->gpu->gis[i].profile_id);

		for (size_t k = 0; p && k < t->state->n_processes; k++) {
			const struct gs_sim_process *process = &t->state->processes[k];
			bool here = false;

			for (size_t m = 0; m < process->n_uses; m++)
				here |= use_is_in(&whole, &process->uses[m]) && process->uses[m].gi == t->gpu->gis[i].id;
			if (here) {
				slices += p->slices;
				break;
			}
		}
	}
	return slices >= all ? 90 + gs_standin_wobble(t, 9) : slices * 90 / all + gs_standin_wobble(t, 5);
}

static unsigned int power(const struct gs_target *t)
{
	unsigned int idle = 70000 + gs_standin_wobble(t, 7) * 250;

	if (t->gpu->power_limit_mw <= idle)
		return t->gpu->power_limit_mw;
	return idle + (unsigned int)((uint64_t)(t->gpu->power_limit_mw - idle) * load(t) / 100 * 9 / 10);
}

enum gs_nvml_return nvmlDeviceGetUtilizationRates(void *device, struct gs_abi_utilization *utilization)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetUtilizationRates", device, ANY_DEVICE, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!utilization)
		return GS_NVML_INVALID_ARGUMENT;
	if (t.kind == GS_HANDLE_MIG || t.gpu->mig_current)
		return GS_NVML_NOT_SUPPORTED;
	utilization->gpu = load(&t);
	utilization->memory = utilization->gpu * 6 / 10;
	return GS_NVML_SUCCESS;
}

/* Meters of the board: a MIG device has none of its own. */
static enum gs_nvml_return read_meter(const char *call, void *device, const unsigned int *to, struct gs_target *t)
{
	enum gs_nvml_return r = gs_standin_read(call, device, ANY_DEVICE, t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!to)
		return GS_NVML_INVALID_ARGUMENT;
	return t->kind == GS_HANDLE_MIG ? GS_NVML_NOT_SUPPORTED : GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlDeviceGetPowerUsage(void *device, unsigned int *milliwatts)
{
	struct gs_target t;
	enum gs_nvml_return r = read_meter("DeviceGetPowerUsage", device, milliwatts, &t);

	if (r == GS_NVML_SUCCESS)
		*milliwatts = power(&t);
	return r;
}

enum gs_nvml_return nvmlDeviceGetEnforcedPowerLimit(void *device, unsigned int *milliwatts)
{
	struct gs_target t;
	enum gs_nvml_return r = read_meter("DeviceGetEnforcedPowerLimit", device, milliwatts, &t);

	if (r == GS_NVML_SUCCESS)
		*milliwatts = t.gpu->power_limit_mw;
	return r;
}

enum gs_nvml_return nvmlDeviceGetTemperature(void *device, unsigned int sensor, unsigned int *celsius)
{
	struct gs_target t;
	enum gs_nvml_return r = read_meter("DeviceGetTemperature", device, celsius, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (sensor != 0)
		return GS_NVML_INVALID_ARGUMENT;
	*celsius = 30 + load(&t) * 38 / 100 + gs_standin_wobble(&t, 3);
	return GS_NVML_SUCCESS;
}

/* Field ids of interfaces 5.3. */
static bool field(const struct gs_target *t, uint32_t id, uint32_t *ret_value)
{
	switch (id) {
	case 184:   /* IS_RESETLESS_MIG_SUPPORTED */
		*ret_value = t->gpu->model && !t->gpu->model->needs_reset;
		return true;
	case 199:   /* IS_MIG_MODE_INDEPENDENT_MIG_QUERY_CAPABLE */
		*ret_value = t->gpu->model != NULL;
		return true;
	case 185:   /* POWER_AVERAGE */
	case 186:   /* POWER_INSTANT */
		*ret_value = power(t);
		return true;
	case 190:   /* POWER_CURRENT_LIMIT */
		*ret_value = t->gpu->power_limit_mw;
		return true;
	case 82:    /* MEMORY_TEMP */
		*ret_value = 34 + load(t) * 42 / 100;
		return true;
	default:
		return false;
	}
}

enum gs_nvml_return nvmlDeviceGetFieldValues(void *device, int count, struct gs_abi_field_value *values)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetFieldValues", device, GS_HANDLE_GPU, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (count <= 0 || !values)
		return GS_NVML_INVALID_ARGUMENT;
	for (int i = 0; i < count; i++) {
		struct gs_abi_field_value *v = &values[i];
		uint32_t value = 0;

		v->nvml_return = field(&t, v->field_id, &value) ? GS_NVML_SUCCESS : GS_NVML_NOT_SUPPORTED;
		v->timestamp = gs_wall_now().ms * 1000;
		v->latency_usec = 0;
		v->value_type = VALUE_TYPE_UINT;
		memset(&v->value, 0, sizeof(v->value));
		v->value.u32 = value;
	}
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned int *count,
							    struct gs_abi_process_info *infos)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetComputeRunningProcesses_v3", device, ANY_DEVICE, &t);
	unsigned int n = 0, room;

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!count || (*count && !infos))
		return GS_NVML_INVALID_ARGUMENT;
	if (is_hidden_aggregate(&t))
		return GS_NVML_NO_PERMISSION;
	room = *count;
	for (size_t i = 0; i < t.state->n_processes; i++) {
		const struct gs_sim_process *p = &t.state->processes[i];

		for (size_t k = 0; k < p->n_uses; k++) {
			if (!p->uses[k].cuda || !use_is_in(&t, &p->uses[k]))
				continue;
			/* GS_SIM_NONE is NVML's «no instance» too */
			if (n < room)
				infos[n] = (struct gs_abi_process_info){ p->pid, p->uses[k].memory_bytes, p->uses[k].gi,
									 p->uses[k].ci };
			n++;
		}
	}
	*count = n;
	return n > room ? GS_NVML_INSUFFICIENT_SIZE : GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlDeviceGetGraphicsRunningProcesses_v3(void *device, unsigned int *count,
							     struct gs_abi_process_info *infos)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetGraphicsRunningProcesses_v3", device, ANY_DEVICE, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!count || (*count && !infos))
		return GS_NVML_INVALID_ARGUMENT;
	if (is_hidden_aggregate(&t))
		return GS_NVML_NO_PERMISSION;
	*count = 0;
	return GS_NVML_SUCCESS;
}

/* The same struct under the name of before; a library of today has both. */
enum gs_nvml_return nvmlDeviceGetComputeRunningProcesses_v2(void *device, unsigned int *count, struct gs_abi_process_info *infos)
{
	return nvmlDeviceGetComputeRunningProcesses_v3(device, count, infos);
}

enum gs_nvml_return nvmlDeviceGetGraphicsRunningProcesses_v2(void *device, unsigned int *count, struct gs_abi_process_info *infos)
{
	return nvmlDeviceGetGraphicsRunningProcesses_v3(device, count, infos);
}
