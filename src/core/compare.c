/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/compare.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/parse.h"

/* Of each GPU, whatever the bound is: a driver or a mode comes first. */
#define PER_GPU_MIN 2

struct telling {
	const struct gs_plan *p;
	const struct gs_gpu *was, *now;
	struct gs_strbuf *b;
	size_t max;                     /* that are told */
	size_t n, told;
	const struct gs_gpu *last;      /* that something was told of, and how much */
	size_t of_last;
};

static void tell(struct telling *t, const char *fmt, ...) GS_PRINTF(2, 3);
static void tell(struct telling *t, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	t->n++;
	if (t->last != t->was)
		t->of_last = 0;
	t->last = t->was;
	/* none goes unmentioned because others have more to tell */
	if (t->told >= t->max && t->of_last >= PER_GPU_MIN)
		return;
	t->told++;
	t->of_last++;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	gs_strbuf_printf(t->b, "%sGPU %" PRIu32 " %s", t->b->length ? "; " : "", t->was->index, text);
}

static void end(const struct telling *t)
{
	if (t->n > t->told)
		gs_strbuf_printf(t->b, "; and %zu more", t->n - t->told);
}

static const char *word(const char *s)
{
	return s ? s : "nothing";
}

/* ---------------------------------------------------------------- what a step does that nothing brings back */

static bool has_none(const struct telling *t, enum gs_step_op op, const char *key)
{
	for (size_t i = 0; i < t->p->n_steps; i++) {
		const struct gs_step *s = &t->p->steps[i];

		if (s->op == op && s->undo == GS_UNDO_NONE && s->gpu == t->was->index && (!key || gs_str_equal(s->key, key)))
			return true;
	}
	return false;
}

/* ---------------------------------------------------------------- one GPU */

static void compare_driver(struct telling *t)
{
	/* what had none, or a stub that an interrupted tool left it on, may keep the one that it got */
	if (!gs_str_equal(t->was->driver, t->now->driver) && !((!t->was->driver || t->was->stranded) && has_none(t, GS_STEP_BIND_DRIVER, NULL)))
		tell(t, "has driver %s, not %s", word(t->now->driver), word(t->was->driver));
	if (!gs_str_equal(t->was->driver_override, t->now->driver_override))
		tell(t, "has driver_override %s, not %s", word(t->now->driver_override), word(t->was->driver_override));
	if (t->was->mode != GS_MODE_INVALID && t->was->mode != t->now->mode)
		tell(t, "is in mode %s, not %s", word(gs_mode_name(t->now->mode)), gs_mode_name(t->was->mode));
}

static const char *waiting_for(enum gs_mode mode)
{
	return mode == GS_MODE_INVALID ? "nothing" : gs_mode_name(mode);
}

static void compare_siblings(struct telling *t)
{
	char bdf[GS_BDF_TEXT];

	for (size_t i = 0; i < t->was->n_siblings; i++)
		for (size_t k = 0; k < t->now->n_siblings; k++) {
			const struct gs_sibling *was = t->was->siblings[i], *now = t->now->siblings[k];

			/* what nobody drove may keep the driver that it got */
			if (gs_bdf_compare(was->bdf, now->bdf) == 0 && was->driver && !gs_str_equal(was->driver, now->driver))
				tell(t, "has driver %s on its function %s, not %s", word(now->driver), gs_bdf_format(was->bdf, bdf), was->driver);
		}
}

static void compare_pending(struct telling *t)
{
	if (t->was->mode_pending != t->now->mode_pending && t->was->mode != GS_MODE_INVALID)
		tell(t, "waits for mode %s, not %s", waiting_for(t->now->mode_pending), waiting_for(t->was->mode_pending));
	for (size_t i = 0; t->was->mode == t->now->mode && i < t->was->n_settings; i++) {
		const struct gs_setting *before = t->was->settings[i], *after = gs_gpu_setting(t->now, before->key);

		if (after && !gs_str_equal(before->pending, after->pending) && !has_none(t, GS_STEP_SET_SETTING, before->key))
			tell(t, "waits for %s %s, not %s", before->key, word(after->pending), word(before->pending));
	}
}

