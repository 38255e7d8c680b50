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

#define VGPU(rest) GPU("  instances:\n  - {kind: vgpu, profile: L40S-24Q, " rest "}\n")

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
		{ GPU("  settings: [a]\n"), 3, 13, "must be an object" },
		{ GPU("  settings: {compute partition: SPX}\n"), 3, 14, "cannot be a key" },
		{ GPU("  settings: {a: \"\"}\n"), 3, 17, "1 to 256 bytes" },
		{ GPU("  settings: {a: on}\n"), 3, 17, "needs quotes" },
		{ GPU("  settings: {a: 010}\n"), 3, 17, "needs quotes" },
		{ GPU("  settings: {a: [b]}\n"), 3, 17, "must be a string" },
		{ GPU("  settings: {a: b, a: c}\n"), 3, 20, "twice" },
		{ GPU("  vfs: all\n"), 3, 8, "whole number" },
		{ GPU("  vfs: -1\n"), 3, 8, "whole number" },
		{ GPU("  vfs: 65536\n"), 3, 8, "at most 65535" },
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
		{ INSTANCE("params: [a]"), 4, 32, "must be an object" },
		{ INSTANCE("on: {profile: x, start: 0}"), 4, 28, "\"on\" is not supported for MIG" },
		{ VGPU("vf: 64"), 4, 41, "at most 63" },
		{ VGPU("vf: 0000:1b:00.4"), 4, 41, "whole number" },
		{ VGPU("start: 65535"), 4, 44, "at most 65534" },
		{ VGPU("uuid: 7"), 4, 43, "needs quotes" },
		{ VGPU("uuid: c0ffee"), 4, 43, "is no UUID" },
		{ VGPU("on: 1g.24gb"), 4, 41, "must be an object" },
		{ VGPU("on: {profile: 1g.24gb}"), 4, 41, "needs the \"profile\" and the \"start\"" },
		{ VGPU("on: {profile: 1g.24gb, start: 64}"), 4, 67, "at most 63" },
		{ VGPU("on: {gi: 3}"), 4, 42, "unknown key \"gi\"" },
		{ VGPU("params: [a]"), 4, 45, "must be an object" },
		{ VGPU("params: {a: \"1,b=2\"}"), 4, 49, "without blank and comma" },
		{ VGPU("params: {a: \"1 2\"}"), 4, 49, "without blank and comma" },
		{ VGPU("params: {a=b: 1}"), 4, 46, "cannot be a key" },
		{ VGPU("params: {a: true}"), 4, 49, "needs quotes" },
		{ VGPU("compute: [{profile: 1c}]"), 4, 46, "\"compute\" is not supported for a vGPU" },
		{ VGPU("vf: 1}\n  - {kind: vgpu, profile: B, vf: 1"), 5, 34, "VF 1 is there twice" },
		{ VGPU("uuid: c0ffee00-0000-4000-8000-00000000000a}\n  - {kind: vgpu, profile: B, uuid: C0FFEE00-0000-4000-8000-00000000000A"), 5, 36,
		  "c0ffee00-0000-4000-8000-00000000000a is there twice" },
		{ GPU("  instances:\n  - {kind: sriov, vf: 3}\n"), 4, 5, "needs \"vf\" and \"params\"" },
		{ GPU("  instances:\n  - {kind: sriov, vf: 256, params: {a: 1}}\n"), 4, 23, "at most 255" },
		{ GPU("  instances:\n  - {kind: sriov, vf: 3, uuid: x, params: {a: 1}}\n"), 4, 32, "not supported for a VF" },
		{ GPU("  instances:\n  - {kind: passthrough}\n"), 4, 12, "follows from \"mode\"" },
		{ GPU("  instances:\n  - {kind: partition, profile: SPX}\n"), 4, 12, "follows from \"settings\"" },
		{ GPU("  mode: vgpu\n  instances:\n  - {vf: 3}\n"), 5, 5, "needs a \"profile\"" },
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

