/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriov.h - virtual functions of any PF (interfaces 3): how many, who is bound
 * to them, who changes their number, and changing it.
 *
 * sriov_numvfs is never read: it hangs for as long as a VF is stuck (testbench
 * 4), and says what was asked, not what is. What is are the virtfnN links.
 */
#ifndef GS_BACKEND_SRIOV_H
#define GS_BACKEND_SRIOV_H

#include "backend/family.h"

#define GS_SRIOV_MANAGE "/usr/lib/nvidia/sriov-manage"

/* VFs and who changes them; a PF that sriov-manage left behind (interfaces 3.4). Carries out enable-vfs and disable-vfs. */
extern const struct gs_family gs_family_sriov;
/* VFs that carry no vGPU: each is an instance. After the families that know vGPUs. */
extern const struct gs_family gs_family_plain_vfs;

/* enable-vfs, disable-vfs; see struct gs_family. */
int gs_sriov_run(struct gs_writer *w, const struct gs_step *step, struct gs_step_outcome *ret_outcome, struct gs_error *e);

/* Has the NVIDIA driver of that GPU an unbindLock, so is it the vGPU host driver (interfaces 9.1)? */
bool gs_nvidia_has_unbind_lock(struct gs_root *root, struct gs_bdf gpu);

#endif
