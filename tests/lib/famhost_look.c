/* SPDX-License-Identifier: GPL-2.0-or-later */
/* famhost_look.c - what a collector would see of a machine of famhost.h. */
#include "tests/lib/famhost.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

#define CHECK(x) \
	do { \
		if (!(x)) { \
			fprintf(stderr, "famhost: %s failed\n", #x); \
			abort(); \
		} \
	} while (0)

static bool is_native(const struct fam_gpu *g)
{
	return strcmp(g->driver, g->board->driver) == 0;
}

/* ---------------------------------------------------------------- grids */

static const struct gs_span *make_slots(struct gs_arena *a, uint32_t n)
{
	struct gs_span *spans = gs_arena_calloc(a, n, sizeof(*spans));

	CHECK(spans);
	for (uint32_t i = 0; i < n; i++)
		spans[i] = (struct gs_span){ i, 1 };
	return spans;
}

static uint32_t n_slots(const struct fam_board *b)
{
	return b->total_vfs ? b->total_vfs : 16;
}

static void add_mixed_ids(struct gs_arena *a, struct gs_profile *p, uint32_t size, uint32_t gib)
{
	uint32_t *ids = gs_arena_calloc(a, gib / size, sizeof(*ids));

	CHECK(ids);
	for (uint32_t at = 0; at + size <= gib; at += size)
		ids[p->n_mixed_ids++] = at;
	p->mixed_size = size;
	p->mixed_ids = ids;
}

static void add_vgpu_grid(struct gs_snapshot *s, struct gs_gpu *gpu, const struct fam_gpu *g)
{
	struct gs_arena *a = gs_snapshot_arena(s);
	struct gs_profile *items = gs_arena_calloc(a, g->board->n_types, sizeof(*items));
	struct gs_profile_set *set = &gpu->grids[GS_KIND_VGPU];

	CHECK(items);
	for (size_t i = 0; i < g->board->n_types; i++) {
		const struct fam_type *t = &g->board->types[i];

		items[i].name = t->name;
		items[i].id = GS_U32(t->id);
		items[i].memory_bytes = GS_U64((uint64_t)t->mib << 20);
		items[i].max_instances = t->max;
		items[i].placements = make_slots(a, n_slots(g->board));
		items[i].n_placements = n_slots(g->board);
		items[i].gi_profile = t->gi_profile;
		items[i].max_per_gi = t->gi_profile ? GS_U32(t->per_gi) : GS_U32_UNKNOWN;
		if (g->has_sharing && !t->gi_profile)
			add_mixed_ids(a, &items[i], t->mib / 1024, fam_board_gib(g->board));
	}
	*set = (struct gs_profile_set){ .memory_units = n_slots(g->board), .items = items, .n = g->board->n_types, .source = GS_PROFILES_DRIVER, .is_slots = true,
					.has_one_size = true };
	for (uint32_t i = 0; i < g->board->total_vfs; i++)
		if (g->slots[i].is_claimed)
			set->avoid |= 1ull << i;
}

static void add_mig_grid(struct gs_snapshot *s, struct gs_gpu *gpu)
{
	static const char *const names[] = { "1g.24gb", "2g.48gb", "4g.96gb" };
	struct gs_arena *a = gs_snapshot_arena(s);
	struct gs_profile *items = gs_arena_calloc(a, GS_ARRAY_SIZE(names), sizeof(*items));

	CHECK(items);
	for (size_t i = 0; i < GS_ARRAY_SIZE(names); i++) {
		const uint32_t *starts;
		size_t n = fam_gi_starts(names[i], &starts);
		struct gs_span *spans = gs_arena_calloc(a, n, sizeof(*spans));
		struct gs_compute_profile *c = gs_arena_calloc(a, 1, sizeof(*c));

		CHECK(spans && c);
		for (size_t k = 0; k < n; k++)
			spans[k] = (struct gs_span){ starts[k], fam_gi_size(names[i]) };
		items[i] = (struct gs_profile){ .name = names[i], .id = GS_U32(47 - 3 * (uint32_t)i), .compute_slices = 1u << i, .max_instances = (uint32_t)n, .placements = spans,
						.n_placements = n, .compute = c, .n_compute = 1 };
		*c = (struct gs_compute_profile){ .name = names[i], .id = GS_U32(0), .compute_slices = 1u << i, .max_instances = 1, .is_default = true };
		c->placements = gs_arena_memdup(a, &(struct gs_span){ 0, 1u << i }, sizeof(struct gs_span));
		c->n_placements = 1;
	}
	gpu->grids[GS_KIND_MIG] = (struct gs_profile_set){ .memory_units = 12, .compute_slices = 4, .items = items, .n = GS_ARRAY_SIZE(names), .source = GS_PROFILES_DRIVER };
}

/* ---------------------------------------------------------------- who is there */

static void add_process(struct gs_snapshot *s, struct gs_holder *h, uint32_t pid, const char *name, const char *evidence)
{
	h->kind = GS_HOLDER_PROCESS;
	h->pid = GS_U32(pid);
	h->start_time = GS_U64(pid * 10ull);
	h->uid = GS_U32(1001);
	h->user = gs_snapshot_text(s, "alice");
	h->name = gs_snapshot_text(s, name);
	h->evidence = gs_snapshot_text(s, evidence);
}

static void add_vm(struct gs_snapshot *s, struct gs_holder *h, uint32_t pid)
{
	h->kind = GS_HOLDER_VM;
	h->pid = GS_U32(pid);
	h->start_time = GS_U64(pid * 10ull);
	h->name = gs_arena_printf(gs_snapshot_arena(s), "guest%" PRIu32, pid % 100);
	h->evidence = "fd /dev/vfio/90";
}

static void add_gpu_holders(struct gs_snapshot *s, struct gs_gpu *gpu, const struct fam_gpu *g, uint32_t index)
{
	struct gs_holder *h;

	if (g->is_held)
		add_process(s, gs_gpu_add_holder(s, gpu), 4099 + 100 * index, "python3", "fd /dev/nvidia0");
	if (g->has_kfd)
		add_process(s, gs_gpu_add_holder(s, gpu), 4098 + 100 * index, "rocminfo", "fd /dev/kfd");
	if (g->is_persistent) {
		h = gs_gpu_add_holder(s, gpu);
		add_process(s, h, 700, "nvidia-persiste", "fd /dev/nvidia0");
		h->uid = GS_U32(0);
		h->user = "root";
		h->unit = "nvidia-persistenced.service";
	}
	if (g->has_fabric) {
		h = gs_gpu_add_holder(s, gpu);
		add_process(s, h, 701, "nv-fabricmanage", "fd /dev/nvidia0");
		h->unit = "nvidia-fabricmanager.service";
		h->yields = true;
	}
	if (g->has_vm)
		add_vm(s, gs_gpu_add_holder(s, gpu), 5099 + 100 * index);
}

static void add_slot_holders(struct gs_snapshot *s, struct gs_vf *vf, struct gs_instance *inst, const struct fam_slot *slot, uint32_t pid)
{
	struct gs_holder *h;

	if (slot->is_held)
		add_vm(s, inst ? gs_instance_add_holder(s, inst) : gs_vf_add_holder(s, vf), pid);
	if (!slot->is_claimed || !vf)
		return;
	h = inst ? gs_instance_add_holder(s, inst) : gs_vf_add_holder(s, vf);
	h->kind = GS_HOLDER_CLAIM;
	h->name = gs_arena_printf(gs_snapshot_arena(s), "guest%" PRIu32, pid % 100);
	h->evidence = "shut-off libvirt domain";
}

/* ---------------------------------------------------------------- instances */

static void copy_params(struct gs_snapshot *s, struct gs_instance *inst, const struct fam_slot *slot)
{
	inst->params = gs_arena_calloc(gs_snapshot_arena(s), slot->n_params + 1, sizeof(*inst->params));
	CHECK(inst->params);
	for (size_t i = 0; i < slot->n_params; i++)
		inst->params[inst->n_params++] = (struct gs_key_value){ gs_snapshot_text(s, slot->params[i].key), gs_snapshot_text(s, slot->params[i].value) };
}

static struct gs_instance *add_vgpu(struct gs_snapshot *s, struct gs_gpu *gpu, const struct fam_slot *slot, uint32_t n, bool is_on_vf, bool is_mixed)
{
	struct gs_instance *inst = gs_gpu_add_instance(s, gpu);

	inst->id = n;
	inst->kind = GS_KIND_VGPU;
	inst->profile = slot->type->name;
	inst->profile_id = GS_U32(slot->type->id);
	inst->start = GS_U32(n);
	inst->size = GS_U32(1);
	inst->vf = is_on_vf ? GS_U32(n) : GS_U32_UNKNOWN;
	inst->uuid = slot->uuid[0] ? gs_snapshot_text(s, slot->uuid) : NULL;
	inst->gi = slot->gi ? GS_U32(slot->gi) : GS_U32_UNKNOWN;
	inst->placement_id = is_mixed ? GS_U32(slot->placement) : GS_U32_UNKNOWN;
	copy_params(s, inst, slot);
	return inst;
}

static const char *param_of(const struct fam_slot *slot, const char *key)
{
	for (size_t i = 0; i < slot->n_params; i++)
		if (strcmp(slot->params[i].key, key) == 0)
			return slot->params[i].value;
	return "0";
}

static struct gs_instance *add_plain_vf(struct gs_snapshot *s, struct gs_gpu *gpu, const struct fam_board *b, const struct fam_slot *slot, uint32_t n)
{
	struct gs_instance *inst = gs_gpu_add_instance(s, gpu);

	inst->id = n;
	inst->kind = GS_KIND_SRIOV;
	inst->profile = "vf";
	inst->vf = inst->start = GS_U32(n);
	inst->size = GS_U32(1);
	inst->params = gs_arena_calloc(gs_snapshot_arena(s), FAM_PARAMS_MAX, sizeof(*inst->params));
	CHECK(inst->params);
	for (size_t i = 0; b->vf_params && b->vf_params[i]; i++)
		inst->params[inst->n_params++] = (struct gs_key_value){ b->vf_params[i], gs_snapshot_text(s, param_of(slot, b->vf_params[i])) };
	return inst;
}

static void add_vfs(struct gs_snapshot *s, struct gs_gpu *gpu, const struct fam_gpu *g, uint32_t index)
{
	gpu->vfs.total = GS_U32(g->board->total_vfs);
	gpu->vfs.enabled = GS_U32(g->vfs);
	gpu->vfs.by = is_native(g) ? g->board->by : GS_VFS_BY_NOBODY;
	gpu->vfs.quotas = gs_arena_calloc(gs_snapshot_arena(s), FAM_PARAMS_MAX, sizeof(*gpu->vfs.quotas));
	CHECK(gpu->vfs.quotas);
	for (size_t i = 0; g->board->vf_params && g->board->vf_params[i]; i++)
		if (strstr(g->board->vf_params[i], "quota"))
			gpu->vfs.quotas[gpu->vfs.n_quotas++] = g->board->vf_params[i];
	gpu->vfs.quotas_come_first = g->board->framework == GS_FRAMEWORK_I915;
	for (uint32_t i = 0; i < g->vfs; i++) {
		struct gs_vf *vf = gs_gpu_add_vf(s, gpu);
		struct gs_instance *inst = NULL;

		vf->n = i;
		vf->bdf = (struct gs_bdf){ 0, (uint8_t)(0x80 + index), (uint8_t)(i / 8), (uint8_t)(i % 8) };
		vf->driver = g->board->types ? "nvidia" : NULL;
		vf->iommu_group = GS_U32(100 * (index + 1) + i);
		vf->type = g->slots[i].type ? g->slots[i].type->name : NULL;
		if (g->slots[i].type)
			inst = add_vgpu(s, gpu, &g->slots[i], i, true, g->sharing.is_mixed);
		else if (g->board->by == GS_VFS_BY_NUMVFS)
			inst = add_plain_vf(s, gpu, g->board, &g->slots[i], i);
		add_slot_holders(s, vf, inst && inst->kind == GS_KIND_VGPU ? inst : NULL, &g->slots[i], 5000 + 100 * index + i);
	}
}

static int by_uuid(const void *a, const void *b)
{
	return strcmp((*(const struct fam_slot *const *)a)->uuid, (*(const struct fam_slot *const *)b)->uuid);
}

/* Slots of a board without VFs are ranks: the number of one changes when another goes. */
static void add_mdevs(struct gs_snapshot *s, struct gs_gpu *gpu, const struct fam_gpu *g, uint32_t index)
{
	const struct fam_slot *there[FAM_SLOTS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < FAM_SLOTS_MAX; i++)
		if (g->slots[i].type)
			there[n++] = &g->slots[i];
	if (n > 1)
		qsort(there, n, sizeof(*there), by_uuid);
	for (uint32_t i = 0; i < n; i++)
		add_slot_holders(s, NULL, add_vgpu(s, gpu, there[i], i, false, g->sharing.is_mixed), there[i], 5000 + 100 * index + i);
}

static void copy_sharing(struct gs_snapshot *s, struct gs_instance *inst, const struct fam_sharing *sharing)
{
	inst->params = gs_arena_calloc(gs_snapshot_arena(s), 2, sizeof(*inst->params));
	CHECK(inst->params);
	inst->params[inst->n_params++] = (struct gs_key_value){ GS_SETTING_HETEROGENEOUS, sharing->is_mixed ? "on" : "off" };
	inst->params[inst->n_params++] = (struct gs_key_value){ GS_SETTING_SCHEDULER, sharing->scheduler[0] ? gs_snapshot_text(s, sharing->scheduler) : "best-effort" };
}

static void add_gis(struct gs_snapshot *s, struct gs_gpu *gpu, const struct fam_gpu *g, uint32_t index)
{
	for (size_t i = 0; i < g->n_gis; i++) {
		const struct fam_gi *gi = &g->gis[i];
		const struct gs_profile *p = gs_profile_by_name(&gpu->grids[GS_KIND_MIG], gi->profile);
		struct gs_instance *inst = gs_gpu_add_instance(s, gpu);
		struct gs_compute *ci = gi->has_ci ? gs_instance_add_compute(s, inst) : NULL;

		CHECK(p);
		inst->id = gi->id;
		inst->kind = GS_KIND_MIG;
		inst->profile = p->name;
		inst->profile_id = p->id;
		inst->start = GS_U32(gi->start);
		inst->size = GS_U32(fam_gi_size(gi->profile));
		if (ci) {
			ci->profile = p->name;
			ci->profile_id = GS_U32(0);
			ci->start = GS_U32(0);
			ci->size = GS_U32(p->compute_slices);
			ci->uuid = gs_arena_printf(gs_snapshot_arena(s), "MIG-%08x-%04x-0000-0000-000000000000", (unsigned)index, (unsigned)gi->id);
		}
		if (g->has_sharing)
			copy_sharing(s, inst, &gi->sharing);
		if (gi->is_held)
			add_process(s, gs_instance_add_holder(s, inst), 4000 + 100 * index + gi->start, "python3", "nvml");
	}
}

/* ---------------------------------------------------------------- the rest */

static void add_settings(struct gs_snapshot *s, struct gs_gpu *gpu, const struct fam_gpu *g)
{
	for (size_t i = 0; i < g->board->n_settings; i++) {
		const struct fam_setting_kind *k = &g->board->settings[i];
		struct gs_setting *set = gs_gpu_add_setting(s, gpu);

		set->key = k->key;
		set->value = gs_snapshot_text(s, g->settings[i].value);
		set->pending = g->settings[i].pending[0] ? gs_snapshot_text(s, g->settings[i].pending) : NULL;
		set->choices = k->choices;
		for (; k->choices && k->choices[set->n_choices]; set->n_choices++)
			;
		set->fixed = g->settings[i].is_fixed ? "this GPU is a virtual function" : NULL;
	}
}

static void fill_sharing(struct gs_setting *set, const char *key, const char *value)
{
	static const char *const off_on[] = { "off", "on" }, *const policies[] = { "best-effort", "equal-share", "fixed-share" };
	static const struct gs_setting_part parts[] = {
		{ .key = "arr", .words = off_on, .n_words = 2, .not_with = "best-effort" },
		{ .key = "timeslice-ns", .min = 1000000, .max = 30000000, .not_beside = "arr=on", .not_with = "best-effort" },
	};
	bool is_scheduler = strcmp(key, GS_SETTING_SCHEDULER) == 0;

	CHECK(set);
	set->key = key;
	set->value = value;
	set->choices = is_scheduler ? policies : off_on;
	set->n_choices = is_scheduler ? 3 : 2;
	set->parts = parts;
	set->n_parts = is_scheduler ? 2 : 0;
}

/* In MIG mode the GPU itself has none of it (interfaces 2.5). */
static void add_sharing(struct gs_snapshot *s, struct gs_gpu *gpu, const struct fam_gpu *g)
{
	const char *scheduler = g->sharing.scheduler[0] ? gs_snapshot_text(s, g->sharing.scheduler) : "best-effort";

	fill_sharing(gs_gpu_add_setting(s, gpu), GS_SETTING_HETEROGENEOUS, g->mig ? NULL : g->sharing.is_mixed ? "on" : "off");
	fill_sharing(gs_gpu_add_setting(s, gpu), GS_SETTING_SCHEDULER, g->mig ? NULL : scheduler);
	if (!g->board->has_mig)
		return;
	fill_sharing(gs_gpu_add_gi_setting(s, gpu), GS_SETTING_HETEROGENEOUS, NULL);
	fill_sharing(gs_gpu_add_gi_setting(s, gpu), GS_SETTING_SCHEDULER, NULL);
}

static void add_sibling(struct gs_snapshot *s, struct gs_gpu *gpu, const struct fam_sibling *from, struct gs_bdf bdf, uint32_t class_id)
{
	struct gs_sibling *to;

	if (!from->is_there)
		return;
	to = gs_gpu_add_sibling(s, gpu);
	to->bdf = bdf;
	to->class_id = class_id;
	to->driver = from->driver[0] ? gs_snapshot_text(s, from->driver) : NULL;
	to->original_driver = from->original[0] ? gs_snapshot_text(s, from->original) : NULL;
}

static void set_mode(struct gs_gpu *gpu, const struct fam_gpu *g)
{
	gpu->modes = g->board->modes;
	if (strstr(g->driver, "vfio")) {
		gpu->mode = GS_MODE_PASSTHROUGH;
		gpu->framework = GS_FRAMEWORK_VFIO;
	} else if (!is_native(g)) {
		/* unbound, or parked on a driver that does nothing */
		gpu->modes = 1u << GS_MODE_WHOLE | 1u << GS_MODE_PASSTHROUGH;
		gpu->mode = GS_MODE_INVALID;
	} else {
		bool cut = g->vfs || !(g->board->modes & 1u << GS_MODE_WHOLE);

		/* VFs that are off say nothing of the framework that they will have */
		gpu->framework = g->board->types && g->board->total_vfs && !g->vfs ? GS_FRAMEWORK_NVML : g->has_no_vgpu ? GS_FRAMEWORK_SRIOV : g->board->framework;
		gpu->mode = g->mig ? (cut ? GS_MODE_MIG_VGPU : GS_MODE_MIG) : !cut ? GS_MODE_WHOLE : g->board->types ? GS_MODE_VGPU : GS_MODE_SRIOV;
		gpu->mode_pending = g->mig_pending < 0 ? GS_MODE_INVALID : g->mig_pending ? GS_MODE_MIG : GS_MODE_WHOLE;
	}
	if (g->is_blind && is_native(g)) {
		gpu->mode = gpu->mode_pending = GS_MODE_INVALID;
		gpu->modes = 1u << GS_MODE_PASSTHROUGH;
	}
	if (g->has_no_iommu && gpu->mode != GS_MODE_PASSTHROUGH) {
		gpu->modes &= ~(1u << GS_MODE_PASSTHROUGH);
		gpu->no_passthrough = "the IOMMU is off: switch it on in the firmware";
	}
}

static void add_gpu(struct gs_snapshot *s, const struct fam_gpu *g, uint32_t index)
{
	struct gs_gpu *gpu = gs_snapshot_add_gpu(s, (struct gs_bdf){ 0, (uint8_t)(index + 1), 0, 0 });
	/* of one that its driver cannot talk to the bus alone tells */
	bool native = is_native(g) && !g->is_lost;

	gpu->nvidia_index = g->board->vendor == GS_VENDOR_NVIDIA && native ? GS_U32(index) : GS_U32_UNKNOWN;
	gpu->uuid = g->board->vendor == GS_VENDOR_NVIDIA && native ? gs_arena_printf(gs_snapshot_arena(s), "GPU-%08x-1111-2222-3333-444444444444", index + 0x5f3c1a00u) : NULL;
	gpu->vendor = g->board->vendor;
	gpu->name = g->board->model;
	gpu->pci_id = g->board->pci_id;
	gpu->driver = g->driver[0] ? gs_snapshot_text(s, g->driver) : NULL;
	gpu->iommu_group = g->has_no_iommu ? GS_U32_UNKNOWN : GS_U32(30 + index);
	gpu->placements_visible = true;
	gpu->holders_visible = !g->is_hidden;
	gpu->mode_needs_reset = g->needs_reset;
	gpu->mode_survival_is_known = true;
	gpu->is_boot_display = g->is_boot;
	gpu->original_driver = g->original[0] ? gs_snapshot_text(s, g->original) : NULL;
	gpu->vfio_driver = "vfio-pci";
	gpu->stranded = strcmp(g->driver, "pci-pf-stub") == 0 ? "it is bound to pci-pf-stub, where an interrupted sriov-manage leaves a GPU" : NULL;
	gpu->driver_override = g->override[0] ? gs_snapshot_text(s, g->override) : NULL;
	set_mode(gpu, g);
	if (g->is_lost) {
		gpu->lost = "the driver cannot talk to it: the GPU is lost";
		gpu->placements_visible = false;
		gpu->mode = gpu->mode_pending = GS_MODE_INVALID;
	}
	if (g->interrupted) {
		gpu->open_commit = (struct gs_open_commit){ GS_OPEN_INTERRUPTED, g->interrupted, "an earlier commit was interrupted" };
	}
	/* only the driver tells what the board can be cut into */
	if (native && g->board->types)
		add_vgpu_grid(s, gpu, g);
	/* … and the catalogue, which has no MIG-backed ones where MIG is not known */
	if (gpu->mode == GS_MODE_PASSTHROUGH && g->board->types && !g->board->has_mig) {
		add_vgpu_grid(s, gpu, g);
		gpu->grids[GS_KIND_VGPU].source = GS_PROFILES_CATALOGUE;
	}
	if (native && g->board->has_mig)
		add_mig_grid(s, gpu);
	if (native)
		add_gis(s, gpu, g, index);
	if (g->board->total_vfs)
		add_vfs(s, gpu, g, index);
	else if (native)
		add_mdevs(s, gpu, g, index);
	if (native)
		add_settings(s, gpu, g);
	if (native && g->has_sharing)
		add_sharing(s, gpu, g);
	add_sibling(s, gpu, &g->audio, (struct gs_bdf){ 0, (uint8_t)(index + 1), 0, 1 }, 0x040300);
	add_sibling(s, gpu, &g->foreign, (struct gs_bdf){ 0, (uint8_t)(index + 1), 4, 0 }, 0x020000);
	add_gpu_holders(s, gpu, g, index);
	if (g->write_waits) {
		struct gs_pending_write *w = gs_gpu_add_write(s, gpu);

		*w = (struct gs_pending_write){ .function = gpu->bdf, .path = "driver/unbind", .value = "0000:01:00.0", .pid = 8000 + index, .waits_for = "pid 4711 qemu-system-x86" };
	}
}

struct gs_snapshot *fam_host_look(const struct fam_host *h)
{
	struct gs_snapshot *s = gs_snapshot_new();

	CHECK(s);
	gs_snapshot_set_host(s, "testhost", GS_SOURCE_SIM);
	gs_snapshot_set_driver_version(s, "580.65.06");
	for (size_t i = 0; i < h->n; i++)
		if (!h->gpus[i].is_gone)
			add_gpu(s, &h->gpus[i], (uint32_t)i);
	CHECK(gs_snapshot_seal(s, NULL) == 0);
	return s;
}
