/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/reset.h"

#include <errno.h>

static bool is_linked(const struct gs_gpu *a, const struct gs_gpu *b)
{
	for (size_t i = 0; i < a->n_nvlinks; i++)
		if (gs_bdf_compare(a->nvlinks[i], b->bdf) == 0)
			return true;
	return false;
}

/* One end may not be readable, so either end tells. */
static bool goes_along(const struct gs_gpu *a, const struct gs_gpu *b)
{
	if (a->vendor != GS_VENDOR_NVIDIA || b->vendor != GS_VENDOR_NVIDIA)
		return false;
	return (a->is_in_fabric && b->is_in_fabric) || is_linked(a, b) || is_linked(b, a);
}

int gs_reset_peers(const struct gs_snapshot *s, const struct gs_gpu *gpu, struct gs_arena *arena, const struct gs_gpu ***ret_peers, size_t *ret_n)
{
	size_t n_gpus = gs_snapshot_n_gpus(s), n = 1;
	const struct gs_gpu **all = gs_arena_calloc(arena, n_gpus + 1, sizeof(*all));
	bool *taken = gs_arena_calloc(arena, n_gpus + 1, sizeof(*taken));

	if (!all || !taken)
		return -ENOMEM;
	all[0] = gpu;
	taken[gpu->index] = true;
	/* whoever is taken takes others: each is looked at once */
	for (size_t at = 0; at < n; at++) {
		for (size_t i = 0; i < n_gpus; i++) {
			if (taken[i] || !goes_along(all[at], gs_snapshot_gpu(s, i)))
				continue;
			taken[i] = true;
			all[n++] = gs_snapshot_gpu(s, i);
		}
	}
	n = 0;
	for (size_t i = 0; i < n_gpus; i++)
		if (taken[i] && i != gpu->index)
			all[n++] = gs_snapshot_gpu(s, i);
	*ret_peers = all;
	*ret_n = n;
	return 0;
}

bool gs_reset_peers_are_known(const struct gs_gpu *gpu)
{
	return gpu->nvlinks_visible || gpu->is_in_fabric;
}
