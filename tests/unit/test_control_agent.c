/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the console goes on by itself: another agent, a commit that was lost with the old one, a lock that is held, what is saved put back; and words that are none. */
#include "tests/lib/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/journal_json.h"
#include "tests/lib/ui_fixture.h"

#define ROWS 24
#define COLUMNS 80
#define WHY "signal 9 ended the agent process. the agent has gone"
#define MODEL GS_CLEANUP(gs_model_freep) struct gs_model

static unsigned keys(struct gs_model *m, const char *text)
{
	return ui_keys(m, ROWS, COLUMNS, text);
}

static void expect_said(const struct gs_model *m, const char *text)
{
	if (!strstr(m->message, text))
		fail_msg("«%s» is not in «%s»", text, m->message);
}

static void replace_agent(struct gs_model *m, bool is_privileged)
{
	bool was = m->privileged;

	m->agent_gone = false;
	m->privileged = is_privileged;
	gs_control_agent_started(m, was, NULL);
}

/* ---- another agent ---- */

static void three_within_a_minute_are_enough(void **state)
{
	MODEL *m = ui_model(&ui_lab, false);

	(void)state;
	m->now.ms = 1000;
	assert_true(gs_control_agent_ended(m, WHY) & GS_DO_CONNECT);
	replace_agent(m, true);
	expect_said(m, "signal 9 ended the agent process. A new one was started; no commit was under way");
	m->now.ms = 30000;
	assert_true(gs_control_agent_ended(m, WHY) & GS_DO_CONNECT);
	replace_agent(m, true);
	/* the first is more than a minute ago */
	m->now.ms = 61001;
	assert_true(gs_control_agent_ended(m, WHY) & GS_DO_CONNECT);
	replace_agent(m, true);
	m->now.ms = 89999;
	assert_false(gs_control_agent_ended(m, WHY) & GS_DO_CONNECT);
	assert_true(m->agent_gone);
	expect_said(m, "A tries again");
	assert_true(keys(m, "A") & GS_DO_CONNECT);
	/* asked for, it is started; but one more that ends is not followed by itself */
	replace_agent(m, true);
	m->now.ms = 90500;
	assert_false(gs_control_agent_ended(m, WHY) & GS_DO_CONNECT);
}

static void one_that_cannot_be_started_is_not_tried_for_ever(void **state)
{
	MODEL *m = ui_model(&ui_lab, false);
	struct gs_error e = { .text = "cannot start the agent: too many processes" };

	(void)state;
	assert_true(gs_control_agent_ended(m, WHY) & GS_DO_CONNECT);
	assert_false(gs_control_agent_started(m, true, &e) & GS_DO_CONNECT);
	expect_said(m, "too many processes. A tries again");
	assert_true(m->agent_gone);
}

static void without_an_agent_every_key_says_what_to_do(void **state)
{
	MODEL *m = ui_model(&ui_lab, false);
	static const char *const ways[] = { "U", "H", "I", "S", ":undo\r", ":restore\r" };

	(void)state;
	keys(m, ":create 0 1g.10gb at 0\r");
	m->agent_gone = true;
	for (size_t i = 0; i < GS_ARRAY_SIZE(ways); i++) {
		assert_false(keys(m, ways[i]) & GS_DO_ASK);
		expect_said(m, "A starts a new one");
	}
	keys(m, "W");
	expect_said(m, "A starts a new one");
	assert_false(keys(m, "y") & GS_DO_COMMIT);
	assert_true(keys(m, "A") & GS_DO_CONNECT);
	keys(m, "\033");
	/* root is another way to an agent, though the one before was privileged */
	assert_true(keys(m, "!") & GS_DO_SUDO);
	/* where letters are of a line, this one is too */
	keys(m, ":");
	assert_false(keys(m, "A") & GS_DO_CONNECT);
	assert_string_equal(m->input, "A");
	assert_int_equal(m->n_staged, 1);
}

static void a_new_one_without_root_says_so(void **state)
{
	MODEL *m = ui_model(&ui_lab, false);

	(void)state;
	keys(m, ":create 0 1g.10gb at 0\r");
	gs_control_agent_ended(m, WHY);
	replace_agent(m, false);
	expect_said(m, "without root: ! asks sudo; what is staged is still there");
	assert_int_equal(m->n_staged, 1);
}

