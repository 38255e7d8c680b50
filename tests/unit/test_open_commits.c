/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which commits are marked as open on which GPUs, by what is in the journal and who lives; and what viewers are told of it. */
#include "tests/lib/cmocka.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backend/journal.h"
#include "backend/open_commits.h"
#include "backend/proc.h"
#include "backend/published.h"
#include "core/policy.h"
#include "tests/lib/testhost.h"
#include "tests/lib/tree.h"

struct place {
	char dir[GS_TREE_DIR];
	struct gs_root *root;
	struct gs_snapshot *host;
	struct gs_plan *plan;
	struct gs_open_commits known;
};

static void place_new(struct place *p)
{
	const struct gs_plan_options options = { 0 };
	struct gs_error e = { 0 };

	memset(p, 0, sizeof(*p));
	gs_tree_new(p->dir);
	p->host = gs_testhost("h100-sxm5-80gb", "mig");
	assert_int_equal(gs_root_open(GS_ROOT_SIM, p->dir, &p->root, NULL), 0);
	assert_int_equal(gs_testhost_plan(p->host, "create 0 3g.40gb at 4", &options, &p->plan, &e), 0);
}

static void place_done(struct place *p)
{
	gs_plan_free(p->plan);
	gs_snapshot_unref(p->host);
	gs_root_close(p->root);
	gs_tree_remove(p->dir);
}
#define PLACE GS_CLEANUP(place_done) struct place

/* By this process, which lives, or by one that was there before it. */
static struct gs_journal *begun(struct place *p, bool by_us, enum gs_way way, uint64_t of)
{
	struct gs_journal_begin b = { .at = gs_wall_now(), .boot_id = "boot", .host = "h", .way = way, .of = of, .plan = p->plan, .author = { .user = "alice" }, .pid = (uint32_t)getpid() };
	struct gs_proc_identity self;
	struct gs_journal *j = NULL;
	struct gs_error e = { 0 };

	assert_int_equal(gs_proc_identify(b.pid, &self), 0);
	b.start_time = self.start_time - !by_us;
	if (gs_journal_begin(p->root, &b, &j, &e) < 0)
		fail_msg("%s", e.text);
	return j;
}

static void append(struct gs_journal *j, enum gs_journal_kind kind, uint32_t status)
{
	struct gs_journal_record r = { .kind = kind, .n = 1, .op = GS_STEP_CREATE_GI, .way = GS_WAY_INVALID, .text = "a sentence" };
	struct gs_error e = { 0 };

	if (kind == GS_JOURNAL_END)
		r.status = GS_U32(status);
	if (gs_journal_append(j, &r, &e) < 0)
		fail_msg("%s", e.text);
}

static void ended(struct place *p, enum gs_way way, uint64_t of, uint32_t status)
{
	GS_CLEANUP(gs_journal_closep) struct gs_journal *j = begun(p, true, way, of);

	append(j, GS_JOURNAL_END, status);
}

/* The GPU that the plan is about, and another one. */
static struct gs_snapshot *look(struct place *p)
{
	struct gs_snapshot *s = gs_snapshot_new();

	assert_non_null(s);
	gs_snapshot_add_gpu(s, p->plan->base[0].bdf)->vendor = GS_VENDOR_NVIDIA;
	gs_snapshot_add_gpu(s, (struct gs_bdf){ 9, 9, 0, 0 })->vendor = GS_VENDOR_NVIDIA;
	assert_int_equal(gs_open_commits_collect(&p->known, p->root, s), 0);
	return s;
}

static const struct gs_open_commit *marked(struct gs_snapshot *s, size_t gpu)
{
	return &gs_snapshot_gpu(s, gpu)->open_commit;
}

static void expect(struct place *p, enum gs_open_state state, uint64_t id, const char *words)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = look(p);

	assert_int_equal(marked(s, 0)->state, state);
	assert_int_equal(marked(s, 0)->id, id);
	if (words && (!marked(s, 0)->text || !strstr(marked(s, 0)->text, words)))
		fail_msg("\"%s\" is not in \"%s\"", words, marked(s, 0)->text ? marked(s, 0)->text : "(null)");
	assert_int_equal(marked(s, 1)->state, GS_OPEN_NONE);
}

static void a_commit_is_under_way_while_its_agent_lives(void **state)
{
	GS_CLEANUP(gs_journal_closep) struct gs_journal *j = NULL;
	PLACE p;

	(void)state;
	place_new(&p);
	expect(&p, GS_OPEN_NONE, 0, NULL);
	j = begun(&p, true, GS_WAY_APPLY, 0);
	expect(&p, GS_OPEN_UNDER_WAY, 1, "is under way, 0 of 2 steps are done");
	append(j, GS_JOURNAL_INTENT, 0);
	append(j, GS_JOURNAL_RESULT, 0);
	append(j, GS_JOURNAL_DONE, 0);
	expect(&p, GS_OPEN_UNDER_WAY, 1, "1 of 2 steps");
	append(j, GS_JOURNAL_END, GS_STATUS_OK);
	expect(&p, GS_OPEN_NONE, 0, NULL);
}

