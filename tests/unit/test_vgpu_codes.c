/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every return code at every call of vGPUs and readings, and a library without
 * each of their symbols in turn (test_mig_codes.c has those of MIG): a look
 * shows what it has, what it was not told is unknown and has its reason, and a
 * setting that was not set is as before, with a sentence that says why.
 */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/collect.h"
#include "backend/mig_write.h"
#include "backend/sim/sim.h"
#include "backend/vgpu_nvml.h"
#include "backend/vgpu_scheduler.h"
#include "base/parse.h"
#include "base/paths.h"
#include "tests/lib/cmocka.h"

static const int codes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 999, -1 };
/* Where a look takes its time: whoever sits at a terminal waits for it, too. */
static const int some_codes[] = { 1, 3, 13, 15, 25, 999 };

struct slot {
	const char *name, *symbol;
	size_t offset;
};

#define SLOT_(slot, params, symbol, ...) { #slot, symbol, offsetof(struct gs_nvml_table, slot) },
static const struct slot slots[] = { GS_NVML_VGPU_CALLS(SLOT_) GS_NVML_TELEMETRY_CALLS(SLOT_) };

static const struct slot *slot_by_name(const char *name)
{
	for (size_t i = 0; i < GS_ARRAY_SIZE(slots); i++)
		if (strcmp(slots[i].name, name) == 0)
			return &slots[i];
	fail_msg("no slot %s", name);
	return NULL;
}

struct fixture {
	const char *host;
	struct gs_sim *sim;
	struct gs_machine *machine;
	struct gs_collect *collect;
	struct gs_mig *mig;
	struct gs_nvml_table whole;     /* as it was loaded */
	struct gs_snapshot *truth;
};

/* ---- the table ---- */

/* What a call of the table answers while it is replaced. It reads no argument, so that it stands for any of them. */
static int answer_now;
static unsigned answers;
static int answer(void)
{
	answers++;
	return answer_now;
}

/* The same for one device, the call's first argument; the library itself answers for the others. No call has more than six words. */
static void *victim;
static int (*behind)(void *, void *, void *, void *, void *, void *);
static int answer_for_one(void *a, void *b, void *c, void *d, void *e, void *f)
{
	if (a == victim)
		return answer();
	return behind(a, b, c, d, e, f);
}

static void put(struct fixture *f, const struct slot *slot, const void *function, size_t size)
{
	assert_int_equal(size, sizeof(void *));
	memcpy((char *)&f->mig->nvml->call + slot->offset, function, size);
}

static void put_answer(struct fixture *f, const struct slot *slot, int code)
{
	int (*function)(void) = answer;

	answers = 0;
	answer_now = code;
	put(f, slot, &function, sizeof(function));
}

static void put_nothing(struct fixture *f, const struct slot *slot)
{
	void *none = NULL;

	put(f, slot, &none, sizeof(none));
}

static void put_back(struct fixture *f)
{
	f->mig->nvml->call = f->whole;
}

/* ---- the machine ---- */

static struct gs_snapshot *look(struct fixture *f, bool is_patient)
{
	const struct gs_collect_options options = { .telemetry = true, .fresh = is_patient };
	struct gs_snapshot *s = NULL;
	struct gs_error e = { 0 };

	if (gs_collect_snapshot(f->collect, &options, &s, &e) < 0)
		fail_msg("%s", e.text);
	return s;
}

/* What is kept from earlier looks would hide that a call fails now. The first look of all opens the library. */
static void begin_anew(struct fixture *f)
{
	const struct gs_collect_options options = { .telemetry = false };
	struct gs_snapshot *s = NULL;
	struct gs_error e = { 0 };

	f->collect = gs_collect_free(f->collect);
	assert_int_equal(gs_collect_new(f->machine, &f->collect, &e), 0);
	assert_int_equal(gs_collect_snapshot(f->collect, &options, &s, &e), 0);
	gs_snapshot_unref(s);
	assert_int_equal(gs_collect_mig(f->collect, &f->mig, &e), 0);
	f->whole = f->mig->nvml->call;
}

static void open_fixture(struct fixture *f, const char *host)
{
	const struct gs_machine_options options = { .sim = host };
	struct gs_error e = { 0 };

	*f = (struct fixture){ .host = host };
	assert_int_equal(gs_sim_reset(host, &e), 0);
	assert_int_equal(gs_machine_open(&options, &f->machine, &e), 0);
	assert_int_equal(gs_sim_open(host, &f->sim, &e), 0);
	begin_anew(f);
	f->truth = look(f, true);
}

static void learn_anew(struct fixture *f)
{
	gs_snapshot_unref(f->truth);
	begin_anew(f);
	f->truth = look(f, true);
}

