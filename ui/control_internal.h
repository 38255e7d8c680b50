/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control_internal.h - between the files of the controller; nobody else includes it. */
#ifndef GS_UI_CONTROL_INTERNAL_H
#define GS_UI_CONTROL_INTERNAL_H

#include "ui/control.h"
#include "ui/view.h"

/* Of a list of offers: these are chosen by one key; more need two digits, or a part of the name. */
#define GS_OFFERS_WITH_DIGIT 9

/* In the order of the help screen. */
enum gs_action_id {
	GS_ACTION_CREATE,
	GS_ACTION_SELECT,
	GS_ACTION_DELETE,
	GS_ACTION_REPLACE,
	GS_ACTION_MOVE,
	GS_ACTION_MODE,
	GS_ACTION_SETTINGS,
	GS_ACTION_DROP,
	GS_ACTION_DROP_ALL,
	GS_ACTION_UNDO,
	GS_ACTION_REDO,
	GS_ACTION_REVIEW,
	GS_ACTION_WRITE,
	GS_ACTION_SAVE,
	GS_ACTION_UNDO_COMMIT,
	GS_ACTION_RECOVER,
	GS_ACTION_HISTORY,
	GS_ACTION_COMMAND,
	GS_ACTION_MARK,
	GS_ACTION_LANE,
	GS_ACTION_WHO,
	GS_ACTION_EXPLAIN,
	GS_ACTION_ROOT,
	GS_ACTION_OPEN,
	GS_ACTION_BACK,
	GS_ACTION_MOVE_UP,
	GS_ACTION_MOVE_DOWN,
	GS_ACTION_MOVE_LEFT,
	GS_ACTION_MOVE_RIGHT,
	GS_ACTION_FIRST,
	GS_ACTION_LAST,
	GS_ACTION_PAGE_UP,
	GS_ACTION_PAGE_DOWN,
	GS_ACTION_NEXT_PANE,
	GS_ACTION_PREVIOUS_PANE,
	/* only inside a layer */
	GS_ACTION_EXTEND,
	GS_ACTION_START,
	GS_ACTION_STAGE,
	GS_ACTION_COUNT,
	GS_ACTION_FIND,
	GS_ACTION_WHO_FOR,
	GS_ACTION_WHO_AGAIN,
	GS_ACTION_CONFIRM,
	GS_ACTION_KILL,
	GS_ACTION_MESSAGE,
	GS_ACTION_SAVE_TOO,
	GS_ACTION_SAVE_NOW,
	GS_ACTION_RESTORE,
	GS_ACTION_SAVE_SCRIPT,
	GS_ACTION_STOP,
	GS_ACTION_STOP_UNDO,
	GS_ACTION_GO_ON,
	GS_ACTION_LEAVE,
	GS_ACTION_WAIT,
	GS_ACTION_FINISH,
	GS_ACTION_TAKE_BACK,
	GS_ACTION_LEAVE_COMMIT,
	/* everywhere */
	GS_ACTION_REPAINT,
	GS_ACTION_SUSPEND,
	GS_ACTION_AGENT,
	GS_ACTION_HELP,
	GS_ACTION_QUIT,
	GS_ACTION_MAX,
};

/* The action of a key on the main screen and in lists; GS_ACTION_MAX when there is none. */
enum gs_action_id gs_action_of_key(uint32_t key);
/* Does this key stand for that action? */
bool gs_action_has_key(enum gs_action_id id, uint32_t key);

/* What was just said. Both return GS_DO_REDRAW. */
unsigned gs_say(struct gs_model *m, const char *fmt, ...) GS_PRINTF(2, 3);
unsigned gs_say_error(struct gs_model *m, const char *fmt, ...) GS_PRINTF(2, 3);

/* ---- layers ---- */

/* Open @layer with a fresh list; HELP, WHO, EXPLAIN and QUIT remember what they lie on. */
void gs_layer_open(struct gs_model *m, enum gs_layer layer);
/* Take the top layer away; a selection goes with its chooser, staged work never. */
void gs_layer_close(struct gs_model *m);

/* @rows and @columns are the screen's: where slots lie depends on it. */
unsigned gs_control_main_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id, int rows, int columns);
/* v, d, R and m */
unsigned gs_control_grid_edit(struct gs_model *m, enum gs_action_id id);
unsigned gs_control_offer_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id);
unsigned gs_control_mode_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id);
unsigned gs_control_settings_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id);
unsigned gs_control_prompt_key(struct gs_model *m, const struct gs_event *ev);
unsigned gs_control_who_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id);
unsigned gs_control_review_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id);
unsigned gs_control_writing_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id);
unsigned gs_control_history_key(struct gs_model *m, enum gs_action_id id);
unsigned gs_control_saved_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id);
unsigned gs_control_past_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id);
unsigned gs_control_list_key(struct gs_model *m, enum gs_action_id id);
unsigned gs_control_quit_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id);
unsigned gs_control_mouse(struct gs_model *m, const struct gs_event *ev, int rows, int columns);

/* ---- things that more than one file does ---- */

/* The lines of the open list, for the cursor. */
size_t gs_control_list_length(const struct gs_model *m);
/* Move a cursor in a list of @n; true when @id was such a movement. */
bool gs_control_walk(enum gs_action_id id, size_t n, size_t *row);

/* Is this edit allowed on the GPU under the cursor, and on the marked ones? Says why not. */
bool gs_control_may_edit(struct gs_model *m);
/*
 * The GPUs that a command goes to: the marked ones, else the one under the
 * cursor. 0 when there are marks and the cursor is on none of them: what is
 * looked at would not be what is changed.
 */
