/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame.h - a screen in memory: cells of a character and a theme element.
 * Every view draws into a frame; ui/screen.c shows frames through curses,
 * `monitor --once` and the tests print them. No curses here.
 */
#ifndef GS_UI_FRAME_H
#define GS_UI_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "ui/theme.h"

struct gs_cell {
	uint32_t code;              /* Unicode; 0: right half of a wide character */
	uint16_t element;           /* enum gs_element */
	uint16_t flags;             /* enum gs_cell_flag: change the look of any element */
};

enum gs_cell_flag {
	GS_CELL_CURSOR = 1 << 0,    /* the thing under the cursor: reverse */
	GS_CELL_MARKED = 1 << 1,
};

struct gs_rect {
	int row, column, rows, columns;
};

struct gs_frame {
	int rows, columns;
	struct gs_cell *cells;      /* rows * columns */
	int cursor_row, cursor_column;  /* terminal cursor; -1: hidden */
	bool ascii;                 /* what is not ASCII is drawn as '?' of the same width (names of devices and people may be anything) */
};

/* Blank. -ENOMEM, -EINVAL for a size under 1x1 or over 1000x1000. The caller owns it. */
int gs_frame_new(int rows, int columns, struct gs_frame **ret_frame);
struct gs_frame *gs_frame_free(struct gs_frame *f);
GS_DEFINE_CLEANUP(struct gs_frame *, gs_frame_free);
void gs_frame_clear(struct gs_frame *f);

/*
 * All drawing is clipped to @clip (and the frame); positions are relative to
 * it. Text is sanitised: control characters and malformed UTF-8 become '?',
 * combining marks are left out. Returns the columns that the whole text takes,
 * clipped or not, so that «column += gs_draw_text(…)» stays right.
 */
int gs_draw_text(struct gs_frame *f, struct gs_rect clip, int row, int column, enum gs_element el, const char *text);
int gs_draw_printf(struct gs_frame *f, struct gs_rect clip, int row, int column, enum gs_element el, const char *fmt, ...) GS_PRINTF(6, 7);
/* At most @width columns; a text that is longer ends in "..". Returns the columns used. */
int gs_draw_fit(struct gs_frame *f, struct gs_rect clip, int row, int column, int width, enum gs_element el, const char *text);
void gs_draw_code(struct gs_frame *f, struct gs_rect clip, int row, int column, enum gs_element el, uint32_t code);
void gs_draw_fill(struct gs_frame *f, struct gs_rect clip, int row, int column, int rows, int columns, enum gs_element el, uint32_t code);
/* Add a flag to cells that are drawn already. */
void gs_draw_flag(struct gs_frame *f, struct gs_rect clip, int row, int column, int rows, int columns, enum gs_cell_flag flag);

/* Columns that @text takes on a terminal. */
int gs_text_width(const char *text);

/* Text of a frame: a newline after each row, trailing blanks cut; the caller frees. */
char *gs_frame_text(const struct gs_frame *f);
/*
 * A second grid of the same shape with one letter per cell for its element,
 * then the flagged spans and a legend of the letters used: for golden files.
 * The letter of an element never changes.
 */
char *gs_frame_attributes(const struct gs_frame *f);

#endif
