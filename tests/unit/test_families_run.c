/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steps of the families on a small kernel of our own: what they write and in
 * which order, what they read back, and what they say when it goes wrong. This
 * program plays the writers, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "backend/amd.h"
#include "backend/family.h"
#include "backend/passthrough.h"
#include "backend/sriov.h"
#include "base/parse.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/fakehost.h"

#define PF "0000:26:00.0"
#define DEVICES "sys/bus/pci/devices"
#define DEVICE DEVICES "/" PF
#define UUID "AAAAAAAA-0000-4000-8000-00000000000f"
#define UUID_LOWER "aaaaaaaa-0000-4000-8000-00000000000f"

static const struct gs_bdf pf_bdf = { 0, 0x26, 0, 0 };

/* ---------------------------------------------------------------- the kernel */

/* What a test switches on is a file: the kernel is asked in other processes. */
static bool is_on(struct gs_fakehost *f, const char *fault)
{
	return gs_root_exists(f->root, "run/fault/%s", fault);
}

static void switch_on(struct gs_fakehost *f, const char *fault)
{
	gs_fakehost_put(f, "", "run/fault/%s", fault);
}

static void add_line(struct gs_fakehost *f, const char *path, const char *value)
{
	char full[256];
	FILE *log;

	snprintf(full, sizeof(full), "%s/run/log", f->dir);
	log = fopen(full, "ae");
	assert_non_null(log);
	fprintf(log, "%s=%.*s\n", path, (int)strcspn(value, "\n"), value);
	fclose(log);
}

static void vf_bdf(unsigned n, char *buf)
{
	gs_bdf_format((struct gs_bdf){ 0, 0x26, 0, (uint8_t)(n + 4) }, buf);
}

static uint32_t count_vfs(struct gs_fakehost *f)
{
	uint32_t n = 0;

	while (n < 4 && gs_root_exists(f->root, DEVICE "/virtfn%u/vendor", n))
		n++;
	return n;
}

static void set_vfs(struct gs_fakehost *f, uint32_t n)
{
	char bdf[GS_BDF_TEXT];

	for (unsigned i = 0; i < 4; i++) {
		vf_bdf(i, bdf);
		gs_fakehost_remove(f, DEVICE "/virtfn%u", i);
		gs_fakehost_remove(f, DEVICES "/%s", bdf);
		if (i >= n)
			continue;
		gs_fakehost_function(f, bdf, "0x10de", "0x26b9", "0x030200", "nvidia", (int)(90 + i));
		gs_fakehost_vf(f, PF, i, bdf);
		if (is_on(f, "vendor")) {
			gs_fakehost_put(f, "0\n", DEVICES "/%s/nvidia/current_vgpu_type", bdf);
			gs_fakehost_put(f, "ID    : vGPU Name\n1155  : NVIDIA L40S-12Q\n", DEVICES "/%s/nvidia/creatable_vgpu_types", bdf);
			gs_fakehost_put(f, "\n", DEVICES "/%s/nvidia/vgpu_params", bdf);
		}
		if (is_on(f, "mdev"))
			gs_fakehost_put(f, "NVIDIA A2-4Q\n", DEVICES "/%s/mdev_supported_types/nvidia-746/name", bdf);
	}
}

static int store_numvfs(struct gs_fakehost *f, const char *value)
{
	uint32_t now = count_vfs(f), n;

	if (gs_parse_u32(value, 10, &n) < 0)
		return -EINVAL;
	if (is_on(f, "enoent"))
		return -ENOENT;
	if (n > 4)
		return -ERANGE;
	if (now && n && now != n)
		return -EBUSY;
	set_vfs(f, is_on(f, "short") && n ? n - 1 : n);
	return 0;
}

static int store_type(struct gs_fakehost *f, const char *path, const char *value)
{
	if (is_on(f, "vm"))
		return -EPERM;
	if (is_on(f, "eio"))
		return -EIO;
	if (!is_on(f, "lie"))
		gs_fakehost_put(f, value, "%s", path);
	return 0;
}

static void bind_to(struct gs_fakehost *f, const char *bdf, const char *driver)
{
	char target[128];

	snprintf(target, sizeof(target), "../../drivers/%s", driver);
	gs_fakehost_link(f, target, DEVICES "/%s/driver", bdf);
}

