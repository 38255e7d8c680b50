/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text to layout: JSON and YAML become one tree, which one validator reads. */
#include "codec/layout_text.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "codec/yaml_node.h"

#define LAYOUT_SCHEMA "gpuslice.layout/1"
#define GPUS_MAX 16384
#define INSTANCES_MAX GS_PLACED_MAX
#define COMPUTE_MAX GS_GRID_UNITS_MAX

/* What the tree is read into; nodes live in @nodes, the layout has copies. */
struct decoder {
	struct gs_layout *layout;
	struct gs_error *e;
};

static int copy_string(struct decoder *d, const struct gs_yaml_node *map, const char *key, const char **ret)
{
	const char *s = NULL;
	int r = gs_yaml_string(gs_yaml_member(map, key), key, &s, d->e);

	if (r < 0)
		return r;
	*ret = gs_arena_strdup(d->layout->arena, s);
	return s && !*ret ? gs_error_oom(d->e) : 0;
}

static struct gs_position copy_position(struct decoder *d, const struct gs_position *pos)
{
	return (struct gs_position){ gs_arena_strdup(d->layout->arena, pos->file), pos->line, pos->column };
}

static bool is_empty(const struct gs_yaml_node *node)
{
	return gs_yaml_is_null(node) || (node->kind != GS_YAML_SCALAR && !node->first);
}

/* Keys of other families are part of the schema, but nothing here could honour them: they are not passed over. */
static int refuse_unsupported(struct decoder *d, const struct gs_yaml_node *map, const char *const *keys)
{
	for (size_t i = 0; keys[i]; i++) {
		const struct gs_yaml_node *node = gs_yaml_member(map, keys[i]);

		if (!is_empty(node))
			return gs_yaml_fail(&node->pos, d->e, "\"%s\" is not supported for MIG: leave it out or make it null", keys[i]);
	}
	return 0;
}

static int read_compute(struct decoder *d, const struct gs_yaml_node *node, struct gs_want_compute *c)
{
	static const char *const keys[] = { "profile", "start", NULL };
	int r = gs_yaml_check_map(node, "a compute instance", keys, d->e);

	if (r == 0)
		r = copy_string(d, node, "profile", &c->profile);
	if (r == 0 && (!c->profile || !c->profile[0]))
		r = gs_yaml_fail(&node->pos, d->e, "a compute instance needs a \"profile\"");
	if (r == 0)
		r = gs_yaml_u32(gs_yaml_member(node, "start"), "start", GS_GRID_UNITS_MAX - 1, &c->start, d->e);
	return r;
}

static int read_computes(struct decoder *d, const struct gs_yaml_node *list, struct gs_want *w)
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

static int read_kind(struct decoder *d, const struct gs_yaml_node *node, enum gs_instance_kind *ret_kind)
{
	const struct gs_yaml_node *value = gs_yaml_member(node, "kind");
	const char *name = NULL;
	int r = gs_yaml_string(value, "kind", &name, d->e);

	if (r < 0)
		return r;
	*ret_kind = name ? gs_instance_kind_from_name(name) : GS_KIND_MIG;
	if (*ret_kind == GS_KIND_INVALID)
		return gs_yaml_fail(&value->pos, d->e, "\"%.32s\" is not a kind of instance", name);
	return 0;
}

