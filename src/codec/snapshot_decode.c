/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON to snapshot. The sender may be another version or somebody else's
 * program: keys that we do not know are passed over, everything that we take
 * is bounded. What sealing computes (index, rev) is not taken at all.
 */
#include "codec/snapshot_json.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "codec/profile_codec.h"
#include "codec/snapshot_codec.h"

#define GPUS_MAX 16384
#define INSTANCES_MAX GS_SNAPSHOT_INSTANCES_MAX
#define COMPUTE_MAX GS_COMPUTE_SLICES_MAX
#define NOTICES_MAX 64
#define MODES_MAX 32
#define SOURCES_MAX 16
/* 0xFFFF is the driver's «none» (interfaces 2.5) */
#define PLACEMENT_ID_MAX 65534u

void gs_json_element_open(struct gs_json_element *el, struct json_object *list, const struct gs_json_where *up, size_t i, struct gs_error *e)
{
	el->where = (struct gs_json_where){ up, NULL, i };
	el->r = gs_json_reader_of(json_object_array_get_idx(list, i), &el->where, e);
}

const char *gs_snapshot_read_text(struct gs_snapshot *s, struct gs_json_reader *r, const char *key)
{
	return gs_snapshot_text(s, gs_json_read_string(r, key));
}

/* "10de:2330", or unknown */
static const char *read_ids(struct gs_snapshot *s, struct gs_json_reader *r, const char *key)
{
	const char *ids = gs_json_read_string(r, key);

	if (ids && (strlen(ids) != 9 || ids[4] != ':' || strspn(ids, "0123456789abcdef") != 4 ||
		    strspn(ids + 5, "0123456789abcdef") != 4))
		gs_json_read_fail(r, key, "\"%.32s\" is not vvvv:dddd", ids);
	return gs_snapshot_text(s, ids);
}

static enum gs_mode read_mode(struct gs_json_reader *r, const char *key)
{
	const char *name = gs_json_read_string(r, key);
	enum gs_mode mode = name ? gs_mode_from_name(name) : GS_MODE_INVALID;

	if (name && mode == GS_MODE_INVALID)
		gs_json_read_fail(r, key, "\"%.32s\" is not a mode", name);
	return mode;
}

static uint32_t read_modes(struct gs_json_reader *r)
{
	struct json_object *list;
	size_t n = gs_json_read_array(r, "modes", MODES_MAX, &list);
	uint32_t modes = 0;

	for (size_t i = 0; i < n && !r->failed; i++) {
		struct json_object *v = json_object_array_get_idx(list, i);
		enum gs_mode mode = GS_MODE_INVALID;

		if (json_object_is_type(v, json_type_string))
			mode = gs_mode_from_name(json_object_get_string(v));
		if (mode == GS_MODE_INVALID)
			gs_json_read_fail(r, "modes", "element %zu is not a mode", i);
		else
			modes |= 1u << mode;
	}
	return modes;
}

/* Watts on the wire, to the milliwatt. */
static struct gs_u64 read_watts(struct gs_json_reader *r, const char *key)
{
	struct json_object *v = NULL;
	double watts;

	if (r->failed || !json_object_object_get_ex(r->o, key, &v) || !v)
		return GS_U64_UNKNOWN;
	watts = json_object_is_type(v, json_type_double) || json_object_is_type(v, json_type_int) ? json_object_get_double(v) : -1;
	if (!(watts >= 0 && watts < 1e9)) {
		gs_json_read_fail(r, key, "is no power in watts");
		return GS_U64_UNKNOWN;
	}
	return GS_U64((uint64_t)(watts * 1000 + 0.5));
}

/* True, false, or not known. */
static struct gs_u32 read_flag(struct gs_json_reader *r, const char *key)
{
	struct json_object *v = NULL;

	if (r->failed || !json_object_object_get_ex(r->o, key, &v) || !v)
		return GS_U32_UNKNOWN;
	return GS_U32(gs_json_read_bool(r, key, false));
}

