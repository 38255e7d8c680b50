/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Slots, modes and VFs, settings, and the proof of each kind of step, on the machines of famhost.h. */
#include "tests/lib/cmocka.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "core/layout.h"
#include "core/placement.h"
#include "tests/lib/famhost.h"
#include "tests/lib/testhost.h"

#define SNAPSHOT GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot

static const struct gs_profile_set *slots_of(const struct gs_snapshot *s)
{
	return &gs_snapshot_gpu(s, 0)->grids[GS_KIND_VGPU];
}

static const struct gs_profile *type(const struct gs_profile_set *set, const char *name)
{
	const struct gs_profile *p = gs_profile_by_name(set, name);

	assert_non_null(p);
	return p;
}

/* ---------------------------------------------------------------- slots */

static void another_size_does_not_fit_beside_and_says_beside_what(void **state)
{
	SNAPSHOT *s = fam_snapshot("l40s vfs=32");
	const struct gs_profile_set *set = slots_of(s);
	const struct gs_placed placed[] = { { .profile = type(set, "L40S-12Q"), .start = 0 }, { .profile = type(set, "L40S-12A"), .start = 7 } };
	struct gs_misfit_info info;

	(void)state;
	assert_int_equal(gs_placement_check(set, placed, 2, type(set, "L40S-24Q"), 3, &info), GS_MISFIT_SIZE);
	assert_int_equal(info.n_blockers, 2);
	assert_int_equal(info.blockers[1], 1);
	/* the size, not the type */
	assert_int_equal(gs_placement_check(set, placed, 2, type(set, "L40S-12A"), 3, &info), GS_FITS);
	/* what is taken is said before the size */
	assert_int_equal(gs_placement_check(set, placed, 2, type(set, "L40S-24Q"), 7, &info), GS_MISFIT_OVERLAP);
	assert_int_equal(info.blockers[0], 1);
	assert_int_equal(info.units, 1u << 7);
}

static void in_mixed_mode_sizes_lie_beside_each_other(void **state)
{
	SNAPSHOT *s = fam_snapshot("l40s vfs=32");
	struct gs_profile_set set = *slots_of(s);
	const struct gs_placed placed[] = { { .profile = type(&set, "L40S-12Q"), .start = 0 } };

	(void)state;
	set.has_one_size = false;
	assert_int_equal(gs_placement_check(&set, placed, 1, type(&set, "L40S-24Q"), 3, NULL), GS_FITS);
}

static void equal_sizes_share_one_maximum(void **state)
{
	SNAPSHOT *s = fam_snapshot("l40s vfs=32");
	const struct gs_profile_set *set = slots_of(s);
	const struct gs_profile *q = type(set, "L40S-12Q"), *a = type(set, "L40S-12A");
	const struct gs_placed placed[] = { { .profile = q, .start = 0 }, { .profile = a, .start = 1 }, { .profile = q, .start = 2 }, { .profile = a, .start = 3 } };

	(void)state;
	assert_int_equal(gs_placement_check(set, placed, 3, a, 9, NULL), GS_FITS);
	assert_int_equal(gs_placement_check(set, placed, 4, a, 9, NULL), GS_MISFIT_COUNT);
	assert_int_equal(gs_placement_capacity(set, placed, 1, q), 3);
	assert_int_equal(gs_placement_capacity(set, placed, 4, q), 0);
	assert_int_equal(gs_placement_capacity(set, NULL, 0, type(set, "L40S-1Q")), 32);
}

static void backed_types_have_no_size_rule_among_themselves(void **state)
{
	SNAPSHOT *s = fam_snapshot("rtxpro mig vfs=48");
	const struct gs_profile_set *set = slots_of(s);
	const struct gs_placed placed[] = { { .profile = type(set, "DC-1-24Q"), .start = 0 } };

	(void)state;
	assert_int_equal(gs_placement_check(set, placed, 1, type(set, "DC-2-48Q"), 1, NULL), GS_FITS);
}

