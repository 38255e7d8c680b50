/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diff.h - what differs between a machine and a solved layout, GPU by GPU. */
#ifndef GS_CORE_DIFF_H
#define GS_CORE_DIFF_H

#include "core/layout.h"
#include "core/snapshot.h"

enum gs_change_kind {
	GS_CHANGE_KEEP,         /* in both: never touched */
	GS_CHANGE_KEEP_GI,      /* the GI stays, compute instances in it change */
	GS_CHANGE_DELETE,
	GS_CHANGE_CREATE,
	GS_CHANGE_RECREATE,     /* asked for, or wiped by a mode change and wanted again */
};

struct gs_compute_change {
	const struct gs_compute *old;           /* NULL: create */
	const struct gs_want_compute *want;     /* NULL: destroy; both set: keep */
	const struct gs_compute_profile *profile;   /* of @want; NULL when unknown */
	uint32_t start;                         /* of @want, solved */
};

struct gs_change {
	enum gs_change_kind kind;
	const struct gs_instance *old;  /* NULL for CREATE */
	const struct gs_want *want;     /* NULL for DELETE */
	const struct gs_profile *profile;   /* of @want; NULL when unknown */
	struct gs_compute_change *compute;
	size_t n_compute;
	bool has_no_room;               /* its compute instances do not fit beside each other */
	bool place_is_unknown;          /* it changes beside a compute instance whose place cannot be seen */
	struct gs_key_value *params;    /* of a vGPU or VF, or settings of a GI, to be set: those that differ */
	size_t n_params;
};

struct gs_setting_change {
	const struct gs_setting *setting;
	const char *value;              /* asked for, or what it has to be set to again */
};

struct gs_diff_gpu {
	const struct gs_gpu *gpu;
	const struct gs_layout_gpu *target;
	bool mode_changes;              /* another mode is asked for than the one that is or comes */
	bool mig_changes;               /* the driver's MIG mode */
	bool mig_only_unpends;          /* … only in that a pending change is taken back: disturbs nobody */
	bool goes_to_vfio, leaves_vfio; /* the functions get another driver (or, unbound or stranded, theirs back) */
	bool gives_back;                /* … no, but another function of the board has lost the driver that it had */
	bool vfs_off, vfs_on;           /* VFs are switched off, on, or both: off first */
	uint32_t vfs_now, vfs_target;
	bool wipes_gis, wipes_vgpus;    /* what is wanted still has to be created again (interfaces 0.3) */
	struct gs_setting_change *settings;
	size_t n_settings;
	struct gs_change *changes;      /* by kind and start, deletions before creations at the same place */
	size_t n_changes;
	bool is_changed;                /* anything but KEEP */
};

struct gs_diff {
	struct gs_arena *arena;
	struct gs_diff_gpu *gpus;       /* one per snapshot GPU, in order */
	size_t n_gpus;
};

/* Borrows from both; valid while they live. -ENOMEM, -E2BIG. What does not fit is marked, not refused. */
int gs_diff_build(const struct gs_snapshot *s, const struct gs_layout *solved, struct gs_diff **ret_diff, struct gs_error *e);
struct gs_diff *gs_diff_free(struct gs_diff *d);
GS_DEFINE_CLEANUP(struct gs_diff *, gs_diff_free);

#endif
