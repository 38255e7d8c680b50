/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commits on machines of every family: what stays pending, units on every way out, what an undo finds. */
#include "tests/lib/cmocka.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "core/commit.h"
#include "tests/lib/famhost.h"
#include "tests/lib/testhost.h"

struct machine {
	struct fam_host host;
	const char *script;
	struct gs_strbuf log;
	size_t ran, fail_at, wait_at;   /* the n-th step is refused, or still waits in the kernel */
	bool shows_at_once;             /* what waits can be seen already */
	unsigned skip_at;               /* this step is reported as done and does nothing */
	const char *fail_unit;          /* this unit does not start */
	bool allow_reset;
	bool keeps_wishes;              /* the driver takes the active memory mode for nothing to do (interfaces 6.3) */
	const char *intruder;           /* after the failed step the machine is this */
};

static void machine_done(struct machine *m)
{
	gs_strbuf_done(&m->log);
}
#define MACHINE GS_CLEANUP(machine_done) struct machine

static int collect(void *userdata, struct gs_snapshot **ret, struct gs_error *e)
{
	struct machine *m = userdata;

	(void)e;
	*ret = fam_host_look(&m->host);
	return 0;
}

static int run(void *userdata, const struct gs_step *step, struct gs_step_outcome *ret, struct gs_error *e)
{
	struct machine *m = userdata;
	char wish[32];
	int r;

	m->ran++;
	gs_strbuf_printf(&m->log, "%s%s", m->log.length ? " " : "", gs_step_op_name(step->op));
	if (m->ran == m->fail_at || (m->fail_unit && step->op == GS_STEP_START_UNIT)) {
		if (m->intruder)
			fam_host_parse(&m->host, m->intruder);
		return gs_error_set(e, -EIO, GS_STATUS_FAILED, "refused by the test");
	}
	if (m->ran == m->skip_at)
		return 0;
	if (m->ran == m->wait_at) {
		if (m->shows_at_once)
			fam_host_step(&m->host, step);
		ret->is_pending = true;
		snprintf(ret->note, sizeof(ret->note), "it waits for pid 7 to let go");
		return 0;
	}
	snprintf(wish, sizeof(wish), "%s", m->host.gpus[0].settings[1].pending);
	r = fam_host_step(&m->host, step);
	if (r == 0 && m->keeps_wishes && step->op == GS_STEP_SET_SETTING && !m->host.gpus[0].settings[1].pending[0])
		snprintf(m->host.gpus[0].settings[1].pending, sizeof(wish), "%s", wish);
	return r < 0 ? gs_error_set(e, r, GS_STATUS_FAILED, "refused by the driver: %s", step->text) : 0;
}

static int plan_again(void *userdata, const struct gs_snapshot *s, struct gs_plan **ret, struct gs_error *e)
{
	static const struct gs_disrupt disrupt = { .kind = GS_DISRUPT_UNIT, .unit = "nvidia-persistenced.service" };
	static const struct gs_service service = { "nvidia-persistenced.service", "its work waits" };
	const struct gs_plan_options options = { .disrupt = &disrupt, .n_disrupt = 1, .services = &service, .n_services = 1,
		.allow_reset = ((const struct machine *)userdata)->allow_reset };
	struct machine *m = userdata;

	return gs_testhost_plan(s, m->script, &options, ret, e);
}

static int commit(struct machine *m, struct gs_commit_result *ret, struct gs_error *e)
{
	static const struct gs_commit_ops ops = { .collect = collect, .run = run };
	const struct gs_commit_source source = { plan_again, m };
	const struct gs_commit_options options = { .yes = true };

	return gs_commit_run(&ops, m, &source, &options, ret, e);
}

static struct machine machine_of(const char *spec, const char *script)
{
	struct machine m = { .script = script };

	fam_host_parse(&m.host, spec);
	return m;
}

static void expect_machine(const struct machine *m, const char *spec)
{
	GS_FREE char *is = fam_host_text(&m->host), *should = NULL;
	struct fam_host h;

	fam_host_parse(&h, spec);
	should = fam_host_text(&h);
	assert_string_equal(is, should);
}

#define RESULT GS_COMMIT_RESULT struct gs_commit_result

/* ---------------------------------------------------------------- what stays pending */

