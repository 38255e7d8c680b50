/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/who_json.h"

static struct json_object *place_to_json(struct gs_who_place place)
{
	const struct gs_instance *inst = place.instance;
	struct json_object *o = json_object_new_object(), *in = NULL;

	if (inst) {
		in = json_object_new_object();
		gs_json_add_u32(in, "id", GS_U32(inst->id));
		gs_json_add_string(in, "kind", gs_instance_kind_name(inst->kind));
		gs_json_add_string(in, "profile", inst->profile);
		gs_json_add_u32(in, "start", inst->start);
		gs_json_add_string(in, "uuid", inst->uuid);
	}
	json_object_object_add(o, "instance", in);
	gs_json_add_u32(o, "vf", place.vf ? GS_U32(place.vf->n) : inst ? inst->vf : GS_U32_UNKNOWN);
	return o;
}

/* Of somebody who cannot be seen: the verdict that it has for any operation. */
static struct json_object *judgements_to_json(const struct gs_gpu *gpu, const struct gs_who_entry *entry, unsigned ops)
{
	struct json_object *o = json_object_new_object();

	for (int op = 0; op < GS_WHO_OP_MAX; op++) {
		const char *reason = entry->reason;
		enum gs_who_verdict verdict = entry->verdict;
		struct json_object *one;

		if (!(ops & 1u << op))
			continue;
		if (entry->holder)
			verdict = gs_who_answer(gpu, entry->holder, entry->place, (enum gs_who_op)op, &reason);
		one = json_object_new_object();
		gs_json_add_string(one, "verdict", gs_who_verdict_name(verdict));
		gs_json_add_string(one, "reason", reason);
		json_object_object_add(o, gs_who_op_name((enum gs_who_op)op), one);
	}
	return o;
}

static struct json_object *entry_to_json(const struct gs_gpu *gpu, const struct gs_who_entry *entry, unsigned ops)
{
	static const struct gs_holder nobody;
	const struct gs_holder *h = entry->holder ? entry->holder : &nobody;
	struct json_object *o = json_object_new_object();

	gs_json_add_string(o, "kind", entry->holder ? gs_holder_kind_name(h->kind) : NULL);
	gs_json_add_u32(o, "pid", h->pid);
	gs_json_add_u64(o, "start_time", h->start_time);
	gs_json_add_u32(o, "uid", h->uid);
	gs_json_add_string(o, "user", h->user);
	gs_json_add_string(o, "name", h->name);
	gs_json_add_string(o, "unit", h->unit);
	gs_json_add_string(o, "vm_uuid", h->vm_uuid);
	gs_json_add_string(o, "evidence", h->evidence);
	json_object_object_add(o, "where", place_to_json(entry->place));
	json_object_object_add(o, "for", judgements_to_json(gpu, entry, ops));
	return o;
}

static struct json_object *gpu_to_json(const struct gs_gpu *gpu, unsigned ops)
{
	GS_CLEANUP(gs_arena_freep) struct gs_arena *arena = gs_arena_new();
	struct json_object *o, *list;
	struct gs_who_entry *entries;
	char bdf[GS_BDF_TEXT];
	int first = 0;
	size_t n;

	while (first + 1 < GS_WHO_OP_MAX && !(ops & 1u << first))
		first++;
	if (!arena || gs_who_list(gpu, (enum gs_who_op)first, arena, &entries, &n) < 0)
		return NULL;
	o = json_object_new_object();
	list = json_object_new_array();
	gs_json_add_u32(o, "index", GS_U32(gpu->index));
	gs_json_add_string(o, "bdf", gs_bdf_format(gpu->bdf, bdf));
	gs_json_add_string(o, "uuid", gpu->uuid);
	json_object_object_add(o, "visible", json_object_new_boolean(gpu->holders_visible));
	for (size_t i = 0; i < n; i++)
		json_object_array_add(list, entry_to_json(gpu, &entries[i], ops));
	json_object_object_add(o, "entries", list);
	return o;
}

static struct json_object *sources_to_json(const struct gs_snapshot *s)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < gs_snapshot_n_sources(s); i++) {
		const struct gs_source *source = gs_snapshot_source_at(s, i);
		struct json_object *o = json_object_new_object();

		gs_json_add_string(o, "name", source->name);
		json_object_object_add(o, "present", json_object_new_boolean(source->is_present));
		gs_json_add_string(o, "text", source->text);
		json_object_array_add(list, o);
	}
	return list;
}

struct json_object *gs_who_to_json(const struct gs_snapshot *s, const uint32_t *indices, size_t n, unsigned ops)
{
	GS_JSON struct json_object *o = json_object_new_object();
	struct json_object *gpus = json_object_new_array();

	gs_json_add_string(o, "schema", "gpuslice.who/1");
	gs_json_add_string(o, "host", gs_snapshot_host(s));
	json_object_object_add(o, "gpus", gpus);
	for (size_t i = 0; i < n; i++) {
		struct json_object *gpu = gpu_to_json(gs_snapshot_gpu(s, indices[i]), ops);

		if (!gpu)
			return NULL;
		json_object_array_add(gpus, gpu);
	}
	json_object_object_add(o, "sources", sources_to_json(s));
	return GS_TAKE(o);
}
