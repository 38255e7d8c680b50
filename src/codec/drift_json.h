/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drift_json.h - schema gpuslice.drift/1: saved layout against actual. */
#ifndef GS_CODEC_DRIFT_JSON_H
#define GS_CODEC_DRIFT_JSON_H

#include "codec/json.h"
#include "core/drift.h"

/*
 * The commits of @list, an array of summaries (journal_json.h), as far as they
 * were carried out and may explain a difference; in @arena, borrowing from
 * @list. What cannot be read is left out. -ENOMEM.
 */
int gs_drift_commits_from_json(struct json_object *list, struct gs_arena *arena, struct gs_drift_commit **ret_commits, size_t *ret_n);

/* The caller owns a reference. */
struct json_object *gs_drift_to_json(const struct gs_drift *d, const char *path, struct gs_i64 saved_at_ms);

#endif
