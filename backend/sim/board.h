/* SPDX-License-Identifier: GPL-2.0-or-later */
/* board.h - the vGPU types of one board, straight from data/vgpu/BOARD.json. */
#ifndef GS_SIM_BOARD_H
#define GS_SIM_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/optional.h"

#define GS_SIM_TYPES_MAX 128        /* per physical GPU, interfaces 2.7 */

struct gs_sim_type {
	const char *name, *full_name;   /* "L40S-24Q", "NVIDIA L40S-24Q" */
	struct gs_u32 id;               /* N of nvidia-N; unknown where nobody has published one */
	bool mig_backed;
	uint64_t framebuffer_bytes;
	uint32_t max_instances;
	struct gs_u32 max_mixed, max_per_gi, gi_profile_id;
	const char *gi_profile;         /* "" when unknown or not MIG-backed */
	struct gs_u32 heads, frame_limit;
	const char *max_resolution;     /* "" when unknown */
};

struct gs_sim_board {
	const char *architecture;
	uint64_t memory_bytes;
	size_t n_types;
	struct gs_sim_type types[GS_SIM_TYPES_MAX];
};

struct gs_sim_board_file;

/* @path: a gpuslice.vgpu-board/1 file. */
int gs_sim_board_read(const char *path, struct gs_sim_board_file **ret_file, struct gs_error *e);
struct gs_sim_board_file *gs_sim_board_free(struct gs_sim_board_file *file);
GS_DEFINE_CLEANUP(struct gs_sim_board_file *, gs_sim_board_free);
/* Lives as long as the file. */
const struct gs_sim_board *gs_sim_board_of(const struct gs_sim_board_file *file);

#endif
