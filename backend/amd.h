/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * amd.h - AMD's compute and memory partitions (interfaces 6): two settings of
 * a GPU, "compute-partition" and "memory-partition", and what they make of it
 * as a grid of XCCs. The files being there is the capability.
 */
#ifndef GS_BACKEND_AMD_H
#define GS_BACKEND_AMD_H

#include "backend/family.h"

#define GS_AMD_COMPUTE "compute-partition"
#define GS_AMD_MEMORY "memory-partition"
/* A request for a memory mode cannot be read back before the driver is loaded again: a file per GPU, {"value","driver"}. */
#define GS_AMD_MEMORY_DIR "run/gpuslice/amd-memory"

extern const struct gs_family gs_family_amd;

#endif
