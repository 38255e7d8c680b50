/* SPDX-License-Identifier: GPL-2.0-or-later */
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

static void stage(struct gs_model *m, const char *text)
{
	struct gs_error e = { 0 };

	if (gs_model_stage(m, text, &e) < 0)
		fail_msg("%s: %s", text, e.text);
}

static void refuse(struct gs_model *m, const char *text, int errnum, const char *says)
{
	struct gs_error e = { 0 };
	size_t had = m->n_staged;
	int rc = gs_model_stage(m, text, &e);

	if (rc != errnum)
		fail_msg("%s: %d instead of %d: %s", text, rc, errnum, e.text);
	if (!strstr(e.text, says))
		fail_msg("%s: «%s» does not say «%s»", text, e.text, says);
	assert_int_equal(m->n_staged, had);
}

static void assert_counts(const struct gs_model *m, uint32_t created, uint32_t deleted)
{
	uint32_t c, d;

	gs_model_counts(m, &c, &d);
	assert_int_equal(c, created);
	assert_int_equal(d, deleted);
}

static void test_new_model_knows_nothing(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = gs_model_new(false);
	struct gs_block b[GS_GRID_UNITS_MAX];
	struct gs_error e = { 0 };

	(void)state;
	assert_null(gs_model_gpu(m));
	assert_null(gs_model_target(m, 0));
	assert_int_equal(gs_model_blocks(m, 0, false, b), 0);
	assert_int_equal(gs_model_n_plan_items(m), 0);
	assert_int_equal(gs_model_stage(m, "mode 0 mig", &e), -EAGAIN);
	assert_false(gs_model_undo(m));
	assert_false(gs_model_redo(m));
	gs_model_drop(m, 0);
	gs_model_drop_all(m);
	assert_counts(m, 0, 0);
}

static void test_first_snapshot_makes_an_empty_plan(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, false);

	(void)state;
	assert_non_null(m->plan);
	assert_null(m->request);
	assert_int_equal(m->plan->n_steps, 0);
	assert_false(gs_plan_is_blocked(m->plan));
	assert_string_equal(m->host, "dgx01");
	assert_int_equal(m->source, GS_SOURCE_SIM);
	assert_int_equal(m->snapshots_seen, 1);
}

static void test_creation_gets_explicit_places(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, false);
	GS_FREE char *script = NULL;

	(void)state;
	stage(m, "create 0 3g.40gb");
	assert_int_equal(m->n_staged, 1);
	/* the one that leaves most open */
	assert_string_equal(m->staged[0].text, "create 0 3g.40gb at 4");
	stage(m, "create 0 1g.10gb count +3");
	assert_int_equal(m->n_staged, 4);
	for (size_t i = 1; i < 4; i++)
		assert_non_null(strstr(m->staged[i].text, "create 0 1g.10gb at "));
	assert_counts(m, 4, 0);
	script = gs_model_script(m);
	assert_non_null(strstr(script, "create 0 3g.40gb at 4\n"));
	assert_int_equal(m->plan->n_steps, 8);
}

static void test_every_gpu_gets_a_statement_of_its_own(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, false);

	(void)state;
	stage(m, "delete 1 all; mode all whole");
	assert_int_equal(m->n_staged, 4);
	assert_string_equal(m->staged[0].text, "delete 1 all");
	assert_string_equal(m->staged[1].text, "mode 0 whole");
	assert_string_equal(m->staged[2].text, "mode 1 whole");
	assert_string_equal(m->staged[3].text, "mode 2 whole");
}

static void test_refusals_say_why_and_stage_nothing(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, false);
	struct gs_error e = { 0 };

	(void)state;
	refuse(m, "", -EINVAL, "no command");
	refuse(m, "create 0 9g.90gb at 0", -EINVAL, "9g.90gb");
	refuse(m, "delete 0 1g.10gb@3", -EALREADY, "changes nothing");
	refuse(m, "mode 2 whole", -EALREADY, "so already");
	assert_true(gs_model_stage(m, "creat 0 1g.10gb", &e) < 0);
	assert_int_equal(e.line, 1);
	assert_int_equal(e.column, 1);
	stage(m, "create 0 1g.10gb at 3");
	/* the position is that of what was typed, not of the list before it */
	e = (struct gs_error){ 0 };
	assert_true(gs_model_stage(m, "create 0 9g.90gb at 0", &e) < 0);
	assert_int_equal(e.line, 1);
	assert_int_equal(e.column, 10);
	refuse(m, "create 0 1g.10gb at 3", -EINVAL, "");
	/* all or nothing */
	refuse(m, "create 0 1g.10gb at 4; create 0 4g.40gb at 1", -EINVAL, "");
	assert_int_equal(m->n_staged, 1);
}

