/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a commit writes down and what is read of it: the order of records, their lines, torn files. Files on a disk: test_journal_store.c. */
#include "tests/lib/cmocka.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "codec/journal_json.h"
#include "codec/layout_text.h"
#include "codec/step_json.h"
#include "tests/lib/testhost.h"

#define H100 "h100-sxm5-80gb"
#define BOOT "6e1f2a30-0000-4000-8000-0123456789ab"

/* ---------------------------------------------------------------- records in short: "B i1 r1 d1 i2 r2- f2 U ui1 ur1 uu1 E1" */

struct word {
	char letter;
	enum gs_journal_kind kind;
};

static enum gs_journal_kind kind_of(char letter)
{
	static const struct word words[] = {
		{ 'B', GS_JOURNAL_BEGIN }, { 'i', GS_JOURNAL_INTENT }, { 'r', GS_JOURNAL_RESULT }, { 'd', GS_JOURNAL_DONE },   { 'p', GS_JOURNAL_PENDING },
		{ 'f', GS_JOURNAL_FAILED }, { 'U', GS_JOURNAL_UNDO },  { 'u', GS_JOURNAL_UNDONE },  { 'E', GS_JOURNAL_END },    { 'C', GS_JOURNAL_CLOSED },
	};

	for (size_t i = 0; i < GS_ARRAY_SIZE(words); i++)
		if (words[i].letter == letter)
			return words[i].kind;
	fail_msg("no record is called %c", letter);
	return GS_JOURNAL_INVALID;
}

/* "<i1" is of the undo, "i1+" starts a unit, "i1_" stops it, "r1-" was refused. */
static struct gs_journal_record record_of(const char *word, uint64_t seq)
{
	struct gs_journal_record r = { .seq = seq, .at = { 1700000000000 + (int64_t)seq * 1000 }, .op = GS_STEP_CREATE_GI, .way = GS_WAY_INVALID };

	if (*word == '<') {
		r.is_undo = true;
		word++;
	}
	r.kind = kind_of(*word++);
	if (*word >= '0' && *word <= '9') {
		r.n = (uint32_t)(*word++ - '0');
		r.status = GS_U32(r.n);
	}
	if (*word == '-')
		r.errnum = -EIO;
	if (*word == '+' || *word == '_') {
		r.op = *word == '+' ? GS_STEP_START_UNIT : GS_STEP_STOP_UNIT;
		r.unit = "dcgm.service";
	}
	return r;
}

/* Take them one by one; how many were taken. */
static size_t take_all(const char *words, struct gs_journal_commit *c)
{
	uint64_t seq = 0;

	memset(c, 0, sizeof(*c));
	while (*words) {
		char word[8];
		size_t n = strcspn(words, " ");
		struct gs_journal_record r;
		struct gs_error e = { 0 };

		assert_true(n < sizeof(word));
		memcpy(word, words, n);
		word[n] = '\0';
		words += n + (words[n] == ' ');
		r = record_of(word, seq + 1);
		if (gs_journal_take(c, &r, &e) < 0) {
			assert_int_equal(e.errnum, -EBADMSG);
			assert_non_null(strstr(e.text, "cannot follow"));
			return seq;
		}
		if (r.kind == GS_JOURNAL_BEGIN) {
			c->id = 12;
			c->n_steps = 5;
		}
		seq++;
		assert_int_equal(c->last_seq, seq);
	}
	return seq;
}

static size_t count_words(const char *words)
{
	size_t n = 1;

	for (; *words; words++)
		n += *words == ' ';
	return n;
}

struct telling {
	const char *words;
	uint32_t done;
	bool is_uncertain, is_undoing, is_pending;
	enum gs_journal_state state;
	size_t n_units;
	const char *summary;
};

