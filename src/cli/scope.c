/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/scope.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "cli/again.h"
#include "cli/lost_agent.h"
#include "codec/plan_json.h"
#include "codec/request_scope.h"
#include "codec/results_json.h"

#define SNAPSHOT_TIMEOUT_MS 60000
#define TEXT_MAX 1400
/* Others may have committed besides. */
#define JOURNAL_MORE 16

/* One GPU, or several that a reset takes together: what is asked, what would be done, what came of it. */
struct part {
	const struct gs_request_part *what;
	struct gs_request *request;     /* NULL when it cannot be planned */
	struct gs_plan *plan;
	enum gs_status status;
	bool is_done;
	char text[TEXT_MAX];
	struct json_object *result;
};

struct parts {
	struct gs_request_parts *split;
	struct part *items;
	size_t n;
	const struct gs_snapshot *snapshot;
	struct gs_snapshot *later;      /* the last look since something was written */
	struct gs_cli_agent agent;
	bool is_written;                /* something was, or may have been */
	bool is_privileged;
	struct gs_gpu_result *rows;
	size_t n_rows;
};

static void parts_done(struct parts *p)
{
	for (size_t i = 0; i < p->n; i++) {
		gs_request_free(p->items[i].request);
		gs_plan_free(p->items[i].plan);
		json_object_put(p->items[i].result);
	}
	free(p->items);
	free(p->rows);
	gs_snapshot_unref(p->later);
	gs_cli_agent_done(&p->agent);
	gs_request_parts_free(p->split);
}

int gs_cli_scope_take(const char *value, bool *ret_by_gpu, struct gs_error *e)
{
	bool by_gpu = strcmp(value, "gpu") == 0;

	if (!by_gpu && strcmp(value, "host") != 0)
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "--scope takes host or gpu, not %s", value);
	*ret_by_gpu = by_gpu;
	return 0;
}

static void fail_part(struct part *part, const struct gs_error *e)
{
	part->status = e->status ? e->status : GS_STATUS_FAILED;
	gs_error_format(e, part->text, sizeof(part->text));
	gs_text_sanitize(part->text);
}

static void refuse(struct part *part, const struct gs_plan *p)
{
	part->status = gs_plan_status(p);
	for (size_t i = 0; i < p->n_findings; i++) {
		if (p->findings[i].severity != GS_SEVERITY_BLOCK)
			continue;
		snprintf(part->text, sizeof(part->text), "%s; nothing was done", p->findings[i].text);
		break;
	}
}

/* What a part that was not carried out has to show. */
static void keep_refusals(struct parts *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct part *part = &p->items[i];
		struct gs_commit_result result = { .status = part->status, .plan = part->plan };

		if (part->result || !part->plan)
			continue;
		snprintf(result.text, sizeof(result.text), "%.*s", (int)sizeof(result.text) - 1, part->text);
		part->result = gs_commit_result_to_json(&result);
	}
}

static void plan_part(struct part *part, const struct gs_request *request, const struct gs_snapshot *s)
{
	struct gs_error e = { 0 };

	if (part->what->is_as_asked) {
		snprintf(part->text, sizeof(part->text), "nothing to do: it is as asked");
		part->is_done = true;
		return;
	}
	if (part->what->error.errnum) {
		fail_part(part, &part->what->error);
		return;
	}
	if (gs_request_of_part(request, part->what, &part->request, &e) < 0 || gs_request_plan(part->request, s, &part->plan, &e) < 0)
		fail_part(part, &e);
	else if (gs_plan_is_blocked(part->plan))
		refuse(part, part->plan);
}

static int make_parts(struct parts *p, const struct gs_request *request, const struct gs_snapshot *s, struct gs_error *e)
{
	int r = gs_request_split(request, s, &p->split, e);

	if (r < 0)
		return r;
	p->snapshot = s;
	p->items = calloc(p->split->n + 1, sizeof(*p->items));
	if (!p->items)
		return gs_error_oom(e);
	for (; p->n < p->split->n; p->n++) {
		p->items[p->n].what = &p->split->items[p->n];
		plan_part(&p->items[p->n], request, s);
	}
	return 0;
}

static bool is_ready(const struct part *part)
{
	return part->plan && !gs_plan_is_blocked(part->plan);
}

