/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ui/frame.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/strbuf.h"

#define SIZE_LIMIT 1000
#define REPLACEMENT '?'

int gs_frame_new(int rows, int columns, struct gs_frame **ret_frame)
{
	struct gs_frame *f;

	if (rows < 1 || columns < 1 || rows > SIZE_LIMIT || columns > SIZE_LIMIT)
		return -EINVAL;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->cells = calloc((size_t)rows * (size_t)columns, sizeof(*f->cells));
	if (!f->cells) {
		free(f);
		return -ENOMEM;
	}
	f->rows = rows;
	f->columns = columns;
	gs_frame_clear(f);
	*ret_frame = f;
	return 0;
}

struct gs_frame *gs_frame_free(struct gs_frame *f)
{
	if (f)
		free(f->cells);
	free(f);
	return NULL;
}

void gs_frame_clear(struct gs_frame *f)
{
	size_t n = (size_t)f->rows * (size_t)f->columns;

	for (size_t i = 0; i < n; i++)
		f->cells[i] = (struct gs_cell){ .code = ' ', .element = GS_ELEMENT_TEXT };
	f->cursor_row = f->cursor_column = -1;
}

/* ------------------------------------------------------------------ */
/* characters */

struct range {
	uint32_t first, last;
};

static bool is_in(uint32_t code, const struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

/* Never onto a terminal: controls, and marks that turn the direction of what follows. */
static bool is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xd800 && c <= 0xdfff) ||
	       c > 0x10ffff;
}

/*
 * Columns of a safe character: 0, 1 or 2. wcwidth() is what curses goes by,
 * but in the C locale it knows ASCII only; then the large blocks decide, so
 * that a frame is the same there.
 */
static int code_width(uint32_t code)
{
	static const struct range zero[] = {
		{ 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x0610, 0x061a }, { 0x064b, 0x065f },
		{ 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
		{ 0xe0100, 0xe01ef },
	};
	static const struct range wide[] = {
		{ 0x1100, 0x115f }, { 0x2e80, 0x303e }, { 0x3041, 0xa4cf }, { 0xa960, 0xa97c }, { 0xac00, 0xd7a3 },
		{ 0xf900, 0xfaff }, { 0xfe30, 0xfe6f }, { 0xff01, 0xff60 }, { 0xffe0, 0xffe6 }, { 0x1f300, 0x1f64f },
		{ 0x1f680, 0x1f6ff }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
	};
	int width;

	if (code < 0x7f)
		return 1;
	width = wcwidth((wchar_t)code);
	if (width >= 0)
		return width > 2 ? 2 : width;
	if (is_in(code, zero, GS_ARRAY_SIZE(zero)))
		return 0;
	return is_in(code, wide, GS_ARRAY_SIZE(wide)) ? 2 : 1;
}

/* Bytes of the well-formed sequence at @s (NUL-terminated), 0 when it is malformed. */
static size_t decode(const char *text, uint32_t *ret_code)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *s = (const unsigned char *)text;
	uint32_t code;
	size_t n;

	if (s[0] < 0x80) {
		*ret_code = s[0];
		return 1;
	}
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	code = s[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		/* the NUL at the end is no continuation, so this never reads past it */
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3fu);
	}
	if (code < smallest[n])
		return 0;
	*ret_code = code;
	return n;
}

/* The next character to draw; @text moves on. False at the end. Combining marks are passed over. */
static bool next_code(const char **text, uint32_t *ret_code, int *ret_width)
{
	while (**text) {
		uint32_t code = REPLACEMENT;
		size_t n = decode(*text, &code);
		int width;

		*text += n ? n : 1;
		if (!n || is_unsafe(code))
			code = REPLACEMENT;
		width = code_width(code);
		if (!width)
			continue;
		*ret_code = code;
		*ret_width = width;
		return true;
	}
	return false;
}

int gs_text_width(const char *text)
{
	uint32_t code;
	int width, sum = 0;

	while (next_code(&text, &code, &width))
		sum += width;
	return sum;
}

/* ------------------------------------------------------------------ */
/* drawing */

/* What of @clip lies on the frame, in frame coordinates, half open; 64 bits so that nothing overflows. */
struct window {
	int64_t top, left, bottom, right;
};

static struct window clip_to_frame(const struct gs_frame *f, struct gs_rect clip)
{
	struct window w = { clip.row, clip.column, (int64_t)clip.row + clip.rows, (int64_t)clip.column + clip.columns };

	if (w.top < 0)
		w.top = 0;
	if (w.left < 0)
		w.left = 0;
	if (w.bottom > f->rows)
		w.bottom = f->rows;
	if (w.right > f->columns)
		w.right = f->columns;
	return w;
}

