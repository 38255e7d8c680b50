/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_journal_list.c - what the commits of a machine mean for each other: parts of one, taken back, changed since. */
#include "tests/lib/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "codec/journal_json.h"
#include "codec/journal_list.h"

/* A row of a list: the newest first, id 0 ends. */
struct row {
	uint64_t id;
	const char *way;
	uint64_t of;
	const char *state;      /* "ended 0", "closed recover-finish", "open" */
	unsigned gpu;
};

static struct gs_journal_list *list_of(const struct row *rows)
{
	GS_JSON struct json_object *commits = json_object_new_array();
	struct gs_journal_list *l = NULL;
	struct gs_error e = { 0 };

	for (; rows->id; rows++) {
		struct json_object *o = json_object_new_object(), *gpu = json_object_new_object(), *gpus = json_object_new_array();
		const char *rest = strchr(rows->state, ' ');
		char word[16], bdf[16];

		snprintf(word, sizeof(word), "%.*s", (int)strcspn(rows->state, " "), rows->state);
		snprintf(bdf, sizeof(bdf), "0000:%02x:00.0", 0x1b + rows->gpu);
		gs_json_add_u64(o, "id", GS_U64(rows->id));
		gs_json_add_string(o, "way", rows->way);
		gs_json_add_u64(o, "of", rows->of ? GS_U64(rows->of) : GS_U64_UNKNOWN);
		gs_json_add_string(o, "state", word);
		gs_json_add_u32(o, "status", word[0] == 'e' ? GS_U32((uint32_t)(rest[1] - '0')) : GS_U32_UNKNOWN);
		gs_json_add_string(o, "closed_way", word[0] == 'c' && rest ? rest + 1 : NULL);
		gs_json_add_string(gpu, "bdf", bdf);
		json_object_array_add(gpus, gpu);
		json_object_object_add(o, "gpus", gpus);
		json_object_array_add(commits, o);
	}
	if (gs_journal_list_from_json(commits, &l, &e) < 0)
		fail_msg("%s", e.text);
	return l;
}

static uint64_t last(const struct row *rows)
{
	GS_CLEANUP(gs_journal_list_freep) struct gs_journal_list *l = list_of(rows);
	const struct gs_journal_entry *c = gs_journal_last_undoable(l);

	return c ? c->id : 0;
}

static uint64_t whole(const struct row *rows, size_t at)
{
	GS_CLEANUP(gs_journal_list_freep) struct gs_journal_list *l = list_of(rows);

	return gs_journal_whole(l, &l->items[at]);
}

static uint64_t undone_by(const struct row *rows, size_t at)
{
	GS_CLEANUP(gs_journal_list_freep) struct gs_journal_list *l = list_of(rows);

	return gs_journal_undone_by(l, &l->items[at]);
}

static void relate(const struct row *rows, uint64_t id, struct gs_journal_file *f)
{
	GS_CLEANUP(gs_journal_list_freep) struct gs_journal_list *l = list_of(rows);

	memset(f, 0, sizeof(*f));
	f->commit.id = id;
	gs_journal_relate(l, f);
}

/* 1 was interrupted, 2 finished it. */
#define FINISHED { 2, "recover-finish", 1, "ended 0", 0 }, { 1, "apply", 0, "closed recover-finish", 0 }, { 0 }

static void what_was_finished_is_undone_as_one(void **state)
{
	static const struct row finished[] = { FINISHED };
	static const struct row undone[] = { { 3, "undo", 1, "ended 0", 0 }, FINISHED };
	static const struct row undone_twice[] = { { 4, "undo", 3, "ended 0", 0 }, { 3, "undo", 1, "ended 0", 0 }, FINISHED };
	struct gs_journal_file f;

	(void)state;
	assert_int_equal(last(finished), 1);
	assert_int_equal(whole(finished, 0), 1);
	assert_int_equal(whole(finished, 1), 1);
	assert_int_equal(undone_by(finished, 0), 0);
	relate(finished, 2, &f);
	assert_int_equal(f.part_of, 1);
	relate(finished, 1, &f);
	assert_int_equal(f.part_of, 0);
	assert_true(f.was_continued);
	assert_int_equal(f.changed_since, 0);
	/* both of them are, and nothing is left */
	assert_int_equal(last(undone), 0);
	assert_int_equal(undone_by(undone, 1), 3);
	assert_int_equal(undone_by(undone, 2), 3);
	relate(undone, 2, &f);
	assert_int_equal(f.undone_by, 3);
	/* the undo was taken back: they are there again, and it is not */
	assert_int_equal(undone_by(undone_twice, 1), 4);
	assert_int_equal(undone_by(undone_twice, 2), 0);
	assert_int_equal(undone_by(undone_twice, 3), 0);
	assert_int_equal(last(undone_twice), 1);
}