static int probe(struct gs_fakehost *f, const char *bdf)
{
	GS_FREE char *override = gs_fakehost_read(f, DEVICES "/%s/driver_override", bdf);

	override[strcspn(override, "\n")] = '\0';
	if (is_on(f, "no-match"))
		return 0;
	if (override[0] && strcmp(override, "(null)") != 0) {
		if (gs_root_exists(f->root, "sys/bus/pci/drivers/%s", override))
			bind_to(f, bdf, override);
	} else {
		bind_to(f, bdf, "nvidia");
	}
	return 0;
}

static int store_mdev(struct gs_fakehost *f, const char *path, const char *value)
{
	char parent[256], uuid[40], target[320];
	GS_FREE char *dir = strdup(path);
	char *slash;

	if (strlen(value) != 37 || value[36] != '\n')
		return -EINVAL;
	if (is_on(f, "enospc"))
		return -ENOSPC;
	for (size_t i = 0; i < 37; i++)
		uuid[i] = (char)(value[i] >= 'A' && value[i] <= 'F' ? value[i] + 32 : value[i]);
	uuid[36] = '\0';
	if (gs_root_exists(f->root, "sys/bus/mdev/devices/%s", uuid))
		return -EEXIST;
	*strstr(dir, "/create") = '\0';
	slash = strrchr(dir, '/');
	snprintf(parent, sizeof(parent), "%.*s", (int)(strstr(dir, "/mdev_supported_types") - dir), dir);
	snprintf(target, sizeof(target), "../mdev_supported_types/%s", slash + 1);
	gs_fakehost_link(f, target, "%s/%s/mdev_type", parent, uuid);
	snprintf(target, sizeof(target), "../../pci/devices/%s/%s", strrchr(parent, '/') + 1, uuid);
	gs_fakehost_link(f, target, "sys/bus/mdev/devices/%s", uuid);
	return 0;
}

static int kernel_write(struct gs_fakehost *f, const char *path, const char *value)
{
	char bdf[GS_BDF_TEXT];
	const char *base = strrchr(path, '/') + 1;

	add_line(f, path, value);
	snprintf(bdf, sizeof(bdf), "%.*s", (int)strcspn(value, "\n"), value);
	if (strcmp(base, "sriov_numvfs") == 0)
		return store_numvfs(f, value);
	if (strcmp(base, "current_vgpu_type") == 0)
		return store_type(f, path, value);
	if (strcmp(base, "create") == 0)
		return store_mdev(f, path, value);
	if (strcmp(base, "unbind") == 0) {
		gs_fakehost_remove(f, DEVICES "/%s/driver", bdf);
		return 0;
	}
	if (strcmp(base, "drivers_probe") == 0)
		return probe(f, bdf);
	if (strcmp(base, "unbindLock") == 0) {
		gs_fakehost_put(f, is_on(f, "open") ? "0\n" : value, "%s", path);
		return 0;
	}
	if (strcmp(base, "current_compute_partition") == 0 && is_on(f, "kfd"))
		return -EBUSY;
	/* the request is kept, what is current stays (interfaces 6.3) */
	if (strcmp(base, "current_memory_partition") == 0)
		return 0;
	if (strcmp(base, "remove") == 0) {
		gs_fakehost_remove(f, "%.*s", (int)(base - path - 1), path);
		return is_on(f, "vm") ? -EBUSY : 0;
	}
	if (!gs_root_exists(f->root, "%s", path))
		return -ENOENT;
	gs_fakehost_put(f, value, "%s", path);
	return 0;
}

static int kernel_run(struct gs_fakehost *f, const char *const *argv, int *ret_exit, char **ret_output)
{
	add_line(f, argv[0], argv[1]);
	*ret_exit = 0;
	*ret_output = strdup("");
	if (strcmp(argv[0], "modprobe") == 0) {
		if (!is_on(f, "no-module"))
			gs_fakehost_mkdir(f, "sys/bus/pci/drivers/%s", argv[1]);
		*ret_exit = is_on(f, "no-module");
		return 0;
	}
	if (strcmp(argv[0], GS_SRIOV_MANAGE) != 0 || is_on(f, "no-tool"))
		return -ENOENT;
	if (is_on(f, "open")) {
		free(*ret_output);
		*ret_output = strdup("Cannot obtain unbindLock for " PF "\n");
		*ret_exit = 1;
		return 0;
	}
	if (is_on(f, "dies"))
		*ret_exit = 128 + SIGKILL;
	else if (is_on(f, "fails"))
		*ret_exit = 3;
	else if (is_on(f, "strand"))
		bind_to(f, PF, "pci-pf-stub");
	else if (!is_on(f, "nothing"))
		set_vfs(f, strcmp(argv[1], "-e") == 0 ? 4 : 0);
	return 0;
}

