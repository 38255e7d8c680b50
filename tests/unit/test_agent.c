/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent over a socketpair, with its real collector: this program plays
 * both roles too, since an agent execs the program that it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/agent.h"
#include "backend/lock.h"
#include "backend/published.h"
#include "backend/sim/sim.h"
#include "backend/writes.h"
#include "backend/yield.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/paths.h"
#include "codec/session.h"
#include "tests/lib/cmocka.h"

#define HOST "dgx-h100"
#define TIMEOUT_MS 20000

/* What a test leaves behind. */
static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path);
}

static void remove_tree(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static bool have_sim(void)
{
	GS_FREE char *standin = gs_standin_path(false);
	struct gs_error e;

	if (!standin || access(standin, R_OK) < 0) {
		print_message("skipped: %s is not built\n", standin ? standin : "the stand-in");
		return false;
	}
	if (gs_sim_reset(HOST, &e) < 0) {
		print_message("skipped: %s\n", e.text);
		return false;
	}
	return true;
}

static struct gs_session *start(const struct gs_machine_options *options)
{
	struct gs_session *session = NULL;
	struct gs_rpc *rpc = NULL;
	struct gs_error e = { 0 };
	int pair[2];
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(pair[0]);
		_exit(gs_agent_serve(options, pair[1], pair[1]));
	}
	close(pair[1]);
	assert_int_equal(gs_rpc_new(pair[0], pair[0], &rpc, &e), 0);
	if (gs_session_new(rpc, pid, &session, &e) < 0)
		fail_msg("%s", e.text);
	return session;
}

static struct gs_snapshot *snapshot(struct gs_session *session)
{
	struct gs_snapshot *s = NULL;
	struct gs_error e = { 0 };

	if (gs_session_snapshot(session, false, TIMEOUT_MS, &s, &e) < 0)
		fail_msg("%s", e.text);
	return s;
}

static int commit(struct gs_session *session, const char *script, struct gs_session_result *ret_result, struct gs_error *e)
{
	GS_CLEANUP(gs_request_freep) struct gs_request *request = NULL;
	struct gs_session_commit c = { .yes = true };

	assert_int_equal(gs_request_new(script, strlen(script), "test", GS_CONTEXT_FILE, &request, e), 0);
	c.request = request;
	return gs_session_commit(session, &c, NULL, NULL, ret_result, e);
}

/* ---- without a simulator: a recorded tree ---- */

static void make_tree(char *dir)
{
	static const char *const files[][2] = {
		{ "vendor", "0x10de\n" }, { "device", "0x2330\n" }, { "class", "0x030200\n" }, { "irq", "0\n" }, { "resource", "0x0 0x0 0x0\n" },
		{ "subsystem_vendor", "0x10de\n" }, { "subsystem_device", "0x16c1\n" },
	};
	char path[256];

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/0000:1b:00.0", dir);
	assert_int_equal(gs_mkdir_parents(path, 0755), 0);
	for (size_t i = 0; i < GS_ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/0000:1b:00.0/%s", dir, files[i][0]);
		assert_int_equal(gs_file_replace(path, files[i][1], strlen(files[i][1]), 0644, NULL), 0);
	}
}

static void recorded_machine_is_served_and_cannot_be_written(void **state)
{
	char dir[] = "/tmp/gpuslice-test-XXXXXX";
	GS_CLEANUP(gs_session_freep) struct gs_session *session = NULL;
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	struct gs_machine_options options = { .sysroot = dir };
	struct gs_session_result result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	make_tree(dir);
	session = start(&options);
	assert_int_equal(gs_session_hello(session)->source, GS_SOURCE_SYSROOT);
	assert_true(gs_session_hello(session)->read_only);
	s = snapshot(session);
	assert_int_equal(gs_snapshot_n_gpus(s), 1);
	assert_string_equal(gs_snapshot_gpu(s, 0)->pci_id, "10de:2330");
	assert_true(commit(session, "mode 0 mig\n", &result, &e) < 0);
	assert_int_equal(e.status, GS_STATUS_REFUSED);
	assert_non_null(strstr(e.text, "read-only"));
	gs_session_result_done(&result);
	remove_tree(dir);
}

