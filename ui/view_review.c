/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view_review.c - the last look before a write. The order is the point: who
 * stops, findings, steps with what undo can do, what is kept, what undo cannot
 * do, whom to tell, the same as a command: the same at every size; on a low
 * screen notes are cut to a line. What has to be typed stays at the bottom,
 * whatever is scrolled.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "ui/view_parts.h"

/* ---------------------------------------------------------------- what is said */

static void heading(struct gs_lines *l, const char *fmt, ...) GS_PRINTF(2, 3);

static void heading(struct gs_lines *l, const char *fmt, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* no empty line above the first */
	if (l->n && *l->items[l->n - 1].text)
		gs_lines_add(l, -1, GS_ELEMENT_TEXT, "%s", "");
	gs_lines_add(l, -1, GS_ELEMENT_TITLE, " %s", text);
}

/* Where a holder is: "GI 12 at 1 of GPU 2". */
static void find_holder(const struct gs_plan *p, const struct gs_holder *h, char *buf, size_t size)
{
	buf[0] = '\0';
	for (size_t i = 0; i < p->n_findings; i++) {
		for (size_t k = 0; p->findings[i].is_typed && k < p->findings[i].n_holders; k++) {
			if (p->findings[i].holders[k] == h) {
				snprintf(buf, size, "%s", p->findings[i].object ? p->findings[i].object : "");
				return;
			}
		}
	}
}

static bool stops_process(const struct gs_plan *p)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].op == GS_STEP_STOP_HOLDER)
			return true;
	return false;
}

/* Units that are stopped for a while, and whether they come back. */
static void add_units(const struct gs_plan *p, struct gs_lines *l, int width)
{
	for (size_t i = 0; i < p->n_steps; i++) {
		bool starts = false;
		char text[256];

		if (p->steps[i].op != GS_STEP_STOP_UNIT || !p->steps[i].unit)
			continue;
		for (size_t k = i; k < p->n_steps; k++)
			starts = starts || (p->steps[k].op == GS_STEP_START_UNIT && p->steps[k].unit && !strcmp(p->steps[k].unit, p->steps[i].unit));
		snprintf(text, sizeof(text), "unit %s%s", p->steps[i].unit, starts ? "   started again on every way out" : "   and nothing starts it again");
		gs_lines_wrap(l, -1, starts ? GS_ELEMENT_NOTE : GS_ELEMENT_STOPS, " ! ", GS_ELEMENT_TEXT, text, width, 2);
	}
}

static void add_stops(const struct gs_model *m, struct gs_lines *l, int width)
{
	const struct gs_holder *who[64];
	size_t n = gs_part_stopped(m->plan, who, GS_ARRAY_SIZE(who));
	char label[160], where[96], text[320];
	size_t paused = gs_part_paused_units(m->plan);

	if (!n && !paused && gs_plan_has_hidden_holders(m->plan)) {
		gs_lines_add(l, -1, GS_ELEMENT_CONFIRM, " STOPS ?   not every process can be seen");
		return;
	}
	if (!n && paused) {
		gs_lines_add(l, -1, GS_ELEMENT_CONFIRM, " STOPS %zu   unit%s for a while, and nobody's work%s", paused, paused == 1 ? "" : "s",
			     gs_plan_has_hidden_holders(m->plan) ? " that can be seen" : "");
		add_units(m->plan, l, width);
		return;
	}
	if (!n) {
		gs_lines_add(l, -1, GS_ELEMENT_OK, " STOPS 0   nobody");
		return;
	}
	gs_lines_add(l, -1, GS_ELEMENT_STOPS, " STOPS %zu   this work ends when you write%s", n,
		     gs_plan_has_hidden_holders(m->plan) ? ", perhaps more" : "");
	for (size_t i = 0; i < n; i++) {
		find_holder(m->plan, who[i], where, sizeof(where));
		snprintf(text, sizeof(text), "%s%s%s%s%s", gs_holder_label(who[i], label, sizeof(label)), *where ? "   in " : "", where,
			 who[i]->unit ? "   " : "", who[i]->unit ? who[i]->unit : "");
		gs_lines_wrap(l, -1, GS_ELEMENT_STOPS, " ! ", GS_ELEMENT_TEXT, text, width, 2);
	}
	add_units(m->plan, l, width);
	if (!stops_process(m->plan))
		return;
	gs_lines_wrap(l, -1, GS_ELEMENT_DIM, "   ", GS_ELEMENT_DIM,
		      m->allow_kill ? "SIGTERM, waits 30 s, then SIGKILL (^K takes that back)."
				    : "SIGTERM, waits 30 s; who stays then stops the commit, which is undone (^K allows SIGKILL).",
		      width, 2);
}