/* Overwriting one half of a wide character leaves a blank in the other. */
static void set_cell(struct gs_frame *f, int64_t row, int64_t column, uint32_t code, enum gs_element el)
{
	struct gs_cell *line = f->cells + row * f->columns;

	if (!line[column].code && column > 0 && line[column - 1].code)
		line[column - 1].code = ' ';
	if (column + 1 < f->columns && !line[column + 1].code)
		line[column + 1].code = ' ';
	line[column] = (struct gs_cell){ .code = code, .element = (uint16_t)el };
}

static void put(struct gs_frame *f, const struct window *w, int64_t row, int64_t column, enum gs_element el, uint32_t code, int width)
{
	bool left, right;

	if (row < w->top || row >= w->bottom)
		return;
	left = column >= w->left && column < w->right;
	right = width == 2 && column + 1 >= w->left && column + 1 < w->right;
	if (f->ascii && code > 0x7e)
		for (int i = 0; i < width; i++) {
			if (i ? right : left)
				set_cell(f, row, column + i, REPLACEMENT, el);
		}
	else if (width == 1) {
		if (left)
			set_cell(f, row, column, code, el);
	} else if (left && right) {
		set_cell(f, row, column, code, el);
		set_cell(f, row, column + 1, 0, el);
	} else if (left) {
		set_cell(f, row, column, ' ', el);
	} else if (right) {
		set_cell(f, row, column + 1, ' ', el);
	}
}

int gs_draw_text(struct gs_frame *f, struct gs_rect clip, int row, int column, enum gs_element el, const char *text)
{
	struct window w = clip_to_frame(f, clip);
	int64_t at = (int64_t)clip.column + column;
	int used = 0, width;
	uint32_t code;

	while (next_code(&text, &code, &width)) {
		put(f, &w, (int64_t)clip.row + row, at + used, el, code, width);
		used += width;
	}
	return used;
}

int gs_draw_printf(struct gs_frame *f, struct gs_rect clip, int row, int column, enum gs_element el, const char *fmt, ...)
{
	char text[SIZE_LIMIT * 4 + 1];  /* no frame shows more */
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	return gs_draw_text(f, clip, row, column, el, text);
}

int gs_draw_fit(struct gs_frame *f, struct gs_rect clip, int row, int column, int width, enum gs_element el, const char *text)
{
	struct window w = clip_to_frame(f, clip);
	int64_t line = (int64_t)clip.row + row, at = (int64_t)clip.column + column;
	int used = 0, one;
	uint32_t code;

	if (width <= 0)
		return 0;
	if (gs_text_width(text) <= width)
		return gs_draw_text(f, clip, row, column, el, text);
	while (next_code(&text, &code, &one) && used + one <= width - 2) {
		put(f, &w, line, at + used, el, code, one);
		used += one;
	}
	for (int dots = 0; dots < 2 && used < width; dots++)
		put(f, &w, line, at + used++, el, '.', 1);
	return used;
}

void gs_draw_code(struct gs_frame *f, struct gs_rect clip, int row, int column, enum gs_element el, uint32_t code)
{
	struct window w = clip_to_frame(f, clip);
	int width;

	if (is_unsafe(code))
		code = REPLACEMENT;
	width = code_width(code);
	if (width)
		put(f, &w, (int64_t)clip.row + row, (int64_t)clip.column + column, el, code, width);
}

/* The part of a rectangle of @clip that can be seen. */
static struct window visible(const struct gs_frame *f, struct gs_rect clip, int row, int column, int rows, int columns)
{
	struct window w = clip_to_frame(f, clip);
	int64_t top = (int64_t)clip.row + row, left = (int64_t)clip.column + column;

	if (top > w.top)
		w.top = top;
	if (left > w.left)
		w.left = left;
	if (top + rows < w.bottom)
		w.bottom = top + rows;
	if (left + columns < w.right)
		w.right = left + columns;
	return w;
}

void gs_draw_fill(struct gs_frame *f, struct gs_rect clip, int row, int column, int rows, int columns, enum gs_element el, uint32_t code)
{
	struct window w = visible(f, clip, row, column, rows, columns);
	int width;

	if (is_unsafe(code))
		code = REPLACEMENT;
	width = code_width(code);
	if (!width)
		return;
	for (int64_t r = w.top; r < w.bottom; r++)
		for (int64_t c = w.left; c < w.right; c += width)
			put(f, &w, r, c, el, code, width);
}

void gs_draw_flag(struct gs_frame *f, struct gs_rect clip, int row, int column, int rows, int columns, enum gs_cell_flag flag)
{
	struct window w = visible(f, clip, row, column, rows, columns);

	for (int64_t r = w.top; r < w.bottom; r++)
		for (int64_t c = w.left; c < w.right; c++)
			f->cells[r * f->columns + c].flags |= (uint16_t)flag;
}

/* ------------------------------------------------------------------ */
/* printing */

