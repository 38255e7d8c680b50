/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model_stage.c - what was typed or picked, to the list of staged commands.
 *
 * Each staged command is one statement about one GPU with explicit places, so
 * that what is on the list means the same after the machine has moved on.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "codec/script_text.h"
#include "core/policy.h"
#include "ui/model_internal.h"

/* ---- staging ---- */

static bool same_words(const struct gs_want *a, const struct gs_want *b)
{
	if (!gs_str_equal(a->uuid, b->uuid) || !gs_u32_equal(a->placement_id, b->placement_id) || !gs_str_equal(a->on_profile, b->on_profile) ||
	    !gs_u32_equal(a->on_start, b->on_start) || a->n_params != b->n_params)
		return false;
	for (size_t i = 0; i < a->n_params; i++)
		if (!gs_str_equal(a->params[i].key, b->params[i].key) || !gs_str_equal(a->params[i].value, b->params[i].value))
			return false;
	return true;
}

bool gs_want_equal(const struct gs_want *a, const struct gs_want *b)
{
	if (a->kind != b->kind || !gs_str_equal(a->profile, b->profile) || !gs_u32_equal(a->start, b->start) || !same_words(a, b) ||
	    a->recreate != b->recreate || a->compute_default != b->compute_default || a->n_compute != b->n_compute)
		return false;
	for (size_t i = 0; i < a->n_compute; i++)
		if (!gs_str_equal(a->compute[i].profile, b->compute[i].profile) || !gs_u32_equal(a->compute[i].start, b->compute[i].start))
			return false;
	return true;
}

static size_t want_count(const struct gs_layout_gpu *g, const struct gs_want *w)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n_wants; i++)
		n += gs_want_equal(&g->wants[i], w);
	return n;
}

/* What a setting will be; what is pending already need not be asked for. */
static const char *setting_of(const struct gs_layout_gpu *g, const struct gs_setting *s)
{
	for (size_t i = 0; i < g->n_settings; i++)
		if (gs_str_equal(g->settings[i].key, s->key))
			return g->settings[i].value;
	return s->pending ? s->pending : s->value;
}

static bool settings_equal(const struct gs_gpu *gpu, const struct gs_layout_gpu *a, const struct gs_layout_gpu *b)
{
	for (size_t i = 0; i < gpu->n_settings; i++)
		if (!gs_str_equal(setting_of(a, gpu->settings[i]), setting_of(b, gpu->settings[i])))
			return false;
	return true;
}

/* Asking for the mode that it is in changes something where another is pending, or the driver is gone. */
static bool modes_equal(const struct gs_gpu *gpu, const struct gs_layout_gpu *a, const struct gs_layout_gpu *b)
{
	bool matters = gpu->stranded || !gpu->driver || (gpu->mode_pending != GS_MODE_INVALID && gpu->mode_pending != gpu->mode);

	return a->mode == b->mode && (!matters || a->mode_is_asked == b->mode_is_asked);
}

static bool layout_equal(const struct gs_snapshot *s, const struct gs_layout *a, const struct gs_layout *b)
{
	if (a->n_gpus != b->n_gpus)
		return false;
	for (size_t i = 0; i < a->n_gpus; i++) {
		const struct gs_layout_gpu *x = &a->gpus[i], *y = &b->gpus[i];

		const struct gs_gpu *gpu = gs_snapshot_gpu(s, i);

		if (!modes_equal(gpu, x, y) || x->n_wants != y->n_wants || !gs_u32_equal(x->vfs, y->vfs) || !settings_equal(gpu, x, y))
			return false;
		for (size_t k = 0; k < x->n_wants; k++)
			if (want_count(x, &x->wants[k]) != want_count(y, &x->wants[k]))
				return false;
	}
	return true;
}

/* A statement under way from what was typed to what is put on the list. */
struct staging {
	struct gs_model *m;
	struct gs_strbuf text;          /* what holds already, then what is added, a line each */
	char **lines;                   /* what is added; owned */
	size_t n, cap;
};

static void staging_done(struct staging *st)
{
	for (size_t i = 0; i < st->n; i++)
		free(st->lines[i]);
	free(st->lines);
	gs_strbuf_done(&st->text);
}

