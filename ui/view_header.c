/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view_header.c - the first line: where am I, is this real, what may I do, what
 * is not written yet. The words stay whole at every width; the model of the
 * GPUs goes first, then the driver's version, at last what is in brackets.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"
#include "ui/view_parts.h"

#define PARTS_MAX 20

/* Steps of saving room, from 0 where there is enough. */
#define STEPS 10
#define CLOSER 1        /* here words move together before the next step takes the driver's version away */
#define ALWAYS (~0u)
#define UNTIL(step) ((1u << (step)) - 1)
#define AT(step) (1u << (step))

struct part {
	char text[160];
	enum gs_element element;
	unsigned steps;         /* of saving room: a bit for each at which it is shown */
};

struct parts {
	struct part items[PARTS_MAX];
	size_t n;
};

static void add(struct parts *l, enum gs_element el, unsigned steps, const char *text)
{
	struct part *p = &l->items[l->n];

	if (!text || !*text || l->n == PARTS_MAX)
		return;
	snprintf(p->text, sizeof(p->text), "%s", text);
	p->element = el;
	p->steps = steps;
	l->n++;
}

/* "8 x H100 80GB HBM3" */
static void add_machine(struct parts *l, const struct gs_snapshot *s)
{
	size_t n = gs_snapshot_n_gpus(s);
	const char *version = gs_snapshot_driver_version(s);
	bool all_equal = n > 0;
	char text[160];

	for (size_t i = 1; i < n; i++)
		all_equal = all_equal && gs_str_equal(gs_snapshot_gpu(s, i)->name, gs_snapshot_gpu(s, 0)->name);
	if (n && all_equal)
		snprintf(text, sizeof(text), "%zu x %s", n, gs_part_model(gs_snapshot_gpu(s, 0)->name));
	else
		snprintf(text, sizeof(text), "%zu GPU%s", n, n == 1 ? "" : "s");
	/* the model yields to the driver's version, and that to the model where both are too long */
	add(l, GS_ELEMENT_HEADER, all_equal ? AT(0) | AT(2) : UNTIL(3), text);
	if (n && all_equal) {
		snprintf(text, sizeof(text), "%zu GPU%s", n, n == 1 ? "" : "s");
		add(l, GS_ELEMENT_HEADER, AT(1) | AT(3), text);
	}
	if (!version)
		return;
	snprintf(text, sizeof(text), "drv %s", version);
	add(l, GS_ELEMENT_HEADER, UNTIL(2), text);
}

/* "03:14:22" */
static void local_time(struct gs_wall w, char *buf, size_t size)
{
	time_t t = (time_t)(w.ms / 1000);
	struct tm tm;

	buf[0] = '\0';
	if (localtime_r(&t, &tm))
		strftime(buf, size, "%H:%M:%S", &tm);
}

/* What cannot be seen, for the brackets, and that shorter; false when nothing is missing. */
static bool what_is_missing(const struct gs_model *m, const struct gs_snapshot *s, char *buf, size_t size, char *brief, size_t brief_size)
{
	bool places = false, holders = false;
	struct gs_wall at;
	char when[16], places_text[64] = "";

	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(s, i);

		places = places || (gs_mode_has_mig(gpu->mode) && !gpu->placements_visible);
		holders = holders || !gpu->holders_visible;
	}
	if (places) {
		snprintf(places_text, sizeof(places_text), "places unknown");
	} else if (gs_snapshot_published(s, &at)) {
		/* a layout that somebody else published is as good as it is fresh */
		snprintf(places_text, sizeof(places_text), "places %s old", gs_age_format(m->wall.ms - at.ms, when, sizeof(when)));
	}
	/* short where both are missing: a monitor of 80 columns says why too */
	if (places && holders)
		snprintf(buf, size, "places, holders hidden");
	else
		snprintf(buf, size, "%s%s%s", places_text, *places_text && holders ? ", " : "", holders ? "holders hidden" : "");
	/* that places are as old as a moment is the least of it */
	snprintf(brief, brief_size, "%s", holders ? "holders hidden" : "places");
	return places || holders || *places_text;
}

static void add_rights(struct parts *l, const struct gs_model *m)
{
	char missing[128], brief[32], text[160];
	bool partial = m->snapshot && what_is_missing(m, m->snapshot, missing, sizeof(missing), brief, sizeof(brief));

	if (m->agent_gone)
		add(l, GS_ELEMENT_HEADER_WARNING, ALWAYS, "AGENT GONE");
	if (m->read_only)
		add(l, GS_ELEMENT_HEADER_WARNING, ALWAYS, "READ-ONLY");
	if (partial) {
		add(l, GS_ELEMENT_HEADER_WARNING, ALWAYS, "PARTIAL VIEW");
		snprintf(text, sizeof(text), "(%s)", missing);
		add(l, GS_ELEMENT_HEADER_WARNING, UNTIL(7), text);
		snprintf(text, sizeof(text), "(%s)", brief);
		add(l, GS_ELEMENT_HEADER_WARNING, AT(7) | AT(8), text);
		/* the hint line says it too */
		if (!m->read_only && !m->privileged)
			add(l, GS_ELEMENT_HEADER, UNTIL(5), "!: sudo");
	} else if (!m->read_only && m->snapshot) {
		add(l, GS_ELEMENT_HEADER, ALWAYS, m->privileged ? "root" : "no root");
	}
}

static bool stages(const struct gs_model *m, const char *verb)
{
	for (size_t i = 0; i < m->n_staged; i++)
		if (gs_str_starts(m->staged[i].text, verb))
			return true;
	return false;
}

