/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/lib/faultjudge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "core/compare.h"

void fault_case_done(struct fault_case *c)
{
	for (size_t i = 0; i < FAM_GPUS_MAX; i++) {
		free(c->base_text[i]);
		free(c->target_text[i]);
		c->base_text[i] = c->target_text[i] = NULL;
	}
	gs_commit_result_done(&c->result);
}

bool fault_case_learn(struct fault_case *c)
{
	FAULT_HOST h;
	struct gs_error e = { 0 };

	fault_host_init(&h, c->model, c->spec);
	c->n_gpus = fault_host_n_gpus(&h);
	c->base = h.fam;
	for (size_t i = 0; i < c->n_gpus && i < FAM_GPUS_MAX; i++)
		c->base_text[i] = fault_host_text(&h, i);
	fault_host_commit(&h, &c->request, NULL, 0, &c->result, &e);
	if (c->n_gpus > FAM_GPUS_MAX || (c->result.status != GS_STATUS_OK && c->result.status != GS_STATUS_PENDING) || !c->result.plan || !c->result.plan->n_steps)
		return false;
	c->target = h.fam;
	for (size_t i = 0; i < c->n_gpus; i++)
		c->target_text[i] = fault_host_text(&h, i);
	c->n_acts = h.acts;
	c->n_records = h.records;
	return true;
}

/* ---------------------------------------------------------------- one GPU */

/* Without what somebody else put there meanwhile. */
static struct fam_gpu without_others(const struct fault_host *h, const struct fam_gpu *should, size_t i)
{
	struct fam_gpu g = h->fam.gpus[i];

	/* the same on the same VF nobody tells apart */
	if (h->has_intruder && h->intruder_gpu == i && !should->slots[h->intruder_slot].type)
		memset(&g.slots[h->intruder_slot], 0, sizeof(g.slots[0]));
	if (!h->has_holder || h->holder_gpu != i)
		return g;
	if (h->holder_step.op == GS_STEP_CREATE_VGPU || h->holder_step.op == GS_STEP_ENABLE_VFS)
		g.slots[h->holder_step.op == GS_STEP_CREATE_VGPU ? h->holder_step.vf.value : 0].is_held = false;
	for (size_t k = 0; k < g.n_gis; k++)
		if ((h->holder_step.op == GS_STEP_CREATE_GI || h->holder_step.op == GS_STEP_CREATE_CI) && g.gis[k].start == h->holder_step.span.start)
			g.gis[k].is_held = false;
	return g;
}

static void without_holders(struct fam_gpu *g)
{
	g->is_held = g->has_kfd = g->has_vm = g->is_persistent = false;
	for (size_t i = 0; i < FAM_SLOTS_MAX; i++)
		g->slots[i].is_held = false;
	for (size_t i = 0; i < g->n_gis; i++)
		g->gis[i].is_held = false;
}

static bool has_step(const struct fault_case *c, size_t gpu, enum gs_step_op op, bool none_only)
{
	const struct gs_plan *p = c->result.plan;

	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].op == op && p->steps[i].gpu == gpu && (!none_only || p->steps[i].undo == GS_UNDO_NONE))
			return true;
	return false;
}

static void drop_param(struct fam_slot *slot, const char *key)
{
	for (size_t k = 0; k < slot->n_params; k++)
		if (strcmp(slot->params[k].key, key) == 0)
			slot->params[k--] = slot->params[--slot->n_params];
}

/* interfaces 7.2: a share that is set before VFs are on is seen by nobody until they are. */
static void without_unseen(struct fam_gpu *g)
{
	for (uint32_t i = g->vfs; g->board->framework == GS_FRAMEWORK_I915 && i < FAM_SLOTS_MAX; i++)
		g->slots[i].n_params = 0;
	/* where a vGPU lies is its own place, whether it was asked for or not */
	for (size_t i = 0; i < FAM_SLOTS_MAX; i++)
		drop_param(&g->slots[i], "placement-id");
}

static bool same_text(const struct fam_gpu *one, const struct fam_gpu *other)
{
	struct fam_gpu g = *one, should = *other;
	GS_FREE char *a = NULL, *b = NULL;

	without_unseen(&g);
	without_unseen(&should);
	a = fam_gpu_text(&g);
	b = fam_gpu_text(&should);

	return strcmp(a, b) == 0;
}

