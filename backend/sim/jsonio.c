/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/jsonio.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define DEPTH_MAX 16

int gs_sim_json_parse(const char *bytes, size_t n, const char *file, struct json_object **ret_root, struct gs_error *e)
{
	struct json_tokener *tokener;
	struct json_object *root;
	enum json_tokener_error status;

	if (n == 0 || n > INT_MAX)
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "%s: empty or too large to be JSON.", file);
	tokener = json_tokener_new_ex(DEPTH_MAX);
	if (!tokener)
		return gs_error_oom(e);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	/* With the NUL, so that a document that is a prefix of something longer is refused. */
	root = json_tokener_parse_ex(tokener, bytes, (int)n);
	status = json_tokener_get_error(tokener);
	if (status == json_tokener_continue) {
		json_object_put(root);
		root = json_tokener_parse_ex(tokener, "", 1);
		status = json_tokener_get_error(tokener);
	}
	if (status == json_tokener_success && json_tokener_get_parse_end(tokener) < n) {
		size_t end = json_tokener_get_parse_end(tokener);

		while (end > 0 && end < n && strchr(" \t\r\n", bytes[end]))
			end++;
		if (end < n)
			status = json_tokener_error_parse_unexpected;
	}
	json_tokener_free(tokener);
	if (status != json_tokener_success || !json_object_is_type(root, json_type_object)) {
		json_object_put(root);
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "%s: %s.", file,
				    status != json_tokener_success ? json_tokener_error_desc(status) :
								     "not a JSON object");
	}
	*ret_root = root;
	return 0;
}

void gs_sim_json_fail(struct gs_sim_json *j, const char *key, const char *what)
{
	if (j->error)
		return;
	j->error = -EINVAL;
	gs_error_set(j->e, -EINVAL, GS_STATUS_INVALID, "%s: \"%s\" %s.", j->file, key, what);
}

static struct json_object *member(struct json_object *o, const char *key)
{
	struct json_object *value = NULL;

	if (!o || !json_object_object_get_ex(o, key, &value))
		return NULL;
	return value;
}

bool gs_sim_json_has(struct json_object *o, const char *key)
{
	return member(o, key) != NULL;
}

struct json_object *gs_sim_json_array(struct gs_sim_json *j, struct json_object *o, const char *key, size_t max)
{
	struct json_object *value = member(o, key);

	if (!json_object_is_type(value, json_type_array)) {
		gs_sim_json_fail(j, key, "has to be an array");
		return NULL;
	}
	if (json_object_array_length(value) > max) {
		gs_sim_json_fail(j, key, "has too many elements");
		return NULL;
	}
	return value;
}

struct json_object *gs_sim_json_object(struct gs_sim_json *j, struct json_object *o, const char *key)
{
	struct json_object *value = member(o, key);

	if (json_object_is_type(value, json_type_object))
		return value;
	gs_sim_json_fail(j, key, "has to be an object");
	return NULL;
}

size_t gs_sim_json_length(struct json_object *array)
{
	return array ? json_object_array_length(array) : 0;
}

struct json_object *gs_sim_json_element(struct gs_sim_json *j, struct json_object *array, size_t i, const char *key)
{
	struct json_object *value = json_object_array_get_idx(array, i);

	if (json_object_is_type(value, json_type_object))
		return value;
	gs_sim_json_fail(j, key, "has an element that is not an object");
	return NULL;
}

static const char *text(struct gs_sim_json *j, struct json_object *value, const char *key, size_t max, bool controls)
{
	const char *s;
	size_t n;

	if (!json_object_is_type(value, json_type_string)) {
		gs_sim_json_fail(j, key, "has to be text");
		return "";
	}
	s = json_object_get_string(value);
	n = (size_t)json_object_get_string_len(value);
	if (n > max || strlen(s) != n) {
		gs_sim_json_fail(j, key, n > max ? "is too long" : "contains a NUL");
		return "";
	}
	for (size_t i = 0; !controls && i < n; i++) {
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f) {
			gs_sim_json_fail(j, key, "contains a control character");
			return "";
		}
	}
	s = gs_arena_strndup(j->arena, s, n);
	if (!s && !j->error)
		j->error = gs_error_oom(j->e);
	return s ? s : "";
}

const char *gs_sim_json_string(struct gs_sim_json *j, struct json_object *o, const char *key, size_t max)
{
	return text(j, member(o, key), key, max, false);
}

const char *gs_sim_json_string_at(struct gs_sim_json *j, struct json_object *array, size_t i, const char *key, size_t max)
{
	return text(j, json_object_array_get_idx(array, i), key, max, true);
}

int64_t gs_sim_json_i64(struct gs_sim_json *j, struct json_object *o, const char *key, int64_t min, int64_t max)
{
	struct json_object *value = member(o, key);
	int64_t number;

	if (!json_object_is_type(value, json_type_int)) {
		gs_sim_json_fail(j, key, "has to be a whole number");
		return 0;
	}
	/* json-c clamps at the ends of int64_t; nothing of ours comes near, so an end is «out of range». */
	number = json_object_get_int64(value);
	if (number < min || number > max || number == INT64_MAX) {
		gs_sim_json_fail(j, key, "is out of range");
		return 0;
	}
	return number;
}

uint64_t gs_sim_json_u64(struct gs_sim_json *j, struct json_object *o, const char *key, uint64_t max)
{
	return (uint64_t)gs_sim_json_i64(j, o, key, 0, max > INT64_MAX - 1 ? INT64_MAX - 1 : (int64_t)max);
}

uint32_t gs_sim_json_u32(struct gs_sim_json *j, struct json_object *o, const char *key, uint32_t max)
{
	return (uint32_t)gs_sim_json_u64(j, o, key, max);
}

bool gs_sim_json_bool(struct gs_sim_json *j, struct json_object *o, const char *key)
{
	struct json_object *value = member(o, key);

	if (json_object_is_type(value, json_type_boolean))
		return json_object_get_boolean(value);
	gs_sim_json_fail(j, key, "has to be true or false");
	return false;
}

bool gs_sim_json_flag(struct gs_sim_json *j, struct json_object *o, const char *key)
{
	return gs_sim_json_has(o, key) && gs_sim_json_bool(j, o, key);
}

void gs_sim_json_schema(struct gs_sim_json *j, struct json_object *root, const char *schema)
{
	const char *found = gs_sim_json_string(j, root, "schema", 64);
	size_t name = (size_t)(strrchr(schema, '/') + 1 - schema);

	if (strcmp(found, schema) == 0)
		return;
	gs_sim_json_fail(j, "schema", "is not the one that this version reads");
	if (strncmp(found, schema, name) == 0)
		j->error = -EPROTO;
}
