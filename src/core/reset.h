/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reset.h - what a reset of a GPU takes along. GPUs that are linked by NVLink
 * are reset together or not at all (interfaces 5.8).
 */
#ifndef GS_CORE_RESET_H
#define GS_CORE_RESET_H

#include "base/arena.h"
#include "core/snapshot.h"

/*
 * The GPUs that a reset of @gpu (of @s) takes along, without itself, in order:
 * those at the other ends of its links, and of theirs; all that are in the
 * fabric where one of them is, since a link ends at a switch there.
 * *@ret_peers is in @arena. -ENOMEM.
 */
int gs_reset_peers(const struct gs_snapshot *s, const struct gs_gpu *gpu, struct gs_arena *arena, const struct gs_gpu ***ret_peers, size_t *ret_n);

/* Did the driver tell what @gpu is linked with? If not, others may have to go along that nobody can name. */
bool gs_reset_peers_are_known(const struct gs_gpu *gpu);

#endif