static void add_finding(const struct gs_model *m, struct gs_lines *l, size_t row, const struct gs_finding *f, int width, size_t max)
{
	enum gs_element el;
	const char *lead = gs_part_severity(f, &el);
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	char label[96] = "";

	if (gs_part_same_note(m->plan, row) != row)
		return;
	gs_strbuf_printf(&b, "%s  ", f->rule ? f->rule : "");
	if (f->severity == GS_SEVERITY_NOTE && gs_part_many_gpus(m->plan))
		gs_strbuf_printf(&b, "%s", gs_part_note_gpus(m->plan, row, label, sizeof(label)));
	else if (!f->object)
		gs_strbuf_puts(&b, gs_gpu_label(gs_snapshot_gpu(m->plan->snapshot, f->gpu), label, sizeof(label)));
	else if (gs_part_many_gpus(m->plan) && f->gpu != GS_FINDING_NO_GPU && !strstr(f->object, "GPU "))
		gs_strbuf_printf(&b, "GPU %u  %s", f->gpu, f->object);
	else
		gs_strbuf_puts(&b, f->object);
	gs_strbuf_printf(&b, "   %s", f->text ? f->text : "");
	if (!b.failed)
		gs_lines_wrap(l, (int)row, el, lead, GS_ELEMENT_TEXT, b.text, width, max);
	for (size_t i = 0; i < f->n_alternatives && i < 3; i++)
		gs_lines_wrap(l, (int)row, GS_ELEMENT_DIM, "     or:    ", GS_ELEMENT_DIM, f->alternatives[i], width, 2);
}

static void add_step(struct gs_lines *l, size_t row, const struct gs_step *s, bool shows_gpu, int width)
{
	const char *grade = gs_undo_name(s->undo);
	char text[512];
	int at = width - 9;

	snprintf(text, sizeof(text), " %2u  ", s->n);
	if (shows_gpu)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "GPU %u  ", s->gpu);
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", s->text ? s->text : "");
	if (gs_text_width(text) >= at - 1 && at > 12 && (size_t)at - 3 < strlen(text))
		snprintf(text + at - 3, sizeof(text) - (size_t)at + 3, "..");
	gs_lines_add(l, (int)row, s->risk == GS_RISK_DISRUPTIVE ? GS_ELEMENT_CONFIRM : GS_ELEMENT_TEXT, "%-*s%s", at, text,
		     s->undo == GS_UNDO_NONE ? "NONE" : grade ? grade : "");
}

static void add_steps(const struct gs_model *m, struct gs_lines *l, size_t first_row, int width)
{
	const struct gs_plan *p = m->plan;
	bool many = gs_part_many_gpus(p);

	if (!p->n_steps) {
		heading(l, "STEPS   %s", gs_plan_is_blocked(p) ? "none: a blocked plan has no steps" : "none: the machine is so already");
		return;
	}
	heading(l, "%-*s%s", width - 10, "STEPS", "undo");
	for (size_t i = 0; i < p->n_steps; i++)
		add_step(l, first_row + i, &p->steps[i], many, width);
}

/* "; steps 1, 4 cannot be taken back: what was stopped stays stopped": by number, so that they are found above. */
static void say_final(const struct gs_plan *p, size_t none, struct gs_strbuf *b)
{
	bool only_stops = true;
	size_t said = 0;

	gs_strbuf_printf(b, "; step%s", none == 1 ? "" : "s");
	for (size_t i = 0; i < p->n_steps; i++) {
		if (p->steps[i].undo != GS_UNDO_NONE)
			continue;
		only_stops = only_stops && p->steps[i].op == GS_STEP_STOP_HOLDER;
		if (++said <= 6)
			gs_strbuf_printf(b, "%s %u", said > 1 ? "," : "", p->steps[i].n);
	}
	gs_strbuf_printf(b, "%s cannot be taken back%s", said > 6 ? " and more" : "", only_stops ? ": work that was stopped stays stopped" : "");
}

