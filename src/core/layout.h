/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * layout.h - what should be: the editable copy of a machine.
 *
 * A layout read from a file names its GPUs by a match and may leave things
 * out (untouched). gs_layout_bind() lays it over a snapshot; from then on
 * gpus[i] speaks of snapshot GPU i and everything is filled in. Editing,
 * diffing and planning work on bound layouts only.
 */
#ifndef GS_CORE_LAYOUT_H
#define GS_CORE_LAYOUT_H

#include "core/placement.h"
#include "core/snapshot.h"

/* How a GPU is named in a file: by uuid, else by bdf with its PCI ids; what disagrees is an error. */
struct gs_match {
	const char *uuid;
	bool has_bdf;
	struct gs_bdf bdf;
	const char *pci_id, *subsystem_id;
};

struct gs_want_compute {
	const char *profile;
	struct gs_u32 start;            /* compute slice; unknown: left open */
	struct gs_u32 id;               /* the compute instance that it was copied from, when it is there already */
	bool is_claimed;                /* a statement of the script asked for it */
};

/* One instance that should exist. */
struct gs_want {
	enum gs_instance_kind kind;     /* MIG, VGPU, or SRIOV: no instance of its own, but parameters of a VF */
	const char *profile;
	struct gs_u32 start;            /* memory unit or slot (VF); unknown: left open until gs_layout_solve() */
	const char *uuid;               /* mdev: asked for, or of the one that is there; NULL: any */
	struct gs_u32 placement_id;     /* vGPU in mixed-size mode, asked for */
	const char *on_profile;         /* the GI that a MIG-backed vGPU should lie in; NULL: the driver chooses */
	struct gs_u32 on_start;
	struct gs_key_value *params;    /* by key, of MIG ones settings; asked for: others are left as they are */
	size_t n_params;
	bool recreate;                  /* destroy and create again even if it is there */
	bool compute_default;           /* one compute instance that fills it; compute[] is empty */
	struct gs_want_compute *compute;
	size_t n_compute;
	struct gs_position pos;         /* the word that asked for it; line 0: it is there already */
	struct gs_u32 instance_id;      /* the instance that it was copied from, when it is there already */
	struct gs_u32 moved_id;         /* the instance that it was before it was moved */
	bool is_claimed;                /* a statement of the script asked for it */
	uint32_t open_claim;            /* 1 + the statement that claimed it without naming a start; 0: none did */
	bool is_settled;                /* SRIOV: copied from the machine; asks for nothing by itself */
};

/* One setting that should be. */
struct gs_want_setting {
	const char *key, *value;
	struct gs_position pos;
};

struct gs_layout_gpu {
	struct gs_match match;          /* as read; empty in a layout made from a snapshot */
	struct gs_position pos;
	enum gs_mode mode;              /* INVALID in an unbound layout: untouched */
	bool mode_is_asked;             /* bound: somebody asked for it; a pending change to another is taken back */
	struct gs_u32 vfs;              /* VFs that should be on; unknown: untouched. Bound: always agrees with the mode */
	bool vfs_is_asked;
	struct gs_position vfs_pos;
	struct gs_want_setting *settings;   /* asked for; a key once */
	size_t n_settings, cap_settings;
	bool has_instances;             /* unbound: the "instances" key was there */
	bool positions_unknown;         /* bound: instances exist whose place or profile we may not see */
	struct gs_want *wants;
	size_t n_wants, cap_wants;
};

struct gs_layout {
	struct gs_arena *arena;         /* strings and arrays; a snapshot's strings are copied */
	struct gs_layout_gpu *gpus;
	size_t n_gpus, cap_gpus;
	bool is_bound;
};

/* The caller owns. NULL when there is no memory. */
struct gs_layout *gs_layout_new(void);
struct gs_layout *gs_layout_free(struct gs_layout *l);
GS_DEFINE_CLEANUP(struct gs_layout *, gs_layout_free);

/* A bound layout that asks for exactly what is there: diffing it gives nothing. */
int gs_layout_from_snapshot(const struct gs_snapshot *s, struct gs_layout **ret_layout, struct gs_error *e);
/* In a bound layout: GPU @i is asked for as it is in @s, whatever was asked before. -ENOMEM. */
int gs_layout_put_back(struct gs_layout *l, const struct gs_snapshot *s, size_t i, struct gs_error *e);
int gs_layout_copy(const struct gs_layout *l, struct gs_layout **ret_layout, struct gs_error *e);

/* For builders: a new zeroed entry (mode INVALID), or NULL. */
struct gs_layout_gpu *gs_layout_add_gpu(struct gs_layout *l);
struct gs_want *gs_layout_add_want(struct gs_layout *l, struct gs_layout_gpu *g);
void gs_layout_remove_want(struct gs_layout_gpu *g, size_t i);

