/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_slots.c - vGPUs on their slots: counts, one size for all, VFs that are promised. */
#include "core/policy_internal.h"

#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"

static const struct gs_profile_set *slots_of(const struct gs_policy *y)
{
	return gs_layout_grid(y->d->target, y->gpu, GS_KIND_VGPU);
}

static const char *gib_text(struct gs_u64 bytes, char *buf, size_t size)
{
	if (!bytes.known)
		snprintf(buf, size, "unknown");
	else if (bytes.value % (1ull << 30))
		snprintf(buf, size, "%" PRIu64 " MiB", bytes.value >> 20);
	else
		snprintf(buf, size, "%" PRIu64 " GiB", bytes.value >> 30);
	return buf;
}

/* Does the driver take several sizes on this GPU, if it is told to? */
static bool can_mix(const struct gs_policy *y)
{
	const struct gs_setting *s = gs_gpu_setting(y->gpu, GS_SETTING_HETEROGENEOUS);

	return s && s->value && !s->fixed;
}

/* One size for all (interfaces 1.4, 2.5): what is there says which; what would do as well is of that size. */
static void report_size(struct gs_policy *y, const struct gs_want *w, const struct gs_profile *p, const struct gs_misfit_info *info,
			const struct gs_want *const *wants, const struct gs_placed *placed, size_t n)
{
	GS_STRBUF struct gs_strbuf who = GS_STRBUF_INIT;
	const struct gs_profile *first = placed[info->blockers[0]].profile;
	struct gs_finding *f = gs_policy_add(y, GS_RULE_SIZE_RULE, GS_SEVERITY_BLOCK, "-");
	char mine[32], theirs[32];
	unsigned others = 0;

	for (size_t i = 0; i < info->n_blockers && i < 4; i++)
		gs_policy_describe_blocker(y, f, wants[info->blockers[i]], &who);
	if (info->n_blockers > 4)
		gs_strbuf_printf(&who, " and %zu more", info->n_blockers - 4);
	gs_strbuf_puts(&who, "");
	if (who.failed) {
		y->failed = true;
		return;
	}
	f->text = gs_arena_printf(y->p->arena, "all vGPUs of a GPU have one framebuffer size: %s has %s, and %s there: %s", p->name,
				  gib_text(p->memory_bytes, mine, sizeof(mine)), gib_text(first->memory_bytes, theirs, sizeof(theirs)), who.text);
	gs_policy_suggest_deleting(y, f, info, wants);
	if (can_mix(y))
		gs_policy_suggest(y, f, "set %" PRIu32 " heterogeneous on, while the GPU has no vGPU: then sizes may be mixed", y->gpu->index);
	for (size_t i = 0; i < slots_of(y)->n && others < 2; i++) {
		const struct gs_profile *q = &slots_of(y)->items[i];
		uint32_t more = gs_u64_equal(q->memory_bytes, first->memory_bytes) && !q->gi_profile ? gs_placement_capacity(slots_of(y), placed, n, q) : 0;

		if (!more)
			continue;
		gs_policy_suggest(y, f, "%s has the size that is there and fits %" PRIu32 " more time%s: create %" PRIu32 " %s", q->name, more, more == 1 ? "" : "s",
				  y->gpu->index, q->name);
		others++;
	}
	f->object = gs_arena_printf(y->p->arena, "GPU %" PRIu32 " %s", y->gpu->index, p->name);
	f->pos = w->pos;
}

/* How many of @p there may be, by the size rule that the request asks for. */
static uint32_t most_of(const struct gs_policy *y, const struct gs_profile *p)
{
	return !slots_of(y)->has_one_size && p->max_mixed.known ? p->max_mixed.value : p->max_instances;
}

/* Mixed sizes: what is free is in pieces (interfaces 2.5). */
static void report_room(struct gs_policy *y, const struct gs_want *w, const struct gs_profile *p)
{
	struct gs_finding *f = gs_policy_add(y, GS_RULE_PLACEMENT_NONE, GS_SEVERITY_BLOCK,
					     "%s finds no placement id: with sizes mixed it takes %" PRIu32 " units of framebuffer in one piece, from one of %zu ids, beside what is there or asked for before",
					     p->name, p->mixed_size, p->n_mixed_ids);

	f->object = gs_arena_printf(y->p->arena, "GPU %" PRIu32 " %s", y->gpu->index, p->name);
	f->pos = w->pos;
	gs_policy_suggest(y, f, "a smaller type may fit: gpuslice profiles %" PRIu32, y->gpu->index);
}

