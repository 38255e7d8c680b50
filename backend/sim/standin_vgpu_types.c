/* SPDX-License-Identifier: GPL-2.0-or-later */
/* standin_vgpu_types.c - the types of vGPUs that boards offer, and where they may start (interfaces 2.5, 5.6, 5.7). */
#include "backend/sim/standin.h"

#include <stdio.h>
#include <string.h>

#include "backend/sim/vgpu.h"
#include "base/parse.h"

#define TYPE_LIST_V1 0x01000010u        /* nvmlVgpuTypeIdInfo_v1 */
#define TYPE_MAX_V1 0x0100000cu         /* nvmlVgpuTypeMaxInstance_v1 */
#define PLACEMENTS_V1 0x01000018u       /* nvmlVgpuPlacementList_v1 */
#define PLACEMENTS_V2 0x02000020u       /* nvmlVgpuPlacementList_v2 */
#define CREATABLE_PLACEMENTS_V1 0x01000020u
#define PLACEMENTS_HOMOGENEOUS 1u       /* @mode of version 2: 0 is heterogeneous */

/* A type's calls name no device: the first GPU that offers it answers. */
static enum gs_nvml_return find_type(const char *call, uint32_t id, struct gs_sim_gpu **ret_gpu, const struct gs_sim_type **ret_type)
{
	struct gs_sim_state *s;
	enum gs_nvml_return r = gs_standin_enter(call, &s);

	if (r != GS_NVML_SUCCESS)
		return r;
	for (size_t i = 0; i < s->n_gpus; i++) {
		const struct gs_sim_type *t = gs_sim_gpu_is_visible(&s->gpus[i]) ? gs_sim_type_by_id(&s->gpus[i], id) : NULL;

		if (!t)
			continue;
		*ret_gpu = &s->gpus[i];
		*ret_type = t;
		return GS_NVML_SUCCESS;
	}
	return GS_NVML_INVALID_ARGUMENT;
}

/* Text by a size that goes in and out. */
static enum gs_nvml_return put_sized(char *to, unsigned int *size, const char *text)
{
	unsigned int need = (unsigned int)strlen(text) + 1, room;

	if (!size)
		return GS_NVML_INVALID_ARGUMENT;
	room = *size;
	*size = need;
	if (room < need)
		return GS_NVML_INSUFFICIENT_SIZE;
	return gs_standin_put_text(to, need, text);
}

/* A list whose count goes in and out (interfaces 5.7). */
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

/* ------------------------------------------------------------ lists */

enum which { SUPPORTED, CREATABLE };

/* @gi: those that may be created in it. */
static unsigned int list_types(const struct gs_target *t, enum which which, uint32_t *ret_ids)
{
	uint32_t all[GS_SIM_TYPES_MAX];
	size_t n_all = gs_sim_type_ids(t->gpu, all);
	unsigned int n = 0;

	for (size_t i = 0; i < n_all; i++) {
		const struct gs_sim_type *type = gs_sim_type_by_id(t->gpu, all[i]);
		struct gs_sim_vgpu_place place;
		bool fits = type->mig_backed == t->gpu->mig_current;

		if (fits && which == CREATABLE)
			fits = gs_sim_type_is_creatable(t->gpu, type, &place) && (!t->gi || place.gpu_instance_id == t->gi->id);
		if (fits)
			ret_ids[n++] = all[i];
	}
	return n;
}

static enum gs_nvml_return get_types(const char *call, void *device, enum which which, unsigned int *count, uint32_t *types)
{
	uint32_t ids[GS_SIM_TYPES_MAX];
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read(call, device, GS_HANDLE_GPU, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!count)
		return GS_NVML_INVALID_ARGUMENT;
	if (!t.gpu->framework)
		return GS_NVML_NOT_SUPPORTED;
	return put_ids(ids, list_types(&t, which, ids), count, types);
}

