/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/diff.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

struct gs_diff *gs_diff_free(struct gs_diff *d)
{
	if (!d)
		return NULL;
	gs_arena_free(d->arena);
	free(d);
	return NULL;
}

/* The compute instance of @old that a want was copied from. Drivers reuse ids: one with another profile or place is another one. */
static const struct gs_compute *compute_of(const struct gs_instance *old, const struct gs_want_compute *want)
{
	for (size_t i = 0; old && want->id.known && i < old->n_compute; i++) {
		const struct gs_compute *ci = old->compute[i];

		if (ci->id == want->id.value && gs_str_equal(ci->profile, want->profile) && gs_u32_equal(ci->start, want->start))
			return ci;
	}
	return NULL;
}

struct compute_list {
	struct gs_compute_change *items;
	size_t n;
	struct gs_span taken[GS_PLACED_MAX];
	size_t n_taken;
};

static void take_span(struct compute_list *l, uint32_t start, uint32_t size)
{
	if (l->n_taken < GS_PLACED_MAX)
		l->taken[l->n_taken++] = (struct gs_span){ start, size };
}

static bool is_taken(const struct compute_list *l, struct gs_span span)
{
	for (size_t i = 0; i < l->n_taken; i++)
		if (gs_span_overlaps(l->taken[i], span))
			return true;
	return false;
}

/* What was copied from the machine stays what it is; what names a start has it. */
static void place_decided(struct compute_list *l, const struct gs_want *w, const struct gs_profile *p, const struct gs_instance *old, struct gs_change *change)
{
	for (size_t i = 0; i < l->n; i++) {
		struct gs_compute_change *c = &l->items[i];

		c->want = &w->compute[i];
		c->profile = p ? gs_compute_profile_by_name(p, c->want->profile) : NULL;
		c->old = compute_of(old, c->want);
		c->start = c->old ? c->old->start.value : c->want->start.value;
		if (!c->profile || !(c->old ? c->old->start.known : c->want->start.known))
			continue;
		change->has_no_room |= is_taken(l, (struct gs_span){ c->start, c->profile->compute_slices });
		take_span(l, c->start, c->profile->compute_slices);
	}
}

/* An open request takes an instance that is there before it takes a free slice. */
static void place_open(struct compute_list *l, const struct gs_profile *p, const struct gs_instance *old, struct gs_change *change)
{
	const struct gs_compute_profile *open[GS_PLACED_MAX];
	size_t n_open = 0, open_of[GS_PLACED_MAX];
	uint32_t starts[GS_PLACED_MAX];

	for (size_t i = 0; i < l->n; i++) {
		struct gs_compute_change *c = &l->items[i];
		bool found = false;

		if (c->old || c->want->start.known || !c->profile)
			continue;
		for (size_t k = 0; old && k < old->n_compute && !found; k++) {
			const struct gs_compute *ci = old->compute[k];

			if (!ci->start.known || !gs_str_equal(ci->profile, c->profile->name) ||
			    is_taken(l, (struct gs_span){ ci->start.value, c->profile->compute_slices }))
				continue;
			found = true;
			c->start = ci->start.value;
			take_span(l, c->start, c->profile->compute_slices);
		}
		if (!found) {
			open_of[n_open] = i;
			open[n_open++] = c->profile;
		}
	}
	if (!n_open || !p)
		return;
	if (gs_compute_solve(p, l->taken, l->n_taken, open, n_open, starts, NULL) < 0) {
		change->has_no_room = true;
		return;
	}
	for (size_t i = 0; i < n_open; i++)
		l->items[open_of[i]].start = starts[i];
}

/* What a want asks for inside its GI, with every start filled in that can be. */
static int desired_compute(struct gs_arena *a, const struct gs_want *w, const struct gs_profile *p, const struct gs_instance *old,
			   struct gs_change *change, struct compute_list *ret, struct gs_error *e)
{
	struct gs_want_compute *full;

