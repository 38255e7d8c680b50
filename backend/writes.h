/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * writes.h - the records of what a driver does not come back from:
 * run/gpuslice/writes/PID-BDF, {"start_time","boot_id","path","value",
 * "since_ms","waits_for"}, 0600 where it names processes. A record counts
 * while that very process lives; it is a real process on a simulated machine,
 * too. Each is made before the act, 0644, with "owner_pid" and
 * "owner_start_time" of the agent that waits for it: while that agent lives,
 * its lock keeps others away, and the record does not count. One of a write
 * in sysfs that takes long is made anew without an owner and with whom it
 * waits for. One of a call of NVML has the path "NVML", for a value what the
 * call does, and the pid of the collector.
 *
 * That there is one for a function everybody may know, by the name: who
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
