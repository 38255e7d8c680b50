/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_compare.c - what is otherwise, in a sentence that has room for so much: no GPU goes unmentioned because another has more to tell. */
#include "tests/lib/cmocka.h"

#include <string.h>

#include "core/compare.h"

#define LOST 20

/* Two GPUs; the first with @instances vGPUs, the second on @driver. */
static struct gs_snapshot *machine(uint32_t instances, const char *driver)
{
	struct gs_snapshot *s = gs_snapshot_new();
	struct gs_gpu *gpus[2];
	struct gs_error e;

	for (uint8_t i = 0; i < 2; i++) {
		gpus[i] = gs_snapshot_add_gpu(s, (struct gs_bdf){ 0, i + 1, 0, 0 });
		gpus[i]->vendor = GS_VENDOR_NVIDIA;
		gpus[i]->driver = i ? driver : "nvidia";
		gpus[i]->mode = i ? GS_MODE_WHOLE : GS_MODE_VGPU;
	}
	gpus[0]->vfs.total = gpus[0]->vfs.enabled = GS_U32(LOST);
	for (uint32_t i = 0; i < instances; i++) {
		struct gs_instance *inst = gs_gpu_add_instance(s, gpus[0]);

		*inst = (struct gs_instance){ .id = i, .kind = GS_KIND_VGPU, .profile = "L40S-1Q", .vf = GS_U32(i), .start = GS_U32(i), .size = GS_U32(1) };
	}
	assert_int_equal(gs_snapshot_seal(s, &e), 0);
	return s;
}

static void no_gpu_goes_unmentioned(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *was = machine(LOST, "nvidia"), *now = machine(0, "vfio-pci");
	struct gs_plan_base base[2] = { { .gpu = 0, .bdf = { 0, 1, 0, 0 } }, { .gpu = 1, .bdf = { 0, 2, 0, 0 } } };
	const struct gs_plan plan = { .snapshot = was, .base = base, .n_base = 2 };
	GS_STRBUF struct gs_strbuf some = GS_STRBUF_INIT, all = GS_STRBUF_INIT;
	size_t n = gs_compare_undone(&plan, now, GS_COMPARE_SENTENCE, &some);

	(void)state;
	assert_true(n > GS_COMPARE_SENTENCE);
	assert_non_null(strstr(some.text, "GPU 1 has driver vfio-pci, not nvidia"));
	assert_non_null(strstr(some.text, "; and "));
	/* whoever asks for all of it gets it */
	assert_int_equal(gs_compare_undone(&plan, now, GS_COMPARE_ALL, &all), n);
	assert_null(strstr(all.text, "; and "));
	assert_true(all.length > some.length);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(no_gpu_goes_unmentioned) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
