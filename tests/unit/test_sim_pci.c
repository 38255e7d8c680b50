/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drivers, SR-IOV and groups of the simulated kernel, against what was read off a real one. */
#include "test_sim_fixture.h"

#define DEV(bdf) "sys/bus/pci/devices/" bdf "/"
#define DRV(name) "sys/bus/pci/drivers/" name "/"
#define A30 "0000:31:00.0"
#define PRO "0000:4b:00.0"
#define RTX "0000:65:00.0"
#define RTX_AUDIO "0000:65:00.1"
#define FLEX "0000:9a:00.0"
#define MI300X "0000:83:00.0"
#define BRIDGE "0000:30:01.0"

/* Nobody uses an NVIDIA GPU any more. */
static void stop_services(struct fixture *f)
{
	assert_int_equal(fixture_run(f, "systemctl stop dcgm-exporter.service", NULL, 0), 0);
	assert_int_equal(fixture_run(f, "systemctl stop nvidia-dcgm", NULL, 0), 0);
	assert_int_equal(fixture_run(f, "systemctl stop nvidia-persistenced.service", NULL, 0), 0);
}

static int count_vfs(struct fixture *f, const char *pf)
{
	char path[128];
	int n = 0;

	do
		snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/virtfn%d", pf, n);
	while (fixture_exists(f, path) && ++n);
	return n;
}

static void a_card_goes_to_vfio_and_comes_back(void **state)
{
	struct fixture *f = *state;

	stop_services(f);
	assert_link(f, DEV(A30) "driver", "../../../../bus/pci/drivers/nvidia");
	assert_int_equal(fixture_store(f, DEV(A30) "driver_override", "vfio-pci\n"), 0);
	assert_int_equal(fixture_store(f, DEV(A30) "driver/unbind", A30), 0);
	assert_false(fixture_exists(f, DEV(A30) "driver"));
	assert_int_equal(fixture_store(f, DEV(A30) "driver/unbind", A30), -ENOENT);
	assert_int_equal(fixture_store(f, "sys/bus/pci/drivers_probe", A30 "\n"), 0);
	assert_link(f, DEV(A30) "driver", "../../../../bus/pci/drivers/vfio-pci");
	assert_true(fixture_exists(f, "dev/vfio/24"));
	assert_true(fixture_exists(f, DEV(A30) "vfio-dev/vfio1024/dev"));
	assert_true(fixture_exists(f, "dev/vfio/devices/vfio1024"));
	assert_false(fixture_exists(f, "proc/driver/nvidia/gpus/" A30));
	assert_false(fixture_exists(f, "dev/nvidia1"));

	assert_int_equal(fixture_store(f, DEV(A30) "driver_override", "\n"), 0);
	assert_int_equal(fixture_store(f, DRV("vfio-pci") "unbind", A30), 0);
	assert_int_equal(fixture_store(f, DRV("nvidia") "bind", A30), 0);
	assert_link(f, DEV(A30) "driver", "../../../../bus/pci/drivers/nvidia");
	assert_true(fixture_exists(f, "dev/nvidia1"));
	assert_false(fixture_exists(f, "dev/vfio/24"));
}

