/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mig_proc.h - which GPU and compute instances there are, by the directories
 * that the driver shows to everybody (interfaces 5.10): ids, and nothing else.
 */
#ifndef GS_BACKEND_MIG_PROC_H
#define GS_BACKEND_MIG_PROC_H

#include "base/root.h"
#include "core/snapshot.h"

/*
 * Add to @gpu, /dev/nvidia@minor, the instances of
 * /proc/driver/nvidia/capabilities that it does not have yet: a GPU instance
 * without compute instance is no MIG device, so NVML tells of it to root only.
 * They have no profile and no place. Nothing where the directory is not there.
 * -ENOMEM.
 */
int gs_mig_proc_read(struct gs_root *root, struct gs_snapshot *s, struct gs_gpu *gpu, uint32_t minor);

/* One notice for all GPUs whose instances or places this viewer is not told in full: what is missing, and what would show it. */
void gs_mig_note_missing(struct gs_snapshot *s, struct gs_gpu *const *gpus, size_t n);

#endif
