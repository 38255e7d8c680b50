/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A commit cannot lose a layout: whatever goes wrong at whichever step, step of
 * an undo or record, and wherever it is killed, the machine is base or target,
 * or what is otherwise is named; nobody is disturbed whom the plan did not name;
 * the journal replays, and recover finds an end.
 *
 * Over every plan golden whose machine can be driven here, and random ones.
 * SEED repeats a run; SECONDS goes on with ever new seeds until they are over
 * (make soak).
 */
#include "tests/lib/cmocka.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/parse.h"
#include "tests/lib/famrandom.h"
#include "tests/lib/faultjudge.h"

#define DIRECTORY "tests/plan/cases"
#define TRIED_MIN 10000
/* Of a random machine, and of how many. */
#define SAMPLES 28
#define PAIRS 45

/* ---------------------------------------------------------------- what was tried */

static size_t tried, lost, n_named;
static size_t cells[GS_STEP_MAX][2][FAULT_COLUMNS];
static size_t kinds[FAULT_KINDS_MAX];
static uint64_t seed_value, random_state;

static void count(void *userdata, enum gs_step_op op, bool is_back, enum fault_kind kind)
{
	(void)userdata;
	tried++;
	kinds[kind]++;
	if (fault_kind_column(kind) >= 0 && op >= 0)
		cells[op][is_back][fault_kind_column(kind)]++;
}

static uint32_t pick(uint32_t below)
{
	return fam_pick(&random_state, below);
}

/* ---------------------------------------------------------------- one try */

struct try {
	const struct fault_case *c;
	struct fault faults[FAULT_FAULTS_MAX];
	size_t n_faults;
	struct fault_host host;
	struct gs_strbuf why;
};

static void try_done(struct try *t)
{
	fault_host_done(&t->host);
	gs_strbuf_done(&t->why);
}

/* All that somebody needs to see it again. */
static void report_lost(const struct try *t, const struct gs_commit_result *result)
{
	lost++;
	fprintf(stderr, "LOST SEED=%" PRIu64 " %s\nmachine: %s%s%s\n--- script\n%s\n--- faults\n", seed_value, t->c->name, t->c->model ? t->c->model : "", t->c->model ? ": " : "",
		t->c->spec, t->c->request.script);
	for (size_t i = 0; i < t->n_faults; i++)
		fprintf(stderr, "%s at %zu\n", fault_kind_word(t->faults[i].kind), t->faults[i].at);
	fprintf(stderr, "--- done\n%s\n--- said\n%d: %s\n--- wrong\n%s\n", t->host.log.text, (int)result->status, result->text, t->why.text);
	if (!getenv("KEEP_GOING"))
		fail_msg("LOST %s (SEED=%" PRIu64 "): %.400s", t->c->name, seed_value, t->why.text);
}

static void judge_all(struct try *t, const struct gs_commit_result *result)
{
	struct gs_error e = { 0 };

	fault_judge_holders(t->c, &t->host, &t->why);
	if (tried % 16 == 0 && fault_host_replay(&t->host, &e) < 0)
		gs_strbuf_printf(&t->why, "the journal does not replay: %s\n", e.text);
	if (t->why.length)
		report_lost(t, result);
}

/* ---------------------------------------------------------------- behind a death */

struct recovery {
	struct gs_commit_result result; /* of the last one */
	enum gs_way way;                /* in which the first commit found its end */
	bool was_settled, was_rebooted;
	uint64_t first;                 /* open at all; 0: none */
	bool is_named;                  /* what is left is told, and no plan mends it */
};

/* What may go wrong while it recovers; not what only somebody could repair, which is its own story. */
static void plant(struct fault_host *h)
{
	static const enum fault_kind may[] = {
		FAULT_REFUSED, FAULT_HALF, FAULT_DONE_CALLED_REFUSED, FAULT_NOTHING, FAULT_HANG, FAULT_KILL_BEFORE, FAULT_KILL_HALF, FAULT_KILL_AFTER,
		FAULT_KILL_RECORD, FAULT_KILL_RECORDED, FAULT_TORN, FAULT_NO_SPACE, FAULT_CLOCK, FAULT_KILL_HANGING,
	};
	enum fault_kind kind = may[pick(GS_ARRAY_SIZE(may))];

	h->faults[0] = (struct fault){ .kind = kind, .at = 1 + pick(fault_kind_is_of_record(kind) ? 12 : 4) };
	h->n_faults = 1;
}