static void print_label(const struct parts *p, const struct part *part)
{
	char bdf[GS_BDF_TEXT];

	for (size_t i = 0; i < part->what->n_gpus; i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu_by_bdf(p->snapshot, part->what->gpus[i]);

		printf("%sGPU %" PRIu32 "  %s", i ? ", " : "", gpu->index, gs_bdf_format(gpu->bdf, bdf));
	}
	if (!part->what->n_gpus)
		printf("no GPU");
}

static void print_parts(const struct parts *p)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->items[i].what->is_as_asked)
			continue;
		printf("-- ");
		print_label(p, &p->items[i]);
		printf("\n");
		if (p->items[i].plan)
			gs_cli_print_plan(p->items[i].plan, stdout);
		else
			printf("%s\n", p->items[i].text);
	}
	fflush(stdout);
}

/* A row per GPU: those that were reset together have the same result. */
static int make_rows(struct parts *p, struct gs_error *e)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += p->items[i].what->n_gpus + 1;
	p->rows = calloc(n + 1, sizeof(*p->rows));
	if (!p->rows)
		return gs_error_oom(e);
	for (size_t i = 0; i < p->n; i++) {
		const struct part *part = &p->items[i];
		struct gs_gpu_result row = { .gpu = GS_U32_UNKNOWN, .status = part->status, .text = part->text, .result = part->result };

		for (size_t k = 0; k < part->what->n_gpus; k++) {
			row.bdf = part->what->gpus[k];
			row.gpu = GS_U32(gs_snapshot_gpu_by_bdf(p->snapshot, row.bdf)->index);
			p->rows[p->n_rows++] = row;
		}
		if (!part->what->n_gpus)
			p->rows[p->n_rows++] = row;
	}
	return 0;
}

/* @verb: "done", or "can be done". */
static int print_results(struct gs_cli *cli, struct parts *p, const char *verb, enum gs_status *ret_status)
{
	struct gs_error e = { 0 };
	enum gs_status status;
	size_t good = 0;
	char text[128];

	if (make_rows(p, &e) < 0)
		return gs_cli_fail(cli, &e);
	status = gs_results_status(p->rows, p->n_rows);
	/* without root none was done, also where some are as asked by themselves */
	for (size_t i = 0; !p->is_privileged && status == GS_STATUS_PARTIAL && i < p->n_rows; i++)
		if (p->rows[i].status == GS_STATUS_CANNOT_TELL)
			status = GS_STATUS_CANNOT_TELL;
	for (size_t i = 0; i < p->n_rows; i++)
		good += p->rows[i].status == GS_STATUS_OK || p->rows[i].status == GS_STATUS_PENDING;
	snprintf(text, sizeof(text), "%zu of %zu GPU%s %s", good, p->n_rows, p->n_rows == 1 ? "" : "s", verb);
	*ret_status = status;
	if (cli->json)
		return gs_cli_print_json(gs_results_to_json(p->rows, p->n_rows, status, text));
	for (size_t i = 0; i < p->n; i++) {
		print_label(p, &p->items[i]);
		printf("  %s%s", p->items[i].status ? gs_outcome_word(p->items[i].status, true) : "", p->items[i].status ? ": " : "");
		if (p->items[i].status == GS_STATUS_NOT_UNDONE)
			gs_cli_print_differences(stdout, p->items[i].text, 4);
		else
			printf("%s\n", p->items[i].text);
	}
	printf("%s\n", text);
	return 0;
}

static int say_nothing_to_do(struct gs_cli *cli, const struct parts *p, const char *text)
{
	if (!cli->json)
		return printf("%s\n", text) < 0 ? GS_STATUS_FAILED : GS_STATUS_OK;
	return gs_cli_print_json(gs_results_to_json(p->rows, p->n_rows, GS_STATUS_OK, text));
}

static bool has_nothing_to_do(const struct parts *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (!p->items[i].what->is_as_asked && (!is_ready(&p->items[i]) || p->items[i].plan->n_steps))
			return false;
	return true;
}

static int print_plans(struct gs_cli *cli, struct parts *p, bool exit_code)
{
	enum gs_status status = GS_STATUS_OK;
	bool has_steps = false;
	int r;

	for (size_t i = 0; i < p->n; i++) {
		struct part *part = &p->items[i];

		if (part->plan)
			part->result = gs_plan_to_json(part->plan);
		if (!is_ready(part))
			continue;
		has_steps |= part->plan->n_steps > 0;
		snprintf(part->text, sizeof(part->text), "%zu step%s", part->plan->n_steps, part->plan->n_steps == 1 ? "" : "s");
	}
	if (!cli->json)
		print_parts(p);
	r = print_results(cli, p, "can be done", &status);
	if (r)
		return r;
	return status == GS_STATUS_OK && exit_code && has_steps ? GS_STATUS_DIFFERS : (int)status;
}

