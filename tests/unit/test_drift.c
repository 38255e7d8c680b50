/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Saved layout against machine: what differs, in words, and what is known to have caused it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "codec/drift_json.h"
#include "codec/layout_text.h"
#include "core/drift.h"
#include "tests/lib/testhost.h"

#define H100 "h100-sxm5-80gb"
#define BOOT_1 "11111111-1111-4111-8111-111111111111"
#define BOOT_2 "22222222-2222-4222-8222-222222222222"

/* The layout of @s as a file would have it. */
static struct gs_layout *saved_of(const struct gs_snapshot *s)
{
	struct gs_layout *bound = NULL, *file = NULL;
	struct json_object *o;
	struct gs_error e;
	char *text;

	assert_int_equal(gs_layout_from_snapshot(s, &bound, NULL), 0);
	o = gs_layout_to_json(bound, s);
	text = gs_json_to_text(o);
	if (gs_layout_parse(text, strlen(text), "saved", &file, &e) < 0)
		fail_msg("%s", e.text);
	free(text);
	json_object_put(o);
	gs_layout_free(bound);
	return file;
}

static struct gs_drift *drift(const struct gs_layout *saved, const struct gs_snapshot *now, const struct gs_drift_facts *facts)
{
	struct gs_drift *d = NULL;
	struct gs_error e;

	if (gs_drift_build(saved, now, facts, &d, &e) < 0)
		fail_msg("%s", e.text);
	return d;
}

struct row {
	const char *was, *is;
	enum gs_drift_state state;
	const char *differences[4];
};

static void each_difference_is_a_sentence(void **state)
{
	static const struct row rows[] = {
		{ "mig 1g.10gb@3", "mig 1g.10gb@3", GS_DRIFT_SAME, { NULL } },
		{ "mig 1g.10gb@3", "mig", GS_DRIFT_DIFFERS, { "1g.10gb at 3 is missing" } },
		{ "mig", "mig 1g.10gb@3", GS_DRIFT_DIFFERS, { "1g.10gb at 3 is there, not saved" } },
		{ "mig 1g.10gb@3", "mig 1g.10gb@4", GS_DRIFT_DIFFERS, { "1g.10gb at 3 is missing", "1g.10gb at 4 is there, not saved" } },
		{ "mig 1g.10gb@3", "whole", GS_DRIFT_DIFFERS, { "mode is whole, saved is mig", "1g.10gb at 3 is missing" } },
		{ "whole", "mig", GS_DRIFT_DIFFERS, { "mode is mig, saved is whole" } },
		{ "mig 3g.40gb@4", "mig 3g.40gb@4^", GS_DRIFT_DIFFERS, { "compute instance 3g.40gb in 3g.40gb at 4 is missing" } },
		{ "mig 3g.40gb@4^", "mig 3g.40gb@4", GS_DRIFT_DIFFERS, { "compute instance 3g.40gb in 3g.40gb at 4 is there, not saved" } },
		{ "mig 1g.10gb@3", "mig 1g.10gb@3*", GS_DRIFT_SAME, { NULL } },
		{ "mig 1g.10gb@3", "mig 1g.10gb@3?", GS_DRIFT_UNKNOWN, { "where its instances are cannot be seen at this privilege" } },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(rows); i++) {
		struct gs_snapshot *was = gs_testhost(H100, rows[i].was), *now = gs_testhost(H100, rows[i].is);
		struct gs_layout *saved = saved_of(was);
		struct gs_drift *d = drift(saved, now, NULL);
		size_t n = 0;

		while (n < GS_ARRAY_SIZE(rows[i].differences) && rows[i].differences[n])
			n++;
		assert_int_equal(d->n_gpus, 1);
		if (d->gpus[0].state != rows[i].state || d->gpus[0].n_differences != n)
			fail_msg("%s -> %s: %s with %zu differences, the first: %s", rows[i].was, rows[i].is, gs_drift_state_name(d->gpus[0].state),
				 d->gpus[0].n_differences, d->gpus[0].n_differences ? d->gpus[0].differences[0] : "-");
		for (size_t k = 0; k < n; k++)
			assert_string_equal(d->gpus[0].differences[k], rows[i].differences[k]);
		assert_int_equal(d->gpus[0].cause != NULL, rows[i].state == GS_DRIFT_DIFFERS);
		gs_drift_free(d);
		gs_layout_free(saved);
		gs_snapshot_unref(was);
		gs_snapshot_unref(now);
	}
}