static void records_add_up(void **state)
{
	static const struct telling tellings[] = {
		{ "B", 0, false, false, false, GS_JOURNAL_IS_OPEN, 0, "interrupted before any of 5 steps was proven" },
		{ "B i1", 0, true, false, false, GS_JOURNAL_IS_OPEN, 0, "interrupted before any of 5 steps was proven, step 1 may be half done" },
		{ "B i1 r1", 0, true, false, false, GS_JOURNAL_IS_OPEN, 0, "interrupted before any of 5 steps was proven, step 1 may be half done" },
		{ "B i1 r1-", 0, false, false, false, GS_JOURNAL_IS_OPEN, 0, "interrupted before any of 5 steps was proven" },
		{ "B i1 r1 d1 i2", 1, true, false, false, GS_JOURNAL_IS_OPEN, 0, "interrupted after step 1 of 5, step 2 may be half done" },
		{ "B i1 r1 d1 i2 r2- f2", 1, false, false, false, GS_JOURNAL_IS_OPEN, 0, "interrupted after step 1 of 5" },
		/* the driver said that it did it, and a look did not find it: what it did may show later */
		{ "B i1 r1 d1 i2 r2 f2", 1, true, false, false, GS_JOURNAL_IS_OPEN, 0, "interrupted after step 1 of 5, step 2 may be done too" },
		/* the answer could not be written */
		{ "B i1 r1 d1 i2 f2 U", 1, true, true, false, GS_JOURNAL_IS_OPEN, 0, "interrupted in its undo, which began after step 1 of 5, step 2 may be done too" },
		{ "B i1 r1 d1 i2 r2 U", 1, true, true, false, GS_JOURNAL_IS_OPEN, 0, NULL },
		{ "B i1 r1 d1 i2 r2 d2 U", 2, false, true, false, GS_JOURNAL_IS_OPEN, 0, NULL },
		{ "B i1 r1 p1 i2 r2 d2", 2, false, false, true, GS_JOURNAL_IS_OPEN, 0, "interrupted after step 2 of 5, what was asked for waits" },
		{ "B i1 r1 p1 i2 r2 d2 E0", 2, false, false, false, GS_JOURNAL_IS_ENDED, 0, "done, 2 steps" },
		{ "B i1 r1 p1 E8", 1, false, false, true, GS_JOURNAL_IS_ENDED, 0, "accepted but pending, 1 of 5 steps" },
		{ "B E3", 0, false, false, false, GS_JOURNAL_IS_ENDED, 0, "refused, nothing done" },
		{ "B i1 r1 d1 i2 r2- f2 U <i1 <r1 <u1 E1", 1, false, true, false, GS_JOURNAL_IS_ENDED, 0, "failed after step 1 of 5, undone" },
		{ "B i1 r1 d1 i2 r2- f2 U <i1 <r1- <f1 U <i1 <r1 <u1 E5", 1, false, true, false, GS_JOURNAL_IS_ENDED, 0, "failed after step 1 of 5, not undone" },
		{ "B i1 E5 C", 0, true, false, false, GS_JOURNAL_IS_CLOSED, 0, NULL },
		{ "B i1 C", 0, true, false, false, GS_JOURNAL_IS_CLOSED, 0, NULL },
		{ "B i1 r1 d1 i2 r2 d2 i3 r3 d3 i4 r4 d4 i5 r5 d5", 5, false, false, false, GS_JOURNAL_IS_OPEN, 0, "interrupted when all 5 steps were done" },
		/* units */
		{ "B i1_", 0, true, false, false, GS_JOURNAL_IS_OPEN, 1, NULL },
		{ "B i1_ r1_ d1_ i2 r2 d2 i3+ r3+", 2, true, false, false, GS_JOURNAL_IS_OPEN, 1, NULL },
		{ "B i1_ r1_ d1_ i2 r2 d2 i3+ r3+ d3+", 3, false, false, false, GS_JOURNAL_IS_OPEN, 0, NULL },
		{ "B i1_ r1_ d1_ i2 r2- f2 i5+ r5+ d5+ E1", 1, false, false, false, GS_JOURNAL_IS_ENDED, 0, NULL },
		{ "B i1_ r1_ d1_ i2 r2- f2 U <i1 <r1 <u1 i5+ r5+ d5+ E1", 1, false, true, false, GS_JOURNAL_IS_ENDED, 0, NULL },
		{ "B i1_ r1_ d1_ U <i1+ <r1+ <u1+", 1, false, true, false, GS_JOURNAL_IS_OPEN, 0, NULL },
		{ "B i1_ r1_ d1_ i2 r2- f2 i5+ r5+ f5+ E5", 1, false, false, false, GS_JOURNAL_IS_ENDED, 1, NULL },
		/* an undo whose records are not all there */
		{ "B i1 r1 d1 i2 f2 <r1 <u2 <i3 <i4 <r5- <f6 U <u1 E1", 1, true, true, false, GS_JOURNAL_IS_ENDED, 0, NULL },
		{ "B i1 r1 d1 i2 r2 i5+ E5", 1, true, false, false, GS_JOURNAL_IS_ENDED, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(tellings); i++) {
		const struct telling *t = &tellings[i];
		struct gs_journal_commit c;
		char summary[200];

		print_message("%s\n", t->words);
		assert_int_equal(take_all(t->words, &c), count_words(t->words));
		assert_int_equal(c.done, t->done);
		assert_int_equal(c.is_uncertain, t->is_uncertain);
		assert_int_equal(c.is_undoing, t->is_undoing);
		assert_int_equal(c.is_pending, t->is_pending);
		assert_int_equal(c.state, t->state);
		assert_int_equal(c.n_units, t->n_units);
		if (t->summary)
			assert_string_equal(gs_journal_summary(&c, summary, sizeof(summary)), t->summary);
	}
}

/* Each list is taken up to its last word, which cannot follow; what came before stays as it was. */
static void what_cannot_follow_is_not_believed(void **state)
{
	static const char *const lists[] = {
		"i1", "E0", "U", "C", "B B", "B i2", "B i0", "B i6", "B r1", "B d1", "B f1", "B p1", "B u1", "B <d1", "B i1 d1", "B i1 p1", "B i1 i2", "B i1 i1",
		"B i1 r1 r1", "B i1 r1 i2", "B i1 r2", "B i1 r1 d2", "B i1 r1 d1 i1", "B i1 r1 d1 i3", "B i1 r1 d1 d1", "B i1 r1 d1 r1", "B i1 r1 u1",
		"B i1 r1- f1 i2", "B U i1", "B i1 r1 d1 U i2", "B <i1 i1", "B E0 i1", "B E0 E0", "B E0 U", "B C C", "B C E0", "B C i1", "B E0 C C",
		/* a unit is started once, and never behind what comes later */
		"B i5+ r5+ d5+ i4+", "B i5+ r5+ d5+ r4+", "B i1 r1 d1 r1+", "B i5+ r5+ d5+ d5+",
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(lists); i++) {
		struct gs_journal_commit c;

		print_message("%s\n", lists[i]);
		assert_int_equal(take_all(lists[i], &c), count_words(lists[i]) - 1);
		assert_int_equal(c.last_seq, count_words(lists[i]) - 1);
	}
}

static void numbers_have_no_gap(void **state)
{
	struct gs_journal_commit c = { 0 };
	struct gs_journal_record r = record_of("B", 1);

	(void)state;
	r.seq = 2;
	assert_int_equal(gs_journal_take(&c, &r, NULL), -EBADMSG);
	r.seq = 1;
	assert_int_equal(gs_journal_take(&c, &r, NULL), 0);
	r = record_of("i1", 3);
	assert_int_equal(gs_journal_take(&c, &r, NULL), -EBADMSG);
	r.seq = 1;
	assert_int_equal(gs_journal_take(&c, &r, NULL), -EBADMSG);
	r.seq = 2;
	assert_int_equal(gs_journal_take(&c, &r, NULL), 0);
}

static void a_commit_has_a_label(void **state)
{
	struct gs_journal_commit c = { .id = 12, .begun = { 1795269789000 }, .author = { .user = "alice", .command = "gpuslice apply x" } };
	char label[120];

	(void)state;
	assert_string_equal(gs_journal_label(&c, label, sizeof(label)), "commit 12 (alice, 2026-11-21 14:03:09 UTC, gpuslice apply x)");
	c.author = (struct gs_author){ .uid = GS_U32(1000) };
	assert_string_equal(gs_journal_label(&c, label, sizeof(label)), "commit 12 (uid 1000, 2026-11-21 14:03:09 UTC)");
}

/* ---------------------------------------------------------------- lines */

static struct gs_plan *plan_of(const char *model, const char *spec, const char *script, const struct gs_plan_options *options)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_testhost(model, spec);
	const struct gs_plan_options none = { 0 };
	struct gs_plan *p = NULL;
	struct gs_error e = { 0 };

	if (gs_testhost_plan(s, script, options ? options : &none, &p, &e) < 0)
		fail_msg("%s", e.text);
	assert_true(p->n_steps > 0);
	return p;
}