static void read_telemetry(struct gs_snapshot *s, struct gs_json_reader *up, struct gs_telemetry *t)
{
	struct json_object *o = gs_json_read_object(up, "telemetry");
	struct gs_json_where where = { up->where, "telemetry", 0 };
	struct gs_json_reader r;

	if (!o)
		return;
	r = gs_json_reader_of(o, &where, up->e);
#define READ_u64(name) gs_json_read_u64(&r, #name)
#define READ_u32(name) gs_json_read_u32(&r, #name, 1000000)
#define READ_NUMBER(width, name) t->name = READ_##width(name);
	GS_TELEMETRY_NUMBERS(READ_NUMBER)
	t->utilization_reason = gs_snapshot_read_text(s, &r, "utilization_reason");
	t->ecc_is_on = read_flag(&r, "ecc_is_on");
	t->power_milliwatts = read_watts(&r, "power_watts");
	t->power_limit_milliwatts = read_watts(&r, "power_limit_watts");
	gs_snapshot_set_telemetry(s, true);
	up->failed = r.failed;
}

void gs_snapshot_read_holder(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_holder *h)
{
	const char *kind = gs_json_read_name(r, "kind");

	if (r->failed)
		return;
	h->kind = gs_holder_kind_from_name(kind);
	if (h->kind == GS_HOLDER_INVALID)
		gs_json_read_fail(r, "kind", "\"%.32s\" is not a kind of holder", kind);
	h->pid = gs_json_read_u32(r, "pid", INT32_MAX);
	h->start_time = gs_json_read_u64(r, "start_time");
	h->uid = gs_json_read_u32(r, "uid", UINT32_MAX);
	h->name = gs_snapshot_read_text(s, r, "name");
	h->unit = gs_snapshot_read_text(s, r, "unit");
	h->evidence = gs_snapshot_read_text(s, r, "evidence");
	h->user = gs_snapshot_read_text(s, r, "user");
	h->used_memory_bytes = gs_json_read_u64(r, "used_memory_bytes");
	h->yields = gs_json_read_bool(r, "yields", false);
	h->vm_uuid = gs_snapshot_read_text(s, r, "vm_uuid");
}

/* @inst NULL: of the GPU as a whole */
static void read_holders(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_gpu *gpu, struct gs_instance *inst)
{
	struct json_object *list;
	size_t n = gs_json_read_array(r, "holders", GS_SNAPSHOT_HOLDERS_MAX, &list);
	struct gs_json_where holders = { r->where, "holders", 0 };

	for (size_t i = 0; i < n && !r->failed; i++) {
		struct gs_holder *h = inst ? gs_instance_add_holder(s, inst) : gs_gpu_add_holder(s, gpu);
		struct gs_json_element el;

		if (!h)
			return;         /* sealing will say that there is no memory */
		gs_json_element_open(&el, list, &holders, i, r->e);
		gs_snapshot_read_holder(s, &el.r, h);
		r->failed = el.r.failed;
	}
}

/* A size may be known alone (the profile tells it); a place lies in @units (0: the width is not known). */
static void check_place(struct gs_json_reader *r, struct gs_u32 start, struct gs_u32 size, uint32_t units)
{
	if (r->failed)
		return;
	if (start.known && !size.known)
		gs_json_read_fail(r, "size", "is missing");
	else if (start.known && (!size.value || start.value + size.value > (units ? units : GS_GRID_UNITS_MAX)))
		gs_json_read_fail(r, NULL, "%u units from %u do not lie in the grid", size.value, start.value);
}

/* NULL where the driver gave no name that could be read. */
static const char *read_profile(struct gs_snapshot *s, struct gs_json_reader *r)
{
	const char *name = gs_json_read_string(r, "profile");

	if (name && !name[0])
		gs_json_read_fail(r, "profile", "is empty");
	return gs_snapshot_text(s, name);
}

static void read_compute(struct gs_snapshot *s, struct gs_json_reader *r, uint32_t slices, struct gs_compute *c)
{
	c->id = gs_json_read_number(r, "id", UINT32_MAX);
	c->profile = read_profile(s, r);
	c->start = gs_json_read_u32(r, "start", GS_COMPUTE_SLICES_MAX - 1);
	c->size = gs_json_read_u32(r, "size", GS_COMPUTE_SLICES_MAX);
	c->uuid = gs_snapshot_read_text(s, r, "uuid");
	c->profile_id = gs_json_read_u32(r, "profile_id", UINT32_MAX);
	check_place(r, c->start, c->size, slices);
}

