/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A whole look at a simulated machine through the stand-in library, as root and as somebody else. */
#include <dlfcn.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/collect.h"
#include "backend/mig_write.h"
#include "backend/published.h"
#include "backend/sim/sim.h"
#include "base/paths.h"
#include "codec/snapshot_json.h"
#include "tests/lib/cmocka.h"

#define HOST "dgx-h100"

/* A state directory of our own, and the reason to skip when the simulator is not complete. */
static bool have_sim(void)
{
	GS_FREE char *standin = gs_standin_path(false);
	struct gs_error e;

	if (!standin || access(standin, R_OK) < 0) {
		print_message("skipped: %s is not built\n", standin ? standin : "the stand-in");
		return false;
	}
	if (gs_sim_reset(HOST, &e) < 0) {
		print_message("skipped: %s\n", e.text);
		return false;
	}
	return true;
}

struct fixture {
	struct gs_machine *machine;
	struct gs_collect *collect;
};

static void open_fixture(struct fixture *f, bool as_user)
{
	const struct gs_machine_options options = { .sim = HOST, .as_user = as_user };
	struct gs_error e = { 0 };

	assert_int_equal(gs_machine_open(&options, &f->machine, &e), 0);
	assert_int_equal(gs_collect_new(f->machine, &f->collect, &e), 0);
}

static void close_fixture(struct fixture *f)
{
	gs_collect_free(f->collect);
	gs_machine_close(f->machine);
}

static struct gs_snapshot *look(struct fixture *f, bool telemetry)
{
	const struct gs_collect_options options = { .telemetry = telemetry, .fresh = true };
	struct gs_snapshot *s = NULL;
	struct gs_error e = { 0 };

	if (gs_collect_snapshot(f->collect, &options, &s, &e) < 0)
		fail_msg("%s", e.text);
	for (size_t i = 0; i < gs_snapshot_n_notices(s); i++)
		print_message("notice: %s\n", gs_snapshot_notice(s, i));
	return s;
}

static char *as_text(const struct gs_snapshot *s)
{
	GS_JSON struct json_object *o = gs_snapshot_to_json(s, GS_SNAPSHOT_PROFILES);

	return gs_json_to_line(o);
}

static const struct gs_gpu *first_mig(const struct gs_snapshot *s)
{
	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++) {
		if (gs_snapshot_gpu(s, i)->mode == GS_MODE_MIG && gs_snapshot_gpu(s, i)->n_instances)
			return gs_snapshot_gpu(s, i);
	}
	return NULL;
}

static void root_sees_everything(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL, *again = NULL;
	GS_FREE char *one = NULL, *two = NULL;
	const struct gs_gpu *gpu;
	struct fixture f;

	(void)state;
	if (!have_sim())
		skip();
	open_fixture(&f, false);
	s = look(&f, false);
	assert_int_equal(gs_snapshot_n_gpus(s), 8);
	assert_int_equal(gs_snapshot_n_notices(s), 0);
	assert_int_equal(gs_snapshot_source(s), GS_SOURCE_SIM);
	for (size_t i = 0; i < 8; i++) {
		gpu = gs_snapshot_gpu(s, i);
		assert_string_equal(gpu->pci_id, "10de:2330");
		assert_non_null(gpu->uuid);
		assert_non_null(strstr(gpu->name, "H100"));
		assert_int_equal(gpu->modes, 1u << GS_MODE_WHOLE | 1u << GS_MODE_MIG | 1u << GS_MODE_PASSTHROUGH);
		assert_true(gpu->holders_visible);
		assert_true(gpu->placements_visible);
		assert_int_equal(gpu->grids[GS_KIND_MIG].memory_units, 8);
		assert_int_equal(gpu->grids[GS_KIND_MIG].compute_slices, 7);
		assert_int_equal(gpu->grids[GS_KIND_MIG].source, GS_PROFILES_DRIVER);
		assert_false(gpu->mode_needs_reset);
	}
	gpu = first_mig(s);
	assert_non_null(gpu);
	for (size_t i = 0; i < gpu->n_instances; i++) {
		assert_true(gpu->instances[i]->start.known);
		assert_non_null(gpu->instances[i]->uuid);
		assert_true(gpu->instances[i]->n_compute > 0);
		assert_true(gpu->instances[i]->compute[0]->start.known);
	}
	again = look(&f, false);
	one = as_text(s);
	two = as_text(again);
	assert_string_equal(one, two);
	close_fixture(&f);
}