static void gpus_are_judged_one_by_one(void **state)
{
	struct gs_snapshot *three = gs_testhost(H100, "mig 1g.10gb@0 | mig 1g.10gb@0 | mig 1g.10gb@0"), *two = gs_testhost(H100, "mig 1g.10gb@0 | mig");
	struct gs_layout *of_three = saved_of(three), *of_two = saved_of(two);
	struct gs_drift *d = drift(of_three, two, NULL);

	(void)state;
	assert_int_equal(d->n_gpus, 3);
	assert_int_equal(d->gpus[0].state, GS_DRIFT_SAME);
	assert_int_equal(d->gpus[1].state, GS_DRIFT_DIFFERS);
	assert_int_equal(d->gpus[2].state, GS_DRIFT_MISSING);
	assert_null(d->gpus[2].gpu);
	assert_non_null(strstr(d->gpus[2].differences[0], gs_snapshot_gpu(three, 2)->uuid));
	assert_int_equal(gs_drift_status(d), GS_STATUS_DIFFERS);
	gs_drift_free(d);
	/* one more than was saved: nothing is said about it, and that is no difference */
	d = drift(of_two, three, NULL);
	assert_int_equal(d->gpus[2].state, GS_DRIFT_NOT_SAVED);
	gs_drift_free(d);
	d = drift(of_two, two, NULL);
	assert_int_equal(gs_drift_status(d), GS_STATUS_OK);
	gs_drift_free(d);
	gs_layout_free(of_three);
	gs_layout_free(of_two);
	gs_snapshot_unref(three);
	gs_snapshot_unref(two);
}

static void what_cannot_be_laid_over_its_gpu_is_a_difference_of_it_alone(void **state)
{
	struct gs_snapshot *was = gs_testhost("a100-40gb", "mig 1g.5gb@0 | mig 1g.5gb@0"), *now = gs_testhost(H100, "mig | mig");
	struct gs_layout *saved = saved_of(was);
	struct gs_drift *d;

	(void)state;
	/* the second is really there again; the first board is another model now */
	saved->gpus[1].n_wants = 0;
	saved->gpus[1].match.pci_id = saved->gpus[1].match.subsystem_id = NULL;
	d = drift(saved, now, NULL);
	assert_int_equal(d->gpus[0].state, GS_DRIFT_DIFFERS);
	assert_false(d->gpus[0].is_bound);
	assert_true(d->gpus[0].n_differences > 0);
	assert_int_equal(d->gpus[1].state, GS_DRIFT_SAME);
	assert_true(d->gpus[1].is_bound);
	gs_drift_free(d);
	gs_layout_free(saved);
	gs_snapshot_unref(was);
	gs_snapshot_unref(now);
}

