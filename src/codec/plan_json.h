/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan_json.h - schema gpuslice.plan/1 and the text form of a plan. */
#ifndef GS_CODEC_PLAN_JSON_H
#define GS_CODEC_PLAN_JSON_H

#include "base/strbuf.h"
#include "codec/json.h"
#include "core/commit.h"
#include "core/plan.h"

/* The caller owns a reference. */
struct json_object *gs_plan_to_json(const struct gs_plan *p);
/* schema gpuslice.result/1: what an apply did: status, steps done, undone, text, and the plan. */
struct json_object *gs_commit_result_to_json(const struct gs_commit_result *r);
/* A word for an exit status, so that a log can be read without the table: "done", "nothing-to-do", "refused", … */
const char *gs_outcome_word(enum gs_status status, bool has_done);

/* For people: findings, steps with undo grade, what is kept. ASCII, one line each, ends with a newline. */
void gs_plan_print(const struct gs_plan *p, struct gs_strbuf *out);

#endif
