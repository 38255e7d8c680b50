/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree_vgpu.c - VFIO nodes, mdev types and devices, the nvidia/ directory of a VF (interfaces 1, 2, 4.5). */
#include <inttypes.h>
#include <string.h>

#include "backend/sim/drivers.h"
#include "backend/sim/tree_list.h"
#include "backend/sim/vgpu.h"
#include "base/parse.h"
#include "base/strbuf.h"

static void list_group_node(struct gs_sim_list *l, uint32_t iommu_group)
{
	const char *name = gs_arena_printf(l->arena, "%u", iommu_group);

	gs_sim_list_enter(l, "dev/vfio");
	if (name)
		gs_sim_list_bytes(l, 0600, name, "", 0);
}

void gs_sim_list_vfio(struct gs_sim_list *l, const struct gs_sim_function *f, const char *path)
{
	uint32_t number = gs_sim_vfio_number(f->pci->iommu_group);
	const char *name = gs_arena_printf(l->arena, "vfio%u", number);

	if (!name || !gs_sim_function_has_vfio(f))
		return;
	list_group_node(l, f->pci->iommu_group);
	if (l->has_cdev) {
		gs_sim_list_enter(l, "dev/vfio/devices");
		gs_sim_list_bytes(l, 0600, name, "", 0);
	}
	gs_sim_list_enter(l, "sys/%s/vfio-dev/%s", path, name);
	gs_sim_list_text(l, 0444, "dev", "511:%u\n", number);
	gs_sim_list_enter(l, "sys/%s", path);
}

/* ------------------------------------------------------------ vendor framework */

/* Header only when the VF has a type or nothing can be created (interfaces 2.2). */
static void list_creatable(struct gs_sim_list *l, const struct gs_sim_function *f)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	uint32_t ids[GS_SIM_TYPES_MAX];
	size_t n = f->vf->vgpu_type ? 0 : gs_sim_type_ids(f->gpu, ids);

	gs_strbuf_printf(&b, "%-5s : %s\n", "ID", "vGPU Name");
	for (size_t i = 0; i < n; i++) {
		const struct gs_sim_type *t = gs_sim_type_by_id(f->gpu, ids[i]);

		if (t && gs_sim_type_is_creatable(f->gpu, t, NULL))
			gs_strbuf_printf(&b, "%-5u : %s\n", ids[i], t->full_name);
	}
	/* a show callback has one page (interfaces 0.1) */
	if (b.length > 4095)
		b.length = 4095;
	gs_sim_list_bytes(l, 0444, "creatable_vgpu_types", b.failed ? "" : b.text, b.failed ? 0 : b.length);
}

/* What an untyped VF cannot show is empty here; reading it gives ENXIO (sim_root.c). */
static void list_vendor(struct gs_sim_list *l, const struct gs_sim_function *f, const char *path)
{
	const struct gs_sim_vf *vf = f->vf;

	gs_sim_list_enter(l, "sys/%s/nvidia", path);
	list_creatable(l, f);
	gs_sim_list_text(l, 0644, "current_vgpu_type", "%u\n", vf->vgpu_type);
	if (vf->vgpu_type) {
		gs_sim_list_text(l, 0644, "placement_id", "%u\n", vf->placement_id);
		gs_sim_list_text(l, 0644, "gpu_instance_id", "%u\n", vf->gpu_instance_id);
		gs_sim_list_text(l, 0644, "vgpu_params", "%s\n", vf->vgpu_params);
	} else {
		gs_sim_list_bytes(l, 0644, "placement_id", "", 0);
		gs_sim_list_bytes(l, 0644, "gpu_instance_id", "", 0);
		gs_sim_list_bytes(l, 0644, "vgpu_params", "", 0);
	}
	gs_sim_list_bytes(l, 0644, "warm_update", "", 0);
}

/* ------------------------------------------------------------ mdev */

static bool is_child(const struct gs_sim_function *f, const struct gs_sim_mdev *m)
{
	return m->vf == (f->vf ? f->vf_number : GS_SIM_NONE);
}

static uint32_t available(const struct gs_sim_function *f, const struct gs_sim_type *t)
{
	if (!f->vf)
		return gs_sim_type_available(f->gpu, t);
	for (size_t i = 0; i < f->gpu->n_mdevs; i++) {
		if (is_child(f, &f->gpu->mdevs[i]))
			return 0;
	}
	return gs_sim_type_is_creatable(f->gpu, t, NULL);
}

