/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * restorers.h - who else on the machine puts layouts of its own back, at boot
 * or when a device appears, and so fights ours: enabled systemd units that cut
 * GPUs, mdevctl's definitions that start by themselves, udev rules, NVIDIA's
 * GPU Operator. Files only, nothing is run; what a unit does is told by the
 * words of its command, or of the script that it starts.
 *
 * A guess from words can be wrong both ways: a program that cuts GPUs without
 * naming a way to do it is not seen. So it is a note to an operator, never more.
 */
#ifndef GS_BACKEND_RESTORERS_H
#define GS_BACKEND_RESTORERS_H

#include "base/root.h"
#include "core/snapshot.h"

struct gs_restorers;

/* @root is borrowed. NULL when there is no memory. */
struct gs_restorers *gs_restorers_new(struct gs_root *root);
struct gs_restorers *gs_restorers_free(struct gs_restorers *r);
GS_DEFINE_CLEANUP(struct gs_restorers *, gs_restorers_free);

/*
 * Put them into the snapshot, after its GPUs and VFs: who names a function of
 * another device (a network card has VFs too) is left out. The files are read
 * once; whether they have changed is looked at with @fresh, or a minute later.
 * A folder that may not be read is a notice: not seen is not none. -ENOMEM.
 */
int gs_restorers_apply(struct gs_restorers *r, struct gs_snapshot *s, bool fresh);

/*
 * Does a command line of a unit, a line of a script or of a udev rule cut
 * GPUs, by its words? Then the word by which it was found, a constant; NULL
 * when not. Where it writes to a path with a PCI address, the last one goes to
 * *@ret_function and *@ret_has_function is set; both may be NULL.
 */
const char *gs_restorers_word(const char *line, struct gs_bdf *ret_function, bool *ret_has_function);

#endif
