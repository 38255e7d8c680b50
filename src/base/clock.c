/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"

#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct gs_monotonic gs_monotonic_now(void)
{
	return (struct gs_monotonic){ read_clock(CLOCK_MONOTONIC) };
}

struct gs_wall gs_wall_now(void)
{
	return (struct gs_wall){ read_clock(CLOCK_REALTIME) };
}
