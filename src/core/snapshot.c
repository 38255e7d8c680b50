/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/snapshot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"

#define NOTICES_MAX 32
#define SOURCES_MAX 16

struct gs_snapshot {
	unsigned references;
	struct gs_arena *arena;
	bool sealed;
	const char *host;
	enum gs_host_source source;
	const char *driver_version;
	bool has_telemetry;
	bool has_published;
	struct gs_wall published_at;
	const char *notices[NOTICES_MAX];
	size_t n_notices;
	struct gs_source sources[SOURCES_MAX];
	size_t n_sources;
	struct gs_saved_fact saved;
	struct gs_restorer restorers[GS_RESTORERS_MAX];
	size_t n_restorers;
	struct gs_gpu **gpus;
	size_t n_gpus, cap_gpus;
};

/* ---------------------------------------------------------------- building */

struct gs_snapshot *gs_snapshot_new(void)
{
	struct gs_snapshot *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->references = 1;
	s->source = GS_SOURCE_LIVE;
	s->arena = gs_arena_new();
	if (!s->arena) {
		free(s);
		return NULL;
	}
	return s;
}

struct gs_arena *gs_snapshot_arena(struct gs_snapshot *s)
{
	return s->arena;
}

const char *gs_snapshot_text(struct gs_snapshot *s, const char *text)
{
	char *copy = gs_arena_strdup(s->arena, text);

	if (copy)
		gs_text_sanitize(copy);
	return copy;
}

void gs_snapshot_set_host(struct gs_snapshot *s, const char *name, enum gs_host_source source)
{
	s->host = gs_snapshot_text(s, name);
	s->source = source;
}

void gs_snapshot_set_driver_version(struct gs_snapshot *s, const char *version)
{
	s->driver_version = gs_snapshot_text(s, version);
}

void gs_snapshot_set_telemetry(struct gs_snapshot *s, bool present)
{
	s->has_telemetry = present;
}

const char *gs_saved_state_name(enum gs_saved_state state)
{
	static const char *const names[GS_SAVED_MAX] = { [GS_SAVED_NONE] = "none", [GS_SAVED_SAME] = "same", [GS_SAVED_DIFFERS] = "differs" };

	return (int)state >= 0 && state < GS_SAVED_MAX ? names[state] : NULL;
}

enum gs_saved_state gs_saved_state_from_name(const char *s)
{
	for (int i = GS_SAVED_NONE; i < GS_SAVED_MAX; i++)
		if (gs_str_equal(gs_saved_state_name((enum gs_saved_state)i), s))
			return (enum gs_saved_state)i;
	return GS_SAVED_MAX;
}

const char *gs_saved_obstacle(const struct gs_saved_fact *fact)
{
	if (fact->unit_is_missing)
		return "nothing puts it back at boot: " GS_RESTORE_UNIT " is not installed (make install, or the package, then systemctl enable " GS_RESTORE_UNIT ")";
	return fact->unit_enabled ? NULL : "nothing puts it back at boot until systemctl enable " GS_RESTORE_UNIT;
}

void gs_snapshot_set_saved(struct gs_snapshot *s, const struct gs_saved_fact *fact)
{
	s->saved = *fact;
	s->saved.path = gs_snapshot_text(s, fact->path);
}

void gs_snapshot_set_gpu_saved(struct gs_snapshot *s, size_t index, enum gs_saved_state state, const struct gs_digest *layout)
{
	s->gpus[index]->saved = state;
	s->gpus[index]->saved_layout = *layout;
}

void gs_snapshot_set_published(struct gs_snapshot *s, struct gs_wall taken_at)
{
	s->has_published = true;
	s->published_at = taken_at;
}

void gs_snapshot_add_notice(struct gs_snapshot *s, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (s->n_notices == NOTICES_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < s->n_notices; i++)
		if (gs_str_equal(s->notices[i], text))
			return;
	s->notices[s->n_notices] = gs_snapshot_text(s, text);
	if (s->notices[s->n_notices])
		s->n_notices++;
}

