/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/bdf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

/* Read @min..@max hex digits into @ret and step over @end (0: end of string). NULL when it is something else. */
static const char *hex_field(const char *s, size_t min, size_t max, char end, uint32_t *ret)
{
	char digits[9];
	size_t n = strspn(s, "0123456789abcdefABCDEF");

	if (n < min || n > max || s[n] != end)
		return NULL;
	memcpy(digits, s, n);
	digits[n] = '\0';
	if (gs_parse_u32(digits, 16, ret) < 0)
		return NULL;
	return s + n + (end ? 1 : 0);
}

int gs_bdf_parse(const char *s, struct gs_bdf *ret_bdf)
{
	uint32_t domain = 0, bus, device, function;
	const char *first = strchr(s, ':');
	const char *p = s;

	if (first && strchr(first + 1, ':')) {
		p = hex_field(p, 4, 8, ':', &domain);
		if (!p)
			return -EINVAL;
	}
	p = hex_field(p, 2, 2, ':', &bus);
	p = p ? hex_field(p, 2, 2, '.', &device) : NULL;
	p = p ? hex_field(p, 1, 1, '\0', &function) : NULL;
	if (!p || device > 0x1f || function > 7)
		return -EINVAL;
	*ret_bdf = (struct gs_bdf){ domain, (uint8_t)bus, (uint8_t)device, (uint8_t)function };
	return 0;
}

bool gs_bdf_looks_like(const char *s)
{
	return strchr(s, ':') && strchr(s, '.') && strspn(s, "0123456789abcdefABCDEF:.") == strlen(s);
}

char *gs_bdf_format(struct gs_bdf bdf, char *buf)
{
	snprintf(buf, GS_BDF_TEXT, "%04x:%02x:%02x.%x", bdf.domain, bdf.bus, bdf.device, bdf.function & 0xfu);
	return buf;
}

int gs_bdf_compare(struct gs_bdf a, struct gs_bdf b)
{
	uint64_t x = (uint64_t)a.domain << 24 | (uint64_t)a.bus << 16 | (uint64_t)a.device << 8 | a.function;
	uint64_t y = (uint64_t)b.domain << 24 | (uint64_t)b.bus << 16 | (uint64_t)b.device << 8 | b.function;

	return x < y ? -1 : x > y;
}
