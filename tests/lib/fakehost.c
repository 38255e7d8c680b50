/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/lib/fakehost.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/parse.h"

#define CHECK(x) \
	do { \
		if (!(x)) { \
			fprintf(stderr, "fakehost: %s failed: %s\n", #x, strerror(errno)); \
			abort(); \
		} \
	} while (0)

#define FORMAT(buf, f, fmt) \
	do { \
		va_list ap_; \
		int n_ = snprintf(buf, sizeof(buf), "%s/", (f)->dir); \
		va_start(ap_, fmt); \
		vsnprintf(buf + n_, sizeof(buf) - (size_t)n_, fmt, ap_); \
		va_end(ap_); \
	} while (0)

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path);
}

static void make_parents(const char *path)
{
	char parent[512];
	char *slash;

	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	*slash = '\0';
	CHECK(gs_mkdir_parents(parent, 0755) == 0);
}

struct kernel {
	struct gs_fakehost *f;
	const struct gs_fakehost_kernel *calls;
};

/* What a plain attribute does. Blocks where the file does (a FIFO). */
static int write_plain(struct gs_fakehost *f, const char *path, const char *value)
{
	char full[512];
	GS_CLOSE int fd = -1;

	snprintf(full, sizeof(full), "%s/%s", f->dir, path);
	fd = open(full, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

static int op_write(void *userdata, const char *path, const void *bytes, size_t n)
{
	struct kernel *k = userdata;
	char value[4200];

	if (n >= sizeof(value))
		return -EINVAL;
	memcpy(value, bytes, n);
	value[n] = '\0';
	return k->calls && k->calls->write ? k->calls->write(k->f, path, value) : write_plain(k->f, path, value);
}

static const struct gs_root_ops ops_of_kernel = { .write = op_write };

static int run_program(void *userdata, const char *const *argv, int *ret_exit, char **ret_output, struct gs_error *e)
{
	struct kernel *k = userdata;
	int r = k->calls && k->calls->run ? k->calls->run(k->f, argv, ret_exit, ret_output) : -ENOENT;

	return r < 0 ? gs_error_set(e, r, GS_STATUS_FAILED, "%s: %s", argv[0], strerror(-r)) : 0;
}

void gs_fakehost_open(struct gs_fakehost *f, const struct gs_fakehost_kernel *kernel, const struct gs_writer_ops *ops, void *userdata)
{
	struct kernel *k = calloc(1, sizeof(*k));

	memset(f, 0, sizeof(*f));
	snprintf(f->dir, sizeof(f->dir), "/tmp/gpuslice-test-XXXXXX");
	CHECK(k && mkdtemp(f->dir));
	CHECK(gs_root_open(GS_ROOT_SIM, f->dir, &f->root, NULL) == 0);
	*k = (struct kernel){ f, kernel };
	f->kernel = k;
	gs_root_set_ops(f->root, &ops_of_kernel, k);
	gs_fakehost_mkdir(f, "run");
	f->argv[0] = "--root";
	f->argv[1] = f->dir;
	f->writer = gs_writer_new_on(f->root, "/proc/self/exe", f->argv, ops, userdata);
	CHECK(f->writer);
}

void gs_fakehost_close(struct gs_fakehost *f)
{
	gs_writer_free(f->writer);
	gs_root_close(f->root);
	free(f->kernel);
	nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* agent --writer=BDF --owner=PID [--waits-for=TEXT] [--run] --root DIR -- WORDS */
int gs_fakehost_child(int argc, char **argv, const struct gs_fakehost_kernel *kernel)
{
	struct gs_fakehost f = { 0 };
	struct kernel k = { &f, kernel };
	struct gs_writer_job job = { .run = run_program, .userdata = &k };
	bool is_program = false;
	int i, status;

	if (argc < 3 || strcmp(argv[1], "agent") != 0 || strncmp(argv[2], "--writer=", 9) != 0)
		return -1;
	CHECK(gs_bdf_parse(argv[2] + 9, &job.function) == 0);
	for (i = 3; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--run") == 0)
			is_program = true;
		else if (strncmp(argv[i], "--owner=", 8) == 0)
			CHECK(gs_parse_u32(argv[i] + 8, 10, &job.owner) == 0);
		else if (strncmp(argv[i], "--waits-for=", 12) == 0)
			job.waits_for = argv[i] + 12;
		else if (strcmp(argv[i], "--root") == 0 && i + 1 < argc)
			snprintf(f.dir, sizeof(f.dir), "%s", argv[++i]);
	}
	CHECK(i + 1 < argc && gs_root_open(GS_ROOT_SIM, f.dir, &f.root, NULL) == 0);
	gs_root_set_ops(f.root, &ops_of_kernel, &k);
	job.path = argv[i + 1];
	job.value = is_program ? NULL : argv[i + 2];
	job.argv = is_program ? (const char *const *)argv + i + 1 : NULL;
	status = gs_writer_do(f.root, &job);
	gs_root_close(f.root);
	return status;
}

void gs_fakehost_put(struct gs_fakehost *f, const char *text, const char *fmt, ...)
{
	char path[512];

	FILE *file;

	FORMAT(path, f, fmt);
	make_parents(path);
	file = fopen(path, "we");
	CHECK(file && fwrite(text, 1, strlen(text), file) == strlen(text));
	CHECK(fclose(file) == 0);
}

void gs_fakehost_link(struct gs_fakehost *f, const char *target, const char *fmt, ...)
{
	char path[512];

	FORMAT(path, f, fmt);
	make_parents(path);
	unlink(path);
	CHECK(symlink(target, path) == 0);
}

void gs_fakehost_mkdir(struct gs_fakehost *f, const char *fmt, ...)
{
	char path[512];

	FORMAT(path, f, fmt);
	CHECK(gs_mkdir_parents(path, 0755) == 0);
}

void gs_fakehost_remove(struct gs_fakehost *f, const char *fmt, ...)
{
	char path[512];

	FORMAT(path, f, fmt);
	if (unlink(path) < 0)
		nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

char *gs_fakehost_read(struct gs_fakehost *f, const char *fmt, ...)
{
	char path[512];
	char *bytes = NULL;
	size_t n;

	FORMAT(path, f, fmt);
	if (gs_file_read(path, 65536, &bytes, &n, NULL) < 0)
		bytes = strdup("");
	CHECK(bytes);
	return bytes;
}

void gs_fakehost_function(struct gs_fakehost *f, const char *bdf, const char *vendor, const char *device, const char *class, const char *driver, int group)
{
	static const struct {
		const char *name, *text;
	} plain[] = {
		{ "subsystem_vendor", "0x10de\n" }, { "subsystem_device", "0x0000\n" }, { "irq", "0\n" }, { "resource", "0x0 0x0 0x0\n" },
		{ "driver_override", "(null)\n" },  { "numa_node", "-1\n" },
	};
	char text[64];

	for (size_t i = 0; i < GS_ARRAY_SIZE(plain); i++)
		gs_fakehost_put(f, plain[i].text, "sys/bus/pci/devices/%s/%s", bdf, plain[i].name);
	snprintf(text, sizeof(text), "%s\n", vendor);
	gs_fakehost_put(f, text, "sys/bus/pci/devices/%s/vendor", bdf);
	snprintf(text, sizeof(text), "%s\n", device);
	gs_fakehost_put(f, text, "sys/bus/pci/devices/%s/device", bdf);
	snprintf(text, sizeof(text), "%s\n", class);
	gs_fakehost_put(f, text, "sys/bus/pci/devices/%s/class", bdf);
	if (driver) {
		snprintf(text, sizeof(text), "../../drivers/%s", driver);
		gs_fakehost_mkdir(f, "sys/bus/pci/drivers/%s", driver);
		gs_fakehost_link(f, text, "sys/bus/pci/devices/%s/driver", bdf);
	}
	if (group >= 0) {
		snprintf(text, sizeof(text), "../../../../kernel/iommu_groups/%d", group);
		gs_fakehost_link(f, text, "sys/bus/pci/devices/%s/iommu_group", bdf);
		snprintf(text, sizeof(text), "../../../../bus/pci/devices/%s", bdf);
		gs_fakehost_link(f, text, "sys/kernel/iommu_groups/%d/devices/%s", group, bdf);
	}
}

void gs_fakehost_vf(struct gs_fakehost *f, const char *pf, unsigned n, const char *bdf)
{
	char target[64];

	snprintf(target, sizeof(target), "../%s", bdf);
	gs_fakehost_link(f, target, "sys/bus/pci/devices/%s/virtfn%u", pf, n);
	snprintf(target, sizeof(target), "../%s", pf);
	gs_fakehost_link(f, target, "sys/bus/pci/devices/%s/physfn", bdf);
}
