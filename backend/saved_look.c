/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/saved_look.h"

#include <errno.h>
#include <string.h>

#include "backend/saved.h"
#include "base/strbuf.h"
#include "codec/layout_text.h"
#include "core/drift.h"

struct judgement {
	enum gs_saved_state state;
	struct gs_digest layout;
};

struct gs_saved_look {
	struct gs_root *root;
	struct gs_digest key;           /* of the file and the machine that @gpus is about; empty: none */
	struct judgement *gpus;
	size_t n_gpus;
	struct gs_error why;            /* the file cannot be understood */
};

struct gs_saved_look *gs_saved_look_new(struct gs_root *root)
{
	struct gs_saved_look *l = calloc(1, sizeof(*l));

	if (l)
		l->root = root;
	return l;
}

struct gs_saved_look *gs_saved_look_free(struct gs_saved_look *l)
{
	if (l)
		free(l->gpus);
	free(l);
	return NULL;
}

/* Of all that a judgement depends on. */
static struct gs_digest key_of(const struct gs_saved *saved, const struct gs_snapshot *s)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	char bdf[GS_BDF_TEXT];

	gs_strbuf_add(&b, saved->text, saved->n);
	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(s, i);

		gs_strbuf_printf(&b, "\n%s %s %s %d%d", gs_bdf_format(gpu->bdf, bdf), gpu->uuid ? gpu->uuid : "-", gpu->rev.hex, gpu->lost != NULL, gpu->placements_visible);
	}
	return b.failed ? (struct gs_digest){ "" } : gs_digest_of(b.text ? b.text : "", b.length);
}

static enum gs_saved_state state_of(enum gs_drift_state state)
{
	switch (state) {
	case GS_DRIFT_SAME:
		return GS_SAVED_SAME;
	case GS_DRIFT_DIFFERS:
		return GS_SAVED_DIFFERS;
	case GS_DRIFT_NOT_SAVED:
		return GS_SAVED_NONE;
	case GS_DRIFT_MISSING:
	case GS_DRIFT_UNKNOWN:
	case GS_DRIFT_MAX:
		break;
	}
	return GS_SAVED_UNKNOWN;
}

static int judge(struct gs_saved_look *l, const struct gs_saved *saved, const struct gs_snapshot *s, struct gs_error *e)
{
	GS_CLEANUP(gs_layout_freep) struct gs_layout *file = NULL;
	GS_CLEANUP(gs_drift_freep) struct gs_drift *drift = NULL;
	size_t n = gs_snapshot_n_gpus(s);
	struct judgement *gpus = reallocarray(l->gpus, n + 1, sizeof(*gpus));
	int r;

	if (!gpus)
		return gs_error_oom(e);
	l->gpus = gpus;
	l->n_gpus = n;
	memset(gpus, 0, (n + 1) * sizeof(*gpus));
	l->why.errnum = 0;
	r = gs_layout_parse(saved->text, saved->n, "/" GS_SAVED_PATH, &file, &l->why);
	if (r == 0)
		r = gs_drift_build(file, s, NULL, &drift, &l->why);
	if (r < 0)
		return r == -ENOMEM ? gs_error_oom(e) : 0;
	for (size_t i = 0; i < n; i++) {
		gpus[i].state = state_of(drift->gpus[i].state);
		/* one that could not be laid over its GPU is not what the bound layout has for it */
		if ((drift->gpus[i].state == GS_DRIFT_SAME || drift->gpus[i].state == GS_DRIFT_DIFFERS) && drift->gpus[i].is_bound &&
		    gs_layout_digest(drift->layout, s, i, &gpus[i].layout) < 0)
			return gs_error_oom(e);
	}
	return 0;
}

static void add_why(struct gs_snapshot *s, const struct gs_error *why)
{
	char text[400];

	gs_snapshot_add_notice(s, "what is saved cannot be used: %s", gs_error_format(why, text, sizeof(text)));
}

int gs_saved_look_apply(struct gs_saved_look *l, struct gs_snapshot *s, struct gs_error *e)
{
	GS_CLEANUP(gs_saved_done) struct gs_saved saved = { 0 };
	struct gs_saved_fact fact = { .state = GS_SAVED_NONE, .saved_at_ms = GS_I64_UNKNOWN };
	struct gs_error why = { 0 };
	struct gs_digest key;
	int r = gs_saved_read(l->root, &saved, &why);

	if (r == -ENOMEM)
		return gs_error_oom(e);
	if (r < 0) {
		if (r != -ENOENT && r != -ENOTDIR)
			add_why(s, &why);
		else
			gs_snapshot_set_saved(s, &fact);
		for (size_t i = 0; (r == -ENOENT || r == -ENOTDIR) && i < gs_snapshot_n_gpus(s); i++)
			gs_snapshot_set_gpu_saved(s, i, GS_SAVED_NONE, &(struct gs_digest){ "" });
		return 0;
	}
	fact = (struct gs_saved_fact){ GS_SAVED_SAME, "/" GS_SAVED_PATH, saved.saved_at_ms, false, false };
	/* a simulated machine has links, and no units behind them */
	fact.unit_is_missing = gs_root_kind(l->root) != GS_ROOT_SIM && !gs_restore_unit_is_installed(l->root);
	fact.unit_enabled = !fact.unit_is_missing && gs_restore_unit_is_enabled(l->root);
	gs_snapshot_set_saved(s, &fact);
	key = key_of(&saved, s);
	if (!key.hex[0] || !gs_digest_equal(&key, &l->key) || l->n_gpus != gs_snapshot_n_gpus(s)) {
		l->key.hex[0] = '\0';
		r = judge(l, &saved, s, e);
		if (r < 0)
			return r;
		l->key = key;
	}
	if (l->why.errnum)
		add_why(s, &l->why);
	for (size_t i = 0; i < l->n_gpus; i++)
		gs_snapshot_set_gpu_saved(s, i, l->gpus[i].state, &l->gpus[i].layout);
	return 0;
}
