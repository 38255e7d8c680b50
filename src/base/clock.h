/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock.h - two kinds of time that must not be mixed, so they are two types. */
#ifndef GS_BASE_CLOCK_H
#define GS_BASE_CLOCK_H

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

static inline int64_t gs_elapsed_ms(struct gs_monotonic since)
{
	return gs_monotonic_now().ms - since.ms;
}

#endif
