/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/mig_profiles.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/parse.h"

#define GPUS_MAX 1024

/* One GPU's profiles. The arrays are ours to write; readers see them const. */
struct known {
	struct gs_bdf bdf;
	char *uuid;
	bool is_mig_on;
	struct gs_arena *arena;
	struct gs_profile *items;
	bool has_compute[GS_PROFILES_MAX];      /* from the driver, not from the catalogue */
	struct gs_profile_set set;
};

struct gs_mig_profiles {
	struct gs_nvml *nvml;
	const struct gs_catalogue *catalogue;
	struct known *known[GPUS_MAX];
	size_t n;
};

/* The three generations of profile structures brought to one. */
struct row {
	unsigned id, slices, instances, sm_count;
	unsigned engines[GS_ENGINE_MAX];
	unsigned long long memory_mb;
	char name[NVML_TEXT + 1];
};

struct gs_mig_profiles *gs_mig_profiles_new(struct gs_nvml *nvml, const struct gs_catalogue *catalogue)
{
	struct gs_mig_profiles *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->nvml = nvml;
	m->catalogue = catalogue;
	return m;
}

static struct known *known_free(struct known *k)
{
	if (!k)
		return NULL;
	gs_arena_free(k->arena);
	free(k->uuid);
	free(k);
	return NULL;
}

struct gs_mig_profiles *gs_mig_profiles_free(struct gs_mig_profiles *m)
{
	if (!m)
		return NULL;
	for (size_t i = 0; i < m->n; i++)
		known_free(m->known[i]);
	free(m);
	return NULL;
}

const char *gs_mig_plain_name(const char *name)
{
	return gs_str_starts(name, "MIG ") ? name + strlen("MIG ") : name;
}

#define ROW_FROM(row, p) \
	do { \
		(row)->id = (p)->id; \
		(row)->slices = (p)->slices; \
		(row)->instances = (p)->instances; \
		(row)->sm_count = (p)->sm_count; \
		(row)->engines[GS_ENGINE_COPY] = (p)->copy; \
		(row)->engines[GS_ENGINE_DECODER] = (p)->decoder; \
		(row)->engines[GS_ENGINE_ENCODER] = (p)->encoder; \
		(row)->engines[GS_ENGINE_JPEG] = (p)->jpeg; \
		(row)->engines[GS_ENGINE_OFA] = (p)->ofa; \
	} while (0)

static void row_set_name(struct row *row, const char name[NVML_TEXT])
{
	char text[NVML_TEXT + 1];

	memcpy(text, name, NVML_TEXT);
	text[NVML_TEXT] = '\0';
	snprintf(row->name, sizeof(row->name), "%s", gs_mig_plain_name(text));
	gs_text_sanitize(row->name);
}

/* Did the library mean «not with this version of the structure»? Newer first, then older (interfaces 5.4). */
static bool wants_older(int code)
{
	return code == NVML_ERROR_ARGUMENT_VERSION_MISMATCH || code == NVML_ERROR_INVALID_ARGUMENT || code == NVML_ERROR_FUNCTION_NOT_FOUND ||
	       code == NVML_ERROR_DEPRECATED;
}

/* That a library lacks the older call does not take back that the newer one was past its end. */
static int older_code(int newer, int older)
{
	bool lacks = older == NVML_ERROR_ARGUMENT_VERSION_MISMATCH || older == NVML_ERROR_FUNCTION_NOT_FOUND || older == NVML_ERROR_DEPRECATED;

	return newer == NVML_ERROR_INVALID_ARGUMENT && lacks ? newer : older;
}

