/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * who.h - who uses a GPU, and would that block an operation? One judgement for
 * «gpuslice who», for the plan's findings and for the screen.
 */
#ifndef GS_CORE_WHO_H
#define GS_CORE_WHO_H

#include "core/snapshot.h"

/* What one would do to the GPU, or to one instance or VF of it. */
#define GS_WHO_OPS(X) \
	X(MODE, "mode") \
	X(DELETE, "delete") \
	X(VFS, "vfs") \
	X(PASSTHROUGH, "passthrough")

/* Would this holder stand in the way? */
#define GS_WHO_VERDICTS(X) \
	X(YES, "yes")           /* it blocks, or its work would stop */ \
	X(MAYBE, "maybe")       /* it may: known only by trying */ \
	X(NO, "no")             /* it does not mind */ \
	X(YIELDS, "yields")     /* ours: lets go when a commit asks */ \
	X(CLAIM, "claim")       /* promised work without a process: wants a confirmation */ \
	X(HIDDEN, "hidden")     /* somebody may be there whom this viewer cannot see */

#define GS_X_WHO_OP(id, name) GS_WHO_OP_##id,
#define GS_X_WHO_VERDICT(id, name) GS_WHO_VERDICT_##id,
GS_DECLARE_WORDS(GS_WHO_OPS, gs_who_op, WHO_OP, who_op);
GS_DECLARE_WORDS(GS_WHO_VERDICTS, gs_who_verdict, WHO_VERDICT, who_verdict);

/* Where a holder sits: on the GPU as a whole (both NULL), in an instance, or on a VF. */
struct gs_who_place {
	const struct gs_instance *instance;
	const struct gs_vf *vf;
};

/*
 * The verdict on one holder of @gpu for @op done to the whole GPU (DELETE: to
 * the place where the holder sits). *@ret_reason (may be NULL) is a sentence's
 * end: "has GPU 3 open", "runs in it"; a constant, never freed.
 */
enum gs_who_verdict gs_who_judge(const struct gs_gpu *gpu, const struct gs_holder *holder, struct gs_who_place place, enum gs_who_op op,
				 const char **ret_reason);
/*
 * The same for somebody who asks, not for a plan that has chosen the VF to
 * create on: deleting disturbs nobody on a VF that has no type.
 */
enum gs_who_verdict gs_who_answer(const struct gs_gpu *gpu, const struct gs_holder *holder, struct gs_who_place place, enum gs_who_op op,
				  const char **ret_reason);

/* One line of an answer. */
struct gs_who_entry {
	const struct gs_holder *holder;     /* NULL: HIDDEN, somebody may be there */
	struct gs_who_place place;
	enum gs_who_verdict verdict;
	const char *reason;
};

/*
 * Every holder of @gpu, its instances and VFs with a verdict for @op, the
 * gravest first; a HIDDEN entry when not all can be seen. @ret_entries is in
 * @arena. -ENOMEM.
 */
int gs_who_list(const struct gs_gpu *gpu, enum gs_who_op op, struct gs_arena *arena, struct gs_who_entry **ret_entries, size_t *ret_n);

/* Is this systemd unit something that may be stopped as a unit: a .service that is no user manager and no login? */
bool gs_unit_is_service(const char *unit);

#endif
