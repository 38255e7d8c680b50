/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/kernel_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "backend/grow.h"
#include "base/file.h"
#include "base/parse.h"

#define KMSG "dev/kmsg"
#define KMSG_MAJOR 1            /* of the device, in the kernel's Documentation/admin-guide/devices.txt */
#define KMSG_MINOR 11
#define RECORD_MAX 16384        /* twice the kernel's longest: one that does not fit is lost with EINVAL */
#define READS_MAX 8192          /* of one look */
#define PLAIN_MAX (8 << 20)     /* of a plain file: its end */
#define EVENTS_MAX 2048         /* of all GPUs */
#define LOADS_MAX 512           /* drivers and the GPUs that they took */
#define STAT_MAX (1u << 20)

struct gs_kernel_log {
	struct gs_root *root;
	int fd;                         /* of the device, -1: not open */
	bool is_visible;
	struct gs_kernel_event *events; /* as they came */
	size_t n, cap;
	struct gs_kernel_load *loads;   /* the last of each driver and GPU, as they came */
	size_t n_loads, cap_loads;
	struct gs_i64 boot_ms;          /* wall clock at the kernel's 0 */
	bool knows_boot;
	/* a line that is not complete; one that is too long is dropped up to its end */
	char line[RECORD_MAX];
	size_t n_line;
	bool is_dropping;
	/* of a plain file: which one was read */
	struct stat read;
};

struct gs_kernel_log *gs_kernel_log_new(struct gs_root *root)
{
	struct gs_kernel_log *log = calloc(1, sizeof(*log));

	if (!log)
		return NULL;
	log->root = root;
	log->fd = -1;
	return log;
}

struct gs_kernel_log *gs_kernel_log_free(struct gs_kernel_log *log)
{
	if (!log)
		return NULL;
	if (log->fd >= 0)
		close(log->fd);
	free(log->events);
	free(log->loads);
	free(log);
	return NULL;
}

/* ---------------------------------------------------------------- keeping */

static void drop(struct gs_kernel_log *log, size_t i)
{
	memmove(&log->events[i], &log->events[i + 1], (log->n - i - 1) * sizeof(*log->events));
	log->n--;
}

/* The last few of each GPU: the oldest of that one goes, or when all are too many the oldest of all. */
static int keep(struct gs_kernel_log *log, const struct gs_kernel_event *ev)
{
	size_t same = 0, oldest = 0;
	int r;

	for (size_t i = log->n; i-- > 0;) {
		if (gs_bdf_compare(log->events[i].bdf, ev->bdf) != 0)
			continue;
		same++;
		oldest = i;
	}
	if (same >= GS_GPU_EVENTS_MAX)
		drop(log, oldest);
	else if (log->n >= EVENTS_MAX)
		drop(log, 0);
	r = gs_grow(&log->events, log->n, &log->cap, sizeof(*log->events), EVENTS_MAX);
	if (r < 0)
		return r;
	log->events[log->n++] = *ev;
	return 0;
}

static bool is_of_the_same(const struct gs_kernel_load *a, const struct gs_kernel_load *b)
{
	return gs_str_equal(a->driver, b->driver) && a->is_for_all == b->is_for_all && (a->is_for_all || gs_bdf_compare(a->bdf, b->bdf) == 0);
}

/* The last one of each; where there are too many, the one that came first goes. */
static int keep_load(struct gs_kernel_log *log, const struct gs_kernel_load *load)
{
	size_t i = 0;
	int r;

	while (i < log->n_loads && !is_of_the_same(&log->loads[i], load))
		i++;
	if (i == log->n_loads && log->n_loads >= LOADS_MAX)
		i = 0;
	if (i < log->n_loads) {
		memmove(&log->loads[i], &log->loads[i + 1], (log->n_loads - i - 1) * sizeof(*log->loads));
		log->n_loads--;
	}
	r = gs_grow(&log->loads, log->n_loads, &log->cap_loads, sizeof(*log->loads), LOADS_MAX);
	if (r < 0)
		return r;
	log->loads[log->n_loads++] = *load;
	return 0;
}

static int end_line(struct gs_kernel_log *log)
{
	struct gs_kernel_event ev;
	struct gs_kernel_load load;
	int r = 0;

	if (!log->is_dropping && gs_kernel_log_parse(log->line, log->n_line, &ev))
		r = keep(log, &ev);
	else if (!log->is_dropping && gs_kernel_log_parse_load(log->line, log->n_line, &load))
		r = keep_load(log, &load);
	log->n_line = 0;
	log->is_dropping = false;
	return r;
}

static int feed(struct gs_kernel_log *log, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == '\n') {
			int r = end_line(log);

			if (r < 0)
				return r;
		} else if (log->n_line < sizeof(log->line)) {
			log->line[log->n_line++] = bytes[i];
		} else {
			log->is_dropping = true;
		}
	}
	return 0;
}

/* ---------------------------------------------------------------- reading */

/* Only the kernel's own device is one on a live machine: containers have other things there, a console among them. */
static bool open_device(struct gs_kernel_log *log)
{
	GS_CLOSE int fd = -1;
	struct stat st;

	if (log->fd >= 0)
		return true;
	if (gs_root_open_file(log->root, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &fd, KMSG) < 0)
		return false;
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || major(st.st_rdev) != KMSG_MAJOR || minor(st.st_rdev) != KMSG_MINOR)
		return false;
	log->fd = GS_TAKE_FD(fd);
	return true;
}

