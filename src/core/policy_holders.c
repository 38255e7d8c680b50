/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_holders.c - whose work a change touches, and what an operator can do about it. */
#include "core/policy_internal.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "core/who.h"

/* ---------------------------------------------------------------- who was named */

/* Units that are known to be safe to stop for a while. */
static bool is_stoppable(const struct gs_plan_options *o, const char *unit)
{
	for (size_t i = 0; o && unit && i < o->n_services; i++)
		if (fnmatch(o->services[i].unit, unit, 0) == 0)
			return gs_unit_is_service(unit);
	return false;
}

static bool names_unit(const struct gs_plan_options *o, const struct gs_holder *h)
{
	for (size_t i = 0; o && h->unit && i < o->n_disrupt; i++)
		if (o->disrupt[i].kind == GS_DISRUPT_ALL || (o->disrupt[i].kind == GS_DISRUPT_UNIT && gs_str_equal(o->disrupt[i].unit, h->unit)))
			return true;
	return false;
}

static bool names_process(const struct gs_plan_options *o, const struct gs_holder *h)
{
	for (size_t i = 0; o && i < o->n_disrupt; i++)
		if (o->disrupt[i].kind == GS_DISRUPT_ALL || (o->disrupt[i].kind == GS_DISRUPT_PID && gs_u32_is(h->pid, o->disrupt[i].pid)))
			return true;
	return false;
}

/* Stopping a process is ours to do when it is named; VMs, containers and jobs never are. */
static bool may_stop(const struct gs_holder *h)
{
	return h->kind == GS_HOLDER_PROCESS && h->pid.known && h->start_time.known;
}

/* How a holder would be stopped. */
enum stop { STOP_NOT, STOP_UNIT, STOP_PROCESS };

static enum stop how_to_stop(const struct gs_plan_options *o, const struct gs_holder *h)
{
	/* by its unit where that is safe: a service's process alone would be started again at once */
	if (names_unit(o, h) && is_stoppable(o, h->unit))
		return STOP_UNIT;
	return names_process(o, h) && may_stop(h) ? STOP_PROCESS : STOP_NOT;
}

/* ---------------------------------------------------------------- steps that stop */

static int add_stop_process(struct gs_policy *y, const struct gs_holder *h)
{
	struct gs_step *step;
	char label[160];

	for (size_t i = 0; i < y->p->n_steps; i++)
		if (y->p->steps[i].op == GS_STEP_STOP_HOLDER && y->p->steps[i].pid == h->pid.value)
			return 0;
	step = gs_plan_add_step(y->p, GS_STEP_STOP_HOLDER, y->gpu);
	if (!step)
		return -ENOMEM;
	step->pid = h->pid.value;
	step->start_time = h->start_time.value;
	step->kill = y->options && y->options->kill;
	step->risk = GS_RISK_DISRUPTIVE;
	step->undo = GS_UNDO_NONE;
	step->target = gs_arena_strdup(y->p->arena, gs_holder_label(h, label, sizeof(label)));
	return gs_step_finish(y->p, step, NULL);
}

static int add_stop_unit(struct gs_policy *y, const struct gs_holder *h)
{
	struct gs_step *step;

	for (size_t i = 0; i < y->p->n_steps; i++)
		if (y->p->steps[i].op == GS_STEP_STOP_UNIT && gs_str_equal(y->p->steps[i].unit, h->unit))
			return 0;
	step = gs_plan_add_step(y->p, GS_STEP_STOP_UNIT, y->gpu);
	if (!step)
		return -ENOMEM;
	step->unit = gs_arena_strdup(y->p->arena, h->unit);
	step->risk = GS_RISK_DISRUPTIVE;
	step->undo = GS_UNDO_FULL;
	step->target = gs_arena_printf(y->p->arena, "unit %s", h->unit);
	return gs_step_finish(y->p, step, NULL);
}

/* ---------------------------------------------------------------- findings */

/* What happens to the whole GPU, said behind "because". */
struct wide {
	bool happens;
	enum gs_who_op op;
	bool spares_gpu;        /* only VFs and what is on them: who has the physical function open does not mind */
	const char *because;
};

static struct wide wide_of(const struct gs_diff_gpu *d)
{
	bool manages = d->gpu->vfs.by == GS_VFS_BY_SRIOV_MANAGE;

