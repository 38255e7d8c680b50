/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A commit that cannot lose a layout, from the screen: the real program on a
 * pseudo-terminal. Ctrl-C in the middle, the way back, an agent that is killed
 * in a commit, a line that drops, saving for boot.
 */
#include "tests/lib/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/lib/consoletest.h"

#define DEADLINE_MS 30000

static int setup(void **state)
{
	return gs_consoletest_setup(state, "dgx-h100");
}

static struct gs_pty *start(const struct gs_consoletest_place *w, const char *const *words, const char *seen)
{
	return gs_consoletest_start(w, words, 24, 80, seen);
}

static void command(const struct gs_consoletest_place *w, const char *words)
{
	GS_FREE char *out = NULL;

	if (gs_consoletest_command(w, words, NULL, &out) != 0)
		fail_msg("%s: %s", words, out);
}

static void expect_layout(const struct gs_consoletest_place *w, const char *want)
{
	GS_FREE char *now = gs_consoletest_layout(w);

	assert_string_equal(now, want);
}

static void expect_history(const struct gs_consoletest_place *w, const char *words, const char *text)
{
	GS_FREE char *out = NULL;

	assert_int_equal(gs_consoletest_command(w, words, NULL, &out), 0);
	if (!strstr(out, text))
		fail_msg("«%s» is not in\n%s", text, out);
}

/* Stage @line, review it, write it. */
static void write_line(struct gs_pty *p, const char *line)
{
	char text[160];

	snprintf(text, sizeof(text), ":%s\r", line);
	gs_pty_keys(p, text);
	gs_consoletest_see(p, "STAGED");
	gs_pty_keys(p, "W");
	gs_consoletest_see(p, "y  write");
	gs_pty_keys(p, "y");
}

static void back_to_the_main_screen(struct gs_pty *p)
{
	gs_consoletest_see(p, "WRITING  ended");
	gs_pty_keys(p, "\r");
	gs_consoletest_see_no_more(p, "WRITING");
}

/* ---------------------------------------------------------------- Ctrl-C in a commit */

static struct gs_pty *stopped_in_a_step(const struct gs_consoletest_place *w)
{
	struct gs_pty *p;

	command(w, "sim fault nvml GpuInstanceDestroy hang");
	p = start(w, NULL, "df:00.0");
	write_line(p, "delete 2 all");
	gs_consoletest_see(p, "destroying GI");
	gs_pty_keys(p, "\003");
	gs_consoletest_see(p, "Step 2 of 8 still runs; the commit waits behind it.");
	command(w, "sim fault release");
	command(w, "sim fault clear");
	gs_consoletest_see(p, "The commit waits behind step 2 of 8.");
	gs_consoletest_see(p, "WAITS FOR YOU");
	return p;
}

static void ctrl_c_twice_stops_and_undoes(void **state)
{
	const struct gs_consoletest_place *w = *state;
	GS_FREE char *before = gs_consoletest_layout(w);
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = stopped_in_a_step(w);

	gs_pty_keys(p, "\003");
	gs_consoletest_see(p, "NOT DONE");
	gs_consoletest_see(p, "the machine is as before");
	back_to_the_main_screen(p);
	/* what was staged is still to be written */
	gs_consoletest_see(p, "STAGED +0 -4");
	gs_pty_keys(p, "u");
	gs_consoletest_see_no_more(p, "STAGED");
	gs_consoletest_leave(p);
	expect_layout(w, before);
	expect_history(w, "history", "failed after step 2 of 8, undone");
}

static void g_goes_on(void **state)
{
	const struct gs_consoletest_place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = stopped_in_a_step(w);

	gs_pty_keys(p, "g");
	gs_consoletest_see(p, "written");
	back_to_the_main_screen(p);
	gs_consoletest_leave(p);
	assert_int_equal(gs_consoletest_command(w, "assert -", "delete 2 rest\\n", NULL), 0);
}

/* ---------------------------------------------------------------- the way back */

