/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/json_reader.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

/* Nothing that we read is deeper than this; what is beyond is left out of the path. */
#define PATH_STEPS_MAX 16

/* "gpus[2].start"; the root's key (a file) is not part of it. */
static void path_format(const struct gs_json_where *where, const char *key, char *buf, size_t size)
{
	const struct gs_json_where *steps[PATH_STEPS_MAX];
	size_t n = 0, used = 0;

	buf[0] = '\0';
	for (; where && where->up && n < PATH_STEPS_MAX; where = where->up)
		steps[n++] = where;
	while (n-- && used < size) {
		if (steps[n]->key)
			used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? "." : "", steps[n]->key);
		else
			used += (size_t)snprintf(buf + used, size - used, "[%zu]", steps[n]->index);
	}
	if (key && used < size)
		snprintf(buf + used, size - used, "%s%s", used ? "." : "", key);
}

static const char *file_of(const struct gs_json_where *where)
{
	while (where && where->up)
		where = where->up;
	return where ? where->key : NULL;
}

/* What is quoted from the input may hold anything and may be cut in the middle of a character. */
static void make_printable(struct gs_error *e)
{
	if (e)
		gs_text_sanitize(e->text);
}

/* Say where an error that is already in @e was met. */
static int locate(const struct gs_json_where *where, const char *key, struct gs_error *e)
{
	char path[256];
	const char *file = file_of(where);

	if (!e)
		return -EBADMSG;
	path_format(where, key, path, sizeof(path));
	if (path[0])
		gs_error_prefix(e, "%s: ", path);
	if (file)
		snprintf(e->file, sizeof(e->file), "%s", file);
	return -EBADMSG;
}

int gs_json_fail(const struct gs_json_where *where, struct gs_error *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	gs_error_setv(e, -EBADMSG, GS_STATUS_INVALID, fmt, ap);
	va_end(ap);
	make_printable(e);
	return locate(where, NULL, e);
}

void gs_json_read_fail(struct gs_json_reader *r, const char *key, const char *fmt, ...)
{
	va_list ap;

	if (r->failed)
		return;
	va_start(ap, fmt);
	gs_error_setv(r->e, -EBADMSG, GS_STATUS_INVALID, fmt, ap);
	va_end(ap);
	make_printable(r->e);
	r->failed = locate(r->where, key, r->e);
}

struct gs_json_reader gs_json_reader_of(struct json_object *o, const struct gs_json_where *where, struct gs_error *e)
{
	struct gs_json_reader r = { o, where, e, 0 };

	if (!json_object_is_type(o, json_type_object))
		gs_json_read_fail(&r, NULL, "must be an object");
	return r;
}

static unsigned kind_of(struct json_object *v)
{
	switch (json_object_get_type(v)) {
	case json_type_string:
		return GS_JSON_STRING;
	case json_type_int:
		return GS_JSON_NUMBER;
	case json_type_boolean:
		return GS_JSON_BOOL;
	case json_type_array:
		return GS_JSON_ARRAY;
	case json_type_object:
		return GS_JSON_OBJECT;
	case json_type_null:
		return GS_JSON_NULL;
	case json_type_double:
		break;
	}
	return 0;
}

static const char *kind_name(unsigned kinds)
{
	if (kinds & GS_JSON_STRING)
		return "a string";
	if (kinds & GS_JSON_NUMBER)
		return "a whole number";
	if (kinds & GS_JSON_BOOL)
		return "true or false";
	return kinds & GS_JSON_ARRAY ? "a list" : "an object";
}

void gs_json_read_keys(struct gs_json_reader *r, const struct gs_json_key *keys, size_t n)
{
	if (r->failed)
		return;
	for (size_t i = 0; i < n; i++) {
		struct json_object *v = NULL;

		if (!json_object_object_get_ex(r->o, keys[i].name, &v))
			gs_json_read_fail(r, keys[i].name, "is missing");
		else if (!(kind_of(v) & keys[i].kinds))
			gs_json_read_fail(r, keys[i].name, "must be %s%s", kind_name(keys[i].kinds),
					  keys[i].kinds & GS_JSON_NULL ? " or null" : "");
	}
	if (r->failed || (size_t)json_object_object_length(r->o) == n)
		return;
	json_object_object_foreach(r->o, key, val) {
		size_t i = 0;

		(void)val;
		while (i < n && strcmp(keys[i].name, key) != 0)
			i++;
		if (i == n)
			gs_json_read_fail(r, NULL, "unknown key \"%.64s\"", key);
	}
}

