/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control_layer.c - the palette, and the chooser of a selection. */
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
	m->count_pending = m->count_typed = false;
	m->typed_number = 0;
	m->is_finding = false;
	m->find[0] = '\0';
	if (gs_model_offer(m, layer == GS_LAYER_CHOOSER, &e) < 0)
		return gs_say_error(m, "%s", e.text);
	gs_layer_open(m, layer);
	return GS_DO_REDRAW;
}

static bool mode_comes_first(const struct gs_model *m, uint32_t gpu)
{
	const struct gs_layout_gpu *target = gs_model_target(m, gpu);

	return target && target->mode != gs_model_creation(m, gs_snapshot_gpu(m->snapshot, gpu)).mode;
}

static const char *mode_of_creation(const struct gs_model *m, uint32_t gpu)
{
	return gs_mode_name(gs_model_creation(m, gs_snapshot_gpu(m->snapshot, gpu)).mode);
}

/* On a GI of a GPU whose instances carry vGPUs: those are what one creates there. */
static bool is_for_gi(const struct gs_model *m, struct gs_block *ret)
{
	const struct gs_gpu *gpu = gs_model_gpu(m);

	if (!gpu || m->focus != GS_FOCUS_GRID || gs_model_creation(m, gpu).mode != GS_MODE_MIG_VGPU || !gs_control_block(m, ret))
		return false;
	if ((ret->state != GS_UNIT_INSTANCE && ret->state != GS_UNIT_NEW) || !ret->profile)
		return false;
	for (size_t i = 0; i < gpu->grids[GS_KIND_VGPU].n; i++)
		if (gs_str_equal(gpu->grids[GS_KIND_VGPU].items[i].gi_profile, ret->profile->name))
			return true;
	return false;
}

/* Where something fits, else where it is not for its size: what is there already is what one knows. The numbers stay those of the profiles. */
static size_t first_offer(const struct gs_model *m)
{
	for (size_t i = 0; i < m->n_offers; i++)
		if (m->offers[i].n_starts)
			return i;
	for (size_t i = 0; i < m->n_offers; i++)
		if (m->offers[i].misfit.why != GS_MISFIT_SIZE)
			return i;
	return 0;
}

/* The free slot under the cursor is meant. */
static void aim_at_cursor(struct gs_model *m)
{
	const struct gs_profile_set *set = gs_model_creation(m, gs_model_gpu(m)).set;

	if (!set->is_slots || m->focus != GS_FOCUS_GRID || set->avoid >> m->unit & 1)
		return;
	for (size_t i = 0; i < m->n_offers; i++)
		for (size_t k = 0; k < m->offers[i].n_starts; k++)
			if (m->offers[i].starts[k] == m->unit)
				m->offers[i].chosen = k;
}

