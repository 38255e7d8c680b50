/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a GPU and its GPU instances can be set to, to JSON and back. A plain
 * map has key and value, which is what scripts read; what else there is to a
 * setting stands in maps beside it, each with the keys that have such a thing.
 */
#include <string.h>

#include "base/parse.h"
#include "codec/key_value.h"
#include "codec/snapshot_codec.h"

/* The settings of one owner, and what their maps are called. */
struct shelf {
	const char *values, *pending, *choices, *parts, *fixed;
	struct gs_setting **list;
	size_t n;
};

static const struct shelf of_gpu = { "settings", "settings_pending", "settings_choices", "settings_parts", "settings_fixed", NULL, 0 };
/* of an instance, whose values are its params */
static const struct shelf of_gi = { "gi_settings", NULL, "gi_settings_choices", "gi_settings_parts", "gi_settings_fixed", NULL, 0 };

static struct shelf shelf_of(const struct shelf *names, struct gs_setting **list, size_t n)
{
	struct shelf shelf = *names;

	shelf.list = list;
	shelf.n = n;
	return shelf;
}

/* ---------------------------------------------------------------- to JSON */

struct json_object *gs_settings_to_json(const struct gs_gpu *gpu)
{
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < gpu->n_settings; i++)
		gs_json_add_string(o, gpu->settings[i]->key, gpu->settings[i]->value);
	return o;
}

static struct json_object *words_to_json(const char *const *words, size_t n)
{
	struct json_object *list = json_object_new_array_ext((int)n);

	for (size_t i = 0; i < n; i++)
		json_object_array_add(list, json_object_new_string(words[i]));
	return list;
}

static struct json_object *part_to_json(const struct gs_setting_part *part)
{
	struct json_object *o = json_object_new_object();

	gs_json_add_string(o, "key", part->key);
	if (part->n_words) {
		json_object_object_add(o, "words", words_to_json(part->words, part->n_words));
	} else {
		gs_json_add_u64(o, "min", GS_U64(part->min));
		gs_json_add_u64(o, "max", GS_U64(part->max));
	}
	gs_json_add_string(o, "needs", part->needs);
	gs_json_add_string(o, "not_beside", part->not_beside);
	gs_json_add_string(o, "not_with", part->not_with);
	return o;
}

static void add_shelf(struct json_object *o, const struct shelf *shelf)
{
	struct json_object *pending = json_object_new_object(), *choices = json_object_new_object(), *parts = json_object_new_object(),
			   *fixed = json_object_new_object();

	for (size_t i = 0; i < shelf->n; i++) {
		const struct gs_setting *setting = shelf->list[i];
		struct json_object *list;

		if (setting->pending)
			gs_json_add_string(pending, setting->key, setting->pending);
		if (setting->fixed)
			gs_json_add_string(fixed, setting->key, setting->fixed);
		if (setting->n_choices)
			json_object_object_add(choices, setting->key, words_to_json(setting->choices, setting->n_choices));
		if (!setting->n_parts)
			continue;
		list = json_object_new_array_ext((int)setting->n_parts);
		for (size_t k = 0; k < setting->n_parts; k++)
			json_object_array_add(list, part_to_json(&setting->parts[k]));
		json_object_object_add(parts, setting->key, list);
	}
	if (shelf->pending)
		json_object_object_add(o, shelf->pending, pending);
	else
		json_object_put(pending);
	json_object_object_add(o, shelf->choices, choices);
	json_object_object_add(o, shelf->parts, parts);
	json_object_object_add(o, shelf->fixed, fixed);
}

void gs_settings_add_json(struct json_object *o, const struct gs_gpu *gpu)
{
	struct shelf gpu_shelf = shelf_of(&of_gpu, gpu->settings, gpu->n_settings), gi_shelf = shelf_of(&of_gi, gpu->gi_settings, gpu->n_gi_settings);
	struct json_object *keys = json_object_new_array();

	add_shelf(o, &gpu_shelf);
	for (size_t i = 0; i < gi_shelf.n; i++)
		json_object_array_add(keys, json_object_new_string(gi_shelf.list[i]->key));
	json_object_object_add(o, of_gi.values, keys);
	add_shelf(o, &gi_shelf);
}

/* ---------------------------------------------------------------- from JSON */

