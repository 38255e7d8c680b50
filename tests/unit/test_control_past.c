/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was done before, in the console: the journal's commits, the way back, one that never ended, asking in a commit, saving for boot. */
#include "tests/lib/cmocka.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "codec/journal_json.h"
#include "tests/lib/ui_fixture.h"

#define ROWS 24
#define COLUMNS 80
#define BOOT "6e1f2a30-0000-4000-8000-0123456789ab"

static unsigned keys(struct gs_model *m, const char *text)
{
	return ui_keys(m, ROWS, COLUMNS, text);
}

/* ---- what an agent answers ---- */

/* Commit @id, which was to do @command on the lab; @records as "i r d": intent, result, done of step 1, 2, …; E at the end. */
static char *file_text(uint64_t id, const char *command, const char *records)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, false);
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	struct gs_journal_begin begin = {
		.id = id, .at = { 1795269789123 }, .boot_id = BOOT, .host = "dgx01", .pid = 4711, .way = GS_WAY_CONSOLE,
		.author = { GS_U32(1000), "alice", "192.0.2.7", "gpuslice (console)", "room for chen" },
	};
	const struct gs_plan_options options = { 0 };
	GS_FREE char *line = NULL;
	struct gs_error e = { 0 };
	uint64_t seq = 1;
	uint32_t step = 0;

	if (gs_model_stage(m, command, &e) < 0)
		fail_msg("%s", e.text);
	begin.plan = m->plan;
	begin.options = &options;
	assert_int_equal(gs_journal_begin_to_line(&begin, &line, &e), 0);
	gs_strbuf_puts(&b, line);
	for (const char *c = records; *c; c++) {
		struct gs_journal_record r = { .seq = ++seq, .at = begin.at, .op = GS_STEP_INVALID, .way = GS_WAY_INVALID };
		GS_FREE char *more = NULL;

		r.kind = *c == 'i' ? GS_JOURNAL_INTENT : *c == 'r' ? GS_JOURNAL_RESULT : *c == 'd' ? GS_JOURNAL_DONE : GS_JOURNAL_END;
		if (r.kind == GS_JOURNAL_INTENT)
			step++;
		if (r.kind == GS_JOURNAL_END) {
			r.status = GS_U32(GS_STATUS_OK);
			r.text = "done";
		} else {
			r.n = step;
			r.op = m->plan->steps[step - 1].op;
			r.bdf = m->plan->steps[step - 1].bdf;
			r.text = m->plan->steps[step - 1].text;
		}
		assert_int_equal(gs_journal_record_to_line(&r, &more, &e), 0);
		gs_strbuf_puts(&b, more);
	}
	return gs_strbuf_take(&b);
}

static unsigned answer_commit(struct gs_model *m, const char *text)
{
	GS_JSON struct json_object *o = json_object_new_object();

	assert_int_equal(m->question, GS_SESSION_ASKS_COMMIT);
	gs_json_add_string(o, "text", text);
	gs_json_add_string(o, "boot_id", BOOT);
	return gs_control_answered(m, m->question, m->question_number, o, NULL);
}

static unsigned answer_list(struct gs_model *m, const char *commits)
{
	GS_JSON struct json_object *o = NULL;

	assert_int_equal(m->question, GS_SESSION_ASKS_JOURNAL);
	assert_int_equal(gs_json_parse(commits, strlen(commits), "test", &o, NULL), 0);
	return gs_control_answered(m, m->question, m->question_number, o, NULL);
}

#define COMMIT(id, way, of, state, status) \
	"{\"id\":" id ",\"begun_ms\":1795269789123,\"way\":\"" way "\",\"of\":" of ",\"author\":{\"uid\":1000,\"user\":\"alice\"},\"gpus\":[{\"gpu\":1,\"bdf\":\"0000:1c:00.0\"}]," \
	"\"state\":\"" state "\",\"status\":" status ",\"summary\":\"done, 2 steps\"}"

/* ---- which is the last ---- */

