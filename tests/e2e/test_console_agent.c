/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a console would come to its end: its agent is killed, idle or in a
 * commit, another commit is under way, the machine is not as it was saved. The
 * real program on a pseudo-terminal, which goes on.
 */
#include "tests/lib/cmocka.h"

#include <errno.h>
#include <signal.h>
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

static void command(const struct gs_consoletest_place *w, const char *words, const char *input)
{
	GS_FREE char *out = NULL;

	if (gs_consoletest_command(w, words, input, &out) != 0)
		fail_msg("%s: %s", words, out);
}

static void until_history_says(const struct gs_consoletest_place *w, const char *text)
{
	struct gs_monotonic since = gs_monotonic_now();

	for (;;) {
		GS_FREE char *out = NULL;

		assert_int_equal(gs_consoletest_command(w, "history", NULL, &out), 0);
		if (strstr(out, text))
			return;
		if (gs_elapsed_ms(since) > DEADLINE_MS)
			fail_msg("«%s» does not come into\n%s", text, out);
	}
}

static void stage(struct gs_pty *p, const char *line)
{
	char text[160];

	snprintf(text, sizeof(text), ":%s\r", line);
	gs_pty_keys(p, text);
	gs_consoletest_see(p, "STAGED");
}

static void write_it(struct gs_pty *p)
{
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

/* ---------------------------------------------------------------- the agent is killed */

/* The console has one child. */
static pid_t agent_of(struct gs_pty *p)
{
	char path[64];
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)gs_pty_pid(p), (int)gs_pty_pid(p));
	f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &pid), 1);
	fclose(f);
	return pid;
}

static bool is_read_only(pid_t agent)
{
	char path[64], words[1024];
	ssize_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)agent);
	f = fopen(path, "re");
	assert_non_null(f);
	n = (ssize_t)fread(words, 1, sizeof(words), f);
	fclose(f);
	return n > 0 && memmem(words, (size_t)n, "--read-only", strlen("--read-only") + 1);
}

static void kill_agent(struct gs_pty *p)
{
	assert_int_equal(kill(agent_of(p), SIGKILL), 0);
}

static void an_idle_agent_is_replaced(void **state)
{
	const struct gs_consoletest_place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = gs_consoletest_start(w, NULL, 24, 80, "df:00.0");

	stage(p, "create 3 2g.20gb at 2");
	kill_agent(p);
	gs_consoletest_see(p, "signal 9 ended the agent process. A new one was started");
	/* the target is still there, and is written by the new one */
	gs_consoletest_see(p, "STAGED +1");
	write_it(p);
	gs_consoletest_see(p, "written");
	back_to_the_main_screen(p);
	gs_consoletest_leave(p);
	command(w, "assert -", "create 3 2g.20gb at 2\\ndelete 3 rest\\n");
}

static void agents_that_end_one_after_the_other_are_not_replaced_for_ever(void **state)
{
	const struct gs_consoletest_place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = gs_consoletest_start(w, NULL, 24, 80, "df:00.0");

	stage(p, "create 3 2g.20gb at 2");
	for (int i = 0; i < 2; i++) {
		kill_agent(p);
		gs_consoletest_see(p, "A new one was started");
		gs_pty_keys(p, "t");
		gs_consoletest_see_no_more(p, "A new one was started");
	}
	kill_agent(p);
	gs_consoletest_see(p, "A starts another");
	gs_consoletest_see(p, "AGENT GONE");
	gs_pty_keys(p, "I");
	gs_consoletest_see(p, "no agent runs");
	gs_pty_keys(p, "A");
	gs_consoletest_see(p, "A new one was started");
	gs_consoletest_see_no_more(p, "AGENT GONE");
	write_it(p);
	gs_consoletest_see(p, "written");
	back_to_the_main_screen(p);
	gs_consoletest_leave(p);
}

static void a_monitor_gets_one_that_cannot_write_either(void **state)
{
	const struct gs_consoletest_place *w = *state;
	static const char *const words[] = { "monitor", NULL };
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = gs_consoletest_start(w, words, 24, 80, "df:00.0");

	kill_agent(p);
	gs_consoletest_see(p, "A new one was started");
	gs_consoletest_see(p, "READ-ONLY");
	assert_true(is_read_only(agent_of(p)));
	gs_pty_keys(p, "W");
	gs_consoletest_see(p, "a monitor changes nothing");
	gs_consoletest_leave(p);
}

static struct gs_pty *killed_in_a_commit(const struct gs_consoletest_place *w)
{
	struct gs_pty *p;

	command(w, "sim fault kill agent at 3", NULL);
	p = gs_consoletest_start(w, NULL, 24, 80, "df:00.0");
	stage(p, "delete 2 all");
	write_it(p);
	gs_consoletest_see(p, "COMMIT 1  interrupted after");
	gs_consoletest_see(p, "f  finish it    u  undo what it did    l  leave it as it is");
	gs_consoletest_see(p, "1 INTERRUPTED");
	return p;
}

