/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/placement.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define CENSUS_STATES_MAX 10000000ull

/* ---------------------------------------------------------------- one more beside others */

static bool is_plain(const struct gs_profile *p)
{
	return !*gs_profile_suffix(p);
}

static bool takes_media(const struct gs_profile *p)
{
	return strncmp(gs_profile_suffix(p), "+me", 3) == 0;
}

/*
 * How many of an engine the GPU has, as far as its profiles tell: what the
 * largest takes. Not known when the plain profiles alone would exceed that
 * (a vendor table lists one decoder for every profile of a B200, where two
 * captures show seven; profiles.md 1): then the engine cannot be budgeted.
 */
static struct gs_u32 engine_total(const struct gs_profile_set *set, enum gs_engine engine)
{
	uint32_t total = 0;

	for (size_t i = 0; i < set->n; i++) {
		if (!set->items[i].engines[engine].known)
			return GS_U32_UNKNOWN;
		if (set->items[i].engines[engine].value > total)
			total = set->items[i].engines[engine].value;
	}
	for (size_t i = 0; i < set->n; i++) {
		const struct gs_profile *p = &set->items[i];

		if (is_plain(p) && (uint64_t)p->engines[engine].value * p->max_instances > total)
			return GS_U32_UNKNOWN;
	}
	return GS_U32(total);
}

static bool engines_fit(const struct gs_profile_set *set, const struct gs_placed *placed, size_t n, const struct gs_profile *more,
			enum gs_engine *ret_engine)
{
	bool media = takes_media(more);

	for (size_t i = 0; i < n && !media; i++)
		media = takes_media(placed[i].profile);
	if (!media)
		return true;
	for (int engine = GS_ENGINE_DECODER; engine < GS_ENGINE_MAX; engine++) {
		struct gs_u32 total = engine_total(set, (enum gs_engine)engine);
		uint64_t sum = more->engines[engine].value;

		if (!total.known)
			continue;
		for (size_t i = 0; i < n; i++)
			sum += placed[i].profile->engines[engine].value;
		if (sum > total.value) {
			*ret_engine = (enum gs_engine)engine;
			return false;
		}
	}
	return true;
}

/* Time-sliced vGPUs only: what lies in a GI is that GI's affair. */
static bool differs_in_size(const struct gs_profile_set *set, const struct gs_profile *a, const struct gs_profile *b)
{
	return set->has_one_size && !a->gi_profile && !b->gi_profile && !gs_u64_equal(a->memory_bytes, b->memory_bytes);
}

/* How many of those placed count against the maximum of @profile: equal sizes share it (interfaces 1.4). */
static uint32_t count_alike(const struct gs_profile_set *set, const struct gs_placed *placed, size_t n, const struct gs_profile *profile)
{
	uint32_t alike = 0;

	for (size_t i = 0; i < n; i++)
		alike += placed[i].profile == profile || (set->has_one_size && !profile->gi_profile && !placed[i].profile->gi_profile);
	return alike;
}

/* ---------------------------------------------------------------- mixed sizes */

static bool is_mixed(const struct gs_profile_set *set, const struct gs_profile *p)
{
	return set->is_slots && !set->has_one_size && !p->gi_profile;
}

/* What is taken already, in units of framebuffer. */
struct room {
	struct gs_span taken[GS_PLACED_MAX + 1];
	size_t n;
};

static bool is_taken(const struct room *r, struct gs_span span)
{
	for (size_t i = 0; i < r->n; i++)
		if (gs_span_overlaps(r->taken[i], span))
			return true;
	return false;
}

/* The first that is free, as the driver does. What the driver lists no ids for takes none. */
static bool take_first(struct room *r, const struct gs_profile *p)
{
	for (size_t i = 0; i < p->n_mixed_ids; i++) {
		struct gs_span span = { p->mixed_ids[i], p->mixed_size };

		if (is_taken(r, span))
			continue;
		r->taken[r->n++] = span;
		return true;
	}
	return !p->n_mixed_ids;
}

