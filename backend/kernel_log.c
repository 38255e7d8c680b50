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
#include "base/parse.h"

#define KMSG "dev/kmsg"
#define KMSG_MAJOR 1            /* of the device, in the kernel's Documentation/admin-guide/devices.txt */
#define KMSG_MINOR 11
#define RECORD_MAX 16384        /* twice the kernel's longest: one that does not fit is lost with EINVAL */
#define READS_MAX 8192          /* of one look */
#define PLAIN_MAX (8 << 20)     /* of a plain file: its end */
#define EVENTS_MAX 2048         /* of all GPUs */
#define STAT_MAX (1u << 20)
#define KERNEL_PRIORITIES 8     /* below: facility 0, the kernel's own */

struct gs_kernel_log {
	struct gs_root *root;
	int fd;                         /* of the device, -1: not open */
	bool is_visible;
	struct gs_kernel_event *events; /* as they came */
	size_t n, cap;
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
	free(log);
	return NULL;
}

/* ---------------------------------------------------------------- one line */

/* A number that ends at @end; then what is behind it. NULL for anything else. */
static const char *take_number(const char *p, char end, uint64_t *ret_value)
{
	char digits[21];
	size_t n = strspn(p, "0123456789");

	if (!n || n >= sizeof(digits) || p[n] != end)
		return NULL;
	memcpy(digits, p, n);
	digits[n] = '\0';
	return gs_parse_u64(digits, 10, ret_value) == 0 ? p + n + 1 : NULL;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A copy of what stands in @line, "\x0a" resolved to what it means; line ends become blanks, so that a message of several lines is one. */
static void resolve(const char *line, size_t n, char *buf, size_t size)
{
	size_t k = 0;

	for (size_t i = 0; i < n && k + 1 < size; i++) {
		char c = line[i];

		if (c == '\\' && i + 3 < n && line[i + 1] == 'x' && hex(line[i + 2]) >= 0 && hex(line[i + 3]) >= 0) {
			c = (char)(hex(line[i + 2]) << 4 | hex(line[i + 3]));
			i += 3;
		}
		if (c == '\n' || c == '\r' || c == '\t')
			c = ' ';
		/* a NUL would end the text here and not for whoever wrote it */
		buf[k++] = c ? c : '?';
	}
	buf[k] = '\0';
}

/* "0000:65:00.0", or without the function, which is 0 then; up to one of @ends. What is behind it, NULL when it is none. */
static const char *take_address(const char *p, const char *ends, struct gs_bdf *ret_bdf)
{
	char word[GS_BDF_TEXT + 2];
	size_t n = strcspn(p, ends);

	/* with the domain always: shorter ones are other things */
	if (n < strlen("0000:00:00") || n > GS_BDF_TEXT - 1)
		return NULL;
	memcpy(word, p, n);
	word[n] = '\0';
	if (!strchr(word, '.'))
		memcpy(word + n, ".0", 3);
	if (!strchr(word, ':') || strchr(word, ':') == strrchr(word, ':') || gs_bdf_parse(word, ret_bdf) < 0)
		return NULL;
	return p + n;
}

/* "NVRM: Xid (PCI:0000:65:00): 79, pid=…", on a MIG instance "(PCI:0000:65:00 GPU-I:05)" */
static bool parse_xid(const char *text, struct gs_kernel_event *ret)
{
	static const char begin[] = "NVRM: Xid (PCI:";
	char number[8];
	size_t n;

	if (!gs_str_starts(text, begin))
		return false;
	text = take_address(text + strlen(begin), " )", &ret->bdf);
	text = text ? strstr(text, "): ") : NULL;
	if (!text)
		return false;
	text += 3;
	n = strspn(text, "0123456789");
	if (!n || n >= sizeof(number))
		return false;
	memcpy(number, text, n);
	number[n] = '\0';
	ret->kind = GS_GPU_EVENT_XID;
	ret->xid.known = gs_parse_u32(number, 10, &ret->xid.value) == 0;
	return ret->xid.known;
}

/* "NVRM: GPU 0000:65:00.0: GPU has fallen off the bus.", "NVRM: The NVIDIA GPU 0000:65:00.0 (PCI ID: 10de:2330) … fallen off the bus …" */
static bool parse_nvidia_lost(const char *text, struct gs_kernel_event *ret)
{
	if (!gs_str_starts(text, "NVRM: ") || !strstr(text, "fallen off the bus"))
		return false;
	for (const char *p = strstr(text, "GPU "); p; p = strstr(p + 1, "GPU ")) {
		const char *address = p + strlen("GPU ");
		size_t n;

		if (gs_str_starts(address, "at PCI:"))
			address += strlen("at PCI:");
		/* the colon behind it belongs to the sentence */
		n = strspn(address, "0123456789abcdefABCDEF:.");
		while (n && (address[n - 1] == ':' || address[n - 1] == '.'))
			n--;
		if (n && n < GS_BDF_TEXT) {
			char word[GS_BDF_TEXT];

			memcpy(word, address, n);
			word[n] = '\0';
			if (take_address(word, "", &ret->bdf)) {
				ret->kind = GS_GPU_EVENT_LOST;
				return true;
			}
		}
	}
	return false;
}

/* What drivers of the DRM subsystem put in front of what they say. */
static const char *skip_prefixes(const char *p)
{
	static const char *const words[] = { "amdgpu: ", "[drm] ", "*ERROR* ", "CRITICAL: " };
	bool found;

	do {
		const char *digits;

		found = false;
		for (size_t i = 0; i < GS_ARRAY_SIZE(words); i++) {
			if (gs_str_starts(p, words[i])) {
				p += strlen(words[i]);
				found = true;
			}
		}
		digits = gs_str_starts(p, "Tile") ? p + 4 : gs_str_starts(p, "GT") ? p + 2 : NULL;
		if (digits) {
			size_t n = strspn(digits, "0123456789");

			if (n && gs_str_starts(digits + n, ": ")) {
				p = digits + n + 2;
				found = true;
			}
		}
	} while (found);
	return p;
}

/*
 * "amdgpu 0000:03:00.0: amdgpu: GPU reset begin!" and the like, as the kernel's
 * amdgpu_device.c, xe_device.c, xe_gt.c, intel_reset.c and drm_drv.c say them.
 */
static bool parse_drm(const char *text, struct gs_kernel_event *ret)
{
	static const struct {
		const char *driver, *begin;
		enum gs_gpu_event_kind kind;
	} rows[] = {
		{ NULL, "device wedged, but recovered through reset", GS_GPU_EVENT_RESET },
		{ NULL, "device wedged", GS_GPU_EVENT_WEDGED },
		{ "amdgpu", "GPU reset begin!", GS_GPU_EVENT_RESET },
		{ "amdgpu", "device lost from bus!", GS_GPU_EVENT_LOST },
		{ "xe", "Xe has declared device ", GS_GPU_EVENT_WEDGED },
		{ "xe", "reset started", GS_GPU_EVENT_RESET },
		{ "i915", "Resetting chip for ", GS_GPU_EVENT_RESET },
		{ "i915", "Failed to initialize GPU, declaring it wedged", GS_GPU_EVENT_WEDGED },
	};
	static const char *const drivers[] = { "amdgpu", "xe", "i915" };

	for (size_t i = 0; i < GS_ARRAY_SIZE(drivers); i++) {
		size_t n = strlen(drivers[i]);
		const char *p, *colon;
		char address[GS_BDF_TEXT];

		if (!gs_str_starts(text, drivers[i]) || text[n] != ' ')
			continue;
		p = text + n + 1;
		colon = strstr(p, ": ");
		if (!colon || (size_t)(colon - p) >= sizeof(address))
			return false;
		memcpy(address, p, (size_t)(colon - p));
		address[colon - p] = '\0';
		if (!take_address(address, "", &ret->bdf))
			return false;
		p = skip_prefixes(colon + 2);
		for (size_t k = 0; k < GS_ARRAY_SIZE(rows); k++) {
			if ((rows[k].driver && strcmp(rows[k].driver, drivers[i]) != 0) || !gs_str_starts(p, rows[k].begin))
				continue;
			ret->kind = rows[k].kind;
			return true;
		}
		return false;
	}
	return false;
}

/* What an operator reads of it: the driver's own mark and the address are told otherwise. */
static void keep_text(const char *text, struct gs_kernel_event *ret)
{
	if (gs_str_starts(text, "NVRM: "))
		text += strlen("NVRM: ");
	snprintf(ret->text, sizeof(ret->text), "%.*s", GS_KERNEL_TEXT - 1, text);
	gs_text_sanitize(ret->text);
}

bool gs_kernel_log_parse(const char *line, size_t n, struct gs_kernel_event *ret_event)
{
	struct gs_kernel_event ev = { 0 };
	uint64_t priority, sequence;
	char head[96], text[1024];
	const char *semicolon = memchr(line, ';', n < sizeof(head) ? n : sizeof(head));
	const char *p;
	size_t n_head;

	/* KEY=VALUE of the record before, and what a cut-off line left */
	if (!semicolon || line[0] == ' ')
		return false;
	n_head = (size_t)(semicolon - line);
	if (n_head >= sizeof(head))
		return false;
	memcpy(head, line, n_head);
	head[n_head] = '\0';
	p = take_number(head, ',', &priority);
	p = p ? take_number(p, ',', &sequence) : NULL;
	p = p ? take_number(p, ',', &ev.time_us) : NULL;
	if (!p || priority >= KERNEL_PRIORITIES || ev.time_us > INT64_MAX / 2)
		return false;
	resolve(semicolon + 1, n - n_head - 1, text, sizeof(text));
	if (!parse_xid(text, &ev) && !parse_nvidia_lost(text, &ev) && !parse_drm(text, &ev))
		return false;
	keep_text(text, &ev);
	*ret_event = ev;
	return true;
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

static int end_line(struct gs_kernel_log *log)
{
	struct gs_kernel_event ev;
	int r = 0;

	if (!log->is_dropping && gs_kernel_log_parse(log->line, log->n_line, &ev))
		r = keep(log, &ev);
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

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
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
	if (!log->is_visible || is_same_file(&st, &log->read))
		return 0;
	log->n = log->n_line = 0;
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

static int give(struct gs_kernel_log *log, struct gs_snapshot *s, struct gs_gpu *gpu)
{
	gpu->events_visible = true;
	for (size_t i = 0; i < log->n; i++) {
		const struct gs_kernel_event *from = &log->events[i];
		struct gs_gpu_event *ev;

		if (gs_bdf_compare(from->bdf, gpu->bdf) != 0)
			continue;
		if (!log->knows_boot) {
			log->boot_ms = boot_of(log->root);
			log->knows_boot = true;
		}
		ev = gs_gpu_add_event(s, gpu);
		if (!ev)
			return -ENOMEM;
		ev->kind = from->kind;
		ev->xid = from->xid;
		ev->text = gs_snapshot_text(s, from->text);
		if (log->boot_ms.known)
			ev->time_ms = GS_I64(log->boot_ms.value + (int64_t)(from->time_us / 1000));
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
