/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * script_edit.h - how statements edit a layout: the state of one evaluation and
 * what its parts call of each other. For src/core/script*.c only.
 */
#ifndef GS_CORE_SCRIPT_EDIT_H
#define GS_CORE_SCRIPT_EDIT_H

#include "core/script.h"

struct gs_edit {
	const struct gs_snapshot *s;
	enum gs_script_context context;
	struct gs_evaluation *ev;
	const struct gs_statement *st;
	uint32_t number;            /* of @st, from 0 */
	const struct gs_bdf *only;  /* the GPUs that are edited; none: all */
	size_t n_only;
	/* the GPU that the statement works on now */
	const struct gs_gpu *gpu;
	struct gs_layout_gpu *g;
	struct gs_error *e;
};

/* ---- script.c ---- */

/* Is @gpu edited at all? */
bool gs_edit_is_for(const struct gs_edit *x, uint32_t gpu);
/* Where strings of the result live. */
struct gs_arena *gs_edit_arena(struct gs_edit *x);
struct gs_position gs_edit_position(struct gs_edit *x, struct gs_position pos);
/* Something to tell; @text NULL is an allocation that failed. -ENOMEM. */
int gs_edit_remark(struct gs_edit *x, struct gs_position pos, enum gs_severity severity, const char *rule, const char *text);

/* ---- script_select.c: errors carry the position of the word ---- */

/* The profile of that name in any grid of the GPU; *@ret_kind (may be NULL) is MIG or VGPU. */
int gs_edit_profile(struct gs_edit *x, const char *name, const struct gs_position *pos, const struct gs_profile **ret_profile, enum gs_instance_kind *ret_kind);
/* The number of a VF: "3", or the address of one that is there. -EINVAL when the GPU has no such VF. */
int gs_edit_vf(struct gs_edit *x, const char *text, const struct gs_position *pos, uint32_t *ret_n);
/* Does the GPU answer? -ENODEV and status REFUSED where it is lost: @what of it cannot be told. */
int gs_edit_check_answers(struct gs_edit *x, const struct gs_position *pos, const char *what);
/* Can its instances be seen? The same, or -EPERM and status CANNOT_TELL where the caller may not see them: what is to go may be there. */
int gs_edit_check_seen(struct gs_edit *x, const struct gs_position *pos);
int gs_edit_check_start(struct gs_edit *x, const struct gs_profile *p, uint32_t start, const struct gs_position *pos);
/* The want of that profile at that start, or NULL. Valid until a want is added. */
struct gs_want *gs_edit_want_at(struct gs_layout_gpu *g, const char *profile, uint32_t start, bool unclaimed_only);
/* The instance that a selector names, as it stands in the layout. *@ret is NULL when it is legal but absent. Valid until a want is added. */
int gs_edit_find(struct gs_edit *x, const struct gs_instance_selector *sel, struct gs_want **ret);

/* ---- script_create.c ---- */

int gs_edit_create(struct gs_edit *x);
/*
 * Before a statement takes a place: a claim without a start that stands there
 * goes elsewhere; another request of the script there is wrong on every
 * machine (INVALID). May add wants, so pointers to wants are stale after it.
 */
int gs_edit_make_way(struct gs_edit *x, enum gs_instance_kind kind, const struct gs_profile *p, uint32_t start, const struct gs_position *pos);

/* ---- script_change.c ---- */

int gs_edit_delete(struct gs_edit *x);
int gs_edit_move(struct gs_edit *x);
int gs_edit_recreate(struct gs_edit *x);
int gs_edit_copy(struct gs_edit *x);

/* ---- script_set.c ---- */

int gs_edit_vfs(struct gs_edit *x);
int gs_edit_set(struct gs_edit *x);

#endif
