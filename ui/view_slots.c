/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view_slots.c - a grid of slots: VFs, or places for mdevs on the PF. Any slot
 * is as good as another, so they lie in rows; above them the memory that vGPUs
 * share, below them the slot under the cursor in full and what still fits.
 */
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "ui/view_parts.h"

#define HOLDERS_MAX 8
#define NUMBER_COLUMNS 3        /* "12 " in a cell that is wide enough */

struct slots {
	const struct gs_view *v;
	const struct gs_gpu *gpu;
	struct gs_ground ground;
	struct gs_slots at;
	struct gs_block blocks[GS_GRID_UNITS_MAX];
	size_t n;
	uint32_t picks[GS_PLACED_MAX];      /* where the open offer would create */
	size_t n_picks;
};

static const char *slot_word(const struct gs_gpu *gpu)
{
	return gpu->vfs.total.known ? "VF" : "place";
}

static const char *type_of(const struct gs_block *b)
{
	if (b->instance && b->instance->profile)
		return b->instance->profile;
	return b->want ? b->want->profile : b->profile ? b->profile->name : "?";
}

static struct gs_u64 bytes_of(const struct gs_block *b)
{
	return b->profile ? b->profile->memory_bytes : GS_U64_UNKNOWN;
}

/* ---------------------------------------------------------------- who is on a slot */

/* "win11-03", "win11-03 +1"; empty when nobody is there. */
static void name_holders(const struct gs_gpu *gpu, const struct gs_block *b, char *buf, size_t size)
{
	const struct gs_holder *who[HOLDERS_MAX];
	size_t n = gs_model_holders_at(gpu, b->instance, b->vf, who, HOLDERS_MAX), shown = 0;
	const struct gs_holder *first = NULL;

	for (size_t i = 0; i < n; i++) {
		if (!gs_part_holder_counts(who[i]))
			continue;
		first = first ? first : who[i];
		shown++;
	}
	buf[0] = '\0';
	if (first && shown > 1)
		snprintf(buf, size, "%s +%zu", gs_part_holder_name(first), shown - 1);
	else if (first)
		snprintf(buf, size, "%s", gs_part_holder_name(first));
}

/* ---------------------------------------------------------------- the memory that they share */

static int segment(uint64_t bytes, uint64_t total, int room)
{
	int n = total ? (int)((double)bytes / (double)total * room + 0.5) : 0;

	return n < 1 ? 1 : n;
}

