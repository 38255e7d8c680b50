/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What scripts and layouts mean (design 7), statement by statement; whole plans are in tests/plan/cases. */
#include "tests/lib/cmocka.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "codec/layout_text.h"
#include "codec/script_text.h"
#include "tests/lib/testhost.h"

#define MODEL "h100-sxm5-80gb"

/* ---------------------------------------------------------------- in one line */

/* "mig 3g.40gb@4 1g.10gb@?[1c.…@0]!": "@?" is open, "[]" compute instances that are not the default one, "!" made anew. */
static char *layout_line(const struct gs_layout *l)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;

	for (size_t i = 0; i < l->n_gpus; i++) {
		gs_strbuf_printf(&b, "%s%s", i ? " | " : "", gs_mode_name(l->gpus[i].mode));
		for (size_t k = 0; k < l->gpus[i].n_wants; k++) {
			const struct gs_want *w = &l->gpus[i].wants[k];

			gs_strbuf_printf(&b, " %s@", w->profile);
			gs_strbuf_printf(&b, w->start.known ? "%" PRIu32 : "?", w->start.value);
			for (size_t c = 0; c < w->n_compute; c++) {
				gs_strbuf_printf(&b, "%s%s", c ? "," : "[", w->compute[c].profile);
				if (w->compute[c].start.known)
					gs_strbuf_printf(&b, "@%" PRIu32, w->compute[c].start.value);
			}
			gs_strbuf_puts(&b, w->n_compute ? "]" : w->compute_default ? "" : "[]");
			gs_strbuf_puts(&b, w->recreate ? "!" : "");
		}
	}
	return gs_strbuf_take(&b);
}

static int evaluate(const struct gs_snapshot *s, const char *text, enum gs_script_context context, struct gs_evaluation *ev, struct gs_error *e)
{
	GS_CLEANUP(gs_script_freep) struct gs_script *script = NULL;

	if (gs_script_parse(text, strlen(text), "f", &script, e) < 0)
		fail_msg("%s", e->text);
	return gs_script_evaluate(script, s, context, ev, e);
}

static void expect_in(enum gs_script_context context, const char *machine, const char *text, const char *want)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_testhost(MODEL, machine);
	GS_EVALUATION struct gs_evaluation ev = { 0 };
	struct gs_error e = { 0 };
	GS_FREE char *line = NULL;

	if (evaluate(s, text, context, &ev, &e) < 0)
		fail_msg("%s on %s: %u:%u %s", text, machine, e.line, e.column, e.text);
	line = layout_line(ev.layout);
	if (strcmp(line, want) != 0)
		fail_msg("%s on %s gives\n%s\nand should give\n%s", text, machine, line, want);
}

static void expect(const char *machine, const char *text, const char *want)
{
	expect_in(GS_CONTEXT_FILE, machine, text, want);
}

/* Wrong whatever the machine's state, at line 1 and @column (or as given), with these words. */
static void expect_wrong_in(enum gs_script_context context, const char *machine, const char *text, unsigned line, unsigned column, const char *words)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_testhost(MODEL, machine);
	GS_EVALUATION struct gs_evaluation ev = { 0 };
	struct gs_error e = { 0 };

	if (evaluate(s, text, context, &ev, &e) == 0)
		fail_msg("%s on %s is accepted", text, machine);
	if (e.status != GS_STATUS_INVALID || e.line != line || e.column != column || !strstr(e.text, words) || strcmp(e.file, "f") != 0)
		fail_msg("%s on %s: %d %s:%u:%u %s", text, machine, (int)e.status, e.file, e.line, e.column, e.text);
	assert_null(ev.layout);
}

static void expect_wrong(const char *machine, const char *text, unsigned column, const char *words)
{
	expect_wrong_in(GS_CONTEXT_FILE, machine, text, 1, column, words);
}

/* What the script claimed, "0 3g.40gb@4* 1 …" ("*": held), and what it remarks, "absent …". */
static void expect_said(const char *machine, const char *text, const char *claims, const char *remarks)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_testhost(MODEL, machine);
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT, r = GS_STRBUF_INIT;
	GS_EVALUATION struct gs_evaluation ev = { 0 };
	struct gs_error e = { 0 };

	if (evaluate(s, text, GS_CONTEXT_FILE, &ev, &e) < 0)
		fail_msg("%s: %s", text, e.text);
	gs_strbuf_puts(&b, "");
	gs_strbuf_puts(&r, "");
	for (size_t i = 0; i < ev.n_claims; i++)
		gs_strbuf_printf(&b, "%s%" PRIu32 " %s@%" PRIu32 "%s", i ? " " : "", ev.claims[i].gpu, ev.claims[i].profile, ev.claims[i].start,
				 ev.claims[i].is_held ? "*" : "");
	for (size_t i = 0; i < ev.n_remarks; i++)
		gs_strbuf_printf(&r, "%s%s %u:%u", i ? " " : "", ev.remarks[i].rule, ev.remarks[i].pos.line, ev.remarks[i].pos.column);
	assert_string_equal(b.text, claims);
	assert_string_equal(r.text, remarks);
}

/* ---------------------------------------------------------------- which GPUs */

