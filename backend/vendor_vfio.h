/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vendor_vfio.h - NVIDIA's vGPUs without mdev: each VF is one, by the files in its directory nvidia/ (interfaces 2). */
#ifndef GS_BACKEND_VENDOR_VFIO_H
#define GS_BACKEND_VENDOR_VFIO_H

#include "backend/family.h"

extern const struct gs_family gs_family_vendor_vfio;

#endif
