/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state.h - everything that a simulated machine is, in memory. */
#ifndef GS_SIM_STATE_H
#define GS_SIM_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/sim/board.h"
#include "backend/sim/model.h"
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/error.h"

/* Bounds of what is read from a file. 32 GPUs and 15 GIs are the driver's own (interfaces 5.10). */
#define GS_SIM_GPUS_MAX 32
#define GS_SIM_GIS_MAX 15
#define GS_SIM_CIS_MAX 8
#define GS_SIM_VFS_MAX 256          /* 64 is NVIDIA's limit (interfaces 2.7); other boards have more */
#define GS_SIM_MDEVS_MAX 64
#define GS_SIM_DEVICES_MAX 64
#define GS_SIM_MODULES_MAX 64
#define GS_SIM_UNITS_MAX 64
#define GS_SIM_FILES_MAX 64
#define GS_SIM_OUTPUTS_MAX 32
#define GS_SIM_LOG_MAX 64
#define GS_SIM_PENDING_MAX 64
#define GS_SIM_PROCESSES_MAX 512
#define GS_SIM_USES_MAX 64
#define GS_SIM_ARGS_MAX 64
#define GS_SIM_USERS_MAX 64
#define GS_SIM_FAULTS_MAX 256
#define GS_SIM_EXPECTED_MAX 512
#define GS_SIM_UNEXPECTED_MAX 16
#define GS_SIM_SLOW_MS_MAX 10000
#define GS_SIM_BYTES_MAX (4u << 20)

#define GS_SIM_NONE UINT32_MAX      /* no GI, no CI, no IOMMU group */
#define GS_SIM_CALLER_UID 1000u     /* who we are when we are not root */

/* One PCI function, a GPU or not. Strings live in the state's arena. */
struct gs_sim_pci {
	const char *bdf;
	const char *parent;         /* BDF of the bridge above, "" when on a root bus */
	uint32_t vendor, device, subsystem_vendor, subsystem_device;
	uint32_t class;             /* 24 bit */
	uint32_t revision;
	int32_t numa_node;
	uint32_t irq;
	uint32_t iommu_group;       /* GS_SIM_NONE: none */
	const char *driver;         /* "" when unbound */
	const char *driver_override;    /* "" when clear */
	const char *native;         /* driver whose id table names it, "" when none does */
	const char *cpulist;
	uint32_t drm_card, drm_render;  /* GS_SIM_NONE: none */
	bool boot_vga;
	bool unbinding;             /* its driver waits for a holder: the link is gone already (testbench 4) */
	bool vanished;              /* fault: fell off the bus, nothing of it is there */
};

struct gs_sim_ci {
	uint32_t id, profile_id, start, size;
	uint32_t slot;              /* index of its MIG device under the GPU; stays while it lives */
	uint64_t serial;            /* never used again; handles name it */
	char uuid[48];
};

/* How vGPUs share an engine's time. All 0: as the driver comes up, which is best effort (interfaces 5.7). */
struct gs_sim_schedule {
	uint32_t policy, arr, average_factor, frequency_hz, timeslice_ns;
};

struct gs_sim_gi {
	uint32_t id, profile_id, start, size;
	bool heterogeneous;
	struct gs_sim_schedule schedule;
	uint64_t serial;
	size_t n_cis;
	struct gs_sim_ci cis[GS_SIM_CIS_MAX];
};

enum gs_sim_vf_state {
	GS_SIM_VF_ABSENT,
	GS_SIM_VF_PRESENT,
	GS_SIM_VF_REMOVING,         /* sriov_numvfs=0 waits for its holder: a directory without links */
};

/* The n-th virtual function is the n-th of its GPU's array. Type 0: no vGPU (interfaces 2.1). */
struct gs_sim_vf {
	enum gs_sim_vf_state state;
	struct gs_sim_pci pci;
	uint32_t vgpu_type, placement_id, gpu_instance_id;
	const char *vgpu_params;
};

struct gs_sim_mdev {
	char uuid[37];
	uint32_t type;              /* of its board; the directory is nvidia-TYPE */
	uint32_t vf;                /* parent: number of the VF, GS_SIM_NONE for the PF */
	uint32_t iommu_group;       /* a virtual one of its own */
	const char *params, *vm_name;
	bool removing;              /* remove waits for the holder: invisible, and in the way */
};

