/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model.h - what the console knows: the machine, the staged commands, the plan
 * they make, where the cursor is, which layer is open. No drawing, no curses,
 * no I/O: events go in through ui/control.h, frames come out of ui/view.h, and
 * tests drive it headless.
 */
#ifndef GS_UI_MODEL_H
#define GS_UI_MODEL_H

#include "base/clock.h"
#include "base/strbuf.h"
#include "codec/journal_list.h"
#include "codec/request.h"
#include "codec/session.h"
#include "core/drift.h"
#include "core/plan.h"
#include "core/placement.h"
#include "core/who.h"
#include "ui/frame.h"

enum gs_focus { GS_FOCUS_FLEET, GS_FOCUS_GRID, GS_FOCUS_PLAN, GS_FOCUS_MAX };
enum gs_lane { GS_LANE_BOTH, GS_LANE_NOW, GS_LANE_AFTER, GS_LANE_MAX };

/* Layers lie over the main screen; Esc takes the top one away and never drops staged work. */
enum gs_layer {
	GS_LAYER_NONE,
	GS_LAYER_PALETTE,   /* c: profile first, place second */
	GS_LAYER_CHOOSER,   /* a selection on the grid: the profiles that fit it */
	GS_LAYER_MODE,      /* M */
	GS_LAYER_SETTINGS,  /* s */
	GS_LAYER_PROMPT,    /* : */
	GS_LAYER_REVIEW,    /* p, W */
	GS_LAYER_WRITING,
	GS_LAYER_HELP,
	GS_LAYER_WHO,       /* b: holders of the thing under the cursor */
	GS_LAYER_EXPLAIN,   /* e: the finding under the cursor in full */
	GS_LAYER_QUIT,      /* staged work: save script, drop, stay */
	GS_LAYER_HISTORY,   /* H: the journal's commits */
	GS_LAYER_SAVED,     /* S: what comes back at boot */
	GS_LAYER_PAST,      /* one of them; with its ways out where it never ended */
};

/* What the line at the bottom is typed for. */
enum gs_prompt {
	GS_PROMPT_COMMAND,
	GS_PROMPT_SCRIPT,   /* the file to save the staged script in */
	GS_PROMPT_MESSAGE,  /* why, for the record of the commit under review */
};

/* For what the journal is being asked; what comes then is opened only where it was asked for. */
enum gs_wish {
	GS_WISH_NONE,
	GS_WISH_HISTORY,
	GS_WISH_SHOW,
	GS_WISH_UNDO,
	GS_WISH_RECOVER,
	GS_WISH_SAVED,
	GS_WISH_CAUSES,     /* of what is otherwise than saved */
	GS_WISH_RESTORE,    /* to put back what is saved */
	GS_WISH_LOST,       /* what became of the commit whose agent ended */
};

/* One staged command. */
struct gs_staged {
	char *text;         /* the statement, with explicit places; owned */
	char *stale;        /* why it no longer holds, NULL while it does; owned. Kept, marked, left out until resolved */
};

/* A profile that the palette or the chooser offers. */
struct gs_offer {
	const struct gs_profile *profile;   /* of the model's snapshot */
	uint32_t starts[GS_PLACEMENTS_MAX]; /* free starts after what is staged */
	size_t n_starts;
	size_t chosen;                      /* index into starts */
	uint32_t best_start;                /* where the placement engine would put it */
	size_t n_more;                      /* how many of it fit; on a grid of slots fewer than there are starts */
	struct gs_misfit_info misfit;       /* when n_starts is 0: at wanted_start */
	uint64_t in_the_way;                /* units of what is in the way */
	uint32_t wanted_start;              /* the legal start nearest to the selection; in the palette the one that hurts least */
	char why[160];                      /* "only at 0: GI 11, GI 12*"; empty when it fits */
};

/* A step of a commit that is under way. */
struct gs_progress {
	size_t n, of;
	char text[256];
	char note[256];
	char waits_for[400];                /* event waiting: for whom, a sentence */
	char event[16];                     /* begin, waiting, done, pending, failed, undo */
	struct gs_monotonic since;
	int64_t took_ms;                    /* -1: still running */
};

/* A commit of the journal that is looked at, or that the review is about. */
struct gs_look_back {
	struct gs_journal_file *file;
	char *boot_id;                      /* of the machine now */
	struct gs_past *past;               /* NULL: it can be shown, but nothing planned from it */
	char why_not[256];                  /* … because */
	enum gs_past_state state;           /* of the machine, by the last look at it */
	struct gs_strbuf not_base, not_target;      /* … what is otherwise than before, than it was to be */
};