static void no_slot_is_ever_lost(void **state)
{
	SNAPSHOT *s = fam_snapshot("l40s vfs=32");
	const struct gs_profile_set *set = slots_of(s);
	const struct gs_placed placed[] = { { .profile = type(set, "L40S-48Q"), .start = 5 } };

	(void)state;
	assert_int_equal(gs_placement_lost_units(set, placed, 1), 0);
}

static void open_requests_keep_held_slots_then_others_then_avoid_promised_ones(void **state)
{
	SNAPSHOT *s = fam_snapshot("l40s vfs=32 vf:0~ vf:1~");
	const struct gs_profile_set *set = slots_of(s);
	const struct gs_profile *q = type(set, "L40S-12Q"), *open[] = { q, q, q };
	const struct gs_existing existing[] = { { q, 1, false }, { q, 9, true } };
	uint32_t starts[3];

	(void)state;
	assert_int_equal(set->avoid, 3);
	assert_int_equal(gs_placement_solve(set, NULL, 0, open, 3, existing, 2, starts, NULL), 0);
	assert_int_equal(starts[0], 9);
	/* what stands on a promised one keeps it */
	assert_int_equal(starts[1], 1);
	assert_int_equal(starts[2], 2);
}

static void more_than_fit_are_refused_with_a_sentence(void **state)
{
	SNAPSHOT *s = fam_snapshot("l40s vfs=32");
	const struct gs_profile_set *set = slots_of(s);
	const struct gs_profile *open[5];
	struct gs_error e = { 0 };
	uint32_t starts[5] = { 77 };

	(void)state;
	for (size_t i = 0; i < 5; i++)
		open[i] = type(set, "L40S-12Q");
	assert_int_equal(gs_placement_solve(set, NULL, 0, open, 5, NULL, 0, starts, &e), -ENOSPC);
	assert_int_equal(e.status, GS_STATUS_REFUSED);
	assert_non_null(strstr(e.text, "L40S-12Q"));
	assert_int_equal(starts[0], 77);
}

/* ---------------------------------------------------------------- mode and VFs */

static struct gs_layout_gpu *layout_gpu(const struct gs_snapshot *s, struct gs_layout **ret)
{
	assert_int_equal(gs_layout_from_snapshot(s, ret, NULL), 0);
	return &(*ret)->gpus[0];
}