int gs_cli_plan_by_gpu(struct gs_cli *cli, struct gs_session *session, const struct gs_snapshot *s, const struct gs_request *request, bool exit_code)
{
	GS_CLEANUP(parts_done) struct parts p = { .is_privileged = gs_session_hello(session)->privileged };
	struct gs_error e = { 0 };

	return make_parts(&p, request, s, &e) < 0 ? gs_cli_fail(cli, &e) : print_plans(cli, &p, exit_code);
}

/* ---- writing ---- */

static int ask(struct gs_cli *cli, const struct gs_cli_commit *o, const struct gs_hello *hello, const struct parts *p)
{
	GS_FREE const struct gs_plan **plans = calloc(p->n + 1, sizeof(*plans));
	bool needs = false;
	size_t n = 0;
	struct gs_error e = { 0 };

	if (!plans) {
		gs_error_oom(&e);
		return gs_cli_fail(cli, &e);
	}
	for (size_t i = 0; i < p->n; i++) {
		if (!is_ready(&p->items[i]) || !p->items[i].plan->n_steps)
			continue;
		plans[n++] = p->items[i].plan;
		needs |= gs_plan_needs_confirmation(p->items[i].plan);
	}
	/* before anything is asked: who confirms and is refused then has been asked for nothing */
	if (n && !hello->privileged)
		gs_cli_needs_root(hello, &e);
	else if (n && needs && !o->yes)
		gs_cli_confirm(plans, n, hello, &e);
	if (!e.errnum)
		return 0;
	if (e.errnum == -ENOTTY && !cli->json)
		print_parts(p);
	return gs_cli_fail(cli, &e);
}

/* Somebody else has changed what it is about. */
static bool is_overtaken(const struct parts *p, const struct part *part, uint32_t *ret_gpu)
{
	for (size_t i = 0; i < part->plan->n_base; i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu_by_bdf(p->later, part->plan->base[i].bdf);

		*ret_gpu = part->plan->base[i].gpu;
		if (!gpu || !gs_digest_equal(&gpu->rev, &part->plan->base[i].rev))
			return true;
	}
	return false;
}

/*
 * Earlier parts, or somebody who was waited for, have changed the machine since
 * the review: what was agreed to must still be what is done. Who waits for
 * others (--wait) has what he asked for planned again.
 */
static int look_again(struct parts *p, struct part *part, const struct gs_cli_commit *o, struct gs_session *session, uint32_t wait_seconds, struct gs_error *e)
{
	GS_CLEANUP(gs_plan_freep) struct gs_plan *now = NULL;
	const struct gs_finding *f;
	uint32_t gpu = 0;
	int r;

	p->later = gs_snapshot_unref(p->later);
	r = gs_session_snapshot_waiting(session, wait_seconds, SNAPSHOT_TIMEOUT_MS, &p->later, e);
	if (r == 0)
		r = gs_request_plan(part->request, p->later, &now, e);
	if (r < 0)
		return r;
	if (!o->wait_seconds && is_overtaken(p, part, &gpu))
		return gs_error_set(e, -ESTALE, GS_STATUS_REFUSED, "GPU %" PRIu32 " was changed since the plan was made; nothing was done to it", gpu);
	f = o->wait_seconds && o->yes ? NULL : gs_plan_unapproved(part->plan, now);
	if (f)
		return gs_error_set(e, -ESTALE, GS_STATUS_REFUSED, "since it was confirmed there is more to confirm: %s; nothing was done to it", f->text);
	gs_plan_free(part->plan);
	part->plan = GS_TAKE(now);
	return 0;
}

