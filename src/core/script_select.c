/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a selector names: GPUs, profiles, instances. */
#include "core/script_edit.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"

static bool gpu_matches(const struct gs_gpu_selector *sel, const struct gs_gpu *gpu)
{
	switch (sel->kind) {
	case GS_SELECT_GPU_RANGE:
		return gpu->index >= sel->first && gpu->index <= sel->last;
	case GS_SELECT_GPU_BDF:
		return gs_bdf_compare(gpu->bdf, sel->bdf) == 0;
	case GS_SELECT_GPU_UUID:
		return gpu->uuid && gs_str_starts(gpu->uuid, sel->text);
	case GS_SELECT_GPU_MODEL:
		return gpu->name && fnmatch(sel->text, gpu->name, FNM_CASEFOLD) == 0;
	case GS_SELECT_GPU_ALL:
		return true;
	}
	return false;
}

int gs_select_gpus(const struct gs_gpu_selector *sel, const struct gs_snapshot *s, uint32_t *ret, size_t max, size_t *ret_n, struct gs_error *e)
{
	size_t n = 0, total = gs_snapshot_n_gpus(s);
	char bdf[GS_BDF_TEXT];

	if (sel->kind == GS_SELECT_GPU_RANGE && sel->last >= total) {
		if (!total)
			return gs_error_at(e, -ENODEV, &sel->pos, "no GPU %" PRIu32 ": this machine has none", sel->last);
		return gs_error_at(e, -ENODEV, &sel->pos, "no GPU %" PRIu32 ": this machine has %s%zu", sel->last, total == 1 ? "only GPU " : "0 to ", total - 1);
	}
	for (size_t i = 0; i < total && n < max; i++)
		if (gpu_matches(sel, gs_snapshot_gpu(s, i)))
			ret[n++] = (uint32_t)i;
	if (n && !(sel->kind == GS_SELECT_GPU_UUID && n > 1)) {
		*ret_n = n;
		return 0;
	}
	switch (sel->kind) {
	case GS_SELECT_GPU_UUID:
		return gs_error_at(e, n ? -EINVAL : -ENODEV, &sel->pos, n ? "%s is the beginning of more than one GPU's UUID" : "no GPU has a UUID that begins with %s",
				   sel->text);
	case GS_SELECT_GPU_MODEL:
		return gs_error_at(e, -ENODEV, &sel->pos, "no GPU's model matches \"%s\"", sel->text);
	case GS_SELECT_GPU_BDF:
		return gs_error_at(e, -ENODEV, &sel->pos, "no GPU at %s", gs_bdf_format(sel->bdf, bdf));
	default:
		return gs_error_at(e, -ENODEV, &sel->pos, "this machine has no GPU");
	}
}

#define KNOWN_MAX 40

/* "1g.10gb, 2g.20gb, …" for an error about an unknown word: what the mode that is asked for offers, else everything. */
static const char *known_profiles(const struct gs_gpu *gpu, enum gs_mode mode, struct gs_strbuf *b)
{
	enum gs_instance_kind only = gs_mode_kind(mode);
	size_t n = 0, total = 0;

	for (int kind = 0; kind < GS_KIND_MAX; kind++) {
		const struct gs_profile_set *set = &gpu->grids[kind];

		if ((kind != GS_KIND_MIG && kind != GS_KIND_VGPU) || (only != GS_KIND_INVALID && gpu->grids[only].n && kind != (int)only))
			continue;
		total += set->n;
		for (size_t i = 0; i < set->n && n < KNOWN_MAX; i++, n++)
			gs_strbuf_printf(b, "%s%s", n ? ", " : "", set->items[i].name);
	}
	if (total > n)
		gs_strbuf_printf(b, " and %zu more (see: gpuslice profiles %" PRIu32 ")", total - n, gpu->index);
	gs_strbuf_puts(b, "");
	return b->text ? b->text : "";
}

static const char *known_starts(const struct gs_profile *p, struct gs_strbuf *b)
{
	for (size_t i = 0; i < p->n_placements; i++)
		gs_strbuf_printf(b, "%s%" PRIu32, !i ? "" : i + 1 == p->n_placements ? " or " : ", ", p->placements[i].start);
	gs_strbuf_puts(b, "");
	return b->text ? b->text : "";
}

