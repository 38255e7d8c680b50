/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/lib/cmocka.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/catalogue.h"
#include "core/placement.h"

static struct gs_catalogue *catalogue;

static int load(void **state)
{
	struct gs_error e = { 0 };

	(void)state;
	if (gs_catalogue_load(&catalogue, &e) < 0)
		fprintf(stderr, "%s: %s\n", e.file, e.text);
	return catalogue ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	catalogue = gs_catalogue_free(catalogue);
	return 0;
}

static const struct gs_profile_set *set_of(const char *model)
{
	const struct gs_gpu_model *m = gs_catalogue_by_file(catalogue, model);

	assert_non_null(m);
	return &m->profiles;
}

static const struct gs_profile *profile(const struct gs_profile_set *set, const char *name)
{
	const struct gs_profile *p = gs_profile_by_name(set, name);

	assert_non_null(p);
	return p;
}

static void expect_census(const char *model, const char *const *names, uint64_t states, uint64_t maximal, uint64_t multisets)
{
	const struct gs_profile_set *set = set_of(model);
	struct gs_placement_census census;
	size_t which[16], n = 0;

	for (; names[n]; n++)
		which[n] = (size_t)(profile(set, names[n]) - set->items);
	assert_int_equal(gs_placement_count(set, which, n, &census), 0);
	assert_int_equal(census.states, states);
	assert_int_equal(census.maximal, maximal);
	if (multisets)
		assert_int_equal(census.multisets, multisets);
}

/* profiles.md 1: computed by brute force over the vendor's {start,size} lists, independently of this code */
static void an_a100_has_298_states_and_19_maximal_layouts_of_its_core_profiles(void **state)
{
	const char *const core[] = { "1g.5gb", "2g.10gb", "3g.20gb", "4g.20gb", "7g.40gb", NULL };

	(void)state;
	expect_census("a100-40gb", core, 298, 19, 14);
}

static void an_a100_with_the_double_memory_profile_has_723_states(void **state)
{
	const char *const more[] = { "1g.5gb", "1g.10gb", "2g.10gb", "3g.20gb", "4g.20gb", "7g.40gb", NULL };

	(void)state;
	expect_census("a100-40gb", more, 723, 78, 0);
}

static void an_a100_with_all_seven_profiles_has_2319_states(void **state)
{
	const char *const all[] = { "1g.5gb", "1g.5gb+me", "1g.10gb", "2g.10gb", "3g.20gb", "4g.20gb", "7g.40gb", NULL };

	(void)state;
	expect_census("a100-40gb", all, 2319, 239, 0);
}

static void an_a30_and_an_rtx_pro_6000_have_26_states_of_their_core_profiles(void **state)
{
	const char *const a30[] = { "1g.6gb", "2g.12gb", "4g.24gb", NULL };
	const char *const pro[] = { "1g.24gb", "2g.48gb", "4g.96gb", NULL };

	(void)state;
	expect_census("a30", a30, 26, 5, 0);
	expect_census("rtx-pro-6000-blackwell", pro, 26, 5, 0);
}

static void two_3g_leave_nothing_creatable_on_any_seven_slice_gpu(void **state)
{
	const char *const models[] = { "a100-40gb", "h100-sxm5-80gb", "b200-180gb", "h200-sxm-141gb" };

	(void)state;
	for (size_t m = 0; m < GS_ARRAY_SIZE(models); m++) {
		const struct gs_profile_set *set = set_of(models[m]);
		const struct gs_profile *three = NULL;
		struct gs_placed placed[2];
		uint32_t starts[GS_PLACEMENTS_MAX];

		for (size_t i = 0; i < set->n; i++)
			if (set->items[i].compute_slices == 3)
				three = &set->items[i];
		assert_non_null(three);
		placed[0] = (struct gs_placed){ .profile = three, .start = 0 };
		placed[1] = (struct gs_placed){ .profile = three, .start = 4 };
		for (size_t i = 0; i < set->n; i++)
			assert_int_equal(gs_placement_free_starts(set, placed, 2, &set->items[i], starts), 0);
	}
}

