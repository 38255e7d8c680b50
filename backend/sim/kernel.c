/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/sim/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "backend/sim/expect.h"
#include "base/parse.h"

int gs_sim_node_open(int tree_fd, uint32_t minor)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "dev/nvidia%u", minor);
	fd = openat(tree_fd, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		fd = openat(tree_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -1;
	/* somebody who tests for holders has it for a moment only; whoever has it for longer is no simulator */
	for (int i = 0; i < 200 && flock(fd, LOCK_SH | LOCK_NB) < 0; i++)
		nanosleep(&pause, NULL);
	return fd;
}

/*
 * An exclusive lock can be had only when no other open file has a shared one.
 * A lock belongs to the open file, so our own is converted rather than tested
 * against; a failed conversion has lost it (flock(2)), so it is taken again.
 */
bool gs_sim_node_is_locked(int tree_fd, uint32_t minor, int own_fd)
{
	GS_CLOSE int other = -1;
	int fd = own_fd;
	bool held;

	if (minor == GS_SIM_NONE)
		return false;
	if (fd < 0) {
		char path[32];

		snprintf(path, sizeof(path), "dev/nvidia%u", minor);
		fd = other = openat(tree_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	}
	if (fd < 0)
		return false;
	held = flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
	if (own_fd >= 0)
		flock(fd, LOCK_SH | LOCK_NB);
	return held;
}

static bool is_held_by_process(const struct gs_sim_state *s, uint32_t index)
{
	for (size_t i = 0; i < s->n_processes; i++) {
		const struct gs_sim_process *p = &s->processes[i];

		for (size_t k = 0; !p->passive && k < p->n_uses; k++) {
			if (p->uses[k].gpu == index)
				return true;
		}
	}
	return false;
}

bool gs_sim_gpu_is_held(const struct gs_sim_state *s, const struct gs_sim_gpu *gpu, int tree_fd, int own_fd)
{
	return is_held_by_process(s, gs_sim_gpu_index(s, gpu)) || gs_sim_node_is_locked(tree_fd, gpu->minor, own_fd);
}

/* A mode change wipes the instances and every handle (interfaces 5.1, 5.8). */
static void activate(struct gs_sim_gpu *gpu)
{
	gpu->mig_current = gpu->mig_pending;
	gpu->pending_stuck = false;
	gpu->n_gis = 0;
	gpu->epoch++;
}

void gs_sim_gpu_reset(struct gs_sim_gpu *gpu)
{
	activate(gpu);
}

enum gs_nvml_return gs_sim_mode_set(struct gs_sim_state *s, struct gs_sim_gpu *gpu, bool enable, int tree_fd, int own_fd,
			       enum gs_nvml_return *ret_activation)
{
	/* with VFs enabled MIG cannot be switched off (interfaces 2.6) */
	if (!enable && gpu->mig_current && (gpu->n_gis || gpu->numvfs))
		return GS_NVML_IN_USE;
	gpu->mig_pending = enable;
	gpu->pending_stuck = false;
	*ret_activation = GS_NVML_SUCCESS;
	if (enable == gpu->mig_current)
		return GS_NVML_SUCCESS;
	if (gpu->pending_armed) {
		gpu->pending_armed = false;
		gpu->pending_stuck = true;
		*ret_activation = GS_NVML_IN_USE;
	} else if (gs_sim_gpu_is_held(s, gpu, tree_fd, own_fd)) {
		*ret_activation = GS_NVML_IN_USE;
	} else {
		activate(gpu);
	}
	return GS_NVML_SUCCESS;
}

bool gs_sim_modes_settle(struct gs_sim_state *s, int tree_fd)
{
	bool changed = false;

	for (size_t i = 0; i < s->n_gpus; i++) {
		struct gs_sim_gpu *gpu = &s->gpus[i];

		if (gpu->mig_pending == gpu->mig_current || gpu->pending_stuck ||
		    gs_sim_gpu_is_held(s, gpu, tree_fd, -1))
			continue;
		activate(gpu);
		changed = true;
	}
	return changed;
}

void gs_sim_process_forget_instances(struct gs_sim_process *p)
{
	for (size_t i = 0; i < p->n_uses; i++) {
		p->uses[i].gi = p->uses[i].ci = GS_SIM_NONE;
		p->uses[i].cuda = false;
		p->uses[i].memory_bytes = 0;
	}
}

static void take_out(struct gs_sim_state *s, size_t i)
{
	uint32_t pid = s->processes[i].pid;

	/* orphans go to init */
	for (size_t k = 0; k < s->n_processes; k++) {
		if (s->processes[k].ppid == pid)
			s->processes[k].ppid = 1;
	}
	memmove(&s->processes[i], &s->processes[i + 1], (s->n_processes - i - 1) * sizeof(*s->processes));
	s->n_processes--;
}

void gs_sim_process_remove(struct gs_sim_state *s, struct gs_sim_process *p)
{
	uint32_t pid = p->pid;

	take_out(s, (size_t)(p - s->processes));
	/* one step is enough: nobody follows a follower */
	for (size_t i = s->n_processes; i-- > 0;) {
		if (s->processes[i].follows == pid)
			take_out(s, i);
	}
}

bool gs_sim_fault_matches(const struct gs_sim_fault *f, const char *call, bool mutating)
{
	if (f->target != GS_SIM_ON_NVML)
		return false;
	return gs_str_equal(f->call, "*") ? mutating : gs_str_equal(f->call, call);
}

/* A pattern may be written with or without the slash in front, and for the link or for what it leads to. */
static bool strikes(const struct gs_sim_fault *f, const struct gs_sim_fault_event *event)
{
	const char *pattern = f->call[0] == '/' ? f->call + 1 : f->call;

	if (f->target != event->target)
		return false;
	if (f->target == GS_SIM_ON_NVML)
		return gs_sim_fault_matches(f, event->name, event->is_mutating);
	if (f->target == GS_SIM_ON_PROGRAM)
		return gs_str_equal(f->call, event->name);
	return fnmatch(pattern, event->name, 0) == 0 || (event->other_name && fnmatch(pattern, event->other_name, 0) == 0);
}

const struct gs_sim_fault *gs_sim_fault_find(const struct gs_sim_state *s, const struct gs_sim_fault_event *event)
{
	for (size_t i = 0; i < s->n_faults; i++) {
		if (strikes(&s->faults[i], event))
			return &s->faults[i];
	}
	return NULL;
}

bool gs_sim_fault_take_event(struct gs_sim_state *s, const struct gs_sim_fault_event *event, struct gs_sim_fault *ret_fault,
			     bool *ret_counted)
{
	size_t found = s->n_faults;

	*ret_counted = false;
	/* a hang first: while it lasts the call has not happened, so nothing counts */
	for (size_t i = 0; i < s->n_faults; i++) {
		if (s->faults[i].kind == GS_SIM_FAULT_HANG && strikes(&s->faults[i], event)) {
			*ret_fault = s->faults[i];
			return true;
		}
	}
	if (gs_sim_expect_answers(s, event, ret_fault, ret_counted))
		return true;
	for (size_t i = 0; i < s->n_faults; i++) {
		struct gs_sim_fault *f = &s->faults[i];

		if (f->kind == GS_SIM_FAULT_SLOW || !strikes(f, event))
			continue;
		*ret_counted = true;
		if (f->countdown > 1)
			f->countdown--;
		else if (found == s->n_faults)
			found = i;
	}
	if (found == s->n_faults)
		return false;
	*ret_fault = s->faults[found];
	memmove(&s->faults[found], &s->faults[found + 1], (s->n_faults - found - 1) * sizeof(*s->faults));
	s->n_faults--;
	return true;
}

bool gs_sim_fault_take(struct gs_sim_state *s, const char *call, bool mutating, struct gs_sim_fault *ret_fault,
		       bool *ret_counted)
{
	const struct gs_sim_fault_event event = { GS_SIM_ON_NVML, call, NULL, mutating };

	return gs_sim_fault_take_event(s, &event, ret_fault, ret_counted);
}
