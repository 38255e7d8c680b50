/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/agent_who.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/root.h"

/* The kernel's «nobody logged in» (audit). */
#define LOGIN_UID_NONE UINT32_MAX

uint32_t gs_agent_caller_uid(void)
{
	GS_CLEANUP(gs_root_closep) struct gs_root *host = NULL;
	const char *sudo = getenv("SUDO_UID");
	uint64_t login;
	uint32_t uid;

	if (gs_root_open(GS_ROOT_LIVE, NULL, &host, NULL) == 0 && gs_root_read_u64(host, 10, &login, "proc/self/loginuid") == 0 && login < LOGIN_UID_NONE)
		return (uint32_t)login;
	if (geteuid() == 0 && sudo && gs_parse_u32(sudo, 10, &uid) == 0)
		return uid;
	return (uint32_t)getuid();
}

char *gs_agent_user_name(uint32_t uid)
{
	struct passwd entry, *found = NULL;
	char buf[4096];

	if (getpwuid_r((uid_t)uid, &entry, buf, sizeof(buf), &found) != 0 || !found)
		return NULL;
	return strdup(entry.pw_name);
}
