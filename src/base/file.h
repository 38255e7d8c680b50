/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file.h - whole files by the operator's path: bounded reads, atomic replacement. */
#ifndef GS_BASE_FILE_H
#define GS_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* Inputs larger than this are refused before anything is parsed. */
#define GS_INPUT_BYTES_MAX (4u << 20)

/*
 * Read all of @path ("-": standard input) into memory, NUL-terminated; the
 * caller frees. Not a regular file, pipe or character stream, missing,
 * unreadable, larger than @max: negative errno, a sentence that names the
 * path, status INVALID.
 */
int gs_file_read(const char *path, size_t max, char **ret_bytes, size_t *ret_n, struct gs_error *e);

/* The same from an open fd; @name for the sentence. */
int gs_fd_read_all(int fd, const char *name, size_t max, char **ret_bytes, size_t *ret_n, struct gs_error *e);

/* Write a sibling, fsync, rename over, fsync the directory. Mode 0666 less the umask unless @mode is not 0. */
int gs_file_replace(const char *path, const void *bytes, size_t n, mode_t mode, struct gs_error *e);

/* write(2) until all is written or an error; restarts on EINTR, polls on EAGAIN. */
int gs_fd_write_all(int fd, const void *bytes, size_t n);

/* mkdir -p with @mode for what is created. 0 or -errno. */
int gs_mkdir_parents(const char *path, mode_t mode);

struct stat;
/* Is it still the same file, with what was in it? By inode, size and both times: whoever has to notice a change reads again then, and not before. */
bool gs_file_is_same(const struct stat *a, const struct stat *b);

#endif