static void read_computes(struct gs_snapshot *s, struct gs_json_reader *r, uint32_t slices, struct gs_instance *inst)
{
	struct json_object *list;
	size_t n = gs_json_read_array(r, "compute", COMPUTE_MAX, &list);
	struct gs_json_where computes = { r->where, "compute", 0 };

	for (size_t i = 0; i < n && !r->failed; i++) {
		struct gs_compute *c = gs_instance_add_compute(s, inst);
		struct gs_json_element el;

		if (!c)
			return;
		gs_json_element_open(&el, list, &computes, i, r->e);
		read_compute(s, &el.r, slices, c);
		for (size_t k = 0; k < i && !el.r.failed; k++)
			if (inst->compute[k]->id == c->id)
				gs_json_read_fail(&el.r, "id", "%u is there twice", c->id);
		r->failed = el.r.failed;
	}
}

static bool is_named(const struct gs_instance *inst)
{
	for (size_t i = 0; i < inst->n_compute; i++) {
		if (!inst->compute[i]->profile)
			return false;
	}
	return inst->profile;
}

/* What lies in a slot has a VF or a slot of its own; the rest has a start. */
static void read_slot(struct gs_json_reader *r, const struct gs_gpu *gpu, struct gs_instance *inst)
{
	struct gs_u32 start = gs_json_read_u32(r, "start", GS_GRID_UNITS_MAX - 1), slot = gs_json_read_u32(r, "slot", GS_GRID_UNITS_MAX - 1);

	if (start.known)
		gs_json_read_fail(r, "start", "is for what lies in memory units; this has a \"vf\" or a \"slot\"");
	if (slot.known && inst->vf.known && slot.value != inst->vf.value)
		gs_json_read_fail(r, "slot", "is %u on VF %u", slot.value, inst->vf.value);
	if (inst->vf.known && gpu->vfs.n_functions && !gs_gpu_vf(gpu, inst->vf.value))
		gs_json_read_fail(r, "vf", "%u is no VF of this GPU", inst->vf.value);
	inst->start = slot.known || (inst->vf.known && inst->vf.value >= GS_GRID_UNITS_MAX) ? slot : inst->vf;
	inst->size = GS_U32(1);
}

static void read_span(struct gs_json_reader *r, struct gs_instance *inst)
{
	inst->start = gs_json_read_u32(r, "start", GS_GRID_UNITS_MAX - 1);
	inst->size = gs_json_read_u32(r, "size", GS_GRID_UNITS_MAX);
	if (inst->vf.known)
		gs_json_read_fail(r, "vf", "is %u, but a %s instance is on no VF", inst->vf.value, gs_instance_kind_name(inst->kind));
}

static void read_guest(struct gs_snapshot *s, struct gs_json_reader *up, struct gs_instance *inst)
{
	struct json_object *o = gs_json_read_object(up, "guest");
	struct gs_json_where where = { up->where, "guest", 0 };
	struct gs_json_reader r;

	if (up->failed || !o)
		return;
	r = gs_json_reader_of(o, &where, up->e);
	inst->vm_uuid = gs_snapshot_read_text(s, &r, "vm_uuid");
	inst->guest_driver = gs_snapshot_read_text(s, &r, "driver");
	inst->licence = gs_snapshot_read_text(s, &r, "licence");
	inst->licence_expires = gs_snapshot_read_text(s, &r, "licence_expires");
	up->failed = r.failed;
}

static void read_place(struct gs_json_reader *r, const struct gs_gpu *gpu, struct gs_instance *inst)
{
	inst->vf = gs_json_read_u32(r, "vf", GS_SNAPSHOT_VFS_MAX - 1);
	inst->placement_id = gs_json_read_u32(r, "placement_id", PLACEMENT_ID_MAX);
	inst->place_is_published = gs_json_read_bool(r, "place_is_published", false);
	if (gs_kind_has_slots(inst->kind))
		read_slot(r, gpu, inst);
	else
		read_span(r, inst);
	check_place(r, inst->start, inst->size, gpu->grids[inst->kind].memory_units);
}

/* Only its id is taken: what else stands there is said by the GPU instance itself. */
static void read_on(struct gs_json_reader *r, struct gs_instance *inst)
{
	struct json_object *o = gs_json_read_object(r, "on");
	struct gs_json_where where = { r->where, "on", 0 };
	struct gs_json_reader in;

	if (!o)
		return;
	in = gs_json_reader_of(o, &where, r->e);
	inst->gi = GS_U32(gs_json_read_number(&in, "gi", UINT32_MAX));
	if (inst->kind != GS_KIND_VGPU)
		gs_json_read_fail(&in, NULL, "is for vGPUs that lie in a GPU instance");
	r->failed = in.failed;
}

