/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nvml_telemetry_abi.h - NVML's readings that change all the time, and who
 * uses a GPU: the structs (interfaces 5.4) and the calls that fill them (5.6).
 * Clocks, ECC, PCIe, the decoder and GPM are not in interfaces.md: theirs are of
 * NVML's public header, unverified on hardware, and each is a reading of its
 * own that may fail by itself.
 */
#ifndef GS_BACKEND_NVML_TELEMETRY_ABI_H
#define GS_BACKEND_NVML_TELEMETRY_ABI_H

#include <stdint.h>

#include "backend/nvml_abi.h"

#define NVML_NOT_AVAILABLE (~0ull)
#define NVML_TEMPERATURE_GPU 0
#define NVML_CLOCK_SM 1
#define NVML_CLOCK_MEMORY 2
#define NVML_ECC_CORRECTED 0
#define NVML_ECC_UNCORRECTED 1
#define NVML_ECC_VOLATILE 0
#define NVML_PCIE_TX 0
#define NVML_PCIE_RX 1
#define NVML_VALUE_DOUBLE 0
#define NVML_VALUE_UINT 1

/* GPM: a plain 1 as version, since a library reads as many metrics as it is told. */
#define NVML_GPM_VERSION 1
#define NVML_GPM_SM_UTIL 2
#define NVML_GPM_METRICS_MAX 333        /* NVML_GPM_METRIC_MAX of the newest header: there is room for an older or newer one's */

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

/* nvmlVgpuInstanceUtilizationInfo_v1_t */
struct nvml_vgpu_utilization {
	unsigned long long timestamp;
	uint32_t vgpu;
	union nvml_value sm, memory, encoder, decoder, jpeg, ofa;
};

struct nvml_vgpu_utilizations {
	unsigned int version, value_type, count;
	unsigned long long last_seen;
	struct nvml_vgpu_utilization *items;
};

/* nvmlVgpuInstanceUtilizationSample_t, of the older call. */
struct nvml_vgpu_sample {
	uint32_t vgpu;
	unsigned long long timestamp;
	union nvml_value sm, memory, encoder, decoder;
};

typedef struct nvml_gpm_sample_opaque *nvml_gpm_sample;

struct nvml_gpm_support {
	unsigned int version, is_supported;
};

struct nvml_gpm_metric {
	unsigned int id;
	int nvml_return;
	double value;
	struct {
		char *short_name, *long_name, *unit;
	} info;
};

struct nvml_gpm_metrics {
	unsigned int version, n;
	nvml_gpm_sample first, second;
	struct nvml_gpm_metric metrics[NVML_GPM_METRICS_MAX];
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
NVML_SIZE_IS(struct nvml_vgpu_utilization, 64);
NVML_AT(struct nvml_vgpu_utilization, sm, 16);
NVML_SIZE_IS(struct nvml_vgpu_utilizations, 32);
NVML_AT(struct nvml_vgpu_utilizations, items, 24);
NVML_SIZE_IS(struct nvml_vgpu_sample, 48);
NVML_AT(struct nvml_vgpu_sample, sm, 16);
NVML_SIZE_IS(struct nvml_gpm_metric, 40);
NVML_AT(struct nvml_gpm_metric, value, 8);
NVML_AT(struct nvml_gpm_metrics, metrics, 24);

_Static_assert(NVML_VERSION_WORD(struct nvml_memory_v2, 2) == 0x02000028, "nvmlMemory_v2");
_Static_assert(NVML_VERSION_WORD(struct nvml_vgpu_utilizations, 1) == 0x01000020, "nvmlVgpuInstancesUtilizationInfo_v1");

/* Rows of the call table, see nvml.h. */
#define GS_NVML_TELEMETRY_CALLS(X) \
	X(device_memory, (nvml_device d, struct nvml_memory *m), "nvmlDeviceGetMemoryInfo") \
	X(device_memory_v2, (nvml_device d, struct nvml_memory_v2 *m), "nvmlDeviceGetMemoryInfo_v2") \
	X(device_utilization, (nvml_device d, struct nvml_utilization *u), "nvmlDeviceGetUtilizationRates") \
	X(device_encoder, (nvml_device d, unsigned *percent, unsigned *period_us), "nvmlDeviceGetEncoderUtilization") \
	X(device_decoder, (nvml_device d, unsigned *percent, unsigned *period_us), "nvmlDeviceGetDecoderUtilization") \
	X(device_power, (nvml_device d, unsigned *mw), "nvmlDeviceGetPowerUsage") \
	X(device_power_limit, (nvml_device d, unsigned *mw), "nvmlDeviceGetEnforcedPowerLimit") \
	X(device_temperature, (nvml_device d, int s, unsigned *c), "nvmlDeviceGetTemperature") \
	X(device_clock, (nvml_device d, int clock, unsigned *mhz), "nvmlDeviceGetClockInfo") \
	X(device_ecc_mode, (nvml_device d, unsigned *now, unsigned *pending), "nvmlDeviceGetEccMode") \
	X(device_ecc_errors, (nvml_device d, int kind, int since, unsigned long long *n), "nvmlDeviceGetTotalEccErrors") \
	X(device_pcie_generation, (nvml_device d, unsigned *g), "nvmlDeviceGetCurrPcieLinkGeneration") \
	X(device_pcie_width, (nvml_device d, unsigned *w), "nvmlDeviceGetCurrPcieLinkWidth") \
	X(device_pcie_throughput, (nvml_device d, int way, unsigned *kb), "nvmlDeviceGetPcieThroughput") \
	X(gpm_support, (nvml_device d, struct nvml_gpm_support *s), "nvmlGpmQueryDeviceSupport") \
	X(gpm_alloc, (nvml_gpm_sample *s), "nvmlGpmSampleAlloc") \
	X(gpm_free, (nvml_gpm_sample s), "nvmlGpmSampleFree") \
	X(gpm_gi_sample, (nvml_device d, unsigned gi, nvml_gpm_sample s), "nvmlGpmMigSampleGet") \
	X(gpm_metrics, (struct nvml_gpm_metrics *m), "nvmlGpmMetricsGet") \
	X(vgpu_utilizations, (nvml_device d, struct nvml_vgpu_utilizations *u), "nvmlDeviceGetVgpuInstancesUtilizationInfo") \
	X(vgpu_samples, (nvml_device d, unsigned long long since, unsigned *type, unsigned *n, struct nvml_vgpu_sample *s), "nvmlDeviceGetVgpuUtilization") \
	X(vgpu_memory, (uint32_t vgpu, unsigned long long *bytes), "nvmlVgpuInstanceGetFbUsage") \
	X(compute_processes, (nvml_device d, unsigned *n, struct nvml_process *p), \
		"nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2") \
	X(graphics_processes, (nvml_device d, unsigned *n, struct nvml_process *p), \
		"nvmlDeviceGetGraphicsRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v2")

#endif