static void add_staged(struct parts *l, const struct gs_model *m)
{
	uint32_t created = 0, deleted = 0;
	char text[64];

	if (!m->n_staged)
		return;
	gs_model_counts(m, &created, &deleted);
	if (!created && !deleted && (stages(m, "mode ") || stages(m, "vfs ") || stages(m, "set ")))
		snprintf(text, sizeof(text), "STAGED %s", stages(m, "mode ") ? "mode" : stages(m, "vfs ") ? "VFs" : "settings");
	else
		snprintf(text, sizeof(text), "STAGED +%u -%u", created, deleted);
	add(l, GS_ELEMENT_HEADER_STAGED, ALWAYS, text);
	/* where room is short, STAGED has said it */
	add(l, GS_ELEMENT_HEADER_WARNING, m->n_unsaved || m->n_drifted ? UNTIL(4) : ALWAYS, "UNWRITTEN");
}

/* Would a reboot bring back what is there? */
static void add_saved(struct parts *l, const struct gs_model *m)
{
	if (m->n_drifted)
		add(l, GS_ELEMENT_HEADER_WARNING, ALWAYS, "DRIFT");
	else if (m->n_unsaved)
		add(l, GS_ELEMENT_HEADER_WARNING, ALWAYS, "UNSAVED");
}

/* GPUs on which a write waits, or that an interrupted tool left behind: said wherever one looks. */
static void add_trouble(struct parts *l, const struct gs_snapshot *s)
{
	size_t waits = 0, stranded = 0, lost = 0, open[GS_OPEN_MAX] = { 0 };
	char text[48];

	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++) {
		open[gs_snapshot_gpu(s, i)->open_commit.state]++;
		lost += gs_snapshot_gpu(s, i)->lost != NULL;
		waits += gs_snapshot_gpu(s, i)->n_writes > 0;
		stranded += gs_snapshot_gpu(s, i)->stranded && !gs_snapshot_gpu(s, i)->n_writes;
	}
	for (int state = GS_OPEN_NONE + 1; state < GS_OPEN_MAX; state++) {
		if (!open[state])
			continue;
		snprintf(text, sizeof(text), "%zu %s", open[state], gs_part_open_word((enum gs_open_state)state));
		add(l, GS_ELEMENT_HEADER_WARNING, ALWAYS, text);
	}
	if (lost) {
		snprintf(text, sizeof(text), "%zu LOST", lost);
		add(l, GS_ELEMENT_HEADER_WARNING, ALWAYS, text);
	}
	if (waits) {
		snprintf(text, sizeof(text), "%zu WAITS", waits);
		add(l, GS_ELEMENT_HEADER_WARNING, ALWAYS, text);
	}
	if (stranded) {
		snprintf(text, sizeof(text), "%zu STRANDED", stranded);
		add(l, GS_ELEMENT_HEADER_WARNING, ALWAYS, text);
	}
}

static bool is_shown(const struct part *p, int step)
{
	return p->steps >> step & 1;
}

static int columns_of(const struct parts *l, int step, int gap)
{
	int n = 1 - gap;

	for (size_t i = 0; i < l->n; i++) {
		if (is_shown(&l->items[i], step))
			n += gs_text_width(l->items[i].text) + gap;
	}
	return n;
}

/* The first step at which all that it shows finds room. */
static void save_room(const struct parts *l, int columns, int *ret_step, int *ret_gap)
{
	for (int step = 0; step < STEPS; step++) {
		*ret_step = step;
		*ret_gap = 2;
		if (columns_of(l, step, 2) <= columns)
			return;
		*ret_gap = 1;
		if (step == CLOSER && columns_of(l, step, 1) <= columns)
			return;
	}
}

void gs_view_header(const struct gs_view *v)
{
	const struct gs_model *m = v->m;
	struct gs_rect r = v->geo.header;
	struct parts l = { .n = 0 };
	int step, gap, at = 1;
	char clock[32];

	add(&l, GS_ELEMENT_HEADER, ALWAYS, "gpuslice");
	add(&l, GS_ELEMENT_HEADER, ALWAYS, *m->host ? m->host : m->snapshot ? gs_snapshot_host(m->snapshot) : NULL);
	add(&l, m->source == GS_SOURCE_LIVE ? GS_ELEMENT_HEADER_LIVE : GS_ELEMENT_HEADER_SIMULATED, ALWAYS,
	    m->source == GS_SOURCE_LIVE ? "LIVE" : m->source == GS_SOURCE_SIM ? "SIMULATED" : "RECORDED");
	if (m->snapshot)
		add_machine(&l, m->snapshot);
	add_rights(&l, m);
	if (m->snapshot)
		add_trouble(&l, m->snapshot);
	add_staged(&l, m);
	add_saved(&l, m);
	if (m->show_clock) {
		local_time(m->wall, clock, sizeof(clock));
		add(&l, GS_ELEMENT_HEADER, UNTIL(6) | AT(7), clock);
	}

	save_room(&l, r.columns, &step, &gap);
	/* a long host name gives way to what must be said */
	if (columns_of(&l, step, gap) > r.columns && l.n > 1) {
		int over = columns_of(&l, step, gap) - r.columns, keep = gs_text_width(l.items[1].text) - over - 2;

		if (keep >= 1 && (size_t)keep < strlen(l.items[1].text))
			snprintf(l.items[1].text + keep, sizeof(l.items[1].text) - (size_t)keep, "..");
	}
	gs_draw_fill(v->f, r, 0, 0, 1, r.columns, GS_ELEMENT_HEADER, ' ');
	for (size_t i = 0; i < l.n; i++) {
		const struct part *p = &l.items[i];

		if (!is_shown(p, step))
			continue;
		at += gs_draw_text(v->f, r, 0, at, p->element, p->text) + gap;
	}
}
