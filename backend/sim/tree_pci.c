/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree_pci.c - sys/bus/pci, sys/devices and sys/kernel/iommu_groups (interfaces 3.1, 4.1, 4.4). */
#include <stdio.h>
#include <string.h>

#include "backend/sim/tree_list.h"
#include "base/parse.h"

#define CONFIG_BYTES 256
#define BRIDGES_MAX 8

static const struct gs_sim_pci *function_at(const struct gs_sim_state *s, size_t i)
{
	return i < s->n_gpus ? &s->gpus[i].pci : i < s->n_gpus + s->n_devices ? &s->devices[i - s->n_gpus] : NULL;
}

static const struct gs_sim_pci *function_by_bdf(const struct gs_sim_state *s, const char *bdf)
{
	const struct gs_sim_pci *pci;

	for (size_t i = 0; (pci = function_at(s, i)); i++) {
		if (gs_str_equal(pci->bdf, bdf))
			return pci;
	}
	return NULL;
}

static unsigned bus_of(const struct gs_sim_pci *pci)
{
	char text[3] = { pci->bdf[5], pci->bdf[6], '\0' };
	uint32_t bus = 0;

	gs_parse_u32(text, 16, &bus);
	return bus;
}

/* "devices/pci0000:15/0000:15:01.0/0000:1b:00.0"; a state file could make a ring of parents, so the climb is bounded. */
static const char *device_path(struct gs_arena *arena, const struct gs_sim_state *s, const struct gs_sim_pci *pci)
{
	const char *path = pci->bdf;

	for (unsigned i = 0; i < BRIDGES_MAX && pci->parent[0]; i++) {
		const struct gs_sim_pci *parent = function_by_bdf(s, pci->parent);

		if (!parent)
			break;
		pci = parent;
		path = gs_arena_printf(arena, "%s/%s", pci->bdf, path ? path : "");
	}
	return gs_arena_printf(arena, "devices/pci%.7s/%s", pci->bdf, path ? path : "");
}

/* "../../.." from a directory under sys/ up to sys */
static const char *up(struct gs_arena *arena, const char *path)
{
	const char *ups = "..";

	for (; *path; path++) {
		if (*path == '/')
			ups = gs_arena_printf(arena, "../%s", ups ? ups : "");
	}
	return ups ? ups : "";
}

