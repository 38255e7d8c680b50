/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test_sim_fixture.h"

static void devices_come_in_pci_order_with_their_identity(void **state)
{
	struct fixture *f = *state;
	struct gs_abi_pci_info pci;
	unsigned int n = 0, minor = 0;
	char text[96];
	void *by_bdf = NULL, *by_uuid = NULL;

	fixture_init(f, true);
	assert_int_equal(NVML(f, DeviceGetCount_v2)(&n), GS_NVML_SUCCESS);
	assert_int_equal(n, 8);
	assert_int_equal(NVML(f, DeviceGetPciInfo_v3)(fixture_gpu(f, 2), &pci), GS_NVML_SUCCESS);
	assert_string_equal(pci.bus_id, "00000000:52:00.0");
	assert_string_equal(pci.bus_id_legacy, "0000:52:00.0");
	assert_int_equal(pci.pci_device_id, 0x233010de);
	assert_int_equal(pci.pci_subsystem_id, 0x16c110de);
	assert_int_equal(NVML(f, DeviceGetName)(fixture_gpu(f, 2), text, sizeof(text)), GS_NVML_SUCCESS);
	assert_string_equal(text, "NVIDIA H100 80GB HBM3");
	assert_int_equal(NVML(f, DeviceGetName)(fixture_gpu(f, 2), text, 5), GS_NVML_INSUFFICIENT_SIZE);
	assert_int_equal(NVML(f, DeviceGetMinorNumber)(fixture_gpu(f, 2), &minor), GS_NVML_SUCCESS);
	assert_int_equal(minor, 2);
	assert_int_equal(NVML(f, DeviceGetHandleByPciBusId_v2)("00000000:D1:00.0", &by_bdf), GS_NVML_SUCCESS);
	assert_ptr_equal(by_bdf, fixture_gpu(f, 6));
	assert_int_equal(NVML(f, DeviceGetUUID)(by_bdf, text, sizeof(text)), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, DeviceGetHandleByUUID)(text, &by_uuid), GS_NVML_SUCCESS);
	assert_ptr_equal(by_uuid, by_bdf);
	assert_int_equal(NVML(f, DeviceGetHandleByIndex_v2)(8, &by_bdf), GS_NVML_INVALID_ARGUMENT);
	assert_int_equal(NVML(f, DeviceGetHandleByPciBusId_v2)("0000:05:00.0", &by_bdf), GS_NVML_NOT_FOUND);
	assert_int_equal(NVML(f, DeviceGetHandleByPciBusId_v2)("x", &by_bdf), GS_NVML_INVALID_ARGUMENT);
	assert_string_equal(NVML(f, ErrorString)(GS_NVML_IN_USE), "In use by another client");
}

static void nothing_answers_before_init_or_after_shutdown(void **state)
{
	struct fixture *f = *state;
	unsigned int n;
	void *old;

	assert_int_equal(NVML(f, DeviceGetCount_v2)(&n), GS_NVML_UNINITIALIZED);
	fixture_init(f, true);
	old = fixture_gpu(f, 0);
	assert_int_equal(NVML(f, Shutdown)(), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, Shutdown)(), GS_NVML_UNINITIALIZED);
	assert_int_equal(NVML(f, DeviceGetIndex)(old, &n), GS_NVML_UNINITIALIZED);
	fixture_init(f, true);
	assert_int_equal(NVML(f, DeviceGetIndex)(old, &n), GS_NVML_INVALID_ARGUMENT);
	assert_int_equal(NVML(f, DeviceGetIndex)(NULL, &n), GS_NVML_INVALID_ARGUMENT);
	assert_int_equal(NVML(f, DeviceGetIndex)(&n, &n), GS_NVML_INVALID_ARGUMENT);
}

static void a_hostile_environment_is_a_host_without_driver(void **state)
{
	struct fixture *f = *state;

	setenv("GPUSLICE_SIM_STATE", "relative/path", 1);
	assert_int_equal(NVML(f, Init_v2)(), GS_NVML_DRIVER_NOT_LOADED);
	setenv("GPUSLICE_SIM_STATE", "/nonexistent", 1);
	assert_int_equal(NVML(f, Init_v2)(), GS_NVML_DRIVER_NOT_LOADED);
	setenv("GPUSLICE_SIM_STATE", f->home, 1);
	assert_int_equal(NVML(f, Init_v2)(), GS_NVML_DRIVER_NOT_LOADED);
	unsetenv("GPUSLICE_SIM_STATE");
	assert_int_equal(NVML(f, Init_v2)(), GS_NVML_DRIVER_NOT_LOADED);
}

