/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

int gs_fd_write_all(int fd, const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n) {
		ssize_t written = write(fd, p, n);

		if (written < 0 && errno == EAGAIN) {
			struct pollfd pfd = { .fd = fd, .events = POLLOUT };

			poll(&pfd, 1, -1);
			continue;
		}
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		p += written;
		n -= (size_t)written;
	}
	return 0;
}

int gs_fd_read_all(int fd, const char *name, size_t max, char **ret_bytes, size_t *ret_n, struct gs_error *e)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	size_t length;

	for (;;) {
		char chunk[16384];
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return gs_error_set(e, -errno, GS_STATUS_INVALID, "%s: cannot be read: %s", name, strerror(errno));
		if (n == 0)
			break;
		gs_strbuf_add(&b, chunk, (size_t)n);
		if (b.length > max)
			return gs_error_set(e, -EFBIG, GS_STATUS_INVALID, "%s: larger than %zu bytes, refused", name, max);
	}
	length = b.length;
	*ret_bytes = gs_strbuf_take(&b);
	if (!*ret_bytes)
		return gs_error_oom(e);
	*ret_n = length;
	return 0;
}

int gs_file_read(const char *path, size_t max, char **ret_bytes, size_t *ret_n, struct gs_error *e)
{
	GS_CLOSE int fd = -1;
	struct stat st;

	if (strcmp(path, "-") == 0)
		return gs_fd_read_all(STDIN_FILENO, "standard input", max, ret_bytes, ret_n, e);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return gs_error_set(e, -errno, GS_STATUS_INVALID, "%s: cannot be opened: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0)
		return gs_error_set(e, -errno, GS_STATUS_INVALID, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return gs_error_set(e, -EISDIR, GS_STATUS_INVALID, "%s: is a directory, not a file", path);
	return gs_fd_read_all(fd, path, max, ret_bytes, ret_n, e);
}

/* Write @bytes to a new file @path, durably. */
static int write_new(const char *path, const void *bytes, size_t n, mode_t mode)
{
	GS_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode ? mode : 0666);
	int r;

	if (fd < 0)
		return -errno;
	r = gs_fd_write_all(fd, bytes, n);
	if (r < 0)
		return r;
	return fsync(fd) < 0 ? -errno : 0;
}

/* So that the new name is there after a power cut, too; not every file system can, and the file itself is written. */
static void sync_directory_of(const char *path)
{
	GS_CLOSE int fd = -1;
	char dir[PATH_MAX];
	char *slash;

	if (snprintf(dir, sizeof(dir), "./%s", path) >= (int)sizeof(dir))
		return;
	slash = strrchr(dir, '/');
	slash[1] = '\0';
	fd = open(path[0] == '/' ? dir + strlen("./") : dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		(void)!fsync(fd);
}

int gs_file_replace(const char *path, const void *bytes, size_t n, mode_t mode, struct gs_error *e)
{
	char temporary[PATH_MAX];
	int r;

	if (snprintf(temporary, sizeof(temporary), "%s.%d.new", path, (int)getpid()) >= (int)sizeof(temporary))
		return gs_error_set(e, -ENAMETOOLONG, GS_STATUS_INVALID, "%s: the name is too long", path);
	/* one that was killed in mid-write may have left its file, and process ids come round */
	unlink(temporary);
	r = write_new(temporary, bytes, n, mode);
	if (r >= 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0) {
		unlink(temporary);
		return gs_error_set(e, r, GS_STATUS_FAILED, "%s: cannot be written: %s; nothing was changed", path, strerror(-r));
	}
	sync_directory_of(path);
	return 0;
}

int gs_mkdir_parents(const char *path, mode_t mode)
{
	char buf[PATH_MAX];

	if (snprintf(buf, sizeof(buf), "%s", path) >= (int)sizeof(buf))
		return -ENAMETOOLONG;
	for (char *p = buf + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(buf, mode) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdir(buf, mode) < 0 && errno != EEXIST ? -errno : 0;
}

bool gs_file_is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}
