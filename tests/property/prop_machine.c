/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The properties of prop_plan.c on whole machines: every catalogue model whose
 * placements are known, carried out by the program's own path, session ->
 * agent -> collector -> NVML loader -> stand-in. What must come out is worked
 * out from data/mig alone (tests/lib/migmodel.h), with no code of the planner, the catalogue or the
 * simulator: legal is what is in the model's lists, does not overlap and does
 * not use up what the model counts.
 *
 * SEED=N repeats a run, ROUNDS=N makes a longer one.
 */
#include "tests/lib/cmocka.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/sim/nvml_abi.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "codec/script_text.h"
#include "tests/lib/migmodel.h"

#define ROUNDS 1
#define SHORT 12
#define HOLDER 4711

static uint64_t seed_value = 20261120, rounds_value = ROUNDS;

/* ---------------------------------------------------------------- the properties */

/* What a client sees of an instance and what only the driver knows. */
struct identity {
	uint32_t id;
	char uuid[MIGMODEL_CIS_MAX][48];
	uint64_t serial, ci_serial[MIGMODEL_CIS_MAX];
};
struct identities {
	struct identity gis[MIGMODEL_GPUS_MAX][MIGMODEL_GIS_MAX];
};

static void copy_uuid(char *to, const char *from)
{
	snprintf(to, 48, "%s", from ? from : "");
}

static struct identities identities(struct gs_simhost *h, const struct migmodel_layout *l)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_simhost_snapshot(h);
	struct identities ret;

	memset(&ret, 0, sizeof(ret));

	for (unsigned gpu = 0; gpu < l->n_gpus; gpu++) {
		for (size_t i = 0; i < l->gpus[gpu].n; i++) {
			const struct migmodel_gi *gi = &l->gpus[gpu].gis[i];
			const struct gs_instance *inst = gs_gpu_instance_at(gs_snapshot_gpu(s, gpu), gi->profile->name, gi->start);
			struct identity *d = &ret.gis[gpu][i];

			assert_non_null(inst);
			d->id = inst->id;
			d->serial = gs_simhost_gi_serial(h, gpu, gi->start);
			assert_int_not_equal(d->serial, 0);
			for (size_t k = 0; k < gi->n_cis; k++) {
				const struct gs_compute *ci = gs_instance_compute_at(inst, gi->cis[k].profile->name, gi->cis[k].start);

				assert_non_null(ci);
				copy_uuid(d->uuid[k], ci->uuid);
				d->ci_serial[k] = gs_simhost_ci_serial(h, gpu, gi->start, gi->cis[k].start);
			}
		}
	}
	return ret;
}

/*
 * @was: of @a when the machine was so; now it is @now and these are @is. What
 * was and is wanted (is in @a and in @b) is the same thing as then, not one
 * like it.
 */
static void check_kept(const struct migmodel_layout *a, const struct migmodel_layout *b, const struct migmodel_layout *now, const struct identities *was, const struct identities *is)
{

	for (unsigned gpu = 0; gpu < a->n_gpus; gpu++) {
		for (size_t i = 0; i < a->gpus[gpu].n; i++) {
			const struct migmodel_gi *old = &a->gpus[gpu].gis[i], *wanted = migmodel_gi_in(b, gpu, old), *new = migmodel_gi_in(now, gpu, old);
			const struct identity *d = new ? &is->gis[gpu][new - now->gpus[gpu].gis] : NULL;

			if (!wanted)
				continue;
			assert_non_null(d);
			assert_int_equal(d->id, was->gis[gpu][i].id);
			assert_int_equal(d->serial, was->gis[gpu][i].serial);
			for (size_t k = 0; k < old->n_cis; k++) {
				size_t c = migmodel_ci_index(new, &old->cis[k]);

				if (migmodel_ci_index(wanted, &old->cis[k]) == MIGMODEL_CIS_MAX)
					continue;
				assert_int_not_equal(c, MIGMODEL_CIS_MAX);
				assert_string_equal(d->uuid[c], was->gis[gpu][i].uuid[k]);
				assert_int_equal(d->ci_serial[c], was->gis[gpu][i].ci_serial[k]);
			}
		}
	}
}

