/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vgpu_names.h - vGPU types that a driver has named before. Its list is empty
 * once every function has a type or the GPU is full (interfaces 2.2), so what
 * was seen is kept for that board: in memory, and by privileged collectors in
 * run/gpuslice/vgpu-types.json for everybody else and for the next start.
 */
#ifndef GS_BACKEND_VGPU_NAMES_H
#define GS_BACKEND_VGPU_NAMES_H

#include "base/optional.h"
#include "base/root.h"

#define GS_VGPU_TYPES_PATH "run/gpuslice/vgpu-types.json"

struct gs_known_type {
	uint32_t id;                        /* of the driver: current_vgpu_type, nvidia-N */
	char name[64];                      /* without the vendor's prefix */
	struct gs_u64 framebuffer_bytes;    /* as an mdev description said it; unknown in the vendor framework */
	struct gs_u32 max_instances;
};

struct gs_vgpu_names;

/* What is remembered in @root is read; what cannot be used there is forgotten. NULL when there is no memory. */
struct gs_vgpu_names *gs_vgpu_names_new(struct gs_root *root);
struct gs_vgpu_names *gs_vgpu_names_free(struct gs_vgpu_names *n);
GS_DEFINE_CLEANUP(struct gs_vgpu_names *, gs_vgpu_names_free);

/* The types of a board ("10de:26b9/10de:1851": PCI and subsystem id), by id; borrowed until the next call that adds. */
const struct gs_known_type *gs_vgpu_names_of(const struct gs_vgpu_names *n, const char *board, size_t *ret_n);
/* NULL when it was never seen. */
const struct gs_known_type *gs_vgpu_names_find(const struct gs_vgpu_names *n, const char *board, uint32_t type_id);

/* The driver named this type now: kept, and its name corrected. -ENOMEM. */
int gs_vgpu_names_add(struct gs_vgpu_names *n, const char *board, const struct gs_known_type *type);

/* Write the file when something was added since. -errno. */
int gs_vgpu_names_save(struct gs_vgpu_names *n, struct gs_root *root);

#endif
