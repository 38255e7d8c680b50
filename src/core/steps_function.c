/* SPDX-License-Identifier: GPL-2.0-or-later */
/* steps_function.c - what happens to whole PCI functions: VFs on and off, drivers, settings. */
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

int gs_steps_set_vfs(struct gs_plan *p, const struct gs_diff_gpu *d, uint32_t n, struct gs_error *e)
{
	struct gs_step *step = gs_plan_add_step(p, n ? GS_STEP_ENABLE_VFS : GS_STEP_DISABLE_VFS, d->gpu);
	bool rebinds = d->gpu->vfs.by == GS_VFS_BY_SRIOV_MANAGE;

	if (!step)
		return gs_error_oom(e);
	step->framework = GS_FRAMEWORK_SRIOV;
	step->vfs = n ? n : d->vfs_now;
	step->vfs_by = d->gpu->vfs.by;
	step->risk = has_held_vf(d->gpu) || (rebinds && d->gpu->n_holders) ? GS_RISK_DISRUPTIVE : n ? GS_RISK_SAFE : GS_RISK_DESTRUCTIVE;
	step->undo = GS_UNDO_FULL;
	step->target = gs_arena_printf(p->arena, "%" PRIu32 " VFs", step->vfs);
	return gs_step_finish(p, step, e);
}

bool gs_sibling_follows(const struct gs_gpu *gpu, const struct gs_sibling *s)
{
	return !s->is_bridge && s->bdf.domain == gpu->bdf.domain && s->bdf.bus == gpu->bdf.bus && s->bdf.device == gpu->bdf.device;
}

static bool is_vfio(const char *driver)
{
	return driver && strstr(driver, "vfio");
}

static int add_driver_step(struct gs_plan *p, const struct gs_diff_gpu *d, enum gs_step_op op, struct gs_bdf function, const char *driver, struct gs_error *e)
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
	step->undo = GS_UNDO_FULL;
	step->target = gs_arena_strdup(p->arena, gs_bdf_format(function, bdf));
	return gs_step_finish(p, step, e);
}

/* Is this one to be taken from its driver now? */
static bool is_unbound_first(const struct gs_diff_gpu *d, const char *driver)
{
	if (!driver)
		return false;
	return d->goes_to_vfio ? !gs_str_equal(driver, d->gpu->vfio_driver) : is_vfio(driver) || d->gpu->stranded;
}

/* What the function is bound to after. @original: before it was given to VFIO, as far as remembered. */
static const char *next_driver(const struct gs_diff_gpu *d, const char *original)
{
	return d->goes_to_vfio ? (d->gpu->vfio_driver ? d->gpu->vfio_driver : "vfio-pci") : original;
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

	if (is_unbound_first(d, gpu->driver))
		r = add_driver_step(p, d, GS_STEP_UNBIND_DRIVER, gpu->bdf, gpu->driver, e);
	for (size_t i = 0; i < gpu->n_siblings && r >= 0; i++)
		if (gs_sibling_follows(gpu, gpu->siblings[i]) && is_unbound_first(d, gpu->siblings[i]->driver))
			r = add_driver_step(p, d, GS_STEP_UNBIND_DRIVER, gpu->siblings[i]->bdf, gpu->siblings[i]->driver, e);
	if (r >= 0 && (!gpu->driver || is_unbound_first(d, gpu->driver)))
		r = add_driver_step(p, d, GS_STEP_BIND_DRIVER, gpu->bdf, next_driver(d, gpu->original_driver), e);
	for (size_t i = 0; i < gpu->n_siblings && r >= 0; i++) {
		const struct gs_sibling *s = gpu->siblings[i];

		/* one that had no driver gets none back */
		if (gs_sibling_follows(gpu, s) && (is_unbound_first(d, s->driver) || (!s->driver && (d->goes_to_vfio || s->original_driver))))
			r = add_driver_step(p, d, GS_STEP_BIND_DRIVER, s->bdf, next_driver(d, s->original_driver), e);
	}
	return r;
}

int gs_steps_set_setting(struct gs_plan *p, const struct gs_diff_gpu *d, const struct gs_setting_change *c, struct gs_error *e)
{
	struct gs_step *step = gs_plan_add_step(p, GS_STEP_SET_SETTING, d->gpu);

	if (!step)
		return gs_error_oom(e);
	step->framework = d->gpu->framework;
	step->key = gs_arena_strdup(p->arena, c->setting->key);
	step->value = gs_arena_strdup(p->arena, c->value);
	step->old_value = gs_arena_strdup(p->arena, c->setting->value);
	step->risk = d->gpu->n_holders ? GS_RISK_DISRUPTIVE : GS_RISK_SAFE;
	/* what it was when it could not be read cannot be put back */
	step->undo = c->setting->value ? GS_UNDO_FULL : GS_UNDO_NONE;
	step->target = gs_arena_printf(p->arena, "%s %s", step->key, step->value);
	return gs_step_finish(p, step, e);
}
