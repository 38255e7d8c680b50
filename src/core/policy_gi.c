/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_gi.c - MIG-backed vGPUs: each lies in a GPU instance of its profile, and how many of one size do (interfaces 2.6). */
#include "core/policy_internal.h"

#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"

static uint32_t per_gi(const struct gs_profile *p)
{
	return p->max_per_gi.known && p->max_per_gi.value ? p->max_per_gi.value : 1;
}

static const struct gs_profile *backed_profile(const struct gs_policy *y, const struct gs_want *w)
{
	const struct gs_profile *p = w->kind == GS_KIND_VGPU ? gs_want_profile(w, y->gpu) : NULL;

	return p && p->gi_profile ? p : NULL;
}

/* How many of the size of @p the request has, in any GI of its profile or in the one at @start. */
static uint32_t count_alike(const struct gs_policy *y, const struct gs_profile *p, struct gs_u32 start)
{
	const struct gs_layout_gpu *t = y->d->target;
	uint32_t n = 0;

	for (size_t i = 0; i < t->n_wants; i++) {
		const struct gs_profile *q = backed_profile(y, &t->wants[i]);

		n += q && gs_str_equal(q->gi_profile, p->gi_profile) && gs_u64_equal(q->memory_bytes, p->memory_bytes) &&
		     (!start.known || gs_u32_equal(t->wants[i].on_start, start));
	}
	return n;
}

static bool has_gi(const struct gs_layout_gpu *t, const char *profile, struct gs_u32 start)
{
	for (size_t i = 0; i < t->n_wants; i++)
		if (t->wants[i].kind == GS_KIND_MIG && gs_str_equal(t->wants[i].profile, profile) && gs_u32_equal(t->wants[i].start, start))
			return true;
	return false;
}

/* Will the GI at @start take several sizes, as it is or as asked for? Then the driver says how many fit. */
static bool mixes_sizes(const struct gs_policy *y, const char *profile, struct gs_u32 start)
{
	const struct gs_layout_gpu *t = y->d->target;
	const struct gs_instance *gi = start.known ? gs_gpu_instance_at(y->gpu, profile, start.value) : NULL;
	const char *value = gi ? gs_instance_param(gi, GS_SETTING_HETEROGENEOUS) : NULL;

	for (size_t i = 0; i < t->n_wants; i++) {
		const struct gs_want *w = &t->wants[i];

		for (size_t k = 0; w->kind == GS_KIND_MIG && gs_u32_equal(w->start, start) && gs_str_equal(w->profile, profile) && k < w->n_params; k++)
			if (gs_str_equal(w->params[k].key, GS_SETTING_HETEROGENEOUS))
				value = w->params[k].value;
	}
	return gs_str_equal(value, "on");
}

/* Does a later one want the same GI? */
static bool is_followed(const struct gs_policy *y, const struct gs_want *w)
{
	for (const struct gs_want *later = w + 1; later < y->d->target->wants + y->d->target->n_wants; later++)
		if (backed_profile(y, later) && gs_u32_equal(later->on_start, w->on_start))
			return true;
	return false;
}

