/* SPDX-License-Identifier: GPL-2.0-or-later */
/* steps_function.c - what happens to whole PCI functions: VFs on and off, drivers. */
#include "core/steps.h"

#include <inttypes.h>
#include <string.h>

#include "base/parse.h"

static bool has_held_vf(const struct gs_gpu *gpu)
{
	for (size_t i = 0; i < gpu->vfs.n_functions; i++)
		if (gpu->vfs.functions[i]->n_holders)
			return true;
	return false;
}

/*
 * Who switches VFs at that point of the plan: under VFIO, a stub or no driver
 * nobody tells, but they go on only once the GPU has its own driver back
 * (interfaces 3.4), and off while it is still on the stub, which takes a number.
 */
static enum gs_vfs_by who_switches(const struct gs_diff_gpu *d, uint32_t n)
{
	if (!d->leaves_vfio)
		return d->gpu->vfs.by;
	return n && d->gpu->vendor == GS_VENDOR_NVIDIA ? GS_VFS_BY_SRIOV_MANAGE : GS_VFS_BY_NUMVFS;
}

int gs_steps_set_vfs(struct gs_plan *p, const struct gs_diff_gpu *d, uint32_t n, struct gs_error *e)
{
	struct gs_step *step = gs_plan_add_step(p, n ? GS_STEP_ENABLE_VFS : GS_STEP_DISABLE_VFS, d->gpu);
	enum gs_vfs_by by = who_switches(d, n);
	bool rebinds = by == GS_VFS_BY_SRIOV_MANAGE;

	if (!step)
		return gs_error_oom(e);
	step->framework = GS_FRAMEWORK_SRIOV;
	step->vfs = n ? n : d->vfs_now;
	step->vfs_by = by;
	/* VFs are a means there: what they carry is what was asked for, and is looked for */
	if (n && (d->target->mode == GS_MODE_VGPU || d->target->mode == GS_MODE_MIG_VGPU))
		step->mode = GS_MODE_VGPU;
	step->risk = has_held_vf(d->gpu) || (rebinds && d->gpu->n_holders) ? GS_RISK_DISRUPTIVE : n ? GS_RISK_SAFE : GS_RISK_DESTRUCTIVE;
	step->undo = GS_UNDO_FULL;
	step->target = gs_arena_printf(p->arena, "%" PRIu32 " VFs", step->vfs);
	return gs_step_finish(p, step, e);
}

static bool is_vfio(const char *driver)
{
	return driver && strstr(driver, "vfio");
}

static int add_driver_step(struct gs_plan *p, const struct gs_diff_gpu *d, enum gs_step_op op, struct gs_bdf function, const char *driver, bool had_driver,
			   struct gs_error *e)
{
	struct gs_step *step = gs_plan_add_step(p, op, d->gpu);
	char bdf[GS_BDF_TEXT];

	if (!step)
		return gs_error_oom(e);
	step->framework = GS_FRAMEWORK_VFIO;
	step->function = function;
	step->driver = gs_arena_strdup(p->arena, driver);
	step->to_vfio = d->goes_to_vfio;
	step->risk = d->gpu->n_holders ? GS_RISK_DISRUPTIVE : GS_RISK_DESTRUCTIVE;
	/* one that had no driver keeps what it is given: nothing is ever left without one on purpose */
	step->undo = op == GS_STEP_BIND_DRIVER && !had_driver ? GS_UNDO_NONE : GS_UNDO_FULL;
	step->target = gs_arena_strdup(p->arena, gs_bdf_format(function, bdf));
	return gs_step_finish(p, step, e);
}

/* Is the GPU to be taken from its driver now? */
static bool gpu_is_unbound(const struct gs_diff_gpu *d)
{
	if (!d->gpu->driver)
		return false;
	return d->goes_to_vfio || is_vfio(d->gpu->driver) || d->gpu->stranded;
}

/* A sibling that has the right kind of driver already keeps it. */
static bool sibling_is_unbound(const struct gs_diff_gpu *d, const struct gs_sibling *s)
{
	return !d->gives_back && gs_sibling_follows(d->gpu, s) && s->driver && is_vfio(s->driver) != d->goes_to_vfio;
}

/* One that had no driver gets none back. */
bool gs_sibling_is_rebound(const struct gs_diff_gpu *d, const struct gs_sibling *s)
{
	return sibling_is_unbound(d, s) || (gs_sibling_follows(d->gpu, s) && !s->driver && (d->goes_to_vfio || s->original_driver));
}

/* The variant that fits the GPU is not for the other functions of its board. */
static const char *vfio_for_gpu(const struct gs_gpu *gpu)
{
	return gpu->vfio_driver ? gpu->vfio_driver : "vfio-pci";
}

/*
 * All members of the group are unbound before any is bound: with one on a
 * native driver the group is not viable, and with one held by VFIO no native
 * driver binds (testbench 4).
 */
int gs_steps_rebind(struct gs_plan *p, const struct gs_diff_gpu *d, struct gs_error *e)
{
	const struct gs_gpu *gpu = d->gpu;
	int r = 0;

	if (gpu_is_unbound(d))
		r = add_driver_step(p, d, GS_STEP_UNBIND_DRIVER, gpu->bdf, gpu->driver, true, e);
	for (size_t i = 0; i < gpu->n_siblings && r >= 0; i++)
		if (sibling_is_unbound(d, gpu->siblings[i]))
			r = add_driver_step(p, d, GS_STEP_UNBIND_DRIVER, gpu->siblings[i]->bdf, gpu->siblings[i]->driver, true, e);
	if (r >= 0 && (!gpu->driver || gpu_is_unbound(d)))
		r = add_driver_step(p, d, GS_STEP_BIND_DRIVER, gpu->bdf, d->goes_to_vfio ? vfio_for_gpu(gpu) : gpu->original_driver, gpu->driver && !gpu->stranded, e);
	for (size_t i = 0; i < gpu->n_siblings && r >= 0; i++) {
		const struct gs_sibling *s = gpu->siblings[i];

		if (gs_sibling_is_rebound(d, s))
			r = add_driver_step(p, d, GS_STEP_BIND_DRIVER, s->bdf, d->goes_to_vfio ? "vfio-pci" : s->original_driver, s->driver || s->original_driver, e);
	}
	return r;
}
