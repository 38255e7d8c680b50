/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nvml_abi.h - the binary interface that the stand-in offers: layouts and
 * symbols of interfaces 5.4 and 5.6, declared here a second time on purpose. The
 * loader has its own declarations; a shared header would hide a mistake in both.
 */
#ifndef GS_SIM_NVML_ABI_H
#define GS_SIM_NVML_ABI_H

#include <stdint.h>

/* interfaces 5.2 */
enum gs_nvml_return {
	GS_NVML_SUCCESS = 0,
	GS_NVML_UNINITIALIZED = 1,
	GS_NVML_INVALID_ARGUMENT = 2,
	GS_NVML_NOT_SUPPORTED = 3,
	GS_NVML_NO_PERMISSION = 4,
	GS_NVML_NOT_FOUND = 6,
	GS_NVML_INSUFFICIENT_SIZE = 7,
	GS_NVML_DRIVER_NOT_LOADED = 9,
	GS_NVML_GPU_IS_LOST = 15,
	GS_NVML_OPERATING_SYSTEM = 17,
	GS_NVML_IN_USE = 19,
	GS_NVML_MEMORY = 20,
	GS_NVML_INSUFFICIENT_RESOURCES = 23,
	GS_NVML_ARGUMENT_VERSION_MISMATCH = 25,
	GS_NVML_UNKNOWN = 999,
};

#define GS_NVML_NO_INSTANCE 0xffffffffu
/* One past the last GI profile enum of the header of API 13 (interfaces 5.3). */
#define GS_NVML_GI_PROFILES 0x12u
#define GS_NVML_CI_PROFILES 9u

struct gs_abi_pci_info {
	char bus_id_legacy[16];
	uint32_t domain, bus, device, pci_device_id, pci_subsystem_id;
	char bus_id[32];
};
_Static_assert(sizeof(struct gs_abi_pci_info) == 68, "nvmlPciInfo_t");

struct gs_abi_memory {
	uint64_t total, free, used;
};
_Static_assert(sizeof(struct gs_abi_memory) == 24, "nvmlMemory_t");

struct gs_abi_memory_v2 {
	uint32_t version;
	uint64_t total, reserved, free, used;
};
_Static_assert(sizeof(struct gs_abi_memory_v2) == 40, "nvmlMemory_v2_t");

struct gs_abi_utilization {
	uint32_t gpu, memory;
};
_Static_assert(sizeof(struct gs_abi_utilization) == 8, "nvmlUtilization_t");

struct gs_abi_process_info {
	uint32_t pid;
	uint64_t used_gpu_memory;
	uint32_t gpu_instance_id, compute_instance_id;
};
_Static_assert(sizeof(struct gs_abi_process_info) == 24, "nvmlProcessInfo_v2_t");

struct gs_abi_attributes {
	uint32_t multiprocessor_count, copy_engines, decoders, encoders, jpegs, ofas;
	uint32_t gpu_instance_slices, compute_instance_slices;
	uint64_t memory_size_mb;
};
_Static_assert(sizeof(struct gs_abi_attributes) == 40, "nvmlDeviceAttributes_t");

struct gs_abi_field_value {
	uint32_t field_id, scope_id;
	int64_t timestamp, latency_usec;
	uint32_t value_type;
	enum gs_nvml_return nvml_return;
	union {
		double d;
		uint32_t u32;
		uint64_t u64;
	} value;
};
_Static_assert(sizeof(struct gs_abi_field_value) == 40, "nvmlFieldValue_t");

/* nvmlGpuInstancePlacement_t and nvmlComputeInstancePlacement_t */
struct gs_abi_placement {
	uint32_t start, size;
};
_Static_assert(sizeof(struct gs_abi_placement) == 8, "nvmlGpuInstancePlacement_t");

struct gs_abi_gi_profile {
	uint32_t id, is_p2p_supported, slice_count, instance_count, multiprocessor_count;
	uint32_t copy_engines, decoders, encoders, jpegs, ofas;
	uint64_t memory_size_mb;
};
_Static_assert(sizeof(struct gs_abi_gi_profile) == 48, "nvmlGpuInstanceProfileInfo_t");

struct gs_abi_gi_profile_v2 {
	uint32_t version, id, is_p2p_supported, slice_count, instance_count, multiprocessor_count;
	uint32_t copy_engines, decoders, encoders, jpegs, ofas;
	uint64_t memory_size_mb;
	char name[96];
};
_Static_assert(sizeof(struct gs_abi_gi_profile_v2) == 152, "nvmlGpuInstanceProfileInfo_v2_t");

/* Same size as v2, other offsets: without is_p2p_supported. */
struct gs_abi_gi_profile_v3 {
	uint32_t version, id, slice_count, instance_count, multiprocessor_count;
	uint32_t copy_engines, decoders, encoders, jpegs, ofas;
	uint64_t memory_size_mb;
	char name[96];
	uint32_t capabilities;
};
_Static_assert(sizeof(struct gs_abi_gi_profile_v3) == 152, "nvmlGpuInstanceProfileInfo_v3_t");
_Static_assert(__builtin_offsetof(struct gs_abi_gi_profile_v3, capabilities) == 144, "v3 capabilities");

