/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/drift.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "core/diff.h"

/* A screenful per GPU; one that is all different needs no longer list. */
#define DIFFERENCES_MAX 64

const char *gs_drift_state_name(enum gs_drift_state state)
{
	static const char *const names[] = {
		[GS_DRIFT_SAME] = "same", [GS_DRIFT_DIFFERS] = "differs", [GS_DRIFT_MISSING] = "missing", [GS_DRIFT_UNKNOWN] = "unknown",
		[GS_DRIFT_NOT_SAVED] = "not-saved",
	};

	_Static_assert(GS_ARRAY_SIZE(names) == GS_DRIFT_MAX, "a word for each state");
	return (int)state >= 0 && state < GS_DRIFT_MAX ? names[state] : NULL;
}

struct gs_drift *gs_drift_free(struct gs_drift *d)
{
	if (!d)
		return NULL;
	gs_layout_free(d->layout);
	gs_arena_free(d->arena);
	free(d);
	return NULL;
}

static void tell(struct gs_drift *d, struct gs_drift_gpu *g, const char *fmt, ...) GS_PRINTF(3, 4);
static void tell(struct gs_drift *d, struct gs_drift_gpu *g, const char *fmt, ...)
{
	char text[1200];
	va_list ap;

	if (!g->differences)
		g->differences = gs_arena_calloc(d->arena, DIFFERENCES_MAX, sizeof(*g->differences));
	if (!g->differences || g->n_differences == DIFFERENCES_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	gs_text_sanitize(text);
	g->differences[g->n_differences] = gs_arena_strdup(d->arena, text);
	if (g->differences[g->n_differences])
		g->n_differences++;
}

static const char *word(const char *s)
{
	return s ? s : "unknown";
}

/* ---- what differs on one GPU ---- */

/* "1g.10gb at 3", "nvidia-1 on VF 3", "nvidia-1 (mdev 1234…)" */
static const char *instance_text(const char *profile, enum gs_instance_kind kind, struct gs_u32 start, const char *uuid, const struct gs_gpu *gpu, char *buf, size_t size)
{
	if (kind == GS_KIND_MIG && start.known)
		snprintf(buf, size, "%s at %" PRIu32, word(profile), start.value);
	else if (kind != GS_KIND_MIG && start.known && gpu->vfs.total.known)
		snprintf(buf, size, "%s on VF %" PRIu32, profile ? profile : "what is set", start.value);
	else if (uuid)
		snprintf(buf, size, "%s (mdev %s)", word(profile), uuid);
	else
		snprintf(buf, size, "%s", word(profile));
	return buf;
}

static const char *old_text(const struct gs_instance *inst, const struct gs_gpu *gpu, char *buf, size_t size)
{
	return instance_text(inst->profile, inst->kind, inst->kind == GS_KIND_MIG ? inst->start : inst->vf, inst->uuid, gpu, buf, size);
}

static const char *want_text(const struct gs_want *w, const struct gs_gpu *gpu, char *buf, size_t size)
{
	return instance_text(w->profile, w->kind, w->start, w->uuid, gpu, buf, size);
}

static void tell_mode(struct gs_drift *d, struct gs_drift_gpu *g, const struct gs_diff_gpu *diff)
{
	const struct gs_gpu *gpu = diff->gpu;

	if (!diff->mode_changes && !diff->mig_only_unpends)
		return;
	if (gpu->mode_pending != GS_MODE_INVALID && gpu->mode_pending != gpu->mode)
		tell(d, g, "mode %s is pending, saved is %s", gs_mode_name(gpu->mode_pending), word(gs_mode_name(diff->target->mode)));
	else
		tell(d, g, "mode is %s, saved is %s", word(gs_mode_name(gpu->mode)), word(gs_mode_name(diff->target->mode)));
}

/* Plain VFs in another number; where the mode differs too, the number goes with it. */
static void tell_vfs(struct gs_drift *d, struct gs_drift_gpu *g, const struct gs_diff_gpu *diff)
{
	if ((diff->vfs_on || diff->vfs_off) && diff->vfs_now != diff->vfs_target && !diff->mode_changes)
		tell(d, g, "%" PRIu32 " VF%s on, saved are %" PRIu32, diff->vfs_now, diff->vfs_now == 1 ? " is" : "s are", diff->vfs_target);
}

static void tell_settings(struct gs_drift *d, struct gs_drift_gpu *g, const struct gs_diff_gpu *diff)
{
	for (size_t i = 0; i < diff->n_settings; i++) {
		const struct gs_setting *s = diff->settings[i].setting;
		const char *now = s->pending ? s->pending : s->value;

		if (!gs_str_equal(now, diff->settings[i].value))
			tell(d, g, "%s is %s, saved is %s", s->key, word(now), diff->settings[i].value);
	}
}

/* The creation that takes the place of what goes: one VF, two types. */
static const struct gs_change *successor(const struct gs_diff_gpu *diff, const struct gs_instance *old)
{
	for (size_t i = 0; i < diff->n_changes; i++) {
		const struct gs_change *c = &diff->changes[i];

		if (c->kind == GS_CHANGE_CREATE && old->kind == GS_KIND_VGPU && c->want->kind == GS_KIND_VGPU && old->vf.known && gs_u32_equal(c->want->start, old->vf))
			return c;
	}
	return NULL;
}

static bool succeeds(const struct gs_diff_gpu *diff, const struct gs_change *create)
{
	for (size_t i = 0; i < diff->n_changes; i++)
		if (diff->changes[i].kind == GS_CHANGE_DELETE && successor(diff, diff->changes[i].old) == create)
			return true;
	return false;
}

static void tell_compute(struct gs_drift *d, struct gs_drift_gpu *g, const struct gs_change *c, const char *where)
{
	for (size_t i = 0; i < c->n_compute; i++) {
		const struct gs_compute_change *ci = &c->compute[i];

		if (ci->old && !ci->want)
			tell(d, g, "compute instance %s in %s is there, not saved", word(ci->old->profile), where);
		else if (!ci->old && ci->want)
			tell(d, g, "compute instance %s in %s is missing", word(ci->want->profile), where);
	}
}

static void tell_change(struct gs_drift *d, struct gs_drift_gpu *g, const struct gs_diff_gpu *diff, const struct gs_change *c)
{
	const struct gs_change *next;
	char text[256];

	switch (c->kind) {
	case GS_CHANGE_DELETE:
		next = successor(diff, c->old);
		if (next)
			tell(d, g, "VF %" PRIu32 " has type %s, saved is %s", c->old->vf.value, word(c->old->profile), word(next->want->profile));
		else
			tell(d, g, "%s is there, not saved", old_text(c->old, diff->gpu, text, sizeof(text)));
		break;
	case GS_CHANGE_CREATE:
		if (!succeeds(diff, c))
			tell(d, g, "%s is missing", want_text(c->want, diff->gpu, text, sizeof(text)));
		break;
	case GS_CHANGE_KEEP_GI:
		tell_compute(d, g, c, want_text(c->want, diff->gpu, text, sizeof(text)));
		break;
	case GS_CHANGE_RECREATE:
	case GS_CHANGE_KEEP:
		break;
	}
	for (size_t i = 0; c->want && c->kind != GS_CHANGE_CREATE && i < c->n_params; i++)
		tell(d, g, "%s: %s is not %s as saved", want_text(c->want, diff->gpu, text, sizeof(text)), c->params[i].key, c->params[i].value);
}

static void judge(struct gs_drift *d, struct gs_drift_gpu *g, const struct gs_diff_gpu *diff)
{
	if (diff->gpu->lost) {
		g->state = GS_DRIFT_UNKNOWN;
		tell(d, g, "the GPU is lost: what is on it cannot be seen");
		return;
	}
	if (diff->gpu->mode == GS_MODE_INVALID || (d->layout->gpus[diff->gpu->index].positions_unknown && gs_mode_has_mig(diff->gpu->mode))) {
		g->state = GS_DRIFT_UNKNOWN;
		tell(d, g, "where its instances are cannot be seen at this privilege");
		return;
	}
	if (!diff->is_changed)
		return;
	g->state = GS_DRIFT_DIFFERS;
	tell_mode(d, g, diff);
	tell_vfs(d, g, diff);
	tell_settings(d, g, diff);
	for (size_t i = 0; i < diff->n_changes; i++)
		tell_change(d, g, diff, &diff->changes[i]);
	if (!g->n_differences)
		tell(d, g, "it is otherwise than saved");
}

/* An entry that cannot be laid over its GPU as that is now; another mode is why more often than not, and has other profiles. */
static void tell_unbound(struct gs_drift *d, struct gs_drift_gpu *g, const struct gs_layout_gpu *entry, const struct gs_error *why)
{
	g->state = g->gpu->lost ? GS_DRIFT_UNKNOWN : GS_DRIFT_DIFFERS;
	if (why->errnum != -ENODEV && entry->mode != GS_MODE_INVALID && g->gpu->mode != GS_MODE_INVALID && entry->mode != g->gpu->mode)
		tell(d, g, "mode is %s, saved is %s", gs_mode_name(g->gpu->mode), gs_mode_name(entry->mode));
	tell(d, g, "%s", why->text);
}

/* ---- all of them ---- */

static const struct gs_layout_gpu *entry_for(const struct gs_layout *saved, const struct gs_gpu *gpu)
{
	for (size_t i = 0; i < saved->n_gpus; i++)
		if (gs_match_means(&saved->gpus[i].match, gpu))
			return &saved->gpus[i];
	return NULL;
}

static bool is_for_any(const struct gs_match *m, const struct gs_snapshot *s)
{
	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++)
		if (gs_match_means(m, gs_snapshot_gpu(s, i)))
			return true;
	return false;
}

