/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/lib/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/root.h"
#include "base/strbuf.h"
#include "core/bdf.h"

/* ---------------------------------------------------------------- parse */

static void numbers_are_whole_words_in_range(void **state)
{
	uint64_t v64 = 7;
	uint32_t v32 = 7;
	int64_t i64 = 7;

	(void)state;
	assert_int_equal(gs_parse_u64("18446744073709551615", 10, &v64), 0);
	assert_true(v64 == UINT64_MAX);
	v64 = 7;
	assert_int_equal(gs_parse_u64("18446744073709551616", 10, &v64), -ERANGE);
	assert_int_equal(gs_parse_u64("12abc", 10, &v64), -EINVAL);
	assert_int_equal(gs_parse_u64("", 10, &v64), -EINVAL);
	assert_int_equal(gs_parse_u64(" 1", 10, &v64), -EINVAL);
	assert_int_equal(gs_parse_u64("+1", 10, &v64), -EINVAL);
	assert_int_equal(gs_parse_u64("-1", 10, &v64), -EINVAL);
	assert_true(v64 == 7);
	assert_int_equal(gs_parse_u64("0x10de", 16, &v64), 0);
	assert_int_equal(v64, 0x10de);
	assert_int_equal(gs_parse_u32("4294967296", 10, &v32), -ERANGE);
	assert_int_equal(v32, 7);
	assert_int_equal(gs_parse_i64("-1", &i64), 0);
	assert_int_equal(i64, -1);
	assert_int_equal(gs_parse_i64("--1", &i64), -EINVAL);
}

static void text_for_a_terminal_has_no_controls_left(void **state)
{
	char evil[] = "a\033[2Jb\x9b" "31mc\u202ed\xff" "e\u00fc\n";

	(void)state;
	gs_text_sanitize(evil);
	assert_string_equal(evil, "a?[2Jb?31mc?d?e\u00fc?");
}

static void utf8_is_checked_strictly(void **state)
{
	size_t bad = 0;

	(void)state;
	assert_true(gs_utf8_is_valid("gr\u00fc\u00df \U0001f600", strlen("gr\u00fc\u00df \U0001f600"), NULL));
	assert_false(gs_utf8_is_valid("ab\xc0\x80", 4, &bad));
	assert_int_equal(bad, 2);
	assert_false(gs_utf8_is_valid("\xed\xa0\x80", 3, &bad));
	assert_false(gs_utf8_is_valid("\xe2\x82", 2, &bad));
}

static void a_pci_address_has_one_meaning_in_every_spelling(void **state)
{
	struct gs_bdf bdf;
	char text[GS_BDF_TEXT];

	(void)state;
	assert_int_equal(gs_bdf_parse("00000001:C8:00.0", &bdf), 0);
	assert_string_equal(gs_bdf_format(bdf, text), "0001:c8:00.0");
	assert_int_equal(gs_bdf_parse("1b:00.0", &bdf), 0);
	assert_string_equal(gs_bdf_format(bdf, text), "0000:1b:00.0");
	assert_int_equal(gs_bdf_parse("0000:1b:20.0", &bdf), -EINVAL);
	assert_int_equal(gs_bdf_parse("0000:1b:00.8", &bdf), -EINVAL);
	assert_int_equal(gs_bdf_parse("0000:1b:00.0 ", &bdf), -EINVAL);
	assert_int_equal(gs_bdf_parse("000:1b:00.0", &bdf), -EINVAL);
	assert_int_equal(gs_bdf_parse("", &bdf), -EINVAL);
}

/* ---------------------------------------------------------------- arena, strbuf */

static void an_arena_keeps_what_was_allocated_before_it_grew(void **state)
{
	GS_CLEANUP(gs_arena_freep) struct gs_arena *a = gs_arena_new();
	uint32_t *list = NULL;
	size_t cap = 0;

	(void)state;
	for (uint32_t i = 0; i < 10000; i++) {
		list = gs_arena_grow(a, list, i, &cap, sizeof(*list));
		assert_non_null(list);
		list[i] = i;
	}
	for (uint32_t i = 0; i < 10000; i++)
		assert_int_equal(list[i], i);
	assert_null(gs_arena_calloc(a, SIZE_MAX / 2, 4));
	assert_true(gs_arena_has_failed(a));
}

