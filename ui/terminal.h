/* SPDX-License-Identifier: GPL-2.0-or-later */
/* terminal.h - what ui/screen.c needs of the tty and of signals that is no business of curses. */
#ifndef GS_UI_TERMINAL_H
#define GS_UI_TERMINAL_H

#include <signal.h>
#include <termios.h>

#include "ui/input.h"

#define GS_TERMINAL_SIZE_MAX 1000       /* rows and columns of a frame */

#define GS_CURSES_SIGNALS 4

/* Signals that are read, in their turn, instead of interrupting. fd is -1 while it is closed. */
struct gs_signal_queue {
	int fd;
	sigset_t mask_before;
	struct sigaction before[GS_CURSES_SIGNALS];     /* of those that newterm() takes for itself */
};

/* Before newterm(). 0 or -errno. */
int gs_signal_queue_open(struct gs_signal_queue *q);
void gs_signal_queue_close(struct gs_signal_queue *q);
/* The next signal, 0 when there is none. */
int gs_signal_queue_next(struct gs_signal_queue *q);
/* What was typed at another program meanwhile (Ctrl-C at sudo's question) was not meant for us. */
void gs_signals_forget_typed(void);

/* At least 1x1, at most GS_TERMINAL_SIZE_MAX; 24x80 when the terminal does not know. */
void gs_terminal_size(int fd, int *ret_rows, int *ret_columns);

/* Every byte as it was sent, Ctrl-S and Ctrl-M too. */
void gs_terminal_make_raw(struct termios *t);

/* As gs_screen_read(). */
int gs_terminal_read(int fd, struct gs_input *in);

/* The nearest of the eight colours that every colour terminal has, for xterm's 16-255. */
int gs_colour_of_eight(int colour);

#endif