static void without_its_agent_it_was_interrupted(void **state)
{
	GS_CLEANUP(gs_journal_closep) struct gs_journal *j = NULL;
	PLACE p;

	(void)state;
	place_new(&p);
	j = begun(&p, false, GS_WAY_APPLY, 0);
	append(j, GS_JOURNAL_INTENT, 0);
	expect(&p, GS_OPEN_INTERRUPTED, 1, "alice");
	append(j, GS_JOURNAL_CLOSED, 0);
	expect(&p, GS_OPEN_NONE, 0, NULL);
}

static void one_that_could_not_be_undone_stays_marked(void **state)
{
	GS_CLEANUP(gs_journal_closep) struct gs_journal *j = NULL;
	PLACE p;

	(void)state;
	place_new(&p);
	ended(&p, GS_WAY_APPLY, 0, GS_STATUS_NOT_UNDONE);
	expect(&p, GS_OPEN_NOT_UNDONE, 1, "not undone");
	/* what ends behind it hides nothing, and is looked at once only */
	ended(&p, GS_WAY_APPLY, 0, GS_STATUS_OK);
	ended(&p, GS_WAY_APPLY, 0, GS_STATUS_FAILED);
	expect(&p, GS_OPEN_NOT_UNDONE, 1, "not undone");
	/* its recovery is what counts while that is under way, then the commit again */
	j = begun(&p, true, GS_WAY_FINISH, 1);
	expect(&p, GS_OPEN_UNDER_WAY, 4, "under way");
	append(j, GS_JOURNAL_END, GS_STATUS_NOT_UNDONE);
	expect(&p, GS_OPEN_NOT_UNDONE, 1, NULL);
}

static void an_interrupted_one_counts_more_than_one_half_done(void **state)
{
	GS_CLEANUP(gs_journal_closep) struct gs_journal *j = NULL;
	PLACE p;

	(void)state;
	place_new(&p);
	j = begun(&p, false, GS_WAY_APPLY, 0);
	append(j, GS_JOURNAL_INTENT, 0);
	ended(&p, GS_WAY_APPLY, 0, GS_STATUS_NOT_UNDONE);
	expect(&p, GS_OPEN_INTERRUPTED, 1, NULL);
}

static void a_gpu_that_has_gone_is_told_of(void **state)
{
	GS_CLEANUP(gs_journal_closep) struct gs_journal *j = NULL;
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_snapshot_new();
	PLACE p;

	(void)state;
	place_new(&p);
	j = begun(&p, false, GS_WAY_APPLY, 0);
	append(j, GS_JOURNAL_INTENT, 0);
	gs_snapshot_add_gpu(s, (struct gs_bdf){ 9, 9, 0, 0 })->vendor = GS_VENDOR_NVIDIA;
	assert_int_equal(gs_open_commits_collect(&p.known, p.root, s), 0);
	assert_int_equal(marked(s, 0)->state, GS_OPEN_NONE);
	assert_int_equal(gs_snapshot_n_notices(s), 1);
	assert_non_null(strstr(gs_snapshot_notice(s, 0), "which has gone: gpuslice recover"));
}

/* That nothing can be seen is not that nothing is open; an empty file is what is left of one that had not begun. */
static void what_cannot_be_read_is_told(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	char path[300];
	PLACE p;

	(void)state;
	place_new(&p);
	gs_tree_put(p.dir, GS_JOURNAL_DIR "/1.jsonl", "");
	expect(&p, GS_OPEN_NONE, 0, NULL);
	snprintf(path, sizeof(path), "%s/" GS_JOURNAL_DIR "/1.jsonl", p.dir);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/" GS_JOURNAL_DIR, p.dir);
	assert_int_equal(rmdir(path), 0);
	gs_tree_put(p.dir, GS_JOURNAL_DIR, "a file");
	s = look(&p);
	assert_int_equal(gs_snapshot_n_notices(s), 1);
	assert_non_null(strstr(gs_snapshot_notice(s, 0), "nobody knows whether a commit was interrupted"));
}

static void viewers_are_told_of_what_stays(void **state)
{
	static const enum gs_open_state states[] = { GS_OPEN_NOT_UNDONE, GS_OPEN_INTERRUPTED, GS_OPEN_UNDER_WAY, GS_OPEN_NONE };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(states); i++) {
		GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_snapshot_new();
		GS_PUBLISHED struct gs_published published = { .snapshot = gs_snapshot_new() };
		const struct gs_bdf bdf = { 0, 1, 0, 0 };
		bool is_told = states[i] == GS_OPEN_NOT_UNDONE || states[i] == GS_OPEN_INTERRUPTED;
		struct gs_gpu *there = gs_snapshot_add_gpu(published.snapshot, bdf), *here = gs_snapshot_add_gpu(s, bdf);
		struct gs_error e;

		there->vendor = here->vendor = GS_VENDOR_NVIDIA;
		there->open_commit = (struct gs_open_commit){ states[i], states[i] == GS_OPEN_NONE ? 0 : 7, states[i] == GS_OPEN_NONE ? NULL : "commit 7 did not end" };
		assert_int_equal(gs_snapshot_seal(published.snapshot, &e), 0);
		gs_published_join_open_commit(&published, s, here);
		assert_int_equal(here->open_commit.state, is_told ? states[i] : GS_OPEN_NONE);
		assert_int_equal(gs_snapshot_published(s, &(struct gs_wall){ 0 }), is_told);
		assert_true(!is_told || (here->open_commit.id == 7 && here->open_commit.text && here->open_commit.text != there->open_commit.text));
	}
}