static void somebody_else_gets_no_places_until_they_are_published(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *full = NULL, *blind = NULL, *joined = NULL;
	const struct gs_gpu *seen, *there;
	struct fixture root, user;
	struct gs_wall at;

	(void)state;
	if (!have_sim())
		skip();
	open_fixture(&root, false);
	full = look(&root, false);
	there = first_mig(full);
	assert_non_null(there);
	close_fixture(&root);
	open_fixture(&user, true);
	gs_root_unlink(gs_machine_root(user.machine), GS_PUBLISHED_PATH);
	blind = look(&user, false);
	seen = gs_snapshot_gpu_by_bdf(blind, there->bdf);
	assert_int_equal(seen->n_instances, there->n_instances);
	assert_false(seen->placements_visible);
	assert_false(seen->holders_visible);
	assert_int_equal(seen->grids[GS_KIND_MIG].source, GS_PROFILES_CATALOGUE);
	for (size_t i = 0; i < seen->n_instances; i++) {
		assert_false(seen->instances[i]->start.known);
		assert_non_null(seen->instances[i]->profile);
		assert_non_null(seen->instances[i]->uuid);
	}
	assert_false(gs_snapshot_published(blind, &at));
	/* without a publication nobody without privilege can know that a GPU in MIG mode is empty */
	for (size_t i = 0; i < gs_snapshot_n_gpus(blind); i++)
		assert_int_equal(gs_snapshot_gpu(blind, i)->placements_visible, gs_snapshot_gpu(blind, i)->mode != GS_MODE_MIG);

	assert_int_equal(gs_published_write(gs_machine_root(user.machine), full, (struct gs_wall){ 1234 }, NULL), 0);
	joined = look(&user, false);
	seen = gs_snapshot_gpu_by_bdf(joined, there->bdf);
	assert_true(gs_snapshot_published(joined, &at));
	assert_int_equal(at.ms, 1234);
	assert_true(seen->placements_visible);
	for (size_t i = 0; i < seen->n_instances; i++) {
		const struct gs_instance *inst = gs_gpu_instance_at(seen, there->instances[i]->profile, there->instances[i]->start.value);

		assert_non_null(inst);
		assert_true(inst->place_is_published);
		assert_string_equal(inst->uuid, there->instances[i]->uuid);
	}
	close_fixture(&user);
}

/* The @at-th @call from now answers @code. */
static void fault(const char *call, const char *code, unsigned at)
{
	GS_CLEANUP(gs_sim_closep) struct gs_sim *sim = NULL;
	char n[12];
	char *words[] = { (char *)"nvml", (char *)call, (char *)code, (char *)"at", n };
	struct gs_error e = { 0 };

	assert_int_equal(gs_sim_open(HOST, &sim, &e), 0);
	snprintf(n, sizeof(n), "%u", at);
	if (gs_sim_fault(sim, 5, words, &e) < 0)
		fail_msg("%s", e.text);
}

static size_t n_blind(const struct gs_snapshot *s)
{
	size_t n = 0;

	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++)
		n += !gs_snapshot_gpu(s, i)->placements_visible;
	return n;
}