static void read_part(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_setting_part *part)
{
	part->key = gs_snapshot_read_word(s, r, "key");
	part->words = gs_snapshot_read_words(s, r, "words", &part->n_words);
	part->needs = gs_snapshot_read_word(s, r, "needs");
	part->not_beside = gs_snapshot_read_word(s, r, "not_beside");
	part->not_with = gs_snapshot_read_word(s, r, "not_with");
	if (!part->n_words) {
		part->min = gs_json_read_u64(r, "min").value;
		part->max = gs_json_read_u64(r, "max").value;
	}
	if (!r->failed && (!part->key || !gs_key_is_valid(part->key)))
		gs_json_read_fail(r, "key", "is none");
	if (!r->failed && part->min > part->max)
		gs_json_read_fail(r, "min", "is above \"max\"");
}

static void read_parts(struct gs_snapshot *s, struct gs_json_reader *r, const char *key, struct gs_setting *setting)
{
	struct json_object *list;
	size_t n = gs_json_read_array(r, key, GS_SETTING_PARTS_MAX, &list);
	struct gs_setting_part *parts = n ? gs_arena_calloc(gs_snapshot_arena(s), n, sizeof(*parts)) : NULL;
	struct gs_json_where where = { r->where, key, 0 };

	for (size_t i = 0; parts && i < n && !r->failed; i++) {
		struct gs_json_element el;

		gs_json_element_open(&el, list, &where, i, r->e);
		read_part(s, &el.r, &parts[i]);
		r->failed = el.r.failed;
	}
	setting->parts = parts;
	setting->n_parts = parts ? n : 0;
}

/* One of the maps beside the values; each key is one of those. */
static void read_map(struct gs_snapshot *s, struct gs_json_reader *r, const struct shelf *shelf, const char *map)
{
	struct gs_json_where where;
	struct gs_json_reader in;
	struct json_object *o = map ? gs_json_open_map(r, map, GS_SETTINGS_MAX, &where, &in) : NULL;

	if (!o)
		return;
	json_object_object_foreach(o, key, value) {
		struct gs_setting *setting = (struct gs_setting *)gs_setting_by_key(shelf->list, shelf->n, key);

		if (!value)
			continue;
		if (!setting)
			gs_json_read_fail(&in, key, "is no setting of this GPU");
		else if (map == shelf->pending)
			setting->pending = gs_snapshot_read_word(s, &in, key);
		else if (map == shelf->fixed)
			setting->fixed = gs_snapshot_read_text(s, &in, key);
		else if (map == shelf->parts)
			read_parts(s, &in, key, setting);
		else
			setting->choices = gs_snapshot_read_words(s, &in, key, &setting->n_choices);
	}
	r->failed = in.failed;
}

static void read_maps(struct gs_snapshot *s, struct gs_json_reader *r, const struct shelf *shelf)
{
	read_map(s, r, shelf, shelf->pending);
	read_map(s, r, shelf, shelf->choices);
	read_map(s, r, shelf, shelf->parts);
	read_map(s, r, shelf, shelf->fixed);
}

static void read_gi_settings(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_gpu *gpu)
{
	size_t n = 0;
	const char **keys = gs_snapshot_read_words(s, r, of_gi.values, &n);
	struct shelf shelf;

	for (size_t i = 0; i < n && !r->failed; i++) {
		struct gs_setting *setting = gs_gpu_add_gi_setting(s, gpu);

		if (!setting)
			return;         /* sealing will say that there is no memory */
		if (!gs_key_is_valid(keys[i]))
			gs_json_read_fail(r, of_gi.values, "\"%.64s\" cannot be a key", keys[i]);
		setting->key = keys[i];
	}
	shelf = shelf_of(&of_gi, gpu->gi_settings, gpu->n_gi_settings);
	read_maps(s, r, &shelf);
}

void gs_settings_read(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_gpu *gpu)
{
	struct gs_json_where where;
	struct gs_json_reader in;
	struct json_object *o = gs_json_open_map(r, of_gpu.values, GS_SETTINGS_MAX, &where, &in);
	struct shelf shelf;

	if (o) {
		json_object_object_foreach(o, key, ignored) {
			struct gs_setting *setting = gs_gpu_add_setting(s, gpu);

			(void)ignored;
			if (!setting)
				return;
			setting->key = gs_snapshot_text(s, key);
			setting->value = gs_snapshot_read_word(s, &in, key);
		}
		r->failed = in.failed;
	}
	shelf = shelf_of(&of_gpu, gpu->settings, gpu->n_settings);
	read_maps(s, r, &shelf);
	if (!r->failed)
		read_gi_settings(s, r, gpu);
}
