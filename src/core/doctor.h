/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor.h - what stands in the way of partitioning on a machine: a table of
 * checks over a snapshot and the facts that a snapshot has no room for. Pure:
 * the facts are read by the collector (backend/doctor.h) and travel as JSON
 * (codec/doctor_json.h).
 */
#ifndef GS_CORE_DOCTOR_H
#define GS_CORE_DOCTOR_H

#include "core/plan.h"
#include "core/snapshot.h"

/* Gravest first: the order in which findings are given. */
#define GS_DOCTOR_STATES(X) \
	X(PROBLEM, "problem")           /* it stands in the way of something */ \
	X(CANNOT_TELL, "cannot-tell")   /* it may: not to be seen from here */ \
	X(NOTE, "note")                 /* good to know; in nobody's way now */ \
	X(OK, "ok")

#define GS_X_DOCTOR(id, name) GS_DOCTOR_##id,
GS_DECLARE_WORDS(GS_DOCTOR_STATES, gs_doctor_state, DOCTOR, doctor_state);

/* Yes, no, or not to be known: zeroed facts claim nothing. */
enum gs_answer {
	GS_ANSWER_UNKNOWN,
	GS_ANSWER_NO,
	GS_ANSWER_YES,
};

/* About the host; each is a member of struct gs_doctor_facts and a key of its JSON. */
#define GS_DOCTOR_ANSWERS(X) \
	X(is_privileged)        /* the agent may see and do everything */ \
	X(has_sys_admin)        /* CAP_SYS_ADMIN is effective in it */ \
	X(in_user_namespace)    /* its ids are mapped: root there is not root of the host */ \
	X(in_container) \
	X(sys_is_writable)      /* sysfs is mounted to be written */ \
	X(nvidia_loaded)        /* the kernel module */ \
	X(nvidia_is_open)       /* its flavour (interfaces 5.10) */ \
	X(nouveau_loaded) \
	X(library_found)        /* NVML can be opened by the loader */ \
	X(library_differs)      /* from the kernel module: NVML's 18 (interfaces 5.2) */ \
	X(has_iommu_groups)     /* none: the IOMMU is off (interfaces 4.4) */ \
	X(vfio_pci_loaded) \
	X(vfio_pci_available)   /* it can be loaded */ \
	X(has_mig_capabilities) /* /proc/driver/nvidia/capabilities/mig (interfaces 5.10) */ \
	X(has_capability_nodes) /* /dev/nvidia-caps for them */ \
	X(has_sriov_manage)     /* interfaces 3.4 */ \
	X(sriov_manage_runs)    /* it is executable */ \
	X(vgpu_manager_runs)    /* nvidia-vgpu-mgr (interfaces 2.9) */ \
	X(fabric_manager_runs) \
	X(has_nvidia_smi)

#define GS_DOCTOR_TEXTS(X) \
	X(kernel_release) \
	X(nvidia_version)       /* of the kernel module */ \
	X(library_path)         /* as the loader resolved it */ \
	X(library_version)      /* by the file's name */ \
	X(library_error)        /* why it cannot be opened, or not be initialised */

#define GS_DOCTOR_LISTS(X) \
	X(missing_symbols)      /* the newest name of each NVML function that the library lacks */

/* About one GPU. */
#define GS_DOCTOR_GPU_ANSWERS(X) \
	X(has_unbind_lock)      /* the vGPU host driver drives it (interfaces 9.1) */ \
	X(has_vf_space)         /* the firmware gave its VFs addresses; no: enabling them fails (interfaces 3.2) */

struct gs_doctor_gpu {
	struct gs_bdf bdf;
#define GS_X_ANSWER(name) enum gs_answer name;
	GS_DOCTOR_GPU_ANSWERS(GS_X_ANSWER)
};

struct gs_doctor_list {
	const char **items;
	size_t n, cap;
};

/* Lives in an arena. */
struct gs_doctor_facts {
	GS_DOCTOR_ANSWERS(GS_X_ANSWER)
#undef GS_X_ANSWER
#define GS_X_TEXT(name) const char *name;
	GS_DOCTOR_TEXTS(GS_X_TEXT)
#undef GS_X_TEXT
#define GS_X_LIST(name) struct gs_doctor_list name;
	GS_DOCTOR_LISTS(GS_X_LIST)
#undef GS_X_LIST
	struct gs_doctor_gpu *gpus;
	size_t n_gpus, cap_gpus;
};

struct gs_doctor_finding {
	const char *check;              /* "iommu"; constant */
	enum gs_doctor_state state;
	const struct gs_gpu *gpu;       /* NULL: the host */
	const char *text;               /* a sentence */
	const char *remedy;             /* what to do, a command where there is one; NULL */
};

/*
 * Every check over @s and @facts, the gravest findings first, then in the
 * order of the table of checks, then of GPUs. @services may be stopped here.
 * The findings are in @arena and point into @s. -ENOMEM.
 */
int gs_doctor_examine(const struct gs_snapshot *s, const struct gs_doctor_facts *facts, const struct gs_service *services, size_t n_services,
		      struct gs_arena *arena, struct gs_doctor_finding **ret_findings, size_t *ret_n);

/* doctor's exit status: 1 with a problem, else 2 when something cannot be told, else 0. */
int gs_doctor_status(const struct gs_doctor_finding *findings, size_t n);

/* Append a copy of @item; -ENOMEM. */
int gs_doctor_list_add(struct gs_doctor_list *list, struct gs_arena *arena, const char *item);

#endif