static void a_conflict_names_what_is_in_the_way(void **state)
{
	const struct gs_profile_set *set = set_of("h100-sxm5-80gb");
	const struct gs_placed placed[] = { { .profile = profile(set, "3g.40gb"), .start = 4 }, { .profile = profile(set, "1g.10gb"), .start = 0 }, { .profile = profile(set, "1g.10gb"), .start = 1 } };
	struct gs_misfit_info info;

	(void)state;
	assert_int_equal(gs_placement_check(set, placed, 3, profile(set, "4g.40gb"), 0, &info), GS_MISFIT_OVERLAP);
	assert_int_equal(info.n_blockers, 2);
	assert_int_equal(info.blockers[0], 1);
	assert_int_equal(info.blockers[1], 2);
	assert_int_equal(info.units, 3);
	assert_int_equal(gs_placement_check(set, placed, 3, profile(set, "4g.40gb"), 4, &info), GS_MISFIT_START);
	assert_int_equal(gs_placement_check(set, placed, 3, profile(set, "2g.20gb"), 2, &info), GS_FITS);
}

static void a_media_profile_exists_once(void **state)
{
	const struct gs_profile_set *set = set_of("a30");
	const struct gs_placed placed[] = { { .profile = profile(set, "1g.6gb+me"), .start = 0 } };
	struct gs_misfit_info info;

	(void)state;
	/* profiles.md 1: on an A30 1g+me and 2g+me both want the one OFA */
	assert_int_equal(gs_placement_check(set, placed, 1, profile(set, "2g.12gb+me"), 2, &info), GS_MISFIT_ENGINES);
	assert_int_equal(gs_placement_check(set, placed, 1, profile(set, "1g.6gb+me"), 2, &info), GS_MISFIT_COUNT);
	assert_int_equal(gs_placement_check(set, placed, 1, profile(set, "2g.12gb"), 2, &info), GS_FITS);
}

static void unit_7_is_lost_when_seven_1g_stand(void **state)
{
	const struct gs_profile_set *set = set_of("h100-sxm5-80gb");
	struct gs_placed placed[7];

	(void)state;
	for (uint32_t i = 0; i < 7; i++)
		placed[i] = (struct gs_placed){ .profile = profile(set, "1g.10gb"), .start = i };
	assert_int_equal(gs_placement_lost_units(set, placed, 7), 1u << 7);
	assert_int_equal(gs_placement_lost_units(set, placed, 0), 0);
}

/* mig_placement_order.json: what the driver does on an empty 7-slice GPU, one instance at a time */
static void one_at_a_time_from_empty_gives_the_drivers_own_orders(void **state)
{
	static const struct {
		const char *name;
		uint32_t order[8];
		size_t n;
	} expect[] = {
		{ "1g.10gb", { 6, 4, 5, 0, 1, 2, 3 }, 7 },
		{ "2g.20gb", { 4, 0, 2 }, 3 },
		{ "3g.40gb", { 4, 0 }, 2 },
		{ "4g.40gb", { 0 }, 1 },
	};
	const struct gs_profile_set *set = set_of("h100-sxm5-80gb");

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(expect); i++) {
		const struct gs_profile *p = profile(set, expect[i].name);
		struct gs_placed placed[8];

		for (size_t k = 0; k < expect[i].n; k++) {
			uint32_t start;

			assert_int_equal(gs_placement_solve(set, placed, k, &p, 1, NULL, 0, &start, NULL), 0);
			assert_int_equal(start, expect[i].order[k]);
			placed[k] = (struct gs_placed){ .profile = p, .start = start };
		}
	}
}

static void the_vendor_guides_failing_order_is_placed_when_solved_together(void **state)
{
	const struct gs_profile_set *set = set_of("a100-40gb");
	/* created one by one in this order the driver fails at the last (MIG user guide) */
	const struct gs_profile *open[] = { profile(set, "1g.5gb"), profile(set, "1g.5gb"), profile(set, "2g.10gb"), profile(set, "3g.20gb") };
	struct gs_placed placed[4];
	uint32_t starts[4];

	(void)state;
	assert_int_equal(gs_placement_solve(set, NULL, 0, open, 4, NULL, 0, starts, NULL), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(gs_placement_check(set, placed, i, open[i], starts[i], NULL), GS_FITS);
		placed[i] = (struct gs_placed){ .profile = open[i], .start = starts[i] };
	}
}

