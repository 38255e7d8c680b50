/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/agent_journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/agent_past.h"
#include "backend/agent_who.h"
#include "backend/proc.h"
#include "codec/request.h"

#define BOOT_ID "proc/sys/kernel/random/boot_id"

void gs_agent_journal_done(struct gs_agent_journal *j)
{
	j->journal = gs_journal_close(j->journal);
}

/* ---------------------------------------------------------------- its records */

static int begin(struct gs_agent_journal *j, const struct gs_plan *p, struct gs_error *e)
{
	struct gs_root *root = gs_machine_root(j->agent->machine);
	const struct gs_request *request = j->request;
	const struct gs_plan_options options = {
		.disrupt = request->disrupt, .n_disrupt = request->n_disrupt, .kill = request->kill, .allow_reset = request->allow_reset,
	};
	bool is_past = request->kind == GS_REQUEST_PAST;
	GS_FREE char *boot = NULL, *user = NULL;
	struct gs_proc_identity self;
	struct gs_journal_begin b = {
		.at = gs_wall_now(), .host = gs_machine_host(j->agent->machine), .pid = (uint32_t)getpid(), .undo_on_hangup = j->undo_on_hangup,
		.way = is_past ? request->way : j->way, .of = is_past ? request->commit_id : 0, .plan = p, .options = &options,
		.author = { .uid = GS_U32(gs_agent_caller_uid()), .ssh_client = j->ssh_client, .command = j->command, .message = j->message },
	};

	user = gs_agent_user_name(b.author.uid.value);
	b.author.user = user;
	b.boot_id = gs_root_read(root, &boot, BOOT_ID) == 0 ? boot : "unknown";
	/* processes are this host's, whatever machine is worked on */
	if (gs_proc_identify(b.pid, &self) == 0)
		b.start_time = self.start_time;
	return gs_journal_begin(root, &b, &j->journal, e);
}

int gs_agent_journal_record(struct gs_agent_journal *j, const struct gs_commit_record *record, struct gs_error *e)
{
	struct gs_journal_record r;
	int rc;

	if (record->kind == GS_JOURNAL_BEGIN)
		return begin(j, record->plan, e);
	if (!j->journal)
		return gs_error_set(e, -EBADF, GS_STATUS_FAILED, "it was never begun");
	gs_commit_record_to_journal(record, &r);
	rc = gs_journal_append(j->journal, &r, e);
	if (rc == 0 && record->kind == GS_JOURNAL_END)
		gs_journal_log(gs_machine_root(j->agent->machine), gs_journal_commit_of(j->journal));
	return rc;
}

/* ---------------------------------------------------------------- about an earlier one */

int gs_agent_journal_prepare(struct gs_agent *a, struct gs_request *request, struct gs_error *e)
{
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
	GS_FREE char *boot = NULL;
	char label[256];
	int r;

	if (request->kind != GS_REQUEST_PAST)
		return 0;
	r = gs_agent_past_load(a, request->commit_id, NULL, &f, &boot, NULL, e);
	if (r < 0)
		return r;
	if (request->way == GS_WAY_UNDO && f->commit.state == GS_JOURNAL_IS_OPEN)
		return gs_error_set(e, -EINVAL, GS_STATUS_REFUSED, "%s was interrupted, so it is recovered and not undone: gpuslice recover %" PRIu64 ". Nothing was done",
				    gs_journal_label(&f->commit, label, sizeof(label)), f->commit.id);
	if (request->way != GS_WAY_UNDO && !gs_journal_wants_end(f->commit.state, f->commit.status))
		return gs_error_set(e, -EALREADY, GS_STATUS_REFUSED, "%s is not open any more: there is nothing to recover. Nothing was done",
				    gs_journal_label(&f->commit, label, sizeof(label)));
	if (request->way == GS_WAY_UNDO && f->part_of)
		return gs_error_set(e, -EINVAL, GS_STATUS_REFUSED, "%s finished commit %" PRIu64 ", and is undone with it: gpuslice undo %" PRIu64 ". Nothing was done",
				    gs_journal_label(&f->commit, label, sizeof(label)), f->part_of, f->part_of);
	return gs_journal_past(f, boot, &request->past, e);
}

/* All of it was done; one step may only wait for a reset. */
static bool is_through(const struct gs_commit_result *result)
{
	return result->status == GS_STATUS_OK || (result->status == GS_STATUS_PENDING && result->plan && result->done == result->plan->n_steps);
}

/* An undo of what could neither go on nor back is its end, too. */
static bool needed_recovery(struct gs_agent *a, uint64_t id)
{
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;

	return gs_journal_load(gs_machine_root(a->machine), id, &f, NULL) == 0 && gs_journal_wants_end(f->commit.state, f->commit.status);
}

void gs_agent_journal_settle(struct gs_agent_journal *j, const struct gs_commit_result *result)
{
	const struct gs_request *request = j->request;
	struct gs_error e = { 0 };
	int r;

	if (request->kind != GS_REQUEST_PAST || !is_through(result) || (request->way == GS_WAY_UNDO && !needed_recovery(j->agent, request->commit_id)))
		return;
	r = gs_agent_past_close(j->agent, request->commit_id, request->way, j->journal ? gs_journal_id(j->journal) : 0, result->text, &e);
	/* its record makes no sense behind some line, so nothing can be written there; it has its end all the same, and keeps nobody off */
	if (r == -EBADMSG && gs_journal_set_aside(gs_machine_root(j->agent->machine), request->commit_id, &e) == 0)
		gs_agent_notice(j->agent, "commit %" PRIu64 " is recovered; its record was damaged, and is kept as /" GS_JOURNAL_DIR "/%" PRIu64 ".damaged", request->commit_id, request->commit_id);
	else if (r < 0)
		gs_agent_notice(j->agent, "commit %" PRIu64 " is recovered, but the journal cannot be told so: %s", request->commit_id, e.text);
}