/* One answer that fails is not «nothing there»: that GPU's places are unknown, with the reason, and the others' are not. */
static void what_was_not_answered_is_not_taken_for_empty(void **state)
{
	static const char *const calls[] = {
		"DeviceGetGpuInstanceProfileInfoV", "DeviceGetGpuInstancePossiblePlacements_v2", "DeviceGetGpuInstances", "GpuInstanceGetInfo",
		"GpuInstanceGetComputeInstanceProfileInfoV", "GpuInstanceGetComputeInstances", "ComputeInstanceGetInfo_v2", "DeviceGetMaxMigDeviceCount",
		"DeviceGetMigDeviceHandleByIndex", "DeviceGetGpuInstanceId", "DeviceGetMigMode",
	};
	static const char *const codes[] = { "999", "10", "20" };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(calls) * GS_ARRAY_SIZE(codes); i++) {
		GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL, *after = NULL;
		const char *call = calls[i / GS_ARRAY_SIZE(codes)], *code = codes[i % GS_ARRAY_SIZE(codes)];
		struct fixture f;

		if (!have_sim())
			skip();
		open_fixture(&f, false);
		fault(call, code, 1);
		s = look(&f, false);
		if (n_blind(s) != 1 || gs_snapshot_n_notices(s) != 1)
			fail_msg("%s %s: %zu blind, %zu notices", call, code, n_blind(s), gs_snapshot_n_notices(s));
		after = look(&f, false);
		if (n_blind(after) || gs_snapshot_n_notices(after))
			fail_msg("%s %s: it lasts", call, code);
		close_fixture(&f);
	}
}

static void processes_that_cannot_be_listed_are_hidden(void **state)
{
	size_t hidden = 0;

	(void)state;
	/* on a GPU in MIG mode its MIG devices answer instead; the others have nobody else */
	for (unsigned at = 1; at <= 8; at++) {
		GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
		struct fixture f;

		if (!have_sim())
			skip();
		open_fixture(&f, false);
		fault("DeviceGetComputeRunningProcesses_v3", at % 2 ? "999" : "7", at);
		s = look(&f, false);
		for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++) {
			const struct gs_gpu *gpu = gs_snapshot_gpu(s, i);

			assert_true(gpu->holders_visible || gpu->mode != GS_MODE_MIG);
			hidden += !gpu->holders_visible;
		}
		close_fixture(&f);
	}
	assert_true(hidden > 0);
}

