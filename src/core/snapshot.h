/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * snapshot.h - what is: one look at a machine, immutable once sealed.
 *
 * Built by a collector (or decoded from JSON) in an arena, sealed, then shared
 * by reference. Equal machines give equal snapshots: GPUs are in BDF order,
 * instances by kind, start (unknown last), id; holders by kind, pid, name.
 */
#ifndef GS_CORE_SNAPSHOT_H
#define GS_CORE_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/optional.h"
#include "core/bdf.h"
#include "core/digest.h"
#include "core/profile.h"
#include "core/vocabulary.h"

/* Who uses something. All strings are printable (sanitised when added) and may be NULL. */
struct gs_holder {
	enum gs_holder_kind kind;
	struct gs_u32 pid;
	struct gs_u64 start_time;       /* clock ticks since boot, /proc/PID/stat field 22: tells a reused pid */
	struct gs_u32 uid;
	const char *user;               /* name of @uid, or NULL */
	const char *name;               /* comm, unit, container or VM name */
	const char *unit;               /* systemd unit of the process */
	const char *evidence;           /* how we know: "nvml", "fd /dev/nvidia3" */
	struct gs_u64 used_memory_bytes;
	bool yields;                    /* one of our own collectors: lets go when a commit asks */
};

/* Readings that change all the time; only present when telemetry was asked for. */
struct gs_telemetry {
	struct gs_u64 memory_total_bytes, memory_used_bytes;
	struct gs_u32 utilization_percent;
	struct gs_u32 temperature_celsius;
	struct gs_u64 power_milliwatts;
};

struct gs_compute {
	uint32_t id;                    /* inside its GI */
	const char *profile;
	struct gs_u32 profile_id;
	struct gs_u32 start, size;      /* compute slices inside the GI */
	const char *uuid;               /* MIG-…; NULL when unknown */
};

struct gs_instance {
	uint32_t id;                    /* GI id: says nothing about the place, and is reused */
	enum gs_instance_kind kind;
	const char *profile;
	struct gs_u32 profile_id;
	struct gs_u32 start, size;      /* memory units; unknown without the privilege to ask */
	const char *uuid;               /* of the first compute instance; NULL without one */
	bool place_is_published;        /* start and size come from a privileged agent's file, not from the driver */
	struct gs_compute **compute;
	size_t n_compute, cap_compute;
	struct gs_holder **holders;
	size_t n_holders, cap_holders;
	struct gs_telemetry telemetry;
};

struct gs_gpu {
	uint32_t index;                 /* rank in BDF order; set when sealed */
	struct gs_u32 nvidia_index;     /* nvidia-smi's */
	struct gs_bdf bdf;
	const char *uuid;
	enum gs_vendor vendor;
	const char *name;
	const char *pci_id, *subsystem_id;      /* "10de:2330"; subsystem NULL when unknown */
	const char *driver;             /* bound kernel driver, NULL when none */
	const char *driver_override;    /* NULL when not set */
	const char *framework;          /* "nvml", …; NULL when nothing manages it */
	struct gs_i64 numa_node;
	struct gs_u32 iommu_group;
	struct gs_u64 memory_bytes;
	struct gs_u32 sm_count;
	struct gs_digest rev;           /* set when sealed */
	uint32_t modes;                 /* bit (1 << enum gs_mode): what it could be */
	enum gs_mode mode;              /* GS_MODE_INVALID when unknown */
	enum gs_mode mode_pending;      /* GS_MODE_INVALID when nothing is pending */
	bool mode_needs_reset;          /* Ampere: the switch takes a GPU reset (interfaces 5.8) */
	bool mode_survives_reboot;
	bool placements_visible;        /* we may see where instances are */
	bool holders_visible;           /* we may see every process; false: «free» is not proven */
	const char *lost;               /* why the driver cannot talk to it, NULL when it can */
	struct gs_profile_set profiles;
	struct gs_instance **instances;
	size_t n_instances, cap_instances;
	struct gs_holder **holders;     /* of the GPU as a whole, not of one instance */
	size_t n_holders, cap_holders;
	struct gs_telemetry telemetry;
};

struct gs_snapshot;

/* ---- building: between gs_snapshot_new() and gs_snapshot_seal() ---- */