/* Every look of a viewer asks for it, and it changes seldom: it is read when it is another one, and only then. */
static void what_is_published_is_read_once(void **state)
{
	GS_PUBLISHED struct gs_published published = { 0 };
	const struct gs_snapshot *first;
	char path[300];
	PLACE p;

	(void)state;
	place_new(&p);
	gs_tree_put(p.dir, "run/x", "");
	assert_int_equal(gs_published_refresh(p.root, &published, NULL), -ENOENT);
	assert_int_equal(gs_published_write(p.root, p.host, (struct gs_wall){ 1000 }, NULL), 0);
	assert_int_equal(gs_published_refresh(p.root, &published, NULL), 0);
	first = published.snapshot;
	assert_int_equal(gs_published_refresh(p.root, &published, NULL), 0);
	assert_ptr_equal(published.snapshot, first);
	assert_int_equal(gs_published_write(p.root, p.host, (struct gs_wall){ 20000 }, NULL), 0);
	assert_int_equal(gs_published_refresh(p.root, &published, NULL), 0);
	assert_int_equal(published.taken_at.ms, 20000);
	/* what is none of ours is none at the second look either */
	gs_tree_put(p.dir, GS_PUBLISHED_PATH, "nonsense");
	assert_int_equal(gs_published_refresh(p.root, &published, NULL), -EBADMSG);
	assert_int_equal(gs_published_refresh(p.root, &published, NULL), -EBADMSG);
	assert_null(published.snapshot);
	snprintf(path, sizeof(path), "%s/" GS_PUBLISHED_PATH, p.dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(gs_published_refresh(p.root, &published, NULL), -ENOENT);
}

/* The finding of a rule for "create 1g.10gb" on a GPU with that commit; NULL when there is none. */
static void expect_finding(struct gs_open_commit c, uint64_t recovers, enum gs_rule rule, int severity)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_testhost("h100-sxm5-80gb", "mig");
	GS_CLEANUP(gs_plan_freep) struct gs_plan *plan = NULL;
	const struct gs_plan_options options = { .recovers = recovers };
	struct gs_error e = { 0 };
	int found = -1;

	((struct gs_gpu *)gs_snapshot_gpu(s, 0))->open_commit = c;
	assert_int_equal(gs_testhost_plan(s, "create 0 3g.40gb at 4", &options, &plan, &e), 0);
	for (size_t i = 0; i < plan->n_findings; i++)
		if (strcmp(plan->findings[i].rule, gs_rule_name(rule)) == 0)
			found = (int)plan->findings[i].severity;
	assert_int_equal(found, severity);
}

static void plans_say_what_is_open_there(void **state)
{
	(void)state;
	expect_finding((struct gs_open_commit){ 0 }, 0, GS_RULE_COMMIT_OPEN, -1);
	expect_finding((struct gs_open_commit){ 0 }, 0, GS_RULE_INTERRUPTED, -1);
	expect_finding((struct gs_open_commit){ GS_OPEN_UNDER_WAY, 7, "x" }, 0, GS_RULE_COMMIT_OPEN, GS_SEVERITY_NOTE);
	expect_finding((struct gs_open_commit){ GS_OPEN_NOT_UNDONE, 7, NULL }, 0, GS_RULE_COMMIT_OPEN, GS_SEVERITY_NOTE);
	expect_finding((struct gs_open_commit){ GS_OPEN_NOT_UNDONE, 7, NULL }, 7, GS_RULE_COMMIT_OPEN, -1);
	expect_finding((struct gs_open_commit){ GS_OPEN_INTERRUPTED, 7, NULL }, 0, GS_RULE_INTERRUPTED, GS_SEVERITY_BLOCK);
	expect_finding((struct gs_open_commit){ GS_OPEN_INTERRUPTED, 7, NULL }, 7, GS_RULE_INTERRUPTED, -1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_commit_is_under_way_while_its_agent_lives),
		cmocka_unit_test(without_its_agent_it_was_interrupted),
		cmocka_unit_test(one_that_could_not_be_undone_stays_marked),
		cmocka_unit_test(an_interrupted_one_counts_more_than_one_half_done),
		cmocka_unit_test(a_gpu_that_has_gone_is_told_of),
		cmocka_unit_test(what_cannot_be_read_is_told),
		cmocka_unit_test(viewers_are_told_of_what_stays),
		cmocka_unit_test(what_is_published_is_read_once),
		cmocka_unit_test(plans_say_what_is_open_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
