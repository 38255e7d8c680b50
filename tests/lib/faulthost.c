/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faulthost.c - the machine: looks, acts, and what goes wrong with them. Its journal is faultjournal.c. */
#include "tests/lib/faulthost.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "core/undo.h"
#include "tests/lib/faultjournal.h"
#include "tests/lib/testhost.h"

#define FAULT_WORD_(id, word, column) word,
#define FAULT_COLUMN_(id, word, column) FAULT_IN_##column,

const char *fault_kind_word(enum fault_kind k)
{
	static const char *const words[] = { FAULT_KINDS(FAULT_WORD_) };

	return k >= 0 && k < FAULT_KINDS_MAX ? words[k] : "none";
}

enum fault_column fault_kind_column(enum fault_kind k)
{
	static const enum fault_column columns[] = { FAULT_KINDS(FAULT_COLUMN_) };

	return k >= 0 && k < FAULT_KINDS_MAX ? columns[k] : FAULT_IN_NONE;
}

bool fault_kind_is_of_record(enum fault_kind k)
{
	return k >= FAULT_KILL_RECORD;
}

bool fault_kind_kills(enum fault_kind k)
{
	return k >= FAULT_KILL_BEFORE && k <= FAULT_TORN;
}

/* ---------------------------------------------------------------- the machine */

void fault_host_init(struct fault_host *h, const char *model, const char *spec)
{
	*h = (struct fault_host){ .is_mig = model != NULL, .boot = 1, .clock_ms = 1795269789000, .way = GS_WAY_APPLY, .log = GS_STRBUF_INIT };
	h->arena = gs_arena_new();
	if (!h->arena)
		abort();
	if (!model) {
		fam_host_parse(&h->fam, spec);
		return;
	}
	h->mig_first = gs_testhost(model, spec);
	h->mig = gs_snapshot_ref(h->mig_first);
}

void fault_host_done(struct fault_host *h)
{
	gs_snapshot_unref(h->mig);
	gs_snapshot_unref(h->mig_first);
	for (size_t i = 0; i < h->n_journals; i++)
		gs_strbuf_done(&h->journals[i].bytes);
	gs_strbuf_done(&h->log);
	gs_arena_free(h->arena);
}

size_t fault_host_n_gpus(const struct fault_host *h)
{
	return h->is_mig ? gs_snapshot_n_gpus(h->mig) : h->fam.n;
}

char *fault_host_text(const struct fault_host *h, size_t gpu)
{
	GS_FREE char *all = h->is_mig ? gs_testhost_text(h->mig) : NULL;
	char *part = all;
	const char *end;

	if (!h->is_mig)
		return fam_gpu_text(&h->fam.gpus[gpu]);
	for (size_t i = 0; part && i < gpu; i++) {
		part = strstr(part, " | ");
		part = part ? part + 3 : NULL;
	}
	if (!part)
		abort();
	end = strstr(part, " | ");
	return end ? strndup(part, (size_t)(end - part)) : strdup(part);
}

static struct fam_gpu *fam_gpu_of(struct fault_host *h, const struct gs_step *step)
{
	return !h->is_mig && step->bdf.bus && step->bdf.bus <= h->fam.n ? &h->fam.gpus[step->bdf.bus - 1] : NULL;
}

/* A copy: what is laid over it is not the machine's. */
static struct gs_snapshot *look_at_mig(const struct fault_host *h)
{
	const struct gs_step none = { .op = GS_STEP_STOP_HOLDER };
	struct gs_snapshot *s = NULL;