static void a_number_or_a_range_names_gpus_in_pci_order(void **state)
{
	(void)state;
	expect("whole | whole | whole", "mode 1 mig", "whole | mig | whole");
	expect("whole | whole | whole", "mode 1-2 mig", "whole | mig | mig");
	expect("whole | whole", "mode 0-0 mig", "mig | whole");
	expect("whole | whole", "mode all mig", "mig | mig");
}

static void a_pci_address_names_a_gpu_with_or_without_its_domain(void **state)
{
	(void)state;
	expect("whole | whole", "mode 0000:02:00.0 mig", "whole | mig");
	expect("whole | whole", "mode 02:00.0 mig", "whole | mig");
}

static void the_beginning_of_a_uuid_names_a_gpu(void **state)
{
	(void)state;
	expect("whole | whole", "mode GPU-5f3c1a01 mig", "whole | mig");
	expect("whole | whole", "mode GPU-5f3c1a00-1111-2222-3333-444444444444 mig", "mig | whole");
	expect("whole", "mode GPU-5 mig", "mig");
}

static void a_model_is_a_pattern_that_ignores_case(void **state)
{
	(void)state;
	expect("whole | whole", "mode model:\"NVIDIA H100 80GB HBM3\" mig", "mig | mig");
	expect("whole | whole", "mode model:*h100* mig", "mig | mig");
}

static void a_selector_without_a_match_is_wrong_where_it_stands(void **state)
{
	(void)state;
	expect_wrong("whole | whole", "mode 2 mig", 6, "has 0 to 1");
	expect_wrong("whole", "mode 1 mig", 6, "only GPU 0");
	expect_wrong("whole | whole", "mode 1-2 mig", 6, "no GPU 2");
	expect_wrong("whole | whole", "mode 0000:03:00.0 mig", 6, "no GPU at 0000:03:00.0");
	expect_wrong("whole | whole", "mode GPU-6 mig", 6, "begins with GPU-6");
	expect_wrong("whole | whole", "mode model:*A100* mig", 6, "*A100*");
	/* a part of a name is no pattern for it */
	expect_wrong("whole | whole", "mode model:H100 mig", 6, "H100");
	expect_wrong_in(GS_CONTEXT_FILE, "whole", "mode 0 mig\n# and\ncopy 0 to 7", 3, 11, "no GPU 7");
}

static void an_ambiguous_beginning_of_a_uuid_is_wrong(void **state)
{
	(void)state;
	expect_wrong("whole | whole", "mode GPU-5f3c1a0 mig", 6, "more than one");
}

/* ---------------------------------------------------------------- which instances */

static void an_instance_is_named_by_profile_and_start_or_by_its_uuid(void **state)
{
	static const char machine[] = "mig 3g.40gb@4 1g.10gb@0 1g.10gb@1";

	(void)state;
	expect(machine, "delete 0 1g.10gb@1", "mig 1g.10gb@0 3g.40gb@4");
	expect(machine, "delete 0 MIG-00000001-0003-0000-0000-000000000000", "mig 1g.10gb@0 3g.40gb@4");
	expect(machine, "delete 0 1g.10gb@1 3g.40gb@4", "mig 1g.10gb@0");
	expect(machine, "delete 0 all", "mig");
	expect_wrong(machine, "delete 0 MIG-00000002-0003-0000-0000-000000000000", 10, "no such instance");
	expect_wrong(machine, "delete 0 1g.10gb@7", 10, "cannot start at 7");
	expect_wrong(machine, "delete 0 1g.11gb@1", 10, "no profile 1g.11gb");
}

static void deleting_what_is_absent_is_a_note(void **state)
{
	(void)state;
	expect("mig 1g.10gb@0", "delete 0 1g.10gb@1", "mig 1g.10gb@0");
	expect_said("mig 1g.10gb@0", "delete 0 1g.10gb@1 2g.20gb@2", "", "absent 1:10 absent 1:20");
	expect_said("mig", "delete 0 all", "", "");
}

static void the_drivers_number_names_an_instance_at_the_prompt_only(void **state)
{
	(void)state;
	expect_in(GS_CONTEXT_PROMPT, "mig 3g.40gb@4 1g.10gb@0", "delete 0 gi:1", "mig 1g.10gb@0");
	expect_in(GS_CONTEXT_PROMPT, "mig 3g.40gb@4 1g.10gb@0", "move 0 gi:2 to 1", "mig 1g.10gb@1 3g.40gb@4");
	expect_wrong_in(GS_CONTEXT_PROMPT, "mig 3g.40gb@4", "delete 0 gi:2", 1, 10, "no such instance");
	expect_wrong("mig 3g.40gb@4", "delete 0 gi:1", 10, "PROFILE@START");
}

/* ---------------------------------------------------------------- create: claims before it adds */

static void create_at_a_start_claims_what_is_there_once(void **state)
{
	(void)state;
	expect("mig 3g.40gb@4", "create 0 3g.40gb at 4", "mig 3g.40gb@4");
	expect("mig 3g.40gb@4", "create 0 3g.40gb at 0", "mig 3g.40gb@4 3g.40gb@0");
	expect_said("mig 3g.40gb@4*", "create 0 3g.40gb at 4", "0 3g.40gb@4*", "");
	expect_wrong("mig 3g.40gb@4", "create 0 3g.40gb at 4; create 0 3g.40gb at 4", 44, "overlaps");
	/* only a request of this script is in the way here; what is on the machine is for the plan to say */
	expect("mig 3g.40gb@4", "create 0 1g.10gb at 4", "mig 3g.40gb@4 1g.10gb@4");
}

