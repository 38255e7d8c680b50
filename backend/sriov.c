/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sriov.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backend/family_util.h"
#include "base/parse.h"

#define VFS_MAX 1024

bool gs_nvidia_has_unbind_lock(struct gs_root *root, struct gs_bdf gpu)
{
	char bdf[GS_BDF_TEXT];

	return gs_root_exists(root, "proc/driver/nvidia/gpus/%s/unbindLock", gs_bdf_format(gpu, bdf));
}

/* 0 also when the number makes no sense; then it stays unknown. */
static void read_total(struct gs_family_look *look)
{
	char bdf[GS_BDF_TEXT];
	uint64_t total = 0;
	int r = gs_root_read_u64(look->root, 10, &total, GS_PCI_DEVICES "/%s/sriov_totalvfs", gs_bdf_format(look->gpu->bdf, bdf));

	if (r == -ENOENT)
		return;
	if (r == 0 && total <= UINT16_MAX)
		look->gpu->vfs.total = GS_U32((uint32_t)total);
	else
		gs_snapshot_add_notice(look->snapshot, "%s: sriov_totalvfs cannot be read (%s), so its virtual functions are left alone", bdf,
				       r < 0 ? strerror(-r) : "no such number of VFs is possible");
}

/* A VF may go while we look (interfaces 0.1): it is left out then. */
static int add_vf(struct gs_family_look *look, uint32_t n)
{
	char driver[GS_WORD];
	struct gs_bdf bdf;
	struct gs_vf *vf;

	if (gs_vf_function(look->root, look->gpu->bdf, n, &bdf) < 0 || !gs_function_has(look->root, bdf, NULL))
		return 0;
	vf = gs_gpu_add_vf(look->snapshot, look->gpu);
	if (!vf)
		return -ENOMEM;
	vf->n = n;
	vf->bdf = bdf;
	vf->iommu_group = gs_function_group(look->root, bdf);
	if (gs_function_driver(look->root, bdf, driver)[0]) {
		vf->driver = gs_snapshot_text(look->snapshot, driver);
		if (!vf->driver)
			return -ENOMEM;
	}
	return 0;
}

static int read_vfs(struct gs_family_look *look)
{
	char directory[64 + GS_BDF_TEXT], bdf[GS_BDF_TEXT];
	uint32_t numbers[VFS_MAX];
	size_t n = 0;

	snprintf(directory, sizeof(directory), GS_PCI_DEVICES "/%s", gs_bdf_format(look->gpu->bdf, bdf));
	if (gs_numbered_entries(look->root, directory, "virtfn", numbers, VFS_MAX, &n) < 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (add_vf(look, numbers[i]) < 0)
			return -ENOMEM;
	}
	look->gpu->vfs.enabled = GS_U32((uint32_t)look->gpu->vfs.n_functions);
	return 0;
}

static bool has_vf_on(const struct gs_gpu *gpu, const char *driver)
{
	for (size_t i = 0; i < gpu->vfs.n_functions; i++) {
		if (gs_str_equal(gpu->vfs.functions[i]->driver, driver))
			return true;
	}
	return false;
}

/* interfaces 3.2, 3.4, 9.1 */
static enum gs_vfs_by who_changes_them(const struct gs_family_look *look)
{
	const struct gs_gpu *gpu = look->gpu;

	if (!gpu->vfs.total.known || !gpu->vfs.total.value || !gpu->driver)
		return GS_VFS_BY_NOBODY;
	if (gpu->vendor == GS_VENDOR_NVIDIA && strcmp(gpu->driver, "nvidia") == 0)
		return gs_nvidia_has_unbind_lock(look->root, gpu->bdf) || has_vf_on(gpu, "nvidia") ? GS_VFS_BY_SRIOV_MANAGE : GS_VFS_BY_NOBODY;
	/* a function that is given away, or parked, is nobody's to cut */
	if (strstr(gpu->driver, "vfio") || gs_str_starts(gpu->driver, "pci-"))
		return GS_VFS_BY_NOBODY;
	return GS_VFS_BY_NUMVFS;
}

static int collect_vfs(struct gs_family_look *look)
{
	struct gs_gpu *gpu = look->gpu;

	if (gpu->vendor == GS_VENDOR_NVIDIA && gs_str_equal(gpu->driver, "pci-pf-stub"))
		gpu->stranded = "it is bound to pci-pf-stub, where an interrupted sriov-manage leaves a GPU: no driver and no nvidia-smi sees it until it is bound "
				"to nvidia again";
	read_total(look);
	if (!gpu->vfs.total.known)
		return 0;
	if (read_vfs(look) < 0)
		return -ENOMEM;
	gpu->vfs.by = who_changes_them(look);
	return 0;
}

/* ---------------------------------------------------------------- VFs that are instances */

static bool carries_vgpus(const struct gs_gpu *gpu)
{
	return gpu->framework == GS_FRAMEWORK_VENDOR_VFIO || gpu->framework == GS_FRAMEWORK_MDEV || gpu->vfs.by == GS_VFS_BY_SRIOV_MANAGE;
}

static int make_grid(struct gs_family_look *look)
{
	struct gs_profile *vf = gs_arena_calloc(gs_snapshot_arena(look->snapshot), 1, sizeof(*vf));

	if (!vf)
		return -ENOMEM;
	vf->name = "vf";
	vf->max_instances = look->gpu->vfs.total.value < GS_GRID_UNITS_MAX ? look->gpu->vfs.total.value : GS_GRID_UNITS_MAX;
	return gs_slots_make(look->snapshot, look->gpu->vfs.total.value, vf, 1, GS_PROFILES_DRIVER, &look->gpu->grids[GS_KIND_SRIOV]);
}

static int add_instance(struct gs_family_look *look, const struct gs_vf *vf)
{
	struct gs_instance *inst = gs_gpu_add_instance(look->snapshot, look->gpu);

	if (!inst)
		return -ENOMEM;
	inst->id = vf->n;
	inst->kind = GS_KIND_SRIOV;
	inst->profile = "vf";
	inst->vf = GS_U32(vf->n);
	inst->start = GS_U32(vf->n);
	inst->size = GS_U32(1);
	return 0;
}

static int collect_plain(struct gs_family_look *look)
{
	struct gs_gpu *gpu = look->gpu;

	if (!gpu->vfs.total.known || !gpu->vfs.total.value || carries_vgpus(gpu))
		return 0;
	if (gpu->vfs.by == GS_VFS_BY_NOBODY && !gpu->vfs.n_functions)
		return 0;
	gpu->modes |= 1u << GS_MODE_SRIOV;
	if (gpu->framework == GS_FRAMEWORK_INVALID)
		gpu->framework = GS_FRAMEWORK_SRIOV;
	if (make_grid(look) < 0)
		return -ENOMEM;
	if (!gpu->vfs.n_functions)
		return 0;
	if (gpu->mode != GS_MODE_PASSTHROUGH)
		gpu->mode = GS_MODE_SRIOV;
	for (size_t i = 0; i < gpu->vfs.n_functions; i++) {
		if (gpu->vfs.functions[i]->n < gpu->grids[GS_KIND_SRIOV].memory_units && add_instance(look, gpu->vfs.functions[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

static bool takes(const struct gs_step *step)
{
	return step->op == GS_STEP_ENABLE_VFS || step->op == GS_STEP_DISABLE_VFS;
}

const struct gs_family gs_family_sriov = { "sriov", collect_vfs, takes, gs_sriov_run };
const struct gs_family gs_family_plain_vfs = { "plain_vfs", collect_plain, NULL, NULL };
