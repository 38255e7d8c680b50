/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sim_expect.c - lists of what is to come: what is carried out, what is refused, and what the state file keeps. */
#include "test_sim_fixture.h"

#include <sys/time.h>

#include "backend/sim/expect.h"

static enum gs_nvml_return create(struct fixture *f)
{
	void *gi;

	return NVML(f, DeviceCreateGpuInstance)(fixture_gpu(f, 3), 19, &gi);
}

/* How it stands; the caller frees. */
static char *stands(struct fixture *f, bool *ret_is_met)
{
	char *text;

	assert_int_equal(gs_sim_expect_state(f->sim, &text, ret_is_met, NULL), 0);
	return text;
}

static void assert_stands(struct fixture *f, bool is_met, const char *wanted)
{
	bool is;
	char *text = stands(f, &is);

	assert_string_equal(text, wanted);
	assert_int_equal(is, is_met);
	free(text);
}

static void a_call_in_its_turn_is_carried_out(void **state)
{
	struct fixture *f = *state;

	fixture_init(f, true);
	assert_int_equal(gs_sim_expect(f->sim, "DeviceCreateGpuInstance\nDeviceCreateGpuInstance 0\n", NULL), 0);
	assert_stands(f, false, "0 of 2 came\nleft: DeviceCreateGpuInstance\nleft: DeviceCreateGpuInstance 0\n");
	assert_int_equal(create(f), GS_NVML_SUCCESS);
	assert_int_equal(create(f), GS_NVML_SUCCESS);
	assert_stands(f, true, "2 of 2 came\n");
}

static void a_call_out_of_turn_answers_999_and_does_nothing(void **state)
{
	struct fixture *f = *state;
	unsigned int before = 0, after = 0;

	fixture_init(f, true);
	NVML(f, DeviceGetGpuInstanceRemainingCapacity)(fixture_gpu(f, 3), 19, &before);
	assert_int_equal(gs_sim_expect(f->sim, "DeviceSetMigMode", NULL), 0);
	assert_int_equal(create(f), GS_NVML_UNKNOWN);
	NVML(f, DeviceGetGpuInstanceRemainingCapacity)(fixture_gpu(f, 3), 19, &after);
	assert_int_equal(before, 7);
	assert_int_equal(after, before);
	assert_stands(f, false, "0 of 1 came\nDeviceCreateGpuInstance came where DeviceSetMigMode was expected, number 1 of the list\nleft: DeviceSetMigMode\n");
}

static void the_list_can_give_an_answer(void **state)
{
	struct fixture *f = *state;

	fixture_init(f, true);
	assert_int_equal(gs_sim_expect(f->sim, "DeviceCreateGpuInstance 23", NULL), 0);
	assert_int_equal(create(f), GS_NVML_INSUFFICIENT_RESOURCES);
	assert_stands(f, true, "1 of 1 came\n");
}

static void a_failure_where_success_is_listed_is_noted(void **state)
{
	struct fixture *f = *state;
	void *gi;

	fixture_init(f, true);
	assert_int_equal(gs_sim_expect(f->sim, "DeviceCreateGpuInstance 0\nDeviceCreateGpuInstance", NULL), 0);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(NVML(f, DeviceCreateGpuInstance)(fixture_gpu(f, 0), 19, &gi), GS_NVML_INSUFFICIENT_RESOURCES);
	assert_stands(f, false, "2 of 2 came\nDeviceCreateGpuInstance 0, number 1 of the list, was answered with 23\n");
}