static int staging_add(struct staging *st, const struct gs_statement *statement, struct gs_error *e)
{
	GS_FREE char *line = gs_statement_format(statement);

	if (!line)
		return gs_error_oom(e);
	if (st->n == st->cap) {
		size_t cap = st->cap ? 2 * st->cap : 8;
		char **grown = reallocarray(st->lines, cap, sizeof(*grown));

		if (!grown)
			return gs_error_oom(e);
		st->lines = grown;
		st->cap = cap;
	}
	gs_strbuf_printf(&st->text, "%s\n", line);
	if (st->text.failed)
		return gs_error_oom(e);
	st->lines[st->n++] = GS_TAKE(line);
	return 0;
}

static const char *first_block(const struct gs_plan *p, uint32_t gpu)
{
	for (size_t i = 0; i < p->n_findings; i++)
		if (p->findings[i].severity == GS_SEVERITY_BLOCK && p->findings[i].gpu == gpu)
			return p->findings[i].text;
	return NULL;
}

/* Let the engine place what was left open, then write down where: a creation on the list always has its start. */
static int add_placed_creations(struct staging *st, const struct gs_statement *open, uint32_t gpu, struct gs_error *e)
{
	GS_CLEANUP(gs_plan_freep) struct gs_plan *before = NULL;
	GS_CLEANUP(gs_plan_freep) struct gs_plan *after = NULL;
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT;
	GS_FREE char *line = gs_statement_format(open);
	const struct gs_layout_gpu *was, *is;
	struct gs_statement placed = *open;
	const struct gs_gpu *board;
	char vf[16];
	int rc;

	gs_strbuf_printf(&text, "%s%s\n", st->text.text, line ? line : "");
	if (!line || text.failed)
		return gs_error_oom(e);
	rc = gs_model_make_plan(st->m->snapshot, st->text.text, NULL, &before, e);
	if (rc >= 0)
		rc = gs_model_make_plan(st->m->snapshot, text.text, NULL, &after, e);
	if (rc < 0)
		return rc;
	if (gpu >= before->layout->n_gpus || gpu >= after->layout->n_gpus)
		return gs_error_set(e, -ENODEV, GS_STATUS_INVALID, "there is no GPU %u", gpu);
	was = &before->layout->gpus[gpu];
	is = &after->layout->gpus[gpu];
	board = gs_snapshot_gpu(st->m->snapshot, gpu);
	placed.count = 1;
	placed.count_adds = false;
	for (size_t i = 0; i < is->n_wants; i++) {
		const struct gs_want *w = &is->wants[i];

		if (!gs_str_equal(w->profile, open->profile) || want_count(was, w) >= want_count(is, w))
			continue;
		if (!w->start.known) {
			const char *why = first_block(after, gpu);

			return gs_error_set(e, -ENOSPC, GS_STATUS_REFUSED, "%s", why ? why : "there is no place for it");
		}
		if (w->kind == GS_KIND_VGPU && board->vfs.total.known) {
			snprintf(vf, sizeof(vf), "%u", w->start.value);
			placed.vf = vf;
			placed.vf_number = w->start;
		} else if (w->kind == GS_KIND_MIG) {
			placed.at = w->start;
		}
		/* an mdev on the PF has no place of its own: the same words mean one more */
		rc = staging_add(st, &placed, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Does a creation say where, and once? Compute instances are placed inside their GI by the plan. */
static bool is_placed(const struct gs_model *m, const struct gs_statement *st, uint32_t gpu)
{
	enum gs_instance_kind kind = GS_KIND_MIG;

	gs_gpu_profile(gs_snapshot_gpu(m->snapshot, gpu), st->profile, &kind);
	if (kind == GS_KIND_VGPU)
		return (st->vf || st->uuid) && st->count == 1 && !st->count_adds;
	return st->has_inside || (st->at.known && st->count == 1 && !st->count_adds);
}

static int add_for_gpu(struct staging *st, const struct gs_statement *statement, uint32_t gpu, struct gs_error *e)
{
	struct gs_statement one = *statement;
	int rc = gs_model_may_edit(st->m, gpu, e);

	if (rc < 0)
		return rc;
	one.gpu = (struct gs_gpu_selector){ .kind = GS_SELECT_GPU_RANGE, .first = gpu, .last = gpu };
	if (one.verb == GS_VERB_CREATE && !is_placed(st->m, &one, gpu))
		return add_placed_creations(st, &one, gpu, e);
	return staging_add(st, &one, e);
}

/* Every statement on the list speaks of one GPU by index; «copy» also of one target. */
static int add_statement(struct staging *st, const struct gs_statement *statement, struct gs_error *e)
{
	size_t max = gs_snapshot_n_gpus(st->m->snapshot), n = 0;
	GS_FREE uint32_t *gpus = calloc(max + 1, sizeof(*gpus));
	int rc = 0;

	if (!gpus)
		return gs_error_oom(e);
	if (statement->verb == GS_VERB_COPY) {
		for (size_t t = 0; t < statement->n_targets && rc >= 0; t++) {
			rc = gs_select_gpus(&statement->targets[t], st->m->snapshot, gpus, max, &n, e);
			for (size_t i = 0; i < n && rc >= 0; i++) {
				struct gs_gpu_selector to = { .kind = GS_SELECT_GPU_RANGE, .first = gpus[i], .last = gpus[i] };
				struct gs_statement one = *statement;

				one.targets = &to;
				one.n_targets = 1;
				rc = gs_model_may_edit(st->m, gpus[i], e);
				if (rc >= 0)
					rc = staging_add(st, &one, e);
			}
		}
		return rc;
	}
	rc = gs_select_gpus(&statement->gpu, st->m->snapshot, gpus, max, &n, e);
	for (size_t i = 0; i < n && rc >= 0; i++)
		rc = add_for_gpu(st, statement, gpus[i], e);
	return rc;
}

/* Errors speak of the line in the whole list; the operator typed only the end of it. */
static void rebase_error(struct gs_error *e, size_t lines_before)
{
	if (!e)
		return;
	if (e->line > lines_before) {
		e->line -= (unsigned)lines_before;
		return;
	}
	e->line = e->column = 0;
}

static size_t n_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static const char *last_remark(const struct gs_plan *p)
{
	for (size_t i = p->n_findings; i-- > 0;)
		if (gs_str_equal(p->findings[i].rule, gs_rule_name(GS_RULE_ABSENT)))
			return p->findings[i].text;
	return NULL;
}

/* Take over what was worked out, whole or not at all. */
static int staging_finish(struct staging *st, struct gs_error *e)
{
	struct gs_model *m = st->m;
	size_t had = m->n_staged;
	int rc = 0;

	for (size_t i = 0; i < st->n && rc >= 0; i++) {
		rc = gs_model_push(m, st->lines[i]);
		if (rc >= 0)
			st->lines[i] = NULL;
	}
	rc = rc < 0 ? gs_error_oom(e) : gs_model_evaluate(m, e);
	if (rc < 0) {
		while (m->n_staged > had) {
			free(m->staged[--m->n_staged].text);
			free(m->staged[m->n_staged].stale);
		}
		return rc;
	}
	for (size_t i = 0; i < m->n_redo; i++)
		free(m->redo[i]);
	m->n_redo = 0;
	return 0;
}

int gs_model_stage(struct gs_model *m, const char *text, struct gs_error *e)
{
	GS_CLEANUP(staging_done) struct staging st = { .m = m, .text = GS_STRBUF_INIT };
	GS_CLEANUP(gs_script_freep) struct gs_script *script = NULL;
	GS_CLEANUP(gs_plan_freep) struct gs_plan *as_typed = NULL;
	GS_STRBUF struct gs_strbuf whole = GS_STRBUF_INIT;
	GS_FREE char *held = NULL;
	int rc;

	rc = gs_model_may_edit(m, m->gpu, e);
	if (rc == -EROFS || rc == -EAGAIN)
		return rc;
	rc = gs_script_parse(text, strlen(text), GS_PROMPT_NAME, &script, e);
	if (rc < 0)
		return rc;
	if (!script->n)
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "there is no command here: try \"create %u 1g.10gb\" or ? for help", m->gpu);
	held = gs_model_script(m);
	if (!held)
		return gs_error_oom(e);

	/* First exactly as typed, so that a mistake is reported at the word that was typed. */
	gs_strbuf_printf(&whole, "%s%s\n", held, text);
	gs_strbuf_puts(&st.text, held);
	if (whole.failed || st.text.failed)
		return gs_error_oom(e);
	rc = gs_model_make_plan(m->snapshot, whole.text, NULL, &as_typed, e);
	if (rc < 0) {
		rebase_error(e, n_lines(held));
		return rc;
	}
	if (layout_equal(m->snapshot, as_typed->layout, m->plan->layout)) {
		const char *why = last_remark(as_typed);

		return gs_error_set(e, -EALREADY, GS_STATUS_REFUSED, "this changes nothing: %s", why ? why : "it is so already");
	}
	for (size_t i = 0; i < script->n; i++) {
		rc = add_statement(&st, &script->items[i], e);
		if (rc < 0) {
			rebase_error(e, n_lines(held));
			return rc;
		}
	}
	return staging_finish(&st, e);
}

/* ---- other numbers for the same boards ---- */

static int renumber_selector(struct gs_gpu_selector *sel, const struct gs_snapshot *old, const struct gs_snapshot *now)
{
	const struct gs_gpu *was, *is;

	if (sel->kind == GS_SELECT_GPU_BDF) {
		is = gs_snapshot_gpu_by_bdf(now, sel->bdf);
	} else {
		if (sel->kind != GS_SELECT_GPU_RANGE || sel->first != sel->last || sel->first >= gs_snapshot_n_gpus(old))
			return 0;
		was = gs_snapshot_gpu(old, sel->first);
		is = gs_snapshot_gpu_by_bdf(now, was->bdf);
		if (!is) {
			/* Gone from the bus: by address it names nothing else, and holds again when it comes back. */
			*sel = (struct gs_gpu_selector){ .kind = GS_SELECT_GPU_BDF, .bdf = was->bdf };
			return 1;
		}
	}
	if (!is || (sel->kind == GS_SELECT_GPU_RANGE && sel->first == is->index))
		return 0;
	*sel = (struct gs_gpu_selector){ .kind = GS_SELECT_GPU_RANGE, .first = is->index, .last = is->index };
	return 1;
}

static int renumber_text(char **text, const struct gs_snapshot *old, const struct gs_snapshot *now, struct gs_error *e)
{
	GS_CLEANUP(gs_script_freep) struct gs_script *script = NULL;
	char *changed;
	int any = 0;

	if (gs_script_parse(*text, strlen(*text), GS_PROMPT_NAME, &script, NULL) < 0 || script->n != 1)
		return 0;
	any |= renumber_selector(&script->items[0].gpu, old, now);
	for (size_t i = 0; i < script->items[0].n_targets; i++)
		any |= renumber_selector(&script->items[0].targets[i], old, now);
	if (!any)
		return 0;
	changed = gs_statement_format(&script->items[0]);
	if (!changed)
		return gs_error_oom(e);
	free(*text);
	*text = changed;
	return 0;
}

int gs_model_renumber(struct gs_model *m, const struct gs_snapshot *old, const struct gs_snapshot *now, struct gs_error *e)
{
	bool same = gs_snapshot_n_gpus(old) == gs_snapshot_n_gpus(now);
	int rc = 0;

	for (size_t i = 0; same && i < gs_snapshot_n_gpus(old); i++)
		same = !gs_bdf_compare(gs_snapshot_gpu(old, i)->bdf, gs_snapshot_gpu(now, i)->bdf);
	for (size_t i = 0; !same && i < m->n_staged && rc >= 0; i++)
		rc = renumber_text(&m->staged[i].text, old, now, e);
	for (size_t i = 0; !same && i < m->n_redo && rc >= 0; i++)
		rc = renumber_text(&m->redo[i], old, now, e);
	return rc;
}