/* A MIG device whose name cannot be read costs neither its GPU nor the machine, also on the way to somebody else. */
static void an_instance_without_a_readable_name_is_still_listed(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL, *decoded = NULL;
	GS_JSON struct json_object *o = NULL;
	const struct gs_gpu *gpu = NULL;
	const struct gs_instance *inst = NULL;
	struct gs_error e = { 0 };
	struct fixture f;

	(void)state;
	if (!have_sim())
		skip();
	open_fixture(&f, true);
	gs_root_unlink(gs_machine_root(f.machine), GS_PUBLISHED_PATH);
	for (unsigned at = 1; at <= 32 && !inst; at++) {
		gs_snapshot_unref(s);
		fault("DeviceGetName", "999", at);
		s = look(&f, false);
		for (size_t i = 0; i < gs_snapshot_n_gpus(s) && !inst; i++) {
			gpu = gs_snapshot_gpu(s, i);
			for (size_t k = 0; k < gpu->n_instances && !inst; k++)
				inst = gpu->instances[k]->profile ? NULL : gpu->instances[k];
		}
	}
	assert_non_null(inst);
	assert_non_null(inst->uuid);
	o = gs_snapshot_to_json(s, GS_SNAPSHOT_PROFILES);
	if (gs_snapshot_from_json(o, &decoded, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(gs_snapshot_gpu_by_bdf(decoded, gpu->bdf)->n_instances, gpu->n_instances);
	close_fixture(&f);
}

static struct gs_gpu *add_gpu(struct gs_snapshot *s, bool sees)
{
	struct gs_gpu *gpu = gs_snapshot_add_gpu(s, (struct gs_bdf){ 0, 1, 0, 0 });

	gpu->vendor = GS_VENDOR_NVIDIA;
	gpu->uuid = "GPU-x";
	gpu->mode = GS_MODE_MIG;
	gpu->placements_visible = sees;
	return gpu;
}

static struct gs_instance *add_gi(struct gs_snapshot *s, struct gs_gpu *gpu, uint32_t id, const char *uuid)
{
	struct gs_instance *inst = gs_gpu_add_instance(s, gpu);

	inst->id = id;
	inst->kind = GS_KIND_MIG;
	inst->profile = "1g.10gb";
	if (uuid) {
		struct gs_compute *c = gs_instance_add_compute(s, inst);

		c->profile = "1g.10gb";
		c->uuid = uuid;
	}
	return inst;
}

static void place(struct gs_instance *inst, uint32_t start)
{
	inst->start = GS_U32(start);
	inst->size = GS_U32(1);
}

/* What a privileged agent saw, beside what a viewer sees by itself. */
static void a_viewer_gets_all_that_was_published_or_knows_that_it_does_not(void **state)
{
	(void)state;
	for (int i = 0; i < 6; i++) {
		GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *full = gs_snapshot_new(), *s = gs_snapshot_new();
		struct gs_published p = { .snapshot = full };
		struct gs_gpu *there = add_gpu(full, i != 5), *gpu = add_gpu(s, false);

		switch (i) {
		case 0:         /* both are empty */
		case 5:         /* who published could not see it all */
			assert_int_equal(gs_published_join(&p, s, gpu), i == 0);
			break;
		case 1:         /* one without compute instance */
			place(add_gi(full, there, 3, NULL), 4);
			place(add_gi(full, there, 4, "MIG-a"), 2);
			add_gi(s, gpu, 4, "MIG-a");
			assert_true(gs_published_join(&p, s, gpu));
			assert_int_equal(gpu->n_instances, 2);
			assert_int_equal(gpu->instances[0]->start.value, 2);
			assert_int_equal(gpu->instances[1]->start.value, 4);
			assert_int_equal(gpu->instances[1]->id, 3);
			assert_true(gpu->instances[1]->place_is_published);
			break;
		case 2:         /* one that has gone since */
			place(add_gi(full, there, 4, "MIG-a"), 2);
			assert_false(gs_published_join(&p, s, gpu));
			assert_int_equal(gpu->n_instances, 0);
			break;
		case 3:         /* one that is new */
			add_gi(s, gpu, 4, "MIG-b");
			assert_false(gs_published_join(&p, s, gpu));
			break;
		case 4:         /* the id has another meaning now */
			place(add_gi(full, there, 3, NULL), 4);
			add_gi(s, gpu, 3, "MIG-b");
			assert_false(gs_published_join(&p, s, gpu));
			assert_int_equal(gpu->n_instances, 1);
			break;
		}
	}
}

static void creating_and_destroying_is_what_is_then_seen(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL, *after = NULL, *gone = NULL;
	struct gs_step_outcome outcome = { 0 };
	struct gs_error e = { 0 };
	const struct gs_gpu *gpu = NULL;
	const struct gs_instance *inst;
	struct gs_mig *mig = NULL;
	struct gs_step step = { .profile = "1g.10gb", .compute_profile = "1g.10gb", .compute_span = { 0, 1 } };
	struct fixture f;

	(void)state;
	if (!have_sim())
		skip();
	open_fixture(&f, false);
	s = look(&f, false);
	assert_int_equal(gs_collect_mig(f.collect, &mig, &e), 0);
	for (size_t i = 0; i < gs_snapshot_n_gpus(s) && !gpu; i++) {
		const struct gs_gpu *g = gs_snapshot_gpu(s, i);

		for (uint32_t start = 0; start < 7 && g->mode == GS_MODE_MIG && !gpu; start++) {
			if (gs_gpu_occupied(g, GS_KIND_MIG) & 1ull << start)
				continue;
			step.bdf = g->bdf;
			step.gpu_uuid = g->uuid;
			step.span = (struct gs_span){ start, 1 };
			step.op = GS_STEP_CREATE_GI;
			if (gs_mig_run(mig, &step, &outcome, &e) == 0)
				gpu = g;
		}
	}
	assert_non_null(gpu);
	step.instance_id = outcome.id;
	step.op = GS_STEP_CREATE_CI;
	if (gs_mig_run(mig, &step, &outcome, &e) < 0)
		fail_msg("%s", e.text);
	step.compute_id = outcome.id;
	after = look(&f, false);
	inst = gs_gpu_instance_at(gs_snapshot_gpu_by_bdf(after, gpu->bdf), "1g.10gb", step.span.start);
	assert_non_null(inst);
	assert_int_equal(inst->n_compute, 1);
	assert_non_null(inst->uuid);

	/* the plan saw another id: nothing is destroyed */
	step.op = GS_STEP_DESTROY_CI;
	step.compute_id++;
	assert_int_equal(gs_mig_run(mig, &step, &outcome, &e), -ESTALE);
	step.compute_id--;
	step.op = GS_STEP_DESTROY_GI;
	assert_true(gs_mig_run(mig, &step, &outcome, &e) < 0);      /* it still has its compute instance */
	step.op = GS_STEP_DESTROY_CI;
	assert_int_equal(gs_mig_run(mig, &step, &outcome, &e), 0);
	step.op = GS_STEP_DESTROY_GI;
	assert_int_equal(gs_mig_run(mig, &step, &outcome, &e), 0);
	gone = look(&f, false);
	assert_null(gs_gpu_instance_at(gs_snapshot_gpu_by_bdf(gone, gpu->bdf), "1g.10gb", step.span.start));
	close_fixture(&f);
}

static void telemetry_only_when_asked(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *with = NULL, *without = NULL;
	struct fixture f;

	(void)state;
	if (!have_sim())
		skip();
	open_fixture(&f, false);
	without = look(&f, false);
	with = look(&f, true);
	assert_false(gs_snapshot_has_telemetry(without));
	assert_true(gs_snapshot_has_telemetry(with));
	assert_false(gs_snapshot_gpu(without, 0)->telemetry.temperature_celsius.known);
	assert_true(gs_snapshot_gpu(with, 0)->telemetry.temperature_celsius.known);
	close_fixture(&f);
}

static void a_lost_gpu_costs_itself_only(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL, *after = NULL;
	GS_CLEANUP(gs_sim_closep) struct gs_sim *sim = NULL;
	char bdf[GS_BDF_TEXT];
	char *words[] = { (char *)"nvml", (char *)"lost", bdf };
	struct gs_error e = { 0 };
	struct fixture f;

	(void)state;
	if (!have_sim())
		skip();
	open_fixture(&f, false);
	s = look(&f, false);
	gs_bdf_format(gs_snapshot_gpu(s, 2)->bdf, bdf);
	assert_int_equal(gs_sim_open(HOST, &sim, &e), 0);
	if (gs_sim_fault(sim, 3, words, &e) < 0)
		fail_msg("%s", e.text);
	after = look(&f, false);
	assert_int_equal(gs_snapshot_n_gpus(after), 8);
	assert_non_null(gs_snapshot_gpu(after, 2)->lost);
	assert_null(gs_snapshot_gpu(after, 3)->lost);
	close_fixture(&f);
}

/* How often NVML was started. */
static unsigned n_dlopen;

void *dlopen(const char *path, int flags)
{
	static void *(*real)(const char *path, int flags);

	if (!real)
		real = (__typeof__(real))dlsym(RTLD_NEXT, "dlopen");
	n_dlopen += path && strstr(path, "libnvidia-ml") ? 1 : 0;
	return real(path, flags);
}

static void nvml_starts_anew_when_a_gpu_changed_its_driver(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *before = NULL, *same = NULL, *after = NULL;
	char path[512], address[GS_BDF_TEXT];
	struct fixture f;

	(void)state;
	if (!have_sim())
		skip();
	n_dlopen = 0;
	open_fixture(&f, false);
	before = look(&f, false);
	same = look(&f, false);
	assert_int_equal(n_dlopen, 1);
	/* unbound: what the library says is from before */
	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s/driver", gs_root_path(gs_machine_root(f.machine)),
		 gs_bdf_format(gs_snapshot_gpu(before, 6)->bdf, address));
	assert_int_equal(unlink(path), 0);
	after = look(&f, false);
	assert_int_equal(n_dlopen, 2);
	assert_int_equal(gs_snapshot_n_gpus(after), 8);
	assert_non_null(first_mig(after));
	close_fixture(&f);
}

static void no_library_still_lists_the_gpus(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	GS_CLEANUP(gs_sim_closep) struct gs_sim *sim = NULL;
	struct gs_machine_options options = { 0 };
	struct gs_error e = { 0 };
	struct fixture f;
	const struct gs_collect_options now = { .fresh = true };

	(void)state;
	if (!have_sim())
		skip();
	assert_int_equal(gs_sim_open(HOST, &sim, &e), 0);
	/* the same tree as a recording: live probing is off */
	options.sysroot = gs_sim_tree(sim);
	assert_int_equal(gs_machine_open(&options, &f.machine, &e), 0);
	assert_int_equal(gs_collect_new(f.machine, &f.collect, &e), 0);
	if (gs_collect_snapshot(f.collect, &now, &s, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(gs_snapshot_n_gpus(s), 8);
	/* that there is no library, and what that leaves untold */
	assert_int_equal(gs_snapshot_n_notices(s), 2);
	assert_int_equal(gs_snapshot_gpu(s, 4)->mode, GS_MODE_INVALID);
	/* the driver's directories show the instances of the others, and nothing more of them */
	assert_int_equal(gs_snapshot_gpu(s, 0)->mode, GS_MODE_MIG);
	assert_int_equal(gs_snapshot_gpu(s, 0)->n_instances, 2);
	assert_int_equal(gs_snapshot_gpu(s, 0)->instances[0]->n_compute, 1);
	assert_null(gs_snapshot_gpu(s, 0)->instances[0]->profile);
	assert_false(gs_snapshot_gpu(s, 0)->placements_visible);
	close_fixture(&f);
}

/* What a test leaves behind. */
static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path);
}

static void remove_tree(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A GI without compute instance is no MIG device: without root only the driver's directories show it. */
static void an_instance_without_compute_is_seen_without_root(void **state)
{
	const struct gs_step step = { .op = GS_STEP_CREATE_GI, .bdf = { .bus = 0x61 }, .profile = "3g.40gb", .span = { 4, 4 } };
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	struct gs_step_outcome out = { 0 };
	struct gs_error e = { 0 };
	const struct gs_gpu *gpu;
	struct gs_mig *mig;
	struct fixture f;

	(void)state;
	if (!have_sim())
		skip();
	open_fixture(&f, false);
	assert_int_equal(gs_collect_mig(f.collect, &mig, &e), 0);
	assert_int_equal(gs_mig_run(mig, &step, &out, &e), 0);
	close_fixture(&f);
	open_fixture(&f, true);
	s = look(&f, false);
	gpu = gs_snapshot_gpu_by_bdf(s, step.bdf);
	assert_int_equal(gpu->n_instances, 1);
	assert_int_equal(gpu->instances[0]->id, out.id);
	assert_null(gpu->instances[0]->profile);
	assert_false(gpu->instances[0]->start.known);
	assert_false(gpu->placements_visible);
	assert_int_equal(gs_snapshot_n_notices(s), 1);
	assert_non_null(strstr(gs_snapshot_notice(s, 0), "what 1 of them is"));
	assert_non_null(strstr(gs_snapshot_notice(s, 0), "those of the catalogue"));
	close_fixture(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_instance_without_compute_is_seen_without_root),
		cmocka_unit_test(root_sees_everything),
		cmocka_unit_test(somebody_else_gets_no_places_until_they_are_published),
		cmocka_unit_test(what_was_not_answered_is_not_taken_for_empty),
		cmocka_unit_test(processes_that_cannot_be_listed_are_hidden),
		cmocka_unit_test(an_instance_without_a_readable_name_is_still_listed),
		cmocka_unit_test(a_viewer_gets_all_that_was_published_or_knows_that_it_does_not),
		cmocka_unit_test(creating_and_destroying_is_what_is_then_seen),
		cmocka_unit_test(telemetry_only_when_asked),
		cmocka_unit_test(a_lost_gpu_costs_itself_only),
		cmocka_unit_test(nvml_starts_anew_when_a_gpu_changed_its_driver),
		cmocka_unit_test(no_library_still_lists_the_gpus),
	};
	char dir[] = "/tmp/gpuslice-test-XXXXXX";
	int failed;

	if (!mkdtemp(dir) || setenv("XDG_STATE_HOME", dir, 1) < 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	remove_tree(dir);
	return failed;
}
