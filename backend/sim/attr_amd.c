/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attr_amd.c - compute and memory partitions (interfaces 6.1 to 6.4). */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "backend/sim/amd.h"
#include "backend/sim/attr.h"
#include "base/parse.h"

uint32_t gs_sim_amd_partitions(const struct gs_sim_amd *amd, enum gs_sim_compute_mode mode)
{
	static const uint32_t count[] = { [GS_SIM_SPX] = 1, [GS_SIM_DPX] = 2, [GS_SIM_TPX] = 3, [GS_SIM_QPX] = 4 };

	return mode == GS_SIM_CPX ? amd->xcc : count[mode];
}

/* By the number of compute dies (interfaces 6.4). */
bool gs_sim_amd_has_mode(const struct gs_sim_amd *amd, enum gs_sim_compute_mode mode)
{
	switch (mode) {
	case GS_SIM_SPX:
	case GS_SIM_CPX:
		return true;
	case GS_SIM_DPX:
		return amd->xcc % 4 == 0;
	case GS_SIM_TPX:
		return amd->xcc == 6;
	case GS_SIM_QPX:
		return amd->xcc % 4 == 0 && amd->xcc / 4 >= 2;
	case GS_SIM_COMPUTE_MODES:
		break;
	}
	return false;
}

uint32_t gs_sim_amd_memory_modes(const struct gs_sim_amd *amd, enum gs_sim_compute_mode mode)
{
	static const uint32_t with[] = {
		[GS_SIM_SPX] = 1u << GS_SIM_NPS1,
		[GS_SIM_DPX] = 1u << GS_SIM_NPS1 | 1u << GS_SIM_NPS2,
		[GS_SIM_TPX] = 1u << GS_SIM_NPS1 | 1u << GS_SIM_NPS4,
		[GS_SIM_QPX] = 1u << GS_SIM_NPS1 | 1u << GS_SIM_NPS4,
		[GS_SIM_CPX] = 1u << GS_SIM_NPS1 | 1u << GS_SIM_NPS4,
	};

	return with[mode] & amd->memory_modes;
}

void gs_sim_amd_reload(struct gs_sim_state *s, struct gs_sim_gpu *gpu)
{
	struct gs_sim_amd *amd = &gpu->amd;

	/* in a hive all have to ask for the same, else nothing happens (interfaces 6.3) */
	for (size_t i = 0; amd->hive && i < s->n_gpus; i++) {
		if (s->gpus[i].amd.hive == amd->hive && s->gpus[i].amd.requested != amd->requested)
			return;
	}
	amd->memory = amd->requested;
	amd->compute = amd->shown = GS_SIM_SPX;
	for (unsigned mode = 0; mode < GS_SIM_COMPUTE_MODES; mode++) {
		if (gs_sim_amd_memory_modes(amd, amd->compute) & 1u << amd->memory)
			break;
		if (gs_sim_amd_has_mode(amd, (enum gs_sim_compute_mode)mode) &&
		    (gs_sim_amd_memory_modes(amd, (enum gs_sim_compute_mode)mode) & 1u << amd->memory))
			amd->compute = amd->shown = (enum gs_sim_compute_mode)mode;
	}
}

/* The driver compares the beginning, in any case. */
static bool find_word(const char *text, const char *const *names, size_t n, unsigned *ret_index)
{
	for (unsigned i = 0; i < n; i++) {
		if (strncasecmp(text, names[i], strlen(names[i])) == 0) {
			*ret_index = i;
			return true;
		}
	}
	return false;
}

static int find_compute(const struct gs_sim_write *w, enum gs_sim_compute_mode *ret_mode)
{
	unsigned i;

	if (!w->f.gpu || w->f.vf || !w->f.gpu->amd.xcc)
		return -ENOENT;
	if (!find_word(w->text, gs_sim_compute_names, GS_SIM_COMPUTE_MODES, &i) ||
	    !gs_sim_amd_has_mode(&w->f.gpu->amd, (enum gs_sim_compute_mode)i))
		return -EINVAL;
	*ret_mode = (enum gs_sim_compute_mode)i;
	return 0;
}

static int store_compute(struct gs_sim_write *w)
{
	enum gs_sim_compute_mode mode;
	int r = find_compute(w, &mode);

	if (r < 0)
		return r;
	if (!(gs_sim_amd_memory_modes(&w->f.gpu->amd, mode) & 1u << w->f.gpu->amd.memory))
		return -EINVAL;
	if (mode == w->f.gpu->amd.compute)
		return 0;
	/* any user of KFD, also one on another GPU: there is one node for all */
	if (gs_sim_path_is_open(w->s, "/dev/kfd"))
		return -EBUSY;
	w->f.gpu->amd.compute = w->f.gpu->amd.shown = mode;
	return 0;
}

/* Which mode's resources are shown; it does not switch. */
static int store_shown(struct gs_sim_write *w)
{
	enum gs_sim_compute_mode mode;
	int r = find_compute(w, &mode);

	if (r == 0)
		w->f.gpu->amd.shown = mode;
	return r;
}

static int store_memory(struct gs_sim_write *w)
{
	unsigned i;

	if (!w->f.gpu || w->f.vf || !w->f.gpu->amd.xcc)
		return -ENOENT;
	if (!find_word(w->text, gs_sim_memory_names, GS_SIM_MEMORY_MODES, &i) || !(w->f.gpu->amd.memory_modes & 1u << i))
		return -EINVAL;
	/* asking for what is, is a no-op: it does not take an earlier request back */
	if (i != w->f.gpu->amd.memory)
		w->f.gpu->amd.requested = (enum gs_sim_memory_mode)i;
	return 0;
}

const struct gs_sim_attr gs_sim_attr_amd[] = {
	{ "current_compute_partition", store_compute },
	{ "current_memory_partition", store_memory },
	{ "compute_partition_config/xcp_config", store_shown },
	{ NULL, NULL },
};
