/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/host_vgpu.h"

#include <string.h>
#include <uuid/uuid.h>

#include "backend/sim/drivers.h"
#include "backend/sim/function.h"
#include "backend/sim/vgpu.h"
#include "base/parse.h"

static const struct gs_sim_type *find_type(struct gs_sim_json *j, struct json_object *o, const struct gs_sim_gpu *gpu,
					   struct gs_sim_vgpu_place *ret_place)
{
	const char *name = gs_sim_json_string(j, o, "type", 63);

	for (size_t i = 0; gpu->board && i < gpu->board->n_types; i++) {
		const struct gs_sim_type *t = &gpu->board->types[i];

		if (!gs_str_equal(t->name, name))
			continue;
		if (gs_sim_type_id(gpu, t) && gs_sim_type_is_creatable(gpu, t, ret_place))
			return t;
		break;
	}
	gs_sim_json_fail(j, "type", "is not one that can be created there");
	return NULL;
}

static void read_vgpu(struct gs_sim_json *j, struct json_object *o, struct gs_sim_gpu *gpu)
{
	uint32_t n = gs_sim_json_u32(j, o, "vf", GS_SIM_VFS_MAX);
	struct gs_sim_vgpu_place place;
	const struct gs_sim_type *t = find_type(j, o, gpu, &place);
	struct gs_sim_vf *vf;

	if (!t || n >= gpu->numvfs || gpu->vfs[n].vgpu_type || gpu->framework != GS_SIM_VGPU_VENDOR) {
		gs_sim_json_fail(j, "vgpus", "has one for which there is no free VF");
		return;
	}
	vf = &gpu->vfs[n];
	vf->vgpu_type = gs_sim_type_id(gpu, t);
	vf->placement_id = place.placement_id;
	vf->gpu_instance_id = place.gpu_instance_id;
	if (gs_sim_json_has(o, "params"))
		vf->vgpu_params = gs_sim_json_string(j, o, "params", 1023);
}

static void read_mdev(struct gs_sim_json *j, struct json_object *o, struct gs_sim_state *s, struct gs_sim_gpu *gpu)
{
	uint32_t vf = gs_sim_json_has(o, "vf") ? gs_sim_json_u32(j, o, "vf", GS_SIM_VFS_MAX) : GS_SIM_NONE;
	const char *text = gs_sim_json_string(j, o, "uuid", 36);
	const struct gs_sim_type *t = find_type(j, o, gpu, NULL);
	struct gs_sim_gpu *other;
	struct gs_sim_mdev *m;
	uuid_t uuid;

	if (!t || uuid_parse(text, uuid) < 0 || gs_sim_mdev_by_uuid(s, text, &other) || !gpu->mdevs ||
	    gpu->n_mdevs == GS_SIM_MDEVS_MAX || (gpu->total_vfs ? vf >= gpu->numvfs : vf != GS_SIM_NONE)) {
		gs_sim_json_fail(j, "mdevs", "has one that cannot be");
		return;
	}
	m = &gpu->mdevs[gpu->n_mdevs++];
	*m = (struct gs_sim_mdev){ .type = gs_sim_type_id(gpu, t), .vf = vf, .params = "", .vm_name = "" };
	m->iommu_group = gs_sim_json_has(o, "iommu_group") ? gs_sim_json_u32(j, o, "iommu_group", 1u << 20) : s->next_group++;
	uuid_unparse_lower(uuid, m->uuid);
	if (gs_sim_json_has(o, "vm_name"))
		m->vm_name = gs_sim_json_string(j, o, "vm_name", 128);
}

void gs_sim_host_vgpus(struct gs_sim_json *j, struct json_object *o, struct gs_sim_state *s, struct gs_sim_gpu *gpu)
{
	uint32_t n = gs_sim_json_has(o, "numvfs") ? gs_sim_json_u32(j, o, "numvfs", gpu->total_vfs) : 0;
	struct json_object *array;

	if (n)
		gs_sim_vfs_enable(s, gpu, n);
	array = gs_sim_json_has(o, "vgpus") ? gs_sim_json_array(j, o, "vgpus", GS_SIM_VFS_MAX) : NULL;
	for (size_t i = 0; i < gs_sim_json_length(array) && !j->error; i++)
		read_vgpu(j, gs_sim_json_element(j, array, i, "vgpus"), gpu);
	array = gs_sim_json_has(o, "mdevs") ? gs_sim_json_array(j, o, "mdevs", GS_SIM_MDEVS_MAX) : NULL;
	for (size_t i = 0; i < gs_sim_json_length(array) && !j->error; i++)
		read_mdev(j, gs_sim_json_element(j, array, i, "mdevs"), s, gpu);
}

/* Group of a function or of an mdev; GS_SIM_NONE when there is none. */
static uint32_t group_of(const struct gs_sim_state *s, const char *what)
{
	struct gs_sim_function f;
	struct gs_sim_gpu *gpu;
	const struct gs_sim_mdev *m = gs_sim_mdev_by_uuid(s, what, &gpu);

	if (m)
		return m->iommu_group;
	return gs_sim_function_find(s, what, &f) ? f.pci->iommu_group : GS_SIM_NONE;
}

void gs_sim_host_opens(struct gs_sim_json *j, struct json_object *o, struct gs_sim_state *s, struct gs_sim_process *p)
{
	struct json_object *opens = gs_sim_json_has(o, "opens") ? gs_sim_json_array(j, o, "opens", GS_SIM_USES_MAX / 2) : NULL;
	struct json_object *vfio = gs_sim_json_has(o, "vfio") ? gs_sim_json_array(j, o, "vfio", GS_SIM_USES_MAX / 4) : NULL;
	size_t room = gs_sim_json_length(opens) + 1 + 2 * gs_sim_json_length(vfio);

	p->opens = gs_arena_calloc(j->arena, room, sizeof(*p->opens));
	if (!p->opens) {
		j->error = gs_error_oom(j->e);
		return;
	}
	for (size_t i = 0; i < gs_sim_json_length(opens); i++)
		p->opens[p->n_opens++] = gs_sim_json_string_at(j, opens, i, "opens", 256);
	if (gs_sim_json_length(vfio))
		p->opens[p->n_opens++] = "/dev/vfio/vfio";
	for (size_t i = 0; i < gs_sim_json_length(vfio); i++) {
		uint32_t group = group_of(s, gs_sim_json_string_at(j, vfio, i, "vfio", 64));
		const char *node = gs_arena_printf(j->arena, "/dev/vfio/%u", group);

		if (group == GS_SIM_NONE || !node) {
			gs_sim_json_fail(j, "vfio", "names nothing that has a group");
			return;
		}
		p->opens[p->n_opens++] = node;
		/* one group may be named once per function; its node is opened once */
		for (size_t k = 0; k + 1 < p->n_opens; k++) {
			if (gs_str_equal(p->opens[k], node)) {
				p->n_opens--;
				break;
			}
		}
		p->opens[p->n_opens++] = "anon_inode:[vfio-device]";
	}
}
