/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/script.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"

static const char *const verb_names[] = {
	[GS_VERB_MODE] = "mode",
	[GS_VERB_CREATE] = "create",
	[GS_VERB_DELETE] = "delete",
	[GS_VERB_MOVE] = "move",
	[GS_VERB_RECREATE] = "recreate",
	[GS_VERB_COPY] = "copy",
	[GS_VERB_USE] = "use",
	[GS_VERB_VFS] = "vfs",
	[GS_VERB_SET] = "set",
};

const char *gs_verb_name(enum gs_verb v)
{
	return (unsigned)v < GS_VERB_MAX ? verb_names[v] : NULL;
}

enum gs_verb gs_verb_from_name(const char *s)
{
	unsigned i = 0;

	while (i < GS_VERB_MAX && strcmp(s, verb_names[i]) != 0)
		i++;
	return (enum gs_verb)i;
}

struct gs_script *gs_script_new(void)
{
	struct gs_script *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->arena = gs_arena_new();
	if (!s->arena) {
		free(s);
		return NULL;
	}
	return s;
}

struct gs_script *gs_script_free(struct gs_script *s)
{
	if (!s)
		return NULL;
	gs_arena_free(s->arena);
	free(s);
	return NULL;
}

void gs_evaluation_done(struct gs_evaluation *ev)
{
	gs_layout_free(ev->layout);
	memset(ev, 0, sizeof(*ev));
}

/* ---------------------------------------------------------------- which GPUs */

static bool gpu_matches(const struct gs_gpu_selector *sel, const struct gs_gpu *gpu)
{
	switch (sel->kind) {
	case GS_SELECT_GPU_RANGE:
		return gpu->index >= sel->first && gpu->index <= sel->last;
	case GS_SELECT_GPU_BDF:
		return gs_bdf_compare(gpu->bdf, sel->bdf) == 0;
	case GS_SELECT_GPU_UUID:
		return gpu->uuid && gs_str_starts(gpu->uuid, sel->text);
	case GS_SELECT_GPU_MODEL:
		return gpu->name && fnmatch(sel->text, gpu->name, FNM_CASEFOLD) == 0;
	case GS_SELECT_GPU_ALL:
		return true;
	}
	return false;
}

int gs_select_gpus(const struct gs_gpu_selector *sel, const struct gs_snapshot *s, uint32_t *ret, size_t max, size_t *ret_n, struct gs_error *e)
{
	size_t n = 0, total = gs_snapshot_n_gpus(s);
	char bdf[GS_BDF_TEXT];

	if (sel->kind == GS_SELECT_GPU_RANGE && sel->last >= total) {
		if (!total)
			return gs_error_at(e, -ENODEV, &sel->pos, "no GPU %" PRIu32 ": this machine has none", sel->last);
		return gs_error_at(e, -ENODEV, &sel->pos, "no GPU %" PRIu32 ": this machine has %s%zu", sel->last, total == 1 ? "only GPU " : "0 to ", total - 1);
	}
	for (size_t i = 0; i < total && n < max; i++)
		if (gpu_matches(sel, gs_snapshot_gpu(s, i)))
			ret[n++] = (uint32_t)i;
	if (n && !(sel->kind == GS_SELECT_GPU_UUID && n > 1)) {
		*ret_n = n;
		return 0;
	}
	switch (sel->kind) {
	case GS_SELECT_GPU_UUID:
		return gs_error_at(e, n ? -EINVAL : -ENODEV, &sel->pos, n ? "%s is the beginning of more than one GPU's UUID" : "no GPU has a UUID that begins with %s",
				   sel->text);
	case GS_SELECT_GPU_MODEL:
		return gs_error_at(e, -ENODEV, &sel->pos, "no GPU's model matches \"%s\"", sel->text);
	case GS_SELECT_GPU_BDF:
		return gs_error_at(e, -ENODEV, &sel->pos, "no GPU at %s", gs_bdf_format(sel->bdf, bdf));
	default:
		return gs_error_at(e, -ENODEV, &sel->pos, "this machine has no GPU");
	}
}

/* ---------------------------------------------------------------- evaluation */

struct evaluator {
	const struct gs_snapshot *s;
	enum gs_script_context context;
	struct gs_evaluation *ev;
	const struct gs_statement *st;
	uint32_t number;            /* of @st, from 0 */
	/* the GPU that the statement works on now */
	const struct gs_gpu *gpu;
	struct gs_layout_gpu *g;
	struct gs_error *e;
};

