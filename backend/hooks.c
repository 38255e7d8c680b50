/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hooks.c - which hooks there are, and in which order they are run; one run is in hooks_run.c. */
#include "backend/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "backend/hooks_private.h"
#include "base/parse.h"

struct gs_hooks {
	struct gs_root *root;
	bool only_roots;
	char *names[GS_HOOKS_MAX];
	size_t n;
	size_t n_begun;         /* whose «before» was begun */
};

struct gs_hooks *gs_hooks_free(struct gs_hooks *h)
{
	if (!h)
		return NULL;
	for (size_t i = 0; i < h->n; i++)
		free(h->names[i]);
	free(h);
	return NULL;
}

size_t gs_hooks_count(const struct gs_hooks *h)
{
	return h->n;
}

const char *gs_hooks_name(const struct gs_hooks *h, size_t i)
{
	return h->names[i];
}

static bool ends_with(const char *s, size_t n, const char *end)
{
	size_t m = strlen(end);

	return n > m && strcmp(s + n - m, end) == 0;
}

/* A hook's name, and not what an editor or a package manager left beside one. */
static bool is_hook_name(const char *name)
{
	static const char *const leftovers[] = { ".bak", ".orig", ".swp", ".dpkg-new", ".dpkg-old", ".dpkg-dist", ".dpkg-tmp", ".rpmnew", ".rpmsave", ".rpmorig" };
	size_t n = strlen(name);

	if (name[0] == '.' || strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != n)
		return false;
	for (size_t i = 0; i < GS_ARRAY_SIZE(leftovers); i++) {
		if (ends_with(name, n, leftovers[i]))
			return false;
	}
	return n > 0;
}

/* Root's, and written by nobody else. @path as the operator knows it. */
static int check_owner(const struct stat *st, const char *path, struct gs_error *e)
{
	if (st->st_uid != 0)
		return gs_error_set(e, -EPERM, GS_STATUS_REFUSED, "%s belongs to uid %u, and hooks are run as root: chown root it, or take it away", path,
				    (unsigned)st->st_uid);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return gs_error_set(e, -EPERM, GS_STATUS_REFUSED, "%s can be written by others than root, and hooks are run as root: chmod go-w it", path);
	return 0;
}

/* A directory on the way; -ENOENT without a sentence when there is none. */
static int check_directory(struct gs_hooks *h, const char *path, struct gs_error *e)
{
	GS_FREE char *target = NULL;
	char shown[64];
	struct stat st;
	int r;

	snprintf(shown, sizeof(shown), "/%s", path);
	if (h->only_roots && gs_root_readlink(h->root, &target, "%s", path) == 0)
		return gs_error_set(e, -EPERM, GS_STATUS_REFUSED, "%s is a link, and hooks are run as root: put the directory itself there", shown);
	r = gs_root_stat(h->root, &st, "%s", path);
	if (r == -ENOENT)
		return r;
	if (r < 0)
		return gs_error_set(e, r, GS_STATUS_REFUSED, "%s cannot be looked at for hooks: %s", shown, strerror(-r));
	if (!S_ISDIR(st.st_mode))
		return gs_error_set(e, -ENOTDIR, GS_STATUS_REFUSED, "%s is no directory, so nobody knows which hooks there are: take it away", shown);
	return h->only_roots ? check_owner(&st, shown, e) : 0;
}

