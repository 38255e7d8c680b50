/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a site keeps back: the file and what is wrong with it, and that no name is left. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/site_policy.h"
#include "codec/snapshot_json.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/testfamilies.h"
#include "tests/lib/tree.h"

static int read_policy(const char *text, struct gs_site_policy *ret, struct gs_error *e)
{
	GS_CLEANUP(gs_root_closep) struct gs_root *root = NULL;
	char dir[GS_TREE_DIR];
	int r;

	gs_tree_new(dir);
	assert_int_equal(gs_root_open(GS_ROOT_SYSROOT, dir, &root, NULL), 0);
	if (text)
		gs_tree_put(dir, GS_SITE_POLICY, text);
	r = gs_site_policy_read(root, ret, e);
	gs_tree_remove(dir);
	return r;
}

static void names_are_told_unless_the_site_says_no(void **state)
{
	static const struct {
		const char *text;
		bool names;
	} rows[] = {
		{ NULL, true }, { "{\"schema\":\"gpuslice.policy/1\"}", true }, { "{\"schema\":\"gpuslice.policy/1\",\"publish\":{}}", true },
		{ "{\"schema\":\"gpuslice.policy/1\",\"publish\":{\"names\":true}}", true }, { "{\"schema\":\"gpuslice.policy/1\",\"publish\":{\"names\":false}}", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct gs_site_policy policy = { .publish_names = !rows[i].names };

		assert_int_equal(read_policy(rows[i].text, &policy, NULL), 0);
		assert_int_equal(policy.publish_names, rows[i].names);
	}
}

static void a_mistake_is_no_wish(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "", "policy.json" },
		{ "[]", "policy.json" },
		{ "{}", "schema" },
		{ "{\"schema\":\"gpuslice.policy/2\"}", "must be \"gpuslice.policy/1\"" },
		{ "{\"schema\":\"gpuslice.policy/1\",\"publsh\":{\"names\":false}}", "\"publsh\" is no key" },
		{ "{\"schema\":\"gpuslice.policy/1\",\"publish\":{\"name\":false}}", "\"name\" is no key" },
		{ "{\"schema\":\"gpuslice.policy/1\",\"publish\":{\"names\":\"no\"}}", "names" },
		{ "{\"schema\":\"gpuslice.policy/1\",\"publish\":false}", "publish" },
		{ "{\"schema\":\"gpuslice.policy/1\",\"publish\":{\"names\":null}}", "names" },
		{ "{\"schema\":\"gpuslice.policy/1\",\"publish\":null}", "publish" },
		{ "{\"schema\":\"gpuslice.policy/1\",\"publish\":{\"names\":false,\"names\":true}}", "names" },
		{ "{\"schema\":\"gpuslice.policy/1\",\"publish\":{\"names\":false},\"publish\":{}}", "publish" },
		{ "{\"schema\":\"gpuslice.policy/1\",\"publish\":{\"names\":false}} {", "policy.json" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct gs_site_policy policy = { .publish_names = true };
		struct gs_error e = { 0 };

		if (read_policy(rows[i].text, &policy, &e) != -EBADMSG)
			fail_msg("taken: %s", rows[i].text);
		if (!strstr(e.text, rows[i].says) || !strstr(e.text, "policy.json"))
			fail_msg("%s: %s", rows[i].text, e.text);
		assert_true(policy.publish_names);
	}
}

