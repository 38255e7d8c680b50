/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What somebody asks for, as text: its kind, its way over the wire, and the plan that it makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "codec/request.h"
#include "codec/snapshot_json.h"

/* One GPU in MIG mode with one profile in two places and nothing on it. */
static struct gs_snapshot *machine(void)
{
	static const struct gs_span places[] = { { 0, 4 }, { 4, 4 } }, whole[] = { { 0, 3 } };
	static const struct gs_compute_profile compute[] = {
		{ .name = "3g.40gb", .id = { true, 2 }, .compute_slices = 3, .max_instances = 1, .placements = whole, .n_placements = 1,
		  .is_default = true },
	};
	static const struct gs_profile profiles[] = {
		{ .name = "3g.40gb", .id = { true, 9 }, .compute_slices = 3, .max_instances = 2, .placements = places, .n_placements = 2,
		  .compute = compute, .n_compute = 1 },
	};
	struct gs_snapshot *s = gs_snapshot_new();
	struct gs_gpu *gpu;

	assert_non_null(s);
	gs_snapshot_set_host(s, "node", GS_SOURCE_SIM);
	gpu = gs_snapshot_add_gpu(s, (struct gs_bdf){ 0, 0x1b, 0, 0 });
	assert_non_null(gpu);
	gpu->vendor = GS_VENDOR_NVIDIA;
	gpu->name = "NVIDIA H100 80GB HBM3";
	gpu->uuid = "GPU-c0ffee00-0000-4000-8000-000000000000";
	gpu->pci_id = "10de:2330";
	gpu->driver = "nvidia";
	gpu->framework = GS_FRAMEWORK_NVML;
	gpu->nvidia_index = GS_U32(0);
	gpu->modes = 1u << GS_MODE_WHOLE | 1u << GS_MODE_MIG;
	gpu->mode = GS_MODE_MIG;
	gpu->mode_pending = GS_MODE_INVALID;
	gpu->placements_visible = true;
	gpu->holders_visible = true;
	gpu->grids[GS_KIND_MIG] = (struct gs_profile_set){ 8, 7, 7, profiles, 1, GS_PROFILES_DRIVER, false, false, 0 };
	assert_int_equal(gs_snapshot_seal(s, NULL), 0);
	return s;
}

static struct gs_request *request(const char *text, enum gs_script_context context)
{
	struct gs_request *r = NULL;
	struct gs_error e;

	if (gs_request_new(text, strlen(text), "job", context, &r, &e) < 0)
		fail_msg("%s", e.text);
	return r;
}

static void the_kind_is_told_from_the_text(void **state)
{
	static const struct {
		const char *text;
		enum gs_request_kind kind;
	} rows[] = {
		{ "create 0 3g.40gb", GS_REQUEST_SCRIPT },
		{ "", GS_REQUEST_SCRIPT },
		{ "# {\n", GS_REQUEST_SCRIPT },
		{ "{\"schema\":\"gpuslice.layout/1\"}", GS_REQUEST_LAYOUT },
		{ "schema: gpuslice.layout/1\n", GS_REQUEST_LAYOUT },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(rows); i++) {
		struct gs_request *r = request(rows[i].text, GS_CONTEXT_FILE);

		assert_int_equal(r->kind, rows[i].kind);
		assert_string_equal(r->text, rows[i].text);
		gs_request_free(r);
	}
}

static void what_cannot_be_sent_is_refused_before_it_is_sent(void **state)
{
	struct gs_request *r = (void *)1;
	struct gs_error e;
	char *large = calloc(1, GS_INPUT_BYTES_MAX + 1);

	(void)state;
	assert_int_equal(gs_request_new("a\nb\xff", 4, "job", GS_CONTEXT_FILE, &r, &e), -EINVAL);
	assert_int_equal(e.status, GS_STATUS_INVALID);
	assert_int_equal(e.line, 2);
	assert_int_equal(e.column, 2);
	assert_int_equal(gs_request_new("a\0b", 3, "job", GS_CONTEXT_FILE, &r, &e), -EINVAL);
	assert_int_equal(e.column, 2);
	assert_non_null(large);
	memset(large, '#', GS_INPUT_BYTES_MAX + 1);
	assert_int_equal(gs_request_new(large, GS_INPUT_BYTES_MAX + 1, "job", GS_CONTEXT_FILE, &r, &e), -EFBIG);
	assert_int_equal(e.status, GS_STATUS_INVALID);
	assert_ptr_equal(r, (void *)1);
	free(large);
}

