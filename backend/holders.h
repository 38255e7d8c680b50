/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * holders.h - who uses which GPU, instance or virtual function: what NVML
 * says, who has device nodes open (interfaces 8.1), and which kernel modules
 * keep a GPU. What may not be read is «hidden», never «free».
 *
 * A round: begin, add the GPUs and what NVML says of them, scan, finish. What
 * a scan finds outlives a round.
 */
#ifndef GS_BACKEND_HOLDERS_H
#define GS_BACKEND_HOLDERS_H

#include "base/root.h"
#include "core/snapshot.h"

struct gs_holders;

/* @root is borrowed. NULL when there is no memory. */
struct gs_holders *gs_holders_new(struct gs_root *root);
struct gs_holders *gs_holders_free(struct gs_holders *h);
GS_DEFINE_CLEANUP(struct gs_holders *, gs_holders_free);

/* A new round: forget the GPUs and what NVML said. */
void gs_holders_begin(struct gs_holders *h);

/* A GPU of NVIDIA's driver. @minor is the N of /dev/nvidiaN, which is not the index (interfaces 5.7); unknown: only NVML's word counts. -ENOMEM. */
int gs_holders_add_gpu(struct gs_holders *h, struct gs_gpu *gpu, struct gs_u32 minor);

/* A GPU that has no node of NVIDIA's driver: another vendor's, one given to VFIO, an unbound one. One that is known already is left alone. -ENOMEM. */
int gs_holders_add_other_gpu(struct gs_holders *h, struct gs_gpu *gpu);

/* NVML lists @pid on @gpu, in GPU instance @gi when known. -ENOMEM. */
int gs_holders_add_nvml(struct gs_holders *h, struct gs_gpu *gpu, uint32_t pid, struct gs_u32 gi, struct gs_u64 used_memory_bytes);

/* Who is on @gpu cannot be told completely this round: it is hidden. A GPU of this round. */
void gs_holders_hide(struct gs_holders *h, const struct gs_gpu *gpu);

/*
 * Walk proc/PID/fd of every process. On a live machine that is costly, so
 * unless @fresh the last walk is used again for five seconds. -ENOMEM.
 */
int gs_holders_scan(struct gs_holders *h, bool fresh);

/*
 * Put the holders into the snapshot, where they belong: into the instance, or
 * the one on that virtual function; else at the virtual function; else at the
 * GPU, and there only who is nowhere else on it. Instances and virtual
 * functions must have been collected. Sets holders_visible and says the source
 * "processes". More than a snapshot takes are left out, hidden and said in a
 * notice. -ENOMEM.
 */
int gs_holders_finish(struct gs_holders *h, struct gs_snapshot *s);

/* The GPUs of this round in BDF order, at most @max; returns how many. */
size_t gs_holders_gpus(const struct gs_holders *h, struct gs_gpu **ret_gpus, size_t max);

/* The GPU of this round with that N of /dev/nvidiaN, or NULL. */
struct gs_gpu *gs_holders_gpu_by_minor(const struct gs_holders *h, uint32_t minor);

/*
 * The GPU minor and GI of a capability node: by the table @minors (text of
 * proc/driver/nvidia-caps/mig-minors, may be NULL), else by the formula of
 * interfaces 5.10: 3 + gpu*135 + gi*9 + (0 or 1+ci). False for config and
 * monitor.
 */
bool gs_holders_capability(const char *minors, uint32_t number, uint32_t *ret_gpu_minor, uint32_t *ret_gi);

#endif
