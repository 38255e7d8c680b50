/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a look is due after events, against a libudev of this test's own: the
 * program's definitions come before the library's. The real one is under
 * tests/e2e/test_hotplug.c.
 */
#include <errno.h>
#include <libudev.h>
#include <stdlib.h>
#include <string.h>

#include "backend/uevent.h"
#include "base/clock.h"
#include "tests/lib/cmocka.h"

#define PATIENCE_MS 5000

static int fake_object;
static struct {
	int events, error;      /* what comes: events, then errors, then nothing */
	int errors;
	int refuse;             /* errno of a kernel that gives no socket */
	char source[16], subsystems[64];
	int closed;
} fake;

struct udev *udev_new(void)
{
	return (struct udev *)&fake_object;
}

struct udev *udev_unref(struct udev *udev)
{
	(void)udev;
	return NULL;
}

struct udev_monitor *udev_monitor_new_from_netlink(struct udev *udev, const char *name)
{
	(void)udev;
	snprintf(fake.source, sizeof(fake.source), "%s", name);
	errno = fake.refuse;
	return fake.refuse ? NULL : (struct udev_monitor *)&fake_object;
}

struct udev_monitor *udev_monitor_unref(struct udev_monitor *monitor)
{
	fake.closed += monitor ? 1 : 0;
	return NULL;
}

int udev_monitor_filter_add_match_subsystem_devtype(struct udev_monitor *monitor, const char *subsystem, const char *devtype)
{
	(void)monitor;
	assert_null(devtype);
	strncat(fake.subsystems, subsystem, sizeof(fake.subsystems) - strlen(fake.subsystems) - 1);
	strncat(fake.subsystems, " ", sizeof(fake.subsystems) - strlen(fake.subsystems) - 1);
	return 0;
}

int udev_monitor_enable_receiving(struct udev_monitor *monitor)
{
	(void)monitor;
	return 0;
}

int udev_monitor_get_fd(struct udev_monitor *monitor)
{
	(void)monitor;
	return 77;
}

struct udev_device *udev_monitor_receive_device(struct udev_monitor *monitor)
{
	(void)monitor;
	if (fake.events > 0) {
		fake.events--;
		return (struct udev_device *)&fake_object;
	}
	errno = EAGAIN;
	if (fake.errors > 0) {
		fake.errors--;
		errno = fake.error;
	}
	return NULL;
}

struct udev_device *udev_device_unref(struct udev_device *device)
{
	(void)device;
	return NULL;
}

static struct gs_uevent *start(void)
{
	struct gs_uevent *u = NULL;

	memset(&fake, 0, sizeof(fake));
	assert_int_equal(gs_uevent_new(&u), 0);
	return u;
}

static void the_kernel_is_asked_about_what_carries_gpus(void **state)
{
	GS_CLEANUP(gs_uevent_freep) struct gs_uevent *u = start();

	(void)state;
	assert_string_equal(fake.source, "kernel");
	assert_string_equal(fake.subsystems, "pci mdev vfio-dev drm ");
	assert_int_equal(gs_uevent_fd(u), 77);
	assert_int_equal(gs_uevent_due_ms(u), -1);
	gs_uevent_take(u);
	assert_int_equal(gs_uevent_due_ms(u), -1);
}

/* Until the look that is due by @since + the pace is due. */
static void wait_until_due(struct gs_uevent *u, struct gs_monotonic since)
{
	int ms;

	while ((ms = gs_uevent_due_ms(u)) > 0 && gs_elapsed_ms(since) < PATIENCE_MS)
		assert_true(ms <= GS_UEVENT_PACE_MS);
	assert_int_equal(ms, 0);
	assert_true(gs_elapsed_ms(since) >= GS_UEVENT_PACE_MS);
}

static void the_first_event_is_looked_at_at_once_the_next_after_a_pause(void **state)
{
	GS_CLEANUP(gs_uevent_freep) struct gs_uevent *u = start();
	struct gs_monotonic since;

	(void)state;
	fake.events = 1;
	gs_uevent_take(u);
	assert_int_equal(gs_uevent_due_ms(u), 0);
	/* before the look: a machine under load may pause us behind it */
	since = gs_monotonic_now();
	gs_uevent_looked(u);
	/* one that came during the look is not lost, and not looked at too soon */
	fake.events = 1;
	gs_uevent_take(u);
	assert_int_not_equal(gs_uevent_due_ms(u), -1);
	wait_until_due(u, since);
}