static void list_type(struct gs_sim_list *l, const struct gs_sim_function *f, const struct gs_sim_type *t, uint32_t id,
		      const char *path)
{
	gs_sim_list_enter(l, "sys/%s/mdev_supported_types/nvidia-%u/devices", path, id);
	for (size_t i = 0; i < f->gpu->n_mdevs; i++) {
		const struct gs_sim_mdev *m = &f->gpu->mdevs[i];

		if (is_child(f, m) && m->type == id)
			gs_sim_list_link(l, m->uuid, "../../../%s", m->uuid);
	}
	gs_sim_list_enter(l, "sys/%s/mdev_supported_types/nvidia-%u", path, id);
	gs_sim_list_text(l, 0444, "name", "%s\n", t->full_name);
	gs_sim_list_text(l, 0444, "description",
			 "num_heads=%u, frl_config=%u, framebuffer=%" PRIu64 "M, max_resolution=%s, max_instance=%u\n",
			 t->heads.known ? t->heads.value : 1, t->frame_limit.known ? t->frame_limit.value : 60,
			 t->framebuffer_bytes >> 20, t->max_resolution[0] ? t->max_resolution : "4096x2160", t->max_instances);
	gs_sim_list_text(l, 0444, "device_api", "vfio-pci\n");
	gs_sim_list_text(l, 0444, "available_instances", "%u\n", available(f, t));
	gs_sim_list_text(l, 0200, "create", "%s", "");
}

static void list_mdev(struct gs_sim_list *l, const struct gs_sim_mdev *m, const char *parent)
{
	const char *path = gs_arena_printf(l->arena, "%s/%s", parent, m->uuid), *sys;

	if (!path)
		return;
	sys = gs_sim_up(l->arena, path);
	gs_sim_list_enter(l, "sys/%s", path);
	gs_sim_list_link(l, "mdev_type", "../mdev_supported_types/nvidia-%u", m->type);
	gs_sim_list_link(l, "iommu_group", "%s/kernel/iommu_groups/%u", sys, m->iommu_group);
	list_group_node(l, m->iommu_group);
	gs_sim_list_enter(l, "sys/kernel/iommu_groups/%u/devices", m->iommu_group);
	gs_sim_list_link(l, m->uuid, "../../../../%s", path);
	/* while its removal waits only the directory is left (testbench 4) */
	if (m->removing)
		return;
	gs_sim_list_enter(l, "sys/%s", path);
	gs_sim_list_text(l, 0200, "remove", "%s", "");
	gs_sim_list_text(l, 0644, "uevent", "DRIVER=nvidia-vgpu-vfio\nMODALIAS=mdev:\n");
	gs_sim_list_link(l, "driver", "%s/bus/mdev/drivers/nvidia-vgpu-vfio", sys);
	gs_sim_list_link(l, "subsystem", "%s/bus/mdev", sys);
	gs_sim_list_enter(l, "sys/%s/nvidia", path);
	gs_sim_list_text(l, 0644, "vgpu_params", "%s\n", m->params);
	gs_sim_list_text(l, 0444, "vm_name", "%s\n", m->vm_name);
	gs_sim_list_enter(l, "sys/bus/mdev/devices");
	gs_sim_list_link(l, m->uuid, "../../../%s", path);
	gs_sim_list_enter(l, "sys/bus/mdev/drivers/nvidia-vgpu-vfio");
	gs_sim_list_link(l, m->uuid, "../../../../%s", path);
}

static void list_mdev_parent(struct gs_sim_list *l, const struct gs_sim_function *f, const char *path)
{
	uint32_t ids[GS_SIM_TYPES_MAX];
	size_t n = gs_sim_type_ids(f->gpu, ids);

	for (size_t i = 0; i < n; i++)
		list_type(l, f, gs_sim_type_by_id(f->gpu, ids[i]), ids[i], path);
	gs_sim_list_enter(l, "sys/class/mdev_bus");
	gs_sim_list_link(l, f->pci->bdf, "../../%s", path);
	gs_sim_list_enter(l, "sys/bus/mdev/drivers/nvidia-vgpu-vfio");
}

void gs_sim_list_vgpu(struct gs_sim_list *l, const struct gs_sim_state *s, const struct gs_sim_function *f, const char *path)
{
	(void)s;
	if (f->gpu && f->gpu->framework == GS_SIM_VGPU_MDEV) {
		if (gs_sim_function_has_vgpu(f))
			list_mdev_parent(l, f, path);
		for (size_t i = 0; i < f->gpu->n_mdevs; i++) {
			if (is_child(f, &f->gpu->mdevs[i]))
				list_mdev(l, &f->gpu->mdevs[i], path);
		}
	} else if (f->vf && gs_sim_function_has_vgpu(f)) {
		list_vendor(l, f, path);
	}
	gs_sim_list_enter(l, "sys/%s", path);
}
