/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/reboot.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"

#define NAMED_MAX 8

const char *gs_reboot_fate_name(enum gs_reboot_fate fate)
{
	static const char *const names[GS_REBOOT_MAX] = { [GS_REBOOT_LOST] = "lost", [GS_REBOOT_KEPT] = "kept", [GS_REBOOT_UNKNOWN] = "unknown" };

	return fate < GS_REBOOT_MAX ? names[fate] : NULL;
}

#define MEMBER(id) (1u << GS_REBOOT_MEMBER_##id)

const char *gs_reboot_member_name(enum gs_reboot_member m)
{
#define GS_X_MEMBER(id, name) [GS_REBOOT_MEMBER_##id] = name,
	static const char *const names[] = { GS_REBOOT_UNKNOWNS(GS_X_MEMBER) };
#undef GS_X_MEMBER

	return m < GS_REBOOT_MEMBER_MAX ? names[m] : NULL;
}

/* ---------------------------------------------------------------- the rules */

/* What becomes of a GPU as a whole; the rest follows. */
struct outcome {
	bool changes_driver;            /* another has it now than will have it */
	bool driver_is_unclear;         /* by what it has its driver now cannot be seen, or none is bound */
	bool mig_is_unclear;            /* MIG may be on: nobody who can be asked knows */
	bool has_mig;
	enum gs_mode mode;              /* INVALID: not known */
	uint32_t members;
};

static bool is_gim(const struct gs_gpu *gpu)
{
	return gs_str_equal(gpu->driver, "gim");
}

/* A pending change is the later word. */
static bool asks_for_mig(const struct gs_gpu *gpu)
{
	return gs_mode_has_mig(gpu->mode_pending != GS_MODE_INVALID ? gpu->mode_pending : gpu->mode);
}

/* With no VFs and MIG as given: vGPUs of a GPU without SR-IOV are a matter of its driver, which stays. */
static enum gs_mode mode_of(const struct gs_gpu *gpu, bool has_mig)
{
	if (has_mig)
		return GS_MODE_MIG;
	return gpu->modes & 1u << GS_MODE_VGPU && !gpu->vfs.total.known ? GS_MODE_VGPU : GS_MODE_WHOLE;
}

/* Another driver will have it: whatever only a driver tells is not known now. */
static void foretell_homecoming(const struct gs_gpu *gpu, struct outcome *o)
{
	bool is_nvidia = gpu->vendor == GS_VENDOR_NVIDIA;

	o->members |= MEMBER(SETTINGS) | (is_nvidia ? MEMBER(UUID) : 0);
	/* a board keeps MIG mode for whoever drives it next, also when a guest set it; what it can be was asked of its driver before */
	o->mig_is_unclear = is_nvidia && (!gpu->original_driver || gpu->modes & 1u << GS_MODE_MIG);
	if (!o->mig_is_unclear)
		o->mode = mode_of(gpu, false);
}

static void foretell_driver(const struct gs_gpu *gpu, struct outcome *o)
{
	o->changes_driver = gpu->stranded || (gpu->driver_override && (gpu->mode == GS_MODE_PASSTHROUGH || !gpu->driver));
	if (o->changes_driver)
		foretell_homecoming(gpu, o);
	else
		o->driver_is_unclear = true;
}

static void foretell_mode(const struct gs_gpu *gpu, struct outcome *o)
{
	bool wants_mig = asks_for_mig(gpu);

	if (wants_mig && !gpu->mode_survival_is_known) {
		o->mig_is_unclear = true;
		return;
	}
	o->has_mig = wants_mig && gpu->mode_survives_reboot;
	o->mode = mode_of(gpu, o->has_mig);
}

static struct outcome outcome_of(const struct gs_gpu *gpu)
{
	struct outcome o = { .mode = GS_MODE_INVALID };

