/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal's files: what is on the disk when a call returns, when the disk is full or dying, and when others have been there. */
#include "tests/lib/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/journal.h"
#include "base/file.h"
#include "tests/lib/testhost.h"
#include "tests/lib/tree.h"

/* A disk: the call that fails, counted from 1 over all calls of its kind, and how. */
struct disk {
	unsigned writes, fail_write, short_write;
	unsigned syncs, fail_sync;
	unsigned truncates, fail_truncate;
	int errnum;
};

static ssize_t disk_write(void *userdata, int fd, const void *bytes, size_t n)
{
	struct disk *d = userdata;
	ssize_t written;

	d->writes++;
	if (d->writes == d->fail_write)
		return d->errnum;
	/* half of it, and nothing more behind that */
	if (d->writes == d->short_write) {
		d->fail_write = d->writes + 1;
		n /= 2;
	}
	written = write(fd, bytes, n);
	return written < 0 ? -errno : written;
}

/* Without a real sync: no test looks behind the kernel. */
static int disk_sync(void *userdata, int fd)
{
	struct disk *d = userdata;

	(void)fd;
	return ++d->syncs == d->fail_sync ? d->errnum : 0;
}

static int disk_truncate(void *userdata, int fd, uint64_t size)
{
	struct disk *d = userdata;

	if (++d->truncates == d->fail_truncate)
		return -EIO;
	return ftruncate(fd, (off_t)size) < 0 ? -errno : 0;
}

static const struct gs_root_file_ops disk_ops = { disk_write, disk_sync, disk_truncate };

struct place {
	char dir[GS_TREE_DIR];
	struct gs_root *root;
	struct gs_plan *plan;
	struct disk disk;
};

static void place_new(struct place *p)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_testhost("h100-sxm5-80gb", "mig");
	const struct gs_plan_options options = { 0 };
	struct gs_error e = { 0 };

	memset(p, 0, sizeof(*p));
	gs_tree_new(p->dir);
	assert_int_equal(gs_root_open(GS_ROOT_SIM, p->dir, &p->root, NULL), 0);
	assert_int_equal(gs_testhost_plan(s, "create 0 3g.40gb at 4", &options, &p->plan, &e), 0);
	gs_root_set_file_ops(p->root, &disk_ops, &p->disk);
}

static void place_done(struct place *p)
{
	gs_plan_free(p->plan);
	gs_root_close(p->root);
	gs_tree_remove(p->dir);
}
#define PLACE GS_CLEANUP(place_done) struct place

static int begin(struct place *p, struct gs_journal **ret, struct gs_error *e)
{
	struct gs_journal_begin b = { .at = gs_wall_now(), .boot_id = "boot", .host = "h", .way = GS_WAY_APPLY, .plan = p->plan, .author = { .user = "alice" } };

	return gs_journal_begin(p->root, &b, ret, e);
}

static struct gs_journal *begun(struct place *p)
{
	struct gs_journal *j = NULL;
	struct gs_error e = { 0 };

	if (begin(p, &j, &e) < 0)
		fail_msg("%s", e.text);
	return j;
}

static int append(struct gs_journal *j, enum gs_journal_kind kind, uint32_t n, struct gs_error *e)
{
	struct gs_journal_record r = { .kind = kind, .n = n, .op = GS_STEP_CREATE_GI, .way = GS_WAY_INVALID, .status = GS_U32(n), .text = "a sentence" };

	return gs_journal_append(j, &r, e);
}

