/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each family makes of a tree, also of one that a driver, or somebody else, left in disorder. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "backend/amd.h"
#include "backend/family_util.h"
#include "backend/writer.h"
#include "base/parse.h"
#include "codec/snapshot_json.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/fakehost.h"

#define PF "0000:26:00.0"
#define DEVICE "sys/bus/pci/devices/" PF

/* One look by the families alone: the GPU that @mode and @modes say NVML told about. */
static struct gs_snapshot *look(struct gs_fakehost *f, struct gs_vgpu_names *names, enum gs_mode mode, uint32_t modes)
{
	struct gs_catalogue *catalogue = NULL;
	struct gs_snapshot *s = gs_snapshot_new();
	GS_CLEANUP(gs_pci_freep) struct gs_pci *pci = gs_pci_new(f->root);
	const struct gs_pci_gpu *list;
	struct gs_error e = { 0 };
	size_t n;

	if (gs_catalogue_load(&catalogue, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(gs_pci_scan(pci, &list, &n, &e), 0);
	for (size_t i = 0; i < n; i++) {
		struct gs_gpu *gpu = gs_snapshot_add_gpu(s, list[i].bdf);
		struct gs_family_look l = { .root = f->root, .pci = &list[i], .snapshot = s, .gpu = gpu, .catalogue = catalogue, .names = names };

		gpu->vendor = list[i].vendor;
		gpu->pci_id = gs_snapshot_text(s, list[i].pci_id);
		gpu->subsystem_id = gs_snapshot_text(s, list[i].subsystem_id);
		gpu->driver = list[i].driver[0] ? gs_snapshot_text(s, list[i].driver) : NULL;
		gpu->iommu_group = list[i].iommu_group;
		if (gs_str_equal(gpu->driver, "nvidia")) {
			gpu->mode = mode;
			gpu->modes = modes;
			gpu->placements_visible = mode != GS_MODE_INVALID;
			gpu->framework = mode != GS_MODE_INVALID ? GS_FRAMEWORK_NVML : GS_FRAMEWORK_INVALID;
		}
		assert_int_equal(gs_families_collect(&l), 0);
	}
	assert_int_equal(gs_writes_collect(f->root, s, false), 0);
	if (gs_snapshot_seal(s, &e) < 0)
		fail_msg("%s", e.text);
	/* the catalogue goes: nothing in the snapshot may point into it */
	gs_catalogue_free(catalogue);
	return s;
}

static const struct gs_gpu *only(const struct gs_snapshot *s)
{
	assert_int_equal(gs_snapshot_n_gpus(s), 1);
	return gs_snapshot_gpu(s, 0);
}

static void put_vfs(struct gs_fakehost *f, unsigned n, const char *vendor, const char *device, const char *driver)
{
	for (unsigned i = 0; i < n; i++) {
		char bdf[GS_BDF_TEXT];

		/* offset 4, stride 1: they cross into the next device numbers (interfaces 3.1) */
		gs_bdf_format((struct gs_bdf){ 0, 0x26, (uint8_t)((i + 4) / 8), (uint8_t)((i + 4) % 8) }, bdf);
		gs_fakehost_function(f, bdf, vendor, device, "0x030200", driver, (int)(90 + i));
		gs_fakehost_vf(f, PF, i, bdf);
	}
}

static void vf_file(struct gs_fakehost *f, unsigned n, const char *name, const char *text)
{
	char bdf[GS_BDF_TEXT];

	gs_bdf_format((struct gs_bdf){ 0, 0x26, (uint8_t)((n + 4) / 8), (uint8_t)((n + 4) % 8) }, bdf);
	gs_fakehost_put(f, text, "sys/bus/pci/devices/%s/%s", bdf, name);
}

/* ---------------------------------------------------------------- SR-IOV */

static void plain_vfs_are_instances_in_the_order_of_their_numbers(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	const struct gs_gpu *gpu;
	struct gs_fakehost f;

	(void)state;
	gs_fakehost_open(&f, NULL, NULL, NULL);
	gs_fakehost_function(&f, PF, "0x8086", "0x56c0", "0x038000", "xe", 12);
	gs_fakehost_put(&f, "31\n", DEVICE "/sriov_totalvfs");
	/* never read: it hangs while a VF is stuck. What it says here would be a lie */
	gs_fakehost_put(&f, "29\n", DEVICE "/sriov_numvfs");
	put_vfs(&f, 12, "0x8086", "0x56c0", NULL);
	s = look(&f, NULL, GS_MODE_INVALID, 0);
	gpu = only(s);
	assert_true(gs_u32_is(gpu->vfs.total, 31));
	assert_true(gs_u32_is(gpu->vfs.enabled, 12));
	assert_int_equal(gpu->vfs.by, GS_VFS_BY_NUMVFS);
	assert_int_equal(gpu->mode, GS_MODE_SRIOV);
	assert_int_equal(gpu->modes, 1u << GS_MODE_WHOLE | 1u << GS_MODE_SRIOV | 1u << GS_MODE_PASSTHROUGH);
	assert_int_equal(gpu->grids[GS_KIND_SRIOV].memory_units, 31);
	assert_true(gpu->grids[GS_KIND_SRIOV].is_slots);
	assert_int_equal(gpu->n_instances, 12);
	for (uint32_t i = 0; i < 12; i++) {
		assert_int_equal(gpu->vfs.functions[i]->n, i);
		assert_true(gs_u32_is(gpu->vfs.functions[i]->iommu_group, 90 + i));
		assert_true(gs_u32_is(gpu->instances[i]->vf, i));
		assert_string_equal(gpu->instances[i]->profile, "vf");
	}
	assert_int_equal(gpu->vfs.functions[4]->bdf.device, 1);
	gs_fakehost_close(&f);
}

static void disorder_is_said_and_costs_nothing_else(void **state)
{
	static const char *const totals[] = { "many\n", "-1\n", "99999\n", "", "16 VFs\n", "18446744073709551616\n" };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(totals); i++) {
		GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
		struct gs_fakehost f;

		gs_fakehost_open(&f, NULL, NULL, NULL);
		gs_fakehost_function(&f, PF, "0x8086", "0x56c0", "0x038000", "xe", -1);
		gs_fakehost_put(&f, totals[i], DEVICE "/sriov_totalvfs");
		s = look(&f, NULL, GS_MODE_INVALID, 0);
		assert_false(only(s)->vfs.total.known);
		assert_int_equal(only(s)->vfs.by, GS_VFS_BY_NOBODY);
		assert_int_equal(only(s)->mode, GS_MODE_WHOLE);
		assert_int_equal(gs_snapshot_n_notices(s), 1);
		assert_non_null(strstr(gs_snapshot_notice(s, 0), PF ": sriov_totalvfs"));
		gs_fakehost_close(&f);
	}
}

static void numbers_in_names_are_sorted_as_numbers(void **state)
{
	uint32_t numbers[16];
	struct gs_fakehost f;
	size_t n = 0;

	(void)state;
	gs_fakehost_open(&f, NULL, NULL, NULL);
	for (unsigned i = 0; i < 12; i++)
		gs_fakehost_put(&f, "", "sys/x/virtfn%u", (i * 7) % 12);
	gs_fakehost_put(&f, "", "sys/x/virtfn");
	gs_fakehost_put(&f, "", "sys/x/virtfn-1");
	gs_fakehost_put(&f, "", "sys/x/virtfn4294967296");
	assert_int_equal(gs_numbered_entries(f.root, "sys/x", "virtfn", numbers, 16, &n), 0);
	assert_int_equal(n, 12);
	for (uint32_t i = 0; i < 12; i++)
		assert_int_equal(numbers[i], i);
	assert_int_equal(gs_numbered_entries(f.root, "sys/y", "virtfn", numbers, 16, &n), -ENOENT);
	gs_fakehost_close(&f);
}

/* A VF that is held while it is taken away: its directory is there, its links are gone; another link leads nowhere. */
static void vfs_that_go_while_we_look_are_left_out(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	struct gs_fakehost f;

	(void)state;
	gs_fakehost_open(&f, NULL, NULL, NULL);
	gs_fakehost_function(&f, PF, "0x8086", "0x56c0", "0x038000", "xe", 12);
	gs_fakehost_put(&f, "7\n", DEVICE "/sriov_totalvfs");
	put_vfs(&f, 4, "0x8086", "0x56c0", "vfio-pci");
	gs_fakehost_remove(&f, DEVICE "/virtfn1");
	gs_fakehost_remove(&f, "sys/bus/pci/devices/0000:26:00.6");
	gs_fakehost_link(&f, "../somewhere else", DEVICE "/virtfn5");
	gs_fakehost_link(&f, "../0000:26:00.4", DEVICE "/virtfnx");
	s = look(&f, NULL, GS_MODE_INVALID, 0);
	assert_int_equal(only(s)->vfs.n_functions, 2);
	assert_int_equal(only(s)->vfs.functions[0]->n, 0);
	assert_int_equal(only(s)->vfs.functions[1]->n, 3);
	assert_string_equal(only(s)->vfs.functions[1]->driver, "vfio-pci");
	gs_fakehost_close(&f);
}

static void a_gpu_on_the_stub_is_stranded(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	struct gs_fakehost f;

	(void)state;
	gs_fakehost_open(&f, NULL, NULL, NULL);
	gs_fakehost_function(&f, PF, "0x10de", "0x26b9", "0x030200", "pci-pf-stub", 12);
	gs_fakehost_put(&f, "32\n", DEVICE "/sriov_totalvfs");
	s = look(&f, NULL, GS_MODE_INVALID, 0);
	assert_non_null(only(s)->stranded);
	assert_int_equal(only(s)->vfs.by, GS_VFS_BY_NOBODY);
	assert_int_equal(only(s)->mode, GS_MODE_INVALID);
	gs_fakehost_close(&f);
}

/* ---------------------------------------------------------------- vendor VFIO */

#define LIST "ID    : vGPU Name\n1155  : NVIDIA L40S-12Q\n1157  : NVIDIA L40S-24Q\n1156  : NVIDIA L40S-16Q\n"

static void put_l40s(struct gs_fakehost *f, unsigned n_vfs)
{
	gs_fakehost_function(f, PF, "0x10de", "0x26b9", "0x030200", "nvidia", 12);
	gs_fakehost_put(f, "32\n", DEVICE "/sriov_totalvfs");
	gs_fakehost_put(f, "0\n", "proc/driver/nvidia/gpus/" PF "/unbindLock");
	put_vfs(f, n_vfs, "0x10de", "0x26b9", "nvidia");
	for (unsigned i = 0; i < n_vfs; i++) {
		vf_file(f, i, "nvidia/current_vgpu_type", "0\n");
		vf_file(f, i, "nvidia/creatable_vgpu_types", LIST);
	}
}

static void an_l40s_without_vfs_is_offered_from_the_catalogue(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	const struct gs_profile *p;
	const struct gs_gpu *gpu;
	struct gs_fakehost f;

	(void)state;
	gs_fakehost_open(&f, NULL, NULL, NULL);
	put_l40s(&f, 0);
	s = look(&f, NULL, GS_MODE_WHOLE, 1u << GS_MODE_WHOLE);
	gpu = only(s);
	assert_int_equal(gpu->vfs.by, GS_VFS_BY_SRIOV_MANAGE);
	assert_int_equal(gpu->mode, GS_MODE_WHOLE);
	assert_int_equal(gpu->modes, 1u << GS_MODE_WHOLE | 1u << GS_MODE_VGPU | 1u << GS_MODE_PASSTHROUGH);
	assert_int_equal(gpu->framework, GS_FRAMEWORK_NVML);
	assert_int_equal(gpu->grids[GS_KIND_VGPU].source, GS_PROFILES_CATALOGUE);
	p = gs_profile_by_name(&gpu->grids[GS_KIND_VGPU], "L40S-12Q");
	assert_non_null(p);
	assert_int_equal(p->memory_bytes.value, 12ull << 30);
	assert_int_equal(p->max_instances, 4);
	assert_int_equal(p->n_placements, 32);
	assert_int_equal(gpu->grids[GS_KIND_SRIOV].n, 0);
	gs_fakehost_close(&f);
}

static void an_l40s_on_vfio_has_the_catalogues_types(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	const struct gs_profile *p;
	struct gs_fakehost f;

	(void)state;
	gs_fakehost_open(&f, NULL, NULL, NULL);
	gs_fakehost_function(&f, PF, "0x10de", "0x26b9", "0x030200", "vfio-pci", 12);
	gs_fakehost_put(&f, "32\n", DEVICE "/sriov_totalvfs");
	s = look(&f, NULL, GS_MODE_INVALID, 0);
	assert_int_equal(only(s)->mode, GS_MODE_PASSTHROUGH);
	assert_int_equal(only(s)->grids[GS_KIND_VGPU].source, GS_PROFILES_CATALOGUE);
	p = gs_profile_by_name(&only(s)->grids[GS_KIND_VGPU], "L40S-12Q");
	assert_non_null(p);
	assert_int_equal(p->n_placements, 32);
	assert_int_equal(p->max_instances, 4);
	gs_fakehost_close(&f);
}

static void the_drivers_list_is_the_last_word_and_is_remembered(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL, *full = NULL, *later = NULL;
	GS_CLEANUP(gs_vgpu_names_freep) struct gs_vgpu_names *names = NULL, *again = NULL;
	const struct gs_profile_set *grid;
	const struct gs_instance *inst;
	struct gs_fakehost f;

	(void)state;
	gs_fakehost_open(&f, NULL, NULL, NULL);
	put_l40s(&f, 4);
	names = gs_vgpu_names_new(f.root);
	/* of an older driver: this one does not have it */
	assert_int_equal(gs_vgpu_names_add(names, "10de:26b9/10de:0000", &(struct gs_known_type){ .id = 7777, .name = "L40S-40Q" }), 0);
	s = look(&f, names, GS_MODE_WHOLE, 1u << GS_MODE_WHOLE);
	assert_int_equal(only(s)->framework, GS_FRAMEWORK_VENDOR_VFIO);
	assert_int_equal(only(s)->mode, GS_MODE_VGPU);
	grid = &only(s)->grids[GS_KIND_VGPU];
	assert_int_equal(grid->source, GS_PROFILES_DRIVER);
	assert_int_equal(grid->memory_units, 32);
	assert_true(grid->is_slots && grid->has_one_size);
	/* nothing is on the GPU: what is not listed is not there, whatever the catalogue says */
	assert_int_equal(grid->n, 3);
	assert_string_equal(grid->items[0].name, "L40S-12Q");
	assert_true(gs_u32_is(grid->items[0].id, 1155));
	assert_int_equal(grid->items[0].max_instances, 4);
	assert_string_equal(grid->items[2].name, "L40S-24Q");
	assert_int_equal(gs_vgpu_names_save(names, f.root), 0);

	/* full: every list is a header only, the names stay */
	for (unsigned i = 0; i < 4; i++)
		vf_file(&f, i, "nvidia/creatable_vgpu_types", "ID    : vGPU Name\n");
	vf_file(&f, 2, "nvidia/current_vgpu_type", "1157\n");
	vf_file(&f, 2, "nvidia/placement_id", "24\n");
	vf_file(&f, 2, "nvidia/gpu_instance_id", "4294967295\n");
	vf_file(&f, 2, "nvidia/vgpu_params", "frame_rate_limiter=0,disable_vnc=1,=x,broken\n");
	full = look(&f, names, GS_MODE_WHOLE, 1u << GS_MODE_WHOLE);
	assert_int_equal(only(full)->grids[GS_KIND_VGPU].n, 4);
	assert_int_equal(only(full)->n_instances, 1);
	inst = only(full)->instances[0];
	assert_string_equal(inst->profile, "L40S-24Q");
	assert_true(gs_u32_is(inst->profile_id, 1157) && gs_u32_is(inst->vf, 2) && gs_u32_is(inst->start, 2));
	assert_true(gs_u32_is(inst->placement_id, 24));
	assert_false(inst->gi.known);
	assert_int_equal(inst->n_params, 2);
	assert_string_equal(gs_instance_param(inst, "disable_vnc"), "1");
	assert_string_equal(only(full)->vfs.functions[2]->type, "L40S-24Q");

	/* by another process, from the file */
	again = gs_vgpu_names_new(f.root);
	later = look(&f, again, GS_MODE_WHOLE, 1u << GS_MODE_WHOLE);
	assert_string_equal(only(later)->instances[0]->profile, "L40S-24Q");
	gs_fakehost_close(&f);
}

static void a_type_that_nobody_named_has_its_number(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	struct gs_fakehost f;

	(void)state;
	gs_fakehost_open(&f, NULL, NULL, NULL);
	put_l40s(&f, 2);
	vf_file(&f, 0, "nvidia/current_vgpu_type", "60001\n");
	vf_file(&f, 1, "nvidia/creatable_vgpu_types", "ID    : vGPU Name\n");
	s = look(&f, NULL, GS_MODE_WHOLE, 1u << GS_MODE_WHOLE);
	assert_string_equal(only(s)->instances[0]->profile, "nvidia-60001");
	/* the catalogue fills in what a list that is no list leaves open */
	assert_non_null(gs_profile_by_name(&only(s)->grids[GS_KIND_VGPU], "L40S-24Q"));
	gs_fakehost_close(&f);
}

/* A list of a page, cut in the middle of a row, is no complete one; and a type that cannot be read is none. */
static void a_cut_list_is_not_the_last_word(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	char list[4096] = "ID    : vGPU Name\n1155  : NVIDIA L40S-12Q\n";
	size_t at = strlen(list);
	struct gs_fakehost f;

	(void)state;
	for (unsigned id = 3000; at < sizeof(list) - 1; id++)
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%-5u : NVIDIA Made up for the length of it %u-1Q\n", id, id);
	list[sizeof(list) - 1] = '\0';
	gs_fakehost_open(&f, NULL, NULL, NULL);
	put_l40s(&f, 2);
	vf_file(&f, 0, "nvidia/creatable_vgpu_types", list);
	vf_file(&f, 1, "nvidia/current_vgpu_type", "\x1b[2Jnone\n");
	s = look(&f, NULL, GS_MODE_WHOLE, 1u << GS_MODE_WHOLE);
	assert_int_equal(only(s)->n_instances, 0);
	assert_non_null(gs_profile_by_name(&only(s)->grids[GS_KIND_VGPU], "L40S-12Q"));
	assert_true(only(s)->grids[GS_KIND_VGPU].n <= GS_PROFILES_MAX);
	gs_fakehost_close(&f);
}

static void mig_and_vfs_are_mig_vgpu(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL, *dark = NULL;
	const uint32_t modes = 1u << GS_MODE_WHOLE | 1u << GS_MODE_MIG;
	struct gs_fakehost f;

	(void)state;
	gs_fakehost_open(&f, NULL, NULL, NULL);
	put_l40s(&f, 2);
	s = look(&f, NULL, GS_MODE_MIG, modes);
	assert_int_equal(only(s)->mode, GS_MODE_MIG_VGPU);
	assert_int_equal(only(s)->modes, modes | 1u << GS_MODE_VGPU | 1u << GS_MODE_MIG_VGPU | 1u << GS_MODE_PASSTHROUGH);
	/* NVML did not answer, and this board has no MIG: sysfs alone says it */
	dark = look(&f, NULL, GS_MODE_INVALID, 0);
	assert_int_equal(only(dark)->mode, GS_MODE_VGPU);
	assert_true(only(dark)->placements_visible);
	gs_fakehost_close(&f);
}

/* ---------------------------------------------------------------- mdev */

static void put_mdev_type(struct gs_fakehost *f, const char *parent, const char *dir, const char *name, const char *description)
{
	gs_fakehost_put(f, name, "sys/bus/pci/devices/%s/mdev_supported_types/%s/name", parent, dir);
	gs_fakehost_put(f, "1\n", "sys/bus/pci/devices/%s/mdev_supported_types/%s/available_instances", parent, dir);
	if (description)
		gs_fakehost_put(f, description, "sys/bus/pci/devices/%s/mdev_supported_types/%s/description", parent, dir);
}

static void put_mdev(struct gs_fakehost *f, const char *parent, const char *uuid, const char *type)
{
	char target[160];

	snprintf(target, sizeof(target), "../../pci/devices/%s/%s", parent, uuid);
	gs_fakehost_link(f, target, "sys/bus/mdev/devices/%s", uuid);
	snprintf(target, sizeof(target), "../mdev_supported_types/%s", type);
	gs_fakehost_link(f, target, "sys/bus/pci/devices/%s/%s/mdev_type", parent, uuid);
}

static void mdevs_on_a_pf_are_ranked_by_uuid(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	const struct gs_gpu *gpu;
	struct gs_fakehost f;

	(void)state;
	gs_fakehost_open(&f, NULL, NULL, NULL);
	gs_fakehost_function(&f, PF, "0x10de", "0x1eb8", "0x030200", "nvidia", 12);
	put_mdev_type(&f, PF, "nvidia-232", "GRID T4-4Q\n", "num_heads=4, frl_config=60, framebuffer=4096M, max_resolution=7680x4320, max_instance=4\n");
	put_mdev_type(&f, PF, "nvidia-230", "GRID T4-1Q\n", "framebuffer=1024M, max_instance=16\n");
	put_mdev(&f, PF, "bbbbbbbb-0000-4000-8000-000000000000", "nvidia-232");
	put_mdev(&f, PF, "aaaaaaaa-0000-4000-8000-000000000000", "nvidia-232");
	/* another GPU's, and one that is not named as one */
	gs_fakehost_link(&f, "../../pci/devices/0000:99:00.0/cccccccc-0000-4000-8000-000000000000", "sys/bus/mdev/devices/cccccccc-0000-4000-8000-000000000000");
	gs_fakehost_link(&f, "../../pci/devices/" PF "/nonsense", "sys/bus/mdev/devices/nonsense");
	s = look(&f, NULL, GS_MODE_WHOLE, 1u << GS_MODE_WHOLE);
	gpu = only(s);
	assert_int_equal(gpu->framework, GS_FRAMEWORK_MDEV);
	assert_int_equal(gpu->mode, GS_MODE_VGPU);
	assert_false(gpu->modes & 1u << GS_MODE_WHOLE);
	assert_int_equal(gpu->grids[GS_KIND_VGPU].memory_units, 16);
	assert_int_equal(gpu->grids[GS_KIND_VGPU].n, 2);
	assert_string_equal(gpu->grids[GS_KIND_VGPU].items[1].name, "T4-4Q");
	assert_int_equal(gpu->grids[GS_KIND_VGPU].items[1].max_instances, 4);
	assert_int_equal(gpu->n_instances, 2);
	assert_string_equal(gpu->instances[0]->uuid, "aaaaaaaa-0000-4000-8000-000000000000");
	assert_string_equal(gpu->instances[0]->profile, "T4-4Q");
	assert_true(gs_u32_is(gpu->instances[1]->start, 1));
	assert_false(gpu->instances[1]->vf.known);
	gs_fakehost_close(&f);
}

static void mdevs_on_vfs_sit_on_their_vf(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	struct gs_fakehost f;

	(void)state;
	gs_fakehost_open(&f, NULL, NULL, NULL);
	gs_fakehost_function(&f, PF, "0x10de", "0x25b6", "0x030200", "nvidia", 12);
	gs_fakehost_put(&f, "16\n", DEVICE "/sriov_totalvfs");
	put_vfs(&f, 16, "0x10de", "0x25b6", "nvidia");
	for (unsigned i = 0; i < 16; i++) {
		char bdf[GS_BDF_TEXT];

		gs_bdf_format((struct gs_bdf){ 0, 0x26, (uint8_t)((i + 4) / 8), (uint8_t)((i + 4) % 8) }, bdf);
		put_mdev_type(&f, bdf, "nvidia-746", "NVIDIA A2-4Q\n", "framebuffer=4096M, max_instance=4\n");
	}
	put_mdev(&f, "0000:26:01.7", "aaaaaaaa-0000-4000-8000-000000000000", "nvidia-746");
	gs_fakehost_put(&f, "Not Applicable\n", "sys/bus/pci/devices/0000:26:01.7/aaaaaaaa-0000-4000-8000-000000000000/nvidia/placement_id");
	s = look(&f, NULL, GS_MODE_WHOLE, 1u << GS_MODE_WHOLE);
	assert_int_equal(only(s)->vfs.by, GS_VFS_BY_SRIOV_MANAGE);
	assert_int_equal(only(s)->grids[GS_KIND_VGPU].memory_units, 16);
	assert_int_equal(only(s)->n_instances, 1);
	assert_true(gs_u32_is(only(s)->instances[0]->vf, 11));
	assert_true(gs_u32_is(only(s)->instances[0]->start, 11));
	assert_false(only(s)->instances[0]->placement_id.known);
	assert_string_equal(only(s)->vfs.functions[11]->type, "A2-4Q");
	gs_fakehost_close(&f);
}

/* ---------------------------------------------------------------- passthrough */

static void a_gpu_on_vfio_is_one_block_with_its_audio(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	const struct gs_gpu *gpu;
	struct gs_fakehost f;

	(void)state;
	gs_fakehost_open(&f, NULL, NULL, NULL);
	gs_fakehost_function(&f, PF, "0x10de", "0x2684", "0x030000", "vfio-pci", 12);
	gs_fakehost_put(&f, "1\n", DEVICE "/boot_vga");
	gs_fakehost_function(&f, "0000:26:00.1", "0x10de", "0x22ba", "0x040300", "snd_hda_intel", 12);
	gs_fakehost_function(&f, "0000:00:01.0", "0x8086", "0x1901", "0x060400", "pcieport", 12);
	gs_fakehost_put(&f, "nvidia\nmig\n", "run/gpuslice/drivers/" PF);
	gs_fakehost_put(&f, "snd_hda_intel\n", "run/gpuslice/drivers/0000:26:00.1");
	s = look(&f, NULL, GS_MODE_INVALID, 0);
	gpu = only(s);
	assert_int_equal(gpu->mode, GS_MODE_PASSTHROUGH);
	assert_int_equal(gpu->modes, 1u << GS_MODE_PASSTHROUGH | 1u << GS_MODE_MIG);
	assert_int_equal(gpu->framework, GS_FRAMEWORK_VFIO);
	assert_true(gpu->is_boot_display);
	assert_string_equal(gpu->original_driver, "nvidia");
	assert_string_equal(gpu->vfio_driver, "vfio-pci");
	assert_null(gpu->no_passthrough);
	/* a board that nobody has vGPU types of */
	assert_int_equal(gpu->grids[GS_KIND_VGPU].n, 0);
	assert_int_equal(gpu->n_instances, 1);
	assert_int_equal(gpu->instances[0]->kind, GS_KIND_PASSTHROUGH);
	assert_int_equal(gpu->grids[GS_KIND_PASSTHROUGH].memory_units, 1);
	assert_int_equal(gpu->n_siblings, 2);
	assert_true(gpu->siblings[0]->is_bridge);
	assert_false(gpu->siblings[1]->is_bridge);
	assert_string_equal(gpu->siblings[1]->driver, "snd_hda_intel");
	assert_string_equal(gpu->siblings[1]->original_driver, "snd_hda_intel");
	assert_int_equal(gpu->siblings[1]->class_id, 0x040300);
	gs_fakehost_close(&f);
}

static void what_stands_against_passthrough_is_said(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *off = NULL, *bridge = NULL, *grace = NULL;
	struct gs_fakehost f;

	(void)state;
	gs_fakehost_open(&f, NULL, NULL, NULL);
	gs_fakehost_function(&f, PF, "0x10de", "0x2342", "0x030200", "nouveau", -1);
	off = look(&f, NULL, GS_MODE_INVALID, 0);
	assert_non_null(strstr(only(off)->no_passthrough, "IOMMU is off"));
	assert_false(only(off)->modes & 1u << GS_MODE_PASSTHROUGH);
	assert_int_equal(only(off)->grids[GS_KIND_PASSTHROUGH].n, 0);

	gs_fakehost_function(&f, PF, "0x10de", "0x2342", "0x030200", "nouveau", 12);
	gs_fakehost_function(&f, "0000:00:1f.0", "0x8086", "0x7a06", "0x060100", "lpc_ich", 12);
	bridge = look(&f, NULL, GS_MODE_INVALID, 0);
	assert_non_null(strstr(only(bridge)->no_passthrough, "0000:00:1f.0"));

	/* driven by nothing it does not hurt the group */
	gs_fakehost_remove(&f, "sys/bus/pci/devices/0000:00:1f.0/driver");
	grace = look(&f, NULL, GS_MODE_INVALID, 0);
	assert_null(only(grace)->no_passthrough);
	assert_true(only(grace)->siblings[0]->is_bridge);
	assert_string_equal(only(grace)->vfio_driver, "nvgrace_gpu_vfio_pci");
	gs_fakehost_close(&f);
}

static void an_unbound_gpu_is_nothing_and_can_be_made_something(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	struct gs_fakehost f;

	(void)state;
	gs_fakehost_open(&f, NULL, NULL, NULL);
	gs_fakehost_function(&f, PF, "0x10de", "0x2684", "0x030000", NULL, 12);
	s = look(&f, NULL, GS_MODE_INVALID, 0);
	assert_int_equal(only(s)->mode, GS_MODE_INVALID);
	assert_int_equal(only(s)->modes, 1u << GS_MODE_WHOLE | 1u << GS_MODE_PASSTHROUGH);
	gs_fakehost_close(&f);
}

/* ---------------------------------------------------------------- AMD */

static void put_mi300x(struct gs_fakehost *f, const char *compute, const char *memory)
{
	gs_fakehost_function(f, PF, "0x1002", "0x74a1", "0x120000", "amdgpu", 12);
	gs_fakehost_put(f, compute, DEVICE "/current_compute_partition");
	gs_fakehost_put(f, "SPX, DPX, QPX, CPX\n", DEVICE "/available_compute_partition");
	gs_fakehost_put(f, memory, DEVICE "/current_memory_partition");
	gs_fakehost_put(f, "NPS1, NPS4\n", DEVICE "/available_memory_partition");
	gs_fakehost_mkdir(f, "sys/module/amdgpu");
}

static void amd_partitions_follow_from_two_settings(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL, *spx = NULL;
	const struct gs_setting *setting;
	const struct gs_profile *p;
	const struct gs_gpu *gpu;
	struct gs_fakehost f;

	(void)state;
	gs_fakehost_open(&f, NULL, NULL, NULL);
	put_mi300x(&f, "QPX\n", "NPS1\n");
	s = look(&f, NULL, GS_MODE_INVALID, 0);
	gpu = only(s);
	assert_int_equal(gpu->framework, GS_FRAMEWORK_AMDGPU);
	assert_int_equal(gpu->mode, GS_MODE_WHOLE);
	setting = gs_gpu_setting(gpu, GS_AMD_COMPUTE);
	assert_non_null(setting);
	assert_string_equal(setting->value, "QPX");
	assert_int_equal(setting->n_choices, 4);
	assert_string_equal(setting->choices[1], "DPX");
	assert_null(setting->fixed);
	assert_string_equal(gs_gpu_setting(gpu, GS_AMD_MEMORY)->value, "NPS1");
	assert_null(gs_gpu_setting(gpu, GS_AMD_MEMORY)->pending);
	assert_int_equal(gpu->grids[GS_KIND_PARTITION].memory_units, 8);
	p = gs_profile_by_name(&gpu->grids[GS_KIND_PARTITION], "CPX");
	assert_non_null(p);
	assert_int_equal(p->n_placements, 8);
	assert_int_equal(gpu->n_instances, 4);
	assert_int_equal(gpu->instances[3]->kind, GS_KIND_PARTITION);
	assert_true(gs_u32_is(gpu->instances[3]->start, 6) && gs_u32_is(gpu->instances[3]->size, 2));
	put_mi300x(&f, "SPX\n", "NPS1\n");
	spx = look(&f, NULL, GS_MODE_INVALID, 0);
	assert_int_equal(only(spx)->n_instances, 0);
	gs_fakehost_close(&f);
}

static void what_amd_does_not_say_is_not_guessed(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *two = NULL, *counted = NULL, *fixed = NULL;
	char path[256];
	struct gs_fakehost f;

	(void)state;
	gs_fakehost_open(&f, NULL, NULL, NULL);
	put_mi300x(&f, "SPX\n", "NPS1\n");
	/* one XCC or two: the list does not tell, so there is no grid */
	gs_fakehost_put(&f, "SPX, CPX\n", DEVICE "/available_compute_partition");
	two = look(&f, NULL, GS_MODE_INVALID, 0);
	assert_int_equal(only(two)->grids[GS_KIND_PARTITION].memory_units, 0);
	gs_fakehost_put(&f, "SPX\n", DEVICE "/compute_partition_config/xcp_config");
	gs_fakehost_put(&f, "2\n", DEVICE "/compute_partition_config/xcc/num_inst");
	counted = look(&f, NULL, GS_MODE_INVALID, 0);
	assert_int_equal(only(counted)->grids[GS_KIND_PARTITION].memory_units, 2);
	snprintf(path, sizeof(path), "%s/" DEVICE "/current_compute_partition", f.dir);
	assert_int_equal(chmod(path, 0444), 0);
	gs_fakehost_remove(&f, DEVICE "/available_memory_partition");
	fixed = look(&f, NULL, GS_MODE_INVALID, 0);
	assert_non_null(gs_gpu_setting(only(fixed), GS_AMD_COMPUTE)->fixed);
	assert_non_null(gs_gpu_setting(only(fixed), GS_AMD_MEMORY)->fixed);
	assert_string_equal(gs_gpu_setting(only(fixed), GS_AMD_MEMORY)->value, "NPS1");
	gs_fakehost_close(&f);
}

/* ---------------------------------------------------------------- Intel */

static void xe_shares_are_settings_and_parameters(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	const struct gs_setting *priority;
	const struct gs_gpu *gpu;
	struct gs_fakehost f;

	(void)state;
	gs_fakehost_open(&f, NULL, NULL, NULL);
	gs_fakehost_function(&f, PF, "0x8086", "0xe211", "0x030000", "xe", 12);
	gs_fakehost_put(&f, "4\n", DEVICE "/sriov_totalvfs");
	put_vfs(&f, 2, "0x8086", "0xe211", "xe-vfio-pci");
	gs_fakehost_put(&f, "20\n", DEVICE "/sriov_admin/pf/profile/exec_quantum_ms");
	gs_fakehost_put(&f, "low [normal] high\n", DEVICE "/sriov_admin/pf/profile/sched_priority");
	gs_fakehost_put(&f, "11\n", DEVICE "/sriov_admin/vf1/profile/exec_quantum_ms");
	gs_fakehost_put(&f, "[low] normal\n", DEVICE "/sriov_admin/vf1/profile/sched_priority");
	gs_fakehost_put(&f, "22\n", DEVICE "/sriov_admin/vf2/profile/exec_quantum_ms");
	gs_fakehost_put(&f, "4294967296\n", DEVICE "/sriov_admin/vf2/profile/vram_quota");
	gs_fakehost_put(&f, "33\n", DEVICE "/sriov_admin/vf3/profile/exec_quantum_ms");
	s = look(&f, NULL, GS_MODE_INVALID, 0);
	gpu = only(s);
	assert_int_equal(gpu->framework, GS_FRAMEWORK_XE);
	assert_int_equal(gpu->mode, GS_MODE_SRIOV);
	assert_string_equal(gs_gpu_setting(gpu, "exec-quantum-ms")->value, "20");
	assert_int_equal(gs_gpu_setting(gpu, "exec-quantum-ms")->n_choices, 0);
	priority = gs_gpu_setting(gpu, "sched-priority");
	assert_string_equal(priority->value, "normal");
	assert_int_equal(priority->n_choices, 3);
	assert_string_equal(priority->choices[1], "normal");
	/* their vf1 is our VF 0 */
	assert_string_equal(gs_instance_param(gpu->instances[0], "exec-quantum-ms"), "11");
	assert_string_equal(gs_instance_param(gpu->instances[1], "exec-quantum-ms"), "22");
	assert_string_equal(gs_instance_param(gpu->instances[1], "vram-quota-bytes"), "4294967296");
	assert_true(gs_gpu_is_quota(gpu, "vram-quota-bytes"));
	assert_false(gs_gpu_is_quota(gpu, "exec-quantum-ms"));
	assert_null(gs_instance_param(gpu->instances[0], "vram-quota-bytes"));
	/* it follows from the PF's and cannot be asked for */
	assert_null(gs_instance_param(gpu->instances[0], "sched-priority"));
	gs_fakehost_close(&f);
}

static void i915_tiles_that_differ_are_mixed(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	struct gs_fakehost f;

	(void)state;
	gs_fakehost_open(&f, NULL, NULL, NULL);
	gs_fakehost_function(&f, PF, "0x8086", "0x0bd5", "0x038000", "i915", 12);
	gs_fakehost_put(&f, "62\n", DEVICE "/sriov_totalvfs");
	put_vfs(&f, 1, "0x8086", "0x0bd5", NULL);
	gs_fakehost_put(&f, "1\n", DEVICE "/drm/card1/prelim_iov/pf/gt0/exec_quantum_ms");
	gs_fakehost_put(&f, "2\n", DEVICE "/drm/card1/prelim_iov/pf/gt1/exec_quantum_ms");
	gs_fakehost_put(&f, "7\n", DEVICE "/drm/card1/prelim_iov/vf1/gt0/lmem_quota");
	gs_fakehost_put(&f, "7\n", DEVICE "/drm/card1/prelim_iov/vf1/gt1/lmem_quota");
	s = look(&f, NULL, GS_MODE_INVALID, 0);
	assert_int_equal(only(s)->framework, GS_FRAMEWORK_I915);
	assert_string_equal(gs_gpu_setting(only(s), "exec-quantum-ms")->value, "mixed");
	assert_string_equal(gs_instance_param(only(s)->instances[0], "vram-quota-bytes"), "7");
	gs_fakehost_close(&f);
}

/* A dead device reads ffff everywhere: it is nobody's GPU, and nothing of ours stumbles over it. */
static void a_lost_device_is_no_gpu(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	struct gs_fakehost f;

	(void)state;
	gs_fakehost_open(&f, NULL, NULL, NULL);
	gs_fakehost_function(&f, PF, "0xffff", "0xffff", "0xffffff", "nvidia", 12);
	s = look(&f, NULL, GS_MODE_WHOLE, 1u << GS_MODE_WHOLE);
	assert_int_equal(gs_snapshot_n_gpus(s), 0);
	gs_fakehost_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_vfs_are_instances_in_the_order_of_their_numbers),
		cmocka_unit_test(disorder_is_said_and_costs_nothing_else),
		cmocka_unit_test(numbers_in_names_are_sorted_as_numbers),
		cmocka_unit_test(vfs_that_go_while_we_look_are_left_out),
		cmocka_unit_test(a_gpu_on_the_stub_is_stranded),
		cmocka_unit_test(an_l40s_without_vfs_is_offered_from_the_catalogue),
		cmocka_unit_test(an_l40s_on_vfio_has_the_catalogues_types),
		cmocka_unit_test(the_drivers_list_is_the_last_word_and_is_remembered),
		cmocka_unit_test(a_type_that_nobody_named_has_its_number),
		cmocka_unit_test(a_cut_list_is_not_the_last_word),
		cmocka_unit_test(mig_and_vfs_are_mig_vgpu),
		cmocka_unit_test(mdevs_on_a_pf_are_ranked_by_uuid),
		cmocka_unit_test(mdevs_on_vfs_sit_on_their_vf),
		cmocka_unit_test(a_gpu_on_vfio_is_one_block_with_its_audio),
		cmocka_unit_test(what_stands_against_passthrough_is_said),
		cmocka_unit_test(an_unbound_gpu_is_nothing_and_can_be_made_something),
		cmocka_unit_test(amd_partitions_follow_from_two_settings),
		cmocka_unit_test(what_amd_does_not_say_is_not_guessed),
		cmocka_unit_test(xe_shares_are_settings_and_parameters),
		cmocka_unit_test(i915_tiles_that_differ_are_mixed),
		cmocka_unit_test(a_lost_device_is_no_gpu),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("families", tests, NULL, NULL);
}