static void compare_functions(struct telling *t)
{
	if (t->was->vfs.enabled.known && !gs_u32_equal(t->was->vfs.enabled, t->now->vfs.enabled)) {
		if (t->now->vfs.enabled.known)
			tell(t, "has %" PRIu32 " VFs, not %" PRIu32, t->now->vfs.enabled.value, t->was->vfs.enabled.value);
		else
			tell(t, "does not tell its VFs, of which there were %" PRIu32, t->was->vfs.enabled.value);
	}
	/* in another mode it may have none */
	for (size_t i = 0; t->was->mode == t->now->mode && i < t->was->n_settings; i++) {
		const struct gs_setting *before = t->was->settings[i], *after = gs_gpu_setting(t->now, before->key);
		const char *value = after ? after->value : NULL;

		if (before->value && !gs_setting_is(value, before->value, true) && !has_none(t, GS_STEP_SET_SETTING, before->key))
			tell(t, "has %s %s, not %s", before->key, word(value), before->value);
	}
}

static const char *place_text(const struct gs_instance *inst, char *buf, size_t size)
{
	if (inst->vf.known)
		snprintf(buf, size, " on VF %" PRIu32, inst->vf.value);
	else if (inst->kind == GS_KIND_VGPU && inst->uuid)
		snprintf(buf, size, " (mdev %s)", inst->uuid);
	else if (inst->start.known)
		snprintf(buf, size, " at %" PRIu32, inst->start.value);
	else
		snprintf(buf, size, " (GI %" PRIu32 ")", inst->id);
	return buf;
}

/* The instance of @gpu that is the same as @inst: by its place, a mdev by its name. */
static const struct gs_instance *same_in(const struct gs_gpu *gpu, const struct gs_instance *inst)
{
	if (inst->kind == GS_KIND_VGPU && !inst->vf.known && inst->uuid)
		return gs_gpu_instance_by_uuid(gpu, inst->uuid);
	for (size_t i = 0; i < gpu->n_instances; i++) {
		const struct gs_instance *other = gpu->instances[i];

		if (other->kind == inst->kind && gs_str_equal(other->profile, inst->profile) && gs_u32_equal(other->start, inst->start) &&
		    (inst->start.known || other->id == inst->id))
			return other;
	}
	return NULL;
}

/* What a mode or a setting makes comes and goes with it. */
static bool is_made(const struct gs_instance *inst)
{
	return inst->kind == GS_KIND_MIG || inst->kind == GS_KIND_VGPU;
}

/* A vGPU's parameters, and a VF's; of a GI they are what it is set to. What reads as if it had never been set is not told. */
static void compare_params(struct telling *t, const struct gs_instance *was, const struct gs_instance *now)
{
	char place[64];

	for (size_t i = 0; i < was->n_params; i++) {
		const struct gs_key_value *param = &was->params[i];
		const char *value = gs_instance_param(now, param->key);

		if (!param->value || !param->value[0] || gs_instance_param_is(now, param->key, param->value) || gs_setting_is(value, param->value, true) ||
		    has_none(t, GS_STEP_SET_PARAM, param->key) || has_none(t, GS_STEP_SET_SETTING, param->key))
			continue;
		tell(t, "has %s%s with %s %s, not %s", word(was->profile), place_text(was, place, sizeof(place)), param->key, word(value), param->value);
	}
}

/* Ids of GIs are given anew; their places are what they are known by. */
static bool lies_in_same_gi(const struct telling *t, const struct gs_instance *was, const struct gs_instance *now)
{
	const struct gs_instance *from = gs_gpu_gi_of(t->was, was), *to = gs_gpu_gi_of(t->now, now);

	return !from || !to || gs_u32_equal(from->start, to->start);
}

