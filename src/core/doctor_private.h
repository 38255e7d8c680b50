/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor_private.h - what the files of the checks share; nobody else includes it. */
#ifndef GS_CORE_DOCTOR_PRIVATE_H
#define GS_CORE_DOCTOR_PRIVATE_H

#include "core/doctor.h"

/* One run over all checks. */
struct gs_doctor_exam {
	const struct gs_snapshot *s;
	const struct gs_doctor_facts *facts;
	const struct gs_service *services;
	size_t n_services;
	struct gs_arena *arena;
	const char *check;              /* the one that is running */
	struct gs_doctor_finding *findings;
	size_t n, cap;
};

/* Add a finding of the running check; @gpu NULL: the host. Lack of memory is latched in the arena. */
void gs_doctor_add(struct gs_doctor_exam *x, enum gs_doctor_state state, const struct gs_gpu *gpu, const char *remedy, const char *fmt, ...)
	GS_PRINTF(5, 6);

/* Any GPU for which @is holds? */
bool gs_doctor_any(const struct gs_doctor_exam *x, bool (*is)(const struct gs_gpu *gpu));
bool gs_doctor_is_nvidia(const struct gs_gpu *gpu);
bool gs_doctor_is_nvidia_driven(const struct gs_gpu *gpu);
bool gs_doctor_has_mig(const struct gs_gpu *gpu);
/* Zeroed ones when nothing is known of that GPU. */
const struct gs_doctor_gpu *gs_doctor_gpu_facts(const struct gs_doctor_exam *x, const struct gs_gpu *gpu);

/* Checks of the host. */
void gs_doctor_check_driver(struct gs_doctor_exam *x);
void gs_doctor_check_library(struct gs_doctor_exam *x);
void gs_doctor_check_symbols(struct gs_doctor_exam *x);
void gs_doctor_check_privileges(struct gs_doctor_exam *x);
void gs_doctor_check_iommu(struct gs_doctor_exam *x);
void gs_doctor_check_vfio(struct gs_doctor_exam *x);
void gs_doctor_check_mig_nodes(struct gs_doctor_exam *x);
void gs_doctor_check_vgpu_manager(struct gs_doctor_exam *x);
void gs_doctor_check_sriov_manage(struct gs_doctor_exam *x);
void gs_doctor_check_fabric(struct gs_doctor_exam *x);
void gs_doctor_check_reset_tool(struct gs_doctor_exam *x);
void gs_doctor_check_restorers(struct gs_doctor_exam *x);

/* Checks of each GPU. */
void gs_doctor_check_gpus(struct gs_doctor_exam *x);
void gs_doctor_check_bound(struct gs_doctor_exam *x);
void gs_doctor_check_view(struct gs_doctor_exam *x);
void gs_doctor_check_stranded(struct gs_doctor_exam *x);
void gs_doctor_check_commit(struct gs_doctor_exam *x);
void gs_doctor_check_pending(struct gs_doctor_exam *x);
void gs_doctor_check_group(struct gs_doctor_exam *x);
void gs_doctor_check_framework(struct gs_doctor_exam *x);
void gs_doctor_check_sriov(struct gs_doctor_exam *x);
void gs_doctor_check_amd(struct gs_doctor_exam *x);
void gs_doctor_check_intel(struct gs_doctor_exam *x);
void gs_doctor_check_events(struct gs_doctor_exam *x);
void gs_doctor_check_services(struct gs_doctor_exam *x);
void gs_doctor_check_holders(struct gs_doctor_exam *x);
void gs_doctor_check_drift(struct gs_doctor_exam *x);
void gs_doctor_check_reboot(struct gs_doctor_exam *x);

#endif
