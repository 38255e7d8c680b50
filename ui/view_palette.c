/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view_palette.c - over the grid that stays in sight: profiles to create (the
 * palette), profiles for a selection (the chooser).
 */
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "ui/view_parts.h"

#define FRAME_ROWS 2    /* title and heading */

struct columns {
	int name, sm, gib, now, starts, rest;
};

/* «RTX Pro 6000 Blackwell DC-1-8Q» is one of dozens that begin alike: its last word tells them apart, and is understood wherever a type is named. */
static const char *short_name(const struct gs_profile *p)
{
	const char *last = strrchr(p->name, ' ');

	return last ? last + 1 : p->name;
}

static void lay_out(const struct gs_model *m, struct columns *c)
{
	int name = 10;

	for (size_t i = 0; i < m->n_offers; i++) {
		int n = gs_text_width(short_name(m->offers[i].profile));

		name = n > name && n < 24 ? n : name;
	}
	c->name = 6;
	c->sm = c->name + name + 1;
	c->gib = c->sm + 5;
	c->now = c->gib + 7;
	c->starts = c->now + 5;
	c->rest = c->starts + 16;
}

size_t gs_view_palette_top(const struct gs_model *m, const struct gs_geometry *geo)
{
	return gs_part_scrolled(m->list_top, m->offer, m->n_offers, geo->layer.rows - FRAME_ROWS);
}

static bool item_at(const struct gs_geometry *geo, int row, size_t top, size_t n, size_t *ret_item)
{
	if (row < FRAME_ROWS || row >= geo->layer.rows || top + (size_t)(row - FRAME_ROWS) >= n)
		return false;
	*ret_item = top + (size_t)(row - FRAME_ROWS);
	return true;
}

bool gs_view_palette_at(const struct gs_model *m, const struct gs_geometry *geo, int row, size_t *ret_item)
{
	return item_at(geo, row, gs_view_palette_top(m, geo), m->n_offers, ret_item);
}

static void clear(const struct gs_view *v, struct gs_rect r)
{
	gs_draw_fill(v->f, r, 0, 0, r.rows, r.columns, GS_ELEMENT_TEXT, ' ');
}

static size_t n_fitting(const struct gs_model *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_offers; i++)
		n += m->offers[i].n_starts > 0;
	return n;
}

static bool is_slots(const struct gs_model *m)
{
	return gs_model_gpu(m) && (m->offers_inside || gs_model_creation(m, gs_model_gpu(m)).set->is_slots);
}

static void draw_title(const struct gs_view *v)
{
	const struct gs_model *m = v->m;
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	char right[96];

	const char *unit = is_slots(m) ? gs_model_gpu(m)->vfs.total.known ? "VF" : "place" : "unit";

	if (m->offers_inside) {
		gs_strbuf_printf(&b, "CREATE a vGPU in %s at %u of GPU %u", m->inside_profile, m->inside_start, m->gpu);
	} else if (m->layer == GS_LAYER_CHOOSER) {
		uint32_t low = m->anchor < m->extent ? m->anchor : m->extent, high = m->anchor < m->extent ? m->extent : m->anchor;

		if (low == high)
			gs_strbuf_printf(&b, "CREATE in %s %u of GPU %u", unit, low, m->gpu);
		else
			gs_strbuf_printf(&b, "CREATE in %ss %u-%u of GPU %u", unit, low, high, m->gpu);
	} else {
		gs_strbuf_printf(&b, "CREATE on GPU %u", m->gpu);
		if (m->marked_gpus)
			gs_strbuf_printf(&b, " and all marked");
	}
	if (*m->find || m->is_finding)
		gs_strbuf_printf(&b, "   /%s%s", m->find, m->is_finding ? "_" : "");
	snprintf(right, sizeof(right), "%zu of %zu %s fit", n_fitting(m), m->n_offers, is_slots(m) ? "types" : "profiles");
	gs_part_rule(v, v->geo.layer, 0, GS_ELEMENT_TITLE, b.failed ? "CREATE" : b.text, right);
}

/* "2 3"; of slots "0-5 7 9-31" */
static void list_starts(const struct gs_offer *o, char *buf, size_t size)
{
	size_t at = 0;

	snprintf(buf, size, "-");
	for (size_t i = 0, k; i < o->n_starts && at < size; i = k) {
		for (k = i + 1; k < o->n_starts && o->starts[k] == o->starts[k - 1] + 1; k++)
			;
		/* two or three are as short one by one */
		if (k - i < 4)
			k = i + 1;
		at += (size_t)snprintf(buf + at, size - at, "%s%u", i ? " " : "", o->starts[i]);
		if (k - i > 1 && at < size)
			at += (size_t)snprintf(buf + at, size - at, "-%u", o->starts[k - 1]);
	}
}

