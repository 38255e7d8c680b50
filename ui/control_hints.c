/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control_hints.c - the last line: what works on the thing under the cursor, most used first. */
#include <errno.h>

#include "base/parse.h"

#include "ui/control_internal.h"

struct hints {
	const struct gs_model *m;
	const struct gs_action **items;
	size_t n, max;
};

static void hint(struct hints *h, enum gs_action_id id)
{
	size_t n;
	const struct gs_action *a = &gs_actions(&n)[id];

	/* A monitor never shows a key that it would refuse. */
	if (h->n == h->max || (h->m->read_only && a->flags & GS_ACTION_EDITS))
		return;
	for (size_t i = 0; i < h->n; i++)
		if (h->items[i] == a)
			return;
	h->items[h->n++] = a;
}

static void hint_all(struct hints *h, unsigned flag)
{
	size_t n;
	const struct gs_action *all = gs_actions(&n);

	for (size_t i = 0; i < n; i++)
		if (all[i].flags & flag)
			hint(h, (enum gs_action_id)i);
}

static bool ends_a_process(const struct gs_plan *p)
{
	for (size_t i = 0; p && i < p->n_steps; i++)
		if (p->steps[i].op == GS_STEP_STOP_HOLDER)
			return true;
	return false;
}

static void offer_hints(struct hints *h, const struct gs_model *m)
{
	const struct gs_offer *o = m->offer < m->n_offers ? &m->offers[m->offer] : NULL;
	bool slots = gs_model_gpu(m) && (m->offers_inside || gs_model_creation(m, gs_model_gpu(m)).set->is_slots);

	/* Enter stages what fits, R what has to be made room for; a profile that can do neither has no key. */
	if (o && o->n_starts)
		hint(h, GS_ACTION_STAGE);
	else if (o && o->misfit.n_blockers)
		hint(h, GS_ACTION_REPLACE);
	if (o && (o->n_starts > 1 || (!o->n_starts && !slots && o->misfit.n_blockers && o->profile->n_placements > 1)))
		hint(h, GS_ACTION_START);
	if (m->layer == GS_LAYER_PALETTE && o && o->n_starts)
		hint(h, GS_ACTION_COUNT);
	if (m->n_all_offers > GS_OFFERS_WITH_DIGIT)
		hint(h, GS_ACTION_FIND);
}

static void past_hints(struct hints *h, const struct gs_model *m)
{
	if (gs_control_past_is_open(m)) {
		if (!gs_model_is_settled(m)) {
			hint(h, GS_ACTION_FINISH);
			hint(h, GS_ACTION_TAKE_BACK);
		}
		hint(h, GS_ACTION_LEAVE_COMMIT);
	} else if (m->back && m->back->file->commit.state != GS_JOURNAL_IS_OPEN) {
		hint(h, GS_ACTION_UNDO_COMMIT);
	}
}