static void bind_and_unbind_answer_as_the_bus_does(void **state)
{
	struct fixture *f = *state;

	stop_services(f);
	/* no such device, not on this driver, blanks, no domain: all the same */
	assert_int_equal(fixture_store(f, DRV("nvidia") "unbind", "0000:99:99.9"), -ENODEV);
	assert_int_equal(fixture_store(f, DRV("vfio-pci") "unbind", A30), -ENODEV);
	assert_int_equal(fixture_store(f, DRV("nvidia") "unbind", "31:00.0"), -ENODEV);
	assert_int_equal(fixture_store(f, DRV("nvidia") "unbind", " " A30), -ENODEV);
	assert_int_equal(fixture_store(f, DRV("nvidia") "unbind", A30 "\n\n"), -ENODEV);
	/* bound already, by whomever */
	assert_int_equal(fixture_store(f, DRV("vfio-pci") "bind", A30), -EBUSY);
	assert_int_equal(fixture_store(f, DRV("nvidia") "unbind", A30), 0);
	/* no match without an override */
	assert_int_equal(fixture_store(f, DRV("vfio-pci") "bind", A30), -ENODEV);
	assert_int_equal(fixture_store(f, DRV("xe") "bind", A30), -ENODEV);
	assert_int_equal(fixture_store(f, DRV("no-such-driver") "bind", A30), -ENOENT);
	/* success although nothing is bound: an override that names what is not loaded */
	assert_int_equal(fixture_store(f, DEV(A30) "driver_override", "xe-vfio-pci"), 0);
	assert_int_equal(fixture_store(f, "sys/bus/pci/drivers_probe", A30), 0);
	assert_false(fixture_exists(f, DEV(A30) "driver"));
	assert_int_equal(fixture_store(f, "sys/bus/pci/drivers_probe", "0000:99:99.9"), -ENODEV);
	/* a bridge is not vfio-pci's, but it has left pcieport before that shows */
	assert_int_equal(fixture_store(f, DEV(BRIDGE) "driver_override", "vfio-pci"), 0);
	assert_int_equal(fixture_store(f, DRV("pcieport") "unbind", BRIDGE), 0);
	assert_int_equal(fixture_store(f, DRV("vfio-pci") "bind", BRIDGE), -EINVAL);
	assert_false(fixture_exists(f, DEV(BRIDGE) "driver"));
}

static void an_override_is_stored_as_the_kernel_stores_it(void **state)
{
	struct fixture *f = *state;
	char large[4096];

	assert_int_equal(fixture_store(f, DEV(A30) "driver_override", "a\nb"), 0);
	assert_file(f, DEV(A30) "driver_override", "a");
	assert_int_equal(fixture_store(f, DEV(A30) "driver_override", "trailing \n"), 0);
	assert_file(f, DEV(A30) "driver_override", "trailing ");
	assert_int_equal(fixture_store(f, DEV(A30) "driver_override", ""), 0);
	assert_file(f, DEV(A30) "driver_override", "trailing ");
	assert_int_equal(fixture_store(f, DEV(A30) "driver_override", "\n"), 0);
	assert_file(f, DEV(A30) "driver_override", "(null)");
	memset(large, 'x', sizeof(large));
	assert_int_equal(gs_sim_root_ops.write(f->sim, DEV(A30) "driver_override", large, 4095), -EINVAL);
}

static void modes_of_files_bind_root_too(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fixture_store(f, DEV(A30) "sriov_totalvfs", "4"), -EACCES);
	assert_int_equal(gs_sim_root_ops.read(f->sim, DRV("nvidia") "bind"), -EACCES);
	assert_int_equal(gs_sim_root_ops.read(f->sim, DEV(A30) "vendor"), 0);
	/* controls that this machine does not model are refused, not ignored */
	assert_int_equal(fixture_store(f, DEV(A30) "remove", "1"), -EACCES);
	assert_int_equal(fixture_store(f, DRV("vfio-pci") "new_id", "10de 20b7"), -EACCES);
}

