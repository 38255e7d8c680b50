/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nvml.h - NVIDIA's management library, opened at run time. Only the collector
 * process does so: an initialised NVML must not cross a fork and holds the
 * GPUs open (interfaces 5.1).
 *
 * Every symbol is optional. A missing one answers 13 (function not found), as
 * the library itself would.
 */
#ifndef GS_BACKEND_NVML_H
#define GS_BACKEND_NVML_H

#include <stdbool.h>

#include "backend/nvml_abi.h"
#include "backend/nvml_telemetry_abi.h"
#include "backend/nvml_vgpu_abi.h"
#include "base/cleanup.h"
#include "base/error.h"

/*
 * X(slot, parameters, symbols): symbols are tried left to
 * right, the newest first. Only those of one ABI stand in one row: a plain
 * name is the oldest ABI with other structs (interfaces 5.1).
 */
#define GS_NVML_BASE_CALLS(X) \
	X(init, (void), "nvmlInit_v2", "nvmlInit") \
	X(shutdown, (void), "nvmlShutdown") \
	X(driver_version, (char *t, unsigned n), "nvmlSystemGetDriverVersion") \
	X(device_count, (unsigned *n), "nvmlDeviceGetCount_v2", "nvmlDeviceGetCount") \
	X(device_by_index, (unsigned i, nvml_device *d), "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex") \
	X(device_by_bus_id, (const char *b, nvml_device *d), "nvmlDeviceGetHandleByPciBusId_v2", "nvmlDeviceGetHandleByPciBusId") \
	X(device_name, (nvml_device d, char *t, unsigned n), "nvmlDeviceGetName") \
	X(device_index, (nvml_device d, unsigned *i), "nvmlDeviceGetIndex") \
	X(device_uuid, (nvml_device d, char *t, unsigned n), "nvmlDeviceGetUUID") \
	X(device_minor, (nvml_device d, unsigned *m), "nvmlDeviceGetMinorNumber") \
	X(device_pci, (nvml_device d, struct nvml_pci_info *p), "nvmlDeviceGetPciInfo_v3") \
	X(device_attributes, (nvml_device d, struct nvml_attributes *a), "nvmlDeviceGetAttributes_v2") \
	X(device_fields, (nvml_device d, int n, struct nvml_field_value *v), "nvmlDeviceGetFieldValues") \
	X(device_architecture, (nvml_device d, unsigned *a), "nvmlDeviceGetArchitecture") \
	X(mig_mode, (nvml_device d, unsigned *now, unsigned *pending), "nvmlDeviceGetMigMode") \
	X(set_mig_mode, (nvml_device d, unsigned mode, int *activation), "nvmlDeviceSetMigMode") \
	X(gi_profile, (nvml_device d, unsigned p, struct nvml_gi_profile_v1 *i), "nvmlDeviceGetGpuInstanceProfileInfo") \
	X(gi_profile_v, (nvml_device d, unsigned p, void *i), "nvmlDeviceGetGpuInstanceProfileInfoV") \
	X(gi_placements, (nvml_device d, unsigned id, struct nvml_placement *p, unsigned *n), \
		"nvmlDeviceGetGpuInstancePossiblePlacements_v2") \
	X(create_gi, (nvml_device d, unsigned id, const struct nvml_placement *p, nvml_gi *gi), \
		"nvmlDeviceCreateGpuInstanceWithPlacement") \
	X(destroy_gi, (nvml_gi gi), "nvmlGpuInstanceDestroy") \
	X(gis, (nvml_device d, unsigned id, nvml_gi *gis, unsigned *n), "nvmlDeviceGetGpuInstances") \
	X(gi_by_id, (nvml_device d, unsigned id, nvml_gi *gi), "nvmlDeviceGetGpuInstanceById") \
	X(gi_info, (nvml_gi gi, struct nvml_gi_info *i), "nvmlGpuInstanceGetInfo") \
	X(ci_profile, (nvml_gi gi, unsigned p, unsigned e, struct nvml_ci_profile_v1 *i), \
		"nvmlGpuInstanceGetComputeInstanceProfileInfo") \
	X(ci_profile_v, (nvml_gi gi, unsigned p, unsigned e, void *i), "nvmlGpuInstanceGetComputeInstanceProfileInfoV") \
	X(ci_placements, (nvml_gi gi, unsigned id, struct nvml_placement *p, unsigned *n), \
		"nvmlGpuInstanceGetComputeInstancePossiblePlacements") \
	X(create_ci, (nvml_gi gi, unsigned id, const struct nvml_placement *p, nvml_ci *ci), \
		"nvmlGpuInstanceCreateComputeInstanceWithPlacement") \
	X(create_ci_anywhere, (nvml_gi gi, unsigned id, nvml_ci *ci), "nvmlGpuInstanceCreateComputeInstance") \
	X(destroy_ci, (nvml_ci ci), "nvmlComputeInstanceDestroy") \
	X(cis, (nvml_gi gi, unsigned id, nvml_ci *cis, unsigned *n), "nvmlGpuInstanceGetComputeInstances") \
	X(ci_info, (nvml_ci ci, struct nvml_ci_info *i), "nvmlComputeInstanceGetInfo_v2") \
	X(device_gi_id, (nvml_device d, unsigned *id), "nvmlDeviceGetGpuInstanceId") \
	X(device_ci_id, (nvml_device d, unsigned *id), "nvmlDeviceGetComputeInstanceId") \
	X(remaining, (nvml_device d, unsigned id, unsigned *n), "nvmlDeviceGetGpuInstanceRemainingCapacity") \
	X(guest_mode, (nvml_device d, unsigned *m), "nvmlDeviceGetVirtualizationMode") \
	X(nvlink_state, (nvml_device d, unsigned link, unsigned *on), "nvmlDeviceGetNvLinkState") \
	X(nvlink_remote, (nvml_device d, unsigned link, struct nvml_pci_info *p), "nvmlDeviceGetNvLinkRemotePciInfo_v2") \
	X(mig_count, (nvml_device d, unsigned *n), "nvmlDeviceGetMaxMigDeviceCount") \
	X(mig_device, (nvml_device d, unsigned i, nvml_device *m), "nvmlDeviceGetMigDeviceHandleByIndex")