void gs_snapshot_add_source(struct gs_snapshot *s, const char *name, bool is_present, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (s->n_sources == SOURCES_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	s->sources[s->n_sources] = (struct gs_source){ gs_snapshot_text(s, name), is_present, gs_snapshot_text(s, text) };
	if (s->sources[s->n_sources].name && s->sources[s->n_sources].text)
		s->n_sources++;
}

void gs_snapshot_add_restorer(struct gs_snapshot *s, enum gs_restorer_kind kind, const char *name, const char *what)
{
	struct gs_restorer *r = &s->restorers[s->n_restorers];
	const char *copy = gs_snapshot_text(s, name);

	for (size_t i = 0; i < s->n_restorers; i++)
		if (s->restorers[i].kind == kind && gs_str_equal(s->restorers[i].name, copy))
			return;
	if (!copy || s->n_restorers == GS_RESTORERS_MAX)
		return;
	*r = (struct gs_restorer){ kind, copy, gs_snapshot_text(s, what) };
	s->n_restorers++;
}

/* Append a new zeroed T to an array of pointers in the arena. */
#define ADD_PART(s, type, array, n, cap) \
	({ \
		type *part_ = gs_arena_alloc((s)->arena, sizeof(*part_)); \
		void *grown_ = gs_arena_grow((s)->arena, array, n, &(cap), sizeof(*(array))); \
		if (part_ && grown_) { \
			array = grown_; \
			array[n++] = part_; \
		} \
		part_ && grown_ ? part_ : NULL; \
	})

struct gs_gpu *gs_snapshot_add_gpu(struct gs_snapshot *s, struct gs_bdf bdf)
{
	struct gs_gpu *gpu = ADD_PART(s, struct gs_gpu, s->gpus, s->n_gpus, s->cap_gpus);

	if (gpu) {
		gpu->bdf = bdf;
		gpu->mode = GS_MODE_INVALID;
		gpu->mode_pending = GS_MODE_INVALID;
		gpu->framework = GS_FRAMEWORK_INVALID;
	}
	return gpu;
}

struct gs_instance *gs_gpu_add_instance(struct gs_snapshot *s, struct gs_gpu *gpu)
{
	return ADD_PART(s, struct gs_instance, gpu->instances, gpu->n_instances, gpu->cap_instances);
}

struct gs_compute *gs_instance_add_compute(struct gs_snapshot *s, struct gs_instance *inst)
{
	return ADD_PART(s, struct gs_compute, inst->compute, inst->n_compute, inst->cap_compute);
}

struct gs_holder *gs_gpu_add_holder(struct gs_snapshot *s, struct gs_gpu *gpu)
{
	return ADD_PART(s, struct gs_holder, gpu->holders, gpu->n_holders, gpu->cap_holders);
}

struct gs_holder *gs_instance_add_holder(struct gs_snapshot *s, struct gs_instance *inst)
{
	return ADD_PART(s, struct gs_holder, inst->holders, inst->n_holders, inst->cap_holders);
}

struct gs_vf *gs_gpu_add_vf(struct gs_snapshot *s, struct gs_gpu *gpu)
{
	return ADD_PART(s, struct gs_vf, gpu->vfs.functions, gpu->vfs.n_functions, gpu->vfs.cap_functions);
}

struct gs_holder *gs_vf_add_holder(struct gs_snapshot *s, struct gs_vf *vf)
{
	return ADD_PART(s, struct gs_holder, vf->holders, vf->n_holders, vf->cap_holders);
}

struct gs_sibling *gs_gpu_add_sibling(struct gs_snapshot *s, struct gs_gpu *gpu)
{
	return ADD_PART(s, struct gs_sibling, gpu->siblings, gpu->n_siblings, gpu->cap_siblings);
}

struct gs_setting *gs_gpu_add_setting(struct gs_snapshot *s, struct gs_gpu *gpu)
{
	return ADD_PART(s, struct gs_setting, gpu->settings, gpu->n_settings, gpu->cap_settings);
}

struct gs_setting *gs_gpu_add_gi_setting(struct gs_snapshot *s, struct gs_gpu *gpu)
{
	return ADD_PART(s, struct gs_setting, gpu->gi_settings, gpu->n_gi_settings, gpu->cap_gi_settings);
}

struct gs_pending_write *gs_gpu_add_write(struct gs_snapshot *s, struct gs_gpu *gpu)
{
	return ADD_PART(s, struct gs_pending_write, gpu->writes, gpu->n_writes, gpu->cap_writes);
}

struct gs_gpu_event *gs_gpu_add_event(struct gs_snapshot *s, struct gs_gpu *gpu)
{
	return ADD_PART(s, struct gs_gpu_event, gpu->events, gpu->n_events, gpu->cap_events);
}

bool gs_write_is_call(const struct gs_pending_write *w)
{
	return gs_str_equal(w->path, GS_WRITE_PATH_NVML);
}

/* ---------------------------------------------------------------- sealing */

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* Unknown sorts after every number. */
static uint64_t sort_key(struct gs_u32 v)
{
	return v.known ? v.value : UINT64_MAX;
}

static int by_bdf(const void *a, const void *b)
{
	return gs_bdf_compare((*(struct gs_gpu *const *)a)->bdf, (*(struct gs_gpu *const *)b)->bdf);
}

static int by_place(const void *a, const void *b)
{
	const struct gs_instance *x = *(struct gs_instance *const *)a, *y = *(struct gs_instance *const *)b;

	if (x->kind != y->kind)
		return compare_u64(x->kind, y->kind);
	if (sort_key(x->start) != sort_key(y->start))
		return compare_u64(sort_key(x->start), sort_key(y->start));
	return compare_u64(x->id, y->id);
}

static int by_compute_place(const void *a, const void *b)
{
	const struct gs_compute *x = *(struct gs_compute *const *)a, *y = *(struct gs_compute *const *)b;

	if (sort_key(x->start) != sort_key(y->start))
		return compare_u64(sort_key(x->start), sort_key(y->start));
	return compare_u64(x->id, y->id);
}

static int by_holder(const void *a, const void *b)
{
	const struct gs_holder *x = *(struct gs_holder *const *)a, *y = *(struct gs_holder *const *)b;

	if (x->kind != y->kind)
		return compare_u64(x->kind, y->kind);
	if (sort_key(x->pid) != sort_key(y->pid))
		return compare_u64(sort_key(x->pid), sort_key(y->pid));
	return strcmp(x->name ? x->name : "", y->name ? y->name : "");
}

static int by_restorer(const void *a, const void *b)
{
	const struct gs_restorer *x = a, *y = b;

	return x->kind != y->kind ? compare_u64(x->kind, y->kind) : strcmp(x->name, y->name);
}

static int by_vf_number(const void *a, const void *b)
{
	return compare_u64((*(struct gs_vf *const *)a)->n, (*(struct gs_vf *const *)b)->n);
}

static int by_sibling_bdf(const void *a, const void *b)
{
	return gs_bdf_compare((*(struct gs_sibling *const *)a)->bdf, (*(struct gs_sibling *const *)b)->bdf);
}

static int by_setting_key(const void *a, const void *b)
{
	return strcmp((*(struct gs_setting *const *)a)->key, (*(struct gs_setting *const *)b)->key);
}

static int by_param_key(const void *a, const void *b)
{
	return strcmp(((const struct gs_key_value *)a)->key, ((const struct gs_key_value *)b)->key);
}

#define SORT(array, n, compare) \
	do { \
		if ((n) > 1) \
			qsort(array, n, sizeof(*(array)), compare); \
	} while (0)

static void add_u32(struct gs_strbuf *b, struct gs_u32 v)
{
	if (v.known)
		gs_strbuf_printf(b, " %" PRIu32, v.value);
	else
		gs_strbuf_puts(b, " -");
}

static void add_word(struct gs_strbuf *b, const char *s)
{
	gs_strbuf_printf(b, " %s", s ? s : "-");
}

/* Everything that a plan is built on, and nothing that changes by itself. */
static int compute_rev(struct gs_gpu *gpu)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	char bdf[GS_BDF_TEXT];

	gs_strbuf_puts(&b, gs_bdf_format(gpu->bdf, bdf));
	add_word(&b, gpu->uuid);
	add_word(&b, gpu->pci_id);
	add_word(&b, gpu->subsystem_id);
	add_word(&b, gpu->driver);
	add_word(&b, gpu->driver_override);
	add_u32(&b, gpu->iommu_group);
	add_word(&b, gs_mode_name(gpu->mode));
	add_word(&b, gs_mode_name(gpu->mode_pending));
	for (size_t i = 0; i < gpu->n_settings; i++)
		gs_strbuf_printf(&b, "\nset %s=%s,%s", gpu->settings[i]->key, gpu->settings[i]->value ? gpu->settings[i]->value : "-",
				 gpu->settings[i]->pending ? gpu->settings[i]->pending : "-");
	for (size_t i = 0; i < gpu->n_siblings; i++) {
		gs_strbuf_printf(&b, "\nwith %s", gs_bdf_format(gpu->siblings[i]->bdf, bdf));
		add_word(&b, gpu->siblings[i]->driver);
	}
	if (gpu->vfs.total.known) {
		gs_strbuf_puts(&b, "\nvfs");
		add_u32(&b, gpu->vfs.enabled);
	}
	for (size_t i = 0; i < gpu->vfs.n_functions; i++) {
		gs_strbuf_printf(&b, "\nvf %" PRIu32 " %s", gpu->vfs.functions[i]->n, gs_bdf_format(gpu->vfs.functions[i]->bdf, bdf));
		add_word(&b, gpu->vfs.functions[i]->driver);
		add_word(&b, gpu->vfs.functions[i]->type);
	}
	for (size_t i = 0; i < gpu->n_instances; i++) {
		const struct gs_instance *inst = gpu->instances[i];

		gs_strbuf_printf(&b, "\ngi %" PRIu32, inst->id);
		add_word(&b, gs_instance_kind_name(inst->kind));
		add_word(&b, inst->profile);
		add_u32(&b, inst->start);
		add_u32(&b, inst->size);
		/* a GI's UUID is its compute instance's and comes with that */
		if (inst->kind != GS_KIND_MIG) {
			add_word(&b, inst->uuid);
			add_u32(&b, inst->placement_id);
			add_u32(&b, inst->gi);
		}
		for (size_t k = 0; k < inst->n_params; k++)
			gs_strbuf_printf(&b, " %s=%s", inst->params[k].key, inst->params[k].value);
		for (size_t k = 0; k < inst->n_compute; k++) {
			const struct gs_compute *ci = inst->compute[k];

			gs_strbuf_printf(&b, "\nci %" PRIu32, ci->id);
			add_word(&b, ci->profile);
			add_u32(&b, ci->start);
			add_u32(&b, ci->size);
			add_word(&b, ci->uuid);
		}
	}
	if (b.failed)
		return -ENOMEM;
	gpu->rev = gs_digest_of(b.text, b.length);
	return 0;
}