/* A write that still waits is in the way of every recovery, and then nothing is done. */
static void recover_waits(struct try *t, uint64_t id, enum gs_way way)
{
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
	struct gs_error e = { 0 };
	bool settled = false;

	fault_host_recover(&t->host, id, way, &t->c->request, &settled, &result, &e);
	if (settled || t->host.acts || result.status != GS_STATUS_REFUSED || !strstr(result.text, "waits in the kernel"))
		gs_strbuf_printf(&t->why, "recovered while a write still waits: %s\n", settled ? "settled" : result.text[0] ? result.text : e.text);
	judge_all(t, &result);
	fault_host_release(&t->host);
}

static bool write_waits(const struct fault_host *h)
{
	for (size_t i = 0; i < h->n_waits; i++)
		if (h->waits[i].waits)
			return true;
	return false;
}

/*
 * What no plan mends, and recover says so each time: a driver_override that a
 * tool left which died behind it, a driver of another function of the board,
 * a wish that the driver forgot, a GPU that was on its stub before.
 */
static bool ends_named(const struct try *t, const struct gs_commit_result *result)
{
	static const char *const what[] = { "has driver_override", "on its function", "waits for", "pci-pf-stub", "heterogeneous", "several sizes", ": bind 0000:", "no driver is bound to it", "(mdev " };

	for (size_t i = 0; i < GS_ARRAY_SIZE(what); i++)
		if ((result->status == GS_STATUS_NOT_UNDONE || result->status == GS_STATUS_REFUSED) && !t->host.acts && strstr(result->text, what[i]))
			return true;
	/* VFs of a GPU without a driver: a tool died, and the unbind behind it was not taken back */
	if (result->status == GS_STATUS_FAILED && strstr(result->text, " VFs: No such file or directory"))
		return true;
	/* what another tool made stands in the way, and is not ours to take away */
	return t->host.has_intruder && result->status == GS_STATUS_REFUSED && !t->host.acts;
}

/* One more try. False: none is open. */
static bool recover_once(struct try *t, struct recovery *r, bool with_fault)
{
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
	struct gs_error e = { 0 };
	enum gs_way way = pick(2) ? GS_WAY_FINISH : GS_WAY_TAKE_BACK;
	bool settled = false;
	uint64_t id = 0;
	int rc;

	if (fault_host_open_commit(&t->host, &id, &e) < 0)
		gs_strbuf_printf(&t->why, "a journal cannot be read: %s\n", e.text);
	if (!id || t->why.length)
		return false;
	if (!r->first)
		r->first = id;
	if (write_waits(&t->host))
		recover_waits(t, id, way);
	if (with_fault)
		plant(&t->host);
	rc = fault_host_recover(&t->host, id, way, &t->c->request, &settled, &result, &e);
	if (rc < 0 && !settled && !t->host.is_dead && result.status == GS_STATUS_OK)
		gs_strbuf_printf(&t->why, "recover of commit %" PRIu64 " cannot be begun: %s\n", id, e.text);
	if (id == r->first && (settled || result.status == GS_STATUS_OK || result.status == GS_STATUS_PENDING)) {
		r->way = way;
		r->was_settled = settled;
	}
	fault_judge_holders(t->c, &t->host, &t->why);
	if (ends_named(t, &result)) {
		r->is_named = true;
		return false;
	}
	/* it knows that it is not at its end, and came nearer: off its driver a GPU does not tell what it can be cut into */
	if (result.status == GS_STATUS_NOT_UNDONE && t->host.acts && strstr(result.text, "goes on from here"))
		with_fault = true;
	/* a recovery that died in its turn may have left what is neither its base nor its target: it is left, and the first one is recovered from there */
	if (!with_fault && id > r->first && !settled && result.status != GS_STATUS_OK && result.status != GS_STATUS_PENDING)
		with_fault = fault_host_leave(&t->host, id) == 0;
	if (!with_fault && !settled && result.status != GS_STATUS_OK && result.status != GS_STATUS_PENDING)
		gs_strbuf_printf(&t->why, "recover of commit %" PRIu64 " ends with %d: %s%s\n", id, (int)result.status, result.text, result.text[0] ? "" : e.text);
	if (t->why.length)
		report_lost(t, &result);
	if (t->host.is_dead || with_fault) {
		fault_host_clear(&t->host);
		if (!write_waits(&t->host) || pick(2))
			fault_host_release(&t->host);
	}
	return true;
}