static void the_shipped_layout_is_there(void **state)
{
	static const struct { unsigned int gpu, id, profile, start, size; } expected[] = {
		{ 0, 1, 9, 0, 4 }, { 0, 2, 9, 4, 4 }, { 1, 12, 19, 0, 1 }, { 1, 11, 19, 1, 1 }, { 1, 3, 14, 2, 2 },
		{ 1, 1, 9, 4, 4 }, { 2, 3, 14, 0, 2 }, { 2, 8, 19, 2, 1 }, { 2, 7, 19, 3, 1 }, { 2, 1, 9, 4, 4 },
		{ 7, 0, 0, 0, 8 },
	};
	struct fixture *f = *state;
	unsigned int current, pending;

	fixture_init(f, true);
	for (size_t i = 0; i < GS_ARRAY_SIZE(expected); i++) {
		struct gs_abi_gi_info info;
		void *gi;

		assert_int_equal(NVML(f, DeviceGetGpuInstanceById)(fixture_gpu(f, expected[i].gpu), expected[i].id, &gi),
				 GS_NVML_SUCCESS);
		assert_int_equal(NVML(f, GpuInstanceGetInfo)(gi, &info), GS_NVML_SUCCESS);
		assert_int_equal(info.profile_id, expected[i].profile);
		assert_int_equal(info.placement.start, expected[i].start);
		assert_int_equal(info.placement.size, expected[i].size);
		assert_ptr_equal(info.device, fixture_gpu(f, expected[i].gpu));
	}
	for (unsigned int i = 0; i < 8; i++) {
		assert_int_equal(NVML(f, DeviceGetMigMode)(fixture_gpu(f, i), &current, &pending), GS_NVML_SUCCESS);
		assert_int_equal(current, i < 4 || i == 7);
		assert_int_equal(pending, current);
	}
}

static void profiles_are_listed_with_holes_and_an_end(void **state)
{
	struct fixture *f = *state;
	struct gs_abi_gi_profile v1;
	struct gs_abi_gi_profile_v2 v2 = { .version = GS_ABI_GI_PROFILE_V2 };
	struct gs_abi_gi_profile_v3 v3 = { .version = GS_ABI_GI_PROFILE_V3 };
	struct gs_abi_gi_profile_v2 wrong = { .version = 0x01000098 };
	unsigned int n = 0, profile;
	void *gpu;

	fixture_init(f, false);
	gpu = fixture_gpu(f, 6);    /* with MIG off too */
	for (profile = 0; profile < 0x40; profile++) {
		enum gs_nvml_return r = NVML(f, DeviceGetGpuInstanceProfileInfo)(gpu, profile, &v1);

		if (r == GS_NVML_INVALID_ARGUMENT)
			break;
		assert_true(r == GS_NVML_SUCCESS || r == GS_NVML_NOT_SUPPORTED);
		n += r == GS_NVML_SUCCESS;
	}
	assert_int_equal(profile, 0x12);
	assert_int_equal(n, 7);
	assert_int_equal(NVML(f, DeviceGetGpuInstanceProfileInfoV)(gpu, 2, &v2), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, DeviceGetGpuInstanceProfileInfoV)(gpu, 2, (struct gs_abi_gi_profile_v2 *)&v3), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, DeviceGetGpuInstanceProfileInfoV)(gpu, 2, &wrong), GS_NVML_INVALID_ARGUMENT);
	assert_string_equal(v2.name, "MIG 3g.40gb");
	assert_string_equal(v3.name, "MIG 3g.40gb");
	assert_int_equal(v2.id, 9);
	assert_int_equal(v3.slice_count, 3);
	assert_int_equal(v3.multiprocessor_count, 60);
	assert_int_equal(v3.memory_size_mb, 40448);
	assert_int_equal(v2.memory_size_mb, 40448);
	assert_int_equal(v3.instance_count, 2);
	v3 = (struct gs_abi_gi_profile_v3){ .version = GS_ABI_GI_PROFILE_V3 };
	assert_int_equal(NVML(f, DeviceGetGpuInstanceProfileInfoByIdV)(gpu, 5, (struct gs_abi_gi_profile_v2 *)&v3),
			 GS_NVML_SUCCESS);
	assert_string_equal(v3.name, "MIG 4g.40gb");
}

