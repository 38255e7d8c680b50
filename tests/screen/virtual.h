/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtual.h - hosts of virtual machines to draw: L40S with vGPUs, and a board of every other family. */
#ifndef GS_TESTS_SCREEN_VIRTUAL_H
#define GS_TESTS_SCREEN_VIRTUAL_H

#include "tests/screen/machine.h"

/* A time-sliced vGPU type: any slot will do. */
#define TYPE(name_, id_, gib_, max_) \
	{ .name = (name_), .id = { true, (id_) }, .memory_bytes = { true, (gib_) * GIB }, .max_instances = (max_) }

static const struct gs_profile l40s_types[] = {
	TYPE("L40S-2Q", 1147, 2, 24), TYPE("L40S-4Q", 1149, 4, 12), TYPE("L40S-6Q", 1150, 6, 8), TYPE("L40S-8Q", 1151, 8, 6), TYPE("L40S-12Q", 1153, 12, 4),
	TYPE("L40S-16Q", 1154, 16, 3), TYPE("L40S-24Q", 1155, 24, 2), TYPE("L40S-48Q", 1156, 48, 1), TYPE("L40S-12A", 1163, 12, 4), TYPE("L40S-24A", 1165, 24, 2),
	TYPE("L40S-12C", 1173, 12, 4), TYPE("L40S-24C", 1175, 24, 2),
};
static const struct gs_profile t4_types[] = {
	TYPE("T4-1Q", 230, 1, 16), TYPE("T4-2Q", 231, 2, 8), TYPE("T4-4Q", 232, 4, 4), TYPE("T4-8Q", 233, 8, 2), TYPE("T4-16Q", 234, 16, 1),
};
static const struct gs_profile pro_types[] = {
	TYPE("DC-8Q", 1500, 8, 12), TYPE("DC-24Q", 1502, 24, 4), TYPE("DC-96Q", 1504, 96, 1),
	{ .name = "DC-1-12Q", .id = { true, 1510 }, .memory_bytes = { true, 12 * GIB }, .max_instances = 8, .gi_profile = "1g.24gb+gfx", .max_per_gi = { true, 2 } },
	{ .name = "DC-2-24Q", .id = { true, 1511 }, .memory_bytes = { true, 24 * GIB }, .max_instances = 4, .gi_profile = "2g.48gb+gfx", .max_per_gi = { true, 2 } },
};
static const struct gs_profile flex_vf[] = { { .name = "vf", .max_instances = 31 } };
static const struct gs_span xcc_8[] = { { 0, 8 } };
static const struct gs_span xcc_4[] = { { 0, 4 }, { 4, 4 } };
static const struct gs_span xcc_1[] = { { 0, 1 }, { 1, 1 }, { 2, 1 }, { 3, 1 }, { 4, 1 }, { 5, 1 }, { 6, 1 }, { 7, 1 } };
static const struct gs_profile mi300_words[] = {
	{ .name = "SPX", .max_instances = 1, .placements = xcc_8, .n_placements = 1 },
	{ .name = "DPX", .max_instances = 2, .placements = xcc_4, .n_placements = 2 },
	{ .name = "CPX", .max_instances = 8, .placements = xcc_1, .n_placements = 8 },
};

static inline struct gs_profile_set slots(struct gs_snapshot *s, const struct gs_profile *types, size_t n, uint32_t units)
{
	struct gs_span *spans = gs_arena_calloc(gs_snapshot_arena(s), units, sizeof(*spans));
	struct gs_profile *items = gs_arena_calloc(gs_snapshot_arena(s), n, sizeof(*items));

	for (uint32_t i = 0; i < units; i++)
		spans[i] = (struct gs_span){ i, 1 };
	for (size_t i = 0; i < n; i++) {
		items[i] = types[i];
		items[i].placements = spans;
		items[i].n_placements = units;
	}
	return (struct gs_profile_set){ .memory_units = units, .max_instances = units, .items = items, .n = n, .source = GS_PROFILES_CATALOGUE, .is_slots = true };
}

