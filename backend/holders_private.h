/* SPDX-License-Identifier: GPL-2.0-or-later */
/* holders_private.h - what the files of holders share, and nobody else. */
#ifndef GS_BACKEND_HOLDERS_PRIVATE_H
#define GS_BACKEND_HOLDERS_PRIVATE_H

#include "backend/fdscan.h"
#include "backend/holders.h"
#include "backend/modules.h"
#include "backend/place.h"
#include "backend/proc.h"
#include "backend/vm.h"
#include "base/clock.h"

#define GS_HOLDERS_GPUS_MAX 1024
#define GS_HOLDERS_EVIDENCE 160

/* One process at one place, this round. */
struct gs_use {
	struct gs_place place;
	uint32_t pid;
	struct gs_u64 used_memory_bytes;
	bool is_nvml;
	char evidence[GS_HOLDERS_EVIDENCE];
};

/* A host device of a machine whose open files could not be seen, by its command line; as old as the scan. */
struct gs_argv_use {
	uint32_t pid;
	struct gs_vm_device device;
};

/* What does not change while a process executes one program. */
struct gs_process {
	uint32_t pid;
	uint64_t start_time;
	char comm[GS_PROC_COMM];
	enum gs_holder_kind kind;
	char name[192];                 /* "": its comm */
	char vm_uuid[GS_VM_UUID];
	struct gs_u32 uid;
	char user[64], unit[128];
	bool yields;
	bool seen;
};

struct gs_holders {
	struct gs_root *root;
	struct gs_gpu *gpus[GS_HOLDERS_GPUS_MAX];
	struct gs_u32 minors[GS_HOLDERS_GPUS_MAX];
	bool hides[GS_HOLDERS_GPUS_MAX];        /* of @gpus: this one alone */
	size_t n_gpus;
	bool is_hidden;                 /* of what this round brought */
	bool is_cut;                    /* more than we keep track of: for a notice */
	struct gs_fdscan *scan;
	bool has_scanned;
	struct gs_monotonic scanned;
	struct gs_argv_use *argv_uses;
	size_t n_argv_uses, cap_argv_uses;
	struct gs_modules modules;      /* as old as the scan */
	struct gs_use *uses;
	size_t n_uses, cap_uses;
	struct gs_process *processes;
	size_t n_processes, cap_processes;
	char *mig_minors;               /* the static table, once it was needed */
	bool has_mig_minors;
};

/* A process at a place, found by @evidence; told twice it is one use. More than is kept is cut. -ENOMEM. */
int gs_holders_use(struct gs_holders *h, const struct gs_place *place, uint32_t pid, const char *evidence, struct gs_use **ret_use);
/* The GPUs of this round, to look among. */
struct gs_places gs_holders_places(const struct gs_holders *h);

/* One per kind of node: open files of @o become uses. A node of no GPU here is none. -ENOMEM. */
int gs_holders_join_nvidia(struct gs_holders *h, const struct gs_opened *o);
int gs_holders_join_vfio(struct gs_holders *h, const struct gs_opened *o);
int gs_holders_join_drm(struct gs_holders *h, const struct gs_opened *o);

/* What is known of a process; looked up once in its life. NULL when there is no memory. */
struct gs_process *gs_holders_know(struct gs_holders *h, uint32_t pid, uint64_t start_time, const char *comm);
/* Forget whom nobody asked for since the last time. */
void gs_holders_forget(struct gs_holders *h);

#endif
