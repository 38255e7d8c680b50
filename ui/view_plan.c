/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view_plan.c - the plan pane: findings, steps, staged commands, what is kept. */
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "ui/view_parts.h"

const char *gs_part_severity(const struct gs_finding *f, enum gs_element *ret_element)
{
	switch (f->severity) {
	case GS_SEVERITY_BLOCK:
		*ret_element = GS_ELEMENT_BLOCK;
		return " X block    ";
	case GS_SEVERITY_CONFIRM:
		*ret_element = f->is_typed ? GS_ELEMENT_STOPS : GS_ELEMENT_CONFIRM;
		return " ! confirm  ";
	default:
		*ret_element = GS_ELEMENT_NOTE;
		return "   note     ";
	}
}

bool gs_part_many_gpus(const struct gs_plan *p)
{
	uint32_t one = p->n_base ? p->base[0].gpu : GS_FINDING_NO_GPU;

	for (size_t i = 0; one == GS_FINDING_NO_GPU && i < p->n_findings; i++)
		one = p->findings[i].gpu;
	for (size_t i = 1; i < p->n_base; i++)
		if (p->base[i].gpu != one)
			return true;
	for (size_t i = 0; i < p->n_findings; i++)
		if (p->findings[i].gpu != one && p->findings[i].gpu != GS_FINDING_NO_GPU)
			return true;
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].gpu != one)
			return true;
	return false;
}

static bool is_same_note(const struct gs_finding *a, const struct gs_finding *b)
{
	return a->severity == GS_SEVERITY_NOTE && b->severity == GS_SEVERITY_NOTE && (a->gpu == GS_FINDING_NO_GPU) == (b->gpu == GS_FINDING_NO_GPU) && a->text && b->text && !strcmp(a->text, b->text) &&
	       gs_str_equal(a->rule, b->rule);
}

size_t gs_part_same_note(const struct gs_plan *p, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (is_same_note(&p->findings[k], &p->findings[i]))
			return k;
	return i;
}

const char *gs_part_note_gpus(const struct gs_plan *p, size_t i, char *buf, size_t size)
{
	size_t at = (size_t)snprintf(buf, size, "GPU %u", p->findings[i].gpu);
	uint32_t last = p->findings[i].gpu;

	if (last == GS_FINDING_NO_GPU) {
		snprintf(buf, size, "the machine");
		return buf;
	}
	for (size_t k = i + 1; k < p->n_findings && at < size; k++) {
		if (!is_same_note(&p->findings[k], &p->findings[i]) || p->findings[k].gpu == last)
			continue;
		last = p->findings[k].gpu;
		at += (size_t)snprintf(buf + at, size - at, ", %u", last);
	}
	return buf;
}

/* Is its unit stopped, and started again? Then nobody's work ends. */
static bool is_paused(const struct gs_plan *p, const struct gs_holder *h)
{
	for (size_t i = 0; h->unit && i < p->n_steps; i++)
		if (p->steps[i].op == GS_STEP_STOP_UNIT && gs_str_equal(p->steps[i].unit, h->unit))
			return true;
	return false;
}

size_t gs_part_paused_units(const struct gs_plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_steps; i++)
		n += p->steps[i].op == GS_STEP_STOP_UNIT;
	return n;
}

/* Steps that stop somebody, or holders that a typed finding names; each once. */
size_t gs_part_stopped(const struct gs_plan *p, const struct gs_holder **ret, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_findings; i++) {
		const struct gs_finding *f = &p->findings[i];

		for (size_t k = 0; f->is_typed && k < f->n_holders; k++) {
			bool known = is_paused(p, f->holders[k]);

			for (size_t j = 0; j < n && j < max; j++)
				known = known || ret[j] == f->holders[k] ||
					(ret[j]->pid.known && gs_u32_equal(ret[j]->pid, f->holders[k]->pid));
			if (known)
				continue;
			if (n < max)
				ret[n] = f->holders[k];
			n++;
		}
	}
	return n < max ? n : max;
}

