/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control_modes.c - the menu of modes, and the settings. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "ui/control_internal.h"

/* ---- the mode menu ---- */

unsigned gs_control_open_mode(struct gs_model *m)
{
	const struct gs_layout_gpu *target = gs_model_target(m, m->gpu);
	enum gs_mode modes[GS_MODE_MAX];
	size_t n = gs_model_mode_rows(m, modes);

	if (!gs_control_may_edit(m))
		return GS_DO_REDRAW;
	if (!n)
		return gs_say_error(m, "GPU %u has no mode that could be changed", m->gpu);
	gs_layer_open(m, GS_LAYER_MODE);
	/* On the one that it is or will be: an Enter too many changes nothing. */
	for (size_t i = 0; i < n; i++)
		if (target && modes[i] == target->mode)
			m->list_row = i;
	return GS_DO_REDRAW;
}

/* What the GPU could not carry in @mode: deleted by name, so that the plan says who stops. Returns how many. */
static size_t add_deletions(const struct gs_model *m, struct gs_strbuf *text, uint32_t gpu, enum gs_mode mode)
{
	const struct gs_gpu *board = gs_snapshot_gpu(m->snapshot, gpu);
	const struct gs_layout_gpu *target = gs_model_target(m, gpu);
	GS_STRBUF struct gs_strbuf some = GS_STRBUF_INIT;
	size_t n = 0, created = 0;

	for (size_t i = 0; target && i < target->n_wants; i++) {
		const struct gs_want *w = &target->wants[i];
		const struct gs_profile *p = gs_want_profile(w, board);
		bool stays = w->kind == GS_KIND_MIG ? gs_mode_has_mig(mode) : mode == (p && p->gi_profile ? GS_MODE_MIG_VGPU : GS_MODE_VGPU);

		if (w->kind != GS_KIND_MIG && w->kind != GS_KIND_VGPU)
			continue;
		created++;
		if (stays)
			continue;
		n++;
		if (w->kind == GS_KIND_MIG && w->start.known)
			gs_strbuf_printf(&some, " %s@%u", w->profile, w->start.value);
		else if (w->kind == GS_KIND_VGPU && board->vfs.total.known && w->start.known)
			gs_strbuf_printf(&some, " vf:%u", w->start.value);
		else if (w->uuid)
			gs_strbuf_printf(&some, " mdev:%s", w->uuid);
	}
	if (n == created && n)
		gs_strbuf_printf(text, "delete %u all\n", gpu);
	else if (n)
		gs_strbuf_printf(text, "delete %u%s\n", gpu, some.failed ? "" : some.text);
	return n;
}

static unsigned take_mode(struct gs_model *m, enum gs_mode mode)
{
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT;
	uint32_t gpus[64];
	size_t n = gs_control_gpus(m, gpus), deletes = 0;
	char done[256];

	if (!n)
		return GS_DO_REDRAW;
	for (size_t i = 0; i < n; i++) {
		const struct gs_layout_gpu *target = gs_model_target(m, gpus[i]);
		const char *why = gs_model_mode_refused(gs_snapshot_gpu(m->snapshot, gpus[i]), mode);

		if (why)
			return gs_say_error(m, "GPU %u cannot be %s: %s", gpus[i], gs_mode_name(mode), why);
		if (target && target->mode == mode && n > 1)
			continue;
		deletes += add_deletions(m, &text, gpus[i], mode);
		gs_strbuf_printf(&text, "mode %u %s\n", gpus[i], gs_mode_name(mode));
	}
	if (!text.failed && !text.length)
		return gs_say(m, "the marked GPUs are in that mode already");
	if (deletes)
		snprintf(done, sizeof(done), "staged: mode %s, and the deletion of %zu instance%s that it would wipe", gs_mode_name(mode), deletes,
			 deletes == 1 ? "" : "s");
	else
		snprintf(done, sizeof(done), "staged: mode %s", gs_mode_name(mode));
	gs_layer_close(m);
	m->unit = 0;
	return gs_control_stage(m, text.failed ? NULL : text.text, done);
}

