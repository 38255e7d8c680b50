/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base/arena.h"
#include "base/parse.h"
#include "cli/cli.h"

struct gs_table {
	struct gs_arena *arena;
	size_t columns;
	char **cells;
	size_t n, cap;
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

/* Nothing is printed behind the last cell that says something. */
static void print_row(const struct gs_table *t, char *const *cells, const size_t *widths, size_t n_widths)
{
	size_t n = t->columns;

	while (n && !cells[n - 1][0])
		n--;
	for (size_t c = 0; c < n; c++) {
		fputs(cells[c], stdout);
		if (c + 1 < n)
			printf("%*s", (int)(widths[c < n_widths ? c : 0] - width_of(cells[c]) + 2), "");
	}
	putchar('\n');
}

void gs_table_print(const struct gs_table *t)
{
	size_t widths[32] = { 0 };

	for (size_t i = 0; i < t->n; i++) {
		size_t w = width_of(t->cells[i]), c = i % t->columns;

		if (c < GS_ARRAY_SIZE(widths) && w > widths[c])
			widths[c] = w;
	}
	for (size_t row = 0; row + t->columns <= t->n; row += t->columns)
		print_row(t, &t->cells[row], widths, GS_ARRAY_SIZE(widths));
}
