/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole frames of what was done before: the list of commits, one that never
 * ended, its review, the question in a commit, what comes back at boot.
 * GENERATE=1 writes them anew: then look at them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/strbuf.h"
#include "codec/journal_json.h"
#include "tests/lib/golden.h"
#include "tests/screen/machine.h"
#include "ui/control.h"
#include "ui/view.h"

#define BOOT "6e1f2a30-0000-4000-8000-0123456789ab"
#define AT_MS 1795269789123

static const struct gs_golden_size sizes[] = { { 24, 80, true }, { 24, 80, false }, { 50, 160, true }, { 50, 160, false }, };

static void check(const struct gs_model *m, const char *name)
{
	gs_golden_check(m, name, sizes, GS_ARRAY_SIZE(sizes));
}

#define MODEL GS_CLEANUP(gs_model_freep) struct gs_model

/* GPU 2 is not as saved, GPU 3 is not saved; with @interrupted a commit on GPU 2 never ended. */
static struct gs_model *model(bool interrupted)
{
	struct gs_model *m = gs_model_new(false);
	struct gs_snapshot *s = machine_dgx(false);
	const struct gs_saved_fact fact = { .state = GS_SAVED_SAME, .path = "/etc/gpuslice/layout.json", .saved_at_ms = GS_I64(AT_MS), .unit_enabled = true };
	struct gs_digest none = { "" };
	struct gs_error e = { 0 };

	gs_snapshot_set_saved(s, &fact);
	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++)
		gs_snapshot_set_gpu_saved(s, i, i == 2 ? GS_SAVED_DIFFERS : i == 3 ? GS_SAVED_NONE : GS_SAVED_SAME, &none);
	if (interrupted) {
		struct gs_gpu *gpu = (struct gs_gpu *)gs_snapshot_gpu(s, 2);

		/* its first two steps were done */
		gpu->instances[0] = gpu->instances[--gpu->n_instances];
		gpu->open_commit = (struct gs_open_commit){
			GS_OPEN_INTERRUPTED, 7, "commit 7 (alice, 2026-11-21 14:03:09 UTC, gpuslice apply x) was interrupted after step 1 of 6, step 2 may be half done",
		};
	}
	m->privileged = true;
	if (gs_model_set_snapshot(m, s, &e) < 0)
		fail_msg("%s", e.text);
	gs_snapshot_unref(s);
	m->gpu = 2;
	return m;
}

static void press(struct gs_model *m, const char *keys)
{
	for (; *keys; keys++) {
		struct gs_event ev = { .type = GS_EVENT_KEY, .key = *keys == '\n' ? GS_KEY_ENTER : (uint32_t)*keys };

		gs_control_event(m, &ev, 24, 80);
	}
}

static void answer(struct gs_model *m, const char *text)
{
	GS_JSON struct json_object *o = NULL;
	struct gs_error e = { 0 };

	if (gs_json_parse(text, strlen(text), "test", &o, &e) < 0)
		fail_msg("%s", e.text);
	gs_control_answered(m, m->question, m->question_number, o, NULL);
}

#define COMMIT(id, way, of, gpu, user, state, status, message, summary) \
	"{\"id\":" id ",\"begun_ms\":1795269789123,\"way\":\"" way "\",\"of\":" of ",\"author\":{\"user\":\"" user "\",\"message\":" message "},\"gpus\":[{\"gpu\":0,\"bdf\":\"0000:" gpu \
	":00.0\"}],\"state\":\"" state "\",\"status\":" status ",\"summary\":\"" summary "\"}"

