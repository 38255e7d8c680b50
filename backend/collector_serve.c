/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "backend/agent.h"
#include "backend/collect.h"
#include "backend/collector.h"
#include "backend/doctor.h"
#include "backend/mig_write.h"
#include "backend/yield.h"
#include "base/parse.h"
#include "codec/doctor_json.h"
#include "codec/snapshot_json.h"
#include "codec/step_json.h"

struct server {
	struct gs_machine *machine;
	struct gs_collect *collect;
	struct gs_rpc *rpc;
	char *sent;         /* the snapshot that was sent last, as text, for if_changed */
	size_t n_sent;
};

static int handle_collect(struct server *v, const struct gs_rpc_message *m, struct gs_error *e)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	struct gs_collect_options options = { 0 };
	struct json_object *o;
	bool if_changed = false;
	const char *text;
	size_t n = 0;
	int r;

	if (m->params) {
		r = gs_json_get_bool(m->params, "telemetry", false, &options.telemetry, e);
		if (r == 0)
			r = gs_json_get_bool(m->params, "fresh", false, &options.fresh, e);
		if (r == 0)
			r = gs_json_get_bool(m->params, "if_changed", false, &if_changed, e);
		if (r < 0)
			return r;
	}
	r = gs_collect_snapshot(v->collect, &options, &s, e);
	if (r < 0)
		return r;
	o = gs_snapshot_to_json(s, GS_SNAPSHOT_PROFILES | (options.telemetry ? GS_SNAPSHOT_TELEMETRY : 0));
	if (!o)
		return gs_error_oom(e);
	text = json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &n);
	if (if_changed && v->sent && text && n == v->n_sent && memcmp(text, v->sent, n) == 0) {
		json_object_put(o);
		gs_rpc_reply(v->rpc, m->id, NULL);
		return 0;
	}
	free(v->sent);
	v->sent = text ? strndup(text, n) : NULL;
	v->n_sent = n;
	gs_rpc_reply(v->rpc, m->id, o);
	return 0;
}

static int handle_doctor(struct server *v, const struct gs_rpc_message *m, struct gs_error *e)
{
	GS_CLEANUP(gs_arena_freep) struct gs_arena *arena = gs_arena_new();
	struct gs_doctor_facts facts;
	struct json_object *o;
	int r;

	if (!arena)
		return gs_error_oom(e);
	r = gs_doctor_read(v->machine, v->collect, arena, &facts, e);
	if (r < 0)
		return r;
	o = gs_doctor_facts_to_json(&facts);
	if (!o)
		return gs_error_oom(e);
	gs_rpc_reply(v->rpc, m->id, o);
	return 0;
}

/* Only a step that NVML carries out; its strings are borrowed from @o. */
static int read_step(struct json_object *o, struct gs_step *ret_step, struct gs_error *e)
{
	struct gs_step step;
	int r = gs_step_from_json(o, NULL, &step, e);

	if (r < 0)
		return r;
	if (step.op == GS_STEP_STOP_HOLDER || (step.op == GS_STEP_SET_MODE && step.mode == GS_MODE_INVALID))
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "a step that the collector does not know");
	*ret_step = step;
	return 0;
}

static int handle_run(struct server *v, const struct gs_rpc_message *m, struct gs_error *e)
{
	struct gs_step_outcome outcome = { 0 };
	struct json_object *o = NULL;
	struct gs_mig *mig = NULL;
	struct gs_step step;
	int r;

	if (gs_machine_is_read_only(v->machine))
		return gs_error_set(e, -EROFS, GS_STATUS_REFUSED, "this collector is read-only");
	if (m->params)
		r = gs_json_get_object(m->params, "step", &o, e);
	else
		r = gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "a run without a step");
	if (r == 0)
		r = read_step(o, &step, e);
	if (r == 0)
		r = gs_collect_mig(v->collect, &mig, e);
	if (r == 0)
		r = gs_mig_run(mig, &step, &outcome, e);
	if (r < 0)
		return r;
	gs_rpc_reply(v->rpc, m->id, gs_outcome_to_json(&outcome));
	return 0;
}

static void handle(struct server *v, const struct gs_rpc_message *m)
{
	struct gs_error e = { 0 };
	int r;

	if (m->kind != GS_RPC_CALL)
		return;
	if (strcmp(m->method, "collect") == 0)
		r = handle_collect(v, m, &e);
	else if (strcmp(m->method, "doctor") == 0)
		r = handle_doctor(v, m, &e);
	else if (strcmp(m->method, "run") == 0)
		r = handle_run(v, m, &e);
	else
		r = gs_error_set(&e, -ENOSYS, GS_STATUS_FAILED, "a collector knows no method \"%.40s\"", m->method);
	if (r < 0)
		gs_rpc_fail(v->rpc, m->id, &e);
}

static int serve(struct server *v)
{
	for (;;) {
		GS_RPC_MESSAGE struct gs_rpc_message m = { .kind = GS_RPC_CALL };
		int r = gs_rpc_wait(v->rpc, -1, &m, NULL);

		/* the agent has gone: so do we, and NVML lets go of the GPUs */
		if (r < 0)
			return r == -EPIPE ? GS_STATUS_OK : GS_STATUS_FAILED;
		handle(v, &m);
	}
}

/* Say why to the first who asks; there is no other way to be heard. */
static int fail_first_call(struct gs_rpc *rpc, const struct gs_error *why)
{
	GS_RPC_MESSAGE struct gs_rpc_message m = { .kind = GS_RPC_CALL };

	if (gs_rpc_wait(rpc, -1, &m, NULL) == 0 && m.kind == GS_RPC_CALL)
		gs_rpc_fail(rpc, m.id, why);
	gs_rpc_flush(rpc);
	return why->status;
}

int gs_collector_serve(const struct gs_machine_options *options, int fd_in, int fd_out)
{
	GS_CLEANUP(gs_machine_closep) struct gs_machine *machine = NULL;
	GS_CLEANUP(gs_collect_freep) struct gs_collect *collect = NULL;
	GS_CLEANUP(gs_rpc_freep) struct gs_rpc *rpc = NULL;
	GS_CLOSE int held = -1;
	struct server v = { 0 };
	struct gs_error e = { 0 };
	int r;

	signal(SIGPIPE, SIG_IGN);
	if (gs_protocol_fds(&fd_in, &fd_out) < 0 || gs_rpc_new(fd_in, fd_out, &rpc, &e) < 0)
		return GS_STATUS_UNREACHABLE;
	r = gs_machine_open(options, &machine, &e);
	/* one that may write ends when its agent lets go, not in the middle of a step */
	if (r == 0 && !gs_machine_is_read_only(machine)) {
		signal(SIGHUP, SIG_IGN);
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
	}
	if (r == 0)
		r = gs_collect_new(machine, &collect, &e);
	if (r < 0)
		return fail_first_call(rpc, &e);
	held = gs_yield_hold(gs_machine_root(machine), gs_machine_is_privileged(machine) && !gs_machine_is_read_only(machine));
	v.machine = machine;
	v.collect = collect;
	v.rpc = rpc;
	r = serve(&v);
	free(v.sent);
	return r;
}
