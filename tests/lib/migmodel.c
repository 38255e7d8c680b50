/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/lib/migmodel.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "tests/lib/cmocka.h"

uint32_t migmodel_pick(uint64_t *state, uint32_t below)
{
	/* xorshift64*: repeatable everywhere */
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)((*state * 2685821657736338717ull) >> 33) % below;
}

/* ---------------------------------------------------------------- a model */

static uint32_t number(struct json_object *o, const char *key)
{
	return (uint32_t)json_object_get_int(json_object_object_get(o, key));
}

static void read_places(struct json_object *o, struct migmodel_profile *p)
{
	struct json_object *list = json_object_object_get(o, "placements");

	snprintf(p->name, sizeof(p->name), "%s", json_object_get_string(json_object_object_get(o, "name")));
	p->id = number(o, "id");
	p->max_instances = number(o, "max_instances");
	p->is_default = json_object_get_boolean(json_object_object_get(o, "default"));
	p->n_starts = json_object_array_length(list);
	assert_in_range(p->n_starts, 1, MIGMODEL_PLACES_MAX);
	for (size_t i = 0; i < p->n_starts; i++) {
		p->starts[i] = number(json_object_array_get_idx(list, i), "start");
		p->size = number(json_object_array_get_idx(list, i), "size");
	}
}

static void read_engines(struct json_object *o, uint32_t *engines, uint32_t unknown)
{
	static const char *const names[MIGMODEL_ENGINES] = { "decoder", "encoder", "jpeg", "ofa" };

	for (size_t i = 0; i < MIGMODEL_ENGINES; i++) {
		struct json_object *n = json_object_object_get(json_object_object_get(o, "engines"), names[i]);

		engines[i] = n ? (uint32_t)json_object_get_int(n) : unknown;
	}
}

static void read_profile(struct json_object *o, struct migmodel_profile *p)
{
	struct json_object *list = json_object_object_get(o, "compute");
	size_t n = list ? json_object_array_length(list) : 0;

	read_places(o, p);
	read_engines(o, p->engines, 0);
	p->n_compute = n ? n : 1;
	p->compute = calloc(p->n_compute, sizeof(*p->compute));
	for (size_t i = 0; i < n; i++)
		read_places(json_object_array_get_idx(list, i), &p->compute[i]);
	if (!n) {
		/* nobody has published them; the one that fills the GI is on every board */
		*p->compute = (struct migmodel_profile){ .size = number(o, "compute_slices"), .max_instances = 1, .n_starts = 1, .is_default = true };
		memcpy(p->compute->name, p->name, sizeof(p->name));
	}
}

struct migmodel *migmodel_read(const char *name)
{
	GS_JSON struct json_object *o = gs_simhost_model(name);
	struct json_object *list = json_object_object_get(o, "profiles");
	struct migmodel *m = calloc(1, sizeof(*m));

	m->name = name;
	m->n = json_object_array_length(list);
	m->has_compute = true;
	read_engines(o, m->engines, UINT32_MAX);
	assert_in_range(m->n, 1, MIGMODEL_PROFILES_MAX);
	for (size_t i = 0; i < m->n; i++) {
		struct json_object *profile = json_object_array_get_idx(list, i), *compute = json_object_object_get(profile, "compute");

		read_profile(profile, &m->profiles[i]);
		m->has_compute = m->has_compute && compute && json_object_array_length(compute);
	}
	return m;
}

struct migmodel *migmodel_free(struct migmodel *m)
{
	for (size_t i = 0; m && i < m->n; i++)
		free(m->profiles[i].compute);
	free(m);
	return NULL;
}

const struct migmodel_profile *migmodel_profile_by_name(const struct migmodel *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->profiles[i].name, name) == 0)
			return &m->profiles[i];
	fail_msg("%s has no %s", m->name, name);
	return NULL;
}

/* ---------------------------------------------------------------- random layouts */

static uint64_t units(uint32_t start, uint32_t size)
{
	return ((1ull << size) - 1) << start;
}