static uint64_t last_of(const char *commits)
{
	GS_JSON struct json_object *o = NULL;
	GS_CLEANUP(gs_journal_list_freep) struct gs_journal_list *l = NULL;
	const struct gs_journal_entry *last;
	struct gs_error e = { 0 };

	assert_int_equal(gs_json_parse(commits, strlen(commits), "test", &o, NULL), 0);
	if (gs_journal_list_from_json(o, &l, &e) < 0)
		fail_msg("%s", e.text);
	last = gs_journal_last_undoable(l);
	return last ? last->id : 0;
}

static void undo_goes_back_further_each_time(void **state)
{
	(void)state;
	assert_int_equal(last_of("[]"), 0);
	assert_int_equal(last_of("[" COMMIT("2", "console", "null", "ended", "0") "," COMMIT("1", "apply", "null", "ended", "0") "]"), 2);
	assert_int_equal(last_of("[" COMMIT("3", "undo", "2", "ended", "0") "," COMMIT("2", "console", "null", "ended", "0") "," COMMIT("1", "apply", "null", "ended", "8") "]"), 1);
	/* an undo that failed has taken nothing back; what failed, and what is under way, did nothing */
	assert_int_equal(last_of("[" COMMIT("3", "undo", "2", "ended", "1") "," COMMIT("2", "console", "null", "ended", "0") "]"), 2);
	assert_int_equal(last_of("[" COMMIT("3", "apply", "null", "ended", "1") "," COMMIT("2", "apply", "null", "open", "null") "," COMMIT("1", "apply", "null", "ended", "0") "]"), 1);
	/* to take an interrupted one back is no work of its own */
	assert_int_equal(last_of("[" COMMIT("3", "recover-undo", "2", "ended", "0") "," COMMIT("2", "apply", "null", "closed", "null") "," COMMIT("1", "apply", "null", "ended", "0") "]"), 1);
	/* nothing follows from one that cannot be read */
	assert_int_equal(last_of("[{\"id\":4,\"damage\":\"torn\"}," COMMIT("1", "apply", "null", "ended", "0") "]"), 1);
}

static void a_list_that_cannot_be_read_says_where(void **state)
{
	GS_JSON struct json_object *o = NULL;
	GS_CLEANUP(gs_journal_list_freep) struct gs_journal_list *l = NULL;
	static const char text[] = "[" COMMIT("1", "apply", "null", "begun", "0") "]";
	struct gs_error e = { 0 };

	(void)state;
	assert_int_equal(gs_json_parse(text, strlen(text), "test", &o, NULL), 0);
	assert_int_equal(gs_journal_list_from_json(o, &l, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "[0].state"));
}

/* ---- U ---- */

static const struct ui_instance with_2g[] = {
	{ 0, 3, "2g.20gb", 2, 0, GS_HOLDER_PROCESS },
	{ 1, 11, "1g.10gb", 0, 0, GS_HOLDER_PROCESS },
	{ 1, 12, "1g.10gb", 1, 51020, GS_HOLDER_PROCESS },
	{ 1, 2, "3g.40gb", 4, 48211, GS_HOLDER_PROCESS },
};
static const struct ui_machine lab_with_2g = { .first_bus = 0x1b, .n_gpus = 3, .whole = 1 << 2, .instances = with_2g, .n = GS_ARRAY_SIZE(with_2g) };
static const struct ui_machine lab_interrupted = {
	.first_bus = 0x1b, .n_gpus = 3, .whole = 1 << 2, .interrupted = 1 << 0, .instances = with_2g, .n = GS_ARRAY_SIZE(with_2g),
};

