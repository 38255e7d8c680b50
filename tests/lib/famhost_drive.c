/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * famhost_drive.c - what the kernel and the drivers make of a step, by
 * interfaces 0.3, 1.2, 2.3-2.6, 3.2, 3.4, 4.2-4.4, 5.8 and 6. What a real one
 * would wait for for ever is refused here with -EBUSY.
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

static bool is_vfio(const char *driver)
{
	return strstr(driver, "vfio");
}

/* Somebody has the physical function open. */
static bool is_open(const struct fam_gpu *g)
{
	return g->is_held || g->is_persistent || g->has_kfd || g->has_vm;
}

static bool has_held_vf(const struct fam_gpu *g)
{
	for (size_t i = 0; i < FAM_SLOTS_MAX; i++)
		if (g->slots[i].is_held)
			return true;
	return false;
}

static void clear_slot(struct fam_slot *slot)
{
	bool is_claimed = slot->is_claimed;

	memset(slot, 0, sizeof(*slot));
	slot->is_claimed = is_claimed;
}

/* All that lies on a driver goes with it, and each thing that nobody took away by name is a mistake of the plan. */
static void wipe(struct fam_host *h, struct fam_gpu *g, bool gis_too)
{
	for (size_t i = 0; i < FAM_SLOTS_MAX; i++) {
		if (!g->slots[i].type)
			continue;
		h->wiped++;
		clear_slot(&g->slots[i]);
	}
	if (!gis_too)
		return;
	h->wiped += (unsigned)g->n_gis;
	g->n_gis = 0;
}

/* interfaces 2.5: it takes the mixed sizes along; whether the scheduler, too, is not known, so here it does. */
static void forget_sharing(struct fam_gpu *g)
{
	g->sharing = (struct fam_sharing){ .is_mixed = false };
}

/* ---------------------------------------------------------------- holders, units */

static int stop_holder(struct fam_host *h, const struct gs_step *step)
{
	for (uint32_t i = 0; i < h->n; i++) {
		struct fam_gpu *g = &h->gpus[i];

		g->is_held = g->is_held && step->pid != 4099 + 100 * i;
		g->has_kfd = g->has_kfd && step->pid != 4098 + 100 * i;
		for (size_t k = 0; k < g->n_gis; k++)
			g->gis[k].is_held = g->gis[k].is_held && step->pid != 4000 + 100 * i + g->gis[k].start;
	}
	return 0;
}

static int switch_unit(struct fam_host *h, const struct gs_step *step)
{
	if (strcmp(step->unit, "nvidia-persistenced.service") != 0)
		return -ENOENT;
	for (size_t i = 0; i < h->n; i++) {
		struct fam_gpu *g = &h->gpus[i];

		if (step->op == GS_STEP_STOP_UNIT) {
			g->was_persistent |= g->is_persistent;
			g->is_persistent = false;
		} else {
			/* it opens whatever its driver has */
			g->is_persistent |= g->was_persistent && is_native(g);
		}
	}
	return 0;
}

/* ---------------------------------------------------------------- VFs, drivers, modes */

/* interfaces 3.4: all or none; it takes the driver off the GPU and puts it back. */
static int sriov_manage(struct fam_host *h, struct fam_gpu *g, const struct gs_step *step)
{
	if (g->board->by != GS_VFS_BY_SRIOV_MANAGE || !is_native(g))
		return -ENOENT;
	if (is_open(g) || has_held_vf(g))
		return -EBUSY;
	if (step->op == GS_STEP_ENABLE_VFS && g->vfs)
		return 0;
	wipe(h, g, true);
	forget_sharing(g);
	g->vfs = step->op == GS_STEP_ENABLE_VFS ? g->board->total_vfs : 0;
	return 0;
}

/* interfaces 3.2 */
static int numvfs(struct fam_host *h, struct fam_gpu *g, const struct gs_step *step)
{
	uint32_t n = step->op == GS_STEP_ENABLE_VFS ? step->vfs : 0;
	bool can = (is_native(g) && g->board->by == GS_VFS_BY_NUMVFS) || strcmp(g->driver, "pci-pf-stub") == 0;

	if (!can)
		return -ENOENT;
	if (n > g->board->total_vfs)
		return -ERANGE;
	if (n == g->vfs)
		return 0;
	if ((n && g->vfs) || has_held_vf(g))
		return -EBUSY;
	wipe(h, g, false);
	/* a VF that goes forgets what was set of it */
	for (size_t i = 0; !n && i < FAM_SLOTS_MAX; i++)
		clear_slot(&g->slots[i]);
	g->vfs = n;
	return 0;
}

