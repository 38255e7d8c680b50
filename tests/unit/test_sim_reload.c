/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is left of a simulated machine when a driver has been loaded again, and when it refuses. */
#include "test_sim_fixture.h"

#include "base/clock.h"

#define DEV(bdf) "sys/bus/pci/devices/" bdf "/"
#define A30 "0000:31:00.0"
#define FLEX "0000:9a:00.0"
#define MI300X "0000:83:00.0"
#define DRIVER(name) "../../../../bus/pci/drivers/" name

static void reload(struct fixture *f, const char *driver)
{
	struct gs_error e = { 0 };

	if (gs_sim_reload(f->sim, driver, &e) < 0)
		fail_msg("%s", e.text);
}

static void assert_refused(struct fixture *f, const char *driver, enum gs_status status, const char *text)
{
	struct gs_error e = { 0 };
	char *before = fixture_read(f, "dev/kmsg"), *after;

	assert_true(gs_sim_reload(f->sim, driver, &e) < 0);
	assert_int_equal(e.status, status);
	if (!strstr(e.text, text))
		fail_msg("%s", e.text);
	after = fixture_read(f, "dev/kmsg");
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static unsigned int mig_mode(struct fixture *f, unsigned int gpu)
{
	unsigned int mode = 77, pending = 77;

	assert_int_equal(NVML(f, DeviceGetMigMode)(fixture_gpu(f, gpu), &mode, &pending), GS_NVML_SUCCESS);
	assert_int_equal(mode, pending);
	return mode;
}

static void work_is_refused_and_nothing_is_done(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, "nvidia", GS_STATUS_REFUSED, "Module nvidia is in use: pid 48211 python3 has 0000:1b:00.0 open");
	assert_true(fixture_exists(f, "proc/driver/nvidia/capabilities/gpu0/mig/gi1"));
	/* the services that would have been stopped were not */
	assert_file(f, "proc/1893/comm", "nvidia-persiste");
	assert_int_equal(fixture_run(f, "systemctl is-active nvidia-dcgm.service", NULL, 0), 0);
}

static void a_vm_and_an_open_node_are_work_too(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, "nvidia", GS_STATUS_REFUSED, "Module nvidia is in use: ");
	assert_int_equal(gs_sim_reboot(f->sim, NULL), 0);
	/* a real program that has NVML open on the simulated machine */
	fixture_init(f, true);
	assert_non_null(fixture_gpu(f, 0));
	assert_refused(f, "nvidia", GS_STATUS_REFUSED, "a program through NVML");
	assert_int_equal(NVML(f, Shutdown)(), GS_NVML_SUCCESS);
	reload(f, "nvidia");
	NVML(f, Init_v2)();
}

static void hopper_loses_its_mode_and_ampere_keeps_it(void **state)
{
	struct fixture *f = *state;
	bool is_lab = fixture_exists(f, DEV(MI300X));

	assert_int_equal(fixture_fault(f, "reload nvidia"), 0);
	fixture_init(f, true);
	assert_int_equal(mig_mode(f, 0), is_lab);
	assert_false(fixture_exists(f, "proc/driver/nvidia/capabilities/gpu0/mig/gi1"));
}

static void units_are_stopped_and_started_again(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(gs_sim_reboot(f->sim, NULL), 0);
	assert_true(fixture_exists(f, "proc/1893"));
	assert_true(fixture_exists(f, "proc/2210"));
	reload(f, NULL);
	assert_false(fixture_exists(f, "proc/1893"));
	assert_int_equal(fixture_run(f, "systemctl is-active nvidia-persistenced.service", NULL, 0), 0);
	/* one that has no GPU open was left alone */
	assert_file(f, "proc/2210/comm", "sshd");
}