static void create_without_a_start_claims_in_start_order_and_adds_the_rest(void **state)
{
	(void)state;
	expect_said("mig 1g.10gb@3 1g.10gb@1 1g.10gb@0", "create 0 1g.10gb count 2", "0 1g.10gb@0 0 1g.10gb@1", "");
	expect_said("mig 1g.10gb@3 1g.10gb@1", "create 0 1g.10gb; create 0 1g.10gb", "0 1g.10gb@1 0 1g.10gb@3", "");
	expect("mig 3g.40gb@4 1g.10gb@1", "create 0 1g.10gb count 2; create 0 3g.40gb", "mig 1g.10gb@1 3g.40gb@4 1g.10gb@0");
	/* what has no place stays open, and the plan says so */
	expect("mig 7g.80gb@0", "create 0 1g.10gb", "mig 7g.80gb@0 1g.10gb@?");
}

static void a_claim_by_start_leaves_the_others_for_a_claim_without(void **state)
{
	(void)state;
	expect_said("mig 1g.10gb@0 1g.10gb@1", "create 0 1g.10gb at 0; create 0 1g.10gb", "0 1g.10gb@0 0 1g.10gb@1", "");
	/* in either order: the open one takes another, or becomes a new one */
	expect_said("mig 1g.10gb@0 1g.10gb@1", "create 0 1g.10gb; create 0 1g.10gb at 0", "0 1g.10gb@1 0 1g.10gb@0", "");
	expect("mig 3g.40gb@0", "create 0 3g.40gb; create 0 3g.40gb at 0", "mig 3g.40gb@0 3g.40gb@4");
	expect("mig 3g.40gb@0", "create 0 3g.40gb; create 0 1g.10gb at 0; delete 0 rest", "mig 3g.40gb@4 1g.10gb@0");
}

static void the_same_script_again_means_nothing(void **state)
{
	static const char script[] = "create 0 1g.10gb count 2; create 0 2g.20gb at 2; create 0 3g.40gb; delete 0 rest";

	(void)state;
	expect("mig 1g.10gb@0 1g.10gb@1 2g.20gb@2 3g.40gb@4", script, "mig 1g.10gb@0 1g.10gb@1 2g.20gb@2 3g.40gb@4");
	expect_said("mig 1g.10gb@0 1g.10gb@1 2g.20gb@2 3g.40gb@4", script, "0 1g.10gb@0 0 1g.10gb@1 0 2g.20gb@2 0 3g.40gb@4", "");
}

static void delete_rest_deletes_what_no_statement_claimed(void **state)
{
	(void)state;
	expect("mig 1g.10gb@0 1g.10gb@1 3g.40gb@4", "create 0 1g.10gb at 1; delete 0 rest", "mig 1g.10gb@1");
	expect("mig 1g.10gb@0 3g.40gb@4", "delete 0 rest", "mig");
	expect("mig 1g.10gb@0 3g.40gb@4 | mig 1g.10gb@0", "create 0 3g.40gb; delete 0 rest", "mig 3g.40gb@4 | mig 1g.10gb@0");
	/* moved, recreated and given a compute instance is claimed too */
	expect("mig 1g.10gb@0 3g.40gb@4", "move 0 1g.10gb@0 to 1; delete 0 rest", "mig 1g.10gb@1");
	expect("mig 1g.10gb@0 3g.40gb@4", "recreate 0 1g.10gb@0; delete 0 rest", "mig 1g.10gb@0!");
}

static void a_move_to_where_it_is_claims_it_all_the_same(void **state)
{
	(void)state;
	expect("mig 1g.10gb@0 3g.40gb@4", "move 0 1g.10gb@0 to 0; delete 0 rest", "mig 1g.10gb@0");
}

static void recreating_all_claims_all(void **state)
{
	(void)state;
	expect("mig 1g.10gb@0 3g.40gb@4", "recreate 0 all; delete 0 rest", "mig 1g.10gb@0! 3g.40gb@4!");
}

static void a_count_from_a_start_takes_the_lowest_places_that_do_not_overlap(void **state)
{
	(void)state;
	expect("mig", "create 0 1g.20gb at 2 count 2", "mig 1g.20gb@2 1g.20gb@4");
	expect("mig", "create 0 2g.20gb at 0 count 3", "mig 2g.20gb@0 2g.20gb@2 2g.20gb@4");
	expect("mig 1g.10gb@4", "create 0 1g.10gb at 3 count 3", "mig 1g.10gb@4 1g.10gb@3 1g.10gb@5");
	expect_wrong("mig", "create 0 1g.10gb at 5 count 3", 21, "only 2 placements from 5");
	expect_wrong("mig", "create 0 4g.40gb at 0 count 2", 21, "only 1 placement from 0");
}

static void count_with_a_plus_always_adds_and_says_that_it_does(void **state)
{
	(void)state;
	expect("mig 3g.40gb@4", "create 0 3g.40gb count +1", "mig 3g.40gb@4 3g.40gb@0");
	expect_said("mig 3g.40gb@4", "create 0 3g.40gb count +1", "", "not-idempotent 1:1");
}

