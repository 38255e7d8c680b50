/* SPDX-License-Identifier: GPL-2.0-or-later */
/* program.h - run a program of this host: argv, no shell, a clean environment, never killed. */
#ifndef GS_BACKEND_PROGRAM_H
#define GS_BACKEND_PROGRAM_H

#include "base/error.h"

#define GS_PROGRAM_OUTPUT_MAX 8192

/*
 * argv[0]: an absolute path, or "systemctl", "modprobe" or "scontrol", which
 * are looked for in fixed places. Blocks until it has ended. *@ret_exit: its
 * exit status, 128 + N for a signal; *@ret_output: the first
 * GS_PROGRAM_OUTPUT_MAX bytes of what it printed on both outputs, the caller
 * frees. -ENOENT: not installed; -EINVAL: another name.
 */
int gs_program_run(const char *const *argv, int *ret_exit, char **ret_output, struct gs_error *e);

#endif
