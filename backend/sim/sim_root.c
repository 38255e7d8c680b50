/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim_root.c - the simulated kernel as gs_root sees it: writes to attributes, who may read what, and what a read gives. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backend/sim/attr.h"
#include "backend/sim/drivers.h"
#include "backend/sim/expect.h"
#include "backend/sim/kernel.h"
#include "backend/sim/kill.h"
#include "backend/sim/sim_private.h"
#include "base/parse.h"

/* One attribute: a page, less the NUL that the kernel adds. */
#define STORE_BYTES_MAX 4095

/* What @path leads to, links followed, as a path of the tree. */
static int resolve(struct gs_sim *sim, const char *path, char *ret_path, size_t size, struct stat *ret_st)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	char link[40], full[PATH_MAX], top[PATH_MAX];
	int tree_fd = gs_sim_store_tree_fd(sim->store);
	GS_CLOSE int fd = -1;
	ssize_t n, m;

	for (int tries = 0; tries < 16; tries++) {
		fd = (int)syscall(SYS_openat2, tree_fd, path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	if (fd < 0 || fstat(fd, ret_st) < 0)
		return -errno;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, full, sizeof(full) - 1);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", tree_fd);
	m = readlink(link, top, sizeof(top) - 1);
	if (n <= 0 || m <= 0 || n <= m + 1 || (size_t)(n - m) > size || memcmp(full, top, (size_t)m) != 0)
		return -ENOENT;
	memcpy(ret_path, full + m + 1, (size_t)(n - m - 1));
	ret_path[n - m - 1] = '\0';
	return 0;
}

/* ------------------------------------------------------------ writing */

/* One newline at the end is cut from @w->text. */
static int take_text(const void *bytes, size_t n, char *bytes_copy, char *text_copy)
{
	if (n > STORE_BYTES_MAX)
		return -EINVAL;
	memcpy(bytes_copy, bytes, n);
	bytes_copy[n] = '\0';
	memcpy(text_copy, bytes_copy, n + 1);
	if (n && text_copy[n - 1] == '\n')
		text_copy[n - 1] = '\0';
	return 0;
}

/* Under the lock. @ret_wait: what to wait for when the result is -EAGAIN or -EINPROGRESS. */
static int write_locked(struct gs_sim *sim, const char *path, const void *bytes, size_t n, uint64_t *ret_wait)
{
	struct gs_sim_state *s = gs_sim_store_state(sim->store);
	struct gs_sim_fault_event event = { .target = GS_SIM_ON_WRITE, .name = path };
	char real[PATH_MAX], copy[STORE_BYTES_MAX + 1], text[STORE_BYTES_MAX + 1];
	struct gs_sim_fault fault;
	enum gs_sim_kill kill;
	bool changed = gs_sim_settle(s, gs_sim_store_tree_fd(sim->store)), counted = false, strikes;
	struct stat st;
	int r = resolve(sim, path, real, sizeof(real), &st);

	*ret_wait = 0;
	if (r < 0)
		return r;
	if (!S_ISREG(st.st_mode) || !(st.st_mode & 0222))
		return -EACCES;
	if (s->read_only && gs_str_starts(real, "sys/"))
		return -EROFS;
	event.other_name = real;
	strikes = gs_sim_fault_take_event(s, &event, &fault, &counted);
	if (strikes && fault.kind == GS_SIM_FAULT_HANG) {
		*ret_wait = fault.id;
		return -EAGAIN;
	}
	kill = gs_sim_kill_take(s, &counted);
	if (kill == GS_SIM_KILL_BEFORE)
		gs_sim_store_commit(sim->store, NULL);
	if (kill != GS_SIM_KILL_AFTER)
		gs_sim_kill_now(kill, gs_sim_store_tree_fd(sim->store));
	if (strikes) {
		r = fault.kind == GS_SIM_FAULT_CODE ? -(int)fault.code : 0;
	} else {
		struct gs_sim_write w = { .s = s, .tree_fd = gs_sim_store_tree_fd(sim->store), .path = real,
					  .text = text, .bytes = copy, .n = n };

		r = take_text(bytes, n, copy, text);
		if (r == 0)
			r = gs_sim_attr_store(&w);
		*ret_wait = w.wait;
		/* it is asked again later, and counts then: what was counted now is forgotten with the rest */
		if (r == -EAGAIN && w.wait)
			return r;
	}
	gs_sim_expect_answered(s, r == -EINPROGRESS ? 0 : (uint32_t)-r);
	if (r == 0 || r == -EINPROGRESS || counted || changed) {
		int written = gs_sim_store_commit(sim->store, NULL);

		if (kill == GS_SIM_KILL_AFTER)
			gs_sim_kill_now(kill, gs_sim_store_tree_fd(sim->store));
		return written < 0 ? written : r;
	}
	return r;
}

static int sim_write(void *userdata, const char *path, const void *bytes, size_t n)
{
	struct gs_sim *sim = userdata;
	uint64_t wait;
	int r;

	if (!sim->is_root)
		return -EACCES;
	if (n == 0)
		return 0;   /* never reaches a store callback (testbench 4) */
	for (;;) {
		wait = 0;
		r = gs_sim_store_begin(sim->store, NULL);
		if (r == 0)
			r = write_locked(sim, path, bytes, n, &wait);
		gs_sim_store_end(sim->store);
		if ((r != -EAGAIN && r != -EINPROGRESS) || !wait)
			return r;
		if (gs_sim_wait(sim, wait) < 0)
			return -EIO;
		if (r == -EINPROGRESS)
			return 0;
	}
}