static int read_instance(struct decoder *d, const struct gs_yaml_node *node, struct gs_layout_gpu *g)
{
	static const char *const keys[] = { "kind", "profile", "start", "on", "vf", "uuid", "params", "compute", NULL };
	static const char *const unsupported[] = { "on", "vf", "uuid", "params", NULL };
	const struct gs_yaml_node *profile;
	struct gs_want *w;
	int r = gs_yaml_check_map(node, "an instance", keys, d->e);

	if (r < 0)
		return r;
	w = gs_layout_add_want(d->layout, g);
	if (!w)
		return gs_error_oom(d->e);
	r = read_kind(d, node, &w->kind);
	if (r == 0)
		r = copy_string(d, node, "profile", &w->profile);
	if (r == 0 && (!w->profile || !w->profile[0]))
		r = gs_yaml_fail(&node->pos, d->e, "an instance needs a \"profile\"");
	if (r == 0)
		r = gs_yaml_u32(gs_yaml_member(node, "start"), "start", GS_GRID_UNITS_MAX - 1, &w->start, d->e);
	if (r == 0)
		r = refuse_unsupported(d, node, unsupported);
	if (r == 0)
		r = read_computes(d, gs_yaml_member(node, "compute"), w);
	if (r < 0)
		return r;
	profile = gs_yaml_member(node, "profile");
	w->pos = copy_position(d, &profile->pos);
	return 0;
}

static int read_instances(struct decoder *d, const struct gs_yaml_node *list, struct gs_layout_gpu *g)
{
	int r = 0;

	if (gs_yaml_is_null(list))
		return 0;
	r = gs_yaml_check_list(list, "instances", INSTANCES_MAX, d->e);
	for (const struct gs_yaml_node *m = r < 0 ? NULL : list->first; m && r == 0; m = m->next)
		r = read_instance(d, m, g);
	g->has_instances = true;
	return r;
}

static int read_match(struct decoder *d, const struct gs_yaml_node *gpu, struct gs_match *match)
{
	static const char *const keys[] = { "uuid", "bdf", "pci_id", "subsystem_id", NULL };
	const struct gs_yaml_node *node = gs_yaml_member(gpu, "match");
	const char *bdf = NULL;
	int r;

	if (gs_yaml_is_null(node))
		return gs_yaml_fail(&gpu->pos, d->e, "a GPU needs a \"match\" that says which one it is");
	r = gs_yaml_check_map(node, "\"match\"", keys, d->e);
	if (r == 0)
		r = copy_string(d, node, "uuid", &match->uuid);
	if (r == 0)
		r = copy_string(d, node, "pci_id", &match->pci_id);
	if (r == 0)
		r = copy_string(d, node, "subsystem_id", &match->subsystem_id);
	if (r == 0)
		r = gs_yaml_string(gs_yaml_member(node, "bdf"), "bdf", &bdf, d->e);
	if (r < 0)
		return r;
	match->has_bdf = bdf != NULL;
	if (bdf && gs_bdf_parse(bdf, &match->bdf) < 0)
		return gs_yaml_fail(&gs_yaml_member(node, "bdf")->pos, d->e, "\"%.32s\" is not a PCI address", bdf);
	if (!bdf && !match->uuid)
		return gs_yaml_fail(&node->pos, d->e, "\"match\" needs a \"uuid\" or a \"bdf\"");
	return 0;
}

static int read_mode(struct decoder *d, const struct gs_yaml_node *gpu, enum gs_mode *ret_mode)
{
	const struct gs_yaml_node *node = gs_yaml_member(gpu, "mode");
	const char *name = NULL;
	int r = gs_yaml_string(node, "mode", &name, d->e);

	if (r < 0 || !name)
		return r;
	*ret_mode = gs_mode_from_name(name);
	if (*ret_mode == GS_MODE_INVALID)
		return gs_yaml_fail(&node->pos, d->e, "\"%.32s\" is not a mode", name);
	return 0;
}

static int read_gpu(struct decoder *d, const struct gs_yaml_node *node)
{
	static const char *const keys[] = { "match", "mode", "settings", "vfs", "instances", NULL };
	static const char *const unsupported[] = { "settings", "vfs", NULL };
	struct gs_layout_gpu *g;
	int r = gs_yaml_check_map(node, "a GPU", keys, d->e);

	if (r < 0)
		return r;
	g = gs_layout_add_gpu(d->layout);
	if (!g)
		return gs_error_oom(d->e);
	g->pos = copy_position(d, &node->pos);
	r = read_match(d, node, &g->match);
	if (r == 0)
		r = read_mode(d, node, &g->mode);
	if (r == 0)
		r = refuse_unsupported(d, node, unsupported);
	if (r == 0)
		r = read_instances(d, gs_yaml_member(node, "instances"), g);
	return r;
}

