/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attr_vendor_vfio.c - the nvidia/ directory of a VF (interfaces 2, 10.1). The
 * module is closed: EIO is the one errno that has been seen for a refusal, and
 * which of EBUSY, EPERM and EIO a VF in use gives is not known.
 */
#include <errno.h>
#include <string.h>

#include "backend/sim/attr.h"
#include "backend/sim/drivers.h"
#include "backend/sim/vgpu.h"
#include "base/parse.h"

static bool is_held(const struct gs_sim_write *w)
{
	return gs_sim_vf_is_held(w->s, w->f.gpu, w->f.vf_number);
}

static int store_type(struct gs_sim_write *w)
{
	struct gs_sim_vf *vf = w->f.vf;
	struct gs_sim_vgpu_place place;
	const struct gs_sim_type *t;
	uint64_t id;

	if (!vf || !gs_sim_function_has_vgpu(&w->f))
		return -ENODEV;
	if (gs_sim_attr_number(w->text, &id) < 0 || id > INT32_MAX)
		return -EINVAL;
	if (is_held(w))
		return -EBUSY;
	if (id == 0) {
		vf->vgpu_type = 0;
		vf->placement_id = 0xffff;
		vf->gpu_instance_id = UINT32_MAX;
		vf->vgpu_params = "";
		return 0;
	}
	t = gs_sim_type_by_id(w->f.gpu, (uint32_t)id);
	/* one that is typed has to go through 0 first (interfaces 2.3) */
	if (vf->vgpu_type || !t || !gs_sim_type_is_creatable(w->f.gpu, t, &place))
		return -EIO;
	vf->vgpu_type = (uint32_t)id;
	vf->placement_id = place.placement_id;
	vf->gpu_instance_id = place.gpu_instance_id;
	return 0;
}

static int typed(const struct gs_sim_write *w)
{
	if (!w->f.vf || !w->f.vf->vgpu_type)
		return -ENXIO;
	return is_held(w) ? -EBUSY : 0;
}

static int store_placement(struct gs_sim_write *w)
{
	uint64_t id;
	int r = typed(w);

	if (r < 0)
		return r;
	if (gs_sim_attr_number(w->text, &id) < 0)
		return -EINVAL;
	if (id > 0xfffe || !gs_sim_placement_is_free(w->f.gpu, w->f.vf_number, (uint32_t)id))
		return -EIO;
	w->f.vf->placement_id = (uint32_t)id;
	return 0;
}

static int store_gi(struct gs_sim_write *w)
{
	uint64_t id;
	int r = typed(w);

	if (r < 0)
		return r;
	if (gs_sim_attr_number(w->text, &id) < 0)
		return -EINVAL;
	if (id >= GS_SIM_GIS_MAX || !gs_sim_gi_takes(w->f.gpu, w->f.vf_number, (uint32_t)id))
		return -EIO;
	w->f.vf->gpu_instance_id = (uint32_t)id;
	return 0;
}

static int store_params(struct gs_sim_write *w)
{
	int r = typed(w);

	if (r < 0)
		return r;
	if (strlen(w->text) > 1023 || strchr(w->text, '\n'))
		return -EINVAL;
	w->f.vf->vgpu_params = gs_str_equal(w->text, " ") ? "" : gs_arena_strdup(w->s->arena, w->text);
	return w->f.vf->vgpu_params ? 0 : -ENOMEM;
}

const struct gs_sim_attr gs_sim_attr_vendor_vfio[] = {
	{ "nvidia/current_vgpu_type", store_type },
	{ "nvidia/placement_id", store_placement },
	{ "nvidia/gpu_instance_id", store_gi },
	{ "nvidia/vgpu_params", store_params },
	{ NULL, NULL },
};
