/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ps.h - one row for each thing that work can be on, over all GPUs: an
 * instance, or a GPU that is not cut, with its readings and who uses it.
 */
#ifndef GS_CORE_PS_H
#define GS_CORE_PS_H

#include "core/snapshot.h"

#define GS_PS_KEYS(X) \
	X(GPU, "gpu") \
	X(MEMORY, "memory") \
	X(LOAD, "load") \
	X(PID, "pid") \
	X(USER, "user") \
	X(NAME, "name")

#define GS_PS_ENUM_(id, name) GS_PS_##id,
enum gs_ps_key { GS_PS_KEYS(GS_PS_ENUM_) GS_PS_KEY_MAX };
/* GS_PS_KEY_MAX for a word that is none. */
enum gs_ps_key gs_ps_key_from_name(const char *name);
/* "gpu, memory, …". Returns @buf. */
const char *gs_ps_keys(char *buf, size_t size);

struct gs_ps_row {
	const struct gs_gpu *gpu;
	const struct gs_instance *instance;     /* NULL: the GPU itself */
	const struct gs_telemetry *telemetry;
	struct gs_holder *const *holders;       /* as in the snapshot */
	size_t n_holders;
};

/*
 * The rows of @s in the arena: in the order of the machine, or by @key, memory
 * and load the most first, and what is not known last. By pid, user and name it
 * is the first one who works there that counts; a daemon that has a whole GPU
 * open is none. -ENOMEM.
 */
int gs_ps_list(const struct gs_snapshot *s, enum gs_ps_key key, struct gs_arena *arena, struct gs_ps_row **ret_rows, size_t *ret_n);

#endif
