/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_function.c - modes, VFs, drivers and settings: what the GPU as a whole can be put into here. */
#include "core/policy_internal.h"

#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"

/* ---------------------------------------------------------------- what cannot be seen or done at all */

static bool hides_places(const struct gs_policy *y)
{
	return y->d->target->positions_unknown || (gs_mode_has_mig(y->gpu->mode) && !y->gpu->placements_visible);
}

/* An earlier write would execute in the middle of ours (testbench 4): nothing is begun on that GPU until it has ended. */
static void block_pending_write(struct gs_policy *y)
{
	const struct gs_pending_write *w = y->gpu->writes[0];
	char bdf[GS_BDF_TEXT];
	struct gs_finding *f;

	if (gs_write_is_call(w)) {
		f = gs_policy_add(y, GS_RULE_WRITE_PENDING, GS_SEVERITY_BLOCK,
				  "the driver has not come back from an earlier step on %s (%s, in the collector pid %" PRIu32 "), and may carry it out whenever it does; "
				  "until that process has ended nothing else is begun here", gs_bdf_format(w->function, bdf), w->value, w->pid);
		gs_policy_suggest(y, f, "dmesg may say why; it cannot be interrupted");
		return;
	}
	f = gs_policy_add(y, GS_RULE_WRITE_PENDING, GS_SEVERITY_BLOCK,
			  "an earlier write to %s of %s (%s) still waits in the kernel%s%s, and takes effect whenever it is let go; until then nothing else is begun here",
			  w->path, gs_bdf_format(w->function, bdf), w->value, w->waits_for ? " for " : "", w->waits_for ? w->waits_for : "");
	if (w->waits_for)
		gs_policy_suggest(y, f, "end what it waits for, in the tool that started it; the write then goes through by itself");
	else
		gs_policy_suggest(y, f, "gpuslice who %" PRIu32 " names who may hold it", y->gpu->index);
}

/* What is half done there is decided about first; whoever recovers that commit is the one who may. */
static bool block_interrupted(struct gs_policy *y)
{
	struct gs_finding *f;
	char text[600];

	if (y->gpu->open_commit.state != GS_OPEN_INTERRUPTED || y->gpu->open_commit.id == y->options->recovers)
		return false;
	f = gs_policy_add(y, GS_RULE_INTERRUPTED, GS_SEVERITY_BLOCK, "%s; what it left is decided about before anything else is begun here",
			  gs_gpu_open_commit_text(y->gpu, text, sizeof(text)));
	gs_policy_suggest(y, f, "gpuslice recover shows what it left, and finishes it, takes it back or leaves it");
	return true;
}

void gs_policy_note_open_commit(struct gs_policy *y)
{
	const struct gs_open_commit *c = &y->gpu->open_commit;
	struct gs_finding *f;
	char text[600];

	if (c->state == GS_OPEN_UNDER_WAY) {
		f = gs_policy_add(y, GS_RULE_COMMIT_OPEN, GS_SEVERITY_NOTE, "%s: this is planned from what is there in between, and is checked again when that has ended",
				  gs_gpu_open_commit_text(y->gpu, text, sizeof(text)));
		gs_policy_suggest(y, f, "wait until it has ended");
	} else if (c->state == GS_OPEN_NOT_UNDONE && c->id != y->options->recovers) {
		f = gs_policy_add(y, GS_RULE_COMMIT_OPEN, GS_SEVERITY_NOTE, "%s, so this GPU is neither what it was before it nor what it was to be",
				  gs_gpu_open_commit_text(y->gpu, text, sizeof(text)));
		gs_policy_suggest(y, f, "gpuslice recover shows what is left of it, and finishes it, takes it back or leaves it");
	}
}

static bool check_vfs(struct gs_policy *y)
{
	const struct gs_gpu *gpu = y->gpu;
	struct gs_finding *f;

	if ((!y->d->vfs_on && !y->d->vfs_off) || gpu->vfs.by != GS_VFS_BY_NOBODY || y->d->leaves_vfio)
		return false;
	f = gs_policy_add(y, GS_RULE_VFS_IMPOSSIBLE, GS_SEVERITY_BLOCK, "%s%s, so its VFs cannot be switched %s", gpu->driver ? "its driver " : "no driver is bound to it",
			  gpu->driver ? gpu->driver : "", y->d->vfs_on ? "on" : "off");
	if (gpu->driver)
		f->text = gs_arena_printf(y->p->arena, "its driver %s offers no way to switch VFs %s (interfaces: sriov_numvfs, sriov-manage)", gpu->driver,
					  y->d->vfs_on ? "on" : "off");
	f->pos = y->d->target->vfs_pos;
	return true;
}

