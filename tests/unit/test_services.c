/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which units may be stopped: what we ship, what a site adds, and what no file can add. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/services.h"

static int add(struct gs_services *s, const char *text, struct gs_error *e)
{
	GS_JSON struct json_object *o = NULL;
	int r = gs_json_parse(text, strlen(text), "in", &o, e);

	return r < 0 ? r : gs_services_add_json(s, o, "in", e);
}

static bool lists(const struct gs_services *s, const char *unit)
{
	for (size_t i = 0; i < s->n; i++)
		if (fnmatch(s->items[i].unit, unit, 0) == 0)
			return true;
	return false;
}

static void what_we_ship_can_be_loaded_and_is_about_monitors(void **state)
{
	static const char *const in[] = { "nvidia-persistenced.service", "nvidia-dcgm.service", "dcgm.service", "dcgm-exporter.service",
					  "nvidia-dcgm-exporter.service", "prometheus-dcgm-exporter.service" };
	static const char *const out[] = { "user@1000.service", "session-3.scope", "containerd.service", "docker.service", "kubelet.service",
					   "libvirtd.service", "virtqemud.service", "slurmd.service", "ssh.service", "sshd.service", "gdm.service" };
	GS_CLEANUP(gs_services_freep) struct gs_services *s = NULL;
	struct gs_error e;

	(void)state;
	if (gs_services_load(false, &s, &e) < 0)
		fail_msg("%s", e.text);
	for (size_t i = 0; i < GS_ARRAY_SIZE(in); i++)
		if (!lists(s, in[i]))
			fail_msg("not in it: %s", in[i]);
	for (size_t i = 0; i < GS_ARRAY_SIZE(out); i++)
		if (lists(s, out[i]))
			fail_msg("in it: %s", out[i]);
	for (size_t i = 0; i < s->n; i++)
		assert_true(strlen(s->items[i].why) > 20);
}

static void a_site_adds_units_and_gives_its_own_reasons(void **state)
{
	GS_CLEANUP(gs_services_freep) struct gs_services *s = NULL;
	size_t shipped;

	(void)state;
	assert_int_equal(gs_services_load(false, &s, NULL), 0);
	shipped = s->n;
	assert_int_equal(add(s, "{\"schema\":\"gpuslice.services/1\",\"services\":[{\"unit\":\"our-*.service\",\"why\":\"a gap\"},"
				"{\"unit\":\"nvidia-persistenced.service\",\"why\":\"nothing\\u0007\"}]}", NULL), 0);
	assert_int_equal(s->n, shipped + 1);
	assert_string_equal(s->items[shipped].unit, "our-*.service");
	assert_string_equal(s->items[0].unit, "nvidia-persistenced.service");
	assert_string_equal(s->items[0].why, "nothing?");
}

static void what_carries_work_is_never_listed(void **state)
{
	static const char *const refused[] = {
		"user@1000.service", "user@*.service", "use*.service", "user*.service", "user-runtime-dir@1000.service", "session-3.scope", "session-*.service", "ses?ion-1.service",
		"containerd.service", "container*.service", "docker.service", "dock??.service", "doc*.service", "kubelet.service", "kube*.service",
		"libvirtd.service", "lib*.service", "virtqemud.service", "virt*.service", "slurmd.service", "slurm*.service", "ssh.service", "sshd.service",
		"ssh*.service", "sshd@1.service", "systemd-logind.service", "sys*.service", "systemd-*.service", "qemu.service", "getty@tty1.service",
		"*.service", "?*.service", "nv*.service", "???.service", "*", "", ".service", "foo", "foo.scope", "foo.slice", "foo.service.d",
		"-foo.service", "a b.service", "[d]ocker.service", "dock\\er.service", "../docker.service", "foo.service\n", "\xc3\xa4-monitor.service",
	};
	static const char *const fine[] = {
		"nvidia-persistenced.service", "docker-gpu-exporter.service", "prometheus-*-exporter.service", "our-monitor@*.service", "use.service",
		"sess.service", "nvi*.service", "sshguard.service", "kubelet-gpu-watch.service",
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(refused); i++)
		if (!gs_service_refusal(refused[i]))
			fail_msg("taken: %s", refused[i]);
	for (size_t i = 0; i < GS_ARRAY_SIZE(fine); i++)
		if (gs_service_refusal(fine[i]))
			fail_msg("%s %s", fine[i], gs_service_refusal(fine[i]));
}

#define LIST(items) "{\"schema\":\"gpuslice.services/1\",\"services\":[" items "]}"

static void mistakes_are_refused_with_their_path(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "[]", "must be an object" },
		{ "{\"schema\":\"gpuslice.services/2\",\"services\":[]}", "schema" },
		{ "{\"schema\":\"gpuslice.services/1\"}", "services: is missing" },
		{ "{\"schema\":\"gpuslice.services/1\",\"services\":{}}", "services: must be a list" },
		{ "{\"schema\":\"gpuslice.services/1\",\"services\":[],\"more\":1}", "unknown key \"more\"" },
		{ LIST("1"), "services[0]: must be an object" },
		{ LIST("{\"unit\":\"our.service\"}"), "services[0].why: is missing" },
		{ LIST("{\"unit\":\"our.service\",\"why\":\"\"}"), "services[0].why: is missing" },
		{ LIST("{\"unit\":7,\"why\":\"x\"}"), "services[0].unit: must be a string" },
		{ LIST("{\"unit\":\"our.service\",\"why\":\"x\",\"force\":true}"), "services[0]: unknown key \"force\"" },
		{ LIST("{\"unit\":\"our.service\",\"why\":\"x\"},{\"unit\":\"our.service\",\"why\":\"y\"}"), "services[1].unit: our.service is there twice" },
		{ LIST("{\"unit\":\"our.service\",\"why\":\"x\"},{\"unit\":\"docker.service\",\"why\":\"y\"}"), "services[1].unit: \"docker.service\" may be a unit" },
		{ LIST("{\"unit\":\"\\u001b[2J.service\",\"why\":\"y\"}"), "services[0].unit: \"?[2J.service\" is no name" },
	};

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(cases); i++) {
		GS_CLEANUP(gs_services_freep) struct gs_services *s = gs_services_new();
		struct gs_error e = { 0 };

		if (add(s, cases[i].text, &e) != -EBADMSG)
			fail_msg("taken: %s", cases[i].text);
		assert_string_equal(e.file, "in");
		if (!strstr(e.text, cases[i].says))
			fail_msg("%s: %s", cases[i].text, e.text);
	}
}

static void a_list_is_bounded(void **state)
{
	GS_CLEANUP(gs_services_freep) struct gs_services *s = gs_services_new();
	struct gs_error e;

	(void)state;
	for (unsigned i = 0; i <= GS_SERVICES_MAX; i++) {
		char text[200];
		int r;

		snprintf(text, sizeof(text), LIST("{\"unit\":\"our-%u.service\",\"why\":\"x\"}"), i);
		r = add(s, text, &e);
		if (i < GS_SERVICES_MAX)
			assert_int_equal(r, 0);
		else
			assert_int_equal(r, -EBADMSG);
	}
	assert_non_null(strstr(e.text, "one too many"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_we_ship_can_be_loaded_and_is_about_monitors),
		cmocka_unit_test(a_site_adds_units_and_gives_its_own_reasons),
		cmocka_unit_test(what_carries_work_is_never_listed),
		cmocka_unit_test(mistakes_are_refused_with_their_path),
		cmocka_unit_test(a_list_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
