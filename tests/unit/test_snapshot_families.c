/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A snapshot with everything that is not MIG: there and back, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/parse.h"
#include "codec/key_value.h"
#include "codec/snapshot_json.h"
#include "tests/lib/testfamilies.h"

#define ALL (GS_SNAPSHOT_TELEMETRY | GS_SNAPSHOT_PROFILES)
#define SLOTS GS_TESTFAMILIES_SLOTS

static int setup(void **state)
{
	*state = gs_testfamilies();
	return 0;
}

static int teardown(void **state)
{
	gs_snapshot_unref(*state);
	return 0;
}

static char *encode(const struct gs_snapshot *s, unsigned flags)
{
	GS_JSON struct json_object *o = gs_snapshot_to_json(s, flags);

	return gs_json_to_text(o);
}

static int decode(const char *text, struct gs_snapshot **ret, struct gs_error *e)
{
	GS_JSON struct json_object *o = NULL;
	int r = gs_json_parse(text, strlen(text), "in", &o, e);

	return r < 0 ? r : gs_snapshot_from_json(o, ret, e);
}

static void decoding_and_encoding_gives_the_same_bytes_and_revs(void **state)
{
	static const unsigned flags[] = { 0, GS_SNAPSHOT_PROFILES };
	const struct gs_snapshot *before = *state;

	for (size_t i = 0; i < GS_ARRAY_SIZE(flags); i++) {
		GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
		GS_FREE char *text = encode(before, flags[i]), *again = NULL;
		struct gs_error e;

		if (decode(text, &s, &e) < 0)
			fail_msg("%s", e.text);
		again = encode(s, flags[i]);
		assert_string_equal(text, again);
		for (size_t k = 0; k < gs_snapshot_n_gpus(before); k++)
			assert_string_equal(gs_snapshot_gpu(s, k)->rev.hex, gs_snapshot_gpu(before, k)->rev.hex);
	}
}

static void check_l40s(const struct gs_gpu *gpu, uint64_t avoid)
{
	const struct gs_profile_set *set = &gpu->grids[GS_KIND_VGPU];
	const struct gs_instance *inst = gs_gpu_instance_on_vf(gpu, 3);
	const struct gs_vf *vf = gs_gpu_vf(gpu, 3);

	assert_int_equal(gpu->framework, GS_FRAMEWORK_VENDOR_VFIO);
	assert_true(gpu->is_boot_display);
	assert_int_equal(set->memory_units, SLOTS);
	assert_true(set->is_slots && set->has_one_size);
	assert_true(set->avoid == avoid);
	assert_int_equal(set->n, 3);
	assert_int_equal(set->items[1].n_placements, SLOTS);
	assert_int_equal(set->items[1].placements[31].start, 31);
	assert_string_equal(set->items[2].gi_profile, "1g.24gb");
	assert_true(gs_u32_is(set->items[2].max_per_gi, 2));
	assert_int_equal(set->items[2].n_placements, 0);
	assert_int_equal(gpu->vfs.by, GS_VFS_BY_SRIOV_MANAGE);
	assert_int_equal(gpu->vfs.n_functions, SLOTS);
	assert_string_equal(vf->type, "L40S-12Q");
	assert_true(gs_u32_is(vf->iommu_group, 103));
	assert_string_equal(vf->holders[0]->vm_uuid, "11111111-2222-3333-4444-555555555555");
	assert_true(gs_u32_is(inst->start, 3) && gs_u32_is(inst->size, 1));
	assert_true(gs_u32_is(inst->placement_id, 12));
	assert_string_equal(gs_instance_param(inst, "frame_rate_limiter"), "0");
	assert_int_equal(gpu->n_writes, 1);
	assert_string_equal(gpu->writes[0]->path, "driver/unbind");
	assert_string_equal(gpu->writes[0]->waits_for, "pid 12 qemu");
	assert_int_equal(gpu->writes[0]->pid, 4711);
	assert_true(gpu->writes[0]->since.ms == 1700000000000);
}