static void close_fixture(struct fixture *f)
{
	put_back(f);
	gs_snapshot_unref(f->truth);
	gs_collect_free(f->collect);
	gs_machine_close(f->machine);
	gs_sim_close(f->sim);
}

static struct gs_step step_for(const struct fixture *f, enum gs_step_op op, unsigned gpu)
{
	const struct gs_gpu *g = gs_snapshot_gpu(f->truth, gpu);

	return (struct gs_step){ .op = op, .bdf = g->bdf, .gpu_uuid = g->uuid };
}

static struct gs_step setting_for(const struct fixture *f, unsigned gpu, const char *key, const char *value)
{
	struct gs_step step = step_for(f, GS_STEP_SET_SETTING, gpu);

	step.framework = GS_FRAMEWORK_NVML;
	step.key = key;
	step.value = value;
	return step;
}

static void must(struct fixture *f, const struct gs_step *step)
{
	struct gs_step_outcome out = { 0 };
	struct gs_error e = { 0 };

	if (gs_mig_run(f->mig, step, &out, &e) < 0)
		fail_msg("%s: %s", gs_step_op_name(step->op), e.text);
	assert_false(out.is_pending);
}

/* kvm-l40s: GPU 0 runs two VMs, GPU 2 has VFs without vGPUs and is set to what is not the default. */
#define RUNS 0
#define SET 2

static void open_kvm(struct fixture *f)
{
	struct gs_step mixed, shared;

	open_fixture(f, "kvm-l40s");
	mixed = setting_for(f, SET, GS_SETTING_HETEROGENEOUS, "on");
	shared = setting_for(f, SET, GS_SETTING_SCHEDULER, "equal-share:arr=off:timeslice-ns=3000000");
	must(f, &mixed);
	must(f, &shared);
	learn_anew(f);
	assert_string_equal(gs_gpu_setting(gs_snapshot_gpu(f->truth, SET), GS_SETTING_HETEROGENEOUS)->value, "on");
	assert_string_equal(gs_gpu_setting(gs_snapshot_gpu(f->truth, SET), GS_SETTING_SCHEDULER)->value, shared.value);
}

/* lab, GPU 3: a Blackwell in MIG mode, with a GI that is set to what is not the default. */
#define CUT 3
#define CUT_PROFILE "1g.24gb+gfx"

static struct gs_step in_gi(const struct fixture *f, const char *key, const char *value)
{
	struct gs_step step = setting_for(f, CUT, key, value);

	step.profile = CUT_PROFILE;
	step.span = (struct gs_span){ 0, 3 };
	return step;
}

static const struct gs_instance *the_gi(const struct gs_snapshot *s)
{
	return gs_gpu_instance_at(gs_snapshot_gpu(s, CUT), CUT_PROFILE, 0);
}

static void open_lab(struct fixture *f)
{
	char *const stop[] = { (char *)"systemctl", (char *)"stop", (char *)"nvidia-persistenced.service", NULL };
	struct gs_step mode, gi, mixed, shared;
	struct gs_error e = { 0 };
	char *output = NULL;
	int rc;

	open_fixture(f, "lab");
	assert_int_equal(gs_sim_run(f->sim, stop, &rc, &output, &e), 0);
	free(output);
	assert_int_equal(rc, 0);
	mode = step_for(f, GS_STEP_SET_MODE, CUT);
	mode.mode = GS_MODE_MIG;
	must(f, &mode);
	gi = step_for(f, GS_STEP_CREATE_GI, CUT);
	gi.profile = CUT_PROFILE;
	gi.span = (struct gs_span){ 0, 3 };
	must(f, &gi);
	mixed = in_gi(f, GS_SETTING_HETEROGENEOUS, "on");
	shared = in_gi(f, GS_SETTING_SCHEDULER, "equal-share:arr=off:timeslice-ns=3000000");
	must(f, &mixed);
	must(f, &shared);
	learn_anew(f);
	assert_non_null(the_gi(f->truth));
	assert_string_equal(gs_instance_param(the_gi(f->truth), GS_SETTING_HETEROGENEOUS), "on");
	assert_string_equal(gs_instance_param(the_gi(f->truth), GS_SETTING_SCHEDULER), shared.value);
}

/* ---- a look, beside the truth ---- */

struct field {
	const char *name;
	size_t offset;
	bool is_u64;
};

