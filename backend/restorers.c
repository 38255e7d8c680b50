/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/restorers.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backend/grow.h"
#include "base/clock.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "codec/json.h"

#define ENTRIES_MAX 1024        /* of one folder */
#define FOUND_MAX 256
#define WATCHED_MAX 4096
#define NAME_TEXT 128
#define LOOK_MS 60000
#define UNITS "etc/systemd/system"
#define RULES "etc/udev/rules.d"
#define MDEVS "etc/mdevctl.d"

struct found {
	enum gs_restorer_kind kind;
	char name[NAME_TEXT];
	char what[192];
	struct gs_bdf function;         /* it is about this device */
	bool has_function;
	unsigned n;                     /* mdevs of one parent */
};

/* A file or folder that the reading stood on, and how it looked. */
struct watched {
	char *path;
	char stamp[96];
};

struct gs_restorers {
	struct gs_root *root;
	struct found *found;
	size_t n, cap;
	struct watched *watched;
	size_t n_watched, cap_watched;
	struct gs_monotonic looked_at;
	bool has_read;
	bool has_failed;                /* no memory */
	char hidden[NAME_TEXT];         /* a folder that may not be read; "" */
};

struct gs_restorers *gs_restorers_new(struct gs_root *root)
{
	struct gs_restorers *r = calloc(1, sizeof(*r));

	if (r)
		r->root = root;
	return r;
}

static void forget(struct gs_restorers *r)
{
	for (size_t i = 0; i < r->n_watched; i++)
		free(r->watched[i].path);
	r->n_watched = r->n = 0;
	r->has_read = r->has_failed = false;
	r->hidden[0] = '\0';
}

struct gs_restorers *gs_restorers_free(struct gs_restorers *r)
{
	if (!r)
		return NULL;
	forget(r);
	free(r->watched);
	free(r->found);
	free(r);
	return NULL;
}

/* ---------------------------------------------------------------- what is stood on */

static void stamp(struct gs_root *root, const char *path, char *buf, size_t size)
{
	struct stat st;

	if (gs_root_stat(root, &st, "%s", path) < 0)
		snprintf(buf, size, "-");
	else
		snprintf(buf, size, "%" PRIu64 " %" PRIi64 " %" PRIi64 ".%09" PRIi64, (uint64_t)st.st_ino, (int64_t)st.st_size, (int64_t)st.st_mtim.tv_sec,
			 (int64_t)st.st_mtim.tv_nsec);
}

static void watch(struct gs_restorers *r, const char *path)
{
	int result = gs_grow(&r->watched, r->n_watched, &r->cap_watched, sizeof(*r->watched), WATCHED_MAX);
	struct watched *w;

	if (result < 0) {
		r->has_failed |= result == -ENOMEM;
		return;
	}
	w = &r->watched[r->n_watched];
	w->path = strdup(path);
	if (!w->path) {
		r->has_failed = true;
		return;
	}
	stamp(r->root, path, w->stamp, sizeof(w->stamp));
	r->n_watched++;
}

static bool has_changed(const struct gs_restorers *r)
{
	char now[sizeof(r->watched->stamp)];

	for (size_t i = 0; i < r->n_watched; i++) {
		stamp(r->root, r->watched[i].path, now, sizeof(now));
		if (strcmp(now, r->watched[i].stamp) != 0)
			return true;
	}
	return false;
}

static struct found *add(struct gs_restorers *r, enum gs_restorer_kind kind, const char *name)
{
	int result = gs_grow(&r->found, r->n, &r->cap, sizeof(*r->found), FOUND_MAX);
	struct found *f;

	if (result < 0) {
		r->has_failed |= result == -ENOMEM;
		return NULL;
	}
	f = &r->found[r->n++];
	memset(f, 0, sizeof(*f));
	f->kind = kind;
	snprintf(f->name, sizeof(f->name), "%.*s", NAME_TEXT - 1, name);
	return f;
}