static void numvfs_answers_as_iov_c_does(void **state)
{
	static const struct { const char *text; int result; } of_nvidia[] = {
		{ "-1", -EINVAL }, { "abc", -EINVAL }, { "65536", -EINVAL }, { "\n", -EINVAL }, { " 2", -EINVAL }, { "2 ", -EINVAL },
		{ "2\n\n", -EINVAL }, { "49", -ERANGE }, { "0", 0 }, { "4", -ENOENT }, { "48", -ENOENT }, { "0x4", -ENOENT },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < GS_ARRAY_SIZE(of_nvidia); i++) {
		int r = fixture_store(f, DEV(PRO) "sriov_numvfs", of_nvidia[i].text);

		if (r != of_nvidia[i].result)
			fail_msg("«%s» gives %d", of_nvidia[i].text, r);
	}
	/* xe can */
	assert_int_equal(fixture_store(f, DEV(FLEX) "sriov_numvfs", "32"), -ERANGE);
	assert_int_equal(fixture_store(f, DEV(FLEX) "sriov_numvfs", "0x2\n"), 0);
	assert_int_equal(count_vfs(f, FLEX), 2);
	assert_int_equal(fixture_store(f, DEV(FLEX) "sriov_numvfs", "02"), 0);
	assert_int_equal(fixture_store(f, DEV(FLEX) "sriov_numvfs", "3"), -EBUSY);
	assert_int_equal(fixture_store(f, DEV(FLEX) "sriov_numvfs", "0"), 0);
	assert_int_equal(count_vfs(f, FLEX), 0);
	assert_file(f, DEV(FLEX) "sriov_numvfs", "0");
	/* amdgpu and devices without SR-IOV have no such file */
	assert_int_equal(fixture_store(f, DEV(MI300X) "sriov_numvfs", "1"), -ENOENT);
}

static void vfs_are_functions_by_routing_id(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fixture_store(f, DEV(FLEX) "sriov_drivers_autoprobe", "x"), -EINVAL);
	assert_int_equal(fixture_store(f, DEV(FLEX) "sriov_drivers_autoprobe", "0"), 0);
	assert_int_equal(fixture_store(f, DEV(FLEX) "sriov_numvfs", "31"), 0);
	assert_link(f, DEV(FLEX) "virtfn0", "../0000:9a:00.1");
	assert_link(f, DEV(FLEX) "virtfn7", "../0000:9a:01.0");
	assert_link(f, DEV(FLEX) "virtfn30", "../0000:9a:03.7");
	assert_link(f, DEV("0000:9a:03.7") "physfn", "../" FLEX);
	assert_link(f, DEV("0000:9a:03.7") "iommu_group", "../../../../kernel/iommu_groups/430");
	assert_file(f, DEV("0000:9a:03.7") "subsystem_device", "0x0000");
	assert_false(fixture_exists(f, DEV("0000:9a:03.7") "driver"));
	assert_false(fixture_exists(f, DEV("0000:9a:03.7") "sriov_totalvfs"));
	assert_false(fixture_exists(f, DEV("0000:9a:03.7") "remove"));
	assert_int_equal(fixture_store(f, DEV(FLEX) "sriov_numvfs", "0"), 0);
	assert_int_equal(fixture_store(f, DEV(FLEX) "sriov_drivers_autoprobe", "1"), 0);
	assert_int_equal(fixture_store(f, DEV(FLEX) "sriov_numvfs", "1"), 0);
	assert_link(f, DEV("0000:9a:00.1") "driver", "../../../../bus/pci/drivers/xe");
	assert_file(f, DEV("0000:9a:00.1") "current_link_speed", "Unknown");
}

/* The real sysfs shows a driver's link as gone while the unbind still waits. */
static void an_unbind_waits_for_the_vm(void **state)
{
	struct fixture *f = *state;
	pid_t child;

	child = fixture_store_apart(f, DRV("vfio-pci") "unbind", RTX);
	fixture_await(f, DEV(RTX) "driver", false);
	assert_true(fixture_child_is_running(child));
	assert_true(fixture_exists(f, "dev/vfio/36"));
	assert_false(fixture_exists(f, DRV("vfio-pci") RTX));
	/* a probe meanwhile says success and does nothing; others are not affected */
	assert_int_equal(fixture_store(f, "sys/bus/pci/drivers_probe", RTX), 0);
	assert_int_equal(fixture_store(f, DEV(A30) "driver_override", "vfio-pci"), 0);
	assert_true(fixture_child_is_running(child));
	assert_int_equal(fixture_kill(f, 31007, SIGTERM), 0);
	assert_int_equal(fixture_child_result(child), 0);
	assert_false(fixture_exists(f, DEV(RTX) "driver"));
	assert_int_equal(fixture_store(f, DRV("nvidia") "bind", RTX), -ENODEV);
}

