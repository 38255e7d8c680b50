/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is left of a simulated machine after a reboot. */
#include "test_sim_fixture.h"

#include <sys/file.h>

#define DEV(bdf) "sys/bus/pci/devices/" bdf "/"
#define A100 "0000:17:00.0"
#define A30 "0000:31:00.0"
#define PRO "0000:4b:00.0"
#define RTX "0000:65:00.0"
#define RTX_AUDIO "0000:65:00.1"
#define FLEX "0000:9a:00.0"
#define MI300X "0000:83:00.0"
#define BOOT_ID "proc/sys/kernel/random/boot_id"
#define DRIVER(name) "../../../../bus/pci/drivers/" name

static void reboot(struct fixture *f)
{
	struct gs_error e = { 0 };

	if (gs_sim_reboot(f->sim, &e) < 0)
		fail_msg("%s", e.text);
}

/* The file @path of the tree with its folders. */
static void put(struct fixture *f, const char *path, const char *text)
{
	char full[512];

	snprintf(full, sizeof(full), "%s/%s", gs_sim_tree(f->sim), path);
	assert_int_equal(gs_mkdir_parents(full, 0755), 0);
	assert_int_equal(rmdir(full), 0);
	assert_int_equal(gs_file_replace(full, text, strlen(text), 0600, NULL), 0);
}

static unsigned int mig_mode(struct fixture *f, unsigned int gpu, unsigned int *ret_pending)
{
	unsigned int mode = 77;

	assert_int_equal(NVML(f, DeviceGetMigMode)(fixture_gpu(f, gpu), &mode, ret_pending), GS_NVML_SUCCESS);
	return mode;
}

static void ampere_keeps_mig_mode_and_no_instance(void **state)
{
	struct fixture *f = *state;
	unsigned int pending, count = 77;
	void *gis[8];

	fixture_init(f, true);
	assert_true(fixture_exists(f, "proc/driver/nvidia/capabilities/gpu0/mig/gi1"));
	reboot(f);
	assert_int_equal(mig_mode(f, 0, &pending), 1);
	assert_int_equal(pending, 1);
	assert_false(fixture_exists(f, "proc/driver/nvidia/capabilities/gpu0/mig/gi1"));
	assert_int_equal(NVML(f, DeviceGetGpuInstances)(fixture_gpu(f, 0), 9, gis, &count), GS_NVML_SUCCESS);
	assert_int_equal(count, 0);
}

static void a_mode_that_was_asked_for_comes_on_ampere_only(void **state)
{
	struct fixture *f = *state;
	enum gs_nvml_return activation;
	unsigned int pending;

	assert_int_equal(fixture_fault(f, "mode-pending " A30), 0);
	assert_int_equal(fixture_fault(f, "mode-pending " PRO), 0);
	fixture_init(f, true);
	assert_int_equal(NVML(f, DeviceSetMigMode)(fixture_gpu(f, 1), 1, &activation), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, DeviceSetMigMode)(fixture_gpu(f, 3), 1, &activation), GS_NVML_SUCCESS);
	assert_int_equal(mig_mode(f, 1, &pending), 0);
	assert_int_equal(pending, 1);
	reboot(f);
	assert_int_equal(mig_mode(f, 1, &pending), 1);
	assert_int_equal(mig_mode(f, 3, &pending), 0);
	assert_int_equal(pending, 0);
}

static void hopper_does_not(void **state)
{
	struct fixture *f = *state;
	unsigned int pending;

	fixture_init(f, true);
	assert_int_equal(mig_mode(f, 0, &pending), 1);
	reboot(f);
	assert_int_equal(mig_mode(f, 0, &pending), 0);
	assert_int_equal(pending, 0);
}

static void functions_go_back_to_the_driver_of_their_ids(void **state)
{
	struct fixture *f = *state;

	assert_link(f, DEV(RTX) "driver", DRIVER("vfio-pci"));
	assert_int_equal(fixture_store(f, DEV(FLEX) "sriov_numvfs", "4"), 0);
	reboot(f);
	assert_link(f, DEV(RTX) "driver", DRIVER("nvidia"));
	assert_link(f, DEV(RTX_AUDIO) "driver", DRIVER("snd_hda_intel"));
	assert_file(f, DEV(RTX) "driver_override", "(null)");
	assert_file(f, DEV(FLEX) "sriov_numvfs", "0");
	assert_false(fixture_exists(f, DEV(FLEX) "virtfn0"));
}

