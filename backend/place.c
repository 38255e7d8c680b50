/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/place.h"

#include <string.h>

#include "base/parse.h"

bool gs_place_by_vf(struct gs_gpu *gpu, uint32_t n, struct gs_place *ret_place)
{
	/* both lie in the GPU, which is ours to change */
	struct gs_instance *inst = (struct gs_instance *)gs_gpu_instance_on_vf(gpu, n);
	struct gs_vf *vf = (struct gs_vf *)gs_gpu_vf(gpu, n);

	if (!inst && !vf)
		return false;
	*ret_place = (struct gs_place){ gpu, inst, inst ? NULL : vf };
	return true;
}

static struct gs_gpu *gpu_at(const struct gs_places *p, struct gs_bdf bdf)
{
	for (size_t i = 0; i < p->n; i++)
		if (gs_bdf_compare(p->gpus[i]->bdf, bdf) == 0)
			return p->gpus[i];
	return NULL;
}

bool gs_place_by_bdf(const struct gs_places *p, struct gs_bdf bdf, struct gs_place *ret_place)
{
	GS_FREE char *name = NULL;
	struct gs_gpu *gpu = gpu_at(p, bdf);
	char address[GS_BDF_TEXT];
	struct gs_bdf physical;

	for (size_t i = 0; !gpu && i < p->n; i++) {
		const struct gs_vfs *vfs = &p->gpus[i]->vfs;

		for (size_t k = 0; k < vfs->n_functions; k++)
			if (gs_bdf_compare(vfs->functions[k]->bdf, bdf) == 0)
				return gs_place_by_vf(p->gpus[i], vfs->functions[k]->n, ret_place);
	}
	if (!gpu && gs_root_readlink_name(p->root, &name, "sys/bus/pci/devices/%s/physfn", gs_bdf_format(bdf, address)) == 0 &&
	    gs_bdf_parse(name, &physical) == 0)
		gpu = gpu_at(p, physical);
	if (!gpu)
		return false;
	*ret_place = (struct gs_place){ gpu, NULL, NULL };
	return true;
}

/* "../../../devices/pci0000:00/…/0000:26:00.4/UUID": the part before the last. */
static bool parent_bdf(char *target, struct gs_bdf *ret_bdf)
{
	char *slash = strrchr(target, '/');

	if (!slash)
		return false;
	*slash = '\0';
	slash = strrchr(target, '/');
	return gs_bdf_parse(slash ? slash + 1 : target, ret_bdf) == 0;
}

bool gs_place_by_mdev(const struct gs_places *p, const char *uuid, struct gs_place *ret_place)
{
	GS_FREE char *target = NULL;
	struct gs_bdf parent;

	for (size_t i = 0; i < p->n; i++) {
		struct gs_instance *inst = (struct gs_instance *)gs_gpu_instance_by_uuid(p->gpus[i], uuid);

		if (!inst)
			continue;
		*ret_place = (struct gs_place){ p->gpus[i], inst, NULL };
		return true;
	}
	/* the caller's text may be anybody's: only a name, no path */
	if (strchr(uuid, '/') || gs_root_readlink(p->root, &target, "sys/bus/mdev/devices/%s", uuid) < 0 || !parent_bdf(target, &parent))
		return false;
	return gs_place_by_bdf(p, parent, ret_place);
}

bool gs_place_by_device(const struct gs_places *p, const struct gs_vm_device *device, struct gs_place *ret_place)
{
	return device->mdev[0] ? gs_place_by_mdev(p, device->mdev, ret_place) : gs_place_by_bdf(p, device->bdf, ret_place);
}

struct gs_holder *gs_place_add_holder(struct gs_snapshot *s, const struct gs_place *place)
{
	if (place->inst)
		return gs_instance_add_holder(s, place->inst);
	return place->vf ? gs_vf_add_holder(s, place->vf) : gs_gpu_add_holder(s, place->gpu);
}

size_t gs_place_n_holders(const struct gs_place *place)
{
	return place->inst ? place->inst->n_holders : place->vf ? place->vf->n_holders : place->gpu->n_holders;
}

struct gs_holder *const *gs_place_holders(const struct gs_place *place)
{
	return place->inst ? place->inst->holders : place->vf ? place->vf->holders : place->gpu->holders;
}
