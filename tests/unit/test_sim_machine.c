/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test_sim_fixture.h"

#include <dirent.h>
#include <sys/file.h>

#define GPU0 "sys/bus/pci/devices/0000:1b:00.0/"

static void a_gpu_looks_as_the_kernel_shows_it(void **state)
{
	struct fixture *f = *state;

	assert_link(f, "sys/bus/pci/devices/0000:1b:00.0", "../../../devices/pci0000:15/0000:15:01.0/0000:1b:00.0");
	assert_file(f, GPU0 "vendor", "0x10de");
	assert_file(f, GPU0 "device", "0x2330");
	assert_file(f, GPU0 "class", "0x030200");
	assert_file(f, GPU0 "numa_node", "0");
	assert_file(f, GPU0 "driver_override", "(null)");
	assert_file(f, GPU0 "sriov_numvfs", "0");
	assert_file(f, GPU0 "modalias", "pci:v000010DEd00002330sv000010DEsd000016C1bc03sc02i00");
	assert_link(f, GPU0 "iommu_group", "../../../../kernel/iommu_groups/38");
	assert_link(f, GPU0 "driver", "../../../../bus/pci/drivers/nvidia");
	/* the links lead somewhere */
	assert_file(f, GPU0 "iommu_group/type", "DMA-FQ");
	assert_file(f, GPU0 "iommu_group/devices/0000:1b:00.0/vendor", "0x10de");
	assert_file(f, GPU0 "driver/0000:43:00.0/vendor", "0x10de");
	assert_file(f, GPU0 "driver/module/version", "570.124.06");
}

static void an_sriov_gpu_has_thirteen_resource_lines(void **state)
{
	struct fixture *f = *state;
	char *text = fixture_read(f, GPU0 "resource");
	int lines = 1;

	assert_non_null(text);
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 13);
	assert_int_equal(strlen(text), 13 * 57 - 1);
	free(text);
}

static void other_devices_are_there_to_be_filtered_out(void **state)
{
	struct fixture *f = *state;

	assert_file(f, "sys/bus/pci/devices/0000:07:00.0/class", "0x068000");
	assert_file(f, "sys/bus/pci/devices/0000:03:00.0/class", "0x030000");
	assert_file(f, "sys/bus/pci/devices/0000:03:00.0/vendor", "0x1a03");
	assert_file(f, "sys/bus/pci/devices/0000:05:00.0/class", "0x010802");
	assert_false(fixture_exists(f, "sys/bus/pci/devices/0000:05:00.0/sriov_totalvfs"));
}

static void procfs_speaks_the_drivers_format(void **state)
{
	struct fixture *f = *state;
	char *text = fixture_read(f, "proc/driver/nvidia/gpus/0000:9d:00.0/information");

	assert_non_null(text);
	assert_non_null(strstr(text, "Model: \t\t NVIDIA H100 80GB HBM3\n"));
	assert_non_null(strstr(text, "GPU UUID: \t GPU-71e4d8a9-"));
	assert_non_null(strstr(text, "Device Minor: \t 4\n"));
	free(text);
	assert_file(f, "proc/driver/nvidia/capabilities/mig/config",
		    "DeviceFileMinor: 1\nDeviceFileMode: 256\nDeviceFileModify: 1");
	/* GI 2 of GPU 0: 3 + 0*135 + 2*9, and its CI 0 */
	assert_file(f, "proc/driver/nvidia/capabilities/gpu0/mig/gi2/access",
		    "DeviceFileMinor: 21\nDeviceFileMode: 256\nDeviceFileModify: 1");
	assert_file(f, "proc/driver/nvidia/capabilities/gpu0/mig/gi2/ci0/access",
		    "DeviceFileMinor: 22\nDeviceFileMode: 256\nDeviceFileModify: 1");
	assert_true(fixture_exists(f, "dev/nvidia-caps/nvidia-cap22"));
	text = fixture_read(f, "proc/driver/nvidia-caps/mig-minors");
	assert_non_null(text);
	assert_true(strncmp(text, "config 1\nmonitor 2\ngpu0/gi0/access 3\ngpu0/gi0/ci0/access 4\n", 57) == 0);
	assert_non_null(strstr(text, "\ngpu31/gi14/ci7/access 4322"));
	free(text);
}