static void a_write_whose_writer_was_killed_is_done_all_the_same(void **state)
{
	struct fixture *f = *state;
	pid_t child = fixture_store_apart(f, DRV("vfio-pci") "unbind", RTX);

	fixture_await(f, DEV(RTX) "driver", false);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_true(fixture_exists(f, "dev/vfio/36"));
	assert_int_equal(fixture_kill(f, 31007, SIGTERM), 0);
	/* the node of the group stays for the audio function, which is vfio-pci's still */
	assert_true(fixture_exists(f, "dev/vfio/36"));
	assert_int_equal(fixture_store(f, DRV("vfio-pci") "bind", RTX), 0);
}

static void a_second_write_on_the_device_queues(void **state)
{
	struct fixture *f = *state;
	pid_t first = fixture_store_apart(f, DRV("vfio-pci") "unbind", RTX), second;

	fixture_await(f, DEV(RTX) "driver", false);
	second = fixture_store_apart(f, DRV("vfio-pci") "bind", RTX);
	assert_int_equal(fixture_fault(f, "release"), 0);
	assert_int_equal(fixture_child_result(first), 0);
	assert_int_equal(fixture_child_result(second), 0);
	assert_link(f, DEV(RTX) "driver", "../../../../bus/pci/drivers/vfio-pci");
}

static void a_sibling_of_a_held_card_cannot_go_home(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fixture_store(f, DEV(RTX_AUDIO) "driver_override", "\n"), 0);
	/* the VM holds the group, so the audio function waits as well; its driver says so */
	assert_int_equal(fixture_kill(f, 31007, SIGTERM), 0);
	assert_int_equal(fixture_store(f, DRV("vfio-pci") "unbind", RTX_AUDIO), 0);
	assert_int_equal(fixture_store(f, DRV("snd_hda_intel") "bind", RTX_AUDIO), 0);
	assert_link(f, DEV(RTX_AUDIO) "driver", "../../../../bus/pci/drivers/snd_hda_intel");
}

static void disabling_vfs_stops_at_the_one_that_is_held(void **state)
{
	struct fixture *f = *state;     /* kvm-a2 */
	pid_t child;

	/* nvidia cannot; so the PF goes to the stub, with the VFs that it keeps */
	assert_int_equal(fixture_run(f, "systemctl stop nvidia-persistenced", NULL, 0), 0);
	assert_int_equal(fixture_run(f, "systemctl stop dcgm-exporter", NULL, 0), 0);
	assert_int_equal(fixture_run(f, "systemctl stop nvidia-vgpu-mgr", NULL, 0), 0);
	child = fixture_store_apart(f, DRV("nvidia") "unbind", "0000:08:00.0");
	fixture_await(f, DEV("0000:08:00.0") "driver", false);
	assert_true(fixture_child_is_running(child));
	assert_int_equal(fixture_kill(f, 9921, SIGKILL), 0);
	assert_int_equal(fixture_child_result(child), 0);
	assert_int_equal(count_vfs(f, "0000:08:00.0"), 0);
	assert_false(fixture_exists(f, "sys/bus/mdev/devices/00000000-0000-0000-0000-000000000108"));

	assert_int_equal(fixture_run(f, "modprobe pci-pf-stub", NULL, 0), 0);
	assert_int_equal(fixture_store(f, DEV("0000:08:00.0") "driver_override", "pci-pf-stub"), 0);
	assert_int_equal(fixture_store(f, DRV("pci-pf-stub") "bind", "0000:08:00.0"), 0);
	assert_int_equal(fixture_store(f, DEV("0000:08:00.0") "sriov_numvfs", "5"), 0);
	assert_int_equal(count_vfs(f, "0000:08:00.0"), 5);
	assert_false(fixture_exists(f, DEV("0000:08:00.4") "mdev_supported_types"));
	/* the stub leaves them, and without a driver they cannot be taken back */
	assert_int_equal(fixture_store(f, DRV("pci-pf-stub") "unbind", "0000:08:00.0"), 0);
	assert_int_equal(count_vfs(f, "0000:08:00.0"), 5);
	assert_int_equal(fixture_store(f, DEV("0000:08:00.0") "sriov_numvfs", "0"), -ENOENT);
	assert_int_equal(fixture_store(f, DEV("0000:08:00.0") "driver_override", "\n"), 0);
	assert_int_equal(fixture_store(f, "sys/bus/pci/drivers_probe", "0000:08:00.0"), 0);
	assert_true(fixture_exists(f, DEV("0000:08:00.4") "mdev_supported_types/nvidia-742/create"));
}