size_t gs_control_gpus(struct gs_model *m, uint32_t ret[64]);
/* Stage text made by the console, and say what was done; @done is the sentence on success. */
unsigned gs_control_stage(struct gs_model *m, const char *text, const char *done);

/* The block under the cursor in the lane that is edited; false when the GPU has no grid. */
bool gs_control_block(const struct gs_model *m, struct gs_block *ret);
/* The staged command that is responsible for what is under the cursor; n_staged when there is none. */
size_t gs_control_staged_here(const struct gs_model *m);

/* "vf:3", "mdev:…", "3g.40gb@4": how a command names it; false when it cannot. */
bool gs_control_selector(const struct gs_instance *inst, char *buf, size_t size);
/* VFs that a selection asks for: as many as reach its end. */
unsigned gs_control_stage_vfs(struct gs_model *m, uint32_t n);
/* Do units of the grid that is shown become VFs, all together, and not one by one? */
bool gs_control_is_sriov(const struct gs_model *m);

void gs_control_select_start(struct gs_model *m, uint32_t unit);
unsigned gs_control_open_palette(struct gs_model *m);
unsigned gs_control_open_chooser(struct gs_model *m);
unsigned gs_control_open_mode(struct gs_model *m);
unsigned gs_control_open_review(struct gs_model *m, bool writes);
/* The review of the plan that the model has. */
unsigned gs_control_show_review(struct gs_model *m, bool writes);
/* Send what was agreed to, with nothing of an earlier try in sight; @waits: also while another commit is under way. */
unsigned gs_control_send(struct gs_model *m, bool waits);
/* The plan that is shown next as a commit, at once where it has no step; with steps its review. */
unsigned gs_control_close_by_plan(struct gs_model *m);
/* What was agreed to in a review ends with it; what is staged stays. */
void gs_control_review_over(struct gs_model *m);
/* Go back to a commit: @id 0: the last that is not undone, the first that has no end. */
unsigned gs_control_ask_history(struct gs_model *m);
unsigned gs_control_ask_undo(struct gs_model *m, uint64_t id);
unsigned gs_control_ask_recover(struct gs_model *m, uint64_t id);
/* What is saved for boot; and what the journal knows of its differences. */
unsigned gs_control_ask_saved(struct gs_model *m);
unsigned gs_control_ask_causes(struct gs_model *m);
unsigned gs_control_take_saved(struct gs_model *m, struct json_object *answer);
/* Put back what is saved: the review of its plan; asked for first, where it is not known yet. */
unsigned gs_control_restore(struct gs_model *m);
unsigned gs_control_ask_restore(struct gs_model *m);
unsigned gs_control_take_restore(struct gs_model *m, struct json_object *answer);
void gs_control_take_causes(struct gs_model *m, struct json_object *answer);
/* Save the machine as it is now; @e NULL: it was. */
unsigned gs_control_save(struct gs_model *m);
unsigned gs_control_was_saved(struct gs_model *m, const struct gs_error *e);
/* Open commit @id as it is. */
unsigned gs_control_ask_past(struct gs_model *m, uint64_t id);
/* The commit of an agent that ended, at the first look of the next one. */
unsigned gs_control_look_for_lost(struct gs_model *m);
/* … of which m->journal tells. */
unsigned gs_control_take_lost(struct gs_model *m);
/* What was staged is no longer to be written. */
void gs_control_staged_is_written(struct gs_model *m);
/* The first look after a wait for another commit that changed what the plan was made from. */
unsigned gs_control_look_again(struct gs_model *m);
/* The review of a past commit was left without writing. */
void gs_control_past_review_left(struct gs_model *m);
/* The words of the prompt that are none of the language, for i in 0..; NULL ends. */
const char *gs_control_word(size_t i);
/* A line of the prompt that begins with one of them: done here; else false. */
bool gs_control_past_command(struct gs_model *m, const char *text, unsigned *ret_done);
/* Say what is wrong with the line, where the engine's own words do not know all that can be typed. */
void gs_control_explain_error(struct gs_model *m, const struct gs_error *e);
unsigned gs_control_open_settings(struct gs_model *m);
/* The prompt with «vfs N » in it. */
unsigned gs_control_open_vfs(struct gs_model *m);
unsigned gs_control_open_who(struct gs_model *m);
unsigned gs_control_open_prompt(struct gs_model *m);
/* The same with something written in it already; the cursor is behind it. */
unsigned gs_control_open_prompt_with(struct gs_model *m, const char *text);
unsigned gs_control_open_save(struct gs_model *m, bool quit_after);
/* The prompt for why, over the review. */
unsigned gs_control_open_message(struct gs_model *m);
unsigned gs_control_open_explain(struct gs_model *m, size_t row);
/* Does the step under way wait, for anything; or in the kernel, where it can be left? */
bool gs_control_is_waiting(const struct gs_model *m);
bool gs_control_waits_in_kernel(const struct gs_model *m);
/* Does anything on the screen change by itself, with time alone? */
bool gs_control_shows_time(const struct gs_model *m);

/* What became of GS_DO_SAVE_SCRIPT; @error NULL: saved. */
unsigned gs_control_saved(struct gs_model *m, const char *path, const char *error);
unsigned gs_control_quit(struct gs_model *m);

/* One character or editing key into m->input; true when it was one. */
bool gs_control_edit_line(struct gs_model *m, const struct gs_event *ev);
void gs_control_set_input(struct gs_model *m, const char *text);

#endif
