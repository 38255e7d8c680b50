/* SPDX-License-Identifier: GPL-2.0-or-later */
/* famhost_boards.c - the boards of famhost.h: few types each, with the numbers of the vendors' tables. */
#include "tests/lib/famhost.h"

#include <string.h>

#include "base/parse.h"

#define BIT(mode) (1u << GS_MODE_##mode)

static const struct fam_type l40s_types[] = {
	{ "L40S-1Q", 1158, 1024, 32, NULL, 0 },
	{ "L40S-12Q", 1163, 12288, 4, NULL, 0 },
	{ "L40S-12A", 1153, 12288, 4, NULL, 0 },
	{ "L40S-24Q", 1165, 24576, 2, NULL, 0 },
	{ "L40S-48Q", 1166, 49152, 1, NULL, 0 },
};
static const struct fam_type a2_types[] = {
	{ "A2-1Q", 744, 1024, 16, NULL, 0 },
	{ "A2-4Q", 746, 4096, 4, NULL, 0 },
	{ "A2-4C", 754, 4096, 4, NULL, 0 },
	{ "A2-16Q", 748, 16384, 1, NULL, 0 },
};
static const struct fam_type t4_types[] = {
	{ "T4-1Q", 230, 1024, 16, NULL, 0 },
	{ "T4-4Q", 232, 4096, 4, NULL, 0 },
	{ "T4-4C", 319, 4096, 4, NULL, 0 },
};
static const struct fam_type rtxpro_types[] = {
	{ "DC-8Q", 1900, 8192, 12, NULL, 0 },
	{ "DC-24Q", 1901, 24576, 4, NULL, 0 },
	{ "DC-1-12Q", 1910, 12288, 8, "1g.24gb", 2 },
	{ "DC-1-24Q", 1911, 24576, 4, "1g.24gb", 1 },
	{ "DC-2-48Q", 1912, 49152, 2, "2g.48gb", 1 },
};
static const char *const xe_params[] = { "exec_quantum_ms", "preempt_timeout_us", NULL };
static const char *const i915_params[] = { "exec_quantum_ms", "vram_quota", NULL };
static const char *const compute_modes[] = { "SPX", "DPX", "QPX", "CPX", NULL };
static const char *const memory_modes[] = { "NPS1", "NPS4", NULL };
/* in the order of keys */
static const struct fam_setting_kind mi300_settings[] = {
	{ GS_SETTING_COMPUTE_PARTITION, "SPX", compute_modes, false },
	{ GS_SETTING_MEMORY_PARTITION, "NPS1", memory_modes, true },
};
static const struct fam_setting_kind xe_settings[] = {
	{ "exec_quantum_ms", "20", NULL, false },
};

