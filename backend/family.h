/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * family.h - a way to cut a GPU that is written through sysfs: mdev, vendor
 * VFIO, SR-IOV, passthrough, AMD partitions, Intel. One file each, listed in
 * families.c. A family is found by its files, never by a kernel version or a
 * distribution (interfaces 9.1).
 *
 * Collecting runs in the collector, so it may block or die. Carrying out runs
 * in the agent, which has no driver library loaded; whatever is written goes
 * through gs_writer, whose child may block.
 */
#ifndef GS_BACKEND_FAMILY_H
#define GS_BACKEND_FAMILY_H

#include "backend/machine.h"
#include "backend/pci.h"
#include "backend/vgpu_names.h"
#include "codec/catalogue.h"
#include "core/commit.h"
#include "core/snapshot.h"

/* One GPU being looked at. */
struct gs_family_look {
	struct gs_root *root;
	const struct gs_pci_gpu *pci;
	struct gs_snapshot *snapshot;
	struct gs_gpu *gpu;             /* identity, driver, IOMMU group are filled in */
	const struct gs_catalogue *catalogue;   /* NULL when it cannot be loaded */
	struct gs_vgpu_names *names;            /* types seen before, see vgpu_names.h; what is seen now is added; may be NULL */
};

struct gs_writer;

struct gs_family {
	const char *name;               /* of the file: "vendor_vfio" */
	/*
	 * Add what this family knows about the GPU, when its files are there: VFs,
	 * grids, instances, settings, framework, mode and modes. Called for every
	 * GPU, in the order of the table; a later one sees what earlier ones
	 * found. What cannot be read becomes unknown or a notice: only -ENOMEM fails.
	 */
	int (*collect)(struct gs_family_look *look);    /* NULL: nothing to see */
	/* Does @step belong to this family? NULL: it has no steps. */
	bool (*takes)(const struct gs_step *step);
	/*
	 * Carry out @step. Success means that the kernel said so and, where the
	 * attribute can be read back, that it reads so; the commit looks again.
	 * Errors are sentences: what failed, on which function, why by the errno
	 * (interfaces 9.4), what state it is in, what to do. A write that still
	 * waits for a holder is success with outcome->is_pending and a note.
	 */
	int (*run)(struct gs_writer *w, const struct gs_step *step, struct gs_step_outcome *ret_outcome, struct gs_error *e);
};

/* NULL ends. */
extern const struct gs_family *const gs_families[];

/* Every family's collect, for one GPU. -ENOMEM. */
int gs_families_collect(struct gs_family_look *look);
/* The family that carries @step out, or NULL when NVML does. */
const struct gs_family *gs_family_of(const struct gs_step *step);

#endif
