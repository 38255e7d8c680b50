/* SPDX-License-Identifier: GPL-2.0-or-later */
/* layout_bind.c - a file's layout laid over a machine: which GPU is meant, and is every word legal there? */
#include "core/layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"

static int find_matched(const struct gs_match *m, const struct gs_position *pos, const struct gs_snapshot *s,
			const struct gs_gpu **ret_gpu, struct gs_error *e)
{
	const struct gs_gpu *by_uuid = NULL, *by_bdf = NULL, *gpu;
	char bdf[GS_BDF_TEXT];

	if (!m->uuid && !m->has_bdf)
		return gs_error_at(e, -EINVAL, pos, "a GPU is matched by its uuid or bdf; this match has neither");
	for (size_t i = 0; m->uuid && i < gs_snapshot_n_gpus(s); i++)
		if (gs_str_equal(gs_snapshot_gpu(s, i)->uuid, m->uuid))
			by_uuid = gs_snapshot_gpu(s, i);
	if (m->has_bdf)
		by_bdf = gs_snapshot_gpu_by_bdf(s, m->bdf);
	gpu = by_uuid ? by_uuid : by_bdf;
	if (!gpu)
		return gs_error_at(e, -ENODEV, pos, "this machine has no GPU with %s %s", m->uuid ? "uuid" : "bdf",
				   m->uuid ? m->uuid : gs_bdf_format(m->bdf, bdf));
	/* a board that was swapped or moved: guessing would carve up the wrong one */
	if (by_uuid && m->has_bdf && by_bdf != by_uuid)
		return gs_error_at(e, -EINVAL, pos, "the GPU with uuid %s is not at %s any more: match it by one of them", m->uuid,
				   gs_bdf_format(m->bdf, bdf));
	if (!by_uuid && m->uuid && gpu->uuid)
		return gs_error_at(e, -EINVAL, pos, "the GPU at %s has uuid %s, not %s: the board was exchanged", gs_bdf_format(m->bdf, bdf),
				   gpu->uuid, m->uuid);
	if (m->pci_id && !gs_str_equal(m->pci_id, gpu->pci_id))
		return gs_error_at(e, -EINVAL, pos, "GPU %" PRIu32 " has PCI id %s, the match says %s", gpu->index, gpu->pci_id ? gpu->pci_id : "-", m->pci_id);
	if (m->subsystem_id && !gs_str_equal(m->subsystem_id, gpu->subsystem_id))
		return gs_error_at(e, -EINVAL, pos, "GPU %" PRIu32 " has subsystem id %s, the match says %s", gpu->index,
				   gpu->subsystem_id ? gpu->subsystem_id : "-", m->subsystem_id);
	*ret_gpu = gpu;
	return 0;
}

int gs_want_check_compute(const struct gs_want *w, const struct gs_profile *p, const struct gs_position *pos, struct gs_error *e)
{
	uint32_t slices = 0;
	uint64_t taken = 0;

	for (size_t i = 0; i < w->n_compute; i++) {
		const struct gs_compute_profile *c = gs_compute_profile_by_name(p, w->compute[i].profile);
		uint64_t mask;

		if (!c)
			continue;
		slices += c->compute_slices;
		if (!w->compute[i].start.known)
			continue;
		mask = gs_span_mask((struct gs_span){ w->compute[i].start.value, c->compute_slices });
		if (mask & taken)
			return gs_error_at(e, -EINVAL, pos, "two compute instances of one %s want slice %" PRIu32, p->name, w->compute[i].start.value);
		taken |= mask;
	}
	if (slices > p->compute_slices)
		return gs_error_at(e, -EINVAL, pos, "the compute instances take %" PRIu32 " slices, a %s has %" PRIu32, slices, p->name, p->compute_slices);
	return 0;
}

/* "3g.40gb" inside a 3g.40gb fills it, also where the driver tells CI profiles only once the GI is there. */
static bool is_filled_by_name(const struct gs_want *w, const struct gs_profile *p)
{
	return w->n_compute == 1 && gs_str_equal(w->compute[0].profile, p->name) && !gs_compute_profile_default(p);
}

