/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hooks as real programs in a directory of their own: which are run, what they are told, and what they cannot do to us. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/hooks.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/tree.h"

#define PATIENCE_MS 20000

struct site {
	char dir[GS_TREE_DIR];
	struct gs_root *root;
	struct gs_strbuf said;
	struct gs_error e;
	unsigned n_waits;
};

static int setup(void **state)
{
	struct site *s = calloc(1, sizeof(*s));

	gs_tree_new(s->dir);
	assert_int_equal(gs_root_open(GS_ROOT_SYSROOT, s->dir, &s->root, NULL), 0);
	gs_strbuf_puts(&s->said, "");
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct site *s = *state;

	gs_root_close(s->root);
	gs_strbuf_done(&s->said);
	gs_tree_remove(s->dir);
	free(s);
	return 0;
}

static void path_of(const struct site *s, const char *name, char *ret_path, size_t size)
{
	snprintf(ret_path, size, "%s/" GS_HOOKS_DIR "/%s", s->dir, name);
}

static void put(struct site *s, const char *name, const char *text, mode_t mode)
{
	char path[512];

	snprintf(path, sizeof(path), GS_HOOKS_DIR "/%s", name);
	gs_tree_put(s->dir, path, text);
	path_of(s, name, path, sizeof(path));
	assert_int_equal(chmod(path, mode), 0);
}

static void op_wait(void *userdata, int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	((struct site *)userdata)->n_waits++;
	assert_in_range(ms, 1, 1000);
	poll(&p, 1, ms);
}

static void op_say(void *userdata, const char *hook, const char *when, const char *line)
{
	gs_strbuf_printf(&((struct site *)userdata)->said, "%s %s|%s\n", hook, when, line);
}

static const struct gs_hooks_ops ops = { op_wait, op_say };
static const struct gs_bdf gpus[] = { { 0, 0x1b, 0, 0 }, { 1, 0xc8, 0, 0 } };
static const struct gs_hooks_call standard = { .host = "dgx01", .gpus = gpus, .n_gpus = 2, .plan = "{\"schema\":\"gpuslice.plan/1\"}", .timeout_ms = PATIENCE_MS };

static struct gs_hooks *find(struct site *s)
{
	struct gs_hooks *h = NULL;

	if (gs_hooks_open(s->root, false, &h, &s->e) < 0)
		fail_msg("%s", s->e.text);
	return h;
}

static int before(struct site *s, struct gs_hooks *h)
{
	return gs_hooks_before(h, &standard, &ops, s, &s->e);
}

static void refuses(struct site *s, bool only_roots, int errnum, const char *words)
{
	struct gs_hooks *h = NULL;

	assert_int_equal(gs_hooks_open(s->root, only_roots, &h, &s->e), errnum);
	assert_null(h);
	assert_int_equal(s->e.status, GS_STATUS_REFUSED);
	if (!strstr(s->e.text, words))
		fail_msg("«%s» does not say «%s»", s->e.text, words);
}

/* ---- which ---- */

static void a_machine_without_the_directory_has_none(void **state)
{
	GS_CLEANUP(gs_hooks_freep) struct gs_hooks *h = find(*state);

	assert_int_equal(gs_hooks_count(h), 0);
	assert_int_equal(before(*state, h), 0);
}

static void they_are_run_in_the_order_of_their_names(void **state)
{
	static const char *const others[] = { ".hidden", "40-d~", "40-d.bak", "40-d.dpkg-old", "40-d.rpmsave", "40 d", "40;d", "40-\303\244", "$(touch x)", "-\n" };
	struct site *s = *state;
	GS_CLEANUP(gs_hooks_freep) struct gs_hooks *h = NULL;

	put(s, "30-c", "#!/bin/sh\necho c\n", 0755);
	put(s, "10-a.sh", "#!/bin/sh\necho a\n", 0755);
	put(s, "20_B", "#!/bin/sh\necho b >&2\n", 0755);
	/* what is no hook by its name need not be one otherwise */
	for (size_t i = 0; i < GS_ARRAY_SIZE(others); i++)
		put(s, others[i], "#!/bin/sh\necho never; exit 1\n", i & 1 ? 0755 : 0644);
	h = find(s);
	assert_int_equal(gs_hooks_count(h), 3);
	assert_string_equal(gs_hooks_name(h, 1), "20_B");
	assert_int_equal(before(s, h), 0);
	assert_string_equal(s->said.text, "10-a.sh before|a\n20_B before|b\n30-c before|c\n");
	assert_true(s->n_waits > 0);
}

