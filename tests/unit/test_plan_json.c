/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/plan_json.h"

/* A plan as data: what the planner would have made is of no concern here. */
static const struct gs_holder bob = {
	.kind = GS_HOLDER_PROCESS, .pid = { true, 51020 }, .start_time = { true, 99 }, .uid = { true, 1001 }, .user = "bob", .name = "python3",
	.evidence = "nvml",
};

struct sample {
	struct gs_plan plan;
	struct gs_plan_base base[1];
	struct gs_step steps[2];
	const struct gs_holder *holders[1];
	const char *alternatives[1];
	struct gs_finding findings[2];
	struct gs_claim claims[1];
};

static void sample_fill(struct sample *s)
{
	const struct gs_bdf bdf = { 0, 0x52, 0, 0 };

	memset(s, 0, sizeof(*s));
	s->base[0] = (struct gs_plan_base){ .gpu = 2, .bdf = bdf, .rev = { "0123456789abcdef0123456789abcdef" } };
	s->steps[0] = (struct gs_step){ .n = 1, .op = GS_STEP_DESTROY_GI, .gpu = 2, .bdf = bdf, .target = "GI 12 1g.10gb@1",
					.text = "destroy GI 12 (1g.10gb at 1)", .risk = GS_RISK_DISRUPTIVE, .undo = GS_UNDO_GEOMETRY };
	s->steps[1] = (struct gs_step){ .n = 2, .op = GS_STEP_CREATE_GI, .gpu = 2, .bdf = bdf, .target = "2g.20gb@0",
					.text = "create GI 2g.20gb at 0", .risk = GS_RISK_SAFE, .undo = GS_UNDO_FULL };
	s->holders[0] = &bob;
	s->alternatives[0] = "2g.20gb fits at 2 too and stops nobody";
	s->findings[0] = (struct gs_finding){ .severity = GS_SEVERITY_CONFIRM, .rule = "holder-stops", .gpu = 2, .object = "GPU 2 GI 12",
					      .holders = s->holders, .n_holders = 1, .text = "one process has to stop", .is_typed = true,
					      .alternatives = s->alternatives, .n_alternatives = 1, .pos = { "in", 3, 7 } };
	s->findings[1] = (struct gs_finding){ .severity = GS_SEVERITY_NOTE, .rule = "not-saved", .gpu = 2, .text = "lost at \xc2\xabreboot\xc2\xbb \xe2\x82\xac" };
	s->claims[0] = (struct gs_claim){ .gpu = 2, .profile = "3g.40gb", .start = 4, .instance_id = 2, .is_held = true };
	s->plan = (struct gs_plan){ .digest = { "4f21c09e4f21c09e4f21c09e4f21c09e" }, .shape = { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
				    .base = s->base, .n_base = 1, .steps = s->steps, .n_steps = 2, .findings = s->findings, .n_findings = 2,
				    .claims = s->claims, .n_claims = 1, .kept = 10 };
}

static char *print(const struct gs_plan *p)
{
	struct gs_strbuf out = GS_STRBUF_INIT;

	gs_plan_print(p, &out);
	return gs_strbuf_take(&out);
}

static void json_has_the_keys_of_the_interface_in_its_order(void **state)
{
	static const char expected[] =
		"{\"schema\":\"gpuslice.plan/1\",\"digest\":\"4f21c09e4f21c09e4f21c09e4f21c09e\",\"shape\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","
		"\"base\":[{\"gpu\":2,\"rev\":\"0123456789abcdef0123456789abcdef\",\"bdf\":\"0000:52:00.0\"}],"
		"\"steps\":[{\"n\":1,\"op\":\"destroy-gi\",\"gpu\":2,\"target\":\"GI 12 1g.10gb@1\",\"text\":\"destroy GI 12 (1g.10gb at 1)\","
		"\"risk\":\"disruptive\",\"undo\":\"geometry\",\"bdf\":\"0000:52:00.0\"},"
		"{\"n\":2,\"op\":\"create-gi\",\"gpu\":2,\"target\":\"2g.20gb@0\",\"text\":\"create GI 2g.20gb at 0\","
		"\"risk\":\"safe\",\"undo\":\"full\",\"bdf\":\"0000:52:00.0\"}],"
		"\"findings\":[{\"severity\":\"confirm\",\"rule\":\"holder-stops\",\"gpu\":2,\"object\":\"GPU 2 GI 12\","
		"\"holders\":[{\"kind\":\"process\",\"pid\":51020,\"start_time\":99,\"uid\":1001,\"name\":\"python3\",\"unit\":null,\"evidence\":\"nvml\"}],"
		"\"text\":\"one process has to stop\",\"alternatives\":[\"2g.20gb fits at 2 too and stops nobody\"],\"typed\":true,"
		"\"position\":{\"file\":\"in\",\"line\":3,\"column\":7}},"
		"{\"severity\":\"note\",\"rule\":\"not-saved\",\"gpu\":2,\"object\":null,\"holders\":[],\"text\":\"lost at \xc2\xabreboot\xc2\xbb \xe2\x82\xac\","
		"\"alternatives\":[],\"typed\":false,\"position\":null}],"
		"\"claimed\":[{\"gpu\":2,\"profile\":\"3g.40gb\",\"start\":4,\"id\":2,\"held\":true}],\"kept\":10}";
	GS_JSON struct json_object *o = NULL;
	GS_FREE char *line = NULL;
	struct sample s;

	(void)state;
	sample_fill(&s);
	o = gs_plan_to_json(&s.plan);
	line = gs_json_to_line(o);
	assert_string_equal(line, expected);
}

static void a_finding_about_no_gpu_has_none(void **state)
{
	GS_JSON struct json_object *o = NULL;
	GS_FREE char *line = NULL;
	struct sample s;

	(void)state;
	sample_fill(&s);
	s.findings[1].gpu = GS_FINDING_NO_GPU;
	o = gs_plan_to_json(&s.plan);
	line = gs_json_to_line(o);
	assert_non_null(strstr(line, "\"rule\":\"not-saved\",\"gpu\":null,"));
}

/* One step of each kind that is not MIG's, as the planner would write it. */
static const struct gs_bdf vf3 = { 0, 0x41, 0, 7 };
static struct gs_step family_steps[] = {
	{ .op = GS_STEP_STOP_HOLDER, .pid = 4711, .start_time = 99, .kill = true },
	{ .op = GS_STEP_STOP_UNIT, .unit = "nvidia-dcgm.service" },
	{ .op = GS_STEP_REMOVE_VGPU, .framework = GS_FRAMEWORK_MDEV, .profile = "T4-4C", .uuid = "c0ffee00-0000-4000-8000-00000000000a" },
	{ .op = GS_STEP_DISABLE_VFS, .framework = GS_FRAMEWORK_SRIOV, .vfs = 4, .vfs_by = GS_VFS_BY_NUMVFS },
	{ .op = GS_STEP_UNBIND_DRIVER, .framework = GS_FRAMEWORK_VFIO, .function = { 0, 0x41, 0, 1 }, .driver = "snd_hda_intel", .to_vfio = true },
	{ .op = GS_STEP_BIND_DRIVER, .framework = GS_FRAMEWORK_VFIO, .function = { 0, 0x41, 0, 0 } },
	{ .op = GS_STEP_SET_MODE, .mode = GS_MODE_MIG },
	{ .op = GS_STEP_SET_SETTING, .framework = GS_FRAMEWORK_AMDGPU, .key = "compute-partition", .value = "CPX", .old_value = "SPX" },
	{ .op = GS_STEP_ENABLE_VFS, .framework = GS_FRAMEWORK_VENDOR_VFIO, .vfs = 32, .vfs_by = GS_VFS_BY_SRIOV_MANAGE },
	{ .op = GS_STEP_CREATE_VGPU, .framework = GS_FRAMEWORK_VENDOR_VFIO, .vf = { true, 3 }, .profile = "DC-1-24Q", .gi_profile = "1g.24gb", .on_start = { true, 3 } },
	{ .op = GS_STEP_SET_PARAM, .framework = GS_FRAMEWORK_VENDOR_VFIO, .vf = { true, 3 }, .key = "a", .value = "1" },
	{ .op = GS_STEP_START_UNIT, .unit = "nvidia-dcgm.service" },
};

static struct json_object *family_plan(void)
{
	struct gs_plan plan = { .steps = family_steps, .n_steps = GS_ARRAY_SIZE(family_steps) };

	for (size_t i = 0; i < plan.n_steps; i++) {
		family_steps[i].n = (uint32_t)i + 1;
		family_steps[i].text = "a step";
		family_steps[i].bdf = (struct gs_bdf){ 0, 0x41, 0, 0 };
		if (family_steps[i].vf.known)
			family_steps[i].function = vf3;
	}
	return gs_plan_to_json(&plan);
}

static void steps_say_what_they_write_to(void **state)
{
	static const char *const expected[GS_ARRAY_SIZE(family_steps)] = {
		"\"pid\":4711,\"start_time\":99,\"kill\":true}",
		"\"unit\":\"nvidia-dcgm.service\"}",
		"\"framework\":\"mdev\",\"function\":\"0000:00:00.0\",\"vf\":null,\"profile\":\"T4-4C\",\"uuid\":\"c0ffee00-0000-4000-8000-00000000000a\",\"on\":null}",
		"\"framework\":\"sriov\",\"vfs\":4,\"by\":\"numvfs\"}",
		"\"framework\":\"vfio\",\"function\":\"0000:41:00.1\",\"driver\":\"snd_hda_intel\",\"to_vfio\":true}",
		"\"framework\":\"vfio\",\"function\":\"0000:41:00.0\",\"driver\":null,\"to_vfio\":false}",
		"\"mode\":\"mig\"}",
		"\"framework\":\"amdgpu\",\"key\":\"compute-partition\",\"value\":\"CPX\",\"old_value\":\"SPX\"}",
		"\"framework\":\"vendor-vfio\",\"vfs\":32,\"by\":\"sriov-manage\"}",
		"\"framework\":\"vendor-vfio\",\"function\":\"0000:41:00.7\",\"vf\":3,\"profile\":\"DC-1-24Q\",\"uuid\":null,\"on\":{\"profile\":\"1g.24gb\",\"start\":3}}",
		"\"framework\":\"vendor-vfio\",\"function\":\"0000:41:00.7\",\"vf\":3,\"uuid\":null,\"key\":\"a\",\"value\":\"1\",\"old_value\":null}",
		"\"unit\":\"nvidia-dcgm.service\"}",
	};
	GS_JSON struct json_object *o = family_plan();
	struct json_object *steps = json_object_object_get(o, "steps");

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(family_steps); i++) {
		GS_FREE char *line = gs_json_to_line(json_object_array_get_idx(steps, i));
		const char *behind = strstr(line, "\"bdf\":\"0000:41:00.0\",");

		assert_non_null(behind);
		assert_string_equal(behind + strlen("\"bdf\":\"0000:41:00.0\","), expected[i]);
	}
}