	if (gpu->lost)
		o.members = MEMBER(MODE) | MEMBER(SETTINGS) | MEMBER(INSTANCES);
	else if (gpu->mode == GS_MODE_PASSTHROUGH || gpu->stranded || !gpu->driver)
		foretell_driver(gpu, &o);
	else if (gpu->mode != GS_MODE_INVALID && !is_gim(gpu))
		foretell_mode(gpu, &o);
	if (o.driver_is_unclear)
		o.members |= MEMBER(UUID) | MEMBER(SETTINGS);
	/* gim makes VFs when it is loaded, by its parameters (interfaces 6.5) */
	if (is_gim(gpu))
		o.members |= MEMBER(VFS) | MEMBER(INSTANCES);
	/* what vGPUs are set to is read in no other mode than that */
	if (o.mode == GS_MODE_INVALID)
		o.members |= MEMBER(MODE) | (gpu->vendor == GS_VENDOR_NVIDIA ? MEMBER(SETTINGS) : 0);
	return o;
}

/* What a driver comes up with; NULL: no source says it for this GPU. */
static const char *default_of(const struct gs_setting *setting)
{
	static const struct {
		const char *key, *value;
	} defaults[] = {
		{ GS_SETTING_HETEROGENEOUS, "off" },            /* interfaces 2.5 */
		{ GS_SETTING_SCHEDULER, "best-effort" },        /* interfaces 5.7 */
		{ GS_SETTING_COMPUTE_PARTITION, "SPX" },        /* interfaces 6.2: normally */
		{ GS_SETTING_MEMORY_PARTITION, "NPS1" },
		{ "exec-quantum-ms", "0" },                     /* interfaces 7.1: not set */
		{ "preempt-timeout-us", "0" },
		{ "sched-priority", "low" },
	};
	char why[256];

	for (size_t i = 0; i < GS_ARRAY_SIZE(defaults); i++)
		if (gs_str_equal(setting->key, defaults[i].key))
			return gs_setting_refuses(setting, defaults[i].value, why, sizeof(why)) ? NULL : defaults[i].value;
	return NULL;
}

/* Of a GPU that keeps its driver. NULL: it will not be told, or is not known; the latter sets *@ret_members. */
static const char *value_after(const struct gs_gpu *gpu, const struct gs_setting *setting, const struct outcome *o, uint32_t *ret_members)
{
	const char *value;

	if (setting->fixed)
		return setting->value;
	if (gs_setting_is_for_vgpus(setting->key)) {
		/* in MIG mode they are each GI's */
		if (o->has_mig || o->mode == GS_MODE_INVALID)
			return NULL;
		if (!setting->value && !gs_mode_has_mig(gpu->mode))
			return NULL;
	}
	value = default_of(setting);
	if (!value)
		*ret_members |= MEMBER(SETTINGS);
	return value;
}

/* ---------------------------------------------------------------- the machine after it */

static int add_settings(struct gs_snapshot *after, struct gs_gpu *to, const struct gs_gpu *from, const struct outcome *o)
{
	uint32_t members = 0;

	to->settings = NULL;
	to->n_settings = to->cap_settings = 0;
	for (size_t i = 0; !o->changes_driver && i < from->n_settings; i++) {
		struct gs_setting *setting = gs_gpu_add_setting(after, to);

		if (!setting)
			return -ENOMEM;
		*setting = *from->settings[i];
		setting->pending = NULL;
		setting->value = value_after(from, from->settings[i], o, &members);
	}
	return 0;
}

static int add_siblings(struct gs_snapshot *after, struct gs_gpu *to, const struct gs_gpu *from, const struct outcome *o)
{
	to->siblings = NULL;
	to->n_siblings = to->cap_siblings = 0;
	for (size_t i = 0; i < from->n_siblings; i++) {
		struct gs_sibling *sibling = gs_gpu_add_sibling(after, to);

		if (!sibling)
			return -ENOMEM;
		*sibling = *from->siblings[i];
		if (o->changes_driver && !sibling->is_bridge)
			sibling->driver = sibling->original_driver;
	}
	return 0;
}