/* What is staged is not forgotten by going back to a commit, and not written by it either. */
static void add_staged_aside(const struct gs_model *m, struct gs_lines *l)
{
	if (m->past_way == GS_WAY_INVALID || !m->n_staged)
		return;
	if (gs_control_finishes_staged(m)) {
		heading(l, "STAGED   %zu command%s what this finishes", m->n_staged, m->n_staged == 1 ? " is" : "s are");
		return;
	}
	heading(l, "STAGED   %zu command%s staged, no part of this", m->n_staged, m->n_staged == 1 ? " stays" : "s stay");
}

/* Kept, undo, tell. */
static void add_rest(const struct gs_model *m, struct gs_lines *l, int width)
{
	const struct gs_plan *p = m->plan;
	const struct gs_holder *who[64];
	size_t n = gs_part_stopped(p, who, GS_ARRAY_SIZE(who)), none = 0, geometry = 0;
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT, tell = GS_STRBUF_INIT;

	if (p->kept)
		heading(l, "KEPT   %u instance%s id, UUID and work", p->kept, p->kept == 1 ? " keeps its" : "s keep their");
	for (size_t i = 0; i < p->n_claims; i++) {
		const struct gs_claim *c = &p->claims[i];

		gs_lines_add(l, -1, GS_ELEMENT_TEXT, " KEEPS  %s of GPU %u, which is there already%s", c->profile, c->gpu, c->is_held ? ", and in use" : "");
	}
	for (size_t i = 0; i < p->n_steps; i++) {
		none += p->steps[i].undo == GS_UNDO_NONE;
		geometry += p->steps[i].undo == GS_UNDO_GEOMETRY;
	}
	if (p->n_steps) {
		gs_strbuf_puts(&b, geometry ? "a step that fails brings the same shapes back, perhaps with other UUIDs" : "a step that fails brings everything back as it was");
		if (none)
			say_final(p, none, &b);
		if (!b.failed)
			gs_lines_wrap(l, -1, GS_ELEMENT_TITLE, " UNDO   ", GS_ELEMENT_TEXT, b.text, width, 2);
	}
	for (size_t i = 0; i < n; i++) {
		bool told = false;

		for (size_t k = 0; k < i; k++)
			told = told || (who[k]->user && who[i]->user && !strcmp(who[k]->user, who[i]->user));
		if (who[i]->user && !told)
			gs_strbuf_printf(&tell, "%s%s", tell.length ? ", " : "", who[i]->user);
	}
	if (tell.length && !tell.failed)
		gs_lines_wrap(l, -1, GS_ELEMENT_TITLE, " TELL   ", GS_ELEMENT_TEXT, tell.text, width, 2);
	if (*m->commit_message)
		gs_lines_wrap(l, -1, GS_ELEMENT_TITLE, " WHY    ", GS_ELEMENT_TEXT, m->commit_message, width, 4);
	if (m->save_after)
		gs_lines_wrap(l, -1, GS_ELEMENT_TITLE, " SAVE   ", GS_ELEMENT_TEXT, "for boot too, all of the machine as it is then, once this is written (S takes that back)", width, 2);
	add_staged_aside(m, l);
}

/* As one word of a shell, whatever is in it. */
static void add_word(struct gs_strbuf *b, const char *word)
{
	if (*word && !word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:,@%")]) {
		gs_strbuf_puts(b, word);
		return;
	}
	gs_strbuf_puts(b, "'");
	for (; *word; word++) {
		if (*word == '\'')
			gs_strbuf_puts(b, "'\\''");
		else
			gs_strbuf_add(b, word, 1);
	}
	gs_strbuf_puts(b, "'");
}

static void add_command(const struct gs_model *m, struct gs_strbuf *b)
{
	uint64_t id = m->back ? m->back->file->commit.id : 0;

	if (m->past_way == GS_WAY_INVALID)
		gs_strbuf_puts(b, " apply");
	else if (m->past_way == GS_WAY_UNDO)
		gs_strbuf_printf(b, " undo %" PRIu64, id);
	else if (m->past_way == GS_WAY_RESTORE)
		gs_strbuf_puts(b, gs_model_not_restorable(m) ? " restore" : " restore --scope host");
	else
		gs_strbuf_printf(b, " recover --%s %" PRIu64, m->past_way == GS_WAY_FINISH ? "finish" : "undo", id);
}

