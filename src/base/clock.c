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

static const char *format(struct gs_wall t, const char *how, char *buf, size_t size)
{
	/* rounded down, also before 1970 */
	time_t seconds = (time_t)(t.ms / 1000 - (t.ms % 1000 < 0));
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || !strftime(buf, size, how, &tm))
		snprintf(buf, size, "?");
	return buf;
}

const char *gs_wall_format(struct gs_wall t, char *buf, size_t size)
{
	return format(t, "%Y-%m-%d %H:%M:%S UTC", buf, size);
}

const char *gs_wall_format_iso(struct gs_wall t, char *buf, size_t size)
{
	return format(t, "%Y-%m-%dT%H:%M:%SZ", buf, size);
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