/* ---- a commit that is lost with its agent ---- */

static const struct ui_machine lab_interrupted = { .first_bus = 0x1b, .n_gpus = 3, .whole = 1 << 2, .interrupted = 1 << 0 };

static struct gs_model *lost(bool under_help)
{
	struct gs_model *m = ui_model(&ui_lab, false);

	m->wall.ms = 1795269789000;
	keys(m, ":create 0 2g.20gb at 2\rWy");
	assert_int_equal(m->layer, GS_LAYER_WRITING);
	if (under_help)
		keys(m, "?");
	assert_true(gs_control_agent_ended(m, WHY) & GS_DO_CONNECT);
	assert_true(m->writing_ended && m->write_is_unknown);
	replace_agent(m, true);
	return m;
}

static void one_that_never_ended_is_shown_at_once(void **state)
{
	MODEL *m = lost(false);

	(void)state;
	ui_look(m, &lab_interrupted);
	assert_true(gs_control_looked(m) & GS_DO_ASK);
	assert_int_equal(m->question, GS_SESSION_ASKS_COMMIT);
	assert_int_equal(m->question_number, 7);
	assert_int_equal(m->layer, GS_LAYER_NONE);
	/* once */
	assert_false(gs_control_looked(m) & GS_DO_ASK);
}

static void one_that_was_interrupted_before_is_not_taken_for_it(void **state)
{
	MODEL *m = ui_model(&lab_interrupted, false);

	(void)state;
	/* on another GPU than the one that waits for its end */
	keys(m, ":create 1 2g.20gb at 2\rWy");
	assert_int_equal(m->layer, GS_LAYER_WRITING);
	gs_control_agent_ended(m, WHY);
	replace_agent(m, true);
	ui_look(m, &lab_interrupted);
	assert_true(gs_control_looked(m) & GS_DO_ASK);
	assert_int_equal(m->question, GS_SESSION_ASKS_JOURNAL);
	assert_int_equal(m->layer, GS_LAYER_WRITING);
}

static void one_in_the_middle_is_lost_also_under_another_layer(void **state)
{
	MODEL *m = lost(true);

	(void)state;
	ui_look(m, &lab_interrupted);
	assert_false(gs_control_looked(m) & GS_DO_ASK);
	assert_int_equal(m->layer, GS_LAYER_HELP);
	expect_said(m, "commit 7 was interrupted: I shows how far it came");
}

static void without_root_it_is_asked_for(void **state)
{
	MODEL *m = lost(false);

	(void)state;
	m->privileged = false;
	gs_control_agent_started(m, true, NULL);
	expect_said(m, "! asks sudo");
	assert_false(gs_control_looked(m) & GS_DO_ASK);
	/* and found once root is there */
	m->privileged = true;
	ui_look(m, &lab_interrupted);
	assert_true(gs_control_looked(m) & GS_DO_ASK);
}

#define COMMIT(begun, state, status) \
	"{\"commits\":[{\"id\":9,\"begun_ms\":" begun ",\"way\":\"console\",\"of\":null,\"author\":{\"uid\":0},\"gpus\":[],\"state\":\"" state "\",\"status\":" status ",\"summary\":\"done, 2 steps\"}]}"

static void answer(struct gs_model *m, const char *text)
{
	GS_JSON struct json_object *o = NULL;

	assert_int_equal(gs_json_parse(text, strlen(text), "test", &o, NULL), 0);
	gs_control_answered(m, m->question, m->question_number, o, NULL);
}

