/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bdf.h - a PCI address. Sources: interfaces 0.5 (spellings). */
#ifndef GS_CORE_BDF_H
#define GS_CORE_BDF_H

#include <stdbool.h>
#include <stdint.h>

struct gs_bdf {
	uint32_t domain;    /* 16 bits from the kernel, 32 in NVML; real hosts have more than one */
	uint8_t bus, device, function;
};

#define GS_BDF_TEXT 24

/*
 * Accepts "0000:1b:00.0", NVML's "00000000:1B:00.0" and the short "1b:00.0"
 * (domain 0), either case. The whole string must be an address. -EINVAL.
 */
int gs_bdf_parse(const char *s, struct gs_bdf *ret_bdf);
/* Does @s look like an address (has a ':' and a '.')? For telling selectors apart. */
bool gs_bdf_looks_like(const char *s);

/* sysfs spelling, lower case: "0000:1b:00.0". @buf has GS_BDF_TEXT bytes; returns it. */
char *gs_bdf_format(struct gs_bdf bdf, char *buf);

int gs_bdf_compare(struct gs_bdf a, struct gs_bdf b);

#endif
