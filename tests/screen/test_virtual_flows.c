/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_virtual_flows.c - whole ways through the console with vGPUs, VFs, settings and modes, by key and by mouse, at two sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/lib/ui_fixture.h"
#include "tests/screen/virtual.h"
#include "ui/view.h"

struct size {
	int rows, columns;
};
static struct size sizes[] = { { 24, 80 }, { 50, 160 } };

struct flow {
	struct gs_model *m;
	struct size at;
};

static unsigned keys(struct flow *f, const char *text)
{
	return ui_keys(f->m, f->at.rows, f->at.columns, text);
}

static char *picture(const struct flow *f)
{
	GS_CLEANUP(gs_frame_freep) struct gs_frame *frame = NULL;

	assert_int_equal(gs_frame_new(f->at.rows, f->at.columns, &frame), 0);
	gs_view_draw(f->m, gs_glyphs(true), frame);
	return gs_frame_text(frame);
}

static void sees(const struct flow *f, const char *text, bool is_there)
{
	GS_FREE char *shown = picture(f);

	if (!!strstr(shown, text) != is_there)
		fail_msg("«%s» is %s:\n%s", text, is_there ? "missing" : "there", shown);
}

static void look(struct gs_model *m, struct gs_snapshot *s)
{
	struct gs_error e = { 0 };

	if (gs_model_set_snapshot(m, s, &e) < 0)
		fail_msg("%s", e.text);
	gs_snapshot_unref(s);
}

static void start(struct flow *f, void **state, struct gs_snapshot *s, uint32_t gpu)
{
	f->at = *(struct size *)*state;
	f->m = gs_model_new(false);
	f->m->privileged = true;
	f->m->wall.ms = 1700000045000;
	look(f->m, s);
	f->m->gpu = gpu;
}

static void end(struct flow *f)
{
	f->m = gs_model_free(f->m);
}
#define FLOW GS_CLEANUP(end)

static void staged_is(const struct flow *f, size_t i, const char *text)
{
	assert_true(i < f->m->n_staged);
	assert_string_equal(f->m->staged[i].text, text);
}

static void drag(struct flow *f, uint32_t from, uint32_t to)
{
	struct gs_geometry geo;
	struct gs_slots slots;
	struct gs_rect a, b;
	const struct gs_gpu *gpu = gs_model_gpu(f->m);

	gs_geometry_compute(f->at.rows, f->at.columns, f->m, &geo);
	assert_true(gs_slots_compute(&geo, gs_model_shown(f->m, gpu).set->memory_units, &slots));
	a = gs_slots_cell(&geo, &slots, from);
	b = gs_slots_cell(&geo, &slots, to);
	ui_mouse(f->m, f->at.rows, f->at.columns, GS_MOUSE_PRESS, a.row, a.column + 1);
	ui_mouse(f->m, f->at.rows, f->at.columns, GS_MOUSE_DRAG, b.row, b.column + 1);
	ui_mouse(f->m, f->at.rows, f->at.columns, GS_MOUSE_RELEASE, b.row, b.column + 1);
}

/* Profile first, place second: what is put on the list names its VF. */
static void test_everyday(void **state)
{
	FLOW struct flow f;

	start(&f, state, machine_kvm(), 2);
	keys(&f, "c5\r");
	assert_int_equal(f.m->n_staged, 1);
	staged_is(&f, 0, "create 2 L40S-12Q vf 1");
	sees(&f, "STAGED +1 -0", true);
	sees(&f, "+12Q", true);
	keys(&f, "W");
	sees(&f, "create vGPU L40S-12Q on VF 1 (0000:81:00.5)", true);
	assert_true(keys(&f, "y") & GS_DO_COMMIT);
}

/* Two digits where there are more than nine types; the count takes two as well. */
static void test_numbers_of_two_digits(void **state)
{
	FLOW struct flow f;

	start(&f, state, machine_kvm(), 3);
	keys(&f, "c11");
	assert_string_equal(f.m->offers[f.m->offer].profile->name, "L40S-12C");
	keys(&f, "\033");
	keys(&f, "c1x12\r");
	assert_int_equal(f.m->n_staged, 13);
	staged_is(&f, 0, "mode 3 vgpu");
	staged_is(&f, 12, "create 3 L40S-2Q vf 11");
	sees(&f, "whole -> vGPU", true);
}

