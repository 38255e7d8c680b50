/* SPDX-License-Identifier: GPL-2.0-or-later */
/* function.h - PCI functions of all sorts, their groups, and who holds them. */
#ifndef GS_SIM_FUNCTION_H
#define GS_SIM_FUNCTION_H

#include "backend/sim/state.h"

/* A PCI function that is there. */
struct gs_sim_function {
	struct gs_sim_pci *pci;
	struct gs_sim_gpu *gpu;     /* a GPU, or a VF's PF; NULL for anything else */
	struct gs_sim_vf *vf;       /* NULL unless it is one */
	uint32_t vf_number;
};

/*
 * The functions one after the other: start with *@at = 0. False at the end.
 * What vanished and VFs that are not enabled are passed over.
 */
bool gs_sim_function_next(const struct gs_sim_state *s, size_t *at, struct gs_sim_function *ret_function);
bool gs_sim_function_find(const struct gs_sim_state *s, const char *bdf, struct gs_sim_function *ret_function);

/*
 * Identity of VF @n by routing id: offset and stride cross into other device
 * and bus numbers (interfaces 3.1). -ERANGE past the last bus, -ENOMEM.
 */
int gs_sim_vf_init(struct gs_arena *arena, struct gs_sim_gpu *gpu, uint32_t n);

bool gs_sim_is_bridge(const struct gs_sim_pci *pci);
/* vfio-pci and its variants, such as nvgrace_gpu_vfio_pci */
bool gs_sim_driver_is_vfio(const char *driver);

/* Number of its node in /dev/vfio/devices; not the group's, so that nobody may mix them up. */
uint32_t gs_sim_vfio_number(uint32_t iommu_group);
/* Is this function, or what lies on it, offered to VFIO: a vfio driver, or a VF of the vendor framework? */
bool gs_sim_function_has_vfio(const struct gs_sim_function *f);

/* Are the NVIDIA vGPU files on this function now? They need PF and VF bound to nvidia. */
bool gs_sim_function_has_vgpu(const struct gs_sim_function *f);

struct gs_sim_mdev *gs_sim_mdev_by_uuid(const struct gs_sim_state *s, const char *uuid, struct gs_sim_gpu **ret_gpu);
/* The parent of an mdev. */
struct gs_sim_pci *gs_sim_mdev_parent(struct gs_sim_gpu *gpu, const struct gs_sim_mdev *m);

/* Has a process this node ("/dev/vfio/42") open? */
bool gs_sim_path_is_open(const struct gs_sim_state *s, const char *path);
/* Does a process hold the group's devices, by the group's node or a device's? */
bool gs_sim_group_is_held(const struct gs_sim_state *s, uint32_t iommu_group);
/* Does anybody but a real process have the NVIDIA GPU's node open? */
bool gs_sim_node_is_open(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu);

#endif
