/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nvml_vgpu_abi.h - NVML's part in vGPUs: modes, schedulers, what runs in
 * them. The structs (interfaces 5.4) and the calls that fill them (5.6).
 */
#ifndef GS_BACKEND_NVML_VGPU_ABI_H
#define GS_BACKEND_NVML_VGPU_ABI_H

#include <stdint.h>

#include "backend/nvml_abi.h"

/* nvmlHostVgpuMode_t (interfaces 5.3). */
enum {
	NVML_HOST_VGPU_MODE_NON_SRIOV = 0,
	NVML_HOST_VGPU_MODE_SRIOV = 1,
};

/* nvmlDeviceVgpuCapability_t, those that we ask for. */
enum {
	NVML_VGPU_CAP_HETEROGENEOUS_SIZES = 2,
	NVML_VGPU_CAP_MIG_TIMESLICING = 10,
};

enum {
	NVML_SCHEDULER_UNKNOWN = 0,
	NVML_SCHEDULER_BEST_EFFORT = 1,
	NVML_SCHEDULER_EQUAL_SHARE = 2,
	NVML_SCHEDULER_FIXED_SHARE = 3,
};

enum {
	NVML_ARR_DEFAULT = 0,
	NVML_ARR_DISABLE = 1,
	NVML_ARR_ENABLE = 2,
};

#define NVML_SCHEDULER_ENGINE_GRAPHICS 1u
/* In a placement list 0 asks for those of mixed sizes, where in the mode itself 1 says that it is on. */
#define NVML_PLACEMENTS_HETEROGENEOUS 0u
#define NVML_NO_PLACEMENT 0xffffu
#define NVML_VM_ID_IS_UUID 1
#define NVML_VM_ID_TEXT 80
#define NVML_VGPU_TEXT 96

/* Current state of a licence. */
enum {
	NVML_LICENCE_UNKNOWN = 0,
	NVML_LICENCE_UNINITIALIZED = 1,
	NVML_LICENCE_UNLICENSED_UNRESTRICTED = 2,
	NVML_LICENCE_UNLICENSED_RESTRICTED = 3,
	NVML_LICENCE_UNLICENSED = 4,
	NVML_LICENCE_LICENSED = 5,
};
#define NVML_LICENCE_EXPIRY_VALID 2

struct nvml_heterogeneous {
	unsigned int version, mode;
};

struct nvml_placement_id {
	unsigned int version, id;
};

/* nvmlVgpuPlacementList_v2_t; version 1 ends before @mode. */
struct nvml_placement_list {
	unsigned int version, size, count;
	unsigned int *ids;
	unsigned int mode;
};

/* Versions 1 of the scheduler: with a range of the time slice, or of frequency and factor under adaptive round robin. */
union nvml_scheduler_params {
	struct {
		unsigned int average_factor, rest;      /* read: time slice in ns; written: frequency */
	} arr;
	unsigned int timeslice;                         /* ns */
};

struct nvml_scheduler_state {
	unsigned int policy, arr;
	union nvml_scheduler_params params;
};

/* nvmlVgpuSchedulerStateInfo_v1_t and nvmlVgpuSchedulerState_v1_t, of a GI. */
struct nvml_gi_scheduler_state {
	unsigned int version, engine, policy, arr;
	union nvml_scheduler_params params;
};

/* Version 2, of a GPU or a GI: no version word. Read: time slice in ns; written: frequency. */
struct nvml_scheduler_state_v2 {
	unsigned int engine, policy, average_factor, rest;
};

struct nvml_scheduler_capabilities {
	unsigned int policies[3];
	unsigned int max_timeslice, min_timeslice;
	unsigned int has_arr;
	unsigned int max_frequency, min_frequency, max_average_factor, min_average_factor;
};

struct nvml_licence {
	unsigned char is_licensed;
	struct {
		unsigned int year;
		unsigned short month, day, hour, min, sec;
		unsigned char status;
	} expiry;
	unsigned int state;
};

NVML_SIZE_IS(struct nvml_heterogeneous, 8);
NVML_SIZE_IS(struct nvml_placement_id, 8);
NVML_SIZE_IS(struct nvml_placement_list, 32);
NVML_AT(struct nvml_placement_list, ids, 16);
NVML_AT(struct nvml_placement_list, mode, 24);
NVML_SIZE_IS(struct nvml_scheduler_state, 16);
NVML_AT(struct nvml_scheduler_state, params, 8);
NVML_SIZE_IS(struct nvml_gi_scheduler_state, 24);
NVML_AT(struct nvml_gi_scheduler_state, params, 16);
NVML_SIZE_IS(struct nvml_scheduler_state_v2, 16);
NVML_AT(struct nvml_scheduler_state_v2, average_factor, 8);
NVML_SIZE_IS(struct nvml_scheduler_capabilities, 40);
NVML_AT(struct nvml_scheduler_capabilities, has_arr, 20);
NVML_AT(struct nvml_scheduler_capabilities, min_average_factor, 36);
NVML_SIZE_IS(struct nvml_licence, 24);
NVML_AT(struct nvml_licence, expiry, 4);
NVML_AT(struct nvml_licence, state, 20);

