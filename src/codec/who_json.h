/* SPDX-License-Identifier: GPL-2.0-or-later */
/* who_json.h - schema gpuslice.who/1. */
#ifndef GS_CODEC_WHO_JSON_H
#define GS_CODEC_WHO_JSON_H

#include "codec/json.h"
#include "core/who.h"

/*
 * Everybody on the GPUs in @indices (ranks in @s, @n of them), with a verdict
 * for each operation whose bit (1 << enum gs_who_op) is in @ops, and the
 * sources that were looked at. Without operations nobody is judged. The caller
 * owns a reference. NULL when there is no memory.
 */
struct json_object *gs_who_to_json(const struct gs_snapshot *s, const uint32_t *indices, size_t n, unsigned ops);

#endif