/* The plain profiles that still fit once this one is there, largest first. */
static void still_fits(const struct gs_model *m, const struct gs_offer *o, char *buf, size_t size)
{
	const struct gs_gpu *gpu = gs_model_gpu(m);
	const struct gs_profile_set *set = gpu ? gs_model_creation(m, gpu).set : NULL;
	struct gs_placed placed[GS_PLACED_MAX + 1];
	uint32_t starts[GS_PLACEMENTS_MAX];
	size_t n, at = 0, found = 0;

	buf[0] = '\0';
	/* on slots only more of the same size fit, and how many */
	if (is_slots(m)) {
		if (o->n_more > 1)
			snprintf(buf, size, "%zu more of this size", o->n_more - 1);
		else if (o->n_more)
			snprintf(buf, size, "nothing of this size");
		return;
	}
	if (!gpu || !o->n_starts || o->chosen >= o->n_starts || !gs_part_placed(m, gpu, placed, &n))
		return;
	placed[n++] = (struct gs_placed){ .profile = o->profile, .start = o->starts[o->chosen] };
	for (size_t i = set->n; i-- > 0 && at < size;) {
		const struct gs_profile *p = &set->items[i];

		if (!*gs_profile_suffix(p) && gs_placement_free_starts(set, placed, n, p, starts))
			at += (size_t)snprintf(buf + at, size - at, "%s%s", found++ ? " " : "", p->name);
	}
	if (!found)
		snprintf(buf, size, "nothing");
}

/* Is @i ruled out for what the row above it says already? @top is the first that is in sight. */
static bool says_the_same(const struct gs_model *m, size_t i, size_t top)
{
	return i > top && !m->offers[i - 1].n_starts && !strcmp(m->offers[i].why, m->offers[i - 1].why);
}

static void draw_offer(const struct gs_view *v, int row, const struct columns *c, size_t i, size_t top)
{
	const struct gs_offer *o = &v->m->offers[i];
	struct gs_rect r = v->geo.layer;
	bool is_chosen = i == v->m->offer;
	enum gs_element el = is_chosen ? GS_ELEMENT_SELECTED : o->n_starts ? GS_ELEMENT_TEXT : GS_ELEMENT_DIM;
	char text[256], gib[16];

	if (is_chosen)
		gs_draw_fill(v->f, r, row, 0, 1, r.columns, el, ' ');
	gs_draw_printf(v->f, r, row, 1, el, "%c %2zu", is_chosen ? '>' : ' ', i + 1);
	gs_draw_fit(v->f, r, row, c->name, c->sm - c->name - 1, el, short_name(o->profile));
	if (is_slots(v->m) && o->profile->max_instances)
		gs_draw_printf(v->f, r, row, c->sm, el, "%4u", o->profile->max_instances);
	else if (o->profile->sm_count.known)
		gs_draw_printf(v->f, r, row, c->sm, el, "%4u", o->profile->sm_count.value);
	else
		gs_draw_text(v->f, r, row, c->sm, el, "   -");
	gs_draw_printf(v->f, r, row, c->gib, el, "%6s", gs_part_gib(o->profile->memory_bytes, gib, sizeof(gib)));
	gs_draw_printf(v->f, r, row, c->now, el, "%3zu", o->n_more);
	if (o->n_starts) {
		list_starts(o, text, sizeof(text));
		gs_draw_fit(v->f, r, row, c->starts, c->rest - c->starts - 1, el, text);
		still_fits(v->m, o, text, sizeof(text));
		gs_draw_fit(v->f, r, row, c->rest, r.columns - c->rest, is_chosen ? el : GS_ELEMENT_DIM, text);
	} else {
		/* one reason for several is told where they begin; the details tell that of the chosen one */
		gs_draw_fit(v->f, r, row, c->starts, r.columns - c->starts, is_chosen ? el : GS_ELEMENT_DIM, says_the_same(v->m, i, top) ? "\"" : o->why);
	}
	if (is_chosen)
		gs_draw_flag(v->f, r, row, 0, 1, r.columns, GS_CELL_CURSOR);
}

/* "  GI 11 is idle, GI 12 is bob 51020": who would be hit. */
static void list_blockers(const struct gs_model *m, const struct gs_offer *o, struct gs_strbuf *b)
{
	const struct gs_gpu *gpu = gs_model_gpu(m);
	struct gs_placed placed[GS_PLACED_MAX];
	size_t n, said = 0;

	/* the reason names them already */
	if (is_slots(m))
		return;
	if (!gpu || !gs_part_placed(m, gpu, placed, &n))
		return;
	for (size_t i = 0; i < o->misfit.n_blockers; i++) {
		const struct gs_placed *p = o->misfit.blockers[i] < n ? &placed[o->misfit.blockers[i]] : NULL;
		const struct gs_instance *inst = p ? gs_gpu_instance_at(gpu, p->profile->name, p->start) : NULL;
		char who[96];

		if (inst)
			gs_strbuf_printf(b, "%sGI %u: %s", said++ ? ", " : "  ", inst->id, gs_part_holders(gpu, inst, 20, who, sizeof(who)));
	}
}

