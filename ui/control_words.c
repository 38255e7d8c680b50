/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control_words.c - what the prompt takes beside the language: words about what was done and what is saved; and what is said of words that are none. */
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "codec/script_words.h"
#include "core/script.h"
#include "ui/control_internal.h"

static unsigned type_history(struct gs_model *m, uint64_t id)
{
	(void)id;
	return gs_control_ask_history(m);
}

static unsigned type_restore(struct gs_model *m, uint64_t id)
{
	(void)id;
	return gs_control_ask_restore(m);
}

static unsigned type_save(struct gs_model *m, uint64_t id)
{
	(void)id;
	return gs_control_ask_saved(m);
}

/* No statements of the language, since they are about what was done; so each stands alone. */
static const struct {
	const char *name;
	bool takes_commit;      /* its number may follow */
	unsigned (*ask)(struct gs_model *m, uint64_t id);
} words[] = {
	{ "history", false, type_history },
	{ "recover", true, gs_control_ask_recover },
	{ "restore", false, type_restore },
	{ "save", false, type_save },
	{ "undo", true, gs_control_ask_undo },
};

const char *gs_control_word(size_t i)
{
	return i < GS_ARRAY_SIZE(words) ? words[i].name : NULL;
}

bool gs_control_past_command(struct gs_model *m, const char *text, unsigned *ret_done)
{
	char line[64], *word, *number, *rest, *save = NULL;
	uint64_t id = 0;
	size_t at;

	if (strlen(text) >= sizeof(line))
		return false;
	snprintf(line, sizeof(line), "%s", text);
	word = strtok_r(line, " ", &save);
	number = strtok_r(NULL, " ", &save);
	rest = strtok_r(NULL, " ", &save);
	for (at = 0; at < GS_ARRAY_SIZE(words) && !gs_str_equal(word, words[at].name); at++)
		;
	if (at == GS_ARRAY_SIZE(words))
		return false;
	if (rest || (number && (!words[at].takes_commit || gs_parse_u64(number, 10, &id) < 0 || !id))) {
		snprintf(m->input_error, sizeof(m->input_error), words[at].takes_commit ? "%s takes the number of one commit; H lists them" : "%s takes nothing", words[at].name);
		*ret_done = GS_DO_REDRAW;
		return true;
	}
	gs_layer_close(m);
	*ret_done = words[at].ask(m, id);
	return true;
}

/* ---- a word that is none ---- */

#define WORDS_MAX 32

/* The statement's first word, when that is where @column (from 1) points to; false when something else is wrong there. */
static bool first_word_at(const struct gs_model *m, unsigned column, char *word, size_t size)
{
	size_t at = column - 1, n = strlen(m->input);

	if (!column || at >= n)
		return false;
	for (size_t i = at; i > 0 && m->input[i - 1] != ';'; i--)
		if (m->input[i - 1] != ' ')
			return false;
	snprintf(word, size, "%.*s", (int)strcspn(m->input + at, " ;"), m->input + at);
	return true;
}

static bool is_own_word(const char *word)
{
	for (size_t i = 0; gs_control_word(i); i++)
		if (gs_str_equal(word, gs_control_word(i)))
			return true;
	return false;
}

/* Everything that can be typed is listed: nobody has to know which of it is the language's. */
static void list_commands(const char *word, char *buf, size_t size)
{
	const char *names[WORDS_MAX], *nearest;
	char shown[GS_WORD_SHOWN];
	size_t n = 0, at;

	for (int v = 0; v < GS_VERB_MAX && n < WORDS_MAX; v++)
		names[n++] = gs_verb_name((enum gs_verb)v);
	for (size_t i = 0; gs_control_word(i) && n < WORDS_MAX; i++)
		names[n++] = gs_control_word(i);
	nearest = gs_word_nearest(word, names, n);
	at = (size_t)snprintf(buf, size, "there is no command \"%s\"%s%s%s. The commands are ", gs_word_show(word, shown), nearest ? "; did you mean \"" : "", nearest ? nearest : "",
			      nearest ? "\"?" : "");
	for (size_t i = 0; i < n && at < size; i++)
		at += (size_t)snprintf(buf + at, size - at, "%s%s", !i ? "" : i + 1 < n ? ", " : " and ", names[i]);
}

void gs_control_explain_error(struct gs_model *m, const struct gs_error *e)
{
	char word[64];

	snprintf(m->input_error, sizeof(m->input_error), "%.*s", (int)sizeof(m->input_error) - 1, e->text);
	if (e->line != 1 || !first_word_at(m, e->column, word, sizeof(word)) || gs_verb_from_name(word) != GS_VERB_MAX)
		return;
	if (is_own_word(word))
		snprintf(m->input_error, sizeof(m->input_error), "%s stands alone: it is about what was done, and no part of a list of commands", word);
	else
		list_commands(word, m->input_error, sizeof(m->input_error));
}
