/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/lib/testfamilies.h"

#include <stdlib.h>

#define SLOTS GS_TESTFAMILIES_SLOTS

static struct gs_span every[SLOTS];

static const struct gs_profile types[] = {
	{ .name = "L40S-12Q", .id = { true, 1153 }, .memory_bytes = { true, 12ull << 30 }, .max_instances = 4, .placements = every, .n_placements = SLOTS },
	{ .name = "L40S-24Q", .id = { true, 1155 }, .memory_bytes = { true, 24ull << 30 }, .max_instances = 2, .placements = every, .n_placements = SLOTS },
	{ .name = "DC-1-24Q", .max_instances = 8, .gi_profile = "1g.24gb", .max_per_gi = { true, 2 } },
};

static const struct gs_profile mig_types[] = {
	{ .name = "DC-1-24Q", .max_instances = 4, .placements = every, .n_placements = 4, .gi_profile = "1g.24gb", .max_per_gi = { true, 2 } },
	{ .name = "DC-24Q", .max_instances = 4, .placements = every, .n_placements = 4 },
};

static const struct gs_span gi_places[] = { { 0, 3 }, { 3, 3 } };
static const struct gs_profile gis[] = {
	{ .name = "1g.24gb", .compute_slices = 1, .max_instances = 2, .placements = gi_places, .n_placements = 2 },
};

static const char *const words[] = { "SPX", "DPX", "CPX" };

static struct gs_gpu *add_gpu(struct gs_snapshot *s, uint8_t bus, enum gs_vendor vendor)
{
	struct gs_gpu *gpu = gs_snapshot_add_gpu(s, (struct gs_bdf){ 0, bus, 0, 0 });

	gpu->vendor = vendor;
	gpu->placements_visible = gpu->holders_visible = true;
	return gpu;
}

static void add_vfs(struct gs_snapshot *s, struct gs_gpu *gpu, uint32_t n)
{
	gpu->vfs.total = GS_U32(SLOTS);
	gpu->vfs.enabled = GS_U32(n);
	gpu->vfs.by = GS_VFS_BY_SRIOV_MANAGE;
	for (uint32_t i = 0; i < n; i++) {
		struct gs_vf *vf = gs_gpu_add_vf(s, gpu);

		vf->n = i;
		vf->bdf = (struct gs_bdf){ 0, gpu->bdf.bus, (uint8_t)((i + 4) / 8), (uint8_t)((i + 4) % 8) };
		vf->driver = "nvidia";
		vf->iommu_group = GS_U32(100 + i);
	}
}

static struct gs_instance *add_vgpu(struct gs_snapshot *s, struct gs_gpu *gpu, uint32_t slot, const char *type)
{
	struct gs_instance *inst = gs_gpu_add_instance(s, gpu);

	inst->kind = GS_KIND_VGPU;
	inst->id = slot;
	inst->profile = type;
	inst->start = GS_U32(slot);
	inst->size = GS_U32(1);
	return inst;
}

static void add_on_vf(struct gs_snapshot *s, struct gs_gpu *gpu, uint32_t n, const char *type)
{
	struct gs_instance *inst = add_vgpu(s, gpu, n, type);

	inst->vf = GS_U32(n);
	gpu->vfs.functions[n]->type = type;
}

static void add_params(struct gs_snapshot *s, struct gs_instance *inst)
{
	inst->params = gs_arena_calloc(gs_snapshot_arena(s), 2, sizeof(*inst->params));
	inst->params[0] = (struct gs_key_value){ "frame_rate_limiter", "0" };
	inst->params[1] = (struct gs_key_value){ "disable_vnc", "1" };
	inst->n_params = 2;
}

/* GPU 0: vGPUs on VFs, held by a VM, with a write that waits. */
static void add_l40s(struct gs_snapshot *s, uint8_t bus, uint64_t avoid)
{
	struct gs_gpu *gpu = add_gpu(s, bus, GS_VENDOR_NVIDIA);
	struct gs_pending_write *w = gs_gpu_add_write(s, gpu);
	struct gs_holder *h;

	gpu->framework = GS_FRAMEWORK_VENDOR_VFIO;
	gpu->mode = GS_MODE_VGPU;
	gpu->modes = 1u << GS_MODE_WHOLE | 1u << GS_MODE_VGPU | 1u << GS_MODE_PASSTHROUGH;
	gpu->is_boot_display = true;
	gpu->grids[GS_KIND_VGPU] = (struct gs_profile_set){ .memory_units = SLOTS, .max_instances = SLOTS, .items = types, .n = GS_ARRAY_SIZE(types),
							    .source = GS_PROFILES_DRIVER, .is_slots = true, .has_one_size = true, .avoid = avoid };
	add_vfs(s, gpu, SLOTS);
	add_on_vf(s, gpu, 3, "L40S-12Q");
	add_on_vf(s, gpu, 0, "L40S-12Q");
	gpu->instances[0]->placement_id = GS_U32(12);
	add_params(s, gpu->instances[0]);
	h = gs_vf_add_holder(s, gpu->vfs.functions[3]);
	h->kind = GS_HOLDER_VM;
	h->name = "win11";
	h->vm_uuid = "11111111-2222-3333-4444-555555555555";
	*w = (struct gs_pending_write){ gpu->vfs.functions[3]->bdf, "driver/unbind", "0000:41:00.7", 4711, { 1700000000000 }, "pid 12 qemu" };
}

