/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records to lines, and what is told of a commit. journal_read.c goes the other way. */
#include "codec/journal_json.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "codec/journal_codec.h"
#include "codec/layout_text.h"
#include "codec/plan_json.h"
#include "codec/snapshot_json.h"
#include "codec/step_json.h"

static void add_number(struct json_object *o, const char *key, uint64_t v)
{
	json_object_object_add(o, key, json_object_new_uint64(v));
}

static void add_flag(struct json_object *o, const char *key, bool v)
{
	json_object_object_add(o, key, json_object_new_boolean(v));
}

/* A sentence that was cut to fit may end in half a character, and who asked may have said anything. */
static void add_text(struct json_object *o, const char *key, const char *text)
{
	GS_FREE char *clean = text ? strndup(text, GS_JOURNAL_TEXT_MAX) : NULL;

	if (clean)
		gs_text_sanitize(clean);
	gs_json_add_string(o, key, clean);
}

static void add_bdf(struct json_object *o, struct gs_bdf bdf)
{
	char text[GS_BDF_TEXT];

	gs_json_add_string(o, "bdf", gs_bdf_format(bdf, text));
}

/* The line and its newline; @o is released. */
static int finish_line(struct json_object *o, char **ret_line, struct gs_error *e)
{
	GS_FREE char *line = gs_json_to_line(o);
	size_t n = line ? strlen(line) : 0, bad;
	char *whole;

	json_object_put(o);
	/* one wrong byte would cost the whole line when it is read */
	if (line && !gs_utf8_is_valid(line, n, &bad))
		gs_text_sanitize(line);
	n = line ? strlen(line) : 0;
	whole = line ? malloc(n + 2) : NULL;
	if (!whole)
		return gs_error_oom(e);
	memcpy(whole, line, n);
	memcpy(whole + n, "\n", 2);
	*ret_line = whole;
	return 0;
}

/* ---------------------------------------------------------------- begin */

static struct json_object *author_to_json(const struct gs_author *a)
{
	struct json_object *o = json_object_new_object();

	gs_json_add_u32(o, "uid", a->uid);
	add_text(o, "user", a->user);
	add_text(o, "ssh_client", a->ssh_client);
	add_text(o, "command", a->command);
	add_text(o, "message", a->message);
	return o;
}

static struct json_object *disrupt_to_json(const struct gs_disrupt *d)
{
	char pid[24];

	switch (d->kind) {
	case GS_DISRUPT_PID:
		snprintf(pid, sizeof(pid), "pid:%" PRIu32, d->pid);
		return json_object_new_string(pid);
	case GS_DISRUPT_UNIT: {
		GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;

		gs_strbuf_printf(&b, "unit:%s", d->unit ? d->unit : "");
		return b.failed ? NULL : json_object_new_string(b.text);
	}
	case GS_DISRUPT_ALL:
		break;
	}
	return json_object_new_string("all");
}

static struct json_object *options_to_json(const struct gs_plan_options *options)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();

	for (size_t i = 0; options && i < options->n_disrupt; i++)
		json_object_array_add(list, disrupt_to_json(&options->disrupt[i]));
	json_object_object_add(o, "disrupt", list);
	add_flag(o, "kill", options && options->kill);
	add_flag(o, "allow_reset", options && options->allow_reset);
	return o;
}

static bool is_concerned(const struct gs_plan *p, const char *bdf)
{
	char text[GS_BDF_TEXT];

	for (size_t i = 0; i < p->n_base; i++)
		if (gs_str_equal(gs_bdf_format(p->base[i].bdf, text), bdf))
			return true;
	return false;
}

/* «Empty» is how a plan clears a parameter, and nothing that a layout asks for: read back it would cost the whole target. */
static void drop_empty_params(struct json_object *gpu)
{
	struct json_object *list = NULL, *params;

	/* null: of a GPU that is lost nobody knows them */
	if (!json_object_object_get_ex(gpu, "instances", &list) || !json_object_is_type(list, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		if (!json_object_object_get_ex(json_object_array_get_idx(list, i), "params", &params))
			continue;
		json_object_object_foreach(params, key, val)
			if (json_object_is_type(val, json_type_string) && !json_object_get_string_len(val))
				json_object_object_del(params, key);
	}
}

struct json_object *gs_journal_layout_to_json(const struct gs_plan *p, const struct gs_layout *l)
{
	struct json_object *o = gs_layout_to_json(l, p->snapshot), *gpus = NULL, *match, *bdf;

	if (!o || !json_object_object_get_ex(o, "gpus", &gpus))
		return o;
	for (size_t i = json_object_array_length(gpus); i-- > 0;) {
		struct json_object *gpu = json_object_array_get_idx(gpus, i);

		drop_empty_params(gpu);
		if (json_object_object_get_ex(gpu, "match", &match) && json_object_object_get_ex(match, "bdf", &bdf) && is_concerned(p, json_object_get_string(bdf)))
			continue;
		json_object_array_del_idx(gpus, i, 1);
	}
	return o;
}

static struct json_object *steps_to_json(const struct gs_plan *p)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < p->n_steps; i++)
		json_object_array_add(list, gs_step_to_json(&p->steps[i]));
	return list;
}

