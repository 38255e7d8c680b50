/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/policy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "core/steps.h"
#include "core/who.h"

static const char *const rule_names[] = {
#define RULE_NAME_(id, name, text) [GS_RULE_##id] = name,
	GS_RULES(RULE_NAME_)
};

static const char *const rule_summaries[] = {
#define RULE_TEXT_(id, name, text) [GS_RULE_##id] = text,
	GS_RULES(RULE_TEXT_)
};

const char *gs_rule_name(enum gs_rule r)
{
	return (unsigned)r < GS_RULE_MAX ? rule_names[r] : NULL;
}

const char *gs_rule_summary(enum gs_rule r)
{
	return (unsigned)r < GS_RULE_MAX ? rule_summaries[r] : NULL;
}

/* ---------------------------------------------------------------- building findings */

struct policy {
	struct gs_plan *p;
	const struct gs_diff_gpu *d;
	const struct gs_gpu *gpu;
	const struct gs_plan_options *options;
	struct gs_error *e;
	bool failed;
	struct gs_finding nowhere;  /* what a failed allocation is written to; nobody reads it */
};

static struct gs_finding *add_finding(struct policy *y, enum gs_rule rule, enum gs_severity severity, const char *fmt, ...) GS_PRINTF(4, 5);
static struct gs_finding *add_finding(struct policy *y, enum gs_rule rule, enum gs_severity severity, const char *fmt, ...)
{
	struct gs_plan *p = y->p;
	void *grown = gs_arena_grow(p->arena, p->findings, p->n_findings, &p->cap_findings, sizeof(*p->findings));
	struct gs_finding *f;
	char text[1024];
	va_list ap;

	if (!grown) {
		y->failed = true;
		return &y->nowhere;
	}
	p->findings = grown;
	f = &p->findings[p->n_findings++];
	memset(f, 0, sizeof(*f));
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f->severity = severity;
	f->status = GS_STATUS_REFUSED;
	f->rule = gs_rule_name(rule);
	f->gpu = y->gpu->index;
	f->text = gs_arena_strdup(p->arena, text);
	f->object = gs_arena_printf(p->arena, "GPU %" PRIu32, y->gpu->index);
	return f;
}

static void add_alternative(struct policy *y, struct gs_finding *f, const char *fmt, ...) GS_PRINTF(3, 4);
static void add_alternative(struct policy *y, struct gs_finding *f, const char *fmt, ...)
{
	const char **more = gs_arena_calloc(y->p->arena, f->n_alternatives + 1, sizeof(*more));
	char text[256];
	va_list ap;

	if (!more)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (f->n_alternatives)
		memcpy(more, f->alternatives, f->n_alternatives * sizeof(*more));
	more[f->n_alternatives++] = gs_arena_strdup(y->p->arena, text);
	f->alternatives = more;
}

static void add_holder(struct policy *y, struct gs_finding *f, const struct gs_holder *h)
{
	const struct gs_holder **more;

	for (size_t i = 0; i < f->n_holders; i++)
		if (f->holders[i] == h || (h->pid.known && gs_u32_equal(f->holders[i]->pid, h->pid)))
			return;
	more = gs_arena_calloc(y->p->arena, f->n_holders + 1, sizeof(*more));
	if (!more)
		return;
	if (f->n_holders)
		memcpy(more, f->holders, f->n_holders * sizeof(*more));
	more[f->n_holders++] = h;
	f->holders = more;
}

static const char *instance_object(struct policy *y, const struct gs_instance *inst)
{
	return gs_arena_printf(y->p->arena, "GPU %" PRIu32 " GI %" PRIu32, y->gpu->index, inst->id);
}

/* ---------------------------------------------------------------- what cannot be seen or done at all */

static bool block_impossible(struct policy *y)
{
	const struct gs_gpu *gpu = y->gpu;
	const struct gs_layout_gpu *t = y->d->target;

	if (gpu->lost) {
		add_finding(y, GS_RULE_GPU_LOST, GS_SEVERITY_BLOCK, "%s; nothing can be changed on it", gpu->lost);
		return true;
	}
	if (t->positions_unknown || (gpu->mode == GS_MODE_MIG && !gpu->placements_visible)) {
		struct gs_finding *f = add_finding(y, GS_RULE_POSITION_UNKNOWN, GS_SEVERITY_BLOCK,
						   "which instances it has and where they are cannot be seen here, so nothing can be planned beside them");

		f->status = GS_STATUS_CANNOT_TELL;
		add_alternative(y, f, "run it as root");
		return true;
	}
	if (y->d->mode_changes && !(gpu->modes & 1u << t->mode)) {
		struct gs_finding *f = add_finding(y, GS_RULE_MODE_UNSUPPORTED, GS_SEVERITY_BLOCK, "%s cannot be put into mode %s here", gpu->name ? gpu->name : "this GPU",
						   gs_mode_name(t->mode));

		if (!gpu->modes)
			f->status = GS_STATUS_CANNOT_TELL;
		return true;
	}
	return false;
}

