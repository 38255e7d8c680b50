/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "core/policy.h"
#include "core/steps.h"

struct gs_plan *gs_plan_free(struct gs_plan *p)
{
	if (!p)
		return NULL;
	gs_snapshot_unref(p->snapshot);
	gs_layout_free(p->layout);
	gs_arena_free(p->arena);
	free(p);
	return NULL;
}

/* ---------------------------------------------------------------- parts */

static int add_base(struct gs_plan *p, const struct gs_gpu *gpu)
{
	void *grown = gs_arena_grow(p->arena, p->base, p->n_base, &p->cap_base, sizeof(*p->base));

	if (!grown)
		return -ENOMEM;
	p->base = grown;
	p->base[p->n_base++] = (struct gs_plan_base){ gpu->index, gpu->bdf, gpu->rev };
	return 0;
}

static int add_remark(struct gs_plan *p, const struct gs_remark *m)
{
	void *grown = gs_arena_grow(p->arena, p->findings, p->n_findings, &p->cap_findings, sizeof(*p->findings));
	struct gs_finding *f;

	if (!grown)
		return -ENOMEM;
	p->findings = grown;
	f = &p->findings[p->n_findings++];
	memset(f, 0, sizeof(*f));
	f->severity = m->severity;
	f->status = GS_STATUS_REFUSED;
	f->rule = gs_arena_strdup(p->arena, m->rule);
	f->gpu = m->gpu;
	f->object = m->gpu == GS_FINDING_NO_GPU ? "the machine" : gs_arena_printf(p->arena, "GPU %" PRIu32, m->gpu);
	f->text = gs_arena_strdup(p->arena, m->text);
	f->pos = m->pos;
	f->pos.file = gs_arena_strdup(p->arena, m->pos.file);
	return f->rule && f->object && f->text ? 0 : -ENOMEM;
}

static void count_changes(struct gs_plan *p, const struct gs_diff_gpu *d)
{
	for (size_t i = 0; i < d->n_changes; i++) {
		enum gs_change_kind kind = d->changes[i].kind;

		/* plain VFs are not instances that one creates */
		if ((d->changes[i].want ? d->changes[i].want->kind : d->changes[i].old->kind) == GS_KIND_SRIOV)
			continue;
		p->kept += kind == GS_CHANGE_KEEP || kind == GS_CHANGE_KEEP_GI;
		p->created += kind == GS_CHANGE_CREATE || kind == GS_CHANGE_RECREATE;
		p->deleted += kind == GS_CHANGE_DELETE || kind == GS_CHANGE_RECREATE;
	}
}

static int copy_claims(struct gs_plan *p, const struct gs_evaluation *ev)
{
	p->claims = gs_arena_calloc(p->arena, ev->n_claims + 1, sizeof(*p->claims));
	for (size_t i = 0; p->claims && i < ev->n_claims; i++) {
		p->claims[i] = ev->claims[i];
		p->claims[i].profile = gs_arena_strdup(p->arena, ev->claims[i].profile);
		p->claims[i].place = gs_arena_strdup(p->arena, ev->claims[i].place);
		p->n_claims++;
	}
	return p->claims ? 0 : -ENOMEM;
}