/* Which GPUs can the layout be laid over? What cannot is told at once. */
static int sort_out(struct gs_drift *d, const struct gs_layout *saved, const struct gs_snapshot *s, struct gs_bdf *good, size_t *ret_n, struct gs_error *e)
{
	size_t n = 0;

	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++) {
		GS_CLEANUP(gs_layout_freep) struct gs_layout *bound = NULL;
		struct gs_drift_gpu *g = &d->gpus[i];
		const struct gs_layout_gpu *entry;
		struct gs_error why = { 0 };
		int r;

		g->gpu = gs_snapshot_gpu(s, i);
		g->state = GS_DRIFT_NOT_SAVED;
		entry = entry_for(saved, g->gpu);
		if (!entry)
			continue;
		g->match = entry->match;
		r = gs_layout_bind_some(saved, &g->gpu->bdf, 1, s, &bound, &why);
		if (r == -ENOMEM)
			return gs_error_oom(e);
		if (r < 0) {
			tell_unbound(d, g, entry, &why);
		} else {
			g->state = GS_DRIFT_SAME;
			g->is_bound = true;
			good[n++] = g->gpu->bdf;
		}
	}
	*ret_n = n;
	return 0;
}

static void add_missing(struct gs_drift *d, const struct gs_layout *saved, const struct gs_snapshot *s)
{
	for (size_t i = 0; i < saved->n_gpus; i++) {
		const struct gs_match *m = &saved->gpus[i].match;
		struct gs_drift_gpu *g = &d->gpus[d->n_gpus];
		char bdf[GS_BDF_TEXT];

		if (is_for_any(m, s))
			continue;
		g->match = *m;
		g->state = GS_DRIFT_MISSING;
		tell(d, g, "this machine has no GPU with %s %s", m->uuid ? "uuid" : "bdf", m->uuid ? m->uuid : gs_bdf_format(m->bdf, bdf));
		d->n_gpus++;
	}
}

