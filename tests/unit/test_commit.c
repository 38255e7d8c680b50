/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/lib/cmocka.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "core/commit.h"
#include "tests/lib/testhost.h"

/* A machine that does what it is told, unless a test tells it otherwise. */
struct machine {
	struct gs_snapshot *now;
	const char *script;
	struct gs_plan_options options;
	struct gs_strbuf log;
	size_t ran, fail_at, pending_at, cancel_at;
	const char *intruder;       /* after the failed step the machine looks like this */
	bool journal_is_full;
	int before;                 /* what is said before the first step */
	const char *meanwhile;      /* … and how the machine looks after that */
	const char *note;           /* what there is to say at the end */
};

static int collect(void *userdata, struct gs_snapshot **ret, struct gs_error *e)
{
	struct machine *m = userdata;

	(void)e;
	*ret = gs_snapshot_ref(m->now);
	return 0;
}

static int run(void *userdata, const struct gs_step *step, struct gs_step_outcome *ret, struct gs_error *e)
{
	struct machine *m = userdata;
	struct gs_snapshot *next = NULL;

	gs_strbuf_printf(&m->log, "run:%s ", gs_step_op_name(step->op));
	m->ran++;
	if (m->ran == m->fail_at) {
		if (m->intruder) {
			gs_snapshot_unref(m->now);
			m->now = gs_testhost("h100-sxm5-80gb", m->intruder);
		}
		return gs_error_set(e, -EIO, GS_STATUS_FAILED, "the driver refused");
	}
	if (m->ran == m->pending_at) {
		struct gs_gpu *gpu;

		/* what a held GPU does: the mode is accepted and waits */
		gs_snapshot_unref(m->now);
		m->now = gs_testhost("h100-sxm5-80gb", "whole");
		gpu = (struct gs_gpu *)gs_snapshot_gpu(m->now, 0);
		gpu->mode_pending = GS_MODE_MIG;
		snprintf(ret->note, sizeof(ret->note), "in use by pid 7");
		return 0;
	}
	assert_int_equal(gs_testhost_step(m->now, step, &next), 0);
	gs_snapshot_unref(m->now);
	m->now = next;
	return 0;
}

static int journal(void *userdata, const struct gs_commit_record *record, struct gs_error *e)
{
	struct machine *m = userdata;

	if (m->journal_is_full)
		return gs_error_set(e, -ENOSPC, GS_STATUS_FAILED, "no space left on the device");
	gs_strbuf_printf(&m->log, "%s ", gs_journal_kind_name(record->kind));
	return 0;
}

static bool cancelled(void *userdata)
{
	struct machine *m = userdata;

	return m->cancel_at && m->ran + 1 >= m->cancel_at;
}

static int before(void *userdata, const struct gs_plan *plan, struct gs_error *e)
{
	struct machine *m = userdata;

	assert_true(plan->n_steps > 0);
	gs_strbuf_puts(&m->log, "before ");
	if (m->meanwhile) {
		gs_snapshot_unref(m->now);
		m->now = gs_testhost("h100-sxm5-80gb", m->meanwhile);
	}
	return m->before < 0 ? gs_error_set(e, m->before, GS_STATUS_FAILED, "the site says no") : m->before;
}

static void after(void *userdata, const struct gs_plan *plan, const struct gs_commit_result *result, char *ret_note, size_t size)
{
	struct machine *m = userdata;

	assert_ptr_equal(plan, result->plan);
	gs_strbuf_printf(&m->log, "after:%d ", (int)result->status);
	snprintf(ret_note, size, "%s", m->note ? m->note : "");
}

static int plan_again(void *userdata, const struct gs_snapshot *s, struct gs_plan **ret, struct gs_error *e)
{
	struct machine *m = userdata;

	return gs_testhost_plan(s, m->script, &m->options, ret, e);
}

static const struct gs_commit_ops ops = { .collect = collect, .run = run, .journal = journal, .cancelled = cancelled };

static const struct gs_commit_ops ops_with_site = { .collect = collect, .run = run, .journal = journal, .cancelled = cancelled, .before = before, .after = after };

static int commit(struct machine *m, const struct gs_commit_options *options, struct gs_commit_result *ret, struct gs_error *e)
{
	const struct gs_commit_source source = { plan_again, m };

	return gs_commit_run(&ops, m, &source, options, ret, e);
}

static void machine_done(struct machine *m)
{
	gs_snapshot_unref(m->now);
	gs_strbuf_done(&m->log);
}
#define MACHINE GS_CLEANUP(machine_done) struct machine

static void expect_machine(const struct machine *m, const char *spec)
{
	GS_FREE char *text = gs_testhost_text(m->now);

	assert_string_equal(text, spec);
}