static void a_process_can_be_found_by_its_files(void **state)
{
	struct fixture *f = *state;
	char *text;

	assert_file(f, "proc/48211/comm", "python3");
	assert_file(f, "proc/48211/cgroup", "0::/user.slice/user-1001.slice/session-12.scope");
	assert_link(f, "proc/48211/fd/3", "/dev/nvidiactl");
	assert_link(f, "proc/48211/fd/4", "/dev/nvidia-uvm");
	assert_link(f, "proc/48211/fd/5", "/dev/nvidia0");
	assert_link(f, "proc/48211/fd/6", "/dev/nvidia-caps/nvidia-cap12");
	assert_link(f, "proc/48211/fd/7", "/dev/nvidia-caps/nvidia-cap13");
	text = fixture_read(f, "proc/48211/status");
	assert_non_null(strstr(text, "\nUid:\t1001\t1001\t1001\t1001\n"));
	free(text);
	text = fixture_read(f, "etc/passwd");
	assert_non_null(strstr(text, "\nalice:x:1001:"));
	free(text);
	assert_int_equal(fixture_start_time(f, 48211), 69704011);
	assert_file(f, "proc/sys/kernel/hostname", "dgx01");
	assert_link(f, "proc/1893/fd/4", "/dev/nvidia0");
	assert_link(f, "proc/2044/fd/4", "/dev/nvidia5");
}

static void what_is_equal_is_not_written_again(void **state)
{
	struct fixture *f = *state;
	char node[256], attribute[256];
	struct stat node_before, node_after, before, after;

	snprintf(node, sizeof(node), "%s/dev/nvidia0", gs_sim_tree(f->sim));
	snprintf(attribute, sizeof(attribute), "%s/" GPU0 "vendor", gs_sim_tree(f->sim));
	assert_int_equal(stat(node, &node_before), 0);
	assert_int_equal(stat(attribute, &before), 0);
	assert_int_equal(fixture_kill(f, 48211, SIGTERM), 0);
	assert_int_equal(gs_sim_reset("dgx-h100", NULL), 0);
	assert_int_equal(stat(node, &node_after), 0);
	assert_int_equal(stat(attribute, &after), 0);
	assert_int_equal(node_before.st_ino, node_after.st_ino);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_true(fixture_exists(f, "proc/48211/comm"));
}

static void a_tree_of_another_generation_is_repaired_on_opening(void **state)
{
	struct fixture *f = *state;
	char path[256], command_dir[256];
	int fd;

	/* as a killed writer leaves it: the mark is of before, something is missing, something is too much */
	snprintf(path, sizeof(path), "%s/.generation", gs_sim_tree(f->sim));
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/proc/48211/comm", gs_sim_tree(f->sim));
	assert_int_equal(unlink(path), 0);
	snprintf(command_dir, sizeof(command_dir), "%s/proc/99999/fd", gs_sim_tree(f->sim));
	assert_int_equal(gs_mkdir_parents(command_dir, 0755), 0);
	snprintf(path, sizeof(path), "%s/" GPU0 "vendor", gs_sim_tree(f->sim));
	fd = open(path, O_WRONLY | O_TRUNC);
	assert_true(fd >= 0);
	close(fd);
	f->sim = gs_sim_close(f->sim);
	assert_int_equal(gs_sim_open("dgx-h100", &f->sim, NULL), 0);
	assert_file(f, "proc/48211/comm", "python3");
	assert_file(f, GPU0 "vendor", "0x10de");
	assert_false(fixture_exists(f, "proc/99999"));
}

static void a_reset_empties_run_but_for_locks_and_requests(void **state)
{
	struct fixture *f = *state;
	char path[256];

	snprintf(path, sizeof(path), "%s/run/gpuslice/yield/0000:1b:00.0", gs_sim_tree(f->sim));
	assert_int_equal(gs_mkdir_parents(path, 0755), 0);
	assert_int_equal(fixture_kill(f, 48211, SIGTERM), 0);
	snprintf(path, sizeof(path), "%s/run/gpuslice/snapshot.json", gs_sim_tree(f->sim));
	assert_int_equal(gs_mkdir_parents(path, 0755), 0);
	assert_int_equal(gs_sim_reset("dgx-h100", NULL), 0);
	assert_true(fixture_exists(f, "run/gpuslice/yield/0000:1b:00.0"));
	assert_false(fixture_exists(f, "run/gpuslice/snapshot.json"));
}