static void a_mode_brings_its_vfs(void **state)
{
	static const struct {
		const char *machine;
		enum gs_mode mode;
		bool known;
		uint32_t vfs;
	} cases[] = {
		{ "l40s", GS_MODE_VGPU, true, 32 },
		{ "l40s vfs=32", GS_MODE_WHOLE, true, 0 },
		{ "l40s vfs=32", GS_MODE_PASSTHROUGH, true, 0 },
		{ "rtxpro mig", GS_MODE_MIG_VGPU, true, 48 },
		{ "rtxpro mig vfs=48", GS_MODE_MIG, true, 0 },
		/* a number of plain VFs that is there is kept */
		{ "flex vfs=3", GS_MODE_SRIOV, true, 3 },
		{ "flex", GS_MODE_SRIOV, true, 7 },
		/* nothing to switch on */
		{ "t4", GS_MODE_VGPU, false, 0 },
		{ "mi300x", GS_MODE_PASSTHROUGH, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(cases); i++) {
		SNAPSHOT *s = fam_snapshot(cases[i].machine);
		GS_CLEANUP(gs_layout_freep) struct gs_layout *l = NULL;
		struct gs_layout_gpu *g = layout_gpu(s, &l);

		gs_layout_ask_mode(g, gs_snapshot_gpu(s, 0), cases[i].mode);
		assert_true(g->mode_is_asked);
		assert_int_equal(g->mode, cases[i].mode);
		assert_int_equal(g->vfs.known, cases[i].known);
		assert_int_equal(g->vfs.value, cases[i].vfs);
	}
}

static void vfs_bring_their_mode(void **state)
{
	static const struct {
		const char *machine;
		uint32_t vfs;
		enum gs_mode mode;
	} cases[] = {
		{ "l40s", 32, GS_MODE_VGPU },
		{ "l40s vfs=32", 0, GS_MODE_WHOLE },
		{ "rtxpro mig", 48, GS_MODE_MIG_VGPU },
		{ "rtxpro mig vfs=48", 0, GS_MODE_MIG },
		{ "flex", 2, GS_MODE_SRIOV },
		{ "flex vfs=2", 5, GS_MODE_SRIOV },
		{ "flex vfs=2", 0, GS_MODE_WHOLE },
		{ "l40s vfio", 0, GS_MODE_PASSTHROUGH },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(cases); i++) {
		SNAPSHOT *s = fam_snapshot(cases[i].machine);
		GS_CLEANUP(gs_layout_freep) struct gs_layout *l = NULL;
		struct gs_layout_gpu *g = layout_gpu(s, &l);

		gs_layout_ask_vfs(g, gs_snapshot_gpu(s, 0), cases[i].vfs);
		assert_true(g->vfs_is_asked);
		assert_true(gs_u32_is(g->vfs, cases[i].vfs));
		assert_int_equal(g->mode, cases[i].mode);
	}
}

static void vfs_of_a_gpu_whose_mode_is_not_known_leave_it_so(void **state)
{
	SNAPSHOT *s = fam_snapshot("l40s unbound");
	GS_CLEANUP(gs_layout_freep) struct gs_layout *l = NULL;
	struct gs_layout_gpu *g = layout_gpu(s, &l);

	(void)state;
	gs_layout_ask_vfs(g, gs_snapshot_gpu(s, 0), 32);
	assert_int_equal(g->mode, GS_MODE_INVALID);
	assert_false(g->mode_is_asked);
}

static void a_number_of_vfs_is_checked(void **state)
{
	const struct gs_position pos = { "x", 3, 4 };
	SNAPSHOT *flex = fam_snapshot("flex"), *l40s = NULL, *t4 = NULL;
	struct gs_error e = { 0 };

	(void)state;
	assert_int_equal(gs_vfs_check(gs_snapshot_gpu(flex, 0), 7, &pos, &e), 0);
	assert_int_equal(gs_vfs_check(gs_snapshot_gpu(flex, 0), 8, &pos, &e), -EINVAL);
	assert_int_equal(e.status, GS_STATUS_INVALID);
	assert_non_null(strstr(e.text, "at most 7"));
	l40s = fam_snapshot("l40s");
	assert_int_equal(gs_vfs_check(gs_snapshot_gpu(l40s, 0), 0, &pos, &e), 0);
	assert_int_equal(gs_vfs_check(gs_snapshot_gpu(l40s, 0), 32, &pos, &e), 0);
	assert_int_equal(gs_vfs_check(gs_snapshot_gpu(l40s, 0), 31, &pos, &e), -EINVAL);
	assert_non_null(strstr(e.text, "all of its 32 VFs or none"));
	t4 = fam_snapshot("t4");
	assert_int_equal(gs_vfs_check(gs_snapshot_gpu(t4, 0), 0, &pos, &e), 0);
	assert_int_equal(gs_vfs_check(gs_snapshot_gpu(t4, 0), 1, &pos, &e), -EINVAL);
}

static void a_setting_is_checked_against_its_words_or_as_a_number(void **state)
{
	const struct gs_position pos = { "x", 3, 4 };
	SNAPSHOT *amd = fam_snapshot("mi300x fixed:compute-partition"), *flex = fam_snapshot("flex");
	const struct gs_gpu *gpu = gs_snapshot_gpu(amd, 0);
	struct gs_error e = { 0 };

	(void)state;
	assert_int_equal(gs_setting_check(gpu, GS_SETTING_MEMORY_PARTITION, "NPS4", &pos, &e), 0);
	/* whether it can be written now is the plan's to say */
	assert_int_equal(gs_setting_check(gpu, GS_SETTING_COMPUTE_PARTITION, "CPX", &pos, &e), 0);
	assert_int_equal(gs_setting_check(gpu, GS_SETTING_COMPUTE_PARTITION, "TPX", &pos, &e), -EINVAL);
	assert_non_null(strstr(e.text, "SPX, DPX, QPX, CPX"));
	assert_int_equal(gs_setting_check(gpu, "vram", "1", &pos, &e), -EINVAL);
	assert_non_null(strstr(e.text, "compute-partition, memory-partition"));
	gpu = gs_snapshot_gpu(flex, 0);
	assert_int_equal(gs_setting_check(gpu, "exec_quantum_ms", "15", &pos, &e), 0);
	assert_int_equal(gs_setting_check(gpu, "exec_quantum_ms", "-15", &pos, &e), -EINVAL);
	assert_int_equal(gs_setting_check(gpu, "exec_quantum_ms", "", &pos, &e), -EINVAL);
}

/* ---------------------------------------------------------------- proofs */

/* The first step of that kind that @script plans on @machine, checked on @later. */
static int check_on(const char *machine, const char *script, enum gs_step_op op, const char *later, struct gs_error *e)
{
	static const struct gs_disrupt all = { .kind = GS_DISRUPT_ALL };
	const struct gs_plan_options options = { .disrupt = &all, .n_disrupt = 1 };
	SNAPSHOT *s = fam_snapshot(machine), *now = fam_snapshot(later);
	GS_CLEANUP(gs_plan_freep) struct gs_plan *plan = NULL;

	assert_int_equal(gs_testhost_plan(s, script, &options, &plan, e), 0);
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].op == op)
			return gs_step_check(&plan->steps[i], now, e);
	fail_msg("%s on %s plans no %s", script, machine, gs_step_op_name(op));
	return 0;
}

