/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random machines and random targets of every family, two GPUs at a time:
 * applying the plan gives the target and no step destroys what was not named;
 * again there is nothing to do, also by the machine's own export; what is in
 * both is never touched; a failure or a lie at any step gives the machine back.
 *
 * The driver here is tests/lib/famhost_drive.c, which knows nothing of the planner.
 */
#include "tests/lib/cmocka.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "codec/json.h"
#include "codec/layout_text.h"
#include "core/commit.h"
#include "tests/lib/famhost.h"
#include "tests/lib/famrandom.h"
#include "tests/lib/testhost.h"

#define ROUNDS 100

static uint64_t seed_value;

/* ---------------------------------------------------------------- a machine that carries plans out */

struct machine {
	struct fam_host host;
	const char *script;
	size_t fail_at, lie_at, ran;    /* the n-th step is refused, or reports success and does nothing */
	bool is_layout, has_lied;
};

static int collect(void *userdata, struct gs_snapshot **ret, struct gs_error *e)
{
	struct machine *m = userdata;

	(void)e;
	*ret = fam_host_look(&m->host);
	return 0;
}

/* What is so already is no lie. */
static bool would_change(const struct fam_host *h, const struct gs_step *step)
{
	struct fam_host copy = *h;
	GS_FREE char *before = fam_host_text(h), *after = NULL;

	fam_host_step(&copy, step);
	after = fam_host_text(&copy);
	return strcmp(before, after) != 0;
}

static int run(void *userdata, const struct gs_step *step, struct gs_step_outcome *ret, struct gs_error *e)
{
	struct machine *m = userdata;
	int r;

	(void)ret;
	m->ran++;
	if (m->ran == m->fail_at)
		return gs_error_set(e, -EIO, GS_STATUS_FAILED, "refused by the test");
	if (m->ran == m->lie_at) {
		m->has_lied = would_change(&m->host, step);
		return 0;
	}
	r = fam_host_step(&m->host, step);
	return r < 0 ? gs_error_set(e, r, GS_STATUS_FAILED, "refused by the driver: %s: %s", step->text, strerror(-r)) : 0;
}

static int plan_layout(const struct gs_snapshot *s, const char *text, const struct gs_plan_options *options, struct gs_plan **ret, struct gs_error *e)
{
	GS_CLEANUP(gs_layout_freep) struct gs_layout *file = NULL;
	GS_EVALUATION struct gs_evaluation ev = { .layout = NULL };
	int r = gs_layout_parse(text, strlen(text), "export", &file, e);

	if (r >= 0)
		r = gs_layout_bind(file, s, &ev.layout, e);
	if (r >= 0)
		r = gs_layout_solve(ev.layout, s, NULL, e);
	return r < 0 ? r : gs_plan_build(s, &ev, options, ret, e);
}

static int plan_again(void *userdata, const struct gs_snapshot *s, struct gs_plan **ret, struct gs_error *e)
{
	static const struct gs_disrupt disrupt = { .kind = GS_DISRUPT_UNIT, .unit = "nvidia-persistenced.service" };
	static const struct gs_service service = { "nvidia-persistenced.service", "its work waits" };
	const struct gs_plan_options options = { .disrupt = &disrupt, .n_disrupt = 1, .services = &service, .n_services = 1 };
	struct machine *m = userdata;

	return m->is_layout ? plan_layout(s, m->script, &options, ret, e) : gs_testhost_plan(s, m->script, &options, ret, e);
}

static const struct gs_commit_ops ops = { .collect = collect, .run = run };

static int commit(struct machine *m, struct gs_commit_result *ret, struct gs_error *e)
{
	const struct gs_commit_source source = { plan_again, m };
	const struct gs_commit_options options = { .yes = true };

	return gs_commit_run(&ops, m, &source, &options, ret, e);
}

static struct machine machine_of(const char *spec, const char *script)
{
	struct machine m = { .script = script };

	fam_host_parse(&m.host, spec);
	return m;
}

/* ---------------------------------------------------------------- the properties */

struct pair {
	const char *before, *after, *script;
};

static void fail_pair(const struct pair *p, const char *what, const char *got)
{
	fail_msg("%s\nbefore  %s\nafter   %s\nscript\n%sgot     %s", what, p->before, p->after, p->script, got);
}

/* Mode, driver or VFs change: then all that lies on them has to come anew. */
static bool is_wiped(const struct fam_gpu *a, const struct fam_gpu *b)
{
	return strcmp(a->driver, b->driver) != 0 || a->mig != b->mig || a->vfs != b->vfs;
}

static bool has_slot(const struct fam_gpu *g, const struct gs_step *step)
{
	for (size_t i = 0; i < FAM_SLOTS_MAX; i++) {
		const struct fam_slot *s = &g->slots[i];

		if (s->type && strcmp(s->type->name, step->profile) == 0 && (g->board->total_vfs ? gs_u32_is(step->vf, (uint32_t)i) : true) &&
		    (!s->uuid[0] || strcmp(s->uuid, step->uuid) == 0))
			return true;
	}
	return false;
}

static uint32_t start_of(const struct fam_gpu *g, uint32_t vf)
{
	for (size_t i = 0; i < g->n_gis; i++)
		if (g->gis[i].id == g->slots[vf].gi)
			return g->gis[i].start;
	return 99;
}