static void check_mode(struct policy *y)
{
	const struct gs_layout_gpu *t = y->d->target;
	struct gs_finding *f;

	if (t->n_wants && t->mode != GS_MODE_MIG) {
		bool leaves = y->gpu->mode == GS_MODE_MIG;

		f = leaves ? add_finding(y, GS_RULE_MODE_INSTANCES, GS_SEVERITY_BLOCK,
					 "mode %s would destroy %zu instance%s that the request does not delete", gs_mode_name(t->mode), t->n_wants,
					 t->n_wants == 1 ? "" : "s")
			   : add_finding(y, GS_RULE_MODE_NEEDED, GS_SEVERITY_BLOCK, "instances need MIG mode, and GPU %" PRIu32 " is in mode %s", y->gpu->index,
					 gs_mode_name(t->mode) ? gs_mode_name(t->mode) : "unknown");
		f->pos = t->wants[0].pos;
		if (leaves)
			add_alternative(y, f, "delete %" PRIu32 " all", y->gpu->index);
		else
			add_alternative(y, f, "mode %" PRIu32 " mig", y->gpu->index);
	}
	if (y->gpu->mode_pending != GS_MODE_INVALID && y->gpu->mode_pending != y->gpu->mode && !t->mode_is_asked) {
		f = add_finding(y, GS_RULE_MODE_PENDING, GS_SEVERITY_BLOCK, "mode %s is pending from an earlier change and becomes active with the next reset",
				gs_mode_name(y->gpu->mode_pending));
		add_alternative(y, f, "take it back first: mode %" PRIu32 " %s", y->gpu->index, gs_mode_name(y->gpu->mode));
	}
}

/* ---------------------------------------------------------------- placement */

/* The instance that stands where a want stands, or NULL for one that is itself only asked for. */
static const struct gs_instance *instance_of(const struct gs_gpu *gpu, const struct gs_want *w)
{
	return w->instance_id.known && w->start.known ? gs_gpu_instance_at(gpu, w->profile, w->start.value) : NULL;
}

static void describe_blocker(struct policy *y, struct gs_finding *f, const struct gs_want *w, struct gs_strbuf *b)
{
	const struct gs_instance *inst = instance_of(y->gpu, w);
	const struct gs_profile *p = gs_profile_by_name(&y->gpu->grids[GS_KIND_MIG], w->profile);
	struct gs_span span = { w->start.value, 0 };
	char label[160];
	bool first = true;

	gs_profile_placement_at(p, w->start.value, &span);
	if (span.size > 1)
		gs_strbuf_printf(b, "%s%" PRIu32 "-%" PRIu32, b->length ? ", " : "", span.start, span.start + span.size - 1);
	else
		gs_strbuf_printf(b, "%s%" PRIu32, b->length ? ", " : "", span.start);
	if (!inst) {
		gs_strbuf_printf(b, " is asked for by %s at %" PRIu32, w->profile, w->start.value);
		return;
	}
	gs_strbuf_printf(b, " is held by GI %" PRIu32 " %s", inst->id, inst->profile);
	for (size_t i = 0; i < inst->n_holders; i++) {
		if (inst->holders[i]->yields)
			continue;
		gs_strbuf_printf(b, "%s%s", first ? " (" : ", ", gs_holder_label(inst->holders[i], label, sizeof(label)));
		first = false;
		add_holder(y, f, inst->holders[i]);
	}
	if (gs_instance_is_held(inst))
		gs_strbuf_puts(b, ")");
	else
		gs_strbuf_puts(b, " (idle)");
}

