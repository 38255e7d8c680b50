/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/vendor_vfio.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backend/family_util.h"
#include "backend/vgpu_grid.h"
#include "backend/vgpu_run.h"
#include "base/parse.h"
#include "codec/vgpu_text.h"

#define LIST_BYTES_MAX 65536
#define NO_GPU_INSTANCE UINT32_MAX
#define NO_PLACEMENT 0xffff

static bool has_files(struct gs_family_look *look, const struct gs_vf *vf)
{
	return gs_function_has(look->root, vf->bdf, "nvidia/current_vgpu_type");
}

/* @ret_type 0: none. False when it cannot be read now. */
static bool read_type(struct gs_root *root, struct gs_bdf vf, uint32_t *ret_type)
{
	char bdf[GS_BDF_TEXT];
	uint64_t type;

	if (gs_root_read_u64(root, 10, &type, GS_PCI_DEVICES "/%s/nvidia/current_vgpu_type", gs_bdf_format(vf, bdf)) < 0 || type > UINT32_MAX)
		return false;
	*ret_type = (uint32_t)type;
	return true;
}

/* What a VF may become now. Every line ends in a newline, so it is read as bytes (vgpu_text.h). */
static int read_list(struct gs_family_look *look, struct gs_vgpu_grid *g, const struct gs_vf *vf, bool *ret_is_cut)
{
	GS_FREE struct gs_vgpu_table *table = NULL;
	GS_FREE char *bytes = NULL;
	char bdf[GS_BDF_TEXT];
	size_t n;

	if (gs_root_read_bytes(look->root, LIST_BYTES_MAX, &bytes, &n, GS_PCI_DEVICES "/%s/nvidia/creatable_vgpu_types", gs_bdf_format(vf->bdf, bdf)) < 0)
		return 0;
	table = calloc(1, sizeof(*table));
	if (!table)
		return -ENOMEM;
	gs_vgpu_table_parse(bytes, n, table);
	*ret_is_cut = table->is_cut || table->n_ignored;
	for (size_t i = 0; i < table->n; i++) {
		if (gs_vgpu_grid_list(g, GS_U32(table->rows[i].type_id), table->rows[i].name, GS_U64_UNKNOWN, GS_U32_UNKNOWN) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* A number that may well not be there: ENXIO, «Not Applicable» (interfaces 2.1). */
static struct gs_u32 read_optional(struct gs_root *root, struct gs_bdf vf, const char *file, uint32_t none)
{
	char bdf[GS_BDF_TEXT];
	uint64_t value;

	if (gs_root_read_u64(root, 10, &value, GS_PCI_DEVICES "/%s/nvidia/%s", gs_bdf_format(vf, bdf), file) < 0 || value >= none)
		return GS_U32_UNKNOWN;
	return GS_U32((uint32_t)value);
}

static int add_instance(struct gs_family_look *look, struct gs_vgpu_grid *g, struct gs_vf *vf, uint32_t type)
{
	GS_FREE char *params = NULL;
	struct gs_instance *inst = gs_gpu_add_instance(look->snapshot, look->gpu);
	char bdf[GS_BDF_TEXT];

	if (!inst)
		return -ENOMEM;
	inst->id = vf->n;
	inst->kind = GS_KIND_VGPU;
	inst->profile = gs_vgpu_grid_name(g, type);
	inst->profile_id = GS_U32(type);
	inst->vf = GS_U32(vf->n);
	inst->start = GS_U32(vf->n);
	inst->size = GS_U32(1);
	inst->placement_id = read_optional(look->root, vf->bdf, "placement_id", NO_PLACEMENT);
	inst->gi = read_optional(look->root, vf->bdf, "gpu_instance_id", NO_GPU_INSTANCE);
	vf->type = inst->profile;
	if (!inst->profile)
		return -ENOMEM;
	if (gs_root_read(look->root, &params, GS_PCI_DEVICES "/%s/nvidia/vgpu_params", gs_bdf_format(vf->bdf, bdf)) < 0)
		return 0;
	return gs_params_read(look->snapshot, inst, params);
}

/*
 * The list of one free VF tells for all of them: it is the state of the whole
 * GPU (interfaces 2.2). Not more than two are asked, as each question goes to
 * the driver.
 */
static int read_lists(struct gs_family_look *look, struct gs_vgpu_grid *g, const uint32_t *types)
{
	bool any_typed = false, is_cut = false;
	unsigned asked = 0;

	for (size_t i = 0; i < look->gpu->vfs.n_functions; i++)
		any_typed = any_typed || types[i];
	for (size_t i = 0; i < look->gpu->vfs.n_functions && asked < 2 && !g->n; i++) {
		if (types[i] || !has_files(look, look->gpu->vfs.functions[i]))
			continue;
		asked++;
		if (read_list(look, g, look->gpu->vfs.functions[i], &is_cut) < 0)
			return -ENOMEM;
	}
	/* in MIG mode it depends on the GIs that are free */
	g->is_complete = g->is_listed && !any_typed && !is_cut && look->gpu->mode != GS_MODE_MIG;
	return 0;
}

static int collect_vfs(struct gs_family_look *look, struct gs_vgpu_grid *g)
{
	size_t n = look->gpu->vfs.n_functions;
	GS_FREE uint32_t *types = calloc(n ? n : 1, sizeof(*types));
	int r;

	if (!types)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		read_type(look->root, look->gpu->vfs.functions[i]->bdf, &types[i]);
	r = read_lists(look, g, types);
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (types[i] && look->gpu->vfs.functions[i]->n < GS_GRID_UNITS_MAX)
			r = add_instance(look, g, look->gpu->vfs.functions[i], types[i]);
	}
	return r;
}

static bool any_has_files(struct gs_family_look *look)
{
	for (size_t i = 0; i < look->gpu->vfs.n_functions; i++) {
		if (has_files(look, look->gpu->vfs.functions[i]))
			return true;
	}
	return false;
}

/*
 * VFs that are not enabled say nothing of the framework that they will have
 * (interfaces 9.1), but a plan that enables them wants to know the types.
 */
static bool will_have_vgpus(const struct gs_gpu *gpu)
{
	return gpu->vfs.by == GS_VFS_BY_SRIOV_MANAGE && !gpu->vfs.n_functions;
}

static int collect(struct gs_family_look *look)
{
	struct gs_gpu *gpu = look->gpu;
	struct gs_vgpu_grid g;
	bool is_on = any_has_files(look);
	int r;

	if (gpu->vendor != GS_VENDOR_NVIDIA || (!is_on && !will_have_vgpus(gpu)))
		return 0;
	r = gs_vgpu_grid_begin(&g, look);
	if (r == 0 && is_on) {
		gpu->framework = GS_FRAMEWORK_VENDOR_VFIO;
		r = collect_vfs(look, &g);
	}
	if (r == 0)
		r = gs_vgpu_grid_finish(&g, gpu->vfs.total.known ? gpu->vfs.total.value : (uint32_t)gpu->vfs.n_functions);
	if (r == 0)
		gs_vgpu_set_mode(look, is_on);
	return r;
}

const struct gs_family gs_family_vendor_vfio = { "vendor_vfio", collect, gs_vgpu_takes, gs_vgpu_run };

/* ---------------------------------------------------------------- steps */

/* interfaces 2.3, 9.4: the errno says little, what the driver lists says more */
static int explain_create(struct gs_doing *d, int r, struct gs_bdf vf)
{
	char holders[224];

	gs_doing_holders(d, vf, holders, sizeof(holders));
	if (r == -EBUSY || r == -EPERM || r == -EACCES)
		return gs_doing_fail(d, r, vf, "%s was not created: %s%s. The VF has no vGPU", d->step->profile,
				     r == -EBUSY ? "the VF is in use by a VM" : "the VF is in use by a VM, or this takes root", holders);
	if (r == -EIO || r == -EINVAL)
		return gs_doing_fail(d, r, vf,
				     "%s was not created: the driver refused. It has no room, or vGPUs of another size are there, or no free GPU instance fits (dmesg: NVRM, "
				     "0x38 means that the VF has a vGPU already or that MIG does not fit). The VF has no vGPU",
				     d->step->profile);
	return gs_doing_fail(d, r, vf, "%s was not created: %s. The VF has no vGPU", d->step->profile, gs_errno_reason(r));
}

static int refuse_unlisted(struct gs_doing *d, struct gs_bdf vf, const struct gs_vgpu_table *table)
{
	char names[400] = "";
	size_t at = 0;

	for (size_t i = 0; i < table->n && at < sizeof(names); i++)
		at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s", i ? ", " : "", gs_vgpu_name_short(table->rows[i].name));
	if (!table->n)
		return gs_doing_fail(d, -ENOSPC, vf,
				     "%s was not created: the driver offers no type at all here. The GPU is full, or no GPU instance is free, or nvidia-vgpud has not run. "
				     "The VF has no vGPU",
				     d->step->profile);
	return gs_doing_fail(d, -ENOSPC, vf,
			     "%s was not created: the driver does not offer it now, only %s%s. All vGPUs of a GPU have one size, and it must have room. The VF has no vGPU",
			     d->step->profile, names, at >= sizeof(names) ? "…" : "");
}

/* The list right before the write, and the id from it: ids differ between drivers, and the list changes with every create (interfaces 2.2). */
static int find_type(struct gs_doing *d, struct gs_bdf vf, uint32_t *ret_type)
{
	GS_FREE struct gs_vgpu_table *table = calloc(1, sizeof(*table));
	const struct gs_vgpu_row *row = NULL;
	GS_FREE char *bytes = NULL;
	char bdf[GS_BDF_TEXT];
	size_t n;
	int r;

	if (!table)
		return gs_error_oom(d->e);
	r = gs_root_read_bytes(d->root, LIST_BYTES_MAX, &bytes, &n, GS_PCI_DEVICES "/%s/nvidia/creatable_vgpu_types", gs_bdf_format(vf, bdf));
	if (r < 0)
		return gs_doing_fail(d, r, vf, "%s was not created: what can be created cannot be read: %s", d->step->profile, gs_errno_reason(r));
	gs_vgpu_table_parse(bytes, n, table);
	row = gs_vgpu_table_by_name(table, d->step->profile);
	if (!row)
		return refuse_unlisted(d, vf, table);
	*ret_type = row->type_id;
	return 0;
}

static int write_type(struct gs_doing *d, struct gs_bdf vf, uint32_t type)
{
	char value[16], bdf[GS_BDF_TEXT];

	snprintf(value, sizeof(value), "%" PRIu32, type);
	return gs_doing_write(d, vf, value, GS_PCI_DEVICES "/%s/nvidia/current_vgpu_type", gs_bdf_format(vf, bdf));
}

/* The driver took the first GI that fits (interfaces 2.6); the plan may want another. */
static int move_to_gi(struct gs_doing *d, struct gs_bdf vf)
{
	struct gs_u32 now = read_optional(d->root, vf, "gpu_instance_id", NO_GPU_INSTANCE);
	char value[16], bdf[GS_BDF_TEXT];
	int r;

	if (!d->step->on_start.known || gs_u32_is(now, d->step->instance_id))
		return 0;
	snprintf(value, sizeof(value), "%" PRIu32, d->step->instance_id);
	r = gs_doing_write(d, vf, value, GS_PCI_DEVICES "/%s/nvidia/gpu_instance_id", gs_bdf_format(vf, bdf));
	if (r == -EINPROGRESS)
		return r;
	now = read_optional(d->root, vf, "gpu_instance_id", NO_GPU_INSTANCE);
	if (r == 0 && gs_u32_is(now, d->step->instance_id))
		return 0;
	return gs_doing_fail(d, r < 0 ? r : -EIO, vf, "%s was created, but the driver put it into another GPU instance than GI %" PRIu32 " and does not move it: %s",
			     d->step->profile, d->step->instance_id, r < 0 ? gs_errno_reason(r) : "it reads unchanged");
}

static int create(struct gs_doing *d, struct gs_bdf vf)
{
	uint32_t now = 0, type = 0;
	int r;

	if (read_type(d->root, vf, &now) && now)
		return gs_doing_fail(d, -EEXIST, vf, "%s was not created: the VF has a vGPU (type %" PRIu32 ") already, which was left as it is", d->step->profile, now);
	r = find_type(d, vf, &type);
	if (r < 0)
		return r;
	r = write_type(d, vf, type);
	if (r == -EINPROGRESS)
		return r;
	if (r < 0)
		return explain_create(d, r, vf);
	/* an invalid write may be taken without an error: then it reads 0 (interfaces 2.3) */
	if (!read_type(d->root, vf, &now) || now != type)
		return gs_doing_fail(d, -EIO, vf, "%s was reported as created, but the VF reads type %" PRIu32 " and not %" PRIu32 ": see dmesg", d->step->profile, now, type);
	d->outcome->id = d->step->vf.value;
	return move_to_gi(d, vf);
}

static int remove_vgpu(struct gs_doing *d, struct gs_bdf vf)
{
	char holders[224];
	uint32_t now = 0;
	int r;

	if (read_type(d->root, vf, &now) && !now)
		return 0;
	r = write_type(d, vf, 0);
	if (r == -EINPROGRESS)
		return r;
	gs_doing_holders(d, vf, holders, sizeof(holders));
	/* whichever of the three the driver chooses, it is in use (interfaces 2.3) */
	if (r == -EBUSY || r == -EPERM || r == -EIO)
		return gs_doing_fail(d, r, vf, "the vGPU is still there: a VM uses it, or ended a moment ago and the driver has not let go yet%s. Shut the VM down, then try again",
				     holders);
	if (r < 0)
		return gs_doing_fail(d, r, vf, "the vGPU is still there: %s", gs_errno_reason(r));
	if (!read_type(d->root, vf, &now) || now)
		return gs_doing_fail(d, -EIO, vf, "removing the vGPU was reported as done, but the VF still reads type %" PRIu32, now);
	return 0;
}

static int write_param(struct gs_doing *d, struct gs_bdf vf, const char *key, const char *value)
{
	GS_FREE char *now = NULL, *all = NULL;
	char bdf[GS_BDF_TEXT];
	const char *file = gs_vgpu_own_file(key);
	int r;

	gs_bdf_format(vf, bdf);
	if (!file) {
		if (!gs_vgpu_param_is_sound(key) || !gs_vgpu_param_is_sound(value))
			return gs_doing_fail(d, -EINVAL, vf, "%s cannot be set: neither name nor value may hold blanks, commas or «=»", key);
		file = "vgpu_params";
		if (gs_root_read(d->root, &now, GS_PCI_DEVICES "/%s/nvidia/vgpu_params", bdf) < 0)
			now = strdup("");
		all = now ? gs_vgpu_params_with(now, key, value) : NULL;
		if (!all)
			return gs_error_oom(d->e);
	}
	r = gs_doing_write(d, vf, all ? all : value, GS_PCI_DEVICES "/%s/nvidia/%s", bdf, file);
	if (r == 0 || r == -EINPROGRESS)
		return r;
	if (r == -ENXIO)
		return gs_doing_fail(d, r, vf, "%s was not set: there is no vGPU on the VF", key);
	if (all)
		return gs_doing_fail(d, r, vf, "%s was not set to %s: %s. Parameters can be set while no VM uses the vGPU", key, value, gs_errno_reason(r));
	return gs_doing_fail(d, r, vf, "%s was not set to %s: the driver takes only one that is free and fits the type, before the VM starts (%s)", key, value,
			     gs_errno_reason(r));
}

int gs_vendor_vfio_do(struct gs_doing *d, struct gs_bdf vf)
{
	switch (d->step->op) {
	case GS_STEP_CREATE_VGPU:
		return create(d, vf);
	case GS_STEP_REMOVE_VGPU:
		return remove_vgpu(d, vf);
	default:
		return write_param(d, vf, d->step->key, d->step->value);
	}
}