/* Every string of a holder, whatever it is called, and every place where holders are. */
static void no_name_is_left(void **state)
{
	GS_CLEANUP(gs_snapshot_unrefp) struct gs_snapshot *s = gs_snapshot_new(), *again = NULL;
	struct gs_gpu *gpu = gs_snapshot_add_gpu(s, (struct gs_bdf){ 0, 1, 0, 0 });
	struct gs_instance *inst = gs_gpu_add_instance(s, gpu);
	struct gs_vf *vf = gs_gpu_add_vf(s, gpu);
	struct gs_holder *holders[3];
	GS_JSON struct json_object *o = NULL;
	struct gs_error e;
	const char *text;

	(void)state;
	gpu->vendor = GS_VENDOR_NVIDIA;
	gpu->name = "H100";
	gpu->vfs.total = GS_U32(1);
	vf->bdf = (struct gs_bdf){ 0, 1, 0, 4 };
	*inst = (struct gs_instance){ .kind = GS_KIND_MIG, .profile = "1g.10gb", .uuid = "MIG-1", .vm_uuid = "secret" };
	holders[0] = gs_gpu_add_holder(s, gpu);
	holders[1] = gs_instance_add_holder(s, inst);
	holders[2] = gs_vf_add_holder(s, vf);
	for (int i = 0; i < 3; i++)
		*holders[i] = (struct gs_holder){ GS_HOLDER_VM, GS_U32(4711), GS_U64(12), GS_U32(1234567), "secret", "secret", "secret", "secret", "secret", GS_U64(5), true };
	gpu->events_visible = true;
	*gs_gpu_add_event(s, gpu) = (struct gs_gpu_event){ GS_GPU_EVENT_XID, GS_I64(1), GS_U32(31), "Xid 31, name=secret" };
	*gs_gpu_add_write(s, gpu) = (struct gs_pending_write){ gpu->bdf, "driver/unbind", "x", 1, { 1 }, "pid 1 secret" };
	gpu->open_commit = (struct gs_open_commit){ GS_OPEN_INTERRUPTED, 7, "commit 7 (secret) was interrupted" };
	gs_snapshot_add_notice(s, "the job secret");
	gs_snapshot_add_source(s, "slurm", true, "secret");
	gs_snapshot_add_restorer(s, GS_RESTORER_UNIT, "a.service", "runs /home/secret");
	assert_int_equal(gs_snapshot_seal(s, &e), 0);
	o = gs_snapshot_to_json(s, 0);
	assert_non_null(strstr(json_object_to_json_string(o), "secret"));
	gs_snapshot_json_leave_out_names(o);
	text = json_object_to_json_string(o);
	assert_null(strstr(text, "secret"));
	assert_null(strstr(text, "1234567"));
	/* and it is a snapshot still, with how many and which */
	assert_int_equal(gs_snapshot_from_json(o, &again, &e), 0);
	gpu = (struct gs_gpu *)gs_snapshot_gpu(again, 0);
	assert_string_equal(gpu->name, "H100");
	assert_string_equal(gpu->instances[0]->profile, "1g.10gb");
	assert_string_equal(gpu->instances[0]->uuid, "MIG-1");
	assert_true(gs_u32_is(gpu->holders[0]->pid, 4711) && gpu->holders[0]->kind == GS_HOLDER_VM && gpu->holders[0]->yields);
	assert_int_equal(gpu->vfs.functions[0]->n_holders, 1);
	assert_true(gs_u32_is(gpu->events[0]->xid, 31) && !gpu->events[0]->text);
	assert_true(gpu->open_commit.state == GS_OPEN_INTERRUPTED && gpu->open_commit.id == 7 && !gpu->open_commit.text);
	assert_string_equal(gpu->rev.hex, gs_snapshot_gpu(s, 0)->rev.hex);
}

static void anything_survives_it(void **state)
{
	static const char *const texts[] = { "{}", "[]", "null", "{\"gpus\":1,\"host\":2}", "{\"gpus\":[1,null,{\"holders\":{},\"vfs\":[],\"instances\":[[]],\"events\":[3]}],\"host\":{}}" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		GS_JSON struct json_object *o = NULL;

		assert_int_equal(gs_json_parse(texts[i], strlen(texts[i]), "x", &o, NULL), 0);
		gs_snapshot_json_leave_out_names(o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_told_unless_the_site_says_no),
		cmocka_unit_test(a_mistake_is_no_wish),
		cmocka_unit_test(no_name_is_left),
		cmocka_unit_test(anything_survives_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
