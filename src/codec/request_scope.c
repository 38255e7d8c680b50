/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/request_scope.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "codec/layout_text.h"
#include "codec/script_text.h"
#include "core/policy.h"
#include "core/reset.h"
#include "core/steps.h"

/* More than one host has; what comes over the wire has an end. */
#define ONLY_MAX 4096

/* ---- a request for some GPUs ---- */

static bool has(const struct gs_bdf *gpus, size_t n, struct gs_bdf bdf)
{
	for (size_t i = 0; i < n; i++)
		if (gs_bdf_compare(gpus[i], bdf) == 0)
			return true;
	return false;
}

bool gs_request_is_for(const struct gs_request *r, struct gs_bdf bdf)
{
	return !r->n_only || has(r->only, r->n_only, bdf);
}

int gs_request_set_only(struct gs_request *r, const struct gs_bdf *gpus, size_t n, struct gs_error *e)
{
	struct gs_bdf *copy = n ? reallocarray(NULL, n, sizeof(*copy)) : NULL;

	if (n && !copy)
		return gs_error_oom(e);
	if (n)
		memcpy(copy, gpus, n * sizeof(*copy));
	free(r->only);
	r->only = copy;
	r->n_only = n;
	return 0;
}

/* Saying «nothing to do» of a GPU that has gone would be a lie. */
static int check_presence(const struct gs_request *r, const struct gs_snapshot *s, struct gs_error *e)
{
	char bdf[GS_BDF_TEXT];

	for (size_t i = 0; i < r->n_only; i++)
		if (!gs_snapshot_gpu_by_bdf(s, r->only[i]))
			return gs_error_set(e, -ENODEV, GS_STATUS_REFUSED, "there is no GPU at %s any more; nothing was done to it", gs_bdf_format(r->only[i], bdf));
	return 0;
}

static bool concerns(const struct gs_request *r, const struct gs_snapshot *s, uint32_t gpu)
{
	return gpu == GS_FINDING_NO_GPU || gpu >= gs_snapshot_n_gpus(s) || gs_request_is_for(r, gs_snapshot_gpu(s, gpu)->bdf);
}

int gs_request_keep_only(const struct gs_request *r, const struct gs_snapshot *s, struct gs_evaluation *ev, struct gs_error *e)
{
	size_t n = 0;
	int ret = check_presence(r, s, e);

	if (ret < 0 || !r->n_only)
		return ret;
	for (size_t i = 0; ret == 0 && i < ev->layout->n_gpus; i++)
		if (!concerns(r, s, (uint32_t)i))
			ret = gs_layout_put_back(ev->layout, s, i, e);
	for (size_t i = 0; i < ev->n_remarks; i++)
		if (concerns(r, s, ev->remarks[i].gpu))
			ev->remarks[n++] = ev->remarks[i];
	ev->n_remarks = n;
	n = 0;
	for (size_t i = 0; i < ev->n_claims; i++)
		if (concerns(r, s, ev->claims[i].gpu))
			ev->claims[n++] = ev->claims[i];
	ev->n_claims = n;
	return ret;
}

int gs_request_bind_only(const struct gs_request *r, const struct gs_layout *file, const struct gs_snapshot *s, struct gs_layout **ret_layout, struct gs_error *e)
{
	int ret = check_presence(r, s, e);

	if (ret < 0)
		return ret;
	return r->n_only ? gs_layout_bind_some(file, r->only, r->n_only, s, ret_layout, e) : gs_layout_bind(file, s, ret_layout, e);
}

struct json_object *gs_request_only_to_json(const struct gs_request *r)
{
	struct json_object *list = json_object_new_array_ext((int)r->n_only);
	char bdf[GS_BDF_TEXT];

	for (size_t i = 0; list && i < r->n_only; i++)
		json_object_array_add(list, json_object_new_string(gs_bdf_format(r->only[i], bdf)));
	return list;
}

