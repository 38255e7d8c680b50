/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * proc.h - what /proc says about one process. Every process writes its own
 * name and command line, so all of it is hostile: bounded, and never trusted
 * for more than showing.
 */
#ifndef GS_BACKEND_PROC_H
#define GS_BACKEND_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/root.h"

#define GS_PROC_COMM 64

/*
 * /proc/PID/stat: the name, which may contain blanks, parentheses and
 * newlines, stands between the first «(» and the last «)»; the start time
 * (clock ticks since boot) is field 22. -EBADMSG when it is none of this.
 * @ret_comm has GS_PROC_COMM bytes and may be NULL.
 */
int gs_proc_parse_stat(const char *text, char *ret_comm, uint64_t *ret_start_time);

/* The same of a process; -ENOENT when it has gone. */
int gs_proc_stat(struct gs_root *root, uint32_t pid, char *ret_comm, uint64_t *ret_start_time);

/*
 * What tells a process of this host from a later one that got its number: with
 * the boot id, for what is written into files that could outlive a boot. It is
 * a process of the real /proc on every kind of machine.
 */
#define GS_PROC_BOOT_ID 40
struct gs_proc_identity {
	uint32_t pid;
	uint64_t start_time;                /* clock ticks since boot */
	char boot_id[GS_PROC_BOOT_ID];      /* "unknown" where the kernel does not tell it */
};

/* Of a process that runs; -ENOENT when there is none, or it has ended and only its parent has not asked for its status. */
int gs_proc_identify(uint32_t pid, struct gs_proc_identity *ret_identity);
/* Is it still that very process? */
bool gs_proc_is_alive(const struct gs_proc_identity *identity);

/* Real uid: the first number of the «Uid:» line of /proc/PID/status. */
int gs_proc_uid(struct gs_root *root, uint32_t pid, uint32_t *ret_uid);

/*
 * Does @pid execute the file that we are? Only on the live machine, and only
 * where its link may be followed; false otherwise.
 */
bool gs_proc_is_own_program(struct gs_root *root, uint32_t pid);

/* Is this argv («gpuslice agent … --role=collector …», NUL-separated) one of our own collectors? Anybody can write one: gs_proc_is_own_program() as well. */
bool gs_proc_is_collector(const char *comm, const char *cmdline, size_t n);

#endif
