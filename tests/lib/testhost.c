/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/lib/testhost.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "codec/script_text.h"

#define CHECK(x) \
	do { \
		if (!(x)) { \
			fprintf(stderr, "testhost: %s failed\n", #x); \
			abort(); \
		} \
	} while (0)

/* The catalogue lives as long as a snapshot points into it; copied, so that it need not. */
static void copy_profiles(struct gs_snapshot *s, struct gs_gpu *gpu, const struct gs_profile_set *from)
{
	struct gs_arena *a = gs_snapshot_arena(s);
	struct gs_profile *items = gs_arena_memdup(a, from->items, from->n * sizeof(*items));

	gpu->grids[GS_KIND_MIG] = *from;
	gpu->grids[GS_KIND_MIG].source = GS_PROFILES_DRIVER;
	for (size_t i = 0; i < from->n; i++) {
		struct gs_compute_profile *c = gs_arena_memdup(a, items[i].compute, items[i].n_compute * sizeof(*c));

		items[i].name = gs_arena_strdup(a, items[i].name);
		items[i].placements = gs_arena_memdup(a, items[i].placements, items[i].n_placements * sizeof(*items[i].placements));
		for (size_t k = 0; k < items[i].n_compute; k++) {
			c[k].name = gs_arena_strdup(a, c[k].name);
			c[k].placements = gs_arena_memdup(a, c[k].placements, c[k].n_placements * sizeof(*c[k].placements));
		}
		items[i].compute = c;
	}
	gpu->grids[GS_KIND_MIG].items = items;
}

static void fill_holder(struct gs_snapshot *s, struct gs_holder *h, uint32_t pid)
{
	h->kind = GS_HOLDER_PROCESS;
	h->pid = GS_U32(pid);
	h->start_time = GS_U64(pid * 10ull);
	h->uid = GS_U32(1001);
	h->user = gs_snapshot_text(s, "alice");
	h->name = gs_snapshot_text(s, "python3");
	h->evidence = gs_snapshot_text(s, "nvml");
}

static void add_default_ci(struct gs_snapshot *s, struct gs_gpu *gpu, struct gs_instance *inst, const struct gs_profile *p, unsigned serial)
{
	const struct gs_compute_profile *full = gs_compute_profile_default(p);
	struct gs_compute *ci = gs_instance_add_compute(s, inst);

	ci->id = 0;
	ci->profile = full ? full->name : p->name;
	ci->profile_id = full ? full->id : GS_U32_UNKNOWN;
	ci->start = GS_U32(0);
	ci->size = GS_U32(p->compute_slices);
	ci->uuid = gs_arena_printf(gs_snapshot_arena(s), "MIG-%08x-%04x-0000-0000-000000000000", (unsigned)gpu->bdf.bus, serial);
}

static void add_instance(struct gs_snapshot *s, struct gs_gpu *gpu, const char *word, uint32_t number)
{
	char name[64];
	uint32_t start;
	size_t n = strcspn(word, "@"), digits;
	const struct gs_profile *p;
	struct gs_instance *inst;
	struct gs_span span;
	char text[8];

	CHECK(word[n] == '@' && n < sizeof(name));
	memcpy(name, word, n);
	name[n] = '\0';
	word += n + 1;
	digits = strspn(word, "0123456789");
	CHECK(digits && digits < sizeof(text));
	memcpy(text, word, digits);
	text[digits] = '\0';
	CHECK(gs_parse_u32(text, 10, &start) == 0);
	word += digits;
	p = gs_profile_by_name(&gpu->grids[GS_KIND_MIG], name);
	CHECK(p && gs_profile_placement_at(p, start, &span));
	inst = gs_gpu_add_instance(s, gpu);
	inst->id = number;
	inst->kind = GS_KIND_MIG;
	inst->profile = p->name;
	inst->profile_id = p->id;
	inst->start = strchr(word, '?') ? GS_U32_UNKNOWN : GS_U32(start);
	inst->size = strchr(word, '?') ? GS_U32_UNKNOWN : GS_U32(span.size);
	if (strchr(word, '?'))
		gpu->placements_visible = false;
	if (!strchr(word, '^'))
		add_default_ci(s, gpu, inst, p, number);
	if (strchr(word, '*'))
		fill_holder(s, gs_instance_add_holder(s, inst), 4000 + 100 * (gpu->bdf.bus - 1) + start);
}

static struct gs_gpu *add_gpu(struct gs_snapshot *s, const struct gs_gpu_model *model, unsigned index)
{
	struct gs_gpu *gpu = gs_snapshot_add_gpu(s, (struct gs_bdf){ 0, (uint8_t)(index + 1), 0, 0 });

	gpu->nvidia_index = GS_U32(index);
	gpu->uuid = gs_arena_printf(gs_snapshot_arena(s), "GPU-%08x-1111-2222-3333-444444444444", index + 0x5f3c1a00);
	gpu->vendor = GS_VENDOR_NVIDIA;
	gpu->name = gs_snapshot_text(s, model->n_pci ? model->pci[0].name : model->name);
	gpu->pci_id = gs_snapshot_text(s, model->n_pci ? model->pci[0].id : "10de:0000");
	gpu->driver = gs_snapshot_text(s, "nvidia");
	gpu->framework = GS_FRAMEWORK_NVML;
	gpu->memory_bytes = GS_U64(85520809984ull);
	gpu->sm_count = model->sm_count;
	gpu->modes = 1u << GS_MODE_WHOLE | 1u << GS_MODE_MIG;
	gpu->mode = GS_MODE_WHOLE;
	gpu->mode_needs_reset = model->mode_needs_reset;
	gpu->mode_survives_reboot = model->mode_survives_reboot;
	gpu->mode_survival_is_known = model->mode_survival_is_known;
	gpu->placements_visible = gpu->holders_visible = true;
	copy_profiles(s, gpu, &model->profiles);
	return gpu;
}

static void add_remaining(struct gs_snapshot *s, struct gs_gpu *gpu, char *word)
{
	char *equals = strchr(word, '=');
	uint32_t n;

	CHECK(equals && gs_parse_u32(equals + 1, 10, &n) == 0);
	*equals = '\0';
	if (!gpu->remaining)
		gpu->remaining = gs_arena_calloc(gs_snapshot_arena(s), GS_PROFILES_MAX, sizeof(*gpu->remaining));
	CHECK(gpu->remaining && gpu->n_remaining < GS_PROFILES_MAX);
	gpu->remaining[gpu->n_remaining++] = (struct gs_remaining){ gs_snapshot_text(s, word), n };
}

static void add_link(struct gs_snapshot *s, struct gs_gpu *gpu, const char *word)
{
	uint32_t to;

	CHECK(gs_parse_u32(word, 10, &to) == 0);
	if (!gpu->nvlinks)
		gpu->nvlinks = gs_arena_calloc(gs_snapshot_arena(s), GS_NVLINKS_MAX, sizeof(*gpu->nvlinks));
	CHECK(gpu->nvlinks && gpu->n_nvlinks < GS_NVLINKS_MAX);
	gpu->nvlinks_visible = true;
	gpu->nvlinks[gpu->n_nvlinks++] = (struct gs_bdf){ 0, (uint8_t)(to + 1), 0, 0 };
}

struct gs_snapshot *gs_testhost(const char *model, const char *spec)
{
	GS_CLEANUP(gs_catalogue_freep) struct gs_catalogue *catalogue = NULL;
	struct gs_snapshot *s = gs_snapshot_new();
	const struct gs_gpu_model *m;
	struct gs_error e = { 0 };
	char copy[4096], *save_gpu = NULL;
	unsigned index = 0;

	if (gs_catalogue_load(&catalogue, &e) < 0)
		fprintf(stderr, "testhost: %s %s\n", e.file, e.text);
	CHECK(catalogue && s && strlen(spec) < sizeof(copy));
	m = gs_catalogue_by_file(catalogue, model);
	CHECK(m);
	gs_snapshot_set_host(s, "testhost", GS_SOURCE_SIM);
	gs_snapshot_set_driver_version(s, "570.124.06");
	snprintf(copy, sizeof(copy), "%s", spec);
	for (char *part = strtok_r(copy, "|", &save_gpu); part; part = strtok_r(NULL, "|", &save_gpu), index++) {
		struct gs_gpu *gpu = add_gpu(s, m, index);
		char *save = NULL;
		uint32_t number = 0;

		for (char *word = strtok_r(part, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
			if (strchr(word, '!'))
				fill_holder(s, gs_gpu_add_holder(s, gpu), 4000 + 100 * index + 99);
			if (gs_str_starts(word, "mig"))
				gpu->mode = GS_MODE_MIG;
			else if (gs_str_starts(word, "left:"))
				add_remaining(s, gpu, word + strlen("left:"));
			else if (word[0] == '=')
				add_link(s, gpu, word + 1);
			else if (strcmp(word, "unlinked") == 0)
				gpu->nvlinks_visible = true;
			else if (strcmp(word, "fabric") == 0)
				gpu->is_in_fabric = true;
			else if (strcmp(word, "guest") == 0)
				gpu->is_in_guest = true;
			else if (!gs_str_starts(word, "whole"))
				add_instance(s, gpu, word, ++number);
		}
	}
	CHECK(gs_snapshot_seal(s, &e) == 0);
	return s;
}

char *gs_testhost_text(const struct gs_snapshot *s)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;

	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(s, i);

		gs_strbuf_printf(&b, "%s%s", i ? " | " : "", gs_mode_name(gpu->mode));
		for (size_t k = 0; k < gpu->n_instances; k++) {
			const struct gs_instance *inst = gpu->instances[k];

			gs_strbuf_printf(&b, " %s@%" PRIu32 "%s", inst->profile, inst->start.value, gs_instance_is_held(inst) ? "*" : "");
			if (inst->n_compute == 1 && gs_str_equal(inst->compute[0]->profile, inst->profile))
				continue;
			gs_strbuf_puts(&b, "[");
			for (size_t c = 0; c < inst->n_compute; c++)
				gs_strbuf_printf(&b, "%s%s@%" PRIu32, c ? " " : "", inst->compute[c]->profile, inst->compute[c]->start.value);
			gs_strbuf_puts(&b, "]");
		}
	}
	return gs_strbuf_take(&b);
}