static void half_of_a_held_disable_can_be_seen(void **state)
{
	struct fixture *f = *state;     /* lab */
	pid_t child, reader;
	int before;

	assert_int_equal(fixture_store(f, DEV(FLEX) "sriov_numvfs", "4"), 0);
	/* VF 1 goes to vfio-pci, and to the VM of the fixture by way of its state: the group's node is opened */
	assert_int_equal(fixture_store(f, DEV("0000:9a:00.2") "driver_override", "vfio-pci"), 0);
	assert_int_equal(fixture_store(f, DRV("xe") "unbind", "0000:9a:00.2"), 0);
	assert_int_equal(fixture_store(f, DRV("vfio-pci") "bind", "0000:9a:00.2"), 0);
	assert_true(fixture_exists(f, "dev/vfio/401"));
	before = fixture_hold(f, 31007, "/dev/vfio/36", "/dev/vfio/401");
	assert_int_equal(before, 0);

	child = fixture_store_apart(f, DEV(FLEX) "sriov_numvfs", "0");
	fixture_await(f, DEV(FLEX) "virtfn0", false);
	fixture_await(f, DEV(FLEX) "virtfn1", false);
	assert_true(fixture_child_is_running(child));
	/* the tree is brought up to date file by file */
	fixture_await(f, DEV("0000:9a:00.1") "vendor", false);
	assert_true(fixture_exists(f, DEV("0000:9a:00.2") "vendor"));
	fixture_await(f, DEV("0000:9a:00.2") "physfn", false);
	fixture_await(f, DEV("0000:9a:00.2") "driver", false);
	assert_true(fixture_exists(f, DEV(FLEX) "virtfn2"));
	/* whoever reads the number waits as well; its neighbours can be read */
	assert_int_equal(gs_sim_root_ops.read(f->sim, DEV(FLEX) "sriov_totalvfs"), 0);
	reader = fork();
	if (reader == 0) {
		int r = gs_sim_root_ops.read(f->sim, DEV(FLEX) "sriov_numvfs");

		/* only once nobody is waited for any more */
		_exit(r < 0 || fixture_exists(f, DEV(FLEX) "virtfn2") ? 1 : 0);
	}
	assert_int_equal(fixture_kill(f, 31007, SIGTERM), 0);
	assert_int_equal(fixture_child_result(child), 0);
	assert_int_equal(fixture_child_result(reader), 0);
	assert_int_equal(count_vfs(f, FLEX), 0);
	assert_false(fixture_exists(f, DEV("0000:9a:00.3")));
}

static void boot_vga_is_the_display_that_booted(void **state)
{
	struct fixture *f = *state;

	assert_file(f, DEV("0000:03:00.0") "boot_vga", "1");
	assert_file(f, DEV(RTX) "boot_vga", "0");
	assert_false(fixture_exists(f, DEV(A30) "boot_vga"));
}

