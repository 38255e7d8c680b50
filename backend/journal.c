/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include "base/file.h"
#include "base/parse.h"

#define SUFFIX ".jsonl"
/* Longer numbers are nobody's: no commit comes after them. */
#define ID_DIGITS_MAX 15
#define ID_MAX UINT64_C(999999999999999)
/* Names looked at in the directory; beyond, it is not ours any more. */
#define NAMES_MAX 65536
/* Room for what a step writes forward and back, and for what is written of the commit itself: sentences are at most 1 KiB, twice that where they are quoted. */
#define STEP_BYTES 4096
#define REST_BYTES 32768

struct gs_journal {
	struct gs_root *root;           /* borrowed */
	int fd;
	uint64_t id;
	uint64_t size;                  /* up to the last whole record */
	bool is_torn;                   /* something may lie behind it that could not be cut off */
	struct gs_journal_file *file;   /* what was written so far */
};

static int fail(struct gs_error *e, int errnum, uint64_t id, const char *what)
{
	if (!id && (errnum == -ENOTDIR || errnum == -ELOOP))
		return gs_error_set(e, errnum, GS_STATUS_FAILED, "/" GS_JOURNAL_DIR " %s: it has to be a directory itself, and no link to one (mount it there instead)", what);
	if (!id)
		return gs_error_set(e, errnum, GS_STATUS_FAILED, "/" GS_JOURNAL_DIR " %s: %s", what, strerror(-errnum));
	return gs_error_set(e, errnum, GS_STATUS_FAILED, "/" GS_JOURNAL_DIR "/%" PRIu64 SUFFIX " %s: %s", id, what, strerror(-errnum));
}

/* ---------------------------------------------------------------- the directory */

/* A directory, itself and no link. */
static int open_directory(struct gs_root *root, DIR **ret_dir)
{
	GS_CLOSE int fd = -1;
	int r = gs_root_open_file(root, O_RDONLY | O_DIRECTORY, 0, &fd, GS_JOURNAL_DIR);

	if (r < 0)
		return r;
	*ret_dir = fdopendir(fd);
	if (!*ret_dir)
		return -errno;
	GS_TAKE_FD(fd);
	return 0;
}

static int make_directories(struct gs_root *root, struct gs_error *e)
{
	static const char *const paths[] = { "var", "var/lib", "var/lib/gpuslice", GS_JOURNAL_DIR };
	GS_CLOSEDIR DIR *dir = NULL;
	struct stat st;
	bool is_new = !gs_root_exists(root, GS_JOURNAL_DIR);
	int r = 0;

	for (size_t i = 0; is_new && r == 0 && i < GS_ARRAY_SIZE(paths); i++) {
		r = gs_root_mkdir(root, i + 1 == GS_ARRAY_SIZE(paths) ? 0700 : 0755, "%s", paths[i]);
		if (r == 0)
			r = i ? gs_root_sync_dir(root, "%s", paths[i - 1]) : gs_root_sync_dir(root, ".");
	}
	if (r == 0)
		r = open_directory(root, &dir);
	if (r == 0 && fstat(dirfd(dir), &st) < 0)
		r = -errno;
	if (r < 0)
		return fail(e, r, 0, "cannot be made");
	/* what is carried out after a crash is what is written there */
	if ((st.st_mode & 022) || (st.st_uid != geteuid() && st.st_uid != 0))
		return gs_error_set(e, -EPERM, GS_STATUS_REFUSED, "/" GS_JOURNAL_DIR " can be written by others, and what is in it is acted upon: chmod 0700 it, owned by root");
	return 0;
}

/* "12.jsonl" and nothing like it. */
bool gs_journal_parse_name(const char *name, uint64_t *ret_id)
{
	size_t n = strcspn(name, ".");
	char digits[ID_DIGITS_MAX + 1];

	if (!n || n > ID_DIGITS_MAX || name[0] == '0' || strcmp(name + n, SUFFIX) != 0)
		return false;
	memcpy(digits, name, n);
	digits[n] = '\0';
	return gs_parse_u64(digits, 10, ret_id) == 0;
}

