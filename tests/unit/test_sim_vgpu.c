/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vGPUs under both frameworks. The bytes that a real host gave are typed in
 * here; where the captured files themselves lie beside the checkout
 * (GPUSLICE_FIXTURES, or ../shared/fixtures) they are compared too.
 */
#include "test_sim_fixture.h"

#define DEV(bdf) "sys/bus/pci/devices/" bdf "/"
#define TYPED(bdf) DEV(bdf) "nvidia/current_vgpu_type"
#define LIST(bdf) DEV(bdf) "nvidia/creatable_vgpu_types"

static const char l40s_list[] =
	"ID    : vGPU Name\n"
	"1145  : NVIDIA L40S-1B\n1146  : NVIDIA L40S-2B\n1147  : NVIDIA L40S-1Q\n1148  : NVIDIA L40S-2Q\n"
	"1149  : NVIDIA L40S-3Q\n1150  : NVIDIA L40S-4Q\n1151  : NVIDIA L40S-6Q\n1152  : NVIDIA L40S-8Q\n"
	"1153  : NVIDIA L40S-12Q\n1154  : NVIDIA L40S-16Q\n1155  : NVIDIA L40S-24Q\n1156  : NVIDIA L40S-48Q\n"
	"1157  : NVIDIA L40S-1A\n1158  : NVIDIA L40S-2A\n1159  : NVIDIA L40S-3A\n1160  : NVIDIA L40S-4A\n"
	"1161  : NVIDIA L40S-6A\n1162  : NVIDIA L40S-8A\n1163  : NVIDIA L40S-12A\n1164  : NVIDIA L40S-16A\n"
	"1165  : NVIDIA L40S-24A\n1166  : NVIDIA L40S-48A\n2164  : NVIDIA L40S-3B";

static int read_result(struct fixture *f, const char *path)
{
	return gs_sim_root_ops.read(f->sim, path);
}

static char *captured(const char *path)
{
	const char *dir = getenv("GPUSLICE_FIXTURES");
	char full[512], *text = NULL;
	size_t n;

	snprintf(full, sizeof(full), "%s/%s", dir ? dir : "../shared/fixtures", path);
	if (gs_file_read(full, 1u << 16, &text, &n, NULL) < 0)
		return NULL;
	if (n && text[n - 1] == '\n')
		text[n - 1] = '\0';
	return text;
}

static void assert_captured(struct fixture *f, const char *path, const char *capture)
{
	char *text = captured(capture);

	if (text)
		assert_file(f, path, text);
	free(text);
}

static void a_free_vf_lists_what_a_real_one_does(void **state)
{
	struct fixture *f = *state;

	assert_file(f, LIST("0000:a1:00.4"), l40s_list);
	assert_captured(f, LIST("0000:a1:00.4"), "l40s-vf-vendor-vfio/creatable_vgpu_types");
	assert_captured(f, TYPED("0000:a1:00.4"), "l40s-vf-vendor-vfio/current_vgpu_type");
	assert_file(f, TYPED("0000:a1:00.4"), "0");
	/* there and not to be read */
	assert_true(fixture_exists(f, DEV("0000:a1:00.4") "nvidia/placement_id"));
	assert_int_equal(read_result(f, DEV("0000:a1:00.4") "nvidia/placement_id"), -ENXIO);
	assert_int_equal(read_result(f, DEV("0000:a1:00.0") "virtfn0/nvidia/gpu_instance_id"), -ENXIO);
	assert_int_equal(read_result(f, DEV("0000:a1:00.4") "nvidia/vgpu_params"), -ENXIO);
	assert_int_equal(read_result(f, DEV("0000:a1:00.4") "nvidia/warm_update"), -ENXIO);
	assert_int_equal(read_result(f, LIST("0000:a1:00.4")), 0);
	/* a PF has none of it, and a VF is offered to VFIO by its own driver */
	assert_false(fixture_exists(f, DEV("0000:a1:00.0") "nvidia"));
	assert_true(fixture_exists(f, DEV("0000:a1:00.4") "vfio-dev/vfio1500"));
	assert_link(f, DEV("0000:a1:00.4") "driver", "../../../../bus/pci/drivers/nvidia");
}

