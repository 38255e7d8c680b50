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
#include "core/setting.h"
#include "core/vocabulary.h"

/* Of a machine: is anything saved? Of a GPU: is it as saved? */
enum gs_saved_state {
	GS_SAVED_UNKNOWN,               /* cannot be seen, or nobody looked */
	GS_SAVED_NONE,                  /* nothing is saved of it */
	GS_SAVED_SAME,
	GS_SAVED_DIFFERS,
	GS_SAVED_MAX,
};
/* "none", "same", "differs"; NULL for UNKNOWN and values outside. */
const char *gs_saved_state_name(enum gs_saved_state state);
/* GS_SAVED_MAX for an unknown word. */
enum gs_saved_state gs_saved_state_from_name(const char *s);

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
	const char *vm_uuid;            /* of a VM; NULL */
	struct gs_u64 used_memory_bytes;
	bool yields;                    /* one of our own collectors: lets go when a commit asks */
};

struct gs_key_value {
	const char *key, *value;
};

/* One virtual function. An untyped one is no instance. */
struct gs_vf {
	uint32_t n;                     /* of virtfnN: from 0, also where a driver counts from 1 */
	struct gs_bdf bdf;
	const char *driver;             /* NULL when none is bound */
	struct gs_u32 iommu_group;
	const char *type;               /* of the vGPU on it, NULL when none */
	struct gs_holder **holders;
	size_t n_holders, cap_holders;
};

/* Who changes how many VFs there are. */
enum gs_vfs_by {
	GS_VFS_BY_NOBODY,               /* no SR-IOV, or the bound driver cannot do it */
	GS_VFS_BY_NUMVFS,               /* sriov_numvfs, any number (interfaces 3.2) */
	GS_VFS_BY_SRIOV_MANAGE,         /* NVIDIA's tool: all or none, and it rebinds the PF (interfaces 3.4) */
};

struct gs_vfs {
	struct gs_u32 total;            /* unknown: no SR-IOV */
	struct gs_u32 enabled;          /* unknown when it cannot be read */
	enum gs_vfs_by by;
	struct gs_vf **functions;       /* by n */
	size_t n_functions, cap_functions;
	const char **quotas;            /* keys of VF parameters that the driver shares out among those that are on: another number, other shares */
	size_t n_quotas;
	bool quotas_come_first;         /* they are taken only while no VF is on (interfaces 7.2) */
};

/* Another function that lies in the GPU's IOMMU group, or belongs to the same board (audio, USB). */
struct gs_sibling {
	struct gs_bdf bdf;
	uint32_t class_id;              /* 24 bit */
	const char *driver;             /* NULL when none is bound */
	const char *original_driver;    /* before we gave it to VFIO; NULL when not remembered */
	bool is_bridge;                 /* does not hurt the group and is left alone (interfaces 4.4) */
};

/* The path of one that is no write in sysfs but a call of NVML; its value says what it does. */
#define GS_WRITE_PATH_NVML "NVML"

/* A write that an earlier commit began and that the kernel still holds: it executes when the holder lets go. */
struct gs_pending_write {
	struct gs_bdf function;
	const char *path, *value;
	uint32_t pid;                   /* of the writer */
	struct gs_wall since;
	const char *waits_for;          /* "pid 4711 qemu-system-x86"; NULL when not known */
};

/*
 * Readings that change all the time, of a GPU, a GPU instance or a vGPU; only
 * present when telemetry was asked for. What is not measured is unknown, never 0.
 */
struct gs_telemetry {
	/* four numbers of the driver: what is left of one need not be the sum of the others (interfaces 5.7) */
	struct gs_u64 memory_total_bytes, memory_reserved_bytes, memory_used_bytes, memory_free_bytes;
	struct gs_u32 utilization_percent;      /* of the time in which SMs worked */
	const char *utilization_reason;         /* why that is unknown, the rest of a sentence; NULL when it is not, or nobody knows why */
	struct gs_u32 encoder_percent, decoder_percent;
	struct gs_u32 temperature_celsius;
	struct gs_u64 power_milliwatts, power_limit_milliwatts;
	struct gs_u32 clock_sm_mhz, clock_memory_mhz;
	struct gs_u32 ecc_is_on;                /* 1 or 0 */
	struct gs_u64 ecc_corrected, ecc_uncorrected;   /* errors since the driver was loaded */
	struct gs_u32 pcie_generation, pcie_width;      /* of the link as it is now */
	struct gs_u64 pcie_tx_bytes_per_second, pcie_rx_bytes_per_second;
};

struct gs_compute {
	uint32_t id;                    /* inside its GI */
	const char *profile;
	struct gs_u32 profile_id;
	struct gs_u32 start, size;      /* compute slices inside the GI */
	const char *uuid;               /* MIG-…; NULL when unknown */
};

