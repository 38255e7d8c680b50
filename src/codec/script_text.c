/* SPDX-License-Identifier: GPL-2.0-or-later */
/* script_text.c - the grammar of the command language: one function per verb. */
#include "codec/script_text.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "codec/key_value.h"
#include "codec/script_parser.h"

static const char *const syntax[GS_VERB_MAX] = {
	[GS_VERB_MODE] = "mode GPU whole|mig|vgpu|mig-vgpu|sriov|passthrough",
	[GS_VERB_CREATE] = GS_SYNTAX_CREATE,
	[GS_VERB_DELETE] = "delete GPU[/INST] INST...|rest",
	[GS_VERB_MOVE] = "move GPU INST to START",
	[GS_VERB_RECREATE] = "recreate GPU INST",
	[GS_VERB_COPY] = "copy GPU to GPU...",
	[GS_VERB_USE] = "use LAYOUT GPU...",
	[GS_VERB_VFS] = "vfs GPU 0|N|all",
	[GS_VERB_SET] = "set GPU[/INST] KEY VALUE",
};

const char *gs_script_syntax(unsigned i)
{
	return i < GS_VERB_MAX ? syntax[i] : NULL;
}

const struct gs_word *gs_parser_peek(const struct gs_parser *p)
{
	return p->next < p->words->n_words ? &p->words->words[p->next] : NULL;
}

const struct gs_word *gs_parser_take(struct gs_parser *p, const char *what)
{
	const struct gs_word *w = gs_parser_peek(p);

	if (w)
		p->next++;
	else
		gs_error_at(p->e, -EINVAL, &p->words->end, "%s is missing; write: %s", what, syntax[p->st->verb]);
	return w;
}

static int keep_text(struct gs_parser *p, const char *text, const char **ret_text)
{
	const char *copy = gs_arena_strdup(p->arena, text);

	if (!copy)
		return gs_error_oom(p->e);
	*ret_text = copy;
	return 0;
}

/* GPU */
static int take_gpu(struct gs_parser *p)
{
	const struct gs_word *w = gs_parser_take(p, "the GPU");

	if (!w)
		return -EINVAL;
	if (gs_word_find(w, '/', 0) < w->n)
		return gs_error_at(p->e, -EINVAL, &w->pos, "\"%s\" takes a whole GPU, not GPU/INST; write: %s", gs_verb_name(p->st->verb),
				   syntax[p->st->verb]);
	return gs_word_gpu(w, p->arena, &p->st->gpu, p->e);
}

int gs_parser_gpu_or_inside(struct gs_parser *p)
{
	const struct gs_word *w = gs_parser_take(p, "the GPU");
	struct gs_word part;
	size_t slash;
	int r;

	if (!w)
		return -EINVAL;
	slash = gs_word_find(w, '/', 0);
	r = gs_word_slice(w, 0, slash, p->arena, &part, p->e);
	if (r < 0)
		return r;
	r = gs_word_gpu(&part, p->arena, &p->st->gpu, p->e);
	if (r < 0 || slash == w->n)
		return r;
	r = gs_word_slice(w, slash + 1, w->n, p->arena, &part, p->e);
	if (r < 0)
		return r;
	r = gs_word_instance(&part, p->arena, &p->st->inside, p->e);
	if (r < 0)
		return r;
	if (p->st->inside.kind == GS_SELECT_REST || p->st->inside.kind == GS_SELECT_ALL)
		return gs_error_at(p->e, -EINVAL, &part.pos, "behind GPU/ one instance is named, such as 3g.40gb@4");
	p->st->has_inside = true;
	return 0;
}

int gs_parser_list(struct gs_parser *p, const char *what, bool by_words, int (*add)(struct gs_parser *, const struct gs_word *))
{
	bool after_comma;

	do {
		const struct gs_word *w = gs_parser_take(p, what);
		size_t from = 0;
		int r;

		if (!w)
			return -EINVAL;
		for (;;) {
			size_t comma = gs_word_find(w, ',', from);
			struct gs_word part;

			r = gs_word_slice(w, from, comma, p->arena, &part, p->e);
			if (r < 0)
				return r;
			if (from < comma || w->n == 0)
				r = add(p, &part);
			else if (comma < w->n)
				r = gs_error_at(p->e, -EINVAL, &part.pos, "there is nothing before this comma");
			if (r < 0)
				return r;
			after_comma = comma + 1 == w->n;
			if (comma + 1 >= w->n)
				break;
			from = comma + 1;
		}
	} while (after_comma || (by_words && gs_parser_peek(p)));
	return 0;
}

