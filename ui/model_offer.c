/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model_offer.c - which profiles the palette and the chooser offer, where each would go, and what is in its way. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "ui/model_survey.h"

static uint32_t distance(uint32_t a, uint32_t b)
{
	return a > b ? a - b : b - a;
}

static bool is_free(const struct gs_offer *o, uint32_t start)
{
	for (size_t i = 0; i < o->n_starts; i++)
		if (o->starts[i] == start)
			return true;
	return false;
}

/* The legal start nearest to @to; of two equally near the free one, then the lower. */
static uint32_t nearest_start(const struct gs_offer *o, uint32_t to)
{
	uint32_t best = 0, best_rank = UINT32_MAX;

	for (size_t i = 0; i < o->profile->n_placements; i++) {
		uint32_t start = o->profile->placements[i].start;
		uint32_t rank = 2 * distance(start, to) + !is_free(o, start);

		if (rank < best_rank) {
			best_rank = rank;
			best = start;
		}
	}
	return best;
}

static uint32_t units_of(const struct gs_profile *p)
{
	return p->n_placements ? p->placements[0].size : 0;
}

/* What deleting the blockers costs; more is worse. */
static uint64_t harm_of(const struct gs_gpu *gpu, const struct gs_profile_set *set, const struct gs_placed *placed, size_t n,
			const struct gs_profile *p, uint32_t start)
{
	struct gs_placed left[GS_PLACED_MAX];
	struct gs_misfit_info info = { .why = GS_MISFIT_UNKNOWN };
	uint64_t held = 0, units = 0, helps;
	bool is_itself = false;
	size_t n_left = 0;

	gs_placement_check(set, placed, n, p, start, &info);
	for (size_t i = 0; i < n && n_left < GS_PLACED_MAX; i++) {
		const struct gs_instance *inst = gs_gpu_instance_at(gpu, placed[i].profile->name, placed[i].start);
		bool goes = false;

		for (size_t k = 0; k < info.n_blockers; k++)
			goes = goes || info.blockers[k] == i;
		if (!goes) {
			left[n_left++] = placed[i];
			continue;
		}
		held += inst && gs_instance_is_held(inst);
		units += units_of(placed[i].profile);
		/* one like it in the same place would change nothing */
		is_itself = is_itself || (placed[i].start == start && gs_str_equal(placed[i].profile->name, p->name));
	}
	helps = !is_itself && info.n_blockers && gs_placement_check(set, left, n_left, p, start, NULL) == GS_FITS;
	/* one who loses 10 GB is hurt less than one who loses 40, even when an idle instance goes too */
	return (uint64_t)!helps << 48 | held << 32 | units << 16 | (uint64_t)info.n_blockers;
}

uint32_t gs_model_least_harm(const struct gs_gpu *gpu, const struct gs_profile_set *set, const struct gs_placed *placed, size_t n,
			     const struct gs_profile *profile)
{
	uint64_t least = UINT64_MAX;
	uint32_t best = UINT32_MAX;

	for (size_t i = 0; i < profile->n_placements; i++) {
		uint32_t start = profile->placements[i].start;
		uint64_t harm = harm_of(gpu, set, placed, n, profile, start);

		if (harm < least || (harm == least && start < best)) {
			least = harm;
			best = start;
		}
	}
	return best;
}

/* The first slot that nothing lies on; 0 when there is none. */
static uint32_t free_slot(const struct gs_survey *g)
{
	uint64_t taken = 0;

	for (size_t i = 0; i < g->n; i++)
		taken |= gs_span_mask((struct gs_span){ g->placed[i].start, 1 });
	for (uint32_t u = 0; u < g->set->memory_units; u++)
		if (!(taken >> u & 1))
			return u;
	return 0;
}

/* All free starts; the engine's choice is taken first, since it leaves the most open. */
static void fill_anywhere(const struct gs_survey *g, struct gs_offer *o)
{
	const struct gs_profile_set *set = g->set;

	o->n_starts = gs_survey_gi_is_full(g, o->profile) ? 0 : gs_placement_free_starts(set, g->placed, g->n, o->profile, o->starts);
	if (!o->n_starts && set->is_slots) {
		/* a free slot tells what else is in the way */
		o->wanted_start = free_slot(g);
	} else if (!o->n_starts) {
		o->wanted_start = gs_model_least_harm(g->gpu, set, g->placed, g->n, o->profile);
	} else {
		o->best_start = o->starts[0];
		gs_placement_solve(set, g->placed, g->n, &o->profile, 1, NULL, 0, &o->best_start, NULL);
		o->wanted_start = o->best_start;
		for (size_t i = 0; i < o->n_starts; i++)
			if (o->starts[i] == o->best_start)
				o->chosen = i;
	}
}

