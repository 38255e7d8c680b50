/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json_reader.h - take a json-c object apart with errors that say where in the
 * value: "gpus[2].instances[0].start: must be a whole number".
 *
 * A reader latches its first failure: take everything, then look at @failed
 * once. What a failed reader gives is empty (NULL, unknown, 0).
 */
#ifndef GS_CODEC_JSON_READER_H
#define GS_CODEC_JSON_READER_H

#include <stddef.h>

#include "codec/json.h"

/* One step of a path; a chain on the stack, so that no path is built unless it is needed. */
struct gs_json_where {
	const struct gs_json_where *up;     /* NULL at the root */
	const char *key;                    /* NULL: element @index of a list; at the root: the file, or NULL */
	size_t index;
};

struct gs_json_reader {
	struct json_object *o;              /* borrowed */
	const struct gs_json_where *where;  /* borrowed */
	struct gs_error *e;
	int failed;                         /* 0 or -EBADMSG */
};

/* What a key of an object with a closed set of keys may hold. */
enum gs_json_kinds {
	GS_JSON_STRING = 1 << 0,
	GS_JSON_NUMBER = 1 << 1,
	GS_JSON_BOOL = 1 << 2,
	GS_JSON_ARRAY = 1 << 3,
	GS_JSON_OBJECT = 1 << 4,
	GS_JSON_NULL = 1 << 5,
};
struct gs_json_key {
	const char *name;
	unsigned kinds;
};

/* -EBADMSG with the path in front of the sentence; status INVALID. */
int gs_json_fail(const struct gs_json_where *where, struct gs_error *e, const char *fmt, ...) GS_PRINTF(3, 4);

/* A reader of @o, which must be an object (failed otherwise). */
struct gs_json_reader gs_json_reader_of(struct json_object *o, const struct gs_json_where *where, struct gs_error *e);

/* Exactly these keys, each present and of its kind. */
void gs_json_read_keys(struct gs_json_reader *r, const struct gs_json_key *keys, size_t n);

/* NULL when absent or null; -EBADMSG when longer than GS_JSON_STRING_MAX. */
#define GS_JSON_STRING_MAX 4096
const char *gs_json_read_string(struct gs_json_reader *r, const char *key);
/* The same, but it must be there. */
const char *gs_json_read_name(struct gs_json_reader *r, const char *key);
/* At most @max. */
struct gs_u32 gs_json_read_u32(struct gs_json_reader *r, const char *key, uint32_t max);
/* The same, but it must be there. */
uint32_t gs_json_read_number(struct gs_json_reader *r, const char *key, uint32_t max);
struct gs_u64 gs_json_read_u64(struct gs_json_reader *r, const char *key);
struct gs_i64 gs_json_read_i64(struct gs_json_reader *r, const char *key);
bool gs_json_read_bool(struct gs_json_reader *r, const char *key, bool otherwise);
/* Yes, no, or not known: false with *@ret_known false when absent or null. */
bool gs_json_read_answer(struct gs_json_reader *r, const char *key, bool *ret_known);
/* How many elements, 0 when absent or null; more than @max fails. */
size_t gs_json_read_array(struct gs_json_reader *r, const char *key, size_t max, struct json_object **ret_a);
/* NULL when absent or null. */
struct json_object *gs_json_read_object(struct gs_json_reader *r, const char *key);

/* For the reader's own failures: latches and says where. */
void gs_json_read_fail(struct gs_json_reader *r, const char *key, const char *fmt, ...) GS_PRINTF(3, 4);

#endif