/* The VF that a shut-off VM counts on is only taken by its number. */
static void test_a_promised_vf_is_left_alone(void **state)
{
	FLOW struct flow f;

	start(&f, state, machine_kvm(), 2);
	f.m->focus = GS_FOCUS_GRID;
	f.m->unit = 2;
	sees(&f, "promised to win11-21", true);
	keys(&f, "c5x3\r");
	staged_is(&f, 0, "create 2 L40S-12Q vf 1");
	staged_is(&f, 1, "create 2 L40S-12Q vf 4");
	staged_is(&f, 2, "create 2 L40S-12Q vf 5");
	keys(&f, "uuu:create 2 L40S-12Q vf 2\r");
	staged_is(&f, 0, "create 2 L40S-12Q vf 2");
	sees(&f, "confirm", true);
}

static void test_the_size_rule_says_why(void **state)
{
	FLOW struct flow f;

	start(&f, state, machine_kvm(), 2);
	keys(&f, "c7");
	sees(&f, "another size is there: 12 GiB on VF 0", true);
	keys(&f, "\r");
	assert_int_equal(f.m->n_staged, 0);
	sees(&f, "L40S-24Q does not fit", true);
	keys(&f, "R");
	staged_is(&f, 0, "delete 2 vf:0");
	staged_is(&f, 1, "create 2 L40S-24Q vf 0");
	assert_false(gs_plan_is_blocked(f.m->plan));
	sees(&f, "in place of L40S-12Q", true);
}

static void test_delete_recreate_move(void **state)
{
	FLOW struct flow f;

	start(&f, state, machine_kvm(), 2);
	keys(&f, "\td");
	staged_is(&f, 0, "delete 2 vf:0");
	sees(&f, "x12Q", true);
	keys(&f, "x");
	assert_int_equal(f.m->n_staged, 0);
	keys(&f, "R");
	staged_is(&f, 0, "recreate 2 vf:0");
	keys(&f, "um");
	assert_int_equal(f.m->n_staged, 0);
	sees(&f, "a vGPU does not move", true);
	/* a VM is in the way, and is never stopped by us */
	f.m->gpu = 0;
	keys(&f, "d");
	assert_true(gs_plan_is_blocked(f.m->plan));
	sees(&f, "win11-01", true);
	keys(&f, "W");
	assert_int_equal(keys(&f, "y\r") & GS_DO_COMMIT, 0);
}

static void test_drag_over_free_vfs(void **state)
{
	FLOW struct flow f;

	start(&f, state, machine_kvm(), 2);
	drag(&f, 9, 17);
	assert_int_equal(f.m->layer, GS_LAYER_CHOOSER);
	sees(&f, "CREATE in VFs 9-17 of GPU 2", true);
	/* nine are selected, three fit: no more are made, and that is said */
	keys(&f, "5\r");
	assert_int_equal(f.m->n_staged, 3);
	staged_is(&f, 0, "create 2 L40S-12Q vf 9");
	staged_is(&f, 2, "create 2 L40S-12Q vf 11");
	assert_non_null(strstr(f.m->message, "no more than 3 of the 9 selected fit"));
	/* a press on a live block selects it, and no drag moves it */
	f.m->gpu = 0;
	drag(&f, 0, 9);
	assert_int_equal(f.m->layer, GS_LAYER_NONE);
	assert_false(f.m->selecting);
	assert_int_equal(f.m->unit, 0);
}

static void test_rows_of_slots(void **state)
{
	FLOW struct flow f;

	start(&f, state, machine_kvm(), 1);
	keys(&f, "\tl");
	assert_int_equal(f.m->unit, 1);
	keys(&f, "j");
	assert_int_equal(f.m->unit, 9);
	assert_int_equal(f.m->gpu, 1);
	keys(&f, "kk");
	/* above the first row lies another GPU */
	assert_int_equal(f.m->gpu, 0);
}