/* The mode that was asked for is none of those that board and driver have here; which they have is said. */
static bool report_mode(struct gs_policy *y)
{
	GS_STRBUF struct gs_strbuf known = GS_STRBUF_INIT;
	const char *name = y->gpu->name ? y->gpu->name : "this GPU", *mode = gs_mode_name(y->d->target->mode);
	struct gs_finding *f;

	for (int m = 0; m < GS_MODE_MAX; m++)
		if (y->gpu->modes & 1u << m)
			gs_strbuf_printf(&known, "%s%s", known.length ? ", " : "", gs_mode_name((enum gs_mode)m));
	if (known.length && !known.failed) {
		gs_policy_add(y, GS_RULE_MODE_UNSUPPORTED, GS_SEVERITY_BLOCK, "%s cannot be put into mode %s: with its present driver it has %s", name, mode, known.text);
		return true;
	}
	f = gs_policy_add(y, GS_RULE_MODE_UNSUPPORTED, GS_SEVERITY_BLOCK, "%s cannot be put into mode %s here: which modes it has cannot be told now", name, mode);
	f->status = GS_STATUS_CANNOT_TELL;
	return true;
}

static bool is_mode_unsupported(struct gs_policy *y)
{
	const struct gs_gpu *gpu = y->gpu;
	const struct gs_layout_gpu *t = y->d->target;

	if (!y->d->mode_changes || (int)t->mode < 0 || gpu->modes & 1u << t->mode || y->d->leaves_vfio)
		return false;
	/* who asked for VFs is told about VFs, not about the mode that they would make */
	if (t->vfs_is_asked && check_vfs(y))
		return true;
	if (t->mode == GS_MODE_PASSTHROUGH && gpu->no_passthrough) {
		gs_policy_add(y, GS_RULE_PASSTHROUGH_IMPOSSIBLE, GS_SEVERITY_BLOCK, "%s", gpu->no_passthrough);
		return true;
	}
	return report_mode(y);
}

bool gs_policy_is_impossible(struct gs_policy *y)
{
	struct gs_finding *f;

	if (y->gpu->lost) {
		gs_policy_add(y, GS_RULE_GPU_LOST, GS_SEVERITY_BLOCK, "%s; nothing can be changed on it", y->gpu->lost);
		return true;
	}
	if (y->gpu->n_writes) {
		block_pending_write(y);
		return true;
	}
	if (block_interrupted(y))
		return true;
	if (y->gpu->stranded && !y->d->leaves_vfio) {
		f = gs_policy_add(y, GS_RULE_STRANDED, GS_SEVERITY_BLOCK, "%s", y->gpu->stranded);
		gs_policy_suggest(y, f, "give it its driver back: mode %" PRIu32 " whole", y->gpu->index);
		return true;
	}
	if (hides_places(y)) {
		f = gs_policy_add(y, GS_RULE_POSITION_UNKNOWN, GS_SEVERITY_BLOCK,
				  "which instances it has and where they are cannot be seen here, so nothing can be planned beside them");
		f->status = GS_STATUS_CANNOT_TELL;
		gs_policy_suggest(y, f, "run it as root");
		return true;
	}
	return is_mode_unsupported(y);
}

/* ---------------------------------------------------------------- modes */

/* The mode that a want needs; INVALID when any will do. */
static enum gs_mode mode_for(const struct gs_policy *y, const struct gs_want *w)
{
	const struct gs_profile *p = gs_want_profile(w, y->gpu);
	enum gs_mode target = y->d->target->mode;