/* What a step gave to one that was there before, and that had none of it. */
static void compare_new_params(struct telling *t, const struct gs_instance *was, const struct gs_instance *now)
{
	char place[64];

	for (size_t i = 0; i < t->p->n_steps; i++) {
		const struct gs_step *s = &t->p->steps[i];
		const char *before;

		if (s->op != GS_STEP_SET_PARAM || s->undo == GS_UNDO_NONE || s->gpu != t->was->index || !s->value[0] ||
		    !(s->vf.known ? gs_u32_equal(s->vf, was->vf) : gs_str_equal(s->uuid, was->uuid)))
			continue;
		before = gs_instance_param(was, s->key);
		if ((!before || !before[0]) && gs_instance_param(now, s->key) && gs_str_equal(gs_instance_param(now, s->key), s->value))
			tell(t, "still has the new %s %s on the %s%s", s->key, s->value, word(was->profile), place_text(was, place, sizeof(place)));
	}
}

static bool has_same_compute(const struct gs_instance *was, const struct gs_instance *now)
{
	for (size_t i = 0; i < was->n_compute; i++)
		if (was->compute[i]->start.known && !gs_instance_compute_at(now, was->compute[i]->profile, was->compute[i]->start.value))
			return false;
	return true;
}

static void compare_missing(struct telling *t)
{
	char place[64];

	for (size_t i = 0; i < t->was->n_instances; i++) {
		const struct gs_instance *inst = t->was->instances[i], *after = same_in(t->now, inst);

		if (after) {
			compare_params(t, inst, after);
			compare_new_params(t, inst, after);
		}
		if (!is_made(inst))
			continue;
		if (!after)
			tell(t, "has no %s%s any more", word(inst->profile), place_text(inst, place, sizeof(place)));
		else if (inst->kind == GS_KIND_VGPU && !lies_in_same_gi(t, inst, after))
			tell(t, "has the %s%s in another GPU instance", word(inst->profile), place_text(inst, place, sizeof(place)));
		else if (after->n_compute == inst->n_compute && !has_same_compute(inst, after))
			tell(t, "has other compute instances in the %s%s than it had", word(inst->profile), place_text(inst, place, sizeof(place)));
		else if (after->n_compute != inst->n_compute)
			tell(t, "has %zu compute instances in the %s%s, not %zu", after->n_compute, word(inst->profile), place_text(inst, place, sizeof(place)), inst->n_compute);
	}
}

/* Did @p make it? */
static bool is_by(const struct gs_plan *p, const struct gs_gpu *gpu, const struct gs_instance *inst)
{
	for (size_t i = 0; i < p->n_steps; i++) {
		const struct gs_step *s = &p->steps[i];

		if (s->gpu != gpu->index || !gs_str_equal(s->profile, inst->profile))
			continue;
		if (s->op == GS_STEP_CREATE_GI && inst->kind == GS_KIND_MIG && gs_u32_is(inst->start, s->span.start))
			return true;
		if (s->op == GS_STEP_CREATE_VGPU && inst->kind == GS_KIND_VGPU && (s->vf.known ? gs_u32_equal(s->vf, inst->vf) : gs_str_equal(s->uuid, inst->uuid)))
			return true;
	}
	return false;
}

static void compare_more(struct telling *t)
{
	char place[64];

	for (size_t i = 0; i < t->now->n_instances; i++) {
		const struct gs_instance *inst = t->now->instances[i];

		if (is_made(inst) && !same_in(t->was, inst) && is_by(t->p, t->was, inst))
			tell(t, "still has the new %s%s", word(inst->profile), place_text(inst, place, sizeof(place)));
	}
}

