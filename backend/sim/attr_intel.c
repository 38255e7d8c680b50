/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attr_intel.c - xe's sriov_admin and i915's iov directories (interfaces 7). */
#include <errno.h>
#include <string.h>

#include "backend/sim/attr.h"
#include "backend/sim/intel.h"
#include "base/parse.h"

void gs_sim_intel_share_out(struct gs_sim_gpu *gpu, uint32_t n)
{
	struct gs_sim_intel *intel = &gpu->intel;

	if (!intel->kind || intel->manual || n == 0)
		return;
	for (uint32_t i = 1; i <= n; i++) {
		intel->shares[i].lmem_bytes = intel->total.lmem_bytes / n;
		intel->shares[i].ggtt_bytes = intel->total.ggtt_bytes / n;
		intel->shares[i].contexts = intel->total.contexts;
		intel->shares[i].doorbells = intel->total.doorbells / n;
	}
}

void gs_sim_intel_unshare(struct gs_sim_gpu *gpu)
{
	struct gs_sim_intel *intel = &gpu->intel;

	if (!intel->kind || intel->manual)
		return;
	for (uint32_t i = 1; i <= gpu->total_vfs; i++) {
		intel->shares[i].lmem_bytes = intel->shares[i].ggtt_bytes = 0;
		intel->shares[i].contexts = intel->shares[i].doorbells = 0;
	}
}

static int is_of(const struct gs_sim_write *w, bool xe)
{
	if (!w->f.gpu || w->f.vf || !w->f.gpu->intel.kind || (w->f.gpu->intel.kind == GS_SIM_INTEL_XE) != xe)
		return -ENOENT;
	return 0;
}

/* One file of a share; @index 0 is the PF. */
static int store_value(struct gs_sim_gpu *gpu, uint32_t index, const char *name, const char *text)
{
	struct gs_sim_share *share = &gpu->intel.shares[index];
	uint64_t value, others = 0;

	if (gs_sim_attr_number(text, &value) < 0)
		return -EINVAL;
	if (gs_str_equal(name, "exec_quantum_ms") || gs_str_equal(name, "preempt_timeout_us")) {
		if (value > UINT32_MAX)
			return -EINVAL;
		*(name[0] == 'e' ? &share->exec_quantum_ms : &share->preempt_timeout_us) = (uint32_t)value;
		return 0;
	}
	if (gs_str_equal(name, "contexts_quota") || gs_str_equal(name, "doorbells_quota")) {
		if (value > (name[0] == 'c' ? gpu->intel.total.contexts : gpu->intel.total.doorbells))
			return -EINVAL;
		*(name[0] == 'c' ? &share->contexts : &share->doorbells) = (uint32_t)value;
	} else {
		bool ggtt = gs_str_equal(name, "ggtt_quota");
		uint64_t total = ggtt ? gpu->intel.total.ggtt_bytes : gpu->intel.total.lmem_bytes;

		if (value > total)
			return -EINVAL;
		for (uint32_t i = 1; i <= gpu->total_vfs; i++)
			others += i == index ? 0 : ggtt ? gpu->intel.shares[i].ggtt_bytes : gpu->intel.shares[i].lmem_bytes;
		if (value > total - others)
			return -EIO;
		*(ggtt ? &share->ggtt_bytes : &share->lmem_bytes) = value;
	}
	gpu->intel.manual = true;
	return 0;
}

static int priority_of(const char *text, uint32_t *ret_priority)
{
	static const char *const words[] = { "low", "normal", "high" };

	for (uint32_t i = 0; i < GS_ARRAY_SIZE(words); i++) {
		if (gs_str_equal(text, words[i])) {
			*ret_priority = i;
			return 0;
		}
	}
	return -EINVAL;
}

/* "…/vf3/…": 3; "…/pf/…": 0. The driver counts VFs from 1. */
static int share_index(const struct gs_sim_write *w, const char *dir, uint32_t *ret_index)
{
	uint32_t n = 0;

	if (!gs_str_starts(dir, "pf/") && (gs_sim_attr_index(dir, "vf", &n) < 0 || n == 0 || n > w->f.gpu->total_vfs))
		return -ENOENT;
	*ret_index = n;
	return 0;
}

