/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * machine.h - which machine this is about: live, recorded or simulated. The
 * only place that knows what differs; everything above asks the machine.
 */
#ifndef GS_BACKEND_MACHINE_H
#define GS_BACKEND_MACHINE_H

#include "base/error.h"
#include "base/root.h"
#include "core/vocabulary.h"

struct gs_machine_options {
	const char *sim;        /* --sim NAME; NULL */
	const char *sysroot;    /* --sysroot DIR; NULL */
	bool as_user;           /* simulated: the caller is not root */
	bool read_only;         /* no way to write; on a simulated machine not root either */
};

struct gs_machine;

/* The caller owns it. Status INVALID when both are given or the name is unknown. */
int gs_machine_open(const struct gs_machine_options *options, struct gs_machine **ret_machine, struct gs_error *e);
struct gs_machine *gs_machine_close(struct gs_machine *m);
GS_DEFINE_CLEANUP(struct gs_machine *, gs_machine_close);

enum gs_host_source gs_machine_source(const struct gs_machine *m);
/* The host's name: proc/sys/kernel/hostname of its root. Borrowed. */
const char *gs_machine_host(const struct gs_machine *m);
struct gs_root *gs_machine_root(struct gs_machine *m);
/* Root, or counting as root on a simulated machine. */
/*
 * 0 where we may do anything. @what ("changing this machine") needs root: -EPERM
 * and status CANNOT_TELL, the one status for want of privilege; -EROFS and REFUSED
 * on a recorded machine, which nobody can change.
 */
int gs_machine_check_root(const struct gs_machine *m, const char *what, struct gs_error *e);
bool gs_machine_is_privileged(const struct gs_machine *m);
bool gs_machine_is_read_only(const struct gs_machine *m);
/* Command-line words that open the same machine in another process: --sim NAME …; NULL ends; borrowed. */
const char *const *gs_machine_argv(const struct gs_machine *m);

/* Paths to try for NVML, in order, NULL ends; empty on a recorded machine. For a simulated one, sets its environment. */
int gs_machine_nvml_paths(struct gs_machine *m, const char *const **ret_paths, struct gs_error *e);

/* Ask a process to end: pidfd and start time on a live machine, its own kernel on a simulated one. -ESRCH: it has gone already. -EROFS when read-only or recorded. */
int gs_machine_signal(struct gs_machine *m, uint32_t pid, uint64_t start_time, int signo);
bool gs_machine_process_exists(struct gs_machine *m, uint32_t pid, uint64_t start_time);

/*
 * Run a program of the machine: argv, no shell; argv[0] is an absolute path or
 * one of the names that gs_program_run() knows. It blocks until the program has
 * ended and never kills it, so it is for a collector or a writer's child: an
 * agent takes gs_writer_run(). *@ret_output (the caller frees) is bounded, and
 * not yet fit to be shown. -ENOENT: not installed; -EROFS when read-only or recorded.
 */
int gs_machine_run(struct gs_machine *m, const char *const *argv, int *ret_exit, char **ret_output, struct gs_error *e);

#endif
