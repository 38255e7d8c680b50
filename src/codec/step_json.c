/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/step_json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "codec/json_reader.h"
#include "codec/snapshot_json.h"

/* The members of a step by type, one table for both directions: key, member. */
#define STEP_STRINGS(X) \
	X("gpu_uuid", gpu_uuid) \
	X("target", target) \
	X("text", text) \
	X("profile", profile) \
	X("compute_profile", compute_profile) \
	X("uuid", uuid) \
	X("driver", driver) \
	X("key", key) \
	X("value", value) \
	X("old_value", old_value) \
	X("gi_profile", gi_profile) \
	X("unit", unit)

/* 0 is left out, and what is left out is 0. */
#define STEP_NUMBERS(X) \
	X("n", n) \
	X("gpu", gpu) \
	X("profile_id", profile_id) \
	X("start", span.start) \
	X("size", span.size) \
	X("instance_id", instance_id) \
	X("compute_profile_id", compute_profile_id) \
	X("compute_start", compute_span.start) \
	X("compute_size", compute_span.size) \
	X("gi_slices", gi_slices) \
	X("compute_id", compute_id) \
	X("vfs", vfs) \
	X("pid", pid)

#define STEP_OPTIONALS(X) \
	X("vf", vf) \
	X("on_start", on_start)

#define STEP_FLAGS(X) \
	X("to_vfio", to_vfio) \
	X("kill", kill)

/* Words; the first of each table means something, so it is written, and INVALID is left out. */
#define STEP_WORDS(X) \
	X("op", op, gs_step_op, GS_STEP_INVALID) \
	X("risk", risk, gs_risk, GS_RISK_INVALID) \
	X("undo", undo, gs_undo, GS_UNDO_INVALID) \
	X("mode", mode, gs_mode, GS_MODE_INVALID) \
	X("framework", framework, gs_framework, GS_FRAMEWORK_INVALID)

#define OTHER_KEYS "bdf", "function", "peers", "vfs_by", "start_time"

/* ---------------------------------------------------------------- writing */

static void add_string(struct json_object *o, const char *key, const char *s)
{
	if (s)
		gs_json_add_string(o, key, s);
}

static void add_number(struct json_object *o, const char *key, uint64_t v)
{
	if (v)
		gs_json_add_u64(o, key, GS_U64(v));
}

static void add_address(struct json_object *o, const char *key, struct gs_bdf bdf)
{
	char text[GS_BDF_TEXT];

	if (gs_bdf_compare(bdf, (struct gs_bdf){ 0 }) != 0)
		gs_json_add_string(o, key, gs_bdf_format(bdf, text));
}

static void add_peers(struct json_object *o, const struct gs_step *step)
{
	struct json_object *list;
	char text[GS_BDF_TEXT];

	if (!step->n_peers)
		return;
	list = json_object_new_array();
	for (size_t i = 0; list && i < step->n_peers; i++)
		json_object_array_add(list, json_object_new_string(gs_bdf_format(step->peers[i], text)));
	json_object_object_add(o, "peers", list);
}

struct json_object *gs_step_to_json(const struct gs_step *step)
{
	struct json_object *o = json_object_new_object();

	if (!o)
		return NULL;
#define ADD_WORD(key, member, type, invalid) add_string(o, key, type##_name(step->member));
	STEP_WORDS(ADD_WORD)
	add_address(o, "bdf", step->bdf);
	add_address(o, "function", step->function);
#define ADD_STRING(key, member) add_string(o, key, step->member);
	STEP_STRINGS(ADD_STRING)
#define ADD_NUMBER(key, member) add_number(o, key, step->member);
	STEP_NUMBERS(ADD_NUMBER)
#define ADD_OPTIONAL(key, member) \
	if (step->member.known) \
		gs_json_add_u32(o, key, step->member);
	STEP_OPTIONALS(ADD_OPTIONAL)
#define ADD_FLAG(key, member) \
	if (step->member) \
		json_object_object_add(o, key, json_object_new_boolean(true));
	STEP_FLAGS(ADD_FLAG)
	add_number(o, "start_time", step->start_time);
	add_string(o, "vfs_by", gs_vfs_by_name(step->vfs_by));
	add_peers(o, step);
	return o;
}

/* ---------------------------------------------------------------- reading */