/* A VF without vGPU that somebody has open is no place to put one, and nobody has to be stopped while others are free. */
static void avoid_held_vfs(struct gs_gpu *gpu)
{
	struct gs_profile_set *grid = &gpu->grids[GS_KIND_VGPU];

	for (size_t i = 0; i < gpu->vfs.n_functions; i++) {
		const struct gs_vf *vf = gpu->vfs.functions[i];

		if (vf->n_holders && !vf->type && vf->n < grid->memory_units && vf->n < GS_GRID_UNITS_MAX)
			grid->avoid |= 1ull << vf->n;
	}
}

/* The size rule is a setting, and a request may ask for the other one. */
static void make_size_grids(struct gs_gpu *gpu)
{
	const struct gs_setting *mode = gs_gpu_setting(gpu, GS_SETTING_HETEROGENEOUS);
	struct gs_profile_set *grid = &gpu->grids[GS_KIND_VGPU];

	if (mode && mode->value)
		grid->has_one_size = gs_str_equal(mode->value, "off");
	gpu->one_size_grid = gpu->mixed_grid = *grid;
	gpu->one_size_grid.has_one_size = true;
	gpu->mixed_grid.has_one_size = false;
}

int gs_snapshot_seal(struct gs_snapshot *s, struct gs_error *e)
{
	char bdf[GS_BDF_TEXT];

	if (gs_arena_has_failed(s->arena))
		return gs_error_oom(e);
	SORT(s->gpus, s->n_gpus, by_bdf);
	SORT(s->restorers, s->n_restorers, by_restorer);
	for (size_t i = 0; i < s->n_gpus; i++) {
		struct gs_gpu *gpu = s->gpus[i];

		if (i && gs_bdf_compare(gpu->bdf, s->gpus[i - 1]->bdf) == 0)
			return gs_error_set(e, -EEXIST, GS_STATUS_FAILED, "two GPUs at %s", gs_bdf_format(gpu->bdf, bdf));
		gpu->index = (uint32_t)i;
		SORT(gpu->instances, gpu->n_instances, by_place);
		SORT(gpu->holders, gpu->n_holders, by_holder);
		SORT(gpu->vfs.functions, gpu->vfs.n_functions, by_vf_number);
		SORT(gpu->siblings, gpu->n_siblings, by_sibling_bdf);
		SORT(gpu->settings, gpu->n_settings, by_setting_key);
		SORT(gpu->gi_settings, gpu->n_gi_settings, by_setting_key);
		for (size_t k = 0; k < gpu->vfs.n_functions; k++)
			SORT(gpu->vfs.functions[k]->holders, gpu->vfs.functions[k]->n_holders, by_holder);
		for (size_t k = 0; k < gpu->n_instances; k++) {
			struct gs_instance *inst = gpu->instances[k];

			SORT(inst->compute, inst->n_compute, by_compute_place);
			SORT(inst->holders, inst->n_holders, by_holder);
			SORT(inst->params, inst->n_params, by_param_key);
			inst->uuid = inst->n_compute ? inst->compute[0]->uuid : inst->uuid;
		}
		avoid_held_vfs(gpu);
		make_size_grids(gpu);
		if (compute_rev(gpu) < 0)
			return gs_error_oom(e);
	}
	s->sealed = true;
	return 0;
}

