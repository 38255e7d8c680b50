/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random creations and destructions of GPU and compute instances, one by one:
 * gs_mig_run() and the collector over the stand-in, on every catalogue model,
 * beside a model that this test makes of data/mig alone. What is legal, what is
 * refused, what is there afterwards and what the driver has room for has to be
 * the same on both sides; the planner is not in it.
 *
 * SEED=N repeats a run, ROUNDS=N makes a longer one.
 */
#include "tests/lib/cmocka.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/collect.h"
#include "backend/mig_write.h"
#include "base/parse.h"
#include "tests/lib/simhost.h"

#define ROUNDS 60
#define PLACES_MAX 16
#define PROFILES_MAX 32
#define GIS_MAX 16
#define CIS_MAX 8
#define ENGINES 4

static uint64_t seed_value = 20261121, rounds_value = ROUNDS;

static uint32_t pick(uint64_t *state, uint32_t below)
{
	/* xorshift64*: repeatable everywhere */
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)((*state * 2685821657736338717ull) >> 33) % below;
}

/* ---------------------------------------------------------------- the model, read by this test alone */

struct place {
	uint32_t start, size;
};

struct cut {
	char name[48];
	uint32_t max_instances;
	struct place places[PLACES_MAX];
	size_t n_places;
	uint32_t engines[ENGINES];          /* decoder, encoder, jpeg, ofa */
	struct cut *compute;
	size_t n_compute;
};

struct board {
	struct cut cuts[PROFILES_MAX];
	size_t n;
	uint32_t engines[ENGINES];          /* UINT32_MAX: nobody counts them */
	uint32_t max_instances;
};

struct lump {
	const struct cut *cut;
	struct place at;
	uint32_t id;
	struct lump *inside;                /* CIS_MAX of a GI */
	size_t n_inside;
};

struct state {
	struct lump gis[GIS_MAX];
	size_t n;
};

static uint32_t number(struct json_object *o, const char *key)
{
	return (uint32_t)json_object_get_int(json_object_object_get(o, key));
}

static void read_engines(struct json_object *o, uint32_t *engines, uint32_t unknown)
{
	static const char *const names[ENGINES] = { "decoder", "encoder", "jpeg", "ofa" };

	for (size_t i = 0; i < ENGINES; i++) {
		struct json_object *n = json_object_object_get(json_object_object_get(o, "engines"), names[i]);

		engines[i] = n ? (uint32_t)json_object_get_int(n) : unknown;
	}
}

static void read_cut(struct json_object *o, struct cut *c)
{
	struct json_object *places = json_object_object_get(o, "placements"), *compute = json_object_object_get(o, "compute");

	snprintf(c->name, sizeof(c->name), "%s", json_object_get_string(json_object_object_get(o, "name")));
	c->max_instances = number(o, "max_instances");
	c->n_places = json_object_array_length(places);
	assert_in_range(c->n_places, 1, PLACES_MAX);
	for (size_t i = 0; i < c->n_places; i++)
		c->places[i] = (struct place){ number(json_object_array_get_idx(places, i), "start"), number(json_object_array_get_idx(places, i), "size") };
	read_engines(o, c->engines, 0);
	c->n_compute = compute ? json_object_array_length(compute) : 0;
	c->compute = calloc(c->n_compute + 1, sizeof(*c->compute));
	for (size_t i = 0; i < c->n_compute; i++)
		read_cut(json_object_array_get_idx(compute, i), &c->compute[i]);
}

static void read_board(const char *name, struct board *b)
{
	GS_JSON struct json_object *o = gs_simhost_model(name);
	struct json_object *list = json_object_object_get(o, "profiles");

	memset(b, 0, sizeof(*b));
	b->n = json_object_array_length(list);
	assert_in_range(b->n, 1, PROFILES_MAX);
	b->max_instances = number(json_object_object_get(o, "grid"), "max_instances");
	read_engines(o, b->engines, UINT32_MAX);
	for (size_t i = 0; i < b->n; i++)
		read_cut(json_object_array_get_idx(list, i), &b->cuts[i]);
}