/* What would do as well: the same profile elsewhere, then the largest others that fit somewhere. */
static void suggest_places(struct policy *y, struct gs_finding *f, const struct gs_profile *p, const struct gs_placed *planned, size_t n_planned)
{
	struct gs_placed placed[GS_PLACED_MAX];
	uint32_t starts[GS_PLACEMENTS_MAX];
	size_t n = n_planned, found;
	unsigned others = 0;

	memcpy(placed, planned, n * sizeof(*placed));
	/* a place that is free only because somebody has to leave it stops somebody */
	for (size_t i = 0; i < y->gpu->n_instances && n < GS_PLACED_MAX; i++) {
		const struct gs_instance *inst = y->gpu->instances[i];
		const struct gs_profile *q = inst->profile ? gs_profile_by_name(&y->gpu->grids[GS_KIND_MIG], inst->profile) : NULL;

		if (q && inst->start.known && gs_instance_is_held(inst))
			placed[n++] = (struct gs_placed){ q, inst->start.value };
	}
	found = gs_placement_free_starts(&y->gpu->grids[GS_KIND_MIG], placed, n, p, starts);

	if (found) {
		add_alternative(y, f, "%s fits at %" PRIu32 " and stops nobody: create %" PRIu32 " %s at %" PRIu32, p->name, starts[0], y->gpu->index, p->name, starts[0]);
		return;
	}
	for (size_t i = y->gpu->grids[GS_KIND_MIG].n; i-- > 0 && others < 2;) {
		const struct gs_profile *q = &y->gpu->grids[GS_KIND_MIG].items[i];

		if (q == p || *gs_profile_suffix(q) || q->compute_slices > p->compute_slices)
			continue;
		found = gs_placement_free_starts(&y->gpu->grids[GS_KIND_MIG], placed, n, q, starts);
		if (!found)
			continue;
		add_alternative(y, f, "%s fits at %" PRIu32 " and stops nobody: create %" PRIu32 " %s at %" PRIu32, q->name, starts[0], y->gpu->index, q->name, starts[0]);
		others++;
	}
}

static void describe_starts(const struct gs_profile *p, struct gs_strbuf *b)
{
	for (size_t i = 0; i < p->n_placements; i++)
		gs_strbuf_printf(b, "%s%" PRIu32, !i ? "" : i + 1 == p->n_placements ? " or " : ", ", p->placements[i].start);
	gs_strbuf_puts(b, "");
}

static void report_misfit(struct policy *y, const struct gs_want *w, const struct gs_profile *p, uint32_t start, const struct gs_misfit_info *info,
			  const struct gs_want *const *wants, const struct gs_placed *placed, size_t n)
{
	GS_STRBUF struct gs_strbuf who = GS_STRBUF_INIT, where = GS_STRBUF_INIT;
	enum gs_rule rule = info->why == GS_MISFIT_COUNT ? GS_RULE_COUNT_LIMIT : info->why == GS_MISFIT_ENGINES ? GS_RULE_ENGINES : GS_RULE_PLACEMENT_CONFLICT;
	struct gs_finding *f = add_finding(y, rule, GS_SEVERITY_BLOCK, "-");

	for (size_t i = 0; i < info->n_blockers; i++)
		describe_blocker(y, f, wants[info->blockers[i]], &who);
	gs_strbuf_puts(&who, "");
	describe_starts(p, &where);
	if (who.failed || where.failed) {
		y->failed = true;
		return;
	}
	switch (info->why) {
	case GS_MISFIT_COUNT:
		if (y->gpu->grids[GS_KIND_MIG].max_instances && n >= y->gpu->grids[GS_KIND_MIG].max_instances)
			f->text = gs_arena_printf(y->p->arena, "the driver allows %" PRIu32 " instances on this GPU", y->gpu->grids[GS_KIND_MIG].max_instances);
		else
			f->text = gs_arena_printf(y->p->arena, "the driver allows %" PRIu32 " of %s on this GPU", p->max_instances, p->name);
		break;
	case GS_MISFIT_ENGINES:
		f->text = gs_arena_printf(y->p->arena, "%s at %" PRIu32 " needs a media engine that is given out: %s", p->name, start, who.text);
		break;
	default:
		f->text = gs_arena_printf(y->p->arena, "%s cannot be created at %" PRIu32 " (it can start %sat %s); %s", p->name, start, p->n_placements == 1 ? "only " : "",
					  where.text, who.text);
		break;
	}
	f->object = gs_arena_printf(y->p->arena, "GPU %" PRIu32 " %s@%" PRIu32, y->gpu->index, p->name, start);
	f->units = info->units;
	f->pos = w->pos;
	suggest_places(y, f, p, placed, n);
}

/* Requests of the same profile without a place are told as one. */
static bool open_before(const struct gs_layout_gpu *t, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!t->wants[k].start.known && gs_str_equal(t->wants[k].profile, t->wants[i].profile))
			return true;
	return false;
}