static void a_strbuf_survives_dropping_and_growing(void **state)
{
	GS_STRBUF struct gs_strbuf b = GS_STRBUF_INIT;

	(void)state;
	for (int i = 0; i < 1000; i++)
		gs_strbuf_printf(&b, "%d,", i);
	gs_strbuf_drop(&b, 2);
	assert_int_equal(strncmp(b.text, "1,2,3,", 6), 0);
	gs_strbuf_drop(&b, 1000000);
	assert_int_equal(b.length, 0);
	assert_string_equal(b.text, "");
}

/* ---------------------------------------------------------------- root */

static char directory[64];

static int make_tree(void **state)
{
	char path[128];

	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/gpuslice-base.XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/sys/bus", directory);
	if (gs_mkdir_parents(path, 0755) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/sys/number", directory);
	if (gs_file_replace(path, "42\n", 3, 0644, NULL) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/sys/evil", directory);
	if (gs_file_replace(path, "4\0002\n", 4, 0644, NULL) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/sys/out", directory);
	if (symlink("/etc/passwd", path) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/sys/driver", directory);
	return symlink("../../bus/pci/drivers/nvidia", path);
}

static int remove_tree(void **state)
{
	const char *const names[] = { "sys/number", "sys/evil", "sys/out", "sys/driver", "sys/own" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/sys/open", directory);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/sys/bus", directory);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/sys", directory);
	rmdir(path);
	return rmdir(directory);
}

static void reads_are_typed_and_strict(void **state)
{
	GS_CLEANUP(gs_root_closep) struct gs_root *root = NULL;
	GS_FREE char *name = NULL, *text = NULL;
	uint64_t v = 0;

	(void)state;
	assert_int_equal(gs_root_open(GS_ROOT_SYSROOT, directory, &root, NULL), 0);
	assert_int_equal(gs_root_read_u64(root, 10, &v, "sys/%s", "number"), 0);
	assert_int_equal(v, 42);
	assert_int_equal(gs_root_read_u64(root, 10, &v, "sys/missing"), -ENOENT);
	assert_int_equal(gs_root_read(root, &text, "sys/evil"), -EBADMSG);
	assert_int_equal(gs_root_readlink_name(root, &name, "sys/driver"), 0);
	assert_string_equal(name, "nvidia");
	assert_int_equal(gs_root_readlink_name(root, &text, "sys/number"), -EINVAL);
}

static void a_recorded_tree_does_not_lead_out_and_cannot_be_written(void **state)
{
	GS_CLEANUP(gs_root_closep) struct gs_root *root = NULL;
	GS_FREE char *text = NULL;
	int fd = -1;

	(void)state;
	assert_int_equal(gs_root_open(GS_ROOT_SYSROOT, directory, &root, NULL), 0);
	/* the absolute link resolves inside the tree, where there is no /etc/passwd */
	assert_int_equal(gs_root_read(root, &text, "sys/out"), -ENOENT);
	assert_int_equal(gs_root_read(root, &text, "sys/../../etc/passwd"), -EINVAL);
	assert_int_equal(gs_root_read(root, &text, "/etc/passwd"), -EINVAL);
	assert_int_equal(gs_root_read(root, &text, "sys//number"), -EINVAL);
	assert_int_equal(gs_root_write(root, "1", 1, "sys/number"), -EROFS);
	assert_int_equal(gs_root_replace_file(root, "1", 1, 0600, (gid_t)-1, "sys/own"), -EROFS);
	assert_int_equal(gs_root_open_file(root, O_RDWR | O_CREAT, 0600, &fd, "sys/own"), -EROFS);
	assert_int_equal(gs_root_mkdir(root, 0700, "sys/dir"), -EROFS);
}

static int kernel_write(void *userdata, const char *path, const void *bytes, size_t n)
{
	struct gs_strbuf *seen = userdata;

	gs_strbuf_printf(seen, "%s=%.*s;", path, (int)n, (const char *)bytes);
	return strstr(path, "refuse") ? -EBUSY : 0;
}

static void writes_on_a_simulated_root_go_to_its_kernel_whole(void **state)
{
	static const struct gs_root_ops ops = { .write = kernel_write };
	GS_CLEANUP(gs_root_closep) struct gs_root *root = NULL;
	GS_STRBUF struct gs_strbuf seen = GS_STRBUF_INIT;

	(void)state;
	assert_int_equal(gs_root_open(GS_ROOT_SIM, directory, &root, NULL), 0);
	assert_int_equal(gs_root_write(root, "1", 1, "sys/number"), -EROFS);
	gs_root_set_ops(root, &ops, &seen);
	assert_int_equal(gs_root_write(root, "16\n", 3, "sys/%s", "number"), 0);
	assert_int_equal(gs_root_write(root, "x", 1, "sys/refuse"), -EBUSY);
	assert_string_equal(seen.text, "sys/number=16\n;sys/refuse=x;");
}

static void a_file_is_replaced_whole_or_not_at_all(void **state)
{
	GS_CLEANUP(gs_root_closep) struct gs_root *root = NULL;
	GS_FREE char *text = NULL;
	struct stat st;
	char path[128];

	(void)state;
	assert_int_equal(gs_root_open(GS_ROOT_SIM, directory, &root, NULL), 0);
	assert_int_equal(gs_root_replace_file(root, "one", 3, 0640, (gid_t)-1, "sys/own"), 0);
	assert_int_equal(gs_root_replace_file(root, "two", 3, 0640, (gid_t)-1, "sys/own"), 0);
	assert_int_equal(gs_root_read(root, &text, "sys/own"), 0);
	assert_string_equal(text, "two");
	snprintf(path, sizeof(path), "%s/sys/own", directory);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(gs_root_replace_file(root, "x", 1, 0640, (gid_t)-1, "sys/none/own"), -ENOENT);
}

static void modes_do_not_depend_on_the_umask(void **state)
{
	GS_CLEANUP(gs_root_closep) struct gs_root *root = NULL;
	GS_CLOSE int fd = -1;
	GS_CLOSE int again = -1;
	struct stat st;
	mode_t mask;

	(void)state;
	assert_int_equal(gs_root_open(GS_ROOT_SIM, directory, &root, NULL), 0);
	gs_root_unlink(root, "sys/own");
	mask = umask(0077);
	assert_int_equal(gs_root_mkdir(root, 0755, "sys/open"), 0);
	assert_int_equal(gs_root_open_file(root, O_RDWR | O_CREAT, 0644, &fd, "sys/own"), 0);
	umask(mask);
	assert_int_equal(gs_root_stat(root, &st, "sys/open"), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
	assert_int_equal(gs_root_stat(root, &st, "sys/own"), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	/* one that is there keeps its own */
	assert_int_equal(gs_root_open_file(root, O_RDWR | O_CREAT, 0600, &again, "sys/own"), 0);
	assert_int_equal(gs_root_stat(root, &st, "sys/own"), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(gs_root_mkdir(root, 0700, "sys/open"), 0);
	assert_int_equal(gs_root_stat(root, &st, "sys/open"), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
}

static void an_attribute_is_read_whole_or_not_at_all(void **state)
{
	GS_CLEANUP(gs_root_closep) struct gs_root *root = NULL;
	GS_FREE char *bytes = calloc(1, 65537), *text = NULL;

	(void)state;
	memset(bytes, 'x', 65536);
	assert_int_equal(gs_root_open(GS_ROOT_SIM, directory, &root, NULL), 0);
	assert_int_equal(gs_root_replace_file(root, bytes, 65536, 0644, (gid_t)-1, "sys/own"), 0);
	assert_int_equal(gs_root_read(root, &text, "sys/own"), 0);
	assert_int_equal(strlen(text), 65536);
	free(GS_TAKE(text));
	bytes[65536] = 'y';
	assert_int_equal(gs_root_replace_file(root, bytes, 65537, 0644, (gid_t)-1, "sys/own"), 0);
	assert_int_equal(gs_root_read(root, &text, "sys/own"), -EFBIG);
	assert_null(text);
}

/* What fsync is worth cannot be seen from here; that every kind of path still works can. */
static void a_file_is_replaced_by_every_kind_of_path(void **state)
{
	static const char *const paths[] = { "own", "./own", "../sys/own" };
	char old[256], dir[128];
	struct stat st;

	(void)state;
	assert_non_null(getcwd(old, sizeof(old)));
	snprintf(dir, sizeof(dir), "%s/sys", directory);
	assert_int_equal(chdir(dir), 0);
	for (size_t i = 0; i < GS_ARRAY_SIZE(paths); i++) {
		assert_int_equal(gs_file_replace(paths[i], "12345", i + 1, 0600, NULL), 0);
		assert_int_equal(stat("own", &st), 0);
		assert_int_equal(st.st_size, i + 1);
	}
	assert_int_equal(chdir(old), 0);
}

static void an_input_that_is_too_large_or_no_file_is_refused_with_its_name(void **state)
{
	GS_FREE char *bytes = NULL;
	struct gs_error e = { 0 };
	size_t n;

	(void)state;
	assert_int_equal(gs_file_read("/nowhere/x", 10, &bytes, &n, &e), -ENOENT);
	assert_non_null(strstr(e.text, "/nowhere/x"));
	assert_int_equal(e.status, GS_STATUS_INVALID);
	assert_int_equal(gs_file_read("/tmp", 10, &bytes, &n, &e), -EISDIR);
	assert_int_equal(gs_file_read("/dev/zero", 100000, &bytes, &n, &e), -EFBIG);
}

static void an_error_names_its_place_and_keeps_its_beginning(void **state)
{
	struct gs_error e = { 0 };
	const struct gs_position pos = { "x.gs", 3, 7 };
	char buf[256];

	(void)state;
	assert_int_equal(gs_error_at(&e, -EINVAL, &pos, "no profile %s", "5g"), -EINVAL);
	assert_int_equal(gs_error_prefix(&e, "GPU %d: ", 3), -EINVAL);
	assert_string_equal(gs_error_format(&e, buf, sizeof(buf)), "x.gs:3:7: GPU 3: no profile 5g");
	assert_int_equal(gs_error_set(NULL, -EIO, GS_STATUS_FAILED, "x"), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_whole_words_in_range),
		cmocka_unit_test(text_for_a_terminal_has_no_controls_left),
		cmocka_unit_test(utf8_is_checked_strictly),
		cmocka_unit_test(a_pci_address_has_one_meaning_in_every_spelling),
		cmocka_unit_test(an_arena_keeps_what_was_allocated_before_it_grew),
		cmocka_unit_test(a_strbuf_survives_dropping_and_growing),
		cmocka_unit_test(reads_are_typed_and_strict),
		cmocka_unit_test(a_recorded_tree_does_not_lead_out_and_cannot_be_written),
		cmocka_unit_test(writes_on_a_simulated_root_go_to_its_kernel_whole),
		cmocka_unit_test(a_file_is_replaced_whole_or_not_at_all),
		cmocka_unit_test(modes_do_not_depend_on_the_umask),
		cmocka_unit_test(an_attribute_is_read_whole_or_not_at_all),
		cmocka_unit_test(a_file_is_replaced_by_every_kind_of_path),
		cmocka_unit_test(an_input_that_is_too_large_or_no_file_is_refused_with_its_name),
		cmocka_unit_test(an_error_names_its_place_and_keeps_its_beginning),
	};

	return cmocka_run_group_tests_name("base", tests, make_tree, remove_tree);
}