	if (gs_testhost_step(h->mig, &none, &s) < 0)
		abort();
	for (size_t i = 0; i < gs_snapshot_n_gpus(s) && i < FAM_GPUS_MAX; i++) {
		struct gs_gpu *gpu = (struct gs_gpu *)gs_snapshot_gpu(s, i);    /* made for us alone */

		if (h->mig_is_lost[i])
			gpu->lost = "the driver cannot talk to it: the GPU is lost";
		if (h->mig_interrupted[i]) {
			gpu->open_commit = (struct gs_open_commit){ GS_OPEN_INTERRUPTED, h->mig_interrupted[i], "an earlier commit was interrupted" };
		}
		for (size_t k = 0; k < h->n_waits; k++)
			if (h->waits[k].waits && gs_bdf_compare(h->waits[k].step.bdf, gpu->bdf) == 0)
				*gs_gpu_add_write(s, gpu) = (struct gs_pending_write){ .function = gpu->bdf, .path = "nvml", .value = "call", .pid = 8000 };
	}
	return s;
}

struct gs_snapshot *fault_host_look(const struct fault_host *h)
{
	struct fam_host fam;

	if (h->is_mig)
		return look_at_mig(h);
	fam = h->fam;
	for (size_t i = 0; i < h->n_waits; i++)
		if (h->waits[i].waits)
			fam.gpus[h->waits[i].step.bdf.bus - 1].write_waits = true;
	return fam_host_look(&fam);
}

/* ---------------------------------------------------------------- acts */

/* Its strings are the plan's, which goes with the commit. */
static struct gs_step keep_step(struct fault_host *h, const struct gs_step *from)
{
	struct gs_step s = *from;

	s.gpu_uuid = gs_arena_strdup(h->arena, s.gpu_uuid);
	s.target = gs_arena_strdup(h->arena, s.target);
	s.text = gs_arena_strdup(h->arena, s.text);
	s.profile = gs_arena_strdup(h->arena, s.profile);
	s.compute_profile = gs_arena_strdup(h->arena, s.compute_profile);
	s.uuid = gs_arena_strdup(h->arena, s.uuid);
	s.driver = gs_arena_strdup(h->arena, s.driver);
	s.key = gs_arena_strdup(h->arena, s.key);
	s.value = gs_arena_strdup(h->arena, s.value);
	s.old_value = gs_arena_strdup(h->arena, s.old_value);
	s.gi_profile = gs_arena_strdup(h->arena, s.gi_profile);
	s.unit = gs_arena_strdup(h->arena, s.unit);
	if (s.n_peers)
		s.peers = gs_arena_memdup(h->arena, s.peers, s.n_peers * sizeof(*s.peers));
	return s;
}

static bool is_unit_step(const struct gs_step *step)
{
	return step->op == GS_STEP_STOP_UNIT || step->op == GS_STEP_START_UNIT;
}

static int apply(struct fault_host *h, const struct gs_step *step)
{
	struct gs_snapshot *next = NULL;
	int r;

	if (is_unit_step(step))
		h->unit_is_down = step->op == GS_STEP_STOP_UNIT;
	if (!h->is_mig)
		return fam_host_step(&h->fam, step);
	if (step->bdf.bus && h->mig_is_lost[step->gpu])
		return -EIO;
	r = gs_testhost_step(h->mig, step, &next);
	if (r < 0)
		return r;
	gs_snapshot_unref(h->mig);
	h->mig = next;
	return 0;
}

static void add_wait(struct fault_host *h, const struct gs_step *step, bool waits)
{
	if (h->n_waits == FAULT_WAITS_MAX)
		abort();
	h->waits[h->n_waits++] = (struct fault_wait){ keep_step(h, step), waits };
}

/* What comes late comes now; with @all also what the kernel still had. */
static void let_go(struct fault_host *h, bool all)
{
	size_t left = 0;

	for (size_t i = 0; i < h->n_waits; i++) {
		if (h->waits[i].waits && !all)
			h->waits[left++] = h->waits[i];
		else
			apply(h, &h->waits[i].step);
	}
	h->n_waits = left;
}

void fault_host_release(struct fault_host *h)
{
	let_go(h, true);
}

