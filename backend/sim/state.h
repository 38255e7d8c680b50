/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state.h - everything that a simulated machine is, in memory. */
#ifndef GS_SIM_STATE_H
#define GS_SIM_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/sim/model.h"
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/error.h"

/* Bounds of what is read from a file. 32 GPUs and 15 GIs are the driver's own (interfaces 5.10). */
#define GS_SIM_GPUS_MAX 32
#define GS_SIM_GIS_MAX 15
#define GS_SIM_CIS_MAX 8
#define GS_SIM_DEVICES_MAX 64
#define GS_SIM_PROCESSES_MAX 512
#define GS_SIM_USES_MAX 64
#define GS_SIM_ARGS_MAX 64
#define GS_SIM_USERS_MAX 64
#define GS_SIM_FAULTS_MAX 64
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
	const char *cpulist;
};

struct gs_sim_ci {
	uint32_t id, profile_id, start, size;
	uint32_t slot;              /* index of its MIG device under the GPU; stays while it lives */
	uint64_t serial;            /* never used again; handles name it */
	char uuid[48];
};

struct gs_sim_gi {
	uint32_t id, profile_id, start, size;
	uint64_t serial;
	size_t n_cis;
	struct gs_sim_ci cis[GS_SIM_CIS_MAX];
};

struct gs_sim_gpu {
	struct gs_sim_pci pci;
	const char *uuid, *name, *vbios;
	const char *model_name;             /* file in data/mig/, "" when it cannot do MIG */
	const struct gs_sim_model *model;   /* NULL when it cannot do MIG; set by the store */
	uint32_t minor, total_vfs;
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
	bool passive;               /* nvidia-persistenced: open, but no obstacle to a mode change */
	size_t n_uses;
	struct gs_sim_use *uses;
};

struct gs_sim_user {
	const char *name;
	uint32_t uid;
};

enum gs_sim_fault_kind {
	GS_SIM_FAULT_CODE,
	GS_SIM_FAULT_NOTHING,
	GS_SIM_FAULT_HANG,
};

struct gs_sim_fault {
	enum gs_sim_fault_kind kind;
	const char *call;           /* NVML name without "nvml", or "*" */
	uint32_t code;
	uint32_t countdown;         /* 1: the next matching call */
	uint64_t id;
};

struct gs_sim_state {
	struct gs_arena *arena;
	uint64_t generation, next_serial, uuid_counter;
	bool uuid_old;
	const char *host, *hostname, *driver_version, *nvml_version, *kernel_version;
	uint64_t uptime_seconds, boot_time;
	size_t n_gpus, n_devices, n_processes, n_users, n_faults;
	struct gs_sim_gpu *gpus;
	struct gs_sim_pci *devices;
	struct gs_sim_process *processes;
	struct gs_sim_user *users;
	struct gs_sim_fault faults[GS_SIM_FAULTS_MAX];
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
