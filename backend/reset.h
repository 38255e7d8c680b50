/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reset.h - the reset of GPUs, by NVIDIA's own program: it knows in which
 * order the links of a group go down and come up, and refuses what is in use.
 */
#ifndef GS_BACKEND_RESET_H
#define GS_BACKEND_RESET_H

#include "backend/family.h"

/* Only a step, nothing to collect. -ENOENT: nvidia-smi is not installed; -EBUSY: somebody has a GPU of the group open. */
extern const struct gs_family gs_family_reset;

/* Does any GPU of the step still wait for it in @last (NULL: not known, so yes)? Setting the mode may have done it (interfaces 5.7). */
bool gs_reset_is_due(const struct gs_step *step, const struct gs_snapshot *last);

#endif