static struct gs_arena *arena_of(struct evaluator *x)
{
	return x->ev->layout->arena;
}

static struct gs_position copy_position(struct evaluator *x, struct gs_position pos)
{
	pos.file = gs_arena_strdup(arena_of(x), pos.file);
	return pos;
}

static int remark(struct evaluator *x, struct gs_position pos, enum gs_severity severity, const char *rule, const char *text)
{
	struct gs_evaluation *ev = x->ev;
	void *grown = gs_arena_grow(arena_of(x), ev->remarks, ev->n_remarks, &ev->cap_remarks, sizeof(*ev->remarks));

	if (!grown || !text)
		return gs_error_oom(x->e);
	ev->remarks = grown;
	ev->remarks[ev->n_remarks++] = (struct gs_remark){ copy_position(x, pos), x->gpu->index, severity, rule, text };
	return 0;
}

static int claim(struct evaluator *x, struct gs_want *w)
{
	struct gs_evaluation *ev = x->ev;
	const struct gs_instance *inst;
	void *grown;

	w->is_claimed = true;
	if (!w->instance_id.known)
		return 0;
	inst = gs_gpu_instance_at(x->gpu, w->profile, w->start.value);
	if (!inst || inst->id != w->instance_id.value)
		return 0;   /* moved: nothing that is there is kept */
	grown = gs_arena_grow(arena_of(x), ev->claims, ev->n_claims, &ev->cap_claims, sizeof(*ev->claims));
	if (!grown)
		return gs_error_oom(x->e);
	ev->claims = grown;
	ev->claims[ev->n_claims++] = (struct gs_claim){ x->gpu->index, w->profile, w->start.value, w->instance_id.value, gs_instance_is_held(inst) };
	return 0;
}

/* "1g.10gb, 2g.20gb, …" for an error about an unknown word. */
static const char *known_profiles(const struct gs_gpu *gpu, struct gs_strbuf *b)
{
	for (size_t i = 0; i < gpu->profiles.n; i++)
		gs_strbuf_printf(b, "%s%s", i ? ", " : "", gpu->profiles.items[i].name);
	gs_strbuf_puts(b, "");
	return b->text ? b->text : "";
}

static const char *known_starts(const struct gs_profile *p, struct gs_strbuf *b)
{
	for (size_t i = 0; i < p->n_placements; i++)
		gs_strbuf_printf(b, "%s%" PRIu32, !i ? "" : i + 1 == p->n_placements ? " or " : ", ", p->placements[i].start);
	gs_strbuf_puts(b, "");
	return b->text ? b->text : "";
}

static int find_profile(struct evaluator *x, const char *name, const struct gs_position *pos, const struct gs_profile **ret_profile)
{
	GS_STRBUF struct gs_strbuf known = GS_STRBUF_INIT;
	char label[96];
	const struct gs_profile *p = gs_profile_by_name(&x->gpu->profiles, name);

	if (p) {
		*ret_profile = p;
		return 0;
	}
	gs_gpu_label(x->gpu, label, sizeof(label));
	if (!x->gpu->profiles.n)
		return gs_error_at(x->e, -ENODEV, pos, "%s has no MIG profiles%s%s", label, x->gpu->lost ? ": " : ": it cannot be partitioned, or its profiles cannot be read",
				   x->gpu->lost ? x->gpu->lost : "");
	return gs_error_at(x->e, -EINVAL, pos, "%s has no profile %s; it has %s", label, name, known_profiles(x->gpu, &known));
}

static int check_start(struct evaluator *x, const struct gs_profile *p, uint32_t start, const struct gs_position *pos)
{
	GS_STRBUF struct gs_strbuf known = GS_STRBUF_INIT;

	if (!p->n_placements || gs_profile_placement_at(p, start, NULL))
		return 0;
	return gs_error_at(x->e, -EINVAL, pos, "%s cannot start at %" PRIu32 ", only at %s", p->name, start, known_starts(p, &known));
}

static struct gs_want *want_at(struct gs_layout_gpu *g, const char *profile, uint32_t start, bool unclaimed_only)
{
	for (size_t i = 0; i < g->n_wants; i++)
		if (gs_u32_is(g->wants[i].start, start) && gs_str_equal(g->wants[i].profile, profile) && !(unclaimed_only && g->wants[i].is_claimed))
			return &g->wants[i];
	return NULL;
}