static void every_step_is_proven_by_a_later_look(void **state)
{
	static const struct {
		const char *machine, *script;
		enum gs_step_op op;
		const char *later;
		int expect;
		const char *says;
	} cases[] = {
		{ "l40s", "vfs 0 all", GS_STEP_ENABLE_VFS, "l40s vfs=32", 0, NULL },
		{ "l40s", "vfs 0 all", GS_STEP_ENABLE_VFS, "l40s", -EIO, "32 VFs, but reading back shows 0" },
		/* VFs that carry nothing are no vGPU mode, and plain ones are all that was asked for there */
		{ "l40s", "mode 0 vgpu", GS_STEP_ENABLE_VFS, "l40s vfs=32", 0, NULL },
		{ "l40s", "mode 0 vgpu", GS_STEP_ENABLE_VFS, "l40s novgpu vfs=32", -EIO, "not NVIDIA's vGPU host driver" },
		{ "flex", "vfs 0 4", GS_STEP_ENABLE_VFS, "flex vfs=4", 0, NULL },
		{ "l40s", "vfs 0 all", GS_STEP_ENABLE_VFS, "l40s stranded", -EIO, "pci-pf-stub" },
		{ "flex", "vfs 0 4", GS_STEP_ENABLE_VFS, "flex vfs=3", -EIO, "4 VFs, but reading back shows 3" },
		{ "flex vfs=4", "vfs 0 0", GS_STEP_DISABLE_VFS, "flex", 0, NULL },
		{ "flex vfs=4", "vfs 0 0", GS_STEP_DISABLE_VFS, "flex vfs=4", -EIO, "reading back shows 4" },
		{ "l40s vfs=32", "create 0 L40S-24Q vf 3", GS_STEP_CREATE_VGPU, "l40s vfs=32 L40S-24Q@3", 0, NULL },
		{ "l40s vfs=32", "create 0 L40S-24Q vf 3", GS_STEP_CREATE_VGPU, "l40s vfs=32 L40S-24Q@4", -EIO, "nothing changed" },
		{ "l40s vfs=32", "create 0 L40S-24Q vf 3", GS_STEP_CREATE_VGPU, "l40s vfs=32 L40S-48Q@3", -EIO, "shows L40S-48Q" },
		{ "l40s vfs=32 L40S-24Q@3", "delete 0 vf:3", GS_STEP_REMOVE_VGPU, "l40s vfs=32", 0, NULL },
		{ "l40s vfs=32 L40S-24Q@3", "delete 0 vf:3", GS_STEP_REMOVE_VGPU, "l40s vfs=32 L40S-24Q@3", -EIO, "nothing changed" },
		{ "t4", "create 0 T4-4Q uuid 0000c0de-0000-4000-8000-000000000007", GS_STEP_CREATE_VGPU, "t4 T4-4Q@5#7", 0, NULL },
		{ "t4", "create 0 T4-4Q uuid 0000c0de-0000-4000-8000-000000000007", GS_STEP_CREATE_VGPU, "t4 T4-4Q@0#8", -EIO, "nothing changed" },
		{ "t4 T4-4Q@0#7", "delete 0 all", GS_STEP_REMOVE_VGPU, "t4 T4-4Q@0#8", 0, NULL },
		/* the driver chose another GI than was named */
		{ "rtxpro mig vfs=48 1g.24gb@0 1g.24gb@3", "create 0/1g.24gb@3 DC-1-24Q vf 1", GS_STEP_CREATE_VGPU,
		  "rtxpro mig vfs=48 1g.24gb@0 1g.24gb@3 DC-1-24Q@1/3", 0, NULL },
		{ "rtxpro mig vfs=48 1g.24gb@0 1g.24gb@3", "create 0/1g.24gb@3 DC-1-24Q vf 1", GS_STEP_CREATE_VGPU,
		  "rtxpro mig vfs=48 1g.24gb@0 1g.24gb@3 DC-1-24Q@1/0", -EIO, "was to lie in the 1g.24gb at 3" },
		{ "l40s", "mode 0 passthrough", GS_STEP_UNBIND_DRIVER, "l40s unbound", 0, NULL },
		{ "l40s", "mode 0 passthrough", GS_STEP_UNBIND_DRIVER, "l40s", -EIO, "still bound to nvidia" },
		{ "l40s", "mode 0 passthrough", GS_STEP_BIND_DRIVER, "l40s vfio", 0, NULL },
		{ "l40s", "mode 0 passthrough", GS_STEP_BIND_DRIVER, "l40s unbound", -EIO, "vfio-pci, but is unbound" },
		{ "l40s", "mode 0 passthrough", GS_STEP_BIND_DRIVER, "l40s", -EIO, "bound to nvidia" },
		{ "l40s vfio forgotten", "mode 0 whole", GS_STEP_BIND_DRIVER, "l40s", 0, NULL },
		{ "l40s vfio forgotten", "mode 0 whole", GS_STEP_BIND_DRIVER, "l40s unbound", -EIO, "its own driver, but is unbound" },
		{ "mi300x", "set 0 compute-partition CPX", GS_STEP_SET_SETTING, "mi300x set:compute-partition=CPX", 0, NULL },
		{ "mi300x", "set 0 compute-partition CPX", GS_STEP_SET_SETTING, "mi300x", -EIO, "reads SPX" },
		{ "mi300x", "set 0 memory-partition NPS4", GS_STEP_SET_SETTING, "mi300x set:memory-partition=NPS1,NPS4", -EINPROGRESS, NULL },
		/* a wish that the driver did not take back */
		{ "mi300x set:memory-partition=NPS1,NPS4", "set 0 memory-partition NPS1", GS_STEP_SET_SETTING, "mi300x set:memory-partition=NPS1,NPS4", -EIO,
		  "NPS4 is still pending" },
		{ "mi300x set:memory-partition=NPS1,NPS4", "set 0 memory-partition NPS1", GS_STEP_SET_SETTING, "mi300x", 0, NULL },
		{ "l40s vfs=32 L40S-24Q@3", "set 0/vf:3 limit 5", GS_STEP_SET_PARAM, "l40s vfs=32 L40S-24Q@3{limit=5}", 0, NULL },
		{ "l40s vfs=32 L40S-24Q@3", "set 0/vf:3 limit 5", GS_STEP_SET_PARAM, "l40s vfs=32 L40S-24Q@3", -EIO, "reads nothing" },
		{ "l40s vfs=32 L40S-24Q@3", "set 0/vf:3 limit 5", GS_STEP_SET_PARAM, "l40s vfs=32", -EIO, "reads nothing" },
		{ "rtxpro", "mode 0 mig-vgpu", GS_STEP_SET_MODE, "rtxpro mig", 0, NULL },
		{ "rtxpro", "mode 0 mig-vgpu", GS_STEP_SET_MODE, "rtxpro", -EIO, "still whole" },
		{ "rtxpro", "mode 0 mig-vgpu", GS_STEP_SET_MODE, "rtxpro pending-mig", -EINPROGRESS, NULL },
		/* MIG and VFs are two things */
		{ "rtxpro mig vfs=48 pending-whole", "mode 0 mig-vgpu", GS_STEP_SET_MODE, "rtxpro mig vfs=48", 0, NULL },
		{ "rtxpro mig vfs=48 pending-whole", "mode 0 mig-vgpu", GS_STEP_SET_MODE, "rtxpro mig vfs=48 pending-whole", -EIO, "still pending" },
		{ "rtxpro mig", "mode 0 whole", GS_STEP_SET_MODE, "rtxpro unbound", -EIO, "still unknown" },
		{ "l40s held", "mode 0 passthrough", GS_STEP_STOP_HOLDER, "l40s", 0, NULL },
		{ "l40s held", "mode 0 passthrough", GS_STEP_STOP_HOLDER, "l40s held", -EIO, "still holds it" },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(cases); i++) {
		struct gs_error e = { 0 };
		int r = check_on(cases[i].machine, cases[i].script, cases[i].op, cases[i].later, &e);

		if (r != cases[i].expect || (cases[i].says && !strstr(e.text, cases[i].says)))
			fail_msg("%s, %s, then %s: %d \"%s\"", cases[i].machine, cases[i].script, cases[i].later, r, e.text);
	}
}

