/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vocabulary.h - the words of the domain, one table each: enum, name in files
 * and on the screen. What is written here is what JSON, the command language
 * and the help say.
 */
#ifndef GS_CORE_VOCABULARY_H
#define GS_CORE_VOCABULARY_H

#define GS_VENDORS(X) \
	X(NVIDIA, "nvidia") \
	X(AMD, "amd") \
	X(INTEL, "intel")

/* What a physical GPU is used as. */
#define GS_MODES(X) \
	X(WHOLE, "whole") \
	X(MIG, "mig") \
	X(VGPU, "vgpu") \
	X(MIG_VGPU, "mig-vgpu") \
	X(SRIOV, "sriov") \
	X(PASSTHROUGH, "passthrough")

#define GS_INSTANCE_KINDS(X) \
	X(MIG, "mig") \
	X(VGPU, "vgpu") \
	X(SRIOV, "sriov") \
	X(PASSTHROUGH, "passthrough") \
	X(PARTITION, "partition")

#define GS_HOLDER_KINDS(X) \
	X(PROCESS, "process") \
	X(UNIT, "unit") \
	X(CONTAINER, "container") \
	X(VM, "vm") \
	X(MODULE, "module") \
	X(CLAIM, "claim")

/* By what another tool puts a layout of its own back. */
#define GS_RESTORER_KINDS(X) \
	X(UNIT, "unit") \
	X(MDEVCTL, "mdevctl") \
	X(UDEV, "udev") \
	X(OPERATOR, "operator")

/* What a kernel's log tells of a GPU that is not well. */
#define GS_GPU_EVENT_KINDS(X) \
	X(XID, "xid")           /* NVIDIA's numbered messages */ \
	X(LOST, "lost")         /* it does not answer any more */ \
	X(RESET, "reset") \
	X(WEDGED, "wedged")     /* its driver gave it up until it is bound anew */

/* Where a commit is that concerns a GPU and has not come to its end there; of two the later word counts. */
#define GS_OPEN_STATES(X) \
	X(NONE, "none")                 /* none is known: there is none, or it is not for us to see */ \
	X(NOT_UNDONE, "not-undone")     /* ended where it could neither go on nor back */ \
	X(INTERRUPTED, "interrupted")   /* whoever was at it is gone, and it has no end */ \
	X(UNDER_WAY, "under-way")       /* somebody is at it */

#define GS_HOST_SOURCES(X) \
	X(LIVE, "live") \
	X(SYSROOT, "sysroot") \
	X(SIM, "sim")

#define GS_SEVERITIES(X) \
	X(BLOCK, "block") \
	X(CONFIRM, "confirm") \
	X(NOTE, "note")

/* What undo can bring back after a step. */
#define GS_UNDO_GRADES(X) \
	X(FULL, "full") \
	X(GEOMETRY, "geometry") \
	X(NONE, "none")

/* What a step puts at risk: nothing, an idle instance, or somebody's work. */
#define GS_RISKS(X) \
	X(SAFE, "safe") \
	X(DESTRUCTIVE, "destructive") \
	X(DISRUPTIVE, "disruptive")

#define GS_STEP_OPS(X) \
	X(STOP_HOLDER, "stop-holder") \
	X(STOP_UNIT, "stop-unit") \
	X(REMOVE_VGPU, "remove-vgpu") \
	X(DESTROY_CI, "destroy-ci") \
	X(DESTROY_GI, "destroy-gi") \
	X(DISABLE_VFS, "disable-vfs") \
	X(UNBIND_DRIVER, "unbind-driver") \
	X(BIND_DRIVER, "bind-driver") \
	X(SET_MODE, "set-mode") \
	X(RESET_GPU, "reset-gpu") \
	X(SET_SETTING, "set-setting") \
	X(ENABLE_VFS, "enable-vfs") \
	X(CREATE_GI, "create-gi") \
	X(CREATE_CI, "create-ci") \
	X(CREATE_VGPU, "create-vgpu") \
	X(SET_PARAM, "set-param") \
	X(START_UNIT, "start-unit")

/* How the kernel or a driver lets a GPU be cut; found by its files, never by a version (interfaces 9.1). */
#define GS_FRAMEWORKS(X) \
	X(NVML, "nvml") \
	X(MDEV, "mdev") \
	X(VENDOR_VFIO, "vendor-vfio") \
	X(SRIOV, "sriov") \
	X(VFIO, "vfio") \
	X(AMDGPU, "amdgpu") \
	X(GIM, "gim") \
	X(XE, "xe") \
	X(I915, "i915")

