/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel's log tells of GPUs: each driver's lines, what only looks like one, what is kept, and what cannot be read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/kernel_log.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/tree.h"

#define XID79 "NVRM: Xid (PCI:0000:65:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus."
#define GPU "0000:65:00.0"

/* "xid 0000:65:00.0 TEXT", or "" */
static void assert_line(const char *line, const char *wanted)
{
	struct gs_kernel_event ev;
	char said[512] = "", address[GS_BDF_TEXT];

	if (gs_kernel_log_parse(line, strlen(line), &ev))
		snprintf(said, sizeof(said), "%s %s %s", gs_gpu_event_kind_name(ev.kind), gs_bdf_format(ev.bdf, address), ev.text);
	assert_string_equal(said, wanted);
}

static void each_driver_says_it_its_own_way(void **state)
{
	(void)state;
	assert_line("3,339,5140900,-;" XID79, "xid " GPU " Xid (PCI:0000:65:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.");
	assert_line("3,339,5140900,-,caller=T4711;NVRM: Xid (PCI:0000:65:00): 31, pid=4711, name=python3, MMU Fault",
		    "xid " GPU " Xid (PCI:0000:65:00): 31, pid=4711, name=python3, MMU Fault");
	assert_line("3,1,1,-;NVRM: Xid (PCI:0001:65:1f GPU-I:05): 43, x", "xid 0001:65:1f.0 Xid (PCI:0001:65:1f GPU-I:05): 43, x");
	assert_line("3,1,1,-;NVRM: GPU 0000:65:00.0: GPU has fallen off the bus.", "lost " GPU " GPU 0000:65:00.0: GPU has fallen off the bus.");
	assert_line("3,1,1,-;NVRM: The NVIDIA GPU 0000:65:00.0\\x0aNVRM: (PCI ID: 10de:2330) installed in this system has\\x0aNVRM: fallen off the bus and is not responding to commands.",
		    "lost " GPU " The NVIDIA GPU 0000:65:00.0 NVRM: (PCI ID: 10de:2330) installed in this system has NVRM: fallen off the bus and is not responding to commands.");
	assert_line("6,1,1,-;amdgpu 0000:65:00.0: amdgpu: GPU reset begin!. Source:  1", "reset " GPU " amdgpu 0000:65:00.0: amdgpu: GPU reset begin!. Source:  1");
	assert_line("3,1,1,-;amdgpu 0000:65:00.0: device lost from bus!", "lost " GPU " amdgpu 0000:65:00.0: device lost from bus!");
	assert_line("6,1,1,-;amdgpu 0000:65:00.0: [drm] device wedged, but recovered through reset", "reset " GPU " amdgpu 0000:65:00.0: [drm] device wedged, but recovered through reset");
	assert_line("3,1,1,-;xe 0000:65:00.0: [drm] *ERROR* CRITICAL: Xe has declared device 0000:65:00.0 as wedged.\\x0aIOCTLs and executions are blocked.",
		    "wedged " GPU " xe 0000:65:00.0: [drm] *ERROR* CRITICAL: Xe has declared device 0000:65:00.0 as wedged. IOCTLs and executions are blocked.");
	assert_line("6,1,1,-;xe 0000:65:00.0: [drm] Tile0: GT1: reset started", "reset " GPU " xe 0000:65:00.0: [drm] Tile0: GT1: reset started");
	assert_line("5,1,1,-;i915 0000:65:00.0: [drm] GT0: Resetting chip for stopped heartbeat on rcs0", "reset " GPU " i915 0000:65:00.0: [drm] GT0: Resetting chip for stopped heartbeat on rcs0");
}