static void test_no_room_is_refused(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, false);
	struct gs_error e = { 0 };

	(void)state;
	stage(m, "create 0 7g.80gb");
	assert_true(gs_model_stage(m, "create 0 1g.10gb", &e) < 0);
	assert_int_equal(m->n_staged, 1);
	assert_true(strlen(e.text) > 10);
}

static void test_undo_redo_drop(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, false);
	struct gs_digest one, two;

	(void)state;
	stage(m, "create 0 1g.10gb at 0");
	one = m->plan->digest;
	stage(m, "create 0 1g.10gb at 1");
	two = m->plan->digest;
	assert_false(gs_digest_equal(&one, &two));
	assert_true(gs_model_undo(m));
	assert_true(gs_digest_equal(&one, &m->plan->digest));
	assert_true(gs_model_redo(m));
	assert_true(gs_digest_equal(&two, &m->plan->digest));
	gs_model_drop(m, 0);
	assert_string_equal(m->staged[0].text, "create 0 1g.10gb at 1");
	gs_model_drop_all(m);
	assert_int_equal(m->n_staged, 0);
	assert_null(m->request);
	assert_true(gs_model_redo(m));
	assert_true(gs_model_redo(m));
	assert_int_equal(m->n_staged, 2);
	/* a new command ends redo */
	assert_true(gs_model_undo(m));
	stage(m, "create 0 1g.10gb at 5");
	assert_false(gs_model_redo(m));
}

static void test_what_no_longer_holds_is_kept_and_marked(void **state)
{
	static const struct ui_instance fewer[] = { { 1, 2, "3g.40gb", 4, 48211, GS_HOLDER_PROCESS } };
	struct ui_machine later = ui_lab;
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, false);
	GS_FREE char *script = NULL;

	(void)state;
	stage(m, "delete 1 gi:11");
	stage(m, "create 0 2g.20gb at 2");
	later.instances = fewer;
	later.n = 1;
	ui_look(m, &later);
	assert_int_equal(m->n_staged, 2);
	assert_null(m->staged[1].stale);
	script = gs_model_script(m);
	if (m->staged[0].stale)
		assert_string_equal(script, "create 0 2g.20gb at 2\n");
	assert_counts(m, 1, 0);
	ui_look(m, &ui_lab);
	assert_null(m->staged[0].stale);
	assert_counts(m, 1, 1);
}

static void test_a_gpu_that_leaves_takes_only_its_commands(void **state)
{
	struct ui_machine later = ui_lab;
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, false);

	(void)state;
	stage(m, "create 0 1g.10gb at 0");
	stage(m, "mode 2 mig");
	m->gpu = 2;
	m->marked_gpus = 1 << 2 | 1 << 0;
	later.missing = 1 << 0;
	ui_look(m, &later);
	/* the cursor and the words follow the board, not the number */
	assert_int_equal(m->gpu, 1);
	assert_int_equal(m->marked_gpus, 1 << 1);
	assert_string_equal(m->staged[1].text, "mode 1 mig");
	assert_null(m->staged[1].stale);
	assert_non_null(m->staged[0].stale);
	assert_int_equal(m->plan->n_steps, 1);
	assert_int_equal(m->plan->steps[0].bdf.bus, 0x3b);
	ui_look(m, &ui_lab);
	assert_int_equal(m->gpu, 2);
	assert_string_equal(m->staged[0].text, "create 0 1g.10gb at 0");
	assert_string_equal(m->staged[1].text, "mode 2 mig");
	assert_null(m->staged[0].stale);
}

static void test_what_somebody_else_made_meanwhile_blocks(void **state)
{
	static const struct ui_instance same[] = { { 0, 9, "1g.10gb", 6, 0, GS_HOLDER_PROCESS } };
	struct ui_machine later = ui_lab;
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, false);
	struct gs_block b[GS_GRID_UNITS_MAX];

	(void)state;
	stage(m, "create 0 1g.10gb at 6");
	later.instances = same;
	later.n = 1;
	ui_look(m, &later);
	assert_int_equal(m->n_staged, 1);
	assert_true(gs_plan_is_blocked(m->plan));
	assert_counts(m, 1, 0);
	assert_int_equal(gs_model_blocks(m, 0, true, b), 8);
	assert_int_equal(b[6].state, GS_UNIT_INSTANCE);
	assert_true(b[6].in_the_way);
}

