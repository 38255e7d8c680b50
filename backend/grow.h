/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grow.h - arrays of what a machine is found to have: they grow, and they end. */
#ifndef GS_BACKEND_GROW_H
#define GS_BACKEND_GROW_H

#include <errno.h>
#include <stdlib.h>

/*
 * Room for one more of @size bytes in *@array (malloc'ed; may move). The memory
 * of more than @max elements is nobody's honest need: -E2BIG. -ENOMEM.
 */
static inline int gs_grow(void *array, size_t n, size_t *cap, size_t size, size_t max)
{
	size_t grown = *cap ? *cap * 2 : 64;
	void *p;

	if (n < *cap)
		return 0;
	if (n >= max)
		return -E2BIG;
	p = reallocarray(*(void **)array, grown, size);
	if (!p)
		return -ENOMEM;
	*(void **)array = p;
	*cap = grown;
	return 0;
}

#endif
