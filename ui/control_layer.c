/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control_layer.c - the palette, the chooser of a selection, the mode menu. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "ui/control_internal.h"

static unsigned open_offers(struct gs_model *m, enum gs_layer layer)
{
	struct gs_error e = { 0 };

	if (!gs_control_may_edit(m))
		return GS_DO_REDRAW;
	m->offer = 0;
	m->count = 1;
	m->count_pending = false;
	if (gs_model_offer(m, layer == GS_LAYER_CHOOSER, &e) < 0)
		return gs_say_error(m, "%s", e.text);
	gs_layer_open(m, layer);
	return GS_DO_REDRAW;
}

static bool mode_comes_first(const struct gs_model *m)
{
	const struct gs_layout_gpu *target = gs_model_target(m, m->gpu);

	return target && target->mode != GS_MODE_MIG;
}

unsigned gs_control_open_palette(struct gs_model *m)
{
	unsigned done = open_offers(m, GS_LAYER_PALETTE);

	/* Start where something fits; the numbers stay those of the profiles. */
	for (size_t i = 0; m->layer == GS_LAYER_PALETTE && i < m->n_offers; i++) {
		if (m->offers[i].n_starts) {
			m->offer = i;
			break;
		}
	}
	if (m->layer == GS_LAYER_PALETTE && mode_comes_first(m))
		gs_say(m, "MIG is off on GPU %u: mode %u mig is staged together with what is picked", m->gpu, m->gpu);
	return done;
}

static uint32_t units_of(const struct gs_offer *o)
{
	return o->profile->n_placements ? o->profile->placements[0].size : 0;
}

unsigned gs_control_open_chooser(struct gs_model *m)
{
	uint32_t low = m->anchor < m->extent ? m->anchor : m->extent;
	uint32_t high = m->anchor < m->extent ? m->extent : m->anchor;
	uint32_t units = high - low + 1;
	const struct gs_offer *first;
	unsigned done = open_offers(m, GS_LAYER_CHOOSER);

	if (m->layer != GS_LAYER_CHOOSER) {
		m->selecting = m->dragging = false;
		return done;
	}
	/* They come best first; without one as large as the selection, the largest that fits inside it. */
	for (size_t i = 0; i < m->n_offers && units_of(&m->offers[0]) < units; i++) {
		if (m->offers[i].n_starts && units_of(&m->offers[i]) < units) {
			m->offer = i;
			break;
		}
	}
	first = &m->offers[m->offer];
	if (units_of(&m->offers[0]) < units && first->n_starts)
		gs_say(m, "no profile has %u units: %s at %u is the largest that fits inside", units, first->profile->name, first->starts[first->chosen]);
	return done;
}

/* The starts that @count of the chosen profile would take: the chosen one, then upwards from it, then from the lowest. */
static size_t pick_starts(const struct gs_model *m, const struct gs_offer *o, uint32_t count, uint32_t *ret)
{
	const struct gs_gpu *gpu = gs_model_gpu(m);
	const struct gs_layout_gpu *target = gs_model_target(m, m->gpu);
	struct gs_placed placed[2 * GS_PLACED_MAX];
	size_t which[GS_PLACED_MAX], n = 0, picked = 0;
	uint32_t next = o->starts[o->chosen];

	if (target && target->mode == GS_MODE_MIG)
		n = gs_layout_placed(target, gpu, GS_KIND_MIG, placed, which);
	while (picked < count && picked < GS_PLACED_MAX) {
		uint32_t starts[GS_PLACEMENTS_MAX];

		ret[picked++] = next;
		placed[n++] = (struct gs_placed){ o->profile, next };
		size_t free_starts = gs_placement_free_starts(&gpu->grids[GS_KIND_MIG], placed, n, o->profile, starts);

		if (!free_starts)
			break;
		next = starts[0];
		for (size_t i = 0; i < free_starts; i++) {
			if (starts[i] > ret[picked - 1]) {
				next = starts[i];
				break;
			}
		}
	}
	return picked;
}

