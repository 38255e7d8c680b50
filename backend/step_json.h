/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * step_json.h - a step of a plan and what came of it, between an agent and its
 * collector.
 *
 * step    {"op","bdf","gpu_uuid","mode","profile","profile_id","start","size",
 *          "instance_id","compute_profile","compute_start","compute_size",
 *          "compute_profile_id","compute_id","key","value"}
 * outcome {"pending":bool,"id":N,"note":TEXT}
 */
#ifndef GS_BACKEND_STEP_JSON_H
#define GS_BACKEND_STEP_JSON_H

#include "codec/json.h"
#include "core/commit.h"

/* The caller owns a reference. NULL when there is no memory. */
struct json_object *gs_step_to_json(const struct gs_step *step);

/* Strings are borrowed from @o. -EBADMSG for anything but a step that NVML carries out. */
int gs_step_from_json(struct json_object *o, struct gs_step *ret_step, struct gs_error *e);

struct json_object *gs_outcome_to_json(const struct gs_step_outcome *outcome);
int gs_outcome_from_json(struct json_object *o, struct gs_step_outcome *ret_outcome, struct gs_error *e);

#endif