static void test_history(void **state)
{
	MODEL *m = model(false);

	(void)state;
	press(m, "H");
	answer(m, "{\"commits\":["
		  COMMIT("9", "undo", "8", "61", "bob", "ended", "0", "null", "done, 2 steps") ","
		  COMMIT("8", "console", "null", "61", "bob", "ended", "0", "\"CHG-20417: room for chen\"", "done, 2 steps") ","
		  COMMIT("7", "apply", "null", "52", "alice", "open", "null", "null", "interrupted after step 1 of 6, step 2 may be half done") ","
		  COMMIT("6", "apply", "null", "9d", "a-very-long-user-name", "ended", "1", "null", "failed after step 1 of 3, undone") ","
		  "{\"id\":5,\"damage\":\"line 1 is no JSON\"},"
		  COMMIT("4", "recover-finish", "3", "05", "root", "ended", "0", "null", "done, 1 step") "]}");
	press(m, "j");
	check(m, "history");
}

/* As its agent left it: on GPU 2 the first of two was taken away. */
static void show_interrupted(struct gs_model *m)
{
	MODEL *before = model(false);
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT;
	GS_JSON struct json_object *o = json_object_new_object();
	GS_CLEANUP(gs_request_freep) struct gs_request *request = NULL;
	GS_CLEANUP(gs_plan_freep) struct gs_plan *plan = NULL;
	GS_FREE char *line = NULL;
	const struct gs_plan_options options = { 0 };
	static const char script[] = "delete 2 1g.10gb@0\ncreate 2 2g.20gb at 2\n";
	struct gs_journal_begin begin = {
		.id = 7, .at = { AT_MS }, .boot_id = BOOT, .host = "dgx01", .pid = 4711, .way = GS_WAY_APPLY, .options = &options,
		.author = { GS_U32(1000), "alice", "192.0.2.7", "gpuslice apply layout.json", "room for chen" },
	};
	struct gs_error e = { 0 };

	if (gs_request_new(script, strlen(script), "x", GS_CONTEXT_FILE, &request, &e) < 0)
		fail_msg("%s", e.text);
	/* as the machine was before it */
	if (gs_request_plan(request, before->snapshot, &plan, &e) < 0)
		fail_msg("%s", e.text);
	begin.plan = plan;
	assert_int_equal(gs_journal_begin_to_line(&begin, &line, &e), 0);
	gs_strbuf_puts(&text, line);
	for (uint64_t seq = 2; seq < 6; seq++) {
		struct gs_journal_record r = { .seq = seq, .at = { AT_MS }, .kind = seq == 2 || seq == 5 ? GS_JOURNAL_INTENT : seq == 3 ? GS_JOURNAL_RESULT : GS_JOURNAL_DONE,
					       .n = seq == 5 ? 2 : 1, .way = GS_WAY_INVALID };
		GS_FREE char *more = NULL;

		r.op = plan->steps[r.n - 1].op;
		r.bdf = plan->steps[r.n - 1].bdf;
		assert_int_equal(gs_journal_record_to_line(&r, &more, &e), 0);
		gs_strbuf_puts(&text, more);
	}
	gs_json_add_string(o, "text", text.text);
	gs_json_add_string(o, "boot_id", BOOT);
	gs_control_answered(m, m->question, m->question_number, o, NULL);
	assert_int_equal(m->layer, GS_LAYER_PAST);
}

static void test_interrupted(void **state)
{
	MODEL *m = model(true);

	(void)state;
	check(m, "interrupted-main");
	gs_control_looked(m);
	show_interrupted(m);
	check(m, "interrupted");
	press(m, "f");
	assert_int_equal(m->layer, GS_LAYER_REVIEW);
	check(m, "interrupted-review");
}

static void test_monitor(void **state)
{
	MODEL *m = model(true);

	(void)state;
	m->read_only = true;
	m->privileged = false;
	check(m, "interrupted-monitor");
}

static void test_question(void **state)
{
	MODEL *m = model(false);

	(void)state;
	press(m, ":create 2 2g.20gb at 2\nW");
	m->now.ms = 1000;
	press(m, "y");
	gs_control_progress(m, "begin", 1, 2, "GPU 2: creating 2g.20gb at 2", NULL);
	m->now.ms = 2500;
	press(m, "\003");
	check(m, "writing-asks");
	gs_control_progress(m, "done", 1, 2, "GPU 2: created 2g.20gb at 2", NULL);
	check(m, "writing-waits-behind");
}