static void one_that_ended_after_all_is_told_by_the_journal(void **state)
{
	static const struct { const char *journal, *said; size_t n_staged; bool is_ok; } cases[] = {
		{ COMMIT("1795269789001", "ended", "0"), "commit 9 had ended: done, 2 steps", 0, true },
		{ COMMIT("1795269789001", "ended", "1"), "commit 9 had ended", 1, false },
		/* of another one, of before */
		{ "{\"commits\":[{\"id\":9,\"begun_ms\":1795269789001,\"way\":\"apply\",\"of\":null,\"author\":{\"uid\":0},\"gpus\":[],\"state\":\"ended\",\"status\":0,\"summary\":\"done\"}]}",
		  "nothing was written", 1, false },
		{ COMMIT("1795269788999", "ended", "0"), "nothing was written", 1, false },
		{ "{\"commits\":[]}", "nothing was written", 1, false },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(cases); i++) {
		MODEL *m = lost(false);

		ui_look(m, &ui_lab);
		assert_true(gs_control_looked(m) & GS_DO_ASK);
		assert_int_equal(m->question, GS_SESSION_ASKS_JOURNAL);
		answer(m, cases[i].journal);
		expect_said(m, cases[i].said);
		assert_string_equal(m->write_text, m->message);
		assert_int_equal(m->message_is_error, !cases[i].is_ok);
		assert_int_equal(m->n_staged, cases[i].n_staged);
		assert_int_equal(m->layer, GS_LAYER_WRITING);
		assert_false(m->write_is_unknown);
	}
}

/* ---- another commit is under way ---- */

static struct gs_model *locked_out(void)
{
	struct gs_model *m = ui_model(&ui_lab, false);

	keys(m, ":create 0 2g.20gb at 2\rW");
	assert_true(keys(m, "y") & GS_DO_COMMIT);
	assert_false(m->waits_for_lock);
	gs_control_committed(m, GS_STATUS_LOCKED, "another commit is running: pid 9001 (alice). Nothing was done: --wait SECONDS waits for its end");
	assert_int_equal(m->layer, GS_LAYER_WRITING);
	assert_null(strstr(m->write_text, "--wait"));
	return m;
}

static void w_waits_and_writes_what_was_reviewed(void **state)
{
	MODEL *m = locked_out();

	(void)state;
	assert_true(keys(m, "w") & GS_DO_COMMIT);
	assert_true(m->waits_for_lock && !m->writing_ended);
	/* other keys neither write nor leave */
	assert_false(keys(m, "wyDug") & (GS_DO_COMMIT | GS_DO_CANCEL | GS_DO_PAUSE));
	gs_control_progress(m, "begin", 1, 2, "GPU 0: creating 2g.20gb at 2", NULL);
	assert_false(m->waits_for_lock);
	gs_control_committed(m, GS_STATUS_OK, "done: 2 steps");
	assert_int_equal(m->n_staged, 0);
}

/* The machine is in between: what is waited for is its end, and what was agreed to is what was shown. */
static void a_plan_that_changes_in_between_is_waited_for(void **state)
{
	static const struct ui_instance more[] = { { 0, 3, "2g.20gb", 2, 0, GS_HOLDER_PROCESS } };
	static const struct ui_machine taken = { .first_bus = 0x1b, .n_gpus = 3, .whole = 1 << 2, .instances = more, .n = 1 };
	MODEL *m = locked_out();
	struct gs_digest shown;

	(void)state;
	shown = m->review_digest;
	ui_look(m, &taken);
	assert_false(gs_digest_equal(&m->plan->digest, &shown));
	assert_true(keys(m, "w") & GS_DO_COMMIT);
	assert_true(m->layer == GS_LAYER_WRITING && m->waits_for_lock);
	assert_true(gs_digest_equal(&m->review_digest, &shown));
	gs_control_committed(m, GS_STATUS_REFUSED, "GPU 0 was changed meanwhile; nothing was done");
	ui_look(m, &taken);
	gs_control_looked(m);
	assert_int_not_equal(m->layer, GS_LAYER_WRITING);
}

static void what_the_other_one_changed_is_not_written_silently(void **state)
{
	MODEL *m = locked_out();

	(void)state;
	keys(m, "w");
	gs_control_committed(m, GS_STATUS_REFUSED, "GPU 0 was changed meanwhile; nothing was done");
	/* until it has been looked at again */
	assert_int_equal(m->layer, GS_LAYER_WRITING);
	ui_look(m, &ui_lab);
	gs_control_looked(m);
	assert_int_equal(m->layer, GS_LAYER_REVIEW);
	expect_said(m, "Look again");
	assert_int_equal(m->n_staged, 1);
	assert_true(keys(m, "y") & GS_DO_COMMIT);
	/* a refusal without a wait is shown as it is */
	gs_control_committed(m, GS_STATUS_REFUSED, "a hook refused it");
	gs_control_looked(m);
	assert_int_equal(m->layer, GS_LAYER_WRITING);
}