static void a_cause_is_named_only_where_it_is_known(void **state)
{
	struct gs_snapshot *was = gs_testhost(H100, "mig 1g.10gb@0 | mig 1g.10gb@0"), *now = gs_testhost(H100, "mig | mig 1g.10gb@0");
	const struct gs_bdf first = gs_snapshot_gpu(now, 0)->bdf, second = gs_snapshot_gpu(now, 1)->bdf;
	/* 1795267200000: 2026-11-21 13:20:00 UTC */
	const struct gs_drift_commit this_boot = { 12, "alice", { 1795267200000 }, BOOT_1, &first, 1, GS_I64_UNKNOWN }, later = { 14, NULL, { 1795267200000 }, BOOT_1, &first, 1, GS_I64_UNKNOWN },
				     older = { 3, "bob", { 1000 }, BOOT_1, &first, 1, GS_I64_UNKNOWN }, other_gpu = { 12, "alice", { 1795267200000 }, BOOT_1, &second, 1, GS_I64_UNKNOWN };
	const struct gs_drift_commit two[] = { later, this_boot };
	const struct gs_i64 at = GS_I64(1795260000000);
	const struct {
		struct gs_drift_facts facts;
		const char *cause;
	} rows[] = {
		{ { NULL, NULL, GS_I64_UNKNOWN, NULL, 0, false }, "by another tool, or a driver that was loaded again: nothing here knows" },
		{ { BOOT_1, BOOT_1, at, NULL, 0, false }, "by another tool, or a driver that was loaded again: nothing here knows" },
		{ { BOOT_1, BOOT_2, at, NULL, 0, false }, "the machine was restarted since it was saved, and no restore has put this back" },
		{ { NULL, BOOT_2, at, NULL, 0, false }, "by another tool, or a driver that was loaded again: nothing here knows" },
		{ { BOOT_1, BOOT_1, at, &this_boot, 1, false }, "commit 12 by alice at 2026-11-21 13:20:00 UTC was the last that changed this GPU" },
		{ { BOOT_1, BOOT_1, at, two, 2, false }, "commit 14 by somebody at 2026-11-21 13:20:00 UTC was the last that changed this GPU" },
		{ { BOOT_1, BOOT_1, at, &older, 1, false }, "by another tool, or a driver that was loaded again: nothing here knows" },
		{ { BOOT_1, BOOT_1, at, &other_gpu, 1, false }, "by another tool, or a driver that was loaded again: nothing here knows" },
		/* what was before the restart is gone with it */
		{ { BOOT_1, BOOT_2, at, &this_boot, 1, false }, "the machine was restarted since it was saved, and no restore has put this back" },
		/* when it was saved is not known: nothing is later than that */
		{ { NULL, BOOT_1, GS_I64_UNKNOWN, &this_boot, 1, false }, "by another tool, or a driver that was loaded again: nothing here knows" },
	};
	struct gs_layout *saved = saved_of(was);

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(rows); i++) {
		struct gs_drift *d = drift(saved, now, &rows[i].facts);

		if (strcmp(d->gpus[0].cause, rows[i].cause) != 0)
			fail_msg("row %zu: %s", i, d->gpus[0].cause);
		assert_null(d->gpus[1].cause);
		gs_drift_free(d);
	}
	gs_layout_free(saved);
	gs_snapshot_unref(was);
	gs_snapshot_unref(now);
}

/* 13:00:00 and so on of 2026-11-21, UTC */
#define SAVED 1795266000000
#define AT(minutes) (SAVED + (minutes) * 60000ll)
#define CLOCK(hh_mm) "2026-11-21 " hh_mm ":00 UTC"
#define NO_RESTORE "and no restore has put this back"
#define RESTARTED "the machine was restarted since it was saved, " NO_RESTORE
#define NOBODY "by another tool, or by hand: neither the journal nor the kernel's log tells of it"
#define UNKNOWN "by another tool, or a driver that was loaded again: nothing here knows"

