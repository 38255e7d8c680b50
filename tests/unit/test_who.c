/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Would this holder stand in the way? One row for each kind of holder, place and operation. */
#include <stdio.h>
#include <string.h>

#include "core/who.h"
#include "tests/lib/cmocka.h"

#define ELSEWHERE ((struct gs_who_place){ NULL, NULL })

struct machine {
	struct gs_snapshot *s;
	struct gs_gpu *gpu;
	struct gs_instance *inst;
	struct gs_vf *vf;
	struct gs_arena *arena;
};

static void make(struct machine *m)
{
	m->s = gs_snapshot_new();
	m->arena = gs_arena_new();
	m->gpu = gs_snapshot_add_gpu(m->s, (struct gs_bdf){ 0, 1, 0, 0 });
	m->gpu->vendor = GS_VENDOR_NVIDIA;
	m->gpu->mode = GS_MODE_WHOLE;
	m->gpu->vfs.by = GS_VFS_BY_SRIOV_MANAGE;
	m->gpu->holders_visible = true;
	m->inst = gs_gpu_add_instance(m->s, m->gpu);
	m->inst->kind = GS_KIND_MIG;
	m->vf = gs_gpu_add_vf(m->s, m->gpu);
}

static void drop(struct machine *m)
{
	gs_arena_free(m->arena);
	gs_snapshot_unref(m->s);
}

/* "yes no maybe claim" in the order of GS_WHO_OPS */
static void assert_verdicts(const struct machine *m, const struct gs_holder *h, struct gs_who_place place, const char *wanted)
{
	char said[128] = "";

	for (int op = 0; op < GS_WHO_OP_MAX; op++) {
		const char *reason = NULL;
		enum gs_who_verdict v = gs_who_judge(m->gpu, h, place, (enum gs_who_op)op, &reason);
		size_t n = strlen(said);

		snprintf(said + n, sizeof(said) - n, "%s%s", n ? " " : "", gs_who_verdict_name(v));
		assert_non_null(reason);
		assert_true(reason[0] && reason[strlen(reason) - 1] != '.');
		assert_int_equal(gs_who_judge(m->gpu, h, place, (enum gs_who_op)op, NULL), v);
	}
	assert_string_equal(said, wanted);
}

static void words_are_read_as_they_are_written(void **state)
{
	(void)state;
	for (int i = 0; i < GS_WHO_OP_MAX; i++)
		assert_int_equal(gs_who_op_from_name(gs_who_op_name((enum gs_who_op)i)), i);
	for (int i = 0; i < GS_WHO_VERDICT_MAX; i++)
		assert_int_equal(gs_who_verdict_from_name(gs_who_verdict_name((enum gs_who_verdict)i)), i);
	assert_int_equal(gs_who_op_from_name("reset"), GS_WHO_OP_INVALID);
	assert_int_equal(gs_who_verdict_from_name(""), GS_WHO_VERDICT_INVALID);
	assert_null(gs_who_op_name(GS_WHO_OP_INVALID));
	assert_null(gs_who_verdict_name(GS_WHO_VERDICT_MAX));
}

static void a_process_is_in_the_way_of_what_touches_it(void **state)
{
	struct gs_holder h = { .kind = GS_HOLDER_PROCESS, .pid = GS_U32(4711), .name = "python3" };
	struct machine m;

	(void)state;
	make(&m);
	assert_verdicts(&m, &h, ELSEWHERE, "yes no yes yes");
	assert_verdicts(&m, &h, (struct gs_who_place){ m.inst, NULL }, "yes yes yes yes");
	assert_verdicts(&m, &h, (struct gs_who_place){ NULL, m.vf }, "yes yes yes yes");
	/* where the count of VFs is a plain number, nothing is unbound for it */
	m.gpu->vfs.by = GS_VFS_BY_NUMVFS;
	assert_verdicts(&m, &h, ELSEWHERE, "yes no maybe yes");
	h.kind = GS_HOLDER_CONTAINER;
	assert_verdicts(&m, &h, ELSEWHERE, "yes no maybe yes");
	drop(&m);
}

static void our_own_yield_wherever_they_are(void **state)
{
	struct gs_holder h = { .kind = GS_HOLDER_PROCESS, .pid = GS_U32(1), .name = "gpuslice", .yields = true };
	struct machine m;

	(void)state;
	make(&m);
	assert_verdicts(&m, &h, ELSEWHERE, "yields yields yields yields");
	assert_verdicts(&m, &h, (struct gs_who_place){ m.inst, NULL }, "yields yields yields yields");
	drop(&m);
}

static void persistenced_may_let_a_mode_change_but_no_unbind(void **state)
{
	struct gs_holder h = { .kind = GS_HOLDER_PROCESS, .uid = GS_U32(0), .name = "nvidia-persiste", .unit = "nvidia-persistenced.service" };
	struct machine m;

	(void)state;
	make(&m);
	assert_verdicts(&m, &h, ELSEWHERE, "maybe no yes yes");
	/* a name is whatever a process calls itself */
	h.uid = GS_U32(1000);
	assert_verdicts(&m, &h, ELSEWHERE, "yes no yes yes");
	h.uid = GS_U32(0);
	h.unit = "evil.service";
	assert_verdicts(&m, &h, ELSEWHERE, "yes no yes yes");
	drop(&m);
}