static void escape_stops_waiting(void **state)
{
	MODEL *m = locked_out();

	(void)state;
	keys(m, "w");
	assert_true(keys(m, "\033") & GS_DO_CANCEL);
	assert_false(keys(m, "\033") & GS_DO_CANCEL);
	gs_control_committed(m, GS_STATUS_LOCKED, "stopped waiting for another commit, as asked. Nothing was done");
	assert_int_equal(m->layer, GS_LAYER_NONE);
	expect_said(m, "no longer waiting; nothing was done");
	assert_int_equal(m->n_staged, 1);
}

/* ---- putting back what is saved ---- */

#define SAVED(gpus) "{\"path\":\"/etc/gpuslice/layout.json\",\"text\":\"{\\\"schema\\\":\\\"gpuslice.layout/1\\\",\\\"gpus\\\":[" gpus "]}\"}"
#define WITH_2G "{\\\"match\\\":{\\\"bdf\\\":\\\"0000:1b:00.0\\\",\\\"pci_id\\\":\\\"10de:2330\\\"},\\\"mode\\\":\\\"mig\\\"," \
		"\\\"instances\\\":[{\\\"kind\\\":\\\"mig\\\",\\\"profile\\\":\\\"2g.20gb\\\",\\\"start\\\":2}]}"

static void restore_is_a_plan_with_the_ordinary_review(void **state)
{
	MODEL *m = ui_model(&ui_lab, false);

	(void)state;
	keys(m, ":create 0 1g.10gb at 0\r");
	assert_true(keys(m, ":restore\r") & GS_DO_ASK);
	answer(m, SAVED(WITH_2G));
	if (m->layer != GS_LAYER_REVIEW)
		fail_msg("no review: %s", m->message);
	assert_int_equal(m->past_way, GS_WAY_RESTORE);
	assert_int_equal(m->request->kind, GS_REQUEST_LAYOUT);
	assert_int_equal(m->plan->steps[0].op, GS_STEP_CREATE_GI);
	/* neither of what is staged, nor to be saved once more */
	keys(m, "xsS");
	assert_false(m->save_after);
	assert_int_equal(m->layer, GS_LAYER_REVIEW);
	/* it was not opened from the dialog */
	keys(m, "\033");
	assert_int_equal(m->layer, GS_LAYER_NONE);
	assert_int_equal(m->past_way, GS_WAY_INVALID);
	assert_int_equal(m->n_staged, 1);
	keys(m, "S");
	answer(m, SAVED(WITH_2G));
	assert_int_equal(m->layer, GS_LAYER_SAVED);
	keys(m, "r");
	assert_int_equal(m->past_way, GS_WAY_RESTORE);
	assert_true(keys(m, "y") & GS_DO_COMMIT);
	gs_control_committed(m, GS_STATUS_OK, "done: 2 steps");
	assert_int_equal(m->past_way, GS_WAY_INVALID);
	assert_int_equal(m->n_staged, 1);
}

static void restore_after_a_wait_is_planned_anew(void **state)
{
	MODEL *m = ui_model(&ui_lab, false);

	(void)state;
	keys(m, ":restore\r");
	answer(m, SAVED(WITH_2G));
	keys(m, "y");
	gs_control_committed(m, GS_STATUS_LOCKED, "another commit is running");
	assert_true(keys(m, "w") & GS_DO_COMMIT);
	assert_int_equal(m->past_way, GS_WAY_RESTORE);
	gs_control_committed(m, GS_STATUS_REFUSED, "changed meanwhile");
	ui_look(m, &ui_lab);
	gs_control_looked(m);
	assert_int_equal(m->layer, GS_LAYER_REVIEW);
	assert_int_equal(m->past_way, GS_WAY_RESTORE);
	/* left in the picture of a refusal, nothing of it stays */
	keys(m, "y");
	gs_control_committed(m, GS_STATUS_LOCKED, "another commit is running");
	keys(m, "\033");
	assert_int_equal(m->layer, GS_LAYER_NONE);
	assert_int_equal(m->past_way, GS_WAY_INVALID);
}

