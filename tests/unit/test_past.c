/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_past.c - a commit that was killed behind so many steps, as its journal tells it, against the machine that it left. */
#include "tests/lib/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "codec/journal_json.h"
#include "core/past.h"
#include "tests/lib/testhost.h"

#define MODEL "h100-sxm5-80gb"
#define BOOT "3f1c3c1e-0000-4000-8000-000000000001"
#define LATER_BOOT "3f1c3c1e-0000-4000-8000-000000000002"

struct wreck {
	struct gs_snapshot *base, *now;
	struct gs_past *past;
};

static void wreck_done(struct wreck *w)
{
	gs_past_free(w->past);
	gs_snapshot_unref(w->base);
	gs_snapshot_unref(w->now);
}
#define WRECK GS_CLEANUP(wreck_done) struct wreck

static void add_record(struct gs_strbuf *text, uint64_t seq, enum gs_journal_kind kind, const struct gs_step *step)
{
	const struct gs_journal_record r = { .kind = kind, .seq = seq, .at = { 1 }, .n = step->n, .op = step->op, .bdf = step->bdf, .unit = step->unit,
					     .text = step->text, .way = GS_WAY_INVALID };
	GS_FREE char *line = NULL;

	assert_int_equal(gs_journal_record_to_line(&r, &line, NULL), 0);
	gs_strbuf_puts(text, line);
}