/* Is there a placement id for everything, @more included, when it is created largest first beside what has one? */
static bool room_is_enough(const struct gs_profile_set *set, const struct gs_placed *placed, size_t n, const struct gs_profile *more)
{
	const struct gs_profile *open[GS_PLACED_MAX + 1];
	struct room r = { .n = 0 };
	size_t n_open = 0;

	for (size_t i = 0; i <= n; i++) {
		const struct gs_profile *p = i < n ? placed[i].profile : more;
		size_t at = n_open;

		if (!is_mixed(set, p))
			continue;
		if (i < n && placed[i].mixed_id.known) {
			r.taken[r.n++] = (struct gs_span){ placed[i].mixed_id.value, p->mixed_size };
			continue;
		}
		for (; at && open[at - 1]->mixed_size < p->mixed_size; at--)
			open[at] = open[at - 1];
		open[at] = p;
		n_open++;
	}
	for (size_t i = 0; i < n_open; i++)
		if (!take_first(&r, open[i]))
			return false;
	return true;
}

static void check_mixed(const struct gs_profile_set *set, const struct gs_placed *placed, size_t n, const struct gs_profile *profile, struct gs_misfit_info *info)
{
	uint32_t same = 0;

	if (!is_mixed(set, profile))
		return;
	for (size_t i = 0; i < n; i++)
		same += placed[i].profile == profile;
	if (profile->max_mixed.known && same >= profile->max_mixed.value)
		info->why = GS_MISFIT_COUNT;
	else if (n <= GS_PLACED_MAX && !room_is_enough(set, placed, n, profile))
		info->why = GS_MISFIT_ROOM;
}

static void check_size(const struct gs_profile_set *set, const struct gs_placed *placed, size_t n, const struct gs_profile *profile, struct gs_misfit_info *info)
{
	for (size_t i = 0; i < n; i++) {
		if (!differs_in_size(set, placed[i].profile, profile))
			continue;
		info->why = GS_MISFIT_SIZE;
		if (info->n_blockers < GS_PLACED_MAX)
			info->blockers[info->n_blockers++] = i;
	}
}

enum gs_misfit gs_placement_check(const struct gs_profile_set *set, const struct gs_placed *placed, size_t n,
				  const struct gs_profile *profile, uint32_t start, struct gs_misfit_info *ret_info)
{
	struct gs_misfit_info info = { .why = GS_FITS };
	struct gs_span span;

	if (!profile->n_placements) {
		info.why = GS_MISFIT_UNKNOWN;
		goto out;
	}
	if (!gs_profile_placement_at(profile, start, &span)) {
		info.why = GS_MISFIT_START;
		goto out;
	}
	for (size_t i = 0; i < n; i++) {
		struct gs_span other;

		if (!gs_profile_placement_at(placed[i].profile, placed[i].start, &other) || !gs_span_overlaps(span, other))
			continue;
		info.why = GS_MISFIT_OVERLAP;
		info.units |= gs_span_mask(span) & gs_span_mask(other);
		if (info.n_blockers < GS_PLACED_MAX)
			info.blockers[info.n_blockers++] = i;
	}
	if (info.why != GS_FITS)
		goto out;
	check_size(set, placed, n, profile, &info);
	if (info.why == GS_FITS)
		check_mixed(set, placed, n, profile, &info);
	if (info.why != GS_FITS)
		goto out;
	/* a type whose maximum nobody knows is bound by its slots and by the driver */
	if (((profile->max_instances || !set->is_slots) && count_alike(set, placed, n, profile) >= profile->max_instances) || (set->max_instances && n >= set->max_instances))
		info.why = GS_MISFIT_COUNT;
	else if (!engines_fit(set, placed, n, profile, &info.engine))
		info.why = GS_MISFIT_ENGINES;
	for (size_t i = 0; i < n && info.why == GS_MISFIT_ENGINES && info.n_blockers < GS_PLACED_MAX; i++)
		if (placed[i].profile->engines[info.engine].value)
			info.blockers[info.n_blockers++] = i;
out:
	if (ret_info)
		*ret_info = info;
	return info.why;
}

size_t gs_placement_free_starts(const struct gs_profile_set *set, const struct gs_placed *placed, size_t n,
				const struct gs_profile *profile, uint32_t *ret_starts)
{
	size_t found = 0;

	for (size_t i = 0; i < profile->n_placements && found < GS_PLACEMENTS_MAX; i++)
		if (gs_placement_check(set, placed, n, profile, profile->placements[i].start, NULL) == GS_FITS)
			ret_starts[found++] = profile->placements[i].start;
	return found;
}

static uint64_t occupied_mask(const struct gs_placed *placed, size_t n)
{
	uint64_t mask = 0;
	struct gs_span span;

	for (size_t i = 0; i < n; i++)
		if (gs_profile_placement_at(placed[i].profile, placed[i].start, &span))
			mask |= gs_span_mask(span);
	return mask;
}