/* The machine is @a again: what was made anew has the UUID that this driver gives. */
static void check_recreated(const struct migmodel_layout *a, const struct identities *was, const struct identities *is, bool uuid_old)
{
	for (unsigned gpu = 0; gpu < a->n_gpus; gpu++) {
		for (size_t i = 0; i < a->gpus[gpu].n; i++) {
			const struct identity *now = &is->gis[gpu][i], *then = &was->gis[gpu][i];

			for (size_t k = 0; k < a->gpus[gpu].gis[i].n_cis; k++)
				assert_int_equal(strcmp(now->uuid[k], then->uuid[k]) == 0, uuid_old || now->ci_serial[k] == then->ci_serial[k]);
		}
	}
}

/* What is in @a and not in @b, one call each. */
static size_t count_missing(const struct migmodel_layout *a, const struct migmodel_layout *b)
{
	size_t n = 0;

	for (unsigned gpu = 0; gpu < a->n_gpus; gpu++) {
		for (size_t i = 0; i < a->gpus[gpu].n; i++) {
			const struct migmodel_gi *gi = &a->gpus[gpu].gis[i], *other = migmodel_gi_in(b, gpu, gi);

			n += !other;
			for (size_t k = 0; k < gi->n_cis; k++)
				n += !other || migmodel_ci_index(other, &gi->cis[k]) == MIGMODEL_CIS_MAX;
		}
	}
	return n;
}

static void check_export(struct gs_simhost *h, const char *want, const char *when)
{
	GS_FREE char *got = gs_simhost_export(h);

	if (strcmp(got, want) != 0)
		fail_msg("%s the machine is\n%s\nand should be\n%s", when, got, want);
}

static struct gs_simhost_applied apply(struct gs_simhost *h, const char *request)
{
	struct gs_simhost_applied a = gs_simhost_apply(h, request);

	if (a.status != GS_STATUS_OK || a.done != a.planned)
		fail_msg("%d (%zu of %zu steps): %s\n%s", (int)a.status, a.done, a.planned, a.text, request);
	return a;
}

/* A pair: the machine is @a, and is to be @b. */
struct pair {
	struct gs_simhost *h;
	const struct migmodel_layout *a, *b;
	char *was, *want, *request;         /* export of a and of b; what asks for b */
	size_t n;                           /* calls from a to b */
	bool uuid_old;
};

static void arm(struct gs_simhost *h, size_t k, uint32_t code)
{
	char fault[64];

	if (code)
		snprintf(fault, sizeof(fault), "nvml * %" PRIu32 " at %zu", code, k);
	else
		snprintf(fault, sizeof(fault), "nvml * nothing at %zu", k);
	gs_simhost_fault(h, fault);
}

/* The driver refuses (or, with code 0, passes over) the @k-th call of the commit: nothing of it stays. */
static void fail_at(const struct pair *p, size_t k, uint32_t code)
{
	struct identities before = identities(p->h, p->a), after;
	struct gs_simhost_applied got;
	GS_FREE char *left = NULL;
	char when[64];

	arm(p->h, k, code);
	got = gs_simhost_apply(p->h, p->request);
	snprintf(when, sizeof(when), "after %" PRIu32 " from call %zu of %zu", code, k, p->n);
	if (got.status != GS_STATUS_FAILED || !got.undone || got.done != k - 1)
		fail_msg("%s: %d after %zu steps: %s\n%s\n->\n%s", when, (int)got.status, got.done, got.text, p->was, p->request);
	left = gs_simhost_faults(p->h);
	assert_string_equal(left, "");
	check_export(p->h, p->was, when);
	after = identities(p->h, p->a);
	check_kept(p->a, k == 1 ? p->a : p->b, p->a, &before, &after);
	check_recreated(p->a, &before, &after, p->uuid_old);
}

/* The undo fails at its first call as well: that is said, and asking for what was brings it back. */
static void fail_twice(const struct pair *p, uint64_t *state)
{
	struct gs_simhost_applied got;
	size_t k = 2 + migmodel_pick(state, (uint32_t)p->n - 1);

	/* from there on nothing works: the undo is tried again and fails again */
	for (size_t i = 0; i < 2 * p->n + 4 && i < 60; i++)
		arm(p->h, k + i, 999);
	got = gs_simhost_apply(p->h, p->request);
	gs_simhost_fault(p->h, "clear");
	if (p->uuid_old)
		gs_simhost_fault(p->h, "uuid old");
	if (got.status != GS_STATUS_NOT_UNDONE || got.undone)
		fail_msg("call %zu and the next: %d %s\n%s\n->\n%s", k, (int)got.status, got.text, p->was, p->request);
	apply(p->h, p->was);
	check_export(p->h, p->was, "after a failed undo");
}

