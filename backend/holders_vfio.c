/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * holders_vfio.c - who has functions and mdevs through VFIO (interfaces 4.5,
 * 8.2): a group is everything that lies in it, a device node is one of them.
 */
#include <stdio.h>
#include <string.h>

#include "backend/holders_private.h"
#include "base/parse.h"

#define GROUP_DEVICES_MAX 256

static int use_device(struct gs_holders *h, const char *name, uint32_t pid, const char *evidence)
{
	struct gs_places places = gs_holders_places(h);
	struct gs_vm_device device;
	struct gs_place place;
	struct gs_use *u;

	if (!gs_vm_parse_device(name, &device) || !gs_place_by_device(&places, &device, &place))
		return 0;
	return gs_holders_use(h, &place, pid, evidence, &u);
}

/* Where sysfs does not list the group (a recording without it), what was collected knows its number. */
static int use_collected(struct gs_holders *h, uint32_t group, uint32_t pid, const char *evidence)
{
	struct gs_use *u;
	int r = 0;

	for (size_t i = 0; i < h->n_gpus && r == 0; i++) {
		struct gs_gpu *gpu = h->gpus[i];
		struct gs_place place = { gpu, NULL, NULL };

		if (gs_u32_is(gpu->iommu_group, group))
			r = gs_holders_use(h, &place, pid, evidence, &u);
		for (size_t k = 0; k < gpu->vfs.n_functions && r == 0; k++) {
			const struct gs_vf *vf = gpu->vfs.functions[k];

			if (gs_u32_is(vf->iommu_group, group) && gs_place_by_vf(gpu, vf->n, &place))
				r = gs_holders_use(h, &place, pid, evidence, &u);
		}
	}
	return r;
}

/* Functions have their address there, an mdev its UUID: it has a group of its own (interfaces 4.4). */
static int join_group(struct gs_holders *h, uint32_t group, uint32_t pid, const char *evidence)
{
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	unsigned seen = 0;
	int r = 0;

	if (gs_root_opendir(h->root, &dir, "sys/kernel/iommu_groups/%u/devices", group) < 0)
		return use_collected(h, group, pid, evidence);
	while (r == 0 && (entry = readdir(dir)) && seen++ < GROUP_DEVICES_MAX)
		if (entry->d_name[0] != '.')
			r = use_device(h, entry->d_name, pid, evidence);
	return r;
}

/* The function that has vfio-dev/vfioN, where the class does not tell. */
static int use_owner(struct gs_holders *h, uint32_t number, uint32_t pid, const char *evidence)
{
	struct gs_use *u;
	char address[GS_BDF_TEXT];

	for (size_t i = 0; i < h->n_gpus; i++) {
		struct gs_gpu *gpu = h->gpus[i];
		struct gs_place place = { gpu, NULL, NULL };

		if (gs_root_exists(h->root, "sys/bus/pci/devices/%s/vfio-dev/vfio%u", gs_bdf_format(gpu->bdf, address), number))
			return gs_holders_use(h, &place, pid, evidence, &u);
		for (size_t k = 0; k < gpu->vfs.n_functions; k++) {
			const struct gs_vf *vf = gpu->vfs.functions[k];

			if (gs_root_exists(h->root, "sys/bus/pci/devices/%s/vfio-dev/vfio%u", gs_bdf_format(vf->bdf, address), number) &&
			    gs_place_by_vf(gpu, vf->n, &place))
				return gs_holders_use(h, &place, pid, evidence, &u);
		}
	}
	return 0;
}

static int join_device(struct gs_holders *h, uint32_t number, uint32_t pid, const char *evidence)
{
	GS_FREE char *name = NULL;

	if (gs_root_readlink_name(h->root, &name, "sys/class/vfio-dev/vfio%u/device", number) == 0)
		return use_device(h, name, pid, evidence);
	return use_owner(h, number, pid, evidence);
}

int gs_holders_join_vfio(struct gs_holders *h, const struct gs_opened *o)
{
	char path[64], evidence[80];

	snprintf(evidence, sizeof(evidence), "fd %s", gs_node_format(o->node, o->number, path, sizeof(path)));
	if (o->node == GS_NODE_VFIO_GROUP)
		return join_group(h, o->number, o->pid, evidence);
	return o->node == GS_NODE_VFIO_DEVICE ? join_device(h, o->number, o->pid, evidence) : 0;
}