static bool is_bridge(const struct gs_sim_pci *pci)
{
	return pci->class >> 8 == 0x0604;
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
	const struct gs_sim_pci *child;

	put16(config + 0x00, pci->vendor);
	put16(config + 0x02, pci->device);
	put16(config + 0x04, 0x0146);
	config[0x08] = (unsigned char)pci->revision;
	config[0x09] = (unsigned char)pci->class;
	put16(config + 0x0a, pci->class >> 8);
	config[0x0c] = 0x10;
	config[0x3c] = (unsigned char)pci->irq;
	config[0x3d] = 1;
	if (is_bridge(pci)) {
		config[0x0e] = 1;
		config[0x18] = (unsigned char)bus_of(pci);
		for (size_t i = 0; (child = function_at(s, i)); i++) {
			if (gs_str_equal(child->parent, pci->bdf))
				config[0x19] = config[0x1a] = (unsigned char)bus_of(child);
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
static void list_resource(struct gs_sim_list *l, const struct gs_sim_pci *pci, const struct gs_sim_gpu *gpu)
{
	static const struct { unsigned bar; uint64_t size, offset; } bars[] = {
		{ 0, 1ull << 24, 0x2000000000 }, { 2, 1ull << 37, 0 }, { 4, 1ull << 25, 0x2001000000 },
	};
	unsigned lines = gpu && gpu->total_vfs ? 13 : 7;
	uint64_t start[13] = { 0 }, end[13] = { 0 }, flags[13] = { 0 };
	char text[13 * 57 + 1];
	size_t n = 0;

	for (size_t i = 0; gpu && i < sizeof(bars) / sizeof(bars[0]); i++) {
		start[bars[i].bar] = 0x200000000000 + ((uint64_t)gpu->minor << 38) + bars[i].offset;
		end[bars[i].bar] = start[bars[i].bar] + bars[i].size - 1;
		flags[bars[i].bar] = 0x14220c;
	}
	if (!gpu && !is_bridge(pci)) {
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

static void list_link_state(struct gs_sim_list *l, const struct gs_sim_state *s, const struct gs_sim_gpu *gpu)
{
	const char *now = "32.0 GT/s PCIe";
	bool busy = false;

	for (size_t i = 0; gpu && i < s->n_processes; i++) {
		for (size_t k = 0; k < s->processes[i].n_uses; k++)
			busy |= s->processes[i].uses[k].cuda &&
				s->processes[i].uses[k].gpu == gs_sim_gpu_index(s, gpu);
	}
	if (gpu && !busy)
		now = "2.5 GT/s PCIe";      /* idle GPUs clock the link down */
	if (gpu && gpu->lost)
		now = "Unknown";
	gs_sim_list_text(l, 0444, "current_link_speed", "%s\n", now);
	gs_sim_list_text(l, 0444, "max_link_speed", "32.0 GT/s PCIe\n");
	gs_sim_list_text(l, 0444, "current_link_width", "%s\n", gpu && gpu->lost ? "63" : "16");
	gs_sim_list_text(l, 0444, "max_link_width", "16\n");
}

static void list_identity(struct gs_sim_list *l, const struct gs_sim_pci *pci)
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
			 pci->driver[0] ? "DRIVER=" : "", pci->driver, pci->driver[0] ? "\n" : "", pci->class,
			 pci->vendor, pci->device, pci->subsystem_vendor, pci->subsystem_device, pci->bdf,
			 modalias ? modalias : "");
}

static void list_function(struct gs_sim_list *l, const struct gs_sim_state *s, const struct gs_sim_pci *pci,
			  const struct gs_sim_gpu *gpu)
{
	const char *path = device_path(l->arena, s, pci), *sys;

	if (!path)
		return;
	sys = up(l->arena, path);
	gs_sim_list_enter(l, "sys/%s", path);
	list_identity(l, pci);
	list_config(l, s, pci, gpu && gpu->lost);
	list_resource(l, pci, gpu);
	list_link_state(l, s, gpu);
	gs_sim_list_text(l, 0644, "numa_node", "%d\n", pci->numa_node);
	gs_sim_list_text(l, 0444, "local_cpulist", "%s\n", pci->cpulist);
	gs_sim_list_text(l, 0444, "irq", "%u\n", pci->irq);
	gs_sim_list_text(l, 0644, "enable", "1\n");
	gs_sim_list_text(l, 0444, "power_state", "D0\n");
	gs_sim_list_text(l, 0444, "ari_enabled", "0\n");
	gs_sim_list_text(l, 0644, "msi_bus", "1\n");
	gs_sim_list_text(l, 0444, "dma_mask_bits", "%s\n", gpu ? "52" : "64");
	gs_sim_list_text(l, 0644, "driver_override", "%s\n", pci->driver_override[0] ? pci->driver_override : "(null)");
	gs_sim_list_text(l, 0200, "remove", "%s", "");
	gs_sim_list_text(l, 0200, "rescan", "%s", "");
	if (!is_bridge(pci)) {
		gs_sim_list_text(l, 0644, "reset_method", "flr bus\n");
		gs_sim_list_text(l, 0200, "reset", "%s", "");
	}
	if (pci->class >> 8 == 0x0300)
		gs_sim_list_text(l, 0444, "boot_vga", "1\n");
	if (gpu && gpu->total_vfs) {
		gs_sim_list_text(l, 0444, "sriov_totalvfs", "%u\n", gpu->total_vfs);
		gs_sim_list_text(l, 0644, "sriov_numvfs", "0\n");
		gs_sim_list_text(l, 0444, "sriov_offset", "4\n");
		gs_sim_list_text(l, 0444, "sriov_stride", "1\n");
		gs_sim_list_text(l, 0444, "sriov_vf_device", "%x\n", pci->device);
		gs_sim_list_text(l, 0444, "sriov_vf_total_msix", "0\n");
		gs_sim_list_text(l, 0644, "sriov_drivers_autoprobe", "1\n");
	}
	gs_sim_list_link(l, "subsystem", "%s/bus/pci", sys);
	if (pci->driver[0])
		gs_sim_list_link(l, "driver", "%s/bus/pci/drivers/%s", sys, pci->driver);
	if (pci->iommu_group != GS_SIM_NONE)
		gs_sim_list_link(l, "iommu_group", "%s/kernel/iommu_groups/%u", sys, pci->iommu_group);

	gs_sim_list_enter(l, "sys/bus/pci/devices");
	gs_sim_list_link(l, pci->bdf, "../../../%s", path);
	if (pci->driver[0]) {
		gs_sim_list_enter(l, "sys/bus/pci/drivers/%s", pci->driver);
		gs_sim_list_link(l, pci->bdf, "../../../../%s", path);
		gs_sim_list_text(l, 0200, "bind", "%s", "");
		gs_sim_list_text(l, 0200, "unbind", "%s", "");
		gs_sim_list_text(l, 0200, "new_id", "%s", "");
		gs_sim_list_text(l, 0200, "remove_id", "%s", "");
	}
	if (pci->iommu_group != GS_SIM_NONE) {
		gs_sim_list_enter(l, "sys/kernel/iommu_groups/%u", pci->iommu_group);
		gs_sim_list_text(l, 0644, "type", "DMA-FQ\n");
		gs_sim_list_text(l, 0444, "reserved_regions", "0x00000000fee00000 0x00000000feefffff msi\n");
		gs_sim_list_enter(l, "sys/kernel/iommu_groups/%u/devices", pci->iommu_group);
		gs_sim_list_link(l, pci->bdf, "../../../../%s", path);
	}
}

void gs_sim_list_pci(struct gs_sim_list *l, const struct gs_sim_state *s)
{
	const struct gs_sim_pci *pci;

	gs_sim_list_enter(l, "sys/bus/pci/slots");
	gs_sim_list_enter(l, "sys/bus/pci/drivers");
	gs_sim_list_enter(l, "sys/bus/pci");
	gs_sim_list_text(l, 0644, "drivers_autoprobe", "1\n");
	gs_sim_list_text(l, 0200, "drivers_probe", "%s", "");
	gs_sim_list_text(l, 0200, "rescan", "%s", "");
	for (size_t i = 0; (pci = function_at(s, i)); i++)
		list_function(l, s, pci, i < s->n_gpus ? &s->gpus[i] : NULL);
}