static void a_recovery_that_died_is_a_part_too(void **state)
{
	static const struct row rows[] = { { 3, "recover-finish", 1, "ended 0", 0 }, { 2, "recover-finish", 1, "closed recover-finish", 0 }, { 1, "apply", 0, "closed recover-finish", 0 }, { 0 } };
	/* 1 was left as it was, and what had tried to finish it was finished by itself */
	static const struct row left[] = { { 3, "recover-finish", 2, "ended 0", 0 }, { 2, "recover-finish", 1, "closed recover-finish", 0 }, { 1, "apply", 0, "closed", 0 }, { 0 } };

	(void)state;
	assert_int_equal(last(rows), 1);
	assert_int_equal(whole(rows, 0), 1);
	assert_int_equal(whole(rows, 1), 1);
	assert_int_equal(last(left), 2);
	assert_int_equal(whole(left, 0), 2);
}

static void a_part_without_its_beginning_stands_alone(void **state)
{
	static const struct row rotated[] = { { 2, "recover-finish", 1, "ended 0", 0 }, { 0 } };
	/* a file may say anything: no circle, nothing that comes later */
	static const struct row circle[] = { { 2, "recover-finish", 2, "closed recover-finish", 0 }, { 1, "recover-finish", 2, "closed recover-finish", 0 }, { 0 } };

	(void)state;
	assert_int_equal(last(rotated), 2);
	assert_int_equal(whole(rotated, 0), 2);
	assert_int_equal(whole(circle, 0), 2);
	assert_int_equal(whole(circle, 1), 1);
}

static void who_changed_it_since_is_in_effect_still(void **state)
{
	static const struct row rows[] = { { 3, "apply", 0, "ended 0", 1 }, { 2, "apply", 0, "ended 0", 0 }, { 1, "apply", 0, "ended 0", 0 }, { 0 } };
	static const struct row undone[] = { { 3, "undo", 2, "ended 0", 0 }, { 2, "apply", 0, "ended 0", 0 }, { 1, "apply", 0, "ended 0", 0 }, { 0 } };
	/* what was finished and undone then is not in effect, neither half of it */
	static const struct row other[] = { { 4, "undo", 2, "ended 0", 0 }, { 3, "recover-finish", 2, "ended 0", 0 }, { 2, "apply", 0, "closed recover-finish", 0 }, { 1, "apply", 0, "ended 0", 0 }, { 0 } };
	/* two that were finished: what finished the first is a part of it, and no change of the second */
	static const struct row again[] = { { 4, "recover-finish", 3, "ended 0", 0 }, { 3, "apply", 0, "closed recover-finish", 0 }, FINISHED };
	struct gs_journal_file f;

	(void)state;
	relate(rows, 1, &f);
	assert_int_equal(f.changed_since, 2);
	relate(rows, 2, &f);
	assert_int_equal(f.changed_since, 0);
	relate(undone, 1, &f);
	assert_int_equal(f.changed_since, 0);
	relate(other, 1, &f);
	assert_int_equal(f.changed_since, 0);
	relate(again, 3, &f);
	assert_int_equal(f.changed_since, 0);
	relate(again, 1, &f);
	assert_int_equal(f.changed_since, 4);
}

static bool needs(const struct row *rows, size_t at)
{
	GS_CLEANUP(gs_journal_list_freep) struct gs_journal_list *l = list_of(rows);

	return gs_journal_needs_recovery(l, &l->items[at]);
}

/* Both were open then, the older one first in line and blocked by the newer one. */
static void a_recovery_that_died_goes_with_what_it_was_of(void **state)
{
	static const struct row rows[] = { { 2, "recover-undo", 1, "open", 0 }, { 1, "apply", 0, "open", 0 }, { 0 } };
	static const struct row failed[] = { { 2, "recover-finish", 1, "ended 5", 0 }, { 1, "apply", 0, "ended 5", 0 }, { 0 } };
	static const struct row left[] = { { 2, "recover-undo", 1, "open", 0 }, { 1, "apply", 0, "closed", 0 }, { 0 } };
	/* an undo is a commit of its own */
	static const struct row undo[] = { { 2, "undo", 1, "open", 0 }, { 1, "apply", 0, "ended 5", 0 }, { 0 } };

	(void)state;
	assert_false(needs(rows, 0));
	assert_true(needs(rows, 1));
	assert_false(needs(failed, 0));
	assert_true(needs(failed, 1));
	assert_true(needs(left, 0));
	assert_false(needs(left, 1));
	assert_true(needs(undo, 0));
	assert_true(needs(undo, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_finished_is_undone_as_one),
		cmocka_unit_test(a_recovery_that_died_is_a_part_too),
		cmocka_unit_test(a_part_without_its_beginning_stands_alone),
		cmocka_unit_test(who_changed_it_since_is_in_effect_still),
		cmocka_unit_test(a_recovery_that_died_goes_with_what_it_was_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
