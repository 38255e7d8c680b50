/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who uses a GPU: /proc as hostile processes write it, device nodes, and what is put into a snapshot. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/cgroup.h"
#include "backend/fdscan.h"
#include "backend/holders.h"
#include "backend/proc.h"
#include "base/file.h"
#include "codec/snapshot_json.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/tree.h"

#define TAIL "S 1 4711 4711 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2 3\n"

static void stat_with_a_hostile_name(void **state)
{
	static const char *const names[] = { "python3", "a b", ") R 1 1 (", "((((", "))))", "", "x\ny", "a) S 9 9 9" };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(names); i++) {
		char text[256], comm[GS_PROC_COMM];
		uint64_t start_time = 0;

		snprintf(text, sizeof(text), "4711 (%s) " TAIL, names[i]);
		assert_int_equal(gs_proc_parse_stat(text, comm, &start_time), 0);
		assert_string_equal(comm, names[i]);
		assert_int_equal(start_time, 987654);
	}
}

static void stat_that_is_none(void **state)
{
	static const char *const texts[] = {
		"", "4711", "4711 (x", ") (", "1 (x)", "1 (x) S", "1 (x) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18",
		"1 (x) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 -5", "1 (x) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 99999999999999999999999999",
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(texts); i++) {
		uint64_t start_time = 42;

		assert_true(gs_proc_parse_stat(texts[i], NULL, &start_time) < 0);
		assert_int_equal(start_time, 42);
	}
}

static void unit_is_the_first_that_is_no_slice(void **state)
{
	static const struct {
		const char *text, *unit;
	} rows[] = {
		{ "0::/system.slice/nvidia-dcgm.service\n", "nvidia-dcgm.service" },
		{ "0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.service\n", "user@1000.service" },
		{ "0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope" },
		{ "12:cpu:/x\n1:name=systemd:/system.slice/a.service\n0::/\n", "a.service" },
		{ "0::/kubepods.slice/pod.slice/cri-containerd-12.scope\n", "cri-containerd-12.scope" },
		{ "0::/\n", NULL }, { "", NULL }, { "0::/.service\n", NULL }, { "0::garbage", NULL },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(rows); i++) {
		struct gs_cgroup cgroup;

		gs_cgroup_parse(rows[i].text, &cgroup);
		assert_string_equal(cgroup.unit, rows[i].unit ? rows[i].unit : "");
	}
}

static void links_are_read_exactly(void **state)
{
	static const struct {
		const char *target;
		enum gs_node node;
		uint32_t number;
	} rows[] = {
		{ "/dev/nvidia3", GS_NODE_GPU, 3 }, { "/dev/nvidia12 (deleted)", GS_NODE_GPU, 12 },
		{ "/dev/nvidia-caps/nvidia-cap30", GS_NODE_CAPABILITY, 30 }, { "/dev/nvidiactl", GS_NODE_OTHER, 0 },
		{ "/dev/nvidia-uvm", GS_NODE_OTHER, 0 }, { "/dev/nvidia3x", GS_NODE_OTHER, 0 }, { "/tmp/dev/nvidia3", GS_NODE_OTHER, 0 },
		{ "/dev/vfio/38", GS_NODE_VFIO_GROUP, 38 }, { "/dev/vfio/noiommu-2", GS_NODE_VFIO_GROUP, 2 }, { "/dev/vfio/vfio", GS_NODE_OTHER, 0 },
		{ "/dev/vfio/devices/vfio7", GS_NODE_VFIO_DEVICE, 7 }, { "/dev/vfio/devices/7", GS_NODE_OTHER, 0 }, { "/dev/iommu", GS_NODE_OTHER, 0 },
		{ "anon_inode:[vfio-device]", GS_NODE_OTHER, 0 }, { "/dev/dri/card1", GS_NODE_DRM_CARD, 1 }, { "/dev/dri/renderD128", GS_NODE_DRM_RENDER, 128 },
		{ "/dev/dri/by-path/x", GS_NODE_OTHER, 0 }, { "/dev/kfd", GS_NODE_KFD, 0 }, { "/dev/kfd (deleted)", GS_NODE_KFD, 0 }, { "/dev/kfdx", GS_NODE_OTHER, 0 },
		{ "/dev/nvidia", GS_NODE_OTHER, 0 }, { "/dev/nvidia99999999999", GS_NODE_OTHER, 0 }, { "/dev/nvidia3 (gone)", GS_NODE_OTHER, 0 },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(rows); i++) {
		uint32_t number = 0;

		assert_int_equal(gs_node_parse(rows[i].target, &number), rows[i].node);
		assert_int_equal(number, rows[i].number);
	}
}

