/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "create": claim what is there, ask for the rest. */
#include "core/script_edit.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"

static int add_want(struct gs_edit *x, enum gs_instance_kind kind, const struct gs_profile *p, struct gs_u32 start);
static int set_rest(struct gs_edit *x, struct gs_want *w, const struct gs_profile *p);

/* "vf:3" or "mdev:…" of a vGPU, NULL for a GI. */
static const char *place_text(struct gs_edit *x, const struct gs_instance *inst)
{
	if (inst->kind != GS_KIND_VGPU)
		return NULL;
	return inst->vf.known ? gs_arena_printf(gs_edit_arena(x), "vf:%" PRIu32, inst->vf.value)
			      : gs_arena_printf(gs_edit_arena(x), "mdev:%s", inst->uuid ? inst->uuid : "?");
}

static int claim(struct gs_edit *x, struct gs_want *w)
{
	struct gs_evaluation *ev = x->ev;
	const struct gs_instance *inst;
	void *grown;

	w->is_claimed = true;
	if (!w->instance_id.known)
		return 0;
	inst = gs_gpu_instance_at(x->gpu, w->profile, w->start.value);
	if (!inst || inst->kind != w->kind || inst->id != w->instance_id.value)
		return 0;   /* moved: nothing that is there is kept */
	grown = gs_arena_grow(gs_edit_arena(x), ev->claims, ev->n_claims, &ev->cap_claims, sizeof(*ev->claims));
	if (!grown)
		return gs_error_oom(x->e);
	ev->claims = grown;
	ev->claims[ev->n_claims++] = (struct gs_claim){ x->gpu->index, w->profile, w->kind, w->start.value, w->instance_id.value, place_text(x, inst),
							gs_instance_is_held(inst) };
	return 0;
}

/*
 * A request without a start claimed an instance that a later statement needs:
 * it takes another one, or asks for a new one. So the same script means the
 * same whether its instances are there already or not.
 */
static int reopen(struct gs_edit *x, struct gs_want *w)
{
	const struct gs_profile *p = gs_want_profile(w, x->gpu);
	enum gs_instance_kind kind = w->kind;
	uint32_t statement = w->open_claim;
	struct gs_want *made;
	int r;

	w->is_claimed = false;
	w->open_claim = 0;
	for (size_t i = 0; i < x->ev->n_claims; i++)
		if (x->ev->claims[i].gpu == x->gpu->index && x->ev->claims[i].kind == kind && gs_u32_is(w->instance_id, x->ev->claims[i].instance_id)) {
			memmove(&x->ev->claims[i], &x->ev->claims[i + 1], (x->ev->n_claims - i - 1) * sizeof(*x->ev->claims));
			x->ev->n_claims--;
			break;
		}
	for (size_t i = 0; i < x->g->n_wants; i++) {
		struct gs_want *other = &x->g->wants[i];

		if (other == w || other->is_claimed || !gs_str_equal(other->profile, w->profile))
			continue;
		other->open_claim = statement;
		return claim(x, other);
	}
	r = add_want(x, kind, p, GS_U32_UNKNOWN);
	if (r < 0)
		return r;
	made = &x->g->wants[x->g->n_wants - 1];
	made->open_claim = statement;
	return 0;
}

/* What two statements of one script ask for must not overlap: that is wrong on every machine. */
int gs_edit_make_way(struct gs_edit *x, enum gs_instance_kind kind, const struct gs_profile *p, uint32_t start, const struct gs_position *pos)
{
	struct gs_span mine, other;

	if (!gs_profile_placement_at(p, start, &mine))
		return 0;
	for (size_t i = 0; i < x->g->n_wants; i++) {
		struct gs_want *w = &x->g->wants[i];
		const struct gs_profile *q = w->kind == kind ? gs_want_profile(w, x->gpu) : NULL;

		if (!w->is_claimed || !w->start.known || !q || !gs_profile_placement_at(q, w->start.value, &other) || !gs_span_overlaps(mine, other))
			continue;
		if (w->open_claim) {
			int r = reopen(x, w);

			if (r < 0)
				return r;
			continue;
		}
		if (kind == GS_KIND_VGPU)
			return gs_error_at(x->e, -EINVAL, pos, "VF %" PRIu32 " of GPU %" PRIu32 " carries one vGPU, and this script asks for %s on it too", start, x->gpu->index,
					   q->name);
		return gs_error_at(x->e, -EINVAL, pos, "%s at %" PRIu32 " overlaps %s at %" PRIu32 " on GPU %" PRIu32 ", which this script asks for too", p->name, start,
				   q->name, other.start, x->gpu->index);
	}
	return 0;
}