int gs_request_only_from_json(struct json_object *o, struct gs_request *r, struct gs_error *e)
{
	struct json_object *list = NULL;
	GS_FREE struct gs_bdf *gpus = NULL;
	size_t n;
	int ret = gs_json_get_array(o, "only", &list, e);

	if (ret < 0 || !list)
		return ret;
	n = json_object_array_length(list);
	if (!n || n > ONLY_MAX)
		return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "the request cannot be read: \"only\" names %s", n ? "more GPUs than there can be" : "no GPU");
	gpus = reallocarray(NULL, n, sizeof(*gpus));
	if (!gpus)
		return gs_error_oom(e);
	for (size_t i = 0; i < n; i++) {
		struct json_object *item = json_object_array_get_idx(list, i);

		if (!json_object_is_type(item, json_type_string) || gs_bdf_parse(json_object_get_string(item), &gpus[i]) < 0)
			return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "the request cannot be read: \"only\" is a list of PCI addresses");
	}
	return gs_request_set_only(r, gpus, n, e);
}

/* ---- parts ---- */

struct gs_request_parts *gs_request_parts_free(struct gs_request_parts *p)
{
	for (size_t i = 0; p && i < p->n; i++)
		free(p->items[i].gpus);
	if (p)
		free(p->items);
	free(p);
	return NULL;
}

static int add_part(struct gs_request_parts *p, const struct gs_bdf *gpu, const struct gs_error *why, struct gs_error *e)
{
	struct gs_request_part *grown = reallocarray(p->items, p->n + 1, sizeof(*grown)), *part;

	if (!grown)
		return gs_error_oom(e);
	p->items = grown;
	part = &grown[p->n];
	memset(part, 0, sizeof(*part));
	if (why)
		part->error = *why;
	if (gpu) {
		part->gpus = malloc(sizeof(*part->gpus));
		if (!part->gpus)
			return gs_error_oom(e);
		part->gpus[part->n_gpus++] = *gpu;
	}
	p->n++;
	return 0;
}

static int copy_request(const struct gs_request *r, const struct gs_bdf *gpus, size_t n, struct gs_request **ret_request, struct gs_error *e)
{
	GS_CLEANUP(gs_request_freep) struct gs_request *copy = NULL;
	GS_JSON struct json_object *o = gs_request_to_json(r);
	int ret;

	/* the way over the wire carries all of a request that is a text, and is tested to */
	if (!o)
		return gs_error_oom(e);
	ret = gs_request_from_json(o, &copy, e);
	if (ret == 0)
		ret = gs_request_set_only(copy, gpus, n, e);
	if (ret < 0)
		return ret;
	*ret_request = GS_TAKE(copy);
	return 0;
}

int gs_request_of_part(const struct gs_request *r, const struct gs_request_part *part, struct gs_request **ret_request, struct gs_error *e)
{
	return copy_request(r, part->gpus, part->n_gpus, ret_request, e);
}

/* What a split works on. */
struct split {
	const struct gs_request *request;
	const struct gs_snapshot *snapshot;
	struct gs_bdf *good;            /* GPUs that can be judged */
	size_t n_good;
	struct gs_error *errors;        /* one per GPU; errnum 0: none */
	struct gs_layout *file;         /* NULL: a script, or about an earlier commit */
	struct gs_script *script;
};

static void split_done(struct split *s)
{
	free(s->good);
	free(s->errors);
	gs_layout_free(s->file);
	gs_script_free(s->script);
}

/* What is wrong whatever the machine's state is wrong for all; what a GPU does not allow now is its own matter. */
static int try_script(const struct split *sp, struct gs_bdf bdf, struct gs_error *why)
{
	GS_EVALUATION struct gs_evaluation ev = { 0 };

	return gs_script_evaluate_on(sp->script, sp->snapshot, sp->request->context, &bdf, 1, &ev, why);
}

