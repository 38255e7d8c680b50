/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole frames of vGPUs, VFs, partitions and passthrough against golden files
 * of text and elements. GENERATE=1 writes them anew: then look at them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/lib/golden.h"
#include "tests/screen/virtual.h"
#include "ui/control.h"
#include "ui/view.h"

static const struct gs_golden_size sizes[] = { { 24, 80, true }, { 24, 80, false }, { 50, 160, true }, { 50, 160, false }, };

static void check(const struct gs_model *m, const char *name)
{
	gs_golden_check(m, name, sizes, GS_ARRAY_SIZE(sizes));
}

static struct gs_model *model(struct gs_snapshot *s, uint32_t gpu)
{
	struct gs_model *m = gs_model_new(false);
	struct gs_error e = { 0 };

	assert_non_null(m);
	m->privileged = true;
	m->wall.ms = 1700000045000;
	if (gs_model_set_snapshot(m, s, &e) < 0)
		fail_msg("%s", e.text);
	gs_snapshot_unref(s);
	m->gpu = gpu;
	return m;
}

static void stage(struct gs_model *m, const char *text)
{
	struct gs_error e = { 0 };

	if (gs_model_stage(m, text, &e) < 0)
		fail_msg("%s: %s", text, e.text);
}

static void press(struct gs_model *m, const char *keys)
{
	for (; *keys; keys++) {
		struct gs_event ev = { .type = GS_EVENT_KEY, .key = *keys == '>' ? GS_KEY_RIGHT : *keys == '\n' ? GS_KEY_ENTER : (uint32_t)*keys };

		gs_control_event(m, &ev, 24, 80);
	}
	m->message[0] = '\0';
}

#define MODEL GS_CLEANUP(gs_model_freep) struct gs_model

static void test_l40s(void **state)
{
	MODEL *m = model(machine_kvm(), 0);

	(void)state;
	check(m, "vgpu-held");
	m->focus = GS_FOCUS_GRID;
	m->unit = 3;
	check(m, "vgpu-held-cursor");
	press(m, "b");
	check(m, "vgpu-who");
	press(m, "\033");
	m->gpu = 2;
	m->unit = 2;
	check(m, "vgpu-promised");
	press(m, "c");
	check(m, "vgpu-palette");
	press(m, "7");
	check(m, "vgpu-palette-size");
	press(m, "\033");
	stage(m, "create 2 L40S-12Q count 2");
	stage(m, "delete 2 vf:0");
	check(m, "vgpu-staged");
	press(m, "p");
	check(m, "vgpu-review");
}

static void test_whole_to_vgpu(void **state)
{
	MODEL *m = model(machine_kvm(), 3);

	(void)state;
	press(m, "M");
	m->list_row = 1;
	check(m, "mode-vgpu");
	m->list_row = 2;
	check(m, "mode-passthrough");
	press(m, "\033c5\n");
	check(m, "vgpu-from-whole");
}

static void test_t4(void **state)
{
	MODEL *m = model(machine_families(), 0);

	(void)state;
	m->focus = GS_FOCUS_GRID;
	check(m, "t4");
	stage(m, "create 0 T4-4Q");
	check(m, "t4-staged");
}

static void test_pro(void **state)
{
	MODEL *m = model(machine_families(), 1);

	(void)state;
	stage(m, "mode 1 vgpu");
	stage(m, "create 1 DC-24Q count 3");
	check(m, "pro-whole-to-vgpu");
	m->gpu = 2;
	m->focus = GS_FOCUS_GRID;
	check(m, "pro-mig-vgpu");
	m->unit = 6;
	press(m, "c");
	check(m, "pro-mig-vgpu-palette");
}

static void test_flex(void **state)
{
	MODEL *m = model(machine_families(), 3);

	(void)state;
	m->focus = GS_FOCUS_GRID;
	m->unit = 1;
	check(m, "flex");
	stage(m, "vfs 3 7");
	check(m, "flex-staged");
}

static void test_mi300(void **state)
{
	MODEL *m = model(machine_families(), 4);

	(void)state;
	check(m, "mi300-cpx");
	press(m, "s");
	check(m, "mi300-settings");
	press(m, "\033");
	m->gpu = 5;
	stage(m, "set 5 compute-partition CPX");
	check(m, "mi300-staged");
}

static void test_passthrough(void **state)
{
	MODEL *m = model(machine_families(), 6);

	(void)state;
	check(m, "passthrough");
	press(m, "M1");
	check(m, "passthrough-modes");
}

static void test_trouble(void **state)
{
	MODEL *m = model(machine_families(), 7);

	(void)state;
	check(m, "stranded");
	press(m, "M");
	m->list_row = 2;
	check(m, "stranded-modes");
	press(m, "\033");
	m->gpu = 8;
	check(m, "write-waits");
}

static void test_writing(void **state)
{
	MODEL *m = model(machine_kvm(), 3);

	(void)state;
	stage(m, "mode 3 passthrough");
	m->layer = GS_LAYER_WRITING;
	m->now.ms = 1000;
	gs_control_progress(m, "begin", 1, 2, "unbind 0000:c1:00.0 from nvidia", NULL);
	gs_control_progress(m, "waiting", 1, 2, "unbinding 0000:c1:00.0 from nvidia",
			    "0000:c1:00.0: the kernel waits with \"unbind\" for pid 2214 nv-hostengine to let go (45 s)");
	m->now.ms = 46000;
	check(m, "writing-waits");
}

static void test_monitor(void **state)
{
	MODEL *m = model(machine_families(), 8);

	(void)state;
	m->read_only = true;
	m->privileged = false;
	check(m, "monitor-waits");
	m->gpu = 4;
	press(m, "s");
	check(m, "monitor-settings");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_l40s), cmocka_unit_test(test_whole_to_vgpu), cmocka_unit_test(test_t4), cmocka_unit_test(test_pro),
		cmocka_unit_test(test_flex), cmocka_unit_test(test_mi300), cmocka_unit_test(test_passthrough), cmocka_unit_test(test_trouble),
		cmocka_unit_test(test_writing), cmocka_unit_test(test_monitor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
