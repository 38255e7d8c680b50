/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshot to JSON. Keys of the design come first and in its order; ours follow. */
#include "codec/snapshot_json.h"

#include "codec/snapshot_codec.h"

static void add_bool(struct json_object *o, const char *key, bool v)
{
	json_object_object_add(o, key, json_object_new_boolean(v));
}

static void add_number(struct json_object *o, const char *key, uint32_t v)
{
	gs_json_add_u32(o, key, GS_U32(v));
}

static struct json_object *holder_to_json(const struct gs_holder *h)
{
	struct json_object *o = json_object_new_object();

	gs_json_add_string(o, "kind", gs_holder_kind_name(h->kind));
	gs_json_add_u32(o, "pid", h->pid);
	gs_json_add_u64(o, "start_time", h->start_time);
	gs_json_add_u32(o, "uid", h->uid);
	gs_json_add_string(o, "name", h->name);
	gs_json_add_string(o, "unit", h->unit);
	gs_json_add_string(o, "evidence", h->evidence);
	gs_json_add_string(o, "user", h->user);
	gs_json_add_u64(o, "used_memory_bytes", h->used_memory_bytes);
	add_bool(o, "yields", h->yields);
	gs_json_add_string(o, "vm_uuid", h->vm_uuid);
	return o;
}

struct json_object *gs_holders_to_json(struct gs_holder *const *holders, size_t n)
{
	struct json_object *list = json_object_new_array_ext((int)n);

	for (size_t i = 0; i < n; i++)
		json_object_array_add(list, holder_to_json(holders[i]));
	return list;
}

/* The driver tells milliwatts; the interface speaks of watts. Written out, so that 523.107 stays 523.107. */
static void add_watts(struct json_object *o, const char *key, struct gs_u64 milliwatts)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64 ".%03" PRIu64, milliwatts.value / 1000, milliwatts.value % 1000);
	json_object_object_add(o, key, milliwatts.known ? json_object_new_double_s((double)milliwatts.value / 1000, text) : NULL);
}

struct json_object *gs_telemetry_to_json(const struct gs_telemetry *t)
{
	struct json_object *o = json_object_new_object();

#define ADD_NUMBER(width, name) gs_json_add_##width(o, #name, t->name);
	GS_TELEMETRY_NUMBERS(ADD_NUMBER)
	gs_json_add_string(o, "utilization_reason", t->utilization_reason);
	json_object_object_add(o, "ecc_is_on", t->ecc_is_on.known ? json_object_new_boolean(t->ecc_is_on.value) : NULL);
	add_watts(o, "power_watts", t->power_milliwatts);
	add_watts(o, "power_limit_watts", t->power_limit_milliwatts);
	return o;
}

static struct json_object *compute_to_json(const struct gs_compute *c)
{
	struct json_object *o = json_object_new_object();

	add_number(o, "id", c->id);
	gs_json_add_string(o, "profile", c->profile);
	gs_json_add_u32(o, "start", c->start);
	gs_json_add_u32(o, "size", c->size);
	gs_json_add_string(o, "uuid", c->uuid);
	gs_json_add_u32(o, "profile_id", c->profile_id);
	return o;
}

/* The GPU instance that a MIG-backed vGPU lies in; its place is null when it cannot be seen. */
static struct json_object *on_to_json(const struct gs_instance *inst, const struct gs_gpu *gpu)
{
	const struct gs_instance *gi = NULL;
	struct json_object *o;

	if (!inst->gi.known)
		return NULL;
	for (size_t i = 0; i < gpu->n_instances && !gi; i++)
		if (gpu->instances[i]->kind == GS_KIND_MIG && gpu->instances[i]->id == inst->gi.value)
			gi = gpu->instances[i];
	o = json_object_new_object();
	gs_json_add_string(o, "profile", gi ? gi->profile : NULL);
	gs_json_add_u32(o, "start", gi ? gi->start : GS_U32_UNKNOWN);
	gs_json_add_u32(o, "gi", inst->gi);
	return o;
}

/* A slot is no place in memory: it goes under a key of its own. */
static void add_place(struct json_object *o, const struct gs_instance *inst)
{
	bool has_slot = gs_kind_has_slots(inst->kind);

	gs_json_add_u32(o, "start", has_slot ? GS_U32_UNKNOWN : inst->start);
	gs_json_add_u32(o, "size", has_slot ? GS_U32_UNKNOWN : inst->size);
}