static void read_instance(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_gpu *gpu, struct gs_instance *inst)
{
	const char *kind = gs_json_read_name(r, "kind");

	if (r->failed)
		return;
	inst->kind = gs_instance_kind_from_name(kind);
	if (inst->kind == GS_KIND_INVALID) {
		gs_json_read_fail(r, "kind", "\"%.32s\" is not a kind of instance", kind);
		return;
	}
	inst->id = gs_json_read_number(r, "id", UINT32_MAX);
	inst->profile = read_profile(s, r);
	inst->profile_id = gs_json_read_u32(r, "profile_id", UINT32_MAX);
	inst->uuid = gs_snapshot_read_text(s, r, "uuid");
	read_place(r, gpu, inst);
	read_on(r, inst);
	read_guest(s, r, inst);
	gs_snapshot_read_params(s, r, inst);
	read_computes(s, r, gpu->grids[GS_KIND_MIG].compute_slices, inst);
	/* what has no name cannot be planned with, and a place would say that it can */
	if (!is_named(inst))
		inst->start = GS_U32_UNKNOWN;
	read_holders(s, r, gpu, inst);
	read_telemetry(s, r, &inst->telemetry);
}

/* Ids are given once for each kind; a VF carries one vGPU; an mdev's UUID is the only one on the host. */
static void check_unique(struct gs_json_reader *r, const struct gs_instance *a, const struct gs_instance *b)
{
	if (a->kind != b->kind)
		return;
	if (a->id == b->id)
		gs_json_read_fail(r, "id", "%u is there twice", b->id);
	else if (b->vf.known && gs_u32_equal(a->vf, b->vf))
		gs_json_read_fail(r, "vf", "%u is there twice", b->vf.value);
	else if (gs_kind_has_slots(b->kind) && b->start.known && gs_u32_equal(a->start, b->start))
		gs_json_read_fail(r, "slot", "%u is there twice", b->start.value);
	else if (b->kind == GS_KIND_VGPU && b->uuid && gs_str_equal(a->uuid, b->uuid))
		gs_json_read_fail(r, "uuid", "%.64s is there twice", b->uuid);
}

static void read_instances(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_gpu *gpu)
{
	struct json_object *list;
	size_t n = gs_json_read_array(r, "instances", INSTANCES_MAX, &list);
	struct gs_json_where instances = { r->where, "instances", 0 };

	for (size_t i = 0; i < n && !r->failed; i++) {
		struct gs_instance *inst = gs_gpu_add_instance(s, gpu);
		struct gs_json_element el;

		if (!inst)
			return;
		gs_json_element_open(&el, list, &instances, i, r->e);
		read_instance(s, &el.r, gpu, inst);
		for (size_t k = 0; k < i && !el.r.failed; k++)
			check_unique(&el.r, gpu->instances[k], inst);
		r->failed = el.r.failed;
	}
}

static void read_visible(struct gs_json_reader *r, struct gs_gpu *gpu)
{
	struct json_object *o = gs_json_read_object(r, "visible");
	struct gs_json_where where = { r->where, "visible", 0 };
	struct gs_json_reader in;

	if (!o)
		return;
	in = gs_json_reader_of(o, &where, r->e);
	gpu->placements_visible = gs_json_read_bool(&in, "placements", false);
	gpu->holders_visible = gs_json_read_bool(&in, "holders", false);
	r->failed = in.failed;
}

