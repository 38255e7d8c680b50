/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/intel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backend/family_util.h"
#include "base/parse.h"

#define ADMIN "sriov_admin"

static const struct gs_share_file files[] = {
	{ "exec-quantum-ms", "exec_quantum_ms", true, true, false },
	{ "preempt-timeout-us", "preempt_timeout_us", true, true, false },
	/* a VF's can be read, but it follows from the PF's: as a parameter somebody would ask for it */
	{ "sched-priority", "sched_priority", true, false, true },
	{ "vram-quota-bytes", "vram_quota", false, true, false },
};

char *gs_share_active_word(char *text)
{
	char *open = strchr(text, '['), *close = open ? strchr(open, ']') : NULL;

	if (!close)
		return text;
	*close = '\0';
	return memmove(text, open + 1, strlen(open + 1) + 1);
}

int gs_share_add_quotas(struct gs_family_look *look, const struct gs_share_file *list, size_t n)
{
	struct gs_vfs *vfs = &look->gpu->vfs;

	vfs->quotas = gs_arena_calloc(gs_snapshot_arena(look->snapshot), n, sizeof(*vfs->quotas));
	if (!vfs->quotas)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (list[i].on_vf && strstr(list[i].file, "quota"))
			vfs->quotas[vfs->n_quotas++] = list[i].key;
	return 0;
}

/* Their VFs count from 1 (interfaces 7.1). @vf unknown: the PF's own. */
static void share_path(struct gs_bdf pf, struct gs_u32 vf, const char *file, char *buf, size_t size)
{
	char bdf[GS_BDF_TEXT];

	if (vf.known)
		snprintf(buf, size, GS_PCI_DEVICES "/%s/" ADMIN "/vf%" PRIu64 "/profile/%s", gs_bdf_format(pf, bdf), (uint64_t)vf.value + 1, file);
	else
		snprintf(buf, size, GS_PCI_DEVICES "/%s/" ADMIN "/pf/profile/%s", gs_bdf_format(pf, bdf), file);
}

/*
 * *@ret_text: what it reads; "mixed" where its tiles disagree (EUCLEAN); NULL:
 * not there or not readable. The caller frees.
 */
static int read_share(struct gs_root *root, struct gs_bdf pf, struct gs_u32 vf, const char *file, char **ret_text)
{
	char path[160];
	int r;

	share_path(pf, vf, file, path, sizeof(path));
	*ret_text = NULL;
	r = gs_root_read(root, ret_text, "%s", path);
	if (r == -EUCLEAN) {
		*ret_text = strdup("mixed");
		r = 0;
	}
	return r == -ENOMEM || (r == 0 && !*ret_text) ? -ENOMEM : 0;
}

static int add_settings(struct gs_family_look *look)
{
	for (size_t i = 0; i < GS_ARRAY_SIZE(files); i++) {
		GS_FREE char *text = NULL, *choices = NULL;

		if (!files[i].on_pf)
			continue;
		if (read_share(look->root, look->gpu->bdf, GS_U32_UNKNOWN, files[i].file, &text) < 0)
			return -ENOMEM;
		if (!text)
			continue;
		choices = strchr(text, '[') ? strdup(text) : NULL;
		if (!gs_setting_add(look->snapshot, look->gpu, files[i].key, gs_share_active_word(text), choices, NULL))
			return -ENOMEM;
	}
	return 0;
}

static int add_params(struct gs_family_look *look, struct gs_instance *inst)
{
	for (size_t i = 0; i < GS_ARRAY_SIZE(files); i++) {
		GS_FREE char *text = NULL;

		if (!files[i].on_vf)
			continue;
		if (read_share(look->root, look->gpu->bdf, inst->vf, files[i].file, &text) < 0)
			return -ENOMEM;
		if (text && gs_params_add(look->snapshot, inst, files[i].key, gs_share_active_word(text)) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int collect(struct gs_family_look *look)
{
	struct gs_gpu *gpu = look->gpu;

	if (gpu->vendor != GS_VENDOR_INTEL || !gs_function_has(look->root, gpu->bdf, ADMIN))
		return 0;
	gpu->framework = GS_FRAMEWORK_XE;
	if (add_settings(look) < 0 || gs_share_add_quotas(look, files, GS_ARRAY_SIZE(files)) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < gpu->n_instances; i++) {
		if (gpu->instances[i]->kind == GS_KIND_SRIOV && add_params(look, gpu->instances[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* ---------------------------------------------------------------- steps */

static bool takes(const struct gs_step *step)
{
	return (step->op == GS_STEP_SET_SETTING || step->op == GS_STEP_SET_PARAM) && step->framework == GS_FRAMEWORK_XE;
}

static const struct gs_share_file *file_of(const char *key)
{
	for (size_t i = 0; key && i < GS_ARRAY_SIZE(files); i++) {
		if (strcmp(files[i].key, key) == 0)
			return &files[i];
	}
	return NULL;
}

static int explain(struct gs_doing *d, int r)
{
	const struct gs_step *step = d->step;
	char where[24] = "the PF";

	if (step->vf.known)
		snprintf(where, sizeof(where), "VF %" PRIu32, step->vf.value);
	switch (-r) {
	case EOPNOTSUPP:
		return gs_doing_fail(d, r, step->bdf, "%s of %s cannot be set: the driver fixes it for VFs. Nothing was changed", step->key, where);
	case EINVAL:
		return gs_doing_fail(d, r, step->bdf, "%s of %s was not set: %s is no value for it. Nothing was changed", step->key, where, step->value);
	case EIO:
		return gs_doing_fail(d, r, step->bdf, "%s of %s was not set to %s: the driver refused; there may be less left to give. dmesg has its reason", step->key, where,
				     step->value);
	default:
		return gs_doing_fail(d, r, step->bdf, "%s of %s was not set to %s: %s", step->key, where, step->value, gs_errno_reason(r));
	}
}

static int set(struct gs_doing *d)
{
	const struct gs_step *step = d->step;
	struct gs_u32 vf = step->op == GS_STEP_SET_PARAM ? step->vf : GS_U32_UNKNOWN;
	const struct gs_share_file *file = file_of(step->key);
	GS_FREE char *now = NULL;
	char path[160];
	int r;

	if (file && vf.known && file->is_fixed_on_vf)
		return explain(d, -EOPNOTSUPP);
	if (!file || (vf.known ? !file->on_vf : !file->on_pf))
		return gs_doing_fail(d, -EINVAL, step->bdf, "the xe driver has no %s here. Nothing was changed", step->key);
	share_path(step->bdf, vf, file->file, path, sizeof(path));
	r = gs_doing_write(d, step->bdf, step->value, "%s", path);
	if (r == -EINPROGRESS)
		return r;
	if (r < 0)
		return explain(d, r);
	if (read_share(d->root, step->bdf, vf, file->file, &now) < 0)
		return gs_error_oom(d->e);
	if (!now || strcmp(gs_share_active_word(now), step->value) != 0)
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

const struct gs_family gs_family_xe = { "intel", collect, takes, run };