static int parse_mode(struct gs_parser *p)
{
	const char *names[GS_MODE_MAX];
	char shown[GS_WORD_SHOWN];
	const struct gs_word *w;
	const char *nearest;
	int r = take_gpu(p);

	if (r < 0)
		return r;
	w = gs_parser_take(p, "the mode");
	if (!w)
		return -EINVAL;
	p->st->mode = gs_mode_from_name(w->text);
	if (p->st->mode != GS_MODE_INVALID)
		return 0;
	for (int i = 0; i < GS_MODE_MAX; i++)
		names[i] = gs_mode_name((enum gs_mode)i);
	nearest = gs_word_nearest(w->text, names, GS_MODE_MAX);
	return gs_error_at(p->e, -EINVAL, &w->pos, "there is no mode \"%s\"%s%s%s; write: %s", gs_word_show(w->text, shown),
			   nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"" : "", syntax[GS_VERB_MODE]);
}

static int add_instance(struct gs_parser *p, const struct gs_word *w)
{
	struct gs_statement *st = p->st;
	struct gs_instance_selector sel;
	void *grown;
	int r = gs_word_instance(w, p->arena, &sel, p->e);

	if (r < 0)
		return r;
	if (st->n_instances && (sel.kind == GS_SELECT_ALL || sel.kind == GS_SELECT_REST ||
				st->instances[0].kind == GS_SELECT_ALL || st->instances[0].kind == GS_SELECT_REST))
		return gs_error_at(p->e, -EINVAL, &w->pos, "\"all\" and \"rest\" stand alone; leave the others out");
	grown = gs_arena_grow(p->arena, st->instances, st->n_instances, &p->cap, sizeof(*st->instances));
	if (!grown)
		return gs_error_oom(p->e);
	st->instances = grown;
	st->instances[st->n_instances++] = sel;
	return 0;
}

/* Exactly one, and one that names an instance. */
static int take_instance(struct gs_parser *p)
{
	const struct gs_word *w = gs_parser_take(p, "the instance");
	int r;

	if (!w)
		return -EINVAL;
	r = add_instance(p, w);
	if (r < 0)
		return r;
	if (p->st->instances[0].kind == GS_SELECT_REST)
		return gs_error_at(p->e, -EINVAL, &w->pos, "\"rest\" is for delete only; name the instance");
	return 0;
}

static int parse_delete(struct gs_parser *p)
{
	int r = gs_parser_gpu_or_inside(p);

	return r < 0 ? r : gs_parser_list(p, "what to delete, such as vf:0, 1g.10gb@3 or all,", true, add_instance);
}

static int take_to(struct gs_parser *p)
{
	char shown[GS_WORD_SHOWN];
	const struct gs_word *w = gs_parser_take(p, "\"to\"");

	if (!w)
		return -EINVAL;
	if (strcmp(w->text, "to") != 0)
		return gs_error_at(p->e, -EINVAL, &w->pos, "\"to\" is expected here, not \"%s\"; write: %s", gs_word_show(w->text, shown),
				   syntax[p->st->verb]);
	return 0;
}

static int parse_move(struct gs_parser *p)
{
	const struct gs_word *w;
	int r = take_gpu(p);

	if (r < 0)
		return r;
	r = take_instance(p);
	if (r < 0)
		return r;
	if (p->st->instances[0].kind == GS_SELECT_ALL)
		return gs_error_at(p->e, -EINVAL, &p->st->instances[0].pos, "one start has room for one instance; name it");
	r = take_to(p);
	if (r < 0)
		return r;
	w = gs_parser_take(p, "the start behind \"to\"");
	if (!w)
		return -EINVAL;
	p->st->at_pos = w->pos;
	p->st->at.known = true;
	return gs_word_number(w, "a start", 0, GS_SCRIPT_START_MAX, &p->st->at.value, p->e);
}

