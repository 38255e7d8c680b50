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
	const struct gs_gpu *gpu = gs_model_gpu(m);

	/* units of two grids are not the same units: the one that is shown counts */
	if (gpu && gs_model_grid_changes(m, gpu))
		return block_at(m, gs_model_shows_after(m, gpu), ret);
	if (m->lane == GS_LANE_NOW)
		return block_at(m, false, ret) || block_at(m, true, ret);
	return block_at(m, true, ret) || block_at(m, false, ret);
}

bool gs_control_is_sriov(const struct gs_model *m)
{
	const struct gs_gpu *gpu = gs_model_gpu(m);

	return gpu && gs_model_shown(m, gpu).grid == GS_KIND_SRIOV;
}

bool gs_control_selector(const struct gs_instance *inst, char *buf, size_t size)
{
	if (inst->kind == GS_KIND_VGPU && inst->vf.known)
		snprintf(buf, size, "vf:%u", inst->vf.value);
	else if (inst->kind == GS_KIND_VGPU && inst->uuid)
		snprintf(buf, size, "mdev:%s", inst->uuid);
	else if (inst->kind == GS_KIND_MIG && inst->profile && inst->start.known)
		snprintf(buf, size, "%s@%u", inst->profile, inst->start.value);
	else
		return false;
	return true;
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
		return inst->kind == GS_KIND_MIG && sel->number == inst->id;
	case GS_SELECT_UUID:
		return inst->uuid && sel->text && gs_str_starts(inst->uuid, sel->text);
	case GS_SELECT_VF:
		return inst->kind == GS_KIND_VGPU && !sel->text && gs_u32_is(inst->vf, sel->number);
	case GS_SELECT_MDEV:
		return inst->kind == GS_KIND_VGPU && gs_str_equal(inst->uuid, sel->text);
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
	case GS_VERB_VFS:
		return gs_control_is_sriov(m) && (now || after);
	case GS_VERB_SET:
		return !now && !after ? false : (now && now->instance->kind == GS_KIND_PARTITION) || (after && !after->want);
	case GS_VERB_CREATE:
		if (!after || !after->want || !gs_str_equal(st->profile, after->want->profile))
			return false;
		if (after->want->kind == GS_KIND_VGPU)
			return st->vf_number.known ? gs_u32_equal(st->vf_number, after->want->start) : !st->vf;
		return !st->has_inside && gs_u32_equal(st->at, after->want->start);
	case GS_VERB_MOVE:
		if (after && after->want && gs_u32_equal(st->at, after->want->start))
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
	if (b.instance && b.instance->kind == GS_KIND_PARTITION)
		return gs_control_open_settings(m);
	gs_control_select_start(m, m->unit);
	return gs_control_is_sriov(m) ? gs_say(m, "Left and Right say up to which VF, Enter stages how many, Esc gives up")
				      : gs_say(m, "Left and Right extend, Enter offers what fits, Esc gives up");
}

unsigned gs_control_stage_vfs(struct gs_model *m, uint32_t n)
{
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT;
	uint32_t gpus[64];
	char done[128];
	size_t n_gpus = gs_control_gpus(m, gpus);

	m->selecting = m->dragging = false;
	if (!n_gpus)
		return GS_DO_REDRAW;
	for (size_t i = 0; i < n_gpus; i++)
		gs_strbuf_printf(&text, "vfs %u %u\n", gpus[i], n);
	snprintf(done, sizeof(done), "staged: %u VF%s on %s", n, n == 1 ? "" : "s", n_gpus > 1 ? "the marked GPUs" : "this GPU");
	return gs_control_stage(m, text.failed ? NULL : text.text, done);
}

/* What is at this place, for sentences: "GI 12", "VF 3", "mdev c0ffee00". */
static void name_place(const struct gs_instance *inst, char *buf, size_t size)
{
	if (inst->kind == GS_KIND_MIG)
		snprintf(buf, size, "GI %u", inst->id);
	else if (inst->vf.known)
		snprintf(buf, size, "VF %u", inst->vf.value);
	else
		snprintf(buf, size, "mdev %.8s", inst->uuid ? inst->uuid : "?");
}