static void test_mdevs_have_no_vf(void **state)
{
	FLOW struct flow f;

	start(&f, state, machine_families(), 0);
	keys(&f, "c3x2\r");
	assert_int_equal(f.m->n_staged, 2);
	staged_is(&f, 0, "create 0 T4-4Q");
	staged_is(&f, 1, "create 0 T4-4Q");
	sees(&f, "STAGED +2 -0", true);
	keys(&f, "uu");
	f.m->unit = 1;
	keys(&f, "d");
	staged_is(&f, 0, "delete 0 mdev:c0ffee01-0000-4000-8000-00000000000a");
}

static void test_vgpus_in_gpu_instances(void **state)
{
	FLOW struct flow f;

	start(&f, state, machine_families(), 2);
	f.m->focus = GS_FOCUS_GRID;
	f.m->unit = 6;
	sees(&f, "vGPU 24Q x1", true);
	keys(&f, "c");
	sees(&f, "CREATE a vGPU in 1g.24gb+gfx at 6", true);
	keys(&f, "x2\r");
	assert_int_equal(f.m->n_staged, 2);
	staged_is(&f, 0, "create 2/1g.24gb+gfx@6 DC-1-12Q vf 1");
	staged_is(&f, 1, "create 2/1g.24gb+gfx@6 DC-1-12Q vf 2");
	assert_false(gs_plan_is_blocked(f.m->plan));
	/* it is full now */
	keys(&f, "c");
	sees(&f, "a 1g.24gb+gfx takes 2 of these", true);
	keys(&f, "\033");
	/* where nothing is, instances are cut */
	f.m->unit = 9;
	keys(&f, "c");
	assert_false(f.m->offers_inside);
	assert_string_equal(f.m->offers[0].profile->name, "1g.24gb");
}

static void test_how_many_vfs(void **state)
{
	FLOW struct flow f;

	start(&f, state, machine_families(), 3);
	drag(&f, 4, 6);
	staged_is(&f, 0, "vfs 3 7");
	sees(&f, "STAGED VFs", true);
	/* media-1 has one of them, and they all go */
	assert_true(gs_plan_is_blocked(f.m->plan));
	sees(&f, "media-1 has VF 1", true);
	keys(&f, "x");
	assert_int_equal(f.m->n_staged, 0);
	f.m->unit = 3;
	keys(&f, "d");
	staged_is(&f, 0, "vfs 3 3");
	keys(&f, "u");
	f.m->unit = 7;
	keys(&f, "vl\r");
	staged_is(&f, 0, "vfs 3 9");
	keys(&f, "uc");
	assert_int_equal(f.m->layer, GS_LAYER_PROMPT);
	assert_string_equal(f.m->input, "vfs 3 ");
	keys(&f, "12\r");
	staged_is(&f, 0, "vfs 3 12");
}

static void test_settings(void **state)
{
	FLOW struct flow f;

	start(&f, state, machine_families(), 5);
	keys(&f, "s");
	assert_int_equal(f.m->layer, GS_LAYER_SETTINGS);
	sees(&f, "pending", true);
	/* it opens on what is: Enter by mistake stages nothing */
	keys(&f, "\r");
	assert_int_equal(f.m->n_staged, 0);
	sees(&f, "already", true);
	keys(&f, "4\r");
	staged_is(&f, 0, "set 5 compute-partition CPX");
	sees(&f, "+CPX", true);
	sees(&f, "STAGED settings", true);
	/* what is pending already is nothing new */
	keys(&f, "s6\r");
	assert_int_equal(f.m->n_staged, 1);
	keys(&f, "7");
	sees(&f, "the file is read-only here", true);
	keys(&f, "\r");
	assert_int_equal(f.m->n_staged, 1);
}

