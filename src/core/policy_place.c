/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_place.c - what fits, what is in the way, and what would do as well. */
#include "core/policy_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"

/* The instance that stands where a want stands, or NULL for one that is itself only asked for. */
static const struct gs_instance *instance_of(const struct gs_gpu *gpu, const struct gs_want *w)
{
	return w->instance_id.known && w->start.known ? gs_gpu_instance_at(gpu, w->profile, w->start.value) : NULL;
}

/* "VF 3", or "mdev 12345678" */
static void describe_slot(struct gs_policy *y, const struct gs_want *w, struct gs_strbuf *b)
{
	if (y->gpu->vfs.total.known)
		gs_strbuf_printf(b, "%sVF %" PRIu32, b->length ? ", " : "", w->start.value);
	else
		gs_strbuf_printf(b, "%smdev %.8s", b->length ? ", " : "", w->uuid ? w->uuid : "new");
}

static void describe_blocker(struct gs_policy *y, struct gs_finding *f, const struct gs_want *w, struct gs_strbuf *b)
{
	const struct gs_instance *inst = instance_of(y->gpu, w);
	const struct gs_profile *p = gs_want_profile(w, y->gpu);
	struct gs_span span = { w->start.value, 0 };
	char label[160];
	bool first = true;

	gs_profile_placement_at(p, w->start.value, &span);
	if (w->kind == GS_KIND_VGPU)
		describe_slot(y, w, b);
	else if (span.size > 1)
		gs_strbuf_printf(b, "%s%" PRIu32 "-%" PRIu32, b->length ? ", " : "", span.start, span.start + span.size - 1);
	else
		gs_strbuf_printf(b, "%s%" PRIu32, b->length ? ", " : "", span.start);
	if (!inst && w->kind == GS_KIND_VGPU) {
		gs_strbuf_printf(b, " is asked for by %s", w->profile);
		return;
	}
	if (!inst) {
		gs_strbuf_printf(b, " is asked for by %s at %" PRIu32, w->profile, w->start.value);
		return;
	}
	if (w->kind == GS_KIND_VGPU)
		gs_strbuf_printf(b, " carries %s", inst->profile);
	else
		gs_strbuf_printf(b, " is held by GI %" PRIu32 " %s", inst->id, inst->profile);
	for (size_t i = 0; i < inst->n_holders; i++) {
		if (inst->holders[i]->yields)
			continue;
		gs_strbuf_printf(b, "%s%s", first ? " (" : ", ", gs_holder_label(inst->holders[i], label, sizeof(label)));
		first = false;
		gs_policy_add_holder(y, f, inst->holders[i]);
	}
	if (gs_instance_is_held(inst))
		gs_strbuf_puts(b, ")");
	else
		gs_strbuf_puts(b, " (idle)");
}

/* What would do as well: the same profile elsewhere, then the largest others that fit somewhere. */
static void suggest_places(struct gs_policy *y, struct gs_finding *f, const struct gs_profile *p, const struct gs_placed *planned, size_t n_planned)
{
	struct gs_placed placed[GS_PLACED_MAX];
	uint32_t starts[GS_PLACEMENTS_MAX];
	size_t n = n_planned, found;
	unsigned others = 0;

	memcpy(placed, planned, n * sizeof(*placed));
	/* a place that is free only because somebody has to leave it stops somebody */
	for (size_t i = 0; i < y->gpu->n_instances && n < GS_PLACED_MAX; i++) {
		const struct gs_instance *inst = y->gpu->instances[i];
		const struct gs_profile *q = inst->kind == GS_KIND_MIG ? gs_profile_by_name(&y->gpu->grids[GS_KIND_MIG], inst->profile) : NULL;

		if (q && inst->start.known && gs_instance_is_held(inst))
			placed[n++] = (struct gs_placed){ q, inst->start.value };
	}
	found = gs_placement_free_starts(&y->gpu->grids[GS_KIND_MIG], placed, n, p, starts);

	if (found) {
		gs_policy_suggest(y, f, "%s fits at %" PRIu32 " and stops nobody: create %" PRIu32 " %s at %" PRIu32, p->name, starts[0], y->gpu->index, p->name, starts[0]);
		return;
	}
	for (size_t i = y->gpu->grids[GS_KIND_MIG].n; i-- > 0 && others < 2;) {
		const struct gs_profile *q = &y->gpu->grids[GS_KIND_MIG].items[i];

		if (q == p || *gs_profile_suffix(q) || q->compute_slices > p->compute_slices)
			continue;
		found = gs_placement_free_starts(&y->gpu->grids[GS_KIND_MIG], placed, n, q, starts);
		if (!found)
			continue;
		gs_policy_suggest(y, f, "%s fits at %" PRIu32 " and stops nobody: create %" PRIu32 " %s at %" PRIu32, q->name, starts[0], y->gpu->index, q->name, starts[0]);
		others++;
	}
}

