/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jsonio.h - reading the simulator's JSON strictly. State files and host files
 * are input from outside: every value is bounded, the first mistake is latched
 * with a sentence, and later reads give harmless values.
 */
#ifndef GS_SIM_JSONIO_H
#define GS_SIM_JSONIO_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

struct gs_sim_json {
	const char *file;           /* for sentences; borrowed */
	struct gs_arena *arena;     /* owns the strings that are read */
	struct gs_error *e;         /* may be NULL */
	int error;                  /* 0, or the first failure */
};

static inline void gs_sim_json_putp(struct json_object **o)
{
	json_object_put(*o);
}
#define GS_SIM_JSON_PUT GS_CLEANUP(gs_sim_json_putp)

/* Whole text, one object, UTF-8, no comments, nothing after it. The caller puts the result. */
int gs_sim_json_parse(const char *bytes, size_t n, const char *file, struct json_object **ret_root, struct gs_error *e);

/* Latch a mistake: "FILE: KEY …". Keeps the first. */
void gs_sim_json_fail(struct gs_sim_json *j, const char *key, const char *what);

bool gs_sim_json_has(struct json_object *o, const char *key);
/* NULL after a failure; json_object_array_length() of NULL must not be asked: see gs_sim_json_length(). */
struct json_object *gs_sim_json_array(struct gs_sim_json *j, struct json_object *o, const char *key, size_t max);
struct json_object *gs_sim_json_object(struct gs_sim_json *j, struct json_object *o, const char *key);
size_t gs_sim_json_length(struct json_object *array);
/* Element @i, which must be an object; NULL after a failure. */
struct json_object *gs_sim_json_element(struct gs_sim_json *j, struct json_object *array, size_t i, const char *key);

/* In the arena; "" after a failure. At most @max bytes, no control characters. */
const char *gs_sim_json_string(struct gs_sim_json *j, struct json_object *o, const char *key, size_t max);
/* The same for one string of an array; control characters are allowed, NUL is not. */
const char *gs_sim_json_string_at(struct gs_sim_json *j, struct json_object *array, size_t i, const char *key, size_t max);
uint64_t gs_sim_json_u64(struct gs_sim_json *j, struct json_object *o, const char *key, uint64_t max);
uint32_t gs_sim_json_u32(struct gs_sim_json *j, struct json_object *o, const char *key, uint32_t max);
int64_t gs_sim_json_i64(struct gs_sim_json *j, struct json_object *o, const char *key, int64_t min, int64_t max);
bool gs_sim_json_bool(struct gs_sim_json *j, struct json_object *o, const char *key);
/* False when absent or null. */
bool gs_sim_json_flag(struct gs_sim_json *j, struct json_object *o, const char *key);

/* Fails when "schema" is not @schema; with -EPROTO when it is another version of it. */
void gs_sim_json_schema(struct gs_sim_json *j, struct json_object *root, const char *schema);

#endif
