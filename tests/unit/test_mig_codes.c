/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every return code at every call, and a library without each symbol in turn:
 * looks and steps through the production code, on the simulated machine.
 * Nothing may crash, pass for what it is not, or be left half done.
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
#include "base/paths.h"
#include "base/parse.h"
#include "tests/lib/cmocka.h"

#define HOST "dgx-h100"
/* GPU 1 has four instances; GPU 3 is in MIG mode and empty; GPU 5 is whole and idle */
#define FULL 1
#define EMPTY 3
#define IDLE 5

static const int codes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 999, -1 };

struct slot {
	const char *name;
	size_t offset;
};

#define SLOT_(slot, params, ...) { #slot, offsetof(struct gs_nvml_table, slot) },
static const struct slot base_slots[] = { GS_NVML_BASE_CALLS(SLOT_) };
static const struct slot all_slots[] = { GS_NVML_CALLS(SLOT_) };

struct fixture {
	struct gs_machine *machine;
	struct gs_collect *collect;
	struct gs_mig *mig;
	struct gs_nvml_table whole;     /* as it was loaded */
	struct gs_snapshot *truth;
};

/* What a call of the table answers while it is replaced. It reads no argument, so that it stands for any of them. */
static int answer_now;
static unsigned answers;
static int answer(void)
{
	answers++;
	return answer_now;
}

static void *pointer_to_answer(void)
{
	int (*f)(void) = answer;
	void *p;

	memcpy(&p, &f, sizeof(p));
	return p;
}

static void put(struct fixture *f, const struct slot *slot, void *function)
{
	memcpy((char *)&f->mig->nvml->call + slot->offset, &function, sizeof(function));
}

static void put_back(struct fixture *f)
{
	f->mig->nvml->call = f->whole;
}

static struct gs_snapshot *look(struct fixture *f)
{
	const struct gs_collect_options options = { .telemetry = true };
	struct gs_snapshot *s = NULL;
	struct gs_error e = { 0 };

	if (gs_collect_snapshot(f->collect, &options, &s, &e) < 0)
		fail_msg("%s", e.text);
	return s;
}

static void open_fixture(struct fixture *f)
{
	const struct gs_machine_options options = { .sim = HOST };
	struct gs_error e = { 0 };

	assert_int_equal(gs_sim_reset(HOST, &e), 0);
	assert_int_equal(gs_machine_open(&options, &f->machine, &e), 0);
	assert_int_equal(gs_collect_new(f->machine, &f->collect, &e), 0);
	f->truth = look(f);
	assert_int_equal(gs_collect_mig(f->collect, &f->mig, &e), 0);
	f->whole = f->mig->nvml->call;
}

static void close_fixture(struct fixture *f)
{
	put_back(f);
	gs_snapshot_unref(f->truth);
	gs_collect_free(f->collect);
	gs_machine_close(f->machine);
}

/* Lists that are kept from an earlier look would hide that a call fails now. */
static void forget(struct fixture *f)
{
	gs_mig_profiles_free(f->mig->profiles);
	f->mig->profiles = gs_mig_profiles_new(f->mig->nvml, f->mig->catalogue);
	assert_non_null(f->mig->profiles);
}

static bool has_same_instances(const struct gs_gpu *a, const struct gs_gpu *b)
{
	if (a->n_instances != b->n_instances)
		return false;
	for (size_t i = 0; i < a->n_instances; i++)
		if (a->instances[i]->id != b->instances[i]->id || !gs_u32_equal(a->instances[i]->start, b->instances[i]->start) ||
		    a->instances[i]->n_compute != b->instances[i]->n_compute || !gs_str_equal(a->instances[i]->profile, b->instances[i]->profile))
			return false;
	return true;
}

