/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lies around a GPU, as JSON: grids, virtual functions, siblings, pending writes. */
#include <string.h>

#include "base/parse.h"
#include "codec/profile_codec.h"
#include "codec/snapshot_codec.h"

static void add_bdf(struct json_object *o, const char *key, struct gs_bdf bdf)
{
	char text[GS_BDF_TEXT];

	gs_json_add_string(o, key, gs_bdf_format(bdf, text));
}

struct json_object *gs_params_to_json(const struct gs_key_value *params, size_t n)
{
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < n; i++)
		gs_json_add_string(o, params[i].key, params[i].value);
	return o;
}

/* ---------------------------------------------------------------- functions */

const char *gs_vfs_by_name(enum gs_vfs_by by)
{
	switch (by) {
	case GS_VFS_BY_NUMVFS:
		return "numvfs";
	case GS_VFS_BY_SRIOV_MANAGE:
		return "sriov-manage";
	case GS_VFS_BY_NOBODY:
		break;
	}
	return NULL;
}

static struct json_object *vf_to_json(const struct gs_vf *vf)
{
	struct json_object *o = json_object_new_object();

	gs_json_add_u32(o, "n", GS_U32(vf->n));
	add_bdf(o, "bdf", vf->bdf);
	gs_json_add_string(o, "driver", vf->driver);
	gs_json_add_u32(o, "iommu_group", vf->iommu_group);
	gs_json_add_string(o, "type", vf->type);
	json_object_object_add(o, "holders", gs_holders_to_json(vf->holders, vf->n_holders));
	return o;
}

static struct json_object *quotas_to_json(const struct gs_gpu *gpu)
{
	struct json_object *list = json_object_new_array_ext((int)gpu->vfs.n_quotas);

	for (size_t i = 0; i < gpu->vfs.n_quotas; i++)
		json_object_array_add(list, json_object_new_string(gpu->vfs.quotas[i]));
	return list;
}

struct json_object *gs_vfs_to_json(const struct gs_gpu *gpu)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array_ext((int)gpu->vfs.n_functions);

	gs_json_add_u32(o, "total", gpu->vfs.total);
	gs_json_add_u32(o, "enabled", gpu->vfs.enabled);
	gs_json_add_string(o, "by", gs_vfs_by_name(gpu->vfs.by));
	for (size_t i = 0; i < gpu->vfs.n_functions; i++)
		json_object_array_add(list, vf_to_json(gpu->vfs.functions[i]));
	json_object_object_add(o, "functions", list);
	if (gpu->vfs.n_quotas) {
		json_object_object_add(o, "quotas", quotas_to_json(gpu));
		json_object_object_add(o, "quotas_come_first", json_object_new_boolean(gpu->vfs.quotas_come_first));
	}
	return o;
}

static struct json_object *siblings_to_json(const struct gs_gpu *gpu)
{
	struct json_object *list = json_object_new_array_ext((int)gpu->n_siblings);

