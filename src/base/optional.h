/* SPDX-License-Identifier: GPL-2.0-or-later */
/* optional.h - a number that may be unknown. Unknown is not zero: JSON null, screen «-». */
#ifndef GS_BASE_OPTIONAL_H
#define GS_BASE_OPTIONAL_H

#include <stdbool.h>
#include <stdint.h>

struct gs_u32 {
	bool known;
	uint32_t value;
};

struct gs_u64 {
	bool known;
	uint64_t value;
};

struct gs_i64 {
	bool known;
	int64_t value;
};

#define GS_U32(v) ((struct gs_u32){ true, (v) })
#define GS_U64(v) ((struct gs_u64){ true, (v) })
#define GS_I64(v) ((struct gs_i64){ true, (v) })
#define GS_U32_UNKNOWN ((struct gs_u32){ false, 0 })
#define GS_U64_UNKNOWN ((struct gs_u64){ false, 0 })
#define GS_I64_UNKNOWN ((struct gs_i64){ false, 0 })

static inline bool gs_u32_is(struct gs_u32 o, uint32_t v)
{
	return o.known && o.value == v;
}

static inline bool gs_u32_equal(struct gs_u32 a, struct gs_u32 b)
{
	return a.known == b.known && (!a.known || a.value == b.value);
}

static inline bool gs_u64_equal(struct gs_u64 a, struct gs_u64 b)
{
	return a.known == b.known && (!a.known || a.value == b.value);
}

#endif
