/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GPUs that come and go under a watching agent, on umockdev's machine. The
 * agent takes it for the live one: umockdev's preloaded library leads what is
 * opened below "/" under /sys, and the netlink socket of udev's monitor, to a
 * directory of this test. (A recorded machine would not do: it has no monitor,
 * and openat2 on its root is a system call that no library sees.) The agent is
 * read-only, as a monitor's is, so that nothing of the real host is written.
 *
 * The agent drops LD_PRELOAD from its environment, as it should; here it is put
 * back when the collector is started, which is the real program, or this one
 * where a device is to go in the middle of a scan.
 */
#include "tests/lib/cmocka.h"

#ifdef GS_HAVE_UMOCKDEV

#include <dlfcn.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pci/pci.h>
#include <umockdev.h>

#include "backend/agent.h"
#include "backend/uevent.h"
#include "base/clock.h"
#include "codec/session.h"
#include "tests/lib/tree.h"

#define PRELOAD "libumockdev-preload.so.0"
/* What does not happen by itself: a look of the watch that no event caused. */
#define NEVER_MS (3600u * 1000)
#define PATIENCE_MS 20000
/* From the event to the screen, design 10. */
#define FOLLOWS_MS 1000
#define STORM 10000
#define STORM_MS 1500

/* ---- in the agent: how it starts its collector ---- */

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes, char *const argv[],
		char *const envp[])
{
	__typeof__(posix_spawn) *real = (__typeof__(real))dlsym(RTLD_NEXT, "posix_spawn");

	(void)envp;
	setenv("LD_PRELOAD", PRELOAD, 1);
	return real(pid, getenv("HOTPLUG_VANISH") ? "/proc/self/exe" : path, actions, attributes, argv, environ);
}

/* ---- in the collector: a device that goes in the middle of a scan ---- */

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path);
}