int gs_edit_profile(struct gs_edit *x, const char *name, const struct gs_position *pos, const struct gs_profile **ret_profile, enum gs_instance_kind *ret_kind)
{
	GS_STRBUF struct gs_strbuf known = GS_STRBUF_INIT;
	enum gs_instance_kind kind = GS_KIND_INVALID;
	char label[96];
	const struct gs_profile *p = gs_gpu_profile(x->gpu, name, &kind);

	if (!p)
		p = gs_gpu_profile_by_last_word(x->gpu, name, &kind);
	if (p && (kind == GS_KIND_MIG || kind == GS_KIND_VGPU)) {
		*ret_profile = p;
		if (ret_kind)
			*ret_kind = kind;
		return 0;
	}
	gs_gpu_label(x->gpu, label, sizeof(label));
	if (p && kind == GS_KIND_SRIOV)
		return gs_error_at(x->e, -EINVAL, pos, "VFs are not created one by one: write «vfs %" PRIu32 " N»", x->gpu->index);
	if (p && kind == GS_KIND_PARTITION)
		return gs_error_at(x->e, -EINVAL, pos, "%s is not created: it is what %s is cut into; write «set %" PRIu32 " compute-partition %s»", name, label, x->gpu->index,
				   name);
	if (p)
		return gs_error_at(x->e, -EINVAL, pos, "%s is not created: it follows from the mode of %s; write «mode %" PRIu32 " %s»", name, label, x->gpu->index, name);
	if (x->gpu->lost)
		return gs_edit_check_answers(x, pos, "which profiles it has");
	if (x->gpu->mode == GS_MODE_PASSTHROUGH)
		return gs_error_at(x->e, -ENODEV, pos,
				   "%s is passed through: which profiles and types it will have only its own driver tells, and the catalogue has no %s for this board. Two scripts are "
				   "needed: change the mode in the first, create in the second",
				   label, name);
	if (!x->gpu->grids[GS_KIND_MIG].n && !x->gpu->grids[GS_KIND_VGPU].n)
		return gs_error_at(x->e, -ENODEV, pos, "%s has no MIG profiles: it cannot be partitioned, or its profiles cannot be read", label);
	return gs_error_at(x->e, -EINVAL, pos, "%s has no profile %s; it has %s", label, name, known_profiles(x->gpu, x->g->mode, &known));
}

/* Right or wrong, nobody can tell now: that is the machine's state, and not a mistake of the script's. */
int gs_edit_check_answers(struct gs_edit *x, const struct gs_position *pos, const char *what)
{
	char label[96];

	if (!x->gpu->lost)
		return 0;
	gs_error_at(x->e, -ENODEV, pos, "%s: %s cannot be told now: %s", gs_gpu_label(x->gpu, label, sizeof(label)), what, x->gpu->lost);
	if (x->e)
		x->e->status = GS_STATUS_REFUSED;
	return -ENODEV;
}

int gs_edit_check_seen(struct gs_edit *x, const struct gs_position *pos)
{
	char label[96];
	int r = gs_edit_check_answers(x, pos, "which instances it has");

	if (r < 0 || !x->g->positions_unknown)
		return r;
	gs_error_at(x->e, -EPERM, pos, "which instances %s has and where they are cannot be seen here: run it as root", gs_gpu_label(x->gpu, label, sizeof(label)));
	if (x->e)
		x->e->status = GS_STATUS_CANNOT_TELL;
	return -EPERM;
}

int gs_edit_vf(struct gs_edit *x, const char *text, const struct gs_position *pos, uint32_t *ret_n)
{
	const struct gs_vfs *v = &x->gpu->vfs;
	struct gs_bdf bdf;
	uint32_t n;

	if (!v->total.known || !v->total.value)
		return gs_error_at(x->e, -EINVAL, pos, "GPU %" PRIu32 " has no virtual functions", x->gpu->index);
	if (gs_bdf_looks_like(text)) {
		if (gs_bdf_parse(text, &bdf) < 0)
			return gs_error_at(x->e, -EINVAL, pos, "\"%.40s\" is no PCI address", text);
		for (size_t i = 0; i < v->n_functions; i++) {
			if (gs_bdf_compare(v->functions[i]->bdf, bdf) != 0)
				continue;
			*ret_n = v->functions[i]->n;
			return 0;
		}
		return gs_error_at(x->e, -ENODEV, pos, "no VF of GPU %" PRIu32 " is at %s%s", x->gpu->index, text,
				   v->n_functions ? "" : ": they are off, and have addresses only when they are on; name it by its number");
	}
	if (gs_parse_u32(text, 10, &n) < 0 || n >= v->total.value)
		return gs_error_at(x->e, -EINVAL, pos, "GPU %" PRIu32 " has no VF %.40s: they are numbered from 0 to %" PRIu32, x->gpu->index, text, v->total.value - 1);
	*ret_n = n;
	return 0;
}

int gs_edit_check_start(struct gs_edit *x, const struct gs_profile *p, uint32_t start, const struct gs_position *pos)
{
	GS_STRBUF struct gs_strbuf known = GS_STRBUF_INIT;

	if (!p->n_placements || gs_profile_placement_at(p, start, NULL))
		return 0;
	return gs_error_at(x->e, -EINVAL, pos, "%s cannot start at %" PRIu32 ", only at %s", p->name, start, known_starts(p, &known));
}

struct gs_want *gs_edit_want_at(struct gs_layout_gpu *g, const char *profile, uint32_t start, bool unclaimed_only)
{
	for (size_t i = 0; i < g->n_wants; i++)
		if (g->wants[i].kind != GS_KIND_SRIOV && gs_u32_is(g->wants[i].start, start) && gs_str_equal(g->wants[i].profile, profile) && !(unclaimed_only && g->wants[i].is_claimed))
			return &g->wants[i];
	return NULL;
}

