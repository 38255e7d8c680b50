/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/function.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

/* Functions in the order GPU, its VFs, next GPU…, then the other devices; positions of absent VFs are holes. */
bool gs_sim_function_next(const struct gs_sim_state *s, size_t *at, struct gs_sim_function *ret_function)
{
	size_t position = 0;

	for (size_t i = 0; i < s->n_gpus; i++) {
		struct gs_sim_gpu *gpu = &s->gpus[i];
		size_t first = position;

		position += 1 + gpu->total_vfs;
		if (*at >= position || gpu->pci.vanished)
			continue;
		if (*at < first)
			*at = first;
		if (*at == first) {
			*at = first + 1;
			*ret_function = (struct gs_sim_function){ .pci = &gpu->pci, .gpu = gpu };
			return true;
		}
		for (; *at < position; (*at)++) {
			struct gs_sim_vf *vf = &gpu->vfs[*at - first - 1];

			if (vf->state == GS_SIM_VF_ABSENT || vf->pci.vanished)
				continue;
			*ret_function = (struct gs_sim_function){ &vf->pci, gpu, vf, (uint32_t)(*at - first - 1) };
			(*at)++;
			return true;
		}
	}
	if (*at < position)
		*at = position;
	for (; *at - position < s->n_devices; (*at)++) {
		struct gs_sim_pci *pci = &s->devices[*at - position];

		if (pci->vanished)
			continue;
		*ret_function = (struct gs_sim_function){ .pci = pci };
		(*at)++;
		return true;
	}
	return false;
}

bool gs_sim_function_find(const struct gs_sim_state *s, const char *bdf, struct gs_sim_function *ret_function)
{
	struct gs_sim_function f;

	for (size_t at = 0; gs_sim_function_next(s, &at, &f);) {
		if (gs_str_equal(f.pci->bdf, bdf)) {
			*ret_function = f;
			return true;
		}
	}
	return false;
}

static uint32_t hex(const char *text, size_t n)
{
	char part[5] = "";
	uint32_t value = 0;

	memcpy(part, text, n);
	gs_parse_u32(part, 16, &value);
	return value;
}

int gs_sim_vf_init(struct gs_arena *arena, struct gs_sim_gpu *gpu, uint32_t n)
{
	const struct gs_sim_pci *pf = &gpu->pci;
	uint32_t rid = hex(pf->bdf + 5, 2) << 8 | hex(pf->bdf + 8, 2) << 3 | hex(pf->bdf + 11, 1);
	struct gs_sim_vf *vf = &gpu->vfs[n];

	rid += gpu->vf_offset + gpu->vf_stride * n;
	if (rid > 0xffff)
		return -ERANGE;
	*vf = (struct gs_sim_vf){ .placement_id = 0xffff, .gpu_instance_id = UINT32_MAX, .vgpu_params = "" };
	vf->pci = *pf;
	vf->pci.bdf = gs_arena_printf(arena, "%.4s:%02x:%02x.%x", pf->bdf, rid >> 8, rid >> 3 & 0x1f, rid & 7);
	vf->pci.device = gpu->vf_device;
	/* measured on an A2: the VF's subsystem vendor is the PF's, its device 0 (interfaces 3.1) */
	vf->pci.subsystem_device = 0;
	vf->pci.driver = vf->pci.driver_override = "";
	vf->pci.native = gs_sim_is_nvidia(gpu) && gpu->framework == GS_SIM_VGPU_NONE ? "" : pf->native;
	vf->pci.irq = 0;
	vf->pci.drm_card = vf->pci.drm_render = GS_SIM_NONE;
	vf->pci.boot_vga = vf->pci.unbinding = vf->pci.vanished = false;
	vf->pci.iommu_group = gpu->vf_group == GS_SIM_NONE ? GS_SIM_NONE : gpu->vf_group + n;
	return vf->pci.bdf ? 0 : -ENOMEM;
}

bool gs_sim_is_bridge(const struct gs_sim_pci *pci)
{
	return pci->class >> 16 == 0x06 && pci->class >> 8 != 0x0680;
}

bool gs_sim_driver_is_vfio(const char *driver)
{
	return strstr(driver, "vfio") != NULL;
}

uint32_t gs_sim_vfio_number(uint32_t iommu_group)
{
	return iommu_group + 1000;
}

bool gs_sim_function_has_vgpu(const struct gs_sim_function *f)
{
	const struct gs_sim_gpu *gpu = f->gpu;

	if (!gpu || !gpu->board || gpu->lost || !gs_str_equal(gpu->pci.driver, "nvidia") || gpu->pci.unbinding)
		return false;
	/* a PF with SR-IOV has no types of its own (interfaces 1.1) */
	if (!f->vf)
		return gpu->framework == GS_SIM_VGPU_MDEV && gpu->total_vfs == 0;
	return f->vf->state == GS_SIM_VF_PRESENT && gs_str_equal(f->vf->pci.driver, "nvidia") && !f->vf->pci.unbinding;
}

bool gs_sim_function_has_vfio(const struct gs_sim_function *f)
{
	if (f->pci->iommu_group == GS_SIM_NONE)
		return false;
	if (gs_sim_driver_is_vfio(f->pci->driver))
		return true;
	return f->vf && f->gpu->framework == GS_SIM_VGPU_VENDOR &&
	       (gs_sim_function_has_vgpu(f) || gs_str_equal(f->pci->driver, "nvidia"));
}

struct gs_sim_mdev *gs_sim_mdev_by_uuid(const struct gs_sim_state *s, const char *uuid, struct gs_sim_gpu **ret_gpu)
{
	for (size_t i = 0; i < s->n_gpus; i++) {
		for (size_t k = 0; k < s->gpus[i].n_mdevs; k++) {
			if (gs_str_equal_nocase(s->gpus[i].mdevs[k].uuid, uuid)) {
				*ret_gpu = &s->gpus[i];
				return &s->gpus[i].mdevs[k];
			}
		}
	}
	return NULL;
}

struct gs_sim_pci *gs_sim_mdev_parent(struct gs_sim_gpu *gpu, const struct gs_sim_mdev *m)
{
	return m->vf == GS_SIM_NONE ? &gpu->pci : &gpu->vfs[m->vf].pci;
}

bool gs_sim_path_is_open(const struct gs_sim_state *s, const char *path)
{
	for (size_t i = 0; i < s->n_processes; i++) {
		for (size_t k = 0; k < s->processes[i].n_opens; k++) {
			if (gs_str_equal(s->processes[i].opens[k], path))
				return true;
		}
	}
	return false;
}

bool gs_sim_group_is_held(const struct gs_sim_state *s, uint32_t iommu_group)
{
	char group[48], device[48];

	if (iommu_group == GS_SIM_NONE)
		return false;
	snprintf(group, sizeof(group), "/dev/vfio/%u", iommu_group);
	snprintf(device, sizeof(device), "/dev/vfio/devices/vfio%u", gs_sim_vfio_number(iommu_group));
	return gs_sim_path_is_open(s, group) || gs_sim_path_is_open(s, device);
}

bool gs_sim_node_is_open(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu)
{
	uint32_t index = gs_sim_gpu_index(s, gpu);
	char path[32];

	for (size_t i = 0; i < s->n_processes; i++) {
		for (size_t k = 0; k < s->processes[i].n_uses; k++) {
			if (s->processes[i].uses[k].gpu == index)
				return true;
		}
	}
	if (gpu->minor == GS_SIM_NONE)
		return false;
	snprintf(path, sizeof(path), "/dev/nvidia%u", gpu->minor);
	return gs_sim_path_is_open(s, path);
}
