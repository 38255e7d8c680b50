/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values with parts: which are taken, why the others are not, and when one is reached. */
#include "tests/lib/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/setting.h"

static const char *const policies[] = { "best-effort", "equal-share", "fixed-share" };
static const char *const on_off[] = { "on", "off" };

/* What backend/vgpu_scheduler.c makes of a driver that has everything (interfaces 5.4). */
static const struct gs_setting_part scheduler_parts[] = {
	{ .key = "arr", .words = on_off, .n_words = 2, .not_with = "best-effort" },
	{ .key = "average-factor", .min = 1, .max = 60, .needs = "arr=on", .not_with = "best-effort" },
	{ .key = "frequency-hz", .min = 63, .max = 960, .needs = "arr=on", .not_with = "best-effort" },
	{ .key = "timeslice-ns", .min = 1000000, .max = 30000000, .not_beside = "arr=on", .not_with = "best-effort" },
};

static const struct gs_setting scheduler = {
	.key = GS_SETTING_SCHEDULER,
	.choices = policies,
	.n_choices = GS_ARRAY_SIZE(policies),
	.parts = scheduler_parts,
	.n_parts = GS_ARRAY_SIZE(scheduler_parts),
};
static const struct gs_setting heterogeneous = { .key = GS_SETTING_HETEROGENEOUS, .choices = on_off, .n_choices = 2 };
static const struct gs_setting number = { .key = "preempt-timeout-us" };

static void expect_taken(const struct gs_setting *s, const char *value)
{
	char why[256] = "untouched";

	if (gs_setting_refuses(s, value, why, sizeof(why)))
		fail_msg("%s %s: %s", s->key, value, why);
}

static void expect_refused(const struct gs_setting *s, const char *value, const char *because)
{
	char why[256] = "";
	const char *said = gs_setting_refuses(s, value, why, sizeof(why));

	if (!said)
		fail_msg("%s is taken as %s", value, s->key);
	assert_ptr_equal(said, why);
	assert_string_equal(why, because);
}

static void a_word_of_the_list_is_taken_and_another_is_not(void **state)
{
	(void)state;
	expect_taken(&heterogeneous, "on");
	expect_taken(&heterogeneous, "off");
	expect_refused(&heterogeneous, "On", "can be on, off, not \"On\"");
	expect_refused(&heterogeneous, "o", "can be on, off, not \"o\"");
	expect_refused(&heterogeneous, "onn", "can be on, off, not \"onn\"");
	expect_refused(&heterogeneous, "", "can be on, off, not \"\"");
	expect_refused(&heterogeneous, "on:arr=on", "is one word here, with nothing behind it");
	expect_refused(&heterogeneous, "on:", "is one word here, with nothing behind it");
	expect_refused(&scheduler, "round-robin", "can be best-effort, equal-share, fixed-share, not \"round-robin\"");
}

static void a_setting_without_words_is_a_number(void **state)
{
	(void)state;
	expect_taken(&number, "0");
	expect_taken(&number, "18446744073709551615");
	expect_refused(&number, "18446744073709551616", "is a number, not \"18446744073709551616\"");
	expect_refused(&number, "", "is a number, not \"\"");
	expect_refused(&number, "-1", "is a number, not \"-1\"");
	expect_refused(&number, "+1", "is a number, not \"+1\"");
	expect_refused(&number, " 1", "is a number, not \" 1\"");
	expect_refused(&number, "1ms", "is a number, not \"1ms\"");
	/* what is read back is compared as text, and a driver writes none in front */
	expect_refused(&number, "05", "is a number without zeros in front, not \"05\"");
	expect_refused(&number, "00", "is a number without zeros in front, not \"00\"");
	expect_refused(&number, "0x10", "is a number without zeros in front, not \"0x10\"");
	expect_refused(&number, "1:arr=on", "is a number, not \"1:arr=on\"");
}