static int newest_first(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

int gs_journal_list_ids(struct gs_root *root, uint64_t **ret_ids, size_t *ret_n)
{
	GS_FREE uint64_t *ids = NULL;
	GS_CLOSEDIR DIR *dir = NULL;
	struct dirent *entry;
	size_t n = 0, room = 0;
	int r = open_directory(root, &dir);

	if (r < 0 && r != -ENOENT)
		return r;
	for (size_t seen = 0; dir && seen < NAMES_MAX && (errno = 0, entry = readdir(dir)); seen++) {
		uint64_t id, *grown;

		if (!gs_journal_parse_name(entry->d_name, &id))
			continue;
		if (n == room) {
			room = room ? 2 * room : 256;
			grown = realloc(ids, room * sizeof(*ids));
			if (!grown)
				return -ENOMEM;
			ids = grown;
		}
		ids[n++] = id;
	}
	if (n > 1)
		qsort(ids, n, sizeof(*ids), newest_first);
	*ret_ids = GS_TAKE(ids);
	*ret_n = n;
	return 0;
}

/* ---------------------------------------------------------------- reading */

static int open_for(struct gs_root *root, uint64_t id, int flags, int *ret_fd, struct gs_error *e)
{
	GS_CLOSE int fd = -1;
	struct stat st;
	/* whatever lies there by that name must not keep us */
	int r = gs_root_open_file(root, flags | O_NONBLOCK | O_NOCTTY, 0, &fd, GS_JOURNAL_DIR "/%" PRIu64 SUFFIX, id);

	if (r == -ENOENT)
		return gs_error_set(e, r, GS_STATUS_INVALID, "there is no commit %" PRIu64 " in the journal", id);
	if (r == -EACCES)
		return gs_error_set(e, r, GS_STATUS_CANNOT_TELL, "the journal is root's: it names people and their work. Use sudo");
	if (r < 0)
		return fail(e, r, id, "cannot be opened");
	if (fstat(fd, &st) < 0)
		return fail(e, -errno, id, "cannot be looked at");
	if (!S_ISREG(st.st_mode))
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "/" GS_JOURNAL_DIR "/%" PRIu64 SUFFIX " is not a file", id);
	if (st.st_size > GS_JOURNAL_BYTES_MAX)
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "/" GS_JOURNAL_DIR "/%" PRIu64 SUFFIX " is larger than any commit's", id);
	*ret_fd = GS_TAKE_FD(fd);
	return 0;
}

/* @ret_text (may be NULL): what counts of it, so that whoever it is sent to reads the same. */
static int read_file(int fd, uint64_t id, struct gs_journal_file **ret_file, char **ret_text, struct gs_error *e)
{
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
	GS_FREE char *bytes = NULL;
	char name[64];
	size_t n;
	int r;

	snprintf(name, sizeof(name), "/" GS_JOURNAL_DIR "/%" PRIu64 SUFFIX, id);
	r = gs_fd_read_all(fd, name, GS_JOURNAL_BYTES_MAX, &bytes, &n, e);
	if (r < 0)
		return r;
	r = gs_journal_parse(bytes, n, &f, e);
	if (r < 0) {
		gs_error_prefix(e, "the journal of commit %" PRIu64 ": ", id);
		return r;
	}
	if (f->commit.id != id)
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "%s is of commit %" PRIu64, name, f->commit.id);
	if (ret_text) {
		bytes[f->n_valid_bytes] = '\0';
		*ret_text = GS_TAKE(bytes);
	}
	*ret_file = GS_TAKE(f);
	return 0;
}

int gs_journal_load_text(struct gs_root *root, uint64_t id, struct gs_journal_file **ret_file, char **ret_text, struct gs_error *e)
{
	GS_CLOSE int fd = -1;
	int r = open_for(root, id, O_RDONLY, &fd, e);

	return r < 0 ? r : read_file(fd, id, ret_file, ret_text, e);
}

int gs_journal_load(struct gs_root *root, uint64_t id, struct gs_journal_file **ret_file, struct gs_error *e)
{
	return gs_journal_load_text(root, id, ret_file, NULL, e);
}

