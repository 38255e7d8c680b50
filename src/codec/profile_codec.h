/* SPDX-License-Identifier: GPL-2.0-or-later */
/* profile_codec.h - profiles as JSON: the part that snapshots and catalogue files share. */
#ifndef GS_CODEC_PROFILE_CODEC_H
#define GS_CODEC_PROFILE_CODEC_H

#include "base/arena.h"
#include "codec/json_reader.h"
#include "core/profile.h"

/* The width of a grid that one may claim. */
#define GS_COMPUTE_SLICES_MAX GS_GRID_UNITS_MAX

/* Closed sets of keys for files of our own; NULL where more may follow. */
struct gs_profile_keys {
	const struct gs_json_key *profile, *compute;
	size_t n_profile, n_compute;
};

/*
 * Read the list @key of profiles into @set, whose memory_units and
 * compute_slices are filled in already: every placement inside the grid,
 * ascending, of one size; no name twice. Strings and arrays go to @a.
 */
void gs_profiles_read(struct gs_json_reader *r, const char *key, const struct gs_profile_keys *keys, struct gs_arena *a,
		      struct gs_profile_set *set);

/*
 * One profile of @set; its "placements" are a list, null when not known, or
 * the word "every" where it fits at every slot. The caller owns a reference
 * and may add keys.
 */
struct json_object *gs_profile_to_json(const struct gs_profile_set *set, const struct gs_profile *p);
/*
 * {"source","memory_units","compute_slices","max_instances","items","is_slots","has_one_size","avoid"};
 * the caller owns a reference.
 */
struct json_object *gs_profile_set_to_json(const struct gs_profile_set *set);
/* Back; fails the reader. */
void gs_profile_set_read(struct gs_json_reader *r, struct gs_arena *a, struct gs_profile_set *ret_set);

/* The units of a mask as a list of numbers; the caller owns a reference. */
struct json_object *gs_units_to_json(uint64_t units);

const char *gs_profile_source_name(enum gs_profile_source source);

/* [{"start","size"}]; the caller owns a reference. */
struct json_object *gs_spans_to_json(const struct gs_span *spans, size_t n);

/* Printable copy in @a: control characters and bad UTF-8 are replaced. NULL in, NULL out. */
const char *gs_arena_text(struct gs_arena *a, const char *s);

#endif
