/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/catalogue.h"
#include "codec/snapshot_json.h"

#define ALL (GS_SNAPSHOT_TELEMETRY | GS_SNAPSHOT_PROFILES)

struct fixture {
	struct gs_catalogue *catalogue;
	struct gs_snapshot *snapshot;
};

static void add_instance(struct gs_snapshot *s, struct gs_gpu *gpu, uint32_t id, const char *profile, uint32_t start)
{
	const struct gs_profile *p = gs_profile_by_name(&gpu->grids[GS_KIND_MIG], profile);
	struct gs_instance *inst = gs_gpu_add_instance(s, gpu);
	struct gs_compute *c = gs_instance_add_compute(s, inst);

	inst->id = id;
	inst->kind = GS_KIND_MIG;
	inst->profile = gs_snapshot_text(s, profile);
	inst->profile_id = p->id;
	inst->start = GS_U32(start);
	inst->size = GS_U32(p->placements[0].size);
	inst->uuid = "MIG-0000";
	c->profile = inst->profile;
	c->start = GS_U32(0);
	c->size = GS_U32(p->compute_slices);
	c->uuid = inst->uuid;
}

static void add_holder(struct gs_holder *h)
{
	h->kind = GS_HOLDER_PROCESS;
	h->pid = GS_U32(4711);
	h->start_time = GS_U64(123456);
	h->uid = GS_U32(1000);
	h->user = "alice";
	h->name = "python3";
	h->evidence = "nvml";
	h->used_memory_bytes = GS_U64(8ull << 30);
}

static struct gs_gpu *add_board(struct gs_snapshot *s, const struct gs_gpu_model *m, uint8_t bus)
{
	struct gs_gpu *gpu = gs_snapshot_add_gpu(s, (struct gs_bdf){ 0, bus, 0, 0 });

	gpu->vendor = GS_VENDOR_NVIDIA;
	gpu->name = "NVIDIA H100 80GB HBM3";
	gpu->uuid = "GPU-1";
	gpu->pci_id = "10de:2330";
	gpu->subsystem_id = "10de:16c1";
	gpu->driver = "nvidia";
	gpu->framework = GS_FRAMEWORK_NVML;
	gpu->numa_node = GS_I64(-1);
	gpu->modes = 1u << GS_MODE_WHOLE | 1u << GS_MODE_MIG;
	gpu->mode = GS_MODE_MIG;
	gpu->grids[GS_KIND_MIG] = m->profiles;
	gpu->placements_visible = gpu->holders_visible = true;
	return gpu;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct gs_snapshot *s = gs_snapshot_new();
	struct gs_gpu *gpu;
	struct gs_error e;