static void open_requests_keep_what_exists_held_ones_first(void **state)
{
	const struct gs_profile_set *set = set_of("h100-sxm5-80gb");
	const struct gs_profile *three = profile(set, "3g.40gb");
	const struct gs_existing existing[] = { { three, 0, false }, { three, 4, true } };
	uint32_t start;

	(void)state;
	assert_int_equal(gs_placement_solve(set, NULL, 0, &three, 1, existing, 2, &start, NULL), 0);
	assert_int_equal(start, 4);
	assert_int_equal(gs_placement_solve(set, NULL, 0, &three, 1, existing, 1, &start, NULL), 0);
	assert_int_equal(start, 0);
}

static void an_impossible_set_is_refused_with_a_sentence(void **state)
{
	const struct gs_profile_set *set = set_of("h100-sxm5-80gb");
	const struct gs_profile *open[] = { profile(set, "4g.40gb"), profile(set, "4g.40gb") };
	struct gs_error e = { 0 };
	uint32_t starts[2] = { 77, 77 };

	(void)state;
	assert_int_equal(gs_placement_solve(set, NULL, 0, open, 2, NULL, 0, starts, &e), -ENOSPC);
	assert_int_equal(e.status, GS_STATUS_REFUSED);
	assert_non_null(strstr(e.text, "no arrangement"));
	assert_int_equal(starts[0], 77);
}

static void capacity_is_what_repeated_creation_would_reach(void **state)
{
	const struct gs_profile_set *set = set_of("h100-sxm5-80gb");
	const struct gs_placed placed[] = { { .profile = profile(set, "3g.40gb"), .start = 4 } };

	(void)state;
	assert_int_equal(gs_placement_capacity(set, placed, 1, profile(set, "1g.10gb")), 4);
	assert_int_equal(gs_placement_capacity(set, placed, 1, profile(set, "1g.20gb")), 2);
	assert_int_equal(gs_placement_capacity(set, placed, 1, profile(set, "4g.40gb")), 1);
	assert_int_equal(gs_placement_capacity(set, placed, 1, profile(set, "7g.80gb")), 0);
	assert_int_equal(gs_placement_capacity(set, placed, 0, profile(set, "1g.10gb+me")), 1);
}

static void compute_instances_take_the_lowest_free_slices(void **state)
{
	const struct gs_profile_set *set = set_of("h100-sxm5-80gb");
	const struct gs_profile *gi = profile(set, "3g.40gb");
	const struct gs_compute_profile *one = gs_compute_profile_by_name(gi, "1c.3g.40gb");
	const struct gs_compute_profile *open[] = { one, one };
	const struct gs_span taken[] = { { 1, 1 } };
	struct gs_error e = { 0 };
	uint32_t starts[2];

	(void)state;
	assert_non_null(one);
	assert_int_equal(gs_compute_solve(gi, taken, 1, open, 2, starts, &e), 0);
	assert_int_equal(starts[0], 0);
	assert_int_equal(starts[1], 2);
	assert_int_equal(gs_compute_solve(gi, (const struct gs_span[]){ { 0, 3 } }, 1, open, 1, starts, &e), -ENOSPC);
}

/* ---------------------------------------------------------------- mixed sizes, against a driver written anew */

#define MIXED_TYPES 5
#define MIXED_SLOTS 32
#define MIXED_UNITS 48
/* behind the last placement id there is as much as the largest type takes */
#define MIXED_ROOM (3 * MIXED_UNITS)

struct mixed {
	struct gs_span slots[MIXED_SLOTS];
	uint32_t ids[MIXED_TYPES][MIXED_UNITS];
	struct gs_profile types[MIXED_TYPES];
	struct gs_profile_set set;
	struct gs_placed placed[GS_PLACED_MAX];
	size_t n;
};

static uint32_t random_below(uint64_t *seed, uint32_t n)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*seed >> 33) % n;
}

static void mixed_begin(struct mixed *m)
{
	memset(m, 0, sizeof(*m));
	for (uint32_t i = 0; i < MIXED_SLOTS; i++)
		m->slots[i] = (struct gs_span){ i, 1 };
	m->set = (struct gs_profile_set){ .memory_units = MIXED_SLOTS, .max_instances = MIXED_SLOTS, .items = m->types, .n = MIXED_TYPES, .is_slots = true };
}