static int check_ci(struct gs_edit *x, const struct gs_profile *p, const char *name, struct gs_u32 start, const struct gs_position *pos)
{
	const struct gs_compute_profile *c = gs_compute_profile_by_name(p, name);

	if (!c)
		return gs_error_at(x->e, -EINVAL, pos, "%s has no compute instance profile %s", p->name, name);
	for (size_t i = 0; start.known && i < c->n_placements; i++)
		if (c->placements[i].start == start.value)
			return 0;
	return start.known ? gs_error_at(x->e, -EINVAL, pos, "compute instance %s cannot start at slice %" PRIu32, c->name, start.value) : 0;
}

/* Give a want the compute instances that the statement lists. */
static int set_ci(struct gs_edit *x, struct gs_want *w, const struct gs_profile *p)
{
	const struct gs_statement *st = x->st;
	bool was_there = w->instance_id.known;

	switch (st->ci) {
	case GS_CI_DEFAULT:
		/* a kept instance keeps the compute instances that it has; one without gets the default */
		if (!was_there || !w->n_compute)
			w->compute_default = true;
		return 0;
	case GS_CI_NONE:
		w->compute_default = false;
		w->n_compute = 0;
		return 0;
	case GS_CI_LIST:
		break;
	}
	/* the one that fills it has the GI's name, also where the driver tells CI profiles only once the GI is there */
	if (st->n_cis == 1 && gs_str_equal(st->cis[0].profile, p->name) && !gs_compute_profile_default(p) && (!st->cis[0].start.known || !st->cis[0].start.value)) {
		w->compute_default = true;
		w->n_compute = 0;
		return 0;
	}
	w->compute_default = false;
	w->n_compute = 0;
	w->compute = gs_arena_calloc(gs_edit_arena(x), st->n_cis, sizeof(*w->compute));
	if (!w->compute)
		return gs_error_oom(x->e);
	for (size_t i = 0; i < st->n_cis; i++) {
		int r = check_ci(x, p, st->cis[i].profile, st->cis[i].start, &st->cis[i].pos);

		if (r < 0)
			return r;
		/* the canonical name, so that "3g.40gb" and the driver's name compare equal */
		w->compute[w->n_compute++] = (struct gs_want_compute){
			.profile = gs_arena_strdup(gs_edit_arena(x), gs_compute_profile_by_name(p, st->cis[i].profile)->name), .start = st->cis[i].start, .is_claimed = true };
	}
	return gs_want_check_compute(w, p, &st->cis[0].pos, x->e);
}

/* What the statement says about a vGPU beside its type and place. */
static int set_vgpu(struct gs_edit *x, struct gs_want *w)
{
	const struct gs_statement *st = x->st;

	if (st->uuid)
		w->uuid = gs_arena_strdup(gs_edit_arena(x), st->uuid);
	if (st->at.known)
		w->placement_id = st->at;
	if (st->has_inside) {
		w->on_profile = gs_arena_strdup(gs_edit_arena(x), st->inside.profile);
		w->on_start = GS_U32(st->inside.number);
	}
	for (size_t i = 0; i < st->n_params; i++)
		if (gs_want_set_param(gs_edit_arena(x), w, st->params[i].key, st->params[i].value) < 0)
			return gs_error_oom(x->e);
	return 0;
}

static int add_want(struct gs_edit *x, enum gs_instance_kind kind, const struct gs_profile *p, struct gs_u32 start)
{
	struct gs_want *w = gs_layout_add_want(x->ev->layout, x->g);

	if (!w)
		return gs_error_oom(x->e);
	w->kind = kind;
	w->profile = gs_arena_strdup(gs_edit_arena(x), p->name);
	w->start = start;
	w->pos = gs_edit_position(x, x->st->profile_pos.line ? x->st->profile_pos : x->st->pos);
	w->is_claimed = true;
	return set_rest(x, w, p);
}

static int set_rest(struct gs_edit *x, struct gs_want *w, const struct gs_profile *p)
{
	return w->kind == GS_KIND_MIG ? set_ci(x, w, p) : set_vgpu(x, w);
}

/* One instance at a decided place: claimed where it is there already, else new. */
static int create_at(struct gs_edit *x, enum gs_instance_kind kind, const struct gs_profile *p, uint32_t start, bool may_claim)
{
	struct gs_want *w = may_claim ? gs_edit_want_at(x->g, p->name, start, true) : NULL;
	int r;

	if (!w && may_claim) {
		struct gs_want *taken = gs_edit_want_at(x->g, p->name, start, false);

		if (taken && taken->open_claim) {
			r = reopen(x, taken);
			if (r < 0)
				return r;
			w = gs_edit_want_at(x->g, p->name, start, true);
		}
	}
	if (w) {
		r = set_rest(x, w, p);
		return r < 0 ? r : claim(x, w);
	}
	r = gs_edit_make_way(x, kind, p, start, x->st->at_pos.line ? &x->st->at_pos : &x->st->pos);
	return r < 0 ? r : add_want(x, kind, p, GS_U32(start));
}

