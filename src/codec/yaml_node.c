/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/yaml_node.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/file.h"
#include "base/parse.h"
#include "codec/json.h"

/*
 * Where we are in the input. libyaml counts characters, people's editors and
 * our errors count bytes; its marks only go forward, so one pass translates.
 */
struct cursor {
	const char *bytes;
	size_t n, offset, line_start, index;
};

struct reader {
	yaml_parser_t parser;
	struct gs_arena *arena;
	const char *name;
	struct cursor cursor;
	size_t n_nodes;
	struct gs_error *e;
};

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static void cursor_step(struct cursor *c)
{
	char ch = c->bytes[c->offset++];

	while (c->offset < c->n && is_continuation(c->bytes[c->offset]))
		c->offset++;
	c->index++;
	if (ch == '\n' || (ch == '\r' && (c->offset == c->n || c->bytes[c->offset] != '\n')))
		c->line_start = c->offset;
}

static struct gs_position position_at(struct reader *r, const yaml_mark_t *mark)
{
	struct cursor *c = &r->cursor;

	if (mark->index < c->index)
		c->offset = c->line_start = c->index = 0;
	while (c->index < mark->index && c->offset < c->n)
		cursor_step(c);
	return (struct gs_position){ r->name, (unsigned)mark->line + 1, (unsigned)(c->offset - c->line_start) + 1 };
}

int gs_yaml_fail(const struct gs_position *pos, struct gs_error *e, const char *fmt, ...)
{
	va_list ap;

	gs_error_at(e, -EINVAL, pos, "%s", "");
	if (!e)
		return -EINVAL;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	gs_text_sanitize(e->text);
	return -EINVAL;
}

static int refuse(struct reader *r, const yaml_mark_t *mark, const char *sentence)
{
	struct gs_position pos = position_at(r, mark);

	return gs_yaml_fail(&pos, r->e, "%s", sentence);
}

/* The caller deletes the event. */
static int next_event(struct reader *r, yaml_event_t *ret_event)
{
	struct gs_position pos;

	if (yaml_parser_parse(&r->parser, ret_event))
		return 0;
	if (r->parser.error == YAML_MEMORY_ERROR)
		return gs_error_oom(r->e);
	pos = position_at(r, &r->parser.problem_mark);
	return gs_yaml_fail(&pos, r->e, "%s", r->parser.problem ? r->parser.problem : "not YAML");
}

static int new_node(struct reader *r, enum gs_yaml_kind kind, const yaml_mark_t *mark, struct gs_yaml_node **ret_node)
{
	struct gs_yaml_node *node;

	if (++r->n_nodes > GS_YAML_NODES_MAX)
		return refuse(r, mark, "too many values");
	node = gs_arena_alloc(r->arena, sizeof(*node));
	if (!node)
		return gs_error_oom(r->e);
	node->kind = kind;
	node->pos = position_at(r, mark);
	*ret_node = node;
	return 0;
}

static int scalar_node(struct reader *r, const yaml_event_t *event, struct gs_yaml_node **ret_node)
{
	const char *value = (const char *)event->data.scalar.value;
	struct gs_yaml_node *node;
	char *text;
	int result;

	if (memchr(value, '\0', event->data.scalar.length))
		return refuse(r, &event->start_mark, "NUL is not allowed in a string");
	result = new_node(r, GS_YAML_SCALAR, &event->start_mark, &node);
	if (result < 0)
		return result;
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	text = gs_arena_strdup(r->arena, value);
	if (!text)
		return gs_error_oom(r->e);
	gs_text_sanitize(text);
	node->text = text;
	*ret_node = node;
	return 0;
}

static int read_node(struct reader *r, const yaml_event_t *event, unsigned depth, struct gs_yaml_node **ret_node);

static int check_key(struct reader *r, const struct gs_yaml_node *map, size_t n, const struct gs_yaml_node *key)
{
	if (n >= GS_YAML_KEYS_MAX)
		return gs_yaml_fail(&key->pos, r->e, "too many keys");
	if (key->kind != GS_YAML_SCALAR)
		return gs_yaml_fail(&key->pos, r->e, "a key must be a word");
	if (gs_yaml_member(map, key->text))
		return gs_yaml_fail(&key->pos, r->e, "key \"%.64s\" is there twice", key->text);
	return 0;
}