static void parts_stand_behind_the_word_in_any_order(void **state)
{
	(void)state;
	expect_taken(&scheduler, "fixed-share");
	expect_taken(&scheduler, "fixed-share:arr=off");
	expect_taken(&scheduler, "fixed-share:timeslice-ns=2000000");
	expect_taken(&scheduler, "fixed-share:timeslice-ns=2000000:arr=off");
	expect_taken(&scheduler, "equal-share:arr=on:average-factor=33:frequency-hz=480");
	expect_taken(&scheduler, "equal-share:frequency-hz=480:average-factor=33:arr=on");
}

static void a_number_is_taken_up_to_its_ends(void **state)
{
	(void)state;
	expect_taken(&scheduler, "fixed-share:timeslice-ns=1000000");
	expect_taken(&scheduler, "fixed-share:timeslice-ns=30000000");
	expect_refused(&scheduler, "fixed-share:timeslice-ns=999999", "takes timeslice-ns from 1000000 to 30000000, not \"999999\"");
	expect_refused(&scheduler, "fixed-share:timeslice-ns=30000001", "takes timeslice-ns from 1000000 to 30000000, not \"30000001\"");
	expect_refused(&scheduler, "fixed-share:timeslice-ns=", "takes timeslice-ns from 1000000 to 30000000, not \"\"");
	expect_refused(&scheduler, "fixed-share:timeslice-ns=2ms", "takes timeslice-ns from 1000000 to 30000000, not \"2ms\"");
	expect_refused(&scheduler, "fixed-share:timeslice-ns=02000000", "takes timeslice-ns from 1000000 to 30000000 without zeros in front, not \"02000000\"");
	/* 2^64 + 2000000 */
	expect_refused(&scheduler, "fixed-share:timeslice-ns=18446744073711551616", "takes timeslice-ns from 1000000 to 30000000, not \"18446744073711551616\"");
}

static void a_part_says_what_it_needs_and_what_rules_it_out(void **state)
{
	(void)state;
	expect_refused(&scheduler, "fixed-share:average-factor=33", "takes average-factor only together with arr=on");
	expect_refused(&scheduler, "fixed-share:arr=off:frequency-hz=480", "takes frequency-hz only together with arr=on");
	expect_refused(&scheduler, "fixed-share:arr=on:timeslice-ns=2000000", "takes no timeslice-ns together with arr=on");
	/* whichever comes first */
	expect_refused(&scheduler, "fixed-share:timeslice-ns=2000000:arr=on", "takes no timeslice-ns together with arr=on");
	expect_refused(&scheduler, "best-effort:arr=off", "takes no arr with best-effort");
	expect_refused(&scheduler, "best-effort:timeslice-ns=2000000", "takes no timeslice-ns with best-effort");
}

static void what_is_no_part_is_named(void **state)
{
	const char *const known = "behind its word may stand arr=, average-factor=, frequency-hz=, timeslice-ns=";
	char because[256];

	(void)state;
	snprintf(because, sizeof(because), "has no part \"slice\"; %s", known);
	expect_refused(&scheduler, "fixed-share:slice=2", because);
	/* without its "=" it is none either */
	snprintf(because, sizeof(because), "has no part \"arr\"; %s", known);
	expect_refused(&scheduler, "fixed-share:arr", because);
	snprintf(because, sizeof(because), "has no part \"\"; %s", known);
	expect_refused(&scheduler, "fixed-share:", because);
	expect_refused(&scheduler, "fixed-share::arr=on", because);
	expect_refused(&scheduler, "fixed-share:arr=on:", because);
	expect_refused(&scheduler, "fixed-share:=on", because);
	expect_refused(&scheduler, "fixed-share:arr=", "takes arr=on or off, not \"\"");
	expect_refused(&scheduler, "fixed-share:arr=on=off", "takes arr=on or off, not \"on=off\"");
	expect_refused(&scheduler, "fixed-share:arr=ON", "takes arr=on or off, not \"ON\"");
	expect_refused(&scheduler, "fixed-share=1", "can be best-effort, equal-share, fixed-share, not \"fixed-share=1\"");
	expect_refused(&scheduler, ":arr=on", "can be best-effort, equal-share, fixed-share, not \":arr=on\"");
}