static void at_the_prompt_create_always_adds(void **state)
{
	(void)state;
	expect_in(GS_CONTEXT_PROMPT, "mig 1g.10gb@0", "create 0 1g.10gb at 1", "mig 1g.10gb@0 1g.10gb@1");
	expect_in(GS_CONTEXT_PROMPT, "mig 3g.40gb@4", "create 0 3g.40gb", "mig 3g.40gb@4 3g.40gb@0");
	expect_in(GS_CONTEXT_PROMPT, "mig 2g.20gb@4", "create 0 2g.20gb count 2", "mig 2g.20gb@4 2g.20gb@0 2g.20gb@2");
	/* a second one in the same place is two, for the plan to refuse */
	expect_in(GS_CONTEXT_PROMPT, "mig 3g.40gb@4", "create 0 3g.40gb at 4", "mig 3g.40gb@4 3g.40gb@4");
}

static void a_start_or_profile_that_the_model_does_not_have_is_wrong(void **state)
{
	(void)state;
	expect_wrong("mig", "create 0 4g.40gb at 4", 21, "only at 0");
	expect_wrong("mig", "create 0 5g.50gb", 10, "has no profile 5g.50gb");
	expect_wrong("mig", "create 0 1g.10gb vf 2", 1, "takes no vf");
}

static void requests_of_one_script_that_overlap_are_wrong(void **state)
{
	(void)state;
	expect_wrong("mig", "create 0 3g.40gb at 0; create 0 1g.10gb at 3", 44, "which this script asks for too");
	/* unless the first was deleted again */
	expect("mig", "create 0 3g.40gb at 0; delete 0 3g.40gb@0; create 0 1g.10gb at 3", "mig 1g.10gb@3");
}

static void one_more_than_the_driver_allows_is_a_finding(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_testhost(MODEL, "mig");
	const struct gs_plan_options options = { .n_disrupt = 0 };
	GS_CLEANUP(gs_plan_freep) struct gs_plan *plan = NULL;
	struct gs_error e = { 0 };

	(void)state;
	if (gs_testhost_plan(s, "create 0 1g.10gb+me at 0; create 0 1g.10gb+me at 1", &options, &plan, &e) < 0)
		fail_msg("%s", e.text);
	assert_true(gs_plan_is_blocked(plan));
	assert_string_equal(plan->findings[0].rule, "count-limit");
	assert_int_equal(plan->findings[0].pos.column, 36);
}

static void open_starts_are_solved_together_after_the_last_line(void **state)
{
	(void)state;
	/* the 1g by themselves would take 6 and 4, the 2g then 0, and the 3g would find nothing */
	expect("mig", "create 0 1g.10gb; create 0 1g.10gb; create 0 2g.20gb; create 0 3g.40gb", "mig 1g.10gb@2 1g.10gb@3 2g.20gb@0 3g.40gb@4");
	expect("mig 3g.40gb@4", "create 0 3g.40gb count +1; delete 0 3g.40gb@4; create 0 1g.10gb at 0", "mig 3g.40gb@4 1g.10gb@0");
}

/* ---------------------------------------------------------------- move, recreate, copy */

static void a_move_keeps_what_is_inside_and_is_a_new_instance(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_testhost(MODEL, "mig 2g.20gb@0");
	GS_EVALUATION struct gs_evaluation ev = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	assert_int_equal(evaluate(s, "move 0 2g.20gb@0 to 4", GS_CONTEXT_FILE, &ev, &e), 0);
	assert_false(ev.layout->gpus[0].wants[0].instance_id.known);
	assert_int_equal(ev.n_claims, 0);
	expect("mig 2g.20gb@0", "create 0 2g.20gb at 0 ci 1c.2g.20gb@1; move 0 2g.20gb@0 to 4", "mig 2g.20gb@4[1c.2g.20gb@1]");
	/* over itself, and to where another one goes away from */
	expect("mig 1g.20gb@0 1g.20gb@2", "move 0 1g.20gb@0 to 4; move 0 1g.20gb@2 to 0", "mig 1g.20gb@4 1g.20gb@0");
}

static void what_makes_way_for_a_move_does_not_lose_it(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_testhost(MODEL, "mig 1g.10gb@0 3g.40gb@4");
	GS_EVALUATION struct gs_evaluation ev = { 0 };
	struct gs_error e = { 0 };
	GS_FREE char *line = NULL;

	(void)state;
	expect("mig 1g.10gb@0 3g.40gb@4", "create 0 1g.10gb at 6; move 0 3g.40gb@4 to 0; delete 0 rest", "mig 3g.40gb@0 1g.10gb@6");
	/* eight requests fill the list: the ninth, which the move makes, moves it */
	if (evaluate(s, "create 0 1g.10gb; create 0 2g.20gb count +6; move 0 3g.40gb@4 to 0", GS_CONTEXT_FILE, &ev, &e) < 0)
		fail_msg("%s", e.text);
	line = layout_line(ev.layout);
	if (!strstr(line, " 3g.40gb@0"))
		fail_msg("the move is lost: %s", line);
}

static void what_was_moved_makes_way_for_nothing(void **state)
{
	(void)state;
	expect_wrong("mig 1g.10gb@0", "create 0 1g.10gb; move 0 1g.10gb@0 to 1; create 0 3g.40gb at 0", 62, "overlaps");
}

