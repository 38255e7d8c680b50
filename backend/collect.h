/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * collect.h - one look at a machine: PCI, NVML and process scans put together
 * into a sealed snapshot. Lives in the collector process only.
 */
#ifndef GS_BACKEND_COLLECT_H
#define GS_BACKEND_COLLECT_H

#include "backend/machine.h"
#include "backend/mig.h"
#include "core/snapshot.h"

struct gs_collect;

/* @machine is borrowed. NVML is loaded at the first look that needs it. */
int gs_collect_new(struct gs_machine *machine, struct gs_collect **ret_collect, struct gs_error *e);
struct gs_collect *gs_collect_free(struct gs_collect *c);
GS_DEFINE_CLEANUP(struct gs_collect *, gs_collect_free);

struct gs_collect_options {
	bool telemetry;
	bool fresh;     /* look at every process now, see gs_holders_scan() */
};

/*
 * What cannot be read becomes a notice or stays unknown; only an unreadable
 * PCI bus, two GPUs at one address and lack of memory are errors. One
 * reference for the caller.
 */
int gs_collect_snapshot(struct gs_collect *c, const struct gs_collect_options *options, struct gs_snapshot **ret_snapshot, struct gs_error *e);

/* For writers: NVML, loaded now if it was not; borrowed. The reason when there is none. */
int gs_collect_mig(struct gs_collect *c, struct gs_mig **ret_mig, struct gs_error *e);

#endif
