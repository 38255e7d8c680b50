/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * standin_vgpu_guests.c - vGPUs that a VM has open, and what runs in them. One
 * that was merely created is not listed (interfaces 5.7).
 */
#include "backend/sim/standin.h"

#include <stdio.h>
#include <string.h>

#include "backend/sim/drivers.h"
#include "backend/sim/function.h"
#include "backend/sim/vgpu.h"
#include "base/parse.h"

#define ACTIVE_LIST_V1 0x01000010u      /* nvmlActiveVgpuInstanceInfo_v1 */
#define PLACEMENT_ID_V1 0x01000008u     /* nvmlVgpuPlacementId_v1 */
#define RUNTIME_STATE_V1 0x01000010u    /* nvmlVgpuRuntimeState_v1 */
#define VM_ID_UUID 1u
#define LICENSED 5u
#define EXPIRY_VALID 2u
#define EXPIRY_NOT_APPLICABLE 3u

/* An id says which GPU and which of its slots: VFs, then mdevs. Never 0, and large as a driver's are. */
#define ID_BASE 0xc1d00000u
#define ID_MDEV 0x100u

struct guest {
	struct gs_sim_state *state;
	struct gs_sim_gpu *gpu;
	const struct gs_sim_type *type;
	const struct gs_sim_vf *vf;             /* NULL for an mdev */
	const struct gs_sim_mdev *mdev;         /* NULL for a vGPU on a VF by vendor VFIO */
	const struct gs_sim_process *vm;
};

static uint32_t id_of(uint32_t gpu, uint32_t slot)
{
	return ID_BASE | gpu << 12 | slot;
}

/* Who has the node of that group open. */
static const struct gs_sim_process *holder_of(const struct gs_sim_state *s, uint32_t group)
{
	char node[32];

	snprintf(node, sizeof(node), "/dev/vfio/%u", group);
	for (size_t i = 0; i < s->n_processes; i++) {
		const struct gs_sim_process *p = &s->processes[i];

		for (size_t k = 0; k < p->n_opens; k++) {
			if (gs_str_equal(p->opens[k], node))
				return p;
		}
	}
	return NULL;
}

static bool open_guest(struct gs_sim_state *s, uint32_t gpu_index, uint32_t slot, struct guest *ret)
{
	struct gs_sim_gpu *gpu = gs_sim_gpu_at(s, gpu_index);
	struct guest g = { .state = s, .gpu = gpu };

	if (!gpu || !gs_sim_gpu_is_visible(gpu) || !gpu->framework)
		return false;
	if (slot >= ID_MDEV) {
		g.mdev = slot - ID_MDEV < gpu->n_mdevs ? &gpu->mdevs[slot - ID_MDEV] : NULL;
		g.type = g.mdev ? gs_sim_type_by_id(gpu, g.mdev->type) : NULL;
		g.vm = g.mdev ? holder_of(s, g.mdev->iommu_group) : NULL;
	} else if (slot < gpu->total_vfs && gpu->vfs[slot].state != GS_SIM_VF_ABSENT) {
		g.vf = &gpu->vfs[slot];
		g.type = gs_sim_type_by_id(gpu, g.vf->vgpu_type);
		g.vm = g.type ? holder_of(s, g.vf->pci.iommu_group) : NULL;
	}
	if (!g.type || !g.vm)
		return false;
	*ret = g;
	return true;
}

static enum gs_nvml_return find(const char *call, uint32_t vgpu, struct guest *ret)
{
	struct gs_sim_state *s;
	enum gs_nvml_return r = gs_standin_enter(call, &s);

	if (r != GS_NVML_SUCCESS)
		return r;
	if ((vgpu & 0xfff00000u) != ID_BASE || !open_guest(s, vgpu >> 12 & 0xff, vgpu & 0xfff, ret))
		return GS_NVML_NOT_FOUND;
	return ret->gpu->lost ? GS_NVML_GPU_IS_LOST : GS_NVML_SUCCESS;
}

