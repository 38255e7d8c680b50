/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model.c - what the console knows: the machine, the cursor, the list of staged commands. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "ui/model_internal.h"

struct gs_model *gs_model_new(bool read_only)
{
	struct gs_model *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->read_only = read_only;
	m->show_clock = read_only;
	m->count = 1;
	m->focus = GS_FOCUS_FLEET;
	m->past_way = GS_WAY_INVALID;
	return m;
}

static void strings_free(char **items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(items[i]);
	free(items);
}

struct gs_model *gs_model_free(struct gs_model *m)
{
	if (!m)
		return NULL;
	for (size_t i = 0; i < m->n_staged; i++) {
		free(m->staged[i].text);
		free(m->staged[i].stale);
	}
	free(m->staged);
	strings_free(m->redo, m->n_redo);
	strings_free(m->history, m->n_history);
	free(m->offers);
	free(m->progress);
	gs_plan_free(m->plan);
	gs_request_free(m->request);
	gs_plan_free(m->staged_plan);
	gs_request_free(m->staged_request);
	gs_journal_list_free(m->journal);
	gs_look_back_free(m->back);
	gs_saved_view_free(m->saved);
	gs_snapshot_unref(m->snapshot);
	free(m);
	return NULL;
}

/* ---- a new look at the machine ---- */

static uint32_t follow_gpu(const struct gs_snapshot *old, const struct gs_snapshot *now, uint32_t gpu, bool *ret_gone)
{
	const struct gs_gpu *was = gpu < gs_snapshot_n_gpus(old) ? gs_snapshot_gpu(old, gpu) : NULL;
	const struct gs_gpu *is = was ? gs_snapshot_gpu_by_bdf(now, was->bdf) : NULL;
	size_t n = gs_snapshot_n_gpus(now);

	*ret_gone = !is;
	if (is)
		return is->index;
	return n && gpu >= n ? (uint32_t)n - 1 : gpu;
}

static void follow_machine(struct gs_model *m, const struct gs_snapshot *old)
{
	uint64_t marks = 0;
	bool gone = false;

	if (!old)
		return;
	m->gpu = follow_gpu(old, m->snapshot, m->gpu, &gone);
	if (gone) {
		/* The board under the cursor has left: nothing that was being done to it may hit its neighbour. */
		m->selecting = m->dragging = false;
		if (m->layer == GS_LAYER_PALETTE || m->layer == GS_LAYER_CHOOSER || m->layer == GS_LAYER_MODE || m->layer == GS_LAYER_SETTINGS)
			m->layer = GS_LAYER_NONE;
		m->who_here = false;
	}
	for (uint32_t i = 0; i < 64; i++) {
		if (!(m->marked_gpus >> i & 1))
			continue;
		uint32_t to = follow_gpu(old, m->snapshot, i, &gone);

		if (!gone && to < 64)
			marks |= 1ull << to;
	}
	m->marked_gpus = marks;
}

static void clamp_cursor(struct gs_model *m)
{
	size_t n = gs_snapshot_n_gpus(m->snapshot);
	const struct gs_gpu *gpu;
	uint32_t units;

	if (m->gpu >= n)
		m->gpu = n ? (uint32_t)n - 1 : 0;
	gpu = gs_model_gpu(m);
	units = gpu ? gs_model_shown(m, gpu).set->memory_units : 0;
	if (m->unit >= units)
		m->unit = units ? units - 1 : 0;
}

void gs_model_forget_offers(struct gs_model *m)
{
	free(m->offers);
	m->offers = NULL;
	m->n_offers = m->n_all_offers = m->offer = 0;
}

/* Offers point into the snapshot: make them again, on the same choice where it is still there. */
static void refresh_offers(struct gs_model *m)
{
	char name[64] = "";
	uint32_t start = 0;
	bool had_start = false;

	if (m->layer != GS_LAYER_PALETTE && m->layer != GS_LAYER_CHOOSER) {
		gs_model_forget_offers(m);
		return;
	}
	if (m->offer < m->n_offers) {
		const struct gs_offer *o = &m->offers[m->offer];

		snprintf(name, sizeof(name), "%s", o->profile->name);
		had_start = o->chosen < o->n_starts;
		start = had_start ? o->starts[o->chosen] : 0;
	}
	if (gs_model_offer(m, m->layer == GS_LAYER_CHOOSER, NULL) < 0) {
		gs_model_forget_offers(m);
		m->layer = GS_LAYER_NONE;
		return;
	}
	for (size_t i = 0; i < m->n_offers; i++) {
		struct gs_offer *o = &m->offers[i];

		if (!gs_str_equal(o->profile->name, name))
			continue;
		m->offer = i;
		for (size_t k = 0; had_start && k < o->n_starts; k++)
			if (o->starts[k] == start)
				o->chosen = k;
	}
}