static void placements_are_asked_for_in_two_calls(void **state)
{
	struct fixture *f = *state;
	struct gs_abi_placement places[8];
	unsigned int n = 0;
	void *gpu;

	fixture_init(f, true);
	gpu = fixture_gpu(f, 0);
	assert_int_equal(NVML(f, DeviceGetGpuInstancePossiblePlacements_v2)(gpu, 15, NULL, &n), GS_NVML_SUCCESS);
	assert_int_equal(n, 4);
	assert_int_equal(NVML(f, DeviceGetGpuInstancePossiblePlacements_v2)(gpu, 15, places, &n), GS_NVML_SUCCESS);
	assert_int_equal(places[3].start, 6);
	assert_int_equal(places[3].size, 2);
	assert_int_equal(NVML(f, DeviceGetGpuInstanceRemainingCapacity)(gpu, 19, &n), GS_NVML_SUCCESS);
	assert_int_equal(n, 0);
	assert_int_equal(NVML(f, DeviceGetGpuInstanceRemainingCapacity)(fixture_gpu(f, 3), 19, &n), GS_NVML_SUCCESS);
	assert_int_equal(n, 7);
	assert_int_equal(NVML(f, DeviceGetGpuInstanceRemainingCapacity)(fixture_gpu(f, 6), 19, &n), GS_NVML_NOT_SUPPORTED);
}

static void without_root_the_layout_is_hidden_but_mig_devices_are_not(void **state)
{
	struct fixture *f = *state;
	struct gs_abi_placement place = { 0, 1 };
	struct gs_abi_attributes attributes;
	struct gs_abi_process_info processes[4];
	struct gs_abi_memory memory;
	enum gs_nvml_return activation;
	unsigned int n = 0, id = 99;
	void *gpu, *mig = NULL, *parent = NULL, *gis[8];
	char text[96];

	fixture_init(f, false);
	gpu = fixture_gpu(f, 0);
	assert_int_equal(NVML(f, DeviceGetGpuInstances)(gpu, 9, gis, &n), GS_NVML_NO_PERMISSION);
	assert_int_equal(NVML(f, DeviceGetGpuInstanceById)(gpu, 1, gis), GS_NVML_NO_PERMISSION);
	assert_int_equal(NVML(f, DeviceGetGpuInstancePossiblePlacements_v2)(gpu, 9, NULL, &n), GS_NVML_NO_PERMISSION);
	assert_int_equal(NVML(f, DeviceGetGpuInstanceRemainingCapacity)(gpu, 9, &n), GS_NVML_NO_PERMISSION);
	assert_int_equal(NVML(f, DeviceCreateGpuInstance)(fixture_gpu(f, 3), 19, gis), GS_NVML_NO_PERMISSION);
	assert_int_equal(NVML(f, DeviceCreateGpuInstanceWithPlacement)(fixture_gpu(f, 3), 19, &place, gis), GS_NVML_NO_PERMISSION);
	assert_int_equal(NVML(f, DeviceSetMigMode)(fixture_gpu(f, 6), 1, &activation), GS_NVML_NO_PERMISSION);
	assert_int_equal(NVML(f, DeviceGetMemoryInfo)(gpu, &memory), GS_NVML_NO_PERMISSION);
	assert_int_equal(NVML(f, DeviceGetMemoryInfo)(fixture_gpu(f, 4), &memory), GS_NVML_SUCCESS);

	assert_int_equal(NVML(f, DeviceGetMaxMigDeviceCount)(gpu, &n), GS_NVML_SUCCESS);
	assert_int_equal(n, 7);
	assert_int_equal(NVML(f, DeviceGetMigDeviceHandleByIndex)(gpu, 2, &mig), GS_NVML_NOT_FOUND);
	assert_int_equal(NVML(f, DeviceGetMigDeviceHandleByIndex)(gpu, 7, &mig), GS_NVML_INVALID_ARGUMENT);
	assert_int_equal(NVML(f, DeviceGetMigDeviceHandleByIndex)(gpu, 0, &mig), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, DeviceGetName)(mig, text, sizeof(text)), GS_NVML_SUCCESS);
	assert_string_equal(text, "NVIDIA H100 80GB HBM3 MIG 3g.40gb");
	assert_int_equal(NVML(f, DeviceGetUUID)(mig, text, sizeof(text)), GS_NVML_SUCCESS);
	assert_int_equal(strlen(text), 40);
	assert_true(strncmp(text, "MIG-", 4) == 0);
	assert_int_equal(NVML(f, DeviceGetGpuInstanceId)(mig, &id), GS_NVML_SUCCESS);
	assert_int_equal(id, 1);
	assert_int_equal(NVML(f, DeviceGetComputeInstanceId)(mig, &id), GS_NVML_SUCCESS);
	assert_int_equal(id, 0);
	assert_int_equal(NVML(f, DeviceGetGpuInstanceId)(gpu, &id), GS_NVML_INVALID_ARGUMENT);
	assert_int_equal(NVML(f, DeviceIsMigDeviceHandle)(mig, &id), GS_NVML_SUCCESS);
	assert_int_equal(id, 1);
	assert_int_equal(NVML(f, DeviceGetAttributes_v2)(mig, &attributes), GS_NVML_SUCCESS);
	assert_int_equal(attributes.multiprocessor_count, 60);
	assert_int_equal(attributes.gpu_instance_slices, 3);
	assert_int_equal(attributes.memory_size_mb, 40448);
	assert_int_equal(NVML(f, DeviceGetMemoryInfo)(mig, &memory), GS_NVML_SUCCESS);
	assert_int_equal(memory.used >> 20, 31744);
	n = 4;
	assert_int_equal(NVML(f, DeviceGetComputeRunningProcesses_v3)(mig, &n, processes), GS_NVML_SUCCESS);
	assert_int_equal(n, 1);
	assert_int_equal(processes[0].pid, 48211);
	assert_int_equal(processes[0].gpu_instance_id, 1);
	assert_int_equal(NVML(f, DeviceGetDeviceHandleFromMigDeviceHandle)(mig, &parent), GS_NVML_SUCCESS);
	assert_ptr_equal(parent, gpu);
}

