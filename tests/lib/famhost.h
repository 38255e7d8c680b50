/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * famhost.h - machines of every family written in one line, and a driver for
 * them that applies the rules of interfaces 1-4 and 6 and knows nothing of the
 * planner. MIG alone, on every model of the catalogue, is testhost.h's.
 */
#ifndef GS_TESTS_FAMHOST_H
#define GS_TESTS_FAMHOST_H

#include "core/plan.h"
#include "core/snapshot.h"

#define FAM_GPUS_MAX 8
#define FAM_SLOTS_MAX 64
#define FAM_GIS_MAX 12
#define FAM_PARAMS_MAX 4
#define FAM_SETTINGS_MAX 4

/* A vGPU type. */
struct fam_type {
	const char *name;
	uint32_t id, mib, max;
	const char *gi_profile;         /* NULL: time-sliced */
	uint32_t per_gi;
};

struct fam_setting_kind {
	const char *key, *first;
	const char *const *choices;     /* NULL ends; NULL itself: a number */
	bool waits;                     /* a write is only remembered, until the driver is loaded again */
};

struct fam_board {
	const char *name;               /* in a spec: "l40s" */
	const char *model;
	enum gs_vendor vendor;
	const char *pci_id, *driver;
	enum gs_framework framework;
	uint32_t modes;
	uint32_t total_vfs;             /* 0: no SR-IOV */
	enum gs_vfs_by by;
	bool has_mig;                   /* the grid of an RTX PRO 6000 */
	const struct fam_type *types;
	size_t n_types;
	const char *const *vf_params;   /* keys that each VF has; NULL ends */
	const struct fam_setting_kind *settings;
	size_t n_settings;
};

/* NULL for an unknown name. */
const struct fam_board *fam_board_by_name(const char *name);
const struct fam_type *fam_board_type(const struct fam_board *b, const char *name);
/* Framebuffer that its vGPUs share: that of the largest time-sliced type, as often as it fits. */
uint32_t fam_board_gib(const struct fam_board *b);
/* Units of a GI of that profile, 0 for an unknown one. */
uint32_t fam_gi_size(const char *profile);
/* Starts of a GI profile; how many. */
size_t fam_gi_starts(const char *profile, const uint32_t **ret_starts);

/* What vGPUs are set to, of the GPU or of a GI (interfaces 2.5, 5.3). */
struct fam_sharing {
	bool is_mixed;
	char scheduler[64];             /* "": the driver's own, best-effort */
};

struct fam_param {
	char key[32], value[32];
};

/* A VF, or on a board without VFs a mediated device (in no order; only those with a type are there). */
struct fam_slot {
	const struct fam_type *type;
	char uuid[40];
	uint32_t gi;                    /* id of the one that it lies in; 0: none */
	uint32_t placement;             /* with sizes mixed: where its framebuffer begins, in GiB */
	struct fam_param params[FAM_PARAMS_MAX];
	size_t n_params;
	bool is_held, is_claimed;       /* by a VM that runs, by one that is shut off */
};

struct fam_gi {
	uint32_t id, start;
	const char *profile;
	bool has_ci, is_held;
	struct fam_sharing sharing;
};

/* The other functions of the board, and one that merely lies in the group. */
struct fam_sibling {
	bool is_there;
	char driver[32], original[32];
};

struct fam_setting {
	char value[32], pending[32];
	bool is_fixed;
};

struct fam_gpu {
	const struct fam_board *board;
	char driver[32], original[32];  /* "": none */
	bool mig, needs_reset;
	int mig_pending;                /* -1: nothing is */
	struct fam_gi gis[FAM_GIS_MAX];
	size_t n_gis;
	uint32_t vfs;
	struct fam_slot slots[FAM_SLOTS_MAX];
	struct fam_setting settings[FAM_SETTINGS_MAX];
	struct fam_sibling audio, foreign;
	bool is_held, is_persistent, was_persistent, has_kfd, has_vm, has_fabric;
	bool is_boot, has_no_iommu, is_hidden, is_blind, has_no_vgpu, write_waits;
	bool has_sharing;               /* NVML tells and sets what vGPUs are set to */
	struct fam_sharing sharing;
	bool is_gone, is_lost;          /* off the bus; on it, and its driver cannot talk to it */
	char override[32];              /* driver_override, where a tool died behind it; "": none */
	uint64_t interrupted;           /* a commit that never ended concerns it; 0: none */
};

struct fam_host {
	struct fam_gpu gpus[FAM_GPUS_MAX];
	size_t n;
	unsigned wiped;                 /* things that a step destroyed without being named */
};

/*
 * GPUs, one per "|", each a board and then in any order:
 *   mig, vfs=N, vfio, unbound, stranded[=N]     what it is used as
 *   1g.24gb@0[^][*]                             a GI; ^: without compute instance
 *   TYPE@SLOT[/GISTART][+ID][#K][{k=v,…}][*]    a vGPU; ID: placement id; K: 1-9, its UUID; *: a VM runs on it
 *   vf:N[{k=v,…}][*][~]                         a VF; ~: a shut-off VM names it
 *   set:KEY=VALUE[,PENDING], fixed:KEY          settings
 *   shares                                      NVML tells what vGPUs are set to; then set:heterogeneous=on, set:scheduler=VALUE,
 *                                               and in:GISTART:KEY=VALUE of a GI
 *   audio[=DRIVER], foreign=DRIVER              functions beside it; without DRIVER: none is bound
 *   forgotten                                   what drivers were bound before VFIO is not known
 *   half-back                                   the GPU has its own driver back from VFIO, its audio function has none
 *   held, persistenced, kfd, vm, fabric         who has the GPU open
 *   reset, pending-mig, pending-whole           how its MIG mode behaves
 *   boot, noiommu, hidden, waits                the boot display, no IOMMU, holders cannot be seen, a write that waits
 *   blind                                       nobody tells its mode, as without NVML
 *   novgpu                                      VFs carry no vGPUs: the driver is not the vGPU host driver
 * Aborts the test on a mistake. Pids: 4099 + 100 * GPU has the GPU, 5000 + 100 * GPU + SLOT is a VM.
 */
void fam_host_parse(struct fam_host *h, const char *spec);
/* The same machine in words, without ids and pids of what the driver numbers; the caller frees. */
char *fam_host_text(const struct fam_host *h);
/* The same of one GPU. */
char *fam_gpu_text(const struct fam_gpu *g);
/* What a collector would see. */
struct gs_snapshot *fam_host_look(const struct fam_host *h);
struct gs_snapshot *fam_snapshot(const char *spec);

/* What the kernel and the drivers make of @step: 0 or -errno, and then nothing has changed. */
int fam_host_step(struct fam_host *h, const struct gs_step *step);

/*
 * The first part of @step alone, where what the kernel, a driver or a tool does
 * for it has parts: a tool that dies half-way, a file whose other words are
 * lost, a mode that is only accepted. -EOPNOTSUPP, and nothing done, where it
 * has none: famhost_fault.c says of each operation why.
 */
int fam_host_half(struct fam_host *h, const struct gs_step *step);
/* What is there after the machine was started again, by interfaces 0.4, 3.4, 5.8 and 6: who held something is gone, units run. */
void fam_host_reboot(struct fam_host *h);

/* "0000c0de-0000-4000-8000-00000000000K" */
const char *fam_uuid(unsigned k, char *buf, size_t size);

#endif