static void undo_is_a_plan_with_a_review_of_its_own(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&lab_with_2g, false);
	GS_FREE char *text = file_text(5, "create 0 2g.20gb at 2", "irdirdE");

	(void)state;
	keys(m, ":create 0 1g.10gb at 0\r");
	assert_int_equal(m->n_staged, 1);
	assert_true(keys(m, "U") & GS_DO_ASK);
	assert_true(answer_list(m, "{\"commits\":[" COMMIT("5", "console", "null", "ended", "0") "]}") & GS_DO_ASK);
	assert_int_equal(m->question_number, 5);
	answer_commit(m, text);
	assert_int_equal(m->layer, GS_LAYER_REVIEW);
	assert_int_equal(m->past_way, GS_WAY_UNDO);
	/* what was created goes, and what is staged is no part of it */
	assert_int_equal(m->plan->n_steps, 2);
	assert_int_equal(m->plan->steps[1].op, GS_STEP_DESTROY_GI);
	assert_int_equal(m->request->kind, GS_REQUEST_PAST);
	assert_int_equal(m->request->commit_id, 5);
	assert_int_equal(gs_model_n_plan_items(m), m->plan->n_findings + 2);
	assert_true(keys(m, "y") & GS_DO_COMMIT);
	assert_int_equal(m->layer, GS_LAYER_WRITING);
	gs_control_committed(m, GS_STATUS_OK, "done: 2 steps");
	assert_int_equal(m->past_way, GS_WAY_INVALID);
	assert_int_equal(m->n_staged, 1);
	/* the plan is that of what is staged again, and holds */
	ui_look(m, &ui_lab);
	assert_null(m->staged[0].stale);
	assert_int_equal(m->plan->steps[0].op, GS_STEP_CREATE_GI);
}

static void a_review_of_the_past_is_left_without_a_trace(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&lab_with_2g, false);
	GS_FREE char *text = file_text(5, "create 0 2g.20gb at 2", "irdirdE");

	(void)state;
	keys(m, ":undo 5\r");
	assert_int_equal(m->question_number, 5);
	answer_commit(m, text);
	assert_int_equal(m->layer, GS_LAYER_REVIEW);
	/* neither x nor s is about it */
	keys(m, "xs");
	assert_int_equal(m->layer, GS_LAYER_REVIEW);
	keys(m, "\033");
	assert_int_equal(m->layer, GS_LAYER_NONE);
	assert_int_equal(m->past_way, GS_WAY_INVALID);
	assert_null(m->request);
	assert_int_equal(m->plan->n_steps, 0);
}

static void what_was_undone_already_has_no_review(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, false);
	GS_FREE char *text = file_text(5, "create 0 2g.20gb at 2", "irdirdE");

	(void)state;
	keys(m, ":undo 5\r");
	answer_commit(m, text);
	assert_int_equal(m->layer, GS_LAYER_NONE);
	assert_non_null(strstr(m->message, "nothing to undo"));
	assert_int_equal(m->past_way, GS_WAY_INVALID);
}

static void undoing_what_somebody_works_in_takes_the_word(void **state)
{
	static const struct ui_instance busy[] = { { 0, 3, "2g.20gb", 2, 50001, GS_HOLDER_PROCESS } };
	static const struct ui_machine machine = { .first_bus = 0x1b, .n_gpus = 3, .whole = 1 << 2, .instances = busy, .n = 1 };
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&machine, false);
	GS_FREE char *text = file_text(5, "create 0 2g.20gb at 2", "irdirdE");

	(void)state;
	keys(m, ":undo 5\r");
	answer_commit(m, text);
	assert_int_equal(m->layer, GS_LAYER_REVIEW);
	assert_true(gs_model_needs_word(m));
	assert_string_equal(m->confirm_word, "dgx01:0");
	assert_false(keys(m, "y") & GS_DO_COMMIT);
	keys(m, "\025");
	assert_true(keys(m, "dgx01:0\r") & GS_DO_COMMIT);
}

static void who_has_gone_elsewhere_is_not_fetched_back(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&lab_with_2g, false);
	GS_FREE char *text = file_text(5, "create 0 2g.20gb at 2", "irdirdE");

	(void)state;
	keys(m, ":undo 5\r");
	keys(m, "?");
	answer_commit(m, text);
	assert_int_equal(m->layer, GS_LAYER_HELP);
	assert_int_equal(m->past_way, GS_WAY_INVALID);
}

static void an_answer_is_of_its_own_question(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&lab_interrupted, false);
	GS_FREE char *text = file_text(7, "create 0 2g.20gb at 2", "ird");
	GS_JSON struct json_object *late = json_object_new_object();

	(void)state;
	/* the one that was interrupted is on its way when H is pressed */
	assert_true(gs_control_looked(m) & GS_DO_ASK);
	keys(m, "H");
	gs_json_add_string(late, "text", text);
	gs_json_add_string(late, "boot_id", BOOT);
	assert_int_equal(gs_control_answered(m, GS_SESSION_ASKS_COMMIT, 7, late, NULL), GS_DO_NOTHING);
	assert_int_equal(m->layer, GS_LAYER_NONE);
	answer_list(m, "{\"commits\":[]}");
	assert_int_equal(m->layer, GS_LAYER_HISTORY);
}

