/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wait_ready.c - until the GPUs of a layout are there: a condition, woken by the agent's watch. */
#include "cli/saved.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"

#define TIMEOUT_MS 60000
/* The kernel's events make a look due at once; what has none, such as NVML that begins to answer, is seen this soon. */
#define LOOK_MS 1000

struct waiting {
	struct gs_snapshot *latest;
	bool is_new;
};

static void on_snapshot(void *userdata, struct gs_snapshot *s)
{
	struct waiting *w = userdata;

	gs_snapshot_unref(w->latest);
	w->latest = gs_snapshot_ref(s);
	w->is_new = true;
}

static const struct gs_gpu *meant_by(const struct gs_match *m, const struct gs_snapshot *s)
{
	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++)
		if (gs_match_means(m, gs_snapshot_gpu(s, i)))
			return gs_snapshot_gpu(s, i);
	return NULL;
}

/* A layout for MIG is nothing without NVML, and one that has the UUID was saved with it. */
static bool needs_nvml(const struct gs_layout_gpu *entry, const struct gs_gpu *gpu)
{
	bool is_for_mig = entry->mode != GS_MODE_INVALID && gs_mode_has_mig(entry->mode);

	for (size_t i = 0; i < entry->n_wants; i++)
		is_for_mig |= entry->wants[i].kind == GS_KIND_MIG;
	if (gpu->mode == GS_MODE_INVALID && entry->mode != GS_MODE_INVALID)
		return true;
	return !gpu->uuid && (entry->match.uuid || is_for_mig);
}

/* What it waits for, as the rest of a sentence; NULL: it is ready. */
static const char *lacks(const struct gs_layout_gpu *entry, const struct gs_snapshot *s)
{
	const struct gs_gpu *gpu = meant_by(&entry->match, s);

	if (!gpu)
		return "is not there";
	/* what nobody can bring back by waiting is not waited for */
	if (gpu->lost)
		return NULL;
	if (!gpu->driver)
		return "has no driver";
	/* what says nothing of the GPU asks nothing of NVML; a host that has no NVML at all is not waited for, unless what is asked for takes it */
	if (gpu->vendor == GS_VENDOR_NVIDIA && gs_str_equal(gpu->driver, "nvidia") && needs_nvml(entry, gpu))
		return "does not answer to NVML";
	return NULL;
}

static size_t count_lacking(const struct gs_layout *layout, const struct gs_snapshot *s)
{
	size_t n = 0;

	for (size_t i = 0; i < layout->n_gpus; i++)
		n += lacks(&layout->gpus[i], s) != NULL;
	return n;
}

static void say_lacking(const struct gs_layout *layout, const struct gs_snapshot *s, uint32_t seconds)
{
	for (size_t i = 0; i < layout->n_gpus; i++) {
		const struct gs_match *m = &layout->gpus[i].match;
		const char *why = lacks(&layout->gpus[i], s);
		char bdf[GS_BDF_TEXT];

		if (why)
			gs_cli_say("after %u s the GPU %s%s%s %s", seconds, m->uuid ? m->uuid : "", m->uuid && m->has_bdf ? ", " : "",
				   m->has_bdf ? gs_bdf_format(m->bdf, bdf) : "", why);
	}
}

static int follow(struct gs_session *session, const struct gs_layout *layout, int64_t ms, struct waiting *w, struct gs_error *e)
{
	const struct gs_session_handlers handlers = { .snapshot = on_snapshot };
	struct gs_monotonic since = gs_monotonic_now();
	int r = gs_session_watch(session, LOOK_MS, false);

	if (r < 0)
		return gs_error_set(e, r, GS_STATUS_UNREACHABLE, "the agent cannot be asked: %s", strerror(-r));
	while (count_lacking(layout, w->latest)) {
		struct pollfd fd = { .fd = gs_session_fd(session), .events = (short)(POLLIN | (gs_session_wants_write(session) ? POLLOUT : 0)) };
		int64_t left = ms - gs_elapsed_ms(since);

		if (left <= 0)
			return 0;
		if (poll(&fd, 1, (int)left) < 0 && errno != EINTR)
			return gs_error_set(e, -errno, GS_STATUS_FAILED, "waiting for the agent failed: %s", strerror(errno));
		r = gs_session_dispatch(session, &handlers, w, e);
		if (r < 0)
			return r;
	}
	return 0;
}

int gs_cli_wait_ready(struct gs_session *session, const struct gs_layout *layout, uint32_t seconds, struct gs_snapshot **ret_snapshot, struct gs_error *e)
{
	struct waiting w = { 0 };
	int r = gs_session_snapshot(session, false, TIMEOUT_MS, &w.latest, e);

	if (r < 0)
		return r;
	if (seconds && count_lacking(layout, w.latest)) {
		gs_cli_say("waiting for %zu of %zu GPUs, at most %u s", count_lacking(layout, w.latest), layout->n_gpus, seconds);
		r = follow(session, layout, (int64_t)seconds * 1000, &w, e);
		gs_session_watch(session, 0, false);
		if (r == 0 && count_lacking(layout, w.latest))
			say_lacking(layout, w.latest, seconds);
	}
	/* what came while it was waited may be half there in what was pushed last */
	if (r == 0 && w.is_new) {
		w.latest = gs_snapshot_unref(w.latest);
		r = gs_session_snapshot(session, false, TIMEOUT_MS, &w.latest, e);
	}
	if (r < 0) {
		gs_snapshot_unref(w.latest);
		return r;
	}
	*ret_snapshot = w.latest;
	return 0;
}
