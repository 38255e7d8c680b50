/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/policy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "core/policy_internal.h"
#include "core/steps.h"

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

struct gs_finding *gs_policy_add(struct gs_policy *y, enum gs_rule rule, enum gs_severity severity, const char *fmt, ...)
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
	f->gpu = y->gpu ? y->gpu->index : GS_FINDING_NO_GPU;
	f->text = gs_arena_strdup(p->arena, text);
	f->object = y->gpu ? gs_arena_printf(p->arena, "GPU %" PRIu32, y->gpu->index) : "the machine";
	return f;
}

void gs_policy_suggest(struct gs_policy *y, struct gs_finding *f, const char *fmt, ...)
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

void gs_policy_add_holder(struct gs_policy *y, struct gs_finding *f, const struct gs_holder *h)
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

const char *gs_policy_object(struct gs_policy *y, const struct gs_instance *inst)
{
	if (inst->vf.known)
		return gs_arena_printf(y->p->arena, "GPU %" PRIu32 " vf:%" PRIu32, y->gpu->index, inst->vf.value);
	if (inst->kind == GS_KIND_VGPU)
		return gs_arena_printf(y->p->arena, "GPU %" PRIu32 " mdev:%s", y->gpu->index, inst->uuid ? inst->uuid : "?");
	return gs_arena_printf(y->p->arena, "GPU %" PRIu32 " GI %" PRIu32, y->gpu->index, inst->id);
}

/* ---------------------------------------------------------------- what is to be known */

static bool is_as_will_be(const struct gs_policy *y)
{
	const struct gs_digest *targets = y->options ? y->options->targets : NULL;

	return targets && y->gpu->saved_layout.hex[0] && gs_digest_equal(&targets[y->gpu->index], &y->gpu->saved_layout);
}

/* What will be there is what is saved, and it is put back at boot. */
static bool is_restored(const struct gs_policy *y)
{
	return is_as_will_be(y) && gs_snapshot_saved(y->p->snapshot)->unit_enabled;
}

/* What is done about it, behind the sentence that it is lost. */
static const char *saving(const struct gs_policy *y)
{
	if (gs_snapshot_saved(y->p->snapshot)->state == GS_SAVED_NONE)
		return "; nothing is saved: gpuslice save afterwards";
	if (gs_snapshot_saved(y->p->snapshot)->state == GS_SAVED_UNKNOWN || !y->options || !y->options->targets)
		return "";
	if (is_as_will_be(y)) {
		const char *obstacle = gs_saved_obstacle(gs_snapshot_saved(y->p->snapshot));
		const char *text = obstacle ? gs_arena_printf(y->p->arena, "; it is saved, but %s", obstacle) : NULL;

		return text ? text : "";
	}
	return y->gpu->saved == GS_SAVED_NONE ? "; nothing is saved of this GPU: gpuslice save afterwards"
					      : "; the saved layout differs from this: gpuslice save afterwards";
}

static void add_notes(struct gs_policy *y)
{
	size_t recreated = 0, instances = 0;

	for (size_t i = 0; i < y->d->n_changes; i++) {
		bool is_mig = y->d->changes[i].want ? y->d->changes[i].want->kind == GS_KIND_MIG : y->d->changes[i].old->kind == GS_KIND_MIG;

		recreated += is_mig && y->d->changes[i].kind == GS_CHANGE_RECREATE;
	}
	for (size_t i = 0; i < y->d->target->n_wants; i++)
		instances += y->d->target->wants[i].kind == GS_KIND_MIG;
	if (recreated)
		gs_policy_add(y, GS_RULE_UUID_MAY_CHANGE, GS_SEVERITY_NOTE, "%zu instance%s recreated: the UUID may be another one after", recreated,
			      recreated == 1 ? " is" : "s are");
	if (y->d->mig_changes && y->gpu->mode_needs_reset && !gs_diff_wants_reset(y->d, y->options)) {
		struct gs_finding *f =
			gs_policy_add(y, GS_RULE_MODE_PENDING, GS_SEVERITY_NOTE, "this model changes its mode only with a GPU reset: the change may stay pending until then");

		if (!y->d->mig_only_unpends && !y->d->goes_to_vfio)
			gs_policy_suggest(y, f, "have it reset, with all GPUs that are linked with it: --allow-reset");
	}
	if (is_restored(y))
		return;
	if (instances)
		gs_policy_add(y, GS_RULE_NOT_SAVED, GS_SEVERITY_NOTE, "lost at reboot: the driver keeps no instances%s%s",
			      y->gpu->mode_survives_reboot || !y->gpu->mode_survival_is_known ? "" : ", and this model not even MIG mode", saving(y));
	else if (y->d->target->n_wants || y->d->vfs_on || y->d->goes_to_vfio || y->d->n_settings)
		gs_policy_add(y, GS_RULE_NOT_SAVED, GS_SEVERITY_NOTE, "lost at reboot: the kernel keeps none of this%s", saving(y));
}

static bool is_blocked_since(const struct gs_plan *p, size_t first)
{
	for (size_t i = first; i < p->n_findings; i++)
		if (p->findings[i].severity == GS_SEVERITY_BLOCK)
			return true;
	return false;
}

int gs_policy_apply(struct gs_plan *p, const struct gs_diff *diff, const struct gs_diff_gpu *d, const struct gs_plan_options *options, struct gs_error *e)
{
	struct gs_policy y = { .p = p, .diff = diff, .d = d, .gpu = d->gpu, .options = options, .e = e };
	size_t before;

	if (!d->is_changed)
		return 0;
	before = p->n_findings;
	if (!gs_policy_is_impossible(&y)) {
		gs_policy_check_mode(&y);
		gs_policy_check_functions(&y);
		gs_policy_check_places(&y);
		/* what does not fit by the list of places has been said with who is in the way */
		if (!is_blocked_since(p, before))
			gs_policy_check_capacity(&y);
		gs_policy_check_uuids(&y);
		gs_policy_check_holders(&y);
		gs_policy_check_reset(&y);
		/* what would come after is of no interest while it cannot be done */
		if (!is_blocked_since(p, before)) {
			gs_policy_note_functions(&y);
			gs_policy_note_open_commit(&y);
			add_notes(&y);
		}
	}
	return y.failed || gs_arena_has_failed(p->arena) ? gs_error_oom(e) : 0;
}
