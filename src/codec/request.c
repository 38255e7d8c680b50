/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/parse.h"
#include "codec/layout_text.h"
#include "codec/request_scope.h"
#include "codec/script_text.h"
#include "codec/services.h"
#include "core/policy.h"
#include "core/undo.h"

/* More than a plan can meet on one host; what comes over the wire has an end. */
#define DISRUPT_MAX 256
#define UNIT_MAX 255

static struct gs_position place_of(const char *bytes, size_t offset, const char *name)
{
	struct gs_position pos = { name, 1, 1 };

	for (size_t i = 0; i < offset; i++) {
		pos.column++;
		if (bytes[i] == '\n') {
			pos.line++;
			pos.column = 1;
		}
	}
	return pos;
}

/* Text that is not UTF-8 could not even be sent to the agent whose parser would say so. */
static int check_text(const char *bytes, size_t n, const char *name, struct gs_error *e)
{
	const char *nul = n ? memchr(bytes, '\0', n) : NULL;
	struct gs_position pos;
	size_t bad;

	if (n > GS_INPUT_BYTES_MAX)
		return gs_error_set(e, -EFBIG, GS_STATUS_INVALID, "%s has %zu bytes, more than the %u that are read; split it", name, n, GS_INPUT_BYTES_MAX);
	if (nul) {
		pos = place_of(bytes, (size_t)(nul - bytes), name);
		return gs_error_at(e, -EINVAL, &pos, "there is a NUL byte here; this is no text");
	}
	/* also in comments: what a reviewer sees must be what is there */
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if ((c >= 0x20 || c == '\t' || c == '\n' || c == '\r') && c != 0x7f)
			continue;
		pos = place_of(bytes, i, name);
		return gs_error_at(e, -EINVAL, &pos, "control character 0x%02x here; remove it", (unsigned)c);
	}
	if (!gs_utf8_is_valid(bytes, n, &bad)) {
		pos = place_of(bytes, bad, name);
		return gs_error_at(e, -EINVAL, &pos, "byte 0x%02x is not valid UTF-8 here; save the file as UTF-8", (unsigned)(unsigned char)bytes[bad]);
	}
	if (gs_utf8_has_hidden(bytes, n, &bad)) {
		pos = place_of(bytes, bad, name);
		return gs_error_at(e, -EINVAL, &pos, "an invisible or direction-changing character is here; remove it");
	}
	return 0;
}

int gs_request_new(const char *bytes, size_t n, const char *name, enum gs_script_context context, struct gs_request **ret_request, struct gs_error *e)
{
	GS_CLEANUP(gs_request_freep) struct gs_request *r = calloc(1, sizeof(*r));
	int ret;

	if (!r)
		return gs_error_oom(e);
	ret = check_text(bytes, n, name, e);
	if (ret < 0)
		return ret;
	r->name = strdup(name);
	r->text = strndup(bytes ? bytes : "", n);
	if (!r->name || !r->text)
		return gs_error_oom(e);
	/* a file may be called anything; what is sent has to be text */
	gs_text_sanitize(r->name);
	r->n_text = n;
	r->context = context;
	r->kind = gs_text_is_layout(r->text, n) ? GS_REQUEST_LAYOUT : GS_REQUEST_SCRIPT;
	*ret_request = GS_TAKE(r);
	return 0;
}

int gs_request_new_past(enum gs_way way, uint64_t id, struct gs_past *past, struct gs_request **ret_request, struct gs_error *e)
{
	GS_CLEANUP(gs_past_freep) struct gs_past *taken = past;
	GS_CLEANUP(gs_request_freep) struct gs_request *r = NULL;
	char name[48];
	int ret;

	snprintf(name, sizeof(name), "commit %" PRIu64, id);
	ret = gs_request_new("", 0, name, GS_CONTEXT_FILE, &r, e);
	if (ret < 0)
		return ret;
	r->kind = GS_REQUEST_PAST;
	r->way = way;
	r->commit_id = id;
	r->past = GS_TAKE(taken);
	*ret_request = GS_TAKE(r);
	return 0;
}

struct gs_request *gs_request_free(struct gs_request *r)
{
	if (!r)
		return NULL;
	gs_past_free(r->past);
	free(r->only);
	for (size_t i = 0; i < r->n_disrupt; i++)
		free((char *)r->disrupt[i].unit);
	free(r->disrupt);
	free(r->text);
	free(r->name);
	free(r);
	return NULL;
}

