/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * catalogue_vgpu.h - what is known of the vGPU types of a board without asking
 * its driver, whose listing has no sizes and is empty once a function has a
 * type (interfaces 2.2).
 *
 * Unknown is «not found in any source». What a driver says on the machine wins.
 */
#ifndef GS_CODEC_CATALOGUE_VGPU_H
#define GS_CODEC_CATALOGUE_VGPU_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/optional.h"
#include "codec/catalogue_pci.h"

struct json_object;

/*
 * One form of a board. Boards of one name differ in memory or module, and so
 * in their types: an A800 with 40 GB has "A800-20C", one with 80 GB "A800D-20C".
 */
struct gs_vgpu_variant {
	const char *prefix;             /* of its types' names: "A800D" */
	struct gs_u64 memory_bytes;     /* of one GPU, nominal */
	const char *mig_model;          /* gs_catalogue_by_file(); NULL: no MIG, or not known */
	const char **pci_ids;           /* "10de:20f5"; empty when it is not known which of the board's */
	size_t n_pci_ids;
};

struct gs_vgpu_type {
	const char *name;               /* without the vendor's prefix, "L40S-24Q"; once in a board */
	const char *full_name;          /* as the driver prints it, "NVIDIA L40S-24Q"; NULL when it was not found */
	const struct gs_vgpu_variant *variant;
	char series;                    /* 'A', 'B', 'C' or 'Q' */
	bool is_mig_backed;
	struct gs_u64 framebuffer_bytes;        /* always known here */
	struct gs_u32 max_instances;            /* per GPU, all of one size */
	struct gs_u32 max_instances_mixed;      /* per GPU in mixed-size mode */
	struct gs_u32 max_per_gi;               /* MIG-backed only */
	const char *gi_profile;                 /* MIG-backed only: a profile of the variant's MIG model; NULL when not known */
	struct gs_u32 gi_profile_id;            /* the same as the driver numbers it on that model; ask the driver before relying on it (interfaces 2.6) */
	struct gs_u32 type_id;                  /* read from a listing */
	struct gs_u32 type_id_inferred;         /* a deduction: to show or simulate, never to write to a device */
	struct gs_u32 heads, frame_limit;       /* displays at most; frames per second */
	const char *max_resolution;             /* "7680x4320", not with all heads at once; NULL when not known */
};

struct gs_vgpu_board {
	const char *file;               /* "l40s" */
	const char *name, *architecture;
	const struct gs_model_pci *pci; /* empty for boards whose ids no source gives */
	size_t n_pci;
	uint32_t gpus_per_board;
	struct gs_u64 memory_bytes;     /* of one GPU; unknown when the variants differ */
	bool is_sriov;                  /* vGPUs live on VFs; else on the PF, as mdev (interfaces 1.1) */
	struct gs_u32 total_vfs;
	const char *mig_model;          /* NULL: none, or the variants differ */
	bool is_mixed_size_known, can_mixed_size;
	const struct gs_vgpu_variant *variants;
	size_t n_variants;
	const struct gs_vgpu_type *types;       /* in the file's order */
	size_t n_types;
};

/*
 * A type of a board; NULL when it is not there. A name is found with or
 * without "NVIDIA " or "GRID " in front, in exact case. By id: those read from a listing only.
 */
const struct gs_vgpu_type *gs_vgpu_type_by_name(const struct gs_vgpu_board *b, const char *name);
const struct gs_vgpu_type *gs_vgpu_type_by_id(const struct gs_vgpu_board *b, uint32_t type_id);

/* Can a GPU with this PCI id have that type? True too when it is not known which variant the id is. */
bool gs_vgpu_type_is_for(const struct gs_vgpu_type *t, const char *pci_id);

/*
 * One board file, strictly: unknown and missing keys, names or ids that are
 * there twice, a name that contradicts its row, a type without variant are
 * -EBADMSG with the place. @path for errors; @file is the board's name; both
 * are copied into @a, as is everything else.
 */
int gs_vgpu_board_read(struct json_object *o, const char *path, const char *file, struct gs_arena *a, struct gs_vgpu_board *ret_board,
		       struct gs_error *e);

#endif