	memset(ret, 0, sizeof(*ret));
	ret->n = w->compute_default ? 1 : w->n_compute;
	ret->items = gs_arena_calloc(a, ret->n + 1, sizeof(*ret->items));
	full = gs_arena_alloc(a, sizeof(*full));
	if (!ret->items || !full)
		return gs_error_oom(e);
	if (ret->n > GS_PLACED_MAX)
		return gs_error_set(e, -E2BIG, GS_STATUS_INVALID, "too many compute instances in one GPU instance");
	if (w->compute_default) {
		ret->items[0].profile = p ? gs_compute_profile_default(p) : NULL;
		*full = (struct gs_want_compute){ .profile = ret->items[0].profile ? ret->items[0].profile->name : w->profile, .start = GS_U32(0) };
		ret->items[0].want = full;
		return 0;
	}
	place_decided(ret, w, p, old, change);
	place_open(ret, p, old, change);
	return 0;
}

/* Pair what is with what should be: equal identity, or equal profile and start, is a keep. */
static int pair_compute(struct gs_arena *a, const struct gs_instance *old, const struct compute_list *wanted, struct gs_change *change, bool *ret_differs)
{
	size_t n_wanted = wanted ? wanted->n : 0, n = n_wanted;
	struct gs_compute_change *all = gs_arena_calloc(a, n_wanted + (old ? old->n_compute : 0) + 1, sizeof(*all));
	bool unknown = false;

	if (!all)
		return -ENOMEM;
	if (n_wanted)
		memcpy(all, wanted->items, n_wanted * sizeof(*all));
	*ret_differs = false;
	for (size_t k = 0; old && k < old->n_compute; k++) {
		const struct gs_compute *ci = old->compute[k];
		bool kept = false;

		unknown |= !ci->start.known;
		for (size_t i = 0; i < n_wanted && !kept; i++)
			kept = all[i].old == ci;
		for (size_t i = 0; i < n_wanted && !kept; i++) {
			/* a CI whose place cannot be seen counts as the one that fills its GI when it has that name */
			bool same_start = ci->start.known ? ci->start.value == all[i].start : change->want && change->want->compute_default;

			if (all[i].old || !same_start || !gs_str_equal(ci->profile, all[i].want->profile))
				continue;
			all[i].old = ci;
			kept = true;
		}
		if (!kept) {
			all[n++].old = ci;
			*ret_differs = true;
		}
	}
	for (size_t i = 0; i < n_wanted; i++)
		*ret_differs |= !all[i].old;
	/* beside one whose place cannot be seen nothing can be placed */
	change->place_is_unknown = unknown && *ret_differs;
	change->compute = all;
	change->n_compute = n;
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct gs_change *x = a, *y = b;
	uint32_t sx = x->old ? x->old->start.value : x->want->start.value;
	uint32_t sy = y->old ? y->old->start.value : y->want->start.value;
	int kx = x->old ? (int)x->old->kind : (int)x->want->kind, ky = y->old ? (int)y->old->kind : (int)y->want->kind;

	if (kx != ky)
		return kx - ky;
	if (sx != sy)
		return sx < sy ? -1 : 1;
	/* at one place: what goes before what comes */
	return (x->old ? 0 : 1) - (y->old ? 0 : 1);
}

/* Parameters that were asked for and read otherwise; all of them where @old is NULL, for what comes anew has lost them. */
static int diff_params(struct gs_arena *a, const struct gs_instance *old, const struct gs_want *w, struct gs_change *c)
{
	char text[16];

	c->params = gs_arena_calloc(a, w->n_params + 2, sizeof(*c->params));
	if (!c->params)
		return -ENOMEM;
	for (size_t i = 0; i < w->n_params; i++) {
		if (old ? !gs_instance_param_is(old, w->params[i].key, w->params[i].value) : w->params[i].value[0] != '\0')
			c->params[c->n_params++] = w->params[i];
	}
	if (w->kind == GS_KIND_VGPU && w->placement_id.known && !(old && gs_u32_equal(old->placement_id, w->placement_id))) {
		snprintf(text, sizeof(text), "%" PRIu32, w->placement_id.value);
		c->params[c->n_params++] = (struct gs_key_value){ GS_PARAM_PLACEMENT_ID, gs_arena_strdup(a, text) };
	}
	return 0;
}

