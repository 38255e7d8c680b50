/* SPDX-License-Identifier: GPL-2.0-or-later */
/* script_values.c - what one word of a script names: a number, a profile, a GPU, an instance. */
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "codec/key_value.h"
#include "codec/script_words.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int gs_word_number(const struct gs_word *w, const char *what, uint32_t min, uint32_t max, uint32_t *ret_value, struct gs_error *e)
{
	char shown[GS_WORD_SHOWN];
	uint32_t value;
	int r = gs_parse_u32(w->text, 10, &value);

	if (r == -EINVAL || (w->n > 1 && w->text[0] == '0'))
		return gs_error_at(e, -EINVAL, &w->pos, "\"%s\" is no number; %s is a plain decimal from %u to %u",
				   gs_word_show(w->text, shown), what, min, max);
	if (r < 0 || value < min || value > max)
		return gs_error_at(e, -ERANGE, &w->pos, "\"%s\" is out of range; %s is from %u to %u", gs_word_show(w->text, shown), what, min, max);
	*ret_value = value;
	return 0;
}

/* Words with a meaning of their own: taking one for a profile would hide a forgotten word. */
static bool is_reserved(const char *s)
{
	static const char *const words[] = { "at", "count", "ci", "vf", "uuid", "param", "to", "all", "rest", "none" };

	for (size_t i = 0; i < GS_ARRAY_SIZE(words); i++) {
		if (strcmp(s, words[i]) == 0)
			return true;
	}
	return false;
}

static bool looks_like_profile(const struct gs_word *w)
{
	if (!w->n || w->n > GS_SCRIPT_PROFILE_MAX || is_reserved(w->text) || w->text[w->n - 1] == ' ')
		return false;
	if (!is_letter(w->text[0]) && !is_digit(w->text[0]))
		return false;
	for (size_t i = 0; i < w->n; i++) {
		if (!is_letter(w->text[i]) && !is_digit(w->text[i]) && !strchr("._+- ", w->text[i]))
			return false;
	}
	return true;
}

int gs_word_profile(const struct gs_word *w, struct gs_arena *a, const char **ret_profile, struct gs_error *e)
{
	char shown[GS_WORD_SHOWN];
	const char *copy;

	if (!looks_like_profile(w))
		return gs_error_at(e, -EINVAL, &w->pos, "A profile such as 3g.40gb is expected here, not \"%s\"; \"gpuslice profiles\" lists them",
				   gs_word_show(w->text, shown));
	copy = gs_arena_strdup(a, w->text);
	if (!copy)
		return gs_error_oom(e);
	*ret_profile = copy;
	return 0;
}

int gs_word_uuid(const struct gs_word *w, const char *prefix, struct gs_arena *a, const char **ret_uuid, struct gs_error *e)
{
	char shown[GS_WORD_SHOWN];
	char *uuid;
	bool is_good = w->n == 36;

	for (size_t i = 0; is_good && i < 36; i++)
		is_good = i == 8 || i == 13 || i == 18 || i == 23 ? w->text[i] == '-' : is_hex(w->text[i]);
	if (!is_good)
		return gs_error_at(e, -EINVAL, &w->pos, "\"%s\" is no whole UUID (8-4-4-4-12 hex digits)", gs_word_show(w->text, shown));
	uuid = gs_arena_printf(a, "%s%s", prefix, w->text);
	if (!uuid)
		return gs_error_oom(e);
	for (char *c = uuid + strlen(prefix); *c; c++) {
		if (is_letter(*c))
			*c |= 0x20;
	}
	*ret_uuid = uuid;
	return 0;
}

int gs_word_vf(const struct gs_word *w, struct gs_arena *a, uint32_t *ret_number, const char **ret_text, struct gs_bdf *ret_bdf, struct gs_error *e)
{
	char text[GS_BDF_TEXT], shown[GS_WORD_SHOWN];
	struct gs_bdf bdf;
	const char *copy;

	if (!gs_bdf_looks_like(w->text))
		return gs_word_number(w, "a VF", 0, GS_SCRIPT_ORDINAL_MAX, ret_number, e);
	if (gs_bdf_parse(w->text, &bdf) < 0)
		return gs_error_at(e, -EINVAL, &w->pos, "\"%s\" is no PCI address; write it as 0000:1b:00.4", gs_word_show(w->text, shown));
	copy = gs_arena_strdup(a, gs_bdf_format(bdf, text));
	if (!copy)
		return gs_error_oom(e);
	*ret_text = copy;
	*ret_bdf = bdf;
	return 0;
}

int gs_word_key(const struct gs_word *w, struct gs_arena *a, const char **ret_key, struct gs_error *e)
{
	char shown[GS_WORD_SHOWN];
	const char *copy;

	if (!gs_key_is_valid(w->text))
		return gs_error_at(e, -EINVAL, &w->pos, "\"%s\" is no name of a parameter; they look like frame_rate_limiter", gs_word_show(w->text, shown));
	copy = gs_arena_strdup(a, w->text);
	if (!copy)
		return gs_error_oom(e);
	*ret_key = copy;
	return 0;
}

