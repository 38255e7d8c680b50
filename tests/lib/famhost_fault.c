/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * famhost_fault.c - halves of steps, and what a restart leaves.
 *
 * Without parts, so that there is no half of them:
 *   destroy-ci, destroy-gi, create-gi, create-ci: one call of NVML each, which
 *     the driver carries out as a whole or refuses (interfaces 5.7);
 *   sriov_numvfs = 0: the kernel takes all VFs away or none (interfaces 3.2);
 *   unbind from VFIO or from a stub: one write;
 *   a vGPU without a GI, a parameter that is alone, a setting of one word: one write.
 * A process that is told to stop, and a unit, have one in time: what was asked
 * for comes later than the answer; that is faulthost.c's.
 */
#include "tests/lib/famhost.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

static bool is_native(const struct fam_gpu *g)
{
	return strcmp(g->driver, g->board->driver) == 0;
}

/* interfaces 3.4: the tool dies with the GPU on its stub, or the driver makes some of the functions. */
static int half_vfs(struct fam_host *h, struct fam_gpu *g, const struct gs_step *step)
{
	int r;

	if (step->op == GS_STEP_DISABLE_VFS && step->vfs_by != GS_VFS_BY_SRIOV_MANAGE)
		return -EOPNOTSUPP;
	r = fam_host_step(h, step);
	if (r < 0)
		return r;
	if (step->op == GS_STEP_DISABLE_VFS) {
		snprintf(g->driver, sizeof(g->driver), "pci-pf-stub");
		g->vfs = step->vfs;
	} else if (step->vfs_by == GS_VFS_BY_SRIOV_MANAGE && (step->gpu & 1)) {
		snprintf(g->driver, sizeof(g->driver), "pci-pf-stub");
	} else {
		g->vfs = (g->vfs + 1) / 2;
	}
	return 0;
}

/* interfaces 4.3: driver_override is written before the unbind, and before the probe. */
static int half_driver(struct fam_gpu *g, const struct gs_step *step)
{
	if (!step->to_vfio || gs_bdf_compare(step->function, step->bdf) != 0)
		return -EOPNOTSUPP;
	snprintf(g->override, sizeof(g->override), "vfio-pci");
	return 0;
}

/* Accepted, and not active: what a busy GPU does with it (interfaces 5.8). */
static int half_mode(struct fam_gpu *g, const struct gs_step *step)
{
	bool on = step->mode == GS_MODE_MIG;

	if (!g->board->has_mig || !is_native(g) || g->vfs || on == g->mig || g->mig_pending == on)
		return -EOPNOTSUPP;
	g->mig_pending = on;
	return 0;
}

/* Of several the first alone; of one alone the wish is lost with the reset. */
static int half_reset(struct fam_host *h, struct fam_gpu *g, const struct gs_step *step)
{
	struct gs_step first = *step;

	first.n_peers = 0;
	if (step->n_peers)
		return fam_host_step(h, &first);
	if (g->mig_pending < 0)
		return -EOPNOTSUPP;
	g->mig_pending = -1;
	return 0;
}

/* "fixed-share:timeslice-ns=2000000": the policy is one call, its parts another (interfaces 5.4). */
static int half_setting(struct fam_host *h, const struct gs_step *step)
{
	char value[64];
	struct gs_step first = *step;

	if (!strpbrk(step->value, ":,"))
		return -EOPNOTSUPP;
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(step->value, ":,"), step->value);
	first.value = value;
	return fam_host_step(h, &first);
}

/* The driver chooses another GI than the one that was named (interfaces 2.6). */
static int half_vgpu(struct fam_host *h, struct fam_gpu *g, const struct gs_step *step)
{
	struct gs_step elsewhere = *step;

	for (size_t i = 0; step->on_start.known && i < g->n_gis; i++) {
		if (g->gis[i].start == step->on_start.value || strcmp(g->gis[i].profile, step->gi_profile) != 0)
			continue;
		elsewhere.on_start = GS_U32(g->gis[i].start);
		if (fam_host_step(h, &elsewhere) == 0)
			return 0;
	}
	return -EOPNOTSUPP;
}

