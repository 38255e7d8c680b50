/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/uevent.h"

#include <errno.h>
#include <libudev.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"

/* One turn of the poll loop takes this many at most, so that the client is served in a storm, too. */
#define TAKE_MAX 4096
/* Failures in a row after which the socket is given up: it would make the poll loop spin. */
#define FAILURES_MAX 64

struct gs_uevent {
	struct udev *udev;
	struct udev_monitor *monitor;   /* NULL: given up */
	bool is_asking;                 /* something happened since the last look */
	bool is_settling;               /* the last look was for events: one more, when it has settled */
	bool has_looked;
	struct gs_monotonic last_look;  /* that events asked for */
};

/* interfaces 4.6 */
static const char *const subsystems[] = { "pci", "mdev", "vfio-dev", "drm" };

int gs_uevent_new(struct gs_uevent **ret_uevent)
{
	GS_CLEANUP(gs_uevent_freep) struct gs_uevent *u = calloc(1, sizeof(*u));
	int r;

	if (!u)
		return -ENOMEM;
	u->udev = udev_new();
	if (!u->udev)
		return -ENOMEM;
	errno = 0;
	u->monitor = udev_monitor_new_from_netlink(u->udev, "kernel");
	if (!u->monitor)
		return errno ? -errno : -ENOSYS;
	for (size_t i = 0; i < GS_ARRAY_SIZE(subsystems); i++) {
		r = udev_monitor_filter_add_match_subsystem_devtype(u->monitor, subsystems[i], NULL);
		if (r < 0)
			return r;
	}
	r = udev_monitor_enable_receiving(u->monitor);
	if (r < 0)
		return r;
	*ret_uevent = GS_TAKE(u);
	return 0;
}

struct gs_uevent *gs_uevent_free(struct gs_uevent *u)
{
	if (!u)
		return NULL;
	udev_monitor_unref(u->monitor);
	udev_unref(u->udev);
	free(u);
	return NULL;
}

int gs_uevent_fd(const struct gs_uevent *u)
{
	return u && u->monitor ? udev_monitor_get_fd(u->monitor) : -1;
}

void gs_uevent_take(struct gs_uevent *u)
{
	int failures = 0;

	if (!u || !u->monitor)
		return;
	for (int n = 0; n < TAKE_MAX && failures < FAILURES_MAX; n++) {
		struct udev_device *device;

		errno = 0;
		device = udev_monitor_receive_device(u->monitor);
		if (device) {
			udev_device_unref(device);
			u->is_asking = true;
			failures = 0;
		} else if (errno == EAGAIN) {
			return;
		} else if (errno == ENOBUFS) {
			/* the kernel had no room for some: nobody knows which */
			u->is_asking = true;
		} else if (errno != EINTR) {
			failures++;
		}
	}
	if (failures < FAILURES_MAX)
		return;
	udev_monitor_unref(u->monitor);
	u->monitor = NULL;
	u->is_asking = true;
}

int gs_uevent_due_ms(const struct gs_uevent *u)
{
	int64_t since;

	if (!u || !(u->is_asking || u->is_settling))
		return -1;
	since = u->has_looked ? gs_elapsed_ms(u->last_look) : GS_UEVENT_PACE_MS;
	return since < GS_UEVENT_PACE_MS ? (int)(GS_UEVENT_PACE_MS - since) : 0;
}

void gs_uevent_looked(struct gs_uevent *u)
{
	if (!u || !(u->is_asking || (u->is_settling && gs_elapsed_ms(u->last_look) >= GS_UEVENT_PACE_MS)))
		return;
	u->is_settling = u->is_asking;
	u->is_asking = false;
	u->has_looked = true;
	u->last_look = gs_monotonic_now();
}