/* Only the starts that the selection means: the nearest one for what is as large, those inside for what is smaller. */
static void fill_in_selection(const struct gs_survey *g, struct gs_offer *o, struct gs_span selection)
{
	uint32_t size = o->profile->placements[0].size, all[GS_PLACEMENTS_MAX];
	size_t n;

	o->n_starts = gs_placement_free_starts(g->set, g->placed, g->n, o->profile, o->starts);
	o->wanted_start = nearest_start(o, selection.start);
	/* What is smaller belongs inside, even if a place outside is as near. */
	for (size_t i = 0; i < o->profile->n_placements && size < selection.size; i++) {
		uint32_t start = o->profile->placements[i].start;
		bool inside = start >= selection.start && start + size <= selection.start + selection.size;

		if (inside && (o->wanted_start < selection.start || (is_free(o, start) && !is_free(o, o->wanted_start))))
			o->wanted_start = start;
	}
	n = o->n_starts;
	memcpy(all, o->starts, n * sizeof(*all));
	o->n_starts = 0;
	for (size_t i = 0; i < n; i++) {
		bool inside = all[i] >= selection.start && all[i] + size <= selection.start + selection.size;

		if (all[i] == o->wanted_start || (size < selection.size && inside))
			o->starts[o->n_starts++] = all[i];
	}
	for (size_t i = 0; i < o->n_starts; i++)
		if (o->starts[i] == o->wanted_start)
			o->chosen = i;
	o->best_start = o->n_starts ? o->starts[o->chosen] : o->wanted_start;
}

static void finish_offer(const struct gs_survey *g, struct gs_offer *o)
{
	struct gs_span span;

	if (!o->profile->n_placements)
		o->misfit.why = GS_MISFIT_UNKNOWN;
	else if (!o->n_starts)
		gs_placement_check(g->set, g->placed, g->n, o->profile, o->wanted_start, &o->misfit);
	else
		o->misfit.why = GS_FITS;
	if (!o->n_starts && o->misfit.why == GS_FITS && gs_survey_gi_is_full(g, o->profile))
		o->misfit.why = GS_MISFIT_COUNT;
	gs_survey_why_not(g, o);
	o->n_more = o->n_starts ? gs_placement_capacity(g->set, g->placed, g->n, o->profile) : 0;
	if (g->inside && o->n_more && o->profile->max_per_gi.known && o->n_more > o->profile->max_per_gi.value - gs_survey_n_inside(g))
		o->n_more = o->profile->max_per_gi.value - gs_survey_n_inside(g);
	o->in_the_way = 0;
	if (!o->n_starts && !g->set->is_slots && gs_profile_placement_at(o->profile, o->wanted_start, &span))
		o->in_the_way = gs_span_mask(span);
	for (size_t i = 0; g->set->is_slots && !g->inside && i < o->misfit.n_blockers; i++)
		o->in_the_way |= gs_span_mask((struct gs_span){ g->placed[o->misfit.blockers[i]].start, 1 });
}

/* The chosen one, then upwards from it, then from the lowest. */
size_t gs_model_picks(const struct gs_model *m, uint32_t count, uint32_t *ret)
{
	const struct gs_offer *o = m->offer < m->n_offers ? &m->offers[m->offer] : NULL;
	struct gs_block inside;
	struct gs_survey g;
	size_t picked = 0;
	uint32_t next;

	gs_survey_make(m, m->offers_inside && gs_survey_inside(m, &inside) ? &inside : NULL, &g);
	if (!o || !o->n_starts || !g.gpu)
		return 0;
	next = o->starts[o->chosen < o->n_starts ? o->chosen : 0];
	while (picked < count && picked < GS_PLACED_MAX && g.n < GS_PLACED_MAX && picked < o->n_more) {
		uint32_t starts[GS_PLACEMENTS_MAX];
		size_t n, from = 0;

		ret[picked++] = next;
		g.placed[g.n++] = (struct gs_placed){ .profile = o->profile, .start = next };
		n = gs_placement_free_starts(g.set, g.placed, g.n, o->profile, starts);
		/* units that were selected, and no others */
		for (size_t i = 0; m->layer == GS_LAYER_CHOOSER && i < n; i++)
			if (is_free(o, starts[i]))
				starts[from++] = starts[i];
		n = m->layer == GS_LAYER_CHOOSER ? from : n;
		if (!n)
			break;
		next = starts[0];
		for (size_t i = 0; i < n; i++) {
			if (starts[i] > ret[picked - 1] && (!g.set->is_slots || !(g.set->avoid >> starts[i] & 1))) {
				next = starts[i];
				break;
			}
		}
	}
	return picked;
}