int gs_drift_build(const struct gs_layout *saved, const struct gs_snapshot *s, const struct gs_drift_facts *facts, struct gs_drift **ret_drift, struct gs_error *e)
{
	GS_CLEANUP(gs_drift_freep) struct gs_drift *d = calloc(1, sizeof(*d));
	GS_CLEANUP(gs_diff_freep) struct gs_diff *diff = NULL;
	size_t n = gs_snapshot_n_gpus(s), n_good = 0, unplaced;
	GS_FREE struct gs_bdf *good = calloc(n + 1, sizeof(*good));
	int r;

	if (!d || !good)
		return gs_error_oom(e);
	d->arena = gs_arena_new();
	d->gpus = d->arena ? gs_arena_calloc(d->arena, n + saved->n_gpus + 1, sizeof(*d->gpus)) : NULL;
	if (!d->gpus)
		return gs_error_oom(e);
	d->n_gpus = n;
	r = sort_out(d, saved, s, good, &n_good, e);
	if (r == 0)
		r = gs_layout_bind_some(saved, good, n_good, s, &d->layout, e);
	if (r == 0)
		r = gs_layout_solve(d->layout, s, &unplaced, e);
	if (r == 0)
		r = gs_diff_build(s, d->layout, &diff, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		if (d->gpus[i].state == GS_DRIFT_SAME)
			judge(d, &d->gpus[i], &diff->gpus[i]);
		if (d->gpus[i].state == GS_DRIFT_DIFFERS)
			d->gpus[i].cause = gs_drift_cause(d->gpus[i].gpu, facts, d->arena);
	}
	add_missing(d, saved, s);
	if (gs_arena_has_failed(d->arena))
		return gs_error_oom(e);
	*ret_drift = GS_TAKE(d);
	return 0;
}

enum gs_status gs_drift_status(const struct gs_drift *d)
{
	enum gs_status status = GS_STATUS_OK;

	for (size_t i = 0; i < d->n_gpus; i++) {
		if (d->gpus[i].state == GS_DRIFT_DIFFERS || d->gpus[i].state == GS_DRIFT_MISSING)
			return GS_STATUS_DIFFERS;
		if (d->gpus[i].state == GS_DRIFT_UNKNOWN)
			status = GS_STATUS_CANNOT_TELL;
	}
	return status;
}
