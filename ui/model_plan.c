/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model_plan.c - staged commands to request and plan: what holds, what is stale, who would have to be named. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "core/policy.h"
#include "ui/model_internal.h"

int gs_model_make_plan(const struct gs_snapshot *s, const char *text, struct gs_request **ret_request, struct gs_plan **ret_plan,
		     struct gs_error *e)
{
	GS_CLEANUP(gs_request_freep) struct gs_request *r = NULL;
	int rc = gs_request_new(text, strlen(text), GS_PROMPT_NAME, GS_CONTEXT_PROMPT, &r, e);

	if (rc >= 0)
		rc = gs_request_plan(r, s, ret_plan, e);
	if (rc < 0)
		return rc;
	if (ret_request)
		*ret_request = GS_TAKE(r);
	return 0;
}

/* Does the finding offer to stop the holder's unit? Only the policy knows which units are safe. */
static bool unit_is_offered(const struct gs_finding *f, const struct gs_holder *h)
{
	char words[320];

	snprintf(words, sizeof(words), "--disrupt unit:%s", h->unit ? h->unit : "");
	for (size_t i = 0; h->unit && i < f->n_alternatives; i++)
		if (strstr(f->alternatives[i], words))
			return true;
	return false;
}

/* May this holder be stopped by us, once its name has been typed? VMs, containers and claims never, units that are safe. */
static bool holder_can_be_named(const struct gs_finding *f, const struct gs_holder *h)
{
	return (h->kind == GS_HOLDER_PROCESS && h->pid.known) || unit_is_offered(f, h);
}

static bool blocked_by_unnamed_holders_only(const struct gs_plan *p)
{
	bool any = false;

	for (size_t i = 0; i < p->n_findings; i++) {
		const struct gs_finding *f = &p->findings[i];

		if (f->severity != GS_SEVERITY_BLOCK)
			continue;
		if (!gs_str_equal(f->rule, gs_rule_name(GS_RULE_HOLDER_STOPS)) || !f->n_holders)
			return false;
		for (size_t k = 0; k < f->n_holders; k++)
			if (!holder_can_be_named(f, f->holders[k]))
				return false;
		any = true;
	}
	return any;
}

