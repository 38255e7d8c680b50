/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor_holders.c - checks of who is on the GPUs: services that a commit may stop, and work that it may not. */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "core/doctor_private.h"
#include "core/who.h"

#define NAMES_MAX 3

static const struct gs_service *service_of(const struct gs_doctor_exam *x, const struct gs_holder *h)
{
	for (size_t i = 0; h->unit && i < x->n_services; i++)
		if (fnmatch(x->services[i].unit, h->unit, 0) == 0)
			return &x->services[i];
	return NULL;
}

/* The graver verdict over the changes that cut this GPU; passthrough gives it away and is no cut. */
static enum gs_who_verdict verdict_of(const struct gs_gpu *gpu, const struct gs_holder *h, struct gs_who_place place)
{
	bool has_modes = gpu->modes & (1u << GS_MODE_MIG | 1u << GS_MODE_VGPU | 1u << GS_MODE_SRIOV) || gs_gpu_setting(gpu, "compute-partition");
	enum gs_who_verdict mode = has_modes ? gs_who_judge(gpu, h, place, GS_WHO_OP_MODE, NULL) : GS_WHO_VERDICT_NO;
	enum gs_who_verdict vfs = gpu->vfs.by == GS_VFS_BY_NOBODY ? GS_WHO_VERDICT_NO : gs_who_judge(gpu, h, place, GS_WHO_OP_VFS, NULL);

	if (gpu->mode == GS_MODE_PASSTHROUGH)
		return GS_WHO_VERDICT_YES;
	if (mode == GS_WHO_VERDICT_CLAIM || mode == GS_WHO_VERDICT_YES)
		return mode;
	return vfs == GS_WHO_VERDICT_NO || (vfs == GS_WHO_VERDICT_YIELDS && mode != GS_WHO_VERDICT_NO) ? mode : vfs;
}

static bool blocks(enum gs_who_verdict v)
{
	return v == GS_WHO_VERDICT_YES || v == GS_WHO_VERDICT_CLAIM;
}

/* One service over all GPUs: the GPUs that it has, as "0-3, 7". */
struct unit {
	bool is_blocking;
	struct gs_strbuf gpus;
	uint32_t first, last;
	bool has_range;
};

static void end_range(struct unit *u)
{
	if (!u->has_range)
		return;
	gs_strbuf_printf(&u->gpus, "%s%u", u->gpus.length ? ", " : "", u->first);
	if (u->last > u->first)
		gs_strbuf_printf(&u->gpus, "%s%u", u->last == u->first + 1 ? ", " : "-", u->last);
	u->has_range = false;
}

static void add_gpu(struct unit *u, uint32_t index)
{
	if (u->has_range && (index == u->last || index == u->last + 1)) {
		u->last = index;
		return;
	}
	end_range(u);
	u->first = u->last = index;
	u->has_range = true;
}

/* Is @unit met for the first time at (@gpu, @holder)? Snapshots are small; nothing is remembered. */
static bool is_first(const struct gs_doctor_exam *x, const struct gs_gpu *gpu, size_t holder)
{
	const char *unit = gpu->holders[holder]->unit;

	for (size_t g = 0; g <= gpu->index; g++) {
		const struct gs_gpu *other = gs_snapshot_gpu(x->s, g);

		for (size_t i = 0; i < (other == gpu ? holder : other->n_holders); i++)
			if (gs_str_equal(other->holders[i]->unit, unit))
				return false;
	}
	return true;
}

static void report_unit(struct gs_doctor_exam *x, const char *name)
{
	struct unit u = { .gpus = GS_STRBUF_INIT };
	char remedy[320];

	for (size_t g = 0; g < gs_snapshot_n_gpus(x->s); g++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(x->s, g);

		for (size_t i = 0; i < gpu->n_holders; i++) {
			if (!gs_str_equal(gpu->holders[i]->unit, name))
				continue;
			add_gpu(&u, gpu->index);
			u.is_blocking = u.is_blocking || blocks(verdict_of(gpu, gpu->holders[i], (struct gs_who_place){ 0 }));
		}
	}
	end_range(&u);
	snprintf(remedy, sizeof(remedy), "gpuslice apply FILE --disrupt unit:%s", name);
	gs_doctor_add(x, u.is_blocking ? GS_DOCTOR_PROBLEM : GS_DOCTOR_NOTE, NULL, remedy, "%s holds GPU%s %s open%s; a commit that names it stops it and starts it again",
		      name, u.gpus.text && strpbrk(u.gpus.text, ",-") ? "s" : "", u.gpus.text ? u.gpus.text : "?", u.is_blocking ? " and stands in the way of a change" : ", and a change may have to wait for it");
	gs_strbuf_done(&u.gpus);
}

void gs_doctor_check_services(struct gs_doctor_exam *x)
{
	for (size_t g = 0; g < gs_snapshot_n_gpus(x->s); g++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(x->s, g);

		for (size_t i = 0; i < gpu->n_holders; i++) {
			if (service_of(x, gpu->holders[i]) && is_first(x, gpu, i))
				report_unit(x, gpu->holders[i]->unit);
		}
	}
}

/* Names the first few of those that block and counts the rest. */
static void check_holders_of(struct gs_doctor_exam *x, const struct gs_gpu *gpu, const struct gs_who_entry *entries, size_t n)
{
	GS_STRBUF struct gs_strbuf names = GS_STRBUF_INIT;
	char remedy[80], label[160];
	size_t n_blocking = 0;

	for (size_t i = 0; i < n; i++) {
		const struct gs_holder *h = entries[i].holder;

		if (!h || service_of(x, h) || !blocks(verdict_of(gpu, h, entries[i].place)))
			continue;
		if (n_blocking++ < NAMES_MAX)
			gs_strbuf_printf(&names, "%s%s", names.length ? ", " : "", gs_holder_label(h, label, sizeof(label)));
	}
	if (!n_blocking)
		return;
	if (n_blocking > NAMES_MAX)
		gs_strbuf_printf(&names, " and %zu more", n_blocking - NAMES_MAX);
	snprintf(remedy, sizeof(remedy), "gpuslice who %u", gpu->index);
	gs_doctor_add(x, GS_DOCTOR_PROBLEM, gpu, remedy, "in use: its mode cannot change under %s", names.text ? names.text : "?");
}

void gs_doctor_check_holders(struct gs_doctor_exam *x)
{
	for (size_t g = 0; g < gs_snapshot_n_gpus(x->s); g++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(x->s, g);
		struct gs_who_entry *entries;
		size_t n;

		if (gs_who_list(gpu, GS_WHO_OP_MODE, x->arena, &entries, &n) == 0)
			check_holders_of(x, gpu, entries, n);
	}
}