static void a_part_is_said_once(void **state)
{
	(void)state;
	expect_refused(&scheduler, "fixed-share:arr=on:arr=on", "says arr twice");
	expect_refused(&scheduler, "fixed-share:arr=off:timeslice-ns=2000000:arr=on", "says arr twice");
	expect_refused(&scheduler, "fixed-share:arr=on:average-factor=2:arr=off", "says arr twice");
	expect_refused(&scheduler, "fixed-share:timeslice-ns=2000000:timeslice-ns=2000000", "says timeslice-ns twice");
}

static void each_word_of_a_part_is_named(void **state)
{
	static const char *const three[] = { "low", "normal", "high" }, *const one[] = { "always" };
	const struct gs_setting_part parts[] = { { .key = "priority", .words = three, .n_words = 3 }, { .key = "when", .words = one, .n_words = 1 } };
	const struct gs_setting s = { .key = "sharing", .choices = on_off, .n_choices = 2, .parts = parts, .n_parts = 2 };

	(void)state;
	expect_taken(&s, "on:priority=high:when=always");
	expect_refused(&s, "on:priority=idle", "takes priority=low, normal or high, not \"idle\"");
	expect_refused(&s, "on:when=never", "takes when=always, not \"never\"");
}

/* As many parts as a snapshot may carry, and what one needs may have a long name. */
static void as_many_parts_as_there_may_be_and_long_names(void **state)
{
	static const char *const keys[] = { "a", "b", "c", "d", "e", "f", "g" };
	static const char needed[] = "a-part-whose-name-is-longer-than-most-names-are", needs[] = "a-part-whose-name-is-longer-than-most-names-are=1";
	struct gs_setting_part parts[GS_SETTING_PARTS_MAX] = { { .key = needed, .max = 9 } };
	const struct gs_setting s = { .key = "sharing", .choices = on_off, .n_choices = 2, .parts = parts, .n_parts = GS_SETTING_PARTS_MAX };
	char all[GS_SETTING_VALUE_MAX], because[256];
	size_t n;

	(void)state;
	assert_int_equal(GS_ARRAY_SIZE(keys), GS_SETTING_PARTS_MAX - 1);
	for (size_t i = 0; i < GS_ARRAY_SIZE(keys); i++)
		parts[i + 1] = (struct gs_setting_part){ .key = keys[i], .max = 9, .needs = needs };
	n = (size_t)snprintf(all, sizeof(all), "on:%s=1", needed);
	for (size_t i = 0; i < GS_ARRAY_SIZE(keys); i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, ":%s=%zu", keys[i], i);
	assert_true(n < sizeof(all));
	expect_taken(&s, all);
	snprintf(because, sizeof(because), "takes a only together with %s", needs);
	expect_refused(&s, "on:a=1", because);
	/* behind the last one there is room for no part that is not there already */
	n += (size_t)snprintf(all + n, sizeof(all) - n, ":c=1");
	assert_true(n < sizeof(all));
	expect_refused(&s, all, "says c twice");
}

/* ---------------------------------------------------------------- reached or not */

