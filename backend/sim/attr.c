/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/attr.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "base/parse.h"

static const struct gs_sim_attr *const function_tables[] = {
	gs_sim_attr_pci, gs_sim_attr_mdev, gs_sim_attr_vendor_vfio, gs_sim_attr_amd, gs_sim_attr_intel,
};
static const struct gs_sim_attr *const other_tables[] = {
	gs_sim_attr_bus, gs_sim_attr_nvidia,
};

/* The last component of sys/devices/… that is an address; the rest is what follows. */
static bool split_function(struct gs_sim_write *w)
{
	const char *found = NULL;
	char bdf[13];

	if (!gs_str_starts(w->path, "sys/devices/"))
		return false;
	for (const char *p = strchr(w->path, '/'); p; p = strchr(p + 1, '/')) {
		const char *end = strchr(p + 1, '/');

		if (!end || end - p != 13)
			continue;
		memcpy(bdf, p + 1, 12);
		bdf[12] = '\0';
		if (gs_sim_bdf_is_valid(bdf))
			found = p + 1;
	}
	if (!found)
		return false;
	memcpy(bdf, found, 12);
	bdf[12] = '\0';
	w->rest = found + 13;
	return gs_sim_function_find(w->s, bdf, &w->f);
}

static int store_from(struct gs_sim_write *w, const struct gs_sim_attr *const *tables, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (const struct gs_sim_attr *a = tables[i]; a->pattern; a++) {
			if (fnmatch(a->pattern, w->rest, FNM_PATHNAME) == 0)
				return a->store(w);
		}
	}
	return -EACCES;
}

int gs_sim_attr_store(struct gs_sim_write *w)
{
	w->rest = w->path;
	w->f = (struct gs_sim_function){ 0 };
	w->wait = 0;
	if (split_function(w))
		return store_from(w, function_tables, GS_ARRAY_SIZE(function_tables));
	return store_from(w, other_tables, GS_ARRAY_SIZE(other_tables));
}

static int octal(const char *text, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (; *text; text++) {
		if (*text < '0' || *text > '7')
			return -EINVAL;
		if (value >> 61)
			return -ERANGE;
		value = value << 3 | (uint64_t)(*text - '0');
	}
	*ret_value = value;
	return 0;
}

int gs_sim_attr_number(const char *text, uint64_t *ret_value)
{
	if (text[0] == '+')
		text++;
	if (text[0] != '0' || !text[1])
		return gs_parse_u64(text, 10, ret_value);
	if (text[1] == 'x' || text[1] == 'X')
		return gs_parse_u64(text + 2, 16, ret_value);
	return octal(text + 1, ret_value);
}

int gs_sim_attr_index(const char *text, const char *prefix, uint32_t *ret_index)
{
	char digits[11];
	size_t n;

	if (!gs_str_starts(text, prefix))
		return -ENOENT;
	text += strlen(prefix);
	n = strspn(text, "0123456789");
	if (n == 0 || n >= sizeof(digits) || (text[n] && text[n] != '/'))
		return -ENOENT;
	memcpy(digits, text, n);
	digits[n] = '\0';
	return gs_parse_u32(digits, 10, ret_index) < 0 ? -ENOENT : 0;
}

int gs_sim_attr_bool(const char *text, bool *ret_value)
{
	switch (text[0]) {
	case 'y': case 'Y': case 't': case 'T': case '1':
		*ret_value = true;
		return 0;
	case 'n': case 'N': case 'f': case 'F': case '0':
		*ret_value = false;
		return 0;
	case 'o': case 'O':
		if (text[1] == 'n' || text[1] == 'N' || text[1] == 'f' || text[1] == 'F') {
			*ret_value = text[1] == 'n' || text[1] == 'N';
			return 0;
		}
		return -EINVAL;
	default:
		return -EINVAL;
	}
}
