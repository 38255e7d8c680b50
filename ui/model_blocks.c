/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model_blocks.c - a GPU's grid as a row of blocks, as it is and as it would be. */
#include <string.h>

#include "base/parse.h"
#include "ui/model_internal.h"

const struct gs_instance *gs_want_live(const struct gs_gpu *gpu, const struct gs_want *w)
{
	if (!w->start.known || w->recreate || !w->profile)
		return NULL;
	return gs_gpu_instance_at(gpu, w->profile, w->start.value);
}

const struct gs_want *gs_instance_wanted(const struct gs_layout_gpu *target, const struct gs_instance *inst)
{
	if (!target)
		return NULL;
	for (size_t i = 0; i < target->n_wants; i++) {
		const struct gs_want *w = &target->wants[i];

		if (!w->recreate && w->start.known && gs_u32_equal(w->start, inst->start) && gs_str_equal(w->profile, inst->profile))
			return w;
	}
	return NULL;
}

/* Two wants for one place are a conflict; only the first can be what is there. */
static bool is_second(const struct gs_layout_gpu *target, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (gs_want_equal(&target->wants[k], &target->wants[i]))
			return true;
	return false;
}

void gs_model_counts(const struct gs_model *m, uint32_t *ret_created, uint32_t *ret_deleted)
{
	uint32_t created = 0, deleted = 0;

	for (uint32_t i = 0; m->n_staged && m->snapshot && i < gs_snapshot_n_gpus(m->snapshot); i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(m->snapshot, i);
		const struct gs_layout_gpu *target = gs_model_target(m, i);

		/* Without places nothing can be staged, and nothing compared. */
		if (!target || target->positions_unknown)
			continue;
		for (size_t k = 0; k < target->n_wants; k++)
			created += !gs_want_live(gpu, &target->wants[k]) || is_second(target, k);
		for (size_t k = 0; k < gpu->n_instances; k++)
			deleted += !gs_instance_wanted(target, gpu->instances[k]);
	}
	*ret_created = created;
	*ret_deleted = deleted;
}

/* Units of @gpu that a blocking finding, the selection or the open offer points at. */
static uint64_t contested_units(const struct gs_model *m, uint32_t gpu)
{
	uint64_t units = 0;

	for (size_t i = 0; m->plan && i < m->plan->n_findings; i++)
		if (m->plan->findings[i].severity == GS_SEVERITY_BLOCK && m->plan->findings[i].gpu == gpu)
			units |= m->plan->findings[i].units;
	if (gpu != m->gpu)
		return units;
	if (m->layer == GS_LAYER_PALETTE || m->layer == GS_LAYER_CHOOSER) {
		const struct gs_offer *o = m->offer < m->n_offers ? &m->offers[m->offer] : NULL;
		struct gs_span span;

		if (o && !o->n_starts && gs_profile_placement_at(o->profile, o->wanted_start, &span))
			units |= gs_span_mask(span);
	} else if (m->selecting) {
		uint32_t low = m->anchor < m->extent ? m->anchor : m->extent;
		uint32_t high = m->anchor < m->extent ? m->extent : m->anchor;

		units |= gs_span_mask((struct gs_span){ low, high - low + 1 });
	}
	return units;
}

/* What is put on the grid before the gaps are filled. */
struct lane {
	struct gs_block blocks[GS_GRID_UNITS_MAX];
	size_t n;
	uint64_t taken;
	struct gs_placed placed[GS_PLACED_MAX];
	size_t n_placed;
};

static void lane_add(struct lane *l, struct gs_block block)
{
	uint64_t units = gs_span_mask(block.span);

	/* Two at one place is a conflict that the findings speak of; the grid shows who was first. */
	if (!units || units & l->taken || l->n == GS_GRID_UNITS_MAX)
		return;
	l->taken |= units;
	l->blocks[l->n++] = block;
	if (block.profile)
		l->placed[l->n_placed++] = (struct gs_placed){ block.profile, block.span.start };
}