#define GS_ABI_GI_PROFILE_V2 0x02000098u
#define GS_ABI_GI_PROFILE_V3 0x03000098u

struct gs_abi_gi_info {
	void *device;
	uint32_t id, profile_id;
	struct gs_abi_placement placement;
};
_Static_assert(sizeof(struct gs_abi_gi_info) == 24, "nvmlGpuInstanceInfo_t");

struct gs_abi_ci_profile {
	uint32_t id, slice_count, instance_count, multiprocessor_count;
	uint32_t copy_engines, decoders, encoders, jpegs, ofas;
};
_Static_assert(sizeof(struct gs_abi_ci_profile) == 36, "nvmlComputeInstanceProfileInfo_t");

struct gs_abi_ci_profile_v2 {
	uint32_t version;
	struct gs_abi_ci_profile v1;
	char name[96];
};
_Static_assert(sizeof(struct gs_abi_ci_profile_v2) == 136, "nvmlComputeInstanceProfileInfo_v2_t");

struct gs_abi_ci_profile_v3 {
	struct gs_abi_ci_profile_v2 v2;
	uint32_t capabilities;
};
_Static_assert(sizeof(struct gs_abi_ci_profile_v3) == 140, "nvmlComputeInstanceProfileInfo_v3_t");

#define GS_ABI_CI_PROFILE_V2 0x02000088u
#define GS_ABI_CI_PROFILE_V3 0x0300008cu
#define GS_ABI_MEMORY_V2 0x02000028u

struct gs_abi_ci_info {
	void *device, *gpu_instance;
	uint32_t id, profile_id;
	struct gs_abi_placement placement;
};
_Static_assert(sizeof(struct gs_abi_ci_info) == 32, "nvmlComputeInstanceInfo_t");

/* What the library exports, and nothing else. */
/* nvmlVgpuHeterogeneousMode_v1_t */
struct gs_abi_heterogeneous {
	unsigned int version, mode;
};
_Static_assert(sizeof(struct gs_abi_heterogeneous) == 8, "nvmlVgpuHeterogeneousMode_v1_t");

#pragma GCC visibility push(default)

const char *nvmlErrorString(enum gs_nvml_return result);
enum gs_nvml_return nvmlInit_v2(void);
enum gs_nvml_return nvmlInitWithFlags(unsigned int flags);
enum gs_nvml_return nvmlShutdown(void);
enum gs_nvml_return nvmlSystemGetDriverVersion(char *version, unsigned int length);
enum gs_nvml_return nvmlSystemGetNVMLVersion(char *version, unsigned int length);
enum gs_nvml_return nvmlSystemGetProcessName(unsigned int pid, char *name, unsigned int length);
enum gs_nvml_return nvmlGetExcludedDeviceCount(unsigned int *count);
enum gs_nvml_return nvmlDeviceGetCount_v2(unsigned int *count);
enum gs_nvml_return nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device);
enum gs_nvml_return nvmlDeviceGetHandleByUUID(const char *uuid, void **device);
enum gs_nvml_return nvmlDeviceGetHandleByPciBusId_v2(const char *bus_id, void **device);
enum gs_nvml_return nvmlDeviceGetName(void *device, char *name, unsigned int length);
enum gs_nvml_return nvmlDeviceGetIndex(void *device, unsigned int *index);
enum gs_nvml_return nvmlDeviceGetUUID(void *device, char *uuid, unsigned int length);
enum gs_nvml_return nvmlDeviceGetMinorNumber(void *device, unsigned int *minor);
enum gs_nvml_return nvmlDeviceGetPciInfo_v3(void *device, struct gs_abi_pci_info *pci);
enum gs_nvml_return nvmlDeviceGetArchitecture(void *device, unsigned int *architecture);
enum gs_nvml_return nvmlDeviceGetPersistenceMode(void *device, unsigned int *mode);
enum gs_nvml_return nvmlDeviceGetVirtualizationMode(void *device, unsigned int *mode);
enum gs_nvml_return nvmlDeviceGetHostVgpuMode(void *device, unsigned int *mode);
enum gs_nvml_return nvmlDeviceGetVgpuHeterogeneousMode(void *device, struct gs_abi_heterogeneous *mode);
enum gs_nvml_return nvmlDeviceSetVgpuHeterogeneousMode(void *device, const struct gs_abi_heterogeneous *mode);
enum gs_nvml_return nvmlDeviceGetMemoryInfo(void *device, struct gs_abi_memory *memory);
enum gs_nvml_return nvmlDeviceGetMemoryInfo_v2(void *device, struct gs_abi_memory_v2 *memory);
enum gs_nvml_return nvmlDeviceGetUtilizationRates(void *device, struct gs_abi_utilization *utilization);
enum gs_nvml_return nvmlDeviceGetPowerUsage(void *device, unsigned int *milliwatts);
enum gs_nvml_return nvmlDeviceGetEnforcedPowerLimit(void *device, unsigned int *milliwatts);
enum gs_nvml_return nvmlDeviceGetTemperature(void *device, unsigned int sensor, unsigned int *celsius);
enum gs_nvml_return nvmlDeviceGetFieldValues(void *device, int count, struct gs_abi_field_value *values);
enum gs_nvml_return nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned int *count,
	struct gs_abi_process_info *infos);
