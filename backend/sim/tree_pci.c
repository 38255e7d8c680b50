/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree_pci.c - sys/bus/pci, sys/devices and sys/kernel/iommu_groups (interfaces 3.1, 4.1, 4.4). */
#include <stdio.h>
#include <string.h>

#include "backend/sim/drivers.h"
#include "backend/sim/function.h"
#include "backend/sim/tree_list.h"
#include "base/parse.h"

#define CONFIG_BYTES 256
#define BRIDGES_MAX 8

static unsigned bus_of(const struct gs_sim_pci *pci)
{
	char text[3] = { pci->bdf[5], pci->bdf[6], '\0' };
	uint32_t bus = 0;

	gs_parse_u32(text, 16, &bus);
	return bus;
}

/* A state file could make a ring of parents, so the climb is bounded. */
const char *gs_sim_device_path(struct gs_arena *arena, const struct gs_sim_state *s, const struct gs_sim_pci *pci)
{
	const char *path = pci->bdf;

	for (unsigned i = 0; i < BRIDGES_MAX && pci->parent[0]; i++) {
		struct gs_sim_function parent;

		if (!gs_sim_function_find(s, pci->parent, &parent))
			break;
		pci = parent.pci;
		path = gs_arena_printf(arena, "%s/%s", pci->bdf, path ? path : "");
	}
	return gs_arena_printf(arena, "devices/pci%.7s/%s", pci->bdf, path ? path : "");
}

const char *gs_sim_up(struct gs_arena *arena, const char *path)
{
	const char *ups = "..";

	for (; *path; path++) {
		if (*path == '/')
			ups = gs_arena_printf(arena, "../%s", ups ? ups : "");
	}
	return ups ? ups : "";
}

static void put16(unsigned char *p, uint32_t value)
{
	p[0] = (unsigned char)value;
	p[1] = (unsigned char)(value >> 8);
}

/* A header that libpci can read; no capability list. */
static void list_config(struct gs_sim_list *l, const struct gs_sim_state *s, const struct gs_sim_pci *pci, bool lost)
{
	unsigned char config[CONFIG_BYTES] = { 0 };
	struct gs_sim_function child;

	put16(config + 0x00, pci->vendor);
	put16(config + 0x02, pci->device);
	put16(config + 0x04, 0x0146);
	config[0x08] = (unsigned char)pci->revision;
	config[0x09] = (unsigned char)pci->class;
	put16(config + 0x0a, pci->class >> 8);
	config[0x0c] = 0x10;
	config[0x3c] = (unsigned char)pci->irq;
	config[0x3d] = 1;
	if (pci->class >> 8 == 0x0604) {
		config[0x0e] = 1;
		config[0x18] = config[0x19] = config[0x1a] = (unsigned char)bus_of(pci);
		for (size_t at = 0; gs_sim_function_next(s, &at, &child);) {
			if (!gs_str_equal(child.pci->parent, pci->bdf))
				continue;
			if (config[0x19] == config[0x18])
				config[0x19] = (unsigned char)bus_of(child.pci);
			if (bus_of(child.pci) > config[0x1a])
				config[0x1a] = (unsigned char)bus_of(child.pci);
		}
	} else {
		put16(config + 0x10, 0x000c);
		put16(config + 0x2c, pci->subsystem_vendor);
		put16(config + 0x2e, pci->subsystem_device);
	}
	if (lost)
		memset(config, 0xff, sizeof(config));   /* what a read of a device that is not there gives */
	gs_sim_list_bytes(l, 0644, "config", config, sizeof(config));
}

