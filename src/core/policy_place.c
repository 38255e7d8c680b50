/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_place.c - what fits, what is in the way, and what would do as well. */
#include "core/policy_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"

/* What would do as well: the same profile elsewhere, then the largest others that fit somewhere. */
static void suggest_places(struct gs_policy *y, struct gs_finding *f, const struct gs_profile *p, const struct gs_placed *planned, size_t n_planned)
{
	struct gs_placed placed[GS_PLACED_MAX];
	uint32_t starts[GS_PLACEMENTS_MAX];
	size_t n = n_planned, found;
	unsigned others = 0;

	memcpy(placed, planned, n * sizeof(*placed));
	/* a place that is free only because somebody has to leave it stops somebody */
	for (size_t i = 0; i < y->gpu->n_instances && n < GS_PLACED_MAX; i++) {
		const struct gs_instance *inst = y->gpu->instances[i];
		const struct gs_profile *q = inst->kind == GS_KIND_MIG ? gs_profile_by_name(&y->gpu->grids[GS_KIND_MIG], inst->profile) : NULL;

		if (q && inst->start.known && gs_instance_is_held(inst))
			placed[n++] = (struct gs_placed){ .profile = q, .start = inst->start.value };
	}
	found = gs_placement_free_starts(&y->gpu->grids[GS_KIND_MIG], placed, n, p, starts);

	if (found) {
		gs_policy_suggest(y, f, "%s fits at %" PRIu32 " and stops nobody: create %" PRIu32 " %s at %" PRIu32, p->name, starts[0], y->gpu->index, p->name, starts[0]);
		return;
	}
	for (size_t i = y->gpu->grids[GS_KIND_MIG].n; i-- > 0 && others < 2;) {
		const struct gs_profile *q = &y->gpu->grids[GS_KIND_MIG].items[i];

		if (q == p || *gs_profile_suffix(q) || q->compute_slices > p->compute_slices)
			continue;
		found = gs_placement_free_starts(&y->gpu->grids[GS_KIND_MIG], placed, n, q, starts);
		if (!found)
			continue;
		gs_policy_suggest(y, f, "%s fits at %" PRIu32 " and stops nobody: create %" PRIu32 " %s at %" PRIu32, q->name, starts[0], y->gpu->index, q->name, starts[0]);
		others++;
	}
}

static void describe_starts(const struct gs_profile *p, struct gs_strbuf *b)
{
	for (size_t i = 0; i < p->n_placements; i++)
		gs_strbuf_printf(b, "%s%" PRIu32, !i ? "" : i + 1 == p->n_placements ? " or " : ", ", p->placements[i].start);
	gs_strbuf_puts(b, "");
}

static void report_misfit(struct gs_policy *y, const struct gs_want *w, const struct gs_profile *p, uint32_t start, const struct gs_misfit_info *info,
			  const struct gs_want *const *wants, const struct gs_placed *placed, size_t n)
{
	GS_STRBUF struct gs_strbuf who = GS_STRBUF_INIT, where = GS_STRBUF_INIT;
	enum gs_rule rule = info->why == GS_MISFIT_COUNT ? GS_RULE_COUNT_LIMIT : info->why == GS_MISFIT_ENGINES ? GS_RULE_ENGINES : GS_RULE_PLACEMENT_CONFLICT;
	struct gs_finding *f = gs_policy_add(y, rule, GS_SEVERITY_BLOCK, "-");

	for (size_t i = 0; i < info->n_blockers; i++)
		gs_policy_describe_blocker(y, f, wants[info->blockers[i]], &who);
	gs_strbuf_puts(&who, "");
	describe_starts(p, &where);
	if (who.failed || where.failed) {
		y->failed = true;
		return;
	}
	switch (info->why) {
	case GS_MISFIT_COUNT:
		if (y->gpu->grids[GS_KIND_MIG].max_instances && n >= y->gpu->grids[GS_KIND_MIG].max_instances)
			f->text = gs_arena_printf(y->p->arena, "the driver allows %" PRIu32 " instances on this GPU", y->gpu->grids[GS_KIND_MIG].max_instances);
		else
			f->text = gs_arena_printf(y->p->arena, "the driver allows %" PRIu32 " of %s on this GPU", p->max_instances, p->name);
		break;
	case GS_MISFIT_ENGINES:
		f->text = gs_arena_printf(y->p->arena, "%s at %" PRIu32 " needs a media engine that is given out: %s", p->name, start, who.text);
		break;
	default:
		f->text = gs_arena_printf(y->p->arena, "%s cannot be created at %" PRIu32 " (it can start %sat %s); %s", p->name, start, p->n_placements == 1 ? "only " : "",
					  where.text, who.text);
		break;
	}
	f->object = gs_arena_printf(y->p->arena, "GPU %" PRIu32 " %s@%" PRIu32, y->gpu->index, p->name, start);
	f->units = info->units;
	f->pos = w->pos;
	if (info->why == GS_MISFIT_OVERLAP)
		gs_policy_suggest_deleting(y, f, info, wants);
	suggest_places(y, f, p, placed, n);
}