static void test_blocks_have_no_gaps(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, false);
	struct gs_block b[GS_GRID_UNITS_MAX];

	(void)state;
	stage(m, "delete 1 1g.10gb@0 1g.10gb@1; create 1 2g.20gb at 0");
	for (uint32_t gpu = 0; gpu < 3; gpu++) {
		for (int after = 0; after < 2; after++) {
			size_t n = gs_model_blocks(m, gpu, after, b);
			uint32_t at = 0;

			for (size_t i = 0; i < n; i++) {
				assert_int_equal(b[i].span.start, at);
				assert_true(b[i].span.size > 0);
				at += b[i].span.size;
			}
			assert_int_equal(at, gpu == 2 ? 0 : 8);
		}
	}
	assert_int_equal(gs_model_blocks(m, 1, false, b), 5);
	assert_int_equal(b[0].state, GS_UNIT_GONE);
	assert_int_equal(b[1].state, GS_UNIT_GONE);
	assert_int_equal(b[2].state, GS_UNIT_FREE);
	assert_int_equal(b[4].state, GS_UNIT_INSTANCE);
	assert_int_equal(b[4].instance->id, 2);
	assert_int_equal(gs_model_blocks(m, 1, true, b), 4);
	assert_int_equal(b[0].state, GS_UNIT_NEW);
	assert_string_equal(b[0].want->profile, "2g.20gb");
	assert_int_equal(b[3].state, GS_UNIT_INSTANCE);
}

static void test_lost_units(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, false);
	struct gs_block b[GS_GRID_UNITS_MAX];

	(void)state;
	stage(m, "create 0 1g.10gb count +7");
	assert_int_equal(gs_model_blocks(m, 0, true, b), 8);
	assert_int_equal(b[7].state, GS_UNIT_LOST);
	assert_int_equal(gs_model_blocks(m, 0, false, b), 8);
	assert_int_equal(b[7].state, GS_UNIT_FREE);
}

static void test_hidden_places_are_never_drawn_or_edited(void **state)
{
	struct ui_machine hidden = ui_lab;
	GS_CLEANUP(gs_model_freep) struct gs_model *m = NULL;
	struct gs_block b[GS_GRID_UNITS_MAX];

	(void)state;
	hidden.places_hidden = true;
	m = ui_model(&hidden, false);
	assert_int_equal(gs_model_blocks(m, 1, false, b), 0);
	assert_int_equal(gs_model_blocks(m, 1, true, b), 0);
	refuse(m, "create 1 1g.10gb at 2", -EPERM, "! asks sudo");
}

static void test_palette_offers(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, false);
	const struct gs_offer *o;

	(void)state;
	m->gpu = 1;
	assert_int_equal(gs_model_offer(m, false, NULL), 0);
	assert_int_equal(m->n_offers, 7);
	o = &m->offers[0];
	assert_string_equal(o->profile->name, "1g.10gb");
	assert_int_equal(o->n_starts, 2);
	assert_string_equal(o->why, "");
	o = &m->offers[3];
	assert_string_equal(o->profile->name, "2g.20gb");
	assert_int_equal(o->n_starts, 1);
	assert_int_equal(o->starts[o->chosen], 2);
	assert_int_equal(o->best_start, 2);
	o = &m->offers[5];
	assert_int_equal(o->n_starts, 0);
	assert_int_equal(o->misfit.why, GS_MISFIT_OVERLAP);
	assert_string_equal(o->why, "only at 0: GI 11, GI 12*");
	/* what is staged counts */
	stage(m, "create 1 1g.10gb at 3");
	m->unit = 2;
	assert_int_equal(gs_model_offer(m, false, NULL), 0);
	assert_int_equal(m->offers[3].n_starts, 0);
	assert_non_null(strstr(m->offers[3].why, "+1g.10gb@3"));
}

static void select_units(struct gs_model *m, uint32_t anchor, uint32_t extent)
{
	m->anchor = anchor;
	m->extent = extent;
	m->selecting = true;
	assert_int_equal(gs_model_offer(m, true, NULL), 0);
	m->selecting = false;
}

static const struct gs_offer *offer_of(const struct gs_model *m, const char *profile)
{
	for (size_t i = 0; i < m->n_offers; i++)
		if (!strcmp(m->offers[i].profile->name, profile))
			return &m->offers[i];
	fail_msg("%s is not offered", profile);
	return NULL;
}

