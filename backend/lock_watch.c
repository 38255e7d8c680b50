/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lock_watch.c - flock(2) has nothing to poll. What ends a lock is that its
 * holder releases it, which touches the file last, or that it dies, which its
 * pidfd tells; both hang on one epoll descriptor. Where either is not to be
 * had, the lock is tried five times a second.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/syscall.h>

#include "backend/lock.h"

#define TICK_MS 200
/* IN_ATTRIB comes with a change of mode, and when the name is removed; what those who only try do gives neither */
#define EVENTS (IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)

struct gs_lock_watch {
	int epoll, inotify, pidfd;      /* -1: none */
	bool sees_release;
};

static bool add(struct gs_lock_watch *w, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return w->epoll >= 0 && fd >= 0 && epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

struct gs_lock_watch *gs_lock_watch_new(struct gs_root *root)
{
	struct gs_lock_watch *w = calloc(1, sizeof(*w));
	const char *at = gs_root_path(root);
	char path[PATH_MAX];

	if (!w)
		return NULL;
	w->pidfd = -1;
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	w->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	/* before the first lock there is no file: then there is nobody to wait for either */
	w->sees_release = w->inotify >= 0 && snprintf(path, sizeof(path), "%s/" GS_LOCK_PATH, strcmp(at, "/") == 0 ? "" : at) < (int)sizeof(path) &&
			  inotify_add_watch(w->inotify, path, EVENTS | IN_DONT_FOLLOW) >= 0 && add(w, w->inotify);
	return w;
}

struct gs_lock_watch *gs_lock_watch_free(struct gs_lock_watch *w)
{
	if (!w)
		return NULL;
	if (w->pidfd >= 0)
		close(w->pidfd);
	if (w->inotify >= 0)
		close(w->inotify);
	if (w->epoll >= 0)
		close(w->epoll);
	free(w);
	return NULL;
}

void gs_lock_watch_holder(struct gs_lock_watch *w, const struct gs_lock_holder *holder)
{
	struct pollfd p = { .events = POLLIN };
	int fd;

	if (w->pidfd >= 0)
		close(w->pidfd);        /* which takes it off the epoll, too */
	w->pidfd = -1;
	if (!holder->process.pid)
		return;
	fd = (int)syscall(SYS_pidfd_open, (pid_t)holder->process.pid, 0);
	if (fd < 0)
		return;
	/* pidfd_open(2) closes on exec by itself. One that has ended already, or became another, would wake us for ever */
	p.fd = fd;
	if (poll(&p, 1, 0) != 0 || !gs_proc_is_alive(&holder->process) || !add(w, fd)) {
		close(fd);
		return;
	}
	w->pidfd = fd;
}

int gs_lock_watch_fd(const struct gs_lock_watch *w)
{
	return w->epoll;
}

int gs_lock_watch_ms(const struct gs_lock_watch *w)
{
	return w->sees_release && w->pidfd >= 0 ? -1 : TICK_MS;
}
