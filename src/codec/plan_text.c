/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan for people, in the order of a review: who stops, findings, steps, what is kept. */
#include "codec/plan_json.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "core/policy.h"

/* Wider texts push the columns behind them to the right rather than being cut. */
#define STEP_COLUMN_MAX 60

/* Names of processes and the like may be in any script; each character beyond ASCII becomes one '?'. */
static void put_ascii(struct gs_strbuf *out, const char *s)
{
	for (; s && *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c >= 0x20 && c < 0x7f)
			gs_strbuf_add(out, s, 1);
		else if ((c & 0xc0) != 0x80)
			gs_strbuf_puts(out, memcmp(s, "\xc2\xab", 2) == 0 || memcmp(s, "\xc2\xbb", 2) == 0 ? "\"" : "?");
	}
}

/* Does a step stop this holder (and so say its name already)? */
static bool is_stopped_by_step(const struct gs_plan *p, const struct gs_holder *h)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if ((p->steps[i].op == GS_STEP_STOP_HOLDER && gs_u32_is(h->pid, p->steps[i].pid)) ||
		    (p->steps[i].op == GS_STEP_STOP_UNIT && gs_str_equal(p->steps[i].unit, h->unit)))
			return true;
	return false;
}

/* Units that run again at the end are a pause, not the end of somebody's work. */
static void print_pauses(const struct gs_plan *p, struct gs_strbuf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_steps; i++)
		n += p->steps[i].op == GS_STEP_STOP_UNIT;
	if (!n)
		return;
	gs_strbuf_printf(out, "PAUSES %zu  stopped meanwhile, and started again on every way out\n", n);
	for (size_t i = 0; i < p->n_steps; i++) {
		if (p->steps[i].op != GS_STEP_STOP_UNIT)
			continue;
		gs_strbuf_puts(out, "  ");
		put_ascii(out, p->steps[i].target);
		gs_strbuf_puts(out, "\n");
	}
}

/* Two findings may name one holder: it stops once. */
static bool was_named_before(const struct gs_plan *p, const struct gs_finding *f, size_t i)
{
	const struct gs_holder *h = f->holders[i];

	for (size_t k = 0; k < i; k++)
		if (f->holders[k] == h)
			return true;
	for (const struct gs_finding *before = p->findings; before < f; before++)
		for (size_t k = 0; before->is_typed && k < before->n_holders; k++)
			if (before->holders[k] == h)
				return true;
	return false;
}

static size_t print_typed(const struct gs_plan *p, const struct gs_finding *f, struct gs_strbuf *out)
{
	char label[256];
	size_t n = 0;

	for (size_t i = 0; i < f->n_holders; i++) {
		if (is_stopped_by_step(p, f->holders[i]) || was_named_before(p, f, i))
			continue;
		gs_strbuf_puts(out, "  ");
		put_ascii(out, gs_holder_label(f->holders[i], label, sizeof(label)));
		gs_strbuf_puts(out, "  in ");
		put_ascii(out, f->object ? f->object : "the GPU");
		gs_strbuf_puts(out, "\n");
		n++;
	}
	return n;
}

static void print_stops(const struct gs_plan *p, struct gs_strbuf *out)
{
	struct gs_strbuf lines = GS_STRBUF_INIT;
	size_t n = 0;

	for (size_t i = 0; i < p->n_steps; i++) {
		if (p->steps[i].op != GS_STEP_STOP_HOLDER)
			continue;
		gs_strbuf_puts(&lines, "  ");
		put_ascii(&lines, p->steps[i].target);
		gs_strbuf_printf(&lines, "  on GPU %u%s\n", p->steps[i].gpu, p->steps[i].kill ? ", killed if it stays" : "");
		n++;
	}
	for (size_t i = 0; i < p->n_findings; i++)
		if (p->findings[i].is_typed && p->findings[i].severity == GS_SEVERITY_CONFIRM)
			n += print_typed(p, &p->findings[i], &lines);
	if (n)
		gs_strbuf_printf(out, "STOPS %zu  this work ends%s\n", n, gs_plan_has_hidden_holders(p) ? ", and perhaps more: not every process can be seen" : "");
	else if (gs_plan_has_hidden_holders(p))
		gs_strbuf_puts(out, "STOPS ?  not every process can be seen\n");
	else
		gs_strbuf_puts(out, "STOPS 0  nobody\n");
	if (lines.length)
		gs_strbuf_add(out, lines.text, lines.length);
	out->failed |= lines.failed;
	gs_strbuf_done(&lines);
	print_pauses(p, out);
}