static void the_journal_takes_root(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, false);
	static const char *const ways[] = { "U", "H", "I", ":undo\r", ":history\r", ":recover 3\r" };

	(void)state;
	m->privileged = false;
	for (size_t i = 0; i < GS_ARRAY_SIZE(ways); i++) {
		assert_false(keys(m, ways[i]) & GS_DO_ASK);
		assert_non_null(strstr(m->message, "! asks sudo"));
		assert_true(m->message_is_error);
	}
}

static void words_about_commits_are_checked(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, false);
	static const char *const wrong[] = { ":undo x\r", ":undo 0\r", ":undo 1 2\r", ":history 3\r", ":save 3\r", ":recover -1\r" };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(wrong); i++) {
		assert_false(keys(m, wrong[i]) & GS_DO_ASK);
		assert_int_equal(m->layer, GS_LAYER_PROMPT);
		assert_non_null(strstr(m->input_error, "takes"));
		keys(m, "\033");
	}
}

/* ---- the list ---- */

static void the_list_shows_one_and_comes_back(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&lab_with_2g, false);
	GS_FREE char *text = file_text(5, "create 0 2g.20gb at 2", "irdirdE");

	(void)state;
	keys(m, "H");
	answer_list(m, "{\"commits\":[" COMMIT("6", "apply", "null", "ended", "0") "," COMMIT("5", "console", "null", "ended", "0") "]}");
	assert_int_equal(m->layer, GS_LAYER_HISTORY);
	keys(m, "j");
	assert_true(keys(m, "\r") & GS_DO_ASK);
	assert_int_equal(m->question_number, 5);
	answer_commit(m, text);
	assert_int_equal(m->layer, GS_LAYER_PAST);
	/* it has ended: nothing is to be decided, l walks */
	assert_false(gs_control_past_is_open(m));
	assert_false(keys(m, "ll") & GS_DO_ASK);
	keys(m, "\033");
	assert_int_equal(m->layer, GS_LAYER_HISTORY);
	assert_int_equal(m->list_row, 1);
	assert_true(keys(m, "U") & GS_DO_ASK);
	answer_commit(m, text);
	assert_int_equal(m->layer, GS_LAYER_REVIEW);
}

/* ---- one that never ended ---- */

static struct gs_model *at_the_interrupted(const char *records)
{
	struct gs_model *m = ui_model(&lab_interrupted, false);
	GS_FREE char *text = file_text(7, "create 0 2g.20gb at 2\ncreate 0 1g.10gb at 0", records);

	assert_true(gs_control_looked(m) & GS_DO_ASK);
	assert_int_equal(m->question_number, 7);
	answer_commit(m, text);
	assert_int_equal(m->layer, GS_LAYER_PAST);
	return m;
}

static void it_is_shown_once_and_by_itself(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = at_the_interrupted("irdirdi");

	(void)state;
	assert_true(gs_control_past_is_open(m));
	assert_int_equal(m->back->state, GS_PAST_IS_BETWEEN);
	assert_int_equal(gs_control_looked(m), GS_DO_NOTHING);
	keys(m, "\033");
	assert_int_equal(m->layer, GS_LAYER_NONE);
	assert_int_equal(gs_control_looked(m), GS_DO_NOTHING);
	assert_true(keys(m, "I") & GS_DO_ASK);
	assert_int_equal(m->question_number, 7);
}

static void somebody_at_work_is_only_told(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, false);

	(void)state;
	keys(m, "j");
	ui_look(m, &lab_interrupted);
	assert_false(gs_control_looked(m) & GS_DO_ASK);
	assert_int_equal(m->layer, GS_LAYER_NONE);
	assert_non_null(strstr(m->message, "commit 7 was interrupted"));
}

static void a_monitor_only_marks_it(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&lab_interrupted, true);

	(void)state;
	assert_int_equal(gs_control_looked(m), GS_DO_NOTHING);
	assert_int_equal(gs_model_interrupted(m), 7);
	keys(m, "I");
	assert_non_null(strstr(m->message, "READ-ONLY"));
}