static int read_gi_profile(struct gs_nvml *nvml, nvml_device device, unsigned i, struct row *ret_row)
{
	struct nvml_gi_profile_v3 v3 = { .version = NVML_VERSION_WORD(struct nvml_gi_profile_v3, 3) };
	struct nvml_gi_profile_v2 v2 = { .version = NVML_VERSION_WORD(struct nvml_gi_profile_v2, 2) };
	struct nvml_gi_profile_v1 v1 = { 0 };
	int code;

	memset(ret_row, 0, sizeof(*ret_row));
	code = GS_NVML_CALL(nvml, gi_profile_v, device, i, &v3);
	if (code == NVML_SUCCESS) {
		ROW_FROM(ret_row, &v3);
		ret_row->memory_mb = v3.memory_mb;
		row_set_name(ret_row, v3.name);
		return code;
	}
	if (wants_older(code))
		code = older_code(code, GS_NVML_CALL(nvml, gi_profile_v, device, i, &v2));
	if (code == NVML_SUCCESS) {
		ROW_FROM(ret_row, &v2);
		ret_row->memory_mb = v2.memory_mb;
		row_set_name(ret_row, v2.name);
		return code;
	}
	/* with MIG off the V call may say NOT_SUPPORTED where the first one answers (interfaces 5.7) */
	if (!wants_older(code) && code != NVML_ERROR_NOT_SUPPORTED)
		return code;
	if (!nvml->call.gi_profile)
		return code;
	code = older_code(code, nvml->call.gi_profile(device, i, &v1));
	if (code == NVML_SUCCESS) {
		ROW_FROM(ret_row, &v1);
		ret_row->memory_mb = v1.memory_mb;
	}
	return code;
}

static int read_ci_profile(struct gs_nvml *nvml, nvml_gi gi, unsigned i, struct row *ret_row)
{
	struct nvml_ci_profile_v3 v3 = { .version = NVML_VERSION_WORD(struct nvml_ci_profile_v3, 3) };
	struct nvml_ci_profile_v2 v2 = { .version = NVML_VERSION_WORD(struct nvml_ci_profile_v2, 2) };
	struct nvml_ci_profile_v1 v1 = { 0 };
	int code;

	memset(ret_row, 0, sizeof(*ret_row));
	code = GS_NVML_CALL(nvml, ci_profile_v, gi, i, NVML_CI_ENGINE_SHARED, &v3);
	if (code == NVML_SUCCESS) {
		ROW_FROM(ret_row, &v3);
		row_set_name(ret_row, v3.name);
		return code;
	}
	if (wants_older(code))
		code = older_code(code, GS_NVML_CALL(nvml, ci_profile_v, gi, i, NVML_CI_ENGINE_SHARED, &v2));
	if (code == NVML_SUCCESS) {
		ROW_FROM(ret_row, &v2);
		row_set_name(ret_row, v2.name);
		return code;
	}
	if (!wants_older(code) && code != NVML_ERROR_NOT_SUPPORTED)
		return code;
	if (!nvml->call.ci_profile)
		return code;
	code = older_code(code, nvml->call.ci_profile(gi, i, NVML_CI_ENGINE_SHARED, &v1));
	if (code == NVML_SUCCESS)
		ROW_FROM(ret_row, &v1);
	return code;
}