static void other_families_lose_partitions_and_shares(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fixture_store(f, DEV(MI300X) "current_compute_partition", "CPX"), 0);
	assert_int_equal(fixture_store(f, DEV(MI300X) "current_memory_partition", "NPS4"), 0);
	assert_int_equal(fixture_store(f, DEV(FLEX) "sriov_admin/pf/profile/exec_quantum_ms", "10"), 0);
	assert_int_equal(fixture_store(f, DEV(FLEX) "sriov_numvfs", "4"), 0);
	reload(f, "amdgpu");
	assert_file(f, DEV(MI300X) "current_memory_partition", "NPS4");
	assert_file(f, DEV(FLEX) "sriov_numvfs", "4");
	reload(f, "xe");
	assert_file(f, DEV(FLEX) "sriov_numvfs", "0");
	assert_file(f, DEV(FLEX) "sriov_admin/pf/profile/exec_quantum_ms", "0");
	assert_refused(f, NULL, GS_STATUS_INVALID, "which driver? The GPUs of this host have nvidia, amdgpu, xe");
	assert_refused(f, "i915", GS_STATUS_INVALID, "no GPU of this host is driven by \"i915\"");
	/* what has a GPU that was given away is not its driver */
	assert_refused(f, "vfio-pci", GS_STATUS_INVALID, "no GPU of this host is driven by");
}

static void what_has_no_driver_is_taken(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fixture_store(f, DEV(FLEX) "driver/unbind", FLEX), 0);
	assert_refused(f, "xe", GS_STATUS_INVALID, "no GPU of this host is driven by");
	assert_int_equal(fixture_store(f, "sys/bus/pci/drivers/xe/bind", FLEX), 0);
	assert_link(f, DEV(FLEX) "driver", DRIVER("xe"));
}

/* The wall clock's time of the last record of the log, in ms. */
static int64_t last_record(struct fixture *f, const char **words, size_t n)
{
	char *log = fixture_read(f, "dev/kmsg"), *stat = fixture_read(f, "proc/stat"), *last = log ? strrchr(log, '\n') : NULL;
	unsigned long long boot = 0, us = 0;

	assert_non_null(last);
	for (size_t i = 0; i < n; i++)
		if (!strstr(last, words[i]))
			fail_msg("%s", last);
	assert_int_equal(sscanf(strstr(stat, "btime "), "btime %llu", &boot), 1);
	assert_int_equal(sscanf(last, "\n%*u,%*u,%llu,", &us), 1);
	free(log);
	free(stat);
	return (int64_t)(boot * 1000 + us / 1000);
}

static void the_log_says_it_at_the_real_time(void **state)
{
	struct fixture *f = *state;
	int64_t before = gs_wall_now().ms, at;

	reload(f, "amdgpu");
	at = last_record(f, (const char *[]){ "[drm] Initialized amdgpu ", " for " MI300X " on minor 1" }, 2);
	assert_true(at >= before && at <= gs_wall_now().ms);
	assert_int_equal(fixture_fault(f, "reload nvidia"), 0);
	at = last_record(f, (const char *[]){ "NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  580.105.06 " }, 1);
	assert_true(at >= before && at <= gs_wall_now().ms);
	/* a mere bind is said by a driver of the DRM subsystem */
	assert_int_equal(fixture_store(f, DEV(FLEX) "driver/unbind", FLEX), 0);
	assert_int_equal(fixture_store(f, "sys/bus/pci/drivers/xe/bind", FLEX), 0);
	last_record(f, (const char *[]){ "[drm] Initialized xe " }, 1);
	/* and a boot begins a log of its own, at its start */
	assert_int_equal(gs_sim_reboot(f->sim, NULL), 0);
	assert_true(last_record(f, (const char *[]){ "[drm] Initialized xe " }, 1) < before);
}

#define ON(host, test) { #test, test, fixture_setup, fixture_teardown, (void *)(uintptr_t)host }

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON("dgx-h100", work_is_refused_and_nothing_is_done),
		ON("kvm-l40s", a_vm_and_an_open_node_are_work_too),
		ON("dgx-h100", hopper_loses_its_mode_and_ampere_keeps_it),
		ON("lab", hopper_loses_its_mode_and_ampere_keeps_it),
		ON("dgx-h100", units_are_stopped_and_started_again),
		ON("lab", other_families_lose_partitions_and_shares),
		ON("lab", what_has_no_driver_is_taken),
		ON("lab", the_log_says_it_at_the_real_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
