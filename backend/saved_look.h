/* SPDX-License-Identifier: GPL-2.0-or-later */
/* saved_look.h - what each look at a machine says about the saved layout: is each GPU as saved? */
#ifndef GS_BACKEND_SAVED_LOOK_H
#define GS_BACKEND_SAVED_LOOK_H

#include "base/root.h"
#include "core/snapshot.h"

struct gs_saved_look;

/* @root is borrowed. NULL when there is no memory. */
struct gs_saved_look *gs_saved_look_new(struct gs_root *root);
struct gs_saved_look *gs_saved_look_free(struct gs_saved_look *l);

/*
 * Tell @s, which is sealed and was not handed out yet. The file is read each
 * time, and judged again when it or a GPU changed. One that cannot be read or
 * understood is a notice. -ENOMEM.
 */
int gs_saved_look_apply(struct gs_saved_look *l, struct gs_snapshot *s, struct gs_error *e);

#endif
