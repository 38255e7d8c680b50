/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/site_policy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/parse.h"
#include "codec/yaml_node.h"
#include "codec/json_reader.h"

#define FILE_BYTES_MAX (64u << 10)
#define PATH "/" GS_SITE_POLICY

/* ---------------------------------------------------------------- reading */

/* Only these keys, each of them or not. */
static void check_keys(struct gs_json_reader *r, const char *const *keys, size_t n)
{
	if (r->failed)
		return;
	json_object_object_foreach(r->o, key, value) {
		bool known = false;

		if (!value) {
			gs_json_read_fail(r, key, "is null: leave it out, or say what it is to be");
			return;
		}
		for (size_t i = 0; i < n; i++)
			known |= gs_str_equal(keys[i], key);
		if (!known) {
			gs_json_read_fail(r, NULL, "\"%.32s\" is no key of a policy", key);
			return;
		}
	}
}

int gs_site_policy_from_json(struct json_object *o, const char *name, struct gs_site_policy *ret_policy, struct gs_error *e)
{
	static const char *const keys[] = { "schema", "publish" }, *const publish_keys[] = { "names" };
	struct gs_json_where root = { NULL, name, 0 }, where = { &root, "publish", 0 };
	struct gs_json_reader r = gs_json_reader_of(o, &root, e);
	struct gs_site_policy policy = { .publish_names = true };
	struct json_object *publish;
	const char *schema;

	check_keys(&r, keys, GS_ARRAY_SIZE(keys));
	schema = gs_json_read_name(&r, "schema");
	if (!r.failed && !gs_str_equal(schema, "gpuslice.policy/1"))
		gs_json_read_fail(&r, "schema", "must be \"gpuslice.policy/1\"");
	publish = gs_json_read_object(&r, "publish");
	if (!r.failed && publish) {
		struct gs_json_reader in = gs_json_reader_of(publish, &where, e);

		check_keys(&in, publish_keys, GS_ARRAY_SIZE(publish_keys));
		policy.publish_names = gs_json_read_bool(&in, "names", true);
		r.failed = in.failed;
	}
	if (r.failed)
		return r.failed;
	*ret_policy = policy;
	return 0;
}

int gs_site_policy_read(struct gs_root *root, struct gs_site_policy *ret_policy, struct gs_error *e)
{
	GS_CLEANUP(gs_arena_freep) struct gs_arena *arena = NULL;
	struct gs_yaml_node *node = NULL;
	GS_JSON struct json_object *o = NULL;
	GS_FREE char *bytes = NULL;
	GS_CLOSE int fd = -1;
	struct gs_error why = { 0 };
	struct stat st;
	size_t n;
	int r = gs_root_open_file(root, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0, &fd, GS_SITE_POLICY);

	if (r == -ENOENT || r == -ENOTDIR) {
		*ret_policy = (struct gs_site_policy){ .publish_names = true };
		return 0;
	}
	if (r < 0)
		return gs_error_set(e, r, GS_STATUS_FAILED, "cannot read %s, and what it keeps back is not known: %s", PATH, strerror(-r));
	if (fstat(fd, &st) < 0)
		return gs_error_set(e, -errno, GS_STATUS_FAILED, "cannot look at %s: %m", PATH);
	if (!S_ISREG(st.st_mode) || (gs_root_kind(root) == GS_ROOT_LIVE && (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)))))
		return gs_error_set(e, -EPERM, GS_STATUS_FAILED, "%s must be a file that belongs to root and that nobody else can write", PATH);
	r = gs_fd_read_all(fd, PATH, FILE_BYTES_MAX, &bytes, &n, e);
	if (r < 0)
		return r;
	/* of two keys of one name JSON's parser takes the last, in silence */
	arena = gs_arena_new();
	if (!arena)
		return gs_error_oom(e);
	r = gs_json_parse(bytes, n, NULL, &o, &why);
	if (r == 0 && gs_yaml_parse(bytes, n, "", arena, &node, &why) < 0)
		r = -EBADMSG;
	if (r == 0)
		r = gs_site_policy_from_json(o, NULL, ret_policy, &why);
	/* nobody asked for anything wrong: the machine is not as it should be */
	return r < 0 ? gs_error_set(e, r, GS_STATUS_FAILED, "%s: %s", PATH, why.text) : 0;
}

/* ---------------------------------------------------------------- leaving out */

typedef void (*visitor)(struct json_object *o);

/* Each object of the list under @key. */
static void each(struct json_object *o, const char *key, visitor visit)
{
	struct json_object *list = NULL;

	if (!json_object_object_get_ex(o, key, &list) || !json_object_is_type(list, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);

		if (json_object_is_type(item, json_type_object))
			visit(item);
	}
}

static void clear(struct json_object *o, const char *key)
{
	if (json_object_object_get_ex(o, key, NULL))
		json_object_object_add(o, key, NULL);
}

static void clear_holder(struct json_object *o)
{
	static const char *const kept[] = { "kind", "pid", "start_time", "used_memory_bytes", "yields" };

	json_object_object_foreach(o, key, value) {
		bool stays = false;

		(void)value;
		for (size_t i = 0; i < GS_ARRAY_SIZE(kept); i++)
			stays |= gs_str_equal(kept[i], key);
		/* the key is there already, so the table is not changed while it is walked */
		if (!stays)
			json_object_object_add(o, key, NULL);
	}
}

static void clear_text(struct json_object *o)
{
	clear(o, "text");
}

static void clear_what(struct json_object *o)
{
	clear(o, "what");
}

static void clear_waits_for(struct json_object *o)
{
	clear(o, "waits_for");
}

static void clear_held(struct json_object *o)
{
	struct json_object *guest = NULL;

	each(o, "holders", clear_holder);
	if (json_object_object_get_ex(o, "guest", &guest) && json_object_is_type(guest, json_type_object))
		clear(guest, "vm_uuid");
}

static void clear_gpu(struct json_object *o)
{
	struct json_object *vfs = NULL, *commit = NULL;

	clear_held(o);
	each(o, "instances", clear_held);
	if (json_object_object_get_ex(o, "vfs", &vfs) && json_object_is_type(vfs, json_type_object))
		each(vfs, "functions", clear_held);
	each(o, "events", clear_text);
	if (json_object_object_get_ex(o, "open_commit", &commit) && json_object_is_type(commit, json_type_object))
		clear_text(commit);
	each(o, "writes", clear_waits_for);
}

void gs_snapshot_json_leave_out_names(struct json_object *snapshot)
{
	struct json_object *host = NULL;

	each(snapshot, "gpus", clear_gpu);
	if (!json_object_object_get_ex(snapshot, "host", &host) || !json_object_is_type(host, json_type_object))
		return;
	each(host, "sources", clear_text);
	each(host, "restorers", clear_what);
	json_object_object_add(host, "notices", json_object_new_array());
}
