/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random faults of a driver and of the disk under whole commits: at every
 * moment the records on the disk tell no less than what was done, no record
 * that a commit writes is one that cannot follow, and what is read of the file
 * is what was written, also when it ends at any byte.
 */
#include "tests/lib/cmocka.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "codec/journal_json.h"
#include "codec/layout_text.h"
#include "core/commit.h"
#include "tests/lib/famhost.h"
#include "tests/lib/testhost.h"

#define ROUNDS 1500
#define UNIT "nvidia-persistenced.service"

static uint64_t seed_value;

static uint32_t pick(uint64_t *state, uint32_t below)
{
	/* xorshift64*: repeatable everywhere */
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)((*state * 2685821657736338717ull) >> 33) % below;
}

/* What goes wrong, each at the n-th of its kind from 1; 0: never. */
struct faults {
	unsigned refuse_at, refuse_again, skip_at, wait_at, cancel_at;
	bool shows_at_once;
	unsigned disk_at, disk_for;     /* records that cannot be written */
	int disk_errnum;
	bool fail_unit;
};

struct world {
	struct fam_host host;
	const char *script;
	struct faults faults;
	unsigned ran, records;
	/* the disk */
	struct gs_strbuf text;
	struct gs_journal_commit commit;    /* what whoever comes after a crash would read now */
	struct gs_arena *arena;
	/* the truth */
	const struct gs_plan *plan;
	uint32_t acted;                     /* forward steps that had an effect, before anything failed */
	bool has_failed, is_unit_stopped, has_gap;
};

static void world_done(struct world *w)
{
	gs_strbuf_done(&w->text);
	gs_arena_free(w->arena);
}
#define WORLD GS_CLEANUP(world_done) struct world

/* With the records so far; cmocka's own would cut them. */
#define fail_told(w, ...) \
	do { \
		printf("%s# ", strchr((w)->text.text, '\n') + 1); \
		fail_msg(__VA_ARGS__); \
	} while (0)

/* Whoever finds the machine and the journal now must not be told less than what is. */
static void crash_here(const struct world *w)
{
	const struct gs_journal_commit *c = &w->commit;

	if (!c->id)
		return;
	if (w->acted > c->done + (c->is_uncertain ? 1 : 0))
		fail_told(w, "%" PRIu32 " steps were done, the journal knows of %" PRIu32 "%s", w->acted, c->done, c->is_uncertain ? " and one more" : "");
	if (w->is_unit_stopped && !c->n_units)
		fail_told(w, "a unit is stopped, and the journal does not know");
}

static int collect(void *userdata, struct gs_snapshot **ret, struct gs_error *e)
{
	struct world *w = userdata;

	(void)e;
	*ret = fam_host_look(&w->host);
	return 0;
}

static bool is_forward(const struct world *w, const struct gs_step *step)
{
	return w->plan && step >= w->plan->steps && step < w->plan->steps + w->plan->n_steps;
}

static int act(struct world *w, const struct gs_step *step)
{
	int r = fam_host_step(&w->host, step);

	if (r < 0)
		return r;
	if (step->op == GS_STEP_STOP_UNIT || step->op == GS_STEP_START_UNIT)
		w->is_unit_stopped = step->op == GS_STEP_STOP_UNIT;
	/* units are started again on the way out, out of their turn */
	if (is_forward(w, step) && !w->has_failed && (step->op != GS_STEP_START_UNIT || step->n == w->acted + 1))
		w->acted = step->n;
	return 0;
}

static int run(void *userdata, const struct gs_step *step, struct gs_step_outcome *ret, struct gs_error *e)
{
	struct world *w = userdata;
	const struct faults *f = &w->faults;
	int r;

	crash_here(w);
	w->ran++;
	if (w->ran == f->refuse_at || w->ran == f->refuse_again || (f->fail_unit && step->op == GS_STEP_START_UNIT)) {
		w->has_failed = true;
		return gs_error_set(e, -EIO, GS_STATUS_FAILED, "refused by the test \xe2\x82");
	}
	/* of a unit nothing is read back: who starts it has waited for it */
	if (w->ran == f->skip_at && step->op != GS_STEP_START_UNIT)
		return 0;
	if (w->ran == f->wait_at && step->op != GS_STEP_START_UNIT) {
		if (f->shows_at_once)
			act(w, step);
		ret->is_pending = true;
		snprintf(ret->note, sizeof(ret->note), "it waits");
		crash_here(w);
		return 0;
	}
	r = act(w, step);
	crash_here(w);
	return r < 0 ? gs_error_set(e, r, GS_STATUS_FAILED, "refused by the driver: %s", step->text) : 0;
}

static bool cancelled(void *userdata)
{
	const struct world *w = userdata;

	return w->faults.cancel_at && w->ran + 1 >= w->faults.cancel_at;
}

