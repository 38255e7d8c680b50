/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telemetry through the production code on simulated machines: each return
 * code at each call, a library without each symbol, and what is asked for how
 * often. A reading that is not told is unknown, whatever else is.
 */
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/collect.h"
#include "backend/sim/sim.h"
#include "base/paths.h"
#include "base/parse.h"
#include "tests/lib/cmocka.h"

/* dgx-h100: GPU 1 has four instances, three of them at work; GPU 4 is whole and at work */
#define CUT 1
#define WHOLE 4
#define APART_MS 130

static const int codes[] = { 1, 2, 3, 4, 6, 7, 10, 13, 16, 17, 20, 23, 25, 31, 999, -1 };

struct fixture {
	struct gs_machine *machine;
	struct gs_collect *collect;
	struct gs_mig *mig;
	struct gs_nvml_table whole;
};

static struct gs_snapshot *look(struct fixture *f, bool fresh)
{
	const struct gs_collect_options options = { .telemetry = true, .fresh = fresh };
	struct gs_snapshot *s = NULL;
	struct gs_error e = { 0 };

	if (gs_collect_snapshot(f->collect, &options, &s, &e) < 0)
		fail_msg("%s", e.text);
	return s;
}

static void start(struct fixture *f)
{
	const struct gs_collect_options options = { .fresh = true };
	struct gs_snapshot *s = NULL;
	struct gs_error e = { 0 };

	assert_int_equal(gs_collect_new(f->machine, &f->collect, &e), 0);
	/* the first look says which GPUs there are, and NVML starts anew for it */
	assert_int_equal(gs_collect_snapshot(f->collect, &options, &s, &e), 0);
	gs_snapshot_unref(s);
	assert_int_equal(gs_collect_mig(f->collect, &f->mig, &e), 0);
	f->whole = f->mig->nvml->call;
}

static void open_fixture(struct fixture *f, const char *host)
{
	const struct gs_machine_options options = { .sim = host };
	struct gs_error e = { 0 };

	assert_int_equal(gs_sim_reset(host, &e), 0);
	assert_int_equal(gs_machine_open(&options, &f->machine, &e), 0);
	start(f);
}

static void stop(struct fixture *f)
{
	f->mig->nvml->call = f->whole;
	gs_collect_free(f->collect);
}

static void close_fixture(struct fixture *f)
{
	stop(f);
	gs_machine_close(f->machine);
}

/* State of earlier looks would hide that a call fails now. */
static void forget(struct fixture *f)
{
	stop(f);
	start(f);
}

struct slot {
	const char *name;
	size_t offset;
};
#define SLOT_(slot, params, ...) { #slot, offsetof(struct gs_nvml_table, slot) },
static const struct slot slots[] = { GS_NVML_TELEMETRY_CALLS(SLOT_) };

static int answer_now;
static unsigned answers;
static int answer(void)
{
	answers++;
	return answer_now;
}

static void put(struct fixture *f, size_t offset, int (*function)(void))
{
	void *p = NULL;

	if (function)
		memcpy(&p, &function, sizeof(p));
	memcpy((char *)&f->mig->nvml->call + offset, &p, sizeof(p));
}

/* Whatever one call says, instances are there, and a utilisation is a number with no reason or none with one. */
static void check(const struct gs_snapshot *s, const char *slot, int code)
{
	assert_int_equal(gs_snapshot_n_gpus(s), 8);
	for (size_t i = 0; i < 8; i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(s, i);

		if (gpu->lost)
			fail_msg("%s answers %d: GPU %zu is said to be lost", slot, code, i);
		/* a GPU that its driver does not have has neither */
		if (!gpu->telemetry.utilization_percent.known == !gpu->telemetry.utilization_reason)
			fail_msg("%s answers %d: GPU %zu, %s", slot, code, i, gpu->telemetry.utilization_reason ? gpu->telemetry.utilization_reason : "no reason");
		for (size_t k = 0; k < gpu->n_instances; k++) {
			const struct gs_telemetry *t = &gpu->instances[k]->telemetry;

			if (!t->utilization_percent.known == !t->utilization_reason)
				fail_msg("%s answers %d: an instance of GPU %zu, %s", slot, code, i, t->utilization_reason ? t->utilization_reason : "no reason");
		}
	}
	assert_int_equal(gs_snapshot_gpu(s, CUT)->n_instances, 4);
}

