/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plan and result to JSON. Keys of the design come first and in its order; ours follow. */
#include "codec/plan_json.h"

#include "codec/snapshot_json.h"

static void add_number(struct json_object *o, const char *key, uint64_t v)
{
	json_object_object_add(o, key, json_object_new_uint64(v));
}

static void add_digest(struct json_object *o, const char *key, const struct gs_digest *digest)
{
	gs_json_add_string(o, key, digest->hex[0] ? digest->hex : NULL);
}

static void add_bdf(struct json_object *o, struct gs_bdf bdf)
{
	char text[GS_BDF_TEXT];

	gs_json_add_string(o, "bdf", gs_bdf_format(bdf, text));
}

static struct json_object *bases_to_json(const struct gs_plan *p)
{
	struct json_object *list = json_object_new_array_ext((int)p->n_base);

	for (size_t i = 0; i < p->n_base; i++) {
		struct json_object *o = json_object_new_object();

		add_number(o, "gpu", p->base[i].gpu);
		add_digest(o, "rev", &p->base[i].rev);
		add_bdf(o, p->base[i].bdf);
		json_object_array_add(list, o);
	}
	return list;
}

/* ---- what a step does, for those who do not read sentences: only keys that mean something for its op ---- */

static void add_function(struct json_object *o, const struct gs_step *step)
{
	char text[GS_BDF_TEXT];

	gs_json_add_string(o, "framework", gs_framework_name(step->framework));
	gs_json_add_string(o, "function", gs_bdf_format(step->function, text));
}

static void add_vgpu(struct json_object *o, const struct gs_step *step)
{
	struct json_object *on = NULL;

	add_function(o, step);
	gs_json_add_u32(o, "vf", step->vf);
	gs_json_add_string(o, "profile", step->profile);
	gs_json_add_string(o, "uuid", step->uuid);
	if (step->gi_profile) {
		on = json_object_new_object();
		gs_json_add_string(on, "profile", step->gi_profile);
		gs_json_add_u32(on, "start", step->on_start);
	}
	json_object_object_add(o, "on", on);
}

static void add_value(struct json_object *o, const struct gs_step *step)
{
	gs_json_add_string(o, "key", step->key);
	gs_json_add_string(o, "value", step->value);
	gs_json_add_string(o, "old_value", step->old_value);
}

static void add_vfs(struct json_object *o, const struct gs_step *step)
{
	gs_json_add_string(o, "framework", gs_framework_name(step->framework));
	add_number(o, "vfs", step->vfs);
	gs_json_add_string(o, "by", gs_vfs_by_name(step->vfs_by));
}

static void add_peers(struct json_object *o, const struct gs_step *step)
{
	struct json_object *list = json_object_new_array_ext((int)step->n_peers);
	char bdf[GS_BDF_TEXT];

	for (size_t i = 0; i < step->n_peers; i++)
		json_object_array_add(list, json_object_new_string(gs_bdf_format(step->peers[i], bdf)));
	json_object_object_add(o, "peers", list);
}

