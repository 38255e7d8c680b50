/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy_settings.c - what GPUs and GPU instances are set to: can it be written
 * here, and for vGPUs' settings, is the GPU then in a state that takes them
 * (interfaces 2.5, 5.7)?
 */
#include "core/policy_internal.h"

#include <inttypes.h>

#include "base/parse.h"
#include "base/strbuf.h"

/* Where the request asks for @key, for the finding's position; NULL where nobody asked. */
static const struct gs_want_setting *asked(const struct gs_policy *y, const char *key)
{
	for (size_t i = 0; i < y->d->target->n_settings; i++)
		if (gs_str_equal(y->d->target->settings[i].key, key))
			return &y->d->target->settings[i];
	return NULL;
}

/* Does a vGPU stay, so that it is there when the setting is written: on the GPU, or with @gi in that GI? */
static bool stays(const struct gs_policy *y, const struct gs_change *c, const struct gs_instance *gi)
{
	if (!c->old || c->old->kind != GS_KIND_VGPU || c->kind == GS_CHANGE_DELETE || c->kind == GS_CHANGE_RECREATE)
		return false;
	return !gi || gs_gpu_gi_of(y->gpu, c->old) == gi;
}

/* One finding for all that stay. */
static void check_vgpus(struct gs_policy *y, const char *key, const char *value, const struct gs_instance *gi, const struct gs_position *pos)
{
	GS_STRBUF struct gs_strbuf which = GS_STRBUF_INIT;
	struct gs_finding *f = NULL;
	size_t n = 0;

	for (size_t i = 0; i < y->d->n_changes; i++) {
		const struct gs_change *c = &y->d->changes[i];

		if (!stays(y, c, gi))
			continue;
		n++;
		if (c->old->vf.known)
			gs_strbuf_printf(&which, " vf:%" PRIu32, c->old->vf.value);
		else if (c->old->uuid)
			gs_strbuf_printf(&which, " mdev:%s", c->old->uuid);
	}
	if (!n)
		return;
	gs_strbuf_puts(&which, "");
	y->failed |= which.failed;
	if (gi)
		f = gs_policy_add(y, GS_RULE_SETTING_NEEDS, GS_SEVERITY_BLOCK,
				  "%s of the %s at %" PRIu32 " can be set to %s only while no vGPU is in it, and %zu stay%s", key, gi->profile, gi->start.value, value, n,
				  n == 1 ? "s" : "");
	else
		f = gs_policy_add(y, GS_RULE_SETTING_NEEDS, GS_SEVERITY_BLOCK, "%s can be set to %s only while the GPU has no vGPU, and %zu stay%s", key, value, n,
				  n == 1 ? "s" : "");
	if (pos)
		f->pos = *pos;
	for (size_t i = 0; i < y->d->n_changes; i++) {
		const struct gs_change *c = &y->d->changes[i];

		if (!stays(y, c, gi))
			continue;
		for (size_t k = 0; k < c->old->n_holders; k++)
			gs_policy_add_holder(y, f, c->old->holders[k]);
	}
	/* deleting and creating the same in one script is a keep; «recreate» is not */
	gs_policy_suggest(y, f, "delete %" PRIu32 "%s, or add a line «recreate %" PRIu32 " …» for each of them that is to come back", y->gpu->index,
			  which.failed ? "" : which.text, y->gpu->index);
}

static void check_vgpu_setting(struct gs_policy *y, const struct gs_setting_change *c)
{
	const struct gs_layout_gpu *t = y->d->target;
	const struct gs_want_setting *by = asked(y, c->setting->key);
	struct gs_finding *f = NULL;

	if (gs_mode_has_mig(t->mode)) {
		f = gs_policy_add(y, GS_RULE_SETTING_NEEDS, GS_SEVERITY_BLOCK, "in MIG mode each GPU instance has its own %s, and the GPU has none", c->setting->key);
		gs_policy_suggest(y, f, "set %" PRIu32 "/PROFILE@START %s %s", y->gpu->index, c->setting->key, c->value);
	} else if (t->mode == GS_MODE_PASSTHROUGH) {
		f = gs_policy_add(y, GS_RULE_SETTING_NEEDS, GS_SEVERITY_BLOCK, "%s is the vGPU driver's, which a GPU that is passed through does not have", c->setting->key);
	} else if (gs_str_equal(c->setting->key, GS_SETTING_HETEROGENEOUS) && y->gpu->vfs.total.known && !y->d->vfs_target) {
		f = gs_policy_add(y, GS_RULE_SETTING_NEEDS, GS_SEVERITY_BLOCK, "vGPUs of several sizes need virtual functions that are on: switching them on takes the setting away");
		gs_policy_suggest(y, f, "mode %" PRIu32 " vgpu", y->gpu->index);
	}
	if (f && by)
		f->pos = by->pos;
	if (!f)
		check_vgpus(y, c->setting->key, c->value, NULL, by ? &by->pos : NULL);
}

static void check_gi_settings(struct gs_policy *y)
{
	for (size_t i = 0; i < y->d->n_changes; i++) {
		const struct gs_change *c = &y->d->changes[i];

		if (!c->want || c->want->kind != GS_KIND_MIG || !c->old || c->kind == GS_CHANGE_RECREATE)
			continue;
		for (size_t k = 0; k < c->n_params; k++)
			check_vgpus(y, c->params[k].key, c->params[k].value, c->old, &c->want->pos);
	}
}

/* What a VM has read when it started it does not read again, and drivers refuse to change it (interfaces 1.5, 2.1). */
static void check_params(struct gs_policy *y, const struct gs_change *c)
{
	struct gs_finding *f;

	if (!c->n_params || !c->old || c->old->kind != GS_KIND_VGPU || c->kind == GS_CHANGE_DELETE || c->kind == GS_CHANGE_RECREATE || !gs_instance_is_held(c->old))
		return;
	f = gs_policy_add(y, GS_RULE_SETTING_NEEDS, GS_SEVERITY_BLOCK, "%s of the vGPU %s can be set only while nobody uses it", c->params[0].key, c->old->profile);
	for (size_t k = 0; k < c->old->n_holders; k++)
		gs_policy_add_holder(y, f, c->old->holders[k]);
	f->object = gs_policy_object(y, c->old);
	f->pos = c->want->pos;
	gs_policy_suggest(y, f, "shut down whoever uses it first: gpuslice who %" PRIu32, y->gpu->index);
}

void gs_policy_check_settings(struct gs_policy *y)
{
	for (size_t i = 0; i < y->d->n_settings; i++) {
		const struct gs_setting_change *c = &y->d->settings[i];
		const struct gs_want_setting *by = asked(y, c->setting->key);
		struct gs_finding *f;

		if (c->setting->fixed) {
			f = gs_policy_add(y, GS_RULE_SETTING_FIXED, GS_SEVERITY_BLOCK, "%s cannot be set to %s: %s", c->setting->key, c->value, c->setting->fixed);
			if (by)
				f->pos = by->pos;
		} else if (gs_setting_is_for_vgpus(c->setting->key)) {
			check_vgpu_setting(y, c);
		}
	}
	check_gi_settings(y);
	for (size_t i = 0; i < y->d->n_changes; i++)
		check_params(y, &y->d->changes[i]);
}