/* A process takes its time to end, and so does a unit; a driver's call or a write of the kernel has halves of its own. */
static int do_half(struct fault_host *h, const struct gs_step *step)
{
	if (step->op != GS_STEP_STOP_HOLDER && !is_unit_step(step))
		return h->is_mig ? -EOPNOTSUPP : fam_host_half(&h->fam, step);
	add_wait(h, step, false);
	return 0;
}

/* Another tool makes a vGPU where there is room, or gives a parameter to one. */
static bool intrude(struct fault_host *h, const struct gs_step *step)
{
	struct fam_gpu *g = fam_gpu_of(h, step);
	const struct fam_type *type = NULL;

	if (!g || h->has_intruder || !g->board->types || !g->board->total_vfs || !g->vfs || g->mig || strcmp(g->driver, g->board->driver) != 0 || g->sharing.is_mixed)
		return false;
	for (size_t i = 0; i < g->vfs; i++)
		type = g->slots[i].type ? g->slots[i].type : type;
	if (!type)
		type = &g->board->types[0];
	for (uint32_t i = g->vfs; i-- > 0;) {
		if (g->slots[i].type || g->slots[i].is_held || g->slots[i].is_claimed)
			continue;
		g->slots[i].type = type;
		h->has_intruder = true;
		h->came_back_then = h->is_back;
		h->intruder_gpu = step->bdf.bus - 1u;
		h->intruder_slot = i;
		if (g->board->framework == GS_FRAMEWORK_MDEV)
			fam_uuid(900 + i, g->slots[i].uuid, sizeof(g->slots[i].uuid));
		return true;
	}
	return false;
}

/* Somebody starts to use what was made. */
static bool hold(struct fault_host *h, const struct gs_step *step)
{
	struct fam_gpu *g = fam_gpu_of(h, step);
	bool *held = NULL;

	if (!g || h->has_holder)
		return false;
	if (step->op == GS_STEP_CREATE_VGPU && step->vf.known)
		held = &g->slots[step->vf.value].is_held;
	else if (step->op == GS_STEP_ENABLE_VFS && g->vfs)
		held = &g->slots[0].is_held;
	for (size_t i = 0; (step->op == GS_STEP_CREATE_GI || step->op == GS_STEP_CREATE_CI) && i < g->n_gis; i++)
		if (g->gis[i].start == step->span.start)
			held = &g->gis[i].is_held;
	if (!held || *held)
		return false;
	*held = h->has_holder = true;
	h->holder_gpu = step->bdf.bus - 1u;
	h->holder_step = keep_step(h, step);
	return true;
}

static struct fault *fault_at(struct fault_host *h, bool is_record, size_t n)
{
	for (size_t i = 0; i < h->n_faults; i++)
		if (h->faults[i].at == n && fault_kind_is_of_record(h->faults[i].kind) == is_record)
			return &h->faults[i];
	return NULL;
}

static int refuse(const struct gs_step *step, int r, struct gs_error *e)
{
	return gs_error_set(e, r, GS_STATUS_FAILED, "refused by the driver: %s: %s", step->text, strerror(-r));
}

static void came(struct fault_host *h, struct fault *f, const struct gs_step *step)
{
	f->came = true;
	gs_strbuf_printf(&h->log, "<%s>", fault_kind_word(f->kind));
	if (h->count)
		h->count(h->userdata, step->op, h->is_back, f->kind);
}

/* It hangs: what no writer of the kernel does is given up after a while, and comes all the same. */
static int hang(struct fault_host *h, const struct gs_step *step, struct gs_step_outcome *ret, struct gs_error *e)
{
	add_wait(h, step, true);
	if (step->op == GS_STEP_STOP_HOLDER || is_unit_step(step)) {
		h->waits[h->n_waits - 1].waits = false;
		return gs_error_set(e, -ETIMEDOUT, GS_STATUS_FAILED, "%s: no answer in time", step->text);
	}
	ret->is_pending = true;
	snprintf(ret->note, sizeof(ret->note), "it waits for pid 7 to let go");
	return 0;
}