static void one_size_per_gpu(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fixture_store(f, TYPED("0000:a1:00.4"), "1155\n"), 0);
	assert_file(f, TYPED("0000:a1:00.4"), "1155");
	assert_file(f, LIST("0000:a1:00.4"), "ID    : vGPU Name");
	assert_file(f, LIST("0000:a1:00.5"), "ID    : vGPU Name\n1155  : NVIDIA L40S-24Q\n1165  : NVIDIA L40S-24A");
	assert_int_equal(read_result(f, DEV("0000:a1:00.4") "nvidia/placement_id"), 0);
	assert_file(f, DEV("0000:a1:00.4") "nvidia/placement_id", "0");
	assert_file(f, DEV("0000:a1:00.4") "nvidia/vgpu_params", "");
	/* another size, an unknown type, one that is typed already: EIO, and nothing changes */
	assert_int_equal(fixture_store(f, TYPED("0000:a1:00.5"), "1153"), -EIO);
	assert_int_equal(fixture_store(f, TYPED("0000:a1:00.5"), "77"), -EIO);
	assert_int_equal(fixture_store(f, TYPED("0000:a1:00.4"), "1155"), -EIO);
	assert_int_equal(fixture_store(f, TYPED("0000:a1:00.4"), "1165"), -EIO);
	assert_int_equal(fixture_store(f, TYPED("0000:a1:00.5"), "L40S-24Q"), -EINVAL);
	assert_file(f, TYPED("0000:a1:00.5"), "0");
	/* the second fills it; then nobody is offered anything */
	assert_int_equal(fixture_store(f, TYPED("0000:a1:00.5"), "1165"), 0);
	assert_file(f, DEV("0000:a1:00.5") "nvidia/placement_id", "24");
	assert_file(f, LIST("0000:a1:00.6"), "ID    : vGPU Name");
	assert_int_equal(fixture_store(f, TYPED("0000:a1:00.6"), "1155"), -EIO);
	/* through 0 it opens again */
	assert_int_equal(fixture_store(f, TYPED("0000:a1:00.4"), "0"), 0);
	assert_int_equal(fixture_store(f, TYPED("0000:a1:00.5"), "0"), 0);
	assert_file(f, LIST("0000:a1:00.5"), l40s_list);
	assert_int_equal(read_result(f, DEV("0000:a1:00.4") "nvidia/placement_id"), -ENXIO);
	for (int i = 4; i < 8; i++) {
		char path[96];

		snprintf(path, sizeof(path), "sys/bus/pci/devices/0000:a1:00.%d/nvidia/current_vgpu_type", i);
		assert_int_equal(fixture_store(f, path, "1153"), 0);
	}
	assert_int_equal(fixture_store(f, TYPED("0000:a1:01.0"), "1153"), -EIO);
}

static void no_more_than_32_of_the_smallest(void **state)
{
	struct fixture *f = *state;
	char path[96];

	for (int n = 0; n < 32; n++) {
		snprintf(path, sizeof(path), "sys/bus/pci/devices/0000:a1:00.0/virtfn%d/nvidia/current_vgpu_type", n);
		assert_int_equal(fixture_store(f, path, "1147"), 0);
	}
	assert_file(f, path, "1147");
	assert_int_equal(fixture_store(f, TYPED("0000:a1:00.4"), "0"), 0);
	assert_file(f, LIST("0000:a1:00.4"), "ID    : vGPU Name\n1145  : NVIDIA L40S-1B\n1147  : NVIDIA L40S-1Q\n1157  : NVIDIA L40S-1A");
}