static const struct gs_fakehost_kernel kernel = { kernel_write, kernel_run };

/* ---------------------------------------------------------------- helpers */

static void op_holders(void *userdata, struct gs_bdf function, char *buf, size_t size)
{
	(void)userdata;
	(void)function;
	snprintf(buf, size, "pid 4711 qemu-system-x86");
}

static const struct gs_writer_ops held_ops = { .holders_of = op_holders };

static void open_host(struct gs_fakehost *f, const char *driver, bool held)
{
	gs_fakehost_open(f, &kernel, held ? &held_ops : NULL, NULL);
	gs_fakehost_function(f, PF, "0x10de", "0x26b9", "0x030200", driver, 12);
	gs_fakehost_put(f, "4\n", DEVICE "/sriov_totalvfs");
	gs_fakehost_put(f, "0\n", DEVICE "/sriov_numvfs");
	gs_fakehost_mkdir(f, "sys/bus/pci/drivers/vfio-pci");
}

static int run(struct gs_fakehost *f, struct gs_step *step, struct gs_step_outcome *outcome, struct gs_error *e)
{
	const struct gs_family *family = gs_family_of(step);
	struct gs_step_outcome local;

	*e = (struct gs_error){ 0 };
	step->bdf = pf_bdf;
	assert_non_null(family);
	if (!outcome)
		outcome = &local;
	*outcome = (struct gs_step_outcome){ 0 };
	return family->run(f->writer, step, outcome, e);
}

static void expect_ok(struct gs_fakehost *f, struct gs_step *step)
{
	struct gs_error e;

	if (run(f, step, NULL, &e) < 0)
		fail_msg("%s", e.text);
}

/* The sentence names the device and has each of @words ("a|b|c"). */
static void expect_fail(struct gs_fakehost *f, struct gs_step *step, int r, const char *words)
{
	GS_FREE char *copy = strdup(words);
	char *at = copy, *word;
	struct gs_error e;
	int got = run(f, step, NULL, &e);

	if (got != r)
		fail_msg("%d and not %d: %s", got, r, e.text);
	assert_non_null(strstr(e.text, "0000:26:00."));
	while ((word = strsep(&at, "|"))) {
		if (!strstr(e.text, word))
			fail_msg("no \"%s\" in: %s", word, e.text);
	}
}

static void expect_log(struct gs_fakehost *f, const char *expected)
{
	GS_FREE char *log = gs_fakehost_read(f, "run/log");

	assert_string_equal(log, expected);
	gs_fakehost_remove(f, "run/log");
}

static const char *driver_of(struct gs_fakehost *f, const char *bdf, char *buf)
{
	GS_FREE char *name = NULL;

	buf[0] = '\0';
	if (gs_root_readlink_name(f->root, &name, DEVICES "/%s/driver", bdf) == 0)
		snprintf(buf, 32, "%s", name);
	return buf;
}

/* ---------------------------------------------------------------- VFs */

static void numvfs_goes_through_none(void **state)
{
	struct gs_step two = { .op = GS_STEP_ENABLE_VFS, .vfs = 2, .vfs_by = GS_VFS_BY_NUMVFS }, three = two, off = { .op = GS_STEP_DISABLE_VFS, .vfs = 3 };
	struct gs_fakehost f;

	(void)state;
	open_host(&f, "xe", false);
	expect_ok(&f, &two);
	expect_log(&f, DEVICE "/sriov_numvfs=2\n");
	three.vfs = 3;
	expect_ok(&f, &three);
	expect_log(&f, DEVICE "/sriov_numvfs=0\n" DEVICE "/sriov_numvfs=3\n");
	assert_int_equal(count_vfs(&f), 3);
	/* there are three: nothing is written */
	expect_ok(&f, &three);
	assert_false(gs_root_exists(f.root, "run/log"));
	off.vfs_by = GS_VFS_BY_NUMVFS;
	expect_ok(&f, &off);
	assert_int_equal(count_vfs(&f), 0);
	gs_fakehost_close(&f);
}

