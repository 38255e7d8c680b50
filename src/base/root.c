/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "base/parse.h"
#include "base/strbuf.h"

#define OPEN_TRIES 1000
#define ATTRIBUTE_BYTES_MAX 65536
#define CREATE_TRIES 8

struct gs_root {
	enum gs_root_kind kind;
	char *path;
	int fd;
	const struct gs_root_ops *ops;
	void *userdata;
	const struct gs_root_file_ops *file_ops;
	void *file_userdata;
};

int gs_root_open(enum gs_root_kind kind, const char *path, struct gs_root **ret_root, struct gs_error *e)
{
	GS_CLEANUP(gs_root_closep) struct gs_root *root = NULL;

	if (!path)
		path = "/";
	root = calloc(1, sizeof(*root));
	if (!root)
		return gs_error_oom(e);
	root->kind = kind;
	root->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root->fd < 0)
		return gs_error_set(e, -errno, GS_STATUS_INVALID, "cannot open the directory %s: %s", path, strerror(errno));
	root->path = strdup(path);
	if (!root->path)
		return gs_error_oom(e);
	*ret_root = GS_TAKE(root);
	return 0;
}

struct gs_root *gs_root_close(struct gs_root *root)
{
	if (!root)
		return NULL;
	if (root->fd >= 0)
		close(root->fd);
	free(root->path);
	free(root);
	return NULL;
}

void gs_root_set_ops(struct gs_root *root, const struct gs_root_ops *ops, void *userdata)
{
	root->ops = ops;
	root->userdata = userdata;
}

void gs_root_set_file_ops(struct gs_root *root, const struct gs_root_file_ops *ops, void *userdata)
{
	root->file_ops = ops;
	root->file_userdata = userdata;
}

enum gs_root_kind gs_root_kind(const struct gs_root *root)
{
	return root->kind;
}

const char *gs_root_path(const struct gs_root *root)
{
	return root->path;
}