static void what_only_looks_like_one(void **state)
{
	static const char *const lines[] = {
		"", ";", "3", "3,1", "3,1,1,-", "3,1,1,-;", ",,,;" XID79, "x,1,1,-;" XID79, "3,x,1,-;" XID79, "3,1,-1,-;" XID79, "3,1,;" XID79,
		"99999999999999999999999,1,1,-;" XID79, "3,1,18446744073709551615,-;" XID79, " DEVICE=+pci:0000:65:00.0;" XID79, XID79,
		/* a program wrote it: another facility */
		"11,1,1,-;" XID79, "12,1,1,-;" XID79,
		/* names that somebody chose stand in the middle */
		"3,1,1,-;NVRM: something of name=" XID79, "3,1,1,-;  " XID79, "6,1,1,-;i915 0000:65:00.0: [drm] GPU HANG: ecode 12:1, in wedged [1]",
		"6,1,1,-;amdgpu 0000:65:00.0: amdgpu: Process information: process device wedged pid 1", "3,1,1,-;xe 0000:65:00.0: in Xe has declared device x",
		/* broken addresses and numbers */
		"3,1,1,-;NVRM: Xid (PCI:65:00): 79, x", "3,1,1,-;NVRM: Xid (PCI:0000:65:20): 79, x", "3,1,1,-;NVRM: Xid (PCI:0000:65:00", "3,1,1,-;NVRM: Xid (PCI:0000:65:00): ",
		"3,1,1,-;NVRM: Xid (PCI:0000:65:00): x", "3,1,1,-;NVRM: Xid (PCI:0000:65:00): 99999999999, x", "3,1,1,-;NVRM: Xid (PCI:):): 1, x", "3,1,1,-;NVRM: fallen off the bus",
		"3,1,1,-;NVRM: GPU : fallen off the bus", "3,1,1,-;NVRM: GPU GPU GPU fallen off the bus", "3,1,1,-;amdgpu 0000:65:00.0 GPU reset begin!", "3,1,1,-;amdgpu : GPU reset begin!",
		"3,1,1,-;amdgpux 0000:65:00.0: GPU reset begin!", "3,1,1,-;xe 0000:65:00.0: GPU reset begin!", "6,1,1,-;NVRM: GPU at PCI:0000:65:00: GPU-5d5e",
		"3,1,1,-;NVRM: \\x", "3,1,1,-;\\x4", "3,1,1,-;\\xzz",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct gs_kernel_event ev;

		if (gs_kernel_log_parse(lines[i], strlen(lines[i]), &ev))
			print_message("taken: %s\n", lines[i]);
		assert_false(gs_kernel_log_parse(lines[i], strlen(lines[i]), &ev));
	}
}

static void hostile_text_is_made_harmless(void **state)
{
	char line[4096];
	struct gs_kernel_event ev;
	static const char raw[] = "3,1,1,-;NVRM: Xid (PCI:0000:65:00): 13, name=\0\033[31m";

	(void)state;
	assert_line("3,1,1,-;NVRM: Xid (PCI:0000:65:00): 13, name=\\x1b[31m\\xff\\x0a6,2,2,-;x", "xid " GPU " Xid (PCI:0000:65:00): 13, name=?[31m? 6,2,2,-;x");
	assert_true(gs_kernel_log_parse(raw, sizeof(raw) - 1, &ev));
	assert_string_equal(ev.text, "Xid (PCI:0000:65:00): 13, name=??[31m");
	memset(line, 'x', sizeof(line));
	memcpy(line, "3,1,1,-;NVRM: Xid (PCI:0000:65:00): 13, ", 40);
	assert_true(gs_kernel_log_parse(line, sizeof(line), &ev));
	assert_int_equal(strlen(ev.text), GS_KERNEL_TEXT - 1);
}

/* "nvidia all", "xe 0000:65:00.0", or "" */
static void assert_load(const char *line, const char *wanted)
{
	struct gs_kernel_load load;
	struct gs_kernel_event ev;
	char said[64] = "", address[GS_BDF_TEXT];

	if (gs_kernel_log_parse_load(line, strlen(line), &load))
		snprintf(said, sizeof(said), "%s %s", load.driver, load.is_for_all ? "all" : gs_bdf_format(load.bdf, address));
	if (strcmp(said, wanted) != 0)
		print_message("%s\n", line);
	assert_string_equal(said, wanted);
	/* and is no event, so that it pushes none out */
	assert_false(*wanted && gs_kernel_log_parse(line, strlen(line), &ev));
}