static void numvfs_says_why_not(void **state)
{
	struct gs_step step = { .op = GS_STEP_ENABLE_VFS, .vfs = 5, .vfs_by = GS_VFS_BY_NUMVFS };
	struct gs_fakehost f;

	(void)state;
	open_host(&f, "xe", false);
	expect_fail(&f, &step, -ERANGE, "5 VFs|can have (4)");
	step.vfs = 3;
	switch_on(&f, "short");
	expect_fail(&f, &step, -EIO, "3 VFs were asked|there are 2");
	set_vfs(&f, 0);
	switch_on(&f, "enoent");
	expect_fail(&f, &step, -ENOENT, "driver xe does not support SR-IOV");
	bind_to(&f, PF, "nvidia");
	expect_fail(&f, &step, -ENOENT, "sriov-manage");
	bind_to(&f, PF, "gim");
	expect_fail(&f, &step, -ENOENT, "vf_num");
	gs_fakehost_remove(&f, DEVICE "/driver");
	expect_fail(&f, &step, -ENOENT, "no driver is bound");
	gs_fakehost_close(&f);
}

static void sriov_manage_is_verified_by_counting(void **state)
{
	struct gs_step on = { .op = GS_STEP_ENABLE_VFS, .vfs = 4, .vfs_by = GS_VFS_BY_SRIOV_MANAGE }, off = on;
	struct gs_fakehost f;

	(void)state;
	off.op = GS_STEP_DISABLE_VFS;
	open_host(&f, "nvidia", true);
	expect_ok(&f, &on);
	expect_log(&f, GS_SRIOV_MANAGE "=-e\n");
	assert_int_equal(count_vfs(&f), 4);
	expect_ok(&f, &off);
	expect_log(&f, GS_SRIOV_MANAGE "=-d\n");
	switch_on(&f, "nothing");
	expect_fail(&f, &on, -EIO, "reported success|there are 0 VFs and not 4|it said nothing; exit status 0|bound to nvidia as before");
	switch_on(&f, "fails");
	expect_fail(&f, &on, -EIO, "sriov-manage failed|it said nothing; exit status 3");
	switch_on(&f, "dies");
	expect_fail(&f, &on, -EIO, "sriov-manage failed|it said nothing; signal 9 (Killed)");
	gs_fakehost_remove(&f, "run/fault/dies");
	gs_fakehost_remove(&f, "run/fault/fails");
	switch_on(&f, "open");
	expect_fail(&f, &on, -EBUSY, "pid 4711 qemu|nvidia-persistenced|bound to nvidia as before");
	gs_fakehost_remove(&f, "run/fault/open");
	switch_on(&f, "strand");
	expect_fail(&f, &on, -EIO, "bound to pci-pf-stub now");
	switch_on(&f, "no-tool");
	expect_fail(&f, &on, -ENOENT, "not installed");
	gs_fakehost_close(&f);
}

/* ---------------------------------------------------------------- vGPUs */

static struct gs_step vgpu_step(enum gs_step_op op, const char *profile, uint32_t vf)
{
	return (struct gs_step){ .op = op, .profile = profile, .vf = GS_U32(vf), .framework = GS_FRAMEWORK_VENDOR_VFIO, .profile_id = 9999 };
}