static int name_holders(struct gs_request *r, const struct gs_plan *p, struct gs_error *e)
{
	for (size_t i = 0; i < p->n_findings; i++) {
		const struct gs_finding *f = &p->findings[i];

		for (size_t k = 0; f->severity == GS_SEVERITY_BLOCK && k < f->n_holders; k++) {
			char word[300];
			int rc;

			/* by its unit where that is safe: its process alone would be started again at once */
			if (unit_is_offered(f, f->holders[k]))
				snprintf(word, sizeof(word), "unit:%s", f->holders[k]->unit);
			else
				snprintf(word, sizeof(word), "pid:%u", f->holders[k]->pid.value);
			rc = gs_request_add_disrupt(r, word, e);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

/* Of a script; without one of the commit that is gone back to. */
static int new_request(const struct gs_model *m, const char *text, struct gs_request **ret_request, struct gs_error *e)
{
	return text ? gs_request_new(text, strlen(text), GS_PROMPT_NAME, GS_CONTEXT_PROMPT, ret_request, e) : gs_model_past_request(m, ret_request, e);
}

/*
 * A plan that waits for nothing but holders to be named is shown as it would
 * be once they are: the review has them typed, and nothing is sent before.
 * Where naming does not help, the blocked plan stands.
 */
static void plan_with_holders_named(const struct gs_model *m, const char *text, struct gs_request **request, struct gs_plan **plan)
{
	GS_CLEANUP(gs_request_freep) struct gs_request *r = NULL;
	GS_CLEANUP(gs_plan_freep) struct gs_plan *p = NULL;

	if (!blocked_by_unnamed_holders_only(*plan))
		return;
	if (new_request(m, text, &r, NULL) < 0 || name_holders(r, *plan, NULL) < 0)
		return;
	r->kill = m->allow_kill;
	if (gs_request_plan(r, m->snapshot, &p, NULL) < 0 || gs_plan_is_blocked(p))
		return;
	gs_request_free(*request);
	gs_plan_free(*plan);
	*request = GS_TAKE(r);
	*plan = GS_TAKE(p);
}

/* One command that errors must not take the others with it: add them one by one. @stale gets an owned reason for each that does not hold. */
static int evaluate_one_by_one(struct gs_model *m, char **stale, char **ret_text, struct gs_error *e)
{
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT;

	gs_strbuf_puts(&text, "");
	for (size_t i = 0; i < m->n_staged; i++) {
		GS_CLEANUP(gs_plan_freep) struct gs_plan *p = NULL;
		struct gs_error why = { 0 };
		size_t before = text.length;
		int rc;

		gs_strbuf_printf(&text, "%s\n", m->staged[i].text);
		if (text.failed)
			return gs_error_oom(e);
		rc = gs_model_make_plan(m->snapshot, text.text, NULL, &p, &why);
		if (rc >= 0)
			continue;
		if (rc == -ENOMEM)
			return gs_error_oom(e);
		stale[i] = strdup(why.text[0] ? why.text : strerror(-rc));
		if (!stale[i])
			return gs_error_oom(e);
		text.length = before;
		text.text[before] = '\0';
	}
	*ret_text = gs_strbuf_take(&text);
	return *ret_text ? 0 : gs_error_oom(e);
}

static int evaluate_all(struct gs_model *m, char **stale, char **ret_text, struct gs_error *e)
{
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT;
	GS_CLEANUP(gs_plan_freep) struct gs_plan *p = NULL;

	gs_strbuf_puts(&text, "");
	for (size_t i = 0; i < m->n_staged; i++)
		gs_strbuf_printf(&text, "%s\n", m->staged[i].text);
	if (text.failed)
		return gs_error_oom(e);
	if (m->n_staged && gs_model_make_plan(m->snapshot, text.text, NULL, &p, NULL) < 0)
		return evaluate_one_by_one(m, stale, ret_text, e);
	*ret_text = gs_strbuf_take(&text);
	return *ret_text ? 0 : gs_error_oom(e);
}

/* Does somebody's work on @gpu end with this plan? */
static bool stops_on(const struct gs_plan *p, uint32_t gpu)
{
	for (size_t i = 0; i < p->n_findings; i++)
		if (p->findings[i].is_typed && p->findings[i].gpu == gpu)
			return true;
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].op == GS_STEP_STOP_HOLDER && p->steps[i].gpu == gpu)
			return true;
	return false;
}

bool gs_model_needs_word(const struct gs_model *m)
{
	/* A request that names holders is typed even if no finding asks for it. */
	return m->plan && (gs_plan_stops_somebody(m->plan) || (m->request && m->request->n_disrupt));
}

/* HOST:GPU, of the GPUs where somebody's work stops; never a constant: the mistakes are the wrong window and the wrong GPU. */
void gs_model_review_sync(struct gs_model *m)
{
	bool is_open = m->layer == GS_LAYER_REVIEW || m->layer_below == GS_LAYER_REVIEW, any = false;
	GS_STRBUF struct gs_strbuf word = GS_STRBUF_INIT;

	m->confirm_word[0] = '\0';
	if (!is_open || !m->review_writes || !gs_model_needs_word(m) || gs_plan_is_blocked(m->plan))
		return;
	gs_strbuf_printf(&word, "%s:", m->host);
	for (uint32_t gpu = 0; gpu < gs_snapshot_n_gpus(m->snapshot); gpu++) {
		if (!stops_on(m->plan, gpu))
			continue;
		gs_strbuf_printf(&word, "%s%u", any ? "," : "", gpu);
		any = true;
	}
	/* A word that cannot be made must not become no word. */
	snprintf(m->confirm_word, sizeof(m->confirm_word), "%s", word.failed ? "?" : word.text);
}

/* The plan of the commit that is gone back to, in place of what is staged. */
static int evaluate_past(struct gs_model *m, struct gs_error *e)
{
	GS_CLEANUP(gs_request_freep) struct gs_request *request = NULL;
	GS_CLEANUP(gs_plan_freep) struct gs_plan *plan = NULL;
	int rc = new_request(m, NULL, &request, e);

	if (rc >= 0)
		rc = gs_request_plan(request, m->snapshot, &plan, e);
	if (rc < 0)
		return rc;
	plan_with_holders_named(m, NULL, &request, &plan);
	gs_request_free(m->request);
	m->request = GS_TAKE(request);
	gs_plan_free(m->plan);
	m->plan = GS_TAKE(plan);
	return 0;
}

/* A review that cannot be made any more ends, and says why. */
static int refresh_past(struct gs_model *m, struct gs_error *e)
{
	struct gs_error why = { 0 };
	int rc;

	/* what is being carried out is what was agreed to */
	if (m->past_way == GS_WAY_INVALID || m->layer == GS_LAYER_WRITING || m->layer_below == GS_LAYER_WRITING)
		return 0;
	rc = evaluate_past(m, &why);
	if (rc >= 0)
		return 0;
	if (rc == -ENOMEM)
		return gs_error_oom(e);
	gs_model_past_over(m);
	if (m->layer == GS_LAYER_REVIEW || m->layer_below == GS_LAYER_REVIEW)
		m->layer = m->layer_below = GS_LAYER_NONE;
	snprintf(m->message, sizeof(m->message), "the machine changed, and what was under review cannot be planned any more: %.400s", why.text);
	m->message_is_error = true;
	return 0;
}

int gs_model_plan_past(struct gs_model *m, enum gs_way way, struct gs_error *e)
{
	int rc;

	gs_model_past_over(m);
	m->past_way = way;
	m->staged_plan = m->plan;
	m->staged_request = m->request;
	m->plan = NULL;
	m->request = NULL;
	rc = evaluate_past(m, e);
	if (rc < 0)
		gs_model_past_over(m);
	return rc;
}

void gs_model_past_over(struct gs_model *m)
{
	if (m->past_way == GS_WAY_INVALID)
		return;
	m->past_way = GS_WAY_INVALID;
	gs_plan_free(m->plan);
	gs_request_free(m->request);
	m->plan = m->staged_plan;
	m->request = m->staged_request;
	m->staged_plan = NULL;
	m->staged_request = NULL;
}

int gs_model_evaluate(struct gs_model *m, struct gs_error *e)
{
	GS_CLEANUP(gs_request_freep) struct gs_request *request = NULL;
	GS_CLEANUP(gs_plan_freep) struct gs_plan *plan = NULL;
	bool is_past = m->past_way != GS_WAY_INVALID;
	struct gs_request **to_request = is_past ? &m->staged_request : &m->request;
	struct gs_plan **to_plan = is_past ? &m->staged_plan : &m->plan;
	GS_FREE char *text = NULL;
	char **stale = calloc(m->n_staged + 1, sizeof(*stale));
	int rc;

	if (!stale)
		return gs_error_oom(e);
	rc = evaluate_all(m, stale, &text, e);
	if (rc >= 0)
		rc = gs_model_make_plan(m->snapshot, text, &request, &plan, e);
	if (rc < 0) {
		for (size_t i = 0; i < m->n_staged; i++)
			free(stale[i]);
		free(stale);
		return rc;
	}
	plan_with_holders_named(m, text, &request, &plan);
	for (size_t i = 0; i < m->n_staged; i++) {
		free(m->staged[i].stale);
		m->staged[i].stale = stale[i];
	}
	free(stale);
	gs_request_free(*to_request);
	*to_request = text[0] ? GS_TAKE(request) : NULL;
	gs_plan_free(*to_plan);
	*to_plan = GS_TAKE(plan);
	rc = refresh_past(m, e);
	gs_model_review_sync(m);
	return rc;
}
