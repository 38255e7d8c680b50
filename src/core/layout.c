/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/layout.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"

struct gs_layout *gs_layout_new(void)
{
	struct gs_layout *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->arena = gs_arena_new();
	if (!l->arena) {
		free(l);
		return NULL;
	}
	return l;
}

struct gs_layout *gs_layout_free(struct gs_layout *l)
{
	if (!l)
		return NULL;
	gs_arena_free(l->arena);
	free(l);
	return NULL;
}

struct gs_layout_gpu *gs_layout_add_gpu(struct gs_layout *l)
{
	void *grown = gs_arena_grow(l->arena, l->gpus, l->n_gpus, &l->cap_gpus, sizeof(*l->gpus));
	struct gs_layout_gpu *g;

	if (!grown)
		return NULL;
	l->gpus = grown;
	g = &l->gpus[l->n_gpus++];
	memset(g, 0, sizeof(*g));
	g->mode = GS_MODE_INVALID;
	return g;
}

struct gs_want *gs_layout_add_want(struct gs_layout *l, struct gs_layout_gpu *g)
{
	void *grown = gs_arena_grow(l->arena, g->wants, g->n_wants, &g->cap_wants, sizeof(*g->wants));
	struct gs_want *w;

	if (!grown)
		return NULL;
	g->wants = grown;
	w = &g->wants[g->n_wants++];
	memset(w, 0, sizeof(*w));
	return w;
}

void gs_layout_remove_want(struct gs_layout_gpu *g, size_t i)
{
	memmove(&g->wants[i], &g->wants[i + 1], (g->n_wants - i - 1) * sizeof(*g->wants));
	g->n_wants--;
}

static struct gs_key_value *copy_params(struct gs_arena *a, const struct gs_key_value *from, size_t n)
{
	struct gs_key_value *to = n ? gs_arena_calloc(a, n, sizeof(*to)) : NULL;

	for (size_t i = 0; to && i < n; i++)
		to[i] = (struct gs_key_value){ gs_arena_strdup(a, from[i].key), gs_arena_strdup(a, from[i].value) };
	return to;
}

void gs_want_copy(struct gs_arena *a, struct gs_want *to, const struct gs_want *from)
{
	*to = *from;
	to->profile = gs_arena_strdup(a, from->profile);
	to->uuid = gs_arena_strdup(a, from->uuid);
	to->on_profile = gs_arena_strdup(a, from->on_profile);
	to->pos.file = gs_arena_strdup(a, from->pos.file);
	to->params = copy_params(a, from->params, from->n_params);
	to->n_params = to->params ? from->n_params : 0;
	to->compute = from->n_compute ? gs_arena_calloc(a, from->n_compute, sizeof(*to->compute)) : NULL;
	for (size_t i = 0; to->compute && i < from->n_compute; i++) {
		to->compute[i] = from->compute[i];
		to->compute[i].profile = gs_arena_strdup(a, from->compute[i].profile);
	}
}

void gs_want_copy_afresh(struct gs_arena *a, struct gs_want *to, const struct gs_want *from)
{
	gs_want_copy(a, to, from);
	to->recreate = false;
	to->is_claimed = to->is_settled = false;
	to->open_claim = 0;
	to->instance_id = to->moved_id = GS_U32_UNKNOWN;
	for (size_t i = 0; i < to->n_compute; i++)
		to->compute[i].id = GS_U32_UNKNOWN;
}