static void layer_hints(struct hints *h, const struct gs_model *m)
{
	enum gs_mode modes[GS_MODE_MAX];
	struct gs_setting_row row;

	if (m->agent_gone && m->layer != GS_LAYER_PROMPT && m->layer != GS_LAYER_PALETTE && m->layer != GS_LAYER_CHOOSER)
		hint(h, GS_ACTION_AGENT);
	switch (m->layer) {
	case GS_LAYER_PALETTE:
	case GS_LAYER_CHOOSER:
		offer_hints(h, m);
		break;
	case GS_LAYER_MODE:
		if (gs_model_gpu(m) && m->list_row < gs_model_mode_rows(m, modes) && !gs_model_mode_refused(gs_model_gpu(m), modes[m->list_row]) &&
		    !gs_model_is_mode(m, modes[m->list_row]))
			hint(h, GS_ACTION_STAGE);
		break;
	case GS_LAYER_SETTINGS:
		if (!m->read_only && gs_model_setting(m, m->list_row, &row) && !(row.setting && row.setting->fixed) &&
		    !(row.value && gs_setting_is(gs_model_setting_wanted(m, m->gpu, row.setting), row.value, false)))
			hint(h, row.value ? GS_ACTION_STAGE : GS_ACTION_OPEN);
		break;
	case GS_LAYER_REVIEW:
		if (!m->privileged && !m->agent_gone)
			hint(h, GS_ACTION_ROOT);
		else if (!m->review_writes)
			hint(h, GS_ACTION_WRITE);
		else if (!*m->confirm_word && !gs_control_why_not_writable(m))
			hint(h, GS_ACTION_CONFIRM);
		if (*m->confirm_word && ends_a_process(m->plan))
			hint(h, GS_ACTION_KILL);
		/* letters are part of the word where one is typed */
		if (!gs_control_expects_word(m)) {
			if (m->review_writes && !gs_control_why_not_writable(m))
				hint(h, GS_ACTION_MESSAGE);
			if (m->review_writes && m->past_way != GS_WAY_RESTORE && !gs_control_why_not_writable(m) && (m->n_unsaved || gs_snapshot_saved(m->snapshot)->state != GS_SAVED_UNKNOWN))
				hint(h, GS_ACTION_SAVE_TOO);
			hint(h, GS_ACTION_EXPLAIN);
			if (m->past_way == GS_WAY_INVALID) {
				hint(h, GS_ACTION_DROP);
				hint(h, GS_ACTION_SAVE_SCRIPT);
			}
		}
		break;
	case GS_LAYER_WRITING:
		if (m->waits_for_lock)
			break;
		if (m->writing_asks) {
			hint(h, GS_ACTION_STOP_UNDO);
			hint(h, GS_ACTION_GO_ON);
			return;
		}
		if (!m->writing_ended) {
			if (gs_control_waits_in_kernel(m))
				hint(h, GS_ACTION_LEAVE);
			hint(h, GS_ACTION_STOP);
			return;
		}
		if (m->write_status == GS_STATUS_NOT_UNDONE && !m->agent_gone)
			hint(h, GS_ACTION_RECOVER);
		if (m->write_status == GS_STATUS_LOCKED)
			hint(h, GS_ACTION_WAIT);
		break;
	case GS_LAYER_QUIT:
		hint(h, GS_ACTION_SAVE_SCRIPT);
		hint(h, GS_ACTION_DROP_ALL);
		break;
	case GS_LAYER_PROMPT:
		hint(h, GS_ACTION_STAGE);
		break;
	case GS_LAYER_WHO:
		hint(h, GS_ACTION_WHO_FOR);
		hint(h, GS_ACTION_WHO_AGAIN);
		if (!m->privileged && !m->read_only)
			hint(h, GS_ACTION_ROOT);
		break;
	case GS_LAYER_HISTORY:
		if (m->journal && m->journal->n) {
			hint(h, GS_ACTION_OPEN);
			hint(h, GS_ACTION_UNDO_COMMIT);
		}
		break;
	case GS_LAYER_PAST:
		past_hints(h, m);
		break;
	case GS_LAYER_SAVED:
		if (!m->privileged && !m->agent_gone)
			hint(h, GS_ACTION_ROOT);
		else if (!gs_control_why_not_savable(m))
			hint(h, GS_ACTION_SAVE_NOW);
		if (m->n_drifted && m->saved && m->saved->layout)
			hint(h, GS_ACTION_RESTORE);
		break;
	case GS_LAYER_HELP:
	case GS_LAYER_EXPLAIN:
	case GS_LAYER_NONE:
		break;
	}
	hint(h, GS_ACTION_BACK);
}

