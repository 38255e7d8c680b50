/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jsonout.h - building the simulator's JSON. Lack of memory is latched, so that builders read as lists. */
#ifndef GS_SIM_JSONOUT_H
#define GS_SIM_JSONOUT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

struct gs_sim_out {
	bool failed;
};

/* Each takes @value over, also on failure. */
void gs_sim_put(struct gs_sim_out *w, struct json_object *o, const char *key, struct json_object *value);
void gs_sim_push(struct gs_sim_out *w, struct json_object *array, struct json_object *value);
void gs_sim_put_number(struct gs_sim_out *w, struct json_object *o, const char *key, uint64_t value);
void gs_sim_put_text(struct gs_sim_out *w, struct json_object *o, const char *key, const char *value);
void gs_sim_put_bool(struct gs_sim_out *w, struct json_object *o, const char *key, bool value);
/* Written when they are on, not empty, not @none: so that the file shows what is special. */
void gs_sim_put_flag(struct gs_sim_out *w, struct json_object *o, const char *key, bool value);
void gs_sim_put_word(struct gs_sim_out *w, struct json_object *o, const char *key, const char *value);
void gs_sim_put_unless(struct gs_sim_out *w, struct json_object *o, const char *key, uint64_t value, uint64_t none);

#endif