static void begin(struct world *w, const struct gs_plan *p)
{
	const struct gs_journal_begin b = { .id = 7, .at = { 1700000000000 }, .boot_id = "boot", .host = "h", .way = GS_WAY_APPLY, .plan = p, .author = { .user = "alice" } };
	const struct gs_journal_record r = { .kind = GS_JOURNAL_BEGIN, .seq = 1, .at = b.at };
	GS_FREE char *line = NULL;
	struct gs_error e = { 0 };

	if (gs_journal_begin_to_line(&b, &line, &e) < 0)
		fail_msg("%s", e.text);
	gs_strbuf_puts(&w->text, line);
	assert_int_equal(gs_journal_take(&w->commit, &r, NULL), 0);
	w->commit.id = b.id;
	w->commit.n_steps = (uint32_t)p->n_steps;
	w->plan = p;
}

static int append(struct world *w, const struct gs_commit_record *record, struct gs_error *ret_e)
{
	struct gs_journal_record r = { .kind = record->kind, .is_undo = record->is_undo, .op = GS_STEP_INVALID, .way = GS_WAY_INVALID, .errnum = record->errnum };
	GS_FREE char *line = NULL;
	struct gs_error e = { 0 };

	r.seq = w->commit.last_seq + 1;
	r.at = (struct gs_wall){ 1700000000000 + (int64_t)r.seq };
	r.text = gs_arena_strdup(w->arena, record->text);
	if (record->step) {
		r.n = record->step->n;
		r.op = record->step->op;
		r.bdf = record->step->bdf;
		r.unit = gs_arena_strdup(w->arena, record->step->unit);
	}
	if (r.kind == GS_JOURNAL_UNDO)
		r.n_steps = (uint32_t)record->plan->n_steps;
	if (r.kind == GS_JOURNAL_END)
		r.status = GS_U32((uint32_t)record->result->status);
	assert_int_equal(gs_journal_record_to_line(&r, &line, NULL), 0);
	if (gs_journal_take(&w->commit, &r, &e) < 0) {
		/* what comes behind a record that could not be written may be refused, as a full disk would; nothing else */
		if (!w->has_gap)
			fail_told(w, "%s: %s", e.text, line);
		return gs_error_set(ret_e, -EBADMSG, GS_STATUS_FAILED, "%s", e.text);
	}
	gs_strbuf_puts(&w->text, line);
	return 0;
}

static int journal(void *userdata, const struct gs_commit_record *record, struct gs_error *e)
{
	struct world *w = userdata;
	const struct faults *f = &w->faults;
	int r = 0;

	w->records++;
	w->has_failed |= record->kind == GS_JOURNAL_FAILED || record->kind == GS_JOURNAL_UNDO;
	if (f->disk_at && w->records >= f->disk_at && w->records < f->disk_at + f->disk_for) {
		/* what follows is the way out */
		w->has_failed = true;
		w->has_gap = true;
		return gs_error_set(e, f->disk_errnum, GS_STATUS_FAILED, "the disk: %s", strerror(-f->disk_errnum));
	}
	if (record->kind == GS_JOURNAL_BEGIN)
		begin(w, record->plan);
	else
		r = append(w, record, e);
	crash_here(w);
	return r;
}

static int plan_again(void *userdata, const struct gs_snapshot *s, struct gs_plan **ret, struct gs_error *e)
{
	static const struct gs_disrupt disrupt = { .kind = GS_DISRUPT_UNIT, .unit = UNIT };
	static const struct gs_service service = { UNIT, "its work waits" };
	const struct gs_plan_options options = { .disrupt = &disrupt, .n_disrupt = 1, .services = &service, .n_services = 1, .allow_reset = true };
	struct world *w = userdata;

	return gs_testhost_plan(s, w->script, &options, ret, e);
}

/* ---------------------------------------------------------------- what is read again */

static void expect_equal(const struct gs_journal_commit *a, const struct gs_journal_commit *b)
{
	char x[256], y[256];

	assert_int_equal(a->last_seq, b->last_seq);
	assert_int_equal(a->done, b->done);
	assert_int_equal(a->is_uncertain, b->is_uncertain);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->n_units, b->n_units);
	assert_string_equal(gs_journal_summary(a, x, sizeof(x)), gs_journal_summary(b, y, sizeof(y)));
}