static void read_identity(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_gpu *gpu)
{
	const char *vendor = gs_json_read_name(r, "vendor"), *framework;

	if (r->failed)
		return;
	gpu->vendor = gs_vendor_from_name(vendor);
	if (gpu->vendor == GS_VENDOR_INVALID)
		gs_json_read_fail(r, "vendor", "\"%.32s\" is not a vendor", vendor);
	gpu->nvidia_index = gs_json_read_u32(r, "nvidia_index", GPUS_MAX);
	gpu->uuid = gs_snapshot_read_text(s, r, "uuid");
	gpu->name = gs_snapshot_read_text(s, r, "name");
	gpu->pci_id = read_ids(s, r, "pci_id");
	gpu->subsystem_id = read_ids(s, r, "subsystem_id");
	gpu->driver = gs_snapshot_read_text(s, r, "driver");
	gpu->driver_override = gs_snapshot_read_text(s, r, "driver_override");
	framework = gs_snapshot_read_text(s, r, "framework");
	gpu->framework = framework ? gs_framework_from_name(framework) : GS_FRAMEWORK_INVALID;
	if (framework && gpu->framework == GS_FRAMEWORK_INVALID)
		gs_json_read_fail(r, "framework", "\"%.32s\" is not a framework", framework);
	gpu->numa_node = gs_json_read_i64(r, "numa_node");
	gpu->iommu_group = gs_json_read_u32(r, "iommu_group", UINT32_MAX);
	gpu->memory_bytes = gs_json_read_u64(r, "memory_bytes");
	gpu->sm_count = gs_json_read_u32(r, "sm_count", UINT32_MAX);
	gpu->lost = gs_snapshot_read_text(s, r, "lost");
	gpu->is_in_fabric = gs_json_read_bool(r, "is_in_fabric", false);
	gpu->is_boot_display = gs_json_read_bool(r, "is_boot_display", false);
	gpu->original_driver = gs_snapshot_read_text(s, r, "original_driver");
	gpu->vfio_driver = gs_snapshot_read_text(s, r, "vfio_driver");
	gpu->no_passthrough = gs_snapshot_read_text(s, r, "no_passthrough");
	gpu->stranded = gs_snapshot_read_text(s, r, "stranded");
}

static void read_remaining(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_gpu *gpu)
{
	struct json_object *o = gs_json_read_object(r, "remaining");

	if (r->failed || !o)
		return;
	if (json_object_object_length(o) > GS_PROFILES_MAX) {
		gs_json_read_fail(r, "remaining", "it has more than %d profiles", GS_PROFILES_MAX);
		return;
	}
	gpu->remaining = gs_arena_calloc(gs_snapshot_arena(s), GS_PROFILES_MAX, sizeof(*gpu->remaining));
	json_object_object_foreach(o, key, value) {
		int64_t n = json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : -1;

		if (n < 0 || n > UINT32_MAX || !key[0]) {
			gs_json_read_fail(r, "remaining", "%.64s is not a number of instances", key);
			return;
		}
		if (gpu->remaining)
			gpu->remaining[gpu->n_remaining++] = (struct gs_remaining){ gs_snapshot_text(s, key), (uint32_t)n };
	}
}

/* Absent or null: the driver did not tell. */
static void read_nvlinks(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_gpu *gpu)
{
	struct json_object *list = NULL;
	size_t n = gs_json_read_array(r, "nvlinks", GS_NVLINKS_MAX, &list);

	if (r->failed || !list)
		return;
	gpu->nvlinks = gs_arena_calloc(gs_snapshot_arena(s), n + 1, sizeof(*gpu->nvlinks));
	gpu->nvlinks_visible = true;
	for (size_t i = 0; gpu->nvlinks && i < n && !r->failed; i++) {
		struct json_object *item = json_object_array_get_idx(list, i);

		if (!json_object_is_type(item, json_type_string) || gs_bdf_parse(json_object_get_string(item), &gpu->nvlinks[gpu->n_nvlinks++]) < 0)
			gs_json_read_fail(r, "nvlinks", "element %zu is not a PCI address", i);
	}
}

/* Absent or null: who looked could not read the log. */
static void read_events(struct gs_snapshot *s, struct gs_json_reader *r, struct gs_gpu *gpu)
{
	struct json_object *list = NULL;
	size_t n = gs_json_read_array(r, "events", GS_GPU_EVENTS_MAX, &list);
	struct gs_json_where events = { r->where, "events", 0 };

	gpu->events_visible = list != NULL;
	gpu->driver_loaded_ms = gs_json_read_i64(r, "driver_loaded_ms");
	for (size_t i = 0; i < n && !r->failed; i++) {
		struct gs_gpu_event *ev = gs_gpu_add_event(s, gpu);
		struct gs_json_element el;
		const char *kind;

		if (!ev)
			return;
		gs_json_element_open(&el, list, &events, i, r->e);
		kind = gs_json_read_name(&el.r, "kind");
		ev->kind = kind ? gs_gpu_event_kind_from_name(kind) : GS_GPU_EVENT_INVALID;
		if (!el.r.failed && ev->kind == GS_GPU_EVENT_INVALID)
			gs_json_read_fail(&el.r, "kind", "\"%.32s\" is not a kind of event", kind);
		ev->time_ms = gs_json_read_i64(&el.r, "time_ms");
		ev->xid = gs_json_read_u32(&el.r, "xid", UINT32_MAX);
		ev->text = gs_snapshot_read_text(s, &el.r, "text");
		r->failed = el.r.failed;
	}
}