static void capabilities_by_formula_and_by_table(void **state)
{
	static const char table[] = "config 1\nmonitor 2\ngpu0/gi0/access 3\ngpu0/gi0/ci0/access 4\ngpu2/gi5/ci1/access 77\n";
	uint32_t gpu = 9, gi = 9;

	(void)state;
	assert_false(gs_holders_capability(NULL, 1, &gpu, &gi));
	assert_false(gs_holders_capability(NULL, 2, &gpu, &gi));
	assert_true(gs_holders_capability(NULL, 3 + 2 * 135 + 5 * 9 + 1, &gpu, &gi));
	assert_int_equal(gpu, 2);
	assert_int_equal(gi, 5);
	assert_true(gs_holders_capability(table, 77, &gpu, &gi));
	assert_int_equal(gpu, 2);
	assert_int_equal(gi, 5);
	assert_true(gs_holders_capability(table, 4, &gpu, &gi));
	assert_int_equal(gpu, 0);
	assert_int_equal(gi, 0);
	assert_false(gs_holders_capability(table, 7, &gpu, &gi));
}

static void our_collectors_are_known_by_name_and_words(void **state)
{
	static const char ours[] = "gpuslice\0agent\0--role=collector\0--sim\0x";
	static const char other[] = "gpuslice\0agent\0--role=agent";

	(void)state;
	assert_true(gs_proc_is_collector("gpuslice", ours, sizeof(ours)));
	assert_false(gs_proc_is_collector("gpuslice", other, sizeof(other)));
	assert_false(gs_proc_is_collector("python3", ours, sizeof(ours)));
	assert_false(gs_proc_is_collector("gpuslice", "agent --role=collector", 22));
	assert_false(gs_proc_is_collector("gpuslice", "", 0));
}

/* ---- a recorded tree with two processes ---- */

static void make_processes(const char *dir)
{
	gs_tree_put(dir, "etc/passwd", "root:x:0:0::/root:/bin/sh\nnobody\n:::\nalice:x:1000:1000:A:/home/alice:/bin/sh\n");
	gs_tree_put(dir, "proc/4711/stat", "4711 (py) (3) " TAIL);
	gs_tree_put(dir, "proc/4711/status", "Name:\tx\nUid:\t1000\t1000\t1000\t1000\n");
	gs_tree_put(dir, "proc/4711/cgroup", "0::/system.slice/job.service\n");
	gs_tree_link(dir, "proc/4711/fd/0", "/dev/null");
	gs_tree_link(dir, "proc/4711/fd/4", "/dev/nvidia3");
	gs_tree_link(dir, "proc/4711/fd/5", "/dev/nvidia3");
	/* 3 + 3*135 + 2*9: GI 2 of the GPU with minor 3 */
	gs_tree_link(dir, "proc/4711/fd/6", "/dev/nvidia-caps/nvidia-cap426");
	gs_tree_put(dir, "proc/99/stat", "99 (nvidia-persiste) " TAIL);
	gs_tree_put(dir, "proc/99/status", "Uid:\t77\n");
	gs_tree_link(dir, "proc/99/fd/3", "/dev/nvidia3");
	gs_tree_put(dir, "proc/self/stat", "nonsense");
}

static void holders_are_put_where_they_belong(void **state)
{
	char dir[] = "/tmp/gpuslice-test-XXXXXX";
	GS_CLEANUP(gs_root_closep) struct gs_root *root = NULL;
	GS_CLEANUP(gs_holders_freep) struct gs_holders *h = NULL;
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_snapshot_new();
	struct gs_instance *inst;
	struct gs_gpu *gpu;

	(void)state;
	assert_non_null(mkdtemp(dir));
	make_processes(dir);
	assert_int_equal(gs_root_open(GS_ROOT_SYSROOT, dir, &root, NULL), 0);
	h = gs_holders_new(root);
	gpu = gs_snapshot_add_gpu(s, (struct gs_bdf){ 0, 1, 0, 0 });
	gpu->vendor = GS_VENDOR_NVIDIA;
	inst = gs_gpu_add_instance(s, gpu);
	inst->kind = GS_KIND_MIG;
	inst->id = 2;
	gs_holders_begin(h);
	assert_int_equal(gs_holders_add_gpu(h, gpu, GS_U32(3)), 0);
	assert_int_equal(gs_holders_add_nvml(h, gpu, 4711, GS_U32(2), GS_U64_UNKNOWN), 0);
	assert_int_equal(gs_holders_scan(h, true), 0);
	assert_int_equal(gs_holders_finish(h, s), 0);

	assert_int_equal(inst->n_holders, 1);
	assert_int_equal(inst->holders[0]->pid.value, 4711);
	assert_string_equal(inst->holders[0]->name, "py) (3");
	assert_string_equal(inst->holders[0]->user, "alice");
	assert_string_equal(inst->holders[0]->unit, "job.service");
	assert_int_equal(inst->holders[0]->start_time.value, 987654);
	assert_non_null(strstr(inst->holders[0]->evidence, "nvml"));
	assert_non_null(strstr(inst->holders[0]->evidence, "nvidia-cap426"));
	/* known to be in the instance, so not repeated at the GPU; the daemon is there */
	assert_int_equal(gpu->n_holders, 1);
	assert_int_equal(gpu->holders[0]->pid.value, 99);
	assert_null(gpu->holders[0]->user);
	assert_string_equal(gpu->holders[0]->evidence, "fd /dev/nvidia3");
	assert_true(gpu->holders_visible);
	assert_int_equal(gs_snapshot_seal(s, NULL), 0);
	gs_tree_remove(dir);
}

