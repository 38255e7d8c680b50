/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree.h - a recorded machine made by the test: files and links below a directory of its own. A mistake ends the test. */
#ifndef GS_TESTS_TREE_H
#define GS_TESTS_TREE_H

#include <stddef.h>

#include "base/error.h"

#define GS_TREE_DIR 32

/* A new empty directory; its path goes to @ret_dir. */
void gs_tree_new(char ret_dir[GS_TREE_DIR]);
/* The directory and all that is in it. */
void gs_tree_remove(const char *dir);
/* A file DIR/NAME with that text, a link to @target; parents are made. */
void gs_tree_put(const char *dir, const char *name, const char *text);
void gs_tree_put_bytes(const char *dir, const char *name, const void *bytes, size_t n);
void gs_tree_link(const char *dir, const char *name, const char *target);
/* A process with a name, a command line ("a b c" becomes words) and a cgroup; @words and @cgroup may be NULL. */
void gs_tree_process(const char *dir, unsigned pid, const char *comm, const char *words, const char *cgroup);
/* One more open file of it. */
void gs_tree_open(const char *dir, unsigned pid, unsigned fd, const char *target);

#endif