static void draw_title(const struct gs_view *v)
{
	const struct gs_model *m = v->m;
	const struct gs_holder *stopped[64];
	size_t stops = m->plan ? gs_part_stopped(m->plan, stopped, GS_ARRAY_SIZE(stopped)) : 0;
	enum gs_element el = GS_ELEMENT_TITLE;
	const char *right = m->n_staged ? "p review  W write" : NULL;
	char text[160];

	if (m->read_only) {
		snprintf(text, sizeof(text), "watching only: nothing can be changed from here");
	} else if (!m->plan || !m->n_staged) {
		snprintf(text, sizeof(text), "plan: nothing staged");
	} else if (gs_plan_is_blocked(m->plan)) {
		size_t n = gs_plan_count(m->plan, GS_SEVERITY_BLOCK);

		el = GS_ELEMENT_BLOCK;
		snprintf(text, sizeof(text), "plan: BLOCKED by %zu finding%s, nothing can be written", n, n == 1 ? "" : "s");
	} else if (!stops && gs_part_paused_units(m->plan)) {
		size_t n = gs_part_paused_units(m->plan);

		el = GS_ELEMENT_CONFIRM;
		snprintf(text, sizeof(text), "plan: %zu steps, stops %zu unit%s for a while", m->plan->n_steps, n, n == 1 ? "" : "s");
	} else if (stops) {
		el = GS_ELEMENT_STOPS;
		snprintf(text, sizeof(text), "plan: %zu steps, STOPS %zu process%s", m->plan->n_steps, stops, stops == 1 ? "" : "es");
	} else if (gs_plan_has_hidden_holders(m->plan)) {
		el = GS_ELEMENT_CONFIRM;
		snprintf(text, sizeof(text), "plan: %zu step%s, stops ? (not all seen)", m->plan->n_steps, m->plan->n_steps == 1 ? "" : "s");
	} else {
		snprintf(text, sizeof(text), "plan: %zu step%s, stops nobody", m->plan->n_steps, m->plan->n_steps == 1 ? "" : "s");
	}
	if (*m->agent_notice)
		right = m->agent_notice;
	gs_part_rule(v, v->geo.plan_title, 0, el, text, right);
}

static void add_item(const struct gs_model *m, struct gs_lines *l, size_t row, int width, size_t max)
{
	struct gs_plan_item item = gs_model_plan_item(m, row);
	enum gs_element el;
	const char *lead;
	char text[64], gpus[96];
	GS_STRBUF struct gs_strbuf said = GS_STRBUF_INIT;
	bool many = m->plan && gs_part_many_gpus(m->plan);

	switch (item.kind) {
	case GS_PLAN_ITEM_FINDING:
		if (gs_part_same_note(m->plan, item.index) != item.index)
			break;
		lead = gs_part_severity(&m->plan->findings[item.index], &el);
		if (many)
			gs_strbuf_printf(&said, "%s: ", gs_part_note_gpus(m->plan, item.index, gpus, sizeof(gpus)));
		gs_strbuf_puts(&said, m->plan->findings[item.index].text ? m->plan->findings[item.index].text : "");
		if (!said.failed)
			gs_lines_wrap(l, (int)row, el, lead, GS_ELEMENT_TEXT, said.text, width, max);
		break;
	case GS_PLAN_ITEM_STEP:
		snprintf(text, sizeof(text), "   step %-4u", m->plan->steps[item.index].n);
		if (many)
			gs_strbuf_printf(&said, "GPU %u: ", m->plan->steps[item.index].gpu);
		gs_strbuf_puts(&said, m->plan->steps[item.index].text ? m->plan->steps[item.index].text : "");
		if (!said.failed)
			gs_lines_wrap(l, (int)row, GS_ELEMENT_DIM, text, GS_ELEMENT_TEXT, said.text, width, 1);
		break;
	case GS_PLAN_ITEM_STAGED:
		if (m->staged[item.index].stale) {
			GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;

			gs_strbuf_printf(&b, "%s   no longer holds: %s", m->staged[item.index].text, m->staged[item.index].stale);
			gs_lines_wrap(l, (int)row, GS_ELEMENT_BLOCK, " X STALE    ", GS_ELEMENT_TEXT, b.failed ? "" : b.text, width, max);
		} else {
			gs_lines_wrap(l, (int)row, GS_ELEMENT_STAGED_NEW, "   staged   ", GS_ELEMENT_TEXT, m->staged[item.index].text, width, 1);
		}
		break;
	case GS_PLAN_ITEM_NONE:
		break;
	}
}

static bool hides_holders(const struct gs_snapshot *s)
{
	for (size_t i = 0; s && i < gs_snapshot_n_gpus(s); i++)
		if (!gs_snapshot_gpu(s, i)->holders_visible)
			return true;
	return false;
}