/* Until there is a result that no new plan would mend. -errno, or 1: there is none, and the part says why. */
static int try_part(struct gs_cli *cli, const struct gs_cli_commit *o, struct parts *p, struct part *part, struct gs_session_result *ret_result,
		    bool *ret_stopped, struct gs_error *e)
{
	struct gs_cli_patience patience = gs_cli_patience_of(o);
	struct gs_session *session = p->agent.session;
	int r = 0;

	for (bool has_to_look = p->is_written;; has_to_look = true) {
		uint32_t wait_seconds = gs_cli_patience_left(&patience);

		if (has_to_look)
			r = look_again(p, part, o, session, wait_seconds, e);
		if (r < 0) {
			fail_part(part, e);
			/* nothing of this part was begun, so it is no loss but to those that follow */
			p->agent.is_lost = e->status == GS_STATUS_UNREACHABLE;
			return 1;
		}
		if (gs_plan_is_blocked(part->plan)) {
			refuse(part, part->plan);
			return 1;
		}
		if (!part->plan->n_steps) {
			snprintf(part->text, sizeof(part->text), "nothing to do: it is as asked");
			return 1;
		}
		p->is_written = true;
		if (patience.tries && !cli->json)
			gs_cli_print_plan(part->plan, stdout);
		r = gs_cli_commit_follow(cli, o, session, part->request, part->plan, wait_seconds, ret_result, ret_stopped, e);
		if (r < 0 || !gs_cli_may_try_again(&patience, o, ret_result))
			return r;
		gs_session_result_done(ret_result);
	}
}

static void commit_part(struct gs_cli *cli, const struct gs_cli_commit *o, struct parts *p, struct part *part, bool *ret_stopped)
{
	struct gs_session_result result = { 0 };
	struct gs_error e = { 0 };
	int r;

	if (!cli->json) {
		printf("-- ");
		print_label(p, part);
		printf("\n");
		fflush(stdout);
	}
	r = try_part(cli, o, p, part, &result, ret_stopped, &e);
	if (r > 0)
		return;
	if (r < 0) {
		fail_part(part, &e);
		/* the agent has gone in the middle of it, but not what it had written down */
		gs_cli_add_interrupted(cli, part->what->gpus, part->what->n_gpus, (uint32_t)p->n + JOURNAL_MORE, part->text, sizeof(part->text));
		p->agent.is_lost = true;
		return;
	}
	part->status = result.status;
	part->is_done = true;
	snprintf(part->text, sizeof(part->text), "%s", result.text);
	part->result = result.json ? json_object_get(result.json) : NULL;
	gs_session_result_done(&result);
}

static void commit_parts(struct gs_cli *cli, const struct gs_cli_commit *o, struct parts *p)
{
	bool was_stopped = false;

	for (size_t i = 0; i < p->n; i++) {
		struct part *part = &p->items[i];
		struct gs_error e = { 0 };

		if (!is_ready(part))
			continue;
		if (was_stopped) {
			part->status = GS_STATUS_REFUSED;
			snprintf(part->text, sizeof(part->text), "not begun: you stopped before; nothing was done to it");
		} else if (!part->plan->n_steps) {
			snprintf(part->text, sizeof(part->text), "nothing to do: it is as asked");
		} else if (gs_cli_agent_renew(&p->agent, cli, &e) < 0) {
			part->status = GS_STATUS_UNREACHABLE;
			snprintf(part->text, sizeof(part->text), "not begun: %s; nothing was done to it", e.text);
		} else {
			commit_part(cli, o, p, part, &was_stopped);
		}
	}
}

int gs_cli_commit_by_gpu(struct gs_cli *cli, const struct gs_cli_commit *o, struct gs_session *session, const struct gs_snapshot *s, const struct gs_request *request)
{
	const struct gs_hello *hello = gs_session_hello(session);
	GS_CLEANUP(parts_done) struct parts p = { .is_privileged = hello->privileged, .agent.session = session };
	enum gs_status status = GS_STATUS_OK;
	struct gs_error e = { 0 };
	int r;

	if (make_parts(&p, request, s, &e) < 0)
		return gs_cli_fail(cli, &e);
	if (o->dry_run)
		return print_plans(cli, &p, false);
	if (has_nothing_to_do(&p)) {
		if (make_rows(&p, &e) < 0)
			return gs_cli_fail(cli, &e);
		return say_nothing_to_do(cli, &p, "nothing to do: the machine is as asked");
	}
	r = ask(cli, o, hello, &p);
	if (r)
		return r;
	if (!cli->json) {
		/* the mistakes are the wrong window and the wrong machine */
		if (hello->source == GS_SOURCE_LIVE)
			printf("writing to %s\n", hello->host);
		print_parts(&p);
	}
	/* the agent finishes the GPU that it is at without us, but begins no other one */
	if (!o->undo_on_hangup)
		signal(SIGHUP, SIG_IGN);
	commit_parts(cli, o, &p);
	keep_refusals(&p);
	r = print_results(cli, &p, "done", &status);
	return r ? r : (int)status;
}
