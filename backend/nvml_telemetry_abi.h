/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nvml_telemetry_abi.h - NVML's readings that change all the time, and who
 * uses a GPU: the structs (interfaces 5.4) and the calls that fill them (5.6).
 */
#ifndef GS_BACKEND_NVML_TELEMETRY_ABI_H
#define GS_BACKEND_NVML_TELEMETRY_ABI_H

#include "backend/nvml_abi.h"

#define NVML_NOT_AVAILABLE (~0ull)
#define NVML_TEMPERATURE_GPU 0

struct nvml_memory {
	unsigned long long total, free, used;
};

struct nvml_memory_v2 {
	unsigned int version;
	unsigned long long total, reserved, free, used;
};

struct nvml_utilization {
	unsigned int gpu, memory;
};

/* nvmlProcessInfo_t of the _v3 functions. */
struct nvml_process {
	unsigned int pid;
	unsigned long long used_memory;
	unsigned int gi, ci;
};

NVML_SIZE_IS(struct nvml_memory, 24);
NVML_AT(struct nvml_memory, used, 16);
NVML_SIZE_IS(struct nvml_memory_v2, 40);
NVML_AT(struct nvml_memory_v2, total, 8);
NVML_AT(struct nvml_memory_v2, used, 32);
NVML_SIZE_IS(struct nvml_utilization, 8);
NVML_SIZE_IS(struct nvml_process, 24);
NVML_AT(struct nvml_process, used_memory, 8);
NVML_AT(struct nvml_process, gi, 16);
NVML_AT(struct nvml_process, ci, 20);

_Static_assert(NVML_VERSION_WORD(struct nvml_memory_v2, 2) == 0x02000028, "nvmlMemory_v2");

/* Rows of the call table, see nvml.h. */
#define GS_NVML_TELEMETRY_CALLS(X) \
	X(device_memory, (nvml_device d, struct nvml_memory *m), "nvmlDeviceGetMemoryInfo") \
	X(device_memory_v2, (nvml_device d, struct nvml_memory_v2 *m), "nvmlDeviceGetMemoryInfo_v2") \
	X(device_utilization, (nvml_device d, struct nvml_utilization *u), "nvmlDeviceGetUtilizationRates") \
	X(device_power, (nvml_device d, unsigned *mw), "nvmlDeviceGetPowerUsage") \
	X(device_temperature, (nvml_device d, int s, unsigned *c), "nvmlDeviceGetTemperature") \
	X(compute_processes, (nvml_device d, unsigned *n, struct nvml_process *p), \
		"nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2") \
	X(graphics_processes, (nvml_device d, unsigned *n, struct nvml_process *p), \
		"nvmlDeviceGetGraphicsRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v2")

#endif