static void a_write_that_waits_ends_the_commit_with_8(void **state)
{
	MACHINE m = machine_of("l40s", "mode 0 passthrough");
	RESULT result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	m.wait_at = 1;
	assert_int_equal(commit(&m, &result, &e), 0);
	assert_int_equal(result.status, GS_STATUS_PENDING);
	assert_string_equal(m.log.text, "unbind-driver");
	assert_non_null(strstr(result.text, "it waits for pid 7 to let go"));
	assert_non_null(strstr(result.text, "steps after it were not done"));
	assert_false(result.undone);
}

/* An unbind that waits has taken the link away already: the next step would wait behind it. */
static void what_can_be_seen_of_a_write_that_waits_is_no_end_of_it(void **state)
{
	MACHINE m = machine_of("l40s", "mode 0 passthrough");
	RESULT result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	m.wait_at = 1;
	m.shows_at_once = true;
	assert_int_equal(commit(&m, &result, &e), 0);
	assert_int_equal(result.status, GS_STATUS_PENDING);
	assert_string_equal(m.log.text, "unbind-driver");
}

/* Without NVML nobody tells the mode of a GPU that might have MIG; its driver comes back all the same. */
static void a_driver_comes_back_where_nobody_knows_the_mode(void **state)
{
	MACHINE m = machine_of("l40s blind", "mode 0 passthrough");
	RESULT result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	m.fail_at = 2;
	assert_true(commit(&m, &result, &e) < 0);
	assert_true(result.undone);
	assert_string_equal(m.log.text, "unbind-driver bind-driver bind-driver");
	expect_machine(&m, "l40s blind");
}

static void a_setting_that_waits_for_a_reload_lets_the_rest_go_on(void **state)
{
	MACHINE m = machine_of("mi300x | mi300x", "set all memory-partition NPS4\nset 1 compute-partition DPX");
	RESULT result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	assert_int_equal(commit(&m, &result, &e), 0);
	assert_int_equal(result.status, GS_STATUS_PENDING);
	assert_string_equal(m.log.text, "set-setting set-setting set-setting");
	assert_int_equal(result.done, 3);
	assert_non_null(strstr(result.text, "2 accepted but pending"));
	expect_machine(&m, "mi300x set:memory-partition=NPS1,NPS4 | mi300x set:memory-partition=NPS1,NPS4 set:compute-partition=DPX");
}

static void a_wish_that_cannot_be_taken_back_is_not_called_undone(void **state)
{
	MACHINE m = machine_of("mi300x", "set 0 memory-partition NPS4\nset 0 compute-partition DPX");
	RESULT result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	m.fail_at = 2;
	m.keeps_wishes = true;
	assert_true(commit(&m, &result, &e) < 0);
	assert_int_equal(result.status, GS_STATUS_NOT_UNDONE);
	assert_non_null(strstr(result.text, "NPS4 is still pending"));
}

static void an_older_wish_comes_back(void **state)
{
	MACHINE m = machine_of("mi300x set:memory-partition=NPS1,NPS4", "set 0 memory-partition NPS1\nset 0 compute-partition DPX");
	RESULT result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	m.fail_at = 2;
	assert_true(commit(&m, &result, &e) < 0);
	assert_true(result.undone);
	expect_machine(&m, "mi300x set:memory-partition=NPS1,NPS4");
}

/* ---------------------------------------------------------------- units */

static void a_unit_is_started_again_after_success(void **state)
{
	MACHINE m = machine_of("l40s persistenced", "mode 0 vgpu");
	RESULT result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	assert_int_equal(commit(&m, &result, &e), 0);
	assert_int_equal(result.status, GS_STATUS_OK);
	assert_string_equal(m.log.text, "stop-unit enable-vfs start-unit");
	expect_machine(&m, "l40s vfs=32 persistenced");
}

static void a_unit_is_started_again_after_a_failure_and_behind_the_undo(void **state)
{
	MACHINE m = machine_of("l40s persistenced", "mode 0 vgpu\ncreate 0 L40S-24Q");
	RESULT result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	m.fail_at = 3;
	assert_true(commit(&m, &result, &e) < 0);
	assert_true(result.undone);
	/* while it runs sriov-manage would be refused */
	assert_string_equal(m.log.text, "stop-unit enable-vfs create-vgpu disable-vfs start-unit");
	expect_machine(&m, "l40s persistenced");
}