	if (d->goes_to_vfio || d->leaves_vfio)
		return (struct wide){ true, GS_WHO_OP_PASSTHROUGH, false, "because its driver is taken off it" };
	if ((d->vfs_on && manages) || d->vfs_off)
		return (struct wide){ true, GS_WHO_OP_VFS, !manages, d->vfs_off ? "because its VFs go" : "because sriov-manage takes the driver off it" };
	if (d->mig_changes && !d->mig_only_unpends)
		return (struct wide){ true, GS_WHO_OP_MODE, false, "because the mode cannot change under it" };
	for (size_t i = 0; i < d->n_settings; i++)
		if (gs_str_equal(d->settings[i].setting->key, GS_SETTING_COMPUTE_PARTITION) || gs_str_equal(d->settings[i].setting->key, GS_SETTING_MEMORY_PARTITION))
			return (struct wide){ true, GS_WHO_OP_MODE, false, "because the partitions cannot change under it" };
	return (struct wide){ .happens = false };
}

static const char *where_text(const struct gs_policy *y, struct gs_who_place place, char *buf, size_t size)
{
	if (place.instance && place.instance->kind == GS_KIND_MIG)
		snprintf(buf, size, "runs in GI %" PRIu32, place.instance->id);
	else if (place.instance && place.instance->vf.known)
		snprintf(buf, size, "has VF %" PRIu32, place.instance->vf.value);
	else if (place.instance && place.instance->uuid)
		snprintf(buf, size, "has mdev %.8s", place.instance->uuid);
	else if (place.vf)
		snprintf(buf, size, "has VF %" PRIu32, place.vf->n);
	else
		snprintf(buf, size, "has GPU %" PRIu32 " open", y->gpu->index);
	return buf;
}

static void place_finding(struct gs_policy *y, struct gs_finding *f, const struct gs_holder *h, struct gs_who_place place)
{
	gs_policy_add_holder(y, f, h);
	if (place.instance) {
		f->object = gs_policy_object(y, place.instance);
		f->units = gs_span_mask((struct gs_span){ place.instance->start.value, place.instance->size.value });
	} else if (place.vf) {
		f->object = gs_arena_printf(y->p->arena, "GPU %" PRIu32 " vf:%" PRIu32, y->gpu->index, place.vf->n);
		f->units = gs_span_mask((struct gs_span){ place.vf->n, 1 });
	}
}

static void suggest_ways(struct gs_policy *y, struct gs_finding *f, const struct gs_holder *h)
{
	if (is_stoppable(y->options, h->unit)) {
		gs_policy_suggest(y, f, "have it stopped meanwhile: --disrupt unit:%s", h->unit);
		return;
	}
	if (h->kind == GS_HOLDER_VM)
		gs_policy_suggest(y, f, "shut the VM down: virsh shutdown %s, or with the tool that started it; gpuslice does not stop it", h->name ? h->name : "NAME");
	else if (h->kind == GS_HOLDER_MODULE)
		gs_policy_suggest(y, f, "unload it first: modprobe -r %s", h->name ? h->name : "MODULE");
	else if (may_stop(h))
		gs_policy_suggest(y, f, "end it yourself, or name it: --disrupt pid:%" PRIu32, h->pid.value);
	else
		gs_policy_suggest(y, f, "end it with the tool that started it; gpuslice does not stop it");
	if (h->unit && gs_unit_is_service(h->unit) && h->kind == GS_HOLDER_PROCESS)
		gs_policy_suggest(y, f, "systemctl stop %s", h->unit);
}

static void report_stop(struct gs_policy *y, const struct gs_holder *h, struct gs_who_place place, const char *what_for)
{
	enum stop how = how_to_stop(y->options, h);
	struct gs_finding *f;
	char label[160], where[80];

	gs_holder_label(h, label, sizeof(label));
	where_text(y, place, where, sizeof(where));
	if (how == STOP_NOT) {
		f = gs_policy_add(y, GS_RULE_HOLDER_STOPS, GS_SEVERITY_BLOCK, "%s %s and would lose it, %s", label, where, what_for);
		suggest_ways(y, f, h);
	} else {
		f = how == STOP_UNIT ? gs_policy_add(y, GS_RULE_HOLDER_STOPS, GS_SEVERITY_CONFIRM, "%s %s; its unit %s is stopped first, %s, and started again after", label,
						     where, h->unit, what_for)
				     : gs_policy_add(y, GS_RULE_HOLDER_STOPS, GS_SEVERITY_CONFIRM, "%s %s and is stopped first, %s", label, where, what_for);
		f->is_typed = true;
		if ((how == STOP_UNIT ? add_stop_unit(y, h) : add_stop_process(y, h)) < 0)
			y->failed = true;
	}
	place_finding(y, f, h, place);
}

