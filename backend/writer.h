/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * writer.h - writes that may block. Each is carried out by a child of its own,
 * exec'd with path and value (design 5): never timed out, killed or retried,
 * because a queued write still executes later. While it waits the agent goes
 * on; when nobody wants to wait any longer it is left as a record under
 * run/gpuslice/writes, which the next look finds (struct gs_pending_write) and
 * the writer removes when the kernel lets it go.
 */
#ifndef GS_BACKEND_WRITER_H
#define GS_BACKEND_WRITER_H

#include "backend/machine.h"
#include "core/bdf.h"
#include "core/snapshot.h"

struct gs_writer;

/* What the agent does meanwhile, and what it says. */
struct gs_writer_ops {
	/*
	 * Serve messages for at most @ms, or until @fd is readable. Called over
	 * and over while a child works.
	 */
	void (*wait)(void *userdata, int fd, int ms);
	/* A child has been at it for @waited_ms: @text says what and on whom it waits. Once a second. May be NULL. */
	void (*waiting)(void *userdata, const char *text, uint64_t waited_ms);
	/* May the write be left pending now? Asked after @waited_ms; NULL: after GS_WRITER_PATIENCE_MS. */
	bool (*leave)(void *userdata, uint64_t waited_ms);
	/* Who holds @function, as a sentence's end ("pid 4711 qemu-system-x86"), or "". May be NULL. */
	void (*holders_of)(void *userdata, struct gs_bdf function, char *buf, size_t size);
};

#define GS_WRITER_PATIENCE_MS 60000

/* @machine and @ops are borrowed. NULL when there is no memory. */
struct gs_writer *gs_writer_new(struct gs_machine *machine, const struct gs_writer_ops *ops, void *userdata);
struct gs_writer *gs_writer_free(struct gs_writer *w);
GS_DEFINE_CLEANUP(struct gs_writer *, gs_writer_free);

/* For reading back. */
struct gs_root *gs_writer_root(struct gs_writer *w);
struct gs_machine *gs_writer_machine(struct gs_writer *w);

/*
 * One write(2) of @value on the attribute at @path (as for gs_root), made on
 * behalf of @function. 0; the kernel's -errno, unexplained; -EINPROGRESS: it
 * blocks and was left pending; -EBUSY with a sentence in @e when an earlier
 * write of the same function is pending still: nothing was written then.
 */
int gs_writer_write(struct gs_writer *w, struct gs_bdf function, const char *path, const char *value, struct gs_error *e);

/*
 * Run a program of the machine (argv, no shell, an absolute path or one of the
 * few names that gs_machine_run knows) to its end, however long that takes:
 * what is killed half-way strands a GPU (interfaces 3.4). *@ret_exit is its
 * exit status, *@ret_output what it printed, at most 8 KiB, printable; the
 * caller frees. -ENOENT: not installed.
 */
int gs_writer_run(struct gs_writer *w, struct gs_bdf function, const char *const *argv, int *ret_exit, char **ret_output, struct gs_error *e);

/* The child's side: «gpuslice agent --writer PATH VALUE», with the machine's options. Exit status: 0, or the errno. */
int gs_writer_child(const struct gs_machine_options *options, const char *path, const char *value);

/* ---- records of writes that wait ---- */

/* Put them into the snapshot, on the GPU that each belongs to; dead ones are removed when @may_clean. -ENOMEM. */
int gs_writes_collect(struct gs_root *root, struct gs_snapshot *s, bool may_clean);

#endif