static void try_pair(const struct pair *p, uint64_t *state)
{
	static const uint32_t codes[] = { 3, 4, 15, 19, 23, 999 };
	struct identities before, after;
	size_t refused = migmodel_pick(state, 2);

	/* every call fails once, by turns with an error and with a success that is none */
	for (size_t k = 1; k <= p->n; k++)
		fail_at(p, k, (k + refused) % 2 ? codes[migmodel_pick(state, GS_ARRAY_SIZE(codes))] : 0);
	if (p->n > 1)
		fail_twice(p, state);
	before = identities(p->h, p->a);
	assert_int_equal(apply(p->h, p->request).planned, p->n);
	check_export(p->h, p->want, "after the commit");
	after = identities(p->h, p->b);
	check_kept(p->a, p->b, p->b, &before, &after);
	assert_int_equal(apply(p->h, p->request).planned, 0);
	/* what it exports is a request too, and one that is satisfied */
	assert_int_equal(apply(p->h, p->want).planned, 0);
}

static void random_pairs(struct gs_simhost *h, const struct migmodel *m, unsigned n_gpus, bool uuid_old, uint64_t *state, struct migmodel_layout *ret_last)
{
	struct migmodel_layout a = migmodel_random(m, n_gpus, state), b;
	GS_FREE char *first = migmodel_request_text(h, &a, state), *was = migmodel_layout_text(h, &a);

	apply(h, first);
	check_export(h, was, "after the first commit");
	for (uint64_t round = 0; round < rounds_value; round++) {
		struct pair p = { .h = h, .a = &a, .b = &b, .uuid_old = uuid_old };

		/* the work grows with the square of the calls: the first pair of a run is a short one */
		do {
			b = migmodel_random_change(m, &a, state);
			p.n = count_missing(&a, &b) + count_missing(&b, &a);
		} while (!p.n || (round == 0 && p.n > SHORT));
		p.was = migmodel_layout_text(h, &a);
		p.want = migmodel_layout_text(h, &b);
		p.request = migmodel_request_text(h, &b, state);
		try_pair(&p, state);
		free(p.was);
		free(p.want);
		free(p.request);
		a = b;
	}
	*ret_last = a;
}

/* ---------------------------------------------------------------- holders */

/* Any instance with a compute instance; false when there is none. */
static bool pick_held(const struct migmodel_layout *l, uint64_t *state, unsigned *ret_gpu, const struct migmodel_gi **ret_gi)
{
	for (unsigned tries = 0; tries < 64; tries++) {
		unsigned gpu = migmodel_pick(state, l->n_gpus);

		if (!l->gpus[gpu].n)
			continue;
		*ret_gpu = gpu;
		*ret_gi = &l->gpus[gpu].gis[migmodel_pick(state, (uint32_t)l->gpus[gpu].n)];
		if ((*ret_gi)->n_cis)
			return true;
	}
	return false;
}

/* Is the GI in @b with all its compute instances as they are? The holder sits in the first. */
static bool leaves_alone(const struct migmodel_layout *b, unsigned gpu, const struct migmodel_gi *held)
{
	const struct migmodel_gi *other = migmodel_gi_in(b, gpu, held);

	for (size_t k = 0; other && k < held->n_cis; k++)
		if (migmodel_ci_index(other, &held->cis[k]) == MIGMODEL_CIS_MAX)
			return false;
	return other != NULL;
}