int gs_journal_list(struct gs_root *root, size_t max, int (*take)(void *userdata, uint64_t id, const struct gs_journal_file *file, const struct gs_error *why),
		    void *userdata, struct gs_error *e)
{
	GS_FREE uint64_t *ids = NULL;
	size_t n;
	int r = gs_journal_list_ids(root, &ids, &n);

	if (r == -EACCES)
		return gs_error_set(e, r, GS_STATUS_CANNOT_TELL, "the journal is root's: it names people and their work. Use sudo");
	if (r < 0)
		return fail(e, r, 0, "cannot be read");
	for (size_t i = 0; i < n && i < max; i++) {
		GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
		struct gs_error why = { 0 };

		r = gs_journal_load(root, ids[i], &f, &why);
		if (r == -ENOMEM)
			return gs_error_oom(e);
		/* it went between the two: rotated. Or its begin was never whole: nothing was done, and it is no commit */
		if (r == -ENOENT || r == -ENODATA)
			continue;
		r = take(userdata, ids[i], f, r < 0 ? &why : NULL);
		if (r != 0)
			return r;
	}
	return 0;
}

/* ---------------------------------------------------------------- writing */

struct gs_journal *gs_journal_close(struct gs_journal *j)
{
	if (!j)
		return NULL;
	/* what was reserved and not needed */
	if (j->fd >= 0 && j->file && j->file->commit.state != GS_JOURNAL_IS_OPEN && !j->is_torn)
		gs_root_file_truncate(j->root, j->fd, j->size);
	if (j->fd >= 0)
		close(j->fd);
	gs_journal_file_free(j->file);
	free(j);
	return NULL;
}

static struct gs_journal *new_journal(struct gs_root *root, uint64_t id)
{
	struct gs_journal *j = calloc(1, sizeof(*j));

	if (j)
		*j = (struct gs_journal){ .root = root, .fd = -1, .id = id };
	return j;
}

/* Nothing half stays behind the last whole record. */
static int cut_back(struct gs_journal *j)
{
	int r = gs_root_file_truncate(j->root, j->fd, j->size);

	j->is_torn = r < 0;
	return r;
}

static int write_line(struct gs_journal *j, const char *line, bool all, struct gs_error *e)
{
	size_t n = strlen(line);
	int r = j->is_torn ? cut_back(j) : 0;

	if (r == 0 && j->size + n > GS_JOURNAL_BYTES_MAX)
		r = -EFBIG;
	if (r < 0)
		return fail(e, r, j->id, "cannot be written");
	r = gs_root_file_write(j->root, j->fd, line, n);
	if (r == 0)
		r = gs_root_file_sync(j->root, j->fd, all);
	if (r < 0) {
		cut_back(j);
		return fail(e, r, j->id, "cannot be written");
	}
	j->size += n;
	return 0;
}

/* So that a full disk is met now. Not every file system can; then it may be met later, and is survived. */
static int reserve(struct gs_journal *j, uint64_t bytes)
{
	int r;

	do {
		r = fallocate(j->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes) < 0 ? -errno : 0;
	} while (r == -EINTR);
	return r == -EOPNOTSUPP || r == -ENOSYS ? 0 : r;
}

/* What cannot be read back would be of no use after a crash: then nothing is begun. */
static int check_line(struct gs_journal *j, const char *line, struct gs_error *e)
{
	GS_CLEANUP(gs_plan_freep) struct gs_plan *again = NULL;
	struct gs_error why = { 0 };
	int r = gs_journal_parse(line, strlen(line), &j->file, &why);

	if (r >= 0)
		r = gs_journal_plan(j->file, &again, &why);
	return r < 0 ? gs_error_set(e, r, GS_STATUS_FAILED, "what would be written could not be read after a crash (%s)", why.text) : 0;
}