int gs_testhost_plan(const struct gs_snapshot *s, const char *text, const struct gs_plan_options *options, struct gs_plan **ret_plan, struct gs_error *e)
{
	GS_CLEANUP(gs_script_freep) struct gs_script *script = NULL;
	GS_EVALUATION struct gs_evaluation ev = { 0 };
	int r = gs_script_parse(text, strlen(text), "test", &script, e);

	if (r >= 0)
		r = gs_script_evaluate(script, s, GS_CONTEXT_FILE, &ev, e);
	return r < 0 ? r : gs_plan_build(s, &ev, options, ret_plan, e);
}

/* ---------------------------------------------------------------- a driver of our own */

struct copied {
	struct gs_snapshot *s;
	struct gs_gpu *gpu;     /* the one that the step is about */
};

static struct gs_holder *copy_holder(struct gs_snapshot *s, struct gs_holder *to, const struct gs_holder *from)
{
	*to = *from;
	to->name = gs_snapshot_text(s, from->name);
	to->user = gs_snapshot_text(s, from->user);
	to->unit = gs_snapshot_text(s, from->unit);
	to->evidence = gs_snapshot_text(s, from->evidence);
	return to;
}

static void copy_instance(struct gs_snapshot *s, struct gs_gpu *gpu, const struct gs_instance *from, const struct gs_step *step)
{
	struct gs_arena *a = gs_snapshot_arena(s);
	struct gs_instance *to = gs_gpu_add_instance(s, gpu);
	struct gs_instance fresh = *from;

	fresh.compute = NULL;
	fresh.holders = NULL;
	fresh.n_compute = fresh.cap_compute = fresh.n_holders = fresh.cap_holders = 0;
	fresh.profile = gs_arena_strdup(a, from->profile);
	fresh.uuid = gs_arena_strdup(a, from->uuid);
	*to = fresh;
	for (size_t i = 0; i < from->n_compute; i++) {
		struct gs_compute *ci = gs_instance_add_compute(s, to);

		*ci = *from->compute[i];
		ci->profile = gs_arena_strdup(a, ci->profile);
		ci->uuid = gs_arena_strdup(a, ci->uuid);
	}
	for (size_t i = 0; i < from->n_holders; i++)
		if (!(step->op == GS_STEP_STOP_HOLDER && gs_u32_is(from->holders[i]->pid, step->pid)))
			copy_holder(s, gs_instance_add_holder(s, to), from->holders[i]);
}