static void a_vf_of_a_running_vm_is_busy(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fixture_store(f, TYPED("0000:26:00.4"), "0"), -EBUSY);
	assert_int_equal(fixture_store(f, DEV("0000:26:00.4") "nvidia/vgpu_params", "enable_uvm=1"), -EBUSY);
	assert_int_equal(fixture_store(f, DEV("0000:26:00.4") "nvidia/placement_id", "24"), -EBUSY);
	assert_int_equal(fixture_kill(f, 20111, SIGTERM), 0);
	assert_int_equal(fixture_store(f, DEV("0000:26:00.4") "nvidia/vgpu_params", "enable_uvm=1\n"), 0);
	assert_file(f, DEV("0000:26:00.4") "nvidia/vgpu_params", "enable_uvm=1");
	assert_int_equal(fixture_store(f, DEV("0000:26:00.4") "nvidia/vgpu_params", " "), 0);
	assert_file(f, DEV("0000:26:00.4") "nvidia/vgpu_params", "");
	assert_int_equal(fixture_store(f, TYPED("0000:26:00.4"), "0"), 0);
	assert_file(f, LIST("0000:26:00.4"), "ID    : vGPU Name\n1155  : NVIDIA L40S-24Q\n1165  : NVIDIA L40S-24A");
	/* the pid file of libvirt went with the VM, the definition did not */
	assert_false(fixture_exists(f, "run/libvirt/qemu/cad-01.pid"));
	assert_true(fixture_exists(f, "etc/libvirt/qemu/cad-01.xml"));
}

static void placements_can_be_chosen_where_there_are_some(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fixture_store(f, DEV("0000:a1:00.4") "nvidia/placement_id", "8"), -ENXIO);
	assert_int_equal(fixture_store(f, TYPED("0000:a1:00.4"), "1152"), 0);
	assert_int_equal(fixture_store(f, TYPED("0000:a1:00.5"), "1152"), 0);
	assert_file(f, DEV("0000:a1:00.5") "nvidia/placement_id", "8");
	assert_int_equal(fixture_store(f, DEV("0000:a1:00.5") "nvidia/placement_id", "0"), -EIO);
	assert_int_equal(fixture_store(f, DEV("0000:a1:00.5") "nvidia/placement_id", "12"), -EIO);
	assert_int_equal(fixture_store(f, DEV("0000:a1:00.5") "nvidia/placement_id", "48"), -EIO);
	assert_int_equal(fixture_store(f, DEV("0000:a1:00.5") "nvidia/placement_id", "40\n"), 0);
	assert_file(f, DEV("0000:a1:00.5") "nvidia/placement_id", "40");
	assert_int_equal(fixture_store(f, TYPED("0000:a1:00.6"), "1152"), 0);
	assert_file(f, DEV("0000:a1:00.6") "nvidia/placement_id", "8");
	assert_file(f, DEV("0000:a1:00.6") "nvidia/gpu_instance_id", "4294967295");
}

static void mixed_sizes_need_the_mode_first(void **state)
{
	struct fixture *f = *state;
	struct gs_abi_heterogeneous mode = { 0x01000008u, 1 };

	fixture_init(f, true);
	assert_int_equal(NVML(f, DeviceSetVgpuHeterogeneousMode)(fixture_gpu(f, 1), &mode), GS_NVML_IN_USE);
	assert_int_equal(NVML(f, DeviceSetVgpuHeterogeneousMode)(fixture_gpu(f, 2), &mode), GS_NVML_SUCCESS);
	mode.mode = 7;
	assert_int_equal(NVML(f, DeviceGetVgpuHeterogeneousMode)(fixture_gpu(f, 2), &mode), GS_NVML_SUCCESS);
	assert_int_equal(mode.mode, 1);
	assert_int_equal(fixture_store(f, TYPED("0000:a1:00.4"), "1155"), 0);
	assert_int_equal(fixture_store(f, TYPED("0000:a1:00.5"), "1153"), 0);
	assert_file(f, DEV("0000:a1:00.5") "nvidia/placement_id", "24");
	/* 12 GiB are left, at 36: a size whose starts do not fit there is not offered */
	assert_int_equal(fixture_store(f, TYPED("0000:a1:00.6"), "1154"), -EIO);
	assert_int_equal(fixture_store(f, TYPED("0000:a1:00.6"), "1153"), 0);
	assert_file(f, LIST("0000:a1:00.7"), "ID    : vGPU Name");
}

