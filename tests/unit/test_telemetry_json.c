/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readings to JSON and back: each one by itself, unknown ones as null and never as 0. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/snapshot_json.h"
#include "tests/lib/cmocka.h"

static struct gs_snapshot *machine(const struct gs_telemetry *gpu, const struct gs_telemetry *instance)
{
	struct gs_snapshot *s = gs_snapshot_new();
	struct gs_gpu *g = gs_snapshot_add_gpu(s, (struct gs_bdf){ .bus = 0x1b });
	struct gs_instance *inst = gs_gpu_add_instance(s, g);
	struct gs_error e;

	gs_snapshot_set_telemetry(s, true);
	g->vendor = GS_VENDOR_NVIDIA;
	g->telemetry = *gpu;
	inst->kind = GS_KIND_MIG;
	inst->telemetry = *instance;
	assert_int_equal(gs_snapshot_seal(s, &e), 0);
	return s;
}

static struct gs_snapshot *there_and_back(const struct gs_snapshot *s, struct json_object **ret_o)
{
	struct gs_snapshot *back = NULL;
	struct gs_error e;

	*ret_o = gs_snapshot_to_json(s, GS_SNAPSHOT_TELEMETRY);
	if (gs_snapshot_from_json(*ret_o, &back, &e) < 0)
		fail_msg("%s", e.text);
	return back;
}

static struct json_object *telemetry_of(struct json_object *o)
{
	return json_object_object_get(json_object_array_get_idx(json_object_object_get(o, "gpus"), 0), "telemetry");
}

static const struct gs_telemetry all = {
	.memory_total_bytes = GS_U64(80), .memory_reserved_bytes = GS_U64(2), .memory_used_bytes = GS_U64(70), .memory_free_bytes = GS_U64(9),
	.utilization_percent = GS_U32(93), .encoder_percent = GS_U32(3), .decoder_percent = GS_U32(4),
	.temperature_celsius = GS_U32(66), .power_milliwatts = GS_U64(523107), .power_limit_milliwatts = GS_U64(700000),
	.clock_sm_mhz = GS_U32(1965), .clock_memory_mhz = GS_U32(2619),
	.ecc_is_on = GS_U32(1), .ecc_corrected = GS_U64(7), .ecc_uncorrected = GS_U64(0),
	.pcie_generation = GS_U32(5), .pcie_width = GS_U32(16), .pcie_tx_bytes_per_second = GS_U64(1000), .pcie_rx_bytes_per_second = GS_U64(2000),
};

static void each_reading_comes_back_as_it_went(void **state)
{
	const struct gs_telemetry none = { .utilization_reason = "needs GPM" };
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = machine(&all, &none), *back = NULL;
	GS_JSON struct json_object *o = NULL;
	const struct gs_telemetry *t;

	(void)state;
	back = there_and_back(s, &o);
	t = &gs_snapshot_gpu(back, 0)->telemetry;
	assert_true(gs_snapshot_has_telemetry(back));
	assert_true(gs_u64_equal(t->memory_total_bytes, all.memory_total_bytes) && gs_u64_equal(t->memory_reserved_bytes, all.memory_reserved_bytes) &&
		    gs_u64_equal(t->memory_used_bytes, all.memory_used_bytes) && gs_u64_equal(t->memory_free_bytes, all.memory_free_bytes));
	assert_true(gs_u32_equal(t->utilization_percent, all.utilization_percent));
	assert_true(gs_u32_equal(t->encoder_percent, all.encoder_percent) && gs_u32_equal(t->decoder_percent, all.decoder_percent));
	assert_true(gs_u32_equal(t->temperature_celsius, all.temperature_celsius));
	assert_true(gs_u64_equal(t->power_milliwatts, all.power_milliwatts) && gs_u64_equal(t->power_limit_milliwatts, all.power_limit_milliwatts));
	assert_true(gs_u32_equal(t->clock_sm_mhz, all.clock_sm_mhz) && gs_u32_equal(t->clock_memory_mhz, all.clock_memory_mhz));
	assert_true(gs_u32_equal(t->ecc_is_on, all.ecc_is_on) && gs_u64_equal(t->ecc_corrected, all.ecc_corrected) &&
		    gs_u64_equal(t->ecc_uncorrected, all.ecc_uncorrected));
	assert_true(gs_u32_equal(t->pcie_generation, all.pcie_generation) && gs_u32_equal(t->pcie_width, all.pcie_width));
	assert_true(gs_u64_equal(t->pcie_tx_bytes_per_second, all.pcie_tx_bytes_per_second) &&
		    gs_u64_equal(t->pcie_rx_bytes_per_second, all.pcie_rx_bytes_per_second));
	assert_null(t->utilization_reason);
	assert_string_equal(gs_snapshot_gpu(back, 0)->instances[0]->telemetry.utilization_reason, "needs GPM");
	assert_string_equal(json_object_to_json_string_ext(json_object_object_get(telemetry_of(o), "power_watts"), 0), "523.107");
}

static void what_is_unknown_is_null_and_comes_back_unknown(void **state)
{
	const struct gs_telemetry none = { 0 };
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = machine(&none, &none), *back = NULL;
	GS_JSON struct json_object *o = NULL, *again = NULL;
	size_t n = 0;

	(void)state;
	back = there_and_back(s, &o);
	again = gs_snapshot_to_json(back, GS_SNAPSHOT_TELEMETRY);
	json_object_object_foreach(telemetry_of(o), key, value) {
		if (value)
			fail_msg("%s is %s", key, json_object_to_json_string(value));
		n++;
	}
	assert_int_equal(n, 20);
	assert_true(json_object_equal(telemetry_of(o), telemetry_of(again)));
}

static void absurd_readings_are_refused(void **state)
{
	static const struct {
		const char *key, *value;
	} cases[] = {
		{ "power_watts", "-1" }, { "power_limit_watts", "\"much\"" }, { "memory_free_bytes", "-1" }, { "utilization_percent", "1.5" },
		{ "utilization_percent", "5000000" }, { "utilization_reason", "7" }, { "clock_sm_mhz", "[]" }, { "ecc_is_on", "2" }, { "pcie_width", "-16" },
	};
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = machine(&all, &all);

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(cases); i++) {
		GS_JSON struct json_object *o = gs_snapshot_to_json(s, GS_SNAPSHOT_TELEMETRY);
		struct json_object *t = telemetry_of(o);
		struct gs_snapshot *back = NULL;
		struct gs_error e;

		json_object_object_add(t, cases[i].key, json_tokener_parse(cases[i].value));
		if (gs_snapshot_from_json(o, &back, &e) != -EBADMSG)
			fail_msg("taken: %s %s", cases[i].key, cases[i].value);
		if (!strstr(e.text, cases[i].key))
			fail_msg("%s: %s", cases[i].key, e.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reading_comes_back_as_it_went),
		cmocka_unit_test(what_is_unknown_is_null_and_comes_back_unknown),
		cmocka_unit_test(absurd_readings_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