static int parse_recreate(struct gs_parser *p)
{
	int r = take_gpu(p);

	return r < 0 ? r : take_instance(p);
}

static int add_target(struct gs_parser *p, const struct gs_word *w)
{
	struct gs_statement *st = p->st;
	struct gs_gpu_selector sel;
	void *grown;
	int r = gs_word_gpu(w, p->arena, &sel, p->e);

	if (r < 0)
		return r;
	grown = gs_arena_grow(p->arena, st->targets, st->n_targets, &p->cap, sizeof(*st->targets));
	if (!grown)
		return gs_error_oom(p->e);
	st->targets = grown;
	st->targets[st->n_targets++] = sel;
	return 0;
}

static int parse_copy(struct gs_parser *p)
{
	int r = take_gpu(p);

	if (r < 0)
		return r;
	r = take_to(p);
	return r < 0 ? r : gs_parser_list(p, "the GPU to copy to", true, add_target);
}

static int parse_use(struct gs_parser *p)
{
	const struct gs_word *w = gs_parser_take(p, "the layout's name");
	int r;

	if (!w)
		return -EINVAL;
	if (!w->n || w->n > GS_SCRIPT_TEXT_MAX)
		return gs_error_at(p->e, -EINVAL, &w->pos, "A layout's name has 1 to %u bytes", GS_SCRIPT_TEXT_MAX);
	r = keep_text(p, w->text, &p->st->text);
	if (r < 0)
		return r;
	r = gs_parser_list(p, "the GPU", true, add_target);
	if (r < 0)
		return r;
	/* every statement names a GPU first; here it is the first of the list */
	p->st->gpu = p->st->targets[0];
	return 0;
}

static int parse_vfs(struct gs_parser *p)
{
	const struct gs_word *w;
	int r = take_gpu(p);

	if (r < 0)
		return r;
	w = gs_parser_take(p, "the number of VFs");
	if (!w)
		return -EINVAL;
	p->st->text_pos = w->pos;
	if (strcmp(w->text, "all") != 0) {
		r = gs_word_number(w, "a number of VFs", 0, GS_SCRIPT_ORDINAL_MAX, &p->st->vfs.value, p->e);
		if (r < 0)
			return r;
		p->st->vfs.known = true;
	}
	return keep_text(p, w->text, &p->st->text);
}

/* Of the GPU; a parameter of an instance is spelled as its driver spells it. */
static int take_setting(struct gs_parser *p)
{
	char shown[GS_WORD_SHOWN];
	const struct gs_word *w = gs_parser_take(p, "the key");

	if (!w)
		return -EINVAL;
	p->st->text_pos = w->pos;
	if (p->st->has_inside)
		return gs_word_key(w, p->arena, &p->st->text, p->e);
	if (!w->n || w->n > GS_KEY_MAX || w->text[strspn(w->text, "abcdefghijklmnopqrstuvwxyz0123456789-_.")])
		return gs_error_at(p->e, -EINVAL, &w->pos, "\"%s\" is no setting's name; they look like memory-partition", gs_word_show(w->text, shown));
	return keep_text(p, w->text, &p->st->text);
}

static int parse_set(struct gs_parser *p)
{
	const struct gs_word *w;
	int r = gs_parser_gpu_or_inside(p);

	if (r >= 0)
		r = take_setting(p);
	if (r < 0)
		return r;
	w = gs_parser_take(p, "the value");
	if (!w)
		return -EINVAL;
	p->st->value_pos = w->pos;
	if (p->st->has_inside)
		return gs_word_value(w, p->arena, &p->st->value, p->e);
	if (w->n > GS_VALUE_MAX)
		return gs_error_at(p->e, -EINVAL, &w->pos, "A value has at most %u bytes", GS_VALUE_MAX);
	return keep_text(p, w->text, &p->st->value);
}