static void test_modes(void **state)
{
	FLOW struct flow f;

	start(&f, state, machine_kvm(), 1);
	keys(&f, "M1");
	sees(&f, "in the way:  vm render-01", true);
	keys(&f, "3\r");
	staged_is(&f, 0, "delete 1 all");
	staged_is(&f, 1, "mode 1 passthrough");
	assert_true(gs_plan_is_blocked(f.m->plan));
	end(&f);
	start(&f, state, machine_families(), 7);
	keys(&f, "M3");
	sees(&f, "the IOMMU is off", true);
	keys(&f, "\r");
	assert_int_equal(f.m->n_staged, 0);
	assert_true(f.m->message_is_error);
	keys(&f, "1\r");
	staged_is(&f, 0, "mode 7 whole");
}

static void test_both_grids_of_a_mode_change(void **state)
{
	FLOW struct flow f;

	start(&f, state, machine_families(), 2);
	keys(&f, ":delete 2 all; mode 2 vgpu\r");
	sees(&f, "48 VFs", true);
	assert_int_equal(gs_model_shown(f.m, gs_model_gpu(f.m)).set->memory_units, 48);
	f.m->focus = GS_FOCUS_GRID;
	keys(&f, "\033[F");
	assert_int_equal(f.m->unit, 47);
	/* units of the other grid are other units */
	keys(&f, "t");
	sees(&f, "12 memory units", f.at.columns > 90);
	assert_true(f.m->unit < 12);
}

static void test_who(void **state)
{
	FLOW struct flow f;

	start(&f, state, machine_kvm(), 0);
	f.m->focus = GS_FOCUS_GRID;
	f.m->unit = 4;
	keys(&f, "b");
	sees(&f, "first VF 4", true);
	sees(&f, "asked for: delete", true);
	sees(&f, "slurm (scontrol is not installed)", true);
	assert_int_equal(gs_model_gpu(f.m)->index, 0);
	assert_true(keys(&f, "r") & GS_DO_RECOLLECT);
	keys(&f, "f");
	sees(&f, "asked for: vfs", true);
	keys(&f, "b");
	assert_int_equal(f.m->layer, GS_LAYER_NONE);
}

static void test_a_write_that_waits_is_left(void **state)
{
	FLOW struct flow f;

	start(&f, state, machine_kvm(), 2);
	keys(&f, "\tdW");
	assert_true(keys(&f, "y") & GS_DO_COMMIT);
	f.m->now.ms = 1000;
	gs_control_progress(f.m, "begin", 1, 1, "remove vGPU L40S-12Q on VF 0", NULL);
	assert_int_equal(keys(&f, "D") & GS_DO_CANCEL, 0);
	gs_control_progress(f.m, "waiting", 1, 1, "sriov-manage", "sriov-manage is at work (5 s)");
	assert_int_equal(keys(&f, "D") & GS_DO_CANCEL, 0);
	sees(&f, "at work", true);
	gs_control_progress(f.m, "waiting", 1, 1, "removing", "0000:81:00.4: the kernel waits with \"current_vgpu_type\" for pid 7 qemu to let go (5 s)");
	sees(&f, "WAIT", true);
	sees(&f, "cannot be taken back", true);
	assert_int_equal(f.m->n_progress, 1);
	assert_int_equal(f.m->progress[0].took_ms, -1);
	assert_true(keys(&f, "D") & GS_DO_CANCEL);
	gs_control_progress(f.m, "pending", 1, 1, NULL, "left pending");
	gs_control_committed(f.m, GS_STATUS_PENDING, "left pending");
	sees(&f, "PENDING", true);
}

static void test_trouble_is_said_wherever_one_looks(void **state)
{
	FLOW struct flow f;

	start(&f, state, machine_families(), 0);
	sees(&f, "1 WAITS  1 STRANDED", true);
	sees(&f, "waits 0:45", true);
	/* the others go on */
	keys(&f, "c3\r");
	assert_false(gs_plan_is_blocked(f.m->plan));
	f.m->gpu = 8;
	keys(&f, ":delete 8 vf:3\r");
	assert_true(gs_plan_is_blocked(f.m->plan));
	/* time alone changes the picture */
	assert_int_equal(gs_control_event(f.m, &(struct gs_event){ .type = GS_EVENT_TICK }, f.at.rows, f.at.columns), GS_DO_REDRAW);
}

