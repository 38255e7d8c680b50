/* SPDX-License-Identifier: GPL-2.0-or-later */
/* journal_codec.h - private to the journal's files: journal_json.c writes, journal_read.c and journal_list.c read. */
#ifndef GS_CODEC_JOURNAL_CODEC_H
#define GS_CODEC_JOURNAL_CODEC_H

#include "codec/journal_json.h"
#include "codec/json_reader.h"

/* Texts of others (a command line, a message) are cut to this when they are written, so that a line can always be read. */
#define GS_JOURNAL_TEXT_MAX 2048
#define GS_JOURNAL_STEPS_MAX 16384

/* A string of somebody else's, in @arena and fit to be shown; NULL: none. */
const char *gs_journal_read_text(struct gs_json_reader *r, struct gs_arena *arena, const char *key);

/* As gs_layout_to_json(), of the GPUs that @p is about alone. */
struct json_object *gs_journal_layout_to_json(const struct gs_plan *p, const struct gs_layout *l);

#endif