/* The machine is @a: whatever is asked for, the held instance stays, and a request that does not want it changes nothing at all. */
static void try_held(struct gs_simhost *h, const struct migmodel *m, const struct migmodel_layout *a, uint64_t *state)
{
	unsigned gpu, refused = 0, done = 0;
	const struct migmodel_gi *held;
	uint64_t serial, ci_serial;

	if (!pick_held(a, state, &gpu, &held))
		return;
	gs_simhost_hold(h, gpu, held->start, HOLDER);
	serial = gs_simhost_gi_serial(h, gpu, held->start);
	ci_serial = gs_simhost_ci_serial(h, gpu, held->start, held->cis[0].start);
	for (unsigned tries = 0; tries < 40 && (!refused || !done); tries++) {
		struct migmodel_layout b = migmodel_random(m, a->n_gpus, state);
		GS_FREE char *want = migmodel_layout_text(h, &b), *request = migmodel_request_text(h, &b, state);
		bool alone = leaves_alone(&b, gpu, held);
		uint64_t generation = gs_simhost_generation(h);
		struct gs_simhost_applied got;

		if (alone ? done : refused)
			continue;
		got = gs_simhost_apply(h, request);
		if (alone) {
			if (got.status != GS_STATUS_OK)
				fail_msg("%s", got.text);
			check_export(h, want, "beside a holder");
			done++;
		} else {
			if (got.status != GS_STATUS_REFUSED || got.planned || got.done)
				fail_msg("under a holder: %d %s", (int)got.status, got.text);
			if (!strstr(got.text, "4711"))
				fail_msg("the holder is not named: %s", got.text);
			assert_int_equal(gs_simhost_generation(h), generation);
			refused++;
		}
		assert_int_equal(gs_simhost_gi_serial(h, gpu, held->start), serial);
		assert_int_equal(gs_simhost_ci_serial(h, gpu, held->start, held->cis[0].start), ci_serial);
	}
	assert_int_not_equal(refused, 0);
	gs_simhost_release(h);
}

/* ---------------------------------------------------------------- what the driver offers, against data/mig */

static bool same_places(const struct migmodel_profile *p, const struct gs_span *places, size_t n)
{
	if (n != p->n_starts)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool found = false;

		for (size_t k = 0; k < p->n_starts && !found; k++)
			found = places[i].start == p->starts[k] && places[i].size == p->size;
		if (!found)
			return false;
	}
	return true;
}

/* The first profile of which a snapshot tells other places or another number than data/mig; NULL when all agree. */
static const char *find_disagreement(const struct migmodel *m, const struct gs_gpu *gpu)
{
	if (gpu->grids[GS_KIND_MIG].source != GS_PROFILES_DRIVER || gpu->grids[GS_KIND_MIG].n != m->n)
		return "the profiles";
	for (size_t i = 0; i < m->n; i++) {
		const struct migmodel_profile *p = &m->profiles[i];
		const struct gs_profile *offered = gs_profile_by_name(&gpu->grids[GS_KIND_MIG], p->name);

		if (!offered || !gs_u32_is(offered->id, p->id) || offered->max_instances != p->max_instances ||
		    !same_places(p, offered->placements, offered->n_placements))
			return p->name;
		for (size_t k = 0; m->has_compute && k < p->n_compute; k++) {
			const struct gs_compute_profile *c = gs_compute_profile_by_name(offered, p->compute[k].name);

			if (!c || c->max_instances != p->compute[k].max_instances || !same_places(&p->compute[k], c->placements, c->n_placements))
				return p->compute[k].name;
		}
	}
	return NULL;
}

/* ---------------------------------------------------------------- tests */

static void every_target_is_reached_and_every_failure_undone(void **state)
{
	GS_CLEANUP(migmodel_freep) struct migmodel *m = migmodel_read(*state);
	const struct gs_simhost_options options = { .model = m->name, .n_gpus = 2 };
	GS_CLEANUP(gs_simhost_closep) struct gs_simhost *h = gs_simhost_open(&options);
	uint64_t random = seed_value;
	bool uuid_old;
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_simhost_snapshot(h);
	struct migmodel_layout last;

	if (find_disagreement(m, gs_snapshot_gpu(s, 0)))
		fail_msg("%s is not as in data/mig", find_disagreement(m, gs_snapshot_gpu(s, 0)));
	/* each model its own numbers */
	for (const char *c = m->name; *c; c++)
		random = random * 31 + (unsigned char)*c;
	uuid_old = migmodel_pick(&random, 2);
	gs_simhost_fault(h, uuid_old ? "uuid old" : "uuid new");
	random_pairs(h, m, options.n_gpus, uuid_old, &random, &last);
	try_held(h, m, &last, &random);
}

