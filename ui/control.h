/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control.h - what keys and the mouse do. One table of actions gives the keys,
 * the hints and the help; every drag has a keyboard path; mouse and keyboard
 * end in the same action. Handlers return consequences; one place acts on them.
 */
#ifndef GS_UI_CONTROL_H
#define GS_UI_CONTROL_H

#include "ui/input.h"
#include "ui/model.h"

/* name, main key, key as shown, hint, help sentence, flags */
enum gs_action_flags {
	GS_ACTION_EDITS = 1 << 0,       /* not in a monitor */
	GS_ACTION_ON_FREE = 1 << 1,     /* hinted when the cursor is on a free unit */
	GS_ACTION_ON_LIVE = 1 << 2,     /* … on a live block */
	GS_ACTION_ON_STAGED = 1 << 3,   /* … on a staged item */
	GS_ACTION_ALWAYS = 1 << 4,      /* always hinted, last */
	GS_ACTION_FOR_EDITS = 1 << 5,   /* the key does nothing of use where nothing can be edited */
};
struct gs_action {
	const char *name;
	uint32_t keys[4];
	const char *key_text;
	const char *hint;               /* one or two words */
	const char *help;               /* one sentence */
	unsigned flags;
	const char *watching;           /* the sentence in a monitor, where it says less; NULL: the same */
};
/* All actions in the order of the help screen; @ret_n how many. */
const struct gs_action *gs_actions(size_t *ret_n);

/* Consequences, or-ed. */
enum gs_consequence {
	GS_DO_NOTHING = 0,
	GS_DO_REDRAW = 1 << 0,
	GS_DO_REPAINT = 1 << 1,         /* Ctrl-L */
	GS_DO_QUIT = 1 << 2,
	GS_DO_COMMIT = 1 << 3,          /* send the reviewed request to the agent */
	GS_DO_CANCEL = 1 << 4,          /* ask the agent to stop after this step; a write that waits in the kernel is left pending */
	GS_DO_SUSPEND = 1 << 5,
	GS_DO_SUDO = 1 << 6,            /* get a privileged agent */
	GS_DO_SAVE_SCRIPT = 1 << 7,     /* write the staged script to a file named in m->input */
	GS_DO_RECOLLECT = 1 << 8,
	GS_DO_PAUSE = 1 << 9,           /* the commit waits behind the step under way, … */
	GS_DO_RESUME = 1 << 10,         /* … and goes on */
	GS_DO_ASK = 1 << 11,            /* m->question of the agent, without waiting */
	GS_DO_CONNECT = 1 << 12,        /* start a new agent, then gs_control_agent_started() */
};

/* Feed one event. @rows and @columns are the screen's, for hits. */
unsigned gs_control_event(struct gs_model *m, const struct gs_event *ev, int rows, int columns);

/* The agent has ended, for the reason @why: is another one to be started? */
unsigned gs_control_agent_ended(struct gs_model *m, const char *why);
/* What came of GS_DO_CONNECT, the model told already what the new one may do; @e NULL: it runs. @was_privileged: the one before might write. */
unsigned gs_control_agent_started(struct gs_model *m, bool was_privileged, const struct gs_error *e);
/* Why nothing can be asked; NULL while an agent runs. */
const char *gs_control_why_no_agent(const struct gs_model *m);
/* Is what is staged what the commit under review was of, before its agent ended? Then it is written once that is finished. */
bool gs_control_finishes_staged(const struct gs_model *m);
/* Is a commit of ours under way, in sight or not? */
bool gs_control_is_writing(const struct gs_model *m);

/* What the loop got from the agent; @event "waiting": @note says for whom. */
void gs_control_progress(struct gs_model *m, const char *event, size_t n, size_t of, const char *text, const char *note);
unsigned gs_control_committed(struct gs_model *m, enum gs_status status, const char *text);

/* A snapshot was taken over: is there anything in it that has to be shown at once? */
unsigned gs_control_looked(struct gs_model *m);
/* What came of GS_DO_ASK; @answer NULL: @e says why. */
unsigned gs_control_answered(struct gs_model *m, enum gs_session_question question, uint64_t number, struct json_object *answer, const struct gs_error *e);
/* Of the list of commits; NULL: not in it. */
const struct gs_journal_entry *gs_control_entry(const struct gs_model *m, uint64_t id);
/* Has the commit that is looked at to find its end? Not while its agent is at it. */
bool gs_control_past_is_open(const struct gs_model *m);

/* Why the machine cannot be saved for boot as it is now; NULL when it can. */
const char *gs_control_why_not_savable(const struct gs_model *m);

/* Why W is off; NULL when it is not. */
const char *gs_control_why_not_writable(const struct gs_model *m);
/* Does the open review wait for the word to be typed? Then every letter is one of it. */
bool gs_control_expects_word(const struct gs_model *m);

/* The actions that work on the thing under the cursor, most used first, W ? q last; @ret has room for @max. */
size_t gs_control_hints(const struct gs_model *m, const struct gs_action **ret, size_t max);

#endif
