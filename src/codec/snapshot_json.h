/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snapshot_json.h - schema gpuslice.snapshot/1. */
#ifndef GS_CODEC_SNAPSHOT_JSON_H
#define GS_CODEC_SNAPSHOT_JSON_H

#include "codec/json.h"
#include "core/snapshot.h"

enum {
	GS_SNAPSHOT_TELEMETRY = 1 << 0,     /* "telemetry" per GPU and instance */
	/* "profiles" and "grids" per GPU, or "profiles_as" and "grids_as" an earlier one: for our own processes */
	GS_SNAPSHOT_PROFILES = 1 << 1,
};

/* Of one GPU, holders also of one instance or VF; a snapshot with more is refused, so whoever makes one stops there and says so. */
#define GS_SNAPSHOT_HOLDERS_MAX 4096
#define GS_SNAPSHOT_VFS_MAX 256
#define GS_SNAPSHOT_SIBLINGS_MAX 32
#define GS_SNAPSHOT_WRITES_MAX 64
#define GS_SNAPSHOT_CHOICES_MAX 64      /* of one setting */
#define GS_SNAPSHOT_INSTANCES_MAX (GS_GRID_UNITS_MAX + GS_SNAPSHOT_VFS_MAX)

/* The caller owns a reference. NULL when there is no memory. */
struct json_object *gs_snapshot_to_json(const struct gs_snapshot *s, unsigned flags);

/*
 * Decode what another of our processes (or a published file) says; nothing in
 * it is trusted: bounds, types, duplicates are checked, text is sanitised.
 * -EBADMSG. Sealed; one reference for the caller.
 */
int gs_snapshot_from_json(struct json_object *o, struct gs_snapshot **ret_snapshot, struct gs_error *e);

/* "numvfs", "sriov-manage", or NULL: nobody can. */
const char *gs_vfs_by_name(enum gs_vfs_by by);

/* schema gpuslice.profiles/1: every profile of the GPUs in @indices (all when @n is 0), with placements and what is creatable now. */
struct json_object *gs_profiles_to_json(const struct gs_snapshot *s, const uint32_t *indices, size_t n);

/* What of a profile of grid @kind can be created beside what is there. */
struct gs_creatable {
	struct gs_u32 n;                        /* how many more; unknown when nobody can tell */
	bool has_starts;
	uint32_t starts[GS_PLACEMENTS_MAX];     /* where one may begin: memory units, or slots */
	size_t n_starts;
};
/*
 * As if the GPU were in the mode that @kind takes; none where that mode would
 * not keep what is there. A MIG-backed vGPU counts
 * what the GPU instances of its profile still hold, and a free slot each.
 */
void gs_profile_creatable(const struct gs_gpu *gpu, enum gs_instance_kind kind, const struct gs_profile *p, struct gs_creatable *ret);
/* Is the GPU in a mode in which @p of that kind is created? */
bool gs_profile_mode_is_right(const struct gs_gpu *gpu, enum gs_instance_kind kind, const struct gs_profile *p);

#endif