static int write_begin(struct gs_journal *j, const struct gs_journal_begin *begin, struct gs_error *e)
{
	GS_FREE char *line = NULL;
	uint64_t room;
	int r = gs_journal_begin_to_line(begin, &line, e);

	if (r == 0)
		r = check_line(j, line, e);
	if (r < 0)
		return r;
	room = strlen(line) + REST_BYTES + begin->plan->n_steps * STEP_BYTES;
	if (room > GS_JOURNAL_BYTES_MAX)
		return gs_error_set(e, -EFBIG, GS_STATUS_REFUSED, "the record of a plan of %zu steps on this machine would be larger than a journal may be (%u bytes): do it in parts",
				    begin->plan->n_steps, GS_JOURNAL_BYTES_MAX);
	r = gs_root_open_file(j->root, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0600, &j->fd, GS_JOURNAL_DIR "/%" PRIu64 SUFFIX, j->id);
	if (r < 0)
		return fail(e, r, j->id, "cannot be made");
	r = reserve(j, room);
	if (r < 0)
		return fail(e, r, j->id, "has no room");
	r = write_line(j, line, true, e);
	if (r < 0)
		return r;
	r = gs_root_sync_dir(j->root, GS_JOURNAL_DIR);
	return r < 0 ? fail(e, r, j->id, "cannot be made sure of") : 0;
}

int gs_journal_begin(struct gs_root *root, struct gs_journal_begin *begin, struct gs_journal **ret_journal, struct gs_error *e)
{
	GS_CLEANUP(gs_journal_closep) struct gs_journal *j = NULL;
	GS_FREE uint64_t *ids = NULL;
	size_t n;
	int r;

	if (gs_root_kind(root) == GS_ROOT_SYSROOT)
		return fail(e, -EROFS, 0, "is of a recorded machine");
	r = make_directories(root, e);
	if (r < 0)
		return r;
	gs_journal_rotate(root);
	r = gs_journal_list_ids(root, &ids, &n);
	if (r < 0)
		return fail(e, r, 0, "cannot be read");
	if (n && ids[0] >= ID_MAX)
		return fail(e, -EOVERFLOW, ids[0], "has the last number there is: move it away");
	begin->id = n ? ids[0] + 1 : 1;
	j = new_journal(root, begin->id);
	if (!j)
		return gs_error_oom(e);
	r = write_begin(j, begin, e);
	if (r < 0) {
		/* also one that could not be synced: it must not look like a commit */
		if (j->fd >= 0 && gs_root_unlink(root, GS_JOURNAL_DIR "/%" PRIu64 SUFFIX, j->id) == 0)
			gs_root_sync_dir(root, GS_JOURNAL_DIR);
		return r;
	}
	*ret_journal = GS_TAKE(j);
	return 0;
}

/* Half a line at the end is what a power cut leaves; whole ones are somebody's record, whatever is wrong with them. */
static bool has_lines_behind(const struct gs_journal *j)
{
	char bytes[4096];
	uint64_t at = j->size;
	ssize_t n;

	while ((n = pread(j->fd, bytes, sizeof(bytes), (off_t)at)) > 0) {
		if (memchr(bytes, '\n', (size_t)n))
			return true;
		at += (uint64_t)n;
	}
	return false;
}

int gs_journal_set_aside(struct gs_root *root, uint64_t id, struct gs_error *e)
{
	GS_FREE char *bytes = NULL;
	size_t n = 0;
	int r = gs_root_read_bytes(root, 2 * GS_JOURNAL_BYTES_MAX, &bytes, &n, GS_JOURNAL_DIR "/%" PRIu64 SUFFIX, id);

	if (r == 0)
		r = gs_root_replace_file(root, bytes, n, 0600, (gid_t)-1, GS_JOURNAL_DIR "/%" PRIu64 ".damaged", id);
	if (r == 0)
		r = gs_root_unlink(root, GS_JOURNAL_DIR "/%" PRIu64 SUFFIX, id);
	if (r == 0)
		r = gs_root_sync_dir(root, GS_JOURNAL_DIR);
	return r < 0 ? fail(e, r, id, "cannot be set aside: move it away by hand") : 0;
}

