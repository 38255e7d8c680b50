/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines to records. A file may end anywhere, since the power went, and
 * whatever else is in it is not trusted: what cannot be read or cannot follow
 * ends it, and what came before counts.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "codec/journal_codec.h"
#include "codec/json_reader.h"
#include "codec/layout_text.h"
#include "codec/snapshot_json.h"
#include "codec/step_json.h"

/* Of any line but the first. */
#define LINE_BYTES_MAX 65536
#define ERRNO_MAX 4095
#define GPUS_MAX 16384

struct gs_journal_file *gs_journal_file_free(struct gs_journal_file *f)
{
	if (!f)
		return NULL;
	if (f->begin)
		json_object_put(f->begin);
	gs_arena_free(f->arena);
	free(f);
	return NULL;
}

/* ---------------------------------------------------------------- one line */

const char *gs_journal_read_text(struct gs_json_reader *r, struct gs_arena *arena, const char *key)
{
	char *s = gs_arena_strdup(arena, gs_json_read_string(r, key));

	if (s)
		gs_text_sanitize(s);
	return s;
}

static struct gs_bdf read_bdf(struct gs_json_reader *r)
{
	const char *text = gs_json_read_string(r, "bdf");
	struct gs_bdf bdf = { 0 };

	if (!r->failed && (!text || gs_bdf_parse(text, &bdf) < 0))
		gs_json_read_fail(r, "bdf", "is not a PCI address");
	return bdf;
}

static int read_errno(struct gs_json_reader *r)
{
	struct gs_i64 v = gs_json_read_i64(r, "errno");

	if (!r->failed && (!v.known || v.value > 0 || v.value < -ERRNO_MAX))
		gs_json_read_fail(r, "errno", "is not one");
	return (int)v.value;
}

static void read_step(struct gs_json_reader *r, struct gs_arena *arena, struct gs_journal_record *record)
{
	const char *op = gs_json_read_name(r, "op");

	record->is_undo = gs_json_read_bool(r, "undo", false);
	record->n = gs_json_read_number(r, "n", GS_JOURNAL_STEPS_MAX);
	record->op = op ? gs_step_op_from_name(op) : GS_STEP_INVALID;
	if (!r->failed && record->op == GS_STEP_INVALID)
		gs_json_read_fail(r, "op", "\"%.32s\" is no step", op);
	record->bdf = read_bdf(r);
	record->unit = gs_journal_read_text(r, arena, "unit");
	if (record->kind == GS_JOURNAL_RESULT || record->kind == GS_JOURNAL_FAILED)
		record->errnum = read_errno(r);
}

static enum gs_way read_way(struct gs_json_reader *r, bool may_be_none)
{
	const char *word = gs_json_read_string(r, "way");
	enum gs_way way = word ? gs_way_from_name(word) : GS_WAY_INVALID;

	if (!r->failed && way == GS_WAY_INVALID && (word || !may_be_none))
		gs_json_read_fail(r, "way", "\"%.32s\" is no way", word ? word : "");
	return way;
}

static void read_rest(struct gs_json_reader *r, struct gs_arena *arena, struct gs_journal_record *record)
{
	switch (record->kind) {
	case GS_JOURNAL_INTENT:
	case GS_JOURNAL_RESULT:
	case GS_JOURNAL_DONE:
	case GS_JOURNAL_PENDING:
	case GS_JOURNAL_FAILED:
	case GS_JOURNAL_UNDONE:
		read_step(r, arena, record);
		break;
	case GS_JOURNAL_UNDO:
		record->n_steps = gs_json_read_number(r, "steps", UINT32_MAX);
		break;
	case GS_JOURNAL_END:
		record->status = GS_U32(gs_json_read_number(r, "status", 255));
		break;
	case GS_JOURNAL_CLOSED:
		record->way = read_way(r, true);
		record->by = gs_json_read_u64(r, "by").value;
		break;
	case GS_JOURNAL_BEGIN:
	case GS_JOURNAL_MAX:
	case GS_JOURNAL_INVALID:
		break;
	}
	record->text = gs_journal_read_text(r, arena, "text");
}

