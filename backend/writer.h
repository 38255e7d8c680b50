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

/* Let @ms pass, or until @fd (-1: none) is readable, as ops->wait does. */
void gs_writer_pause(struct gs_writer *w, int fd, int ms);
/* ops->holders_of, or "". Returns @buf. */
const char *gs_writer_holders(struct gs_writer *w, struct gs_bdf function, char *buf, size_t size);
/* Reap the children that were left to themselves and have ended. */
void gs_writer_reap(struct gs_writer *w);
/* The pid of one that has not: the caller reaps it from now on. 0: none. */
int gs_writer_take_left(struct gs_writer *w);

/* ---- the child ---- */

/* One thing to do, by a process of its own. */
struct gs_writer_job {
	struct gs_bdf function;
	const char *waits_for;          /* who probably holds it, for the record; NULL */
	uint32_t owner;                 /* pid of the agent, our parent; 0: whoever */
	const char *path, *value;       /* to write; or: */
	const char *const *argv;        /* to run, NULL ends; NULL: write */
	/* How programs are run on this machine, as gs_machine_run(); it may block. */
	int (*run)(void *userdata, const char *const *argv, int *ret_exit, char **ret_output, struct gs_error *e);
	void *userdata;
};

/*
 * Do it, unless the owner has gone already. A record stands under
 * run/gpuslice/writes from before it is begun (writes.h); it counts when the
 * owner has gone, and for everybody when it takes longer than
 * GS_WRITER_RECORD_MS. The result is the exit status (0, or the kernel's
 * errno, GS_WRITER_BROKEN for no result at all); what a program printed goes
 * to standard output as {"errno":N,"exit":N,"output":TEXT,"text":TEXT}.
 */
#define GS_WRITER_RECORD_MS 500
#define GS_WRITER_BROKEN 255
int gs_writer_do(struct gs_root *root, const struct gs_writer_job *job);

/*
 * «gpuslice agent --writer=BDF --owner=PID [--waits-for=TEXT] [--run] MACHINE… -- PATH VALUE», or, with --run, «-- PROGRAM ARGUMENT…».
 * words: what stands behind the «--», NULL ends. Opens the machine, then gs_writer_do().
 */
struct gs_writer_words {
	const char *function, *owner, *waits_for;       /* @owner and @waits_for may be NULL */
	bool is_program;
	const char *const *words;
};
int gs_writer_child(const struct gs_machine_options *options, const struct gs_writer_words *w);

/* For a root without a machine around it (tests): @program is exec'd, NULL: this one; @argv are the words that make it open the same root. */
struct gs_writer *gs_writer_new_on(struct gs_root *root, const char *program, const char *const *argv, const struct gs_writer_ops *ops, void *userdata);

/* ---- records of writes that wait ---- */

/* Put them into the snapshot, on the GPU that each belongs to; dead ones are removed when @may_clean. -ENOMEM. */
int gs_writes_collect(struct gs_root *root, struct gs_snapshot *s, bool may_clean);

/*
 * The functions that a write hangs on, at most @max: some of their attributes
 * must not be read meanwhile, or the reader hangs too (testbench 4). How many.
 */
size_t gs_writes_functions(struct gs_root *root, struct gs_bdf *ret_functions, size_t max);

#endif