static inline struct gs_gpu *put_board(struct gs_snapshot *s, unsigned bus, enum gs_vendor vendor, const char *name, const char *driver, unsigned gib)
{
	struct gs_gpu *g = gs_snapshot_add_gpu(s, (struct gs_bdf){ .bus = (uint8_t)bus });

	g->vendor = vendor;
	g->name = name;
	g->driver = driver;
	g->vfio_driver = "vfio-pci";
	g->memory_bytes = GS_U64(gib * GIB);
	g->modes = 1u << GS_MODE_WHOLE | 1u << GS_MODE_PASSTHROUGH;
	g->mode = GS_MODE_WHOLE;
	g->iommu_group = GS_U32(bus);
	g->placements_visible = g->holders_visible = true;
	return g;
}

static inline void put_vfs(struct gs_snapshot *s, struct gs_gpu *g, uint32_t total, uint32_t on, enum gs_vfs_by by, const char *driver)
{
	g->vfs.total = GS_U32(total);
	g->vfs.enabled = GS_U32(on);
	g->vfs.by = by;
	for (uint32_t i = 0; i < on; i++) {
		struct gs_vf *vf = gs_gpu_add_vf(s, g);

		vf->n = i;
		vf->bdf = (struct gs_bdf){ .bus = g->bdf.bus, .device = (uint8_t)((i + 4) / 8), .function = (uint8_t)((i + 4) % 8) };
		vf->driver = driver;
		vf->iommu_group = GS_U32(100 + i);
	}
}

/* @vm NULL: nobody has it */
static inline struct gs_instance *put_vgpu(struct gs_snapshot *s, struct gs_gpu *g, uint32_t slot, const char *type, const char *vm)
{
	const struct gs_profile *p = gs_profile_by_name(&g->grids[GS_KIND_VGPU], type);
	struct gs_instance *inst = gs_gpu_add_instance(s, g);
	char uuid[64];

	inst->id = slot;
	inst->kind = GS_KIND_VGPU;
	inst->profile = p->name;
	inst->profile_id = p->id;
	inst->start = GS_U32(slot);
	inst->size = GS_U32(1);
	if (g->vfs.total.known) {
		inst->vf = GS_U32(slot);
		g->vfs.functions[slot]->type = p->name;
	} else {
		snprintf(uuid, sizeof(uuid), "c0ffee%02x-0000-4000-8000-00000000000a", slot);
		inst->uuid = gs_snapshot_text(s, uuid);
	}
	if (vm) {
		struct gs_holder *h = gs_instance_add_holder(s, inst);

		h->kind = GS_HOLDER_VM;
		h->name = gs_snapshot_text(s, vm);
		h->pid = GS_U32(6000 + slot);
		h->evidence = "fd /dev/vfio/100";
	}
	return inst;
}

static inline void put_claim(struct gs_snapshot *s, struct gs_gpu *g, uint32_t vf, const char *vm)
{
	struct gs_holder *h = gs_vf_add_holder(s, g->vfs.functions[vf]);

	h->kind = GS_HOLDER_CLAIM;
	h->name = gs_snapshot_text(s, vm);
	h->evidence = "XML of a shut-off VM";
	g->grids[GS_KIND_VGPU].avoid |= 1ull << vf;
}

static inline struct gs_gpu *put_l40s(struct gs_snapshot *s, unsigned bus, bool vfs_on)
{
	struct gs_gpu *g = put_board(s, bus, GS_VENDOR_NVIDIA, "NVIDIA L40S", "nvidia", 48);

	g->framework = GS_FRAMEWORK_VENDOR_VFIO;
	g->modes |= 1u << GS_MODE_VGPU;
	g->mode = vfs_on ? GS_MODE_VGPU : GS_MODE_WHOLE;
	g->sm_count = GS_U32(142);
	g->grids[GS_KIND_VGPU] = slots(s, l40s_types, GS_ARRAY_SIZE(l40s_types), 32);
	g->grids[GS_KIND_VGPU].has_one_size = true;
	put_vfs(s, g, 32, vfs_on ? 32 : 0, GS_VFS_BY_SRIOV_MANAGE, "nvidia");
	return g;
}