static unsigned take_offer(struct gs_model *m)
{
	const struct gs_offer *o = m->offer < m->n_offers ? &m->offers[m->offer] : NULL;
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT;
	uint32_t gpus[64], starts[GS_PLACED_MAX];
	char done[256], places[96] = "";
	size_t n, picked;

	if (!o)
		return GS_DO_NOTHING;
	if (!o->n_starts)
		return gs_say_error(m, "%s does not fit: %s.   R replaces what is in the way, Up and Down other profiles", o->profile->name, o->why);
	picked = pick_starts(m, o, m->count, starts);
	if (picked < m->count)
		return gs_say_error(m, "only %zu of %s fit from there, not %u", picked, o->profile->name, m->count);
	n = gs_control_gpus(m, gpus);
	if (!n)
		return GS_DO_REDRAW;
	for (size_t i = 0; i < n; i++) {
		const struct gs_layout_gpu *target = gs_model_target(m, gpus[i]);

		if (target && target->mode != GS_MODE_MIG)
			gs_strbuf_printf(&text, "mode %u mig\n", gpus[i]);
		for (size_t k = 0; k < picked; k++)
			gs_strbuf_printf(&text, "create %u %s at %u\n", gpus[i], o->profile->name, starts[k]);
	}
	for (size_t k = 0, at = 0; k < picked && at < sizeof(places); k++)
		at += (size_t)snprintf(places + at, sizeof(places) - at, "%s%u", k ? ", " : "", starts[k]);
	snprintf(done, sizeof(done), "staged: %screate %s at %s on %s", mode_comes_first(m) ? "MIG mode, then " : "", o->profile->name, places,
		 n > 1 ? "the marked GPUs" : "this GPU");
	if (!text.failed)
		m->unit = starts[0];
	m->focus = GS_FOCUS_GRID;
	gs_layer_close(m);
	return gs_control_stage(m, text.failed ? NULL : text.text, done);
}

/* R: what is in the way is deleted by name, so that the list says what goes. */
static unsigned replace(struct gs_model *m)
{
	const struct gs_offer *o = m->offer < m->n_offers ? &m->offers[m->offer] : NULL;
	const struct gs_gpu *gpu = gs_model_gpu(m);
	const struct gs_layout_gpu *target = gs_model_target(m, m->gpu);
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT;
	struct gs_placed placed[GS_PLACED_MAX];
	size_t which[GS_PLACED_MAX];
	char done[256];

	if (!o || !target || !gpu)
		return GS_DO_NOTHING;
	if (o->n_starts)
		return gs_say(m, "nothing is in the way: Enter stages it");
	if (!o->misfit.n_blockers)
		return gs_say_error(m, "replacing does not help: %s", o->why);
	if (m->marked_gpus)
		return gs_say_error(m, "R replaces on one GPU at a time: Esc, Esc clears the marks");
	if (gs_layout_placed(target, gpu, GS_KIND_MIG, placed, which) <= o->misfit.blockers[o->misfit.n_blockers - 1])
		return GS_DO_NOTHING;
	for (size_t i = 0; i < o->misfit.n_blockers; i++) {
		const struct gs_placed *p = &placed[o->misfit.blockers[i]];

		gs_strbuf_printf(&text, "delete %u %s@%u\n", m->gpu, p->profile->name, p->start);
	}
	gs_strbuf_printf(&text, "create %u %s at %u\n", m->gpu, o->profile->name, o->wanted_start);
	snprintf(done, sizeof(done), "staged: %s at %u in place of %zu instance%s", o->profile->name, o->wanted_start, o->misfit.n_blockers,
		 o->misfit.n_blockers == 1 ? "" : "s");
	m->unit = o->wanted_start;
	m->focus = GS_FOCUS_GRID;
	gs_layer_close(m);
	return gs_control_stage(m, text.failed ? NULL : text.text, done);
}

static unsigned other_start(struct gs_model *m, int by)
{
	struct gs_offer *o = m->offer < m->n_offers ? &m->offers[m->offer] : NULL;

	if (!o)
		return GS_DO_NOTHING;
	/* Nothing is free: then it is about which place to replace. */
	if (!o->n_starts)
		return gs_model_offer_elsewhere(m, by) < 0 ? gs_say(m, "it has no other start: %s", o->why) : GS_DO_REDRAW;
	if (o->n_starts < 2)
		return gs_say(m, "there is no other free start");
	o->chosen = (o->chosen + o->n_starts + (size_t)by) % o->n_starts;
	return GS_DO_REDRAW;
}

static unsigned digit(struct gs_model *m, uint32_t number)
{
	if (m->count_pending) {
		m->count_pending = false;
		if (number < 1)
			return GS_DO_REDRAW;
		m->count = number;
		return GS_DO_REDRAW;
	}
	if (number < 1 || number > m->n_offers)
		return gs_say(m, "there are %zu profiles here", m->n_offers);
	m->offer = number - 1;
	return GS_DO_REDRAW;
}