static void one_more_look_comes_when_it_has_settled(void **state)
{
	GS_CLEANUP(gs_uevent_freep) struct gs_uevent *u = start();
	struct gs_monotonic since;

	(void)state;
	fake.events = 1;
	gs_uevent_take(u);
	since = gs_monotonic_now();
	gs_uevent_looked(u);
	/* another look in the meantime came too early to be it; where we were paused for longer it is it */
	gs_uevent_looked(u);
	if (gs_elapsed_ms(since) < GS_UEVENT_PACE_MS)
		assert_in_range(gs_uevent_due_ms(u), 0, GS_UEVENT_PACE_MS);
	if (gs_uevent_due_ms(u) != -1)
		wait_until_due(u, since);
	gs_uevent_looked(u);
	assert_int_equal(gs_uevent_due_ms(u), -1);
}

static void a_look_that_nobody_asked_for_puts_none_off(void **state)
{
	GS_CLEANUP(gs_uevent_freep) struct gs_uevent *u = start();

	(void)state;
	gs_uevent_looked(u);
	fake.events = 1;
	gs_uevent_take(u);
	assert_int_equal(gs_uevent_due_ms(u), 0);
}

static void a_storm_is_taken_in_turns_that_end(void **state)
{
	GS_CLEANUP(gs_uevent_freep) struct gs_uevent *u = start();
	int turns = 0;

	(void)state;
	fake.events = 1000000;
	gs_uevent_take(u);
	assert_in_range(fake.events, 1, 999999);
	while (fake.events && turns++ < 1000000)
		gs_uevent_take(u);
	assert_int_equal(fake.events, 0);
	assert_int_equal(gs_uevent_due_ms(u), 0);
}

static void lost_events_are_a_reason_to_look(void **state)
{
	GS_CLEANUP(gs_uevent_freep) struct gs_uevent *u = start();

	(void)state;
	fake.errors = 1;
	fake.error = ENOBUFS;
	gs_uevent_take(u);
	assert_int_equal(gs_uevent_due_ms(u), 0);
	assert_int_equal(gs_uevent_fd(u), 77);
}

static void an_interrupted_call_is_none(void **state)
{
	GS_CLEANUP(gs_uevent_freep) struct gs_uevent *u = start();

	(void)state;
	fake.errors = 1;
	fake.error = EINTR;
	gs_uevent_take(u);
	assert_int_equal(gs_uevent_due_ms(u), -1);
}

static void a_socket_that_only_fails_is_given_up(void **state)
{
	GS_CLEANUP(gs_uevent_freep) struct gs_uevent *u = start();

	(void)state;
	fake.errors = 1000000;
	fake.error = EBADF;
	gs_uevent_take(u);
	assert_int_equal(gs_uevent_fd(u), -1);
	assert_int_equal(fake.closed, 1);
	assert_int_equal(gs_uevent_due_ms(u), 0);
	gs_uevent_take(u);
}

static void without_a_socket_there_is_none(void **state)
{
	struct gs_uevent *u = NULL;

	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.refuse = EPROTONOSUPPORT;
	assert_int_equal(gs_uevent_new(&u), -EPROTONOSUPPORT);
	assert_null(u);
	assert_int_equal(gs_uevent_fd(u), -1);
	assert_int_equal(gs_uevent_due_ms(u), -1);
	gs_uevent_take(u);
	gs_uevent_looked(u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_is_asked_about_what_carries_gpus),
		cmocka_unit_test(the_first_event_is_looked_at_at_once_the_next_after_a_pause),
		cmocka_unit_test(one_more_look_comes_when_it_has_settled),
		cmocka_unit_test(a_look_that_nobody_asked_for_puts_none_off),
		cmocka_unit_test(a_storm_is_taken_in_turns_that_end),
		cmocka_unit_test(lost_events_are_a_reason_to_look),
		cmocka_unit_test(an_interrupted_call_is_none),
		cmocka_unit_test(a_socket_that_only_fails_is_given_up),
		cmocka_unit_test(without_a_socket_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
