/* SPDX-License-Identifier: GPL-2.0-or-later */
/* step_check.c - has a step been reached? Returning 0 from a driver is not proof, a later look is. */
#include "core/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"

static bool holder_is_there(struct gs_holder *const *holders, size_t n, const struct gs_step *step)
{
	for (size_t i = 0; i < n; i++)
		if (gs_u32_is(holders[i]->pid, step->pid) && (!holders[i]->start_time.known || holders[i]->start_time.value == step->start_time))
			return true;
	return false;
}

static int check_holder(const struct gs_step *step, const struct gs_gpu *gpu, struct gs_error *e)
{
	bool there = holder_is_there(gpu->holders, gpu->n_holders, step);

	for (size_t i = 0; i < gpu->n_instances && !there; i++)
		there = holder_is_there(gpu->instances[i]->holders, gpu->instances[i]->n_holders, step);
	for (size_t i = 0; i < gpu->vfs.n_functions && !there; i++)
		there = holder_is_there(gpu->vfs.functions[i]->holders, gpu->vfs.functions[i]->n_holders, step);
	return there ? gs_error_set(e, -EIO, GS_STATUS_FAILED, "GPU %" PRIu32 ": pid %" PRIu32 " was told to stop and still holds it", gpu->index, step->pid) : 0;
}

static int check_mode(const struct gs_step *step, const struct gs_gpu *gpu, struct gs_error *e)
{
	/* the step is about MIG alone: VFs may be on beside it (interfaces 0.3) */
	bool want = gs_mode_has_mig(step->mode), pends = gpu->mode_pending != GS_MODE_INVALID;
	bool is_there = gpu->mode != GS_MODE_INVALID && gpu->mode != GS_MODE_PASSTHROUGH && gs_mode_has_mig(gpu->mode) == want;
	bool other_pending = pends && gs_mode_has_mig(gpu->mode_pending) != want;

	if (is_there && !other_pending)
		return 0;
	if (!is_there && pends && !other_pending)
		return -EINPROGRESS;
	if (is_there)
		return gs_error_set(e, -EIO, GS_STATUS_FAILED, "GPU %" PRIu32 ": the driver reported success, but mode %s is still pending", gpu->index,
				    gs_mode_name(gpu->mode_pending));
	return gs_error_set(e, -EIO, GS_STATUS_FAILED, "GPU %" PRIu32 ": the driver reported success, but the mode is still %s", gpu->index,
			    gs_mode_name(gpu->mode) ? gs_mode_name(gpu->mode) : "unknown");
}

/* Whoever was reset is there and waits for nothing. */
static int check_reset(const struct gs_step *step, const struct gs_snapshot *now, struct gs_error *e)
{
	for (size_t i = 0; i <= step->n_peers; i++) {
		struct gs_bdf bdf = i < step->n_peers ? step->peers[i] : step->bdf;
		const struct gs_gpu *gpu = gs_snapshot_gpu_by_bdf(now, bdf);
		char text[GS_BDF_TEXT];

		if (!gpu)
			return gs_error_set(e, -ENODEV, GS_STATUS_FAILED, "%s has not come back from its reset", gs_bdf_format(bdf, text));
		if (gpu->lost)
			return gs_error_set(e, -EIO, GS_STATUS_FAILED, "GPU %" PRIu32 " after its reset: %s", gpu->index, gpu->lost);
		if (gpu->mode_pending != GS_MODE_INVALID && gpu->mode_pending != gpu->mode)
			return gs_error_set(e, -EIO, GS_STATUS_FAILED, "GPU %" PRIu32 ": the reset was reported as done, but mode %s is still pending", gpu->index,
					    gs_mode_name(gpu->mode_pending));
	}
	return 0;
}