static void cursor_hints(struct hints *h, const struct gs_model *m)
{
	const struct gs_gpu *gpu = gs_model_gpu(m);
	enum gs_mode modes[GS_MODE_MAX];
	struct gs_block b;
	int may = gpu ? gs_model_may_edit(m, m->gpu, NULL) : -ENODEV;
	/* Without profiles there is nothing to create; a lost GPU does nothing at all. */
	struct gs_ground ground = gpu ? gs_model_creation(m, gpu) : (struct gs_ground){ .creates = GS_KIND_INVALID };
	bool is_sriov = ground.grid == GS_KIND_SRIOV;
	bool can_create = gpu && ((ground.creates != GS_KIND_INVALID && ground.set->memory_units && ground.set->n) ||
				  (is_sriov && gpu->vfs.by == GS_VFS_BY_NUMVFS));

	if (m->selecting) {
		hint(h, is_sriov ? GS_ACTION_STAGE : GS_ACTION_OPEN);
		hint(h, GS_ACTION_EXTEND);
		hint(h, GS_ACTION_BACK);
		return;
	}
	if (m->focus == GS_FOCUS_PLAN) {
		struct gs_plan_item item = gs_model_plan_item(m, m->plan_row);

		if (item.kind == GS_PLAN_ITEM_STAGED)
			hint(h, GS_ACTION_DROP);
		if (item.kind != GS_PLAN_ITEM_NONE)
			hint(h, GS_ACTION_EXPLAIN);
	} else if (may == -EPERM) {
		hint(h, GS_ACTION_ROOT);
	} else if (may < 0 && may != -EROFS) {
		if (gs_control_staged_here(m) < m->n_staged)
			hint(h, GS_ACTION_DROP);
	} else if (m->focus == GS_FOCUS_FLEET && gs_control_block(m, &b)) {
		/* what acts on a block is for the grid, where the block is marked */
		if (can_create)
			hint(h, GS_ACTION_CREATE);
		hint(h, GS_ACTION_OPEN);
	} else if (gs_control_block(m, &b)) {
		if (gs_control_staged_here(m) < m->n_staged)
			hint_all(h, GS_ACTION_ON_STAGED);
		if (can_create && (b.state == GS_UNIT_FREE || b.state == GS_UNIT_LOST))
			hint_all(h, GS_ACTION_ON_FREE);
		if (b.state == GS_UNIT_INSTANCE && b.instance && b.instance->kind != GS_KIND_PARTITION)
			hint_all(h, GS_ACTION_ON_LIVE);
		if (can_create)
			hint(h, GS_ACTION_CREATE);
		if (ground.grid == GS_KIND_PARTITION && gpu->n_settings)
			hint(h, GS_ACTION_SETTINGS);
	} else {
		if (can_create)
			hint(h, GS_ACTION_CREATE);
		if (gs_model_mode_rows(m, modes) > 1)
			hint(h, GS_ACTION_MODE);
	}
}

size_t gs_control_hints(const struct gs_model *m, const struct gs_action **ret, size_t max)
{
	struct hints h = { m, ret, 0, max };

	if (m->layer != GS_LAYER_NONE) {
		layer_hints(&h, m);
		return h.n;
	}
	/* what is out of order comes before what one could do */
	if (m->agent_gone)
		hint(&h, GS_ACTION_AGENT);
	if (m->privileged && !m->read_only && gs_model_interrupted(m))
		hint(&h, GS_ACTION_RECOVER);
	cursor_hints(&h, m);
	if (m->n_staged) {
		hint(&h, GS_ACTION_UNDO);
		hint(&h, GS_ACTION_REVIEW);
	} else if (m->n_redo) {
		hint(&h, GS_ACTION_REDO);
	}
	if (m->n_drifted || m->n_unsaved)
		hint(&h, GS_ACTION_SAVE);
	if (m->has_written && !m->n_staged) {
		hint(&h, GS_ACTION_UNDO_COMMIT);
		hint(&h, GS_ACTION_HISTORY);
	}
	hint(&h, GS_ACTION_WHO);
	if (gs_model_gpu(m) && gs_model_gpu(m)->n_settings)
		hint(&h, GS_ACTION_SETTINGS);
	if (!m->privileged && !m->read_only)
		hint(&h, GS_ACTION_ROOT);
	hint(&h, GS_ACTION_NEXT_PANE);
	/* W ? q always last, whatever the width took from the rest. */
	if (h.n + 3 > max)
		h.n = max > 3 ? max - 3 : 0;
	hint_all(&h, GS_ACTION_ALWAYS);
	return h.n;
}