static unsigned int list(const struct gs_target *t, uint32_t *ret_ids)
{
	uint32_t index = gs_sim_gpu_index(t->state, t->gpu);
	unsigned int n = 0;
	struct guest g;

	for (uint32_t slot = 0; slot < t->gpu->total_vfs; slot++) {
		if (open_guest(t->state, index, slot, &g) && (!t->gi || g.vf->gpu_instance_id == t->gi->id))
			ret_ids[n++] = id_of(index, slot);
	}
	for (uint32_t i = 0; !t->gi && i < t->gpu->n_mdevs; i++) {
		if (open_guest(t->state, index, ID_MDEV + i, &g))
			ret_ids[n++] = id_of(index, ID_MDEV + i);
	}
	return n;
}

static enum gs_nvml_return put_ids(const uint32_t *ids, unsigned int n, unsigned int *count, uint32_t *to)
{
	unsigned int room = *count;

	*count = n;
	if (!n)
		return GS_NVML_SUCCESS;
	if (!to || room < n)
		return GS_NVML_INSUFFICIENT_SIZE;
	memcpy(to, ids, n * sizeof(*ids));
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlDeviceGetActiveVgpus(void *device, unsigned int *count, uint32_t *vgpus)
{
	uint32_t ids[GS_SIM_VFS_MAX + GS_SIM_MDEVS_MAX];
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetActiveVgpus", device, GS_HANDLE_GPU, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!count)
		return GS_NVML_INVALID_ARGUMENT;
	if (!t.gpu->framework)
		return GS_NVML_NOT_SUPPORTED;
	return put_ids(ids, list(&t, ids), count, vgpus);
}

enum gs_nvml_return nvmlGpuInstanceGetActiveVgpus(void *gi, struct gs_abi_id_list *info)
{
	uint32_t ids[GS_SIM_VFS_MAX + GS_SIM_MDEVS_MAX];
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("GpuInstanceGetActiveVgpus", gi, GS_HANDLE_GI, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!info)
		return GS_NVML_INVALID_ARGUMENT;
	if (info->version != ACTIVE_LIST_V1)
		return GS_NVML_ARGUMENT_VERSION_MISMATCH;
	if (!t.gpu->framework)
		return GS_NVML_NOT_SUPPORTED;
	return put_ids(ids, list(&t, ids), &info->count, info->ids);
}

/* ------------------------------------------------------------ one of them */

/* As QEMU has it on its command line. */
static const char *vm_uuid(const struct gs_sim_process *vm)
{
	for (size_t i = 0; i + 1 < vm->n_args; i++) {
		if (gs_str_equal(vm->args[i], "-uuid"))
			return vm->args[i + 1];
	}
	return "00000000-0000-0000-0000-000000000000";
}

enum gs_nvml_return nvmlVgpuInstanceGetVmID(uint32_t vgpu, char *text, unsigned int size, unsigned int *kind)
{
	struct guest g;
	enum gs_nvml_return r = find("VgpuInstanceGetVmID", vgpu, &g);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!kind)
		return GS_NVML_INVALID_ARGUMENT;
	*kind = VM_ID_UUID;
	return gs_standin_put_text(text, size, vm_uuid(g.vm));
}

/* A name of its own, made of the id. */
enum gs_nvml_return nvmlVgpuInstanceGetUUID(uint32_t vgpu, char *text, unsigned int size)
{
	char uuid[48];
	struct guest g;
	enum gs_nvml_return r = find("VgpuInstanceGetUUID", vgpu, &g);

	if (r != GS_NVML_SUCCESS)
		return r;
	snprintf(uuid, sizeof(uuid), "%08x-0000-5000-8000-%012x", vgpu, g.vm->pid);
	return gs_standin_put_text(text, size, uuid);
}

enum gs_nvml_return nvmlVgpuInstanceGetMdevUUID(uint32_t vgpu, char *text, unsigned int size)
{
	struct guest g;
	enum gs_nvml_return r = find("VgpuInstanceGetMdevUUID", vgpu, &g);

	if (r != GS_NVML_SUCCESS)
		return r;
	return g.mdev ? gs_standin_put_text(text, size, g.mdev->uuid) : GS_NVML_NOT_SUPPORTED;
}

static bool has_driver(const struct guest *g)
{
	return g->vm->guest_driver && g->vm->guest_driver[0];
}