/* The same on the command line: what is staged, as the script that goes in on standard input. */
static void add_same(const struct gs_model *m, struct gs_lines *l, size_t first_row, int width)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;

	gs_strbuf_puts(&b, "gpuslice");
	if (m->sim || m->sysroot) {
		gs_strbuf_puts(&b, m->sim ? " --sim " : " --sysroot ");
		add_word(&b, m->sim ? m->sim : m->sysroot);
	} else if (m->source != GS_SOURCE_LIVE) {
		/* never a line that means this machine */
		gs_strbuf_puts(&b, m->source == GS_SOURCE_SIM ? " --sim ..." : " ...");
	}
	add_command(m, &b);
	for (size_t i = 0; m->request && i < m->request->n_disrupt; i++) {
		const struct gs_disrupt *d = &m->request->disrupt[i];

		if (d->kind == GS_DISRUPT_PID)
			gs_strbuf_printf(&b, " --disrupt pid:%u", d->pid);
		else
			gs_strbuf_printf(&b, " --disrupt %s%s", d->kind == GS_DISRUPT_UNIT ? "unit:" : "all", d->kind == GS_DISRUPT_UNIT ? d->unit : "");
	}
	if (m->request && m->request->kill)
		gs_strbuf_puts(&b, " --kill");
	if (*m->commit_message) {
		gs_strbuf_puts(&b, " --message ");
		add_word(&b, m->commit_message);
	}
	if (m->past_way == GS_WAY_INVALID)
		gs_strbuf_puts(&b, " -    with");
	if (l->n && *l->items[l->n - 1].text)
		gs_lines_add(l, -1, GS_ELEMENT_TEXT, "%s", "");
	/* whole, to be copied */
	if (!b.failed)
		gs_lines_wrap(l, -1, GS_ELEMENT_TITLE, " SAME AS   ", GS_ELEMENT_TEXT, b.text, width, 8);
	for (size_t i = 0; m->past_way == GS_WAY_INVALID && i < m->n_staged; i++) {
		GS_STRBUF struct gs_strbuf t = GS_STRBUF_INIT;

		gs_strbuf_puts(&t, m->staged[i].text);
		if (m->staged[i].stale)
			gs_strbuf_printf(&t, "   # left out, no longer holds: %s", m->staged[i].stale);
		if (!t.failed)
			gs_lines_wrap(l, (int)(first_row + i), GS_ELEMENT_DIM, "   ", m->staged[i].stale ? GS_ELEMENT_BLOCK : GS_ELEMENT_TEXT, t.text, width, 3);
	}
}

/* A line per GPU that changes stays empty here: the bars are drawn over it. */
static size_t bar_lines(const struct gs_model *m, const struct gs_geometry *geo)
{
	size_t n = m->plan ? m->plan->n_base : 0, most = geo->layer.rows >= 30 ? 8 : 2;

	return n > most ? most : n;
}

static void build(const struct gs_model *m, const struct gs_geometry *geo, struct gs_lines *l)
{
	int width = geo->layer.columns - 1;
	const struct gs_plan *p = m->plan;

	for (size_t i = 0; i < bar_lines(m, geo); i++)
		gs_lines_add(l, -1, GS_ELEMENT_TEXT, " GPU %u", p->base[i].gpu);
	if (l->n)
		gs_lines_add(l, -1, GS_ELEMENT_TEXT, "%s", "");
	if (!gs_plan_is_blocked(p))
		add_stops(m, l, width);
	heading(l, "FINDINGS   %zu block   %zu confirm   %zu note", gs_plan_count(p, GS_SEVERITY_BLOCK), gs_plan_count(p, GS_SEVERITY_CONFIRM),
		gs_plan_count(p, GS_SEVERITY_NOTE));
	for (size_t i = 0; i < p->n_findings; i++)
		/* long notes must not push the steps out of sight: e tells them whole */
		add_finding(m, l, i, &p->findings[i], width, geo->layer.rows < 30 && p->findings[i].severity == GS_SEVERITY_NOTE ? 1 : 6);
	add_steps(m, l, p->n_findings, width);
	if (!gs_plan_is_blocked(p))
		add_rest(m, l, width);
	add_same(m, l, p->n_findings + p->n_steps, width);
}