/* A type of @size units that may start at every @step-th unit, as long as it ends on the board. */
static struct gs_profile *mixed_type(struct mixed *m, size_t i, uint32_t size, uint32_t step)
{
	static const char *const names[MIXED_TYPES] = { "A", "B", "C", "D", "E" };
	struct gs_profile *p = &m->types[i];

	*p = (struct gs_profile){ .name = names[i], .memory_bytes = GS_U64((uint64_t)size << 30), .max_instances = MIXED_SLOTS, .placements = m->slots,
				  .n_placements = MIXED_SLOTS, .mixed_size = size, .mixed_ids = m->ids[i] };
	for (uint32_t at = 0; step && at + size <= MIXED_UNITS; at += step)
		m->ids[i][p->n_mixed_ids++] = at;
	return p;
}

static void mixed_place(struct mixed *m, size_t type, struct gs_u32 id)
{
	m->placed[m->n] = (struct gs_placed){ .profile = &m->types[type], .start = (uint32_t)m->n, .mixed_id = id };
	m->n++;
}

static enum gs_misfit mixed_check(const struct mixed *m, size_t type)
{
	return gs_placement_check(&m->set, m->placed, m->n, &m->types[type], MIXED_SLOTS - 1, NULL);
}

/*
 * The driver (interfaces 2.5): units of framebuffer, taken or not. What has an
 * id lies there already; then the largest comes first, and takes the first of
 * its ids whose units are all free. -1: one finds none.
 */
static int driver_takes(const struct mixed *m, const struct gs_profile *more, bool (*ret_taken)[MIXED_ROOM])
{
	const struct gs_profile *waiting[GS_PLACED_MAX + 1];
	bool *taken = *ret_taken;
	size_t n = 0;

	memset(taken, 0, sizeof(*ret_taken));
	for (size_t i = 0; i < m->n; i++) {
		const struct gs_profile *p = m->placed[i].profile;

		if (p->gi_profile)
			continue;
		if (!m->placed[i].mixed_id.known)
			waiting[n++] = p;
		for (uint32_t u = 0; m->placed[i].mixed_id.known && u < p->mixed_size; u++)
			taken[m->placed[i].mixed_id.value + u] = true;
	}
	if (more)
		waiting[n++] = more;
	for (size_t left = n; left; left--) {
		const struct gs_profile *p = NULL;
		size_t largest = 0, id = 0;

		for (size_t i = 0; i < n; i++) {
			if (!waiting[i] || (p && waiting[i]->mixed_size <= p->mixed_size))
				continue;
			p = waiting[i];
			largest = i;
		}
		waiting[largest] = NULL;
		for (; id < p->n_mixed_ids; id++) {
			uint32_t u = 0;

			while (u < p->mixed_size && !taken[p->mixed_ids[id] + u])
				u++;
			if (u == p->mixed_size)
				break;
		}
		/* the driver lists none: nobody knows where it goes */
		if (!p->n_mixed_ids)
			continue;
		if (id == p->n_mixed_ids)
			return -1;
		for (uint32_t u = 0; u < p->mixed_size; u++)
			taken[p->mixed_ids[id] + u] = true;
	}
	return 0;
}

static enum gs_misfit driver_says(const struct mixed *m, const struct gs_profile *more)
{
	bool taken[MIXED_ROOM];
	uint32_t same = 0;

	if (more->gi_profile)
		return GS_FITS;
	for (size_t i = 0; i < m->n; i++)
		same += m->placed[i].profile == more;
	if (more->max_mixed.known && same >= more->max_mixed.value)
		return GS_MISFIT_COUNT;
	return driver_takes(m, more, &taken) == 0 ? GS_FITS : GS_MISFIT_ROOM;
}