/* Can nothing be said of it? Then that is the difference. */
static bool is_out_of_sight(struct telling *t)
{
	if (!t->now)
		tell(t, "has gone, and what was done to it cannot be told");
	else if (t->now->lost && !t->was->lost)
		tell(t, "cannot be looked at (%.120s), so what is left on it cannot be told", t->now->lost);
	return !t->now || t->now->lost;
}

size_t gs_compare_undone(const struct gs_plan *p, const struct gs_snapshot *now, size_t max, struct gs_strbuf *b)
{
	struct telling t = { .p = p, .b = b, .max = max };

	for (size_t i = 0; i < p->n_base; i++) {
		t.was = gs_snapshot_gpu(p->snapshot, p->base[i].gpu);
		t.now = gs_snapshot_gpu_by_bdf(now, p->base[i].bdf);
		if (is_out_of_sight(&t))
			continue;
		compare_driver(&t);
		compare_siblings(&t);
		compare_pending(&t);
		compare_functions(&t);
		compare_missing(&t);
		compare_more(&t);
	}
	end(&t);
	return t.n;
}

/* ---------------------------------------------------------------- to the end */

/* Is what it did to be seen at the end: nothing later of the plan takes it back? */
static bool lasts(const struct gs_plan *p, size_t at)
{
	/* under another driver nobody tells what the GPU's own was told */
	for (size_t i = at + 1; i < p->n_steps; i++)
		if (p->steps[i].op == GS_STEP_UNBIND_DRIVER && p->steps[i].gpu == p->steps[at].gpu)
			return false;
	switch (p->steps[at].op) {
	case GS_STEP_CREATE_GI:
	case GS_STEP_CREATE_CI:
	case GS_STEP_CREATE_VGPU:
	case GS_STEP_ENABLE_VFS:
	case GS_STEP_SET_MODE:
	case GS_STEP_BIND_DRIVER:
	case GS_STEP_SET_SETTING:
	case GS_STEP_SET_PARAM:
		return true;
	default:
		return false;
	}
}

/* Is it still there by the plan? */
static bool is_kept(const struct gs_plan *p, const struct gs_gpu *gpu, const struct gs_instance *inst)
{
	for (size_t i = 0; i < p->n_steps; i++) {
		const struct gs_step *s = &p->steps[i];

		if (s->gpu != gpu->index)
			continue;
		/* what else goes with a mode or a driver has been taken away by name */
		if ((s->op == GS_STEP_DESTROY_GI && inst->kind == GS_KIND_MIG && s->instance_id == inst->id) ||
		    (s->op == GS_STEP_REMOVE_VGPU && inst->kind == GS_KIND_VGPU && (s->vf.known ? gs_u32_equal(s->vf, inst->vf) : gs_str_equal(s->uuid, inst->uuid))))
			return false;
	}
	return true;
}

static bool has_driver_step(const struct telling *t)
{
	for (size_t i = 0; i < t->p->n_steps; i++) {
		const struct gs_step *s = &t->p->steps[i];

		if (s->gpu == t->was->index && (s->op == GS_STEP_UNBIND_DRIVER || s->op == GS_STEP_BIND_DRIVER))
			return true;
	}
	return false;
}

/* A vendor's script that was interrupted leaves a GPU without its driver, or on a stub, and then shows no VFs: which may look like the end of a plan (interfaces 3.4). */
static void compare_kept_driver(struct telling *t)
{
	if (t->was->driver && !t->was->stranded && !has_driver_step(t) && !gs_str_equal(t->was->driver, t->now->driver))
		tell(t, "has driver %s, not %s", word(t->now->driver), t->was->driver);
}

