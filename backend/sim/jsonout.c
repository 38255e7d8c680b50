/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/jsonout.h"

void gs_sim_put(struct gs_sim_out *w, struct json_object *o, const char *key, struct json_object *value)
{
	if (!o || !value || json_object_object_add(o, key, value) < 0) {
		w->failed = true;
		if (value && !o)
			json_object_put(value);
	}
}

void gs_sim_push(struct gs_sim_out *w, struct json_object *array, struct json_object *value)
{
	if (!array || !value || json_object_array_add(array, value) < 0) {
		w->failed = true;
		json_object_put(value);
	}
}

void gs_sim_put_number(struct gs_sim_out *w, struct json_object *o, const char *key, uint64_t value)
{
	gs_sim_put(w, o, key, json_object_new_int64((int64_t)value));
}

void gs_sim_put_text(struct gs_sim_out *w, struct json_object *o, const char *key, const char *value)
{
	gs_sim_put(w, o, key, json_object_new_string(value));
}

void gs_sim_put_bool(struct gs_sim_out *w, struct json_object *o, const char *key, bool value)
{
	gs_sim_put(w, o, key, json_object_new_boolean(value));
}

void gs_sim_put_flag(struct gs_sim_out *w, struct json_object *o, const char *key, bool value)
{
	if (value)
		gs_sim_put_bool(w, o, key, true);
}

void gs_sim_put_word(struct gs_sim_out *w, struct json_object *o, const char *key, const char *value)
{
	if (value && value[0])
		gs_sim_put_text(w, o, key, value);
}

void gs_sim_put_unless(struct gs_sim_out *w, struct json_object *o, const char *key, uint64_t value, uint64_t none)
{
	if (value != none)
		gs_sim_put_number(w, o, key, value);
}
