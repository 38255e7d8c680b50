/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attr_mdev.c - create and remove of mediated devices, and NVIDIA's files on them (interfaces 1, testbench 4). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

#include "backend/sim/attr.h"
#include "backend/sim/drivers.h"
#include "backend/sim/vgpu.h"
#include "base/parse.h"

/* mdev_sysfs.c: 36 bytes, or 37 with anything at the end; uuid_parse takes either case and no braces. */
static int parse_uuid(const struct gs_sim_write *w, char *ret_uuid)
{
	char text[37];
	uuid_t uuid;

	if (w->n != 36 && w->n != 37)
		return -EINVAL;
	memcpy(text, w->bytes, 36);
	text[36] = '\0';
	if (strlen(text) != 36 || uuid_parse(text, uuid) < 0)
		return -EINVAL;
	uuid_unparse_lower(uuid, ret_uuid);
	return 0;
}

static bool parent_has_mdev(const struct gs_sim_gpu *gpu, uint32_t vf)
{
	for (size_t i = 0; i < gpu->n_mdevs; i++) {
		if (gpu->mdevs[i].vf == vf)
			return true;
	}
	return false;
}

static int store_create(struct gs_sim_write *w)
{
	struct gs_sim_gpu *gpu = w->f.gpu, *other;
	uint32_t vf = w->f.vf ? w->f.vf_number : GS_SIM_NONE, id = 0;
	const struct gs_sim_type *t;
	struct gs_sim_mdev *m;
	char uuid[UUID_STR_LEN];
	int r = parse_uuid(w, uuid);

	if (r < 0)
		return r;
	if (gs_sim_attr_index(w->rest, "mdev_supported_types/nvidia-", &id) < 0 || !gs_sim_function_has_vgpu(&w->f))
		return -ENODEV;
	/* before capacity, whoever has it, on any parent; also one whose removal waits */
	if (gs_sim_mdev_by_uuid(w->s, uuid, &other))
		return -EEXIST;
	t = gs_sim_type_by_id(gpu, id);
	if (!t)
		return -ENODEV;
	/* the errno of NVIDIA's refusals is unknown (interfaces 1.2); this one says what it means */
	if ((w->f.vf && parent_has_mdev(gpu, vf)) || !gs_sim_type_is_creatable(gpu, t, NULL) ||
	    gpu->n_mdevs == GS_SIM_MDEVS_MAX)
		return -ENOSPC;
	m = &gpu->mdevs[gpu->n_mdevs++];
	*m = (struct gs_sim_mdev){ .type = id, .vf = vf, .iommu_group = w->s->next_group++, .params = "", .vm_name = "" };
	memcpy(m->uuid, uuid, sizeof(m->uuid));
	return 0;
}

/* "…/UUID/remove" */
static struct gs_sim_mdev *mdev_of(const struct gs_sim_write *w, struct gs_sim_gpu **ret_gpu)
{
	char uuid[37];

	snprintf(uuid, sizeof(uuid), "%.36s", w->rest);
	return gs_sim_mdev_by_uuid(w->s, uuid, ret_gpu);
}

static int store_remove(struct gs_sim_write *w)
{
	struct gs_sim_gpu *gpu;
	struct gs_sim_mdev *m = mdev_of(w, &gpu);
	uint64_t n;
	int r;

	if (!m)
		return -ENODEV;
	r = gs_sim_attr_number(w->text, &n);
	if (r < 0)
		return -EINVAL;
	if (m->removing)
		return -EAGAIN;
	return n ? gs_sim_mdev_remove(w->s, gpu, m, &w->wait) : 0;
}

/* key=value[,key=value]; a blank or an empty line clears (interfaces 1.5). With a VM on it: refused, as is assumed there. */
static int store_params(struct gs_sim_write *w)
{
	struct gs_sim_gpu *gpu;
	struct gs_sim_mdev *m = mdev_of(w, &gpu);

	if (!m)
		return -ENODEV;
	if (gs_sim_group_is_held(w->s, m->iommu_group))
		return -EBUSY;
	if (strlen(w->text) > 1023 || strchr(w->text, '\n'))
		return -EINVAL;
	m->params = gs_str_equal(w->text, " ") ? "" : gs_arena_strdup(w->s->arena, w->text);
	return m->params ? 0 : -ENOMEM;
}

#define UUID_PATTERN "[0-9a-f]*-*-*-*-*"

const struct gs_sim_attr gs_sim_attr_mdev[] = {
	{ "mdev_supported_types/nvidia-*/create", store_create },
	{ UUID_PATTERN "/remove", store_remove },
	{ UUID_PATTERN "/nvidia/vgpu_params", store_params },
	{ NULL, NULL },
};
