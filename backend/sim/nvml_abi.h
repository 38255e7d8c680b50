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

/* nvmlVgpuHeterogeneousMode_v1_t */
struct gs_abi_heterogeneous {
	unsigned int version, mode;
};
_Static_assert(sizeof(struct gs_abi_heterogeneous) == 8, "nvmlVgpuHeterogeneousMode_v1_t");

struct gs_abi_placement_id {
	uint32_t version, placement_id;
};
_Static_assert(sizeof(struct gs_abi_placement_id) == 8, "nvmlVgpuPlacementId_v1_t");

/* version 1 ends before @mode */
struct gs_abi_placement_list {
	uint32_t version, placement_size, count;
	uint32_t *placement_ids;
	uint32_t mode;
};
_Static_assert(sizeof(struct gs_abi_placement_list) == 32, "nvmlVgpuPlacementList_v2_t");

struct gs_abi_creatable_placements {
	uint32_t version, type, count;
	uint32_t *placement_ids;
	uint32_t placement_size;
};
_Static_assert(sizeof(struct gs_abi_creatable_placements) == 32, "nvmlVgpuCreatablePlacementInfo_v1_t");

/* nvmlVgpuTypeIdInfo_v1_t and nvmlActiveVgpuInstanceInfo_v1_t */
struct gs_abi_id_list {
	uint32_t version, count;
	uint32_t *ids;
};
_Static_assert(sizeof(struct gs_abi_id_list) == 16, "nvmlVgpuTypeIdInfo_v1_t");

struct gs_abi_type_max {
	uint32_t version, type, max_per_gi;
};
_Static_assert(sizeof(struct gs_abi_type_max) == 12, "nvmlVgpuTypeMaxInstance_v1_t");

/* nvmlVgpuTypeBar1Info_v1_t and nvmlVgpuRuntimeState_v1_t */
struct gs_abi_sized {
	uint32_t version;
	uint64_t bytes;
};
_Static_assert(sizeof(struct gs_abi_sized) == 16, "nvmlVgpuTypeBar1Info_v1_t");

/* the union of time slice, and of factor with time slice or frequency */
struct gs_abi_schedule_params {
	uint32_t first, second;
};

struct gs_abi_schedule {
	uint32_t policy, arr;
	struct gs_abi_schedule_params params;
};
_Static_assert(sizeof(struct gs_abi_schedule) == 16, "nvmlVgpuSchedulerGetState_t");

struct gs_abi_gi_schedule {
	uint32_t version, engine, policy, arr;
	struct gs_abi_schedule_params params;
};
_Static_assert(sizeof(struct gs_abi_gi_schedule) == 24, "nvmlVgpuSchedulerStateInfo_v1_t");

struct gs_abi_schedule_v2 {
	uint32_t engine, policy, average_factor, rest;
};
_Static_assert(sizeof(struct gs_abi_schedule_v2) == 16, "nvmlVgpuSchedulerStateInfo_v2_t");

struct gs_abi_schedule_capabilities {
	uint32_t policies[3], max_timeslice, min_timeslice, has_arr, max_frequency, min_frequency, max_average_factor, min_average_factor;
};
_Static_assert(sizeof(struct gs_abi_schedule_capabilities) == 40, "nvmlVgpuSchedulerCapabilities_t");

struct gs_abi_licence {
	uint8_t is_licensed;
	uint32_t year;
	uint16_t month, day, hour, minute, second;
	uint8_t status;
	uint32_t state;
};
_Static_assert(sizeof(struct gs_abi_licence) == 24, "nvmlVgpuLicenseInfo_t");
_Static_assert(__builtin_offsetof(struct gs_abi_licence, state) == 20, "licence state");

/* nvmlVgpuInstanceUtilizationInfo_v1_t; values as unsigned int */
struct gs_abi_vgpu_value {
	uint32_t u32, rest;
};

struct gs_abi_vgpu_utilization {
	uint64_t timestamp;
	uint32_t vgpu;
	struct gs_abi_vgpu_value sm __attribute__((aligned(8))), memory, encoder, decoder, jpeg, ofa;
};
_Static_assert(sizeof(struct gs_abi_vgpu_utilization) == 64, "nvmlVgpuInstanceUtilizationInfo_v1_t");

struct gs_abi_vgpu_utilizations {
	uint32_t version, value_type, count;
	uint64_t last_seen;
	struct gs_abi_vgpu_utilization *items;
};
_Static_assert(sizeof(struct gs_abi_vgpu_utilizations) == 32, "nvmlVgpuInstancesUtilizationInfo_v1_t");

struct gs_abi_vgpu_sample {
	uint32_t vgpu;
	uint64_t timestamp;
	struct gs_abi_vgpu_value sm, memory, encoder, decoder;
};
_Static_assert(sizeof(struct gs_abi_vgpu_sample) == 48, "nvmlVgpuInstanceUtilizationSample_t");

/* GPM, by NVML's public header. */
struct gs_abi_gpm_support {
	uint32_t version, is_supported;
};

