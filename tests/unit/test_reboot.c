/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is told of a machine after a reboot, rule by rule, and that nothing is guessed. */
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "core/reboot.h"
#include "tests/lib/cmocka.h"

struct machine {
	struct gs_snapshot *s, *after;
	struct gs_gpu *gpu;
	struct gs_arena *arena;
	struct gs_reboot_item *items;
	size_t n;
	uint32_t unknown;
};

#define BIT(id) (1u << GS_REBOOT_MEMBER_##id)

/* An NVIDIA GPU that can be cut by MIG, driven and whole, of which the generation is not known. */
static struct machine make(void)
{
	struct machine m = { .s = gs_snapshot_new(), .arena = gs_arena_new() };

	m.gpu = gs_snapshot_add_gpu(m.s, (struct gs_bdf){ 0, 1, 0, 0 });
	m.gpu->vendor = GS_VENDOR_NVIDIA;
	m.gpu->driver = "nvidia";
	m.gpu->uuid = "GPU-1";
	m.gpu->framework = GS_FRAMEWORK_NVML;
	m.gpu->mode = GS_MODE_WHOLE;
	m.gpu->mode_pending = GS_MODE_INVALID;
	m.gpu->modes = 1u << GS_MODE_WHOLE | 1u << GS_MODE_MIG;
	return m;
}

static struct machine make_of(bool is_ampere)
{
	struct machine m = make();

	m.gpu->mode_survives_reboot = is_ampere;
	m.gpu->mode_survival_is_known = true;
	return m;
}

static struct gs_instance *add_instance(struct machine *m, enum gs_instance_kind kind, const char *profile, uint32_t start)
{
	struct gs_instance *inst = gs_gpu_add_instance(m->s, m->gpu);

	inst->kind = kind;
	inst->profile = profile;
	inst->start = GS_U32(start);
	inst->size = GS_U32(1);
	inst->id = start;
	return inst;
}

static struct gs_setting *add_setting(struct machine *m, const char *key, const char *value, const char *const *choices, size_t n)
{
	struct gs_setting *setting = gs_gpu_add_setting(m->s, m->gpu);

	setting->key = key;
	setting->value = value;
	setting->choices = choices;
	setting->n_choices = n;
	return setting;
}

/* Tell, of the machine as it stands; m.gpu is then the one of after. */
static void tell(struct machine *m)
{
	const struct gs_gpu *before = m->gpu;

	assert_int_equal(gs_snapshot_seal(m->s, NULL), 0);
	assert_int_equal(gs_reboot_snapshot(m->s, &m->after, NULL), 0);
	assert_int_equal(gs_reboot_items(before, m->arena, &m->items, &m->n), 0);
	for (size_t i = 0; i < m->n; i++) {
		m->unknown |= m->items[i].members;
		/* only what is unknown makes something unknown */
		assert_true(m->items[i].fate == GS_REBOOT_UNKNOWN || !m->items[i].members);
	}
	m->gpu = (struct gs_gpu *)gs_snapshot_gpu(m->after, 0);
	/* a mode that is not told is told to be unknown, and the other way round */
	assert_int_equal(m->gpu->mode == GS_MODE_INVALID, (m->unknown & BIT(MODE)) != 0);
	assert_int_equal(m->gpu->n_instances + m->gpu->n_holders + m->gpu->n_writes + m->gpu->vfs.n_functions, 0);
}

static void done(struct machine *m)
{
	gs_snapshot_unref(m->after);
	gs_snapshot_unref(m->s);
	gs_arena_free(m->arena);
}

static void says(const struct machine *m, enum gs_reboot_fate fate, const char *what, const char *why)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->items[i].fate == fate && strstr(m->items[i].what, what) && strstr(m->items[i].why, why))
			return;
	for (size_t i = 0; i < m->n; i++)
		print_error("%s %s: %s\n", gs_reboot_fate_name(m->items[i].fate), m->items[i].what, m->items[i].why);
	fail_msg("no «%s … %s»", what, why);
}

static const char *value_of(const struct machine *m, const char *key)
{
	const struct gs_setting *setting = gs_gpu_setting(m->gpu, key);

	assert_non_null(setting);
	return setting->value;
}

static void ampere_keeps_mig_mode_but_no_instance(void **state)
{
	struct machine m = make_of(true);

	(void)state;
	m.gpu->mode = GS_MODE_MIG;
	add_instance(&m, GS_KIND_MIG, "3g.20gb", 4);
	add_instance(&m, GS_KIND_MIG, "1g.5gb", 0);
	tell(&m);
	assert_int_equal(m.gpu->mode, GS_MODE_MIG);
	assert_int_equal(m.n, 2);
	says(&m, GS_REBOOT_LOST, "2 GPU instances (1g.5gb@0, 3g.20gb@4)", "no board");
	says(&m, GS_REBOOT_KEPT, "MIG mode", "Ampere");
	assert_int_equal(m.unknown, 0);
	done(&m);
}