enum gs_nvml_return nvmlDeviceGetSupportedVgpus(void *device, unsigned int *count, uint32_t *types)
{
	return get_types("DeviceGetSupportedVgpus", device, SUPPORTED, count, types);
}

enum gs_nvml_return nvmlDeviceGetCreatableVgpus(void *device, unsigned int *count, uint32_t *types)
{
	return get_types("DeviceGetCreatableVgpus", device, CREATABLE, count, types);
}

enum gs_nvml_return nvmlGpuInstanceGetCreatableVgpus(void *gi, struct gs_abi_id_list *list)
{
	uint32_t ids[GS_SIM_TYPES_MAX];
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("GpuInstanceGetCreatableVgpus", gi, GS_HANDLE_GI, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!list)
		return GS_NVML_INVALID_ARGUMENT;
	if (list->version != TYPE_LIST_V1)
		return GS_NVML_ARGUMENT_VERSION_MISMATCH;
	if (!t.gpu->framework)
		return GS_NVML_NOT_SUPPORTED;
	return put_ids(ids, list_types(&t, CREATABLE, ids), &list->count, list->ids);
}

/* ------------------------------------------------------------ one type */

/* The letter at the end says what it is for. */
static char series_of(const struct gs_sim_type *t)
{
	size_t n = strlen(t->name);

	while (n && t->name[n - 1] >= '0' && t->name[n - 1] <= '9')
		n--;
	return n ? t->name[n - 1] : '\0';
}

enum gs_nvml_return nvmlVgpuTypeGetClass(uint32_t type, char *text, unsigned int *size)
{
	const struct gs_sim_type *t;
	struct gs_sim_gpu *gpu;
	enum gs_nvml_return r = find_type("VgpuTypeGetClass", type, &gpu, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	return put_sized(text, size, series_of(t) == 'Q' ? "Quadro" : series_of(t) == 'C' ? "Compute" : "NVS");
}

enum gs_nvml_return nvmlVgpuTypeGetName(uint32_t type, char *text, unsigned int *size)
{
	const struct gs_sim_type *t;
	struct gs_sim_gpu *gpu;
	enum gs_nvml_return r = find_type("VgpuTypeGetName", type, &gpu, &t);

	return r == GS_NVML_SUCCESS ? put_sized(text, size, t->full_name) : r;
}

enum gs_nvml_return nvmlVgpuTypeGetLicense(uint32_t type, char *text, unsigned int size)
{
	const struct gs_sim_type *t;
	struct gs_sim_gpu *gpu;
	enum gs_nvml_return r = find_type("VgpuTypeGetLicense", type, &gpu, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	switch (series_of(t)) {
	case 'Q':
		return gs_standin_put_text(text, size, "NVIDIA RTX Virtual Workstation");
	case 'C':
		return gs_standin_put_text(text, size, "NVIDIA Virtual Compute Server");
	case 'B':
		return gs_standin_put_text(text, size, "NVIDIA Virtual PC");
	default:
		return gs_standin_put_text(text, size, "NVIDIA Virtual Applications");
	}
}

/* A number of a type, from its row. */
static enum gs_nvml_return get_number(const char *call, uint32_t type, uint64_t (*of)(const struct gs_sim_gpu *gpu, const struct gs_sim_type *t), uint64_t *ret)
{
	const struct gs_sim_type *t;
	struct gs_sim_gpu *gpu;
	enum gs_nvml_return r = find_type(call, type, &gpu, &t);

