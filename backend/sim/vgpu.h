/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vgpu.h - which vGPU types the driver would create now, under both
 * frameworks: one size per GPU, counts, placements, GIs (interfaces 1.4, 2.5,
 * 2.6, 10.1). It shares nothing with the planner.
 */
#ifndef GS_SIM_VGPU_H
#define GS_SIM_VGPU_H

#include "backend/sim/state.h"

/* The id by which the driver of @gpu calls the type; 0: it does not offer it. */
uint32_t gs_sim_type_id(const struct gs_sim_gpu *gpu, const struct gs_sim_type *t);
const struct gs_sim_type *gs_sim_type_by_id(const struct gs_sim_gpu *gpu, uint32_t id);
/* Ids of all that are offered, ascending, as the driver lists them. @ret_ids has room for GS_SIM_TYPES_MAX. */
size_t gs_sim_type_ids(const struct gs_sim_gpu *gpu, uint32_t *ret_ids);

/* Where the driver puts it: placement 0xffff when the GPU has none, GI UINT32_MAX when it is not MIG-backed. */
struct gs_sim_vgpu_place {
	uint32_t placement_id, gpu_instance_id;
};

/* Could one more be created? By GPU only; that the VF is free is the caller's to see. */
bool gs_sim_type_is_creatable(const struct gs_sim_gpu *gpu, const struct gs_sim_type *t, struct gs_sim_vgpu_place *ret_place);
/* How many more, for a parent without VFs. */
uint32_t gs_sim_type_available(const struct gs_sim_gpu *gpu, const struct gs_sim_type *t);

/* Does the board take several sizes at once: Ampere and later, with SR-IOV (profiles.md 3)? */
bool gs_sim_mixes_sizes(const struct gs_sim_gpu *gpu);
/* How many units of framebuffer it takes, and how many there may be at most under either size rule: its placement ids are the multiples. */
uint32_t gs_sim_type_slots(const struct gs_sim_type *t);
uint32_t gs_sim_type_most(const struct gs_sim_type *t, bool mixed);

/* Could one more of @t start at @placement_id now? */
bool gs_sim_placement_fits(const struct gs_sim_gpu *gpu, const struct gs_sim_type *t, uint32_t placement_id);

/* May the vGPU of VF @n go to that placement, to that GI? */
bool gs_sim_placement_is_free(const struct gs_sim_gpu *gpu, uint32_t n, uint32_t placement_id);
bool gs_sim_gi_takes(const struct gs_sim_gpu *gpu, uint32_t n, uint32_t gpu_instance_id);

#endif