	switch (w->kind) {
	case GS_KIND_MIG:
		return gs_mode_has_mig(target) ? GS_MODE_INVALID : GS_MODE_MIG;
	case GS_KIND_VGPU:
		/* while the driver is off nobody tells what a type is; that happens in an undo only */
		if (!p && (target == GS_MODE_VGPU || target == GS_MODE_MIG_VGPU))
			return GS_MODE_INVALID;
		if (p && p->gi_profile)
			return target == GS_MODE_MIG_VGPU ? GS_MODE_INVALID : GS_MODE_MIG_VGPU;
		return target == GS_MODE_VGPU ? GS_MODE_INVALID : GS_MODE_VGPU;
	case GS_KIND_SRIOV:
		return gs_mode_has_vfs(target) || w->is_settled ? GS_MODE_INVALID : GS_MODE_SRIOV;
	default:
		return GS_MODE_INVALID;
	}
}

static void check_wants(struct gs_policy *y)
{
	const struct gs_want *first = NULL, *asked = NULL;
	enum gs_mode need = GS_MODE_INVALID;
	size_t standing = 0;
	struct gs_finding *f;

	for (size_t i = 0; i < y->d->target->n_wants; i++) {
		const struct gs_want *w = &y->d->target->wants[i];
		enum gs_mode mode = mode_for(y, w);

		if (mode == GS_MODE_INVALID)
			continue;
		standing += w->instance_id.known;
		first = w->instance_id.known && !first ? w : first;
		if (!w->instance_id.known && !asked) {
			asked = w;
			need = mode;
		}
	}
	if (standing) {
		f = gs_policy_add(y, GS_RULE_MODE_INSTANCES, GS_SEVERITY_BLOCK, "mode %s would destroy %zu instance%s that the request does not delete",
				  gs_mode_name(y->d->target->mode), standing, standing == 1 ? "" : "s");
		f->pos = first->pos;
		gs_policy_suggest(y, f, "delete %" PRIu32 " all", y->gpu->index);
	}
	if (asked && !standing) {
		const char *now = gs_mode_name(y->d->target->mode);

		f = gs_policy_add(y, GS_RULE_MODE_NEEDED, GS_SEVERITY_BLOCK, need == GS_MODE_MIG     ? "instances need MIG mode, and GPU %" PRIu32 " is in mode %s"
							   : need == GS_MODE_SRIOV ? "that VF is off: GPU %" PRIu32 " is in mode %s"
							   : "a vGPU needs another mode, and GPU %" PRIu32 " is in mode %s",
				  y->gpu->index, now ? now : "unknown");
		f->pos = asked->pos;
		gs_policy_suggest(y, f, "mode %" PRIu32 " %s", y->gpu->index, gs_mode_name(need));
	}
}

void gs_policy_check_mode(struct gs_policy *y)
{
	struct gs_finding *f;

	check_wants(y);
	if (y->d->mig_changes && !y->d->mig_only_unpends && y->gpu->is_in_guest && y->gpu->mode_needs_reset) {
		f = gs_policy_add(y, GS_RULE_MODE_IN_GUEST, GS_SEVERITY_BLOCK,
				  "this GPU is passed through to this virtual machine, from where it cannot be reset: the driver would leave the mode pending until the machine is "
				  "rebooted, so it is not begun");
		gs_policy_suggest(y, f, "set the mode on the host, before the GPU is passed through");
		gs_policy_suggest(y, f, "nvidia-smi -mig 1 (or 0), then reboot the virtual machine");
	}
	if (y->gpu->mode_pending != GS_MODE_INVALID && y->gpu->mode_pending != y->gpu->mode && !y->d->target->mode_is_asked) {
		f = gs_policy_add(y, GS_RULE_MODE_PENDING, GS_SEVERITY_BLOCK, "mode %s is pending from an earlier change and becomes active with the next reset",
				  gs_mode_name(y->gpu->mode_pending));
		gs_policy_suggest(y, f, "take it back first: mode %" PRIu32 " %s", y->gpu->index, gs_mode_name(y->gpu->mode));
	}
}

/* ---------------------------------------------------------------- VFs, drivers, settings */

static bool is_in_the_way(const struct gs_policy *y, const struct gs_sibling *s)
{
	if (s->is_bridge || !s->driver || gs_sibling_follows(y->gpu, s))
		return false;
	/* on these the group stays viable (interfaces 4.4) */
	return !strstr(s->driver, "vfio") && !gs_str_equal(s->driver, "pci-stub");
}

