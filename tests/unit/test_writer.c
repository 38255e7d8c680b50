/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes that block: what waits is recorded, found again, refused on top, and let go of. This program plays the writers, too. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "backend/proc.h"
#include "backend/writer.h"
#include "backend/writes.h"
#include "base/parse.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/fakehost.h"

static const struct gs_bdf gpu_bdf = { 0, 0x26, 0, 0 };
static const struct gs_bdf other_bdf = { 0, 0x27, 0, 0 };

/* "error/N" answers errno N, "fifo" blocks until somebody reads, anything else stores. */
static int kernel_write(struct gs_fakehost *f, const char *path, const char *value)
{
	uint32_t number;
	char full[256];
	GS_CLOSE int fd = -1;

	if (gs_str_starts(path, "sys/error/") && gs_parse_u32(path + strlen("sys/error/"), 10, &number) == 0)
		return -(int)number;
	/* from here on it is the kernel's */
	gs_fakehost_put(f, "", "begun");
	snprintf(full, sizeof(full), "%s/%s", f->dir, path);
	fd = open(full, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

static int kernel_run(struct gs_fakehost *f, const char *const *argv, int *ret_exit, char **ret_output)
{
	(void)f;
	if (strcmp(argv[0], "missing") == 0)
		return -ENOENT;
	*ret_exit = argv[1] ? 3 : 0;
	*ret_output = strdup("Cannot obtain unbindLock\x1b[2J\nfor you\n");
	return 0;
}

static const struct gs_fakehost_kernel kernel = { kernel_write, kernel_run };

struct patience {
	unsigned waits, said;
	char text[256];
	bool leave_at_once;
};

static void op_wait(void *userdata, int fd, int ms)
{
	struct patience *p = userdata;
	struct pollfd in = { .fd = fd, .events = POLLIN };

	p->waits++;
	poll(&in, 1, ms);
}

static void op_waiting(void *userdata, const char *text, uint64_t waited_ms)
{
	struct patience *p = userdata;

	assert_true(waited_ms >= 1000);
	p->said++;
	snprintf(p->text, sizeof(p->text), "%s", text);
}

static bool op_leave(void *userdata, uint64_t waited_ms)
{
	struct patience *p = userdata;

	return p->leave_at_once || (p->said && waited_ms > 1000);
}

static void op_holders(void *userdata, struct gs_bdf function, char *buf, size_t size)
{
	(void)userdata;
	if (gs_bdf_compare(function, gpu_bdf) == 0)
		snprintf(buf, size, "pid 4711 qemu-system-x86");
}

static const struct gs_writer_ops ops = { op_wait, op_waiting, op_leave, op_holders };

static struct gs_snapshot *snapshot_of(struct gs_fakehost *f, bool may_clean)
{
	struct gs_snapshot *s = gs_snapshot_new();
	struct gs_gpu *gpu = gs_snapshot_add_gpu(s, gpu_bdf);

	gpu->vendor = GS_VENDOR_NVIDIA;
	assert_int_equal(gs_writes_collect(f->root, s, may_clean), 0);
	assert_int_equal(gs_snapshot_seal(s, NULL), 0);
	return s;
}

static size_t n_records(struct gs_fakehost *f)
{
	struct gs_bdf functions[8];

	return gs_writes_functions(f->root, functions, 8);
}

/* Those that do not count are among them. */
static size_t n_files(struct gs_fakehost *f)
{
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	size_t n = 0;

	if (gs_root_opendir(f->root, &dir, GS_WRITES_DIR) < 0)
		return 0;
	while ((entry = readdir(dir)))
		n += strstr(entry->d_name, "-0000:26:00.0") != NULL && entry->d_name[0] != '.';
	return n;
}

static void what_the_kernel_says_comes_back(void **state)
{
	struct patience p = { 0 };
	struct gs_error e = { 0 };
	struct gs_fakehost f;
	GS_FREE char *text = NULL;

	(void)state;
	gs_fakehost_open(&f, &kernel, &ops, &p);
	gs_fakehost_put(&f, "0\n", "sys/attr");
	assert_int_equal(gs_writer_write(f.writer, gpu_bdf, "sys/attr", "12", &e), 0);
	text = gs_fakehost_read(&f, "sys/attr");
	assert_string_equal(text, "12");
	assert_int_equal(gs_writer_write(f.writer, gpu_bdf, "sys/error/34", "12", &e), -ERANGE);
	assert_int_equal(gs_writer_write(f.writer, gpu_bdf, "sys/error/524", "12", &e), -EOPNOTSUPP);
	assert_int_equal(gs_writer_write(f.writer, gpu_bdf, "sys/missing", "12", &e), -ENOENT);
	assert_int_equal(gs_writer_write(f.writer, gpu_bdf, "sys/../../etc/passwd", "12", &e), -EINVAL);
	/* a value that looks like an option is a value */
	assert_int_equal(gs_writer_write(f.writer, gpu_bdf, "sys/attr", "--help", &e), 0);
	/* what is quick leaves no trace */
	assert_int_equal(n_files(&f), 0);
	gs_fakehost_close(&f);
}

/* Read from @path until the writer has come and gone: then its child removes the record. */
static void let_go(struct gs_fakehost *f, const char *path, const char *expected)
{
	char full[256], bytes[32] = "";
	GS_CLOSE int fd = -1;
	struct gs_monotonic since = gs_monotonic_now();
	size_t n = 0;
	ssize_t got;

	snprintf(full, sizeof(full), "%s/%s", f->dir, path);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	while (n < sizeof(bytes) - 1 && (got = read(fd, bytes + n, sizeof(bytes) - 1 - n)) > 0)
		n += (size_t)got;
	assert_string_equal(bytes, expected);
	while (n_records(f) && gs_elapsed_ms(since) < 10000)
		gs_writer_pause(f->writer, -1, 10);
	assert_int_equal(n_records(f), 0);
}

static void what_blocks_is_left_recorded_and_refused_on_top(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	const struct gs_pending_write *w;
	struct patience p = { 0 };
	struct gs_error e = { 0 };
	struct gs_fakehost f;
	struct stat st;
	char path[256];

	(void)state;
	gs_fakehost_open(&f, &kernel, &ops, &p);
	gs_fakehost_mkdir(&f, "sys");
	snprintf(path, sizeof(path), "%s/sys/fifo", f.dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(gs_writer_write(f.writer, gpu_bdf, "sys/fifo", "1", &e), -EINPROGRESS);
	assert_true(p.waits > 0 && p.said > 0);
	assert_string_equal(p.text, "0000:26:00.0: the kernel waits with \"fifo\" for pid 4711 qemu-system-x86 to let go");
	s = snapshot_of(&f, true);
	assert_int_equal(gs_snapshot_gpu(s, 0)->n_writes, 1);
	w = gs_snapshot_gpu(s, 0)->writes[0];
	assert_string_equal(w->path, "sys/fifo");
	assert_string_equal(w->value, "1");
	assert_string_equal(w->waits_for, "pid 4711 qemu-system-x86");
	assert_true(w->pid > 1 && w->since.ms > 0);
	assert_int_equal(gs_root_stat(f.root, &st, GS_WRITES_DIR "/%u-0000:26:00.0", w->pid), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* the same device: refused, with what to do; another one goes on */
	assert_int_equal(gs_writer_write(f.writer, gpu_bdf, "sys/fifo", "2", &e), -EBUSY);
	assert_int_equal(e.status, GS_STATUS_REFUSED);
	assert_non_null(strstr(e.text, "0000:26:00.0"));
	assert_non_null(strstr(e.text, "pid 4711"));
	gs_fakehost_put(&f, "0\n", "sys/attr");
	assert_int_equal(gs_writer_write(f.writer, other_bdf, "sys/attr", "1", &e), 0);
	/* a signal changes nothing */
	assert_int_equal(kill((pid_t)w->pid, SIGTERM), 0);
	assert_int_equal(n_records(&f), 1);
	let_go(&f, "sys/fifo", "1");
	assert_int_equal(gs_writer_write(f.writer, gpu_bdf, "sys/attr", "3", &e), 0);
	gs_fakehost_close(&f);
}

/* The agent is killed while its child waits: the next look finds the write, and it is carried out when it can be. */
static void it_outlives_whoever_began_it(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL;
	struct patience p = { 0 };
	struct gs_monotonic since = gs_monotonic_now();
	struct gs_fakehost f;
	char path[256];
	pid_t agent;

	(void)state;
	gs_fakehost_open(&f, &kernel, &ops, &p);
	gs_fakehost_mkdir(&f, "sys");
	snprintf(path, sizeof(path), "%s/sys/fifo", f.dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	agent = fork();
	if (agent == 0) {
		GS_CLEANUP(gs_writer_freep) struct gs_writer *w = gs_writer_new_on(f.root, "/proc/self/exe", f.argv, NULL, NULL);
		struct gs_error e;

		_exit(gs_writer_write(w, gpu_bdf, "sys/fifo", "0", &e) == 0 ? 0 : 1);
	}
	while (!n_records(&f) && gs_elapsed_ms(since) < 10000)
		gs_writer_pause(f.writer, -1, 10);
	assert_int_equal(kill(agent, SIGKILL), 0);
	assert_int_equal(waitpid(agent, NULL, 0), agent);
	s = snapshot_of(&f, true);
	assert_int_equal(gs_snapshot_gpu(s, 0)->n_writes, 1);
	assert_null(gs_snapshot_gpu(s, 0)->writes[0]->waits_for);
	let_go(&f, "sys/fifo", "0");
	gs_fakehost_close(&f);
}

/* Killed before anybody could say that it takes long: on record all the same, since the lock is free now. */
static void one_whose_agent_is_killed_at_once_is_on_record(void **state)
{
	struct gs_monotonic since = gs_monotonic_now();
	struct patience p = { 0 };
	struct gs_fakehost f;
	char path[256];
	pid_t agent;

	(void)state;
	gs_fakehost_open(&f, &kernel, &ops, &p);
	gs_fakehost_mkdir(&f, "sys");
	snprintf(path, sizeof(path), "%s/sys/fifo", f.dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	agent = fork();
	if (agent == 0) {
		GS_CLEANUP(gs_writer_freep) struct gs_writer *w = gs_writer_new_on(f.root, "/proc/self/exe", f.argv, NULL, NULL);
		struct gs_error e;

		_exit(gs_writer_write(w, gpu_bdf, "sys/fifo", "0", &e) == 0 ? 0 : 1);
	}
	while (!gs_root_exists(f.root, "begun") && gs_elapsed_ms(since) < 10000)
		gs_writer_pause(f.writer, -1, 1);
	assert_int_equal(kill(agent, SIGKILL), 0);
	assert_int_equal(waitpid(agent, NULL, 0), agent);
	assert_int_equal(n_records(&f), 1);
	let_go(&f, "sys/fifo", "0");
	gs_fakehost_close(&f);
}

/* This process is not the agent that it is said to be a child of. */
static void without_its_agent_nothing_is_written(void **state)
{
	struct patience p = { 0 };
	struct gs_fakehost f;
	GS_FREE char *text = NULL;
	struct gs_writer_job job = { .function = gpu_bdf, .path = "sys/attr", .value = "12" };
	int status;
	pid_t pid;

	(void)state;
	gs_fakehost_open(&f, &kernel, &ops, &p);
	gs_fakehost_put(&f, "0", "sys/attr");
	pid = fork();
	if (pid == 0) {
		job.owner = (uint32_t)getpid();
		_exit(gs_writer_do(f.root, &job));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), GS_WRITER_BROKEN);
	text = gs_fakehost_read(&f, "sys/attr");
	assert_string_equal(text, "0");
	assert_int_equal(n_files(&f), 0);
	gs_fakehost_close(&f);
}

static void records_of_the_dead_do_not_count(void **state)
{
	static const char *const records[] = {
		"{\"pid\":%u,\"start_time\":1,\"boot_id\":\"x\",\"function\":\"0000:26:00.0\",\"path\":\"p\",\"value\":\"v\",\"since_ms\":1,\"waits_for\":null}",
		"{\"pid\":%u,\"start_time\":\"soon\"}",
		"[%u]",
		"%u",
		"",
	};
	struct patience p = { 0 };
	struct gs_fakehost f;

	(void)state;
	gs_fakehost_open(&f, &kernel, &ops, &p);
	for (size_t i = 0; i < GS_ARRAY_SIZE(records); i++) {
		GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = NULL, *cleaned = NULL;
		uint32_t pid = i == 0 ? (uint32_t)getpid() : 400000000u + (uint32_t)i;
		char text[512];
		size_t n = strcspn(records[i], "%");

		snprintf(text, sizeof(text), "%.*s%u%s", (int)n, records[i], pid, records[i][n] ? records[i] + n + 2 : "");
		gs_fakehost_put(&f, text, GS_WRITES_DIR "/%u-0000:26:00.0", pid);
		s = snapshot_of(&f, false);
		assert_int_equal(gs_snapshot_gpu(s, 0)->n_writes, 0);
		assert_true(gs_root_exists(f.root, GS_WRITES_DIR "/%u-0000:26:00.0", pid));
		cleaned = snapshot_of(&f, true);
		assert_false(gs_root_exists(f.root, GS_WRITES_DIR "/%u-0000:26:00.0", pid));
	}
	gs_fakehost_close(&f);
}

/* The same pid again: after a reboot, or of another process. */
static void a_record_is_of_one_process_of_one_boot(void **state)
{
	static const char form[] = "{\"start_time\":%" PRIu64 ",\"boot_id\":\"%s\",\"path\":\"p\",\"value\":\"v\",\"since_ms\":1,\"waits_for\":null}";
	GS_CLEANUP(gs_root_closep) struct gs_root *host = NULL;
	GS_FREE char *boot = NULL;
	struct patience p = { 0 };
	uint64_t start_time;
	struct gs_fakehost f;

	(void)state;
	assert_int_equal(gs_root_open(GS_ROOT_LIVE, NULL, &host, NULL), 0);
	assert_int_equal(gs_root_read(host, &boot, "proc/sys/kernel/random/boot_id"), 0);
	assert_int_equal(gs_proc_stat(host, (uint32_t)getpid(), NULL, &start_time), 0);
	gs_fakehost_open(&f, &kernel, &ops, &p);
	for (unsigned i = 0; i < 3; i++) {
		char text[512];

		snprintf(text, sizeof(text), form, i == 1 ? start_time + 1 : start_time, i == 2 ? "another" : boot);
		gs_fakehost_put(&f, text, GS_WRITES_DIR "/%d-0000:26:00.0", (int)getpid());
		assert_int_equal(n_records(&f), i == 0);
	}
	gs_fakehost_close(&f);
}

static void programs_run_to_their_end(void **state)
{
	const char *const good[] = { "tool", NULL }, *const bad[] = { "tool", "-e", NULL }, *const missing[] = { "missing", NULL };
	struct patience p = { .leave_at_once = true };
	GS_FREE char *one = NULL, *two = NULL, *three = NULL;
	struct gs_error e = { 0 };
	struct gs_fakehost f;
	int status = 99;

	(void)state;
	gs_fakehost_open(&f, &kernel, &ops, &p);
	assert_int_equal(gs_writer_run(f.writer, gpu_bdf, good, &status, &one, &e), 0);
	assert_int_equal(status, 0);
	assert_string_equal(one, "Cannot obtain unbindLock?[2J?for you?");
	assert_int_equal(gs_writer_run(f.writer, gpu_bdf, bad, &status, &two, &e), 0);
	assert_int_equal(status, 3);
	assert_int_equal(gs_writer_run(f.writer, gpu_bdf, missing, &status, &three, &e), -ENOENT);
	assert_null(three);
	gs_fakehost_close(&f);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_kernel_says_comes_back),
		cmocka_unit_test(what_blocks_is_left_recorded_and_refused_on_top),
		cmocka_unit_test(it_outlives_whoever_began_it),
		cmocka_unit_test(one_whose_agent_is_killed_at_once_is_on_record),
		cmocka_unit_test(without_its_agent_nothing_is_written),
		cmocka_unit_test(records_of_the_dead_do_not_count),
		cmocka_unit_test(a_record_is_of_one_process_of_one_boot),
		cmocka_unit_test(programs_run_to_their_end),
	};
	int child = gs_fakehost_child(argc, argv, &kernel);

	if (child >= 0)
		return child;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