/* What is said to be seen is what is; what is not seen is not said to be nothing. */
static void check_look(const struct fixture *f, const char *slot, int code)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = look((struct fixture *)f);

	assert_int_equal(gs_snapshot_n_gpus(s), gs_snapshot_n_gpus(f->truth));
	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(s, i), *was = gs_snapshot_gpu(f->truth, i);
		bool is_lost = gpu->lost, is_blind = gpu->mode == GS_MODE_INVALID || !gpu->placements_visible;

		if (gpu->lost && !strlen(gpu->lost))
			fail_msg("%s answers %d: GPU %zu is lost without a word", slot, code, i);
		/* the driver's own word for «there is no MIG here» */
		if (strcmp(slot, "mig_mode") == 0 && (code == NVML_ERROR_NOT_SUPPORTED || code == NVML_ERROR_FUNCTION_NOT_FOUND))
			continue;
		if (!is_lost && !is_blind && (gpu->mode != was->mode || !has_same_instances(gpu, was)))
			fail_msg("%s answers %d: GPU %zu is shown in mode %s with %zu instances, and has %zu", slot, code, i, gs_mode_name(gpu->mode), gpu->n_instances,
				 was->n_instances);
	}
	for (size_t i = 0; i < gs_snapshot_n_notices(s); i++)
		assert_true(strlen(gs_snapshot_notice(s, i)) > 20);
}

static void every_code_at_every_call_of_a_look(void **state)
{
	unsigned reached = 0;
	struct fixture f;

	(void)state;
	open_fixture(&f);
	for (size_t i = 0; i < GS_ARRAY_SIZE(base_slots); i++) {
		/* these are the library's life, not a look's */
		if (strcmp(base_slots[i].name, "init") == 0 || strcmp(base_slots[i].name, "shutdown") == 0)
			continue;
		for (size_t k = 0; k < GS_ARRAY_SIZE(codes); k++) {
			answers = 0;
			answer_now = codes[k];
			put(&f, &base_slots[i], pointer_to_answer());
			forget(&f);
			check_look(&f, base_slots[i].name, codes[k]);
			put_back(&f);
			/* a look does not ask it at all */
			if (!answers)
				break;
			reached += k == 0;
		}
	}
	assert_true(reached >= 20);
	forget(&f);
	check_look(&f, "nothing", 0);
	close_fixture(&f);
}

static void a_library_without_each_symbol_in_turn_is_looked_at(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f);
	for (size_t i = 0; i < GS_ARRAY_SIZE(all_slots); i++) {
		if (strcmp(all_slots[i].name, "init") == 0 || strcmp(all_slots[i].name, "shutdown") == 0)
			continue;
		put(&f, &all_slots[i], NULL);
		forget(&f);
		check_look(&f, all_slots[i].name, 13);
		put_back(&f);
	}
	close_fixture(&f);
}

/* ---- steps ---- */

/* One GPU as its driver tells it, without a look at the rest of the machine; it is the snapshot's only one. */
static struct gs_snapshot *look_at_one(struct fixture *f, unsigned gpu)
{
	const struct gs_gpu *was = gs_snapshot_gpu(f->truth, gpu);
	struct gs_snapshot *s = gs_snapshot_new();
	struct gs_gpu *now = s ? gs_snapshot_add_gpu(s, was->bdf) : NULL;
	struct gs_error e;
	nvml_device device;

	assert_non_null(now);
	now->vendor = was->vendor;
	now->pci_id = was->pci_id;
	assert_int_equal(gs_mig_device(f->mig, was->bdf, &device), NVML_SUCCESS);
	assert_int_equal(gs_mig_read(f->mig, device, s, now, false), 0);
	assert_true(now->placements_visible);
	assert_int_equal(gs_snapshot_seal(s, &e), 0);
	return s;
}

static size_t count_cis(const struct gs_gpu *gpu)
{
	size_t n = 0;

	for (size_t i = 0; i < gpu->n_instances; i++)
		n += gpu->instances[i]->n_compute;
	return n;
}