/* ------------------------------------------------------------ MIG-backed, on lab */

static void enable_rtx_pro(struct fixture *f, bool mig)
{
	unsigned int count;
	enum gs_nvml_return activation;
	void *gi;

	assert_int_equal(fixture_run(f, "systemctl stop dcgm-exporter.service", NULL, 0), 0);
	assert_int_equal(fixture_run(f, "systemctl stop nvidia-dcgm", NULL, 0), 0);
	assert_int_equal(fixture_run(f, "systemctl stop nvidia-persistenced.service", NULL, 0), 0);
	if (mig) {
		fixture_init(f, true);
		assert_int_equal(NVML(f, DeviceSetMigMode)(fixture_gpu(f, 3), 1, &activation), GS_NVML_SUCCESS);
		assert_int_equal(activation, GS_NVML_SUCCESS);
		assert_int_equal(NVML(f, Shutdown)(), GS_NVML_SUCCESS);
	}
	assert_int_equal(fixture_run(f, "/usr/lib/nvidia/sriov-manage -e 0000:4b:00.0", NULL, 0), 0);
	if (!mig)
		return;
	fixture_init(f, true);
	for (int i = 0; i < 2; i++)
		assert_int_equal(NVML(f, DeviceCreateGpuInstance)(fixture_gpu(f, 3), 47, &gi), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, DeviceGetGpuInstanceRemainingCapacity)(fixture_gpu(f, 3), 47, &count), GS_NVML_SUCCESS);
	assert_int_equal(count, 2);
}

static uint32_t id_of(struct fixture *f, const char *list, const char *name)
{
	char *text = fixture_read(f, list), *at = text ? strstr(text, name) : NULL;
	unsigned int id = 0;

	if (at && (at[strlen(name)] == '\n' || !at[strlen(name)])) {
		while (at > text && at[-1] != '\n')
			at--;
		assert_int_equal(sscanf(at, "%u", &id), 1);
	}
	free(text);
	return id;
}

static void a_mig_backed_type_takes_a_gpu_instance(void **state)
{
	struct fixture *f = *state;
	char id[16], path[96], gi_first[16], *gi;
	uint32_t quarter;

	enable_rtx_pro(f, true);
	/* time-sliced types are not offered in MIG mode, others only for GIs that are there */
	assert_int_equal(id_of(f, LIST("0000:4b:00.4"), ": NVIDIA RTX Pro 6000 Blackwell DC-24Q"), 0);
	assert_int_equal(id_of(f, LIST("0000:4b:00.4"), ": NVIDIA RTX Pro 6000 Blackwell DC-2-24Q"), 0);
	quarter = id_of(f, LIST("0000:4b:00.4"), ": NVIDIA RTX Pro 6000 Blackwell DC-1-12Q");
	assert_true(quarter >= 61000);
	snprintf(id, sizeof(id), "%u", quarter);
	for (int n = 0; n < 4; n++) {
		snprintf(path, sizeof(path), "sys/bus/pci/devices/0000:4b:00.0/virtfn%d/nvidia/current_vgpu_type", n);
		assert_int_equal(fixture_store(f, path, id), 0);
	}
	/* two in each of the two: full */
	assert_int_equal(fixture_store(f, TYPED("0000:4b:01.0"), id), -EIO);
	gi = fixture_read(f, DEV("0000:4b:00.4") "nvidia/gpu_instance_id");
	snprintf(gi_first, sizeof(gi_first), "%s", gi);
	free(gi);
	assert_file(f, DEV("0000:4b:00.5") "nvidia/gpu_instance_id", gi_first);
	gi = fixture_read(f, DEV("0000:4b:00.6") "nvidia/gpu_instance_id");
	assert_string_not_equal(gi, gi_first);
	/* to another GI only while there is room */
	assert_int_equal(fixture_store(f, DEV("0000:4b:00.4") "nvidia/gpu_instance_id", gi), -EIO);
	assert_int_equal(fixture_store(f, TYPED("0000:4b:00.6"), "0"), 0);
	assert_int_equal(fixture_store(f, DEV("0000:4b:00.4") "nvidia/gpu_instance_id", gi), 0);
	assert_file(f, DEV("0000:4b:00.4") "nvidia/gpu_instance_id", gi);
	free(gi);
	/* with VFs on, MIG cannot be left */
	{
		enum gs_nvml_return activation;

		assert_int_equal(NVML(f, DeviceSetMigMode)(fixture_gpu(f, 3), 0, &activation), GS_NVML_IN_USE);
	}
}

