/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * passthrough.h - whole functions given to VFIO and taken back (interfaces 4):
 * what shares the IOMMU group or the board, what stands against it, and the
 * steps unbind-driver and bind-driver.
 *
 * A group is viable when every function in it is bound to VFIO, or to nothing,
 * or is a bridge (interfaces 4.4). So all of them are unbound before any is
 * bound; which ones is the plan's business.
 */
#ifndef GS_BACKEND_PASSTHROUGH_H
#define GS_BACKEND_PASSTHROUGH_H

#include "backend/family.h"

#define GS_DRIVERS_DIR "run/gpuslice/drivers"   /* a file per function: the driver that it had and, in a second line, its mode */

extern const struct gs_family gs_family_passthrough;

/* unbind-driver, bind-driver; see struct gs_family. step->mode: what the GPU was before, to be remembered. */
int gs_passthrough_run(struct gs_writer *w, const struct gs_step *step, struct gs_step_outcome *ret_outcome, struct gs_error *e);

/* "vfio-pci", or the variant that this device wants (interfaces 4.3). */
const char *gs_vfio_driver_for(struct gs_root *root, struct gs_bdf function);
/* Letters, digits, «-» and «_», no option: it becomes part of a path and of a command line. */
bool gs_driver_name_is_sound(const char *driver);
/* Is @driver one that gives a function to VFIO? */
bool gs_driver_is_vfio(const char *driver);

#endif