/* One reference, the caller's. NULL when there is no memory. */
struct gs_snapshot *gs_snapshot_new(void);
struct gs_arena *gs_snapshot_arena(struct gs_snapshot *s);
void gs_snapshot_set_host(struct gs_snapshot *s, const char *name, enum gs_host_source source);
void gs_snapshot_set_driver_version(struct gs_snapshot *s, const char *version);
void gs_snapshot_set_telemetry(struct gs_snapshot *s, bool present);
/* A published layout was used for places: when it was taken. */
void gs_snapshot_set_published(struct gs_snapshot *s, struct gs_wall taken_at);
/* A sentence about something that could not be read, shown with the snapshot: "cannot load libnvidia-ml.so.1: …" */
void gs_snapshot_add_notice(struct gs_snapshot *s, const char *fmt, ...) GS_PRINTF(2, 3);

/* New zeroed parts (modes INVALID, vendor set by the caller); NULL when there is no memory. Owned by the snapshot. */
struct gs_gpu *gs_snapshot_add_gpu(struct gs_snapshot *s, struct gs_bdf bdf);
struct gs_instance *gs_gpu_add_instance(struct gs_snapshot *s, struct gs_gpu *gpu);
struct gs_compute *gs_instance_add_compute(struct gs_snapshot *s, struct gs_instance *inst);
struct gs_holder *gs_gpu_add_holder(struct gs_snapshot *s, struct gs_gpu *gpu);
struct gs_holder *gs_instance_add_holder(struct gs_snapshot *s, struct gs_instance *inst);
/* Copy into the arena with control characters and bad UTF-8 replaced: the way in for every foreign string. NULL in, NULL out. */
const char *gs_snapshot_text(struct gs_snapshot *s, const char *text);

/*
 * Sort, number, compute revs, freeze. -EEXIST when two GPUs share a BDF,
 * -ENOMEM. After success the snapshot is const.
 */
int gs_snapshot_seal(struct gs_snapshot *s, struct gs_error *e);

/* ---- reading ---- */

struct gs_snapshot *gs_snapshot_ref(const struct gs_snapshot *s);
struct gs_snapshot *gs_snapshot_unref(struct gs_snapshot *s);
GS_DEFINE_CLEANUP(struct gs_snapshot *, gs_snapshot_unref);

const char *gs_snapshot_host(const struct gs_snapshot *s);
enum gs_host_source gs_snapshot_source(const struct gs_snapshot *s);
const char *gs_snapshot_driver_version(const struct gs_snapshot *s);
bool gs_snapshot_has_telemetry(const struct gs_snapshot *s);
bool gs_snapshot_published(const struct gs_snapshot *s, struct gs_wall *ret_taken_at);
size_t gs_snapshot_n_notices(const struct gs_snapshot *s);
const char *gs_snapshot_notice(const struct gs_snapshot *s, size_t i);

size_t gs_snapshot_n_gpus(const struct gs_snapshot *s);
const struct gs_gpu *gs_snapshot_gpu(const struct gs_snapshot *s, size_t index);
const struct gs_gpu *gs_snapshot_gpu_by_bdf(const struct gs_snapshot *s, struct gs_bdf bdf);

/* The units that instances with a known place take; placements are only meaningful when the GPU's are visible. */
uint64_t gs_gpu_occupied(const struct gs_gpu *gpu);
/* The instance of that profile at that start, or NULL. */
const struct gs_instance *gs_gpu_instance_at(const struct gs_gpu *gpu, const char *profile, uint32_t start);
const struct gs_compute *gs_instance_compute_at(const struct gs_instance *inst, const char *profile, uint32_t start);
/* Any visible holder of this instance that is not one of our own collectors? */
bool gs_instance_is_held(const struct gs_instance *inst);
/* "GPU 3 (0000:61:00.0)", with nvidia-smi's index where it differs. Returns @buf. */
const char *gs_gpu_label(const struct gs_gpu *gpu, char *buf, size_t size);
/* "pid 4711 python3 (alice)", "unit nvidia-dcgm.service"… Returns @buf. */
const char *gs_holder_label(const struct gs_holder *h, char *buf, size_t size);

#endif