uint32_t gs_placement_capacity(const struct gs_profile_set *set, const struct gs_placed *placed, size_t n, const struct gs_profile *profile)
{
	struct gs_placed all[GS_PLACED_MAX];
	uint32_t count = 0;
	uint64_t end = 0;

	if (n >= GS_PLACED_MAX)
		return 0;
	if (n)
		memcpy(all, placed, n * sizeof(*placed));
	/* placements are sorted and of one size: taking the first that is free, left to right, takes the most */
	for (size_t i = 0; i < profile->n_placements && n + count < GS_PLACED_MAX; i++) {
		struct gs_span span = profile->placements[i];

		if (span.start < end || gs_placement_check(set, all, n + count, profile, span.start, NULL) != GS_FITS)
			continue;
		all[n + count++] = (struct gs_placed){ .profile = profile, .start = span.start };
		end = span.start + span.size;
	}
	return count;
}

uint32_t gs_placement_openness(const struct gs_profile_set *set, const struct gs_placed *placed, size_t n)
{
	uint64_t taken = occupied_mask(placed, n);
	uint32_t open = 0;

	for (size_t i = 0; i < set->n; i++) {
		const struct gs_profile *p = &set->items[i];

		if (!is_plain(p))
			continue;
		for (size_t k = 0; k < p->n_placements; k++)
			open += !(gs_span_mask(p->placements[k]) & taken);
	}
	return open;
}

uint64_t gs_placement_lost_units(const struct gs_profile_set *set, const struct gs_placed *placed, size_t n)
{
	uint64_t grid = gs_span_mask((struct gs_span){ 0, set->memory_units });
	uint64_t reachable = occupied_mask(placed, n);

	/* a slot is nothing that one could lose: there are more of them than instances */
	if (set->is_slots)
		return 0;
	for (size_t i = 0; i < set->n; i++)
		for (size_t k = 0; k < set->items[i].n_placements; k++)
			if (gs_placement_check(set, placed, n, &set->items[i], set->items[i].placements[k].start, NULL) == GS_FITS)
				reachable |= gs_span_mask(set->items[i].placements[k]);
	return grid & ~reachable;
}

/* ---------------------------------------------------------------- open starts, all together */

struct solver {
	const struct gs_profile_set *set;
	const struct gs_existing *existing;
	size_t n_existing;
	const struct gs_profile *open[GS_PLACED_MAX];   /* largest first, equal ones together */
	size_t order[GS_PLACED_MAX];                    /* open[i] is request order[i] */
	size_t n_open;
	struct gs_placed placed[GS_PLACED_MAX];         /* fixed, then open[0..] as far as placed */
	size_t n_fixed;
	bool found;
	uint32_t best_held, best_kept, best_openness;
	uint32_t best[GS_PLACED_MAX];
};

static uint32_t placement_size(const struct gs_profile *p)
{
	return p->n_placements ? p->placements[0].size : 0;
}

static void count_kept(const struct solver *s, uint32_t *ret_held, uint32_t *ret_kept)
{
	uint64_t used = 0;

	*ret_held = *ret_kept = 0;
	for (size_t i = 0; i < s->n_open; i++) {
		const struct gs_placed *p = &s->placed[s->n_fixed + i];

		for (size_t k = 0; k < s->n_existing && k < 64; k++) {
			if (s->existing[k].profile != p->profile || s->existing[k].start != p->start || used & 1ull << k)
				continue;
			used |= 1ull << k;
			*ret_kept += 1;
			*ret_held += s->existing[k].is_held;
			break;
		}
	}
}

/* Depth first in ascending starts, so among equals the first found has the lowest starts for the largest profiles. */
static void solve_from(struct solver *s, size_t i)
{
	const struct gs_profile *p;
	uint32_t held, kept, openness;
	uint32_t after = 0;

	if (i == s->n_open) {
		count_kept(s, &held, &kept);
		openness = gs_placement_openness(s->set, s->placed, s->n_fixed + s->n_open);
		if (s->found && (held < s->best_held || (held == s->best_held && (kept < s->best_kept ||
			(kept == s->best_kept && openness <= s->best_openness)))))
			return;
		s->found = true;
		s->best_held = held;
		s->best_kept = kept;
		s->best_openness = openness;
		for (size_t k = 0; k < s->n_open; k++)
			s->best[k] = s->placed[s->n_fixed + k].start;
		return;
	}
	p = s->open[i];
	/* equal requests are interchangeable: only ascending starts among them */
	if (i && s->open[i - 1] == p)
		after = s->placed[s->n_fixed + i - 1].start + 1;
	for (size_t k = 0; k < p->n_placements; k++) {
		uint32_t start = p->placements[k].start;

		if (start < after || gs_placement_check(s->set, s->placed, s->n_fixed + i, p, start, NULL) != GS_FITS)
			continue;
		s->placed[s->n_fixed + i] = (struct gs_placed){ .profile = p, .start = start };
		solve_from(s, i + 1);
	}
}

