/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_flows.c - whole ways through the console, key by key, with what is seen on the way, at two sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/ui_fixture.h"
#include "ui/view.h"

struct size {
	int rows, columns;
};
static struct size sizes[] = { { 24, 80 }, { 40, 120 } };

struct flow {
	struct gs_model *m;
	struct size at;
};

static unsigned keys(struct flow *f, const char *text)
{
	return ui_keys(f->m, f->at.rows, f->at.columns, text);
}

static char *picture(const struct flow *f)
{
	GS_CLEANUP(gs_frame_freep) struct gs_frame *frame = NULL;

	assert_int_equal(gs_frame_new(f->at.rows, f->at.columns, &frame), 0);
	gs_view_draw(f->m, gs_glyphs(true), frame);
	return gs_frame_text(frame);
}

static void sees(const struct flow *f, const char *text, bool is_there)
{
	GS_FREE char *shown = picture(f);

	if (!!strstr(shown, text) != is_there)
		fail_msg("«%s» is %s:\n%s", text, is_there ? "missing" : "there", shown);
}

static void start(struct flow *f, void **state, uint32_t gpu)
{
	f->at = *(struct size *)*state;
	f->m = ui_model(&ui_lab, false);
	f->m->gpu = gpu;
}

static void end(struct flow *f)
{
	f->m = gs_model_free(f->m);
}
#define FLOW GS_CLEANUP(end)

static void test_everyday(void **state)
{
	FLOW struct flow f;

	start(&f, state, 1);
	sees(&f, "dgx01", true);
	sees(&f, "SIMULATED", true);
	keys(&f, "c");
	sees(&f, "CREATE", true);
	keys(&f, "4\r");
	sees(&f, "2g.20gb", true);
	sees(&f, "STAGED +1", true);
	/* Enter alone never writes */
	assert_int_equal(keys(&f, "W\r\r\r") & GS_DO_COMMIT, 0);
	assert_int_equal(f.m->layer, GS_LAYER_REVIEW);
	sees(&f, "REVIEW", true);
	sees(&f, "nobody", true);
	assert_true(keys(&f, "y") & GS_DO_COMMIT);
	assert_int_equal(f.m->layer, GS_LAYER_WRITING);
	assert_int_equal(f.m->request->n_disrupt, 0);
	/* Esc does not close a commit under way, Ctrl-C asks it to stop */
	keys(&f, "\033");
	assert_int_equal(f.m->layer, GS_LAYER_WRITING);
	assert_int_equal(keys(&f, "q") & GS_DO_QUIT, 0);
	assert_true(keys(&f, "\003") & GS_DO_CANCEL);
	f.m->now.ms = 1000;
	gs_control_progress(f.m, "begin", 1, 2, "create GI 2g.20gb at 2", "");
	sees(&f, "create GI 2g.20gb at 2", true);
	f.m->now.ms = 1500;
	gs_control_progress(f.m, "done", 1, 2, "created GI 2g.20gb at 2", "GI 7");
	gs_control_progress(f.m, "begin", 2, 2, "create CI", "");
	assert_int_equal(f.m->n_progress, 2);
	assert_int_equal(f.m->progress[0].took_ms, 500);
	assert_int_equal(f.m->progress[1].took_ms, -1);
	gs_control_progress(f.m, "done", 2, 2, NULL, NULL);
	gs_control_committed(f.m, GS_STATUS_OK, "2 steps done, read back and as planned.");
	assert_int_equal(f.m->n_staged, 0);
	sees(&f, "as planned", true);
	keys(&f, "\033");
	assert_int_equal(f.m->layer, GS_LAYER_NONE);
	sees(&f, "as planned", true);
	/* u stops at the commit */
	keys(&f, "ur");
	assert_int_equal(f.m->n_staged, 0);
}

