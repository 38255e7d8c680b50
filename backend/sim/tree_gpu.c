/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree_gpu.c - what AMD's and Intel's drivers show, and DRM nodes (interfaces 6, 7). */
#include <inttypes.h>
#include <string.h>

#include "backend/sim/amd.h"
#include "backend/sim/tree_list.h"
#include "base/parse.h"
#include "base/strbuf.h"

/* ------------------------------------------------------------ DRM */

static void list_drm_node(struct gs_sim_list *l, const char *name, const char *device)
{
	gs_sim_list_enter(l, "sys/%s/drm/%s", device, name);
	gs_sim_list_link(l, "device", "../../../%s", strrchr(device, '/') + 1);
	gs_sim_list_enter(l, "sys/class/drm");
	gs_sim_list_link(l, name, "../../%s/drm/%s", device, name);
	gs_sim_list_enter(l, "dev/dri");
	gs_sim_list_bytes(l, 0660, name, "", 0);
}

void gs_sim_list_drm(struct gs_sim_list *l, const struct gs_sim_pci *pci, const char *path)
{
	const char *card = gs_arena_printf(l->arena, "card%u", pci->drm_card);
	const char *render = gs_arena_printf(l->arena, "renderD%u", pci->drm_render);

	/* the nodes are the native driver's */
	if (!card || !render || pci->unbinding || !gs_str_equal(pci->driver, pci->native))
		return;
	if (pci->drm_card != GS_SIM_NONE)
		list_drm_node(l, card, path);
	if (pci->drm_render != GS_SIM_NONE)
		list_drm_node(l, render, path);
	gs_sim_list_enter(l, "sys/%s", path);
}

/* ------------------------------------------------------------ AMD */

static void list_modes(struct gs_sim_list *l, const char *name, const char *const *names, size_t n, uint32_t bits)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;

	for (size_t i = 0; i < n; i++) {
		if (bits & 1u << i)
			gs_strbuf_printf(&b, "%s%s", b.length ? ", " : "", names[i]);
	}
	gs_sim_list_text(l, 0444, name, "%s\n", b.text && !b.failed ? b.text : "");
}

static uint32_t compute_modes(const struct gs_sim_amd *amd)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < GS_SIM_COMPUTE_MODES; i++)
		bits |= gs_sim_amd_has_mode(amd, (enum gs_sim_compute_mode)i) ? 1u << i : 0;
	return bits;
}

/* Partition 0 keeps the GPU's node; the others are platform devices with one of their own (interfaces 6.2). */
static void list_xcps(struct gs_sim_list *l, const struct gs_sim_gpu *gpu)
{
	uint32_t n = gs_sim_amd_partitions(&gpu->amd, gpu->amd.compute);

	for (uint32_t i = 1; i < n && gpu->pci.drm_render != GS_SIM_NONE; i++) {
		const char *device = gs_arena_printf(l->arena, "devices/platform/amdgpu_xcp_%u", i - 1);
		const char *render = gs_arena_printf(l->arena, "renderD%u", gpu->pci.drm_render + i);

		if (device && render)
			list_drm_node(l, render, device);
	}
}