/* A vGPU in a GI that is named, or that it lies in: is that there, and has it room? */
static void check_own_gi(struct gs_policy *y, const struct gs_want *w, const struct gs_profile *p)
{
	const struct gs_layout_gpu *t = y->d->target;
	uint32_t n = count_alike(y, p, w->on_start), others = 0;
	struct gs_finding *f;

	if (!has_gi(t, p->gi_profile, w->on_start)) {
		f = gs_policy_add(y, GS_RULE_GI_FULL, GS_SEVERITY_BLOCK, "%s on VF %" PRIu32 " lies in the %s at %" PRIu32 ", which the request does not have", p->name,
				  w->start.value, p->gi_profile, w->on_start.value);
		gs_policy_suggest(y, f, "delete %" PRIu32 " vf:%" PRIu32, y->gpu->index, w->start.value);
		f->pos = w->pos;
		return;
	}
	for (size_t i = 0; i < t->n_wants; i++)
		others += backed_profile(y, &t->wants[i]) && gs_u32_equal(t->wants[i].on_start, w->on_start);
	/* what lies in one GI has one size unless it is set to mix them; said once, of the last that is asked for */
	if ((n <= per_gi(p) && (others == n || mixes_sizes(y, p->gi_profile, w->on_start))) || is_followed(y, w))
		return;
	if (n <= per_gi(p))
		f = gs_policy_add(y, GS_RULE_GI_FULL, GS_SEVERITY_BLOCK, "all vGPUs in one GPU instance have one framebuffer size: in the %s at %" PRIu32 " %s is not the only one",
				  p->gi_profile, w->on_start.value, p->name);
	else
		f = gs_policy_add(y, GS_RULE_GI_FULL, GS_SEVERITY_BLOCK, "the %s at %" PRIu32 " has room for %" PRIu32 " of the size of %s, and %" PRIu32 " are asked for", p->gi_profile,
				  w->on_start.value, per_gi(p), p->name, n);
	gs_policy_suggest(y, f, "create %" PRIu32 " %s, and leave open in which one it lies", y->gpu->index, p->gi_profile);
	if (others != n && n <= per_gi(p) && gs_setting_by_key(y->gpu->gi_settings, y->gpu->n_gi_settings, GS_SETTING_HETEROGENEOUS))
		gs_policy_suggest(y, f, "set %" PRIu32 "/%s@%" PRIu32 " heterogeneous on, while no vGPU is in it", y->gpu->index, p->gi_profile, w->on_start.value);
	f->pos = w->pos;
}

/* Is wants[i] the first of its GI profile and, with @same_size, of its size too? */
static bool is_first_backed(const struct gs_policy *y, size_t i, const struct gs_profile *p, bool same_size)
{
	for (size_t k = 0; k < i; k++) {
		const struct gs_profile *q = backed_profile(y, &y->d->target->wants[k]);

		if (q && gs_str_equal(q->gi_profile, p->gi_profile) && (!same_size || gs_u64_equal(q->memory_bytes, p->memory_bytes)))
			return false;
	}
	return true;
}

/* MIG-backed vGPUs need GIs of their profile: each size its own ones (interfaces 2.6). */
void gs_policy_check_gi_room(struct gs_policy *y)
{
	const struct gs_layout_gpu *t = y->d->target;

	for (size_t i = 0; i < t->n_wants; i++) {
		const struct gs_profile *p = backed_profile(y, &t->wants[i]);
		const struct gs_want *last = &t->wants[i];
		uint32_t gis = 0, need = 0, vgpus = 0;
		struct gs_finding *f;

		if (p && t->wants[i].on_start.known)
			check_own_gi(y, &t->wants[i], p);
		if (!p || !is_first_backed(y, i, p, false))
			continue;
		for (size_t k = 0; k < t->n_wants; k++) {
			const struct gs_profile *q = backed_profile(y, &t->wants[k]);

			gis += t->wants[k].kind == GS_KIND_MIG && gs_str_equal(t->wants[k].profile, p->gi_profile);
			if (!q || !gs_str_equal(q->gi_profile, p->gi_profile))
				continue;
			vgpus++;
			last = t->wants[k].instance_id.known ? last : &t->wants[k];
			need += is_first_backed(y, k, q, true) ? (count_alike(y, q, GS_U32_UNKNOWN) + per_gi(q) - 1) / per_gi(q) : 0;
		}
		if (need <= gis)
			continue;
		f = gs_policy_add(y, GS_RULE_GI_FULL, GS_SEVERITY_BLOCK, "%" PRIu32 " vGPU%s of GPU instances %s need%s %" PRIu32 " of them, and there %s %" PRIu32, vgpus,
				  vgpus == 1 ? "" : "s", p->gi_profile, vgpus == 1 ? "s" : "", need, gis == 1 ? "is" : "are", gis);
		f->pos = last->pos;
		gs_policy_suggest(y, f, "create %" PRIu32 " %s", y->gpu->index, p->gi_profile);
	}
}