/* Requests of the same profile without a place are told as one. */
static bool open_before(const struct gs_layout_gpu *t, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!t->wants[k].start.known && gs_str_equal(t->wants[k].profile, t->wants[i].profile))
			return true;
	return false;
}

static size_t open_like(const struct gs_layout_gpu *t, size_t i)
{
	size_t n = 0;

	for (size_t k = 0; k < t->n_wants; k++)
		n += !t->wants[k].start.known && gs_str_equal(t->wants[k].profile, t->wants[i].profile);
	return n;
}

/* A request without a place: say what is in the way at each start that it could have. */
static void report_unplaced(struct gs_policy *y, const struct gs_want *w, size_t times, const struct gs_profile *p, const struct gs_want *const *wants,
			    const struct gs_placed *placed, size_t n)
{
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT, last = GS_STRBUF_INIT;
	struct gs_finding *f = gs_policy_add(y, GS_RULE_PLACEMENT_NONE, GS_SEVERITY_BLOCK, "-");

	if (times > 1)
		gs_strbuf_printf(&text, "%zu of %s fit nowhere", times, p->name);
	else
		gs_strbuf_printf(&text, "%s fits nowhere", p->name);
	if (!p->n_placements)
		gs_strbuf_puts(&text, ": where it may start is not known");
	for (size_t i = 0; i < p->n_placements; i++) {
		GS_STRBUF struct gs_strbuf who = GS_STRBUF_INIT;
		struct gs_misfit_info info;

		gs_placement_check(&y->gpu->grids[GS_KIND_MIG], placed, n, p, p->placements[i].start, &info);
		for (size_t k = 0; k < info.n_blockers; k++)
			gs_policy_describe_blocker(y, f, wants[info.blockers[k]], &who);
		if (info.why == GS_MISFIT_COUNT)
			gs_strbuf_printf(&who, "no more than %" PRIu32 " are allowed", p->max_instances);
		if (!who.length)
			gs_strbuf_puts(&who, "another open request needs it");
		f->units |= info.units;
		/* seven starts behind one instance are said once */
		if (last.length && gs_str_equal(who.text, last.text))
			continue;
		gs_strbuf_printf(&text, "%s from %" PRIu32 " on %s", i ? "," : ":", p->placements[i].start, who.text);
		gs_strbuf_clear(&last);
		gs_strbuf_puts(&last, who.text ? who.text : "");
	}
	if (text.failed)
		y->failed = true;
	else
		f->text = gs_arena_strdup(y->p->arena, text.text);
	f->object = gs_arena_printf(y->p->arena, "GPU %" PRIu32 " %s", y->gpu->index, p->name);
	f->pos = w->pos;
	suggest_places(y, f, p, placed, n);
}