static void nvml_process_that_cannot_be_seen_is_kept_and_said(void **state)
{
	char dir[] = "/tmp/gpuslice-test-XXXXXX";
	GS_CLEANUP(gs_root_closep) struct gs_root *root = NULL;
	GS_CLEANUP(gs_holders_freep) struct gs_holders *h = NULL;
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_snapshot_new();
	struct gs_gpu *gpu = gs_snapshot_add_gpu(s, (struct gs_bdf){ 0, 1, 0, 0 });

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(gs_root_open(GS_ROOT_SYSROOT, dir, &root, NULL), 0);
	h = gs_holders_new(root);
	gs_holders_begin(h);
	assert_int_equal(gs_holders_add_gpu(h, gpu, GS_U32_UNKNOWN), 0);
	assert_int_equal(gs_holders_add_nvml(h, gpu, 31337, GS_U32_UNKNOWN, GS_U64(5)), 0);
	assert_int_equal(gs_holders_scan(h, true), 0);
	assert_int_equal(gs_holders_finish(h, s), 0);
	assert_int_equal(gpu->n_holders, 1);
	assert_false(gpu->holders_visible);
	assert_false(gpu->holders[0]->start_time.known);
	gs_tree_remove(dir);
}

/* ---- what cannot be told is never «free» ---- */

struct place {
	char dir[32];
	struct gs_root *root;
	struct gs_holders *h;
	struct gs_snapshot *s;
	struct gs_gpu *gpu;
};

static int lowest_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close(fd);
	return fd;
}