static void later_generations_do_not(void **state)
{
	struct machine m = make_of(false);

	(void)state;
	m.gpu->mode = GS_MODE_MIG;
	tell(&m);
	assert_int_equal(m.gpu->mode, GS_MODE_WHOLE);
	says(&m, GS_REBOOT_LOST, "MIG mode", "Hopper");
	done(&m);
}

static void an_unknown_generation_is_not_guessed(void **state)
{
	struct machine m = make();

	(void)state;
	m.gpu->mode = GS_MODE_MIG;
	tell(&m);
	assert_int_equal(m.unknown, BIT(MODE) | BIT(SETTINGS));
	says(&m, GS_REBOOT_UNKNOWN, "MIG mode", "neither driver nor catalogue");
	done(&m);

	/* and does not matter while MIG is off */
	m = make();
	tell(&m);
	assert_int_equal(m.gpu->mode, GS_MODE_WHOLE);
	assert_int_equal(m.n, 0);
	done(&m);
}

static void what_is_pending_comes_on_ampere_and_goes_elsewhere(void **state)
{
	static const struct {
		bool is_ampere;
		enum gs_mode mode, pending, after;
	} cases[] = {
		{ true, GS_MODE_WHOLE, GS_MODE_MIG, GS_MODE_MIG },
		{ true, GS_MODE_MIG, GS_MODE_WHOLE, GS_MODE_WHOLE },
		{ false, GS_MODE_WHOLE, GS_MODE_MIG, GS_MODE_WHOLE },
		{ false, GS_MODE_MIG, GS_MODE_WHOLE, GS_MODE_WHOLE },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(cases); i++) {
		struct machine m = make_of(cases[i].is_ampere);

		m.gpu->mode = cases[i].mode;
		m.gpu->mode_pending = cases[i].pending;
		tell(&m);
		assert_int_equal(m.gpu->mode, cases[i].after);
		assert_int_equal(m.gpu->mode_pending, GS_MODE_INVALID);
		says(&m, cases[i].is_ampere ? GS_REBOOT_KEPT : GS_REBOOT_LOST, "MIG mode", "");
		done(&m);
	}
}

static void vfs_and_vgpus_go(void **state)
{
	struct machine m = make_of(true);
	struct gs_instance *inst;

	(void)state;
	m.gpu->mode = GS_MODE_MIG_VGPU;
	m.gpu->modes |= 1u << GS_MODE_VGPU | 1u << GS_MODE_MIG_VGPU;
	m.gpu->framework = GS_FRAMEWORK_VENDOR_VFIO;
	m.gpu->vfs.total = GS_U32(16);
	m.gpu->vfs.enabled = GS_U32(16);
	inst = add_instance(&m, GS_KIND_VGPU, "A30-1-6C", 3);
	inst->vf = GS_U32(3);
	gs_gpu_add_vf(m.s, m.gpu);
	tell(&m);
	assert_int_equal(m.gpu->mode, GS_MODE_MIG);
	assert_true(gs_u32_is(m.gpu->vfs.enabled, 0));
	says(&m, GS_REBOOT_LOST, "1 vGPU (A30-1-6C on VF 3)", "forgets");
	says(&m, GS_REBOOT_LOST, "16 VFs", "somebody enables them");
	done(&m);
}

static void mdevs_of_a_pf_go_and_its_mode_stays(void **state)
{
	struct machine m = make_of(false);

	(void)state;
	m.gpu->mode = GS_MODE_VGPU;
	m.gpu->modes = 1u << GS_MODE_VGPU;
	m.gpu->framework = GS_FRAMEWORK_MDEV;
	add_instance(&m, GS_KIND_VGPU, "T4-4Q", 0)->uuid = "8f3b0f52-3f8a-4c6d-9a41-0d5b7a1e6c01";
	tell(&m);
	assert_int_equal(m.gpu->mode, GS_MODE_VGPU);
	says(&m, GS_REBOOT_LOST, "T4-4Q 8f3b0f52", "mdevctl");
	done(&m);
}