static void read_gpu_saved(struct gs_json_reader *r, struct gs_gpu *gpu)
{
	const char *state = gs_json_read_string(r, "saved"), *layout = gs_json_read_string(r, "saved_layout");

	gpu->saved = state ? gs_saved_state_from_name(state) : GS_SAVED_UNKNOWN;
	if (!r->failed && gpu->saved == GS_SAVED_MAX)
		gs_json_read_fail(r, "saved", "\"%.32s\" is not none, same or differs", state);
	if (!r->failed && layout && (strlen(layout) != 32 || strspn(layout, "0123456789abcdef") != 32))
		gs_json_read_fail(r, "saved_layout", "is no digest");
	if (!r->failed && layout)
		snprintf(gpu->saved_layout.hex, sizeof(gpu->saved_layout.hex), "%s", layout);
}

static void read_gpu(struct gs_snapshot *s, struct gs_json_reader *r)
{
	const char *text = gs_json_read_name(r, "bdf");
	struct gs_bdf bdf;
	struct gs_gpu *gpu;

	if (r->failed)
		return;
	if (gs_bdf_parse(text, &bdf) < 0) {
		gs_json_read_fail(r, "bdf", "\"%.32s\" is not a PCI address", text);
		return;
	}
	gpu = gs_snapshot_add_gpu(s, bdf);
	if (!gpu)
		return;
	read_identity(s, r, gpu);
	gpu->modes = read_modes(r);
	gpu->mode = read_mode(r, "mode");
	gpu->mode_pending = read_mode(r, "mode_pending");
	gpu->mode_needs_reset = gs_json_read_bool(r, "mode_needs_reset", false);
	gpu->mode_survives_reboot = gs_json_read_answer(r, "mode_survives_reboot", &gpu->mode_survival_is_known);
	gs_snapshot_read_grids(s, r, gpu);
	read_visible(r, gpu);
	gs_snapshot_read_vfs(s, r, gpu);
	gs_snapshot_read_device(s, r, gpu);
	gpu->is_in_guest = gs_json_read_bool(r, "is_in_guest", false);
	read_gpu_saved(r, gpu);
	read_remaining(s, r, gpu);
	read_nvlinks(s, r, gpu);
	read_events(s, r, gpu);
	read_instances(s, r, gpu);
	read_holders(s, r, gpu, NULL);
	read_telemetry(s, r, &gpu->telemetry);
}

static void read_saved(struct gs_snapshot *s, struct gs_json_reader *up, struct json_object *host)
{
	struct gs_json_where where = { up->where, "saved", 0 };
	struct gs_saved_fact fact = { .state = GS_SAVED_NONE, .saved_at_ms = GS_I64_UNKNOWN };
	struct json_object *o = gs_json_read_object(up, "saved");

	if (up->failed || !json_object_object_get_ex(host, "saved", NULL))
		return;
	if (o) {
		struct gs_json_reader r = gs_json_reader_of(o, &where, up->e);

		fact.state = GS_SAVED_SAME;
		fact.path = gs_json_read_name(&r, "path");
		fact.saved_at_ms = gs_json_read_i64(&r, "saved_at_ms");
		fact.unit_enabled = gs_json_read_bool(&r, "unit_enabled", false);
		fact.unit_is_missing = !gs_json_read_bool(&r, "unit_installed", true);
		up->failed = r.failed;
	}
	if (!up->failed)
		gs_snapshot_set_saved(s, &fact);
}

static void read_sources(struct gs_snapshot *s, struct gs_json_reader *r)
{
	struct json_object *list;
	size_t n = gs_json_read_array(r, "sources", SOURCES_MAX, &list);
	struct gs_json_where sources = { r->where, "sources", 0 };

	for (size_t i = 0; i < n && !r->failed; i++) {
		struct gs_json_element el;
		const char *name, *text;
		bool is_present;

		gs_json_element_open(&el, list, &sources, i, r->e);
		name = gs_snapshot_text(s, gs_json_read_name(&el.r, "name"));
		text = gs_json_read_string(&el.r, "text");
		is_present = gs_json_read_bool(&el.r, "is_present", false);
		for (size_t k = 0; k < gs_snapshot_n_sources(s) && !el.r.failed; k++)
			if (gs_str_equal(gs_snapshot_source_at(s, k)->name, name))
				gs_json_read_fail(&el.r, "name", "%.64s is there twice", name);
		if (!el.r.failed)
			gs_snapshot_add_source(s, name, is_present, "%s", text ? text : "");
		r->failed = el.r.failed;
	}
}

