/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vgpu_nvml.h - what NVML alone tells of a vGPU host: mixed-size mode and
 * scheduler of the GPU and of its GPU instances, where types may start when
 * sizes are mixed, and of running vGPUs their VM, guest driver and licence.
 */
#ifndef GS_BACKEND_VGPU_NVML_H
#define GS_BACKEND_VGPU_NVML_H

#include "backend/nvml.h"
#include "core/snapshot.h"

/* Placement ids by board and type: they do not change while the library lives, and are dozens of calls. */
struct gs_vgpu_placements;
struct gs_vgpu_placements *gs_vgpu_placements_free(struct gs_vgpu_placements *p);
GS_DEFINE_CLEANUP(struct gs_vgpu_placements *, gs_vgpu_placements_free);

/*
 * Settings of @gpu and of its GPU instances, and the placement ids of its
 * types: when its VFs, grids and instances are in @gpu already. A GPU that is
 * no vGPU host's gets none. What cannot be read is unknown, with the reason
 * where that is known. *@placements is made when NULL. -ENOMEM.
 */
int gs_vgpu_nvml_settings(struct gs_nvml *nvml, nvml_device device, struct gs_snapshot *s, struct gs_gpu *gpu, struct gs_vgpu_placements **placements);

/*
 * What runs in the vGPUs of @gpu, whose holders are in it already: a vGPU of
 * NVML's list is the mdev of its UUID, else the one VF of its type (and GI and
 * placement) that its VM has. What fits several, or none, is left unknown.
 * With @telemetry its readings, too.
 */
int gs_vgpu_nvml_guests(struct gs_nvml *nvml, nvml_device device, struct gs_snapshot *s, struct gs_gpu *gpu, bool telemetry);

/*
 * Carry out a step that sets what vGPUs are set to, on @device or with @gi in
 * that GI. @where is its name for messages. Success means that it reads so.
 * -EOPNOTSUPP, -EBUSY, -EPERM, -EIO … with what state it is in now.
 */
int gs_vgpu_nvml_set(struct gs_nvml *nvml, nvml_device device, nvml_gi gi, const char *where, const char *key, const char *value, struct gs_error *e);

#endif
