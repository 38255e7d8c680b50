/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control_prompt.c - the line at the bottom: commands with history and completion, and the name of a file to save in. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "core/script.h"
#include "ui/control_internal.h"

#define HISTORY_MAX 200

void gs_control_set_input(struct gs_model *m, const char *text)
{
	snprintf(m->input, sizeof(m->input), "%s", text);
	m->input_cursor = strlen(m->input);
	m->input_error[0] = '\0';
	m->input_error_column = 0;
}

unsigned gs_control_open_prompt(struct gs_model *m)
{
	gs_layer_open(m, GS_LAYER_PROMPT);
	m->prompt = GS_PROMPT_COMMAND;
	m->history_at = m->n_history;
	gs_control_set_input(m, "");
	return GS_DO_REDRAW;
}

unsigned gs_control_open_prompt_with(struct gs_model *m, const char *text)
{
	gs_control_open_prompt(m);
	gs_control_set_input(m, text);
	return GS_DO_REDRAW;
}

unsigned gs_control_open_save(struct gs_model *m, bool quit_after)
{
	char name[192];

	snprintf(name, sizeof(name), "gpuslice-%s.gs", *m->host ? m->host : "host");
	for (char *c = name; *c; c++)
		if (*c == '/')
			*c = '-';
	gs_layer_open(m, GS_LAYER_PROMPT);
	m->prompt = GS_PROMPT_SCRIPT;
	m->quit_after_save = quit_after;
	gs_control_set_input(m, name);
	return GS_DO_REDRAW;
}

unsigned gs_control_open_message(struct gs_model *m)
{
	size_t row = m->list_row, top = m->list_top;

	gs_layer_open(m, GS_LAYER_PROMPT);
	/* the review stays where it is: this is a word about it */
	m->layer_below = GS_LAYER_REVIEW;
	m->row_below = row;
	m->top_below = top;
	m->prompt = GS_PROMPT_MESSAGE;
	gs_control_set_input(m, m->commit_message);
	return GS_DO_REDRAW;
}

static unsigned take_message(struct gs_model *m)
{
	char text[sizeof(m->input)];

	if (strlen(m->input) >= sizeof(m->commit_message)) {
		snprintf(m->input_error, sizeof(m->input_error), "at most %zu bytes", sizeof(m->commit_message) - 1);
		return GS_DO_REDRAW;
	}
	snprintf(text, sizeof(text), "%s", m->input);
	gs_text_sanitize(text);
	snprintf(m->commit_message, sizeof(m->commit_message), "%.*s", (int)sizeof(m->commit_message) - 1, text);
	gs_layer_close(m);
	return *m->commit_message ? gs_say(m, "goes into the record: %s", m->commit_message) : gs_say(m, "nothing is said about why");
}

unsigned gs_control_saved(struct gs_model *m, const char *path, const char *error)
{
	bool leaves = m->quit_after_save;

	if (error) {
		snprintf(m->input_error, sizeof(m->input_error), "%s", error);
		return gs_say_error(m, "not saved: %s", error);
	}
	gs_layer_close(m);
	gs_say(m, "saved: gpuslice apply %s", path);
	return leaves ? GS_DO_QUIT | GS_DO_REDRAW : GS_DO_REDRAW;
}

/* ---- editing a line of UTF-8 ---- */

static size_t encode(uint32_t code, char out[4])
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t before(const char *s, size_t at)
{
	while (at > 0 && is_continuation(s[--at]))
		;
	return at;
}

static size_t behind(const char *s, size_t at)
{
	if (s[at])
		at++;
	while (is_continuation(s[at]))
		at++;
	return at;
}

static void cut(struct gs_model *m, size_t from, size_t to)
{
	memmove(m->input + from, m->input + to, strlen(m->input + to) + 1);
	m->input_cursor = from;
}

static bool insert(struct gs_model *m, const char *bytes, size_t n)
{
	size_t length = strlen(m->input);

	if (length + n >= sizeof(m->input))
		return false;
	memmove(m->input + m->input_cursor + n, m->input + m->input_cursor, length - m->input_cursor + 1);
	memcpy(m->input + m->input_cursor, bytes, n);
	m->input_cursor += n;
	return true;
}

static size_t word_before(const struct gs_model *m)
{
	size_t at = m->input_cursor;

	while (at > 0 && m->input[at - 1] == ' ')
		at--;
	while (at > 0 && m->input[at - 1] != ' ')
		at--;
	return at;
}

