/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * headless.c - the console without a terminal, driven by a file: for tests,
 * demonstrations and records of how something was done.
 *
 *	keys TEXT               \e \r \n \t \b \\ \s (blank) \xNN; a line of keys is one read of a terminal
 *	wait TEXT               until the frame contains it, 10 s at most
 *	mouse press|drag|release|up|down ROW COLUMN     from 0
 *	resize ROWS COLUMNS
 *	show                    the frame as text
 *	attributes              the frame as a grid of elements
 *	quit
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "ui/console_internal.h"
#include "ui/view.h"

#define WAIT_MS 10000

struct headless {
	struct gs_console *c;
	const char *name;
	unsigned line;
};

static int wrong(const struct headless *h, struct gs_error *e, const char *what)
{
	struct gs_position pos = { .file = h->name, .line = h->line };

	return gs_error_at(e, -EINVAL, &pos, "%s", what);
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* In place; the length, which may contain NULs, or -EINVAL. */
static ssize_t unescape(char *s)
{
	char *to = s;

	for (const char *from = s; *from; from++) {
		if (*from != '\\') {
			*to++ = *from;
			continue;
		}
		switch (*++from) {
		case 'e': *to++ = '\033'; break;
		case 'r': *to++ = '\r'; break;
		case 'n': *to++ = '\n'; break;
		case 't': *to++ = '\t'; break;
		case 'b': *to++ = '\x7f'; break;
		case 's': *to++ = ' '; break;
		case '\\': *to++ = '\\'; break;
		case 'x':
			if (hex(from[1]) < 0 || hex(from[2]) < 0)
				return -EINVAL;
			*to++ = (char)(hex(from[1]) << 4 | hex(from[2]));
			from += 2;
			break;
		default:
			return -EINVAL;
		}
	}
	return to - s;
}

static int poll_agent(struct gs_console *c, int timeout_ms)
{
	struct pollfd fd = { .fd = gs_session_fd(c->session), .events = POLLIN };
	int n;

	if (c->m->agent_gone)
		return -EPIPE;
	if (gs_session_wants_write(c->session))
		fd.events |= POLLOUT;
	n = poll(&fd, 1, timeout_ms);
	if (n < 0 && errno != EINTR)
		return -errno;
	gs_console_dispatch(c);
	return 0;
}

static int wait_for(struct headless *h, const char *text, struct gs_error *e)
{
	struct gs_monotonic start = gs_monotonic_now();

	for (;;) {
		struct gs_frame *f = gs_console_draw(h->c);
		GS_FREE char *shown = f ? gs_frame_text(f) : NULL;
		int64_t left = WAIT_MS - gs_elapsed_ms(start);

		if (!shown)
			return gs_error_oom(e);
		if (strstr(shown, text))
			return 0;
		if (left <= 0 || poll_agent(h->c, left > 100 ? 100 : (int)left) < 0) {
			struct gs_position pos = { .file = h->name, .line = h->line };

			/* the picture goes where shown frames go: an error is one line */
			fputs(shown, stdout);
			gs_error_at(e, -ETIMEDOUT, &pos, "\"%s\" did not appear in %d s; the screen is on standard output", text, WAIT_MS / 1000);
			if (e)
				e->status = GS_STATUS_FAILED;
			return -ETIMEDOUT;
		}
		gs_console_clock(h->c);
	}
}

static int keys(struct headless *h, char *text, struct gs_error *e)
{
	ssize_t n = unescape(text);

	if (n < 0)
		return wrong(h, e, "a backslash stands before e, r, n, t, b, s, \\ or xNN");
	gs_input_feed(h->c->input, text, (size_t)n);
	gs_console_events(h->c);
	/* The end of a line is the end of a read: nothing more comes for a lone ESC. */
	if (gs_input_is_undecided(h->c->input))
		gs_input_timeout(h->c->input);
	gs_console_events(h->c);
	return 0;
}

static bool two_numbers(const char *text, int *ret_a, int *ret_b)
{
	size_t n = strcspn(text, " ");
	char a[16];
	uint32_t x, y;

	if (!text[n] || n >= sizeof(a))
		return false;
	memcpy(a, text, n);
	a[n] = '\0';
	if (gs_parse_u32(a, 10, &x) < 0 || gs_parse_u32(text + n + 1, 10, &y) < 0 || x > 1000 || y > 1000)
		return false;
	*ret_a = (int)x;
	*ret_b = (int)y;
	return true;
}

static int mouse(struct headless *h, const char *text, struct gs_error *e)
{
	static const struct { const char *word; enum gs_mouse_action action; } words[] = {
		{ "press", GS_MOUSE_PRESS }, { "drag", GS_MOUSE_DRAG }, { "release", GS_MOUSE_RELEASE },
		{ "up", GS_MOUSE_WHEEL_UP }, { "down", GS_MOUSE_WHEEL_DOWN },
	};
	size_t n = strcspn(text, " ");

	for (size_t i = 0; i < GS_ARRAY_SIZE(words); i++) {
		struct gs_event ev = { .type = GS_EVENT_MOUSE, .mouse = words[i].action };

		if (n != strlen(words[i].word) || strncmp(text, words[i].word, n))
			continue;
		if (!two_numbers(text + n, &ev.row, &ev.column))
			break;
		gs_console_event(h->c, &ev);
		return 0;
	}
	return wrong(h, e, "mouse press|drag|release|up|down ROW COLUMN");
}

static int resize(struct headless *h, const char *text, struct gs_error *e)
{
	struct gs_event ev = { .type = GS_EVENT_RESIZE };

	if (!two_numbers(text, &ev.rows, &ev.columns) || !ev.rows || !ev.columns)
		return wrong(h, e, "resize ROWS COLUMNS");
	h->c->rows = ev.rows;
	h->c->columns = ev.columns;
	gs_console_event(h->c, &ev);
	return 0;
}

static int show(struct headless *h, bool attributes, struct gs_error *e)
{
	struct gs_frame *f = gs_console_draw(h->c);
	GS_FREE char *text = f ? attributes ? gs_frame_attributes(f) : gs_frame_text(f) : NULL;

	if (!text)
		return gs_error_oom(e);
	if (fputs(text, stdout) < 0 || (*text && text[strlen(text) - 1] != '\n' && putchar('\n') < 0) || fflush(stdout) != 0)
		return gs_error_set(e, -EIO, GS_STATUS_FAILED, "cannot write to standard output");
	return 0;
}

static int directive(struct headless *h, char *line, struct gs_error *e)
{
	size_t n = strcspn(line, " \t");
	char *rest = line + n + (line[n] != '\0');

	line[n] = '\0';
	if (!*line || *line == '#')
		return 0;
	/* What the agent has said meanwhile belongs to the picture that this line is about. */
	if (!h->c->m->agent_gone)
		poll_agent(h->c, 0);
	if (!strcmp(line, "keys"))
		return keys(h, rest, e);
	if (!strcmp(line, "wait"))
		return *rest ? wait_for(h, rest, e) : wrong(h, e, "wait TEXT");
	if (!strcmp(line, "mouse"))
		return mouse(h, rest, e);
	if (!strcmp(line, "resize"))
		return resize(h, rest, e);
	if (!strcmp(line, "show"))
		return show(h, false, e);
	if (!strcmp(line, "attributes"))
		return show(h, true, e);
	if (!strcmp(line, "quit")) {
		h->c->quit = true;
		return 0;
	}
	return wrong(h, e, "one of keys, wait, mouse, resize, show, attributes, quit is needed here");
}

int gs_headless_run(struct gs_console *c, struct gs_error *e)
{
	struct headless h = { .c = c, .name = c->options->script };
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	GS_FREE char *text = NULL;
	size_t n;
	int rc = gs_file_read(c->options->script, GS_INPUT_BYTES_MAX, &text, &n, e);

	if (rc < 0)
		return rc;
	c->rows = c->options->rows > 0 ? c->options->rows : 30;
	c->columns = c->options->columns > 0 ? c->options->columns : 100;
	/* The first look is waited for, so that the first key always meets the same screen. */
	rc = gs_session_snapshot(c->session, true, WAIT_MS, &s, e);
	if (rc >= 0)
		rc = gs_model_set_snapshot(c->m, s, e);
	if (rc >= 0)
		rc = gs_console_watch(c, e);
	for (char *line = text, *next; rc >= 0 && line && *line && !c->quit; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		h.line++;
		rc = directive(&h, line, e);
	}
	return rc;
}