static void add_details(struct json_object *o, const struct gs_step *step)
{
	switch (step->op) {
	case GS_STEP_STOP_HOLDER:
		add_number(o, "pid", step->pid);
		add_number(o, "start_time", step->start_time);
		json_object_object_add(o, "kill", json_object_new_boolean(step->kill));
		break;
	case GS_STEP_STOP_UNIT:
	case GS_STEP_START_UNIT:
		gs_json_add_string(o, "unit", step->unit);
		break;
	case GS_STEP_REMOVE_VGPU:
	case GS_STEP_CREATE_VGPU:
		add_vgpu(o, step);
		break;
	case GS_STEP_SET_PARAM:
		add_function(o, step);
		gs_json_add_u32(o, "vf", step->vf);
		gs_json_add_string(o, "uuid", step->uuid);
		add_value(o, step);
		break;
	case GS_STEP_SET_SETTING:
		gs_json_add_string(o, "framework", gs_framework_name(step->framework));
		add_value(o, step);
		break;
	case GS_STEP_DISABLE_VFS:
	case GS_STEP_ENABLE_VFS:
		add_vfs(o, step);
		break;
	case GS_STEP_UNBIND_DRIVER:
	case GS_STEP_BIND_DRIVER:
		add_function(o, step);
		gs_json_add_string(o, "driver", step->driver);
		json_object_object_add(o, "to_vfio", json_object_new_boolean(step->to_vfio));
		break;
	case GS_STEP_RESET_GPU:
		add_peers(o, step);
		break;
	case GS_STEP_SET_MODE:
		gs_json_add_string(o, "mode", gs_mode_name(step->mode));
		break;
	case GS_STEP_DESTROY_CI:
	case GS_STEP_DESTROY_GI:
	case GS_STEP_CREATE_GI:
	case GS_STEP_CREATE_CI:
	case GS_STEP_MAX:
	case GS_STEP_INVALID:
		break;
	}
}

static struct json_object *steps_to_json(const struct gs_plan *p)
{
	struct json_object *list = json_object_new_array_ext((int)p->n_steps);

	for (size_t i = 0; i < p->n_steps; i++) {
		const struct gs_step *step = &p->steps[i];
		struct json_object *o = json_object_new_object();

		add_number(o, "n", step->n);
		gs_json_add_string(o, "op", gs_step_op_name(step->op));
		add_number(o, "gpu", step->gpu);
		gs_json_add_string(o, "target", step->target);
		gs_json_add_string(o, "text", step->text);
		gs_json_add_string(o, "risk", gs_risk_name(step->risk));
		gs_json_add_string(o, "undo", gs_undo_name(step->undo));
		add_bdf(o, step->bdf);
		add_details(o, step);
		json_object_array_add(list, o);
	}
	return list;
}

/* Who it is, not what it uses: a plan does not change because a process allocates. */
static struct json_object *holder_to_json(const struct gs_holder *h)
{
	struct json_object *o = json_object_new_object();

	gs_json_add_string(o, "kind", gs_holder_kind_name(h->kind));
	gs_json_add_u32(o, "pid", h->pid);
	gs_json_add_u64(o, "start_time", h->start_time);
	gs_json_add_u32(o, "uid", h->uid);
	gs_json_add_string(o, "name", h->name);
	gs_json_add_string(o, "unit", h->unit);
	gs_json_add_string(o, "evidence", h->evidence);
	return o;
}

static struct json_object *position_to_json(const struct gs_position *pos)
{
	struct json_object *o;

	if (!pos->line)
		return NULL;
	o = json_object_new_object();
	gs_json_add_string(o, "file", pos->file);
	add_number(o, "line", pos->line);
	gs_json_add_u32(o, "column", pos->column ? GS_U32(pos->column) : GS_U32_UNKNOWN);
	return o;
}

static struct json_object *finding_to_json(const struct gs_finding *f)
{
	struct json_object *o = json_object_new_object();
	struct json_object *holders = json_object_new_array_ext((int)f->n_holders);
	struct json_object *alternatives = json_object_new_array_ext((int)f->n_alternatives);

	for (size_t i = 0; i < f->n_holders; i++)
		json_object_array_add(holders, holder_to_json(f->holders[i]));
	for (size_t i = 0; i < f->n_alternatives; i++)
		json_object_array_add(alternatives, json_object_new_string(f->alternatives[i]));
	gs_json_add_string(o, "severity", gs_severity_name(f->severity));
	gs_json_add_string(o, "rule", f->rule);
	gs_json_add_u32(o, "gpu", f->gpu == GS_FINDING_NO_GPU ? GS_U32_UNKNOWN : GS_U32(f->gpu));
	gs_json_add_string(o, "object", f->object);
	json_object_object_add(o, "holders", holders);
	gs_json_add_string(o, "text", f->text);
	json_object_object_add(o, "alternatives", alternatives);
	json_object_object_add(o, "typed", json_object_new_boolean(f->is_typed));
	json_object_object_add(o, "position", position_to_json(&f->pos));
	return o;
}

