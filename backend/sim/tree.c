/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "backend/sim/tree_list.h"
#include "base/file.h"
#include "base/parse.h"

#define GENERATION_FILE ".generation"
#define TEMPORARY ".new"        /* in the tree's root: the same file system, and no directory that is listed */
#define PATH_BYTES 1024
#define OWN_STATE "var/lib/gpuslice"    /* what gpuslice keeps on the machine: a reboot leaves it, a reset does not */

static void append(struct gs_sim_list *l, struct gs_sim_node node)
{
	void *grown = gs_arena_grow(l->arena, l->nodes, l->n, &l->cap, sizeof(*l->nodes));

	if (!grown || !node.path || !node.bytes)
		return;
	l->nodes = grown;
	l->nodes[l->n++] = node;
}

static const char *vformat(struct gs_sim_list *l, const char *fmt, va_list ap, size_t *ret_n)
{
	char *text = NULL;
	int n = vasprintf(&text, fmt, ap);
	const char *copy;

	/* an arena that cannot give latches that; a failed vasprintf is made to look the same */
	copy = n < 0 ? gs_arena_alloc(l->arena, SIZE_MAX) : gs_arena_memdup(l->arena, text, (size_t)n + 1);
	free(text);
	*ret_n = n < 0 ? 0 : (size_t)n;
	return copy;
}

static const char *in_dir(struct gs_sim_list *l, const char *name)
{
	return l->dir ? gs_arena_printf(l->arena, "%s/%s", l->dir, name) : NULL;
}

void gs_sim_list_enter(struct gs_sim_list *l, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	l->dir = vformat(l, fmt, ap, &n);
	va_end(ap);
	for (size_t i = 0; l->dir && i <= n; i++) {
		if (l->dir[i] == '/' || !l->dir[i])
			append(l, (struct gs_sim_node){ .path = gs_arena_strndup(l->arena, l->dir, i), .kind = GS_SIM_DIR,
							.mode = 0755, .bytes = "" });
	}
}

void gs_sim_list_bytes(struct gs_sim_list *l, mode_t mode, const char *name, const void *bytes, size_t n)
{
	append(l, (struct gs_sim_node){ .path = in_dir(l, name), .kind = GS_SIM_FILE, .mode = mode,
					.bytes = n ? gs_arena_memdup(l->arena, bytes, n) : "", .n = n });
}

void gs_sim_list_text(struct gs_sim_list *l, mode_t mode, const char *name, const char *fmt, ...)
{
	struct gs_sim_node node = { .path = in_dir(l, name), .kind = GS_SIM_FILE, .mode = mode };
	va_list ap;

	va_start(ap, fmt);
	node.bytes = vformat(l, fmt, ap, &node.n);
	va_end(ap);
	append(l, node);
}

void gs_sim_list_link(struct gs_sim_list *l, const char *name, const char *fmt, ...)
{
	struct gs_sim_node node = { .path = in_dir(l, name), .kind = GS_SIM_LINK };
	va_list ap;

	va_start(ap, fmt);
	node.bytes = vformat(l, fmt, ap, &node.n);
	va_end(ap);
	append(l, node);
}

static int compare_nodes(const void *a, const void *b)
{
	return strcmp(((const struct gs_sim_node *)a)->path, ((const struct gs_sim_node *)b)->path);
}

static int compare_path(const void *path, const void *node)
{
	return strcmp(path, ((const struct gs_sim_node *)node)->path);
}

/* Sorted, parents before children; a directory that was entered twice is there once. */
static int build(const struct gs_sim_state *s, struct gs_sim_list *l)
{
	size_t kept = 0;

	gs_sim_list_pci(l, s);
	gs_sim_list_driver(l, s);
	gs_sim_list_processes(l, s);
	gs_sim_list_system(l, s);
	gs_sim_list_enter(l, "run/gpuslice");
	if (gs_arena_has_failed(l->arena) || !l->nodes)
		return -ENOMEM;
	qsort(l->nodes, l->n, sizeof(*l->nodes), compare_nodes);
	for (size_t i = 0; i < l->n; i++) {
		if (kept && strcmp(l->nodes[kept - 1].path, l->nodes[i].path) == 0)
			continue;
		l->nodes[kept++] = l->nodes[i];
	}
	l->n = kept;
	return 0;
}

/* ------------------------------------------------------------ removing */

/* Everything under @dir_fd. Never follows a link. */
static int empty_directory(int dir_fd, unsigned depth);