static void a_value_is_reached_when_all_that_it_says_is_so(void **state)
{
	static const struct {
		const char *now, *asked;
		bool is, or_untold;
	} expect[] = {
		{ "off", "off", true, true },
		{ "on", "off", false, false },
		{ "fixed-share:arr=off:timeslice-ns=2000000", "fixed-share", true, true },
		{ "fixed-share:arr=off:timeslice-ns=2000000", "fixed-share:timeslice-ns=2000000", true, true },
		{ "fixed-share:arr=off:timeslice-ns=2000000", "fixed-share:timeslice-ns=2000000:arr=off", true, true },
		{ "fixed-share:arr=off:timeslice-ns=2000000", "fixed-share:arr=on", false, false },
		{ "fixed-share:arr=off:timeslice-ns=2000000", "fixed-share:timeslice-ns=200000", false, false },
		{ "fixed-share:arr=off:timeslice-ns=2000000", "fixed-share:timeslice-ns=20000000", false, false },
		{ "fixed-share:arr=off", "equal-share:arr=off", false, false },
		{ "fixed-share:arr=off", "fixed", false, false },
		{ "fixed", "fixed-share", false, false },
		/* what is not told */
		{ "fixed-share", "fixed-share:arr=off", false, true },
		{ "fixed-share", "fixed-share:arr=off:timeslice-ns=2000000", false, true },
		{ "fixed-share:arr=on", "fixed-share:arr=off:timeslice-ns=2000000", false, false },
		/* a name that only begins alike tells nothing */
		{ "fixed-share:arrow=off", "fixed-share:arr=off", false, true },
		/* what is no part is never so */
		{ "fixed-share", "fixed-share:", false, false },
		{ "fixed-share", "fixed-share:arr", false, false },
		{ "fixed-share", "fixed-share=1", false, false },
		{ "", "on", false, false },
		{ "on", "", false, false },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(expect); i++) {
		if (gs_setting_is(expect[i].now, expect[i].asked, false) != expect[i].is)
			fail_msg("«%s» %s «%s»", expect[i].now, expect[i].is ? "is not" : "is", expect[i].asked);
		if (gs_setting_is(expect[i].now, expect[i].asked, true) != expect[i].or_untold)
			fail_msg("«%s» %s «%s», or does not tell", expect[i].now, expect[i].or_untold ? "is not" : "is", expect[i].asked);
	}
}

static void unknown_is_equal_to_nothing(void **state)
{
	(void)state;
	for (int or_untold = 0; or_untold < 2; or_untold++) {
		assert_false(gs_setting_is(NULL, "off", or_untold));
		assert_false(gs_setting_is("off", NULL, or_untold));
		assert_false(gs_setting_is(NULL, NULL, or_untold));
	}
}

static void what_a_driver_has_by_itself(void **state)
{
	(void)state;
	assert_true(gs_setting_is_default(GS_SETTING_HETEROGENEOUS, "off"));
	assert_false(gs_setting_is_default(GS_SETTING_HETEROGENEOUS, "on"));
	assert_true(gs_setting_is_default(GS_SETTING_SCHEDULER, "best-effort"));
	assert_false(gs_setting_is_default(GS_SETTING_SCHEDULER, "fixed-share"));
	assert_false(gs_setting_is_default(GS_SETTING_SCHEDULER, NULL));
	assert_false(gs_setting_is_default(GS_SETTING_COMPUTE_PARTITION, "off"));
	assert_true(gs_setting_is_for_vgpus(GS_SETTING_HETEROGENEOUS));
	assert_true(gs_setting_is_for_vgpus(GS_SETTING_SCHEDULER));
	assert_false(gs_setting_is_for_vgpus(GS_SETTING_MEMORY_PARTITION));
	assert_false(gs_setting_is_for_vgpus(NULL));
}

static void parts_and_words_are_read_back(void **state)
{
	struct gs_setting a = { .key = "a" }, b = { .key = "b" };
	struct gs_setting *const list[] = { &a, &b };
	char buf[16];

	(void)state;
	assert_string_equal(gs_setting_word("fixed-share:arr=on", buf, sizeof(buf)), "fixed-share");
	assert_string_equal(gs_setting_word(":arr=on", buf, sizeof(buf)), "");
	assert_string_equal(gs_setting_word("best-effort", buf, 5), "best");
	assert_string_equal(gs_setting_part_of("fixed-share:arr=on:timeslice-ns=7", "timeslice-ns", buf, sizeof(buf)), "7");
	assert_string_equal(gs_setting_part_of("fixed-share:arr=", "arr", buf, sizeof(buf)), "");
	assert_null(gs_setting_part_of("fixed-share:arr", "arr", buf, sizeof(buf)));
	assert_null(gs_setting_part_of("fixed-share:arrow=on", "arr", buf, sizeof(buf)));
	/* the word is no part, whatever it looks like */
	assert_null(gs_setting_part_of("arr=on:average-factor=2", "arr", buf, sizeof(buf)));
	assert_ptr_equal(gs_setting_by_key(list, 2, "b"), &b);
	assert_null(gs_setting_by_key(list, 1, "b"));
	assert_null(gs_setting_by_key(list, 0, "a"));
}