/* A process on a VF is there too. */
static void who_was_told_to_stop_is_looked_for_on_vfs(void **state)
{
	SNAPSHOT *now = fam_snapshot("flex vfs=2 vf:1*");
	const struct gs_gpu *gpu = gs_snapshot_gpu(now, 0);
	struct gs_step step = { .op = GS_STEP_STOP_HOLDER, .bdf = gpu->bdf, .pid = 5001, .start_time = 50010 };
	struct gs_error e = { 0 };

	(void)state;
	assert_int_equal(gs_step_check(&step, now, &e), -EIO);
	step.start_time = 1;
	assert_int_equal(gs_step_check(&step, now, &e), 0);
}

/* interfaces 2.1: files of their own, not words of vgpu_params */
static void placement_id_and_gi_are_read_where_they_are(void **state)
{
	SNAPSHOT *now = fam_snapshot("rtxpro mig vfs=48 1g.24gb@0 DC-1-24Q@1/0");
	struct gs_instance *inst = (struct gs_instance *)gs_gpu_instance_on_vf(gs_snapshot_gpu(now, 0), 1);
	struct gs_step step = { .op = GS_STEP_SET_PARAM, .bdf = gs_snapshot_gpu(now, 0)->bdf, .vf = GS_U32(1), .key = GS_PARAM_GI, .value = "7" };
	struct gs_error e = { 0 };

	(void)state;
	assert_int_equal(gs_step_check(&step, now, &e), 0);
	step.value = "8";
	assert_int_equal(gs_step_check(&step, now, &e), -EIO);
	step.key = GS_PARAM_PLACEMENT_ID;
	step.value = "3";
	assert_int_equal(gs_step_check(&step, now, &e), -EIO);
	inst->placement_id = GS_U32(3);
	assert_int_equal(gs_step_check(&step, now, &e), 0);
}