static void read_restorers(struct gs_snapshot *s, struct gs_json_reader *r)
{
	struct json_object *list;
	size_t n = gs_json_read_array(r, "restorers", GS_RESTORERS_MAX, &list);
	struct gs_json_where restorers = { r->where, "restorers", 0 };

	for (size_t i = 0; i < n && !r->failed; i++) {
		struct gs_json_element el;
		const char *name, *kind;
		enum gs_restorer_kind k;

		gs_json_element_open(&el, list, &restorers, i, r->e);
		name = gs_json_read_name(&el.r, "name");
		kind = gs_json_read_name(&el.r, "kind");
		k = kind ? gs_restorer_kind_from_name(kind) : GS_RESTORER_INVALID;
		if (!el.r.failed && k == GS_RESTORER_INVALID)
			gs_json_read_fail(&el.r, "kind", "\"%.32s\" is not a kind of restorer", kind);
		if (!el.r.failed)
			gs_snapshot_add_restorer(s, k, name, gs_json_read_string(&el.r, "what"));
		r->failed = el.r.failed;
	}
}

static void read_host(struct gs_snapshot *s, struct gs_json_reader *up)
{
	struct gs_json_where where = { up->where, "host", 0 };
	struct json_object *host = gs_json_read_object(up, "host");
	struct gs_json_reader r = gs_json_reader_of(host, &where, up->e);
	const char *name = gs_snapshot_read_text(s, &r, "name"), *source_name = gs_json_read_name(&r, "source");
	enum gs_host_source source = source_name ? gs_host_source_from_name(source_name) : GS_SOURCE_INVALID;
	struct gs_i64 taken_at = gs_json_read_i64(&r, "published_at_ms");
	struct json_object *list;
	size_t n = gs_json_read_array(&r, "notices", NOTICES_MAX, &list);

	if (!r.failed && source == GS_SOURCE_INVALID)
		gs_json_read_fail(&r, "source", "\"%.32s\" is not a source", source_name);
	gs_snapshot_set_driver_version(s, gs_snapshot_read_text(s, &r, "driver_version"));
	for (size_t i = 0; i < n && !r.failed; i++) {
		struct json_object *v = json_object_array_get_idx(list, i);

		if (!json_object_is_type(v, json_type_string))
			gs_json_read_fail(&r, "notices", "element %zu must be a string", i);
		else
			gs_snapshot_add_notice(s, "%.1000s", json_object_get_string(v));
	}
	read_sources(s, &r);
	read_saved(s, &r, host);
	read_restorers(s, &r);
	up->failed = r.failed;
	if (r.failed)
		return;
	gs_snapshot_set_host(s, name, source);
	if (taken_at.known)
		gs_snapshot_set_published(s, (struct gs_wall){ taken_at.value });
}

int gs_snapshot_from_json(struct json_object *o, struct gs_snapshot **ret_snapshot, struct gs_error *e)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_snapshot_new();
	struct gs_json_where root = { NULL, NULL, 0 }, gpus = { &root, "gpus", 0 };
	struct gs_json_reader r = gs_json_reader_of(o, &root, e);
	struct json_object *list;
	const char *schema;
	size_t n;
	int result;

	if (!s)
		return gs_error_oom(e);
	schema = gs_json_read_name(&r, "schema");
	if (!r.failed && strcmp(schema, "gpuslice.snapshot/1") != 0)
		gs_json_read_fail(&r, "schema", "must be \"gpuslice.snapshot/1\"");
	if (!r.failed)
		read_host(s, &r);
	n = gs_json_read_array(&r, "gpus", GPUS_MAX, &list);
	if (!r.failed && !list)
		gs_json_read_fail(&r, "gpus", "is missing");
	for (size_t i = 0; i < n && !r.failed; i++) {
		struct gs_json_element el;

		gs_json_element_open(&el, list, &gpus, i, e);
		read_gpu(s, &el.r);
		r.failed = el.r.failed;
	}
	if (r.failed)
		return r.failed;
	result = gs_snapshot_seal(s, e);
	if (result < 0)
		return result == -EEXIST ? -EBADMSG : result;
	*ret_snapshot = GS_TAKE(s);
	return 0;
}
