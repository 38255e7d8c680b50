/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lies around a GPU, from JSON: grids, virtual functions, siblings, pending writes. Nothing is trusted. */
#include <string.h>

#include "base/parse.h"
#include "codec/key_value.h"
#include "codec/profile_codec.h"
#include "codec/snapshot_codec.h"

#define GPUS_MAX 16384
/* SR-IOV counts VFs in 16 bits. */
#define VFS_TOTAL_MAX 65535u

static bool read_bdf(struct gs_json_reader *r, struct gs_bdf *ret_bdf)
{
	const char *text = gs_json_read_name(r, "bdf");

	if (!r->failed && gs_bdf_parse(text, ret_bdf) < 0)
		gs_json_read_fail(r, "bdf", "\"%.32s\" is not a PCI address", text);
	return !r->failed;
}

/* ---------------------------------------------------------------- keys and values */

struct json_object *gs_json_open_map(struct gs_json_reader *up, const char *key, size_t max, struct gs_json_where *where, struct gs_json_reader *ret_r)
{
	struct json_object *o = gs_json_read_object(up, key);

	*where = (struct gs_json_where){ up->where, key, 0 };
	if (!o)
		return NULL;
	*ret_r = gs_json_reader_of(o, where, up->e);
	if ((size_t)json_object_object_length(o) > max)
		gs_json_read_fail(ret_r, NULL, "has %d keys, at most %zu are possible", json_object_object_length(o), max);
	json_object_object_foreach(o, name, value) {
		(void)value;
		if (!gs_key_is_valid(name))
			gs_json_read_fail(ret_r, NULL, "\"%.64s\" cannot be a key", name);
	}
	up->failed = ret_r->failed;
	return ret_r->failed ? NULL : o;
}

const char *gs_snapshot_read_word(struct gs_snapshot *s, struct gs_json_reader *r, const char *key)
{
	const char *word = gs_json_read_string(r, key);

	if (word && strlen(word) > GS_VALUE_MAX)
		gs_json_read_fail(r, key, "is longer than %u bytes", GS_VALUE_MAX);
	return gs_snapshot_text(s, word);
}

const char **gs_snapshot_read_words(struct gs_snapshot *s, struct gs_json_reader *r, const char *key, size_t *ret_n)
{
	struct json_object *list;
	size_t n = gs_json_read_array(r, key, GS_SNAPSHOT_CHOICES_MAX, &list);
	const char **words = n ? gs_arena_calloc(gs_snapshot_arena(s), n, sizeof(*words)) : NULL;

	for (size_t i = 0; words && i < n && !r->failed; i++) {
		struct json_object *v = json_object_array_get_idx(list, i);
		const char *word = json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";

		if (!word[0] || strlen(word) > GS_VALUE_MAX)
			gs_json_read_fail(r, key, "element %zu is no word", i);
		words[i] = gs_snapshot_text(s, word);
		for (size_t k = 0; k < i && !r->failed; k++)
			if (gs_str_equal(words[k], words[i]))
				gs_json_read_fail(r, key, "%s is there twice", words[i]);
	}
	*ret_n = words ? n : 0;
	return words;
}

void gs_snapshot_read_params(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_instance *inst)
{
	struct gs_json_where where;
	struct gs_json_reader in;
	struct json_object *o = gs_json_open_map(r, "params", GS_PARAMS_MAX, &where, &in);

	if (!o || !json_object_object_length(o))
		return;
	inst->params = gs_arena_calloc(gs_snapshot_arena(s), (size_t)json_object_object_length(o), sizeof(*inst->params));
	if (!inst->params)
		return;         /* sealing will say that there is no memory */
	json_object_object_foreach(o, key, ignored) {
		const char *value = gs_snapshot_read_word(s, &in, key);

		(void)ignored;
		if (!in.failed && !value)
			gs_json_read_fail(&in, key, "is missing");
		inst->params[inst->n_params++] = (struct gs_key_value){ gs_snapshot_text(s, key), value };
	}
	r->failed = in.failed;
}

/* ---------------------------------------------------------------- functions */

static void read_vf_holders(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_vf *vf)
{
	struct json_object *list;
	size_t n = gs_json_read_array(r, "holders", GS_SNAPSHOT_HOLDERS_MAX, &list);
	struct gs_json_where holders = { r->where, "holders", 0 };

	for (size_t i = 0; i < n && !r->failed; i++) {
		struct gs_holder *h = gs_vf_add_holder(s, vf);
		struct gs_json_element el;

		if (!h)
			return;
		gs_json_element_open(&el, list, &holders, i, r->e);
		gs_snapshot_read_holder(s, &el.r, h);
		r->failed = el.r.failed;
	}
}