static void describe_starts(const struct gs_profile *p, struct gs_strbuf *b)
{
	for (size_t i = 0; i < p->n_placements; i++)
		gs_strbuf_printf(b, "%s%" PRIu32, !i ? "" : i + 1 == p->n_placements ? " or " : ", ", p->placements[i].start);
	gs_strbuf_puts(b, "");
}

static void report_misfit(struct gs_policy *y, const struct gs_want *w, const struct gs_profile *p, uint32_t start, const struct gs_misfit_info *info,
			  const struct gs_want *const *wants, const struct gs_placed *placed, size_t n)
{
	GS_STRBUF struct gs_strbuf who = GS_STRBUF_INIT, where = GS_STRBUF_INIT;
	enum gs_rule rule = info->why == GS_MISFIT_COUNT ? GS_RULE_COUNT_LIMIT : info->why == GS_MISFIT_ENGINES ? GS_RULE_ENGINES : GS_RULE_PLACEMENT_CONFLICT;
	struct gs_finding *f = gs_policy_add(y, rule, GS_SEVERITY_BLOCK, "-");

	for (size_t i = 0; i < info->n_blockers; i++)
		describe_blocker(y, f, wants[info->blockers[i]], &who);
	gs_strbuf_puts(&who, "");
	describe_starts(p, &where);
	if (who.failed || where.failed) {
		y->failed = true;
		return;
	}
	switch (info->why) {
	case GS_MISFIT_COUNT:
		if (y->gpu->grids[GS_KIND_MIG].max_instances && n >= y->gpu->grids[GS_KIND_MIG].max_instances)
			f->text = gs_arena_printf(y->p->arena, "the driver allows %" PRIu32 " instances on this GPU", y->gpu->grids[GS_KIND_MIG].max_instances);
		else
			f->text = gs_arena_printf(y->p->arena, "the driver allows %" PRIu32 " of %s on this GPU", p->max_instances, p->name);
		break;
	case GS_MISFIT_ENGINES:
		f->text = gs_arena_printf(y->p->arena, "%s at %" PRIu32 " needs a media engine that is given out: %s", p->name, start, who.text);
		break;
	default:
		f->text = gs_arena_printf(y->p->arena, "%s cannot be created at %" PRIu32 " (it can start %sat %s); %s", p->name, start, p->n_placements == 1 ? "only " : "",
					  where.text, who.text);
		break;
	}
	f->object = gs_arena_printf(y->p->arena, "GPU %" PRIu32 " %s@%" PRIu32, y->gpu->index, p->name, start);
	f->units = info->units;
	f->pos = w->pos;
	suggest_places(y, f, p, placed, n);
}

/* Requests of the same profile without a place are told as one. */
static bool open_before(const struct gs_layout_gpu *t, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!t->wants[k].start.known && gs_str_equal(t->wants[k].profile, t->wants[i].profile))
			return true;
	return false;
}

static size_t open_like(const struct gs_layout_gpu *t, size_t i)
{
	size_t n = 0;

	for (size_t k = 0; k < t->n_wants; k++)
		n += !t->wants[k].start.known && gs_str_equal(t->wants[k].profile, t->wants[i].profile);
	return n;
}

