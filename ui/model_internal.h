/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model_internal.h - between the files of the model; nobody else includes it. */
#ifndef GS_UI_MODEL_INTERNAL_H
#define GS_UI_MODEL_INTERNAL_H

#include "ui/model.h"

/* How the engine's errors name what was typed. */
#define GS_PROMPT_NAME ":"

/* Plan a script in the prompt's way; @ret_request may be NULL. */
int gs_model_make_plan(const struct gs_snapshot *s, const char *text, struct gs_request **ret_request, struct gs_plan **ret_plan,
		       struct gs_error *e);

/*
 * Make request and plan of the staged commands again on m->snapshot; mark what
 * no longer holds. On failure (no memory, the engine refuses even an empty
 * request) everything is as before.
 */
int gs_model_evaluate(struct gs_model *m, struct gs_error *e);

/* Is this want already there, untouched? The instance, or NULL. */
const struct gs_instance *gs_want_live(const struct gs_gpu *gpu, const struct gs_want *w);
/* The want that keeps this instance, or NULL when it goes. */
const struct gs_want *gs_instance_wanted(const struct gs_layout_gpu *target, const struct gs_instance *inst);
/* Same kind, profile, place and compute instances. */
bool gs_want_equal(const struct gs_want *a, const struct gs_want *b);

/* Append a staged command without looking at it; takes @text. */
int gs_model_push(struct gs_model *m, char *text);

/* After the GPUs were renumbered: staged commands speak of the same boards as before. */
int gs_model_renumber(struct gs_model *m, const struct gs_snapshot *old, const struct gs_snapshot *now, struct gs_error *e);

/* The word to type follows the plan while a review that may write is open, covered or not. */
void gs_model_review_sync(struct gs_model *m);

/* A request about m->back in m->past_way, or about what is saved (RESTORE). */
int gs_model_past_request(const struct gs_model *m, struct gs_request **ret_request, struct gs_error *e);
struct gs_look_back *gs_look_back_free(struct gs_look_back *b);
/* How does @s stand to it? @b may be NULL. */
void gs_look_back_judge(struct gs_look_back *b, const struct gs_snapshot *s);

/* What is saved, as the request that puts it back. -ENOENT: nothing is; -EBADMSG: it cannot be read. */
int gs_model_saved_request(const struct gs_model *m, struct gs_request **ret_request, struct gs_error *e);
struct gs_saved_view *gs_saved_view_free(struct gs_saved_view *v);
/* How does @s stand to it? @v may be NULL. */
void gs_saved_view_judge(struct gs_saved_view *v, const struct gs_snapshot *s);
/* Of the new snapshot: how many GPUs drifted, how many are not saved. */
void gs_model_count_saved(struct gs_model *m);

/* Drop what the open layer keeps of the snapshot. */
void gs_model_forget_offers(struct gs_model *m);

#endif