static void settings_of_vgpus_are_the_drivers_again(void **state)
{
	static const char *const off_on[] = { "off", "on" }, *const policies[] = { "best-effort", "equal-share" };
	struct machine m = make_of(false);

	(void)state;
	add_setting(&m, "heterogeneous", "on", off_on, 2);
	add_setting(&m, "scheduler", "equal-share:arr=on", policies, 2);
	tell(&m);
	assert_string_equal(value_of(&m, "heterogeneous"), "off");
	assert_string_equal(value_of(&m, "scheduler"), "best-effort");
	says(&m, GS_REBOOT_LOST, "heterogeneous on", "off");
	says(&m, GS_REBOOT_LOST, "scheduler equal-share:arr=on", "best-effort");
	done(&m);

	/* in MIG mode nobody can read them, so MIG going shows them */
	for (int is_ampere = 0; is_ampere < 2; is_ampere++) {
		m = make_of(is_ampere);
		m.gpu->mode = GS_MODE_MIG;
		add_setting(&m, "heterogeneous", NULL, off_on, 2);
		add_setting(&m, "scheduler", NULL, policies, 2)->fixed = "no such call";
		tell(&m);
		if (is_ampere)
			assert_null(value_of(&m, "heterogeneous"));
		else
			assert_string_equal(value_of(&m, "heterogeneous"), "off");
		assert_null(value_of(&m, "scheduler"));
		done(&m);
	}
}

static void partitions_and_shares_come_up_in_their_defaults(void **state)
{
	static const char *const compute[] = { "SPX", "CPX" }, *const memory[] = { "NPS1", "NPS4" }, *const odd[] = { "DPX", "CPX" };
	struct machine m = make();

	(void)state;
	m.gpu->vendor = GS_VENDOR_AMD;
	m.gpu->driver = "amdgpu";
	m.gpu->modes = 1u << GS_MODE_WHOLE;
	add_setting(&m, "compute-partition", "CPX", compute, 2);
	add_setting(&m, "memory-partition", "NPS1", memory, 2)->pending = "NPS4";
	add_setting(&m, "sched-priority", "high", NULL, 0);
	tell(&m);
	assert_string_equal(value_of(&m, "compute-partition"), "SPX");
	assert_string_equal(value_of(&m, "memory-partition"), "NPS1");
	assert_null(gs_gpu_setting(m.gpu, "memory-partition")->pending);
	says(&m, GS_REBOOT_LOST, "compute-partition CPX", "SPX as a rule");
	says(&m, GS_REBOOT_LOST, "memory-partition NPS4, which is pending", "NPS1");
	done(&m);

	/* one that does not have the usual default, and a setting of which no source tells one */
	m = make_of(false);
	add_setting(&m, "compute-partition", "CPX", odd, 2);
	add_setting(&m, "what-else", "7", NULL, 0);
	tell(&m);
	assert_null(value_of(&m, "compute-partition"));
	assert_int_equal(m.unknown, BIT(SETTINGS));
	says(&m, GS_REBOOT_UNKNOWN, "compute-partition", "not known");
	says(&m, GS_REBOOT_UNKNOWN, "what-else", "not known");
	done(&m);
}

static void give_away(struct machine *m, const char *driver_override, const char *original)
{
	m->gpu->driver = "vfio-pci";
	m->gpu->driver_override = driver_override;
	m->gpu->original_driver = original;
	m->gpu->mode = GS_MODE_PASSTHROUGH;
	m->gpu->modes |= 1u << GS_MODE_PASSTHROUGH;
	m->gpu->uuid = NULL;
}

static void a_gpu_that_was_given_away_comes_home(void **state)
{
	struct machine m = make();
	struct gs_sibling *audio;

	(void)state;
	m.gpu->modes = 1u << GS_MODE_WHOLE;
	give_away(&m, "vfio-pci", "nvidia");
	audio = gs_gpu_add_sibling(m.s, m.gpu);
	audio->driver = "vfio-pci";
	audio->original_driver = "snd_hda_intel";
	tell(&m);
	assert_int_equal(m.gpu->mode, GS_MODE_WHOLE);
	assert_string_equal(m.gpu->driver, "nvidia");
	assert_string_equal(m.gpu->siblings[0]->driver, "snd_hda_intel");
	assert_null(m.gpu->driver_override);
	says(&m, GS_REBOOT_LOST, "driver_override vfio-pci", "so nvidia takes the GPU again, unless ids=");
	assert_int_equal(m.unknown, BIT(UUID) | BIT(SETTINGS));
	done(&m);

	/* a guest may have switched MIG on, and the board keeps that */
	m = make();
	give_away(&m, "vfio-pci", "nvidia");
	tell(&m);
	assert_int_equal(m.unknown, BIT(UUID) | BIT(SETTINGS) | BIT(MODE));
	done(&m);

	/* nobody remembers what it was */
	m = make();
	m.gpu->modes = 1u << GS_MODE_WHOLE;
	give_away(&m, "vfio-pci", NULL);
	tell(&m);
	assert_int_equal(m.unknown, BIT(UUID) | BIT(SETTINGS) | BIT(MODE));
	says(&m, GS_REBOOT_LOST, "driver_override", "whichever that is");
	done(&m);

	/* no other vendor's board keeps anything */
	m = make();
	m.gpu->vendor = GS_VENDOR_AMD;
	m.gpu->modes = 1u << GS_MODE_WHOLE;
	give_away(&m, "vfio-pci", NULL);
	tell(&m);
	assert_int_equal(m.gpu->mode, GS_MODE_WHOLE);
	assert_int_equal(m.unknown, BIT(SETTINGS));
	done(&m);
}

