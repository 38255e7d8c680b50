/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host_vgpu.h - VFs, vGPUs, mdevs and who has them open, as a host file gives them. */
#ifndef GS_SIM_HOST_VGPU_H
#define GS_SIM_HOST_VGPU_H

#include "backend/sim/jsonio.h"
#include "backend/sim/state.h"

/*
 * Members of a GPU: "numvfs"; "vgpus": [{"vf", "type", "params"}]; "mdevs":
 * [{"vf", "type", "uuid", "vm_name"}]. Types by name. By the same rules as
 * everybody else; models and boards are attached.
 */
void gs_sim_host_vgpus(struct gs_sim_json *j, struct json_object *o, struct gs_sim_state *s, struct gs_sim_gpu *gpu);
/* Members of a process: "opens", paths; "vfio", addresses and mdev UUIDs whose groups it has open. */
void gs_sim_host_opens(struct gs_sim_json *j, struct json_object *o, struct gs_sim_state *s, struct gs_sim_process *p);

#endif
