/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy_uuid.c - the UUID of an mdev is one device's on the whole host, not
 * one GPU's (interfaces 1.2): the kernel refuses a second one with EEXIST,
 * which would be found only in the middle of the commit.
 */
#include "core/policy_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

/* "VF 3" where the GPU has VFs, or where it is an mdev of the GPU itself: nothing more than the GPU. Returns @buf. */
static const char *place_text(const struct gs_gpu *gpu, struct gs_u32 start, char *buf, size_t size)
{
	char label[96];
	int n = snprintf(buf, size, "%s", gs_gpu_label(gpu, label, sizeof(label)));

	if (gpu->vfs.total.known && start.known && n > 0 && (size_t)n < size)
		snprintf(buf + n, size - (size_t)n, " VF %" PRIu32, start.value);
	return buf;
}

/* Is that want the mdev that has its UUID already? */
static bool is_there(const struct gs_gpu *gpu, const struct gs_want *w)
{
	const struct gs_instance *inst = gs_gpu_instance_by_uuid(gpu, w->uuid);

	return inst && gs_u32_equal(inst->start, w->start) && gs_str_equal(inst->profile, w->profile);
}

/*
 * Who else asks for the UUID of @w, of all GPUs: one that has it, or that
 * asked earlier. Of two new ones the later is too much, as on a grid.
 */
static const struct gs_want *find_rival(const struct gs_policy *y, const struct gs_want *w, const struct gs_gpu **ret_gpu)
{
	const struct gs_layout *l = y->p->layout;
	bool is_earlier = true;

	for (size_t g = 0; g < l->n_gpus; g++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(y->p->snapshot, g);

		for (size_t i = 0; i < l->gpus[g].n_wants; i++) {
			const struct gs_want *other = &l->gpus[g].wants[i];

			if (other == w) {
				is_earlier = false;
				continue;
			}
			if (other->kind != GS_KIND_VGPU || !gs_str_equal(other->uuid, w->uuid) || !(is_earlier || is_there(gpu, other)))
				continue;
			*ret_gpu = gpu;
			return other;
		}
	}
	return NULL;
}

/*
 * A plan goes GPU by GPU and its undo too, in the same order: a UUID that
 * leaves one GPU for another would be in the way of the one or of the other.
 */
static const struct gs_instance *find_leaving(const struct gs_policy *y, const struct gs_want *w, const struct gs_gpu **ret_gpu)
{
	for (size_t g = 0; g < gs_snapshot_n_gpus(y->p->snapshot); g++) {
		const struct gs_instance *inst = gs_gpu_instance_by_uuid(gs_snapshot_gpu(y->p->snapshot, g), w->uuid);

		if (!inst || g == y->gpu->index)
			continue;
		*ret_gpu = gs_snapshot_gpu(y->p->snapshot, g);
		return inst;
	}
	return NULL;
}

static void check_uuid(struct gs_policy *y, const struct gs_want *w)
{
	const struct gs_gpu *gpu = NULL;
	const struct gs_want *rival = find_rival(y, w, &gpu);
	const struct gs_instance *leaving = rival ? NULL : find_leaving(y, w, &gpu);
	struct gs_finding *f;
	char place[160];

	if (rival && is_there(gpu, rival))
		f = gs_policy_add(y, GS_RULE_UUID_TAKEN, GS_SEVERITY_BLOCK, "the UUID %s is that of %s on %s already: on one host it is one mdev's", w->uuid, rival->profile,
				  place_text(gpu, rival->start, place, sizeof(place)));
	else if (rival)
		f = gs_policy_add(y, GS_RULE_UUID_TAKEN, GS_SEVERITY_BLOCK, "the UUID %s is asked for twice, by %s on %s too: on one host it is one mdev's", w->uuid,
				  rival->profile, place_text(gpu, rival->start, place, sizeof(place)));
	else if (leaving)
		f = gs_policy_add(y, GS_RULE_UUID_TAKEN, GS_SEVERITY_BLOCK,
				  "the UUID %s is that of %s on %s until that is removed: a UUID goes from GPU to GPU in two scripts, so remove it in one of its own first", w->uuid,
				  leaving->profile, place_text(gpu, leaving->start, place, sizeof(place)));
	else
		return;
	f->object = gs_arena_printf(y->p->arena, "GPU %" PRIu32 " %s", y->gpu->index, w->profile);
	f->pos = w->pos;
	if (rival)
		gs_policy_suggest(y, f, "give another one, or none: then a free one is made up");
}

void gs_policy_check_uuids(struct gs_policy *y)
{
	for (size_t i = 0; i < y->d->target->n_wants; i++) {
		const struct gs_want *w = &y->d->target->wants[i];

		if (w->kind == GS_KIND_VGPU && w->uuid && !is_there(y->gpu, w))
			check_uuid(y, w);
	}
}
