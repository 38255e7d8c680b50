/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/proc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/parse.h"

#define STATUS_BYTES_MAX 16384
#define STAT_STATE 3
#define STAT_THREADS 20
#define STAT_START_TIME 22

/* Field @n (from 3 on) of /proc/PID/stat, as text; false when there is none or it is longer than @size. */
static bool stat_field(const char *text, unsigned n, char *buf, size_t size)
{
	/* behind «)» comes a blank and field 3, the state */
	const char *p = strrchr(text, ')');
	size_t length;

	if (!p)
		return false;
	p++;
	for (unsigned field = STAT_STATE; field <= n; field++) {
		if (*p != ' ')
			return false;
		p++;
		if (field < n)
			p += strcspn(p, " \n");
	}
	length = strcspn(p, " \n");
	if (length >= size)
		return false;
	memcpy(buf, p, length);
	buf[length] = '\0';
	return true;
}

int gs_proc_parse_stat(const char *text, char *ret_comm, uint64_t *ret_start_time)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	char number[24];
	uint64_t start_time;

	if (!open || !close || close < open)
		return -EBADMSG;
	if (!stat_field(text, STAT_START_TIME, number, sizeof(number)) || gs_parse_u64(number, 10, &start_time) < 0)
		return -EBADMSG;
	if (ret_comm)
		snprintf(ret_comm, GS_PROC_COMM, "%.*s", (int)(close - open - 1 < GS_PROC_COMM ? close - open - 1 : GS_PROC_COMM - 1), open + 1);
	*ret_start_time = start_time;
	return 0;
}

int gs_proc_stat(struct gs_root *root, uint32_t pid, char *ret_comm, uint64_t *ret_start_time)
{
	GS_FREE char *text = NULL;
	int r = gs_root_read(root, &text, "proc/%u/stat", pid);

	if (r < 0)
		return r == -ESRCH ? -ENOENT : r;
	return gs_proc_parse_stat(text, ret_comm, ret_start_time);
}

/*
 * Ended, and only not reaped yet: it does nothing any more. A thread of it that
 * the kernel keeps counts on, so it has not while there is more than the
 * leader (proc(5): num_threads).
 */
static bool has_ended(const char *stat)
{
	char state[4], number[24];
	uint64_t threads;

	return stat_field(stat, STAT_STATE, state, sizeof(state)) && (state[0] == 'Z' || state[0] == 'X') &&
	       stat_field(stat, STAT_THREADS, number, sizeof(number)) && gs_parse_u64(number, 10, &threads) == 0 && threads <= 1;
}

int gs_proc_identify(uint32_t pid, struct gs_proc_identity *ret_identity)
{
	GS_CLEANUP(gs_root_closep) struct gs_root *host = NULL;
	struct gs_proc_identity identity = { .pid = pid };
	GS_FREE char *text = NULL, *boot = NULL;
	int r = gs_root_open(GS_ROOT_LIVE, NULL, &host, NULL);

	if (r == 0)
		r = gs_root_read(host, &text, "proc/%u/stat", pid);
	if (r < 0)
		return r == -ESRCH ? -ENOENT : r;
	if (has_ended(text))
		return -ENOENT;
	r = gs_proc_parse_stat(text, NULL, &identity.start_time);
	if (r < 0)
		return r;
	if (gs_root_read(host, &boot, "proc/sys/kernel/random/boot_id") < 0 || strlen(boot) >= sizeof(identity.boot_id))
		snprintf(identity.boot_id, sizeof(identity.boot_id), "unknown");
	else
		snprintf(identity.boot_id, sizeof(identity.boot_id), "%s", boot);
	*ret_identity = identity;
	return 0;
}

bool gs_proc_is_alive(const struct gs_proc_identity *identity)
{
	struct gs_proc_identity now;

	return gs_proc_identify(identity->pid, &now) == 0 && now.start_time == identity->start_time && strcmp(now.boot_id, identity->boot_id) == 0;
}

int gs_proc_uid(struct gs_root *root, uint32_t pid, uint32_t *ret_uid)
{
	GS_FREE char *text = NULL;
	size_t n;
	const char *p;
	char number[16];
	int r = gs_root_read_bytes(root, STATUS_BYTES_MAX, &text, &n, "proc/%u/status", pid);

	if (r < 0)
		return r;
	/* the name in the first line cannot hold a newline: the kernel escapes it there */
	p = strstr(text, "\nUid:");
	if (!p)
		return -EBADMSG;
	p += strlen("\nUid:");
	p += strspn(p, " \t");
	n = strspn(p, "0123456789");
	if (!n || n >= sizeof(number))
		return -EBADMSG;
	memcpy(number, p, n);
	number[n] = '\0';
	return gs_parse_u32(number, 10, ret_uid);
}

bool gs_proc_is_own_program(struct gs_root *root, uint32_t pid)
{
	struct stat theirs, ours;

	if (gs_root_kind(root) != GS_ROOT_LIVE || gs_root_stat(root, &theirs, "proc/%u/exe", pid) < 0 || gs_root_stat(root, &ours, "proc/self/exe") < 0)
		return false;
	return theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

bool gs_proc_is_collector(const char *comm, const char *cmdline, size_t n)
{
	bool has_agent = false, has_role = false;

	if (strcmp(comm, "gpuslice") != 0)
		return false;
	for (size_t at = 0; at < n;) {
		const char *word = cmdline + at;
		size_t length = strnlen(word, n - at);

		has_agent = has_agent || (length == strlen("agent") && memcmp(word, "agent", length) == 0);
		has_role = has_role || (length == strlen("--role=collector") && memcmp(word, "--role=collector", length) == 0);
		at += length + 1;
	}
	return has_agent && has_role;
}