static void draw_memory(const struct slots *s)
{
	const struct gs_view *v = s->v;
	struct gs_rect r = v->geo.grid;
	int left = s->at.left - r.column, room = s->at.per_row * s->at.width, at = 0;
	uint64_t total = gs_part_shared_bytes(s->gpu), given = 0;
	const struct gs_layout_gpu *target = v->m->n_staged ? gs_model_target(v->m, s->gpu->index) : NULL;
	char text[64];

	if (s->ground.grid != GS_KIND_VGPU || !total) {
		gs_draw_text(v->f, r, 0, 0, GS_ELEMENT_DIM, s->gpu->vfs.total.known ? "VFs" : "places");
		at = left + 1 + gs_draw_printf(v->f, r, 0, left + 1, GS_ELEMENT_TEXT, "%u of %u on",
					       s->gpu->vfs.enabled.known ? s->gpu->vfs.enabled.value : 0, s->ground.set->memory_units);
		if (target && target->vfs.known && !gs_u32_equal(target->vfs, s->gpu->vfs.enabled))
			gs_draw_printf(v->f, r, 0, at + 2, GS_ELEMENT_STAGED_NEW, "%u staged", target->vfs.value);
		return;
	}
	gs_draw_text(v->f, r, 0, 0, GS_ELEMENT_DIM, "memory");
	for (size_t i = 0; i < s->n; i++) {
		const struct gs_block *b = &s->blocks[i];
		struct gs_u64 bytes = bytes_of(b);
		enum gs_element el = gs_part_block_element(s->gpu, b);
		int width;

		if (b->state == GS_UNIT_FREE || b->state == GS_UNIT_LOST || !bytes.known)
			continue;
		width = segment(bytes.value, total, room);
		if (b->state != GS_UNIT_GONE)
			given += bytes.value;
		if (at + width > room)
			width = room - at;
		if (width < 1)
			continue;
		gs_draw_code(v->f, r, 0, left + at, GS_ELEMENT_RULE, v->g->box_v);
		gs_draw_fill(v->f, r, 0, left + at + 1, 1, width - 1, el, gs_part_block_fill(v->g, b));
		gs_part_slot_tag(s->gpu, b, width - 1, text, sizeof(text));
		gs_draw_text(v->f, (struct gs_rect){ r.row, r.column + left + at + 1, 1, width - 1 }, 0, 0, el, text);
		at += width;
	}
	gs_draw_code(v->f, r, 0, left + at, GS_ELEMENT_RULE, v->g->box_v);
	gs_draw_fill(v->f, r, 0, left + at + 1, 1, room - at - 1, GS_ELEMENT_FREE, v->g->free);
	gs_draw_code(v->f, r, 0, left + room, GS_ELEMENT_RULE, v->g->box_v);
	snprintf(text, sizeof(text), " %llu of %llu GiB given out ", (unsigned long long)(given >> 30), (unsigned long long)((total + (1u << 29)) >> 30));
	if (gs_text_width(text) + 2 < room - at)
		gs_draw_text(v->f, r, 0, left + room - 1 - gs_text_width(text), GS_ELEMENT_FREE, text);
}

/* ---------------------------------------------------------------- cells */

static bool is_selected(const struct gs_model *m, uint32_t unit)
{
	uint32_t low = m->anchor < m->extent ? m->anchor : m->extent, high = m->anchor < m->extent ? m->extent : m->anchor;

	return m->selecting && unit >= low && unit <= high;
}

static bool is_picked(const struct slots *s, uint32_t unit)
{
	for (size_t i = 0; i < s->n_picks; i++)
		if (s->picks[i] == unit)
			return true;
	return false;
}

static const struct gs_offer *current_offer(const struct gs_model *m)
{
	bool is_open = m->layer == GS_LAYER_PALETTE || m->layer == GS_LAYER_CHOOSER;

	return is_open && !m->offers_inside && m->offer < m->n_offers ? &m->offers[m->offer] : NULL;
}

/* What a cell says in its first line, and with what the line is filled. */
static void describe(const struct slots *s, const struct gs_block *b, int width, char *text, size_t size, uint32_t *ret_fill, enum gs_element *ret_element)
{
	const struct gs_offer *o = current_offer(s->v->m);
	const struct gs_glyphs *g = s->v->g;
	uint32_t unit = b->span.start;
	char who[96];

	*ret_element = gs_part_block_element(s->gpu, b);
	*ret_fill = b->state == GS_UNIT_INSTANCE && !b->in_the_way ? ' ' : gs_part_block_fill(g, b);
	if (b->state != GS_UNIT_FREE && b->state != GS_UNIT_LOST) {
		gs_part_slot_tag(s->gpu, b, width, text, size);
		return;
	}
	text[0] = '\0';
	/* most slots are free: they must not shout */
	*ret_fill = g->dot;
	if (b->is_claimed) {
		/* not free for everybody: another pattern, a letter, and a name */
		name_holders(s->gpu, b, who, sizeof(who));
		*ret_fill = ',';
		snprintf(text, size, "c%s%s", *who && width >= 9 ? " " : "", width >= 9 ? who : "");
		*ret_element = GS_ELEMENT_HELD;
	}
	if (is_picked(s, unit) || is_selected(s->v->m, unit)) {
		*ret_fill = g->ghost;
		*ret_element = GS_ELEMENT_GHOST;
		snprintf(text, size, "%s", is_picked(s, unit) && o ? gs_model_short_type(o->profile->name) : "");
	}
}