/* ---------------------------------------------------------------- reading */

struct gs_snapshot *gs_snapshot_ref(const struct gs_snapshot *s)
{
	struct gs_snapshot *shared = (struct gs_snapshot *)s;

	if (shared)
		shared->references++;
	return shared;
}

struct gs_snapshot *gs_snapshot_unref(struct gs_snapshot *s)
{
	if (!s || --s->references)
		return NULL;
	gs_arena_free(s->arena);
	free(s);
	return NULL;
}

const char *gs_snapshot_host(const struct gs_snapshot *s)
{
	return s->host ? s->host : "?";
}

enum gs_host_source gs_snapshot_source(const struct gs_snapshot *s)
{
	return s->source;
}

const char *gs_snapshot_driver_version(const struct gs_snapshot *s)
{
	return s->driver_version;
}

bool gs_snapshot_has_telemetry(const struct gs_snapshot *s)
{
	return s->has_telemetry;
}

bool gs_snapshot_published(const struct gs_snapshot *s, struct gs_wall *ret_taken_at)
{
	if (s->has_published && ret_taken_at)
		*ret_taken_at = s->published_at;
	return s->has_published;
}

const struct gs_saved_fact *gs_snapshot_saved(const struct gs_snapshot *s)
{
	return &s->saved;
}