static void a_unit_whose_stop_failed_half_way_is_started(void **state)
{
	MACHINE m = machine_of("l40s persistenced", "mode 0 vgpu");
	RESULT result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	m.fail_at = 1;
	assert_true(commit(&m, &result, &e) < 0);
	assert_string_equal(m.log.text, "stop-unit start-unit");
}

static void a_unit_is_started_again_when_a_step_stays_pending(void **state)
{
	MACHINE m = machine_of("rtxpro reset persistenced", "mode 0 mig\ncreate 0 1g.24gb at 0");
	RESULT result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	assert_int_equal(commit(&m, &result, &e), 0);
	assert_int_equal(result.status, GS_STATUS_PENDING);
	assert_string_equal(m.log.text, "stop-unit set-mode start-unit");
	expect_machine(&m, "rtxpro reset pending-mig persistenced");
}

/* ---------------------------------------------------------------- resets */

static void a_pending_mode_is_made_active_by_the_reset_of_the_plan(void **state)
{
	MACHINE m = machine_of("rtxpro reset persistenced", "mode 0 mig\ncreate 0 1g.24gb at 0");
	RESULT result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	m.allow_reset = true;
	assert_int_equal(commit(&m, &result, &e), 0);
	assert_int_equal(result.status, GS_STATUS_OK);
	assert_string_equal(m.log.text, "stop-unit set-mode reset-gpu create-gi create-ci start-unit");
	expect_machine(&m, "rtxpro reset mig 1g.24gb@0 persistenced");
}

/* Whatever step fails, the way back may use the same means as the way there. */
static void a_failure_around_a_reset_is_undone(void **state)
{
	static const struct {
		unsigned fail_at;
		const char *log;
	} rows[] = {
		{ 2, "stop-unit set-mode start-unit" },
		{ 3, "stop-unit set-mode reset-gpu set-mode start-unit" },
		{ 4, "stop-unit set-mode reset-gpu create-gi set-mode reset-gpu start-unit" },
		{ 5, "stop-unit set-mode reset-gpu create-gi create-ci destroy-gi set-mode reset-gpu start-unit" },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(rows); i++) {
		MACHINE m = machine_of("rtxpro reset persistenced", "mode 0 mig\ncreate 0 1g.24gb at 0");
		RESULT result = { 0 };
		struct gs_error e = { 0 };

		m.allow_reset = true;
		m.fail_at = rows[i].fail_at;
		assert_true(commit(&m, &result, &e) < 0);
		assert_string_equal(m.log.text, rows[i].log);
		assert_int_equal(result.status, GS_STATUS_FAILED);
		assert_true(result.undone);
		expect_machine(&m, "rtxpro reset persistenced");
	}
}

/* Reported as done, and still pending: that is no success. */
static void a_reset_that_did_nothing_is_undone(void **state)
{
	MACHINE m = machine_of("rtxpro reset", "mode 0 mig");
	RESULT result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	m.allow_reset = true;
	m.skip_at = 2;
	assert_true(commit(&m, &result, &e) < 0);
	assert_non_null(strstr(result.text, "still pending"));
	assert_true(result.undone);
	expect_machine(&m, "rtxpro reset");
}

static void a_unit_that_does_not_start_undoes_nothing_and_is_named(void **state)
{
	MACHINE m = machine_of("l40s persistenced", "mode 0 vgpu");
	RESULT result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	m.fail_unit = "nvidia-persistenced.service";
	assert_true(commit(&m, &result, &e) < 0);
	assert_int_equal(result.status, GS_STATUS_NOT_UNDONE);
	assert_false(result.undone);
	assert_string_equal(m.log.text, "stop-unit enable-vfs start-unit");
	assert_non_null(strstr(result.text, "systemctl start nvidia-persistenced.service"));
	expect_machine(&m, "l40s vfs=32");
}

static void a_failed_commit_names_the_unit_that_stays_down(void **state)
{
	MACHINE m = machine_of("l40s persistenced", "mode 0 vgpu\ncreate 0 L40S-24Q");
	RESULT result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	m.fail_at = 3;
	m.fail_unit = "nvidia-persistenced.service";
	assert_true(commit(&m, &result, &e) < 0);
	assert_int_equal(result.status, GS_STATUS_FAILED);
	assert_non_null(strstr(result.text, "unit nvidia-persistenced.service could not be started again"));
}

/* ---------------------------------------------------------------- undo */