/* A request without a place: say what is in the way at each start that it could have. */
static void report_unplaced(struct gs_policy *y, const struct gs_want *w, size_t times, const struct gs_profile *p, const struct gs_want *const *wants,
			    const struct gs_placed *placed, size_t n)
{
	GS_STRBUF struct gs_strbuf text = GS_STRBUF_INIT, last = GS_STRBUF_INIT;
	struct gs_finding *f = gs_policy_add(y, GS_RULE_PLACEMENT_NONE, GS_SEVERITY_BLOCK, "-");

	if (times > 1)
		gs_strbuf_printf(&text, "%zu of %s fit nowhere", times, p->name);
	else
		gs_strbuf_printf(&text, "%s fits nowhere", p->name);
	if (!p->n_placements)
		gs_strbuf_puts(&text, ": where it may start is not known");
	for (size_t i = 0; i < p->n_placements; i++) {
		GS_STRBUF struct gs_strbuf who = GS_STRBUF_INIT;
		struct gs_misfit_info info;

		gs_placement_check(&y->gpu->grids[GS_KIND_MIG], placed, n, p, p->placements[i].start, &info);
		for (size_t k = 0; k < info.n_blockers; k++)
			describe_blocker(y, f, wants[info.blockers[k]], &who);
		if (info.why == GS_MISFIT_COUNT)
			gs_strbuf_printf(&who, "no more than %" PRIu32 " are allowed", p->max_instances);
		if (!who.length)
			gs_strbuf_puts(&who, "another open request needs it");
		f->units |= info.units;
		/* seven starts behind one instance are said once */
		if (last.length && gs_str_equal(who.text, last.text))
			continue;
		gs_strbuf_printf(&text, "%s from %" PRIu32 " on %s", i ? "," : ":", p->placements[i].start, who.text);
		gs_strbuf_clear(&last);
		gs_strbuf_puts(&last, who.text ? who.text : "");
	}
	if (text.failed)
		y->failed = true;
	else
		f->text = gs_arena_strdup(y->p->arena, text.text);
	f->object = gs_arena_printf(y->p->arena, "GPU %" PRIu32 " %s", y->gpu->index, p->name);
	f->pos = w->pos;
	suggest_places(y, f, p, placed, n);
}

/* ---------------------------------------------------------------- vGPUs: slots, counts, sizes */