static void board_done(struct board *b)
{
	for (size_t i = 0; i < b->n; i++) {
		for (size_t k = 0; k < b->cuts[i].n_compute; k++)
			free(b->cuts[i].compute[k].compute);
		free(b->cuts[i].compute);
	}
}

/* ---------------------------------------------------------------- what is legal */

static bool overlap(struct place a, struct place b)
{
	return a.start < b.start + b.size && b.start < a.start + a.size;
}

static bool find_place(const struct cut *c, uint32_t start, struct place *ret)
{
	for (size_t i = 0; i < c->n_places; i++) {
		if (c->places[i].start != start)
			continue;
		*ret = c->places[i];
		return true;
	}
	return false;
}

/* Beside @lumps: a place of the list, free, and not more of them than the profile allows. */
static bool fits(const struct cut *c, struct place at, const struct lump *lumps, size_t n)
{
	uint32_t same = 0;
	struct place listed;

	if (!find_place(c, at.start, &listed) || listed.size != at.size)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (overlap(lumps[i].at, at))
			return false;
		same += lumps[i].cut == c;
	}
	return same < c->max_instances;
}

static bool gi_fits(const struct board *b, const struct state *s, const struct cut *c, struct place at)
{
	if (!fits(c, at, s->gis, s->n) || s->n >= b->max_instances)
		return false;
	for (size_t engine = 0; engine < ENGINES; engine++) {
		uint64_t sum = c->engines[engine];

		for (size_t i = 0; i < s->n; i++)
			sum += s->gis[i].cut->engines[engine];
		if (sum > b->engines[engine])
			return false;
	}
	return true;
}

/* The most of @c that can be added, by trying everything. */
static uint32_t room(const struct board *b, struct state *s, const struct cut *c, size_t from)
{
	uint32_t best = 0;

	for (size_t i = from; i < c->n_places; i++) {
		uint32_t more;

		if (!gi_fits(b, s, c, c->places[i]) || s->n == GIS_MAX)
			continue;
		s->gis[s->n].cut = c;
		s->gis[s->n++].at = c->places[i];
		more = 1 + room(b, s, c, i + 1);
		s->n--;
		best = more > best ? more : best;
	}
	return best;
}

/* ---------------------------------------------------------------- the machine */

struct rig {
	struct gs_simhost *host;
	struct gs_machine *machine;
	struct gs_collect *collect;
	struct gs_mig *mig;
	struct board board;
	struct state state;
	const char *model;
	struct gs_bdf bdf;
	char uuid[64];
};

static struct gs_snapshot *look(struct rig *r)
{
	const struct gs_collect_options options = { .telemetry = false };
	struct gs_snapshot *s = NULL;
	struct gs_error e = { 0 };

	if (gs_collect_snapshot(r->collect, &options, &s, &e) < 0)
		fail_msg("%s: %s", r->model, e.text);
	return s;
}

static void open_rig(struct rig *r, const char *model)
{
	const struct gs_simhost_options of = { .model = model, .n_gpus = 1 };
	const struct gs_machine_options options = { .sim = "dgx-h100" };
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	struct gs_error e = { 0 };

	memset(r, 0, sizeof(*r));
	r->model = model;
	read_board(model, &r->board);
	r->host = gs_simhost_open(&of);
	if (gs_machine_open(&options, &r->machine, &e) < 0 || gs_collect_new(r->machine, &r->collect, &e) < 0)
		fail_msg("%s: %s", model, e.text);
	s = look(r);
	assert_int_equal(gs_collect_mig(r->collect, &r->mig, &e), 0);
	assert_int_equal(gs_snapshot_n_gpus(s), 1);
	r->bdf = gs_snapshot_gpu(s, 0)->bdf;
	snprintf(r->uuid, sizeof(r->uuid), "%s", gs_snapshot_gpu(s, 0)->uuid);
	for (size_t i = 0; i < GIS_MAX; i++)
		r->state.gis[i].inside = calloc(CIS_MAX, sizeof(struct lump));
}

static void close_rig(struct rig *r)
{
	for (size_t i = 0; i < GIS_MAX; i++)
		free(r->state.gis[i].inside);
	gs_collect_free(r->collect);
	gs_machine_close(r->machine);
	gs_simhost_close(r->host);
	board_done(&r->board);
}