enum gs_nvml_return nvmlDeviceGetGraphicsRunningProcesses_v3(void *device, unsigned int *count,
	struct gs_abi_process_info *infos);
enum gs_nvml_return nvmlDeviceGetAttributes_v2(void *device, struct gs_abi_attributes *attributes);
enum gs_nvml_return nvmlDeviceSetMigMode(void *device, unsigned int mode, enum gs_nvml_return *activation);
enum gs_nvml_return nvmlDeviceGetMigMode(void *device, unsigned int *current, unsigned int *pending);
enum gs_nvml_return nvmlDeviceGetGpuInstanceProfileInfo(void *device, unsigned int profile,
	struct gs_abi_gi_profile *info);
enum gs_nvml_return nvmlDeviceGetGpuInstanceProfileInfoV(void *device, unsigned int profile,
	struct gs_abi_gi_profile_v2 *info);
enum gs_nvml_return nvmlDeviceGetGpuInstanceProfileInfoByIdV(void *device, unsigned int profile_id,
	struct gs_abi_gi_profile_v2 *info);
enum gs_nvml_return nvmlDeviceGetGpuInstancePossiblePlacements_v2(void *device, unsigned int profile_id,
	struct gs_abi_placement *placements, unsigned int *count);
enum gs_nvml_return nvmlDeviceGetGpuInstanceRemainingCapacity(void *device, unsigned int profile_id,
	unsigned int *count);
enum gs_nvml_return nvmlDeviceCreateGpuInstance(void *device, unsigned int profile_id, void **gi);
enum gs_nvml_return nvmlDeviceCreateGpuInstanceWithPlacement(void *device, unsigned int profile_id,
	const struct gs_abi_placement *placement, void **gi);
enum gs_nvml_return nvmlGpuInstanceDestroy(void *gi);
enum gs_nvml_return nvmlDeviceGetGpuInstances(void *device, unsigned int profile_id, void **gis, unsigned int *count);
enum gs_nvml_return nvmlDeviceGetGpuInstanceById(void *device, unsigned int id, void **gi);
enum gs_nvml_return nvmlGpuInstanceGetInfo(void *gi, struct gs_abi_gi_info *info);
enum gs_nvml_return nvmlGpuInstanceGetComputeInstanceProfileInfo(void *gi, unsigned int profile,
	unsigned int engine_profile, struct gs_abi_ci_profile *info);
enum gs_nvml_return nvmlGpuInstanceGetComputeInstanceProfileInfoV(void *gi, unsigned int profile,
	unsigned int engine_profile, struct gs_abi_ci_profile_v2 *info);
enum gs_nvml_return nvmlGpuInstanceGetComputeInstanceRemainingCapacity(void *gi, unsigned int profile_id,
	unsigned int *count);
enum gs_nvml_return nvmlGpuInstanceGetComputeInstancePossiblePlacements(void *gi, unsigned int profile_id,
	struct gs_abi_placement *placements, unsigned int *count);
enum gs_nvml_return nvmlGpuInstanceCreateComputeInstance(void *gi, unsigned int profile_id, void **ci);
enum gs_nvml_return nvmlGpuInstanceCreateComputeInstanceWithPlacement(void *gi, unsigned int profile_id,
	const struct gs_abi_placement *placement, void **ci);
enum gs_nvml_return nvmlComputeInstanceDestroy(void *ci);
enum gs_nvml_return nvmlGpuInstanceGetComputeInstances(void *gi, unsigned int profile_id, void **cis,
	unsigned int *count);
enum gs_nvml_return nvmlGpuInstanceGetComputeInstanceById(void *gi, unsigned int id, void **ci);
enum gs_nvml_return nvmlComputeInstanceGetInfo_v2(void *ci, struct gs_abi_ci_info *info);
enum gs_nvml_return nvmlDeviceIsMigDeviceHandle(void *device, unsigned int *is_mig);
enum gs_nvml_return nvmlDeviceGetGpuInstanceId(void *device, unsigned int *id);
enum gs_nvml_return nvmlDeviceGetComputeInstanceId(void *device, unsigned int *id);
enum gs_nvml_return nvmlDeviceGetMaxMigDeviceCount(void *device, unsigned int *count);
enum gs_nvml_return nvmlDeviceGetMigDeviceHandleByIndex(void *device, unsigned int index, void **mig);
enum gs_nvml_return nvmlDeviceGetDeviceHandleFromMigDeviceHandle(void *mig, void **device);

#pragma GCC visibility pop

#endif
