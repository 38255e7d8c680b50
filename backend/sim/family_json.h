/* SPDX-License-Identifier: GPL-2.0-or-later */
/* family_json.h - VFs, vGPUs, and the partitions of other vendors, between state.json and memory. */
#ifndef GS_SIM_FAMILY_JSON_H
#define GS_SIM_FAMILY_JSON_H

#include "backend/sim/jsonio.h"
#include "backend/sim/jsonout.h"
#include "backend/sim/state.h"

/*
 * What the GPU can do: members "total_vfs", "vf_offset", "vf_stride",
 * "vf_device", "vf_group", "framework", "board", "private_ids", "amd",
 * "intel". The same in a host file. Makes room for VFs and mdevs.
 */
void gs_sim_capabilities_read(struct gs_sim_json *j, struct json_object *o, struct gs_sim_gpu *gpu);
/* Capabilities, and what is now. */
/* "schedule" of a GPU or a GI; absent as the driver comes up. */
void gs_sim_schedule_read(struct gs_sim_json *j, struct json_object *up, struct gs_sim_schedule *s);
void gs_sim_schedule_write(struct gs_sim_out *w, struct json_object *up, const struct gs_sim_schedule *s);
void gs_sim_family_read(struct gs_sim_json *j, struct json_object *o, struct gs_sim_gpu *gpu);
void gs_sim_family_write(struct gs_sim_out *w, struct json_object *o, const struct gs_sim_gpu *gpu);

#endif
