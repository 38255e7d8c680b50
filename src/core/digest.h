/* SPDX-License-Identifier: GPL-2.0-or-later */
/* digest.h - a short name for a text, equal for equal texts: SHA-1 by libuuid's name-based UUIDs. */
#ifndef GS_CORE_DIGEST_H
#define GS_CORE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

struct gs_digest {
	char hex[33];   /* lower case; empty: none */
};

struct gs_digest gs_digest_of(const void *bytes, size_t n);
bool gs_digest_equal(const struct gs_digest *a, const struct gs_digest *b);

#endif