static int not_reached(const struct gs_step *step, const struct gs_gpu *gpu, struct gs_error *e)
{
	char text[256];

	return gs_error_set(e, -EIO, GS_STATUS_FAILED, "GPU %" PRIu32 ": %s: the driver reported success, but reading back shows nothing changed", gpu->index,
			    gs_step_describe(step, GS_TENSE_PLAN, text, sizeof(text)));
}

static int check_mig(const struct gs_step *step, const struct gs_gpu *gpu, struct gs_error *e)
{
	const struct gs_instance *inst;
	char text[256];
	bool reached = true;

	/* what cannot be seen proves nothing */
	if (!gpu->placements_visible)
		return gs_error_set(e, -EIO, GS_STATUS_FAILED, "GPU %" PRIu32 ": %s: its instances cannot be read back completely", gpu->index,
				    gs_step_describe(step, GS_TENSE_PLAN, text, sizeof(text)));
	inst = gs_gpu_instance_at(gpu, step->profile, step->span.start);
	switch (step->op) {
	case GS_STEP_DESTROY_GI:
		reached = !inst;
		for (size_t i = 0; i < gpu->n_instances; i++)
			reached = reached && (gpu->instances[i]->kind != GS_KIND_MIG || gpu->instances[i]->id != step->instance_id);
		break;
	case GS_STEP_DESTROY_CI:
		for (size_t i = 0; inst && inst->id == step->instance_id && i < inst->n_compute; i++)
			reached = reached && inst->compute[i]->id != step->compute_id;
		break;
	case GS_STEP_CREATE_GI:
		reached = inst && gs_u32_is(inst->size, step->span.size);
		break;
	case GS_STEP_CREATE_CI:
		reached = false;
		for (size_t i = 0; inst && i < inst->n_compute; i++)
			reached = reached || (gs_u32_is(inst->compute[i]->start, step->compute_span.start) &&
					      (step->compute_profile_id == GS_COMPUTE_PROFILE_FILLS || gs_str_equal(inst->compute[i]->profile, step->compute_profile)));
		break;
	default:
		break;
	}
	return reached ? 0 : not_reached(step, gpu, e);
}

/* By its identity: the VF that it is on, or the UUID of the mdev. */
static const struct gs_instance *vgpu_of(const struct gs_step *step, const struct gs_gpu *gpu)
{
	const struct gs_instance *inst = step->vf.known ? gs_gpu_instance_on_vf(gpu, step->vf.value) : gs_gpu_instance_by_uuid(gpu, step->uuid);

	return inst && inst->kind == GS_KIND_VGPU ? inst : NULL;
}

/* Drivers choose a GI by themselves (interfaces 2.6): the one that was named has to be read back. */
static int check_gi_of(const struct gs_step *step, const struct gs_gpu *gpu, const struct gs_instance *inst, struct gs_error *e)
{
	const struct gs_instance *gi = gs_gpu_gi_of(gpu, inst);

	if (!step->on_start.known || !inst->gi.known || (gi && gs_u32_equal(gi->start, step->on_start)))
		return 0;
	return gs_error_set(e, -EIO, GS_STATUS_FAILED, "GPU %" PRIu32 ": %s was to lie in the %s at %" PRIu32 ", but reads back in GI %" PRIu32, gpu->index, step->profile,
			    step->gi_profile, step->on_start.value, inst->gi.value);
}

static int check_vgpu(const struct gs_step *step, const struct gs_gpu *gpu, struct gs_error *e)
{
	const struct gs_instance *inst = vgpu_of(step, gpu);
	char text[256];

	if (step->op == GS_STEP_REMOVE_VGPU ? !inst : inst && gs_str_equal(inst->profile, step->profile))
		return inst ? check_gi_of(step, gpu, inst, e) : 0;
	if (inst && step->op == GS_STEP_CREATE_VGPU)
		return gs_error_set(e, -EIO, GS_STATUS_FAILED, "GPU %" PRIu32 ": %s: the driver reported success, but reading back shows %s there", gpu->index,
				    gs_step_describe(step, GS_TENSE_PLAN, text, sizeof(text)), inst->profile ? inst->profile : "another type");
	return not_reached(step, gpu, e);
}