/* How vGPUs appear on this GPU: by files, see interfaces 1, 2 and 9.1. On the PF when it has no VFs. */
enum gs_sim_framework {
	GS_SIM_VGPU_NONE,
	GS_SIM_VGPU_MDEV,
	GS_SIM_VGPU_VENDOR,
};

enum gs_sim_compute_mode { GS_SIM_SPX, GS_SIM_DPX, GS_SIM_TPX, GS_SIM_QPX, GS_SIM_CPX, GS_SIM_COMPUTE_MODES };
enum gs_sim_memory_mode { GS_SIM_NPS1, GS_SIM_NPS2, GS_SIM_NPS4, GS_SIM_NPS8, GS_SIM_MEMORY_MODES };
extern const char *const gs_sim_compute_names[GS_SIM_COMPUTE_MODES];
extern const char *const gs_sim_memory_names[GS_SIM_MEMORY_MODES];

/* Partitions of an AMD GPU (interfaces 6); xcc 0: it has none. */
struct gs_sim_amd {
	uint32_t xcc, hive;         /* hive 0: alone */
	enum gs_sim_compute_mode compute, shown;    /* shown: what compute_partition_config displays */
	enum gs_sim_memory_mode memory, requested;  /* requested becomes memory when the driver is loaded again */
	uint32_t memory_modes;      /* bit per mode that the board offers */
};

enum gs_sim_intel_kind {
	GS_SIM_INTEL_NONE,
	GS_SIM_INTEL_XE,            /* sriov_admin (interfaces 7.1) */
	GS_SIM_INTEL_PRELIM,        /* drm/cardN/prelim_iov (7.2) */
	GS_SIM_INTEL_IOV,           /* drm/cardN/iov */
};

struct gs_sim_share {
	uint64_t lmem_bytes, ggtt_bytes;
	uint32_t contexts, doorbells, exec_quantum_ms, preempt_timeout_us;
	uint32_t priority;          /* 0 low, 1 normal, 2 high */
};

struct gs_sim_intel {
	enum gs_sim_intel_kind kind;
	bool manual;                /* somebody wrote a quota: enabling VFs does not share out any more */
	struct gs_sim_share total;
	struct gs_sim_share *shares;        /* total_vfs + 1; the PF is 0, VF n is n + 1 as the driver counts */
};

struct gs_sim_gpu {
	struct gs_sim_pci pci;
	const char *uuid, *name, *vbios;
	const char *model_name;             /* file in data/mig/, "" when it cannot do MIG */
	const struct gs_sim_model *model;   /* NULL when it cannot do MIG; set by the store */
	uint32_t minor;                     /* GS_SIM_NONE: not NVIDIA's */
	uint32_t total_vfs, numvfs, vf_offset, vf_stride, vf_device, vf_group;
	bool autoprobe;
	struct gs_sim_vf *vfs;              /* total_vfs of them */
	enum gs_sim_framework framework;
	const char *board_name;             /* file in data/vgpu/, "" when it has no vGPU types */
	const struct gs_sim_board *board;   /* NULL without vGPU types; set by the store */
	uint32_t private_ids;               /* ids from here for types that nobody has seen one of; 0: those are left out */
	bool heterogeneous, unbind_locked;
	struct gs_sim_schedule schedule;
	size_t n_mdevs;
	struct gs_sim_mdev *mdevs;          /* GS_SIM_MDEVS_MAX of them where the framework is mdev */
	struct gs_sim_amd amd;
	struct gs_sim_intel intel;
	uint64_t memory_bytes, reserved_bytes;
	uint32_t power_limit_mw;
	bool mig_current, mig_pending;
	bool lost;                  /* fault: fallen off the bus */
	bool pending_armed;         /* fault: the next mode change stays pending… */
	bool pending_stuck;         /* …and this is one */
	uint64_t epoch;             /* changes with the MIG mode: older handles are stale */
	size_t n_gis;
	struct gs_sim_gi gis[GS_SIM_GIS_MAX];
};

struct gs_sim_use {
	uint32_t gpu;               /* index in gpus */
	uint32_t gi, ci;            /* driver ids; GS_SIM_NONE on a whole GPU */
	uint64_t memory_bytes;
	bool cuda;                  /* has a context: NVML lists it */
};