/* Infinite, unset, or not one number: nothing that could be given back. */
static bool is_worth_keeping(const char *value)
{
	return value[0] && !gs_str_equal(value, "0") && !gs_str_equal(value, "mixed");
}

/*
 * What a VF is set to that stays while the number of VFs changes: it goes
 * through none (interfaces 3.2), and a driver may forget it then. Where it does
 * not, the same is written twice, which hurts nobody. Shares that the driver
 * gives by itself follow the number, and are set again only where asked for;
 * with the same number they fit as before, and have to be set where setting one
 * turns the driver's own sharing off (interfaces 7.2).
 */
static int diff_vf_params(struct gs_arena *a, const struct gs_diff_gpu *d, const struct gs_instance *old, const struct gs_want *w, struct gs_change *c)
{
	bool comes_back = d->vfs_off && d->vfs_on && w->start.value < d->vfs_target;
	bool keeps_shares = !w->is_settled || (d->gpu->vfs.quotas_come_first && d->vfs_now == d->vfs_target);

	c->params = gs_arena_calloc(a, w->n_params + 1, sizeof(*c->params));
	if (!c->params)
		return -ENOMEM;
	for (size_t i = 0; i < w->n_params; i++) {
		const struct gs_key_value *param = &w->params[i];
		bool differs = old ? !gs_instance_param_is(old, param->key, param->value) : param->value[0] != '\0';
		bool is_lost = old && comes_back && is_worth_keeping(param->value) && (keeps_shares || !gs_gpu_is_quota(d->gpu, param->key));

		if (differs || is_lost)
			c->params[c->n_params++] = *param;
	}
	return 0;
}

/* What a GI is set to otherwise than asked for. A new one has what every driver has by itself. */
static int diff_gi_settings(struct gs_arena *a, const struct gs_instance *old, const struct gs_want *w, struct gs_change *c)
{
	c->params = gs_arena_calloc(a, w->n_params + 1, sizeof(*c->params));
	if (!c->params)
		return -ENOMEM;
	for (size_t i = 0; i < w->n_params; i++) {
		const char *now = old ? gs_instance_param(old, w->params[i].key) : NULL;

		if (now ? !gs_setting_is(now, w->params[i].value, false) : !gs_setting_is_default(w->params[i].key, w->params[i].value))
			c->params[c->n_params++] = w->params[i];
	}
	return 0;
}

static bool is_wiped(const struct gs_diff_gpu *d, enum gs_instance_kind kind)
{
	return kind == GS_KIND_MIG ? d->wipes_gis : d->wipes_vgpus;
}

/* A vGPU cannot outlive the GPU instance that it lies in, not even one that comes back at once. */
static bool loses_gi(const struct gs_diff_gpu *d, const struct gs_instance *vgpu)
{
	const struct gs_instance *gi = vgpu->kind == GS_KIND_VGPU ? gs_gpu_gi_of(d->gpu, vgpu) : NULL;

	for (size_t i = 0; gi && i < d->target->n_wants; i++) {
		const struct gs_want *w = &d->target->wants[i];

		if (w->kind == GS_KIND_MIG && w->recreate && gs_u32_equal(w->start, gi->start) && gs_str_equal(w->profile, gi->profile))
			return true;
	}
	return false;
}

