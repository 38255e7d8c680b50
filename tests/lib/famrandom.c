/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/lib/famrandom.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "tests/lib/famhost.h"

uint32_t fam_pick(uint64_t *state, uint32_t below)
{
	/* xorshift64*: repeatable everywhere */
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)((*state * 2685821657736338717ull) >> 33) % below;
}

/* ---------------------------------------------------------------- one GPU, before and after */

/* What is written of one GPU: as it is in a spec, and as a script that asks for it. */
struct side {
	struct gs_strbuf spec, script;
	enum gs_mode mode;
	uint32_t vfs;
	uint32_t params[8];
	char compute[8], memory[8];
};

static void side_done(struct side *s)
{
	gs_strbuf_done(&s->spec);
	gs_strbuf_done(&s->script);
}

static enum gs_mode pick_mode(const struct fam_board *b, uint64_t *state)
{
	enum gs_mode mode;

	do
		mode = (enum gs_mode)fam_pick(state, GS_MODE_MAX);
	while (!(b->modes & 1u << mode));
	return mode;
}

/* Which slots: ascending, each once. */
static size_t pick_slots(uint64_t *state, uint32_t total, uint32_t most, uint32_t *ret)
{
	size_t n = 0;

	for (uint32_t i = 0; i < total && n < most; i++)
		if (fam_pick(state, 5) == 0)
			ret[n++] = i;
	return n;
}

static void add_time_sliced(struct side *s, unsigned gpu, const struct fam_board *b, uint64_t *state)
{
	const struct fam_type *size;
	uint32_t slots[FAM_SLOTS_MAX];
	char uuid[40];
	size_t n;

	do
		size = &b->types[fam_pick(state, (uint32_t)b->n_types)];
	while (size->gi_profile);
	n = pick_slots(state, b->total_vfs ? b->total_vfs : 9, size->max < 6 ? size->max : 6, slots);
	for (size_t i = 0; i < n; i++) {
		const struct fam_type *t;
		uint32_t limit = fam_pick(state, 4);

		do
			t = &b->types[fam_pick(state, (uint32_t)b->n_types)];
		while (t->mib != size->mib || t->gi_profile);
		gs_strbuf_printf(&s->spec, " %s@%" PRIu32, t->name, slots[i]);
		gs_strbuf_printf(&s->script, "create %u %s", gpu, t->name);
		if (b->total_vfs)
			gs_strbuf_printf(&s->script, " vf %" PRIu32, slots[i]);
		if (b->framework == GS_FRAMEWORK_MDEV) {
			/* a UUID is one instance's on the whole host */
			gs_strbuf_printf(&s->spec, "#%" PRIu32, 100 * (gpu + 1) + slots[i]);
			gs_strbuf_printf(&s->script, " uuid %s", fam_uuid(100 * (gpu + 1) + slots[i], uuid, sizeof(uuid)));
		}
		gs_strbuf_printf(&s->spec, "{limit=%" PRIu32 "}", limit);
		gs_strbuf_printf(&s->script, " param limit=%" PRIu32 "\n", limit);
	}
}

static void add_backed(struct side *s, unsigned gpu, const char *gi, uint32_t start, const char *type, uint32_t *vf, uint64_t *state)
{
	gs_strbuf_printf(&s->spec, " %s@%" PRIu32 "/%" PRIu32, type, *vf, start);
	gs_strbuf_printf(&s->script, "create %u/%s@%" PRIu32 " %s vf %" PRIu32 "\n", gpu, gi, start, type, *vf);
	*vf += 1 + fam_pick(state, 3);
}

static void add_gi(struct side *s, unsigned gpu, const char *gi, uint32_t start, uint32_t *vf, uint64_t *state)
{
	gs_strbuf_printf(&s->spec, " %s@%" PRIu32, gi, start);
	gs_strbuf_printf(&s->script, "create %u %s at %" PRIu32 "\n", gpu, gi, start);
	if (s->mode != GS_MODE_MIG_VGPU || fam_pick(state, 3) == 0)
		return;
	if (strcmp(gi, "2g.48gb") == 0) {
		add_backed(s, gpu, gi, start, "DC-2-48Q", vf, state);
	} else if (fam_pick(state, 2)) {
		add_backed(s, gpu, gi, start, "DC-1-24Q", vf, state);
	} else {
		for (uint32_t i = fam_pick(state, 3); i; i--)
			add_backed(s, gpu, gi, start, "DC-1-12Q", vf, state);
	}
}

static void add_gis(struct side *s, unsigned gpu, uint64_t *state)
{
	uint32_t vf = fam_pick(state, 3);

	for (uint32_t half = 0; half < 12; half += 6) {
		if (fam_pick(state, 3) == 0) {
			add_gi(s, gpu, "2g.48gb", half, &vf, state);
			continue;
		}
		for (uint32_t start = half; start < half + 6; start += 3)
			if (fam_pick(state, 2))
				add_gi(s, gpu, "1g.24gb", start, &vf, state);
	}
}