static int span_compare(const void *a, const void *b)
{
	const struct gs_span *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Spans that fit our grid, sorted. The driver is believed about legality, not about bounds. */
static size_t take_spans(struct gs_arena *a, const struct nvml_placement *p, unsigned n, const struct gs_span **ret_spans)
{
	struct gs_span *spans = gs_arena_calloc(a, n, sizeof(*spans));
	size_t taken = 0;

	for (unsigned i = 0; spans && i < n; i++) {
		if (p[i].size && p[i].size <= GS_GRID_UNITS_MAX && p[i].start <= GS_GRID_UNITS_MAX - p[i].size)
			spans[taken++] = (struct gs_span){ p[i].start, p[i].size };
	}
	if (taken)
		qsort(spans, taken, sizeof(*spans), span_compare);
	*ret_spans = spans;
	return taken;
}

/* Answers that stay the same however often one asks; the catalogue may know instead. Any other is trouble of the moment. */
static bool is_lasting(int code)
{
	return code == NVML_SUCCESS || code == NVML_ERROR_NO_PERMISSION || code == NVML_ERROR_NOT_SUPPORTED || code == NVML_ERROR_FUNCTION_NOT_FOUND ||
	       code == NVML_ERROR_INVALID_ARGUMENT || code == NVML_ERROR_INSUFFICIENT_SIZE;
}

static int read_gi_placements(struct gs_nvml *nvml, nvml_device device, unsigned id, struct gs_arena *a, struct gs_profile *profile)
{
	struct nvml_placement places[GS_PLACEMENTS_MAX];
	unsigned n = 0;
	int code = GS_NVML_CALL(nvml, gi_placements, device, id, NULL, &n);

	if (code != NVML_SUCCESS && code != NVML_ERROR_INSUFFICIENT_SIZE)
		return code;
	if (n > GS_PLACEMENTS_MAX)
		return NVML_ERROR_INSUFFICIENT_SIZE;
	code = n ? GS_NVML_CALL(nvml, gi_placements, device, id, places, &n) : NVML_SUCCESS;
	if (code == NVML_SUCCESS && n <= GS_PLACEMENTS_MAX)
		profile->n_placements = take_spans(a, places, n, &profile->placements);
	return code;
}

static int read_ci_placements(struct gs_nvml *nvml, nvml_gi gi, unsigned id, struct gs_arena *a, struct gs_compute_profile *profile)
{
	struct nvml_placement places[GS_PLACEMENTS_MAX];
	unsigned n = 0;
	int code = GS_NVML_CALL(nvml, ci_placements, gi, id, NULL, &n);

	if (code != NVML_SUCCESS && code != NVML_ERROR_INSUFFICIENT_SIZE)
		return code;
	if (n > GS_PLACEMENTS_MAX)
		return NVML_ERROR_INSUFFICIENT_SIZE;
	code = n ? GS_NVML_CALL(nvml, ci_placements, gi, id, places, &n) : NVML_SUCCESS;
	if (code == NVML_SUCCESS && n <= GS_PLACEMENTS_MAX)
		profile->n_placements = take_spans(a, places, n, &profile->placements);
	return code;
}

/*
 * nvidia-smi's way of naming, for drivers too old to give names. What is
 * behind the size is the enum's (interfaces 5.3); 9 is the one with twice the
 * memory, which its size tells. An index that is not there gets a name that
 * nothing else has.
 */
static const char *made_up_name(struct gs_arena *a, const struct row *row, unsigned i)
{
	static const char *const suffixes[] = {
		"", "", "", "", "", "", "", "+me", "+me", "", "+gfx", "+gfx", "+gfx", "-me", "-me", "+me.all", "+me.all", "+gfx",
	};
	unsigned long long gb = (row->memory_mb + 1023) / 1024;

	if (i >= GS_ARRAY_SIZE(suffixes))
		return gs_arena_printf(a, "%ug.%llugb+%u", row->slices, gb, i);
	return gs_arena_printf(a, "%ug.%llugb%s", row->slices, gb, suffixes[i]);
}

static void fill_profile(struct known *k, const struct gs_gpu_model *model, const struct row *row, unsigned i, struct gs_profile *p)
{
	const struct gs_profile *listed = model ? gs_profile_by_id(&model->profiles, row->id) : NULL;

	if (row->name[0])
		p->name = gs_arena_strdup(k->arena, row->name);
	else if (listed)
		p->name = gs_arena_strdup(k->arena, listed->name);
	else
		p->name = made_up_name(k->arena, row, i);
	p->id = GS_U32(row->id);
	p->nvml_profile = GS_U32(i);
	p->compute_slices = row->slices;
	p->memory_bytes = GS_U64((uint64_t)row->memory_mb << 20);
	p->sm_count = GS_U32(row->sm_count);
	for (unsigned n = 0; n < GS_ENGINE_MAX; n++)
		p->engines[n] = GS_U32(row->engines[n]);
	p->max_instances = row->instances;
}

/* Places and compute profiles that the driver did not give us. */
static void fill_from_catalogue(struct known *k, const struct gs_gpu_model *model, bool needs_places)
{
	for (size_t i = 0; model && i < k->set.n; i++) {
		const struct gs_profile *listed = k->items[i].name ? gs_profile_by_name(&model->profiles, k->items[i].name) : NULL;

		if (!listed)
			continue;
		if (needs_places && !k->items[i].n_placements) {
			k->items[i].placements = listed->placements;
			k->items[i].n_placements = listed->n_placements;
		}
		k->items[i].compute = listed->compute;
		k->items[i].n_compute = listed->n_compute;
	}
}

static uint32_t units_of(const struct gs_profile *p)
{
	return p->n_placements ? p->placements[0].size : 0;
}

/* Small to large, plain before suffixed. */
static int profile_compare(const void *a, const void *b)
{
	const struct gs_profile *x = a, *y = b;
	const char *sx = gs_profile_suffix(x), *sy = gs_profile_suffix(y);

	if (x->compute_slices != y->compute_slices)
		return x->compute_slices < y->compute_slices ? -1 : 1;
	if (units_of(x) != units_of(y))
		return units_of(x) < units_of(y) ? -1 : 1;
	if (!*sx != !*sy)
		return *sx ? 1 : -1;
	return strcmp(x->name ? x->name : "", y->name ? y->name : "");
}

static void measure(struct gs_profile_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct gs_profile *p = &set->items[i];

		for (size_t n = 0; n < p->n_placements; n++) {
			if (p->placements[n].start + p->placements[n].size > set->memory_units)
				set->memory_units = p->placements[n].start + p->placements[n].size;
		}
		if (p->compute_slices > set->compute_slices)
			set->compute_slices = p->compute_slices;
		if (p->max_instances > set->max_instances)
			set->max_instances = p->max_instances;
	}
}

