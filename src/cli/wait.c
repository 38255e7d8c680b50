/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>

#include "backend/lock.h"
#include "base/parse.h"
#include "cli/cli.h"

int gs_cli_take_wait(const char *value, uint32_t *ret_seconds, struct gs_error *e)
{
	uint32_t seconds;

	if (gs_parse_u32(value, 10, &seconds) < 0 || seconds > GS_LOCK_WAIT_SECONDS_MAX)
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "--wait takes a whole number of seconds, 0 to %d", GS_LOCK_WAIT_SECONDS_MAX);
	*ret_seconds = seconds;
	return 0;
}

const char *gs_cli_command_line(int argc, char **argv, char *buf, size_t size)
{
	size_t n = (size_t)snprintf(buf, size, "gpuslice");

	for (int i = 0; i < argc && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, " %s", argv[i]);
	gs_text_sanitize(buf);
	return buf;
}
