/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * screen.h - the terminal: the only file that includes curses. Shows frames
 * (curses sends only what differs), reads raw bytes for ui/input.h, and gives
 * the terminal back on every way out: exit, error, signal, crash, suspend.
 */
#ifndef GS_UI_SCREEN_H
#define GS_UI_SCREEN_H

#include "ui/frame.h"
#include "ui/input.h"

struct gs_screen;

struct gs_screen_options {
	int fd_in, fd_out;              /* a terminal */
	const struct gs_theme *theme;   /* borrowed */
	bool colour;                    /* false: attributes only (NO_COLOR, --color=never) */
	bool mouse;
};

/*
 * Take the terminal: raw mode, alternate screen, mouse 1002+1006, bracketed
 * paste. An unknown TERM falls back to xterm-256color, then vt100. Installs
 * handlers for SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT that give the terminal back and die by the
 * same signal. SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGCONT and
 * SIGTSTP are delivered through gs_screen_signal_fd(). Only one at a time.
 */
int gs_screen_open(const struct gs_screen_options *options, struct gs_screen **ret_screen, struct gs_error *e);
struct gs_screen *gs_screen_close(struct gs_screen *s);
GS_DEFINE_CLEANUP(struct gs_screen *, gs_screen_close);

/* Give the terminal back for a while (sudo's question, Ctrl-Z) and take it again; the next frame is painted whole. */
void gs_screen_suspend(struct gs_screen *s);
int gs_screen_resume(struct gs_screen *s);

/* Paint @f; its size must be the screen's. Bytes go out only for cells that differ. With @whole everything is sent (Ctrl-L). */
void gs_screen_show(struct gs_screen *s, const struct gs_frame *f, bool whole);

/* Size now; after SIGWINCH call gs_screen_resized() first. */
void gs_screen_size(const struct gs_screen *s, int *ret_rows, int *ret_columns);
void gs_screen_resized(struct gs_screen *s);

int gs_screen_fd(const struct gs_screen *s);
/* signalfd; read it with gs_screen_signal(): the signal number, 0 when there is none. */
int gs_screen_signal_fd(const struct gs_screen *s);
int gs_screen_signal(struct gs_screen *s);
/* Bytes from the terminal into @in; 0, -EAGAIN, or -EPIPE when the terminal has gone. */
int gs_screen_read(struct gs_screen *s, struct gs_input *in);

/* UTF-8 locale? (setlocale must have been called.) */
bool gs_locale_is_utf8(void);

#endif