static size_t open_like(const struct gs_layout_gpu *t, size_t i)
{
	size_t n = 0;

	for (size_t k = 0; k < t->n_wants; k++)
		n += !t->wants[k].start.known && gs_str_equal(t->wants[k].profile, t->wants[i].profile);
	return n;
}

/* A request without a place: say what is in the way at each start that it could have. */
static void report_unplaced(struct policy *y, const struct gs_want *w, size_t times, const struct gs_profile *p, const struct gs_want *const *wants,
			    const struct gs_placed *placed, size_t n)
{
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT, last = GS_STRBUF_INIT;
	struct gs_finding *f = add_finding(y, GS_RULE_PLACEMENT_NONE, GS_SEVERITY_BLOCK, "-");

	if (times > 1)
		gs_strbuf_printf(&text, "%zu of %s fit nowhere", times, p->name);
	else
		gs_strbuf_printf(&text, "%s fits nowhere", p->name);
	if (!p->n_placements)
		gs_strbuf_puts(&text, ": where it may start is not known");
	for (size_t i = 0; i < p->n_placements; i++) {
		GS_STRBUF struct gs_strbuf who = GS_STRBUF_INIT;
		struct gs_misfit_info info;

		gs_placement_check(&y->gpu->grids[GS_KIND_MIG], placed, n, p, p->placements[i].start, &info);
		for (size_t k = 0; k < info.n_blockers; k++)
			describe_blocker(y, f, wants[info.blockers[k]], &who);
		if (info.why == GS_MISFIT_COUNT)
			gs_strbuf_printf(&who, "no more than %" PRIu32 " are allowed", p->max_instances);
		if (!who.length)
			gs_strbuf_puts(&who, "another open request needs it");
		f->units |= info.units;
		/* seven starts behind one instance are said once */
		if (last.length && gs_str_equal(who.text, last.text))
			continue;
		gs_strbuf_printf(&text, "%s from %" PRIu32 " on %s", i ? "," : ":", p->placements[i].start, who.text);
		gs_strbuf_clear(&last);
		gs_strbuf_puts(&last, who.text ? who.text : "");
	}
	if (text.failed)
		y->failed = true;
	else
		f->text = gs_arena_strdup(y->p->arena, text.text);
	f->object = gs_arena_printf(y->p->arena, "GPU %" PRIu32 " %s", y->gpu->index, p->name);
	f->pos = w->pos;
	suggest_places(y, f, p, placed, n);
}

/* Is wants[i] the first that asks for an instance that is there? A second one for the same place is one too many. */
static bool stands(const struct gs_gpu *gpu, const struct gs_want *wants, size_t i)
{
	if (!gs_gpu_instance_at(gpu, wants[i].profile, wants[i].start.value))
		return false;
	for (size_t k = 0; k < i; k++)
		if (gs_u32_equal(wants[k].start, wants[i].start) && gs_str_equal(wants[k].profile, wants[i].profile))
			return false;
	return true;
}

/*
 * What is there comes first, then requests in their order: the finding names
 * the request that is too much, never the instance that stands.
 */
static void check_placement(struct policy *y)
{
	const struct gs_layout_gpu *t = y->d->target;
	const struct gs_want *wants[GS_PLACED_MAX];
	struct gs_placed placed[GS_PLACED_MAX];
	size_t n = 0;

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < t->n_wants && n < GS_PLACED_MAX; i++) {
			const struct gs_want *w = &t->wants[i];
			const struct gs_profile *p = gs_profile_by_name(&y->gpu->grids[GS_KIND_MIG], w->profile);
			bool is_there = p && w->start.known && stands(y->gpu, t->wants, i);
			struct gs_misfit_info info;

			if (!p || !w->start.known || is_there != (round == 0))
				continue;
			/* what stands is legal, whatever our tables say: the driver has it */
			if (round == 1 && gs_placement_check(&y->gpu->grids[GS_KIND_MIG], placed, n, p, w->start.value, &info) != GS_FITS) {
				report_misfit(y, w, p, w->start.value, &info, wants, placed, n);
				continue;
			}
			wants[n] = w;
			placed[n++] = (struct gs_placed){ p, w->start.value };
		}
	}
	for (size_t i = 0; i < t->n_wants; i++) {
		const struct gs_profile *p = gs_profile_by_name(&y->gpu->grids[GS_KIND_MIG], t->wants[i].profile);

		if (p && !t->wants[i].start.known && !open_before(t, i))
			report_unplaced(y, &t->wants[i], open_like(t, i), p, wants, placed, n);
	}
}