bool gs_control_edit_line(struct gs_model *m, const struct gs_event *ev)
{
	size_t at = m->input_cursor;
	char bytes[4];

	switch (ev->key) {
	case GS_KEY_LEFT:
		m->input_cursor = before(m->input, at);
		return true;
	case GS_KEY_RIGHT:
		m->input_cursor = behind(m->input, at);
		return true;
	case GS_KEY_HOME:
	case GS_KEY_CTRL('a'):
		m->input_cursor = 0;
		return true;
	case GS_KEY_END:
	case GS_KEY_CTRL('e'):
		m->input_cursor = strlen(m->input);
		return true;
	case GS_KEY_BACKSPACE:
	case GS_KEY_CTRL('h'):
		cut(m, before(m->input, at), at);
		return true;
	case GS_KEY_DELETE:
	case GS_KEY_CTRL('d'):
		cut(m, at, behind(m->input, at));
		m->input_cursor = at;
		return true;
	case GS_KEY_CTRL('u'):
		/* the whole line: a refused one has its cursor at the mistake */
		cut(m, 0, strlen(m->input));
		return true;
	case GS_KEY_CTRL('k'):
		m->input[at] = '\0';
		return true;
	case GS_KEY_CTRL('w'):
		cut(m, word_before(m), at);
		return true;
	default:
		break;
	}
	if (ev->key < GS_KEY_SPACE || ev->key >= GS_KEY_SPECIAL || (ev->key >= 0x7f && ev->key < 0xa0) || ev->alt)
		return false;
	return insert(m, bytes, encode(ev->key, bytes));
}

/* ---- history ---- */

static void remember(struct gs_model *m, const char *text)
{
	char **grown, *copy;

	if (m->n_history && gs_str_equal(m->history[m->n_history - 1], text))
		return;
	if (m->n_history == HISTORY_MAX) {
		free(m->history[0]);
		memmove(m->history, m->history + 1, (HISTORY_MAX - 1) * sizeof(*m->history));
		m->n_history--;
	}
	copy = strdup(text);
	grown = copy ? reallocarray(m->history, m->n_history + 1, sizeof(*grown)) : NULL;
	if (!grown) {
		free(copy);
		return;
	}
	m->history = grown;
	m->history[m->n_history++] = copy;
}

static unsigned walk_history(struct gs_model *m, bool older)
{
	if (older && m->history_at > 0)
		m->history_at--;
	else if (!older && m->history_at < m->n_history)
		m->history_at++;
	else
		return GS_DO_NOTHING;
	gs_control_set_input(m, m->history_at < m->n_history ? m->history[m->history_at] : "");
	return GS_DO_REDRAW;
}

/* ---- completion ---- */

struct completion {
	const char *prefix;
	char common[128];
	struct gs_strbuf all;
	size_t n;
};

static void candidate(struct completion *c, const char *word)
{
	size_t i = 0;

	if (!gs_str_starts(word, c->prefix))
		return;
	if (!c->n++) {
		snprintf(c->common, sizeof(c->common), "%s", word);
	} else {
		while (c->common[i] && c->common[i] == word[i])
			i++;
		c->common[i] = '\0';
	}
	gs_strbuf_printf(&c->all, "%s%s", c->n > 1 ? "  " : "", word);
}

static void instance_candidates(struct completion *c, const struct gs_gpu *gpu)
{
	candidate(c, "all");
	for (size_t i = 0; i < gpu->n_instances; i++) {
		const struct gs_instance *inst = gpu->instances[i];
		char word[96];

		if (gs_control_selector(inst, word, sizeof(word)))
			candidate(c, word);
	}
}

static void set_candidates(struct completion *c, const struct gs_gpu *gpu, unsigned word, const char *key)
{
	const struct gs_setting *s = gs_gpu_setting(gpu, key);

	for (size_t i = 0; word == 2 && i < gpu->n_settings; i++)
		candidate(c, gpu->settings[i]->key);
	for (size_t i = 0; word == 3 && s && i < s->n_choices; i++)
		candidate(c, s->choices[i]);
}

static void candidates(const struct gs_model *m, struct completion *c, enum gs_verb verb, unsigned word, const char *gpu_word, const char *key)
{
	const struct gs_gpu *gpu = gs_model_gpu(m);
	uint32_t index;

	if (word == 0) {
		for (size_t i = 0; gs_control_word(i); i++)
			candidate(c, gs_control_word(i));
		for (int v = 0; v < GS_VERB_MAX; v++)
			candidate(c, gs_verb_name(v));
		return;
	}
	if (!gs_parse_u32(gpu_word, 10, &index) && m->snapshot && index < gs_snapshot_n_gpus(m->snapshot))
		gpu = gs_snapshot_gpu(m->snapshot, index);
	if (!gpu || word == 1)
		return;
	switch (verb) {
	case GS_VERB_MODE:
		for (int mode = 0; mode < GS_MODE_MAX; mode++)
			if (gpu->modes >> mode & 1)
				candidate(c, gs_mode_name(mode));
		return;
	case GS_VERB_CREATE:
		for (int kind = GS_KIND_MIG; word == 2 && kind <= GS_KIND_VGPU; kind++)
			for (size_t i = 0; i < gpu->grids[kind].n; i++)
				candidate(c, gpu->grids[kind].items[i].name);
		if (word > 2) {
			bool vgpu = gs_model_creation(m, gpu).creates == GS_KIND_VGPU;

			candidate(c, vgpu ? "vf" : "at");
			candidate(c, "count");
			candidate(c, vgpu ? "param" : "ci");
		}
		return;
	case GS_VERB_VFS:
		candidate(c, "0");
		candidate(c, "all");
		return;
	case GS_VERB_SET:
		set_candidates(c, gpu, word, key);
		return;
	case GS_VERB_DELETE:
	case GS_VERB_RECREATE:
	case GS_VERB_MOVE:
		instance_candidates(c, gpu);
		return;
	default:
		return;
	}
}

