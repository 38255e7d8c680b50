/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/vgpu_nvml.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/family_util.h"
#include "backend/telemetry.h"
#include "backend/vgpu_scheduler.h"
#include "base/parse.h"

/* More than any board can run (interfaces 2.7). */
#define VGPUS_MAX 64

static const char *const off_on[] = { "off", "on" };

/* ---------------------------------------------------------------- placement ids */

/* What one type of one board may start at; size 0: the driver does not say. */
struct placement {
	char board[24];
	uint32_t type, size;
	uint32_t ids[GS_MIXED_IDS_MAX];
	size_t n;
};

struct gs_vgpu_placements {
	struct placement *items;
	size_t n, cap;
};

struct gs_vgpu_placements *gs_vgpu_placements_free(struct gs_vgpu_placements *p)
{
	if (!p)
		return NULL;
	free(p->items);
	free(p);
	return NULL;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Asked once without room, for how many (interfaces 5.7). The code of the call that was the last. */
static int ask_placements(struct gs_nvml *nvml, nvml_device device, struct placement *p)
{
	struct nvml_placement_list list = { .version = NVML_VERSION_WORD(struct nvml_placement_list, 2), .mode = NVML_PLACEMENTS_HETEROGENEOUS };
	unsigned int ids[GS_MIXED_IDS_MAX];
	int code = GS_NVML_CALL(nvml, vgpu_placements, device, p->type, &list);

	if ((code != NVML_SUCCESS && code != NVML_ERROR_INSUFFICIENT_SIZE) || !list.count || list.count > GS_MIXED_IDS_MAX)
		return code;
	list.version = NVML_VERSION_WORD(struct nvml_placement_list, 2);
	list.mode = NVML_PLACEMENTS_HETEROGENEOUS;
	list.ids = ids;
	code = GS_NVML_CALL(nvml, vgpu_placements, device, p->type, &list);
	if (code != NVML_SUCCESS || list.count > GS_MIXED_IDS_MAX || !list.size || list.size >= NVML_NO_PLACEMENT)
		return code;
	for (unsigned int i = 0; i < list.count; i++)
		if (ids[i] < NVML_NO_PLACEMENT)
			p->ids[p->n++] = ids[i];
	qsort(p->ids, p->n, sizeof(*p->ids), by_number);
	for (size_t i = 1; i < p->n; i++)
		if (p->ids[i] == p->ids[i - 1])
			p->n = 0;
	p->size = p->n ? list.size : 0;
	return code;
}

/* NULL when there is no memory. */
static const struct placement *placements_of(struct gs_vgpu_placements *all, struct gs_nvml *nvml, nvml_device device, const char *board, uint32_t type)
{
	struct placement *p;

	for (size_t i = 0; i < all->n; i++)
		if (all->items[i].type == type && strcmp(all->items[i].board, board) == 0)
			return &all->items[i];
	if (all->n == all->cap) {
		size_t cap = all->cap ? all->cap * 2 : 32;
		struct placement *grown = reallocarray(all->items, cap, sizeof(*grown));

		if (!grown)
			return NULL;
		all->items = grown;
		all->cap = cap;
	}
	p = &all->items[all->n++];
	*p = (struct placement){ .type = type };
	snprintf(p->board, sizeof(p->board), "%s", board);
	/* one that has fallen off the bus does not speak for all of its kind: the next is asked again */
	if (ask_placements(nvml, device, p) == NVML_ERROR_GPU_IS_LOST)
		all->n--;
	return p;
}

static int read_placements(struct gs_nvml *nvml, nvml_device device, struct gs_snapshot *s, struct gs_gpu *gpu, struct gs_vgpu_placements **placements)
{
	struct gs_profile_set *set = &gpu->grids[GS_KIND_VGPU];
	struct gs_profile *items;
	char board[24];

	if (!*placements)
		*placements = calloc(1, sizeof(**placements));
	items = set->n ? gs_arena_calloc(gs_snapshot_arena(s), set->n, sizeof(*items)) : NULL;
	if (!*placements || (set->n && !items))
		return -ENOMEM;
	snprintf(board, sizeof(board), "%s/%s", gpu->pci_id ? gpu->pci_id : "", gpu->subsystem_id ? gpu->subsystem_id : "");
	for (size_t i = 0; i < set->n; i++) {
		const struct placement *p;
		uint32_t *ids;

		items[i] = set->items[i];
		if (items[i].gi_profile || !items[i].id.known)
			continue;
		p = placements_of(*placements, nvml, device, board, items[i].id.value);
		ids = p && p->n ? gs_arena_calloc(gs_snapshot_arena(s), p->n, sizeof(*ids)) : NULL;
		if (!p || (p->n && !ids))
			return -ENOMEM;
		if (!ids)
			continue;
		memcpy(ids, p->ids, p->n * sizeof(*ids));
		items[i].mixed_size = p->size;
		items[i].mixed_ids = ids;
		items[i].n_mixed_ids = p->n;
	}
	set->items = items;
	return 0;
}

/* ---------------------------------------------------------------- settings */

/* "on", "off", or NULL with the code. */
static const char *read_heterogeneous(struct gs_nvml *nvml, nvml_device device, nvml_gi gi, int *ret_code)
{
	struct nvml_heterogeneous mode = { .version = NVML_VERSION_WORD(struct nvml_heterogeneous, 1) };

	*ret_code = gi ? GS_NVML_CALL(nvml, gi_heterogeneous, gi, &mode) : GS_NVML_CALL(nvml, heterogeneous, device, &mode);
	return *ret_code == NVML_SUCCESS ? off_on[mode.mode != 0] : NULL;
}

/* NULL: that is not known; then whether it can be set is for the driver to say. */
static const bool *has_capability(struct gs_nvml *nvml, nvml_device device, int capability)
{
	static const bool answers[] = { false, true };
	unsigned int yes = 0;

	return GS_NVML_CALL(nvml, vgpu_capability, device, capability, &yes) == NVML_SUCCESS ? &answers[yes != 0] : NULL;
}

static const char *missing(struct gs_snapshot *s, int code, const char *symbol)
{
	const char *reason = gs_nvml_reason(code);

	if (code == NVML_ERROR_FUNCTION_NOT_FOUND)
		return gs_arena_printf(gs_snapshot_arena(s), "the driver's library has no %s: it takes a newer driver", symbol);
	return gs_arena_printf(gs_snapshot_arena(s), "%s says %d%s%s", symbol, code, reason ? ": " : "", reason ? reason : "");
}

static int add_heterogeneous(struct gs_nvml *nvml, nvml_device device, struct gs_snapshot *s, struct gs_gpu *gpu)
{
	const bool *can = has_capability(nvml, device, NVML_VGPU_CAP_HETEROGENEOUS_SIZES);
	struct gs_setting *setting = gs_gpu_add_setting(s, gpu);
	int code;

	if (!setting)
		return -ENOMEM;
	setting->key = GS_SETTING_HETEROGENEOUS;
	setting->choices = off_on;
	setting->n_choices = GS_ARRAY_SIZE(off_on);
	setting->value = read_heterogeneous(nvml, device, NULL, &code);
	if (setting->value)
		return 0;
	/* in MIG mode it is each GI's, and may come with another mode (interfaces 2.5) */
	if (can && !*can)
		setting->fixed = "vGPUs of this GPU have one framebuffer size; it takes an Ampere GPU or later, with SR-IOV";
	else if (code == NVML_ERROR_NOT_SUPPORTED && !gs_mode_has_mig(gpu->mode))
		setting->fixed = "this GPU and its driver do not mix framebuffer sizes";
	else if (code != NVML_ERROR_NOT_SUPPORTED)
		setting->fixed = missing(s, code, GS_NVML_SYMBOL(heterogeneous));
	return 0;
}

static int add_scheduler(struct gs_nvml *nvml, nvml_device device, struct gs_snapshot *s, struct gs_gpu *gpu)
{
	struct gs_setting *setting = gs_gpu_add_setting(s, gpu);
	char value[GS_SETTING_VALUE_MAX];
	int code;

	if (!setting)
		return -ENOMEM;
	setting->key = GS_SETTING_SCHEDULER;
	if (gs_vgpu_scheduler_choices(nvml, device, s, setting, &code) < 0)
		return -ENOMEM;
	if (code != NVML_SUCCESS || !setting->n_choices) {
		static const char *const unknown[] = { "best-effort", "equal-share", "fixed-share" };

		setting->choices = unknown;
		setting->n_choices = GS_ARRAY_SIZE(unknown);
		setting->fixed = missing(s, code == NVML_SUCCESS ? NVML_ERROR_NOT_SUPPORTED : code, GS_NVML_SYMBOL(scheduler_capabilities));
		return 0;
	}
	code = gs_vgpu_scheduler_read(nvml, device, NULL, value);
	if (code == NVML_SUCCESS)
		setting->value = gs_snapshot_text(s, value);
	else if (!gs_mode_has_mig(gpu->mode) || code == NVML_ERROR_FUNCTION_NOT_FOUND)
		setting->fixed = missing(s, code, GS_NVML_SYMBOL(scheduler_v2));
	return 0;
}

/* A GI's choices are the GPU's; which of them the driver has calls for is told by the calls. */
static int add_gi_setting(struct gs_snapshot *s, struct gs_gpu *gpu, const struct gs_setting *from)
{
	struct gs_setting *setting = gs_gpu_add_gi_setting(s, gpu);

	if (!setting)
		return -ENOMEM;
	*setting = *from;
	setting->value = NULL;
	return 0;
}

/* Several vGPUs share a GI only from Blackwell on: before, a GI has one, and nothing to share out (interfaces 2.6). */
static int add_gi_settings(struct gs_nvml *nvml, nvml_device device, struct gs_snapshot *s, struct gs_gpu *gpu)
{
	const bool *shares = has_capability(nvml, device, NVML_VGPU_CAP_MIG_TIMESLICING);
	const struct gs_setting *heterogeneous = gs_gpu_setting(gpu, GS_SETTING_HETEROGENEOUS), *scheduler = gs_gpu_setting(gpu, GS_SETTING_SCHEDULER);

	if (!(gpu->modes & 1u << GS_MODE_MIG_VGPU) || (shares && !*shares))
		return 0;
	if (nvml->call.set_gi_heterogeneous && heterogeneous && !heterogeneous->fixed && add_gi_setting(s, gpu, heterogeneous) < 0)
		return -ENOMEM;
	if ((nvml->call.set_gi_scheduler || nvml->call.set_gi_scheduler_v2) && scheduler && !scheduler->fixed && add_gi_setting(s, gpu, scheduler) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < gpu->n_instances && gpu->n_gi_settings; i++) {
		struct gs_instance *inst = gpu->instances[i];
		char value[GS_SETTING_VALUE_MAX];
		const char *mode;
		nvml_gi gi;
		int code;

		if (inst->kind != GS_KIND_MIG || GS_NVML_CALL(nvml, gi_by_id, device, inst->id, &gi) != NVML_SUCCESS)
			continue;
		mode = read_heterogeneous(nvml, device, gi, &code);
		if (mode && gs_params_add(s, inst, GS_SETTING_HETEROGENEOUS, mode) < 0)
			return -ENOMEM;
		if (gs_vgpu_scheduler_read(nvml, device, gi, value) == NVML_SUCCESS && gs_params_add(s, inst, GS_SETTING_SCHEDULER, value) < 0)
			return -ENOMEM;
	}
	return 0;
}

static bool is_vgpu_host(struct gs_nvml *nvml, nvml_device device)
{
	int mode;

	return GS_NVML_CALL(nvml, host_vgpu_mode, device, &mode) == NVML_SUCCESS;
}

int gs_vgpu_nvml_settings(struct gs_nvml *nvml, nvml_device device, struct gs_snapshot *s, struct gs_gpu *gpu, struct gs_vgpu_placements **placements)
{
	int r;

	if (gpu->lost || !gpu->grids[GS_KIND_VGPU].n || !is_vgpu_host(nvml, device))
		return 0;
	r = add_heterogeneous(nvml, device, s, gpu);
	if (r == 0)
		r = add_scheduler(nvml, device, s, gpu);
	if (r == 0)
		r = add_gi_settings(nvml, device, s, gpu);
	return r == 0 ? read_placements(nvml, device, s, gpu, placements) : r;
}

/* ---------------------------------------------------------------- guests */

static bool has_vm(const struct gs_instance *inst, const char *vm_uuid)
{
	for (size_t i = 0; i < inst->n_holders; i++)
		if (inst->holders[i]->vm_uuid && gs_str_equal_nocase(inst->holders[i]->vm_uuid, vm_uuid))
			return true;
	return false;
}

/* What NVML calls one running vGPU. */
struct guest {
	char vm_uuid[NVML_VM_ID_TEXT], mdev_uuid[NVML_VGPU_TEXT];
	struct gs_u32 type, gi, placement_id;
};

static void read_guest(struct gs_nvml *nvml, uint32_t vgpu, struct guest *g)
{
	struct nvml_placement_id placement = { .version = NVML_VERSION_WORD(struct nvml_placement_id, 1) };
	unsigned int value = 0;
	int kind = 0;

	memset(g, 0, sizeof(*g));
	if (GS_NVML_CALL(nvml, vgpu_vm_id, vgpu, g->vm_uuid, sizeof(g->vm_uuid), &kind) != NVML_SUCCESS || kind != NVML_VM_ID_IS_UUID)
		g->vm_uuid[0] = '\0';
	if (GS_NVML_CALL(nvml, vgpu_mdev_uuid, vgpu, g->mdev_uuid, sizeof(g->mdev_uuid)) != NVML_SUCCESS)
		g->mdev_uuid[0] = '\0';
	g->vm_uuid[sizeof(g->vm_uuid) - 1] = g->mdev_uuid[sizeof(g->mdev_uuid) - 1] = '\0';
	if (GS_NVML_CALL(nvml, vgpu_type, vgpu, &value) == NVML_SUCCESS)
		g->type = GS_U32(value);
	if (GS_NVML_CALL(nvml, vgpu_gi_id, vgpu, &value) == NVML_SUCCESS && value != NVML_NO_INSTANCE)
		g->gi = GS_U32(value);
	if (GS_NVML_CALL(nvml, vgpu_placement_id, vgpu, &placement) == NVML_SUCCESS && placement.id < NVML_NO_PLACEMENT)
		g->placement_id = GS_U32(placement.id);
}

static bool contradicts(struct gs_u32 a, struct gs_u32 b)
{
	return a.known && b.known && a.value != b.value;
}

/* The one that it can be, or NULL. */
static struct gs_instance *instance_of(const struct gs_gpu *gpu, const struct guest *g)
{
	struct gs_instance *found = NULL;

