/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log.h - the log of the simulated kernel: dev/kmsg, with what drivers say in it. */
#ifndef GS_SIM_LOG_H
#define GS_SIM_LOG_H

#include "backend/sim/state.h"

/* A record more, of now; the oldest goes where there is no room. Without memory the arena has failed. */
void gs_sim_log(struct gs_sim_state *s, unsigned priority, const char *fmt, ...) GS_PRINTF(3, 4);

/*
 * What @driver says when it has been loaded: NVIDIA's once, with @pci NULL; those of the DRM subsystem of each
 * function that they take, be it because they were loaded or bound. Nothing for others.
 */
void gs_sim_log_load(struct gs_sim_state *s, const char *driver, const struct gs_sim_pci *pci);

/* The log as a boot leaves it: the drivers of the GPUs have been loaded, a few seconds after the start. */
void gs_sim_log_boot(struct gs_sim_state *s);

#endif