static const struct gs_profile_set *slots_of(const struct gs_policy *y)
{
	return &y->gpu->grids[GS_KIND_VGPU];
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
		describe_blocker(y, f, wants[info->blockers[i]], &who);
	if (info->n_blockers > 4)
		gs_strbuf_printf(&who, " and %zu more", info->n_blockers - 4);
	gs_strbuf_puts(&who, "");
	if (who.failed) {
		y->failed = true;
		return;
	}
	f->text = gs_arena_printf(y->p->arena, "all vGPUs of a GPU have one framebuffer size: %s has %s, and %s there: %s", p->name,
				  gib_text(p->memory_bytes, mine, sizeof(mine)), gib_text(first->memory_bytes, theirs, sizeof(theirs)), who.text);
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

static void report_slot(struct gs_policy *y, const struct gs_want *w, const struct gs_profile *p, const struct gs_misfit_info *info,
			const struct gs_want *const *wants, const struct gs_placed *placed, size_t n)
{
	GS_STRBUF struct gs_strbuf who = GS_STRBUF_INIT;
	struct gs_finding *f;

	if (info->why == GS_MISFIT_SIZE) {
		report_size(y, w, p, info, wants, placed, n);
		return;
	}
	f = gs_policy_add(y, info->why == GS_MISFIT_COUNT ? GS_RULE_COUNT_LIMIT : GS_RULE_PLACEMENT_CONFLICT, GS_SEVERITY_BLOCK, "-");
	for (size_t i = 0; i < info->n_blockers; i++)
		describe_blocker(y, f, wants[info->blockers[i]], &who);
	gs_strbuf_puts(&who, "");
	if (who.failed)
		y->failed = true;
	else if (info->why == GS_MISFIT_COUNT)
		f->text = gs_arena_printf(y->p->arena, "the driver allows %" PRIu32 " vGPUs of that size on this GPU, and %zu are there or asked for before", p->max_instances, n);
	else
		f->text = gs_arena_printf(y->p->arena, "%s cannot be created there: %s", p->name, who.length ? who.text : "the place is taken");
	f->object = gs_arena_printf(y->p->arena, "GPU %" PRIu32 " %s", y->gpu->index, p->name);
	f->units = info->units;
	f->pos = w->pos;
}

/* Why an open request got no slot: what the lowest free one says, or that there is none. */
static void report_no_slot(struct gs_policy *y, const struct gs_want *w, size_t times, const struct gs_profile *p, const struct gs_want *const *wants,
			   const struct gs_placed *placed, size_t n)
{
	struct gs_misfit_info info = { .why = GS_FITS };
	struct gs_finding *f;
	uint32_t avoided = 0;

	for (size_t i = 0; i < p->n_placements; i++) {
		enum gs_misfit why = gs_placement_check(slots_of(y), placed, n, p, p->placements[i].start, &info);

		if (why == GS_MISFIT_SIZE || why == GS_MISFIT_COUNT)
			break;
		avoided += why == GS_FITS;
	}
	if (info.why == GS_MISFIT_SIZE) {
		report_size(y, w, p, &info, wants, placed, n);
		return;
	}
	/* more than there may ever be: that some VFs are promised is not the reason then */
	if (p->max_instances && n + times > p->max_instances)
		info.why = GS_MISFIT_COUNT;
	f = gs_policy_add(y, info.why == GS_MISFIT_COUNT ? GS_RULE_COUNT_LIMIT : GS_RULE_PLACEMENT_NONE, GS_SEVERITY_BLOCK, "-");
	if (info.why == GS_MISFIT_COUNT)
		f->text = gs_arena_printf(y->p->arena, "the driver allows %" PRIu32 " vGPUs of the size of %s on this GPU; with %zu there, %zu of those asked for do not fit",
					  p->max_instances, p->name, n, times);
	else if (avoided)
		f->text = gs_arena_printf(y->p->arena, "%s fits only on %" PRIu32 " VF%s that somebody has, or that work without a process yet has been promised; name one with vf N to take it",
					  p->name, avoided, avoided == 1 ? "" : "s");
	else
		f->text = gs_arena_printf(y->p->arena, "of the %s asked for %zu find%s no %s: the GPU has %zu, and all of them are taken or asked for", p->name, times, times == 1 ? "s" : "",
					  y->gpu->vfs.total.known ? "VF" : "place", p->n_placements);
	f->object = gs_arena_printf(y->p->arena, "GPU %" PRIu32 " %s", y->gpu->index, p->name);
	f->pos = w->pos;
}

static uint32_t per_gi(const struct gs_profile *p)
{
	return p->max_per_gi.known && p->max_per_gi.value ? p->max_per_gi.value : 1;
}

static const struct gs_profile *backed_profile(const struct gs_policy *y, const struct gs_want *w)
{
	const struct gs_profile *p = w->kind == GS_KIND_VGPU ? gs_want_profile(w, y->gpu) : NULL;

	return p && p->gi_profile ? p : NULL;
}

/* How many of the size of @p the request has, in any GI of its profile or in the one at @start. */
static uint32_t count_alike(const struct gs_policy *y, const struct gs_profile *p, struct gs_u32 start)
{
	const struct gs_layout_gpu *t = y->d->target;
	uint32_t n = 0;

	for (size_t i = 0; i < t->n_wants; i++) {
		const struct gs_profile *q = backed_profile(y, &t->wants[i]);

		n += q && gs_str_equal(q->gi_profile, p->gi_profile) && gs_u64_equal(q->memory_bytes, p->memory_bytes) &&
		     (!start.known || gs_u32_equal(t->wants[i].on_start, start));
	}
	return n;
}

static bool has_gi(const struct gs_layout_gpu *t, const char *profile, struct gs_u32 start)
{
	for (size_t i = 0; i < t->n_wants; i++)
		if (t->wants[i].kind == GS_KIND_MIG && gs_str_equal(t->wants[i].profile, profile) && gs_u32_equal(t->wants[i].start, start))
			return true;
	return false;
}

/* Does a later one want the same GI? */
static bool is_followed(const struct gs_policy *y, const struct gs_want *w)
{
	for (const struct gs_want *later = w + 1; later < y->d->target->wants + y->d->target->n_wants; later++)
		if (backed_profile(y, later) && gs_u32_equal(later->on_start, w->on_start))
			return true;
	return false;
}

/* A vGPU in a GI that is named, or that it lies in: is that there, and has it room? */
static void check_own_gi(struct gs_policy *y, const struct gs_want *w, const struct gs_profile *p)
{
	const struct gs_layout_gpu *t = y->d->target;
	uint32_t n = count_alike(y, p, w->on_start), others = 0;
	struct gs_finding *f;

	if (!has_gi(t, p->gi_profile, w->on_start)) {
		f = gs_policy_add(y, GS_RULE_GI_FULL, GS_SEVERITY_BLOCK, "%s on VF %" PRIu32 " lies in the %s at %" PRIu32 ", which the request does not have", p->name,
				  w->start.value, p->gi_profile, w->on_start.value);
		gs_policy_suggest(y, f, "delete %" PRIu32 " vf:%" PRIu32, y->gpu->index, w->start.value);
		f->pos = w->pos;
		return;
	}
	for (size_t i = 0; i < t->n_wants; i++)
		others += backed_profile(y, &t->wants[i]) && gs_u32_equal(t->wants[i].on_start, w->on_start);
	/* what lies in one GI has one size; said once, of the last that is asked for */
	if ((n <= per_gi(p) && others == n) || is_followed(y, w))
		return;
	f = gs_policy_add(y, GS_RULE_GI_FULL, GS_SEVERITY_BLOCK, "the %s at %" PRIu32 " has room for %" PRIu32 " of the size of %s, all of one size, and %" PRIu32 " are asked for", p->gi_profile,
			  w->on_start.value, per_gi(p), p->name, others);
	gs_policy_suggest(y, f, "create %" PRIu32 " %s, and leave open in which one it lies", y->gpu->index, p->gi_profile);
	f->pos = w->pos;
}

/* Is wants[i] the first of its GI profile and, with @same_size, of its size too? */
static bool is_first_backed(const struct gs_policy *y, size_t i, const struct gs_profile *p, bool same_size)
{
	for (size_t k = 0; k < i; k++) {
		const struct gs_profile *q = backed_profile(y, &y->d->target->wants[k]);

		if (q && gs_str_equal(q->gi_profile, p->gi_profile) && (!same_size || gs_u64_equal(q->memory_bytes, p->memory_bytes)))
			return false;
	}
	return true;
}

/* MIG-backed vGPUs need GIs of their profile: each size its own ones (interfaces 2.6). */
static void check_gi_room(struct gs_policy *y)
{
	const struct gs_layout_gpu *t = y->d->target;

	for (size_t i = 0; i < t->n_wants; i++) {
		const struct gs_profile *p = backed_profile(y, &t->wants[i]);
		const struct gs_want *last = &t->wants[i];
		uint32_t gis = 0, need = 0, vgpus = 0;
		struct gs_finding *f;

		if (p && t->wants[i].on_start.known)
			check_own_gi(y, &t->wants[i], p);
		if (!p || !is_first_backed(y, i, p, false))
			continue;
		for (size_t k = 0; k < t->n_wants; k++) {
			const struct gs_profile *q = backed_profile(y, &t->wants[k]);

			gis += t->wants[k].kind == GS_KIND_MIG && gs_str_equal(t->wants[k].profile, p->gi_profile);
			if (!q || !gs_str_equal(q->gi_profile, p->gi_profile))
				continue;
			vgpus++;
			last = t->wants[k].instance_id.known ? last : &t->wants[k];
			need += is_first_backed(y, k, q, true) ? (count_alike(y, q, GS_U32_UNKNOWN) + per_gi(q) - 1) / per_gi(q) : 0;
		}
		if (need <= gis)
			continue;
		f = gs_policy_add(y, GS_RULE_GI_FULL, GS_SEVERITY_BLOCK, "%" PRIu32 " vGPU%s of GPU instances %s need%s %" PRIu32 " of them, and there %s %" PRIu32, vgpus,
				  vgpus == 1 ? "" : "s", p->gi_profile, vgpus == 1 ? "s" : "", need, gis == 1 ? "is" : "are", gis);
		f->pos = last->pos;
		gs_policy_suggest(y, f, "create %" PRIu32 " %s", y->gpu->index, p->gi_profile);
	}
}

/* Is wants[i] the first that asks for an instance that is there? A second one for the same place is one too many. */
static bool stands(const struct gs_gpu *gpu, const struct gs_want *wants, size_t i)
{
	if (!gs_gpu_instance_at(gpu, wants[i].profile, wants[i].start.value))
		return false;
	for (size_t k = 0; k < i; k++)
		if (gs_u32_equal(wants[k].start, wants[i].start) && gs_str_equal(wants[k].profile, wants[i].profile))
			return false;
	return true;
}

/*
 * What is there comes first, then requests in their order: the finding names
 * the request that is too much, never the instance that stands.
 */
static void check_grid(struct gs_policy *y, enum gs_instance_kind kind)
{
	const struct gs_layout_gpu *t = y->d->target;
	const struct gs_want *wants[GS_PLACED_MAX];
	struct gs_placed placed[GS_PLACED_MAX];
	size_t n = 0;

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < t->n_wants && n < GS_PLACED_MAX; i++) {
			const struct gs_want *w = &t->wants[i];
			const struct gs_profile *p = w->kind == kind ? gs_want_profile(w, y->gpu) : NULL;
			bool is_there = p && w->start.known && stands(y->gpu, t->wants, i);
			struct gs_misfit_info info;

			if (!p || !w->start.known || is_there != (round == 0))
				continue;
			/* what stands is legal, whatever our tables say: the driver has it */
			if (round == 1 && gs_placement_check(&y->gpu->grids[kind], placed, n, p, w->start.value, &info) != GS_FITS) {
				if (kind == GS_KIND_MIG)
					report_misfit(y, w, p, w->start.value, &info, wants, placed, n);
				else
					report_slot(y, w, p, &info, wants, placed, n);
				continue;
			}
			wants[n] = w;
			placed[n++] = (struct gs_placed){ p, w->start.value };
		}
	}
	for (size_t i = 0; i < t->n_wants; i++) {
		const struct gs_profile *p = t->wants[i].kind == kind ? gs_want_profile(&t->wants[i], y->gpu) : NULL;

		if (!p || t->wants[i].start.known || open_before(t, i))
			continue;
		if (kind == GS_KIND_MIG)
			report_unplaced(y, &t->wants[i], open_like(t, i), p, wants, placed, n);
		else
			report_no_slot(y, &t->wants[i], open_like(t, i), p, wants, placed, n);
	}
}