static void check_compute(struct policy *y)
{
	for (size_t i = 0; i < y->d->n_changes; i++) {
		const struct gs_change *c = &y->d->changes[i];
		struct gs_finding *f;

		if (c->place_is_unknown && c->kind == GS_CHANGE_KEEP_GI) {
			f = add_finding(y, GS_RULE_POSITION_UNKNOWN, GS_SEVERITY_BLOCK,
					"where the compute instances in the %s at %" PRIu32 " are cannot be read, so nothing can be changed beside them", c->want->profile,
					c->want->start.value);
			f->status = GS_STATUS_CANNOT_TELL;
			f->pos = c->want->pos;
		}
		if (!c->has_no_room)
			continue;
		f = add_finding(y, GS_RULE_PLACEMENT_NONE, GS_SEVERITY_BLOCK,
				"the compute instances asked for do not fit into the %s at %" PRIu32 " beside each other: it has %" PRIu32 " compute slices", c->want->profile,
				c->want->start.value, c->profile ? c->profile->compute_slices : 0);
		f->pos = c->want->pos;
		add_alternative(y, f, "delete %" PRIu32 "/%s@%" PRIu32 " all", y->gpu->index, c->want->profile, c->want->start.value);
	}
}

/* ---------------------------------------------------------------- holders */

static bool is_named(const struct gs_plan_options *o, const struct gs_holder *h)
{
	for (size_t i = 0; o && i < o->n_disrupt; i++) {
		const struct gs_disrupt *d = &o->disrupt[i];

		if (d->kind == GS_DISRUPT_ALL || (d->kind == GS_DISRUPT_PID && gs_u32_is(h->pid, d->pid)))
			return true;
	}
	return false;
}

/* Stopping a process is ours to do when it is named; VMs, containers and jobs never are. */
static bool may_stop(const struct gs_holder *h)
{
	return h->kind == GS_HOLDER_PROCESS && h->pid.known && h->start_time.known;
}

static int add_stop_step(struct policy *y, const struct gs_holder *h)
{
	struct gs_step *step;
	char label[160], text[256];

	for (size_t i = 0; i < y->p->n_steps; i++)
		if (y->p->steps[i].op == GS_STEP_STOP_HOLDER && y->p->steps[i].pid == h->pid.value)
			return 0;
	step = gs_plan_add_step(y->p, GS_STEP_STOP_HOLDER, y->gpu);
	if (!step)
		return -ENOMEM;
	step->pid = h->pid.value;
	step->start_time = h->start_time.value;
	step->kill = y->options && y->options->kill;
	step->risk = GS_RISK_DISRUPTIVE;
	step->undo = GS_UNDO_NONE;
	step->target = gs_arena_strdup(y->p->arena, gs_holder_label(h, label, sizeof(label)));
	step->text = gs_arena_strdup(y->p->arena, gs_step_describe(step, GS_TENSE_PLAN, text, sizeof(text)));
	return 0;
}

/* @inst: where it runs; NULL for the GPU as a whole. */
static void judge_holder(struct policy *y, const struct gs_holder *h, const struct gs_instance *inst, const char *what_for)
{
	struct gs_finding *f;
	char label[160], where[64];

	if (h->yields)
		return;
	gs_holder_label(h, label, sizeof(label));
	if (inst)
		snprintf(where, sizeof(where), "runs in GI %" PRIu32, inst->id);
	else
		snprintf(where, sizeof(where), "has GPU %" PRIu32 " open", y->gpu->index);
	if (is_named(y->options, h) && may_stop(h)) {
		f = add_finding(y, GS_RULE_HOLDER_STOPS, GS_SEVERITY_CONFIRM, "%s %s and is stopped first, %s", label, where, what_for);
		f->is_typed = true;
		if (add_stop_step(y, h) < 0)
			y->failed = true;
	} else {
		f = add_finding(y, GS_RULE_HOLDER_STOPS, GS_SEVERITY_BLOCK, "%s %s and would lose it, %s", label, where, what_for);
		if (may_stop(h))
			add_alternative(y, f, "end it yourself, or name it: --disrupt pid:%" PRIu32, h->pid.value);
		else
			add_alternative(y, f, "end it with the tool that started it; gpuslice does not stop it");
		if (h->unit && gs_unit_is_service(h->unit))
			add_alternative(y, f, "systemctl stop %s", h->unit);
	}
	add_holder(y, f, h);
	if (inst) {
		f->object = instance_object(y, inst);
		f->units = gs_span_mask((struct gs_span){ inst->start.value, inst->size.value });
	}
}

