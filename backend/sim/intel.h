/* SPDX-License-Identifier: GPL-2.0-or-later */
/* intel.h - how xe and i915 share a GPU out among its VFs (interfaces 7). */
#ifndef GS_SIM_INTEL_H
#define GS_SIM_INTEL_H

#include "backend/sim/state.h"

/* Enabling @n VFs gives each a fair part, unless somebody set quotas before. Nothing on other GPUs. */
void gs_sim_intel_share_out(struct gs_sim_gpu *gpu, uint32_t n);
/* What was given by itself is taken back when the VFs go. */
void gs_sim_intel_unshare(struct gs_sim_gpu *gpu);

#endif