static void another_type_on_the_same_vf_gives_way_to_the_old_one(void **state)
{
	MACHINE m = machine_of("l40s vfs=32 L40S-24Q@3", "delete 0 vf:3\ncreate 0 L40S-48Q vf 3\nset 0/vf:3 limit 5");
	RESULT result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	m.fail_at = 3;
	assert_true(commit(&m, &result, &e) < 0);
	assert_true(result.undone);
	expect_machine(&m, "l40s vfs=32 L40S-24Q@3");
}

static void another_uuid_on_the_same_vf_gives_way_to_the_old_one(void **state)
{
	MACHINE m = machine_of("a2 vfs=16 A2-4Q@3#1", "delete 0 vf:3\ncreate 0 A2-4Q vf 3 uuid 0000c0de-0000-4000-8000-000000000002 param limit=1");
	RESULT result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	m.fail_at = 3;
	assert_true(commit(&m, &result, &e) < 0);
	assert_true(result.undone);
	expect_machine(&m, "a2 vfs=16 A2-4Q@3#1");
}

static void somebody_elses_vgpu_survives_the_undo(void **state)
{
	MACHINE m = machine_of("l40s vfs=32", "create 0 L40S-12Q vf 3\ncreate 0 L40S-12Q vf 4");
	RESULT result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	m.fail_at = 2;
	m.intruder = "l40s vfs=32 L40S-12Q@3 L40S-12A@9";
	assert_true(commit(&m, &result, &e) < 0);
	assert_true(result.undone);
	expect_machine(&m, "l40s vfs=32 L40S-12A@9");
}

static void a_claim_that_was_confirmed_does_not_stop_the_undo(void **state)
{
	MACHINE m = machine_of("flex vfs=4 vf:2~", "vfs 0 6\nset 0/vf:1 exec_quantum_ms 5");
	RESULT result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	m.fail_at = 3;
	assert_true(commit(&m, &result, &e) < 0);
	assert_int_equal(result.status, GS_STATUS_FAILED);
	assert_true(result.undone);
	expect_machine(&m, "flex vfs=4 vf:2~");
}

static void a_claim_that_came_since_stops_the_undo(void **state)
{
	MACHINE m = machine_of("flex vfs=4", "vfs 0 6\nset 0/vf:1 exec_quantum_ms 5");
	RESULT result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	m.fail_at = 3;
	m.intruder = "flex vfs=6 vf:2~";
	assert_true(commit(&m, &result, &e) < 0);
	assert_int_equal(result.status, GS_STATUS_NOT_UNDONE);
	expect_machine(&m, "flex vfs=6 vf:2~");
}

static void parameters_of_vfs_that_went_come_back(void **state)
{
	MACHINE m = machine_of("flex vfs=4 vf:2{exec_quantum_ms=7}", "vfs 0 6\nset 0/vf:1 exec_quantum_ms 5");
	RESULT result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	m.fail_at = 3;
	assert_true(commit(&m, &result, &e) < 0);
	assert_true(result.undone);
	expect_machine(&m, "flex vfs=4 vf:2{exec_quantum_ms=7}");
}

static void shares_that_come_before_vfs_are_on_come_back(void **state)
{
	static const size_t at[] = { 1, 2, 3, 4, 5 };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(at); i++) {
		MACHINE m = machine_of("pvc vfs=3 vf:1{vram_quota=4000} vf:2{exec_quantum_ms=7,vram_quota=2000}", "vfs 0 2\nset 0/vf:0 vram_quota 100\nset 0/vf:1 exec_quantum_ms 5");
		RESULT result = { 0 };
		struct gs_error e = { 0 };

		m.fail_at = at[i];
		if (commit(&m, &result, &e) == 0) {
			assert_true(i + 1 == GS_ARRAY_SIZE(at));
			continue;
		}
		assert_true(result.undone);
		expect_machine(&m, "pvc vfs=3 vf:1{vram_quota=4000} vf:2{exec_quantum_ms=7,vram_quota=2000}");
	}
}

static void what_had_no_driver_keeps_the_one_it_got_and_that_is_said(void **state)
{
	MACHINE m = machine_of("l40s stranded", "mode 0 vgpu");
	RESULT result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	m.fail_at = 3;
	assert_true(commit(&m, &result, &e) < 0);
	assert_non_null(strstr(result.text, "what had no driver keeps the one it got"));
	expect_machine(&m, "l40s");
}

