/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * drivers.h - the driver core of the simulated kernel: which driver takes which
 * function, what unbinding and disabling VFs does, and writes that wait for a
 * holder. Results are those of testbench 4, read off a real kernel.
 *
 * A write that has to wait returns -EINPROGRESS and puts a record into the
 * state; it is finished by gs_sim_settle(), whoever calls that when the holder
 * has gone. So a queued write is carried out even if its writer was killed.
 */
#ifndef GS_SIM_DRIVERS_H
#define GS_SIM_DRIVERS_H

#include "backend/sim/function.h"
#include "backend/sim/state.h"

/* Is there sys/bus/pci/drivers/NAME: its module is loaded, or it is built in and some device is its own? */
bool gs_sim_driver_exists(const struct gs_sim_state *s, const char *driver);

/* drivers/NAME/bind. ENODEV no match, EBUSY bound or a sibling is a VFIO user's, EINVAL vfio without a group or a bridge. */
int gs_sim_bind(struct gs_sim_state *s, const struct gs_sim_function *f, const char *driver);
/* drivers_probe: success also when nothing was bound; EINVAL when the group is a VFIO user's. */
int gs_sim_probe(struct gs_sim_state *s, const struct gs_sim_function *f);
/* The function must have a driver. *@ret_wait: the record to wait for. */
int gs_sim_unbind(struct gs_sim_state *s, const struct gs_sim_function *f, int tree_fd, uint64_t *ret_wait);

/* Can this GPU's driver enable VFs through sriov_numvfs? nvidia, amdgpu and vfio-pci have no such callback. */
bool gs_sim_driver_can_sriov(const struct gs_sim_gpu *gpu);
/* VFs 0 to @n - 1 appear, and are probed when autoprobe is on. There are none now. */
void gs_sim_vfs_enable(struct gs_sim_state *s, struct gs_sim_gpu *gpu, uint32_t n);
int gs_sim_vfs_disable(struct gs_sim_state *s, struct gs_sim_gpu *gpu, uint64_t *ret_wait);
int gs_sim_mdev_remove(struct gs_sim_state *s, struct gs_sim_gpu *gpu, struct gs_sim_mdev *m, uint64_t *ret_wait);

/* What a VF or an mdev on it holds, or one on the PF: is any of it used by a VM? */
bool gs_sim_vf_is_held(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu, uint32_t n);
bool gs_sim_any_vgpu_is_held(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu);

/* The driver of this GPU goes, and with it all that it kept: GIs, vGPUs, VFs (interfaces 0.3). */
void gs_sim_driver_state_wipe(struct gs_sim_gpu *gpu);

/*
 * The module of @driver is unloaded and loaded again, whoever has its GPUs open: what it kept is gone, what was asked for
 * and waited for that is current (interfaces 5.8, 6.2, 6.3), and it takes every function of its own that has no driver. What lasts:
 * MIG mode on the boards that keep it, driver_override. The kernel's log says it. False: it drives no GPU here.
 */
bool gs_sim_driver_reload(struct gs_sim_state *s, const char *driver);

/* The record that a write on @what waits for, or 0. */
uint64_t gs_sim_pending_on(const struct gs_sim_state *s, const char *what);
bool gs_sim_is_pending(const struct gs_sim_state *s, uint64_t id);
/* Finish what waited for somebody who has gone; true when something changed. */
bool gs_sim_settle(struct gs_sim_state *s, int tree_fd);
/* A look without the lock whether settling would do anything. */
bool gs_sim_can_settle(const struct gs_sim_state *s, int tree_fd);

#endif
