/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The console on a pseudo-terminal inside the guest of tests/vm: what the
 * kernel has is on the screen, and what is written there is in sysfs. Runs as
 * root of the machine that tests/vm/README.md describes, nowhere else.
 */
#include "tests/lib/cmocka.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/root.h"
#include "tests/lib/consoletest.h"

#define PROGRAM "/usr/bin/gpuslice"

/* The addresses, as tests/vm/guest/machine.sh has them. */
static const char *const gpus[] = { "01:00.0", "02:00.0", "03:00.0", "05:01.0", "05:02.0", "06:00.0", "07:00.0", "08:00.0" };

struct place {
	struct gs_root *root;
};

static int setup(void **state)
{
	struct place *w = calloc(1, sizeof(*w));

	if (!w || gs_root_open(GS_ROOT_LIVE, NULL, &w->root, NULL) < 0)
		return -1;
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct place *w = *state;

	gs_root_close(w->root);
	free(w);
	return 0;
}

/* ---------------------------------------------------------------- the terminal */

static struct gs_pty *start(const char *word, int rows, int columns)
{
	const char *argv[] = { PROGRAM, word, NULL };
	static const char *const env[] = { "NO_COLOR", NULL };
	struct gs_pty_options o = { .argv = argv, .env = env, .rows = rows, .columns = columns };
	struct gs_pty *p = NULL;

	assert_int_equal(gs_pty_spawn(&o, &p), 0);
	return p;
}

/* ---------------------------------------------------------------- the machine */

static void expect_driver(struct place *w, const char *bdf, const char *driver)
{
	GS_FREE char *name = NULL;
	int r = gs_root_readlink_name(w->root, &name, "sys/bus/pci/devices/%s/driver", bdf);

	if (!driver)
		assert_int_equal(r, -ENOENT);
	else
		assert_string_equal(r == 0 ? name : "(none)", driver);
}

static void write_attribute(struct place *w, const char *path, const char *text)
{
	assert_int_equal(gs_root_write(w->root, text, strlen(text), "%s", path), 0);
}

/* ---------------------------------------------------------------- tests */

static void every_gpu_is_on_the_screen(void **state)
{
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start("console", 24, 80);

	(void)state;
	for (size_t i = 0; i < sizeof(gpus) / sizeof(gpus[0]); i++)
		gs_consoletest_see(p, gpus[i]);
	gs_consoletest_see(p, "LIVE");
	gs_consoletest_see(p, "vm-bench");
	gs_consoletest_leave(p);
}

static void a_gpu_is_chosen_by_keys(void **state)
{
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start("console", 24, 80);

	(void)state;
	gs_consoletest_see(p, "08:00.0");
	gs_pty_keys(p, "jjjjj");
	gs_consoletest_see(p, "GPU 5 ");
	gs_consoletest_leave(p);
}

/* Nothing was staged, so nothing has been touched. */
static void looking_changes_nothing(void **state)
{
	struct place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start("console", 40, 120);

	gs_consoletest_see(p, "08:00.0");
	gs_consoletest_leave(p);
	expect_driver(w, "0000:02:00.0", "nvidia");
	expect_driver(w, "0000:03:00.1", NULL);
	expect_driver(w, "0000:07:00.0", "amdgpu");
}

/* The GPU leaves the bus under the console, and comes back: the screen follows and nothing crashes. */
static void a_gpu_goes_and_comes(void **state)
{
	struct place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start("console", 24, 80);

	gs_consoletest_see(p, "07:00.0");
	write_attribute(w, "sys/bus/pci/devices/0000:07:00.0/remove", "1");
	assert_int_equal(gs_pty_wait_gone(p, "07:00.0"), 0);
	write_attribute(w, "sys/bus/pci/rescan", "1");
	gs_consoletest_see(p, "07:00.0");
	gs_consoletest_leave(p);
}

/* ---------------------------------------------------------------- what is written is in sysfs */

static void write_staged(struct gs_pty *p)
{
	gs_pty_keys(p, "W");
	gs_consoletest_see(p, "y  write");
	gs_pty_keys(p, "y");
	gs_consoletest_see(p, "WRITING  ended");
	gs_pty_keys(p, "\r");
	gs_consoletest_see_no_more(p, "WRITING");
}

static void command(struct gs_pty *p, const char *text)
{
	gs_pty_keys(p, ":");
	gs_pty_keys(p, text);
	gs_pty_keys(p, "\r");
}

static void expect_text(struct place *w, const char *path, const char *expected)
{
	GS_FREE char *text = NULL;
	int r = gs_root_read(w->root, &text, "%s", path);

	assert_string_equal(r == 0 ? text : strerrorname_np(-r), expected);
}

