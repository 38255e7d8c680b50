/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree_driver.c - proc/driver/nvidia* and its nodes in dev/ (interfaces 5.10, 8.1). */
#include <string.h>

#include "backend/sim/drivers.h"
#include "backend/sim/tree_list.h"
#include "base/parse.h"
#include "base/strbuf.h"

#define GIS_PER_GPU 15u
#define CIS_PER_GI 8u

uint32_t gs_sim_cap_minor(uint32_t gpu_minor, uint32_t gi, uint32_t ci)
{
	uint32_t minor = 3 + gpu_minor * GIS_PER_GPU * (CIS_PER_GI + 1) + gi * (CIS_PER_GI + 1);

	return ci == GS_SIM_NONE ? minor : minor + 1 + ci;
}

static void list_minor_table(struct gs_sim_list *l)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;

	gs_strbuf_puts(&b, "config 1\nmonitor 2\n");
	for (uint32_t gpu = 0; gpu < 32; gpu++) {
		for (uint32_t gi = 0; gi < GIS_PER_GPU; gi++) {
			gs_strbuf_printf(&b, "gpu%u/gi%u/access %u\n", gpu, gi, gs_sim_cap_minor(gpu, gi, GS_SIM_NONE));
			for (uint32_t ci = 0; ci < CIS_PER_GI; ci++)
				gs_strbuf_printf(&b, "gpu%u/gi%u/ci%u/access %u\n", gpu, gi, ci,
						 gs_sim_cap_minor(gpu, gi, ci));
		}
	}
	gs_sim_list_enter(l, "proc/driver/nvidia-caps");
	gs_sim_list_bytes(l, 0444, "mig-minors", b.failed ? "" : b.text, b.failed ? 0 : b.length);
	gs_sim_list_text(l, 0444, "sys-minors", "fabric-imex-mgmt 1\n");
	gs_sim_list_text(l, 0444, "nvlink-minors", "fabric-mgmt 0\n");
}

static void list_information(struct gs_sim_list *l, const struct gs_sim_state *s, const struct gs_sim_gpu *gpu)
{
	gs_sim_list_enter(l, "proc/driver/nvidia/gpus/%s", gpu->pci.bdf);
	/* tabs and blanks as the driver prints them */
	gs_sim_list_text(l, 0444, "information",
			 "Model: \t\t %s\nIRQ:   \t\t %u\n%s%s%sVideo BIOS: \t %s\nBus Type: \t PCIe\n"
			 "DMA Size: \t 52 bits\nDMA Mask: \t 0xfffffffffffff\nBus Location: \t %s\nDevice Minor: \t %u\n"
			 "GPU Firmware: \t %s\nGPU Excluded:\t No\n",
			 gpu->name, gpu->pci.irq, gpu->uuid[0] ? "GPU UUID: \t " : "", gpu->uuid, gpu->uuid[0] ? "\n" : "",
			 gpu->vbios, gpu->pci.bdf, gpu->minor, s->driver_version[0] ? s->driver_version : "N/A");
	gs_sim_list_text(l, 0644, "registry", "Binary: \"\"\n");
	gs_sim_list_text(l, 0444, "power", "Runtime D3 status:          Disabled by default\nVideo Memory:               Active\n");
}

/* A capability: the file in proc/ that describes its node, and the node. */
static void list_capability(struct gs_sim_list *l, const char *dir, const char *name, uint32_t minor)
{
	const char *node = gs_arena_printf(l->arena, "nvidia-cap%u", minor);

	gs_sim_list_enter(l, "%s", dir);
	gs_sim_list_text(l, 0444, name, "DeviceFileMinor: %u\nDeviceFileMode: 256\nDeviceFileModify: 1\n", minor);
	gs_sim_list_enter(l, "dev/nvidia-caps");
	if (node)
		gs_sim_list_bytes(l, 0400, node, "", 0);
}

static void list_instances(struct gs_sim_list *l, const struct gs_sim_gpu *gpu)
{
	gs_sim_list_enter(l, "proc/driver/nvidia/capabilities/gpu%u/mig", gpu->minor);
	for (size_t i = 0; i < gpu->n_gis; i++) {
		const struct gs_sim_gi *gi = &gpu->gis[i];
		const char *dir = gs_arena_printf(l->arena, "proc/driver/nvidia/capabilities/gpu%u/mig/gi%u", gpu->minor,
						  gi->id);

		if (!dir)
			return;
		list_capability(l, dir, "access", gs_sim_cap_minor(gpu->minor, gi->id, GS_SIM_NONE));
		for (size_t k = 0; k < gi->n_cis; k++) {
			const char *ci_dir = gs_arena_printf(l->arena, "%s/ci%u", dir, gi->cis[k].id);

			if (ci_dir)
				list_capability(l, ci_dir, "access",
						gs_sim_cap_minor(gpu->minor, gi->id, gi->cis[k].id));
		}
	}
}

static void list_nodes(struct gs_sim_list *l, const struct gs_sim_state *s)
{
	static const char *const common[] = { "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset" };

	gs_sim_list_enter(l, "dev");
	for (size_t i = 0; i < GS_ARRAY_SIZE(common); i++)
		gs_sim_list_bytes(l, 0666, common[i], "", 0);
	for (size_t i = 0; i < s->n_gpus; i++) {
		const char *name = gs_arena_printf(l->arena, "nvidia%u", s->gpus[i].minor);

		/* the node goes with the driver; while an unbind waits it is what is waited for */
		if (name && gs_str_equal(s->gpus[i].pci.driver, "nvidia") && gs_sim_is_nvidia(&s->gpus[i]))
			gs_sim_list_bytes(l, 0666, name, "", 0);
	}
}

/* unbindLock is there with the vGPU host driver only (interfaces 5.10). */
static bool is_vgpu_host(const struct gs_sim_state *s)
{
	for (size_t i = 0; i < s->n_gpus; i++) {
		if (s->gpus[i].framework)
			return true;
	}
	return false;
}

void gs_sim_list_driver(struct gs_sim_list *l, const struct gs_sim_state *s)
{
	gs_sim_list_enter(l, "dev");
	gs_sim_list_bytes(l, 0666, "null", "", 0);
	if (!gs_sim_driver_exists(s, "nvidia"))
		return;
	gs_sim_list_enter(l, "proc/driver/nvidia");
	if (s->driver_version[0])
		gs_sim_list_text(l, 0444, "version",
			 "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  %s  Release Build  (builder@host)\n"
			 "GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n", s->driver_version);
	gs_sim_list_text(l, 0444, "params",
			 "ResmanDebugLevel: 4294967295\nRmLogonRC: 1\nModifyDeviceFiles: 1\nDeviceFileUID: 0\n"
			 "DeviceFileGID: 0\nDeviceFileMode: 438\nInitializeSystemMemoryAllocations: 1\n"
			 "EnableGpuFirmware: 18\nEnableStreamMemOPs: 0\nNvLinkDisable: 0\n");
	list_capability(l, "proc/driver/nvidia/capabilities/mig", "config", 1);
	list_capability(l, "proc/driver/nvidia/capabilities/mig", "monitor", 2);
	list_minor_table(l);
	list_nodes(l, s);
	for (size_t i = 0; i < s->n_gpus; i++) {
		if (!gs_sim_gpu_is_visible(&s->gpus[i]))
			continue;
		list_information(l, s, &s->gpus[i]);
		if (is_vgpu_host(s))
			gs_sim_list_text(l, 0644, "unbindLock", "%d\n", s->gpus[i].unbind_locked);
		if (s->gpus[i].model_name[0])
			list_instances(l, &s->gpus[i]);
	}
}