static int read_root(struct decoder *d, const struct gs_yaml_node *root)
{
	static const char *const keys[] = { "schema", "gpus", NULL };
	const struct gs_yaml_node *gpus, *schema;
	const char *name = NULL;
	int r = gs_yaml_check_map(root, "a layout", keys, d->e);

	if (r < 0)
		return r;
	schema = gs_yaml_member(root, "schema");
	r = gs_yaml_string(schema, "schema", &name, d->e);
	if (r < 0)
		return r;
	if (name && strcmp(name, LAYOUT_SCHEMA) != 0)
		return gs_yaml_fail(&schema->pos, d->e, "\"schema\" must be " LAYOUT_SCHEMA ", not %.64s", name);
	gpus = gs_yaml_member(root, "gpus");
	if (!gpus)
		return gs_yaml_fail(&root->pos, d->e, "a layout needs \"gpus\"");
	r = gs_yaml_check_list(gpus, "gpus", GPUS_MAX, d->e);
	for (const struct gs_yaml_node *m = r < 0 ? NULL : gpus->first; m && r == 0; m = m->next)
		r = read_gpu(d, m);
	return r;
}

static size_t skip_blanks(const char *bytes, size_t n)
{
	size_t i = n >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	while (i < n && (bytes[i] == ' ' || bytes[i] == '\t' || bytes[i] == '\n' || bytes[i] == '\r'))
		i++;
	return i;
}

static bool looks_like_json(const char *bytes, size_t n)
{
	size_t i = skip_blanks(bytes, n);

	return i < n && bytes[i] == '{';
}

/* json-c says whether it is JSON to the letter; libyaml, which reads more, then says where everything stands. */
static int check_json(const char *bytes, size_t n, const char *name, struct gs_error *e)
{
	GS_JSON struct json_object *o = NULL;

	return gs_json_parse(bytes, n, name, &o, e);
}

int gs_layout_parse(const char *bytes, size_t n, const char *name, struct gs_layout **ret_layout, struct gs_error *e)
{
	GS_CLEANUP(gs_arena_freep) struct gs_arena *nodes = gs_arena_new();
	GS_CLEANUP(gs_layout_freep) struct gs_layout *layout = gs_layout_new();
	struct decoder d = { layout, e };
	struct gs_yaml_node *root = NULL;
	int r = 0;

	if (!nodes || !layout)
		return gs_error_oom(e);
	if (looks_like_json(bytes, n))
		r = check_json(bytes, n, name, e);
	if (r == 0)
		r = gs_yaml_parse(bytes, n, name, nodes, &root, e);
	if (r == 0)
		r = read_root(&d, root);
	if (r < 0)
		return r;
	if (gs_arena_has_failed(layout->arena))
		return gs_error_oom(e);
	*ret_layout = GS_TAKE(layout);
	return 0;
}

static bool begins_with(const char *bytes, size_t n, const char *word)
{
	return n >= strlen(word) && memcmp(bytes, word, strlen(word)) == 0;
}

bool gs_text_is_layout(const char *bytes, size_t n)
{
	static const char *const keys[] = { "schema:", "gpus:", "\"schema\":", "\"gpus\":" };
	size_t i = n >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	if (looks_like_json(bytes, n))
		return true;
	while (i < n) {
		const char *end = memchr(bytes + i, '\n', n - i);

		for (size_t k = 0; k < GS_ARRAY_SIZE(keys); k++)
			if (begins_with(bytes + i, n - i, keys[k]))
				return true;
		i = end ? (size_t)(end - bytes) + 1 : n;
	}
	return false;
}
