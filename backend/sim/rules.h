/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rules.h - what the driver allows: placements, counts, engines, ids. The
 * results are NVML's return codes, because that is who asks. An operation that
 * does not succeed has changed nothing.
 */
#ifndef GS_SIM_RULES_H
#define GS_SIM_RULES_H

#include "backend/sim/nvml_abi.h"
#include "backend/sim/state.h"

/* @placement NULL: the driver chooses, in its own order. */
enum gs_nvml_return gs_sim_gi_create(struct gs_sim_state *s, struct gs_sim_gpu *gpu, uint32_t profile_id,
				const struct gs_sim_span *placement, struct gs_sim_gi **ret_gi);
enum gs_nvml_return gs_sim_gi_destroy(struct gs_sim_state *s, struct gs_sim_gpu *gpu, struct gs_sim_gi *gi);
enum gs_nvml_return gs_sim_ci_create(struct gs_sim_state *s, struct gs_sim_gpu *gpu, struct gs_sim_gi *gi, uint32_t profile_id,
				const struct gs_sim_span *placement, struct gs_sim_ci **ret_ci);
enum gs_nvml_return gs_sim_ci_destroy(struct gs_sim_state *s, struct gs_sim_gpu *gpu, struct gs_sim_gi *gi,
				 struct gs_sim_ci *ci);

/* How many more of @profile could be created now. */
uint32_t gs_sim_gi_capacity(const struct gs_sim_gpu *gpu, const struct gs_sim_profile *profile);
uint32_t gs_sim_ci_capacity(const struct gs_sim_gi *gi, const struct gs_sim_compute_profile *profile);

/* Is a process running in this CI (or, with GS_SIM_NONE, anywhere in this GI)? */
bool gs_sim_is_used(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu, uint32_t gi, uint32_t ci);

/*
 * "MIG-…": name-based on GPU, profile and place, so the same at every creation
 * (@counter 0), or another one each time. 0 or -EINVAL for a GPU without a UUID.
 */
int gs_sim_mig_uuid(const struct gs_sim_gpu *gpu, const struct gs_sim_gi *gi, const struct gs_sim_ci *ci,
		    uint64_t counter, char *ret_uuid, size_t size);

#endif