static int check_vfs(const struct gs_step *step, const struct gs_gpu *gpu, struct gs_error *e)
{
	uint32_t want = step->op == GS_STEP_ENABLE_VFS ? step->vfs : 0;

	/* the number says what was asked; the functions that are there say what is (interfaces 3.4) */
	if (gs_u32_is(gpu->vfs.enabled, want) && gpu->vfs.n_functions == want) {
		if (step->mode != GS_MODE_VGPU || gpu->framework == GS_FRAMEWORK_VENDOR_VFIO || gpu->framework == GS_FRAMEWORK_MDEV)
			return 0;
		return gs_error_set(e, -EIO, GS_STATUS_FAILED,
				    "GPU %" PRIu32 ": its %" PRIu32 " VFs are on, but nothing offers vGPUs on them: the loaded driver is not NVIDIA's vGPU host driver, or does not "
				    "know this board. Install the vGPU host driver, or ask for mode sriov or passthrough", gpu->index, want);
	}
	if (gpu->stranded)
		return gs_error_set(e, -EIO, GS_STATUS_FAILED, "GPU %" PRIu32 ": %s", gpu->index, gpu->stranded);
	return gs_error_set(e, -EIO, GS_STATUS_FAILED, "GPU %" PRIu32 ": success was reported for %" PRIu32 " VFs, but reading back shows %zu", gpu->index, want,
			    gpu->vfs.n_functions);
}

static const char *driver_of(const struct gs_step *step, const struct gs_gpu *gpu)
{
	if (gs_bdf_compare(step->function, gpu->bdf) == 0)
		return gpu->driver;
	for (size_t i = 0; i < gpu->n_siblings; i++)
		if (gs_bdf_compare(gpu->siblings[i]->bdf, step->function) == 0)
			return gpu->siblings[i]->driver;
	return NULL;
}

static int check_driver(const struct gs_step *step, const struct gs_gpu *gpu, struct gs_error *e)
{
	const char *driver = driver_of(step, gpu);
	char bdf[GS_BDF_TEXT];

	if (step->op == GS_STEP_UNBIND_DRIVER)
		return !driver || !gs_str_equal(driver, step->driver)
			       ? 0
			       : gs_error_set(e, -EIO, GS_STATUS_FAILED, "%s was to be unbound, but is still bound to %s", gs_bdf_format(step->function, bdf), driver);
	if (driver && (step->driver ? gs_str_equal(driver, step->driver) : !strstr(driver, "vfio")))
		return 0;
	/* a sibling that nobody drove before is driven by nobody after; the GPU itself always has a driver of its own */
	if (!driver && !step->driver && gs_bdf_compare(step->function, gpu->bdf) != 0)
		return 0;
	/* drivers_probe reports success when nothing matched (interfaces 4.2) */
	return gs_error_set(e, -EIO, GS_STATUS_FAILED, "%s was to be bound to %s, but is %s%s: is the module loaded, and does the kernel log say why?",
			    gs_bdf_format(step->function, bdf), step->driver ? step->driver : "its own driver", driver ? "bound to " : "unbound", driver ? driver : "");
}

/* A part that the driver does not tell while no vGPU runs is no contradiction (interfaces 5.4). */
static int check_gi_setting(const struct gs_step *step, const struct gs_gpu *gpu, struct gs_error *e)
{
	const struct gs_instance *gi = gs_gpu_instance_at(gpu, step->profile, step->span.start);
	const char *now = gi ? gs_instance_param(gi, step->key) : NULL;

	if (gs_setting_is(now, step->value, true))
		return 0;
	return gs_error_set(e, -EIO, GS_STATUS_FAILED, "GPU %" PRIu32 ", %s at %" PRIu32 ": %s was set to %s, but reads %s", gpu->index, step->profile, step->span.start,
			    step->key, step->value, now ? now : "nothing");
}

