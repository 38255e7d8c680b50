/* SPDX-License-Identifier: GPL-2.0-or-later */
/* i915.c - quotas of the out-of-tree i915: drm/cardN/prelim_iov, or iov in older trees, with a directory per tile (interfaces 7.2). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backend/family_util.h"
#include "backend/intel.h"
#include "base/parse.h"

#define TILES_MAX 8
#define CARDS_MAX 8

static const struct gs_share_file files[] = {
	{ "exec-quantum-ms", "exec_quantum_ms", true, true, false },   { "preempt-timeout-us", "preempt_timeout_us", true, true, false },
	{ "ggtt-quota-bytes", "ggtt_quota", false, true, false },      { "vram-quota-bytes", "lmem_quota", false, true, false },
	{ "contexts-quota", "contexts_quota", false, true, false },    { "doorbells-quota", "doorbells_quota", false, true, false },
};

/* The directory of the GPU's shares, and the tiles below pf and vfN: "gt0", "gt1", or one "gt". */
struct shares {
	char directory[128];
	char tiles[TILES_MAX][16];
	size_t n_tiles;
};

static bool find_directory(struct gs_root *root, struct gs_bdf pf, struct shares *s)
{
	static const char *const names[] = { "prelim_iov", "iov" };
	char drm[64 + GS_BDF_TEXT], bdf[GS_BDF_TEXT];
	uint32_t cards[CARDS_MAX];
	size_t n = 0;

	snprintf(drm, sizeof(drm), GS_PCI_DEVICES "/%s/drm", gs_bdf_format(pf, bdf));
	if (gs_numbered_entries(root, drm, "card", cards, CARDS_MAX, &n) < 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < GS_ARRAY_SIZE(names); k++) {
			snprintf(s->directory, sizeof(s->directory), GS_PCI_DEVICES "/%s/drm/card%" PRIu32 "/%s", bdf, cards[i], names[k]);
			if (gs_root_exists(root, "%s", s->directory))
				return true;
		}
	}
	return false;
}

static bool find_shares(struct gs_root *root, struct gs_bdf pf, struct shares *s)
{
	uint32_t numbers[TILES_MAX];
	char path[160];
	size_t n = 0;

	memset(s, 0, sizeof(*s));
	if (!find_directory(root, pf, s))
		return false;
	snprintf(path, sizeof(path), "%s/pf", s->directory);
	gs_numbered_entries(root, path, "gt", numbers, TILES_MAX, &n);
	for (size_t i = 0; i < n; i++)
		snprintf(s->tiles[s->n_tiles++], sizeof(s->tiles[0]), "gt%" PRIu32, numbers[i]);
	if (!n)
		snprintf(s->tiles[s->n_tiles++], sizeof(s->tiles[0]), "gt");
	return true;
}

/* Their VFs count from 1. @vf unknown: the PF's own. */
static void share_path(const struct shares *s, struct gs_u32 vf, size_t tile, const char *file, char *buf, size_t size)
{
	if (vf.known)
		snprintf(buf, size, "%s/vf%" PRIu64 "/%s/%s", s->directory, (uint64_t)vf.value + 1, s->tiles[tile], file);
	else
		snprintf(buf, size, "%s/pf/%s/%s", s->directory, s->tiles[tile], file);
}

/* What all tiles say, "mixed" when they differ, NULL when none says anything. The caller frees. */
static int read_share(struct gs_root *root, const struct shares *s, struct gs_u32 vf, const char *file, char **ret_text)
{
	GS_FREE char *all = NULL;
	char path[256];

	for (size_t i = 0; i < s->n_tiles; i++) {
		GS_FREE char *text = NULL;
		int r;

		share_path(s, vf, i, file, path, sizeof(path));
		r = gs_root_read(root, &text, "%s", path);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			continue;
		if (!all) {
			all = GS_TAKE(text);
		} else if (strcmp(all, text) != 0) {
			free(all);
			all = strdup("mixed");
			break;
		}
	}
	*ret_text = GS_TAKE(all);
	return 0;
}

static int collect_vf(struct gs_family_look *look, const struct shares *s, struct gs_instance *inst)
{
	for (size_t i = 0; i < GS_ARRAY_SIZE(files); i++) {
		GS_FREE char *text = NULL;

		if (read_share(look->root, s, inst->vf, files[i].file, &text) < 0 || (text && gs_params_add(look->snapshot, inst, files[i].key, text) < 0))
			return -ENOMEM;
	}
	return 0;
}