static void a_pf_that_leaves_nvidia_loses_its_instances(void **state)
{
	struct fixture *f = *state;

	stop_services(f);
	assert_int_equal(fixture_kill(f, 48211, SIGKILL), 0);
	assert_true(fixture_exists(f, "proc/driver/nvidia/capabilities/gpu0/mig/gi1"));
	assert_int_equal(fixture_store(f, DRV("nvidia") "unbind", "0000:17:00.0"), 0);
	assert_int_equal(fixture_store(f, DRV("nvidia") "bind", "0000:17:00.0"), 0);
	assert_false(fixture_exists(f, "proc/driver/nvidia/capabilities/gpu0/mig/gi1"));
	fixture_init(f, true);
	{
		unsigned int current = 0, pending = 0, count = 9;
		void *gis[8];

		assert_int_equal(NVML(f, DeviceGetMigMode)(fixture_gpu(f, 0), &current, &pending), GS_NVML_SUCCESS);
		assert_int_equal(current, 1);
		assert_int_equal(NVML(f, DeviceGetGpuInstances)(fixture_gpu(f, 0), 9, gis, &count), GS_NVML_SUCCESS);
		assert_int_equal(count, 0);
	}
}

static void nvml_lists_what_nvidia_drives(void **state)
{
	struct fixture *f = *state;
	unsigned int n = 0;
	pid_t child;
	void *device;

	fixture_init(f, true);
	assert_int_equal(NVML(f, DeviceGetCount_v2)(&n), GS_NVML_SUCCESS);
	assert_int_equal(n, 4);
	assert_int_equal(NVML(f, DeviceGetHandleByPciBusId_v2)("00000000:65:00.0", &device), GS_NVML_NOT_FOUND);
	assert_int_equal(NVML(f, DeviceGetHandleByPciBusId_v2)("00000000:83:00.0", &device), GS_NVML_NOT_FOUND);
	/* our own open node holds the GPU: the unbind waits for the shutdown */
	stop_services(f);
	child = fixture_store_apart(f, DRV("nvidia") "unbind", A30);
	fixture_await(f, DEV(A30) "driver", false);
	assert_true(fixture_child_is_running(child));
	assert_int_equal(NVML(f, DeviceGetCount_v2)(&n), GS_NVML_SUCCESS);
	assert_int_equal(n, 3);
	assert_int_equal(NVML(f, Shutdown)(), GS_NVML_SUCCESS);
	assert_int_equal(fixture_child_result(child), 0);
	assert_int_equal(NVML(f, Init_v2)(), GS_NVML_SUCCESS);
}

static void faults_strike_writes_and_reads(void **state)
{
	struct fixture *f = *state;
	pid_t child;
	char *text;

	assert_int_equal(fixture_fault(f, "write */driver_override EIO at 2"), 0);
	assert_int_equal(fixture_store(f, DEV(A30) "driver_override", "one"), 0);
	assert_int_equal(fixture_store(f, DEV(A30) "driver_override", "two"), -EIO);
	assert_file(f, DEV(A30) "driver_override", "one");
	assert_int_equal(fixture_store(f, DEV(A30) "driver_override", "three"), 0);
	assert_int_equal(fixture_fault(f, "write /sys/devices/*/0000:31:00.0/driver_override nothing"), 0);
	assert_int_equal(fixture_store(f, DEV(A30) "driver_override", "four"), 0);
	assert_file(f, DEV(A30) "driver_override", "three");
	assert_int_equal(fixture_fault(f, "read */31:00.0/vendor ENODEV"), 0);
	assert_int_equal(gs_sim_root_ops.read(f->sim, DEV(A30) "vendor"), 0);
	assert_int_equal(fixture_fault(f, "read *:31:00.0/vendor 19"), 0);
	assert_int_equal(gs_sim_root_ops.read(f->sim, DEV(A30) "vendor"), -ENODEV);
	assert_int_equal(gs_sim_root_ops.read(f->sim, DEV(PRO) "vendor"), 0);
	assert_int_equal(fixture_fault(f, "clear"), 0);

	assert_int_equal(fixture_fault(f, "write */driver_override hang"), 0);
	child = fixture_store_apart(f, DEV(A30) "driver_override", "late");
	/* the machine goes on meanwhile */
	assert_int_equal(fixture_store(f, DEV(FLEX) "sriov_numvfs", "1"), 0);
	assert_int_equal(gs_sim_fault_list(f->sim, &text, NULL), 0);
	assert_string_equal(text, "write */driver_override hang\n");
	free(text);
	assert_true(fixture_child_is_running(child));
	assert_int_equal(fixture_fault(f, "release"), 0);
	assert_int_equal(fixture_child_result(child), 0);
	assert_file(f, DEV(A30) "driver_override", "late");
}