static struct gs_want *want_of(struct gs_layout_gpu *g, uint32_t instance_id)
{
	for (size_t i = 0; i < g->n_wants; i++)
		if (g->wants[i].kind == GS_KIND_MIG && (gs_u32_is(g->wants[i].instance_id, instance_id) || gs_u32_is(g->wants[i].moved_id, instance_id)))
			return &g->wants[i];
	return NULL;
}

/* The instance on the machine whose UUID begins so; how many distinct ones do. */
static const struct gs_instance *instance_by_uuid(const struct gs_gpu *gpu, const char *prefix, size_t *ret_n)
{
	const struct gs_instance *found = NULL;

	*ret_n = 0;
	for (size_t i = 0; i < gpu->n_instances; i++) {
		const struct gs_instance *inst = gpu->instances[i];
		bool matches = false;

		for (size_t k = 0; k < inst->n_compute; k++)
			matches |= inst->compute[k]->uuid && gs_str_starts(inst->compute[k]->uuid, prefix);
		if (!matches)
			continue;
		found = inst;
		*ret_n += 1;
	}
	return found;
}

static struct gs_want *want_on_vf(struct gs_layout_gpu *g, uint32_t n)
{
	for (size_t i = 0; i < g->n_wants; i++)
		if (g->wants[i].kind == GS_KIND_VGPU && gs_u32_is(g->wants[i].start, n))
			return &g->wants[i];
	return NULL;
}

static struct gs_want *want_by_uuid(struct gs_layout_gpu *g, const char *uuid)
{
	for (size_t i = 0; i < g->n_wants; i++)
		if (g->wants[i].kind == GS_KIND_VGPU && gs_str_equal(g->wants[i].uuid, uuid))
			return &g->wants[i];
	return NULL;
}

static int find_on_vf(struct gs_edit *x, const struct gs_instance_selector *sel, struct gs_want **ret)
{
	uint32_t n = sel->number;
	char text[16];
	int r;

	snprintf(text, sizeof(text), "%" PRIu32, n);
	r = gs_edit_vf(x, sel->text ? sel->text : text, &sel->pos, &n);
	if (r < 0)
		return r;
	if (!x->gpu->grids[GS_KIND_VGPU].n)
		return gs_error_at(x->e, -EINVAL, &sel->pos, "VFs of GPU %" PRIu32 " come and go together: write «vfs %" PRIu32 " N»", x->gpu->index, x->gpu->index);
	*ret = want_on_vf(x->g, n);
	return 0;
}

/* The instance that a selector names, as it stands in the layout. *@ret is NULL when it is legal but absent. */
int gs_edit_find(struct gs_edit *x, const struct gs_instance_selector *sel, struct gs_want **ret)
{
	const struct gs_profile *p = NULL;
	enum gs_instance_kind kind = GS_KIND_INVALID;
	const struct gs_instance *inst;
	struct gs_want *found = NULL;
	size_t n_matches = 0;
	int r;

	switch (sel->kind) {
	case GS_SELECT_AT:
		r = gs_edit_profile(x, sel->profile, &sel->pos, &p, &kind);
		if (r >= 0 && kind == GS_KIND_VGPU)
			return gs_error_at(x->e, -EINVAL, &sel->pos, "a vGPU is named by its VF (vf:N) or its UUID (mdev:UUID)");
		if (r >= 0)
			r = gs_edit_check_start(x, p, sel->number, &sel->pos);
		if (r < 0)
			return r;
		*ret = gs_edit_want_at(x->g, sel->profile, sel->number, false);
		return 0;
	case GS_SELECT_GI:
		if (x->context != GS_CONTEXT_PROMPT)
			return gs_error_at(x->e, -EINVAL, &sel->pos, "gi:%" PRIu32 " cannot be used in a file: the driver reuses these numbers; write PROFILE@START", sel->number);
		found = want_of(x->g, sel->number);
		break;
	case GS_SELECT_UUID:
		inst = instance_by_uuid(x->gpu, sel->text, &n_matches);
		if (n_matches > 1)
			return gs_error_at(x->e, -EINVAL, &sel->pos, "%s is the beginning of more than one instance's UUID", sel->text);
		if (inst && !inst->start.known)
			return gs_error_at(x->e, -EINVAL, &sel->pos, "%s is there, but its place cannot be seen at this privilege", sel->text);
		if (inst) {
			/* by identity: it may have been moved, and another may stand where it stood */
			*ret = want_of(x->g, inst->id);
			return 0;
		}
		break;
	case GS_SELECT_VF:
		return find_on_vf(x, sel, ret);
	case GS_SELECT_MDEV:
		if (!x->gpu->grids[GS_KIND_VGPU].n)
			return gs_error_at(x->e, -EINVAL, &sel->pos, "GPU %" PRIu32 " has no mdevs", x->gpu->index);
		*ret = want_by_uuid(x->g, sel->text);
		return 0;
	default:
		return gs_error_at(x->e, -EINVAL, &sel->pos, "a MIG instance is named by PROFILE@START or its MIG-UUID");
	}
	if (!found)
		return gs_error_at(x->e, -ENOENT, &sel->pos, "GPU %" PRIu32 " has no such instance", x->gpu->index);
	*ret = found;
	return 0;
}