/* What is put back at boot, and how the machine stands to it. */
struct gs_saved_view {
	struct gs_session_saved saved;
	struct gs_layout *layout;           /* unbound; NULL: nothing is saved, or it cannot be read */
	char why_not[512];                  /* … because; else empty */
	struct json_object *commits;        /* what the journal tells, for causes; NULL: nothing */
	struct gs_arena *arena;
	struct gs_drift *drift;             /* by the last look; NULL without a layout */
};

/* So many agents that end within a minute are not followed by another one, unless asked for. */
#define GS_AGENT_ENDS_MAX 3

struct gs_model {
	/* the machine */
	struct gs_snapshot *snapshot;       /* NULL: not read yet */
	char host[128];
	enum gs_host_source source;
	const char *sim, *sysroot;          /* another machine than this one, as the command line named it; borrowed, NULL: none */
	bool read_only;                     /* monitor: no edit anywhere */
	bool privileged;
	bool agent_gone;                    /* and no new one runs */
	char agent_why[256];                /* what ended the last one */
	struct gs_monotonic agent_ends[GS_AGENT_ENDS_MAX];  /* when the last ones ended, the newest last */
	size_t n_agent_ends;
	char agent_notice[256];             /* "NVML let go for a commit by pid 9001", empty when none */
	uint32_t snapshots_seen;

	/* what is staged */
	struct gs_staged *staged;
	size_t n_staged, cap_staged;
	char **redo;
	size_t n_redo, cap_redo;
	struct gs_plan *plan;               /* of what is staged, or under review; never NULL once a snapshot is there */
	struct gs_request *request;         /* what the plan was made from; NULL when nothing is staged */
	bool allow_kill;
	char commit_message[256];           /* why, for the record; kept until it is written */

	/* what was done before */
	struct gs_journal_list *journal;    /* of HISTORY; NULL: not read yet */
	struct gs_look_back *back;          /* of PAST, and of the review that is about it */
	enum gs_way past_way;               /* plan and request are about it: UNDO, FINISH or TAKE_BACK; RESTORE: about what is saved; INVALID: about what is staged, … */
	struct gs_plan *staged_plan;        /* … whose plan and request are here meanwhile */
	struct gs_request *staged_request;
	enum gs_wish wish;
	enum gs_layer wish_layer;           /* where it was asked for */
	enum gs_session_question wish_question;     /* what was asked for it last: … */
	uint64_t wish_number;               /* … another answer is of a wish that was given up */
	enum gs_session_question question;  /* to be asked next (GS_DO_ASK), … */
	uint64_t question_number;           /* … of that commit, or for so many */
	bool has_typed;                     /* since the start, or since root was got */
	struct gs_saved_view *saved;        /* of SAVED; NULL: not asked yet */
	size_t n_drifted, n_unsaved;        /* GPUs that are otherwise than saved, that lose something for good at a reboot */
	bool save_after;                    /* REVIEW: what is written is saved for boot too */
	bool back_to_saved;                 /* REVIEW of RESTORE: it was opened from SAVED, and goes back there */
	uint64_t offered_commit;            /* the interrupted one that was shown without being asked for */

	/* where the operator is */
	enum gs_focus focus;
	enum gs_lane lane;
	enum gs_layer layer;
	uint32_t gpu;                       /* index under the cursor */
	uint32_t unit;                      /* unit of the grid that is shown, under the cursor */
	size_t plan_row;                    /* in the plan pane */
	size_t fleet_top, plan_top;         /* first GPU and first line shown */
	bool selecting;                     /* v or a mouse drag */
	uint32_t anchor, extent;            /* selected units, any order */
	bool dragging;                      /* the mouse button is down */
	int press_column;                   /* … since there */
	bool click_opens;                   /* … on the unit that the cursor was on already, or it has moved over one */
	uint64_t marked_gpus;               /* Space */