static void read_vf(struct gs_snapshot *s, struct gs_json_reader *r, const struct gs_gpu *gpu, struct gs_vf *vf)
{
	char bdf[GS_BDF_TEXT];

	vf->n = gs_json_read_number(r, "n", GS_SNAPSHOT_VFS_MAX - 1);
	if (!read_bdf(r, &vf->bdf))
		return;
	vf->driver = gs_snapshot_read_text(s, r, "driver");
	vf->iommu_group = gs_json_read_u32(r, "iommu_group", UINT32_MAX);
	vf->type = gs_snapshot_read_text(s, r, "type");
	read_vf_holders(s, r, vf);
	if (gpu->vfs.total.known && vf->n >= gpu->vfs.total.value)
		gs_json_read_fail(r, "n", "is %u of %u, counted from 0", vf->n, gpu->vfs.total.value);
	if (gs_bdf_compare(vf->bdf, gpu->bdf) == 0)
		gs_json_read_fail(r, "bdf", "%s is the GPU itself", gs_bdf_format(vf->bdf, bdf));
	for (size_t i = 0; i + 1 < gpu->vfs.n_functions; i++) {
		if (gpu->vfs.functions[i]->n == vf->n)
			gs_json_read_fail(r, "n", "%u is there twice", vf->n);
		if (gs_bdf_compare(gpu->vfs.functions[i]->bdf, vf->bdf) == 0)
			gs_json_read_fail(r, "bdf", "%s is there twice", gs_bdf_format(vf->bdf, bdf));
	}
}

static enum gs_vfs_by read_vfs_by(struct gs_json_reader *r)
{
	const char *word = gs_json_read_string(r, "by");

	if (!word)
		return GS_VFS_BY_NOBODY;
	if (strcmp(word, "numvfs") == 0)
		return GS_VFS_BY_NUMVFS;
	if (strcmp(word, "sriov-manage") != 0)
		gs_json_read_fail(r, "by", "\"%.32s\" is no way to change the number of VFs", word);
	return GS_VFS_BY_SRIOV_MANAGE;
}

/* How many functions there are may differ from "enabled" while VFs come and go: both are carried as they were seen. */
void gs_snapshot_read_vfs(struct gs_snapshot *s, struct gs_json_reader *up, struct gs_gpu *gpu)
{
	struct json_object *o = gs_json_read_object(up, "vfs"), *list;
	struct gs_json_where where = { up->where, "vfs", 0 }, functions = { &where, "functions", 0 };
	struct gs_json_reader r;
	size_t n;

	if (!o)
		return;
	r = gs_json_reader_of(o, &where, up->e);
	gpu->vfs.total = gs_json_read_u32(&r, "total", VFS_TOTAL_MAX);
	gpu->vfs.enabled = gs_json_read_u32(&r, "enabled", VFS_TOTAL_MAX);
	gpu->vfs.by = read_vfs_by(&r);
	if (gpu->vfs.total.known && gpu->vfs.enabled.known && gpu->vfs.enabled.value > gpu->vfs.total.value)
		gs_json_read_fail(&r, "enabled", "is %u of %u", gpu->vfs.enabled.value, gpu->vfs.total.value);
	if (json_object_object_get_ex(o, "quotas", NULL))
		gpu->vfs.quotas = gs_snapshot_read_words(s, &r, "quotas", &gpu->vfs.n_quotas);
	gpu->vfs.quotas_come_first = gs_json_read_bool(&r, "quotas_come_first", false);
	n = gs_json_read_array(&r, "functions", GS_SNAPSHOT_VFS_MAX, &list);
	for (size_t i = 0; i < n && !r.failed; i++) {
		struct gs_vf *vf = gs_gpu_add_vf(s, gpu);
		struct gs_json_element el;

		if (!vf)
			return;
		gs_json_element_open(&el, list, &functions, i, r.e);
		read_vf(s, &el.r, gpu, vf);
		r.failed = el.r.failed;
	}
	up->failed = r.failed;
}

/* "040300": six hex digits */
static uint32_t read_class(struct gs_json_reader *r)
{
	const char *text = gs_json_read_name(r, "class_id");
	uint32_t value = 0;

	if (!r->failed && (strspn(text, "0123456789abcdef") != 6 || text[6] || gs_parse_u32(text, 16, &value) < 0))
		gs_json_read_fail(r, "class_id", "\"%.32s\" is not six hex digits", text);
	return value;
}

