/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fakehost.h - a sysfs tree by hand, with a kernel behind it that a test
 * writes itself. A test program that uses writers plays their child, too: its
 * main() begins with gs_fakehost_child().
 */
#ifndef GS_TESTS_FAKEHOST_H
#define GS_TESTS_FAKEHOST_H

#include "backend/writer.h"
#include "base/root.h"

struct gs_fakehost {
	char dir[40];
	struct gs_root *root;
	struct gs_writer *writer;
	void *kernel;                   /* owned */
	const char *argv[3];
};

/* What the kernel and the programs of a test do; they know the machine by its tree only, since they run in other processes. */
struct gs_fakehost_kernel {
	int (*write)(struct gs_fakehost *f, const char *path, const char *value);
	int (*run)(struct gs_fakehost *f, const char *const *argv, int *ret_exit, char **ret_output);
};

/* Aborts on failure. @kernel NULL: a write replaces what stands in the file. @ops may be NULL. */
void gs_fakehost_open(struct gs_fakehost *f, const struct gs_fakehost_kernel *kernel, const struct gs_writer_ops *ops, void *userdata);
/* Removes the tree, too. */
void gs_fakehost_close(struct gs_fakehost *f);

/* -1: this process is no writer's child; else its exit status. */
int gs_fakehost_child(int argc, char **argv, const struct gs_fakehost_kernel *kernel);

/* Parents are made. */
void gs_fakehost_put(struct gs_fakehost *f, const char *text, const char *fmt, ...) GS_PRINTF(3, 4);
void gs_fakehost_link(struct gs_fakehost *f, const char *target, const char *fmt, ...) GS_PRINTF(3, 4);
void gs_fakehost_mkdir(struct gs_fakehost *f, const char *fmt, ...) GS_PRINTF(2, 3);
/* A file, link, or directory with what is in it; one that is not there is no failure. */
void gs_fakehost_remove(struct gs_fakehost *f, const char *fmt, ...) GS_PRINTF(2, 3);
/* "" when it cannot be read; the caller frees. */
char *gs_fakehost_read(struct gs_fakehost *f, const char *fmt, ...) GS_PRINTF(2, 3);

/* A PCI function: vendor, device, class and the like, under sys/bus/pci/devices. @driver NULL: none; @group < 0: none. */
void gs_fakehost_function(struct gs_fakehost *f, const char *bdf, const char *vendor, const char *device, const char *class, const char *driver, int group);
/* virtfnN and physfn. */
void gs_fakehost_vf(struct gs_fakehost *f, const char *pf, unsigned n, const char *bdf);

#endif