/* How many names a folder has; 0 where there is none. */
static size_t count_names(struct place *w, const char *path)
{
	GS_CLOSEDIR DIR *dir = NULL;
	struct dirent *entry;
	size_t n = 0;

	if (gs_root_opendir(w->root, &dir, "%s", path) < 0)
		return 0;
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	return n;
}

/* The row of VFs, and the column of VF @n in it. Every character before is one column wide. */
static void find_vf(struct gs_pty *p, unsigned n, int *ret_row, int *ret_column)
{
	char head[16];
	int rows, columns;

	gs_consoletest_see(p, "VF  0");
	gs_pty_size(p, &rows, &columns);
	snprintf(head, sizeof(head), " %u ", n);
	for (int row = 0; row < rows; row++) {
		GS_FREE char *text = gs_pty_row(p, row);
		const char *at;
		int column = 1;

		if (strncmp(text, "VF  0", 5))
			continue;
		at = strstr(text + 6, head);
		if (!at)
			fail_msg("VF %u is not in «%s»", n, text);
		for (const char *c = text; c < at; c++)
			column += (*c & 0xc0) != 0x80;
		*ret_row = row;
		*ret_column = column;
		return;
	}
	fail_msg("there is no row of VFs");
}

/* VFs by a command, vGPUs by dragging over three of them, each written and looked up in the kernel. */
static void vgpus_are_dragged_and_written(void **state)
{
	struct place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start("console", 24, 80);
	int row, from, to;

	gs_consoletest_see(p, "06:00.0");
	gs_pty_keys(p, "jjjjj");
	gs_consoletest_see(p, "GPU 5 ");
	command(p, "mode 5 vgpu");
	write_staged(p);
	expect_text(w, "sys/bus/pci/devices/0000:06:00.0/sriov_numvfs", "8");
	find_vf(p, 1, &row, &from);
	find_vf(p, 3, &row, &to);
	gs_pty_mouse_press(p, row, from, 1);
	for (int column = from; column < to; column += 2)
		gs_pty_mouse_move(p, row, column);
	gs_pty_mouse_move(p, row, to);
	gs_pty_mouse_release(p, row, to, 1);
	gs_consoletest_see(p, "CREATE in VFs 1-3 of GPU 5");
	gs_pty_keys(p, "21");
	gs_consoletest_see(p, "L40S-24Q on VF 1, 2");
	gs_pty_keys(p, "\r");
	gs_consoletest_see(p, "STAGED +2 -0");
	expect_text(w, "sys/bus/pci/devices/0000:06:00.0/virtfn1/nvidia/current_vgpu_type", "0");
	write_staged(p);
	expect_text(w, "sys/bus/pci/devices/0000:06:00.0/virtfn1/nvidia/current_vgpu_type", "1155");
	expect_text(w, "sys/bus/pci/devices/0000:06:00.0/virtfn2/nvidia/current_vgpu_type", "1155");
	expect_text(w, "sys/bus/pci/devices/0000:06:00.0/virtfn3/nvidia/current_vgpu_type", "0");
	command(p, "delete 5 all; mode 5 whole");
	write_staged(p);
	expect_text(w, "sys/bus/pci/devices/0000:06:00.0/sriov_numvfs", "0");
	gs_consoletest_leave(p);
}

/* An mdev made and taken away, and a card to VFIO and back. */
static void an_mdev_and_a_passthrough_are_written(void **state)
{
	struct place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start("console", 24, 80);

	gs_consoletest_see(p, "02:00.0");
	command(p, "create 1 T4-4Q; mode 2 passthrough");
	assert_int_equal(count_names(w, "sys/bus/mdev/devices"), 0);
	write_staged(p);
	assert_int_equal(count_names(w, "sys/bus/mdev/devices"), 1);
	expect_driver(w, "0000:03:00.0", "vfio-pci");
	expect_driver(w, "0000:03:00.1", "vfio-pci");
	command(p, "delete 1 all; mode 2 whole");
	write_staged(p);
	assert_int_equal(count_names(w, "sys/bus/mdev/devices"), 0);
	expect_driver(w, "0000:03:00.0", "nvidia");
	expect_driver(w, "0000:03:00.1", NULL);
	gs_consoletest_leave(p);
}

static void the_monitor_is_read_only(void **state)
{
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start("monitor", 24, 80);

	(void)state;
	gs_consoletest_see(p, "08:00.0");
	gs_consoletest_see(p, "READ-ONLY");
	gs_consoletest_leave(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_gpu_is_on_the_screen, setup, teardown),
		cmocka_unit_test_setup_teardown(a_gpu_is_chosen_by_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(looking_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_gpu_goes_and_comes, setup, teardown),
		cmocka_unit_test_setup_teardown(vgpus_are_dragged_and_written, setup, teardown),
		cmocka_unit_test_setup_teardown(an_mdev_and_a_passthrough_are_written, setup, teardown),
		cmocka_unit_test_setup_teardown(the_monitor_is_read_only, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