static struct gs_step step_for(const struct fixture *f, enum gs_step_op op, unsigned gpu)
{
	const struct gs_gpu *g = gs_snapshot_gpu(f->truth, gpu);

	return (struct gs_step){ .op = op, .bdf = g->bdf, .gpu_uuid = g->uuid, .mode = GS_MODE_MIG, .profile = "3g.40gb", .span = { 4, 4 },
		.compute_profile = "1c.3g.40gb", .compute_span = { 0, 1 } };
}

static int run(struct fixture *f, const struct gs_step *step, struct gs_step_outcome *out, struct gs_error *e)
{
	*out = (struct gs_step_outcome){ 0 };
	*e = (struct gs_error){ 0 };
	return gs_mig_run(f->mig, step, out, e);
}

static void must(struct fixture *f, const struct gs_step *step, struct gs_step_outcome *out)
{
	struct gs_error e;

	if (run(f, step, out, &e) < 0)
		fail_msg("%s: %s", gs_step_op_name(step->op), e.text);
}

/* A refusal is a sentence with the GPU in it, its exit status, and no outcome. */
static void check_refusal(int r, const struct gs_step_outcome *out, const struct gs_error *e, const char *slot, int code)
{
	if (r >= 0)
		return;
	if (!strstr(e->text, "0000:") || strlen(e->text) < 40 || e->status == GS_STATUS_OK || e->errnum != r)
		fail_msg("%s answers %d: not a sentence: «%s» (status %d, errno %d)", slot, code, e->text, (int)e->status, e->errnum);
	assert_int_equal(out->id, 0);
	assert_false(out->is_pending);
}

/* One of the writing steps on a machine in the right state, put back after; @count tells what it changes. */
struct kind {
	enum gs_step_op op;
	unsigned gpu;
};

static void prepare(struct fixture *f, const struct kind *kind, struct gs_step *ret_step)
{
	struct gs_step gi = step_for(f, GS_STEP_CREATE_GI, EMPTY), ci = step_for(f, GS_STEP_CREATE_CI, EMPTY);
	struct gs_step_outcome out;

	*ret_step = step_for(f, kind->op, kind->gpu);
	if (kind->op == GS_STEP_SET_MODE || kind->op == GS_STEP_CREATE_GI)
		return;
	must(f, &gi, &out);
	ret_step->instance_id = out.id;
	if (kind->op != GS_STEP_DESTROY_CI)
		return;
	must(f, &ci, &out);
	ret_step->compute_id = out.id;
}

/* DCGM has the GPU open, so the mode stays pending: accepted is what the step says. */
static bool is_mig_or_comes(const struct gs_gpu *gpu)
{
	return gpu->mode_pending != GS_MODE_INVALID ? gpu->mode_pending == GS_MODE_MIG : gpu->mode == GS_MODE_MIG;
}

/* Empty EMPTY, whatever is in it. */
static void tidy(struct fixture *f)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = look_at_one(f, EMPTY), *idle = look_at_one(f, IDLE);
	const struct gs_gpu *gpu = gs_snapshot_gpu(s, 0);
	struct gs_step_outcome out;

	for (size_t i = 0; i < gpu->n_instances; i++) {
		const struct gs_instance *inst = gpu->instances[i];
		struct gs_step step = step_for(f, GS_STEP_DESTROY_CI, EMPTY);

		step.span = (struct gs_span){ inst->start.value, inst->size.value };
		step.instance_id = inst->id;
		for (size_t k = 0; k < inst->n_compute; k++) {
			step.compute_id = inst->compute[k]->id;
			step.compute_profile = inst->compute[k]->profile;
			step.compute_span.start = inst->compute[k]->start.value;
			must(f, &step, &out);
		}
		step.op = GS_STEP_DESTROY_GI;
		must(f, &step, &out);
	}
	if (is_mig_or_comes(gs_snapshot_gpu(idle, 0))) {
		struct gs_step step = step_for(f, GS_STEP_SET_MODE, IDLE);

		step.mode = GS_MODE_WHOLE;
		must(f, &step, &out);
	}
}

