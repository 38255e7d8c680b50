/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who else puts layouts back: what counts, what is another device's, what is switched off, and when it is looked at again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/restorers.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/tree.h"

#define GPU "0000:26:00.0"
#define WANTS "etc/systemd/system/multi-user.target.wants/"
#define LIB "usr/lib/systemd/system/"

struct host {
	char dir[GS_TREE_DIR];
	struct gs_root *root;
	struct gs_restorers *restorers;
};

static int setup(void **state)
{
	struct host *h = calloc(1, sizeof(*h));
	struct gs_error e;

	gs_tree_new(h->dir);
	assert_int_equal(gs_root_open(GS_ROOT_SYSROOT, h->dir, &h->root, &e), 0);
	h->restorers = gs_restorers_new(h->root);
	gs_tree_put(h->dir, "sys/bus/pci/devices/" GPU "/vendor", "0x10de\n");
	gs_tree_put(h->dir, "sys/bus/pci/devices/0000:01:00.0/vendor", "0x8086\n");
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	struct host *h = *state;

	gs_restorers_free(h->restorers);
	gs_root_close(h->root);
	gs_tree_remove(h->dir);
	free(h);
	return 0;
}

/* "unit a.service: runs sriov-manage\n…" of a snapshot with one GPU; the caller frees. */
static char *look(struct host *h, bool fresh)
{
	struct gs_snapshot *s = gs_snapshot_new();
	struct gs_bdf bdf;
	struct gs_error e;
	char *text = calloc(1, 65536);
	size_t n = 0;

	assert_int_equal(gs_bdf_parse(GPU, &bdf), 0);
	gs_snapshot_add_gpu(s, bdf);
	assert_int_equal(gs_restorers_apply(h->restorers, s, fresh), 0);
	assert_int_equal(gs_snapshot_seal(s, &e), 0);
	for (size_t i = 0; i < gs_snapshot_n_restorers(s); i++) {
		const struct gs_restorer *r = gs_snapshot_restorer(s, i);

		n += (size_t)snprintf(text + n, 65536 - n, "%s %s: %s\n", gs_restorer_kind_name(r->kind), r->name, r->what ? r->what : "-");
	}
	for (size_t i = 0; i < gs_snapshot_n_notices(s); i++)
		n += (size_t)snprintf(text + n, 65536 - n, "notice: %s\n", gs_snapshot_notice(s, i));
	gs_snapshot_unref(s);
	return text;
}

static void assert_look(struct host *h, bool fresh, const char *wanted)
{
	char *text = look(h, fresh);

	assert_string_equal(text, wanted);
	free(text);
}

static void nothing_there_is_nobody(void **state)
{
	assert_look(*state, true, "");
}

static void units_count_when_they_are_enabled(void **state)
{
	struct host *h = *state;

	gs_tree_put(h->dir, LIB "vgpu-at-boot.service", "[Service]\nType=oneshot\nExecStart=/usr/lib/nvidia/sriov-manage -e ALL\n[Install]\nWantedBy=multi-user.target\n");
	gs_tree_put(h->dir, LIB "nvidia-mig-manager.service", "[Service]\nExecStart=/opt/cut/service.sh\n");
	assert_look(h, true, "");
	gs_tree_link(h->dir, WANTS "vgpu-at-boot.service", "/usr/lib/systemd/system/vgpu-at-boot.service");
	gs_tree_link(h->dir, "etc/systemd/system/basic.target.requires/nvidia-mig-manager.service", "/usr/lib/systemd/system/nvidia-mig-manager.service");
	/* twice enabled is one */
	gs_tree_link(h->dir, "etc/systemd/system/graphical.target.wants/vgpu-at-boot.service", "/usr/lib/systemd/system/vgpu-at-boot.service");
	assert_look(h, true, "unit nvidia-mig-manager.service: enabled\nunit vgpu-at-boot.service: runs sriov-manage\n");
	/* the site's own file goes before the package's, and a link to nowhere is a mask */
	gs_tree_put(h->dir, "etc/systemd/system/vgpu-at-boot.service", "[Service]\nExecStart=/bin/true\n");
	gs_tree_link(h->dir, "etc/systemd/system/nvidia-mig-manager.service", "/dev/null");
	assert_look(h, true, "");
}