static void draw_cell(const struct slots *s, const struct gs_block *b)
{
	const struct gs_view *v = s->v;
	struct gs_rect cell = gs_slots_cell(&v->geo, &s->at, b->span.start), in = { cell.row, cell.column + 1, cell.rows, cell.columns - 1 };
	bool has_number = in.columns >= 8, is_open = b->state == GS_UNIT_FREE || b->state == GS_UNIT_LOST;
	int from = has_number ? NUMBER_COLUMNS : 0, room = in.columns - from, used;
	char text[160], who[96], pci[GS_BDF_TEXT];
	enum gs_element el;
	uint32_t fill;

	describe(s, b, room, text, sizeof(text), &fill, &el);
	gs_draw_fill(v->f, cell, 0, 0, cell.rows, 1, GS_ELEMENT_RULE, v->g->box_v);
	if (has_number)
		gs_draw_printf(v->f, in, 0, 0, GS_ELEMENT_DIM, "%2u", b->span.start);
	gs_draw_fill(v->f, in, 0, from, 1, room, el, fill);
	used = gs_draw_fit(v->f, in, 0, from, room, el, text);
	name_holders(s->gpu, b, who, sizeof(who));
	if (is_open)
		*who = '\0';
	/* one line: the name behind the type, if a readable piece of it has room */
	if (in.rows == 1 && *who && b->state == GS_UNIT_INSTANCE && room - used >= 4)
		gs_draw_fit(v->f, in, 0, from + used + 1, room - used - 1, GS_ELEMENT_HOLDER, who);
	if (in.rows > 1 && !is_open)
		gs_draw_fit(v->f, in, 1, from, room, b->state == GS_UNIT_INSTANCE ? GS_ELEMENT_HOLDER : el,
			    *who ? who : b->state == GS_UNIT_NEW ? "NEW" : s->gpu->holders_visible ? "idle" : "hidden");
	if (in.rows > 2 && b->vf)
		gs_draw_fit(v->f, in, 2, from, room, GS_ELEMENT_DIM, gs_part_pci(b->vf->bdf, pci, sizeof(pci)));
	if (v->m->focus == GS_FOCUS_GRID && v->m->layer == GS_LAYER_NONE && v->m->unit == b->span.start)
		gs_draw_flag(v->f, in, 0, 0, in.rows, in.columns, GS_CELL_CURSOR);
}

static void draw_cells(const struct slots *s)
{
	const struct gs_view *v = s->v;
	struct gs_rect r = v->geo.grid;
	int right = s->at.left - r.column + s->at.per_row * s->at.width;

	for (int row = 0; row < s->at.rows; row++) {
		uint32_t first = (uint32_t)(row * s->at.per_row), n = s->ground.set->memory_units - first;

		gs_draw_printf(v->f, r, s->at.top + row * s->at.height, 0, GS_ELEMENT_DIM, "%s%3u", s->gpu->vfs.total.known ? "VF" : "at", first);
		if (n >= (uint32_t)s->at.per_row)
			gs_draw_fill(v->f, r, s->at.top + row * s->at.height, right, s->at.height, 1, GS_ELEMENT_RULE, v->g->box_v);
		else
			gs_draw_fill(v->f, r, s->at.top + row * s->at.height, s->at.left - r.column + (int)n * s->at.width, s->at.height, 1,
				     GS_ELEMENT_RULE, v->g->box_v);
	}
	for (size_t i = 0; i < s->n; i++)
		draw_cell(s, &s->blocks[i]);
}

/* ---------------------------------------------------------------- words */