struct gs_instance {
	uint32_t id;                    /* GI id: says nothing about the place, and is reused. Others: their slot */
	enum gs_instance_kind kind;
	const char *profile;
	struct gs_u32 profile_id;
	struct gs_u32 start, size;      /* units of its grid: memory units (unknown without the privilege to ask), or its slot */
	const char *uuid;               /* of the first compute instance, or of the mdev; NULL without one */
	struct gs_u32 vf;               /* the VF that it is on (and its slot); unknown for others */
	struct gs_u32 placement_id;     /* of a vGPU in mixed-size mode */
	struct gs_u32 gi;               /* GI id that a MIG-backed vGPU lies in */
	struct gs_key_value *params;    /* of a vGPU or VF, or what a GI is set to, by key; in the arena */
	size_t n_params;
	/* of a vGPU that runs, from its driver; NULL: it does not run, or that is not known */
	const char *vm_uuid;            /* which virtual machine has it */
	const char *guest_driver;       /* version of the driver in it; NULL also until one is loaded */
	const char *licence;            /* "licensed", "unlicensed-restricted" … */
	const char *licence_expires;    /* "2026-01-31T12:00:00Z"; NULL when it does not expire, or is not known */
	bool place_is_published;        /* start and size come from a privileged agent's file, not from the driver */
	struct gs_compute **compute;
	size_t n_compute, cap_compute;
	struct gs_holder **holders;
	size_t n_holders, cap_holders;
	struct gs_telemetry telemetry;
};

/* How many more of a profile the driver would create, as it says itself. */
struct gs_remaining {
	const char *profile;
	uint32_t n;
};

/* A line of the kernel's log about a GPU. */
struct gs_gpu_event {
	enum gs_gpu_event_kind kind;
	struct gs_i64 time_ms;          /* wall clock, from the kernel's own since boot */
	struct gs_u32 xid;              /* of kind XID */
	const char *text;               /* NULL when names were left out of it */
};
#define GS_GPU_EVENTS_MAX 8

/* A commit that concerns a GPU and has not come to its end there. No part of the rev. */
struct gs_open_commit {
	enum gs_open_state state;       /* NONE, and the others are 0 */
	uint64_t id;
	const char *text;               /* a sentence without a full stop: who, when, and how far it came; NULL when names were left out of it */
};

/* NVLink ports of one GPU, with room to spare: today's have 18. */
#define GS_NVLINKS_MAX 64

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
	enum gs_framework framework;    /* INVALID when nothing manages it */
	struct gs_i64 numa_node;
	struct gs_u32 iommu_group;
	struct gs_u64 memory_bytes;
	struct gs_u32 sm_count;
	struct gs_digest rev;           /* set when sealed */
	enum gs_saved_state saved;      /* is it as saved? No part of the rev */
	struct gs_digest saved_layout;  /* of what is saved of it, see gs_layout_digest(); empty: nothing, or not known */
	uint32_t modes;                 /* bit (1 << enum gs_mode): what it could be */
	enum gs_mode mode;              /* GS_MODE_INVALID when unknown */
	enum gs_mode mode_pending;      /* GS_MODE_INVALID when nothing is pending */
	bool mode_needs_reset;          /* Ampere: the switch takes a GPU reset (interfaces 5.8) */
	bool mode_survives_reboot;      /* MIG mode: kept on the board by Ampere, not by later ones (interfaces 5.8) */
	bool mode_survival_is_known;    /* false: neither generation nor model is known, and the line above says nothing */
	bool placements_visible;        /* we may see where instances are */
	bool holders_visible;           /* we may see every process; false: «free» is not proven */
	const char *lost;               /* why the driver cannot talk to it, NULL when it can */
	bool is_in_fabric;              /* behind NVSwitches: nvidia-fabricmanager sets up its links */
	struct gs_remaining *remaining; /* by profile, of MIG; in the arena; none when the driver does not tell this viewer */
	size_t n_remaining;
	struct gs_bdf *nvlinks;         /* what its links lead to, in the arena: GPUs, and switches that are none of ours */
	size_t n_nvlinks;
	bool nvlinks_visible;           /* the driver told its links (also that it has none) */
	bool is_in_guest;               /* this machine is virtual and the GPU is passed through to it */
	bool is_boot_display;           /* boot_vga: the console's own screen */
	const char *original_driver;    /* before we gave it to VFIO; NULL when not remembered */
	const char *vfio_driver;        /* the one that fits: "vfio-pci", "nvgrace_gpu_vfio_pci" */
	const char *no_passthrough;     /* why it cannot be given to VFIO at all ("the IOMMU is off …"); NULL when it can */
	const char *stranded;           /* an interrupted tool left it so: "bound to pci-pf-stub …"; NULL */
	struct gs_vfs vfs;
	struct gs_sibling **siblings;   /* by address */
	size_t n_siblings, cap_siblings;
	struct gs_setting **settings;   /* by key */
	size_t n_settings, cap_settings;
	struct gs_setting **gi_settings;    /* what each of its GPU instances can be set to, by key, without values: those are params of the instance */
	size_t n_gi_settings, cap_gi_settings;
	struct gs_open_commit open_commit;
	struct gs_pending_write **writes;
	size_t n_writes, cap_writes;
	struct gs_profile_set grids[GS_KIND_MAX];   /* by kind of instance; empty where there are none of a kind */
	/* set when sealed: the grid of vGPUs under either size rule, whichever it has now */
	struct gs_profile_set one_size_grid, mixed_grid;
	struct gs_instance **instances;
	size_t n_instances, cap_instances;
	struct gs_holder **holders;     /* of the GPU as a whole, not of one instance */
	size_t n_holders, cap_holders;
	struct gs_telemetry telemetry;
	struct gs_gpu_event **events;   /* the last ones, the oldest first; no part of the rev */
	size_t n_events, cap_events;
	bool events_visible;            /* the kernel's log was read; false: nobody knows what it has */
	struct gs_i64 driver_loaded_ms; /* wall clock: @driver was loaded then, or took the GPU, as the kernel's log says; no part of the rev */
};