static void test_the_place_that_hurts_least(void **state)
{
	/* held, held, idle small ones, idle large one: wherever the cursor is */
	static const struct ui_instance full[] = {
		{ 0, 11, "1g.10gb", 0, 51020, GS_HOLDER_PROCESS }, { 0, 12, "1g.10gb", 1, 0, GS_HOLDER_PROCESS },
		{ 0, 13, "1g.10gb", 2, 0, GS_HOLDER_PROCESS }, { 0, 14, "1g.10gb", 3, 0, GS_HOLDER_PROCESS },
		{ 0, 2, "3g.40gb", 4, 48211, GS_HOLDER_PROCESS },
	};
	static const struct ui_instance idle[] = {
		{ 0, 1, "3g.40gb", 0, 0, GS_HOLDER_PROCESS }, { 0, 14, "1g.10gb", 4, 0, GS_HOLDER_PROCESS },
		{ 0, 15, "1g.10gb", 5, 0, GS_HOLDER_PROCESS }, { 0, 5, "1g.20gb", 6, 0, GS_HOLDER_PROCESS },
	};
	struct ui_machine machine = ui_lab;
	GS_CLEANUP(gs_model_freep) struct gs_model *m = NULL;

	(void)state;
	machine.instances = full;
	machine.n = GS_ARRAY_SIZE(full);
	m = ui_model(&machine, false);
	for (m->unit = 0; m->unit < 8; m->unit += 4) {
		assert_int_equal(gs_model_offer(m, false, NULL), 0);
		/* never in place of one of its own, which would change nothing */
		assert_int_equal(offer_of(m, "1g.10gb")->wanted_start, 4);
		assert_int_equal(offer_of(m, "1g.10gb+me")->wanted_start, 1);
		assert_int_equal(offer_of(m, "2g.20gb")->wanted_start, 2);
		assert_int_equal(offer_of(m, "3g.40gb")->wanted_start, 0);
	}
	machine.instances = idle;
	machine.n = GS_ARRAY_SIZE(idle);
	ui_look(m, &machine);
	m->unit = 0;
	assert_int_equal(gs_model_offer(m, false, NULL), 0);
	/* one instance in each case: the smallest that will do, then the lowest */
	assert_int_equal(offer_of(m, "1g.10gb")->wanted_start, 6);
	assert_int_equal(offer_of(m, "1g.10gb+me")->wanted_start, 4);
	/* two small ones rather than twice their memory in one */
	assert_int_equal(offer_of(m, "2g.20gb")->wanted_start, 4);
	/* others stay to be chosen */
	m->offer = 0;
	assert_int_equal(gs_model_offer_elsewhere(m, -1), 0);
	assert_int_equal(m->offers[0].wanted_start, 5);
}

static void test_offers_for_a_selection(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, false);

	(void)state;
	/* backwards, exact */
	select_units(m, 3, 2);
	/* as large, and the most compute first */
	assert_string_equal(m->offers[0].profile->name, "2g.20gb");
	assert_string_equal(m->offers[1].profile->name, "1g.20gb");
	assert_int_equal(m->offers[1].starts[m->offers[1].chosen], 2);
	assert_string_equal(m->offers[2].profile->name, "1g.10gb");
	assert_int_equal(m->offers[2].n_starts, 2);
	assert_int_equal(m->n_offers, 4);
	/* snaps */
	select_units(m, 1, 4);
	assert_string_equal(m->offers[0].profile->name, "4g.40gb");
	assert_int_equal(m->offers[0].starts[0], 0);
	assert_int_equal(m->offers[0].n_starts, 1);
	/* seven slices mean all eight units */
	select_units(m, 0, 6);
	assert_string_equal(m->offers[m->n_offers - 1].profile->name, "7g.80gb");
	/* in the way */
	m->gpu = 1;
	select_units(m, 0, 3);
	assert_int_equal(m->offers[0].n_starts, 0);
	assert_int_equal(m->offers[0].misfit.n_blockers, 2);
	assert_non_null(strstr(m->offers[0].why, "GI 11, GI 12*"));
}