/* ---------------------------------------------------------------- hostile values */

static void a_value_of_any_length_is_judged_within_the_buffer(void **state)
{
	static const size_t lengths[] = { 1, GS_SETTING_VALUE_MAX - 2, GS_SETTING_VALUE_MAX - 1, GS_SETTING_VALUE_MAX, GS_SETTING_VALUE_MAX + 1, 65536 };
	static const char *const begins[] = { "", "fixed-share:arr=", "fixed-share:", "fixed-share:timeslice-ns=", "fixed-share:arr=on:arr" };
	const struct gs_setting *const settings[] = { &scheduler, &heterogeneous, &number };
	char *value = malloc(65536 + 64), buf[GS_SETTING_VALUE_MAX];

	(void)state;
	assert_non_null(value);
	for (size_t i = 0; i < GS_ARRAY_SIZE(lengths) * GS_ARRAY_SIZE(begins); i++) {
		const char *begin = begins[i % GS_ARRAY_SIZE(begins)];
		size_t n = strlen(begin);

		memcpy(value, begin, n);
		memset(value + n, 'x', lengths[i / GS_ARRAY_SIZE(begins)]);
		value[n + lengths[i / GS_ARRAY_SIZE(begins)]] = '\0';
		for (size_t k = 0; k < GS_ARRAY_SIZE(settings); k++) {
			char why[128];

			memset(why, '!', sizeof(why));
			assert_non_null(gs_setting_refuses(settings[k], value, why, 64));
			assert_true(strlen(why) < 64);
			assert_int_equal(why[64], '!');
			assert_non_null(gs_setting_refuses(settings[k], value, why, 1));
			assert_string_equal(why, "");
		}
		assert_true(gs_setting_is(value, value, false));
		assert_false(gs_setting_is("fixed-share:arr=on", value, true) && strlen(value) >= GS_SETTING_VALUE_MAX);
		gs_setting_word(value, buf, sizeof(buf));
		assert_true(strlen(buf) < sizeof(buf));
	}
	free(value);
}

/* A value that is legal but for its length is not cut to one that is. */
static void a_long_value_is_not_cut_to_a_legal_one(void **state)
{
	static const char begin[] = "fixed-share:timeslice-ns=";
	char value[GS_SETTING_VALUE_MAX + 1], why[256];
	const char *const words[] = { value };
	const struct gs_setting s = { .key = "sharing", .choices = words, .n_choices = 1 };

	(void)state;
	memset(value, '0', sizeof(value) - 1);
	memcpy(value, begin, strlen(begin));
	memcpy(value + sizeof(value) - 8, "2000000", 8);
	assert_int_equal(strlen(value), GS_SETTING_VALUE_MAX);
	assert_non_null(gs_setting_refuses(&scheduler, value, why, sizeof(why)));
	assert_false(gs_setting_is("fixed-share:timeslice-ns=2000000", value, false));
	/* not even where it is a word of the list; with a byte less it can be taken */
	memset(value, 'x', sizeof(value) - 1);
	assert_non_null(gs_setting_refuses(&s, value, why, sizeof(why)));
	value[sizeof(value) - 2] = '\0';
	expect_taken(&s, value);
}

/* ---------------------------------------------------------------- values made at random, against rules written anew */

struct said {
	const char *key, *text;
};