void gs_policy_report_slot(struct gs_policy *y, const struct gs_want *w, const struct gs_profile *p, const struct gs_misfit_info *info,
			const struct gs_want *const *wants, const struct gs_placed *placed, size_t n)
{
	GS_STRBUF struct gs_strbuf who = GS_STRBUF_INIT;
	struct gs_finding *f;

	if (info->why == GS_MISFIT_SIZE) {
		report_size(y, w, p, info, wants, placed, n);
		return;
	}
	if (info->why == GS_MISFIT_ROOM) {
		report_room(y, w, p);
		return;
	}
	f = gs_policy_add(y, info->why == GS_MISFIT_COUNT ? GS_RULE_COUNT_LIMIT : GS_RULE_PLACEMENT_CONFLICT, GS_SEVERITY_BLOCK, "-");
	for (size_t i = 0; i < info->n_blockers; i++)
		gs_policy_describe_blocker(y, f, wants[info->blockers[i]], &who);
	gs_strbuf_puts(&who, "");
	if (who.failed)
		y->failed = true;
	else if (info->why == GS_MISFIT_COUNT)
		f->text = gs_arena_printf(y->p->arena, "the driver allows %" PRIu32 " vGPUs of that size on this GPU, and %zu are there or asked for before", most_of(y, p), n);
	else
		f->text = gs_arena_printf(y->p->arena, "%s cannot be created there: %s", p->name, who.length ? who.text : "the place is taken");
	f->object = gs_arena_printf(y->p->arena, "GPU %" PRIu32 " %s", y->gpu->index, p->name);
	f->units = info->units;
	f->pos = w->pos;
	gs_policy_suggest_deleting(y, f, info, wants);
}

/* Why an open request got no slot: what the lowest free one says, or that there is none. */
void gs_policy_report_no_slot(struct gs_policy *y, const struct gs_want *w, size_t times, const struct gs_profile *p, const struct gs_want *const *wants,
			   const struct gs_placed *placed, size_t n)
{
	struct gs_misfit_info info = { .why = GS_FITS };
	struct gs_finding *f;
	uint32_t avoided = 0;

	for (size_t i = 0; i < p->n_placements; i++) {
		enum gs_misfit why = gs_placement_check(slots_of(y), placed, n, p, p->placements[i].start, &info);

		if (why == GS_MISFIT_SIZE || why == GS_MISFIT_COUNT || why == GS_MISFIT_ROOM)
			break;
		avoided += why == GS_FITS;
	}
	if (info.why == GS_MISFIT_SIZE) {
		report_size(y, w, p, &info, wants, placed, n);
		return;
	}
	if (info.why == GS_MISFIT_ROOM) {
		report_room(y, w, p);
		return;
	}
	/* more than there may ever be: that some VFs are promised is not the reason then */
	if (slots_of(y)->has_one_size && p->max_instances && n + times > p->max_instances)
		info.why = GS_MISFIT_COUNT;
	f = gs_policy_add(y, info.why == GS_MISFIT_COUNT ? GS_RULE_COUNT_LIMIT : GS_RULE_PLACEMENT_NONE, GS_SEVERITY_BLOCK, "-");
	if (info.why == GS_MISFIT_COUNT)
		f->text = gs_arena_printf(y->p->arena, "the driver allows %" PRIu32 " vGPUs of the size of %s on this GPU; with %zu there or asked for before, %zu more %s not fit",
					  most_of(y, p), p->name, n, times, times == 1 ? "does" : "do");
	else if (avoided)
		f->text = gs_arena_printf(y->p->arena, "%s fits only on %" PRIu32 " VF%s that somebody has, or that work without a process yet has been promised; name one with vf N to take it",
					  p->name, avoided, avoided == 1 ? "" : "s");
	else
		f->text = gs_arena_printf(y->p->arena, "of the %s asked for %zu find%s no %s: the GPU has %zu, and all of them are taken or asked for", p->name, times, times == 1 ? "s" : "",
					  y->gpu->vfs.total.known ? "VF" : "place", p->n_placements);
	f->object = gs_arena_printf(y->p->arena, "GPU %" PRIu32 " %s", y->gpu->index, p->name);
	f->pos = w->pos;
}
