/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/passthrough.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backend/family_util.h"
#include "backend/vgpu_grid.h"
#include "base/parse.h"

#define MEMBERS_MAX 64
#define CLASS_BRIDGE 0x06
#define CLASS_PCI_BRIDGE 0x0604

bool gs_driver_is_vfio(const char *driver)
{
	return driver && strstr(driver, "vfio");
}

bool gs_driver_name_is_sound(const char *driver)
{
	return driver[0] && driver[0] != '-' && strspn(driver, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == strlen(driver);
}

/* PCI ids that the kernel's nvgrace-gpu variant driver claims: Grace Hopper, Grace Blackwell. */
static bool is_grace(uint64_t device)
{
	static const uint16_t ids[] = { 0x2342, 0x2345, 0x2348, 0x2941, 0x31c2 };

	for (size_t i = 0; i < GS_ARRAY_SIZE(ids); i++) {
		if (device == ids[i])
			return true;
	}
	return false;
}

const char *gs_vfio_driver_for(struct gs_root *root, struct gs_bdf function)
{
	char bdf[GS_BDF_TEXT];
	uint64_t vendor = 0, device = 0;

	gs_bdf_format(function, bdf);
	if (gs_root_read_u64(root, 16, &vendor, GS_PCI_DEVICES "/%s/vendor", bdf) < 0 || gs_root_read_u64(root, 16, &device, GS_PCI_DEVICES "/%s/device", bdf) < 0)
		return "vfio-pci";
	return vendor == 0x10de && is_grace(device) ? "nvgrace_gpu_vfio_pci" : "vfio-pci";
}

/* ---------------------------------------------------------------- who comes along */

struct members {
	struct gs_bdf list[MEMBERS_MAX];
	size_t n;
};

static void add_member(struct members *m, struct gs_bdf bdf)
{
	for (size_t i = 0; i < m->n; i++) {
		if (gs_bdf_compare(m->list[i], bdf) == 0)
			return;
	}
	if (m->n < MEMBERS_MAX)
		m->list[m->n++] = bdf;
}

static void add_group(struct gs_family_look *look, struct members *m)
{
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	struct gs_bdf bdf;

	if (!look->gpu->iommu_group.known ||
	    gs_root_opendir(look->root, &dir, "sys/kernel/iommu_groups/%" PRIu32 "/devices", look->gpu->iommu_group.value) < 0)
		return;
	while ((entry = readdir(dir))) {
		if (gs_bdf_parse(entry->d_name, &bdf) == 0)
			add_member(m, bdf);
	}
}

/* Audio .1, USB .2, UCSI .3: on the same board, whatever group they are in. */
static void add_board(struct gs_family_look *look, struct members *m)
{
	struct gs_bdf bdf = look->gpu->bdf;

	for (bdf.function = 0; bdf.function < 8; bdf.function++) {
		if (gs_function_has(look->root, bdf, NULL))
			add_member(m, bdf);
	}
}

/* *@ret_mode: bit of the mode that it had; 0 when that is not known. */
static int remembered_driver(struct gs_family_look *look, struct gs_bdf function, const char **ret_driver, uint32_t *ret_mode)
{
	GS_FREE char *text = NULL;
	char bdf[GS_BDF_TEXT];
	enum gs_mode mode;
	char *end;

	*ret_driver = NULL;
	*ret_mode = 0;
	if (gs_root_read(look->root, &text, GS_DRIVERS_DIR "/%s", gs_bdf_format(function, bdf)) < 0)
		return 0;
	end = strchrnul(text, '\n');
	mode = *end ? gs_mode_from_name(end + 1) : GS_MODE_INVALID;
	*end = '\0';
	if (!gs_driver_name_is_sound(text) || strlen(text) >= GS_WORD)
		return 0;
	if (mode != GS_MODE_INVALID)
		*ret_mode = 1u << mode;
	*ret_driver = gs_snapshot_text(look->snapshot, text);
	return *ret_driver ? 0 : -ENOMEM;
}

/*
 * A bridge is left alone: it does not hurt the group while it is driven by the
 * kernel's port driver or by nothing. One that is an endpoint (a host or ISA
 * bridge) with a driver of its own does, and vfio-pci would even take it
 * (testbench 4): then the GPU cannot be given away.
 */
static void judge_bridge(struct gs_family_look *look, const struct gs_sibling *sibling)
{
	char bdf[GS_BDF_TEXT];
	char text[256];

	if (sibling->class_id >> 8 == CLASS_PCI_BRIDGE || !sibling->driver || look->gpu->no_passthrough)
		return;
	if (!gs_u32_equal(gs_function_group(look->root, sibling->bdf), look->gpu->iommu_group))
		return;
	snprintf(text, sizeof(text), "it shares IOMMU group %" PRIu32 " with the bridge %s, which %s drives and the machine needs: use a slot with a group of its own",
		 look->gpu->iommu_group.value, gs_bdf_format(sibling->bdf, bdf), sibling->driver);
	look->gpu->no_passthrough = gs_snapshot_text(look->snapshot, text);
}

static int add_sibling(struct gs_family_look *look, struct gs_bdf bdf)
{
	struct gs_sibling *sibling;
	char driver[GS_WORD];
	uint32_t mode;

	/* VFs, its own or another's, come and go with their PF */
	if (gs_bdf_compare(bdf, look->gpu->bdf) == 0 || gs_function_has(look->root, bdf, "physfn") || !gs_function_has(look->root, bdf, NULL))
		return 0;
	sibling = gs_gpu_add_sibling(look->snapshot, look->gpu);
	if (!sibling)
		return -ENOMEM;
	sibling->bdf = bdf;
	sibling->class_id = gs_function_class(look->root, bdf);
	sibling->is_bridge = sibling->class_id >> 16 == CLASS_BRIDGE;
	if (gs_function_driver(look->root, bdf, driver)[0]) {
		sibling->driver = gs_snapshot_text(look->snapshot, driver);
		if (!sibling->driver)
			return -ENOMEM;
	}
	if (sibling->is_bridge)
		judge_bridge(look, sibling);
	return remembered_driver(look, bdf, &sibling->original_driver, &mode);
}

/* ---------------------------------------------------------------- the GPU itself */

static void judge_iommu(struct gs_family_look *look)
{
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	bool any = false;

	if (look->gpu->iommu_group.known)
		return;
	if (gs_root_opendir(look->root, &dir, "sys/kernel/iommu_groups") == 0) {
		while (!any && (entry = readdir(dir)))
			any = entry->d_name[0] != '.';
	}
	look->gpu->no_passthrough = any ? "it is in no IOMMU group"
					: "the IOMMU is off: switch it on in the firmware (VT-d, AMD-Vi) and on the kernel's command line (intel_iommu=on)";
}

static int make_grid(struct gs_family_look *look)
{
	struct gs_profile *p = gs_arena_calloc(gs_snapshot_arena(look->snapshot), 1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->name = "passthrough";
	p->max_instances = 1;
	p->memory_bytes = look->gpu->memory_bytes;
	return gs_slots_make(look->snapshot, 1, p, 1, GS_PROFILES_DRIVER, &look->gpu->grids[GS_KIND_PASSTHROUGH]);
}

static int add_instance(struct gs_family_look *look)
{
	struct gs_instance *inst = gs_gpu_add_instance(look->snapshot, look->gpu);

	if (!inst)
		return -ENOMEM;
	inst->kind = GS_KIND_PASSTHROUGH;
	inst->profile = "passthrough";
	inst->start = GS_U32(0);
	inst->size = GS_U32(1);
	return 0;
}

/* A switch of NVLink that its driver has: then the GPUs of this machine are linked through it. */
static bool has_nvswitch(struct gs_root *root)
{
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	struct gs_bdf bdf;

	if (gs_root_opendir(root, &dir, "sys/bus/pci/drivers/nvidia-nvswitch") < 0)
		return false;
	while ((entry = readdir(dir))) {
		if (gs_bdf_parse(entry->d_name, &bdf) == 0)
			return true;
	}
	return false;
}

static void read_boot_display(struct gs_family_look *look)
{
	char bdf[GS_BDF_TEXT];
	uint64_t value;

	look->gpu->is_boot_display =
		gs_root_read_u64(look->root, 10, &value, GS_PCI_DEVICES "/%s/boot_vga", gs_bdf_format(look->gpu->bdf, bdf)) == 0 && value == 1;
}

static int collect(struct gs_family_look *look)
{
	struct gs_gpu *gpu = look->gpu;
	struct members m = { .n = 0 };
	uint32_t before;

	read_boot_display(look);
	look->gpu->is_in_fabric = look->gpu->vendor == GS_VENDOR_NVIDIA && has_nvswitch(look->root);
	gpu->vfio_driver = gs_vfio_driver_for(look->root, gpu->bdf);
	judge_iommu(look);
	add_group(look, &m);
	add_board(look, &m);
	for (size_t i = 0; i < m.n; i++) {
		if (add_sibling(look, m.list[i]) < 0)
			return -ENOMEM;
	}
	if (remembered_driver(look, gpu->bdf, &gpu->original_driver, &before) < 0)
		return -ENOMEM;
	if (gs_driver_is_vfio(gpu->driver)) {
		gpu->mode = GS_MODE_PASSTHROUGH;
		gpu->modes = 1u << GS_MODE_PASSTHROUGH | (before ? before : 1u << GS_MODE_WHOLE);
		gpu->framework = GS_FRAMEWORK_VFIO;
		gpu->placements_visible = true;
		if (add_instance(look) < 0 || gs_vgpu_grid_without_driver(look) < 0)
			return -ENOMEM;
	}
	if (gpu->no_passthrough && gpu->mode != GS_MODE_PASSTHROUGH)
		return 0;
	gpu->modes |= 1u << GS_MODE_PASSTHROUGH;
	return make_grid(look);
}

static bool takes(const struct gs_step *step)
{
	return step->op == GS_STEP_UNBIND_DRIVER || step->op == GS_STEP_BIND_DRIVER;
}

const struct gs_family gs_family_passthrough = { "passthrough", collect, takes, gs_passthrough_run };