static const struct said sayings[] = {
	{ "arr", "on" },
	{ "arr", "off" },
	{ "arr", "maybe" },
	{ "average-factor", "1" },
	{ "average-factor", "61" },
	{ "frequency-hz", "960" },
	{ "frequency-hz", "62" },
	{ "timeslice-ns", "1000000" },
	{ "timeslice-ns", "-1" },
	{ "nothing", "on" },
};

/* interfaces 5.4, in words of its own: which sets of parts a driver takes with @policy. */
static bool is_legal(const char *policy, const unsigned *which, size_t n)
{
	unsigned count[GS_ARRAY_SIZE(sayings)] = { 0 };

	for (size_t i = 0; i < n; i++)
		count[which[i]]++;
	if (count[2] || count[4] || count[6] || count[8] || count[9])
		return false;
	if (count[0] + count[1] > 1 || count[3] > 1 || count[5] > 1 || count[7] > 1)
		return false;
	if (n && strcmp(policy, "best-effort") == 0)
		return false;
	return count[0] ? !count[7] : !count[3] && !count[5];
}

static void random_values_are_judged_by_the_rules(void **state)
{
	unsigned long long seed = 20260521;
	unsigned legal = 0;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		unsigned which[4];
		size_t n_parts, n;
		char value[GS_SETTING_VALUE_MAX * 2], why[256] = "";
		const char *policy, *said;

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		policy = policies[(seed >> 33) % 3];
		n_parts = (seed >> 40) % 5;
		n = (size_t)snprintf(value, sizeof(value), "%s", policy);
		for (size_t i = 0; i < n_parts; i++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			which[i] = (unsigned)((seed >> 33) % GS_ARRAY_SIZE(sayings));
			n += (size_t)snprintf(value + n, sizeof(value) - n, ":%s=%s", sayings[which[i]].key, sayings[which[i]].text);
		}
		assert_true(n < GS_SETTING_VALUE_MAX);
		said = gs_setting_refuses(&scheduler, value, why, sizeof(why));
		if (!said != is_legal(policy, which, n_parts))
			fail_msg("«%s» is %s: %s", value, said ? "refused" : "taken", why);
		legal += !said;
		if (!said && n_parts) {
			/* what is legal is reached by itself, by nothing less, and says what it says */
			assert_true(gs_setting_is(value, value, false));
			assert_false(gs_setting_is(policy, value, false));
			assert_true(gs_setting_is(policy, value, true));
			assert_true(gs_setting_is(value, policy, false));
			for (size_t i = 0; i < n_parts; i++)
				assert_string_equal(gs_setting_part_of(value, sayings[which[i]].key, why, sizeof(why)), sayings[which[i]].text);
		}
	}
	assert_in_range(legal, 4000, 16000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_of_the_list_is_taken_and_another_is_not),
		cmocka_unit_test(a_setting_without_words_is_a_number),
		cmocka_unit_test(parts_stand_behind_the_word_in_any_order),
		cmocka_unit_test(a_number_is_taken_up_to_its_ends),
		cmocka_unit_test(a_part_says_what_it_needs_and_what_rules_it_out),
		cmocka_unit_test(what_is_no_part_is_named),
		cmocka_unit_test(a_part_is_said_once),
		cmocka_unit_test(each_word_of_a_part_is_named),
		cmocka_unit_test(as_many_parts_as_there_may_be_and_long_names),
		cmocka_unit_test(a_value_is_reached_when_all_that_it_says_is_so),
		cmocka_unit_test(unknown_is_equal_to_nothing),
		cmocka_unit_test(what_a_driver_has_by_itself),
		cmocka_unit_test(parts_and_words_are_read_back),
		cmocka_unit_test(a_value_of_any_length_is_judged_within_the_buffer),
		cmocka_unit_test(a_long_value_is_not_cut_to_a_legal_one),
		cmocka_unit_test(random_values_are_judged_by_the_rules),
	};

	return cmocka_run_group_tests_name("setting", tests, NULL, NULL);
}
