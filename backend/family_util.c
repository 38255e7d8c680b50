/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/family_util.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/parse.h"

#define ENTRIES_MAX 65536
#define CHOICES_MAX 16
#define PARAMS_MAX 32

const char *gs_function_driver(struct gs_root *root, struct gs_bdf function, char *buf)
{
	GS_FREE char *name = NULL;
	char bdf[GS_BDF_TEXT];

	buf[0] = '\0';
	if (gs_root_readlink_name(root, &name, GS_PCI_DEVICES "/%s/driver", gs_bdf_format(function, bdf)) == 0)
		snprintf(buf, GS_WORD, "%s", name);
	return buf;
}

bool gs_function_has(struct gs_root *root, struct gs_bdf function, const char *file)
{
	char bdf[GS_BDF_TEXT];

	gs_bdf_format(function, bdf);
	return file ? gs_root_exists(root, GS_PCI_DEVICES "/%s/%s", bdf, file) : gs_root_exists(root, GS_PCI_DEVICES "/%s", bdf);
}

uint32_t gs_function_class(struct gs_root *root, struct gs_bdf function)
{
	char bdf[GS_BDF_TEXT];
	uint64_t value;

	if (gs_root_read_u64(root, 16, &value, GS_PCI_DEVICES "/%s/class", gs_bdf_format(function, bdf)) < 0 || value > 0xffffff)
		return 0;
	return (uint32_t)value;
}

struct gs_u32 gs_function_group(struct gs_root *root, struct gs_bdf function)
{
	GS_FREE char *name = NULL;
	char bdf[GS_BDF_TEXT];
	uint32_t group;

	if (gs_root_readlink_name(root, &name, GS_PCI_DEVICES "/%s/iommu_group", gs_bdf_format(function, bdf)) < 0 || gs_parse_u32(name, 10, &group) < 0)
		return GS_U32_UNKNOWN;
	return GS_U32(group);
}

int gs_vf_function(struct gs_root *root, struct gs_bdf pf, uint32_t n, struct gs_bdf *ret_vf)
{
	GS_FREE char *name = NULL;
	char bdf[GS_BDF_TEXT];
	int r = gs_root_readlink_name(root, &name, GS_PCI_DEVICES "/%s/virtfn%" PRIu32, gs_bdf_format(pf, bdf), n);

	return r < 0 ? r : gs_bdf_parse(name, ret_vf);
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

int gs_numbered_entries(struct gs_root *root, const char *directory, const char *prefix, uint32_t *ret_numbers, size_t max, size_t *ret_n)
{
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	unsigned seen = 0;
	size_t n = 0;
	int r = gs_root_opendir(root, &dir, "%s", directory);

	if (r < 0)
		return r;
	while (n < max && seen++ < ENTRIES_MAX && (entry = readdir(dir))) {
		uint32_t number;

		if (!gs_str_starts(entry->d_name, prefix) || gs_parse_u32(entry->d_name + strlen(prefix), 10, &number) < 0)
			continue;
		ret_numbers[n++] = number;
	}
	/* the directory's order is lexical: 1, 10, 11, 2 (interfaces 3.1) */
	if (n)
		qsort(ret_numbers, n, sizeof(*ret_numbers), compare_u32);
	*ret_n = n;
	return 0;
}

int gs_vfs_count(struct gs_root *root, struct gs_bdf pf, uint32_t *ret_n)
{
	char directory[64 + GS_BDF_TEXT], bdf[GS_BDF_TEXT];
	uint32_t numbers[1024];
	size_t n = 0;
	int r;

	snprintf(directory, sizeof(directory), GS_PCI_DEVICES "/%s", gs_bdf_format(pf, bdf));
	r = gs_numbered_entries(root, directory, "virtfn", numbers, GS_ARRAY_SIZE(numbers), &n);
	if (r == 0)
		*ret_n = (uint32_t)n;
	return r;
}

bool gs_attribute_is_writable(struct gs_root *root, struct gs_bdf function, const char *file)
{
	char bdf[GS_BDF_TEXT];
	struct stat st;

	return gs_root_stat(root, &st, GS_PCI_DEVICES "/%s/%s", gs_bdf_format(function, bdf), file) == 0 && (st.st_mode & 0222);
}

int gs_slots_make(struct gs_snapshot *s, uint32_t units, struct gs_profile *items, size_t n, enum gs_profile_source source, struct gs_profile_set *ret_set)
{
	struct gs_span *spans;

	if (units > GS_GRID_UNITS_MAX)
		units = GS_GRID_UNITS_MAX;
	spans = gs_arena_calloc(gs_snapshot_arena(s), units ? units : 1, sizeof(*spans));
	if (!spans)
		return -ENOMEM;
	for (uint32_t i = 0; i < units; i++)
		spans[i] = (struct gs_span){ i, 1 };
	for (size_t i = 0; i < n; i++) {
		items[i].placements = spans;
		items[i].n_placements = units;
	}
	*ret_set = (struct gs_profile_set){ .memory_units = units, .max_instances = units, .items = items, .n = n, .source = source, .is_slots = true };
	return 0;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct gs_key_value *)a)->key, ((const struct gs_key_value *)b)->key);
}