/* "VF 3  c1:00.7  L40S-24Q  win11-03" */
static void add_here(const struct slots *s, struct gs_lines *l, int width)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	const struct gs_model *m = s->v->m;
	const struct gs_block *here = NULL;
	char who[96], pci[GS_BDF_TEXT], lead[32], gib[16];

	for (size_t i = 0; i < s->n; i++)
		if (s->blocks[i].span.start == m->unit)
			here = &s->blocks[i];
	if (m->focus != GS_FOCUS_GRID || m->layer != GS_LAYER_NONE || !here || m->selecting)
		return;
	snprintf(lead, sizeof(lead), " %s %u  ", slot_word(s->gpu), m->unit);
	gs_strbuf_puts(&b, "");
	if (here->vf)
		gs_strbuf_printf(&b, "%s  ", gs_part_pci(here->vf->bdf, pci, sizeof(pci)));
	name_holders(s->gpu, here, who, sizeof(who));
	switch (here->state) {
	case GS_UNIT_FREE:
	case GS_UNIT_LOST:
		if (here->is_claimed)
			gs_strbuf_printf(&b, "free, but promised to %s: only by its number is it taken", *who ? who : "work without a process");
		else
			gs_strbuf_puts(&b, s->ground.grid == GS_KIND_SRIOV ? "off" : "free");
		break;
	case GS_UNIT_NEW:
		gs_strbuf_printf(&b, "+%s NEW", type_of(here));
		for (size_t i = 0; i < s->gpu->n_instances; i++)
			if (s->gpu->instances[i]->kind == s->ground.grid && gs_u32_is(s->gpu->instances[i]->start, m->unit))
				gs_strbuf_printf(&b, "  in place of %s", s->gpu->instances[i]->profile ? s->gpu->instances[i]->profile : "what is there");
		break;
	default:
		gs_strbuf_printf(&b, "%s%s", here->state == GS_UNIT_GONE ? "goes: " : "", type_of(here));
		if (bytes_of(here).known)
			gs_strbuf_printf(&b, "  %s GiB", gs_part_gib(bytes_of(here), gib, sizeof(gib)));
		gs_strbuf_printf(&b, "  %s", *who ? who : s->gpu->holders_visible ? "nobody uses it" : "who uses it cannot be seen");
		for (size_t i = 0; here->instance && i < here->instance->n_params && i < 4; i++)
			gs_strbuf_printf(&b, "  %s=%s", here->instance->params[i].key, here->instance->params[i].value);
		if (here->instance && here->instance->kind == GS_KIND_VGPU && !here->instance->vf.known && here->instance->uuid)
			gs_strbuf_printf(&b, "  mdev %.13s", here->instance->uuid);
	}
	if (!b.failed)
		gs_lines_wrap(l, -1, GS_ELEMENT_TITLE, lead, GS_ELEMENT_TEXT, b.text, width, 1);
}

struct size_line {
	uint64_t bytes;
	uint32_t more;
};

/* "48G x1, 24G x2": types of one size fit as often as each other. */
static void say_sizes(const struct slots *s, const struct gs_placed *placed, size_t n, struct gs_strbuf *fits)
{
	struct size_line sizes[32];
	size_t n_sizes = 0;

	for (size_t i = 0; i < s->ground.set->n; i++) {
		const struct gs_profile *p = &s->ground.set->items[i];
		uint32_t more = p->gi_profile ? 0 : gs_placement_capacity(s->ground.set, placed, n, p);
		size_t k = 0;

		if (!more)
			continue;
		while (k < n_sizes && sizes[k].bytes != p->memory_bytes.value)
			k++;
		if (k == n_sizes && n_sizes < GS_ARRAY_SIZE(sizes))
			sizes[n_sizes++] = (struct size_line){ p->memory_bytes.value, 0 };
		if (k < n_sizes && more > sizes[k].more)
			sizes[k].more = more;
	}
	/* the largest first */
	for (size_t i = 0; i < n_sizes; i++)
		for (size_t k = i + 1; k < n_sizes; k++)
			if (sizes[k].bytes > sizes[i].bytes) {
				struct size_line other = sizes[i];

				sizes[i] = sizes[k];
				sizes[k] = other;
			}
	for (size_t i = 0; i < n_sizes; i++)
		gs_strbuf_printf(fits, "%s%lluG x%u", i ? ", " : "", (unsigned long long)(sizes[i].bytes >> 30), sizes[i].more);
}