	/* the open layer */
	struct gs_offer *offers;            /* palette, chooser */
	size_t n_offers, offer;
	uint32_t count;                     /* palette: how many (x2…x7), 1 */
	bool count_pending;                 /* palette: x was pressed, its digit not yet */
	bool count_typed;                   /* palette: a digit of it has come */
	uint32_t typed_number;              /* palette: digits of a profile's number so far, 0: none */
	char find[32];                      /* palette, chooser: only those with this in their name are offered */
	bool is_finding;                    /* … and it is being typed */
	size_t n_all_offers;                /* … of so many */
	bool offers_inside;                 /* they are vGPU types for the GI inside_profile@inside_start */
	char inside_profile[64];
	uint32_t inside_start;
	enum gs_who_op who_op;              /* WHO: would they mind this? */
	bool who_here;                      /* WHO: asked for one place; its holders come first */
	enum gs_instance_kind who_kind;     /* … an instance of that kind and id, */
	uint32_t who_id;
	struct gs_u32 who_vf;               /* … or a VF */
	enum gs_layer layer_below;          /* what Esc goes back to from HELP, WHO, EXPLAIN, QUIT; mostly NONE */
	size_t row_below, top_below;        /* … and where its list was */
	enum gs_prompt prompt;              /* PROMPT: what it is for */
	bool quit_after_save;
	bool review_writes;                 /* REVIEW was opened by W, not by p */
	struct gs_digest review_digest;     /* what the operator is looking at: a plan that changed meanwhile is not written */
	uint32_t armed_key;                 /* X was pressed once and asks */
	char input[1024];                   /* prompt, typed confirmation */
	size_t input_cursor;
	char input_error[512];
	unsigned input_error_column;        /* of the prompt's input, from 1, for the caret; 0: none */
	char **history;                     /* prompt */
	size_t n_history, history_at;
	size_t list_row, list_top;          /* chosen row of mode menu, help, review, who, quit; first line shown, also of the offers */
	struct gs_progress *progress;
	size_t n_progress;
	bool writing_ended;
	bool writing_asks;                  /* the commit waits behind its step: stop or go on? */
	bool writing_stops;                 /* … stop, was the answer */
	bool waits_for_lock;                /* another commit is under way: this one is begun when that has ended */
	bool looks_again;                   /* … which changed what the plan was made from: the next look opens the review again */
	struct gs_wall write_begun;
	uint64_t interrupted_before;        /* the newest commit that was interrupted when this one was begun; 0: none */
	enum gs_status write_status;
	char write_text[1024];
	bool write_is_unknown;              /* its agent ended: nobody here knows what became of it */
	bool is_commit_lost;                /* … and it has still to be found out */
	uint64_t lost_commit;               /* … it is this one, which never ended; 0: not known */
	enum gs_way lost_way;               /* … begun in this way */
	size_t n_lost_staged;               /* … and it was of so many staged commands */
	bool has_written;                   /* since the start: there is something to go back to */
	char confirm_word[192];             /* HOST:GPU as the review shows it, or empty when y does; what decides is gs_model_needs_word() */

	/* what was just said, on the hint line until the next key */
	char message[512];
	bool message_is_error;

	/* clock of the last event, for elapsed times; given by the loop so that tests are deterministic */
	struct gs_monotonic now;
	struct gs_wall wall;
	bool show_clock;                    /* the wall time in the monitor's header */
};

/* @read_only: a monitor. NULL when there is no memory. */
struct gs_model *gs_model_new(bool read_only);
struct gs_model *gs_model_free(struct gs_model *m);
GS_DEFINE_CLEANUP(struct gs_model *, gs_model_free);

/*
 * A new look at the machine: takes a reference. Staged commands are evaluated
 * again; those that no longer hold are kept and marked stale.
 */
int gs_model_set_snapshot(struct gs_model *m, struct gs_snapshot *s, struct gs_error *e);

/*
 * Stage one command line of the language (prompt context; create gets an
 * explicit "at"). Refused with the reason, and nothing staged, when it is wrong
 * or when it changes nothing.
 */
int gs_model_stage(struct gs_model *m, const char *text, struct gs_error *e);
/* Undo and redo staged commands; false when there is nothing (undo stops at the commit). */
bool gs_model_undo(struct gs_model *m);
bool gs_model_redo(struct gs_model *m);
void gs_model_drop(struct gs_model *m, size_t i);
void gs_model_drop_all(struct gs_model *m);

/* All staged commands that hold, as a script, a line each; the caller frees. */
char *gs_model_script(const struct gs_model *m);
/* Instances created and deleted by what is staged. */
void gs_model_counts(const struct gs_model *m, uint32_t *ret_created, uint32_t *ret_deleted);

/* Does the plan end somebody's work, or its request name whom to stop? Then only the typed word writes. */
bool gs_model_needs_word(const struct gs_model *m);