static bool has(const struct gs_restorers *r, enum gs_restorer_kind kind, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->found[i].kind == kind && strcmp(r->found[i].name, name) == 0)
			return true;
	return false;
}

/* Each entry of a folder, but hidden ones. */
static void walk(struct gs_restorers *r, const char *path, void (*each)(struct gs_restorers *r, const char *path, const char *name))
{
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	unsigned seen = 0;
	int result;

	watch(r, path);
	result = gs_root_opendir(r->root, &dir, "%s", path);
	if (result < 0) {
		if (result != -ENOENT && result != -ENOTDIR && !r->hidden[0])
			snprintf(r->hidden, sizeof(r->hidden), "%.*s", NAME_TEXT - 1, path);
		return;
	}
	while ((entry = readdir(dir)) && seen++ < ENTRIES_MAX)
		if (entry->d_name[0] != '.')
			each(r, path, entry->d_name);
}

/* A text file; NULL when there is none. It is watched whether it is there or not. */
static char *read_file(struct gs_restorers *r, const char *path)
{
	char *text = NULL;

	watch(r, path);
	return gs_root_read(r->root, &text, "%s", path) == 0 ? text : NULL;
}

/* ---------------------------------------------------------------- words */

static bool is_word_end(char c)
{
	return !c || strchr(" \t\"';|&)", c);
}

/* nvidia-smi that cuts: "mig …", "-mig 1", "--multi-instance-gpu=1" behind it. */
static bool sets_mig(const char *line)
{
	static const char *const options[] = { " mig", " -mig", " --multi-instance-gpu" };
	const char *smi = strstr(line, "nvidia-smi");

	for (size_t i = 0; smi && i < GS_ARRAY_SIZE(options); i++)
		for (const char *p = strstr(smi, options[i]); p; p = strstr(p + 1, options[i])) {
			char c = p[strlen(options[i])];

			if (is_word_end(c) || c == '=')
				return true;
		}
	return false;
}

/* The path that ends in the attribute at @at: from the blank, quote or ">" in front of it. */
static size_t path_before(const char *line, const char *at)
{
	size_t n = 0;

	while (at - n > line && !strchr(" \t\"'>={", at[-(ptrdiff_t)n - 1]))
		n++;
	return n;
}

/* The last address of PCI in a path; the way to a function goes over its bridges. */
static bool find_function(const char *path, size_t n, struct gs_bdf *ret_bdf)
{
	bool found = false;

	for (size_t i = 0; i < n;) {
		size_t k = 0;
		char name[GS_BDF_TEXT];

		while (i + k < n && path[i + k] != '/')
			k++;
		if (k && k < sizeof(name)) {
			memcpy(name, path + i, k);
			name[k] = '\0';
			found |= gs_bdf_parse(name, ret_bdf) == 0;
		}
		i += k + 1;
	}
	return found;
}

/* Network cards have VFs too, and their rules and scripts are far more common than ours. */
static bool is_of_network(const char *line, const char *path, size_t n)
{
	static const char *const classes[] = { "/net/", "/infiniband/", "/nvme/", "/ieee80211/" };

	for (size_t i = 0; i < GS_ARRAY_SIZE(classes); i++)
		if (memmem(path, n, classes[i], strlen(classes[i])))
			return true;
	return strstr(line, "SUBSYSTEM==\"net\"") || strstr(line, "SUBSYSTEM==\"infiniband\"") || strstr(line, "devlink ");
}

const char *gs_restorers_word(const char *line, struct gs_bdf *ret_function, bool *ret_has_function)
{
	static const char *const programs[] = { "sriov-manage", "mig-parted", "nvidia-mig-manager", "vgpu-device-manager" };
	static const char *const attributes[] = { "current_vgpu_type", "mdev_supported_types", "sriov_numvfs" };
	struct gs_bdf function = { 0 };

	if (ret_has_function)
		*ret_has_function = false;
	for (size_t i = 0; i < GS_ARRAY_SIZE(programs); i++)
		if (strstr(line, programs[i]))
			return programs[i];
	if (sets_mig(line))
		return "nvidia-smi mig";
	for (size_t i = 0; i < GS_ARRAY_SIZE(attributes); i++)
		for (const char *p = strstr(line, attributes[i]); p; p = strstr(p + 1, attributes[i])) {
			size_t n = path_before(line, p);

			if (is_of_network(line, p - n, n))
				continue;
			if (find_function(p - n, n, &function) && ret_has_function && ret_function) {
				*ret_has_function = true;
				*ret_function = function;
			}
			return attributes[i];
		}
	return NULL;
}