/* Another tool on this machine that puts a layout of its own back, at boot or later: what it restores and what we restore end as whoever comes last. */
struct gs_restorer {
	enum gs_restorer_kind kind;
	const char *name;               /* of a unit, a file of rules, the tool; printable */
	const char *what;               /* what it would do, the rest of a sentence: "runs sriov-manage"; NULL */
};
#define GS_RESTORERS_MAX 64

struct gs_snapshot;

/* What is kept of the machine to be put back at boot. */
struct gs_saved_fact {
	enum gs_saved_state state;      /* UNKNOWN, NONE or SAME: something is saved */
	const char *path;               /* of the layout */
	struct gs_i64 saved_at_ms;      /* unknown: gpuslice did not put it there */
	bool unit_enabled;              /* the unit that puts it back is started at boot */
	bool unit_is_missing;           /* it is not installed at all */
};
#define GS_RESTORE_UNIT "gpuslice-restore.service"
/* Why what is saved is not put back at boot, and what mends that, behind "it is saved, but "; NULL when it is put back. Static. */
const char *gs_saved_obstacle(const struct gs_saved_fact *fact);

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
struct gs_vf *gs_gpu_add_vf(struct gs_snapshot *s, struct gs_gpu *gpu);
struct gs_holder *gs_vf_add_holder(struct gs_snapshot *s, struct gs_vf *vf);
struct gs_sibling *gs_gpu_add_sibling(struct gs_snapshot *s, struct gs_gpu *gpu);
struct gs_setting *gs_gpu_add_setting(struct gs_snapshot *s, struct gs_gpu *gpu);
struct gs_setting *gs_gpu_add_gi_setting(struct gs_snapshot *s, struct gs_gpu *gpu);
struct gs_pending_write *gs_gpu_add_write(struct gs_snapshot *s, struct gs_gpu *gpu);
/* Is it a call of NVML (GS_WRITE_PATH_NVML)? */
bool gs_write_is_call(const struct gs_pending_write *w);
/* At most GS_GPU_EVENTS_MAX are expected. */
struct gs_gpu_event *gs_gpu_add_event(struct gs_snapshot *s, struct gs_gpu *gpu);
/* A source of holders and claims was looked at, or could not be: "slurm", false, "scontrol is not installed". */
void gs_snapshot_add_source(struct gs_snapshot *s, const char *name, bool is_present, const char *fmt, ...) GS_PRINTF(4, 5);
/* Copies; one of that kind and name is there once. Beyond GS_RESTORERS_MAX they are left out. */
void gs_snapshot_add_restorer(struct gs_snapshot *s, enum gs_restorer_kind kind, const char *name, const char *what);
/* What is saved of the machine; copied. No part of any rev: also once it is sealed, before it is handed out. */
void gs_snapshot_set_saved(struct gs_snapshot *s, const struct gs_saved_fact *fact);
/* The same of GPU @index. */
void gs_snapshot_set_gpu_saved(struct gs_snapshot *s, size_t index, enum gs_saved_state state, const struct gs_digest *layout);
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

struct gs_source {
	const char *name;
	bool is_present;
	const char *text;
};
size_t gs_snapshot_n_sources(const struct gs_snapshot *s);
const struct gs_source *gs_snapshot_source_at(const struct gs_snapshot *s, size_t i);

