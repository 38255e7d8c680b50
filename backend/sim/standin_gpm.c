/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * standin_gpm.c - load by the difference of two samples (GPM), the only way to
 * see inside a GPU in MIG mode, on Hopper and later. By NVML's public header.
 */
#include "backend/sim/standin.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/parse.h"

#define VERSION 1u
#define MARK 0x6770u
#define SM_UTIL 2u
#define APART_MS 100

struct sample {
	uint32_t mark;
	bool is_taken;
	struct gs_monotonic at;
	uint32_t percent;
};

static bool has_gpm(const struct gs_sim_gpu *gpu)
{
	const char *a = gpu->model ? gpu->model->architecture : "";

	return gs_str_equal_nocase(a, "hopper") || gs_str_equal_nocase(a, "blackwell");
}

enum gs_nvml_return nvmlGpmQueryDeviceSupport(void *device, struct gs_abi_gpm_support *support)
{
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read("GpmQueryDeviceSupport", device, GS_HANDLE_GPU, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!support)
		return GS_NVML_INVALID_ARGUMENT;
	if (support->version != VERSION)
		return GS_NVML_ARGUMENT_VERSION_MISMATCH;
	support->is_supported = has_gpm(t.gpu);
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlGpmSampleAlloc(void **sample)
{
	struct gs_sim_state *s;
	enum gs_nvml_return r = gs_standin_enter("GpmSampleAlloc", &s);
	struct sample *new;

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!sample)
		return GS_NVML_INVALID_ARGUMENT;
	new = calloc(1, sizeof(*new));
	if (!new)
		return GS_NVML_MEMORY;
	new->mark = MARK;
	*sample = new;
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlGpmSampleFree(void *sample)
{
	struct sample *s = sample;

	if (!s || s->mark != MARK)
		return GS_NVML_INVALID_ARGUMENT;
	free(s);
	return GS_NVML_SUCCESS;
}

static enum gs_nvml_return take(const char *call, void *device, uint32_t gi, void *to)
{
	struct sample *s = to;
	struct gs_target t;
	enum gs_nvml_return r = gs_standin_read(call, device, GS_HANDLE_GPU, &t);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!s || s->mark != MARK)
		return GS_NVML_INVALID_ARGUMENT;
	if (!has_gpm(t.gpu))
		return GS_NVML_NOT_SUPPORTED;
	if (gi != GS_SIM_NONE && (!t.gpu->mig_current || !gs_sim_gi_by_id(t.gpu, gi)))
		return GS_NVML_NOT_FOUND;
	s->at = gs_monotonic_now();
	s->percent = gs_standin_is_busy(&t, gi) ? 80 + (gs_standin_wobble(&t, 17) + gi % 7) % 17 : 0;
	s->is_taken = true;
	return GS_NVML_SUCCESS;
}

enum gs_nvml_return nvmlGpmSampleGet(void *device, void *sample)
{
	return take("GpmSampleGet", device, GS_SIM_NONE, sample);
}

enum gs_nvml_return nvmlGpmMigSampleGet(void *device, unsigned int gi, void *sample)
{
	return take("GpmMigSampleGet", device, gi, sample);
}

enum gs_nvml_return nvmlGpmMetricsGet(struct gs_abi_gpm_metrics *metrics)
{
	const struct sample *a, *b;
	struct gs_sim_state *s;
	enum gs_nvml_return r = gs_standin_enter("GpmMetricsGet", &s);

	if (r != GS_NVML_SUCCESS)
		return r;
	if (!metrics || !metrics->n || metrics->n > GS_ARRAY_SIZE(metrics->metrics))
		return GS_NVML_INVALID_ARGUMENT;
	if (metrics->version != VERSION)
		return GS_NVML_ARGUMENT_VERSION_MISMATCH;
	a = metrics->first;
	b = metrics->second;
	if (!a || !b || a == b || a->mark != MARK || b->mark != MARK || !a->is_taken || !b->is_taken || b->at.ms - a->at.ms < APART_MS)
		return GS_NVML_INVALID_ARGUMENT;
	for (uint32_t i = 0; i < metrics->n; i++) {
		metrics->metrics[i].nvml_return = metrics->metrics[i].id == SM_UTIL ? GS_NVML_SUCCESS : GS_NVML_NOT_SUPPORTED;
		metrics->metrics[i].value = b->percent;
	}
	return GS_NVML_SUCCESS;
}