static struct json_object *claims_to_json(const struct gs_plan *p)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; p && i < p->n_claims; i++) {
		const struct gs_claim *c = &p->claims[i];
		struct json_object *o = json_object_new_object();

		add_number(o, "gpu", c->gpu);
		gs_json_add_string(o, "profile", c->profile);
		add_number(o, "start", c->start);
		add_number(o, "id", c->instance_id);
		json_object_object_add(o, "held", json_object_new_boolean(c->is_held));
		json_object_array_add(list, o);
	}
	return list;
}

struct json_object *gs_plan_to_json(const struct gs_plan *p)
{
	struct json_object *o = json_object_new_object(), *findings;

	if (!o)
		return NULL;
	findings = json_object_new_array_ext((int)p->n_findings);
	for (size_t i = 0; i < p->n_findings; i++)
		json_object_array_add(findings, finding_to_json(&p->findings[i]));
	gs_json_add_string(o, "schema", "gpuslice.plan/1");
	add_digest(o, "digest", &p->digest);
	add_digest(o, "shape", &p->shape);
	json_object_object_add(o, "base", bases_to_json(p));
	json_object_object_add(o, "steps", steps_to_json(p));
	json_object_object_add(o, "findings", findings);
	json_object_object_add(o, "claimed", claims_to_json(p));
	add_number(o, "kept", p->kept);
	return o;
}

const char *gs_outcome_word(enum gs_status status, bool has_done)
{
	switch (status) {
	case GS_STATUS_OK:
		return has_done ? "done" : "nothing-to-do";
	case GS_STATUS_FAILED:
		return "failed";
	case GS_STATUS_INVALID:
		return "invalid";
	case GS_STATUS_REFUSED:
		return "refused";
	case GS_STATUS_DIFFERS:
		return "differs";
	case GS_STATUS_NOT_UNDONE:
		return "not-undone";
	case GS_STATUS_LOCKED:
		return "locked";
	case GS_STATUS_UNREACHABLE:
		return "unreachable";
	case GS_STATUS_PENDING:
		return "pending";
	case GS_STATUS_CANNOT_TELL:
		return "cannot-tell";
	case GS_STATUS_PARTIAL:
		return "partial";
	}
	return "unknown";
}

/* What was done and stayed: steps that were undone have changed nothing. */
static struct json_object *changed_to_json(const struct gs_commit_result *r)
{
	struct json_object *list = json_object_new_array();
	size_t n = r->plan && !r->undone ? r->plan->n_steps : 0;

	for (size_t i = 0; i < n && i < r->done; i++) {
		const struct gs_step *step = &r->plan->steps[i];
		struct json_object *o = json_object_new_object();

		add_number(o, "gpu", step->gpu);
		add_bdf(o, step->bdf);
		gs_json_add_string(o, "op", gs_step_op_name(step->op));
		gs_json_add_string(o, "target", step->target);
		json_object_array_add(list, o);
	}
	return list;
}

struct json_object *gs_commit_result_to_json(const struct gs_commit_result *r)
{
	struct json_object *o = json_object_new_object();

	if (!o)
		return NULL;
	gs_json_add_string(o, "schema", "gpuslice.result/1");
	add_number(o, "status", (uint64_t)r->status);
	gs_json_add_string(o, "outcome", gs_outcome_word(r->status, r->done > 0));
	add_number(o, "done", r->done);
	json_object_object_add(o, "undone", json_object_new_boolean(r->undone));
	json_object_object_add(o, "stale", json_object_new_boolean(r->is_stale));
	gs_json_add_string(o, "text", r->text);
	json_object_object_add(o, "plan", r->plan ? gs_plan_to_json(r->plan) : NULL);
	json_object_object_add(o, "claimed", claims_to_json(r->plan));
	json_object_object_add(o, "changed", changed_to_json(r));
	return o;
}