unsigned gs_control_open_palette(struct gs_model *m)
{
	const struct gs_gpu *gpu = gs_model_gpu(m);
	struct gs_ground ground;
	struct gs_block gi;
	unsigned done;

	if (gpu) {
		ground = gs_model_ground(m, gpu, true);
		if (ground.grid == GS_KIND_SRIOV && gs_control_may_edit(m))
			return gpu->vfs.by == GS_VFS_BY_SRIOV_MANAGE ? gs_say(m, "VFs come and go together here: M") : gs_control_open_vfs(m);
		/* partitions are chosen by a word */
		if (ground.creates == GS_KIND_INVALID && gpu->n_settings && gs_model_creation(m, gpu).creates == GS_KIND_INVALID &&
		    gpu->mode != GS_MODE_PASSTHROUGH)
			return gs_control_open_settings(m);
	}
	m->offers_inside = is_for_gi(m, &gi);
	if (m->offers_inside) {
		snprintf(m->inside_profile, sizeof(m->inside_profile), "%s", gi.profile->name);
		m->inside_start = gi.span.start;
	}
	done = open_offers(m, GS_LAYER_PALETTE);
	if (m->layer != GS_LAYER_PALETTE) {
		m->offers_inside = false;
		return done;
	}
	m->offer = first_offer(m);
	aim_at_cursor(m);
	if (mode_comes_first(m, m->gpu)) {
		const char *mode = mode_of_creation(m, m->gpu);

		if (gs_str_equal(mode, "mig"))
			gs_say(m, "MIG is off on GPU %u: mode %u mig is staged together with what is picked", m->gpu, m->gpu);
		else
			gs_say(m, "GPU %u is %s: mode %u %s is staged together with what is picked", m->gpu, gs_mode_name(gpu->mode), m->gpu, mode);
	}
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
	const struct gs_gpu *gpu = gs_model_gpu(m);
	unsigned done;

	/* a selection of VFs says how many there shall be */
	if (gs_control_is_sriov(m)) {
		m->selecting = m->dragging = false;
		if (!gs_control_may_edit(m))
			return GS_DO_REDRAW;
		return gs_control_stage_vfs(m, gpu->vfs.by == GS_VFS_BY_SRIOV_MANAGE && gpu->vfs.total.known ? gpu->vfs.total.value : high + 1);
	}
	m->offers_inside = false;
	done = open_offers(m, GS_LAYER_CHOOSER);
	if (m->layer != GS_LAYER_CHOOSER) {
		m->selecting = m->dragging = false;
		return done;
	}
	if (gpu && gs_model_creation(m, gpu).set->is_slots) {
		for (size_t i = 0; i < m->n_offers && !m->offers[m->offer].n_starts; i++)
			m->offer = m->offers[i].n_starts ? i : m->offer;
		m->count = units;
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

/* Delete or name one: "vf:3" where it has one, else its place. */
static void add_creation(const struct gs_model *m, struct gs_strbuf *text, uint32_t gpu, const struct gs_profile *p, uint32_t start)
{
	const struct gs_gpu *board = gs_snapshot_gpu(m->snapshot, gpu);

	if (m->offers_inside)
		gs_strbuf_printf(text, "create %u/%s@%u \"%s\" vf %u\n", gpu, m->inside_profile, m->inside_start, p->name, start);
	else if (!gs_model_creation(m, gs_model_gpu(m)).set->is_slots)
		gs_strbuf_printf(text, "create %u %s at %u\n", gpu, p->name, start);
	else if (board->vfs.total.known)
		gs_strbuf_printf(text, "create %u \"%s\" vf %u\n", gpu, p->name, start);
	else
		gs_strbuf_printf(text, "create %u \"%s\"\n", gpu, p->name);
}

static void say_picked(const struct gs_model *m, const struct gs_offer *o, const uint32_t *starts, size_t picked, size_t n_gpus, char *buf, size_t size)
{
	const struct gs_gpu *gpu = gs_model_gpu(m);
	bool slots = m->offers_inside || gs_model_creation(m, gpu).set->is_slots, is_vf = gpu->vfs.total.known;
	const char *mode = !mode_comes_first(m, m->gpu) ? "" : gs_str_equal(mode_of_creation(m, m->gpu), "mig") ? "MIG mode, then " : "vGPU mode, then ";
	char places[96] = "", place[128] = "";

	for (size_t k = 0, at = 0; k < picked && at < sizeof(places); k++)
		at += (size_t)snprintf(places + at, sizeof(places) - at, "%s%u", k ? ", " : "", starts[k]);
	if (!slots)
		snprintf(place, sizeof(place), " at %s", places);
	else if (is_vf)
		snprintf(place, sizeof(place), " on VF %s", places);
	else if (picked > 1)
		snprintf(place, sizeof(place), " x%zu", picked);
	snprintf(buf, size, "staged: %screate %s%s %s %s", mode, o->profile->name, place, slots && is_vf ? "of" : "on", n_gpus > 1 ? "the marked GPUs" : "this GPU");
}

static unsigned take_offer(struct gs_model *m)
{
	const struct gs_offer *o = m->offer < m->n_offers ? &m->offers[m->offer] : NULL;
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT;
	uint32_t gpus[64], starts[GS_PLACED_MAX];
	char done[320];
	size_t n, picked;
	bool selected;

	if (!o)
		return GS_DO_NOTHING;
	if (!o->n_starts)
		return gs_say_error(m, o->misfit.n_blockers ? "%s does not fit: %s.   R replaces what is in the way, Up and Down other profiles"
							    : "%s does not fit: %s", o->profile->name, o->why);
	picked = gs_model_picks(m, m->count, starts);
	/* of what was selected as many as fit; of what was counted all */
	selected = m->layer == GS_LAYER_CHOOSER && picked;
	if (picked < m->count && !selected)
		return gs_say_error(m, "only %zu of %s fit%s, not %u", picked, o->profile->name, picked == 1 ? "s" : "", m->count);
	n = gs_control_gpus(m, gpus);
	if (!n)
		return GS_DO_REDRAW;
	for (size_t i = 0; i < n; i++) {
		if (mode_comes_first(m, gpus[i]))
			gs_strbuf_printf(&text, "mode %u %s\n", gpus[i], mode_of_creation(m, gpus[i]));
		for (size_t k = 0; k < picked; k++)
			add_creation(m, &text, gpus[i], o->profile, starts[k]);
	}
	say_picked(m, o, starts, picked, n, done, sizeof(done));
	if (picked < m->count)
		snprintf(done + strlen(done), sizeof(done) - strlen(done), "; no more than %zu of the %u selected fit", picked, m->count);
	if (!text.failed && !m->offers_inside)
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
	enum gs_instance_kind kind = gpu ? gs_model_creation(m, gpu).creates : GS_KIND_INVALID;
	uint32_t place;
	char done[256];

	if (!o || !target || !gpu)
		return GS_DO_NOTHING;
	if (o->n_starts)
		return gs_say(m, "nothing is in the way: Enter stages it");
	if (!o->misfit.n_blockers)
		return gs_say_error(m, "replacing does not help: %s", o->why);
	if (m->marked_gpus)
		return gs_say_error(m, "R replaces on one GPU at a time: Esc, Esc clears the marks");
	if (m->offers_inside || kind == GS_KIND_INVALID)
		return gs_say_error(m, "delete what is in the way first: d");
	if (gs_layout_placed(target, gpu, kind, placed, which) <= o->misfit.blockers[o->misfit.n_blockers - 1])
		return GS_DO_NOTHING;
	place = kind == GS_KIND_VGPU ? placed[o->misfit.blockers[0]].start : o->wanted_start;
	for (size_t i = 0; i < o->misfit.n_blockers; i++) {
		const struct gs_placed *p = &placed[o->misfit.blockers[i]];
		const struct gs_want *w = &target->wants[which[o->misfit.blockers[i]]];

		if (kind == GS_KIND_MIG)
			gs_strbuf_printf(&text, "delete %u %s@%u\n", m->gpu, p->profile->name, p->start);
		else if (gpu->vfs.total.known)
			gs_strbuf_printf(&text, "delete %u vf:%u\n", m->gpu, p->start);
		else if (w->uuid)
			gs_strbuf_printf(&text, "delete %u mdev:%s\n", m->gpu, w->uuid);
		else
			return gs_say_error(m, "one that is only staged is in the way: x drops it");
	}
	add_creation(m, &text, m->gpu, o->profile, place);
	snprintf(done, sizeof(done), "staged: %s at %u in place of %zu %s%s", o->profile->name, place, o->misfit.n_blockers,
		 kind == GS_KIND_MIG ? "instance" : "vGPU", o->misfit.n_blockers == 1 ? "" : "s");
	m->unit = place;
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

/* How many, while its digits come; grids of slots take more than nine. */
static unsigned count_digit(struct gs_model *m, uint32_t number)
{
	const struct gs_gpu *gpu = gs_model_gpu(m);
	bool slots = gpu && (m->offers_inside || gs_model_creation(m, gpu).set->is_slots);

	if (!slots)
		m->count_pending = false;
	if (slots && m->count_typed && m->count * 10 + number <= GS_GRID_UNITS_MAX)
		number += m->count * 10;
	if (number < 1)
		return GS_DO_REDRAW;
	m->count = number;
	m->count_typed = true;
	return GS_DO_REDRAW;
}

/* A profile's number; where there are more than nine, its digits one after the other. */
static unsigned digit(struct gs_model *m, uint32_t number)
{
	uint32_t both = m->typed_number * 10 + number;

	if (m->count_pending)
		return count_digit(m, number);
	if (m->typed_number && both <= m->n_offers)
		number = both;
	if (number < 1 || number > m->n_offers)
		return gs_say(m, "there are %zu profiles here", m->n_offers);
	m->typed_number = number;
	m->offer = number - 1;
	return GS_DO_REDRAW;
}

/* Offer only what has @text in its name; where nothing has, all stays as it is. */
static unsigned find(struct gs_model *m, const char *text)
{
	char before[sizeof(m->find)];

	snprintf(before, sizeof(before), "%s", m->find);
	snprintf(m->find, sizeof(m->find), "%s", text);
	if (gs_model_offer(m, m->layer == GS_LAYER_CHOOSER, NULL) < 0) {
		gs_say_error(m, "no name here has \"%s\" in it", m->find);
		snprintf(m->find, sizeof(m->find), "%s", before);
		return GS_DO_REDRAW;
	}
	m->is_finding = true;
	m->count_pending = false;
	m->typed_number = 0;
	m->offer = first_offer(m);
	m->list_top = 0;
	if (m->layer == GS_LAYER_PALETTE)
		aim_at_cursor(m);
	return GS_DO_REDRAW;
}

static bool is_letter(uint32_t key)
{
	return (key >= 'A' && key <= 'Z') || (key >= 'a' && key <= 'z');
}

/* Of many types a letter that has nothing else to do here begins a name; nine have a digit each. */
static bool begins_name(const struct gs_model *m, uint32_t key, enum gs_action_id id)
{
	switch (id) {
	case GS_ACTION_MOVE_UP:
	case GS_ACTION_MOVE_DOWN:
	case GS_ACTION_MOVE_LEFT:
	case GS_ACTION_MOVE_RIGHT:
	case GS_ACTION_FIRST:
	case GS_ACTION_LAST:
	case GS_ACTION_REPLACE:
	case GS_ACTION_QUIT:
		return false;
	default:
		return is_letter(key) && !gs_action_has_key(GS_ACTION_COUNT, key) && m->n_all_offers > GS_OFFERS_WITH_DIGIT;
	}
}

/*
 * While a name is typed, letters and digits are of the name; Enter takes what
 * the cursor is on, as ever. Any other key ends the typing, and does what it
 * does to those that are left.
 */
static bool find_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id, unsigned *ret_done)
{
	char text[sizeof(m->find)];
	size_t n = strlen(m->find);

	snprintf(text, sizeof(text), "%s", m->find);
	if (gs_action_has_key(GS_ACTION_FIND, ev->key)) {
		text[0] = '\0';
	} else if (ev->key == GS_KEY_ESCAPE && (n || m->is_finding)) {
		*ret_done = find(m, "");
		m->is_finding = false;
		return true;
	} else if (m->is_finding && (ev->key == GS_KEY_BACKSPACE || ev->key == GS_KEY_CTRL('h'))) {
		text[n ? n - 1 : 0] = '\0';
	} else if (m->is_finding ? ev->key >= GS_KEY_SPACE && ev->key < 0x7f : begins_name(m, ev->key, id)) {
		if (n + 1 < sizeof(text))
			snprintf(text + n, sizeof(text) - n, "%c", (char)ev->key);
	} else {
		m->is_finding = false;
		return false;
	}
	*ret_done = find(m, text);
	return true;
}

unsigned gs_control_offer_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id)
{
	unsigned done;

	if (find_key(m, ev, id, &done))
		return done;
	if (ev->key >= '0' && ev->key <= '9')
		return digit(m, ev->key - '0');
	if (gs_action_has_key(GS_ACTION_COUNT, ev->key)) {
		if (m->layer == GS_LAYER_CHOOSER)
			return gs_say(m, "a selection makes one instance; c makes several");
		m->count_pending = true;
		m->count_typed = false;
		m->count = 1;
		m->typed_number = 0;
		return gs_say(m, "how many: type a number");
	}
	m->count_pending = false;
	m->typed_number = 0;
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
