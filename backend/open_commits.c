/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/open_commits.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/journal.h"
#include "backend/proc.h"
#include "base/parse.h"

/* The last record of a commit is shorter: its text is bounded (gs_commit_result). */
#define TAIL_BYTES 16384
#define OPEN_MAX 64

/* How many lines there are up to @end. */
static uint64_t count_lines(int fd, off_t end)
{
	char bytes[16384];
	uint64_t lines = 0;
	off_t at = 0;
	ssize_t n;

	while (at < end && (n = pread(fd, bytes, sizeof(bytes), at)) > 0) {
		for (ssize_t i = 0; i < n && at + i < end; i++)
			lines += bytes[i] == '\n';
		at += n;
	}
	return lines;
}

/* Its last whole line says so, and is as many as its number says; anything that cannot be read has not. One that could neither go on nor back has no end either. */
static bool has_ended(struct gs_root *root, uint64_t id)
{
	GS_JSON struct json_object *o = NULL;
	GS_FREE char *tail = malloc(TAIL_BYTES + 1);
	struct gs_u64 seq = GS_U64_UNKNOWN;
	struct gs_u32 status = GS_U32_UNKNOWN;
	const char *kind = NULL;
	GS_CLOSE int fd = -1;
	struct stat st;
	char *line;
	ssize_t n;

	if (!tail || gs_root_open_file(root, O_RDONLY | O_NONBLOCK, 0, &fd, GS_JOURNAL_DIR "/%" PRIu64 ".jsonl", id) < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	n = pread(fd, tail, TAIL_BYTES, st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0);
	while (n > 0 && tail[n - 1] != '\n')
		n--;
	if (n <= 1)
		return false;
	tail[n - 1] = '\0';
	line = memrchr(tail, '\n', (size_t)n - 1);
	line = line ? line + 1 : tail;
	if (gs_json_parse(line, strlen(line), "journal", &o, NULL) < 0 || !json_object_is_type(o, json_type_object) || gs_json_get_string(o, "kind", &kind, NULL) < 0 || !kind)
		return false;
	if (gs_json_get_u64(o, "seq", &seq, NULL) < 0 || !seq.known || count_lines(fd, st.st_size) != seq.value)
		return false;
	if (strcmp(kind, gs_journal_kind_name(GS_JOURNAL_CLOSED)) == 0)
		return true;
	return strcmp(kind, gs_journal_kind_name(GS_JOURNAL_END)) == 0 && gs_json_get_u32(o, "status", &status, NULL) == 0 && !gs_u32_is(status, GS_STATUS_NOT_UNDONE);
}

/* It is a process of this host, whatever machine it works on; a later boot may have given its number to another. */
bool gs_open_commits_is_under_way(struct gs_root *root, const struct gs_journal_file *f)
{
	struct gs_u32 pid = GS_U32_UNKNOWN;
	struct gs_u64 start_time = GS_U64_UNKNOWN;
	struct gs_proc_identity now;
	GS_FREE char *boot = NULL;

	if (gs_json_get_u32(f->begin, "pid", &pid, NULL) < 0 || gs_json_get_u64(f->begin, "start_time", &start_time, NULL) < 0 || !pid.known || !start_time.known)
		return false;
	if (gs_root_kind(root) == GS_ROOT_LIVE && gs_root_read(root, &boot, "proc/sys/kernel/random/boot_id") == 0 && strcmp(boot, f->commit.boot_id) != 0)
		return false;
	/* one that has ended and only waits for its parent commits no more */
	return gs_proc_identify(pid.value, &now) == 0 && now.start_time == start_time.value;
}

/* A recovery that was interrupted itself is no matter of its own: what is decided about is the commit that it was of, as long as that waits for it. */
static uint64_t to_recover(struct gs_root *root, const struct gs_journal_commit *c)
{
	GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *of = NULL;

	if (!c->of || c->way == GS_WAY_UNDO || gs_journal_load(root, c->of, &of, NULL) < 0)
		return c->id;
	return gs_journal_wants_end(of->commit.state, of->commit.status) ? c->of : c->id;
}

/* Those of @p, or all of them when nobody can tell which. What counts more stays: of two of a kind the later one. */
static int mark_gpus(struct gs_snapshot *s, const struct gs_open_commit *c, const struct gs_plan *p)
{
	/* one that has gone has no row to be marked in */
	for (size_t k = 0; p && k < p->n_base; k++) {
		char bdf[GS_BDF_TEXT];

		if (!gs_snapshot_gpu_by_bdf(s, p->base[k].bdf))
			gs_snapshot_add_notice(s, "%s, on %s too, which has gone: gpuslice recover", c->text, gs_bdf_format(p->base[k].bdf, bdf));
	}
	for (size_t i = 0; i < gs_snapshot_n_gpus(s); i++) {
		struct gs_gpu *gpu = (struct gs_gpu *)gs_snapshot_gpu(s, i);    /* being built: ours still */
		bool is_concerned = !p;

		for (size_t k = 0; p && k < p->n_base; k++)
			is_concerned |= gs_bdf_compare(p->base[k].bdf, gpu->bdf) == 0;
		if (!is_concerned || c->state < gpu->open_commit.state)
			continue;
		gpu->open_commit = *c;
		gpu->open_commit.text = gs_snapshot_text(s, c->text);
		if (!gpu->open_commit.text)
			return -ENOMEM;
	}
	return 0;
}

/* Of another version, or damaged: whether it ended and what it did nobody knows, so it is in the way of all until somebody looks. */
static int mark_unread(struct gs_snapshot *s, uint64_t id, const struct gs_error *why)
{
	char text[600];

	snprintf(text, sizeof(text), "what commit %" PRIu64 " did, and whether it ended, cannot be told (%.400s)", id, why->text);
	return mark_gpus(s, &(struct gs_open_commit){ GS_OPEN_INTERRUPTED, id, text }, NULL);
}

static int mark(struct gs_root *root, struct gs_snapshot *s, const struct gs_journal_file *f)
{
	GS_CLEANUP(gs_plan_freep) struct gs_plan *p = NULL;
	const struct gs_author *author = &f->commit.author;
	char label[256], when[GS_WALL_TEXT], summary[256], text[600];
	struct gs_open_commit c = { .text = text };

	/* viewers read it, too: what was typed and why is the journal's */
	snprintf(label, sizeof(label), "commit %" PRIu64 " (%s, %s)", f->commit.id, author->user ? author->user : "somebody", gs_wall_format(f->commit.begun, when, sizeof(when)));
	if (f->commit.state == GS_JOURNAL_IS_ENDED)
		c.state = GS_OPEN_NOT_UNDONE;
	else
		c.state = gs_open_commits_is_under_way(root, f) ? GS_OPEN_UNDER_WAY : GS_OPEN_INTERRUPTED;
	c.id = c.state == GS_OPEN_UNDER_WAY ? f->commit.id : to_recover(root, &f->commit);
	/* whose GPUs cannot be told is in the way of all: nobody may think that nothing is open */
	if (gs_journal_plan(f, &p, NULL) == -ENOMEM)
		return -ENOMEM;
	if (c.state == GS_OPEN_UNDER_WAY)
		snprintf(text, sizeof(text), "%s is under way, %" PRIu32 " of %" PRIu32 " steps are done", label, f->commit.done, f->commit.n_steps);
	else
		snprintf(text, sizeof(text), "%s %s%s", label, c.state == GS_OPEN_INTERRUPTED ? "was " : "", gs_journal_summary(&f->commit, summary, sizeof(summary)));
	return mark_gpus(s, &c, p);
}

int gs_open_commits_collect(struct gs_open_commits *known, struct gs_root *root, struct gs_snapshot *s)
{
	GS_FREE uint64_t *ids = NULL;
	size_t n = 0, n_open = 0;
	int found = gs_journal_list_ids(root, &ids, &n);

	if (found == -ENOMEM)
		return found;
	/* nothing may be taken for ended because it cannot be seen */
	if (found < 0) {
		gs_snapshot_add_notice(s, "/" GS_JOURNAL_DIR " cannot be read (%s), so nobody knows whether a commit was interrupted: gpuslice history", strerror(-found));
		return 0;
	}
	/* somebody removed the newest, so numbers are given again */
	if (!n || ids[0] < known->ended)
		known->ended = 0;
	/* the oldest first */
	for (size_t i = n; i-- > 0 && n_open < OPEN_MAX;) {
		GS_CLEANUP(gs_journal_file_freep) struct gs_journal_file *f = NULL;
		struct gs_error e = { 0 };
		int r;

		if (ids[i] <= known->ended)
			continue;
		if (has_ended(root, ids[i])) {
			if (!n_open)
				known->ended = ids[i];
			continue;
		}
		n_open++;
		r = gs_journal_load(root, ids[i], &f, &e);
		/* its begin was never whole, or it went with a rotation: nothing was done */
		if (r == -ENODATA || r == -ENOENT)
			continue;
		if (r == 0 && gs_journal_wants_end(f->commit.state, f->commit.status))
			r = mark(root, s, f);
		else if (r < 0 && r != -ENOMEM)
			r = mark_unread(s, ids[i], &e);
		if (r < 0)
			return r;
	}
	return 0;
}