struct json_object *gs_guest_to_json(const struct gs_instance *inst)
{
	struct json_object *o;

	if (!inst->vm_uuid && !inst->guest_driver && !inst->licence && !inst->licence_expires)
		return NULL;
	o = json_object_new_object();
	gs_json_add_string(o, "vm_uuid", inst->vm_uuid);
	gs_json_add_string(o, "driver", inst->guest_driver);
	gs_json_add_string(o, "licence", inst->licence);
	gs_json_add_string(o, "licence_expires", inst->licence_expires);
	return o;
}

static struct json_object *instance_to_json(const struct gs_instance *inst, const struct gs_gpu *gpu, bool telemetry)
{
	struct json_object *o = json_object_new_object(), *compute = json_object_new_array_ext((int)inst->n_compute);
	bool has_slot = gs_kind_has_slots(inst->kind) && inst->start.known && inst->start.value < GS_GRID_UNITS_MAX;

	add_number(o, "id", inst->id);
	gs_json_add_string(o, "kind", gs_instance_kind_name(inst->kind));
	gs_json_add_string(o, "profile", inst->profile);
	gs_json_add_u32(o, "profile_id", inst->profile_id);
	add_place(o, inst);
	gs_json_add_string(o, "uuid", inst->uuid);
	gs_json_add_u32(o, "vf", inst->vf);
	json_object_object_add(o, "on", on_to_json(inst, gpu));
	json_object_object_add(o, "params", gs_params_to_json(inst->params, inst->n_params));
	for (size_t i = 0; i < inst->n_compute; i++)
		json_object_array_add(compute, compute_to_json(inst->compute[i]));
	json_object_object_add(o, "compute", compute);
	json_object_object_add(o, "holders", gs_holders_to_json(inst->holders, inst->n_holders));
	add_bool(o, "place_is_published", inst->place_is_published);
	gs_json_add_u32(o, "slot", has_slot ? inst->start : GS_U32_UNKNOWN);
	gs_json_add_u32(o, "placement_id", inst->placement_id);
	json_object_object_add(o, "guest", gs_guest_to_json(inst));
	if (telemetry)
		json_object_object_add(o, "telemetry", gs_telemetry_to_json(&inst->telemetry));
	return o;
}

static struct json_object *modes_to_json(uint32_t modes)
{
	struct json_object *list = json_object_new_array();

	for (int m = 0; m < GS_MODE_MAX; m++)
		if (modes & 1u << m)
			json_object_array_add(list, json_object_new_string(gs_mode_name((enum gs_mode)m)));
	return list;
}

/* A grid of no units is one that nobody has told us: null. */
static struct json_object *grid_to_json(const struct gs_profile_set *set)
{
	struct json_object *o = json_object_new_object();

	gs_json_add_u32(o, "memory_units", set->memory_units ? GS_U32(set->memory_units) : GS_U32_UNKNOWN);
	gs_json_add_u32(o, "compute_units", set->compute_slices ? GS_U32(set->compute_slices) : GS_U32_UNKNOWN);
	return o;
}

static struct json_object *visible_to_json(const struct gs_gpu *gpu)
{
	struct json_object *o = json_object_new_object();

	add_bool(o, "placements", gpu->placements_visible);
	add_bool(o, "holders", gpu->holders_visible);
	return o;
}

static void add_identity(struct json_object *o, const struct gs_gpu *gpu)
{
	char bdf[GS_BDF_TEXT];

	add_number(o, "index", gpu->index);
	gs_json_add_u32(o, "nvidia_index", gpu->nvidia_index);
	gs_json_add_string(o, "bdf", gs_bdf_format(gpu->bdf, bdf));
	gs_json_add_string(o, "uuid", gpu->uuid);
	gs_json_add_string(o, "vendor", gs_vendor_name(gpu->vendor));
	gs_json_add_string(o, "name", gpu->name);
	gs_json_add_string(o, "pci_id", gpu->pci_id);
	gs_json_add_string(o, "subsystem_id", gpu->subsystem_id);
	gs_json_add_string(o, "driver", gpu->driver);
	gs_json_add_string(o, "framework", gs_framework_name(gpu->framework));
	gs_json_add_i64(o, "numa_node", gpu->numa_node);
	gs_json_add_u32(o, "iommu_group", gpu->iommu_group);
	gs_json_add_u64(o, "memory_bytes", gpu->memory_bytes);
	gs_json_add_u32(o, "sm_count", gpu->sm_count);
	gs_json_add_string(o, "rev", gpu->rev.hex[0] ? gpu->rev.hex : NULL);
}

