/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/catalogue.h"
#include "codec/layout_text.h"

static int parse(const char *text, struct gs_layout **ret, struct gs_error *e)
{
	return gs_layout_parse(text, strlen(text), "in", ret, e);
}

static const char yaml_text[] =
	"# two GPUs\n"
	"schema: gpuslice.layout/1\n"
	"gpus:\n"
	"  - match: { uuid: GPU-1 }\n"
	"    mode: mig\n"
	"    settings: {}\n"
	"    instances:\n"
	"      - profile: 3g.40gb\n"
	"        start: 4\n"
	"        compute: [ { profile: 1c.3g.40gb, start: 2 }, { profile: 1c.3g.40gb } ]\n"
	"      - { kind: mig, profile: \"1g.10gb\", compute: [] }\n"
	"      - { profile: 1g.10gb+me, start: ~ }\n"
	"  - match: { bdf: \"0000:1b:00.0\", pci_id: 10de:2330, subsystem_id: ~ }\n";

static const char json_text[] =
	"{\"schema\":\"gpuslice.layout/1\",\"gpus\":[{\"match\":{\"uuid\":\"GPU-1\"},\"mode\":\"mig\",\"settings\":{},\"instances\":["
	"{\"profile\":\"3g.40gb\",\"start\":4,\"compute\":[{\"profile\":\"1c.3g.40gb\",\"start\":2},{\"profile\":\"1c.3g.40gb\"}]},"
	"{\"kind\":\"mig\",\"profile\":\"1g.10gb\",\"compute\":[]},{\"profile\":\"1g.10gb+me\",\"start\":null}]},"
	"{\"match\":{\"bdf\":\"0000:1b:00.0\",\"pci_id\":\"10de:2330\",\"subsystem_id\":null}}]}";

static void check_read(const struct gs_layout *l)
{
	const struct gs_layout_gpu *g = &l->gpus[0];

	assert_int_equal(l->n_gpus, 2);
	assert_false(l->is_bound);
	assert_string_equal(g->match.uuid, "GPU-1");
	assert_int_equal(g->mode, GS_MODE_MIG);
	assert_true(g->has_instances);
	assert_int_equal(g->n_wants, 3);
	assert_string_equal(g->wants[0].profile, "3g.40gb");
	assert_true(gs_u32_is(g->wants[0].start, 4));
	assert_false(g->wants[0].compute_default);
	assert_int_equal(g->wants[0].n_compute, 2);
	assert_true(gs_u32_is(g->wants[0].compute[0].start, 2));
	assert_false(g->wants[0].compute[1].start.known);
	assert_false(g->wants[1].compute_default);
	assert_int_equal(g->wants[1].n_compute, 0);
	assert_true(g->wants[2].compute_default);
	assert_false(g->wants[2].start.known);
	g = &l->gpus[1];
	assert_null(g->match.uuid);
	assert_true(g->match.has_bdf);
	assert_int_equal(g->match.bdf.bus, 0x1b);
	assert_string_equal(g->match.pci_id, "10de:2330");
	assert_null(g->match.subsystem_id);
	assert_int_equal(g->mode, GS_MODE_INVALID);
	assert_false(g->has_instances);
}

static void yaml_and_json_say_the_same(void **state)
{
	GS_CLEANUP(gs_layout_freep) struct gs_layout *y = NULL, *j = NULL;
	struct gs_error e;

	(void)state;
	if (parse(yaml_text, &y, &e) < 0 || parse(json_text, &j, &e) < 0)
		fail_msg("%u:%u: %s", e.line, e.column, e.text);
	check_read(y);
	check_read(j);
}

static void every_request_knows_where_it_was_written(void **state)
{
	GS_CLEANUP(gs_layout_freep) struct gs_layout *l = NULL;

	(void)state;
	assert_int_equal(parse(yaml_text, &l, NULL), 0);
	assert_int_equal(l->gpus[0].pos.line, 4);
	assert_int_equal(l->gpus[0].pos.column, 5);
	assert_string_equal(l->gpus[0].pos.file, "in");
	assert_int_equal(l->gpus[0].wants[0].pos.line, 8);
	assert_int_equal(l->gpus[0].wants[0].pos.column, 18);
	assert_int_equal(l->gpus[0].wants[1].pos.line, 11);
}

#define GPU(rest) "gpus:\n- match: {uuid: GPU-1}\n" rest
#define INSTANCE(rest) GPU("  instances:\n  - {profile: 1g.10gb, " rest "}\n")