static void without_an_override_it_is_not_known_who_comes(void **state)
{
	struct machine m = make();

	(void)state;
	give_away(&m, NULL, NULL);
	tell(&m);
	assert_int_equal(m.unknown, BIT(UUID) | BIT(SETTINGS) | BIT(MODE));
	says(&m, GS_REBOOT_UNKNOWN, "the driver vfio-pci", "by ids= it has it after a boot too");
	done(&m);

	m = make();
	m.gpu->driver = NULL;
	m.gpu->mode = GS_MODE_INVALID;
	tell(&m);
	says(&m, GS_REBOOT_UNKNOWN, "its driver", "none has it now");
	done(&m);
}

static void what_cannot_be_asked_is_unknown(void **state)
{
	struct machine m = make_of(true);

	(void)state;
	m.gpu->mode = GS_MODE_MIG;
	m.gpu->lost = "it has fallen off the bus";
	tell(&m);
	assert_int_equal(m.unknown, BIT(MODE) | BIT(SETTINGS) | BIT(INSTANCES));
	says(&m, GS_REBOOT_UNKNOWN, "all of it", "fallen off the bus");
	done(&m);

	m = make_of(true);
	m.gpu->mode = GS_MODE_INVALID;
	tell(&m);
	says(&m, GS_REBOOT_UNKNOWN, "its mode", "cannot be read");
	done(&m);

	m = make();
	m.gpu->vendor = GS_VENDOR_AMD;
	m.gpu->driver = "gim";
	m.gpu->mode = GS_MODE_SRIOV;
	m.gpu->vfs.total = m.gpu->vfs.enabled = GS_U32(8);
	tell(&m);
	assert_int_equal(m.unknown, BIT(MODE) | BIT(VFS) | BIT(INSTANCES));
	assert_false(m.gpu->vfs.enabled.known);
	says(&m, GS_REBOOT_UNKNOWN, "its VFs", "vf_num");
	done(&m);

	m = make_of(true);
	gs_gpu_add_write(m.s, m.gpu);
	m.gpu->stranded = "bound to pci-pf-stub";
	m.gpu->driver = m.gpu->driver_override = "pci-pf-stub";
	tell(&m);
	says(&m, GS_REBOOT_LOST, "the driver pci-pf-stub", "nobody gives");
	says(&m, GS_REBOOT_LOST, "1 write that waits", "not carried out");
	assert_null(m.gpu->stranded);
	done(&m);
}

static void the_layout_is_that_of_the_look(void **state)
{
	struct machine m = make_of(false);
	struct gs_layout *layout = NULL;

	(void)state;
	m.gpu->mode = GS_MODE_MIG;
	add_instance(&m, GS_KIND_MIG, "1g.10gb", 0);
	tell(&m);
	assert_int_equal(gs_reboot_layout(m.s, &layout, NULL), 0);
	assert_true(layout->is_bound);
	assert_int_equal(layout->n_gpus, 1);
	assert_int_equal(layout->gpus[0].mode, GS_MODE_WHOLE);
	assert_int_equal(layout->gpus[0].n_wants, 0);
	gs_layout_free(layout);
	done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ampere_keeps_mig_mode_but_no_instance),
		cmocka_unit_test(later_generations_do_not),
		cmocka_unit_test(an_unknown_generation_is_not_guessed),
		cmocka_unit_test(what_is_pending_comes_on_ampere_and_goes_elsewhere),
		cmocka_unit_test(vfs_and_vgpus_go),
		cmocka_unit_test(mdevs_of_a_pf_go_and_its_mode_stays),
		cmocka_unit_test(settings_of_vgpus_are_the_drivers_again),
		cmocka_unit_test(partitions_and_shares_come_up_in_their_defaults),
		cmocka_unit_test(a_gpu_that_was_given_away_comes_home),
		cmocka_unit_test(without_an_override_it_is_not_known_who_comes),
		cmocka_unit_test(what_cannot_be_asked_is_unknown),
		cmocka_unit_test(the_layout_is_that_of_the_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