/* ---------------------------------------------------------------- how it is shown */

static int chosen(const struct gs_model *m)
{
	struct gs_plan_item item = gs_model_plan_item(m, m->list_row);

	return item.kind == GS_PLAN_ITEM_FINDING ? (int)gs_part_same_note(m->plan, item.index) : (int)m->list_row;
}

static size_t window(const struct gs_model *m, const struct gs_geometry *geo, const struct gs_lines *l)
{
	return gs_lines_window(l, gs_part_body(geo).rows, chosen(m), m->list_top);
}

bool gs_view_review_at(const struct gs_model *m, const struct gs_geometry *geo, int row, size_t *ret_item)
{
	GS_LINES struct gs_lines l = { 0 };
	size_t at;

	if (!m->plan || row < 1 || row >= 1 + gs_part_body(geo).rows)
		return false;
	build(m, geo, &l);
	at = window(m, geo, &l) + (size_t)row - 1;
	if (at >= l.n || l.items[at].item < 0)
		return false;
	*ret_item = (size_t)l.items[at].item;
	return true;
}

size_t gs_view_review_top(const struct gs_model *m, const struct gs_geometry *geo)
{
	GS_LINES struct gs_lines l = { 0 };

	if (!m->plan)
		return 0;
	build(m, geo, &l);
	return window(m, geo, &l);
}

static void draw_title(const struct gs_view *v)
{
	const struct gs_plan *p = v->m->plan;
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	char right[32], pci[GS_BDF_TEXT];

	if (v->m->past_way == GS_WAY_INVALID)
		gs_strbuf_puts(&b, "REVIEW");
	else if (v->m->past_way == GS_WAY_RESTORE)
		gs_strbuf_puts(&b, "REVIEW  restore what is saved");
	else
		gs_strbuf_printf(&b, "REVIEW  %s commit %" PRIu64, v->m->past_way == GS_WAY_FINISH ? "finish" : "undo", v->m->back ? v->m->back->file->commit.id : 0);
	if (p->n_base == 1) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(p->snapshot, p->base[0].gpu);

		gs_strbuf_printf(&b, "  GPU %u  %s", gpu->index, gs_part_pci(gpu->bdf, pci, sizeof(pci)));
		if (gpu->nvidia_index.known && gpu->nvidia_index.value != gpu->index)
			gs_strbuf_printf(&b, "  (nvidia-smi %u)", gpu->nvidia_index.value);
	} else if (p->n_base) {
		gs_strbuf_printf(&b, "  %zu GPUs", p->n_base);
	}
	if (gs_plan_is_blocked(p))
		gs_strbuf_puts(&b, "  BLOCKED, nothing can be written");
	else
		gs_strbuf_printf(&b, "  %zu step%s", p->n_steps, p->n_steps == 1 ? "" : "s");
	snprintf(right, sizeof(right), "plan %.8s", p->digest.hex);
	gs_part_rule(v, v->geo.layer, 0, gs_plan_is_blocked(p) ? GS_ELEMENT_BLOCK : GS_ELEMENT_TITLE, b.failed ? "REVIEW" : b.text,
		     *p->digest.hex ? right : NULL);
}

static void draw_bars(const struct gs_view *v, struct gs_rect r, size_t top)
{
	for (size_t i = top; i < bar_lines(v->m, &v->geo) && (int)(i - top) < r.rows; i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(v->m->plan->snapshot, v->m->plan->base[i].gpu);
		int row = (int)(i - top);

		gs_part_bar(v, r, row, 8, gpu, GS_BAR_NOW);
		if (gs_plan_is_blocked(v->m->plan))
			continue;
		gs_draw_text(v->f, r, row, 9 + GS_BAR_COLUMNS, GS_ELEMENT_DIM, "->");
		gs_part_bar(v, r, row, 12 + GS_BAR_COLUMNS, gpu, GS_BAR_AFTER);
	}
}

