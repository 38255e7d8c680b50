/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * telemetry.h - readings of NVIDIA's GPUs, GPU instances and vGPUs, each at a
 * rate of its own: memory, load, power and temperature in every look; clocks,
 * ECC and the link every few seconds; PCIe throughput, which takes the driver
 * 20 ms a direction, of one GPU in a look at most.
 *
 * Load inside MIG comes from GPM (Hopper and later) and is the difference of
 * two samples, so there is none in a first look, unless whoever looks is
 * patient.
 */
#ifndef GS_BACKEND_TELEMETRY_H
#define GS_BACKEND_TELEMETRY_H

#include "backend/nvml.h"
#include "core/snapshot.h"

/* What is kept between looks. Handles in it are of one life of the library. */
struct gs_readings;

/* NULL when there is no memory. @nvml is borrowed and must live longer. */
struct gs_readings *gs_readings_new(struct gs_nvml *nvml);
struct gs_readings *gs_readings_free(struct gs_readings *r);
GS_DEFINE_CLEANUP(struct gs_readings *, gs_readings_free);

/* Memory of @device, a GPU's or a MIG device's: the four numbers where it tells them, three of an old library. NVML's code. */
int gs_readings_memory(struct gs_nvml *nvml, nvml_device device, struct gs_telemetry *t);

/* One GPU of a look, and its handle. */
struct gs_readings_gpu {
	nvml_device device;     /* NULL: not NVML's, passed over */
	struct gs_gpu *gpu;
};

/*
 * All readings of all GPUs of a look, whose instances are in them already. With
 * @is_patient those that take two samples wait for the second (0.12 s, once for
 * all of them), and every GPU gets its throughput. A GPU about which a call
 * answers 15 is marked as lost and keeps what was read before. -ENOMEM.
 */
int gs_readings_look(struct gs_readings *r, struct gs_snapshot *s, const struct gs_readings_gpu *gpus, size_t n, bool is_patient);

/* Load of one running vGPU of @device, by NVML's name of it, and its framebuffer; what is not told stays unknown, with the reason. */
void gs_readings_vgpu(struct gs_nvml *nvml, nvml_device device, uint32_t vgpu, struct gs_telemetry *t);

#endif
