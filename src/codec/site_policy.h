/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * site_policy.h - what a site decides for all of its users, schema
 * gpuslice.policy/1: {"schema", "publish": {"names": false}}. Both are
 * optional but the schema; a key that nobody knows is a mistake and no wish.
 */
#ifndef GS_CODEC_SITE_POLICY_H
#define GS_CODEC_SITE_POLICY_H

#include "base/root.h"
#include "codec/json.h"

#define GS_SITE_POLICY "etc/gpuslice/policy.json"

struct gs_site_policy {
	bool publish_names;             /* viewers are told who holds a GPU by name, not by pid alone; true by default */
};

/*
 * The policy of a machine; without the file, the default. On a live machine it
 * must belong to root and be writable by nobody else. Whatever is wrong with
 * it is an error and never passed over: it was meant to keep something back.
 * -EPERM, -EBADMSG, -errno with a sentence that names the file.
 */
int gs_site_policy_read(struct gs_root *root, struct gs_site_policy *ret_policy, struct gs_error *e);

/* What a file says; @name for errors. -EBADMSG. */
int gs_site_policy_from_json(struct json_object *o, const char *name, struct gs_site_policy *ret_policy, struct gs_error *e);

/*
 * Take the names out of a snapshot's JSON, in place: of processes, units, VMs,
 * containers, users and their ids, how they were found, what the kernel's log
 * quotes of them, whose commit was left open, and sentences that may have any of it. What stays is how
 * many hold what, their kinds, pids and memory; and all that is no holder's.
 * What is not known to be harmless goes.
 */
void gs_snapshot_json_leave_out_names(struct json_object *snapshot);

#endif