static int add_want(struct gs_arena *a, struct gs_diff_gpu *d, const struct gs_instance *old, const struct gs_want *w, struct gs_error *e)
{
	struct gs_change *c = &d->changes[d->n_changes];
	struct compute_list wanted = { 0 };
	bool differs = false;
	int r;

	c->old = old;
	c->want = w;
	c->profile = gs_want_profile(w, d->gpu);
	r = w->kind != GS_KIND_MIG ? 0 : desired_compute(a, w, c->profile, old, c, &wanted, e);
	if (r < 0)
		return gs_error_prefix(e, "GPU %" PRIu32 ", %s at %" PRIu32 ": ", d->gpu->index, w->profile, w->start.value);
	if (w->kind == GS_KIND_MIG && pair_compute(a, old, &wanted, c, &differs) < 0)
		return gs_error_oom(e);
	if (!old)
		c->kind = GS_CHANGE_CREATE;
	else if (w->recreate || is_wiped(d, w->kind) || loses_gi(d, old))
		c->kind = GS_CHANGE_RECREATE;
	else
		c->kind = differs ? GS_CHANGE_KEEP_GI : GS_CHANGE_KEEP;
	if (w->kind == GS_KIND_SRIOV)
		r = diff_vf_params(a, d, old, w, c);
	else if (w->kind == GS_KIND_MIG)
		r = diff_gi_settings(a, c->kind == GS_CHANGE_RECREATE ? NULL : old, w, c);
	else
		r = diff_params(a, c->kind == GS_CHANGE_RECREATE ? NULL : old, w, c);
	if (r < 0)
		return gs_error_oom(e);
	/* VFs come and go all together; only their parameters are theirs */
	if (w->kind == GS_KIND_SRIOV)
		c->kind = GS_CHANGE_KEEP;
	d->is_changed |= c->kind != GS_CHANGE_KEEP || c->n_params;
	d->n_changes++;
	return 0;
}

/* What is pending comes with the next reset: asking for another mode is a change even when that one is active still. */
static void diff_mig(struct gs_diff_gpu *d)
{
	const struct gs_gpu *gpu = d->gpu;
	bool want = gs_mode_has_mig(d->target->mode), now = gs_mode_has_mig(gpu->mode);
	bool soon = gpu->mode_pending == GS_MODE_INVALID ? now : gs_mode_has_mig(gpu->mode_pending);

	d->mig_changes = want != now || want != soon;
	d->mig_only_unpends = d->mig_changes && want == now;
}

static bool lacks_sibling_driver(const struct gs_gpu *gpu)
{
	for (size_t i = 0; i < gpu->n_siblings; i++)
		if (gs_sibling_follows(gpu, gpu->siblings[i]) && !gpu->siblings[i]->driver && gpu->siblings[i]->original_driver)
			return true;
	return false;
}

/* Unbound, or left on a stub by an interrupted tool: asking for any mode but passthrough gives it its driver back. */
static void diff_driver(struct gs_diff_gpu *d)
{
	const struct gs_gpu *gpu = d->gpu;
	bool want = d->target->mode == GS_MODE_PASSTHROUGH, now = gpu->mode == GS_MODE_PASSTHROUGH;

	d->goes_to_vfio = want && !now;
	d->leaves_vfio = !want && (now || !gpu->driver || gpu->stranded);
	/* who died behind the GPU's own driver left the rest of the board without */
	d->gives_back = !want && !d->leaves_vfio && lacks_sibling_driver(gpu);
}

/* Is a share of a VF that is on asked for that can be set only while none is? */
static bool needs_vfs_off(const struct gs_diff_gpu *d)
{
	for (size_t i = 0; d->gpu->vfs.quotas_come_first && i < d->target->n_wants; i++) {
		const struct gs_want *w = &d->target->wants[i];
		const struct gs_instance *old = w->kind == GS_KIND_SRIOV ? gs_gpu_instance_on_vf(d->gpu, w->start.value) : NULL;

		for (size_t k = 0; old && k < w->n_params; k++)
			if (gs_gpu_is_quota(d->gpu, w->params[k].key) && !gs_instance_param_is(old, w->params[k].key, w->params[k].value))
				return true;
	}
	return false;
}

static void diff_vfs(struct gs_diff_gpu *d)
{
	const struct gs_gpu *gpu = d->gpu;
	bool mig_cycles = d->mig_changes && !d->mig_only_unpends;

	d->vfs_now = gpu->vfs.enabled.known ? gpu->vfs.enabled.value : 0;
	d->vfs_target = d->target->vfs.known ? d->target->vfs.value : d->vfs_now;
	/* another number goes through none (interfaces 3.2); MIG mode comes before VFs (interfaces 0.3) */
	d->vfs_off = d->vfs_now && (d->vfs_now != d->vfs_target || mig_cycles || d->goes_to_vfio || needs_vfs_off(d));
	d->vfs_on = d->vfs_target && (d->vfs_off || !d->vfs_now);
}