static void a_signal_ends_a_process_and_all_that_it_held(void **state)
{
	struct fixture *f = *state;
	uint64_t start = fixture_start_time(f, 48211);

	assert_true(gs_sim_process_exists(f->sim, 48211, start));
	assert_false(gs_sim_process_exists(f->sim, 48211, start + 1));
	assert_int_equal(gs_sim_signal(f->sim, 48211, start + 1, SIGTERM), -ESRCH);
	assert_int_equal(gs_sim_signal(f->sim, 4, 1, SIGTERM), -ESRCH);
	assert_int_equal(gs_sim_signal(f->sim, 48211, start, 0), 0);
	assert_true(gs_sim_process_exists(f->sim, 48211, start));
	assert_int_equal(gs_sim_signal(f->sim, 48211, start, SIGTERM), 0);
	assert_false(gs_sim_process_exists(f->sim, 48211, start));
	assert_false(fixture_exists(f, "proc/48211"));
	assert_int_equal(gs_sim_signal(f->sim, 48211, start, SIGTERM), -ESRCH);
}

static void a_stubborn_process_survives_sigterm_but_not_sigkill(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fixture_kill(f, 71544, SIGTERM), 0);
	assert_true(fixture_exists(f, "proc/71544"));
	assert_int_equal(fixture_kill(f, 71544, SIGKILL), 0);
	assert_false(fixture_exists(f, "proc/71544"));
}

static void without_root_only_ones_own_processes_can_be_signalled(void **state)
{
	struct fixture *f = *state;

	gs_sim_set_root(f->sim, false);
	assert_int_equal(fixture_kill(f, 48211, SIGTERM), -EPERM);
	assert_int_equal(fixture_kill(f, 44710, SIGTERM), 0);
}

static int permit(struct fixture *f, const char *path)
{
	return gs_sim_root_ops.permit(f->sim, path);
}

static void without_root_foreign_descriptors_cannot_be_seen(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(permit(f, "proc/48211/fd"), 0);
	gs_sim_set_root(f->sim, false);
	assert_int_equal(permit(f, "proc/48211/fd"), -EACCES);
	assert_int_equal(permit(f, "proc/48211/fd/5"), -EACCES);
	assert_int_equal(permit(f, "proc/48211/fdinfo"), 0);
	assert_int_equal(permit(f, "proc/48211/cgroup"), 0);
	assert_int_equal(permit(f, "proc/44710/fd"), 0);
	assert_int_equal(permit(f, "dev/nvidia-caps/nvidia-cap1"), -EACCES);
	assert_int_equal(permit(f, "run/gpuslice/snapshot.json"), 0);
}

static int store(struct fixture *f, const char *path, const char *text)
{
	return gs_sim_root_ops.write(f->sim, path, text, strlen(text));
}

static void attributes_answer_writes_as_the_kernel_does(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(store(f, GPU0 "vendor", "0x1002\n"), -EACCES);
	assert_int_equal(store(f, GPU0 "no_such_thing", "1\n"), -ENOENT);
	assert_int_equal(store(f, "sys/bus/pci/devices/0000:ff:00.0/driver_override", "x\n"), -ENOENT);
	assert_int_equal(store(f, GPU0 "sriov_numvfs", "4\n"), -ENOENT);
	assert_int_equal(store(f, GPU0 "sriov_numvfs", "33\n"), -ERANGE);
	assert_int_equal(store(f, GPU0 "sriov_numvfs", "four\n"), -EINVAL);
	assert_int_equal(store(f, "sys/bus/pci/devices/0000:05:00.0/sriov_numvfs", "4\n"), -ENOENT);
	assert_int_equal(store(f, "sys/bus/pci/drivers/nvidia/unbind", "1b:00.0"), -ENODEV);
	assert_int_equal(store(f, "proc/sys/kernel/hostname", "x"), -EACCES);
	assert_file(f, GPU0 "sriov_numvfs", "0");
}

