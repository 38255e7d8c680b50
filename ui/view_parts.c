/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ui/view_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"

/* ---------------------------------------------------------------- pieces */

void gs_part_rule(const struct gs_view *v, struct gs_rect rect, int row, enum gs_element el, const char *title, const char *right)
{
	int width = rect.columns, used = 3;

	gs_draw_fill(v->f, rect, row, 0, 1, width, GS_ELEMENT_RULE, v->g->rule);
	if (title && *title) {
		gs_draw_text(v->f, rect, row, 2, el, " ");
		used += gs_draw_fit(v->f, rect, row, 3, width - 6, el, title);
		gs_draw_text(v->f, rect, row, used, el, " ");
		used++;
	}
	if (right && *right) {
		int n = gs_text_width(right), room = width - used - 6;

		/* cut rather than dropped, as long as a word or two of it are left */
		n = n > room ? room : n;
		if (n >= 12 || n == gs_text_width(right)) {
			gs_draw_text(v->f, rect, row, width - n - 4, el, " ");
			gs_draw_fit(v->f, rect, row, width - n - 3, n, el, right);
			gs_draw_text(v->f, rect, row, width - 3, el, " ");
		}
	}
}

void gs_part_meter(const struct gs_view *v, struct gs_rect rect, int row, int column, int width, enum gs_element el, uint64_t used, uint64_t total)
{
	int room = width - 2, full;

	if (room < 1)
		return;
	/* by division first: bytes times columns would not overflow on any GPU, but files may say anything */
	full = total ? (int)((double)used / (double)total * room + 0.5) : 0;
	full = full > room ? room : full;
	gs_draw_text(v->f, rect, row, column, el, "[");
	gs_draw_fill(v->f, rect, row, column + 1, 1, full, GS_ELEMENT_METER, v->g->meter_full);
	gs_draw_fill(v->f, rect, row, column + 1 + full, 1, room - full, GS_ELEMENT_DIM, v->g->meter_empty);
	gs_draw_text(v->f, rect, row, column + 1 + room, el, "]");
}

/* ---------------------------------------------------------------- words */

const char *gs_part_gib(struct gs_u64 bytes, char *buf, size_t size)
{
	double gib = (double)bytes.value / (1024.0 * 1024 * 1024);

	if (!bytes.known)
		snprintf(buf, size, "-");
	else if (gib < 99.95)
		snprintf(buf, size, "%.1f", gib);
	else
		snprintf(buf, size, "%.0f", gib);
	return buf;
}

const char *gs_part_pci(struct gs_bdf bdf, char *buf, size_t size)
{
	char text[GS_BDF_TEXT];

	gs_bdf_format(bdf, text);
	snprintf(buf, size, "%s", bdf.domain || strlen(text) < 6 ? text : text + 5);
	return buf;
}

const char *gs_part_model(const char *name)
{
	if (!name)
		return "GPU";
	return gs_str_starts(name, "NVIDIA ") ? name + 7 : name;
}

#define HOLDERS_MAX 64

const char *gs_part_holder_name(const struct gs_holder *h)
{
	bool is_person = h->kind == GS_HOLDER_PROCESS && h->user && strcmp(h->user, "root") != 0;

	return is_person ? h->user : h->name ? h->name : h->user ? h->user : gs_holder_kind_name(h->kind);
}

const char *gs_part_mode_words(const struct gs_gpu *gpu, enum gs_mode mode)
{
	switch (mode) {
	case GS_MODE_WHOLE:
		return gpu->n_instances && gpu->instances[0]->kind == GS_KIND_PARTITION ? "partitions" : "whole";
	case GS_MODE_MIG:
		return "MIG";
	case GS_MODE_VGPU:
		return "vGPU";
	case GS_MODE_MIG_VGPU:
		return "MIG with vGPUs";
	case GS_MODE_SRIOV:
		return "SR-IOV";
	case GS_MODE_PASSTHROUGH:
		return "passthrough";
	default:
		return "mode unknown";
	}
}

