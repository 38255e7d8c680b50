/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random machines and random targets on every catalogue model with known
 * placements: applying the plan gives the target; what is in both is never
 * touched; a failure at any step gives the machine back; a lie of the driver
 * (success and nothing done) is noticed at every step.
 *
 * The driver here is tests/lib/testhost.c, which knows nothing of the planner.
 */
#include "tests/lib/cmocka.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "core/commit.h"
#include "tests/lib/testhost.h"

#define ROUNDS 30

static uint64_t seed_value;

static uint32_t pick(uint64_t *state, uint32_t below)
{
	/* xorshift64*: repeatable everywhere */
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)((*state * 2685821657736338717ull) >> 33) % below;
}

/* ---------------------------------------------------------------- random layouts, by occupancy alone */

struct chosen {
	const struct gs_profile *profile;
	uint32_t start;
};

static size_t random_layout(const struct gs_profile_set *set, uint64_t *state, struct chosen *ret)
{
	uint64_t taken = 0;
	size_t n = 0;
	unsigned tries = 3 + pick(state, 20);

	while (tries--) {
		const struct gs_profile *p = &set->items[pick(state, (uint32_t)set->n)];
		uint32_t same = 0;
		struct gs_span span;

		/* media profiles have their own tests */
		if (!p->n_placements || strncmp(gs_profile_suffix(p), "+me", 3) == 0)
			continue;
		span = p->placements[pick(state, (uint32_t)p->n_placements)];
		for (size_t i = 0; i < n; i++)
			same += ret[i].profile == p;
		if (gs_span_mask(span) & taken || same >= p->max_instances)
			continue;
		taken |= gs_span_mask(span);
		ret[n++] = (struct chosen){ p, span.start };
	}
	return n;
}

static void add_spec(struct gs_strbuf *b, const struct chosen *c, size_t n)
{
	gs_strbuf_puts(b, "mig");
	for (size_t i = 0; i < n; i++)
		gs_strbuf_printf(b, " %s@%" PRIu32, c[i].profile->name, c[i].start);
}

static void add_script(struct gs_strbuf *b, unsigned gpu, const struct chosen *c, size_t n)
{
	gs_strbuf_printf(b, "mode %u mig\n", gpu);
	for (size_t i = 0; i < n; i++)
		gs_strbuf_printf(b, "create %u %s at %" PRIu32 "\n", gpu, c[i].profile->name, c[i].start);
	gs_strbuf_printf(b, "delete %u rest\n", gpu);
}

/* ---------------------------------------------------------------- a machine that carries plans out */

struct machine {
	struct gs_snapshot *now;
	const char *script;
	size_t fail_at;         /* the n-th step is refused (1-based); 0: none */
	size_t lie_at;          /* the n-th step reports success and does nothing */
	size_t ran;
	bool undoing;
};

static int collect(void *userdata, struct gs_snapshot **ret, struct gs_error *e)
{
	struct machine *m = userdata;

	(void)e;
	*ret = gs_snapshot_ref(m->now);
	return 0;
}

static int run(void *userdata, const struct gs_step *step, struct gs_step_outcome *ret, struct gs_error *e)
{
	struct machine *m = userdata;
	struct gs_snapshot *next = NULL;

	(void)ret;
	m->ran++;
	if (m->ran == m->fail_at)
		return gs_error_set(e, -EIO, GS_STATUS_FAILED, "refused by the test");
	if (m->ran == m->lie_at)
		return 0;
	if (gs_testhost_step(m->now, step, &next) < 0)
		return gs_error_set(e, -EIO, GS_STATUS_FAILED, "refused by the driver: %s", step->text);
	gs_snapshot_unref(m->now);
	m->now = next;
	return 0;
}

static int plan_again(void *userdata, const struct gs_snapshot *s, struct gs_plan **ret, struct gs_error *e)
{
	struct machine *m = userdata;
	const struct gs_plan_options options = { 0 };

	return gs_testhost_plan(s, m->script, &options, ret, e);
}

static const struct gs_commit_ops ops = { .collect = collect, .run = run };

static int commit(struct machine *m, struct gs_commit_result *ret, struct gs_error *e)
{
	const struct gs_commit_source source = { plan_again, m };
	const struct gs_commit_options options = { .yes = true };

	return gs_commit_run(&ops, m, &source, &options, ret, e);
}

/* ---------------------------------------------------------------- the properties */

static void every_untouched_instance_keeps_id_and_uuid(const struct gs_snapshot *before, const struct gs_snapshot *after)
{
	for (size_t g = 0; g < gs_snapshot_n_gpus(before); g++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(before, g);

		for (size_t i = 0; i < gpu->n_instances; i++) {
			const struct gs_instance *old = gpu->instances[i];
			const struct gs_instance *new = gs_gpu_instance_at(gs_snapshot_gpu(after, g), old->profile, old->start.value);

			if (!new)
				continue;
			assert_int_equal(new->id, old->id);
			assert_true(gs_str_equal(new->uuid, old->uuid));
		}
	}
}