/* systemd.unit(5): letters, digits and :-_.\@ */
static bool is_unit_name(const char *s)
{
	size_t n = strlen(s);

	return n && n <= UNIT_MAX && s[0] != '-' &&
	       !s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@")];
}

static int bad_holder(const char *word, struct gs_error *e)
{
	char shown[64];

	if (strcmp(word, "pid:1") == 0)
		return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "pid 1 is init, which gpuslice never stops");
	snprintf(shown, sizeof(shown), "%s", word);
	gs_text_sanitize(shown);
	return gs_error_set(e, -EINVAL, GS_STATUS_INVALID, "\"%s\" names no holder; write pid:4711, unit:NAME.service or all", shown);
}

int gs_request_add_disrupt(struct gs_request *r, const char *word, struct gs_error *e)
{
	struct gs_disrupt d = { .kind = GS_DISRUPT_ALL }, *bigger;

	if (gs_str_starts(word, "pid:")) {
		d.kind = GS_DISRUPT_PID;
		/* 0 and what kill(2) would take for a process group are no processes; 1 is init */
		if (gs_parse_u32(word + 4, 10, &d.pid) < 0 || d.pid < 2 || d.pid > INT32_MAX)
			return bad_holder(word, e);
	} else if (gs_str_starts(word, "unit:")) {
		d.kind = GS_DISRUPT_UNIT;
		if (!is_unit_name(word + 5))
			return bad_holder(word, e);
	} else if (strcmp(word, "all") != 0) {
		return bad_holder(word, e);
	}
	if (r->n_disrupt == DISRUPT_MAX)
		return gs_error_set(e, -E2BIG, GS_STATUS_INVALID, "more than %d holders are named", DISRUPT_MAX);
	bigger = reallocarray(r->disrupt, r->n_disrupt + 1, sizeof(*bigger));
	if (!bigger)
		return gs_error_oom(e);
	r->disrupt = bigger;
	if (d.kind == GS_DISRUPT_UNIT) {
		d.unit = strdup(word + 5);
		if (!d.unit)
			return gs_error_oom(e);
	}
	r->disrupt[r->n_disrupt++] = d;
	return 0;
}

/* ---- planning ---- */

/* With what is asked of each GPU, so that the plan can say whether that is what is saved. */
static int build(const struct gs_snapshot *s, const struct gs_evaluation *ev, const struct gs_plan_options *options, struct gs_plan **ret_plan, struct gs_error *e)
{
	GS_FREE struct gs_digest *targets = NULL;
	struct gs_plan_options with_targets = *options;

	if (gs_snapshot_saved(s)->state == GS_SAVED_SAME) {
		targets = calloc(gs_snapshot_n_gpus(s) + 1, sizeof(*targets));
		if (!targets)
			return gs_error_oom(e);
		for (size_t i = 0; i < ev->layout->n_gpus; i++)
			if (gs_layout_digest(ev->layout, s, i, &targets[i]) < 0)
				return gs_error_oom(e);
		with_targets.targets = targets;
	}
	return gs_plan_build(s, ev, &with_targets, ret_plan, e);
}

static int plan_script(const struct gs_request *r, const struct gs_snapshot *s, const struct gs_plan_options *options,
		       struct gs_plan **ret_plan, struct gs_error *e)
{
	GS_CLEANUP(gs_script_freep) struct gs_script *script = NULL;
	GS_EVALUATION struct gs_evaluation ev = { .layout = NULL };
	int ret = gs_script_parse(r->text, r->n_text, r->name, &script, e);

	if (ret < 0)
		return ret;
	ret = gs_script_evaluate_on(script, s, r->context, r->only, r->n_only, &ev, e);
	if (ret == 0)
		ret = gs_request_keep_only(r, s, &ev, e);
	if (ret < 0)
		return ret;
	return build(s, &ev, options, ret_plan, e);
}

/* @text in the layout's arena; NULL: there was no memory for it. */
static int remark(struct gs_evaluation *ev, uint32_t gpu, enum gs_severity severity, enum gs_rule rule, const char *text, struct gs_error *e)
{
	struct gs_remark *grown = gs_arena_grow(ev->layout->arena, ev->remarks, ev->n_remarks, &ev->cap_remarks, sizeof(*grown));

	if (!text || !grown)
		return gs_error_oom(e);
	ev->remarks = grown;
	ev->remarks[ev->n_remarks++] = (struct gs_remark){ .gpu = gpu, .severity = severity, .rule = gs_rule_name(rule), .text = text };
	return 0;
}