static struct gs_want *want_of(struct gs_layout_gpu *g, uint32_t instance_id)
{
	for (size_t i = 0; i < g->n_wants; i++)
		if (gs_u32_is(g->wants[i].instance_id, instance_id) || gs_u32_is(g->wants[i].moved_id, instance_id))
			return &g->wants[i];
	return NULL;
}

/* The instance on the machine whose UUID begins so; how many distinct ones do. */
static const struct gs_instance *instance_by_uuid(const struct gs_gpu *gpu, const char *prefix, size_t *ret_n)
{
	const struct gs_instance *found = NULL;

	*ret_n = 0;
	for (size_t i = 0; i < gpu->n_instances; i++) {
		const struct gs_instance *inst = gpu->instances[i];
		bool matches = false;

		for (size_t k = 0; k < inst->n_compute; k++)
			matches |= inst->compute[k]->uuid && gs_str_starts(inst->compute[k]->uuid, prefix);
		if (!matches)
			continue;
		found = inst;
		*ret_n += 1;
	}
	return found;
}

/* The instance that a selector names, as it stands in the layout. *@ret is NULL when it is legal but absent. */
static int find_want(struct evaluator *x, const struct gs_instance_selector *sel, struct gs_want **ret)
{
	const struct gs_profile *p = NULL;
	const struct gs_instance *inst;
	struct gs_want *found = NULL;
	size_t n_matches = 0;
	int r;

	switch (sel->kind) {
	case GS_SELECT_AT:
		r = find_profile(x, sel->profile, &sel->pos, &p);
		if (r >= 0)
			r = check_start(x, p, sel->number, &sel->pos);
		if (r < 0)
			return r;
		*ret = want_at(x->g, sel->profile, sel->number, false);
		return 0;
	case GS_SELECT_GI:
		if (x->context != GS_CONTEXT_PROMPT)
			return gs_error_at(x->e, -EINVAL, &sel->pos, "gi:%" PRIu32 " cannot be used in a file: the driver reuses these numbers; write PROFILE@START", sel->number);
		found = want_of(x->g, sel->number);
		break;
	case GS_SELECT_UUID:
		inst = instance_by_uuid(x->gpu, sel->text, &n_matches);
		if (n_matches > 1)
			return gs_error_at(x->e, -EINVAL, &sel->pos, "%s is the beginning of more than one instance's UUID", sel->text);
		if (inst && !inst->start.known)
			return gs_error_at(x->e, -EINVAL, &sel->pos, "%s is there, but its place cannot be seen at this privilege", sel->text);
		if (inst) {
			/* by identity: it may have been moved, and another may stand where it stood */
			*ret = want_of(x->g, inst->id);
			return 0;
		}
		break;
	default:
		return gs_error_at(x->e, -EINVAL, &sel->pos, "a MIG instance is named by PROFILE@START or its MIG-UUID");
	}
	if (!found)
		return gs_error_at(x->e, -ENOENT, &sel->pos, "GPU %" PRIu32 " has no such instance", x->gpu->index);
	*ret = found;
	return 0;
}

static int add_want(struct evaluator *x, const struct gs_profile *p, struct gs_u32 start);

/*
 * A request without a start claimed an instance that a later statement needs:
 * it takes another one, or asks for a new one. So the same script means the
 * same whether its instances are there already or not.
 */
