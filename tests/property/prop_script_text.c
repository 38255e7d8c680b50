/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is formatted parses back to the same statements, and random bytes are
 * either refused or parse to something that formats to itself.
 *
 *	prop_script_text [SEED [ROUNDS]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "codec/script_text.h"

#define LIST_MAX 12

struct random {
	uint64_t state;
};

/* splitmix64: the same numbers everywhere */
static uint64_t next(struct random *r)
{
	uint64_t z = (r->state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint32_t below(struct random *r, uint32_t n)
{
	return (uint32_t)(next(r) % n);
}

static const char *one_of(struct random *r, const char *const *words, uint32_t n)
{
	return words[below(r, n)];
}

static const char *const uuids[] = { "c0ffee00-0000-4000-8000-00000000000a", "01234567-89ab-cdef-0123-456789abcdef" };
static const char *const profiles[] = { "3g.40gb", "1g.10gb+me", "1g.10gb-me", "1c.3g.40gb", "L40S-24Q", "RTX Pro 6000 Blackwell DC-1-24QGFX", "at3", "0" };
static const char *const texts[] = { "a", "night shift", "x\"y", "back\\slash", "\xc3\xa4\xe2\x82\xac", "#", ";", "a,b", "a/b", "\\\"", " ", "'$(x)'", "*H[12]00?" };

/* Values of parameters: anything printable without blank and comma. */
static const char *const values[] = { "0", "60", "x\"y", "back\\slash", "#", ";a", "a/b", "k=v", "=", "\"", "'$(x)'", "param" };
static const char *const params[LIST_MAX] = { "frame_rate_limiter", "disable_vnc", "plugin0.loglevel", "Key", "a-b", "0", "vf", "uuid", "param", "at", "x_", "none" };

static void random_gpu(struct random *r, struct gs_gpu_selector *gpu)
{
	static const char *const prefixes[] = { "GPU-a", "GPU-0123-", "GPU-c0ffee00-0000-4000-8000-00000000000a" };

	memset(gpu, 0, sizeof(*gpu));
	gpu->kind = (enum gs_gpu_selector_kind)below(r, GS_SELECT_GPU_ALL + 1);
	switch (gpu->kind) {
	case GS_SELECT_GPU_RANGE:
		gpu->first = below(r, 4096);
		gpu->last = gpu->first + below(r, 2) * below(r, 4096 - gpu->first);
		break;
	case GS_SELECT_GPU_BDF:
		gpu->bdf = (struct gs_bdf){ below(r, 0x10000), (uint8_t)below(r, 256), (uint8_t)below(r, 32), (uint8_t)below(r, 8) };
		break;
	case GS_SELECT_GPU_UUID:
		gpu->text = one_of(r, prefixes, GS_ARRAY_SIZE(prefixes));
		break;
	case GS_SELECT_GPU_MODEL:
		gpu->text = one_of(r, texts, GS_ARRAY_SIZE(texts));
		break;
	case GS_SELECT_GPU_ALL:
		break;
	}
}

static void random_instance(struct random *r, struct gs_instance_selector *inst)
{
	memset(inst, 0, sizeof(*inst));
	inst->kind = (enum gs_instance_selector_kind)below(r, GS_SELECT_ALL);
	switch (inst->kind) {
	case GS_SELECT_AT:
		inst->profile = one_of(r, profiles, GS_ARRAY_SIZE(profiles));
		inst->number = below(r, 64);
		break;
	case GS_SELECT_VF:
		if (below(r, 2)) {
			inst->text = "0000:1b:00.4";
			inst->bdf = (struct gs_bdf){ 0, 0x1b, 0, 4 };
		} else
			inst->number = below(r, 65536);
		break;
	case GS_SELECT_MDEV:
		inst->text = one_of(r, uuids, GS_ARRAY_SIZE(uuids));
		break;
	case GS_SELECT_UUID:
		inst->text = "MIG-c0ffee00-0000-4000-8000-00000000000a";
		break;
	default:
		inst->kind = GS_SELECT_GI;
		inst->number = below(r, 65536);
		break;
	}
}

struct made {
	struct gs_statement st;
	struct gs_instance_selector instances[LIST_MAX];
	struct gs_ci_request cis[LIST_MAX];
	struct gs_gpu_selector targets[LIST_MAX];
	struct gs_key_value params[LIST_MAX];
};

static void random_create(struct random *r, struct made *m)
{
	struct gs_statement *st = &m->st;

	st->profile = one_of(r, profiles, GS_ARRAY_SIZE(profiles));
	if (below(r, 2))
		st->at = GS_U32(below(r, 65535));
	if (below(r, 2))
		st->count = 1 + below(r, 64);
	st->count_adds = below(r, 2);
	st->ci = below(r, 3);
	st->n_cis = st->ci == GS_CI_LIST ? 1 + below(r, LIST_MAX) : 0;
	for (size_t i = 0; i < st->n_cis; i++) {
		m->cis[i].profile = one_of(r, profiles, GS_ARRAY_SIZE(profiles));
		m->cis[i].start = below(r, 2) ? GS_U32(below(r, 64)) : GS_U32_UNKNOWN;
	}
	if (below(r, 4) == 0) {
		st->vf_number = below(r, 2) ? GS_U32(17) : GS_U32_UNKNOWN;
		st->vf = st->vf_number.known ? "17" : "0001:1b:1f.7";
		if (!st->vf_number.known)
			st->vf_bdf = (struct gs_bdf){ 1, 0x1b, 0x1f, 7 };
	}
	st->n_params = below(r, 2) * below(r, LIST_MAX + 1);
	for (size_t i = 0, first = below(r, LIST_MAX); i < st->n_params; i++)
		m->params[i] = (struct gs_key_value){ params[(first + i) % LIST_MAX], one_of(r, values, GS_ARRAY_SIZE(values)) };
	if (below(r, 4) == 0)
		st->uuid = one_of(r, uuids, GS_ARRAY_SIZE(uuids));
}

static void random_instances(struct random *r, struct made *m)
{
	struct gs_statement *st = &m->st;

	st->n_instances = st->verb == GS_VERB_DELETE ? 1 + below(r, LIST_MAX) : 1;
	for (size_t i = 0; i < st->n_instances; i++)
		random_instance(r, &m->instances[i]);
	if (st->n_instances > 1 || st->verb == GS_VERB_MOVE || below(r, 3))
		return;
	memset(&m->instances[0], 0, sizeof(m->instances[0]));
	m->instances[0].kind = st->verb == GS_VERB_DELETE && below(r, 2) ? GS_SELECT_REST : GS_SELECT_ALL;
}

static void random_statement(struct random *r, struct made *m)
{
	static const char *const keys[] = { "scheduler", "compute-partition", "vram_quota", "a.b" };
	struct gs_statement *st = &m->st;

	memset(m, 0, sizeof(*m));
	st->instances = m->instances;
	st->cis = m->cis;
	st->targets = m->targets;
	st->params = m->params;
	st->count = 1;
	st->mode = GS_MODE_INVALID;
	st->verb = (enum gs_verb)below(r, GS_VERB_MAX);
	random_gpu(r, &st->gpu);
	if ((st->verb == GS_VERB_CREATE || st->verb == GS_VERB_DELETE || st->verb == GS_VERB_SET) && below(r, 2)) {
		st->has_inside = true;
		random_instance(r, &st->inside);
	}
	if (st->verb == GS_VERB_MODE)
		st->mode = (enum gs_mode)below(r, GS_MODE_MAX);
	if (st->verb == GS_VERB_CREATE)
		random_create(r, m);
	if (st->verb == GS_VERB_DELETE || st->verb == GS_VERB_MOVE || st->verb == GS_VERB_RECREATE)
		random_instances(r, m);
	if (st->verb == GS_VERB_MOVE)
		st->at = GS_U32(below(r, 64));
	if (st->verb == GS_VERB_COPY || st->verb == GS_VERB_USE) {
		st->n_targets = 1 + below(r, LIST_MAX);
		for (size_t i = 0; i < st->n_targets; i++)
			random_gpu(r, &m->targets[i]);
	}
	if (st->verb == GS_VERB_USE) {
		st->gpu = m->targets[0];
		st->text = one_of(r, texts, GS_ARRAY_SIZE(texts));
	}
	if (st->verb == GS_VERB_VFS) {
		st->vfs = below(r, 2) ? GS_U32(12) : GS_U32_UNKNOWN;
		st->text = st->vfs.known ? "12" : "all";
	}
	if (st->verb == GS_VERB_SET && st->has_inside) {
		st->text = one_of(r, params, GS_ARRAY_SIZE(params));
		st->value = one_of(r, values, GS_ARRAY_SIZE(values));
	} else if (st->verb == GS_VERB_SET) {
		st->text = one_of(r, keys, GS_ARRAY_SIZE(keys));
		st->value = below(r, 8) ? one_of(r, texts, GS_ARRAY_SIZE(texts)) : "";
	}
}

static bool same_gpu(const struct gs_gpu_selector *a, const struct gs_gpu_selector *b)
{
	return a->kind == b->kind && a->first == b->first && a->last == b->last && gs_bdf_compare(a->bdf, b->bdf) == 0 &&
	       gs_str_equal(a->text, b->text);
}

static bool same_instance(const struct gs_instance_selector *a, const struct gs_instance_selector *b)
{
	return a->kind == b->kind && a->number == b->number && gs_str_equal(a->profile, b->profile) && gs_str_equal(a->text, b->text) &&
	       gs_bdf_compare(a->bdf, b->bdf) == 0;
}

static bool same_lists(const struct gs_statement *a, const struct gs_statement *b)
{
	if (a->n_instances != b->n_instances || a->n_cis != b->n_cis || a->n_targets != b->n_targets || a->n_params != b->n_params)
		return false;
	for (size_t i = 0; i < a->n_instances; i++) {
		if (!same_instance(&a->instances[i], &b->instances[i]))
			return false;
	}
	for (size_t i = 0; i < a->n_cis; i++) {
		if (!gs_str_equal(a->cis[i].profile, b->cis[i].profile) || !gs_u32_equal(a->cis[i].start, b->cis[i].start))
			return false;
	}
	for (size_t i = 0; i < a->n_params; i++) {
		if (!gs_str_equal(a->params[i].key, b->params[i].key) || !gs_str_equal(a->params[i].value, b->params[i].value))
			return false;
	}
	for (size_t i = 0; i < a->n_targets; i++) {
		if (!same_gpu(&a->targets[i], &b->targets[i]))
			return false;
	}
	return true;
}

static bool same(const struct gs_statement *a, const struct gs_statement *b)
{
	return a->verb == b->verb && same_gpu(&a->gpu, &b->gpu) && a->has_inside == b->has_inside &&
	       (!a->has_inside || same_instance(&a->inside, &b->inside)) && gs_str_equal(a->profile, b->profile) && gs_u32_equal(a->at, b->at) &&
	       a->count == b->count && a->count_adds == b->count_adds && a->ci == b->ci && gs_str_equal(a->vf, b->vf) &&
	       gs_u32_equal(a->vf_number, b->vf_number) && gs_bdf_compare(a->vf_bdf, b->vf_bdf) == 0 && gs_u32_equal(a->vfs, b->vfs) &&
	       gs_str_equal(a->uuid, b->uuid) && a->mode == b->mode && gs_str_equal(a->text, b->text) && gs_str_equal(a->value, b->value) &&
	       same_lists(a, b);
}

static bool round_trip(struct random *r)
{
	GS_CLEANUP(gs_script_freep) struct gs_script *script = NULL;
	struct made m;
	struct gs_error e = { 0 };
	GS_FREE char *text = NULL, *again = NULL;

	random_statement(r, &m);
	text = gs_statement_format(&m.st);
	if (!text || gs_script_parse(text, strlen(text), "x", &script, &e) < 0 || script->n != 1 || !same(&m.st, &script->items[0])) {
		printf("# does not come back: %s\n# %u: %s\n", text, e.column, e.text);
		return false;
	}
	again = gs_statement_format(&script->items[0]);
	if (!gs_str_equal(text, again))
		printf("# two spellings: %s and %s\n", text, again);
	return gs_str_equal(text, again);
}

/* Statements with a few bytes exchanged, cut or doubled: whatever is accepted has a stable spelling. */
static bool survives_damage(struct random *r)
{
	static const char bytes[] = "\"\\#;,@/:+- \t\r\n0a\x7f\x01\xc3\xa4\xff";
	GS_CLEANUP(gs_script_freep) struct gs_script *first = NULL, *second = NULL;
	struct made m;
	GS_FREE char *text = NULL, *once = NULL, *twice = NULL;
	size_t n;

	random_statement(r, &m);
	text = gs_statement_format(&m.st);
	if (!text)
		return false;
	n = strlen(text);
	for (uint32_t i = 1 + below(r, 3); i > 0; i--)
		text[below(r, (uint32_t)n)] = bytes[below(r, sizeof(bytes))];
	if (below(r, 4) == 0)
		n = below(r, (uint32_t)n + 1);
	if (gs_script_parse(text, n, "x", &first, NULL) < 0)
		return true;
	once = gs_script_format(first);
	if (!once || gs_script_parse(once, strlen(once), "x", &second, NULL) < 0) {
		printf("# accepted, but its spelling is not: %s -> %s\n", text, once);
		return false;
	}
	twice = gs_script_format(second);
	if (!gs_str_equal(once, twice))
		printf("# no stable spelling: %s -> %s -> %s\n", text, once, twice);
	return gs_str_equal(once, twice);
}

int main(int argc, char **argv)
{
	uint64_t seed = 20240607, rounds = 20000;
	struct random r;

	if ((argc > 1 && gs_parse_u64(argv[1], 10, &seed) < 0) || (argc > 2 && gs_parse_u64(argv[2], 10, &rounds) < 0)) {
		fprintf(stderr, "usage: %s [SEED [ROUNDS]]\n", argv[0]);
		return 2;
	}
	printf("# seed %llu, %llu rounds\n", (unsigned long long)seed, (unsigned long long)rounds);
	r.state = seed;
	for (uint64_t i = 0; i < rounds; i++) {
		if (!round_trip(&r) || !survives_damage(&r)) {
			printf("not ok 1 - statements come back as they were written: round %llu of seed %llu\n", (unsigned long long)i,
			       (unsigned long long)seed);
			return 1;
		}
	}
	printf("ok 1 - statements come back as they were written\n1..1\n");
	return 0;
}
