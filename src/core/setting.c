/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/setting.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"

bool gs_setting_is_for_vgpus(const char *key)
{
	return gs_str_equal(key, GS_SETTING_HETEROGENEOUS) || gs_str_equal(key, GS_SETTING_SCHEDULER);
}

bool gs_setting_is_default(const char *key, const char *value)
{
	if (gs_str_equal(key, GS_SETTING_HETEROGENEOUS))
		return gs_str_equal(value, "off");
	return gs_str_equal(key, GS_SETTING_SCHEDULER) && gs_str_equal(value, "best-effort");
}

const struct gs_setting *gs_setting_by_key(struct gs_setting *const *list, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (gs_str_equal(list[i]->key, key))
			return list[i];
	return NULL;
}

/* ---------------------------------------------------------------- a value and its parts */

/* "word" and "key=text" in turn; @copy is cut up. */
struct pieces {
	char copy[GS_SETTING_VALUE_MAX];
	char *rest;
};

static bool pieces_begin(struct pieces *p, const char *value)
{
	size_t n = strlen(value);

	if (n >= sizeof(p->copy))
		return false;
	memcpy(p->copy, value, n + 1);
	p->rest = p->copy;
	return true;
}

/* The next piece, with its "=" cut; *@ret_text is NULL where there is none. */
static char *pieces_next(struct pieces *p, char **ret_text)
{
	char *piece = strsep(&p->rest, ":");
	char *equals = piece ? strchr(piece, '=') : NULL;

	if (equals)
		*equals++ = '\0';
	*ret_text = equals;
	return piece;
}

const char *gs_setting_word(const char *value, char *buf, size_t size)
{
	snprintf(buf, size, "%.*s", (int)strcspn(value, ":"), value);
	return buf;
}

const char *gs_setting_part_of(const char *value, const char *key, char *buf, size_t size)
{
	struct pieces p;
	char *piece, *text;

	if (!pieces_begin(&p, value))
		return NULL;
	/* the word, whatever it looks like, is no part */
	pieces_next(&p, &text);
	while ((piece = pieces_next(&p, &text))) {
		if (!text || strcmp(piece, key) != 0)
			continue;
		snprintf(buf, size, "%s", text);
		return buf;
	}
	return NULL;
}

bool gs_setting_is(const char *now, const char *asked, bool or_untold)
{
	char word[GS_SETTING_VALUE_MAX], there[GS_SETTING_VALUE_MAX];
	struct pieces p;
	char *piece, *text;

	if (!now || !asked)
		return false;
	if (strcmp(now, asked) == 0)
		return true;
	if (!pieces_begin(&p, asked))
		return false;
	piece = pieces_next(&p, &text);
	if (!piece || text || strcmp(piece, gs_setting_word(now, word, sizeof(word))) != 0)
		return false;
	while ((piece = pieces_next(&p, &text))) {
		const char *is = text ? gs_setting_part_of(now, piece, there, sizeof(there)) : NULL;

		if (is ? strcmp(is, text) != 0 : !or_untold || !text)
			return false;
	}
	return true;
}

/* ---------------------------------------------------------------- is it one that can be asked for? */

static const struct gs_setting_part *part_by_key(const struct gs_setting *s, const char *key)
{
	for (size_t i = 0; i < s->n_parts; i++)
		if (strcmp(s->parts[i].key, key) == 0)
			return &s->parts[i];
	return NULL;
}

static bool is_word_of(const char *const *words, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], text) == 0)
			return true;
	return false;
}

static const char *refuse_word(const struct gs_setting *s, const char *value, char *buf, size_t size)
{
	GS_STRBUF struct gs_strbuf known = GS_STRBUF_INIT;

	for (size_t i = 0; i < s->n_choices; i++)
		gs_strbuf_printf(&known, "%s%s", i ? ", " : "", s->choices[i]);
	gs_strbuf_puts(&known, "");
	snprintf(buf, size, "can be %s, not \"%.40s\"", known.failed ? "" : known.text, value);
	return buf;
}