static void a_vgpu_is_written_by_the_id_that_is_listed_now(void **state)
{
	struct gs_step create = vgpu_step(GS_STEP_CREATE_VGPU, "L40S-12Q", 1), gone = vgpu_step(GS_STEP_REMOVE_VGPU, "L40S-12Q", 1);
	struct gs_step param = vgpu_step(GS_STEP_SET_PARAM, NULL, 1);
	GS_FREE char *type = NULL, *params = NULL;
	struct gs_fakehost f;

	(void)state;
	open_host(&f, "nvidia", false);
	expect_fail(&f, &create, -ENOENT, "VF 1 is not there");
	switch_on(&f, "vendor");
	set_vfs(&f, 4);
	expect_ok(&f, &create);
	expect_log(&f, DEVICES "/0000:26:00.5/nvidia/current_vgpu_type=1155\n");
	type = gs_fakehost_read(&f, DEVICES "/0000:26:00.5/nvidia/current_vgpu_type");
	assert_string_equal(type, "1155");
	expect_fail(&f, &create, -EEXIST, "0000:26:00.5|has a vGPU (type 1155) already");

	/* one write replaces all parameters: those that are there stay */
	param.key = "disable_vnc";
	param.value = "1";
	expect_ok(&f, &param);
	param.key = "frame_rate_limiter";
	param.value = "0";
	expect_ok(&f, &param);
	param.key = "disable_vnc";
	param.value = "";
	expect_ok(&f, &param);
	expect_log(&f, DEVICES "/0000:26:00.5/nvidia/vgpu_params=disable_vnc=1\n" DEVICES "/0000:26:00.5/nvidia/vgpu_params=disable_vnc=1,frame_rate_limiter=0\n" DEVICES
								  "/0000:26:00.5/nvidia/vgpu_params=frame_rate_limiter=0\n");
	param.value = "1,loglevel=9";
	expect_fail(&f, &param, -EINVAL, "disable_vnc cannot be set");
	expect_ok(&f, &gone);
	expect_ok(&f, &gone);
	expect_log(&f, DEVICES "/0000:26:00.5/nvidia/current_vgpu_type=0\n");
	gs_fakehost_close(&f);
}

static void a_vgpu_that_is_refused_says_why(void **state)
{
	struct gs_step create = vgpu_step(GS_STEP_CREATE_VGPU, "L40S-12Q", 0), other = vgpu_step(GS_STEP_CREATE_VGPU, "L40S-24Q", 0);
	struct gs_step gone = vgpu_step(GS_STEP_REMOVE_VGPU, "L40S-12Q", 0);
	struct gs_fakehost f;

	(void)state;
	open_host(&f, "nvidia", true);
	switch_on(&f, "vendor");
	set_vfs(&f, 1);
	expect_fail(&f, &other, -ENOSPC, "L40S-24Q was not created|only L40S-12Q|one size");
	gs_fakehost_put(&f, "ID    : vGPU Name\n", DEVICES "/0000:26:00.4/nvidia/creatable_vgpu_types");
	expect_fail(&f, &create, -ENOSPC, "no type at all|full");
	set_vfs(&f, 1);
	switch_on(&f, "lie");
	expect_fail(&f, &create, -EIO, "reported as created|reads type 0 and not 1155");
	switch_on(&f, "eio");
	expect_fail(&f, &create, -EIO, "the driver refused|0x38");
	gs_fakehost_put(&f, "1155\n", DEVICES "/0000:26:00.4/nvidia/current_vgpu_type");
	switch_on(&f, "vm");
	expect_fail(&f, &gone, -EPERM, "still there|pid 4711 qemu|Shut the VM down");
	/* planned for another function than the one that is VF 0 now */
	create.function = (struct gs_bdf){ 0, 0x26, 0, 7 };
	expect_fail(&f, &create, -ESTALE, "0000:26:00.4 now");
	gs_fakehost_close(&f);
}

static void a_mig_backed_vgpu_is_moved_to_its_gi(void **state)
{
	struct gs_step create = vgpu_step(GS_STEP_CREATE_VGPU, "L40S-12Q", 0);
	GS_FREE char *gi = NULL;
	struct gs_fakehost f;

	(void)state;
	open_host(&f, "nvidia", false);
	switch_on(&f, "vendor");
	set_vfs(&f, 1);
	gs_fakehost_put(&f, "3\n", DEVICES "/0000:26:00.4/nvidia/gpu_instance_id");
	create.on_start = GS_U32(4);
	create.instance_id = 5;
	expect_ok(&f, &create);
	gi = gs_fakehost_read(&f, DEVICES "/0000:26:00.4/nvidia/gpu_instance_id");
	assert_string_equal(gi, "5");
	gs_fakehost_close(&f);
}