static void test_saved(void **state)
{
	MODEL *m = model(false);

	(void)state;
	press(m, "S");
	answer(m, "{\"path\":\"/etc/gpuslice/layout.json\",\"saved_at_ms\":1795269789123,\"by\":\"alice\",\"boot_id\":\"" BOOT "\",\"current_boot_id\":\"" BOOT "\","
		  "\"text\":\"{\\\"schema\\\":\\\"gpuslice.layout/1\\\",\\\"gpus\\\":[{\\\"match\\\":{\\\"bdf\\\":\\\"0000:52:00.0\\\",\\\"pci_id\\\":\\\"10de:2330\\\"},\\\"mode\\\":\\\"mig\\\","
		  "\\\"instances\\\":[{\\\"kind\\\":\\\"mig\\\",\\\"profile\\\":\\\"7g.80gb\\\",\\\"start\\\":0}]}]}\"}");
	assert_int_equal(m->layer, GS_LAYER_SAVED);
	answer(m, "{\"commits\":[]}");
	check(m, "saved");
	press(m, "r");
	assert_int_equal(m->layer, GS_LAYER_REVIEW);
	check(m, "restore-review");
	press(m, "\033");
	assert_int_equal(m->layer, GS_LAYER_SAVED);
	press(m, "\033:create 2 2g.20gb at 2\nWS");
	check(m, "saved-too");
}

static void test_agent(void **state)
{
	static const char why[] = "signal 9 ended the agent process. the agent has gone";
	MODEL *m = model(false);

	(void)state;
	press(m, ":create 2 2g.20gb at 2\n");
	for (int i = 0; i < 2; i++) {
		assert_true(gs_control_agent_ended(m, why) & GS_DO_CONNECT);
		m->agent_gone = false;
		gs_control_agent_started(m, true, NULL);
	}
	check(m, "agent-again");
	assert_false(gs_control_agent_ended(m, why) & GS_DO_CONNECT);
	check(m, "agent-gone");
	m->message[0] = '\0';
	check(m, "agent-gone-keys");
	press(m, "W");
	check(m, "agent-gone-review");
}

static void test_agent_ends_in_a_commit(void **state)
{
	MODEL *m = model(false);

	(void)state;
	press(m, ":create 2 2g.20gb at 2\nWy");
	gs_control_progress(m, "begin", 1, 2, "GPU 2: creating 2g.20gb at 2", NULL);
	gs_control_agent_ended(m, "signal 9 ended the agent process. the agent has gone");
	m->agent_gone = false;
	gs_control_agent_started(m, true, NULL);
	check(m, "agent-lost-commit");
}

static void test_lock(void **state)
{
	MODEL *m = model(false);

	(void)state;
	press(m, ":create 2 2g.20gb at 2\nWy");
	gs_control_committed(m, GS_STATUS_LOCKED, "another commit is running: pid 9001 (alice): gpuslice apply layout.json, since 2026-11-21 14:03:09 UTC. Nothing was done: --wait SECONDS waits for its end");
	check(m, "locked");
	press(m, "w");
	snprintf(m->agent_notice, sizeof(m->agent_notice), "waiting for another commit to end, 3600 s at most: pid 9001 (alice): gpuslice apply layout.json, since 2026-11-21 14:03:09 UTC");
	check(m, "lock-waits");
}

static void test_unknown_word(void **state)
{
	MODEL *m = model(false);

	(void)state;
	press(m, ":what 3\n");
	check(m, "prompt-unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_history), cmocka_unit_test(test_interrupted), cmocka_unit_test(test_monitor), cmocka_unit_test(test_question), cmocka_unit_test(test_saved),
		cmocka_unit_test(test_agent), cmocka_unit_test(test_agent_ends_in_a_commit), cmocka_unit_test(test_lock), cmocka_unit_test(test_unknown_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
