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

	/* partitions are told by their word, where it has room */
	if (!b->want && (!b->instance || b->instance->kind == GS_KIND_PARTITION)) {
		name = name ? name : b->profile ? b->profile->name : "";
		snprintf(buf, size, "%s%s%s", sign, (int)strlen(name) + 1 < width ? name : "", mark);
		return;
	}
	if (width > 2 && width >= (int)(strlen(sign) + strlen(digit) + 1 + strlen(mark)))
		snprintf(buf, size, "%s%sg%s", sign, digit, mark);
	else if (*sign && *mark && width >= 2)
		snprintf(buf, size, "%s%s", sign, mark);
	else if (width >= (int)(strlen(sign) + strlen(digit) + strlen(mark)))
		snprintf(buf, size, "%s%s%s", sign, digit, mark);
	else
		snprintf(buf, size, "%s", *sign ? sign : *mark ? mark : digit);
}

static void draw_blocks(const struct gs_view *v, struct gs_rect bar, const struct gs_gpu *gpu, uint32_t units, const struct gs_block *b, size_t n)
{

	for (size_t i = 0; i < n; i++) {
		int left = gs_part_bar_column(units, b[i].span.start), right = gs_part_bar_column(units, b[i].span.start + b[i].span.size);
		enum gs_element el = gs_part_block_element(gpu, &b[i]);
		bool joins = i && is_open(&b[i]) && is_open(&b[i - 1]) && b[i].state == b[i - 1].state;
		char label[32];

		gs_draw_fill(v->f, bar, 0, left + 1, 1, right - left - 1, el, gs_part_block_fill(v->g, &b[i]));
		gs_draw_code(v->f, bar, 0, left, joins ? el : GS_ELEMENT_RULE, joins ? gs_part_block_fill(v->g, &b[i]) : v->g->box_v);
		if (is_open(&b[i]))
			continue;
		if (b[i].state == GS_UNIT_FREE || b[i].state == GS_UNIT_LOST)
			continue;
		block_label(gpu, &b[i], right - left - 1, label, sizeof(label));
		gs_draw_fit(v->f, bar, 0, left + 1, right - left - 1, el, label);
	}
	gs_draw_code(v->f, bar, 0, GS_BAR_COLUMNS - 1, GS_ELEMENT_RULE, v->g->box_v);
}

/* vGPUs by what they take of the memory; VFs alone say nothing about that. False when that is not known. */
static bool draw_shares(const struct gs_view *v, struct gs_rect bar, const struct gs_gpu *gpu, const struct gs_block *b, size_t n)
{
	int room = GS_BAR_COLUMNS - 1, at = 0;
	uint64_t total = gs_part_shared_bytes(gpu), sum = 0;
	char label[32];

	if (!total)
		return false;
	gs_draw_code(v->f, bar, 0, 0, GS_ELEMENT_RULE, v->g->box_v);
	for (size_t i = 0; i < n && at < room; i++) {
		int to;

		if (b[i].state == GS_UNIT_FREE || b[i].state == GS_UNIT_LOST)
			continue;
		if (!b[i].profile || !b[i].profile->memory_bytes.known)
			return false;
		/* where one ends the next begins: rounding must not add up */
		sum += b[i].profile->memory_bytes.value;
		to = (int)((double)sum / (double)total * room + 0.5);
		to = to > room ? room : to <= at + 1 ? at + 2 : to;
		gs_draw_code(v->f, bar, 0, at, GS_ELEMENT_RULE, v->g->box_v);
		gs_draw_fill(v->f, bar, 0, at + 1, 1, to - at - 1, gs_part_block_element(gpu, &b[i]), gs_part_block_fill(v->g, &b[i]));
		gs_draw_text(v->f, (struct gs_rect){ bar.row, bar.column + at + 1, 1, to - at - 1 }, 0, 0, gs_part_block_element(gpu, &b[i]),
			     gs_part_slot_tag(gpu, &b[i], to - at - 1, label, sizeof(label)));
		at = to;
	}
	if (at < room) {
		gs_draw_code(v->f, bar, 0, at, GS_ELEMENT_RULE, v->g->box_v);
		gs_draw_fill(v->f, bar, 0, at + 1, 1, room - at - 1, GS_ELEMENT_FREE, v->g->free);
	}
	gs_draw_code(v->f, bar, 0, room, GS_ELEMENT_RULE, v->g->box_v);
	return true;
}

/* "4 of 16 VFs, 2 used" */
static void draw_count(const struct gs_view *v, struct gs_rect bar, const struct gs_gpu *gpu, const struct gs_block *b, size_t n)
{
	struct gs_rect inside = { bar.row, bar.column + 1, 1, GS_BAR_COLUMNS - 2 };
	size_t live = 0, made = 0, goes = 0, used = 0;
	char text[64];
	int at;

	for (size_t i = 0; i < n; i++) {
		live += b[i].state == GS_UNIT_INSTANCE;
		made += b[i].state == GS_UNIT_NEW;
		goes += b[i].state == GS_UNIT_GONE;
		used += b[i].instance && gs_part_mark(gpu, b[i].instance) == '*';
	}
	gs_draw_code(v->f, bar, 0, 0, GS_ELEMENT_RULE, v->g->box_v);
	gs_draw_code(v->f, bar, 0, GS_BAR_COLUMNS - 1, GS_ELEMENT_RULE, v->g->box_v);
	at = gs_draw_printf(v->f, inside, 0, 0, used ? GS_ELEMENT_HELD : GS_ELEMENT_LIVE, "%zu of %zu %s", live, n, gpu->vfs.total.known ? "VFs" : "places");
	if (made) {
		snprintf(text, sizeof(text), " +%zu", made);
		at += gs_draw_text(v->f, inside, 0, at, GS_ELEMENT_STAGED_NEW, text);
	}
	if (goes) {
		snprintf(text, sizeof(text), " x%zu", goes);
		at += gs_draw_text(v->f, inside, 0, at, GS_ELEMENT_STAGED_GONE, text);
	}
	if (used) {
		snprintf(text, sizeof(text), "  %zu used *", used);
		if (at + gs_text_width(text) > inside.columns)
			snprintf(text, sizeof(text), " *");
		gs_draw_text(v->f, inside, 0, at, GS_ELEMENT_HELD, text);
	}
}