static int check_setting(const struct gs_step *step, const struct gs_gpu *gpu, struct gs_error *e)
{
	const struct gs_setting *s = gs_gpu_setting(gpu, step->key);

	if (step->profile)
		return check_gi_setting(step, gpu, e);
	if (s && gs_setting_is_for_vgpus(s->key) && gs_setting_is(s->value, step->value, true))
		return 0;
	if (s && gs_str_equal(s->value, step->value) && (!s->pending || gs_str_equal(s->pending, step->value)))
		return 0;
	if (s && gs_str_equal(s->pending, step->value))
		return -EINPROGRESS;
	/* a driver may take the active value for nothing to do, and keep what was asked for before */
	if (s && gs_str_equal(s->value, step->value))
		return gs_error_set(e, -EIO, GS_STATUS_FAILED, "GPU %" PRIu32 ": %s is %s, but %s is still pending and comes when the driver is loaded again", gpu->index,
				    step->key, s->value, s->pending);
	return gs_error_set(e, -EIO, GS_STATUS_FAILED, "GPU %" PRIu32 ": %s was set to %s, but reads %s", gpu->index, step->key, step->value,
			    s && s->value ? s->value : "nothing");
}

static int check_param(const struct gs_step *step, const struct gs_gpu *gpu, struct gs_error *e)
{
	const struct gs_instance *inst = step->vf.known ? gs_gpu_instance_on_vf(gpu, step->vf.value) : gs_gpu_instance_by_uuid(gpu, step->uuid);
	const char *value = inst ? gs_instance_param(inst, step->key) : NULL;

	if (inst ? gs_instance_param_is(inst, step->key, step->value) : !step->value[0])
		return 0;
	/* a VF that is off shows nothing, and its shares are set before it is on: whoever wrote them has read them back */
	if (!inst && step->vf.known && gpu->vfs.quotas_come_first && gs_gpu_is_quota(gpu, step->key) && !gs_gpu_vf(gpu, step->vf.value))
		return 0;
	return gs_error_set(e, -EIO, GS_STATUS_FAILED, "GPU %" PRIu32 ": %s was set to %s, but reads %s", gpu->index, step->key, step->value, value ? value : "nothing");
}

int gs_step_check(const struct gs_step *step, const struct gs_snapshot *now, struct gs_error *e)
{
	const struct gs_gpu *gpu = gs_snapshot_gpu_by_bdf(now, step->bdf);

	/* a unit's state is not the machine's: the writer looks at it itself */
	if (step->op == GS_STEP_STOP_UNIT || step->op == GS_STEP_START_UNIT)
		return 0;
	if (!gpu)
		return gs_error_set(e, -ENODEV, GS_STATUS_FAILED, "GPU %" PRIu32 " has gone", step->gpu);
	if (gpu->lost)
		return gs_error_set(e, -EIO, GS_STATUS_FAILED, "GPU %" PRIu32 ": %s", gpu->index, gpu->lost);
	switch (step->op) {
	case GS_STEP_STOP_HOLDER:
		return check_holder(step, gpu, e);
	case GS_STEP_SET_MODE:
		return check_mode(step, gpu, e);
	case GS_STEP_RESET_GPU:
		return check_reset(step, now, e);
	case GS_STEP_REMOVE_VGPU:
	case GS_STEP_CREATE_VGPU:
		return check_vgpu(step, gpu, e);
	case GS_STEP_DISABLE_VFS:
	case GS_STEP_ENABLE_VFS:
		return check_vfs(step, gpu, e);
	case GS_STEP_UNBIND_DRIVER:
	case GS_STEP_BIND_DRIVER:
		return check_driver(step, gpu, e);
	case GS_STEP_SET_SETTING:
		return check_setting(step, gpu, e);
	case GS_STEP_SET_PARAM:
		return check_param(step, gpu, e);
	default:
		return check_mig(step, gpu, e);
	}
}