int gs_model_offer_elsewhere(struct gs_model *m, int by)
{
	struct gs_offer *o = m->offer < m->n_offers ? &m->offers[m->offer] : NULL;
	struct gs_survey g;
	size_t n, at = 0;

	gs_survey_make(m, NULL, &g);
	/* any slot is as good as another: what is in the way is in the way everywhere */
	if (!o || !g.gpu || m->offers_inside || g.set->is_slots || o->n_starts || o->profile->n_placements < 2)
		return -ENOENT;
	n = o->profile->n_placements;
	while (at + 1 < n && o->profile->placements[at].start != o->wanted_start)
		at++;
	o->wanted_start = o->profile->placements[(at + n + (size_t)by) % n].start;
	finish_offer(&g, o);
	return 0;
}

/* As large as the selection, then smaller ones from the largest, then the next larger size for want of an exact one. */
struct candidate {
	struct gs_offer offer;
	uint32_t rank;
};

static int by_rank(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return (x->rank > y->rank) - (x->rank < y->rank);
}

static uint32_t next_larger(const struct gs_profile_set *set, uint32_t size)
{
	uint32_t best = 0;

	for (size_t i = 0; i < set->n; i++) {
		uint32_t other = set->items[i].n_placements ? set->items[i].placements[0].size : 0;

		if (other == size)
			return 0;
		if (other > size && (!best || other < best))
			best = other;
	}
	return best;
}

static int offer_for_selection(struct gs_model *m, const struct gs_survey *g, struct gs_offer *offers, size_t *ret_n)
{
	const struct gs_profile_set *set = g->set;
	uint32_t low = m->anchor < m->extent ? m->anchor : m->extent;
	uint32_t high = m->anchor < m->extent ? m->extent : m->anchor;
	struct gs_span selection = { low, high - low + 1 };
	uint32_t larger = next_larger(set, selection.size);
	GS_FREE struct candidate *list = calloc(set->n, sizeof(*list));
	size_t n = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < set->n; i++) {
		const struct gs_profile *p = &set->items[i];
		uint32_t size = p->n_placements ? p->placements[0].size : 0, class;
		struct candidate *c = &list[n];
		bool away;

		if (!size || (size > selection.size && size != larger))
			continue;
		c->offer.profile = p;
		fill_in_selection(g, &c->offer, selection);
		finish_offer(g, &c->offer);
		class = size == selection.size ? 0 : size < selection.size ? 1 + GS_GRID_UNITS_MAX - size : 2 + GS_GRID_UNITS_MAX;
		/* the place as selected, plain, and with the most compute first */
		away = !class && c->offer.wanted_start != low;
		c->rank = class << 22 | (uint32_t)!c->offer.n_starts << 21 | (uint32_t)away << 20 | (uint32_t)!!gs_profile_suffix(p)[0] << 19 |
			  (uint32_t)(GS_GRID_UNITS_MAX - p->compute_slices) << 8 | (uint32_t)i;
		n++;
	}
	qsort(list, n, sizeof(*list), by_rank);
	for (size_t i = 0; i < n; i++)
		offers[i] = list[i].offer;
	*ret_n = n;
	return 0;
}

/* Slots that are selected: every type takes one of them, so all are offered, in their order. */
static int offer_for_slots(struct gs_model *m, const struct gs_survey *g, struct gs_offer *offers, size_t *ret_n)
{
	uint32_t low = m->anchor < m->extent ? m->anchor : m->extent, high = m->anchor < m->extent ? m->extent : m->anchor;
	size_t n = 0;

	for (size_t i = 0; i < g->set->n; i++) {
		struct gs_offer *o = &offers[n];
		size_t kept = 0;

		if (!gs_survey_offers(g, &g->set->items[i]))
			continue;
		o->profile = &g->set->items[i];
		fill_anywhere(g, o);
		for (size_t k = 0; k < o->n_starts; k++)
			if (o->starts[k] >= low && o->starts[k] <= high)
				o->starts[kept++] = o->starts[k];
		if (!kept && o->n_starts) {
			o->n_starts = 0;
			o->wanted_start = low;
		}
		o->n_starts = kept;
		o->chosen = 0;
		/* one that nobody counts on, if there is one */
		for (size_t k = kept; k-- > 0;)
			if (!(g->set->avoid >> o->starts[k] & 1))
				o->chosen = k;
		o->best_start = kept ? o->starts[0] : low;
		finish_offer(g, o);
		n++;
	}
	*ret_n = n;
	return 0;
}