size_t gs_snapshot_n_notices(const struct gs_snapshot *s)
{
	return s->n_notices;
}

const char *gs_snapshot_notice(const struct gs_snapshot *s, size_t i)
{
	return i < s->n_notices ? s->notices[i] : NULL;
}

size_t gs_snapshot_n_gpus(const struct gs_snapshot *s)
{
	return s->n_gpus;
}

const struct gs_gpu *gs_snapshot_gpu(const struct gs_snapshot *s, size_t index)
{
	return index < s->n_gpus ? s->gpus[index] : NULL;
}

const struct gs_gpu *gs_snapshot_gpu_by_bdf(const struct gs_snapshot *s, struct gs_bdf bdf)
{
	for (size_t i = 0; i < s->n_gpus; i++)
		if (gs_bdf_compare(s->gpus[i]->bdf, bdf) == 0)
			return s->gpus[i];
	return NULL;
}

size_t gs_snapshot_n_sources(const struct gs_snapshot *s)
{
	return s->n_sources;
}

const struct gs_source *gs_snapshot_source_at(const struct gs_snapshot *s, size_t i)
{
	return i < s->n_sources ? &s->sources[i] : NULL;
}

size_t gs_snapshot_n_restorers(const struct gs_snapshot *s)
{
	return s->n_restorers;
}

const struct gs_restorer *gs_snapshot_restorer(const struct gs_snapshot *s, size_t i)
{
	return i < s->n_restorers ? &s->restorers[i] : NULL;
}

const char *gs_restorer_remedy(const struct gs_restorer *r, char *buf, size_t size)
{
	switch (r->kind) {
	case GS_RESTORER_UNIT:
		snprintf(buf, size, "systemctl disable %s", r->name);
		break;
	case GS_RESTORER_MDEVCTL:
		snprintf(buf, size, "mdevctl modify --uuid UUID --manual for each that %s lists with \"auto\"", "mdevctl list --defined");
		break;
	case GS_RESTORER_UDEV:
		snprintf(buf, size, "take the line out of /etc/udev/rules.d/%s", r->name);
		break;
	default:
		snprintf(buf, size, "leave the GPUs of this machine to %s", r->name);
		break;
	}
	return buf;
}