/* The records of a commit by their letters: "bird". */
static void expect_file(struct place *p, uint64_t id, const char *letters, bool is_damaged)
{
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
	struct gs_error e = { 0 };

	if (gs_journal_load(p->root, id, &f, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(f->n_records, strlen(letters));
	for (size_t i = 0; i < f->n_records; i++)
		assert_int_equal(gs_journal_kind_name(f->records[i].kind)[0], letters[i]);
	assert_int_equal(f->damage[0] != '\0', is_damaged);
}

static void expect_mode(const struct place *p, const char *name, mode_t mode)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", p->dir, name);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

static bool is_there(const struct place *p, uint64_t id)
{
	return gs_root_exists(p->root, GS_JOURNAL_DIR "/%llu.jsonl", (unsigned long long)id);
}

static void a_commit_is_on_the_disk_for_root_alone(void **state)
{
	PLACE p;
	mode_t mask = umask(0);
	GS_CLEANUP(gs_journal_closep) struct gs_journal *j = NULL, *next = NULL;

	(void)state;
	place_new(&p);
	j = begun(&p);
	umask(mask);
	assert_int_equal(gs_journal_id(j), 1);
	expect_file(&p, 1, "b", false);
	assert_int_equal(append(j, GS_JOURNAL_INTENT, 1, NULL), 0);
	expect_file(&p, 1, "bi", false);
	assert_int_equal(append(j, GS_JOURNAL_RESULT, 1, NULL), 0);
	assert_int_equal(append(j, GS_JOURNAL_DONE, 1, NULL), 0);
	assert_int_equal(append(j, GS_JOURNAL_END, 0, NULL), 0);
	/* file and directory at begin, and once for each record behind it */
	assert_true(p.disk.syncs >= 2 + 4);
	assert_int_equal(gs_journal_commit_of(j)->done, 1);
	assert_int_equal(gs_journal_commit_of(j)->state, GS_JOURNAL_IS_ENDED);
	expect_file(&p, 1, "birde", false);
	expect_mode(&p, "var", 0755);
	expect_mode(&p, "var/lib/gpuslice", 0755);
	expect_mode(&p, GS_JOURNAL_DIR, 0700);
	expect_mode(&p, GS_JOURNAL_DIR "/1.jsonl", 0600);
	next = begun(&p);
	assert_int_equal(gs_journal_id(next), 2);
}

static void what_was_reserved_goes_back_at_the_end(void **state)
{
	PLACE p;
	struct gs_journal *j;
	char path[256];
	struct stat before, after;

	(void)state;
	place_new(&p);
	j = begun(&p);
	snprintf(path, sizeof(path), "%s/" GS_JOURNAL_DIR "/1.jsonl", p.dir);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(append(j, GS_JOURNAL_END, 0, NULL), 0);
	gs_journal_close(j);
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_size > before.st_size);
	/* on a file system that reserves nothing both are small */
	assert_true((uint64_t)after.st_blocks * 512 < (uint64_t)after.st_size + 8192);
}

/* A disk that is full or dying when a commit begins: nothing is there, so nothing is done. */
static void a_begin_that_fails_leaves_nothing(void **state)
{
	static const struct disk disks[] = {
		{ .fail_write = 1, .errnum = -ENOSPC }, { .short_write = 1, .errnum = -ENOSPC }, { .fail_sync = 1, .errnum = -EIO }, { .fail_sync = 5, .errnum = -EIO },
		{ .fail_sync = 6, .errnum = -EIO },     { .fail_write = 1, .errnum = -EROFS },   { .fail_write = 1, .errnum = -EIO, .fail_truncate = 1 },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(disks); i++) {
		PLACE p;
		struct gs_journal *j = NULL;
		struct gs_error e = { 0 };

		place_new(&p);
		p.disk = disks[i];
		assert_int_equal(begin(&p, &j, &e), disks[i].errnum);
		assert_null(j);
		assert_non_null(strstr(e.text, "/var/lib/gpuslice/journal"));
		assert_non_null(strstr(e.text, strerror(-disks[i].errnum)));
		assert_false(is_there(&p, 1));
	}
}

/* Whatever fails while a record is written: it does not count, what was there does, and the next one can follow. */
static void a_record_that_fails_does_not_count(void **state)
{
	static const struct disk disks[] = {
		{ .fail_write = 1, .errnum = -ENOSPC }, { .short_write = 1, .errnum = -ENOSPC }, { .fail_sync = 1, .errnum = -EIO }, { .short_write = 1, .errnum = -EIO },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(disks); i++) {
		PLACE p;
		GS_CLEANUP(gs_journal_closep) struct gs_journal *j = NULL;
		struct gs_error e = { 0 };

		place_new(&p);
		j = begun(&p);
		assert_int_equal(append(j, GS_JOURNAL_INTENT, 1, NULL), 0);
		p.disk = disks[i];
		assert_int_equal(append(j, GS_JOURNAL_RESULT, 1, &e), disks[i].errnum);
		assert_non_null(strstr(e.text, "1.jsonl cannot be written"));
		expect_file(&p, 1, "bi", false);
		assert_int_equal(gs_journal_commit_of(j)->last_seq, 2);
		assert_int_equal(append(j, GS_JOURNAL_FAILED, 1, NULL), 0);
		assert_int_equal(append(j, GS_JOURNAL_UNDO, 0, NULL), 0);
		assert_int_equal(append(j, GS_JOURNAL_END, 1, NULL), 0);
		expect_file(&p, 1, "bifue", false);
	}
}

/* Half a record that could not be cut off is cut off before the next one, or the next one is not written. */
static void half_a_record_never_gets_a_follower(void **state)
{
	PLACE p;
	GS_CLEANUP(gs_journal_closep) struct gs_journal *j = NULL;

	(void)state;
	place_new(&p);
	j = begun(&p);
	p.disk = (struct disk){ .short_write = 1, .errnum = -ENOSPC, .fail_truncate = 1 };
	assert_int_equal(append(j, GS_JOURNAL_INTENT, 1, NULL), -ENOSPC);
	expect_file(&p, 1, "b", true);
	p.disk = (struct disk){ .fail_truncate = 1 };
	assert_int_equal(append(j, GS_JOURNAL_INTENT, 1, NULL), -EIO);
	assert_int_equal(p.disk.writes, 0);
	assert_int_equal(append(j, GS_JOURNAL_INTENT, 1, NULL), 0);
	expect_file(&p, 1, "bi", false);
}

static void what_cannot_follow_is_not_written(void **state)
{
	PLACE p;
	GS_CLEANUP(gs_journal_closep) struct gs_journal *j = NULL;
	struct gs_error e = { 0 };

	(void)state;
	place_new(&p);
	j = begun(&p);
	assert_int_equal(append(j, GS_JOURNAL_DONE, 1, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "cannot follow"));
	expect_file(&p, 1, "b", false);
	assert_int_equal(append(j, GS_JOURNAL_INTENT, 1, &e), 0);
}

static void half_a_line_is_cut_off_before_more_is_written(void **state)
{
	PLACE p;
	GS_CLEANUP(gs_journal_closep) struct gs_journal *j = NULL;
	struct gs_error e = { 0 };
	char path[256];
	int fd;

	(void)state;
	place_new(&p);
	j = begun(&p);
	assert_int_equal(append(j, GS_JOURNAL_INTENT, 1, NULL), 0);
	j = gs_journal_close(j);
	snprintf(path, sizeof(path), "%s/" GS_JOURNAL_DIR "/1.jsonl", p.dir);
	fd = open(path, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "{\"kind\":\"resu", 13), 13);
	close(fd);
	expect_file(&p, 1, "bi", true);
	assert_int_equal(gs_journal_reopen(p.root, 1, &j, &e), 0);
	expect_file(&p, 1, "bi", false);
	assert_int_equal(append(j, GS_JOURNAL_CLOSED, 0, &e), 0);
	expect_file(&p, 1, "bic", false);
	assert_int_equal(gs_journal_commit_of(j)->state, GS_JOURNAL_IS_CLOSED);
	assert_int_equal(append(j, GS_JOURNAL_INTENT, 2, &e), -EBADMSG);
}