/* A GPU that does not answer looks as if it had nothing, and as if nothing were to be done. Where a mode is asked for, the plan says it by itself. */
static int remark_on_lost(const struct gs_request *r, const struct gs_layout *file, const struct gs_snapshot *s, struct gs_evaluation *ev, struct gs_error *e)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < gs_snapshot_n_gpus(s); i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(s, i);

		for (size_t k = 0; ret == 0 && gpu->lost && gs_request_is_for(r, gpu->bdf) && k < file->n_gpus; k++) {
			const struct gs_layout_gpu *from = &file->gpus[k];

			if (from->mode == GS_MODE_INVALID && (from->has_instances || from->vfs.known) && gs_match_means(&from->match, gpu))
				ret = remark(ev, gpu->index, GS_SEVERITY_BLOCK, GS_RULE_GPU_LOST, gs_arena_printf(ev->layout->arena, "%s; nothing can be changed on it", gpu->lost), e);
		}
	}
	return ret;
}

static int plan_layout(const struct gs_request *r, const struct gs_snapshot *s, const struct gs_plan_options *options,
		       struct gs_plan **ret_plan, struct gs_error *e)
{
	GS_CLEANUP(gs_layout_freep) struct gs_layout *file = NULL;
	GS_EVALUATION struct gs_evaluation ev = { .layout = NULL };
	size_t unplaced;
	int ret = gs_layout_parse(r->text, r->n_text, r->name, &file, e);

	if (ret < 0)
		return ret;
	ret = gs_request_bind_only(r, file, s, &ev.layout, e);
	if (ret == 0)
		ret = remark_on_lost(r, file, s, &ev, e);
	if (ret < 0)
		return ret;
	/* what finds no place is a finding of the plan */
	ret = gs_layout_solve(ev.layout, s, &unplaced, e);
	if (ret < 0)
		return ret;
	return build(s, &ev, options, ret_plan, e);
}

/* Is @h whom @step was to stop: that unit, or that very process? */
static bool is_whom(const struct gs_holder *h, const struct gs_step *step)
{
	if (step->op == GS_STEP_STOP_UNIT)
		return gs_str_equal(h->unit, step->unit);
	return gs_u32_is(h->pid, step->pid) && h->start_time.known && h->start_time.value == step->start_time;
}

/* Does it still hold the GPU? */
static bool still_holds(const struct gs_snapshot *s, const struct gs_step *step)
{
	const struct gs_gpu *gpu = gs_snapshot_gpu_by_bdf(s, step->bdf);

	for (size_t i = 0; gpu && i < gpu->n_holders; i++)
		if (is_whom(gpu->holders[i], step))
			return true;
	for (size_t i = 0; gpu && i < gpu->n_instances; i++)
		for (size_t k = 0; k < gpu->instances[i]->n_holders; k++)
			if (is_whom(gpu->instances[i]->holders[k], step))
				return true;
	return false;
}

/*
 * Whom the commit was allowed to stop may be stopped to end it, and is asked
 * about again: its units, which come back, and on the way forward the very
 * processes that it had still to stop. The caller frees.
 */
static int disrupt_as_then(const struct gs_request *r, const struct gs_snapshot *s, struct gs_disrupt **ret_list, size_t *ret_n, struct gs_error *e)
{
	const struct gs_plan *p = r->past->plan;
	struct gs_disrupt *list = calloc(r->n_disrupt + p->n_steps + 1, sizeof(*list));
	size_t n = 0;

	if (!list)
		return gs_error_oom(e);
	for (; n < r->n_disrupt; n++)
		list[n] = r->disrupt[n];
	for (size_t i = 0; r->way != GS_WAY_UNDO && i < p->n_steps; i++) {
		const struct gs_step *step = &p->steps[i];

		if (step->op == GS_STEP_STOP_UNIT && still_holds(s, step))
			list[n++] = (struct gs_disrupt){ .kind = GS_DISRUPT_UNIT, .unit = step->unit };
		else if (step->op == GS_STEP_STOP_HOLDER && r->way == GS_WAY_FINISH && still_holds(s, step))
			list[n++] = (struct gs_disrupt){ .kind = GS_DISRUPT_PID, .pid = step->pid };
	}
	*ret_list = list;
	*ret_n = n;
	return 0;
}