static unsigned complete(struct gs_model *m)
{
	struct completion c = { .all = GS_STRBUF_INIT };
	char head[sizeof(m->input)], prefix[128], verb[32] = "", gpu_word[64] = "", key[64] = "";
	size_t start = m->input_cursor, word = 0, statement = 0;

	while (start > 0 && m->input[start - 1] != ' ' && m->input[start - 1] != ';')
		start--;
	snprintf(prefix, sizeof(prefix), "%.*s", (int)(m->input_cursor - start), m->input + start);
	snprintf(head, sizeof(head), "%.*s", (int)start, m->input);
	for (size_t i = 0; head[i]; i++)
		if (head[i] == ';')
			statement = i + 1;
	for (char *at = head + statement; *at;) {
		size_t n = strcspn(at, " ");

		if (n && word == 0)
			snprintf(verb, sizeof(verb), "%.*s", (int)n, at);
		else if (n && word == 1)
			snprintf(gpu_word, sizeof(gpu_word), "%.*s", (int)n, at);
		else if (n && word == 2)
			snprintf(key, sizeof(key), "%.*s", (int)n, at);
		word += n > 0;
		at += n;
		at += strspn(at, " ");
	}
	c.prefix = prefix;
	candidates(m, &c, gs_verb_from_name(verb), (unsigned)word, gpu_word, key);
	if (c.n && strlen(c.common) > strlen(prefix))
		insert(m, c.common + strlen(prefix), strlen(c.common) - strlen(prefix));
	if (c.n == 1)
		insert(m, " ", 1);
	/* The input lies where messages are shown: what could follow is said where errors are. */
	if (!c.n)
		snprintf(m->input_error, sizeof(m->input_error), "nothing completes this");
	else if (c.n > 1 && !c.all.failed)
		snprintf(m->input_error, sizeof(m->input_error), "%.*s", (int)sizeof(m->input_error) - 1, c.all.text);
	gs_strbuf_done(&c.all);
	return GS_DO_REDRAW;
}

/* ---- keys ---- */

static unsigned take_line(struct gs_model *m)
{
	struct gs_error e = { 0 };
	size_t before_n = m->n_staged, added;
	unsigned done;

	if (m->prompt == GS_PROMPT_MESSAGE)
		return take_message(m);
	if (m->prompt == GS_PROMPT_SCRIPT)
		return *m->input ? GS_DO_SAVE_SCRIPT : gs_say_error(m, "a file name is needed");
	if (!m->input[strspn(m->input, " ;")]) {
		gs_layer_close(m);
		return GS_DO_REDRAW;
	}
	remember(m, m->input);
	m->history_at = m->n_history;
	if (gs_control_past_command(m, m->input, &done))
		return done;
	if (gs_model_stage(m, m->input, &e) < 0) {
		gs_control_explain_error(m, &e);
		m->input_error_column = e.line == 1 ? e.column : 0;
		/* a mistake of the statement as a whole is no place to go on typing */
		if (e.line == 1 && e.column > 1 && e.column <= strlen(m->input) + 1)
			m->input_cursor = e.column - 1;
		return GS_DO_REDRAW;
	}
	added = m->n_staged - before_n;
	gs_layer_close(m);
	if (gs_plan_is_blocked(m->plan))
		return gs_say_error(m, "staged, but the plan is blocked: %s", m->plan->findings[0].text);
	return added == 1 ? gs_say(m, "staged: %s", m->staged[before_n].text) : gs_say(m, "staged %zu commands", added);
}

unsigned gs_control_prompt_key(struct gs_model *m, const struct gs_event *ev)
{
	/* Pasted lines become one line of statements; only a real Enter ends it. */
	if (ev->is_pasted && (ev->key == GS_KEY_ENTER || ev->key == '\n')) {
		insert(m, "; ", 2);
		return GS_DO_REDRAW;
	}
	switch (ev->key) {
	case GS_KEY_ESCAPE:
	case GS_KEY_CTRL('c'):
		gs_layer_close(m);
		return GS_DO_REDRAW;
	case GS_KEY_ENTER:
		return take_line(m);
	case GS_KEY_UP:
	case GS_KEY_CTRL('p'):
		return m->prompt != GS_PROMPT_COMMAND ? GS_DO_NOTHING : walk_history(m, true);
	case GS_KEY_DOWN:
	case GS_KEY_CTRL('n'):
		return m->prompt != GS_PROMPT_COMMAND ? GS_DO_NOTHING : walk_history(m, false);
	case GS_KEY_TAB:
		return m->prompt != GS_PROMPT_COMMAND || ev->is_pasted ? GS_DO_NOTHING : complete(m);
	default:
		break;
	}
	if (!gs_control_edit_line(m, ev))
		return GS_DO_NOTHING;
	m->input_error[0] = '\0';
	m->input_error_column = 0;
	return GS_DO_REDRAW;
}
