/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/parse.h"
#include "codec/json_reader.h"

#define OWN_DIR "run/gpuslice"
#define MODE 0600
#define BYTES_MAX 4096
#define TRIES 8

/* ---------------------------------------------------------------- who */

static void copy_text(char *buf, size_t size, const char *text)
{
	snprintf(buf, size, "%s", text ? text : "");
	gs_text_sanitize(buf);
}

int gs_lock_parse_holder(const char *bytes, size_t n, struct gs_lock_holder *ret_holder)
{
	GS_JSON struct json_object *o = NULL;
	const struct gs_json_where where = { NULL, "lock", 0 };
	struct gs_lock_holder h = { 0 };
	struct gs_json_reader r;
	const char *boot, *user, *sudo_user, *command;
	struct gs_u64 start_time;
	struct gs_i64 since;

	if (!n || n > BYTES_MAX || gs_json_parse(bytes, n, "lock", &o, NULL) < 0)
		return -EBADMSG;
	r = gs_json_reader_of(o, &where, NULL);
	h.process.pid = gs_json_read_number(&r, "pid", INT32_MAX);
	start_time = gs_json_read_u64(&r, "start_time");
	boot = gs_json_read_name(&r, "boot_id");
	h.uid = gs_json_read_number(&r, "uid", UINT32_MAX);
	user = gs_json_read_string(&r, "user");
	sudo_user = gs_json_read_string(&r, "sudo_user");
	command = gs_json_read_string(&r, "command");
	since = gs_json_read_i64(&r, "since_ms");
	if (r.failed || !h.process.pid || !start_time.known || !since.known || strlen(boot) >= sizeof(h.process.boot_id))
		return -EBADMSG;
	h.process.start_time = start_time.value;
	h.since_ms = since.value;
	copy_text(h.process.boot_id, sizeof(h.process.boot_id), boot);
	copy_text(h.user, sizeof(h.user), user);
	copy_text(h.sudo_user, sizeof(h.sudo_user), sudo_user);
	copy_text(h.command, sizeof(h.command), command);
	*ret_holder = h;
	return 0;
}

/* As far as the file tells the truth: one that was killed could not clear its name, one that has only just taken it has not written it. */
static void read_holder(int fd, struct gs_lock_holder *ret_holder)
{
	char bytes[BYTES_MAX + 1];
	ssize_t n = pread(fd, bytes, sizeof(bytes), 0);
	struct gs_lock_holder h;

	*ret_holder = (struct gs_lock_holder){ 0 };
	if (n > 0 && gs_lock_parse_holder(bytes, (size_t)n, &h) == 0 && gs_proc_is_alive(&h.process))
		*ret_holder = h;
}

/* root needs no name service, which may be far away and slow. */
static void name_user(uid_t uid, char *buf, size_t size)
{
	const struct passwd *pw = uid ? getpwuid(uid) : NULL;

	if (!uid)
		copy_text(buf, size, "root");
	else
		copy_text(buf, size, pw ? pw->pw_name : "");
}