/* @script on @spec, killed behind @done steps; @boot is the one in which it is looked at. */
static void kill_behind(struct wreck *w, const char *spec, const char *script, size_t done, const char *boot)
{
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT;
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *file = NULL;
	GS_CLEANUP(gs_plan_freep) struct gs_plan *plan = NULL;
	const struct gs_plan_options options = { 0 };
	struct gs_journal_begin begin = { .id = 7, .at = { 1 }, .boot_id = BOOT, .host = "dgx01", .pid = 4711, .way = GS_WAY_APPLY, .options = &options };
	struct gs_error e = { 0 };
	GS_FREE char *line = NULL;
	uint64_t seq = 1;

	w->base = gs_testhost(MODEL, spec);
	w->now = gs_snapshot_ref(w->base);
	if (gs_testhost_plan(w->base, script, &options, &plan, &e) < 0)
		fail_msg("%s", e.text);
	assert_true(plan->n_steps > done);
	begin.plan = plan;
	if (gs_journal_begin_to_line(&begin, &line, &e) < 0)
		fail_msg("%s", e.text);
	gs_strbuf_puts(&text, line);
	for (size_t i = 0; i < done; i++) {
		struct gs_snapshot *next = NULL;

		add_record(&text, ++seq, GS_JOURNAL_INTENT, &plan->steps[i]);
		add_record(&text, ++seq, GS_JOURNAL_RESULT, &plan->steps[i]);
		add_record(&text, ++seq, GS_JOURNAL_DONE, &plan->steps[i]);
		assert_int_equal(gs_testhost_step(w->now, &plan->steps[i], &next), 0);
		gs_snapshot_unref(w->now);
		w->now = next;
	}
	if (gs_journal_parse(text.text, text.length, &file, &e) < 0 || gs_journal_past(file, boot, &w->past, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(w->past->done, done);
}

static enum gs_past_state judge(const struct wreck *w)
{
	enum gs_past_state state;

	assert_int_equal(gs_past_judge(w->past, w->now, &state, NULL, NULL, NULL), 0);
	return state;
}

/* The steps of the plan that leads out of it, one line each. */
static void expect_way(const struct wreck *w, const struct gs_snapshot *now, enum gs_way way, const char *steps)
{
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT;
	GS_CLEANUP(gs_plan_freep) struct gs_plan *plan = NULL;
	GS_EVALUATION struct gs_evaluation ev = { 0 };
	const struct gs_plan_options options = { .recovers = 7 };
	struct gs_error e = { 0 };

	if (gs_past_evaluate(w->past, way, now, &ev, &e) < 0 || gs_plan_build(now, &ev, &options, &plan, &e) < 0)
		fail_msg("%s", e.text);
	gs_strbuf_puts(&text, "");
	for (size_t i = 0; i < plan->n_steps; i++)
		gs_strbuf_printf(&text, "%s\n", plan->steps[i].text);
	assert_string_equal(text.text, steps);
}

static void before_the_first_step_it_is_the_base(void **state)
{
	WRECK w = { 0 };

	(void)state;
	kill_behind(&w, "mig 1g.10gb@0", "create 0 1g.10gb at 1\n", 0, BOOT);
	assert_int_equal(judge(&w), GS_PAST_IS_BASE);
	expect_way(&w, w.now, GS_WAY_TAKE_BACK, "");
	expect_way(&w, w.now, GS_WAY_FINISH, "create 1g.10gb at 1\ncreate CI 1g.10gb in the 1g.10gb at 1\n");
}

static void half_of_a_creation_is_between(void **state)
{
	WRECK w = { 0 };

	(void)state;
	kill_behind(&w, "mig", "create 0 1g.10gb at 1\n", 1, BOOT);
	assert_int_equal(judge(&w), GS_PAST_IS_BETWEEN);
	expect_way(&w, w.now, GS_WAY_FINISH, "create CI 1g.10gb in the 1g.10gb at 1\n");
}

/* Nothing of what was to be made is missing there: there is nothing to be made. */
static void half_of_a_deletion_is_between(void **state)
{
	WRECK w = { 0 };

	(void)state;
	kill_behind(&w, "mig 1g.10gb@0 1g.10gb@1", "delete 0 1g.10gb@0 1g.10gb@1\n", 2, BOOT);
	assert_int_equal(judge(&w), GS_PAST_IS_BETWEEN);
	expect_way(&w, w.now, GS_WAY_TAKE_BACK, "create 1g.10gb at 0\ncreate CI 1g.10gb in the 1g.10gb at 0\n");
}

/* All that was there has gone with the reboot, and what the commit did as well. */
static void after_a_reboot_all_of_it_is_asked_for(void **state)
{
	WRECK w = { 0 };
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *empty = gs_testhost(MODEL, "mig");

	(void)state;
	kill_behind(&w, "mig 1g.10gb@0", "create 0 1g.10gb at 1\n", 1, LATER_BOOT);
	expect_way(&w, empty, GS_WAY_TAKE_BACK, "create 1g.10gb at 0\ncreate CI 1g.10gb in the 1g.10gb at 0\n");
	expect_way(&w, empty, GS_WAY_FINISH,
		   "create 1g.10gb at 0\ncreate CI 1g.10gb in the 1g.10gb at 0\ncreate 1g.10gb at 1\ncreate CI 1g.10gb in the 1g.10gb at 1\n");
}

/* Of somebody else who came while it lay there, and in the way of what is to come. */
static void what_others_made_since_stays(void **state)
{
	WRECK w = { 0 };
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *beside = gs_testhost(MODEL, "mig 1g.10gb@0 1g.10gb@2"),
						    *in_the_way = gs_testhost(MODEL, "mig 2g.20gb@0");
	GS_EVALUATION struct gs_evaluation ev = { 0 };
	const struct gs_plan_options options = { .recovers = 7 };
	GS_CLEANUP(gs_plan_freep) struct gs_plan *plan = NULL;

	(void)state;
	kill_behind(&w, "mig 1g.10gb@0", "delete 0 1g.10gb@0\ncreate 0 1g.10gb at 1\n", 0, BOOT);
	expect_way(&w, beside, GS_WAY_FINISH, "destroy CI 0 (1g.10gb) of GI 1\ndestroy GI 1 (1g.10gb at 0)\ncreate 1g.10gb at 1\ncreate CI 1g.10gb in the 1g.10gb at 1\n");
	expect_way(&w, beside, GS_WAY_TAKE_BACK, "");
	assert_int_equal(gs_past_evaluate(w.past, GS_WAY_FINISH, in_the_way, &ev, NULL), 0);
	assert_int_equal(gs_plan_build(in_the_way, &ev, &options, &plan, NULL), 0);
	assert_true(gs_plan_is_blocked(plan));
}

static void another_board_is_not_touched(void **state)
{
	WRECK w = { 0 };
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *other = gs_testhost(MODEL, "mig 1g.10gb@1");
	GS_EVALUATION struct gs_evaluation ev = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	kill_behind(&w, "mig", "create 0 1g.10gb at 1\n", 1, BOOT);
	((struct gs_gpu *)gs_snapshot_gpu(other, 0))->uuid = "GPU-00000000-0000-0000-0000-000000000000";
	for (int way = GS_WAY_UNDO; way <= GS_WAY_TAKE_BACK; way++) {
		assert_true(gs_past_evaluate(w.past, (enum gs_way)way, other, &ev, &e) < 0);
		assert_int_equal(e.status, GS_STATUS_REFUSED);
		assert_non_null(strstr(e.text, "is another one than when commit 7 was made"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_the_first_step_it_is_the_base),
		cmocka_unit_test(half_of_a_creation_is_between),
		cmocka_unit_test(half_of_a_deletion_is_between),
		cmocka_unit_test(after_a_reboot_all_of_it_is_asked_for),
		cmocka_unit_test(what_others_made_since_stays),
		cmocka_unit_test(another_board_is_not_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