#define FIELD_(name, is_u64) { #name, offsetof(struct gs_telemetry, name), is_u64 }
static const struct field fields[] = {
	FIELD_(memory_total_bytes, true), FIELD_(memory_reserved_bytes, true), FIELD_(memory_used_bytes, true), FIELD_(memory_free_bytes, true),
	FIELD_(utilization_percent, false), FIELD_(encoder_percent, false), FIELD_(decoder_percent, false), FIELD_(temperature_celsius, false),
	FIELD_(power_milliwatts, true), FIELD_(power_limit_milliwatts, true), FIELD_(clock_sm_mhz, false), FIELD_(clock_memory_mhz, false),
	FIELD_(ecc_is_on, false), FIELD_(ecc_corrected, true), FIELD_(ecc_uncorrected, true), FIELD_(pcie_generation, false), FIELD_(pcie_width, false),
	FIELD_(pcie_tx_bytes_per_second, true), FIELD_(pcie_rx_bytes_per_second, true),
};

static struct gs_u64 read_field(const struct gs_telemetry *t, const struct field *field)
{
	struct gs_u32 narrow;
	struct gs_u64 wide;

	if (field->is_u64) {
		memcpy(&wide, (const char *)t + field->offset, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, (const char *)t + field->offset, sizeof(narrow));
	return (struct gs_u64){ narrow.known, narrow.value };
}

static const struct field *field_by_name(const char *name)
{
	for (size_t i = 0; i < GS_ARRAY_SIZE(fields); i++)
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	fail_msg("no field %s", name);
	return NULL;
}

/* Which readings of a GPU are the call's alone. */
static const struct {
	const char *slot, *fields[3];
} feeds[] = {
	{ "device_memory_v2", { "memory_reserved_bytes" } },
	{ "device_utilization", { "utilization_percent" } },
	{ "device_encoder", { "encoder_percent" } },
	{ "device_decoder", { "decoder_percent" } },
	{ "device_power", { "power_milliwatts" } },
	{ "device_power_limit", { "power_limit_milliwatts" } },
	{ "device_temperature", { "temperature_celsius" } },
	{ "device_clock", { "clock_sm_mhz", "clock_memory_mhz" } },
	{ "device_ecc_mode", { "ecc_is_on", "ecc_corrected", "ecc_uncorrected" } },
	{ "device_ecc_errors", { "ecc_corrected", "ecc_uncorrected" } },
	{ "device_pcie_generation", { "pcie_generation" } },
	{ "device_pcie_width", { "pcie_width" } },
	{ "device_pcie_throughput", { "pcie_tx_bytes_per_second", "pcie_rx_bytes_per_second" } },
};

/* A case: which call answers what, for messages. */
struct tried {
	const char *slot, *symbol;
	int code;
};

static void check_telemetry(const struct gs_telemetry *t, const struct gs_telemetry *was, const struct tried *tried)
{
	for (size_t i = 0; i < GS_ARRAY_SIZE(fields); i++) {
		struct gs_u64 now = read_field(t, &fields[i]), before = read_field(was, &fields[i]);

		if (now.known && !before.known)
			fail_msg("%s answers %d: %s is told, and was not", tried->slot, tried->code, fields[i].name);
		if (now.known && !now.value && before.value)
			fail_msg("%s answers %d: %s is 0, and was %llu", tried->slot, tried->code, fields[i].name, (unsigned long long)before.value);
	}
	if (was->utilization_percent.known && !t->utilization_percent.known && (!t->utilization_reason || strlen(t->utilization_reason) < 20))
		fail_msg("%s answers %d: a load is not known, and nobody says why", tried->slot, tried->code);
}

/* Only where a look asks: then what is the call's alone is not known. */
static void check_feeds(const struct gs_telemetry *t, const struct tried *tried)
{
	for (size_t i = 0; i < GS_ARRAY_SIZE(feeds); i++) {
		for (size_t k = 0; strcmp(feeds[i].slot, tried->slot) == 0 && k < GS_ARRAY_SIZE(feeds[i].fields) && feeds[i].fields[k]; k++)
			if (read_field(t, field_by_name(feeds[i].fields[k])).known)
				fail_msg("%s answers %d: %s is known", tried->slot, tried->code, feeds[i].fields[k]);
	}
}

static void check_text(const char *now, const char *was, const char *what, const struct tried *tried)
{
	if (now && !gs_str_equal(now, was))
		fail_msg("%s answers %d: %s is «%s», and was «%s»", tried->slot, tried->code, what, now, was ? was : "unknown");
}

/* A setting that cannot be read has no value, and says why when it cannot be set either. */
static void check_settings(const struct gs_gpu *gpu, const struct gs_gpu *was, const struct tried *tried)
{
	for (size_t i = 0; i < gpu->n_settings; i++) {
		const struct gs_setting *now = gpu->settings[i], *before = gs_gpu_setting(was, now->key);

		assert_non_null(before);
		/* with v2 or v1 alone some parts are not told */
		if (now->value && !gs_setting_is(before->value, now->value, false))
			fail_msg("%s answers %d: %s is %s, and was %s", tried->slot, tried->code, now->key, now->value, before->value ? before->value : "unknown");
		if (!now->value && before->value && !now->fixed && tried->code != NVML_ERROR_NOT_SUPPORTED)
			fail_msg("%s answers %d: %s has neither value nor reason", tried->slot, tried->code, now->key);
		if (now->fixed && !before->fixed && !strstr(now->fixed, tried->symbol) && tried->code != NVML_ERROR_NOT_SUPPORTED)
			fail_msg("%s answers %d: %s is fixed: %s", tried->slot, tried->code, now->key, now->fixed);
	}
}

static void check_types(const struct gs_gpu *gpu, const struct gs_gpu *was, const struct tried *tried)
{
	const struct gs_profile_set *now = &gpu->grids[GS_KIND_VGPU], *before = &was->grids[GS_KIND_VGPU];

	assert_int_equal(now->n, before->n);
	for (size_t i = 0; i < now->n; i++) {
		const struct gs_profile *a = &now->items[i], *b = &before->items[i];

		if (a->n_mixed_ids && (a->n_mixed_ids != b->n_mixed_ids || a->mixed_size != b->mixed_size || memcmp(a->mixed_ids, b->mixed_ids, a->n_mixed_ids * sizeof(*a->mixed_ids)) != 0))
			fail_msg("%s answers %d: %s has other placement ids", tried->slot, tried->code, a->name);
		if (!a->n_mixed_ids && a->mixed_size)
			fail_msg("%s answers %d: %s has a size and no placement id", tried->slot, tried->code, a->name);
	}
}

static void check_instances(const struct gs_gpu *gpu, const struct gs_gpu *was, const struct tried *tried)
{
	assert_int_equal(gpu->n_instances, was->n_instances);
	for (size_t i = 0; i < gpu->n_instances; i++) {
		const struct gs_instance *now = gpu->instances[i], *before = was->instances[i];

		assert_int_equal(now->kind, before->kind);
		assert_int_equal(now->id, before->id);
		assert_string_equal(now->profile, before->profile);
		assert_int_equal(now->n_holders, before->n_holders);
		check_text(now->vm_uuid, before->vm_uuid, "a VM", tried);
		check_text(now->guest_driver, before->guest_driver, "a guest's driver", tried);
		check_text(now->licence, before->licence, "a licence", tried);
		check_text(now->licence_expires, before->licence_expires, "the end of a licence", tried);
		for (size_t k = 0; k < now->n_params; k++) {
			const char *value = gs_instance_param(before, now->params[k].key);

			if (!gs_setting_is(value, now->params[k].value, false))
				fail_msg("%s answers %d: %s is %s, and was %s", tried->slot, tried->code, now->params[k].key, now->params[k].value, value ? value : "unknown");
		}
		check_telemetry(&now->telemetry, &before->telemetry, tried);
	}
}

/* What is said to be seen is what is; what is not seen is not said to be nothing. */
static struct gs_snapshot *check_look(struct fixture *f, const struct tried *tried, bool is_patient)
{
	struct gs_snapshot *s = look(f, is_patient);