static void a_unit_is_judged_by_its_commands(void **state)
{
	static const struct {
		const char *line, *wanted;
	} rows[] = {
		{ "ExecStart=/usr/bin/nvidia-smi mig -cgi 19,19 -C", "runs nvidia-smi mig" },
		{ "ExecStart=-/usr/bin/nvidia-smi -i 0 -mig 1", "runs nvidia-smi mig" },
		{ "ExecStart=/usr/bin/nvidia-smi -pm 1", NULL },
		{ "ExecStart=/usr/bin/nvidia-smi --query-gpu=mig.mode.current --format=csv", NULL },
		{ "ExecStartPre=/usr/bin/nvidia-mig-parted apply -f /etc/mig.yaml", "runs mig-parted" },
		{ "ExecStart = /bin/sh -c 'echo 1155 >/sys/bus/pci/devices/0000:26:00.4/nvidia/current_vgpu_type'", "runs current_vgpu_type" },
		{ "ExecStart=/bin/sh -c \\\n  \"echo 16 >/sys/bus/pci/devices/" GPU "/sriov_numvfs\"", "runs sriov_numvfs" },
		/* the same of others' cards */
		{ "ExecStart=/bin/sh -c 'echo 8 >/sys/class/net/ens1/device/sriov_numvfs'", NULL },
		{ "ExecStart=/bin/sh -c 'echo 8 >/sys/bus/pci/devices/0000:01:00.0/sriov_numvfs'", NULL },
		{ "#ExecStart=/usr/lib/nvidia/sriov-manage -e ALL", NULL },
		{ "Description=ExecStart=/usr/lib/nvidia/sriov-manage", NULL },
		{ "ExecStop=/usr/lib/nvidia/sriov-manage -d ALL", NULL },
		{ "ExecStart", NULL },
		{ "ExecStart=", NULL },
	};
	struct host *h = *state;

	gs_tree_link(h->dir, WANTS "x.service", "/usr/lib/systemd/system/x.service");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[512], wanted[256] = "";

		snprintf(text, sizeof(text), "[Unit]\nDescription=row %zu\n[Service]\n%s\n", i, rows[i].line);
		if (rows[i].wanted)
			snprintf(wanted, sizeof(wanted), "unit x.service: %s\n", rows[i].wanted);
		gs_tree_put(h->dir, LIB "x.service", text);
		assert_look(h, true, wanted);
	}
}

static void scripts_templates_and_timers_are_followed(void **state)
{
	struct host *h = *state;

	gs_tree_put(h->dir, "usr/local/sbin/gpus", "#!/bin/sh\n# sriov-manage is not run in a comment\nexec /usr/lib/nvidia/sriov-manage -e \"$1\"\n");
	gs_tree_put(h->dir, LIB "gpus@.service", "[Service]\nExecStart=/usr/local/sbin/gpus %i\n");
	gs_tree_link(h->dir, WANTS "gpus@0000:26:00.0.service", "/usr/lib/systemd/system/gpus@.service");
	gs_tree_put(h->dir, LIB "mig-nightly.service", "[Service]\nExecStart=nvidia-mig-parted apply\n");
	gs_tree_link(h->dir, "etc/systemd/system/timers.target.wants/mig-nightly.timer", "/usr/lib/systemd/system/mig-nightly.timer");
	gs_tree_put(h->dir, "usr/bin/binary", "\177ELF sriov-manage\n");
	gs_tree_put(h->dir, LIB "binary.service", "[Service]\nExecStart=/usr/bin/binary\n");
	gs_tree_link(h->dir, WANTS "binary.service", "/usr/lib/systemd/system/binary.service");
	assert_look(h, true, "unit gpus@0000:26:00.0.service: runs /usr/local/sbin/gpus, which has sriov-manage\nunit mig-nightly.service: runs mig-parted\n");
}

static void ours_is_no_foreign_one(void **state)
{
	struct host *h = *state;

	gs_tree_put(h->dir, LIB "gpuslice-restore.service", "[Service]\nExecStart=gpuslice restore # instead of sriov-manage\n");
	gs_tree_link(h->dir, WANTS "gpuslice-restore.service", "/usr/lib/systemd/system/gpuslice-restore.service");
	assert_look(h, true, "");
}

static void rules_of_udev(void **state)
{
	struct host *h = *state;

	gs_tree_put(h->dir, "etc/udev/rules.d/70-vgpu.rules", "# ours\nACTION==\"add\", SUBSYSTEM==\"pci\", \\\n  ATTR{vendor}==\"0x10de\", ATTR{sriov_numvfs}=\"16\"\n");
	gs_tree_put(h->dir, "etc/udev/rules.d/80-net.rules", "ACTION==\"add\", SUBSYSTEM==\"net\", ATTR{device/sriov_numvfs}=\"8\"\n");
	gs_tree_put(h->dir, "etc/udev/rules.d/82-commented.rules", "  # ATTR{sriov_numvfs}=\"16\"\n;ATTR{sriov_numvfs}=\"16\"\n");
	gs_tree_put(h->dir, "etc/udev/rules.d/81-gone.rules.off", "ATTR{sriov_numvfs}=\"16\"\n");
	assert_look(h, true, "udev 70-vgpu.rules: has sriov_numvfs\n");
}

