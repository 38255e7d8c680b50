/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/layout.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"

struct gs_layout *gs_layout_new(void)
{
	struct gs_layout *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->arena = gs_arena_new();
	if (!l->arena) {
		free(l);
		return NULL;
	}
	return l;
}

struct gs_layout *gs_layout_free(struct gs_layout *l)
{
	if (!l)
		return NULL;
	gs_arena_free(l->arena);
	free(l);
	return NULL;
}

struct gs_layout_gpu *gs_layout_add_gpu(struct gs_layout *l)
{
	void *grown = gs_arena_grow(l->arena, l->gpus, l->n_gpus, &l->cap_gpus, sizeof(*l->gpus));
	struct gs_layout_gpu *g;

	if (!grown)
		return NULL;
	l->gpus = grown;
	g = &l->gpus[l->n_gpus++];
	memset(g, 0, sizeof(*g));
	g->mode = GS_MODE_INVALID;
	return g;
}

struct gs_want *gs_layout_add_want(struct gs_layout *l, struct gs_layout_gpu *g)
{
	void *grown = gs_arena_grow(l->arena, g->wants, g->n_wants, &g->cap_wants, sizeof(*g->wants));
	struct gs_want *w;

	if (!grown)
		return NULL;
	g->wants = grown;
	w = &g->wants[g->n_wants++];
	memset(w, 0, sizeof(*w));
	return w;
}

void gs_layout_remove_want(struct gs_layout_gpu *g, size_t i)
{
	memmove(&g->wants[i], &g->wants[i + 1], (g->n_wants - i - 1) * sizeof(*g->wants));
	g->n_wants--;
}

void gs_want_copy(struct gs_arena *a, struct gs_want *to, const struct gs_want *from)
{
	*to = *from;
	to->profile = gs_arena_strdup(a, from->profile);
	to->pos.file = gs_arena_strdup(a, from->pos.file);
	to->compute = from->n_compute ? gs_arena_calloc(a, from->n_compute, sizeof(*to->compute)) : NULL;
	for (size_t i = 0; to->compute && i < from->n_compute; i++) {
		to->compute[i] = from->compute[i];
		to->compute[i].profile = gs_arena_strdup(a, from->compute[i].profile);
	}
}

void gs_want_copy_afresh(struct gs_arena *a, struct gs_want *to, const struct gs_want *from)
{
	gs_want_copy(a, to, from);
	to->recreate = false;
	to->is_claimed = false;
	to->open_claim = 0;
	to->instance_id = to->moved_id = GS_U32_UNKNOWN;
	for (size_t i = 0; i < to->n_compute; i++)
		to->compute[i].id = GS_U32_UNKNOWN;
}

int gs_layout_copy(const struct gs_layout *l, struct gs_layout **ret_layout, struct gs_error *e)
{
	GS_CLEANUP(gs_layout_freep) struct gs_layout *copy = gs_layout_new();

	if (!copy)
		return gs_error_oom(e);
	copy->is_bound = l->is_bound;
	for (size_t i = 0; i < l->n_gpus; i++) {
		const struct gs_layout_gpu *from = &l->gpus[i];
		struct gs_layout_gpu *to = gs_layout_add_gpu(copy);

		if (!to)
			return gs_error_oom(e);
		to->match = from->match;
		to->match.uuid = gs_arena_strdup(copy->arena, from->match.uuid);
		to->match.pci_id = gs_arena_strdup(copy->arena, from->match.pci_id);
		to->match.subsystem_id = gs_arena_strdup(copy->arena, from->match.subsystem_id);
		to->pos = from->pos;
		to->pos.file = gs_arena_strdup(copy->arena, from->pos.file);
		to->mode = from->mode;
		to->mode_is_asked = from->mode_is_asked;
		to->has_instances = from->has_instances;
		to->positions_unknown = from->positions_unknown;
		for (size_t k = 0; k < from->n_wants; k++) {
			struct gs_want *w = gs_layout_add_want(copy, to);

			if (!w)
				return gs_error_oom(e);
			gs_want_copy(copy->arena, w, &from->wants[k]);
		}
	}
	if (gs_arena_has_failed(copy->arena))
		return gs_error_oom(e);
	*ret_layout = GS_TAKE(copy);
	return 0;
}