/* Equal bytes before and after would not show what never gets written. */
static void every_new_field_arrives(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	GS_FREE char *text = encode(*state, ALL);
	const struct gs_setting *setting;
	const struct gs_gpu *gpu;

	assert_int_equal(decode(text, &s, NULL), 0);
	assert_int_equal(gs_snapshot_n_sources(s), 2);
	assert_string_equal(gs_snapshot_source_at(s, 0)->text, "scontrol is not installed");
	assert_true(gs_snapshot_source_at(s, 1)->is_present);
	assert_int_equal(gs_snapshot_n_restorers(s), 2);
	assert_string_equal(gs_snapshot_restorer(s, 0)->name, "vfs.service");
	assert_string_equal(gs_snapshot_restorer(s, 0)->what, "runs sriov-manage");
	assert_int_equal(gs_snapshot_restorer(s, 1)->kind, GS_RESTORER_OPERATOR);
	assert_null(gs_snapshot_restorer(s, 1)->what);
	assert_false(gs_snapshot_gpu(s, 0)->events_visible);
	check_l40s(gs_snapshot_gpu(s, 0), 1ull << 7 | 1ull << 31);
	check_l40s(gs_snapshot_gpu(s, 1), 1ull << 7 | 1ull << 31);
	check_l40s(gs_snapshot_gpu(s, 5), 1);
	gpu = gs_snapshot_gpu(s, 2);
	assert_true(gs_u32_is(gpu->instances[0]->start, 1));
	assert_false(gpu->instances[0]->vf.known);
	assert_false(gpu->instances[1]->start.known);
	assert_string_equal(gpu->vfio_driver, "vfio-pci");
	assert_string_equal(gpu->original_driver, "nvidia");
	assert_string_equal(gpu->no_passthrough, "the IOMMU is off");
	assert_string_equal(gpu->stranded, "bound to pci-pf-stub");
	assert_true(gpu->events_visible);
	assert_true(gpu->driver_loaded_ms.known && gpu->driver_loaded_ms.value == 1763000004000);
	assert_false(gs_snapshot_gpu(s, 0)->driver_loaded_ms.known);
	assert_int_equal(gpu->n_events, 2);
	assert_true(gpu->events[0]->kind == GS_GPU_EVENT_XID && gpu->events[0]->time_ms.value == 1763000005140 && gs_u32_is(gpu->events[0]->xid, 79));
	assert_string_equal(gpu->events[0]->text, "Xid (PCI:0000:61:00): 79, x");
	assert_true(gpu->events[1]->kind == GS_GPU_EVENT_RESET && !gpu->events[1]->time_ms.known && !gpu->events[1]->text);
	assert_int_equal(gpu->n_siblings, 2);
	assert_true(gpu->siblings[0]->is_bridge);
	assert_int_equal(gpu->siblings[1]->class_id, 0x040300);
	assert_string_equal(gpu->siblings[1]->original_driver, "nvidia");
	gpu = gs_snapshot_gpu(s, 3);
	assert_true(gs_u32_is(gpu->instances[1]->gi, 9));
	assert_int_equal(gpu->vfs.by, GS_VFS_BY_NUMVFS);
	gpu = gs_snapshot_gpu(s, 4);
	assert_int_equal(gpu->grids[GS_KIND_PARTITION].memory_units, 8);
	assert_true(gs_u32_is(gpu->instances[0]->size, 8));
	setting = gs_gpu_setting(gpu, "memory-partition");
	assert_string_equal(setting->pending, "NPS4");
	assert_int_equal(setting->n_choices, 2);
	assert_string_equal(setting->choices[1], "DPX");
	setting = gs_gpu_setting(gpu, "vram-quota");
	assert_null(setting->value);
	assert_string_equal(setting->fixed, "the file is read-only here");
}

static struct json_object *at(struct json_object *o, size_t gpu, const char *key)
{
	return json_object_object_get(json_object_array_get_idx(json_object_object_get(o, "gpus"), gpu), key);
}

static const char *line(struct json_object *o)
{
	return o ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN) : "null";
}