	if (r == GS_NVML_SUCCESS)
		*ret = of(gpu, t);
	return r;
}

static enum gs_nvml_return get_word(const char *call, uint32_t type, uint64_t (*of)(const struct gs_sim_gpu *gpu, const struct gs_sim_type *t), unsigned int *ret)
{
	uint64_t value;
	enum gs_nvml_return r = get_number(call, type, of, &value);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!ret)
		return GS_NVML_INVALID_ARGUMENT;
	*ret = (unsigned int)value;
	return GS_NVML_SUCCESS;
}

static uint64_t framebuffer_of(const struct gs_sim_gpu *gpu, const struct gs_sim_type *t)
{
	(void)gpu;
	return t->framebuffer_bytes;
}

static uint64_t heads_of(const struct gs_sim_gpu *gpu, const struct gs_sim_type *t)
{
	(void)gpu;
	return t->heads.known ? t->heads.value : 1;
}

static uint64_t frame_limit_of(const struct gs_sim_gpu *gpu, const struct gs_sim_type *t)
{
	(void)gpu;
	return t->frame_limit.known ? t->frame_limit.value : 60;
}

static uint64_t per_vm_of(const struct gs_sim_gpu *gpu, const struct gs_sim_type *t)
{
	(void)gpu;
	return series_of(t) == 'Q' || series_of(t) == 'C' ? 16 : 1;
}

static uint64_t gi_profile_of(const struct gs_sim_gpu *gpu, const struct gs_sim_type *t)
{
	if (!t->mig_backed)
		return GS_NVML_NO_INSTANCE;
	if (t->gi_profile_id.known)
		return t->gi_profile_id.value;
	for (size_t i = 0; gpu->model && i < gpu->model->n_profiles; i++) {
		if (gs_str_equal(gpu->model->profiles[i].name, t->gi_profile))
			return gpu->model->profiles[i].id;
	}
	return GS_NVML_NO_INSTANCE;
}

enum gs_nvml_return nvmlVgpuTypeGetFramebufferSize(uint32_t type, uint64_t *bytes)
{
	uint64_t value;
	enum gs_nvml_return r = get_number("VgpuTypeGetFramebufferSize", type, framebuffer_of, &value);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!bytes)
		return GS_NVML_INVALID_ARGUMENT;
	*bytes = value;
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlVgpuTypeGetGpuInstanceProfileId(uint32_t type, unsigned int *profile_id)
{
	return get_word("VgpuTypeGetGpuInstanceProfileId", type, gi_profile_of, profile_id);
}

enum gs_nvml_return nvmlVgpuTypeGetNumDisplayHeads(uint32_t type, unsigned int *heads)
{
	return get_word("VgpuTypeGetNumDisplayHeads", type, heads_of, heads);
}

enum gs_nvml_return nvmlVgpuTypeGetFrameRateLimit(uint32_t type, unsigned int *limit)
{
	return get_word("VgpuTypeGetFrameRateLimit", type, frame_limit_of, limit);
}

enum gs_nvml_return nvmlVgpuTypeGetMaxInstancesPerVm(uint32_t type, unsigned int *count)
{
	return get_word("VgpuTypeGetMaxInstancesPerVm", type, per_vm_of, count);
}

enum gs_nvml_return nvmlVgpuTypeGetDeviceID(uint32_t type, uint64_t *device_id, uint64_t *subsystem_id)
{
	const struct gs_sim_type *t;
	struct gs_sim_gpu *gpu;
	enum gs_nvml_return r = find_type("VgpuTypeGetDeviceID", type, &gpu, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!device_id || !subsystem_id)
		return GS_NVML_INVALID_ARGUMENT;
	*device_id = (uint64_t)gpu->pci.device << 16 | gpu->pci.vendor;
	*subsystem_id = (uint64_t)type << 16 | gpu->pci.vendor;
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlVgpuTypeGetMaxInstances(void *device, uint32_t type, unsigned int *count)
{
	const struct gs_sim_type *type_of;
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("VgpuTypeGetMaxInstances", device, GS_HANDLE_GPU, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	type_of = gs_sim_type_by_id(t.gpu, type);
	if (!count || !type_of)
		return GS_NVML_INVALID_ARGUMENT;
	*count = gs_sim_type_most(type_of, t.gpu->heterogeneous);
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlVgpuTypeGetMaxInstancesPerGpuInstance(struct gs_abi_type_max *max)
{
	const struct gs_sim_type *t;
	struct gs_sim_gpu *gpu;
	enum gs_nvml_return r;

	if (!max)
		return GS_NVML_INVALID_ARGUMENT;
	r = find_type("VgpuTypeGetMaxInstancesPerGpuInstance", max->type, &gpu, &t);
	if (r != GS_NVML_SUCCESS)
		return r;
	if (max->version != TYPE_MAX_V1)
		return GS_NVML_ARGUMENT_VERSION_MISMATCH;
	if (!t->mig_backed)
		return GS_NVML_NOT_SUPPORTED;
	max->max_per_gi = t->max_per_gi.known ? t->max_per_gi.value : 1;
	return GS_NVML_SUCCESS;
}

/* ------------------------------------------------------------ placements */

static enum gs_nvml_return put_placements(const struct gs_target *t, uint32_t type, bool creatable, struct gs_abi_placement_list *list)
{
	const struct gs_sim_type *of = gs_sim_type_by_id(t->gpu, type);
	uint32_t ids[GS_SIM_VFS_MAX];
	unsigned int n = 0, most;
	bool mixed;

	if (!list || !of)
		return GS_NVML_INVALID_ARGUMENT;
	if (list->version != PLACEMENTS_V1 && list->version != PLACEMENTS_V2)
		return GS_NVML_ARGUMENT_VERSION_MISMATCH;
	if (of->mig_backed || t->gpu->mig_current || !gs_sim_mixes_sizes(t->gpu))
		return GS_NVML_NOT_SUPPORTED;
	mixed = list->version == PLACEMENTS_V1 || list->mode != PLACEMENTS_HOMOGENEOUS;
	most = gs_sim_type_most(of, mixed);
	for (unsigned int i = 0; i < most && n < GS_SIM_VFS_MAX; i++) {
		if (!creatable || gs_sim_placement_fits(t->gpu, of, i * gs_sim_type_slots(of)))
			ids[n++] = i * gs_sim_type_slots(of);
	}
	list->placement_size = gs_sim_type_slots(of);
	return put_ids(ids, n, &list->count, list->placement_ids);
}

enum gs_nvml_return nvmlDeviceGetVgpuTypeSupportedPlacements(void *device, uint32_t type, struct gs_abi_placement_list *list)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetVgpuTypeSupportedPlacements", device, GS_HANDLE_GPU, &t);

	return r == GS_NVML_SUCCESS ? put_placements(&t, type, false, list) : r;
}

enum gs_nvml_return nvmlDeviceGetVgpuTypeCreatablePlacements(void *device, uint32_t type, struct gs_abi_placement_list *list)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("DeviceGetVgpuTypeCreatablePlacements", device, GS_HANDLE_GPU, &t);

	return r == GS_NVML_SUCCESS ? put_placements(&t, type, true, list) : r;
}

enum gs_nvml_return nvmlGpuInstanceGetVgpuTypeCreatablePlacements(void *gi, struct gs_abi_creatable_placements *info)
{
	const struct gs_sim_type *of;
	struct gs_sim_vgpu_place place;
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("GpuInstanceGetVgpuTypeCreatablePlacements", gi, GS_HANDLE_GI, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	of = info ? gs_sim_type_by_id(t.gpu, info->type) : NULL;
	if (!of)
		return GS_NVML_INVALID_ARGUMENT;
	if (info->version != CREATABLE_PLACEMENTS_V1)
		return GS_NVML_ARGUMENT_VERSION_MISMATCH;
	if (!of->mig_backed)
		return GS_NVML_NOT_SUPPORTED;
	info->placement_size = gs_sim_type_slots(of);
	if (!gs_sim_type_is_creatable(t.gpu, of, &place) || place.gpu_instance_id != t.gi->id)
		return put_ids(NULL, 0, &info->count, info->placement_ids);
	return put_ids(&place.placement_id, 1, &info->count, info->placement_ids);
}
