/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One instance of a layout: which keys it takes depends on its kind. */
#include <uuid/uuid.h>

#include "base/parse.h"
#include "codec/key_value.h"
#include "codec/layout_read.h"
#include "codec/snapshot_json.h"

#define COMPUTE_MAX GS_GRID_UNITS_MAX
/* 0xFFFF is the driver's «none» (interfaces 2.5) */
#define PLACEMENT_ID_MAX 65534u

static bool is_empty(const struct gs_yaml_node *node)
{
	return gs_yaml_is_null(node) || (node->kind != GS_YAML_SCALAR && !node->first);
}

/* Keys of other kinds are part of the schema, but nothing here could honour them: they are not passed over. */
static int refuse_unsupported(struct gs_layout_reader *d, const struct gs_yaml_node *map, const char *const *keys, const char *kind)
{
	for (size_t i = 0; keys[i]; i++) {
		const struct gs_yaml_node *node = gs_yaml_member(map, keys[i]);

		if (!is_empty(node))
			return gs_yaml_fail(&node->pos, d->e, "\"%s\" is not supported for %s: leave it out or make it null", keys[i], kind);
	}
	return 0;
}

static int read_compute(struct gs_layout_reader *d, const struct gs_yaml_node *node, struct gs_want_compute *c)
{
	static const char *const keys[] = { "profile", "start", NULL };
	int r = gs_yaml_check_map(node, "a compute instance", keys, d->e);

	if (r == 0)
		r = gs_layout_read_string(d, node, "profile", &c->profile);
	if (r == 0 && (!c->profile || !c->profile[0]))
		r = gs_yaml_fail(&node->pos, d->e, "a compute instance needs a \"profile\"");
	if (r == 0)
		r = gs_yaml_u32(gs_yaml_member(node, "start"), "start", GS_GRID_UNITS_MAX - 1, &c->start, d->e);
	return r;
}

static int read_computes(struct gs_layout_reader *d, const struct gs_yaml_node *list, struct gs_want *w)
{
	size_t n = 0;
	int r;

	w->compute_default = gs_yaml_is_null(list);
	if (w->compute_default)
		return 0;
	r = gs_yaml_check_list(list, "compute", COMPUTE_MAX, d->e);
	if (r < 0)
		return r;
	for (const struct gs_yaml_node *m = list->first; m; m = m->next)
		n++;
	w->compute = gs_arena_calloc(d->layout->arena, n, sizeof(*w->compute));
	if (!w->compute)
		return gs_error_oom(d->e);
	for (const struct gs_yaml_node *m = list->first; m && r == 0; m = m->next)
		r = read_compute(d, m, &w->compute[w->n_compute++]);
	return r;
}

static int read_kind(struct gs_layout_reader *d, const struct gs_yaml_node *node, enum gs_instance_kind otherwise, enum gs_instance_kind *ret_kind)
{
	const struct gs_yaml_node *value = gs_yaml_member(node, "kind");
	const char *name = NULL;
	int r = gs_yaml_string(value, "kind", &name, d->e);

	if (r < 0)
		return r;
	*ret_kind = name ? gs_instance_kind_from_name(name) : otherwise;
	if (*ret_kind == GS_KIND_INVALID)
		return gs_yaml_fail(&value->pos, d->e, "\"%.32s\" is not a kind of instance", name);
	if (*ret_kind == GS_KIND_PASSTHROUGH)
		return gs_yaml_fail(&value->pos, d->e, "a passthrough instance follows from \"mode\": passthrough; leave it out");
	if (*ret_kind == GS_KIND_PARTITION)
		return gs_yaml_fail(&value->pos, d->e, "a partition follows from \"settings\", such as compute-partition; leave it out");
	return 0;
}