static bool engines_suffice(const struct migmodel *m, const struct migmodel_gi *gis, size_t n, const struct migmodel_profile *more)
{
	for (size_t engine = 0; engine < MIGMODEL_ENGINES; engine++) {
		uint32_t sum = more->engines[engine];

		for (size_t i = 0; i < n; i++)
			sum += gis[i].profile->engines[engine];
		if (sum > m->engines[engine])
			return false;
	}
	return true;
}

/* Usually the one that fills it; else any that fit, or none. Sorted by slice. */
static void random_compute(struct migmodel_gi *gi, uint64_t *state)
{
	uint64_t taken = 0;

	gi->n_cis = 0;
	if (migmodel_pick(state, 3)) {
		for (size_t i = 0; i < gi->profile->n_compute; i++)
			if (gi->profile->compute[i].is_default)
				gi->cis[gi->n_cis++] = (struct migmodel_ci){ &gi->profile->compute[i], gi->profile->compute[i].starts[0] };
		assert_int_equal(gi->n_cis, 1);
		return;
	}
	for (unsigned tries = migmodel_pick(state, 12); tries && gi->n_cis < MIGMODEL_CIS_MAX; tries--) {
		const struct migmodel_profile *p = &gi->profile->compute[migmodel_pick(state, (uint32_t)gi->profile->n_compute)];
		uint32_t start = p->starts[migmodel_pick(state, (uint32_t)p->n_starts)], same = 0;
		size_t at = gi->n_cis;

		for (size_t i = 0; i < gi->n_cis; i++)
			same += gi->cis[i].profile == p;
		if (taken & units(start, p->size) || same >= p->max_instances)
			continue;
		taken |= units(start, p->size);
		for (; at && gi->cis[at - 1].start > start; at--)
			gi->cis[at] = gi->cis[at - 1];
		gi->cis[at] = (struct migmodel_ci){ p, start };
		gi->n_cis++;
	}
}

static void random_gpu(const struct migmodel *m, uint64_t *state, struct migmodel_layout *l, unsigned gpu)
{
	struct migmodel_gi *gis = l->gpus[gpu].gis;
	size_t n = 0;
	uint64_t taken = 0;

	for (unsigned tries = migmodel_pick(state, 24); tries && n < MIGMODEL_GIS_MAX; tries--) {
		const struct migmodel_profile *p = &m->profiles[migmodel_pick(state, (uint32_t)m->n)];
		uint32_t start = p->starts[migmodel_pick(state, (uint32_t)p->n_starts)], same = 0;
		size_t at = n;

		for (size_t i = 0; i < n; i++)
			same += gis[i].profile == p;
		if (taken & units(start, p->size) || same >= p->max_instances || !engines_suffice(m, gis, n, p))
			continue;
		taken |= units(start, p->size);
		for (; at && gis[at - 1].start > start; at--)
			gis[at] = gis[at - 1];
		gis[at] = (struct migmodel_gi){ .profile = p, .start = start };
		random_compute(&gis[at], state);
		n++;
	}
	l->gpus[gpu].n = n;
}

struct migmodel_layout migmodel_random(const struct migmodel *m, unsigned n_gpus, uint64_t *state)
{
	struct migmodel_layout l = { .n_gpus = n_gpus };

	for (unsigned gpu = 0; gpu < n_gpus; gpu++)
		random_gpu(m, state, &l, gpu);
	return l;
}

struct migmodel_layout migmodel_random_change(const struct migmodel *m, const struct migmodel_layout *from, uint64_t *state)
{
	struct migmodel_layout l = *from;

	if (migmodel_pick(state, 2))
		return migmodel_random(m, from->n_gpus, state);
	random_gpu(m, state, &l, migmodel_pick(state, l.n_gpus));
	return l;
}

const struct migmodel_gi *migmodel_gi_in(const struct migmodel_layout *l, unsigned gpu, const struct migmodel_gi *like)
{
	for (size_t i = 0; i < l->gpus[gpu].n; i++)
		if (l->gpus[gpu].gis[i].profile == like->profile && l->gpus[gpu].gis[i].start == like->start)
			return &l->gpus[gpu].gis[i];
	return NULL;
}