static const char families_yaml[] =
	"gpus:\n"
	"- match: {bdf: \"0000:41:00.0\"}\n"
	"  mode: vgpu\n"
	"  vfs: 32\n"
	"  settings: {heterogeneous: \"on\", vram-quota: 50, other: ~}\n"
	"  instances:\n"
	"  - {profile: L40S-24Q, vf: 3, params: {frame_rate_limiter: 0, plugin0: \"a=b\"}}\n"
	"  - {kind: vgpu, profile: \"RTX Pro 6000 Blackwell DC-1-24Q\", start: 12, on: {profile: 1g.24gb, start: 3}}\n"
	"  - {profile: T4-4C, uuid: C0FFEE00-0000-4000-8000-00000000000A}\n"
	"  - {kind: sriov, vf: 200, params: {lmem_quota: 1073741824}}\n"
	"- match: {bdf: \"0000:42:00.0\"}\n"
	"  vfs: 0\n";

static const char families_json[] =
	"{\"gpus\":[{\"match\":{\"bdf\":\"0000:41:00.0\"},\"mode\":\"vgpu\",\"vfs\":32,"
	"\"settings\":{\"heterogeneous\":\"on\",\"vram-quota\":\"50\",\"other\":null},\"instances\":["
	"{\"profile\":\"L40S-24Q\",\"vf\":3,\"params\":{\"frame_rate_limiter\":\"0\",\"plugin0\":\"a=b\"}},"
	"{\"kind\":\"vgpu\",\"profile\":\"RTX Pro 6000 Blackwell DC-1-24Q\",\"start\":12,\"on\":{\"profile\":\"1g.24gb\",\"start\":3}},"
	"{\"profile\":\"T4-4C\",\"uuid\":\"C0FFEE00-0000-4000-8000-00000000000A\",\"compute\":[]},"
	"{\"kind\":\"sriov\",\"vf\":200,\"params\":{\"lmem_quota\":1073741824}}]},"
	"{\"match\":{\"bdf\":\"0000:42:00.0\"},\"vfs\":0}]}";

static void check_families(const struct gs_layout *l)
{
	const struct gs_layout_gpu *g = &l->gpus[0];

	assert_int_equal(g->mode, GS_MODE_VGPU);
	assert_true(gs_u32_is(g->vfs, 32));
	assert_true(g->vfs_is_asked);
	assert_int_equal(g->n_settings, 2);
	assert_string_equal(g->settings[0].value, "on");
	assert_string_equal(g->settings[1].key, "vram-quota");
	assert_string_equal(g->settings[1].value, "50");
	assert_int_equal(g->n_wants, 4);
	assert_int_equal(g->wants[0].kind, GS_KIND_VGPU);
	assert_true(gs_u32_is(g->wants[0].start, 3));
	assert_int_equal(g->wants[0].n_params, 2);
	assert_string_equal(g->wants[0].params[0].key, "frame_rate_limiter");
	assert_string_equal(g->wants[0].params[0].value, "0");
	assert_false(g->wants[1].start.known);
	assert_true(gs_u32_is(g->wants[1].placement_id, 12));
	assert_string_equal(g->wants[1].on_profile, "1g.24gb");
	assert_true(gs_u32_is(g->wants[1].on_start, 3));
	assert_string_equal(g->wants[2].uuid, "c0ffee00-0000-4000-8000-00000000000a");
	assert_int_equal(g->wants[3].kind, GS_KIND_SRIOV);
	assert_null(g->wants[3].profile);
	assert_true(gs_u32_is(g->wants[3].start, 200));
	assert_string_equal(g->wants[3].params[0].value, "1073741824");
	g = &l->gpus[1];
	assert_true(gs_u32_is(g->vfs, 0));
	assert_int_equal(g->n_settings, 0);
}