/* Four L40S: six small vGPUs of running VMs, one large, an empty one with a promised VF, and one that is whole. */
static inline struct gs_snapshot *machine_kvm(void)
{
	struct gs_snapshot *s = gs_snapshot_new();
	struct gs_gpu *g;
	char vm[32];

	gs_snapshot_set_host(s, "kvm03", GS_SOURCE_LIVE);
	gs_snapshot_set_driver_version(s, "550.163");
	gs_snapshot_add_source(s, "libvirt", true, "9 domains");
	gs_snapshot_add_source(s, "slurm", false, "scontrol is not installed");
	gs_snapshot_add_source(s, "kubelet", false, "no checkpoint");
	g = put_l40s(s, 0x26, true);
	for (unsigned i = 0; i < 6; i++) {
		snprintf(vm, sizeof(vm), "win11-%02u", i + 1);
		put_vgpu(s, g, i, "L40S-8Q", vm);
	}
	g = put_l40s(s, 0x41, true);
	put_vgpu(s, g, 0, "L40S-48Q", "render-01");
	g = put_l40s(s, 0x81, true);
	put_vgpu(s, g, 0, "L40S-12Q", NULL);
	put_claim(s, g, 2, "win11-21");
	put_claim(s, g, 3, "win11-22");
	g = put_l40s(s, 0xc1, false);
	put_holder(s, gs_gpu_add_holder(s, g), "root", 1190, "nvidia-persiste", "nvidia-persistenced.service");
	gs_snapshot_seal(s, NULL);
	return s;
}

/* A setting that is a word of @words. */
static inline void put_setting(struct gs_snapshot *s, struct gs_gpu *g, const char *key, const char *value, const char *pending, const char *const *words, size_t n)
{
	*gs_gpu_add_setting(s, g) = (struct gs_setting){ .key = key, .value = value, .pending = pending, .choices = words, .n_choices = n };
}

static inline void put_partitions(struct gs_snapshot *s, struct gs_gpu *g, const char *word, uint32_t n, uint32_t size)
{
	static const char *const compute[] = { "SPX", "DPX", "QPX", "CPX" };
	static const char *const memory[] = { "NPS1", "NPS4" };

	g->framework = GS_FRAMEWORK_AMDGPU;
	g->grids[GS_KIND_PARTITION] = (struct gs_profile_set){ .memory_units = 8, .max_instances = 8, .items = mi300_words, .n = GS_ARRAY_SIZE(mi300_words),
							       .source = GS_PROFILES_DRIVER };
	put_setting(s, g, GS_SETTING_COMPUTE_PARTITION, word, NULL, compute, GS_ARRAY_SIZE(compute));
	put_setting(s, g, GS_SETTING_MEMORY_PARTITION, "NPS1", "NPS4", memory, GS_ARRAY_SIZE(memory));
	*gs_gpu_add_setting(s, g) = (struct gs_setting){ .key = "vram-quota", .value = "0", .fixed = "the file is read-only here" };
	for (uint32_t i = 0; i < n; i++)
		*gs_gpu_add_instance(s, g) = (struct gs_instance){ .id = i, .kind = GS_KIND_PARTITION, .profile = word, .start = GS_U32(i * size), .size = GS_U32(size) };
}

