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
	/* pasting a word is not typing it */
	keys(&f, "\025\033[200~dgx01:1\033[201~");
	assert_string_equal(f.m->input, "");
	assert_true(keys(&f, "dgx01:1\r") & GS_DO_COMMIT);
	assert_int_equal(f.m->request->n_disrupt, 1);
	assert_int_equal(f.m->request->disrupt[0].pid, 51020);
	assert_false(f.m->request->kill);
	gs_control_committed(f.m, GS_STATUS_REFUSED, "the process is another one now");
	assert_int_equal(f.m->n_staged, 1);
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
	keys(&f, "\013");
	assert_true(f.m->allow_kill);
	/* leaving the review takes it back */
	keys(&f, "\033");
	assert_false(f.m->request->kill);
	assert_true(gs_digest_equal(&gentle, &f.m->plan->digest));
	keys(&f, "W\013");
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
	assert_string_equal(f.m->offers[f.m->offer].profile->name, "3g.40gb");
	ui_look(f.m, &ui_lab);
	assert_int_equal(f.m->layer, GS_LAYER_CHOOSER);
	assert_string_equal(f.m->offers[f.m->offer].profile->name, "3g.40gb");
	keys(&f, "\r");
	assert_string_equal(f.m->staged[0].text, "create 0 3g.40gb at 0");
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

/* What lies over a review takes nothing of it away: not the word, not the place in the list, not the picture. */
static void test_a_covered_review_still_wants_the_word(void **state)
{
	static const char *const covers[] = { "\033OP", "\t" };

	for (size_t i = 0; i < GS_ARRAY_SIZE(covers); i++) {
		FLOW struct flow f;

		start(&f, state, 1);
		keys(&f, "\tldW");
		keys(&f, covers[i]);
		assert_int_not_equal(f.m->layer, GS_LAYER_REVIEW);
		ui_look(f.m, &ui_lab);
		assert_int_equal(keys(&f, "y\ry") & GS_DO_COMMIT, 0);
		if (f.m->layer != GS_LAYER_REVIEW)
			keys(&f, "\033");
		assert_int_equal(f.m->layer, GS_LAYER_REVIEW);
		assert_int_equal(keys(&f, "y") & GS_DO_COMMIT, 0);
		assert_int_equal(keys(&f, "\r") & GS_DO_COMMIT, 0);
		sees(&f, "dgx01:1", true);
		assert_true(keys(&f, "\025dgx01:1\r") & GS_DO_COMMIT);
	}
}

static void test_the_stored_word_decides_nothing(void **state)
{
	FLOW struct flow f;

	start(&f, state, 1);
	keys(&f, "\tldW");
	f.m->confirm_word[0] = '\0';
	assert_int_equal(keys(&f, "y") & GS_DO_COMMIT, 0);
	f.m->confirm_word[0] = '\0';
	assert_int_equal(keys(&f, "\r") & GS_DO_COMMIT, 0);
	snprintf(f.m->confirm_word, sizeof(f.m->confirm_word), "x");
	assert_int_equal(keys(&f, "\025x\r") & GS_DO_COMMIT, 0);
}

static void test_half_a_word_is_not_kept_out_of_sight(void **state)
{
	FLOW struct flow f;

	start(&f, state, 1);
	keys(&f, "\tldWdgx01:1\033OP");
	assert_int_equal(f.m->layer, GS_LAYER_HELP);
	keys(&f, "\033");
	assert_int_equal(f.m->layer, GS_LAYER_REVIEW);
	assert_int_equal(keys(&f, "\r") & GS_DO_COMMIT, 0);
}

/* Esc and y in one read look like Alt-y; a click is no answer either. */
static void test_only_a_key_of_its_own_writes(void **state)
{
	FLOW struct flow f;

	start(&f, state, 0);
	keys(&f, "c1\rW");
	assert_int_equal(keys(&f, "\033y") & GS_DO_COMMIT, 0);
	for (int row = 0; row < f.at.rows; row++)
		for (int column = 0; column < f.at.columns; column++) {
			if (f.m->layer != GS_LAYER_REVIEW)
				keys(&f, "W");
			for (int twice = 0; twice < 2; twice++)
				assert_int_equal(ui_mouse(f.m, f.at.rows, f.at.columns, GS_MOUSE_PRESS, row, column) & GS_DO_COMMIT, 0);
			if (f.m->layer != GS_LAYER_REVIEW && f.m->layer != GS_LAYER_NONE)
				keys(&f, "\033");
			if (!f.m->n_staged)
				keys(&f, "c1\r");
		}
	keys(&f, "\033");
	f.m->layer = GS_LAYER_NONE;
	keys(&f, "W");
	assert_true(keys(&f, "y") & GS_DO_COMMIT);
}

