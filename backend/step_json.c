/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/step_json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

/* The numbers of a step, one table for both directions. */
#define STEP_NUMBERS(X) \
	X("profile_id", profile_id) \
	X("start", span.start) \
	X("size", span.size) \
	X("instance_id", instance_id) \
	X("compute_profile_id", compute_profile_id) \
	X("compute_start", compute_span.start) \
	X("compute_size", compute_span.size) \
	X("compute_id", compute_id)

struct json_object *gs_step_to_json(const struct gs_step *step)
{
	struct json_object *o = json_object_new_object();
	char bdf[GS_BDF_TEXT];

	if (!o)
		return NULL;
	gs_json_add_string(o, "op", gs_step_op_name(step->op));
	gs_json_add_string(o, "bdf", gs_bdf_format(step->bdf, bdf));
	gs_json_add_string(o, "gpu_uuid", step->gpu_uuid);
	gs_json_add_string(o, "mode", step->op == GS_STEP_SET_MODE ? gs_mode_name(step->mode) : NULL);
	gs_json_add_string(o, "profile", step->profile);
	gs_json_add_string(o, "compute_profile", step->compute_profile);
	gs_json_add_string(o, "key", step->key);
	gs_json_add_string(o, "value", step->value);
#define ADD_NUMBER(key, field) gs_json_add_u32(o, key, GS_U32(step->field));
	STEP_NUMBERS(ADD_NUMBER)
	return o;
}

static int get_number(struct json_object *o, const char *key, uint32_t *ret_value, struct gs_error *e)
{
	struct gs_u32 v = GS_U32_UNKNOWN;
	int r = gs_json_get_u32(o, key, &v, e);

	if (r == 0)
		*ret_value = v.value;
	return r;
}

static int get_words(struct json_object *o, struct gs_step *step, struct gs_error *e)
{
	const char *op = NULL, *bdf = NULL, *mode = NULL;
	int r = gs_json_get_string(o, "op", &op, e);

	if (r == 0)
		r = gs_json_get_string(o, "bdf", &bdf, e);
	if (r == 0)
		r = gs_json_get_string(o, "mode", &mode, e);
	if (r == 0)
		r = gs_json_get_string(o, "gpu_uuid", &step->gpu_uuid, e);
	if (r == 0)
		r = gs_json_get_string(o, "profile", &step->profile, e);
	if (r == 0)
		r = gs_json_get_string(o, "compute_profile", &step->compute_profile, e);
	if (r == 0)
		r = gs_json_get_string(o, "key", &step->key, e);
	if (r == 0)
		r = gs_json_get_string(o, "value", &step->value, e);
	if (r < 0)
		return r;
	step->op = op ? gs_step_op_from_name(op) : GS_STEP_INVALID;
	step->mode = mode ? gs_mode_from_name(mode) : GS_MODE_INVALID;
	if (step->op == GS_STEP_INVALID || step->op == GS_STEP_STOP_HOLDER || !bdf || gs_bdf_parse(bdf, &step->bdf) < 0 ||
	    (step->op == GS_STEP_SET_MODE && step->mode == GS_MODE_INVALID))
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "a step that the collector does not know");
	return 0;
}

int gs_step_from_json(struct json_object *o, struct gs_step *ret_step, struct gs_error *e)
{
	struct gs_step step = { 0 };
	int r;

	if (!json_object_is_type(o, json_type_object))
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "a step is an object");
	r = get_words(o, &step, e);
#define GET_NUMBER(key, field) \
	if (r == 0) \
		r = get_number(o, key, &step.field, e);
	STEP_NUMBERS(GET_NUMBER)
	if (r == 0)
		*ret_step = step;
	return r;
}

struct json_object *gs_outcome_to_json(const struct gs_step_outcome *outcome)
{
	struct json_object *o = json_object_new_object();

	if (!o)
		return NULL;
	json_object_object_add(o, "pending", json_object_new_boolean(outcome->is_pending));
	gs_json_add_u32(o, "id", GS_U32(outcome->id));
	gs_json_add_string(o, "note", outcome->note);
	return o;
}

int gs_outcome_from_json(struct json_object *o, struct gs_step_outcome *ret_outcome, struct gs_error *e)
{
	struct gs_step_outcome outcome = { 0 };
	const char *note = NULL;
	int r;

	if (!json_object_is_type(o, json_type_object))
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "the outcome of a step is an object");
	r = gs_json_get_bool(o, "pending", false, &outcome.is_pending, e);
	if (r == 0)
		r = get_number(o, "id", &outcome.id, e);
	if (r == 0)
		r = gs_json_get_string(o, "note", &note, e);
	if (r < 0)
		return r;
	snprintf(outcome.note, sizeof(outcome.note), "%s", note ? note : "");
	gs_text_sanitize(outcome.note);
	*ret_outcome = outcome;
	return 0;
}
