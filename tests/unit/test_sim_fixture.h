/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sim_fixture.h - a state directory per test, a simulated host in it, and the stand-in loaded as the program loads it. */
#ifndef GS_TEST_SIM_FIXTURE_H
#define GS_TEST_SIM_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/sim/nvml_abi.h"
#include "backend/sim/sim.h"
#include "base/file.h"
#include "base/paths.h"
#include "base/root.h"

struct fixture {
	char home[64];
	struct gs_sim *sim;
	void *library;
};

static inline int fixture_remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

/* The initial state of the test is the host's name; without one it is dgx-h100. */
static inline int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *host = *state ? *state : "dgx-h100";
	struct gs_error e = { 0 };

	snprintf(f->home, sizeof(f->home), "%s", "/tmp/gpuslice-test-XXXXXX");
	assert_non_null(mkdtemp(f->home));
	setenv("XDG_STATE_HOME", f->home, 1);
	unsetenv("GPUSLICE_SIM_USER");
	unsetenv("GPUSLICE_SIM_STATE");
	if (gs_sim_open(host, &f->sim, &e) < 0)
		fail_msg("%s", e.text);
	*state = f;
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	if (f->library) {
		((__typeof__(nvmlShutdown) *)dlsym(f->library, "nvmlShutdown"))();
		dlclose(f->library);
	}
	gs_sim_close(f->sim);
	nftw(f->home, fixture_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

/* NVML("DeviceGetName")(…) with the type of the declaration; fails the test when it is not exported. */
#define NVML(f, name) ((__typeof__(nvml##name) *)fixture_symbol(f, "nvml" #name))

static inline void *fixture_symbol(struct fixture *f, const char *name)
{
	void *p;

	if (!f->library) {
		char *path = gs_standin_path(false);

		assert_non_null(path);
		f->library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
		if (!f->library)
			fail_msg("%s", dlerror());
		free(path);
	}
	p = dlsym(f->library, name);
	if (!p)
		fail_msg("%s is not exported", name);
	return p;
}

static inline void fixture_init(struct fixture *f, bool root)
{
	gs_sim_set_root(f->sim, root);
	assert_int_equal(gs_sim_export_environment(f->sim, NULL), 0);
	assert_int_equal(NVML(f, Init_v2)(), GS_NVML_SUCCESS);
}

static inline void *fixture_gpu(struct fixture *f, unsigned int index)
{
	void *device = NULL;

	assert_int_equal(NVML(f, DeviceGetHandleByIndex_v2)(index, &device), GS_NVML_SUCCESS);
	return device;
}

/* "nvml DeviceSetMigMode 19" as words. */
static inline int fixture_fault(struct fixture *f, const char *words)
{
	char copy[128], *argv[8], *rest = copy;
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", words);
	while (argc < 8 && (argv[argc] = strsep(&rest, " ")))
		argc++;
	return gs_sim_fault(f->sim, argc, argv, NULL);
}

/* A file of the tree, without its last newline; the caller frees. NULL when it cannot be read. */
static inline char *fixture_read(struct fixture *f, const char *path)
{
	char full[512], *text = NULL;
	size_t n;

	snprintf(full, sizeof(full), "%s/%s", gs_sim_tree(f->sim), path);
	if (gs_file_read(full, 1u << 20, &text, &n, NULL) < 0)
		return NULL;
	if (n && text[n - 1] == '\n')
		text[n - 1] = '\0';
	return text;
}

static inline void assert_file(struct fixture *f, const char *path, const char *expected)
{
	char *text = fixture_read(f, path);

	if (!text)
		fail_msg("%s is not there", path);
	assert_string_equal(text, expected);
	free(text);
}

static inline void assert_link(struct fixture *f, const char *path, const char *expected)
{
	char full[512], target[256];
	ssize_t n;

	snprintf(full, sizeof(full), "%s/%s", gs_sim_tree(f->sim), path);
	n = readlink(full, target, sizeof(target) - 1);
	if (n < 0)
		fail_msg("%s is no link", path);
	target[n] = '\0';
	assert_string_equal(target, expected);
}

static inline bool fixture_exists(struct fixture *f, const char *path)
{
	char full[512];
	struct stat st;

	snprintf(full, sizeof(full), "%s/%s", gs_sim_tree(f->sim), path);
	return lstat(full, &st) == 0;
}

/* One write to an attribute, as gs_root does it. */
static inline int fixture_store(struct fixture *f, const char *path, const char *text)
{
	return gs_sim_root_ops.write(f->sim, path, text, strlen(text));
}

/* "sriov-manage -e 0000:a1:00.0" as words; the exit status, or -errno. The output into @output. */
static inline int fixture_run(struct fixture *f, const char *words, char *output, size_t size)
{
	char copy[256], *argv[9] = { NULL }, *rest = copy, *text = NULL;
	int argc = 0, status = -1, r;

	snprintf(copy, sizeof(copy), "%s", words);
	while (argc < 8 && (argv[argc] = strsep(&rest, " ")))
		argc++;
	r = gs_sim_run(f->sim, argv, &status, &text, NULL);
	if (r < 0)
		return r;
	if (output)
		snprintf(output, size, "%s", text);
	free(text);
	return status;
}

/*
 * The write in a process of its own, which may block. Its exit status is -r.
 * Ask fixture_child_is_running() only for a «still»: what has ended stays so.
 */
static inline pid_t fixture_store_apart(struct fixture *f, const char *path, const char *text)
{
	pid_t child = fork();

	if (child == 0) {
		struct gs_sim *sim = NULL;

		/* what the parent's stand-in has open is not this process's to hold */
		close_range(3, ~0u, 0);
		if (gs_sim_open(gs_sim_host(f->sim), &sim, NULL) < 0)
			_exit(255);
		_exit(-gs_sim_root_ops.write(sim, path, text, strlen(text)));
	}
	return child;
}

static inline bool fixture_child_is_running(pid_t child)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

static inline int fixture_child_result(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

/* Until the tree has that file no more (or has it); the child that does it must be running. */
static inline void fixture_await(struct fixture *f, const char *path, bool there)
{
	for (int i = 0; i < 5000; i++) {
		if (fixture_exists(f, path) == there)
			return;
		usleep(2000);
	}
	fail_msg("%s is %s", path, there ? "not there" : "still there");
}

/* The start time of @pid, from its stat, as a scanner finds it. */
static inline uint64_t fixture_start_time(struct fixture *f, unsigned int pid)
{
	char path[64], *text, *p;
	unsigned long long start = 0;

	snprintf(path, sizeof(path), "proc/%u/stat", pid);
	text = fixture_read(f, path);
	assert_non_null(text);
	p = strrchr(text, ')');
	assert_non_null(p);
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	assert_non_null(p);
	assert_int_equal(sscanf(p, "%llu", &start), 1);
	free(text);
	return start;
}

static inline int fixture_kill(struct fixture *f, unsigned int pid, int signo)
{
	return gs_sim_signal(f->sim, pid, fixture_start_time(f, pid), signo);
}

static inline char *fixture_state_path(struct fixture *f);

/* Process @pid has @to open where it had @from: what a program of the machine would do by itself. */
static inline int fixture_hold(struct fixture *f, unsigned int pid, const char *from, const char *to)
{
	char *path = fixture_state_path(f), *text, *at, *changed = NULL;
	size_t n;
	int r = -1;

	(void)pid;
	if (gs_file_read(path, 1u << 22, &text, &n, NULL) == 0) {
		char quoted[64];

		snprintf(quoted, sizeof(quoted), "\"%s\"", from);
		at = strstr(text, quoted);
		if (at && asprintf(&changed, "%.*s\"%s\"%s", (int)(at - text), text, to, at + strlen(quoted)) > 0)
			r = gs_file_replace(path, changed, strlen(changed), 0600, NULL);
		free(changed);
		free(text);
	}
	free(path);
	return r;
}

static inline char *fixture_state_path(struct fixture *f)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/state.json", gs_sim_dir(f->sim)) > 0);
	return path;
}

#endif