static void text_says_who_stops_then_findings_then_steps_then_what_is_kept(void **state)
{
	static const char expected[] =
		"STOPS 1  this work ends\n"
		"  pid 51020 python3 (bob)  in GPU 2 GI 12\n"
		"FINDINGS  0 block, 1 confirm, 1 note\n"
		"  confirm  holder-stops        GPU 2 GI 12: one process has to stop (in:3:7)\n"
		"                                 or: 2g.20gb fits at 2 too and stops nobody\n"
		"  note     not-saved           lost at \"reboot\" ?\n"
		"STEPS                                        undo\n"
		"!   1  GPU 2   destroy GI 12 (1g.10gb at 1)  geometry\n"
		"    2  GPU 2   create GI 2g.20gb at 0        full\n"
		"KEPT  10 instances stay as they are\n"
		"PLAN  4f21c09e4f21c09e4f21c09e4f21c09e\n";
	GS_FREE char *text = NULL;
	struct sample s;

	(void)state;
	sample_fill(&s);
	text = print(&s.plan);
	assert_string_equal(text, expected);
}

static void a_holder_that_a_step_stops_is_named_once(void **state)
{
	GS_FREE char *text = NULL;
	struct sample s;

	(void)state;
	sample_fill(&s);
	s.steps[0] = (struct gs_step){ .n = 1, .op = GS_STEP_STOP_HOLDER, .gpu = 2, .target = "pid 51020 python3 (bob)", .text = "stop pid 51020",
				       .risk = GS_RISK_DISRUPTIVE, .undo = GS_UNDO_NONE, .pid = 51020 };
	text = print(&s.plan);
	assert_non_null(strstr(text, "STOPS 1  this work ends\n  pid 51020 python3 (bob)  on GPU 2\nFINDINGS"));
}

