/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/cgroup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

#define CGROUP_BYTES_MAX 16384
#define PARTS_MAX 64
#define PART_MAX 256
/* an id that is shorter is a word of somebody's */
#define CONTAINER_ID_MIN 32

/* One part of a path, as text of its own. */
struct part {
	char text[PART_MAX];
};

static bool ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n > m && strcmp(s + n - m, suffix) == 0;
}

/* "0::/a", "1:name=systemd:/a": the lines of systemd's hierarchy. */
static bool is_systemd_line(const char *line, const char *path)
{
	static const char old[] = ":name=systemd:";
	size_t n = (size_t)(path - line);

	return gs_str_starts(line, "0::") || (n > strlen(old) && memcmp(path - strlen(old), old, strlen(old)) == 0);
}

static void copy(char *ret, size_t size, const char *from, size_t n)
{
	if (n >= size)
		return;
	memcpy(ret, from, n);
	ret[n] = '\0';
}

/* 32 to 64 hexadecimal digits, and then nothing or ".scope". */
static bool take_id(const char *text, struct gs_cgroup *cgroup, const char *runtime)
{
	size_t n = strspn(text, "0123456789abcdef");

	if (n < CONTAINER_ID_MIN || n >= GS_CGROUP_CONTAINER || (text[n] && strcmp(text + n, ".scope") != 0))
		return false;
	copy(cgroup->container, sizeof(cgroup->container), text, n);
	snprintf(cgroup->runtime, sizeof(cgroup->runtime), "%s", runtime);
	return true;
}

/* Scopes that container engines make: RUNTIME-ID.scope, and "x.slice:RUNTIME:ID" where the driver is mixed up. */
static bool take_scope(const char *text, struct gs_cgroup *cgroup)
{
	static const struct {
		const char *prefix, *runtime;
	} engines[] = {
		{ "docker-", "docker" }, { "cri-containerd-", "containerd" }, { "crio-", "cri-o" }, { "libpod-", "podman" }, { "nerdctl-", "containerd" },
	};
	const char *mixed = strstr(text, ":cri-containerd:");

	if (mixed)
		return take_id(mixed + strlen(":cri-containerd:"), cgroup, "containerd");
	for (size_t i = 0; i < GS_ARRAY_SIZE(engines); i++)
		if (gs_str_starts(text, engines[i].prefix))
			return take_id(text + strlen(engines[i].prefix), cgroup, engines[i].runtime);
	return false;
}

/* "pod1a2b…", "kubepods-burstable-pod1a2b_….slice": systemd does not take dashes in a name, so they are underscores there. */
static void take_pod(const char *text, struct gs_cgroup *cgroup)
{
	const char *pod = gs_str_starts(text, "pod") ? text : gs_str_starts(text, "kubepods-") ? strstr(text, "-pod") : NULL;
	size_t n;

	if (!pod)
		return;
	pod += pod == text ? strlen("pod") : strlen("-pod");
	n = strspn(pod, "0123456789abcdef-_");
	if (n < CONTAINER_ID_MIN || n >= sizeof(cgroup->pod) || (pod[n] && !gs_str_starts(pod + n, ".slice")))
		return;
	copy(cgroup->pod, sizeof(cgroup->pod), pod, n);
	for (char *p = cgroup->pod; *p; p++)
		if (*p == '_')
			*p = '-';
}

/* What stands before an id where engines use no scopes: /docker/ID, /kubepods/…/podUID/ID, /libpod_parent/…, /lxc/NAME, /lxc.payload.NAME. */
static void take_container(const struct part *parts, size_t i, struct gs_cgroup *cgroup)
{
	const char *text = parts[i].text, *before = i ? parts[i - 1].text : "";

	if (take_scope(text, cgroup))
		return;
	if (strcmp(before, "docker") == 0 && take_id(text, cgroup, "docker"))
		return;
	if ((gs_str_starts(before, "pod") || gs_str_starts(before, "kubepods")) && take_id(text, cgroup, "containerd"))
		return;
	if (strcmp(before, "lxc") == 0 || gs_str_starts(text, "lxc.payload.")) {
		const char *name = gs_str_starts(text, "lxc.payload.") ? text + strlen("lxc.payload.") : text;

		if (!*name || strlen(name) >= sizeof(cgroup->container))
			return;
		snprintf(cgroup->container, sizeof(cgroup->container), "%s", name);
		snprintf(cgroup->runtime, sizeof(cgroup->runtime), "lxc");
	}
}

/* /slurm/uid_1000/job_42/step_0 of the old hierarchy, …/slurmstepd.scope/job_42/… of the new one. */
static void take_job(const struct part *parts, size_t i, bool is_slurm, struct gs_cgroup *cgroup)
{
	uint32_t job;

	if (is_slurm && gs_str_starts(parts[i].text, "job_") && gs_parse_u32(parts[i].text + strlen("job_"), 10, &job) == 0)
		cgroup->slurm_job = GS_U32(job);
}

static bool is_unit(const char *text)
{
	return ends_with(text, ".service") || ends_with(text, ".scope");
}

static size_t split(const char *path, const char *end, struct part *parts)
{
	size_t n = 0;

	while (path < end && n < PARTS_MAX) {
		const char *slash = memchr(path, '/', (size_t)(end - path));
		size_t length = (size_t)((slash ? slash : end) - path);

		/* too long to be anything that we know */
		if (length && length < PART_MAX)
			copy(parts[n++].text, PART_MAX, path, length);
		path += length + 1;
	}
	return n;
}

static void parse_path(const char *path, const char *end, bool is_systemd, struct gs_cgroup *cgroup)
{
	struct part parts[PARTS_MAX];
	size_t n = split(path, end, parts), first = 0;
	bool is_slurm = false;

	while (first < n && ends_with(parts[first].text, ".slice"))
		first++;
	if (is_systemd && first < n && is_unit(parts[first].text) && !cgroup->unit[0])
		copy(cgroup->unit, sizeof(cgroup->unit), parts[first].text, strlen(parts[first].text));
	for (size_t i = 0; i < n; i++) {
		is_slurm = is_slurm || gs_str_starts(parts[i].text, "slurm");
		take_container(parts, i, cgroup);
		take_pod(parts[i].text, cgroup);
		take_job(parts, i, is_slurm, cgroup);
	}
}

void gs_cgroup_parse(const char *text, struct gs_cgroup *ret_cgroup)
{
	memset(ret_cgroup, 0, sizeof(*ret_cgroup));
	for (const char *line = text; *line;) {
		const char *end = line + strcspn(line, "\n");
		const char *path = line;

		/* number, controllers, path */
		for (unsigned colons = 0; path < end && colons < 2; path++)
			colons += *path == ':';
		if (path < end && *path == '/')
			parse_path(path, end, is_systemd_line(line, path), ret_cgroup);
		line = *end ? end + 1 : end;
	}
}

int gs_cgroup_read(struct gs_root *root, uint32_t pid, struct gs_cgroup *ret_cgroup)
{
	GS_FREE char *text = NULL;
	size_t n;
	int r = gs_root_read_bytes(root, CGROUP_BYTES_MAX, &text, &n, "proc/%u/cgroup", pid);

	if (r < 0)
		return r == -ESRCH ? -ENOENT : r;
	gs_cgroup_parse(text, ret_cgroup);
	return 0;
}