static void processes_are_counted_first_and_listed_then(void **state)
{
	struct fixture *f = *state;
	struct gs_abi_process_info infos[8];
	unsigned int n = 0;
	char name[64];

	fixture_init(f, true);
	assert_int_equal(NVML(f, DeviceGetComputeRunningProcesses_v3)(fixture_gpu(f, 4), &n, NULL), GS_NVML_INSUFFICIENT_SIZE);
	assert_int_equal(n, 4);
	assert_int_equal(NVML(f, DeviceGetComputeRunningProcesses_v3)(fixture_gpu(f, 4), &n, infos), GS_NVML_SUCCESS);
	assert_int_equal(infos[3].pid, 60133);
	assert_int_equal(infos[3].used_gpu_memory >> 20, 19388);
	assert_int_equal(infos[3].gpu_instance_id, 0xffffffff);
	/* a monitor has the device open and no context */
	n = 0;
	assert_int_equal(NVML(f, DeviceGetComputeRunningProcesses_v3)(fixture_gpu(f, 5), &n, NULL), GS_NVML_SUCCESS);
	assert_int_equal(n, 0);
	n = 8;
	assert_int_equal(NVML(f, DeviceGetGraphicsRunningProcesses_v3)(fixture_gpu(f, 4), &n, infos), GS_NVML_SUCCESS);
	assert_int_equal(n, 0);
	assert_int_equal(NVML(f, SystemGetProcessName)(60133, name, sizeof(name)), GS_NVML_SUCCESS);
	assert_string_equal(name, "/usr/bin/python3");
	assert_int_equal(NVML(f, SystemGetProcessName)(3, name, sizeof(name)), GS_NVML_NOT_FOUND);
	fixture_kill(f, 60133, SIGTERM);
	n = 8;
	assert_int_equal(NVML(f, DeviceGetComputeRunningProcesses_v3)(fixture_gpu(f, 4), &n, infos), GS_NVML_SUCCESS);
	assert_int_equal(n, 3);
}