size_t migmodel_ci_index(const struct migmodel_gi *gi, const struct migmodel_ci *like)
{
	for (size_t i = 0; i < gi->n_cis; i++)
		if (gi->cis[i].profile == like->profile && gi->cis[i].start == like->start)
			return i;
	return MIGMODEL_CIS_MAX;
}

/* ---------------------------------------------------------------- the same as text */

static void place_text(struct gs_strbuf *b, const char *profile, uint32_t start)
{
	gs_strbuf_printf(b, "\"profile\":\"%s\",\"start\":%" PRIu32, profile, start);
}

static void gi_text(struct gs_strbuf *b, const struct migmodel_gi *gi)
{
	gs_strbuf_puts(b, "{\"kind\":\"mig\",");
	place_text(b, gi->profile->name, gi->start);
	gs_strbuf_puts(b, ",\"on\":null,\"vf\":null,\"uuid\":null,\"params\":{},\"compute\":[");
	for (size_t i = 0; i < gi->n_cis; i++) {
		gs_strbuf_puts(b, i ? ",{" : "{");
		place_text(b, gi->cis[i].profile->name, gi->cis[i].start);
		gs_strbuf_puts(b, "}");
	}
	gs_strbuf_puts(b, "]}");
}

char *migmodel_layout_text(struct gs_simhost *h, const struct migmodel_layout *l)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;

	gs_strbuf_puts(&b, "{\"schema\":\"gpuslice.layout/1\",\"gpus\":[");
	for (unsigned gpu = 0; gpu < l->n_gpus; gpu++) {
		struct gs_simhost_gpu id = gs_simhost_gpu(h, gpu);

		gs_strbuf_printf(&b, "%s{\"match\":{\"uuid\":\"%s\",\"bdf\":\"%s\",\"pci_id\":\"%s\",\"subsystem_id\":\"%s\"},", gpu ? "," : "", id.uuid, id.bdf,
				 id.pci_id, id.subsystem_id);
		gs_strbuf_puts(&b, "\"mode\":\"mig\",\"settings\":{},\"vfs\":null,\"instances\":[");
		for (size_t i = 0; i < l->gpus[gpu].n; i++) {
			gs_strbuf_puts(&b, i ? "," : "");
			gi_text(&b, &l->gpus[gpu].gis[i]);
		}
		gs_strbuf_puts(&b, "]}");
	}
	gs_strbuf_puts(&b, "]}");
	return gs_strbuf_take(&b);
}

char *migmodel_script_text(struct gs_simhost *h, const struct migmodel_layout *l, uint64_t *state)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;

	for (unsigned gpu = 0; gpu < l->n_gpus; gpu++) {
		const char *name = gs_simhost_gpu(h, gpu).bdf;
		size_t n = l->gpus[gpu].n, first = n ? migmodel_pick(state, (uint32_t)n) : 0;
		bool all = migmodel_pick(state, 2);

		if (all)
			gs_strbuf_printf(&b, "delete %s all\n", name);
		for (size_t i = 0; i < n; i++) {
			const struct migmodel_gi *gi = &l->gpus[gpu].gis[(first + i) % n];

			gs_strbuf_printf(&b, "create %s %s at %" PRIu32 " ci%s", name, gi->profile->name, gi->start, gi->n_cis ? "" : " none");
			for (size_t k = 0; k < gi->n_cis; k++)
				gs_strbuf_printf(&b, "%s%s@%" PRIu32, k ? "," : " ", gi->cis[k].profile->name, gi->cis[k].start);
			gs_strbuf_puts(&b, "\n");
		}
		if (!all)
			gs_strbuf_printf(&b, "delete %s rest\n", name);
	}
	return gs_strbuf_take(&b);
}

char *migmodel_request_text(struct gs_simhost *h, const struct migmodel_layout *l, uint64_t *state)
{
	return migmodel_pick(state, 2) ? migmodel_layout_text(h, l) : migmodel_script_text(h, l, state);
}