static void vgpus_and_mdevs_are_gone(void **state)
{
	struct fixture *f = *state;

	assert_true(fixture_exists(f, "sys/bus/mdev/devices/00000000-0000-0000-0000-000000000108"));
	reboot(f);
	assert_true(fixture_exists(f, "sys/bus/mdev/devices"));
	assert_false(fixture_exists(f, "sys/bus/mdev/devices/00000000-0000-0000-0000-000000000108"));
	assert_file(f, DEV("0000:08:00.0") "sriov_numvfs", "0");
}

static void partitions_and_shares_come_up_as_their_drivers_have_them(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fixture_store(f, DEV(MI300X) "current_memory_partition", "NPS4"), 0);
	assert_int_equal(fixture_fault(f, "reload amdgpu"), 0);
	assert_int_equal(fixture_store(f, DEV(MI300X) "current_compute_partition", "CPX"), 0);
	assert_int_equal(fixture_store(f, DEV(FLEX) "sriov_admin/pf/profile/exec_quantum_ms", "10"), 0);
	assert_file(f, DEV(MI300X) "current_memory_partition", "NPS4");
	reboot(f);
	assert_file(f, DEV(MI300X) "current_memory_partition", "NPS1");
	assert_file(f, DEV(MI300X) "current_compute_partition", "SPX");
	assert_file(f, DEV(FLEX) "sriov_admin/pf/profile/exec_quantum_ms", "0");
}

static void units_are_back_and_nobody_else(void **state)
{
	struct fixture *f = *state;
	char output[64];

	assert_int_equal(fixture_run(f, "systemctl stop nvidia-dcgm.service", NULL, 0), 0);
	reboot(f);
	assert_file(f, "proc/1893/comm", "nvidia-persiste");
	assert_file(f, "proc/2044/comm", "nv-hostengine");
	assert_int_equal(fixture_run(f, "systemctl is-active nvidia-dcgm.service", output, sizeof(output)), 0);
	/* a VM, a container, a session, and the pid file of the VM */
	assert_false(fixture_exists(f, "proc/31007"));
	assert_false(fixture_exists(f, "proc/48211"));
	assert_false(fixture_exists(f, "proc/44710"));
	assert_false(fixture_exists(f, "run/libvirt/qemu/cad-desk.pid"));
	assert_true(fixture_exists(f, "etc/libvirt/qemu/cad-desk.xml"));
}

static void a_manager_process_goes_with_its_vm(void **state)
{
	struct fixture *f = *state;

	assert_true(fixture_exists(f, "proc/20140"));
	reboot(f);
	assert_true(fixture_exists(f, "proc/1950"));
	assert_false(fixture_exists(f, "proc/20140"));
}

static void each_boot_has_an_id_of_its_own(void **state)
{
	struct fixture *f = *state;
	char *first = fixture_read(f, BOOT_ID), *second, *third;

	reboot(f);
	second = fixture_read(f, BOOT_ID);
	reboot(f);
	third = fixture_read(f, BOOT_ID);
	assert_string_not_equal(first, second);
	assert_string_not_equal(second, third);
	assert_string_not_equal(first, third);
	/* and whoever opens the machine later finds that boot */
	gs_sim_close(f->sim);
	assert_int_equal(gs_sim_open("lab", &f->sim, NULL), 0);
	assert_file(f, BOOT_ID, third);
	free(first);
	free(second);
	free(third);
}

