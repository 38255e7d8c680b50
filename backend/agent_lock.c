/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/agent_lock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backend/lock.h"
#include "backend/writes.h"

/* ---------------------------------------------------------------- the lock */

/* Why the waiting has to end; 0: it has not. */
static int told_to_stop(const struct gs_agent *a, struct gs_error *e)
{
	if (a->must_end)
		return gs_error_set(e, -ECANCELED, GS_STATUS_LOCKED, "this agent was told to end (SIGTERM) while it waited for another commit. Nothing was done");
	if (a->is_cancelled || a->client_gone)
		return gs_error_set(e, -ECANCELED, GS_STATUS_LOCKED, "stopped waiting for another commit, as asked. Nothing was done");
	return 0;
}

static void say_whom_for(struct gs_agent *a, const struct gs_lock_holder *holder, int64_t left_ms)
{
	char text[GS_LOCK_TEXT];

	gs_agent_notice(a, "waiting for another commit to end, %" PRId64 " s at most: %s", (left_ms + 999) / 1000,
			gs_lock_describe(holder, gs_wall_now(), text, sizeof(text)));
}

/* One that has only just taken it has not written its name yet: that is no news. */
static bool is_news(const struct gs_lock_holder *holder, const struct gs_lock_holder *said)
{
	return holder->process.pid && (holder->process.pid != said->process.pid || holder->process.start_time != said->process.start_time);
}

static int wait_for_lock(struct gs_agent *a, const char *command, int64_t wait_ms, struct gs_error *e)
{
	struct gs_monotonic since = gs_monotonic_now();
	struct gs_lock_holder holder = { 0 }, said = { 0 };
	struct gs_root *root = gs_machine_root(a->machine);
	bool has_said = false;

	for (;;) {
		GS_CLEANUP(gs_lock_watch_freep) struct gs_lock_watch *w = gs_lock_watch_new(root);
		int64_t left;
		int r, ms;

		if (!w)
			return gs_error_oom(e);
		r = gs_lock_take(root, command, &a->lock, &holder, e);
		if (r != -EWOULDBLOCK)
			return r;
		r = told_to_stop(a, e);
		if (r < 0)
			return r;
		left = wait_ms - gs_elapsed_ms(since);
		if (left <= 0)
			return gs_error_prefix(e, "waited for %" PRId64 " s: ", wait_ms / 1000);
		if (!has_said || is_news(&holder, &said)) {
			say_whom_for(a, &holder, left);
			said = holder;
			has_said = true;
		}
		gs_lock_watch_holder(w, &holder);
		ms = gs_lock_watch_ms(w);
		gs_agent_wait(a, gs_lock_watch_fd(w), ms >= 0 && ms < left ? ms : (int)left);
	}
}

int gs_agent_lock(struct gs_agent *a, const char *command, uint32_t wait_seconds, struct gs_error *e)
{
	int r = gs_lock_take(gs_machine_root(a->machine), command, &a->lock, NULL, e);

	if (r != -EWOULDBLOCK || !wait_seconds)
		return r;
	/* whoever commits needs the GPUs free of NVML, and must not have to wait for who waits for it */
	gs_agent_stop_collector(a, true);
	/* a cancel that came together with the call lies in our buffer, where no poll sees it */
	gs_agent_take_messages(a);
	return wait_for_lock(a, command, (int64_t)wait_seconds * 1000, e);
}

void gs_agent_unlock(struct gs_agent *a)
{
	gs_agent_reap(a);
	if (a->lock >= 0)
		gs_lock_release(a->lock);
	a->lock = -1;
}

/* ---------------------------------------------------------------- calls of NVML */

/* @owner NULL: nobody waits for it any more, and it counts from now on. */
static int record(struct gs_agent *a, const struct gs_step *step, struct gs_bdf gpu, int pid, const struct gs_proc_identity *owner)
{
	const struct gs_proc_identity nobody = { 0 };
	char text[256];
	struct gs_write_record r = {
		.pid = (uint32_t)pid,
		.function = gpu,
		.path = (char *)GS_WRITE_PATH_NVML,
		.value = (char *)gs_step_describe(step, GS_TENSE_PLAN, text, sizeof(text)),
		.since_ms = gs_wall_now().ms,
		.owner = owner ? *owner : nobody,
	};

	return gs_write_record_make(gs_machine_root(a->machine), &r);
}

static int record_all(struct gs_agent *a, const struct gs_step *step, int pid, const struct gs_proc_identity *owner)
{
	int r = record(a, step, step->bdf, pid, owner);

	for (size_t i = 0; r == 0 && i < step->n_peers; i++)
		r = record(a, step, step->peers[i], pid, owner);
	return r;
}

int gs_agent_call_begins(struct gs_agent *a, const struct gs_step *step, int *ret_pid, struct gs_error *e)
{
	struct gs_proc_identity owner;
	int r = gs_agent_start_collector(a, e), recorded;

	if (r < 0)
		return r;
	recorded = gs_proc_identify((uint32_t)getpid(), &owner);
	if (recorded == 0)
		recorded = record_all(a, step, a->collector->pid, &owner);
	/* an undo must not fail of it; and a collector that has just died is told of by the call */
	if (recorded < 0 && recorded != -ENOENT)
		gs_agent_notice(a, "GPU %" PRIu32 ": the step cannot be noted in /" GS_WRITES_DIR " (%s): should this agent be killed now, nobody sees that the driver is still at it",
				step->gpu, strerror(-recorded));
	*ret_pid = a->collector->pid;
	return 0;
}

static bool is_kept_by_driver(const struct gs_agent *a, int pid)
{
	for (size_t i = 0; i < a->n_strays; i++) {
		if (a->strays[i] == pid)
			return true;
	}
	return false;
}

void gs_agent_call_ended(struct gs_agent *a, const struct gs_step *step, int pid)
{
	struct gs_root *root = gs_machine_root(a->machine);

	if (is_kept_by_driver(a, pid)) {
		record_all(a, step, pid, NULL);
		return;
	}
	gs_write_record_remove(root, (uint32_t)pid, step->bdf);
	for (size_t i = 0; i < step->n_peers; i++)
		gs_write_record_remove(root, (uint32_t)pid, step->peers[i]);
}