static struct gs_gpu *copy_gpu(struct gs_snapshot *s, const struct gs_gpu *from, const struct gs_step *step)
{
	struct gs_arena *a = gs_snapshot_arena(s);
	struct gs_gpu *gpu = gs_snapshot_add_gpu(s, from->bdf);
	struct gs_gpu fresh = *from;

	fresh.instances = NULL;
	fresh.holders = NULL;
	fresh.n_instances = fresh.cap_instances = fresh.n_holders = fresh.cap_holders = 0;
	fresh.uuid = gs_arena_strdup(a, from->uuid);
	fresh.name = gs_arena_strdup(a, from->name);
	fresh.pci_id = gs_arena_strdup(a, from->pci_id);
	fresh.driver = gs_arena_strdup(a, from->driver);
	*gpu = fresh;
	copy_profiles(s, gpu, &from->grids[GS_KIND_MIG]);
	for (size_t i = 0; i < from->n_instances; i++)
		copy_instance(s, gpu, from->instances[i], step);
	for (size_t i = 0; i < from->n_holders; i++)
		if (!(step->op == GS_STEP_STOP_HOLDER && gs_u32_is(from->holders[i]->pid, step->pid)))
			copy_holder(s, gs_gpu_add_holder(s, gpu), from->holders[i]);
	return gpu;
}

