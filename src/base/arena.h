/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arena.h - memory with one lifetime: hundreds of small pieces that are built
 * together and freed together. Nothing in an arena is freed alone.
 *
 * Allocation failure is latched: functions return NULL and
 * gs_arena_has_failed() stays true, so a builder may check once at its end
 * as long as it tolerates NULL on the way.
 */
#ifndef GS_BASE_ARENA_H
#define GS_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

struct gs_arena;

/* The caller owns the arena. NULL when there is no memory. */
struct gs_arena *gs_arena_new(void);
struct gs_arena *gs_arena_free(struct gs_arena *a);
GS_DEFINE_CLEANUP(struct gs_arena *, gs_arena_free);

/* Zeroed, aligned for any type. NULL when there is no memory. @size 0 gives a valid pointer. */
void *gs_arena_alloc(struct gs_arena *a, size_t size);

/* Zeroed array; NULL also when @n * @size overflows. */
void *gs_arena_calloc(struct gs_arena *a, size_t n, size_t size);

/* Copies; NULL in, NULL out. */
char *gs_arena_strdup(struct gs_arena *a, const char *s);
char *gs_arena_strndup(struct gs_arena *a, const char *s, size_t n);
char *gs_arena_printf(struct gs_arena *a, const char *fmt, ...) GS_PRINTF(2, 3);
void *gs_arena_memdup(struct gs_arena *a, const void *p, size_t size);

bool gs_arena_has_failed(const struct gs_arena *a);

/*
 * Make room for one more element in an array of @n elements of @size bytes
 * that lives in @a; grows by doubling. Returns the array (maybe moved; the
 * old one stays valid until the arena goes), or NULL with *@cap untouched.
 */
void *gs_arena_grow(struct gs_arena *a, void *array, size_t n, size_t *cap, size_t size);

#endif