static void driver_override_is_kept_and_read_back(void **state)
{
	struct fixture *f = *state;
	char large[5000];

	assert_int_equal(store(f, GPU0 "driver_override", "vfio-pci\n"), 0);
	assert_file(f, GPU0 "driver_override", "vfio-pci");
	f->sim = gs_sim_close(f->sim);
	assert_int_equal(gs_sim_open("dgx-h100", &f->sim, NULL), 0);
	assert_file(f, GPU0 "driver_override", "vfio-pci");
	memset(large, 'x', sizeof(large));
	assert_int_equal(gs_sim_root_ops.write(f->sim, GPU0 "driver_override", large, sizeof(large)), -EINVAL);
	gs_sim_set_root(f->sim, false);
	assert_int_equal(store(f, GPU0 "driver_override", "\n"), -EACCES);
	gs_sim_set_root(f->sim, true);
	assert_int_equal(store(f, GPU0 "driver_override", "\n"), 0);
	assert_file(f, GPU0 "driver_override", "(null)");
}

static void an_unknown_host_names_the_known_ones(void **state)
{
	struct gs_error e = { 0 };
	struct gs_sim *sim = NULL;

	(void)state;
	assert_int_equal(gs_sim_open("../../etc", &sim, &e), -ENOENT);
	assert_int_equal(e.status, GS_STATUS_INVALID);
	assert_non_null(strstr(e.text, "dgx-h100"));
	assert_null(sim);
}

static void write_state(struct fixture *f, const char *text, size_t n)
{
	char *path = fixture_state_path(f);

	assert_int_equal(gs_file_replace(path, text, n, 0600, NULL), 0);
	free(path);
}

static void garbage_in_the_state_file_is_an_error_and_a_reset_heals_it(void **state)
{
	static const char *const garbage[] = {
		"", "{", "[]", "{} x", "\xff\xfe", "{\"schema\":\"gpuslice.sim-state/2\"}",
		"{\"schema\":\"gpuslice.sim-state/2\",\"generation\":-1}",
		"{\"schema\":\"gpuslice.sim-state/2\",\"generation\":1e300}",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < GS_ARRAY_SIZE(garbage); i++) {
		struct gs_error e = { 0 };
		struct gs_sim *sim = NULL;

		write_state(f, garbage[i], strlen(garbage[i]));
		assert_true(gs_sim_open("dgx-h100", &sim, &e) < 0);
		assert_null(sim);
		assert_non_null(strstr(e.text, "sim reset"));
		assert_int_equal(gs_sim_fault(f->sim, 1, (char *[]){ (char *)"clear" }, &e) < 0, 1);
	}
	assert_int_equal(gs_sim_reset("dgx-h100", NULL), 0);
	assert_int_equal(fixture_fault(f, "clear"), 0);
}

/* Whoever ran an earlier version must not meet an error at the first run of this one. */
static void the_state_of_another_version_is_made_anew(void **state)
{
	static const char older[] = "{\"schema\":\"gpuslice.sim-state/1\",\"generation\":7}";
	struct fixture *f = *state;
	struct gs_sim *sim = NULL;
	struct gs_error e = { 0 };

	write_state(f, older, strlen(older));
	assert_int_equal(gs_sim_open("dgx-h100", &sim, &e), 0);
	gs_sim_close(sim);
	assert_int_equal(fixture_fault(f, "clear"), 0);
}

/* Every single byte that is damaged either reads as something legal or is refused; nothing crashes. */
static void a_damaged_byte_never_does_more_than_fail(void **state)
{
	struct fixture *f = *state;
	char *path = fixture_state_path(f), *text;
	size_t n;

	assert_int_equal(gs_file_read(path, 1u << 22, &text, &n, NULL), 0);
	for (size_t i = 0; i < n; i += 211) {
		char *fault_text = NULL;
		char old = text[i];

		text[i] = (char)(i % 3 ? '9' : '"');
		write_state(f, text, n);
		if (gs_sim_fault_list(f->sim, &fault_text, NULL) == 0)
			free(fault_text);
		text[i] = old;
	}
	free(text);
	free(path);
}