#define GS_NVML_CALLS(X) GS_NVML_BASE_CALLS(X) GS_NVML_TELEMETRY_CALLS(X) GS_NVML_VGPU_CALLS(X)

#define GS_NVML_SLOT_(slot, params, ...) int (*slot) params;
struct gs_nvml_table {
	GS_NVML_CALLS(GS_NVML_SLOT_)
};

struct gs_nvml {
	void *library;
	bool is_initialised;
	struct gs_nvml_table call;      /* NULL where the library has no such symbol */
};

/* How a symbol is found; dlsym unless a test says otherwise. */
typedef void *(*gs_nvml_lookup)(void *library, const char *symbol);

/*
 * Open the first of @paths (NULL ends) that can be opened and initialise it.
 * No library: -ENOENT with each path's reason; refused by the library:
 * -ENODEV, -EPERM … with what to do. The caller owns the library.
 */
int gs_nvml_open(const char *const *paths, struct gs_nvml **ret_nvml, struct gs_error *e);
struct gs_nvml *gs_nvml_close(struct gs_nvml *nvml);
GS_DEFINE_CLEANUP(struct gs_nvml *, gs_nvml_close);

/* Fill the table by @lookup; for gs_nvml_open() and tests. */
void gs_nvml_bind(struct gs_nvml_table *table, void *library, gs_nvml_lookup lookup);

/* GS_NVML_CALL(nvml, mig_mode, device, &now, &pending): the library's code, 13 when it lacks the symbol. */
#define GS_NVML_CALL(nvml, slot, ...) ((nvml)->call.slot ? (nvml)->call.slot(__VA_ARGS__) : NVML_ERROR_FUNCTION_NOT_FOUND)

/* "nvmlDeviceGetMigMode" for the slot's offset in the table: the newest symbol. */
const char *gs_nvml_symbol_at(size_t offset);
#define GS_NVML_SYMBOL(slot) gs_nvml_symbol_at(offsetof(struct gs_nvml_table, slot))

/* What is said of a GPU about which NVML answers 15. */
#define GS_NVML_LOST "the GPU has fallen off the bus (NVML answers 15); look at dmesg for Xid 79: the machine, or the board, needs a power cycle"

/* "the GPU has fallen off the bus" …; NULL for a code that we do not know. */
const char *gs_nvml_reason(int code);
/* What an operator can do about it, a sentence; NULL for SUCCESS and for a code that we do not know. */
const char *gs_nvml_remedy(int code);
/* The errno that fits: 4 -EPERM, 15 -ENODEV, 19 -EBUSY, 23 -ENOSPC …; -EIO for the rest. */
int gs_nvml_errno(int code);
/* Fill @e: "<what>: <symbol> says 19: in use by another client. <remedy>". Returns the negative errno. */
int gs_nvml_error(struct gs_error *e, int code, const char *symbol, const char *fmt, ...) GS_PRINTF(4, 5);

#endif
