/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/lib/cmocka.h"

#include <errno.h>
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
	};

	return cmocka_run_group_tests_name("placement", tests, load, unload);
}