static void meters_are_plausible_and_mig_has_no_utilisation(void **state)
{
	struct fixture *f = *state;
	struct gs_abi_utilization use;
	struct gs_abi_memory_v2 memory = { .version = GS_ABI_MEMORY_V2 };
	struct gs_abi_field_value fields[3] = { { .field_id = 184 }, { .field_id = 199 }, { .field_id = 5 } };
	unsigned int value;

	fixture_init(f, true);
	assert_int_equal(NVML(f, DeviceGetUtilizationRates)(fixture_gpu(f, 0), &use), GS_NVML_NOT_SUPPORTED);
	assert_int_equal(NVML(f, DeviceGetUtilizationRates)(fixture_gpu(f, 4), &use), GS_NVML_SUCCESS);
	assert_in_range(use.gpu, 80, 100);
	assert_int_equal(NVML(f, DeviceGetUtilizationRates)(fixture_gpu(f, 6), &use), GS_NVML_SUCCESS);
	assert_int_equal(use.gpu, 0);
	assert_int_equal(NVML(f, DeviceGetPowerUsage)(fixture_gpu(f, 4), &value), GS_NVML_SUCCESS);
	assert_in_range(value, 400000, 700000);
	assert_int_equal(NVML(f, DeviceGetEnforcedPowerLimit)(fixture_gpu(f, 4), &value), GS_NVML_SUCCESS);
	assert_int_equal(value, 700000);
	assert_int_equal(NVML(f, DeviceGetTemperature)(fixture_gpu(f, 6), 0, &value), GS_NVML_SUCCESS);
	assert_in_range(value, 25, 40);
	assert_int_equal(NVML(f, DeviceGetMemoryInfo_v2)(fixture_gpu(f, 4), &memory), GS_NVML_SUCCESS);
	assert_int_equal(memory.total >> 20, 81559);
	assert_int_equal(memory.total, memory.reserved + memory.used + memory.free);
	memory.version = 0x01000028;
	assert_int_equal(NVML(f, DeviceGetMemoryInfo_v2)(fixture_gpu(f, 4), &memory), GS_NVML_ARGUMENT_VERSION_MISMATCH);
	assert_int_equal(NVML(f, DeviceGetFieldValues)(fixture_gpu(f, 4), 3, fields), GS_NVML_SUCCESS);
	assert_int_equal(fields[0].value.u32, 1);
	assert_int_equal(fields[1].value.u32, 1);
	assert_int_equal(fields[2].nvml_return, GS_NVML_NOT_SUPPORTED);
	assert_int_equal(NVML(f, DeviceGetPersistenceMode)(fixture_gpu(f, 4), &value), GS_NVML_SUCCESS);
	assert_int_equal(value, 1);
	assert_int_equal(NVML(f, DeviceGetPersistenceMode)(fixture_gpu(f, 6), &value), GS_NVML_SUCCESS);
	assert_int_equal(value, 0);
	assert_int_equal(NVML(f, DeviceGetArchitecture)(fixture_gpu(f, 6), &value), GS_NVML_SUCCESS);
	assert_int_equal(value, 9);
	assert_int_equal(NVML(f, DeviceGetHostVgpuMode)(fixture_gpu(f, 6), &value), GS_NVML_NOT_SUPPORTED);
}

static void an_instance_is_made_and_unmade_in_state_and_tree(void **state)
{
	struct fixture *f = *state;
	struct gs_abi_placement place = { 4, 4 };
	struct gs_abi_ci_info info;
	void *gpu, *gi, *ci, *list[8];
	unsigned int n;

	fixture_init(f, true);
	gpu = fixture_gpu(f, 3);
	assert_int_equal(NVML(f, DeviceCreateGpuInstanceWithPlacement)(gpu, 9, &place, &gi), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, GpuInstanceCreateComputeInstance)(gi, 2, &ci), GS_NVML_SUCCESS);
	assert_true(fixture_exists(f, "proc/driver/nvidia/capabilities/gpu3/mig/gi1/ci0/access"));
	assert_true(fixture_exists(f, "dev/nvidia-caps/nvidia-cap417"));  /* 3 + 3*135 + 1*9 */
	assert_true(fixture_exists(f, "dev/nvidia-caps/nvidia-cap418"));
	assert_int_equal(NVML(f, ComputeInstanceGetInfo_v2)(ci, &info), GS_NVML_SUCCESS);
	assert_int_equal(info.placement.size, 3);
	assert_ptr_equal(info.gpu_instance, gi);
	assert_int_equal(NVML(f, DeviceGetGpuInstances)(gpu, 9, list, &n), GS_NVML_SUCCESS);
	assert_int_equal(n, 1);
	assert_ptr_equal(list[0], gi);
	assert_int_equal(NVML(f, GpuInstanceGetComputeInstances)(gi, 2, list, &n), GS_NVML_SUCCESS);
	assert_int_equal(n, 1);
	assert_int_equal(NVML(f, GpuInstanceDestroy)(gi), GS_NVML_IN_USE);
	assert_int_equal(NVML(f, ComputeInstanceDestroy)(ci), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, GpuInstanceDestroy)(gi), GS_NVML_SUCCESS);
	assert_false(fixture_exists(f, "proc/driver/nvidia/capabilities/gpu3/mig/gi1"));
	assert_false(fixture_exists(f, "dev/nvidia-caps/nvidia-cap417"));
	assert_int_equal(NVML(f, GpuInstanceDestroy)(gi), GS_NVML_INVALID_ARGUMENT);
	assert_int_equal(NVML(f, ComputeInstanceGetInfo_v2)(ci, &info), GS_NVML_INVALID_ARGUMENT);
}