static void a_move_that_cannot_be_is_wrong_where_it_is_written(void **state)
{
	(void)state;
	expect_wrong("mig 3g.40gb@4", "move 0 3g.40gb@4 to 2", 21, "only at 0 or 4");
	expect_wrong("mig 3g.40gb@4", "move 0 3g.40gb@0 to 4", 8, "no such instance to move");
	expect_wrong("mig 1g.10gb@0", "create 0 3g.40gb at 4; move 0 1g.10gb@0 to 5", 44, "overlaps");
}

static void recreate_marks_what_is_there_and_nothing_else(void **state)
{
	(void)state;
	expect("mig 1g.10gb@0 3g.40gb@4", "recreate 0 3g.40gb@4", "mig 1g.10gb@0 3g.40gb@4!");
	expect("mig 1g.10gb@0 3g.40gb@4", "recreate 0 all", "mig 1g.10gb@0! 3g.40gb@4!");
	expect_wrong("mig 3g.40gb@4", "recreate 0 3g.40gb@0", 12, "no such instance to recreate");
}

static void a_copy_makes_mode_and_instances_equal(void **state)
{
	(void)state;
	expect("mig 3g.40gb@4 1g.10gb@0 | whole | mig 7g.80gb@0", "copy 0 to 1 2", "mig 1g.10gb@0 3g.40gb@4 | mig 1g.10gb@0 3g.40gb@4 | mig 1g.10gb@0 3g.40gb@4");
	expect("mig 3g.40gb@4 | whole", "copy 0 to all", "mig 3g.40gb@4 | mig 3g.40gb@4");
	/* as it stands in the script, not as it was on the machine; later statements do not follow */
	expect("mig 3g.40gb@4 | mig", "delete 0 all; create 0 1g.10gb at 2; copy 0 to 1; delete 0 all", "mig | mig 1g.10gb@2");
	expect("mig | mig 3g.40gb@4 | mig", "copy 0 to 1; copy 1 to 2", "mig | mig | mig");
	expect_wrong("mig | mig", "copy all to 1", 6, "this names 2");
}

static void a_copy_has_compute_instances_of_its_own(void **state)
{
	(void)state;
	expect("mig | mig", "create 0 2g.20gb at 0 ci 1c.2g.20gb@0,1c.2g.20gb@1; copy 0 to 1; delete 1/2g.20gb@0 1c.2g.20gb@0",
	       "mig 2g.20gb@0[1c.2g.20gb@0,1c.2g.20gb@1] | mig 2g.20gb@0[1c.2g.20gb@1]");
}

static void a_copy_of_what_is_to_be_recreated_recreates_nothing_elsewhere(void **state)
{
	(void)state;
	expect("mig 3g.40gb@4 | mig 3g.40gb@4", "recreate 0 3g.40gb@4; copy 0 to 1", "mig 3g.40gb@4! | mig 3g.40gb@4");
}

static void an_instance_that_was_moved_is_still_found_by_its_uuid(void **state)
{
	(void)state;
	expect("mig 1g.10gb@0", "move 0 1g.10gb@0 to 1; recreate 0 MIG-00000001-0001-0000-0000-000000000000", "mig 1g.10gb@1!");
}

static void a_uuid_does_not_name_what_was_put_in_the_place_of_its_instance(void **state)
{
	(void)state;
	expect("mig 1g.10gb@0", "move 0 1g.10gb@0 to 1; create 0 1g.10gb at 0; delete 0 MIG-00000001-0001-0000-0000-000000000000", "mig 1g.10gb@0");
}

/* ---------------------------------------------------------------- compute instances */

static void compute_instances_are_what_the_list_says(void **state)
{
	(void)state;
	expect("mig", "create 0 3g.40gb at 0", "mig 3g.40gb@0");
	expect("mig", "create 0 3g.40gb at 0 ci none", "mig 3g.40gb@0[]");
	expect("mig", "create 0 3g.40gb at 0 ci 1c.3g.40gb@0,1c.3g.40gb@2", "mig 3g.40gb@0[1c.3g.40gb@0,1c.3g.40gb@2]");
	expect("mig", "create 0 3g.40gb at 0 ci 1c.3g.40gb", "mig 3g.40gb@0[1c.3g.40gb]");
	expect_wrong("mig", "create 0 3g.40gb at 0 ci 1c.3g.40gb@3", 26, "slice 3");
	expect_wrong("mig", "create 0 3g.40gb at 0 ci 1c.2g.20gb", 26, "no compute instance profile 1c.2g.20gb");
	expect_wrong("mig", "create 0 3g.40gb at 0 ci 1c.3g.40gb@0,2c.3g.40gb@1", 39, "slice 1");
}

static void a_claimed_instance_keeps_its_compute_instances_unless_told(void **state)
{
	(void)state;
	expect("mig 3g.40gb@0", "create 0 3g.40gb at 0", "mig 3g.40gb@0");
	expect("mig 3g.40gb@0", "create 0 3g.40gb at 0 ci 1c.3g.40gb@2", "mig 3g.40gb@0[1c.3g.40gb@2]");
	expect("mig 3g.40gb@0", "create 0 3g.40gb ci none", "mig 3g.40gb@0[]");
	/* one that has none gets the default */
	expect("mig 3g.40gb@0^", "create 0 3g.40gb", "mig 3g.40gb@0");
	expect("mig 3g.40gb@0^", "create 0 1g.10gb at 4", "mig 3g.40gb@0[] 1g.10gb@4");
}