unsigned gs_control_mode_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id)
{
	enum gs_mode modes[GS_MODE_MAX];
	size_t n = gs_model_mode_rows(m, modes);

	if (ev->key >= '1' && ev->key <= '9') {
		if (ev->key - '0' > n)
			return gs_say(m, "there are %zu modes here", n);
		m->list_row = ev->key - '1';
		return GS_DO_REDRAW;
	}
	if (gs_control_walk(id, n, &m->list_row))
		return GS_DO_REDRAW;
	switch (id) {
	case GS_ACTION_OPEN:
		return m->list_row < n ? take_mode(m, modes[m->list_row]) : GS_DO_NOTHING;
	case GS_ACTION_BACK:
	case GS_ACTION_QUIT:
	case GS_ACTION_STOP:
	case GS_ACTION_MODE:
		gs_layer_close(m);
		return GS_DO_REDRAW;
	default:
		return GS_DO_NOTHING;
	}
}

/* ---- settings ---- */

unsigned gs_control_open_vfs(struct gs_model *m)
{
	char text[32];

	snprintf(text, sizeof(text), "vfs %u ", m->gpu);
	return gs_control_open_prompt_with(m, text);
}

unsigned gs_control_open_settings(struct gs_model *m)
{
	struct gs_setting_row row;

	if (!gs_model_gpu(m))
		return GS_DO_NOTHING;
	if (!gs_model_n_settings(m))
		return gs_say(m, "GPU %u has nothing that is set: M changes its mode", m->gpu);
	gs_layer_open(m, GS_LAYER_SETTINGS);
	/* on the first word that it is or will be: an Enter too many changes nothing */
	for (size_t i = 0; gs_model_setting(m, i, &row); i++) {
		if (!row.setting || row.setting->fixed || !row.value || !gs_setting_is(gs_model_setting_wanted(m, m->gpu, row.setting), row.value, false))
			continue;
		m->list_row = i;
		break;
	}
	return GS_DO_REDRAW;
}

static unsigned take_setting(struct gs_model *m)
{
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT;
	struct gs_setting_row row;
	uint32_t gpus[64];
	char words[128];
	size_t n;

	if (!gs_model_setting(m, m->list_row, &row))
		return GS_DO_NOTHING;
	if (!gs_control_may_edit(m))
		return GS_DO_REDRAW;
	if (row.setting && row.setting->fixed)
		return gs_say_error(m, "%s cannot be set here: %s", row.setting->key, row.setting->fixed);
	if (!row.setting) {
		gs_layer_close(m);
		return gs_control_open_vfs(m);
	}
	if (!row.value) {
		snprintf(words, sizeof(words), "set %u %s ", m->gpu, row.setting->key);
		gs_layer_close(m);
		return gs_control_open_prompt_with(m, words);
	}
	n = gs_control_gpus(m, gpus);
	if (!n)
		return GS_DO_REDRAW;
	if (n == 1 && gs_setting_is(gs_model_setting_wanted(m, m->gpu, row.setting), row.value, false))
		return gs_say(m, "%s is %s already", row.setting->key, row.value);
	for (size_t i = 0; i < n; i++)
		gs_strbuf_printf(&text, "set %u %s %s\n", gpus[i], row.setting->key, row.value);
	snprintf(words, sizeof(words), "staged: %s %s", row.setting->key, row.value);
	gs_layer_close(m);
	return gs_control_stage(m, text.failed ? NULL : text.text, words);
}

unsigned gs_control_settings_key(struct gs_model *m, const struct gs_event *ev, enum gs_action_id id)
{
	size_t n = gs_model_n_settings(m);

	if (ev->key >= '1' && ev->key <= '9') {
		if (ev->key - '0' > n)
			return gs_say(m, "there are %zu here", n);
		m->list_row = ev->key - '1';
		return GS_DO_REDRAW;
	}
	if (gs_control_walk(id, n, &m->list_row))
		return GS_DO_REDRAW;
	switch (id) {
	case GS_ACTION_OPEN:
		return take_setting(m);
	case GS_ACTION_BACK:
	case GS_ACTION_QUIT:
	case GS_ACTION_STOP:
	case GS_ACTION_SETTINGS:
		gs_layer_close(m);
		return GS_DO_REDRAW;
	default:
		return GS_DO_NOTHING;
	}
}