/* ---------------------------------------------------------------- planted faults: the properties can fail */

#define PLANTED_MODEL "h100-sxm5-80gb"

static struct json_object *places_of(struct json_object *model, const char *profile)
{
	struct json_object *list = json_object_object_get(model, "profiles");

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		if (strcmp(json_object_get_string(json_object_object_get(o, "name")), profile) == 0)
			return json_object_object_get(o, "placements");
	}
	fail_msg("no profile %s", profile);
	return NULL;
}

static void shift_places(struct json_object *model, const char *profile, int by)
{
	struct json_object *list = places_of(model, profile);

	for (size_t i = 0; i < json_object_array_length(list); i++)
		json_object_int_inc(json_object_object_get(json_object_array_get_idx(list, i), "start"), by);
}

static void shift_1g(struct json_object *model)
{
	shift_places(model, "1g.10gb", 1);
}

static void leave_out_a_place_of_3g(struct json_object *model)
{
	json_object_array_del_idx(places_of(model, "3g.40gb"), 1, 1);
}

/*
 * Proves that the expectation is not made of what the driver says: a stand-in
 * whose 1g.10gb lie one unit off fills the GPU with seven of them without a
 * complaint from anybody, and only data/mig, read by this test, disagrees.
 */
static void a_driver_with_other_places_than_the_catalogue_is_noticed(void **state)
{
	const struct gs_simhost_options options = { .model = PLANTED_MODEL, .n_gpus = 1, .spoil = shift_1g };
	GS_CLEANUP(gs_simhost_closep) struct gs_simhost *h = gs_simhost_open(&options);
	GS_CLEANUP(migmodel_freep) struct migmodel *m = migmodel_read(PLANTED_MODEL);
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_simhost_snapshot(h);
	struct migmodel_layout l = { .n_gpus = 1 };
	GS_FREE char *want = NULL, *got = NULL;
	struct gs_simhost_applied a;

	(void)state;
	assert_string_equal(find_disagreement(m, gs_snapshot_gpu(s, 0)), "1g.10gb");
	for (uint32_t start = 0; start < 7; start++) {
		struct migmodel_gi *gi = &l.gpus[0].gis[l.gpus[0].n++];

		*gi = (struct migmodel_gi){ .profile = migmodel_profile_by_name(m, "1g.10gb"), .start = start, .n_cis = 1 };
		gi->cis[0] = (struct migmodel_ci){ &gi->profile->compute[0], 0 };
	}
	want = migmodel_layout_text(h, &l);
	apply(h, "create 0 1g.10gb count 7\n");
	got = gs_simhost_export(h);
	assert_string_not_equal(got, want);
	assert_non_null(strstr(got, "\"start\":7,"));
	/* asked for by place, it is refused: 0 is not in this driver's list */
	a = gs_simhost_apply(h, want);
	assert_int_equal(a.status, GS_STATUS_INVALID);
	assert_int_not_equal(gs_simhost_gi_serial(h, 0, 7), 0);
}

/* The same with a list that is too short: what random layouts ask for is refused then, so no run could pass. */
static void a_driver_that_offers_less_than_the_catalogue_is_noticed(void **state)
{
	const struct gs_simhost_options options = { .model = PLANTED_MODEL, .n_gpus = 1, .spoil = leave_out_a_place_of_3g };
	GS_CLEANUP(gs_simhost_closep) struct gs_simhost *h = gs_simhost_open(&options);
	GS_CLEANUP(migmodel_freep) struct migmodel *m = migmodel_read(PLANTED_MODEL);
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_simhost_snapshot(h);

	(void)state;
	assert_string_equal(find_disagreement(m, gs_snapshot_gpu(s, 0)), "3g.40gb");
	assert_int_equal(gs_simhost_apply(h, "create 0 3g.40gb at 4\n").status, GS_STATUS_INVALID);
}

/*
 * Proves that the comparison of exports sees one unit: the driver moves an
 * instance by itself (its state is edited; the stand-in has no switch for a
 * create that goes elsewhere). The next look tells it, and asking again makes
 * it right.
 */