static int go_wrong(struct fault_host *h, struct fault *f, const struct gs_step *step, struct gs_step_outcome *ret, struct gs_error *e)
{
	struct fam_gpu *g = fam_gpu_of(h, step);
	int r = 0;

	switch (f->kind) {
	case FAULT_REFUSED:
		came(h, f, step);
		return refuse(step, -EIO, e);
	case FAULT_NOTHING:
		/* what became of a unit its writer asks for itself, and a unit that is not as told is an error */
		if (is_unit_step(step))
			break;
		came(h, f, step);
		return 0;
	case FAULT_HALF_CALLED_DONE:
		/* nor does a driver tell a part of a setting while nothing runs (interfaces 5.4): that it is missing nobody can see */
		if (is_unit_step(step) || step->op == GS_STEP_SET_SETTING)
			break;
		/* fall through */
	case FAULT_HALF:
	case FAULT_KILL_HALF:
		if (do_half(h, step) < 0)
			break;
		came(h, f, step);
		h->is_dead = f->kind == FAULT_KILL_HALF;
		return f->kind == FAULT_HALF_CALLED_DONE ? 0 : refuse(step, h->is_dead ? -EOWNERDEAD : -EIO, e);
	case FAULT_DONE_CALLED_REFUSED:
		if (apply(h, step) < 0)
			break;
		came(h, f, step);
		return refuse(step, -EIO, e);
	case FAULT_HANG:
		came(h, f, step);
		return hang(h, step, ret, e);
	case FAULT_KILL_HANGING:
		came(h, f, step);
		hang(h, step, ret, e);
		h->is_dead = true;
		return refuse(step, -EOWNERDEAD, e);
	case FAULT_LOST:
		/* a unit is no GPU's */
		if (is_unit_step(step))
			break;
		came(h, f, step);
		if (g)
			g->is_lost = true;
		else
			h->mig_is_lost[step->gpu] = true;
		return refuse(step, -EIO, e);
	case FAULT_INTRUDER:
		if (intrude(h, step))
			came(h, f, step);
		break;
	case FAULT_KILL_BEFORE:
		came(h, f, step);
		h->is_dead = true;
		return refuse(step, -EOWNERDEAD, e);
	default:
		break;
	}
	r = apply(h, step);
	if (r < 0)
		return refuse(step, r, e);
	if (f->kind == FAULT_CANCEL || f->kind == FAULT_BLIND || f->kind == FAULT_BLIND_FOR_GOOD || f->kind == FAULT_KILL_AFTER || (f->kind == FAULT_GONE && g && !is_unit_step(step)) ||
	    (f->kind == FAULT_HOLDER && hold(h, step)))
		came(h, f, step);
	h->is_cancelled |= f->kind == FAULT_CANCEL;
	h->is_blind |= f->kind == FAULT_BLIND;
	h->is_blind_for_good |= f->kind == FAULT_BLIND_FOR_GOOD;
	h->is_dead |= f->kind == FAULT_KILL_AFTER;
	if (f->kind == FAULT_GONE && g && !is_unit_step(step))
		g->is_gone = true;
	return h->is_dead ? refuse(step, -EOWNERDEAD, e) : 0;
}

static int op_run(void *userdata, const struct gs_step *step, struct gs_step_outcome *ret, struct gs_error *e)
{
	struct fault_host *h = userdata;
	struct fault *f;
	int r;

	if (h->is_dead)
		return gs_error_set(e, -EOWNERDEAD, GS_STATUS_FAILED, "dead");
	f = fault_at(h, false, ++h->acts);
	gs_strbuf_printf(&h->log, "%s%s", h->log.length ? " " : "", gs_step_op_name(step->op));
	for (size_t i = 0; i < h->n_waits && !is_unit_step(step); i++)
		if (h->waits[i].waits && gs_bdf_compare(h->waits[i].step.bdf, step->bdf) == 0)
			snprintf(h->broken, sizeof(h->broken), "%s was begun on a GPU on which a write still waits", gs_step_op_name(step->op));
	if (f)
		return go_wrong(h, f, step, ret, e);
	r = apply(h, step);
	return r < 0 ? refuse(step, r, e) : 0;
}