/* ---------------------------------------------------------------- units */

/* The next line of @*text, which is cut up; "\" at the end continues it, "#" and ";" begin a comment. NULL at the end. */
static char *next_line(char **text)
{
	while (**text) {
		char *line = *text + strspn(*text, " \t"), *end = line;

		while (*end && *end != '\n') {
			if (end[0] == '\\' && end[1] == '\n')
				end[0] = end[1] = ' ';
			end++;
		}
		*text = *end ? end + 1 : end;
		*end = '\0';
		if (*line && *line != '#' && *line != ';')
			return line;
	}
	return NULL;
}

/* A script that a unit starts: its lines are looked at as if they stood in the unit. */
static const char *word_of_script(struct gs_restorers *r, const char *command, struct found *ret)
{
	size_t n = strcspn(command, " \t");
	GS_FREE char *text = NULL;
	char path[256];
	const char *word = NULL;
	char *at, *line;

	if (command[0] != '/' || n < 2 || n > sizeof(path))
		return NULL;
	memcpy(path, command + 1, n - 1);
	path[n - 1] = '\0';
	text = read_file(r, path);
	if (!text || strncmp(text, "#!", 2) != 0)
		return NULL;
	at = text;
	while (!word && (line = next_line(&at)))
		word = gs_restorers_word(line, &ret->function, &ret->has_function);
	if (word)
		snprintf(ret->what, sizeof(ret->what), "runs /%.100s, which has %s", path, word);
	return word;
}

/* "ExecStart=-/usr/bin/x": what stands behind the key and systemd's prefixes; NULL for another key. */
static const char *command_of(const char *line)
{
	static const char *const keys[] = { "ExecStart", "ExecStartPre", "ExecStartPost" };

	for (size_t i = 0; i < GS_ARRAY_SIZE(keys); i++) {
		size_t n = strlen(keys[i]);

		if (strncmp(line, keys[i], n) != 0)
			continue;
		n += strspn(line + n, " \t");
		if (line[n] == '=')
			return line + n + 1 + strspn(line + n + 1, " \t@-:+!");
	}
	return NULL;
}

static const char *word_of_unit(struct gs_restorers *r, char *text, struct found *ret)
{
	const char *word = NULL;
	char *line;

	while (!word && (line = next_line(&text))) {
		const char *command = command_of(line);

		word = command ? gs_restorers_word(command, &ret->function, &ret->has_function) : NULL;
		if (word)
			snprintf(ret->what, sizeof(ret->what), "runs %s", word);
		else if (command)
			word = word_of_script(r, command, ret);
	}
	return word;
}

/* Is it known by its name, whatever its file says? */
static bool is_known_unit(const char *name)
{
	static const char *const known[] = { "nvidia-mig-manager*.service", "nvidia-mig-parted*.service", "nvidia-vgpu-device-manager*.service" };

	for (size_t i = 0; i < GS_ARRAY_SIZE(known); i++)
		if (fnmatch(known[i], name, 0) == 0)
			return true;
	return false;
}

/* A unit that is linked to /dev/null is masked: nothing starts it. */
static bool is_masked(struct gs_restorers *r, const char *name)
{
	GS_FREE char *target = NULL;

	return gs_root_readlink(r->root, &target, UNITS "/%s", name) == 0 && strcmp(target, "/dev/null") == 0;
}