static int remove_entry(int dir_fd, const char *name, unsigned depth)
{
	GS_CLOSE int fd = -1;
	int r;

	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (depth == 0)
		return -ELOOP;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = empty_directory(fd, depth - 1);
	if (r < 0)
		return r;
	return unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

static DIR *open_directory(int dir_fd, const char *path)
{
	int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir;

	if (fd < 0)
		return NULL;
	dir = fdopendir(fd);
	if (!dir)
		close(fd);
	return dir;
}

static bool is_dot(const char *name)
{
	return gs_str_equal(name, ".") || gs_str_equal(name, "..");
}

static int empty_directory(int dir_fd, unsigned depth)
{
	GS_CLOSEDIR DIR *dir = open_directory(dir_fd, ".");
	struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		int r = is_dot(entry->d_name) ? 0 : remove_entry(dirfd(dir), entry->d_name, depth);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Locks and requests of programs that may be running: see backend/yield.h. */
static bool is_coordination(const char *name)
{
	return gs_str_equal(name, "collectors") || gs_str_equal(name, "lock") || gs_str_equal(name, "yield");
}

/* What lies in @path goes, and the folder stays; without @spare also what programs coordinate by. */
static int empty_folder(int tree_fd, const char *path, bool spare)
{
	GS_CLOSEDIR DIR *dir = open_directory(tree_fd, path);
	struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir))) {
		int r = is_dot(entry->d_name) || (spare && is_coordination(entry->d_name)) ? 0 : remove_entry(dirfd(dir), entry->d_name, 8);

		if (r < 0)
			return r;
	}
	return 0;
}

int gs_sim_tree_forget_visitors(int tree_fd)
{
	static const char *const folders[] = { "etc/gpuslice", OWN_STATE };
	int r = empty_folder(tree_fd, "run/gpuslice", true);

	for (size_t i = 0; r == 0 && i < GS_ARRAY_SIZE(folders); i++)
		r = empty_folder(tree_fd, folders[i], false);
	return r;
}