_Static_assert(NVML_VERSION_WORD(struct nvml_heterogeneous, 1) == 0x01000008, "nvmlVgpuHeterogeneousMode_v1");
_Static_assert(NVML_VERSION_WORD(struct nvml_placement_id, 1) == 0x01000008, "nvmlVgpuPlacementId_v1");
_Static_assert(NVML_VERSION_WORD(struct nvml_placement_list, 2) == 0x02000020, "nvmlVgpuPlacementList_v2");
_Static_assert(NVML_VERSION_WORD(struct nvml_gi_scheduler_state, 1) == 0x01000018, "nvmlVgpuSchedulerState_v1");

/* Rows of the call table, see nvml.h. */
#define GS_NVML_VGPU_CALLS(X) \
	X(host_vgpu_mode, (nvml_device d, int *mode), "nvmlDeviceGetHostVgpuMode") \
	X(vgpu_capability, (nvml_device d, int capability, unsigned *yes), "nvmlDeviceGetVgpuCapabilities") \
	X(heterogeneous, (nvml_device d, struct nvml_heterogeneous *m), "nvmlDeviceGetVgpuHeterogeneousMode") \
	X(set_heterogeneous, (nvml_device d, const struct nvml_heterogeneous *m), "nvmlDeviceSetVgpuHeterogeneousMode") \
	X(gi_heterogeneous, (nvml_gi gi, struct nvml_heterogeneous *m), "nvmlGpuInstanceGetVgpuHeterogeneousMode") \
	X(set_gi_heterogeneous, (nvml_gi gi, const struct nvml_heterogeneous *m), "nvmlGpuInstanceSetVgpuHeterogeneousMode") \
	X(vgpu_placements, (nvml_device d, unsigned type, struct nvml_placement_list *l), "nvmlDeviceGetVgpuTypeSupportedPlacements") \
	X(scheduler_capabilities, (nvml_device d, struct nvml_scheduler_capabilities *c), "nvmlDeviceGetVgpuSchedulerCapabilities") \
	X(scheduler_v2, (nvml_device d, struct nvml_scheduler_state_v2 *s), "nvmlDeviceGetVgpuSchedulerState_v2") \
	X(set_scheduler_v2, (nvml_device d, struct nvml_scheduler_state_v2 *s), "nvmlDeviceSetVgpuSchedulerState_v2") \
	X(scheduler, (nvml_device d, struct nvml_scheduler_state *s), "nvmlDeviceGetVgpuSchedulerState") \
	X(set_scheduler, (nvml_device d, struct nvml_scheduler_state *s), "nvmlDeviceSetVgpuSchedulerState") \
	X(gi_scheduler_v2, (nvml_gi gi, struct nvml_scheduler_state_v2 *s), "nvmlGpuInstanceGetVgpuSchedulerState_v2") \
	X(set_gi_scheduler_v2, (nvml_gi gi, struct nvml_scheduler_state_v2 *s), "nvmlGpuInstanceSetVgpuSchedulerState_v2") \
	X(gi_scheduler, (nvml_gi gi, struct nvml_gi_scheduler_state *s), "nvmlGpuInstanceGetVgpuSchedulerState") \
	X(set_gi_scheduler, (nvml_gi gi, struct nvml_gi_scheduler_state *s), "nvmlGpuInstanceSetVgpuSchedulerState") \
	X(active_vgpus, (nvml_device d, unsigned *n, uint32_t *vgpus), "nvmlDeviceGetActiveVgpus") \
	X(vgpu_vm_id, (uint32_t vgpu, char *t, unsigned n, int *kind), "nvmlVgpuInstanceGetVmID") \
	X(vgpu_mdev_uuid, (uint32_t vgpu, char *t, unsigned n), "nvmlVgpuInstanceGetMdevUUID") \
	X(vgpu_type, (uint32_t vgpu, unsigned *type), "nvmlVgpuInstanceGetType") \
	X(vgpu_gi_id, (uint32_t vgpu, unsigned *gi), "nvmlVgpuInstanceGetGpuInstanceId") \
	X(vgpu_placement_id, (uint32_t vgpu, struct nvml_placement_id *p), "nvmlVgpuInstanceGetPlacementId") \
	X(vgpu_guest_driver, (uint32_t vgpu, char *t, unsigned n), "nvmlVgpuInstanceGetVmDriverVersion") \
	X(vgpu_licence, (uint32_t vgpu, struct nvml_licence *l), "nvmlVgpuInstanceGetLicenseInfo_v2")

#endif