/* The file of a unit, of an instance its template's. */
static char *read_unit(struct gs_restorers *r, const char *name)
{
	static const char *const folders[] = { UNITS, "run/systemd/system", "usr/local/lib/systemd/system", "usr/lib/systemd/system", "lib/systemd/system" };
	const char *at = strchr(name, '@');
	char path[512], file[256];
	char *text = NULL;

	snprintf(file, sizeof(file), "%s", name);
	if (at && at[1] != '.')
		snprintf(file, sizeof(file), "%.*s@.service", (int)(at - name) < 200 ? (int)(at - name) : 200, name);
	for (size_t i = 0; i < GS_ARRAY_SIZE(folders) && !text; i++) {
		snprintf(path, sizeof(path), "%s/%s", folders[i], file);
		text = read_file(r, path);
	}
	return text;
}

static void look_at_unit(struct gs_restorers *r, const char *name)
{
	GS_FREE char *text = NULL;
	struct found here = { 0 };
	struct found *f;

	/* our own is whom the others fight */
	if (gs_str_starts(name, "gpuslice-") || has(r, GS_RESTORER_UNIT, name) || is_masked(r, name))
		return;
	text = read_unit(r, name);
	if (!(text && word_of_unit(r, text, &here)) && !is_known_unit(name))
		return;
	f = add(r, GS_RESTORER_UNIT, name);
	if (!f)
		return;
	snprintf(f->what, sizeof(f->what), "%s", here.what[0] ? here.what : "enabled");
	f->function = here.function;
	f->has_function = here.has_function;
}

static bool ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n > m && strcmp(s + n - m, suffix) == 0;
}

/* What is linked from a target is enabled; a timer or a path starts the service of its name. */
static void look_at_enabled(struct gs_restorers *r, const char *path, const char *name)
{
	static const char *const starters[] = { ".timer", ".path" };
	char service[256];

	(void)path;
	if (strlen(name) > 200)
		return;
	if (ends_with(name, ".service"))
		look_at_unit(r, name);
	for (size_t i = 0; i < GS_ARRAY_SIZE(starters); i++) {
		if (!ends_with(name, starters[i]) || is_masked(r, name))
			continue;
		snprintf(service, sizeof(service), "%.*s.service", (int)(strlen(name) - strlen(starters[i])), name);
		look_at_unit(r, service);
	}
}

static void look_at_target(struct gs_restorers *r, const char *path, const char *name)
{
	char folder[512];

	if (!ends_with(name, ".wants") && !ends_with(name, ".requires"))
		return;
	snprintf(folder, sizeof(folder), "%s/%s", path, name);
	walk(r, folder, look_at_enabled);
}

/* ---------------------------------------------------------------- rules of udev */

static void look_at_rules(struct gs_restorers *r, const char *path, const char *name)
{
	GS_FREE char *text = NULL;
	struct found here = { 0 };
	const char *word = NULL;
	char file[512], *at, *line;
	struct found *f;

	if (!ends_with(name, ".rules"))
		return;
	snprintf(file, sizeof(file), "%s/%s", path, name);
	text = read_file(r, file);
	at = text;
	while (text && !word && (line = next_line(&at)))
		word = gs_restorers_word(line, &here.function, &here.has_function);
	f = word ? add(r, GS_RESTORER_UDEV, name) : NULL;
	if (!f)
		return;
	snprintf(f->what, sizeof(f->what), "has %s", word);
	f->function = here.function;
	f->has_function = here.has_function;
}

/* ---------------------------------------------------------------- mdevctl */

/* {"mdev_type": …, "start": "auto", "attrs": []} (peers c.5) */
static bool starts_by_itself(const char *text, const char *name)
{
	GS_JSON struct json_object *o = NULL;
	const char *start = NULL;

	if (gs_json_parse(text, strlen(text), name, &o, NULL) < 0)
		return false;
	return json_object_is_type(o, json_type_object) && gs_json_get_string(o, "start", &start, NULL) == 0 && gs_str_equal(start, "auto");
}

