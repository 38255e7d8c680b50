/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text to layout: JSON and YAML become one tree, which one validator reads. */
#include "codec/key_value.h"
#include "codec/layout_read.h"
#include "codec/snapshot_json.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

#define LAYOUT_SCHEMA "gpuslice.layout/1"
#define GPUS_MAX 16384
#define INSTANCES_MAX GS_SNAPSHOT_INSTANCES_MAX
/* SR-IOV counts VFs in 16 bits. */
#define VFS_MAX 65535u

int gs_layout_read_string(struct gs_layout_reader *d, const struct gs_yaml_node *map, const char *key, const char **ret)
{
	const char *s = NULL;
	int r = gs_yaml_string(gs_yaml_member(map, key), key, &s, d->e);

	if (r < 0)
		return r;
	*ret = gs_arena_strdup(d->layout->arena, s);
	return s && !*ret ? gs_error_oom(d->e) : 0;
}

struct gs_position gs_layout_read_position(struct gs_layout_reader *d, const struct gs_position *pos)
{
	return (struct gs_position){ gs_arena_strdup(d->layout->arena, pos->file), pos->line, pos->column };
}

int gs_layout_read_pairs(struct gs_layout_reader *d, const struct gs_yaml_node *map, const char *what, size_t max,
			 int (*take)(struct gs_layout_reader *, void *, const char *key, const char *value, const struct gs_yaml_node *), void *userdata)
{
	size_t n = 0;

	if (map->kind != GS_YAML_MAP)
		return gs_yaml_fail(&map->pos, d->e, "%s must be an object with keys", what);
	for (const struct gs_yaml_node *m = map->first; m; m = m->next) {
		const char *value = NULL, *key;
		int r;

		if (!gs_key_is_valid(m->key->text))
			return gs_yaml_fail(&m->key->pos, d->e, "\"%.64s\" cannot be a key in %s", m->key->text, what);
		if (++n > max)
			return gs_yaml_fail(&m->key->pos, d->e, "%s has more than %zu keys", what, max);
		r = gs_yaml_word(m, m->key->text, &value, d->e);
		if (r < 0)
			return r;
		if (!value)
			continue;
		key = gs_arena_strdup(d->layout->arena, m->key->text);
		value = gs_arena_strdup(d->layout->arena, value);
		if (!key || !value)
			return gs_error_oom(d->e);
		r = take(d, userdata, key, value, m);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_instances(struct gs_layout_reader *d, const struct gs_yaml_node *list, struct gs_layout_gpu *g)
{
	int r = 0;

	if (gs_yaml_is_null(list))
		return 0;
	r = gs_yaml_check_list(list, "instances", INSTANCES_MAX, d->e);
	for (const struct gs_yaml_node *m = r < 0 ? NULL : list->first; m && r == 0; m = m->next)
		r = gs_layout_read_want(d, m, g->mode == GS_MODE_VGPU ? GS_KIND_VGPU : GS_KIND_MIG, g);
	g->has_instances = true;
	return r;
}

static int read_match(struct gs_layout_reader *d, const struct gs_yaml_node *gpu, struct gs_match *match)
{
	static const char *const keys[] = { "uuid", "bdf", "pci_id", "subsystem_id", NULL };
	const struct gs_yaml_node *node = gs_yaml_member(gpu, "match");
	const char *bdf = NULL;
	int r;

	if (gs_yaml_is_null(node))
		return gs_yaml_fail(&gpu->pos, d->e, "a GPU needs a \"match\" that says which one it is");
	r = gs_yaml_check_map(node, "\"match\"", keys, d->e);
	if (r == 0)
		r = gs_layout_read_string(d, node, "uuid", &match->uuid);
	if (r == 0)
		r = gs_layout_read_string(d, node, "pci_id", &match->pci_id);
	if (r == 0)
		r = gs_layout_read_string(d, node, "subsystem_id", &match->subsystem_id);
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

static int read_mode(struct gs_layout_reader *d, const struct gs_yaml_node *gpu, enum gs_mode *ret_mode)
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

static int take_setting(struct gs_layout_reader *d, void *userdata, const char *key, const char *value, const struct gs_yaml_node *node)
{
	struct gs_layout_gpu *g = userdata;
	void *grown;

	if (!value[0] || strlen(value) > GS_VALUE_MAX)
		return gs_yaml_fail(&node->pos, d->e, "the value of a setting has 1 to %u bytes", GS_VALUE_MAX);
	grown = gs_arena_grow(d->layout->arena, g->settings, g->n_settings, &g->cap_settings, sizeof(*g->settings));
	if (!grown)
		return gs_error_oom(d->e);
	g->settings = grown;
	g->settings[g->n_settings++] = (struct gs_want_setting){ key, value, gs_layout_read_position(d, &node->pos) };
	return 0;
}

static int read_settings(struct gs_layout_reader *d, const struct gs_yaml_node *gpu, struct gs_layout_gpu *g)
{
	const struct gs_yaml_node *node = gs_yaml_member(gpu, "settings");

	return gs_yaml_is_null(node) ? 0 : gs_layout_read_pairs(d, node, "\"settings\"", GS_SETTINGS_MAX, take_setting, g);
}

static int read_vfs(struct gs_layout_reader *d, const struct gs_yaml_node *gpu, struct gs_layout_gpu *g)
{
	const struct gs_yaml_node *node = gs_yaml_member(gpu, "vfs");
	int r = gs_yaml_u32(node, "vfs", VFS_MAX, &g->vfs, d->e);

	if (r < 0 || !g->vfs.known)
		return r;
	g->vfs_is_asked = true;
	g->vfs_pos = gs_layout_read_position(d, &node->pos);
	return 0;
}

static int read_gpu(struct gs_layout_reader *d, const struct gs_yaml_node *node)
{
	static const char *const keys[] = { "match", "mode", "settings", "vfs", "instances", NULL };
	struct gs_layout_gpu *g;
	int r = gs_yaml_check_map(node, "a GPU", keys, d->e);

	if (r < 0)
		return r;
	g = gs_layout_add_gpu(d->layout);
	if (!g)
		return gs_error_oom(d->e);
	g->pos = gs_layout_read_position(d, &node->pos);
	r = read_match(d, node, &g->match);
	if (r == 0)
		r = read_mode(d, node, &g->mode);
	if (r == 0)
		r = read_settings(d, node, g);
	if (r == 0)
		r = read_vfs(d, node, g);
	if (r == 0)
		r = read_instances(d, gs_yaml_member(node, "instances"), g);
	return r;
}

static int read_root(struct gs_layout_reader *d, const struct gs_yaml_node *root)
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
	struct gs_layout_reader d = { layout, e };
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