static void what_vanishes_is_gone_with_its_vfs(void **state)
{
	struct fixture *f = *state;
	unsigned int n = 0;

	assert_int_equal(fixture_store(f, DEV(FLEX) "sriov_numvfs", "2"), 0);
	assert_int_equal(fixture_fault(f, "vanish 0000:9a:00.2"), 0);
	assert_int_equal(count_vfs(f, FLEX), 1);
	assert_false(fixture_exists(f, "sys/bus/pci/devices/0000:9a:00.2"));
	assert_int_equal(fixture_fault(f, "vanish " FLEX), 0);
	assert_false(fixture_exists(f, "sys/bus/pci/devices/" FLEX));
	assert_false(fixture_exists(f, "sys/bus/pci/devices/0000:9a:00.1"));
	assert_int_equal(fixture_fault(f, "vanish " FLEX), -ENOENT);
	assert_int_equal(fixture_fault(f, "vanish " PRO), 0);
	fixture_init(f, true);
	assert_int_equal(NVML(f, DeviceGetCount_v2)(&n), GS_NVML_SUCCESS);
	assert_int_equal(n, 3);
	assert_int_equal(fixture_fault(f, "clear"), 0);
	assert_int_equal(count_vfs(f, FLEX), 2);
}

static void what_is_no_fault_is_refused(void **state)
{
	static const char *const wrong[] = {
		"write", "write *", "write * EWHAT", "write * 0", "write * EIO at 0", "write * hang at 2", "read * nothing",
		"read * EIO at 2", "program", "program sriov-manage", "program sriov-manage exit", "program sriov-manage exit 256",
		"program a/b nothing", "vanish", "vanish 0000:99:00.0", "reload", "reload nouveau",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < GS_ARRAY_SIZE(wrong); i++) {
		if (fixture_fault(f, wrong[i]) == 0)
			fail_msg("«%s» was accepted", wrong[i]);
	}
}

#define ON(host, name) \
	{ #name, name, fixture_setup, fixture_teardown, (void *)(uintptr_t)host }

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON("lab", a_card_goes_to_vfio_and_comes_back),
		ON("lab", bind_and_unbind_answer_as_the_bus_does),
		ON("lab", an_override_is_stored_as_the_kernel_stores_it),
		ON("lab", modes_of_files_bind_root_too),
		ON("lab", numvfs_answers_as_iov_c_does),
		ON("lab", vfs_are_functions_by_routing_id),
		ON("lab", an_unbind_waits_for_the_vm),
		ON("lab", a_write_whose_writer_was_killed_is_done_all_the_same),
		ON("lab", a_second_write_on_the_device_queues),
		ON("lab", a_sibling_of_a_held_card_cannot_go_home),
		ON("kvm-a2", disabling_vfs_stops_at_the_one_that_is_held),
		ON("lab", half_of_a_held_disable_can_be_seen),
		ON("lab", boot_vga_is_the_display_that_booted),
		ON("lab", a_pf_that_leaves_nvidia_loses_its_instances),
		ON("lab", nvml_lists_what_nvidia_drives),
		ON("lab", faults_strike_writes_and_reads),
		ON("lab", what_vanishes_is_gone_with_its_vfs),
		ON("lab", what_is_no_fault_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