/* Has somebody the lock @name in @dir? One whose holder has died is a file like others. */
static bool is_locked(int dir_fd, const char *name)
{
	GS_CLOSE int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

int gs_sim_tree_forget_run(int tree_fd)
{
	GS_CLOSEDIR DIR *dir = open_directory(tree_fd, "run");
	GS_CLOSEDIR DIR *own = open_directory(tree_fd, "run/gpuslice");
	struct dirent *entry;
	int r = 0;

	while (r == 0 && dir && (entry = readdir(dir))) {
		if (!is_dot(entry->d_name) && !gs_str_equal(entry->d_name, "gpuslice"))
			r = remove_entry(dirfd(dir), entry->d_name, 16);
	}
	while (r == 0 && own && (entry = readdir(own))) {
		if (is_dot(entry->d_name) || gs_str_equal(entry->d_name, "yield"))
			continue;
		if (!is_coordination(entry->d_name) || !is_locked(dirfd(own), entry->d_name))
			r = remove_entry(dirfd(own), entry->d_name, 8);
	}
	return r < 0 ? r : empty_folder(tree_fd, "run/gpuslice/yield", false);
}

static bool leads_to_own_state(const char *path)
{
	return gs_str_starts(OWN_STATE, path) && OWN_STATE[strlen(path)] == '/';
}

/* What lies under @path and is not on the list goes. */
static int remove_extra(int tree_fd, const char *path, const struct gs_sim_list *l, unsigned depth)
{
	GS_CLOSEDIR DIR *dir = open_directory(tree_fd, path);
	struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	if (depth == 0)
		return -ELOOP;
	while ((entry = readdir(dir))) {
		const struct gs_sim_node *node;
		char child[PATH_BYTES];
		int r = 0;

		if (is_dot(entry->d_name))
			continue;
		if (snprintf(child, sizeof(child), "%s/%s", path, entry->d_name) >= (int)sizeof(child))
			return -ENAMETOOLONG;
		if (gs_str_equal(child, OWN_STATE))
			continue;
		node = bsearch(child, l->nodes, l->n, sizeof(*l->nodes), compare_path);
		if (node ? node->kind == GS_SIM_DIR : leads_to_own_state(child))
			r = remove_extra(tree_fd, child, l, depth - 1);
		else if (!node)
			r = remove_entry(dirfd(dir), entry->d_name, 16);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ------------------------------------------------------------ writing */

static int ensure_dir(int tree_fd, const struct gs_sim_node *node)
{
	struct stat st;
	int r;

	if (mkdirat(tree_fd, node->path, node->mode) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (fstatat(tree_fd, node->path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return 0;
	r = remove_entry(tree_fd, node->path, 16);
	if (r < 0)
		return r;
	return mkdirat(tree_fd, node->path, node->mode) < 0 ? -errno : 0;
}

static int put_in_place(int tree_fd, const struct gs_sim_node *node)
{
	int r;

	if (renameat(tree_fd, TEMPORARY, tree_fd, node->path) == 0)
		return 0;
	if (errno != EISDIR && errno != ENOTEMPTY && errno != EEXIST)
		return -errno;
	r = remove_entry(tree_fd, node->path, 16);
	if (r < 0)
		return r;
	return renameat(tree_fd, TEMPORARY, tree_fd, node->path) < 0 ? -errno : 0;
}

static bool file_is_equal(int tree_fd, const struct gs_sim_node *node)
{
	GS_CLOSE int fd = openat(tree_fd, node->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	char chunk[16384];
	size_t done = 0;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & 07777) != node->mode ||
	    st.st_size != (off_t)node->n)
		return false;
	while (done < node->n) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n <= 0 || (size_t)n > node->n - done || memcmp(chunk, node->bytes + done, (size_t)n) != 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

/* A new file @path with the node's content; -EEXIST when something is there. */
static int write_new(int tree_fd, const char *path, const struct gs_sim_node *node)
{
	GS_CLOSE int fd = openat(tree_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = gs_fd_write_all(fd, node->bytes, node->n);
	if (r < 0)
		return r;
	/* not through open(): the umask is the operator's, the mode is the kernel's */
	return fchmod(fd, node->mode) < 0 ? -errno : 0;
}

static int ensure_file(int tree_fd, const struct gs_sim_node *node, bool fresh)
{
	int r = fresh ? write_new(tree_fd, node->path, node) : -EEXIST;

	if (r != -EEXIST || file_is_equal(tree_fd, node))
		return r == -EEXIST ? 0 : r;
	unlinkat(tree_fd, TEMPORARY, 0);
	r = write_new(tree_fd, TEMPORARY, node);
	return r < 0 ? r : put_in_place(tree_fd, node);
}

static int ensure_link(int tree_fd, const struct gs_sim_node *node, bool fresh)
{
	char target[PATH_BYTES];
	ssize_t n;

	if (fresh && symlinkat(node->bytes, tree_fd, node->path) == 0)
		return 0;
	n = readlinkat(tree_fd, node->path, target, sizeof(target));
	if (n >= 0 && (size_t)n == node->n && memcmp(target, node->bytes, node->n) == 0)
		return 0;
	unlinkat(tree_fd, TEMPORARY, 0);
	if (symlinkat(node->bytes, tree_fd, TEMPORARY) < 0)
		return -errno;
	return put_in_place(tree_fd, node);
}

/* @fresh: the tree was never finished, so nobody reads it yet, and what is missing is written in place. */
static int ensure(int tree_fd, const struct gs_sim_node *node, bool fresh)
{
	switch (node->kind) {
	case GS_SIM_DIR:
		return ensure_dir(tree_fd, node);
	case GS_SIM_FILE:
		return ensure_file(tree_fd, node, fresh);
	case GS_SIM_LINK:
		return ensure_link(tree_fd, node, fresh);
	}
	return -EINVAL;
}

int gs_sim_tree_sync(int tree_fd, const struct gs_sim_state *s)
{
	/* run/gpuslice and what others put beside these is not ours to clean */
	static const char *const derived[] = {
		"sys", "proc", "dev", "usr", "var", "etc/libvirt", "etc/vfio", "etc/systemd", "etc/udev", "etc/mdevctl.d", "run/libvirt", "run/qemu-server", "run/slurm",
	};
	GS_CLEANUP(gs_arena_freep) struct gs_arena *arena = NULL;
	struct gs_sim_list l = { 0 };
	struct gs_sim_node generation;
	char number[32];
	bool fresh;
	int r;

	snprintf(number, sizeof(number), "%llu\n", (unsigned long long)s->generation);
	generation = (struct gs_sim_node){ GENERATION_FILE, GS_SIM_FILE, 0444, number, strlen(number) };
	if (file_is_equal(tree_fd, &generation))
		return 0;
	l.has_cdev = s->vfio_cdev;
	l.arena = arena = gs_arena_new();
	if (!arena)
		return -ENOMEM;
	r = build(s, &l);
	if (r < 0)
		return r;
	fresh = faccessat(tree_fd, GENERATION_FILE, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
	for (size_t i = 0; i < l.n; i++) {
		r = ensure(tree_fd, &l.nodes[i], fresh);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < GS_ARRAY_SIZE(derived); i++) {
		r = remove_extra(tree_fd, derived[i], &l, 24);
		if (r < 0)
			return r;
	}
	/* last, so that a killed sync is done again */
	return ensure_file(tree_fd, &generation, false);
}