int gs_word_value(const struct gs_word *w, struct gs_arena *a, const char **ret_value, struct gs_error *e)
{
	char shown[GS_WORD_SHOWN];
	const char *copy;

	if (!gs_param_value_is_valid(w->text))
		return gs_error_at(e, -EINVAL, &w->pos, "\"%s\" cannot be the value of a parameter: 1 to %u printable ASCII characters without blank and comma",
				   gs_word_show(w->text, shown), GS_VALUE_MAX);
	copy = gs_arena_strdup(a, w->text);
	if (!copy)
		return gs_error_oom(e);
	*ret_value = copy;
	return 0;
}

int gs_word_param(const struct gs_word *w, struct gs_arena *a, struct gs_key_value *ret_param, struct gs_error *e)
{
	const char *equals = strchr(w->text, '=');
	struct gs_key_value param;
	char shown[GS_WORD_SHOWN];
	struct gs_word part;
	int r;

	if (!equals)
		return gs_error_at(e, -EINVAL, &w->pos, "\"%s\" is no parameter; write it as frame_rate_limiter=0", gs_word_show(w->text, shown));
	r = gs_word_slice(w, 0, (size_t)(equals - w->text), a, &part, e);
	if (r >= 0)
		r = gs_word_key(&part, a, &param.key, e);
	if (r >= 0)
		r = gs_word_slice(w, (size_t)(equals - w->text) + 1, w->n, a, &part, e);
	if (r >= 0)
		r = gs_word_value(&part, a, &param.value, e);
	if (r < 0)
		return r;
	*ret_param = param;
	return 0;
}

static int gpu_model(const struct gs_word *w, struct gs_arena *a, struct gs_gpu_selector *sel, struct gs_error *e)
{
	sel->kind = GS_SELECT_GPU_MODEL;
	if (w->n == strlen("model:"))
		return gs_error_at(e, -EINVAL, &w->pos, "model: needs a pattern, such as model:\"*H100*\"");
	if (w->n - strlen("model:") > GS_SCRIPT_TEXT_MAX)
		return gs_error_at(e, -EINVAL, &w->pos, "this pattern is longer than %u bytes", GS_SCRIPT_TEXT_MAX);
	sel->text = gs_arena_strdup(a, w->text + strlen("model:"));
	return sel->text ? 0 : gs_error_oom(e);
}

/* NVML writes "GPU-" and lower case; people paste what other tools made of it. */
static int gpu_uuid(const struct gs_word *w, struct gs_arena *a, struct gs_gpu_selector *sel, struct gs_error *e)
{
	char shown[GS_WORD_SHOWN];
	bool is_good = w->n > 4 && w->n <= 4 + 36;
	char *copy;

	for (size_t i = 4; is_good && i < w->n; i++)
		is_good = is_hex(w->text[i]) || w->text[i] == '-';
	if (!is_good)
		return gs_error_at(e, -EINVAL, &w->pos, "\"%s\" is no GPU UUID nor the beginning of one", gs_word_show(w->text, shown));
	copy = gs_arena_printf(a, "GPU-%s", w->text + 4);
	if (!copy)
		return gs_error_oom(e);
	for (char *c = copy + 4; *c; c++) {
		if (is_letter(*c))
			*c |= 0x20;
	}
	sel->kind = GS_SELECT_GPU_UUID;
	sel->text = copy;
	return 0;
}

/* "3" or "0-3" */
static int gpu_range(const struct gs_word *w, struct gs_arena *a, struct gs_gpu_selector *sel, struct gs_error *e)
{
	size_t dash = strcspn(w->text, "-");
	struct gs_word part;
	int r;

	sel->kind = GS_SELECT_GPU_RANGE;
	r = gs_word_slice(w, 0, dash, a, &part, e);
	if (r < 0)
		return r;
	r = gs_word_number(&part, "a GPU index", 0, GS_SCRIPT_INDEX_MAX, &sel->first, e);
	sel->last = sel->first;
	if (r < 0 || dash == w->n)
		return r;
	r = gs_word_slice(w, dash + 1, w->n, a, &part, e);
	if (r < 0)
		return r;
	r = gs_word_number(&part, "a GPU index", 0, GS_SCRIPT_INDEX_MAX, &sel->last, e);
	if (r < 0)
		return r;
	if (sel->last < sel->first)
		return gs_error_at(e, -EINVAL, &w->pos, "the range %u-%u runs backwards; write %u-%u", sel->first, sel->last, sel->last, sel->first);
	return 0;
}

