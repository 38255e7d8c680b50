/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * writes.h - the records of what a driver does not come back from:
 * run/gpuslice/writes/PID-BDF, {"start_time","boot_id","path","value",
 * "since_ms","waits_for"}, 0600, since it names processes. A record counts
 * while that very process lives; it is a real process on a simulated machine,
 * too. A write in sysfs gets one when it takes long. A call of NVML gets one
 * before it is made, since nobody would be there to make it later: path is
 * "NVML", value says what it does, the pid is the collector's; 0644, with
 * "owner_pid" and "owner_start_time" of the agent that waits for it. While
 * that agent lives, its lock keeps others away, so the record does not count. That there is one for a function everybody may know, by the name: who
 * does not would hang on reading the device's attributes (testbench 4).
 */
#ifndef GS_BACKEND_WRITES_H
#define GS_BACKEND_WRITES_H

#include "backend/proc.h"
#include "base/root.h"
#include "core/bdf.h"

#define GS_WRITES_DIR "run/gpuslice/writes"

struct gs_write_record {
	uint32_t pid;
	uint64_t start_time;
	struct gs_bdf function;
	char *path, *value, *waits_for;     /* owned; @waits_for may be NULL; "?" for who may not read them */
	int64_t since_ms;                   /* since 1970 */
	struct gs_proc_identity owner;      /* who waits for the process under a lock; pid 0: nobody */
};
void gs_write_record_done(struct gs_write_record *r);

/* Make the record of process @r->pid, whose start time is read here. -errno. */
int gs_write_record_make(struct gs_root *root, const struct gs_write_record *r);
void gs_write_record_remove(struct gs_root *root, uint32_t pid, struct gs_bdf function);

/*
 * Call @take for each record that counts; it may empty what it keeps. Dead
 * ones are removed when @may_clean. A return of @take other than 0 ends it and
 * is returned. What makes no sense is no record.
 */
int gs_write_records(struct gs_root *root, bool may_clean, int (*take)(void *userdata, struct gs_write_record *r), void *userdata);

/* Does an earlier write of @function hang? Fills the record, which the caller empties. */
bool gs_write_record_of(struct gs_root *root, struct gs_bdf function, struct gs_write_record *ret_record);

#endif