static int add_gpu(struct gs_snapshot *after, const struct gs_gpu *from)
{
	struct gs_gpu *to = gs_snapshot_add_gpu(after, from->bdf);
	struct outcome o = outcome_of(from);

	if (!to)
		return -ENOMEM;
	*to = *from;
	to->mode = o.mode;
	to->mode_pending = GS_MODE_INVALID;
	to->driver_override = NULL;
	to->remaining = NULL;
	to->n_remaining = 0;
	to->instances = NULL;
	to->n_instances = to->cap_instances = 0;
	to->holders = NULL;
	to->n_holders = to->cap_holders = 0;
	to->writes = NULL;
	to->n_writes = to->cap_writes = 0;
	to->vfs.functions = NULL;
	to->vfs.n_functions = to->vfs.cap_functions = 0;
	if (to->vfs.total.known)
		to->vfs.enabled = is_gim(from) ? GS_U32_UNKNOWN : GS_U32(0);
	to->telemetry = (struct gs_telemetry){ 0 };
	/* NVML counts those that its driver has, and there may be more of them then */
	to->nvidia_index = GS_U32_UNKNOWN;
	if (o.changes_driver) {
		to->driver = from->original_driver;
		to->original_driver = to->stranded = NULL;
		to->framework = GS_FRAMEWORK_INVALID;
	}
	return add_settings(after, to, from, &o) < 0 || add_siblings(after, to, from, &o) < 0 ? -ENOMEM : 0;
}

int gs_reboot_snapshot(const struct gs_snapshot *s, struct gs_snapshot **ret_after, struct gs_error *e)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *after = gs_snapshot_new();
	int r;

	if (!after)
		return gs_error_oom(e);
	gs_snapshot_set_host(after, gs_snapshot_host(s), gs_snapshot_source(s));
	gs_snapshot_set_driver_version(after, gs_snapshot_driver_version(s));
	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++)
		if (add_gpu(after, gs_snapshot_gpu(s, i)) < 0)
			return gs_error_oom(e);
	r = gs_snapshot_seal(after, e);
	if (r < 0)
		return r;
	*ret_after = GS_TAKE(after);
	return 0;
}

int gs_reboot_layout(const struct gs_snapshot *s, struct gs_layout **ret_layout, struct gs_error *e)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *after = NULL;
	int r = gs_reboot_snapshot(s, &after, e);

	return r < 0 ? r : gs_layout_from_snapshot(after, ret_layout, e);
}

/* ---------------------------------------------------------------- what is said about it */

struct items {
	struct gs_arena *arena;
	struct gs_reboot_item *items;
	size_t n, cap;
};

/* Lack of memory is latched in the arena. @what is in it, or constant. */
static void add(struct items *list, enum gs_reboot_fate fate, uint32_t members, const char *what, const char *why)
{
	struct gs_reboot_item *grown = gs_arena_grow(list->arena, list->items, list->n, &list->cap, sizeof(*list->items));

	if (!grown || !what || !why)
		return;
	list->items = grown;
	list->items[list->n++] = (struct gs_reboot_item){ fate, what, why, members };
}

static void name_instance(struct gs_strbuf *b, const struct gs_instance *inst)
{
	const char *profile = inst->profile ? inst->profile : "of unknown profile";

	if (inst->vf.known)
		gs_strbuf_printf(b, "%s on VF %" PRIu32, profile, inst->vf.value);
	else if (inst->kind == GS_KIND_VGPU && inst->uuid)
		gs_strbuf_printf(b, "%s %.8s", profile, inst->uuid);
	else if (inst->start.known)
		gs_strbuf_printf(b, "%s@%" PRIu32, profile, inst->start.value);
	else
		gs_strbuf_puts(b, profile);
}

/* "2 vGPUs (A2-4C on VF 0, A2-4A on VF 2)"; NULL when there is none of that kind. */
static const char *name_instances(const struct gs_gpu *gpu, enum gs_instance_kind kind, const char *noun, struct gs_arena *arena)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	size_t n = 0, named = 0;

	for (size_t i = 0; i < gpu->n_instances; i++)
		n += gpu->instances[i]->kind == kind;
	if (!n)
		return NULL;
	gs_strbuf_printf(&b, "%zu %s%s (", n, noun, n == 1 ? "" : "s");
	for (size_t i = 0; i < gpu->n_instances && named < NAMED_MAX; i++) {
		if (gpu->instances[i]->kind != kind)
			continue;
		gs_strbuf_puts(&b, named++ ? ", " : "");
		name_instance(&b, gpu->instances[i]);
	}
	if (n > named)
		gs_strbuf_printf(&b, " and %zu more", n - named);
	gs_strbuf_puts(&b, ")");
	return b.failed ? gs_arena_alloc(arena, SIZE_MAX) : gs_arena_strdup(arena, b.text);
}

