/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * paths.h - where the program finds what it ships: the install prefix, or the
 * build tree when the executable lies in one.
 *
 * Decided by the executable's own location (/proc/self/exe), never by the
 * environment or the working directory, so that a privileged agent cannot be
 * pointed at somebody else's files.
 */
#ifndef GS_BASE_PATHS_H
#define GS_BASE_PATHS_H

#include <stdbool.h>

#include "base/error.h"

/*
 * "<data>/<relative>", for "mig/h100.json", "themes/default.json"…; the caller
 * frees. NULL when there is no memory. The file need not exist.
 */
char *gs_data_path(const char *relative);

/* Absolute path of the stand-in libnvidia-ml.so.1; the caller frees. */
char *gs_standin_path(bool is_old);

/* Absolute path of this program, for exec; the caller frees. */
char *gs_program_path(void);

/*
 * Directory for state that outlives the program and belongs to the user:
 * $XDG_STATE_HOME/gpuslice or ~/.local/state/gpuslice; the caller frees.
 */
int gs_state_dir(char **ret_path, struct gs_error *e);

#endif