static int read_record(struct json_object *o, struct gs_arena *arena, struct gs_journal_record *ret_record, struct gs_error *e)
{
	const struct gs_json_where where = { NULL, NULL, 0 };
	struct gs_json_reader r = gs_json_reader_of(o, &where, e);
	struct gs_journal_record record = { .op = GS_STEP_INVALID, .way = GS_WAY_INVALID };
	const char *kind = gs_json_read_name(&r, "kind");
	struct gs_i64 at = gs_json_read_i64(&r, "at_ms");

	record.kind = kind ? gs_journal_kind_from_name(kind) : GS_JOURNAL_INVALID;
	if (!r.failed && record.kind == GS_JOURNAL_INVALID)
		gs_json_read_fail(&r, "kind", "\"%.32s\" is no record", kind);
	record.seq = gs_json_read_u64(&r, "seq").value;
	record.at = (struct gs_wall){ at.value };
	read_rest(&r, arena, &record);
	if (r.failed)
		return r.failed;
	if (gs_arena_has_failed(arena))
		return gs_error_oom(e);
	*ret_record = record;
	return 0;
}

/* ---------------------------------------------------------------- begin */

static void read_author(struct json_object *o, struct gs_journal_file *f, const struct gs_json_where *up, struct gs_error *e, int *ret_failed)
{
	const struct gs_json_where where = { up, "author", 0 };
	struct gs_json_reader r = gs_json_reader_of(o, &where, e);
	struct gs_author *a = &f->commit.author;

	a->uid = gs_json_read_u32(&r, "uid", UINT32_MAX);
	a->user = gs_journal_read_text(&r, f->arena, "user");
	a->ssh_client = gs_journal_read_text(&r, f->arena, "ssh_client");
	a->command = gs_journal_read_text(&r, f->arena, "command");
	a->message = gs_journal_read_text(&r, f->arena, "message");
	*ret_failed = r.failed;
}

/* Of "plan": the GPUs that it is about, and their revs. In @arena. */
static int read_base(struct json_object *plan, struct gs_arena *arena, struct gs_plan_base **ret_base, size_t *ret_n, struct gs_error *e)
{
	const struct gs_json_where root = { NULL, NULL, 0 }, where = { &root, "plan", 0 }, bases = { &where, "base", 0 };
	struct gs_json_reader r = gs_json_reader_of(plan, &where, e);
	struct json_object *list;
	size_t n = gs_json_read_array(&r, "base", GPUS_MAX, &list);
	struct gs_plan_base *base = gs_arena_calloc(arena, n + 1, sizeof(*base));

	if (r.failed)
		return r.failed;
	if (!base)
		return gs_error_oom(e);
	for (size_t i = 0; i < n; i++) {
		const struct gs_json_where at = { &bases, NULL, i };
		struct gs_json_reader b = gs_json_reader_of(json_object_array_get_idx(list, i), &at, e);
		const char *rev = gs_json_read_name(&b, "rev");

		base[i].gpu = gs_json_read_number(&b, "gpu", GPUS_MAX - 1);
		base[i].bdf = read_bdf(&b);
		if (!b.failed && strlen(rev) >= sizeof(base[i].rev.hex))
			gs_json_read_fail(&b, "rev", "is too long");
		if (b.failed)
			return b.failed;
		snprintf(base[i].rev.hex, sizeof(base[i].rev.hex), "%s", rev);
	}
	*ret_base = base;
	*ret_n = n;
	return 0;
}