static void a_used_instance_cannot_be_destroyed_until_its_process_goes(void **state)
{
	struct fixture *f = *state;
	void *gi, *ci;

	fixture_init(f, true);
	assert_int_equal(NVML(f, DeviceGetGpuInstanceById)(fixture_gpu(f, 0), 1, &gi), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, GpuInstanceGetComputeInstanceById)(gi, 0, &ci), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, ComputeInstanceDestroy)(ci), GS_NVML_IN_USE);
	fixture_kill(f, 48211, SIGTERM);
	assert_int_equal(NVML(f, ComputeInstanceDestroy)(ci), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, GpuInstanceDestroy)(gi), GS_NVML_SUCCESS);
}

static void creating_says_why_it_cannot(void **state)
{
	struct fixture *f = *state;
	struct gs_abi_placement illegal = { 1, 4 }, taken = { 0, 4 };
	void *gi = (void *)7;

	fixture_init(f, true);
	assert_int_equal(NVML(f, DeviceCreateGpuInstanceWithPlacement)(fixture_gpu(f, 0), 9, &illegal, &gi),
			 GS_NVML_INVALID_ARGUMENT);
	assert_int_equal(NVML(f, DeviceCreateGpuInstanceWithPlacement)(fixture_gpu(f, 0), 5, &taken, &gi),
			 GS_NVML_INSUFFICIENT_RESOURCES);
	assert_int_equal(NVML(f, DeviceCreateGpuInstance)(fixture_gpu(f, 6), 19, &gi), GS_NVML_NOT_SUPPORTED);
	assert_int_equal(NVML(f, DeviceCreateGpuInstance)(fixture_gpu(f, 3), 200, &gi), GS_NVML_INVALID_ARGUMENT);
	assert_ptr_equal(gi, (void *)7);
}

/* 1g.10gb at 0 of GPU 3; its UUID into @ret_uuid; destroyed again. */
static void make_once(struct fixture *f, char *ret_uuid)
{
	struct gs_abi_placement place = { 0, 1 };
	void *gi, *ci, *mig;

	assert_int_equal(NVML(f, DeviceCreateGpuInstanceWithPlacement)(fixture_gpu(f, 3), 19, &place, &gi), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, GpuInstanceCreateComputeInstance)(gi, 0, &ci), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, DeviceGetMigDeviceHandleByIndex)(fixture_gpu(f, 3), 0, &mig), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, DeviceGetUUID)(mig, ret_uuid, 80), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, ComputeInstanceDestroy)(ci), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, GpuInstanceDestroy)(gi), GS_NVML_SUCCESS);
}

static void a_recreated_instance_gets_a_new_uuid_or_its_old_one(void **state)
{
	struct fixture *f = *state;
	char first[80], second[80], before[80];
	void *mig, *gi, *ci;

	fixture_init(f, true);
	make_once(f, first);
	make_once(f, second);
	assert_string_not_equal(first, second);
	assert_int_equal(fixture_fault(f, "uuid old"), 0);
	make_once(f, first);
	make_once(f, second);
	assert_string_equal(first, second);
	/* and the same as the shipped one had */
	assert_int_equal(NVML(f, DeviceGetMigDeviceHandleByIndex)(fixture_gpu(f, 2), 0, &mig), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, DeviceGetUUID)(mig, before, 80), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, DeviceGetGpuInstanceById)(fixture_gpu(f, 2), 7, &gi), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, GpuInstanceGetComputeInstanceById)(gi, 0, &ci), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, ComputeInstanceDestroy)(ci), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, DeviceGetUUID)(mig, first, 80), GS_NVML_INVALID_ARGUMENT);
	assert_int_equal(NVML(f, GpuInstanceCreateComputeInstance)(gi, 0, &ci), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, DeviceGetMigDeviceHandleByIndex)(fixture_gpu(f, 2), 0, &mig), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, DeviceGetUUID)(mig, first, 80), GS_NVML_SUCCESS);
	assert_string_equal(first, before);
}

static void assert_mode(struct fixture *f, unsigned int gpu, unsigned int current, unsigned int pending)
{
	unsigned int c = 9, p = 9;

	assert_int_equal(NVML(f, DeviceGetMigMode)(fixture_gpu(f, gpu), &c, &p), GS_NVML_SUCCESS);
	assert_int_equal(c, current);
	assert_int_equal(p, pending);
}