static void definitions_of_mdevctl(void **state)
{
	struct host *h = *state;

	gs_tree_put(h->dir, "etc/mdevctl.d/0000:26:00.4/a", "{\"mdev_type\": \"nvidia-558\", \"start\": \"auto\", \"attrs\": []}");
	gs_tree_put(h->dir, "etc/mdevctl.d/0000:26:00.4/b", "{\"mdev_type\": \"nvidia-558\", \"start\": \"manual\"}");
	gs_tree_put(h->dir, "etc/mdevctl.d/" GPU "/c", "{\"start\": \"auto\"}");
	/* of a device that is no GPU, and of no PCI device at all */
	gs_tree_put(h->dir, "etc/mdevctl.d/0000:01:00.0/d", "{\"start\": \"auto\"}");
	gs_tree_put(h->dir, "etc/mdevctl.d/0.0.0040/e", "{\"start\": \"auto\"}");
	assert_look(h, true, "mdevctl mdevctl: starts 2 mdevs with start=auto in /etc/mdevctl.d\n");
}

static void the_operator_by_its_marks(void **state)
{
	struct host *h = *state;

	gs_tree_put(h->dir, "run/nvidia/validations/driver-ready", "");
	assert_look(h, true, "operator NVIDIA's GPU Operator: by /run/nvidia/validations; its MIG manager follows the node's label nvidia.com/mig.config\n");
}

static void hostile_files(void **state)
{
	struct host *h = *state;
	char *big = malloc(200001), *text;
	char name[80];

	memset(big, 'x', 200000);
	big[200000] = '\0';
	/* too long, no text, a link out of the tree, control characters in a name, JSON that is none */
	gs_tree_put(h->dir, LIB "big.service", big);
	gs_tree_link(h->dir, WANTS "big.service", "/usr/lib/systemd/system/big.service");
	gs_tree_put_bytes(h->dir, LIB "nul.service", "ExecStart=sriov\0-manage\n", 24);
	gs_tree_link(h->dir, WANTS "nul.service", "/usr/lib/systemd/system/nul.service");
	gs_tree_link(h->dir, WANTS "out.service", "../../../../../../../../../etc/passwd");
	gs_tree_put(h->dir, "etc/systemd/system/\033[31m.service", "ExecStart=sriov-manage\n");
	gs_tree_link(h->dir, WANTS "\033[31m.service", "../x");
	gs_tree_put(h->dir, "etc/mdevctl.d/" GPU "/broken", "{\"start\": ");
	gs_tree_put(h->dir, "etc/mdevctl.d/" GPU "/list", "[\"auto\"]");
	gs_tree_put(h->dir, "etc/mdevctl.d/" GPU "/number", "{\"start\": 1}");
	gs_tree_put(h->dir, "etc/udev/rules.d/end.rules", "ATTR{sriov_numvfs}=\\");
	text = look(h, true);
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "[31m.service: runs sriov-manage\n"));
	assert_non_null(strstr(text, "udev end.rules"));
	assert_null(strstr(text, "big"));
	assert_null(strstr(text, "nul"));
	assert_null(strstr(text, "mdevctl"));
	free(text);
	/* more than anybody has: cut, and not an error */
	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "etc/udev/rules.d/%03d.rules", i);
		gs_tree_put(h->dir, name, "ATTR{current_vgpu_type}=\"1\"\n");
	}
	text = look(h, true);
	assert_non_null(strstr(text, ".rules: has current_vgpu_type\n"));
	free(text);
	free(big);
}

static void what_has_not_changed_is_not_read_again(void **state)
{
	struct host *h = *state;

	gs_tree_put(h->dir, LIB "x.service", "[Service]\nExecStart=/usr/lib/nvidia/sriov-manage -e ALL\n");
	gs_tree_link(h->dir, WANTS "x.service", "/usr/lib/systemd/system/x.service");
	assert_look(h, false, "unit x.service: runs sriov-manage\n");
	/* a watch goes on with what it has, a fresh look sees what came and what went */
	gs_tree_put(h->dir, LIB "x.service", "[Service]\nExecStart=/bin/true --longer-than-before-so-that-its-size-tells\n");
	assert_look(h, false, "unit x.service: runs sriov-manage\n");
	assert_look(h, true, "");
	gs_tree_put(h->dir, "etc/udev/rules.d/70-vgpu.rules", "ATTR{sriov_numvfs}=\"16\"\n");
	assert_look(h, false, "");
	assert_look(h, true, "udev 70-vgpu.rules: has sriov_numvfs\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(nothing_there_is_nobody),
		TEST(units_count_when_they_are_enabled),
		TEST(a_unit_is_judged_by_its_commands),
		TEST(scripts_templates_and_timers_are_followed),
		TEST(ours_is_no_foreign_one),
		TEST(rules_of_udev),
		TEST(definitions_of_mdevctl),
		TEST(the_operator_by_its_marks),
		TEST(hostile_files),
		TEST(what_has_not_changed_is_not_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