static void mixed_shuffle(struct mixed *m, uint64_t *seed)
{
	static const uint32_t sizes[] = { 1, 2, 3, 4, 6, 8, 12, 16, 24, 48 };

	mixed_begin(m);
	for (size_t i = 0; i < MIXED_TYPES; i++) {
		uint32_t size = sizes[random_below(seed, GS_ARRAY_SIZE(sizes))];
		/* most start at multiples of their size, some anywhere, some nobody knows where */
		uint32_t step = random_below(seed, 4) ? size : random_below(seed, 4);
		struct gs_profile *p = mixed_type(m, i, size, step);
		size_t n = 0;

		/* lists have holes */
		for (size_t k = 0; k < p->n_mixed_ids; k++)
			if (random_below(seed, 5))
				m->ids[i][n++] = m->ids[i][k];
		p->n_mixed_ids = n;
		if (random_below(seed, 4) == 0)
			p->max_mixed = GS_U32(random_below(seed, 4));
		if (random_below(seed, 8) == 0)
			p->gi_profile = "1g.10gb";
	}
	for (uint32_t n = random_below(seed, 10); n; n--) {
		size_t type = random_below(seed, MIXED_TYPES);

		/* what is there may lie anywhere: not in the list, and over another, since a driver may have listed other ids by then */
		mixed_place(m, type, random_below(seed, 3) ? GS_U32_UNKNOWN : GS_U32(random_below(seed, MIXED_UNITS)));
	}
}

static void mixed_sizes_fit_where_a_driver_would_put_them(void **state)
{
	unsigned count[GS_MISFIT_UNKNOWN + 1] = { 0 };
	uint64_t seed = 48;
	struct mixed m;

	(void)state;
	for (unsigned round = 0; round < 30000; round++) {
		mixed_shuffle(&m, &seed);
		for (size_t i = 0; i < MIXED_TYPES; i++) {
			enum gs_misfit should = driver_says(&m, &m.types[i]), is = mixed_check(&m, i);

			if (is != should)
				fail_msg("round %u: %zu there, one more of %" PRIu32 " units: %d, and the driver would say %d", round, m.n, m.types[i].mixed_size, (int)is, (int)should);
			count[is]++;
		}
	}
	/* none of them is rare */
	assert_true(count[GS_FITS] > 20000 && count[GS_MISFIT_ROOM] > 20000 && count[GS_MISFIT_COUNT] > 5000);
}

static void the_capacity_of_mixed_sizes_is_what_a_driver_would_take(void **state)
{
	uint64_t seed = 12;
	struct mixed m;

	(void)state;
	for (unsigned round = 0; round < 5000; round++) {
		size_t type, n;
		uint32_t said, starts[GS_PLACEMENTS_MAX];

		mixed_shuffle(&m, &seed);
		type = random_below(&seed, MIXED_TYPES);
		n = m.n;
		said = gs_placement_capacity(&m.set, m.placed, n, &m.types[type]);
		/* any slot that is free, or none */
		assert_int_equal(gs_placement_free_starts(&m.set, m.placed, n, &m.types[type], starts), said ? MIXED_SLOTS - n : 0);
		while (m.n < MIXED_SLOTS && driver_says(&m, &m.types[type]) == GS_FITS)
			mixed_place(&m, type, GS_U32_UNKNOWN);
		assert_int_equal(said, m.n - n);
	}
}

/* All open requests of a GPU together: each is placed beside those before it, and the driver takes them all at last. */
static void what_is_solved_with_mixed_sizes_a_driver_takes(void **state)
{
	unsigned solved = 0, refused = 0;
	uint64_t seed = 7;
	struct mixed m;

	(void)state;
	for (unsigned round = 0; round < 5000; round++) {
		const struct gs_profile *open[4];
		struct gs_error e = { 0 };
		bool taken[MIXED_ROOM];
		uint32_t starts[4] = { 99, 99, 99, 99 };
		size_t n;

		mixed_shuffle(&m, &seed);
		/* what is there had room when it came */
		m.n = 0;
		for (size_t i = 0; i < 4; i++)
			open[i] = &m.types[random_below(&seed, MIXED_TYPES)];
		if (gs_placement_solve(&m.set, NULL, 0, open, 4, NULL, 0, starts, &e) < 0) {
			assert_string_equal(strstr(e.text, "no room") ? "" : e.text, "");
			assert_int_equal(starts[0], 99);
			refused++;
			/* whoever comes last of those that do not fit is refused by the driver, too */
			for (n = 0; n < 4 && driver_says(&m, open[n]) == GS_FITS; n++)
				mixed_place(&m, (size_t)(open[n] - m.types), GS_U32_UNKNOWN);
			assert_true(n < 4);
			continue;
		}
		for (size_t i = 0; i < 4; i++) {
			for (size_t k = 0; k < i; k++)
				assert_int_not_equal(starts[i], starts[k]);
			mixed_place(&m, (size_t)(open[i] - m.types), GS_U32_UNKNOWN);
		}
		assert_int_equal(driver_takes(&m, NULL, &taken), 0);
		solved++;
	}
	assert_true(solved > 1000 && refused > 1000);
}

