/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * profile.h - what a GPU can be cut into: its grid and its profiles with their
 * legal placements, as the driver (or, failing that, the catalogue) lists them.
 *
 * Nothing here is computed from slice counts: a placement is legal because it
 * is in the list, and for no other reason.
 */
#ifndef GS_CORE_PROFILE_H
#define GS_CORE_PROFILE_H

#include <stddef.h>

#include "base/optional.h"

/* Parameters of a vGPU that are files of their own, not words of vgpu_params (interfaces 2.1). */
#define GS_PARAM_PLACEMENT_ID "placement-id"
#define GS_PARAM_GI "gpu-instance-id"

/* Bits of a uint64_t carry one grid; real ones have 4, 8 or 12 units. */
#define GS_GRID_UNITS_MAX 64
#define GS_PROFILES_MAX 128     /* types per GPU that RM knows (interfaces 2.7) */
#define GS_PLACEMENTS_MAX 64
/* Placement ids of one type: more than vGPUs fit on a GPU (interfaces 2.7). */
#define GS_MIXED_IDS_MAX 64

/* [start, start + size) in the units of the thing it lies in. */
struct gs_span {
	uint32_t start, size;
};

static inline uint64_t gs_span_mask(struct gs_span s)
{
	if (s.start >= GS_GRID_UNITS_MAX || !s.size)
		return 0;
	return (s.size >= GS_GRID_UNITS_MAX ? ~0ull : (1ull << s.size) - 1) << s.start;
}

static inline bool gs_span_overlaps(struct gs_span a, struct gs_span b)
{
	return a.start < b.start + b.size && b.start < a.start + a.size;
}

enum gs_engine {
	GS_ENGINE_COPY,
	GS_ENGINE_DECODER,
	GS_ENGINE_ENCODER,
	GS_ENGINE_JPEG,
	GS_ENGINE_OFA,
	GS_ENGINE_MAX,
};

/* A compute instance profile inside one GPU instance profile. Placements count compute slices. */
struct gs_compute_profile {
	const char *name;               /* "1c.3g.40gb", or the GI's own name for the one that fills it */
	struct gs_u32 id;               /* driver's CI profile id, only meaningful inside this GI profile */
	uint32_t compute_slices;
	struct gs_u32 sm_count;
	uint32_t max_instances;
	const struct gs_span *placements;
	size_t n_placements;
	bool is_default;                /* fills the whole GI */
};

struct gs_profile {
	const char *name;               /* as the vendor prints it, without "MIG ": "3g.40gb", "1g.10gb+me" */
	struct gs_u32 id;               /* driver's profile id; per model, never portable */
	struct gs_u32 nvml_profile;     /* NVML_GPU_INSTANCE_PROFILE_*, the third numbering */
	uint32_t compute_slices;
	struct gs_u64 memory_bytes;
	struct gs_u32 sm_count;
	struct gs_u32 engines[GS_ENGINE_MAX];
	uint32_t max_instances;
	const struct gs_span *placements;   /* sorted by start; all of one size; may be unknown (n = 0) */
	size_t n_placements;
	const struct gs_compute_profile *compute;
	size_t n_compute;
	/* vGPU types */
	const char *gi_profile;         /* the GI that a MIG-backed type lies in; NULL for a time-sliced one */
	struct gs_u32 max_per_gi;       /* of a MIG-backed type in one GI */
	/* mixed-size mode: it starts at a placement id and takes as many units of framebuffer (interfaces 2.5) */
	struct gs_u32 max_mixed;        /* per GPU; unknown: the slots and the driver bind */
	uint32_t mixed_size;            /* units; 0: not known */
	const uint32_t *mixed_ids;      /* ascending */
	size_t n_mixed_ids;
};

/* Where the profiles of a GPU were learnt. */
enum gs_profile_source {
	GS_PROFILES_UNKNOWN,
	GS_PROFILES_DRIVER,
	GS_PROFILES_CATALOGUE,
};

/*
 * One grid: what one kind of instance can be on a GPU. A MIG grid counts memory
 * units. A grid of slots counts virtual functions (or, for mdevs on a PF, as
 * many places as fit): each instance takes one slot, any slot is as good as
 * another, and what binds is the count and the size.
 */
struct gs_profile_set {
	uint32_t memory_units;          /* width of the grid; 0 when this GPU cannot be cut */
	uint32_t compute_slices;
	uint32_t max_instances;         /* on the whole GPU */
	const struct gs_profile *items; /* in the order in which people expect them: small to large, plain before suffixed */
	size_t n;
	enum gs_profile_source source;
	bool is_slots;                  /* a grid of slots */
	bool has_one_size;              /* time-sliced vGPUs of one GPU share one framebuffer size (interfaces 1.4, 2.5) */
	uint64_t avoid;                 /* slots that an open request leaves alone: somebody has their VF, or work without a process yet names them */
};

/* NULL when there is none of that name (exact; NULL is none) / driver id. Borrowed from @set. */
const struct gs_profile *gs_profile_by_name(const struct gs_profile_set *set, const char *name);
const struct gs_profile *gs_profile_by_id(const struct gs_profile_set *set, uint32_t id);
/* Accepts "1c.3g.40gb" and the GI profile's own name. */
const struct gs_compute_profile *gs_compute_profile_by_name(const struct gs_profile *p, const char *name);
const struct gs_compute_profile *gs_compute_profile_by_id(const struct gs_profile *p, uint32_t id);
/* The one that fills the GI, or NULL. */
const struct gs_compute_profile *gs_compute_profile_default(const struct gs_profile *p);

/* Word for word the same, wherever both were learnt. */
bool gs_profile_set_equal(const struct gs_profile_set *a, const struct gs_profile_set *b);

/* Does the profile list contain a placement that begins at @start? Fills the span. */
bool gs_profile_placement_at(const struct gs_profile *p, uint32_t start, struct gs_span *ret_span);

/* "+me", "-me", "+gfx", "+me.all" or "" — the part of the name behind the size. */
const char *gs_profile_suffix(const struct gs_profile *p);

#endif