static void test_somebody_stops(void **state)
{
	FLOW struct flow f;

	start(&f, state, 1);
	keys(&f, "\tld");
	sees(&f, "STOPS 1", true);
	keys(&f, "W");
	sees(&f, "dgx01:1", true);
	sees(&f, "51020", true);
	assert_string_equal(f.m->confirm_word, "dgx01:1");
	/* neither y nor Enter nor a wrong word */
	assert_int_equal(keys(&f, "y") & GS_DO_COMMIT, 0);
	assert_int_equal(keys(&f, "\r") & GS_DO_COMMIT, 0);
	assert_int_equal(keys(&f, "\025dgx01:2\r") & GS_DO_COMMIT, 0);
	assert_int_equal(keys(&f, "\025dgx01:1 \r") & GS_DO_COMMIT, 0);
	assert_int_equal(keys(&f, "\025DGX01:1\r") & GS_DO_COMMIT, 0);
	assert_false(f.m->stop_holders);
	/* pasting a word is not typing it */
	keys(&f, "\025\033[200~dgx01:1\033[201~");
	assert_string_equal(f.m->input, "");
	assert_true(keys(&f, "dgx01:1\r") & GS_DO_COMMIT);
	assert_true(f.m->stop_holders);
	assert_int_equal(f.m->request->n_disrupt, 1);
	assert_int_equal(f.m->request->disrupt[0].pid, 51020);
	assert_false(f.m->request->kill);
	gs_control_committed(f.m, GS_STATUS_REFUSED, "the process is another one now");
	assert_int_equal(f.m->n_staged, 1);
	assert_false(f.m->stop_holders);
	keys(&f, "\033");
	sees(&f, "another one now", true);
}

static void test_kill_is_part_of_what_is_reviewed(void **state)
{
	FLOW struct flow f;
	struct gs_digest gentle;

	start(&f, state, 1);
	keys(&f, "\tldW");
	gentle = f.m->plan->digest;
	keys(&f, "K");
	assert_true(f.m->allow_kill);
	/* leaving the review takes it back */
	keys(&f, "\033");
	assert_false(f.m->request->kill);
	assert_true(gs_digest_equal(&gentle, &f.m->plan->digest));
	keys(&f, "WK");
	assert_true(f.m->request->kill);
	assert_false(gs_digest_equal(&gentle, &f.m->plan->digest));
	assert_true(keys(&f, "dgx01:1\r") & GS_DO_COMMIT);
	assert_true(f.m->request->kill);
}

static void test_p_only_looks(void **state)
{
	FLOW struct flow f;

	start(&f, state, 0);
	keys(&f, "p");
	assert_int_equal(f.m->layer, GS_LAYER_NONE);
	keys(&f, "c1\rp");
	assert_int_equal(f.m->layer, GS_LAYER_REVIEW);
	assert_int_equal(keys(&f, "y\r") & GS_DO_COMMIT, 0);
	keys(&f, "W");
	assert_true(keys(&f, "y") & GS_DO_COMMIT);
}

static void test_without_root_nothing_is_written(void **state)
{
	FLOW struct flow f;

	start(&f, state, 0);
	f.m->privileged = false;
	keys(&f, "c1\rW");
	sees(&f, "! asks sudo", true);
	assert_int_equal(keys(&f, "y") & GS_DO_COMMIT, 0);
	f.m->privileged = true;
	assert_true(keys(&f, "y") & GS_DO_COMMIT);
}

static void test_blocked_says_why(void **state)
{
	FLOW struct flow f;

	start(&f, state, 1);
	keys(&f, ":create 1 4g.40gb at 0\r");
	assert_int_equal(f.m->n_staged, 1);
	assert_true(gs_plan_is_blocked(f.m->plan));
	keys(&f, "W");
	sees(&f, "BLOCK", true);
	assert_int_equal(keys(&f, "y") & GS_DO_COMMIT, 0);
	assert_int_equal(keys(&f, "\r") & GS_DO_COMMIT, 0);
	keys(&f, "e");
	assert_int_equal(f.m->layer, GS_LAYER_EXPLAIN);
	keys(&f, "\033");
	assert_int_equal(f.m->layer, GS_LAYER_REVIEW);
	keys(&f, "Gx");
	assert_int_equal(f.m->n_staged, 0);
	assert_int_equal(f.m->layer, GS_LAYER_NONE);
}

/* The machine moves between the look and the y. */
static void test_a_plan_that_changed_is_looked_at_again(void **state)
{
	static const struct ui_instance more[] = {
		{ 0, 5, "1g.10gb", 0, 0, GS_HOLDER_PROCESS },
		{ 1, 11, "1g.10gb", 0, 0, GS_HOLDER_PROCESS },
	};
	struct ui_machine later = ui_lab;
	FLOW struct flow f;

	start(&f, state, 0);
	keys(&f, "c1\rW");
	later.instances = more;
	later.n = 2;
	ui_look(f.m, &later);
	assert_int_equal(keys(&f, "y") & GS_DO_COMMIT, 0);
	sees(&f, "look again", true);
	assert_true(keys(&f, "y") & GS_DO_COMMIT);
}