	if (gs_catalogue_load(&f->catalogue, &e) < 0)
		return -1;
	gs_snapshot_set_host(s, "dgx01", GS_SOURCE_SIM);
	gs_snapshot_set_driver_version(s, "570.172");
	gs_snapshot_set_published(s, (struct gs_wall){ 1700000000123 });
	gs_snapshot_set_telemetry(s, true);
	gs_snapshot_add_notice(s, "cannot read %s", "this");
	gpu = add_board(s, gs_catalogue_by_file(f->catalogue, "h100-sxm5-80gb"), 0x52);
	add_instance(s, gpu, 12, "1g.10gb", 1);
	add_instance(s, gpu, 2, "3g.40gb", 4);
	add_holder(gs_instance_add_holder(s, gpu->instances[0]));
	gs_instance_add_holder(s, gpu->instances[1])->kind = GS_HOLDER_CLAIM;
	gpu->instances[1]->place_is_published = true;
	gpu->instances[1]->telemetry.memory_used_bytes = GS_U64(5);
	gpu->telemetry.power_milliwatts = GS_U64(700000);
	gpu = add_board(s, gs_catalogue_by_file(f->catalogue, "h100-sxm5-80gb"), 0x1b);
	gpu->uuid = NULL;
	gpu->mode = GS_MODE_WHOLE;
	gpu->mode_pending = GS_MODE_MIG;
	gpu->mode_survives_reboot = gpu->mode_survival_is_known = true;
	gpu->driver_override = "vfio-pci";
	gpu->lost = "fell off the bus";
	gpu->open_commit = (struct gs_open_commit){ GS_OPEN_INTERRUPTED, 7777, "commit 7777 was interrupted" };
	gs_gpu_add_holder(s, gpu)->kind = GS_HOLDER_UNIT;
	gpu->holders[0]->name = "nvidia-persistenced.service";
	gpu->holders[0]->yields = true;
	gpu = gs_snapshot_add_gpu(s, (struct gs_bdf){ 1, 3, 0, 0 });
	gpu->vendor = GS_VENDOR_AMD;
	if (gs_snapshot_seal(s, &e) < 0)
		return -1;
	f->snapshot = s;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	gs_snapshot_unref(f->snapshot);
	gs_catalogue_free(f->catalogue);
	free(f);
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

static void decoding_and_encoding_gives_the_same_bytes(void **state)
{
	static const unsigned flags[] = { 0, GS_SNAPSHOT_TELEMETRY, GS_SNAPSHOT_PROFILES, ALL };
	const struct fixture *f = *state;

	for (size_t i = 0; i < GS_ARRAY_SIZE(flags); i++) {
		GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
		GS_FREE char *before = encode(f->snapshot, flags[i]), *after = NULL;
		struct gs_error e;

		if (decode(before, &s, &e) < 0)
			fail_msg("%s", e.text);
		after = encode(s, flags[i]);
		assert_string_equal(before, after);
		assert_int_equal(gs_snapshot_has_telemetry(s), !!(flags[i] & GS_SNAPSHOT_TELEMETRY));
	}
}

static void keys_are_in_the_order_of_the_interface(void **state)
{
	static const char *const keys[] = {
		"index", "nvidia_index", "bdf", "uuid", "vendor", "name", "pci_id", "subsystem_id", "driver", "framework",
		"numa_node", "iommu_group", "memory_bytes", "sm_count", "rev", "modes", "mode", "mode_pending", "settings", "grid",
		"visible", "vfs", "instances", "holders",
	};
	const struct fixture *f = *state;
	GS_JSON struct json_object *o = gs_snapshot_to_json(f->snapshot, 0);
	struct json_object *gpus;
	size_t i = 0;

	assert_int_equal(gs_json_get_array(o, "gpus", &gpus, NULL), 0);
	json_object_object_foreach(json_object_array_get_idx(gpus, 0), key, value) {
		(void)value;
		if (i < GS_ARRAY_SIZE(keys))
			assert_string_equal(key, keys[i]);
		assert_string_not_equal(key, "telemetry");
		assert_string_not_equal(key, "profiles");
		i++;
	}
	assert_true(i > GS_ARRAY_SIZE(keys));
}

static void profiles_survive_the_journey(void **state)
{
	const struct fixture *f = *state;
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	GS_FREE char *text = encode(f->snapshot, ALL);
	const struct gs_gpu *gpu;
	const struct gs_profile *p;
	struct gs_error e;

	assert_int_equal(decode(text, &s, &e), 0);
	gpu = gs_snapshot_gpu(s, 1);
	assert_string_equal(gpu->uuid, "GPU-1");
	assert_string_equal(gpu->rev.hex, gs_snapshot_gpu(f->snapshot, 1)->rev.hex);
	p = gs_profile_by_name(&gpu->grids[GS_KIND_MIG], "3g.40gb");
	assert_non_null(p);
	assert_int_equal(p->n_placements, 2);
	assert_string_equal(gs_compute_profile_default(p)->name, "3g.40gb");
	assert_true(gpu->instances[0]->holders[0]->used_memory_bytes.known);
	assert_string_equal(gpu->instances[0]->holders[0]->user, "alice");
}

/* Equal bytes before and after would not show what never gets written. */
static void what_is_beyond_the_interface_is_carried_too(void **state)
{
	const struct fixture *f = *state;
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	GS_FREE char *text = encode(f->snapshot, ALL);
	struct gs_wall taken_at = { 0 };
	const struct gs_gpu *gpu;

	assert_int_equal(decode(text, &s, NULL), 0);
	assert_int_equal(gs_snapshot_source(s), GS_SOURCE_SIM);
	assert_string_equal(gs_snapshot_driver_version(s), "570.172");
	assert_true(gs_snapshot_published(s, &taken_at));
	assert_true(taken_at.ms == 1700000000123);
	assert_int_equal(gs_snapshot_n_notices(s), 1);
	gpu = gs_snapshot_gpu(s, 0);
	assert_string_equal(gpu->lost, "fell off the bus");
	assert_string_equal(gpu->driver_override, "vfio-pci");
	assert_int_equal(gpu->open_commit.state, GS_OPEN_INTERRUPTED);
	assert_int_equal(gpu->open_commit.id, 7777);
	assert_string_equal(gpu->open_commit.text, "commit 7777 was interrupted");
	assert_int_equal(gpu->mode_pending, GS_MODE_MIG);
	assert_true(gpu->mode_survives_reboot);
	assert_true(gpu->mode_survival_is_known);
	assert_false(gpu->mode_needs_reset);
	assert_true(gpu->holders[0]->yields);
	assert_true(gpu->numa_node.known && gpu->numa_node.value == -1);
	gpu = gs_snapshot_gpu(s, 1);
	assert_true(gpu->placements_visible && gpu->holders_visible);
	assert_int_equal(gpu->modes, 1u << GS_MODE_WHOLE | 1u << GS_MODE_MIG);
	assert_true(gpu->instances[1]->place_is_published);
	assert_true(gs_u64_equal(gpu->instances[1]->telemetry.memory_used_bytes, GS_U64(5)));
	assert_true(gs_u64_equal(gpu->telemetry.power_milliwatts, GS_U64(700000)));
	assert_true(gs_u64_equal(gpu->instances[0]->holders[0]->start_time, GS_U64(123456)));
	assert_string_equal(gpu->instances[0]->compute[0]->uuid, "MIG-0000");
}

/* One place of the text changed; what comes out must be refused with these words. */
static void hostile_values_are_refused_with_their_path(void **state)
{
	static const struct {
		const char *from, *to, *says;
	} cases[] = {
		{ "\"gpuslice.snapshot/1\"", "\"gpuslice.snapshot/2\"", "schema" },
		{ "\"source\": \"sim\"", "\"source\": \"dream\"", "host.source" },
		{ "\"host\": {", "\"hosts\": {", "host: must be an object" },
		{ "\"gpus\": [", "\"gpu\": [", "gpus: is missing" },
		{ "\"gpus\": [", "\"gpus\": [ 7,", "gpus[0]: must be an object" },
		{ "0000:52:00.0", "0000:1b:00.0", "0000:1b:00.0" },
		{ "0000:52:00.0", "52", "gpus[1].bdf" },
		{ "\"vendor\": \"amd\"", "\"vendor\": \"acme\"", "gpus[2].vendor" },
		{ "\"vendor\": \"amd\"", "\"vendor\": null", "gpus[2].vendor" },
		{ "\"10de:2330\"", "\"10de-2330\"", "gpus[0].pci_id" },
		{ "\"mode\": \"mig\"", "\"mode\": \"mog\"", "gpus[1].mode" },
		{ "\"start\": 4,", "\"start\": 5,", "gpus[1].instances[1]" },
		{ "\"start\": 4,", "\"start\": 4294967295,", "gpus[1].instances[1].start" },
		{ "\"start\": 4,", "\"start\": -1,", "gpus[1].instances[1]" },
		{ "\"start\": 4,", "\"start\": 4.0,", "gpus[1].instances[1]" },
		{ "\"id\": 12,", "\"id\": 2,", "gpus[1].instances[1].id: 2 is there twice" },
		{ "\"kind\": \"claim\"", "\"kind\": \"\"", "gpus[1].instances[1].holders[0].kind" },
		{ "\"memory_units\": 8,\n        \"compute_units\"", "\"memory_units\": 4,\n        \"compute_units\"", "gpus[0].profiles" },
		{ "\"memory_units\": 8,\n        \"compute_units\"", "\"memory_units\": 65,\n        \"compute_units\"", "gpus[0].grid" },
		{ "\"state\": \"interrupted\"", "\"state\": \"none\"", "gpus[0].open_commit.state" },
		{ "\"id\": 7777", "\"id\": 0", "gpus[0].open_commit.id" },
		{ "\"name\": \"1g.10gb+me\"", "\"name\": \"1g.10gb\"", "gpus[0].profiles.items[1].name" },
	};
	const struct fixture *f = *state;
	GS_FREE char *with = encode(f->snapshot, ALL), *without = encode(f->snapshot, 0);

	for (size_t i = 0; i < GS_ARRAY_SIZE(cases); i++) {
		const char *text = strstr(cases[i].says, "profiles") ? with : without;
		GS_FREE char *changed = calloc(1, strlen(text) + 100);
		const char *at = strstr(text, cases[i].from);
		struct gs_snapshot *s = NULL;
		struct gs_error e;

		if (!at)
			fail_msg("not in the text: %s", cases[i].from);
		snprintf(changed, strlen(text) + 100, "%.*s%s%s", (int)(at - text), text, cases[i].to, at + strlen(cases[i].from));
		if (decode(changed, &s, &e) != -EBADMSG)
			fail_msg("taken: %s", cases[i].to);
		assert_null(s);
		if (!strstr(e.text, cases[i].says))
			fail_msg("%s: %s", cases[i].to, e.text);
	}
}

static void control_characters_do_not_get_through(void **state)
{
	static const char text[] = "{\"schema\":\"gpuslice.snapshot/1\",\"host\":{\"name\":\"a\\u001b[2Jb\",\"source\":\"live\"},"
				   "\"gpus\":[{\"bdf\":\"1b:00.0\",\"vendor\":\"nvidia\",\"name\":\"x\\ny\"}],\"later\":1}";
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	struct gs_error e;

	(void)state;
	assert_int_equal(decode(text, &s, &e), 0);
	assert_string_equal(gs_snapshot_host(s), "a?[2Jb");
	assert_string_equal(gs_snapshot_gpu(s, 0)->name, "x?y");
	assert_int_equal(gs_snapshot_gpu(s, 0)->mode, GS_MODE_INVALID);
}

static void errors_quote_nothing_unprintable(void **state)
{
	static const char text[] = "{\"schema\":\"gpuslice.snapshot/1\",\"host\":{\"name\":null,\"source\":\"live\"},"
				   "\"gpus\":[{\"bdf\":\"\\u001b[2J\",\"vendor\":\"nvidia\"}]}";
	struct gs_snapshot *s = NULL;
	struct gs_error e;

	(void)state;
	assert_int_equal(decode(text, &s, &e), -EBADMSG);
	assert_null(strchr(e.text, '\x1b'));
}

static void too_many_instances_are_refused(void **state)
{
	GS_JSON struct json_object *o = json_object_new_object();
	struct json_object *host = json_object_new_object(), *gpus = json_object_new_array(), *gpu = json_object_new_object();
	struct json_object *instances = json_object_new_array();
	struct gs_snapshot *s = NULL;
	struct gs_error e;

	(void)state;
	gs_json_add_string(o, "schema", "gpuslice.snapshot/1");
	gs_json_add_string(host, "source", "live");
	json_object_object_add(o, "host", host);
	gs_json_add_string(gpu, "bdf", "0000:1b:00.0");
	gs_json_add_string(gpu, "vendor", "nvidia");
	for (uint32_t i = 0; i < GS_SNAPSHOT_INSTANCES_MAX + 1; i++)
		json_object_array_add(instances, json_object_new_object());
	json_object_object_add(gpu, "instances", instances);
	json_object_array_add(gpus, gpu);
	json_object_object_add(o, "gpus", gpus);
	assert_int_equal(gs_snapshot_from_json(o, &s, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "gpus[0].instances: has 321 elements"));
}

static struct json_object *profile_of(struct json_object *o, size_t gpu, const char *name)
{
	struct json_object *gpus = json_object_object_get(o, "gpus");
	struct json_object *profiles = json_object_object_get(json_object_array_get_idx(gpus, gpu), "profiles");