/* ------------------------------------------------------------ reading */

/* The process whose fd directory (or something in it) @path is; NULL when it is none of that. */
static const struct gs_sim_process *process_of_fd_path(struct gs_sim *sim, const char *path)
{
	const char *end;
	char number[12];
	uint32_t pid;

	if (!gs_str_starts(path, "proc/"))
		return NULL;
	path += 5;
	end = strchr(path, '/');
	if (!end || (size_t)(end - path) >= sizeof(number) || !gs_str_starts(end, "/fd") || (end[3] && end[3] != '/'))
		return NULL;
	memcpy(number, path, (size_t)(end - path));
	number[end - path] = '\0';
	if (gs_parse_u32(number, 10, &pid) < 0 || gs_sim_store_refresh(sim->store, NULL) < 0)
		return NULL;
	return gs_sim_process_by_pid(gs_sim_store_state(sim->store), pid);
}

static int sim_permit(void *userdata, const char *path)
{
	struct gs_sim *sim = userdata;
	const struct gs_sim_process *p;

	if (sim->is_root)
		return 0;
	/* 0400 root: the nodes of capabilities; the directory itself can be listed */
	if (gs_str_starts(path, "dev/nvidia-caps/"))
		return -EACCES;
	/* kernel.dmesg_restrict, which Debian's kernels have on */
	if (gs_str_equal(path, "dev/kmsg"))
		return -EPERM;
	p = process_of_fd_path(sim, path);
	return p && p->uid != GS_SIM_CALLER_UID ? -EACCES : 0;
}

/* Before 6.12 more hangs behind a device that does not come free (testbench 4). */
static bool is_old_kernel(const struct gs_sim_state *s)
{
	return strverscmp(s->kernel_version, "6.12") < 0;
}

/* Its store and its show both hold the PF's lock, as device_lock() in drivers/pci/iov.c. */
static bool is_behind_vfs(const char *name)
{
	return gs_str_equal(name, "sriov_numvfs") || gs_str_equal(name, "sriov_vf_total_msix");
}

/* The write that a read of attribute @name of @real waits behind, or 0. */
static uint64_t blocker_of(const struct gs_sim_state *s, const char *real, const char *name)
{
	bool of_pf = is_behind_vfs(name);
	bool of_any = is_old_kernel(s) && (gs_str_equal(name, "uevent") || gs_str_equal(name, "driver_override"));

	for (size_t i = 0; (of_pf || of_any) && i < s->n_pending; i++) {
		const struct gs_sim_pending *p = &s->pending[i];
		size_t n = strlen(p->what);
		const char *at = strstr(real, p->what);

		if (at && at[n] == '/' && gs_str_equal(at + n + 1, name) &&
		    (of_pf ? p->kind == GS_SIM_PENDING_NUMVFS : p->kind == GS_SIM_PENDING_UNBIND))
			return p->id;
	}
	return 0;
}

/* Files of a VF without vGPU cannot be read (measured, interfaces 2.1); in the tree they are empty. */
static bool is_unreadable(const char *real, const char *name, const struct stat *st)
{
	static const char *const names[] = { "placement_id", "gpu_instance_id", "vgpu_params", "warm_update" };
	bool found = false;

	for (size_t i = 0; i < GS_ARRAY_SIZE(names); i++)
		found |= gs_str_equal(name, names[i]);
	return found && st->st_size == 0 && strstr(real, "/nvidia/");
}

static int sim_read(void *userdata, const char *path)
{
	struct gs_sim *sim = userdata;
	struct gs_sim_fault_event event = { .target = GS_SIM_ON_READ, .name = path };
	const struct gs_sim_fault *fault;
	const char *name = strrchr(path, '/');
	char real[PATH_MAX];
	struct stat st;
	int r;

	if (!name || (!gs_str_starts(path, "sys/") && !gs_str_starts(path, "proc/driver/")))
		return 0;
	/* whoever writes it now may be at the tree still, and this is read behind him */
	if (is_behind_vfs(name + 1))
		gs_sim_pass_lock(sim);
	for (;;) {
		uint64_t wait;

		if (gs_sim_store_refresh(sim->store, NULL) < 0 || gs_sim_store_open_tree(sim->store, NULL) < 0)
			return 0;
		r = resolve(sim, path, real, sizeof(real), &st);
		if (r < 0)
			return r;
		if (!S_ISREG(st.st_mode))
			return 0;
		event.other_name = real;
		fault = gs_sim_fault_find(gs_sim_store_state(sim->store), &event);
		wait = fault && fault->kind == GS_SIM_FAULT_HANG ? fault->id : 0;
		if (!wait)
			wait = blocker_of(gs_sim_store_state(sim->store), real, name + 1);
		if (!wait)
			break;
		if (gs_sim_wait(sim, wait) < 0)
			return -EIO;
	}
	if (fault)
		return -(int)fault->code;
	/* kernfs checks the mode also for root */
	if (!(st.st_mode & 0444))
		return -EACCES;
	return is_unreadable(real, name + 1, &st) ? -ENXIO : 0;
}

const struct gs_root_ops gs_sim_root_ops = {
	.write = sim_write,
	.permit = sim_permit,
	.read = sim_read,
};