static void the_mode_of_a_free_gpu_changes_at_once_and_makes_handles_stale(void **state)
{
	struct fixture *f = *state;
	enum gs_nvml_return activation = GS_NVML_UNKNOWN;
	unsigned int n;
	void *gpu;

	fixture_init(f, true);
	gpu = fixture_gpu(f, 6);
	assert_int_equal(NVML(f, DeviceSetMigMode)(gpu, 2, &activation), GS_NVML_INVALID_ARGUMENT);
	assert_int_equal(NVML(f, DeviceSetMigMode)(gpu, 1, &activation), GS_NVML_SUCCESS);
	assert_int_equal(activation, GS_NVML_SUCCESS);
	assert_mode(f, 6, 1, 1);
	assert_int_equal(NVML(f, DeviceGetIndex)(gpu, &n), GS_NVML_INVALID_ARGUMENT);
	/* the setter's own lock is still there */
	gpu = fixture_gpu(f, 6);
	assert_int_equal(NVML(f, DeviceSetMigMode)(gpu, 0, &activation), GS_NVML_SUCCESS);
	assert_int_equal(activation, GS_NVML_SUCCESS);
	assert_mode(f, 6, 0, 0);
}

static void persistenced_is_no_obstacle_to_a_mode_change(void **state)
{
	struct fixture *f = *state;
	enum gs_nvml_return activation = GS_NVML_UNKNOWN;

	fixture_init(f, true);
	assert_link(f, "proc/1893/fd/7", "/dev/nvidia3");
	assert_int_equal(NVML(f, DeviceSetMigMode)(fixture_gpu(f, 3), 0, &activation), GS_NVML_SUCCESS);
	assert_int_equal(activation, GS_NVML_SUCCESS);
	assert_mode(f, 3, 0, 0);
}

static void mig_cannot_be_left_while_instances_exist(void **state)
{
	struct fixture *f = *state;
	enum gs_nvml_return activation;

	fixture_init(f, true);
	assert_int_equal(NVML(f, DeviceSetMigMode)(fixture_gpu(f, 2), 0, &activation), GS_NVML_IN_USE);
	assert_mode(f, 2, 1, 1);
}

static void a_held_gpu_changes_when_its_last_holder_goes(void **state)
{
	struct fixture *f = *state;
	enum gs_nvml_return activation = GS_NVML_UNKNOWN;

	fixture_init(f, true);
	assert_int_equal(NVML(f, DeviceSetMigMode)(fixture_gpu(f, 5), 1, &activation), GS_NVML_SUCCESS);
	assert_int_equal(activation, GS_NVML_IN_USE);
	assert_mode(f, 5, 0, 1);
	fixture_kill(f, 2044, SIGTERM);
	assert_mode(f, 5, 0, 1);
	fixture_kill(f, 2101, SIGTERM);
	/* our own NVML has it open as well */
	assert_mode(f, 5, 0, 1);
	assert_int_equal(NVML(f, Shutdown)(), GS_NVML_SUCCESS);
	fixture_init(f, true);
	assert_mode(f, 5, 1, 1);
}

/* A second process with the library loaded. It ends when the pipe closes. */
static pid_t other_client(struct fixture *f, int *ret_pipe)
{
	int ready[2], hold[2];
	char c;
	pid_t child;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		close(hold[1]);
		gs_sim_export_environment(f->sim, NULL);
		if (NVML(f, Init_v2)() != GS_NVML_SUCCESS || write(ready[1], "x", 1) != 1)
			_exit(1);
		while (read(hold[0], &c, 1) > 0)
			;
		_exit(NVML(f, Shutdown)() == GS_NVML_SUCCESS ? 0 : 1);
	}
	close(ready[1]);
	close(hold[0]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	*ret_pipe = hold[1];
	return child;
}

static void another_client_of_the_library_holds_every_gpu(void **state)
{
	struct fixture *f = *state;
	enum gs_nvml_return activation = GS_NVML_UNKNOWN;
	int hold, status = -1;
	pid_t child;

	fixture_symbol(f, "nvmlInit_v2");   /* loaded before the fork, initialised after it */
	child = other_client(f, &hold);
	fixture_init(f, true);
	assert_int_equal(NVML(f, DeviceSetMigMode)(fixture_gpu(f, 6), 1, &activation), GS_NVML_SUCCESS);
	assert_int_equal(activation, GS_NVML_IN_USE);
	assert_mode(f, 6, 0, 1);
	close(hold);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	/* asked again, now that it is alone */
	assert_int_equal(NVML(f, DeviceSetMigMode)(fixture_gpu(f, 6), 1, &activation), GS_NVML_SUCCESS);
	assert_int_equal(activation, GS_NVML_SUCCESS);
	assert_mode(f, 6, 1, 1);
}