static void unknown_machine_is_said_at_hello(void **state)
{
	static const struct gs_machine_options options = { .sim = "no-such-host" };
	struct gs_session *session = NULL;
	struct gs_rpc *rpc = NULL;
	struct gs_error e = { 0 };
	int pair[2];
	pid_t pid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		_exit(gs_agent_serve(&options, pair[1], pair[1]));
	}
	close(pair[1]);
	assert_int_equal(gs_rpc_new(pair[0], pair[0], &rpc, &e), 0);
	assert_true(gs_session_new(rpc, pid, &session, &e) < 0);
	assert_non_null(strstr(e.text, "no-such-host"));
	assert_int_equal(e.status, GS_STATUS_INVALID);
}

/* ---- with it ---- */

static void create_and_delete_on_gpu_3(void **state)
{
	static const struct gs_machine_options options = { .sim = HOST };
	GS_CLEANUP(gs_session_freep) struct gs_session *session = NULL;
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *before = NULL, *after = NULL;
	struct gs_session_result result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	if (!have_sim())
		skip();
	session = start(&options);
	assert_true(gs_session_hello(session)->privileged);
	before = snapshot(session);
	assert_int_equal(gs_snapshot_n_gpus(before), 8);
	if (commit(session, gs_snapshot_gpu(before, 3)->mode == GS_MODE_MIG ? "create 3 1g.10gb count +1\n" : "mode 3 mig\ncreate 3 1g.10gb\n", &result, &e) < 0)
		fail_msg("%s", e.text);
	if (result.status != GS_STATUS_OK)
		fail_msg("%d %s", (int)result.status, result.text);
	after = snapshot(session);
	assert_int_equal(gs_snapshot_gpu(after, 3)->n_instances, gs_snapshot_gpu(before, 3)->n_instances + 1);
	gs_session_result_done(&result);
}

static void viewer_is_refused(void **state)
{
	static const struct gs_machine_options read_only = { .sim = HOST, .read_only = true }, user = { .sim = HOST, .as_user = true };
	struct gs_session_result result = { 0 };
	struct gs_error e = { 0 };
	struct gs_session *session;

	(void)state;
	if (!have_sim())
		skip();
	session = start(&read_only);
	assert_true(gs_session_hello(session)->read_only);
	assert_false(gs_session_hello(session)->privileged);
	assert_true(commit(session, "create 3 1g.10gb\n", &result, &e) < 0);
	assert_int_equal(e.status, GS_STATUS_REFUSED);
	assert_int_equal(e.errnum, -EROFS);
	gs_session_result_done(&result);
	gs_session_free(session);
	session = start(&user);
	assert_false(gs_session_hello(session)->read_only);
	assert_true(commit(session, "create 3 1g.10gb\n", &result, &e) < 0);
	assert_int_equal(e.errnum, -EPERM);
	assert_non_null(strstr(e.text, "root"));
	gs_session_result_done(&result);
	gs_session_free(session);
}

static void another_commit_holds_the_lock(void **state)
{
	static const struct gs_machine_options options = { .sim = HOST };
	GS_CLEANUP(gs_session_freep) struct gs_session *session = NULL;
	GS_CLEANUP(gs_machine_closep) struct gs_machine *machine = NULL;
	struct gs_session_result result = { 0 };
	struct gs_error e = { 0 };
	char pid[16];
	int lock = -1;

	(void)state;
	if (!have_sim())
		skip();
	assert_int_equal(gs_machine_open(&options, &machine, &e), 0);
	assert_int_equal(gs_lock_take(gs_machine_root(machine), "gpuslice (a test)", &lock, NULL, &e), 0);
	session = start(&options);
	assert_true(commit(session, "create 3 1g.10gb\n", &result, &e) < 0);
	assert_int_equal(e.status, GS_STATUS_LOCKED);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	assert_non_null(strstr(e.text, pid));
	assert_non_null(strstr(e.text, "gpuslice (a test)"));
	gs_session_result_done(&result);
	close(lock);
}

/* What is there of the lock: its mode, and what it says. */
static void read_lock(struct gs_root *root, mode_t *ret_mode, char **ret_text)
{
	struct stat st;

	assert_int_equal(gs_root_stat(root, &st, "run/gpuslice/lock"), 0);
	*ret_mode = st.st_mode & 0777;
	assert_int_equal(gs_root_read(root, ret_text, "run/gpuslice/lock"), 0);
}

