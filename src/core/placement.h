/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * placement.h - what fits where, exactly, and why not.
 *
 * On a grid of slots any slot is as good as another; what binds there is the
 * count and one framebuffer size for all or, where sizes may be mixed, the
 * placement ids that the driver lists: it takes the first that is free, and a
 * plan creates the largest first (interfaces 2.5, 9.3).
 *
 * On a MIG grid it works from {start,size} lists, per-profile maxima and media engines alone.
 * That these bind and nothing else does was checked by enumeration on every
 * fully known model (profiles.md 1): compute slices, SMs and copy engines
 * never bind beyond non-overlap; media engines bind only next to a "+me"
 * profile.
 */
#ifndef GS_CORE_PLACEMENT_H
#define GS_CORE_PLACEMENT_H

#include "base/error.h"
#include "core/profile.h"

#define GS_PLACED_MAX GS_GRID_UNITS_MAX

/* One instance on a grid. */
struct gs_placed {
	const struct gs_profile *profile;
	uint32_t start;
	struct gs_u32 mixed_id;         /* of a vGPU in mixed-size mode: its placement id, where it is known or asked for */
};

/* Why something cannot be placed. */
enum gs_misfit {
	GS_FITS,
	GS_MISFIT_START,        /* the start is not in the profile's list */
	GS_MISFIT_OVERLAP,      /* units are taken; see gs_misfit_info.blockers */
	GS_MISFIT_COUNT,        /* the profile's or the GPU's maximum is reached */
	GS_MISFIT_SIZE,         /* others have another framebuffer size, and the GPU takes one; see blockers */
	GS_MISFIT_ROOM,         /* mixed sizes: no placement id has enough framebuffer behind it */
	GS_MISFIT_ENGINES,      /* a media engine would be given out twice */
	GS_MISFIT_UNKNOWN,      /* the placements of this profile are not known */
};

struct gs_misfit_info {
	enum gs_misfit why;
	enum gs_engine engine;              /* for ENGINES */
	uint64_t units;                     /* for OVERLAP: the units both want */
	size_t blockers[GS_PLACED_MAX];     /* for OVERLAP, SIZE and ENGINES: indices into @placed */
	size_t n_blockers;
};

/*
 * May @profile be created at @start beside @placed? Returns the reason and
 * fills *@ret_info (which may be NULL).
 */
enum gs_misfit gs_placement_check(const struct gs_profile_set *set, const struct gs_placed *placed, size_t n,
				  const struct gs_profile *profile, uint32_t start, struct gs_misfit_info *ret_info);

/* Starts at which @profile fits beside @placed, ascending; @ret_starts has room for GS_PLACEMENTS_MAX. Returns how many. */
size_t gs_placement_free_starts(const struct gs_profile_set *set, const struct gs_placed *placed, size_t n,
				const struct gs_profile *profile, uint32_t *ret_starts);

/* How many more of @profile fit beside @placed, placed as well as possible. */
uint32_t gs_placement_capacity(const struct gs_profile_set *set, const struct gs_placed *placed, size_t n, const struct gs_profile *profile);

/* Free placements summed over the profiles without suffix: how open a grid is. */
uint32_t gs_placement_openness(const struct gs_profile_set *set, const struct gs_placed *placed, size_t n);

/* Free units that no creatable placement reaches: lost until something goes. Bit per unit. */
uint64_t gs_placement_lost_units(const struct gs_profile_set *set, const struct gs_placed *placed, size_t n);

/*
 * Fill in what the operator left open: all open starts of a GPU together.
 *
 * @fixed:    instances whose start is decided (kept or asked for).
 * @open:     profiles to place.
 * @existing: instances on the machine now that may be reused, with whether
 *            somebody holds them; an open request that gets the profile and
 *            start of one keeps it.
 * @ret_starts has room for @n_open: the start of each.
 *
 * Chooses, in this order: keep the most held existing instances; keep the
 * most existing instances; leave the greatest openness; the lowest start for
 * the largest profile, then for the next. Exact: every arrangement is tried.
 * On a grid of slots: existing ones of the profile, held first, then the lowest
 * free slots that are not to be avoided, in the order of the request.
 *
 * 0, or -ENOSPC with a sentence that says why no arrangement exists.
 */
struct gs_existing {
	const struct gs_profile *profile;
	uint32_t start;
	bool is_held;
};
int gs_placement_solve(const struct gs_profile_set *set, const struct gs_placed *fixed, size_t n_fixed,
		       const struct gs_profile *const *open, size_t n_open,
		       const struct gs_existing *existing, size_t n_existing,
		       uint32_t *ret_starts, struct gs_error *e);

/*
 * The same in one dimension less, for compute instances inside a GI: lowest
 * starts in the order given, beside @taken. -ENOSPC.
 */
int gs_compute_solve(const struct gs_profile *gi, const struct gs_span *taken, size_t n_taken,
		     const struct gs_compute_profile *const *open, size_t n_open, uint32_t *ret_starts, struct gs_error *e);

/* What enumeration of a profile set gives; the numbers are published (profiles.md 1) and tested. */
struct gs_placement_census {
	uint64_t states;        /* every legal set of instances, the empty one included */
	uint64_t maximal;       /* those to which nothing can be added */
	uint64_t multisets;     /* distinct profile counts among the maximal ones */
};
/* @n profiles of @set by index in @which. -E2BIG when there are more than 10 million states. */
int gs_placement_count(const struct gs_profile_set *set, const size_t *which, size_t n, struct gs_placement_census *ret_census);

#endif