/* What begin says of the commit; the bulk is left for when it is asked for. */
static int read_begin(struct gs_journal_file *f, struct gs_error *e)
{
	const struct gs_json_where where = { NULL, NULL, 0 };
	struct gs_json_reader r = gs_json_reader_of(f->begin, &where, e);
	struct gs_journal_commit *c = &f->commit;
	const char *schema = gs_json_read_name(&r, "schema"), *boot = gs_json_read_string(&r, "boot_id");
	struct json_object *author = gs_json_read_object(&r, "author"), *plan = gs_json_read_object(&r, "plan"), *list;
	struct gs_plan_base *base;
	int failed = 0;

	if (!r.failed && strcmp(schema, GS_JOURNAL_FILE_SCHEMA) != 0)
		gs_json_read_fail(&r, "schema", "is not " GS_JOURNAL_FILE_SCHEMA);
	c->id = gs_json_read_u64(&r, "id").value;
	c->way = read_way(&r, false);
	c->of = gs_json_read_u64(&r, "of").value;
	c->n_steps = (uint32_t)gs_json_read_array(&r, "steps", GS_JOURNAL_STEPS_MAX, &list);
	if (!r.failed && (!c->id || !c->n_steps || !author || !plan))
		gs_json_read_fail(&r, NULL, "a commit has a number, an author, a plan and steps");
	if (!r.failed && boot && strlen(boot) >= sizeof(c->boot_id))
		gs_json_read_fail(&r, "boot_id", "is too long");
	if (r.failed)
		return r.failed;
	snprintf(c->boot_id, sizeof(c->boot_id), "%s", boot ? boot : "");
	gs_text_sanitize(c->boot_id);
	read_author(author, f, &where, e, &failed);
	if (!failed)
		failed = read_base(plan, f->arena, &base, &c->n_gpus, e);
	if (failed)
		return failed;
	c->gpus = base;
	return gs_arena_has_failed(f->arena) ? gs_error_oom(e) : 0;
}

/* ---------------------------------------------------------------- the file */

static int add_record(struct gs_journal_file *f, size_t *cap, const struct gs_journal_record *record)
{
	void *grown = gs_arena_grow(f->arena, f->records, f->n_records, cap, sizeof(*f->records));

	if (!grown)
		return -ENOMEM;
	f->records = grown;
	f->records[f->n_records++] = *record;
	return 0;
}

static int take_first(struct gs_journal_file *f, const char *bytes, size_t n, struct gs_journal_record *ret_record, struct gs_error *e)
{
	int r = gs_json_parse(bytes, n, "begin", &f->begin, e);

	if (r == 0)
		r = read_record(f->begin, f->arena, ret_record, e);
	if (r == 0)
		r = gs_journal_take(&f->commit, ret_record, e);
	return r == 0 ? read_begin(f, e) : r;
}

static int take_line(struct gs_journal_file *f, const char *bytes, size_t n, size_t *cap, struct gs_error *e)
{
	GS_JSON struct json_object *o = NULL;
	struct gs_journal_record record;
	int r;

	if (f->n_records >= GS_JOURNAL_RECORDS_MAX)
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "there are more than %d records", GS_JOURNAL_RECORDS_MAX);
	if (!f->n_records) {
		r = take_first(f, bytes, n, &record, e);
		return r < 0 ? r : add_record(f, cap, &record) < 0 ? gs_error_oom(e) : 0;
	}
	if (n > LINE_BYTES_MAX)
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "a record is longer than %d bytes", LINE_BYTES_MAX);
	r = gs_json_parse(bytes, n, "record", &o, e);
	if (r == 0)
		r = read_record(o, f->arena, &record, e);
	if (r == 0)
		r = add_record(f, cap, &record) < 0 ? gs_error_oom(e) : 0;
	if (r < 0)
		return r;
	r = gs_journal_take(&f->commit, &record, e);
	if (r < 0)
		f->n_records--;
	return r;
}