static void a_compute_instance_is_made_and_deleted_inside_its_instance(void **state)
{
	(void)state;
	expect("mig 3g.40gb@4^", "create 0/3g.40gb@4 1c.3g.40gb at 1", "mig 3g.40gb@4[1c.3g.40gb@1]");
	expect("mig 3g.40gb@4^", "create 0/3g.40gb@4 1c.3g.40gb count 2", "mig 3g.40gb@4[1c.3g.40gb,1c.3g.40gb]");
	expect("mig 3g.40gb@4", "delete 0/3g.40gb@4 3g.40gb@0", "mig 3g.40gb@4[]");
	expect("mig 3g.40gb@4", "delete 0/3g.40gb@4 all; create 0/3g.40gb@4 2c.3g.40gb at 0", "mig 3g.40gb@4[2c.3g.40gb@0]");
	expect_said("mig 3g.40gb@4^", "delete 0/3g.40gb@4 1c.3g.40gb@0", "", "absent 1:20");
	expect_wrong("mig 3g.40gb@4", "create 0/3g.40gb@0 1c.3g.40gb", 10, "no 3g.40gb at 0");
	expect_wrong("mig 3g.40gb@4", "create 0/3g.40gb@4 1c.2g.20gb", 20, "no compute instance profile");
}

static void a_compute_instance_that_is_there_is_claimed_in_a_file_and_added_to_at_the_prompt(void **state)
{
	static const char script[] = "delete 0/2g.20gb@0 all; create 0/2g.20gb@0 1c.2g.20gb; create 0/2g.20gb@0 1c.2g.20gb";

	(void)state;
	expect("mig 2g.20gb@0", "create 0/2g.20gb@0 2g.20gb", "mig 2g.20gb@0[2g.20gb@0]");
	expect_in(GS_CONTEXT_PROMPT, "mig 2g.20gb@0", script, "mig 2g.20gb@0[1c.2g.20gb,1c.2g.20gb]");
}

static void two_equal_lines_inside_an_instance_mean_two_compute_instances(void **state)
{
	(void)state;
	expect("mig 2g.20gb@0^", "create 0/2g.20gb@0 1c.2g.20gb; create 0/2g.20gb@0 1c.2g.20gb", "mig 2g.20gb@0[1c.2g.20gb,1c.2g.20gb]");
}

/* ---------------------------------------------------------------- other families */

/* A GPU without VFs and settings: wrong whatever its state. */
static void what_the_gpu_does_not_have_is_wrong(void **state)
{
	static const char *const scripts[] = { "vfs 0 4", "vfs 0 all", "set 0 scheduler fixed" };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(scripts); i++) {
		GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_testhost(MODEL, "whole");
		GS_EVALUATION struct gs_evaluation ev = { 0 };
		struct gs_error e = { 0 };

		assert_int_equal(evaluate(s, scripts[i], GS_CONTEXT_FILE, &ev, &e), -EINVAL);
		assert_int_equal(e.status, GS_STATUS_INVALID);
		assert_int_equal(e.line, 1);
	}
}

static void a_verb_of_another_family_is_refused(void **state)
{
	static const char *const scripts[] = { "use training 0" };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(scripts); i++) {
		GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_testhost(MODEL, "whole");
		GS_EVALUATION struct gs_evaluation ev = { 0 };
		struct gs_error e = { 0 };

		assert_int_equal(evaluate(s, scripts[i], GS_CONTEXT_FILE, &ev, &e), -EOPNOTSUPP);
		assert_int_equal(e.status, GS_STATUS_REFUSED);
		assert_int_equal(e.line, 1);
	}
}

/* ---------------------------------------------------------------- layouts */

#define UUID0 "GPU-5f3c1a00-1111-2222-3333-444444444444"
#define UUID1 "GPU-5f3c1a01-1111-2222-3333-444444444444"

static int bind(const char *machine, const char *yaml, struct gs_layout **ret_layout, struct gs_error *e)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_testhost(MODEL, machine);
	GS_CLEANUP(gs_layout_freep) struct gs_layout *file = NULL;

	if (gs_layout_parse(yaml, strlen(yaml), "f", &file, e) < 0)
		fail_msg("%s: %s", yaml, e->text);
	return gs_layout_bind(file, s, ret_layout, e);
}

static void expect_bound(const char *machine, const char *yaml, const char *want)
{
	GS_CLEANUP(gs_layout_freep) struct gs_layout *l = NULL;
	struct gs_error e = { 0 };
	GS_FREE char *line = NULL;

	if (bind(machine, yaml, &l, &e) < 0)
		fail_msg("%s: %s", yaml, e.text);
	line = layout_line(l);
	assert_string_equal(line, want);
}

static void expect_unbound(const char *machine, const char *yaml, unsigned line, const char *words)
{
	GS_CLEANUP(gs_layout_freep) struct gs_layout *l = NULL;
	struct gs_error e = { 0 };

	if (bind(machine, yaml, &l, &e) == 0)
		fail_msg("accepted: %s", yaml);
	if (e.status != GS_STATUS_INVALID || e.line != line || !e.column || !strstr(e.text, words))
		fail_msg("%s: %d %u:%u %s", yaml, (int)e.status, e.line, e.column, e.text);
}

