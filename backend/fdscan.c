/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/fdscan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "backend/grow.h"
#include "base/parse.h"

#define OPENED_MAX 8192
#define BLIND_MAX 4096
#define NUMBERS_MAX 8192
#define FDS_PER_PROCESS_MAX 65536

struct gs_fdscan {
	struct gs_root *root;
	struct gs_opened *opened;
	size_t n_opened, cap_opened;
	uint32_t *blind;
	size_t n_blind, cap_blind;
	struct gs_fdscan_number *numbers;   /* of the nodes that are there, once a walk needs them */
	size_t n_numbers, cap_numbers;
	bool has_numbers;
	bool is_hidden, is_cut;
};

static const struct {
	const char *prefix;
	enum gs_node node;
} names[] = {
	{ "/dev/nvidia-caps/nvidia-cap", GS_NODE_CAPABILITY },
	{ "/dev/nvidia", GS_NODE_GPU },
	{ "/dev/vfio/devices/vfio", GS_NODE_VFIO_DEVICE },
	{ "/dev/vfio/noiommu-", GS_NODE_VFIO_GROUP },
	{ "/dev/vfio/", GS_NODE_VFIO_GROUP },
	{ "/dev/dri/card", GS_NODE_DRM_CARD },
	{ "/dev/dri/renderD", GS_NODE_DRM_RENDER },
};

static const char deleted[] = " (deleted)";

enum gs_node gs_node_parse(const char *target, uint32_t *ret_number)
{
	if (gs_str_starts(target, "/dev/kfd") && (!target[8] || strcmp(target + 8, deleted) == 0)) {
		*ret_number = 0;
		return GS_NODE_KFD;
	}
	for (size_t i = 0; i < GS_ARRAY_SIZE(names); i++) {
		const char *digits = target + strlen(names[i].prefix);
		char number[12];
		size_t n;

		if (!gs_str_starts(target, names[i].prefix))
			continue;
		n = strspn(digits, "0123456789");
		if (!n || n >= sizeof(number) || (digits[n] && strcmp(digits + n, deleted) != 0))
			continue;
		memcpy(number, digits, n);
		number[n] = '\0';
		return gs_parse_u32(number, 10, ret_number) < 0 ? GS_NODE_OTHER : names[i].node;
	}
	return GS_NODE_OTHER;
}

const char *gs_node_format(enum gs_node node, uint32_t number, char *buf, size_t size)
{
	buf[0] = '\0';
	if (node == GS_NODE_KFD)
		snprintf(buf, size, "/dev/kfd");
	for (size_t i = 0; i < GS_ARRAY_SIZE(names); i++)
		if (names[i].node == node)
			snprintf(buf, size, "%s%u", names[i].prefix, number);
	return buf;
}

enum gs_node gs_fdscan_by_number(const struct gs_fdscan_number *numbers, size_t n, dev_t rdev, uint32_t *ret_number)
{
	for (size_t i = 0; rdev && i < n; i++) {
		if (numbers[i].rdev != rdev)
			continue;
		*ret_number = numbers[i].number;
		return numbers[i].node;
	}
	return GS_NODE_OTHER;
}

struct gs_fdscan *gs_fdscan_new(struct gs_root *root)
{
	struct gs_fdscan *scan = calloc(1, sizeof(*scan));

	if (scan)
		scan->root = root;
	return scan;
}

struct gs_fdscan *gs_fdscan_free(struct gs_fdscan *scan)
{
	if (!scan)
		return NULL;
	free(scan->opened);
	free(scan->blind);
	free(scan->numbers);
	free(scan);
	return NULL;
}

/* The next entry; NULL at the end, and then *@ret_error says whether it was the end. */
static const struct dirent *next_entry(DIR *dir, int *ret_error)
{
	const struct dirent *entry;

	errno = 0;
	entry = readdir(dir);
	*ret_error = entry ? 0 : -errno;
	return entry;
}

/* ---------------------------------------------------------------- by device number */