static int op_collect(void *userdata, struct gs_snapshot **ret, struct gs_error *e)
{
	struct fault_host *h = userdata;
	bool is_blind = h->is_blind || h->is_blind_for_good;

	if (h->is_dead)
		return gs_error_set(e, -EOWNERDEAD, GS_STATUS_FAILED, "dead");
	h->is_blind = false;
	if (is_blind)
		return gs_error_set(e, -EIO, GS_STATUS_FAILED, "the machine cannot be looked at");
	*ret = fault_host_look(h);
	let_go(h, false);
	return 0;
}

static bool op_cancelled(void *userdata)
{
	const struct fault_host *h = userdata;

	return h->is_cancelled && !h->is_dead;
}

static int op_before(void *userdata, const struct gs_plan *p, struct gs_error *e)
{
	struct fault_host *h = userdata;

	if (h->is_dead)
		return gs_error_set(e, -EOWNERDEAD, GS_STATUS_FAILED, "dead");
	if (!h->changes_before)
		return 0;
	fault_host_change(h, p->steps[0].bdf);
	return 1;
}

/* ---------------------------------------------------------------- commits */

static const struct gs_commit_ops ops = { .collect = op_collect, .run = op_run, .journal = fault_journal_record, .cancelled = op_cancelled, .before = op_before };

void fault_host_clear(struct fault_host *h)
{
	h->n_faults = 0;
	h->is_dead = h->is_cancelled = h->is_blind = h->is_blind_for_good = h->has_no_space = h->is_read_only = h->changes_before = false;
}

static void begin(struct fault_host *h, enum gs_way way, uint64_t of)
{
	h->acts = h->records = 0;
	h->way = way;
	h->of = of;
	h->is_back = way == GS_WAY_TAKE_BACK || way == GS_WAY_UNDO;
	h->kept_wiped = h->fam.wiped;
	gs_strbuf_printf(&h->log, "%s[%s]", h->log.length ? " " : "", gs_way_name(way));
}

static int plan_script(void *userdata, const struct gs_snapshot *s, struct gs_plan **ret, struct gs_error *e)
{
	const struct fault_request *q = userdata;

	return gs_testhost_plan(s, q->script, &q->options, ret, e);
}

int fault_host_commit(struct fault_host *h, const struct fault_request *q, const struct gs_plan_base *base, size_t n_base, struct gs_commit_result *ret_result,
		      struct gs_error *e)
{
	const struct gs_commit_source source = { plan_script, (void *)q };
	const struct gs_commit_options options = { .yes = true, .base = base, .n_base = n_base };

	begin(h, GS_WAY_APPLY, 0);
	fault_journal_mark(h);
	return gs_commit_run(&ops, h, &source, &options, ret_result, e);
}

struct way_back {
	const struct gs_past *past;
	enum gs_way way;
	const struct fault_request *q;
};

/* As gs_request_plan() does. */
static int plan_past(void *userdata, const struct gs_snapshot *s, struct gs_plan **ret, struct gs_error *e)
{
	const struct way_back *w = userdata;
	GS_EVALUATION struct gs_evaluation ev = { .layout = NULL };
	struct gs_plan_options options = w->q->options;
	int r = gs_past_evaluate(w->past, w->way, s, &ev, e);

	if (r < 0)
		return r;
	options.allow_reset |= gs_plan_has_reset(w->past->plan);
	options.recovers = w->past->id;
	options.start_units = w->past->units;
	options.n_start_units = w->past->n_units;
	options.started_for = w->past->plan;
	return gs_plan_build(s, &ev, &options, ret, e);
}

