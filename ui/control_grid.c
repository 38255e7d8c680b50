/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control_grid.c - the thing under the cursor: what it is, selecting, deleting, which staged command made it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "codec/script_text.h"
#include "ui/control_internal.h"

static bool block_at(const struct gs_model *m, bool after, struct gs_block *ret)
{
	struct gs_block blocks[GS_GRID_UNITS_MAX];
	size_t n = gs_model_blocks(m, m->gpu, after, blocks);

	for (size_t i = 0; i < n; i++) {
		if (m->unit >= blocks[i].span.start && m->unit < blocks[i].span.start + blocks[i].span.size) {
			*ret = blocks[i];
			return true;
		}
	}
	return false;
}

bool gs_control_block(const struct gs_model *m, struct gs_block *ret)
{
	if (m->lane == GS_LANE_NOW)
		return block_at(m, false, ret) || block_at(m, true, ret);
	return block_at(m, true, ret) || block_at(m, false, ret);
}

/* ---- which staged command ---- */

static bool selector_covers(const struct gs_instance_selector *sel, const struct gs_instance *inst)
{
	switch (sel->kind) {
	case GS_SELECT_ALL:
	case GS_SELECT_REST:
		return true;
	case GS_SELECT_AT:
		return gs_u32_is(inst->start, sel->number) && gs_str_equal(sel->profile, inst->profile);
	case GS_SELECT_GI:
		return sel->number == inst->id;
	case GS_SELECT_UUID:
		return inst->uuid && sel->text && gs_str_starts(inst->uuid, sel->text);
	case GS_SELECT_VF:
	case GS_SELECT_MDEV:
		break;
	}
	return false;
}

/* Does this statement make the staged block @now or @after under the cursor what it is? */
static bool statement_made(const struct gs_model *m, const struct gs_statement *st, const struct gs_block *now, const struct gs_block *after)
{
	const struct gs_gpu *gpu = gs_model_gpu(m);

	if (st->verb == GS_VERB_COPY) {
		for (size_t i = 0; i < st->n_targets; i++)
			if (st->targets[i].kind == GS_SELECT_GPU_RANGE && st->targets[i].first == gpu->index)
				return true;
		return false;
	}
	if (st->gpu.kind != GS_SELECT_GPU_RANGE || st->gpu.first != gpu->index)
		return false;
	switch (st->verb) {
	case GS_VERB_CREATE:
		return after && !st->has_inside && gs_str_equal(st->profile, after->want->profile) && gs_u32_equal(st->at, after->want->start);
	case GS_VERB_MOVE:
		if (after && gs_u32_equal(st->at, after->want->start))
			return true;
		/* fall through */
	case GS_VERB_DELETE:
	case GS_VERB_RECREATE:
		for (size_t i = 0; now && i < st->n_instances; i++)
			if (selector_covers(&st->instances[i], now->instance))
				return true;
		return false;
	default:
		return !now && !after;
	}
}

static size_t find_staged(const struct gs_model *m, const struct gs_block *now, const struct gs_block *after)
{
	for (size_t i = m->n_staged; i-- > 0;) {
		GS_CLEANUP(gs_script_freep) struct gs_script *script = NULL;
		const char *text = m->staged[i].text;

		if (gs_script_parse(text, strlen(text), "staged", &script, NULL) < 0 || !script->n)
			continue;
		if (statement_made(m, &script->items[0], now, after))
			return i;
	}
	return m->n_staged;
}

size_t gs_control_staged_here(const struct gs_model *m)
{
	struct gs_block now, after;
	size_t i = m->n_staged;

	if (!gs_model_gpu(m) || !m->n_staged)
		return m->n_staged;
	/* What would be there counts before what goes: that is what the operator put there last. */
	if (block_at(m, true, &after) && after.state == GS_UNIT_NEW)
		i = find_staged(m, NULL, &after);
	if (i == m->n_staged && block_at(m, false, &now) && now.state == GS_UNIT_GONE)
		i = find_staged(m, &now, NULL);
	/* Nothing of its own here: a mode change is about the whole GPU. */
	if (i == m->n_staged)
		i = find_staged(m, NULL, NULL);
	return i;
}

/* ---- which GPUs ---- */