/* What matters more than how it is cut: false when all is well. */
static bool draw_trouble(const struct gs_view *v, struct gs_rect bar, const struct gs_gpu *gpu)
{
	struct gs_rect inside = { bar.row, bar.column + 1, 1, GS_BAR_COLUMNS - 2 };
	char age[32];

	if (!gpu->n_writes && !gpu->stranded)
		return false;
	gs_draw_code(v->f, bar, 0, 0, GS_ELEMENT_RULE, v->g->box_v);
	gs_draw_code(v->f, bar, 0, GS_BAR_COLUMNS - 1, GS_ELEMENT_RULE, v->g->box_v);
	if (gpu->n_writes) {
		gs_draw_fill(v->f, inside, 0, 0, 1, inside.columns, GS_ELEMENT_WAITING, v->g->wait);
		gs_draw_printf(v->f, inside, 0, 1, GS_ELEMENT_WAITING, " a write WAITS %s ", gs_part_age(v->m, gpu->writes[0]->since, age, sizeof(age)));
	} else {
		gs_draw_fill(v->f, inside, 0, 0, 1, inside.columns, GS_ELEMENT_ERROR, v->g->lost);
		gs_draw_text(v->f, inside, 0, 1, GS_ELEMENT_ERROR, " STRANDED ");
	}
	return true;
}

/* Who has the whole card: "sim-01". */
static const char *owner_of(const struct gs_gpu *gpu)
{
	for (size_t i = 0; i < gpu->n_holders; i++)
		if (gs_part_holder_counts(gpu->holders[i]) && gpu->holders[i]->name)
			return gpu->holders[i]->name;
	return NULL;
}

/* A GPU without a grid to show: one block that says what it is. */
static void draw_words(const struct gs_view *v, struct gs_rect bar, const struct gs_gpu *gpu, enum gs_bar_state state)
{
	const struct gs_layout_gpu *target = gs_model_has_plan(v->m) && state != GS_BAR_NOW ? gs_model_target(v->m, gpu->index) : NULL;
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
	if (target && target->mode != GS_MODE_INVALID && target->mode != gpu->mode) {
		gs_draw_fill(v->f, inside, 0, 0, 1, inside.columns, GS_ELEMENT_STAGED_NEW, v->g->new_h);
		gs_draw_printf(v->f, inside, 0, 0, GS_ELEMENT_STAGED_NEW, "+%s ", target->mode == GS_MODE_WHOLE ? "whole GPU" : gs_part_mode_words(gpu, target->mode));
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
		gs_draw_printf(v->f, inside, 0, 0, el, "whole GPU %c%s", mark, gpu->modes >> GS_MODE_MIG & 1 ? " MIG off" : "");
		break;
	case GS_MODE_PASSTHROUGH:
		gs_draw_printf(v->f, inside, 0, 0, el, "passthrough %c %s", mark, owner_of(gpu) ? owner_of(gpu) : used || !gpu->holders_visible ? "" : "no VM");
		break;
	default:
		if (!gpu->driver)
			gs_draw_text(v->f, inside, 0, 0, GS_ELEMENT_HIDDEN, "no driver bound");
		else
			gs_draw_printf(v->f, inside, 0, 0, el, "%s %c", gs_mode_name(gpu->mode) ? gs_part_mode_words(gpu, gpu->mode) : "mode unknown", mark);
	}
}

void gs_part_bar(const struct gs_view *v, struct gs_rect rect, int row, int column, const struct gs_gpu *gpu, enum gs_bar_state state)
{
	struct gs_rect bar = { rect.row + row, rect.column + column, 1, GS_BAR_COLUMNS };
	const struct gs_profile_set *set;
	struct gs_block b[GS_GRID_UNITS_MAX], blocks_after[GS_GRID_UNITS_MAX];
	struct gs_ground now = gs_model_ground(v->m, gpu, false), after = gs_model_ground(v->m, gpu, true);
	size_t n;

	if (row < 0 || row >= rect.rows)
		return;
	if (column + bar.columns > rect.columns)
		bar.columns = rect.columns - column;
	n = state == GS_BAR_MERGED ? gs_part_blocks_merged(v->m, gpu->index, b) : gs_model_blocks(v->m, gpu->index, state == GS_BAR_AFTER, b);
	/* the merged bar is that of the target's grid, where it has one */
	if (state == GS_BAR_MERGED && after.grid != GS_KIND_INVALID && gs_model_blocks(v->m, gpu->index, true, blocks_after))
		now = after;
	set = state == GS_BAR_AFTER ? after.set : now.set;
	if (state == GS_BAR_MERGED && !gpu->lost && draw_trouble(v, bar, gpu))
		return;
	if (n && set->is_slots && !gpu->lost) {
		if ((state == GS_BAR_AFTER ? after.grid : now.grid) != GS_KIND_VGPU || !draw_shares(v, bar, gpu, b, n))
			draw_count(v, bar, gpu, b, n);
	} else if (n && set->memory_units && !gpu->lost) {
		draw_blocks(v, bar, gpu, set->memory_units, b, n);
	} else {
		draw_words(v, bar, gpu, state);
	}
}