static void the_lock_is_roots(void **state)
{
	static const struct gs_machine_options options = { .sim = HOST };
	GS_CLEANUP(gs_machine_closep) struct gs_machine *machine = NULL;
	GS_FREE char *held = NULL;
	struct gs_error e = { 0 };
	struct gs_root *root;
	int lock = -1;
	struct stat st;
	mode_t mode, mask;

	(void)state;
	if (!have_sim())
		skip();
	assert_int_equal(gs_machine_open(&options, &machine, &e), 0);
	root = gs_machine_root(machine);
	/* one of an older version, and everything under a strict umask */
	gs_root_mkdir(root, 0755, "run/gpuslice");
	assert_int_equal(gs_root_replace_file(root, "", 0, 0644, (gid_t)-1, "run/gpuslice/lock"), 0);
	mask = umask(0077);
	assert_int_equal(gs_lock_take(root, NULL, &lock, NULL, &e), 0);
	close(gs_yield_hold(root, true));
	umask(mask);
	read_lock(root, &mode, &held);
	assert_int_equal(mode, 0600);
	assert_true(strlen(held) > 0);
	assert_int_equal(gs_root_stat(root, &st, "run/gpuslice/yield"), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
	assert_int_equal(gs_root_stat(root, &st, "run/gpuslice/collectors"), 0);
	assert_int_equal(st.st_mode & 0777, 0644);

	gs_lock_release(lock);
}

/* ---- a commit that hangs in the driver, seen from outside ---- */

static void fault(const char *words)
{
	GS_CLEANUP(gs_sim_closep) struct gs_sim *sim = NULL;
	char text[128], *argv[8], *at = text;
	struct gs_error e = { 0 };
	int argc = 0;

	snprintf(text, sizeof(text), "%s", words);
	while (argc < 8 && (argv[argc] = strsep(&at, " ")))
		argc++;
	assert_int_equal(gs_sim_open(HOST, &sim, &e), 0);
	if (gs_sim_fault(sim, argc, argv, &e) < 0)
		fail_msg("%s", e.text);
}

/* The same agent without a session around it, so that its pid is ours to signal. */
static struct gs_session *start_with_pid(const struct gs_machine_options *options, pid_t *ret_pid)
{
	struct gs_session *session = NULL;
	struct gs_rpc *rpc = NULL;
	struct gs_error e = { 0 };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	*ret_pid = fork();
	assert_true(*ret_pid >= 0);
	if (*ret_pid == 0) {
		close(pair[0]);
		_exit(gs_agent_serve(options, pair[1], pair[1]));
	}
	close(pair[1]);
	assert_int_equal(gs_rpc_new(pair[0], pair[0], &rpc, &e), 0);
	if (gs_session_new(rpc, 0, &session, &e) < 0)
		fail_msg("%s", e.text);
	return session;
}

struct seen {
	bool begun, ended;
	struct gs_session_result result;
};

static void on_progress(void *userdata, const char *event, size_t n, size_t of, const char *text, const char *note)
{
	(void)of;
	(void)text;
	(void)note;
	((struct seen *)userdata)->begun |= n == 2 && strcmp(event, "begin") == 0;
}

static void on_committed(void *userdata, const struct gs_session_result *r)
{
	struct seen *seen = userdata;

	seen->ended = true;
	seen->result = *r;
	seen->result.json = NULL;
}

static void dispatch_until(struct gs_session *session, struct seen *seen, const bool *what)
{
	static const struct gs_session_handlers handlers = { .progress = on_progress, .committed = on_committed };
	struct gs_monotonic since = gs_monotonic_now();

	while (!*what && gs_elapsed_ms(since) < TIMEOUT_MS) {
		if (gs_session_dispatch(session, &handlers, seen, NULL) < 0)
			break;
		usleep(10000);
	}
	assert_true(*what);
}

static void begin_commit(struct gs_session *session, const char *script, struct gs_request **ret_request)
{
	struct gs_session_commit c = { .yes = true };

	assert_int_equal(gs_request_new(script, strlen(script), "test", GS_CONTEXT_FILE, ret_request, NULL), 0);
	c.request = *ret_request;
	assert_int_equal(gs_session_commit_begin(session, &c), 0);
}

static int ended_within(pid_t pid, int ms)
{
	struct gs_monotonic since = gs_monotonic_now();
	int status = -1;

	while (gs_elapsed_ms(since) < ms) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		usleep(10000);
	}
	return -1;
}