static void an_mdev_is_37_bytes(void **state)
{
	struct gs_step create = vgpu_step(GS_STEP_CREATE_VGPU, "A2-4Q", 2), unnamed = vgpu_step(GS_STEP_CREATE_VGPU, "A2-4Q", 3);
	struct gs_step gone = vgpu_step(GS_STEP_REMOVE_VGPU, "A2-4Q", 2), by_vf = vgpu_step(GS_STEP_REMOVE_VGPU, "A2-4Q", 3);
	struct gs_fakehost f;

	(void)state;
	/* the framework is not known when VFs are enabled by the same plan */
	create.framework = GS_FRAMEWORK_NVML;
	create.uuid = gone.uuid = UUID;
	open_host(&f, "nvidia", true);
	switch_on(&f, "mdev");
	set_vfs(&f, 4);
	expect_ok(&f, &create);
	expect_log(&f, DEVICES "/0000:26:00.6/mdev_supported_types/nvidia-746/create=" UUID "\n");
	assert_true(gs_root_exists(f.root, "sys/bus/mdev/devices/" UUID_LOWER));
	expect_fail(&f, &create, -EEXIST, UUID "|in use on this host");
	expect_ok(&f, &unnamed);
	gs_fakehost_remove(&f, "run/log");
	expect_ok(&f, &gone);
	expect_log(&f, "sys/bus/mdev/devices/" UUID_LOWER "/remove=1\n");
	expect_ok(&f, &gone);
	/* without its UUID it is the one on the VF */
	switch_on(&f, "vm");
	expect_fail(&f, &by_vf, -EBUSY, "still there|pid 4711 qemu");
	switch_on(&f, "enospc");
	expect_fail(&f, &create, -ENOSPC, "no room|another size");
	create.profile = "A2-99Q";
	expect_fail(&f, &create, -ENOENT, "does not offer that type");
	gs_fakehost_close(&f);
}

/* ---------------------------------------------------------------- passthrough */

static void to_vfio_and_back(void **state)
{
	struct gs_step unbind = { .op = GS_STEP_UNBIND_DRIVER, .function = pf_bdf, .driver = "nvidia", .to_vfio = true, .mode = GS_MODE_MIG };
	struct gs_step bind = { .op = GS_STEP_BIND_DRIVER, .function = pf_bdf, .driver = "vfio-pci", .to_vfio = true };
	struct gs_step leave = { .op = GS_STEP_UNBIND_DRIVER, .function = pf_bdf, .driver = "vfio-pci" };
	struct gs_step back = { .op = GS_STEP_BIND_DRIVER, .function = pf_bdf, .driver = "nvidia" };
	GS_FREE char *was = NULL;
	struct gs_fakehost f;
	char driver[32];

	(void)state;
	open_host(&f, "nvidia", false);
	gs_fakehost_put(&f, "0\n", "proc/driver/nvidia/gpus/" PF "/unbindLock");
	gs_fakehost_remove(&f, "sys/bus/pci/drivers/vfio-pci");
	expect_ok(&f, &unbind);
	/* the lock first, the override before the unbind, and the module before all: a failure leaves it as it was */
	expect_log(&f, "modprobe=vfio-pci\nproc/driver/nvidia/gpus/" PF "/unbindLock=1\n" DEVICE "/driver_override=vfio-pci\nsys/bus/pci/drivers/nvidia/unbind=" PF "\n");
	was = gs_fakehost_read(&f, GS_DRIVERS_DIR "/" PF);
	assert_string_equal(was, "nvidia\nmig\n");
	expect_ok(&f, &bind);
	assert_string_equal(driver_of(&f, PF, driver), "vfio-pci");
	expect_ok(&f, &leave);
	gs_fakehost_remove(&f, "run/log");
	expect_ok(&f, &back);
	expect_log(&f, DEVICE "/driver_override=\nsys/bus/pci/drivers_probe=" PF "\n");
	assert_string_equal(driver_of(&f, PF, driver), "nvidia");
	assert_false(gs_root_exists(f.root, GS_DRIVERS_DIR "/" PF));
	gs_fakehost_close(&f);
}

static void what_would_hang_is_refused(void **state)
{
	struct gs_step unbind = { .op = GS_STEP_UNBIND_DRIVER, .function = pf_bdf, .driver = "nvidia", .to_vfio = true };
	struct gs_fakehost f;
	char driver[32];

	(void)state;
	open_host(&f, "nvidia", true);
	/* no lock to ask: whoever has it open is named */
	expect_fail(&f, &unbind, -EBUSY, "pid 4711 qemu|hang for ever|still bound to nvidia");
	assert_string_equal(driver_of(&f, PF, driver), "nvidia");
	assert_false(gs_root_exists(f.root, "run/log"));
	/* nothing but the module missing: nothing was done */
	gs_fakehost_remove(&f, "sys/bus/pci/drivers/vfio-pci");
	switch_on(&f, "no-module");
	expect_fail(&f, &unbind, -ENOENT, "vfio-pci is not loaded|bound to nvidia");
	gs_fakehost_close(&f);
}