static int create_from(struct gs_edit *x, const struct gs_profile *p, bool may_claim)
{
	uint32_t done = 0, end = x->st->at.value;
	int r;

	for (size_t i = 0; i < p->n_placements && done < x->st->count; i++) {
		struct gs_span span = p->placements[i];

		if (span.start < end)
			continue;
		r = create_at(x, GS_KIND_MIG, p, span.start, may_claim);
		if (r < 0)
			return r;
		done++;
		end = span.start + span.size;
	}
	if (done < x->st->count)
		return gs_error_at(x->e, -EINVAL, &x->st->at_pos, "%s has only %" PRIu32 " placement%s from %" PRIu32 " on, %" PRIu32 " are asked for", p->name, done,
				   done == 1 ? "" : "s", x->st->at.value, x->st->count);
	return 0;
}

/* An unclaimed one that will do. A UUID that is asked for is that one's, or a new one's. */
static bool may_be_claimed(const struct gs_edit *x, const struct gs_want *w, enum gs_instance_kind kind, const struct gs_profile *p)
{
	if (w->is_claimed || w->kind != kind || !gs_str_equal(w->profile, p->name) || (x->st->uuid && !gs_str_equal(w->uuid, x->st->uuid)))
		return false;
	/* one that lies in another GPU instance than the one named is another one; where that cannot be read it may be the one */
	return !x->st->has_inside || kind != GS_KIND_VGPU || !w->on_start.known || w->on_start.value == x->st->inside.number;
}

static int create_open(struct gs_edit *x, enum gs_instance_kind kind, const struct gs_profile *p, bool may_claim)
{
	uint32_t left = x->st->count;
	int r;

	/* wants of a machine are in start order */
	for (size_t i = 0; may_claim && left && i < x->g->n_wants; i++) {
		struct gs_want *w = &x->g->wants[i];

		if (!may_be_claimed(x, w, kind, p))
			continue;
		r = set_rest(x, w, p);
		if (r >= 0)
			r = claim(x, w);
		if (r < 0)
			return r;
		w->open_claim = x->number + 1;
		left--;
	}
	for (; left; left--) {
		r = add_want(x, kind, p, GS_U32_UNKNOWN);
		if (r < 0)
			return r;
	}
	return 0;
}

/* "create GPU/INST 1c.3g.40gb": one more compute instance in a GI. */
static int create_inside(struct gs_edit *x)
{
	const struct gs_statement *st = x->st;
	struct gs_want_compute *bigger;
	const struct gs_profile *p;
	struct gs_want *w = NULL;
	bool may_claim = x->context == GS_CONTEXT_FILE && !st->count_adds;
	uint32_t left = st->count;
	const char *name;
	int r = gs_edit_find(x, &st->inside, &w);

	if (r < 0)
		return r;
	if (!w)
		return gs_error_at(x->e, -ENOENT, &st->inside.pos, "GPU %" PRIu32 " has no %s at %" PRIu32 " to create a compute instance in", x->gpu->index,
				   st->inside.profile, st->inside.number);
	r = gs_edit_profile(x, w->profile, &st->inside.pos, &p, NULL);
	if (r >= 0)
		r = check_ci(x, p, st->profile, st->at, &st->profile_pos);
	if (r < 0)
		return r;
	name = gs_arena_strdup(gs_edit_arena(x), gs_compute_profile_by_name(p, st->profile)->name);
	if (w->compute_default) {
		/* what fills it is there already, or leaves no room: said by the plan */
		w->compute_default = false;
		w->compute = gs_arena_calloc(gs_edit_arena(x), 1, sizeof(*w->compute));
		if (!w->compute || !gs_compute_profile_default(p))
			return gs_error_oom(x->e);
		w->compute[0] = (struct gs_want_compute){ .profile = gs_compute_profile_default(p)->name, .start = GS_U32(0) };
		w->n_compute = 1;
	}
	for (size_t i = 0; may_claim && i < w->n_compute && left; i++) {
		struct gs_want_compute *c = &w->compute[i];

		if (c->is_claimed || !gs_str_equal(c->profile, name) || (st->at.known && !gs_u32_equal(c->start, st->at)))
			continue;
		c->is_claimed = true;
		left--;
	}
	bigger = gs_arena_calloc(gs_edit_arena(x), w->n_compute + left, sizeof(*bigger));
	if (!bigger)
		return gs_error_oom(x->e);
	if (w->n_compute)
		memcpy(bigger, w->compute, w->n_compute * sizeof(*bigger));
	w->compute = bigger;
	for (; left; left--)
		w->compute[w->n_compute++] = (struct gs_want_compute){ .profile = name, .start = st->at, .is_claimed = true };
	w->is_claimed = true;
	return 0;
}