/* Try the entries of each GPU for themselves. */
static int sort_out(struct split *sp, struct gs_error *e)
{
	size_t n = gs_snapshot_n_gpus(sp->snapshot);

	sp->good = reallocarray(NULL, n + 1, sizeof(*sp->good));
	sp->errors = calloc(n + 1, sizeof(*sp->errors));
	if (!sp->good || !sp->errors)
		return gs_error_oom(e);
	for (size_t i = 0; i < n; i++) {
		GS_CLEANUP(gs_layout_freep) struct gs_layout *bound = NULL;
		struct gs_bdf bdf = gs_snapshot_gpu(sp->snapshot, i)->bdf;
		struct gs_error why = { 0 };
		int ret = 0;

		if (!gs_request_is_for(sp->request, bdf))
			continue;
		if (sp->file)
			ret = gs_layout_bind_some(sp->file, &bdf, 1, sp->snapshot, &bound, &why);
		else if (sp->script)
			ret = try_script(sp, bdf, &why);
		if (ret == -ENOMEM)
			return gs_error_oom(e);
		if (ret < 0 && sp->script && why.status == GS_STATUS_INVALID) {
			if (e)
				*e = why;
			return ret;
		}
		if (ret < 0)
			sp->errors[i] = why;
		else
			sp->good[sp->n_good++] = bdf;
	}
	return 0;
}

static bool is_changed(const struct gs_plan *p, const struct gs_diff *d, size_t gpu)
{
	for (size_t i = 0; i < p->n_findings; i++)
		if (p->findings[i].severity == GS_SEVERITY_BLOCK && p->findings[i].gpu == gpu)
			return true;
	return d->gpus[gpu].is_changed;
}

/* A part takes in those GPUs of @more that it has not got; their own parts have yet to be made. */
static int widen(struct gs_request_part *part, const struct gs_gpu **more, size_t n, struct gs_error *e)
{
	struct gs_bdf *grown = reallocarray(part->gpus, part->n_gpus + n + 1, sizeof(*grown));

	if (!grown)
		return gs_error_oom(e);
	part->gpus = grown;
	for (size_t i = 0; i < n; i++)
		if (!has(part->gpus, part->n_gpus, more[i]->bdf))
			part->gpus[part->n_gpus++] = more[i]->bdf;
	return 0;
}

/* Those that change, of GPUs that a reset takes along with @gpu (itself not among them), or whose reset takes it along: links go both ways. */
static int companions(const struct split *sp, const struct gs_plan *p, const struct gs_diff *d, const struct gs_gpu *gpu, struct gs_arena *arena,
		      const struct gs_gpu ***ret_list, size_t *ret_n)
{
	const struct gs_plan_options options = { .allow_reset = sp->request->allow_reset };
	const struct gs_gpu **peers = NULL, **list;
	bool any_reset = gs_diff_wants_reset(&d->gpus[gpu->index], &options);
	size_t n_peers, n = 0;

	if (gs_reset_peers(sp->snapshot, gpu, arena, &peers, &n_peers) < 0)
		return -ENOMEM;
	list = gs_arena_calloc(arena, n_peers + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < n_peers; i++) {
		if (!is_changed(p, d, peers[i]->index) || !has(sp->good, sp->n_good, peers[i]->bdf))
			continue;
		any_reset |= gs_diff_wants_reset(&d->gpus[peers[i]->index], &options);
		list[n++] = peers[i];
	}
	*ret_list = list;
	*ret_n = any_reset ? n : 0;
	return 0;
}

static bool is_in_a_part(const struct gs_request_parts *parts, struct gs_bdf bdf)
{
	for (size_t i = 0; i < parts->n; i++)
		if (has(parts->items[i].gpus, parts->items[i].n_gpus, bdf))
			return true;
	return false;
}

static bool is_named(const struct gs_layout *file, const struct gs_gpu *gpu)
{
	for (size_t i = 0; file && i < file->n_gpus; i++)
		if (gs_match_means(&file->gpus[i].match, gpu))
			return true;
	return false;
}

