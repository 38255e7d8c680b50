/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ps_json.h - schema gpuslice.ps/1. */
#ifndef GS_CODEC_PS_JSON_H
#define GS_CODEC_PS_JSON_H

#include "codec/json.h"
#include "core/ps.h"

/* The rows of @s as they stand. The caller owns a reference. NULL when there is no memory. */
struct json_object *gs_ps_to_json(const struct gs_snapshot *s, const struct gs_ps_row *rows, size_t n);

#endif