/* GPU 2: mdevs on the PF, no VF at all; and in passthrough beside it. */
static void add_t4(struct gs_snapshot *s)
{
	struct gs_gpu *gpu = add_gpu(s, 0x61, GS_VENDOR_NVIDIA);
	struct gs_sibling *sibling;

	gpu->framework = GS_FRAMEWORK_MDEV;
	gpu->original_driver = "nvidia";
	gpu->vfio_driver = "vfio-pci";
	gpu->no_passthrough = "the IOMMU is off";
	gpu->stranded = "bound to pci-pf-stub";
	gpu->events_visible = true;
	gpu->driver_loaded_ms = GS_I64(1763000004000);
	*gs_gpu_add_event(s, gpu) = (struct gs_gpu_event){ GS_GPU_EVENT_XID, GS_I64(1763000005140), GS_U32(79), "Xid (PCI:0000:61:00): 79, x" };
	*gs_gpu_add_event(s, gpu) = (struct gs_gpu_event){ .kind = GS_GPU_EVENT_RESET };
	add_vgpu(s, gpu, 1, "T4-4C")->uuid = "c0ffee00-0000-4000-8000-00000000000a";
	add_vgpu(s, gpu, 5, NULL)->start = GS_U32_UNKNOWN;
	sibling = gs_gpu_add_sibling(s, gpu);
	*sibling = (struct gs_sibling){ { 0, 0x61, 0, 1 }, 0x040300, "snd_hda_intel", "nvidia", false };
	sibling = gs_gpu_add_sibling(s, gpu);
	*sibling = (struct gs_sibling){ { 0, 0x60, 1, 0 }, 0x060400, "pcieport", NULL, true };
}

/* GPU 3: a vGPU inside a GI, on a VF. */
static void add_pro6000(struct gs_snapshot *s)
{
	struct gs_gpu *gpu = add_gpu(s, 0x71, GS_VENDOR_NVIDIA);
	struct gs_instance *gi = gs_gpu_add_instance(s, gpu);

	gpu->mode = GS_MODE_MIG_VGPU;
	gpu->grids[GS_KIND_MIG] = (struct gs_profile_set){ .memory_units = 6, .compute_slices = 2, .max_instances = 2, .items = gis, .n = 1 };
	gpu->grids[GS_KIND_VGPU] = (struct gs_profile_set){ .memory_units = 4, .max_instances = 4, .items = mig_types, .n = 2, .is_slots = true };
	*gi = (struct gs_instance){ .id = 9, .kind = GS_KIND_MIG, .profile = "1g.24gb", .start = GS_U32(3), .size = GS_U32(3) };
	add_vfs(s, gpu, 4);
	gpu->vfs.by = GS_VFS_BY_NUMVFS;
	gpu->vfs.quotas = gs_arena_calloc(gs_snapshot_arena(s), 2, sizeof(*gpu->vfs.quotas));
	if (gpu->vfs.quotas)
		gpu->vfs.quotas[gpu->vfs.n_quotas++] = "vram-quota-bytes";
	gpu->vfs.quotas_come_first = true;
	add_on_vf(s, gpu, 2, "DC-1-24Q");
	gpu->instances[1]->gi = GS_U32(9);
}

/* GPU 4: settings, one unknown, one pending, one fixed. */
static void add_mi300(struct gs_snapshot *s)
{
	static const struct gs_setting settings[] = {
		{ .key = "compute-partition", .value = "SPX", .choices = words, .n_choices = 3 },
		{ .key = "memory-partition", .value = "NPS1", .pending = "NPS4", .choices = words, .n_choices = 2 },
		{ .key = "vram-quota", .value = NULL, .fixed = "the file is read-only here" },
	};
	struct gs_gpu *gpu = add_gpu(s, 0x81, GS_VENDOR_AMD);
	struct gs_instance *inst;

	gpu->framework = GS_FRAMEWORK_AMDGPU;
	gpu->grids[GS_KIND_PARTITION] = (struct gs_profile_set){ .memory_units = 8, .source = GS_PROFILES_DRIVER };
	for (size_t i = 0; i < GS_ARRAY_SIZE(settings); i++)
		*gs_gpu_add_setting(s, gpu) = settings[i];
	inst = gs_gpu_add_instance(s, gpu);
	*inst = (struct gs_instance){ .kind = GS_KIND_PARTITION, .profile = "SPX", .start = GS_U32(0), .size = GS_U32(8) };
}

struct gs_snapshot *gs_testfamilies(void)
{
	struct gs_snapshot *s = gs_snapshot_new();

	for (uint32_t i = 0; i < SLOTS; i++)
		every[i] = (struct gs_span){ i, 1 };
	gs_snapshot_set_host(s, "kvm01", GS_SOURCE_SYSROOT);
	gs_snapshot_add_source(s, "slurm", false, "scontrol is not installed");
	gs_snapshot_add_source(s, "libvirt", true, "%d domains", 2);
	gs_snapshot_add_restorer(s, GS_RESTORER_UNIT, "vfs.service", "runs sriov-manage");
	gs_snapshot_add_restorer(s, GS_RESTORER_OPERATOR, "the operator", NULL);
	add_l40s(s, 0x41, 1ull << 7 | 1ull << 31);
	add_l40s(s, 0x51, 1ull << 7 | 1ull << 31);
	add_t4(s);
	add_pro6000(s);
	add_mi300(s);
	add_l40s(s, 0x91, 1);
	if (gs_snapshot_seal(s, NULL) < 0)
		abort();
	return s;
}