int gs_model_set_snapshot(struct gs_model *m, struct gs_snapshot *s, struct gs_error *e)
{
	struct gs_snapshot *old = m->snapshot;
	bool was_blocked = m->plan && gs_plan_is_blocked(m->plan);
	size_t rows;
	int rc;

	if (old) {
		rc = gs_model_renumber(m, old, s, e);
		if (rc < 0)
			return rc;
	}
	m->snapshot = gs_snapshot_ref(s);
	rc = gs_model_evaluate(m, e);
	if (rc < 0) {
		gs_snapshot_unref(m->snapshot);
		m->snapshot = old;
		if (old)
			gs_model_renumber(m, s, old, NULL);
		return rc;
	}
	snprintf(m->host, sizeof(m->host), "%s", gs_snapshot_host(s) ? gs_snapshot_host(s) : "");
	m->source = gs_snapshot_source(s);
	m->snapshots_seen++;
	follow_machine(m, old);
	clamp_cursor(m);
	refresh_offers(m);
	gs_look_back_judge(m->back, s);
	gs_saved_view_judge(m->saved, s);
	gs_model_count_saved(m);
	/* what was said of the plan before is no longer so */
	if (!was_blocked && gs_plan_is_blocked(m->plan)) {
		snprintf(m->message, sizeof(m->message), "the machine changed and the plan is BLOCKED: %.400s", m->plan->findings[0].text);
		m->message_is_error = true;
	}
	rows = gs_model_n_plan_items(m);
	if (m->plan_row >= rows)
		m->plan_row = rows ? rows - 1 : 0;
	gs_snapshot_unref(old);
	return 0;
}

/* ---- the list of staged commands ---- */

