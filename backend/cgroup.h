/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup.h - what the cgroup of a process tells: the systemd unit, the
 * container, the batch job. A cgroup's name is given by root or by a user's
 * own manager, so it is bounded and only shown.
 */
#ifndef GS_BACKEND_CGROUP_H
#define GS_BACKEND_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/optional.h"
#include "base/root.h"

#define GS_CGROUP_UNIT 128
#define GS_CGROUP_RUNTIME 16
#define GS_CGROUP_CONTAINER 65      /* 64 hex digits, or a name */
#define GS_CGROUP_POD 40

struct gs_cgroup {
	char unit[GS_CGROUP_UNIT];              /* first part of the path that is no slice: "nvidia-dcgm.service", "session-3.scope"; "" */
	char runtime[GS_CGROUP_RUNTIME];        /* "docker", "containerd", "cri-o", "podman", "lxc"; "" in no container */
	char container[GS_CGROUP_CONTAINER];    /* its id or name */
	char pod[GS_CGROUP_POD];                /* UID of the Kubernetes pod, with dashes; "" */
	struct gs_u32 slurm_job;
};

/*
 * @text is /proc/PID/cgroup: "0::/…" on the unified hierarchy, "1:name=systemd:/…"
 * and one line per controller on the old one. What it does not tell is empty.
 */
void gs_cgroup_parse(const char *text, struct gs_cgroup *ret_cgroup);

/* The same of a process. -ENOENT when it has gone. */
int gs_cgroup_read(struct gs_root *root, uint32_t pid, struct gs_cgroup *ret_cgroup);

#endif