	assert_int_equal(gs_snapshot_n_gpus(s), gs_snapshot_n_gpus(f->truth));
	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(s, i), *was = gs_snapshot_gpu(f->truth, i);

		/* whoever answers so in one call is lost in all */
		if (gpu->lost && tried->code == NVML_ERROR_GPU_IS_LOST)
			continue;
		if (gpu->lost || gpu->mode != was->mode)
			fail_msg("%s answers %d: GPU %zu is %s", tried->slot, tried->code, i, gpu->lost ? gpu->lost : gs_mode_name(gpu->mode));
		check_telemetry(&gpu->telemetry, &was->telemetry, tried);
		if (answers && !victim)
			check_feeds(&gpu->telemetry, tried);
		check_settings(gpu, was, tried);
		check_types(gpu, was, tried);
		check_instances(gpu, was, tried);
	}
	return s;
}

/* Readings that are asked for now and again only, and kept. */
static bool is_kept(const char *name)
{
	static const char *const kept[] = { "device_power_limit", "device_clock", "device_ecc_mode", "device_ecc_errors", "device_pcie_generation",
		"device_pcie_width", "device_pcie_throughput", "gpm_support", "gpm_alloc", "gpm_gi_sample" };

	for (size_t i = 0; i < GS_ARRAY_SIZE(kept); i++)
		if (strcmp(kept[i], name) == 0)
			return true;
	return false;
}