static bool change_stops_work(const struct gs_change *c)
{
	if (!c->old)
		return false;
	if (c->kind == GS_CHANGE_DELETE || c->kind == GS_CHANGE_RECREATE)
		return true;
	for (size_t i = 0; i < c->n_compute; i++)
		if (c->compute[i].old && !c->compute[i].want)
			return true;
	return false;
}

/*
 * nvidia-persistenced keeps the device open on purpose and does not keep a
 * mode change pending by itself (interfaces 5.8 lists it among what may):
 * tried first, named when the change stays pending.
 */
static bool only_may_block(const struct gs_holder *h)
{
	/* a name alone is whatever a process calls itself */
	return h->name && gs_str_starts(h->name, "nvidia-persiste") && gs_u32_is(h->uid, 0) && gs_str_equal(h->unit, "nvidia-persistenced.service");
}

static void check_holders(struct policy *y)
{
	bool mode_disturbs = y->d->mode_changes && !y->d->mode_only_unpends, disturbs = mode_disturbs;

	for (size_t i = 0; i < y->d->n_changes; i++) {
		const struct gs_change *c = &y->d->changes[i];

		if (!change_stops_work(c))
			continue;
		disturbs = true;
		for (size_t k = 0; k < c->old->n_holders; k++)
			judge_holder(y, c->old->holders[k], c->old, c->kind == GS_CHANGE_KEEP_GI ? "because its compute instance goes" : "because that instance goes");
	}
	for (size_t i = 0; mode_disturbs && i < y->gpu->n_holders; i++) {
		const struct gs_holder *h = y->gpu->holders[i];
		struct gs_finding *f;
		char label[160];

		if (!only_may_block(h) || is_named(y->options, h)) {
			judge_holder(y, h, NULL, "because the mode cannot change under it");
			continue;
		}
		f = add_finding(y, GS_RULE_HOLDER_MAY_BLOCK, GS_SEVERITY_NOTE, "%s has it open; if the mode stays pending, stop it and try again",
				gs_holder_label(h, label, sizeof(label)));
		add_holder(y, f, h);
	}
	if (disturbs && !y->gpu->holders_visible)
		add_finding(y, GS_RULE_HOLDERS_HIDDEN, GS_SEVERITY_CONFIRM, "not every process can be seen here: that nobody uses it is not proven");
}

/* ---------------------------------------------------------------- what is to be known */

static void add_notes(struct policy *y)
{
	size_t recreated = 0;

	for (size_t i = 0; i < y->d->n_changes; i++)
		recreated += y->d->changes[i].kind == GS_CHANGE_RECREATE;
	if (recreated)
		add_finding(y, GS_RULE_UUID_MAY_CHANGE, GS_SEVERITY_NOTE, "%zu instance%s recreated: the UUID may be another one after", recreated,
			    recreated == 1 ? " is" : "s are");
	if (y->d->mode_changes && y->gpu->mode_needs_reset)
		add_finding(y, GS_RULE_MODE_PENDING, GS_SEVERITY_NOTE, "this model changes its mode only with a GPU reset: the change may stay pending until then");
	if (y->d->is_changed && y->d->target->n_wants)
		add_finding(y, GS_RULE_NOT_SAVED, GS_SEVERITY_NOTE, "lost at reboot: the driver keeps no instances%s",
			    y->gpu->mode_survives_reboot ? "" : ", and this model not even MIG mode");
}

static bool is_blocked_since(const struct gs_plan *p, size_t first)
{
	for (size_t i = first; i < p->n_findings; i++)
		if (p->findings[i].severity == GS_SEVERITY_BLOCK)
			return true;
	return false;
}

int gs_policy_apply(struct gs_plan *p, const struct gs_diff_gpu *d, const struct gs_plan_options *options, struct gs_error *e)
{
	struct policy y = { .p = p, .d = d, .gpu = d->gpu, .options = options, .e = e };
	size_t before;

	if (!d->is_changed)
		return 0;
	before = p->n_findings;
	if (!block_impossible(&y)) {
		check_mode(&y);
		check_placement(&y);
		check_compute(&y);
		check_holders(&y);
		/* what would come after is of no interest while it cannot be done */
		if (!is_blocked_since(p, before))
			add_notes(&y);
	}
	return y.failed || gs_arena_has_failed(p->arena) ? gs_error_oom(e) : 0;
}