static void one_that_counts_and_cannot_be_run_is_no_secret(void **state)
{
	struct site *s = *state;
	char path[512], name[32];

	put(s, "10-a", "#!/bin/sh\n", 0644);
	refuses(s, false, -EACCES, "/etc/gpuslice/hooks.d/10-a is not executable");
	path_of(s, "10-a", path, sizeof(path));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	refuses(s, false, -EINVAL, "no regular file");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink("/bin/true", path), 0);
	refuses(s, false, -EINVAL, "no regular file");
	assert_int_equal(unlink(path), 0);
	for (int i = 0; i <= GS_HOOKS_MAX; i++) {
		snprintf(name, sizeof(name), "%02d", i);
		put(s, name, "#!/bin/sh\n", 0755);
	}
	refuses(s, false, -E2BIG, "more than 64");
}

static void a_directory_that_is_none_is_no_secret(void **state)
{
	struct site *s = *state;

	gs_tree_put(s->dir, "etc/gpuslice/hooks.d", "");
	refuses(s, false, -ENOTDIR, "no directory");
}

static void on_a_live_machine_they_are_roots_alone(void **state)
{
	struct site *s = *state;
	GS_CLEANUP(gs_hooks_freep) struct gs_hooks *h = NULL;
	char hook[512], dir[512], moved[512];

	put(s, "10-a", "#!/bin/sh\n", 0755);
	path_of(s, "10-a", hook, sizeof(hook));
	snprintf(dir, sizeof(dir), "%s/etc/gpuslice", s->dir);
	snprintf(moved, sizeof(moved), "%s/etc/moved", s->dir);
	if (geteuid() != 0) {
		/* what we make is ours, which is not root's */
		refuses(s, true, -EPERM, "belongs to uid");
		return;
	}
	assert_int_equal(gs_hooks_open(s->root, true, &h, &s->e), 0);
	assert_int_equal(gs_hooks_count(h), 1);
	assert_int_equal(chmod(hook, 0775), 0);
	refuses(s, true, -EPERM, "10-a can be written by others than root");
	assert_int_equal(chmod(hook, 0757), 0);
	refuses(s, true, -EPERM, "can be written by others than root");
	assert_int_equal(chmod(hook, 0755), 0);
	assert_int_equal(chown(hook, 1234, 0), 0);
	refuses(s, true, -EPERM, "10-a belongs to uid 1234");
	assert_int_equal(chown(hook, 0, 0), 0);
	/* who can write a directory on the way can put his own there */
	assert_int_equal(chmod(dir, 0777), 0);
	refuses(s, true, -EPERM, "/etc/gpuslice can be written by others");
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(chown(dir, 1234, 0), 0);
	refuses(s, true, -EPERM, "/etc/gpuslice belongs to uid 1234");
	assert_int_equal(chown(dir, 0, 0), 0);
	assert_int_equal(rename(dir, moved), 0);
	assert_int_equal(symlink("moved", dir), 0);
	refuses(s, true, -EPERM, "/etc/gpuslice is a link");
	/* on a simulated machine all this is its owner's affair */
	assert_int_equal(chown(moved, 1234, 0), 0);
	h = gs_hooks_free(h);
	h = find(s);
	assert_int_equal(gs_hooks_count(h), 1);
}

