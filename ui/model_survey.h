/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model_survey.h - the ground on which something would be created. Used by the files of the model that make offers. */
#ifndef GS_UI_MODEL_SURVEY_H
#define GS_UI_MODEL_SURVEY_H

#include "ui/model_internal.h"

/* Where profiles are offered: the GPU as it would be with what is staged. */
struct gs_survey {
	const struct gs_gpu *gpu;
	const struct gs_layout_gpu *target;
	enum gs_instance_kind kind;         /* of what would be created */
	const struct gs_profile_set *set;
	enum gs_mode mode;
	bool mode_comes_first;
	const struct gs_block *inside;      /* vGPU types for this GI; NULL: instances of the GPU */
	struct gs_placed placed[GS_PLACED_MAX];
	size_t want_index[GS_PLACED_MAX];
	size_t n;
};

/* Of the GPU under the cursor; @inside (borrowed, may be NULL): of vGPUs in that GI. @ret->kind is INVALID where nothing is created. */
void gs_survey_make(const struct gs_model *m, const struct gs_block *inside, struct gs_survey *ret);
/* The GI that the open offers lie in, found again by its place; false when it has gone. */
bool gs_survey_inside(const struct gs_model *m, struct gs_block *ret);
/* Does this profile come into question at all? Types that lie in GIs are offered there, and only there. */
bool gs_survey_offers(const struct gs_survey *g, const struct gs_profile *p);
/* vGPUs that are, or will be, in the GI. */
uint32_t gs_survey_n_inside(const struct gs_survey *g);
bool gs_survey_gi_is_full(const struct gs_survey *g, const struct gs_profile *p);
/* A sentence's end into @o->why, from @o->misfit. */
void gs_survey_why_not(const struct gs_survey *g, struct gs_offer *o);

#endif