/* Read members until @end; for a map each begins with its key. */
static int read_members(struct reader *r, struct gs_yaml_node *parent, yaml_event_type_t end, unsigned depth)
{
	struct gs_yaml_node **tail = &parent->first, *key = NULL;
	size_t n = 0;

	for (;;) {
		struct gs_yaml_node *node = NULL;
		yaml_event_t event;
		int result = next_event(r, &event);

		if (result < 0)
			return result;
		if (event.type == end) {
			yaml_event_delete(&event);
			return 0;
		}
		result = read_node(r, &event, depth + 1, &node);
		yaml_event_delete(&event);
		if (result == 0 && parent->kind == GS_YAML_MAP && !key) {
			result = check_key(r, parent, n++, node);
			key = node;
			node = NULL;
		}
		if (result < 0)
			return result;
		if (!node)
			continue;
		node->key = key;
		key = NULL;
		*tail = node;
		tail = &node->next;
	}
}

static int read_node(struct reader *r, const yaml_event_t *event, unsigned depth, struct gs_yaml_node **ret_node)
{
	bool is_map = event->type == YAML_MAPPING_START_EVENT;
	struct gs_yaml_node *node;
	int result;

	if (depth > GS_JSON_DEPTH_MAX)
		return refuse(r, &event->start_mark, "nested too deeply");
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		if (event->data.scalar.anchor || event->data.scalar.tag)
			return refuse(r, &event->start_mark, "anchors and tags are not allowed");
		return scalar_node(r, event, ret_node);
	case YAML_SEQUENCE_START_EVENT:
		if (event->data.sequence_start.anchor || event->data.sequence_start.tag)
			return refuse(r, &event->start_mark, "anchors and tags are not allowed");
		break;
	case YAML_MAPPING_START_EVENT:
		if (event->data.mapping_start.anchor || event->data.mapping_start.tag)
			return refuse(r, &event->start_mark, "anchors and tags are not allowed");
		break;
	case YAML_ALIAS_EVENT:
		return refuse(r, &event->start_mark, "aliases are not allowed");
	default:
		return refuse(r, &event->start_mark, "a value is missing");
	}
	result = new_node(r, is_map ? GS_YAML_MAP : GS_YAML_LIST, &event->start_mark, &node);
	if (result == 0)
		result = read_members(r, node, is_map ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT, depth);
	if (result == 0)
		*ret_node = node;
	return result;
}

static int expect(struct reader *r, yaml_event_type_t type, const char *otherwise)
{
	yaml_event_t event;
	int result = next_event(r, &event);

	if (result < 0)
		return result;
	if (event.type != type)
		result = refuse(r, &event.start_mark, otherwise);
	yaml_event_delete(&event);
	return result;
}

static int read_document(struct reader *r, struct gs_yaml_node **ret_root)
{
	yaml_event_t event;
	int result = expect(r, YAML_STREAM_START_EVENT, "not YAML");

	if (result == 0)
		result = expect(r, YAML_DOCUMENT_START_EVENT, "there is nothing in it");
	if (result == 0)
		result = next_event(r, &event);
	if (result < 0)
		return result;
	result = read_node(r, &event, 1, ret_root);
	yaml_event_delete(&event);
	if (result == 0)
		result = expect(r, YAML_DOCUMENT_END_EVENT, "text after the value");
	if (result == 0)
		result = expect(r, YAML_STREAM_END_EVENT, "one document only");
	return result;
}

int gs_yaml_parse(const char *bytes, size_t n, const char *name, struct gs_arena *a, struct gs_yaml_node **ret_root, struct gs_error *e)
{
	struct reader r = { .arena = a, .e = e };
	size_t bad = 0;
	int result;

	r.name = gs_arena_strdup(a, name);
	if (!r.name)
		return gs_error_oom(e);
	if (n > GS_INPUT_BYTES_MAX)
		return gs_error_set(e, -EFBIG, GS_STATUS_INVALID, "%s is larger than %u bytes", name, GS_INPUT_BYTES_MAX);
	/* libyaml takes a mark at the beginning away without counting it */
	if (n >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
		bytes += 3;
		n -= 3;
	}
	r.cursor = (struct cursor){ .bytes = bytes, .n = n };
	if (!gs_utf8_is_valid(bytes, n, &bad)) {
		struct gs_position pos = { r.name, 1, 1 };

		while (r.cursor.offset < bad) {
			pos.line += bytes[r.cursor.offset] == '\n';
			cursor_step(&r.cursor);
		}
		pos.column = (unsigned)(bad - r.cursor.line_start) + 1;
		return gs_yaml_fail(&pos, e, "not valid UTF-8");
	}
	if (!yaml_parser_initialize(&r.parser))
		return gs_error_oom(e);
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)bytes, n);
	result = read_document(&r, ret_root);
	yaml_parser_delete(&r.parser);
	return result;
}