static void a_lock_that_is_not_given_is_explained(void **state)
{
	struct gs_step unbind = { .op = GS_STEP_UNBIND_DRIVER, .function = pf_bdf, .driver = "nvidia", .to_vfio = true };
	GS_FREE char *log = NULL, *override = NULL;
	struct gs_fakehost f;
	unsigned tries = 0;

	(void)state;
	open_host(&f, "nvidia", true);
	gs_fakehost_put(&f, "0\n", "proc/driver/nvidia/gpus/" PF "/unbindLock");
	switch_on(&f, "open");
	expect_fail(&f, &unbind, -EBUSY, "unbindLock|pid 4711 qemu|still bound to nvidia");
	log = gs_fakehost_read(&f, "run/log");
	for (const char *p = log; (p = strstr(p, "unbindLock=1")); p++)
		tries++;
	assert_int_equal(tries, 5);
	override = gs_fakehost_read(&f, DEVICE "/driver_override");
	assert_string_equal(override, "(null)\n");
	gs_fakehost_close(&f);
}

static void success_without_a_driver_is_no_success(void **state)
{
	struct gs_step bind = { .op = GS_STEP_BIND_DRIVER, .function = pf_bdf, .driver = "vfio-pci", .to_vfio = true };
	struct gs_step bridge = { .op = GS_STEP_UNBIND_DRIVER, .function = { 0, 0x26, 0, 2 }, .driver = "lpc_ich", .to_vfio = true };
	struct gs_fakehost f;

	(void)state;
	open_host(&f, NULL, false);
	switch_on(&f, "no-match");
	expect_fail(&f, &bind, -EIO, "was to be bound to vfio-pci, but is bound to nothing|dmesg");
	/* vfio-pci would take it (testbench 4) */
	gs_fakehost_function(&f, "0000:26:00.2", "0x8086", "0x7a06", "0x060100", "lpc_ich", 12);
	expect_fail(&f, &bridge, -EPERM, "is a bridge");
	gs_fakehost_close(&f);
}

static void a_stranded_gpu_is_bound_again(void **state)
{
	struct gs_step back = { .op = GS_STEP_BIND_DRIVER, .function = pf_bdf, .driver = "nvidia" };
	struct gs_fakehost f;
	char driver[32];

	(void)state;
	open_host(&f, "pci-pf-stub", false);
	gs_fakehost_mkdir(&f, "sys/bus/pci/drivers/nvidia");
	expect_ok(&f, &back);
	assert_string_equal(driver_of(&f, PF, driver), "nvidia");
	gs_fakehost_close(&f);
}

/* ---------------------------------------------------------------- settings */

static void amd_memory_is_pending_until_it_is_current(void **state)
{
	struct gs_step compute = { .op = GS_STEP_SET_SETTING, .key = GS_AMD_COMPUTE, .value = "CPX" };
	struct gs_step memory = { .op = GS_STEP_SET_SETTING, .key = GS_AMD_MEMORY, .value = "NPS4" };
	struct gs_step_outcome outcome;
	struct gs_fakehost f;
	struct gs_error e;

	(void)state;
	open_host(&f, "amdgpu", true);
	gs_fakehost_put(&f, "SPX\n", DEVICE "/current_compute_partition");
	gs_fakehost_put(&f, "NPS1\n", DEVICE "/current_memory_partition");
	expect_ok(&f, &compute);
	assert_int_equal(run(&f, &memory, &outcome, &e), 0);
	assert_true(outcome.is_pending);
	assert_non_null(strstr(outcome.note, "XGMI"));
	assert_true(gs_root_exists(f.root, GS_AMD_MEMORY_DIR "/" PF));
	/* asking for what is does not take it back */
	memory.value = "NPS1";
	assert_int_equal(run(&f, &memory, &outcome, &e), 0);
	assert_false(outcome.is_pending);
	assert_non_null(strstr(outcome.note, "NPS4"));
	switch_on(&f, "kfd");
	expect_fail(&f, &compute, -EBUSY, "CPX|/dev/kfd|pid 4711 qemu|Nothing was changed");
	gs_fakehost_close(&f);
}