static void nothing_to_do_is_said(void **state)
{
	GS_FREE char *text = NULL;
	struct gs_plan p = { .kept = 1 };

	(void)state;
	text = print(&p);
	assert_string_equal(text, "nothing to do\nKEPT  1 instance stays as it is\n");
}

static void a_blocked_plan_says_why_there_are_no_steps(void **state)
{
	GS_FREE char *text = NULL;
	struct sample s;

	(void)state;
	sample_fill(&s);
	s.plan.n_steps = 0;
	s.plan.n_findings = 1;
	s.findings[0].severity = GS_SEVERITY_BLOCK;
	text = print(&s.plan);
	assert_null(strstr(text, "STOPS"));
	assert_null(strstr(text, "nothing to do"));
	assert_non_null(strstr(text, "FINDINGS  1 block, 0 confirm, 0 note\n"));
	assert_non_null(strstr(text, "STEPS  none"));
}

static const char *word(struct json_object *o, const char *key)
{
	return json_object_to_json_string_ext(json_object_object_get(o, key), JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

static void a_result_has_status_outcome_and_what_changed(void **state)
{
	struct gs_commit_result r = { .status = GS_STATUS_OK, .done = 2, .text = "done" };
	GS_JSON struct json_object *done = NULL, *undone = NULL, *refused = NULL, *nothing = NULL;
	struct sample s;

	(void)state;
	sample_fill(&s);
	r.plan = &s.plan;
	done = gs_commit_result_to_json(&r);
	assert_string_equal(word(done, "schema"), "\"gpuslice.result/1\"");
	assert_string_equal(word(done, "status"), "0");
	assert_string_equal(word(done, "outcome"), "\"done\"");
	assert_int_equal(json_object_array_length(json_object_object_get(done, "changed")), 2);
	assert_int_equal(json_object_array_length(json_object_object_get(done, "claimed")), 1);
	r = (struct gs_commit_result){ .status = GS_STATUS_FAILED, .done = 1, .undone = true, .plan = &s.plan };
	undone = gs_commit_result_to_json(&r);
	assert_string_equal(word(undone, "outcome"), "\"failed\"");
	assert_string_equal(word(undone, "undone"), "true");
	assert_string_equal(word(undone, "changed"), "[]");
	r = (struct gs_commit_result){ .status = GS_STATUS_REFUSED };
	refused = gs_commit_result_to_json(&r);
	assert_string_equal(word(refused, "status"), "3");
	assert_string_equal(word(refused, "outcome"), "\"refused\"");
	assert_string_equal(word(refused, "plan"), "null");
	r = (struct gs_commit_result){ .status = GS_STATUS_OK };
	nothing = gs_commit_result_to_json(&r);
	assert_string_equal(word(nothing, "outcome"), "\"nothing-to-do\"");
}

static void write_example(const char *dir, const char *name, struct json_object *o)
{
	GS_FREE char *text = gs_json_to_text(o);
	char path[4096];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s.json", dir, name);
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void examples_are_written_where_asked(void **state)
{
	const char *dir = getenv("GS_WRITE_EXAMPLES");
	GS_JSON struct json_object *plan = NULL, *result = NULL;
	struct gs_commit_result r = { .status = GS_STATUS_OK, .done = 2, .text = "done" };
	struct sample s;

	(void)state;
	if (!dir)
		return;
	sample_fill(&s);
	r.plan = &s.plan;
	plan = gs_plan_to_json(&s.plan);
	result = gs_commit_result_to_json(&r);
	write_example(dir, "plan", plan);
	json_object_put(plan);
	plan = family_plan();
	json_object_object_add(plan, "digest", json_object_new_string("4f21c09e4f21c09e4f21c09e4f21c09e"));
	json_object_object_add(plan, "shape", json_object_new_string("4f21c09e4f21c09e4f21c09e4f21c09e"));
	write_example(dir, "families_plan", plan);
	write_example(dir, "result", result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_has_the_keys_of_the_interface_in_its_order),
		cmocka_unit_test(a_finding_about_no_gpu_has_none),
		cmocka_unit_test(steps_say_what_they_write_to),
		cmocka_unit_test(text_says_who_stops_then_findings_then_steps_then_what_is_kept),
		cmocka_unit_test(a_holder_that_a_step_stops_is_named_once),
		cmocka_unit_test(nothing_to_do_is_said),
		cmocka_unit_test(a_blocked_plan_says_why_there_are_no_steps),
		cmocka_unit_test(a_result_has_status_outcome_and_what_changed),
		cmocka_unit_test(examples_are_written_where_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
