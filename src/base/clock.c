/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
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

const char *gs_wall_format(struct gs_wall w, char buf[GS_WALL_TEXT])
{
	time_t t = (time_t)(w.ms / 1000);
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(buf, GS_WALL_TEXT, "%Y-%m-%d %H:%M:%S UTC", &tm))
		snprintf(buf, GS_WALL_TEXT, "?");
	return buf;
}

const char *gs_age_format(int64_t ms, char *buf, size_t size)
{
	int64_t s = ms > 0 ? ms / 1000 : 0;

	if (s < 120)
		snprintf(buf, size, "%" PRId64 " s", s);
	else if (s < 7200)
		snprintf(buf, size, "%" PRId64 " min", s / 60);
	else
		snprintf(buf, size, "%" PRId64 " h", s / 3600);
	return buf;
}