static bool is_known_key(const char *key)
{
#define KEY_OF(key, ...) key,
	static const char *const keys[] = { STEP_STRINGS(KEY_OF) STEP_NUMBERS(KEY_OF) STEP_OPTIONALS(KEY_OF) STEP_FLAGS(KEY_OF) STEP_WORDS(KEY_OF) OTHER_KEYS };

	for (size_t i = 0; i < GS_ARRAY_SIZE(keys); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

static void refuse_unknown_keys(struct gs_json_reader *r)
{
	if (r->failed)
		return;
	json_object_object_foreach(r->o, key, val) {
		(void)val;
		if (!is_known_key(key))
			gs_json_read_fail(r, NULL, "a step has no key \"%.64s\"", key);
	}
}

static struct gs_bdf read_address(struct gs_json_reader *r, const char *key)
{
	const char *text = gs_json_read_string(r, key);
	struct gs_bdf bdf = { 0 };

	if (text && gs_bdf_parse(text, &bdf) < 0)
		gs_json_read_fail(r, key, "\"%.32s\" is not a PCI address", text);
	return bdf;
}

static int read_word(struct gs_json_reader *r, const char *key, int (*from_name)(const char *), int invalid)
{
	const char *word = gs_json_read_string(r, key);
	int v = word ? from_name(word) : invalid;

	if (word && v == invalid)
		gs_json_read_fail(r, key, "\"%.32s\" is no such word", word);
	return v;
}

/* The tables give enums of a type each. */
#define FROM_NAME(key, member, type, invalid) \
	static int type##_number(const char *name) \
	{ \
		return (int)type##_from_name(name); \
	}
STEP_WORDS(FROM_NAME)

static enum gs_vfs_by read_vfs_by(struct gs_json_reader *r)
{
	const char *word = gs_json_read_string(r, "vfs_by");

	if (!word)
		return GS_VFS_BY_NOBODY;
	if (strcmp(word, gs_vfs_by_name(GS_VFS_BY_NUMVFS)) == 0)
		return GS_VFS_BY_NUMVFS;
	if (strcmp(word, gs_vfs_by_name(GS_VFS_BY_SRIOV_MANAGE)) != 0)
		gs_json_read_fail(r, "vfs_by", "\"%.32s\" is no way to enable VFs", word);
	return GS_VFS_BY_SRIOV_MANAGE;
}

static void read_peers(struct gs_json_reader *r, struct gs_arena *arena, struct gs_step *step)
{
	struct json_object *list;
	size_t n = gs_json_read_array(r, "peers", GS_STEP_PEERS_MAX, &list);
	struct gs_bdf *peers;

	if (!n)
		return;
	peers = arena ? gs_arena_calloc(arena, n, sizeof(*peers)) : NULL;
	if (!peers) {
		gs_json_read_fail(r, "peers", arena ? "no memory" : "nobody goes along with this step");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct json_object *v = json_object_array_get_idx(list, i);

		if (!json_object_is_type(v, json_type_string) || gs_bdf_parse(json_object_get_string(v), &peers[i]) < 0)
			gs_json_read_fail(r, "peers", "element %zu is not a PCI address", i);
	}
	step->peers = peers;
	step->n_peers = n;
}

static const char *read_string(struct gs_json_reader *r, struct gs_arena *arena, const char *key)
{
	const char *s = gs_json_read_string(r, key);

	return s && arena ? gs_arena_strdup(arena, s) : s;
}

int gs_step_from_json(struct json_object *o, struct gs_arena *arena, struct gs_step *ret_step, struct gs_error *e)
{
	const struct gs_json_where where = { NULL, NULL, 0 };
	struct gs_json_reader r = gs_json_reader_of(o, &where, e);
	struct gs_step step = { 0 };

	refuse_unknown_keys(&r);
#define READ_WORD(key, member, type, invalid) step.member = (enum type)read_word(&r, key, type##_number, (int)invalid);
	STEP_WORDS(READ_WORD)
	step.bdf = read_address(&r, "bdf");
	step.function = read_address(&r, "function");
#define READ_STRING(key, member) step.member = read_string(&r, arena, key);
	STEP_STRINGS(READ_STRING)
#define READ_NUMBER(key, member) step.member = gs_json_read_u32(&r, key, UINT32_MAX).value;
	STEP_NUMBERS(READ_NUMBER)
#define READ_OPTIONAL(key, member) step.member = gs_json_read_u32(&r, key, UINT32_MAX);
	STEP_OPTIONALS(READ_OPTIONAL)
#define READ_FLAG(key, member) step.member = gs_json_read_bool(&r, key, false);
	STEP_FLAGS(READ_FLAG)
	step.start_time = gs_json_read_u64(&r, "start_time").value;
	step.vfs_by = read_vfs_by(&r);
	read_peers(&r, arena, &step);
	if (!r.failed && step.op == GS_STEP_INVALID)
		gs_json_read_fail(&r, "op", "is missing");
	if (!r.failed && !gs_json_read_string(&r, "bdf"))
		gs_json_read_fail(&r, "bdf", "is missing");
	if (r.failed)
		return r.failed;
	if (arena && gs_arena_has_failed(arena))
		return gs_error_oom(e);
	*ret_step = step;
	return 0;
}

/* ---------------------------------------------------------------- the outcome */

struct json_object *gs_outcome_to_json(const struct gs_step_outcome *outcome)
{
	struct json_object *o = json_object_new_object();

	if (!o)
		return NULL;
	json_object_object_add(o, "pending", json_object_new_boolean(outcome->is_pending));
	gs_json_add_u32(o, "id", GS_U32(outcome->id));
	gs_json_add_string(o, "note", outcome->note);
	return o;
}

int gs_outcome_from_json(struct json_object *o, struct gs_step_outcome *ret_outcome, struct gs_error *e)
{
	struct gs_step_outcome outcome = { 0 };
	const char *note = NULL;
	struct gs_u32 id = GS_U32_UNKNOWN;
	int r;

	if (!json_object_is_type(o, json_type_object))
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "the outcome of a step is an object");
	r = gs_json_get_bool(o, "pending", false, &outcome.is_pending, e);
	if (r == 0)
		r = gs_json_get_u32(o, "id", &id, e);
	if (r == 0)
		r = gs_json_get_string(o, "note", &note, e);
	if (r < 0)
		return r;
	outcome.id = id.value;
	snprintf(outcome.note, sizeof(outcome.note), "%s", note ? note : "");
	gs_text_sanitize(outcome.note);
	*ret_outcome = outcome;
	return 0;
}