static bool lane_now(const struct gs_gpu *gpu, const struct gs_layout_gpu *target, struct lane *l)
{
	if (gpu->mode != GS_MODE_MIG || !gpu->placements_visible)
		return false;
	for (size_t i = 0; i < gpu->n_instances; i++) {
		const struct gs_instance *inst = gpu->instances[i];
		struct gs_block b = { .instance = inst, .state = GS_UNIT_INSTANCE };

		if (inst->kind != GS_KIND_MIG)
			continue;
		if (!inst->start.known || !inst->size.known)
			return false;
		b.span = (struct gs_span){ inst->start.value, inst->size.value };
		b.profile = gs_profile_by_name(&gpu->grids[GS_KIND_MIG], inst->profile ? inst->profile : "");
		/* a plan that does not know every instance says nothing about which go */
		if (target && !target->positions_unknown && !gs_instance_wanted(target, inst))
			b.state = GS_UNIT_GONE;
		lane_add(l, b);
	}
	return true;
}

static bool lane_after(const struct gs_gpu *gpu, const struct gs_layout_gpu *target, struct lane *l)
{
	if (!target || target->mode != GS_MODE_MIG || target->positions_unknown)
		return false;
	/* Live ones first: they keep their place where a staged creation collides. */
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < target->n_wants; i++) {
			const struct gs_want *w = &target->wants[i];
			const struct gs_profile *p = gs_profile_by_name(&gpu->grids[GS_KIND_MIG], w->profile ? w->profile : "");
			const struct gs_instance *live = gs_want_live(gpu, w);
			struct gs_block b = { .want = w, .profile = p, .instance = live,
					      .state = live ? GS_UNIT_INSTANCE : GS_UNIT_NEW };

			if (!!live == !!pass || !w->start.known)
				continue;
			if (live && live->size.known)
				b.span = (struct gs_span){ live->start.value, live->size.value };
			else if (!p || !gs_profile_placement_at(p, w->start.value, &b.span))
				continue;
			lane_add(l, b);
		}
	}
	return true;
}

size_t gs_model_blocks(const struct gs_model *m, uint32_t gpu, bool after, struct gs_block *ret)
{
	const struct gs_layout_gpu *target = gs_model_target(m, gpu);
	const struct gs_gpu *g;
	struct lane l;
	uint64_t lost, contested;
	uint32_t units;
	size_t n = 0;

	if (!m->snapshot || gpu >= gs_snapshot_n_gpus(m->snapshot))
		return 0;
	g = gs_snapshot_gpu(m->snapshot, gpu);
	units = g->grids[GS_KIND_MIG].memory_units;
	memset(&l, 0, sizeof(l));
	if (!units || units > GS_GRID_UNITS_MAX || !(after ? lane_after(g, target, &l) : lane_now(g, target, &l)))
		return 0;
	lost = gs_placement_lost_units(&g->grids[GS_KIND_MIG], l.placed, l.n_placed);
	contested = contested_units(m, gpu);
	for (uint32_t u = 0; u < units;) {
		struct gs_block *b = &ret[n++];
		size_t i = 0;

		while (i < l.n && l.blocks[i].span.start != u)
			i++;
		if (i < l.n) {
			*b = l.blocks[i];
			/* A driver that says more than the grid has must not take the drawing out of it. */
			if (b->span.size > units - u)
				b->span.size = units - u;
		} else {
			memset(b, 0, sizeof(*b));
			b->state = lost >> u & 1 ? GS_UNIT_LOST : GS_UNIT_FREE;
			b->span = (struct gs_span){ u, 1 };
		}
		b->in_the_way = b->state != GS_UNIT_FREE && b->state != GS_UNIT_LOST && b->state != GS_UNIT_GONE &&
				(contested & gs_span_mask(b->span));
		u += b->span.size;
	}
	return n;
}
