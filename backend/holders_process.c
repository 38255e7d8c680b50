/* SPDX-License-Identifier: GPL-2.0-or-later */
/* holders_process.c - what a process is: whose, of which unit, a virtual machine, a container, a batch job, one of ours. */
#include <stdio.h>
#include <string.h>

#include "backend/cgroup.h"
#include "backend/grow.h"
#include "backend/holders_private.h"
#include "base/parse.h"

#define PROCESSES_MAX 4096
#define PASSWD_BYTES_MAX (1u << 20)
#define CMDLINE_BYTES_MAX 4096
#define ID_SHOWN 12             /* of a container's, as its tools show it */
#define POD_SHOWN 8

/* Name of a uid in the machine's passwd; a line is name:x:uid:… */
static void find_user(struct gs_holders *h, uint32_t uid, char *ret_user, size_t size)
{
	GS_FREE char *text = NULL;
	char wanted[16];
	size_t n;

	ret_user[0] = '\0';
	if (gs_root_read_bytes(h->root, PASSWD_BYTES_MAX, &text, &n, "etc/passwd") < 0)
		return;
	snprintf(wanted, sizeof(wanted), "%u", uid);
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n"), name = strcspn(line, ":\n");
		const char *end = line + length;
		const char *password = name < length ? line + name + 1 : end;
		const char *number = password + strcspn(password, ":\n");

		number = number < end ? number + 1 : end;
		if (strcspn(number, ":\n") == strlen(wanted) && strncmp(number, wanted, strlen(wanted)) == 0 && name < size) {
			memcpy(ret_user, line, name);
			ret_user[name] = '\0';
			return;
		}
		line = *end ? end + 1 : end;
	}
}

/* A process writes its own name and words; which file it executes is the kernel's word. */
static bool is_own_collector(struct gs_holders *h, uint32_t pid, const char *comm)
{
	GS_FREE char *cmdline = NULL;
	size_t n = 0;

	if (strcmp(comm, "gpuslice") != 0 || !gs_proc_is_own_program(h->root, pid))
		return false;
	return gs_root_read_bytes(h->root, CMDLINE_BYTES_MAX, &cmdline, &n, "proc/%u/cmdline", pid) == 0 && gs_proc_is_collector(comm, cmdline, n);
}

/* A container is named by its id, and by what runs in it. */
static void name_container(struct gs_process *p, const struct gs_cgroup *cgroup)
{
	char pod[GS_CGROUP_POD + 8] = "";

	if (cgroup->pod[0])
		snprintf(pod, sizeof(pod), ", pod %.*s", POD_SHOWN, cgroup->pod);
	p->kind = GS_HOLDER_CONTAINER;
	snprintf(p->name, sizeof(p->name), "%.*s (%s%s, %s)", ID_SHOWN, cgroup->container, cgroup->runtime, pod, p->comm);
}

static void classify(struct gs_holders *h, struct gs_process *p)
{
	struct gs_cgroup cgroup = { 0 };
	struct gs_vm vm;

	p->kind = GS_HOLDER_PROCESS;
	if (gs_cgroup_read(h->root, p->pid, &cgroup) == 0)
		snprintf(p->unit, sizeof(p->unit), "%s", cgroup.unit);
	if (gs_vm_read(h->root, p->pid, &vm)) {
		p->kind = GS_HOLDER_VM;
		snprintf(p->name, sizeof(p->name), "%s", vm.name[0] ? vm.name : p->comm);
		snprintf(p->vm_uuid, sizeof(p->vm_uuid), "%s", vm.uuid);
	} else if (cgroup.container[0]) {
		name_container(p, &cgroup);
	} else if (cgroup.slurm_job.known) {
		p->kind = GS_HOLDER_UNIT;
		snprintf(p->name, sizeof(p->name), "slurm job %u (%s)", cgroup.slurm_job.value, p->comm);
	}
}

struct gs_process *gs_holders_know(struct gs_holders *h, uint32_t pid, uint64_t start_time, const char *comm)
{
	struct gs_process *p;
	uint32_t uid;

	for (size_t i = 0; i < h->n_processes; i++) {
		p = &h->processes[i];
		/* an exec keeps pid and start time */
		if (p->pid == pid && p->start_time == start_time && strcmp(p->comm, comm) == 0) {
			p->seen = true;
			return p;
		}
	}
	if (gs_grow(&h->processes, h->n_processes, &h->cap_processes, sizeof(*h->processes), PROCESSES_MAX) < 0)
		return NULL;
	p = &h->processes[h->n_processes++];
	memset(p, 0, sizeof(*p));
	p->pid = pid;
	p->start_time = start_time;
	p->seen = true;
	snprintf(p->comm, sizeof(p->comm), "%s", comm);
	if (gs_proc_uid(h->root, pid, &uid) == 0) {
		p->uid = GS_U32(uid);
		find_user(h, uid, p->user, sizeof(p->user));
	}
	classify(h, p);
	p->yields = is_own_collector(h, pid, comm);
	return p;
}

void gs_holders_forget(struct gs_holders *h)
{
	size_t kept = 0;

	for (size_t i = 0; i < h->n_processes; i++) {
		if (!h->processes[i].seen)
			continue;
		h->processes[kept] = h->processes[i];
		h->processes[kept++].seen = false;
	}
	h->n_processes = kept;
}