static void a_machine_holds_its_vf_and_its_gpu(void **state)
{
	struct gs_holder h = { .kind = GS_HOLDER_VM, .pid = GS_U32(9), .name = "lab03" };
	struct machine m;

	(void)state;
	make(&m);
	assert_verdicts(&m, &h, (struct gs_who_place){ NULL, m.vf }, "yes yes yes yes");
	assert_verdicts(&m, &h, (struct gs_who_place){ m.inst, NULL }, "yes yes yes yes");
	m.gpu->mode = GS_MODE_PASSTHROUGH;
	assert_verdicts(&m, &h, ELSEWHERE, "yes yes yes yes");
	drop(&m);
}

static void modules_hold_where_an_unbind_would_hang(void **state)
{
	struct gs_holder drm = { .kind = GS_HOLDER_MODULE, .name = "nvidia_drm" }, uvm = { .kind = GS_HOLDER_MODULE, .name = "nvidia_uvm" };
	struct gs_holder peermem = { .kind = GS_HOLDER_MODULE, .name = "nvidia_peermem" }, sound = { .kind = GS_HOLDER_MODULE, .name = "snd_hda_intel" };
	struct machine m;

	(void)state;
	make(&m);
	assert_verdicts(&m, &drm, ELSEWHERE, "no no yes yes");
	/* users of UVM that are on other GPUs */
	assert_verdicts(&m, &uvm, ELSEWHERE, "no no maybe maybe");
	assert_verdicts(&m, &peermem, ELSEWHERE, "no no maybe maybe");
	assert_verdicts(&m, &sound, ELSEWHERE, "no no no maybe");
	/* those on this GPU have it open themselves */
	gs_gpu_add_holder(m.s, m.gpu)->kind = GS_HOLDER_PROCESS;
	assert_verdicts(&m, &uvm, ELSEWHERE, "no no maybe maybe");
	m.gpu->vfs.by = GS_VFS_BY_NUMVFS;
	assert_verdicts(&m, &drm, ELSEWHERE, "no no no yes");
	drop(&m);
}

static void compute_users_keep_amd_partitions(void **state)
{
	struct gs_holder h = { .kind = GS_HOLDER_PROCESS, .evidence = "fd /dev/dri/renderD128, fd /dev/kfd" };
	struct machine m;

	(void)state;
	make(&m);
	m.gpu->vendor = GS_VENDOR_AMD;
	m.gpu->vfs.by = GS_VFS_BY_NUMVFS;
	assert_verdicts(&m, &h, ELSEWHERE, "yes no maybe yes");
	h.evidence = "fd /dev/dri/card1";
	assert_verdicts(&m, &h, ELSEWHERE, "maybe no maybe yes");
	drop(&m);
}

static void a_claim_is_a_claim(void **state)
{
	struct gs_holder h = { .kind = GS_HOLDER_CLAIM, .name = "slurm job 42" };
	struct machine m;

	(void)state;
	make(&m);
	assert_verdicts(&m, &h, ELSEWHERE, "claim claim claim claim");
	assert_verdicts(&m, &h, (struct gs_who_place){ NULL, m.vf }, "claim claim claim claim");
	drop(&m);
}

static void nothing_is_deleted_on_a_vf_without_a_type(void **state)
{
	struct gs_holder claim = { .kind = GS_HOLDER_CLAIM, .name = "vm archive-viewer" };
	struct gs_who_place on_vf = { NULL, NULL };
	const char *reason = NULL;
	struct machine m;

	(void)state;
	make(&m);
	on_vf.vf = m.vf;
	assert_int_equal(gs_who_answer(m.gpu, &claim, on_vf, GS_WHO_OP_DELETE, &reason), GS_WHO_VERDICT_NO);
	assert_non_null(strstr(reason, "nothing to delete"));
	assert_int_equal(gs_who_answer(m.gpu, &claim, on_vf, GS_WHO_OP_VFS, NULL), GS_WHO_VERDICT_CLAIM);
	/* a plan that creates on it asks otherwise */
	assert_int_equal(gs_who_judge(m.gpu, &claim, on_vf, GS_WHO_OP_DELETE, NULL), GS_WHO_VERDICT_CLAIM);
	m.inst->vf = GS_U32(m.vf->n);
	assert_int_equal(gs_who_answer(m.gpu, &claim, on_vf, GS_WHO_OP_DELETE, NULL), GS_WHO_VERDICT_CLAIM);
	drop(&m);
}