static void what_is_not_mig_is_read_from_both(void **state)
{
	GS_CLEANUP(gs_layout_freep) struct gs_layout *y = NULL, *j = NULL;
	struct gs_error e;

	(void)state;
	if (parse(families_yaml, &y, &e) < 0 || parse(families_json, &j, &e) < 0)
		fail_msg("%u:%u: %s", e.line, e.column, e.text);
	check_families(y);
	check_families(j);
	assert_int_equal(y->gpus[0].vfs_pos.line, 4);
	assert_int_equal(y->gpus[0].settings[1].pos.line, 5);
	assert_int_equal(y->gpus[0].settings[1].pos.column, 47);
	assert_int_equal(y->gpus[0].wants[3].pos.line, 10);
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

/* Two GPUs: VFs with a setting each way; mediated devices without VFs. */
static struct gs_snapshot *families(void)
{
	static const char *const words[] = { "NPS1", "NPS4" };
	struct gs_snapshot *s = gs_snapshot_new();
	struct gs_gpu *gpu = gs_snapshot_add_gpu(s, (struct gs_bdf){ 0, 0x41, 0, 0 });

	gpu->vfs.total = GS_U32(32);
	*gs_gpu_add_setting(s, gpu) = (struct gs_setting){ .key = "compute-partition", .value = "mixed", .choices = words, .n_choices = 2 };
	*gs_gpu_add_setting(s, gpu) = (struct gs_setting){ .key = "memory-partition", .value = "NPS1", .pending = "NPS4", .choices = words, .n_choices = 2 };
	*gs_gpu_add_setting(s, gpu) = (struct gs_setting){ .key = "scheduler", .value = "equal", .fixed = "not while VMs run" };
	*gs_gpu_add_setting(s, gpu) = (struct gs_setting){ .key = "timeslice", .value = NULL };
	*gs_gpu_add_setting(s, gpu) = (struct gs_setting){ .key = "vram-quota", .value = "50" };
	gs_snapshot_add_gpu(s, (struct gs_bdf){ 0, 0x42, 0, 0 });
	gs_snapshot_add_gpu(s, (struct gs_bdf){ 0, 0x43, 0, 0 })->lost = "fell off the bus";
	assert_int_equal(gs_snapshot_seal(s, NULL), 0);
	return s;
}

static const char families_expected[] =
	"{\"schema\":\"gpuslice.layout/1\",\"gpus\":[{\"match\":{\"uuid\":null,\"bdf\":\"0000:41:00.0\",\"pci_id\":null,\"subsystem_id\":null},"
	"\"mode\":\"vgpu\",\"settings\":{\"memory-partition\":\"NPS4\",\"vram-quota\":\"50\"},\"vfs\":32,\"instances\":["
	"{\"kind\":\"vgpu\",\"profile\":\"L40S-12Q\",\"start\":null,\"on\":null,\"vf\":0,\"uuid\":null,\"params\":{\"a\":\"1\",\"b\":\"2\"},\"compute\":[]},"
	"{\"kind\":\"vgpu\",\"profile\":\"L40S-12Q\",\"start\":12,\"on\":{\"profile\":\"1g.24gb\",\"start\":3},\"vf\":3,"
	"\"uuid\":\"aaaaaaaa-0000-4000-8000-00000000000a\",\"params\":{},\"compute\":[]},"
	"{\"kind\":\"sriov\",\"profile\":null,\"start\":null,\"on\":null,\"vf\":7,\"uuid\":null,\"params\":{\"a\":\"1\",\"b\":\"2\"},\"compute\":[]}]},"
	"{\"match\":{\"uuid\":null,\"bdf\":\"0000:42:00.0\",\"pci_id\":null,\"subsystem_id\":null},\"mode\":\"passthrough\",\"settings\":{},\"vfs\":null,\"instances\":["
	"{\"kind\":\"vgpu\",\"profile\":\"T4-4C\",\"start\":null,\"on\":null,\"vf\":null,\"uuid\":\"aaaaaaaa-0000-4000-8000-00000000000a\",\"params\":{},\"compute\":[]},"
	"{\"kind\":\"vgpu\",\"profile\":\"T4-2C\",\"start\":null,\"on\":null,\"vf\":null,\"uuid\":\"bbbbbbbb-0000-4000-8000-00000000000b\",\"params\":{},\"compute\":[]}]},"
	"{\"match\":{\"uuid\":null,\"bdf\":\"0000:43:00.0\",\"pci_id\":null,\"subsystem_id\":null},\"mode\":null,\"settings\":{},\"vfs\":null,\"instances\":null}]}";

/* In the order of the slots as they were found, which is not the order that is written. */
static void fill_families(struct gs_layout *l)
{
	static struct gs_key_value params[] = { { "b", "2" }, { "a", "1" } };
	struct gs_layout_gpu *g = gs_layout_add_gpu(l);

	g->mode = GS_MODE_VGPU;
	g->vfs = GS_U32(32);
	*gs_layout_add_want(l, g) = (struct gs_want){ .kind = GS_KIND_SRIOV, .start = GS_U32(7), .params = params, .n_params = 2 };
	*gs_layout_add_want(l, g) = (struct gs_want){ .kind = GS_KIND_SRIOV, .start = GS_U32(8) };
	*gs_layout_add_want(l, g) = (struct gs_want){ .kind = GS_KIND_VGPU, .profile = "L40S-12Q", .start = GS_U32(3), .placement_id = GS_U32(12),
		.on_profile = "1g.24gb", .on_start = GS_U32(3), .uuid = "aaaaaaaa-0000-4000-8000-00000000000a" };
	*gs_layout_add_want(l, g) = (struct gs_want){ .kind = GS_KIND_VGPU, .profile = "L40S-12Q", .start = GS_U32(0), .params = params, .n_params = 2 };
	g = gs_layout_add_gpu(l);
	g->mode = GS_MODE_PASSTHROUGH;
	g->vfs = GS_U32(0);
	*gs_layout_add_want(l, g) = (struct gs_want){ .kind = GS_KIND_VGPU, .profile = "T4-2C", .start = GS_U32(0), .uuid = "bbbbbbbb-0000-4000-8000-00000000000b" };
	*gs_layout_add_want(l, g) = (struct gs_want){ .kind = GS_KIND_VGPU, .profile = "T4-4C", .start = GS_U32(1), .uuid = "aaaaaaaa-0000-4000-8000-00000000000a" };
	*gs_layout_add_want(l, g) = (struct gs_want){ .kind = GS_KIND_PASSTHROUGH, .profile = "passthrough", .start = GS_U32(0) };
	gs_layout_add_gpu(l);
	l->is_bound = true;
}

static void export_writes_what_does_not_follow_from_mode_and_settings(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = families();
	GS_CLEANUP(gs_layout_freep) struct gs_layout *l = gs_layout_new(), *back = NULL;
	GS_JSON struct json_object *o = NULL;
	GS_FREE char *line = NULL;
	struct gs_error e;

	(void)state;
	fill_families(l);
	o = gs_layout_to_json(l, s);
	line = gs_json_to_line(o);
	assert_string_equal(line, families_expected);
	if (parse(line, &back, &e) < 0)
		fail_msg("%u:%u: %s", e.line, e.column, e.text);
	assert_int_equal(back->gpus[0].n_wants, 3);
	assert_string_equal(back->gpus[0].settings[0].value, "NPS4");
	assert_true(gs_u32_is(back->gpus[0].wants[1].placement_id, 12));
	assert_string_equal(back->gpus[1].wants[0].uuid, "aaaaaaaa-0000-4000-8000-00000000000a");
	assert_false(back->gpus[2].has_instances);
}

static void what_was_asked_for_is_written_before_what_is(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = families();
	GS_CLEANUP(gs_layout_freep) struct gs_layout *l = gs_layout_new();
	struct gs_want_setting asked = { .key = "vram-quota", .value = "75" };
	GS_JSON struct json_object *o = NULL;
	GS_FREE char *line = NULL;

	(void)state;
	fill_families(l);
	l->gpus[0].settings = &asked;
	l->gpus[0].n_settings = 1;
	o = gs_layout_to_json(l, s);
	line = gs_json_to_line(o);
	assert_non_null(strstr(line, "\"settings\":{\"memory-partition\":\"NPS4\",\"vram-quota\":\"75\"}"));
}

static void examples_are_written_where_asked(void **state)
{
	const char *dir = getenv("GS_WRITE_EXAMPLES");
	char path[4096];
	FILE *out;

	(void)state;
	if (!dir)
		return;
	for (int i = 0; i < 3; i++) {
		static const char *const names[] = { "layout", "families_layout", "read_layout" };
		const char *texts[] = { expected, families_expected, families_json };

		snprintf(path, sizeof(path), "%s/%s.json", dir, names[i]);
		out = fopen(path, "w");
		assert_non_null(out);
		fputs(texts[i], out);
		fclose(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(yaml_and_json_say_the_same),
		cmocka_unit_test(every_request_knows_where_it_was_written),
		cmocka_unit_test(mistakes_are_refused_with_their_place),
		cmocka_unit_test(what_is_not_mig_is_read_from_both),
		cmocka_unit_test(depth_is_bounded_in_yaml_too),
		cmocka_unit_test(terminal_sequences_are_not_quoted_in_errors),
		cmocka_unit_test(a_layout_is_told_from_a_script),
		cmocka_unit_test(export_does_not_depend_on_the_order_of_building),
		cmocka_unit_test(export_writes_what_does_not_follow_from_mode_and_settings),
		cmocka_unit_test(what_was_asked_for_is_written_before_what_is),
		cmocka_unit_test(examples_are_written_where_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