static void what_cannot_be_restored_says_why(void **state)
{
	static const struct { const char *saved, *said; } cases[] = {
		{ "{\"path\":\"/etc/gpuslice/layout.json\",\"text\":null}", "nothing is saved: there is no /etc/gpuslice/layout.json" },
		{ "{\"path\":\"/etc/gpuslice/layout.json\",\"text\":\"{\"}", "cannot be read" },
		{ SAVED(""), "nothing to restore" },
		{ SAVED("{\\\"match\\\":{\\\"bdf\\\":\\\"0000:99:00.0\\\"},\\\"mode\\\":\\\"mig\\\"}"), "no GPU with bdf 0000:99:00.0: gpuslice restore puts back the others" },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(cases); i++) {
		MODEL *m = ui_model(&ui_lab, false);

		keys(m, ":restore\r");
		answer(m, cases[i].saved);
		expect_said(m, cases[i].said);
		assert_int_equal(m->layer, GS_LAYER_NONE);
		assert_int_equal(m->past_way, GS_WAY_INVALID);
	}
}

static void a_monitor_restores_nothing(void **state)
{
	MODEL *m = ui_model(&ui_lab, true);

	(void)state;
	keys(m, "S");
	expect_said(m, "READ-ONLY: a monitor changes nothing");
	m->layer = GS_LAYER_SAVED;
	keys(m, "r");
	expect_said(m, "READ-ONLY: a monitor changes nothing");
	assert_int_equal(m->past_way, GS_WAY_INVALID);
}

/* ---- words and messages ---- */

static void an_unknown_word_lists_every_command(void **state)
{
	MODEL *m = ui_model(&ui_lab, false);
	static const char *const all[] = { "mode", "create", "delete", "move", "recreate", "copy", "use", "vfs", "set", "undo", "recover", "history", "save", "restore" };

	(void)state;
	keys(m, ":what 3\r");
	for (size_t i = 0; i < GS_ARRAY_SIZE(all); i++)
		if (!strstr(m->input_error, all[i]))
			fail_msg("%s is not in «%s»", all[i], m->input_error);
	keys(m, "\025:restor\033");
	keys(m, ":restor\r");
	assert_non_null(strstr(m->input_error, "did you mean \"restore\"?"));
	/* they are no statements */
	keys(m, "\025delete 0 all; undo\r");
	assert_non_null(strstr(m->input_error, "undo stands alone"));
	/* another mistake is told by who knows it */
	keys(m, "\025create 99 1g.10gb\r");
	assert_null(strstr(m->input_error, "The commands are"));
}

static void a_message_does_not_stay_under_a_dialog(void **state)
{
	MODEL *m = ui_model(&ui_lab, false);

	(void)state;
	keys(m, "S");
	/* between the key and its answer */
	snprintf(m->message, sizeof(m->message), "something was said");
	m->message_is_error = true;
	answer(m, SAVED(WITH_2G));
	assert_int_equal(m->layer, GS_LAYER_SAVED);
	assert_string_equal(m->message, "");
	assert_false(m->message_is_error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_within_a_minute_are_enough),
		cmocka_unit_test(one_that_cannot_be_started_is_not_tried_for_ever),
		cmocka_unit_test(without_an_agent_every_key_says_what_to_do),
		cmocka_unit_test(a_new_one_without_root_says_so),
		cmocka_unit_test(one_that_never_ended_is_shown_at_once),
		cmocka_unit_test(one_that_was_interrupted_before_is_not_taken_for_it),
		cmocka_unit_test(one_in_the_middle_is_lost_also_under_another_layer),
		cmocka_unit_test(without_root_it_is_asked_for),
		cmocka_unit_test(one_that_ended_after_all_is_told_by_the_journal),
		cmocka_unit_test(w_waits_and_writes_what_was_reviewed),
		cmocka_unit_test(a_plan_that_changes_in_between_is_waited_for),
		cmocka_unit_test(what_the_other_one_changed_is_not_written_silently),
		cmocka_unit_test(escape_stops_waiting),
		cmocka_unit_test(restore_is_a_plan_with_the_ordinary_review),
		cmocka_unit_test(restore_after_a_wait_is_planned_anew),
		cmocka_unit_test(what_cannot_be_restored_says_why),
		cmocka_unit_test(a_monitor_restores_nothing),
		cmocka_unit_test(an_unknown_word_lists_every_command),
		cmocka_unit_test(a_message_does_not_stay_under_a_dialog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
