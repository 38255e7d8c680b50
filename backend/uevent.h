/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uevent.h - the kernel's word that something came, went or got another
 * driver. It says only «look now»: what is there is read afresh by the next
 * collection, so an event may be lost, doubled or about something else. Writes
 * on attributes (sriov_numvfs, current_vgpu_type) emit none that one could
 * rely on (interfaces 4.6), so a watch polls all the same. And it comes in the
 * middle: a function is announced before it has its links and its driver. So
 * each look that events ask for is followed by one more.
 *
 * uevent.c alone includes <libudev.h>. The source is the kernel, not udevd:
 * what is read is sysfs, which needs no rule to have run, and a host or
 * container without udevd has it too.
 */
#ifndef GS_BACKEND_UEVENT_H
#define GS_BACKEND_UEVENT_H

#include "base/cleanup.h"

/* Looks that events cause are this far apart at least: thousands a second (a driver that binds 8 x 48 VFs) cost five looks a second. */
#define GS_UEVENT_PACE_MS 200

struct gs_uevent;

/*
 * Listen to the subsystems pci, mdev, vfio-dev and drm of this host; never for
 * a recorded or simulated machine. The caller owns it. Needs no privilege.
 * -ENOMEM, or what the kernel says where it gives nobody such a socket: then
 * polling is all there is.
 */
int gs_uevent_new(struct gs_uevent **ret_uevent);
struct gs_uevent *gs_uevent_free(struct gs_uevent *u);
GS_DEFINE_CLEANUP(struct gs_uevent *, gs_uevent_free);

/* All of these take NULL, which never hears anything. */

/* To be polled for POLLIN; -1: none (any more). */
int gs_uevent_fd(const struct gs_uevent *u);
/*
 * Take what is there; a look is due when any of it, or anything that was lost
 * for want of room (ENOBUFS), may be about a GPU. Bounded: what is left after a
 * few thousand makes the descriptor readable again.
 */
void gs_uevent_take(struct gs_uevent *u);
/* Milliseconds until the look that events ask for may begin; 0: now; -1: none asks. */
int gs_uevent_due_ms(const struct gs_uevent *u);
/* A look begins: it will see all that has been taken until now. */
void gs_uevent_looked(struct gs_uevent *u);

#endif