static void sort_open(struct solver *s, const struct gs_profile *const *open, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t at = i;

		while (at > 0) {
			const struct gs_profile *before = s->open[at - 1];
			uint32_t a = placement_size(before), b = placement_size(open[i]);

			if (a > b || (a == b && (before->compute_slices > open[i]->compute_slices ||
				(before->compute_slices == open[i]->compute_slices && before <= open[i]))))
				break;
			s->open[at] = s->open[at - 1];
			s->order[at] = s->order[at - 1];
			at--;
		}
		s->open[at] = open[i];
		s->order[at] = i;
	}
}

/* The slot that one open request gets; GS_GRID_UNITS_MAX when there is none. */
static uint32_t pick_slot(const struct gs_profile_set *set, const struct gs_placed *placed, size_t n, const struct gs_profile *p,
			  const struct gs_existing *existing, size_t n_existing)
{
	for (int held = 1; held >= 0; held--)
		for (size_t i = 0; i < n_existing; i++)
			if (existing[i].profile == p && existing[i].is_held == held && gs_placement_check(set, placed, n, p, existing[i].start, NULL) == GS_FITS)
				return existing[i].start;
	for (size_t i = 0; i < p->n_placements; i++)
		if (!(gs_span_mask(p->placements[i]) & set->avoid) && gs_placement_check(set, placed, n, p, p->placements[i].start, NULL) == GS_FITS)
			return p->placements[i].start;
	return GS_GRID_UNITS_MAX;
}

static int solve_slots(struct solver *s, struct gs_error *e)
{
	for (size_t i = 0; i < s->n_open; i++) {
		uint32_t slot = pick_slot(s->set, s->placed, s->n_fixed + i, s->open[i], s->existing, s->n_existing);

		if (slot == GS_GRID_UNITS_MAX)
			return gs_error_set(e, -ENOSPC, GS_STATUS_REFUSED, "there is no room for %s beside %zu others", s->open[i]->name, s->n_fixed + i);
		s->placed[s->n_fixed + i] = (struct gs_placed){ .profile = s->open[i], .start = slot };
		s->best[i] = slot;
	}
	s->found = true;
	return 0;
}

int gs_placement_solve(const struct gs_profile_set *set, const struct gs_placed *fixed, size_t n_fixed,
		       const struct gs_profile *const *open, size_t n_open,
		       const struct gs_existing *existing, size_t n_existing,
		       uint32_t *ret_starts, struct gs_error *e)
{
	struct solver s = { .set = set, .existing = existing, .n_existing = n_existing, .n_open = n_open, .n_fixed = n_fixed };

	if (!n_open)
		return 0;
	if (n_fixed + n_open > GS_PLACED_MAX || (set->max_instances && n_fixed + n_open > set->max_instances))
		return gs_error_set(e, -ENOSPC, GS_STATUS_REFUSED, "%zu instances are asked for and the GPU has room for %u", n_fixed + n_open,
				    set->max_instances);
	if (n_fixed)
		memcpy(s.placed, fixed, n_fixed * sizeof(*fixed));
	if (set->is_slots) {
		for (size_t i = 0; i < n_open; i++) {
			s.open[i] = open[i];
			s.order[i] = i;
		}
		if (solve_slots(&s, e) < 0)
			return -ENOSPC;
	} else {
		sort_open(&s, open, n_open);
		solve_from(&s, 0);
	}
	if (!s.found)
		return gs_error_set(e, -ENOSPC, GS_STATUS_REFUSED,
				    "no arrangement has room for %zu more instance%s beside %zu (every one was tried)", n_open,
				    n_open == 1 ? "" : "s", n_fixed);
	for (size_t i = 0; i < n_open; i++)
		ret_starts[s.order[i]] = s.best[i];
	return 0;
}