const struct gs_yaml_node *gs_yaml_member(const struct gs_yaml_node *map, const char *key)
{
	for (const struct gs_yaml_node *m = map->first; m; m = m->next)
		if (m->key && strcmp(m->key->text, key) == 0)
			return m;
	return NULL;
}

bool gs_yaml_is_null(const struct gs_yaml_node *node)
{
	if (!node)
		return true;
	return node->kind == GS_YAML_SCALAR && !node->quoted &&
	       (!node->text[0] || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

/* Would YAML take this unquoted word for something other than a string? */
static bool is_typed_word(const char *s)
{
	static const char *const words[] = { "true", "false", "yes", "no", "on", "off" };
	int64_t number;

	for (size_t i = 0; i < GS_ARRAY_SIZE(words); i++)
		if (gs_str_equal_nocase(s, words[i]))
			return true;
	return gs_parse_i64(s, &number) != -EINVAL || strspn(s, "0123456789.+-eE") == strlen(s);
}

int gs_yaml_string(const struct gs_yaml_node *node, const char *what, const char **ret_s, struct gs_error *e)
{
	if (gs_yaml_is_null(node)) {
		*ret_s = NULL;
		return 0;
	}
	if (node->kind != GS_YAML_SCALAR)
		return gs_yaml_fail(&node->pos, e, "\"%s\" must be a string", what);
	if (!node->quoted && is_typed_word(node->text))
		return gs_yaml_fail(&node->pos, e, "\"%s\" must be a string, %.32s needs quotes to be one", what, node->text);
	*ret_s = node->text;
	return 0;
}

int gs_yaml_word(const struct gs_yaml_node *node, const char *what, const char **ret_s, struct gs_error *e)
{
	uint64_t number;

	/* "010" means eight to some readers of YAML */
	if (!gs_yaml_is_null(node) && node->kind == GS_YAML_SCALAR && !node->quoted && gs_parse_u64(node->text, 10, &number) == 0 &&
	    (node->text[0] != '0' || !node->text[1])) {
		*ret_s = node->text;
		return 0;
	}
	return gs_yaml_string(node, what, ret_s, e);
}

int gs_yaml_u32(const struct gs_yaml_node *node, const char *what, uint32_t max, struct gs_u32 *ret_v, struct gs_error *e)
{
	uint32_t v = 0;
	int r;

	if (gs_yaml_is_null(node)) {
		*ret_v = GS_U32_UNKNOWN;
		return 0;
	}
	r = node->kind == GS_YAML_SCALAR && !node->quoted ? gs_parse_u32(node->text, 10, &v) : -EINVAL;
	if (r == -ERANGE || (r == 0 && v > max))
		return gs_yaml_fail(&node->pos, e, "\"%s\" is %.32s, at most %u is possible", what, node->text, max);
	/* "010" means eight to some readers of YAML and ten to others */
	if (r < 0 || (node->text[0] == '0' && node->text[1]))
		return gs_yaml_fail(&node->pos, e, "\"%s\" must be a whole number", what);
	*ret_v = GS_U32(v);
	return 0;
}

int gs_yaml_check_map(const struct gs_yaml_node *node, const char *what, const char *const *keys, struct gs_error *e)
{
	if (node->kind != GS_YAML_MAP)
		return gs_yaml_fail(&node->pos, e, "%s must be an object with keys", what);
	for (const struct gs_yaml_node *m = node->first; m; m = m->next) {
		size_t i = 0;

		while (keys[i] && strcmp(keys[i], m->key->text) != 0)
			i++;
		if (!keys[i])
			return gs_yaml_fail(&m->key->pos, e, "unknown key \"%.64s\" in %s", m->key->text, what);
	}
	return 0;
}

int gs_yaml_check_list(const struct gs_yaml_node *node, const char *what, size_t max, struct gs_error *e)
{
	size_t n = 0;

	if (node->kind != GS_YAML_LIST)
		return gs_yaml_fail(&node->pos, e, "\"%s\" must be a list", what);
	for (const struct gs_yaml_node *m = node->first; m; m = m->next)
		if (++n > max)
			return gs_yaml_fail(&m->pos, e, "\"%s\" has more than %zu elements", what, max);
	return 0;
}