static void add_code(struct gs_strbuf *b, uint32_t c)
{
	unsigned char u[4];
	size_t n;

	if (c < 0x80) {
		u[0] = (unsigned char)c;
		n = 1;
	} else if (c < 0x800) {
		u[0] = (unsigned char)(0xc0 | c >> 6);
		u[1] = (unsigned char)(0x80 | (c & 0x3f));
		n = 2;
	} else if (c < 0x10000) {
		u[0] = (unsigned char)(0xe0 | c >> 12);
		u[1] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
		u[2] = (unsigned char)(0x80 | (c & 0x3f));
		n = 3;
	} else {
		u[0] = (unsigned char)(0xf0 | c >> 18);
		u[1] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
		u[2] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
		u[3] = (unsigned char)(0x80 | (c & 0x3f));
		n = 4;
	}
	gs_strbuf_add(b, u, n);
}

char *gs_frame_text(const struct gs_frame *f)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;

	for (int r = 0; r < f->rows; r++) {
		const struct gs_cell *line = f->cells + (size_t)r * (size_t)f->columns;
		int end = f->columns;

		while (end > 0 && line[end - 1].code == ' ')
			end--;
		for (int c = 0; c < end; c++)
			if (line[c].code)
				add_code(&b, line[c].code);
		gs_strbuf_puts(&b, "\n");
	}
	return gs_strbuf_take(&b);
}

/* Golden files depend on these: give a new element a new letter, never move one. */
static char element_letter(unsigned element)
{
	static const char letters[GS_ELEMENT_MAX] = {
		[GS_ELEMENT_TEXT] = '.',
		[GS_ELEMENT_DIM] = ',',
		[GS_ELEMENT_HEADER] = 'H',
		[GS_ELEMENT_HEADER_LIVE] = 'L',
		[GS_ELEMENT_HEADER_SIMULATED] = 'S',
		[GS_ELEMENT_HEADER_WARNING] = 'W',
		[GS_ELEMENT_HEADER_STAGED] = 'G',
		[GS_ELEMENT_RULE] = '-',
		[GS_ELEMENT_TITLE] = 'T',
		[GS_ELEMENT_LIVE] = 'l',
		[GS_ELEMENT_HELD] = 'h',
		[GS_ELEMENT_HIDDEN] = 'i',
		[GS_ELEMENT_FREE] = 'f',
		[GS_ELEMENT_LOST] = '~',
		[GS_ELEMENT_STAGED_NEW] = '+',
		[GS_ELEMENT_STAGED_GONE] = 'x',
		[GS_ELEMENT_CONFLICT] = '!',
		[GS_ELEMENT_GHOST] = '?',
		[GS_ELEMENT_WAITING] = 'w',
		[GS_ELEMENT_METER] = 'm',
		[GS_ELEMENT_HOLDER] = 'p',
		[GS_ELEMENT_BLOCK] = 'B',
		[GS_ELEMENT_CONFIRM] = 'C',
		[GS_ELEMENT_STOPS] = '*',
		[GS_ELEMENT_NOTE] = 'N',
		[GS_ELEMENT_OK] = 'o',
		[GS_ELEMENT_ERROR] = 'E',
		[GS_ELEMENT_KEY] = 'k',
		[GS_ELEMENT_SELECTED] = 's',
		[GS_ELEMENT_INPUT] = '_',
	};

	return element < GS_ELEMENT_MAX && letters[element] ? letters[element] : '\\';
}

/* "cursor 3:12-23" for every run of cells with @flag. */
static void add_flagged(struct gs_strbuf *b, const struct gs_frame *f, enum gs_cell_flag flag, const char *name)
{
	for (int r = 0; r < f->rows; r++) {
		const struct gs_cell *line = f->cells + (size_t)r * (size_t)f->columns;

		for (int c = 0; c < f->columns; c++) {
			int first = c;

			while (c < f->columns && (line[c].flags & flag))
				c++;
			if (c > first)
				gs_strbuf_printf(b, "%s %d:%d-%d\n", name, r, first, c - 1);
		}
	}
}

char *gs_frame_attributes(const struct gs_frame *f)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	bool used[GS_ELEMENT_MAX] = { false };

	for (int r = 0; r < f->rows; r++) {
		const struct gs_cell *line = f->cells + (size_t)r * (size_t)f->columns;
		int end = f->columns;

		while (end > 0 && line[end - 1].element == GS_ELEMENT_TEXT)
			end--;
		for (int c = 0; c < end; c++) {
			char letter = element_letter(line[c].element);

			gs_strbuf_add(&b, &letter, 1);
			if (line[c].element < GS_ELEMENT_MAX)
				used[line[c].element] = true;
		}
		gs_strbuf_puts(&b, "\n");
	}
	add_flagged(&b, f, GS_CELL_CURSOR, "cursor");
	add_flagged(&b, f, GS_CELL_MARKED, "marked");
	for (unsigned el = 0; el < GS_ELEMENT_MAX; el++)
		if (used[el])
			gs_strbuf_printf(&b, "%c %s\n", element_letter(el), gs_element_name((enum gs_element)el));
	return gs_strbuf_take(&b);
}