static const struct fam_board boards[] = {
	{ "l40s", "NVIDIA L40S", GS_VENDOR_NVIDIA, "10de:26b9", "nvidia", GS_FRAMEWORK_VENDOR_VFIO, BIT(WHOLE) | BIT(VGPU) | BIT(PASSTHROUGH), 32,
	  GS_VFS_BY_SRIOV_MANAGE, false, l40s_types, GS_ARRAY_SIZE(l40s_types), NULL, NULL, 0 },
	{ "a2", "NVIDIA A2", GS_VENDOR_NVIDIA, "10de:25b6", "nvidia", GS_FRAMEWORK_MDEV, BIT(WHOLE) | BIT(VGPU) | BIT(PASSTHROUGH), 16, GS_VFS_BY_SRIOV_MANAGE,
	  false, a2_types, GS_ARRAY_SIZE(a2_types), NULL, NULL, 0 },
	{ "t4", "Tesla T4", GS_VENDOR_NVIDIA, "10de:1eb8", "nvidia", GS_FRAMEWORK_MDEV, BIT(VGPU) | BIT(PASSTHROUGH), 0, GS_VFS_BY_NOBODY, false, t4_types,
	  GS_ARRAY_SIZE(t4_types), NULL, NULL, 0 },
	{ "rtxpro", "NVIDIA RTX PRO 6000 Blackwell Server Edition", GS_VENDOR_NVIDIA, "10de:2bb5", "nvidia", GS_FRAMEWORK_VENDOR_VFIO,
	  BIT(WHOLE) | BIT(MIG) | BIT(VGPU) | BIT(MIG_VGPU) | BIT(PASSTHROUGH), 48, GS_VFS_BY_SRIOV_MANAGE, true, rtxpro_types, GS_ARRAY_SIZE(rtxpro_types), NULL,
	  NULL, 0 },
	{ "flex", "Data Center GPU Flex 170", GS_VENDOR_INTEL, "8086:56c0", "xe", GS_FRAMEWORK_XE, BIT(WHOLE) | BIT(SRIOV) | BIT(PASSTHROUGH), 7, GS_VFS_BY_NUMVFS,
	  false, NULL, 0, xe_params, xe_settings, GS_ARRAY_SIZE(xe_settings) },
	{ "pvc", "Data Center GPU Max 1550", GS_VENDOR_INTEL, "8086:0bd5", "i915", GS_FRAMEWORK_I915, BIT(WHOLE) | BIT(SRIOV) | BIT(PASSTHROUGH), 7, GS_VFS_BY_NUMVFS,
	  false, NULL, 0, i915_params, NULL, 0 },
	{ "mi300x", "AMD Instinct MI300X", GS_VENDOR_AMD, "1002:74a1", "amdgpu", GS_FRAMEWORK_AMDGPU, BIT(WHOLE) | BIT(PASSTHROUGH), 0, GS_VFS_BY_NOBODY, false, NULL, 0,
	  NULL, mi300_settings, GS_ARRAY_SIZE(mi300_settings) },
	/* no vGPU host driver: SR-IOV is there and nobody switches it */
	{ "rtxa", "NVIDIA RTX A6000", GS_VENDOR_NVIDIA, "10de:2230", "nvidia", GS_FRAMEWORK_NVML, BIT(WHOLE) | BIT(PASSTHROUGH), 32, GS_VFS_BY_NOBODY, false, NULL, 0, NULL,
	  NULL, 0 },
};

const struct fam_board *fam_board_by_name(const char *name)
{
	for (size_t i = 0; i < GS_ARRAY_SIZE(boards); i++)
		if (strcmp(boards[i].name, name) == 0)
			return &boards[i];
	return NULL;
}

const struct fam_type *fam_board_type(const struct fam_board *b, const char *name)
{
	for (size_t i = 0; i < b->n_types; i++)
		if (strcmp(b->types[i].name, name) == 0)
			return &b->types[i];
	return NULL;
}

uint32_t fam_board_gib(const struct fam_board *b)
{
	uint32_t gib = 0;

	for (size_t i = 0; i < b->n_types; i++)
		if (!b->types[i].gi_profile && b->types[i].mib * b->types[i].max / 1024 > gib)
			gib = b->types[i].mib * b->types[i].max / 1024;
	return gib;
}

/* rtx-pro-6000-blackwell: 12 memory units */
size_t fam_gi_starts(const char *profile, const uint32_t **ret_starts)
{
	static const uint32_t quarters[] = { 0, 3, 6, 9 }, halves[] = { 0, 6 };

	*ret_starts = quarters;
	if (strcmp(profile, "1g.24gb") == 0)
		return 4;
	*ret_starts = halves;
	if (strcmp(profile, "2g.48gb") == 0)
		return 2;
	return strcmp(profile, "4g.96gb") == 0 ? 1 : 0;
}

uint32_t fam_gi_size(const char *profile)
{
	const uint32_t *starts;
	size_t n = fam_gi_starts(profile, &starts);

	return n ? 12 / (uint32_t)n : 0;
}
