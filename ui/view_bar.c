/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view_bar.c - a GPU in one line: width is memory, the digit is SM. Three
 * columns per unit where there are eight.
 */
#include <stdio.h>
#include <string.h>

#include "ui/view_parts.h"

int gs_part_bar_column(uint32_t n, uint32_t unit)
{
	if (!n)
		return 0;
	return (int)((uint64_t)unit * (GS_BAR_COLUMNS - 1) / n);
}

static bool is_open(const struct gs_block *b)
{
	return (b->state == GS_UNIT_FREE || b->state == GS_UNIT_LOST) && !b->in_the_way;
}

static uint32_t filling(const struct gs_glyphs *g, const struct gs_block *b)
{
	if (b->in_the_way)
		return g->conflict;
	switch (b->state) {
	case GS_UNIT_FREE:
		return g->free;
	case GS_UNIT_LOST:
		return g->lost;
	case GS_UNIT_GONE:
		return g->gone;
	case GS_UNIT_NEW:
		return g->new_h;
	case GS_UNIT_INSTANCE:
		break;
	}
	return g->box_h;
}

/* "3g*", "1*" where two columns have to do, "+2g", "x1" */
static void block_label(const struct gs_gpu *gpu, const struct gs_block *b, int width, char *buf, size_t size)
{
	char sign[2] = "", mark[2] = "", digit[16] = "?";
	const char *name = b->instance ? b->instance->profile : b->want ? b->want->profile : NULL;

	if (b->profile)
		snprintf(digit, sizeof(digit), "%u", b->profile->compute_slices);
	else if (name && strspn(name, "0123456789") && strspn(name, "0123456789") < sizeof(digit))
		snprintf(digit, sizeof(digit), "%.*s", (int)strspn(name, "0123456789"), name);
	if (b->in_the_way)
		sign[0] = '!';
	else if (b->state == GS_UNIT_NEW)
		sign[0] = '+';
	else if (b->state == GS_UNIT_GONE)
		sign[0] = 'x';
	if (b->instance)
		mark[0] = gs_part_mark(gpu, b->instance);

	if (width > 2 && width >= (int)(strlen(sign) + strlen(digit) + 1 + strlen(mark)))
		snprintf(buf, size, "%s%sg%s", sign, digit, mark);
	else if (*sign && *mark && width >= 2)
		snprintf(buf, size, "%s%s", sign, mark);
	else if (width >= (int)(strlen(sign) + strlen(digit) + strlen(mark)))
		snprintf(buf, size, "%s%s%s", sign, digit, mark);
	else
		snprintf(buf, size, "%s", *sign ? sign : *mark ? mark : digit);
}

static void draw_blocks(const struct gs_view *v, struct gs_rect bar, const struct gs_gpu *gpu, const struct gs_block *b, size_t n)
{
	uint32_t units = gpu->grids[GS_KIND_MIG].memory_units;

	for (size_t i = 0; i < n; i++) {
		int left = gs_part_bar_column(units, b[i].span.start), right = gs_part_bar_column(units, b[i].span.start + b[i].span.size);
		enum gs_element el = gs_part_block_element(gpu, &b[i]);
		bool joins = i && is_open(&b[i]) && is_open(&b[i - 1]) && b[i].state == b[i - 1].state;
		char label[32];

		gs_draw_fill(v->f, bar, 0, left + 1, 1, right - left - 1, el, filling(v->g, &b[i]));
		gs_draw_code(v->f, bar, 0, left, joins ? el : GS_ELEMENT_RULE, joins ? filling(v->g, &b[i]) : v->g->box_v);
		if (is_open(&b[i]))
			continue;
		if (b[i].state == GS_UNIT_FREE || b[i].state == GS_UNIT_LOST)
			continue;
		block_label(gpu, &b[i], right - left - 1, label, sizeof(label));
		gs_draw_fit(v->f, bar, 0, left + 1, right - left - 1, el, label);
	}
	gs_draw_code(v->f, bar, 0, GS_BAR_COLUMNS - 1, GS_ELEMENT_RULE, v->g->box_v);
}

/* A GPU without a grid to show: one block that says what it is. */
static void draw_words(const struct gs_view *v, struct gs_rect bar, const struct gs_gpu *gpu)
{
	struct gs_rect inside = { bar.row, bar.column + 1, 1, GS_BAR_COLUMNS - 2 };
	bool used = gs_part_gpu_is_used(gpu);
	enum gs_element el = used ? GS_ELEMENT_HELD : GS_ELEMENT_LIVE;
	char mark = used ? '*' : gpu->holders_visible ? ' ' : '?';

	gs_draw_code(v->f, bar, 0, 0, GS_ELEMENT_RULE, v->g->box_v);
	gs_draw_code(v->f, bar, 0, GS_BAR_COLUMNS - 1, GS_ELEMENT_RULE, v->g->box_v);
	if (gpu->lost) {
		gs_draw_fill(v->f, inside, 0, 0, 1, inside.columns, GS_ELEMENT_ERROR, v->g->lost);
		gs_draw_text(v->f, inside, 0, 0, GS_ELEMENT_ERROR, "LOST ");
		return;
	}
	if (gpu->mode_pending != GS_MODE_INVALID && gpu->mode_pending != gpu->mode) {
		const char *name = gs_mode_name(gpu->mode_pending);

		gs_draw_fill(v->f, inside, 0, 0, 1, inside.columns, GS_ELEMENT_WAITING, v->g->wait);
		gs_draw_printf(v->f, inside, 0, 0, GS_ELEMENT_WAITING, " %s waits for a reset ", name ? name : "mode");
		return;
	}
	switch (gpu->mode) {
	case GS_MODE_MIG:
	case GS_MODE_MIG_VGPU:
		/* places unknown: never at a guessed place */
		gs_draw_fill(v->f, inside, 0, 0, 1, inside.columns, GS_ELEMENT_HIDDEN, '?');
		if (gpu->n_instances)
			gs_draw_printf(v->f, inside, 0, 2, GS_ELEMENT_HIDDEN, " %zu, places unknown ", gpu->n_instances);
		else
			gs_draw_text(v->f, inside, 0, 3, GS_ELEMENT_HIDDEN, " places unknown ");
		break;
	case GS_MODE_WHOLE:
		gs_draw_printf(v->f, inside, 0, 0, el, "whole GPU %c MIG off", mark);
		break;
	case GS_MODE_PASSTHROUGH:
		gs_draw_printf(v->f, inside, 0, 0, el, "passthrough %c", mark);
		break;
	default:
		gs_draw_printf(v->f, inside, 0, 0, el, "%s %c", gs_mode_name(gpu->mode) ? gs_mode_name(gpu->mode) : "mode unknown", mark);
	}
}

void gs_part_bar(const struct gs_view *v, struct gs_rect rect, int row, int column, const struct gs_gpu *gpu, enum gs_bar_state state)
{
	struct gs_rect bar = { rect.row + row, rect.column + column, 1, GS_BAR_COLUMNS };
	struct gs_block b[GS_GRID_UNITS_MAX];
	size_t n;

	if (row < 0 || row >= rect.rows)
		return;
	if (column + bar.columns > rect.columns)
		bar.columns = rect.columns - column;
	n = state == GS_BAR_MERGED ? gs_part_blocks_merged(v->m, gpu->index, b) : gs_model_blocks(v->m, gpu->index, state == GS_BAR_AFTER, b);
	if (n && gpu->grids[GS_KIND_MIG].memory_units && !gpu->lost)
		draw_blocks(v, bar, gpu, b, n);
	else
		draw_words(v, bar, gpu);
}