static void read_sibling(struct gs_snapshot *s, struct gs_json_reader *r, const struct gs_gpu *gpu, struct gs_sibling *sibling)
{
	char bdf[GS_BDF_TEXT];

	if (!read_bdf(r, &sibling->bdf))
		return;
	sibling->class_id = read_class(r);
	sibling->driver = gs_snapshot_read_text(s, r, "driver");
	sibling->original_driver = gs_snapshot_read_text(s, r, "original_driver");
	sibling->is_bridge = gs_json_read_bool(r, "is_bridge", false);
	if (gs_bdf_compare(sibling->bdf, gpu->bdf) == 0)
		gs_json_read_fail(r, "bdf", "%s is the GPU itself", gs_bdf_format(sibling->bdf, bdf));
	for (size_t i = 0; i + 1 < gpu->n_siblings; i++)
		if (gs_bdf_compare(gpu->siblings[i]->bdf, sibling->bdf) == 0)
			gs_json_read_fail(r, "bdf", "%s is there twice", gs_bdf_format(sibling->bdf, bdf));
}

static void read_siblings(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_gpu *gpu)
{
	struct json_object *list;
	size_t n = gs_json_read_array(r, "siblings", GS_SNAPSHOT_SIBLINGS_MAX, &list);
	struct gs_json_where siblings = { r->where, "siblings", 0 };

	for (size_t i = 0; i < n && !r->failed; i++) {
		struct gs_sibling *sibling = gs_gpu_add_sibling(s, gpu);
		struct gs_json_element el;

		if (!sibling)
			return;
		gs_json_element_open(&el, list, &siblings, i, r->e);
		read_sibling(s, &el.r, gpu, sibling);
		r->failed = el.r.failed;
	}
}

static void read_write(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_pending_write *w)
{
	struct gs_i64 since;

	if (!read_bdf(r, &w->function))
		return;
	w->path = gs_snapshot_text(s, gs_json_read_name(r, "path"));
	w->value = gs_snapshot_read_text(s, r, "value");
	w->pid = gs_json_read_number(r, "pid", INT32_MAX);
	since = gs_json_read_i64(r, "since_ms");
	w->since = (struct gs_wall){ since.value };
	w->waits_for = gs_snapshot_read_text(s, r, "waits_for");
	if (!since.known)
		gs_json_read_fail(r, "since_ms", "is missing");
	if (!r->failed && !w->value)
		gs_json_read_fail(r, "value", "is missing");
}

static void read_writes(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_gpu *gpu)
{
	struct json_object *list;
	size_t n = gs_json_read_array(r, "writes", GS_SNAPSHOT_WRITES_MAX, &list);
	struct gs_json_where writes = { r->where, "writes", 0 };

	for (size_t i = 0; i < n && !r->failed; i++) {
		struct gs_pending_write *w = gs_gpu_add_write(s, gpu);
		struct gs_json_element el;

		if (!w)
			return;
		gs_json_element_open(&el, list, &writes, i, r->e);
		read_write(s, &el.r, w);
		r->failed = el.r.failed;
	}
}

static void read_open_commit(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_gpu *gpu)
{
	struct json_object *o = gs_json_read_object(r, "open_commit");
	struct gs_json_where where = { r->where, "open_commit", 0 };
	struct gs_json_reader inner;
	struct gs_u64 id;
	const char *state;

	if (!o)
		return;
	inner = gs_json_reader_of(o, &where, r->e);
	id = gs_json_read_u64(&inner, "id");
	state = gs_json_read_string(&inner, "state");
	gpu->open_commit.id = id.value;
	gpu->open_commit.state = state ? gs_open_state_from_name(state) : GS_OPEN_INVALID;
	gpu->open_commit.text = gs_snapshot_read_text(s, &inner, "text");
	if (!inner.failed && (!id.known || !id.value))
		gs_json_read_fail(&inner, "id", "is not the number of a commit");
	if (!inner.failed && (gpu->open_commit.state == GS_OPEN_INVALID || gpu->open_commit.state == GS_OPEN_NONE))
		gs_json_read_fail(&inner, "state", "is none of not-undone, interrupted, under-way");
	r->failed |= inner.failed;
}

void gs_snapshot_read_device(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_gpu *gpu)
{
	read_siblings(s, r, gpu);
	gs_settings_read(s, r, gpu);
	read_open_commit(s, r, gpu);
	read_writes(s, r, gpu);
}

/* ---------------------------------------------------------------- grids */