static int read_set(struct gs_mig_profiles *m, struct known *k, const struct gs_mig_subject *subject)
{
	const struct gs_gpu_model *model = m->catalogue && subject->pci_id ? gs_catalogue_by_pci(m->catalogue, subject->pci_id, subject->subsystem_id) : NULL;
	bool needs_places = false;

	k->items = gs_arena_calloc(k->arena, GS_PROFILES_MAX, sizeof(*k->items));
	if (!k->items)
		return NVML_ERROR_MEMORY;
	for (unsigned i = 0; i < NVML_GI_PROFILE_LOOP && k->set.n < GS_PROFILES_MAX; i++) {
		struct row row;
		int code = read_gi_profile(m->nvml, subject->device, i, &row);

		if (code == NVML_ERROR_NOT_SUPPORTED)
			continue;
		/* past the library's end, or a library that knows nothing of profiles */
		if (code == NVML_ERROR_INVALID_ARGUMENT || code == NVML_ERROR_FUNCTION_NOT_FOUND)
			break;
		if (code != NVML_SUCCESS)
			return code;
		fill_profile(k, model, &row, i, &k->items[k->set.n]);
		code = read_gi_placements(m->nvml, subject->device, row.id, k->arena, &k->items[k->set.n]);
		if (!is_lasting(code))
			return code;
		needs_places = needs_places || code != NVML_SUCCESS;
		k->set.n++;
	}
	k->set.source = !k->set.n ? GS_PROFILES_UNKNOWN : needs_places && model ? GS_PROFILES_CATALOGUE : GS_PROFILES_DRIVER;
	fill_from_catalogue(k, model, needs_places);
	if (k->set.n)
		qsort(k->items, k->set.n, sizeof(*k->items), profile_compare);
	k->set.items = k->items;
	measure(&k->set);
	if (model && k->set.n)
		k->set.max_instances = model->profiles.max_instances;
	return gs_arena_has_failed(k->arena) ? NVML_ERROR_MEMORY : NVML_SUCCESS;
}

static struct known **find_known(struct gs_mig_profiles *m, struct gs_bdf bdf)
{
	for (size_t i = 0; i < m->n; i++) {
		if (gs_bdf_compare(m->known[i]->bdf, bdf) == 0)
			return &m->known[i];
	}
	return NULL;
}

int gs_mig_profiles_get(struct gs_mig_profiles *m, const struct gs_mig_subject *subject, const struct gs_profile_set **ret_set)
{
	struct known **slot = find_known(m, subject->bdf);
	struct known *k;
	int code;

	if (slot && (*slot)->is_mig_on == subject->is_mig_on && gs_str_equal((*slot)->uuid, subject->uuid)) {
		*ret_set = &(*slot)->set;
		return NVML_SUCCESS;
	}
	if (!slot && m->n == GPUS_MAX)
		return NVML_ERROR_MEMORY;
	k = calloc(1, sizeof(*k));
	if (!k)
		return NVML_ERROR_MEMORY;
	k->arena = gs_arena_new();
	k->bdf = subject->bdf;
	k->uuid = subject->uuid ? strdup(subject->uuid) : NULL;
	k->is_mig_on = subject->is_mig_on;
	code = k->arena && (k->uuid || !subject->uuid) ? read_set(m, k, subject) : NVML_ERROR_MEMORY;
	if (code != NVML_SUCCESS) {
		known_free(k);
		return code;
	}
	if (slot) {
		known_free(*slot);
		*slot = k;
	} else {
		m->known[m->n++] = k;
	}
	*ret_set = &k->set;
	return NVML_SUCCESS;
}

static int compute_compare(const void *a, const void *b)
{
	const struct gs_compute_profile *x = a, *y = b;

	if (x->compute_slices != y->compute_slices)
		return x->compute_slices < y->compute_slices ? -1 : 1;
	return strcmp(x->name ? x->name : "", y->name ? y->name : "");
}