int gs_want_set_param(struct gs_arena *a, struct gs_want *w, const char *key, const char *value)
{
	struct gs_key_value *more;

	for (size_t i = 0; i < w->n_params; i++) {
		if (!gs_str_equal(w->params[i].key, key))
			continue;
		w->params[i].value = gs_arena_strdup(a, value);
		return w->params[i].value ? 0 : -ENOMEM;
	}
	more = gs_arena_calloc(a, w->n_params + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	if (w->n_params)
		memcpy(more, w->params, w->n_params * sizeof(*more));
	more[w->n_params] = (struct gs_key_value){ gs_arena_strdup(a, key), gs_arena_strdup(a, value) };
	w->params = more;
	w->n_params++;
	return more[w->n_params - 1].key && more[w->n_params - 1].value ? 0 : -ENOMEM;
}

const struct gs_profile *gs_want_profile(const struct gs_want *w, const struct gs_gpu *gpu)
{
	return (int)w->kind >= 0 && w->kind < GS_KIND_MAX ? gs_profile_by_name(&gpu->grids[w->kind], w->profile) : NULL;
}

struct gs_want_setting *gs_layout_set(struct gs_layout *l, struct gs_layout_gpu *g, const char *key, const char *value)
{
	struct gs_want_setting *s = NULL;

	for (size_t i = 0; i < g->n_settings; i++)
		if (gs_str_equal(g->settings[i].key, key))
			s = &g->settings[i];
	if (!s) {
		void *grown = gs_arena_grow(l->arena, g->settings, g->n_settings, &g->cap_settings, sizeof(*g->settings));

		if (!grown)
			return NULL;
		g->settings = grown;
		s = &g->settings[g->n_settings++];
		memset(s, 0, sizeof(*s));
		s->key = gs_arena_strdup(l->arena, key);
	}
	s->value = gs_arena_strdup(l->arena, value);
	return s->key && s->value ? s : NULL;
}

/* ---------------------------------------------------------------- mode and VFs say the same thing twice */

bool gs_mode_has_mig(enum gs_mode mode)
{
	return mode == GS_MODE_MIG || mode == GS_MODE_MIG_VGPU;
}

bool gs_mode_has_vfs(enum gs_mode mode)
{
	return mode == GS_MODE_VGPU || mode == GS_MODE_MIG_VGPU || mode == GS_MODE_SRIOV;
}

void gs_layout_ask_mode(struct gs_layout_gpu *g, const struct gs_gpu *gpu, enum gs_mode mode)
{
	g->mode = mode;
	g->mode_is_asked = true;
	/* without SR-IOV vGPUs lie on the physical function, and there is nothing to switch on */
	if (!gpu->vfs.total.known)
		return;
	if (!gs_mode_has_vfs(mode))
		g->vfs = GS_U32(0);
	else if (mode != GS_MODE_SRIOV || !g->vfs.known || !g->vfs.value)
		g->vfs = gpu->vfs.total;
}

static enum gs_mode mode_with_vfs(const struct gs_gpu *gpu, enum gs_mode mode)
{
	if (mode == GS_MODE_MIG)
		return GS_MODE_MIG_VGPU;
	if (gs_mode_has_vfs(mode))
		return mode;
	return gpu->modes & 1u << GS_MODE_VGPU ? GS_MODE_VGPU : GS_MODE_SRIOV;
}

static enum gs_mode mode_without_vfs(enum gs_mode mode)
{
	if (mode == GS_MODE_MIG_VGPU)
		return GS_MODE_MIG;
	return gs_mode_has_vfs(mode) ? GS_MODE_WHOLE : mode;
}

void gs_layout_ask_vfs(struct gs_layout_gpu *g, const struct gs_gpu *gpu, uint32_t n)
{
	g->vfs = GS_U32(n);
	g->vfs_is_asked = true;
	if (g->mode == GS_MODE_INVALID)
		return;
	g->mode = n ? mode_with_vfs(gpu, g->mode) : mode_without_vfs(g->mode);
	g->mode_is_asked = true;
}

int gs_layout_copy(const struct gs_layout *l, struct gs_layout **ret_layout, struct gs_error *e)
{
	GS_CLEANUP(gs_layout_freep) struct gs_layout *copy = gs_layout_new();

	if (!copy)
		return gs_error_oom(e);
	copy->is_bound = l->is_bound;
	for (size_t i = 0; i < l->n_gpus; i++) {
		const struct gs_layout_gpu *from = &l->gpus[i];
		struct gs_layout_gpu *to = gs_layout_add_gpu(copy);

		if (!to)
			return gs_error_oom(e);
		to->match = from->match;
		to->match.uuid = gs_arena_strdup(copy->arena, from->match.uuid);
		to->match.pci_id = gs_arena_strdup(copy->arena, from->match.pci_id);
		to->match.subsystem_id = gs_arena_strdup(copy->arena, from->match.subsystem_id);
		to->pos = from->pos;
		to->pos.file = gs_arena_strdup(copy->arena, from->pos.file);
		to->mode = from->mode;
		to->mode_is_asked = from->mode_is_asked;
		to->vfs = from->vfs;
		to->vfs_is_asked = from->vfs_is_asked;
		to->vfs_pos = from->vfs_pos;
		to->vfs_pos.file = gs_arena_strdup(copy->arena, from->vfs_pos.file);
		for (size_t k = 0; k < from->n_settings; k++) {
			struct gs_want_setting *s = gs_layout_set(copy, to, from->settings[k].key, from->settings[k].value);

			if (!s)
				return gs_error_oom(e);
			s->pos = from->settings[k].pos;
			s->pos.file = gs_arena_strdup(copy->arena, from->settings[k].pos.file);
		}
		to->has_instances = from->has_instances;
		to->positions_unknown = from->positions_unknown;
		for (size_t k = 0; k < from->n_wants; k++) {
			struct gs_want *w = gs_layout_add_want(copy, to);

			if (!w)
				return gs_error_oom(e);
			gs_want_copy(copy->arena, w, &from->wants[k]);
		}
	}
	if (gs_arena_has_failed(copy->arena))
		return gs_error_oom(e);
	*ret_layout = GS_TAKE(copy);
	return 0;
}

/* Where a vGPU lies besides its slot, so that it comes back there when it has to come anew. */
static void want_place_of_vgpu(struct gs_arena *a, const struct gs_gpu *gpu, const struct gs_instance *inst, struct gs_want *w)
{
	const struct gs_instance *gi = gs_gpu_gi_of(gpu, inst);

	/* among equals the driver places; only between different sizes does it matter where (interfaces 2.5) */
	if (!gpu->grids[GS_KIND_VGPU].has_one_size)
		w->placement_id = inst->placement_id;
	if (!gi || !gi->start.known || !gi->profile)
		return;
	w->on_profile = gs_arena_strdup(a, gi->profile);
	w->on_start = gi->start;
}

/* The want that an existing instance already satisfies. */
static void want_of_instance(struct gs_arena *a, const struct gs_gpu *gpu, const struct gs_instance *inst, struct gs_want *w)
{
	const struct gs_profile *p = gs_profile_by_name(&gpu->grids[inst->kind], inst->profile);
	const struct gs_compute_profile *full = p ? gs_compute_profile_default(p) : NULL;

	w->kind = inst->kind;
	w->profile = gs_arena_strdup(a, inst->profile);
	w->start = inst->start;
	w->instance_id = GS_U32(inst->id);
	w->is_settled = inst->kind == GS_KIND_SRIOV;
	/* a GI's UUID is the driver's to give; an mdev's is asked for */
	w->uuid = inst->kind == GS_KIND_VGPU ? gs_arena_strdup(a, inst->uuid) : NULL;
	w->params = copy_params(a, inst->params, inst->n_params);
	w->n_params = w->params ? inst->n_params : 0;
	if (inst->kind == GS_KIND_VGPU)
		want_place_of_vgpu(a, gpu, inst, w);
	w->compute_default = full && inst->n_compute == 1 && gs_str_equal(inst->compute[0]->profile, full->name);
	if (w->compute_default || !inst->n_compute)
		return;
	w->compute = gs_arena_calloc(a, inst->n_compute, sizeof(*w->compute));
	for (size_t i = 0; w->compute && i < inst->n_compute; i++) {
		w->compute[i].profile = gs_arena_strdup(a, inst->compute[i]->profile);
		w->compute[i].start = inst->compute[i]->start;
		w->compute[i].id = GS_U32(inst->compute[i]->id);
		w->n_compute++;
	}
}

static int fill_from_gpu(struct gs_layout *l, struct gs_layout_gpu *g, const struct gs_gpu *gpu)
{
	g->n_wants = 0;
	/* not seeing any instance is not the same as there being none */
	g->positions_unknown = gs_mode_has_mig(gpu->mode) && !gpu->placements_visible;
	for (size_t i = 0; i < gpu->n_instances; i++) {
		struct gs_want *w;

		/* what follows from the mode or a setting is not asked for by itself */
		if (gpu->instances[i]->kind == GS_KIND_PASSTHROUGH || gpu->instances[i]->kind == GS_KIND_PARTITION)
			continue;
		if (!gpu->instances[i]->start.known || !gpu->instances[i]->profile) {
			g->positions_unknown = true;
			continue;
		}
		w = gs_layout_add_want(l, g);
		if (!w)
			return -ENOMEM;
		want_of_instance(l->arena, gpu, gpu->instances[i], w);
	}
	return 0;
}

int gs_layout_put_back(struct gs_layout *l, const struct gs_snapshot *s, size_t i, struct gs_error *e)
{
	const struct gs_gpu *gpu = gs_snapshot_gpu(s, i);

	l->gpus[i] = (struct gs_layout_gpu){ .mode = gpu->mode, .vfs = gpu->vfs.enabled, .has_instances = true };
	return fill_from_gpu(l, &l->gpus[i], gpu) < 0 ? gs_error_oom(e) : 0;
}

int gs_layout_from_snapshot(const struct gs_snapshot *s, struct gs_layout **ret_layout, struct gs_error *e)
{
	GS_CLEANUP(gs_layout_freep) struct gs_layout *l = gs_layout_new();

	if (!l)
		return gs_error_oom(e);
	l->is_bound = true;
	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++)
		if (!gs_layout_add_gpu(l) || gs_layout_put_back(l, s, i, e) < 0)
			return gs_error_oom(e);
	if (gs_arena_has_failed(l->arena))
		return gs_error_oom(e);
	*ret_layout = GS_TAKE(l);
	return 0;
}