static void mistakes_are_refused_with_their_place(void **state)
{
	static const struct {
		const char *text;
		unsigned line, column;
		const char *says;
	} cases[] = {
		{ "", 1, 1, "nothing" },
		{ "gpus", 1, 1, "a layout must be an object" },
		{ "- 1\n", 1, 1, "a layout must be an object" },
		{ "schema: gpuslice.layout/1\n", 1, 1, "needs \"gpus\"" },
		{ "schema: gpuslice.layout/2\ngpus: []\n", 1, 9, "must be gpuslice.layout/1" },
		{ "gpus: {}\n", 1, 7, "must be a list" },
		{ "gpus: []\nmore: 1\n", 2, 1, "unknown key \"more\"" },
		{ "gpus: []\ngpus: []\n", 2, 1, "twice" },
		{ "gpus: []\n---\ngpus: []\n", 2, 1, "one document" },
		{ "gpus: &a []\n", 1, 7, "anchors" },
		{ "gpus: *a\n", 1, 7, "alias" },
		{ "gpus: !!seq []\n", 1, 7, "tags" },
		{ "? [a]\n: 1\n", 1, 3, "key must be a word" },
		{ "gpus: [\n", 2, 1, "" },
		{ "gpus:\n\t- 1\n", 2, 1, "" },
		{ "gpus: \"\xff\"\n", 1, 8, "UTF-8" },
		{ "gpus: \"a\\0b\"\n", 1, 7, "NUL" },
		{ "gpus: [ 1 ]\n", 1, 9, "a GPU must be an object" },
		{ "gpus: [ {mode: mig} ]\n", 1, 9, "needs a \"match\"" },
		{ "gpus: [ {match: {pci_id: \"10de:2330\"}} ]\n", 1, 17, "\"uuid\" or a \"bdf\"" },
		{ "gpus: [ {match: {bdf: here}} ]\n", 1, 23, "PCI address" },
		{ "gpus: [ {match: {uuid: 7}} ]\n", 1, 24, "quotes" },
		{ "gpus: [ {match: {uuid: [x]}} ]\n", 1, 24, "must be a string" },
		{ GPU("  mode: mog\n"), 3, 9, "not a mode" },
		{ GPU("  settings: {scheduler: fixed}\n"), 3, 13, "not supported for MIG" },
		{ GPU("  vfs: 4\n"), 3, 8, "not supported for MIG" },
		{ GPU("  instances: 3\n"), 3, 14, "must be a list" },
		{ GPU("  instances: [ {start: 3} ]\n"), 3, 16, "needs a \"profile\"" },
		{ INSTANCE("start: -1"), 4, 31, "whole number" },
		{ INSTANCE("start: 010"), 4, 31, "whole number" },
		{ INSTANCE("start: 0x1"), 4, 31, "whole number" },
		{ INSTANCE("start: 1.0"), 4, 31, "whole number" },
		{ INSTANCE("start: \"1\""), 4, 31, "whole number" },
		{ INSTANCE("start: 64"), 4, 31, "at most 63" },
		{ INSTANCE("start: 99999999999999999999999"), 4, 31, "at most 63" },
		{ INSTANCE("kind: tray"), 4, 30, "kind of instance" },
		{ INSTANCE("vf: 2"), 4, 28, "\"vf\" is not supported for MIG" },
		{ INSTANCE("uuid: MIG-1"), 4, 30, "\"uuid\" is not supported for MIG" },
		{ INSTANCE("params: {a: 1}"), 4, 32, "\"params\" is not supported for MIG" },
		{ INSTANCE("on: {profile: x, start: 0}"), 4, 28, "\"on\" is not supported for MIG" },
		{ INSTANCE("compute: 1"), 4, 33, "must be a list" },
		{ INSTANCE("compute: [{start: 0}]"), 4, 34, "needs a \"profile\"" },
		{ INSTANCE("colour: red"), 4, 24, "unknown key \"colour\"" },
		{ "{\"gpus\": [],}", 1, 13, "" },
		{ "{\"gpus\": [], \"gpus\": []}", 1, 14, "twice" },
		{ "{\"gpus\":\n [{\"match\": {\"uuid\": \"\xc3\xa9\"}, \"x\": 1}]}", 2, 29, "unknown key \"x\"" },
		{ "{gpus: []}", 1, 2, "" },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(cases); i++) {
		struct gs_layout *l = NULL;
		struct gs_error e;

		if (parse(cases[i].text, &l, &e) >= 0)
			fail_msg("taken: %s", cases[i].text);
		assert_null(l);
		assert_int_equal(e.status, GS_STATUS_INVALID);
		if (e.line != cases[i].line || e.column != cases[i].column || !strstr(e.text, cases[i].says))
			fail_msg("%s\n-> %u:%u: %s", cases[i].text, e.line, e.column, e.text);
	}
}

static void depth_is_bounded_in_yaml_too(void **state)
{
	char text[20010] = "gpus: ";
	struct gs_layout *l = NULL;
	struct gs_error e;

	(void)state;
	memset(text + 6, '[', 20000);
	assert_true(parse(text, &l, &e) < 0);
	assert_non_null(strstr(e.text, "deep"));
}

static void terminal_sequences_are_not_quoted_in_errors(void **state)
{
	struct gs_layout *l = NULL;
	struct gs_error e;

	(void)state;
	assert_true(parse("\"\\e[2J\\x9b\": 1\n", &l, &e) < 0);
	assert_non_null(strstr(e.text, "unknown key \"?[2J?\""));
}