static void a_commit_whose_agent_is_killed_is_finished_without_leaving(void **state)
{
	const struct gs_consoletest_place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = killed_in_a_commit(w);

	gs_pty_keys(p, "f");
	gs_consoletest_see(p, "finish commit 1");
	gs_consoletest_see(p, "1 command is what this finishes");
	gs_pty_keys(p, "y");
	gs_consoletest_see(p, "written");
	back_to_the_main_screen(p);
	gs_consoletest_see_no_more(p, "INTERRUPTED");
	/* what was staged is what has been finished, and is not to be staged again either */
	gs_consoletest_see_no_more(p, "STAGED");
	gs_pty_keys(p, "r");
	gs_consoletest_see(p, "nothing to stage again");
	gs_consoletest_leave(p);
	command(w, "assert -", "delete 2 rest\\n");
	until_history_says(w, "finished by commit 2");
}

static void a_commit_whose_agent_is_killed_is_taken_back_without_leaving(void **state)
{
	const struct gs_consoletest_place *w = *state;
	GS_FREE char *before = gs_consoletest_layout(w), *after = NULL;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = killed_in_a_commit(w);

	gs_pty_keys(p, "u");
	gs_consoletest_see(p, "undo commit 1");
	gs_pty_keys(p, "y");
	gs_consoletest_see(p, "written");
	back_to_the_main_screen(p);
	gs_consoletest_see_no_more(p, "INTERRUPTED");
	/* what was staged is still to be done */
	gs_consoletest_see(p, "STAGED +0 -4");
	gs_pty_keys(p, "u");
	gs_consoletest_see_no_more(p, "STAGED");
	gs_consoletest_leave(p);
	after = gs_consoletest_layout(w);
	assert_string_equal(after, before);
}

/* ---------------------------------------------------------------- another commit is under way */

/* Another one stands in the driver; this one is refused. */
static struct gs_pty *locked_out(const struct gs_consoletest_place *w, const char *line)
{
	struct gs_pty *p;

	command(w, "sim fault nvml DeviceCreateGpuInstanceWithPlacement hang", NULL);
	command(w, "apply --yes - >/dev/null 2>&1 &", "create 3 1g.10gb at 0\\n");
	until_history_says(w, "under way");
	p = gs_consoletest_start(w, NULL, 24, 80, "df:00.0");
	stage(p, line);
	write_it(p);
	gs_consoletest_see(p, "another commit is running: pid");
	gs_consoletest_see(p, "w wait and write");
	return p;
}

static void wait_for_it(struct gs_pty *p)
{
	gs_pty_keys(p, "w");
	gs_consoletest_see(p, "WAITING  for another commit");
	/* the agent waits, and says for whom */
	gs_consoletest_see(p, "waiting for another commit to end, 3600 s at most: pid");
	gs_consoletest_see(p, "apply --yes -, since");
}

static void release(const struct gs_consoletest_place *w)
{
	command(w, "sim fault release", NULL);
	command(w, "sim fault clear", NULL);
}

static void a_commit_waits_for_another_one_and_is_written(void **state)
{
	const struct gs_consoletest_place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = locked_out(w, "delete 2 1g.10gb@2");

	wait_for_it(p);
	release(w);
	gs_consoletest_see(p, "written");
	back_to_the_main_screen(p);
	gs_consoletest_see_no_more(p, "STAGED");
	gs_consoletest_leave(p);
	command(w, "assert -", "create 3 1g.10gb at 0\\ndelete 3 rest\\n");
	until_history_says(w, "console");
	assert_int_equal(gs_consoletest_command(w, "assert -", "create 2 1g.10gb at 2\\n", NULL), 4);
}

static void a_plan_that_the_other_one_changed_is_reviewed_again(void **state)
{
	const struct gs_consoletest_place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = locked_out(w, "create 3 1g.10gb at 1");

	wait_for_it(p);
	release(w);
	gs_consoletest_see(p, "the other commit changed what this plan is made from");
	gs_consoletest_see(p, "REVIEW");
	gs_pty_keys(p, "y");
	gs_consoletest_see(p, "written");
	back_to_the_main_screen(p);
	gs_consoletest_leave(p);
	command(w, "assert -", "create 3 1g.10gb at 0\\ncreate 3 1g.10gb at 1\\ndelete 3 rest\\n");
}