static struct gs_step step_of(const struct rig *r, enum gs_step_op op, const struct cut *c, struct place at)
{
	return (struct gs_step){ .op = op, .bdf = r->bdf, .gpu_uuid = r->uuid, .mode = GS_MODE_INVALID, .profile = c->name, .span = { at.start, at.size } };
}

/* Carry out, and compare with whether it is legal. True when it was done. */
static bool run(struct rig *r, const struct gs_step *step, bool is_legal, uint32_t *ret_id)
{
	struct gs_step_outcome out = { 0 };
	struct gs_error e = { 0 };
	int done = gs_mig_run(r->mig, step, &out, &e);

	if ((done == 0) != is_legal)
		fail_msg("%s: %s %s at %u, CI %s at %u: the driver says %s, data/mig %s", r->model, gs_step_op_name(step->op), step->profile, step->span.start,
			 step->compute_profile ? step->compute_profile : "-", step->compute_span.start, done ? e.text : "yes", is_legal ? "yes" : "no");
	if (done < 0)
		assert_true(strlen(e.text) > 20);
	*ret_id = out.id;
	return done == 0;
}

/* ---------------------------------------------------------------- one random thing */

static void try_create_gi(struct rig *r, uint64_t *seed)
{
	const struct cut *c = &r->board.cuts[pick(seed, (uint32_t)r->board.n)];
	/* any start, and now and then a size that is not its own */
	struct place at = { pick(seed, 14), c->places[0].size + (pick(seed, 12) == 0) };
	struct gs_step step = step_of(r, GS_STEP_CREATE_GI, c, at);
	uint32_t id;

	if (!run(r, &step, gi_fits(&r->board, &r->state, c, at), &id))
		return;
	assert_true(r->state.n < GIS_MAX);
	r->state.gis[r->state.n].cut = c;
	r->state.gis[r->state.n].at = at;
	r->state.gis[r->state.n].id = id;
	r->state.gis[r->state.n++].n_inside = 0;
}

static void try_destroy_gi(struct rig *r, uint64_t *seed)
{
	uint32_t at = r->state.n ? pick(seed, (uint32_t)r->state.n) : 0, id;
	struct lump *gi = &r->state.gis[at], gone = *gi;
	struct gs_step step;

	if (!r->state.n)
		return;
	step = step_of(r, GS_STEP_DESTROY_GI, gi->cut, gi->at);
	/* an id of another life must not be taken for this one */
	step.instance_id = pick(seed, 8) ? gi->id : gi->id + 1;
	if (!run(r, &step, !gi->n_inside && step.instance_id == gi->id, &id))
		return;
	*gi = r->state.gis[--r->state.n];
	/* its room for what is inside stays with the array */
	r->state.gis[r->state.n] = gone;
	r->state.gis[r->state.n].n_inside = 0;
}

static void try_create_ci(struct rig *r, uint64_t *seed)
{
	struct lump *gi = r->state.n ? &r->state.gis[pick(seed, (uint32_t)r->state.n)] : NULL;
	const struct cut *c;
	struct gs_step step;
	struct place at;
	uint32_t id;

	/* nobody has published the compute profiles of some */
	if (!gi || !gi->cut->n_compute)
		return;
	c = &gi->cut->compute[pick(seed, (uint32_t)gi->cut->n_compute)];
	at = (struct place){ pick(seed, 8), c->places[0].size };
	step = step_of(r, GS_STEP_CREATE_CI, gi->cut, gi->at);
	step.compute_profile = c->name;
	step.compute_span = (struct gs_span){ at.start, at.size };
	if (!run(r, &step, fits(c, at, gi->inside, gi->n_inside), &id))
		return;
	assert_true(gi->n_inside < CIS_MAX);
	gi->inside[gi->n_inside++] = (struct lump){ .cut = c, .at = at, .id = id };
}

