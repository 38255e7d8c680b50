/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model_blocks.c - a GPU's grid as a row of blocks, as it is and as it would be. */
#include <string.h>

#include "base/parse.h"
#include "ui/model_internal.h"

/* What is created and deleted, as opposed to what follows from a mode or a setting. */
static bool is_created(enum gs_instance_kind kind)
{
	return kind == GS_KIND_MIG || kind == GS_KIND_VGPU;
}

static bool same_place(const struct gs_instance *inst, const struct gs_want *w)
{
	return inst->kind == w->kind && w->start.known && gs_u32_equal(w->start, inst->start) && gs_str_equal(w->profile, inst->profile) &&
	       (w->kind != GS_KIND_VGPU || !w->uuid || gs_str_equal(w->uuid, inst->uuid));
}

const struct gs_instance *gs_want_live(const struct gs_gpu *gpu, const struct gs_want *w)
{
	if (!w->start.known || w->recreate || !w->profile)
		return NULL;
	for (size_t i = 0; i < gpu->n_instances; i++)
		if (same_place(gpu->instances[i], w))
			return gpu->instances[i];
	return NULL;
}

const struct gs_want *gs_instance_wanted(const struct gs_layout_gpu *target, const struct gs_instance *inst)
{
	if (!target)
		return NULL;
	for (size_t i = 0; i < target->n_wants; i++) {
		const struct gs_want *w = &target->wants[i];

		if (!w->recreate && same_place(inst, w))
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
		const struct gs_plan *p = gs_model_staged_plan(m);
		const struct gs_layout_gpu *target = p && p->layout && i < p->layout->n_gpus ? &p->layout->gpus[i] : NULL;

		/* Without places nothing can be staged, and nothing compared. */
		if (!target || target->positions_unknown)
			continue;
		for (size_t k = 0; k < target->n_wants; k++)
			created += is_created(target->wants[k].kind) && (!gs_want_live(gpu, &target->wants[k]) || is_second(target, k));
		for (size_t k = 0; k < gpu->n_instances; k++)
			deleted += is_created(gpu->instances[k]->kind) && !gs_instance_wanted(target, gpu->instances[k]);
	}
	*ret_created = created;
	*ret_deleted = deleted;
}