/* What stands where it put something may be another's by now: instances are known by their place. */
static int remark_on_later(const struct gs_request *r, const struct gs_snapshot *s, struct gs_evaluation *ev, struct gs_error *e)
{
	const struct gs_past *past = r->past;
	int ret = 0;

	for (size_t i = 0; ret == 0 && r->way == GS_WAY_UNDO && past->changed_since && i < past->plan->n_base; i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu_by_bdf(s, past->plan->base[i].bdf);

		ret = remark(ev, gpu ? gpu->index : GS_FINDING_NO_GPU, GS_SEVERITY_CONFIRM, GS_RULE_CHANGED_SINCE,
			     gs_arena_printf(ev->layout->arena, "commit %" PRIu64 " changed it since; what stands where commit %" PRIu64 " put something is taken back with it, whoever made it",
					     past->changed_since, past->id), e);
	}
	return ret;
}

static int plan_past(const struct gs_request *r, const struct gs_snapshot *s, struct gs_plan_options *options, struct gs_plan **ret_plan, struct gs_error *e)
{
	GS_EVALUATION struct gs_evaluation ev = { .layout = NULL };
	GS_FREE struct gs_disrupt *disrupt = NULL;
	int ret;

	if (!r->past)
		return gs_error_set(e, -ENOENT, GS_STATUS_INVALID, "what commit %" PRIu64 " did is not known here", r->commit_id);
	ret = gs_past_evaluate(r->past, r->way, s, &ev, e);
	if (ret == 0)
		ret = gs_request_keep_only(r, s, &ev, e);
	if (ret < 0)
		return ret;
	/* who let a GPU be reset on the way there lets it be reset on the way back */
	options->allow_reset |= gs_plan_has_reset(r->past->plan);
	options->recovers = r->commit_id;
	options->start_units = r->past->units;
	options->n_start_units = r->past->n_units;
	options->started_for = r->past->plan;
	ret = remark_on_later(r, s, &ev, e);
	if (ret < 0)
		return ret;
	ret = disrupt_as_then(r, s, &disrupt, &options->n_disrupt, e);
	if (ret < 0)
		return ret;
	options->disrupt = disrupt;
	return build(s, &ev, options, ret_plan, e);
}

int gs_request_plan(const struct gs_request *r, const struct gs_snapshot *s, struct gs_plan **ret_plan, struct gs_error *e)
{
	GS_CLEANUP(gs_services_freep) struct gs_services *services = NULL;
	struct gs_plan_options options = {
		.disrupt = r->disrupt,
		.n_disrupt = r->n_disrupt,
		.kill = r->kill,
		.allow_reset = r->allow_reset,
	};
	/* a recorded or simulated machine is the same on every host: the site's list is about this one */
	int ret = gs_services_load(gs_snapshot_source(s) == GS_SOURCE_LIVE, &services, e);

	if (ret < 0)
		return ret;
	options.services = services->items;
	options.n_services = services->n;
	if (r->kind == GS_REQUEST_PAST)
		return plan_past(r, s, &options, ret_plan, e);
	if (r->kind == GS_REQUEST_LAYOUT)
		return plan_layout(r, s, &options, ret_plan, e);
	return plan_script(r, s, &options, ret_plan, e);
}

/* ---- over the wire ---- */

static const char *kind_name(enum gs_request_kind kind)
{
	return kind == GS_REQUEST_PAST ? "past" : kind == GS_REQUEST_LAYOUT ? "layout" : "script";
}

static struct json_object *disrupt_to_json(const struct gs_request *r)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; array && i < r->n_disrupt; i++) {
		const struct gs_disrupt *d = &r->disrupt[i];
		char word[UNIT_MAX + 8] = "all";

		if (d->kind == GS_DISRUPT_PID)
			snprintf(word, sizeof(word), "pid:%u", d->pid);
		else if (d->kind == GS_DISRUPT_UNIT)
			snprintf(word, sizeof(word), "unit:%s", d->unit);
		json_object_array_add(array, json_object_new_string(word));
	}
	return array;
}

struct json_object *gs_request_to_json(const struct gs_request *r)
{
	struct json_object *o = json_object_new_object();

