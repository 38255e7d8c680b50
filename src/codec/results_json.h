/* SPDX-License-Identifier: GPL-2.0-or-later */
/* results_json.h - schema gpuslice.results/1: what became of each GPU, with --scope gpu. */
#ifndef GS_CODEC_RESULTS_JSON_H
#define GS_CODEC_RESULTS_JSON_H

#include "codec/json.h"
#include "core/bdf.h"

struct gs_gpu_result {
	struct gs_u32 gpu;              /* unknown: it names no GPU of this machine */
	struct gs_bdf bdf;
	enum gs_status status;
	const char *text;
	struct json_object *result;     /* gpuslice.result/1, or gpuslice.plan/1 where nothing was to be done; borrowed; NULL: there was no plan */
};

/*
 * The status of all together: OK when all are, PENDING when some of them wait,
 * PARTIAL when some are neither, else the worst of them. OK for none.
 */
enum gs_status gs_results_status(const struct gs_gpu_result *results, size_t n);

/* The caller owns a reference. */
struct json_object *gs_results_to_json(const struct gs_gpu_result *results, size_t n, enum gs_status status, const char *text);

#endif