/* VFs without vGPUs: how many, and a parameter of each. */
static void add_plain_vfs(struct side *s, unsigned gpu, const struct fam_board *b, uint64_t *state)
{
	s->vfs = s->mode == GS_MODE_SRIOV ? 1 + fam_pick(state, b->total_vfs) : 0;
	gs_strbuf_printf(&s->spec, " vfs=%" PRIu32, s->vfs);
	gs_strbuf_printf(&s->script, "vfs %u %" PRIu32 "\n", gpu, s->vfs);
	for (uint32_t i = 0; i < b->total_vfs; i++) {
		s->params[i] = i < s->vfs ? fam_pick(state, 3) : 0;
		if (s->params[i])
			gs_strbuf_printf(&s->spec, " vf:%" PRIu32 "{exec_quantum_ms=%" PRIu32 "}", i, s->params[i]);
		if (i < s->vfs)
			gs_strbuf_printf(&s->script, "set %u/vf:%" PRIu32 " exec_quantum_ms %" PRIu32 "\n", gpu, i, s->params[i]);
	}
}

static void add_partitions(struct side *s, unsigned gpu, const struct side *before, bool asks, uint64_t *state)
{
	static const char *const compute[] = { "SPX", "DPX", "QPX", "CPX" }, *const memory[] = { "NPS1", "NPS4" };
	const char *asked = memory[fam_pick(state, 2)];

	snprintf(s->compute, sizeof(s->compute), "%s", asks ? compute[fam_pick(state, 4)] : before->compute);
	snprintf(s->memory, sizeof(s->memory), "%s", before ? before->memory : asked);
	gs_strbuf_printf(&s->spec, " set:compute-partition=%s set:memory-partition=%s%s%s", s->compute, s->memory, asks && strcmp(asked, s->memory) != 0 ? "," : "",
			 asks && strcmp(asked, s->memory) != 0 ? asked : "");
	if (asks)
		gs_strbuf_printf(&s->script, "set %u memory-partition %s\nset %u compute-partition %s\n", gpu, asked, gpu, s->compute);
}

/* @before is NULL for the machine as it is. */
static void make_side(struct side *s, unsigned gpu, const struct fam_board *b, bool audio, bool persistent, const struct side *before, uint64_t *state)
{
	bool was_given = before && before->mode == GS_MODE_PASSTHROUGH, native;

	s->mode = pick_mode(b, state);
	native = s->mode != GS_MODE_PASSTHROUGH;
	gs_strbuf_printf(&s->spec, "%s%s", b->name, audio ? (native ? " audio=snd_hda_intel" : " audio") : "");
	gs_strbuf_printf(&s->script, "mode %u %s\n", gpu, gs_mode_name(s->mode));
	if (!native)
		gs_strbuf_puts(&s->spec, " vfio");
	if (gs_mode_has_mig(s->mode))
		gs_strbuf_puts(&s->spec, " mig");
	if (gs_mode_has_vfs(s->mode) && b->total_vfs && b->types)
		gs_strbuf_printf(&s->spec, " vfs=%" PRIu32, b->total_vfs);
	if (persistent && native && b->vendor == GS_VENDOR_NVIDIA)
		gs_strbuf_puts(&s->spec, " persistenced");
	/* what a GPU under VFIO can be cut into is known only once it has its driver back */
	if (native && !was_given) {
		if (s->mode == GS_MODE_VGPU)
			add_time_sliced(s, gpu, b, state);
		if (gs_mode_has_mig(s->mode))
			add_gis(s, gpu, state);
		if (b->vf_params)
			add_plain_vfs(s, gpu, b, state);
	} else if (b->vf_params) {
		s->mode = s->mode == GS_MODE_SRIOV ? GS_MODE_WHOLE : s->mode;
		gs_strbuf_printf(&s->script, "mode %u %s\n", gpu, gs_mode_name(s->mode));
	}
	if (b->vendor == GS_VENDOR_AMD)
		add_partitions(s, gpu, before, !before || (native && !was_given), state);
	gs_strbuf_printf(&s->script, "delete %u rest\n", gpu);
}

/* ---------------------------------------------------------------- two GPUs */

void fam_pair_done(struct fam_pair *p)
{
	gs_strbuf_done(&p->before);
	gs_strbuf_done(&p->after);
	gs_strbuf_done(&p->script);
}

const struct fam_board *fam_random_board(uint64_t *state)
{
	static const char *const all[] = { "l40s", "a2", "t4", "rtxpro", "flex", "mi300x" };

	return fam_board_by_name(all[fam_pick(state, GS_ARRAY_SIZE(all))]);
}

void fam_random_pair(const struct fam_board *const boards[2], uint64_t *state, struct fam_pair *ret)
{
	*ret = (struct fam_pair){ GS_STRBUF_INIT, GS_STRBUF_INIT, GS_STRBUF_INIT };
	for (unsigned gpu = 0; gpu < 2; gpu++) {
		GS_CLEANUP(side_done) struct side a = { .mode = GS_MODE_INVALID }, b = { .mode = GS_MODE_INVALID };
		bool audio = fam_pick(state, 3) == 0, persistent = fam_pick(state, 3) == 0;

		make_side(&a, gpu, boards[gpu], audio, persistent, NULL, state);
		make_side(&b, gpu, boards[gpu], audio, persistent && a.mode != GS_MODE_PASSTHROUGH, &a, state);
		gs_strbuf_printf(&ret->before, "%s%s", gpu ? " | " : "", a.spec.text);
		gs_strbuf_printf(&ret->after, "%s%s", gpu ? " | " : "", b.spec.text);
		gs_strbuf_puts(&ret->script, b.script.text);
	}
}