/* Six BARs and the ROM, then six VF BARs where there is SR-IOV; sizes of an H100 for GPUs. */
static void list_resource(struct gs_sim_list *l, const struct gs_sim_state *s, const struct gs_sim_pci *pci,
			  const struct gs_sim_gpu *gpu)
{
	static const struct { unsigned bar; uint64_t size, offset; } bars[] = {
		{ 0, 1ull << 24, 0x2000000000 }, { 2, 1ull << 37, 0 }, { 4, 1ull << 25, 0x2001000000 },
	};
	unsigned lines = gpu && gpu->total_vfs ? 13 : 7;
	uint64_t start[13] = { 0 }, end[13] = { 0 }, flags[13] = { 0 };
	char text[13 * 57 + 1];
	size_t n = 0;

	for (size_t i = 0; gpu && i < sizeof(bars) / sizeof(bars[0]); i++) {
		start[bars[i].bar] = 0x200000000000 + ((uint64_t)gs_sim_gpu_index(s, gpu) << 38) + bars[i].offset;
		end[bars[i].bar] = start[bars[i].bar] + bars[i].size - 1;
		flags[bars[i].bar] = 0x14220c;
	}
	if (!gpu && !gs_sim_is_bridge(pci)) {
		start[0] = 0xc0000000 + ((uint64_t)bus_of(pci) << 20);
		end[0] = start[0] + 0xffff;
		flags[0] = 0x40200;
	}
	for (unsigned i = 0; i < lines; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "0x%016llx 0x%016llx 0x%016llx\n",
				      (unsigned long long)start[i], (unsigned long long)end[i],
				      (unsigned long long)flags[i]);
	gs_sim_list_bytes(l, 0444, "resource", text, n);
}

static bool is_computing(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu)
{
	bool busy = false;

	for (size_t i = 0; i < s->n_processes; i++) {
		for (size_t k = 0; k < s->processes[i].n_uses; k++)
			busy |= s->processes[i].uses[k].cuda && s->processes[i].uses[k].gpu == gs_sim_gpu_index(s, gpu);
	}
	return busy;
}

/* A VF knows no link of its own: «Unknown» and 0, read off an A2 (interfaces 3.1). */
static void list_link_state(struct gs_sim_list *l, const struct gs_sim_state *s, const struct gs_sim_function *f)
{
	const char *now = "32.0 GT/s PCIe";

	if (f->gpu && !is_computing(s, f->gpu))
		now = "2.5 GT/s PCIe";      /* idle GPUs clock the link down */
	if (f->vf || (f->gpu && f->gpu->lost))
		now = "Unknown";
	gs_sim_list_text(l, 0444, "current_link_speed", "%s\n", now);
	gs_sim_list_text(l, 0444, "max_link_speed", "32.0 GT/s PCIe\n");
	gs_sim_list_text(l, 0444, "current_link_width", "%s\n", f->vf ? "0" : f->gpu && f->gpu->lost ? "63" : "16");
	gs_sim_list_text(l, 0444, "max_link_width", "16\n");
}

static void list_identity(struct gs_sim_list *l, const struct gs_sim_pci *pci, const char *driver)
{
	const char *modalias = gs_arena_printf(l->arena, "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X", pci->vendor,
					       pci->device, pci->subsystem_vendor, pci->subsystem_device,
					       pci->class >> 16, pci->class >> 8 & 0xff, pci->class & 0xff);

	gs_sim_list_text(l, 0444, "vendor", "0x%04x\n", pci->vendor);
	gs_sim_list_text(l, 0444, "device", "0x%04x\n", pci->device);
	gs_sim_list_text(l, 0444, "subsystem_vendor", "0x%04x\n", pci->subsystem_vendor);
	gs_sim_list_text(l, 0444, "subsystem_device", "0x%04x\n", pci->subsystem_device);
	gs_sim_list_text(l, 0444, "class", "0x%06x\n", pci->class);
	gs_sim_list_text(l, 0444, "revision", "0x%02x\n", pci->revision);
	gs_sim_list_text(l, 0444, "modalias", "%s\n", modalias ? modalias : "");
	gs_sim_list_text(l, 0644, "uevent", "%s%s%sPCI_CLASS=%X\nPCI_ID=%04X:%04X\nPCI_SUBSYS_ID=%04X:%04X\n"
			 "PCI_SLOT_NAME=%s\nMODALIAS=%s\n",
			 driver[0] ? "DRIVER=" : "", driver, driver[0] ? "\n" : "", pci->class,
			 pci->vendor, pci->device, pci->subsystem_vendor, pci->subsystem_device, pci->bdf,
			 modalias ? modalias : "");
}