/* How many of the calls a look makes. A large machine is not tried with every code. */
static unsigned try_all(struct fixture *f, bool is_large)
{
	unsigned reached = 0;

	for (size_t i = 0; i < GS_ARRAY_SIZE(slots); i++) {
		struct tried tried = { slots[i].name, slots[i].symbol, 13 };
		bool is_slow = is_kept(slots[i].name), is_short = is_slow || is_large;

		for (size_t k = 0; k < (is_short ? GS_ARRAY_SIZE(some_codes) : GS_ARRAY_SIZE(codes)); k++) {
			if (is_slow)
				begin_anew(f);
			tried.code = is_short ? some_codes[k] : codes[k];
			put_answer(f, &slots[i], tried.code);
			gs_snapshot_unref(check_look(f, &tried, false));
			put_back(f);
			/* a look does not ask it at all */
			if (!answers)
				break;
			reached += k == 0;
		}
		if (is_slow)
			begin_anew(f);
		tried.code = NVML_ERROR_FUNCTION_NOT_FOUND;
		put_nothing(f, &slots[i]);
		gs_snapshot_unref(check_look(f, &tried, false));
		put_back(f);
	}
	return reached;
}

static void every_code_at_every_call_of_a_vgpu_host(void **state)
{
	const struct gs_instance *guest;
	struct fixture f;

	(void)state;
	open_kvm(&f);
	/* the truth has what the tries may take away */
	for (size_t i = 0; i < GS_ARRAY_SIZE(fields); i++)
		/* this board has its ECC switched off, and counts nothing */
		assert_int_equal(read_field(&gs_snapshot_gpu(f.truth, RUNS)->telemetry, &fields[i]).known, !strstr(fields[i].name, "corrected"));
	guest = gs_gpu_instance_on_vf(gs_snapshot_gpu(f.truth, RUNS), 0);
	assert_non_null(guest->vm_uuid);
	assert_non_null(guest->guest_driver);
	assert_non_null(guest->licence);
	assert_true(guest->telemetry.utilization_percent.known && guest->telemetry.memory_used_bytes.known);
	assert_true(try_all(&f, false) >= 26);
	close_fixture(&f);
}

static void every_code_at_every_call_of_a_host_with_gpu_instances_for_vgpus(void **state)
{
	struct fixture f;

	(void)state;
	open_lab(&f);
	assert_true(try_all(&f, true) >= 20);
	close_fixture(&f);
}

/* Placement ids are kept for the life of a collector, so they are asked for here without one. */
static size_t ask_placements(struct fixture *f, unsigned gpu, struct gs_vgpu_placements **placements)
{
	const struct gs_gpu *was = gs_snapshot_gpu(f->truth, gpu);
	struct gs_snapshot *s = gs_snapshot_new();
	struct gs_gpu *now = gs_snapshot_add_gpu(s, was->bdf);
	struct gs_profile *types = calloc(was->grids[GS_KIND_VGPU].n, sizeof(*types));
	nvml_device device;
	size_t n = 0;

	assert_non_null(now);
	assert_non_null(types);
	now->pci_id = was->pci_id;
	now->subsystem_id = was->subsystem_id;
	now->mode = was->mode;
	now->grids[GS_KIND_VGPU] = was->grids[GS_KIND_VGPU];
	now->grids[GS_KIND_VGPU].items = types;
	for (size_t i = 0; i < now->grids[GS_KIND_VGPU].n; i++) {
		types[i] = was->grids[GS_KIND_VGPU].items[i];
		types[i].mixed_size = 0;
		types[i].mixed_ids = NULL;
		types[i].n_mixed_ids = 0;
	}
	assert_int_equal(gs_mig_device(f->mig, was->bdf, &device), NVML_SUCCESS);
	assert_int_equal(gs_vgpu_nvml_settings(f->mig->nvml, device, s, now, placements), 0);
	for (size_t i = 0; i < now->grids[GS_KIND_VGPU].n; i++) {
		const struct gs_profile *type = &now->grids[GS_KIND_VGPU].items[i];

		assert_int_equal(!type->n_mixed_ids, !type->mixed_size);
		n += type->n_mixed_ids > 0;
	}
	gs_snapshot_unref(s);
	free(types);
	return n;
}

static void placement_ids_that_are_not_told_are_unknown(void **state)
{
	const struct slot *slot = slot_by_name("vgpu_placements");
	struct gs_vgpu_placements *placements = NULL;
	struct fixture f;
	size_t all;

	(void)state;
	open_kvm(&f);
	all = ask_placements(&f, SET, &placements);
	assert_true(all > 4);
	for (size_t i = 0; i < GS_ARRAY_SIZE(codes); i++) {
		placements = gs_vgpu_placements_free(placements);
		put_answer(&f, slot, codes[i]);
		assert_int_equal(ask_placements(&f, RUNS, &placements), 0);
		assert_true(answers > 0);
		put_back(&f);
		/* one GPU that has fallen off the bus does not speak for all of its kind */
		if (codes[i] == NVML_ERROR_GPU_IS_LOST)
			assert_int_equal(ask_placements(&f, SET, &placements), all);
	}
	placements = gs_vgpu_placements_free(placements);
	put_nothing(&f, slot);
	assert_int_equal(ask_placements(&f, RUNS, &placements), 0);
	gs_vgpu_placements_free(placements);
	close_fixture(&f);
}