/* The driver field of the function that a step is about: the GPU's own or a sibling's; NULL when there is none. */
static char *function_of(struct fam_gpu *g, const struct gs_step *step, char **ret_original, const char **ret_native)
{
	*ret_native = g->board->driver;
	*ret_original = g->original;
	if (gs_bdf_compare(step->function, step->bdf) == 0)
		return g->driver;
	*ret_native = "snd_hda_intel";
	*ret_original = g->audio.original;
	return g->audio.is_there && step->function.function == 1 ? g->audio.driver : NULL;
}

static int unbind(struct fam_host *h, struct fam_gpu *g, const struct gs_step *step)
{
	const char *native;
	char *original, *driver = function_of(g, step, &original, &native);

	if (!driver || !driver[0] || strcmp(driver, step->driver) != 0)
		return -ENODEV;
	if (driver == g->driver) {
		if (is_open(g) || has_held_vf(g) || (g->vfs && is_native(g)))
			return -EBUSY;
		wipe(h, g, true);
		forget_sharing(g);
		g->mig = false;
		g->mig_pending = -1;
	} else if (g->has_vm) {
		return -EBUSY;
	}
	if (step->to_vfio)
		snprintf(original, sizeof(g->original), "%s", driver);
	driver[0] = '\0';
	return 0;
}

static int bind(struct fam_gpu *g, const struct gs_step *step)
{
	const char *native, *to;
	char *original, *driver = function_of(g, step, &original, &native);

	if (!driver)
		return -ENODEV;
	if (driver[0])
		return -EBUSY;
	to = step->driver ? step->driver : native;
	if (is_vfio(to) && g->has_no_iommu)
		return -EINVAL;
	if (!is_vfio(to) && strcmp(to, native) != 0)
		return -ENODEV;
	/* with one of the group held through VFIO no native driver binds (testbench 4) */
	if (!is_vfio(to) && g->has_vm)
		return -EBUSY;
	snprintf(driver, sizeof(g->driver), "%s", to);
	if (driver == g->driver)
		g->override[0] = '\0';
	if (!is_vfio(to))
		original[0] = '\0';
	return 0;
}

/* interfaces 5.8, 2.6 */
static int set_mode(struct fam_host *h, struct fam_gpu *g, const struct gs_step *step)
{
	bool on = step->mode == GS_MODE_MIG;

	if (!g->board->has_mig || !is_native(g))
		return -EOPNOTSUPP;
	if (on == g->mig) {
		g->mig_pending = -1;
		return 0;
	}
	if (g->vfs)
		return -EBUSY;
	if (g->needs_reset || g->is_held) {
		g->mig_pending = on;
		return 0;
	}
	wipe(h, g, true);
	forget_sharing(g);
	g->mig = on;
	g->mig_pending = -1;
	return 0;
}

/* interfaces 5.8: all of them or none; what is not bound to the driver, or has VFs, cannot be */
static int reset(struct fam_host *h, const struct gs_step *step)
{
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i <= step->n_peers; i++) {
			struct gs_bdf bdf = i < step->n_peers ? step->peers[i] : step->bdf;
			struct fam_gpu *g = bdf.bus && bdf.bus <= h->n ? &h->gpus[bdf.bus - 1] : NULL;

			if (!g || !is_native(g))
				return -ENODEV;
			if (g->is_held || g->vfs)
				return -EBUSY;
			if (pass == 0)
				continue;
			wipe(h, g, true);
			if (g->mig_pending >= 0)
				g->mig = g->mig_pending;
			g->mig_pending = -1;
		}
	}
	return 0;
}

/* interfaces 6.2, 6.3 */
static int set_setting(struct fam_gpu *g, const struct gs_step *step)
{
	for (size_t i = 0; i < g->board->n_settings; i++) {
		const struct fam_setting_kind *k = &g->board->settings[i];
		struct fam_setting *s = &g->settings[i];
		bool known = !k->choices;

		if (strcmp(k->key, step->key) != 0)
			continue;
		for (size_t c = 0; k->choices && k->choices[c]; c++)
			known |= strcmp(k->choices[c], step->value) == 0;
		if (!known)
			return -EINVAL;
		if (s->is_fixed)
			return -EACCES;
		if (g->has_kfd && k->choices)
			return -EBUSY;
		if (k->waits && strcmp(s->value, step->value) != 0)
			snprintf(s->pending, sizeof(s->pending), "%s", step->value);
		else
			s->pending[0] = '\0';
		if (!k->waits)
			snprintf(s->value, sizeof(s->value), "%s", step->value);
		return 0;
	}
	return -ENOENT;
}

