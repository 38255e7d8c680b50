/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model.h - what one GPU model can be cut into, straight from data/mig/MODEL.json. */
#ifndef GS_SIM_MODEL_H
#define GS_SIM_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/optional.h"

#define GS_SIM_PROFILES_MAX 32
#define GS_SIM_PLACEMENTS_MAX 16
#define GS_SIM_COMPUTE_PROFILES_MAX 8

/* "copy decoder encoder jpeg ofa" in this order. */
enum gs_sim_engine {
	GS_SIM_COPY,
	GS_SIM_DECODER,
	GS_SIM_ENCODER,
	GS_SIM_JPEG,
	GS_SIM_OFA,
	GS_SIM_ENGINES,
};

struct gs_sim_span {
	uint32_t start, size;
};

struct gs_sim_compute_profile {
	const char *name;
	uint32_t id;
	uint32_t slices;
	struct gs_u32 sm_count;
	uint32_t max_instances;
	bool is_default;
	size_t n_placements;
	struct gs_sim_span placements[GS_SIM_PLACEMENTS_MAX];
};

struct gs_sim_profile {
	const char *name;
	uint32_t id;
	uint32_t nvml_profile;      /* NVML's enum index, another numbering than @id */
	uint32_t slices;
	struct gs_u64 memory_bytes;
	struct gs_u32 sm_count;
	uint32_t max_instances;
	bool p2p, gfx;
	struct gs_u32 engines[GS_SIM_ENGINES];
	size_t n_placements;
	struct gs_sim_span placements[GS_SIM_PLACEMENTS_MAX];
	size_t n_order;
	uint32_t order[GS_SIM_PLACEMENTS_MAX];  /* starts in the order that the driver tries */
	size_t n_compute;
	struct gs_sim_compute_profile compute[GS_SIM_COMPUTE_PROFILES_MAX];
};

struct gs_sim_model {
	const char *architecture;
	uint32_t memory_units, compute_slices, max_instances;
	struct gs_u32 sm_count;
	struct gs_u32 engines[GS_SIM_ENGINES];
	bool needs_reset;
	size_t n_profiles;
	struct gs_sim_profile profiles[GS_SIM_PROFILES_MAX];
};

struct gs_sim_model_file;

/* @path: a gpuslice.mig-model/1 file whose grid, ids and placements are all known. */
int gs_sim_model_read(const char *path, struct gs_sim_model_file **ret_file, struct gs_error *e);
struct gs_sim_model_file *gs_sim_model_free(struct gs_sim_model_file *file);
GS_DEFINE_CLEANUP(struct gs_sim_model_file *, gs_sim_model_free);
/* Lives as long as the file. */
const struct gs_sim_model *gs_sim_model_of(const struct gs_sim_model_file *file);

const struct gs_sim_profile *gs_sim_profile_by_id(const struct gs_sim_model *m, uint32_t id);
const struct gs_sim_profile *gs_sim_profile_by_enum(const struct gs_sim_model *m, uint32_t nvml_profile);
const struct gs_sim_profile *gs_sim_profile_by_name(const struct gs_sim_model *m, const char *name);
const struct gs_sim_compute_profile *gs_sim_compute_by_id(const struct gs_sim_profile *p, uint32_t id);

/* A number that the model does not know is 0 to an NVML caller. */
static inline uint32_t gs_sim_or_zero(struct gs_u32 v)
{
	return v.known ? v.value : 0;
}

/* Streaming multiprocessors of a compute profile; a share of the GI's where the model does not know. */
uint32_t gs_sim_compute_sm_count(const struct gs_sim_profile *p, const struct gs_sim_compute_profile *c);

#endif