static struct gs_journal_begin begin_of(const struct gs_plan *p, const struct gs_plan_options *options)
{
	return (struct gs_journal_begin){
		.id = 12, .at = { 1795269789123 }, .boot_id = BOOT, .host = "dgx01", .pid = 4711, .start_time = 99, .way = GS_WAY_APPLY,
		.author = { GS_U32(1000), "alice", "192.0.2.7", "gpuslice apply x", "for the \"new\"\nteam" }, .plan = p, .options = options,
	};
}

static void add_line(struct gs_strbuf *b, const struct gs_journal_record *r)
{
	GS_FREE char *line = NULL;

	assert_int_equal(gs_journal_record_to_line(r, &line, NULL), 0);
	gs_strbuf_puts(b, line);
}

/* A whole commit of that plan, as it is written. */
static char *text_of(const struct gs_plan *p, const char *words)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;
	const struct gs_journal_begin begin = begin_of(p, NULL);
	GS_FREE char *line = NULL;
	uint64_t seq = 1;

	assert_int_equal(gs_journal_begin_to_line(&begin, &line, NULL), 0);
	gs_strbuf_puts(&b, line);
	while (*words) {
		char word[8];
		size_t n = strcspn(words, " ");
		struct gs_journal_record r;

		assert_true(n < sizeof(word));
		memcpy(word, words, n);
		word[n] = '\0';
		words += n + (words[n] == ' ');
		r = record_of(word, ++seq);
		r.bdf = p->steps[0].bdf;
		r.text = "a sentence \xe2\x82";
		add_line(&b, &r);
	}
	return gs_strbuf_take(&b);
}