/* T4 (mdevs on the PF), RTX PRO 6000 whole and cut for vGPUs, Flex 170, two MI300X, one passed through, one stranded, one that waits. */
static inline struct gs_snapshot *machine_families(void)
{
	struct gs_snapshot *s = gs_snapshot_new();
	struct gs_gpu *g;

	gs_snapshot_set_host(s, "lab", GS_SOURCE_SIM);
	g = put_board(s, 0x17, GS_VENDOR_NVIDIA, "Tesla T4", "nvidia", 16);
	g->framework = GS_FRAMEWORK_MDEV;
	g->modes |= 1u << GS_MODE_VGPU;
	g->mode = GS_MODE_VGPU;
	g->grids[GS_KIND_VGPU] = slots(s, t4_types, GS_ARRAY_SIZE(t4_types), 16);
	g->grids[GS_KIND_VGPU].has_one_size = true;
	put_vgpu(s, g, 0, "T4-4Q", "desk-1");
	put_vgpu(s, g, 1, "T4-4Q", NULL);

	for (unsigned i = 0; i < 2; i++) {
		g = put_gpu(s, 0x3d + i, i ? GS_MODE_MIG_VGPU : GS_MODE_WHOLE, &rtx);
		g->vfio_driver = "vfio-pci";
		g->framework = GS_FRAMEWORK_VENDOR_VFIO;
		g->memory_bytes = GS_U64(96 * GIB);
		g->modes |= 1u << GS_MODE_VGPU | 1u << GS_MODE_MIG_VGPU;
		g->grids[GS_KIND_VGPU] = slots(s, pro_types, GS_ARRAY_SIZE(pro_types), 48);
		g->grids[GS_KIND_VGPU].has_one_size = true;
		put_vfs(s, g, 48, i ? 48 : 0, GS_VFS_BY_SRIOV_MANAGE, "nvidia");
		if (!i)
			continue;
		put(s, g, 1, "2g.48gb+gfx", 0, NULL, 0);
		put(s, g, 2, "1g.24gb+gfx", 6, NULL, 0);
		put_vgpu(s, g, 0, "DC-2-24Q", "cad-7")->gi = GS_U32(1);
	}

	g = put_board(s, 0x5e, GS_VENDOR_INTEL, "Data Center GPU Flex 170", "xe", 16);
	g->framework = GS_FRAMEWORK_XE;
	g->modes |= 1u << GS_MODE_SRIOV;
	g->mode = GS_MODE_SRIOV;
	g->grids[GS_KIND_SRIOV] = slots(s, flex_vf, 1, 31);
	put_vfs(s, g, 31, 4, GS_VFS_BY_NUMVFS, "vfio-pci");
	for (uint32_t i = 0; i < 4; i++)
		*gs_gpu_add_instance(s, g) = (struct gs_instance){ .id = i, .kind = GS_KIND_SRIOV, .profile = "vf", .start = GS_U32(i), .size = GS_U32(1), .vf = GS_U32(i) };
	*gs_vf_add_holder(s, g->vfs.functions[1]) = (struct gs_holder){ .kind = GS_HOLDER_VM, .name = "media-1", .pid = GS_U32(7001) };

	g = put_board(s, 0x6e, GS_VENDOR_AMD, "AMD Instinct MI300X", "amdgpu", 192);
	put_partitions(s, g, "CPX", 8, 1);
	g = put_board(s, 0x7e, GS_VENDOR_AMD, "AMD Instinct MI300X", "amdgpu", 192);
	put_partitions(s, g, "SPX", 1, 8);

	g = put_board(s, 0x9b, GS_VENDOR_NVIDIA, "NVIDIA A100-PCIE-40GB", "vfio-pci", 40);
	g->mode = GS_MODE_PASSTHROUGH;
	g->original_driver = "nvidia";
	*gs_gpu_add_sibling(s, g) = (struct gs_sibling){ { 0, 0x9b, 0, 1 }, 0x040300, "vfio-pci", "snd_hda_intel", false };
	*gs_gpu_add_holder(s, g) = (struct gs_holder){ .kind = GS_HOLDER_VM, .name = "train-vm", .pid = GS_U32(8001), .evidence = "fd /dev/vfio/155" };

	g = put_l40s(s, 0xb1, false);
	g->driver = NULL;
	g->stranded = "bound to pci-pf-stub, where an interrupted sriov-manage leaves a GPU";
	g->no_passthrough = "the IOMMU is off: add intel_iommu=on to the kernel's command line";
	g = put_l40s(s, 0xc1, true);
	put_vgpu(s, g, 3, "L40S-24Q", "win11-09");
	*gs_gpu_add_write(s, g) = (struct gs_pending_write){ g->vfs.functions[3]->bdf, "driver/unbind", "0000:c1:00.7", 4711, { 1700000000000 }, "pid 6003 qemu-system-x86 (win11-09)" };
	gs_snapshot_seal(s, NULL);
	return s;
}

#endif