static void add_fits(const struct slots *s, struct gs_lines *l, int width, bool changed)
{
	GS_STRBUF struct gs_strbuf fits = GS_STRBUF_INIT;
	struct gs_placed placed[GS_PLACED_MAX];
	const struct gs_profile *p;
	size_t n;

	if (s->ground.grid != GS_KIND_VGPU || !gs_part_placed(s->v->m, s->gpu, placed, &n))
		return;
	gs_strbuf_puts(&fits, "");
	say_sizes(s, placed, n, &fits);
	if (!fits.length)
		gs_strbuf_puts(&fits, s->ground.set->n ? "nothing more" : "which types there are is not known");
	p = n ? placed[0].profile : NULL;
	/* why only one size is listed */
	if (p && s->ground.set->has_one_size && !p->gi_profile && p->memory_bytes.known)
		gs_strbuf_printf(&fits, "   (size rule: all vGPUs here have %llu GiB)", (unsigned long long)(p->memory_bytes.value >> 30));
	if (!fits.failed)
		gs_lines_wrap(l, -1, GS_ELEMENT_TITLE, changed ? " fits after:  " : " fits now:    ", GS_ELEMENT_TEXT, fits.text, width, 2);
}

static void add_claims(const struct slots *s, struct gs_lines *l, int width)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	size_t n = 0;

	for (size_t i = 0; i < s->n && n < 6; i++) {
		char who[96];

		if (!s->blocks[i].is_claimed)
			continue;
		name_holders(s->gpu, &s->blocks[i], who, sizeof(who));
		gs_strbuf_printf(&b, "%s%s %u%s%s%s", n++ ? ", " : "", slot_word(s->gpu), s->blocks[i].span.start, *who ? " (" : "", who, *who ? ")" : "");
	}
	if (n && !b.failed)
		gs_lines_wrap(l, -1, GS_ELEMENT_HELD, " c promised:  ", GS_ELEMENT_TEXT, b.text, width, 1);
}

static void draw_tail(const struct slots *s, bool changed)
{
	GS_LINES struct gs_lines l = { 0 };
	struct gs_rect r = s->v->geo.grid;

	r.row += s->at.tail;
	r.rows -= s->at.tail;
	add_here(s, &l, r.columns - 1);
	add_fits(s, &l, r.columns - 1, changed);
	add_claims(s, &l, r.columns - 1);
	/* lines that do not find room are left away, without a mark: this is not a list to walk */
	for (int i = 0; i < r.rows && (size_t)i < l.n; i++) {
		gs_draw_fit(s->v->f, r, i, 0, r.columns, l.items[i].element, l.items[i].text);
		gs_draw_text(s->v->f, (struct gs_rect){ r.row + i, r.column, 1, l.items[i].lead }, 0, 0, l.items[i].lead_element, l.items[i].text);
	}
}

void gs_part_slots(const struct gs_view *v, const struct gs_gpu *gpu, enum gs_lane_kind kind)
{
	struct slots s = { .v = v, .gpu = gpu, .ground = gs_model_shown(v->m, gpu) };
	const struct gs_offer *o = current_offer(v->m);

	if (kind == GS_LANE_OF_NOW)
		s.ground = gs_model_ground(v->m, gpu, false);
	if (!gs_slots_compute(&v->geo, s.ground.set->memory_units, &s.at))
		return;
	s.n = gs_part_blocks(v->m, gpu->index, kind, s.blocks);
	if (o && o->n_starts)
		s.n_picks = gs_model_picks(v->m, v->m->count, s.picks);
	draw_memory(&s);
	draw_cells(&s);
	draw_tail(&s, gs_part_is_changed(v->m, gpu->index));
}