/* What can be written, with the modes of interfaces 4.1 and 4.2. A VF has no remove (testbench 4). */
static void list_controls(struct gs_sim_list *l, const struct gs_sim_function *f)
{
	const struct gs_sim_pci *pci = f->pci;

	gs_sim_list_text(l, 0644, "driver_override", "%s\n", pci->driver_override[0] ? pci->driver_override : "(null)");
	if (!f->vf)
		gs_sim_list_text(l, 0200, "remove", "%s", "");
	gs_sim_list_text(l, 0200, "rescan", "%s", "");
	if (!gs_sim_is_bridge(pci)) {
		gs_sim_list_text(l, 0644, "reset_method", f->vf ? "flr\n" : "flr bus\n");
		gs_sim_list_text(l, 0200, "reset", "%s", "");
	}
	if (pci->class >> 8 == 0x0300)
		gs_sim_list_text(l, 0444, "boot_vga", "%d\n", pci->boot_vga);
}

static void list_sriov(struct gs_sim_list *l, const struct gs_sim_gpu *gpu)
{
	gs_sim_list_text(l, 0444, "sriov_totalvfs", "%u\n", gpu->total_vfs);
	gs_sim_list_text(l, 0644, "sriov_numvfs", "%u\n", gpu->numvfs);
	gs_sim_list_text(l, 0444, "sriov_offset", "%u\n", gpu->vf_offset);
	gs_sim_list_text(l, 0444, "sriov_stride", "%u\n", gpu->vf_stride);
	gs_sim_list_text(l, 0444, "sriov_vf_device", "%x\n", gpu->vf_device);
	gs_sim_list_text(l, 0444, "sriov_vf_total_msix", "0\n");
	gs_sim_list_text(l, 0644, "sriov_drivers_autoprobe", "%d\n", gpu->autoprobe);
	for (uint32_t n = 0; n < gpu->total_vfs; n++) {
		const char *name = gs_arena_printf(l->arena, "virtfn%u", n);

		if (name && gpu->vfs[n].state == GS_SIM_VF_PRESENT && !gpu->vfs[n].pci.vanished)
			gs_sim_list_link(l, name, "../%s", gpu->vfs[n].pci.bdf);
	}
}

static void list_group(struct gs_sim_list *l, const struct gs_sim_pci *pci, const char *path)
{
	gs_sim_list_enter(l, "sys/kernel/iommu_groups/%u", pci->iommu_group);
	gs_sim_list_text(l, 0644, "type", "DMA-FQ\n");
	gs_sim_list_text(l, 0444, "reserved_regions", "0x00000000fee00000 0x00000000feefffff msi\n");
	gs_sim_list_enter(l, "sys/kernel/iommu_groups/%u/devices", pci->iommu_group);
	gs_sim_list_link(l, pci->bdf, "../../../../%s", path);
}