static void a_driver_that_is_loaded_says_so(void **state)
{
	(void)state;
	assert_load("4,339,5140900,-;NVRM: loading NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 18:56:32 UTC 2023", "nvidia all");
	assert_load("4,339,5140900,-,caller=T4711;NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  580.105.08  Release Build  (dvs-builder@U22)  Wed Nov 5", "nvidia all");
	assert_load("4,1,1,-;NVRM: loading NVIDIA UNIX aarch64 Kernel Module  470.1", "nvidia all");
	assert_load("6,1,1,-;[drm] Initialized amdgpu 3.57.0 20150101 for 0000:65:00.0 on minor 0", "amdgpu " GPU);
	assert_load("6,1,1,-;[drm] Initialized amdgpu 3.64.0 for 0000:65:00.0 on minor 12", "amdgpu " GPU);
	assert_load("6,1,1,-;[drm] Initialized xe 1.1.0 20201103 for 0000:65:00.0 on minor 1", "xe " GPU);
	assert_load("6,1,1,-;xe 0000:65:00.0: [drm] Initialized xe 1.1.0 for 0000:65:00.0 on minor 1", "xe " GPU);
	assert_load("6,1,1,-;[drm] Initialized i915 1.6.0 20230929 for 0000:65:00.0 on minor 1", "i915 " GPU);
}

