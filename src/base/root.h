/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * root.h - the one way to a file under /sys, /proc, /dev and /run of a machine.
 *
 * A root is a directory fd. On the live machine it is "/"; on a recorded or
 * simulated one it is a directory, and openat2(RESOLVE_IN_ROOT) keeps absolute
 * links inside it. Paths are given without a leading slash: "sys/bus/pci".
 *
 * Every function returns 0 or -errno, never 1 and never a partial result.
 */
#ifndef GS_BASE_ROOT_H
#define GS_BASE_ROOT_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"

enum gs_root_kind {
	GS_ROOT_LIVE,       /* "/", reads and writes go to the kernel */
	GS_ROOT_SYSROOT,    /* a recorded tree: every write is -EROFS */
	GS_ROOT_SIM,        /* a simulated machine: writes go to its kernel */
};

/* What a root of kind SIM asks of the machine behind it; each may be NULL. */
struct gs_root_ops {
	/* One write(2) on an attribute: @n bytes at once. 0 or -errno as the kernel would give it. */
	int (*write)(void *userdata, const char *path, const void *bytes, size_t n);
	/* May this caller read @path? 0, -EACCES or -EPERM. */
	int (*permit)(void *userdata, const char *path);
	/* What a read of the file gives before its first byte: 0, or -errno where the kernel's show callback fails (ENXIO, EIO…). May block as the kernel does. */
	int (*read)(void *userdata, const char *path);
};

struct gs_root;

/* @path NULL or "/" for LIVE. The caller owns the root. -errno with a sentence. */
int gs_root_open(enum gs_root_kind kind, const char *path, struct gs_root **ret_root, struct gs_error *e);
struct gs_root *gs_root_close(struct gs_root *root);
GS_DEFINE_CLEANUP(struct gs_root *, gs_root_close);

/* Only for SIM roots. @ops is borrowed for the life of the root. */
void gs_root_set_ops(struct gs_root *root, const struct gs_root_ops *ops, void *userdata);

/* What stands in for the system calls of gs_root_file_…(): -errno, or what the call gives. A test's way to a full or dying disk, on any kind of root. */
struct gs_root_file_ops {
	ssize_t (*write)(void *userdata, int fd, const void *bytes, size_t n);
	int (*sync)(void *userdata, int fd);
	int (*truncate)(void *userdata, int fd, uint64_t size);
};
/* @ops is borrowed for the life of the root; each may be NULL: the system's. */
void gs_root_set_file_ops(struct gs_root *root, const struct gs_root_file_ops *ops, void *userdata);

enum gs_root_kind gs_root_kind(const struct gs_root *root);
/* The directory ("/" for LIVE); borrowed. For libraries that take a path (libpci, dlopen). */
const char *gs_root_path(const struct gs_root *root);

/*
 * printf-style path for all of these. A path of PATH_MAX or more is
 * -ENAMETOOLONG; "..", absolute paths and empty components are -EINVAL.
 */
#define GS_ROOT_PATH GS_PRINTF(2, 3)

/* At most 64 KiB, more is -EFBIG; the trailing newline is removed; embedded NULs are -EBADMSG. The caller frees. */
int gs_root_read(struct gs_root *root, char **ret_text, const char *fmt, ...) GS_PRINTF(3, 4);
/* The same without any trimming and with NULs, for cmdline and the like; reads on to the end, at most @max bytes. */
int gs_root_read_bytes(struct gs_root *root, size_t max, char **ret_bytes, size_t *ret_n, const char *fmt, ...) GS_PRINTF(5, 6);
/* Whole attribute is one number. -EINVAL for anything else, -ERANGE. */
int gs_root_read_u64(struct gs_root *root, unsigned base, uint64_t *ret_value, const char *fmt, ...) GS_PRINTF(4, 5);
int gs_root_read_i64(struct gs_root *root, int64_t *ret_value, const char *fmt, ...) GS_PRINTF(3, 4);
/* The text of a symbolic link; the caller frees. */
int gs_root_readlink(struct gs_root *root, char **ret_target, const char *fmt, ...) GS_PRINTF(3, 4);
/* Its last component: «driver -> …/nvidia» gives "nvidia". */
int gs_root_readlink_name(struct gs_root *root, char **ret_name, const char *fmt, ...) GS_PRINTF(3, 4);
/* What the path leads to, links followed. */
struct stat;
int gs_root_stat(struct gs_root *root, struct stat *ret_st, const char *fmt, ...) GS_PRINTF(3, 4);
bool gs_root_exists(struct gs_root *root, const char *fmt, ...) GS_ROOT_PATH;
/* For readdir; the caller closes. */
int gs_root_opendir(struct gs_root *root, DIR **ret_dir, const char *fmt, ...) GS_PRINTF(3, 4);

/*
 * One open(O_WRONLY), one write(2) with all the bytes, close. A short write is
 * -EIO. Blocks for as long as the kernel wants: see the writer for those that can.
 */
int gs_root_write(struct gs_root *root, const void *bytes, size_t n, const char *fmt, ...) GS_PRINTF(4, 5);

/* Plain files of our own under run/ (never attributes). Parent directories must exist, see gs_root_mkdir. What is made here gets @mode whatever the umask. */
int gs_root_open_file(struct gs_root *root, int flags, mode_t mode, int *ret_fd, const char *fmt, ...) GS_PRINTF(5, 6);
int gs_root_mkdir(struct gs_root *root, mode_t mode, const char *fmt, ...) GS_PRINTF(3, 4);
int gs_root_unlink(struct gs_root *root, const char *fmt, ...) GS_ROOT_PATH;
/*
 * Writing behind what is in a plain file, so that it is there after a power cut:
 * all of @n bytes, or -errno with any part of them written. Syncing without
 * @all leaves out times and the like.
 */
int gs_root_file_write(struct gs_root *root, int fd, const void *bytes, size_t n);
int gs_root_file_sync(struct gs_root *root, int fd, bool all);
int gs_root_file_truncate(struct gs_root *root, int fd, uint64_t size);
/* The names in a directory; 0 also where the file system cannot. */
int gs_root_sync_dir(struct gs_root *root, const char *fmt, ...) GS_ROOT_PATH;
/* Write a sibling, fsync, rename over, fsync the directory: readers see the old or the new, never half. */
int gs_root_replace_file(struct gs_root *root, const void *bytes, size_t n, mode_t mode, gid_t gid, const char *fmt, ...) GS_PRINTF(6, 7);

#endif
