/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The statement "create" with its options. */
#include "codec/script_parser.h"

#include <errno.h>
#include <string.h>

#include "codec/key_value.h"

/* Which starts there are is the profile's matter; see gs_script_evaluate(). */
static int option_at(struct gs_parser *p, const struct gs_word *w)
{
	p->st->at_pos = w->pos;
	p->st->at.known = true;
	return gs_word_number(w, "a start", 0, GS_SCRIPT_AT_MAX, &p->st->at.value, p->e);
}

static int option_count(struct gs_parser *p, const struct gs_word *w)
{
	struct gs_word number;
	int r;

	p->st->count_adds = w->text[0] == '+';
	r = gs_word_slice(w, p->st->count_adds, w->n, p->arena, &number, p->e);
	if (r < 0)
		return r;
	return gs_word_number(&number, "a count", 1, GS_SCRIPT_COUNT_MAX, &p->st->count, p->e);
}

static int add_ci(struct gs_parser *p, const struct gs_word *w)
{
	struct gs_statement *st = p->st;
	struct gs_ci_request ci;
	void *grown;
	int r = gs_word_ci(w, p->arena, &ci, p->e);

	if (r < 0)
		return r;
	if (st->n_cis == GS_SCRIPT_COUNT_MAX)
		return gs_error_at(p->e, -E2BIG, &w->pos, "a GPU instance has room for no more than %u compute instances", GS_SCRIPT_COUNT_MAX);
	grown = gs_arena_grow(p->arena, st->cis, st->n_cis, &p->cap, sizeof(*st->cis));
	if (!grown)
		return gs_error_oom(p->e);
	st->cis = grown;
	st->cis[st->n_cis++] = ci;
	return 0;
}

static int option_ci(struct gs_parser *p, const struct gs_word *w)
{
	if (strcmp(w->text, "none") == 0) {
		p->st->ci = GS_CI_NONE;
		return 0;
	}
	p->st->ci = GS_CI_LIST;
	p->next--;
	return gs_parser_list(p, "the compute instance behind the comma", false, add_ci);
}

static int option_vf(struct gs_parser *p, const struct gs_word *w)
{
	const char *bdf = NULL;
	uint32_t number = 0;
	int r = gs_word_vf(w, p->arena, &number, &bdf, &p->st->vf_bdf, p->e);

	if (r < 0)
		return r;
	p->st->vf_pos = w->pos;
	p->st->vf_number = bdf ? GS_U32_UNKNOWN : GS_U32(number);
	p->st->vf = bdf ? bdf : gs_arena_printf(p->arena, "%u", number);
	return p->st->vf ? 0 : gs_error_oom(p->e);
}

static int option_uuid(struct gs_parser *p, const struct gs_word *w)
{
	p->st->uuid_pos = w->pos;
	return gs_word_uuid(w, "", p->arena, &p->st->uuid, p->e);
}

static int option_param(struct gs_parser *p, const struct gs_word *w)
{
	struct gs_statement *st = p->st;
	struct gs_key_value param;
	void *grown;
	int r = gs_word_param(w, p->arena, &param, p->e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < st->n_params; i++) {
		if (strcmp(st->params[i].key, param.key) == 0)
			return gs_error_at(p->e, -EINVAL, &w->pos, "the parameter %s is given twice; keep one", param.key);
	}
	if (st->n_params == GS_PARAMS_MAX)
		return gs_error_at(p->e, -E2BIG, &w->pos, "an instance has at most %u parameters", GS_PARAMS_MAX);
	grown = gs_arena_grow(p->arena, st->params, st->n_params, &p->cap_params, sizeof(*st->params));
	if (!grown)
		return gs_error_oom(p->e);
	if (!st->n_params)
		st->params_pos = w->pos;
	st->params = grown;
	st->params[st->n_params++] = param;
	return 0;
}

static const struct {
	const char *name, *value;
	int (*parse)(struct gs_parser *, const struct gs_word *);
	bool repeats;
} create_options[] = {
	{ "at", "the start behind \"at\"", option_at, false },
	{ "count", "the number behind \"count\"", option_count, false },
	{ "ci", "what follows \"ci\"", option_ci, false },
	{ "vf", "the VF behind \"vf\"", option_vf, false },
	{ "uuid", "the UUID behind \"uuid\"", option_uuid, false },
	{ "param", "K=V behind \"param\"", option_param, true },
};

static int unknown_option(struct gs_parser *p, const struct gs_word *w)
{
	const char *names[GS_ARRAY_SIZE(create_options)];
	char shown[GS_WORD_SHOWN];
	const char *nearest;

	for (size_t i = 0; i < GS_ARRAY_SIZE(create_options); i++)
		names[i] = create_options[i].name;
	nearest = gs_word_nearest(w->text, names, GS_ARRAY_SIZE(names));
	if (nearest)
		return gs_error_at(p->e, -EINVAL, &w->pos, "\"%s\" is not known here; did you mean \"%s\"? write: %s",
				   gs_word_show(w->text, shown), nearest, GS_SYNTAX_CREATE);
	return gs_error_at(p->e, -EINVAL, &w->pos, "\"%s\" is not known here; write: %s", gs_word_show(w->text, shown), GS_SYNTAX_CREATE);
}

int gs_parser_create(struct gs_parser *p)
{
	const struct gs_word *w, *value;
	unsigned seen = 0;
	int r = gs_parser_gpu_or_inside(p);

	if (r < 0)
		return r;
	w = gs_parser_take(p, "the profile");
	if (!w)
		return -EINVAL;
	p->st->profile_pos = w->pos;
	r = gs_word_profile(w, p->arena, &p->st->profile, p->e);
	if (r < 0)
		return r;
	while ((w = gs_parser_peek(p))) {
		size_t i = 0;

		while (i < GS_ARRAY_SIZE(create_options) && strcmp(w->text, create_options[i].name) != 0)
			i++;
		if (i == GS_ARRAY_SIZE(create_options))
			return unknown_option(p, w);
		if (seen & (1u << i) && !create_options[i].repeats)
			return gs_error_at(p->e, -EINVAL, &w->pos, "\"%s\" is given twice; keep one", w->text);
		seen |= 1u << i;
		p->next++;
		value = gs_parser_take(p, create_options[i].value);
		if (!value)
			return -EINVAL;
		r = create_options[i].parse(p, value);
		if (r < 0)
			return r;
	}
	return 0;
}
