/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a selector names: GPUs, profiles, instances. */
#include "core/script_edit.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
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

/* "1g.10gb, 2g.20gb, …" for an error about an unknown word. */
static const char *known_profiles(const struct gs_gpu *gpu, struct gs_strbuf *b)
{
	for (size_t i = 0; i < gpu->grids[GS_KIND_MIG].n; i++)
		gs_strbuf_printf(b, "%s%s", i ? ", " : "", gpu->grids[GS_KIND_MIG].items[i].name);
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

int gs_edit_profile(struct gs_edit *x, const char *name, const struct gs_position *pos, const struct gs_profile **ret_profile)
{
	GS_STRBUF struct gs_strbuf known = GS_STRBUF_INIT;
	char label[96];
	const struct gs_profile *p = gs_profile_by_name(&x->gpu->grids[GS_KIND_MIG], name);

	if (p) {
		*ret_profile = p;
		return 0;
	}
	gs_gpu_label(x->gpu, label, sizeof(label));
	if (!x->gpu->grids[GS_KIND_MIG].n)
		return gs_error_at(x->e, -ENODEV, pos, "%s has no MIG profiles%s%s", label, x->gpu->lost ? ": " : ": it cannot be partitioned, or its profiles cannot be read",
				   x->gpu->lost ? x->gpu->lost : "");
	return gs_error_at(x->e, -EINVAL, pos, "%s has no profile %s; it has %s", label, name, known_profiles(x->gpu, &known));
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
		if (gs_u32_is(g->wants[i].start, start) && gs_str_equal(g->wants[i].profile, profile) && !(unclaimed_only && g->wants[i].is_claimed))
			return &g->wants[i];
	return NULL;
}

static struct gs_want *want_of(struct gs_layout_gpu *g, uint32_t instance_id)
{
	for (size_t i = 0; i < g->n_wants; i++)
		if (gs_u32_is(g->wants[i].instance_id, instance_id) || gs_u32_is(g->wants[i].moved_id, instance_id))
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

/* The instance that a selector names, as it stands in the layout. *@ret is NULL when it is legal but absent. */
int gs_edit_find(struct gs_edit *x, const struct gs_instance_selector *sel, struct gs_want **ret)
{
	const struct gs_profile *p = NULL;
	const struct gs_instance *inst;
	struct gs_want *found = NULL;
	size_t n_matches = 0;
	int r;

	switch (sel->kind) {
	case GS_SELECT_AT:
		r = gs_edit_profile(x, sel->profile, &sel->pos, &p);
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
	default:
		return gs_error_at(x->e, -EINVAL, &sel->pos, "a MIG instance is named by PROFILE@START or its MIG-UUID");
	}
	if (!found)
		return gs_error_at(x->e, -ENOENT, &sel->pos, "GPU %" PRIu32 " has no such instance", x->gpu->index);
	*ret = found;
	return 0;
}
