/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * term2svg - run a program on a terminal, type a script at it, and write what
 * the screen then shows as an SVG picture.
 *
 *	term2svg SCRIPT OUT.svg ROWSxCOLUMNS [NAME=VALUE…] -- PROGRAM [ARG…]
 *
 * A script has one directive a line; # begins a comment:
 *
 *	keys TEXT              \e \r \t \n \\ and \xHH are understood
 *	wait TEXT              until the screen contains it (10 s)
 *	gone TEXT              until it no longer does
 *	mouse press|drag|release ROW COLUMN    from 0, the left button
 *	resize ROWS COLUMNS
 *	quit                   take the picture and end (also the end of the script)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "tests/lib/pty.h"

#define CELL_WIDTH 8.4
#define CELL_HEIGHT 17
#define MARGIN 10
#define FONT_SIZE 14
#define SCRIPT_BYTES_MAX (64u << 10)

/* GitHub's and most terminals' dark look; the programs' own colours come from the emulator's palette. */
static const uint8_t own_fg[3] = { 0xd4, 0xd8, 0xde };
static const uint8_t own_bg[3] = { 0x16, 0x1b, 0x22 };

/* xterm's sixteen are harsh on a picture; softer ones with the same names. */
static const uint8_t palette[16][3] = {
	{ 0x30, 0x36, 0x3d }, { 0xf4, 0x70, 0x67 }, { 0x57, 0xab, 0x5a }, { 0xc6, 0x90, 0x26 },
	{ 0x53, 0x9b, 0xf5 }, { 0xb0, 0x83, 0xf0 }, { 0x39, 0xc5, 0xcf }, { 0x90, 0x9d, 0xab },
	{ 0x63, 0x6e, 0x7b }, { 0xff, 0x93, 0x8a }, { 0x6b, 0xc4, 0x6d }, { 0xda, 0xaa, 0x3f },
	{ 0x6c, 0xb6, 0xff }, { 0xdc, 0xbd, 0xfb }, { 0x56, 0xd4, 0xdd }, { 0xcd, 0xd9, 0xe5 },
};

/* ------------------------------------------------------------------ */
/* the script */

static size_t unescape(char *text)
{
	char *out = text;

	for (const char *p = text; *p; p++) {
		uint32_t code = 0;
		char hex[3] = { 0 };

		if (*p != '\\' || !p[1]) {
			*out++ = *p;
			continue;
		}
		p++;
		switch (*p) {
		case 'e': *out++ = '\033'; break;
		case 'r': *out++ = '\r'; break;
		case 'n': *out++ = '\n'; break;
		case 't': *out++ = '\t'; break;
		case 'x':
			if (p[1] && p[2]) {
				memcpy(hex, p + 1, 2);
				if (gs_parse_u32(hex, 16, &code) == 0) {
					*out++ = (char)code;
					p += 2;
					break;
				}
			}
			*out++ = *p;
			break;
		default: *out++ = *p; break;
		}
	}
	return (size_t)(out - text);
}

static bool two_numbers(const char *text, unsigned *ret_a, unsigned *ret_b)
{
	char rest;

	return sscanf(text, "%u %u %c", ret_a, ret_b, &rest) == 2 && *ret_a <= 1000 && *ret_b <= 1000;
}

static int do_mouse(struct gs_pty *p, const char *what)
{
	unsigned row, column;

	if (gs_str_starts(what, "press ") && two_numbers(what + 6, &row, &column))
		gs_pty_mouse_press(p, (int)row, (int)column, 1);
	else if (gs_str_starts(what, "drag ") && two_numbers(what + 5, &row, &column))
		gs_pty_mouse_move(p, (int)row, (int)column);
	else if (gs_str_starts(what, "release ") && two_numbers(what + 8, &row, &column))
		gs_pty_mouse_release(p, (int)row, (int)column, 1);
	else
		return -EINVAL;
	return 0;
}

/* 0, 1 for «quit», or -errno. */
static int do_line(struct gs_pty *p, char *line)
{
	unsigned rows, columns;

	if (!*line || *line == '#')
		return 0;
	if (gs_str_starts(line, "keys ")) {
		gs_pty_send(p, line + 5, unescape(line + 5));
		return 0;
	}
	if (gs_str_starts(line, "wait "))
		return gs_pty_wait_text(p, line + 5);
	if (gs_str_starts(line, "gone "))
		return gs_pty_wait_gone(p, line + 5);
	if (gs_str_starts(line, "mouse "))
		return do_mouse(p, line + 6);
	if (gs_str_starts(line, "resize ") && two_numbers(line + 7, &rows, &columns) && rows && columns) {
		gs_pty_resize(p, (int)rows, (int)columns);
		return 0;
	}
	return gs_str_equal(line, "quit") ? 1 : -EINVAL;
}

static int do_script(struct gs_pty *p, const char *name, char *text)
{
	unsigned number = 0;

	for (char *line = text; line; number++) {
		char *end = strchr(line, '\n');
		int r;

		if (end)
			*end++ = '\0';
		r = do_line(p, line);
		if (r < 0) {
			GS_FREE char *screen = gs_pty_text(p);

			fprintf(stderr, "%s:%u: %s: %s\nthe screen:\n%s", name, number + 1, line,
				r == -EINVAL ? "no such directive" : r == -EPIPE ? "the program has ended" : "did not happen",
				screen ? screen : "");
			return r;
		}
		if (r > 0)
			break;
		line = end;
	}
	gs_pty_pump(p);
	return 0;
}

/* ------------------------------------------------------------------ */
/* the picture */