static void intel_counts_from_one(void **state)
{
	struct gs_step quota = { .op = GS_STEP_SET_PARAM, .framework = GS_FRAMEWORK_XE, .vf = GS_U32(0), .key = "vram-quota-bytes", .value = "4096" };
	struct gs_step priority = { .op = GS_STEP_SET_PARAM, .framework = GS_FRAMEWORK_XE, .vf = GS_U32(0), .key = "sched-priority", .value = "low" };
	struct gs_step pf = { .op = GS_STEP_SET_SETTING, .framework = GS_FRAMEWORK_XE, .key = "exec-quantum-ms", .value = "10" };
	struct gs_step tile = { .op = GS_STEP_SET_PARAM, .framework = GS_FRAMEWORK_I915, .vf = GS_U32(1), .key = "vram-quota-bytes", .value = "7" };
	struct gs_fakehost f;

	(void)state;
	open_host(&f, "xe", false);
	gs_fakehost_put(&f, "0\n", DEVICE "/sriov_admin/vf1/profile/vram_quota");
	gs_fakehost_put(&f, "0\n", DEVICE "/sriov_admin/pf/profile/exec_quantum_ms");
	expect_ok(&f, &quota);
	expect_ok(&f, &pf);
	expect_log(&f, DEVICE "/sriov_admin/vf1/profile/vram_quota=4096\n" DEVICE "/sriov_admin/pf/profile/exec_quantum_ms=10\n");
	expect_fail(&f, &priority, -EOPNOTSUPP, "sched-priority of VF 0|fixes it");
	pf.key = "vram-quota-bytes";
	expect_fail(&f, &pf, -EINVAL, "no vram-quota-bytes here");
	/* both tiles */
	gs_fakehost_mkdir(&f, DEVICE "/drm/card0/iov/pf/gt0");
	gs_fakehost_mkdir(&f, DEVICE "/drm/card0/iov/pf/gt1");
	gs_fakehost_put(&f, "0\n", DEVICE "/drm/card0/iov/vf2/gt0/lmem_quota");
	gs_fakehost_put(&f, "0\n", DEVICE "/drm/card0/iov/vf2/gt1/lmem_quota");
	expect_ok(&f, &tile);
	expect_log(&f, DEVICE "/drm/card0/iov/vf2/gt0/lmem_quota=7\n" DEVICE "/drm/card0/iov/vf2/gt1/lmem_quota=7\n");
	gs_fakehost_close(&f);
}

static void nvmls_steps_are_nobodys(void **state)
{
	static const enum gs_step_op ops[] = { GS_STEP_STOP_HOLDER, GS_STEP_STOP_UNIT, GS_STEP_START_UNIT, GS_STEP_CREATE_GI, GS_STEP_CREATE_CI,
					       GS_STEP_DESTROY_GI,  GS_STEP_DESTROY_CI, GS_STEP_SET_MODE };
	struct gs_step setting = { .op = GS_STEP_SET_SETTING, .framework = GS_FRAMEWORK_VENDOR_VFIO, .key = "heterogeneous", .value = "on" };

	(void)state;
	for (size_t i = 0; i < GS_ARRAY_SIZE(ops); i++)
		assert_null(gs_family_of(&(struct gs_step){ .op = ops[i] }));
	assert_null(gs_family_of(&setting));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numvfs_goes_through_none),
		cmocka_unit_test(numvfs_says_why_not),
		cmocka_unit_test(sriov_manage_is_verified_by_counting),
		cmocka_unit_test(a_vgpu_is_written_by_the_id_that_is_listed_now),
		cmocka_unit_test(a_vgpu_that_is_refused_says_why),
		cmocka_unit_test(a_mig_backed_vgpu_is_moved_to_its_gi),
		cmocka_unit_test(an_mdev_is_37_bytes),
		cmocka_unit_test(to_vfio_and_back),
		cmocka_unit_test(what_would_hang_is_refused),
		cmocka_unit_test(a_lock_that_is_not_given_is_explained),
		cmocka_unit_test(success_without_a_driver_is_no_success),
		cmocka_unit_test(a_stranded_gpu_is_bound_again),
		cmocka_unit_test(amd_memory_is_pending_until_it_is_current),
		cmocka_unit_test(intel_counts_from_one),
		cmocka_unit_test(nvmls_steps_are_nobodys),
	};
	int child = gs_fakehost_child(argc, argv, &kernel);

	if (child >= 0)
		return child;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("families_run", tests, NULL, NULL);
}
