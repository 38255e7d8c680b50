/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "backend/sriov.h"

#define CAP_SYS_ADMIN_BIT 21    /* linux/capability.h */
#define STATUS_MAX 65536
#define MODULES_MAX (4u << 20)

static enum gs_answer yes_no(bool yes)
{
	return yes ? GS_ANSWER_YES : GS_ANSWER_NO;
}

/* -ENOENT and -ENOTDIR are a no; what may not be looked at is not. */
static enum gs_answer answer_of(int r)
{
	return r == 0 ? GS_ANSWER_YES : r == -ENOENT || r == -ENOTDIR ? GS_ANSWER_NO : GS_ANSWER_UNKNOWN;
}

static enum gs_answer exists(struct gs_root *root, const char *path)
{
	struct stat st;

	return answer_of(gs_root_stat(root, &st, "%s", path));
}

static enum gs_answer either(enum gs_answer a, enum gs_answer b)
{
	return a > b ? a : b;
}

/* ---- NVIDIA's kernel module ---- */

bool gs_doctor_parse_nvidia_version(const char *text, char *ret_version, size_t size, bool *ret_is_open)
{
	const char *p = strstr(text, "Kernel Module");
	const char *line_end = strchr(text, '\n');
	size_t n;

	if (!p || (line_end && p > line_end))
		return false;
	/* open modules say «Open Kernel Module for x86_64  570…», the others «Kernel Module  570…» */
	*ret_is_open = p - text >= 5 && strncmp(p - 5, "Open ", 5) == 0;
	for (p += strlen("Kernel Module"); *p && *p != '\n'; p += n) {
		p += strspn(p, " \t");
		n = strcspn(p, " \t\n");
		if (n && n < size && *p >= '0' && *p <= '9' && memchr(p, '.', n)) {
			memcpy(ret_version, p, n);
			ret_version[n] = '\0';
			return true;
		}
	}
	return false;
}

static void read_driver(struct gs_root *root, struct gs_arena *arena, struct gs_doctor_facts *f)
{
	GS_FREE char *text = NULL;
	char version[64];
	bool is_open;

	f->nvidia_loaded = either(exists(root, "proc/driver/nvidia/version"), exists(root, "sys/module/nvidia"));
	f->nouveau_loaded = exists(root, "sys/module/nouveau");
	if (gs_root_read(root, &text, "proc/driver/nvidia/version") == 0 && gs_doctor_parse_nvidia_version(text, version, sizeof(version), &is_open)) {
		f->nvidia_version = gs_arena_strdup(arena, version);
		f->nvidia_is_open = yes_no(is_open);
	}
}

/* ---- the caller ---- */

bool gs_doctor_next_number(const char **text, unsigned base, uint64_t *ret_value)
{
	char word[24];
	const char *p = *text + strspn(*text, " \t");
	size_t n = strcspn(p, " \t\n");

	if (!n || n >= sizeof(word))
		return false;
	memcpy(word, p, n);
	word[n] = '\0';
	*text = p + n;
	return gs_parse_u64(word, base, ret_value) == 0;
}

enum gs_answer gs_doctor_has_capability(const char *status, unsigned bit)
{
	static const char key[] = "\nCapEff:";
	const char *p = strstr(status, key);
	uint64_t set;

	if (!p)
		return GS_ANSWER_UNKNOWN;
	p += strlen(key);
	if (!gs_doctor_next_number(&p, 16, &set))
		return GS_ANSWER_UNKNOWN;
	return yes_no(set >> bit & 1);
}

enum gs_answer gs_doctor_is_mapped(const char *uid_map)
{
	uint64_t inside, outside, count;

	if (!gs_doctor_next_number(&uid_map, 10, &inside) || !gs_doctor_next_number(&uid_map, 10, &outside) || !gs_doctor_next_number(&uid_map, 10, &count))
		return GS_ANSWER_UNKNOWN;
	return yes_no(inside || outside || count != UINT32_MAX);
}

enum gs_answer gs_doctor_is_sys_writable(const char *mounts)
{
	enum gs_answer answer = GS_ANSWER_UNKNOWN;

	for (const char *p = strstr(mounts, " /sys sysfs "); p; p = strstr(p + 1, " /sys sysfs ")) {
		const char *options = p + strlen(" /sys sysfs ");

		answer = yes_no(strncmp(options, "ro,", 3) != 0 && strncmp(options, "ro ", 3) != 0);
	}
	return answer;
}

/* Only on the live machine is /proc/self ours. */
static void read_caller(struct gs_machine *machine, struct gs_doctor_facts *f)
{
	struct gs_root *root = gs_machine_root(machine);
	char *text;
	size_t n;

	if (gs_machine_source(machine) == GS_SOURCE_SYSROOT)
		return;
	f->is_privileged = yes_no(gs_machine_is_privileged(machine));
	if (gs_machine_source(machine) != GS_SOURCE_LIVE)
		return;
	if (gs_root_read(root, &text, "proc/self/status") == 0) {
		f->has_sys_admin = gs_doctor_has_capability(text, CAP_SYS_ADMIN_BIT);
		free(text);
	}
	if (gs_root_read(root, &text, "proc/self/uid_map") == 0) {
		f->in_user_namespace = gs_doctor_is_mapped(text);
		free(text);
	}
	if (gs_root_read_bytes(root, STATUS_MAX, &text, &n, "proc/self/mounts") == 0) {
		char *mounts = strndup(text, n);

		if (mounts)
			f->sys_is_writable = gs_doctor_is_sys_writable(mounts);
		free(mounts);
		free(text);
	}
	/* Podman's and Docker's marks; without one it may still be a container */
	if (gs_root_exists(root, "run/.containerenv") || gs_root_exists(root, ".dockerenv"))
		f->in_container = GS_ANSWER_YES;
}

