/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/published.h"

#include <errno.h>
#include <grp.h>
#include <string.h>

#include "base/file.h"
#include "base/parse.h"
#include "codec/site_policy.h"
#include "codec/snapshot_json.h"

#define SCHEMA "gpuslice.published/1"
#define GROUP "gpuslice-view"

void gs_published_done(struct gs_published *p)
{
	p->snapshot = gs_snapshot_unref(p->snapshot);
	p->read = (struct stat){ 0 };
}

static int read_file(struct gs_root *root, struct gs_published *ret_published, struct gs_error *e)
{
	GS_JSON struct json_object *file = NULL;
	GS_FREE char *bytes = NULL;
	struct json_object *snapshot = NULL;
	struct gs_i64 taken_at = GS_I64_UNKNOWN;
	const char *schema = NULL;
	size_t n;
	int r = gs_root_read_bytes(root, GS_INPUT_BYTES_MAX, &bytes, &n, GS_PUBLISHED_PATH);

	if (r < 0)
		return gs_error_set(e, r, GS_STATUS_FAILED, "/" GS_PUBLISHED_PATH " cannot be read: %s", strerror(-r));
	r = gs_json_parse(bytes, n, "/" GS_PUBLISHED_PATH, &file, e);
	if (r < 0)
		return r;
	if (!json_object_is_type(file, json_type_object))
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "/" GS_PUBLISHED_PATH " is no object");
	r = gs_json_get_string(file, "schema", &schema, e);
	if (r == 0)
		r = gs_json_get_i64(file, "taken_at_ms", &taken_at, e);
	if (r == 0)
		r = gs_json_get_object(file, "snapshot", &snapshot, e);
	if (r < 0)
		return r;
	if (!gs_str_equal(schema, SCHEMA) || !taken_at.known || !snapshot)
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "/" GS_PUBLISHED_PATH " is not of schema " SCHEMA);
	r = gs_snapshot_from_json(snapshot, &ret_published->snapshot, e);
	if (r < 0)
		return r;
	ret_published->taken_at = (struct gs_wall){ taken_at.value };
	return 0;
}

int gs_published_refresh(struct gs_root *root, struct gs_published *p, struct gs_error *e)
{
	struct stat st;
	int r = gs_root_stat(root, &st, GS_PUBLISHED_PATH);

	if (r == 0 && p->read.st_ino && gs_file_is_same(&st, &p->read))
		return p->snapshot ? 0 : gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "/" GS_PUBLISHED_PATH " is none of ours");
	gs_published_done(p);
	if (r == 0)
		r = read_file(root, p, e);
	/* one that was replaced between the two is another one at the next look */
	if (r == 0 || r == -EBADMSG)
		p->read = st;
	return r;
}

static const struct gs_compute *compute_by_uuid(const struct gs_gpu *gpu, const char *uuid, const struct gs_instance **ret_inst)
{
	for (size_t i = 0; i < gpu->n_instances; i++) {
		for (size_t k = 0; k < gpu->instances[i]->n_compute; k++) {
			if (gs_str_equal(gpu->instances[i]->compute[k]->uuid, uuid)) {
				*ret_inst = gpu->instances[i];
				return gpu->instances[i]->compute[k];
			}
		}
	}
	return NULL;
}

static bool join_instance(const struct gs_gpu *there, struct gs_instance *inst)
{
	bool found = false;

	for (size_t k = 0; k < inst->n_compute; k++) {
		struct gs_compute *c = inst->compute[k];
		const struct gs_instance *from;
		const struct gs_compute *same = c->uuid ? compute_by_uuid(there, c->uuid, &from) : NULL;

		if (!same || !gs_str_equal(from->profile, inst->profile) || !from->start.known || !from->size.known)
			continue;
		inst->start = from->start;
		inst->size = from->size;
		inst->profile_id = from->profile_id;
		inst->place_is_published = true;
		if (gs_str_equal(same->profile, c->profile)) {
			c->start = same->start;
			c->size = same->size;
			c->profile_id = same->profile_id;
		}
		found = true;
	}
	return found;
}

/* A published GPU instance without compute instance: no MIG device stands for it, so a viewer cannot see it by itself. */
static bool add_instance(struct gs_snapshot *s, struct gs_gpu *gpu, const struct gs_instance *from)
{
	struct gs_instance *inst;

	if (!from->start.known || !from->size.known || !from->profile)
		return false;
	for (size_t i = 0; i < gpu->n_instances; i++) {
		const struct gs_instance *other = gpu->instances[i];

		/* its id or its place was given to another since: what was published is older than that */
		if (other->kind == from->kind && other->id == from->id)
			return false;
		if (other->start.known && gs_span_overlaps((struct gs_span){ other->start.value, other->size.value },
							   (struct gs_span){ from->start.value, from->size.value }))
			return false;
	}
	inst = gs_gpu_add_instance(s, gpu);
	if (!inst)
		return false;
	inst->id = from->id;
	inst->kind = from->kind;
	inst->profile = gs_snapshot_text(s, from->profile);
	inst->profile_id = from->profile_id;
	inst->start = from->start;
	inst->size = from->size;
	inst->place_is_published = true;
	return true;
}