static size_t n_instances_of_gpu_3(void)
{
	static const struct gs_machine_options options = { .sim = HOST };
	GS_CLEANUP(gs_session_freep) struct gs_session *session = start(&options);
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = snapshot(session);

	return gs_snapshot_gpu(s, 3)->n_instances;
}

static void a_commit_told_to_end_is_undone_first(void **state)
{
	static const struct gs_machine_options options = { .sim = HOST };
	GS_CLEANUP(gs_request_freep) struct gs_request *request = NULL;
	struct gs_session *session;
	struct seen seen = { 0 };
	size_t before;
	pid_t pid;

	(void)state;
	if (!have_sim())
		skip();
	before = n_instances_of_gpu_3();
	session = start_with_pid(&options, &pid);
	fault("nvml GpuInstanceCreateComputeInstanceWithPlacement hang");
	begin_commit(session, before ? "create 3 1g.10gb count +2\n" : "mode 3 mig\ncreate 3 1g.10gb count 2\n", &request);
	dispatch_until(session, &seen, &seen.begun);
	kill(pid, SIGHUP);
	kill(pid, SIGINT);
	kill(pid, SIGTERM);
	usleep(200000);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	fault("release");
	dispatch_until(session, &seen, &seen.ended);
	assert_int_equal(seen.result.status, GS_STATUS_FAILED);
	assert_true(seen.result.undone);
	assert_int_equal(ended_within(pid, 5000), 0);
	gs_session_free(session);
	assert_int_equal(n_instances_of_gpu_3(), before);
	/* nothing to undo: it ends at once, and in order */
	session = start_with_pid(&options, &pid);
	kill(pid, SIGHUP);
	kill(pid, SIGINT);
	usleep(100000);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGTERM);
	assert_int_equal(ended_within(pid, 5000), 0);
	gs_session_free(session);
}

/* How many records of calls and writes hang around. */
static size_t n_records(struct gs_root *root)
{
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	size_t n = 0;

	if (gs_root_opendir(root, &dir, GS_WRITES_DIR) < 0)
		return 0;
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	return n;
}

static void a_dead_agent_holds_no_lock_and_its_call_keeps_that_gpu_only(void **state)
{
	static const struct gs_machine_options options = { .sim = HOST };
	GS_CLEANUP(gs_machine_closep) struct gs_machine *machine = NULL;
	GS_CLEANUP(gs_request_freep) struct gs_request *request = NULL;
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL, *after = NULL;
	struct gs_session_result result = { 0 };
	struct gs_monotonic since;
	struct gs_session *session;
	struct gs_error e = { 0 };
	struct seen seen = { 0 };
	int lock = -1;
	size_t before;
	pid_t pid;

	(void)state;
	if (!have_sim())
		skip();
	assert_int_equal(gs_machine_open(&options, &machine, &e), 0);
	before = n_instances_of_gpu_3();
	session = start_with_pid(&options, &pid);
	fault("nvml GpuInstanceCreateComputeInstanceWithPlacement hang");
	begin_commit(session, before ? "create 3 1g.10gb count +2\n" : "mode 3 mig\ncreate 3 1g.10gb count 2\n", &request);
	dispatch_until(session, &seen, &seen.begun);
	/* begun is said before the record is made, which the call comes after */
	for (since = gs_monotonic_now(); !n_records(gs_machine_root(machine)) && gs_elapsed_ms(since) < TIMEOUT_MS;)
		usleep(1000);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	gs_session_free(session);
	/* at once */
	if (gs_lock_take(gs_machine_root(machine), NULL, &lock, NULL, &e) < 0)
		fail_msg("%s", e.text);
	gs_lock_release(lock);
	session = start(&options);
	s = snapshot(session);
	assert_int_equal(gs_snapshot_gpu(s, 3)->n_writes, 1);
	assert_string_equal(gs_snapshot_gpu(s, 3)->writes[0]->path, "NVML");
	assert_int_equal(gs_snapshot_gpu(s, 6)->n_writes, 0);
	memset(&e, 0, sizeof(e));
	assert_int_equal(commit(session, "create 3 1g.10gb count +1\n", &result, &e), 0);
	assert_int_equal(result.status, GS_STATUS_REFUSED);
	gs_session_result_done(&result);
	fault("release");
	for (since = gs_monotonic_now(); n_records(gs_machine_root(machine)) && gs_elapsed_ms(since) < TIMEOUT_MS;) {
		gs_snapshot_unref(after);
		after = snapshot(session);
	}
	assert_non_null(after);
	assert_int_equal(gs_snapshot_gpu(after, 3)->n_writes, 0);
	gs_session_free(session);
}

