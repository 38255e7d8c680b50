/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console.c - the terminal loop: keys, signals, the agent, a timer. It never
 * waits for the agent, and shows at most one frame a turn, none when nothing
 * on it can have changed.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ui/console_internal.h"
#include "ui/control_internal.h"

/* After a lone ESC: long enough for the rest of a sequence over SSH, too short to be felt. */
#define ESCAPE_MS 25
#define TICK_MS 1000

enum { FD_TERMINAL, FD_SIGNAL, FD_AGENT, FD_MAX };

static void on_signal(struct gs_console *c, int number)
{
	struct gs_event ev = { 0 };

	switch (number) {
	case SIGWINCH:
		gs_screen_resized(c->screen);
		gs_screen_size(c->screen, &c->rows, &c->columns);
		ev = (struct gs_event){ .type = GS_EVENT_RESIZE, .rows = c->rows, .columns = c->columns };
		gs_console_event(c, &ev);
		c->whole = true;
		break;
	case SIGINT:
		ev = (struct gs_event){ .type = GS_EVENT_KEY, .key = GS_KEY_CTRL('c') };
		gs_console_event(c, &ev);
		break;
	case SIGTSTP:
		ev = (struct gs_event){ .type = GS_EVENT_KEY, .key = GS_KEY_CTRL('z') };
		gs_console_event(c, &ev);
		break;
	case SIGCONT:
		c->whole = c->dirty = true;
		break;
	case SIGTERM:
	case SIGHUP:
	case SIGQUIT:
		gs_console_rescue(c);
		c->quit = true;
		break;
	default:
		break;
	}
}

static int time_out(const struct gs_console *c)
{
	if (gs_input_is_undecided(c->input))
		return ESCAPE_MS;
	return gs_control_shows_time(c->m) ? TICK_MS - (int)(c->m->wall.ms % TICK_MS) : -1;
}

static void on_time_out(struct gs_console *c)
{
	struct gs_event tick = { .type = GS_EVENT_TICK };

	if (gs_input_is_undecided(c->input)) {
		gs_input_timeout(c->input);
		gs_console_events(c);
		return;
	}
	gs_console_event(c, &tick);
}

static int wait_for_something(struct gs_console *c, struct pollfd fds[FD_MAX])
{
	int n;

	fds[FD_TERMINAL] = (struct pollfd){ .fd = gs_screen_fd(c->screen), .events = POLLIN };
	fds[FD_SIGNAL] = (struct pollfd){ .fd = gs_screen_signal_fd(c->screen), .events = POLLIN };
	fds[FD_AGENT] = (struct pollfd){ .fd = c->m->agent_gone ? -1 : gs_session_fd(c->session), .events = POLLIN };
	if (!c->m->agent_gone && gs_session_wants_write(c->session))
		fds[FD_AGENT].events |= POLLOUT;
	n = poll(fds, FD_MAX, time_out(c));
	return n < 0 ? -errno : n;
}

static void turn(struct gs_console *c)
{
	struct pollfd fds[FD_MAX];
	int number, n;

	if (c->dirty || c->whole) {
		struct gs_frame *f = gs_console_draw(c);

		if (f)
			gs_screen_show(c->screen, f, c->whole);
		c->dirty = c->whole = false;
	}
	n = wait_for_something(c, fds);
	if (n == -EINTR)
		return;
	if (n < 0) {
		c->quit = true;
		return;
	}
	gs_console_clock(c);
	if (!n)
		on_time_out(c);
	if (fds[FD_SIGNAL].revents)
		while ((number = gs_screen_signal(c->screen)) > 0)
			on_signal(c, number);
	if (fds[FD_AGENT].revents)
		gs_console_dispatch(c);
	if (fds[FD_TERMINAL].revents) {
		if (gs_screen_read(c->screen, c->input) == -EPIPE) {
			gs_console_rescue(c);
			c->quit = true;
			return;
		}
		gs_console_events(c);
	}
}

static int load_theme(const struct gs_console_options *o, struct gs_theme **ret_theme, struct gs_error *e)
{
	return gs_theme_load(o->theme ? o->theme : o->colour ? "default" : "mono", ret_theme, e);
}

static int run_on_terminal(struct gs_console *c, struct gs_error *e)
{
	GS_CLEANUP(gs_theme_freep) struct gs_theme *theme = NULL;
	struct gs_screen_options how = { .fd_in = STDIN_FILENO, .fd_out = STDOUT_FILENO, .colour = c->options->colour, .mouse = c->options->mouse };
	int rc = load_theme(c->options, &theme, e);

	if (rc < 0)
		return rc;
	how.theme = theme;
	rc = gs_screen_open(&how, &c->screen, e);
	if (rc < 0)
		return rc;
	gs_screen_size(c->screen, &c->rows, &c->columns);
	rc = gs_console_watch(c, e);
	/* Answers that came with hello are in the session already, where poll does not see them. */
	if (rc >= 0)
		gs_console_dispatch(c);
	while (rc >= 0 && !c->quit)
		turn(c);
	/* The screen borrows the theme. */
	c->screen = gs_screen_close(c->screen);
	return rc;
}

int gs_console_run(struct gs_session *session, const struct gs_console_options *options, struct gs_error *e)
{
	struct gs_error local = { 0 };
	struct gs_console c;
	int rc;

	e = e ? e : &local;
	rc = gs_console_start(&c, session, options, e);
	if (rc >= 0)
		rc = options->script ? gs_headless_run(&c, e) : run_on_terminal(&c, e);
	gs_console_end(&c);
	if (rc >= 0)
		return GS_STATUS_OK;
	return e->status != GS_STATUS_OK ? (int)e->status : GS_STATUS_FAILED;
}
