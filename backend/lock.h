/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lock.h - one commit at a time on a machine: run/gpuslice/lock, 0600, held by
 * flock(2) on a descriptor that no child inherits. So it goes with the agent
 * that took it, at once, however it ends and whatever children of it a driver
 * keeps in the kernel; those stand in records of their own, which block one
 * device each (writes.h). Who only looks takes no lock.
 *
 * The file says who holds it, one line of JSON: {"pid","start_time","boot_id",
 * "uid","user","sudo_user","command","since_ms"}. It is a courtesy to whoever
 * is refused; the lock itself is the kernel's. The file stays: one that was
 * removed and made again would be another lock.
 */
#ifndef GS_BACKEND_LOCK_H
#define GS_BACKEND_LOCK_H

#include "backend/proc.h"
#include "base/clock.h"
#include "base/root.h"

#define GS_LOCK_PATH "run/gpuslice/lock"
#define GS_LOCK_COMMAND_MAX 256     /* bytes, with the end */
#define GS_LOCK_WAIT_SECONDS_MAX 86400

struct gs_lock_holder {
	struct gs_proc_identity process;
	uint32_t uid;
	char user[64], sudo_user[64];   /* "" when not known; of sudo what it says of its caller */
	char command[GS_LOCK_COMMAND_MAX];
	int64_t since_ms;               /* since 1970 */
};

/*
 * Take it for this process. @command is what the operator ran, told by the
 * client, so it is text and nothing else: cut, made printable; NULL: not known.
 * *@ret_fd is the caller's, for gs_lock_release(). Does not wait: -EWOULDBLOCK
 * with status LOCKED and a sentence that names the holder while it lives; then
 * *@ret_holder is filled, pid 0 when it is not known. It may be NULL.
 */
int gs_lock_take(struct gs_root *root, const char *command, int *ret_fd, struct gs_lock_holder *ret_holder, struct gs_error *e);

/* Release it, tell who waits, close @fd. */
void gs_lock_release(int fd);

/* "pid 4711 (alice): gpuslice apply x.json, since 12 s"; "another process" when the pid is 0. Returns @buf. */
#define GS_LOCK_TEXT (GS_LOCK_COMMAND_MAX + 160)
const char *gs_lock_describe(const struct gs_lock_holder *h, struct gs_wall now, char *buf, size_t size);

/*
 * The sentence of a file's contents, for tests of what is not to be believed:
 * 0, or -EBADMSG for anything but one such object of a bounded size.
 */
int gs_lock_parse_holder(const char *bytes, size_t n, struct gs_lock_holder *ret_holder);

/* ---- waiting: make a watch, try, and when it is held, wait for the watch and try again ---- */

struct gs_lock_watch;

/* Before trying, so that no release between the two is missed. NULL when there is no memory. */
struct gs_lock_watch *gs_lock_watch_new(struct gs_root *root);
struct gs_lock_watch *gs_lock_watch_free(struct gs_lock_watch *w);
GS_DEFINE_CLEANUP(struct gs_lock_watch *, gs_lock_watch_free);

/* @holder has it now: its end is watched, too. */
void gs_lock_watch_holder(struct gs_lock_watch *w, const struct gs_lock_holder *holder);

/* For poll(2): readable when trying again makes sense; -1: there is none. */
int gs_lock_watch_fd(const struct gs_lock_watch *w);

/* Try again after this many milliseconds at the latest; -1: not before the descriptor says so. */
int gs_lock_watch_ms(const struct gs_lock_watch *w);

#endif