/* What reading it back takes for granted. */
static int check_begin(const struct gs_journal_begin *begin, struct gs_error *e)
{
	const struct gs_plan *p = begin->plan;
	size_t units = 0;

	for (size_t i = 0; i < p->n_steps; i++)
		units += p->steps[i].op == GS_STEP_STOP_UNIT;
	if (units > GS_JOURNAL_UNITS_MAX)
		return gs_error_set(e, -EFBIG, GS_STATUS_REFUSED, "the plan stops %zu units, and a commit may stop %d", units, GS_JOURNAL_UNITS_MAX);
	if (!begin->id || !p->n_steps || gs_way_name(begin->way) == NULL)
		return gs_error_set(e, -EINVAL, GS_STATUS_FAILED, "a commit has a number, a way and steps");
	if (p->n_steps > GS_JOURNAL_STEPS_MAX)
		return gs_error_set(e, -EFBIG, GS_STATUS_REFUSED, "the plan has %zu steps, and a commit may have %d", p->n_steps, GS_JOURNAL_STEPS_MAX);
	return 0;
}

int gs_journal_begin_to_line(const struct gs_journal_begin *begin, char **ret_line, struct gs_error *e)
{
	const struct gs_plan *p = begin->plan;
	GS_FREE char *line = NULL;
	struct json_object *o;
	int r = check_begin(begin, e);

	if (r < 0)
		return r;
	o = json_object_new_object();
	if (!o)
		return gs_error_oom(e);
	gs_json_add_string(o, "kind", gs_journal_kind_name(GS_JOURNAL_BEGIN));
	add_number(o, "seq", 1);
	gs_json_add_i64(o, "at_ms", GS_I64(begin->at.ms));
	gs_json_add_string(o, "schema", GS_JOURNAL_FILE_SCHEMA);
	add_number(o, "id", begin->id);
	gs_json_add_string(o, "way", gs_way_name(begin->way));
	gs_json_add_u64(o, "of", begin->of ? GS_U64(begin->of) : GS_U64_UNKNOWN);
	add_text(o, "host", begin->host);
	add_text(o, "boot_id", begin->boot_id);
	add_number(o, "pid", begin->pid);
	add_number(o, "start_time", begin->start_time);
	json_object_object_add(o, "author", author_to_json(&begin->author));
	add_flag(o, "undo_on_hangup", begin->undo_on_hangup);
	json_object_object_add(o, "options", options_to_json(begin->options));
	json_object_object_add(o, "steps", steps_to_json(p));
	json_object_object_add(o, "plan", gs_plan_to_json(p));
	json_object_object_add(o, "target", gs_journal_layout_to_json(p, p->layout));
	json_object_object_add(o, "base", gs_snapshot_to_json(p->snapshot, GS_SNAPSHOT_PROFILES));
	r = finish_line(o, &line, e);
	if (r < 0)
		return r;
	if (strlen(line) > GS_JOURNAL_BYTES_MAX)
		return gs_error_set(e, -EFBIG, GS_STATUS_REFUSED, "the machine and the plan take %zu bytes to write down, at most %u are possible", strlen(line), GS_JOURNAL_BYTES_MAX);
	*ret_line = GS_TAKE(line);
	return 0;
}

/* ---------------------------------------------------------------- the others */

static bool is_of_step(enum gs_journal_kind kind)
{
	return kind == GS_JOURNAL_INTENT || kind == GS_JOURNAL_RESULT || kind == GS_JOURNAL_DONE || kind == GS_JOURNAL_PENDING || kind == GS_JOURNAL_FAILED ||
	       kind == GS_JOURNAL_UNDONE;
}

static void add_step(struct json_object *o, const struct gs_journal_record *r)
{
	add_flag(o, "undo", r->is_undo);
	add_number(o, "n", r->n);
	gs_json_add_string(o, "op", gs_step_op_name(r->op));
	add_bdf(o, r->bdf);
	if (r->unit)
		add_text(o, "unit", r->unit);
	if (r->kind == GS_JOURNAL_RESULT || r->kind == GS_JOURNAL_FAILED)
		gs_json_add_i64(o, "errno", GS_I64(r->errnum));
}

static struct json_object *record_to_json(const struct gs_journal_record *r)
{
	struct json_object *o = json_object_new_object();