static void one_that_changed_hands_meanwhile_is_not_run(void **state)
{
	struct site *s = *state;
	GS_CLEANUP(gs_hooks_freep) struct gs_hooks *h = NULL;
	char path[512], note[256];

	put(s, "10-a", "#!/bin/sh\necho ran $1\n", 0755);
	h = find(s);
	assert_int_equal(before(s, h), 0);
	path_of(s, "10-a", path, sizeof(path));
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(gs_hooks_after(h, 0, &standard, &ops, s, note, sizeof(note)), 1);
	assert_non_null(strstr(note, "not executable"));
	assert_string_equal(s->said.text, "10-a before|ran before\n");
}

/* ---- what they are told ---- */

static void they_are_told_when_what_and_why_and_nothing_else(void **state)
{
	struct site *s = *state;
	GS_CLEANUP(gs_hooks_freep) struct gs_hooks *h = NULL;
	struct gs_hooks_call call = standard;
	char note[256], expected[1024];

	setenv("LD_PRELOAD_TEST", "secret", 1);
	signal(SIGHUP, SIG_IGN);
	put(s, "10-a",
	    "#!/bin/sh\necho \"$(basename \"$0\") $*\"\nread -r plan || :\necho \"$plan\"\npwd\n/usr/bin/env -u PWD -u SHLVL -u _ -u OLDPWD | sort\n"
	    "test \"$(ps -o pgid= -p $$ 2>/dev/null | tr -d ' ')\" = $$ || test ! -x /bin/ps && echo own group\necho hangup is $(grep SigIgn /proc/self/status | sed 's/.*[13579bdf]$/ignored/;s/^Sig.*/taken/')\n",
	    0755);
	call.message = "more\nroom \033[1m";
	h = find(s);
	assert_int_equal(gs_hooks_before(h, &call, &ops, s, &s->e), 0);
	snprintf(expected, sizeof(expected),
		 "10-a before|10-a before - 0000:1b:00.0 0001:c8:00.0\n10-a before|{\"schema\":\"gpuslice.plan/1\"}\n10-a before|/\n"
		 "10-a before|GPUSLICE_HOST=dgx01\n10-a before|GPUSLICE_MESSAGE=more?room ?[1m\n10-a before|LANG=C\n"
		 "10-a before|PATH=/usr/sbin:/usr/bin:/sbin:/bin\n10-a before|own group\n10-a before|hangup is taken\n");
	assert_string_equal(s->said.text, expected);
	gs_strbuf_clear(&s->said);
	call.message = NULL;
	assert_int_equal(gs_hooks_after(h, 10, &call, &ops, s, note, sizeof(note)), 0);
	assert_string_equal(note, "");
	assert_non_null(strstr(s->said.text, "10-a after|10-a after 10 0000:1b:00.0 0001:c8:00.0\n"));
	assert_null(strstr(s->said.text, "GPUSLICE_MESSAGE"));
	signal(SIGHUP, SIG_DFL);
}

static void a_large_plan_need_not_be_read(void **state)
{
	struct site *s = *state;
	GS_CLEANUP(gs_hooks_freep) struct gs_hooks *h = NULL;
	GS_FREE char *plan = calloc(1, GS_HOOKS_PLAN_MAX + 2);
	struct gs_hooks_call call = standard;

	memset(plan, 'x', GS_HOOKS_PLAN_MAX);
	call.plan = plan;
	put(s, "10-reads", "#!/bin/sh\nwc -c\n", 0755);
	put(s, "20-does-not", "#!/bin/sh\nexit 0\n", 0755);
	h = find(s);
	assert_int_equal(gs_hooks_before(h, &call, &ops, s, &s->e), 0);
	assert_string_equal(s->said.text, "10-reads before|1048576\n");
	plan[GS_HOOKS_PLAN_MAX] = 'x';
	assert_int_equal(gs_hooks_before(h, &call, &ops, s, &s->e), -EFBIG);
	assert_non_null(strstr(s->e.text, "10-reads"));
}

/* ---- what becomes of it ---- */

