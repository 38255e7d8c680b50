/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hooks.h - the site's own programs around a commit: the executables in
 * etc/gpuslice/hooks.d of the machine, one after the other by name.
 *
 *	argv	HOOK before|after STATUS BDF…	STATUS: "-", or the commit's exit status
 *	stdin	the plan as JSON (schema gpuslice.plan/1)
 *	env	PATH, LANG=C, GPUSLICE_HOST, GPUSLICE_MESSAGE when one was given; nothing else
 *	cwd	/
 *
 * Each is a process group of its own. What it prints is shown, at most
 * GS_HOOKS_OUTPUT_MAX bytes of it, made printable. After GS_HOOKS_TIMEOUT_MS it
 * gets SIGTERM, GS_HOOKS_GRACE_MS later SIGKILL, both with its whole group. What
 * it leaves behind when it has ended in time is its own affair.
 *
 * No hook is skipped in silence: names of letters, digits, '_', '-' and '.'
 * count, but for hidden ones and what editors and package managers leave behind
 * (FILE~, .bak, .orig, .swp, .dpkg-*, .rpm*); one of those that count and
 * cannot be run is an error.
 */
#ifndef GS_BACKEND_HOOKS_H
#define GS_BACKEND_HOOKS_H

#include <stddef.h>

#include "base/root.h"
#include "core/bdf.h"

#define GS_HOOKS_DIR "etc/gpuslice/hooks.d"
#define GS_HOOKS_MAX 64
#define GS_HOOKS_OUTPUT_MAX 8192
#define GS_HOOKS_PLAN_MAX (1u << 20)
#define GS_HOOKS_TIMEOUT_MS 30000
#define GS_HOOKS_GRACE_MS 5000

/* What a hook is told, and how long it may take. All borrowed. */
struct gs_hooks_call {
	const char *host;           /* the machine's name */
	const char *message;        /* why, in the operator's words; NULL: none */
	const struct gs_bdf *gpus;
	size_t n_gpus;
	const char *plan;           /* JSON, at most GS_HOOKS_PLAN_MAX bytes */
	int timeout_ms, grace_ms;   /* 0: as above */
};

/* What the caller does meanwhile, and what it shows. */
struct gs_hooks_ops {
	/* Serve others for a moment, at most @ms; may come back at once when @fd is readable. Called over and over. */
	void (*wait)(void *userdata, int fd, int ms);
	/* A line that @hook printed, or that there is to say about it. May be NULL. */
	void (*say)(void *userdata, const char *hook, const char *when, const char *line);
};

struct gs_hooks;

/*
 * Find the hooks. None, or no such directory, is no error. With @only_roots
 * (a live machine) etc, etc/gpuslice, hooks.d and each hook have to be root's,
 * written by nobody else, and no links: what is run as root is what root put
 * there. Otherwise -EPERM; a hook that cannot be run -EACCES or -EINVAL; more
 * than GS_HOOKS_MAX -E2BIG; always a sentence with the path and what to do,
 * status REFUSED. The caller owns it; @root is borrowed.
 */
int gs_hooks_open(struct gs_root *root, bool only_roots, struct gs_hooks **ret_hooks, struct gs_error *e);
struct gs_hooks *gs_hooks_free(struct gs_hooks *h);
GS_DEFINE_CLEANUP(struct gs_hooks *, gs_hooks_free);

size_t gs_hooks_count(const struct gs_hooks *h);
/* The name of the @i-th; borrowed. */
const char *gs_hooks_name(const struct gs_hooks *h, size_t i);

/*
 * Run them with «before»; the first that does not end with 0 in time stops it:
 * -ECANCELED (it said no), -ETIMEDOUT or why it could not be run, with its name
 * and last line, status REFUSED.
 */
int gs_hooks_before(struct gs_hooks *h, const struct gs_hooks_call *call, const struct gs_hooks_ops *ops, void *userdata, struct gs_error *e);
/*
 * Run those whose «before» was begun with «after» and @status, all of them
 * whatever becomes of one. How many failed; the first one's story goes to
 * @ret_note, "" when none did.
 */
size_t gs_hooks_after(struct gs_hooks *h, int status, const struct gs_hooks_call *call, const struct gs_hooks_ops *ops, void *userdata, char *ret_note,
		      size_t size);

#endif
