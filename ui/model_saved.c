/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model_saved.c - what is put back at boot: the saved layout against the machine, and what nobody would put back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/drift_json.h"
#include "codec/layout_text.h"
#include "codec/request_scope.h"
#include "core/reboot.h"
#include "ui/model_internal.h"

struct gs_saved_view *gs_saved_view_free(struct gs_saved_view *v)
{
	if (!v)
		return NULL;
	gs_drift_free(v->drift);
	gs_layout_free(v->layout);
	gs_arena_free(v->arena);
	json_object_put(v->commits);
	gs_session_saved_done(&v->saved);
	free(v);
	return NULL;
}

void gs_saved_view_judge(struct gs_saved_view *v, const struct gs_snapshot *s)
{
	struct gs_drift_facts facts;
	struct gs_drift_commit *commits = NULL;

	if (!v)
		return;
	/* it borrows from a look that is over */
	v->drift = gs_drift_free(v->drift);
	v->arena = gs_arena_free(v->arena);
	if (!v->layout || !s)
		return;
	facts = (struct gs_drift_facts){ v->saved.boot_id, v->saved.current_boot_id, v->saved.saved_at_ms, NULL, 0, !v->commits };
	v->arena = gs_arena_new();
	/* without the journal fewer causes are known, that is all */
	if (v->arena && v->commits && gs_drift_commits_from_json(v->commits, v->arena, &commits, &facts.n_commits) == 0)
		facts.commits = commits;
	gs_drift_build(v->layout, s, &facts, &v->drift, NULL);
}

int gs_model_take_saved(struct gs_model *m, struct gs_session_saved *saved, struct gs_error *e)
{
	struct gs_saved_view *v = calloc(1, sizeof(*v));
	struct gs_error why = { 0 };

	if (!v) {
		gs_session_saved_done(saved);
		return gs_error_oom(e);
	}
	v->saved = *saved;
	memset(saved, 0, sizeof(*saved));
	if (v->saved.text && gs_layout_parse(v->saved.text, strlen(v->saved.text), v->saved.path, &v->layout, &why) < 0)
		gs_error_format(&why, v->why_not, sizeof(v->why_not));
	gs_saved_view_free(m->saved);
	m->saved = v;
	gs_saved_view_judge(v, m->snapshot);
	return 0;
}

static bool is_restorable(const struct gs_drift_gpu *g)
{
	return g->gpu && g->is_bound && g->state == GS_DRIFT_DIFFERS;
}

const struct gs_drift_gpu *gs_model_not_restorable(const struct gs_model *m)
{
	const struct gs_drift *d = m->saved ? m->saved->drift : NULL;

	for (size_t i = 0; d && i < d->n_gpus; i++)
		if (d->gpus[i].state != GS_DRIFT_SAME && d->gpus[i].state != GS_DRIFT_NOT_SAVED && !is_restorable(&d->gpus[i]))
			return &d->gpus[i];
	return NULL;
}

/* One that is lost, gone or exchanged costs the others nothing; where none is, all are one request as ever. */
static int leave_out(const struct gs_model *m, struct gs_request *r, struct gs_error *e)
{
	const struct gs_drift *d = m->saved->drift;
	GS_FREE struct gs_bdf *gpus = NULL;
	size_t n = 0;

	if (!gs_model_not_restorable(m))
		return 0;
	gpus = calloc(d->n_gpus, sizeof(*gpus));
	if (!gpus)
		return gs_error_oom(e);
	for (size_t i = 0; i < d->n_gpus; i++)
		if (is_restorable(&d->gpus[i]))
			gpus[n++] = d->gpus[i].gpu->bdf;
	return n ? gs_request_set_only(r, gpus, n, e) : 0;
}

int gs_model_saved_request(const struct gs_model *m, struct gs_request **ret_request, struct gs_error *e)
{
	const struct gs_session_saved *s = m->saved ? &m->saved->saved : NULL;
	GS_CLEANUP(gs_request_freep) struct gs_request *r = NULL;
	int rc;

	if (!s || !s->text)
		return gs_error_set(e, -ENOENT, GS_STATUS_REFUSED, "nothing is saved: there is no %s", gs_model_saved_path(m));
	if (!m->saved->layout)
		return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "what is saved cannot be read: %s", m->saved->why_not);
	rc = gs_request_new(s->text, strlen(s->text), s->path, GS_CONTEXT_FILE, &r, e);
	if (rc < 0)
		return rc;
	/* both ends tell by its text what it is, and a script would be another thing */
	if (r->kind != GS_REQUEST_LAYOUT)
		return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "%s is no layout", s->path);
	rc = leave_out(m, r, e);
	if (rc < 0)
		return rc;
	*ret_request = GS_TAKE(r);
	return 0;
}

const char *gs_model_saved_path(const struct gs_model *m)
{
	const struct gs_saved_fact *fact = m->snapshot ? gs_snapshot_saved(m->snapshot) : NULL;

	return m->saved && m->saved->saved.path ? m->saved->saved.path : fact && fact->path ? fact->path : "the machine's layout file";
}

void gs_model_count_saved(struct gs_model *m)
{
	m->n_drifted = m->n_unsaved = 0;
	if (gs_snapshot_saved(m->snapshot)->state == GS_SAVED_UNKNOWN)
		return;
	for (size_t i = 0; i < gs_snapshot_n_gpus(m->snapshot); i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(m->snapshot, i);

		m->n_drifted += gpu->saved == GS_SAVED_DIFFERS;
		/* a machine as it comes up needs no saving */
		m->n_unsaved += gpu->saved == GS_SAVED_NONE && gs_reboot_would_lose(gpu);
	}
}