static void each_step_is_journalled_done_and_read_back(void **state)
{
	MACHINE m = { .now = gs_testhost("h100-sxm5-80gb", "mig"), .script = "create 0 3g.40gb at 4" };
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	assert_int_equal(commit(&m, &(struct gs_commit_options){ 0 }, &result, &e), 0);
	assert_string_equal(m.log.text, "begin intent run:create-gi result done intent run:create-ci result done end ");
	assert_int_equal(result.status, GS_STATUS_OK);
	assert_int_equal(result.done, 2);
	expect_machine(&m, "mig 3g.40gb@4");
}

static void a_machine_that_changed_underneath_is_not_touched(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *seen = gs_testhost("h100-sxm5-80gb", "mig");
	MACHINE m = { .now = gs_testhost("h100-sxm5-80gb", "mig 1g.10gb@0"), .script = "create 0 3g.40gb at 4" };
	const struct gs_plan_base base = { 0, gs_snapshot_gpu(seen, 0)->bdf, gs_snapshot_gpu(seen, 0)->rev };
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	assert_int_equal(commit(&m, &(struct gs_commit_options){ .base = &base, .n_base = 1 }, &result, &e), -ESTALE);
	assert_int_equal(result.status, GS_STATUS_REFUSED);
	assert_int_equal(m.ran, 0);
	assert_non_null(strstr(e.text, "changed by somebody else"));
}

static void only_the_approved_plan_is_carried_out(void **state)
{
	MACHINE m = { .now = gs_testhost("h100-sxm5-80gb", "mig"), .script = "create 0 3g.40gb at 4" };
	const struct gs_digest other = gs_digest_of("x", 1);
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	assert_int_equal(commit(&m, &(struct gs_commit_options){ .expect = &other }, &result, &e), -ESTALE);
	assert_int_equal(result.status, GS_STATUS_REFUSED);
	assert_int_equal(m.ran, 0);
}

static void a_holder_who_came_since_the_approval_stops_the_commit(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *seen = gs_testhost("h100-sxm5-80gb", "mig 1g.10gb@0");
	MACHINE m = { .now = gs_testhost("h100-sxm5-80gb", "mig 1g.10gb@0*"), .script = "delete 0 all" };
	const struct gs_plan_base base = { 0, gs_snapshot_gpu(seen, 0)->bdf, gs_snapshot_gpu(seen, 0)->rev };
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	/* holders are not in the rev: it is the plan made again that finds them */
	assert_int_equal(commit(&m, &(struct gs_commit_options){ .base = &base, .n_base = 1, .yes = true }, &result, &e), -EPERM);
	assert_int_equal(result.status, GS_STATUS_REFUSED);
	assert_int_equal(m.ran, 0);
	assert_non_null(strstr(e.text, "pid 4000"));
}

static void confirmation_is_needed_to_stop_somebody_and_block_is_never_confirmed(void **state)
{
	const struct gs_disrupt named = { .kind = GS_DISRUPT_PID, .pid = 4000 };
	MACHINE m = { .now = gs_testhost("h100-sxm5-80gb", "mig 1g.10gb@0*"), .script = "delete 0 all", .options = { .disrupt = &named, .n_disrupt = 1 } };
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	assert_int_equal(commit(&m, &(struct gs_commit_options){ 0 }, &result, &e), -EPERM);
	assert_int_equal(m.ran, 0);
	gs_commit_result_done(&result);
	assert_int_equal(commit(&m, &(struct gs_commit_options){ .yes = true }, &result, &e), 0);
	assert_non_null(strstr(m.log.text, "run:stop-holder result done intent run:destroy-ci"));
	expect_machine(&m, "mig");
}

static void an_undo_that_would_disturb_somebody_stops_with_5(void **state)
{
	/* somebody moves into the new instance between the failure and the undo */
	MACHINE m = { .now = gs_testhost("h100-sxm5-80gb", "mig"), .script = "create 0 3g.40gb at 4\ncreate 0 1g.10gb at 0", .fail_at = 3, .intruder = "mig 1g.10gb@0*" };
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	assert_true(commit(&m, &(struct gs_commit_options){ 0 }, &result, &e) < 0);
	assert_int_equal(result.status, GS_STATUS_NOT_UNDONE);
	assert_false(result.undone);
	assert_non_null(strstr(e.text, "Not everything could be undone"));
	assert_non_null(strstr(e.text, "GPU 0 still has the new 1g.10gb at 0"));
	assert_non_null(strstr(e.text, "pid 4000"));
}