int gs_compute_solve(const struct gs_profile *gi, const struct gs_span *taken, size_t n_taken,
		     const struct gs_compute_profile *const *open, size_t n_open, uint32_t *ret_starts, struct gs_error *e)
{
	uint64_t used = 0;
	uint32_t starts[GS_PLACED_MAX];

	if (n_open > GS_PLACED_MAX)
		return gs_error_set(e, -E2BIG, GS_STATUS_INVALID, "too many compute instances");
	for (size_t i = 0; i < n_taken; i++)
		used |= gs_span_mask(taken[i]);
	for (size_t i = 0; i < n_open; i++) {
		size_t k = 0;

		while (k < open[i]->n_placements && gs_span_mask(open[i]->placements[k]) & used)
			k++;
		if (k == open[i]->n_placements)
			return gs_error_set(e, -ENOSPC, GS_STATUS_REFUSED, "%s has no room for another %s: its %u compute slices are given out",
					    gi->name, open[i]->name, gi->compute_slices);
		starts[i] = open[i]->placements[k].start;
		used |= gs_span_mask(open[i]->placements[k]);
	}
	memcpy(ret_starts, starts, n_open * sizeof(*starts));
	return 0;
}

/* ---------------------------------------------------------------- enumeration */

struct candidate {
	const struct gs_profile *profile;
	uint32_t start;
	size_t which;
};

struct census {
	const struct gs_profile_set *set;
	struct candidate items[GS_PROFILES_MAX * 8];
	size_t n_items;
	struct gs_placed placed[GS_PLACED_MAX];
	size_t n_placed;
	uint8_t counts[GS_PROFILES_MAX];
	size_t n_profiles;
	struct gs_placement_census result;
	uint8_t (*multisets)[GS_PROFILES_MAX];
	size_t n_multisets, cap_multisets;
	int error;
};

static void note_multiset(struct census *c)
{
	for (size_t i = 0; i < c->n_multisets; i++)
		if (memcmp(c->multisets[i], c->counts, sizeof(c->counts)) == 0)
			return;
	if (c->n_multisets == c->cap_multisets) {
		size_t cap = c->cap_multisets ? c->cap_multisets * 2 : 64;
		void *bigger = reallocarray(c->multisets, cap, sizeof(*c->multisets));

		if (!bigger) {
			c->error = -ENOMEM;
			return;
		}
		c->multisets = bigger;
		c->cap_multisets = cap;
	}
	memcpy(c->multisets[c->n_multisets++], c->counts, sizeof(c->counts));
}

/* Every subset once: each candidate is either left out or, where it fits, taken. */
static void census_from(struct census *c, size_t i)
{
	const struct candidate *item;

	if (c->error)
		return;
	if (i == c->n_items) {
		bool maximal = true;

		for (size_t k = 0; k < c->n_items && maximal; k++)
			maximal = gs_placement_check(c->set, c->placed, c->n_placed, c->items[k].profile, c->items[k].start, NULL) != GS_FITS;
		if (++c->result.states > CENSUS_STATES_MAX)
			c->error = -E2BIG;
		if (maximal) {
			c->result.maximal++;
			note_multiset(c);
		}
		return;
	}
	census_from(c, i + 1);
	item = &c->items[i];
	if (c->n_placed == GS_PLACED_MAX ||
	    gs_placement_check(c->set, c->placed, c->n_placed, item->profile, item->start, NULL) != GS_FITS)
		return;
	c->placed[c->n_placed++] = (struct gs_placed){ .profile = item->profile, .start = item->start };
	c->counts[item->which]++;
	census_from(c, i + 1);
	c->counts[item->which]--;
	c->n_placed--;
}

int gs_placement_count(const struct gs_profile_set *set, const size_t *which, size_t n, struct gs_placement_census *ret_census)
{
	GS_FREE struct census *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->set = set;
	for (size_t i = 0; i < n; i++) {
		const struct gs_profile *p = &set->items[which[i]];

		for (size_t k = 0; k < p->n_placements; k++) {
			if (c->n_items == GS_ARRAY_SIZE(c->items))
				return -E2BIG;
			c->items[c->n_items++] = (struct candidate){ p, p->placements[k].start, i };
		}
	}
	census_from(c, 0);
	c->result.multisets = c->n_multisets;
	r = c->error;
	free(c->multisets);
	if (r == 0)
		*ret_census = c->result;
	return r;
}