static void a_writer_killed_at_any_moment_leaves_a_whole_machine(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 12; i++) {
		pid_t child = fork();

		if (child == 0) {
			for (;;) {
				fixture_fault(f, "uuid old");
				fixture_fault(f, "uuid new");
			}
		}
		usleep(3000 + i * 1700);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		f->sim = gs_sim_close(f->sim);
		assert_int_equal(gs_sim_open("dgx-h100", &f->sim, NULL), 0);
		assert_file(f, GPU0 "vendor", "0x10de");
		assert_file(f, "proc/48211/comm", "python3");
	}
}

static void faults_are_listed_as_they_were_given(void **state)
{
	struct fixture *f = *state;
	char *text;

	assert_int_equal(fixture_fault(f, "nvml DeviceCreateGpuInstance 23 at 2"), 0);
	assert_int_equal(fixture_fault(f, "nvml * nothing"), 0);
	assert_int_equal(fixture_fault(f, "nvml DeviceSetMigMode hang"), 0);
	assert_int_equal(fixture_fault(f, "nvml lost 0000:d1:00.0"), 0);
	assert_int_equal(fixture_fault(f, "mode-pending 0000:1b:00.0"), 0);
	assert_int_equal(fixture_fault(f, "uuid old"), 0);
	assert_int_equal(gs_sim_fault_list(f->sim, &text, NULL), 0);
	assert_string_equal(text, "nvml DeviceCreateGpuInstance 23 at 2\nnvml * nothing at 1\nnvml DeviceSetMigMode hang\n"
				  "mode-pending 0000:1b:00.0\nnvml lost 0000:d1:00.0\nuuid old\n");
	free(text);
	assert_int_equal(fixture_fault(f, "clear"), 0);
	assert_int_equal(gs_sim_fault_list(f->sim, &text, NULL), 0);
	assert_string_equal(text, "");
	free(text);
}

static void a_fault_that_is_none_is_refused(void **state)
{
	static const char *const wrong[] = {
		"", "nvml", "nvml NoSuchCall 3", "nvml DeviceSetMigMode", "nvml DeviceSetMigMode 0", "nvml * 1000",
		"nvml * 3 at", "nvml * 3 at 0", "nvml * 3 at x", "nvml * hang at 3", "nvml DeviceGetCount nothing",
		"nvml lost 0000:ff:00.0", "uuid maybe", "release me", "mode-pending", "explode",
	};
	struct fixture *f = *state;
	char *text;

	for (size_t i = 0; i < GS_ARRAY_SIZE(wrong); i++) {
		if (fixture_fault(f, wrong[i]) == 0)
			fail_msg("«%s» was accepted", wrong[i]);
	}
	assert_int_equal(gs_sim_fault(f->sim, 0, NULL, NULL), -EINVAL);
	assert_int_equal(gs_sim_fault_list(f->sim, &text, NULL), 0);
	assert_string_equal(text, "");
	free(text);
}

static void the_state_is_private(void **state)
{
	struct fixture *f = *state;
	char *path = fixture_state_path(f);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(gs_sim_dir(f->sim), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	free(path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_gpu_looks_as_the_kernel_shows_it),
		TEST(an_sriov_gpu_has_thirteen_resource_lines),
		TEST(other_devices_are_there_to_be_filtered_out),
		TEST(procfs_speaks_the_drivers_format),
		TEST(a_process_can_be_found_by_its_files),
		TEST(what_is_equal_is_not_written_again),
		TEST(a_tree_of_another_generation_is_repaired_on_opening),
		TEST(a_reset_empties_run_but_for_locks_and_requests),
		TEST(a_signal_ends_a_process_and_all_that_it_held),
		TEST(a_stubborn_process_survives_sigterm_but_not_sigkill),
		TEST(without_root_only_ones_own_processes_can_be_signalled),
		TEST(without_root_foreign_descriptors_cannot_be_seen),
		TEST(attributes_answer_writes_as_the_kernel_does),
		TEST(driver_override_is_kept_and_read_back),
		TEST(an_unknown_host_names_the_known_ones),
		TEST(garbage_in_the_state_file_is_an_error_and_a_reset_heals_it),
		TEST(the_state_of_another_version_is_made_anew),
		TEST(a_damaged_byte_never_does_more_than_fail),
		TEST(a_writer_killed_at_any_moment_leaves_a_whole_machine),
		TEST(faults_are_listed_as_they_were_given),
		TEST(a_fault_that_is_none_is_refused),
		TEST(the_state_is_private),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