static void the_cause_is_what_came_last(void **state)
{
	const struct gs_bdf bdf = { .bus = 1 };
	/* from 13:10 to 13:12, of this boot and of the one before */
	const struct gs_drift_commit mine = { 7, "alice", { AT(10) }, BOOT_1, &bdf, 1, GS_I64(AT(12)) }, open_end = { 7, "alice", { AT(10) }, BOOT_1, &bdf, 1, GS_I64_UNKNOWN },
				     before_boot = { 7, "alice", { AT(10) }, BOOT_2, &bdf, 1, GS_I64(AT(12)) };
	const struct {
		const char *name;
		const struct gs_drift_commit *commit;
		const char *saved_boot, *boot;
		struct gs_i64 saved_at, loaded;
		enum gs_gpu_event_kind kind;
		struct gs_i64 event;
		uint32_t xid;
		const char *cause;
		bool is_hidden;         /* the journal */
	} rows[] = {
#define SAME_BOOT BOOT_1, BOOT_1, GS_I64(SAVED)
#define NO_EVENT GS_GPU_EVENT_INVALID, GS_I64_UNKNOWN, 0
		{ "a load", NULL, SAME_BOOT, GS_I64(AT(20)), NO_EVENT, "its driver nvidia was loaded again at " CLOCK("13:20") ", after it was saved, " NO_RESTORE, false },
		{ "at that very moment", NULL, SAME_BOOT, GS_I64(SAVED), NO_EVENT, "its driver nvidia was loaded again at " CLOCK("13:00") ", after it was saved, " NO_RESTORE, false },
		{ "a load before", NULL, SAME_BOOT, GS_I64(SAVED - 1), NO_EVENT, NOBODY, false },
		{ "a load before, and no journal to be read", NULL, SAME_BOOT, GS_I64(SAVED - 1), NO_EVENT,
		  "by a commit, another tool, or by hand: the journal cannot be read here, and the kernel's log tells of nothing", true },
		{ "nothing known of loads", NULL, SAME_BOOT, GS_I64_UNKNOWN, NO_EVENT, UNKNOWN, false },
		{ "nothing known of the saving", NULL, NULL, BOOT_1, GS_I64_UNKNOWN, GS_I64(AT(20)), NO_EVENT, UNKNOWN, false },
		/* a boot loads drivers, and it is the boot that is told */
		{ "a restart and its load", NULL, BOOT_2, BOOT_1, GS_I64(SAVED), GS_I64(AT(20)), NO_EVENT, RESTARTED, false },
		{ "a restart, and no journal to be read", NULL, BOOT_2, BOOT_1, GS_I64(SAVED), GS_I64(AT(20)), NO_EVENT,
		  "the machine was restarted since it was saved; what was put back or changed after that stands in the journal, which is root's", true },
		{ "a load, and no journal to be read", NULL, SAME_BOOT, GS_I64(SAVED), NO_EVENT,
		  "its driver nvidia was loaded again at " CLOCK("13:00") ", after it was saved; what was put back or changed after that stands in the journal, which is root's", true },
		{ "a restart and a reset", NULL, BOOT_2, BOOT_1, GS_I64(SAVED), GS_I64_UNKNOWN, GS_GPU_EVENT_RESET, GS_I64(AT(20)), 0, RESTARTED, false },
		{ "perhaps a restart", NULL, NULL, BOOT_1, GS_I64(SAVED), GS_I64(AT(20)), NO_EVENT, "its driver nvidia was loaded at " CLOCK("13:20") ", after it was saved, " NO_RESTORE, false },
		{ "a commit and a load", &mine, SAME_BOOT, GS_I64(AT(20)), NO_EVENT,
		  "its driver nvidia was loaded again at " CLOCK("13:20") ", after commit 7 by alice at " CLOCK("13:10") ", " NO_RESTORE, false },
		{ "a load and a commit", &mine, SAME_BOOT, GS_I64(AT(5)), NO_EVENT, "commit 7 by alice at " CLOCK("13:10") " was the last that changed this GPU", false },
		/* a commit that binds a driver itself */
		{ "a load in a commit", &mine, SAME_BOOT, GS_I64(AT(11)), NO_EVENT, "commit 7 by alice at " CLOCK("13:10") " was the last that changed this GPU", false },
		{ "a load at its end", &mine, SAME_BOOT, GS_I64(AT(12)), NO_EVENT, "commit 7 by alice at " CLOCK("13:10") " was the last that changed this GPU", false },
		{ "its end is not known", &open_end, SAME_BOOT, GS_I64(AT(11)), NO_EVENT,
		  "its driver nvidia was loaded again at " CLOCK("13:11") ", after commit 7 by alice at " CLOCK("13:10") ", " NO_RESTORE, false },
		/* restore of this boot, and then a load */
		{ "a restart, a commit, a load", &mine, BOOT_2, BOOT_1, GS_I64(SAVED), GS_I64(AT(20)), NO_EVENT,
		  "its driver nvidia was loaded again at " CLOCK("13:20") ", after commit 7 by alice at " CLOCK("13:10") ", " NO_RESTORE, false },
		{ "a restart, its load, a commit", &mine, BOOT_2, BOOT_1, GS_I64(SAVED), GS_I64(AT(5)), NO_EVENT, "commit 7 by alice at " CLOCK("13:10") " was the last that changed this GPU", false },
		{ "a commit of the boot before", &before_boot, BOOT_2, BOOT_1, GS_I64(SAVED), GS_I64(AT(20)), NO_EVENT, RESTARTED, false },
		{ "a reset", NULL, SAME_BOOT, GS_I64(SAVED - 1), GS_GPU_EVENT_RESET, GS_I64(AT(20)), 0,
		  "the GPU was reset at " CLOCK("13:20") ", after it was saved, as the kernel's log says, " NO_RESTORE, false },
		{ "lost", NULL, SAME_BOOT, GS_I64_UNKNOWN, GS_GPU_EVENT_LOST, GS_I64(AT(20)), 0,
		  "the GPU had fallen off the bus at " CLOCK("13:20") ", after it was saved, as the kernel's log says, " NO_RESTORE, false },
		{ "wedged", NULL, SAME_BOOT, GS_I64_UNKNOWN, GS_GPU_EVENT_WEDGED, GS_I64(AT(20)), 0,
		  "the driver gave the GPU up as wedged at " CLOCK("13:20") ", after it was saved, as the kernel's log says, " NO_RESTORE, false },
		{ "the Xid of a loss", NULL, SAME_BOOT, GS_I64_UNKNOWN, GS_GPU_EVENT_XID, GS_I64(AT(20)), 79,
		  "the GPU had fallen off the bus at " CLOCK("13:20") ", after it was saved, as the kernel's log says, " NO_RESTORE, false },
		{ "the Xid of a program", NULL, SAME_BOOT, GS_I64_UNKNOWN, GS_GPU_EVENT_XID, GS_I64(AT(20)), 31, UNKNOWN, false },
		{ "a reset before", NULL, SAME_BOOT, GS_I64(SAVED - 1), GS_GPU_EVENT_RESET, GS_I64(SAVED - 1), 0, NOBODY, false },
		{ "a reset at an unknown time", NULL, SAME_BOOT, GS_I64(SAVED - 1), GS_GPU_EVENT_RESET, GS_I64_UNKNOWN, 0, NOBODY, false },
		{ "a commit and a reset", &mine, SAME_BOOT, GS_I64_UNKNOWN, GS_GPU_EVENT_RESET, GS_I64(AT(20)), 0, "commit 7 by alice at " CLOCK("13:10") " was the last that changed this GPU", false },
		{ "a reset and a load", NULL, SAME_BOOT, GS_I64(AT(20)), GS_GPU_EVENT_RESET, GS_I64(AT(15)), 0,
		  "its driver nvidia was loaded again at " CLOCK("13:20") ", after it was saved, " NO_RESTORE, false },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(rows); i++) {
		struct gs_gpu_event ev = { rows[i].kind, rows[i].event, { rows[i].xid != 0, rows[i].xid }, NULL }, *list[] = { &ev };
		struct gs_gpu gpu = { .bdf = bdf, .driver = "nvidia", .driver_loaded_ms = rows[i].loaded, .events = list, .n_events = rows[i].kind != GS_GPU_EVENT_INVALID };
		const struct gs_drift_facts facts = { rows[i].saved_boot, rows[i].boot, rows[i].saved_at, rows[i].commit, rows[i].commit != NULL, rows[i].is_hidden };
		struct gs_arena *arena = gs_arena_new();
		const char *cause = gs_drift_cause(&gpu, &facts, arena);

		if (strcmp(cause, rows[i].cause) != 0)
			fail_msg("%s: %s", rows[i].name, cause);
		gs_arena_free(arena);
	}
}