static void a_call_that_hangs_has_not_come(void **state)
{
	struct fixture *f = *state;
	pid_t child;
	int status;

	fixture_init(f, true);
	assert_int_equal(gs_sim_expect(f->sim, "DeviceCreateGpuInstance 0", NULL), 0);
	assert_int_equal(fixture_fault(f, "nvml DeviceCreateGpuInstance hang"), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(create(f) == GS_NVML_SUCCESS ? 0 : 1);
	assert_stands(f, false, "0 of 1 came\nleft: DeviceCreateGpuInstance 0\n");
	assert_int_equal(fixture_fault(f, "release"), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_stands(f, true, "1 of 1 came\n");
}

/* Written by a process that its timer ends: while it queues, unless the machine is very slow. */
static void store_for_a_while(struct fixture *f, const char *path, const char *text)
{
	const struct itimerval limit = { .it_value = { .tv_usec = 200000 } };
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		setitimer(ITIMER_REAL, &limit, NULL);
		gs_sim_root_ops.write(f->sim, path, text, strlen(text));
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
}

/* It looks again and again whether it may go on: only then it comes. */
static void a_write_that_queues_comes_when_it_goes_on(void **state)
{
	struct fixture *f = *state;
	pid_t first, second;

	assert_int_equal(gs_sim_expect(f->sim, "write unbind 0\nwrite bind 0", NULL), 0);
	first = fixture_store_apart(f, "sys/bus/pci/drivers/vfio-pci/unbind", "0000:65:00.0");
	fixture_await(f, "sys/bus/pci/devices/0000:65:00.0/driver", false);
	assert_stands(f, false, "1 of 2 came\nleft: write bind 0\n");
	store_for_a_while(f, "sys/bus/pci/drivers/vfio-pci/bind", "0000:65:00.0");
	assert_stands(f, false, "1 of 2 came\nleft: write bind 0\n");
	second = fixture_store_apart(f, "sys/bus/pci/drivers/vfio-pci/bind", "0000:65:00.0");
	assert_int_equal(fixture_fault(f, "release"), 0);
	assert_int_equal(fixture_child_result(first), 0);
	assert_int_equal(fixture_child_result(second), 0);
	assert_stands(f, true, "2 of 2 came\n");
}

static void many_out_of_turn_are_counted(void **state)
{
	struct fixture *f = *state;
	bool is_met;
	char *text;

	fixture_init(f, true);
	assert_int_equal(gs_sim_expect(f->sim, "DeviceSetMigMode", NULL), 0);
	for (unsigned i = 0; i < GS_SIM_UNEXPECTED_MAX + 3; i++)
		assert_int_equal(create(f), GS_NVML_UNKNOWN);
	text = stands(f, &is_met);
	assert_non_null(strstr(text, "and 3 more of that kind\n"));
	free(text);
}

static void writes_match_by_name_or_by_path(void **state)
{
	static const struct {
		const char *line, *path;
		bool is_next;
	} cases[] = {
		{ "write sriov_numvfs", "sys/a/sriov_numvfs", true },
		{ "write sriov_*", "sys/a/sriov_numvfs", true },
		{ "write */0000:01:00.0/sriov_numvfs", "sys/bus/0000:01:00.0/sriov_numvfs", true },
		{ "write /sys/bus/*/sriov_numvfs", "sys/bus/0000:01:00.0/sriov_numvfs", true },
	};
	(void)state;

	for (size_t i = 0; i < GS_ARRAY_SIZE(cases); i++) {
		struct gs_sim_state *s = gs_sim_state_new();
		struct gs_sim_fault_event event = { .target = GS_SIM_ON_WRITE, .name = cases[i].path };
		struct gs_sim_fault fault;
		bool counted = false;

		assert_int_equal(gs_sim_expect_parse(s, cases[i].line, NULL), 0);
		assert_false(gs_sim_expect_answers(s, &event, &fault, &counted));
		assert_true(counted);
		assert_int_equal(s->n_met, 1);
		/* a second time it is one too many, and the kernel's answer is EIO */
		assert_true(gs_sim_expect_answers(s, &event, &fault, &counted));
		assert_int_equal(fault.code, EIO);
		/* and what no line names is free */
		event.name = "sys/a/driver_override";
		assert_false(gs_sim_expect_answers(s, &event, &fault, &counted));
		assert_int_equal(s->n_unexpected, 1);
		gs_sim_state_free(s);
	}
}

static void the_state_file_keeps_it_all(void **state)
{
	struct fixture *f = *state;
	struct gs_sim_state *s;
	bool is_met;
	char *text, *again;
	size_t n;

	fixture_init(f, true);
	assert_int_equal(gs_sim_expect(f->sim, "DeviceSetMigMode 0\nwrite */x EIO\nwrite y 77\nprogram sriov-manage 130\nDeviceCreateGpuInstance", NULL), 0);
	assert_int_equal(create(f), GS_NVML_UNKNOWN);
	text = fixture_read(f, "../state.json");
	assert_int_equal(gs_sim_state_parse(text, strlen(text), "state.json", &s, NULL), 0);
	assert_int_equal(s->n_expected, 5);
	assert_int_equal(s->expected[1].code, EIO);
	assert_int_equal(s->expected[3].code, 130);
	assert_int_equal(s->expected[4].code, GS_SIM_NONE);
	assert_int_equal(s->n_unexpected, 1);
	assert_int_equal(gs_sim_state_format(s, &again, &n, NULL), 0);
	assert_memory_equal(again, text, strlen(text));
	gs_sim_state_free(s);
	free(again);
	free(text);
	assert_int_equal(gs_sim_expect_state(f->sim, &text, &is_met, NULL), 0);
	assert_non_null(strstr(text, "left: write */x EIO\n"));
	free(text);
}

/* The text of the state with @old replaced, once. */
static int parse_with(struct fixture *f, const char *old, const char *new)
{
	char *text = fixture_read(f, "../state.json"), *at = strstr(text, old), *changed;
	struct gs_sim_state *s = NULL;
	int r;

	assert_non_null(at);
	assert_true(asprintf(&changed, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old)) > 0);
	r = gs_sim_state_parse(changed, strlen(changed), "state.json", &s, NULL);
	gs_sim_state_free(s);
	free(changed);
	free(text);
	return r;
}

static void a_state_file_that_lies_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(gs_sim_expect(f->sim, "DeviceSetMigMode 0\nDeviceSetMigMode 1", NULL), 0);
	assert_int_equal(parse_with(f, "\"met\":0", "\"met\":2"), 0);
	assert_true(parse_with(f, "\"met\":0", "\"met\":3") < 0);
	assert_true(parse_with(f, "\"met\":0", "\"met\":-1") < 0);
	assert_true(parse_with(f, "\"n_unexpected\":0", "\"n_unexpected\":1") < 0);
	assert_true(parse_with(f, "DeviceSetMigMode 1", "DeviceGetName") < 0);
	assert_true(parse_with(f, "DeviceSetMigMode 1", "") < 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_call_in_its_turn_is_carried_out),
		TEST(a_call_out_of_turn_answers_999_and_does_nothing),
		TEST(the_list_can_give_an_answer),
		TEST(a_failure_where_success_is_listed_is_noted),
		TEST(a_call_that_hangs_has_not_come),
		cmocka_unit_test_prestate_setup_teardown(a_write_that_queues_comes_when_it_goes_on, fixture_setup, fixture_teardown, (char *)"lab"),
		TEST(many_out_of_turn_are_counted),
		cmocka_unit_test(writes_match_by_name_or_by_path),
		TEST(the_state_file_keeps_it_all),
		TEST(a_state_file_that_lies_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
