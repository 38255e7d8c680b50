/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree_list.h - the list of what the tree should hold. Lack of memory is latched in the arena. */
#ifndef GS_SIM_TREE_LIST_H
#define GS_SIM_TREE_LIST_H

#include <sys/types.h>

#include "backend/sim/function.h"
#include "backend/sim/state.h"
#include "base/arena.h"

enum gs_sim_node_kind {
	GS_SIM_DIR,
	GS_SIM_FILE,
	GS_SIM_LINK,
};

struct gs_sim_node {
	const char *path;
	enum gs_sim_node_kind kind;
	mode_t mode;
	const char *bytes;      /* content, or the target of a link */
	size_t n;
};

struct gs_sim_list {
	struct gs_arena *arena;
	const char *dir;        /* where names go */
	bool has_cdev;          /* /dev/vfio/devices is there */
	struct gs_sim_node *nodes;
	size_t n, cap;
};

/* Names from here on are in this directory, which is made with its parents. */
void gs_sim_list_enter(struct gs_sim_list *l, const char *fmt, ...) GS_PRINTF(2, 3);
void gs_sim_list_text(struct gs_sim_list *l, mode_t mode, const char *name, const char *fmt, ...) GS_PRINTF(4, 5);
void gs_sim_list_bytes(struct gs_sim_list *l, mode_t mode, const char *name, const void *bytes, size_t n);
void gs_sim_list_link(struct gs_sim_list *l, const char *name, const char *fmt, ...) GS_PRINTF(3, 4);

/* The parts; each in its own file. */
void gs_sim_list_pci(struct gs_sim_list *l, const struct gs_sim_state *s);
void gs_sim_list_driver(struct gs_sim_list *l, const struct gs_sim_state *s);
void gs_sim_list_processes(struct gs_sim_list *l, const struct gs_sim_state *s);

/* Modules, files of the host's own, nodes of VFIO and DRM that belong to no function. */
void gs_sim_list_system(struct gs_sim_list *l, const struct gs_sim_state *s);

/* Parts of a function; the current directory is its own before and after. @path as gs_sim_device_path gives it. */
void gs_sim_list_vfio(struct gs_sim_list *l, const struct gs_sim_function *f, const char *path);
void gs_sim_list_vgpu(struct gs_sim_list *l, const struct gs_sim_state *s, const struct gs_sim_function *f, const char *path);
void gs_sim_list_partitions(struct gs_sim_list *l, const struct gs_sim_gpu *gpu, const char *path);
void gs_sim_list_drm(struct gs_sim_list *l, const struct gs_sim_pci *pci, const char *path);

/* "devices/pci0000:15/0000:15:01.0/0000:1b:00.0"; "" or NULL without memory */
const char *gs_sim_device_path(struct gs_arena *arena, const struct gs_sim_state *s, const struct gs_sim_pci *pci);
/* "../../..": from the directory sys/@path up to sys */
const char *gs_sim_up(struct gs_arena *arena, const char *path);

/* Minor of a capability node, by the driver's static table (interfaces 5.10); @ci GS_SIM_NONE: the GI's own. */
uint32_t gs_sim_cap_minor(uint32_t gpu_minor, uint32_t gi, uint32_t ci);

#endif