static void the_first_that_says_no_ends_it_and_those_begun_are_told(void **state)
{
	struct site *s = *state;
	GS_CLEANUP(gs_hooks_freep) struct gs_hooks *h = NULL;
	char note[256];

	put(s, "10-a", "#!/bin/sh\necho a $1 $2\n", 0755);
	put(s, "20-b", "#!/bin/sh\necho first\necho 'jobs are running'\necho\ntest $1 = after && exit 7\nexit 3\n", 0755);
	put(s, "30-c", "#!/bin/sh\necho never\n", 0755);
	h = find(s);
	assert_int_equal(before(s, h), -ECANCELED);
	assert_int_equal(s->e.status, GS_STATUS_REFUSED);
	assert_string_equal(s->e.text, "the hook 20-b (before) says no with exit status 3: jobs are running");
	assert_int_equal(gs_hooks_after(h, 3, &standard, &ops, s, note, sizeof(note)), 1);
	assert_string_equal(note, "the hook 20-b (after) says no with exit status 7: jobs are running");
	assert_non_null(strstr(s->said.text, "10-a after|a after 3\n"));
	assert_null(strstr(s->said.text, "never"));
}

static void all_are_told_of_the_end_whatever_becomes_of_one(void **state)
{
	struct site *s = *state;
	GS_CLEANUP(gs_hooks_freep) struct gs_hooks *h = NULL;
	char note[256];

	put(s, "10-a", "#!/bin/sh\ntest $1 = before || kill -9 $$\n", 0755);
	put(s, "20-b", "#!/bin/sh\necho $1\n", 0755);
	h = find(s);
	assert_int_equal(before(s, h), 0);
	assert_int_equal(gs_hooks_after(h, 0, &standard, &ops, s, note, sizeof(note)), 1);
	assert_string_equal(note, "the hook 10-a (after) ended by signal 9 (Killed)");
	assert_string_equal(s->said.text, "20-b before|before\n20-b after|after\n");
}

static void what_is_no_program_stops_it(void **state)
{
	struct site *s = *state;
	GS_CLEANUP(gs_hooks_freep) struct gs_hooks *h = NULL;
	GS_CLEANUP(gs_hooks_freep) struct gs_hooks *again = NULL;

	put(s, "10-a", "#!/no/such/interpreter\n", 0755);
	h = find(s);
	assert_int_equal(before(s, h), -ENOENT);
	assert_non_null(strstr(s->e.text, "10-a cannot be run"));
	assert_non_null(strstr(s->e.text, "interpreter"));
	put(s, "10-a", "echo no first line\n", 0755);
	again = find(s);
	assert_int_equal(before(s, again), -ENOEXEC);
	assert_non_null(strstr(s->e.text, "#!/bin/sh"));
	assert_string_equal(s->said.text, "");
}