static void a_layout_is_told_from_a_script(void **state)
{
	static const char *const layouts[] = { "{}", " \n{", "gpus: []\n", "# x\nschema: a\n", "---\ngpus:\n", "\xef\xbb\xbfgpus: []", "\"gpus\": []\n" };
	static const char *const scripts[] = { "", "create 0 1g.10gb\n", "# gpus: x\n", "  gpus: []\n", "mode all mig", "gpus\n" };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(layouts); i++)
		if (!gs_text_is_layout(layouts[i], strlen(layouts[i])))
			fail_msg("no layout: %s", layouts[i]);
	for (size_t i = 0; i < GS_ARRAY_SIZE(scripts); i++)
		if (gs_text_is_layout(scripts[i], strlen(scripts[i])))
			fail_msg("no script: %s", scripts[i]);
}

/* ---- encoding ---- */

static struct gs_snapshot *machine(const struct gs_gpu_model *m)
{
	struct gs_snapshot *s = gs_snapshot_new();
	struct gs_gpu *gpu = gs_snapshot_add_gpu(s, (struct gs_bdf){ 0, 0x52, 0, 0 });

	gpu->vendor = GS_VENDOR_NVIDIA;
	gpu->uuid = "GPU-1";
	gpu->pci_id = "10de:2330";
	gpu->mode = GS_MODE_MIG;
	gpu->grids[GS_KIND_MIG] = m->profiles;
	gpu->placements_visible = true;
	assert_int_equal(gs_snapshot_seal(s, NULL), 0);
	return s;
}

static void add_want(struct gs_layout *l, const char *profile, uint32_t start, bool by_default)
{
	struct gs_want *w = gs_layout_add_want(l, &l->gpus[0]);

	w->kind = GS_KIND_MIG;
	w->profile = profile;
	w->start = GS_U32(start);
	w->compute_default = by_default;
}

static const char expected[] =
	"{\"schema\":\"gpuslice.layout/1\",\"gpus\":[{\"match\":{\"uuid\":\"GPU-1\",\"bdf\":\"0000:52:00.0\",\"pci_id\":\"10de:2330\","
	"\"subsystem_id\":null},\"mode\":\"mig\",\"settings\":{},\"vfs\":null,\"instances\":["
	"{\"kind\":\"mig\",\"profile\":\"1g.10gb\",\"start\":0,\"on\":null,\"vf\":null,\"uuid\":null,\"params\":{},\"compute\":[]},"
	"{\"kind\":\"mig\",\"profile\":\"3g.40gb\",\"start\":4,\"on\":null,\"vf\":null,\"uuid\":null,\"params\":{},"
	"\"compute\":[{\"profile\":\"3g.40gb\",\"start\":0}]}]}]}";

static void export_does_not_depend_on_the_order_of_building(void **state)
{
	GS_CLEANUP(gs_catalogue_freep) struct gs_catalogue *c = NULL;

	(void)state;
	assert_int_equal(gs_catalogue_load(&c, NULL), 0);
	for (int i = 0; i < 2; i++) {
		GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = machine(gs_catalogue_by_file(c, "h100-sxm5-80gb"));
		GS_CLEANUP(gs_layout_freep) struct gs_layout *l = gs_layout_new(), *back = NULL;
		GS_JSON struct json_object *o = NULL;
		GS_FREE char *line = NULL;
		struct gs_error e;

		gs_layout_add_gpu(l)->mode = GS_MODE_MIG;
		l->is_bound = true;
		if (i)
			add_want(l, "1g.10gb", 0, false);
		add_want(l, "3g.40gb", 4, true);
		if (!i)
			add_want(l, "1g.10gb", 0, false);
		o = gs_layout_to_json(l, s);
		line = gs_json_to_line(o);
		assert_string_equal(line, expected);
		/* what we write we read */
		if (parse(line, &back, &e) < 0)
			fail_msg("%s", e.text);
		assert_int_equal(back->gpus[0].n_wants, 2);
		assert_int_equal(back->gpus[0].wants[0].n_compute, 0);
		assert_int_equal(back->gpus[0].wants[1].n_compute, 1);
	}
}

static void examples_are_written_where_asked(void **state)
{
	const char *dir = getenv("GS_WRITE_EXAMPLES");
	char path[4096];
	FILE *out;

	(void)state;
	if (!dir)
		return;
	snprintf(path, sizeof(path), "%s/layout.json", dir);
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(expected, out);
	fclose(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(yaml_and_json_say_the_same),
		cmocka_unit_test(every_request_knows_where_it_was_written),
		cmocka_unit_test(mistakes_are_refused_with_their_place),
		cmocka_unit_test(depth_is_bounded_in_yaml_too),
		cmocka_unit_test(terminal_sequences_are_not_quoted_in_errors),
		cmocka_unit_test(a_layout_is_told_from_a_script),
		cmocka_unit_test(export_does_not_depend_on_the_order_of_building),
		cmocka_unit_test(examples_are_written_where_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