static int check_want(const struct gs_want *w, const struct gs_gpu *gpu, struct gs_error *e)
{
	const struct gs_profile *p;

	if (w->kind == GS_KIND_SRIOV)
		return w->start.known && (!gpu->vfs.total.known || w->start.value >= gpu->vfs.total.value)
			       ? gs_error_at(e, -EINVAL, &w->pos, "GPU %" PRIu32 " has no VF %" PRIu32, gpu->index, w->start.value)
			       : 0;
	if (w->kind != GS_KIND_MIG && w->kind != GS_KIND_VGPU)
		return gs_error_at(e, -EOPNOTSUPP, &w->pos, "instances of kind %s follow from the mode of GPU %" PRIu32 " and are not listed",
				   gs_instance_kind_name(w->kind), gpu->index);
	p = gs_want_profile(w, gpu);
	if (!p && gpu->lost) {
		gs_error_at(e, -ENODEV, &w->pos, "GPU %" PRIu32 " cannot be talked to (%s), so whether it has %s is not known", gpu->index, gpu->lost, w->profile);
		if (e)
			e->status = GS_STATUS_REFUSED;
		return -ENODEV;
	}
	if (!p)
		return gs_error_at(e, -EINVAL, &w->pos, "GPU %" PRIu32 " has no profile %s (see: gpuslice profiles %" PRIu32 ")", gpu->index, w->profile, gpu->index);
	if (w->start.known && !gs_profile_placement_at(p, w->start.value, NULL) && w->kind == GS_KIND_VGPU)
		return gs_error_at(e, -EINVAL, &w->pos, "GPU %" PRIu32 " has no VF %" PRIu32 ": it has %" PRIu32, gpu->index, w->start.value,
				   gpu->grids[GS_KIND_VGPU].memory_units);
	if (w->start.known && !gs_profile_placement_at(p, w->start.value, NULL))
		return gs_error_at(e, -EINVAL, &w->pos, "%s cannot start at %" PRIu32 " (see: gpuslice profiles %" PRIu32 ")", w->profile, w->start.value, gpu->index);
	for (size_t i = 0; w->kind == GS_KIND_MIG && i < w->n_params; i++) {
		int r = gs_gi_setting_check(gpu, w->params[i].key, w->params[i].value, &w->pos, e);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < w->n_compute; i++) {
		const struct gs_compute_profile *c = gs_compute_profile_by_name(p, w->compute[i].profile);
		bool legal = c && !w->compute[i].start.known;

		if (!c && is_filled_by_name(w, p))
			return 0;
		if (!c)
			return gs_error_at(e, -EINVAL, &w->pos, "%s has no compute instance profile %s", w->profile, w->compute[i].profile);
		for (size_t k = 0; k < c->n_placements && !legal; k++)
			legal = c->placements[k].start == w->compute[i].start.value;
		if (!legal)
			return gs_error_at(e, -EINVAL, &w->pos, "compute instance %s cannot start at slice %" PRIu32, c->name, w->compute[i].start.value);
	}
	return gs_want_check_compute(w, p, &w->pos, e);
}

/* Two requests of one file that want the same units are wrong on every machine. */
static int check_overlaps(const struct gs_layout_gpu *g, const struct gs_gpu *gpu, struct gs_error *e)
{
	for (size_t i = 0; i < g->n_wants; i++) {
		const struct gs_profile *a = gs_want_profile(&g->wants[i], gpu);
		struct gs_span x, y;

		for (size_t k = 0; k < i; k++) {
			const struct gs_profile *b = gs_want_profile(&g->wants[k], gpu);

			if (!a || !b || g->wants[i].kind != g->wants[k].kind)
				continue;
			if (!g->wants[i].start.known || !g->wants[k].start.known || !gs_profile_placement_at(a, g->wants[i].start.value, &x) ||
			    !gs_profile_placement_at(b, g->wants[k].start.value, &y) || !gs_span_overlaps(x, y))
				continue;
			if (g->wants[i].kind == GS_KIND_VGPU)
				return gs_error_at(e, -EINVAL, &g->wants[i].pos, "VF %" PRIu32 " is asked for twice: by %s, and by %s of line %u", x.start, a->name,
						   b->name, g->wants[k].pos.line);
			return gs_error_at(e, -EINVAL, &g->wants[i].pos, "%s at %" PRIu32 " overlaps %s at %" PRIu32 " of line %u", a->name, x.start, b->name,
					   y.start, g->wants[k].pos.line);
		}
	}
	return 0;
}

