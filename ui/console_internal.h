/* SPDX-License-Identifier: GPL-2.0-or-later */
/* console_internal.h - what the terminal loop and the headless one share. */
#ifndef GS_UI_CONSOLE_INTERNAL_H
#define GS_UI_CONSOLE_INTERNAL_H

#include "ui/console.h"
#include "ui/control.h"
#include "ui/frame.h"
#include "ui/input.h"
#include "ui/screen.h"
#include "ui/view.h"

struct gs_console {
	struct gs_session *session;             /* owned */
	const struct gs_console_options *options;
	struct gs_model *m;
	const struct gs_glyphs *glyphs;
	struct gs_input *input;
	struct gs_frame *frame;
	struct gs_screen *screen;               /* NULL when headless */
	int rows, columns;
	bool dirty;                             /* the next turn shows a frame */
	bool whole;                             /* … and sends all of it */
	bool quit;
};

/* Takes @session. */
int gs_console_start(struct gs_console *c, struct gs_session *session, const struct gs_console_options *options, struct gs_error *e);
void gs_console_end(struct gs_console *c);

/* Tell the model what time it is. */
void gs_console_clock(struct gs_console *c);
/* Ask the agent for a stream of snapshots. */
int gs_console_watch(struct gs_console *c, struct gs_error *e);
/* Take what the agent sent. An agent that has gone is told to the model, not returned. */
void gs_console_dispatch(struct gs_console *c);
/* One event through the controller and its consequences. */
void gs_console_event(struct gs_console *c, const struct gs_event *ev);
/* All complete events that c->input has. */
void gs_console_events(struct gs_console *c);
/* The model as a frame of the size that c has; NULL without memory. Owned by c. */
struct gs_frame *gs_console_draw(struct gs_console *c);
/* Leaving without being asked: keep the staged commands in a file. */
void gs_console_rescue(struct gs_console *c);

/* Run the events of options->script. */
int gs_headless_run(struct gs_console *c, struct gs_error *e);

#endif