/* interfaces 3.4: sriov-manage may report success, and the number alone is what was asked */
static void vfs_are_counted_one_by_one(void **state)
{
	SNAPSHOT *now = fam_snapshot("l40s vfs=32");
	struct gs_gpu *gpu = (struct gs_gpu *)gs_snapshot_gpu(now, 0);
	const struct gs_step step = { .op = GS_STEP_ENABLE_VFS, .bdf = gpu->bdf, .vfs = 32 };

	(void)state;
	assert_int_equal(gs_step_check(&step, now, NULL), 0);
	gpu->vfs.n_functions--;
	assert_int_equal(gs_step_check(&step, now, NULL), -EIO);
}

static void a_unit_is_no_affair_of_the_snapshot(void **state)
{
	SNAPSHOT *now = fam_snapshot("l40s persistenced");
	const struct gs_step step = { .op = GS_STEP_STOP_UNIT, .bdf = gs_snapshot_gpu(now, 0)->bdf, .unit = "nvidia-persistenced.service" };

	(void)state;
	assert_int_equal(gs_step_check(&step, now, NULL), 0);
}

/* ---------------------------------------------------------------- UUIDs */

/* On a PF the slot of an mdev is its rank: what is given from ranks must not meet itself again. */
static void default_uuids_never_meet_again(void **state)
{
	struct fam_host h;

	(void)state;
	fam_host_parse(&h, "t4");
	for (unsigned round = 0; round < 40; round++) {
		SNAPSHOT *s = fam_host_look(&h);
		const struct gs_gpu *gpu = gs_snapshot_gpu(s, 0);
		GS_CLEANUP(gs_plan_freep) struct gs_plan *plan = NULL;
		struct gs_error e = { 0 };
		char script[128];

		if (gpu->n_instances > 3)
			snprintf(script, sizeof(script), "delete 0 mdev:%s", gpu->instances[round % 3]->uuid);
		else
			snprintf(script, sizeof(script), "create 0 T4-1Q count +2 param limit=1");
		assert_int_equal(gs_testhost_plan(s, script, NULL, &plan, &e), 0);
		for (size_t i = 0; i < plan->n_steps; i++)
			assert_int_equal(fam_host_step(&h, &plan->steps[i]), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_size_does_not_fit_beside_and_says_beside_what),
		cmocka_unit_test(in_mixed_mode_sizes_lie_beside_each_other),
		cmocka_unit_test(equal_sizes_share_one_maximum),
		cmocka_unit_test(backed_types_have_no_size_rule_among_themselves),
		cmocka_unit_test(no_slot_is_ever_lost),
		cmocka_unit_test(open_requests_keep_held_slots_then_others_then_avoid_promised_ones),
		cmocka_unit_test(more_than_fit_are_refused_with_a_sentence),
		cmocka_unit_test(a_mode_brings_its_vfs),
		cmocka_unit_test(vfs_bring_their_mode),
		cmocka_unit_test(vfs_of_a_gpu_whose_mode_is_not_known_leave_it_so),
		cmocka_unit_test(a_number_of_vfs_is_checked),
		cmocka_unit_test(a_setting_is_checked_against_its_words_or_as_a_number),
		cmocka_unit_test(every_step_is_proven_by_a_later_look),
		cmocka_unit_test(who_was_told_to_stop_is_looked_for_on_vfs),
		cmocka_unit_test(placement_id_and_gi_are_read_where_they_are),
		cmocka_unit_test(vfs_are_counted_one_by_one),
		cmocka_unit_test(a_unit_is_no_affair_of_the_snapshot),
		cmocka_unit_test(default_uuids_never_meet_again),
	};

	return cmocka_run_group_tests_name("core families", tests, NULL, NULL);
}