static void a_gpu_that_is_not_listed_is_untouched(void **state)
{
	(void)state;
	expect_bound("mig 3g.40gb@4 | mig 1g.10gb@0 | whole", "gpus:\n- match: {bdf: '0000:02:00.0'}\n  instances: [{profile: 2g.20gb, start: 0}]\n",
		     "mig 3g.40gb@4 | mig 2g.20gb@0 | whole");
	expect_bound("mig 3g.40gb@4 | whole", "gpus: []\n", "mig 3g.40gb@4 | whole");
}

static void a_key_that_is_absent_or_null_is_untouched(void **state)
{
	(void)state;
	expect_bound("mig 3g.40gb@4", "gpus:\n- match: {uuid: " UUID0 "}\n", "mig 3g.40gb@4");
	expect_bound("mig 3g.40gb@4", "gpus:\n- match: {uuid: " UUID0 "}\n  mode: mig\n  instances: null\n", "mig 3g.40gb@4");
	expect_bound("mig 3g.40gb@4", "gpus:\n- match: {uuid: " UUID0 "}\n  mode: whole\n", "whole 3g.40gb@4");
	expect_bound("whole", "gpus:\n- match: {uuid: " UUID0 "}\n  instances: [{profile: 1g.10gb}]\n", "whole 1g.10gb@?");
}

static void an_empty_list_of_instances_deletes_all(void **state)
{
	(void)state;
	expect_bound("mig 3g.40gb@4 1g.10gb@0 | mig 1g.10gb@1", "gpus:\n- match: {uuid: " UUID0 "}\n  instances: []\n", "mig | mig 1g.10gb@1");
}

static void compute_absent_is_the_default_and_empty_is_none(void **state)
{
	(void)state;
	expect_bound("mig", "gpus:\n- match: {uuid: " UUID0 "}\n  instances:\n  - {profile: 3g.40gb, start: 0}\n  - {profile: 3g.40gb, start: 4, compute: []}\n",
		     "mig 3g.40gb@0 3g.40gb@4[]");
}

static void a_match_by_uuid_is_enough_and_all_that_is_said_must_agree(void **state)
{
	(void)state;
	expect_bound("mig | mig", "gpus:\n- match: {uuid: " UUID1 ", bdf: '0000:02:00.0', pci_id: '10de:2330'}\n  mode: whole\n", "mig | whole");
	expect_bound("mig | mig", "gpus:\n- match: {bdf: '0000:02:00.0', pci_id: '10de:2330'}\n  mode: whole\n", "mig | whole");
	/* the board sits elsewhere now */
	expect_unbound("mig | mig", "gpus:\n- match: {uuid: " UUID1 ", bdf: '0000:01:00.0'}\n", 2, "not at 0000:01:00.0");
	expect_unbound("mig | mig", "gpus:\n- match: {uuid: " UUID1 ", bdf: '0000:07:00.0'}\n", 2, "not at 0000:07:00.0");
	/* another board sits there now */
	expect_unbound("mig | mig", "gpus:\n- match: {uuid: GPU-0, bdf: '0000:02:00.0'}\n", 2, "exchanged");
	expect_unbound("mig | mig", "gpus:\n- match: {uuid: " UUID1 ", pci_id: '10de:20b0'}\n", 2, "10de:2330");
	expect_unbound("mig | mig", "gpus:\n- match: {bdf: '0000:02:00.0', pci_id: '10de:20b0'}\n", 2, "10de:20b0");
}

static void a_match_that_nothing_meets_is_wrong(void **state)
{
	(void)state;
	expect_unbound("mig", "gpus:\n- match: {uuid: GPU-0}\n", 2, "no GPU with uuid GPU-0");
	expect_unbound("mig", "gpus:\n- match: {bdf: '0000:02:00.0'}\n", 2, "no GPU with bdf 0000:02:00.0");
}

static void a_gpu_that_is_listed_twice_is_wrong_at_the_second(void **state)
{
	(void)state;
	expect_unbound("mig", "gpus:\n- match: {uuid: " UUID0 "}\n- match: {bdf: '0000:01:00.0'}\n", 3, "listed twice");
}

static void an_instance_that_the_model_does_not_have_is_wrong_where_it_is_written(void **state)
{
	(void)state;
	expect_unbound("mig", "gpus:\n- match: {uuid: " UUID0 "}\n  instances:\n  - profile: 5g.50gb\n", 4, "no profile 5g.50gb");
	expect_unbound("mig", "gpus:\n- match: {uuid: " UUID0 "}\n  instances:\n  - {profile: 4g.40gb, start: 4}\n", 4, "cannot start at 4");
	expect_unbound("mig", "gpus:\n- match: {uuid: " UUID0 "}\n  instances:\n  - {profile: 4g.40gb, start: 0}\n  - {profile: 1g.10gb, start: 3}\n", 5, "overlaps");
	expect_unbound("mig", "gpus:\n- match: {uuid: " UUID0 "}\n  instances:\n  - {profile: 1g.10gb, compute: [{profile: 2g.20gb}]}\n", 4, "compute instance profile");
	expect_unbound("mig", "gpus:\n- match: {uuid: " UUID0 "}\n  instances:\n  - {profile: 3g.40gb, compute: [{profile: 1c.3g.40gb, start: 3}]}\n", 4, "slice 3");
	expect_unbound("mig", "gpus:\n- match: {uuid: " UUID0 "}\n  instances:\n  - {kind: vgpu, profile: 3g.40gb}\n", 4, "no profile 3g.40gb");
}