/* The want that an existing instance already satisfies. */
static void want_of_instance(struct gs_arena *a, const struct gs_gpu *gpu, const struct gs_instance *inst, struct gs_want *w)
{
	const struct gs_profile *p = inst->profile ? gs_profile_by_name(&gpu->grids[GS_KIND_MIG], inst->profile) : NULL;
	const struct gs_compute_profile *full = p ? gs_compute_profile_default(p) : NULL;

	w->kind = inst->kind;
	w->profile = gs_arena_strdup(a, inst->profile);
	w->start = inst->start;
	w->instance_id = GS_U32(inst->id);
	w->compute_default = full && inst->n_compute == 1 && gs_str_equal(inst->compute[0]->profile, full->name);
	if (w->compute_default || !inst->n_compute)
		return;
	w->compute = gs_arena_calloc(a, inst->n_compute, sizeof(*w->compute));
	for (size_t i = 0; w->compute && i < inst->n_compute; i++) {
		w->compute[i].profile = gs_arena_strdup(a, inst->compute[i]->profile);
		w->compute[i].start = inst->compute[i]->start;
		w->compute[i].id = GS_U32(inst->compute[i]->id);
		w->n_compute++;
	}
}

static int fill_from_gpu(struct gs_layout *l, struct gs_layout_gpu *g, const struct gs_gpu *gpu)
{
	g->n_wants = 0;
	/* not seeing any instance is not the same as there being none */
	g->positions_unknown = gpu->mode == GS_MODE_MIG && !gpu->placements_visible;
	for (size_t i = 0; i < gpu->n_instances; i++) {
		struct gs_want *w;

		if (!gpu->instances[i]->start.known || !gpu->instances[i]->profile) {
			g->positions_unknown = true;
			continue;
		}
		w = gs_layout_add_want(l, g);
		if (!w)
			return -ENOMEM;
		want_of_instance(l->arena, gpu, gpu->instances[i], w);
	}
	return 0;
}

int gs_layout_from_snapshot(const struct gs_snapshot *s, struct gs_layout **ret_layout, struct gs_error *e)
{
	GS_CLEANUP(gs_layout_freep) struct gs_layout *l = gs_layout_new();

	if (!l)
		return gs_error_oom(e);
	l->is_bound = true;
	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(s, i);
		struct gs_layout_gpu *g = gs_layout_add_gpu(l);

		if (!g)
			return gs_error_oom(e);
		g->mode = gpu->mode;
		g->has_instances = true;
		if (fill_from_gpu(l, g, gpu) < 0)
			return gs_error_oom(e);
	}
	if (gs_arena_has_failed(l->arena))
		return gs_error_oom(e);
	*ret_layout = GS_TAKE(l);
	return 0;
}

/* ---------------------------------------------------------------- binding a file */

