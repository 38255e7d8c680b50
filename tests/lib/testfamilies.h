/* SPDX-License-Identifier: GPL-2.0-or-later */
/* testfamilies.h - a machine with everything that is not MIG, for tests. */
#ifndef GS_TESTS_TESTFAMILIES_H
#define GS_TESTS_TESTFAMILIES_H

#include "core/snapshot.h"

#define GS_TESTFAMILIES_SLOTS 32

/*
 * A sealed snapshot of six GPUs: 0, 1 and 5 L40S with vGPUs on VFs 0 and 3,
 * one held by a VM, and a write that waits; 2 a T4 with mdevs on the PF and
 * siblings; 3 a MIG-backed vGPU; 4 an MI300X with settings and a partition.
 * The caller owns the reference.
 */
struct gs_snapshot *gs_testfamilies(void);

#endif
