/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request for some GPUs, and in parts: what is wrong with one costs the others nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "codec/layout_text.h"
#include "codec/request_scope.h"
#include "tests/lib/testhost.h"

#define H100 "h100-sxm5-80gb"
#define A100 "a100-40gb"

static struct gs_request *request(const char *text)
{
	struct gs_request *r = NULL;
	struct gs_error e;

	if (gs_request_new(text, strlen(text), "job", GS_CONTEXT_FILE, &r, &e) < 0)
		fail_msg("%s", e.text);
	return r;
}

static struct gs_request_parts *split(struct gs_request *r, const struct gs_snapshot *s)
{
	struct gs_request_parts *parts = NULL;
	struct gs_error e;

	if (gs_request_split(r, s, &parts, &e) < 0)
		fail_msg("%s", e.text);
	return parts;
}

/* "0 1! 2+3 4= -!": parts by their GPUs, "-" without one, "=" with nothing to do, "!" with an error. */
static void expect_parts(struct gs_request *r, const struct gs_snapshot *s, const char *expected)
{
	struct gs_request_parts *parts = split(r, s);
	GS_STRBUF struct gs_strbuf got = GS_STRBUF_INIT;

	gs_strbuf_puts(&got, "");
	for (size_t i = 0; i < parts->n; i++) {
		const struct gs_request_part *part = &parts->items[i];

		gs_strbuf_puts(&got, i ? " " : "");
		for (size_t k = 0; k < part->n_gpus; k++)
			gs_strbuf_printf(&got, "%s%u", k ? "+" : "", gs_snapshot_gpu_by_bdf(s, part->gpus[k])->index);
		gs_strbuf_printf(&got, "%s%s", part->n_gpus ? "" : "-", part->error.errnum ? "!" : part->is_as_asked ? "=" : "");
		assert_int_equal(part->error.errnum != 0, part->error.text[0] != '\0');
	}
	assert_string_equal(got.text, expected);
	gs_request_parts_free(parts);
}

/* The layout of @s, with each FROM replaced by TO (pairs, NULL ends). */
static char *layout_of(const struct gs_snapshot *s, const char *const *pairs)
{
	struct gs_layout *l = NULL;
	struct json_object *o;
	char *text;

	assert_int_equal(gs_layout_from_snapshot(s, &l, NULL), 0);
	o = gs_layout_to_json(l, s);
	text = gs_json_to_text(o);
	json_object_put(o);
	gs_layout_free(l);
	for (; pairs && pairs[0]; pairs += 2) {
		GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
		char *at = strstr(text, pairs[0]);

		if (!at)
			fail_msg("no %s in %s", pairs[0], text);
		gs_strbuf_printf(&b, "%.*s%s%s", (int)(at - text), text, pairs[1], at + strlen(pairs[0]));
		free(text);
		text = strdup(b.text);
	}
	return text;
}

static void only_the_named_gpus_are_planned_for(void **state)
{
	struct gs_snapshot *s = gs_testhost(H100, "mig | mig 1g.10gb@0* | mig 2g.20gb@0");
	struct gs_request *r = request("delete 1 all\ncreate 0 3g.40gb at 4\ncreate 2 3g.40gb at 4\n");
	struct gs_plan *p = NULL;
	struct gs_bdf only[2];
	struct gs_error e;

	(void)state;
	/* GPU 1 is in use: the whole is refused */
	assert_int_equal(gs_request_plan(r, s, &p, &e), 0);
	assert_true(gs_plan_is_blocked(p));
	p = gs_plan_free(p);
	only[0] = gs_snapshot_gpu(s, 0)->bdf;
	only[1] = gs_snapshot_gpu(s, 2)->bdf;
	assert_int_equal(gs_request_set_only(r, only, 2, &e), 0);
	if (gs_request_plan(r, s, &p, &e) < 0)
		fail_msg("%s", e.text);
	assert_false(gs_plan_is_blocked(p));
	assert_int_equal(p->n_base, 2);
	assert_int_equal(p->n_steps, 4);
	for (size_t i = 0; i < p->n_steps; i++)
		assert_int_not_equal(p->steps[i].gpu, 1);
	for (size_t i = 0; i < p->n_findings; i++)
		assert_int_not_equal(p->findings[i].gpu, 1);
	assert_int_equal(p->deleted, 0);
	gs_plan_free(p);
	gs_request_free(r);
	gs_snapshot_unref(s);
}

