/* SPDX-License-Identifier: GPL-2.0-or-later */
/* console_once.c - one frame as text, for scripts, tickets and people who look over somebody's shoulder. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "ui/console_internal.h"

#define ROWS 30
#define COLUMNS 100
#define SNAPSHOT_MS 30000

static int from_environment(const char *name, int otherwise)
{
	const char *text = getenv(name);
	uint32_t n;

	return text && gs_parse_u32(text, 10, &n) == 0 && n > 0 && n <= 1000 ? (int)n : otherwise;
}

static void choose_size(struct gs_console *c, int fd)
{
	struct winsize size;

	c->rows = c->options->rows;
	c->columns = c->options->columns;
	if (c->rows > 0 && c->columns > 0)
		return;
	c->rows = ROWS;
	c->columns = COLUMNS;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col) {
		c->rows = size.ws_row;
		c->columns = size.ws_col;
	}
	c->rows = from_environment("LINES", c->rows);
	c->columns = from_environment("COLUMNS", c->columns);
}

/* A cut picture would be taken for a whole one. */
static int check_size(const struct gs_console *c, struct gs_error *e)
{
	if (c->rows >= GS_ROWS_MIN && c->columns >= GS_COLUMNS_MIN)
		return 0;
	return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "too small: a picture takes %dx%d (rows x columns) at least, this is %dx%d",
			    GS_ROWS_MIN, GS_COLUMNS_MIN, c->rows, c->columns);
}

static void add_colour(struct gs_strbuf *b, int colour, int normal, int bright, int extended)
{
	if (colour < 0)
		return;
	if (colour < 8)
		gs_strbuf_printf(b, ";%d", normal + colour);
	else if (colour < 16)
		gs_strbuf_printf(b, ";%d", bright + colour - 8);
	else
		gs_strbuf_printf(b, ";%d;5;%d", extended, colour);
}

static void add_style(struct gs_strbuf *b, const struct gs_style *s, unsigned flags)
{
	gs_strbuf_puts(b, "\033[0");
	if (s->bold)
		gs_strbuf_puts(b, ";1");
	if (s->dim)
		gs_strbuf_puts(b, ";2");
	if (s->underline)
		gs_strbuf_puts(b, ";4");
	if (s->reverse != !!(flags & GS_CELL_CURSOR))
		gs_strbuf_puts(b, ";7");
	add_colour(b, s->foreground, 30, 90, 38);
	add_colour(b, s->background, 40, 100, 48);
	gs_strbuf_puts(b, "m");
}

static void add_code(struct gs_strbuf *b, uint32_t code)
{
	char out[4];
	size_t n = 0;

	if (code < 0x80) {
		out[n++] = (char)(code ? code : ' ');
	} else if (code < 0x800) {
		out[n++] = (char)(0xc0 | code >> 6);
	} else if (code < 0x10000) {
		out[n++] = (char)(0xe0 | code >> 12);
		out[n++] = (char)(0x80 | (code >> 6 & 0x3f));
	} else {
		out[n++] = (char)(0xf0 | code >> 18);
		out[n++] = (char)(0x80 | (code >> 12 & 0x3f));
		out[n++] = (char)(0x80 | (code >> 6 & 0x3f));
	}
	if (code >= 0x80)
		out[n++] = (char)(0x80 | (code & 0x3f));
	gs_strbuf_add(b, out, n);
}

static char *coloured(const struct gs_frame *f, const struct gs_theme *theme)
{
	struct gs_strbuf b = GS_STRBUF_INIT;

	for (int row = 0; row < f->rows; row++) {
		const struct gs_cell *cells = &f->cells[(size_t)row * (size_t)f->columns];
		unsigned element = GS_ELEMENT_MAX, flags = 0;

		for (int column = 0; column < f->columns; column++) {
			const struct gs_cell *cell = &cells[column];

			/* The right half of a wide character has been drawn with the left one. */
			if (!cell->code)
				continue;
			if (cell->element < GS_ELEMENT_MAX && (cell->element != element || cell->flags != flags)) {
				element = cell->element;
				flags = cell->flags;
				add_style(&b, &theme->styles[element], flags);
			}
			add_code(&b, cell->code);
		}
		gs_strbuf_puts(&b, "\033[0m\n");
	}
	return gs_strbuf_take(&b);
}

static char *plain(const struct gs_frame *f)
{
	GS_FREE char *text = gs_frame_text(f);
	struct gs_strbuf b = GS_STRBUF_INIT;

	if (!text)
		return NULL;
	gs_strbuf_puts(&b, text);
	if (!b.length || b.text[b.length - 1] != '\n')
		gs_strbuf_puts(&b, "\n");
	return gs_strbuf_take(&b);
}

static int print_frame(struct gs_console *c, int fd, struct gs_error *e)
{
	GS_CLEANUP(gs_theme_freep) struct gs_theme *theme = NULL;
	GS_FREE char *text = NULL;
	struct gs_frame *f = gs_console_draw(c);
	int rc;

	if (!f)
		return gs_error_oom(e);
	if (c->options->colour) {
		rc = gs_theme_load(c->options->theme ? c->options->theme : "default", &theme, e);
		if (rc < 0)
			return rc;
	}
	text = theme ? coloured(f, theme) : plain(f);
	if (!text)
		return gs_error_oom(e);
	rc = gs_fd_write_all(fd, text, strlen(text));
	/* «monitor --once | head» is no failure. */
	if (rc < 0 && rc != -EPIPE)
		return gs_error_set(e, rc, GS_STATUS_FAILED, "cannot write the frame: %s", strerror(-rc));
	return 0;
}

int gs_console_once(struct gs_session *session, const struct gs_console_options *options, int fd, struct gs_error *e)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	struct gs_error local = { 0 };
	struct gs_console c;
	int rc;

	e = e ? e : &local;
	rc = gs_console_start(&c, session, options, e);
	if (rc >= 0) {
		choose_size(&c, fd);
		rc = check_size(&c, e);
	}
	if (rc >= 0)
		rc = gs_session_snapshot(c.session, true, SNAPSHOT_MS, &s, e);
	if (rc >= 0)
		rc = gs_model_set_snapshot(c.m, s, e);
	if (rc >= 0)
		rc = print_frame(&c, fd, e);
	gs_console_end(&c);
	if (rc >= 0)
		return GS_STATUS_OK;
	return e->status != GS_STATUS_OK ? (int)e->status : GS_STATUS_FAILED;
}