/* Units of @gpu that a blocking finding, the selection or the open offer points at. */
static uint64_t contested_units(const struct gs_model *m, uint32_t gpu, bool is_slots)
{
	uint64_t units = 0;

	for (size_t i = 0; m->plan && i < m->plan->n_findings; i++) {
		const struct gs_finding *f = &m->plan->findings[i];

		/* units of the other grid are other units */
		if (f->severity == GS_SEVERITY_BLOCK && f->gpu == gpu && (!f->object || !strstr(f->object, "vf:") || is_slots))
			units |= f->units;
	}
	if (gpu != m->gpu)
		return units;
	if (m->layer == GS_LAYER_PALETTE || m->layer == GS_LAYER_CHOOSER) {
		const struct gs_offer *o = m->offer < m->n_offers ? &m->offers[m->offer] : NULL;

		if (o && !o->n_starts)
			units |= o->in_the_way;
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
		l->placed[l->n_placed++] = (struct gs_placed){ .profile = block.profile, .start = block.span.start };
}

/* Does a derived instance stay? VFs go by their number, partitions by the word that makes them. */
static bool derived_stays(const struct gs_model *m, const struct gs_gpu *gpu, const struct gs_layout_gpu *target, const struct gs_instance *inst)
{
	const struct gs_setting *s = gs_gpu_setting(gpu, GS_SETTING_COMPUTE_PARTITION);

	if (!target)
		return true;
	if (inst->kind == GS_KIND_SRIOV)
		return !target->vfs.known || (inst->vf.known ? inst->vf.value : inst->id) < target->vfs.value;
	return inst->kind != GS_KIND_PARTITION || !s || gs_str_equal(gs_model_setting_wanted(m, gpu->index, s), s->pending ? s->pending : s->value);
}

static bool lane_now(const struct gs_model *m, const struct gs_gpu *gpu, const struct gs_ground *ground, const struct gs_layout_gpu *target,
		     struct lane *l)
{
	if (ground->grid == GS_KIND_INVALID || (ground->grid == GS_KIND_MIG && !gpu->placements_visible))
		return false;
	for (size_t i = 0; i < gpu->n_instances; i++) {
		const struct gs_instance *inst = gpu->instances[i];
		struct gs_block b = { .instance = inst, .state = GS_UNIT_INSTANCE };

		if (inst->kind != ground->grid)
			continue;
		if (!inst->start.known || !inst->size.known) {
			/* a slot that is not known takes no other one's place */
			if (ground->set->is_slots)
				continue;
			return false;
		}
		b.span = (struct gs_span){ inst->start.value, inst->size.value };
		b.profile = gs_profile_by_name(ground->set, inst->profile ? inst->profile : "");
		/* a plan that does not know every instance says nothing about which go */
		if (is_created(inst->kind) ? target && !target->positions_unknown && !gs_instance_wanted(target, inst) : !derived_stays(m, gpu, target, inst))
			b.state = GS_UNIT_GONE;
		lane_add(l, b);
	}
	/* a GPU that is one partition is whole */
	return ground->grid != GS_KIND_PARTITION || l->n;
}

static bool lane_created(const struct gs_gpu *gpu, const struct gs_ground *ground, const struct gs_layout_gpu *target, struct lane *l)
{
	/* Live ones first: they keep their place where a staged creation collides. */
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < target->n_wants; i++) {
			const struct gs_want *w = &target->wants[i];
			const struct gs_profile *p = gs_profile_by_name(ground->set, w->profile ? w->profile : "");
			const struct gs_instance *live = gs_want_live(gpu, w);
			struct gs_block b = { .want = w, .profile = p, .instance = live,
					      .state = live ? GS_UNIT_INSTANCE : GS_UNIT_NEW };

			if (w->kind != ground->grid || !!live == !!pass || !w->start.known)
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

/* VFs that will be there: those that are, then new ones. */
static void lane_vfs(const struct gs_gpu *gpu, const struct gs_ground *ground, const struct gs_layout_gpu *target, struct lane *l)
{
	uint32_t n = target->vfs.known ? target->vfs.value : gpu->vfs.enabled.known ? gpu->vfs.enabled.value : 0;

	for (uint32_t u = 0; u < n && u < ground->set->memory_units; u++) {
		struct gs_block b = { .state = GS_UNIT_NEW, .span = { u, 1 }, .profile = ground->set->n ? &ground->set->items[0] : NULL };

		for (size_t i = 0; i < gpu->n_instances; i++)
			if (gpu->instances[i]->kind == GS_KIND_SRIOV && gs_u32_is(gpu->instances[i]->start, u))
				b.instance = gpu->instances[i];
		b.state = b.instance ? GS_UNIT_INSTANCE : GS_UNIT_NEW;
		lane_add(l, b);
	}
}

/* Partitions of another word: the profile of that name tells their size, when there is one. */
static bool lane_partitions(const struct gs_model *m, const struct gs_gpu *gpu, const struct gs_ground *ground, struct lane *l)
{
	const struct gs_setting *s = gs_gpu_setting(gpu, GS_SETTING_COMPUTE_PARTITION);
	const char *word = s ? gs_model_setting_wanted(m, gpu->index, s) : NULL;
	const struct gs_profile *p = word ? gs_profile_by_name(ground->set, word) : NULL;
	bool changes = s && !gs_str_equal(word, s->pending ? s->pending : s->value);

	if (!changes)
		return lane_now(m, gpu, ground, NULL, l);
	for (size_t i = 0; p && i < p->n_placements; i++)
		lane_add(l, (struct gs_block){ .state = GS_UNIT_NEW, .span = p->placements[i], .profile = p });
	return p && p->n_placements;
}

static bool lane_after(const struct gs_model *m, const struct gs_gpu *gpu, const struct gs_ground *ground, const struct gs_layout_gpu *target,
		       struct lane *l)
{
	if (!target || ground->grid == GS_KIND_INVALID)
		return false;
	if (ground->grid == GS_KIND_MIG && target->positions_unknown)
		return false;
	switch (ground->grid) {
	case GS_KIND_SRIOV:
		lane_vfs(gpu, ground, target, l);
		return true;
	case GS_KIND_PARTITION:
		return lane_partitions(m, gpu, ground, l);
	default:
		return lane_created(gpu, ground, target, l);
	}
}

static bool is_claimed(const struct gs_ground *ground, const struct gs_vf *vf, uint32_t unit)
{
	for (size_t i = 0; vf && i < vf->n_holders; i++)
		if (vf->holders[i]->kind == GS_HOLDER_CLAIM)
			return true;
	return ground->grid == GS_KIND_VGPU && ground->set->avoid >> unit & 1;
}

size_t gs_model_blocks(const struct gs_model *m, uint32_t gpu, bool after, struct gs_block *ret)
{
	const struct gs_layout_gpu *target = gs_model_target(m, gpu);
	struct gs_ground ground;
	const struct gs_gpu *g;
	struct lane l;
	uint64_t lost, contested;
	uint32_t units;
	size_t n = 0;

	if (!m->snapshot || gpu >= gs_snapshot_n_gpus(m->snapshot))
		return 0;
	g = gs_snapshot_gpu(m->snapshot, gpu);
	ground = gs_model_ground(m, g, after);
	units = ground.set->memory_units;
	memset(&l, 0, sizeof(l));
	if (!(after ? lane_after(m, g, &ground, target, &l) : lane_now(m, g, &ground, target, &l)))
		return 0;
	/* what follows from a mode or a setting leaves nothing that could be lost */
	lost = is_created(ground.grid) ? gs_placement_lost_units(ground.set, l.placed, l.n_placed) : 0;
	contested = contested_units(m, gpu, ground.set->is_slots);
	for (uint32_t u = 0; u < units;) {
		struct gs_block *b = &ret[n++];
		const struct gs_vf *vf = ground.set->is_slots && g->vfs.total.known ? gs_gpu_vf(g, u) : NULL;
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
			b->is_claimed = ground.set->is_slots && is_claimed(&ground, vf, u);
		}
		b->vf = vf;
		b->in_the_way = b->state != GS_UNIT_FREE && b->state != GS_UNIT_LOST && b->state != GS_UNIT_GONE &&
				(contested & gs_span_mask(b->span));
		u += b->span.size;
	}
	return n;
}