static size_t n_dead_children(pid_t parent)
{
	GS_CLEANUP(gs_root_closep) struct gs_root *host = NULL;
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	size_t n = 0;

	assert_int_equal(gs_root_open(GS_ROOT_LIVE, NULL, &host, NULL), 0);
	assert_int_equal(gs_root_opendir(host, &dir, "proc"), 0);
	while ((entry = readdir(dir))) {
		GS_FREE char *text = NULL;
		const char *at;
		char wanted[32];

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || gs_root_read(host, &text, "proc/%s/stat", entry->d_name) < 0)
			continue;
		at = strrchr(text, ')');
		snprintf(wanted, sizeof(wanted), ") Z %d ", (int)parent);
		n += at && gs_str_starts(at, wanted);
	}
	return n;
}

static void a_collector_that_did_not_end_in_time_is_reaped_later(void **state)
{
	static const struct gs_machine_options options = { .sim = HOST };
	GS_CLEANUP(gs_request_freep) struct gs_request *request = NULL;
	struct gs_session *session;
	struct seen seen = { 0 };
	pid_t pid;

	(void)state;
	if (!have_sim())
		skip();
	session = start_with_pid(&options, &pid);
	fault("nvml DeviceGetCount_v2 hang");
	assert_int_equal(gs_session_watch(session, 100, false), 0);
	usleep(500000);
	begin_commit(session, "mode 6 mig\n", &request);
	/* longer than a collector is waited for */
	usleep(2000000);
	fault("release");
	dispatch_until(session, &seen, &seen.ended);
	assert_int_equal(seen.result.status, GS_STATUS_OK);
	usleep(300000);
	assert_int_equal(n_dead_children(pid), 0);
	gs_session_free(session);
	assert_int_equal(ended_within(pid, 5000), 0);
}

/* After a commit the lock is free though its collector lives on to read. */
static void one_commit_after_the_other_by_two_agents(void **state)
{
	static const struct gs_machine_options options = { .sim = HOST };
	GS_CLEANUP(gs_session_freep) struct gs_session *one = NULL, *two = NULL;
	struct gs_session_result result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	if (!have_sim())
		skip();
	one = start(&options);
	two = start(&options);
	for (int i = 0; i < 4; i++) {
		if (commit(i % 2 ? two : one, i == 0 ? "mode 6 mig\n" : "create 6 1g.10gb count +1\n", &result, &e) < 0)
			fail_msg("%d: %s", i, e.text);
		assert_int_equal(result.status, GS_STATUS_OK);
		gs_session_result_done(&result);
	}
}

struct watched {
	unsigned snapshots, notices;
};

static void on_snapshot(void *userdata, struct gs_snapshot *s)
{
	(void)s;
	((struct watched *)userdata)->snapshots++;
}

static void on_notice(void *userdata, const char *text)
{
	print_message("notice: %s\n", text);
	((struct watched *)userdata)->notices++;
}

static void dispatch_for(struct gs_session *session, struct watched *w, int ms, unsigned snapshots, unsigned notices)
{
	static const struct gs_session_handlers handlers = { .snapshot = on_snapshot, .notice = on_notice };
	struct gs_monotonic since = gs_monotonic_now();

	while (gs_elapsed_ms(since) < ms && (w->snapshots < snapshots || w->notices < notices)) {
		assert_int_equal(gs_session_dispatch(session, &handlers, w, NULL), 0);
		usleep(10000);
	}
}