static void test_explain_lies_on_the_review(void **state)
{
	FLOW struct flow f;
	GS_FREE char *before = NULL, *after = NULL;

	start(&f, state, 1);
	keys(&f, ":create 1 4g.40gb at 0; create 0 1g.10gb at 0\rp\033[B");
	assert_int_equal(f.m->list_row, 1);
	keys(&f, "k");
	before = picture(&f);
	keys(&f, "e");
	assert_int_equal(f.m->layer, GS_LAYER_EXPLAIN);
	sees(&f, "REVIEW", true);
	sees(&f, "biggest", false);
	keys(&f, "jjj\033");
	after = picture(&f);
	assert_string_equal(before, after);
	end(&f);
	start(&f, state, 0);
	keys(&f, "c1x7\rpG");
	/* in the middle of what is shown, not where it would scroll to by itself */
	keys(&f, "kk");
	free(before);
	before = picture(&f);
	keys(&f, "?jj\033");
	free(after);
	after = picture(&f);
	assert_string_equal(before, after);
}

static void test_what_was_agreed_to_ends_with_the_review(void **state)
{
	FLOW struct flow f;

	start(&f, state, 1);
	keys(&f, "\tldp\013");
	assert_true(f.m->allow_kill);
	keys(&f, "s");
	assert_int_equal(f.m->layer, GS_LAYER_PROMPT);
	keys(&f, "\033");
	assert_false(f.m->allow_kill);
	assert_false(f.m->request->kill);
	keys(&f, "W\013");
	assert_true(keys(&f, "dgx01:1\r") & GS_DO_COMMIT);
	gs_control_committed(f.m, GS_STATUS_FAILED, "no");
	assert_false(f.m->allow_kill);
	assert_false(f.m->request->kill);
}

/* ---- keys at random ---- */

struct player {
	struct flow f;
	char typed[64];         /* characters since the review was last in sight without them */
	size_t n_typed;
	unsigned written, with_word;
};

/* HOST:GPU of the work that the request ends, from the machine, not from what the console stored. */
static void word_of(const struct gs_model *m, char *buf, size_t size)
{
	size_t at = (size_t)snprintf(buf, size, "dgx01:");

	for (uint32_t g = 0, found = 0; g < gs_snapshot_n_gpus(m->snapshot); g++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(m->snapshot, g);
		bool stops = false;

		for (size_t i = 0; i < gpu->n_instances; i++)
			for (size_t h = 0; h < gpu->instances[i]->n_holders; h++)
				for (size_t d = 0; d < m->request->n_disrupt; d++)
					stops = stops || gs_u32_is(gpu->instances[i]->holders[h]->pid, m->request->disrupt[d].pid);
		if (stops)
			at += (size_t)snprintf(buf + at, size - at, "%s%u", found++ ? "," : "", g);
	}
}

static void play_event(struct player *p, const struct gs_event *ev)
{
	struct gs_model *m = p->f.m;
	bool in_review = m->layer == GS_LAYER_REVIEW;
	unsigned done;
	char word[64];
	size_t n;

	if (!in_review)
		p->n_typed = 0;
	if (ev->type == GS_EVENT_KEY && ev->key == GS_KEY_CTRL('u'))
		p->n_typed = 0;
	if (ev->type == GS_EVENT_KEY && ev->key > GS_KEY_SPACE && ev->key < 0x7f && !ev->alt && !ev->is_pasted && p->n_typed < sizeof(p->typed))
		p->typed[p->n_typed++] = (char)ev->key;
	done = gs_control_event(m, ev, p->f.at.rows, p->f.at.columns);
	if (!(done & GS_DO_COMMIT))
		return;
	assert_true(in_review && ev->type == GS_EVENT_KEY && m->request && !gs_plan_is_blocked(m->plan));
	p->written++;
	if (!m->request->n_disrupt) {
		assert_false(gs_plan_stops_somebody(m->plan));
		assert_int_equal(ev->key, 'y');
		return;
	}
	p->with_word++;
	word_of(m, word, sizeof(word));
	n = strlen(word);
	assert_int_equal(ev->key, GS_KEY_ENTER);
	if (p->n_typed < n || memcmp(p->typed + p->n_typed - n, word, n))
		fail_msg("written without %s", word);
}

