/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The saved layout on a machine: where it is, what is known of it, and what a look tells about it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/saved.h"
#include "backend/saved_look.h"
#include "codec/layout_text.h"
#include "codec/snapshot_json.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/testhost.h"
#include "tests/lib/tree.h"

#define BOOT "11111111-1111-4111-8111-111111111111"
#define WANTS "etc/systemd/system/multi-user.target.wants/"
#define LIB "usr/lib/systemd/system/"

struct host {
	char dir[GS_TREE_DIR];
	struct gs_root *root;
};

static int setup(void **state)
{
	struct host *h = calloc(1, sizeof(*h));
	struct gs_error e;

	gs_tree_new(h->dir);
	/* of kind SIM, since a recorded tree is never written */
	assert_int_equal(gs_root_open(GS_ROOT_SIM, h->dir, &h->root, &e), 0);
	gs_tree_put(h->dir, "proc/sys/kernel/random/boot_id", BOOT "\n");
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	struct host *h = *state;

	gs_root_close(h->root);
	gs_tree_remove(h->dir);
	free(h);
	return 0;
}

static void what_is_saved_is_read_back_with_who_and_when(void **state)
{
	static const char text[] = "schema: gpuslice.layout/1\ngpus: []\n";
	GS_CLEANUP(gs_saved_done) struct gs_saved saved = { 0 };
	struct host *h = *state;
	struct gs_error e = { 0 };
	char path[256];
	struct stat st;

	assert_int_equal(gs_saved_read(h->root, &saved, &e), -ENOENT);
	assert_int_equal(gs_saved_write(h->root, text, strlen(text), "alice", (struct gs_wall){ 1234567890123 }, &e), 0);
	assert_int_equal(gs_saved_read(h->root, &saved, &e), 0);
	assert_string_equal(saved.text, text);
	assert_int_equal(saved.n, strlen(text));
	assert_true(saved.saved_at_ms.known);
	assert_int_equal(saved.saved_at_ms.value, 1234567890123);
	assert_string_equal(saved.by, "alice");
	assert_string_equal(saved.boot_id, BOOT);
	snprintf(path, sizeof(path), "%s/" GS_SAVED_PATH, h->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static void a_note_counts_for_its_own_file_only(void **state)
{
	static const char text[] = "schema: gpuslice.layout/1\ngpus: []\n";
	static const char *const notes[] = { "", "{", "[]", "{\"schema\":\"gpuslice.saved/2\",\"digest\":\"\"}", "{\"schema\":7}" };
	struct host *h = *state;
	struct gs_error e;

	for (size_t i = 0; i <= GS_ARRAY_SIZE(notes); i++) {
		GS_CLEANUP(gs_saved_done) struct gs_saved saved = { 0 };

		assert_int_equal(gs_saved_write(h->root, text, strlen(text), "alice", (struct gs_wall){ 5 }, &e), 0);
		if (i == GS_ARRAY_SIZE(notes))
			gs_tree_put(h->dir, GS_SAVED_PATH, "schema: gpuslice.layout/1\ngpus: []\n# by hand\n");
		else
			gs_tree_put(h->dir, GS_SAVED_NOTE_PATH, notes[i]);
		assert_int_equal(gs_saved_read(h->root, &saved, &e), 0);
		assert_false(saved.saved_at_ms.known);
		assert_null(saved.by);
		assert_null(saved.boot_id);
	}
}

static void a_unit_is_enabled_where_a_target_wants_it(void **state)
{
	struct host *h = *state;
	char path[256];

	assert_false(gs_restore_unit_is_enabled(h->root));
	gs_tree_put(h->dir, LIB GS_RESTORE_UNIT, "[Unit]\n");
	assert_false(gs_restore_unit_is_enabled(h->root));
	gs_tree_link(h->dir, WANTS "other.service", "/" LIB "other.service");
	assert_false(gs_restore_unit_is_enabled(h->root));
	gs_tree_link(h->dir, WANTS GS_RESTORE_UNIT, "/" LIB GS_RESTORE_UNIT);
	assert_true(gs_restore_unit_is_enabled(h->root));
	gs_tree_link(h->dir, "etc/systemd/system/" GS_RESTORE_UNIT, "/dev/null");
	assert_false(gs_restore_unit_is_enabled(h->root));
	snprintf(path, sizeof(path), "%s/etc/systemd/system/" GS_RESTORE_UNIT, h->dir);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/" WANTS GS_RESTORE_UNIT, h->dir);
	assert_int_equal(unlink(path), 0);
	assert_false(gs_restore_unit_is_enabled(h->root));
	gs_tree_link(h->dir, LIB "basic.target.requires/" GS_RESTORE_UNIT, "../" GS_RESTORE_UNIT);
	assert_true(gs_restore_unit_is_enabled(h->root));
}

static char *layout_of(const char *spec)
{
	struct gs_snapshot *s = gs_testhost("h100-sxm5-80gb", spec);
	struct gs_layout *l = NULL;
	struct json_object *o;
	char *text;

	assert_int_equal(gs_layout_from_snapshot(s, &l, NULL), 0);
	o = gs_layout_to_json(l, s);
	text = gs_json_to_text(o);
	json_object_put(o);
	gs_layout_free(l);
	gs_snapshot_unref(s);
	return text;
}

/* The states of the GPUs of @spec after a look, one letter each: u, n, s, d. The way over the wire changes nothing. */
static void expect_states(struct gs_saved_look *look, const char *spec, enum gs_saved_state machine, const char *expected)
{
	struct gs_snapshot *s = gs_testhost("h100-sxm5-80gb", spec), *far = NULL;
	struct json_object *o;
	struct gs_error e;
	char got[8] = "";

	assert_int_equal(gs_saved_look_apply(look, s, &e), 0);
	o = gs_snapshot_to_json(s, GS_SNAPSHOT_PROFILES);
	if (gs_snapshot_from_json(o, &far, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(gs_snapshot_saved(far)->state, machine);
	for (size_t i = 0; i < gs_snapshot_n_gpus(far); i++) {
		const struct gs_gpu *gpu = gs_snapshot_gpu(far, i);

		got[i] = "unsd"[gpu->saved];
		assert_int_equal(gpu->saved_layout.hex[0] != '\0', gpu->saved == GS_SAVED_SAME || gpu->saved == GS_SAVED_DIFFERS);
		assert_true(gs_digest_equal(&gpu->rev, &gs_snapshot_gpu(s, i)->rev));
	}
	assert_string_equal(got, expected);
	json_object_put(o);
	gs_snapshot_unref(far);
	gs_snapshot_unref(s);
}

static void each_look_tells_which_gpus_are_as_saved(void **state)
{
	struct host *h = *state;
	struct gs_saved_look *look = gs_saved_look_new(h->root);
	char *text = layout_of("mig 1g.10gb@0 | mig");
	struct gs_snapshot *s;
	struct gs_error e;

	expect_states(look, "mig 1g.10gb@0 | mig", GS_SAVED_NONE, "nn");
	gs_tree_put(h->dir, GS_SAVED_PATH, text);
	expect_states(look, "mig 1g.10gb@0 | mig", GS_SAVED_SAME, "ss");
	/* the same file, another machine */
	expect_states(look, "mig | mig", GS_SAVED_SAME, "ds");
	expect_states(look, "mig 1g.10gb@0 | mig | mig", GS_SAVED_SAME, "ssn");
	expect_states(look, "mig 1g.10gb@0? | mig", GS_SAVED_SAME, "us");
	free(text);
	/* the same machine, another file */
	text = layout_of("mig | mig");
	gs_tree_put(h->dir, GS_SAVED_PATH, text);
	expect_states(look, "mig 1g.10gb@0 | mig", GS_SAVED_SAME, "ds");
	free(text);
	/* one that cannot be understood is something that is saved, and is said */
	gs_tree_put(h->dir, GS_SAVED_PATH, "gpus: [\n");
	s = gs_testhost("h100-sxm5-80gb", "mig");
	assert_int_equal(gs_saved_look_apply(look, s, &e), 0);
	assert_int_equal(gs_snapshot_saved(s)->state, GS_SAVED_SAME);
	assert_int_equal(gs_snapshot_gpu(s, 0)->saved, GS_SAVED_UNKNOWN);
	assert_int_equal(gs_snapshot_n_notices(s), 1);
	assert_non_null(strstr(gs_snapshot_notice(s, 0), "/etc/gpuslice/layout.json:"));
	gs_snapshot_unref(s);
	gs_saved_look_free(look);
}

/* As a look and a viewer far away have it. */
static void assert_obstacle(struct gs_saved_look *look, bool is_enabled, const char *obstacle)
{
	struct gs_snapshot *s = gs_testhost("h100-sxm5-80gb", "mig"), *far = NULL;
	struct json_object *o;

	assert_int_equal(gs_saved_look_apply(look, s, NULL), 0);
	assert_int_equal(gs_snapshot_saved(s)->unit_enabled, is_enabled);
	o = gs_snapshot_to_json(s, GS_SNAPSHOT_PROFILES);
	assert_int_equal(gs_snapshot_from_json(o, &far, NULL), 0);
	for (int i = 0; i < 2; i++) {
		const char *said = gs_saved_obstacle(gs_snapshot_saved(i ? far : s));

		if (obstacle)
			assert_string_equal(said, obstacle);
		else
			assert_null(said);
	}
	json_object_put(o);
	gs_snapshot_unref(far);
	gs_snapshot_unref(s);
}

static void what_keeps_it_from_being_put_back_is_told(void **state)
{
	static const char missing[] = "nothing puts it back at boot: gpuslice-restore.service is not installed (make install, or the package, then systemctl enable gpuslice-restore.service)";
	struct host *h = *state;
	struct gs_saved_look *look;
	struct gs_root *root = NULL;
	char *text = layout_of("mig");
	char path[256];

	/* on a simulated machine a link is enough */
	assert_int_equal(gs_root_open(GS_ROOT_SYSROOT, h->dir, &root, NULL), 0);
	look = gs_saved_look_new(root);

	gs_tree_put(h->dir, GS_SAVED_PATH, text);
	free(text);
	assert_obstacle(look, false, missing);
	/* a link that the package has left behind starts nothing */
	gs_tree_link(h->dir, WANTS GS_RESTORE_UNIT, "/" LIB GS_RESTORE_UNIT);
	assert_obstacle(look, false, missing);
	gs_tree_put(h->dir, LIB GS_RESTORE_UNIT, "[Unit]\n");
	assert_obstacle(look, true, NULL);
	snprintf(path, sizeof(path), "%s/" WANTS GS_RESTORE_UNIT, h->dir);
	assert_int_equal(unlink(path), 0);
	assert_obstacle(look, false, "nothing puts it back at boot until systemctl enable gpuslice-restore.service");
	gs_saved_look_free(look);
	gs_root_close(root);
}

static void a_saved_state_that_is_none_is_refused(void **state)
{
	static const char *const pairs[][2] = { { "saved", "maybe" }, { "saved", "" }, { "saved_layout", "xyz" }, { "saved_layout", "00" } };
	struct gs_snapshot *s = gs_testhost("h100-sxm5-80gb", "mig");

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(pairs); i++) {
		GS_JSON struct json_object *o = gs_snapshot_to_json(s, GS_SNAPSHOT_PROFILES);
		struct gs_snapshot *far = NULL;
		struct gs_error e = { 0 };

		json_object_object_add(json_object_array_get_idx(json_object_object_get(o, "gpus"), 0), pairs[i][0], json_object_new_string(pairs[i][1]));
		if (gs_snapshot_from_json(o, &far, &e) >= 0)
			fail_msg("accepted: %s %s", pairs[i][0], pairs[i][1]);
		assert_non_null(strstr(e.text, pairs[i][0]));
	}
	gs_snapshot_unref(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_saved_is_read_back_with_who_and_when, setup, teardown),
		cmocka_unit_test_setup_teardown(a_note_counts_for_its_own_file_only, setup, teardown),
		cmocka_unit_test_setup_teardown(a_unit_is_enabled_where_a_target_wants_it, setup, teardown),
		cmocka_unit_test_setup_teardown(what_keeps_it_from_being_put_back_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(each_look_tells_which_gpus_are_as_saved, setup, teardown),
		cmocka_unit_test(a_saved_state_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
