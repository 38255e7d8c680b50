/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * input.h - terminal bytes to events, decoded by us: ncurses loses a press that
 * arrives in one read with a motion, and knows no SGR mouse under tmux
 * (measured; peers (e) 1-4). No curses and no I/O here: bytes in, events out.
 */
#ifndef GS_UI_INPUT_H
#define GS_UI_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gs_event_type { GS_EVENT_KEY, GS_EVENT_MOUSE, GS_EVENT_RESIZE, GS_EVENT_TICK };

/* Characters are their Unicode code; other keys lie above. */
enum gs_key {
	GS_KEY_NONE = 0,
	GS_KEY_TAB = 9,
	GS_KEY_ENTER = 13,
	GS_KEY_ESCAPE = 27,
	GS_KEY_SPACE = 32,
	GS_KEY_BACKSPACE = 127,
	GS_KEY_SPECIAL = 0x110000,
	GS_KEY_UP, GS_KEY_DOWN, GS_KEY_LEFT, GS_KEY_RIGHT,
	GS_KEY_HOME, GS_KEY_END, GS_KEY_PAGE_UP, GS_KEY_PAGE_DOWN,
	GS_KEY_INSERT, GS_KEY_DELETE, GS_KEY_BACKTAB,
	GS_KEY_F1, GS_KEY_F2, GS_KEY_F3, GS_KEY_F4, GS_KEY_F5, GS_KEY_F6,
	GS_KEY_F7, GS_KEY_F8, GS_KEY_F9, GS_KEY_F10, GS_KEY_F11, GS_KEY_F12,
};
#define GS_KEY_CTRL(c) ((c) & 0x1f)

enum gs_mouse_action { GS_MOUSE_PRESS, GS_MOUSE_DRAG, GS_MOUSE_RELEASE, GS_MOUSE_WHEEL_UP, GS_MOUSE_WHEEL_DOWN };

struct gs_event {
	enum gs_event_type type;
	uint32_t key;               /* KEY */
	bool shift, alt, ctrl;
	bool is_pasted;             /* inside a bracketed paste: text, never a command */
	enum gs_mouse_action mouse; /* MOUSE; button 0 left, 1 middle, 2 right */
	int button;
	int row, column;            /* from 0 */
	int rows, columns;          /* RESIZE */
};

struct gs_input;

struct gs_input *gs_input_new(void);
struct gs_input *gs_input_free(struct gs_input *in);

/* Take bytes as they came; any split, any garbage. */
void gs_input_feed(struct gs_input *in, const void *bytes, size_t n);

/*
 * A paste that lost its end mark must not lock the terminal: the reader calls
 * this before it feeds a Ctrl-C that came alone, which is a person's. One in
 * the middle of other bytes is pasted text.
 */
void gs_input_end_paste(struct gs_input *in);

/*
 * The next complete event. False when there is none yet. A lone ESC stays
 * undecided until more bytes come or gs_input_timeout() is called.
 * Understands: UTF-8; CSI and SS3 keys with modifiers in both cursor modes;
 * SGR mouse 1006 (press, drag, release, wheel); X10 mouse; bracketed paste;
 * unknown sequences of any length are swallowed whole and never become keys.
 */
bool gs_input_next(struct gs_input *in, struct gs_event *ret_event);

/* Is a lone ESC (or a cut sequence) waiting? Then poll with a short time-out (25 ms) and call gs_input_timeout(). */
bool gs_input_is_undecided(const struct gs_input *in);
void gs_input_timeout(struct gs_input *in);

#endif