static void whole_boards_offer_time_slices_only(void **state)
{
	struct fixture *f = *state;

	enable_rtx_pro(f, false);
	assert_int_equal(id_of(f, LIST("0000:4b:00.4"), ": NVIDIA RTX Pro 6000 Blackwell DC-48Q"), 1540);
	assert_true(id_of(f, LIST("0000:4b:00.4"), ": NVIDIA RTX Pro 6000 Blackwell DC-24Q") >= 61000);
	assert_int_equal(id_of(f, LIST("0000:4b:00.4"), ": NVIDIA RTX Pro 6000 Blackwell DC-1-2Q"), 0);
	assert_link(f, DEV("0000:4b:00.0") "virtfn47", "../0000:4b:06.3");
}

/* ------------------------------------------------------------ mdev */

#define A2_VF "sys/class/mdev_bus/0000:08:01.7/mdev_supported_types/"

static void a_free_vf_of_a_shared_a2_reads_as_the_real_one(void **state)
{
	static const struct { unsigned id; const char *name, *description, *available; } types[] = {
		{ 742, "NVIDIA A2-1B", "num_heads=4, frl_config=45, framebuffer=1024M, max_resolution=5120x2880, max_instance=16", "0" },
		{ 746, "NVIDIA A2-4Q", "num_heads=4, frl_config=60, framebuffer=4096M, max_resolution=7680x4320, max_instance=4", "1" },
		{ 751, "NVIDIA A2-4A", "num_heads=1, frl_config=60, framebuffer=4096M, max_resolution=1280x1024, max_instance=4", "1" },
		{ 754, "NVIDIA A2-4C", "num_heads=1, frl_config=60, framebuffer=4096M, max_resolution=4096x2400, max_instance=4", "1" },
		{ 756, "NVIDIA A2-16C", "num_heads=1, frl_config=60, framebuffer=16384M, max_resolution=4096x2400, max_instance=1", "0" },
	};
	static const char *const files[] = { "name", "description", "device_api", "available_instances" };
	struct fixture *f = *state;
	char path[160], capture[96];

	for (size_t i = 0; i < GS_ARRAY_SIZE(types); i++) {
		snprintf(path, sizeof(path), A2_VF "nvidia-%u/name", types[i].id);
		assert_file(f, path, types[i].name);
		snprintf(path, sizeof(path), A2_VF "nvidia-%u/description", types[i].id);
		assert_file(f, path, types[i].description);
		snprintf(path, sizeof(path), A2_VF "nvidia-%u/available_instances", types[i].id);
		assert_file(f, path, types[i].available);
		snprintf(path, sizeof(path), A2_VF "nvidia-%u/device_api", types[i].id);
		assert_file(f, path, "vfio-pci");
	}
	for (unsigned id = 742; id <= 756; id++) {
		for (size_t k = 0; k < GS_ARRAY_SIZE(files); k++) {
			snprintf(path, sizeof(path), A2_VF "nvidia-%u/%s", id, files[k]);
			snprintf(capture, sizeof(capture), "a2-vf-mdev/nvidia-%u/%s", id, files[k]);
			assert_captured(f, path, capture);
		}
	}
	/* VF 11 of 16, and the groups that were seen */
	assert_link(f, DEV("0000:08:00.0") "virtfn11", "../0000:08:01.7");
	assert_link(f, DEV("0000:08:00.0") "virtfn15", "../0000:08:02.3");
	assert_link(f, DEV("0000:08:01.7") "iommu_group", "../../../../kernel/iommu_groups/101");
	assert_false(fixture_exists(f, DEV("0000:08:00.0") "mdev_supported_types"));
	assert_file(f, DEV("0000:08:00.0") "sriov_vf_device", "25b6");
}