static int add_numbers(struct gs_fdscan *scan, const char *path)
{
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;

	if (gs_root_opendir(scan->root, &dir, "%s", path) < 0)
		return 0;
	while ((entry = readdir(dir))) {
		char target[320];
		struct stat st;
		uint32_t number;
		enum gs_node node;
		int r;

		snprintf(target, sizeof(target), "/%s/%s", path, entry->d_name);
		node = gs_node_parse(target, &number);
		if (node == GS_NODE_OTHER || gs_root_stat(scan->root, &st, "%s", target + 1) < 0 || !S_ISCHR(st.st_mode))
			continue;
		r = gs_grow(&scan->numbers, scan->n_numbers, &scan->cap_numbers, sizeof(*scan->numbers), NUMBERS_MAX);
		if (r < 0)
			return r == -E2BIG ? 0 : r;
		scan->numbers[scan->n_numbers++] = (struct gs_fdscan_number){ st.st_rdev, node, number };
	}
	return 0;
}

static int need_numbers(struct gs_fdscan *scan)
{
	static const char *const paths[] = { "dev", "dev/nvidia-caps", "dev/vfio", "dev/vfio/devices", "dev/dri" };
	int r = 0;

	if (scan->has_numbers)
		return 0;
	scan->has_numbers = true;
	scan->n_numbers = 0;
	for (size_t i = 0; i < GS_ARRAY_SIZE(paths) && r == 0; i++)
		r = add_numbers(scan, paths[i]);
	return r;
}

/*
 * What is behind the last "/dev/". Who was chrooted, or has a /dev of his own
 * mount namespace, has something before it, or the name alone: the text is the
 * path from the top of the opener's mounts, which need not be ours.
 */
static const char *below_dev(const char *target)
{
	static const char *const folders[] = { "nvidia-caps/", "vfio/", "dri/" };
	const char *found = NULL;

	for (const char *p = strstr(target, "/dev/"); p; p = strstr(p + 1, "/dev/"))
		found = p + strlen("/dev/");
	if (found || target[0] != '/')
		return found;
	for (size_t i = 0; i < GS_ARRAY_SIZE(folders); i++)
		if (gs_str_starts(target + 1, folders[i]))
			return target + 1;
	return strchr(target + 1, '/') ? NULL : target + 1;
}

bool gs_fdscan_may_be_node(const char *target)
{
	/* what nearly every process has open is told by its name */
	static const char *const plain[] = { "null", "zero", "full", "random", "urandom", "tty", "pts/", "ptmx", "console", "shm/", "hugepages", "mqueue",
					     "fuse", "kvm", "net/tun", "vhost-net", "kmsg", "input/", "snd/", "nvidiactl", "nvidia-uvm", "nvidia-modeset", "vfio/vfio", "iommu", "rtc",
					     "hpet", "loop", "mem", "cpu_dma_latency" };
	const char *name = below_dev(target);

	for (size_t i = 0; name && i < GS_ARRAY_SIZE(plain); i++)
		if (gs_str_starts(name, plain[i]))
			return false;
	return name != NULL;
}

/* The number of the character device behind a link. On a live machine it may be a file of a server that has gone: that is not asked. */
static bool device_of(struct gs_fdscan *scan, uint32_t pid, DIR *dir, const char *fd, dev_t *ret_rdev)
{
	struct statx stx;
	struct stat st;

	if (gs_root_kind(scan->root) == GS_ROOT_LIVE) {
		if (statx(dirfd(dir), fd, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &stx) < 0 || !S_ISCHR(stx.stx_mode))
			return false;
		*ret_rdev = makedev(stx.stx_rdev_major, stx.stx_rdev_minor);
		return true;
	}
	if (gs_root_stat(scan->root, &st, "proc/%u/fd/%s", pid, fd) < 0 || !S_ISCHR(st.st_mode))
		return false;
	*ret_rdev = st.st_rdev;
	return true;
}

/* What the number says, where it is one that we know; it counts more than the name, which a container may have chosen. */
static int node_by_number(struct gs_fdscan *scan, uint32_t pid, DIR *dir, const char *fd, enum gs_node *ret_node, uint32_t *ret_number)
{
	enum gs_node node;
	uint32_t number;
	dev_t rdev;
	int r;

	if (!device_of(scan, pid, dir, fd, &rdev))
		return 0;
	r = need_numbers(scan);
	node = r == 0 ? gs_fdscan_by_number(scan->numbers, scan->n_numbers, rdev, &number) : GS_NODE_OTHER;
	if (node == GS_NODE_OTHER)
		return r;
	*ret_node = node;
	*ret_number = number;
	return 0;
}