static void list_amd(struct gs_sim_list *l, const struct gs_sim_gpu *gpu, const char *path)
{
	static const char *const blocks[] = { "xcc", "dma", "dec", "jpeg" };
	static const uint32_t per_xcc[] = { 1, 2, 1, 5 };
	const struct gs_sim_amd *amd = &gpu->amd;
	uint32_t partitions = gs_sim_amd_partitions(amd, amd->shown);
	bool several = (amd->memory_modes & (amd->memory_modes - 1)) != 0;

	/* of the board's FRU, and of VRAM in all (amdgpu_fru_eeprom.c, amdgpu_vram_mgr.c) */
	gs_sim_list_text(l, 0444, "product_name", "%s\n", gpu->name);
	gs_sim_list_text(l, 0444, "mem_info_vram_total", "%llu\n", (unsigned long long)gpu->memory_bytes);
	gs_sim_list_text(l, 0644, "current_compute_partition", "%s\n", gs_sim_compute_names[amd->compute]);
	list_modes(l, "available_compute_partition", gs_sim_compute_names, GS_SIM_COMPUTE_MODES, compute_modes(amd));
	gs_sim_list_text(l, several ? 0644 : 0444, "current_memory_partition", "%s\n", gs_sim_memory_names[amd->memory]);
	if (several)
		list_modes(l, "available_memory_partition", gs_sim_memory_names, GS_SIM_MEMORY_MODES, amd->memory_modes);
	gs_sim_list_enter(l, "sys/%s/compute_partition_config", path);
	gs_sim_list_text(l, 0644, "xcp_config", "%s\n", gs_sim_compute_names[amd->shown]);
	list_modes(l, "supported_xcp_configs", gs_sim_compute_names, GS_SIM_COMPUTE_MODES, compute_modes(amd));
	list_modes(l, "supported_nps_configs", gs_sim_memory_names, GS_SIM_MEMORY_MODES, gs_sim_amd_memory_modes(amd, amd->shown));
	for (size_t i = 0; i < GS_ARRAY_SIZE(blocks); i++) {
		uint32_t all = amd->xcc * per_xcc[i];

		gs_sim_list_enter(l, "sys/%s/compute_partition_config/%s", path, blocks[i]);
		gs_sim_list_text(l, 0400, "num_inst", "%u\n", all > partitions ? all / partitions : 1);
		gs_sim_list_text(l, 0400, "num_shared", "%u\n", all >= partitions ? 1 : partitions / (all ? all : 1));
	}
	list_xcps(l, gpu);
}

/* ------------------------------------------------------------ Intel */

static void list_priority(struct gs_sim_list *l, mode_t mode, uint32_t priority, bool high)
{
	static const char *const words[] = { "low", "normal", "high" };
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;

	for (uint32_t i = 0; i < (high ? 3 : 2); i++)
		gs_strbuf_printf(&b, "%s%s%s%s", i ? " " : "", i == priority ? "[" : "", words[i], i == priority ? "]" : "");
	gs_sim_list_text(l, mode, "sched_priority", "%s\n", b.text && !b.failed ? b.text : "");
}

static void list_xe_profile(struct gs_sim_list *l, const struct gs_sim_gpu *gpu, uint32_t index, const char *path)
{
	const struct gs_sim_share *share = &gpu->intel.shares[index];
	const char *dir = index ? gs_arena_printf(l->arena, "sys/%s/sriov_admin/vf%u", path, index) :
				  gs_arena_printf(l->arena, "sys/%s/sriov_admin/pf", path);

	if (!dir)
		return;
	gs_sim_list_enter(l, "%s", dir);
	if (!index)
		gs_sim_list_link(l, "device", "../../../%s", gpu->pci.bdf);
	else if (gpu->vfs[index - 1].state == GS_SIM_VF_PRESENT)
		gs_sim_list_link(l, "device", "../../../%s", gpu->vfs[index - 1].pci.bdf);
	if (index)
		gs_sim_list_text(l, 0200, "stop", "%s", "");
	gs_sim_list_enter(l, "%s/profile", dir);
	gs_sim_list_text(l, 0644, "exec_quantum_ms", "%u\n", share->exec_quantum_ms);
	gs_sim_list_text(l, 0644, "preempt_timeout_us", "%u\n", share->preempt_timeout_us);
	list_priority(l, index ? 0444 : 0644, share->priority, !index);
	if (index)
		gs_sim_list_text(l, 0644, "vram_quota", "%" PRIu64 "\n", share->lmem_bytes);
}

