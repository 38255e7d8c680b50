/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view_places.c - what the views ask about places: blocks with what is staged, what still fits, why not. */
#include <stdio.h>
#include <string.h>

#include "ui/view_parts.h"

size_t gs_part_blocks_merged(const struct gs_model *m, uint32_t gpu, struct gs_block *ret)
{
	struct gs_block now[GS_GRID_UNITS_MAX], after[GS_GRID_UNITS_MAX];
	size_t n_now = gs_model_blocks(m, gpu, false, now), n_after = gs_model_blocks(m, gpu, true, after), n = 0;
	const struct gs_block *gone[GS_GRID_UNITS_MAX] = { NULL };

	const struct gs_gpu *g = m->snapshot && gpu < gs_snapshot_n_gpus(m->snapshot) ? gs_snapshot_gpu(m->snapshot, gpu) : NULL;

	/* two grids cannot be laid over each other */
	if (g && gs_model_grid_changes(m, g) && n_after && n_now && gs_model_ground(m, g, false).grid != gs_model_ground(m, g, true).grid)
		n_now = 0;
	if (!n_after) {
		memcpy(ret, now, n_now * sizeof(*ret));
		return n_now;
	}
	for (size_t i = 0; i < n_now; i++) {
		for (uint32_t u = 0; now[i].state == GS_UNIT_GONE && u < now[i].span.size; u++) {
			if (now[i].span.start + u < GS_GRID_UNITS_MAX)
				gone[now[i].span.start + u] = &now[i];
		}
	}
	for (size_t i = 0; i < n_after; i++) {
		bool is_open = after[i].state == GS_UNIT_FREE || after[i].state == GS_UNIT_LOST;
		const struct gs_block *was = is_open && after[i].span.start < GS_GRID_UNITS_MAX ? gone[after[i].span.start] : NULL;

		/* what goes keeps its units as long as nothing else takes them */
		if (was && n && ret[n - 1].state == GS_UNIT_GONE && ret[n - 1].instance == was->instance &&
		    ret[n - 1].span.start + ret[n - 1].span.size == after[i].span.start) {
			ret[n - 1].span.size += after[i].span.size;
			continue;
		}
		ret[n] = after[i];
		if (was) {
			ret[n] = *was;
			ret[n].span = after[i].span;
		}
		n++;
	}
	return n;
}

bool gs_part_is_changed(const struct gs_model *m, uint32_t gpu)
{
	struct gs_block b[GS_GRID_UNITS_MAX];
	size_t n;

	if (!m->n_staged)
		return false;
	n = gs_model_blocks(m, gpu, false, b);
	for (size_t i = 0; i < n; i++) {
		if (b[i].state == GS_UNIT_GONE)
			return true;
	}
	n = gs_model_blocks(m, gpu, true, b);
	for (size_t i = 0; i < n; i++) {
		if (b[i].state == GS_UNIT_NEW)
			return true;
	}
	return false;
}

bool gs_part_placed(const struct gs_model *m, const struct gs_gpu *gpu, struct gs_placed *ret, size_t *ret_n)
{
	const struct gs_layout_gpu *target = gs_model_target(m, gpu->index);
	struct gs_ground ground = gs_model_ground(m, gpu, true);
	size_t which[GS_PLACED_MAX], n = 0;

	*ret_n = 0;
	if (ground.creates == GS_KIND_INVALID)
		ground = gs_model_creation(m, gpu);
	if (ground.creates == GS_KIND_INVALID || !ground.set->memory_units)
		return false;
	if (target && target->positions_unknown && ground.creates == GS_KIND_MIG)
		return false;
	if (target) {
		*ret_n = gs_layout_placed(target, gpu, ground.creates, ret, which);
		return true;
	}
	for (size_t i = 0; i < gpu->n_instances && n < GS_PLACED_MAX; i++) {
		const struct gs_instance *inst = gpu->instances[i];
		const struct gs_profile *p = gs_profile_by_name(ground.set, inst->profile ? inst->profile : "");

		if (inst->kind != ground.creates)
			continue;
		if (!inst->start.known || !p)
			return false;
		ret[n++] = (struct gs_placed){ p, inst->start.value, inst->placement_id };
	}
	*ret_n = n;
	return true;
}

const struct gs_profile *gs_part_biggest(const struct gs_profile_set *set, const struct gs_placed *placed, size_t n)
{
	const struct gs_profile *best = NULL;
	uint32_t starts[GS_PLACEMENTS_MAX];

	for (size_t i = 0; i < set->n; i++) {
		const struct gs_profile *p = &set->items[i];

		if (set->is_slots && p->gi_profile)
			continue;
		/* the plain one comes before its variants and stays */
		if (best && (p->compute_slices < best->compute_slices ||
			     (p->compute_slices == best->compute_slices && p->memory_bytes.value <= best->memory_bytes.value)))
			continue;
		if (gs_placement_free_starts(set, placed, n, p, starts))
			best = p;
	}
	return best;
}

/* "GI 11", "GI 12*" for what is there, "+2g.20gb@0" for what is not yet. */
static void name_blocker(const struct gs_gpu *gpu, const struct gs_placed *p, char *buf, size_t size)
{
	const struct gs_instance *inst = gs_gpu_instance_at(gpu, p->profile->name, p->start);
	char mark[2] = "";

	if (!inst) {
		snprintf(buf, size, "+%s@%u", p->profile->name, p->start);
		return;
	}
	mark[0] = gs_part_mark(gpu, inst);
	snprintf(buf, size, "GI %u%s", inst->id, mark);
}