static void a_gpu_that_has_gone_is_not_as_asked(void **state)
{
	static const char *const texts[] = { "create 0 3g.40gb", "schema: gpuslice.layout/1\ngpus: []\n" };
	struct gs_snapshot *s = gs_testhost(H100, "mig");
	const struct gs_bdf elsewhere = { 0, 0xee, 0, 0 };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(texts); i++) {
		struct gs_request *r = request(texts[i]);
		struct gs_plan *p = NULL;
		struct gs_error e = { 0 };

		assert_int_equal(gs_request_set_only(r, &elsewhere, 1, &e), 0);
		assert_int_equal(gs_request_plan(r, s, &p, &e), -ENODEV);
		assert_int_equal(e.status, GS_STATUS_REFUSED);
		assert_non_null(strstr(e.text, "0000:ee:00.0"));
		gs_request_free(r);
	}
	gs_snapshot_unref(s);
}

static void a_part_per_gpu_that_changes(void **state)
{
	struct gs_snapshot *s = gs_testhost(H100, "mig | mig 1g.10gb@0* | mig | mig 3g.40gb@4");
	struct gs_request *r = request("create 0 3g.40gb at 4\ndelete 1 all\ncreate 3 3g.40gb at 4\n"), *one = NULL;
	struct gs_request_parts *parts;
	struct gs_plan *p = NULL;
	struct gs_error e;

	(void)state;
	/* 2 is not asked for, 3 has it already, 1 would be refused and is a part all the same */
	expect_parts(r, s, "0 1");
	parts = split(r, s);
	assert_int_equal(gs_request_of_part(r, &parts->items[1], &one, &e), 0);
	assert_int_equal(gs_request_plan(one, s, &p, &e), 0);
	assert_true(gs_plan_is_blocked(p));
	gs_plan_free(p);
	gs_request_free(one);
	gs_request_parts_free(parts);
	gs_request_free(r);
	gs_snapshot_unref(s);
}

static void an_entry_that_cannot_be_bound_costs_its_own_gpu(void **state)
{
	struct gs_snapshot *s = gs_testhost(H100, "mig 1g.10gb@0 | mig 1g.10gb@0 | mig 1g.10gb@0"), *empty = gs_testhost(H100, "mig | mig | mig");
	const char *const exchanged[] = { gs_snapshot_gpu(s, 1)->uuid, "GPU-00000000-1111-4111-8111-000000000000", NULL };
	struct gs_request *r;
	char *text = layout_of(s, NULL);

	(void)state;
	r = request(text);
	expect_parts(r, s, "0= 1= 2=");
	expect_parts(r, empty, "0 1 2");
	gs_request_free(r);
	free(text);
	text = layout_of(s, exchanged);
	r = request(text);
	expect_parts(r, empty, "0 1! 2");
	gs_request_free(r);
	free(text);
	gs_snapshot_unref(s);
	gs_snapshot_unref(empty);
}

static void an_entry_for_no_gpu_is_a_part_of_its_own(void **state)
{
	struct gs_snapshot *three = gs_testhost(H100, "mig 1g.10gb@0 | mig 1g.10gb@0 | mig 1g.10gb@0"), *two = gs_testhost(H100, "mig | mig");
	char *text = layout_of(three, NULL);
	struct gs_request *r = request(text);
	struct gs_request_parts *parts;
	struct gs_plan *p = NULL;
	struct gs_error e;

	(void)state;
	/* as a whole it is wrong */
	assert_true(gs_request_plan(r, two, &p, &e) < 0);
	expect_parts(r, two, "0 1 -!");
	parts = split(r, two);
	assert_int_equal(parts->items[2].error.errnum, -ENODEV);
	assert_int_equal(parts->items[2].error.status, GS_STATUS_INVALID);
	gs_request_parts_free(parts);
	gs_request_free(r);
	free(text);
	gs_snapshot_unref(three);
	gs_snapshot_unref(two);
}

