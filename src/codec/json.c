/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/json.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/file.h"
#include "base/parse.h"

/* Line and column (both from 1, the column in bytes) of an offset. */
static struct gs_position position_of(const char *bytes, size_t n, size_t offset, const char *name)
{
	struct gs_position pos = { name, 1, 1 };

	for (size_t i = 0; i < offset && i < n; i++) {
		pos.column++;
		if (bytes[i] == '\n') {
			pos.line++;
			pos.column = 1;
		}
	}
	return pos;
}

static bool is_digit(const char *bytes, size_t n, size_t i)
{
	return i < n && bytes[i] >= '0' && bytes[i] <= '9';
}

/* What is wrong with one character outside strings that json-c's strict mode lets pass, or NULL. */
static const char *mistake_outside_string(const char *bytes, size_t n, size_t i)
{
	unsigned char c = (unsigned char)bytes[i];

	if (c == '\'')
		return "a string has double quotes";
	if (c == 'N' || c == 'I')
		return "NaN and Infinity are not JSON";
	if (c >= 0x80)
		return "only strings may have characters beyond ASCII";
	if (c < 0x20 && c != '\n' && c != '\r' && c != '\t')
		return "a control character is not allowed here";
	if (c == '-' && i + 1 < n && bytes[i + 1] == '0' && is_digit(bytes, n, i + 2))
		return "a number has no leading zero";
	if (c == '.' && !is_digit(bytes, n, i + 1))
		return "a digit must follow the point";
	return NULL;
}

static const char *mistake_in_string(const char *bytes, size_t n, size_t i)
{
	if ((unsigned char)bytes[i] < 0x20)
		return "a control character in a string must be escaped";
	if (bytes[i] == '\\' && n - i >= 6 && memcmp(bytes + i, "\\u0000", 6) == 0)
		return "NUL is not allowed in a string";
	return NULL;
}

/* The letter of the grammar where json-c 0.16 is more generous than it; tokens only, json-c does the parsing. */
static int check_tokens(const char *bytes, size_t n, const char *name, struct gs_error *e)
{
	bool in_string = false;

	for (size_t i = 0; i < n; i++) {
		const char *mistake = in_string ? mistake_in_string(bytes, n, i) : mistake_outside_string(bytes, n, i);

		if (mistake) {
			struct gs_position pos = position_of(bytes, n, i, name);

			return gs_error_at(e, -EBADMSG, &pos, "%s", mistake);
		}
		if (in_string && bytes[i] == '\\')
			i++;
		else if (bytes[i] == '"')
			in_string = !in_string;
	}
	return 0;
}

static const char *tokener_sentence(enum json_tokener_error error)
{
	switch (error) {
	case json_tokener_continue:
	case json_tokener_error_parse_eof:
		return "the text ends before the value does";
	case json_tokener_error_depth:
		return "nested too deeply";
	default:
		return json_tokener_error_desc(error);
	}
}

static void tokener_freep(struct json_tokener **t)
{
	if (*t)
		json_tokener_free(*t);
}

int gs_json_parse(const char *bytes, size_t n, const char *name, struct json_object **ret_value, struct gs_error *e)
{
	GS_CLEANUP(tokener_freep) struct json_tokener *tokener = NULL;
	GS_JSON struct json_object *value = NULL;
	struct gs_position pos;
	enum json_tokener_error error;
	size_t bad = 0, end;
	int r;

	if (n > INT_MAX)
		return gs_error_set(e, -EFBIG, GS_STATUS_INVALID, "%s is too large", name);
	if (!gs_utf8_is_valid(bytes, n, &bad)) {
		pos = position_of(bytes, n, bad, name);
		return gs_error_at(e, -EBADMSG, &pos, "not valid UTF-8");
	}
	r = check_tokens(bytes, n, name, e);
	if (r < 0)
		return r;
	tokener = json_tokener_new_ex(GS_JSON_DEPTH_MAX);
	if (!tokener)
		return gs_error_oom(e);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	value = json_tokener_parse_ex(tokener, bytes, (int)n);
	end = json_tokener_get_parse_end(tokener);
	/* a number may go on until it is told that the text has ended */
	if (json_tokener_get_error(tokener) == json_tokener_continue)
		value = json_tokener_parse_ex(tokener, "", 1);
	error = json_tokener_get_error(tokener);
	if (error == json_tokener_success && end == n) {
		*ret_value = GS_TAKE(value);
		return 0;
	}
	pos = position_of(bytes, n, end, name);
	return gs_error_at(e, -EBADMSG, &pos, "%s",
			   error == json_tokener_success ? "text after the value" : tokener_sentence(error));
}

int gs_json_read_file(const char *path, size_t max, struct json_object **ret_value, struct gs_error *e)
{
	GS_FREE char *bytes = NULL;
	size_t n = 0;
	int r = gs_file_read(path, max, &bytes, &n, e);

	return r < 0 ? r : gs_json_parse(bytes, n, path, ret_value, e);
}

/* *@ret_v is NULL when absent or null. */
static int member(struct json_object *o, const char *key, struct json_object **ret_v, struct gs_error *e)
{
	struct json_object *v = NULL;

	if (!json_object_is_type(o, json_type_object))
		return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "\"%s\" is asked of something that is not an object", key);
	json_object_object_get_ex(o, key, &v);
	*ret_v = v;
	return 0;
}

