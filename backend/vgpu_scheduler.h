/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vgpu_scheduler.h - how vGPUs share their engine's time: NVML's scheduler, as
 * the value of the setting "scheduler" and back (interfaces 5.3, 5.7).
 *
 *   best-effort
 *   equal-share:arr=on:average-factor=33:frequency-hz=480
 *   fixed-share:arr=off:timeslice-ns=2000000
 *
 * Under adaptive round robin (arr=on) the driver takes a frequency and tells
 * the time slice that follows from it; without, it takes the time slice. It
 * may tell neither while no vGPU runs.
 */
#ifndef GS_BACKEND_VGPU_SCHEDULER_H
#define GS_BACKEND_VGPU_SCHEDULER_H

#include "backend/nvml.h"
#include "core/setting.h"
#include "core/snapshot.h"

/*
 * What the scheduler of @device, or with @gi of that GI, is set to: the newest
 * interface that answers, version 2 before 1; only version 1 tells arr, so it
 * is asked besides. NVML's code; @ret_value on success, GS_SETTING_VALUE_MAX.
 */
int gs_vgpu_scheduler_read(struct gs_nvml *nvml, nvml_device device, nvml_gi gi, char *ret_value);

/*
 * Set it to @value, which gs_setting_refuses() has let pass. Version 2 knows
 * neither arr=off nor time slices, so these go through version 1. NVML's code,
 * and in @ret_symbol the name of the call that gave it.
 */
int gs_vgpu_scheduler_write(struct gs_nvml *nvml, nvml_device device, nvml_gi gi, const char *value, const char **ret_symbol);

/* The words and ranges that @device takes, into the arena of @s; none unless NVML's code is SUCCESS. -ENOMEM is ours, never the driver's. */
int gs_vgpu_scheduler_choices(struct gs_nvml *nvml, nvml_device device, struct gs_snapshot *s, struct gs_setting *setting, int *ret_code);

#endif