const char *gs_part_age(const struct gs_model *m, struct gs_wall since, char *buf, size_t size)
{
	long long s = (long long)(m->wall.ms - since.ms) / 1000;

	if (!since.ms || !m->wall.ms || s < 0)
		snprintf(buf, size, "?");
	else if (s < 3600)
		snprintf(buf, size, "%lld:%02lld", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buf, size, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
	else
		snprintf(buf, size, "%lld days", s / 86400);
	return buf;
}

const char *gs_part_open_word(enum gs_open_state state)
{
	return state == GS_OPEN_UNDER_WAY ? "UNDER WAY" : state == GS_OPEN_INTERRUPTED ? "INTERRUPTED" : "HALF DONE";
}

bool gs_part_trouble(const struct gs_model *m, const struct gs_gpu *gpu, char *buf, size_t size)
{
	const struct gs_pending_write *w = gpu->n_writes ? gpu->writes[0] : NULL;
	char age[32], pci[GS_BDF_TEXT], more[32] = "", text[600];

	if (w && gs_write_is_call(w)) {
		snprintf(buf, size, "%s waits %s in the driver (collector pid %u); it cannot be interrupted, dmesg may say why", w->value, gs_part_age(m, w->since, age, sizeof(age)), w->pid);
		return true;
	}
	if (w) {
		if (gpu->n_writes > 1)
			snprintf(more, sizeof(more), ", and %zu more", gpu->n_writes - 1);
		const char *slash = w->path ? strrchr(w->path, '/') : NULL;

		snprintf(buf, size, "%s of %s waits %s in the kernel%s%s; it happens when that lets go%s", slash ? slash + 1 : w->path ? w->path : "a write",
			 gs_part_pci(w->function, pci, sizeof(pci)), gs_part_age(m, w->since, age, sizeof(age)), w->waits_for ? " for " : ", for whom is not known",
			 w->waits_for ? w->waits_for : "", more);
		return true;
	}
	if (gpu->open_commit.state != GS_OPEN_NONE) {
		snprintf(buf, size, "%s%s: %s", gs_part_open_word(gpu->open_commit.state), m->read_only || gpu->open_commit.state == GS_OPEN_UNDER_WAY ? "" : ", I shows it",
			 gs_gpu_open_commit_text(gpu, text, sizeof(text)));
		return true;
	}
	if (gpu->stranded) {
		snprintf(buf, size, "STRANDED: %s", gpu->stranded);
		return true;
	}
	return false;
}

bool gs_part_holder_counts(const struct gs_holder *h)
{
	return !h->yields && h->kind != GS_HOLDER_MODULE;
}

/* Daemons that watch every GPU (persistenced, DCGM) are named only when nobody else is there. */
static bool is_service(const struct gs_holder *h)
{
	const char *dot = h->unit ? strrchr(h->unit, '.') : NULL;

	if (h->kind == GS_HOLDER_UNIT)
		return true;
	return h->kind == GS_HOLDER_PROCESS && dot && !strcmp(dot, ".service") && (!h->uid.known || h->uid.value < 1000);
}

bool gs_part_gpu_is_used(const struct gs_gpu *gpu)
{
	for (size_t i = 0; i < gpu->n_holders; i++) {
		if (gs_part_holder_counts(gpu->holders[i]) && !is_service(gpu->holders[i]))
			return true;
	}
	for (size_t i = 0; i < gpu->n_instances; i++) {
		if (gs_instance_is_held(gpu->instances[i]))
			return true;
	}
	for (size_t i = 0; i < gpu->vfs.n_functions; i++) {
		if (gpu->vfs.functions[i]->n_holders)
			return true;
	}
	return false;
}

char gs_part_mark(const struct gs_gpu *gpu, const struct gs_instance *inst)
{
	const struct gs_holder *who[HOLDERS_MAX];
	size_t n = gs_model_holders_at(gpu, inst, NULL, who, HOLDERS_MAX);
	char mark = 0;

	for (size_t i = 0; i < n; i++) {
		if (!gs_part_holder_counts(who[i]))
			continue;
		if (who[i]->kind != GS_HOLDER_CLAIM)
			return '*';
		mark = 'c';
	}
	if (!mark && !gpu->holders_visible)
		return '?';
	return mark;
}

#define NAMES_MAX 32

struct names {
	const char *items[NAMES_MAX];
	size_t n, more;
};

static void add_name(struct names *l, const char *name)
{
	if (!name || !*name)
		return;
	for (size_t i = 0; i < l->n; i++) {
		if (!strcmp(l->items[i], name))
			return;
	}
	if (l->n < NAMES_MAX)
		l->items[l->n++] = name;
	else
		l->more++;
}

static void add_holders(struct names *l, struct gs_holder *const *holders, size_t n, bool services, bool vf)
{
	for (size_t i = 0; i < n; i++) {
		const struct gs_holder *h = holders[i];
		bool is_person = h->kind == GS_HOLDER_PROCESS && h->user && strcmp(h->user, "root") != 0;

		/* it keeps every GPU open by design and says nothing about any */
		if (services && h->name && !strncmp(h->name, "nvidia-persiste", 15))
			continue;
		if (gs_part_holder_counts(h) && (h->kind != GS_HOLDER_CLAIM || !vf) && is_service(h) == services)
			add_name(l, is_person && !services ? h->user : h->name ? h->name : h->user);
	}
}

/* Names with commas, as many as fit; the others as a number. */
static const char *join_names(const struct names *l, int width, char *buf, size_t size)
{
	size_t shown = l->n;

	for (;;) {
		size_t left = l->n - shown + l->more;
		size_t at = 0;

		buf[0] = '\0';
		for (size_t i = 0; i < shown && at < size; i++)
			at += (size_t)snprintf(buf + at, size - at, "%s%s", i ? ", " : "", l->items[i]);
		if (left && at < size)
			snprintf(buf + at, size - at, " +%zu", left);
		if (shown <= 1 || gs_text_width(buf) <= width)
			return buf;
		shown--;
	}
}

const char *gs_part_who(const struct gs_gpu *gpu, int width, char *buf, size_t size)
{
	struct names l = { .n = 0 };
	bool services = false;
	size_t at;

	for (int pass = 0; pass < 2 && !l.n; pass++) {
		services = pass > 0;
		for (size_t i = 0; i < gpu->n_instances; i++)
			add_holders(&l, gpu->instances[i]->holders, gpu->instances[i]->n_holders, services, false);
		/* a VM that is off and names a VF is nobody yet */
		for (size_t i = 0; i < gpu->vfs.n_functions; i++)
			add_holders(&l, gpu->vfs.functions[i]->holders, gpu->vfs.functions[i]->n_holders, services, true);
		add_holders(&l, gpu->holders, gpu->n_holders, services, false);
	}
	if (!l.n) {
		snprintf(buf, size, "%s", gpu->holders_visible ? "-" : "?");
		return buf;
	}
	if (!services || size < 8)
		return join_names(&l, width, buf, size);
	/* daemons only: in brackets, since nobody's work is there */
	buf[0] = '[';
	join_names(&l, width - 2, buf + 1, size - 2);
	at = strlen(buf);
	/* the bracket stays when the first name alone is too wide */
	if (width > 8 && gs_text_width(buf) + 1 > width && l.n) {
		char more[24] = "";

		if (l.n - 1 + l.more)
			snprintf(more, sizeof(more), " +%zu", l.n - 1 + l.more);
		snprintf(buf + 1, size - 2, "%.*s%s", width - 2 - (int)strlen(more), l.items[0], more);
		at = strlen(buf);
	}
	buf[at] = ']';
	buf[at + 1] = '\0';
	return buf;
}

const char *gs_part_daemons(const struct gs_gpu *gpu, int width, char *buf, size_t size)
{
	struct names l = { .n = 0 };
	char stems[NAMES_MAX][64];

	buf[0] = '\0';
	for (size_t i = 0; i < gpu->n_holders && l.n < NAMES_MAX; i++) {
		const struct gs_holder *h = gpu->holders[i];
		const char *name = h->unit ? h->unit : h->name, *end = name ? strrchr(name, '.') : NULL;

		if (!name || !gs_part_holder_counts(h) || !is_service(h))
			continue;
		/* the name of the unit: that of the process ends after 15 bytes */
		snprintf(stems[l.n], sizeof(stems[0]), "%.*s", end && !strcmp(end, ".service") ? (int)(end - name) : (int)strlen(name), name);
		add_name(&l, stems[l.n]);
	}
	return l.n ? join_names(&l, width, buf, size) : buf;
}

/* "alice  48211 python3  slurm 88121", with less of it where it is narrow. */
static void name_holder(const struct gs_holder *h, size_t others, int width, char *buf, size_t size)
{
	const char *who = h->user ? h->user : h->name ? h->name : gs_holder_kind_name(h->kind);
	const char *name = h->name && h->name != who ? h->name : "";
	char more[24] = "", pid[24] = "";

	if (others)
		snprintf(more, sizeof(more), " +%zu", others);
	if (h->pid.known)
		snprintf(pid, sizeof(pid), "%u", h->pid.value);
	snprintf(buf, size, "%s  %s%s%s%s%s%s", who, pid, *pid && *name ? " " : "", name, more, h->unit ? "  " : "", h->unit ? h->unit : "");
	if (gs_text_width(buf) > width)
		snprintf(buf, size, "%s  %s%s%s%s", who, pid, *pid && *name ? " " : "", name, more);
	if (gs_text_width(buf) > width)
		snprintf(buf, size, "%s %s%s", who, pid, more);
	if (gs_text_width(buf) > width)
		snprintf(buf, size, "%s%s", who, more);
}

const char *gs_part_holders(const struct gs_gpu *gpu, const struct gs_instance *inst, int width, char *buf, size_t size)
{
	const struct gs_holder *first = NULL, *who[HOLDERS_MAX];
	size_t n = 0, all = gs_model_holders_at(gpu, inst, NULL, who, HOLDERS_MAX);

	for (size_t i = 0; i < all; i++) {
		if (!gs_part_holder_counts(who[i]))
			continue;
		if (!first)
			first = who[i];
		n++;
	}
	if (first)
		name_holder(first, n - 1, width, buf, size);
	else
		snprintf(buf, size, "%s", gpu->holders_visible ? "idle" : width < 14 ? "hidden" : "holders hidden");
	return buf;
}
