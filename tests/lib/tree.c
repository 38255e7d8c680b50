/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/lib/tree.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "tests/lib/cmocka.h"

void gs_tree_new(char ret_dir[GS_TREE_DIR])
{
	snprintf(ret_dir, GS_TREE_DIR, "/tmp/gpuslice-test-XXXXXX");
	assert_non_null(mkdtemp(ret_dir));
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path);
}

void gs_tree_remove(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_parents(const char *dir, const char *name, char *ret_path, size_t size)
{
	snprintf(ret_path, size, "%s/%s", dir, name);
	*strrchr(ret_path, '/') = '\0';
	assert_int_equal(gs_mkdir_parents(ret_path, 0755), 0);
	snprintf(ret_path, size, "%s/%s", dir, name);
}

void gs_tree_put_bytes(const char *dir, const char *name, const void *bytes, size_t n)
{
	char path[512];

	make_parents(dir, name, path, sizeof(path));
	assert_int_equal(gs_file_replace(path, bytes, n, 0644, NULL), 0);
}

void gs_tree_put(const char *dir, const char *name, const char *text)
{
	gs_tree_put_bytes(dir, name, text, strlen(text));
}

void gs_tree_link(const char *dir, const char *name, const char *target)
{
	char path[512];

	make_parents(dir, name, path, sizeof(path));
	assert_int_equal(symlink(target, path), 0);
}

void gs_tree_process(const char *dir, unsigned pid, const char *comm, const char *words, const char *cgroup)
{
	char name[64], text[512];

	snprintf(name, sizeof(name), "proc/%u/stat", pid);
	snprintf(text, sizeof(text), "%u (%s) S 1 1 1 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 %u 1 2 3\n", pid, comm, pid * 10);
	gs_tree_put(dir, name, text);
	snprintf(name, sizeof(name), "proc/%u/status", pid);
	gs_tree_put(dir, name, "Name:\tx\nUid:\t0\t0\t0\t0\n");
	if (words) {
		GS_FREE char *argv = strdup(words);
		size_t n = strlen(words) + 1;

		for (size_t i = 0; i < n; i++)
			if (argv[i] == ' ')
				argv[i] = '\0';
		snprintf(name, sizeof(name), "proc/%u/cmdline", pid);
		gs_tree_put_bytes(dir, name, argv, n);
	}
	if (cgroup) {
		snprintf(name, sizeof(name), "proc/%u/cgroup", pid);
		gs_tree_put(dir, name, cgroup);
	}
	gs_tree_open(dir, pid, 0, "/dev/null");
}

void gs_tree_open(const char *dir, unsigned pid, unsigned fd, const char *target)
{
	char name[64];

	snprintf(name, sizeof(name), "proc/%u/fd/%u", pid, fd);
	gs_tree_link(dir, name, target);
}