static void draw_input(const struct gs_view *v, struct gs_rect r)
{
	const struct gs_model *m = v->m;
	int used = gs_draw_printf(v->f, r, 2, 1, GS_ELEMENT_INPUT, "> %s", m->input);

	if (*m->input_error)
		gs_draw_fit(v->f, r, 2, used + 4, r.columns - used - 4, GS_ELEMENT_ERROR, m->input_error);
	if (r.row + 2 < v->f->rows && 3 + (int)m->input_cursor < r.columns) {
		char before[sizeof(m->input)];

		snprintf(before, sizeof(before), "%.*s", (int)m->input_cursor, m->input);
		v->f->cursor_row = r.row + 2;
		v->f->cursor_column = r.column + 3 + gs_text_width(before);
	}
}

/* What has to be done to write, or why it cannot be. */
static void draw_ask(const struct gs_view *v)
{
	const struct gs_model *m = v->m;
	const struct gs_plan *p = m->plan;
	struct gs_rect r = gs_part_ask(&v->geo);
	char text[320];

	gs_part_rule(v, r, 0, GS_ELEMENT_TITLE, NULL, NULL);
	if (gs_plan_is_blocked(p)) {
		gs_draw_text(v->f, r, 1, 1, GS_ELEMENT_BLOCK, "W is off until nothing blocks.");
		if (m->past_way == GS_WAY_RESTORE)
			/* a review is of one plan, all or nothing */
			gs_draw_fit(v->f, r, 2, 1, r.columns - 2, GS_ELEMENT_TEXT, "e explains. gpuslice restore puts back GPU by GPU, as far as it can.");
		else
			gs_draw_text(v->f, r, 2, 1, GS_ELEMENT_TEXT, m->past_way == GS_WAY_INVALID ? "x drops the change under the cursor, e explains." : "e explains.");
	} else if (!p->n_steps) {
		gs_draw_text(v->f, r, 1, 1, GS_ELEMENT_TEXT, "There is nothing to write.");
	} else if (!m->privileged || m->agent_gone) {
		gs_draw_fit(v->f, r, 1, 1, r.columns - 2, GS_ELEMENT_CONFIRM, gs_control_why_not_writable(m));
	} else if (!m->review_writes) {
		gs_draw_text(v->f, r, 1, 1, GS_ELEMENT_TEXT, "Only a look. W goes on to writing, Esc goes back; all stays staged.");
	} else if (*m->confirm_word) {
		const struct gs_holder *who[1];

		snprintf(text, sizeof(text), "Type  %s  and Enter to write: %s. Esc goes back.", m->confirm_word,
			 gs_part_stopped(p, who, 1) ? "somebody's work stops" : "services stop meanwhile");
		gs_draw_fit(v->f, r, 1, 1, r.columns - 2, GS_ELEMENT_STOPS, text);
		draw_input(v, r);
	} else {
		const char *kind = m->source == GS_SOURCE_LIVE ? "a LIVE machine" : m->source == GS_SOURCE_SIM ? "a SIMULATED machine" : "a RECORDED machine";

		snprintf(text, sizeof(text), "Write %zu step%s to %s, %s?   y  write    Esc  back", p->n_steps, p->n_steps == 1 ? "" : "s",
			 *m->host ? m->host : "this host", kind);
		gs_draw_fit(v->f, r, 1, 1, r.columns - 2, GS_ELEMENT_CONFIRM, text);
	}
}

void gs_view_review(const struct gs_view *v)
{
	GS_LINES struct gs_lines l = { 0 };
	size_t top;

	gs_draw_fill(v->f, v->geo.layer, 0, 0, v->geo.layer.rows, v->geo.layer.columns, GS_ELEMENT_TEXT, ' ');
	if (!v->m->plan) {
		gs_part_rule(v, v->geo.layer, 0, GS_ELEMENT_TITLE, "REVIEW  nothing is planned", NULL);
		return;
	}
	build(v->m, &v->geo, &l);
	top = window(v->m, &v->geo, &l);
	draw_title(v);
	gs_lines_draw(v, gs_part_body(&v->geo), &l, top, chosen(v->m));
	draw_bars(v, gs_part_body(&v->geo), top);
	draw_ask(v);
}
