/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * yaml_node.h - one YAML document as a tree whose every node knows where it
 * was written. libyaml parses; what we do not want is refused here: aliases,
 * anchors, tags, several documents, duplicate keys, depth.
 */
#ifndef GS_CODEC_YAML_NODE_H
#define GS_CODEC_YAML_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/optional.h"

#define GS_YAML_NODES_MAX 200000
#define GS_YAML_KEYS_MAX 256         /* of one map */

enum gs_yaml_kind { GS_YAML_SCALAR, GS_YAML_LIST, GS_YAML_MAP };

struct gs_yaml_node {
	enum gs_yaml_kind kind;
	struct gs_position pos;
	bool quoted;                    /* scalar: certainly a string */
	const char *text;               /* scalar; control characters are replaced */
	struct gs_yaml_node *key;       /* of a map's member: its key, a scalar */
	struct gs_yaml_node *first;     /* list, map: members in order */
	struct gs_yaml_node *next;
};

/* Nodes and their strings live in @a; @name is copied into it. Status INVALID with file:line:column. */
int gs_yaml_parse(const char *bytes, size_t n, const char *name, struct gs_arena *a, struct gs_yaml_node **ret_root, struct gs_error *e);

/* -EINVAL, status INVALID, at @pos; what is quoted from the input is made printable. */
int gs_yaml_fail(const struct gs_position *pos, struct gs_error *e, const char *fmt, ...) GS_PRINTF(3, 4);

/* The value of @key, or NULL; @map must be a map. */
const struct gs_yaml_node *gs_yaml_member(const struct gs_yaml_node *map, const char *key);

/* NULL, or a scalar that means null: empty, "~", "null". */
bool gs_yaml_is_null(const struct gs_yaml_node *node);

/* The scalar as a string: null is NULL; a list, a map, an unquoted number, true or false are refused. */
int gs_yaml_string(const struct gs_yaml_node *node, const char *what, const char **ret_s, struct gs_error *e);
/* The same, but an unquoted plain decimal number is taken as it is written: a value that a driver reads as text. */
int gs_yaml_word(const struct gs_yaml_node *node, const char *what, const char **ret_s, struct gs_error *e);
/* The scalar as an unsigned decimal number of at most @max; null is unknown. */
int gs_yaml_u32(const struct gs_yaml_node *node, const char *what, uint32_t max, struct gs_u32 *ret_v, struct gs_error *e);

/* Only these keys (NULL-terminated), and a map. */
int gs_yaml_check_map(const struct gs_yaml_node *node, const char *what, const char *const *keys, struct gs_error *e);
int gs_yaml_check_list(const struct gs_yaml_node *node, const char *what, size_t max, struct gs_error *e);

#endif
