/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pty.h - a program on a pseudo-terminal, watched through a terminal emulator
 * (libvterm). Waiting is always for something to be seen, with a deadline;
 * never for time to pass. Needs no test framework.
 */
#ifndef GS_TESTS_LIB_PTY_H
#define GS_TESTS_LIB_PTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"

/* Long, because a busy machine or valgrind may be slow; a test that passes never waits this long. */
#define GS_PTY_DEADLINE_MS 10000

struct gs_pty;

struct gs_pty_options {
	/* Either a program … */
	const char *const *argv;        /* NULL-terminated; argv[0] is looked up in PATH */
	const char *const *env;         /* "NAME=VALUE", NULL-terminated, on top of the caller's; "NAME" alone unsets */
	/* … or a function in a forked child; what it returns is the exit status. */
	int (*child)(void *userdata);
	void *userdata;
	int rows, columns;              /* 0: 24 x 80 */
	/* TERM is xterm-256color unless @env says otherwise, LANG and LC_ALL are C.UTF-8. */
};

/* 0 or -errno. The caller owns the pty. */
int gs_pty_spawn(const struct gs_pty_options *options, struct gs_pty **ret_pty);
/* Ends the child with SIGKILL when it still runs. */
struct gs_pty *gs_pty_close(struct gs_pty *p);
GS_DEFINE_CLEANUP(struct gs_pty *, gs_pty_close);

/* ---- what a person does ---- */

void gs_pty_send(struct gs_pty *p, const void *bytes, size_t n);
void gs_pty_keys(struct gs_pty *p, const char *text);

/*
 * As a terminal does it: bytes are sent only when the program has switched the
 * mouse on, in the encoding that it asked for. From 0. @button 1 left, 2
 * middle, 3 right, 4 and 5 the wheel.
 */
void gs_pty_mouse_press(struct gs_pty *p, int row, int column, int button);
void gs_pty_mouse_move(struct gs_pty *p, int row, int column);
void gs_pty_mouse_release(struct gs_pty *p, int row, int column, int button);
/* The window changes: emulator, kernel, SIGWINCH. */
void gs_pty_resize(struct gs_pty *p, int rows, int columns);
/* The kernel's idea of the size only; 0 x 0 is what serial lines have. */
void gs_pty_set_winsize(struct gs_pty *p, int rows, int columns);
/* The line drops: the master end is closed. Only gs_pty_wait_exit() and close are possible after. */
void gs_pty_hangup(struct gs_pty *p);

/* Text that somebody else writes onto the terminal (a kernel message); the program does not see it. */
void gs_pty_disturb(struct gs_pty *p, const char *text);

/* ---- waiting: 0, -ETIMEDOUT, or -EPIPE when the child ended first ---- */

int gs_pty_wait(struct gs_pty *p, bool (*is_so)(struct gs_pty *p, void *userdata), void *userdata, int deadline_ms);
/* A row of the screen contains @text. */
int gs_pty_wait_text(struct gs_pty *p, const char *text);
/* No row contains @text. */
int gs_pty_wait_gone(struct gs_pty *p, const char *text);
/* The child ends: *@ret_status as from waitpid(). */
int gs_pty_wait_exit(struct gs_pty *p, int *ret_status);
/* The child is stopped (Ctrl-Z). */
int gs_pty_wait_stopped(struct gs_pty *p);

/* Take what has been written so far, without waiting. */
void gs_pty_pump(struct gs_pty *p);

/* ---- what is seen ---- */

void gs_pty_size(const struct gs_pty *p, int *ret_rows, int *ret_columns);
/* The whole screen, trailing blanks cut, a newline after each row; the caller frees. */
char *gs_pty_text(struct gs_pty *p);
char *gs_pty_row(struct gs_pty *p, int row);
bool gs_pty_contains(struct gs_pty *p, const char *text);

struct gs_pty_cell {
	uint32_t code;                  /* ' ' when empty */
	int width;                      /* 1 or 2 */
	bool bold, underline, reverse;  /* this emulator knows no dim */
	int foreground, background;     /* palette index, -1: the terminal's own */
	uint8_t fg_rgb[3], bg_rgb[3];   /* what the index stands for; not for -1 */
};
/* False outside the screen. */
bool gs_pty_cell(struct gs_pty *p, int row, int column, struct gs_pty_cell *ret_cell);

bool gs_pty_is_altscreen(const struct gs_pty *p);
bool gs_pty_is_cursor_visible(const struct gs_pty *p);
/* Is the DEC private mode on (1002, 1006, 2004…)? As last set by the program. */
bool gs_pty_mode(const struct gs_pty *p, unsigned mode);
/* Alternate screen, mouse and paste modes off, cursor on, and the line settings as before the start. */
bool gs_pty_is_restored(struct gs_pty *p);
/* The same in words, for a failing test: what is not as before; "" when all is. Valid until the next call. */
const char *gs_pty_leftovers(struct gs_pty *p);

/* Bytes that the program has written since the start. */
uint64_t gs_pty_bytes(const struct gs_pty *p);
pid_t gs_pty_pid(const struct gs_pty *p);

#endif