static void unplug(const char *directory)
{
	const char *address = strrchr(directory, '/') + 1;
	char link[512];

	snprintf(link, sizeof(link), "%s/sys/bus/pci/devices/%s", getenv("UMOCKDEV_DIR"), address);
	unlink(link);
	nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* libpci has its name from readdir; now it, and then we, read its files. HOTPLUG_VANISH: "before" or "after", and its directory. */
int pci_fill_info(struct pci_dev *d, int flags)
{
	static int (*real)(struct pci_dev *d, int flags);
	const char *when = getenv("HOTPLUG_VANISH"), *directory = when ? strchr(when, ' ') : NULL;
	char address[16];
	bool is_it;
	int r;

	if (!real)
		real = (__typeof__(real))dlsym(RTLD_NEXT, "pci_fill_info");
	snprintf(address, sizeof(address), "%04x:%02x:%02x.%d", (unsigned)d->domain & 0xffff, d->bus, d->dev, d->func & 7);
	is_it = directory && strstr(directory, address);
	if (is_it && when[0] == 'b')
		unplug(directory + 1);
	r = real(d, flags);
	if (is_it && when[0] == 'a')
		unplug(directory + 1);
	return r;
}

/* ---- the machine and who watches it ---- */

#define PF "0000:08:00.0"
#define VF "0000:08:00.4"
#define OTHER "0000:09:00.0"

struct watcher {
	UMockdevTestbed *bed;
	char *root;
	struct gs_session *session;
	struct gs_snapshot *last;
	size_t n_looks, n_with_vf, n_without_pf;
	char notices[2048];
};

static bool shows(const struct gs_snapshot *s, const char *address)
{
	struct gs_bdf bdf;

	assert_int_equal(gs_bdf_parse(address, &bdf), 0);
	return s && gs_snapshot_gpu_by_bdf(s, bdf);
}

static void on_snapshot(void *userdata, struct gs_snapshot *s)
{
	struct watcher *w = userdata;

	gs_snapshot_unref(w->last);
	w->last = gs_snapshot_ref(s);
	w->n_looks++;
	w->n_with_vf += shows(s, VF);
	w->n_without_pf += !shows(s, PF);
}

static void on_notice(void *userdata, const char *text)
{
	struct watcher *w = userdata;
	size_t n = strlen(w->notices);

	snprintf(w->notices + n, sizeof(w->notices) - n, "%s\n", text);
}

static void dispatch(struct watcher *w, int ms)
{
	static const struct gs_session_handlers handlers = { .snapshot = on_snapshot, .notice = on_notice };
	struct pollfd p = { .fd = gs_session_fd(w->session), .events = POLLIN };
	struct gs_error e = { 0 };

	poll(&p, 1, ms);
	if (gs_session_dispatch(w->session, &handlers, w, &e) < 0)
		fail_msg("%s", e.text);
}

/* As the kernel does it: all files first, then its name on the bus. @physfn: NULL for a GPU. */
static void plug_in(struct watcher *w, const char *address, const char *physfn)
{
	static const char *const files[][2] = {
		{ "vendor", "0x1002\n" }, { "device", "0x74a1\n" }, { "class", "0x120000\n" }, { "irq", "0\n" }, { "resource", "0x0 0x0 0x0\n" },
		{ "subsystem_vendor", "0x1002\n" }, { "subsystem_device", "0x74a1\n" }, { "uevent", "DRIVER=amdgpu\n" },
	};
	char name[128], target[128];

	for (size_t i = 0; i < GS_ARRAY_SIZE(files); i++) {
		snprintf(name, sizeof(name), "sys/devices/%s/%s", address, files[i][0]);
		gs_tree_put(w->root, name, files[i][1]);
	}
	snprintf(name, sizeof(name), "sys/devices/%s/subsystem", address);
	gs_tree_link(w->root, name, "../../bus/pci");
	if (physfn) {
		snprintf(name, sizeof(name), "sys/devices/%s/physfn", address);
		snprintf(target, sizeof(target), "../%s", physfn);
		gs_tree_link(w->root, name, target);
	}
	snprintf(name, sizeof(name), "sys/bus/pci/devices/%s", address);
	snprintf(target, sizeof(target), "../../../devices/%s", address);
	gs_tree_link(w->root, name, target);
}

static void say(struct watcher *w, const char *address, const char *action)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/%s", address);
	umockdev_testbed_uevent(w->bed, path, action);
}

static int setup(void **state)
{
	struct watcher *w = calloc(1, sizeof(*w));

	w->bed = umockdev_testbed_new();
	w->root = umockdev_testbed_get_root_dir(w->bed);
	*state = w;
	plug_in(w, PF, NULL);
	return 0;
}

static int teardown(void **state)
{
	struct watcher *w = *state;

	gs_session_free(w->session);
	gs_snapshot_unref(w->last);
	g_object_unref(w->bed);
	unsetenv("HOTPLUG_VANISH");
	free(w->root);
	free(w);
	return 0;
}