static void an_instance_at_another_start_than_asked_is_noticed(void **state)
{
	const struct gs_simhost_options options = { .model = PLANTED_MODEL, .n_gpus = 1 };
	GS_CLEANUP(gs_simhost_closep) struct gs_simhost *h = gs_simhost_open(&options);
	GS_FREE char *want = NULL, *got = NULL;

	(void)state;
	apply(h, "create 0 2g.20gb at 2\ncreate 0 3g.40gb at 4\n");
	want = gs_simhost_export(h);
	gs_simhost_move(h, 0, 2, 0);
	got = gs_simhost_export(h);
	assert_string_not_equal(got, want);
	assert_int_equal(apply(h, want).planned, 4);
	check_export(h, want, "after the repair");
}

/* A planner that is one unit off: the plan of @text with the start of its @i-th wish shifted. */
static struct gs_plan *shifted_plan(const struct gs_snapshot *s, const char *text, size_t i)
{
	GS_CLEANUP(gs_script_freep) struct gs_script *script = NULL;
	GS_EVALUATION struct gs_evaluation ev = { 0 };
	const struct gs_plan_options options = { 0 };
	struct gs_plan *plan = NULL;

	assert_int_equal(gs_script_parse(text, strlen(text), "test", &script, NULL), 0);
	assert_int_equal(gs_script_evaluate(script, s, GS_CONTEXT_FILE, &ev, NULL), 0);
	assert_true(i < ev.layout->gpus[0].n_wants);
	ev.layout->gpus[0].wants[i].start.value++;
	assert_int_equal(gs_plan_build(s, &ev, &options, &plan, NULL), 0);
	return plan;
}

/*
 * Proves that a fault of the planner after solving does not reach a machine
 * unseen. 2g.20gb 2 -> 3 is no legal start, 1g.10gb 1 -> 2 runs into it: both
 * plans are blocked. 1g.10gb 0 -> 1 is legal and free: that plan is another
 * one than the agent makes of the same request, and is refused by its digest.
 */