static int find_matched(const struct gs_match *m, const struct gs_position *pos, const struct gs_snapshot *s,
			const struct gs_gpu **ret_gpu, struct gs_error *e)
{
	const struct gs_gpu *by_uuid = NULL, *by_bdf = NULL, *gpu;
	char bdf[GS_BDF_TEXT];

	if (!m->uuid && !m->has_bdf)
		return gs_error_at(e, -EINVAL, pos, "a GPU is matched by its uuid or bdf; this match has neither");
	for (size_t i = 0; m->uuid && i < gs_snapshot_n_gpus(s); i++)
		if (gs_str_equal(gs_snapshot_gpu(s, i)->uuid, m->uuid))
			by_uuid = gs_snapshot_gpu(s, i);
	if (m->has_bdf)
		by_bdf = gs_snapshot_gpu_by_bdf(s, m->bdf);
	gpu = by_uuid ? by_uuid : by_bdf;
	if (!gpu)
		return gs_error_at(e, -ENODEV, pos, "this machine has no GPU with %s %s", m->uuid ? "uuid" : "bdf",
				   m->uuid ? m->uuid : gs_bdf_format(m->bdf, bdf));
	/* a board that was swapped or moved: guessing would carve up the wrong one */
	if (by_uuid && m->has_bdf && by_bdf != by_uuid)
		return gs_error_at(e, -EINVAL, pos, "the GPU with uuid %s is not at %s any more: match it by one of them", m->uuid,
				   gs_bdf_format(m->bdf, bdf));
	if (!by_uuid && m->uuid && gpu->uuid)
		return gs_error_at(e, -EINVAL, pos, "the GPU at %s has uuid %s, not %s: the board was exchanged", gs_bdf_format(m->bdf, bdf),
				   gpu->uuid, m->uuid);
	if (m->pci_id && !gs_str_equal(m->pci_id, gpu->pci_id))
		return gs_error_at(e, -EINVAL, pos, "GPU %" PRIu32 " has PCI id %s, the match says %s", gpu->index, gpu->pci_id ? gpu->pci_id : "-", m->pci_id);
	if (m->subsystem_id && !gs_str_equal(m->subsystem_id, gpu->subsystem_id))
		return gs_error_at(e, -EINVAL, pos, "GPU %" PRIu32 " has subsystem id %s, the match says %s", gpu->index,
				   gpu->subsystem_id ? gpu->subsystem_id : "-", m->subsystem_id);
	*ret_gpu = gpu;
	return 0;
}

int gs_want_check_compute(const struct gs_want *w, const struct gs_profile *p, const struct gs_position *pos, struct gs_error *e)
{
	uint32_t slices = 0;
	uint64_t taken = 0;

	for (size_t i = 0; i < w->n_compute; i++) {
		const struct gs_compute_profile *c = gs_compute_profile_by_name(p, w->compute[i].profile);
		uint64_t mask;

		if (!c)
			continue;
		slices += c->compute_slices;
		if (!w->compute[i].start.known)
			continue;
		mask = gs_span_mask((struct gs_span){ w->compute[i].start.value, c->compute_slices });
		if (mask & taken)
			return gs_error_at(e, -EINVAL, pos, "two compute instances of one %s want slice %" PRIu32, p->name, w->compute[i].start.value);
		taken |= mask;
	}
	if (slices > p->compute_slices)
		return gs_error_at(e, -EINVAL, pos, "the compute instances take %" PRIu32 " slices, a %s has %" PRIu32, slices, p->name, p->compute_slices);
	return 0;
}

/* "3g.40gb" inside a 3g.40gb fills it, also where the driver tells CI profiles only once the GI is there. */
static bool is_filled_by_name(const struct gs_want *w, const struct gs_profile *p)
{
	return w->n_compute == 1 && gs_str_equal(w->compute[0].profile, p->name) && !gs_compute_profile_default(p);
}