static void what_somebody_else_made_meanwhile_survives_the_undo(void **state)
{
	/* two steps are ours when the third fails; the 2g came from elsewhere */
	MACHINE m = { .now = gs_testhost("h100-sxm5-80gb", "mig"), .script = "create 0 3g.40gb at 4\ncreate 0 1g.10gb at 0", .fail_at = 3, .intruder = "mig 1g.10gb@0 2g.20gb@2" };
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	assert_true(commit(&m, &(struct gs_commit_options){ 0 }, &result, &e) < 0);
	assert_int_equal(result.status, GS_STATUS_FAILED);
	assert_true(result.undone);
	expect_machine(&m, "mig 2g.20gb@2");
}

static void what_stands_where_something_has_to_come_back_stops_the_undo_with_5(void **state)
{
	MACHINE m = { .now = gs_testhost("h100-sxm5-80gb", "mig 2g.20gb@0"), .script = "delete 0 all\ncreate 0 3g.40gb at 4", .fail_at = 3, .intruder = "mig 1g.10gb@1" };
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	assert_true(commit(&m, &(struct gs_commit_options){ 0 }, &result, &e) < 0);
	assert_int_equal(result.status, GS_STATUS_NOT_UNDONE);
	expect_machine(&m, "mig 1g.10gb@1");
	assert_non_null(strstr(e.text, "Otherwise than before: GPU 0 has no 2g.20gb at 0 any more"));
}

static void a_pending_mode_stops_there_and_is_no_failure(void **state)
{
	MACHINE m = { .now = gs_testhost("h100-sxm5-80gb", "whole"), .script = "mode 0 mig\ncreate 0 3g.40gb at 4", .pending_at = 1 };
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	assert_int_equal(commit(&m, &(struct gs_commit_options){ 0 }, &result, &e), 0);
	assert_int_equal(result.status, GS_STATUS_PENDING);
	assert_int_equal(m.ran, 1);
	assert_non_null(strstr(result.text, "in use by pid 7"));
}

static void stopping_as_asked_undoes_what_was_done(void **state)
{
	MACHINE m = { .now = gs_testhost("h100-sxm5-80gb", "mig 2g.20gb@0"), .script = "delete 0 all\ncreate 0 1g.10gb at 0 count 2", .cancel_at = 4 };
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	assert_int_equal(commit(&m, &(struct gs_commit_options){ 0 }, &result, &e), -ECANCELED);
	assert_int_equal(result.status, GS_STATUS_FAILED);
	assert_true(result.undone);
}

static void without_a_journal_record_no_step_is_taken(void **state)
{
	MACHINE m = { .now = gs_testhost("h100-sxm5-80gb", "mig"), .script = "create 0 3g.40gb at 4", .journal_is_full = true };
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	assert_true(commit(&m, &(struct gs_commit_options){ 0 }, &result, &e) < 0);
	assert_int_equal(m.ran, 0);
	assert_int_equal(result.status, GS_STATUS_FAILED);
}

static int commit_on_site(struct machine *m, const struct gs_commit_options *options, struct gs_commit_result *ret, struct gs_error *e)
{
	const struct gs_commit_source source = { plan_again, m };

	return gs_commit_run(&ops_with_site, m, &source, options, ret, e);
}

static void the_site_is_asked_before_the_first_step_and_told_at_the_end(void **state)
{
	MACHINE m = { .now = gs_testhost("h100-sxm5-80gb", "mig"), .script = "create 0 3g.40gb at 4", .before = 1, .note = "one of them failed" };
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	assert_int_equal(commit_on_site(&m, &(struct gs_commit_options){ 0 }, &result, &e), 0);
	assert_string_equal(m.log.text, "begin before intent run:create-gi result done intent run:create-ci result done after:0 end ");
	assert_int_equal(result.status, GS_STATUS_OK);
	assert_string_equal(result.text, "done: 2 steps; one of them failed");
	gs_commit_result_done(&result);
	/* nothing to do is nobody's business */
	gs_strbuf_clear(&m.log);
	assert_int_equal(commit_on_site(&m, &(struct gs_commit_options){ 0 }, &result, &e), 0);
	assert_null(strstr(m.log.text, "before"));
	assert_null(strstr(m.log.text, "after"));
}

static void the_site_may_say_no(void **state)
{
	MACHINE m = { .now = gs_testhost("h100-sxm5-80gb", "mig"), .script = "create 0 3g.40gb at 4", .before = -EPERM, .note = "and could not go back" };
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	assert_int_equal(commit_on_site(&m, &(struct gs_commit_options){ 0 }, &result, &e), -EPERM);
	assert_string_equal(m.log.text, "begin before after:3 end ");
	assert_int_equal(e.status, GS_STATUS_REFUSED);
	assert_int_equal(result.status, GS_STATUS_REFUSED);
	assert_string_equal(e.text, "the site says no; nothing was done; and could not go back");
	assert_string_equal(result.text, e.text);
}