/* ---- the host ---- */

static enum gs_answer has_entries(struct gs_root *root, const char *path)
{
	enum gs_answer answer = GS_ANSWER_NO;
	struct dirent *d;
	DIR *dir;
	int r = gs_root_opendir(root, &dir, "%s", path);

	if (r < 0)
		return answer_of(r);
	while ((d = readdir(dir)) && answer == GS_ANSWER_NO)
		if (d->d_name[0] != '.')
			answer = GS_ANSWER_YES;
	closedir(dir);
	return answer;
}

/* Is the module in the kernel's lists of what can be loaded or is built in? Unknown without them. */
static enum gs_answer can_be_loaded(struct gs_root *root, const char *release, const char *file)
{
	static const char *const lists[] = { "modules.builtin", "modules.dep" };
	enum gs_answer answer = GS_ANSWER_UNKNOWN;

	for (size_t i = 0; release && i < GS_ARRAY_SIZE(lists); i++) {
		GS_FREE char *text = NULL;
		size_t n;

		if (gs_root_read_bytes(root, MODULES_MAX, &text, &n, "lib/modules/%s/%s", release, lists[i]) < 0)
			continue;
		answer = either(answer, yes_no(memmem(text, n, file, strlen(file)) != NULL));
	}
	return answer;
}

/* A process calls itself what it likes; doctor only says what it saw. The kernel cuts a name at 15 bytes. */
static void read_daemons(struct gs_root *root, struct gs_doctor_facts *f)
{
	struct dirent *d;
	DIR *dir;
	bool any = false;

	if (gs_root_opendir(root, &dir, "proc") < 0)
		return;
	while ((d = readdir(dir))) {
		GS_FREE char *comm = NULL;

		if (d->d_name[0] < '1' || d->d_name[0] > '9' || gs_root_read(root, &comm, "proc/%s/comm", d->d_name) < 0)
			continue;
		any = true;
		if (strcmp(comm, "nvidia-vgpu-mgr") == 0)
			f->vgpu_manager_runs = GS_ANSWER_YES;
		else if (strcmp(comm, "nv-fabricmanage") == 0)
			f->fabric_manager_runs = GS_ANSWER_YES;
	}
	closedir(dir);
	/* a tree without processes, as a recording may be, is no proof */
	if (!any)
		return;
	f->vgpu_manager_runs = either(f->vgpu_manager_runs, GS_ANSWER_NO);
	f->fabric_manager_runs = either(f->fabric_manager_runs, GS_ANSWER_NO);
}

static void read_tools(struct gs_root *root, struct gs_doctor_facts *f)
{
	struct stat st;

	f->has_sriov_manage = exists(root, GS_SRIOV_MANAGE + 1);
	if (f->has_sriov_manage == GS_ANSWER_YES && gs_root_stat(root, &st, "%s", GS_SRIOV_MANAGE + 1) == 0)
		f->sriov_manage_runs = yes_no(S_ISREG(st.st_mode) && st.st_mode & 0111);
	f->has_nvidia_smi = either(exists(root, "usr/bin/nvidia-smi"), exists(root, "usr/local/bin/nvidia-smi"));
	f->has_mig_capabilities = exists(root, "proc/driver/nvidia/capabilities/mig/config");
	/* 1 and 2 are mig/config and mig/monitor (interfaces 5.10) */
	f->has_capability_nodes = exists(root, "dev/nvidia-caps/nvidia-cap1");
	if (f->has_capability_nodes == GS_ANSWER_YES)
		f->has_capability_nodes = exists(root, "dev/nvidia-caps/nvidia-cap2");
}

int gs_doctor_read(struct gs_machine *machine, struct gs_collect *collect, struct gs_arena *arena, struct gs_doctor_facts *ret_facts, struct gs_error *e)
{
	struct gs_root *root = gs_machine_root(machine);
	GS_FREE char *release = NULL;
	struct gs_doctor_facts f = { 0 };
	int r;

	if (gs_root_read(root, &release, "proc/sys/kernel/osrelease") == 0)
		f.kernel_release = gs_arena_strdup(arena, release);
	read_caller(machine, &f);
	read_driver(root, arena, &f);
	read_daemons(root, &f);
	read_tools(root, &f);
	f.has_iommu_groups = has_entries(root, "sys/kernel/iommu_groups");
	f.vfio_pci_loaded = either(exists(root, "sys/bus/pci/drivers/vfio-pci"), exists(root, "sys/module/vfio_pci"));
	f.vfio_pci_available = can_be_loaded(root, release && !strchr(release, '/') ? release : NULL, "/vfio-pci.ko");
	r = gs_doctor_read_gpus(root, arena, &f);
	if (r == 0)
		r = gs_doctor_read_library(machine, collect, arena, &f);
	if (r < 0 || gs_arena_has_failed(arena))
		return gs_error_oom(e);
	*ret_facts = f;
	return 0;
}