static void print_finding(const struct gs_finding *f, struct gs_strbuf *out)
{
	gs_strbuf_printf(out, "  %-7s  %-18s  ", gs_severity_name(f->severity), f->rule ? f->rule : "-");
	if (f->object) {
		put_ascii(out, f->object);
		gs_strbuf_puts(out, ": ");
	}
	put_ascii(out, f->text);
	if (f->pos.line) {
		gs_strbuf_puts(out, " (");
		put_ascii(out, f->pos.file);
		gs_strbuf_printf(out, ":%u:%u)", f->pos.line, f->pos.column);
	}
	gs_strbuf_puts(out, "\n");
	for (size_t i = 0; i < f->n_alternatives; i++) {
		gs_strbuf_printf(out, "  %-7s  %-18s    or: ", "", "");
		put_ascii(out, f->alternatives[i]);
		gs_strbuf_puts(out, "\n");
	}
}

static void print_findings(const struct gs_plan *p, struct gs_strbuf *out)
{
	if (!p->n_findings)
		return;
	gs_strbuf_printf(out, "FINDINGS  %zu block, %zu confirm, %zu note\n", gs_plan_count(p, GS_SEVERITY_BLOCK),
			 gs_plan_count(p, GS_SEVERITY_CONFIRM), gs_plan_count(p, GS_SEVERITY_NOTE));
	for (size_t i = 0; i < p->n_findings; i++)
		print_finding(&p->findings[i], out);
}

static int step_column(const struct gs_plan *p)
{
	size_t width = 20;

	for (size_t i = 0; i < p->n_steps; i++) {
		size_t n = p->steps[i].text ? strlen(p->steps[i].text) : 0;

		if (n > width)
			width = n;
	}
	return (int)(width < STEP_COLUMN_MAX ? width : STEP_COLUMN_MAX);
}

static void print_steps(const struct gs_plan *p, struct gs_strbuf *out)
{
	int width = step_column(p);

	gs_strbuf_printf(out, "STEPS %-*s  undo\n", width + 9, "");
	for (size_t i = 0; i < p->n_steps; i++) {
		const struct gs_step *step = &p->steps[i];
		size_t before;
		int pad;

		gs_strbuf_printf(out, "%c %3u  GPU %-2u  ", step->risk == GS_RISK_DISRUPTIVE ? '!' : ' ', step->n, step->gpu);
		before = out->length;
		put_ascii(out, step->text);
		pad = width - (int)(out->length - before);
		gs_strbuf_printf(out, "%*s  %s\n", pad > 0 ? pad : 0, "", gs_undo_name(step->undo));
	}
}

void gs_plan_print(const struct gs_plan *p, struct gs_strbuf *out)
{
	const char *plural = p->kept == 1 ? "instance stays as it is" : "instances stay as they are";

	if (p->n_steps)
		print_stops(p, out);
	print_findings(p, out);
	if (p->n_steps)
		print_steps(p, out);
	else if (gs_plan_is_blocked(p))
		gs_strbuf_puts(out, "STEPS  none: what blocks has to be solved first\n");
	else
		gs_strbuf_puts(out, "nothing to do\n");
	if (p->kept)
		gs_strbuf_printf(out, "KEPT  %u %s\n", p->kept, plural);
	if (p->n_steps)
		gs_strbuf_printf(out, "PLAN  %s\n", p->digest.hex);
}