static void try_pair(const char *model, const char *before_spec, const char *after_spec, const char *script)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *before = gs_testhost(model, before_spec);
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *after = gs_testhost(model, after_spec);
	GS_FREE char *want = gs_testhost_text(after), *was = gs_testhost_text(before);
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
	struct machine m = { .now = gs_snapshot_ref(before), .script = script };
	struct gs_error e = { 0 };
	GS_FREE char *got = NULL;
	size_t n_steps;

	if (commit(&m, &result, &e) < 0)
		fail_msg("%s -> %s: %s", before_spec, after_spec, e.text);
	got = gs_testhost_text(m.now);
	assert_string_equal(got, want);
	every_untouched_instance_keeps_id_and_uuid(before, m.now);
	n_steps = result.plan->n_steps;
	assert_int_equal(result.done, n_steps);
	gs_commit_result_done(&result);

	/* again: nothing to do */
	m.ran = 0;
	assert_int_equal(commit(&m, &result, &e), 0);
	assert_int_equal(m.ran, 0);
	gs_commit_result_done(&result);
	gs_snapshot_unref(m.now);

	for (size_t k = 1; k <= 2 * n_steps; k++) {
		GS_FREE char *back = NULL;
		bool lie = k > n_steps;

		m = (struct machine){ .now = gs_snapshot_ref(before), .script = script };
		m.fail_at = lie ? 0 : k;
		m.lie_at = lie ? k - n_steps : 0;
		assert_true(commit(&m, &result, &e) < 0);
		assert_int_equal(result.status, GS_STATUS_FAILED);
		assert_true(result.undone);
		assert_int_equal(result.done, (lie ? k - n_steps : k) - 1);
		back = gs_testhost_text(m.now);
		if (strcmp(back, was) != 0)
			fail_msg("step %zu %s: the machine is %s and was %s", k, lie ? "did nothing" : "failed", back, was);
		gs_commit_result_done(&result);
		gs_snapshot_unref(m.now);
	}
}

static void random_pairs(const char *model, unsigned rounds)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_testhost(model, "mig");
	const struct gs_profile_set *set = &gs_snapshot_gpu(s, 0)->grids[GS_KIND_MIG];
	uint64_t state = seed_value;

	for (unsigned round = 0; round < rounds; round++) {
		GS_STRBUF struct gs_strbuf before = GS_STRBUF_INIT, after = GS_STRBUF_INIT, script = GS_STRBUF_INIT;

		for (unsigned gpu = 0; gpu < 2; gpu++) {
			struct chosen a[GS_PLACED_MAX], b[GS_PLACED_MAX];
			size_t na = random_layout(set, &state, a), nb = random_layout(set, &state, b);

			if (gpu) {
				gs_strbuf_puts(&before, " | ");
				gs_strbuf_puts(&after, " | ");
			}
			add_spec(&before, a, na);
			add_spec(&after, b, nb);
			add_script(&script, gpu, b, nb);
		}
		try_pair(model, before.text, after.text, script.text);
	}
}

static void a_plan_reaches_its_target_and_every_failure_is_undone(void **state)
{
	random_pairs(*state, ROUNDS);
}

/* Two GPUs of each model that has placements. */
static void add_models(struct CMUnitTest *tests, size_t *n, struct gs_catalogue *catalogue)
{
	for (size_t i = 0; i < gs_catalogue_n_models(catalogue); i++) {
		const struct gs_gpu_model *m = gs_catalogue_model(catalogue, i);
		bool complete = m->profiles.memory_units > 0;

		for (size_t k = 0; k < m->profiles.n; k++)
			complete = complete && m->profiles.items[k].n_placements && m->profiles.items[k].id.known;
		if (complete)
			tests[(*n)++] = (struct CMUnitTest){ m->file, a_plan_reaches_its_target_and_every_failure_is_undone, NULL, NULL, (void *)m->file };
	}
}

int main(void)
{
	GS_CLEANUP(gs_catalogue_freep) struct gs_catalogue *catalogue = NULL;
	const char *given = getenv("SEED");
	struct CMUnitTest tests[64];
	struct gs_error e;
	size_t n = 0;

	seed_value = 20261120;
	if (given && gs_parse_u64(given, 10, &seed_value) < 0)
		return 1;
	printf("# SEED=%" PRIu64 "\n", seed_value);
	if (gs_catalogue_load(&catalogue, &e) < 0)
		return 1;
	add_models(tests, &n, catalogue);
	return _cmocka_run_group_tests("plans", tests, n, NULL, NULL);
}
