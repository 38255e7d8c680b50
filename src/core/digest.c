/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/digest.h"

#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

struct gs_digest gs_digest_of(const void *bytes, size_t n)
{
	/* any fixed namespace would do; this one makes ours differ from other people's name-based UUIDs */
	static const uuid_t namespace = { 0x67, 0x70, 0x75, 0x73, 0x6c, 0x69, 0x63, 0x65, 0x64, 0x69, 0x67, 0x65, 0x73, 0x74, 0x2f, 0x31 };
	struct gs_digest d;
	uuid_t out;

	uuid_generate_sha1(out, namespace, bytes, n);
	for (size_t i = 0; i < sizeof(out); i++)
		snprintf(d.hex + 2 * i, 3, "%02x", (unsigned)out[i]);
	return d;
}

bool gs_digest_equal(const struct gs_digest *a, const struct gs_digest *b)
{
	return strcmp(a->hex, b->hex) == 0;
}
