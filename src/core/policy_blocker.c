/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_blocker.c - who is in the way of what was asked for, and whether it could go. */
#include "core/policy_internal.h"

#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"

/* More are said as a number. */
#define NAMED_MAX 4

/* The instance that stands where a want stands, or NULL for one that is itself only asked for. */
static const struct gs_instance *instance_of(const struct gs_gpu *gpu, const struct gs_want *w)
{
	return w->instance_id.known && w->start.known ? gs_gpu_instance_at(gpu, w->profile, w->start.value) : NULL;
}

/* "VF 3", or "mdev 12345678" */
static void describe_slot(struct gs_policy *y, const struct gs_want *w, struct gs_strbuf *b)
{
	if (y->gpu->vfs.total.known)
		gs_strbuf_printf(b, "%sVF %" PRIu32, b->length ? ", " : "", w->start.value);
	else
		gs_strbuf_printf(b, "%smdev %.8s", b->length ? ", " : "", w->uuid ? w->uuid : "new");
}

void gs_policy_describe_blocker(struct gs_policy *y, struct gs_finding *f, const struct gs_want *w, struct gs_strbuf *b)
{
	const struct gs_instance *inst = instance_of(y->gpu, w);
	const struct gs_profile *p = gs_want_profile(w, y->gpu);
	struct gs_span span = { w->start.value, 0 };
	char label[160];
	bool first = true;

	gs_profile_placement_at(p, w->start.value, &span);
	if (w->kind == GS_KIND_VGPU)
		describe_slot(y, w, b);
	else if (span.size > 1)
		gs_strbuf_printf(b, "%s%" PRIu32 "-%" PRIu32, b->length ? ", " : "", span.start, span.start + span.size - 1);
	else
		gs_strbuf_printf(b, "%s%" PRIu32, b->length ? ", " : "", span.start);
	if (!inst && w->kind == GS_KIND_VGPU) {
		gs_strbuf_printf(b, " is asked for by %s", w->profile);
		return;
	}
	if (!inst) {
		gs_strbuf_printf(b, " is asked for by %s at %" PRIu32, w->profile, w->start.value);
		return;
	}
	if (w->kind == GS_KIND_VGPU)
		gs_strbuf_printf(b, " carries %s", inst->profile);
	else
		gs_strbuf_printf(b, " is held by GI %" PRIu32 " %s", inst->id, inst->profile);
	for (size_t i = 0; i < inst->n_holders; i++) {
		if (inst->holders[i]->yields)
			continue;
		gs_strbuf_printf(b, "%s%s", first ? " (" : ", ", gs_holder_label(inst->holders[i], label, sizeof(label)));
		first = false;
		gs_policy_add_holder(y, f, inst->holders[i]);
	}
	if (gs_instance_is_held(inst))
		gs_strbuf_puts(b, ")");
	else
		gs_strbuf_puts(b, " (idle)");
}

void gs_policy_suggest_deleting(struct gs_policy *y, struct gs_finding *f, const struct gs_misfit_info *info, const struct gs_want *const *wants)
{
	GS_STRBUF struct gs_strbuf names = GS_STRBUF_INIT;
	size_t n = 0;

	if (!y->gpu->holders_visible || !info->n_blockers || info->n_blockers > NAMED_MAX)
		return;
	for (size_t i = 0; i < info->n_blockers; i++) {
		const struct gs_instance *inst = instance_of(y->gpu, wants[info->blockers[i]]);

		/* also what is only promised is somebody's; and an open request is taken out of the script */
		if (!inst || inst->n_holders)
			return;
		if (inst->kind == GS_KIND_VGPU && inst->vf.known)
			gs_strbuf_printf(&names, " vf:%" PRIu32, inst->vf.value);
		else if (inst->kind == GS_KIND_VGPU)
			gs_strbuf_printf(&names, " mdev:%s", inst->uuid ? inst->uuid : "");
		else
			gs_strbuf_printf(&names, " %s@%" PRIu32, inst->profile, inst->start.value);
		n++;
	}
	if (names.failed)
		y->failed = true;
	else
		gs_policy_suggest(y, f, "nobody uses %s: delete %" PRIu32 "%s", n == 1 ? "what is there" : "those", y->gpu->index, names.text);
}