static void expect_same_text(struct json_object *a, struct json_object *b)
{
	GS_FREE char *x = gs_json_to_text(a), *y = gs_json_to_text(b);

	json_object_put(a);
	json_object_put(b);
	assert_string_equal(x, y);
}

static void begin_is_enough_to_make_the_plan_again(void **state)
{
	static const struct gs_disrupt disrupt[] = { { GS_DISRUPT_ALL, 0, NULL } };
	const struct gs_plan_options options = { .disrupt = disrupt, .n_disrupt = 1, .kill = true };
	GS_CLEANUP(gs_plan_freep) struct gs_plan *p = plan_of(H100, "whole | mig 3g.40gb@4* 1g.10gb@0 | mig", "delete 1 all\nmode 1 whole\nmode 2 mig\ncreate 2 2g.20gb at 0", &options);
	GS_CLEANUP(gs_plan_freep) struct gs_plan *again = NULL;
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
	const struct gs_journal_begin begin = begin_of(p, &options);
	GS_FREE char *line = NULL;
	struct gs_error e = { 0 };

	(void)state;
	assert_int_equal(gs_journal_begin_to_line(&begin, &line, &e), 0);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	assert_int_equal(gs_journal_parse(line, strlen(line), &f, &e), 0);
	assert_string_equal(f->damage, "");
	assert_int_equal(f->n_valid_bytes, strlen(line));
	assert_int_equal(f->commit.id, 12);
	assert_int_equal(f->commit.n_steps, p->n_steps);
	assert_int_equal(f->commit.begun.ms, begin.at.ms);
	assert_string_equal(f->commit.boot_id, BOOT);
	assert_string_equal(f->commit.author.message, "for the \"new\"?team");
	assert_int_equal(f->commit.author.uid.value, 1000);
	assert_int_equal(f->commit.way, GS_WAY_APPLY);
	assert_int_equal(f->commit.n_gpus, 2);
	assert_int_equal(f->commit.gpus[1].gpu, 2);
	if (gs_journal_plan(f, &again, &e) < 0)
		fail_msg("%s", e.text);
	assert_true(gs_digest_equal(&again->digest, &p->digest));
	assert_int_equal(again->n_base, p->n_base);
	assert_int_equal(again->n_steps, p->n_steps);
	for (size_t i = 0; i < p->n_steps; i++)
		expect_same_text(gs_step_to_json(&p->steps[i]), gs_step_to_json(&again->steps[i]));
	/* the machine of before is the same to the last rev, the target the same to the last byte */
	for (size_t i = 0; i < gs_snapshot_n_gpus(p->snapshot); i++)
		assert_true(gs_digest_equal(&gs_snapshot_gpu(p->snapshot, i)->rev, &gs_snapshot_gpu(again->snapshot, i)->rev));
	expect_same_text(gs_layout_to_json(p->layout, p->snapshot), gs_layout_to_json(again->layout, again->snapshot));
}

#define WHOLE "i1 r1 d1 i2 r2- f2 U <i1 <r1 <u1 E1 C"

