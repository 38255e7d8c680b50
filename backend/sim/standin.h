/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * standin.h - inside of the stand-in libnvidia-ml.so.1. NVML's interface has no
 * context argument, so the library has one static object; it lives in standin.c.
 * As in a program of ours, one thread at a time.
 */
#ifndef GS_SIM_STANDIN_H
#define GS_SIM_STANDIN_H

#include <stdbool.h>
#include <stdint.h>

#include "backend/sim/nvml_abi.h"
#include "backend/sim/state.h"

/* What a handle stands for; a call says which it takes. */
enum gs_handle_kind {
	GS_HANDLE_GPU = 1,
	GS_HANDLE_MIG = 2,          /* MIG device: one per CI */
	GS_HANDLE_GI = 4,
	GS_HANDLE_CI = 8,
};

/* A resolved handle. @gi and @ci are NULL where the kind has none. Valid until the next call. */
struct gs_target {
	struct gs_sim_state *state;
	enum gs_handle_kind kind;
	struct gs_sim_gpu *gpu;
	struct gs_sim_gi *gi;
	struct gs_sim_ci *ci;
};

/* A reading call without a handle: initialised, state up to date, faults. */
enum gs_nvml_return gs_standin_enter(const char *call, struct gs_sim_state **ret_state);
/* The same with a handle of one of @kinds: INVALID_ARGUMENT for another or a stale one, GPU_IS_LOST. */
enum gs_nvml_return gs_standin_read(const char *call, void *handle, unsigned int kinds, struct gs_target *ret_target);
/* A reading call that wants root. */
enum gs_nvml_return gs_standin_read_privileged(const char *call, void *handle, unsigned int kinds, struct gs_target *ret_target);
/*
 * A call that changes the machine, root only: @change runs under the lock and
 * what it did is committed when it returns SUCCESS. A fault may keep it from
 * running, with SUCCESS all the same: outputs must be set before.
 */
enum gs_nvml_return gs_standin_change(const char *call, void *handle, unsigned int kinds,
				      enum gs_nvml_return (*change)(struct gs_target *t, void *arguments), void *arguments);

bool gs_standin_is_root(void);
int gs_standin_tree_fd(void);
/* Our own fd on the node of that GPU, with the shared lock on it, or -1. */
int gs_standin_node_fd(const struct gs_sim_gpu *gpu);

void *gs_standin_gpu_handle(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu);
void *gs_standin_mig_handle(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu, const struct gs_sim_ci *ci);
void *gs_standin_gi_handle(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu, const struct gs_sim_gi *gi);
void *gs_standin_ci_handle(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu, const struct gs_sim_ci *ci);
/* A handle that looks like one and is none: what a call that did nothing gives. */
void *gs_standin_stale_handle(void);

/* Text into the caller's buffer: INSUFFICIENT_SIZE when it does not fit. */
enum gs_nvml_return gs_standin_put_text(char *to, unsigned int length, const char *text);

/* A number from 0 to @range - 1 that drifts from second to second. */
unsigned int gs_standin_wobble(const struct gs_target *t, unsigned int range);
/* Does anybody compute there: in that GI, or with GS_SIM_NONE anywhere on the GPU? */
bool gs_standin_is_busy(const struct gs_target *t, uint32_t gi);

/* Is there any vGPU, in its GI where @t has one? */
bool gs_standin_has_vgpus(const struct gs_target *t);

const struct gs_sim_profile *gs_target_profile(const struct gs_target *t);
const struct gs_sim_compute_profile *gs_target_compute(const struct gs_target *t);

#endif