static void report_claim(struct gs_policy *y, const struct gs_holder *h, struct gs_who_place place, const char *what_for)
{
	char label[160];
	struct gs_finding *f = gs_policy_add(y, GS_RULE_CLAIM, GS_SEVERITY_CONFIRM, "%s%s%s%s has been promised it and has no process on it yet; it would not find it, %s",
					     gs_holder_label(h, label, sizeof(label)), h->evidence ? " (" : "", h->evidence ? h->evidence : "", h->evidence ? ")" : "", what_for);

	place_finding(y, f, h, place);
}

static void judge(struct gs_policy *y, const struct gs_holder *h, struct gs_who_place place, enum gs_who_op op, const char *what_for)
{
	struct gs_finding *f;
	char label[160];

	switch (gs_who_judge(y->gpu, h, place, op, NULL)) {
	case GS_WHO_VERDICT_YES:
		report_stop(y, h, place, what_for);
		break;
	case GS_WHO_VERDICT_CLAIM:
		report_claim(y, h, place, what_for);
		break;
	case GS_WHO_VERDICT_MAYBE:
		if (how_to_stop(y->options, h) != STOP_NOT) {
			report_stop(y, h, place, what_for);
			break;
		}
		f = gs_policy_add(y, GS_RULE_HOLDER_MAY_BLOCK, GS_SEVERITY_NOTE,
				  op == GS_WHO_OP_MODE ? "%s has it open; if the mode stays pending, stop it and try again" : "%s may stand in the way; if so, stop it and try again",
				  gs_holder_label(h, label, sizeof(label)));
		gs_policy_add_holder(y, f, h);
		break;
	default:
		break;
	}
}

/* ---------------------------------------------------------------- which places a change touches */

static bool change_stops_work(const struct gs_change *c)
{
	if (!c->old)
		return false;
	if (c->kind == GS_CHANGE_DELETE || c->kind == GS_CHANGE_RECREATE)
		return true;
	for (size_t i = 0; i < c->n_compute; i++)
		if (c->compute[i].old && !c->compute[i].want)
			return true;
	return false;
}

static bool is_in_changes(const struct gs_diff_gpu *d, const struct gs_instance *inst)
{
	for (size_t i = 0; i < d->n_changes; i++)
		if (d->changes[i].old == inst && change_stops_work(&d->changes[i]))
			return true;
	return false;
}

static void check_wide(struct gs_policy *y, const struct wide *w)
{
	for (size_t i = 0; i < y->gpu->n_holders && !w->spares_gpu; i++)
		judge(y, y->gpu->holders[i], (struct gs_who_place){ NULL, NULL }, w->op, w->because);
	for (size_t i = 0; i < y->gpu->n_instances; i++) {
		const struct gs_instance *inst = y->gpu->instances[i];

		for (size_t k = 0; k < inst->n_holders && !is_in_changes(y->d, inst) && inst->kind != GS_KIND_MIG; k++)
			judge(y, inst->holders[k], (struct gs_who_place){ inst, NULL }, w->op, w->because);
	}
	for (size_t i = 0; i < y->gpu->vfs.n_functions && (w->op == GS_WHO_OP_VFS || w->op == GS_WHO_OP_PASSTHROUGH); i++) {
		const struct gs_vf *vf = y->gpu->vfs.functions[i];

		for (size_t k = 0; k < vf->n_holders; k++)
			judge(y, vf->holders[k], (struct gs_who_place){ NULL, vf }, w->op, w->because);
	}
}