static void a_planner_that_is_one_unit_off_is_noticed(void **state)
{
	static const char text[] = "create 0 2g.20gb at 2\ncreate 0 1g.10gb at 0\n", beside[] = "create 0 2g.20gb at 2\ncreate 0 1g.10gb at 1\n";
	const struct gs_simhost_options options = { .model = PLANTED_MODEL, .n_gpus = 1 };
	GS_CLEANUP(gs_simhost_closep) struct gs_simhost *h = gs_simhost_open(&options);
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_simhost_snapshot(h);
	GS_CLEANUP(gs_plan_freep) struct gs_plan *illegal = NULL, *overlapping = NULL, *elsewhere = NULL;
	GS_CLEANUP(gs_request_freep) struct gs_request *request = NULL;
	struct gs_session_commit c = { .yes = true };
	struct gs_session_result result = { 0 };
	struct gs_error e = { 0 };
	uint64_t generation;

	(void)state;
	illegal = shifted_plan(s, text, 0);
	if (!gs_plan_is_blocked(illegal))
		fail_msg("a start that is not in the list gives a plan of %zu steps", illegal->n_steps);
	assert_int_equal(illegal->n_steps, 0);
	overlapping = shifted_plan(s, beside, 1);
	assert_true(gs_plan_is_blocked(overlapping));
	assert_int_equal(overlapping->n_steps, 0);
	elsewhere = shifted_plan(s, text, 1);
	assert_int_equal(elsewhere->n_steps, 4);
	assert_int_equal(gs_request_new(text, strlen(text), "test", GS_CONTEXT_FILE, &request, &e), 0);
	c.request = request;
	c.expect = elsewhere->digest;
	generation = gs_simhost_generation(h);
	if (gs_session_commit(gs_simhost_session(h), &c, NULL, NULL, &result, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(result.status, GS_STATUS_REFUSED);
	assert_non_null(strstr(result.text, "no longer the one that was approved"));
	assert_int_equal(result.done, 0);
	assert_int_equal(gs_simhost_generation(h), generation);
	gs_session_result_done(&result);
}

/* ---------------------------------------------------------------- the vendor guide's four cases */

#define ORDERED_MODEL "a100-40gb"

static const struct {
	const char *profiles[7];
	int starts[6];                      /* -1: insufficient resources */
} guide[] = {
	{ { "1g.5gb", "2g.10gb", "4g.20gb" }, { 6, 4, 0 } },
	{ { "1g.5gb", "1g.5gb", "2g.10gb", "3g.20gb" }, { 6, 4, 0, -1 } },
	{ { "3g.20gb", "1g.5gb", "2g.10gb", "1g.5gb" }, { 4, 0, 2, 1 } },
	{ { "2g.10gb", "1g.5gb", "1g.5gb", "1g.5gb", "1g.5gb", "1g.5gb" }, { 4, 6, 0, 1, 2, 3 } },
};

#define SYMBOL(library, name) ((__typeof__(nvml##name) *)dlsym(library, "nvml" #name))

static void the_driver_places_one_by_one_as_the_vendors_guide_says(void **state)
{
	const struct gs_simhost_options options = { .model = ORDERED_MODEL, .n_gpus = GS_ARRAY_SIZE(guide) };
	GS_CLEANUP(gs_simhost_closep) struct gs_simhost *h = gs_simhost_open(&options);
	GS_CLEANUP(migmodel_freep) struct migmodel *m = migmodel_read(ORDERED_MODEL);
	void *library = gs_simhost_load_standin(h);

	(void)state;
	assert_int_equal(SYMBOL(library, Init_v2)(), GS_NVML_SUCCESS);
	for (unsigned gpu = 0; gpu < GS_ARRAY_SIZE(guide); gpu++) {
		void *device = NULL;

		assert_int_equal(SYMBOL(library, DeviceGetHandleByIndex_v2)(gpu, &device), GS_NVML_SUCCESS);
		for (size_t i = 0; guide[gpu].profiles[i]; i++) {
			struct gs_abi_gi_info info = { 0 };
			void *gi = NULL;
			int r = (int)SYMBOL(library, DeviceCreateGpuInstance)(device, migmodel_profile_by_name(m, guide[gpu].profiles[i])->id, &gi);

			assert_int_equal(r, guide[gpu].starts[i] < 0 ? GS_NVML_INSUFFICIENT_RESOURCES : GS_NVML_SUCCESS);
			if (r)
				continue;
			assert_int_equal(SYMBOL(library, GpuInstanceGetInfo)(gi, &info), GS_NVML_SUCCESS);
			assert_int_equal(info.placement.start, guide[gpu].starts[i]);
		}
	}
	SYMBOL(library, Shutdown)();
	dlclose(library);
}

/* Asked for one by one, the planner places as the driver would (design 4), and refuses where it would. */
static void the_planner_places_one_by_one_as_the_driver_does(void **state)
{
	const struct gs_simhost_options options = { .model = ORDERED_MODEL, .n_gpus = GS_ARRAY_SIZE(guide) };
	GS_CLEANUP(gs_simhost_closep) struct gs_simhost *h = gs_simhost_open(&options);

	(void)state;
	for (unsigned gpu = 0; gpu < GS_ARRAY_SIZE(guide); gpu++) {
		for (size_t i = 0; guide[gpu].profiles[i]; i++) {
			struct gs_simhost_applied a;
			char line[64];

			snprintf(line, sizeof(line), "create %u %s count +1\n", gpu, guide[gpu].profiles[i]);
			a = gs_simhost_apply(h, line);
			if (guide[gpu].starts[i] < 0) {
				assert_int_equal(a.status, GS_STATUS_REFUSED);
				continue;
			}
			if (a.status != GS_STATUS_OK)
				fail_msg("%s: %s", line, a.text);
			if (!gs_simhost_gi_serial(h, gpu, (uint32_t)guide[gpu].starts[i]))
				fail_msg("case %u: %s is not at %d", gpu + 1, guide[gpu].profiles[i], guide[gpu].starts[i]);
		}
	}
}

/* Case two ends with «insufficient resources» one by one; asked for together all four have a place. */
static void what_the_driver_cannot_place_the_planner_can(void **state)
{
	static const char text[] = "create 0 1g.5gb\ncreate 0 1g.5gb\ncreate 0 2g.10gb\ncreate 0 3g.20gb\n";
	const struct gs_simhost_options options = { .model = ORDERED_MODEL, .n_gpus = 1 };
	GS_CLEANUP(gs_simhost_closep) struct gs_simhost *h = gs_simhost_open(&options);
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	unsigned n1 = 0, n2 = 0, n3 = 0;

	(void)state;
	assert_int_equal(apply(h, text).planned, 8);
	s = gs_simhost_snapshot(h);
	for (size_t i = 0; i < gs_snapshot_gpu(s, 0)->n_instances; i++) {
		const char *name = gs_snapshot_gpu(s, 0)->instances[i]->profile;

		n1 += gs_str_equal(name, "1g.5gb");
		n2 += gs_str_equal(name, "2g.10gb");
		n3 += gs_str_equal(name, "3g.20gb");
	}
	assert_true(n1 == 2 && n2 == 1 && n3 == 1);
	assert_int_equal(apply(h, text).planned, 0);
}

/* ---------------------------------------------------------------- mode changes */

/* The other road of a commit: our own collector lets go of the GPU before the mode changes. Each call of it fails once. */
static void a_mode_change_is_undone_too(void **state)
{
	static const char on[] = "mode all mig\ncreate all 3g.40gb at 0\n", off[] = "delete all all\nmode all whole\n";
	const struct gs_simhost_options options = { .model = PLANTED_MODEL, .n_gpus = 2, .is_whole = true };
	GS_CLEANUP(gs_simhost_closep) struct gs_simhost *h = gs_simhost_open(&options);
	GS_FREE char *whole = gs_simhost_export(h), *cut = NULL;

	(void)state;
	for (unsigned way = 0; way < 2; way++) {
		const char *was = way ? cut : whole, *request = way ? off : on;

		for (size_t k = 1; k <= 6; k++) {
			for (unsigned code = 0; code <= 19; code += 19) {
				struct gs_simhost_applied a;

				arm(h, k, code);
				a = gs_simhost_apply(h, request);
				if (a.planned != 6 || a.status != GS_STATUS_FAILED || !a.undone || a.done != k - 1)
					fail_msg("call %zu, code %u: %d after %zu of %zu: %s", k, code, (int)a.status, a.done, a.planned, a.text);
				check_export(h, was, "after a failed mode change");
			}
		}
		assert_int_equal(apply(h, request).planned, 6);
		assert_int_equal(apply(h, request).planned, 0);
		if (!way)
			cut = gs_simhost_export(h);
	}
	check_export(h, whole, "back again");
}

static void all_complete_models_are_here(void **state)
{
	char **names = *state;
	size_t n = 0;

	while (names[n])
		n++;
	assert_int_equal(n, 21);
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(a_driver_with_other_places_than_the_catalogue_is_noticed),
		cmocka_unit_test(a_driver_that_offers_less_than_the_catalogue_is_noticed),
		cmocka_unit_test(an_instance_at_another_start_than_asked_is_noticed),
		cmocka_unit_test(a_planner_that_is_one_unit_off_is_noticed),
		cmocka_unit_test(the_driver_places_one_by_one_as_the_vendors_guide_says),
		cmocka_unit_test(the_planner_places_one_by_one_as_the_driver_does),
		cmocka_unit_test(what_the_driver_cannot_place_the_planner_can),
		cmocka_unit_test(a_mode_change_is_undone_too),
	};
	const char *seed = getenv("SEED"), *rounds = getenv("ROUNDS");
	struct CMUnitTest tests[64];
	char **names = gs_simhost_models();
	size_t n = 0;
	int r;

	if ((seed && gs_parse_u64(seed, 10, &seed_value) < 0) || (rounds && gs_parse_u64(rounds, 10, &rounds_value) < 0) || !seed_value)
		return 1;
	printf("# SEED=%" PRIu64 " ROUNDS=%" PRIu64 "\n", seed_value, rounds_value);
	for (; n < GS_ARRAY_SIZE(others); n++)
		tests[n] = others[n];
	tests[n++] = (struct CMUnitTest){ "all complete models are here", all_complete_models_are_here, NULL, NULL, names };
	for (size_t i = 0; names[i] && n < GS_ARRAY_SIZE(tests); i++)
		tests[n++] = (struct CMUnitTest){ names[i], every_target_is_reached_and_every_failure_undone, NULL, NULL, names[i] };
	r = _cmocka_run_group_tests("machines", tests, n, NULL, NULL);
	for (size_t i = 0; names[i]; i++)
		free(names[i]);
	free(names);
	return r;
}