/* With telemetry each look is pushed, so that they can be counted; and none comes by itself. */
static void watch(struct watcher *w)
{
	static const struct gs_machine_options options = { .read_only = true };
	struct gs_monotonic since = gs_monotonic_now();
	struct gs_rpc *rpc = NULL;
	struct gs_error e = { 0 };
	int pair[2];
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(pair[0]);
		_exit(gs_agent_serve(&options, pair[1], pair[1]));
	}
	close(pair[1]);
	assert_int_equal(gs_rpc_new(pair[0], pair[0], &rpc, &e), 0);
	if (gs_session_new(rpc, pid, &w->session, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(gs_session_hello(w->session)->source, GS_SOURCE_LIVE);
	assert_true(gs_session_hello(w->session)->read_only);
	gs_session_watch(w->session, NEVER_MS, true);
	while (!w->n_looks && gs_elapsed_ms(since) < PATIENCE_MS)
		dispatch(w, 100);
	assert_int_equal(w->n_looks, 1);
	assert_true(shows(w->last, PF));
}

/* Until the screen shows it, or does not: within a second of @since, when the kernel said so. */
static void follows(struct watcher *w, struct gs_monotonic since, const char *address, bool is_there)
{
	while (shows(w->last, address) != is_there && gs_elapsed_ms(since) < PATIENCE_MS)
		dispatch(w, 20);
	if (shows(w->last, address) != is_there)
		fail_msg("%s %s after %d ms", address, is_there ? "is not shown" : "is still shown", PATIENCE_MS);
	assert_in_range(gs_elapsed_ms(since), 0, FOLLOWS_MS);
	assert_string_equal(w->notices, "");
}

static void a_gpu_that_appears_is_shown_within_a_second(void **state)
{
	struct watcher *w = *state;
	struct gs_monotonic since;

	watch(w);
	assert_false(shows(w->last, OTHER));
	plug_in(w, OTHER, NULL);
	since = gs_monotonic_now();
	say(w, OTHER, "add");
	follows(w, since, OTHER, true);
	assert_string_equal(gs_snapshot_gpu(w->last, 1)->pci_id, "1002:74a1");
	assert_int_equal(w->n_without_pf, 0);
}

static void a_gpu_that_goes_is_gone_within_a_second(void **state)
{
	struct watcher *w = *state;
	struct gs_monotonic since;
	char path[256];

	plug_in(w, OTHER, NULL);
	watch(w);
	assert_true(shows(w->last, OTHER));
	/* off the bus first, then it is said, then its directory goes */
	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s", w->root, OTHER);
	assert_int_equal(unlink(path), 0);
	since = gs_monotonic_now();
	say(w, OTHER, "remove");
	snprintf(path, sizeof(path), "%s/sys/devices/%s", w->root, OTHER);
	unplug(path);
	follows(w, since, OTHER, false);
	assert_int_equal(w->n_without_pf, 0);
}

/* @when: before or after libpci has read what it is. */
static void vanish(struct watcher *w, const char *when)
{
	struct gs_monotonic since;
	char what[512];
	size_t before;

	snprintf(what, sizeof(what), "%s %s/sys/devices/%s", when, w->root, VF);
	assert_int_equal(setenv("HOTPLUG_VANISH", what, 1), 0);
	watch(w);
	plug_in(w, VF, PF);
	before = w->n_looks;
	since = gs_monotonic_now();
	say(w, VF, "add");
	while (w->n_looks < before + 2 && gs_elapsed_ms(since) < PATIENCE_MS)
		dispatch(w, 20);
	assert_in_range(gs_elapsed_ms(since), 0, FOLLOWS_MS);
	assert_true(w->n_looks >= before + 2);
	/* it went in the middle of the first of them, cost nobody else, and never was taken for a GPU */
	assert_int_equal(access(strchr(what, ' ') + 1, F_OK), -1);
	assert_int_equal(w->n_with_vf, 0);
	assert_int_equal(w->n_without_pf, 0);
	assert_string_equal(w->notices, "");
	/* and the watch goes on */
	plug_in(w, OTHER, NULL);
	since = gs_monotonic_now();
	say(w, OTHER, "add");
	follows(w, since, OTHER, true);
}

static void a_vf_that_goes_before_it_is_read_costs_nobody_else(void **state)
{
	vanish(*state, "before");
}

static void a_vf_that_goes_after_it_was_read_is_no_gpu(void **state)
{
	vanish(*state, "after");
}

static bool is_blowing(const unsigned *n_said, struct gs_monotonic since)
{
	return __atomic_load_n(n_said, __ATOMIC_SEQ_CST) < STORM || gs_elapsed_ms(since) < STORM_MS;
}

/*
 * A process that says «change» for STORM_MS, STORM times at least. Where the
 * agent's socket is full, umockdev ends the one who speaks, so each burst is a
 * process of its own.
 */
static pid_t blow(struct watcher *w, unsigned *n_said)
{
	struct gs_monotonic since = gs_monotonic_now();
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	while (is_blowing(n_said, since)) {
		pid_t burst = fork();

		if (burst == 0) {
			int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

			dup2(null, STDERR_FILENO);
			while (is_blowing(n_said, since)) {
				say(w, PF, "change");
				__atomic_add_fetch(n_said, 1, __ATOMIC_SEQ_CST);
			}
			_exit(0);
		}
		waitpid(burst, NULL, 0);
	}
	_exit(0);
}

static void a_storm_is_looked_at_a_few_times_a_second(void **state)
{
	unsigned *n_said = mmap(NULL, sizeof(*n_said), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct watcher *w = *state;
	struct gs_monotonic since, plugged;
	size_t before, looks;
	int64_t took;
	pid_t pid;

	assert_true(n_said != MAP_FAILED);
	watch(w);
	before = w->n_looks;
	since = gs_monotonic_now();
	pid = blow(w, n_said);
	/* in the middle of it the screen follows as ever */
	plug_in(w, OTHER, NULL);
	plugged = gs_monotonic_now();
	follows(w, plugged, OTHER, true);
	while (waitpid(pid, NULL, WNOHANG) == 0 && gs_elapsed_ms(since) < 3 * PATIENCE_MS)
		dispatch(w, 20);
	took = gs_elapsed_ms(since);
	looks = w->n_looks - before;
	print_message("# %u events in %d ms: %zu looks\n", *n_said, (int)took, looks);
	assert_true(*n_said >= STORM);
	assert_true(looks >= 1);
	assert_in_range(looks, 1, (uint64_t)(took / GS_UEVENT_PACE_MS + 2));
	assert_string_equal(w->notices, "");
	assert_int_equal(w->n_without_pf, 0);
	munmap(n_said, sizeof(*n_said));
}

/* ---- roles ---- */

static bool is_preloaded(void)
{
	return dlopen(PRELOAD, RTLD_LAZY | RTLD_NOLOAD);
}

/* This program again, preloaded. It comes back when that did not work. */
static void preload(char **argv)
{
	if (getenv("HOTPLUG_PRELOADED"))
		return;
	setenv("HOTPLUG_PRELOADED", "1", 1);
	setenv("LD_PRELOAD", PRELOAD, 1);
	/* a sanitizer's library wants to be the first otherwise */
	setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
	execv("/proc/self/exe", argv);
}

static int be_collector(void)
{
	static const struct gs_machine_options options = { .read_only = true };

	/* never the real machine */
	return is_preloaded() && getenv("UMOCKDEV_DIR") ? gs_collector_serve(&options, STDIN_FILENO, STDOUT_FILENO) : 1;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_gpu_that_appears_is_shown_within_a_second, setup, teardown),
		cmocka_unit_test_setup_teardown(a_gpu_that_goes_is_gone_within_a_second, setup, teardown),
		cmocka_unit_test_setup_teardown(a_vf_that_goes_before_it_is_read_costs_nobody_else, setup, teardown),
		cmocka_unit_test_setup_teardown(a_vf_that_goes_after_it_was_read_is_no_gpu, setup, teardown),
		cmocka_unit_test_setup_teardown(a_storm_is_looked_at_a_few_times_a_second, setup, teardown),
	};

	if (argc > 1 && strcmp(argv[1], "agent") == 0)
		return be_collector();
	if (!is_preloaded())
		preload(argv);
	if (!is_preloaded()) {
		printf("1..1\nok 1 - hotplug # SKIP " PRELOAD " cannot be preloaded: is umockdev installed?\n");
		return 0;
	}
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

#include <stdio.h>

int main(void)
{
	printf("1..1\nok 1 - hotplug # SKIP built without umockdev: apt-get install umockdev libumockdev-dev\n");
	return 0;
}

#endif