enum gs_instance_kind gs_mode_kind(enum gs_mode mode)
{
	switch (mode) {
	case GS_MODE_MIG:
	case GS_MODE_MIG_VGPU:
		return GS_KIND_MIG;
	case GS_MODE_VGPU:
		return GS_KIND_VGPU;
	default:
		return GS_KIND_INVALID;
	}
}

const struct gs_profile_set *gs_gpu_grid(const struct gs_gpu *gpu, enum gs_mode mode)
{
	static const struct gs_profile_set none;

	switch (mode) {
	case GS_MODE_MIG:
	case GS_MODE_MIG_VGPU:
		return &gpu->grids[GS_KIND_MIG];
	case GS_MODE_VGPU:
		return &gpu->grids[GS_KIND_VGPU];
	case GS_MODE_SRIOV:
		return &gpu->grids[GS_KIND_SRIOV];
	case GS_MODE_PASSTHROUGH:
		return &gpu->grids[GS_KIND_PASSTHROUGH];
	case GS_MODE_WHOLE:
		return &gpu->grids[GS_KIND_PARTITION];
	default:
		return &none;
	}
}

const struct gs_profile *gs_gpu_profile(const struct gs_gpu *gpu, const char *name, enum gs_instance_kind *ret_kind)
{
	for (int kind = 0; kind < GS_KIND_MAX; kind++) {
		const struct gs_profile *p = gs_profile_by_name(&gpu->grids[kind], name);

		if (p && ret_kind)
			*ret_kind = (enum gs_instance_kind)kind;
		if (p)
			return p;
	}
	return NULL;
}

const struct gs_profile *gs_gpu_profile_by_last_word(const struct gs_gpu *gpu, const char *word, enum gs_instance_kind *ret_kind)
{
	const struct gs_profile_set *set = &gpu->grids[GS_KIND_VGPU];
	const struct gs_profile *found = NULL;

	for (size_t i = 0; i < set->n; i++) {
		const char *last = strrchr(set->items[i].name, ' ');

		if (!last || !gs_str_equal(last + 1, word))
			continue;
		if (found)
			return NULL;
		found = &set->items[i];
	}
	if (found && ret_kind)
		*ret_kind = GS_KIND_VGPU;
	return found;
}

const struct gs_setting *gs_gpu_setting(const struct gs_gpu *gpu, const char *key)
{
	return gs_setting_by_key(gpu->settings, gpu->n_settings, key);
}

bool gs_gpu_is_quota(const struct gs_gpu *gpu, const char *key)
{
	for (size_t i = 0; i < gpu->vfs.n_quotas; i++)
		if (gs_str_equal(gpu->vfs.quotas[i], key))
			return true;
	return false;
}

const struct gs_vf *gs_gpu_vf(const struct gs_gpu *gpu, uint32_t n)
{
	for (size_t i = 0; i < gpu->vfs.n_functions; i++)
		if (gpu->vfs.functions[i]->n == n)
			return gpu->vfs.functions[i];
	return NULL;
}

const struct gs_instance *gs_gpu_instance_on_vf(const struct gs_gpu *gpu, uint32_t n)
{
	for (size_t i = 0; i < gpu->n_instances; i++)
		if (gs_u32_is(gpu->instances[i]->vf, n))
			return gpu->instances[i];
	return NULL;
}

const struct gs_instance *gs_gpu_instance_by_uuid(const struct gs_gpu *gpu, const char *uuid)
{
	for (size_t i = 0; uuid && i < gpu->n_instances; i++)
		if (gs_str_equal(gpu->instances[i]->uuid, uuid))
			return gpu->instances[i];
	return NULL;
}

const char *gs_instance_param(const struct gs_instance *inst, const char *key)
{
	for (size_t i = 0; i < inst->n_params; i++)
		if (gs_str_equal(inst->params[i].key, key))
			return inst->params[i].value;
	return NULL;
}

bool gs_instance_param_is(const struct gs_instance *inst, const char *key, const char *value)
{
	const char *now = gs_instance_param(inst, key);
	struct gs_u32 own = GS_U32_UNKNOWN;
	uint32_t number;

	if (gs_str_equal(key, GS_PARAM_PLACEMENT_ID))
		own = inst->placement_id;
	else if (gs_str_equal(key, GS_PARAM_GI))
		own = inst->gi;
	if (own.known)
		return gs_parse_u32(value, 10, &number) == 0 && number == own.value;
	return gs_str_equal(now ? now : "", value);
}