/* ---- one GPU that is gone, in the middle of a look ---- */

static void check_others(const struct fixture *f, const struct gs_snapshot *s, const struct tried *tried)
{
	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(s, i), *was = gs_snapshot_gpu(f->truth, i);

		for (size_t k = 0; i != RUNS && k < GS_ARRAY_SIZE(fields); k++)
			/* throughput is one GPU's in a look */
			if (!strstr(fields[k].name, "_per_second") && read_field(&was->telemetry, &fields[k]).known && !read_field(&gpu->telemetry, &fields[k]).known)
				fail_msg("%s answers %d for GPU %d: %s of GPU %zu is not known", tried->slot, tried->code, RUNS, fields[k].name, i);
		for (size_t k = 0; i != RUNS && k < was->n_settings; k++)
			assert_true(gs_str_equal(gpu->settings[k]->value, was->settings[k]->value) && gs_str_equal(gpu->settings[k]->fixed, was->settings[k]->fixed));
		for (size_t k = 0; i != RUNS && k < was->n_instances; k++)
			assert_true(gs_str_equal(gpu->instances[k]->vm_uuid, was->instances[k]->vm_uuid) &&
				    gpu->instances[k]->telemetry.utilization_percent.known == was->instances[k]->telemetry.utilization_percent.known);
		for (size_t k = 0; i != RUNS && k < was->grids[GS_KIND_VGPU].n; k++)
			assert_int_equal(gpu->grids[GS_KIND_VGPU].items[k].n_mixed_ids, was->grids[GS_KIND_VGPU].items[k].n_mixed_ids);
	}
}

static void a_gpu_that_is_lost_in_one_call_keeps_the_others(void **state)
{
	int (*function)(void *, void *, void *, void *, void *, void *) = answer_for_one;
	unsigned reached = 0;
	struct fixture f;

	(void)state;
	open_kvm(&f);
	for (size_t i = 0; i < GS_ARRAY_SIZE(slots); i++) {
		struct tried tried = { slots[i].name, slots[i].symbol, NVML_ERROR_GPU_IS_LOST };
		struct gs_snapshot *s;
		nvml_device device;

		begin_anew(&f);
		assert_int_equal(gs_mig_device(f.mig, gs_snapshot_gpu(f.truth, RUNS)->bdf, &device), NVML_SUCCESS);
		victim = device;
		memcpy(&behind, (const char *)&f.whole + slots[i].offset, sizeof(behind));
		answers = 0;
		answer_now = tried.code;
		put(&f, &slots[i], &function, sizeof(function));
		s = check_look(&f, &tried, false);
		put_back(&f);
		check_others(&f, s, &tried);
		if (answers)
			check_feeds(&gs_snapshot_gpu(s, RUNS)->telemetry, &tried);
		gs_snapshot_unref(s);
		reached += answers > 0;
	}
	victim = NULL;
	assert_true(reached >= 18);
	close_fixture(&f);
}

/* ---- load inside GPU instances, which takes two samples ---- */

/* dgx-h100: GPU 1 has four instances. */
#define FULL 1

static void check_no_load(const struct gs_snapshot *s, const struct tried *tried)
{
	const struct gs_gpu *gpu = gs_snapshot_gpu(s, FULL);

	for (size_t i = 0; i < gpu->n_instances; i++) {
		const struct gs_telemetry *t = &gpu->instances[i]->telemetry;

		if (t->utilization_percent.known || !t->utilization_reason)
			fail_msg("%s answers %d: the load of an instance is %s", tried->slot, tried->code, t->utilization_percent.known ? "known" : "unknown without a word");
		if (!strstr(t->utilization_reason, tried->symbol) && tried->code != NVML_ERROR_NOT_SUPPORTED)
			fail_msg("%s answers %d: the load of an instance is unknown: %s", tried->slot, tried->code, t->utilization_reason);
	}
}

static bool has_load(const struct gs_snapshot *s)
{
	const struct gs_gpu *gpu = gs_snapshot_gpu(s, FULL);
	size_t n = 0;

	for (size_t i = 0; i < gpu->n_instances; i++)
		n += gpu->instances[i]->telemetry.utilization_percent.known && !gpu->instances[i]->telemetry.utilization_reason;
	return n && n == gpu->n_instances;
}

