/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reboot.h - what is left of a machine after a reboot, before it is done. Pure.
 *
 * The rules are those of drivers and boards (interfaces 0.4, 5.8, 6.2): the
 * kernel keeps nothing, and of the boards only Ampere keeps its MIG mode. What
 * others do at boot (units of this site, mdevctl, the kernel command line) is
 * not in a snapshot and so not in the answer; the reasons say where it matters.
 * What follows from something that is not known is unknown, never guessed.
 */
#ifndef GS_CORE_REBOOT_H
#define GS_CORE_REBOOT_H

#include "core/layout.h"
#include "core/snapshot.h"

/* In the order in which they are told. */
enum gs_reboot_fate {
	GS_REBOOT_LOST,
	GS_REBOOT_KEPT,
	GS_REBOOT_UNKNOWN,
	GS_REBOOT_MAX,
};
/* "lost"; NULL for a value outside. */
const char *gs_reboot_fate_name(enum gs_reboot_fate fate);

/* Members of a layout's GPU that cannot be foretold: bits. */
#define GS_REBOOT_UNKNOWNS(X) \
	X(UUID, "match.uuid")           /* only its own driver tells it, and another has the GPU now */ \
	X(MODE, "mode") \
	X(SETTINGS, "settings") \
	X(VFS, "vfs") \
	X(INSTANCES, "instances")
enum gs_reboot_member {
#define GS_X_MEMBER(id, name) GS_REBOOT_MEMBER_##id,
	GS_REBOOT_UNKNOWNS(GS_X_MEMBER)
#undef GS_X_MEMBER
	GS_REBOOT_MEMBER_MAX
};
/* "match.uuid"; NULL behind the last. */
const char *gs_reboot_member_name(enum gs_reboot_member m);

/* One thing that is there now, and what becomes of it. */
struct gs_reboot_item {
	enum gs_reboot_fate fate;
	const char *what;               /* "3 GPU instances (2g.10gb@0, …)" */
	const char *why;                /* the rest of a sentence behind "what: " */
	uint32_t members;               /* UNKNOWN: 1u << enum gs_reboot_member that follow from it */
};

/*
 * What @gpu has, item by item: lost ones first, then kept, then unknown. None
 * when a reboot leaves it as it is. *@ret_items is in @arena and points into
 * the snapshot of @gpu. -ENOMEM.
 */
int gs_reboot_items(const struct gs_gpu *gpu, struct gs_arena *arena, struct gs_reboot_item **ret_items, size_t *ret_n);

/* Has it anything that a reboot takes away? A machine as it comes up needs no saving. True as well when there is no memory to tell. */
bool gs_reboot_would_lose(const struct gs_gpu *gpu);

/*
 * The machine of @s as the first look after a reboot would find it, without
 * holders. It borrows strings and grids of @s, which has to outlive it. What is
 * not known there: mode INVALID, settings without value, no uuid. The
 * caller owns one reference. -ENOMEM.
 */
int gs_reboot_snapshot(const struct gs_snapshot *s, struct gs_snapshot **ret_after, struct gs_error *e);

/*
 * The same as a bound layout, which lives by itself; to print it, use the snapshot of
 * gs_reboot_snapshot(): identities and settings come from there. The caller owns it. -ENOMEM.
 */
int gs_reboot_layout(const struct gs_snapshot *s, struct gs_layout **ret_layout, struct gs_error *e);

#endif