int gs_params_add(struct gs_snapshot *s, struct gs_instance *inst, const char *key, const char *value)
{
	struct gs_key_value *params = gs_arena_calloc(gs_snapshot_arena(s), inst->n_params + 1, sizeof(*params));
	const char *text_of_key = gs_snapshot_text(s, key), *text_of_value = gs_snapshot_text(s, value);

	if (!params || !text_of_key || !text_of_value)
		return -ENOMEM;
	if (inst->n_params)
		memcpy(params, inst->params, inst->n_params * sizeof(*params));
	params[inst->n_params] = (struct gs_key_value){ text_of_key, text_of_value };
	inst->params = params;
	inst->n_params++;
	qsort(params, inst->n_params, sizeof(*params), by_key);
	return 0;
}

int gs_params_read(struct gs_snapshot *s, struct gs_instance *inst, const char *text)
{
	GS_FREE char *copy = strdup(text);
	char *at = copy;

	if (!copy)
		return -ENOMEM;
	for (unsigned i = 0; at && *at && i < PARAMS_MAX; i++) {
		char *word = strsep(&at, ",");
		char *equals;

		word += strspn(word, " \t\n");
		word[strcspn(word, " \t\n")] = '\0';
		equals = strchr(word, '=');
		if (!equals || equals == word)
			continue;
		*equals = '\0';
		/* said twice: the first one counts, as the keys of an instance are few and one each */
		if (!gs_instance_param(inst, word) && gs_params_add(s, inst, word, equals + 1) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int read_choices(struct gs_snapshot *s, struct gs_setting *setting, const char *text)
{
	const char **words = gs_arena_calloc(gs_snapshot_arena(s), CHOICES_MAX, sizeof(*words));
	GS_FREE char *copy = strdup(text);
	char *at = copy, *word;
	size_t n = 0;

	if (!words || !copy)
		return -ENOMEM;
	while (n < CHOICES_MAX && (word = strsep(&at, ", \t\n"))) {
		/* «[low] normal»: brackets mark the active one (interfaces 7.1) */
		if (*word == '[')
			word++;
		word[strcspn(word, "]")] = '\0';
		if (!*word)
			continue;
		words[n] = gs_snapshot_text(s, word);
		if (!words[n++])
			return -ENOMEM;
	}
	setting->choices = words;
	setting->n_choices = n;
	return 0;
}

struct gs_setting *gs_setting_add(struct gs_snapshot *s, struct gs_gpu *gpu, const char *key, const char *value, const char *choices, const char *fixed)
{
	struct gs_setting *setting = gs_gpu_add_setting(s, gpu);

	if (!setting)
		return NULL;
	setting->key = key;
	setting->value = gs_snapshot_text(s, value);
	setting->fixed = gs_snapshot_text(s, fixed);
	if ((value && !setting->value) || (fixed && !setting->fixed) || (choices && read_choices(s, setting, choices) < 0))
		return NULL;
	return setting;
}

/* ---------------------------------------------------------------- carrying out */

void gs_doing_begin(struct gs_doing *d, struct gs_writer *w, const struct gs_step *step, struct gs_step_outcome *outcome, struct gs_error *e)
{
	memset(d, 0, sizeof(*d));
	d->w = w;
	d->root = gs_writer_root(w);
	d->step = step;
	d->outcome = outcome;
	d->e = e ? e : &d->own;
	d->e->text[0] = '\0';
}

int gs_doing_write(struct gs_doing *d, struct gs_bdf function, const char *value, const char *fmt, ...)
{
	char path[PATH_MAX], bdf[GS_BDF_TEXT], holders[160];
	va_list ap;
	int n, r;

	va_start(ap, fmt);
	n = vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	r = gs_writer_write(d->w, function, path, value, d->e);
	if (r == -EINPROGRESS) {
		gs_writer_holders(d->w, function, holders, sizeof(holders));
		d->outcome->is_pending = true;
		snprintf(d->outcome->note, sizeof(d->outcome->note), "%s: the write to %.64s waits in the kernel%s%.80s; it is carried out when it is let go",
			 gs_bdf_format(function, bdf), strrchr(path, '/') ? strrchr(path, '/') + 1 : path, holders[0] ? " for " : "", holders);
	}
	return r;
}

int gs_doing_fail(struct gs_doing *d, int r, struct gs_bdf function, const char *fmt, ...)
{
	char bdf[GS_BDF_TEXT];
	va_list ap;

	if (d->e->text[0])
		return r;
	va_start(ap, fmt);
	gs_error_setv(d->e, r, GS_STATUS_FAILED, fmt, ap);
	va_end(ap);
	gs_error_prefix(d->e, "%s: ", gs_bdf_format(function, bdf));
	return r;
}

const char *gs_errno_reason(int r)
{
	switch (-r) {
	case EACCES:
	case EPERM:
		return "not allowed: this takes root, and neither kernel lockdown nor SELinux or AppArmor may forbid it";
	case EROFS:
		return "/sys is read-only here, as in most containers: run it on the host";
	case ENOENT:
		return "the file is not there: the driver was unloaded, or the device has gone";
	case ENODEV:
	case ENXIO:
		return "the device has gone, or its driver is being unloaded";
	case EBUSY:
		return "it is in use";
	case EAGAIN:
		return "the kernel is busy with the same device: try again";
	case EIO:
		return "the driver refused; dmesg has its reason";
	case ENOMEM:
		return "the kernel has no room for it; dmesg has the reason";
	default:
		return strerror(-r);
	}
}

const char *gs_doing_holders(struct gs_doing *d, struct gs_bdf function, char *buf, size_t size)
{
	char holders[200];

	buf[0] = '\0';
	if (gs_writer_holders(d->w, function, holders, sizeof(holders))[0])
		snprintf(buf, size, "; it is held by %s", holders);
	return buf;
}