static void escape_stops_waiting(void **state)
{
	const struct gs_consoletest_place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = locked_out(w, "delete 1 1g.10gb@1");

	wait_for_it(p);
	gs_pty_keys(p, "\033");
	gs_consoletest_see(p, "no longer waiting; nothing was done, what is staged is still there");
	gs_consoletest_see(p, "STAGED +0 -1");
	release(w);
	/* whoever waited for the lock and let go of it again leaves it free */
	command(w, "apply --yes --wait 60 -", "delete 2 1g.10gb@3\\n");
	/* it is as any other plan */
	write_it(p);
	gs_consoletest_see(p, "written");
	back_to_the_main_screen(p);
	gs_consoletest_leave(p);
}

/* ---------------------------------------------------------------- putting back what is saved */

static struct gs_pty *drifted(const struct gs_consoletest_place *w)
{
	command(w, "save", NULL);
	command(w, "apply --yes -", "delete 2 1g.10gb@2\\ncreate 3 2g.20gb at 2\\n");
	return gs_consoletest_start(w, NULL, 24, 80, "DRIFT");
}

static void what_is_saved_is_put_back_from_its_dialog(void **state)
{
	const struct gs_consoletest_place *w = *state;
	GS_FREE char *saved = gs_consoletest_layout(w), *after = NULL;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = drifted(w);

	/* the key that leads there is in sight */
	gs_consoletest_see(p, "S saved");
	stage(p, "create 3 1g.10gb at 0");
	gs_pty_keys(p, "S");
	gs_consoletest_see(p, "r  restore what is saved");
	gs_pty_keys(p, "r");
	gs_consoletest_see(p, "REVIEW  restore what is saved");
	gs_pty_keys(p, "\033");
	gs_consoletest_see(p, "SAVE FOR BOOT");
	gs_pty_keys(p, "r");
	gs_consoletest_see(p, "y  write");
	gs_pty_keys(p, "y");
	gs_consoletest_see(p, "written");
	back_to_the_main_screen(p);
	gs_consoletest_see_no_more(p, "DRIFT");
	gs_consoletest_see(p, "STAGED +1");
	gs_pty_keys(p, "u");
	gs_consoletest_see_no_more(p, "STAGED");
	gs_consoletest_leave(p);
	after = gs_consoletest_layout(w);
	assert_string_equal(after, saved);
	until_history_says(w, "restore");
}

static void what_is_saved_is_put_back_by_its_word(void **state)
{
	const struct gs_consoletest_place *w = *state;
	GS_FREE char *saved = gs_consoletest_layout(w), *after = NULL;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = drifted(w);

	gs_pty_keys(p, ":restore\r");
	gs_consoletest_see(p, "REVIEW  restore what is saved");
	gs_consoletest_see(p, "y  write");
	gs_pty_keys(p, "y");
	gs_consoletest_see(p, "written");
	back_to_the_main_screen(p);
	gs_pty_keys(p, ":restore\r");
	gs_consoletest_see(p, "nothing to restore: what is saved is there already");
	gs_consoletest_leave(p);
	after = gs_consoletest_layout(w);
	assert_string_equal(after, saved);
}

/* One that is lost costs the others nothing. */
static void what_is_saved_is_put_back_beside_a_lost_gpu(void **state)
{
	const struct gs_consoletest_place *w = *state;
	GS_CLEANUP(gs_pty_closep) struct gs_pty *p = NULL;

	command(w, "save", NULL);
	command(w, "sim reboot", NULL);
	command(w, "sim fault nvml lost 0000:43:00.0", NULL);
	p = gs_consoletest_start(w, NULL, 24, 80, "1 LOST");
	gs_pty_keys(p, ":restore\r");
	gs_consoletest_see(p, "REVIEW  restore what is saved  4 GPUs");
	gs_consoletest_see(p, "GPU 1 (0000:43:00.0) is left out");
	gs_pty_keys(p, "y");
	gs_consoletest_see(p, "written");
	back_to_the_main_screen(p);
	gs_consoletest_leave(p);
	until_history_says(w, "restore");
}

#define IN_A_PLACE(test) cmocka_unit_test_setup_teardown(test, setup, gs_consoletest_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_PLACE(an_idle_agent_is_replaced),
		IN_A_PLACE(agents_that_end_one_after_the_other_are_not_replaced_for_ever),
		IN_A_PLACE(a_monitor_gets_one_that_cannot_write_either),
		IN_A_PLACE(a_commit_whose_agent_is_killed_is_finished_without_leaving),
		IN_A_PLACE(a_commit_whose_agent_is_killed_is_taken_back_without_leaving),
		IN_A_PLACE(a_commit_waits_for_another_one_and_is_written),
		IN_A_PLACE(a_plan_that_the_other_one_changed_is_reviewed_again),
		IN_A_PLACE(escape_stops_waiting),
		IN_A_PLACE(what_is_saved_is_put_back_from_its_dialog),
		IN_A_PLACE(what_is_saved_is_put_back_by_its_word),
		IN_A_PLACE(what_is_saved_is_put_back_beside_a_lost_gpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