static void commits_that_did_nothing_explain_nothing(void **state)
{
	static const char text[] = "[7, {}, {\"id\":1,\"begun_ms\":5,\"done\":0,\"gpus\":[{\"bdf\":\"0000:01:00.0\"}]},"
				   "{\"id\":4,\"begun_ms\":6,\"done\":3,\"status\":1,\"gpus\":[]},"
				   "{\"id\":2,\"begun_ms\":6,\"done\":0,\"uncertain\":true,\"gpus\":[{\"bdf\":\"0000:01:00.0\"},{\"bdf\":\"x\"},7]},"
				   "{\"id\":3,\"begun_ms\":7,\"ended_ms\":9,\"done\":2,\"boot_id\":\"b\",\"author\":{\"user\":\"eve\"},\"gpus\":[]}]";
	struct json_object *list = json_tokener_parse(text);
	struct gs_arena *arena = gs_arena_new();
	struct gs_drift_commit *commits = NULL;
	size_t n = 0;

	(void)state;
	assert_int_equal(gs_drift_commits_from_json(list, arena, &commits, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(commits[0].id, 2);
	assert_int_equal(commits[0].n_gpus, 1);
	assert_null(commits[0].user);
	assert_int_equal(commits[1].id, 3);
	assert_string_equal(commits[1].user, "eve");
	assert_int_equal(commits[1].n_gpus, 0);
	assert_true(commits[1].ended_ms.known && commits[1].ended_ms.value == 9);
	assert_false(commits[0].ended_ms.known);
	gs_arena_free(arena);
	json_object_put(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_difference_is_a_sentence),
		cmocka_unit_test(gpus_are_judged_one_by_one),
		cmocka_unit_test(what_cannot_be_laid_over_its_gpu_is_a_difference_of_it_alone),
		cmocka_unit_test(a_cause_is_named_only_where_it_is_known),
		cmocka_unit_test(the_cause_is_what_came_last),
		cmocka_unit_test(commits_that_did_nothing_explain_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
