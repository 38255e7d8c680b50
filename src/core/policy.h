/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy.h - the named rules that look at a change and say what an operator has to know. */
#ifndef GS_CORE_POLICY_H
#define GS_CORE_POLICY_H

#include "core/diff.h"
#include "core/plan.h"

/* Every rule: its name and what it is about. One table: JSON and documentation name the same. */
#define GS_RULES(X) \
	X(MODE_UNSUPPORTED, "mode-unsupported", "this GPU cannot be put into that mode") \
	X(MODE_NEEDED, "mode-needed", "an instance needs the GPU in another mode first") \
	X(MODE_INSTANCES, "mode-instances", "the mode change would destroy instances that the request does not delete") \
	X(MODE_PENDING, "mode-pending", "an earlier mode change waits for a reset") \
	X(MODE_IN_GUEST, "mode-in-guest", "in a virtual machine the mode takes a reboot of that machine") \
	X(RESET, "gpu-reset", "the GPU is reset, with all that is linked with it") \
	X(RESET_PEERS, "reset-peers", "a GPU that is reset along with another would lose something") \
	X(PLACEMENT_CONFLICT, "placement-conflict", "the units are taken") \
	X(PLACEMENT_NONE, "no-placement", "there is no arrangement in which everything fits") \
	X(COUNT_LIMIT, "count-limit", "the driver allows no more of this profile") \
	X(DRIVER_CAPACITY, "driver-capacity", "the driver itself says that it has no room for it") \
	X(ENGINES, "media-engines", "a media engine would be given out twice") \
	X(POSITION_UNKNOWN, "position-unknown", "where the instances are cannot be seen at this privilege") \
	X(SIZE_RULE, "size-rule", "the vGPUs of one GPU share one framebuffer size") \
	X(UUID_TAKEN, "uuid-taken", "the UUID of an mdev is one device's on the whole host") \
	X(GI_FULL, "gi-full", "no GPU instance has room for a MIG-backed vGPU") \
	X(VFS_IMPOSSIBLE, "vfs-impossible", "how many VFs there are cannot be changed here") \
	X(TYPES_CATALOGUE, "types-from-catalogue", "no driver lists the vGPU types now: the catalogue does") \
	X(VF_SHARES, "vf-shares", "VFs that stay do not keep the shares that they have") \
	X(PASSTHROUGH_IMPOSSIBLE, "passthrough-impossible", "the GPU cannot be given to VFIO here") \
	X(GROUP_SHARED, "group-shared", "another device of the IOMMU group keeps its driver") \
	X(SIBLINGS_FOLLOW, "siblings-follow", "functions of the same board go along") \
	X(FABRIC_MANAGER, "fabric-manager", "the GPU is part of an NVSwitch fabric") \
	X(STRANDED, "stranded", "an interrupted tool left the GPU without its driver") \
	X(WRITE_PENDING, "write-pending", "an earlier write still waits in the kernel") \
	X(INTERRUPTED, "interrupted", "an earlier commit was interrupted on this GPU") \
	X(COMMIT_OPEN, "commit-open", "a commit is under way on this GPU, or ended half way") \
	X(CHANGED_SINCE, "changed-since", "a later commit changed the GPU of one that is undone") \
	X(SETTING_FIXED, "setting-fixed", "the setting cannot be written here") \
	X(SETTING_NEEDS, "setting-needs", "the setting of vGPUs can be written only in another state of the GPU") \
	X(SETTING_PENDING, "setting-pending", "the setting becomes active only later") \
	X(REBINDS, "rebinds", "the driver is taken off the GPU and put back") \
	X(CLAIM, "claim", "work is promised that has no process yet") \
	X(HOLDER_STOPS, "holder-stops", "somebody's work would stop") \
	X(HOLDER_FOLLOWS, "holder-follows", "a daemon would open the GPU as soon as the driver has it, and be in the way") \
	X(HOLDER_MAY_BLOCK, "holder-may-block", "something holds the GPU and may keep the change pending") \
	X(HOLDERS_HIDDEN, "holders-hidden", "processes cannot be seen, so free is not proven") \
	X(HOLDER_CLAIMED, "holder-claimed", "the request keeps an instance that somebody uses") \
	X(GPU_LOST, "gpu-lost", "the driver cannot talk to this GPU") \
	X(BARE_INDEX, "bare-index", "a GPU index that nvidia-smi counts otherwise") \
	X(NOT_IDEMPOTENT, "not-idempotent", "count +N adds each time the script runs") \
	X(ABSENT, "absent", "what should be deleted is not there") \
	X(UUID_MAY_CHANGE, "uuid-may-change", "a recreated instance may come back with another UUID") \
	X(NOT_SAVED, "not-saved", "lost at reboot") \
	X(OTHER_RESTORER, "other-restorer", "another tool on this machine puts a layout of its own back") \
	X(DISRUPT_UNMATCHED, "disrupt-unmatched", "a holder was named that this plan does not meet") \
	X(DISRUPT_ALL, "disrupt-all", "all names holders on more than one GPU")

#define GS_RULE_ENUM_(id, name, text) GS_RULE_##id,
enum gs_rule { GS_RULES(GS_RULE_ENUM_) GS_RULE_MAX };
const char *gs_rule_name(enum gs_rule r);
const char *gs_rule_summary(enum gs_rule r);

/*
 * Look at one GPU's change and add findings to @p (and stop-holder steps for
 * holders that @options names). -ENOMEM only.
 */
int gs_policy_apply(struct gs_plan *p, const struct gs_diff *diff, const struct gs_diff_gpu *d, const struct gs_plan_options *options, struct gs_error *e);

/* What is to be said about the machine as a whole when @p has steps: once, behind the GPUs. -ENOMEM only. */
int gs_policy_apply_host(struct gs_plan *p, struct gs_error *e);

#endif