static void a_commit_is_undone_from_the_screen(void **state)
{
	const struct gs_consoletest_place *w = *state;
	GS_FREE char *before = gs_consoletest_layout(w);
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start(w, NULL, "df:00.0");

	write_line(p, "create 3 2g.20gb at 2");
	gs_consoletest_see(p, "written");
	back_to_the_main_screen(p);
	assert_int_equal(gs_consoletest_command(w, "assert -", "create 3 2g.20gb at 2\\ndelete 3 rest\\n", NULL), 0);
	gs_pty_keys(p, ":create 3 1g.10gb at 0\r");
	gs_consoletest_see(p, "STAGED +1");
	gs_pty_keys(p, "U");
	gs_consoletest_see(p, "undo commit 1");
	gs_consoletest_see(p, "1 command stays staged");
	gs_consoletest_see(p, "destroy GI");
	gs_pty_keys(p, "y");
	gs_consoletest_see(p, "written");
	back_to_the_main_screen(p);
	expect_layout(w, before);
	/* and what was staged is there to be written */
	gs_consoletest_see(p, "STAGED +1");
	gs_pty_keys(p, "W");
	gs_consoletest_see(p, "y  write");
	gs_pty_keys(p, "y");
	gs_consoletest_see(p, "written");
	back_to_the_main_screen(p);
	gs_pty_keys(p, "H");
	gs_consoletest_see(p, "HISTORY  3 commits");
	gs_consoletest_see(p, "undo of 1");
	gs_pty_keys(p, "G\r");
	gs_consoletest_see(p, "COMMIT 1 ");
	gs_pty_keys(p, "\033");
	gs_consoletest_see(p, "HISTORY");
	gs_pty_keys(p, "\033");
	gs_consoletest_see_no_more(p, "HISTORY");
	gs_consoletest_leave(p);
	assert_int_equal(gs_consoletest_command(w, "assert -", "create 3 1g.10gb at 0\\ndelete 3 rest\\n", NULL), 0);
}

static void the_record_says_why_and_from_where(void **state)
{
	struct gs_consoletest_place w = *(struct gs_consoletest_place *)*state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = NULL;

	w.env[2] = "SSH_CONNECTION=192.0.2.7 50022 192.0.2.1 22";
	p = start(&w, NULL, "df:00.0");
	gs_pty_keys(p, ":create 3 2g.20gb at 2\r");
	gs_consoletest_see(p, "STAGED");
	gs_pty_keys(p, "W");
	gs_consoletest_see(p, "y  write");
	gs_pty_keys(p, "m");
	gs_consoletest_see(p, "why:");
	gs_pty_keys(p, "CHG-20417\r");
	gs_consoletest_see(p, "goes into the record: CHG-20417");
	gs_pty_keys(p, "y");
	gs_consoletest_see(p, "written");
	back_to_the_main_screen(p);
	gs_consoletest_leave(p);
	expect_history(&w, "history show 1", "CHG-20417");
	expect_history(&w, "history show 1", "192.0.2.7");
	expect_history(&w, "history", "console");
}

/* ---------------------------------------------------------------- killed in a commit */

static void kill_in_a_commit(const struct gs_consoletest_place *w)
{
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = NULL;

	command(w, "sim fault kill after at 3");
	p = start(w, NULL, "df:00.0");
	write_line(p, "delete 2 all");
	/* a new agent has found it; whoever leaves now finds it again */
	gs_consoletest_see(p, "COMMIT 1  interrupted after");
	gs_pty_keys(p, "\033");
	gs_consoletest_see_no_more(p, "COMMIT 1");
	gs_pty_keys(p, "X");
	gs_consoletest_see(p, "press X again");
	gs_pty_keys(p, "X");
	gs_consoletest_see_no_more(p, "STAGED");
	gs_consoletest_leave(p);
}

static void an_interrupted_commit_is_finished_from_its_dialog(void **state)
{
	const struct gs_consoletest_place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = NULL;

	kill_in_a_commit(w);
	p = start(w, NULL, "COMMIT 1  interrupted after");
	gs_consoletest_see(p, "1 INTERRUPTED");
	gs_consoletest_see(p, "half done?");
	gs_consoletest_see(p, "f  finish it");
	/* later: it stays marked, and I comes back */
	gs_pty_keys(p, "\033");
	gs_consoletest_see_no_more(p, "COMMIT 1");
	gs_consoletest_see(p, "1 INTERRUPTED");
	gs_pty_keys(p, "I");
	gs_consoletest_see(p, "COMMIT 1  interrupted after");
	gs_pty_keys(p, "f");
	gs_consoletest_see(p, "finish commit 1");
	gs_pty_keys(p, "y");
	gs_consoletest_see(p, "written");
	back_to_the_main_screen(p);
	gs_consoletest_see_no_more(p, "INTERRUPTED");
	gs_consoletest_leave(p);
	assert_int_equal(gs_consoletest_command(w, "assert -", "delete 2 rest\\n", NULL), 0);
	expect_history(w, "history", "finished by commit 2");
}

static void an_interrupted_commit_is_taken_back_from_its_dialog(void **state)
{
	const struct gs_consoletest_place *w = *state;
	GS_FREE char *before = gs_consoletest_layout(w);
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = NULL;

	kill_in_a_commit(w);
	p = start(w, NULL, "COMMIT 1  interrupted after");
	gs_pty_keys(p, "u");
	gs_consoletest_see(p, "undo commit 1");
	gs_pty_keys(p, "y");
	gs_consoletest_see(p, "written");
	back_to_the_main_screen(p);
	gs_consoletest_see_no_more(p, "INTERRUPTED");
	gs_consoletest_leave(p);
	expect_layout(w, before);
	expect_history(w, "history", "taken back by commit 2");
}

