/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy_host.c - who else on the machine puts layouts back: whoever comes last
 * wins, at the next boot or before it, and the loser is never told.
 */
#include "core/policy_internal.h"

/* "nvidia-mig-manager.service (runs …), mdevctl (starts …)" */
static void name_all(const struct gs_snapshot *s, struct gs_strbuf *b)
{
	for (size_t i = 0; i < gs_snapshot_n_restorers(s); i++) {
		const struct gs_restorer *r = gs_snapshot_restorer(s, i);

		gs_strbuf_printf(b, "%s%s", i ? ", " : "", r->name);
		if (r->what)
			gs_strbuf_printf(b, " (%s)", r->what);
	}
}

int gs_policy_apply_host(struct gs_plan *p, struct gs_error *e)
{
	struct gs_policy y = { .p = p, .e = e };
	GS_STRBUF struct gs_strbuf names = GS_STRBUF_INIT;
	size_t n = gs_snapshot_n_restorers(p->snapshot);
	struct gs_finding *f;
	char remedy[256];

	if (!n || !p->n_steps)
		return 0;
	name_all(p->snapshot, &names);
	if (names.failed)
		return gs_error_oom(e);
	f = gs_policy_add(&y, GS_RULE_OTHER_RESTORER, GS_SEVERITY_NOTE, "%s %s of %s own back, at boot or later, and may undo this: let only one do it",
			  names.text, n == 1 ? "puts a layout" : "put layouts", n == 1 ? "its" : "their");
	for (size_t i = 0; i < n; i++)
		gs_policy_suggest(&y, f, "%s", gs_restorer_remedy(gs_snapshot_restorer(p->snapshot, i), remedy, sizeof(remedy)));
	gs_policy_suggest(&y, f, "leave %s, and do not use gpuslice restore", n == 1 ? "it alone" : "them alone");
	return y.failed || gs_arena_has_failed(p->arena) ? gs_error_oom(e) : 0;
}