unsigned gs_control_offer_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id)
{
	if (ev->key >= '0' && ev->key <= '9')
		return digit(m, ev->key - '0');
	if (gs_action_has_key(GS_ACTION_COUNT, ev->key)) {
		if (m->layer == GS_LAYER_CHOOSER)
			return gs_say(m, "a selection makes one instance; c makes several");
		m->count_pending = true;
		m->count = 1;
		return gs_say(m, "how many: 2 to 7");
	}
	m->count_pending = false;
	switch (id) {
	case GS_ACTION_MOVE_LEFT:
		return other_start(m, -1);
	case GS_ACTION_MOVE_RIGHT:
		return other_start(m, 1);
	case GS_ACTION_OPEN:
		return take_offer(m);
	case GS_ACTION_REPLACE:
		return replace(m);
	case GS_ACTION_BACK:
	case GS_ACTION_QUIT:
	case GS_ACTION_STOP:
		gs_layer_close(m);
		return GS_DO_REDRAW;
	default:
		return gs_control_walk(id, m->n_offers, &m->offer) ? GS_DO_REDRAW : GS_DO_NOTHING;
	}
}

/* ---- the mode menu ---- */

unsigned gs_control_open_mode(struct gs_model *m)
{
	const struct gs_layout_gpu *target = gs_model_target(m, m->gpu);
	enum gs_mode modes[GS_MODE_MAX];
	size_t n = gs_model_mode_rows(m, modes);

	if (!gs_control_may_edit(m))
		return GS_DO_REDRAW;
	if (!n)
		return gs_say_error(m, "GPU %u has no mode that could be changed", m->gpu);
	gs_layer_open(m, GS_LAYER_MODE);
	/* On the one that it is not: opening the menu means wanting another. */
	for (size_t i = 0; i < n; i++) {
		if (!target || modes[i] != target->mode) {
			m->list_row = i;
			break;
		}
	}
	return GS_DO_REDRAW;
}

static unsigned take_mode(struct gs_model *m, enum gs_mode mode)
{
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT;
	uint32_t gpus[64];
	size_t n = gs_control_gpus(m, gpus), deletes = 0;
	char done[256];

	if (!n)
		return GS_DO_REDRAW;
	for (size_t i = 0; i < n; i++) {
		const struct gs_layout_gpu *target = gs_model_target(m, gpus[i]);

		if (target && target->mode == mode && n > 1)
			continue;
		if (target && target->mode == GS_MODE_MIG && mode != GS_MODE_MIG && target->n_wants) {
			gs_strbuf_printf(&text, "delete %u all\n", gpus[i]);
			deletes += target->n_wants;
		}
		gs_strbuf_printf(&text, "mode %u %s\n", gpus[i], gs_mode_name(mode));
	}
	if (!text.failed && !text.length)
		return gs_say(m, "the marked GPUs are in that mode already");
	if (deletes)
		snprintf(done, sizeof(done), "staged: mode %s, and the deletion of %zu instance%s that it would wipe", gs_mode_name(mode), deletes,
			 deletes == 1 ? "" : "s");
	else
		snprintf(done, sizeof(done), "staged: mode %s", gs_mode_name(mode));
	gs_layer_close(m);
	return gs_control_stage(m, text.failed ? NULL : text.text, done);
}

unsigned gs_control_mode_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id)
{
	enum gs_mode modes[GS_MODE_MAX];
	size_t n = gs_model_mode_rows(m, modes);

	if (ev->key >= '1' && ev->key <= '9') {
		if (ev->key - '0' > n)
			return gs_say(m, "there are %zu modes here", n);
		m->list_row = ev->key - '1';
		return GS_DO_REDRAW;
	}
	if (gs_control_walk(id, n, &m->list_row))
		return GS_DO_REDRAW;
	switch (id) {
	case GS_ACTION_OPEN:
		return m->list_row < n ? take_mode(m, modes[m->list_row]) : GS_DO_NOTHING;
	case GS_ACTION_BACK:
	case GS_ACTION_QUIT:
	case GS_ACTION_STOP:
	case GS_ACTION_MODE:
		gs_layer_close(m);
		return GS_DO_REDRAW;
	default:
		return GS_DO_NOTHING;
	}
}
