/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * theme.h - what things look like, by name. Drawing code says what a cell *is*
 * (an element); a theme file says its colour; a glyph set says the character.
 * Nothing is told by colour alone.
 */
#ifndef GS_UI_THEME_H
#define GS_UI_THEME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

#define GS_ELEMENTS(X) \
	X(TEXT, "text", "ordinary text") \
	X(DIM, "dim", "what matters less") \
	X(HEADER, "header", "the first line") \
	X(HEADER_LIVE, "header-live", "the word LIVE") \
	X(HEADER_SIMULATED, "header-simulated", "the words SIMULATED and RECORDED") \
	X(HEADER_WARNING, "header-warning", "READ-ONLY, PARTIAL VIEW, UNWRITTEN") \
	X(HEADER_STAGED, "header-staged", "STAGED +n -m") \
	X(RULE, "rule", "lines between regions") \
	X(TITLE, "title", "titles in those lines") \
	X(LIVE, "live", "an instance that nobody holds") \
	X(HELD, "held", "an instance that somebody holds") \
	X(HIDDEN, "hidden", "held or not cannot be seen, place unknown") \
	X(FREE, "free", "free units") \
	X(LOST, "lost", "free, but no profile reaches it") \
	X(STAGED_NEW, "staged-new", "staged creation") \
	X(STAGED_GONE, "staged-gone", "staged deletion") \
	X(CONFLICT, "conflict", "in the way of the selection") \
	X(GHOST, "ghost", "the selection") \
	X(WAITING, "waiting", "waiting in a driver") \
	X(METER, "meter", "filled part of a meter") \
	X(HOLDER, "holder", "names of holders") \
	X(BLOCK, "block", "a finding that blocks") \
	X(CONFIRM, "confirm", "a finding that wants confirmation") \
	X(STOPS, "stops", "what ends somebody's work") \
	X(NOTE, "note", "a note") \
	X(OK, "ok", "done") \
	X(ERROR, "error", "failed") \
	X(KEY, "key", "a key in a hint") \
	X(SELECTED, "selected", "the chosen row of a list") \
	X(INPUT, "input", "what is being typed")

#define GS_ELEMENT_ENUM_(id, name, text) GS_ELEMENT_##id,
enum gs_element { GS_ELEMENTS(GS_ELEMENT_ENUM_) GS_ELEMENT_MAX };
const char *gs_element_name(enum gs_element el);
const char *gs_element_summary(enum gs_element el);

/* -1: the terminal's own; 0-15: the terminal's palette; 16-255: xterm's. */
struct gs_style {
	int foreground, background;
	bool bold, dim, underline, reverse;
};

struct gs_theme {
	char name[64];
	struct gs_style styles[GS_ELEMENT_MAX];
};

/*
 * Load themes/NAME.json of the shipped data, or a path when @name has a '/'.
 * Schema gpuslice.theme/1: {"schema","name","elements":{"live":{"fg":"cyan"|"bright-cyan"|0-255|null,"bg":…,"bold":true,…}}}.
 * An element that is not listed looks like text; an unknown one is status
 * INVALID, as is an unreadable file.
 */
int gs_theme_load(const char *name, struct gs_theme **ret_theme, struct gs_error *e);
struct gs_theme *gs_theme_free(struct gs_theme *t);
GS_DEFINE_CLEANUP(struct gs_theme *, gs_theme_free);

/* Characters; the ASCII and the UTF-8 set have the same widths, so nothing moves. */
struct gs_glyphs {
	bool is_ascii;
	uint32_t box_h, box_v, box_tl, box_tr, box_bl, box_br;          /* live */
	uint32_t new_h, new_v, new_tl, new_tr, new_bl, new_br;          /* staged creation */
	uint32_t gone, conflict, ghost, wait, lost, free, dot, unread;  /* fills and borders of those states */
	uint32_t sm, sm_lost;                                           /* SM row */
	uint32_t meter_full, meter_empty, rule, mark, up, down;
};
const struct gs_glyphs *gs_glyphs(bool ascii);

#endif