static void add_idle(const struct gs_model *m, const struct gs_geometry *geo, struct gs_lines *l, int width)
{
	/* to a monitor nothing else is said here, and the end of a notice says what to do */
	size_t max = m->read_only && geo->plan.rows > 2 ? (size_t)geo->plan.rows : 2;
	struct gs_error e = { 0 };

	for (size_t i = 0; m->snapshot && i < gs_snapshot_n_gpus(m->snapshot); i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(m->snapshot, i);
		char trouble[400], lead[24];

		if (!gs_part_trouble(m, gpu, trouble, sizeof(trouble)))
			continue;
		snprintf(lead, sizeof(lead), " ! GPU %u  ", gpu->index);
		gs_lines_wrap(l, -1, gpu->n_writes ? GS_ELEMENT_WAITING : GS_ELEMENT_ERROR, lead, GS_ELEMENT_TEXT, trouble, width, 2);
	}
	if (m->read_only && hides_holders(m->snapshot))
		gs_lines_wrap(l, -1, GS_ELEMENT_CONFIRM, " ! ", GS_ELEMENT_TEXT, "processes of other users cannot be seen; sudo gpuslice list shows all", width, 2);
	for (size_t i = 0; m->snapshot && i < gs_snapshot_n_notices(m->snapshot); i++)
		gs_lines_wrap(l, -1, GS_ELEMENT_CONFIRM, " ! ", GS_ELEMENT_TEXT, gs_snapshot_notice(m->snapshot, i), width, max);
	if (!m->snapshot || m->read_only || !gs_snapshot_n_gpus(m->snapshot))
		return;
	if (gs_model_may_edit(m, m->gpu, &e) < 0) {
		gs_lines_wrap(l, -1, GS_ELEMENT_DIM, "   ", GS_ELEMENT_DIM, e.text, width, 3);
		return;
	}
	gs_lines_add(l, -1, GS_ELEMENT_DIM, "   Nothing touches the machine before W and a confirmation.");
	gs_lines_wrap(l, -1, GS_ELEMENT_DIM, "   ", GS_ELEMENT_DIM, "c creates, v selects units on the grid, d deletes, M changes the mode, : takes a command.", width, 2);
}

static void build(const struct gs_model *m, const struct gs_geometry *geo, struct gs_lines *l)
{
	int width = geo->plan.columns - 1;
	/* where there is room, findings say all they have to say */
	size_t n = gs_model_n_plan_items(m), max = geo->plan.rows >= 8 ? 3 : 1;

	if (!n) {
		add_idle(m, geo, l, width);
		return;
	}
	for (size_t row = 0; row < n; row++)
		add_item(m, l, row, width, max);
	if (m->plan && m->n_staged)
		gs_lines_add(l, -1, GS_ELEMENT_DIM, "   kept     %u instance%s not touched", m->plan->kept, m->plan->kept == 1 ? " is" : "s are");
}

static int chosen(const struct gs_model *m)
{
	struct gs_plan_item item = gs_model_plan_item(m, m->plan_row);

	if (item.kind == GS_PLAN_ITEM_FINDING)
		return (int)gs_part_same_note(m->plan, item.index);
	return gs_model_n_plan_items(m) ? (int)m->plan_row : -1;
}

static size_t window(const struct gs_model *m, const struct gs_geometry *geo, const struct gs_lines *l)
{
	return gs_lines_window(l, geo->plan.rows, chosen(m), m->plan_top);
}

bool gs_view_plan_at(const struct gs_model *m, const struct gs_geometry *geo, int row, size_t *ret_item)
{
	GS_LINES struct gs_lines l = { 0 };
	size_t at;

	build(m, geo, &l);
	at = window(m, geo, &l) + (size_t)row;
	if (row < 0 || row >= geo->plan.rows || at >= l.n || l.items[at].item < 0)
		return false;
	*ret_item = (size_t)l.items[at].item;
	return true;
}

size_t gs_view_plan_top(const struct gs_model *m, const struct gs_geometry *geo)
{
	GS_LINES struct gs_lines l = { 0 };

	build(m, geo, &l);
	return window(m, geo, &l);
}

void gs_view_plan(const struct gs_view *v)
{
	GS_LINES struct gs_lines l = { 0 };

	build(v->m, &v->geo, &l);
	draw_title(v);
	gs_lines_draw(v, v->geo.plan, &l, window(v->m, &v->geo, &l), v->m->focus == GS_FOCUS_PLAN ? chosen(v->m) : -1);
}