static void play(struct player *p, const char *text)
{
	struct gs_input *in = gs_input_new();
	struct gs_event ev;

	gs_input_feed(in, text, strlen(text));
	while (gs_input_next(in, &ev))
		play_event(p, &ev);
	gs_input_timeout(in);
	while (gs_input_next(in, &ev))
		play_event(p, &ev);
	gs_input_free(in);
}

static uint32_t dice(uint32_t *seed, uint32_t sides)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed % sides;
}

static void test_keys_at_random_never_stop_anybody(void **state)
{
	static const char *const tokens[] = {
		"W", "W", "W", "p", "y", "y", "y", "\r", "\r", "e", "e", "?", "\033OP", "\033", "\033", "\033y", "K", "x", "j", "k", "G", "q", "s", "u", "r", "!",
		"\025", "\025dgx01:1\r", "\025dgx01:1\r", "dgx01:1", "dgx01:0\r", "dgx01:0,1\r", "\025dgx01:0,1\r", "\025dgx01:0\r", "dgx0", "1:1", "\033[200~dgx01:1\r\033[201~",
		":delete 1 1g.10gb@1\r", ":delete 1 1g.10gb@0\r", ":create 0 1g.10gb at 3\r", ":delete 0 2g.20gb@0\r", ":create 1 2g.20gb at 2\r", "Wdgx01:1\r", "Wy",
		"W?\033", "W\033OP",
	};
	static const struct ui_instance busy[] = {
		{ 0, 4, "2g.20gb", 0, 7001, GS_HOLDER_PROCESS }, { 1, 11, "1g.10gb", 0, 51019, GS_HOLDER_PROCESS },
		{ 1, 12, "1g.10gb", 1, 51020, GS_HOLDER_PROCESS }, { 1, 2, "3g.40gb", 4, 48211, GS_HOLDER_PROCESS },
	};
	static const struct ui_instance idle[] = {
		{ 0, 4, "2g.20gb", 0, 0, GS_HOLDER_PROCESS }, { 1, 11, "1g.10gb", 0, 0, GS_HOLDER_PROCESS }, { 1, 12, "1g.10gb", 1, 0, GS_HOLDER_PROCESS },
	};
	struct ui_machine machines[3] = { ui_lab, ui_lab, ui_lab };
	struct player p = { .n_typed = 0 };
	uint32_t seed = 20240611;

	machines[1].instances = busy;
	machines[1].n = GS_ARRAY_SIZE(busy);
	machines[2].instances = idle;
	machines[2].n = GS_ARRAY_SIZE(idle);
	start(&p.f, state, 1);
	for (int i = 0; i < 6000; i++) {
		uint32_t what = dice(&seed, 20);
		struct gs_event click = { .type = GS_EVENT_MOUSE, .mouse = GS_MOUSE_PRESS };

		if (what < 4) {
			ui_look(p.f.m, &machines[dice(&seed, 3)]);
		} else if (what == 4) {
			click.row = (int)dice(&seed, (uint32_t)p.f.at.rows);
			click.column = (int)dice(&seed, (uint32_t)p.f.at.columns);
			play_event(&p, &click);
		} else {
			play(&p, tokens[dice(&seed, GS_ARRAY_SIZE(tokens))]);
		}
		if (p.f.m->layer == GS_LAYER_WRITING)
			gs_control_committed(p.f.m, dice(&seed, 2) ? GS_STATUS_OK : GS_STATUS_FAILED, "");
		if (p.f.m->n_staged > 4)
			gs_model_drop_all(p.f.m);
	}
	end(&p.f);
	/* or it has not tried */
	assert_true(p.with_word > 10);
	assert_true(p.written > p.with_word + 10);
}