	for (size_t i = 0; i < gpu->n_instances; i++) {
		struct gs_instance *inst = gpu->instances[i];

		if (inst->kind != GS_KIND_VGPU)
			continue;
		if (g->mdev_uuid[0] && inst->uuid && gs_str_equal_nocase(inst->uuid, g->mdev_uuid))
			return inst;
		if (contradicts(inst->profile_id, g->type) || contradicts(inst->gi, g->gi) || contradicts(inst->placement_id, g->placement_id) ||
		    !g->vm_uuid[0] || !has_vm(inst, g->vm_uuid))
			continue;
		if (found)
			return NULL;
		found = inst;
	}
	return found;
}

static const char *licence_word(unsigned int state)
{
	static const char *const words[] = {
		[NVML_LICENCE_UNINITIALIZED] = "uninitialized",
		[NVML_LICENCE_UNLICENSED_UNRESTRICTED] = "unlicensed-unrestricted",
		[NVML_LICENCE_UNLICENSED_RESTRICTED] = "unlicensed-restricted",
		[NVML_LICENCE_UNLICENSED] = "unlicensed",
		[NVML_LICENCE_LICENSED] = "licensed",
	};

	return state < GS_ARRAY_SIZE(words) ? words[state] : NULL;
}

static int read_instance(struct gs_nvml *nvml, uint32_t vgpu, const struct guest *g, struct gs_snapshot *s, struct gs_instance *inst)
{
	struct nvml_licence licence = { 0 };
	char text[NVML_VGPU_TEXT] = "";

	inst->vm_uuid = g->vm_uuid[0] ? gs_snapshot_text(s, g->vm_uuid) : NULL;
	/* it says «Not Available» until the guest has loaded one (interfaces 5.7) */
	if (GS_NVML_CALL(nvml, vgpu_guest_driver, vgpu, text, sizeof(text)) == NVML_SUCCESS && strcasecmp(text, "not available") != 0) {
		text[sizeof(text) - 1] = '\0';
		inst->guest_driver = text[0] ? gs_snapshot_text(s, text) : NULL;
	}
	if (GS_NVML_CALL(nvml, vgpu_licence, vgpu, &licence) != NVML_SUCCESS)
		return 0;
	inst->licence = licence_word(licence.state);
	if (licence.expiry.status == NVML_LICENCE_EXPIRY_VALID) {
		inst->licence_expires = gs_arena_printf(gs_snapshot_arena(s), "%04u-%02u-%02uT%02u:%02u:%02uZ", licence.expiry.year, licence.expiry.month, licence.expiry.day,
							licence.expiry.hour, licence.expiry.min, licence.expiry.sec);
		return inst->licence_expires ? 0 : -ENOMEM;
	}
	return 0;
}

static void read_readings(struct gs_nvml *nvml, nvml_device device, uint32_t vgpu, const struct gs_gpu *gpu, struct gs_instance *inst)
{
	const struct gs_profile *type = gs_profile_by_name(&gpu->grids[GS_KIND_VGPU], inst->profile);

	if (type)
		inst->telemetry.memory_total_bytes = type->memory_bytes;
	gs_readings_vgpu(nvml, device, vgpu, &inst->telemetry);
}

/* What runs and has no reading has its reason. */
static void note_unread(struct gs_snapshot *s, struct gs_gpu *gpu, int code)
{
	const char *why = code == NVML_SUCCESS ? "which of the driver's vGPUs this is cannot be told" : missing(s, code, GS_NVML_SYMBOL(active_vgpus));

	for (size_t i = 0; i < gpu->n_instances; i++) {
		struct gs_instance *inst = gpu->instances[i];

		if (inst->kind == GS_KIND_VGPU && gs_instance_is_held(inst) && !inst->telemetry.utilization_percent.known && !inst->telemetry.utilization_reason)
			inst->telemetry.utilization_reason = why;
	}
}

int gs_vgpu_nvml_guests(struct gs_nvml *nvml, nvml_device device, struct gs_snapshot *s, struct gs_gpu *gpu, bool telemetry)
{
	uint32_t vgpus[VGPUS_MAX];
	unsigned int n = VGPUS_MAX;
	int code;

	if (gpu->lost || !gpu->n_instances || !gpu->grids[GS_KIND_VGPU].n)
		return 0;
	code = GS_NVML_CALL(nvml, active_vgpus, device, &n, vgpus);
	for (unsigned int i = 0; code == NVML_SUCCESS && i < n && i < VGPUS_MAX; i++) {
		struct gs_instance *inst;
		struct guest g;

		read_guest(nvml, vgpus[i], &g);
		inst = instance_of(gpu, &g);
		if (!inst)
			continue;
		if (read_instance(nvml, vgpus[i], &g, s, inst) < 0)
			return -ENOMEM;
		if (telemetry)
			read_readings(nvml, device, vgpus[i], gpu, inst);
	}
	if (telemetry)
		note_unread(s, gpu, code);
	return 0;
}

/* ---------------------------------------------------------------- setting */

static const char *why_not(int code)
{
	switch (code) {
	case NVML_ERROR_NOT_SUPPORTED:
		/* said of a GPU with vGPUs, too, where one would expect «in use» (interfaces 5.7) */
		return "There is a vGPU, or the GPU does not have this: it can be set only while there is none";
	case NVML_ERROR_IN_USE:
		return "A vGPU or an mdev is there: it can be set only while there is none";
	case NVML_ERROR_RESET_REQUIRED:
		return "The driver cannot go on without a reboot of this host";
	default:
		return "It is as before";
	}
}

static int set_heterogeneous(struct gs_nvml *nvml, nvml_device device, nvml_gi gi, const char *value, const char **ret_symbol)
{
	struct nvml_heterogeneous mode = { .version = NVML_VERSION_WORD(struct nvml_heterogeneous, 1), .mode = strcmp(value, "on") == 0 };

	*ret_symbol = gi ? GS_NVML_SYMBOL(set_gi_heterogeneous) : GS_NVML_SYMBOL(set_heterogeneous);
	return gi ? GS_NVML_CALL(nvml, set_gi_heterogeneous, gi, &mode) : GS_NVML_CALL(nvml, set_heterogeneous, device, &mode);
}

/* Of the scheduler the older call is the one that was asked last, and whose code it is. */
static const char *read_symbol(bool is_scheduler, nvml_gi gi)
{
	if (is_scheduler)
		return gi ? GS_NVML_SYMBOL(gi_scheduler) : GS_NVML_SYMBOL(scheduler);
	return gi ? GS_NVML_SYMBOL(gi_heterogeneous) : GS_NVML_SYMBOL(heterogeneous);
}

int gs_vgpu_nvml_set(struct gs_nvml *nvml, nvml_device device, nvml_gi gi, const char *where, const char *key, const char *value, struct gs_error *e)
{
	bool is_scheduler = key && strcmp(key, GS_SETTING_SCHEDULER) == 0;
	char now[GS_SETTING_VALUE_MAX] = "";
	const char *symbol = NULL, *mode;
	int code;

	if (!key || !value || !gs_setting_is_for_vgpus(key))
		return gs_error_set(e, -EOPNOTSUPP, GS_STATUS_FAILED, "%s: %s is nothing that NVML sets. Nothing was done", where, key ? key : "(nothing)");
	code = is_scheduler ? gs_vgpu_scheduler_write(nvml, device, gi, value, &symbol) : set_heterogeneous(nvml, device, gi, value, &symbol);
	if (code != NVML_SUCCESS)
		return gs_error_set(e, gs_nvml_errno(code), GS_STATUS_FAILED, "%s: %s was not set to %s: %s says %d%s%s. %s", where, key, value, symbol, code,
				    gs_nvml_reason(code) ? ": " : "", gs_nvml_reason(code) ? gs_nvml_reason(code) : "", why_not(code));
	if (is_scheduler) {
		code = gs_vgpu_scheduler_read(nvml, device, gi, now);
	} else {
		mode = read_heterogeneous(nvml, device, gi, &code);
		snprintf(now, sizeof(now), "%s", mode ? mode : "");
	}
	if (code == NVML_SUCCESS && gs_setting_is(now, value, true))
		return 0;
	if (code != NVML_SUCCESS)
		return gs_error_set(e, -EIO, GS_STATUS_FAILED, "%s: the driver says that it set %s to %s, but that cannot be read back: %s says %d%s%s", where, key, value,
				    read_symbol(is_scheduler, gi), code, gs_nvml_reason(code) ? ": " : "", gs_nvml_reason(code) ? gs_nvml_reason(code) : "");
	return gs_error_set(e, -EIO, GS_STATUS_FAILED, "%s: the driver says that it set %s to %s, but it reads %s", where, key, value, now);
}