/* "as element N", which stands before this one; its strings live as long as this snapshot. NULL when there is none. */
static const struct gs_profile_set *earlier_grid(const struct gs_snapshot *s, const struct gs_gpu *gpu, uint32_t as, enum gs_instance_kind kind)
{
	const struct gs_gpu *other = gs_snapshot_gpu(s, as);

	return other && other != gpu ? &other->grids[kind] : NULL;
}

/* The MIG grid is said twice when profiles are there; the two must agree. */
static void read_mig_grid(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_gpu *gpu)
{
	struct json_object *grid = gs_json_read_object(r, "grid"), *profiles = gs_json_read_object(r, "profiles");
	struct gs_json_where where = { r->where, "grid", 0 };
	struct gs_profile_set *set = &gpu->grids[GS_KIND_MIG];
	const struct gs_profile_set *earlier;
	struct gs_json_reader in;
	struct gs_u32 as;

	if (grid) {
		in = gs_json_reader_of(grid, &where, r->e);
		set->memory_units = gs_json_read_u32(&in, "memory_units", GS_GRID_UNITS_MAX).value;
		set->compute_slices = gs_json_read_u32(&in, "compute_units", GS_COMPUTE_SLICES_MAX).value;
		r->failed = in.failed;
	}
	as = gs_json_read_u32(r, "profiles_as", GPUS_MAX);
	if (as.known && !r->failed) {
		earlier = earlier_grid(s, gpu, as.value, GS_KIND_MIG);
		if (profiles || !earlier || earlier->memory_units != set->memory_units)
			gs_json_read_fail(r, "profiles_as", "names no earlier GPU of the same grid");
		else
			*set = *earlier;
		return;
	}
	if (r->failed || !profiles)
		return;
	where.key = "profiles";
	in = gs_json_reader_of(profiles, &where, r->e);
	*set = (struct gs_profile_set){ .memory_units = set->memory_units, .compute_slices = set->compute_slices };
	if (gs_json_read_number(&in, "memory_units", GS_GRID_UNITS_MAX) != set->memory_units ||
	    gs_json_read_number(&in, "compute_slices", GS_COMPUTE_SLICES_MAX) != set->compute_slices)
		gs_json_read_fail(&in, NULL, "does not agree with the grid");
	gs_profile_set_read(&in, gs_snapshot_arena(s), set);
	r->failed = in.failed;
}

/* Under the kind's name in "grids", or its element in "grids_as"; other kinds are another version's. */
static void read_grid_of(struct gs_snapshot *s, struct gs_json_reader *grids, struct gs_json_reader *as, struct gs_gpu *gpu, enum gs_instance_kind kind)
{
	const char *name = gs_instance_kind_name(kind);
	struct json_object *o = gs_json_read_object(grids, name);
	struct gs_u32 index = gs_json_read_u32(as, name, GPUS_MAX);
	struct gs_json_where where = { grids->where, name, 0 };
	const struct gs_profile_set *earlier;
	struct gs_json_reader in;

	if (index.known) {
		earlier = earlier_grid(s, gpu, index.value, kind);
		if (o || !earlier || !earlier->memory_units)
			gs_json_read_fail(as, name, "names no earlier GPU with such a grid");
		else
			gpu->grids[kind] = *earlier;
	} else if (o) {
		in = gs_json_reader_of(o, &where, grids->e);
		gs_profile_set_read(&in, gs_snapshot_arena(s), &gpu->grids[kind]);
		if (!in.failed && !gpu->grids[kind].memory_units)
			gs_json_read_fail(&in, "memory_units", "is 0");
		grids->failed = in.failed;
	}
}

void gs_snapshot_read_grids(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_gpu *gpu)
{
	struct json_object *grids = gs_json_read_object(r, "grids"), *as = gs_json_read_object(r, "grids_as");
	struct gs_json_where grids_where = { r->where, "grids", 0 }, as_where = { r->where, "grids_as", 0 };
	GS_JSON struct json_object *none = json_object_new_object();
	struct gs_json_reader grids_r, as_r;

	read_mig_grid(s, r, gpu);
	grids_r = gs_json_reader_of(grids ? grids : none, &grids_where, r->e);
	as_r = gs_json_reader_of(as ? as : none, &as_where, r->e);
	for (int k = 0; k < GS_KIND_MAX && !r->failed; k++) {
		if (k != GS_KIND_MIG)
			read_grid_of(s, &grids_r, &as_r, gpu, (enum gs_instance_kind)k);
		r->failed = grids_r.failed ? grids_r.failed : as_r.failed;
	}
}