/* The power went at any byte: what had its newline counts, the rest does not. */
static void a_file_may_end_at_every_byte(void **state)
{
	GS_CLEANUP(gs_plan_freep) struct gs_plan *p = plan_of(H100, "mig", "create 0 3g.40gb at 4", NULL);
	GS_FREE char *text = text_of(p, WHOLE);
	size_t n = strlen(text), first = strcspn(text, "\n") + 1, lines = 1, whole = first;

	(void)state;
	for (size_t at = 0; at < first; at += at + 64 < first ? 37 : 1) {
		struct gs_journal_file *f = NULL;

		assert_int_equal(gs_journal_parse(text, at, &f, NULL), -ENODATA);
		assert_null(f);
	}
	for (size_t at = first; at <= n; at++) {
		GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
		/* what follows the end must not matter */
		GS_FREE char *copy = malloc(at);

		if (at > first && text[at - 1] == '\n') {
			lines++;
			whole = at;
		}
		memcpy(copy, text, at);
		assert_int_equal(gs_journal_parse(copy, at, &f, NULL), 0);
		assert_int_equal(f->n_records, lines);
		assert_int_equal(f->commit.last_seq, lines);
		assert_int_equal(f->n_valid_bytes, whole);
		assert_string_equal(f->damage, at != whole ? "the last record is half" : "");
	}
	assert_int_equal(lines, 1 + count_words(WHOLE));
}

/* A disk that lies: bytes changed anywhere. What is read is a beginning of what was written, but for texts. */
static void changed_bytes_cost_no_more_than_what_follows(void **state)
{
	GS_CLEANUP(gs_plan_freep) struct gs_plan *p = plan_of(H100, "mig", "create 0 3g.40gb at 4", NULL);
	GS_FREE char *text = text_of(p, WHOLE);
	size_t n = strlen(text), first = strcspn(text, "\n") + 1;
	uint64_t random = 20261121;

	(void)state;
	for (unsigned i = 0; i < 4000; i++) {
		GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
		GS_FREE char *copy = malloc(n);
		struct gs_error e = { 0 };
		size_t at;

		memcpy(copy, text, n);
		random = random * 6364136223846793005ull + 1442695040888963407ull;
		/* begin is most of it: strike behind it as often */
		at = i % 2 ? first + (random >> 33) % (n - first) : (random >> 33) % n;
		copy[at] = (char)(random >> 20);
		if (gs_journal_parse(copy, n, &f, &e) < 0) {
			assert_true(at < first && e.text[0]);
			continue;
		}
		assert_true(f->n_records <= 1 + count_words(WHOLE));
		assert_true(f->commit.done <= 1);
		/* lines before it are whole */
		if (at >= first)
			assert_true(f->n_valid_bytes >= (size_t)((char *)memrchr(copy, '\n', at) - copy) + 1);
	}
}