/* Each of these destroys what stands to its right: MIG mode, VFs, GIs, vGPUs (interfaces 0.3). */
static void diff_wipes(struct gs_diff_gpu *d)
{
	bool rebinds = d->goes_to_vfio || d->leaves_vfio, mig = d->mig_changes && !d->mig_only_unpends;
	bool manages = d->gpu->vfs.by == GS_VFS_BY_SRIOV_MANAGE && (d->vfs_off || d->vfs_on);

	d->wipes_gis = mig || rebinds || manages;
	d->wipes_vgpus = mig || rebinds || d->vfs_off || d->vfs_on;
}

/* What was asked for, or NULL. */
static const char *asked_setting(const struct gs_layout_gpu *g, const char *key)
{
	for (size_t i = 0; i < g->n_settings; i++)
		if (gs_str_equal(g->settings[i].key, key))
			return g->settings[i].value;
	return NULL;
}

/*
 * What a setting of vGPUs has to be set to, or NULL. Switching VFs takes the
 * mixed-size mode away (interfaces 2.5); whether it takes the scheduler is not
 * documented, so that is set again in any case. Both come back without being
 * asked for as long as there will be vGPUs on the GPU itself.
 */
static const char *vgpu_setting(const struct gs_diff_gpu *d, const struct gs_setting *s, const char *asked)
{
	const char *want = asked ? asked : d->target->mode == GS_MODE_VGPU ? s->value : NULL;

	if (!want)
		return NULL;
	if (d->wipes_vgpus && gs_str_equal(s->key, GS_SETTING_HETEROGENEOUS))
		return gs_setting_is_default(s->key, want) ? NULL : want;
	if (!s->value)
		return gs_setting_is_default(s->key, want) ? NULL : want;
	return !gs_setting_is(s->value, want, false) || (d->wipes_vgpus && !gs_setting_is_default(s->key, want)) ? want : NULL;
}

static void diff_setting(struct gs_diff_gpu *d, const struct gs_setting *s, const char *asked)
{
	const char *soon = s->pending ? s->pending : s->value;

	if (gs_setting_is_for_vgpus(s->key))
		asked = vgpu_setting(d, s, asked);
	else if (asked && gs_setting_is(soon, asked, false))
		asked = NULL;
	if (asked)
		d->settings[d->n_settings++] = (struct gs_setting_change){ s, asked };
}

/* In the order of the request, then what has to be set again. */
static int diff_settings(struct gs_arena *a, struct gs_diff_gpu *d)
{
	const struct gs_layout_gpu *t = d->target;

	d->settings = gs_arena_calloc(a, t->n_settings + d->gpu->n_settings + 1, sizeof(*d->settings));
	if (!d->settings)
		return -ENOMEM;
	for (size_t i = 0; i < t->n_settings; i++) {
		const struct gs_setting *s = gs_gpu_setting(d->gpu, t->settings[i].key);

		if (s)
			diff_setting(d, s, t->settings[i].value);
	}
	for (size_t i = 0; i < d->gpu->n_settings; i++)
		if (!asked_setting(t, d->gpu->settings[i]->key))
			diff_setting(d, d->gpu->settings[i], NULL);
	return 0;
}

static bool is_wanted(const struct gs_layout_gpu *g, const struct gs_instance *gi)
{
	for (size_t i = 0; i < g->n_wants; i++)
		if (g->wants[i].kind == GS_KIND_MIG && gs_u32_equal(g->wants[i].start, gi->start) && gs_str_equal(g->wants[i].profile, gi->profile))
			return true;
	return false;
}

/*
 * The instance that a want is, if it is there: by place and profile, by UUID
 * where one is asked for, and by GI where one is; where any will do, in one that stays.
 */
