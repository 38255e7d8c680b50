/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_capacity.c - what the driver itself says there is room for, where that is less than its list of places promises. */
#include "core/policy_internal.h"

#include <inttypes.h>
#include <string.h>

#include "base/parse.h"

/* The driver's number is about the GPU as it is now: once something goes or the mode changes it says nothing. */
static bool is_about_now(const struct gs_diff_gpu *d)
{
	if (d->mig_changes || d->wipes_gis)
		return false;
	for (size_t i = 0; i < d->n_changes; i++)
		if (d->changes[i].old && d->changes[i].old->kind == GS_KIND_MIG && (d->changes[i].kind == GS_CHANGE_DELETE || d->changes[i].kind == GS_CHANGE_RECREATE))
			return false;
	return true;
}

static uint32_t count_created(const struct gs_diff_gpu *d, const char *profile, const struct gs_want **ret_first)
{
	uint32_t n = 0;

	for (size_t i = 0; i < d->n_changes; i++) {
		const struct gs_change *c = &d->changes[i];

		if (c->kind != GS_CHANGE_CREATE || c->want->kind != GS_KIND_MIG || !gs_str_equal(c->want->profile, profile))
			continue;
		if (!n++)
			*ret_first = c->want;
	}
	return n;
}

void gs_policy_check_capacity(struct gs_policy *y)
{
	if (!is_about_now(y->d))
		return;
	for (size_t i = 0; i < y->gpu->n_remaining; i++) {
		const struct gs_remaining *r = &y->gpu->remaining[i];
		const struct gs_want *first = NULL;
		uint32_t n = count_created(y->d, r->profile, &first);
		struct gs_finding *f;

		if (n <= r->n)
			continue;
		f = gs_policy_add(y, GS_RULE_DRIVER_CAPACITY, GS_SEVERITY_BLOCK,
				  "the driver says that it would create %" PRIu32 " more %s now, and %" PRIu32 " %s asked for: it holds something back that its list of places does not show",
				  r->n, r->profile, n, n == 1 ? "is" : "are");
		f->pos = first->pos;
		gs_policy_suggest(y, f, "gpuslice profiles %" PRIu32 " shows what can be created", y->gpu->index);
	}
}