size_t gs_compare_done(const struct gs_plan *p, const struct gs_snapshot *now, size_t max, struct gs_strbuf *b)
{
	struct telling t = { .p = p, .b = b, .max = max };
	struct gs_error e;
	char place[64];

	for (size_t i = 0; i < p->n_base; i++) {
		t.was = gs_snapshot_gpu(p->snapshot, p->base[i].gpu);
		t.now = gs_snapshot_gpu_by_bdf(now, p->base[i].bdf);
		if (is_out_of_sight(&t))
			continue;
		compare_kept_driver(&t);
		if (t.now->driver_override && !t.was->driver_override && t.now->mode != GS_MODE_PASSTHROUGH)
			tell(&t, "has driver_override %s, which gives it to that driver when it is next bound", t.now->driver_override);
		for (size_t k = 0; k < p->n_steps; k++) {
			int r = p->steps[k].gpu == t.was->index && lasts(p, k) ? gs_step_check(&p->steps[k], now, &e) : 0;

			if (r < 0 && r != -EINPROGRESS)
				tell(&t, "is without what step %zu does: %.160s", k + 1, p->steps[k].text);
		}
		for (size_t k = 0; k < t.was->n_instances; k++) {
			const struct gs_instance *inst = t.was->instances[k];

			if (is_made(inst) && inst->profile && is_kept(p, t.was, inst) && !same_in(t.now, inst))
				tell(&t, "has lost the %s%s, which was to stay", inst->profile, place_text(inst, place, sizeof(place)));
		}
	}
	end(&t);
	return t.n;
}

/* ---------------------------------------------------------------- what was to go */

static bool is_same_place(const struct gs_step *a, const struct gs_step *b)
{
	return a->gpu == b->gpu && gs_bdf_compare(a->function, b->function) == 0 && a->instance_id == b->instance_id;
}

/* Is what the step takes away to stay away? Ids may be given again, so what is made anew in its place counts. */
static bool stays_away(const struct gs_plan *p, size_t at)
{
	const struct gs_step *s = &p->steps[at];

	if (s->op != GS_STEP_DESTROY_CI && s->op != GS_STEP_DISABLE_VFS && s->op != GS_STEP_UNBIND_DRIVER)
		return false;
	for (size_t i = at + 1; i < p->n_steps; i++) {
		const struct gs_step *later = &p->steps[i];

		if (later->gpu != s->gpu)
			continue;
		if ((s->op == GS_STEP_DISABLE_VFS && later->op == GS_STEP_ENABLE_VFS) || (s->op == GS_STEP_DESTROY_CI && later->op == GS_STEP_CREATE_CI))
			return false;
		if (s->op == GS_STEP_UNBIND_DRIVER && later->op == GS_STEP_BIND_DRIVER && is_same_place(s, later))
			return false;
		/* with its GI it is told of as one */
		if (s->op == GS_STEP_DESTROY_CI && later->op == GS_STEP_DESTROY_GI && later->instance_id == s->instance_id)
			return false;
	}
	return true;
}

size_t gs_compare_left(const struct gs_plan *p, const struct gs_snapshot *now, size_t max, struct gs_strbuf *b)
{
	struct telling t = { .p = p, .b = b, .max = max };
	struct gs_error e;
	char place[64];

	for (size_t i = 0; i < p->n_base; i++) {
		t.was = gs_snapshot_gpu(p->snapshot, p->base[i].gpu);
		t.now = gs_snapshot_gpu_by_bdf(now, p->base[i].bdf);
		/* told by whoever compares the rest */
		if (!t.now || t.now->lost)
			continue;
		for (size_t k = 0; k < t.was->n_instances; k++) {
			const struct gs_instance *inst = t.was->instances[k];

			if (is_made(inst) && !is_kept(p, t.was, inst) && !is_by(p, t.was, inst) && same_in(t.now, inst))
				tell(&t, "still has the %s%s, which was to go", word(inst->profile), place_text(inst, place, sizeof(place)));
		}
		for (size_t k = 0; k < p->n_steps; k++)
			if (p->steps[k].gpu == t.was->index && stays_away(p, k) && gs_step_check(&p->steps[k], now, &e) < 0)
				tell(&t, "has not done step %zu: %.160s", k + 1, p->steps[k].text);
	}
	end(&t);
	return t.n;
}