static void a_board_that_was_moved_costs_both_places(void **state)
{
	struct gs_snapshot *s = gs_testhost(H100, "mig 1g.10gb@0 | mig 1g.10gb@0 | mig 1g.10gb@0"), *now = gs_testhost(H100, "mig | mig | mig");
	/* the file has GPU 1's board where GPU 0 is now */
	const char *const moved[] = { gs_snapshot_gpu(s, 0)->uuid, gs_snapshot_gpu(s, 1)->uuid, NULL };
	char *text = layout_of(s, moved);
	struct gs_request *r = request(text);

	(void)state;
	expect_parts(r, now, "0! 1! 2");
	gs_request_free(r);
	free(text);
	gs_snapshot_unref(s);
	gs_snapshot_unref(now);
}

static void a_wrong_word_costs_its_own_gpu(void **state)
{
	struct gs_snapshot *s = gs_testhost(H100, "mig 1g.10gb@0 | mig 2g.20gb@2"), *now = gs_testhost(H100, "mig | mig");
	const char *const wrong[] = { "2g.20gb", "9g.90gb", NULL };
	char *text = layout_of(s, wrong);
	struct gs_request *r = request(text);

	(void)state;
	expect_parts(r, now, "0 1!");
	gs_request_free(r);
	free(text);
	gs_snapshot_unref(s);
	gs_snapshot_unref(now);
}

static void gpus_that_a_reset_takes_together_are_one_part(void **state)
{
	struct gs_snapshot *s = gs_testhost(A100, "whole =1 | whole =0 | whole unlinked | whole unlinked");
	struct gs_request *r = request("mode 0-2 mig\n");

	(void)state;
	/* without a reset each waits for itself */
	expect_parts(r, s, "0 1 2");
	r->allow_reset = true;
	expect_parts(r, s, "0+1 2");
	gs_request_free(r);
	r = request("mode 1 mig\n");
	r->allow_reset = true;
	/* the other one goes along, but does not change */
	expect_parts(r, s, "1");
	gs_request_free(r);
	gs_snapshot_unref(s);
}

static void all_holders_are_those_of_one_gpu_in_parts_too(void **state)
{
	struct gs_snapshot *s = gs_testhost(H100, "mig 1g.10gb@0* | mig 1g.10gb@0*");
	struct gs_request *r = request("delete 0-1 all\n");
	struct gs_request_parts *parts = NULL;
	struct gs_error e;

	(void)state;
	assert_int_equal(gs_request_add_disrupt(r, "all", &e), 0);
	assert_int_equal(gs_request_split(r, s, &parts, &e), -EPERM);
	assert_int_equal(e.status, GS_STATUS_REFUSED);
	assert_null(parts);
	gs_request_free(r);
	gs_snapshot_unref(s);
}

static void the_gpus_come_over_the_wire(void **state)
{
	static const char *const bad[] = { "[]", "7", "[7]", "[\"GPU-1\"]", "\"0000:01:00.0\"" };
	const struct gs_bdf only[] = { { 0, 1, 0, 0 }, { 1, 2, 3, 4 } };
	struct gs_request *r = request("create 0 3g.40gb"), *far = NULL;
	struct json_object *o;
	struct gs_error e;

	(void)state;
	assert_int_equal(gs_request_set_only(r, only, 2, &e), 0);
	o = gs_request_to_json(r);
	if (gs_request_from_json(o, &far, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(far->n_only, 2);
	assert_int_equal(gs_bdf_compare(far->only[1], only[1]), 0);
	far = gs_request_free(far);
	for (size_t i = 0; i < GS_ARRAY_SIZE(bad); i++) {
		json_object_object_add(o, "only", json_tokener_parse(bad[i]));
		if (gs_request_from_json(o, &far, &e) >= 0)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(e.status, GS_STATUS_INVALID);
	}
	json_object_put(o);
	gs_request_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_named_gpus_are_planned_for),
		cmocka_unit_test(a_gpu_that_has_gone_is_not_as_asked),
		cmocka_unit_test(a_part_per_gpu_that_changes),
		cmocka_unit_test(an_entry_that_cannot_be_bound_costs_its_own_gpu),
		cmocka_unit_test(an_entry_for_no_gpu_is_a_part_of_its_own),
		cmocka_unit_test(a_board_that_was_moved_costs_both_places),
		cmocka_unit_test(a_wrong_word_costs_its_own_gpu),
		cmocka_unit_test(gpus_that_a_reset_takes_together_are_one_part),
		cmocka_unit_test(all_holders_are_those_of_one_gpu_in_parts_too),
		cmocka_unit_test(the_gpus_come_over_the_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