static void look_at_definition(struct gs_restorers *r, const char *path, const char *name)
{
	GS_FREE char *text = NULL;
	char file[1024];

	snprintf(file, sizeof(file), "%s/%s", path, name);
	text = read_file(r, file);
	if (text && starts_by_itself(text, name))
		r->found[r->n - 1].n++;
}

/* A folder for each parent, named as sysfs names the device. */
static void look_at_parent(struct gs_restorers *r, const char *path, const char *name)
{
	char folder[512];
	struct gs_bdf bdf;
	struct found *f;

	/* parents of other kinds (channel devices, samples) are no GPUs */
	if (gs_bdf_parse(name, &bdf) < 0)
		return;
	f = add(r, GS_RESTORER_MDEVCTL, "mdevctl");
	if (!f)
		return;
	f->function = bdf;
	f->has_function = true;
	snprintf(folder, sizeof(folder), "%s/%s", path, name);
	walk(r, folder, look_at_definition);
	if (!r->found[r->n - 1].n)
		r->n--;
}

/* ---------------------------------------------------------------- all */

static int read_all(struct gs_restorers *r)
{
	/* the validator of NVIDIA's GPU Operator leaves its marks there; whether its MIG manager is set up, no file here tells */
	static const char operator_mark[] = "run/nvidia/validations";

	forget(r);
	walk(r, UNITS, look_at_target);
	walk(r, RULES, look_at_rules);
	walk(r, MDEVS, look_at_parent);
	watch(r, operator_mark);
	if (gs_root_exists(r->root, "%s", operator_mark)) {
		struct found *f = add(r, GS_RESTORER_OPERATOR, "NVIDIA's GPU Operator");

		if (f)
			snprintf(f->what, sizeof(f->what), "by /%s; its MIG manager follows the node's label nvidia.com/mig.config", operator_mark);
	}
	r->has_read = !r->has_failed;
	return r->has_failed ? -ENOMEM : 0;
}

static bool is_function_of(const struct gs_gpu *gpu, struct gs_bdf bdf)
{
	if (gs_bdf_compare(gpu->bdf, bdf) == 0)
		return true;
	for (size_t i = 0; i < gpu->vfs.n_functions; i++)
		if (gs_bdf_compare(gpu->vfs.functions[i]->bdf, bdf) == 0)
			return true;
	return false;
}

/* A function that is not there may be a VF that is yet to come; one that is there and is no GPU's is another device's. */
static bool is_of_others(const struct gs_restorers *r, const struct gs_snapshot *s, const struct found *f)
{
	char address[GS_BDF_TEXT];

	if (!f->has_function)
		return false;
	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++)
		if (is_function_of(gs_snapshot_gpu(s, i), f->function))
			return false;
	return gs_root_exists(r->root, "sys/bus/pci/devices/%s", gs_bdf_format(f->function, address));
}

int gs_restorers_apply(struct gs_restorers *r, struct gs_snapshot *s, bool fresh)
{
	unsigned mdevs = 0;
	char text[96];

	if (!r->has_read || ((fresh || gs_elapsed_ms(r->looked_at) >= LOOK_MS) && has_changed(r))) {
		if (read_all(r) < 0)
			return -ENOMEM;
	}
	if (fresh || gs_elapsed_ms(r->looked_at) >= LOOK_MS)
		r->looked_at = gs_monotonic_now();
	for (size_t i = 0; i < r->n; i++) {
		const struct found *f = &r->found[i];

		if (is_of_others(r, s, f))
			continue;
		mdevs += f->n;
		if (f->kind != GS_RESTORER_MDEVCTL)
			gs_snapshot_add_restorer(s, f->kind, f->name, f->what);
	}
	if (mdevs) {
		snprintf(text, sizeof(text), "starts %u mdev%s with start=auto in /" MDEVS, mdevs, mdevs == 1 ? "" : "s");
		gs_snapshot_add_restorer(s, GS_RESTORER_MDEVCTL, "mdevctl", text);
	}
	if (r->hidden[0])
		gs_snapshot_add_notice(s, "/%s cannot be read, so whether another tool puts layouts back from there is not known", r->hidden);
	return 0;
}
