/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * collector.h - the child process that may block or die instead of the agent:
 * it alone loads NVML, once per life, and ends when its agent's socket closes.
 *
 * Methods (agent -> collector), JSON-RPC as in codec/rpc.h:
 *   collect {"telemetry":bool,"fresh":bool,"if_changed":bool}
 *           -> snapshot with profiles; null when if_changed and equal to the one sent before
 *   doctor  {} -> facts (codec/doctor_json.h)
 *   run     {"step":…} -> outcome (see codec/step_json.h); refused by a read-only collector
 *
 * This header is the agent's side of it.
 */
#ifndef GS_BACKEND_COLLECTOR_H
#define GS_BACKEND_COLLECTOR_H

#include "backend/machine.h"
#include "base/clock.h"
#include "codec/rpc.h"

struct gs_collector {
	int pid;
	struct gs_rpc *rpc;
	int64_t last_id;
	struct gs_monotonic started;
};

/* Exec this program in the collector's role for @machine. The caller owns it. It inherits nothing but its socket, a commit's lock least of all (lock.h). */
int gs_collector_start(const struct gs_machine *machine, struct gs_collector **ret_collector, struct gs_error *e);

/*
 * Close its socket, which ends it, and wait a second; killed after that when
 * @may_kill (it only reads then). How it ended goes into @ret_how (a
 * sentence's end: "exit status 1", "signal 11"), which may be NULL. 0, or the
 * pid of one that a driver keeps in the kernel, for the caller to reap later.
 */
int gs_collector_stop(struct gs_collector *c, bool may_kill, char *ret_how, size_t size);

/* Send a call; its id, or -errno. Takes @params. */
int64_t gs_collector_call(struct gs_collector *c, const char *method, struct json_object *params);

/* {"telemetry":…,"fresh":…,"if_changed":…} */
struct json_object *gs_collector_collect_params(bool telemetry, bool fresh, bool if_changed);

/*
 * Make the protocol's fds private: fds 0 and 1 are moved up and replaced by
 * /dev/null and standard error, so that what a library prints cannot get into
 * the conversation. Both agent and collector do this first.
 */
int gs_protocol_fds(int *fd_in, int *fd_out);

#endif