static void scripts_find_what_the_interface_promises(void **state)
{
	GS_JSON struct json_object *o = gs_snapshot_to_json(*state, GS_SNAPSHOT_PROFILES);
	struct json_object *vgpu = json_object_array_get_idx(at(o, 0, "instances"), 1), *mdev = json_object_array_get_idx(at(o, 2, "instances"), 0);

	assert_string_equal(line(at(o, 4, "settings")), "{\"compute-partition\":\"SPX\",\"memory-partition\":\"NPS1\",\"vram-quota\":null}");
	assert_string_equal(line(at(o, 4, "settings_pending")), "{\"memory-partition\":\"NPS4\"}");
	assert_string_equal(line(at(o, 0, "settings_choices")), "{}");
	/* a place that is only a slot is not a start */
	assert_string_equal(line(json_object_object_get(vgpu, "start")), "null");
	assert_string_equal(line(json_object_object_get(vgpu, "size")), "null");
	assert_string_equal(line(json_object_object_get(vgpu, "vf")), "3");
	assert_string_equal(line(json_object_object_get(vgpu, "params")), "{\"disable_vnc\":\"1\",\"frame_rate_limiter\":\"0\"}");
	assert_string_equal(line(json_object_object_get(mdev, "vf")), "null");
	assert_string_equal(line(json_object_object_get(mdev, "slot")), "1");
	assert_string_equal(line(json_object_object_get(json_object_array_get_idx(at(o, 3, "instances"), 1), "on")),
			    "{\"profile\":\"1g.24gb\",\"start\":3,\"gi\":9}");
	assert_string_equal(line(at(o, 1, "grids_as")), "{\"vgpu\":0}");
	assert_string_equal(line(at(o, 5, "grids_as")), "{}");
	/* no SR-IOV is not known to be none */
	assert_string_equal(line(at(o, 2, "vfs")), "{\"total\":null,\"enabled\":null,\"by\":null,\"functions\":[]}");
}

static struct json_object *type_of(struct json_object *o, size_t gpu, const char *name)
{
	struct json_object *grid = json_object_array_get_idx(at(o, gpu, "grids"), 0), *profiles = json_object_object_get(grid, "profiles");

	for (size_t i = 0; i < json_object_array_length(profiles); i++) {
		struct json_object *p = json_object_array_get_idx(profiles, i);

		if (strcmp(json_object_get_string(json_object_object_get(p, "name")), name) == 0)
			return p;
	}
	fail_msg("no %s", name);
	return NULL;
}

static void profiles_of_every_grid_say_what_can_be_created_now(void **state)
{
	GS_JSON struct json_object *o = gs_profiles_to_json(*state, NULL, 0);
	struct json_object *grid = json_object_array_get_idx(at(o, 0, "grids"), 0), *p;

	assert_string_equal(line(json_object_object_get(grid, "kind")), "\"vgpu\"");
	assert_string_equal(line(json_object_object_get(grid, "has_one_size")), "true");
	assert_string_equal(line(json_object_object_get(grid, "avoid")), "[7,31]");
	/* VFs 0 and 3 have an L40S-12Q each: two more fit, anywhere else */
	p = type_of(o, 0, "L40S-12Q");
	assert_string_equal(line(json_object_object_get(p, "placements")), "\"every\"");
	assert_string_equal(line(json_object_object_get(p, "creatable")), "2");
	assert_int_equal(json_object_array_length(json_object_object_get(p, "free_starts")), SLOTS - 2);
	/* where a MIG-backed type may lie is not known here */
	assert_string_equal(line(json_object_object_get(type_of(o, 0, "DC-1-24Q"), "creatable")), "null");
	/* one GI of its profile, with one of two vGPUs in it; three of four VFs are free */
	p = type_of(o, 3, "DC-1-24Q");
	assert_string_equal(line(json_object_object_get(p, "creatable")), "1");
	assert_string_equal(line(json_object_object_get(p, "free_starts")), "[0,1,3]");
	assert_string_equal(line(json_object_object_get(p, "gi_profile")), "\"1g.24gb\"");
	/* time-sliced types are for another mode */
	assert_string_equal(line(json_object_object_get(type_of(o, 3, "DC-24Q"), "creatable")), "0");
	assert_int_equal(json_object_array_length(at(o, 2, "grids")), 0);
	assert_string_equal(line(json_object_object_get(json_object_array_get_idx(at(o, 4, "grids"), 0), "kind")), "\"partition\"");
}

