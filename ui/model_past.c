/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model_past.c - a commit of the journal: how the machine stands to it, and what may be done about it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/model_internal.h"

bool gs_model_has_plan(const struct gs_model *m)
{
	return m->n_staged || m->past_way != GS_WAY_INVALID;
}

const struct gs_plan *gs_model_staged_plan(const struct gs_model *m)
{
	return m->past_way == GS_WAY_INVALID ? m->plan : m->staged_plan;
}

struct gs_look_back *gs_look_back_free(struct gs_look_back *b)
{
	if (!b)
		return NULL;
	gs_past_free(b->past);
	gs_journal_file_free(b->file);
	free(b->boot_id);
	gs_strbuf_done(&b->not_base);
	gs_strbuf_done(&b->not_target);
	free(b);
	return NULL;
}

static void start_again(struct gs_strbuf *b)
{
	gs_strbuf_done(b);
	*b = (struct gs_strbuf)GS_STRBUF_INIT;
}

void gs_look_back_judge(struct gs_look_back *b, const struct gs_snapshot *s)
{
	struct gs_error e = { 0 };

	if (!b || !b->past || !s)
		return;
	start_again(&b->not_base);
	start_again(&b->not_target);
	if (gs_past_judge(b->past, s, &b->state, &b->not_base, &b->not_target, &e) < 0)
		b->state = GS_PAST_IS_BETWEEN;
}

int gs_model_look_back(struct gs_model *m, struct gs_journal_file *file, char *boot_id, struct gs_error *e)
{
	struct gs_look_back *b = calloc(1, sizeof(*b));
	struct gs_error why = { 0 };

	if (!b) {
		gs_journal_file_free(file);
		free(boot_id);
		return gs_error_oom(e);
	}
	b->file = file;
	b->boot_id = boot_id;
	b->not_base = b->not_target = (struct gs_strbuf)GS_STRBUF_INIT;
	b->state = GS_PAST_IS_BETWEEN;
	if (gs_journal_past(file, boot_id, &b->past, &why) < 0)
		snprintf(b->why_not, sizeof(b->why_not), "%.*s", (int)sizeof(b->why_not) - 1, why.text);
	gs_look_back_judge(b, m->snapshot);
	gs_model_past_over(m);
	gs_look_back_free(m->back);
	m->back = b;
	return 0;
}

int gs_model_past_request(const struct gs_model *m, struct gs_request **ret_request, struct gs_error *e)
{
	struct gs_past *past = NULL;
	int rc;

	if (m->past_way == GS_WAY_RESTORE)
		return gs_model_saved_request(m, ret_request, e);
	if (!m->back)
		return gs_error_set(e, -ENOENT, GS_STATUS_REFUSED, "no commit is chosen");
	/* a request owns its past, and each look at the machine makes a new one */
	rc = gs_journal_past(m->back->file, m->back->boot_id, &past, e);
	if (rc < 0)
		return rc;
	return gs_request_new_past(m->past_way, m->back->file->commit.id, past, ret_request, e);
}

bool gs_model_past_waits(const struct gs_model *m)
{
	const struct gs_plan *p = m->back && m->back->past ? m->back->past->plan : NULL;

	for (size_t i = 0; p && m->snapshot && i < p->n_base; i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu_by_bdf(m->snapshot, p->base[i].bdf);

		if (gpu && gpu->n_writes)
			return true;
	}
	return false;
}

bool gs_model_is_settled(const struct gs_model *m)
{
	return m->back && m->back->past && m->back->state != GS_PAST_IS_BETWEEN && !m->back->file->commit.n_units && !gs_model_past_waits(m);
}

/* The commit that GPU @i waits for the end of, though nobody is at it; 0: none. */
static uint64_t interrupted_at(const struct gs_model *m, size_t i)
{
	const struct gs_open_commit *c = &gs_snapshot_gpu(m->snapshot, i)->open_commit;

	return c->state == GS_OPEN_INTERRUPTED || c->state == GS_OPEN_NOT_UNDONE ? c->id : 0;
}

uint64_t gs_model_interrupted(const struct gs_model *m)
{
	uint64_t lowest = 0;

	for (size_t i = 0; m->snapshot && i < gs_snapshot_n_gpus(m->snapshot); i++) {
		uint64_t id = interrupted_at(m, i);

		if (id && (!lowest || id < lowest))
			lowest = id;
	}
	return lowest;
}

uint64_t gs_model_newest_interrupted(const struct gs_model *m)
{
	uint64_t highest = 0;

	for (size_t i = 0; m->snapshot && i < gs_snapshot_n_gpus(m->snapshot); i++)
		if (interrupted_at(m, i) > highest)
			highest = interrupted_at(m, i);
	return highest;
}