static struct json_object *remaining_to_json(const struct gs_gpu *gpu)
{
	struct json_object *o = gpu->n_remaining ? json_object_new_object() : NULL;

	for (size_t i = 0; o && i < gpu->n_remaining; i++)
		gs_json_add_u32(o, gpu->remaining[i].profile, GS_U32(gpu->remaining[i].n));
	return o;
}

/* Null: the driver did not tell. */
static struct json_object *nvlinks_to_json(const struct gs_gpu *gpu)
{
	struct json_object *list = gpu->nvlinks_visible ? json_object_new_array_ext((int)gpu->n_nvlinks) : NULL;
	char bdf[GS_BDF_TEXT];

	for (size_t i = 0; list && i < gpu->n_nvlinks; i++)
		json_object_array_add(list, json_object_new_string(gs_bdf_format(gpu->nvlinks[i], bdf)));
	return list;
}

/* Null: the log may not be read, and nobody knows. */
static struct json_object *events_to_json(const struct gs_gpu *gpu)
{
	struct json_object *list = gpu->events_visible ? json_object_new_array_ext((int)gpu->n_events) : NULL;

	for (size_t i = 0; list && i < gpu->n_events; i++) {
		const struct gs_gpu_event *ev = gpu->events[i];
		struct json_object *o = json_object_new_object();

		gs_json_add_i64(o, "time_ms", ev->time_ms);
		gs_json_add_string(o, "kind", gs_gpu_event_kind_name(ev->kind));
		gs_json_add_u32(o, "xid", ev->xid);
		gs_json_add_string(o, "text", ev->text);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *gpu_to_json(const struct gs_snapshot *s, size_t index, bool telemetry, bool profiles)
{
	const struct gs_gpu *gpu = gs_snapshot_gpu(s, index);
	struct json_object *o = json_object_new_object(), *instances = json_object_new_array_ext((int)gpu->n_instances);

	add_identity(o, gpu);
	json_object_object_add(o, "modes", modes_to_json(gpu->modes));
	gs_json_add_string(o, "mode", gs_mode_name(gpu->mode));
	gs_json_add_string(o, "mode_pending", gs_mode_name(gpu->mode_pending));
	json_object_object_add(o, "settings", gs_settings_to_json(gpu));
	json_object_object_add(o, "grid", grid_to_json(&gpu->grids[GS_KIND_MIG]));
	json_object_object_add(o, "visible", visible_to_json(gpu));
	json_object_object_add(o, "vfs", gs_vfs_to_json(gpu));
	for (size_t i = 0; i < gpu->n_instances; i++)
		json_object_array_add(instances, instance_to_json(gpu->instances[i], gpu, telemetry));
	json_object_object_add(o, "instances", instances);
	json_object_object_add(o, "holders", gs_holders_to_json(gpu->holders, gpu->n_holders));
	gs_json_add_string(o, "driver_override", gpu->driver_override);
	add_bool(o, "mode_needs_reset", gpu->mode_needs_reset);
	json_object_object_add(o, "mode_survives_reboot", gpu->mode_survival_is_known ? json_object_new_boolean(gpu->mode_survives_reboot) : NULL);
	gs_json_add_string(o, "lost", gpu->lost);
	add_bool(o, "is_in_fabric", gpu->is_in_fabric);
	json_object_object_add(o, "remaining", remaining_to_json(gpu));
	json_object_object_add(o, "nvlinks", nvlinks_to_json(gpu));
	add_bool(o, "is_in_guest", gpu->is_in_guest);
	add_bool(o, "is_boot_display", gpu->is_boot_display);
	gs_json_add_string(o, "original_driver", gpu->original_driver);
	gs_json_add_string(o, "vfio_driver", gpu->vfio_driver);
	gs_json_add_string(o, "no_passthrough", gpu->no_passthrough);
	gs_json_add_string(o, "stranded", gpu->stranded);
	gs_device_add_json(o, gpu);
	json_object_object_add(o, "events", events_to_json(gpu));
	gs_json_add_i64(o, "driver_loaded_ms", gpu->driver_loaded_ms);
	gs_json_add_string(o, "saved", gs_saved_state_name(gpu->saved));
	gs_json_add_string(o, "saved_layout", gpu->saved_layout.hex[0] ? gpu->saved_layout.hex : NULL);
	if (telemetry)
		json_object_object_add(o, "telemetry", gs_telemetry_to_json(&gpu->telemetry));
	if (profiles)
		gs_grids_add_json(o, s, index);
	return o;
}

/* Where holders and claims were looked for: a source that is absent proves nothing. */
static struct json_object *sources_to_json(const struct gs_snapshot *s)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < gs_snapshot_n_sources(s); i++) {
		const struct gs_source *source = gs_snapshot_source_at(s, i);
		struct json_object *o = json_object_new_object();