#define FREE A2_VF "nvidia-746/create"
#define UUID "c8b5d9e0-1f2a-4b3c-8d4e-5f60718293a4"
#define IN_USE "00000000-0000-0000-0000-000000000108"

static void uuids_are_taken_as_mdev_sysfs_takes_them(void **state)
{
	static const char *const wrong[] = {
		"", "\n", "c8b5d9e0", UUID "00", "{" UUID "}", " " UUID, "c8b5d9e01f2a4b3c8d4e5f60718293a4",
		"c8b5d9e0_1f2a_4b3c_8d4e_5f60718293a4", "g8b5d9e0-1f2a-4b3c-8d4e-5f60718293a4", UUID "\r\n",
	};
	struct fixture *f = *state;

	for (size_t i = 1; i < GS_ARRAY_SIZE(wrong); i++) {
		int r = fixture_store(f, FREE, wrong[i]);

		if (r != -EINVAL)
			fail_msg("«%s» gives %d", wrong[i], r);
	}
	assert_int_equal(fixture_store(f, FREE, ""), 0);
	/* on any parent, of any type, in any case, and before capacity is looked at */
	assert_int_equal(fixture_store(f, A2_VF "nvidia-742/create", IN_USE), -EEXIST);
	assert_int_equal(fixture_store(f, FREE, "8F3B0F52-3F8A-4C6D-9A41-0D5B7A1E6C01"), -EEXIST);
	assert_int_equal(fixture_store(f, A2_VF "nvidia-999/create", UUID), -ENOENT);
	assert_int_equal(fixture_store(f, A2_VF "nvidia-742/create", UUID), -ENOSPC);
	assert_int_equal(fixture_store(f, FREE, "C8B5D9E0-1F2A-4B3C-8D4E-5F60718293A4x"), 0);
	assert_link(f, "sys/bus/mdev/devices/" UUID,
		    "../../../devices/pci0000:00/0000:00:03.0/0000:08:01.7/" UUID);
	assert_link(f, "sys/bus/mdev/devices/" UUID "/mdev_type", "../mdev_supported_types/nvidia-746");
	assert_link(f, "sys/bus/mdev/devices/" UUID "/driver", "../../../../../bus/mdev/drivers/nvidia-vgpu-vfio");
	assert_link(f, "sys/bus/mdev/devices/" UUID "/iommu_group", "../../../../../kernel/iommu_groups/109");
	assert_file(f, "sys/bus/mdev/devices/" UUID "/nvidia/vm_name", "");
	assert_file(f, "sys/bus/mdev/devices/" UUID "/mdev_type/devices/" UUID "/mdev_type/name", "NVIDIA A2-4Q");
	assert_true(fixture_exists(f, "dev/vfio/109"));
	/* that was the fourth of 4 GiB: all are used up, on every VF */
	assert_file(f, A2_VF "nvidia-746/available_instances", "0");
	assert_file(f, "sys/class/mdev_bus/0000:08:00.5/mdev_supported_types/nvidia-746/available_instances", "0");
	assert_int_equal(fixture_store(f, "sys/class/mdev_bus/0000:08:00.5/mdev_supported_types/nvidia-746/create",
				       "c8b5d9e0-1f2a-4b3c-8d4e-5f60718293a5"), -ENOSPC);
	assert_int_equal(read_result(f, FREE), -EACCES);
}