/* Does a write still hang there? Then what is seen proves nothing. */
static bool is_waiting(const struct gs_past *past, const struct gs_snapshot *s)
{
	for (size_t i = 0; i < past->plan->n_base; i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu_by_bdf(s, past->plan->base[i].bdf);

		if (gpu && gpu->n_writes)
			return true;
	}
	return false;
}

int fault_host_recover(struct fault_host *h, uint64_t id, enum gs_way way, const struct fault_request *q, bool *ret_settled, struct gs_commit_result *ret_result,
		       struct gs_error *e)
{
	GS_CLEANUP(gs_past_freep) struct gs_past *past = NULL;
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	struct gs_commit_options options = { .yes = true, .way = way };
	enum gs_past_state state;
	int r;

	fault_journal_mark(h);
	r = fault_journal_past(h, id, &past, e);
	options.past = way == GS_WAY_UNDO ? NULL : past;
	if (r < 0)
		return r;
	begin(h, way, id);
	s = fault_host_look(h);
	let_go(h, false);
	*ret_settled = false;
	r = gs_past_judge(past, s, &state, NULL, NULL, e);
	if (r < 0)
		return r;
	if (way != GS_WAY_UNDO && state != GS_PAST_IS_BETWEEN && !past->n_units && !is_waiting(past, s)) {
		*ret_settled = true;
		return fault_journal_close(h, id, GS_WAY_INVALID, 0, e);
	}
	r = gs_commit_run(&ops, h, &(struct gs_commit_source){ plan_past, &(struct way_back){ past, way, q } }, &options, ret_result, e);
	/* what waits before its last step has not found its end */
	if (h->is_dead || (ret_result->status != GS_STATUS_OK && (ret_result->status != GS_STATUS_PENDING || h->n_waits || ret_result->done < ret_result->plan->n_steps)))
		return r < 0 ? r : -EOWNERDEAD;
	if (way == GS_WAY_UNDO)
		return 0;
	return fault_journal_close(h, id, way, h->records ? h->journals[h->n_journals - 1].id : 0, e);
}

int fault_host_leave(struct fault_host *h, uint64_t id)
{
	return fault_journal_close(h, id, GS_WAY_INVALID, 0, NULL);
}

/* ---------------------------------------------------------------- from outside */

void fault_host_change(struct fault_host *h, struct gs_bdf bdf)
{
	struct fam_gpu *g = !h->is_mig && bdf.bus && bdf.bus <= h->fam.n ? &h->fam.gpus[bdf.bus - 1] : NULL;

	/* part of every rev, and of no script */
	if (g)
		snprintf(g->override, sizeof(g->override), "other");
}

void fault_host_repair(struct fault_host *h)
{
	fault_host_release(h);
	for (size_t i = 0; i < FAM_GPUS_MAX; i++) {
		struct fam_gpu *g = &h->fam.gpus[i];

		g->is_gone = g->is_lost = h->mig_is_lost[i] = false;
		if (!h->has_holder || i != h->holder_gpu)
			continue;
		if (h->holder_step.op == GS_STEP_CREATE_VGPU || h->holder_step.op == GS_STEP_ENABLE_VFS)
			g->slots[h->holder_step.op == GS_STEP_CREATE_VGPU ? h->holder_step.vf.value : 0].is_held = false;
		for (size_t k = 0; k < g->n_gis; k++)
			if ((h->holder_step.op == GS_STEP_CREATE_GI || h->holder_step.op == GS_STEP_CREATE_CI) && g->gis[k].start == h->holder_step.span.start)
				g->gis[k].is_held = false;
	}
	h->has_holder = false;
	fault_host_clear(h);
}

void fault_host_reboot(struct fault_host *h, const char *torn)
{
	/* a write that waited dies with the kernel */
	h->n_waits = 0;
	fam_host_reboot(&h->fam);
	gs_strbuf_puts(&h->log, " POWER-CUT");
	h->boot++;
	fault_host_clear(h);
	if (torn && h->n_journals)
		gs_strbuf_puts(&h->journals[h->n_journals - 1].bytes, torn);
}