static int describe_self(const char *command, struct gs_lock_holder *ret_holder)
{
	struct gs_lock_holder h = { .uid = (uint32_t)getuid(), .since_ms = gs_wall_now().ms };
	int r = gs_proc_identify((uint32_t)getpid(), &h.process);

	if (r < 0)
		return r;
	name_user(getuid(), h.user, sizeof(h.user));
	copy_text(h.sudo_user, sizeof(h.sudo_user), getenv("SUDO_USER"));
	copy_text(h.command, sizeof(h.command), command);
	*ret_holder = h;
	return 0;
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

static int write_holder(int fd, const struct gs_lock_holder *h)
{
	GS_JSON struct json_object *o = json_object_new_object();
	GS_FREE char *line = NULL;
	char text[BYTES_MAX + 1];
	int n;

	if (!o)
		return -ENOMEM;
	gs_json_add_u32(o, "pid", GS_U32(h->process.pid));
	gs_json_add_u64(o, "start_time", GS_U64(h->process.start_time));
	gs_json_add_string(o, "boot_id", h->process.boot_id);
	gs_json_add_u32(o, "uid", GS_U32(h->uid));
	gs_json_add_string(o, "user", or_null(h->user));
	gs_json_add_string(o, "sudo_user", or_null(h->sudo_user));
	gs_json_add_string(o, "command", or_null(h->command));
	gs_json_add_i64(o, "since_ms", GS_I64(h->since_ms));
	line = gs_json_to_line(o);
	if (!line)
		return -ENOMEM;
	n = snprintf(text, sizeof(text), "%s\n", line);
	if (n >= (int)sizeof(text))
		return -E2BIG;
	if (ftruncate(fd, 0) < 0)
		return -errno;
	return pwrite(fd, text, (size_t)n, 0) == n ? 0 : -EIO;
}

const char *gs_lock_describe(const struct gs_lock_holder *h, struct gs_wall now, char *buf, size_t size)
{
	const char *user = h->sudo_user[0] ? h->sudo_user : h->user;
	/* the clock may have been set back meanwhile */
	int64_t seconds = now.ms > h->since_ms ? (now.ms - h->since_ms) / 1000 : 0;

	if (!h->process.pid)
		snprintf(buf, size, "another process");
	else if (user[0])
		snprintf(buf, size, "pid %" PRIu32 " (%s)%s%s, since %" PRId64 " s", h->process.pid, user, h->command[0] ? ": " : "", h->command, seconds);
	else
		snprintf(buf, size, "pid %" PRIu32 " (uid %" PRIu32 ")%s%s, since %" PRId64 " s", h->process.pid, h->uid, h->command[0] ? ": " : "", h->command, seconds);
	return buf;
}

/* ---------------------------------------------------------------- the lock */

/* Whoever may open it may lock it, so one that is open to others is closed to them; and only then, since a change of mode wakes who waits. */
static int check_file(int fd, struct stat *ret_st)
{
	if (fstat(fd, ret_st) < 0)
		return -errno;
	if (!S_ISREG(ret_st->st_mode))
		return -EINVAL;
	return (ret_st->st_mode & 07777) != MODE && fchmod(fd, MODE) < 0 ? -errno : 0;
}

static int open_lock(struct gs_root *root, int *ret_fd, struct stat *ret_st)
{
	GS_CLOSE int fd = -1, dir = -1;
	int r;

	gs_root_mkdir(root, 0755, OWN_DIR);
	/* monitors without privilege look into it; one that was made under a strict umask is opened for them */
	if (gs_root_open_file(root, O_RDONLY | O_DIRECTORY, 0, &dir, OWN_DIR) == 0)
		(void)!fchmod(dir, 0755);
	/* O_NONBLOCK: something else may lie there, such as a FIFO */
	r = gs_root_open_file(root, O_RDWR | O_CREAT | O_NONBLOCK | O_NOCTTY, MODE, &fd, GS_LOCK_PATH);
	if (r == 0)
		r = check_file(fd, ret_st);
	if (r < 0)
		return r;
	*ret_fd = GS_TAKE_FD(fd);
	return 0;
}

/* The file of that name may be another by now: somebody emptied the directory, and the next who comes would lock the new one. */
static bool is_in_place(struct gs_root *root, const struct stat *st)
{
	struct stat now;

	return gs_root_stat(root, &now, GS_LOCK_PATH) == 0 && now.st_dev == st->st_dev && now.st_ino == st->st_ino;
}

static int lock_file(struct gs_root *root, int *ret_fd, struct gs_lock_holder *ret_holder)
{
	for (int i = 0; i < TRIES; i++) {
		GS_CLOSE int fd = -1;
		struct stat st;
		int r = open_lock(root, &fd, &st);

		if (r < 0)
			return r;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			r = -errno;
			if (r == -EWOULDBLOCK)
				read_holder(fd, ret_holder);
			return r;
		}
		if (is_in_place(root, &st)) {
			*ret_fd = GS_TAKE_FD(fd);
			return 0;
		}
	}
	return -ESTALE;
}

static int fail(int r, struct gs_error *e)
{
	if (r == -EINVAL || r == -EISDIR || r == -ELOOP)
		return gs_error_set(e, r, GS_STATUS_FAILED, "the lock /" GS_LOCK_PATH " is no plain file. Nothing was done: find out what made it, remove it, try again");
	return gs_error_set(e, r, GS_STATUS_FAILED, "the lock /" GS_LOCK_PATH " cannot be taken: %s. Nothing was done", strerror(-r));
}

int gs_lock_take(struct gs_root *root, const char *command, int *ret_fd, struct gs_lock_holder *ret_holder, struct gs_error *e)
{
	struct gs_lock_holder self, holder = { 0 };
	char text[GS_LOCK_TEXT];
	GS_CLOSE int fd = -1;
	int r = describe_self(command, &self);

	if (r == 0)
		r = lock_file(root, &fd, &holder);
	if (r == -EWOULDBLOCK) {
		if (ret_holder)
			*ret_holder = holder;
		return gs_error_set(e, r, GS_STATUS_LOCKED, "another commit is running%s%s. Nothing was done: --wait SECONDS waits for its end", holder.process.pid ? ": " : "",
				    holder.process.pid ? gs_lock_describe(&holder, gs_wall_now(), text, sizeof(text)) : "");
	}
	if (r == 0)
		r = write_holder(fd, &self);
	if (r < 0)
		return fail(r, e);
	*ret_fd = GS_TAKE_FD(fd);
	return 0;
}

void gs_lock_release(int fd)
{
	(void)!ftruncate(fd, 0);
	flock(fd, LOCK_UN);
	/* to the mode that it has: who waits is woken by it, now that trying makes sense, and by nothing that those who try do */
	(void)!fchmod(fd, MODE);
	close(fd);
}