	for (size_t i = 0; i < gpu->n_siblings; i++) {
		const struct gs_sibling *sibling = gpu->siblings[i];
		struct json_object *o = json_object_new_object();
		char class_id[16];

		snprintf(class_id, sizeof(class_id), "%06x", sibling->class_id & 0xffffff);
		add_bdf(o, "bdf", sibling->bdf);
		gs_json_add_string(o, "class_id", class_id);
		gs_json_add_string(o, "driver", sibling->driver);
		gs_json_add_string(o, "original_driver", sibling->original_driver);
		json_object_object_add(o, "is_bridge", json_object_new_boolean(sibling->is_bridge));
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *open_commit_to_json(const struct gs_open_commit *c)
{
	struct json_object *o = json_object_new_object();

	gs_json_add_u64(o, "id", GS_U64(c->id));
	gs_json_add_string(o, "state", gs_open_state_name(c->state));
	gs_json_add_string(o, "text", c->text);
	return o;
}

static struct json_object *writes_to_json(const struct gs_gpu *gpu)
{
	struct json_object *list = json_object_new_array_ext((int)gpu->n_writes);

	for (size_t i = 0; i < gpu->n_writes; i++) {
		const struct gs_pending_write *w = gpu->writes[i];
		struct json_object *o = json_object_new_object();

		add_bdf(o, "bdf", w->function);
		gs_json_add_string(o, "path", w->path);
		gs_json_add_string(o, "value", w->value);
		gs_json_add_u32(o, "pid", GS_U32(w->pid));
		gs_json_add_i64(o, "since_ms", GS_I64(w->since.ms));
		gs_json_add_string(o, "waits_for", w->waits_for);
		json_object_array_add(list, o);
	}
	return list;
}

void gs_device_add_json(struct json_object *o, const struct gs_gpu *gpu)
{
	json_object_object_add(o, "siblings", siblings_to_json(gpu));
	gs_settings_add_json(o, gpu);
	/* absent: none, or not for us to see */
	if (gpu->open_commit.state != GS_OPEN_NONE)
		json_object_object_add(o, "open_commit", open_commit_to_json(&gpu->open_commit));
	json_object_object_add(o, "writes", writes_to_json(gpu));
}

/* ---------------------------------------------------------------- grids */

static bool mixed_equal(const struct gs_profile *a, const struct gs_profile *b)
{
	return gs_u32_equal(a->max_mixed, b->max_mixed) && a->mixed_size == b->mixed_size && a->n_mixed_ids == b->n_mixed_ids &&
	       (!a->n_mixed_ids || memcmp(a->mixed_ids, b->mixed_ids, a->n_mixed_ids * sizeof(*a->mixed_ids)) == 0);
}

/* Word for word the same, with what only grids other than MIG's have. */
static bool grids_equal(const struct gs_profile_set *a, const struct gs_profile_set *b)
{
	if (!gs_profile_set_equal(a, b) || a->is_slots != b->is_slots || a->has_one_size != b->has_one_size || a->avoid != b->avoid)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!gs_str_equal(a->items[i].gi_profile, b->items[i].gi_profile) || !gs_u32_equal(a->items[i].max_per_gi, b->items[i].max_per_gi) ||
		    !mixed_equal(&a->items[i], &b->items[i]))
			return false;
	return true;
}

/*
 * A host has one model of GPU as a rule: its profiles are written once and
 * pointed at by the rest, which makes two thirds of what goes over the wire.
 */
static struct gs_u32 earlier_equal(const struct gs_snapshot *s, size_t index, enum gs_instance_kind kind)
{
	const struct gs_profile_set *set = &gs_snapshot_gpu(s, index)->grids[kind];

	for (size_t i = 0; i < index; i++)
		if (grids_equal(&gs_snapshot_gpu(s, i)->grids[kind], set))
			return GS_U32((uint32_t)i);
	return GS_U32_UNKNOWN;
}

void gs_grids_add_json(struct json_object *o, const struct gs_snapshot *s, size_t index)
{
	struct json_object *grids = json_object_new_object(), *grids_as = json_object_new_object();
	const struct gs_gpu *gpu = gs_snapshot_gpu(s, index);

	for (int k = 0; k < GS_KIND_MAX; k++) {
		enum gs_instance_kind kind = (enum gs_instance_kind)k;
		struct gs_u32 as = earlier_equal(s, index, kind);

		if (kind == GS_KIND_MIG && as.known)
			gs_json_add_u32(o, "profiles_as", as);
		else if (kind == GS_KIND_MIG)
			json_object_object_add(o, "profiles", gs_profile_set_to_json(&gpu->grids[kind]));
		else if (!gpu->grids[kind].memory_units)
			continue;
		else if (as.known)
			gs_json_add_u32(grids_as, gs_instance_kind_name(kind), as);
		else
			json_object_object_add(grids, gs_instance_kind_name(kind), gs_profile_set_to_json(&gpu->grids[kind]));
	}
	json_object_object_add(o, "grids", grids);
	json_object_object_add(o, "grids_as", grids_as);
}