static bool is_same(const struct gs_diff_gpu *d, const struct gs_instance *inst, const struct gs_want *w)
{
	const struct gs_instance *gi;

	if (inst->kind != w->kind || !gs_u32_equal(inst->start, w->start))
		return false;
	if (w->kind == GS_KIND_SRIOV)
		return true;
	if (!gs_str_equal(inst->profile, w->profile) || (w->uuid && !gs_str_equal(inst->uuid, w->uuid)))
		return false;
	/* where it lies may not be readable: unknown is not elsewhere */
	gi = w->kind == GS_KIND_VGPU ? gs_gpu_gi_of(d->gpu, inst) : NULL;
	if (!gi)
		return true;
	return w->on_start.known ? gs_u32_equal(gi->start, w->on_start) : is_wanted(d->target, gi);
}

static int diff_gpu(struct gs_arena *a, struct gs_diff_gpu *d, struct gs_error *e)
{
	const struct gs_gpu *gpu = d->gpu;
	const struct gs_layout_gpu *target = d->target;
	GS_FREE bool *used = calloc(gpu->n_instances + 1, sizeof(*used));
	int r;

	d->changes = gs_arena_calloc(a, gpu->n_instances + target->n_wants + 1, sizeof(*d->changes));
	if (!used || !d->changes)
		return gs_error_oom(e);
	if (target->mode_is_asked) {
		diff_mig(d);
		diff_driver(d);
	}
	d->mode_changes = target->mode_is_asked && (d->mig_changes || target->mode != gpu->mode);
	diff_vfs(d);
	diff_wipes(d);
	if (diff_settings(a, d) < 0)
		return gs_error_oom(e);
	d->is_changed = d->mig_changes || d->goes_to_vfio || d->leaves_vfio || d->gives_back || d->vfs_off || d->vfs_on || d->n_settings;
	/* a mode that this GPU does not have comes to nothing, and has to be said */
	d->is_changed |= d->mode_changes && !(gpu->modes & 1u << target->mode);
	for (size_t i = 0; i < target->n_wants; i++) {
		const struct gs_want *w = &target->wants[i];
		const struct gs_instance *old = NULL;

		/* what has no place is a finding of the plan, not a change */
		if (!w->start.known) {
			d->is_changed = true;
			continue;
		}
		for (size_t k = 0; k < gpu->n_instances && !old; k++) {
			const struct gs_instance *inst = gpu->instances[k];

			if (used[k] || !is_same(d, inst, w))
				continue;
			used[k] = true;
			old = inst;
		}
		r = add_want(a, d, old, w, e);
		if (r < 0)
			return r;
	}
	for (size_t k = 0; k < gpu->n_instances; k++) {
		struct gs_change *c = &d->changes[d->n_changes];
		bool differs;

		if (used[k] || !gpu->instances[k]->start.known || (gpu->instances[k]->kind != GS_KIND_MIG && gpu->instances[k]->kind != GS_KIND_VGPU))
			continue;
		c->kind = GS_CHANGE_DELETE;
		c->old = gpu->instances[k];
		if (c->old->kind == GS_KIND_MIG && pair_compute(a, c->old, NULL, c, &differs) < 0)
			return gs_error_oom(e);
		d->is_changed = true;
		d->n_changes++;
	}
	if (d->n_changes > 1)
		qsort(d->changes, d->n_changes, sizeof(*d->changes), by_start);
	return 0;
}

int gs_diff_build(const struct gs_snapshot *s, const struct gs_layout *solved, struct gs_diff **ret_diff, struct gs_error *e)
{
	GS_CLEANUP(gs_diff_freep) struct gs_diff *d = calloc(1, sizeof(*d));

	if (!d)
		return gs_error_oom(e);
	d->arena = gs_arena_new();
	d->n_gpus = gs_snapshot_n_gpus(s);
	d->gpus = d->arena ? gs_arena_calloc(d->arena, d->n_gpus + 1, sizeof(*d->gpus)) : NULL;
	if (!d->gpus)
		return gs_error_oom(e);
	for (size_t i = 0; i < d->n_gpus; i++) {
		int r;

		d->gpus[i].gpu = gs_snapshot_gpu(s, i);
		d->gpus[i].target = &solved->gpus[i];
		r = diff_gpu(d->arena, &d->gpus[i], e);
		if (r < 0)
			return r;
	}
	*ret_diff = GS_TAKE(d);
	return 0;
}