		gs_json_add_string(o, "name", source->name);
		add_bool(o, "is_present", source->is_present);
		gs_json_add_string(o, "text", source->text);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *restorers_to_json(const struct gs_snapshot *s)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < gs_snapshot_n_restorers(s); i++) {
		const struct gs_restorer *r = gs_snapshot_restorer(s, i);
		struct json_object *o = json_object_new_object();

		gs_json_add_string(o, "name", r->name);
		gs_json_add_string(o, "kind", gs_restorer_kind_name(r->kind));
		gs_json_add_string(o, "what", r->what);
		json_object_array_add(list, o);
	}
	return list;
}

/* Null: nothing is saved; absent: it cannot be seen. */
static void add_saved(struct json_object *host, const struct gs_saved_fact *saved)
{
	struct json_object *o;

	if (saved->state == GS_SAVED_UNKNOWN)
		return;
	o = saved->state == GS_SAVED_NONE ? NULL : json_object_new_object();
	if (o) {
		gs_json_add_string(o, "path", saved->path);
		gs_json_add_i64(o, "saved_at_ms", saved->saved_at_ms);
		add_bool(o, "unit_enabled", saved->unit_enabled);
		add_bool(o, "unit_installed", !saved->unit_is_missing);
	}
	json_object_object_add(host, "saved", o);
}

static struct json_object *host_to_json(const struct gs_snapshot *s)
{
	struct json_object *o = json_object_new_object(), *notices = json_object_new_array();
	struct gs_wall taken_at = { 0 };
	bool published = gs_snapshot_published(s, &taken_at);

	gs_json_add_string(o, "name", gs_snapshot_host(s));
	gs_json_add_string(o, "source", gs_host_source_name(gs_snapshot_source(s)));
	gs_json_add_string(o, "driver_version", gs_snapshot_driver_version(s));
	gs_json_add_i64(o, "published_at_ms", published ? GS_I64(taken_at.ms) : GS_I64_UNKNOWN);
	for (size_t i = 0; i < gs_snapshot_n_notices(s); i++)
		json_object_array_add(notices, json_object_new_string(gs_snapshot_notice(s, i)));
	json_object_object_add(o, "notices", notices);
	json_object_object_add(o, "sources", sources_to_json(s));
	json_object_object_add(o, "restorers", restorers_to_json(s));
	add_saved(o, gs_snapshot_saved(s));
	return o;
}

struct json_object *gs_snapshot_to_json(const struct gs_snapshot *s, unsigned flags)
{
	bool telemetry = flags & GS_SNAPSHOT_TELEMETRY && gs_snapshot_has_telemetry(s);
	struct json_object *o = json_object_new_object(), *gpus;

	if (!o)
		return NULL;
	gpus = json_object_new_array_ext((int)gs_snapshot_n_gpus(s));
	gs_json_add_string(o, "schema", "gpuslice.snapshot/1");
	json_object_object_add(o, "host", host_to_json(s));
	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++)
		json_object_array_add(gpus, gpu_to_json(s, i, telemetry, flags & GS_SNAPSHOT_PROFILES));
	json_object_object_add(o, "gpus", gpus);
	return o;
}
