/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test_sim_fixture.h"

static unsigned int free_eighths(struct fixture *f)
{
	unsigned int n = 99;

	assert_int_equal(NVML(f, DeviceGetGpuInstanceRemainingCapacity)(fixture_gpu(f, 3), 19, &n), GS_NVML_SUCCESS);
	return n;
}

static enum gs_nvml_return create(struct fixture *f)
{
	void *gi;

	return NVML(f, DeviceCreateGpuInstance)(fixture_gpu(f, 3), 19, &gi);
}

static void a_code_strikes_once_at_the_call_that_it_names(void **state)
{
	struct fixture *f = *state;
	char *left;

	fixture_init(f, true);
	assert_int_equal(fixture_fault(f, "nvml DeviceCreateGpuInstance 23 at 2"), 0);
	assert_int_equal(create(f), GS_NVML_SUCCESS);
	assert_int_equal(create(f), 23);
	assert_int_equal(free_eighths(f), 6);
	assert_int_equal(create(f), GS_NVML_SUCCESS);
	assert_int_equal(gs_sim_fault_list(f->sim, &left, NULL), 0);
	assert_string_equal(left, "");
	free(left);
}

static void a_star_counts_every_call_that_changes_something(void **state)
{
	struct fixture *f = *state;
	enum gs_nvml_return activation;

	fixture_init(f, true);
	assert_int_equal(fixture_fault(f, "nvml * 17 at 2"), 0);
	assert_int_equal(free_eighths(f), 7);   /* reading does not count */
	assert_int_equal(create(f), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, DeviceSetMigMode)(fixture_gpu(f, 6), 1, &activation), 17);
	assert_int_equal(create(f), GS_NVML_SUCCESS);
}

static void a_failed_call_counts_too(void **state)
{
	struct fixture *f = *state;
	void *gi;

	fixture_init(f, true);
	assert_int_equal(fixture_fault(f, "nvml * 17 at 2"), 0);
	assert_int_equal(NVML(f, DeviceCreateGpuInstance)(fixture_gpu(f, 0), 19, &gi), GS_NVML_INSUFFICIENT_RESOURCES);
	assert_int_equal(create(f), 17);
}

static void a_call_can_succeed_and_do_nothing(void **state)
{
	struct fixture *f = *state;
	enum gs_nvml_return activation = GS_NVML_UNKNOWN;
	struct gs_abi_gi_info info;
	unsigned int current, pending;
	void *gi = NULL;

	fixture_init(f, true);
	assert_int_equal(fixture_fault(f, "nvml DeviceCreateGpuInstance nothing"), 0);
	assert_int_equal(NVML(f, DeviceCreateGpuInstance)(fixture_gpu(f, 3), 19, &gi), GS_NVML_SUCCESS);
	assert_int_equal(free_eighths(f), 7);
	assert_int_equal(NVML(f, GpuInstanceGetInfo)(gi, &info), GS_NVML_INVALID_ARGUMENT);
	assert_int_equal(create(f), GS_NVML_SUCCESS);
	assert_int_equal(free_eighths(f), 6);
	assert_int_equal(fixture_fault(f, "nvml DeviceSetMigMode nothing"), 0);
	assert_int_equal(NVML(f, DeviceSetMigMode)(fixture_gpu(f, 6), 1, &activation), GS_NVML_SUCCESS);
	assert_int_equal(activation, GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, DeviceGetMigMode)(fixture_gpu(f, 6), &current, &pending), GS_NVML_SUCCESS);
	assert_int_equal(current, 0);
	assert_int_equal(pending, 0);
}

static void a_reading_call_can_fail_too(void **state)
{
	struct fixture *f = *state;
	unsigned int n;

	fixture_init(f, true);
	assert_int_equal(fixture_fault(f, "nvml DeviceGetCount 999 at 2"), 0);
	assert_int_equal(NVML(f, DeviceGetCount_v2)(&n), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, DeviceGetCount_v2)(&n), GS_NVML_UNKNOWN);
	assert_int_equal(NVML(f, DeviceGetCount_v2)(&n), GS_NVML_SUCCESS);
	assert_int_equal(NVML(f, Shutdown)(), GS_NVML_SUCCESS);
	assert_int_equal(fixture_fault(f, "nvml Init_v2 18"), 0);
	assert_int_equal(NVML(f, Init_v2)(), 18);
	assert_int_equal(NVML(f, Init_v2)(), GS_NVML_SUCCESS);
}