int gs_journal_reopen(struct gs_root *root, uint64_t id, struct gs_journal **ret_journal, struct gs_error *e)
{
	GS_CLEANUP(gs_journal_closep) struct gs_journal *j = new_journal(root, id);
	int r;

	if (!j)
		return gs_error_oom(e);
	r = open_for(root, id, O_RDWR | O_APPEND, &j->fd, e);
	if (r == 0)
		r = read_file(j->fd, id, &j->file, NULL, e);
	if (r < 0)
		return r;
	j->size = j->file->n_valid_bytes;
	if (j->file->damage[0] && has_lines_behind(j))
		return gs_error_set(e, -EBADMSG, GS_STATUS_FAILED, "commit %" PRIu64 " has records that make no sense (%s), so nothing is written behind them; gpuslice recover --leave %" PRIu64
				    " sets it aside", id, j->file->damage, id);
	if (j->file->damage[0])
		r = cut_back(j);
	if (r == 0 && j->file->damage[0])
		r = gs_root_file_sync(root, j->fd, true);
	if (r < 0)
		return fail(e, r, id, "ends in half a record that cannot be cut off");
	*ret_journal = GS_TAKE(j);
	return 0;
}

/* The state goes on with what is on the disk; its strings are the file's. */
static int take(struct gs_journal *j, const struct gs_journal_record *record)
{
	struct gs_journal_record r = *record;

	r.text = gs_arena_strdup(j->file->arena, record->text);
	r.unit = gs_arena_strdup(j->file->arena, record->unit);
	return gs_journal_take(&j->file->commit, &r, NULL);
}

int gs_journal_append(struct gs_journal *j, struct gs_journal_record *record, struct gs_error *e)
{
	struct gs_journal_commit after = j->file->commit;
	bool is_last = record->kind == GS_JOURNAL_END || record->kind == GS_JOURNAL_CLOSED;
	GS_FREE char *line = NULL;
	int r;

	record->seq = after.last_seq + 1;
	record->at = gs_wall_now();
	/* one that cannot follow would end the journal for whoever reads it */
	r = gs_journal_take(&after, record, e);
	if (r == 0)
		r = gs_journal_record_to_line(record, &line, e);
	if (r == 0)
		r = write_line(j, line, is_last, e);
	return r < 0 ? r : take(j, record);
}

uint64_t gs_journal_id(const struct gs_journal *j)
{
	return j->id;
}

const struct gs_journal_commit *gs_journal_commit_of(const struct gs_journal *j)
{
	return &j->file->commit;
}

/* ---------------------------------------------------------------- bounds */

/* What it takes on the disk, or 0. */
static uint64_t bytes_of(DIR *dir, uint64_t id)
{
	char name[ID_DIGITS_MAX + sizeof(SUFFIX) + 8];
	struct stat st;

	snprintf(name, sizeof(name), "%" PRIu64 SUFFIX, id);
	return fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

/* May it be needed again? Of one whose begin is not whole nothing was done; of one that makes no sense nobody knows. */
static bool is_over(struct gs_root *root, uint64_t id)
{
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
	int r = gs_journal_load(root, id, &f, NULL);

	if (r < 0)
		return r == -ENODATA;
	return !gs_journal_wants_end(f->commit.state, f->commit.status);
}

void gs_journal_rotate(struct gs_root *root)
{
	GS_FREE uint64_t *ids = NULL;
	GS_CLOSEDIR DIR *dir = NULL;
	uint64_t bytes = 0;
	size_t n, kept;

	if (gs_root_kind(root) == GS_ROOT_SYSROOT || gs_journal_list_ids(root, &ids, &n) < 0 || !n || open_directory(root, &dir) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		bytes += bytes_of(dir, ids[i]);
	kept = n;
	/* never the newest: its number is what the next one goes by */
	for (size_t i = n; i-- > 1 && (kept > GS_JOURNAL_KEPT_MAX || bytes > GS_JOURNAL_KEPT_BYTES_MAX);) {
		uint64_t size = bytes_of(dir, ids[i]);

		if (!is_over(root, ids[i]) || gs_root_unlink(root, GS_JOURNAL_DIR "/%" PRIu64 SUFFIX, ids[i]) < 0)
			continue;
		kept--;
		bytes -= size;
	}
}

/* ---------------------------------------------------------------- syslog */

void gs_journal_log(struct gs_root *root, const struct gs_journal_commit *c)
{
	char line[1024];

	if (gs_root_kind(root) != GS_ROOT_LIVE)
		return;
	openlog("gpuslice", LOG_PID, LOG_AUTHPRIV);
	syslog(LOG_NOTICE, "%s", gs_journal_log_line(c, line, sizeof(line)));
	closelog();
}
