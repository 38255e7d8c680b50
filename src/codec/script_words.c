/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/script_words.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

struct gs_words *gs_words_new(const char *bytes, size_t n, const char *file)
{
	struct gs_words *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->bytes = bytes;
	w->n = n;
	w->file = file;
	/* editors that write CRLF like to write a byte order mark too */
	if (n >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		w->offset = 3;
	return w;
}

static struct gs_position position(const struct gs_words *w, size_t offset)
{
	return (struct gs_position){ w->file, w->line, (unsigned)offset + 1 };
}

/* The whole line is judged before any word of it is: cheap checks first, so that a huge line costs one memchr. */
static int next_line(struct gs_words *w, struct gs_error *e)
{
	const char *line = w->bytes + w->offset;
	size_t left = w->n - w->offset, n, bad;
	const char *end, *nul;
	struct gs_position pos;

	if (!left)
		return 0;
	end = memchr(line, '\n', left);
	n = end ? (size_t)(end - line) : left;
	w->offset += n + (end != NULL);
	w->line++;
	if (n && line[n - 1] == '\r')
		n--;
	if (n > GS_SCRIPT_LINE_MAX) {
		pos = position(w, GS_SCRIPT_LINE_MAX);
		return gs_error_at(e, -EMSGSIZE, &pos, "the line has %zu bytes, a statement line at most %d; split it", n, GS_SCRIPT_LINE_MAX);
	}
	nul = memchr(line, '\0', n);
	if (nul) {
		pos = position(w, (size_t)(nul - line));
		return gs_error_at(e, -EINVAL, &pos, "there is a NUL byte here; a script is text");
	}
	if (!gs_utf8_is_valid(line, n, &bad)) {
		pos = position(w, bad);
		return gs_error_at(e, -EINVAL, &pos, "byte 0x%02x is not valid UTF-8 here; save the file as UTF-8", (unsigned)(unsigned char)line[bad]);
	}
	w->text = line;
	w->length = n;
	w->at = 0;
	return 1;
}

static int push(struct gs_words *w, size_t at, unsigned flag, struct gs_error *e)
{
	unsigned char c = (unsigned char)w->text[at];

	if (c < 0x20 || c == 0x7f) {
		struct gs_position pos = position(w, at);

		return gs_error_at(e, -EINVAL, &pos, "control character 0x%02x cannot be part of a word; remove it", (unsigned)c);
	}
	w->where[w->fill] = (uint16_t)((at + 1) | flag);
	w->room[w->fill++] = (char)c;
	return 0;
}

/* @w->at is on the opening quote. */
static int scan_quoted(struct gs_words *w, struct gs_error *e)
{
	struct gs_position open = position(w, w->at++);
	int r;

	while (w->at < w->length && w->text[w->at] != '"') {
		if (w->text[w->at] == '\\') {
			struct gs_position pos = position(w, w->at);

			if (++w->at == w->length)
				break;
			if (w->text[w->at] != '"' && w->text[w->at] != '\\')
				return gs_error_at(e, -EINVAL, &pos, "in quotes a backslash stands before \" or \\ only; write \\\\ for a backslash");
		}
		r = push(w, w->at, GS_WORD_QUOTED, e);
		if (r < 0)
			return r;
		w->at++;
	}
	if (w->at == w->length)
		return gs_error_at(e, -EINVAL, &open, "this quote is not closed on its line");
	w->at++;
	return 0;
}

/* What does not show, or reorders what is shown, would make a review lie. */
static int check_visible(const struct gs_word *word, struct gs_error *e)
{
	char copy[GS_SCRIPT_LINE_MAX + 1];
	struct gs_position pos = word->pos;
	size_t i = 0;

	while (i < word->n && (unsigned char)word->text[i] < 0x80)
		i++;
	if (i == word->n)
		return 0;
	memcpy(copy, word->text, word->n + 1);
	gs_text_sanitize(copy);
	if (strcmp(copy, word->text) == 0)
		return 0;
	while (copy[i] == word->text[i])
		i++;
	pos.column = word->where[i] & ~GS_WORD_QUOTED;
	return gs_error_at(e, -EINVAL, &pos, "there is an invisible or direction-changing character here; remove it");
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static int scan_word(struct gs_words *w, struct gs_error *e)
{
	struct gs_word *word = &w->words[w->n_words];
	size_t first = w->fill;
	int r = 0;

	word->pos = position(w, w->at);
	while (w->at < w->length && !is_blank(w->text[w->at]) && w->text[w->at] != ';') {
		if (w->text[w->at] == '"')
			r = scan_quoted(w, e);
		else
			r = push(w, w->at++, 0, e);
		if (r < 0)
			return r;
	}
	w->end = position(w, w->at);
	w->where[w->fill] = (uint16_t)(w->at + 1);
	w->room[w->fill] = '\0';
	word->text = w->room + first;
	word->where = w->where + first;
	word->n = w->fill++ - first;
	w->n_words++;
	return check_visible(word, e);
}

/* Words up to the end of the statement or line. */
static int scan_statement(struct gs_words *w, struct gs_error *e)
{
	w->n_words = 0;
	w->fill = 0;
	while (w->at < w->length) {
		char c = w->text[w->at];
		int r;

		if (is_blank(c)) {
			w->at++;
			continue;
		}
		if (c == ';') {
			w->at++;
			return 0;
		}
		if (c == '#')
			break;
		r = scan_word(w, e);
		if (r < 0)
			return r;
	}
	w->text = NULL;
	return 0;
}

int gs_words_next(struct gs_words *w, struct gs_error *e)
{
	for (;;) {
		int r;

		if (!w->text) {
			r = next_line(w, e);
			if (r <= 0)
				return r;
		}
		r = scan_statement(w, e);
		if (r < 0)
			return r;
		if (w->n_words)
			return 1;
	}
}

const char *gs_word_show(const char *text, char *buf)
{
	size_t n = strlen(text);
	bool is_cut = n > 40;

	if (is_cut) {
		n = 40;
		while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(buf, text, n);
	memcpy(buf + n, is_cut ? "..." : "", is_cut ? 4 : 1);
	return buf;
}

size_t gs_word_find(const struct gs_word *w, char c, size_t from)
{
	while (from < w->n && (w->text[from] != c || (w->where[from] & GS_WORD_QUOTED)))
		from++;
	return from;
}

int gs_word_slice(const struct gs_word *w, size_t from, size_t to, struct gs_arena *a, struct gs_word *ret_word, struct gs_error *e)
{
	struct gs_word part = { gs_arena_strndup(a, w->text + from, to - from), to - from, w->where + from, w->pos };

	if (!part.text)
		return gs_error_oom(e);
	part.pos.column = w->where[from] & ~GS_WORD_QUOTED;
	*ret_word = part;
	return 0;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

#define NEAREST_MAX 24

static unsigned least_of(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Edits from one to the other, ignoring case; two letters in the wrong order are one. Both at most NEAREST_MAX long. */
static unsigned distance(const char *a, const char *b)
{
	unsigned d[NEAREST_MAX + 1][NEAREST_MAX + 1];
	size_t n = strlen(a), m = strlen(b);

	for (size_t i = 0; i <= n; i++) {
		for (size_t j = 0; j <= m; j++) {
			if (!i || !j) {
				d[i][j] = (unsigned)(i + j);
				continue;
			}
			d[i][j] = least_of(d[i - 1][j - 1] + (lower(a[i - 1]) != lower(b[j - 1])), least_of(d[i - 1][j], d[i][j - 1]) + 1);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
				d[i][j] = least_of(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[n][m];
}

const char *gs_word_nearest(const char *text, const char *const *names, size_t n)
{
	const char *best = NULL;
	unsigned least = 3;

	if (strlen(text) > NEAREST_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		unsigned d;

		if (strlen(names[i]) > NEAREST_MAX)
			continue;
		d = distance(text, names[i]);
		/* of a short word two letters wrong is another word */
		if (d < least && 2 * d <= strlen(names[i])) {
			least = d;
			best = names[i];
		}
	}
	return best;
}