static int check_want(const struct gs_want *w, const struct gs_gpu *gpu, struct gs_error *e)
{
	const struct gs_profile *p;

	if (w->kind != GS_KIND_MIG)
		return gs_error_at(e, -EOPNOTSUPP, &w->pos, "instances of kind %s cannot be made on GPU %" PRIu32, gs_instance_kind_name(w->kind), gpu->index);
	p = gs_profile_by_name(&gpu->grids[GS_KIND_MIG], w->profile);
	if (!p)
		return gs_error_at(e, -EINVAL, &w->pos, "GPU %" PRIu32 " has no profile %s (see: gpuslice profiles %" PRIu32 ")", gpu->index, w->profile, gpu->index);
	if (w->start.known && !gs_profile_placement_at(p, w->start.value, NULL))
		return gs_error_at(e, -EINVAL, &w->pos, "%s cannot start at %" PRIu32 " (see: gpuslice profiles %" PRIu32 ")", w->profile, w->start.value, gpu->index);
	for (size_t i = 0; i < w->n_compute; i++) {
		const struct gs_compute_profile *c = gs_compute_profile_by_name(p, w->compute[i].profile);
		bool legal = c && !w->compute[i].start.known;

		if (!c && is_filled_by_name(w, p))
			return 0;
		if (!c)
			return gs_error_at(e, -EINVAL, &w->pos, "%s has no compute instance profile %s", w->profile, w->compute[i].profile);
		for (size_t k = 0; k < c->n_placements && !legal; k++)
			legal = c->placements[k].start == w->compute[i].start.value;
		if (!legal)
			return gs_error_at(e, -EINVAL, &w->pos, "compute instance %s cannot start at slice %" PRIu32, c->name, w->compute[i].start.value);
	}
	return gs_want_check_compute(w, p, &w->pos, e);
}

/* Two requests of one file that want the same units are wrong on every machine. */
static int check_overlaps(const struct gs_layout_gpu *g, const struct gs_gpu *gpu, struct gs_error *e)
{
	for (size_t i = 0; i < g->n_wants; i++) {
		const struct gs_profile *a = gs_profile_by_name(&gpu->grids[GS_KIND_MIG], g->wants[i].profile);
		struct gs_span x, y;

		for (size_t k = 0; k < i; k++) {
			const struct gs_profile *b = gs_profile_by_name(&gpu->grids[GS_KIND_MIG], g->wants[k].profile);

			if (!g->wants[i].start.known || !g->wants[k].start.known || !gs_profile_placement_at(a, g->wants[i].start.value, &x) ||
			    !gs_profile_placement_at(b, g->wants[k].start.value, &y) || !gs_span_overlaps(x, y))
				continue;
			return gs_error_at(e, -EINVAL, &g->wants[i].pos, "%s at %" PRIu32 " overlaps %s at %" PRIu32 " of line %u", a->name, x.start, b->name,
					   y.start, g->wants[k].pos.line);
		}
	}
	return 0;
}

int gs_layout_bind(const struct gs_layout *file, const struct gs_snapshot *s, struct gs_layout **ret_layout, struct gs_error *e)
{
	GS_CLEANUP(gs_layout_freep) struct gs_layout *l = NULL;
	GS_FREE bool *seen = calloc(gs_snapshot_n_gpus(s) + 1, sizeof(*seen));
	int r;

	if (!seen)
		return gs_error_oom(e);
	r = gs_layout_from_snapshot(s, &l, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < file->n_gpus; i++) {
		const struct gs_layout_gpu *from = &file->gpus[i];
		const struct gs_gpu *gpu = NULL;
		struct gs_layout_gpu *to;

		r = find_matched(&from->match, &from->pos, s, &gpu, e);
		if (r < 0)
			return r;
		if (seen[gpu->index])
			return gs_error_at(e, -EINVAL, &from->pos, "GPU %" PRIu32 " is listed twice", gpu->index);
		seen[gpu->index] = true;
		to = &l->gpus[gpu->index];
		to->pos = from->pos;
		to->pos.file = gs_arena_strdup(l->arena, from->pos.file);
		if (from->mode != GS_MODE_INVALID) {
			to->mode = from->mode;
			to->mode_is_asked = true;
		}
		if (!from->has_instances)
			continue;
		to->n_wants = 0;
		for (size_t k = 0; k < from->n_wants; k++) {
			struct gs_want *w;

			r = check_want(&from->wants[k], gpu, e);
			if (r < 0)
				return r;
			w = gs_layout_add_want(l, to);
			if (!w)
				return gs_error_oom(e);
			gs_want_copy(l->arena, w, &from->wants[k]);
			if (is_filled_by_name(w, gs_profile_by_name(&gpu->grids[GS_KIND_MIG], w->profile))) {
				w->compute_default = true;
				w->n_compute = 0;
			}
		}
		r = check_overlaps(to, gpu, e);
		if (r < 0)
			return r;
	}
	if (gs_arena_has_failed(l->arena))
		return gs_error_oom(e);
	*ret_layout = GS_TAKE(l);
	return 0;
}

