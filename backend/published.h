/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * published.h - what a privileged agent saw, for those who may not ask:
 * run/gpuslice/snapshot.json, {"schema":"gpuslice.published/1",
 * "taken_at_ms":N,"snapshot":{…}}, root:gpuslice-view 0640 since it names
 * processes. Joined by MIG UUID: ids are reused, UUIDs are not.
 */
#ifndef GS_BACKEND_PUBLISHED_H
#define GS_BACKEND_PUBLISHED_H

#include <sys/stat.h>

#include "base/root.h"
#include "codec/json.h"
#include "core/snapshot.h"

#define GS_PUBLISHED_PATH "run/gpuslice/snapshot.json"

struct gs_published {
	struct gs_snapshot *snapshot;   /* one reference; NULL: it was read, and is none of ours */
	struct gs_wall taken_at;
	struct stat read;               /* the file that it was; 0: none */
};
void gs_published_done(struct gs_published *p);
#define GS_PUBLISHED GS_CLEANUP(gs_published_done)

/*
 * Read it, unless it is the file that is in *@p already (begins as 0): every
 * look of a viewer asks, and it changes once a minute. -ENOENT when there is
 * none, -EACCES, -EBADMSG when it is none of ours; then *@p has no snapshot.
 */
int gs_published_refresh(struct gs_root *root, struct gs_published *p, struct gs_error *e);

/*
 * Give the instances of @gpu whose place is unknown the published one, where
 * the same MIG UUID is in the same GPU under the same profile, and add those
 * without compute instance, which have no UUID. True when both lists are one
 * then: every instance has a place, and every published one is among them.
 */
bool gs_published_join(const struct gs_published *p, struct gs_snapshot *s, struct gs_gpu *gpu);

/*
 * What the kernel's log had of @gpu, where this viewer may not read it: as of
 * when it was published. The same UUID in the same place, or one without UUID.
 */
void gs_published_join_events(const struct gs_published *p, struct gs_snapshot *s, struct gs_gpu *gpu);

/*
 * The commit that was left open on @gpu, where this viewer may not read the
 * journal: interrupted or half done, which stays so until somebody decides
 * about it. One that was under way then is over by now, or not; so it is left out.
 */
void gs_published_join_open_commit(const struct gs_published *p, struct gs_snapshot *s, struct gs_gpu *gpu);

/*
 * Write it atomically; makes run/gpuslice. Names are left out where the site's
 * policy says so (codec/site_policy.h); a policy with a mistake: nothing is
 * written. -EPERM, -EBADMSG, -errno with a sentence.
 */
int gs_published_write(struct gs_root *root, const struct gs_snapshot *s, struct gs_wall now, struct gs_error *e);

#endif
