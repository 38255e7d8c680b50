/* SPDX-License-Identifier: GPL-2.0-or-later */
/* calls.c - the names of what the stand-in offers, for faults. */
#include "backend/sim/calls.h"

#include <stddef.h>
#include <string.h>

#include "base/parse.h"

#define ERRNO_LAST 133      /* EHWPOISON */

static const char *const calls[] = {
	"Init_v2",
	"InitWithFlags",
	"Shutdown",
	"SystemGetDriverVersion",
	"SystemGetNVMLVersion",
	"SystemGetProcessName",
	"GetExcludedDeviceCount",
	"DeviceGetCount_v2",
	"DeviceGetHandleByIndex_v2",
	"DeviceGetHandleByUUID",
	"DeviceGetHandleByPciBusId_v2",
	"DeviceGetName",
	"DeviceGetIndex",
	"DeviceGetUUID",
	"DeviceGetMinorNumber",
	"DeviceGetPciInfo_v3",
	"DeviceGetArchitecture",
	"DeviceGetPersistenceMode",
	"DeviceGetVirtualizationMode",
	"DeviceGetHostVgpuMode",
	"DeviceGetVgpuHeterogeneousMode",
	"DeviceSetVgpuHeterogeneousMode",
	"GetVgpuDriverCapabilities",
	"DeviceGetVgpuCapabilities",
	"DeviceSetVgpuCapabilities",
	"GpuInstanceGetVgpuHeterogeneousMode",
	"GpuInstanceSetVgpuHeterogeneousMode",
	"DeviceGetVgpuSchedulerCapabilities",
	"DeviceGetVgpuSchedulerState",
	"DeviceSetVgpuSchedulerState",
	"DeviceGetVgpuSchedulerState_v2",
	"DeviceSetVgpuSchedulerState_v2",
	"GpuInstanceGetVgpuSchedulerState",
	"GpuInstanceSetVgpuSchedulerState",
	"GpuInstanceGetVgpuSchedulerState_v2",
	"GpuInstanceSetVgpuSchedulerState_v2",
	"DeviceGetSupportedVgpus",
	"DeviceGetCreatableVgpus",
	"GpuInstanceGetCreatableVgpus",
	"VgpuTypeGetClass",
	"VgpuTypeGetName",
	"VgpuTypeGetGpuInstanceProfileId",
	"VgpuTypeGetDeviceID",
	"VgpuTypeGetFramebufferSize",
	"VgpuTypeGetNumDisplayHeads",
	"VgpuTypeGetLicense",
	"VgpuTypeGetFrameRateLimit",
	"VgpuTypeGetMaxInstances",
	"VgpuTypeGetMaxInstancesPerVm",
	"VgpuTypeGetMaxInstancesPerGpuInstance",
	"DeviceGetVgpuTypeSupportedPlacements",
	"DeviceGetVgpuTypeCreatablePlacements",
	"GpuInstanceGetVgpuTypeCreatablePlacements",
	"DeviceGetActiveVgpus",
	"GpuInstanceGetActiveVgpus",
	"VgpuInstanceGetVmID",
	"VgpuInstanceGetUUID",
	"VgpuInstanceGetMdevUUID",
	"VgpuInstanceGetVmDriverVersion",
	"VgpuInstanceGetFbUsage",
	"VgpuInstanceGetLicenseStatus",
	"VgpuInstanceGetLicenseInfo_v2",
	"VgpuInstanceGetType",
	"VgpuInstanceGetFrameRateLimit",
	"VgpuInstanceGetGpuInstanceId",
	"VgpuInstanceGetGpuPciId",
	"VgpuInstanceGetPlacementId",
	"VgpuInstanceGetRuntimeStateSize",
	"DeviceGetMemoryInfo",
	"DeviceGetMemoryInfo_v2",
	"DeviceGetUtilizationRates",
	"DeviceGetPowerUsage",
	"DeviceGetEnforcedPowerLimit",
	"DeviceGetTemperature",
	"DeviceGetEncoderUtilization",
	"DeviceGetDecoderUtilization",
	"DeviceGetClockInfo",
	"DeviceGetEccMode",
	"DeviceGetTotalEccErrors",
	"DeviceGetCurrPcieLinkGeneration",
	"DeviceGetCurrPcieLinkWidth",
	"DeviceGetPcieThroughput",
	"GpmQueryDeviceSupport",
	"GpmSampleAlloc",
	"GpmSampleFree",
	"GpmSampleGet",
	"GpmMigSampleGet",
	"GpmMetricsGet",
	"DeviceGetVgpuInstancesUtilizationInfo",
	"DeviceGetVgpuUtilization",
	"DeviceGetFieldValues",
	"DeviceGetComputeRunningProcesses_v3",
	"DeviceGetGraphicsRunningProcesses_v3",
	"DeviceGetAttributes_v2",
	"DeviceSetMigMode",
	"DeviceGetMigMode",
	"DeviceGetGpuInstanceProfileInfo",
	"DeviceGetGpuInstanceProfileInfoV",
	"DeviceGetGpuInstanceProfileInfoByIdV",
	"DeviceGetGpuInstancePossiblePlacements_v2",
	"DeviceGetGpuInstanceRemainingCapacity",
	"DeviceCreateGpuInstance",
	"DeviceCreateGpuInstanceWithPlacement",
	"GpuInstanceDestroy",
	"DeviceGetGpuInstances",
	"DeviceGetGpuInstanceById",
	"GpuInstanceGetInfo",
	"GpuInstanceGetComputeInstanceProfileInfo",
	"GpuInstanceGetComputeInstanceProfileInfoV",
	"GpuInstanceGetComputeInstanceRemainingCapacity",
	"GpuInstanceGetComputeInstancePossiblePlacements",
	"GpuInstanceCreateComputeInstance",
	"GpuInstanceCreateComputeInstanceWithPlacement",
	"ComputeInstanceDestroy",
	"GpuInstanceGetComputeInstances",
	"GpuInstanceGetComputeInstanceById",
	"ComputeInstanceGetInfo_v2",
	"DeviceIsMigDeviceHandle",
	"DeviceGetGpuInstanceId",
	"DeviceGetComputeInstanceId",
	"DeviceGetMaxMigDeviceCount",
	"DeviceGetMigDeviceHandleByIndex",
	"DeviceGetDeviceHandleFromMigDeviceHandle",
};

static bool equal_without_suffix(const char *full, const char *name)
{
	const char *suffix = strrchr(full, '_');
	size_t n = strlen(name);

	return suffix && suffix[1] == 'v' && n == (size_t)(suffix - full) && strncmp(full, name, n) == 0;
}

const char *gs_sim_call_find(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (gs_str_equal(calls[i], name) || equal_without_suffix(calls[i], name))
			return calls[i];
	}
	return NULL;
}

bool gs_sim_call_is_mutating(const char *call)
{
	static const char *const starts[] = {
		"DeviceSet", "DeviceCreate", "GpuInstanceSet", "GpuInstanceDestroy", "GpuInstanceCreate", "ComputeInstanceDestroy",
	};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		if (gs_str_starts(call, starts[i]))
			return true;
	}
	return gs_str_equal(call, "*");
}

bool gs_sim_errno_parse(const char *text, uint32_t *ret_code)
{
	for (int i = 1; i <= ERRNO_LAST; i++) {
		const char *name = strerrorname_np(i);

		if (name && gs_str_equal(name, text)) {
			*ret_code = (uint32_t)i;
			return true;
		}
	}
	return gs_parse_u32(text, 10, ret_code) == 0 && *ret_code > 0 && *ret_code <= ERRNO_LAST;
}
