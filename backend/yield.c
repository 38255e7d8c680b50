/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/yield.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "backend/proc.h"
#include "base/file.h"
#include "base/parse.h"

#define OWN_DIR "run/gpuslice"
#define YIELD_DIR OWN_DIR "/yield"
#define COLLECTORS OWN_DIR "/collectors"
#define REQUESTS_MAX 4096
#define SHARED_LOCK_TRIES 20
#define SHARED_LOCK_PAUSE_MS 10

struct gs_yield {
	struct gs_root *root;
	int inotify;
	bool is_watching;
};

/*
 * Who wrote the file: a real process also on a simulated machine, so it is
 * looked for in the real /proc.
 */
struct author {
	uint32_t pid;
	uint64_t start_time;
};

static int start_time_of(uint32_t pid, uint64_t *ret_start_time)
{
	GS_CLEANUP(gs_root_closep) struct gs_root *host = NULL;
	int r = gs_root_open(GS_ROOT_LIVE, NULL, &host, NULL);

	return r < 0 ? r : gs_proc_stat(host, pid, NULL, ret_start_time);
}

/* Monitors without privilege watch here; one that was made under a strict umask is opened for them. */
static void make_dir(struct gs_root *root, const char *path)
{
	GS_CLOSE int fd = -1;

	gs_root_mkdir(root, 0755, "%s", path);
	if (gs_root_open_file(root, O_RDONLY | O_DIRECTORY, 0, &fd, "%s", path) == 0)
		(void)!fchmod(fd, 0755);
}

static void make_dirs(struct gs_root *root)
{
	make_dir(root, OWN_DIR);
	make_dir(root, YIELD_DIR);
}

static void watch(struct gs_yield *y)
{
	char path[PATH_MAX];
	const char *root = gs_root_path(y->root);

	if (y->inotify < 0 || y->is_watching)
		return;
	if (snprintf(path, sizeof(path), "%s/" YIELD_DIR, strcmp(root, "/") == 0 ? "" : root) >= (int)sizeof(path))
		return;
	y->is_watching = inotify_add_watch(y->inotify, path, IN_CREATE | IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_TO | IN_DELETE_SELF) >= 0;
}

struct gs_yield *gs_yield_new(struct gs_root *root, bool may_create)
{
	struct gs_yield *y = calloc(1, sizeof(*y));

	if (!y)
		return NULL;
	y->root = root;
	y->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (may_create)
		make_dirs(root);
	watch(y);
	return y;
}

struct gs_yield *gs_yield_free(struct gs_yield *y)
{
	if (!y)
		return NULL;
	if (y->inotify >= 0)
		close(y->inotify);
	free(y);
	return NULL;
}

int gs_yield_fd(const struct gs_yield *y)
{
	return y->is_watching ? y->inotify : -1;
}

/* "PID START_TIME" */
static bool parse_author(char *text, struct author *ret_author)
{
	char *blank = strchr(text, ' ');


	if (!blank)
		return false;
	*blank = '\0';
	return gs_parse_u32(text, 10, &ret_author->pid) == 0 && gs_parse_u64(blank + 1, 10, &ret_author->start_time) == 0;
}

static bool read_author(struct gs_root *root, const char *name, struct author *ret_author)
{
	GS_FREE char *text = NULL;

	return gs_root_read(root, &text, YIELD_DIR "/%s", name) == 0 && parse_author(text, ret_author);
}

static bool is_alive(const struct author *a)
{
	uint64_t now;

	return start_time_of(a->pid, &now) == 0 && now == a->start_time;
}

/*
 * inotify(7): IN_IGNORED says that the watch is gone with its directory. One
 * that was made anew under the same name (a simulation was reset, somebody
 * emptied /run/gpuslice) has to be watched anew, or no request is ever heard.
 */
static void take_events(struct gs_yield *y)
{
	_Alignas(struct inotify_event) char events[4096];
	ssize_t length;

	while (y->inotify >= 0 && (length = read(y->inotify, events, sizeof(events))) > 0)
		for (ssize_t at = 0; at < length;) {
			const struct inotify_event *event = (const void *)(events + at);

			if (event->mask & IN_IGNORED)
				y->is_watching = false;
			at += (ssize_t)(sizeof(*event) + event->len);
		}
}

bool gs_yield_is_asked(struct gs_yield *y, uint32_t *ret_pid)
{
	GS_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;
	unsigned n = 0;

	take_events(y);
	watch(y);
	if (gs_root_opendir(y->root, &dir, YIELD_DIR) < 0) {
		y->is_watching = false;
		return false;
	}
	while ((entry = readdir(dir)) && n++ < REQUESTS_MAX) {
		struct author author;
		struct gs_bdf bdf;

		if (gs_bdf_parse(entry->d_name, &bdf) < 0 || !read_author(y->root, entry->d_name, &author))
			continue;
		if (author.pid == (uint32_t)getpid() || !is_alive(&author))
			continue;
		*ret_pid = author.pid;
		return true;
	}
	return false;
}

int gs_yield_ask(struct gs_root *root, struct gs_bdf bdf, struct gs_error *e)
{
	char text[64], name[GS_BDF_TEXT];
	uint64_t start_time;
	int n, r;

	make_dirs(root);
	r = start_time_of((uint32_t)getpid(), &start_time);
	if (r == 0) {
		n = snprintf(text, sizeof(text), "%d %" PRIu64 "\n", (int)getpid(), start_time);
		r = gs_root_replace_file(root, text, (size_t)n, 0644, (gid_t)-1, YIELD_DIR "/%s", gs_bdf_format(bdf, name));
	}
	if (r < 0)
		return gs_error_set(e, r, GS_STATUS_FAILED, "cannot ask other gpuslice programs to let go of the GPU (/" YIELD_DIR "): %s", strerror(-r));
	return 0;
}

void gs_yield_release(struct gs_root *root, struct gs_bdf bdf)
{
	char name[GS_BDF_TEXT];

	gs_root_unlink(root, YIELD_DIR "/%s", gs_bdf_format(bdf, name));
}

static int open_collectors(struct gs_root *root, bool may_create, int *ret_fd)
{
	int r = gs_root_open_file(root, O_RDONLY, 0, ret_fd, COLLECTORS);

	if (r == 0 && may_create)
		(void)!fchmod(*ret_fd, 0644);
	if (r != -ENOENT || !may_create)
		return r;
	make_dirs(root);
	return gs_root_open_file(root, O_RDONLY | O_CREAT, 0644, ret_fd, COLLECTORS);
}

int gs_yield_hold(struct gs_root *root, bool may_create)
{
	int fd = -1;

	if (open_collectors(root, may_create, &fd) < 0)
		return -1;
	/* a committer that looks whether all have gone holds it for a moment */
	for (int i = 0; i < SHARED_LOCK_TRIES; i++) {
		if (flock(fd, LOCK_SH | LOCK_NB) == 0)
			return fd;
		poll(NULL, 0, SHARED_LOCK_PAUSE_MS);
	}
	close(fd);
	return -1;
}

int gs_yield_all_gone(struct gs_root *root)
{
	GS_CLOSE int fd = -1;
	int r = open_collectors(root, true, &fd);

	if (r < 0)
		return r;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 1;
	return errno == EWOULDBLOCK ? 0 : -errno;
}