/* ---------------------------------------------------------------- the walk */

/* -E2BIG, what was left out, is no error but must not look like «free». */
static int cut(struct gs_fdscan *scan, int r)
{
	if (r != -E2BIG)
		return r;
	scan->is_cut = true;
	return 0;
}

/* One that has ended uses nothing; whatever else stands in the way hides it. */
static int note_blind(struct gs_fdscan *scan, uint32_t pid, int why)
{
	int r;

	if (why == -ENOENT || why == -ESRCH)
		return 0;
	scan->is_hidden = true;
	if (scan->n_blind && scan->blind[scan->n_blind - 1] == pid)
		return 0;
	r = gs_grow(&scan->blind, scan->n_blind, &scan->cap_blind, sizeof(*scan->blind), BLIND_MAX);
	if (r < 0)
		return r == -E2BIG ? 0 : r;
	scan->blind[scan->n_blind++] = pid;
	return 0;
}

static int remember(struct gs_fdscan *scan, uint32_t pid, enum gs_node node, uint32_t number)
{
	int r;

	for (size_t i = scan->n_opened; i > 0 && scan->opened[i - 1].pid == pid; i--) {
		if (scan->opened[i - 1].node == node && scan->opened[i - 1].number == number)
			return 0;
	}
	r = gs_grow(&scan->opened, scan->n_opened, &scan->cap_opened, sizeof(*scan->opened), OPENED_MAX);
	if (r < 0)
		return cut(scan, r);
	scan->opened[scan->n_opened++] = (struct gs_opened){ pid, node, number };
	return 0;
}

static int walk_link(struct gs_fdscan *scan, uint32_t pid, DIR *dir, const char *fd)
{
	char target[128];
	ssize_t n = readlinkat(dirfd(dir), fd, target, sizeof(target) - 1);
	enum gs_node node;
	uint32_t number = 0;
	int r = 0;

	if (n < 0)
		return note_blind(scan, pid, -errno);
	target[n] = '\0';
	node = gs_node_parse(target, &number);
	if (node != GS_NODE_OTHER || gs_fdscan_may_be_node(target))
		r = node_by_number(scan, pid, dir, fd, &node, &number);
	return r < 0 || node == GS_NODE_OTHER ? r : remember(scan, pid, node, number);
}

static int walk_process(struct gs_fdscan *scan, uint32_t pid)
{
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	unsigned seen = 0;
	int r = gs_root_opendir(scan->root, &dir, "proc/%u/fd", pid);
	int end;

	if (r < 0)
		return note_blind(scan, pid, r);
	while ((entry = next_entry(dir, &end))) {
		if (entry->d_name[0] == '.')
			continue;
		if (seen++ == FDS_PER_PROCESS_MAX)
			return cut(scan, -E2BIG);
		r = walk_link(scan, pid, dir, entry->d_name);
		if (r < 0)
			return r;
	}
	return end < 0 ? note_blind(scan, pid, end) : 0;
}

int gs_fdscan_walk(struct gs_fdscan *scan)
{
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	int r, end;

	scan->n_opened = 0;
	scan->n_blind = 0;
	scan->has_numbers = false;
	scan->is_hidden = false;
	scan->is_cut = false;
	r = gs_root_opendir(scan->root, &dir, "proc");
	if (r < 0) {
		scan->is_hidden = true;
		return 0;
	}
	while ((entry = next_entry(dir, &end))) {
		uint32_t pid;

		if (gs_parse_u32(entry->d_name, 10, &pid) < 0)
			continue;
		r = walk_process(scan, pid);
		if (r < 0)
			return r;
	}
	scan->is_hidden = scan->is_hidden || end < 0;
	return 0;
}

const struct gs_opened *gs_fdscan_opened(const struct gs_fdscan *scan, size_t *ret_n)
{
	*ret_n = scan->n_opened;
	return scan->opened;
}

const uint32_t *gs_fdscan_blind(const struct gs_fdscan *scan, size_t *ret_n)
{
	*ret_n = scan->n_blind;
	return scan->blind;
}

bool gs_fdscan_is_hidden(const struct gs_fdscan *scan)
{
	return scan->is_hidden;
}

bool gs_fdscan_is_cut(const struct gs_fdscan *scan)
{
	return scan->is_cut;
}