	for (size_t i = 0; i < json_object_array_length(profiles); i++) {
		struct json_object *p = json_object_array_get_idx(profiles, i);

		if (strcmp(json_object_get_string(json_object_object_get(p, "name")), name) == 0)
			return p;
	}
	return NULL;
}

static void profiles_say_what_can_be_created_now(void **state)
{
	const struct fixture *f = *state;
	GS_JSON struct json_object *o = gs_profiles_to_json(f->snapshot, NULL, 0);
	static const uint32_t one = 1;
	GS_JSON struct json_object *only = gs_profiles_to_json(f->snapshot, &one, 1);
	struct json_object *p;

	/* GPU 1 has 1g at 1 and 3g at 4: 0, 2 and 3 are free */
	assert_int_equal(json_object_array_length(json_object_object_get(o, "gpus")), 3);
	assert_int_equal(json_object_array_length(json_object_object_get(only, "gpus")), 1);
	p = profile_of(only, 0, "1g.10gb");
	assert_string_equal(json_object_to_json_string_ext(json_object_object_get(p, "free_starts"), 0), "[0,2,3]");
	assert_int_equal(json_object_get_int(json_object_object_get(p, "creatable")), 3);
	p = profile_of(only, 0, "2g.20gb");
	assert_string_equal(json_object_to_json_string_ext(json_object_object_get(p, "free_starts"), 0), "[2]");
	p = profile_of(only, 0, "7g.80gb");
	assert_int_equal(json_object_get_int(json_object_object_get(p, "creatable")), 0);
	/* GPU 0 is lost: nobody can tell */
	p = profile_of(o, 0, "1g.10gb");
	assert_null(json_object_object_get(p, "creatable"));
	assert_null(json_object_object_get(p, "free_starts"));
}

/* With GS_WRITE_EXAMPLES=DIR the texts are kept there, to be checked against the schemas. */
static void examples_are_written_where_asked(void **state)
{
	const struct fixture *f = *state;
	const char *dir = getenv("GS_WRITE_EXAMPLES");
	GS_JSON struct json_object *o = gs_profiles_to_json(f->snapshot, NULL, 0);
	GS_FREE char *snapshot = encode(f->snapshot, ALL), *profiles = gs_json_to_text(o);
	char path[4096];

	if (!dir)
		return;
	for (int i = 0; i < 2; i++) {
		FILE *out;

		snprintf(path, sizeof(path), "%s/%s.json", dir, i ? "profiles" : "snapshot");
		out = fopen(path, "w");
		assert_non_null(out);
		fputs(i ? profiles : snapshot, out);
		fclose(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoding_and_encoding_gives_the_same_bytes),
		cmocka_unit_test(keys_are_in_the_order_of_the_interface),
		cmocka_unit_test(profiles_survive_the_journey),
		cmocka_unit_test(what_is_beyond_the_interface_is_carried_too),
		cmocka_unit_test(hostile_values_are_refused_with_their_path),
		cmocka_unit_test(control_characters_do_not_get_through),
		cmocka_unit_test(errors_quote_nothing_unprintable),
		cmocka_unit_test(too_many_instances_are_refused),
		cmocka_unit_test(profiles_say_what_can_be_created_now),
		cmocka_unit_test(examples_are_written_where_asked),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