/* One place of the text changed, the first behind @behind; what comes out must be refused with these words. */
static void hostile_values_are_refused_with_their_path(void **state)
{
	static const struct {
		const char *behind, *from, *to, *says;
	} cases[] = {
		{ "\"gpus\"", "\"vendor-vfio\"", "\"vendor_vfio\"", "gpus[0].framework: \"vendor_vfio\"" },
		{ "\"vfs\"", "\"total\":32", "\"total\":31", "gpus[0].vfs.enabled: is 32 of 31" },
		{ "\"vfs\"", "\"total\":32", "\"total\":65536", "gpus[0].vfs.total" },
		{ "\"vfs\"", "\"total\":32", "\"total\":\"32\"", "gpus[0].vfs" },
		{ "\"vfs\"", "\"enabled\":32", "\"enabled\":-1", "gpus[0].vfs" },
		{ "\"vfs\"", "\"sriov-manage\"", "\"magic\"", "gpus[0].vfs.by" },
		{ "\"vfs\"", "\"n\":1,", "\"n\":0,", "gpus[0].vfs.functions[1].n: 0 is there twice" },
		{ "\"vfs\"", "\"n\":31,", "\"n\":32,", "gpus[0].vfs.functions[31].n: is 32 of 32" },
		{ "\"vfs\"", "\"n\":31,", "\"n\":256,", "gpus[0].vfs.functions[31].n" },
		{ "\"vfs\"", "\"0000:41:00.5\"", "\"0000:41:00.4\"", "gpus[0].vfs.functions[1].bdf: 0000:41:00.4 is there twice" },
		{ "\"vfs\"", "\"0000:41:00.5\"", "\"0000:41:00.0\"", "gpus[0].vfs.functions[1].bdf: 0000:41:00.0 is the GPU" },
		{ "\"vfs\"", "\"0000:41:00.5\"", "\"vf1\"", "gpus[0].vfs.functions[1].bdf" },
		{ "\"vfs\"", "\"kind\":\"vm\"", "\"kind\":\"guest\"", "gpus[0].vfs.functions[3].holders[0].kind" },
		{ "\"instances\":[{", "\"vf\":0", "\"vf\":3", "gpus[0].instances[0].slot: is 0 on VF 3" },
		{ "\"instances\":[{", "\"vf\":0", "\"vf\":256", "gpus[0].instances[0].vf" },
		{ "\"instances\":[{", "\"vf\":0", "\"vf\":200", "gpus[0].instances[0].slot" },
		{ "\"instances\":[{", "\"start\":null", "\"start\":0", "gpus[0].instances[0].start: is for what lies in memory" },
		{ "\"instances\":[{", "\"slot\":0", "\"slot\":64", "gpus[0].instances[0].slot" },
		{ "\"instances\":[{", "\"on\":null", "\"on\":{}", "gpus[0].instances[0].on.gi: is missing" },
		{ "\"instances\":[{", "\"params\":{}", "\"params\":{\"a b\":\"c\"}", "gpus[0].instances[0].params: \"a b\" cannot be a key" },
		{ "\"instances\":[{", "\"params\":{}", "\"params\":{\"a\":1}", "gpus[0].instances[0].params: \"a\" must be a string" },
		{ "\"instances\":[{", "\"params\":{}", "\"params\":{\"a\":null}", "gpus[0].instances[0].params.a: is missing" },
		{ "\"instances\":[{", "\"params\":{}", "\"params\":[]", "gpus[0].instances[0]" },
		{ "\"settings_pending\":{\"", "\"memory-partition\"", "\"other\"", "gpus[4].settings_pending.other: is no setting" },
		{ "\"settings_choices\":{\"", "\"DPX\"", "\"SPX\"", "gpus[4].settings_choices.compute-partition: SPX is there twice" },
		{ "\"settings_choices\":{\"", "\"DPX\"", "7", "gpus[4].settings_choices.compute-partition: element 1 is no word" },
		{ "\"settings\":{\"", "\"SPX\"", "7", "gpus[4].settings" },
		{ "\"settings\":{\"", "\"compute-partition\"", "\"compute partition\"", "gpus[4].settings: \"compute partition\"" },
		{ "\"siblings\":[{", "\"0000:61:00.1\"", "\"0000:61:00.0\"", "gpus[2].siblings[1].bdf: 0000:61:00.0 is the GPU" },
		{ "\"siblings\":[{", "\"0000:61:00.1\"", "\"0000:60:01.0\"", "gpus[2].siblings[1].bdf: 0000:60:01.0 is there twice" },
		{ "\"siblings\":[{", "\"040300\"", "\"0x0403\"", "gpus[2].siblings[1].class_id" },
		{ "\"siblings\":[{", "\"040300\"", "\"0403000\"", "gpus[2].siblings[1].class_id" },
		{ "\"writes\":[{", "\"pid\":4711", "\"pid\":2147483648", "gpus[0].writes[0].pid" },
		{ "\"writes\":[{", "\"path\":\"driver/unbind\"", "\"path\":null", "gpus[0].writes[0].path" },
		{ "\"writes\":[{", "\"since_ms\":1700000000000", "\"since_ms\":null", "gpus[0].writes[0].since_ms" },
		{ "\"grids\":{\"", "\"memory_units\":32", "\"memory_units\":65", "gpus[0].grids.vgpu.memory_units" },
		{ "\"grids\":{\"", "\"memory_units\":32", "\"memory_units\":0", "gpus[0].grids.vgpu" },
		{ "\"grids\":{\"", "\"every\"", "\"all\"", "gpus[0].grids.vgpu.items[0]" },
		{ "\"avoid\":[7", "31", "32", "gpus[0].grids.vgpu.avoid: element 1 is no unit" },
		{ "\"avoid\":[7", "31", "7", "gpus[0].grids.vgpu.avoid: 7 is there twice" },
		{ "\"grids_as\":{\"", "\"vgpu\":0", "\"vgpu\":1", "gpus[1].grids_as.vgpu" },
		{ "\"grids_as\":{\"", "\"vgpu\":0", "\"vgpu\":7", "gpus[1].grids_as.vgpu" },
		{ "\"sources\"", "\"libvirt\"", "\"slurm\"", "host.sources[1].name: slurm is there twice" },
		{ "\"restorers\"", "\"unit\"", "\"cron\"", "host.restorers[0].kind: \"cron\" is not a kind of restorer" },
		{ "\"restorers\"", "\"vfs.service\"", "null", "host.restorers[0].name" },
		{ "\"events\":[", "\"xid\",", "\"smoke\",", "gpus[2].events[0].kind: \"smoke\" is not a kind of event" },
		{ "\"events\":[", "\"xid\":79", "\"xid\":-1", "gpus[2].events[0]: \"xid\" must" },
		{ "\"events\":[", "1763000005140", "\"then\"", "gpus[2].events[0]: \"time_ms\" must" },
		{ "\"T4-4C\"", "\"slot\":1", "\"slot\":null", "" },
		{ "\"kind\":\"mig\"", "\"vf\":null", "\"vf\":1", "gpus[3].instances[0].vf: is 1, but a mig instance" },
		{ "\"kind\":\"partition\"", "\"on\":null", "\"on\":{\"gi\":1}", "gpus[4].instances[0].on" },
		{ "\"kind\":\"partition\"", "\"size\":8", "\"size\":9", "gpus[4].instances[0]" },
	};
	GS_JSON struct json_object *o = gs_snapshot_to_json(*state, ALL);
	GS_FREE char *text = gs_json_to_line(o);

	for (size_t i = 0; i < GS_ARRAY_SIZE(cases); i++) {
		GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
		GS_FREE char *changed = calloc(1, strlen(text) + 100);
		const char *behind = strstr(text, cases[i].behind), *place = behind ? strstr(behind, cases[i].from) : NULL;
		struct gs_error e = { 0 };
		int r;

		if (!place)
			fail_msg("not in the text: %s ... %s", cases[i].behind, cases[i].from);
		snprintf(changed, strlen(text) + 100, "%.*s%s%s", (int)(place - text), text, cases[i].to, place + strlen(cases[i].from));
		r = decode(changed, &s, &e);
		/* one that is sound: a vGPU whose slot is not known has no place */
		if (!cases[i].says[0] && (r < 0 || gs_snapshot_gpu(s, 2)->instances[0]->start.known))
			fail_msg("%s: %s", cases[i].to, e.text);
		if (!cases[i].says[0])
			continue;
		if (r != -EBADMSG)
			fail_msg("taken: %s", cases[i].to);
		if (!strstr(e.text, cases[i].says))
			fail_msg("%s: %s", cases[i].to, e.text);
	}
}