static void a_plan_that_is_refused_anyway_is_not_the_sites(void **state)
{
	MACHINE m = { .now = gs_testhost("h100-sxm5-80gb", "mig 1g.10gb@0*"), .script = "delete 0 all" };
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	assert_int_equal(commit_on_site(&m, &(struct gs_commit_options){ .yes = true }, &result, &e), -EPERM);
	assert_int_equal(m.log.length, 0);
}

static void what_changed_while_the_site_was_at_work_stops_the_commit(void **state)
{
	static const char *const changes[] = { "mig 1g.10gb@1", "mig 1g.10gb@0*" };
	static const char *const words[] = { "changed by somebody else", "pid 4000" };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(changes); i++) {
		MACHINE m = { .now = gs_testhost("h100-sxm5-80gb", "mig 1g.10gb@0"), .script = "delete 0 all", .before = 1, .meanwhile = changes[i] };
		GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
		struct gs_error e = { 0 };

		assert_true(commit_on_site(&m, &(struct gs_commit_options){ .yes = true }, &result, &e) < 0);
		assert_string_equal(m.log.text, "begin before after:3 end ");
		assert_non_null(strstr(e.text, words[i]));
		assert_non_null(strstr(e.text, "nothing was done"));
	}
}

/* Who is named may be stopped; but of those who came since nobody was told. */
static void what_wants_a_confirmation_since_the_review_stops_the_commit(void **state)
{
	static const struct gs_disrupt all = { .kind = GS_DISRUPT_ALL };
	MACHINE m = { .now = gs_testhost("h100-sxm5-80gb", "mig 1g.10gb@0"), .script = "delete 0 all", .before = 1, .meanwhile = "mig 1g.10gb@0*",
		      .options = { .disrupt = &all, .n_disrupt = 1 } };
	MACHINE known = { .now = gs_testhost("h100-sxm5-80gb", "mig 1g.10gb@0*"), .script = "delete 0 all", .before = 1, .options = { .disrupt = &all, .n_disrupt = 1 } };
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 }, other = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	assert_int_equal(commit_on_site(&m, &(struct gs_commit_options){ .yes = true }, &result, &e), -EPERM);
	assert_int_equal(result.status, GS_STATUS_REFUSED);
	assert_string_equal(m.log.text, "begin before after:3 end ");
	assert_non_null(strstr(e.text, "pid 4000"));
	assert_non_null(strstr(e.text, "came after the review"));
	assert_non_null(strstr(e.text, "nothing was done"));
	expect_machine(&m, "mig 1g.10gb@0*");
	/* who was there at the review was confirmed with it */
	assert_int_equal(commit_on_site(&known, &(struct gs_commit_options){ .yes = true }, &other, &e), 0);
	expect_machine(&known, "mig");
}

static void a_failed_commit_is_told_as_such(void **state)
{
	MACHINE m = { .now = gs_testhost("h100-sxm5-80gb", "mig"), .script = "create 0 3g.40gb at 4", .fail_at = 2 };
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	assert_true(commit_on_site(&m, &(struct gs_commit_options){ 0 }, &result, &e) < 0);
	assert_non_null(strstr(m.log.text, "after:1 "));
	assert_true(result.undone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_step_is_journalled_done_and_read_back),
		cmocka_unit_test(a_machine_that_changed_underneath_is_not_touched),
		cmocka_unit_test(only_the_approved_plan_is_carried_out),
		cmocka_unit_test(a_holder_who_came_since_the_approval_stops_the_commit),
		cmocka_unit_test(confirmation_is_needed_to_stop_somebody_and_block_is_never_confirmed),
		cmocka_unit_test(an_undo_that_would_disturb_somebody_stops_with_5),
		cmocka_unit_test(what_somebody_else_made_meanwhile_survives_the_undo),
		cmocka_unit_test(what_stands_where_something_has_to_come_back_stops_the_undo_with_5),
		cmocka_unit_test(a_pending_mode_stops_there_and_is_no_failure),
		cmocka_unit_test(stopping_as_asked_undoes_what_was_done),
		cmocka_unit_test(without_a_journal_record_no_step_is_taken),
		cmocka_unit_test(the_site_is_asked_before_the_first_step_and_told_at_the_end),
		cmocka_unit_test(the_site_may_say_no),
		cmocka_unit_test(a_plan_that_is_refused_anyway_is_not_the_sites),
		cmocka_unit_test(what_changed_while_the_site_was_at_work_stops_the_commit),
		cmocka_unit_test(what_wants_a_confirmation_since_the_review_stops_the_commit),
		cmocka_unit_test(a_failed_commit_is_told_as_such),
	};

	return cmocka_run_group_tests_name("commit", tests, NULL, NULL);
}