static int read_profile(struct gs_layout_reader *d, const struct gs_yaml_node *node, struct gs_want *w)
{
	int r = gs_layout_read_string(d, node, "profile", &w->profile);

	if (r == 0 && (!w->profile || !w->profile[0]))
		r = gs_yaml_fail(&node->pos, d->e, "an instance needs a \"profile\"");
	return r;
}

static int take_param(struct gs_layout_reader *d, void *userdata, const char *key, const char *value, const struct gs_yaml_node *node)
{
	struct gs_want *w = userdata;

	if (!gs_param_value_is_valid(value))
		return gs_yaml_fail(&node->pos, d->e, "\"%.64s\" cannot be the value of a parameter: 1 to %u printable ASCII characters without blank and comma",
				    value, GS_VALUE_MAX);
	w->params[w->n_params++] = (struct gs_key_value){ key, value };
	return 0;
}

static int read_params(struct gs_layout_reader *d, const struct gs_yaml_node *node, struct gs_want *w)
{
	const struct gs_yaml_node *map = gs_yaml_member(node, "params");

	if (is_empty(map))
		return map && map->kind == GS_YAML_LIST ? gs_yaml_fail(&map->pos, d->e, "\"params\" must be an object with keys") : 0;
	w->params = gs_arena_calloc(d->layout->arena, GS_PARAMS_MAX, sizeof(*w->params));
	if (!w->params)
		return gs_error_oom(d->e);
	return gs_layout_read_pairs(d, map, "\"params\"", GS_PARAMS_MAX, take_param, w);
}

static int read_mig(struct gs_layout_reader *d, const struct gs_yaml_node *node, struct gs_want *w)
{
	static const char *const unsupported[] = { "on", "vf", "uuid", NULL };
	int r = read_profile(d, node, w);

	if (r == 0)
		r = read_params(d, node, w);
	if (r == 0)
		r = gs_yaml_u32(gs_yaml_member(node, "start"), "start", GS_GRID_UNITS_MAX - 1, &w->start, d->e);
	if (r == 0)
		r = refuse_unsupported(d, node, unsupported, "MIG");
	return r < 0 ? r : read_computes(d, gs_yaml_member(node, "compute"), w);
}

/* ---- vGPUs and VFs ---- */

static int read_uuid(struct gs_layout_reader *d, const struct gs_yaml_node *node, struct gs_want *w)
{
	const struct gs_yaml_node *value = gs_yaml_member(node, "uuid");
	const char *text = NULL;
	char lower[37];
	uuid_t uuid;
	int r = gs_yaml_string(value, "uuid", &text, d->e);

	if (r < 0 || !text)
		return r;
	if (uuid_parse(text, uuid) < 0)
		return gs_yaml_fail(&value->pos, d->e, "\"%.40s\" is no UUID (8-4-4-4-12 hex digits)", text);
	uuid_unparse_lower(uuid, lower);
	w->uuid = gs_arena_strdup(d->layout->arena, lower);
	return w->uuid ? 0 : gs_error_oom(d->e);
}

/* The GPU instance that a MIG-backed vGPU lies in. */
static int read_on(struct gs_layout_reader *d, const struct gs_yaml_node *node, struct gs_want *w)
{
	static const char *const keys[] = { "profile", "start", NULL };
	const struct gs_yaml_node *on = gs_yaml_member(node, "on");
	int r;

	if (gs_yaml_is_null(on))
		return 0;
	r = gs_yaml_check_map(on, "\"on\"", keys, d->e);
	if (r == 0)
		r = gs_layout_read_string(d, on, "profile", &w->on_profile);
	if (r == 0)
		r = gs_yaml_u32(gs_yaml_member(on, "start"), "start", GS_GRID_UNITS_MAX - 1, &w->on_start, d->e);
	if (r == 0 && (!w->on_profile || !w->on_profile[0] || !w->on_start.known))
		r = gs_yaml_fail(&on->pos, d->e, "\"on\" needs the \"profile\" and the \"start\" of a GPU instance");
	return r;
}