/* The file is the commit; and so is each of its beginnings, of less. */
static void read_again(const struct world *w, const struct gs_commit_result *result, uint64_t *random)
{
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL, *half = NULL;
	GS_CLEANUP(gs_past_freep) struct gs_past *past = NULL;
	size_t first = strcspn(w->text.text, "\n") + 1, at = first + pick(random, (uint32_t)(w->text.length - first + 1));
	struct gs_error e = { 0 };

	if (gs_journal_parse(w->text.text, w->text.length, &f, &e) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(f->damage, "");
	expect_equal(&f->commit, &w->commit);
	if (f->commit.state == GS_JOURNAL_IS_ENDED)
		assert_int_equal(f->commit.status.value, result->status);
	if (gs_journal_past(f, "boot", &past, &e) < 0)
		fail_msg("%s", e.text);
	assert_true(past->is_same_boot);
	assert_int_equal(past->plan->n_steps, w->plan->n_steps);
	assert_true(past->done <= past->plan->n_steps);
	assert_int_equal(past->done, w->commit.done);
	assert_true(gs_digest_equal(&past->plan->digest, &w->plan->digest));
	for (size_t i = 0; i < w->plan->n_base; i++)
		assert_true(gs_digest_equal(&past->plan->base[i].rev, &gs_snapshot_gpu(past->plan->snapshot, past->plan->base[i].gpu)->rev));
	assert_int_equal(past->target->n_gpus, w->plan->n_base);
	assert_int_equal(past->base->n_gpus, w->plan->n_base);
	assert_int_equal(gs_journal_parse(w->text.text, at, &half, &e), 0);
	assert_true(half->n_records <= f->n_records);
	assert_true(half->commit.done <= f->commit.done);
	assert_int_equal(half->damage[0] != '\0', half->n_valid_bytes != at);
}

static void expect_same_layout(const struct world *w)
{
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
	GS_CLEANUP(gs_plan_freep) struct gs_plan *again = NULL;
	GS_JSON struct json_object *x = NULL, *y = NULL;
	GS_FREE char *a = NULL, *b = NULL;

	assert_int_equal(gs_journal_parse(w->text.text, w->text.length, &f, NULL), 0);
	assert_int_equal(gs_journal_plan(f, &again, NULL), 0);
	x = gs_layout_to_json(w->plan->layout, w->plan->snapshot);
	y = gs_layout_to_json(again->layout, again->snapshot);
	a = gs_json_to_text(x);
	b = gs_json_to_text(y);
	assert_string_equal(a, b);
}

/* ---------------------------------------------------------------- the rounds */

static const struct {
	const char *spec, *script;
} cases[] = {
	{ "l40s persistenced", "mode 0 vgpu\ncreate 0 L40S-24Q" },
	{ "l40s persistenced", "mode 0 passthrough" },
	{ "rtxpro reset persistenced", "mode 0 mig\ncreate 0 1g.24gb at 0" },
	{ "l40s vfs=32 L40S-24Q@3", "delete 0 vf:3\ncreate 0 L40S-48Q vf 3\nset 0/vf:3 limit 5" },
	{ "mi300x | mi300x", "set all memory-partition NPS4\nset 1 compute-partition DPX" },
	{ "rtxpro mig 1g.24gb@0 | l40s", "delete 0 all\nmode 0 whole\nmode 1 passthrough" },
};

static struct faults random_faults(uint64_t *random)
{
	struct faults f = { 0 };

	if (pick(random, 3))
		f.refuse_at = 1 + pick(random, 8);
	if (f.refuse_at && !pick(random, 2))
		f.refuse_again = f.refuse_at + 1 + pick(random, 4);
	if (!pick(random, 4))
		f.skip_at = 1 + pick(random, 8);
	if (!pick(random, 4))
		f.wait_at = 1 + pick(random, 8);
	if (!pick(random, 6))
		f.cancel_at = 1 + pick(random, 6);
	f.shows_at_once = pick(random, 2);
	f.fail_unit = !pick(random, 8);
	if (pick(random, 2)) {
		f.disk_at = 1 + pick(random, 25);
		f.disk_for = pick(random, 2) ? 1 : 1 + pick(random, 100);
		f.disk_errnum = pick(random, 2) ? -ENOSPC : -EIO;
	}
	return f;
}

static void the_journal_never_tells_less_than_was_done(void **state)
{
	static const struct gs_commit_ops ops = { .collect = collect, .run = run, .journal = journal, .cancelled = cancelled };
	unsigned begun = 0, failed = 0, undone = 0, left = 0;
	uint64_t random = seed_value;

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		WORLD w = { .script = cases[i % GS_ARRAY_SIZE(cases)].script, .arena = gs_arena_new() };
		const struct gs_commit_source source = { plan_again, &w };
		const struct gs_commit_options options = { .yes = true };
		GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
		struct gs_error e = { 0 };

		fam_host_parse(&w.host, cases[i % GS_ARRAY_SIZE(cases)].spec);
		w.faults = random_faults(&random);
		gs_commit_run(&ops, &w, &source, &options, &result, &e);
		if (!w.text.length) {
			/* it could not be begun: nothing was done */
			assert_int_equal(w.ran, 0);
			continue;
		}
		begun++;
		failed += result.status == GS_STATUS_FAILED;
		undone += result.undone;
		left += result.status == GS_STATUS_NOT_UNDONE;
		read_again(&w, &result, &random);
		expect_same_layout(&w);
	}
	print_message("%u commits, %u failed, %u undone, %u not undone\n", begun, failed, undone, left);
	assert_true(begun > ROUNDS / 2 && failed > ROUNDS / 20 && undone && left);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_journal_never_tells_less_than_was_done),
	};
	const char *given = getenv("SEED");

	if (!given || gs_parse_u64(given, 10, &seed_value) < 0 || !seed_value)
		seed_value = 20261121;
	printf("# SEED=%" PRIu64 "\n", seed_value);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