/* A record of a commit (journal.h). */
#define GS_JOURNAL_KINDS(X) \
	X(BEGIN, "begin") \
	X(INTENT, "intent") \
	X(RESULT, "result") \
	X(DONE, "done") \
	X(PENDING, "pending") \
	X(FAILED, "failed") \
	X(UNDO, "undo") \
	X(UNDONE, "undone") \
	X(END, "end") \
	X(CLOSED, "closed")

/* In which way a commit came about. */
#define GS_WAYS(X) \
	X(APPLY, "apply") \
	X(CONSOLE, "console") \
	X(RESTORE, "restore") \
	X(UNDO, "undo") \
	X(FINISH, "recover-finish") \
	X(TAKE_BACK, "recover-undo")

#define GS_ENUM_ITEM_(prefix, id) prefix##_##id
#define GS_DECLARE_WORDS(table, type, prefix, lower) \
	enum type { table(GS_X_##prefix) GS_##prefix##_MAX, GS_##prefix##_INVALID = -1 }; \
	/* NULL for a value outside the table */ \
	const char *gs_##lower##_name(enum type v); \
	/* GS_…_INVALID for an unknown word */ \
	enum type gs_##lower##_from_name(const char *s)

#define GS_X_VENDOR(id, name) GS_VENDOR_##id,
#define GS_X_MODE(id, name) GS_MODE_##id,
#define GS_X_KIND(id, name) GS_KIND_##id,
#define GS_X_HOLDER(id, name) GS_HOLDER_##id,
#define GS_X_RESTORER(id, name) GS_RESTORER_##id,
#define GS_X_GPU_EVENT(id, name) GS_GPU_EVENT_##id,
#define GS_X_OPEN(id, name) GS_OPEN_##id,
#define GS_X_SOURCE(id, name) GS_SOURCE_##id,
#define GS_X_SEVERITY(id, name) GS_SEVERITY_##id,
#define GS_X_UNDO(id, name) GS_UNDO_##id,
#define GS_X_RISK(id, name) GS_RISK_##id,
#define GS_X_STEP(id, name) GS_STEP_##id,
#define GS_X_FRAMEWORK(id, name) GS_FRAMEWORK_##id,
#define GS_X_JOURNAL(id, name) GS_JOURNAL_##id,
#define GS_X_WAY(id, name) GS_WAY_##id,

GS_DECLARE_WORDS(GS_VENDORS, gs_vendor, VENDOR, vendor);
GS_DECLARE_WORDS(GS_MODES, gs_mode, MODE, mode);
GS_DECLARE_WORDS(GS_INSTANCE_KINDS, gs_instance_kind, KIND, instance_kind);
GS_DECLARE_WORDS(GS_HOLDER_KINDS, gs_holder_kind, HOLDER, holder_kind);
GS_DECLARE_WORDS(GS_RESTORER_KINDS, gs_restorer_kind, RESTORER, restorer_kind);
GS_DECLARE_WORDS(GS_GPU_EVENT_KINDS, gs_gpu_event_kind, GPU_EVENT, gpu_event_kind);
GS_DECLARE_WORDS(GS_OPEN_STATES, gs_open_state, OPEN, open_state);
/* The same behind "commit 7 ": "was interrupted"; NULL for NONE and values outside. */
const char *gs_open_state_summary(enum gs_open_state v);
GS_DECLARE_WORDS(GS_HOST_SOURCES, gs_host_source, SOURCE, host_source);
GS_DECLARE_WORDS(GS_SEVERITIES, gs_severity, SEVERITY, severity);
GS_DECLARE_WORDS(GS_UNDO_GRADES, gs_undo, UNDO, undo);
/* What it means, half a sentence; NULL for a value outside the table. */
const char *gs_undo_summary(enum gs_undo v);
GS_DECLARE_WORDS(GS_RISKS, gs_risk, RISK, risk);
GS_DECLARE_WORDS(GS_STEP_OPS, gs_step_op, STEP, step_op);
GS_DECLARE_WORDS(GS_FRAMEWORKS, gs_framework, FRAMEWORK, framework);
GS_DECLARE_WORDS(GS_JOURNAL_KINDS, gs_journal_kind, JOURNAL, journal_kind);
GS_DECLARE_WORDS(GS_WAYS, gs_way, WAY, way);

#endif
