/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan_approval.c - what a confirmation that was given for one plan covers of a later one. */
#include "core/plan.h"

#include "base/parse.h"

/* A pid alone is reused; a claim and a unit have none. */
static bool is_same_holder(const struct gs_holder *a, const struct gs_holder *b)
{
	if (a->kind != b->kind || !gs_u32_equal(a->pid, b->pid))
		return false;
	return a->pid.known ? gs_u64_equal(a->start_time, b->start_time) : gs_str_equal(a->name, b->name) && gs_str_equal(a->evidence, b->evidence);
}

/* A unit that is stopped for the plan is stopped as a whole, whichever processes it has by then. */
static bool is_stopped_with_its_unit(const struct gs_plan *p, const struct gs_holder *h)
{
	for (size_t i = 0; h->unit && i < p->n_steps; i++)
		if (p->steps[i].op == GS_STEP_STOP_UNIT && gs_str_equal(p->steps[i].unit, h->unit))
			return true;
	return false;
}

static bool names(const struct gs_finding *f, const struct gs_holder *h)
{
	for (size_t i = 0; i < f->n_holders; i++)
		if (is_same_holder(f->holders[i], h))
			return true;
	return false;
}

/* The same thing on the same object, and nobody in it who was not in it then. */
static bool is_covered(const struct gs_plan *approved, const struct gs_finding *f)
{
	for (size_t i = 0; i < approved->n_findings; i++) {
		const struct gs_finding *then = &approved->findings[i];
		bool all = then->severity == GS_SEVERITY_CONFIRM && gs_str_equal(then->rule, f->rule) && gs_str_equal(then->object, f->object);

		for (size_t k = 0; all && k < f->n_holders; k++)
			all = names(then, f->holders[k]) || is_stopped_with_its_unit(approved, f->holders[k]);
		if (all)
			return true;
	}
	return false;
}

const struct gs_finding *gs_plan_unapproved(const struct gs_plan *approved, const struct gs_plan *later)
{
	for (size_t i = 0; i < later->n_findings; i++)
		if (later->findings[i].severity == GS_SEVERITY_CONFIRM && !is_covered(approved, &later->findings[i]))
			return &later->findings[i];
	return NULL;
}
