/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/results_json.h"

/* What an operator has to see to first: what is half done, what cannot be reached, what failed, what can be mended by asking otherwise. */
static unsigned weight(enum gs_status status)
{
	static const enum gs_status by_weight[] = {
		GS_STATUS_INVALID, GS_STATUS_CANNOT_TELL, GS_STATUS_REFUSED, GS_STATUS_LOCKED, GS_STATUS_FAILED, GS_STATUS_UNREACHABLE, GS_STATUS_NOT_UNDONE,
	};

	for (unsigned i = 0; i < GS_ARRAY_SIZE(by_weight); i++)
		if (by_weight[i] == status)
			return i + 1;
	return 0;
}

enum gs_status gs_results_status(const struct gs_gpu_result *results, size_t n)
{
	enum gs_status worst = GS_STATUS_OK;
	size_t done = 0, pending = 0;

	for (size_t i = 0; i < n; i++) {
		done += results[i].status == GS_STATUS_OK;
		pending += results[i].status == GS_STATUS_PENDING;
		if (weight(results[i].status) > weight(worst))
			worst = results[i].status;
	}
	if (done + pending == n)
		return pending ? GS_STATUS_PENDING : GS_STATUS_OK;
	return done + pending ? GS_STATUS_PARTIAL : worst;
}

struct json_object *gs_results_to_json(const struct gs_gpu_result *results, size_t n, enum gs_status status, const char *text)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array_ext((int)n);

	gs_json_add_string(o, "schema", "gpuslice.results/1");
	gs_json_add_u32(o, "status", GS_U32((uint32_t)status));
	gs_json_add_string(o, "text", text);
	for (size_t i = 0; i < n; i++) {
		struct json_object *item = json_object_new_object();
		char bdf[GS_BDF_TEXT];

		gs_json_add_u32(item, "gpu", results[i].gpu);
		gs_json_add_string(item, "bdf", results[i].gpu.known ? gs_bdf_format(results[i].bdf, bdf) : NULL);
		gs_json_add_u32(item, "status", GS_U32((uint32_t)results[i].status));
		gs_json_add_string(item, "text", results[i].text);
		json_object_object_add(item, "result", json_object_get(results[i].result));
		json_object_array_add(list, item);
	}
	json_object_object_add(o, "results", list);
	return o;
}