/* What the preview said that nothing brings back (grade «none»): who was stopped, what had no driver of its own. */
static bool is_as_said(const struct fault_case *c, const struct fam_gpu *g, const struct fam_gpu *base, size_t i)
{
	struct fam_gpu should = *base;

	if (has_step(c, i, GS_STEP_STOP_HOLDER, false)) {
		should.is_held = g->is_held && base->is_held;
		should.has_kfd = g->has_kfd && base->has_kfd;
		for (size_t k = 0; k < should.n_gis; k++)
			for (size_t n = 0; n < g->n_gis; n++)
				if (g->gis[n].start == should.gis[k].start && !g->gis[n].is_held)
					should.gis[k].is_held = false;
	}
	if (has_step(c, i, GS_STEP_BIND_DRIVER, true)) {
		snprintf(should.driver, sizeof(should.driver), "%s", g->driver);
		/* a stub's VFs are the interrupted tool's */
		if (strcmp(base->driver, "pci-pf-stub") == 0)
			should.vfs = g->vfs;
	}
	return same_text(g, &should);
}

static bool is_like(const struct fault_case *c, struct fam_gpu g, struct fam_gpu should, size_t i, bool is_base, bool rebooted, bool *ret_unit_down)
{
	if (rebooted) {
		without_holders(&g);
		without_holders(&should);
	}
	/* under VFIO nobody reads a setting; one that a restart undid waits for the driver to be loaded once more */
	for (size_t k = 0; rebooted && k < g.board->n_settings; k++)
		if (strstr(should.driver, "vfio") || strstr(c->base.gpus[i].driver, "vfio") || strcmp(g.settings[k].pending, should.settings[k].value) == 0 ||
		    strcmp(g.settings[k].value, should.settings[k].pending) == 0)
			g.settings[k] = should.settings[k];
	/* VFs that go and come need not keep the shares that they had (the finding vf-shares) */
	for (size_t k = 0; !is_base && g.board->framework == GS_FRAMEWORK_I915 && has_step(c, i, GS_STEP_DISABLE_VFS, false) && k < FAM_SLOTS_MAX; k++) {
		drop_param(&g.slots[k], "vram_quota");
		drop_param(&should.slots[k], "vram_quota");
	}
	/* which driver a function had before VFIO nobody remembers: it may stay without */
	if (!is_base && !c->base.gpus[i].audio.original[0] && strstr(c->base.gpus[i].audio.driver, "vfio") && !g.audio.driver[0])
		should.audio.driver[0] = '\0';
	if (same_text(&g, &should) || (is_base && is_as_said(c, &g, &should, i)))
		return true;
	if (!should.is_persistent || g.is_persistent)
		return false;
	*ret_unit_down = g.is_persistent = true;
	return same_text(&g, &should) || (is_base && is_as_said(c, &g, &should, i));
}

static bool is_concerned(const struct fault_case *c, size_t i)
{
	const struct gs_plan *p = c->result.plan;

	for (size_t k = 0; k < p->n_base; k++)
		if (p->base[k].gpu == i)
			return true;
	return false;
}

static bool gpu_is_at(const struct fault_case *c, const struct fault_host *h, size_t i, bool is_base, bool rebooted, bool *ret_unit_down)
{
	GS_FREE char *text = NULL;

	if (rebooted && !is_concerned(c, i))
		return true;
	if (!h->is_mig)
		return is_like(c, without_others(h, is_base ? &c->base.gpus[i] : &c->target.gpus[i], i), is_base ? c->base.gpus[i] : c->target.gpus[i], i, is_base, rebooted, ret_unit_down);
	text = fault_host_text(h, i);
	if (h->mig_is_lost[i])
		return false;
	if (strcmp(text, is_base ? c->base_text[i] : c->target_text[i]) == 0)
		return true;
	return is_base && has_step(c, i, GS_STEP_STOP_HOLDER, false);
}