static void a_tool_that_strands_the_gpu_is_repaired_by_the_undo(void **state)
{
	MACHINE m = machine_of("l40s", "mode 0 vgpu");
	RESULT result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	m.fail_at = 1;
	m.intruder = "l40s stranded=32";
	assert_true(commit(&m, &result, &e) < 0);
	assert_true(result.undone);
	expect_machine(&m, "l40s");
}

/* Off its driver nobody tells what a GPU can be cut into: what has to come back comes after another look, not under number 0. */
static void an_undo_creates_nothing_before_it_knows_the_type(void **state)
{
	MACHINE m = machine_of("l40s vfs=32 L40S-24Q@3", "delete 0 all\nmode 0 passthrough");
	RESULT result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	m.fail_at = 4;
	assert_true(commit(&m, &result, &e) < 0);
	assert_true(result.undone);
	assert_string_equal(m.log.text, "remove-vgpu disable-vfs unbind-driver bind-driver bind-driver enable-vfs create-vgpu");
	expect_machine(&m, "l40s vfs=32 L40S-24Q@3");
}

static void a_vgpu_that_came_to_another_gi_goes_back_to_its_own(void **state)
{
	MACHINE m = machine_of("rtxpro mig vfs=48 1g.24gb@0 1g.24gb@3 DC-1-24Q@1/3",
			       "delete 0 vf:1\ndelete 0 1g.24gb@3\ncreate 0 DC-1-24Q vf 1 param limit=1");
	RESULT result = { 0 };
	struct gs_error e = { 0 };

	(void)state;
	m.fail_at = 5;
	assert_true(commit(&m, &result, &e) < 0);
	assert_true(result.undone);
	assert_non_null(strstr(m.log.text, "remove-vgpu destroy-ci destroy-gi create-vgpu set-param"));
	expect_machine(&m, "rtxpro mig vfs=48 1g.24gb@0 1g.24gb@3 DC-1-24Q@1/3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_write_that_waits_ends_the_commit_with_8),
		cmocka_unit_test(what_can_be_seen_of_a_write_that_waits_is_no_end_of_it),
		cmocka_unit_test(a_driver_comes_back_where_nobody_knows_the_mode),
		cmocka_unit_test(a_setting_that_waits_for_a_reload_lets_the_rest_go_on),
		cmocka_unit_test(a_wish_that_cannot_be_taken_back_is_not_called_undone),
		cmocka_unit_test(an_older_wish_comes_back),
		cmocka_unit_test(a_unit_is_started_again_after_success),
		cmocka_unit_test(a_unit_is_started_again_after_a_failure_and_behind_the_undo),
		cmocka_unit_test(a_unit_whose_stop_failed_half_way_is_started),
		cmocka_unit_test(a_unit_is_started_again_when_a_step_stays_pending),
		cmocka_unit_test(a_pending_mode_is_made_active_by_the_reset_of_the_plan),
		cmocka_unit_test(a_failure_around_a_reset_is_undone),
		cmocka_unit_test(a_reset_that_did_nothing_is_undone),
		cmocka_unit_test(a_unit_that_does_not_start_undoes_nothing_and_is_named),
		cmocka_unit_test(a_failed_commit_names_the_unit_that_stays_down),
		cmocka_unit_test(another_type_on_the_same_vf_gives_way_to_the_old_one),
		cmocka_unit_test(another_uuid_on_the_same_vf_gives_way_to_the_old_one),
		cmocka_unit_test(somebody_elses_vgpu_survives_the_undo),
		cmocka_unit_test(a_claim_that_was_confirmed_does_not_stop_the_undo),
		cmocka_unit_test(a_claim_that_came_since_stops_the_undo),
		cmocka_unit_test(parameters_of_vfs_that_went_come_back),
		cmocka_unit_test(shares_that_come_before_vfs_are_on_come_back),
		cmocka_unit_test(what_had_no_driver_keeps_the_one_it_got_and_that_is_said),
		cmocka_unit_test(an_undo_creates_nothing_before_it_knows_the_type),
		cmocka_unit_test(a_vgpu_that_came_to_another_gi_goes_back_to_its_own),
		cmocka_unit_test(a_tool_that_strands_the_gpu_is_repaired_by_the_undo),
	};

	return cmocka_run_group_tests_name("commit families", tests, NULL, NULL);
}