enum gs_nvml_return nvmlVgpuInstanceGetVmDriverVersion(uint32_t vgpu, char *text, unsigned int size)
{
	struct guest g;
	enum gs_nvml_return r = find("VgpuInstanceGetVmDriverVersion", vgpu, &g);

	if (r != GS_NVML_SUCCESS)
		return r;
	return gs_standin_put_text(text, size, has_driver(&g) ? g.vm->guest_driver : "Not Available");
}

enum gs_nvml_return nvmlVgpuInstanceGetFbUsage(uint32_t vgpu, uint64_t *bytes)
{
	struct guest g;
	enum gs_nvml_return r = find("VgpuInstanceGetFbUsage", vgpu, &g);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!bytes)
		return GS_NVML_INVALID_ARGUMENT;
	*bytes = has_driver(&g) ? g.type->framebuffer_bytes / 8 * (1 + g.vm->pid % 6) : 0;
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlVgpuInstanceGetLicenseStatus(uint32_t vgpu, unsigned int *licensed)
{
	struct guest g;
	enum gs_nvml_return r = find("VgpuInstanceGetLicenseStatus", vgpu, &g);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!licensed)
		return GS_NVML_INVALID_ARGUMENT;
	*licensed = g.vm->guest_licence == LICENSED;
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlVgpuInstanceGetLicenseInfo_v2(uint32_t vgpu, struct gs_abi_licence *licence)
{
	struct guest g;
	enum gs_nvml_return r = find("VgpuInstanceGetLicenseInfo_v2", vgpu, &g);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!licence)
		return GS_NVML_INVALID_ARGUMENT;
	*licence = (struct gs_abi_licence){ .is_licensed = g.vm->guest_licence == LICENSED, .status = EXPIRY_NOT_APPLICABLE, .state = g.vm->guest_licence };
	if (licence->is_licensed) {
		licence->year = 2027;
		licence->month = licence->day = 1;
		licence->status = EXPIRY_VALID;
	}
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlVgpuInstanceGetType(uint32_t vgpu, uint32_t *type)
{
	struct guest g;
	enum gs_nvml_return r = find("VgpuInstanceGetType", vgpu, &g);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!type)
		return GS_NVML_INVALID_ARGUMENT;
	*type = gs_sim_type_id(g.gpu, g.type);
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlVgpuInstanceGetFrameRateLimit(uint32_t vgpu, unsigned int *limit)
{
	struct guest g;
	enum gs_nvml_return r = find("VgpuInstanceGetFrameRateLimit", vgpu, &g);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!limit)
		return GS_NVML_INVALID_ARGUMENT;
	*limit = g.type->frame_limit.known ? g.type->frame_limit.value : 60;
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlVgpuInstanceGetGpuInstanceId(uint32_t vgpu, unsigned int *gi)
{
	struct guest g;
	enum gs_nvml_return r = find("VgpuInstanceGetGpuInstanceId", vgpu, &g);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!gi)
		return GS_NVML_INVALID_ARGUMENT;
	*gi = g.vf ? g.vf->gpu_instance_id : GS_NVML_NO_INSTANCE;
	return GS_NVML_SUCCESS;
}

/* Its address in the guest, which nobody knows before a driver runs there. */
enum gs_nvml_return nvmlVgpuInstanceGetGpuPciId(uint32_t vgpu, char *text, unsigned int *length)
{
	const char *address;
	unsigned int room, need;
	struct guest g;
	enum gs_nvml_return r = find("VgpuInstanceGetGpuPciId", vgpu, &g);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!length)
		return GS_NVML_INVALID_ARGUMENT;
	address = has_driver(&g) ? "00000000:06:00.0" : "00000000:00:00.0";
	room = *length;
	*length = need = (unsigned int)strlen(address) + 1;
	return room < need ? GS_NVML_INSUFFICIENT_SIZE : gs_standin_put_text(text, need, address);
}