static const char *refuse_part_key(const struct gs_setting *s, const char *key, char *buf, size_t size)
{
	GS_STRBUF struct gs_strbuf known = GS_STRBUF_INIT;

	for (size_t i = 0; i < s->n_parts; i++)
		gs_strbuf_printf(&known, "%s%s=", i ? ", " : "", s->parts[i].key);
	gs_strbuf_puts(&known, "");
	if (s->n_parts && !known.failed)
		snprintf(buf, size, "has no part \"%.40s\"; behind its word may stand %s", key, known.text);
	else
		snprintf(buf, size, "is one word here, with nothing behind it");
	return buf;
}

/* Does @value say @part, as "arr=on"? */
static bool says(const char *value, const char *part)
{
	char key[GS_SETTING_VALUE_MAX], there[GS_SETTING_VALUE_MAX];
	size_t n = strcspn(part, "=");

	snprintf(key, sizeof(key), "%.*s", (int)n, part);
	return part[n] && gs_setting_part_of(value, key, there, sizeof(there)) && strcmp(there, part + n + 1) == 0;
}

/* As a driver writes it: what is read back is compared with what was asked for. */
static bool has_leading_zero(const char *text)
{
	return text[0] == '0' && text[1];
}

static const char *refuse_part_word(const struct gs_setting_part *part, const char *text, char *buf, size_t size)
{
	GS_STRBUF struct gs_strbuf known = GS_STRBUF_INIT;

	for (size_t i = 0; i < part->n_words; i++)
		gs_strbuf_printf(&known, "%s%s", !i ? "" : i + 1 < part->n_words ? ", " : " or ", part->words[i]);
	snprintf(buf, size, "takes %s=%s, not \"%.40s\"", part->key, known.failed ? "" : known.text, text);
	return buf;
}

static const char *refuse_part(const struct gs_setting_part *part, const char *word, const char *text, const char *value, char *buf, size_t size)
{
	uint64_t number;

	if (part->not_with && strcmp(part->not_with, word) == 0) {
		snprintf(buf, size, "takes no %s with %s", part->key, word);
		return buf;
	}
	if (part->needs && !says(value, part->needs)) {
		snprintf(buf, size, "takes %s only together with %s", part->key, part->needs);
		return buf;
	}
	if (part->not_beside && says(value, part->not_beside)) {
		snprintf(buf, size, "takes no %s together with %s", part->key, part->not_beside);
		return buf;
	}
	if (part->n_words) {
		if (is_word_of(part->words, part->n_words, text))
			return NULL;
		return refuse_part_word(part, text, buf, size);
	}
	if (gs_parse_u64(text, 10, &number) == 0 && number >= part->min && number <= part->max && !has_leading_zero(text))
		return NULL;
	snprintf(buf, size, "takes %s from %" PRIu64 " to %" PRIu64 "%s, not \"%.40s\"", part->key, part->min, part->max,
		 has_leading_zero(text) ? " without zeros in front" : "", text);
	return buf;
}

const char *gs_setting_refuses(const struct gs_setting *s, const char *value, char *buf, size_t size)
{
	const char *seen[GS_SETTING_PARTS_MAX];
	char *word, *key, *text;
	struct pieces p;
	uint64_t number;
	size_t n = 0;

	if (!s->n_choices) {
		if (gs_parse_u64(value, 10, &number) == 0 && !has_leading_zero(value))
			return NULL;
		snprintf(buf, size, "is a number%s, not \"%.40s\"", has_leading_zero(value) ? " without zeros in front" : "", value);
		return buf;
	}
	if (!pieces_begin(&p, value))
		return refuse_word(s, value, buf, size);
	word = pieces_next(&p, &text);
	if (text || !is_word_of(s->choices, s->n_choices, word))
		return refuse_word(s, value, buf, size);
	while ((key = pieces_next(&p, &text))) {
		const struct gs_setting_part *part = text ? part_by_key(s, key) : NULL;

		if (!part)
			return refuse_part_key(s, key, buf, size);
		if (n == GS_SETTING_PARTS_MAX || is_word_of(seen, n, key)) {
			snprintf(buf, size, "says %s twice", part->key);
			return buf;
		}
		seen[n++] = part->key;
		if (refuse_part(part, word, text, value, buf, size))
			return buf;
	}
	return NULL;
}
