/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mdev.h - vGPUs as mediated devices, on a PF (before Ampere, GVT-g) or one on
 * each VF (interfaces 1).
 */
#ifndef GS_BACKEND_MDEV_H
#define GS_BACKEND_MDEV_H

#include "backend/family.h"

/* Its steps are taken by gs_family_vendor_vfio, which finds the framework: both have the same. */
extern const struct gs_family gs_family_mdev;

#endif
