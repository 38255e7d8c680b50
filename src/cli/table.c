/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/arena.h"
#include "base/parse.h"
#include "cli/cli.h"

/* Of the last column, when a table is cut. */
#define CUT_MIN 16
#define NOTE_INDENT 6

struct note {
	size_t behind;          /* so many cells */
	const char *text;
};

struct gs_table {
	struct gs_arena *arena;
	size_t columns;
	char **cells;
	size_t n, cap;
	struct note *notes;
	size_t n_notes, cap_notes;
};

struct gs_table *gs_table_new(size_t columns)
{
	struct gs_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->columns = columns;
	t->arena = gs_arena_new();
	return t->arena ? t : gs_table_free(t);
}

struct gs_table *gs_table_free(struct gs_table *t)
{
	if (!t)
		return NULL;
	gs_arena_free(t->arena);
	free(t);
	return NULL;
}

void gs_table_add(struct gs_table *t, const char *cell)
{
	void *grown = gs_arena_grow(t->arena, t->cells, t->n, &t->cap, sizeof(*t->cells));
	char *copy = gs_arena_strdup(t->arena, cell ? cell : "-");

	if (!grown || !copy)
		return;
	gs_text_sanitize(copy);
	t->cells = grown;
	t->cells[t->n++] = copy;
}

void gs_table_addf(struct gs_table *t, const char *fmt, ...)
{
	char cell[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cell, sizeof(cell), fmt, ap);
	va_end(ap);
	gs_table_add(t, cell);
}

void gs_table_note(struct gs_table *t, const char *text)
{
	struct note *grown = text ? gs_arena_grow(t->arena, t->notes, t->n_notes, &t->cap_notes, sizeof(*grown)) : NULL;
	char *copy = grown ? gs_arena_strdup(t->arena, text) : NULL;

	if (!copy)
		return;
	gs_text_sanitize(copy);
	t->notes = grown;
	t->notes[t->n_notes++] = (struct note){ t->n, copy };
}

static size_t width_of(const char *s)
{
	wchar_t wide[512];
	size_t n = mbstowcs(wide, s, GS_ARRAY_SIZE(wide) - 1);
	int width;

	if (n == (size_t)-1)
		return strlen(s);
	width = wcswidth(wide, n);
	return width < 0 ? strlen(s) : (size_t)width;
}

/* As much of @s as fits into @columns, with an ellipsis where something is left out. */
static void print_cut(const char *s, int columns)
{
	mbstate_t state = { 0 };
	const char *end = s, *fits = s;
	int width = 0;

	while (*end) {
		wchar_t c;
		size_t n = mbrtowc(&c, end, MB_CUR_MAX, &state);
		int w = n == 0 || n > MB_CUR_MAX ? 1 : wcwidth(c);

		end += n == 0 || n > MB_CUR_MAX ? 1 : n;
		width += w < 0 ? 1 : w;
		if (width <= columns - 3)
			fits = end;
	}
	if (width <= columns)
		fputs(s, stdout);
	else
		printf("%.*s...", (int)(fits - s), s);
}

/* Nothing is printed behind the last cell that says something. */
static void print_row(const struct gs_table *t, char *const *cells, const size_t *widths, size_t n_widths, int columns)
{
	size_t n = t->columns;
	int at = 0;

	while (n && !cells[n - 1][0])
		n--;
	for (size_t c = 0; c < n; c++) {
		int width = (int)widths[c < n_widths ? c : 0] + 2;

		/* less than a few words tell nothing: then the terminal wraps it */
		if (columns && c + 1 == t->columns && columns - at >= CUT_MIN)
			print_cut(cells[c], columns - at);
		else
			fputs(cells[c], stdout);
		if (c + 1 < n)
			printf("%*s", width - (int)width_of(cells[c]), "");
		at += width;
	}
	putchar('\n');
}

void gs_table_print_within(const struct gs_table *t, int columns)
{
	size_t widths[32] = { 0 };

	for (size_t i = 0; i < t->n; i++) {
		size_t w = width_of(t->cells[i]), c = i % t->columns;

		if (c < GS_ARRAY_SIZE(widths) && w > widths[c])
			widths[c] = w;
	}
	for (size_t row = 0; row + t->columns <= t->n; row += t->columns) {
		print_row(t, &t->cells[row], widths, GS_ARRAY_SIZE(widths), columns);
		for (size_t i = 0; i < t->n_notes; i++) {
			if (t->notes[i].behind != row + t->columns)
				continue;
			printf("%*s", NOTE_INDENT, "");
			gs_cli_print_wrapped(t->notes[i].text, NOTE_INDENT, NOTE_INDENT);
		}
	}
}

void gs_table_print(const struct gs_table *t)
{
	gs_table_print_within(t, 0);
}

int gs_cli_terminal_columns(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col;
}