static void every_code_at_every_call_leaves_a_reading_unknown(void **state)
{
	unsigned reached = 0;
	struct fixture f;

	(void)state;
	open_fixture(&f, "dgx-h100");
	for (size_t i = 0; i < GS_ARRAY_SIZE(slots); i++) {
		for (size_t k = 0; k < GS_ARRAY_SIZE(codes); k++) {
			GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;

			forget(&f);
			answers = 0;
			answer_now = codes[k];
			put(&f, slots[i].offset, answer);
			/* with a second sample: the calls behind the first one are reached, too */
			s = look(&f, k == 0);
			check(s, slots[i].name, codes[k]);
			f.mig->nvml->call = f.whole;
			if (!answers && k)
				break;
			reached += k == 0 && answers;
		}
	}
	/* all but what only vGPUs have, and what has an elder for where it is missing */
	assert_true(reached >= GS_ARRAY_SIZE(slots) - 5);
	close_fixture(&f);
}

static void a_library_without_each_symbol_says_which_is_missing(void **state)
{
	static const struct {
		size_t offset;
		const char *says;
	} cases[] = {
		{ offsetof(struct gs_nvml_table, gpm_support), "no nvmlGpmQueryDeviceSupport" },
		{ offsetof(struct gs_nvml_table, gpm_alloc), "no nvmlGpmSampleAlloc" },
		{ offsetof(struct gs_nvml_table, gpm_gi_sample), "no nvmlGpmMigSampleGet" },
		{ offsetof(struct gs_nvml_table, gpm_metrics), "no nvmlGpmMetricsGet" },
	};
	struct fixture f;

	(void)state;
	open_fixture(&f, "dgx-h100");
	for (size_t i = 0; i < GS_ARRAY_SIZE(cases); i++) {
		GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;

		forget(&f);
		put(&f, cases[i].offset, NULL);
		s = look(&f, true);
		check(s, cases[i].says, 13);
		assert_non_null(strstr(gs_snapshot_gpu(s, CUT)->instances[0]->telemetry.utilization_reason, cases[i].says));
		f.mig->nvml->call = f.whole;
	}
	close_fixture(&f);
}

/* 15 at any of them: that GPU is lost, and said to be; the look goes on. */
static void a_gpu_that_is_lost_is_shown_as_such(void **state)
{
	struct fixture f;
	char words[3][16] = { "nvml", "lost", "0000:9d:00.0" }, *argv[] = { words[0], words[1], words[2] };
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL, *again = NULL;
	GS_CLEANUP(gs_sim_closep) struct gs_sim *sim = NULL;
	struct gs_error e;

	(void)state;
	open_fixture(&f, "dgx-h100");
	answer_now = NVML_ERROR_GPU_IS_LOST;
	put(&f, offsetof(struct gs_nvml_table, device_clock), answer);
	s = look(&f, false);
	for (size_t i = 0; i < 8; i++)
		assert_non_null(gs_snapshot_gpu(s, i)->lost);
	f.mig->nvml->call = f.whole;
	forget(&f);
	assert_int_equal(gs_sim_open("dgx-h100", &sim, &e), 0);
	if (gs_sim_fault(sim, 3, argv, &e) < 0)
		fail_msg("%s", e.text);
	again = look(&f, true);
	for (size_t i = 0; i < 8; i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(again, i);

		assert_int_equal(!!gpu->lost, i == WHOLE);
		assert_int_equal(gpu->telemetry.temperature_celsius.known, i != WHOLE);
	}
	assert_true(gs_snapshot_gpu(again, CUT)->instances[0]->telemetry.utilization_percent.known);
	close_fixture(&f);
}

static void memory_is_told_apart_and_not_computed(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL, *old = NULL;
	const struct gs_telemetry *t;
	struct fixture f;

	(void)state;
	open_fixture(&f, "dgx-h100");
	s = look(&f, false);
	t = &gs_snapshot_gpu(s, WHOLE)->telemetry;
	assert_true(t->memory_reserved_bytes.known && t->memory_reserved_bytes.value);
	assert_true(t->memory_used_bytes.value && t->memory_free_bytes.known);
	assert_true(t->memory_total_bytes.value == t->memory_used_bytes.value + t->memory_free_bytes.value + t->memory_reserved_bytes.value);
	put(&f, offsetof(struct gs_nvml_table, device_memory_v2), NULL);
	old = look(&f, false);
	/* the older call does not tell what is reserved: that is not 0 */
	assert_false(gs_snapshot_gpu(old, WHOLE)->telemetry.memory_reserved_bytes.known);
	assert_true(gs_snapshot_gpu(old, WHOLE)->telemetry.memory_used_bytes.value > t->memory_used_bytes.value);
	close_fixture(&f);
}