/* What Enter would do, or what stands in the way and what to do about it. */
static void draw_detail(const struct gs_view *v)
{
	const struct gs_model *m = v->m;
	const struct gs_offer *o = m->offer < m->n_offers ? &m->offers[m->offer] : NULL;
	GS_LINES struct gs_lines l = { 0 };
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	struct gs_rect r = v->geo.detail;
	int width = r.columns - 1;

	gs_part_rule(v, r, 0, GS_ELEMENT_TITLE, o ? o->profile->name : "nothing to offer", NULL);
	r.row++;
	r.rows--;
	if (!o || r.rows <= 0)
		return;
	if (o->n_starts) {
		uint32_t start = o->starts[o->chosen < o->n_starts ? o->chosen : 0], picks[GS_PLACED_MAX];
		size_t n = gs_model_picks(m, m->count, picks);
		bool has_vfs = is_slots(m) && gs_model_gpu(m)->vfs.total.known;

		if (is_slots(m)) {
			gs_strbuf_puts(&b, o->profile->name);
			for (size_t i = 0; has_vfs && i < n; i++)
				gs_strbuf_printf(&b, "%s%u", i ? ", " : " on VF ", picks[i]);
			if (!has_vfs && n > 1)
				gs_strbuf_printf(&b, " x%zu", n);
			if (n < m->count)
				gs_strbuf_printf(&b, "   (%zu of %u: no more fit)", n, m->count);
		} else {
			gs_strbuf_printf(&b, "%s at %u", o->profile->name, start);
			if (n > 1)
				gs_strbuf_printf(&b, " and %zu more of it", n - 1);
			if (n < m->count)
				gs_strbuf_printf(&b, "   (%zu of %u: no more fit)", n, m->count);
		}
		if (start == o->best_start && o->n_starts > 1 && !is_slots(m))
			gs_strbuf_puts(&b, "   (keeps most open)");
		gs_lines_wrap(&l, -1, GS_ELEMENT_OK, " Enter stages:  ", GS_ELEMENT_TEXT, b.text, width, 2);
		if (o->n_starts > 1)
			gs_lines_add(&l, -1, GS_ELEMENT_DIM, has_vfs ? " Left and Right choose another VF." : " Left and Right choose another start.");
		if (!is_slots(m))
			gs_lines_add(&l, -1, GS_ELEMENT_DIM, " One compute instance fills it; other ones:  : create ... ci ...");
		else if (gs_model_creation(m, gs_model_gpu(m)).set->has_one_size && !m->offers_inside)
			gs_lines_add(&l, -1, GS_ELEMENT_DIM, " One size for all on this GPU: 12Q, 12A and 12C may mix, 12Q and 24Q may not.");
	} else {
		if (n_fitting(m) || *m->find)
			gs_strbuf_printf(&b, "%s does not fit (%s).", o->profile->name, o->why);
		else
			gs_strbuf_printf(&b, "Nothing fits %s as it is. %s: %s.", m->layer == GS_LAYER_CHOOSER ? "there" : "on this GPU", o->profile->name,
					 o->why);
		list_blockers(m, o, &b);
		if (!b.failed)
			gs_lines_wrap(&l, -1, GS_ELEMENT_CONFLICT, " !  ", GS_ELEMENT_TEXT, b.text, width, 2);
		if (o->misfit.n_blockers)
			gs_lines_wrap(&l, -1, GS_ELEMENT_KEY, " R  ", GS_ELEMENT_TEXT,
				      "replace: stages their deletion, then this. The review says who stops.", width, 1);
		if (r.rows > 3)
			gs_lines_add(&l, -1, GS_ELEMENT_DIM, " Enter is off here. Up and Down go to other profiles.");
	}
	gs_lines_draw(v, r, &l, 0, -1);
}

void gs_view_palette(const struct gs_view *v)
{
	const struct gs_model *m = v->m;
	struct gs_rect r = v->geo.layer;
	size_t top = gs_view_palette_top(m, &v->geo);
	struct columns c;

	clear(v, r);
	clear(v, v->geo.detail);
	lay_out(m, &c);
	draw_title(v);
	gs_draw_text(v->f, r, 1, c.name, GS_ELEMENT_DIM, "profile");
	gs_draw_printf(v->f, r, 1, c.sm, GS_ELEMENT_DIM, "%4s", is_slots(m) ? "max" : "SM");
	gs_draw_printf(v->f, r, 1, c.gib, GS_ELEMENT_DIM, "%6s", "GiB");
	gs_draw_text(v->f, r, 1, c.now, GS_ELEMENT_DIM, "now");
	if (n_fitting(m)) {
		gs_draw_text(v->f, r, 1, c.starts, GS_ELEMENT_DIM,
			     !is_slots(m) ? "starts free" : gs_model_gpu(m)->vfs.total.known ? "VFs free" : "places free");
		gs_draw_text(v->f, r, 1, c.rest, GS_ELEMENT_DIM, "after it still fits");
	} else {
		gs_draw_text(v->f, r, 1, c.starts, GS_ELEMENT_DIM, "why not");
	}
	for (int row = FRAME_ROWS; row < r.rows && top + (size_t)(row - FRAME_ROWS) < m->n_offers; row++)
		draw_offer(v, row, &c, top + (size_t)(row - FRAME_ROWS), top);
	draw_detail(v);
}