bool gs_control_may_edit(struct gs_model *m)
{
	struct gs_error e = { 0 };

	if (gs_model_may_edit(m, m->gpu, &e) == 0)
		return true;
	gs_say_error(m, "%s", e.text);
	return false;
}

size_t gs_control_gpus(struct gs_model *m, uint32_t ret[64])
{
	size_t n = 0;

	if (!m->marked_gpus) {
		ret[0] = m->gpu;
		return 1;
	}
	if (m->gpu >= 64 || !(m->marked_gpus >> m->gpu & 1)) {
		gs_say_error(m, "other GPUs are marked and GPU %u is not: Space marks it too, Esc clears the marks", m->gpu);
		return 0;
	}
	for (uint32_t i = 0; i < 64; i++)
		if (m->marked_gpus >> i & 1)
			ret[n++] = i;
	return n;
}

unsigned gs_control_stage(struct gs_model *m, const char *text, const char *done)
{
	struct gs_error e = { 0 };

	if (!text)
		return gs_say_error(m, "cannot allocate memory");
	if (gs_model_stage(m, text, &e) < 0)
		return gs_say_error(m, "%s", e.text);
	if (m->plan && gs_plan_is_blocked(m->plan))
		return gs_say_error(m, "%s   %s", done, m->plan->findings[0].text ? m->plan->findings[0].text : "W is off: see the plan");
	return gs_say(m, "%s", done);
}

/* ---- v and d ---- */

void gs_control_select_start(struct gs_model *m, uint32_t unit)
{
	m->focus = GS_FOCUS_GRID;
	m->unit = m->anchor = m->extent = unit;
	m->selecting = true;
}

static unsigned select_units(struct gs_model *m)
{
	struct gs_block b;

	if (m->selecting) {
		m->selecting = false;
		return GS_DO_REDRAW;
	}
	if (!gs_control_may_edit(m))
		return GS_DO_REDRAW;
	if (!gs_control_block(m, &b))
		return gs_say_error(m, "this GPU has no grid now: c creates, M changes the mode");
	gs_control_select_start(m, m->unit);
	return gs_say(m, "Left and Right extend, Enter offers what fits, Esc gives up");
}

static unsigned delete_here(struct gs_model *m)
{
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT;
	char done[256];
	struct gs_block b, now;
	uint32_t gpus[64];
	size_t n;

	if (!gs_control_may_edit(m))
		return GS_DO_REDRAW;
	if (!gs_control_block(m, &b))
		return gs_say_error(m, gs_model_gpu(m)->n_instances ? "where the instances of GPU %u are is not known" : "there is no instance on GPU %u",
				    m->gpu);
	if (b.state == GS_UNIT_NEW)
		return gs_say(m, "this is only staged: x drops it");
	if (b.state == GS_UNIT_GONE || (block_at(m, false, &now) && now.state == GS_UNIT_GONE))
		return gs_say(m, "its deletion is staged already: x drops that");
	if (b.state != GS_UNIT_INSTANCE)
		return gs_say(m, "nothing to delete here: the unit is free");
	if (!b.instance->profile)
		return gs_say_error(m, "the profile of GI %u cannot be read, so a command cannot name it", b.instance->id);
	n = gs_control_gpus(m, gpus);
	if (!n)
		return GS_DO_REDRAW;
	for (size_t i = 0; i < n; i++)
		gs_strbuf_printf(&text, "delete %u %s@%u\n", gpus[i], b.instance->profile, b.span.start);
	snprintf(done, sizeof(done), "staged: delete %s at %u on %s%s", b.instance->profile, b.span.start,
		 n > 1 ? "the marked GPUs" : "this GPU", gs_instance_is_held(b.instance) ? "; somebody uses it" : "");
	return gs_control_stage(m, text.failed ? NULL : text.text, done);
}

unsigned gs_control_grid_edit(struct gs_model *m, enum gs_action_id id)
{
	switch (id) {
	case GS_ACTION_SELECT:
		return select_units(m);
	case GS_ACTION_DELETE:
		return delete_here(m);
	case GS_ACTION_REPLACE:
		return gs_say(m, "R replaces in the palette and the chooser: c or v first");
	default:
		return GS_DO_NOTHING;
	}
}