/* Is wants[i] the first that asks for an instance that is there? A second one for the same place is one too many. */
static bool stands(const struct gs_gpu *gpu, const struct gs_want *wants, size_t i)
{
	if (!gs_gpu_instance_at(gpu, wants[i].profile, wants[i].start.value))
		return false;
	for (size_t k = 0; k < i; k++)
		if (gs_u32_equal(wants[k].start, wants[i].start) && gs_str_equal(wants[k].profile, wants[i].profile))
			return false;
	return true;
}

/*
 * What is there comes first, then requests in their order: the finding names
 * the request that is too much, never the instance that stands.
 */
static void check_grid(struct gs_policy *y, enum gs_instance_kind kind)
{
	const struct gs_layout_gpu *t = y->d->target;
	const struct gs_want *wants[GS_PLACED_MAX];
	struct gs_placed placed[GS_PLACED_MAX];
	size_t n = 0;

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < t->n_wants && n < GS_PLACED_MAX; i++) {
			const struct gs_want *w = &t->wants[i];
			const struct gs_profile *p = w->kind == kind ? gs_want_profile(w, y->gpu) : NULL;
			bool is_there = p && w->start.known && stands(y->gpu, t->wants, i);
			struct gs_misfit_info info;

			if (!p || !w->start.known || is_there != (round == 0))
				continue;
			/* what stands is legal, whatever our tables say: the driver has it */
			if (round == 1 && gs_placement_check(gs_layout_grid(t, y->gpu, kind), placed, n, p, w->start.value, &info) != GS_FITS) {
				if (kind == GS_KIND_MIG)
					report_misfit(y, w, p, w->start.value, &info, wants, placed, n);
				else
					gs_policy_report_slot(y, w, p, &info, wants, placed, n);
				continue;
			}
			wants[n] = w;
			placed[n++] = (struct gs_placed){ p, w->start.value, gs_want_mixed_id(w, y->gpu) };
		}
	}
	for (size_t i = 0; i < t->n_wants; i++) {
		const struct gs_profile *p = t->wants[i].kind == kind ? gs_want_profile(&t->wants[i], y->gpu) : NULL;

		if (!p || t->wants[i].start.known || open_before(t, i))
			continue;
		if (kind == GS_KIND_MIG)
			report_unplaced(y, &t->wants[i], open_like(t, i), p, wants, placed, n);
		else
			gs_policy_report_no_slot(y, &t->wants[i], open_like(t, i), p, wants, placed, n);
	}
}

static void check_compute(struct gs_policy *y)
{
	for (size_t i = 0; i < y->d->n_changes; i++) {
		const struct gs_change *c = &y->d->changes[i];
		struct gs_finding *f;

		if (c->want && c->want->kind != GS_KIND_MIG)
			continue;
		if (c->place_is_unknown && c->kind == GS_CHANGE_KEEP_GI) {
			f = gs_policy_add(y, GS_RULE_POSITION_UNKNOWN, GS_SEVERITY_BLOCK,
					"where the compute instances in the %s at %" PRIu32 " are cannot be read, so nothing can be changed beside them", c->want->profile,
					c->want->start.value);
			f->status = GS_STATUS_CANNOT_TELL;
			f->pos = c->want->pos;
		}
		if (!c->has_no_room)
			continue;
		f = gs_policy_add(y, GS_RULE_PLACEMENT_NONE, GS_SEVERITY_BLOCK,
				"the compute instances asked for do not fit into the %s at %" PRIu32 " beside each other: it has %" PRIu32 " compute slices", c->want->profile,
				c->want->start.value, c->profile ? c->profile->compute_slices : 0);
		f->pos = c->want->pos;
		gs_policy_suggest(y, f, "delete %" PRIu32 "/%s@%" PRIu32 " all", y->gpu->index, c->want->profile, c->want->start.value);
	}
}

void gs_policy_check_places(struct gs_policy *y)
{
	check_grid(y, GS_KIND_MIG);
	check_grid(y, GS_KIND_VGPU);
	gs_policy_check_gi_room(y);
	check_compute(y);
}