static int check_setting(const char *owner, struct gs_setting *const *list, size_t n, const char *key, const char *value, const struct gs_position *pos,
			 struct gs_error *e)
{
	GS_STRBUF struct gs_strbuf known = GS_STRBUF_INIT;
	const struct gs_setting *s = gs_setting_by_key(list, n, key);
	char why[256];

	/* what every driver has by itself is so without being set: a layout may say it that was saved under another driver */
	if (s ? !gs_setting_refuses(s, value, why, sizeof(why)) : gs_setting_is_default(key, value))
		return 0;
	if (s)
		return gs_error_at(e, -EINVAL, pos, "%s of %s %s", key, owner, why);
	for (size_t i = 0; i < n; i++)
		gs_strbuf_printf(&known, "%s%s", i ? ", " : "", list[i]->key);
	gs_strbuf_puts(&known, "");
	return gs_error_at(e, -EINVAL, pos, "%s has no setting %s%s%s", owner, key, known.length ? "; it has " : ", nor any other", known.length ? known.text : "");
}

int gs_setting_check(const struct gs_gpu *gpu, const char *key, const char *value, const struct gs_position *pos, struct gs_error *e)
{
	char owner[32];

	snprintf(owner, sizeof(owner), "GPU %" PRIu32, gpu->index);
	return check_setting(owner, gpu->settings, gpu->n_settings, key, value, pos, e);
}

int gs_gi_setting_check(const struct gs_gpu *gpu, const char *key, const char *value, const struct gs_position *pos, struct gs_error *e)
{
	char owner[64];

	snprintf(owner, sizeof(owner), "a GPU instance of GPU %" PRIu32, gpu->index);
	return check_setting(owner, gpu->gi_settings, gpu->n_gi_settings, key, value, pos, e);
}

int gs_vfs_check(const struct gs_gpu *gpu, uint32_t n, const struct gs_position *pos, struct gs_error *e)
{
	const struct gs_vfs *v = &gpu->vfs;

	if (!v->total.known || !v->total.value)
		return n ? gs_error_at(e, -EINVAL, pos, "GPU %" PRIu32 " has no virtual functions", gpu->index) : 0;
	if (n > v->total.value)
		return gs_error_at(e, -EINVAL, pos, "GPU %" PRIu32 " has at most %" PRIu32 " VFs, %" PRIu32 " are asked for", gpu->index, v->total.value, n);
	if (v->by == GS_VFS_BY_SRIOV_MANAGE && n && n != v->total.value)
		return gs_error_at(e, -EINVAL, pos, "GPU %" PRIu32 " enables all of its %" PRIu32 " VFs or none: write «vfs %" PRIu32 " all»", gpu->index, v->total.value,
				   gpu->index);
	return 0;
}

/* What a file says about one GPU besides its instances. */
static int bind_head(struct gs_layout *l, struct gs_layout_gpu *to, const struct gs_layout_gpu *from, const struct gs_gpu *gpu, struct gs_error *e)
{
	int r;

	to->pos = from->pos;
	to->pos.file = gs_arena_strdup(l->arena, from->pos.file);
	if (from->mode != GS_MODE_INVALID)
		gs_layout_ask_mode(to, gpu, from->mode);
	if (from->vfs.known) {
		r = gs_vfs_check(gpu, from->vfs.value, &from->vfs_pos, e);
		if (r < 0)
			return r;
		if (from->mode != GS_MODE_INVALID && gs_mode_has_vfs(from->mode) != (from->vfs.value > 0))
			return gs_error_at(e, -EINVAL, &from->vfs_pos, "mode %s and %" PRIu32 " VFs contradict each other", gs_mode_name(from->mode), from->vfs.value);
		gs_layout_ask_vfs(to, gpu, from->vfs.value);
		to->vfs_pos = from->vfs_pos;
		to->vfs_pos.file = gs_arena_strdup(l->arena, from->vfs_pos.file);
	}
	for (size_t i = 0; i < from->n_settings; i++) {
		const struct gs_want_setting *s = &from->settings[i];

		r = gs_setting_check(gpu, s->key, s->value, &s->pos, e);
		if (r < 0)
			return r;
		if (!gs_layout_set(l, to, s->key, s->value))
			return gs_error_oom(e);
	}
	return 0;
}