/* ---------------------------------------------------------------- MIG */

static struct fam_gi *gi_at(struct fam_gpu *g, uint32_t start, const char *profile)
{
	for (size_t i = 0; i < g->n_gis; i++)
		if (g->gis[i].start == start && strcmp(g->gis[i].profile, profile) == 0)
			return &g->gis[i];
	return NULL;
}

static uint32_t vgpus_in(const struct fam_gpu *g, uint32_t gi)
{
	uint32_t n = 0;

	for (size_t i = 0; i < FAM_SLOTS_MAX; i++)
		n += g->slots[i].type && g->slots[i].gi == gi;
	return n;
}

/* interfaces 2.5, 5.7: while no vGPU is there; in MIG mode each GI has its own, and the GPU has none. */
static int set_sharing(struct fam_gpu *g, const struct gs_step *step)
{
	struct fam_gi *gi = step->profile ? gi_at(g, step->span.start, step->profile) : NULL;
	struct fam_sharing *sharing = gi ? &gi->sharing : &g->sharing;

	if (!g->has_sharing || !is_native(g) || (step->profile != NULL) != g->mig || step->framework != GS_FRAMEWORK_NVML)
		return -EOPNOTSUPP;
	if (step->profile && !gi)
		return -ENOENT;
	for (size_t i = 0; i < FAM_SLOTS_MAX; i++)
		if (g->slots[i].type && (!gi || g->slots[i].gi == gi->id))
			return -EBUSY;
	if (strcmp(step->key, GS_SETTING_HETEROGENEOUS) == 0)
		sharing->is_mixed = strcmp(step->value, "on") == 0;
	else
		snprintf(sharing->scheduler, sizeof(sharing->scheduler), "%s", strcmp(step->value, "best-effort") == 0 ? "" : step->value);
	return 0;
}

static uint32_t free_gi_id(const struct fam_gpu *g)
{
	uint32_t id = 1;

	for (size_t i = 0; i < g->n_gis; i++)
		if (g->gis[i].id == id) {
			id++;
			i = (size_t)-1;
		}
	return id;
}