/* An RTX PRO 6000 as the driver shows it while no instance is there: no compute profiles yet. */
static void what_fills_an_instance_may_be_named_before_its_compute_profiles_are_known(void **state)
{
	static const char yaml[] = "gpus:\n- match: {uuid: " UUID0 "}\n  instances:\n  - {profile: 4g.96gb, start: 0, compute: [{profile: 4g.96gb, start: 0}]}\n";
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_testhost("rtx-pro-6000-blackwell", "mig");
	GS_CLEANUP(gs_layout_freep) struct gs_layout *file = NULL, *l = NULL;
	struct gs_error e = { 0 };
	GS_FREE char *line = NULL;

	(void)state;
	assert_int_equal(gs_layout_parse(yaml, strlen(yaml), "f", &file, &e), 0);
	if (gs_layout_bind(file, s, &l, &e) < 0)
		fail_msg("%s", e.text);
	line = layout_line(l);
	assert_true(strcmp(line, "mig 4g.96gb@0") == 0 || strcmp(line, "mig 4g.96gb@0[4g.96gb@0]") == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_or_a_range_names_gpus_in_pci_order),
		cmocka_unit_test(a_pci_address_names_a_gpu_with_or_without_its_domain),
		cmocka_unit_test(the_beginning_of_a_uuid_names_a_gpu),
		cmocka_unit_test(a_model_is_a_pattern_that_ignores_case),
		cmocka_unit_test(a_selector_without_a_match_is_wrong_where_it_stands),
		cmocka_unit_test(an_ambiguous_beginning_of_a_uuid_is_wrong),
		cmocka_unit_test(an_instance_is_named_by_profile_and_start_or_by_its_uuid),
		cmocka_unit_test(deleting_what_is_absent_is_a_note),
		cmocka_unit_test(the_drivers_number_names_an_instance_at_the_prompt_only),
		cmocka_unit_test(create_at_a_start_claims_what_is_there_once),
		cmocka_unit_test(create_without_a_start_claims_in_start_order_and_adds_the_rest),
		cmocka_unit_test(a_claim_by_start_leaves_the_others_for_a_claim_without),
		cmocka_unit_test(the_same_script_again_means_nothing),
		cmocka_unit_test(delete_rest_deletes_what_no_statement_claimed),
		cmocka_unit_test(a_move_to_where_it_is_claims_it_all_the_same),
		cmocka_unit_test(recreating_all_claims_all),
		cmocka_unit_test(a_count_from_a_start_takes_the_lowest_places_that_do_not_overlap),
		cmocka_unit_test(count_with_a_plus_always_adds_and_says_that_it_does),
		cmocka_unit_test(at_the_prompt_create_always_adds),
		cmocka_unit_test(a_start_or_profile_that_the_model_does_not_have_is_wrong),
		cmocka_unit_test(requests_of_one_script_that_overlap_are_wrong),
		cmocka_unit_test(one_more_than_the_driver_allows_is_a_finding),
		cmocka_unit_test(open_starts_are_solved_together_after_the_last_line),
		cmocka_unit_test(a_move_keeps_what_is_inside_and_is_a_new_instance),
		cmocka_unit_test(what_makes_way_for_a_move_does_not_lose_it),
		cmocka_unit_test(what_was_moved_makes_way_for_nothing),
		cmocka_unit_test(a_move_that_cannot_be_is_wrong_where_it_is_written),
		cmocka_unit_test(recreate_marks_what_is_there_and_nothing_else),
		cmocka_unit_test(a_copy_makes_mode_and_instances_equal),
		cmocka_unit_test(a_copy_has_compute_instances_of_its_own),
		cmocka_unit_test(a_copy_of_what_is_to_be_recreated_recreates_nothing_elsewhere),
		cmocka_unit_test(an_instance_that_was_moved_is_still_found_by_its_uuid),
		cmocka_unit_test(a_uuid_does_not_name_what_was_put_in_the_place_of_its_instance),
		cmocka_unit_test(compute_instances_are_what_the_list_says),
		cmocka_unit_test(a_claimed_instance_keeps_its_compute_instances_unless_told),
		cmocka_unit_test(a_compute_instance_is_made_and_deleted_inside_its_instance),
		cmocka_unit_test(a_compute_instance_that_is_there_is_claimed_in_a_file_and_added_to_at_the_prompt),
		cmocka_unit_test(two_equal_lines_inside_an_instance_mean_two_compute_instances),
		cmocka_unit_test(a_verb_of_another_family_is_refused),
		cmocka_unit_test(what_the_gpu_does_not_have_is_wrong),
		cmocka_unit_test(a_gpu_that_is_not_listed_is_untouched),
		cmocka_unit_test(a_key_that_is_absent_or_null_is_untouched),
		cmocka_unit_test(an_empty_list_of_instances_deletes_all),
		cmocka_unit_test(compute_absent_is_the_default_and_empty_is_none),
		cmocka_unit_test(a_match_by_uuid_is_enough_and_all_that_is_said_must_agree),
		cmocka_unit_test(a_match_that_nothing_meets_is_wrong),
		cmocka_unit_test(a_gpu_that_is_listed_twice_is_wrong_at_the_second),
		cmocka_unit_test(an_instance_that_the_model_does_not_have_is_wrong_where_it_is_written),
		cmocka_unit_test(what_fills_an_instance_may_be_named_before_its_compute_profiles_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