static void recover_to_the_end(struct try *t)
{
	struct recovery r = { .way = GS_WAY_INVALID };
	GS_COMMIT_RESULT struct gs_commit_result none = { 0 };
	bool unit_down = false;
	unsigned ends = FAULT_END_BASE | FAULT_END_TARGET, acts = (unsigned)t->host.acts, n = 0, faults = pick(3);

	fault_host_clear(&t->host);
	if (t->host.boot > 1)
		r.was_rebooted = true;
	while (recover_once(t, &r, n < faults) && n++ < 14)
		;
	fault_host_release(&t->host);
	if (r.is_named) {
		n_named++;
		judge_all(t, &none);
		return;
	}
	if (n >= 14)
		gs_strbuf_puts(&t->why, "recover finds no end\n");
	if (!r.first && !t->host.n_journals && acts)
		gs_strbuf_puts(&t->why, "something was done, and no journal knows\n");
	if (r.first && !r.was_settled)
		ends = r.way == GS_WAY_FINISH ? FAULT_END_TARGET : FAULT_END_BASE;
	/* what stands where an instance was to be, somebody else's, a finish takes away: the plan says so */
	if (t->host.has_intruder && ends == FAULT_END_TARGET)
		return;
	if (!(r.was_rebooted && !r.first) && !fault_is_at(t->c, &t->host, ends, r.was_rebooted, &unit_down, &t->why))
		gs_strbuf_printf(&t->why, "and that is what %s gives\n", r.first ? r.was_settled ? "«nothing to recover»" : gs_way_name(r.way) : "no open commit");
	if (unit_down && t->host.unit_is_down && !r.was_rebooted)
		gs_strbuf_puts(&t->why, "nvidia-persistenced stays down\n");
	judge_all(t, &none);
}

/* ---------------------------------------------------------------- tries */

static bool kills(const struct try *t)
{
	return t->host.is_dead;
}

static void cut_power(struct try *t)
{
	static const char *const torn[] = { NULL, "", "{", "{\"kind\":\"int", "{\"kind\":\"done\",\"seq\":99" };

	fault_host_reboot(&t->host, torn[pick(GS_ARRAY_SIZE(torn))]);
	recover_to_the_end(t);
}

/*
 * Does the script mean the same behind half of its plan? What was to be moved,
 * made anew or added is not; and of a board's other functions none says that
 * they lack their driver.
 */
static bool says_it_again(const struct fault_case *c)
{
	const struct gs_plan *p = c->result.plan;

	for (size_t i = 0; i < p->n_steps; i++)
		if (gs_bdf_compare(p->steps[i].function, p->steps[i].bdf) != 0 && !p->steps[i].vf.known)
			return false;
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].op == GS_STEP_DISABLE_VFS || (p->steps[i].op == GS_STEP_SET_SETTING && gs_setting_is_for_vgpus(p->steps[i].key)))
			return false;
	return !p->deleted && !strstr(c->request.script, "count +");
}

/* A mode that waited before, sizes mixed without VFs: no driver takes that back (interfaces 5.8, 2.5), so it is told and does not come back. */
static bool has_wish(const struct fam_host *h)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->gpus[i].mig_pending >= 0 || (h->gpus[i].sharing.is_mixed && !h->gpus[i].vfs))
			return true;
	return false;
}

/* `undo` of the commit that stayed pending: everything as before. */
static void undo_it(struct try *t)
{
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
	struct gs_error e = { 0 };
	bool settled = false, unit_down = false;

	for (unsigned n = 0; n < 3 && result.status != GS_STATUS_PENDING && !settled; n++) {
		gs_commit_result_done(&result);
		fault_host_recover(&t->host, 1, GS_WAY_UNDO, &t->c->request, &settled, &result, &e);
		if (result.status == GS_STATUS_OK && fault_is_at(t->c, &t->host, FAULT_END_BASE, false, &unit_down, &t->why))
			return;
		/* the plan of a GPU that is off its driver is made in two looks */
		if (n < 2)
			gs_strbuf_clear(&t->why);
	}
	if (t->host.has_intruder || result.status == GS_STATUS_PENDING || ends_named(t, &result)) {
		gs_strbuf_clear(&t->why);
		return;
	}
	gs_strbuf_printf(&t->why, "and that is what undo gives: %d: %s%s\n", (int)result.status, result.text, e.text);
	judge_all(t, &result);
}