static void check_passthrough(struct gs_policy *y)
{
	const struct gs_gpu *gpu = y->gpu;
	char bdf[GS_BDF_TEXT];
	struct gs_finding *f;

	if (!y->d->goes_to_vfio)
		return;
	if (gpu->no_passthrough)
		gs_policy_add(y, GS_RULE_PASSTHROUGH_IMPOSSIBLE, GS_SEVERITY_BLOCK, "%s", gpu->no_passthrough);
	if (gpu->is_boot_display)
		gs_policy_add(y, GS_RULE_PASSTHROUGH_IMPOSSIBLE, GS_SEVERITY_BLOCK,
			      "it is the display that this machine boots on (boot_vga): taking its driver away would leave the console dark");
	for (size_t i = 0; i < gpu->n_siblings; i++) {
		const struct gs_sibling *s = gpu->siblings[i];

		if (!is_in_the_way(y, s))
			continue;
		f = gs_policy_add(y, GS_RULE_GROUP_SHARED, GS_SEVERITY_BLOCK,
				  "%s (driver %s) is in the same IOMMU group %" PRIu32 ": as long as it keeps that driver, no VM can have the GPU", gs_bdf_format(s->bdf, bdf),
				  s->driver, gpu->iommu_group.value);
		gs_policy_suggest(y, f, "unbind it if nobody needs it, or put the card into a slot with a group of its own");
	}
}

/* A VF that is off has no files to be set in. */
static void check_vfs_that_are_off(struct gs_policy *y)
{
	for (size_t i = 0; i < y->d->n_changes; i++) {
		const struct gs_change *c = &y->d->changes[i];
		struct gs_finding *f;

		if (!c->n_params || !c->want || c->want->kind != GS_KIND_SRIOV || c->want->start.value < y->d->vfs_target || !y->d->vfs_target)
			continue;
		f = gs_policy_add(y, GS_RULE_MODE_NEEDED, GS_SEVERITY_BLOCK, "VF %" PRIu32 " is off: of GPU %" PRIu32 " the first %" PRIu32 " are on", c->want->start.value,
				  y->gpu->index, y->d->vfs_target);
		f->object = gs_arena_printf(y->p->arena, "GPU %" PRIu32 " vf:%" PRIu32, y->gpu->index, c->want->start.value);
		f->pos = c->want->pos;
		gs_policy_suggest(y, f, "vfs %" PRIu32 " %" PRIu32, y->gpu->index, c->want->start.value + 1);
	}
}

void gs_policy_check_functions(struct gs_policy *y)
{
	check_vfs(y);
	check_vfs_that_are_off(y);
	check_passthrough(y);
	gs_policy_check_settings(y);
}

/* ---------------------------------------------------------------- what is to be known */

static bool has_fabric_manager(const struct gs_gpu *gpu)
{
	for (size_t i = 0; i < gpu->n_holders; i++)
		if (gs_str_equal(gpu->holders[i]->unit, "nvidia-fabricmanager.service"))
			return true;
	return false;
}

static void note_passthrough(struct gs_policy *y)
{
	GS_STRBUF struct gs_strbuf with = GS_STRBUF_INIT;
	char bdf[GS_BDF_TEXT];

	for (size_t i = 0; i < y->gpu->n_siblings; i++)
		if (gs_sibling_is_rebound(y->d, y->gpu->siblings[i]))
			gs_strbuf_printf(&with, "%s%s", with.length ? ", " : "", gs_bdf_format(y->gpu->siblings[i]->bdf, bdf));
	if (with.length && !with.failed)
		gs_policy_add(y, GS_RULE_SIBLINGS_FOLLOW, GS_SEVERITY_NOTE, "%s of the same board go%s along", with.text, strchr(with.text, ',') ? "" : "es");
	if (y->d->goes_to_vfio && (y->gpu->is_in_fabric || has_fabric_manager(y->gpu)))
		gs_policy_add(y, GS_RULE_FABRIC_MANAGER, GS_SEVERITY_CONFIRM,
			      "it is part of an NVSwitch fabric: nvidia-fabricmanager has to run in a mode for virtualisation, and other GPUs of the fabric may lose their "
			      "links; that cannot be taken back by a step of this plan: systemctl restart nvidia-fabricmanager afterwards");
}