int gs_word_gpu(const struct gs_word *w, struct gs_arena *a, struct gs_gpu_selector *ret_gpu, struct gs_error *e)
{
	struct gs_gpu_selector sel = { .pos = w->pos };
	char shown[GS_WORD_SHOWN], front[5] = "";
	int r = 0;

	memcpy(front, w->text, w->n < 4 ? w->n : 4);
	if (strcmp(w->text, "all") == 0) {
		sel.kind = GS_SELECT_GPU_ALL;
	} else if (gs_str_starts(w->text, "model:")) {
		r = gpu_model(w, a, &sel, e);
	} else if (gs_str_equal_nocase(front, "GPU-")) {
		r = gpu_uuid(w, a, &sel, e);
	} else if (gs_bdf_looks_like(w->text)) {
		sel.kind = GS_SELECT_GPU_BDF;
		if (gs_bdf_parse(w->text, &sel.bdf) < 0)
			r = gs_error_at(e, -EINVAL, &w->pos, "\"%s\" is no PCI address; write it as 0000:1b:00.0", gs_word_show(w->text, shown));
	} else if (is_digit(w->text[0])) {
		r = gpu_range(w, a, &sel, e);
	} else {
		r = gs_error_at(e, -EINVAL, &w->pos, "a GPU is expected here (an index, A-B, a PCI address, GPU-UUID, model:\"GLOB\" or all), not \"%s\"",
				gs_word_show(w->text, shown));
	}
	if (r < 0)
		return r;
	*ret_gpu = sel;
	return 0;
}

/* Behind "vf:", "gi:", … */
static int instance_behind(const struct gs_word *w, size_t prefix, struct gs_arena *a, struct gs_instance_selector *sel, struct gs_error *e)
{
	struct gs_word part;
	int r = gs_word_slice(w, prefix, w->n, a, &part, e);

	if (r < 0)
		return r;
	switch (sel->kind) {
	case GS_SELECT_VF:
		return gs_word_vf(&part, a, &sel->number, &sel->text, &sel->bdf, e);
	case GS_SELECT_GI:
		return gs_word_number(&part, "a GPU instance id", 0, GS_SCRIPT_ORDINAL_MAX, &sel->number, e);
	case GS_SELECT_MDEV:
		return gs_word_uuid(&part, "", a, &sel->text, e);
	default:
		return gs_word_uuid(&part, "MIG-", a, &sel->text, e);
	}
}

/* PROFILE@START */
static int instance_at(const struct gs_word *w, struct gs_arena *a, struct gs_instance_selector *sel, struct gs_error *e)
{
	const char *at = strrchr(w->text, '@');
	char shown[GS_WORD_SHOWN];
	struct gs_word part;
	int r;

	sel->kind = GS_SELECT_AT;
	if (!at)
		return gs_error_at(e, -EINVAL, &w->pos,
				   "an instance is expected here (PROFILE@START, vf:N, mdev:UUID, MIG-UUID, gi:N or all), not \"%s\"",
				   gs_word_show(w->text, shown));
	r = gs_word_slice(w, 0, (size_t)(at - w->text), a, &part, e);
	if (r < 0)
		return r;
	r = gs_word_profile(&part, a, &sel->profile, e);
	if (r < 0)
		return r;
	r = gs_word_slice(w, (size_t)(at - w->text) + 1, w->n, a, &part, e);
	if (r < 0)
		return r;
	return gs_word_number(&part, "a start", 0, GS_SCRIPT_START_MAX, &sel->number, e);
}

int gs_word_instance(const struct gs_word *w, struct gs_arena *a, struct gs_instance_selector *ret_instance, struct gs_error *e)
{
	static const struct {
		const char *prefix;
		enum gs_instance_selector_kind kind;
	} prefixes[] = {
		{ "vf:", GS_SELECT_VF },
		{ "gi:", GS_SELECT_GI },
		{ "mdev:", GS_SELECT_MDEV },
		{ "MIG-", GS_SELECT_UUID },
	};
	struct gs_instance_selector sel = { .pos = w->pos };
	int r = 1;

	if (strcmp(w->text, "all") == 0) {
		sel.kind = GS_SELECT_ALL;
		r = 0;
	} else if (strcmp(w->text, "rest") == 0) {
		sel.kind = GS_SELECT_REST;
		r = 0;
	}
	for (size_t i = 0; r > 0 && i < GS_ARRAY_SIZE(prefixes); i++) {
		if (!gs_str_starts(w->text, prefixes[i].prefix))
			continue;
		sel.kind = prefixes[i].kind;
		r = instance_behind(w, strlen(prefixes[i].prefix), a, &sel, e);
	}
	if (r > 0)
		r = instance_at(w, a, &sel, e);
	if (r < 0)
		return r;
	*ret_instance = sel;
	return 0;
}

int gs_word_ci(const struct gs_word *w, struct gs_arena *a, struct gs_ci_request *ret_ci, struct gs_error *e)
{
	struct gs_ci_request ci = { .pos = w->pos };
	const char *at = strrchr(w->text, '@');
	struct gs_word part;
	int r;

	r = gs_word_slice(w, 0, at ? (size_t)(at - w->text) : w->n, a, &part, e);
	if (r < 0)
		return r;
	r = gs_word_profile(&part, a, &ci.profile, e);
	if (r < 0)
		return r;
	if (at) {
		r = gs_word_slice(w, (size_t)(at - w->text) + 1, w->n, a, &part, e);
		if (r < 0)
			return r;
		r = gs_word_number(&part, "a start", 0, GS_SCRIPT_START_MAX, &ci.start.value, e);
		if (r < 0)
			return r;
		ci.start.known = true;
	}
	*ret_ci = ci;
	return 0;
}