static bool all_are_at(const struct fault_case *c, const struct fault_host *h, bool is_base, bool rebooted, bool *ret_unit_down, size_t *ret_gpu)
{
	for (size_t i = 0; i < c->n_gpus; i++) {
		*ret_gpu = i;
		if (!gpu_is_at(c, h, i, is_base, rebooted, ret_unit_down))
			return false;
	}
	return true;
}

bool fault_is_at(const struct fault_case *c, const struct fault_host *h, unsigned ends, bool rebooted, bool *ret_unit_down, struct gs_strbuf *ret_why)
{
	GS_FREE char *now = NULL;
	size_t gpu = 0;

	*ret_unit_down = false;
	if (ends & FAULT_END_BASE && all_are_at(c, h, true, rebooted, ret_unit_down, &gpu))
		return true;
	*ret_unit_down = false;
	if (ends & FAULT_END_TARGET && all_are_at(c, h, false, rebooted, ret_unit_down, &gpu))
		return true;
	now = fault_host_text(h, gpu);
	gs_strbuf_printf(ret_why, "GPU %zu is\n  %s\nbase is\n  %s\ntarget is\n  %s\n", gpu, now, c->base_text[gpu], c->target_text[gpu]);
	return false;
}

/* ---------------------------------------------------------------- holders */

static bool names_holders(const struct fault_case *c)
{
	for (size_t i = 0; i < c->result.plan->n_steps; i++)
		if (c->result.plan->steps[i].op == GS_STEP_STOP_HOLDER)
			return true;
	return false;
}

static bool still_held(const struct fam_gpu *was, const struct fam_gpu *now)
{
	bool is_there = true;

	for (size_t i = 0; i < FAM_SLOTS_MAX; i++)
		is_there = is_there && (!was->slots[i].is_held || (now->slots[i].is_held && now->slots[i].type == was->slots[i].type));
	for (size_t i = 0; i < was->n_gis; i++) {
		bool found = !was->gis[i].is_held;

		for (size_t k = 0; k < now->n_gis; k++)
			found |= now->gis[k].is_held && now->gis[k].start == was->gis[i].start && now->gis[k].profile == was->gis[i].profile;
		is_there = is_there && found;
	}
	return is_there && now->is_held >= was->is_held && now->has_kfd >= was->has_kfd && now->has_vm >= was->has_vm;
}

static bool holder_stays(const struct fault_host *h)
{
	const struct fam_gpu *g = &h->fam.gpus[h->holder_gpu];

	if (h->holder_step.op == GS_STEP_CREATE_VGPU)
		return g->slots[h->holder_step.vf.value].is_held;
	if (h->holder_step.op == GS_STEP_ENABLE_VFS)
		return g->slots[0].is_held && g->vfs;
	for (size_t k = 0; k < g->n_gis; k++)
		if (g->gis[k].start == h->holder_step.span.start && g->gis[k].is_held)
			return true;
	return false;
}

void fault_judge_holders(const struct fault_case *c, const struct fault_host *h, struct gs_strbuf *ret_why)
{
	if (h->broken[0])
		gs_strbuf_printf(ret_why, "%s\n", h->broken);
	/* nobody survives a restart */
	for (size_t i = 0; h->boot == 1 && !names_holders(c) && i < h->fam.n; i++)
		if (!still_held(&c->base.gpus[i], &h->fam.gpus[i]))
			gs_strbuf_printf(ret_why, "who had something of GPU %zu has it no more\n", i);
	if (h->has_holder && !holder_stays(h))
		gs_strbuf_printf(ret_why, "who came to GPU %" PRIu32 " meanwhile was disturbed\n", h->holder_gpu);
	/* what another tool made between the look and the act nobody could know of; the way back looks again */
	if (h->has_intruder ? !h->came_back_then && h->is_back && h->fam.wiped > h->kept_wiped : h->fam.wiped > c->base.wiped)
		gs_strbuf_puts(ret_why, "something was destroyed that nobody named\n");
}

/* ---------------------------------------------------------------- an outcome */

static bool names_gpu(const char *text, size_t gpu)
{
	char name[24];
	int n = snprintf(name, sizeof(name), "GPU %zu", gpu);

	for (const char *at = strstr(text, name); at; at = strstr(at + 1, name))
		if (!strchr("0123456789", at[n]) || !at[n])
			return true;
	return false;
}