int gs_journal_parse(const char *bytes, size_t n, struct gs_journal_file **ret_file, struct gs_error *e)
{
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = calloc(1, sizeof(*f));
	size_t cap = 0;

	if (!f || !(f->arena = gs_arena_new()))
		return gs_error_oom(e);
	if (n > GS_JOURNAL_BYTES_MAX)
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "it is larger than %u bytes, which no journal of a commit is", GS_JOURNAL_BYTES_MAX);
	while (f->n_valid_bytes < n) {
		const char *line = bytes + f->n_valid_bytes, *end = memchr(line, '\n', n - f->n_valid_bytes);
		struct gs_error why = { 0 };
		int r;

		if (!end && !f->n_records)
			return gs_error_set(e, -ENODATA, GS_STATUS_FAILED, "its begin was being written when it ended: nothing had been done");
		if (!end) {
			snprintf(f->damage, sizeof(f->damage), "the last record is half");
			break;
		}
		r = take_line(f, line, (size_t)(end - line), &cap, &why);
		if (r == -ENOMEM)
			return gs_error_oom(e);
		if (r < 0 && !f->n_records)
			return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "its begin cannot be read: %s", why.text);
		if (r < 0) {
			snprintf(f->damage, sizeof(f->damage), "behind record %zu: %.160s", f->n_records, why.text);
			gs_text_sanitize(f->damage);
			break;
		}
		f->n_valid_bytes += (size_t)(end - line) + 1;
	}
	if (!f->n_records)
		return gs_error_set(e, -ENODATA, GS_STATUS_FAILED, "it is empty: nothing had been done");
	*ret_file = GS_TAKE(f);
	return 0;
}

/* ---------------------------------------------------------------- the plan again */

static int damaged(const struct gs_journal_file *f, const char *what, const struct gs_error *why, struct gs_error *e)
{
	return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "the journal of commit %" PRIu64 ": %s: %s", f->commit.id, what, why->text);
}

static struct json_object *part_of(const struct gs_journal_file *f, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(f->begin, key, &v);
	return v;
}

/* A step is carried out at its address: the number of its GPU must mean the same. */
static int check_gpu(const struct gs_plan *p, uint32_t gpu, struct gs_bdf bdf, struct gs_error *e)
{
	if (gpu >= gs_snapshot_n_gpus(p->snapshot) || gs_bdf_compare(gs_snapshot_gpu(p->snapshot, gpu)->bdf, bdf) != 0)
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "the machine of before has no GPU %" PRIu32 " at that address", gpu);
	return 0;
}

static int read_steps(const struct gs_journal_file *f, struct gs_plan *p, struct gs_error *e)
{
	struct json_object *list = part_of(f, "steps");
	size_t n = f->commit.n_steps;
	int r = 0;

	p->steps = gs_arena_calloc(p->arena, n + 1, sizeof(*p->steps));
	if (!p->steps)
		return gs_error_oom(e);
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = gs_step_from_json(json_object_array_get_idx(list, i), p->arena, &p->steps[i], e);
		if (r == 0)
			r = check_gpu(p, p->steps[i].gpu, p->steps[i].bdf, e);
		if (r == 0 && p->steps[i].n != i + 1)
			r = gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "step %zu has number %" PRIu32, i + 1, p->steps[i].n);
	}
	p->n_steps = p->cap_steps = n;
	return r;
}

static int read_head(const struct gs_journal_file *f, struct gs_plan *p, struct gs_error *e)
{
	struct json_object *plan = part_of(f, "plan");
	const char *digest = NULL, *shape = NULL;
	int r = read_base(plan, p->arena, &p->base, &p->n_base, e);

	p->cap_base = p->n_base;
	for (size_t i = 0; r == 0 && i < p->n_base; i++)
		r = check_gpu(p, p->base[i].gpu, p->base[i].bdf, e);
	if (r == 0)
		r = gs_json_get_string(plan, "digest", &digest, e);
	if (r == 0)
		r = gs_json_get_string(plan, "shape", &shape, e);
	if (r < 0)
		return r;
	snprintf(p->digest.hex, sizeof(p->digest.hex), "%s", digest ? digest : "");
	snprintf(p->shape.hex, sizeof(p->shape.hex), "%s", shape ? shape : "");
	return 0;
}

