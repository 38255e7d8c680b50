/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock.h - two kinds of time that must not be mixed, so they are two types. */
#ifndef GS_BASE_CLOCK_H
#define GS_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* For durations and deadlines. */
struct gs_monotonic {
	int64_t ms;
};

/* For people and files: milliseconds since 1970, UTC. */
struct gs_wall {
	int64_t ms;
};

struct gs_monotonic gs_monotonic_now(void);
struct gs_wall gs_wall_now(void);

#define GS_WALL_TEXT 32
/* "2026-11-21 14:03:09 UTC" for sentences, "2026-11-21T14:03:09Z" (ISO 8601) for columns; "?" for what no calendar has. Return @buf. */
const char *gs_wall_format(struct gs_wall t, char *buf, size_t size);
const char *gs_wall_format_iso(struct gs_wall t, char *buf, size_t size);

/* How long ago for people, in one unit: "90 s", "5 min", "3 h"; what lies ahead is "0 s". Returns @buf. */
const char *gs_age_format(int64_t ms, char *buf, size_t size);

static inline int64_t gs_elapsed_ms(struct gs_monotonic since)
{
	return gs_monotonic_now().ms - since.ms;
}

#endif