static void holders_are_named_strictly(void **state)
{
	static const char *const bad[] = { "", "pid:", "pid:0", "pid:1", "pid:-1", "pid:4294967295", "pid:12x", "unit:", "unit:a b", "unit:a/b",
					   "unit:--now", "unit:x;y", "ALL", "all ", "vm:x" };
	struct gs_request *r = request("", GS_CONTEXT_FILE);
	struct gs_error e;

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(bad); i++) {
		if (gs_request_add_disrupt(r, bad[i], &e) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(e.status, GS_STATUS_INVALID);
	}
	assert_int_equal(r->n_disrupt, 0);
	assert_int_equal(gs_request_add_disrupt(r, "pid:4711", &e), 0);
	assert_int_equal(gs_request_add_disrupt(r, "unit:nvidia-dcgm@1.service", &e), 0);
	for (int i = 2; i < 256; i++)
		assert_int_equal(gs_request_add_disrupt(r, "all", &e), 0);
	assert_int_equal(gs_request_add_disrupt(r, "all", &e), -E2BIG);
	gs_request_free(r);
}

static void a_request_comes_over_the_wire_as_it_was(void **state)
{
	struct gs_request *r = request("create 0 3g.40gb # \xc3\xa4\n", GS_CONTEXT_PROMPT), *far = NULL;
	struct json_object *o, *sent = NULL;
	struct gs_error e;
	char *line;

	(void)state;
	assert_int_equal(gs_request_add_disrupt(r, "pid:4711", &e), 0);
	assert_int_equal(gs_request_add_disrupt(r, "unit:a.service", &e), 0);
	assert_int_equal(gs_request_add_disrupt(r, "all", &e), 0);
	r->kill = true;
	o = gs_request_to_json(r);
	line = gs_json_to_line(o);
	assert_int_equal(gs_json_parse(line, strlen(line), "x", &sent, &e), 0);
	if (gs_request_from_json(sent, &far, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(far->kind, r->kind);
	assert_int_equal(far->context, GS_CONTEXT_PROMPT);
	assert_string_equal(far->name, "job");
	assert_int_equal(far->n_text, r->n_text);
	assert_string_equal(far->text, r->text);
	assert_true(far->kill);
	assert_int_equal(far->n_disrupt, 3);
	assert_int_equal(far->disrupt[0].pid, 4711);
	assert_string_equal(far->disrupt[1].unit, "a.service");
	assert_int_equal(far->disrupt[2].kind, GS_DISRUPT_ALL);
	free(line);
	json_object_put(o);
	json_object_put(sent);
	gs_request_free(r);
	gs_request_free(far);
}

static void a_request_that_was_tampered_with_is_refused(void **state)
{
	static const char *const bad[] = {
		"null",
		"[]",
		"{}",
		"{\"kind\":\"layout\",\"name\":\"x\",\"text\":\"mode 0 mig\",\"context\":\"file\"}",
		"{\"kind\":\"script\",\"name\":\"x\",\"text\":\"mode 0 mig\",\"context\":\"root\"}",
		"{\"kind\":\"script\",\"name\":\"x\",\"text\":7,\"context\":\"file\"}",
		"{\"kind\":\"script\",\"text\":\"\",\"context\":\"file\"}",
		"{\"kind\":\"script\",\"name\":\"x\",\"text\":\"\",\"context\":\"file\",\"disrupt\":\"all\"}",
		"{\"kind\":\"script\",\"name\":\"x\",\"text\":\"\",\"context\":\"file\",\"disrupt\":[7]}",
		"{\"kind\":\"script\",\"name\":\"x\",\"text\":\"\",\"context\":\"file\",\"disrupt\":[\"pid:-1\"]}",
		"{\"kind\":\"script\",\"name\":\"x\",\"text\":\"\",\"context\":\"file\",\"kill\":\"yes\"}",
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(bad); i++) {
		struct gs_request *r = (void *)1;
		struct json_object *o = NULL;
		struct gs_error e = { 0 };

		assert_int_equal(gs_json_parse(bad[i], strlen(bad[i]), "x", &o, NULL), 0);
		if (gs_request_from_json(o, &r, &e) >= 0)
			fail_msg("accepted: %s", bad[i]);
		assert_true(e.text[0]);
		assert_ptr_equal(r, (void *)1);
		json_object_put(o);
	}
}

static struct gs_plan *plan(const char *text)
{
	struct gs_snapshot *s = machine();
	struct gs_request *r = request(text, GS_CONTEXT_FILE);
	struct gs_plan *p = NULL;
	struct gs_error e;

	if (gs_request_plan(r, s, &p, &e) < 0)
		fail_msg("%s: %s", text, e.text);
	/* a plan lives on its own */
	gs_request_free(r);
	gs_snapshot_unref(s);
	return p;
}

static void a_script_and_a_layout_that_ask_for_the_same_make_the_same_steps(void **state)
{
	static const char *const texts[] = {
		"create 0 3g.40gb at 4",
		"{\"schema\":\"gpuslice.layout/1\",\"gpus\":[{\"match\":{\"bdf\":\"0000:1b:00.0\"},\"instances\":"
		"[{\"kind\":\"mig\",\"profile\":\"3g.40gb\",\"start\":4}]}]}",
		"schema: gpuslice.layout/1\ngpus:\n- match:\n    bdf: \"0000:1b:00.0\"\n  instances:\n"
		"  - kind: mig\n    profile: 3g.40gb\n    start: 4\n",
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(texts); i++) {
		struct gs_plan *p = plan(texts[i]);

		assert_false(gs_plan_is_blocked(p));
		assert_int_equal(p->n_steps, 2);
		assert_int_equal(p->steps[0].op, GS_STEP_CREATE_GI);
		assert_int_equal(p->steps[0].span.start, 4);
		assert_int_equal(p->steps[1].op, GS_STEP_CREATE_CI);
		gs_plan_free(p);
	}
}

static void a_plan_keeps_the_place_of_a_word_after_its_request_is_gone(void **state)
{
	struct gs_plan *p = plan("# three, and room for two\ncreate 0 3g.40gb count 3\n");
	bool found = false;

	(void)state;
	assert_true(gs_plan_is_blocked(p));
	for (size_t i = 0; i < p->n_findings; i++) {
		if (!p->findings[i].pos.line)
			continue;
		found = true;
		assert_string_equal(p->findings[i].pos.file, "job");
		assert_int_equal(p->findings[i].pos.line, 2);
	}
	assert_true(found);
	gs_plan_free(p);
}

static void mistakes_are_invalid_and_say_where(void **state)
{
	static const char *const texts[] = { "crate 0 3g.40gb", "create 7 3g.40gb", "create 0 9g.90gb", "create 0 3g.40gb at 1",
					     "schema: gpuslice.layout/1\ngpus: 7\n" };
	struct gs_snapshot *s = machine();

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(texts); i++) {
		struct gs_request *r = request(texts[i], GS_CONTEXT_FILE);
		struct gs_plan *p = (void *)1;
		struct gs_error e = { 0 };

		if (gs_request_plan(r, s, &p, &e) >= 0)
			fail_msg("accepted: %s", texts[i]);
		assert_int_equal(e.status, GS_STATUS_INVALID);
		assert_string_equal(e.file, "job");
		assert_true(e.line > 0);
		assert_ptr_equal(p, (void *)1);
		gs_request_free(r);
	}
	gs_snapshot_unref(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kind_is_told_from_the_text),
		cmocka_unit_test(what_cannot_be_sent_is_refused_before_it_is_sent),
		cmocka_unit_test(holders_are_named_strictly),
		cmocka_unit_test(a_request_comes_over_the_wire_as_it_was),
		cmocka_unit_test(a_request_that_was_tampered_with_is_refused),
		cmocka_unit_test(a_script_and_a_layout_that_ask_for_the_same_make_the_same_steps),
		cmocka_unit_test(a_plan_keeps_the_place_of_a_word_after_its_request_is_gone),
		cmocka_unit_test(mistakes_are_invalid_and_say_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
