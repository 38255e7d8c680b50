/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nvml_vgpu_abi.h - NVML's part in vGPUs: modes, schedulers, what runs in
 * them. The structs (interfaces 5.4) and the calls that fill them (5.6).
 */
#ifndef GS_BACKEND_NVML_VGPU_ABI_H
#define GS_BACKEND_NVML_VGPU_ABI_H

#include "backend/nvml_abi.h"

/* nvmlHostVgpuMode_t (interfaces 5.3). */
enum {
	NVML_HOST_VGPU_MODE_NON_SRIOV = 0,
	NVML_HOST_VGPU_MODE_SRIOV = 1,
};

/* Rows of the call table, see nvml.h. */
#define GS_NVML_VGPU_CALLS(X) \
	X(host_vgpu_mode, (nvml_device d, int *mode), "nvmlDeviceGetHostVgpuMode")

#endif