	if (!o)
		return NULL;
	gs_json_add_string(o, "kind", gs_journal_kind_name(r->kind));
	add_number(o, "seq", r->seq);
	gs_json_add_i64(o, "at_ms", GS_I64(r->at.ms));
	if (is_of_step(r->kind))
		add_step(o, r);
	if (r->kind == GS_JOURNAL_UNDO)
		add_number(o, "steps", r->n_steps);
	if (r->kind == GS_JOURNAL_END)
		gs_json_add_u32(o, "status", r->status);
	if (r->kind == GS_JOURNAL_CLOSED) {
		gs_json_add_string(o, "way", gs_way_name(r->way));
		gs_json_add_u64(o, "by", r->by ? GS_U64(r->by) : GS_U64_UNKNOWN);
	}
	if (r->text && r->text[0])
		add_text(o, "text", r->text);
	return o;
}

int gs_journal_record_to_line(const struct gs_journal_record *record, char **ret_line, struct gs_error *e)
{
	struct json_object *o = record_to_json(record);

	return o ? finish_line(o, ret_line, e) : gs_error_oom(e);
}

/* ---------------------------------------------------------------- for history and the wire */

static struct json_object *gpus_to_json(const struct gs_journal_commit *c)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < c->n_gpus; i++) {
		struct json_object *o = json_object_new_object();

		add_number(o, "gpu", c->gpus[i].gpu);
		add_bdf(o, c->gpus[i].bdf);
		json_object_array_add(list, o);
	}
	return list;
}

static const char *state_name(enum gs_journal_state state)
{
	switch (state) {
	case GS_JOURNAL_IS_OPEN:
		return "open";
	case GS_JOURNAL_IS_ENDED:
		return "ended";
	case GS_JOURNAL_IS_CLOSED:
		break;
	}
	return "closed";
}

struct json_object *gs_journal_summary_to_json(const struct gs_journal_commit *c)
{
	struct json_object *o = json_object_new_object(), *units;
	char summary[256];

	if (!o)
		return NULL;
	units = json_object_new_array();
	for (size_t i = 0; i < c->n_units; i++)
		json_object_array_add(units, json_object_new_string(c->units[i]));
	add_number(o, "id", c->id);
	gs_json_add_i64(o, "begun_ms", GS_I64(c->begun.ms));
	gs_json_add_i64(o, "ended_ms", c->state == GS_JOURNAL_IS_OPEN ? GS_I64_UNKNOWN : GS_I64(c->ended.ms));
	gs_json_add_string(o, "way", gs_way_name(c->way));
	gs_json_add_u64(o, "of", c->of ? GS_U64(c->of) : GS_U64_UNKNOWN);
	json_object_object_add(o, "author", author_to_json(&c->author));
	gs_json_add_string(o, "boot_id", c->boot_id[0] ? c->boot_id : NULL);
	json_object_object_add(o, "gpus", gpus_to_json(c));
	gs_json_add_string(o, "state", state_name(c->state));
	add_number(o, "steps", c->n_steps);
	add_number(o, "done", c->done);
	add_flag(o, "uncertain", c->is_uncertain);
	add_flag(o, "undoing", c->is_undoing);
	add_flag(o, "pending", c->is_pending);
	gs_json_add_u32(o, "status", c->status);
	json_object_object_add(o, "units", units);
	gs_json_add_string(o, "closed_way", gs_way_name(c->closed_way));
	gs_json_add_u64(o, "closed_by", c->closed_by ? GS_U64(c->closed_by) : GS_U64_UNKNOWN);
	add_text(o, "summary", gs_journal_summary(c, summary, sizeof(summary)));
	add_text(o, "text", c->text);
	return o;
}

struct json_object *gs_journal_to_json(const struct gs_journal_file *f)
{
	static const char *const parts[] = { "host", "pid", "start_time", "undo_on_hangup", "options", "plan", "target" };
	struct json_object *o = json_object_new_object(), *summary, *records, *part;

	if (!o)
		return NULL;
	gs_json_add_string(o, "schema", GS_JOURNAL_SCHEMA);
	summary = gs_journal_summary_to_json(&f->commit);
	if (summary) {
		json_object_object_foreach(summary, key, val)
			json_object_object_add(o, key, json_object_get(val));
		json_object_put(summary);
	}
	for (size_t i = 0; i < GS_ARRAY_SIZE(parts); i++)
		if (json_object_object_get_ex(f->begin, parts[i], &part))
			json_object_object_add(o, parts[i], json_object_get(part));
	records = json_object_new_array();
	for (size_t i = 0; i < f->n_records; i++)
		json_object_array_add(records, record_to_json(&f->records[i]));
	json_object_object_add(o, "records", records);
	gs_json_add_string(o, "damage", f->damage[0] ? f->damage : NULL);
	gs_json_add_u64(o, "part_of", f->part_of ? GS_U64(f->part_of) : GS_U64_UNKNOWN);
	gs_json_add_u64(o, "undone_by", f->undone_by ? GS_U64(f->undone_by) : GS_U64_UNKNOWN);
	return o;
}
