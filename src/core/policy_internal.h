/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy_internal.h - what the files of policy share: the state of one GPU's
 * judgement, and how a finding is made. For src/core/policy*.c only.
 */
#ifndef GS_CORE_POLICY_INTERNAL_H
#define GS_CORE_POLICY_INTERNAL_H

#include "base/strbuf.h"
#include "core/placement.h"
#include "core/policy.h"
#include "core/steps.h"

struct gs_policy {
	struct gs_plan *p;
	const struct gs_diff *diff;     /* of all GPUs */
	const struct gs_diff_gpu *d;
	const struct gs_gpu *gpu;       /* NULL: the machine as a whole */
	const struct gs_plan_options *options;
	struct gs_error *e;
	bool failed;
	struct gs_finding nowhere;  /* what a failed allocation is written to; nobody reads it */
};

/* ---- policy.c ---- */

/* A new finding about the GPU as a whole; never NULL. */
struct gs_finding *gs_policy_add(struct gs_policy *y, enum gs_rule rule, enum gs_severity severity, const char *fmt, ...) GS_PRINTF(4, 5);
/* What would do as well. */
void gs_policy_suggest(struct gs_policy *y, struct gs_finding *f, const char *fmt, ...) GS_PRINTF(3, 4);
/* Once each. */
void gs_policy_add_holder(struct gs_policy *y, struct gs_finding *f, const struct gs_holder *h);
/* "GPU 2 GI 5", "GPU 2 vf:3" */
const char *gs_policy_object(struct gs_policy *y, const struct gs_instance *inst);

/* ---- policy_place.c: what fits, and what would do as well ---- */

void gs_policy_check_places(struct gs_policy *y);

/* ---- policy_blocker.c: who is in the way ---- */

/* "0-3 is held by GI 2 1g.10gb (pid 4711 python3)", appended to @b; its holders go into @f. */
void gs_policy_describe_blocker(struct gs_policy *y, struct gs_finding *f, const struct gs_want *w, struct gs_strbuf *b);
/* Where only idle instances are in the way: how they are deleted. @wants as for the check that gave @info. */
void gs_policy_suggest_deleting(struct gs_policy *y, struct gs_finding *f, const struct gs_misfit_info *info, const struct gs_want *const *wants);

/* ---- policy_slots.c: vGPUs on their slots ---- */

/* The slot that @w asks for is not to be had, by @info. @wants and @placed, @n each, are what stands and was asked for before. */
void gs_policy_report_slot(struct gs_policy *y, const struct gs_want *w, const struct gs_profile *p, const struct gs_misfit_info *info,
			   const struct gs_want *const *wants, const struct gs_placed *placed, size_t n);
/* @times open requests like @w got no slot. */
void gs_policy_report_no_slot(struct gs_policy *y, const struct gs_want *w, size_t times, const struct gs_profile *p, const struct gs_want *const *wants,
			      const struct gs_placed *placed, size_t n);

/* ---- policy_gi.c: room inside GPU instances ---- */

void gs_policy_check_gi_room(struct gs_policy *y);

/* ---- policy_capacity.c: what the driver says it has room for ---- */

void gs_policy_check_capacity(struct gs_policy *y);

/* ---- policy_uuid.c: the names of mdevs ---- */

void gs_policy_check_uuids(struct gs_policy *y);

/* ---- policy_function.c: modes, VFs, drivers, settings, writes that still wait ---- */

/* Something that makes all else idle to look at? Then it is said, and true. */
bool gs_policy_is_impossible(struct gs_policy *y);
void gs_policy_check_mode(struct gs_policy *y);
void gs_policy_check_functions(struct gs_policy *y);
void gs_policy_note_functions(struct gs_policy *y);
/* A commit that is at this GPU, or that was left half way and is not in the way. */
void gs_policy_note_open_commit(struct gs_policy *y);

/* ---- policy_settings.c: what the GPU and its instances are set to ---- */

void gs_policy_check_settings(struct gs_policy *y);

/* ---- policy_reset.c: what goes along with a reset ---- */

void gs_policy_check_reset(struct gs_policy *y);

/* ---- policy_holders.c: whose work it touches ---- */

void gs_policy_check_holders(struct gs_policy *y);
/* Whoever has @y->gpu open, which is reset along with another. */
void gs_policy_check_reset_holders(struct gs_policy *y);

#endif