/* Is a compute instance of the published @from among those that this GPU has now? */
static bool is_still_there(const struct gs_gpu *gpu, const struct gs_instance *from)
{
	const struct gs_instance *inst;

	for (size_t k = 0; k < from->n_compute; k++) {
		if (from->compute[k]->uuid && compute_by_uuid(gpu, from->compute[k]->uuid, &inst) && gs_u32_equal(inst->start, from->start))
			return true;
	}
	return false;
}

bool gs_published_join(const struct gs_published *p, struct gs_snapshot *s, struct gs_gpu *gpu)
{
	const struct gs_gpu *there = gs_snapshot_gpu_by_bdf(p->snapshot, gpu->bdf);
	bool all;

	if (!there || !gs_str_equal(there->uuid, gpu->uuid) || there->mode != gpu->mode)
		return false;
	all = there->placements_visible;
	for (size_t i = 0; i < gpu->n_instances; i++) {
		if (!gpu->instances[i]->start.known && !join_instance(there, gpu->instances[i]))
			all = false;
	}
	for (size_t i = 0; i < there->n_instances; i++) {
		const struct gs_instance *from = there->instances[i];

		if (from->n_compute ? !is_still_there(gpu, from) : !add_instance(s, gpu, from))
			all = false;
	}
	/* NVML withholds the sum of a GPU in MIG mode, too (interfaces 5.7) */
	if (!gpu->memory_bytes.known)
		gpu->memory_bytes = there->memory_bytes;
	gs_snapshot_set_published(s, p->taken_at);
	return all;
}

void gs_published_join_events(const struct gs_published *p, struct gs_snapshot *s, struct gs_gpu *gpu)
{
	const struct gs_gpu *there = gs_snapshot_gpu_by_bdf(p->snapshot, gpu->bdf);

	/* one that is lost does not tell its UUID any more */
	if (gpu->events_visible || !there || !there->events_visible || (gpu->uuid && there->uuid && !gs_str_equal(there->uuid, gpu->uuid)))
		return;
	for (size_t i = 0; i < there->n_events; i++) {
		struct gs_gpu_event *ev = gs_gpu_add_event(s, gpu);

		if (!ev)
			return;
		*ev = *there->events[i];
		ev->text = gs_snapshot_text(s, ev->text);
	}
	/* that of another driver says nothing of this one */
	if (gs_str_equal(gpu->driver, there->driver))
		gpu->driver_loaded_ms = there->driver_loaded_ms;
	gpu->events_visible = true;
	gs_snapshot_set_published(s, p->taken_at);
}

void gs_published_join_open_commit(const struct gs_published *p, struct gs_snapshot *s, struct gs_gpu *gpu)
{
	const struct gs_gpu *there = gs_snapshot_gpu_by_bdf(p->snapshot, gpu->bdf);

	if (gpu->open_commit.state != GS_OPEN_NONE || !there || there->open_commit.state == GS_OPEN_NONE || there->open_commit.state == GS_OPEN_UNDER_WAY)
		return;
	gpu->open_commit = there->open_commit;
	gpu->open_commit.text = gs_snapshot_text(s, there->open_commit.text);
	gs_snapshot_set_published(s, p->taken_at);
}

/* Without the group the file stays root's alone. */
static gid_t group_of_viewers(const struct gs_root *root)
{
	const struct group *group = gs_root_kind(root) == GS_ROOT_LIVE ? getgrnam(GROUP) : NULL;

	return group ? group->gr_gid : (gid_t)-1;
}

int gs_published_write(struct gs_root *root, const struct gs_snapshot *s, struct gs_wall now, struct gs_error *e)
{
	GS_JSON struct json_object *file = json_object_new_object();
	GS_FREE char *text = NULL;
	struct gs_site_policy policy = { 0 };
	struct json_object *snapshot;
	struct gs_error why;
	int r = gs_site_policy_read(root, &policy, &why);

	/* what cannot be read may have been a wish to keep something back */
	if (r < 0)
		return gs_error_set(e, r, why.status, "%s. Nothing is published until that is mended; /" GS_PUBLISHED_PATH " stays as it was", why.text);
	snapshot = gs_snapshot_to_json(s, 0);

	if (!file || !snapshot) {
		json_object_put(snapshot);
		return gs_error_oom(e);
	}
	if (!policy.publish_names)
		gs_snapshot_json_leave_out_names(snapshot);
	gs_json_add_string(file, "schema", SCHEMA);
	gs_json_add_i64(file, "taken_at_ms", GS_I64(now.ms));
	json_object_object_add(file, "snapshot", snapshot);
	text = gs_json_to_line(file);
	if (!text)
		return gs_error_oom(e);
	r = gs_root_mkdir(root, 0755, "run/gpuslice");
	if (r == 0 || r == -EEXIST)
		r = gs_root_replace_file(root, text, strlen(text), 0640, group_of_viewers(root), GS_PUBLISHED_PATH);
	if (r < 0)
		return gs_error_set(e, r, GS_STATUS_FAILED, "/" GS_PUBLISHED_PATH " cannot be written: %s. Unprivileged viewers keep seeing the older one.",
				    strerror(-r));
	return 0;
}