static int reopen(struct evaluator *x, struct gs_want *w)
{
	const struct gs_profile *p = gs_profile_by_name(&x->gpu->profiles, w->profile);
	uint32_t statement = w->open_claim;
	struct gs_want *made;
	int r;

	w->is_claimed = false;
	w->open_claim = 0;
	for (size_t i = 0; i < x->ev->n_claims; i++)
		if (x->ev->claims[i].gpu == x->gpu->index && gs_u32_is(w->instance_id, x->ev->claims[i].instance_id)) {
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
	r = add_want(x, p, GS_U32_UNKNOWN);
	if (r < 0)
		return r;
	made = &x->g->wants[x->g->n_wants - 1];
	made->open_claim = statement;
	return 0;
}

/* What two statements of one script ask for must not overlap: that is wrong on every machine. */
static int check_own_overlap(struct evaluator *x, const struct gs_profile *p, uint32_t start, const struct gs_position *pos)
{
	struct gs_span mine, other;

	if (!gs_profile_placement_at(p, start, &mine))
		return 0;
	for (size_t i = 0; i < x->g->n_wants; i++) {
		struct gs_want *w = &x->g->wants[i];
		const struct gs_profile *q = gs_profile_by_name(&x->gpu->profiles, w->profile);

		if (!w->is_claimed || !w->start.known || !q || !gs_profile_placement_at(q, w->start.value, &other) || !gs_span_overlaps(mine, other))
			continue;
		if (w->open_claim) {
			int r = reopen(x, w);

			if (r < 0)
				return r;
			continue;
		}
		return gs_error_at(x->e, -EINVAL, pos, "%s at %" PRIu32 " overlaps %s at %" PRIu32 " on GPU %" PRIu32 ", which this script asks for too", p->name, start,
				   q->name, other.start, x->gpu->index);
	}
	return 0;
}

static int check_ci(struct evaluator *x, const struct gs_profile *p, const char *name, struct gs_u32 start, const struct gs_position *pos)
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
static int set_ci(struct evaluator *x, struct gs_want *w, const struct gs_profile *p)
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
	w->compute = gs_arena_calloc(arena_of(x), st->n_cis, sizeof(*w->compute));
	if (!w->compute)
		return gs_error_oom(x->e);
	for (size_t i = 0; i < st->n_cis; i++) {
		int r = check_ci(x, p, st->cis[i].profile, st->cis[i].start, &st->cis[i].pos);

		if (r < 0)
			return r;
		/* the canonical name, so that "3g.40gb" and the driver's name compare equal */
		w->compute[w->n_compute++] = (struct gs_want_compute){
			.profile = gs_arena_strdup(arena_of(x), gs_compute_profile_by_name(p, st->cis[i].profile)->name), .start = st->cis[i].start, .is_claimed = true };
	}
	return gs_want_check_compute(w, p, &st->cis[0].pos, x->e);
}

static int add_want(struct evaluator *x, const struct gs_profile *p, struct gs_u32 start)
{
	struct gs_want *w = gs_layout_add_want(x->ev->layout, x->g);

	if (!w)
		return gs_error_oom(x->e);
	w->kind = GS_KIND_MIG;
	w->profile = gs_arena_strdup(arena_of(x), p->name);
	w->start = start;
	w->pos = copy_position(x, x->st->profile_pos.line ? x->st->profile_pos : x->st->pos);
	w->is_claimed = true;
	return set_ci(x, w, p);
}

/* One instance at a decided place: claimed where it is there already, else new. */
static int create_at(struct evaluator *x, const struct gs_profile *p, uint32_t start, bool may_claim)
{
	struct gs_want *w = may_claim ? want_at(x->g, p->name, start, true) : NULL;
	int r;

	if (!w && may_claim) {
		struct gs_want *taken = want_at(x->g, p->name, start, false);

		if (taken && taken->open_claim) {
			r = reopen(x, taken);
			if (r < 0)
				return r;
			w = want_at(x->g, p->name, start, true);
		}
	}
	if (w) {
		r = set_ci(x, w, p);
		return r < 0 ? r : claim(x, w);
	}
	r = check_own_overlap(x, p, start, x->st->at_pos.line ? &x->st->at_pos : &x->st->pos);
	return r < 0 ? r : add_want(x, p, GS_U32(start));
}

