/* SPDX-License-Identifier: GPL-2.0-or-later */
/* catalogue_model.h - one model file, from JSON to struct gs_gpu_model. */
#ifndef GS_CODEC_CATALOGUE_MODEL_H
#define GS_CODEC_CATALOGUE_MODEL_H

#include "base/arena.h"
#include "codec/catalogue.h"
#include "codec/json.h"

/* @path for errors, @file is the model's name; both are copied into @a, as is everything else. */
int gs_model_read(struct json_object *o, const char *path, const char *file, struct gs_arena *a, struct gs_gpu_model *ret_model,
		  struct gs_error *e);

#endif