static void nothing_in_both_is_touched(const struct pair *p, const struct gs_plan *plan, const struct fam_host *before, const struct fam_host *after)
{
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct gs_step *step = &plan->steps[i];
		const struct fam_gpu *a = &before->gpus[step->gpu], *b = &after->gpus[step->gpu];

		if (is_wiped(a, b))
			continue;
		if (step->op == GS_STEP_REMOVE_VGPU && has_slot(b, step) && (!step->vf.known || start_of(a, step->vf.value) == start_of(b, step->vf.value)))
			fail_pair(p, "a vGPU that stays is removed", step->text);
		for (size_t k = 0; k < b->n_gis && step->op == GS_STEP_DESTROY_GI; k++)
			if (b->gis[k].start == step->span.start && strcmp(b->gis[k].profile, step->profile) == 0)
				fail_pair(p, "a GI that stays is destroyed", step->text);
	}
}

/* What the machine exports asks for nothing on it, and makes the same of the machine before. */
static void its_export_means_the_same(const struct pair *p, const struct machine *done)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = fam_host_look(&done->host);
	GS_CLEANUP(gs_layout_freep) struct gs_layout *layout = NULL;
	GS_JSON struct json_object *o = NULL;
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
	GS_FREE char *text = NULL;
	struct machine m = *done;
	struct gs_error e = { 0 };

	assert_int_equal(gs_layout_from_snapshot(s, &layout, &e), 0);
	o = gs_layout_to_json(layout, s);
	assert_non_null(o);
	text = strdup(json_object_to_json_string(o));
	m.script = text;
	m.is_layout = true;
	m.ran = 0;
	if (commit(&m, &result, &e) < 0)
		fail_pair(p, e.text, text);
	if (m.ran)
		fail_pair(p, "its own export is something to do", result.plan->steps[0].text);
}

static void fail_and_lie(const struct pair *p, const char *was, const struct gs_plan *plan)
{
	for (size_t k = 1; k <= 2 * plan->n_steps; k++) {
		bool lie = k > plan->n_steps;
		size_t at = lie ? k - plan->n_steps : k;
		enum gs_step_op op = plan->steps[at - 1].op;
		GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
		struct machine m = machine_of(p->before, p->script);
		struct gs_error e = { 0 };
		GS_FREE char *back = NULL;

		/* what became of a unit the writer looks at itself */
		if (op == GS_STEP_START_UNIT || (lie && op == GS_STEP_STOP_UNIT))
			continue;
		m.fail_at = lie ? 0 : at;
		m.lie_at = lie ? at : 0;
		if (commit(&m, &result, &e) >= 0 && lie && !m.has_lied)
			continue;
		if (result.status == GS_STATUS_OK || result.status == GS_STATUS_PENDING)
			fail_pair(p, "a lie was believed", plan->steps[at - 1].text);
		if (!result.undone || result.status != GS_STATUS_FAILED || result.done != at - 1)
			fail_pair(p, e.text, plan->steps[at - 1].text);
		back = fam_host_text(&m.host);
		if (strcmp(back, was) != 0)
			fail_pair(p, plan->steps[at - 1].text, back);
		if (m.host.wiped)
			fail_pair(p, "the undo destroyed what nobody named", plan->steps[at - 1].text);
	}
}

static void try_pair(const struct pair *p)
{
	struct machine m = machine_of(p->before, p->script), target = machine_of(p->after, p->script), start = m;
	GS_FREE char *want = fam_host_text(&target.host), *was = fam_host_text(&m.host), *got = NULL;
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 }, again = { 0 };
	struct gs_error e = { 0 };

	if (commit(&m, &result, &e) < 0)
		fail_pair(p, e.text, "-");
	got = fam_host_text(&m.host);
	if (strcmp(got, want) != 0)
		fail_pair(p, want, got);
	if (m.host.wiped)
		fail_pair(p, "a step destroyed what nobody named", got);
	nothing_in_both_is_touched(p, result.plan, &start.host, &m.host);

	m.ran = 0;
	if (commit(&m, &again, &e) < 0)
		fail_pair(p, e.text, "again");
	if (m.ran)
		fail_pair(p, "the second time there is something to do", again.plan->steps[0].text);
	its_export_means_the_same(p, &m);
	fail_and_lie(p, was, result.plan);
}

static void a_plan_reaches_its_target_and_every_failure_is_undone(void **state)
{
	const struct fam_board *boards[2] = { fam_board_by_name(*state), NULL };
	uint64_t random = seed_value;

	for (unsigned round = 0; round < ROUNDS; round++) {
		FAM_PAIR pair;

		boards[1] = fam_random_board(&random);
		fam_random_pair(boards, &random, &pair);
		try_pair(&(struct pair){ pair.before.text, pair.after.text, pair.script.text });
	}
}

int main(void)
{
	static const char *const names[] = { "l40s", "a2", "t4", "rtxpro", "flex", "mi300x" };
	const char *given = getenv("SEED");
	struct CMUnitTest tests[GS_ARRAY_SIZE(names)];

	seed_value = 20261121;
	if (given && gs_parse_u64(given, 10, &seed_value) < 0)
		return 1;
	printf("# SEED=%" PRIu64 "\n", seed_value);
	for (size_t i = 0; i < GS_ARRAY_SIZE(names); i++)
		tests[i] = (struct CMUnitTest){ names[i], a_plan_reaches_its_target_and_every_failure_is_undone, NULL, NULL, (void *)names[i] };
	return _cmocka_run_group_tests("families", tests, GS_ARRAY_SIZE(names), NULL, NULL);
}