static void list_xe(struct gs_sim_list *l, const struct gs_sim_gpu *gpu, const char *path)
{
	gs_sim_list_enter(l, "sys/%s/sriov_admin/.bulk_profile", path);
	gs_sim_list_text(l, 0200, "exec_quantum_ms", "%s", "");
	gs_sim_list_text(l, 0200, "preempt_timeout_us", "%s", "");
	gs_sim_list_text(l, 0200, "sched_priority", "%s", "");
	gs_sim_list_text(l, 0200, "vram_quota", "%s", "");
	for (uint32_t i = 0; i <= gpu->total_vfs; i++)
		list_xe_profile(l, gpu, i, path);
}

static void list_iov_share(struct gs_sim_list *l, const struct gs_sim_gpu *gpu, uint32_t index, const char *dir)
{
	const struct gs_sim_share *share = &gpu->intel.shares[index];
	/* the tree for several tiles counts them, the older one does not (interfaces 7.2) */
	const char *tile = gpu->intel.kind == GS_SIM_INTEL_PRELIM ? "gt0" : "gt";

	if (index)
		gs_sim_list_enter(l, "%s/vf%u", dir, index);
	else
		gs_sim_list_enter(l, "%s/pf", dir);
	if (!index) {
		gs_sim_list_text(l, 0644, "auto_provisioning", "%d\n", !gpu->intel.manual);
		gs_sim_list_link(l, "device", "../../../../../%s", gpu->pci.bdf);
	} else if (gpu->vfs[index - 1].state == GS_SIM_VF_PRESENT) {
		gs_sim_list_link(l, "device", "../../../../../%s", gpu->vfs[index - 1].pci.bdf);
	}
	if (index)
		gs_sim_list_enter(l, "%s/vf%u/%s", dir, index, tile);
	else
		gs_sim_list_enter(l, "%s/pf/%s", dir, tile);
	gs_sim_list_text(l, 0644, "exec_quantum_ms", "%u\n", share->exec_quantum_ms);
	gs_sim_list_text(l, 0644, "preempt_timeout_us", "%u\n", share->preempt_timeout_us);
	if (!index)
		return;
	gs_sim_list_text(l, 0644, "ggtt_quota", "%" PRIu64 "\n", share->ggtt_bytes);
	gs_sim_list_text(l, 0644, "lmem_quota", "%" PRIu64 "\n", share->lmem_bytes);
	gs_sim_list_text(l, 0644, "contexts_quota", "%u\n", share->contexts);
	gs_sim_list_text(l, 0644, "doorbells_quota", "%u\n", share->doorbells);
}

static void list_iov(struct gs_sim_list *l, const struct gs_sim_gpu *gpu, const char *path)
{
	const char *dir = gs_arena_printf(l->arena, "sys/%s/drm/card%u/%s", path, gpu->pci.drm_card,
					  gpu->intel.kind == GS_SIM_INTEL_PRELIM ? "prelim_iov" : "iov");

	if (!dir || gpu->pci.drm_card == GS_SIM_NONE)
		return;
	gs_sim_list_enter(l, "%s", dir);
	gs_sim_list_text(l, 0444, "mode", "PF\n");
	for (uint32_t i = 0; i <= gpu->total_vfs; i++)
		list_iov_share(l, gpu, i, dir);
}

void gs_sim_list_partitions(struct gs_sim_list *l, const struct gs_sim_gpu *gpu, const char *path)
{
	if (gpu->pci.unbinding || gpu->lost)
		return;
	if (gpu->amd.xcc && gs_str_equal(gpu->pci.driver, "amdgpu"))
		list_amd(l, gpu, path);
	if (gpu->intel.kind == GS_SIM_INTEL_XE && gs_str_equal(gpu->pci.driver, "xe"))
		list_xe(l, gpu, path);
	else if (gpu->intel.kind && gs_str_equal(gpu->pci.driver, "i915"))
		list_iov(l, gpu, path);
	gs_sim_list_enter(l, "sys/%s", path);
}