static void list_function(struct gs_sim_list *l, const struct gs_sim_state *s, const struct gs_sim_function *f)
{
	const struct gs_sim_pci *pci = f->pci;
	const struct gs_sim_gpu *gpu = f->vf ? NULL : f->gpu;
	bool removing = f->vf && f->vf->state == GS_SIM_VF_REMOVING;
	/* while an unbind waits the links are gone already, and so is everything of a VF that is being removed */
	const char *driver = pci->unbinding || removing ? "" : pci->driver;
	const char *path = gs_sim_device_path(l->arena, s, pci), *sys;

	if (!path)
		return;
	sys = gs_sim_up(l->arena, path);
	gs_sim_list_enter(l, "sys/%s", path);
	list_identity(l, pci, driver);
	list_config(l, s, pci, f->gpu && f->gpu->lost);
	list_resource(l, s, pci, gpu);
	list_link_state(l, s, f);
	gs_sim_list_text(l, 0644, "numa_node", "%d\n", pci->numa_node);
	gs_sim_list_text(l, 0444, "local_cpulist", "%s\n", pci->cpulist);
	gs_sim_list_text(l, 0444, "irq", "%u\n", pci->irq);
	gs_sim_list_text(l, 0644, "enable", "%d\n", driver[0] || !f->vf);
	gs_sim_list_text(l, 0444, "power_state", "D0\n");
	gs_sim_list_text(l, 0444, "ari_enabled", "%d\n", f->vf != NULL);
	gs_sim_list_text(l, 0644, "msi_bus", "1\n");
	gs_sim_list_text(l, 0444, "dma_mask_bits", "%s\n", f->gpu ? "52" : "64");
	list_controls(l, f);
	if (gpu && gpu->total_vfs)
		list_sriov(l, gpu);
	if (f->vf && !removing)
		gs_sim_list_link(l, "physfn", "../%s", f->gpu->pci.bdf);
	gs_sim_list_link(l, "subsystem", "%s/bus/pci", sys);
	if (driver[0])
		gs_sim_list_link(l, "driver", "%s/bus/pci/drivers/%s", sys, driver);
	if (pci->iommu_group != GS_SIM_NONE)
		gs_sim_list_link(l, "iommu_group", "%s/kernel/iommu_groups/%u", sys, pci->iommu_group);
	gs_sim_list_vfio(l, f, path);
	gs_sim_list_vgpu(l, s, f, path);
	if (gpu)
		gs_sim_list_partitions(l, gpu, path);
	gs_sim_list_drm(l, pci, path);

	gs_sim_list_enter(l, "sys/bus/pci/devices");
	gs_sim_list_link(l, pci->bdf, "../../../%s", path);
	if (driver[0]) {
		gs_sim_list_enter(l, "sys/bus/pci/drivers/%s", driver);
		gs_sim_list_link(l, pci->bdf, "../../../../%s", path);
	}
	if (pci->iommu_group != GS_SIM_NONE)
		list_group(l, pci, path);
}

static void list_pci_driver(struct gs_sim_list *l, const char *driver)
{
	gs_sim_list_enter(l, "sys/bus/pci/drivers/%s", driver);
	gs_sim_list_text(l, 0200, "bind", "%s", "");
	gs_sim_list_text(l, 0200, "unbind", "%s", "");
	gs_sim_list_text(l, 0200, "new_id", "%s", "");
	gs_sim_list_text(l, 0200, "remove_id", "%s", "");
}

void gs_sim_list_pci(struct gs_sim_list *l, const struct gs_sim_state *s)
{
	struct gs_sim_function f;

	gs_sim_list_enter(l, "sys/bus/pci/slots");
	gs_sim_list_enter(l, "sys/bus/pci/drivers");
	gs_sim_list_enter(l, "sys/bus/pci");
	gs_sim_list_text(l, 0644, "drivers_autoprobe", "1\n");
	gs_sim_list_text(l, 0200, "drivers_probe", "%s", "");
	gs_sim_list_text(l, 0200, "rescan", "%s", "");
	for (size_t i = 0; i < s->n_modules; i++) {
		if (s->modules[i].loaded && s->modules[i].driver[0])
			list_pci_driver(l, s->modules[i].driver);
	}
	for (size_t at = 0; gs_sim_function_next(s, &at, &f);) {
		if (!f.vf && f.pci->native[0] && gs_sim_driver_exists(s, f.pci->native))
			list_pci_driver(l, f.pci->native);
		if (f.pci->driver[0] && gs_sim_driver_exists(s, f.pci->driver))
			list_pci_driver(l, f.pci->driver);
		list_function(l, s, &f);
	}
}