/* What is saved, as the agent told it: taken. -ENOMEM. */
int gs_model_take_saved(struct gs_model *m, struct gs_session_saved *saved, struct gs_error *e);
/* Where it is saved, as far as the agent has told; words for it else. */
const char *gs_model_saved_path(const struct gs_model *m);
/* A GPU that is not as saved and that the saved layout cannot be laid over: lost, gone, exchanged. NULL: none. A restore leaves it out. */
const struct gs_drift_gpu *gs_model_not_restorable(const struct gs_model *m);

/* Is anything to be laid over what is: staged commands, or the plan of a past commit or of what is saved, under review? */
bool gs_model_has_plan(const struct gs_model *m);
/* The plan of what is staged, whatever is under review. */
const struct gs_plan *gs_model_staged_plan(const struct gs_model *m);

/*
 * Look at a commit of the journal, and at how the machine stands to it. Takes
 * @file and @boot_id. -ENOMEM; one that nothing can be planned from is shown all the same.
 */
int gs_model_look_back(struct gs_model *m, struct gs_journal_file *file, char *boot_id, struct gs_error *e);
/* Make plan and request those of @m->back in that @way, or of @m->saved (RESTORE), until gs_model_past_over(); what is staged stays. */
int gs_model_plan_past(struct gs_model *m, enum gs_way way, struct gs_error *e);
void gs_model_past_over(struct gs_model *m);
/* Nothing is left to be decided: the machine stands where one of its two ends is, and nothing of it waits or is stopped. */
bool gs_model_is_settled(const struct gs_model *m);
/* Does a write on one of its GPUs still wait in the kernel? Then what is seen proves nothing. */
bool gs_model_past_waits(const struct gs_model *m);
/* The lowest number of a commit that the machine shows as interrupted; 0: none. */
uint64_t gs_model_interrupted(const struct gs_model *m);
/* The highest; 0: none. */
uint64_t gs_model_newest_interrupted(const struct gs_model *m);

/* The GPU under the cursor, now; NULL before the first snapshot or without GPUs. */
const struct gs_gpu *gs_model_gpu(const struct gs_model *m);
/* What should be there: of the plan's layout; NULL likewise. */
const struct gs_layout_gpu *gs_model_target(const struct gs_model *m, uint32_t gpu);
/* May this GPU be edited here and now? -EPERM with what to do ("! asks sudo"), -EROFS in a monitor. */
int gs_model_may_edit(const struct gs_model *m, uint32_t gpu, struct gs_error *e);

/*
 * The rows of the plan pane (plan_row) and of the review (list_row), in the
 * order in which they are shown: findings, steps, staged commands.
 */
enum gs_plan_item_kind { GS_PLAN_ITEM_FINDING, GS_PLAN_ITEM_STEP, GS_PLAN_ITEM_STAGED, GS_PLAN_ITEM_NONE };
struct gs_plan_item {
	enum gs_plan_item_kind kind;
	size_t index;                       /* into plan->findings, plan->steps, staged */
};
size_t gs_model_n_plan_items(const struct gs_model *m);
struct gs_plan_item gs_model_plan_item(const struct gs_model *m, size_t row);

/* The rows of the mode menu: what the GPU under the cursor could be, in the order of the vocabulary. @ret has room for GS_MODE_MAX. */
size_t gs_model_mode_rows(const struct gs_model *m, enum gs_mode *ret);

/* Is the GPU under the cursor to be in @mode anyway, and nothing else pending? Then there is nothing to stage. */
bool gs_model_is_mode(const struct gs_model *m, enum gs_mode mode);
/* The same for what it cannot be, with the reason; NULL: it can. */
const char *gs_model_mode_refused(const struct gs_gpu *gpu, enum gs_mode mode);

/* The rows of the settings: one per legal word, one for a number, one for how many VFs there are. */
struct gs_setting_row {
	const struct gs_setting *setting;   /* NULL: the number of VFs */
	const char *value;                  /* NULL: a number, typed */
	bool is_first;                      /* of its setting */
};
size_t gs_model_n_settings(const struct gs_model *m);
bool gs_model_setting(const struct gs_model *m, size_t row, struct gs_setting_row *ret);
/* What @key will be: staged, pending or now; NULL when not known. */
const char *gs_model_setting_wanted(const struct gs_model *m, uint32_t gpu, const struct gs_setting *s);