static void a_monitor_marks_an_interrupted_commit(void **state)
{
	const struct gs_consoletest_place *w = *state;
	static const char *const words[] = { "monitor", NULL };
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = NULL;

	kill_in_a_commit(w);
	command(w, "agent --publish");
	p = start(w, words, "READ-ONLY");
	gs_pty_keys(p, "I");
	gs_consoletest_see(p, "READ-ONLY: a monitor changes nothing");
	gs_pty_keys(p, "U");
	gs_consoletest_see(p, "READ-ONLY: a monitor changes nothing");
	gs_consoletest_leave(p);
}

/* ---------------------------------------------------------------- the line drops */

static void a_dropped_line_undoes_when_asked_to(void **state)
{
	const struct gs_consoletest_place *w = *state;
	static const char *const words[] = { "console", "--on-hangup", "undo", NULL };
	GS_FREE char *before = gs_consoletest_layout(w);
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = NULL;
	struct gs_monotonic since = gs_monotonic_now();
	bool ended = false;
	int status;

	command(w, "sim fault nvml GpuInstanceDestroy hang");
	p = start(w, words, "df:00.0");
	write_line(p, "delete 2 all");
	gs_consoletest_see(p, "destroying GI");
	gs_pty_hangup(p);
	assert_int_equal(gs_pty_wait_exit(p, &status), 0);
	command(w, "sim fault release");
	command(w, "sim fault clear");
	/* the agent is nobody's child any more: its record says when it has ended */
	while (!ended) {
		GS_FREE char *out = NULL;

		assert_int_equal(gs_consoletest_command(w, "history", NULL, &out), 0);
		ended = strstr(out, ", undone");
		if (!ended && gs_elapsed_ms(since) > DEADLINE_MS)
			fail_msg("not undone:\n%s", out);
	}
	expect_layout(w, before);
}

/* ---------------------------------------------------------------- saving */

static void what_comes_back_at_boot_is_shown_and_saved(void **state)
{
	const struct gs_consoletest_place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = start(w, NULL, "df:00.0");

	gs_consoletest_see(p, "UNSAVED");
	gs_pty_keys(p, "S");
	gs_consoletest_see(p, "SAVE FOR BOOT");
	gs_consoletest_see(p, "is lost");
	gs_pty_keys(p, "y");
	gs_consoletest_see(p, "saved to /etc/gpuslice/layout.json");
	gs_consoletest_see_no_more(p, "UNSAVED");
	gs_pty_keys(p, "\033");
	gs_consoletest_see_no_more(p, "SAVE FOR BOOT");
	assert_int_equal(gs_consoletest_command(w, "apply --yes -", "delete 2 3g.40gb@4\\n", NULL), 0);
	gs_consoletest_see(p, "DRIFT");
	gs_pty_keys(p, "S");
	gs_consoletest_see(p, "3g.40gb at 4 is missing");
	gs_consoletest_see(p, "commit 1 by");
	gs_pty_keys(p, "\033");
	gs_consoletest_see_no_more(p, "SAVE FOR BOOT");
	/* saved together with what is written */
	gs_pty_keys(p, ":create 3 2g.20gb at 2\r");
	gs_consoletest_see(p, "STAGED");
	gs_pty_keys(p, "W");
	gs_consoletest_see(p, "y  write");
	gs_pty_keys(p, "S");
	gs_consoletest_see(p, "SAVE   for boot too");
	gs_pty_keys(p, "y");
	gs_consoletest_see(p, "saved to /etc/gpuslice/layout.json");
	back_to_the_main_screen(p);
	gs_consoletest_see_no_more(p, "DRIFT");
	gs_consoletest_leave(p);
	assert_int_equal(gs_consoletest_command(w, "assert", NULL, NULL), 0);
}

#define IN_A_PLACE(test) cmocka_unit_test_setup_teardown(test, setup, gs_consoletest_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_PLACE(ctrl_c_twice_stops_and_undoes),
		IN_A_PLACE(g_goes_on),
		IN_A_PLACE(a_commit_is_undone_from_the_screen),
		IN_A_PLACE(the_record_says_why_and_from_where),
		IN_A_PLACE(an_interrupted_commit_is_finished_from_its_dialog),
		IN_A_PLACE(an_interrupted_commit_is_taken_back_from_its_dialog),
		IN_A_PLACE(a_monitor_marks_an_interrupted_commit),
		IN_A_PLACE(a_dropped_line_undoes_when_asked_to),
		IN_A_PLACE(what_comes_back_at_boot_is_shown_and_saved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