/* Names that come from a machine (a directory entry, a link) must not lead out of the tree. */
static bool path_is_clean(const char *path)
{
	const char *p = path;

	if (!*p || *p == '/')
		return false;
	while (*p) {
		size_t n = strcspn(p, "/");

		if (!n || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += n;
		if (*p == '/' && !*++p)
			return false;
	}
	return true;
}

static int format_path(char *buf, size_t size, const char *fmt, va_list ap)
{
	int n = vsnprintf(buf, size, fmt, ap);

	if (n < 0)
		return -EINVAL;
	if ((size_t)n >= size)
		return -ENAMETOOLONG;
	return path_is_clean(buf) ? 0 : -EINVAL;
}

#define FORMAT_PATH(buf, fmt) \
	({ \
		va_list ap_; \
		int r_; \
		va_start(ap_, fmt); \
		r_ = format_path(buf, sizeof(buf), fmt, ap_); \
		va_end(ap_); \
		r_; \
	})

/*
 * Absolute links inside a recorded tree must resolve inside it: a plain openat
 * would read the host's file (measured, practice 5).
 */
static int open_in(struct gs_root *root, const char *path, int flags, mode_t mode)
{
	int fd = -1;

	if (root->kind == GS_ROOT_LIVE) {
		fd = openat(root->fd, path, flags | O_CLOEXEC, mode);
	} else {
		struct open_how how = {
			.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
			.mode = (flags & O_CREAT) ? mode : 0,
			.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
		};

		if (root->ops && root->ops->permit) {
			int r = root->ops->permit(root->userdata, path);

			if (r < 0)
				return r;
		}
		if (root->ops && root->ops->read && !(flags & (O_PATH | O_DIRECTORY | O_CREAT)) && (flags & O_ACCMODE) == O_RDONLY) {
			int r = root->ops->read(root->userdata, path);

			if (r < 0)
				return r;
		}
		/* a rename anywhere while a ".." is resolved makes the kernel unsure and say EAGAIN: openat2(2) */
		for (int tries = 0; tries < OPEN_TRIES; tries++) {
			fd = (int)syscall(SYS_openat2, root->fd, path, &how, sizeof(how));
			if (fd >= 0 || errno != EAGAIN)
				break;
		}
	}
	return fd < 0 ? -errno : fd;
}

int gs_root_read_bytes(struct gs_root *root, size_t max, char **ret_bytes, size_t *ret_n, const char *fmt, ...)
{
	char path[PATH_MAX];
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	GS_CLOSE int fd = -1;
	int r = FORMAT_PATH(path, fmt);

	if (r < 0)
		return r;
	fd = open_in(root, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
	if (fd < 0)
		return fd;
	while (b.length < max) {
		char chunk[4096];
		size_t want = max - b.length < sizeof(chunk) ? max - b.length : sizeof(chunk);
		ssize_t n = read(fd, chunk, want);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		gs_strbuf_add(&b, chunk, (size_t)n);
	}
	*ret_n = b.length;
	*ret_bytes = gs_strbuf_take(&b);
	return *ret_bytes ? 0 : -ENOMEM;
}

static int read_text(struct gs_root *root, const char *path, char **ret_text)
{
	GS_FREE char *text = NULL;
	size_t n;
	int r;

	r = gs_root_read_bytes(root, ATTRIBUTE_BYTES_MAX + 1, &text, &n, "%s", path);
	if (r < 0)
		return r;
	if (n > ATTRIBUTE_BYTES_MAX)
		return -EFBIG;
	if (n && text[n - 1] == '\n')
		text[--n] = '\0';
	if (memchr(text, '\0', n))
		return -EBADMSG;
	*ret_text = GS_TAKE(text);
	return 0;
}

int gs_root_read(struct gs_root *root, char **ret_text, const char *fmt, ...)
{
	char path[PATH_MAX];
	int r = FORMAT_PATH(path, fmt);

	return r < 0 ? r : read_text(root, path, ret_text);
}

int gs_root_read_u64(struct gs_root *root, unsigned base, uint64_t *ret_value, const char *fmt, ...)
{
	char path[PATH_MAX];
	GS_FREE char *text = NULL;
	int r = FORMAT_PATH(path, fmt);

	if (r >= 0)
		r = read_text(root, path, &text);
	return r < 0 ? r : gs_parse_u64(text, base, ret_value);
}

int gs_root_read_i64(struct gs_root *root, int64_t *ret_value, const char *fmt, ...)
{
	char path[PATH_MAX];
	GS_FREE char *text = NULL;
	int r = FORMAT_PATH(path, fmt);

	if (r >= 0)
		r = read_text(root, path, &text);
	return r < 0 ? r : gs_parse_i64(text, ret_value);
}

static int read_link(struct gs_root *root, const char *path, char **ret_target)
{
	char target[PATH_MAX];
	GS_CLOSE int fd = -1;
	ssize_t n;

	fd = open_in(root, path, O_PATH | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd;
	n = readlinkat(fd, "", target, sizeof(target) - 1);
	if (n < 0)
		return errno == ENOENT ? -EINVAL : -errno;  /* an empty path on something that is no link */
	target[n] = '\0';
	*ret_target = strdup(target);
	return *ret_target ? 0 : -ENOMEM;
}

int gs_root_readlink(struct gs_root *root, char **ret_target, const char *fmt, ...)
{
	char path[PATH_MAX];
	int r = FORMAT_PATH(path, fmt);

	return r < 0 ? r : read_link(root, path, ret_target);
}

int gs_root_readlink_name(struct gs_root *root, char **ret_name, const char *fmt, ...)
{
	char path[PATH_MAX];
	GS_FREE char *target = NULL;
	const char *slash;
	int r = FORMAT_PATH(path, fmt);

	if (r >= 0)
		r = read_link(root, path, &target);
	if (r < 0)
		return r;
	slash = strrchr(target, '/');
	*ret_name = strdup(slash ? slash + 1 : target);
	return *ret_name ? 0 : -ENOMEM;
}

int gs_root_stat(struct gs_root *root, struct stat *ret_st, const char *fmt, ...)
{
	char path[PATH_MAX];
	GS_CLOSE int fd = -1;
	int r = FORMAT_PATH(path, fmt);

	if (r < 0)
		return r;
	fd = open_in(root, path, O_PATH, 0);
	if (fd < 0)
		return fd;
	return fstat(fd, ret_st) < 0 ? -errno : 0;
}

bool gs_root_exists(struct gs_root *root, const char *fmt, ...)
{
	char path[PATH_MAX];
	GS_CLOSE int fd = -1;

	if (FORMAT_PATH(path, fmt) < 0)
		return false;
	fd = open_in(root, path, O_PATH, 0);
	return fd >= 0;
}

int gs_root_opendir(struct gs_root *root, DIR **ret_dir, const char *fmt, ...)
{
	char path[PATH_MAX];
	GS_CLOSE int fd = -1;
	DIR *dir;
	int r = FORMAT_PATH(path, fmt);

	if (r < 0)
		return r;
	fd = open_in(root, path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir)
		return -errno;
	GS_TAKE_FD(fd);
	*ret_dir = dir;
	return 0;
}

int gs_root_write(struct gs_root *root, const void *bytes, size_t n, const char *fmt, ...)
{
	char path[PATH_MAX];
	GS_CLOSE int fd = -1;
	ssize_t written;
	int r = FORMAT_PATH(path, fmt);

	if (r < 0)
		return r;
	if (root->kind == GS_ROOT_SYSROOT)
		return -EROFS;
	if (root->kind == GS_ROOT_SIM)
		return root->ops && root->ops->write ? root->ops->write(root->userdata, path, bytes, n) : -EROFS;
	fd = open_in(root, path, O_WRONLY | O_NOCTTY, 0);
	if (fd < 0)
		return fd;
	written = write(fd, bytes, n);
	if (written < 0)
		return -errno;
	return (size_t)written == n ? 0 : -EIO;
}

/* A file that is made here has @mode whatever the umask is; one that is there keeps its own. */
static int open_or_create(struct gs_root *root, const char *path, int flags, mode_t mode)
{
	for (int i = 0; i < CREATE_TRIES; i++) {
		GS_CLOSE int fd = open_in(root, path, flags | O_EXCL, mode);

		if (fd >= 0)
			return fchmod(fd, mode) < 0 ? -errno : GS_TAKE_FD(fd);
		if (fd != -EEXIST || flags & O_EXCL)
			return fd;
		fd = open_in(root, path, flags & ~O_CREAT, 0);
		/* gone between the two: once more */
		if (fd != -ENOENT)
			return GS_TAKE_FD(fd);
	}
	return -ENOENT;
}

int gs_root_open_file(struct gs_root *root, int flags, mode_t mode, int *ret_fd, const char *fmt, ...)
{
	char path[PATH_MAX];
	int r = FORMAT_PATH(path, fmt);

	if (r < 0)
		return r;
	if (root->kind == GS_ROOT_SYSROOT && (flags & (O_ACCMODE | O_CREAT)) != O_RDONLY)
		return -EROFS;
	flags |= O_NOFOLLOW;
	r = flags & O_CREAT ? open_or_create(root, path, flags, mode) : open_in(root, path, flags, 0);
	if (r < 0)
		return r;
	*ret_fd = r;
	return 0;
}

/* The directory of @path, opened; *@ret_base points at the last component. */
static int open_parent(struct gs_root *root, char *path, const char **ret_base)
{
	char *slash = strrchr(path, '/');

	if (root->kind == GS_ROOT_SYSROOT)
		return -EROFS;
	*ret_base = slash ? slash + 1 : path;
	if (!slash)
		return open_in(root, ".", O_PATH | O_DIRECTORY, 0);
	*slash = '\0';
	return open_in(root, path, O_PATH | O_DIRECTORY, 0);
}

int gs_root_mkdir(struct gs_root *root, mode_t mode, const char *fmt, ...)
{
	char path[PATH_MAX];
	GS_CLOSE int dir = -1;
	const char *base;
	int r = FORMAT_PATH(path, fmt);

	if (r < 0)
		return r;
	dir = open_parent(root, path, &base);
	if (dir < 0)
		return dir;
	if (mkdirat(dir, base, mode) < 0)
		return errno == EEXIST ? 0 : -errno;
	/* the umask of whoever comes first must not decide who may look */
	return fchmodat(dir, base, mode, 0) < 0 ? -errno : 0;
}

int gs_root_unlink(struct gs_root *root, const char *fmt, ...)
{
	char path[PATH_MAX];
	GS_CLOSE int dir = -1;
	const char *base;
	int r = FORMAT_PATH(path, fmt);

	if (r < 0)
		return r;
	dir = open_parent(root, path, &base);
	if (dir < 0)
		return dir;
	return unlinkat(dir, base, 0) < 0 ? -errno : 0;
}

static int fill_new_file(int dir, const char *name, const void *bytes, size_t n, mode_t mode, gid_t gid)
{
	GS_CLOSE int fd = -1;
	int r;

	unlinkat(dir, name, 0);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = gs_fd_write_all(fd, bytes, n);
	if (r < 0)
		return r;
	/* the group first: the mode must never be wider than the owner that it is for */
	if (gid != (gid_t)-1 && fchown(fd, (uid_t)-1, gid) < 0)
		return -errno;
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

/* So that the new name is there after a power cut, too; not every file system can, and readers do not care. */
static void sync_directory(int dir)
{
	GS_CLOSE int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)!fsync(fd);
}

int gs_root_replace_file(struct gs_root *root, const void *bytes, size_t n, mode_t mode, gid_t gid, const char *fmt, ...)
{
	char path[PATH_MAX], temporary[NAME_MAX + 1];
	GS_CLOSE int dir = -1;
	const char *base;
	int r = FORMAT_PATH(path, fmt);

	if (r < 0)
		return r;
	dir = open_parent(root, path, &base);
	if (dir < 0)
		return dir;
	if (snprintf(temporary, sizeof(temporary), ".%s.%d", base, (int)getpid()) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	r = fill_new_file(dir, temporary, bytes, n, mode, gid);
	if (r >= 0 && renameat(dir, temporary, dir, base) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dir, temporary, 0);
	else
		sync_directory(dir);
	return r;
}

/* ---- plain files that have to outlive a power cut ---- */

static ssize_t write_some(struct gs_root *root, int fd, const void *bytes, size_t n)
{
	ssize_t written;

	if (root->file_ops && root->file_ops->write)
		return root->file_ops->write(root->file_userdata, fd, bytes, n);
	written = write(fd, bytes, n);
	return written < 0 ? -errno : written;
}

int gs_root_file_write(struct gs_root *root, int fd, const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n) {
		ssize_t written = write_some(root, fd, p, n);

		if (written == -EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? (int)written : -EIO;
		p += written;
		n -= (size_t)written;
	}
	return 0;
}

int gs_root_file_sync(struct gs_root *root, int fd, bool all)
{
	if (root->file_ops && root->file_ops->sync)
		return root->file_ops->sync(root->file_userdata, fd);
	return (all ? fsync(fd) : fdatasync(fd)) < 0 ? -errno : 0;
}

int gs_root_file_truncate(struct gs_root *root, int fd, uint64_t size)
{
	if (root->file_ops && root->file_ops->truncate)
		return root->file_ops->truncate(root->file_userdata, fd, size);
	return ftruncate(fd, (off_t)size) < 0 ? -errno : 0;
}

int gs_root_sync_dir(struct gs_root *root, const char *fmt, ...)
{
	char path[PATH_MAX];
	GS_CLOSE int fd = -1;
	int r = FORMAT_PATH(path, fmt);

	if (r < 0)
		return r;
	fd = open_in(root, path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	r = gs_root_file_sync(root, fd, true);
	return r == -EINVAL || r == -EROFS ? 0 : r;
}