static int create_from(struct evaluator *x, const struct gs_profile *p, bool may_claim)
{
	uint32_t done = 0, end = x->st->at.value;
	int r;

	for (size_t i = 0; i < p->n_placements && done < x->st->count; i++) {
		struct gs_span span = p->placements[i];

		if (span.start < end)
			continue;
		r = create_at(x, p, span.start, may_claim);
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

static int create_open(struct evaluator *x, const struct gs_profile *p, bool may_claim)
{
	uint32_t left = x->st->count;
	int r;

	/* wants of a machine are in start order */
	for (size_t i = 0; may_claim && left && i < x->g->n_wants; i++) {
		struct gs_want *w = &x->g->wants[i];

		if (w->is_claimed || !gs_str_equal(w->profile, p->name))
			continue;
		r = set_ci(x, w, p);
		if (r >= 0)
			r = claim(x, w);
		if (r < 0)
			return r;
		w->open_claim = x->number + 1;
		left--;
	}
	for (; left; left--) {
		r = add_want(x, p, GS_U32_UNKNOWN);
		if (r < 0)
			return r;
	}
	return 0;
}

/* "create GPU/INST 1c.3g.40gb": one more compute instance in a GI. */
static int create_inside(struct evaluator *x)
{
	const struct gs_statement *st = x->st;
	struct gs_want_compute *bigger;
	const struct gs_profile *p;
	struct gs_want *w = NULL;
	bool may_claim = x->context == GS_CONTEXT_FILE && !st->count_adds;
	uint32_t left = st->count;
	const char *name;
	int r = find_want(x, &st->inside, &w);

	if (r < 0)
		return r;
	if (!w)
		return gs_error_at(x->e, -ENOENT, &st->inside.pos, "GPU %" PRIu32 " has no %s at %" PRIu32 " to create a compute instance in", x->gpu->index,
				   st->inside.profile, st->inside.number);
	r = find_profile(x, w->profile, &st->inside.pos, &p);
	if (r >= 0)
		r = check_ci(x, p, st->profile, st->at, &st->profile_pos);
	if (r < 0)
		return r;
	name = gs_arena_strdup(arena_of(x), gs_compute_profile_by_name(p, st->profile)->name);
	if (w->compute_default) {
		/* what fills it is there already, or leaves no room: said by the plan */
		w->compute_default = false;
		w->compute = gs_arena_calloc(arena_of(x), 1, sizeof(*w->compute));
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
	bigger = gs_arena_calloc(arena_of(x), w->n_compute + left, sizeof(*bigger));
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

static int do_create(struct evaluator *x)
{
	const struct gs_statement *st = x->st;
	const struct gs_profile *p = NULL;
	bool may_claim = x->context == GS_CONTEXT_FILE && !st->count_adds;
	int r;

	if (st->vf || st->uuid)
		return gs_error_at(x->e, -EINVAL, &st->pos, "a MIG instance takes no %s: the driver gives its identity", st->vf ? "vf" : "uuid");
	if (st->has_inside)
		return create_inside(x);
	r = find_profile(x, st->profile, &st->profile_pos, &p);
	if (r >= 0 && st->at.known)
		r = check_start(x, p, st->at.value, &st->at_pos);
	if (r < 0)
		return r;
	if (st->count_adds && x->context == GS_CONTEXT_FILE) {
		r = remark(x, st->pos, GS_SEVERITY_NOTE, "not-idempotent",
			   gs_arena_printf(arena_of(x), "count +%" PRIu32 " adds each time this script runs", st->count));
		if (r < 0)
			return r;
	}
	if (!st->at.known)
		return create_open(x, p, may_claim);
	return st->count > 1 ? create_from(x, p, may_claim) : create_at(x, p, st->at.value, may_claim);
}

static int delete_one(struct evaluator *x, const struct gs_instance_selector *sel)
{
	struct gs_want *w = NULL;
	int r;

	if (sel->kind == GS_SELECT_ALL || sel->kind == GS_SELECT_REST) {
		for (size_t i = x->g->n_wants; i-- > 0;)
			if (sel->kind == GS_SELECT_ALL || !x->g->wants[i].is_claimed)
				gs_layout_remove_want(x->g, i);
		return 0;
	}
	r = find_want(x, sel, &w);
	if (r < 0)
		return r;
	if (!w)
		return remark(x, sel->pos, GS_SEVERITY_NOTE, "absent",
			      sel->kind == GS_SELECT_AT ? gs_arena_printf(arena_of(x), "%s@%" PRIu32 " is not there: nothing to delete", sel->profile, sel->number)
							: gs_arena_printf(arena_of(x), "%s is deleted already", sel->text ? sel->text : "it"));
	gs_layout_remove_want(x->g, (size_t)(w - x->g->wants));
	return 0;
}

/* "delete GPU/INST 1c.3g.40gb@0" */
static int delete_inside(struct evaluator *x)
{
	struct gs_want *w = NULL;
	int r = find_want(x, &x->st->inside, &w);

	if (r < 0)
		return r;
	for (size_t i = 0; i < x->st->n_instances; i++) {
		const struct gs_instance_selector *sel = &x->st->instances[i];
		bool all = sel->kind == GS_SELECT_ALL, found = all;

		if (!all && sel->kind != GS_SELECT_AT)
			return gs_error_at(x->e, -EINVAL, &sel->pos, "a compute instance is named by PROFILE@START");
		if (w && w->compute_default && (all || sel->number == 0)) {
			w->compute_default = false;
			w->n_compute = 0;
			found = true;
		}
		for (size_t k = w ? w->n_compute : 0; k-- > 0;) {
			if (!all && !(gs_str_equal(w->compute[k].profile, sel->profile) && gs_u32_is(w->compute[k].start, sel->number)))
				continue;
			memmove(&w->compute[k], &w->compute[k + 1], (w->n_compute - k - 1) * sizeof(*w->compute));
			w->n_compute--;
			found = true;
		}
		if (!found) {
			r = remark(x, sel->pos, GS_SEVERITY_NOTE, "absent", "that compute instance is not there: nothing to delete");
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int do_delete(struct evaluator *x)
{
	if (x->st->has_inside)
		return delete_inside(x);
	for (size_t i = 0; i < x->st->n_instances; i++) {
		int r = delete_one(x, &x->st->instances[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

static int do_move(struct evaluator *x)
{
	const struct gs_profile *p = NULL;
	struct gs_want *w = NULL;
	size_t at;
	int r = find_want(x, &x->st->instances[0], &w);

	if (r < 0)
		return r;
	if (!w)
		return gs_error_at(x->e, -ENOENT, &x->st->instances[0].pos, "GPU %" PRIu32 " has no such instance to move", x->gpu->index);
	r = find_profile(x, w->profile, &x->st->pos, &p);
	if (r >= 0)
		r = check_start(x, p, x->st->at.value, &x->st->at_pos);
	if (r < 0)
		return r;
	if (gs_u32_equal(w->start, x->st->at)) {
		w->is_claimed = true;
		w->open_claim = 0;
		return 0;
	}
	w->is_claimed = false;
	at = (size_t)(w - x->g->wants);
	r = check_own_overlap(x, p, x->st->at.value, &x->st->at_pos);
	if (r < 0)
		return r;
	/* what made way may have moved the array */
	w = &x->g->wants[at];
	if (w->instance_id.known)
		w->moved_id = w->instance_id;
	w->instance_id = GS_U32_UNKNOWN;
	w->start = x->st->at;
	w->pos = copy_position(x, x->st->pos);
	w->is_claimed = true;
	w->open_claim = 0;
	return 0;
}

static int do_recreate(struct evaluator *x)
{
	for (size_t i = 0; i < x->st->n_instances; i++) {
		const struct gs_instance_selector *sel = &x->st->instances[i];
		struct gs_want *w = NULL;
		int r;

		if (sel->kind == GS_SELECT_ALL) {
			for (size_t k = 0; k < x->g->n_wants; k++)
				x->g->wants[k].recreate = x->g->wants[k].is_claimed = true;
			continue;
		}
		r = find_want(x, sel, &w);
		if (r < 0)
			return r;
		if (!w)
			return gs_error_at(x->e, -ENOENT, &sel->pos, "GPU %" PRIu32 " has no such instance to recreate", x->gpu->index);
		w->recreate = true;
		w->is_claimed = true;
	}
	return 0;
}

static int copy_to(struct evaluator *x, uint32_t target)
{
	struct gs_layout *l = x->ev->layout;
	const struct gs_gpu *gpu = gs_snapshot_gpu(x->s, target);
	struct gs_layout_gpu *to = &l->gpus[target];

	if (target == x->gpu->index)
		return 0;
	to->mode = x->g->mode;
	to->mode_is_asked = true;
	to->n_wants = 0;
	for (size_t i = 0; i < x->g->n_wants; i++) {
		const struct gs_want *from = &x->g->wants[i];
		struct gs_want *w;

		if (!gs_profile_by_name(&gpu->profiles, from->profile))
			return gs_error_at(x->e, -EINVAL, &x->st->pos, "GPU %" PRIu32 " has no profile %s: it is another model than GPU %" PRIu32, target, from->profile,
					   x->gpu->index);
		w = gs_layout_add_want(l, to);
		if (!w)
			return gs_error_oom(x->e);
		gs_want_copy_afresh(arena_of(x), w, from);
		w->pos = copy_position(x, x->st->pos);
		w->is_claimed = true;
	}
	return 0;
}

static int do_copy(struct evaluator *x)
{
	size_t max = gs_snapshot_n_gpus(x->s), n;
	GS_FREE uint32_t *targets = calloc(max + 1, sizeof(*targets));
	char label[96];
	int r;

	if (!targets)
		return gs_error_oom(x->e);
	/* a GPU that cannot be seen into looks empty: copying that would empty the others */
	if (x->gpu->lost || x->g->positions_unknown) {
		gs_error_at(x->e, -EPERM, &x->st->gpu.pos, "what %s looks like cannot be seen here, so it cannot be copied", gs_gpu_label(x->gpu, label, sizeof(label)));
		if (x->e)
			x->e->status = GS_STATUS_CANNOT_TELL;
		return -EPERM;
	}
	for (size_t i = 0; i < x->st->n_targets; i++) {
		r = gs_select_gpus(&x->st->targets[i], x->s, targets, max, &n, x->e);
		for (size_t k = 0; r >= 0 && k < n; k++)
			r = copy_to(x, targets[k]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int do_statement(struct evaluator *x)
{
	switch (x->st->verb) {
	case GS_VERB_MODE:
		x->g->mode = x->st->mode;
		x->g->mode_is_asked = true;
		return 0;
	case GS_VERB_CREATE:
		return do_create(x);
	case GS_VERB_DELETE:
		return do_delete(x);
	case GS_VERB_MOVE:
		return do_move(x);
	case GS_VERB_RECREATE:
		return do_recreate(x);
	case GS_VERB_COPY:
		return do_copy(x);
	case GS_VERB_USE:
	case GS_VERB_VFS:
	case GS_VERB_SET:
	case GS_VERB_MAX:
		break;
	}
	gs_error_at(x->e, -EOPNOTSUPP, &x->st->pos, "%s: GPU %" PRIu32 " offers nothing of the kind to this version", gs_verb_name(x->st->verb), x->gpu->index);
	if (x->e)
		x->e->status = GS_STATUS_REFUSED;
	return -EOPNOTSUPP;
}

/* Where nvidia-smi counts otherwise than we do, a bare number may mean another board to whoever wrote it. */
static int remark_index(struct evaluator *x)
{
	if (x->context != GS_CONTEXT_FILE || x->st->gpu.kind != GS_SELECT_GPU_RANGE || !x->gpu->nvidia_index.known ||
	    x->gpu->nvidia_index.value == x->gpu->index)
		return 0;
	return remark(x, x->st->gpu.pos, GS_SEVERITY_CONFIRM, "bare-index",
		      gs_arena_printf(arena_of(x), "GPU %" PRIu32 " is nvidia-smi's %" PRIu32 ": name it by its PCI address or UUID to be sure", x->gpu->index,
				      x->gpu->nvidia_index.value));
}

static int evaluate_statement(struct evaluator *x, uint32_t *selected)
{
	size_t n;
	int r = gs_select_gpus(&x->st->gpu, x->s, selected, gs_snapshot_n_gpus(x->s), &n, x->e);

	if (r >= 0 && x->st->verb == GS_VERB_COPY && n != 1)
		return gs_error_at(x->e, -EINVAL, &x->st->gpu.pos, "copy takes one GPU to copy from; this names %zu", n);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		x->gpu = gs_snapshot_gpu(x->s, selected[i]);
		x->g = &x->ev->layout->gpus[selected[i]];
		r = remark_index(x);
		if (r >= 0)
			r = do_statement(x);
	}
	return r;
}

int gs_script_evaluate(const struct gs_script *script, const struct gs_snapshot *s, enum gs_script_context context,
		       struct gs_evaluation *ret_ev, struct gs_error *e)
{
	GS_EVALUATION struct gs_evaluation ev = { 0 };
	GS_FREE uint32_t *selected = calloc(gs_snapshot_n_gpus(s) + 1, sizeof(*selected));
	struct evaluator x = { .s = s, .context = context, .ev = &ev, .e = e };
	int r;

	if (!selected)
		return gs_error_oom(e);
	r = gs_layout_from_snapshot(s, &ev.layout, e);
	for (size_t i = 0; r >= 0 && i < script->n; i++) {
		x.st = &script->items[i];
		x.number = (uint32_t)i;
		r = evaluate_statement(&x, selected);
	}
	if (r >= 0)
		r = gs_layout_solve(ev.layout, s, NULL, e);
	if (r < 0)
		return r;
	if (gs_arena_has_failed(ev.layout->arena))
		return gs_error_oom(e);
	*ret_ev = ev;
	memset(&ev, 0, sizeof(ev));
	return 0;
}
