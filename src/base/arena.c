/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BLOCK_BYTES 16384

struct block {
	struct block *next;
	size_t used, size;
	max_align_t data[];
};

struct gs_arena {
	struct block *blocks;
	bool failed;
};

struct gs_arena *gs_arena_new(void)
{
	return calloc(1, sizeof(struct gs_arena));
}

struct gs_arena *gs_arena_free(struct gs_arena *a)
{
	if (!a)
		return NULL;
	while (a->blocks) {
		struct block *next = a->blocks->next;

		free(a->blocks);
		a->blocks = next;
	}
	free(a);
	return NULL;
}

void *gs_arena_alloc(struct gs_arena *a, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct block *b = a->blocks;
	size_t want;
	void *p;

	if (size > SIZE_MAX - align - sizeof(struct block)) {
		a->failed = true;
		return NULL;
	}
	want = (size + align - 1) / align * align;
	if (!b || b->size - b->used < want) {
		size_t room = want > BLOCK_BYTES ? want : BLOCK_BYTES;

		b = calloc(1, sizeof(*b) + room);
		if (!b) {
			a->failed = true;
			return NULL;
		}
		b->size = room;
		b->next = a->blocks;
		a->blocks = b;
	}
	p = (char *)b->data + b->used;
	b->used += want;
	return p;
}

void *gs_arena_calloc(struct gs_arena *a, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total)) {
		a->failed = true;
		return NULL;
	}
	return gs_arena_alloc(a, total);
}

void *gs_arena_memdup(struct gs_arena *a, const void *p, size_t size)
{
	void *copy = gs_arena_alloc(a, size);

	if (copy && size)
		memcpy(copy, p, size);
	return copy;
}

char *gs_arena_strndup(struct gs_arena *a, const char *s, size_t n)
{
	char *copy;

	if (!s)
		return NULL;
	n = strnlen(s, n);
	copy = gs_arena_alloc(a, n + 1);
	if (copy)
		memcpy(copy, s, n);
	return copy;
}

char *gs_arena_strdup(struct gs_arena *a, const char *s)
{
	return s ? gs_arena_strndup(a, s, strlen(s)) : NULL;
}

char *gs_arena_printf(struct gs_arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *s;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	s = n < 0 ? NULL : gs_arena_alloc(a, (size_t)n + 1);
	if (s)
		vsnprintf(s, (size_t)n + 1, fmt, again);
	va_end(again);
	return s;
}

bool gs_arena_has_failed(const struct gs_arena *a)
{
	return a->failed;
}

void *gs_arena_grow(struct gs_arena *a, void *array, size_t n, size_t *cap, size_t size)
{
	size_t room = *cap ? *cap * 2 : 8;
	void *bigger;

	if (n < *cap)
		return array;
	bigger = gs_arena_calloc(a, room, size);
	if (!bigger)
		return NULL;
	if (n)
		memcpy(bigger, array, n * size);
	*cap = room;
	return bigger;
}