/*
 * By which grid a GPU is drawn and cut. Its mode decides: MIG counts memory
 * units, vGPU slots (VFs, or places on the PF), SR-IOV VFs, AMD compute units.
 */
struct gs_ground {
	enum gs_mode mode;
	enum gs_instance_kind grid;         /* what lies on it; INVALID: there is none to draw */
	enum gs_instance_kind creates;      /* what one creates in that mode; INVALID: nothing */
	const struct gs_profile_set *set;   /* never NULL */
};
/* Of the mode that @gpu is in or, @after, would be in with what is staged. */
struct gs_ground gs_model_ground(const struct gs_model *m, const struct gs_gpu *gpu, bool after);
/* Of the one on the screen: that of the target mode, unless t shows what is now. */
struct gs_ground gs_model_shown(const struct gs_model *m, const struct gs_gpu *gpu);
bool gs_model_shows_after(const struct gs_model *m, const struct gs_gpu *gpu);
/* Is another mode staged? Then now and after cannot be laid over each other. */
bool gs_model_grid_changes(const struct gs_model *m, const struct gs_gpu *gpu);
/* Where «create» would create; its mode is not the target's when a mode change has to come first. */
struct gs_ground gs_model_creation(const struct gs_model *m, const struct gs_gpu *gpu);
/* "24Q" of "L40S-24Q": what tells types of one board apart. */
const char *gs_model_short_type(const char *name);

/* Everybody in an instance (a GI: in its vGPUs too) or on a VF, each once; either may be NULL. */
size_t gs_model_holders_at(const struct gs_gpu *gpu, const struct gs_instance *inst, const struct gs_vf *vf, const struct gs_holder **ret, size_t max);
/* The rows of WHO: holders of the GPU under the cursor with verdicts, those of the place that was asked for first (@ret_n_here of them). -ENOMEM. */
int gs_model_who(const struct gs_model *m, struct gs_arena *arena, struct gs_who_entry **ret_entries, size_t *ret_n, size_t *ret_n_here);

/* What one unit of a GPU shows, in one lane. */
enum gs_unit_state {
	GS_UNIT_FREE,
	GS_UNIT_LOST,
	GS_UNIT_INSTANCE,       /* live, kept */
	GS_UNIT_GONE,           /* live now, staged for deletion */
	GS_UNIT_NEW,            /* staged creation */
};
struct gs_block {
	enum gs_unit_state state;
	struct gs_span span;                /* units of the grid */
	const struct gs_instance *instance; /* INSTANCE, GONE */
	const struct gs_vf *vf;             /* the function at this slot, when it is there; else NULL */
	bool is_claimed;                    /* FREE, LOST: work without a process counts on this VF */
	const struct gs_want *want;         /* NEW (and INSTANCE in the AFTER lane) */
	const struct gs_profile *profile;   /* NULL when unknown */
	bool in_the_way;                    /* of the selection or of a blocking finding */
};
/*
 * The blocks of a GPU from unit 0 to the last, without gaps, one free block
 * per unit; @after: with what is staged. @ret has room for GS_GRID_UNITS_MAX.
 * 0 when the GPU has no grid in that lane (not cut, positions unknown).
 */
size_t gs_model_blocks(const struct gs_model *m, uint32_t gpu, bool after, struct gs_block *ret);

/*
 * @profile does not fit beside @placed: the start at which making room hurts
 * least. Fewest instances that somebody holds, then fewest instances, then
 * least memory beyond what is needed, then the lowest start; a start at which
 * deleting what is in the way does not help, or where the same stands already,
 * comes last. UINT32_MAX when it has none.
 */
uint32_t gs_model_least_harm(const struct gs_gpu *gpu, const struct gs_profile_set *set, const struct gs_placed *placed, size_t n,
			     const struct gs_profile *profile);

/*
 * Fill offers for the GPU under the cursor: all profiles (palette) or those
 * that a selection of units would take (chooser), of those with @m->find in
 * their name, in any case. -ENOSPC when there is none: then nothing changes.
 */
int gs_model_offer(struct gs_model *m, bool for_selection, struct gs_error *e);
/* The starts that @count of the chosen offer would take, fewer when no more fit; @ret has room for GS_PLACED_MAX. */
size_t gs_model_picks(const struct gs_model *m, uint32_t count, uint32_t *ret);
/* The chosen offer has no free start: look at its next (@by 1) or previous (-1) legal one, for a replacement. -ENOENT when there is none. */
int gs_model_offer_elsewhere(struct gs_model *m, int by);

#endif
