/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/ps_json.h"

#include "codec/snapshot_codec.h"

static struct json_object *row_to_json(const struct gs_ps_row *row)
{
	struct json_object *o = json_object_new_object();
	const struct gs_instance *inst = row->instance;
	char bdf[GS_BDF_TEXT];

	gs_json_add_u32(o, "gpu", GS_U32(row->gpu->index));
	gs_json_add_string(o, "bdf", gs_bdf_format(row->gpu->bdf, bdf));
	gs_json_add_string(o, "mode", gs_mode_name(row->gpu->mode));
	gs_json_add_string(o, "lost", row->gpu->lost);
	gs_json_add_string(o, "kind", inst ? gs_instance_kind_name(inst->kind) : NULL);
	gs_json_add_u32(o, "id", inst ? GS_U32(inst->id) : GS_U32_UNKNOWN);
	gs_json_add_string(o, "profile", inst ? inst->profile : NULL);
	gs_json_add_u32(o, "start", inst && !gs_kind_has_slots(inst->kind) ? inst->start : GS_U32_UNKNOWN);
	gs_json_add_u32(o, "vf", inst ? inst->vf : GS_U32_UNKNOWN);
	gs_json_add_string(o, "uuid", inst ? inst->uuid : row->gpu->uuid);
	json_object_object_add(o, "telemetry", gs_telemetry_to_json(row->telemetry));
	json_object_object_add(o, "guest", inst ? gs_guest_to_json(inst) : NULL);
	json_object_object_add(o, "holders_visible", json_object_new_boolean(row->gpu->holders_visible));
	json_object_object_add(o, "holders", gs_holders_to_json(row->holders, row->n_holders));
	return o;
}

struct json_object *gs_ps_to_json(const struct gs_snapshot *s, const struct gs_ps_row *rows, size_t n)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array_ext((int)n);

	gs_json_add_string(o, "schema", "gpuslice.ps/1");
	gs_json_add_string(o, "host", gs_snapshot_host(s));
	for (size_t i = 0; i < n; i++)
		json_object_array_add(list, row_to_json(&rows[i]));
	json_object_object_add(o, "rows", list);
	return o;
}