static void check_compute(struct gs_policy *y)
{
	for (size_t i = 0; i < y->d->n_changes; i++) {
		const struct gs_change *c = &y->d->changes[i];
		struct gs_finding *f;

		if (c->want && c->want->kind != GS_KIND_MIG)
			continue;
		if (c->place_is_unknown && c->kind == GS_CHANGE_KEEP_GI) {
			f = gs_policy_add(y, GS_RULE_POSITION_UNKNOWN, GS_SEVERITY_BLOCK,
					"where the compute instances in the %s at %" PRIu32 " are cannot be read, so nothing can be changed beside them", c->want->profile,
					c->want->start.value);
			f->status = GS_STATUS_CANNOT_TELL;
			f->pos = c->want->pos;
		}
		if (!c->has_no_room)
			continue;
		f = gs_policy_add(y, GS_RULE_PLACEMENT_NONE, GS_SEVERITY_BLOCK,
				"the compute instances asked for do not fit into the %s at %" PRIu32 " beside each other: it has %" PRIu32 " compute slices", c->want->profile,
				c->want->start.value, c->profile ? c->profile->compute_slices : 0);
		f->pos = c->want->pos;
		gs_policy_suggest(y, f, "delete %" PRIu32 "/%s@%" PRIu32 " all", y->gpu->index, c->want->profile, c->want->start.value);
	}
}

void gs_policy_check_places(struct gs_policy *y)
{
	check_grid(y, GS_KIND_MIG);
	check_grid(y, GS_KIND_VGPU);
	check_gi_room(y);
	check_compute(y);
}