/* An instance whose profile has no name, at a known and at an unknown place, in every layer. */
static void test_a_profile_without_a_name(void **state)
{
	static const struct ui_instance odd[] = { { 0, 3, NULL, 2, 4711, GS_HOLDER_PROCESS }, { 0, 4, "1g.10gb", 0, 0, GS_HOLDER_PROCESS } };
	static const struct ui_instance nowhere[] = { { 0, 3, NULL, UI_NOWHERE, 0, GS_HOLDER_PROCESS }, { 0, 4, "1g.10gb", 0, 0, GS_HOLDER_PROCESS } };
	static const struct ui_instance *const all[] = { odd, nowhere };

	for (size_t i = 0; i < GS_ARRAY_SIZE(all); i++) {
		struct ui_machine machine = ui_lab;
		FLOW struct flow f = { ui_model(&ui_lab, false), *(struct size *)*state };

		keys(&f, "c1\r");
		machine.instances = all[i];
		machine.n = 2;
		ui_look(f.m, &machine);
		sees(&f, "?", true);
		sees(&f, "GI 3", true);
		for (int layer = GS_LAYER_NONE; layer <= GS_LAYER_QUIT; layer++)
			for (int lane = 0; lane < GS_LANE_MAX; lane++) {
				GS_FREE char *text = NULL;

				f.m->layer = (enum gs_layer)layer;
				f.m->lane = (enum gs_lane)lane;
				text = picture(&f);
				assert_non_null(text);
			}
		f.m->layer = GS_LAYER_NONE;
		gs_model_drop_all(f.m);
		f.m->focus = GS_FOCUS_GRID;
		for (int k = 0; k < 8; k++)
			keys(&f, "dcMvRbpe\r\033[C");
		keys(&f, "\033");
		f.m->layer = GS_LAYER_NONE;
		f.m->unit = 2;
		f.m->selecting = false;
		gs_model_drop_all(f.m);
		keys(&f, "c");
		assert_int_equal(f.m->layer, GS_LAYER_NONE);
		assert_non_null(strstr(f.m->message, "cannot be read"));
		keys(&f, "d");
		assert_int_equal(f.m->n_staged, 0);
		assert_non_null(strstr(f.m->message, i ? "is not known" : "cannot be read"));
	}
}

static void test_without_root_no_word_is_asked(void **state)
{
	FLOW struct flow f;

	start(&f, state, 1);
	keys(&f, "\tld");
	f.m->privileged = false;
	keys(&f, "W");
	sees(&f, "Type", false);
	sees(&f, "writing needs root: ! asks sudo", true);
	assert_true(keys(&f, "!") & GS_DO_SUDO);
	assert_string_equal(f.m->input, "");
	f.m->privileged = true;
	sees(&f, "Type", true);
}

static void test_any_host_name_can_be_typed(void **state)
{
	static const char *const hosts[] = { "epyc01", "K8s", "yjkGqx!sp", "?s" };

	for (size_t i = 0; i < GS_ARRAY_SIZE(hosts); i++) {
		FLOW struct flow f;
		char word[32];

		start(&f, state, 1);
		snprintf(f.m->host, sizeof(f.m->host), "%s", hosts[i]);
		keys(&f, "\tldW");
		snprintf(word, sizeof(word), "%s:1", hosts[i]);
		assert_string_equal(f.m->confirm_word, word);
		keys(&f, word);
		assert_string_equal(f.m->input, word);
		assert_false(f.m->allow_kill);
		sees(&f, "^K SIGKILL", true);
		keys(&f, "\013");
		assert_true(f.m->allow_kill);
		sees(&f, "^K takes that back", true);
		keys(&f, "\013");
		assert_false(f.m->allow_kill);
		assert_true(keys(&f, "\r") & GS_DO_COMMIT);
		gs_control_committed(f.m, GS_STATUS_FAILED, "no");
		sees(&f, "WRITING  ended", true);
	}
}

static void test_steps_name_the_gpu_when_there_are_several(void **state)
{
	FLOW struct flow f;

	start(&f, state, 0);
	keys(&f, "\td");
	keys(&f, ":create 0 7g.80gb at 0\r");
	keys(&f, "z");
	sees(&f, "GPU 0: ", false);
	keys(&f, ":delete 1 1g.10gb@0\r");
	keys(&f, "z");
	sees(&f, "GPU 0: ", true);
	keys(&f, "\t");
	keys(&f, "G");
	keys(&f, "W");
	sees(&f, "GPU 1  ", true);
	keys(&f, "G");
	/* never as if it were this machine */
	sees(&f, "SAME AS   gpuslice --sim ... apply -", f.m->source == GS_SOURCE_SIM);
	sees(&f, "SAME AS   gpuslice apply -", f.m->source == GS_SOURCE_LIVE);
	f.m->sim = "/tmp/my lab's";
	sees(&f, "gpuslice --sim '/tmp/my lab'\\''s' apply -", true);
}