static void two_processes_see_one_machine(void **state)
{
	struct fixture *f = *state;
	unsigned int n = 0;
	pid_t child;
	int status = -1;

	fixture_symbol(f, "nvmlInit_v2");
	gs_sim_export_environment(f->sim, NULL);
	child = fork();
	if (child == 0) {
		void *gpu, *gi;

		if (NVML(f, Init_v2)() || NVML(f, DeviceGetHandleByIndex_v2)(3, &gpu))
			_exit(1);
		for (int i = 0; i < 3; i++) {
			if (NVML(f, DeviceCreateGpuInstance)(gpu, 14, &gi))
				_exit(2);
		}
		_exit(0);
	}
	fixture_init(f, true);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(NVML(f, DeviceGetGpuInstanceRemainingCapacity)(fixture_gpu(f, 3), 14, &n), GS_NVML_SUCCESS);
	assert_int_equal(n, 0);
	assert_int_equal(NVML(f, DeviceGetGpuInstanceRemainingCapacity)(fixture_gpu(f, 3), 15, &n), GS_NVML_SUCCESS);
	assert_int_equal(n, 1);
}

static void a_reset_makes_old_handles_stale(void **state)
{
	struct fixture *f = *state;
	struct gs_abi_gi_info info;
	unsigned int n;
	void *gpu, *gi;

	fixture_init(f, true);
	gpu = fixture_gpu(f, 0);
	assert_int_equal(NVML(f, DeviceGetGpuInstanceById)(gpu, 1, &gi), GS_NVML_SUCCESS);
	assert_int_equal(gs_sim_reset("dgx-h100", NULL), 0);
	assert_int_equal(NVML(f, GpuInstanceGetInfo)(gi, &info), GS_NVML_INVALID_ARGUMENT);
	assert_int_equal(NVML(f, DeviceGetIndex)(gpu, &n), GS_NVML_INVALID_ARGUMENT);
	assert_int_equal(NVML(f, DeviceGetIndex)(fixture_gpu(f, 0), &n), GS_NVML_SUCCESS);
}

static void a_state_that_turns_to_garbage_is_an_error_not_a_crash(void **state)
{
	struct fixture *f = *state;
	char *path = fixture_state_path(f);
	unsigned int n;
	void *gpu, *gi;

	fixture_init(f, true);
	gpu = fixture_gpu(f, 3);
	assert_int_equal(gs_file_replace(path, "{\"schema\":7}", 12, 0600, NULL), 0);
	assert_int_equal(NVML(f, DeviceGetCount_v2)(&n), GS_NVML_UNKNOWN);
	assert_int_equal(NVML(f, DeviceCreateGpuInstance)(gpu, 19, &gi), GS_NVML_UNKNOWN);
	unlink(path);
	assert_int_equal(NVML(f, DeviceGetCount_v2)(&n), GS_NVML_UNKNOWN);
	assert_int_equal(NVML(f, Shutdown)(), GS_NVML_SUCCESS);
	free(path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(devices_come_in_pci_order_with_their_identity),
		TEST(nothing_answers_before_init_or_after_shutdown),
		TEST(a_hostile_environment_is_a_host_without_driver),
		TEST(the_shipped_layout_is_there),
		TEST(profiles_are_listed_with_holes_and_an_end),
		TEST(placements_are_asked_for_in_two_calls),
		TEST(without_root_the_layout_is_hidden_but_mig_devices_are_not),
		TEST(processes_are_counted_first_and_listed_then),
		TEST(meters_are_plausible_and_mig_has_no_utilisation),
		TEST(an_instance_is_made_and_unmade_in_state_and_tree),
		TEST(a_used_instance_cannot_be_destroyed_until_its_process_goes),
		TEST(creating_says_why_it_cannot),
		TEST(a_recreated_instance_gets_a_new_uuid_or_its_old_one),
		TEST(the_mode_of_a_free_gpu_changes_at_once_and_makes_handles_stale),
		TEST(persistenced_is_no_obstacle_to_a_mode_change),
		TEST(mig_cannot_be_left_while_instances_exist),
		TEST(a_held_gpu_changes_when_its_last_holder_goes),
		TEST(another_client_of_the_library_holds_every_gpu),
		TEST(two_processes_see_one_machine),
		TEST(a_reset_makes_old_handles_stale),
		TEST(a_state_that_turns_to_garbage_is_an_error_not_a_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