/* After a getter of json.h: latch, and say where. The getter has named the key. */
static bool took(struct gs_json_reader *r, int result)
{
	if (result < 0)
		r->failed = locate(r->where, NULL, r->e);
	return result >= 0;
}

const char *gs_json_read_string(struct gs_json_reader *r, const char *key)
{
	const char *s = NULL;

	if (r->failed || !took(r, gs_json_get_string(r->o, key, &s, r->e)))
		return NULL;
	if (s && strlen(s) > GS_JSON_STRING_MAX) {
		gs_json_read_fail(r, key, "is longer than %d bytes", GS_JSON_STRING_MAX);
		return NULL;
	}
	return s;
}

const char *gs_json_read_name(struct gs_json_reader *r, const char *key)
{
	const char *s = gs_json_read_string(r, key);

	if (!r->failed && (!s || !s[0]))
		gs_json_read_fail(r, key, "is missing");
	return s;
}

struct gs_u32 gs_json_read_u32(struct gs_json_reader *r, const char *key, uint32_t max)
{
	struct gs_u32 v = GS_U32_UNKNOWN;

	if (r->failed || !took(r, gs_json_get_u32(r->o, key, &v, r->e)))
		return GS_U32_UNKNOWN;
	if (v.known && v.value > max) {
		gs_json_read_fail(r, key, "is %u, at most %u is possible", v.value, max);
		return GS_U32_UNKNOWN;
	}
	return v;
}

uint32_t gs_json_read_number(struct gs_json_reader *r, const char *key, uint32_t max)
{
	struct gs_u32 v = gs_json_read_u32(r, key, max);

	if (!r->failed && !v.known)
		gs_json_read_fail(r, key, "is missing");
	return v.value;
}

struct gs_u64 gs_json_read_u64(struct gs_json_reader *r, const char *key)
{
	struct gs_u64 v = GS_U64_UNKNOWN;

	if (!r->failed)
		took(r, gs_json_get_u64(r->o, key, &v, r->e));
	return v;
}

struct gs_i64 gs_json_read_i64(struct gs_json_reader *r, const char *key)
{
	struct gs_i64 v = GS_I64_UNKNOWN;

	if (!r->failed)
		took(r, gs_json_get_i64(r->o, key, &v, r->e));
	return v;
}

bool gs_json_read_bool(struct gs_json_reader *r, const char *key, bool otherwise)
{
	bool v = otherwise;

	if (!r->failed)
		took(r, gs_json_get_bool(r->o, key, otherwise, &v, r->e));
	return v;
}

bool gs_json_read_answer(struct gs_json_reader *r, const char *key, bool *ret_known)
{
	struct json_object *value = NULL;

	*ret_known = !r->failed && json_object_object_get_ex(r->o, key, &value) && value;
	return gs_json_read_bool(r, key, false);
}

size_t gs_json_read_array(struct gs_json_reader *r, const char *key, size_t max, struct json_object **ret_a)
{
	struct json_object *a = NULL;
	size_t n;

	*ret_a = NULL;
	if (r->failed || !took(r, gs_json_get_array(r->o, key, &a, r->e)) || !a)
		return 0;
	n = json_object_array_length(a);
	if (n > max) {
		gs_json_read_fail(r, key, "has %zu elements, at most %zu are possible", n, max);
		return 0;
	}
	*ret_a = a;
	return n;
}

struct json_object *gs_json_read_object(struct gs_json_reader *r, const char *key)
{
	struct json_object *v = NULL;

	if (!r->failed)
		took(r, gs_json_get_object(r->o, key, &v, r->e));
	return v;
}