static void a_load_that_cannot_be_measured_has_its_reason(void **state)
{
	static const char *const names[] = { "gpm_support", "gpm_alloc", "gpm_gi_sample", "gpm_metrics" };
	struct gs_snapshot *s;
	struct fixture f;

	(void)state;
	open_fixture(&f, "dgx-h100");
	assert_true(has_load(f.truth));
	for (size_t i = 0; i < GS_ARRAY_SIZE(names) * (GS_ARRAY_SIZE(some_codes) + 1); i++) {
		const struct slot *slot = slot_by_name(names[i % GS_ARRAY_SIZE(names)]);
		size_t k = i / GS_ARRAY_SIZE(names);
		struct tried tried = { slot->name, slot->symbol, k < GS_ARRAY_SIZE(some_codes) ? some_codes[k] : NVML_ERROR_FUNCTION_NOT_FOUND };

		begin_anew(&f);
		put_answer(&f, slot, tried.code);
		if (k == GS_ARRAY_SIZE(some_codes))
			put_nothing(&f, slot);
		s = check_look(&f, &tried, true);
		put_back(&f);
		check_no_load(s, &tried);
		gs_snapshot_unref(s);
		/* nothing of it is kept */
		if (k)
			continue;
		s = look(&f, true);
		gs_snapshot_unref(s);
		s = look(&f, true);
		if (!has_load(s))
			fail_msg("%s answered %d once, and the load is not known any more", tried.slot, tried.code);
		gs_snapshot_unref(s);
	}
	close_fixture(&f);
}

/* What was measured before a failure is not shown after it. */
static void a_load_of_before_is_not_shown(void **state)
{
	const struct slot *slot = slot_by_name("gpm_metrics");
	const struct tried tried = { slot->name, slot->symbol, NVML_ERROR_UNKNOWN };
	struct gs_snapshot *s;
	struct fixture f;

	(void)state;
	open_fixture(&f, "dgx-h100");
	assert_true(has_load(f.truth));
	put_answer(&f, slot, tried.code);
	/* at once it is the last one's, until there is time for another sample */
	for (s = look(&f, false); !answers; s = look(&f, false)) {
		assert_true(has_load(s));
		gs_snapshot_unref(s);
	}
	check_no_load(s, &tried);
	gs_snapshot_unref(s);
	s = look(&f, false);
	assert_false(gs_snapshot_gpu(s, FULL)->instances[0]->telemetry.utilization_percent.known);
	assert_non_null(gs_snapshot_gpu(s, FULL)->instances[0]->telemetry.utilization_reason);
	gs_snapshot_unref(s);
	close_fixture(&f);
}

/* ---- setting ---- */

/* What the library says by itself, "" where it says nothing. */
static const char *value_of(struct fixture *f, const struct gs_step *step, char *buf)
{
	struct nvml_heterogeneous mode = { .version = NVML_VERSION_WORD(struct nvml_heterogeneous, 1) };
	struct gs_nvml *nvml = f->mig->nvml;
	nvml_device device;
	nvml_gi gi = NULL;

	assert_int_equal(gs_mig_device(f->mig, step->bdf, &device), NVML_SUCCESS);
	if (step->profile)
		assert_int_equal(GS_NVML_CALL(nvml, gi_by_id, device, the_gi(f->truth)->id, &gi), NVML_SUCCESS);
	if (strcmp(step->key, GS_SETTING_SCHEDULER) == 0) {
		assert_int_equal(gs_vgpu_scheduler_read(nvml, device, gi, buf), NVML_SUCCESS);
		return buf;
	}
	assert_int_equal(gi ? GS_NVML_CALL(nvml, gi_heterogeneous, gi, &mode) : GS_NVML_CALL(nvml, heterogeneous, device, &mode), NVML_SUCCESS);
	return mode.mode ? "on" : "off";
}

/* The GPU, the setting, which call said what, what that means; and where it may be set all the same, that. */
static void check_sentence(const struct gs_step *step, const struct tried *tried, const struct gs_error *e, int r, bool is_as_before)
{
	char bdf[GS_BDF_TEXT], says[96];
	const char *reason = gs_nvml_reason(tried->code);

	snprintf(says, sizeof(says), "%s says %d", tried->symbol, tried->code);
	if (!strstr(e->text, gs_bdf_format(step->bdf, bdf)) || !strstr(e->text, step->key) || !strstr(e->text, step->value) || !strstr(e->text, says) ||
	    (reason && !strstr(e->text, reason)) || e->errnum != r || e->status == GS_STATUS_OK)
		fail_msg("%s answers %d: not the whole sentence: «%s» (status %d, errno %d)", tried->slot, tried->code, e->text, (int)e->status, e->errnum);
	if (step->profile && !strstr(e->text, CUT_PROFILE))
		fail_msg("%s answers %d: which GPU instance? «%s»", tried->slot, tried->code, e->text);
	if (!is_as_before && !strstr(e->text, "cannot be read back"))
		fail_msg("%s answers %d: %s is set, but the step says «%s»", tried->slot, tried->code, step->key, e->text);
}