static void try_destroy_ci(struct rig *r, uint64_t *seed)
{
	struct lump *gi = r->state.n ? &r->state.gis[pick(seed, (uint32_t)r->state.n)] : NULL;
	struct gs_step step;
	struct lump *ci;
	uint32_t id;

	if (!gi || !gi->n_inside)
		return;
	ci = &gi->inside[pick(seed, (uint32_t)gi->n_inside)];
	step = step_of(r, GS_STEP_DESTROY_CI, gi->cut, gi->at);
	step.instance_id = gi->id;
	step.compute_profile = ci->cut->name;
	step.compute_span = (struct gs_span){ ci->at.start, ci->at.size };
	step.compute_id = ci->id;
	if (run(r, &step, true, &id))
		*ci = gi->inside[--gi->n_inside];
}

/* ---------------------------------------------------------------- is it so? */

static void check_inside(const struct rig *r, const struct lump *gi, const struct gs_instance *inst)
{
	assert_int_equal(inst->n_compute, gi->n_inside);
	for (size_t i = 0; i < gi->n_inside; i++) {
		const struct gs_compute *found = NULL;

		for (size_t k = 0; k < inst->n_compute; k++)
			found = inst->compute[k]->id == gi->inside[i].id ? inst->compute[k] : found;
		if (!found || !gs_str_equal(found->profile, gi->inside[i].cut->name) || !gs_u32_is(found->start, gi->inside[i].at.start))
			fail_msg("%s: %s at %u should have CI %u %s at %u", r->model, gi->cut->name, gi->at.start, gi->inside[i].id, gi->inside[i].cut->name,
				 gi->inside[i].at.start);
	}
}

static void check(struct rig *r)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = look(r);
	const struct gs_gpu *gpu = gs_snapshot_gpu(s, 0);

	assert_true(gpu->placements_visible);
	assert_int_equal(gpu->n_instances, r->state.n);
	for (size_t i = 0; i < r->state.n; i++) {
		const struct lump *gi = &r->state.gis[i];
		const struct gs_instance *inst = gs_gpu_instance_at(gpu, gi->cut->name, gi->at.start);

		if (!inst || inst->id != gi->id || !gs_u32_is(inst->size, gi->at.size))
			fail_msg("%s: there should be GI %u %s at %u", r->model, gi->id, gi->cut->name, gi->at.start);
		check_inside(r, gi, inst);
	}
	assert_int_equal(gpu->n_remaining, r->board.n);
	for (size_t i = 0; i < r->board.n; i++) {
		const struct cut *c = &r->board.cuts[i];
		uint32_t want = room(&r->board, &r->state, c, 0);

		for (size_t k = 0; k < gpu->n_remaining; k++)
			if (gs_str_equal(gpu->remaining[k].profile, c->name) && gpu->remaining[k].n != want)
				fail_msg("%s: room for %u %s by data/mig, for %u by the driver", r->model, want, c->name, gpu->remaining[k].n);
	}
	/* our own count and the driver's are one, or a notice would say so */
	for (size_t i = 0; i < gs_snapshot_n_notices(s); i++)
		fail_msg("%s: %s", r->model, gs_snapshot_notice(s, i));
}

static void random_creations_and_destructions_agree_with_data_mig(void **state)
{
	static void (*const things[])(struct rig *r, uint64_t *seed) = {
		try_create_gi, try_create_gi, try_create_gi, try_create_ci, try_create_ci, try_destroy_ci, try_destroy_gi,
	};
	char **models = gs_simhost_models();
	uint64_t seed = seed_value;

	(void)state;
	print_message("SEED=%" PRIu64 " ROUNDS=%" PRIu64 "\n", seed_value, rounds_value);
	for (size_t m = 0; models[m]; m++) {
		struct rig r;

		open_rig(&r, models[m]);
		for (uint64_t i = 0; i < rounds_value; i++) {
			things[pick(&seed, GS_ARRAY_SIZE(things))](&r, &seed);
			check(&r);
		}
		close_rig(&r);
	}
	for (size_t m = 0; models[m]; m++)
		free(models[m]);
	free(models);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(random_creations_and_destructions_agree_with_data_mig) };

	if (getenv("SEED") && (gs_parse_u64(getenv("SEED"), 10, &seed_value) < 0 || !seed_value))
		return 1;
	if (getenv("ROUNDS") && gs_parse_u64(getenv("ROUNDS"), 10, &rounds_value) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