static struct gs_instance *find_instance(struct gs_gpu *gpu, const struct gs_step *step, size_t *ret_index)
{
	for (size_t i = 0; i < gpu->n_instances; i++) {
		if (!gs_u32_is(gpu->instances[i]->start, step->span.start) || !gs_str_equal(gpu->instances[i]->profile, step->profile))
			continue;
		*ret_index = i;
		return gpu->instances[i];
	}
	return NULL;
}

static uint32_t free_id(const struct gs_gpu *gpu)
{
	uint32_t id = 1;

	for (size_t i = 0; i < gpu->n_instances; i++)
		if (gpu->instances[i]->id == id) {
			id++;
			i = (size_t)-1;
		}
	return id;
}

/* From 7 on, as CIs are counted here; the new one, the last, has none yet. */
static uint32_t free_compute_id(const struct gs_instance *inst)
{
	uint32_t id = 7;

	for (size_t i = 0; i + 1 < inst->n_compute; i++)
		if (inst->compute[i]->id == id) {
			id++;
			i = (size_t)-1;
		}
	return id;
}

static int drive(struct gs_snapshot *s, struct gs_gpu *gpu, const struct gs_step *step)
{
	size_t at = 0;
	struct gs_instance *inst = step->profile ? find_instance(gpu, step, &at) : NULL;
	struct gs_compute *ci;

	switch (step->op) {
	case GS_STEP_STOP_HOLDER:
		return 0;
	case GS_STEP_SET_MODE:
		if (gpu->n_instances || gpu->n_holders)
			return -EIO;
		gpu->mode = step->mode;
		return 0;
	case GS_STEP_DESTROY_CI:
		for (size_t i = 0; inst && !inst->n_holders && i < inst->n_compute; i++) {
			if (inst->compute[i]->id != step->compute_id)
				continue;
			memmove(&inst->compute[i], &inst->compute[i + 1], (inst->n_compute - i - 1) * sizeof(*inst->compute));
			inst->n_compute--;
			inst->uuid = NULL;
			return 0;
		}
		return -EIO;
	case GS_STEP_DESTROY_GI:
		if (!inst || inst->n_compute || inst->n_holders || inst->id != step->instance_id)
			return -EIO;
		memmove(&gpu->instances[at], &gpu->instances[at + 1], (gpu->n_instances - at - 1) * sizeof(*gpu->instances));
		gpu->n_instances--;
		return 0;
	case GS_STEP_CREATE_GI:
		if (gpu->mode != GS_MODE_MIG)
			return -EIO;
		for (size_t i = 0; i < gpu->n_instances; i++)
			if (gpu->instances[i]->start.value < step->span.start + step->span.size &&
			    step->span.start < gpu->instances[i]->start.value + gpu->instances[i]->size.value)
				return -EIO;
		at = free_id(gpu);
		inst = gs_gpu_add_instance(s, gpu);
		inst->id = (uint32_t)at;
		inst->kind = GS_KIND_MIG;
		inst->profile = gs_snapshot_text(s, step->profile);
		inst->profile_id = GS_U32(step->profile_id);
		inst->start = GS_U32(step->span.start);
		inst->size = GS_U32(step->span.size);
		return 0;
	case GS_STEP_CREATE_CI:
		if (!inst)
			return -EIO;
		for (size_t i = 0; i < inst->n_compute; i++)
			if (inst->compute[i]->start.value < step->compute_span.start + step->compute_span.size &&
			    step->compute_span.start < inst->compute[i]->start.value + inst->compute[i]->size.value)
				return -EIO;
		ci = gs_instance_add_compute(s, inst);
		ci->id = free_compute_id(inst);
		ci->profile = gs_snapshot_text(s, step->compute_profile);
		ci->start = GS_U32(step->compute_span.start);
		ci->size = GS_U32(step->compute_span.size);
		ci->uuid = gs_arena_printf(gs_snapshot_arena(s), "MIG-new-%" PRIu32 "-%" PRIu32, inst->id, ci->id);
		return 0;
	default:
		return -EIO;
	}
}

int gs_testhost_step(const struct gs_snapshot *s, const struct gs_step *step, struct gs_snapshot **ret_snapshot)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *next = gs_snapshot_new();
	int r = 0;

	CHECK(next);
	gs_snapshot_set_host(next, gs_snapshot_host(s), gs_snapshot_source(s));
	gs_snapshot_set_driver_version(next, gs_snapshot_driver_version(s));
	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++) {
		struct gs_gpu *gpu = copy_gpu(next, gs_snapshot_gpu(s, i), step);

		if (gs_bdf_compare(gpu->bdf, step->bdf) == 0)
			r = drive(next, gpu, step);
	}
	if (r < 0)
		return r;
	CHECK(gs_snapshot_seal(next, NULL) == 0);
	*ret_snapshot = GS_TAKE(next);
	return 0;
}