/* Each GPU that is not as before is named, in what is told and in what a look tells. */
static void judge_not_undone(const struct fault_case *c, const struct fault_host *h, const struct gs_commit_result *result, struct gs_strbuf *ret_why)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *now = fault_host_look(h);
	GS_STRBUF struct gs_strbuf seen = GS_STRBUF_INIT;
	bool unit_down = false, is_dark = strstr(result->text, "cannot be told") || strstr(result->text, "cannot be looked at");

	if (result->plan)
		gs_compare_undone(result->plan, now, GS_COMPARE_ALL, &seen);
	for (size_t i = 0; i < c->n_gpus; i++) {
		GS_FREE char *is = NULL;

		unit_down = false;
		if (gpu_is_at(c, h, i, true, false, &unit_down) || gpu_is_at(c, h, i, false, false, &unit_down))
			if (!unit_down || !h->unit_is_down || strstr(result->text, "nvidia-persistenced.service"))
				continue;
		is = fault_host_text(h, i);
		if (!is_dark && !names_gpu(result->text, i))
			gs_strbuf_printf(ret_why, "GPU %zu is\n  %s\nand was\n  %s\nwhich is not said\n", i, is, c->base_text[i]);
		if (seen.length && names_gpu(seen.text, i))
			continue;
		gs_strbuf_printf(ret_why, "GPU %zu is\n  %s\nand was\n  %s\nwhich a look does not tell (%s)\n", i, is, c->base_text[i], seen.length ? seen.text : "nothing");
	}
	if (!result->text[0])
		gs_strbuf_puts(ret_why, "nothing is said at all\n");
}

static bool something_waits(const struct fault_host *h)
{
	for (size_t i = 0; i < h->fam.n; i++) {
		const struct fam_gpu *g = &h->fam.gpus[i];

		if (g->mig_pending >= 0)
			return true;
		for (size_t k = 0; k < g->board->n_settings; k++)
			if (g->settings[k].pending[0])
				return true;
	}
	return h->n_waits > 0;
}

static void judge_unit(bool is_down, const struct gs_commit_result *result, struct gs_strbuf *ret_why)
{
	if (is_down && !strstr(result->text, "nvidia-persistenced.service"))
		gs_strbuf_puts(ret_why, "nvidia-persistenced is down, and nobody says so\n");
}

static void judge_stopped(const struct fault_case *c, const struct fault_host *h, const struct gs_commit_result *result, struct gs_strbuf *ret_why)
{
	for (size_t i = 0; i < h->fam.n; i++)
		if (!still_held(&c->base.gpus[i], &h->fam.gpus[i]) && !strstr(result->text, "stays stopped"))
			gs_strbuf_printf(ret_why, "who had GPU %zu is stopped, and nobody says so\n", i);
}

void fault_judge(const struct fault_case *c, const struct fault_host *h, const struct gs_commit_result *result, struct gs_strbuf *ret_why)
{
	bool unit_down = false;

	switch (result->status) {
	case GS_STATUS_OK:
		if (!fault_is_at(c, h, FAULT_END_TARGET, false, &unit_down, ret_why))
			gs_strbuf_puts(ret_why, "and that was called done\n");
		judge_unit(unit_down, result, ret_why);
		return;
	case GS_STATUS_PENDING:
		if (!something_waits(h))
			gs_strbuf_puts(ret_why, "called pending, and nothing waits\n");
		return;
	case GS_STATUS_NOT_UNDONE:
		judge_not_undone(c, h, result, ret_why);
		return;
	case GS_STATUS_FAILED:
		if (!result->undone && h->acts)
			gs_strbuf_puts(ret_why, "failed, and neither undone nor not undone\n");
		if (!fault_is_at(c, h, FAULT_END_BASE, false, &unit_down, ret_why))
			gs_strbuf_puts(ret_why, "and that was called as before\n");
		judge_unit(unit_down, result, ret_why);
		judge_stopped(c, h, result, ret_why);
		return;
	default:
		if (h->acts)
			gs_strbuf_puts(ret_why, "refused, and something was done\n");
		if (!fault_is_at(c, h, FAULT_END_BASE, false, &unit_down, ret_why))
			gs_strbuf_puts(ret_why, "and that was called refused\n");
	}
}