static void watch_pushes_changes_only_and_yields(void **state)
{
	static const struct gs_machine_options options = { .sim = HOST };
	GS_CLEANUP(gs_session_freep) struct gs_session *watcher = NULL, *writer = NULL;
	struct gs_session_result result = { 0 };
	struct gs_error e = { 0 };
	struct watched w = { 0 };

	(void)state;
	if (!have_sim())
		skip();
	watcher = start(&options);
	writer = start(&options);
	assert_int_equal(gs_session_watch(watcher, 100, false), 0);
	dispatch_for(watcher, &w, TIMEOUT_MS, 1, 0);
	assert_int_equal(w.snapshots, 1);
	dispatch_for(watcher, &w, 600, 2, 0);
	assert_int_equal(w.snapshots, 1);       /* nothing changed, nothing said */
	/* a mode change asks every collector to let go */
	if (commit(writer, "mode 6 mig\ncreate 6 3g.40gb at 4\n", &result, &e) < 0)
		fail_msg("%s", e.text);
	if (result.status != GS_STATUS_OK)
		fail_msg("%d %s", (int)result.status, result.text);
	gs_session_result_done(&result);
	dispatch_for(watcher, &w, 5000, 2, 2);
	assert_true(w.snapshots >= 2);
	assert_true(w.notices >= 2);
}

static void request_of_a_dead_process_is_ignored(void **state)
{
	static const struct gs_machine_options options = { .sim = HOST };
	static const struct gs_bdf bdf = { 0, 0x1b, 0, 0 };
	GS_CLEANUP(gs_machine_closep) struct gs_machine *machine = NULL;
	GS_CLEANUP(gs_yield_freep) struct gs_yield *yield = NULL;
	GS_CLOSE int held = -1;
	struct gs_root *root;
	struct gs_error e = { 0 };
	uint32_t by = 0;
	int pipes[2];
	pid_t pid;
	char c = 0;

	(void)state;
	if (!have_sim())
		skip();
	assert_int_equal(gs_machine_open(&options, &machine, &e), 0);
	root = gs_machine_root(machine);
	yield = gs_yield_new(root, true);
	assert_true(gs_yield_fd(yield) >= 0);
	assert_false(gs_yield_is_asked(yield, &by));
	/* our own request is none for us */
	assert_int_equal(gs_yield_ask(root, bdf, &e), 0);
	assert_false(gs_yield_is_asked(yield, &by));
	gs_yield_release(root, bdf);
	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) {
		close(pipes[0]);
		gs_yield_ask(root, bdf, NULL);
		(void)!write(pipes[1], "x", 1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(pipes[0], &c, 1), 1);
	assert_true(gs_yield_is_asked(yield, &by));
	assert_int_equal(by, pid);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_false(gs_yield_is_asked(yield, &by));
	close(pipes[0]);
	close(pipes[1]);
	/* and the lock by which a committer knows that all collectors have gone */
	assert_int_equal(gs_yield_all_gone(root), 1);
	held = gs_yield_hold(root, true);
	assert_true(held >= 0);
	assert_int_equal(gs_yield_all_gone(root), 0);
}

static int be_collector(int argc, char **argv)
{
	struct gs_machine_options options = { 0 };

	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--sim") == 0 && i + 1 < argc)
			options.sim = argv[++i];
		else if (strcmp(argv[i], "--sysroot") == 0 && i + 1 < argc)
			options.sysroot = argv[++i];
		else if (strcmp(argv[i], "--as-user") == 0)
			options.as_user = true;
		else if (strcmp(argv[i], "--read-only") == 0)
			options.read_only = true;
	}
	return gs_collector_serve(&options, STDIN_FILENO, STDOUT_FILENO);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_machine_is_served_and_cannot_be_written),
		cmocka_unit_test(unknown_machine_is_said_at_hello),
		cmocka_unit_test(create_and_delete_on_gpu_3),
		cmocka_unit_test(viewer_is_refused),
		cmocka_unit_test(another_commit_holds_the_lock),
		cmocka_unit_test(the_lock_is_roots),
		cmocka_unit_test(a_commit_told_to_end_is_undone_first),
		cmocka_unit_test(a_dead_agent_holds_no_lock_and_its_call_keeps_that_gpu_only),
		cmocka_unit_test(a_collector_that_did_not_end_in_time_is_reaped_later),
		cmocka_unit_test(one_commit_after_the_other_by_two_agents),
		cmocka_unit_test(request_of_a_dead_process_is_ignored),
		cmocka_unit_test(watch_pushes_changes_only_and_yields),
	};
	char dir[] = "/tmp/gpuslice-test-XXXXXX";
	int failed;

	if (argc > 1 && strcmp(argv[1], "agent") == 0)
		return be_collector(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(dir) || setenv("XDG_STATE_HOME", dir, 1) < 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	remove_tree(dir);
	return failed;
}