/* Somebody sits down on the instance while the review is open: y is no longer enough. */
static void test_a_new_holder_turns_y_into_a_word(void **state)
{
	static const struct ui_instance busy[] = {
		{ 1, 11, "1g.10gb", 0, 51020, GS_HOLDER_PROCESS },
		{ 1, 12, "1g.10gb", 1, 51020, GS_HOLDER_PROCESS },
		{ 1, 2, "3g.40gb", 4, 48211, GS_HOLDER_PROCESS },
	};
	struct ui_machine later = ui_lab;
	FLOW struct flow f;

	start(&f, state, 1);
	keys(&f, "\tdW");
	assert_string_equal(f.m->confirm_word, "");
	later.instances = busy;
	ui_look(f.m, &later);
	assert_string_equal(f.m->confirm_word, "dgx01:1");
	assert_int_equal(keys(&f, "yy") & GS_DO_COMMIT, 0);
	/* the first Enter meets a changed plan, then the word counts */
	keys(&f, "\025dgx01:1\r");
	assert_true(keys(&f, "\025dgx01:1\r") & GS_DO_COMMIT);
}

static void test_chooser_keeps_its_choice_when_the_machine_is_seen_again(void **state)
{
	FLOW struct flow f;

	start(&f, state, 0);
	keys(&f, "vlll\r2");
	assert_string_equal(f.m->offers[f.m->offer].profile->name, "4g.40gb");
	ui_look(f.m, &ui_lab);
	assert_int_equal(f.m->layer, GS_LAYER_CHOOSER);
	assert_string_equal(f.m->offers[f.m->offer].profile->name, "4g.40gb");
	keys(&f, "\r");
	assert_string_equal(f.m->staged[0].text, "create 0 4g.40gb at 0");
}

/* Every layer can be drawn at every size that a person may pull a window to. */
static void test_every_layer_at_every_size(void **state)
{
	FLOW struct flow f;

	start(&f, state, 1);
	keys(&f, "\tldt");
	for (int layer = GS_LAYER_NONE; layer <= GS_LAYER_QUIT; layer++) {
		keys(&f, layer == GS_LAYER_PALETTE ? "c" : layer == GS_LAYER_CHOOSER ? "vl\r" : "");
		f.m->layer = (enum gs_layer)layer;
		for (int rows = 1; rows < 60; rows += 7)
			for (int columns = 1; columns < 200; columns += 23) {
				struct flow other = { f.m, { rows, columns } };
				GS_FREE char *text = picture(&other);

				assert_non_null(text);
				keys(&other, "jk");
			}
		keys(&f, "\033");
		f.m->layer = GS_LAYER_NONE;
		f.m->selecting = false;
	}
}

static void test_agent_goes_away(void **state)
{
	FLOW struct flow f;

	start(&f, state, 0);
	keys(&f, "c1\r");
	f.m->agent_gone = true;
	keys(&f, "W");
	assert_int_equal(keys(&f, "y") & GS_DO_COMMIT, 0);
	assert_int_equal(f.m->n_staged, 1);
	keys(&f, "\033");
	keys(&f, "qs");
	assert_true(keys(&f, "\r") & GS_DO_SAVE_SCRIPT);
}

#define AT(test, i) { #test, test, NULL, NULL, &sizes[i] }
#define BOTH(test) AT(test, 0), AT(test, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_everyday),
		BOTH(test_somebody_stops),
		BOTH(test_kill_is_part_of_what_is_reviewed),
		BOTH(test_p_only_looks),
		BOTH(test_without_root_nothing_is_written),
		BOTH(test_blocked_says_why),
		BOTH(test_a_plan_that_changed_is_looked_at_again),
		BOTH(test_a_new_holder_turns_y_into_a_word),
		BOTH(test_chooser_keeps_its_choice_when_the_machine_is_seen_again),
		BOTH(test_every_layer_at_every_size),
		BOTH(test_agent_goes_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
