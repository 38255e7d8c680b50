/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drift_cause.c - why a GPU is otherwise than it was saved: what came last of what the journal, the boot id and the kernel's log know. */
#include <inttypes.h>
#include <stdio.h>

#include "base/parse.h"
#include "core/drift.h"

/* The Xid with which a GPU has fallen off the bus (NVIDIA's list of Xid errors). */
#define XID_LOST 79

static bool touches(const struct gs_drift_commit *c, struct gs_bdf bdf)
{
	for (size_t i = 0; i < c->n_gpus; i++)
		if (gs_bdf_compare(c->gpus[i], bdf) == 0)
			return true;
	return false;
}

/*
 * The last one on that GPU that can have made the difference: the order is by
 * number, never by time, since clocks jump; only whether it came after the
 * saving is told by time, there is nothing else. What was before a restart is gone with it.
 */
static const struct gs_drift_commit *last_commit(const struct gs_drift_facts *f, struct gs_bdf bdf)
{
	const struct gs_drift_commit *last = NULL;

	for (size_t i = 0; i < f->n_commits; i++) {
		const struct gs_drift_commit *c = &f->commits[i];

		if (!touches(c, bdf) || (last && c->id < last->id) || !f->saved_at_ms.known || c->at.ms < f->saved_at_ms.value)
			continue;
		if (f->boot_id && c->boot_id && !gs_str_equal(f->boot_id, c->boot_id))
			continue;
		last = c;
	}
	return last;
}

/*
 * Did it come after the saving, and after commit @c where there is one? A record of the kernel's log has no number in common
 * with a commit, so here times are compared: the kernel's own clock since boot, to which the wall clock at
 * boot was added (in whole seconds, so it may be up to one early), against the wall clock of when it was saved and of
 * when the commit ended (what it resets and binds itself is not after it). If the wall clock was set in between, the wrong
 * cause may be named, and that is all: nothing is done by it. The times stand in the sentence.
 */
static bool is_since(struct gs_i64 ms, const struct gs_drift_facts *f, const struct gs_drift_commit *c)
{
	if (!ms.known || !f->saved_at_ms.known || ms.value < f->saved_at_ms.value)
		return false;
	return !c || ms.value > (c->ended_ms.known ? c->ended_ms.value : c->at.ms);
}

static const char *time_of(struct gs_i64 ms, char *buf, size_t size)
{
	return gs_wall_format((struct gs_wall){ ms.value }, buf, size);
}

static const char *commit_text(const struct gs_drift_commit *c, char *buf, size_t size)
{
	char at[GS_WALL_TEXT];

	snprintf(buf, size, "commit %" PRIu64 " by %s at %s", c->id, c->user ? c->user : "somebody", gs_wall_format(c->at, at, sizeof(at)));
	return buf;
}

/* The last line of the log that says that the GPU was not there in between; NULL. */
static const struct gs_gpu_event *last_loss(const struct gs_gpu *gpu, const struct gs_drift_facts *f)
{
	for (size_t i = gpu->n_events; i-- > 0;) {
		const struct gs_gpu_event *ev = gpu->events[i];

		if (is_since(ev->time_ms, f, NULL) && (ev->kind != GS_GPU_EVENT_XID || gs_u32_is(ev->xid, XID_LOST)))
			return ev;
	}
	return NULL;
}

static const char *loss_text(const struct gs_gpu_event *ev)
{
	switch (ev->kind) {
	case GS_GPU_EVENT_RESET:
		return "the GPU was reset";
	case GS_GPU_EVENT_WEDGED:
		return "the driver gave the GPU up as wedged";
	case GS_GPU_EVENT_XID:
	case GS_GPU_EVENT_LOST:
	case GS_GPU_EVENT_MAX:
	case GS_GPU_EVENT_INVALID:
		break;
	}
	return "the GPU had fallen off the bus";
}

/* Who may not read the journal does not know what came after. */
static const char *since_then(const struct gs_drift_facts *f)
{
	return f->journal_is_hidden ? "; what was put back or changed after that stands in the journal, which is root's" : ", and no restore has put this back";
}

static const char *load_text(const struct gs_gpu *gpu, const struct gs_drift_facts *f, const struct gs_drift_commit *c, struct gs_arena *arena)
{
	/* a boot loads it too, so «again» takes that both boots are known to be one */
	bool is_again = f->saved_boot_id && f->boot_id;
	char at[GS_WALL_TEXT], commit[192];

	return gs_arena_printf(arena, "its driver %s was loaded %sat %s, after %s%s", gpu->driver ? gpu->driver : "", is_again || c ? "again " : "",
			       time_of(gpu->driver_loaded_ms, at, sizeof(at)), c ? commit_text(c, commit, sizeof(commit)) : "it was saved", since_then(f));
}

static const char *other_text(const struct gs_gpu *gpu, const struct gs_drift_facts *f)
{
	/* an earlier load that the log still has is the last one */
	if (f && f->saved_at_ms.known && gpu->driver_loaded_ms.known && f->journal_is_hidden)
		return "by a commit, another tool, or by hand: the journal cannot be read here, and the kernel's log tells of nothing";
	if (f && f->saved_at_ms.known && gpu->driver_loaded_ms.known)
		return "by another tool, or by hand: neither the journal nor the kernel's log tells of it";
	return "by another tool, or a driver that was loaded again: nothing here knows";
}

const char *gs_drift_cause(const struct gs_gpu *gpu, const struct gs_drift_facts *f, struct gs_arena *arena)
{
	const struct gs_drift_commit *c = f ? last_commit(f, gpu->bdf) : NULL;
	const struct gs_gpu_event *loss;
	char text[192];

	/* a boot loads drivers, so it is asked first; what a commit did since then is no longer of the boot */
	if (f && !c && f->saved_boot_id && f->boot_id && !gs_str_equal(f->saved_boot_id, f->boot_id))
		return gs_arena_printf(arena, "the machine was restarted since it was saved%s", since_then(f));
	if (f && is_since(gpu->driver_loaded_ms, f, c))
		return load_text(gpu, f, c, arena);
	/* a reset takes less away than a driver that goes, so that of ours is the better evidence */
	if (c)
		return gs_arena_printf(arena, "%s was the last that changed this GPU", commit_text(c, text, sizeof(text)));
	loss = f ? last_loss(gpu, f) : NULL;
	if (loss)
		return gs_arena_printf(arena, "%s at %s, after it was saved, as the kernel's log says%s", loss_text(loss), time_of(loss->time_ms, text, sizeof(text)),
				       since_then(f));
	return other_text(gpu, f);
}