/* As many as may be, and one more. */
static void lists_are_bounded(void **state)
{
	static const struct {
		const char *list;
		unsigned max;
		const char *from, *says;
	} cases[] = {
		{ "vfs", GS_SNAPSHOT_VFS_MAX, "\"vfs\":{\"total\":null,\"functions\":[", "functions: has 257 elements" },
		{ "siblings", GS_SNAPSHOT_SIBLINGS_MAX, "\"siblings\":[", "siblings: has 33 elements" },
		{ "settings", GS_SETTINGS_MAX, "\"settings\":{", "settings: has 65 keys" },
		{ "params", GS_PARAMS_MAX, "\"instances\":[{\"kind\":\"vgpu\",\"id\":1,\"params\":{", "params: has 33 keys" },
	};
	static const char *const ends[] = { "]}", "]", "}", "}}]" };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(cases); i++) {
		for (unsigned extra = 0; extra < 2; extra++) {
			GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
			GS_FREE char *text = calloc(1, 64 << 10);
			struct gs_error e = { 0 };
			size_t n = (size_t)sprintf(text, "{\"schema\":\"gpuslice.snapshot/1\",\"host\":{\"source\":\"live\"},\"gpus\":[{\"bdf\":\"1b:00.0\",\"vendor\":\"amd\",%s",
						   cases[i].from);
			int r;

			for (unsigned k = 0; k < cases[i].max + extra; k++) {
				n += (size_t)sprintf(text + n, "%s", k ? "," : "");
				if (i == 0)
					n += (size_t)sprintf(text + n, "{\"n\":%u,\"bdf\":\"%04x:02:00.0\"}", k, k);
				else if (i == 1)
					n += (size_t)sprintf(text + n, "{\"bdf\":\"%04x:02:00.0\",\"class_id\":\"040300\"}", k);
				else
					n += (size_t)sprintf(text + n, "\"k%u\":\"v\"", k);
			}
			sprintf(text + n, "%s}]}", ends[i]);
			r = decode(text, &s, &e);
			if (!extra && r < 0)
				fail_msg("%s: %s", cases[i].list, e.text);
			if (extra && (r != -EBADMSG || !strstr(e.text, cases[i].says)))
				fail_msg("%s: %s", cases[i].list, e.text);
		}
	}
}

/* With GS_WRITE_EXAMPLES=DIR the text is kept there, to be checked against the schema. */
static void examples_are_written_where_asked(void **state)
{
	const char *dir = getenv("GS_WRITE_EXAMPLES");
	GS_JSON struct json_object *o = gs_profiles_to_json(*state, NULL, 0);
	GS_FREE char *snapshot = encode(*state, ALL), *profiles = gs_json_to_text(o);
	char path[4096];

	for (int i = 0; dir && i < 2; i++) {
		FILE *out;

		snprintf(path, sizeof(path), "%s/families%s.json", dir, i ? "_profiles" : "");
		out = fopen(path, "w");
		assert_non_null(out);
		fputs(i ? profiles : snapshot, out);
		fclose(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoding_and_encoding_gives_the_same_bytes_and_revs),
		cmocka_unit_test(every_new_field_arrives),
		cmocka_unit_test(scripts_find_what_the_interface_promises),
		cmocka_unit_test(profiles_of_every_grid_say_what_can_be_created_now),
		cmocka_unit_test(hostile_values_are_refused_with_their_path),
		cmocka_unit_test(lists_are_bounded),
		cmocka_unit_test(examples_are_written_where_asked),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