static void what_is_there_breaks_up_the_room_of_mixed_sizes(void **state)
{
	struct mixed m;

	(void)state;
	mixed_begin(&m);
	mixed_type(&m, 0, 24, 24);
	mixed_type(&m, 1, 4, 4);
	/* one small vGPU in each half: 40 units are free, and no 24 in one piece */
	mixed_place(&m, 1, GS_U32(20));
	mixed_place(&m, 1, GS_U32(24));
	assert_int_equal(mixed_check(&m, 0), GS_MISFIT_ROOM);
	assert_int_equal(gs_placement_capacity(&m.set, m.placed, m.n, &m.types[1]), 10);
	/* both in one half */
	m.placed[1].mixed_id = GS_U32(0);
	assert_int_equal(mixed_check(&m, 0), GS_FITS);
	/* asked for together they come behind the large one */
	m.placed[0].mixed_id = m.placed[1].mixed_id = GS_U32_UNKNOWN;
	assert_int_equal(mixed_check(&m, 0), GS_FITS);
	assert_int_equal(gs_placement_capacity(&m.set, m.placed, m.n, &m.types[0]), 1);
}

static void one_size_for_all_knows_no_placement_ids(void **state)
{
	struct gs_misfit_info info;
	struct mixed m;

	(void)state;
	mixed_begin(&m);
	mixed_type(&m, 0, 24, 24);
	mixed_type(&m, 1, 4, 4)->max_mixed = GS_U32(1);
	mixed_type(&m, 2, 4, 4)->gi_profile = "1g.10gb";
	mixed_place(&m, 1, GS_U32(20));
	m.set.has_one_size = true;
	assert_int_equal(gs_placement_check(&m.set, m.placed, m.n, &m.types[0], 9, &info), GS_MISFIT_SIZE);
	assert_int_equal(info.n_blockers, 1);
	/* the maximum of mixed sizes does not bind here */
	assert_int_equal(mixed_check(&m, 1), GS_FITS);
	m.set.has_one_size = false;
	assert_int_equal(mixed_check(&m, 1), GS_MISFIT_COUNT);
	/* what lies in a GI takes no room of the GPU */
	m.types[2].mixed_size = 48;
	mixed_place(&m, 2, GS_U32(0));
	assert_int_equal(mixed_check(&m, 0), GS_FITS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_a100_has_298_states_and_19_maximal_layouts_of_its_core_profiles),
		cmocka_unit_test(an_a100_with_the_double_memory_profile_has_723_states),
		cmocka_unit_test(an_a100_with_all_seven_profiles_has_2319_states),
		cmocka_unit_test(an_a30_and_an_rtx_pro_6000_have_26_states_of_their_core_profiles),
		cmocka_unit_test(two_3g_leave_nothing_creatable_on_any_seven_slice_gpu),
		cmocka_unit_test(a_conflict_names_what_is_in_the_way),
		cmocka_unit_test(a_media_profile_exists_once),
		cmocka_unit_test(unit_7_is_lost_when_seven_1g_stand),
		cmocka_unit_test(one_at_a_time_from_empty_gives_the_drivers_own_orders),
		cmocka_unit_test(the_vendor_guides_failing_order_is_placed_when_solved_together),
		cmocka_unit_test(open_requests_keep_what_exists_held_ones_first),
		cmocka_unit_test(an_impossible_set_is_refused_with_a_sentence),
		cmocka_unit_test(capacity_is_what_repeated_creation_would_reach),
		cmocka_unit_test(compute_instances_take_the_lowest_free_slices),
		cmocka_unit_test(mixed_sizes_fit_where_a_driver_would_put_them),
		cmocka_unit_test(the_capacity_of_mixed_sizes_is_what_a_driver_would_take),
		cmocka_unit_test(what_is_solved_with_mixed_sizes_a_driver_takes),
		cmocka_unit_test(what_is_there_breaks_up_the_room_of_mixed_sizes),
		cmocka_unit_test(one_size_for_all_knows_no_placement_ids),
	};

	return cmocka_run_group_tests_name("placement", tests, load, unload);
}