int gs_model_push(struct gs_model *m, char *text)
{
	if (m->n_staged == m->cap_staged) {
		size_t cap = m->cap_staged ? 2 * m->cap_staged : 8;
		struct gs_staged *grown = reallocarray(m->staged, cap, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		m->staged = grown;
		m->cap_staged = cap;
	}
	m->staged[m->n_staged++] = (struct gs_staged){ .text = text };
	return 0;
}

static int redo_push(struct gs_model *m, char *text)
{
	if (m->n_redo == m->cap_redo) {
		size_t cap = m->cap_redo ? 2 * m->cap_redo : 8;
		char **grown = reallocarray(m->redo, cap, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		m->redo = grown;
		m->cap_redo = cap;
	}
	m->redo[m->n_redo++] = text;
	return 0;
}

/* Move one staged command to the redo list. */
static void take_back(struct gs_model *m, size_t i)
{
	char *text = m->staged[i].text;

	free(m->staged[i].stale);
	memmove(&m->staged[i], &m->staged[i + 1], (m->n_staged - i - 1) * sizeof(*m->staged));
	m->n_staged--;
	if (redo_push(m, text) < 0)
		free(text);
}

static void staged_changed(struct gs_model *m)
{
	struct gs_error e = { 0 };
	size_t rows;

	if (m->snapshot && gs_model_evaluate(m, &e) < 0) {
		snprintf(m->message, sizeof(m->message), "%.*s", (int)sizeof(m->message) - 1, e.text);
		m->message_is_error = true;
	}
	rows = gs_model_n_plan_items(m);
	if (m->plan_row >= rows)
		m->plan_row = rows ? rows - 1 : 0;
	refresh_offers(m);
}

bool gs_model_undo(struct gs_model *m)
{
	if (!m->n_staged)
		return false;
	take_back(m, m->n_staged - 1);
	staged_changed(m);
	return true;
}

bool gs_model_redo(struct gs_model *m)
{
	if (!m->n_redo || m->read_only)
		return false;
	if (gs_model_push(m, m->redo[m->n_redo - 1]) < 0)
		return false;
	m->n_redo--;
	staged_changed(m);
	return true;
}

void gs_model_drop(struct gs_model *m, size_t i)
{
	if (i >= m->n_staged)
		return;
	take_back(m, i);
	staged_changed(m);
}

/* Backwards, so that redo brings them back in their order. */
void gs_model_drop_all(struct gs_model *m)
{
	while (m->n_staged)
		take_back(m, m->n_staged - 1);
	staged_changed(m);
}

char *gs_model_script(const struct gs_model *m)
{
	struct gs_strbuf b = GS_STRBUF_INIT;

	gs_strbuf_puts(&b, "");
	for (size_t i = 0; i < m->n_staged; i++)
		if (!m->staged[i].stale)
			gs_strbuf_printf(&b, "%s\n", m->staged[i].text);
	return gs_strbuf_take(&b);
}

/* ---- questions ---- */

const struct gs_gpu *gs_model_gpu(const struct gs_model *m)
{
	if (!m->snapshot || m->gpu >= gs_snapshot_n_gpus(m->snapshot))
		return NULL;
	return gs_snapshot_gpu(m->snapshot, m->gpu);
}

const struct gs_layout_gpu *gs_model_target(const struct gs_model *m, uint32_t gpu)
{
	if (!m->plan || !m->plan->layout || gpu >= m->plan->layout->n_gpus)
		return NULL;
	return &m->plan->layout->gpus[gpu];
}

int gs_model_may_edit(const struct gs_model *m, uint32_t gpu, struct gs_error *e)
{
	const struct gs_gpu *g;

	if (m->read_only)
		return gs_error_set(e, -EROFS, GS_STATUS_REFUSED, "READ-ONLY: a monitor changes nothing; \"gpuslice console\" does");
	if (!m->snapshot)
		return gs_error_set(e, -EAGAIN, GS_STATUS_REFUSED, "the machine has not been read yet");
	if (gpu >= gs_snapshot_n_gpus(m->snapshot))
		return gs_error_set(e, -ENODEV, GS_STATUS_INVALID, "there is no GPU %u", gpu);
	g = gs_snapshot_gpu(m->snapshot, gpu);
	if (g->lost)
		return gs_error_set(e, -EIO, GS_STATUS_REFUSED, "GPU %u is lost: %s", gpu, g->lost);
	if (gs_mode_has_mig(g->mode) && !g->placements_visible)
		return gs_error_set(e, -EPERM, GS_STATUS_CANNOT_TELL,
				    "where the instances of GPU %u are cannot be seen without root: ! asks sudo", gpu);
	return 0;
}

size_t gs_model_n_plan_items(const struct gs_model *m)
{
	return (m->plan ? m->plan->n_findings + m->plan->n_steps : 0) + (m->past_way == GS_WAY_INVALID ? m->n_staged : 0);
}

struct gs_plan_item gs_model_plan_item(const struct gs_model *m, size_t row)
{
	size_t findings = m->plan ? m->plan->n_findings : 0, steps = m->plan ? m->plan->n_steps : 0;

	if (row < findings)
		return (struct gs_plan_item){ GS_PLAN_ITEM_FINDING, row };
	row -= findings;
	if (row < steps)
		return (struct gs_plan_item){ GS_PLAN_ITEM_STEP, row };
	row -= steps;
	if (row < m->n_staged && m->past_way == GS_WAY_INVALID)
		return (struct gs_plan_item){ GS_PLAN_ITEM_STAGED, row };
	return (struct gs_plan_item){ GS_PLAN_ITEM_NONE, 0 };
}

const char *gs_model_mode_refused(const struct gs_gpu *gpu, enum gs_mode mode)
{
	if (gpu->mode == mode)
		return NULL;
	if (mode == GS_MODE_PASSTHROUGH && gpu->no_passthrough)
		return gpu->no_passthrough;
	if (mode == GS_MODE_PASSTHROUGH && gpu->is_boot_display)
		return "it is the display that this machine boots on: the console would go dark";
	return gpu->modes >> mode & 1 ? NULL : "this GPU cannot be put into that mode here";
}

size_t gs_model_mode_rows(const struct gs_model *m, enum gs_mode *ret)
{
	const struct gs_gpu *gpu = gs_model_gpu(m);
	size_t n = 0;

	/* what it cannot be for a reason that can be mended is listed with that reason */
	for (int mode = 0; gpu && mode < GS_MODE_MAX; mode++)
		if (gpu->modes >> mode & 1 || (mode == GS_MODE_PASSTHROUGH && gpu->no_passthrough))
			ret[n++] = mode;
	return n;
}

/* ---- settings ---- */

static bool offers_vfs(const struct gs_gpu *gpu)
{
	return gpu->vfs.total.known && gpu->vfs.by == GS_VFS_BY_NUMVFS;
}

static size_t rows_of(const struct gs_setting *s)
{
	return s->n_choices ? s->n_choices : 1;
}

size_t gs_model_n_settings(const struct gs_model *m)
{
	const struct gs_gpu *gpu = gs_model_gpu(m);
	size_t n = gpu && offers_vfs(gpu);

	for (size_t i = 0; gpu && i < gpu->n_settings; i++)
		n += rows_of(gpu->settings[i]);
	return n;
}

bool gs_model_setting(const struct gs_model *m, size_t row, struct gs_setting_row *ret)
{
	const struct gs_gpu *gpu = gs_model_gpu(m);

	for (size_t i = 0; gpu && i < gpu->n_settings; i++) {
		const struct gs_setting *s = gpu->settings[i];

		if (row < rows_of(s)) {
			*ret = (struct gs_setting_row){ s, s->n_choices ? s->choices[row] : NULL, !row };
			return true;
		}
		row -= rows_of(s);
	}
	if (!gpu || row || !offers_vfs(gpu))
		return false;
	*ret = (struct gs_setting_row){ NULL, NULL, true };
	return true;
}

const char *gs_model_setting_wanted(const struct gs_model *m, uint32_t gpu, const struct gs_setting *s)
{
	const struct gs_layout_gpu *target = gs_model_target(m, gpu);

	for (size_t i = 0; target && i < target->n_settings; i++)
		if (gs_str_equal(target->settings[i].key, s->key))
			return target->settings[i].value;
	return s->pending ? s->pending : s->value;
}