static bool is_set_again(const struct gs_change *c, const char *key)
{
	for (size_t i = 0; i < c->n_params; i++)
		if (gs_str_equal(c->params[i].key, key))
			return true;
	return false;
}

/* Does the VF have a value of @key that this plan does not bring back? Unset is none. */
static bool loses(const struct gs_policy *y, const struct gs_change *c, const char *key)
{
	const char *value = c->old && c->want && c->old->kind == GS_KIND_SRIOV && c->want->start.value < y->d->vfs_target ? gs_instance_param(c->old, key) : NULL;

	return value && value[0] && !gs_str_equal(value, "0") && !is_set_again(c, key) && (gs_gpu_is_quota(y->gpu, key) || gs_str_equal(value, "mixed"));
}

/* Said before it happens, once for each key: which VFs stay and do not keep what they have. */
static void note_lost_params(struct gs_policy *y)
{
	const struct gs_instance *first = NULL;

	for (size_t i = 0; i < y->d->n_changes && !first; i++)
		first = y->d->changes[i].old && y->d->changes[i].old->kind == GS_KIND_SRIOV ? y->d->changes[i].old : NULL;
	for (size_t k = 0; first && k < first->n_params; k++) {
		GS_STRBUF struct gs_strbuf vfs = GS_STRBUF_INIT;
		const char *key = first->params[k].key;

		for (size_t i = 0; i < y->d->n_changes; i++)
			if (loses(y, &y->d->changes[i], key))
				gs_strbuf_printf(&vfs, "%s%" PRIu32, vfs.length ? ", " : "", y->d->changes[i].want->start.value);
		if (!vfs.length || vfs.failed)
			continue;
		gs_policy_add(y, GS_RULE_VF_SHARES, GS_SEVERITY_NOTE,
			      "all VFs go off in between, and VF %s may lose %s: it is not set again, since the driver shares it out anew among %" PRIu32
			      " VFs; what has to stay, set in the same script (set %" PRIu32 "/vf:N %s VALUE)",
			      vfs.text, key, y->d->vfs_target, y->gpu->index, key);
	}
}

/* A driver may offer other types than the catalogue of boards says: then the step that creates fails, and all is undone. */
static void note_catalogue(struct gs_policy *y)
{
	if (!y->d->leaves_vfio || y->gpu->grids[GS_KIND_VGPU].source != GS_PROFILES_CATALOGUE)
		return;
	for (size_t i = 0; i < y->d->n_changes; i++) {
		const struct gs_change *c = &y->d->changes[i];

		if (c->kind != GS_CHANGE_CREATE || c->want->kind != GS_KIND_VGPU)
			continue;
		gs_policy_add(y, GS_RULE_TYPES_CATALOGUE, GS_SEVERITY_NOTE,
			      "%s is from the catalogue: the driver lists its types only once it has the GPU again; if it has none of that name, this fails and is undone",
			      c->want->profile);
		return;
	}
}

void gs_policy_note_functions(struct gs_policy *y)
{
	note_catalogue(y);
	if (y->d->vfs_off && y->d->vfs_on)
		note_lost_params(y);
	if (y->d->goes_to_vfio || y->d->leaves_vfio)
		note_passthrough(y);
	if ((y->d->vfs_on || y->d->vfs_off) && y->gpu->vfs.by == GS_VFS_BY_SRIOV_MANAGE)
		gs_policy_add(y, GS_RULE_REBINDS, GS_SEVERITY_NOTE, "sriov-manage takes the driver off this GPU and puts it back, which can take a minute");
	for (size_t i = 0; i < y->d->n_settings; i++) {
		if (!gs_str_equal(y->d->settings[i].setting->key, GS_SETTING_MEMORY_PARTITION))
			continue;
		gs_policy_add(y, GS_RULE_SETTING_PENDING, GS_SEVERITY_NOTE,
			      "the memory mode changes only when amdgpu is unloaded and loaded again, and in an XGMI hive only when every GPU asks for the same");
	}
}