/* ---------------------------------------------------------------- open starts */

size_t gs_layout_placed(const struct gs_layout_gpu *g, const struct gs_gpu *gpu, struct gs_placed *ret, size_t *ret_want_index)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n_wants && n < GS_PLACED_MAX; i++) {
		const struct gs_profile *p = gs_profile_by_name(&gpu->grids[GS_KIND_MIG], g->wants[i].profile);

		if (!p || !g->wants[i].start.known)
			continue;
		if (ret_want_index)
			ret_want_index[n] = i;
		ret[n++] = (struct gs_placed){ p, g->wants[i].start.value };
	}
	return n;
}

static size_t existing_of(const struct gs_gpu *gpu, const struct gs_placed *fixed, size_t n_fixed, struct gs_existing *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < gpu->n_instances && n < GS_PLACED_MAX; i++) {
		const struct gs_instance *inst = gpu->instances[i];
		const struct gs_profile *p = inst->profile ? gs_profile_by_name(&gpu->grids[GS_KIND_MIG], inst->profile) : NULL;
		bool is_fixed = false;

		for (size_t k = 0; k < n_fixed && !is_fixed; k++)
			is_fixed = fixed[k].profile == p && gs_u32_is(inst->start, fixed[k].start);
		if (p && inst->start.known && !is_fixed)
			ret[n++] = (struct gs_existing){ p, inst->start.value, gs_instance_is_held(inst) };
	}
	return n;
}

static void solve_gpu(struct gs_layout_gpu *g, const struct gs_gpu *gpu, size_t *unplaced)
{
	struct gs_placed fixed[GS_PLACED_MAX];
	struct gs_existing existing[GS_PLACED_MAX];
	const struct gs_profile *open[GS_PLACED_MAX];
	size_t want_of[GS_PLACED_MAX], n_open = 0, n_fixed, n_existing, left;
	uint32_t starts[GS_PLACED_MAX];

	for (size_t i = 0; i < g->n_wants && n_open < GS_PLACED_MAX; i++) {
		const struct gs_profile *p = gs_profile_by_name(&gpu->grids[GS_KIND_MIG], g->wants[i].profile);

		if (!p || g->wants[i].start.known)
			continue;
		want_of[n_open] = i;
		open[n_open++] = p;
	}
	if (!n_open)
		return;
	n_fixed = gs_layout_placed(g, gpu, fixed, NULL);
	n_existing = existing_of(gpu, fixed, n_fixed, existing);
	/* when not all fit, as many as do, in the order of the request: the rest become findings */
	for (left = n_open; left; left--)
		if (gs_placement_solve(&gpu->grids[GS_KIND_MIG], fixed, n_fixed, open, left, existing, n_existing, starts, NULL) == 0)
			break;
	for (size_t i = 0; i < left; i++)
		g->wants[want_of[i]].start = GS_U32(starts[i]);
	*unplaced += n_open - left;
}

int gs_layout_solve(struct gs_layout *bound, const struct gs_snapshot *s, size_t *ret_unplaced, struct gs_error *e)
{
	size_t unplaced = 0;

	if (!bound->is_bound || bound->n_gpus != gs_snapshot_n_gpus(s))
		return gs_error_set(e, -EINVAL, GS_STATUS_FAILED, "the layout does not belong to this machine");
	for (size_t i = 0; i < bound->n_gpus; i++)
		solve_gpu(&bound->gpus[i], gs_snapshot_gpu(s, i), &unplaced);
	if (ret_unplaced)
		*ret_unplaced = unplaced;
	return 0;
}