static int part_of_gpu(const struct split *sp, const struct gs_plan *p, const struct gs_diff *d, size_t i, struct gs_request_parts *parts, struct gs_error *e)
{
	const struct gs_gpu *gpu = gs_snapshot_gpu(sp->snapshot, i), **more = NULL;
	GS_CLEANUP(gs_arena_freep) struct gs_arena *arena = NULL;
	size_t n = 0;

	if (sp->errors[i].errnum)
		return add_part(parts, &gpu->bdf, &sp->errors[i], e);
	if (!p || !has(sp->good, sp->n_good, gpu->bdf) || is_in_a_part(parts, gpu->bdf))
		return 0;
	if (!is_changed(p, d, i)) {
		int ret = is_named(sp->file, gpu) ? add_part(parts, &gpu->bdf, NULL, e) : 0;

		if (ret == 0 && is_named(sp->file, gpu))
			parts->items[parts->n - 1].is_as_asked = true;
		return ret;
	}
	arena = gs_arena_new();
	if (!arena || companions(sp, p, d, gpu, arena, &more, &n) < 0)
		return gs_error_oom(e);
	if (add_part(parts, &gpu->bdf, NULL, e) < 0)
		return -ENOMEM;
	return widen(&parts->items[parts->n - 1], more, n, e);
}

/* Entries that name no GPU that is there. */
static int add_strangers(const struct split *sp, struct gs_request_parts *parts, struct gs_error *e)
{
	for (size_t i = 0; sp->file && !sp->request->n_only && i < sp->file->n_gpus; i++) {
		struct gs_layout alone = { .arena = sp->file->arena, .gpus = &sp->file->gpus[i], .n_gpus = 1 };
		GS_CLEANUP(gs_layout_freep) struct gs_layout *bound = NULL;
		struct gs_error why = { 0 };
		bool is_known = false;

		for (size_t k = 0; k < gs_snapshot_n_gpus(sp->snapshot); k++)
			is_known |= gs_match_means(&sp->file->gpus[i].match, gs_snapshot_gpu(sp->snapshot, k));
		if (is_known || gs_layout_bind(&alone, sp->snapshot, &bound, &why) == 0)
			continue;
		if (why.errnum == -ENOMEM)
			return gs_error_oom(e);
		if (add_part(parts, NULL, &why, e) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int check_disrupt_all(const struct gs_plan *p, struct gs_error *e)
{
	for (size_t i = 0; i < p->n_findings; i++)
		if (gs_str_equal(p->findings[i].rule, gs_rule_name(GS_RULE_DISRUPT_ALL)) && p->findings[i].severity == GS_SEVERITY_BLOCK)
			return gs_error_set(e, -EPERM, GS_STATUS_REFUSED, "%s; nothing was done", p->findings[i].text);
	return 0;
}

int gs_request_split(const struct gs_request *r, const struct gs_snapshot *s, struct gs_request_parts **ret_parts, struct gs_error *e)
{
	GS_CLEANUP(gs_request_parts_freep) struct gs_request_parts *parts = calloc(1, sizeof(*parts));
	GS_CLEANUP(split_done) struct split sp = { .request = r, .snapshot = s };
	GS_CLEANUP(gs_request_freep) struct gs_request *good = NULL;
	GS_CLEANUP(gs_plan_freep) struct gs_plan *plan = NULL;
	GS_CLEANUP(gs_diff_freep) struct gs_diff *diff = NULL;
	int ret = 0;

	if (!parts)
		return gs_error_oom(e);
	if (r->kind == GS_REQUEST_LAYOUT)
		ret = gs_layout_parse(r->text, r->n_text, r->name, &sp.file, e);
	else if (r->kind == GS_REQUEST_SCRIPT)
		ret = gs_script_parse(r->text, r->n_text, r->name, &sp.script, e);
	if (ret == 0)
		ret = sort_out(&sp, e);
	if (ret == 0 && sp.n_good) {
		/* all that can be judged, in one: which of them would it change? */
		ret = copy_request(r, sp.good, sp.n_good, &good, e);
		if (ret == 0)
			ret = gs_request_plan(good, s, &plan, e);
		if (ret == 0)
			ret = check_disrupt_all(plan, e);
		if (ret == 0)
			ret = gs_diff_build(s, plan->layout, &diff, e);
	}
	for (size_t i = 0; ret == 0 && i < gs_snapshot_n_gpus(s); i++)
		ret = part_of_gpu(&sp, plan, diff, i, parts, e);
	if (ret == 0)
		ret = add_strangers(&sp, parts, e);
	if (ret < 0)
		return ret;
	*ret_parts = GS_TAKE(parts);
	return 0;
}