static void a_lost_gpu_answers_15_and_the_others_go_on(void **state)
{
	struct fixture *f = *state;
	unsigned int n, pending;
	enum gs_nvml_return activation;
	void *gpu, *again, *gi;
	char path[256];
	unsigned char byte = 0;
	int fd;

	fixture_init(f, true);
	gpu = fixture_gpu(f, 2);
	assert_int_equal(NVML(f, DeviceGetGpuInstanceById)(gpu, 1, &gi), GS_NVML_SUCCESS);
	assert_int_equal(fixture_fault(f, "nvml lost 0000:52:00.0"), 0);
	assert_int_equal(NVML(f, DeviceGetIndex)(gpu, &n), GS_NVML_GPU_IS_LOST);
	assert_int_equal(NVML(f, GpuInstanceDestroy)(gi), GS_NVML_GPU_IS_LOST);
	assert_int_equal(NVML(f, DeviceSetMigMode)(gpu, 1, &activation), GS_NVML_GPU_IS_LOST);
	assert_int_equal(NVML(f, DeviceGetHandleByIndex_v2)(2, &again), GS_NVML_GPU_IS_LOST);
	assert_int_equal(NVML(f, DeviceGetHandleByPciBusId_v2)("0000:52:00.0", &again), GS_NVML_GPU_IS_LOST);
	assert_int_equal(NVML(f, DeviceGetCount_v2)(&n), GS_NVML_SUCCESS);
	assert_int_equal(n, 8);
	assert_int_equal(NVML(f, DeviceGetMigMode)(fixture_gpu(f, 3), &n, &pending), GS_NVML_SUCCESS);
	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/0000:52:00.0/config", gs_sim_tree(f->sim));
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, &byte, 1), 1);
	close(fd);
	assert_int_equal(byte, 0xff);
	assert_int_equal(fixture_fault(f, "clear"), 0);
	assert_int_equal(NVML(f, DeviceGetIndex)(gpu, &n), GS_NVML_SUCCESS);
}

static void the_next_mode_change_can_stay_pending(void **state)
{
	struct fixture *f = *state;
	enum gs_nvml_return activation = GS_NVML_UNKNOWN;
	unsigned int current, pending;

	fixture_init(f, true);
	assert_int_equal(fixture_fault(f, "mode-pending 0000:d1:00.0"), 0);
	assert_int_equal(NVML(f, DeviceSetMigMode)(fixture_gpu(f, 6), 1, &activation), GS_NVML_SUCCESS);
	assert_int_equal(activation, GS_NVML_IN_USE);
	/* nobody holds it, but it waits all the same, also over a restart */
	assert_int_equal(NVML(f, Shutdown)(), GS_NVML_SUCCESS);
	f->sim = gs_sim_close(f->sim);
	assert_int_equal(gs_sim_open("dgx-h100", &f->sim, NULL), 0);
	fixture_init(f, true);
	assert_int_equal(NVML(f, DeviceGetMigMode)(fixture_gpu(f, 6), &current, &pending), GS_NVML_SUCCESS);
	assert_int_equal(current, 0);
	assert_int_equal(pending, 1);
	/* once: asked again it works */
	assert_int_equal(NVML(f, DeviceSetMigMode)(fixture_gpu(f, 6), 1, &activation), GS_NVML_SUCCESS);
	assert_int_equal(activation, GS_NVML_SUCCESS);
}

static bool has_ended(pid_t child, int *ret_status)
{
	return waitpid(child, ret_status, WNOHANG) == child;
}

static void a_hanging_call_holds_no_lock_and_goes_on_when_released(void **state)
{
	struct fixture *f = *state;
	int status = -1;
	pid_t child;

	fixture_symbol(f, "nvmlInit_v2");
	gs_sim_export_environment(f->sim, NULL);
	assert_int_equal(fixture_fault(f, "nvml DeviceCreateGpuInstance hang"), 0);
	child = fork();
	if (child == 0) {
		if (NVML(f, Init_v2)())
			_exit(1);
		_exit(create(f) == GS_NVML_SUCCESS ? 0 : 2);
	}
	usleep(200000);
	assert_false(has_ended(child, &status));
	/* everybody else can work meanwhile */
	assert_int_equal(fixture_kill(f, 48211, SIGTERM), 0);
	fixture_init(f, true);
	assert_int_equal(free_eighths(f), 7);
	assert_int_equal(fixture_fault(f, "release"), 0);
	for (int i = 0; i < 200 && !has_ended(child, &status); i++)
		usleep(10000);
	assert_int_equal(status, 0);
	assert_int_equal(free_eighths(f), 6);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_code_strikes_once_at_the_call_that_it_names),
		TEST(a_star_counts_every_call_that_changes_something),
		TEST(a_failed_call_counts_too),
		TEST(a_call_can_succeed_and_do_nothing),
		TEST(a_reading_call_can_fail_too),
		TEST(a_lost_gpu_answers_15_and_the_others_go_on),
		TEST(the_next_mode_change_can_stay_pending),
		TEST(a_hanging_call_holds_no_lock_and_goes_on_when_released),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