enum gs_nvml_return nvmlVgpuInstanceGetPlacementId(uint32_t vgpu, struct gs_abi_placement_id *placement)
{
	struct guest g;
	enum gs_nvml_return r = find("VgpuInstanceGetPlacementId", vgpu, &g);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!placement)
		return GS_NVML_INVALID_ARGUMENT;
	if (placement->version != PLACEMENT_ID_V1)
		return GS_NVML_ARGUMENT_VERSION_MISMATCH;
	placement->placement_id = g.vf && !g.mdev ? g.vf->placement_id : 0xffffu;
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlVgpuInstanceGetRuntimeStateSize(uint32_t vgpu, struct gs_abi_sized *state)
{
	struct guest g;
	enum gs_nvml_return r = find("VgpuInstanceGetRuntimeStateSize", vgpu, &g);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!state)
		return GS_NVML_INVALID_ARGUMENT;
	if (state->version != RUNTIME_STATE_V1)
		return GS_NVML_ARGUMENT_VERSION_MISMATCH;
	state->bytes = g.type->framebuffer_bytes + (64ull << 20);
	return GS_NVML_SUCCESS;
}

/* ------------------------------------------------------------ load */

#define UTILIZATIONS_V1 0x01000020u     /* nvmlVgpuInstancesUtilizationInfo_v1 */
#define VALUE_UINT 1u

/* Of MIG-backed ones, and in MIG mode, the driver tells nothing (interfaces 2.6). */
static bool tells_load(const struct gs_target *t)
{
	return t->gpu->framework && !t->gpu->mig_current;
}

static uint32_t load_of(const struct gs_target *t, uint32_t vgpu)
{
	struct guest g;

	if (!open_guest(t->state, vgpu >> 12 & 0xff, vgpu & 0xfff, &g) || !has_driver(&g))
		return 0;
	return 20 + (g.vm->pid + gs_standin_wobble(t, 30)) % 60;
}

enum gs_nvml_return nvmlDeviceGetVgpuInstancesUtilizationInfo(void *device, struct gs_abi_vgpu_utilizations *info)
{
	uint32_t ids[GS_SIM_VFS_MAX + GS_SIM_MDEVS_MAX];
	unsigned int n, room;
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetVgpuInstancesUtilizationInfo", device, GS_HANDLE_GPU, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!info)
		return GS_NVML_INVALID_ARGUMENT;
	if (info->version != UTILIZATIONS_V1)
		return GS_NVML_ARGUMENT_VERSION_MISMATCH;
	if (!tells_load(&t))
		return GS_NVML_NOT_SUPPORTED;
	n = list(&t, ids);
	room = info->count;
	info->count = n;
	info->value_type = VALUE_UINT;
	if (n && (!info->items || room < n))
		return GS_NVML_INSUFFICIENT_SIZE;
	for (unsigned int i = 0; i < n; i++) {
		info->items[i] = (struct gs_abi_vgpu_utilization){ .vgpu = ids[i] };
		info->items[i].sm.u32 = load_of(&t, ids[i]);
		info->items[i].memory.u32 = info->items[i].sm.u32 / 2;
	}
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlDeviceGetVgpuUtilization(void *device, unsigned long long since, unsigned int *value_type, unsigned int *count,
						 struct gs_abi_vgpu_sample *samples)
{
	uint32_t ids[GS_SIM_VFS_MAX + GS_SIM_MDEVS_MAX];
	unsigned int n, room;
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetVgpuUtilization", device, GS_HANDLE_GPU, &t);

	(void)since;
	if (r != GS_NVML_SUCCESS)
		return r;
	if (!value_type || !count)
		return GS_NVML_INVALID_ARGUMENT;
	if (!tells_load(&t))
		return GS_NVML_NOT_SUPPORTED;
	n = list(&t, ids);
	room = *count;
	*count = n;
	*value_type = VALUE_UINT;
	if (n && (!samples || room < n))
		return GS_NVML_INSUFFICIENT_SIZE;
	for (unsigned int i = 0; i < n; i++) {
		samples[i] = (struct gs_abi_vgpu_sample){ .vgpu = ids[i] };
		samples[i].sm.u32 = load_of(&t, ids[i]);
		samples[i].memory.u32 = samples[i].sm.u32 / 2;
	}
	return GS_NVML_SUCCESS;
}