/* It was said that it is pending, or that it could not be undone: once what is in the way has gone, there is a way on. */
static void go_on(struct try *t, const struct gs_commit_result *before)
{
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
	struct gs_error e = { 0 };
	bool unit_down = false, others_went_on = false;

	if (write_waits(&t->host) && before->status == GS_STATUS_PENDING) {
		fault_host_clear(&t->host);
		fault_host_commit(&t->host, &t->c->request, NULL, 0, &result, &e);
		others_went_on = t->host.acts > 0;
		gs_commit_result_done(&result);
	}
	fault_host_repair(&t->host);
	if (before->status == GS_STATUS_NOT_UNDONE || !t->host.has_intruder) {
		uint64_t id = 0;

		if (fault_host_open_commit(&t->host, &id, &e) == 0 && id) {
			recover_to_the_end(t);
			return;
		}
	}
	/* GPUs on which nothing waits may have been gone on with: what undoes the first commit is not what undoes both */
	if (before->status != GS_STATUS_PENDING || others_went_on)
		return;
	if (pick(2) || !says_it_again(t->c)) {
		if (!has_wish(&t->c->base))
			undo_it(t);
		return;
	}
	fault_host_commit(&t->host, &t->c->request, NULL, 0, &result, &e);
	/* what was to be moved or made anew is not there any more, what was to be set has gone: such a script says nothing the second time, but it can be undone */
	if (!t->host.acts && result.status != GS_STATUS_OK) {
		undo_it(t);
		return;
	}
	if ((result.status != GS_STATUS_OK && result.status != GS_STATUS_PENDING) || !fault_is_at(t->c, &t->host, FAULT_END_TARGET, false, &unit_down, &t->why))
		gs_strbuf_printf(&t->why, "what was pending cannot be gone on with: %s\n", result.text);
	judge_all(t, &result);
}

static void try_faults(const struct fault_case *c, const struct fault *faults, size_t n)
{
	GS_CLEANUP(try_done) struct try t = { .c = c, .n_faults = n, .why = GS_STRBUF_INIT };
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
	struct gs_error e = { 0 };

	memcpy(t.faults, faults, n * sizeof(*faults));
	fault_host_init(&t.host, c->model, c->spec);
	t.host.count = count;
	memcpy(t.host.faults, faults, n * sizeof(*faults));
	t.host.n_faults = n;
	fault_host_commit(&t.host, &c->request, NULL, 0, &result, &e);
	if (kills(&t)) {
		judge_all(&t, &result);
		if (!c->model && pick(3) == 0)
			cut_power(&t);
		else
			recover_to_the_end(&t);
		return;
	}
	fault_judge(c, &t.host, &result, &t.why);
	judge_all(&t, &result);
	go_on(&t, &result);
}

static void try_one(const struct fault_case *c, enum fault_kind kind, size_t at)
{
	const struct fault f = { .kind = kind, .at = at };

	try_faults(c, &f, 1);
}

/* A first fault behind which something is undone, and a second one in the undo. */
static void try_two(const struct fault_case *c, enum fault_kind second, size_t at)
{
	static const enum fault_kind firsts[] = { FAULT_REFUSED, FAULT_DONE_CALLED_REFUSED, FAULT_CANCEL, FAULT_NOTHING, FAULT_BLIND, FAULT_HALF };
	const struct fault f[] = {
		{ .kind = firsts[pick(GS_ARRAY_SIZE(firsts))], .at = at },
		{ .kind = second, .at = fault_kind_is_of_record(second) ? 3 * at + 2 + pick(8) : at + 1 + pick((uint32_t)at + 2) },
	};

	try_faults(c, f, 2);
}

/* Somebody takes into use what was made, and then it fails. */
static void try_holder(const struct fault_case *c, size_t at)
{
	const struct fault f[] = { { .kind = FAULT_HOLDER, .at = at }, { .kind = FAULT_REFUSED, .at = at + 1 + pick(2) } };

	try_faults(c, f, 2);
}

static enum fault_kind pick_kind(bool is_record)
{
	enum fault_kind kind;

	do
		kind = (enum fault_kind)pick(FAULT_KINDS_MAX);
	while (fault_kind_is_of_record(kind) != is_record);
	return kind;
}

static void try_some(const struct fault_case *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		switch (pick(6)) {
		case 0:
			try_one(c, pick_kind(true), 1 + pick((uint32_t)c->n_records));
			break;
		case 1:
			try_holder(c, 1 + pick((uint32_t)c->n_acts));
			break;
		case 2:
		case 3:
			try_two(c, pick_kind(pick(4) == 0), 1 + pick((uint32_t)c->n_acts));
			break;
		default:
			try_one(c, pick_kind(false), 1 + pick((uint32_t)c->n_acts));
		}
	}
}

