/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/agent_hooks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "codec/plan_json.h"

/* What the hooks are told lives as long as one round of them. */
struct round {
	struct gs_agent_hooks *hooks;
	const struct gs_plan *plan;
	struct json_object *json;
	struct gs_bdf *gpus;
	struct gs_hooks_call call;
};

static void round_done(struct round *r)
{
	json_object_put(r->json);
	free(r->gpus);
}

static int fill(struct round *r, struct gs_error *e)
{
	const struct gs_plan *plan = r->plan;

	r->json = gs_plan_to_json(plan);
	r->gpus = calloc(plan->n_base + 1, sizeof(*r->gpus));
	r->call.plan = r->json ? json_object_to_json_string_ext(r->json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE) : NULL;
	if (!r->gpus || !r->call.plan)
		return gs_error_oom(e);
	for (size_t i = 0; i < plan->n_base; i++)
		r->gpus[i] = plan->base[i].bdf;
	r->call.gpus = r->gpus;
	r->call.n_gpus = plan->n_base;
	r->call.host = gs_machine_host(r->hooks->agent->machine);
	r->call.message = r->hooks->message;
	return 0;
}

static void op_wait(void *userdata, int fd, int ms)
{
	struct round *r = userdata;

	gs_agent_wait(r->hooks->agent, fd, ms);
}

static void op_say(void *userdata, const char *hook, const char *when, const char *line)
{
	struct json_object *o = json_object_new_object();
	struct round *r = userdata;
	char text[NAME_MAX + 16];

	if (!o)
		return;
	snprintf(text, sizeof(text), "%s %s", hook, when);
	gs_json_add_string(o, "event", "hook");
	gs_json_add_u64(o, "n", GS_U64(0));
	gs_json_add_u64(o, "of", GS_U64(r->plan->n_steps));
	gs_json_add_string(o, "text", text);
	gs_json_add_string(o, "note", line);
	gs_rpc_notify(r->hooks->agent->client, "progress", o);
}

static const struct gs_hooks_ops hooks_ops = { op_wait, op_say };

void gs_agent_hooks_done(struct gs_agent_hooks *h)
{
	h->hooks = gs_hooks_free(h->hooks);
}

int gs_agent_hooks_before(struct gs_agent_hooks *h, const struct gs_plan *plan, struct gs_error *e)
{
	GS_CLEANUP(round_done) struct round round = { .hooks = h, .plan = plan };
	bool only_roots = gs_machine_source(h->agent->machine) == GS_SOURCE_LIVE;
	int r = gs_hooks_open(gs_machine_root(h->agent->machine), only_roots, &h->hooks, e);

	if (r < 0 || !gs_hooks_count(h->hooks))
		return r;
	r = fill(&round, e);
	if (r == 0)
		r = gs_hooks_before(h->hooks, &round.call, &hooks_ops, &round, e);
	return r < 0 ? r : 1;
}

void gs_agent_hooks_after(struct gs_agent_hooks *h, const struct gs_plan *plan, const struct gs_commit_result *result, char *ret_note, size_t size)
{
	GS_CLEANUP(round_done) struct round round = { .hooks = h, .plan = plan };
	struct gs_error e = { 0 };
	size_t failed, n;

	if (!h->hooks || !gs_hooks_count(h->hooks))
		return;
	if (fill(&round, &e) < 0) {
		snprintf(ret_note, size, "no hook was told of the end: %s", e.text);
		return;
	}
	failed = gs_hooks_after(h->hooks, (int)result->status, &round.call, &hooks_ops, &round, ret_note, size);
	n = strlen(ret_note);
	if (failed > 1 && n < size)
		snprintf(ret_note + n, size - n, "; and %zu more", failed - 1);
}