static const struct gs_instance *at_work(const struct gs_snapshot *s)
{
	const struct gs_gpu *gpu = gs_snapshot_gpu(s, CUT);

	for (size_t i = 0; i < gpu->n_instances; i++)
		if (gs_str_equal(gpu->instances[i]->profile, "3g.40gb"))
			return gpu->instances[i];
	return NULL;
}

/* Two samples lie apart so far: the clock is the machine's. */
static void pass_time(struct gs_monotonic since)
{
	while (gs_elapsed_ms(since) < APART_MS)
		poll(NULL, 0, 1);
}

static void a_watch_knows_the_utilisation_of_instances_from_its_second_look_on(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *first = NULL, *later = NULL, *soon = NULL;
	struct gs_monotonic at;
	struct fixture f;

	(void)state;
	open_fixture(&f, "dgx-h100");
	forget(&f);
	first = look(&f, false);
	at = gs_monotonic_now();
	assert_false(at_work(first)->telemetry.utilization_percent.known);
	assert_string_equal(at_work(first)->telemetry.utilization_reason, "it is measured from one look to the next: look again");
	pass_time(at);
	later = look(&f, false);
	assert_in_range(at_work(later)->telemetry.utilization_percent.value, 1, 100);
	assert_null(at_work(later)->telemetry.utilization_reason);
	/* too soon for another sample: it stands */
	soon = look(&f, false);
	assert_true(at_work(soon)->telemetry.utilization_percent.known);
	/* an idle one is measured, too: 0 is a reading */
	assert_true(gs_u32_is(gs_snapshot_gpu(later, 2)->instances[0]->telemetry.utilization_percent, 0));
	assert_string_equal(gs_snapshot_gpu(later, CUT)->telemetry.utilization_reason, "in MIG mode each GPU instance has its own");
	close_fixture(&f);
}

static void who_looks_once_is_told_at_once(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	struct fixture f;

	(void)state;
	open_fixture(&f, "dgx-h100");
	forget(&f);
	s = look(&f, true);
	assert_in_range(at_work(s)->telemetry.utilization_percent.value, 1, 100);
	assert_true(gs_snapshot_gpu(s, WHOLE)->telemetry.pcie_rx_bytes_per_second.known);
	close_fixture(&f);
}

static unsigned clock_calls, throughput_calls;
static int count_clock(nvml_device d, int clock, unsigned *mhz)
{
	(void)d, (void)clock;
	clock_calls++;
	*mhz = 1000;
	return NVML_SUCCESS;
}

static int count_throughput(nvml_device d, int direction, unsigned *kib)
{
	(void)d, (void)direction;
	throughput_calls++;
	*kib = 7;
	return NVML_SUCCESS;
}

static void slow_readings_are_not_asked_for_at_every_look(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f, "kvm-l40s");
	forget(&f);
	f.mig->nvml->call.device_clock = count_clock;
	f.mig->nvml->call.device_pcie_throughput = count_throughput;
	clock_calls = throughput_calls = 0;
	for (int i = 0; i < 4; i++) {
		GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = look(&f, false);

		/* two clocks of four GPUs, once; and they are shown all the while */
		assert_int_equal(clock_calls, 8);
		assert_true(gs_u32_is(gs_snapshot_gpu(s, 3)->telemetry.clock_sm_mhz, 1000));
		/* both directions of one GPU a look */
		assert_int_equal(throughput_calls, 2 * (i + 1));
		for (size_t k = 0; k < 4; k++)
			assert_int_equal(gs_snapshot_gpu(s, k)->telemetry.pcie_tx_bytes_per_second.known, (int)k <= i);
	}
	close_fixture(&f);
}