/* Each fault at each step and each record, and a fault in each step of what undoes it. */
static void try_every(const struct fault_case *c)
{
	for (int k = 0; k < FAULT_KINDS_MAX; k++) {
		size_t n = fault_kind_is_of_record((enum fault_kind)k) ? c->n_records : c->n_acts;

		for (size_t at = 1; at <= n; at++)
			if (!fault_kind_is_of_record((enum fault_kind)k) || at < 6 || pick(4) == 0)
				try_one(c, (enum fault_kind)k, at);
	}
	for (size_t at = 1; at <= c->n_acts; at++) {
		try_holder(c, at);
		for (int k = 0; k < FAULT_KILL_RECORD; k++)
			if (pick(3) == 0)
				try_two(c, (enum fault_kind)k, at);
		try_two(c, pick_kind(true), at);
	}
}

/* ---------------------------------------------------------------- two at once */

/* Another commit came in between: nothing is done, and that is said. */
static void try_race(const struct fault_case *c, bool before_the_first_step)
{
	GS_CLEANUP(try_done) struct try t = { .c = c, .why = GS_STRBUF_INIT };
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 };
	const struct gs_plan *p = c->result.plan;
	struct gs_error e = { 0 };
	char override[32];

	if (c->model)
		return;
	fault_host_init(&t.host, c->model, c->spec);
	snprintf(override, sizeof(override), "%s", t.host.fam.gpus[p->base[0].gpu].override);
	t.host.changes_before = before_the_first_step;
	if (!before_the_first_step)
		snprintf(t.host.fam.gpus[p->base[0].gpu].override, sizeof(override), "other");
	tried++;
	fault_host_commit(&t.host, &c->request, p->base, p->n_base, &result, &e);
	if (result.status != GS_STATUS_REFUSED || t.host.acts || !strstr(result.text, "nothing was done"))
		gs_strbuf_printf(&t.why, "two commits at once: %d: %s\n", (int)result.status, result.text);
	for (size_t i = 0; i < t.host.fam.n; i++)
		snprintf(t.host.fam.gpus[i].override, sizeof(override), "%s", override);
	fault_judge(c, &t.host, &result, &t.why);
	judge_all(&t, &result);
}

/* ---------------------------------------------------------------- goldens */

#define WORDS_MAX 8

struct golden {
	struct fault_case c;
	char *text, *script;
	char model[64], spec[1024], disrupts[256], services[256], allow[64];
	struct gs_disrupt disrupt[WORDS_MAX];
	struct gs_service service[WORDS_MAX + 1];
};

static void golden_done(struct golden *g)
{
	fault_case_done(&g->c);
	free(g->text);
	free(g->script);
}