/* ---------------------------------------------------------------- others have been there */

struct listing {
	char text[256];
	size_t n;
};

static int note(void *userdata, uint64_t id, const struct gs_journal_file *file, const struct gs_error *why)
{
	struct listing *l = userdata;

	assert_true(file || why->text[0]);
	l->n += (size_t)snprintf(l->text + l->n, sizeof(l->text) - l->n, "%llu%s ", (unsigned long long)id, file ? "" : "!");
	return 0;
}

static void expect_list(struct place *p, size_t max, const char *wanted)
{
	struct listing l = { .n = 0 };
	struct gs_error e = { 0 };

	if (gs_journal_list(p->root, max, note, &l, &e) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(l.text, wanted);
}

static void odd_files_neither_hang_nor_count(void **state)
{
	PLACE p;
	GS_CLEANUP(gs_journal_closep) struct gs_journal *j = NULL, *k = NULL;
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
	struct gs_error e = { 0 };
	char path[256], whole[256];

	(void)state;
	place_new(&p);
	expect_list(&p, 10, "");
	j = begun(&p);
	snprintf(path, sizeof(path), "%s/" GS_JOURNAL_DIR "/2.jsonl", p.dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/" GS_JOURNAL_DIR "/3.jsonl", p.dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(whole, sizeof(whole), "%s/" GS_JOURNAL_DIR "/1.jsonl", p.dir);
	snprintf(path, sizeof(path), "%s/" GS_JOURNAL_DIR "/4.jsonl", p.dir);
	assert_int_equal(symlink(whole, path), 0);
	gs_tree_put(p.dir, GS_JOURNAL_DIR "/5.jsonl", "");
	snprintf(path, sizeof(path), "%s/" GS_JOURNAL_DIR "/5.jsonl", p.dir);
	assert_int_equal(truncate(path, (off_t)10 << 30), 0);
	gs_tree_put(p.dir, GS_JOURNAL_DIR "/6.jsonl", "{\"kind\":\"begin\",\"se");
	gs_tree_put(p.dir, GS_JOURNAL_DIR "/7.jsonl", "nonsense\n");
	/* another commit's */
	snprintf(path, sizeof(path), "%s/" GS_JOURNAL_DIR "/8.jsonl", p.dir);
	assert_int_equal(link(whole, path), 0);
	/* not ours by name */
	gs_tree_put(p.dir, GS_JOURNAL_DIR "/09.jsonl", "x");
	gs_tree_put(p.dir, GS_JOURNAL_DIR "/+9.jsonl", "x");
	gs_tree_put(p.dir, GS_JOURNAL_DIR "/9.json", "x");
	gs_tree_put(p.dir, GS_JOURNAL_DIR "/18446744073709551615.jsonl", "x");
	gs_tree_put(p.dir, GS_JOURNAL_DIR "/9999999999999999.jsonl", "x");
	expect_list(&p, 100, "8! 7! 5! 4! 3! 2! 1 ");
	expect_list(&p, 2, "8! 7! ");
	assert_int_equal(gs_journal_load(p.root, 6, &f, &e), -ENODATA);
	assert_int_equal(gs_journal_load(p.root, 7, &f, &e), -EBADMSG);
	assert_int_equal(gs_journal_load(p.root, 9, &f, &e), -ENOENT);
	assert_int_equal(gs_journal_reopen(p.root, 2, &k, &e), -EBADMSG);
	assert_null(k);
	k = begun(&p);
	assert_int_equal(gs_journal_id(k), 9);
}

static void a_directory_that_others_write_is_not_used(void **state)
{
	PLACE p;
	struct gs_journal *j = NULL;
	struct gs_error e = { 0 };
	char path[256], elsewhere[256];

	(void)state;
	place_new(&p);
	j = gs_journal_close(begun(&p));
	snprintf(path, sizeof(path), "%s/" GS_JOURNAL_DIR, p.dir);
	assert_int_equal(chmod(path, 0770), 0);
	assert_int_equal(begin(&p, &j, &e), -EPERM);
	assert_non_null(strstr(e.text, "can be written by others"));
	assert_int_equal(chmod(path, 0700), 0);
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", p.dir);
	assert_int_equal(rename(path, elsewhere), 0);
	assert_int_equal(symlink("/elsewhere", path), 0);
	assert_true(begin(&p, &j, &e) < 0);
	assert_null(j);
}

static void a_recorded_machine_is_read_and_never_written(void **state)
{
	PLACE p;
	struct gs_journal *j = NULL;
	struct gs_error e = { 0 };

	(void)state;
	place_new(&p);
	gs_journal_close(begun(&p));
	gs_root_close(p.root);
	p.root = NULL;
	assert_int_equal(gs_root_open(GS_ROOT_SYSROOT, p.dir, &p.root, NULL), 0);
	expect_list(&p, 10, "1 ");
	assert_int_equal(begin(&p, &j, &e), -EROFS);
	assert_int_equal(gs_journal_reopen(p.root, 1, &j, &e), -EROFS);
	gs_journal_rotate(p.root);
	expect_list(&p, 10, "1 ");
}

/* ---------------------------------------------------------------- bounds */

static void end(struct gs_journal *j, uint32_t status)
{
	assert_int_equal(append(j, GS_JOURNAL_END, status, NULL), 0);
	gs_journal_close(j);
}

static void the_oldest_go_and_open_ones_stay(void **state)
{
	PLACE p;
	struct gs_journal *open_one;

	(void)state;
	place_new(&p);
	end(begun(&p), GS_STATUS_OK);
	open_one = begun(&p);
	end(begun(&p), GS_STATUS_NOT_UNDONE);
	for (size_t i = 4; i <= GS_JOURNAL_KEPT_MAX + 5; i++)
		end(begun(&p), i % 2 ? GS_STATUS_OK : GS_STATUS_FAILED);
	gs_journal_rotate(p.root);
	assert_false(is_there(&p, 1));
	assert_true(is_there(&p, 2));
	assert_true(is_there(&p, 3));
	for (uint64_t id = 4; id <= 7; id++)
		assert_false(is_there(&p, id));
	for (uint64_t id = 8; id <= GS_JOURNAL_KEPT_MAX + 5; id++)
		assert_true(is_there(&p, id));
	gs_journal_close(open_one);
}

static void they_take_no_more_than_their_bytes(void **state)
{
	PLACE p;
	char path[256];

	(void)state;
	place_new(&p);
	gs_journal_close(begun(&p));
	for (unsigned id = 2; id < 16; id++) {
		snprintf(path, sizeof(path), GS_JOURNAL_DIR "/%u.jsonl", id);
		gs_tree_put(p.dir, path, "nonsense");
		snprintf(path, sizeof(path), "%s/" GS_JOURNAL_DIR "/%u.jsonl", p.dir, id);
		assert_int_equal(truncate(path, 6 << 20), 0);
	}
	gs_journal_rotate(p.root);
	/* 14 of 6 MiB: four have to go, of an open one nothing */
	assert_true(is_there(&p, 1));
	assert_false(is_there(&p, 2));
	assert_false(is_there(&p, 5));
	assert_true(is_there(&p, 6));
	assert_true(is_there(&p, 15));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_commit_is_on_the_disk_for_root_alone),
		cmocka_unit_test(what_was_reserved_goes_back_at_the_end),
		cmocka_unit_test(a_begin_that_fails_leaves_nothing),
		cmocka_unit_test(a_record_that_fails_does_not_count),
		cmocka_unit_test(half_a_record_never_gets_a_follower),
		cmocka_unit_test(what_cannot_follow_is_not_written),
		cmocka_unit_test(half_a_line_is_cut_off_before_more_is_written),
		cmocka_unit_test(odd_files_neither_hang_nor_count),
		cmocka_unit_test(a_directory_that_others_write_is_not_used),
		cmocka_unit_test(a_recorded_machine_is_read_and_never_written),
		cmocka_unit_test(the_oldest_go_and_open_ones_stay),
		cmocka_unit_test(they_take_no_more_than_their_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