static void test_a_message_leaves_the_keys(void **state)
{
	FLOW struct flow f;

	start(&f, state, 0);
	keys(&f, "x");
	sees(&f, "nothing is staged here", true);
	sees(&f, "? help", true);
	keys(&f, ":create 0 7g.80gb at 0\r");
	keys(&f, " ");
	sees(&f, "1 GPU marked", true);
	sees(&f, "W write", true);
	sees(&f, "u undo", true);
	sees(&f, "q quit", true);
	keys(&f, "z");
	snprintf(f.m->message, sizeof(f.m->message), "a sentence that is so long that it leaves no room for any key beside it, and ends here");
	sees(&f, "a sentence that is so long", true);
	sees(&f, "ends here", true);
	sees(&f, "q quit", true);
}

static void test_words_in_the_header(void **state)
{
	FLOW struct flow f;

	start(&f, state, 0);
	keys(&f, ":mode 2 mig\r");
	sees(&f, "STAGED mode", true);
	keys(&f, ":create 0 7g.80gb at 0\r");
	sees(&f, "STAGED +1 -0", true);
}

static void test_a_monitor_lists_only_its_keys(void **state)
{
	FLOW struct flow f;

	start(&f, state, 0);
	sees(&f, "c create", true);
	f.m->read_only = true;
	keys(&f, "?");
	sees(&f, "Who uses the instance", true);
	sees(&f, "Create instances", false);
	sees(&f, "While selecting", false);
}

static void test_daemons_are_no_users(void **state)
{
	struct ui_machine machine = ui_lab;
	FLOW struct flow f;

	start(&f, state, 0);
	machine.kept_open = 7;
	ui_look(f.m, &machine);
	sees(&f, "nvidia-persiste", false);
	sees(&f, "bob, alice", true);
	machine.watched = 7;
	ui_look(f.m, &machine);
	sees(&f, f.at.columns == 80 ? "[nv-hos +1]" : "[nv-hostengine, dcgm-exporter]", true);
	sees(&f, "bob, alice", true);
}

static void test_only_what_is_known_is_said(void **state)
{
	struct ui_machine machine = ui_lab;
	FLOW struct flow f;

	start(&f, state, 1);
	machine.places_hidden = true;
	ui_look(f.m, &machine);
	sees(&f, " GiB in 3 instances", true);
	((struct gs_gpu *)gs_model_gpu(f.m))->memory_bytes = GS_U64_UNKNOWN;
	sees(&f, " GiB in 3 instances", true);
	sees(&f, "of - GiB", false);
}

static void test_equal_notes_are_one_row(void **state)
{
	FLOW struct flow f;

	start(&f, state, 1);
	keys(&f, "\tdz");
	sees(&f, "note     GPU", false);
	keys(&f, ":create 0 7g.80gb at 0\r");
	keys(&f, "z");
	sees(&f, "note     GPU 0, 1: lost at reboot", true);
	sees(&f, "note     GPU 1: lost", false);
	/* the cursor goes over both and stays in sight */
	keys(&f, "W");
	sees(&f, "> ", true);
	sees(&f, "KEPT", true);
	sees(&f, "UNDO", true);
	keys(&f, "jj");
	sees(&f, ">", true);
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
		BOTH(test_a_covered_review_still_wants_the_word),
		BOTH(test_the_stored_word_decides_nothing),
		BOTH(test_half_a_word_is_not_kept_out_of_sight),
		BOTH(test_only_a_key_of_its_own_writes),
		BOTH(test_explain_lies_on_the_review),
		BOTH(test_what_was_agreed_to_ends_with_the_review),
		BOTH(test_keys_at_random_never_stop_anybody),
		BOTH(test_a_profile_without_a_name),
		BOTH(test_without_root_no_word_is_asked),
		BOTH(test_any_host_name_can_be_typed),
		BOTH(test_steps_name_the_gpu_when_there_are_several),
		BOTH(test_a_message_leaves_the_keys),
		BOTH(test_words_in_the_header),
		BOTH(test_a_monitor_lists_only_its_keys),
		BOTH(test_daemons_are_no_users),
		BOTH(test_only_what_is_known_is_said),
		BOTH(test_equal_notes_are_one_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
