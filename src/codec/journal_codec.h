/* SPDX-License-Identifier: GPL-2.0-or-later */
/* journal_codec.h - private to the journal's two directions: journal_json.c writes, journal_read.c reads. */
#ifndef GS_CODEC_JOURNAL_CODEC_H
#define GS_CODEC_JOURNAL_CODEC_H

#include "codec/journal_json.h"

/* Texts of others (a command line, a message) are cut to this when they are written, so that a line can always be read. */
#define GS_JOURNAL_TEXT_MAX 2048
#define GS_JOURNAL_STEPS_MAX 16384

/* As gs_layout_to_json(), of the GPUs that @p is about alone. */
struct json_object *gs_journal_layout_to_json(const struct gs_plan *p, const struct gs_layout *l);

#endif