static void what_only_looks_like_a_load(void **state)
{
	static const char *const lines[] = {
		"", ";", "4,1,1,-;", "NVRM: loading NVIDIA UNIX x86_64 Kernel Module  535",
		/* a program wrote it */
		"12,1,1,-;NVRM: loading NVIDIA UNIX x86_64 Kernel Module  535", "14,1,1,-;[drm] Initialized xe 1.1.0 for 0000:65:00.0 on minor 1",
		/* modules beside it, which may be loaded alone */
		"6,1,1,-;nvidia-modeset: Loading NVIDIA UNIX Open Kernel Mode Setting Driver for x86_64  530.41.03",
		"6,1,1,-;[drm] Initialized nvidia-drm 0.0.0 20160202 for 0000:65:00.0 on minor 0", "6,1,1,-;[drm] Initialized ast 0.1.0 for 0000:65:00.0 on minor 0",
		/* in the middle of something else, half of one, another of a name */
		"4,1,1,-;NVRM: name=NVRM: loading NVIDIA UNIX x86_64 Kernel Module  535", "4,1,1,-;NVRM: loading NVIDIA UNIX", "4,1,1,-;NVRM: loading NVIDIA UNIX x86_64",
		" NVRM: loading NVIDIA UNIX x86_64 Kernel Module  535", "6,1,1,-;x [drm] Initialized xe 1.1.0 for 0000:65:00.0 on minor 1",
		"6,1,1,-;xe evil: [drm] Initialized xe 1.1.0 for 0000:65:00.0 on minor 1",
		"6,1,1,-;xe : [drm] Initialized xe 1.1.0 for 0000:65:00.0 on minor 1", "6,1,1,-;[drm] Initialized xe", "6,1,1,-;[drm] Initialized ", "6,1,1,-;[drm] Initialized xe 1.1.0", "6,1,1,-;[drm] Initialized xe 1.1.0 for ",
		"6,1,1,-;[drm] Initialized xe 1.1.0 for 0000:65:00.0", "6,1,1,-;[drm] Initialized xe 1.1.0 for virtual device on minor 1",
		"6,1,1,-;[drm] Initialized amdgpu 3.57.0 20150101 for amdgpu_xcp_1 on minor 1", "6,1,1,-;[drm] Initialized xexe 1.1.0 for 0000:65:00.0 on minor 1",
		"6,1,1,-;[drm] Initialized xe evil for 0000:65:00.0 on minor 1", "6,1,1,-;[drm] Initialized xe 1.1.0 1 2 for 0000:65:00.0 on minor 1",
		"6,1,1,-;[drm] Initialized xe 1.1.0 for 0000:65:20.0 on minor 1", "6,1,1,-;[drm] Initialized xe 1.1.0 for 65:00.0 on minor 1",
		"4,1,18446744073709551615,-;NVRM: loading NVIDIA UNIX x86_64 Kernel Module  535",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		assert_load(lines[i], "");
}

/* ---------------------------------------------------------------- a machine's log */

struct host {
	char dir[GS_TREE_DIR];
	struct gs_root *root;
	struct gs_kernel_log *log;
};

static int setup(void **state)
{
	struct host *h = calloc(1, sizeof(*h));
	struct gs_error e;

	gs_tree_new(h->dir);
	assert_int_equal(gs_root_open(GS_ROOT_SYSROOT, h->dir, &h->root, &e), 0);
	h->log = gs_kernel_log_new(h->root);
	gs_tree_put(h->dir, "proc/stat", "cpu  1 2 3\nintr 1 2 3\nbtime 1763000000\nprocesses 1\n");
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	struct host *h = *state;

	gs_kernel_log_free(h->log);
	gs_root_close(h->root);
	gs_tree_remove(h->dir);
	free(h);
	return 0;
}

/* "1763000005140 79, …" of one GPU, "-" when it has none, "?" when it is not known; the caller frees. */
static char *look(struct host *h)
{
	struct gs_snapshot *s = gs_snapshot_new();
	struct gs_bdf bdf;
	struct gs_gpu *gpu;
	char *text = calloc(1, 8192);
	size_t n = 0;

	assert_int_equal(gs_bdf_parse(GPU, &bdf), 0);
	gpu = gs_snapshot_add_gpu(s, bdf);
	assert_int_equal(gs_kernel_log_apply(h->log, s, &gpu, 1), 0);
	for (size_t i = 0; i < gpu->n_events; i++)
		n += (size_t)snprintf(text + n, 8192 - n, "%s%lld %u", i ? ", " : "", gpu->events[i]->time_ms.known ? (long long)gpu->events[i]->time_ms.value : -1,
				      gpu->events[i]->xid.value);
	if (!gpu->n_events)
		snprintf(text, 8192, "%s", gpu->events_visible ? "-" : "?");
	gs_snapshot_unref(s);
	return text;
}

static void assert_look(struct host *h, const char *wanted)
{
	char *text = look(h);

	assert_string_equal(text, wanted);
	free(text);
}

static void not_to_be_read_is_not_none(void **state)
{
	struct host *h = *state;

	assert_look(h, "?");
	gs_tree_put(h->dir, "dev/kmsg", "");
	assert_look(h, "-");
	/* not a file, and a way out of the tree */
	gs_tree_put(h->dir, "dev/other", "3,1,1,-;" XID79 "\n");
	{
		char path[128];

		snprintf(path, sizeof(path), "%s/dev/kmsg", h->dir);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(mkfifo(path, 0644), 0);
		assert_look(h, "?");
		assert_int_equal(unlink(path), 0);
	}
	gs_tree_link(h->dir, "dev/kmsg", "other");
	assert_look(h, "?");
}

static void records_go_to_their_gpu_with_their_time(void **state)
{
	struct host *h = *state;

	gs_tree_put(h->dir, "dev/kmsg",
		    "5,0,0,-;Linux version 6.8\n"
		    "3,7,5140900,-;NVRM: Xid (PCI:0000:65:00): 31, pid=1\n SUBSYSTEM=pci\n DEVICE=+pci:0000:65:00.0\n"
		    "3,8,6000000,-;NVRM: Xid (PCI:0000:66:00): 48, pid=1\n"
		    "3,9,7000000,-;NVRM: Xid (PCI:0000:65:00): 79, x");
	assert_look(h, "1763000005140 31, 1763000007000 79");
	/* the same once more, then more of it, then the log of another boot */
	assert_look(h, "1763000005140 31, 1763000007000 79");
	gs_tree_put(h->dir, "dev/kmsg", "3,1,1000000,-;NVRM: Xid (PCI:0000:65:00): 13, x\n");
	assert_look(h, "1763000001000 13");
}

/* When the driver of the GPU at 65:00 was loaded; -1: not known. */
static long long loaded(struct host *h, const char *driver)
{
	struct gs_snapshot *s = gs_snapshot_new();
	struct gs_bdf bdf;
	struct gs_gpu *gpu;
	long long ms;

	assert_int_equal(gs_bdf_parse(GPU, &bdf), 0);
	gpu = gs_snapshot_add_gpu(s, bdf);
	gpu->driver = driver;
	assert_int_equal(gs_kernel_log_apply(h->log, s, &gpu, 1), 0);
	assert_int_equal(gpu->n_events, 0);
	ms = gpu->driver_loaded_ms.known ? (long long)gpu->driver_loaded_ms.value : -1;
	gs_snapshot_unref(s);
	return ms;
}

static void the_last_load_of_its_own_driver_counts(void **state)
{
	struct host *h = *state;
	char *text = malloc(1 << 20);
	size_t n = 0;

	assert_int_equal(loaded(h, "nvidia"), -1);
	gs_tree_put(h->dir, "dev/kmsg", "5,0,0,-;Linux version 6.8\n");
	assert_int_equal(loaded(h, "nvidia"), -1);
	gs_tree_put(h->dir, "dev/kmsg",
		    "4,1,5000000,-;NVRM: loading NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu\n"
		    "6,2,6000000,-;[drm] Initialized xe 1.1.0 for 0000:65:00.0 on minor 1\n"
		    "6,3,7000000,-;[drm] Initialized xe 1.1.0 for 0000:66:00.0 on minor 2\n"
		    "4,4,9000000,-;NVRM: loading NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu\n");
	assert_int_equal(loaded(h, "nvidia"), 1763000009000);
	assert_int_equal(loaded(h, "xe"), 1763000006000);
	/* of a driver that has not got it, and of none */
	assert_int_equal(loaded(h, "vfio-pci"), -1);
	assert_int_equal(loaded(h, "amdgpu"), -1);
	assert_int_equal(loaded(h, NULL), -1);
	/* the log of another boot */
	gs_tree_put(h->dir, "dev/kmsg", "4,1,1000000,-;NVRM: loading NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu\n");
	assert_int_equal(loaded(h, "nvidia"), 1763000001000);
	assert_int_equal(loaded(h, "xe"), -1);
	/* more devices than anybody has: what came first goes, and what came last stays */
	for (unsigned i = 0; i < 4000; i++)
		n += (size_t)snprintf(text + n, (1 << 20) - n, "6,%u,%u000,-;[drm] Initialized xe 1.1.0 for %04x:00:00.0 on minor 1\n", i, i, i + 1);
	n += (size_t)snprintf(text + n, (1 << 20) - n, "6,1,8000,-;[drm] Initialized xe 1.1.0 for 0000:65:00.0 on minor 1\n");
	gs_tree_put(h->dir, "dev/kmsg", text);
	assert_int_equal(loaded(h, "xe"), 1763000000008);
	free(text);
	gs_tree_put(h->dir, "proc/stat", "cpu 1\n");
	gs_tree_put(h->dir, "dev/kmsg", "4,1,1000000,-;NVRM: loading NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu\n");
	assert_int_equal(loaded(h, "nvidia"), -1);
}

static void the_last_ones_are_kept(void **state)
{
	struct host *h = *state;
	char *text = malloc(1 << 20), wanted[512] = "";
	size_t n = 0, k = 0;

	for (unsigned i = 0; i < 3000; i++)
		n += (size_t)snprintf(text + n, (1 << 20) - n, "3,%u,%u000,-;NVRM: Xid (PCI:0000:%02x:00): %u, x\n", i, i, 0x65 + i % 2, i);
	gs_tree_put(h->dir, "dev/kmsg", text);
	for (unsigned i = 2984; i < 3000; i += 2)
		k += (size_t)snprintf(wanted + k, sizeof(wanted) - k, "%s%llu %u", k ? ", " : "", 1763000000000ull + i, i);
	assert_look(h, wanted);
	/* more GPUs than anybody has: the oldest of all go, and this one was */
	n = (size_t)snprintf(text, 1 << 20, "3,1,1,-;NVRM: Xid (PCI:0000:65:00): 1, x\n");
	for (unsigned i = 0; i < 4000; i++)
		n += (size_t)snprintf(text + n, (1 << 20) - n, "3,%u,1,-;NVRM: Xid (PCI:%04x:00:00): 2, x\n", i, i + 1);
	gs_tree_put(h->dir, "dev/kmsg", text);
	assert_look(h, "-");
	free(text);
}

static void hostile_logs(void **state)
{
	struct host *h = *state;
	size_t room = 9u << 20;
	char *text = malloc(room);
	static const char tail[] = "\n3,9,1000,-;NVRM: Xid (PCI:0000:65:00): 79, x\n";

	/* one line without an end, longer than what is read of a file; what is behind it is told all the same */
	memset(text, 'x', room);
	memcpy(text, "3,1,1,-;NVRM: Xid (PCI:0000:65:00): 13, ", 40);
	memcpy(text + room - sizeof(tail) + 1, tail, sizeof(tail) - 1);
	gs_tree_put_bytes(h->dir, "dev/kmsg", text, room);
	assert_look(h, "1763000000001 79");
	memset(text, 0, room);
	gs_tree_put_bytes(h->dir, "dev/kmsg", text, room);
	assert_look(h, "-");
	free(text);
}

static void without_a_clock_the_time_is_unknown(void **state)
{
	struct host *h = *state;

	gs_tree_put(h->dir, "proc/stat", "cpu 1\nbtime 99999999999999999999\n");
	gs_tree_put(h->dir, "dev/kmsg", "3,1,1000000,-;NVRM: Xid (PCI:0000:65:00): 13, x\n");
	assert_look(h, "-1 13");
}

static void labels(void **state)
{
	struct gs_gpu_event ev = { GS_GPU_EVENT_XID, GS_I64(1763000005140), GS_U32(79), "Xid (PCI:0000:65:00): 79" };
	char text[256];

	(void)state;
	assert_string_equal(gs_gpu_event_label(&ev, text, sizeof(text)), "2025-11-13 02:13:25 UTC  Xid (PCI:0000:65:00): 79");
	ev.text = NULL;
	assert_string_equal(gs_gpu_event_label(&ev, text, sizeof(text)), "2025-11-13 02:13:25 UTC  Xid 79");
	ev = (struct gs_gpu_event){ .kind = GS_GPU_EVENT_LOST };
	assert_string_equal(gs_gpu_event_label(&ev, text, sizeof(text)), "at an unknown time  lost");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		cmocka_unit_test(each_driver_says_it_its_own_way),
		cmocka_unit_test(what_only_looks_like_one),
		cmocka_unit_test(hostile_text_is_made_harmless),
		cmocka_unit_test(a_driver_that_is_loaded_says_so),
		cmocka_unit_test(what_only_looks_like_a_load),
		TEST(not_to_be_read_is_not_none),
		TEST(records_go_to_their_gpu_with_their_time),
		TEST(the_last_load_of_its_own_driver_counts),
		TEST(the_last_ones_are_kept),
		TEST(hostile_logs),
		TEST(without_a_clock_the_time_is_unknown),
		cmocka_unit_test(labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