/* A file that keeps what somebody uses should say so: the next edit of that file may take it away. */
static int note_held_claims(struct gs_plan *p)
{
	for (size_t i = 0; i < p->n_claims; i++) {
		const struct gs_claim *c = &p->claims[i];
		struct gs_remark m = { .gpu = c->gpu, .severity = GS_SEVERITY_NOTE, .rule = gs_rule_name(GS_RULE_HOLDER_CLAIMED) };

		if (!c->is_held)
			continue;
		if (c->kind == GS_KIND_VGPU)
			m.text = gs_arena_printf(p->arena, "%s (%s) is there and in use: the request claims it as its own. One more is «create %" PRIu32 " %s count +1»",
						 c->profile, c->place, c->gpu, c->profile);
		else
			m.text = gs_arena_printf(p->arena, "%s at %" PRIu32 " (GI %" PRIu32 ") is there and in use: the request claims it as its own. One more is «create %" PRIu32 " %s count +1»",
						 c->profile, c->start, c->instance_id, c->gpu, c->profile);
		if (!m.text || add_remark(p, &m) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int note_unmatched_disrupt(struct gs_plan *p, const struct gs_plan_options *o)
{
	for (size_t i = 0; o && i < o->n_disrupt; i++) {
		struct gs_remark m = { .gpu = GS_FINDING_NO_GPU, .severity = GS_SEVERITY_NOTE, .rule = gs_rule_name(GS_RULE_DISRUPT_UNMATCHED) };
		bool found = false;

		if (o->disrupt[i].kind == GS_DISRUPT_ALL)
			continue;
		for (size_t k = 0; k < p->n_steps; k++)
			found |= o->disrupt[i].kind == GS_DISRUPT_PID ? p->steps[k].op == GS_STEP_STOP_HOLDER && p->steps[k].pid == o->disrupt[i].pid
								     : p->steps[k].op == GS_STEP_STOP_UNIT && gs_str_equal(p->steps[k].unit, o->disrupt[i].unit);
		if (found)
			continue;
		if (o->disrupt[i].kind == GS_DISRUPT_PID)
			m.text = gs_arena_printf(p->arena, "pid %" PRIu32 " need not stop for this", o->disrupt[i].pid);
		else
			m.text = gs_arena_printf(p->arena, "unit %s need not stop for this, or is none that gpuslice stops (see services.json)", o->disrupt[i].unit);
		if (!m.text || add_remark(p, &m) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* "all" is for one GPU: whoever means more names them. */
static int block_wide_disrupt(struct gs_plan *p, const struct gs_plan_options *o)
{
	struct gs_remark m = { .gpu = GS_FINDING_NO_GPU, .severity = GS_SEVERITY_BLOCK, .rule = gs_rule_name(GS_RULE_DISRUPT_ALL) };
	bool all = false, first = true;
	uint32_t gpu = 0;

	for (size_t i = 0; o && i < o->n_disrupt; i++)
		all |= o->disrupt[i].kind == GS_DISRUPT_ALL;
	for (size_t i = 0; all && i < p->n_findings; i++) {
		if (!p->findings[i].is_typed)
			continue;
		if (first || p->findings[i].gpu == gpu) {
			gpu = p->findings[i].gpu;
			first = false;
			continue;
		}
		m.text = "--disrupt all stops work on one GPU only, and this plan stops some on several: name them with --disrupt pid:N";
		return add_remark(p, &m);
	}
	return 0;
}

static int by_weight(const void *a, const void *b)
{
	const struct gs_finding *x = a, *y = b;

	if (x->severity != y->severity)
		return (int)x->severity - (int)y->severity;
	if (x->gpu != y->gpu)
		return x->gpu < y->gpu ? -1 : 1;
	if (strcmp(x->rule, y->rule) != 0)
		return strcmp(x->rule, y->rule);
	return strcmp(x->text, y->text);
}

/* ---------------------------------------------------------------- digests */

static void describe_step(struct gs_strbuf *b, const struct gs_step *s, bool with_identity)
{
	char bdf[GS_BDF_TEXT];

	gs_strbuf_printf(b, "step %" PRIu32 " %s gpu %" PRIu32, s->n, gs_step_op_name(s->op), s->gpu);
	if (s->op == GS_STEP_SET_MODE)
		gs_strbuf_printf(b, " mode %s", gs_mode_name(s->mode));
	if (s->op == GS_STEP_ENABLE_VFS || s->op == GS_STEP_DISABLE_VFS)
		gs_strbuf_printf(b, " vfs %" PRIu32 " by %d", s->vfs, (int)s->vfs_by);
	if (s->op == GS_STEP_UNBIND_DRIVER || s->op == GS_STEP_BIND_DRIVER)
		gs_strbuf_printf(b, " driver %s", s->driver ? s->driver : "-");
	if (s->op == GS_STEP_RESET_GPU)
		gs_strbuf_printf(b, " with %zu", s->n_peers);
	if (s->key)
		gs_strbuf_printf(b, " %s=%s", s->key, s->value);
	if (s->unit)
		gs_strbuf_printf(b, " unit %s", s->unit);
	if (s->vf.known)
		gs_strbuf_printf(b, " vf %" PRIu32, s->vf.value);
	if (s->gi_profile)
		gs_strbuf_printf(b, " in %s %" PRIu32, s->gi_profile, s->on_start.known ? s->on_start.value : UINT32_MAX);
	if (s->profile)
		gs_strbuf_printf(b, " gi %s %" PRIu32 "+%" PRIu32, s->profile, s->span.start, s->span.size);
	if (s->compute_profile)
		gs_strbuf_printf(b, " ci %s %" PRIu32 "+%" PRIu32, s->compute_profile, s->compute_span.start, s->compute_span.size);
	if (with_identity) {
		gs_strbuf_printf(b, " at %s", gs_bdf_format(s->bdf, bdf));
		gs_strbuf_printf(b, " function %s", gs_bdf_format(s->function, bdf));
		for (size_t i = 0; i < s->n_peers; i++)
			gs_strbuf_printf(b, " and %s", gs_bdf_format(s->peers[i], bdf));
		if (s->op == GS_STEP_STOP_HOLDER)
			gs_strbuf_printf(b, " pid %" PRIu32 " since %" PRIu64 " kill %d", s->pid, s->start_time, s->kill);
		if (s->uuid)
			gs_strbuf_printf(b, " uuid %s id %" PRIu32, s->uuid, s->instance_id);
	}
	gs_strbuf_puts(b, "\n");
}

static int compute_digests(struct gs_plan *p)
{
	GS_STRBUF struct gs_strbuf full = GS_STRBUF_INIT, shape = GS_STRBUF_INIT;
	char bdf[GS_BDF_TEXT];

	for (size_t i = 0; i < p->n_base; i++)
		gs_strbuf_printf(&full, "base %s %s\n", gs_bdf_format(p->base[i].bdf, bdf), p->base[i].rev.hex);
	for (size_t i = 0; i < p->n_steps; i++) {
		describe_step(&full, &p->steps[i], true);
		describe_step(&shape, &p->steps[i], false);
	}
	for (size_t i = 0; i < p->n_findings; i++) {
		const struct gs_finding *f = &p->findings[i];

		/* a note that comes and goes does not change what was approved */
		if (f->severity == GS_SEVERITY_NOTE)
			continue;
		gs_strbuf_printf(&full, "finding %s %s %s", gs_severity_name(f->severity), f->rule, f->object);
		for (size_t k = 0; k < f->n_holders; k++)
			gs_strbuf_printf(&full, " %" PRIu32, f->holders[k]->pid.value);
		gs_strbuf_puts(&full, "\n");
		gs_strbuf_printf(&shape, "finding %s %s %" PRIu32 "\n", gs_severity_name(f->severity), f->rule, f->gpu);
	}
	gs_strbuf_puts(&full, "");
	gs_strbuf_puts(&shape, "");
	if (full.failed || shape.failed)
		return -ENOMEM;
	p->digest = gs_digest_of(full.text, full.length);
	p->shape = gs_digest_of(shape.text, shape.length);
	return 0;
}

/* ---------------------------------------------------------------- building */

static int append_start(struct gs_plan *p, const struct gs_gpu *gpu, const char *unit, const char *target, struct gs_error *e)
{
	struct gs_step *step = gs_plan_add_step(p, GS_STEP_START_UNIT, gpu);

	if (!step)
		return gs_error_oom(e);
	step->unit = unit;
	step->target = target;
	step->risk = GS_RISK_SAFE;
	step->undo = GS_UNDO_FULL;
	return gs_step_finish(p, step, e) < 0 ? -ENOMEM : 0;
}

static bool starts(const struct gs_plan *p, const char *unit)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].op == GS_STEP_START_UNIT && gs_str_equal(p->steps[i].unit, unit))
			return true;
	return false;
}

/* The GPU that an earlier commit stopped @unit for; one that it was about where it does not say; the first where even that has gone: a step has one. */
static const struct gs_gpu *gpu_of_unit(const struct gs_plan *p, const struct gs_plan *past, const char *unit)
{
	const struct gs_gpu *gpu = NULL;

	for (size_t i = 0; past && i < past->n_steps && !gpu; i++)
		if (past->steps[i].op == GS_STEP_STOP_UNIT && gs_str_equal(past->steps[i].unit, unit))
			gpu = gs_snapshot_gpu_by_bdf(p->snapshot, past->steps[i].bdf);
	for (size_t i = 0; past && i < past->n_base && !gpu; i++)
		gpu = gs_snapshot_gpu_by_bdf(p->snapshot, past->base[i].bdf);
	return gpu ? gpu : gs_snapshot_gpu(p->snapshot, p->n_base ? p->base[0].gpu : 0);
}

/* Units that were stopped come back, the last first; on the way out of a failure too, see commit.c. So do those of a commit that could not start them itself. */
static int append_starts(struct gs_plan *p, const struct gs_plan_options *options, struct gs_error *e)
{
	int r = 0;

	for (size_t i = p->n_steps; i-- > 0 && r == 0;)
		if (p->steps[i].op == GS_STEP_STOP_UNIT)
			r = append_start(p, gs_snapshot_gpu(p->snapshot, p->steps[i].gpu), p->steps[i].unit, p->steps[i].target, e);
	for (size_t i = options->n_start_units; i-- > 0 && r == 0 && gs_snapshot_n_gpus(p->snapshot);) {
		const char *unit = gs_arena_strdup(p->arena, options->start_units[i]);

		if (!unit)
			return gs_error_oom(e);
		if (!starts(p, unit))
			r = append_start(p, gpu_of_unit(p, options->started_for, unit), unit, unit, e);
	}
	return r;
}

static bool has_base(const struct gs_plan *p, struct gs_bdf bdf)
{
	for (size_t i = 0; i < p->n_base; i++)
		if (gs_bdf_compare(p->base[i].bdf, bdf) == 0)
			return true;
	return false;
}

/* Whoever goes along with a reset must be as the plan saw it, too. */
static int add_peers_to_base(struct gs_plan *p)
{
	for (size_t i = 0; i < p->n_steps; i++)
		for (size_t k = 0; k < p->steps[i].n_peers; k++) {
			const struct gs_gpu *peer = gs_snapshot_gpu_by_bdf(p->snapshot, p->steps[i].peers[k]);

			if (peer && !has_base(p, peer->bdf) && add_base(p, peer) < 0)
				return -ENOMEM;
		}
	return 0;
}

/* GPU by GPU, unless one is reset: that takes others along, and has to come before anything is made on any of them. */
static int append_steps(struct gs_plan *p, const struct gs_diff *d, const struct gs_plan_options *options, struct gs_error *e)
{
	bool resets = false;
	int r = 0;

	for (size_t i = 0; i < d->n_gpus; i++)
		resets |= d->gpus[i].is_changed && gs_diff_wants_reset(&d->gpus[i], options);
	for (size_t i = 0; r >= 0 && i < d->n_gpus; i++) {
		r = d->gpus[i].is_changed ? gs_steps_take_away(p, &d->gpus[i], e) : 0;
		if (r >= 0 && d->gpus[i].is_changed && !resets)
			r = gs_steps_make(p, &d->gpus[i], e);
	}
	for (size_t i = 0; r >= 0 && resets && i < d->n_gpus; i++)
		r = d->gpus[i].is_changed && gs_diff_wants_reset(&d->gpus[i], options) ? gs_steps_reset(p, &d->gpus[i], e) : 0;
	for (size_t i = 0; r >= 0 && resets && i < d->n_gpus; i++)
		r = d->gpus[i].is_changed ? gs_steps_make(p, &d->gpus[i], e) : 0;
	return r >= 0 && add_peers_to_base(p) < 0 ? gs_error_oom(e) : r;
}

/* A confirmation is about what is written: once, and only for a GPU that changes. */
static bool is_worth_saying(const struct gs_plan *p, const struct gs_evaluation *ev, size_t i)
{
	const struct gs_remark *m = &ev->remarks[i];
	bool changes = false;

	if (m->severity != GS_SEVERITY_CONFIRM)
		return true;
	for (size_t k = 0; k < i; k++)
		if (ev->remarks[k].gpu == m->gpu && strcmp(ev->remarks[k].rule, m->rule) == 0)
			return false;
	for (size_t k = 0; k < p->n_base; k++)
		changes |= p->base[k].gpu == m->gpu;
	return changes;
}

static int build(struct gs_plan *p, const struct gs_diff *d, const struct gs_evaluation *ev, const struct gs_plan_options *options, struct gs_error *e)
{
	int r;

	for (size_t i = 0; i < d->n_gpus; i++) {
		count_changes(p, &d->gpus[i]);
		if (!d->gpus[i].is_changed)
			continue;
		if (add_base(p, d->gpus[i].gpu) < 0)
			return gs_error_oom(e);
		/* judging appends what has to stop: all of that comes before the first GPU changes */
		r = gs_policy_apply(p, d, &d->gpus[i], options, e);
		if (r < 0)
			return r;
	}
	r = append_steps(p, d, options, e);
	if (r < 0)
		return r;
	r = append_starts(p, options, e);
	if (r >= 0 && !gs_plan_is_blocked(p))
		r = gs_policy_apply_host(p, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ev->n_remarks; i++)
		if (is_worth_saying(p, ev, i) && add_remark(p, &ev->remarks[i]) < 0)
			return gs_error_oom(e);
	if (copy_claims(p, ev) < 0 || note_held_claims(p) < 0 || note_unmatched_disrupt(p, options) < 0 || block_wide_disrupt(p, options) < 0)
		return gs_error_oom(e);
	if (gs_plan_is_blocked(p)) {
		/* a blocked plan has no steps: nothing in it may look as if it could be carried out */
		p->n_steps = 0;
		p->created = p->deleted = 0;
	}
	if (p->n_findings > 1)
		qsort(p->findings, p->n_findings, sizeof(*p->findings), by_weight);
	return compute_digests(p) < 0 || gs_arena_has_failed(p->arena) ? gs_error_oom(e) : 0;
}

int gs_plan_build(const struct gs_snapshot *s, const struct gs_evaluation *ev, const struct gs_plan_options *options,
		  struct gs_plan **ret_plan, struct gs_error *e)
{
	static const struct gs_plan_options none;
	GS_CLEANUP(gs_plan_freep) struct gs_plan *p = calloc(1, sizeof(*p));
	GS_CLEANUP(gs_diff_freep) struct gs_diff *d = NULL;
	int r;

	if (!p)
		return gs_error_oom(e);
	if (!options)
		options = &none;
	p->arena = gs_arena_new();
	p->snapshot = gs_snapshot_ref(s);
	p->recovers = options->recovers;
	if (!p->arena)
		return gs_error_oom(e);
	r = gs_layout_copy(ev->layout, &p->layout, e);
	if (r >= 0)
		r = gs_diff_build(s, p->layout, &d, e);
	if (r >= 0)
		r = build(p, d, ev, options, e);
	if (r < 0)
		return r;
	*ret_plan = GS_TAKE(p);
	return 0;
}

/* ---------------------------------------------------------------- reading */

size_t gs_plan_count(const struct gs_plan *p, enum gs_severity severity)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_findings; i++)
		n += p->findings[i].severity == severity;
	return n;
}

bool gs_plan_has_hidden_holders(const struct gs_plan *p)
{
	for (size_t i = 0; i < p->n_findings; i++)
		if (gs_str_equal(p->findings[i].rule, gs_rule_name(GS_RULE_HOLDERS_HIDDEN)))
			return true;
	return false;
}

bool gs_plan_is_blocked(const struct gs_plan *p)
{
	return gs_plan_count(p, GS_SEVERITY_BLOCK) > 0;
}

bool gs_plan_needs_confirmation(const struct gs_plan *p)
{
	return gs_plan_count(p, GS_SEVERITY_CONFIRM) > 0;
}

const char *gs_plan_confirm_word(const struct gs_plan *p, const char *host, char *buf, size_t size)
{
	size_t at = (size_t)snprintf(buf, size, "%s", host);
	bool first = true;

	for (size_t g = 0; g < gs_snapshot_n_gpus(p->snapshot); g++) {
		bool stops = false;

		for (size_t i = 0; i < p->n_findings; i++)
			stops |= p->findings[i].is_typed && p->findings[i].gpu == g;
		if (!stops || at >= size)
			continue;
		at += (size_t)snprintf(buf + at, size - at, "%c%zu", first ? ':' : ',', g);
		first = false;
	}
	return buf;
}

bool gs_plan_stops_somebody(const struct gs_plan *p)
{
	for (size_t i = 0; i < p->n_findings; i++)
		if (p->findings[i].is_typed)
			return true;
	return false;
}

enum gs_status gs_plan_status(const struct gs_plan *p)
{
	enum gs_status status = GS_STATUS_OK;

	for (size_t i = 0; i < p->n_findings; i++) {
		if (p->findings[i].severity != GS_SEVERITY_BLOCK)
			continue;
		if (p->findings[i].status == GS_STATUS_CANNOT_TELL)
			return GS_STATUS_CANNOT_TELL;
		status = p->findings[i].status;
	}
	return status;
}
