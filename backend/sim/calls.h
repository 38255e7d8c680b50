/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GS_SIM_CALLS_H
#define GS_SIM_CALLS_H

#include <stdbool.h>
#include <stdint.h>

/* The full name, without "nvml", of a function of the stand-in; its "_v2" may be left out. NULL: there is none. */
const char *gs_sim_call_find(const char *name);
/* Does it change the machine? "*" stands for all that do. */
bool gs_sim_call_is_mutating(const char *call);
/* An errno by name ("EIO") or number, never 0. False when it is none; *@ret_code may have been written then. */
bool gs_sim_errno_parse(const char *text, uint32_t *ret_code);

#endif