/* The one that fills the GI has the GI's own name; drivers too old for names: as many slices. */
static void mark_default(struct gs_compute_profile *items, size_t n, const struct gs_profile *gi)
{
	for (size_t i = 0; i < n; i++) {
		if (gs_str_equal(items[i].name, gi->name)) {
			items[i].is_default = true;
			return;
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (items[i].compute_slices == gi->compute_slices) {
			items[i].is_default = true;
			return;
		}
	}
}

int gs_mig_profiles_learn(struct gs_mig_profiles *m, const struct gs_mig_subject *subject, const struct gs_profile *profile, nvml_gi gi)
{
	struct known **slot = find_known(m, subject->bdf);
	struct gs_compute_profile *items;
	struct gs_profile *own;
	size_t n = 0, at;

	if (!slot || profile < (*slot)->items || profile >= (*slot)->items + (*slot)->set.n)
		return NVML_SUCCESS;
	at = (size_t)(profile - (*slot)->items);
	own = &(*slot)->items[at];
	if ((*slot)->has_compute[at])
		return NVML_SUCCESS;
	items = gs_arena_calloc((*slot)->arena, NVML_CI_PROFILE_LOOP, sizeof(*items));
	if (!items)
		return NVML_ERROR_MEMORY;
	for (unsigned i = 0; i < NVML_CI_PROFILE_LOOP; i++) {
		struct gs_compute_profile *c = &items[n];
		const struct gs_compute_profile *listed;
		struct row row;
		int code = read_ci_profile(m->nvml, gi, i, &row);

		if (code == NVML_ERROR_NOT_SUPPORTED)
			continue;
		if (code == NVML_ERROR_INVALID_ARGUMENT)
			break;
		if (code != NVML_SUCCESS)
			return code;
		if (row.name[0])
			c->name = gs_arena_strdup((*slot)->arena, row.name);
		else if (row.slices == own->compute_slices)
			c->name = own->name;
		else
			c->name = gs_arena_printf((*slot)->arena, "%uc.%s", row.slices, own->name);
		c->id = GS_U32(row.id);
		c->compute_slices = row.slices;
		c->sm_count = GS_U32(row.sm_count);
		c->max_instances = row.instances;
		code = read_ci_placements(m->nvml, gi, row.id, (*slot)->arena, c);
		if (!is_lasting(code))
			return code;
		listed = c->name ? gs_compute_profile_by_name(own, c->name) : NULL;
		if (!c->n_placements && listed) {
			c->placements = listed->placements;
			c->n_placements = listed->n_placements;
		}
		n += c->name ? 1 : 0;
	}
	if (!n)
		return NVML_SUCCESS;
	mark_default(items, n, own);
	qsort(items, n, sizeof(*items), compute_compare);
	own->compute = items;
	own->n_compute = n;
	(*slot)->has_compute[at] = true;
	return NVML_SUCCESS;
}

static const struct gs_compute_profile *copy_compute(struct gs_arena *a, const struct gs_compute_profile *from, size_t n)
{
	struct gs_compute_profile *to = n ? gs_arena_memdup(a, from, n * sizeof(*from)) : NULL;

	for (size_t i = 0; to && i < n; i++) {
		to[i].name = gs_arena_strdup(a, from[i].name);
		to[i].placements = from[i].n_placements ? gs_arena_memdup(a, from[i].placements, from[i].n_placements * sizeof(*from[i].placements)) : NULL;
	}
	return to;
}

int gs_profile_set_copy(struct gs_arena *a, const struct gs_profile_set *set, struct gs_profile_set *ret_set)
{
	struct gs_profile *items = set->n ? gs_arena_memdup(a, set->items, set->n * sizeof(*set->items)) : NULL;

	for (size_t i = 0; items && i < set->n; i++) {
		const struct gs_profile *from = &set->items[i];

		items[i].name = gs_arena_strdup(a, from->name);
		items[i].placements = from->n_placements ? gs_arena_memdup(a, from->placements, from->n_placements * sizeof(*from->placements)) : NULL;
		items[i].compute = copy_compute(a, from->compute, from->n_compute);
	}
	if (gs_arena_has_failed(a))
		return -ENOMEM;
	*ret_set = *set;
	ret_set->items = items;
	return 0;
}