/* Through its text, as anybody's layout goes. */
static int parse_layout(struct json_object *o, const char *name, struct gs_layout **ret_layout, struct gs_error *e)
{
	GS_FREE char *text = o ? gs_json_to_text(o) : NULL;

	if (!o)
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "it is missing");
	return text ? gs_layout_parse(text, strlen(text), name, ret_layout, e) : gs_error_oom(e);
}

int gs_journal_plan(const struct gs_journal_file *f, struct gs_plan **ret_plan, struct gs_error *e)
{
	GS_CLEANUP(gs_plan_freep) struct gs_plan *p = calloc(1, sizeof(*p));
	GS_CLEANUP(gs_layout_freep) struct gs_layout *target = NULL;
	struct gs_error why = { 0 };

	if (!p || !(p->arena = gs_arena_new()))
		return gs_error_oom(e);
	if (gs_snapshot_from_json(part_of(f, "base"), &p->snapshot, &why) < 0)
		return damaged(f, "the machine of before", &why, e);
	if (read_head(f, p, &why) < 0)
		return damaged(f, "the plan", &why, e);
	if (read_steps(f, p, &why) < 0)
		return damaged(f, "the steps", &why, e);
	if (parse_layout(part_of(f, "target"), "target", &target, &why) < 0)
		return damaged(f, "the target", &why, e);
	/* a GPU that was off its driver then did not tell what the target speaks of; whoever goes there asks the one that is there now */
	if (gs_layout_bind(target, p->snapshot, &p->layout, &why) < 0 && gs_layout_from_snapshot(p->snapshot, &p->layout, &why) < 0)
		return damaged(f, "the target", &why, e);
	if (gs_arena_has_failed(p->arena))
		return gs_error_oom(e);
	*ret_plan = GS_TAKE(p);
	return 0;
}

/* ---------------------------------------------------------------- an earlier commit */

static int fill_layouts(const struct gs_journal_file *f, struct gs_past *past, struct gs_error *e)
{
	GS_CLEANUP(gs_layout_freep) struct gs_layout *bound = NULL;
	GS_JSON struct json_object *before = NULL;
	struct gs_error why = { 0 };
	int r = parse_layout(part_of(f, "target"), "target", &past->target, &why);

	if (r >= 0)
		r = gs_layout_from_snapshot(past->plan->snapshot, &bound, &why);
	if (r >= 0) {
		before = gs_journal_layout_to_json(past->plan, bound);
		r = before ? parse_layout(before, "base", &past->base, &why) : gs_error_oom(&why);
	}
	return r < 0 ? damaged(f, "the layouts", &why, e) : 0;
}

int gs_journal_past(const struct gs_journal_file *f, const char *boot_id, struct gs_past **ret_past, struct gs_error *e)
{
	GS_CLEANUP(gs_past_freep) struct gs_past *past = calloc(1, sizeof(*past));
	const struct gs_journal_commit *c = &f->commit;
	int r;

	if (!past || !(past->arena = gs_arena_new()))
		return gs_error_oom(e);
	r = gs_journal_plan(f, &past->plan, e);
	if (r >= 0)
		r = fill_layouts(f, past, e);
	if (r < 0)
		return r;
	past->id = c->id;
	past->changed_since = f->changed_since;
	/* whoever finished it has seen all of it, whichever of the two did a step */
	past->done = c->state == GS_JOURNAL_IS_CLOSED && c->closed_way == GS_WAY_FINISH ? c->n_steps : c->done;
	past->is_uncertain = past->done == c->done && c->is_uncertain;
	past->tried = f->was_continued ? c->n_steps : c->tried;
	past->is_ended = c->status.known;
	/* one that is not known is no proof that nothing was lost */
	past->is_same_boot = c->boot_id[0] && gs_str_equal(c->boot_id, boot_id);
	for (size_t i = 0; i < c->n_units; i++)
		past->units[past->n_units++] = gs_arena_strdup(past->arena, c->units[i]);
	if (gs_arena_has_failed(past->arena))
		return gs_error_oom(e);
	*ret_past = GS_TAKE(past);
	return 0;
}
