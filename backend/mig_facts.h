/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mig_facts.h - what decides whether a change of MIG can be done, beside profiles and instances. Used by mig.c. */
#ifndef GS_BACKEND_MIG_FACTS_H
#define GS_BACKEND_MIG_FACTS_H

#include "backend/nvml.h"
#include "core/snapshot.h"

/*
 * What the driver says it has room for, for each profile of the GPU's MIG grid,
 * whose instances are known. Where that is not what its own list of places
 * gives, one of the two hides something: a notice says so, and the plan believes
 * the driver (policy_capacity.c). Nothing where the driver does not answer.
 */
void gs_mig_read_remaining(struct gs_nvml *nvml, nvml_device device, struct gs_snapshot *s, struct gs_gpu *gpu);

/*
 * What its NVLinks lead to, and whether it is passed through to this machine:
 * both matter only where the mode change takes a reset (interfaces 5.8), and
 * are read only there.
 */
void gs_mig_read_links(struct gs_nvml *nvml, nvml_device device, struct gs_snapshot *s, struct gs_gpu *gpu);

#endif