static void run_is_emptied_and_what_is_on_disk_stays(void **state)
{
	struct fixture *f = *state;
	char path[512];
	GS_CLOSE int lock = -1;

	put(f, "run/gpuslice/yield/0000:31:00.0", "4711\n");
	put(f, "run/gpuslice/lock", "4711\n");
	put(f, "run/gpuslice/writes/1", "{}");
	put(f, "run/other/deep/file", "x");
	put(f, "var/lib/gpuslice/journal/1", "kept");
	put(f, "etc/gpuslice/layout.json", "kept");
	snprintf(path, sizeof(path), "%s/run/gpuslice/lock", gs_sim_tree(f->sim));
	reboot(f);
	assert_false(fixture_exists(f, "run/gpuslice/yield/0000:31:00.0"));
	assert_true(fixture_exists(f, "run/gpuslice/yield"));
	assert_false(fixture_exists(f, "run/gpuslice/lock"));
	assert_false(fixture_exists(f, "run/gpuslice/writes"));
	assert_false(fixture_exists(f, "run/other"));
	/* the tree is derived again when a unit is stopped */
	assert_int_equal(fixture_run(f, "systemctl stop nvidia-dcgm.service", NULL, 0), 0);
	assert_file(f, "var/lib/gpuslice/journal/1", "kept");
	assert_file(f, "etc/gpuslice/layout.json", "kept");

	/* of a program that goes on through the reboot */
	put(f, "run/gpuslice/lock", "4711\n");
	lock = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(lock, LOCK_EX), 0);
	reboot(f);
	assert_true(fixture_exists(f, "run/gpuslice/lock"));

	assert_int_equal(gs_sim_reset("lab", NULL), 0);
	assert_false(fixture_exists(f, "var/lib/gpuslice/journal"));
	assert_false(fixture_exists(f, "etc/gpuslice/layout.json"));
}

static void a_write_that_hangs_dies_with_the_kernel(void **state)
{
	struct fixture *f = *state;
	pid_t faulty, waiting;

	assert_int_equal(fixture_fault(f, "write */" FLEX "/sriov_numvfs hang"), 0);
	faulty = fixture_store_apart(f, DEV(FLEX) "sriov_numvfs", "4");
	waiting = fixture_store_apart(f, DEV(RTX) "driver/unbind", RTX);
	fixture_await(f, DEV(RTX) "driver", false);
	assert_true(fixture_child_is_running(faulty));
	assert_true(fixture_child_is_running(waiting));
	reboot(f);
	assert_int_equal(fixture_child_result(faulty), -EIO);
	assert_int_equal(fixture_child_result(waiting), -EIO);
	assert_file(f, DEV(FLEX) "sriov_numvfs", "0");
	assert_link(f, DEV(RTX) "driver", DRIVER("nvidia"));
}

static void faults_are_gone_but_settings(void **state)
{
	struct fixture *f = *state;
	char *text = NULL;

	assert_int_equal(fixture_fault(f, "nvml lost " A30), 0);
	assert_int_equal(fixture_fault(f, "vanish " FLEX), 0);
	assert_int_equal(fixture_fault(f, "write * EIO at 3"), 0);
	assert_int_equal(fixture_fault(f, "read-only"), 0);
	assert_int_equal(fixture_fault(f, "uuid old"), 0);
	assert_int_equal(fixture_fault(f, "library old"), 0);
	reboot(f);
	assert_int_equal(gs_sim_fault_list(f->sim, &text, NULL), 0);
	assert_string_equal(text, "uuid old\nlibrary old\n");
	assert_true(fixture_exists(f, DEV(FLEX) "vendor"));
	free(text);
}

#define ON(host, test) { #test, test, fixture_setup, fixture_teardown, (void *)(uintptr_t)host }

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON("lab", ampere_keeps_mig_mode_and_no_instance),
		ON("lab", a_mode_that_was_asked_for_comes_on_ampere_only),
		ON("dgx-h100", hopper_does_not),
		ON("lab", functions_go_back_to_the_driver_of_their_ids),
		ON("kvm-a2", vgpus_and_mdevs_are_gone),
		ON("lab", partitions_and_shares_come_up_as_their_drivers_have_them),
		ON("lab", units_are_back_and_nobody_else),
		ON("kvm-l40s", a_manager_process_goes_with_its_vm),
		ON("lab", each_boot_has_an_id_of_its_own),
		ON("lab", run_is_emptied_and_what_is_on_disk_stays),
		ON("lab", a_write_that_hangs_dies_with_the_kernel),
		ON("lab", faults_are_gone_but_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
