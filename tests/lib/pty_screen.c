/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/lib/pty_private.h"

#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"

void gs_pty_size(const struct gs_pty *p, int *ret_rows, int *ret_columns)
{
	*ret_rows = p->rows;
	*ret_columns = p->columns;
}

static void add_code(struct gs_strbuf *b, uint32_t c)
{
	if (c < 0x80)
		gs_strbuf_printf(b, "%c", (int)c);
	else if (c < 0x800)
		gs_strbuf_printf(b, "%c%c", (int)(0xc0 | c >> 6), (int)(0x80 | (c & 0x3f)));
	else if (c < 0x10000)
		gs_strbuf_printf(b, "%c%c%c", (int)(0xe0 | c >> 12), (int)(0x80 | (c >> 6 & 0x3f)), (int)(0x80 | (c & 0x3f)));
	else
		gs_strbuf_printf(b, "%c%c%c%c", (int)(0xf0 | c >> 18), (int)(0x80 | (c >> 12 & 0x3f)),
				 (int)(0x80 | (c >> 6 & 0x3f)), (int)(0x80 | (c & 0x3f)));
}

char *gs_pty_row(struct gs_pty *p, int row)
{
	struct gs_strbuf b = GS_STRBUF_INIT;
	size_t end = 0;

	gs_strbuf_puts(&b, "");
	for (int column = 0; column < p->columns;) {
		struct gs_pty_cell cell;

		if (!gs_pty_cell(p, row, column, &cell))
			break;
		add_code(&b, cell.code);
		if (cell.code != ' ')
			end = b.length;
		column += cell.width;
	}
	if (b.text && !b.failed)
		b.text[end] = '\0';
	return gs_strbuf_take(&b);
}

char *gs_pty_text(struct gs_pty *p)
{
	struct gs_strbuf b = GS_STRBUF_INIT;

	for (int row = 0; row < p->rows; row++) {
		GS_FREE char *text = gs_pty_row(p, row);

		gs_strbuf_puts(&b, text ? text : "");
		gs_strbuf_puts(&b, "\n");
	}
	return gs_strbuf_take(&b);
}

bool gs_pty_contains(struct gs_pty *p, const char *text)
{
	for (int row = 0; row < p->rows; row++) {
		GS_FREE char *line = gs_pty_row(p, row);

		if (line && strstr(line, text))
			return true;
	}
	return false;
}

/* @own: the flag that says that the program chose no colour. */
static int colour_index(const VTermScreen *screen, VTermColor colour, uint8_t own, uint8_t *ret_rgb)
{
	bool is_own = colour.type & own;
	int index = VTERM_COLOR_IS_INDEXED(&colour) ? colour.indexed.idx : -1;

	vterm_screen_convert_color_to_rgb(screen, &colour);
	ret_rgb[0] = colour.rgb.red;
	ret_rgb[1] = colour.rgb.green;
	ret_rgb[2] = colour.rgb.blue;
	return is_own ? -1 : index;
}

bool gs_pty_cell(struct gs_pty *p, int row, int column, struct gs_pty_cell *ret_cell)
{
	VTermScreenCell cell;

	if (row < 0 || column < 0 || row >= p->rows || column >= p->columns ||
	    !vterm_screen_get_cell(p->screen, (VTermPos){ row, column }, &cell))
		return false;
	*ret_cell = (struct gs_pty_cell){
		.code = cell.chars[0] && cell.chars[0] != (uint32_t)-1 ? cell.chars[0] : ' ',
		.width = cell.width > 1 ? 2 : 1,
		.bold = cell.attrs.bold,
		.underline = cell.attrs.underline != VTERM_UNDERLINE_OFF,
		.reverse = cell.attrs.reverse,
	};
	ret_cell->foreground = colour_index(p->screen, cell.fg, VTERM_COLOR_DEFAULT_FG, ret_cell->fg_rgb);
	ret_cell->background = colour_index(p->screen, cell.bg, VTERM_COLOR_DEFAULT_BG, ret_cell->bg_rgb);
	return true;
}

bool gs_pty_is_altscreen(const struct gs_pty *p)
{
	return p->is_altscreen;
}

bool gs_pty_is_cursor_visible(const struct gs_pty *p)
{
	return p->is_cursor_visible;
}

bool gs_pty_mode(const struct gs_pty *p, unsigned mode)
{
	for (size_t i = 0; i < p->n_modes; i++)
		if (p->modes[i].number == mode)
			return p->modes[i].is_on;
	return false;
}

static bool is_termios_restored(const struct gs_pty *p)
{
	struct termios now;

	return tcgetattr(p->slave, &now) == 0 && now.c_iflag == p->termios_before.c_iflag &&
	       now.c_oflag == p->termios_before.c_oflag && now.c_cflag == p->termios_before.c_cflag &&
	       now.c_lflag == p->termios_before.c_lflag && memcmp(now.c_cc, p->termios_before.c_cc, sizeof(now.c_cc)) == 0;
}

const char *gs_pty_leftovers(struct gs_pty *p)
{
	static const unsigned modes[] = { 1, 9, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 2004, 2026 };
	size_t n = 0;

	p->leftovers[0] = '\0';
	if (p->is_altscreen)
		n += (size_t)snprintf(p->leftovers + n, sizeof(p->leftovers) - n, "alternate screen; ");
	if (!p->is_cursor_visible)
		n += (size_t)snprintf(p->leftovers + n, sizeof(p->leftovers) - n, "cursor hidden; ");
	if (!is_termios_restored(p))
		n += (size_t)snprintf(p->leftovers + n, sizeof(p->leftovers) - n, "termios changed; ");
	for (size_t i = 0; i < GS_ARRAY_SIZE(modes); i++)
		if (gs_pty_mode(p, modes[i]))
			n += (size_t)snprintf(p->leftovers + n, sizeof(p->leftovers) - n, "mode %u; ", modes[i]);
	return p->leftovers;
}

bool gs_pty_is_restored(struct gs_pty *p)
{
	return !*gs_pty_leftovers(p);
}

uint64_t gs_pty_bytes(const struct gs_pty *p)
{
	return p->bytes;
}

pid_t gs_pty_pid(const struct gs_pty *p)
{
	return p->pid;
}