static void tell_instances(struct items *list, const struct gs_gpu *gpu)
{
	const char *gis = name_instances(gpu, GS_KIND_MIG, "GPU instance", list->arena), *vgpus = name_instances(gpu, GS_KIND_VGPU, "vGPU", list->arena);

	if (gis)
		add(list, GS_REBOOT_LOST, 0, gis, "no board and no driver keeps instances, whatever its generation");
	if (vgpus && gpu->framework == GS_FRAMEWORK_MDEV)
		add(list, GS_REBOOT_LOST, 0, vgpus, "mediated devices are the kernel's; mdevctl makes again those that it has defined with autostart");
	else if (vgpus)
		add(list, GS_REBOOT_LOST, 0, vgpus, "a vGPU is a type that was written to a VF, and the driver forgets it");
}

static void tell_vfs(struct items *list, const struct gs_gpu *gpu, const struct outcome *o)
{
	bool has_params = false;

	if (is_gim(gpu)) {
		add(list, GS_REBOOT_UNKNOWN, o->members, "its VFs", "gim makes them when it is loaded, as many as its parameter vf_num says");
		return;
	}
	for (size_t i = 0; i < gpu->n_instances; i++)
		has_params |= gpu->instances[i]->kind == GS_KIND_SRIOV && gpu->instances[i]->n_params;
	if (gpu->vfs.enabled.known && gpu->vfs.enabled.value)
		add(list, GS_REBOOT_LOST, 0,
		    gs_arena_printf(list->arena, "%" PRIu32 " VF%s%s", gpu->vfs.enabled.value, gpu->vfs.enabled.value == 1 ? "" : "s", has_params ? " with what they were given" : ""),
		    "VFs are there when somebody enables them, after each boot");
}

static void tell_mode(struct items *list, const struct gs_gpu *gpu, const struct outcome *o)
{
	bool is_pending = gpu->mode_pending != GS_MODE_INVALID && gs_mode_has_mig(gpu->mode_pending) != gs_mode_has_mig(gpu->mode);

	if (o->changes_driver || o->driver_is_unclear || (!asks_for_mig(gpu) && !is_pending))
		return;
	if (!gpu->mode_survival_is_known)
		add(list, GS_REBOOT_UNKNOWN, o->members, "MIG mode",
		    "Ampere keeps it on the board, Hopper and later begin without; which of them this is, neither driver nor catalogue tell");
	else if (is_pending && gpu->mode_survives_reboot)
		add(list, GS_REBOOT_KEPT, 0, gs_mode_has_mig(gpu->mode_pending) ? "MIG mode on, which is pending" : "MIG mode off, which is pending",
		    "Ampere keeps on the board what was asked for, and a reboot makes it active");
	else if (gpu->mode_survives_reboot)
		add(list, GS_REBOOT_KEPT, 0, "MIG mode", "Ampere keeps it on the board");
	else
		add(list, GS_REBOOT_LOST, 0, is_pending ? "the pending change of MIG mode" : "MIG mode", "from Hopper on no board keeps it, and the driver begins without");
}

static void tell_settings(struct items *list, const struct gs_gpu *gpu, const struct outcome *o)
{
	for (size_t i = 0; !o->changes_driver && !o->driver_is_unclear && i < gpu->n_settings; i++) {
		const struct gs_setting *setting = gpu->settings[i];
		uint32_t members = 0;
		const char *after = value_after(gpu, setting, o, &members), *why;

		if (members)
			add(list, GS_REBOOT_UNKNOWN, members, setting->key, "what its driver comes up with is not known for this GPU");
		if (setting->fixed || !after)
			continue;
		why = gs_arena_printf(list->arena, "its driver comes up with %s%s", after, gs_setting_is_for_vgpus(setting->key) ? "" : " as a rule");
		if (setting->value && !gs_str_equal(setting->value, after))
			add(list, GS_REBOOT_LOST, 0, gs_arena_printf(list->arena, "%s %s", setting->key, setting->value), why);
		if (setting->pending && !gs_str_equal(setting->pending, after))
			add(list, GS_REBOOT_LOST, 0, gs_arena_printf(list->arena, "%s %s, which is pending", setting->key, setting->pending), why);
	}
}