static size_t measure(struct fixture *f, const struct kind *kind)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = look_at_one(f, kind->gpu);
	const struct gs_gpu *gpu = gs_snapshot_gpu(s, 0);

	if (kind->op == GS_STEP_SET_MODE)
		return is_mig_or_comes(gpu);
	return kind->op == GS_STEP_CREATE_GI || kind->op == GS_STEP_DESTROY_GI ? gpu->n_instances : count_cis(gpu);
}

/* A machine that is ready for the step, until one of them has changed it. */
struct ready {
	bool is_ready;
	struct gs_step step;
	size_t before;
};

static void make_ready(struct fixture *f, const struct kind *kind, struct ready *y)
{
	if (y->is_ready)
		return;
	tidy(f);
	prepare(f, kind, &y->step);
	y->before = measure(f, kind);
	y->is_ready = true;
}

/* A call that a step does not reach need not be tried with every code. */
static bool try_one(struct fixture *f, const struct kind *kind, const struct slot *slot, void *function, int code, struct ready *y)
{
	struct gs_step_outcome out;
	size_t before, after;
	struct gs_error e;
	int r;

	make_ready(f, kind, y);
	before = y->before;
	forget(f);
	answers = 0;
	answer_now = code;
	put(f, slot, function);
	r = run(f, &y->step, &out, &e);
	put_back(f);
	check_refusal(r, &out, &e, slot->name, code);
	after = measure(f, kind);
	if (r < 0 && after != before && !strstr(e.text, "may still be there"))
		fail_msg("%s, where %s answers %d: refused («%s»), but done", gs_step_op_name(kind->op), slot->name, code, e.text);
	if (r == 0 && after == before)
		fail_msg("%s, where %s answers %d: reported as done, but not done", gs_step_op_name(kind->op), slot->name, code);
	y->is_ready = after == before;
	return answers || !function;
}

static const struct kind kinds[] = {
	{ GS_STEP_SET_MODE, IDLE },   { GS_STEP_CREATE_GI, EMPTY },  { GS_STEP_DESTROY_GI, EMPTY },
	{ GS_STEP_CREATE_CI, EMPTY }, { GS_STEP_DESTROY_CI, EMPTY },
};

static void every_code_at_every_call_of_every_step(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f);
	for (size_t n = 0; n < GS_ARRAY_SIZE(kinds); n++) {
		struct ready y = { .is_ready = false };
		unsigned reached = 0;

		for (size_t i = 0; i < GS_ARRAY_SIZE(base_slots); i++) {
			bool is_reached = true;

			for (size_t k = 0; k < GS_ARRAY_SIZE(codes) && is_reached; k++)
				is_reached = try_one(&f, &kinds[n], &base_slots[i], pointer_to_answer(), codes[k], &y);
			reached += is_reached;
		}
		/* the device, its identity, its mode, and the call itself at least */
		assert_true(reached >= 4);
	}
	close_fixture(&f);
}

static void every_step_with_a_library_without_each_symbol_in_turn(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f);
	for (size_t n = 0; n < GS_ARRAY_SIZE(kinds); n++) {
		struct ready y = { .is_ready = false };

		for (size_t i = 0; i < GS_ARRAY_SIZE(all_slots); i++)
			try_one(&f, &kinds[n], &all_slots[i], NULL, 13, &y);
	}
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
		cmocka_unit_test(every_code_at_every_call_of_a_look),
		cmocka_unit_test(a_library_without_each_symbol_in_turn_is_looked_at),
		cmocka_unit_test(every_code_at_every_call_of_every_step),
		cmocka_unit_test(every_step_with_a_library_without_each_symbol_in_turn),
	};
	int failed;

	if (!mkdtemp(dir))
		return 1;
	setenv("XDG_STATE_HOME", dir, 1);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return failed;
}