/* "start" is the placement id of mixed sizes, as "at" is in a script; the slot is the VF. */
static int read_vgpu(struct gs_layout_reader *d, const struct gs_yaml_node *node, struct gs_want *w)
{
	static const char *const unsupported[] = { "compute", NULL };
	int r = read_profile(d, node, w);

	if (r == 0)
		r = gs_yaml_u32(gs_yaml_member(node, "start"), "start", PLACEMENT_ID_MAX, &w->placement_id, d->e);
	if (r == 0)
		r = gs_yaml_u32(gs_yaml_member(node, "vf"), "vf", GS_GRID_UNITS_MAX - 1, &w->start, d->e);
	if (r == 0)
		r = read_on(d, node, w);
	if (r == 0)
		r = read_uuid(d, node, w);
	if (r == 0)
		r = read_params(d, node, w);
	return r < 0 ? r : refuse_unsupported(d, node, unsupported, "a vGPU");
}

/* No instance of its own: parameters of one VF. */
static int read_sriov(struct gs_layout_reader *d, const struct gs_yaml_node *node, struct gs_want *w)
{
	static const char *const unsupported[] = { "start", "on", "uuid", "compute", NULL };
	int r = gs_layout_read_string(d, node, "profile", &w->profile);

	if (r == 0)
		r = refuse_unsupported(d, node, unsupported, "a VF");
	if (r == 0)
		r = gs_yaml_u32(gs_yaml_member(node, "vf"), "vf", GS_SNAPSHOT_VFS_MAX - 1, &w->start, d->e);
	if (r == 0)
		r = read_params(d, node, w);
	if (r == 0 && (!w->start.known || !w->n_params))
		r = gs_yaml_fail(&node->pos, d->e, "an instance of kind sriov needs \"vf\" and \"params\"; how many VFs there are is said by \"vfs\"");
	return r;
}

/* Where two elements speak of the same VF or UUID, the second is at fault. */
static int check_unique(struct gs_layout_reader *d, const struct gs_yaml_node *node, const struct gs_layout_gpu *g)
{
	const struct gs_want *w = &g->wants[g->n_wants - 1];

	for (size_t i = 0; i + 1 < g->n_wants && w->kind != GS_KIND_MIG; i++) {
		if (g->wants[i].kind != w->kind)
			continue;
		if (w->start.known && gs_u32_equal(w->start, g->wants[i].start))
			return gs_yaml_fail(&gs_yaml_member(node, "vf")->pos, d->e, "VF %u is there twice", w->start.value);
		if (w->uuid && gs_str_equal(w->uuid, g->wants[i].uuid))
			return gs_yaml_fail(&gs_yaml_member(node, "uuid")->pos, d->e, "%s is there twice", w->uuid);
	}
	return 0;
}

int gs_layout_read_want(struct gs_layout_reader *d, const struct gs_yaml_node *node, enum gs_instance_kind kind, struct gs_layout_gpu *g)
{
	static const char *const keys[] = { "kind", "profile", "start", "on", "vf", "uuid", "params", "compute", NULL };
	const struct gs_yaml_node *profile;
	struct gs_want *w;
	int r = gs_yaml_check_map(node, "an instance", keys, d->e);

	if (r < 0)
		return r;
	w = gs_layout_add_want(d->layout, g);
	if (!w)
		return gs_error_oom(d->e);
	r = read_kind(d, node, kind, &w->kind);
	if (r < 0)
		return r;
	switch (w->kind) {
	case GS_KIND_VGPU:
		r = read_vgpu(d, node, w);
		break;
	case GS_KIND_SRIOV:
		r = read_sriov(d, node, w);
		break;
	default:
		r = read_mig(d, node, w);
		break;
	}
	if (r == 0)
		r = check_unique(d, node, g);
	if (r < 0)
		return r;
	profile = gs_yaml_member(node, "profile");
	w->pos = gs_layout_read_position(d, profile ? &profile->pos : &node->pos);
	return 0;
}