static struct fam_slot *slot_of(struct fam_gpu *g, const struct gs_step *step)
{
	if (g->board->total_vfs)
		return step->vf.known && step->vf.value < FAM_SLOTS_MAX ? &g->slots[step->vf.value] : NULL;
	for (size_t i = 0; step->uuid && i < FAM_SLOTS_MAX; i++)
		if (g->slots[i].type && strcmp(g->slots[i].uuid, step->uuid) == 0)
			return &g->slots[i];
	return NULL;
}

/* All parameters of a vGPU are words of one file, which a write replaces (interfaces 1.5), and which goes before the type does. */
static int half_params(struct fam_gpu *g, const struct gs_step *step)
{
	struct fam_slot *slot = slot_of(g, step);

	if (!slot || !slot->type || !slot->n_params || slot->is_held || !is_native(g))
		return -EOPNOTSUPP;
	if (step->op == GS_STEP_SET_PARAM && slot->n_params == 1 && strcmp(slot->params[0].key, step->key) == 0 && !step->value[0])
		return -EOPNOTSUPP;
	memset(slot->params, 0, sizeof(slot->params));
	slot->n_params = 0;
	return 0;
}

int fam_host_half(struct fam_host *h, const struct gs_step *step)
{
	struct fam_gpu *g = step->bdf.bus && step->bdf.bus <= h->n ? &h->gpus[step->bdf.bus - 1] : NULL;

	if (!g || g->is_gone || g->is_lost)
		return -EOPNOTSUPP;
	switch (step->op) {
	case GS_STEP_DISABLE_VFS:
	case GS_STEP_ENABLE_VFS:
		return half_vfs(h, g, step);
	case GS_STEP_UNBIND_DRIVER:
	case GS_STEP_BIND_DRIVER:
		return half_driver(g, step);
	case GS_STEP_SET_MODE:
		return half_mode(g, step);
	case GS_STEP_RESET_GPU:
		return half_reset(h, g, step);
	case GS_STEP_SET_SETTING:
		return half_setting(h, step);
	case GS_STEP_CREATE_VGPU:
		return half_vgpu(h, g, step);
	case GS_STEP_REMOVE_VGPU:
	case GS_STEP_SET_PARAM:
		return half_params(g, step);
	default:
		return -EOPNOTSUPP;
	}
}

/* ---------------------------------------------------------------- a restart */

static void restart(struct fam_gpu *g)
{
	bool is_persistent = g->is_persistent || g->was_persistent;
	/* interfaces 5.8: a mode that takes a reset is kept by the board, and what was asked for is active then; the others forget it */
	bool mig = g->needs_reset && (g->mig_pending < 0 ? g->mig : g->mig_pending);

	for (size_t i = 0; i < FAM_SLOTS_MAX; i++) {
		bool is_claimed = g->slots[i].is_claimed;

		memset(&g->slots[i], 0, sizeof(g->slots[i]));
		g->slots[i].is_claimed = is_claimed;
	}
	for (size_t i = 0; i < g->board->n_settings; i++) {
		snprintf(g->settings[i].value, sizeof(g->settings[i].value), "%s", g->board->settings[i].first);
		g->settings[i].pending[0] = '\0';
	}
	snprintf(g->driver, sizeof(g->driver), "%s", g->board->driver);
	g->original[0] = g->audio.original[0] = g->override[0] = '\0';
	if (g->audio.is_there)
		snprintf(g->audio.driver, sizeof(g->audio.driver), "snd_hda_intel");
	g->mig = mig;
	g->mig_pending = -1;
	g->n_gis = 0;
	g->vfs = 0;
	g->sharing = (struct fam_sharing){ .is_mixed = false };
	g->is_held = g->has_kfd = g->has_vm = g->has_fabric = g->write_waits = g->is_gone = g->is_lost = false;
	g->is_persistent = is_persistent;
}

void fam_host_reboot(struct fam_host *h)
{
	for (size_t i = 0; i < h->n; i++)
		restart(&h->gpus[i]);
}
