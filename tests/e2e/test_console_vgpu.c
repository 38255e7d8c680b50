/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real program on a real pseudo-terminal, on a simulated host of L40S:
 * vGPUs by dragging over VFs, by keys, and what the size rule says then.
 */
#include "tests/lib/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/paths.h"
#include "base/strbuf.h"
#include "tests/lib/consoletest.h"

static int setup(void **state)
{
	return gs_consoletest_setup(state, "kvm-l40s");
}

static struct gs_pty *start(const struct gs_consoletest_place *w, int rows, int columns)
{
	return gs_consoletest_start(w, NULL, rows, columns, "c6:00.0");
}

/* Every character here is one column wide. */
static int columns_before(const char *text, const char *at)
{
	int n = 0;

	for (; text < at; text++)
		n += (*text & 0xc0) != 0x80;
	return n + 1;
}

/* Where VF @n of the first row of VFs is: "| 0 ". */
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

		if (strncmp(text, "VF  0", 5))
			continue;
		at = strstr(text + 6, head);
		assert_non_null(at);
		*ret_row = row;
		*ret_column = columns_before(text, at);
		return;
	}
	fail_msg("there is no row of VFs");
}

static void write_staged(struct gs_pty *p)
{
	gs_pty_keys(p, "W");
	gs_consoletest_see(p, "y  write");
	gs_pty_keys(p, "y");
	gs_consoletest_see(p, "WRITING  ended");
	gs_pty_keys(p, "\r");
	gs_consoletest_see_no_more(p, "WRITING");
}

static void drag_and_write(const struct gs_consoletest_place *w, int rows, int columns)
{
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start(w, rows, columns);
	GS_FREE char *listed = NULL;
	int row, from, to;

	gs_pty_keys(p, "jj");
	gs_consoletest_see(p, "GPU 2 ");
	find_vf(p, 4, &row, &from);
	find_vf(p, 6, &row, &to);
	gs_pty_mouse_press(p, row, from, 1);
	for (int column = from; column < to; column += 2)
		gs_pty_mouse_move(p, row, column);
	gs_pty_mouse_move(p, row, to);
	gs_pty_mouse_release(p, row, to, 1);
	gs_consoletest_see(p, "CREATE in VFs 4-6 of GPU 2");
	/* 24 GiB, of which two of the three fit */
	gs_pty_keys(p, "21");
	gs_consoletest_see(p, "L40S-24Q on VF 4, 5");
	gs_pty_keys(p, "\r");
	gs_consoletest_see(p, "STAGED +2 -0");
	write_staged(p);
	assert_int_equal(gs_consoletest_command(w, "list", NULL, &listed), 0);
	assert_non_null(strstr(listed, "0000:a1:01.0"));
	/* one size for all from now on */
	gs_pty_keys(p, ":create 2 L40S-12Q\r");
	gs_consoletest_see(p, "one framebuffer size");
	gs_pty_keys(p, "\033");
	gs_consoletest_see_no_more(p, ":create 2");
	gs_consoletest_leave(p);
}

static void vgpus_are_made_by_dragging_at_24x80(void **state)
{
	drag_and_write(*state, 24, 80);
}

static void vgpus_are_made_by_dragging_at_50x160(void **state)
{
	drag_and_write(*state, 50, 160);
}

static void a_whole_gpu_is_cut_by_keys(void **state)
{
	const struct gs_consoletest_place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start(w, 24, 80);
	GS_FREE char *listed = NULL;

	gs_pty_keys(p, "GM");
	gs_consoletest_see(p, "MODE of GPU 3");
	gs_consoletest_see(p, "It is in this mode");
	gs_pty_keys(p, "2");
	gs_consoletest_see(p, "sriov-manage");
	gs_pty_keys(p, "\r");
	gs_consoletest_see(p, "whole -> vGPU");
	gs_pty_keys(p, ":create 3 L40S-8Q count 3\r");
	gs_consoletest_see(p, "STAGED +3 -0");
	gs_pty_keys(p, "W");
	/* services stop for a while, which is typed as the end of work is */
	gs_consoletest_see(p, "Type  kvm-l40s:3");
	gs_pty_keys(p, "kvm-l40s:3\r");
	gs_consoletest_see(p, "WRITING  ended");
	gs_pty_keys(p, "\r");
	gs_consoletest_see(p, "8Q");
	gs_consoletest_leave(p);
	assert_int_equal(gs_consoletest_command(w, "list", NULL, &listed), 0);
	assert_non_null(strstr(listed, "0000:c6:00.6"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(vgpus_are_made_by_dragging_at_24x80, setup, gs_consoletest_teardown),
		cmocka_unit_test_setup_teardown(vgpus_are_made_by_dragging_at_50x160, setup, gs_consoletest_teardown),
		cmocka_unit_test_setup_teardown(a_whole_gpu_is_cut_by_keys, setup, gs_consoletest_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