struct look {
	uint8_t fg[3], bg[3];
	bool bold, underline;
};

static void choose_rgb(int index, const uint8_t *rgb, const uint8_t *own, uint8_t *ret_rgb)
{
	memcpy(ret_rgb, index < 0 ? own : index < 16 ? palette[index] : rgb, 3);
}

static struct look look_of(const struct gs_pty_cell *cell)
{
	struct look look = { .bold = cell->bold, .underline = cell->underline };

	choose_rgb(cell->foreground, cell->fg_rgb, own_fg, cell->reverse ? look.bg : look.fg);
	choose_rgb(cell->background, cell->bg_rgb, own_bg, cell->reverse ? look.fg : look.bg);
	return look;
}

static bool is_same_look(struct look a, struct look b)
{
	return memcmp(a.fg, b.fg, 3) == 0 && memcmp(a.bg, b.bg, 3) == 0 && a.bold == b.bold && a.underline == b.underline;
}

static void add_escaped(struct gs_strbuf *b, uint32_t code)
{
	if (code == ' ')
		gs_strbuf_puts(b, "&#160;");    /* not every viewer keeps blanks */
	else if (code == '<' || code == '&' || code == '>' || code > 0x7e)
		gs_strbuf_printf(b, "&#%u;", code);
	else
		gs_strbuf_printf(b, "%c", (char)code);
}

/* Cells of one look, from @column on; returns the column after. */
static int add_run(struct gs_strbuf *b, struct gs_pty *p, int row, int column, int columns)
{
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT;
	struct gs_pty_cell cell;
	struct look look;
	int end = column, end_of_text = column, y = MARGIN + row * CELL_HEIGHT;
	double x = MARGIN + column * CELL_WIDTH;
	size_t length = 0;

	gs_pty_cell(p, row, column, &cell);
	look = look_of(&cell);
	do {
		add_escaped(&text, cell.code);
		end += cell.width;
		if (cell.code != ' ' || look.underline) {
			end_of_text = end;
			length = text.length;
		}
		if (end >= columns || !gs_pty_cell(p, row, end, &cell))
			break;
	} while (is_same_look(look_of(&cell), look));
	if (!text.failed)
		text.text[length] = '\0';
	if (memcmp(look.bg, own_bg, 3) != 0)
		gs_strbuf_printf(b, "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#%02x%02x%02x\"/>\n", x, y,
				 (end - column) * CELL_WIDTH, CELL_HEIGHT, look.bg[0], look.bg[1], look.bg[2]);
	if (length)
		gs_strbuf_printf(b, "<text x=\"%.1f\" y=\"%d\" textLength=\"%.1f\" fill=\"#%02x%02x%02x\"%s%s>%s</text>\n", x,
				 y + FONT_SIZE - 1, (end_of_text - column) * CELL_WIDTH, look.fg[0], look.fg[1], look.fg[2],
				 look.bold ? " font-weight=\"bold\"" : "", look.underline ? " text-decoration=\"underline\"" : "", text.text);
	return end;
}

static char *picture(struct gs_pty *p)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	int rows, columns;

	gs_pty_size(p, &rows, &columns);
	gs_strbuf_printf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %d\" font-family=\"'DejaVu Sans Mono',"
			 "Menlo,Consolas,monospace\" font-size=\"%d\" xml:space=\"preserve\">\n",
			 2 * MARGIN + columns * CELL_WIDTH, 2 * MARGIN + rows * CELL_HEIGHT, FONT_SIZE);
	gs_strbuf_printf(&b, "<style>text{white-space:pre}</style>\n<rect width=\"100%%\" height=\"100%%\" rx=\"6\" fill=\"#%02x%02x%02x\"/>\n",
			 own_bg[0], own_bg[1], own_bg[2]);
	for (int row = 0; row < rows; row++)
		for (int column = 0; column < columns;)
			column = add_run(&b, p, row, column, columns);
	gs_strbuf_puts(&b, "</svg>\n");
	return gs_strbuf_take(&b);
}

/* ------------------------------------------------------------------ */

static int usage(void)
{
	fputs("usage: term2svg SCRIPT OUT.svg ROWSxCOLUMNS [NAME=VALUE...] -- PROGRAM [ARG...]\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = NULL;
	struct gs_pty_options options = { 0 };
	GS_FREE char *script = NULL;
	GS_FREE char *svg = NULL;
	struct gs_error e = { 0 };
	unsigned rows, columns;
	char cross, rest;
	size_t n;
	int split = 4;

	while (split < argc && strcmp(argv[split], "--"))
		split++;
	if (argc < 6 || split + 1 >= argc || sscanf(argv[3], "%u%c%u%c", &rows, &cross, &columns, &rest) != 3 || cross != 'x' ||
	    rows < 1 || rows > 500 || columns < 2 || columns > 500)
		return usage();
	argv[split] = NULL;     /* ends the environment */
	options.env = (const char *const *)(argv + 4);
	options.argv = (const char *const *)(argv + split + 1);
	options.rows = (int)rows;
	options.columns = (int)columns;
	if (gs_file_read(argv[1], SCRIPT_BYTES_MAX, &script, &n, &e) < 0) {
		fprintf(stderr, "term2svg: %s\n", e.text);
		return 1;
	}
	if (gs_pty_spawn(&options, &p) < 0 || do_script(p, argv[1], script) < 0)
		return 1;
	svg = picture(p);
	if (!svg || gs_file_replace(argv[2], svg, strlen(svg), 0, &e) < 0) {
		fprintf(stderr, "term2svg: %s\n", svg ? e.text : "no memory");
		return 1;
	}
	return 0;
}