static void without_mig_every_mode_takes_the_driver_off(void **state)
{
	struct gs_holder daemon = { .kind = GS_HOLDER_PROCESS, .uid = GS_U32(0), .name = "nvidia-persiste", .unit = "nvidia-persistenced.service" };
	struct gs_holder drm = { .kind = GS_HOLDER_MODULE, .name = "nvidia_drm" };
	struct machine m;

	(void)state;
	make(&m);
	m.gpu->modes = 1u << GS_MODE_WHOLE | 1u << GS_MODE_VGPU | 1u << GS_MODE_PASSTHROUGH;
	assert_verdicts(&m, &daemon, ELSEWHERE, "yes no yes yes");
	assert_verdicts(&m, &drm, ELSEWHERE, "yes no yes yes");
	m.gpu->modes |= 1u << GS_MODE_MIG;
	assert_verdicts(&m, &daemon, ELSEWHERE, "maybe no yes yes");
	assert_verdicts(&m, &drm, ELSEWHERE, "no no yes yes");
	drop(&m);
}

static struct gs_holder *add(struct gs_holder *h, enum gs_holder_kind kind, const char *name)
{
	h->kind = kind;
	h->name = name;
	return h;
}

static void the_list_has_everybody_and_the_gravest_first(void **state)
{
	struct gs_who_entry *entries;
	struct machine m;
	size_t n;

	(void)state;
	make(&m);
	add(gs_gpu_add_holder(m.s, m.gpu), GS_HOLDER_PROCESS, "open");
	add(gs_gpu_add_holder(m.s, m.gpu), GS_HOLDER_CLAIM, "note");
	add(gs_gpu_add_holder(m.s, m.gpu), GS_HOLDER_PROCESS, "gpuslice")->yields = true;
	add(gs_instance_add_holder(m.s, m.inst), GS_HOLDER_PROCESS, "inside");
	add(gs_vf_add_holder(m.s, m.vf), GS_HOLDER_VM, "lab");
	m.inst->vf = GS_U32(m.vf->n);
	m.gpu->holders_visible = false;
	assert_int_equal(gs_who_list(m.gpu, GS_WHO_OP_DELETE, m.arena, &entries, &n), 0);
	assert_int_equal(n, 6);
	assert_string_equal(entries[0].holder->name, "inside");
	assert_ptr_equal(entries[0].place.instance, m.inst);
	assert_string_equal(entries[1].holder->name, "lab");
	assert_ptr_equal(entries[1].place.vf, m.vf);
	assert_int_equal(entries[2].verdict, GS_WHO_VERDICT_CLAIM);
	assert_int_equal(entries[3].verdict, GS_WHO_VERDICT_HIDDEN);
	assert_null(entries[3].holder);
	assert_non_null(entries[3].reason);
	assert_int_equal(entries[4].verdict, GS_WHO_VERDICT_YIELDS);
	assert_int_equal(entries[5].verdict, GS_WHO_VERDICT_NO);
	assert_string_equal(entries[5].holder->name, "open");
	m.gpu->holders_visible = true;
	assert_int_equal(gs_who_list(m.gpu, GS_WHO_OP_MODE, m.arena, &entries, &n), 0);
	assert_int_equal(n, 5);
	assert_string_equal(entries[0].holder->name, "open");
	drop(&m);
}

static void nobody_is_an_empty_list(void **state)
{
	struct gs_who_entry *entries = NULL;
	struct machine m;
	size_t n = 7;

	(void)state;
	make(&m);
	assert_int_equal(gs_who_list(m.gpu, GS_WHO_OP_PASSTHROUGH, m.arena, &entries, &n), 0);
	assert_int_equal(n, 0);
	drop(&m);
}

static void services_are_told_from_people(void **state)
{
	static const char *const services[] = { "nvidia-dcgm.service", "dcgm-exporter.service", "job@1.service", "x.service" };
	static const char *const people[] = { "user@1000.service", "session-3.scope", "getty@tty1.service", "sshd.service", "sshd@3-10.0.0.1.service", "ssh.service",
					      "systemd-logind.service", "app.slice", ".service", "", "dcgm.service.d" };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(services); i++)
		assert_true(gs_unit_is_service(services[i]));
	for (size_t i = 0; i < GS_ARRAY_SIZE(people); i++)
		assert_false(gs_unit_is_service(people[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_read_as_they_are_written),
		cmocka_unit_test(a_process_is_in_the_way_of_what_touches_it),
		cmocka_unit_test(our_own_yield_wherever_they_are),
		cmocka_unit_test(persistenced_may_let_a_mode_change_but_no_unbind),
		cmocka_unit_test(a_machine_holds_its_vf_and_its_gpu),
		cmocka_unit_test(modules_hold_where_an_unbind_would_hang),
		cmocka_unit_test(compute_users_keep_amd_partitions),
		cmocka_unit_test(a_claim_is_a_claim),
		cmocka_unit_test(nothing_is_deleted_on_a_vf_without_a_type),
		cmocka_unit_test(without_mig_every_mode_takes_the_driver_off),
		cmocka_unit_test(the_list_has_everybody_and_the_gravest_first),
		cmocka_unit_test(nobody_is_an_empty_list),
		cmocka_unit_test(services_are_told_from_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
