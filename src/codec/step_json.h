/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * step_json.h - a step of a plan in full, and what came of it: between an agent
 * and its collector, and in the journal. What people and scripts get is the
 * plan's (plan_json.h).
 *
 * step    {"n","op","gpu","bdf",…}: a key per member of struct gs_step, what
 *         is 0, unknown or NULL left out
 * outcome {"pending":bool,"id":N,"note":TEXT}
 */
#ifndef GS_CODEC_STEP_JSON_H
#define GS_CODEC_STEP_JSON_H

#include "base/arena.h"
#include "codec/json.h"
#include "core/commit.h"

/* GPUs that go along with a reset; more than any hive or board has. */
#define GS_STEP_PEERS_MAX 4096

/* The caller owns a reference. NULL when there is no memory. */
struct json_object *gs_step_to_json(const struct gs_step *step);

/*
 * Strings are copied into @arena; without one they are borrowed from @o, and a
 * step with peers is refused. A key that is not known, a wrong type or word, a
 * step without op or address: -EBADMSG, since half a step is another one.
 */
int gs_step_from_json(struct json_object *o, struct gs_arena *arena, struct gs_step *ret_step, struct gs_error *e);

struct json_object *gs_outcome_to_json(const struct gs_step_outcome *outcome);
int gs_outcome_from_json(struct json_object *o, struct gs_step_outcome *ret_outcome, struct gs_error *e);

#endif
