/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree_proc.c - proc/PID, a few files of proc/ itself, etc/, and the kernel's log. */
#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

#include "backend/sim/tree_list.h"
#include "base/parse.h"
#include "base/strbuf.h"

/* A UUID that belongs to this machine (and to this boot, for @what "boot"). */
static void machine_uuid(const struct gs_sim_state *s, const char *what, bool dashes, char *ret_text)
{
	char name[256], text[UUID_STR_LEN];
	uuid_t space = { 0 }, uuid;
	size_t n = 0;

	snprintf(name, sizeof(name), "gpuslice-sim/%s/%s/%llu", s->host, what,
		 gs_str_equal(what, "boot") ? (unsigned long long)s->boot_time : 0);
	uuid_generate_sha1(uuid, space, name, strlen(name));
	uuid_unparse_lower(uuid, text);
	for (const char *p = text; *p; p++) {
		if (*p != '-' || dashes)
			ret_text[n++] = *p;
	}
	ret_text[n] = '\0';
}

static void list_globals(struct gs_sim_list *l, const struct gs_sim_state *s)
{
	GS_STRBUF struct gs_strbuf passwd = GS_STRBUF_INIT, log = GS_STRBUF_INIT;
	char uuid[UUID_STR_LEN];

	gs_sim_list_enter(l, "proc/sys/kernel/random");
	machine_uuid(s, "boot", true, uuid);
	gs_sim_list_text(l, 0444, "boot_id", "%s\n", uuid);
	gs_sim_list_enter(l, "proc/sys/kernel");
	gs_sim_list_text(l, 0644, "hostname", "%s\n", s->hostname);
	gs_sim_list_text(l, 0444, "osrelease", "%s\n", s->kernel_version);
	gs_sim_list_text(l, 0444, "ostype", "Linux\n");
	gs_sim_list_enter(l, "proc");
	gs_sim_list_text(l, 0444, "uptime", "%llu.00 %llu.00\n", (unsigned long long)s->uptime_seconds,
			 (unsigned long long)s->uptime_seconds * 100);
	gs_sim_list_text(l, 0444, "stat", "cpu  10132153 290696 3084719 46828483 16683 0 25195 0 0 0\nbtime %llu\n",
			 (unsigned long long)s->boot_time);
	gs_sim_list_text(l, 0444, "cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/md0 ro intel_iommu=on iommu=pt\n");

	gs_sim_list_enter(l, "dev");
	gs_strbuf_printf(&log, "5,0,0,-;Linux version %s\n", s->kernel_version);
	for (size_t i = 0; i < s->n_log; i++)
		gs_strbuf_printf(&log, "%s\n", s->log[i]);
	gs_sim_list_bytes(l, 0644, "kmsg", log.failed ? "" : log.text, log.failed ? 0 : log.length);

	gs_strbuf_puts(&passwd, "root:x:0:0:root:/root:/bin/bash\n");
	for (size_t i = 0; i < s->n_users; i++)
		gs_strbuf_printf(&passwd, "%s:x:%u:%u::/home/%s:/bin/bash\n", s->users[i].name, s->users[i].uid,
				 s->users[i].uid, s->users[i].name);
	gs_sim_list_enter(l, "etc");
	gs_sim_list_bytes(l, 0644, "passwd", passwd.failed ? "" : passwd.text, passwd.failed ? 0 : passwd.length);
	machine_uuid(s, "machine", false, uuid);
	gs_sim_list_text(l, 0444, "machine-id", "%s\n", uuid);
	gs_sim_list_text(l, 0644, "hostname", "%s\n", s->hostname);
}

static void list_fd(struct gs_sim_list *l, unsigned *next, const char *target)
{
	char name[16];

	snprintf(name, sizeof(name), "%u", (*next)++);
	if (target)
		gs_sim_list_link(l, name, "%s", target);
}

static bool used_before(const struct gs_sim_process *p, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (p->uses[k].gpu == p->uses[i].gpu)
			return true;
	}
	return false;
}

/* Once per GPU, then the capabilities: what the CUDA runtime opens. */
static void list_fds(struct gs_sim_list *l, const struct gs_sim_state *s, const struct gs_sim_process *p)
{
	unsigned next = 0;
	bool cuda = false;

	gs_sim_list_enter(l, "proc/%u/fd", p->pid);
	for (unsigned i = 0; i < 3; i++)
		list_fd(l, &next, "/dev/null");
	if (p->n_uses)
		list_fd(l, &next, "/dev/nvidiactl");
	for (size_t i = 0; i < p->n_uses; i++)
		cuda |= p->uses[i].cuda;
	if (cuda)
		list_fd(l, &next, "/dev/nvidia-uvm");
	for (size_t i = 0; i < p->n_uses; i++) {
		uint32_t minor = s->gpus[p->uses[i].gpu].minor;

		if (!used_before(p, i))
			list_fd(l, &next, gs_arena_printf(l->arena, "/dev/nvidia%u", minor));
		if (p->uses[i].gi != GS_SIM_NONE)
			list_fd(l, &next, gs_arena_printf(l->arena, "/dev/nvidia-caps/nvidia-cap%u",
							  gs_sim_cap_minor(minor, p->uses[i].gi, GS_SIM_NONE)));
		if (p->uses[i].gi != GS_SIM_NONE && p->uses[i].ci != GS_SIM_NONE)
			list_fd(l, &next, gs_arena_printf(l->arena, "/dev/nvidia-caps/nvidia-cap%u",
							  gs_sim_cap_minor(minor, p->uses[i].gi, p->uses[i].ci)));
	}
	for (size_t i = 0; i < p->n_opens && !p->unseen; i++)
		list_fd(l, &next, p->opens[i]);
}

static void list_process(struct gs_sim_list *l, const struct gs_sim_state *s, const struct gs_sim_process *p)
{
	GS_STRBUF struct gs_strbuf args = GS_STRBUF_INIT;

	for (size_t i = 0; i < p->n_args; i++)
		gs_strbuf_add(&args, p->args[i], strlen(p->args[i]) + 1);
	gs_sim_list_enter(l, "proc/%u", p->pid);
	gs_sim_list_text(l, 0644, "comm", "%s\n", p->comm);
	gs_sim_list_bytes(l, 0444, "cmdline", args.text ? args.text : "", args.failed ? 0 : args.length);
	gs_sim_list_text(l, 0444, "cgroup", "0::%s\n", p->cgroup);
	gs_sim_list_text(l, 0444, "stat",
			 "%u (%s) S %u %u %u 0 -1 4194560 81532 0 12 0 402113 90125 0 0 20 0 8 0 %llu 34359738368 "
			 "2097152 18446744073709551615 1 1 0 0 0 0 0 16781312 134235906 0 0 0 17 3 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
			 p->pid, p->comm, p->ppid, p->pid, p->pid, (unsigned long long)p->start_time);
	gs_sim_list_text(l, 0444, "status",
			 "Name:\t%s\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t%u\nNgid:\t0\nPid:\t%u\nPPid:\t%u\n"
			 "TracerPid:\t0\nUid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nThreads:\t8\n",
			 p->comm, p->pid, p->pid, p->ppid, p->uid, p->uid, p->uid, p->uid, p->uid, p->uid, p->uid, p->uid);
	list_fds(l, s, p);
}

void gs_sim_list_processes(struct gs_sim_list *l, const struct gs_sim_state *s)
{
	list_globals(l, s);
	for (size_t i = 0; i < s->n_processes; i++)
		list_process(l, s, &s->processes[i]);
}