/* One try; the setting is put back after. False: the step does not make that call. */
static bool try_setting(struct fixture *f, const struct gs_step *step, const struct slot *slot, int code, bool is_there)
{
	const struct tried tried = { slot->name, slot->symbol, code };
	char before[GS_SETTING_VALUE_MAX], after[GS_SETTING_VALUE_MAX], was[GS_SETTING_VALUE_MAX];
	struct gs_step_outcome out = { 0 };
	struct gs_error e = { 0 };
	struct gs_step back = *step;
	bool is_as_before;
	int r;

	snprintf(was, sizeof(was), "%s", value_of(f, step, before));
	put_answer(f, slot, code);
	if (!is_there)
		put_nothing(f, slot);
	r = gs_mig_run(f->mig, step, &out, &e);
	put_back(f);
	is_as_before = strcmp(value_of(f, step, after), was) == 0;
	if (r == 0 && !gs_setting_is(value_of(f, step, after), step->value, true))
		fail_msg("%s answers %d: reported as set to %s, but it is %s", slot->name, code, step->value, value_of(f, step, after));
	if (r < 0 && (answers || !is_as_before))
		check_sentence(step, &tried, &e, r, is_as_before);
	back.value = was;
	if (!is_as_before)
		must(f, &back);
	return answers > 0;
}

static void try_setting_with_all(struct fixture *f, const struct gs_step *step)
{
	unsigned reached = 0;

	for (size_t i = 0; i < GS_ARRAY_SIZE(slots); i++) {
		for (size_t k = 0; k < GS_ARRAY_SIZE(codes); k++) {
			if (!try_setting(f, step, &slots[i], codes[k], true))
				break;
			reached += k == 0;
		}
		try_setting(f, step, &slots[i], NVML_ERROR_FUNCTION_NOT_FOUND, false);
	}
	/* what sets it and what reads it back */
	assert_true(reached >= 2);
}

static void every_code_at_every_call_of_a_setting(void **state)
{
	struct gs_step steps[3];
	struct fixture f;

	(void)state;
	open_kvm(&f);
	steps[0] = setting_for(&f, SET, GS_SETTING_HETEROGENEOUS, "off");
	steps[1] = setting_for(&f, SET, GS_SETTING_SCHEDULER, "fixed-share:arr=on:frequency-hz=100");
	steps[2] = setting_for(&f, SET, GS_SETTING_SCHEDULER, "fixed-share:timeslice-ns=2000000");
	for (size_t i = 0; i < GS_ARRAY_SIZE(steps); i++)
		try_setting_with_all(&f, &steps[i]);
	close_fixture(&f);
}

static void every_code_at_every_call_of_a_setting_in_a_gpu_instance(void **state)
{
	struct gs_step steps[3];
	struct fixture f;

	(void)state;
	open_lab(&f);
	steps[0] = in_gi(&f, GS_SETTING_HETEROGENEOUS, "off");
	steps[1] = in_gi(&f, GS_SETTING_SCHEDULER, "fixed-share:arr=on:frequency-hz=100");
	steps[2] = in_gi(&f, GS_SETTING_SCHEDULER, "fixed-share:timeslice-ns=2000000");
	for (size_t i = 0; i < GS_ARRAY_SIZE(steps); i++)
		try_setting_with_all(&f, &steps[i]);
	close_fixture(&f);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int main(void)
{
	char dir[] = "/tmp/gpuslice-test-XXXXXX";
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_at_every_call_of_a_vgpu_host),
		cmocka_unit_test(every_code_at_every_call_of_a_host_with_gpu_instances_for_vgpus),
		cmocka_unit_test(placement_ids_that_are_not_told_are_unknown),
		cmocka_unit_test(a_gpu_that_is_lost_in_one_call_keeps_the_others),
		cmocka_unit_test(a_load_that_cannot_be_measured_has_its_reason),
		cmocka_unit_test(a_load_of_before_is_not_shown),
		cmocka_unit_test(every_code_at_every_call_of_a_setting),
		cmocka_unit_test(every_code_at_every_call_of_a_setting_in_a_gpu_instance),
	};
	int failed;

	if (!mkdtemp(dir))
		return 1;
	setenv("XDG_STATE_HOME", dir, 1);
	failed = cmocka_run_group_tests_name("vgpu codes", tests, NULL, NULL);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return failed;
}