/* A vGPU asked for by name on a VF that a shut-off VM counts on. */
static void check_taken_slots(struct gs_policy *y)
{
	for (size_t i = 0; i < y->d->n_changes; i++) {
		const struct gs_change *c = &y->d->changes[i];
		const struct gs_vf *vf;

		if (c->kind != GS_CHANGE_CREATE || !c->want || c->want->kind != GS_KIND_VGPU)
			continue;
		vf = gs_gpu_vf(y->gpu, c->want->start.value);
		for (size_t k = 0; vf && k < vf->n_holders; k++)
			judge(y, vf->holders[k], (struct gs_who_place){ NULL, vf }, GS_WHO_OP_DELETE, "because the VF gets another use");
	}
}

/* By an earlier finding about this GPU: a daemon has many GPUs open. */
static bool is_named(const struct gs_policy *y, const struct gs_holder *h)
{
	for (size_t i = 0; i < y->p->n_findings; i++) {
		const struct gs_finding *f = &y->p->findings[i];

		for (size_t k = 0; k < f->n_holders && f->gpu == y->gpu->index; k++)
			if (gs_str_equal(f->holders[k]->unit, h->unit))
				return true;
	}
	return false;
}

/*
 * A daemon that has other GPUs of a driver open opens this one too, as soon as
 * the driver has it: persistenced and DCGM do. Then sriov-manage, which takes
 * the driver off once more, would find it in use, and the way back as well.
 */
static void check_followers(struct gs_policy *y)
{
	for (size_t g = 0; g < gs_snapshot_n_gpus(y->p->snapshot); g++) {
		const struct gs_gpu *other = gs_snapshot_gpu(y->p->snapshot, g);

		if (other == y->gpu || other->vendor != GS_VENDOR_NVIDIA || other->mode == GS_MODE_PASSTHROUGH)
			continue;
		for (size_t i = 0; i < other->n_holders; i++) {
			const struct gs_holder *h = other->holders[i];
			struct gs_finding *f;
			char label[160], gpu[96];

			if (!is_stoppable(y->options, h->unit) || is_named(y, h))
				continue;
			gs_holder_label(h, label, sizeof(label));
			gs_gpu_label(other, gpu, sizeof(gpu));
			if (how_to_stop(y->options, h) == STOP_UNIT) {
				f = gs_policy_add(y, GS_RULE_HOLDER_STOPS, GS_SEVERITY_CONFIRM,
						  "%s has %s open and would open this one before sriov-manage is done; its unit %s is stopped first, and started again after",
						  label, gpu, h->unit);
				f->is_typed = true;
				if (add_stop_unit(y, h) < 0)
					y->failed = true;
			} else {
				f = gs_policy_add(y, GS_RULE_HOLDER_FOLLOWS, GS_SEVERITY_BLOCK,
						  "%s has %s open and would open this one as soon as the driver has it; then sriov-manage could not take the driver off", label, gpu);
				suggest_ways(y, f, h);
			}
			gs_policy_add_holder(y, f, h);
		}
	}
}

void gs_policy_check_reset_holders(struct gs_policy *y)
{
	const struct wide w = { true, GS_WHO_OP_MODE, false, "because the GPU is reset along with another one" };

	check_wide(y, &w);
	if (!y->gpu->holders_visible)
		gs_policy_add(y, GS_RULE_HOLDERS_HIDDEN, GS_SEVERITY_CONFIRM, "not every process can be seen here: that nobody uses it is not proven");
}

void gs_policy_check_holders(struct gs_policy *y)
{
	struct wide w = wide_of(y->d);
	bool disturbs = w.happens;

	for (size_t i = 0; i < y->d->n_changes; i++) {
		const struct gs_change *c = &y->d->changes[i];

		if (!change_stops_work(c))
			continue;
		disturbs = true;
		for (size_t k = 0; k < c->old->n_holders; k++)
			judge(y, c->old->holders[k], (struct gs_who_place){ c->old, NULL }, GS_WHO_OP_DELETE,
			      c->kind == GS_CHANGE_KEEP_GI ? "because its compute instance goes" : "because that instance goes");
	}
	if (w.happens)
		check_wide(y, &w);
	check_taken_slots(y);
	if (y->d->leaves_vfio && y->d->vfs_on && y->gpu->vendor == GS_VENDOR_NVIDIA)
		check_followers(y);
	if (disturbs && !y->gpu->holders_visible)
		gs_policy_add(y, GS_RULE_HOLDERS_HIDDEN, GS_SEVERITY_CONFIRM, "not every process can be seen here: that nobody uses it is not proven");
}