struct gs_sim_process {
	uint32_t pid, ppid, uid;
	uint64_t start_time;        /* ticks since boot, field 22 of stat */
	const char *comm, *cgroup;
	size_t n_args;
	const char **args;
	bool ignores_term;
	uint32_t follows;           /* goes when that process goes (a vGPU manager's child and its VM); 0: none */
	bool passive;               /* nvidia-persistenced: open, but no obstacle to a mode change */
	bool of_fault;              /* made by «fault hold»: ends with «fault release» */
	const char *guest_driver;   /* of a VM: the version that its guest has loaded, "" for none yet */
	uint32_t guest_licence;     /* nvmlGridLicense state of its vGPUs (interfaces 5.3) */
	bool unseen;                /* nobody sees what it has open, as with descriptors that are on their way through a socket */
	size_t n_uses;
	struct gs_sim_use *uses;
	size_t n_opens;
	const char **opens;         /* what else its descriptors lead to: "/dev/vfio/42", "/dev/kfd" */
};

struct gs_sim_user {
	const char *name;
	uint32_t uid;
};

struct gs_sim_module {
	const char *name, *driver;  /* the PCI driver that it brings, "" for none */
	const char *uses;           /* the module that it holds, "" for none */
	bool loaded;
};

struct gs_sim_unit {
	const char *name;           /* with suffix; its processes are those of its cgroup */
	bool active;
};

/* A plain file of the machine; with a pid it is there while that process is. */
struct gs_sim_file {
	const char *path, *text;
	uint32_t mode, pid;
};

/* What a program of the machine prints, by its first words. */
struct gs_sim_output {
	const char *command, *text; /* "scontrol show node" */
};

/* A write that waits for a holder. Whoever ends the holder finishes it, as a kernel does, also when the writer was killed. */
enum gs_sim_pending_kind {
	GS_SIM_PENDING_UNBIND,
	GS_SIM_PENDING_NUMVFS,
	GS_SIM_PENDING_MDEV,
};

struct gs_sim_pending {
	uint64_t id;
	enum gs_sim_pending_kind kind;
	const char *what;           /* BDF, or UUID of the mdev */
};

/* Where a fault strikes. */
enum gs_sim_fault_target {
	GS_SIM_ON_NVML,
	GS_SIM_ON_WRITE,
	GS_SIM_ON_READ,
	GS_SIM_ON_PROGRAM,
};

enum gs_sim_fault_kind {
	GS_SIM_FAULT_CODE,
	GS_SIM_FAULT_NOTHING,
	GS_SIM_FAULT_HANG,
	GS_SIM_FAULT_INTERRUPTED,   /* a program stopped half way */
	GS_SIM_FAULT_SLOW,          /* each call takes @code milliseconds longer */
};

/* When whoever changes the machine is killed (kill.h). */
enum gs_sim_kill {
	GS_SIM_KILL_NEVER,
	GS_SIM_KILL_BEFORE,         /* with the agent, before anything has changed: a power cut */
	GS_SIM_KILL_AFTER,          /* … when the change has been made and nobody has been told */
	GS_SIM_KILL_AGENT,          /* the agent alone: the change goes on */
	GS_SIM_KILL_MAX,
};

/* How old the management library is. */
enum gs_sim_library {
	GS_SIM_LIBRARY_CURRENT,
	GS_SIM_LIBRARY_OLD,         /* of the 470 branch: another file, which exports less */
	GS_SIM_LIBRARY_NEW,         /* with a GI profile that nobody knows yet */
};
extern const char *const gs_sim_library_names[3];

struct gs_sim_fault {
	enum gs_sim_fault_target target;
	enum gs_sim_fault_kind kind;
	const char *call;           /* NVML name without "nvml", or "*"; pattern of a path; name of a program */
	uint32_t code;              /* NVML's, an errno, or an exit status */
	uint32_t countdown;         /* 1: the next matching call */
	uint64_t id;
};

/* One change that is to come (expect.h). */
struct gs_sim_expected {
	enum gs_sim_fault_target target;    /* GS_SIM_ON_READ never */
	const char *name;           /* NVML's without "nvml"; pattern of a path, or of its last part; name of a program */
	uint32_t code;              /* what it answers; GS_SIM_NONE: whatever the machine does */
};