struct gs_abi_gpm_metric {
	uint32_t id;
	enum gs_nvml_return nvml_return;
	double value;
	char *short_name, *long_name, *unit;
};
_Static_assert(sizeof(struct gs_abi_gpm_metric) == 40, "nvmlGpmMetric_t");

struct gs_abi_gpm_metrics {
	uint32_t version, n;
	void *first, *second;
	struct gs_abi_gpm_metric metrics[98];
};
_Static_assert(__builtin_offsetof(struct gs_abi_gpm_metrics, metrics) == 24, "nvmlGpmMetricsGet_t");

/* What the library exports, and nothing else. */

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
enum gs_nvml_return nvmlGetVgpuDriverCapabilities(unsigned int capability, unsigned int *result);
enum gs_nvml_return nvmlDeviceGetVgpuCapabilities(void *device, unsigned int capability, unsigned int *result);
enum gs_nvml_return nvmlDeviceSetVgpuCapabilities(void *device, unsigned int capability, unsigned int state);
enum gs_nvml_return nvmlGpuInstanceGetVgpuHeterogeneousMode(void *gi, struct gs_abi_heterogeneous *mode);
enum gs_nvml_return nvmlGpuInstanceSetVgpuHeterogeneousMode(void *gi, const struct gs_abi_heterogeneous *mode);
enum gs_nvml_return nvmlDeviceGetVgpuSchedulerCapabilities(void *device, struct gs_abi_schedule_capabilities *capabilities);
enum gs_nvml_return nvmlDeviceGetVgpuSchedulerState(void *device, struct gs_abi_schedule *state);
enum gs_nvml_return nvmlDeviceSetVgpuSchedulerState(void *device, struct gs_abi_schedule *state);
enum gs_nvml_return nvmlDeviceGetVgpuSchedulerState_v2(void *device, struct gs_abi_schedule_v2 *state);
enum gs_nvml_return nvmlDeviceSetVgpuSchedulerState_v2(void *device, struct gs_abi_schedule_v2 *state);
enum gs_nvml_return nvmlGpuInstanceGetVgpuSchedulerState(void *gi, struct gs_abi_gi_schedule *state);
enum gs_nvml_return nvmlGpuInstanceSetVgpuSchedulerState(void *gi, struct gs_abi_gi_schedule *state);
enum gs_nvml_return nvmlGpuInstanceGetVgpuSchedulerState_v2(void *gi, struct gs_abi_schedule_v2 *state);
enum gs_nvml_return nvmlGpuInstanceSetVgpuSchedulerState_v2(void *gi, struct gs_abi_schedule_v2 *state);
enum gs_nvml_return nvmlDeviceGetSupportedVgpus(void *device, unsigned int *count, uint32_t *types);
enum gs_nvml_return nvmlDeviceGetCreatableVgpus(void *device, unsigned int *count, uint32_t *types);
enum gs_nvml_return nvmlGpuInstanceGetCreatableVgpus(void *gi, struct gs_abi_id_list *list);
enum gs_nvml_return nvmlVgpuTypeGetClass(uint32_t type, char *text, unsigned int *size);
enum gs_nvml_return nvmlVgpuTypeGetName(uint32_t type, char *text, unsigned int *size);
enum gs_nvml_return nvmlVgpuTypeGetGpuInstanceProfileId(uint32_t type, unsigned int *profile_id);
enum gs_nvml_return nvmlVgpuTypeGetDeviceID(uint32_t type, uint64_t *device_id, uint64_t *subsystem_id);
enum gs_nvml_return nvmlVgpuTypeGetFramebufferSize(uint32_t type, uint64_t *bytes);
enum gs_nvml_return nvmlVgpuTypeGetNumDisplayHeads(uint32_t type, unsigned int *heads);
enum gs_nvml_return nvmlVgpuTypeGetLicense(uint32_t type, char *text, unsigned int size);
enum gs_nvml_return nvmlVgpuTypeGetFrameRateLimit(uint32_t type, unsigned int *limit);
enum gs_nvml_return nvmlVgpuTypeGetMaxInstances(void *device, uint32_t type, unsigned int *count);
enum gs_nvml_return nvmlVgpuTypeGetMaxInstancesPerVm(uint32_t type, unsigned int *count);
enum gs_nvml_return nvmlVgpuTypeGetMaxInstancesPerGpuInstance(struct gs_abi_type_max *max);
enum gs_nvml_return nvmlDeviceGetVgpuTypeSupportedPlacements(void *device, uint32_t type, struct gs_abi_placement_list *list);
enum gs_nvml_return nvmlDeviceGetVgpuTypeCreatablePlacements(void *device, uint32_t type, struct gs_abi_placement_list *list);
enum gs_nvml_return nvmlGpuInstanceGetVgpuTypeCreatablePlacements(void *gi, struct gs_abi_creatable_placements *info);
enum gs_nvml_return nvmlDeviceGetActiveVgpus(void *device, unsigned int *count, uint32_t *vgpus);
enum gs_nvml_return nvmlGpuInstanceGetActiveVgpus(void *gi, struct gs_abi_id_list *list);
enum gs_nvml_return nvmlVgpuInstanceGetVmID(uint32_t vgpu, char *text, unsigned int size, unsigned int *kind);
enum gs_nvml_return nvmlVgpuInstanceGetUUID(uint32_t vgpu, char *text, unsigned int size);
enum gs_nvml_return nvmlVgpuInstanceGetMdevUUID(uint32_t vgpu, char *text, unsigned int size);
enum gs_nvml_return nvmlVgpuInstanceGetVmDriverVersion(uint32_t vgpu, char *text, unsigned int size);
enum gs_nvml_return nvmlVgpuInstanceGetFbUsage(uint32_t vgpu, uint64_t *bytes);
enum gs_nvml_return nvmlVgpuInstanceGetLicenseStatus(uint32_t vgpu, unsigned int *licensed);
enum gs_nvml_return nvmlVgpuInstanceGetLicenseInfo_v2(uint32_t vgpu, struct gs_abi_licence *licence);
enum gs_nvml_return nvmlVgpuInstanceGetType(uint32_t vgpu, uint32_t *type);
enum gs_nvml_return nvmlVgpuInstanceGetFrameRateLimit(uint32_t vgpu, unsigned int *limit);
enum gs_nvml_return nvmlVgpuInstanceGetGpuInstanceId(uint32_t vgpu, unsigned int *gi);
enum gs_nvml_return nvmlVgpuInstanceGetGpuPciId(uint32_t vgpu, char *text, unsigned int *length);
enum gs_nvml_return nvmlVgpuInstanceGetPlacementId(uint32_t vgpu, struct gs_abi_placement_id *placement);
enum gs_nvml_return nvmlVgpuInstanceGetRuntimeStateSize(uint32_t vgpu, struct gs_abi_sized *state);
enum gs_nvml_return nvmlDeviceGetMemoryInfo(void *device, struct gs_abi_memory *memory);
enum gs_nvml_return nvmlDeviceGetMemoryInfo_v2(void *device, struct gs_abi_memory_v2 *memory);
enum gs_nvml_return nvmlDeviceGetUtilizationRates(void *device, struct gs_abi_utilization *utilization);
enum gs_nvml_return nvmlDeviceGetPowerUsage(void *device, unsigned int *milliwatts);
enum gs_nvml_return nvmlDeviceGetEnforcedPowerLimit(void *device, unsigned int *milliwatts);
enum gs_nvml_return nvmlDeviceGetTemperature(void *device, unsigned int sensor, unsigned int *celsius);
enum gs_nvml_return nvmlDeviceGetEncoderUtilization(void *device, unsigned int *percent, unsigned int *period_us);
enum gs_nvml_return nvmlDeviceGetDecoderUtilization(void *device, unsigned int *percent, unsigned int *period_us);
enum gs_nvml_return nvmlDeviceGetClockInfo(void *device, unsigned int clock, unsigned int *mhz);
enum gs_nvml_return nvmlDeviceGetEccMode(void *device, unsigned int *current, unsigned int *pending);
enum gs_nvml_return nvmlDeviceGetTotalEccErrors(void *device, unsigned int kind, unsigned int since, unsigned long long *count);
enum gs_nvml_return nvmlDeviceGetCurrPcieLinkGeneration(void *device, unsigned int *generation);
enum gs_nvml_return nvmlDeviceGetCurrPcieLinkWidth(void *device, unsigned int *width);
enum gs_nvml_return nvmlDeviceGetPcieThroughput(void *device, unsigned int way, unsigned int *kb_per_second);
enum gs_nvml_return nvmlGpmQueryDeviceSupport(void *device, struct gs_abi_gpm_support *support);
enum gs_nvml_return nvmlGpmSampleAlloc(void **sample);
enum gs_nvml_return nvmlGpmSampleFree(void *sample);
enum gs_nvml_return nvmlGpmSampleGet(void *device, void *sample);
enum gs_nvml_return nvmlGpmMigSampleGet(void *device, unsigned int gi, void *sample);
enum gs_nvml_return nvmlGpmMetricsGet(struct gs_abi_gpm_metrics *metrics);
enum gs_nvml_return nvmlDeviceGetVgpuInstancesUtilizationInfo(void *device, struct gs_abi_vgpu_utilizations *info);
enum gs_nvml_return nvmlDeviceGetVgpuUtilization(void *device, unsigned long long since, unsigned int *value_type,
	unsigned int *count, struct gs_abi_vgpu_sample *samples);
enum gs_nvml_return nvmlDeviceGetFieldValues(void *device, int count, struct gs_abi_field_value *values);
enum gs_nvml_return nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned int *count,
	struct gs_abi_process_info *infos);
enum gs_nvml_return nvmlDeviceGetGraphicsRunningProcesses_v3(void *device, unsigned int *count,
	struct gs_abi_process_info *infos);
enum gs_nvml_return nvmlDeviceGetComputeRunningProcesses_v2(void *device, unsigned int *count,
	struct gs_abi_process_info *infos);
enum gs_nvml_return nvmlDeviceGetGraphicsRunningProcesses_v2(void *device, unsigned int *count,
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