static int store_profile(struct gs_sim_write *w)
{
	const char *name = strrchr(w->rest, '/') + 1;
	uint32_t index;
	int r = is_of(w, true);

	if (r == 0)
		r = share_index(w, w->rest + strlen("sriov_admin/"), &index);
	if (r < 0)
		return r;
	if (gs_str_equal(name, "sched_priority"))
		return index ? -EOPNOTSUPP : priority_of(w->text, &w->f.gpu->intel.shares[0].priority);
	if (gs_str_equal(name, "vram_quota"))
		return index ? store_value(w->f.gpu, index, "lmem_quota", w->text) : -EPERM;
	return store_value(w->f.gpu, index, name, w->text);
}

static int store_bulk(struct gs_sim_write *w)
{
	const char *name = strrchr(w->rest, '/') + 1;
	struct gs_sim_gpu *gpu = w->f.gpu;
	uint32_t priority;
	uint64_t bytes;
	int r = is_of(w, true);

	if (r < 0)
		return r;
	if (gs_str_equal(name, "sched_priority")) {
		r = priority_of(w->text, &priority);
		for (uint32_t i = 0; r == 0 && i <= gpu->total_vfs; i++)
			gpu->intel.shares[i].priority = i && priority > 1 ? 1 : priority;
		return r;
	}
	if (gs_str_equal(name, "vram_quota")) {
		if (gs_sim_attr_number(w->text, &bytes) < 0 || bytes > gpu->intel.total.lmem_bytes)
			return -EINVAL;
		/* room for the VFs that are there, or for all of them */
		if (bytes > gpu->intel.total.lmem_bytes / (gpu->numvfs ? gpu->numvfs : gpu->total_vfs))
			return -EIO;
		for (uint32_t i = 1; i <= gpu->total_vfs; i++)
			gpu->intel.shares[i].lmem_bytes = bytes;
		gpu->intel.manual = true;
		return 0;
	}
	for (uint32_t i = 0; r == 0 && i <= gpu->total_vfs; i++)
		r = store_value(gpu, i, name, w->text);
	return r;
}

static int store_stop(struct gs_sim_write *w)
{
	bool on;

	return is_of(w, true) < 0 ? -ENOENT : gs_sim_attr_bool(w->text, &on);
}

/* drm/cardN/iov/vf1/gt/lmem_quota; quotas only while there are no VFs */
static int store_iov(struct gs_sim_write *w)
{
	const char *name = strrchr(w->rest, '/') + 1, *dir = strstr(w->rest, "iov/");
	uint32_t index;
	int r = is_of(w, false);

	if (r == 0)
		r = share_index(w, dir + strlen("iov/"), &index);
	if (r < 0)
		return r;
	if (w->f.gpu->numvfs && strstr(name, "_quota"))
		return -EBUSY;
	return store_value(w->f.gpu, index, name, w->text);
}

static int store_auto(struct gs_sim_write *w)
{
	bool automatic;
	int r = is_of(w, false);

	if (r == 0)
		r = gs_sim_attr_bool(w->text, &automatic);
	if (r < 0)
		return r;
	if (w->f.gpu->numvfs)
		return -EBUSY;
	w->f.gpu->intel.manual = !automatic;
	gs_sim_intel_unshare(w->f.gpu);
	return 0;
}

const struct gs_sim_attr gs_sim_attr_intel[] = {
	{ "sriov_admin/.bulk_profile/*", store_bulk },
	{ "sriov_admin/*/profile/*", store_profile },
	{ "sriov_admin/vf*/stop", store_stop },
	{ "drm/card*/*iov/pf/auto_provisioning", store_auto },
	{ "drm/card*/*iov/*f*/gt*/*", store_iov },
	{ NULL, NULL },
};