static void tell_driver(struct items *list, const struct gs_gpu *gpu, const struct outcome *o)
{
	const char *home = gpu->original_driver;

	if (gpu->stranded)
		add(list, GS_REBOOT_LOST, 0, gs_arena_printf(list->arena, "the driver %s", gpu->driver ? gpu->driver : "override"), "nobody gives the GPU to it at boot");
	else if (gpu->driver_override)
		add(list, GS_REBOOT_LOST, 0, gs_arena_printf(list->arena, "driver_override %s", gpu->driver_override),
		    o->changes_driver ? gs_arena_printf(list->arena,
							"so %s%s takes the GPU again, unless ids= of vfio-pci on the kernel command line or in modprobe.d, or a tool such as driverctl, give it away at boot; "
							"those are not looked at",
							home ? home : "the driver of its ids", home ? "" : ", whichever that is,") :
					"the kernel forgets it; the driver that has the GPU is its own");
	if (o->changes_driver)
		add(list, GS_REBOOT_UNKNOWN, o->members,
		    !o->mig_is_unclear	       ? "its settings" :
		    gpu->original_driver       ? "its UUID, settings and MIG mode" :
						 "its UUID, settings and mode",
		    "only its own driver tells them, and another has the GPU now");
	else if (o->driver_is_unclear && !gpu->driver)
		add(list, GS_REBOOT_UNKNOWN, o->members, "its driver", "none has it now, and at boot the kernel offers it to the one of its ids again");
	else if (o->driver_is_unclear)
		add(list, GS_REBOOT_UNKNOWN, o->members, gs_arena_printf(list->arena, "the driver %s", gpu->driver),
		    "it has the GPU without a driver_override: by ids= it has it after a boot too, by new_id or bind it does not; that is not looked at");
}

static void tell_rest(struct items *list, const struct gs_gpu *gpu, const struct outcome *o)
{
	if (gpu->n_writes)
		add(list, GS_REBOOT_LOST, 0, gs_arena_printf(list->arena, "%zu write%s that wait%s in the kernel", gpu->n_writes, gpu->n_writes == 1 ? "" : "s", gpu->n_writes == 1 ? "s" : ""),
		    "the kernel goes, and they are not carried out");
	if (gpu->lost)
		add(list, GS_REBOOT_UNKNOWN, o->members, "all of it", gpu->lost);
	else if (gpu->mode == GS_MODE_INVALID && gpu->driver && !gpu->stranded && !is_gim(gpu))
		add(list, GS_REBOOT_UNKNOWN, o->members, "its mode", "it cannot be read now");
}

static void sort_by_fate(struct items *list)
{
	/* few, and equal ones keep their order */
	for (size_t i = 1; i < list->n; i++)
		for (size_t k = i; k && list->items[k - 1].fate > list->items[k].fate; k--) {
			struct gs_reboot_item item = list->items[k];

			list->items[k] = list->items[k - 1];
			list->items[k - 1] = item;
		}
}

int gs_reboot_items(const struct gs_gpu *gpu, struct gs_arena *arena, struct gs_reboot_item **ret_items, size_t *ret_n)
{
	struct items list = { .arena = arena };
	struct outcome o = outcome_of(gpu);

	if (!gpu->lost) {
		tell_mode(&list, gpu, &o);
		tell_instances(&list, gpu);
		tell_vfs(&list, gpu, &o);
		tell_settings(&list, gpu, &o);
		tell_driver(&list, gpu, &o);
	}
	tell_rest(&list, gpu, &o);
	sort_by_fate(&list);
	if (gs_arena_has_failed(arena))
		return -ENOMEM;
	*ret_items = list.items;
	*ret_n = list.n;
	return 0;
}

bool gs_reboot_would_lose(const struct gs_gpu *gpu)
{
	GS_CLEANUP(gs_arena_freep) struct gs_arena *arena = gs_arena_new();
	struct gs_reboot_item *items = NULL;
	size_t n = 0;

	if (!arena || gs_reboot_items(gpu, arena, &items, &n) < 0)
		return true;
	for (size_t i = 0; i < n; i++)
		if (items[i].fate == GS_REBOOT_LOST)
			return true;
	return false;
}