static int read_device(struct gs_kernel_log *log)
{
	char record[RECORD_MAX];

	for (unsigned i = 0; i < READS_MAX; i++) {
		ssize_t n = read(log->fd, record, sizeof(record));
		int r = n > 0 ? feed(log, record, (size_t)n) : 0;

		if (r < 0)
			return r;
		/* EPIPE: records were overwritten before they were read; EINVAL: one was too long. It goes on behind them. */
		if (n == 0 || (n < 0 && errno != EINTR && errno != EPIPE && errno != EINVAL))
			break;
	}
	return 0;
}

/* A plain file is another one after each change, and may be that of another boot: it is read anew. */
static int read_plain(struct gs_kernel_log *log)
{
	GS_CLOSE int fd = -1;
	char chunk[RECORD_MAX];
	struct stat st;
	ssize_t n;
	int r = 0;

	log->is_visible = gs_root_open_file(log->root, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &fd, KMSG) == 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	if (!log->is_visible || gs_file_is_same(&st, &log->read))
		return 0;
	log->n = log->n_loads = log->n_line = 0;
	log->knows_boot = false;
	/* from somewhere in the middle: up to the next line is half of one */
	log->is_dropping = st.st_size > PLAIN_MAX && lseek(fd, st.st_size - PLAIN_MAX, SEEK_SET) >= 0;
	for (size_t all = 0; r == 0 && all < PLAIN_MAX && (n = read(fd, chunk, sizeof(chunk))) > 0; all += (size_t)n)
		r = feed(log, chunk, (size_t)n);
	if (r == 0)
		r = end_line(log);
	log->read = st;
	return r;
}

/* "btime 1763000000" of proc/stat: seconds since 1970, at the kernel's 0. Looked up once, so that an event keeps its time. */
static struct gs_i64 boot_of(struct gs_root *root)
{
	static const char key[] = "\nbtime ";
	GS_FREE char *bytes = NULL;
	char digits[20];
	const char *p;
	size_t n, k;
	int64_t seconds;

	if (gs_root_read_bytes(root, STAT_MAX, &bytes, &n, "proc/stat") < 0)
		return GS_I64_UNKNOWN;
	p = memmem(bytes, n, key, strlen(key));
	if (!p)
		return GS_I64_UNKNOWN;
	p += strlen(key);
	n -= (size_t)(p - bytes);
	for (k = 0; k < n && k + 1 < sizeof(digits) && p[k] >= '0' && p[k] <= '9'; k++)
		digits[k] = p[k];
	digits[k] = '\0';
	if (gs_parse_i64(digits, &seconds) < 0 || seconds > INT64_MAX / 4000)
		return GS_I64_UNKNOWN;
	return GS_I64(seconds * 1000);
}

static struct gs_i64 wall_of(struct gs_kernel_log *log, uint64_t time_us)
{
	if (!log->knows_boot) {
		log->boot_ms = boot_of(log->root);
		log->knows_boot = true;
	}
	return log->boot_ms.known ? GS_I64(log->boot_ms.value + (int64_t)(time_us / 1000)) : GS_I64_UNKNOWN;
}

/* Of the driver that has it now; what another did before is gone with that one. */
static void give_load(struct gs_kernel_log *log, struct gs_gpu *gpu)
{
	for (size_t i = 0; i < log->n_loads; i++) {
		const struct gs_kernel_load *load = &log->loads[i];

		/* in the order of the log, so that the last one stays */
		if (gs_str_equal(gpu->driver, load->driver) && (load->is_for_all || gs_bdf_compare(load->bdf, gpu->bdf) == 0))
			gpu->driver_loaded_ms = wall_of(log, load->time_us);
	}
}

static int give(struct gs_kernel_log *log, struct gs_snapshot *s, struct gs_gpu *gpu)
{
	gpu->events_visible = true;
	give_load(log, gpu);
	for (size_t i = 0; i < log->n; i++) {
		const struct gs_kernel_event *from = &log->events[i];
		struct gs_gpu_event *ev;

		if (gs_bdf_compare(from->bdf, gpu->bdf) != 0)
			continue;
		ev = gs_gpu_add_event(s, gpu);
		if (!ev)
			return -ENOMEM;
		ev->kind = from->kind;
		ev->xid = from->xid;
		ev->text = gs_snapshot_text(s, from->text);
		ev->time_ms = wall_of(log, from->time_us);
	}
	return 0;
}

int gs_kernel_log_apply(struct gs_kernel_log *log, struct gs_snapshot *s, struct gs_gpu *const *gpus, size_t n_gpus)
{
	int r;

	if (gs_root_kind(log->root) == GS_ROOT_LIVE) {
		log->is_visible = open_device(log);
		r = log->is_visible ? read_device(log) : 0;
	} else {
		r = read_plain(log);
	}
	for (size_t i = 0; i < n_gpus && r == 0 && log->is_visible; i++)
		r = give(log, s, gpus[i]);
	return r;
}