const struct gs_instance *gs_gpu_gi_of(const struct gs_gpu *gpu, const struct gs_instance *vgpu)
{
	for (size_t i = 0; vgpu->gi.known && i < gpu->n_instances; i++)
		if (gpu->instances[i]->kind == GS_KIND_MIG && gpu->instances[i]->id == vgpu->gi.value)
			return gpu->instances[i];
	return NULL;
}

uint64_t gs_gpu_occupied(const struct gs_gpu *gpu, enum gs_instance_kind kind)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < gpu->n_instances; i++)
		if (gpu->instances[i]->kind == kind && gpu->instances[i]->start.known && gpu->instances[i]->size.known)
			mask |= gs_span_mask((struct gs_span){ gpu->instances[i]->start.value, gpu->instances[i]->size.value });
	return mask;
}

const struct gs_instance *gs_gpu_instance_at(const struct gs_gpu *gpu, const char *profile, uint32_t start)
{
	for (size_t i = 0; i < gpu->n_instances; i++)
		if (gs_u32_is(gpu->instances[i]->start, start) && gs_str_equal(gpu->instances[i]->profile, profile))
			return gpu->instances[i];
	return NULL;
}

const struct gs_compute *gs_instance_compute_at(const struct gs_instance *inst, const char *profile, uint32_t start)
{
	for (size_t i = 0; i < inst->n_compute; i++)
		if (gs_u32_is(inst->compute[i]->start, start) && gs_str_equal(inst->compute[i]->profile, profile))
			return inst->compute[i];
	return NULL;
}

bool gs_instance_is_held(const struct gs_instance *inst)
{
	for (size_t i = 0; i < inst->n_holders; i++)
		if (!inst->holders[i]->yields)
			return true;
	return false;
}

const char *gs_gpu_label(const struct gs_gpu *gpu, char *buf, size_t size)
{
	char bdf[GS_BDF_TEXT];

	if (gpu->nvidia_index.known && gpu->nvidia_index.value != gpu->index)
		snprintf(buf, size, "GPU %" PRIu32 " (%s, nvidia-smi %" PRIu32 ")", gpu->index, gs_bdf_format(gpu->bdf, bdf), gpu->nvidia_index.value);
	else
		snprintf(buf, size, "GPU %" PRIu32 " (%s)", gpu->index, gs_bdf_format(gpu->bdf, bdf));
	return buf;
}

const char *gs_holder_label(const struct gs_holder *h, char *buf, size_t size)
{
	const char *name = h->name ? h->name : "?";

	if (h->kind == GS_HOLDER_PROCESS && h->pid.known)
		snprintf(buf, size, "pid %" PRIu32 " %s%s%s%s", h->pid.value, name, h->user ? " (" : "", h->user ? h->user : "", h->user ? ")" : "");
	else if (h->kind == GS_HOLDER_CLAIM)
		snprintf(buf, size, "%s", name);    /* says itself whose it is: "vm archive-viewer", "slurm job 4711" */
	else
		snprintf(buf, size, "%s %s", gs_holder_kind_name(h->kind), name);
	return buf;
}

bool gs_sibling_follows(const struct gs_gpu *gpu, const struct gs_sibling *s)
{
	return !s->is_bridge && s->bdf.domain == gpu->bdf.domain && s->bdf.bus == gpu->bdf.bus && s->bdf.device == gpu->bdf.device;
}

const char *gs_gpu_open_commit_text(const struct gs_gpu *gpu, char *buf, size_t size)
{
	const struct gs_open_commit *c = &gpu->open_commit;

	if (c->state == GS_OPEN_NONE)
		buf[0] = '\0';
	else if (c->text)
		snprintf(buf, size, "%s", c->text);
	else
		snprintf(buf, size, "commit %" PRIu64 " %s", c->id, gs_open_state_summary(c->state));
	return buf;
}

const char *gs_gpu_event_label(const struct gs_gpu_event *ev, char *buf, size_t size)
{
	char when[GS_WALL_TEXT] = "at an unknown time", what[32];

	if (ev->time_ms.known)
		gs_wall_format((struct gs_wall){ ev->time_ms.value }, when, sizeof(when));
	if (ev->xid.known)
		snprintf(what, sizeof(what), "Xid %" PRIu32, ev->xid.value);
	else
		snprintf(what, sizeof(what), "%s", gs_gpu_event_kind_name(ev->kind));
	snprintf(buf, size, "%s  %s", when, ev->text ? ev->text : what);
	return buf;
}