static void finish_goes_on_and_undo_goes_back(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = at_the_interrupted("irdirdi");

	(void)state;
	keys(m, "f");
	assert_int_equal(m->layer, GS_LAYER_REVIEW);
	assert_int_equal(m->past_way, GS_WAY_FINISH);
	/* back: it is still to be decided */
	keys(m, "\033");
	assert_int_equal(m->layer, GS_LAYER_PAST);
	assert_int_equal(m->past_way, GS_WAY_INVALID);
	keys(m, "u");
	assert_int_equal(m->past_way, GS_WAY_TAKE_BACK);
	assert_int_equal(m->plan->steps[m->plan->n_steps - 1].op, GS_STEP_DESTROY_GI);
	assert_true(keys(m, "y") & GS_DO_COMMIT);
	/* one that fails leaves it to be decided */
	gs_control_committed(m, GS_STATUS_FAILED, "no");
	assert_int_equal(m->past_way, GS_WAY_INVALID);
}

static void leaving_it_takes_a_second_press(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = at_the_interrupted("irdirdi");

	(void)state;
	assert_false(keys(m, "l") & GS_DO_ASK);
	assert_false(keys(m, "jl") & GS_DO_ASK);
	assert_true(keys(m, "l") & GS_DO_ASK);
	assert_int_equal(m->question, GS_SESSION_ASKS_LEAVE);
	assert_int_equal(m->question_number, 7);
	assert_true(gs_control_answered(m, GS_SESSION_ASKS_LEAVE, 7, NULL, NULL) & GS_DO_RECOLLECT);
	assert_int_equal(m->layer, GS_LAYER_NONE);
}

static void one_that_is_where_it_was_to_be_is_closed(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&lab_interrupted, false);
	GS_FREE char *text = file_text(7, "create 0 2g.20gb at 2", "irdird");

	(void)state;
	gs_control_looked(m);
	answer_commit(m, text);
	assert_int_equal(m->back->state, GS_PAST_IS_TARGET);
	assert_true(gs_model_is_settled(m));
	/* there is nothing to be finished, so there is no plan to look at */
	keys(m, "f");
	assert_int_equal(m->layer, GS_LAYER_PAST);
	assert_int_equal(m->past_way, GS_WAY_INVALID);
	/* closed as finished, not as left: a later undo is to know it */
	assert_true(keys(m, "l") & GS_DO_COMMIT);
	assert_int_equal(m->past_way, GS_WAY_FINISH);
	assert_int_equal(m->plan->n_steps, 0);
	assert_int_equal(m->layer, GS_LAYER_WRITING);
}

static void the_end_of_it_is_no_undo(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = at_the_interrupted("irdirdi");

	(void)state;
	keys(m, "U");
	assert_int_equal(m->layer, GS_LAYER_PAST);
	assert_int_equal(m->past_way, GS_WAY_INVALID);
}

static void a_review_whose_machine_changes_is_looked_at_again(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = at_the_interrupted("irdirdi");
	struct ui_machine gone = lab_interrupted;

	(void)state;
	keys(m, "u");
	assert_int_equal(m->layer, GS_LAYER_REVIEW);
	gone.instances = ui_lab.instances;
	gone.n = ui_lab.n;
	ui_look(m, &gone);
	assert_false(keys(m, "y") & GS_DO_COMMIT);
	/* and where nothing can be planned any more it ends */
	keys(m, "\033");
	assert_int_equal(m->layer, GS_LAYER_PAST);
	keys(m, "f");
	assert_int_equal(m->layer, GS_LAYER_REVIEW);
	gone.lost = 1 << 0;
	ui_look(m, &gone);
	assert_int_equal(m->layer, GS_LAYER_NONE);
	assert_int_equal(m->past_way, GS_WAY_INVALID);
	assert_true(m->message_is_error);
}

/* ---- in a commit ---- */

static struct gs_model *writing(void)
{
	struct gs_model *m = ui_model(&ui_lab, false);

