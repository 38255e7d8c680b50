/* SPDX-License-Identifier: GPL-2.0-or-later */
/* agent_who.h - who asked an agent for something, for the record. */
#ifndef GS_BACKEND_AGENT_WHO_H
#define GS_BACKEND_AGENT_WHO_H

#include <stdint.h>

/*
 * Who asked, of more than root: the login uid of the audit system, which sudo
 * and su leave alone; else what sudo says of its caller; else who we are.
 */
uint32_t gs_agent_caller_uid(void);
/* Its name, or NULL; the caller frees. */
char *gs_agent_user_name(uint32_t uid);

#endif
