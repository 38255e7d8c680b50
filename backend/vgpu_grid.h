/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vgpu_grid.h - the vGPU types of one GPU as profiles of a grid of slots,
 * whichever framework makes them.
 *
 * What the driver names now counts. Types that it does not list because the
 * GPU is full, of the other MIG state, or because VFs are not enabled yet, are
 * those that it named before, else the catalogue's.
 */
#ifndef GS_BACKEND_VGPU_GRID_H
#define GS_BACKEND_VGPU_GRID_H

#include "backend/family.h"

struct gs_vgpu_grid {
	struct gs_family_look *look;
	const struct gs_vgpu_board *board;  /* of the catalogue; NULL */
	struct gs_profile *items;           /* GS_PROFILES_MAX of them, in the arena */
	size_t n;
	char key[40];                       /* of the board, in what is remembered */
	bool is_listed;                     /* the driver named at least one of them now */
	bool is_complete;                   /* what it listed is all that there is in this MIG state */
};

/* -ENOMEM. */
int gs_vgpu_grid_begin(struct gs_vgpu_grid *g, struct gs_family_look *look);

/*
 * The driver names a type: @name with or without its prefix. What it tells
 * besides wins over the catalogue. It is remembered. -ENOMEM.
 */
int gs_vgpu_grid_list(struct gs_vgpu_grid *g, struct gs_u32 type_id, const char *name, struct gs_u64 framebuffer_bytes, struct gs_u32 max_instances);

/*
 * Add what was not listed, sort, and put the grid of @units slots into the
 * GPU. Nothing when no type is known. -ENOMEM.
 */
int gs_vgpu_grid_finish(struct gs_vgpu_grid *g, uint32_t units);

/*
 * The types of a GPU whose driver is off it: those that its driver named
 * before, else the catalogue's, for a plan that gives the driver back first.
 * Nothing for a board that neither knows. -ENOMEM.
 */
int gs_vgpu_grid_without_driver(struct gs_family_look *look);

/* The name of a type id: listed now, seen before, of the catalogue, else "nvidia-1148". NULL when there is no memory. */
const char *gs_vgpu_grid_name(struct gs_vgpu_grid *g, uint32_t type_id);

/* The GPU is in a vGPU mode now: mode and modes, by what NVML told about MIG. @on: its VFs are enabled, or its PF takes mdevs. */
void gs_vgpu_set_mode(struct gs_family_look *look, bool on);

#endif
