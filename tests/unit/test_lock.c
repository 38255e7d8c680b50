/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lock of a commit: who gets it, who is named, and what ends it. Its holders are processes of their own. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "backend/lock.h"
#include "backend/writes.h"
#include "base/parse.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/fakehost.h"

#define COMMAND "gpuslice apply layout.json"
#define SOON_MS 20000

/* Another process that has taken the lock, and waits to be told to let go of it. */
struct other {
	pid_t pid, child;
	int said, told, kept;   /* pipes from it, to it, and to its child */
};

/* Nothing of ours is inherited but standard input, which never says anything. */
static pid_t spawn_sleeper(int in)
{
	static char *const argv[] = { (char *)"cat", NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid = 0;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (posix_spawn(&pid, "/bin/cat", &actions, NULL, argv, environ) != 0)
		pid = 0;
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static void hold(struct gs_root *root, const char *command, int say, int listen, int for_child)
{
	pid_t child = -1;
	char word;
	int lock;

	if (gs_lock_take(root, command, &lock, NULL, NULL) == 0)
		child = spawn_sleeper(for_child);
	if (write(say, &child, sizeof(child)) != sizeof(child) || child <= 0)
		_exit(1);
	if (read(listen, &word, 1) == 1)
		gs_lock_release(lock);
	/* it goes on: its end is another thing to wait for */
	(void)!read(listen, &word, 1);
	_exit(0);
}

static void start_other(struct gs_fakehost *f, const char *command, struct other *ret_other)
{
	int said[2], told[2], kept[2];
	struct other o = { 0 };

	assert_int_equal(pipe2(said, O_CLOEXEC), 0);
	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	assert_int_equal(pipe2(kept, O_CLOEXEC), 0);
	o.pid = fork();
	assert_true(o.pid >= 0);
	if (o.pid == 0) {
		/* so that both pipes end with the test, also when it fails */
		close(told[1]);
		close(kept[1]);
		hold(f->root, command, said[1], told[0], kept[0]);
	}
	close(said[1]);
	close(told[0]);
	close(kept[0]);
	assert_int_equal(read(said[0], &o.child, sizeof(o.child)), sizeof(o.child));
	assert_true(o.child > 0);
	o.said = said[0];
	o.told = told[1];
	o.kept = kept[1];
	*ret_other = o;
}

static void other_done(struct other *o)
{
	kill(o->child, SIGKILL);
	kill(o->pid, SIGKILL);
	waitpid(o->pid, NULL, 0);
	close(o->said);
	close(o->told);
	close(o->kept);
}

static bool lives(pid_t pid)
{
	struct gs_proc_identity identity;

	return gs_proc_identify((uint32_t)pid, &identity) == 0;
}

static int take(struct gs_fakehost *f, struct gs_error *e)
{
	int lock = -1, r = gs_lock_take(f->root, NULL, &lock, NULL, e);

	if (r == 0)
		gs_lock_release(lock);
	return r;
}

static void the_holder_is_named(void **state)
{
	struct gs_fakehost *f = *state;
	struct gs_lock_holder holder;
	struct gs_error e = { 0 };
	char want[96];
	struct stat st;
	struct other o;
	int lock;

	setenv("SUDO_USER", "alice\x1b[2J", 1);
	start_other(f, "gpuslice apply\n\xffx.json", &o);
	unsetenv("SUDO_USER");
	assert_int_equal(gs_lock_take(f->root, COMMAND, &lock, &holder, &e), -EWOULDBLOCK);
	assert_int_equal(e.status, GS_STATUS_LOCKED);
	assert_int_equal(holder.process.pid, o.pid);
	/* what somebody says of himself is text that cannot do anything to a terminal */
	snprintf(want, sizeof(want), "another commit is running: pid %d (alice?[2J): gpuslice apply??x.json, since ", (int)o.pid);
	assert_non_null(strstr(e.text, want));
	assert_non_null(strstr(e.text, "Nothing was done"));
	assert_int_equal(gs_root_stat(f->root, &st, GS_LOCK_PATH), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	other_done(&o);
}

static void a_long_command_is_cut(void **state)
{
	struct gs_fakehost *f = *state;
	struct gs_lock_holder holder;
	char command[2000];
	struct other o;
	int lock;

	memset(command, 'x', sizeof(command) - 1);
	command[sizeof(command) - 1] = '\0';
	start_other(f, command, &o);
	assert_int_equal(gs_lock_take(f->root, NULL, &lock, &holder, NULL), -EWOULDBLOCK);
	assert_int_equal(holder.process.pid, o.pid);
	assert_int_equal(strlen(holder.command), GS_LOCK_COMMAND_MAX - 1);
	other_done(&o);
}

static void a_killed_holder_holds_nothing_whatever_its_children_do(void **state)
{
	struct gs_fakehost *f = *state;
	struct gs_error e = { 0 };
	struct other o;

	start_other(f, COMMAND, &o);
	assert_int_equal(take(f, &e), -EWOULDBLOCK);
	kill(o.pid, SIGKILL);
	/* not reaped: that it has ended is enough */
	assert_int_equal(waitid(P_PID, (id_t)o.pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	assert_true(lives(o.child));
	assert_false(lives(o.pid));
	if (take(f, &e) < 0)
		fail_msg("%s", e.text);
	other_done(&o);
}

static void released_it_says_nobody(void **state)
{
	struct gs_fakehost *f = *state;
	GS_FREE char *text = NULL;
	int lock, keeper;

	assert_int_equal(gs_lock_take(f->root, COMMAND, &lock, NULL, NULL), 0);
	/* even to who has it open still */
	keeper = fcntl(lock, F_DUPFD_CLOEXEC, 0);
	gs_lock_release(lock);
	assert_int_equal(gs_root_read(f->root, &text, GS_LOCK_PATH), 0);
	assert_string_equal(text, "");
	assert_int_equal(take(f, NULL), 0);
	close(keeper);
}

/* As the agent does it, without one. */
static int wait_for_lock(struct gs_fakehost *f, void (*meanwhile)(struct other *o), struct other *o)
{
	struct gs_monotonic since = gs_monotonic_now();

	while (gs_elapsed_ms(since) < SOON_MS) {
		GS_CLEANUP(gs_lock_watch_freep) struct gs_lock_watch *w = gs_lock_watch_new(f->root);
		struct gs_lock_holder holder;
		struct pollfd p = { .fd = gs_lock_watch_fd(w), .events = POLLIN };
		int lock, r = gs_lock_take(f->root, NULL, &lock, &holder, NULL);

		if (r == 0)
			gs_lock_release(lock);
		if (r != -EWOULDBLOCK)
			return r;
		gs_lock_watch_holder(w, &holder);
		/* with a name both ends are conditions, and no clock is needed */
		assert_int_equal(gs_lock_watch_ms(w), -1);
		assert_int_equal(poll(&p, 1, 0), 0);
		if (meanwhile)
			meanwhile(o);
		meanwhile = NULL;
		assert_int_equal(poll(&p, 1, SOON_MS), 1);
	}
	return -ETIMEDOUT;
}

static void tell_to_release(struct other *o)
{
	assert_int_equal(write(o->told, "x", 1), 1);
}

static void tell_to_die(struct other *o)
{
	kill(o->pid, SIGKILL);
}

static void waiting_ends_when_the_holder_releases(void **state)
{
	struct gs_fakehost *f = *state;
	struct other o;

	start_other(f, COMMAND, &o);
	assert_int_equal(wait_for_lock(f, tell_to_release, &o), 0);
	other_done(&o);
}

static void waiting_ends_when_the_holder_dies(void **state)
{
	struct gs_fakehost *f = *state;
	struct other o;

	start_other(f, COMMAND, &o);
	assert_int_equal(wait_for_lock(f, tell_to_die, &o), 0);
	assert_true(lives(o.child));
	other_done(&o);
}

static void who_only_tries_wakes_nobody(void **state)
{
	struct gs_fakehost *f = *state;
	GS_CLEANUP(gs_lock_watch_freep) struct gs_lock_watch *w = NULL;
	struct pollfd p = { .events = POLLIN };
	struct gs_lock_holder holder;
	struct other o;
	int lock;

	start_other(f, COMMAND, &o);
	w = gs_lock_watch_new(f->root);
	assert_int_equal(gs_lock_take(f->root, NULL, &lock, &holder, NULL), -EWOULDBLOCK);
	gs_lock_watch_holder(w, &holder);
	p.fd = gs_lock_watch_fd(w);
	assert_int_equal(take(f, NULL), -EWOULDBLOCK);
	assert_int_equal(take(f, NULL), -EWOULDBLOCK);
	assert_int_equal(poll(&p, 1, 0), 0);
	other_done(&o);
}

static void a_holder_without_a_name_is_looked_at_by_the_clock(void **state)
{
	struct gs_fakehost *f = *state;
	GS_CLEANUP(gs_lock_watch_freep) struct gs_lock_watch *w = NULL;
	struct gs_lock_holder holder;
	struct gs_error e = { 0 };
	struct other o;
	int lock;

	start_other(f, COMMAND, &o);
	gs_fakehost_put(f, "{\"pid\":1}", GS_LOCK_PATH);
	w = gs_lock_watch_new(f->root);
	assert_int_equal(gs_lock_take(f->root, NULL, &lock, &holder, &e), -EWOULDBLOCK);
	assert_int_equal(holder.process.pid, 0);
	assert_null(strstr(e.text, "pid"));
	gs_lock_watch_holder(w, &holder);
	assert_int_equal(gs_lock_watch_ms(w), 200);
	other_done(&o);
}

static void one_that_was_removed_is_no_lock_any_more(void **state)
{
	struct gs_fakehost *f = *state;
	int first, second;

	assert_int_equal(gs_lock_take(f->root, NULL, &first, NULL, NULL), 0);
	gs_root_unlink(f->root, GS_LOCK_PATH);
	assert_int_equal(gs_lock_take(f->root, NULL, &second, NULL, NULL), 0);
	gs_lock_release(first);
	/* its release says nothing about the other */
	assert_int_equal(take(f, NULL), -EWOULDBLOCK);
	gs_lock_release(second);
}

static void something_else_in_its_place_is_refused(void **state)
{
	struct gs_fakehost *f = *state;
	struct gs_error e = { 0 };
	char path[600];

	gs_root_mkdir(f->root, 0755, "run");
	gs_root_mkdir(f->root, 0755, "run/gpuslice");
	snprintf(path, sizeof(path), "%s/" GS_LOCK_PATH, f->dir);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_true(take(f, &e) < 0);
	assert_int_equal(e.status, GS_STATUS_FAILED);
	assert_non_null(strstr(e.text, "no plain file"));
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(take(f, &e) < 0);
	assert_non_null(strstr(e.text, "no plain file"));
	rmdir(path);
	assert_int_equal(symlink("elsewhere", path), 0);
	assert_true(take(f, &e) < 0);
	unlink(path);
	assert_int_equal(take(f, &e), 0);
}

static void what_it_says_is_read_strictly(void **state)
{
	static const char good[] = "{\"pid\":7,\"start_time\":1,\"boot_id\":\"b\",\"uid\":0,\"user\":\"root\",\"sudo_user\":null,\"command\":null,\"since_ms\":5}";
	static const char *const bad[] = {
		"", "4711 1\n", "[]", "{}", "{\"pid\":7}",
		"{\"pid\":0,\"start_time\":1,\"boot_id\":\"b\",\"uid\":0,\"since_ms\":5}",
		"{\"pid\":-1,\"start_time\":1,\"boot_id\":\"b\",\"uid\":0,\"since_ms\":5}",
		"{\"pid\":\"7\",\"start_time\":1,\"boot_id\":\"b\",\"uid\":0,\"since_ms\":5}",
		"{\"pid\":7,\"start_time\":1,\"boot_id\":\"0123456789012345678901234567890123456789\",\"uid\":0,\"since_ms\":5}",
		"{\"pid\":7,\"start_time\":1,\"boot_id\":\"b\",\"uid\":0,\"command\":5,\"since_ms\":5}",
	};
	struct gs_lock_holder h = { .uid = 77 };
	char huge[8192];

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(bad); i++) {
		if (gs_lock_parse_holder(bad[i], strlen(bad[i]), &h) == 0)
			fail_msg("taken: %s", bad[i]);
	}
	memset(huge, ' ', sizeof(huge));
	memcpy(huge, good, sizeof(good) - 1);
	assert_int_equal(gs_lock_parse_holder(huge, sizeof(huge), &h), -EBADMSG);
	assert_int_equal(gs_lock_parse_holder("\0\xff\x01", 3, &h), -EBADMSG);
	assert_int_equal(h.uid, 77);
	assert_int_equal(gs_lock_parse_holder(good, strlen(good), &h), 0);
	assert_int_equal(h.process.pid, 7);
	assert_string_equal(h.user, "root");
}

/* ---------------------------------------------------------------- records of calls */

static const struct gs_bdf gpu = { 0, 0x26, 0, 0 };

static bool counts(struct gs_fakehost *f)
{
	struct gs_write_record r = { 0 };
	bool found = gs_write_record_of(f->root, gpu, &r);

	gs_write_record_done(&r);
	return found;
}

static void a_call_counts_when_its_agent_is_gone_and_it_is_not(void **state)
{
	struct gs_fakehost *f = *state;
	struct gs_bdf functions[4];
	struct gs_write_record r = { .function = gpu, .path = (char *)"NVML", .value = (char *)"create 1g.10gb at 0" };
	struct stat st;
	struct other o;

	gs_root_mkdir(f->root, 0755, "run");
	start_other(f, COMMAND, &o);
	r.pid = (uint32_t)o.child;
	assert_int_equal(gs_proc_identify((uint32_t)o.pid, &r.owner), 0);
	assert_int_equal(gs_write_record_make(f->root, &r), 0);
	assert_false(counts(f));
	/* it names nobody, and everybody may read it */
	assert_int_equal(gs_root_stat(f->root, &st, GS_WRITES_DIR "/%u-0000:26:00.0", r.pid), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	kill(o.pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)o.pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	assert_true(counts(f));
	/* the attributes of sysfs are not kept from anybody by it */
	assert_int_equal(gs_writes_functions(f->root, functions, 4), 0);
	other_done(&o);
	/* the sleeper is nobody's child here: wait for its end, not for its parent */
	for (struct gs_monotonic since = gs_monotonic_now(); lives((pid_t)r.pid) && gs_elapsed_ms(since) < SOON_MS;)
		poll(NULL, 0, 5);
	assert_false(counts(f));
}

static void a_hostile_record_neither_hangs_nor_counts(void **state)
{
	struct gs_fakehost *f = *state;
	GS_FREE char *huge = calloc(1, 200000);
	char path[600];

	assert_non_null(huge);
	memset(huge, 'x', 199999);
	gs_root_mkdir(f->root, 0755, "run");
	gs_root_mkdir(f->root, 0755, "run/gpuslice");
	gs_root_mkdir(f->root, 0755, GS_WRITES_DIR);
	snprintf(path, sizeof(path), "%s/" GS_WRITES_DIR "/1-0000:26:00.0", f->dir);
	gs_fakehost_put(f, huge, GS_WRITES_DIR "/1-0000:26:00.0");
	assert_false(counts(f));
	unlink(path);
	gs_fakehost_put(f, "\xff\xfe", GS_WRITES_DIR "/1-0000:26:00.0");
	assert_false(counts(f));
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(counts(f));
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(counts(f));
	rmdir(path);
}

static int setup(void **state)
{
	struct gs_fakehost *f = calloc(1, sizeof(*f));

	gs_fakehost_open(f, NULL, NULL, NULL);
	gs_fakehost_mkdir(f, "run");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	gs_fakehost_close(*state);
	free(*state);
	return 0;
}

#define ON_A_HOST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_HOST(the_holder_is_named),
		ON_A_HOST(a_long_command_is_cut),
		ON_A_HOST(a_killed_holder_holds_nothing_whatever_its_children_do),
		ON_A_HOST(released_it_says_nobody),
		ON_A_HOST(waiting_ends_when_the_holder_releases),
		ON_A_HOST(waiting_ends_when_the_holder_dies),
		ON_A_HOST(who_only_tries_wakes_nobody),
		ON_A_HOST(a_holder_without_a_name_is_looked_at_by_the_clock),
		ON_A_HOST(one_that_was_removed_is_no_lock_any_more),
		ON_A_HOST(something_else_in_its_place_is_refused),
		cmocka_unit_test(what_it_says_is_read_strictly),
		ON_A_HOST(a_call_counts_when_its_agent_is_gone_and_it_is_not),
		ON_A_HOST(a_hostile_record_neither_hangs_nor_counts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