static int check_hook(struct gs_hooks *h, int dir, const char *name, struct gs_error *e)
{
	char shown[sizeof(GS_HOOKS_DIR) + NAME_MAX + 2];
	struct stat st;

	snprintf(shown, sizeof(shown), "/" GS_HOOKS_DIR "/%s", name);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return gs_error_set(e, -errno, GS_STATUS_REFUSED, "the hook %s cannot be looked at: %s", shown, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return gs_error_set(e, -EINVAL, GS_STATUS_REFUSED, "the hook %s is no regular file: put the program itself there", shown);
	if (!(st.st_mode & S_IXUSR))
		return gs_error_set(e, -EACCES, GS_STATUS_REFUSED, "the hook %s is not executable: chmod +x it, or rename it to %s.bak", shown, name);
	return h->only_roots ? check_owner(&st, shown, e) : 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list(struct gs_hooks *h, DIR *dir, struct gs_error *e)
{
	struct dirent *entry;
	int r;

	while (errno = 0, (entry = readdir(dir))) {
		if (!is_hook_name(entry->d_name))
			continue;
		r = check_hook(h, dirfd(dir), entry->d_name, e);
		if (r < 0)
			return r;
		if (h->n == GS_HOOKS_MAX)
			return gs_error_set(e, -E2BIG, GS_STATUS_REFUSED, "/" GS_HOOKS_DIR " holds more than %d hooks", GS_HOOKS_MAX);
		h->names[h->n] = strdup(entry->d_name);
		if (!h->names[h->n])
			return gs_error_oom(e);
		h->n++;
	}
	if (errno)
		return gs_error_set(e, -errno, GS_STATUS_REFUSED, "/" GS_HOOKS_DIR " cannot be read: %s", strerror(errno));
	qsort(h->names, h->n, sizeof(*h->names), compare_names);
	return 0;
}

int gs_hooks_open(struct gs_root *root, bool only_roots, struct gs_hooks **ret_hooks, struct gs_error *e)
{
	static const char *const directories[] = { "etc", "etc/gpuslice", GS_HOOKS_DIR };
	GS_CLEANUP(gs_hooks_freep) struct gs_hooks *h = calloc(1, sizeof(*h));
	GS_CLOSEDIR DIR *dir = NULL;
	int r = 0;

	if (!h)
		return gs_error_oom(e);
	h->root = root;
	h->only_roots = only_roots;
	for (size_t i = 0; r == 0 && i < GS_ARRAY_SIZE(directories); i++)
		r = check_directory(h, directories[i], e);
	if (r == 0) {
		r = gs_root_opendir(root, &dir, GS_HOOKS_DIR);
		if (r < 0)
			return gs_error_set(e, r, GS_STATUS_REFUSED, "/" GS_HOOKS_DIR " cannot be read, so nobody knows which hooks there are: %s", strerror(-r));
		r = list(h, dir, e);
	}
	if (r < 0 && r != -ENOENT)
		return r;
	*ret_hooks = GS_TAKE(h);
	return 0;
}

/* One of them, once more looked at: a «before» may be half a minute ago. */
static int run(struct gs_hooks *h, size_t i, const char *when, const char *status, const struct gs_hooks_call *call, const struct gs_hooks_ops *ops,
	       void *userdata, struct gs_error *e)
{
	const char *top = gs_root_path(h->root);
	struct gs_hooks_one one = { .name = h->names[i], .when = when, .status = status };
	GS_CLOSEDIR DIR *dir = NULL;
	GS_FREE char *path = NULL;
	int r = gs_root_opendir(h->root, &dir, GS_HOOKS_DIR);

	if (r < 0)
		return gs_error_set(e, r, GS_STATUS_REFUSED, "/" GS_HOOKS_DIR " cannot be read any more: %s", strerror(-r));
	r = check_hook(h, dirfd(dir), one.name, e);
	if (r < 0)
		return r;
	if (asprintf(&path, "%s/" GS_HOOKS_DIR "/%s", strcmp(top, "/") == 0 ? "" : top, one.name) < 0) {
		path = NULL;
		return gs_error_oom(e);
	}
	one.path = path;
	return gs_hooks_run_one(&one, call, ops, userdata, e);
}

int gs_hooks_before(struct gs_hooks *h, const struct gs_hooks_call *call, const struct gs_hooks_ops *ops, void *userdata, struct gs_error *e)
{
	for (size_t i = 0; i < h->n; i++) {
		int r;

		h->n_begun = i + 1;
		r = run(h, i, "before", "-", call, ops, userdata, e);
		if (r < 0)
			return r;
	}
	return 0;
}

size_t gs_hooks_after(struct gs_hooks *h, int status, const struct gs_hooks_call *call, const struct gs_hooks_ops *ops, void *userdata, char *ret_note, size_t size)
{
	struct gs_error e = { 0 };
	size_t failed = 0;
	char number[16];

	snprintf(number, sizeof(number), "%d", status);
	ret_note[0] = '\0';
	for (size_t i = 0; i < h->n_begun; i++) {
		if (run(h, i, "after", number, call, ops, userdata, &e) < 0 && failed++ == 0)
			snprintf(ret_note, size, "%s", e.text);
	}
	return failed;
}