static bool is_gone(int pid)
{
	struct gs_monotonic since = gs_monotonic_now();
	char path[64], state = 0;
	FILE *f;

	/* killed is not reaped: whoever adopts it may take a moment, and a zombie does nothing any more */
	while (kill(pid, 0) == 0 && gs_elapsed_ms(since) < PATIENCE_MS) {
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		f = fopen(path, "re");
		if (f && fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
			state = 0;
		if (f)
			fclose(f);
		if (state == 'Z')
			return true;
	}
	return kill(pid, 0) < 0;
}

static void one_that_does_not_end_is_stopped_with_all_that_it_started(void **state)
{
	struct site *s = *state;
	GS_CLEANUP(gs_hooks_freep) struct gs_hooks *h = NULL;
	struct gs_monotonic since = gs_monotonic_now();
	struct gs_hooks_call call = standard;
	int shell = 0, child = 0;

	call.timeout_ms = 700;
	call.grace_ms = 300;
	put(s, "10-a", "#!/bin/sh\ntrap '' TERM\nsleep 1000 &\necho $$ $!\necho draining\nwhile :; do wait; done\n", 0755);
	h = find(s);
	assert_int_equal(gs_hooks_before(h, &call, &ops, s, &s->e), -ETIMEDOUT);
	assert_in_range(gs_elapsed_ms(since), 1000, PATIENCE_MS);
	assert_string_equal(s->e.text, "the hook 10-a (before) had not ended after 0.7 s and was stopped: draining");
	assert_int_equal(sscanf(s->said.text, "10-a before|%d %d", &shell, &child), 2);
	assert_true(is_gone(shell));
	assert_true(is_gone(child));
}

static void one_that_tidies_up_on_sigterm_is_let(void **state)
{
	struct site *s = *state;
	GS_CLEANUP(gs_hooks_freep) struct gs_hooks *h = NULL;
	struct gs_monotonic since = gs_monotonic_now();
	struct gs_hooks_call call = standard;

	call.timeout_ms = 500;
	call.grace_ms = PATIENCE_MS;
	put(s, "10-a", "#!/bin/sh\ntrap 'echo tidied; exit 0' TERM\nsleep 1000 &\nwait\n", 0755);
	h = find(s);
	assert_int_equal(gs_hooks_before(h, &call, &ops, s, &s->e), -ETIMEDOUT);
	assert_in_range(gs_elapsed_ms(since), 500, PATIENCE_MS - 1);
	assert_non_null(strstr(s->e.text, "stopped: tidied"));
}

static void what_it_leaves_behind_holds_nobody_up(void **state)
{
	struct site *s = *state;
	GS_CLEANUP(gs_hooks_freep) struct gs_hooks *h = NULL;
	struct gs_monotonic since = gs_monotonic_now();
	int child = 0;

	put(s, "10-a", "#!/bin/sh\nsleep 1000 &\necho $!\n", 0755);
	h = find(s);
	assert_int_equal(before(s, h), 0);
	assert_in_range(gs_elapsed_ms(since), 0, PATIENCE_MS - 1);
	assert_int_equal(sscanf(s->said.text, "10-a before|%d", &child), 1);
	assert_int_equal(kill(child, SIGKILL), 0);
}

static void what_it_prints_is_bounded_and_made_printable(void **state)
{
	struct site *s = *state;
	GS_CLEANUP(gs_hooks_freep) struct gs_hooks *h = NULL;

	put(s, "10-a", "#!/bin/sh\nprintf 'red \\033[31m\\0 \\377 end\\n'\n", 0755);
	put(s, "20-b", "#!/bin/sh\nyes 'all work and no play' | head -c 999999\nexit 4\n", 0755);
	h = find(s);
	assert_int_equal(before(s, h), -ECANCELED);
	assert_non_null(strstr(s->said.text, "10-a before|red ?[31m? ? end\n"));
	assert_null(strchr(s->said.text, '\033'));
	/* «20-b before|» before each line is ours */
	assert_in_range(s->said.length, GS_HOOKS_OUTPUT_MAX, 2 * GS_HOOKS_OUTPUT_MAX);
	assert_non_null(strstr(s->said.text, "20-b before|(it prints more than is shown)\n"));
	assert_non_null(strstr(s->e.text, "exit status 4: all work and no play"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_machine_without_the_directory_has_none, setup, teardown),
		cmocka_unit_test_setup_teardown(they_are_run_in_the_order_of_their_names, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_counts_and_cannot_be_run_is_no_secret, setup, teardown),
		cmocka_unit_test_setup_teardown(a_directory_that_is_none_is_no_secret, setup, teardown),
		cmocka_unit_test_setup_teardown(on_a_live_machine_they_are_roots_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_changed_hands_meanwhile_is_not_run, setup, teardown),
		cmocka_unit_test_setup_teardown(they_are_told_when_what_and_why_and_nothing_else, setup, teardown),
		cmocka_unit_test_setup_teardown(a_large_plan_need_not_be_read, setup, teardown),
		cmocka_unit_test_setup_teardown(the_first_that_says_no_ends_it_and_those_begun_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(all_are_told_of_the_end_whatever_becomes_of_one, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_program_stops_it, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_does_not_end_is_stopped_with_all_that_it_started, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_tidies_up_on_sigterm_is_let, setup, teardown),
		cmocka_unit_test_setup_teardown(what_it_leaves_behind_holds_nobody_up, setup, teardown),
		cmocka_unit_test_setup_teardown(what_it_prints_is_bounded_and_made_printable, setup, teardown),
	};

	return cmocka_run_group_tests_name("hooks", tests, NULL, NULL);
}