int gs_layout_bind(const struct gs_layout *file, const struct gs_snapshot *s, struct gs_layout **ret_layout, struct gs_error *e)
{
	GS_CLEANUP(gs_layout_freep) struct gs_layout *l = NULL;
	GS_FREE bool *seen = calloc(gs_snapshot_n_gpus(s) + 1, sizeof(*seen));
	int r;

	if (!seen)
		return gs_error_oom(e);
	r = gs_layout_from_snapshot(s, &l, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < file->n_gpus; i++) {
		const struct gs_layout_gpu *from = &file->gpus[i];
		const struct gs_gpu *gpu = NULL;
		struct gs_layout_gpu *to;

		r = find_matched(&from->match, &from->pos, s, &gpu, e);
		if (r < 0)
			return r;
		if (seen[gpu->index])
			return gs_error_at(e, -EINVAL, &from->pos, "GPU %" PRIu32 " is listed twice", gpu->index);
		seen[gpu->index] = true;
		to = &l->gpus[gpu->index];
		r = bind_head(l, to, from, gpu, e);
		if (r < 0)
			return r;
		if (!from->has_instances)
			continue;
		to->n_wants = 0;
		for (size_t k = 0; k < from->n_wants; k++) {
			struct gs_want *w;

			r = check_want(&from->wants[k], gpu, e);
			if (r < 0)
				return r;
			w = gs_layout_add_want(l, to);
			if (!w)
				return gs_error_oom(e);
			gs_want_copy(l->arena, w, &from->wants[k]);
			if (w->kind == GS_KIND_MIG && is_filled_by_name(w, gs_want_profile(w, gpu))) {
				w->compute_default = true;
				w->n_compute = 0;
			}
		}
		r = check_overlaps(to, gpu, e);
		if (r < 0)
			return r;
	}
	if (gs_arena_has_failed(l->arena))
		return gs_error_oom(e);
	*ret_layout = GS_TAKE(l);
	return 0;
}

bool gs_match_means(const struct gs_match *m, const struct gs_gpu *gpu)
{
	return (m->uuid && gs_str_equal(m->uuid, gpu->uuid)) || (m->has_bdf && gs_bdf_compare(m->bdf, gpu->bdf) == 0);
}

static bool means_one_of(const struct gs_match *m, const struct gs_bdf *gpus, size_t n, const struct gs_snapshot *s)
{
	for (size_t i = 0; i < n; i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu_by_bdf(s, gpus[i]);

		if (gpu && gs_match_means(m, gpu))
			return true;
	}
	return false;
}

int gs_layout_bind_some(const struct gs_layout *file, const struct gs_bdf *gpus, size_t n, const struct gs_snapshot *s, struct gs_layout **ret_layout,
			struct gs_error *e)
{
	/* borrows from the file: binding reads its entries and nothing else */
	struct gs_layout some = { .arena = file->arena };
	GS_FREE struct gs_layout_gpu *entries = reallocarray(NULL, file->n_gpus + 1, sizeof(*entries));

	if (!entries)
		return gs_error_oom(e);
	some.gpus = entries;
	for (size_t i = 0; i < file->n_gpus; i++)
		if (means_one_of(&file->gpus[i].match, gpus, n, s))
			entries[some.n_gpus++] = file->gpus[i];
	return gs_layout_bind(&some, s, ret_layout, e);
}