static void removing_an_mdev(void **state)
{
	struct fixture *f = *state;
	pid_t child;

#define FIRST "sys/bus/mdev/devices/8f3b0f52-3f8a-4c6d-9a41-0d5b7a1e6c01/"
	assert_int_equal(fixture_store(f, FIRST "remove", "x"), -EINVAL);
	assert_int_equal(fixture_store(f, FIRST "remove", "\n"), -EINVAL);
	assert_int_equal(fixture_store(f, FIRST "remove", "0\n"), 0);
	assert_true(fixture_exists(f, FIRST "remove"));
	assert_int_equal(fixture_store(f, FIRST "nvidia/vgpu_params", "frame_rate_limiter=0"), 0);
	assert_file(f, FIRST "nvidia/vgpu_params", "frame_rate_limiter=0");
	assert_int_equal(fixture_store(f, FIRST "remove", "2"), 0);
	assert_int_equal(fixture_store(f, FIRST "remove", "1"), -ENOENT);

	/* one that a VM has: invisible while it waits, its UUID and its place still taken */
	assert_int_equal(fixture_store(f, "sys/bus/mdev/devices/" IN_USE "/nvidia/vgpu_params", "a=1"), -EBUSY);
	child = fixture_store_apart(f, "sys/bus/mdev/devices/" IN_USE "/remove", "1");
	fixture_await(f, "sys/bus/mdev/devices/" IN_USE, false);
	assert_true(fixture_child_is_running(child));
	assert_true(fixture_exists(f, DEV("0000:08:02.0") IN_USE "/mdev_type"));
	assert_int_equal(fixture_store(f, FREE, IN_USE), -EEXIST);
	assert_int_equal(fixture_store(f, "sys/class/mdev_bus/0000:08:02.0/mdev_supported_types/nvidia-746/create", UUID), -ENOSPC);
	assert_int_equal(fixture_kill(f, 9921, SIGTERM), 0);
	assert_int_equal(fixture_child_result(child), 0);
	assert_false(fixture_exists(f, DEV("0000:08:02.0") IN_USE));
	assert_int_equal(fixture_store(f, FREE, IN_USE), 0);
}

static void without_any_the_whole_list_opens(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fixture_kill(f, 9921, SIGTERM), 0);
	assert_int_equal(fixture_store(f, "sys/bus/mdev/devices/" IN_USE "/remove", "1"), 0);
	assert_int_equal(fixture_store(f, "sys/bus/mdev/devices/8f3b0f52-3f8a-4c6d-9a41-0d5b7a1e6c01/remove", "1"), 0);
	assert_int_equal(fixture_store(f, "sys/bus/mdev/devices/8f3b0f52-3f8a-4c6d-9a41-0d5b7a1e6c02/remove", "1"), 0);
	assert_file(f, A2_VF "nvidia-742/available_instances", "1");
	assert_file(f, A2_VF "nvidia-756/available_instances", "1");
	assert_int_equal(fixture_store(f, A2_VF "nvidia-756/create", UUID), 0);
	assert_file(f, "sys/class/mdev_bus/0000:08:00.4/mdev_supported_types/nvidia-748/available_instances", "0");
}

static void a_board_without_vfs_counts_on_the_pf(void **state)
{
	struct fixture *f = *state;     /* lab: T4 */
	char uuid[40];

#define T4 "sys/class/mdev_bus/0000:3b:00.0/mdev_supported_types/"
	assert_file(f, T4 "nvidia-231/name", "GRID T4-2Q");
	assert_file(f, T4 "nvidia-231/available_instances", "8");
	assert_file(f, T4 "nvidia-222/available_instances", "16");
	for (int i = 0; i < 8; i++) {
		snprintf(uuid, sizeof(uuid), "c8b5d9e0-1f2a-4b3c-8d4e-5f607182930%d", i);
		assert_int_equal(fixture_store(f, T4 "nvidia-231/create", uuid), 0);
	}
	assert_file(f, T4 "nvidia-231/available_instances", "0");
	assert_file(f, T4 "nvidia-223/available_instances", "0");
	assert_int_equal(fixture_store(f, T4 "nvidia-231/create", UUID), -ENOSPC);
	assert_int_equal(fixture_store(f, "sys/bus/mdev/devices/c8b5d9e0-1f2a-4b3c-8d4e-5f6071829300/remove", "1"), 0);
	assert_file(f, T4 "nvidia-223/available_instances", "1");
	assert_file(f, T4 "nvidia-222/available_instances", "0");
	assert_int_equal(fixture_store(f, T4 "nvidia-223/create", UUID), 0);
}