static int create_gi(struct fam_gpu *g, const struct gs_step *step)
{
	const uint32_t *starts;
	size_t n = fam_gi_starts(step->profile, &starts);
	bool legal = false;

	if (!g->mig || !is_native(g) || g->n_gis == FAM_GIS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		legal |= starts[i] == step->span.start && step->span.size == fam_gi_size(step->profile);
	for (size_t i = 0; i < g->n_gis; i++)
		legal = legal && (g->gis[i].start >= step->span.start + step->span.size || step->span.start >= g->gis[i].start + fam_gi_size(g->gis[i].profile));
	if (!legal)
		return -ENOSPC;
	g->gis[g->n_gis] = (struct fam_gi){ .id = free_gi_id(g), .start = step->span.start, .profile = n == 4 ? "1g.24gb" : n == 2 ? "2g.48gb" : "4g.96gb" };
	g->n_gis++;
	return 0;
}

static int change_mig(struct fam_gpu *g, const struct gs_step *step)
{
	struct fam_gi *gi;

	if (step->op == GS_STEP_CREATE_GI)
		return create_gi(g, step);
	gi = gi_at(g, step->span.start, step->profile);
	if (!gi)
		return -ENOENT;
	if (step->op == GS_STEP_CREATE_CI) {
		if (gi->has_ci)
			return -ENOSPC;
		gi->has_ci = true;
		return 0;
	}
	if (gi->is_held || gi->id != step->instance_id || vgpus_in(g, gi->id))
		return -EBUSY;
	if (step->op == GS_STEP_DESTROY_CI) {
		gi->has_ci = false;
		return 0;
	}
	if (gi->has_ci)
		return -EBUSY;
	memmove(gi, gi + 1, (size_t)(&g->gis[g->n_gis] - (gi + 1)) * sizeof(*gi));
	g->n_gis--;
	return 0;
}

/* ---------------------------------------------------------------- vGPUs */

static const struct fam_slot *slot_by_uuid(const struct fam_gpu *g, const char *uuid)
{
	for (size_t i = 0; uuid && i < FAM_SLOTS_MAX; i++)
		if (g->slots[i].type && strcmp(g->slots[i].uuid, uuid) == 0)
			return &g->slots[i];
	return NULL;
}

static bool uuid_exists(const struct fam_host *h, const char *uuid)
{
	for (size_t i = 0; i < h->n; i++)
		if (slot_by_uuid(&h->gpus[i], uuid))
			return true;
	return false;
}

/* interfaces 2.6: ascending id, the first with the right profile, the same size and room */
static int pick_gi(const struct fam_gpu *g, const struct fam_type *t, const struct gs_step *step, uint32_t *ret_gi)
{
	for (uint32_t id = 1; id < 64; id++) {
		for (size_t i = 0; i < g->n_gis; i++) {
			bool same_size = true;

			if (g->gis[i].id != id || strcmp(g->gis[i].profile, t->gi_profile) != 0 || (step->on_start.known && g->gis[i].start != step->on_start.value))
				continue;
			for (size_t k = 0; k < FAM_SLOTS_MAX; k++)
				same_size = same_size && (g->gis[i].sharing.is_mixed || !g->slots[k].type || g->slots[k].gi != id || g->slots[k].type->mib == t->mib);
			if (!same_size || vgpus_in(g, id) >= t->per_gi)
				continue;
			*ret_gi = id;
			return 0;
		}
	}
	return -EIO;
}

/* One size for all time-sliced ones, and no more than that size allows (interfaces 1.4, 2.5). */
static int count_others(const struct fam_gpu *g, const struct fam_type *t)
{
	uint32_t n = 0;

	for (size_t i = 0; i < FAM_SLOTS_MAX; i++) {
		const struct fam_type *other = g->slots[i].type;

		if (!other || other->gi_profile)
			continue;
		if (other->mib != t->mib)
			return -EIO;
		n++;
	}
	return n >= t->max ? -ENOSPC : 0;
}

/* Sizes mixed: the first of its places whose framebuffer is free (interfaces 2.5). */
static int place_mixed(const struct fam_gpu *g, const struct fam_type *t, uint32_t *ret_placement)
{
	uint32_t size = t->mib / 1024;

	for (uint32_t at = 0; at + size <= fam_board_gib(g->board); at += size) {
		bool is_free = true;

		for (size_t i = 0; i < FAM_SLOTS_MAX; i++) {
			const struct fam_slot *other = &g->slots[i];

			if (other->type && at < other->placement + other->type->mib / 1024 && other->placement < at + size)
				is_free = false;
		}
		*ret_placement = at;
		if (is_free)
			return 0;
	}
	return -ENOSPC;
}

static struct fam_slot *free_slot(struct fam_gpu *g, const struct gs_step *step)
{
	if (g->board->total_vfs)
		return step->vf.known && step->vf.value < g->vfs ? &g->slots[step->vf.value] : NULL;
	for (size_t i = 0; i < 16; i++)
		if (!g->slots[i].type)
			return &g->slots[i];
	return NULL;
}

static int create_vgpu(struct fam_host *h, struct fam_gpu *g, const struct gs_step *step)
{
	const struct fam_type *t = fam_board_type(g->board, step->profile);
	struct fam_slot *slot = free_slot(g, step);
	uint32_t gi = 0, placement = 0;
	int r;

	if (!is_native(g) || !slot)
		return -ENXIO;
	if (!t || t->id != step->profile_id)
		return -EINVAL;
	if (slot->type || slot->is_held)
		return -EBUSY;
	if (g->mig != (t->gi_profile != NULL))
		return -EIO;
	r = t->gi_profile ? pick_gi(g, t, step, &gi) : g->sharing.is_mixed ? place_mixed(g, t, &placement) : count_others(g, t);
	if (r < 0)
		return r;
	if (g->board->framework == GS_FRAMEWORK_MDEV) {
		if (!step->uuid || strlen(step->uuid) != 36)
			return -EINVAL;
		if (uuid_exists(h, step->uuid))
			return -EEXIST;
		snprintf(slot->uuid, sizeof(slot->uuid), "%s", step->uuid);
	}
	slot->type = t;
	slot->gi = gi;
	slot->placement = placement;
	return 0;
}

static struct fam_slot *slot_of(struct fam_gpu *g, const struct gs_step *step)
{
	if (g->board->total_vfs)
		return step->vf.known && step->vf.value < FAM_SLOTS_MAX ? &g->slots[step->vf.value] : NULL;
	return (struct fam_slot *)slot_by_uuid(g, step->uuid);
}

static int remove_vgpu(struct fam_gpu *g, const struct gs_step *step)
{
	struct fam_slot *slot = slot_of(g, step);

	if (!slot || !slot->type || strcmp(slot->type->name, step->profile) != 0)
		return -ENOENT;
	if (g->board->framework == GS_FRAMEWORK_MDEV && (!step->uuid || strcmp(slot->uuid, step->uuid) != 0))
		return -ENOENT;
	if (slot->is_held)
		return -EBUSY;
	clear_slot(slot);
	return 0;
}

static bool is_vf_param(const struct fam_board *b, const char *key)
{
	for (size_t i = 0; b->vf_params && b->vf_params[i]; i++)
		if (strcmp(b->vf_params[i], key) == 0)
			return true;
	return false;
}

static int move_to(const struct fam_gpu *g, struct fam_slot *slot, const char *value)
{
	uint32_t at, size = slot->type->mib / 1024;

	if (gs_parse_u32(value, 10, &at) < 0 || at + size > fam_board_gib(g->board))
		return -EINVAL;
	for (size_t i = 0; i < FAM_SLOTS_MAX; i++) {
		const struct fam_slot *other = &g->slots[i];

		if (other != slot && other->type && at < other->placement + other->type->mib / 1024 && other->placement < at + size)
			return -EINVAL;
	}
	slot->placement = at;
	return 0;
}

static int set_param(struct fam_gpu *g, const struct gs_step *step)
{
	struct fam_slot *slot = slot_of(g, step);
	size_t i = 0;

	if (!slot || !is_native(g) || (!slot->type && !is_vf_param(g->board, step->key)))
		return -ENXIO;
	if (slot->type && slot->is_held)
		return -EBUSY;
	/* interfaces 7.2: shares while no VF is on, and the rest of a VF that is */
	if (g->board->framework == GS_FRAMEWORK_I915 && (strstr(step->key, "quota") != NULL) != (g->vfs == 0))
		return -EBUSY;
	while (i < slot->n_params && strcmp(slot->params[i].key, step->key) != 0)
		i++;
	if (i == slot->n_params && slot->n_params == FAM_PARAMS_MAX)
		return -ENOSPC;
	/* a file of its own, which reads where it lies (interfaces 2.5) */
	if (slot->type && g->sharing.is_mixed && strcmp(step->key, GS_PARAM_PLACEMENT_ID) == 0)
		return move_to(g, slot, step->value);
	/* what is empty, or as it comes, is as if it had never been set */
	if (!step->value[0] || (!slot->type && strcmp(step->value, "0") == 0)) {
		if (i == slot->n_params)
			return 0;
		slot->params[i] = slot->params[--slot->n_params];
		memset(&slot->params[slot->n_params], 0, sizeof(slot->params[0]));
		return 0;
	}
	slot->n_params += i == slot->n_params;
	snprintf(slot->params[i].key, sizeof(slot->params[i].key), "%s", step->key);
	snprintf(slot->params[i].value, sizeof(slot->params[i].value), "%s", step->value);
	return 0;
}

int fam_host_step(struct fam_host *h, const struct gs_step *step)
{
	struct fam_gpu *g = step->bdf.bus && step->bdf.bus <= h->n ? &h->gpus[step->bdf.bus - 1] : NULL;

	if (!g)
		return -ENODEV;
	if (step->op != GS_STEP_STOP_HOLDER && step->op != GS_STEP_STOP_UNIT && step->op != GS_STEP_START_UNIT && (g->is_gone || g->is_lost))
		return g->is_gone ? -ENODEV : -EIO;
	switch (step->op) {
	case GS_STEP_STOP_HOLDER:
		return stop_holder(h, step);
	case GS_STEP_STOP_UNIT:
	case GS_STEP_START_UNIT:
		return switch_unit(h, step);
	case GS_STEP_DISABLE_VFS:
	case GS_STEP_ENABLE_VFS:
		return step->vfs_by == GS_VFS_BY_SRIOV_MANAGE ? sriov_manage(h, g, step) : step->vfs_by == GS_VFS_BY_NUMVFS ? numvfs(h, g, step) : -EOPNOTSUPP;
	case GS_STEP_UNBIND_DRIVER:
		return unbind(h, g, step);
	case GS_STEP_BIND_DRIVER:
		return bind(g, step);
	case GS_STEP_SET_MODE:
		return set_mode(h, g, step);
	case GS_STEP_RESET_GPU:
		return reset(h, step);
	case GS_STEP_SET_SETTING:
		return gs_setting_is_for_vgpus(step->key) ? set_sharing(g, step) : set_setting(g, step);
	case GS_STEP_REMOVE_VGPU:
		return remove_vgpu(g, step);
	case GS_STEP_CREATE_VGPU:
		return create_vgpu(h, g, step);
	case GS_STEP_SET_PARAM:
		return set_param(g, step);
	case GS_STEP_DESTROY_CI:
	case GS_STEP_DESTROY_GI:
	case GS_STEP_CREATE_GI:
	case GS_STEP_CREATE_CI:
		return change_mig(g, step);
	default:
		return -EOPNOTSUPP;
	}
}