static void open_place(struct place *p)
{
	snprintf(p->dir, sizeof(p->dir), "/tmp/gpuslice-test-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	make_processes(p->dir);
	assert_int_equal(gs_root_open(GS_ROOT_SYSROOT, p->dir, &p->root, NULL), 0);
	p->h = gs_holders_new(p->root);
	p->s = gs_snapshot_new();
	p->gpu = gs_snapshot_add_gpu(p->s, (struct gs_bdf){ 0, 1, 0, 0 });
	gs_holders_begin(p->h);
	assert_int_equal(gs_holders_add_gpu(p->h, p->gpu, GS_U32(3)), 0);
}

static void close_place(struct place *p)
{
	gs_snapshot_unref(p->s);
	gs_holders_free(p->h);
	gs_root_close(p->root);
	gs_tree_remove(p->dir);
}

static void a_gpu_that_is_hidden_stays_so_for_the_round(void **state)
{
	struct place p;

	(void)state;
	open_place(&p);
	gs_holders_hide(p.h, p.gpu);
	assert_int_equal(gs_holders_scan(p.h, true), 0);
	assert_int_equal(gs_holders_finish(p.h, p.s), 0);
	assert_int_equal(p.gpu->n_holders, 2);
	assert_false(p.gpu->holders_visible);
	close_place(&p);
	open_place(&p);
	assert_int_equal(gs_holders_scan(p.h, true), 0);
	assert_int_equal(gs_holders_finish(p.h, p.s), 0);
	assert_true(p.gpu->holders_visible);
	close_place(&p);
}

static void a_process_that_cannot_be_looked_into_hides(void **state)
{
	struct rlimit saved, few;
	struct place p;

	(void)state;
	/* its fd directory is none */
	open_place(&p);
	gs_tree_put(p.dir, "proc/5000/fd", "x");
	assert_int_equal(gs_holders_scan(p.h, true), 0);
	assert_int_equal(gs_holders_finish(p.h, p.s), 0);
	assert_false(p.gpu->holders_visible);
	close_place(&p);
	/* one that has gone hides nothing */
	open_place(&p);
	gs_tree_put(p.dir, "proc/5000/stat", "x");
	assert_int_equal(gs_holders_scan(p.h, true), 0);
	assert_int_equal(gs_holders_finish(p.h, p.s), 0);
	assert_true(p.gpu->holders_visible);
	close_place(&p);
	/* we have no descriptors left */
	open_place(&p);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
	few = saved;
	few.rlim_cur = (rlim_t)lowest_fd() + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(gs_holders_scan(p.h, true), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
	assert_int_equal(gs_holders_finish(p.h, p.s), 0);
	assert_false(p.gpu->holders_visible);
	close_place(&p);
}

static void more_than_is_kept_is_cut_hidden_and_said(void **state)
{
	struct place p;

	(void)state;
	open_place(&p);
	for (uint32_t pid = 10000; pid < 15000; pid++)
		assert_int_equal(gs_holders_add_nvml(p.h, p.gpu, pid, GS_U32_UNKNOWN, GS_U64_UNKNOWN), 0);
	assert_int_equal(gs_holders_finish(p.h, p.s), 0);
	/* as many as a reader of the snapshot takes */
	assert_int_equal(p.gpu->n_holders, GS_SNAPSHOT_HOLDERS_MAX);
	assert_false(p.gpu->holders_visible);
	assert_int_equal(gs_snapshot_n_notices(p.s), 1);
	close_place(&p);
	open_place(&p);
	for (uint32_t pid = 10000; pid < 20000; pid++)
		assert_int_equal(gs_holders_add_nvml(p.h, p.gpu, pid, GS_U32_UNKNOWN, GS_U64_UNKNOWN), 0);
	assert_int_equal(gs_holders_finish(p.h, p.s), 0);
	assert_false(p.gpu->holders_visible);
	close_place(&p);
	open_place(&p);
	assert_int_equal(gs_holders_add_nvml(p.h, p.gpu, UINT32_MAX, GS_U32_UNKNOWN, GS_U64_UNKNOWN), 0);
	assert_int_equal(gs_holders_finish(p.h, p.s), 0);
	assert_int_equal(p.gpu->n_holders, 0);
	assert_false(p.gpu->holders_visible);
	close_place(&p);
}

static void a_process_whose_stat_is_nonsense_is_still_a_holder(void **state)
{
	struct place p;

	(void)state;
	open_place(&p);
	gs_tree_put(p.dir, "proc/99/stat", "nonsense");
	assert_int_equal(gs_holders_scan(p.h, true), 0);
	assert_int_equal(gs_holders_finish(p.h, p.s), 0);
	assert_int_equal(p.gpu->n_holders, 2);
	assert_false(p.gpu->holders_visible);
	close_place(&p);
}

/* Name and words are the process's own; a process of a recorded or simulated tree is never one of ours. */
static void who_only_says_to_be_ours_does_not_yield(void **state)
{
	GS_CLEANUP(gs_root_closep) struct gs_root *host = NULL;
	struct place p;
	char path[512];
	int to_child[2];
	pid_t pid;

	(void)state;
	open_place(&p);
	gs_tree_put(p.dir, "proc/99/stat", "99 (gpuslice) " TAIL);
	snprintf(path, sizeof(path), "%s/proc/99/cmdline", p.dir);
	assert_int_equal(gs_file_replace(path, "gpuslice\0agent\0--role=collector", 32, 0644, NULL), 0);
	assert_int_equal(gs_holders_scan(p.h, true), 0);
	assert_int_equal(gs_holders_finish(p.h, p.s), 0);
	for (size_t i = 0; i < p.gpu->n_holders; i++)
		assert_false(p.gpu->holders[i]->yields);
	assert_false(gs_proc_is_own_program(p.root, 99));
	close_place(&p);

	assert_int_equal(gs_root_open(GS_ROOT_LIVE, NULL, &host, NULL), 0);
	assert_true(gs_proc_is_own_program(host, (uint32_t)getpid()));
	assert_int_equal(pipe(to_child), 0);
	pid = fork();
	if (pid == 0) {
		dup2(to_child[0], STDIN_FILENO);
		close(to_child[1]);
		execlp("cat", "gpuslice", "-", NULL);
		_exit(1);
	}
	close(to_child[0]);
	for (int i = 0; i < 500 && gs_proc_is_own_program(host, (uint32_t)pid); i++)
		usleep(10000);
	assert_false(gs_proc_is_own_program(host, (uint32_t)pid));
	close(to_child[1]);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stat_with_a_hostile_name),
		cmocka_unit_test(stat_that_is_none),
		cmocka_unit_test(unit_is_the_first_that_is_no_slice),
		cmocka_unit_test(links_are_read_exactly),
		cmocka_unit_test(capabilities_by_formula_and_by_table),
		cmocka_unit_test(our_collectors_are_known_by_name_and_words),
		cmocka_unit_test(holders_are_put_where_they_belong),
		cmocka_unit_test(nvml_process_that_cannot_be_seen_is_kept_and_said),
		cmocka_unit_test(a_gpu_that_is_hidden_stays_so_for_the_round),
		cmocka_unit_test(a_process_that_cannot_be_looked_into_hides),
		cmocka_unit_test(more_than_is_kept_is_cut_hidden_and_said),
		cmocka_unit_test(a_process_whose_stat_is_nonsense_is_still_a_holder),
		cmocka_unit_test(who_only_says_to_be_ours_does_not_yield),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