	if (!o)
		return NULL;
	gs_json_add_string(o, "kind", kind_name(r->kind));
	gs_json_add_string(o, "name", r->name);
	gs_json_add_string(o, "text", r->text);
	if (r->kind == GS_REQUEST_PAST) {
		gs_json_add_string(o, "way", gs_way_name(r->way));
		gs_json_add_u64(o, "commit", GS_U64(r->commit_id));
	}
	gs_json_add_string(o, "context", r->context == GS_CONTEXT_PROMPT ? "prompt" : "file");
	if (r->n_only)
		json_object_object_add(o, "only", gs_request_only_to_json(r));
	json_object_object_add(o, "disrupt", disrupt_to_json(r));
	json_object_object_add(o, "kill", json_object_new_boolean(r->kill));
	json_object_object_add(o, "allow_reset", json_object_new_boolean(r->allow_reset));
	return o;
}

static int wrong_request(struct gs_error *e, const char *why)
{
	return gs_error_set(e, -EBADMSG, GS_STATUS_INVALID, "the request cannot be read: %s", why);
}

static int read_disrupt(struct json_object *o, struct gs_request *r, struct gs_error *e)
{
	struct json_object *array = NULL;
	int ret = gs_json_get_array(o, "disrupt", &array, e);

	if (ret < 0)
		return ret;
	for (size_t i = 0; array && i < json_object_array_length(array); i++) {
		struct json_object *word = json_object_array_get_idx(array, i);

		if (!json_object_is_type(word, json_type_string))
			return wrong_request(e, "a holder is a text");
		ret = gs_request_add_disrupt(r, json_object_get_string(word), e);
		if (ret < 0)
			return ret;
	}
	return gs_json_get_bool(o, "kill", false, &r->kill, e);
}

/* What is about an earlier commit has no text: which commit, and what is to become of it. */
static int read_past(struct json_object *o, struct gs_request **ret_request, struct gs_error *e)
{
	const char *word = NULL;
	struct gs_u64 id = GS_U64_UNKNOWN;
	enum gs_way way;

	if (gs_json_get_string(o, "way", &word, e) < 0 || gs_json_get_u64(o, "commit", &id, e) < 0)
		return -EBADMSG;
	way = word ? gs_way_from_name(word) : GS_WAY_INVALID;
	if (!id.known || !id.value || (way != GS_WAY_UNDO && way != GS_WAY_FINISH && way != GS_WAY_TAKE_BACK))
		return wrong_request(e, "it names no commit, or nothing that can be done about one");
	return gs_request_new_past(way, id.value, NULL, ret_request, e);
}

int gs_request_from_json(struct json_object *o, struct gs_request **ret_request, struct gs_error *e)
{
	GS_CLEANUP(gs_request_freep) struct gs_request *r = NULL;
	const char *kind = NULL, *name = NULL, *text = NULL, *context = NULL;
	bool is_prompt;
	int ret;

	if (!json_object_is_type(o, json_type_object))
		return wrong_request(e, "it is no object");
	if (gs_json_get_string(o, "kind", &kind, e) < 0 || gs_json_get_string(o, "name", &name, e) < 0 ||
	    gs_json_get_string(o, "text", &text, e) < 0 || gs_json_get_string(o, "context", &context, e) < 0)
		return -EBADMSG;
	if (!kind || !name || !text || !context)
		return wrong_request(e, "it needs kind, name, text and context");
	is_prompt = strcmp(context, "prompt") == 0;
	if (!is_prompt && strcmp(context, "file") != 0)
		return wrong_request(e, "its context is neither file nor prompt");
	if (strcmp(kind, "past") == 0)
		ret = read_past(o, &r, e);
	else
		ret = gs_request_new(text, strlen(text), name, is_prompt ? GS_CONTEXT_PROMPT : GS_CONTEXT_FILE, &r, e);
	if (ret < 0)
		return ret;
	/* both ends must read the same thing into the text that was approved */
	if (strcmp(kind, kind_name(r->kind)) != 0)
		return wrong_request(e, "its kind is not what its text is");
	ret = read_disrupt(o, r, e);
	if (ret == 0)
		ret = gs_json_get_bool(o, "allow_reset", false, &r->allow_reset, e);
	if (ret == 0)
		ret = gs_request_only_from_json(o, r, e);
	if (ret < 0)
		return ret;
	*ret_request = GS_TAKE(r);
	return 0;
}