static int wrong_type(const char *key, const char *wanted, struct gs_error *e)
{
	return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "\"%s\" must be %s", key, wanted);
}

static int member_of_type(struct json_object *o, const char *key, enum json_type type, const char *wanted,
			  struct json_object **ret_v, struct gs_error *e)
{
	struct json_object *v = NULL;
	int r = member(o, key, &v, e);

	if (r < 0)
		return r;
	if (v && !json_object_is_type(v, type))
		return wrong_type(key, wanted, e);
	*ret_v = v;
	return 0;
}

int gs_json_get_string(struct json_object *o, const char *key, const char **ret_s, struct gs_error *e)
{
	struct json_object *v = NULL;
	const char *s;
	int r = member_of_type(o, key, json_type_string, "a string", &v, e);

	if (r < 0)
		return r;
	s = v ? json_object_get_string(v) : NULL;
	/* an object that was not made by gs_json_parse() may have a NUL inside */
	if (v && (!s || strlen(s) != (size_t)json_object_get_string_len(v)))
		return wrong_type(key, "a string without NUL", e);
	*ret_s = s;
	return 0;
}

/*
 * json-c clamps what is too large for it, so the largest value may be any
 * number beyond it; nothing that we exchange is that large.
 */
int gs_json_get_u64(struct json_object *o, const char *key, struct gs_u64 *ret_v, struct gs_error *e)
{
	struct json_object *v = NULL;
	int r = member_of_type(o, key, json_type_int, "a whole number", &v, e);

	if (r < 0)
		return r;
	if (!v) {
		*ret_v = GS_U64_UNKNOWN;
		return 0;
	}
	if (json_object_get_int64(v) < 0)
		return wrong_type(key, "at least 0", e);
	if (json_object_get_uint64(v) == UINT64_MAX)
		return wrong_type(key, "a smaller number", e);
	*ret_v = GS_U64(json_object_get_uint64(v));
	return 0;
}

int gs_json_get_u32(struct json_object *o, const char *key, struct gs_u32 *ret_v, struct gs_error *e)
{
	struct gs_u64 v;
	int r = gs_json_get_u64(o, key, &v, e);

	if (r < 0)
		return r;
	if (v.known && v.value > UINT32_MAX)
		return wrong_type(key, "at most 4294967295", e);
	*ret_v = v.known ? GS_U32((uint32_t)v.value) : GS_U32_UNKNOWN;
	return 0;
}

int gs_json_get_i64(struct json_object *o, const char *key, struct gs_i64 *ret_v, struct gs_error *e)
{
	struct json_object *v = NULL;
	int r = member_of_type(o, key, json_type_int, "a whole number", &v, e);

	if (r < 0)
		return r;
	if (!v) {
		*ret_v = GS_I64_UNKNOWN;
		return 0;
	}
	/* both ends: see gs_json_get_u64() */
	if (json_object_get_int64(v) == INT64_MAX || json_object_get_int64(v) == INT64_MIN)
		return wrong_type(key, "a number nearer to 0", e);
	*ret_v = GS_I64(json_object_get_int64(v));
	return 0;
}

int gs_json_get_bool(struct json_object *o, const char *key, bool otherwise, bool *ret_v, struct gs_error *e)
{
	struct json_object *v = NULL;
	int r = member_of_type(o, key, json_type_boolean, "true or false", &v, e);

	if (r < 0)
		return r;
	*ret_v = v ? json_object_get_boolean(v) : otherwise;
	return 0;
}

int gs_json_get_array(struct json_object *o, const char *key, struct json_object **ret_a, struct gs_error *e)
{
	return member_of_type(o, key, json_type_array, "a list", ret_a, e);
}

int gs_json_get_object(struct json_object *o, const char *key, struct json_object **ret_o, struct gs_error *e)
{
	return member_of_type(o, key, json_type_object, "an object", ret_o, e);
}

void gs_json_add_string(struct json_object *o, const char *key, const char *s)
{
	json_object_object_add(o, key, s ? json_object_new_string(s) : NULL);
}

void gs_json_add_u32(struct json_object *o, const char *key, struct gs_u32 v)
{
	json_object_object_add(o, key, v.known ? json_object_new_int64(v.value) : NULL);
}

void gs_json_add_u64(struct json_object *o, const char *key, struct gs_u64 v)
{
	json_object_object_add(o, key, v.known ? json_object_new_uint64(v.value) : NULL);
}

void gs_json_add_i64(struct json_object *o, const char *key, struct gs_i64 v)
{
	json_object_object_add(o, key, v.known ? json_object_new_int64(v.value) : NULL);
}

static char *to_text(struct json_object *o, int flags, const char *end)
{
	size_t n = 0, n_end = strlen(end);
	const char *text = json_object_to_json_string_length(o, flags | JSON_C_TO_STRING_NOSLASHESCAPE, &n);
	char *copy = text ? malloc(n + n_end + 1) : NULL;

	if (!copy)
		return NULL;
	memcpy(copy, text, n);
	memcpy(copy + n, end, n_end + 1);
	return copy;
}

char *gs_json_to_text(struct json_object *o)
{
	return to_text(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED, "\n");
}

char *gs_json_to_line(struct json_object *o)
{
	return to_text(o, JSON_C_TO_STRING_PLAIN, "");
}