static int refuse(const struct gs_model *m, const struct gs_survey *g, struct gs_error *e)
{
	const struct gs_gpu *gpu = g->gpu;
	const char *name;

	if (!gpu)
		return gs_error_set(e, -ENODEV, GS_STATUS_REFUSED, "there is no GPU here");
	name = gpu->name ? gpu->name : "unknown model";
	if (g->kind == GS_KIND_INVALID && g->target && g->target->mode == GS_MODE_SRIOV)
		return gs_error_set(e, -EOPNOTSUPP, GS_STATUS_REFUSED, "VFs are not created one by one: : vfs %u N says how many", m->gpu);
	if (g->kind == GS_KIND_INVALID && gpu->mode == GS_MODE_PASSTHROUGH)
		return gs_error_set(e, -EOPNOTSUPP, GS_STATUS_REFUSED, "GPU %u is passed through whole; M gives it another mode", m->gpu);
	if (g->kind == GS_KIND_INVALID || !g->set->memory_units)
		return gs_error_set(e, -EOPNOTSUPP, GS_STATUS_REFUSED, "GPU %u (%s) cannot be cut into instances", m->gpu, name);
	if (!g->set->n)
		return gs_error_set(e, -ENODATA, GS_STATUS_REFUSED,
				    g->kind == GS_KIND_VGPU ? "which vGPU types GPU %u has is not known here" :
				    "the profiles of GPU %u are not known while MIG is off; M puts the mode change on the list", m->gpu);
	if (g->kind == GS_KIND_MIG && g->target && g->target->mode == g->mode && g->target->positions_unknown)
		return gs_error_set(e, -ENODATA, GS_STATUS_CANNOT_TELL,
				    "an instance of GPU %u cannot be read (profile or place): what fits beside it is not known", m->gpu);
	return 0;
}

/* Those with @part in their name move to the front. Returns how many. */
static size_t keep_named(struct gs_offer *offers, size_t n, const char *part)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (strcasestr(offers[i].profile->name, part))
			offers[kept++] = offers[i];
	return kept;
}

int gs_model_offer(struct gs_model *m, bool for_selection, struct gs_error *e)
{
	GS_FREE struct gs_offer *offers = NULL;
	struct gs_block inside;
	struct gs_survey g;
	size_t n = 0, all;
	int rc;

	if (m->offers_inside && !gs_survey_inside(m, &inside))
		return gs_error_set(e, -ENOENT, GS_STATUS_REFUSED, "the GPU instance is not there any more");
	gs_survey_make(m, m->offers_inside ? &inside : NULL, &g);
	rc = refuse(m, &g, e);
	if (rc < 0)
		return rc;
	offers = calloc(g.set->n, sizeof(*offers));
	if (!offers)
		return gs_error_oom(e);
	if (for_selection) {
		rc = g.set->is_slots ? offer_for_slots(m, &g, offers, &n) : offer_for_selection(m, &g, offers, &n);
		if (rc < 0)
			return gs_error_oom(e);
	} else {
		for (size_t i = 0; i < g.set->n; i++) {
			if (!gs_survey_offers(&g, &g.set->items[i]))
				continue;
			offers[n].profile = &g.set->items[i];
			if (offers[n].profile->n_placements)
				fill_anywhere(&g, &offers[n]);
			finish_offer(&g, &offers[n++]);
		}
	}
	if (!n)
		return gs_error_set(e, -ENOSPC, GS_STATUS_REFUSED, m->offers_inside ? "no vGPU type lies in a %s" : "no profile is that small", m->inside_profile);
	all = n;
	n = keep_named(offers, all, m->find);
	if (!n)
		return gs_error_set(e, -ENOSPC, GS_STATUS_REFUSED, "no name here has \"%s\" in it", m->find);
	free(m->offers);
	m->offers = GS_TAKE(offers);
	m->n_offers = n;
	m->n_all_offers = all;
	if (m->offer >= n)
		m->offer = 0;
	return 0;
}
