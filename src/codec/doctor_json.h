/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor_json.h - the facts of doctor over the wire, and its findings as gpuslice.doctor/1. */
#ifndef GS_CODEC_DOCTOR_JSON_H
#define GS_CODEC_DOCTOR_JSON_H

#include "codec/json.h"
#include "core/doctor.h"

/* More of one kind than any machine has. */
#define GS_DOCTOR_ITEMS_MAX 4096

/* The caller owns a reference. NULL when there is no memory. */
struct json_object *gs_doctor_facts_to_json(const struct gs_doctor_facts *facts);

/* What is absent stays unknown; texts are sanitised. @ret_facts lives in @arena. -EBADMSG with a sentence, -ENOMEM. */
int gs_doctor_facts_from_json(struct json_object *o, struct gs_arena *arena, struct gs_doctor_facts *ret_facts, struct gs_error *e);

/* Schema gpuslice.doctor/1. The caller owns a reference. NULL when there is no memory. */
struct json_object *gs_doctor_to_json(const struct gs_snapshot *s, const struct gs_doctor_finding *findings, size_t n);

#endif