struct gs_sim_state {
	struct gs_arena *arena;
	uint64_t generation, next_serial, uuid_counter;
	bool uuid_old;
	const char *host, *hostname, *driver_version, *nvml_version, *kernel_version;
	uint64_t uptime_seconds, boot_time;
	uint64_t boot_serial;       /* serials from here on are of this boot; 0: it is the first */
	bool vfio_cdev;             /* a kernel with /dev/vfio/devices */
	bool read_only;             /* fault: sysfs is mounted read-only */
	enum gs_sim_kill kill;      /* fault: … at the change that the countdown (from 1) says */
	uint32_t kill_countdown;
	uint32_t library;           /* enum gs_sim_library */
	bool no_nvml;               /* the management library is not installed; then the driver has no version either */
	uint32_t next_pid, next_group;
	size_t n_gpus, n_devices, n_processes, n_parked, n_users, n_faults, n_modules, n_units, n_files, n_outputs, n_pending;
	struct gs_sim_gpu *gpus;
	struct gs_sim_pci *devices;
	struct gs_sim_process *processes;   /* GS_SIM_PROCESSES_MAX of them have room */
	struct gs_sim_process *parked;      /* of units that are stopped; the same room */
	struct gs_sim_user *users;
	struct gs_sim_module *modules;
	struct gs_sim_unit *units;
	struct gs_sim_file *files;
	struct gs_sim_output *outputs;
	/* of this boot: records as dev/kmsg gives them, without the newline */
	size_t n_log;
	const char *log[GS_SIM_LOG_MAX];
	struct gs_sim_pending pending[GS_SIM_PENDING_MAX];
	struct gs_sim_fault faults[GS_SIM_FAULTS_MAX];
	/* expect.h: what changes the machine, in the order in which it is to come; the first n_met have */
	size_t n_expected, n_met;
	struct gs_sim_expected *expected;
	uint32_t n_unexpected;      /* of those the first GS_SIM_UNEXPECTED_MAX are told, a sentence each */
	const char *unexpected[GS_SIM_UNEXPECTED_MAX];
	bool must_succeed;          /* the one that came last; known while it is carried out only */
};

struct gs_sim_state *gs_sim_state_new(void);
struct gs_sim_state *gs_sim_state_free(struct gs_sim_state *s);
GS_DEFINE_CLEANUP(struct gs_sim_state *, gs_sim_state_free);

/* From and to the text of state.json. Models are not attached by reading. */
int gs_sim_state_parse(const char *bytes, size_t n, const char *file, struct gs_sim_state **ret_state, struct gs_error *e);
int gs_sim_state_format(const struct gs_sim_state *s, char **ret_text, size_t *ret_n, struct gs_error *e);

/* "0000:1b:00.0", lower case, nothing else. */
bool gs_sim_bdf_is_valid(const char *bdf);
/* A name that may become a file name: letters, digits, "_", "-", ".", not starting with a dot. */
bool gs_sim_word_is_valid(const char *word);

static inline bool gs_sim_is_nvidia(const struct gs_sim_gpu *gpu)
{
	return gpu->pci.vendor == 0x10de;
}

/* NVML sees only what is bound to nvidia now, in PCI order (interfaces 5.1, 5.7). */
bool gs_sim_gpu_is_visible(const struct gs_sim_gpu *gpu);

struct gs_sim_gpu *gs_sim_gpu_by_bdf(struct gs_sim_state *s, const char *bdf);
/* NULL for an index past the end. */
struct gs_sim_gpu *gs_sim_gpu_at(struct gs_sim_state *s, uint32_t index);
uint32_t gs_sim_gpu_index(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu);
struct gs_sim_gi *gs_sim_gi_by_id(struct gs_sim_gpu *gpu, uint32_t id);
struct gs_sim_gi *gs_sim_gi_by_serial(struct gs_sim_gpu *gpu, uint64_t serial);
struct gs_sim_ci *gs_sim_ci_by_id(struct gs_sim_gi *gi, uint32_t id);
/* *@ret_gi gets the GI that it lies in. */
struct gs_sim_ci *gs_sim_ci_by_serial(struct gs_sim_gpu *gpu, uint64_t serial, struct gs_sim_gi **ret_gi);
struct gs_sim_ci *gs_sim_ci_by_slot(struct gs_sim_gpu *gpu, uint32_t slot, struct gs_sim_gi **ret_gi);
struct gs_sim_process *gs_sim_process_by_pid(struct gs_sim_state *s, uint32_t pid);

#endif
