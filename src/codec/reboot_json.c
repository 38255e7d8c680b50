/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/reboot_json.h"

#include "codec/layout_text.h"
#include "codec/plan_json.h"

static struct json_object *members_to_json(uint32_t members)
{
	struct json_object *list = json_object_new_array();

	for (int m = 0; list && m < GS_REBOOT_MEMBER_MAX; m++)
		if (members & 1u << m)
			json_object_array_add(list, json_object_new_string(gs_reboot_member_name((enum gs_reboot_member)m)));
	return list;
}

static struct json_object *item_to_json(const struct gs_reboot_item *item)
{
	struct json_object *o = json_object_new_object();

	gs_json_add_string(o, "fate", gs_reboot_fate_name(item->fate));
	gs_json_add_string(o, "what", item->what);
	gs_json_add_string(o, "why", item->why);
	return o;
}

static struct json_object *gpu_to_json(const struct gs_gpu *gpu, const struct gs_reboot_item *items, size_t n)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	uint32_t members = 0;
	char bdf[GS_BDF_TEXT];

	for (size_t i = 0; i < n; i++) {
		members |= items[i].members;
		json_object_array_add(list, item_to_json(&items[i]));
	}
	gs_json_add_u32(o, "index", GS_U32(gpu->index));
	gs_json_add_string(o, "bdf", gs_bdf_format(gpu->bdf, bdf));
	gs_json_add_string(o, "uuid", gpu->uuid);
	json_object_object_add(o, "items", list);
	json_object_object_add(o, "unknown", members_to_json(members));
	return o;
}

static struct json_object *restore_to_json(const struct gs_reboot_restore *restore)
{
	struct json_object *o = restore ? json_object_new_object() : NULL;

	if (!o)
		return NULL;
	gs_json_add_string(o, "file", restore->file);
	gs_json_add_string(o, "error", restore->error);
	json_object_object_add(o, "plan", restore->plan ? gs_plan_to_json(restore->plan) : NULL);
	return o;
}

struct json_object *gs_reboot_to_json(const struct gs_snapshot *s, const struct gs_snapshot *after, const struct gs_reboot_restore *restore)
{
	GS_CLEANUP(gs_arena_freep) struct gs_arena *arena = gs_arena_new();
	GS_CLEANUP(gs_layout_freep) struct gs_layout *layout = NULL;
	struct json_object *o = json_object_new_object(), *host = json_object_new_object(), *gpus = json_object_new_array();
	struct gs_error e;
	int r = arena && o && host && gpus ? gs_layout_from_snapshot(after, &layout, &e) : -1;

	for (size_t i = 0; r == 0 && i < gs_snapshot_n_gpus(s); i++) {
		struct gs_reboot_item *items;
		size_t n;

		r = gs_reboot_items(gs_snapshot_gpu(s, i), arena, &items, &n);
		if (r == 0)
			json_object_array_add(gpus, gpu_to_json(gs_snapshot_gpu(s, i), items, n));
	}
	if (r < 0) {
		json_object_put(o);
		json_object_put(host);
		json_object_put(gpus);
		return NULL;
	}
	gs_json_add_string(o, "schema", "gpuslice.reboot/1");
	gs_json_add_string(host, "name", gs_snapshot_host(s));
	gs_json_add_string(host, "source", gs_host_source_name(gs_snapshot_source(s)));
	json_object_object_add(o, "host", host);
	json_object_object_add(o, "gpus", gpus);
	json_object_object_add(o, "layout", gs_layout_to_json(layout, after));
	json_object_object_add(o, "restore", restore_to_json(restore));
	return o;
}