/* The live instance under the cursor that can be changed, or a sentence why there is none. */
static const struct gs_instance *changeable(struct gs_model *m, const char *verb, struct gs_block *ret)
{
	struct gs_block now;

	if (!gs_control_may_edit(m))
		return NULL;
	if (!gs_control_block(m, ret))
		gs_say_error(m, gs_model_gpu(m)->n_instances ? "where the instances of GPU %u are is not known" : "there is no instance on GPU %u", m->gpu);
	else if (ret->state == GS_UNIT_NEW)
		gs_say(m, "this is only staged: x drops it");
	else if (ret->state == GS_UNIT_GONE || (!gs_model_grid_changes(m, gs_model_gpu(m)) && block_at(m, false, &now) && now.state == GS_UNIT_GONE))
		gs_say(m, "its deletion is staged already: x drops that");
	else if (ret->state != GS_UNIT_INSTANCE)
		gs_say(m, "nothing to %s here: the unit is free", verb);
	else
		return ret->instance;
	return NULL;
}

static unsigned stage_for_instance(struct gs_model *m, const char *verb, const struct gs_instance *inst, uint32_t start)
{
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT;
	const struct gs_holder *who[1];
	char done[256], selector[96], place[48];
	uint32_t gpus[64];
	size_t n;

	name_place(inst, place, sizeof(place));
	if (!gs_control_selector(inst, selector, sizeof(selector)) || !inst->profile)
		return gs_say_error(m, "the profile of %s cannot be read, so a command cannot name it", place);
	n = gs_control_gpus(m, gpus);
	if (!n)
		return GS_DO_REDRAW;
	if (n > 1 && !inst->vf.known && inst->kind == GS_KIND_VGPU)
		return gs_say_error(m, "an mdev has a name of its own on each GPU: one at a time, Esc clears the marks");
	for (size_t i = 0; i < n; i++)
		gs_strbuf_printf(&text, "%s %u %s\n", verb, gpus[i], selector);
	if (inst->kind == GS_KIND_MIG)
		snprintf(done, sizeof(done), "staged: %s %s at %u on %s%s", verb, inst->profile, start, n > 1 ? "the marked GPUs" : "this GPU",
			 gs_instance_is_held(inst) ? "; somebody uses it" : "");
	else
		snprintf(done, sizeof(done), "staged: %s %s on %s%s%s", verb, inst->profile, place, n > 1 ? " of the marked GPUs" : "",
			 gs_model_holders_at(gs_model_gpu(m), inst, NULL, who, 1) ? "; somebody uses it" : "");
	return gs_control_stage(m, text.failed ? NULL : text.text, done);
}

static unsigned delete_here(struct gs_model *m)
{
	const struct gs_gpu *gpu = gs_model_gpu(m);
	const struct gs_instance *inst;
	struct gs_block b;

	if (gpu && gpu->mode == GS_MODE_PASSTHROUGH)
		return gs_say(m, "a passthrough ends with another mode: M");
	inst = changeable(m, "delete", &b);
	if (!inst)
		return GS_DO_REDRAW;
	if (inst->kind == GS_KIND_PARTITION)
		return gs_say(m, "partitions follow from a setting: s chooses another");
	/* VFs go from the end, or all together */
	if (inst->kind == GS_KIND_SRIOV)
		return gs_control_stage_vfs(m, gpu->vfs.by == GS_VFS_BY_NUMVFS ? b.span.start : 0);
	return stage_for_instance(m, "delete", inst, b.span.start);
}

static unsigned recreate_here(struct gs_model *m)
{
	const struct gs_instance *inst;
	struct gs_block b;

	inst = changeable(m, "recreate", &b);
	if (!inst)
		return GS_DO_REDRAW;
	if (inst->kind != GS_KIND_MIG && inst->kind != GS_KIND_VGPU)
		return gs_say(m, "only instances and vGPUs are created again one by one");
	return stage_for_instance(m, "recreate", inst, b.span.start);
}

static unsigned move_here(struct gs_model *m)
{
	const struct gs_instance *inst;
	char text[192], selector[96];
	struct gs_block b;

	inst = changeable(m, "move", &b);
	if (!inst)
		return GS_DO_REDRAW;
	if (inst->kind == GS_KIND_VGPU)
		return gs_say(m, "a vGPU does not move: d deletes it, c creates one on another VF");
	if (inst->kind != GS_KIND_MIG || !gs_control_selector(inst, selector, sizeof(selector)))
		return gs_say(m, "this does not move");
	snprintf(text, sizeof(text), "move %u %s to ", m->gpu, selector);
	return gs_control_open_prompt_with(m, text);
}

unsigned gs_control_grid_edit(struct gs_model *m, enum gs_action_id id)
{
	switch (id) {
	case GS_ACTION_SELECT:
		return select_units(m);
	case GS_ACTION_DELETE:
		return delete_here(m);
	case GS_ACTION_REPLACE:
		return recreate_here(m);
	case GS_ACTION_MOVE:
		return move_here(m);
	default:
		return GS_DO_NOTHING;
	}
}