static void test_typed_holders_are_named_in_the_request(void **state)
{
	GS_CLEANUP(gs_model_freep) struct gs_model *m = ui_model(&ui_lab, false);

	(void)state;
	stage(m, "delete 1 1g.10gb@0");
	assert_false(gs_plan_stops_somebody(m->plan));
	assert_int_equal(m->request->n_disrupt, 0);
	stage(m, "delete 1 1g.10gb@1");
	assert_false(gs_plan_is_blocked(m->plan));
	assert_true(gs_plan_stops_somebody(m->plan));
	assert_int_equal(m->request->n_disrupt, 1);
	assert_int_equal(m->request->disrupt[0].kind, GS_DISRUPT_PID);
	assert_int_equal(m->request->disrupt[0].pid, 51020);
	assert_int_equal(m->plan->steps[0].op, GS_STEP_STOP_HOLDER);
}

static void test_a_vm_is_never_named(void **state)
{
	static const struct ui_instance vm[] = { { 1, 5, "3g.40gb", 4, 777, GS_HOLDER_VM } };
	struct ui_machine machine = ui_lab;
	GS_CLEANUP(gs_model_freep) struct gs_model *m = NULL;

	(void)state;
	machine.instances = vm;
	machine.n = 1;
	m = ui_model(&machine, false);
	stage(m, "delete 1 3g.40gb@4");
	assert_true(gs_plan_is_blocked(m->plan));
	assert_int_equal(m->request->n_disrupt, 0);
}

static void test_a_profile_without_a_name(void **state)
{
	static const struct ui_instance odd[] = { { 0, 3, NULL, 2, 0, GS_HOLDER_PROCESS }, { 0, 4, "1g.10gb", 0, 0, GS_HOLDER_PROCESS } };
	struct ui_machine machine = ui_lab;
	GS_CLEANUP(gs_model_freep) struct gs_model *m = NULL;
	struct gs_block b[GS_GRID_UNITS_MAX];
	struct gs_error e = { 0 };
	size_t n;

	(void)state;
	machine.instances = odd;
	machine.n = 2;
	m = ui_model(&machine, false);
	n = gs_model_blocks(m, 0, false, b);
	assert_int_equal(n, 7);
	/* there, and going nowhere: nobody asked for that */
	assert_int_equal(b[2].state, GS_UNIT_INSTANCE);
	assert_int_equal(b[2].span.size, 2);
	assert_null(b[2].profile);
	assert_int_equal(b[0].state, GS_UNIT_INSTANCE);
	/* what would fit beside it is not known */
	assert_int_equal(gs_model_offer(m, false, &e), -ENODATA);
	assert_int_equal(m->n_offers, 0);
}

/* Only a process can be stopped: a plan that waits for a unit stays blocked. */
static void test_a_unit_is_never_named(void **state)
{
	static const struct ui_instance unit[] = { { 1, 12, "1g.10gb", 1, 900, GS_HOLDER_UNIT } };
	struct ui_machine machine = ui_lab;
	GS_CLEANUP(gs_model_freep) struct gs_model *m = NULL;
	struct gs_error e = { 0 };

	(void)state;
	machine.instances = unit;
	machine.n = 1;
	m = ui_model(&machine, false);
	assert_int_equal(gs_model_stage(m, "delete 1 1g.10gb@1", &e), 0);
	assert_int_equal(m->request->n_disrupt, 0);
	assert_int_equal(gs_model_needs_word(m), gs_plan_stops_somebody(m->plan));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_model_knows_nothing),
		cmocka_unit_test(test_first_snapshot_makes_an_empty_plan),
		cmocka_unit_test(test_creation_gets_explicit_places),
		cmocka_unit_test(test_every_gpu_gets_a_statement_of_its_own),
		cmocka_unit_test(test_refusals_say_why_and_stage_nothing),
		cmocka_unit_test(test_no_room_is_refused),
		cmocka_unit_test(test_undo_redo_drop),
		cmocka_unit_test(test_what_no_longer_holds_is_kept_and_marked),
		cmocka_unit_test(test_a_gpu_that_leaves_takes_only_its_commands),
		cmocka_unit_test(test_what_somebody_else_made_meanwhile_blocks),
		cmocka_unit_test(test_blocks_have_no_gaps),
		cmocka_unit_test(test_lost_units),
		cmocka_unit_test(test_hidden_places_are_never_drawn_or_edited),
		cmocka_unit_test(test_palette_offers),
		cmocka_unit_test(test_the_place_that_hurts_least),
		cmocka_unit_test(test_offers_for_a_selection),
		cmocka_unit_test(test_typed_holders_are_named_in_the_request),
		cmocka_unit_test(test_a_vm_is_never_named),
		cmocka_unit_test(test_a_profile_without_a_name),
		cmocka_unit_test(test_a_unit_is_never_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