	keys(m, ":create 0 2g.20gb at 2\rWy");
	assert_int_equal(m->layer, GS_LAYER_WRITING);
	gs_control_progress(m, "begin", 1, 2, "GPU 0: creating 2g.20gb at 2", "");
	return m;
}

static void ctrl_c_asks_and_the_commit_waits(void **state)
{
	static const char *const ways[] = { "\003", "q", "\033" };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(ways); i++) {
		GS_CLEANUP(gs_model_freep) struct gs_model *m = writing();
		unsigned done = keys(m, ways[i]);

		assert_true(done & GS_DO_PAUSE);
		assert_false(done & (GS_DO_CANCEL | GS_DO_QUIT));
		assert_true(m->writing_asks);
		/* a letter that is no answer is none */
		assert_false(keys(m, "x\r") & (GS_DO_CANCEL | GS_DO_RESUME | GS_DO_QUIT));
		done = keys(m, "g");
		assert_true(done & GS_DO_RESUME);
		assert_false(done & GS_DO_CANCEL);
		assert_false(m->writing_asks);
		keys(m, ways[i]);
		assert_true(keys(m, "u") & GS_DO_CANCEL);
		assert_true(m->writing_stops);
		/* nothing is asked twice, and nothing is answered twice */
		assert_false(keys(m, "\003ug") & (GS_DO_CANCEL | GS_DO_PAUSE | GS_DO_RESUME));
	}
}

static void a_second_ctrl_c_is_the_answer(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = writing();

	(void)state;
	assert_true(keys(m, "\003") & GS_DO_PAUSE);
	assert_true(keys(m, "\003") & GS_DO_CANCEL);
	assert_int_equal(m->layer, GS_LAYER_WRITING);
}

static void an_end_answers_the_question(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = writing();

	(void)state;
	keys(m, "\003");
	gs_control_committed(m, GS_STATUS_OK, "done: 2 steps");
	assert_false(m->writing_asks);
	assert_false(keys(m, "u") & GS_DO_CANCEL);
}

static void what_could_not_be_undone_is_recovered_from_there(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = writing();
	GS_FREE char *text = file_text(5, "create 0 2g.20gb at 2", "ird");

	(void)state;
	gs_control_committed(m, GS_STATUS_NOT_UNDONE, "failed and not fully undone");
	assert_true(keys(m, "I") & GS_DO_ASK);
	answer_list(m, "{\"commits\":[" COMMIT("5", "console", "null", "ended", "5") "]}");
	assert_int_equal(m->question_number, 5);
	answer_commit(m, text);
	assert_int_equal(m->layer, GS_LAYER_PAST);
	assert_true(gs_control_past_is_open(m));
	keys(m, "\033\033");
	assert_int_equal(m->layer, GS_LAYER_NONE);
}

/* ---- why, and saving ---- */

static void why_is_typed_over_the_review(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, false);

	(void)state;
	keys(m, ":create 0 2g.20gb at 2\rWm");
	assert_int_equal(m->layer, GS_LAYER_PROMPT);
	keys(m, "CHG-20417 y\r");
	assert_int_equal(m->layer, GS_LAYER_REVIEW);
	assert_string_equal(m->commit_message, "CHG-20417 y");
	keys(m, "m\025no\033");
	assert_string_equal(m->commit_message, "CHG-20417 y");
	assert_true(keys(m, "y") & GS_DO_COMMIT);
	assert_string_equal(m->commit_message, "CHG-20417 y");
	/* it was about this one */
	gs_control_committed(m, GS_STATUS_OK, "done");
	assert_string_equal(m->commit_message, "");
}

static void a_letter_of_the_word_is_no_key(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, false);

	(void)state;
	keys(m, ":delete 1 1g.10gb@1\rWm");
	assert_int_equal(m->layer, GS_LAYER_REVIEW);
	assert_string_equal(m->input, "m");
	keys(m, "\024why\r");
	assert_string_equal(m->commit_message, "why");
	assert_int_equal(m->layer, GS_LAYER_REVIEW);
	assert_string_equal(m->confirm_word, "dgx01:1");
}