static void header_value(const char *text, const char *key, char *ret, size_t size)
{
	size_t n = strlen(key);

	ret[0] = '\0';
	for (const char *line = text; line && strncmp(line, "--- ", 4) != 0; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (strncmp(line, key, n) == 0 && line[n] == ':')
			snprintf(ret, size, "%.*s", (int)strcspn(line + n + 1 + strspn(line + n + 1, " "), "\n"), line + n + 1 + strspn(line + n + 1, " "));
}

static void read_options(struct golden *g)
{
	struct gs_plan_options *o = &g->c.request.options;
	char *save = NULL;

	for (char *word = strtok_r(g->disrupts, " ", &save); word && o->n_disrupt < WORDS_MAX; word = strtok_r(NULL, " ", &save)) {
		struct gs_disrupt *d = &g->disrupt[o->n_disrupt++];

		d->kind = gs_str_starts(word, "pid:") ? GS_DISRUPT_PID : gs_str_starts(word, "unit:") ? GS_DISRUPT_UNIT : GS_DISRUPT_ALL;
		d->unit = d->kind == GS_DISRUPT_UNIT ? word + 5 : NULL;
		if (d->kind == GS_DISRUPT_PID)
			assert_int_equal(gs_parse_u32(word + 4, 10, &d->pid), 0);
	}
	for (char *word = strtok_r(g->services, " ", &save); word && o->n_services < WORDS_MAX; word = strtok_r(NULL, " ", &save))
		g->service[o->n_services++] = (struct gs_service){ word, "its work waits" };
	o->disrupt = g->disrupt;
	o->services = g->service;
	o->allow_reset = strcmp(g->allow, "reset") == 0;
}

/* False: nothing to go wrong in it, or nothing that can be driven here. */
static bool golden_read(struct golden *g, const char *name)
{
	const char *script, *plan;
	struct gs_error e = { 0 };
	char path[512];
	size_t n;

	snprintf(path, sizeof(path), DIRECTORY "/%s", name);
	assert_int_equal(gs_file_read(path, 1 << 20, &g->text, &n, &e), 0);
	header_value(g->text, "model", g->model, sizeof(g->model));
	header_value(g->text, g->model[0] ? "before" : "machine", g->spec, sizeof(g->spec));
	header_value(g->text, "disrupt", g->disrupts, sizeof(g->disrupts));
	header_value(g->text, "services", g->services, sizeof(g->services));
	header_value(g->text, "allow", g->allow, sizeof(g->allow));
	script = strstr(g->text, "--- script\n");
	assert_non_null(script);
	script += strlen("--- script\n");
	plan = strstr(script, "--- plan\n");
	assert_non_null(plan);
	g->script = strndup(script, (size_t)(plan - script));
	g->c.name = name;
	g->c.model = g->model[0] ? g->model : NULL;
	g->c.spec = g->spec;
	g->c.request.script = g->script;
	read_options(g);
	return fault_case_learn(&g->c);
}

static int is_case(const struct dirent *d)
{
	const char *dot = strrchr(d->d_name, '.');

	return dot && strcmp(dot, ".txt") == 0;
}

static size_t n_goldens, n_skipped;

static void try_golden(const char *name, bool every)
{
	GS_CLEANUP(golden_done) struct golden g = { .text = NULL };

	if (!golden_read(&g, name)) {
		n_skipped++;
		return;
	}
	/* its driver would go on saying that it has no room, whatever is taken away */
	if (strstr(g.spec, " left:")) {
		n_skipped++;
		return;
	}
	/* its recovery asks for the mode, and so mends what was not whole before */
	if (strstr(g.spec, " half-back")) {
		n_skipped++;
		return;
	}
	n_goldens++;
	if (every)
		try_every(&g.c);
	else
		try_some(&g.c, SAMPLES);
	try_race(&g.c, false);
	try_race(&g.c, true);
}

static void try_goldens(bool every)
{
	struct dirent **names;
	int n = scandir(DIRECTORY, &names, is_case, alphasort);

	assert_true(n > 0);
	n_goldens = n_skipped = 0;
	for (int i = 0; i < n; i++)
		try_golden(names[i]->d_name, every);
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

/* Cells of that row which nothing has met. */
static size_t n_empty(enum gs_step_op op)
{
	size_t n = 0;

	for (int back = 0; back < 2; back++)
		for (int column = 0; column < FAULT_COLUMNS; column++)
			n += !cells[op][back][column];
	return n;
}

/* What no golden drives: resets, holders that are named, settings of a GI. */
static void try_own(bool every)
{
	static const char *const cases[][4] = {
		{ "rtxpro reset persistenced", "mode 0 mig\ncreate 0 1g.24gb at 0\n", "", "reset" },
		{ "rtxpro reset mig 1g.24gb@0", "delete 0 all\nmode 0 whole\n", "", "reset" },
		{ "l40s held", "mode 0 vgpu\ncreate 0 L40S-24Q vf 3\n", "pid:4099", "" },
		{ "rtxpro mig 1g.24gb@0* 1g.24gb@3", "delete 0 all\ncreate 0 2g.48gb at 0\n", "pid:4000", "" },
		{ "mi300x kfd", "set 0 compute-partition DPX\nset 0 memory-partition NPS4\n", "pid:4098", "" },
		{ "rtxpro shares mig vfs=48 1g.24gb@0 1g.24gb@3", "set 0/1g.24gb@0 scheduler equal-share\ncreate 0/1g.24gb@3 DC-1-12Q vf 2\n", "", "" },
		{ "l40s shares vfs=32", "set 0 scheduler equal-share\nset 0 heterogeneous on\ncreate 0 L40S-24Q vf 3\ncreate 0 L40S-12Q vf 4\n", "", "" },
		{ "l40s persistenced | a2 persistenced", "mode 0 vgpu\nmode 1 vgpu\n", "unit:nvidia-persistenced.service", "" },
	};

	for (size_t i = 0; i < GS_ARRAY_SIZE(cases); i++) {
		GS_CLEANUP(golden_done) struct golden g = { .c = { .name = "own", .spec = cases[i][0], .request.script = cases[i][1] } };

		snprintf(g.disrupts, sizeof(g.disrupts), "%s unit:nvidia-persistenced.service", cases[i][2]);
		snprintf(g.services, sizeof(g.services), "nvidia-persistenced.service");
		snprintf(g.allow, sizeof(g.allow), "%s", cases[i][3]);
		read_options(&g);
		if (!fault_case_learn(&g.c))
			fail_msg("%s: %s", cases[i][0], g.c.result.text);
		if (every)
			try_every(&g.c);
		else
			try_some(&g.c, SAMPLES);
		/* what seldom comes in an undo */
		for (size_t n = 0; every && (g.c.request.options.allow_reset || strstr(g.c.request.script, "set 0")) && n < 14; n++)
			for (int k = 0; k <= FAULT_KILL_HANGING; k++)
				try_two(&g.c, (enum fault_kind)k, g.c.n_acts);
		for (size_t n = 0; every && g.c.request.options.allow_reset && n < 60; n++) {
			try_two(&g.c, FAULT_HALF, g.c.n_acts);
			try_two(&g.c, FAULT_NOTHING, g.c.n_acts - 1);
		}
		/* the undo of a reset is rare in all else: whatever the seed, each kind of fault is to meet one */
		for (size_t n = 0; every && g.c.request.options.allow_reset && n < 500 && n_empty(GS_STEP_RESET_GPU); n++) {
			try_two(&g.c, FAULT_KILL_BEFORE, g.c.n_acts);
			try_two(&g.c, FAULT_KILL_AFTER, g.c.n_acts);
			try_two(&g.c, FAULT_HANG, g.c.n_acts);
			try_two(&g.c, FAULT_REFUSED, g.c.n_acts);
		}
		try_race(&g.c, true);
	}
}

static void what_no_golden_drives(void **state)
{
	(void)state;
	try_own(true);
}

static void plan_goldens(void **state)
{
	(void)state;
	try_goldens(true);
}

/* ---------------------------------------------------------------- random machines */

static const struct gs_disrupt persistenced = { .kind = GS_DISRUPT_UNIT, .unit = "nvidia-persistenced.service" };
static const struct gs_service service = { "nvidia-persistenced.service", "its work waits" };

static void try_pair(const struct fam_pair *pair)
{
	struct fault_case c = {
		.name = "random", .spec = pair->before.text,
		.request = { pair->script.text, { .disrupt = &persistenced, .n_disrupt = 1, .services = &service, .n_services = 1 } },
	};

	if (fault_case_learn(&c)) {
		try_some(&c, SAMPLES);
		try_race(&c, pick(2));
	}
	fault_case_done(&c);
}

static void try_random(size_t pairs)
{
	for (size_t i = 0; i < pairs; i++) {
		const struct fam_board *const boards[2] = { fam_random_board(&random_state), fam_random_board(&random_state) };
		FAM_PAIR pair;

		fam_random_pair(boards, &random_state, &pair);
		try_pair(&pair);
	}
}

static void random_plans(void **state)
{
	(void)state;
	try_random(PAIRS);
}

/* ---------------------------------------------------------------- who comes while it lies open */

/*
 * Between the death and the recovery a process and a daemon open the GPU: the
 * way back stops them, since the operator names them, and goes wrong itself.
 */
static void try_way_back(const struct fault_case *c, size_t died_at, const struct fault *f)
{
	GS_CLEANUP(try_done) struct try t = { .c = c, .why = GS_STRBUF_INIT };
	GS_COMMIT_RESULT struct gs_commit_result result = { 0 }, back = { 0 }, last = { 0 };
	struct gs_error e = { 0 };
	bool settled = false, unit_down = false;
	uint64_t id = 0;

	fault_host_init(&t.host, c->model, c->spec);
	t.host.count = count;
	t.host.faults[0] = (struct fault){ .kind = FAULT_KILL_AFTER, .at = died_at };
	t.host.n_faults = 1;
	fault_host_commit(&t.host, &c->request, NULL, 0, &result, &e);
	fault_host_clear(&t.host);
	t.host.fam.gpus[0].is_held = t.host.fam.gpus[0].is_persistent = true;
	t.host.faults[0] = t.faults[0] = *f;
	t.host.n_faults = t.n_faults = 1;
	assert_int_equal(fault_host_open_commit(&t.host, &id, &e), 0);
	assert_true(id > 0);
	fault_host_recover(&t.host, id, GS_WAY_TAKE_BACK, &c->request, &settled, &back, &e);
	fault_host_repair(&t.host);
	for (unsigned n = 0; n < 4 && fault_host_open_commit(&t.host, &id, &e) == 0 && id; n++) {
		gs_commit_result_done(&last);
		settled = false;
		fault_host_recover(&t.host, id, GS_WAY_TAKE_BACK, &c->request, &settled, &last, &e);
	}
	/* who was named is stopped by then, or still there where nothing had to be taken from him */
	t.host.fam.gpus[0].is_held = false;
	if (id || !fault_is_at(c, &t.host, settled ? FAULT_END_BASE | FAULT_END_TARGET : FAULT_END_BASE, true, &unit_down, &t.why))
		gs_strbuf_printf(&t.why, "the way back ends with %d: %s\n", (int)last.status, last.text);
	judge_all(&t, &back);
}

static void somebody_comes_before_the_recovery(void **state)
{
	static const struct gs_disrupt disrupt[] = { { .kind = GS_DISRUPT_UNIT, .unit = "nvidia-persistenced.service" }, { .kind = GS_DISRUPT_PID, .pid = 4099 } };
	static const char *const scripts[][2] = {
		{ "l40s", "mode 0 vgpu\ncreate 0 L40S-24Q vf 3\n" },
		{ "rtxpro", "mode 0 mig\ncreate 0 1g.24gb at 0\ncreate 0 2g.48gb at 6\n" },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(scripts); i++) {
		struct fault_case c = {
			.name = "somebody comes", .spec = scripts[i][0],
			.request = { scripts[i][1], { .disrupt = disrupt, .n_disrupt = 2, .services = &service, .n_services = 1 } },
		};

		assert_true(fault_case_learn(&c));
		for (size_t died = 1; died <= c.n_acts; died++)
			for (int k = 0; k < FAULT_KINDS_MAX; k++)
				for (size_t at = 1; at <= 5; at++)
					if (k != FAULT_INTRUDER && k != FAULT_HOLDER && k != FAULT_GONE && k != FAULT_LOST)
						try_way_back(&c, died, &(struct fault){ .kind = (enum fault_kind)k, .at = at });
		fault_case_done(&c);
	}
}

/* ---------------------------------------------------------------- the matrix */

static void print_row(enum gs_step_op op)
{
	printf("# faults: %-14s", gs_step_op_name(op));
	for (int back = 0; back < 2; back++) {
		printf(" %s", back ? "|" : " ");
		for (int column = 0; column < FAULT_COLUMNS; column++)
			printf(" %7zu", cells[op][back][column]);
	}
	printf("\n");
}

static size_t print_matrix(void)
{
	static const char *const head = "  before   short   after    hang    kill";
	size_t empty = 0;

	printf("# faults: %zu plan goldens, %zu others have nothing that could go wrong or no machine that is driven here\n", n_goldens, n_skipped);
	for (int k = 0; k < FAULT_KINDS_MAX; k++)
		printf("%s%s %zu%s", k % 9 ? ", " : "# faults: ", fault_kind_word((enum fault_kind)k), kinds[k], k % 9 == 8 || k + 1 == FAULT_KINDS_MAX ? "\n" : "");
	printf("# faults: %-14s   forward%34s   undo\n", "", "");
	printf("# faults: %-14s  %s  |%s\n", "step", head, head);
	for (int op = 0; op < GS_STEP_MAX; op++) {
		print_row((enum gs_step_op)op);
		empty += n_empty((enum gs_step_op)op);
	}
	printf("# faults: %zu ended with a difference that is named and that no plan mends\n", n_named);
	printf("# faults: %zu faults tried, %zu lost\n", tried, lost);
	fflush(stdout);
	return empty;
}

static void every_cell_was_tried(void **state)
{
	(void)state;
	assert_int_equal(print_matrix(), 0);
	assert_true(tried >= TRIED_MIN);
	assert_int_equal(lost, 0);
}

/* ---------------------------------------------------------------- a long run */

static uint64_t soak_seconds;

static void soak(void **state)
{
	struct gs_monotonic start = gs_monotonic_now();

	(void)state;
	for (; gs_elapsed_ms(start) < (int64_t)soak_seconds * 1000; seed_value++) {
		random_state = seed_value;
		printf("# SEED=%" PRIu64 ": %zu faults so far, %zu lost\n", seed_value, tried, lost);
		fflush(stdout);
		try_random(PAIRS);
		try_own(false);
		try_goldens(false);
	}
	print_matrix();
}

int main(void)
{
	const char *seed = getenv("SEED"), *seconds = getenv("SECONDS_TO_RUN");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plan_goldens),
		cmocka_unit_test(what_no_golden_drives),
		cmocka_unit_test(random_plans),
		cmocka_unit_test(somebody_comes_before_the_recovery),
		cmocka_unit_test(every_cell_was_tried),
	};
	const struct CMUnitTest long_run[] = { cmocka_unit_test(soak) };

	seed_value = 20261121;
	if ((seed && (gs_parse_u64(seed, 10, &seed_value) < 0 || !seed_value)) || (seconds && gs_parse_u64(seconds, 10, &soak_seconds) < 0)) {
		fprintf(stderr, "SEED and SECONDS_TO_RUN are numbers, and SEED is not 0\n");
		return 1;
	}
	random_state = seed_value;
	printf("# SEED=%" PRIu64 "\n", seed_value);
	if (soak_seconds)
		return cmocka_run_group_tests_name("soak", long_run, NULL, NULL);
	return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
