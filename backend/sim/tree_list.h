/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree_list.h - the list of what the tree should hold. Lack of memory is latched in the arena. */
#ifndef GS_SIM_TREE_LIST_H
#define GS_SIM_TREE_LIST_H

#include <sys/types.h>

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

/* Minor of a capability node, by the driver's static table (interfaces 5.10); @ci GS_SIM_NONE: the GI's own. */
uint32_t gs_sim_cap_minor(uint32_t gpu_minor, uint32_t gi, uint32_t ci);

#endif
