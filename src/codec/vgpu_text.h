/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vgpu_text.h - the three texts in which NVIDIA's host driver tells about vGPU
 * types: a type's name, the table of what a virtual function may become, and
 * the description of an mdev type.
 *
 * All of it comes from attributes that somebody else writes. Nothing here
 * fails on strange bytes: what can be used is taken, the rest is counted, and
 * what is shown on a terminal is made harmless.
 */
#ifndef GS_CODEC_VGPU_TEXT_H
#define GS_CODEC_VGPU_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/optional.h"

#define GS_VGPU_TYPES_MAX 128           /* types per GPU (interfaces 2.7) */
#define GS_VGPU_NAME_SIZE 64            /* of a name, with its NUL (interfaces 2.2) */
#define GS_RESOLUTION_SIZE 16           /* "7680x4320", with its NUL */

/* The name without "NVIDIA " or "GRID " in front: a pointer into @name. */
const char *gs_vgpu_name_short(const char *name);

struct gs_vgpu_name {
	size_t n_prefix;                /* bytes of the short name before the dash: "L40S", "RTX Pro 6000 Blackwell DC" */
	uint32_t compute_slices;        /* MIG-backed; 0: time-sliced */
	uint64_t framebuffer_bytes;     /* as the name says it: whole GiB */
	char series;                    /* 'A', 'B', 'C' or 'Q' */
	const char *suffix;             /* "", "ME", "NOME", "MEALL", "GFX", "4"; borrowed from the name */
};

/*
 * Take a name apart: PREFIX-SIZE CLASS, MIG-backed PREFIX-SLICES-SIZE CLASS
 * (interfaces 2.2). -EINVAL for anything else; so also for names without a
 * class and for size 0, whose meaning no source gives.
 */
int gs_vgpu_name_parse(const char *name, struct gs_vgpu_name *ret_name);

/*
 * The framebuffer that a name promises. The last resort, after NVML and the
 * catalogue: a name is rounded («94C» has 96246 MiB). -EINVAL as above.
 */
int gs_vgpu_name_framebuffer(const char *name, uint64_t *ret_bytes);

struct gs_vgpu_row {
	uint32_t type_id;               /* never 0, which means «none» */
	char name[GS_VGPU_NAME_SIZE];   /* as the driver spells it, with its prefix; control characters became '?' */
};

struct gs_vgpu_table {
	struct gs_vgpu_row rows[GS_VGPU_TYPES_MAX];     /* in the driver's order, which is no order */
	size_t n;
	size_t n_ignored;               /* rows that cannot be used: no name or too long a one, a bad id or one that was there, over the limit */
	bool has_header;                /* a first line that is no row */
	bool is_cut;                    /* the last line has no end and was left out: there may be more */
};

/*
 * Read one `creatable_vgpu_types` (interfaces 2.2): a line is a row if its
 * first word is all digits, what follows the first ':' is the name. A header
 * may be there or not; a table without rows is a VF with a type, or a full GPU.
 *
 * Every line of the driver ends with a newline. So read the attribute with
 * gs_root_read_bytes(): gs_root_read() takes the last one away, and the last
 * row would pass for a cut one.
 */
void gs_vgpu_table_parse(const char *bytes, size_t n, struct gs_vgpu_table *ret_table);

/* NULL when it is not there. A name is found with and without the vendor's prefix, in exact case. */
const struct gs_vgpu_row *gs_vgpu_table_by_id(const struct gs_vgpu_table *t, uint32_t type_id);
const struct gs_vgpu_row *gs_vgpu_table_by_name(const struct gs_vgpu_table *t, const char *name);

struct gs_mdev_description {
	struct gs_u32 heads;
	struct gs_u32 frame_limit;      /* frames per second */
	struct gs_u64 framebuffer_bytes;
	struct gs_u32 max_instances;    /* per GPU with one size, neither per VF nor left (interfaces 1.3) */
	char max_resolution[GS_RESOLUTION_SIZE];        /* "" when unknown */
	size_t n_ignored;               /* keys of ours whose value makes no sense or was there */
};

/*
 * Read an mdev type's `description` (interfaces 1.3): key=value, separated by
 * commas or newlines, with or without blanks. "key: value" on lines, as Intel's
 * GVT-g is said to write, is read too. Unknown keys are skipped; a value that is not as
 * documented is unknown.
 */
void gs_mdev_description_parse(const char *bytes, size_t n, struct gs_mdev_description *ret_description);

#endif