const char *gs_part_why_not(const struct gs_gpu *gpu, const struct gs_profile_set *set, const struct gs_placed *placed, size_t n, const struct gs_profile *p, char *buf, size_t size)
{
	struct gs_misfit_info best = { .why = GS_MISFIT_UNKNOWN };
	uint32_t starts[GS_PLACEMENTS_MAX], start;
	struct gs_span span = { 0 };
	size_t at;

	buf[0] = '\0';
	if (gs_placement_free_starts(set, placed, n, p, starts))
		return buf;
	start = gs_model_least_harm(gpu, set, placed, n, p);
	if (gs_profile_placement_at(p, start, &span))
		gs_placement_check(set, placed, n, p, start, &best);
	switch (best.why) {
	case GS_MISFIT_COUNT:
		snprintf(buf, size, "no more: the maximum is %u", p->max_instances);
		return buf;
	case GS_MISFIT_ROOM:
		snprintf(buf, size, "no placement id is free");
		return buf;
	case GS_MISFIT_OVERLAP:
		/* several places may be taken: the one that hurts least stands for them */
		at = (size_t)snprintf(buf, size, "%s %u", p->n_placements > 1 ? "e.g. at" : "needs", span.start);
		if (span.size > 1 && at < size)
			at += (size_t)snprintf(buf + at, size - at, "-%u", span.start + span.size - 1);
		if (at < size)
			at += (size_t)snprintf(buf + at, size - at, ": ");
		break;
	case GS_MISFIT_ENGINES:
		at = (size_t)snprintf(buf, size, "media engines are with ");
		break;
	default:
		snprintf(buf, size, "placements unknown");
		return buf;
	}
	for (size_t i = 0; i < best.n_blockers && at < size; i++) {
		char name[64];

		name_blocker(gpu, &placed[best.blockers[i]], name, sizeof(name));
		at += (size_t)snprintf(buf + at, size - at, "%s%s", i ? ", " : "", name);
	}
	return buf;
}

enum gs_element gs_part_block_element(const struct gs_gpu *gpu, const struct gs_block *b)
{
	if (b->in_the_way)
		return GS_ELEMENT_CONFLICT;
	switch (b->state) {
	case GS_UNIT_FREE:
		return GS_ELEMENT_FREE;
	case GS_UNIT_LOST:
		return GS_ELEMENT_LOST;
	case GS_UNIT_GONE:
		return GS_ELEMENT_STAGED_GONE;
	case GS_UNIT_NEW:
		return GS_ELEMENT_STAGED_NEW;
	case GS_UNIT_INSTANCE:
		break;
	}
	switch (b->instance ? gs_part_mark(gpu, b->instance) : 0) {
	case '*':
	case 'c':
		return GS_ELEMENT_HELD;
	case '?':
		return GS_ELEMENT_HIDDEN;
	default:
		return GS_ELEMENT_LIVE;
	}
}

struct gs_u64 gs_part_unit_bytes(const struct gs_gpu *gpu, const struct gs_profile_set *set)
{
	const struct gs_profile *best = NULL;

	for (size_t i = 0; i < set->n; i++) {
		const struct gs_profile *p = &set->items[i];

		if (p->n_placements && p->memory_bytes.known && (!best || p->placements[0].size < best->placements[0].size))
			best = p;
	}
	if (best && best->placements[0].size)
		return GS_U64(best->memory_bytes.value / best->placements[0].size);
	if (gpu->memory_bytes.known && set->memory_units)
		return GS_U64(gpu->memory_bytes.value / set->memory_units);
	return GS_U64_UNKNOWN;
}

uint64_t gs_part_shared_bytes(const struct gs_gpu *gpu)
{
	const struct gs_profile_set *set = &gpu->grids[GS_KIND_VGPU];
	uint64_t most = gpu->memory_bytes.known ? gpu->memory_bytes.value : 0;

	for (size_t i = 0; most && i < set->n; i++)
		if (set->items[i].memory_bytes.known && set->items[i].memory_bytes.value > most)
			most = set->items[i].memory_bytes.value;
	return most;
}

const struct gs_profile_set *gs_part_set(const struct gs_model *m, const struct gs_gpu *gpu, enum gs_lane_kind kind)
{
	if (kind == GS_LANE_MERGED)
		return gs_model_shown(m, gpu).set;
	return gs_model_ground(m, gpu, kind == GS_LANE_OF_AFTER).set;
}

uint32_t gs_part_block_fill(const struct gs_glyphs *g, const struct gs_block *b)
{
	if (b->in_the_way)
		return g->conflict;
	switch (b->state) {
	case GS_UNIT_FREE:
		return g->free;
	case GS_UNIT_LOST:
		return g->lost;
	case GS_UNIT_GONE:
		return g->gone;
	case GS_UNIT_NEW:
		return g->new_h;
	case GS_UNIT_INSTANCE:
		break;
	}
	return g->box_h;
}

const char *gs_part_slot_tag(const struct gs_gpu *gpu, const struct gs_block *b, int width, char *buf, size_t size)
{
	const char *name = b->instance && b->instance->profile ? b->instance->profile : b->want ? b->want->profile : b->profile ? b->profile->name : "?";
	const char *sign = b->in_the_way ? "!" : b->state == GS_UNIT_NEW ? "+" : b->state == GS_UNIT_GONE ? "x" : "";
	char mark[2] = { b->instance ? gs_part_mark(gpu, b->instance) : 0, 0 };
	int keep;

	name = gs_model_short_type(name);
	keep = width - (int)(strlen(sign) + strlen(mark));
	if (keep > (int)strlen(name))
		keep = (int)strlen(name);
	snprintf(buf, size, "%s%.*s%s", sign, keep > 0 ? keep : 0, name, mark);
	return buf;
}
