/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mig.h - one NVIDIA GPU through NVML: its mode, its profiles, its instances.
 *
 * With privilege the driver tells where every instance is. Without it only MIG
 * device handles answer: UUID, ids and a name, and the place stays unknown
 * (interfaces 5.7) until a privileged agent's publication is joined.
 */
#ifndef GS_BACKEND_MIG_H
#define GS_BACKEND_MIG_H

#include "backend/mig_profiles.h"
#include "core/snapshot.h"

struct gs_mig {
	struct gs_nvml *nvml;                   /* borrowed */
	const struct gs_catalogue *catalogue;   /* borrowed; may be NULL */
	struct gs_mig_profiles *profiles;       /* owned */
};

/* 0 or -ENOMEM. */
int gs_mig_init(struct gs_mig *mig, struct gs_nvml *nvml, const struct gs_catalogue *catalogue);
void gs_mig_done(struct gs_mig *mig);

/* The NVML device at @bdf, also one that enumeration leaves out. NVML's code. */
int gs_mig_device(struct gs_mig *mig, struct gs_bdf bdf, nvml_device *ret_device);

/*
 * Read everything about one GPU into @gpu, which knows its PCI facts already,
 * with @telemetry the memory of its GPU instances, for which this has the handles.
 * A GPU that is lost gets gpu->lost and keeps what was read before. 0 or
 * -ENOMEM.
 */
int gs_mig_read(struct gs_mig *mig, nvml_device device, struct gs_snapshot *s, struct gs_gpu *gpu, bool telemetry);

/* The instance of that GI id, or NULL. */
struct gs_instance *gs_mig_instance_by_id(const struct gs_gpu *gpu, uint32_t id);

#endif
