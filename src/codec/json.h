/* SPDX-License-Identifier: GPL-2.0-or-later */
/* json.h - the only way from bytes to json-c objects: bounded, strict, UTF-8. */
#ifndef GS_CODEC_JSON_H
#define GS_CODEC_JSON_H

#include <json-c/json.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/optional.h"

#define GS_JSON_DEPTH_MAX 32

static inline void gs_json_putp(struct json_object **o)
{
	if (*o)
		json_object_put(*o);
}
#define GS_JSON GS_CLEANUP(gs_json_putp)

/*
 * Parse exactly one value from @n bytes. Trailing bytes, depth over
 * GS_JSON_DEPTH_MAX, bad UTF-8, truncated text: -EBADMSG with
 * @name:line:column. The caller owns a reference.
 */
int gs_json_parse(const char *bytes, size_t n, const char *name, struct json_object **ret_value, struct gs_error *e);
int gs_json_read_file(const char *path, size_t max, struct json_object **ret_value, struct gs_error *e);

/*
 * Typed members of an object. Absent or null: "unknown" (NULL, not known).
 * Wrong type or out of range: -EBADMSG with a sentence that names @key.
 * Strings are borrowed from the object.
 */
int gs_json_get_string(struct json_object *o, const char *key, const char **ret_s, struct gs_error *e);
int gs_json_get_u32(struct json_object *o, const char *key, struct gs_u32 *ret_v, struct gs_error *e);
int gs_json_get_u64(struct json_object *o, const char *key, struct gs_u64 *ret_v, struct gs_error *e);
int gs_json_get_i64(struct json_object *o, const char *key, struct gs_i64 *ret_v, struct gs_error *e);
int gs_json_get_bool(struct json_object *o, const char *key, bool otherwise, bool *ret_v, struct gs_error *e);
int gs_json_get_array(struct json_object *o, const char *key, struct json_object **ret_a, struct gs_error *e);
int gs_json_get_object(struct json_object *o, const char *key, struct json_object **ret_o, struct gs_error *e);

/* Builders: NULL becomes null, unknown becomes null. */
void gs_json_add_string(struct json_object *o, const char *key, const char *s);
void gs_json_add_u32(struct json_object *o, const char *key, struct gs_u32 v);
void gs_json_add_u64(struct json_object *o, const char *key, struct gs_u64 v);
void gs_json_add_i64(struct json_object *o, const char *key, struct gs_i64 v);

/* Text for people and files: two blanks of indentation, no escaped slashes, a final newline; the caller frees. */
char *gs_json_to_text(struct json_object *o);
/* One line, no newline; for the wire. The caller frees. */
char *gs_json_to_line(struct json_object *o);

#endif