static void test_a_monitor_changes_nothing(void **state)
{
	FLOW struct flow f;

	start(&f, state, machine_families(), 4);
	f.m->read_only = true;
	f.m->privileged = false;
	keys(&f, "s4\r");
	assert_int_equal(f.m->n_staged, 0);
	sees(&f, "READ-ONLY", true);
	keys(&f, "\033cdRmxMD\t");
	assert_int_equal(f.m->n_staged, 0);
	assert_int_equal(keys(&f, "!") & GS_DO_SUDO, 0);
	f.m->gpu = 3;
	drag(&f, 5, 9);
	assert_int_equal(f.m->n_staged, 0);
	f.m->layer = GS_LAYER_NONE;
	keys(&f, "?");
	sees(&f, "sudo", false);
	sees(&f, "staged", false);
}

static void test_what_was_said_does_not_outlive_the_plan(void **state)
{
	FLOW struct flow f;
	struct gs_snapshot *s = machine_kvm();

	start(&f, state, machine_kvm(), 2);
	keys(&f, "c5\r");
	sees(&f, "staged: create L40S-12Q on VF 1", true);
	/* somebody else takes the VF meanwhile */
	gs_snapshot_unref(s);
	s = gs_snapshot_new();
	gs_snapshot_set_host(s, "kvm03", GS_SOURCE_LIVE);
	put_l40s(s, 0x26, true);
	put_l40s(s, 0x41, true);
	put_vgpu(s, put_l40s(s, 0x81, true), 1, "L40S-24Q", "other");
	put_l40s(s, 0xc1, false);
	gs_snapshot_seal(s, NULL);
	look(f.m, s);
	assert_true(gs_plan_is_blocked(f.m->plan));
	sees(&f, "staged: create L40S-12Q on VF 1", false);
	assert_non_null(strstr(f.m->message, "BLOCKED"));
}

/* Every layer of every machine at every size that a person may pull a window to. */
static void test_every_layer_at_every_size(void **state)
{
	for (uint32_t gpu = 0; gpu < 9; gpu++) {
		FLOW struct flow f;

		start(&f, state, machine_families(), gpu);
		keys(&f, "c1\r");
		for (int layer = GS_LAYER_NONE; layer <= GS_LAYER_QUIT; layer++) {
			keys(&f, layer == GS_LAYER_PALETTE ? "c" : layer == GS_LAYER_CHOOSER ? "\tvl\r" : "");
			f.m->layer = (enum gs_layer)layer;
			for (int rows = 1; rows < 60; rows += 9)
				for (int columns = 1; columns < 200; columns += 29) {
					struct flow other = { f.m, { rows, columns } };
					GS_FREE char *text = picture(&other);

					assert_non_null(text);
					keys(&other, "jkG");
					gs_view_hit(f.m, rows, columns, rows / 2, columns / 2);
				}
			keys(&f, "\033");
			f.m->layer = GS_LAYER_NONE;
			f.m->selecting = false;
			f.m->gpu = gpu;
		}
	}
}

#define AT(test, i) { #test, test, NULL, NULL, &sizes[i] }
#define BOTH(test) AT(test, 0), AT(test, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_everyday),
		BOTH(test_numbers_of_two_digits),
		BOTH(test_a_promised_vf_is_left_alone),
		BOTH(test_the_size_rule_says_why),
		BOTH(test_delete_recreate_move),
		BOTH(test_drag_over_free_vfs),
		BOTH(test_rows_of_slots),
		BOTH(test_mdevs_have_no_vf),
		BOTH(test_vgpus_in_gpu_instances),
		BOTH(test_how_many_vfs),
		BOTH(test_settings),
		BOTH(test_modes),
		BOTH(test_both_grids_of_a_mode_change),
		BOTH(test_who),
		BOTH(test_a_write_that_waits_is_left),
		BOTH(test_trouble_is_said_wherever_one_looks),
		BOTH(test_a_monitor_changes_nothing),
		BOTH(test_what_was_said_does_not_outlive_the_plan),
		BOTH(test_every_layer_at_every_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