static void vgpus_have_memory_and_utilisation_by_either_call(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL, *old = NULL, *none = NULL;
	const struct gs_gpu *gpu;
	struct fixture f;

	(void)state;
	open_fixture(&f, "kvm-l40s");
	s = look(&f, false);
	gpu = gs_snapshot_gpu(s, 0);
	assert_int_equal(gpu->n_instances, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct gs_telemetry *t = &gpu->instances[i]->telemetry;

		assert_in_range(t->utilization_percent.value, 1, 100);
		assert_true(t->memory_used_bytes.known && t->memory_total_bytes.value == 24ull << 30);
		assert_false(t->temperature_celsius.known);
	}
	/* one without a virtual machine does not run: unknown */
	assert_false(gs_snapshot_gpu(s, 1)->instances[1]->telemetry.utilization_percent.known);
	put(&f, offsetof(struct gs_nvml_table, vgpu_utilizations), NULL);
	old = look(&f, false);
	assert_true(gs_snapshot_gpu(old, 0)->instances[0]->telemetry.utilization_percent.known);
	put(&f, offsetof(struct gs_nvml_table, vgpu_samples), NULL);
	none = look(&f, false);
	assert_string_equal(gs_snapshot_gpu(none, 0)->instances[0]->telemetry.utilization_reason, "the driver tells the load of no vGPU on this GPU");
	close_fixture(&f);
}

static void an_ampere_gpu_with_mig_says_that_it_needs_gpm(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	const struct gs_gpu *gpu;
	struct fixture f;

	(void)state;
	open_fixture(&f, "lab");
	s = look(&f, true);
	gpu = gs_snapshot_gpu(s, 0);
	assert_int_equal(gpu->mode, GS_MODE_MIG);
	assert_string_equal(gpu->telemetry.utilization_reason, "in MIG mode each GPU instance has its own");
	assert_string_equal(gpu->instances[0]->telemetry.utilization_reason, "the driver measures it inside GPU instances from Hopper on only");
	assert_true(gpu->instances[0]->telemetry.memory_used_bytes.known);
	close_fixture(&f);
}

/* Numbers that a driver cannot mean are unknown, and do not spoil what carries them. */
static int absurd_utilization(nvml_device d, struct nvml_utilization *u)
{
	(void)d;
	*u = (struct nvml_utilization){ 4000000000u, 101 };
	return NVML_SUCCESS;
}

static int absurd_metrics(struct nvml_gpm_metrics *m)
{
	for (unsigned i = 0; i < m->n; i++)
		m->metrics[i].value = i % 2 ? -1 : 0.0 / 0.0;
	return NVML_SUCCESS;
}

static void absurd_numbers_are_unknown(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	struct fixture f;

	(void)state;
	open_fixture(&f, "dgx-h100");
	forget(&f);
	f.mig->nvml->call.device_utilization = absurd_utilization;
	f.mig->nvml->call.gpm_metrics = absurd_metrics;
	s = look(&f, true);
	check(s, "absurd", 0);
	assert_false(gs_snapshot_gpu(s, WHOLE)->telemetry.utilization_percent.known);
	assert_false(at_work(s)->telemetry.utilization_percent.known);
	close_fixture(&f);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_at_every_call_leaves_a_reading_unknown),
		cmocka_unit_test(a_library_without_each_symbol_says_which_is_missing),
		cmocka_unit_test(a_gpu_that_is_lost_is_shown_as_such),
		cmocka_unit_test(memory_is_told_apart_and_not_computed),
		cmocka_unit_test(a_watch_knows_the_utilisation_of_instances_from_its_second_look_on),
		cmocka_unit_test(who_looks_once_is_told_at_once),
		cmocka_unit_test(slow_readings_are_not_asked_for_at_every_look),
		cmocka_unit_test(vgpus_have_memory_and_utilisation_by_either_call),
		cmocka_unit_test(an_ampere_gpu_with_mig_says_that_it_needs_gpm),
		cmocka_unit_test(absurd_numbers_are_unknown),
	};
	char home[] = "/tmp/gpuslice-test-XXXXXX";
	int r;

	if (!mkdtemp(home))
		return 1;
	setenv("XDG_STATE_HOME", home, 1);
	unsetenv("GPUSLICE_SIM_USER");
	unsetenv("GPUSLICE_SIM_STATE");
	r = cmocka_run_group_tests(tests, NULL, NULL);
	nftw(home, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return r;
}