static int (*const parsers[GS_VERB_MAX])(struct gs_parser *) = {
	[GS_VERB_MODE] = parse_mode,
	[GS_VERB_CREATE] = gs_parser_create,
	[GS_VERB_DELETE] = parse_delete,
	[GS_VERB_MOVE] = parse_move,
	[GS_VERB_RECREATE] = parse_recreate,
	[GS_VERB_COPY] = parse_copy,
	[GS_VERB_USE] = parse_use,
	[GS_VERB_VFS] = parse_vfs,
	[GS_VERB_SET] = parse_set,
};

static int unknown_verb(const struct gs_word *w, struct gs_error *e)
{
	const char *names[GS_VERB_MAX];
	char shown[GS_WORD_SHOWN], list[256];
	const char *nearest;

	for (int i = 0; i < GS_VERB_MAX; i++)
		names[i] = gs_verb_name((enum gs_verb)i);
	nearest = gs_word_nearest(w->text, names, GS_VERB_MAX);
	if (nearest)
		return gs_error_at(e, -EINVAL, &w->pos, "there is no command \"%s\"; did you mean \"%s\"?", gs_word_show(w->text, shown), nearest);
	for (size_t i = 0, at = 0; i < GS_VERB_MAX && at < sizeof(list); i++)
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", !i ? "" : i + 1 < GS_VERB_MAX ? ", " : " and ", names[i]);
	return gs_error_at(e, -EINVAL, &w->pos, "there is no command \"%s\"; the commands are %s", gs_word_show(w->text, shown), list);
}

/*
 * Short spellings grow when they are written out (1b:00.0, unquoted
 * patterns), less than fourfold. What is recorded must be readable again.
 */
static int check_length(const struct gs_statement *st, const struct gs_words *words, struct gs_error *e)
{
	GS_FREE char *text = NULL;

	if (words->length <= GS_SCRIPT_LINE_MAX / 4)
		return 0;
	text = gs_statement_format(st);
	if (!text)
		return gs_error_oom(e);
	if (strlen(text) > GS_SCRIPT_LINE_MAX)
		return gs_error_at(e, -EMSGSIZE, &st->pos, "written out, this statement has more than %d bytes; split it", GS_SCRIPT_LINE_MAX);
	return 0;
}

static int parse_statement(struct gs_script *script, const struct gs_words *words, struct gs_error *e)
{
	struct gs_statement st = { .verb = gs_verb_from_name(words->words[0].text), .pos = words->words[0].pos, .count = 1,
				   .mode = GS_MODE_INVALID };
	struct gs_parser p = { .arena = script->arena, .words = words, .next = 1, .st = &st, .e = e };
	char shown[GS_WORD_SHOWN];
	const struct gs_word *extra;
	void *grown;
	int r;

	if (st.verb == GS_VERB_MAX)
		return unknown_verb(&words->words[0], e);
	if (script->n == GS_SCRIPT_STATEMENTS_MAX)
		return gs_error_at(e, -E2BIG, &st.pos, "A script has at most %d statements; split it", GS_SCRIPT_STATEMENTS_MAX);
	r = parsers[st.verb](&p);
	if (r < 0)
		return r;
	extra = gs_parser_peek(&p);
	if (extra)
		return gs_error_at(e, -EINVAL, &extra->pos, "\"%s\" is one word too many; write: %s", gs_word_show(extra->text, shown), syntax[st.verb]);
	r = check_length(&st, words, e);
	if (r < 0)
		return r;
	grown = gs_arena_grow(script->arena, script->items, script->n, &script->cap, sizeof(*script->items));
	if (!grown)
		return gs_error_oom(e);
	script->items = grown;
	script->items[script->n++] = st;
	return 0;
}

int gs_script_parse(const char *bytes, size_t n, const char *name, struct gs_script **ret_script, struct gs_error *e)
{
	GS_CLEANUP(gs_script_freep) struct gs_script *script = gs_script_new();
	GS_FREE struct gs_words *words = NULL;
	const char *file;
	int r;

	if (!script)
		return gs_error_oom(e);
	file = gs_arena_strdup(script->arena, name ? name : "-");
	words = file ? gs_words_new(bytes, n, file) : NULL;
	if (!words)
		return gs_error_oom(e);
	while ((r = gs_words_next(words, e)) > 0) {
		r = parse_statement(script, words, e);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	*ret_script = GS_TAKE(script);
	return 0;
}