static int collect(struct gs_family_look *look)
{
	struct gs_gpu *gpu = look->gpu;
	struct shares s;

	if (gpu->vendor != GS_VENDOR_INTEL || gpu->framework == GS_FRAMEWORK_XE || !find_shares(look->root, gpu->bdf, &s))
		return 0;
	gpu->framework = GS_FRAMEWORK_I915;
	if (gs_share_add_quotas(look, files, GS_ARRAY_SIZE(files)) < 0)
		return -ENOMEM;
	gpu->vfs.quotas_come_first = true;
	for (size_t i = 0; i < GS_ARRAY_SIZE(files); i++) {
		GS_FREE char *text = NULL;

		if (!files[i].on_pf)
			continue;
		if (read_share(look->root, &s, GS_U32_UNKNOWN, files[i].file, &text) < 0 ||
		    (text && !gs_setting_add(look->snapshot, gpu, files[i].key, text, NULL, NULL)))
			return -ENOMEM;
	}
	for (size_t i = 0; i < gpu->n_instances; i++) {
		if (gpu->instances[i]->kind == GS_KIND_SRIOV && collect_vf(look, &s, gpu->instances[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* ---------------------------------------------------------------- steps */

static bool takes(const struct gs_step *step)
{
	return (step->op == GS_STEP_SET_SETTING || step->op == GS_STEP_SET_PARAM) && step->framework == GS_FRAMEWORK_I915;
}

static const struct gs_share_file *file_of(const struct gs_step *step)
{
	for (size_t i = 0; step->key && i < GS_ARRAY_SIZE(files); i++) {
		if (strcmp(files[i].key, step->key) == 0)
			return (step->op == GS_STEP_SET_PARAM ? files[i].on_vf : files[i].on_pf) ? &files[i] : NULL;
	}
	return NULL;
}

static int explain(struct gs_doing *d, int r)
{
	const struct gs_step *step = d->step;

	/* quotas are fixed while VFs are on; which of the two is UNVERIFIED (interfaces 7.2) */
	if (strstr(step->key, "quota") && (r == -EBUSY || r == -EPERM))
		return gs_doing_fail(d, r, step->bdf, "%s was not set to %s: quotas can be changed only while no VF is enabled. Disable the VFs first", step->key, step->value);
	if (r == -EINVAL || r == -EIO || r == -ERANGE)
		return gs_doing_fail(d, r, step->bdf, "%s was not set: the driver does not take %s; there may be less left to give", step->key, step->value);
	return gs_doing_fail(d, r, step->bdf, "%s was not set to %s: %s", step->key, step->value, gs_errno_reason(r));
}

static int set(struct gs_doing *d)
{
	const struct gs_step *step = d->step;
	struct gs_u32 vf = step->op == GS_STEP_SET_PARAM ? step->vf : GS_U32_UNKNOWN;
	const struct gs_share_file *file = file_of(step);
	GS_FREE char *now = NULL;
	struct shares s;
	char path[256];
	int r;

	if (!file || !find_shares(d->root, step->bdf, &s))
		return gs_doing_fail(d, -EINVAL, step->bdf, "the i915 driver has no %s here. Nothing was changed", step->key);
	for (size_t i = 0; i < s.n_tiles; i++) {
		share_path(&s, vf, i, file->file, path, sizeof(path));
		r = gs_doing_write(d, step->bdf, step->value, "%s", path);
		if (r == -EINPROGRESS)
			return r;
		if (r < 0)
			return explain(d, r);
	}
	if (read_share(d->root, &s, vf, file->file, &now) < 0)
		return gs_error_oom(d->e);
	if (!gs_str_equal(now, step->value))
		return gs_doing_fail(d, -EIO, step->bdf, "%s was reported as set to %s, but reads %s", step->key, step->value, now ? now : "nothing");
	return 0;
}

static int run(struct gs_writer *w, const struct gs_step *step, struct gs_step_outcome *ret_outcome, struct gs_error *e)
{
	struct gs_doing d;
	int r;

	gs_doing_begin(&d, w, step, ret_outcome, e);
	r = set(&d);
	return r == -EINPROGRESS ? 0 : r;
}

const struct gs_family gs_family_i915 = { "i915", collect, takes, run };