/* Who else puts layouts back, by kind and name. No part of any rev. */
size_t gs_snapshot_n_restorers(const struct gs_snapshot *s);
const struct gs_restorer *gs_snapshot_restorer(const struct gs_snapshot *s, size_t i);
/* What an operator does so that it does not: a command, or half a sentence. In @buf, returned. */
const char *gs_restorer_remedy(const struct gs_restorer *r, char *buf, size_t size);

/* Never NULL. */
const struct gs_saved_fact *gs_snapshot_saved(const struct gs_snapshot *s);

size_t gs_snapshot_n_gpus(const struct gs_snapshot *s);
const struct gs_gpu *gs_snapshot_gpu(const struct gs_snapshot *s, size_t index);
const struct gs_gpu *gs_snapshot_gpu_by_bdf(const struct gs_snapshot *s, struct gs_bdf bdf);

/* The grid that a GPU in @mode is drawn and cut by; an empty one when it is not cut. Never NULL. */
const struct gs_profile_set *gs_gpu_grid(const struct gs_gpu *gpu, enum gs_mode mode);
/* The kind of instance that one creates in @mode: GS_KIND_MIG or GS_KIND_VGPU; INVALID where they follow from the mode. */
enum gs_instance_kind gs_mode_kind(enum gs_mode mode);
/* The profile of that name in any grid of the GPU; *@ret_kind (may be NULL) is its kind. NULL when there is none. */
const struct gs_profile *gs_gpu_profile(const struct gs_gpu *gpu, const char *name, enum gs_instance_kind *ret_kind);
/* The vGPU type whose name ends with that word ("DC-48Q" for "RTX Pro 6000 Blackwell DC-48Q"); NULL when none or several do. */
const struct gs_profile *gs_gpu_profile_by_last_word(const struct gs_gpu *gpu, const char *word, enum gs_instance_kind *ret_kind);
/* NULL when there is none. */
const struct gs_setting *gs_gpu_setting(const struct gs_gpu *gpu, const char *key);
/* Is that parameter of a VF a share that the driver gives by itself (gs_vfs.quotas)? */
bool gs_gpu_is_quota(const struct gs_gpu *gpu, const char *key);
const struct gs_vf *gs_gpu_vf(const struct gs_gpu *gpu, uint32_t n);
/* The instance on that VF, or the mdev of that UUID; NULL. */
const struct gs_instance *gs_gpu_instance_on_vf(const struct gs_gpu *gpu, uint32_t n);
const struct gs_instance *gs_gpu_instance_by_uuid(const struct gs_gpu *gpu, const char *uuid);
/* The value of a parameter, or NULL. */
const char *gs_instance_param(const struct gs_instance *inst, const char *key);
/* Does parameter @key read @value, where the empty one is as good as none? Also for those that are files of their own (GS_PARAM_…). */
bool gs_instance_param_is(const struct gs_instance *inst, const char *key, const char *value);
/* The GPU instance that a MIG-backed vGPU lies in, or NULL when that is not known. */
const struct gs_instance *gs_gpu_gi_of(const struct gs_gpu *gpu, const struct gs_instance *vgpu);
/* The units of grid @kind that instances with a known place take; placements are only meaningful when the GPU's are visible. */
uint64_t gs_gpu_occupied(const struct gs_gpu *gpu, enum gs_instance_kind kind);
/* The instance of that profile at that start, or NULL. */
const struct gs_instance *gs_gpu_instance_at(const struct gs_gpu *gpu, const char *profile, uint32_t start);
const struct gs_compute *gs_instance_compute_at(const struct gs_instance *inst, const char *profile, uint32_t start);
/* Does a sibling go along into passthrough and back? Bridges stay, and so does what lies in other slots. */
bool gs_sibling_follows(const struct gs_gpu *gpu, const struct gs_sibling *s);
/* What its open commit is, a sentence without a full stop; "" without one. In @buf, returned. */
const char *gs_gpu_open_commit_text(const struct gs_gpu *gpu, char *buf, size_t size);
/* Any visible holder of this instance that is not one of our own collectors? */
bool gs_instance_is_held(const struct gs_instance *inst);
/* "2025-11-13 12:05:31 UTC  Xid (PCI:0000:65:00): 79, …", or what is known of it. Returns @buf. */
const char *gs_gpu_event_label(const struct gs_gpu_event *ev, char *buf, size_t size);
/* "GPU 3 (0000:61:00.0)", with nvidia-smi's index where it differs. Returns @buf. */
const char *gs_gpu_label(const struct gs_gpu *gpu, char *buf, size_t size);
/* "pid 4711 python3 (alice)", "unit nvidia-dcgm.service"… Returns @buf. */
const char *gs_holder_label(const struct gs_holder *h, char *buf, size_t size);

#endif