/* A vGPU: on the VF that is named, or on any; its identity is the VF, or the UUID of an mdev. */
static int create_vgpu(struct gs_edit *x, const struct gs_profile *p, bool may_claim)
{
	const struct gs_statement *st = x->st;
	struct gs_want *gi = NULL;
	uint32_t n;
	int r = 0;

	if (st->ci != GS_CI_DEFAULT)
		return gs_error_at(x->e, -EINVAL, &st->pos, "a vGPU has no compute instances: leave «ci» out");
	/* before the VFs are on nobody tells which framework they will have */
	if (st->uuid && x->gpu->framework == GS_FRAMEWORK_VENDOR_VFIO)
		return gs_error_at(x->e, -EINVAL, &st->uuid_pos, "vGPUs of GPU %" PRIu32 " have no UUID: their identity is the VF (vf N)", x->gpu->index);
	if ((st->uuid || st->vf) && st->count > 1)
		return gs_error_at(x->e, -EINVAL, &st->pos, "one %s is named and %" PRIu32 " vGPUs are asked for", st->uuid ? "UUID" : "VF", st->count);
	if (st->has_inside && !p->gi_profile)
		return gs_error_at(x->e, -EINVAL, &st->profile_pos, "%s is time-sliced and lies in no GPU instance", p->name);
	if (st->has_inside)
		r = gs_edit_find(x, &st->inside, &gi);
	if (r == 0 && st->has_inside && !gi)
		return gs_error_at(x->e, -ENOENT, &st->inside.pos, "GPU %" PRIu32 " has no such GPU instance", x->gpu->index);
	if (r == 0 && gi && !gs_str_equal(gi->profile, p->gi_profile))
		return gs_error_at(x->e, -EINVAL, &st->profile_pos, "%s lies in a %s, not in a %s", p->name, p->gi_profile, gi->profile);
	if (r == 0 && st->vf)
		r = gs_edit_vf(x, st->vf, &st->vf_pos, &n);
	if (r < 0)
		return r;
	return st->vf ? create_at(x, GS_KIND_VGPU, p, n, may_claim) : create_open(x, GS_KIND_VGPU, p, may_claim);
}

static int remark_adding(struct gs_edit *x)
{
	if (!x->st->count_adds || x->context != GS_CONTEXT_FILE)
		return 0;
	return gs_edit_remark(x, x->st->pos, GS_SEVERITY_NOTE, "not-idempotent",
			      gs_arena_printf(gs_edit_arena(x), "count +%" PRIu32 " adds each time this script runs", x->st->count));
}

int gs_edit_create(struct gs_edit *x)
{
	const struct gs_statement *st = x->st;
	enum gs_instance_kind kind = GS_KIND_MIG;
	const struct gs_profile *p = NULL;
	bool may_claim = x->context == GS_CONTEXT_FILE && !st->count_adds;
	bool is_vgpu = gs_profile_by_name(&x->gpu->grids[GS_KIND_VGPU], st->profile) || gs_gpu_profile_by_last_word(x->gpu, st->profile, NULL);
	int r;

	if (st->has_inside && !is_vgpu)
		return create_inside(x);
	r = gs_edit_profile(x, st->profile, &st->profile_pos, &p, &kind);
	if (r < 0)
		return r;
	if (kind == GS_KIND_VGPU) {
		r = remark_adding(x);
		return r < 0 ? r : create_vgpu(x, p, may_claim);
	}
	if (st->vf || st->uuid || st->n_params)
		return gs_error_at(x->e, -EINVAL, &st->pos, st->n_params ? "a MIG instance takes no parameters"
									 : "a MIG instance takes no vf and no uuid: the driver gives its identity");
	if (st->at.known)
		r = gs_edit_check_start(x, p, st->at.value, &st->at_pos);
	if (r >= 0)
		r = remark_adding(x);
	if (r < 0)
		return r;
	if (!st->at.known)
		return create_open(x, kind, p, may_claim);
	return st->count > 1 ? create_from(x, p, may_claim) : create_at(x, kind, p, st->at.value, may_claim);
}
