/* SPDX-License-Identifier: GPL-2.0-or-later */
/* amd.h - which partition modes an AMD GPU has (interfaces 6.4). */
#ifndef GS_SIM_AMD_H
#define GS_SIM_AMD_H

#include "backend/sim/state.h"

uint32_t gs_sim_amd_partitions(const struct gs_sim_amd *amd, enum gs_sim_compute_mode mode);
bool gs_sim_amd_has_mode(const struct gs_sim_amd *amd, enum gs_sim_compute_mode mode);
/* Bits of the memory modes of this board that go with @mode. */
uint32_t gs_sim_amd_memory_modes(const struct gs_sim_amd *amd, enum gs_sim_compute_mode mode);
/* The driver is loaded again: what was requested becomes current. */
void gs_sim_amd_reload(struct gs_sim_state *s, struct gs_sim_gpu *gpu);

#endif