static void every_member_of_a_step_survives(void **state)
{
	const struct gs_bdf peers[] = { { 1, 2, 3, 4 }, { 0x10000, 255, 31, 7 } };
	const struct gs_step step = {
		.n = 1, .op = GS_STEP_RESET_GPU, .gpu = 2, .bdf = { 0, 3, 4, 5 }, .gpu_uuid = "GPU-1", .target = "a", .text = "b \"c\"", .risk = GS_RISK_DISRUPTIVE,
		.undo = GS_UNDO_NONE, .mode = GS_MODE_WHOLE, .peers = peers, .n_peers = 2, .profile = "p", .profile_id = 6, .span = { 7, 8 }, .instance_id = 9,
		.compute_profile = "q", .compute_span = { 10, 11 }, .compute_profile_id = GS_COMPUTE_PROFILE_FILLS, .gi_slices = 12, .compute_id = 13, .uuid = "u",
		.framework = GS_FRAMEWORK_NVML, .function = { 0, 6, 7, 1 }, .vf = GS_U32(0), .vfs = 14, .vfs_by = GS_VFS_BY_SRIOV_MANAGE, .driver = "d", .to_vfio = true,
		.key = "k", .value = "", .old_value = "o", .on_start = GS_U32(0), .gi_profile = "g", .unit = "x.service", .pid = 15, .start_time = 1ull << 40, .kill = true,
	};
	GS_CLEANUP(gs_arena_freep) struct gs_arena *arena = gs_arena_new();
	GS_JSON struct json_object *o = gs_step_to_json(&step);
	struct gs_step again;
	struct gs_error e = { 0 };

	(void)state;
	if (gs_step_from_json(o, arena, &again, &e) < 0)
		fail_msg("%s", e.text);
#define SAME(member) assert_int_equal(again.member, step.member)
#define SAME_TEXT(member) assert_string_equal(again.member, step.member)
	SAME(n), SAME(op), SAME(gpu), SAME(risk), SAME(undo), SAME(mode), SAME(n_peers), SAME(profile_id), SAME(span.start), SAME(span.size), SAME(instance_id);
	SAME(compute_span.start), SAME(compute_span.size), SAME(compute_profile_id), SAME(gi_slices), SAME(compute_id), SAME(framework), SAME(vf.known), SAME(vf.value);
	SAME(vfs), SAME(vfs_by), SAME(to_vfio), SAME(on_start.known), SAME(on_start.value), SAME(pid), SAME(start_time), SAME(kill);
	SAME_TEXT(gpu_uuid), SAME_TEXT(target), SAME_TEXT(text), SAME_TEXT(profile), SAME_TEXT(compute_profile), SAME_TEXT(uuid), SAME_TEXT(driver), SAME_TEXT(key);
	SAME_TEXT(value), SAME_TEXT(old_value), SAME_TEXT(gi_profile), SAME_TEXT(unit);
	assert_int_equal(gs_bdf_compare(again.bdf, step.bdf), 0);
	assert_int_equal(gs_bdf_compare(again.function, step.function), 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(gs_bdf_compare(again.peers[i], peers[i]), 0);
	/* whoever has nowhere to put them gets no step without them */
	assert_int_equal(gs_step_from_json(o, NULL, &again, &e), -EBADMSG);
}

static void nothing_of_a_step_stays_nothing(void **state)
{
	const struct gs_step step = { .n = 1, .op = GS_STEP_CREATE_GI, .bdf = { 0, 3, 0, 0 }, .mode = GS_MODE_INVALID, .framework = GS_FRAMEWORK_INVALID };
	GS_JSON struct json_object *o = gs_step_to_json(&step);
	struct gs_step again;

	(void)state;
	assert_int_equal(gs_step_from_json(o, NULL, &again, NULL), 0);
	assert_int_equal(again.mode, GS_MODE_INVALID);
	assert_int_equal(again.framework, GS_FRAMEWORK_INVALID);
	assert_int_equal(again.vfs_by, GS_VFS_BY_NOBODY);
	assert_false(again.vf.known || again.on_start.known || again.kill || again.to_vfio);
	assert_null(again.profile);
	assert_null(again.key);
	assert_null(again.peers);
}

static void expect_no_step(const char *json)
{
	GS_CLEANUP(gs_arena_freep) struct gs_arena *arena = gs_arena_new();
	GS_JSON struct json_object *o = NULL;
	struct gs_step step;
	struct gs_error e = { 0 };

	assert_int_equal(gs_json_parse(json, strlen(json), "step", &o, &e), 0);
	assert_int_equal(gs_step_from_json(o, arena, &step, &e), -EBADMSG);
	assert_true(e.text[0]);
}

static void half_a_step_is_none(void **state)
{
	(void)state;
	expect_no_step("[]");
	expect_no_step("{\"op\":\"create-gi\"}");
	expect_no_step("{\"bdf\":\"0000:03:00.0\"}");
	expect_no_step("{\"op\":\"destroy\",\"bdf\":\"0000:03:00.0\"}");
	expect_no_step("{\"op\":\"create-gi\",\"bdf\":\"3\"}");
	expect_no_step("{\"op\":\"create-gi\",\"bdf\":\"0000:03:00.0\",\"more\":1}");
	expect_no_step("{\"op\":\"create-gi\",\"bdf\":\"0000:03:00.0\",\"start\":-1}");
	expect_no_step("{\"op\":\"create-gi\",\"bdf\":\"0000:03:00.0\",\"kill\":1}");
	expect_no_step("{\"op\":\"create-gi\",\"bdf\":\"0000:03:00.0\",\"mode\":\"\"}");
	expect_no_step("{\"op\":\"create-gi\",\"bdf\":\"0000:03:00.0\",\"vfs_by\":\"hand\"}");
	expect_no_step("{\"op\":\"create-gi\",\"bdf\":\"0000:03:00.0\",\"peers\":[1]}");
}

static void a_past_commit_is_what_undoing_takes(void **state)
{
	GS_CLEANUP(gs_plan_freep) struct gs_plan *p = plan_of(H100, "mig | mig 1g.10gb@0", "create 1 3g.40gb at 4", NULL);
	GS_FREE char *text = text_of(p, "i1_ r1_ d1_ i2 r2");
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
	GS_CLEANUP(gs_past_freep) struct gs_past *past = NULL, *later = NULL;
	struct gs_error e = { 0 };

	(void)state;
	assert_int_equal(gs_journal_parse(text, strlen(text), &f, &e), 0);
	if (gs_journal_past(f, BOOT, &past, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(past->id, 12);
	assert_int_equal(past->done, 1);
	assert_true(past->is_uncertain && past->is_same_boot && !past->is_ended);
	assert_int_equal(past->n_units, 1);
	assert_string_equal(past->units[0], "dcgm.service");
	/* of its GPUs alone: the others are none of its business */
	assert_int_equal(past->base->n_gpus, 1);
	assert_int_equal(past->target->n_gpus, 1);
	assert_int_equal(gs_bdf_compare(past->base->gpus[0].match.bdf, p->base[0].bdf), 0);
	assert_int_equal(past->base->gpus[0].n_wants, 1);
	assert_int_equal(past->target->gpus[0].n_wants, 2);
	assert_false(past->base->is_bound || past->target->is_bound);
	assert_int_equal(gs_journal_past(f, "another boot", &later, &e), 0);
	assert_false(later->is_same_boot);
}

static enum gs_past_state judged(const struct gs_past *past, const char *spec, const char *in_target)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *now = gs_testhost(H100, spec);
	GS_STRBUF struct gs_strbuf not_base = GS_STRBUF_INIT, not_target = GS_STRBUF_INIT;
	enum gs_past_state state;

	assert_int_equal(gs_past_judge(past, now, &state, &not_base, &not_target, NULL), 0);
	if (in_target && (!not_target.text || !strstr(not_target.text, in_target)))
		fail_msg("«%s» is not in «%s»", in_target, not_target.text ? not_target.text : "");
	return state;
}

/* How far it came is seen by what is there, also where a commit only takes away. */
static void what_was_to_go_and_stayed_is_not_the_end(void **state)
{
	GS_CLEANUP(gs_plan_freep) struct gs_plan *p = plan_of(H100, "mig 1g.10gb@0 1g.10gb@1 3g.40gb@4", "delete 0 all", NULL);
	GS_CLEANUP(gs_plan_freep) struct gs_plan *q = plan_of(H100, "mig 1g.10gb@0 1g.10gb@1", "recreate 0 1g.10gb@0", NULL);
	GS_FREE char *text = text_of(p, "i1 r1 d1"), *other = text_of(q, "i1 r1 d1");
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL, *g = NULL;
	GS_CLEANUP(gs_past_freep) struct gs_past *past = NULL, *recreated = NULL;

	(void)state;
	assert_int_equal(gs_journal_parse(text, strlen(text), &f, NULL), 0);
	assert_int_equal(gs_journal_past(f, BOOT, &past, NULL), 0);
	assert_int_equal(judged(past, "mig 1g.10gb@0 1g.10gb@1 3g.40gb@4", "still has the 3g.40gb at 4, which was to go"), GS_PAST_IS_BASE);
	assert_int_equal(judged(past, "mig 1g.10gb@1 3g.40gb@4", "still has the 1g.10gb at 1, which was to go"), GS_PAST_IS_BETWEEN);
	assert_int_equal(judged(past, "mig", NULL), GS_PAST_IS_TARGET);
	/* what somebody else put there stays when it is finished, so there is nothing left to do */
	assert_int_equal(judged(past, "mig 2g.20gb@0", NULL), GS_PAST_IS_TARGET);
	/* what is made anew in its place is there at both ends */
	assert_int_equal(gs_journal_parse(other, strlen(other), &g, NULL), 0);
	assert_int_equal(gs_journal_past(g, BOOT, &recreated, NULL), 0);
	assert_int_equal(judged(recreated, "mig 1g.10gb@0 1g.10gb@1", NULL), GS_PAST_IS_BASE);
	assert_int_equal(judged(recreated, "mig 1g.10gb@1", NULL), GS_PAST_IS_BETWEEN);
}

static void a_log_has_one_line(void **state)
{
	const struct gs_plan_base gpus[] = { { 0, { 0, 0x26, 0, 0 }, { "" } } };
	struct gs_journal_commit c = {
		.id = 12, .way = GS_WAY_APPLY, .author = { GS_U32(1000), "alice", "192.0.2.7", "gpuslice apply x", "why\nand \x1b[31mhow" }, .gpus = gpus, .n_gpus = 1,
		.n_steps = 5, .done = 5, .state = GS_JOURNAL_IS_ENDED, .status = GS_U32(GS_STATUS_OK),
	};
	char line[256];

	(void)state;
	assert_string_equal(gs_journal_log_line(&c, line, sizeof(line)),
			    "commit 12 by alice (uid 1000, from 192.0.2.7): apply: done, 5 steps on 0000:26:00.0 - why?and ?[31mhow");
	c = (struct gs_journal_commit){ .id = 1, .way = GS_WAY_INVALID, .n_steps = 2 };
	assert_string_equal(gs_journal_log_line(&c, line, sizeof(line)), "commit 1 by somebody (uid unknown): ?: interrupted before any of 2 steps was proven");
}

/* What is given up would be found nowhere after a crash. */
static void a_plan_that_stops_too_many_units_is_not_begun(void **state)
{
	GS_CLEANUP(gs_plan_freep) struct gs_plan *p = plan_of(H100, "mig", "create 0 3g.40gb at 4", NULL);
	struct gs_step steps[GS_JOURNAL_UNITS_MAX + 1];
	struct gs_journal_begin begin = begin_of(p, NULL);
	struct gs_plan many = *p;
	GS_FREE char *line = NULL;
	struct gs_error e = { 0 };

	(void)state;
	for (uint32_t i = 0; i < GS_ARRAY_SIZE(steps); i++)
		steps[i] = (struct gs_step){ .n = i + 1, .op = GS_STEP_STOP_UNIT, .bdf = p->steps[0].bdf, .unit = "a.service" };
	many.steps = steps;
	many.n_steps = GS_ARRAY_SIZE(steps);
	begin.plan = &many;
	assert_int_equal(gs_journal_begin_to_line(&begin, &line, &e), -EFBIG);
	many.n_steps--;
	assert_int_equal(gs_journal_begin_to_line(&begin, &line, &e), 0);
}

static void what_people_say_cannot_spoil_a_line(void **state)
{
	GS_CLEANUP(gs_plan_freep) struct gs_plan *p = plan_of(H100, "mig", "create 0 3g.40gb at 4", NULL);
	struct gs_journal_begin begin = begin_of(p, NULL);
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
	GS_FREE char *line = NULL, *huge = malloc(100001);
	struct gs_error e = { 0 };

	(void)state;
	memset(huge, 'x', 100000);
	huge[100000] = '\0';
	begin.author.command = huge;
	begin.author.message = "\xff\xfe\xe2\x80\xae\n{\"kind\":\"end\"}";
	begin.author.user = "\xe2\x82";
	begin.host = "\x01";
	assert_int_equal(gs_journal_begin_to_line(&begin, &line, &e), 0);
	if (gs_journal_parse(line, strlen(line), &f, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(f->n_records, 1);
	assert_true(strlen(f->commit.author.command) < 4096);
	assert_null(strpbrk(f->commit.author.message, "\n\xff\xae"));
	/* nor whoever looks at the file itself */
	free(line);
	begin = begin_of(p, NULL);
	begin.author.message = "\xe2\x80\xae";
	assert_int_equal(gs_journal_begin_to_line(&begin, &line, &e), 0);
	assert_null(strstr(line, "\xe2\x80\xae"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_add_up),
		cmocka_unit_test(what_cannot_follow_is_not_believed),
		cmocka_unit_test(numbers_have_no_gap),
		cmocka_unit_test(a_commit_has_a_label),
		cmocka_unit_test(a_file_may_end_at_every_byte),
		cmocka_unit_test(changed_bytes_cost_no_more_than_what_follows),
		cmocka_unit_test(every_member_of_a_step_survives),
		cmocka_unit_test(nothing_of_a_step_stays_nothing),
		cmocka_unit_test(half_a_step_is_none),
		cmocka_unit_test(a_past_commit_is_what_undoing_takes),
		cmocka_unit_test(what_was_to_go_and_stayed_is_not_the_end),
		cmocka_unit_test(a_log_has_one_line),
		cmocka_unit_test(a_plan_that_stops_too_many_units_is_not_begun),
		cmocka_unit_test(what_people_say_cannot_spoil_a_line),
		cmocka_unit_test(begin_is_enough_to_make_the_plan_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