/* Ask for a setting; a later wish for the same key wins. NULL when there is no memory. */
struct gs_want_setting *gs_layout_set(struct gs_layout *l, struct gs_layout_gpu *g, const char *key, const char *value);
/*
 * Mode and VFs say the same thing twice: ask for one and the other follows.
 * «mode vgpu» means all VFs, «mode whole» none; «vfs 0» means whole or mig,
 * more mean vgpu, mig-vgpu or sriov, whichever @gpu offers.
 */
void gs_layout_ask_mode(struct gs_layout_gpu *g, const struct gs_gpu *gpu, enum gs_mode mode);
void gs_layout_ask_vfs(struct gs_layout_gpu *g, const struct gs_gpu *gpu, uint32_t n);

/* A copy of @from whose strings and arrays live in @a: two wants must never share an array. */
void gs_want_copy(struct gs_arena *a, struct gs_want *to, const struct gs_want *from);
/* The same for another GPU, or another time: what was there already is asked for anew. */
void gs_want_copy_afresh(struct gs_arena *a, struct gs_want *to, const struct gs_want *from);

/*
 * Lay a file's layout over a machine: match every GPU, check every word
 * against its profiles, fill the rest from the snapshot. Errors carry the
 * position in the file: -ENODEV no such GPU, -EINVAL unknown profile, illegal
 * start, two that overlap, ambiguous or contradicting match (status INVALID).
 */
int gs_layout_bind(const struct gs_layout *file, const struct gs_snapshot *s, struct gs_layout **ret_layout, struct gs_error *e);

/* Does @m mean @gpu, by its uuid or by its address? Of a board that was moved or exchanged both are meant, and neither can be bound. */
bool gs_match_means(const struct gs_match *m, const struct gs_gpu *gpu);
/* gs_layout_bind() of those entries of @file that mean one of the @n @gpus, and only their errors: all others stay as they are. */
int gs_layout_bind_some(const struct gs_layout *file, const struct gs_bdf *gpus, size_t n, const struct gs_snapshot *s, struct gs_layout **ret_layout,
			struct gs_error *e);

/*
 * Give every open start a place (see gs_placement_solve), in place. A request
 * for which there is none stays open, *@ret_unplaced counts them; the plan
 * turns them into findings.
 */
int gs_layout_solve(struct gs_layout *bound, const struct gs_snapshot *s, size_t *ret_unplaced, struct gs_error *e);

/* Is @value one that setting @key of @gpu takes? -EINVAL at @pos, with the words it knows. Whether it can be written now is the plan's to say. */
int gs_setting_check(const struct gs_gpu *gpu, const char *key, const char *value, const struct gs_position *pos, struct gs_error *e);
/* The same of what one of its GPU instances is set to. */
int gs_gi_setting_check(const struct gs_gpu *gpu, const char *key, const char *value, const struct gs_position *pos, struct gs_error *e);
/* Can @gpu have @n VFs at all? -EINVAL at @pos: no SR-IOV, more than it has, or a part where its tool knows all or none. */
int gs_vfs_check(const struct gs_gpu *gpu, uint32_t n, const struct gs_position *pos, struct gs_error *e);

/* Do the compute instances that @w lists overlap, or exceed a GI of profile @p? Status INVALID at @pos. */
int gs_want_check_compute(const struct gs_want *w, const struct gs_profile *p, const struct gs_position *pos, struct gs_error *e);

/*
 * The places that @g asks for on the grid of @kind, in the order of wants with
 * a known start; @ret has room for GS_PLACED_MAX. Unknown profiles are left out.
 */
size_t gs_layout_placed(const struct gs_layout_gpu *g, const struct gs_gpu *gpu, enum gs_instance_kind kind, struct gs_placed *ret, size_t *ret_want_index);
/* Will the GPU take vGPUs of several framebuffer sizes: as asked for, else as it is? */
bool gs_layout_mixes_sizes(const struct gs_layout_gpu *g, const struct gs_gpu *gpu);
/* The grid that @g cuts instances of @kind from, by the size rule that it asks for. Borrowed from @gpu. */
const struct gs_profile_set *gs_layout_grid(const struct gs_layout_gpu *g, const struct gs_gpu *gpu, enum gs_instance_kind kind);
/* The placement id that a vGPU asks for, or that it has; unknown: the driver's to choose. */
struct gs_u32 gs_want_mixed_id(const struct gs_want *w, const struct gs_gpu *gpu);
/* The profile of a want in its own grid, or NULL. */
const struct gs_profile *gs_want_profile(const struct gs_want *w, const struct gs_gpu *gpu);
/* Set a parameter of @w, replacing one of that key. -ENOMEM. */
int gs_want_set_param(struct gs_arena *a, struct gs_want *w, const char *key, const char *value);
/* Is that mode one with MIG on; one with VFs on? */
bool gs_mode_has_mig(enum gs_mode mode);
bool gs_mode_has_vfs(enum gs_mode mode);

#endif