static void what_is_written_is_saved_too(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, false);

	(void)state;
	keys(m, ":create 0 2g.20gb at 2\rWS");
	assert_true(m->save_after);
	keys(m, "S");
	assert_false(m->save_after);
	keys(m, "Sy");
	assert_true(gs_control_committed(m, GS_STATUS_OK, "done") & GS_DO_ASK);
	assert_int_equal(m->question, GS_SESSION_ASKS_SAVE);
	gs_control_answered(m, GS_SESSION_ASKS_SAVE, 0, NULL, NULL);
	assert_non_null(strstr(m->write_text, "saved to"));
	/* once */
	assert_false(m->save_after);
}

static void a_failed_commit_saves_nothing(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, false);

	(void)state;
	keys(m, ":create 0 2g.20gb at 2\rWSy");
	assert_false(gs_control_committed(m, GS_STATUS_FAILED, "no") & GS_DO_ASK);
	assert_false(m->save_after);
}

static void saving_shows_first_what_is_saved(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, false);
	GS_JSON struct json_object *o = json_object_new_object();

	(void)state;
	assert_true(keys(m, "S") & GS_DO_ASK);
	assert_int_equal(m->question, GS_SESSION_ASKS_SAVED);
	gs_json_add_string(o, "path", "/etc/gpuslice/layout.json");
	assert_true(gs_control_answered(m, m->question, 0, o, NULL) & GS_DO_ASK);
	assert_int_equal(m->layer, GS_LAYER_SAVED);
	assert_int_equal(m->question, GS_SESSION_ASKS_JOURNAL);
	answer_list(m, "{\"commits\":[]}");
	assert_true(keys(m, "y") & GS_DO_ASK);
	assert_int_equal(m->question, GS_SESSION_ASKS_SAVE);
	/* what is saved is something else: once is not meant */
	m->n_drifted = 1;
	assert_false(keys(m, "y") & GS_DO_ASK);
	assert_non_null(strstr(m->message, "layout.json.previous"));
	assert_false(keys(m, "jy") & GS_DO_ASK);
	assert_true(keys(m, "y") & GS_DO_ASK);
	/* what is half done is neither end */
	ui_look(m, &lab_interrupted);
	assert_false(keys(m, "y") & GS_DO_ASK);
	assert_true(m->message_is_error);
	keys(m, "\033");
	assert_int_equal(m->layer, GS_LAYER_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(undo_goes_back_further_each_time),
		cmocka_unit_test(a_list_that_cannot_be_read_says_where),
		cmocka_unit_test(undo_is_a_plan_with_a_review_of_its_own),
		cmocka_unit_test(a_review_of_the_past_is_left_without_a_trace),
		cmocka_unit_test(what_was_undone_already_has_no_review),
		cmocka_unit_test(undoing_what_somebody_works_in_takes_the_word),
		cmocka_unit_test(who_has_gone_elsewhere_is_not_fetched_back),
		cmocka_unit_test(an_answer_is_of_its_own_question),
		cmocka_unit_test(the_journal_takes_root),
		cmocka_unit_test(words_about_commits_are_checked),
		cmocka_unit_test(the_list_shows_one_and_comes_back),
		cmocka_unit_test(it_is_shown_once_and_by_itself),
		cmocka_unit_test(somebody_at_work_is_only_told),
		cmocka_unit_test(a_monitor_only_marks_it),
		cmocka_unit_test(finish_goes_on_and_undo_goes_back),
		cmocka_unit_test(leaving_it_takes_a_second_press),
		cmocka_unit_test(one_that_is_where_it_was_to_be_is_closed),
		cmocka_unit_test(the_end_of_it_is_no_undo),
		cmocka_unit_test(a_review_whose_machine_changes_is_looked_at_again),
		cmocka_unit_test(ctrl_c_asks_and_the_commit_waits),
		cmocka_unit_test(a_second_ctrl_c_is_the_answer),
		cmocka_unit_test(an_end_answers_the_question),
		cmocka_unit_test(what_could_not_be_undone_is_recovered_from_there),
		cmocka_unit_test(why_is_typed_over_the_review),
		cmocka_unit_test(a_letter_of_the_word_is_no_key),
		cmocka_unit_test(what_is_written_is_saved_too),
		cmocka_unit_test(a_failed_commit_saves_nothing),
		cmocka_unit_test(saving_shows_first_what_is_saved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
