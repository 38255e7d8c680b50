/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model_survey.c - the ground on which something would be created, and why it would not fit there. */
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "ui/model_survey.h"

void gs_survey_make(const struct gs_model *m, const struct gs_block *inside, struct gs_survey *ret)
{
	struct gs_ground ground;

	memset(ret, 0, sizeof(*ret));
	ret->gpu = gs_model_gpu(m);
	ret->kind = GS_KIND_INVALID;
	if (!ret->gpu)
		return;
	ret->target = gs_model_target(m, m->gpu);
	ground = gs_model_creation(m, ret->gpu);
	ret->kind = inside ? GS_KIND_VGPU : ground.creates;
	ret->set = inside ? &ret->gpu->grids[GS_KIND_VGPU] : ground.set;
	ret->mode = ground.mode;
	ret->inside = inside;
	ret->mode_comes_first = ret->target && ret->target->mode != ground.mode;
	/* Another mode has no instances: the mode change that comes with the creation starts from an empty grid. */
	if (ret->target && !ret->mode_comes_first && ret->kind != GS_KIND_INVALID)
		ret->n = gs_layout_placed(ret->target, ret->gpu, ret->kind, ret->placed, ret->want_index);
}

/* The GI that the open offers lie in, found again by its place. */
bool gs_survey_inside(const struct gs_model *m, struct gs_block *ret)
{
	struct gs_block b[GS_GRID_UNITS_MAX];
	size_t n = gs_model_blocks(m, m->gpu, true, b);

	for (size_t i = 0; i < n; i++) {
		const char *profile = b[i].profile ? b[i].profile->name : NULL;

		if (!b[i].want || b[i].span.start != m->inside_start || !gs_str_equal(profile, m->inside_profile))
			continue;
		*ret = b[i];
		return true;
	}
	return false;
}

/* Does this profile come into question at all? Types that lie in GIs are offered there, and only there. */
bool gs_survey_offers(const struct gs_survey *g, const struct gs_profile *p)
{
	if (g->kind != GS_KIND_VGPU)
		return true;
	return g->inside ? gs_str_equal(p->gi_profile, g->inside->profile->name) : !p->gi_profile;
}

/* vGPUs that are, or will be, in the GI. */
uint32_t gs_survey_n_inside(const struct gs_survey *g)
{
	uint32_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		const struct gs_want *w = &g->target->wants[g->want_index[i]];
		const struct gs_instance *live = gs_want_live(g->gpu, w), *gi = g->inside->instance;

		if (w->on_start.known ? w->on_start.value == g->inside->span.start && gs_str_equal(w->on_profile, g->inside->profile->name)
				      : live && gi && gs_u32_is(live->gi, gi->id))
			n++;
	}
	return n;
}

bool gs_survey_gi_is_full(const struct gs_survey *g, const struct gs_profile *p)
{
	return g->inside && p->max_per_gi.known && gs_survey_n_inside(g) >= p->max_per_gi.value;
}

static const char *slot_word(const struct gs_gpu *gpu)
{
	return gpu->vfs.total.known ? "VF" : "slot";
}

/* "GI 12*" for what is live, "+2g.20gb@0" for what is only staged; on slots "24Q on VF 3*". */
static void blocker_name(const struct gs_survey *g, size_t placed, char *buf, size_t size)
{
	const struct gs_want *w = &g->target->wants[g->want_index[placed]];
	const struct gs_instance *live = gs_want_live(g->gpu, w);
	const struct gs_holder *one[1];
	const char *mark = live && gs_model_holders_at(g->gpu, live, NULL, one, 1) ? "*" : "";

	if (w->kind == GS_KIND_VGPU)
		snprintf(buf, size, "%s%u%s", live ? "" : "+", w->start.value, mark);
	else if (live)
		snprintf(buf, size, "GI %u%s", live->id, mark);
	else
		snprintf(buf, size, "+%s@%u", w->profile, w->start.value);
}

/* "12 GiB on VF 0, 1*, 2 and 3 more" */
static void say_other_size(const struct gs_survey *g, const struct gs_offer *o, struct gs_strbuf *b)
{
	const struct gs_profile *there = g->placed[o->misfit.blockers[0]].profile;

	gs_strbuf_puts(b, "another size is there: ");
	if (there->memory_bytes.known)
		gs_strbuf_printf(b, "%llu GiB on ", (unsigned long long)(there->memory_bytes.value >> 30));
	gs_strbuf_printf(b, "%s ", slot_word(g->gpu));
	for (size_t i = 0; i < o->misfit.n_blockers && i < 3; i++) {
		char name[48];

		blocker_name(g, o->misfit.blockers[i], name, sizeof(name));
		gs_strbuf_printf(b, "%s%s", i ? ", " : "", name);
	}
	if (o->misfit.n_blockers > 3)
		gs_strbuf_printf(b, " and %zu more", o->misfit.n_blockers - 3);
}

void gs_survey_why_not(const struct gs_survey *g, struct gs_offer *o)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;

	gs_strbuf_puts(&b, "");
	switch (o->misfit.why) {
	case GS_FITS:
		break;
	case GS_MISFIT_UNKNOWN:
		gs_strbuf_puts(&b, "its placements are not known");
		break;
	case GS_MISFIT_START:
		gs_strbuf_printf(&b, "cannot start at %u", o->wanted_start);
		break;
	case GS_MISFIT_COUNT:
		if (gs_survey_gi_is_full(g, o->profile))
			gs_strbuf_printf(&b, "a %s takes %u of these", g->inside->profile->name, o->profile->max_per_gi.value);
		else if (g->set->is_slots && !g->set->has_one_size && o->profile->max_mixed.known)
			gs_strbuf_printf(&b, "no more than %u of these where sizes are mixed", o->profile->max_mixed.value);
		else if (g->set->is_slots)
			gs_strbuf_printf(&b, "no more than %u of this size", o->profile->max_instances);
		else
			gs_strbuf_printf(&b, "no more than %u of these, and %u instances in all", o->profile->max_instances, g->set->max_instances);
		break;
	case GS_MISFIT_SIZE:
		say_other_size(g, o, &b);
		break;
	case GS_MISFIT_ROOM:
		gs_strbuf_printf(&b, "sizes are mixed, and no placement id has %u units free", o->profile->mixed_size);
		break;
	case GS_MISFIT_OVERLAP:
	case GS_MISFIT_ENGINES:
		if (o->misfit.why == GS_MISFIT_ENGINES)
			gs_strbuf_puts(&b, "media engines are with ");
		else if (g->set->is_slots)
			gs_strbuf_printf(&b, "taken: %s ", slot_word(g->gpu));
		else
			gs_strbuf_printf(&b, "%s %u: ", o->profile->n_placements == 1 ? "only at" : "at", o->wanted_start);
		for (size_t i = 0; i < o->misfit.n_blockers; i++) {
			char name[48];

			blocker_name(g, o->misfit.blockers[i], name, sizeof(name));
			gs_strbuf_printf(&b, "%s%s", i ? ", " : "", name);
		}
		break;
	}
	snprintf(o->why, sizeof(o->why), "%s", b.failed ? "" : b.text);
}