#define ON(host, name) \
	{ #name, name, fixture_setup, fixture_teardown, (void *)(uintptr_t)host }

/* «fault hold»: somebody has the VF as a VM has, with or without being seen, until «release». */
static void a_held_vf_keeps_its_type(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fixture_store(f, TYPED("0000:a1:00.4"), "1155\n"), 0);
	assert_int_equal(fixture_fault(f, "hold 0000:a1:00.4"), 0);
	assert_int_equal(fixture_store(f, TYPED("0000:a1:00.4"), "0"), -EBUSY);
	assert_link(f, "proc/200000/fd/4", "/dev/vfio/500");
	assert_true(fixture_fault(f, "hold 0000:a1:00.4") < 0);
	assert_int_equal(fixture_fault(f, "release"), 0);
	assert_false(fixture_exists(f, "proc/200000"));
	assert_int_equal(fixture_store(f, TYPED("0000:a1:00.4"), "0"), 0);
	assert_int_equal(fixture_fault(f, "hold 0000:a1:00.5 unseen"), 0);
	assert_int_equal(fixture_store(f, TYPED("0000:a1:00.5"), "1155\n"), -EBUSY);
	assert_true(fixture_exists(f, "proc/200001/comm"));
	assert_false(fixture_exists(f, "proc/200001/fd/4"));
	assert_int_equal(fixture_fault(f, "clear"), 0);
	/* neither the PF, which nvidia drives, nor what is not there */
	assert_true(fixture_fault(f, "hold 0000:a1:00.0") < 0);
	assert_true(fixture_fault(f, "hold 0000:55:00.0") < 0);
	assert_true(fixture_fault(f, "hold 0000:a1:00.4 loosely") < 0);
}

static void a_read_only_sysfs_takes_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fixture_fault(f, "read-only"), 0);
	assert_int_equal(fixture_store(f, TYPED("0000:a1:00.4"), "1155\n"), -EROFS);
	assert_file(f, TYPED("0000:a1:00.4"), "0");
	assert_int_equal(fixture_fault(f, "clear"), 0);
	assert_int_equal(fixture_store(f, TYPED("0000:a1:00.4"), "1155\n"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON("kvm-l40s", a_free_vf_lists_what_a_real_one_does),
		ON("kvm-l40s", one_size_per_gpu),
		ON("kvm-l40s", a_held_vf_keeps_its_type),
		ON("kvm-l40s", a_read_only_sysfs_takes_nothing),
		ON("kvm-l40s", no_more_than_32_of_the_smallest),
		ON("kvm-l40s", a_vf_of_a_running_vm_is_busy),
		ON("kvm-l40s", placements_can_be_chosen_where_there_are_some),
		ON("kvm-l40s", mixed_sizes_need_the_mode_first),
		ON("lab", a_mig_backed_type_takes_a_gpu_instance),
		ON("lab", whole_boards_offer_time_slices_only),
		ON("kvm-a2", a_free_vf_of_a_shared_a2_reads_as_the_real_one),
		ON("kvm-a2", uuids_are_taken_as_mdev_sysfs_takes_them),
		ON("kvm-a2", removing_an_mdev),
		ON("kvm-a2", without_any_the_whole_list_opens),
		ON("lab", a_board_without_vfs_counts_on_the_pf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
